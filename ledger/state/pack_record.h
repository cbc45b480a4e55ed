// What the state keeps of one pack, case or pallet: STATE_PACK's value. About 20 bytes, varints; strings are numbers of
// the name table (names.h).
#ifndef PACKTRAIL_LEDGER_STATE_PACK_RECORD_H
#define PACKTRAIL_LEDGER_STATE_PACK_RECORD_H

#include "common/base/bytes.h"
#include "ledger/state/lifecycle_state.h"

enum pack_flag {
    PACK_FLAG_NO_DATA = 1u << 0,      // seen before its maker announced it
    PACK_FLAG_CONTAINER = 1u << 1,    // things were packed into it
    PACK_FLAG_OPENED = 1u << 2,       // container: something was taken out alone since it was packed
    PACK_FLAG_UNCONFIRMED = 1u << 3,  // container: moved after it was opened; its contents must be scanned
    PACK_FLAG_ANNOUNCED = 1u << 4,    // its maker commissioned it
};

#define PACK_RECORD_MAX 160u

struct pack_record {
    enum lifecycle_state state;
    unsigned flags;
    uint64_t last;               // 1 + leaf index of the last statement that touched it; 0: none
    uint64_t place, party, lot;  // names; 0: not known
    uint32_t expiry;             // 1 + days since 2000-01-01; 0: not known
    uint64_t content, left;      // in smallest units; content 0: not known
    uint64_t parent;             // name of the container's key; 0: in none
    uint64_t parent_filling;     // the container's `filling` when it was packed: older ones have been emptied
    uint64_t filling;            // how often it was emptied as a whole
    unsigned alerts;             // alerts that name it, at most 255
    int64_t event_seconds;       // eventTime of the last event that set its state; 0: none
};

void pack_record_encode(const struct pack_record *record, struct pt_buf *out);
enum pt_code pack_record_decode(struct pt_bytes bytes, struct pack_record *out, struct pt_error *err) PT_NODISCARD;

#endif
