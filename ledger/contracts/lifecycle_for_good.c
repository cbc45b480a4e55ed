// A pack's states forget; some things about it must not be forgotten.
#include "ledger/contracts/lifecycle_internal.h"

static bool whole_goods(enum lifecycle_state state) {
    return state == LIFECYCLE_COMMISSIONED || state == LIFECYCLE_IN_STOCK || state == LIFECYCLE_IN_TRANSIT;
}

static void remember(struct pack_record *record, enum lifecycle_state state) {
    if (state == LIFECYCLE_RETURNED) record->flags |= PACK_FLAG_CAME_BACK;
    if (state == LIFECYCLE_RECALLED || state == LIFECYCLE_WITHDRAWN) record->flags |= PACK_FLAG_CALLED_BACK;
}

void lifecycle_for_good(struct pack_record *record, struct lifecycle_transition *transition) {
    remember(record, record->state);  // it may have been so through its container alone
    if (whole_goods(transition->to) || transition->to == LIFECYCLE_PART_DISPENSED) {
        if (record->flags & PACK_FLAG_NO_DATA) transition->to = LIFECYCLE_QUARANTINED;
        if (record->flags & PACK_FLAG_CALLED_BACK) transition->to = LIFECYCLE_RECALLED;
        if (record->flags & PACK_FLAG_CAME_BACK) transition->to = LIFECYCLE_RETURNED;
    }
    const bool broached = (record->flags & PACK_FLAG_BROACHED) || (record->used > 0 && record->content > 0);
    if (broached && whole_goods(transition->to)) transition->to = LIFECYCLE_PART_DISPENSED;
    remember(record, transition->to);
}

bool lifecycle_is_for_good(enum lifecycle_state state) {
    return state == LIFECYCLE_RETURNED || state == LIFECYCLE_RECALLED || state == LIFECYCLE_DECOMMISSIONED ||
           state == LIFECYCLE_DESTROYED || state == LIFECYCLE_STOLEN || state == LIFECYCLE_WITHDRAWN;
}
