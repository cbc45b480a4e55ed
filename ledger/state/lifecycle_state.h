// The states that a pack, case or pallet can be in (DESIGN.md section 9.1). Numbers are stored: never reused.
#ifndef PACKTRAIL_LEDGER_STATE_LIFECYCLE_STATE_H
#define PACKTRAIL_LEDGER_STATE_LIFECYCLE_STATE_H

#include <stdbool.h>

enum lifecycle_state {
    LIFECYCLE_UNKNOWN = 0,         // never commissioned, never seen
    LIFECYCLE_COMMISSIONED = 1,    // announced by its maker, not yet moved
    LIFECYCLE_IN_STOCK = 2,        // received somewhere
    LIFECYCLE_IN_TRANSIT = 3,      // shipped, not yet received
    LIFECYCLE_PART_DISPENSED = 4,  // opened; the rest may still be dispensed
    LIFECYCLE_DISPENSED = 5,       // supplied to the public, used up
    LIFECYCLE_RETURNED = 6,        // came back from the public: never saleable again
    LIFECYCLE_QUARANTINED = 7,
    LIFECYCLE_RECALLED = 8,
    LIFECYCLE_DECOMMISSIONED = 9,  // taken out of use; the code is dead
    LIFECYCLE_DESTROYED = 10,
    LIFECYCLE_EXPORTED = 11,
    LIFECYCLE_STOLEN = 12,
    LIFECYCLE_SAMPLE = 13,         // taken by an authority or for retention
    LIFECYCLE_CHECKED_OUT = 14,    // taken out of the system for work on it (EU: repackaging, another market)
    LIFECYCLE_FREE_SAMPLE = 15,    // given away as a free sample
    LIFECYCLE_LOCKED = 16,         // blocked while it is investigated; may come back at any time
    LIFECYCLE_WITHDRAWN = 17,      // its product was withdrawn from the market
};
#define LIFECYCLE_STATES 18u

// "in_stock", …; static. "unknown" for a number that is none.
const char *lifecycle_state_name(enum lifecycle_state state);

// Whether a pack in this state may be handed to a patient.
bool lifecycle_state_dispensable(enum lifecycle_state state);

#endif
