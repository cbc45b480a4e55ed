// What the state keeps of one pack, case or pallet: STATE_PACK's value. About 20 bytes, varints; strings are numbers of
// the name table (state_view.h).
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
    PACK_FLAG_BROACHED = 1u << 5,     // a part of the pack was supplied: it is not whole any more
    PACK_FLAG_HELD = 1u << 6,         // somebody set it aside: data that arrive do not release it
    PACK_FLAG_CONTESTED = 1u << 7,    // sold, and told to be sold elsewhere as well: undoing one sale leaves the other
    PACK_FLAG_CORRECTED = 1u << 8,    // an event of its history was declared in error
    PACK_FLAG_OVERDRAWN = 1u << 9,    // more was supplied of it than it held
    PACK_FLAG_CAME_BACK = 1u << 10,   // a patient brought it back: never goods again
    PACK_FLAG_CALLED_BACK = 1u << 11, // recalled or withdrawn: never goods again by an event
    // The detectors' own; no change of the pack.
    PACK_FLAG_DOUBTFUL = 1u << 12,      // received without anybody having shipped it there; whoever uses it is asked
    PACK_FLAG_FALSE_SOURCE = 1u << 13,  // … and from a party that did not hold it
    PACK_FLAG_TOLD_TWICE = 1u << 14,    // a part of it was told again within moments
    PACK_FLAG_SCANNED_AGAIN = 1u << 15, // its supply was told once more at the same counter, within days
    PACK_FLAG_OVERTAKEN = 1u << 16,     // a receipt from its holder was older than what is known: a clock is off
};

// Flags that say nothing of the pack's own state: they stay when a change is taken back.
#define PACK_FLAGS_NO_CHANGE                                                                                               \
    (PACK_FLAG_CONTESTED | PACK_FLAG_DOUBTFUL | PACK_FLAG_FALSE_SOURCE | PACK_FLAG_TOLD_TWICE | PACK_FLAG_SCANNED_AGAIN | \
     PACK_FLAG_OVERTAKEN)

#define PACK_RECORD_MAX 448u
#define PACK_UNDO_FIELDS 15u

// What the last change replaced, so that it can be taken back exactly. Read and written by the functions below alone.
struct pack_undo {
    uint64_t by;    // 1 + leaf index of the statement that changed the record last; 0: nothing to take back
    uint32_t mask;  // fields that it changed
    uint64_t values[PACK_UNDO_FIELDS];
};

struct pack_record {
    enum lifecycle_state state;
    unsigned flags;
    uint64_t last;               // 1 + leaf index of the last statement that touched it; 0: none
    uint64_t place, party, lot;  // names; 0: not known
    uint32_t expiry;             // 1 + days since 2000-01-01; 0: not known
    uint64_t content;            // smallest units that it held when whole; 0: not known
    uint64_t used;               // of them, supplied (all of them when it was supplied whole)
    uint64_t returned;           // of the supplied ones, brought back by patients: never supplied again
    uint64_t again;              // so many more supplies of it were told where it was supplied
    uint64_t parent;             // name of the container's key; 0: in none
    uint64_t parent_filling;     // the container's `filling` when it was packed: older ones have been emptied
    uint64_t filling;            // how often it was emptied as a whole
    unsigned alerts;             // alerts that name it, at most 255
    unsigned operation;          // enum lifecycle_operation of the last change
    uint64_t awaited;            // name of the party that it was shipped to; 0: none said
    int64_t event_seconds;       // eventTime of the last event that changed it; 0: none
    int64_t seen_seconds;        // eventTime of the last sighting anywhere; 0: none
    uint64_t seen_place;         // name of the place of that sighting; 0: none said
    struct pack_undo undo;
};

// What is left of a pack whose content is known.
static inline uint64_t pack_record_left(const struct pack_record *record) {
    return record->used < record->content ? record->content - record->used : 0;
}

void pack_record_encode(const struct pack_record *record, struct pt_buf *out);
enum pt_code pack_record_decode(struct pt_bytes bytes, struct pack_record *out, struct pt_error *err) PT_NODISCARD;

// Notes what `before` was, as the one step that can be taken back; `by` is 1 + the leaf of the statement. No effect if
// nothing changed but what is no change of the pack: `last`, `alerts`, `again`, the sighting, PACK_FLAG_CONTESTED.
void pack_record_remember(struct pack_record *record, const struct pack_record *before, uint64_t by);
// The record as it was before its last change; what is no change stays, and nothing more can be taken back. False if it is
// not known.
bool pack_record_before(const struct pack_record *record, struct pack_record *out);

#endif
