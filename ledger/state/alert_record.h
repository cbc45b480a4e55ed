// Alerts: what a contract found suspicious, with its evidence. Kept in STATE_ALERT (alert.cddl).
#ifndef PACKTRAIL_LEDGER_STATE_ALERT_RECORD_H
#define PACKTRAIL_LEDGER_STATE_ALERT_RECORD_H

#include "common/base/arena.h"
#include "common/base/time.h"

// Numbers are stored: never reused.
enum alert_kind {
    ALERT_UNKNOWN_SERIAL = 1,        // handled without ever having been commissioned
    ALERT_PRODUCT_WITHOUT_DATA = 2,  // received before its maker's data: quarantined until they come
    ALERT_DOUBLE_DISPENSE = 3,       // dispensed again, or beyond its content
    ALERT_SOLD_PACK_IN_TRADE = 4,    // a dispensed pack handled as goods again (回流)
    ALERT_EXPIRED = 5,
    ALERT_RECALLED = 6,
    ALERT_NOT_SALEABLE = 7,          // handled as goods though returned, quarantined, sampled …
    ALERT_DEAD_CODE = 8,             // handled although decommissioned, destroyed, exported or stolen
    ALERT_DUPLICATE_SERIAL = 9,      // commissioned twice
    ALERT_OUT_OF_ORDER = 10,         // does not follow from the state before; late data look like this too
    ALERT_BROKEN_HIERARCHY = 11,     // found outside the container it should lie in, or in two
    ALERT_EQUIVOCATION = 12,         // one key, one sequence number, two contents
    ALERT_DEVICE_GAP = 13,           // statements of a device are missing
    ALERT_BROKEN_DEVICE_CHAIN = 14,  // a statement does not name its predecessor
    ALERT_TOO_FAST = 15,             // seen at two places farther apart than anything travels in the time
    ALERT_CUSTODY_GAP = 16,          // received by whom nobody shipped it to, or shipped by whom never received it
    ALERT_TERRITORY = 17,            // traded where its product is not licensed
    ALERT_TEMPERATURE = 18,          // a logger's reading is outside the product's range
    ALERT_WRONG_PRODUCT = 19,        // the scanned pack is not the product claimed (串换)
    ALERT_EVENT_ID_REUSED = 20,      // one event ID, two contents
    ALERT_OVERCLAIMED = 21,          // more claimed than the pack holds
    ALERT_CLAIMED_NOT_DISPENSED = 22,  // claimed though not dispensed (空刷)
    ALERT_DOUBLE_SCAN = 23,          // the same step told twice within moments: a mistake, no accusation
    ALERT_LATE_DATA = 24,            // an event older than what is known; recorded, changes nothing
    ALERT_LABEL_MISREAD = 25,        // the code looks mangled by its reader (layout, separators)
    ALERT_LABEL_MISMATCH = 26,       // lot or expiry of the scan are not those that the maker announced
};
#define ALERT_KINDS 27u

enum alert_mode { ALERT_SHADOW = 1, ALERT_ENFORCE = 2 };

#define ALERT_DETAIL_MAX 160u
#define ALERT_EVIDENCE_MAX 4u

struct alert_record {
    uint64_t number;          // 1 for the first, in the order they were raised; the key
    enum alert_kind kind;
    enum alert_mode mode;
    unsigned confidence;      // 0 to 100: how likely it is a wrong, not a mistake or late data
    struct pt_bytes pack;     // key of the pack; empty if it is about a device
    struct pt_digest signer;  // kid of the statement's signer
    uint64_t evidence[ALERT_EVIDENCE_MAX];  // leaf indices; the statement that raised it first
    size_t evidence_count;
    pt_millis event_time;     // as the event says
    pt_millis chain_time;     // when it was raised
    char detail[ALERT_DETAIL_MAX + 1];  // for people, in English
};

// "unknown_serial", …; static.
const char *alert_kind_name(enum alert_kind kind);

enum pt_code alert_record_encode(const struct alert_record *alert, struct pt_buf *out, struct pt_error *err) PT_NODISCARD;
// `key`: that of STATE_ALERT. Views point into `value`.
enum pt_code alert_record_decode(struct pt_bytes key, struct pt_bytes value, struct alert_record *out,
                                 struct pt_error *err) PT_NODISCARD;

void alert_record_key(uint64_t number, uint8_t out[8]);  // big-endian

#endif
