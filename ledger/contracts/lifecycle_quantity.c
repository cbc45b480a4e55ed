#include "ledger/contracts/lifecycle.h"

#define UNDO_SECONDS ((int64_t)10 * 86400)  // Delegated Regulation (EU) 2016/161, article 13

static const struct lifecycle_transition beyond_content = {
    .to = LIFECYCLE_DISPENSED, .alert = ALERT_DOUBLE_DISPENSE, .mode = ALERT_ENFORCE, .confidence = 90};

// Of a pack whose content is not known the parts are counted all the same: once it is known, the sum tells.
static void dispense_part(const struct lifecycle_facts *facts, bool counted, struct pack_record *record,
                          struct lifecycle_transition *transition) {
    record->flags |= PACK_FLAG_BROACHED;
    *transition = (struct lifecycle_transition){.to = LIFECYCLE_PART_DISPENSED};
    if (!counted || facts->units == 0) return;
    if (record->content == 0) {
        record->used += facts->units;
    } else if (facts->units > pack_record_left(record)) {
        *transition = beyond_content;
        record->used = record->content;
    } else {
        record->used += facts->units;
        if (pack_record_left(record) == 0) transition->to = LIFECYCLE_DISPENSED;
    }
}

// China: the box's code is scanned again lawfully until it is used up. Elsewhere opening ends the pack.
void lifecycle_dispense(const struct lifecycle_facts *facts, const struct product_facts *product, enum lifecycle_state from,
                        struct pack_record *record, struct lifecycle_transition *transition) {
    const bool part = facts->units > 0 || facts->partial;
    const bool exempt = product && product->split_exempt;
    if (transition->to != LIFECYCLE_DISPENSED) return;
    if (part && facts->profile == PROFILE_CN && lifecycle_state_dispensable(from)) {
        dispense_part(facts, !exempt, record, transition);
        return;
    }
    if (part) record->flags |= PACK_FLAG_BROACHED;
    // A whole pack that is not whole any more; where parts are not counted, what is said to be the rest is the rest.
    if (from == LIFECYCLE_PART_DISPENSED && record->used > 0 && !exempt && record->content > 0 && !transition->alert) *transition = beyond_content;
    if (record->content > 0) record->used = record->content;
}

void lifecycle_undo(const struct lifecycle_facts *facts, enum lifecycle_state from, bool same_place, struct pack_record *record,
                    struct lifecycle_transition *transition) {
    if (from != LIFECYCLE_DISPENSED && from != LIFECYCLE_PART_DISPENSED) return;
    const bool late = facts->profile == PROFILE_EU && facts->declared_seconds - record->event_seconds > UNDO_SECONDS;
    if (late || !same_place || lifecycle_expired(record->expiry, facts->declared_seconds)) {
        *transition = (struct lifecycle_transition){.to = from, .alert = ALERT_NOT_SALEABLE, .mode = ALERT_ENFORCE, .confidence = 60};
        return;
    }
    const uint64_t back = facts->profile == PROFILE_CN && facts->units > 0 ? facts->units : record->used;
    record->used -= back < record->used ? back : record->used;
    if (record->used > 0) transition->to = LIFECYCLE_PART_DISPENSED;
    else record->flags &= ~(unsigned)PACK_FLAG_BROACHED;
}
