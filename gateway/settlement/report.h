// One report: what one platform is to be told about one event. Its life as a pure state machine.
//
//   waiting ──send──> unknown ──answer──> accepted ──its reversal accepted──> reversed
//      ^                 │  └──answer──> refused ──retry──> waiting (a new serial)
//      └──never there────┘
//   waiting ──nothing to tell any more──> void
//
// The step to `unknown` is durable before the first byte is sent: whatever happens then, the platform is asked about our
// serial number before anything is sent again. Only "it is not here", said after the platform's time for processing, or a
// request of which no byte left, leads back to `waiting`.
#ifndef PACKTRAIL_GATEWAY_SETTLEMENT_REPORT_H
#define PACKTRAIL_GATEWAY_SETTLEMENT_REPORT_H

#include "common/base/time.h"
#include "gateway/settlement/answer.h"
#include "gateway/settlement/source.h"

// Never renumbered: they are stored.
enum report_state {
    REPORT_WAITING = 1,   // the platform does not have it
    REPORT_UNKNOWN = 2,   // sent; whether the platform has it is not known
    REPORT_ACCEPTED = 3,
    REPORT_REFUSED = 4,
    REPORT_REVERSED = 5,  // accepted, and taken back since
    REPORT_VOID = 6,      // never sent, and never to be: nothing is left to tell
};

#define REPORT_SERIAL_MAX 30u
#define REPORT_KIND_MAX 19u

struct report {
    int64_t number;               // in the order of the events
    int64_t scan;                 // the event's number in the store
    struct pt_digest statement;
    enum platform platform;
    char kind[REPORT_KIND_MAX + 1];  // trace document kind or interface
    bool undo;
    int64_t reverses;             // number of the report that it takes back; 0: none
    enum report_state state;
    bool ready;                   // the document is derived
    struct lacks lacks;           // what the document waits for
    uint32_t generation;          // 1 for the first, one more after each refusal that was mended
    uint32_t attempts;            // sendings of this generation
    uint32_t failures;            // in a row, for the growing pauses
    pt_millis created, changed;
    pt_millis sent;               // last time
    pt_millis due;                // not before
    char level[12];               // of a refusal: "gateway" (before it was sent), "transport", "business"
    char code[64];                // the platform's
    char reason[384];
};

struct report_pauses {
    pt_millis least, most;        // growing waits between them
    pt_millis processing;         // how long a platform may take: only after it "absent" is believed
};

const char *report_state_name(enum report_state state);
bool report_state_named(const char *name, enum report_state *out);
bool report_is_open(const struct report *report);  // waiting or unknown: a pack's later reports stand behind it

// Our own number for the platform: "PT", 24 hex digits of a hash over statement and platform, 4 digits of the generation.
void report_serial(const struct report *report, char out[REPORT_SERIAL_MAX + 1]);

// Before sending; to be stored durably before the first byte goes.
void report_sending(struct report *report, pt_millis now);
// No byte left the gateway.
void report_not_sent(struct report *report, const struct report_pauses *pauses, pt_millis now, uint64_t random, const char *why);
// The sending's answer, or unclear where none came.
void report_answered(struct report *report, const struct answer *answer, const struct report_pauses *pauses, pt_millis now,
                     uint64_t random);
// What the platform says when it is asked about the serial; unclear where it could not be asked.
void report_asked(struct report *report, const struct answer *answer, const struct report_pauses *pauses, pt_millis now,
                  uint64_t random);

// The document cannot be made yet / cannot be made at all.
void report_waits_for(struct report *report, const struct lacks *lacks, const char *reason, pt_millis now);
void report_unfit(struct report *report, const char *reason, pt_millis now);
void report_void(struct report *report, const char *reason, pt_millis now);

// After a refusal was mended, or to send a reversal whose original is not known here. PT_CONFLICT in any other state.
enum pt_code report_retry(struct report *report, pt_millis now, struct pt_error *err) PT_NODISCARD;

#endif
