#include "ledger/contracts/lifecycle.h"

#define UNDO_SECONDS ((int64_t)10 * 86400)  // Delegated Regulation (EU) 2016/161, article 13

static const struct lifecycle_transition beyond_content = {
    .to = LIFECYCLE_DISPENSED, .alert = ALERT_DOUBLE_DISPENSE, .mode = ALERT_ENFORCE, .confidence = 90};

static bool open_for_sale(enum lifecycle_state from) { return lifecycle_state_dispensable(from); }

static void dispense_counted(uint64_t units, struct pack_record *record, struct lifecycle_transition *transition) {
    if (units > record->left) {
        *transition = beyond_content;
        record->left = 0;
        return;
    }
    record->left -= units;
    *transition = (struct lifecycle_transition){.to = record->left ? LIFECYCLE_PART_DISPENSED : LIFECYCLE_DISPENSED};
}

// China: the box's code is scanned again lawfully until it is used up. Elsewhere opening ends the pack.
void lifecycle_dispense(const struct lifecycle_facts *facts, enum lifecycle_state from, struct pack_record *record,
                        struct lifecycle_transition *transition) {
    const bool part = facts->china && (facts->units > 0 || facts->partial);
    if (!open_for_sale(from)) {
        record->left = transition->to == LIFECYCLE_DISPENSED ? 0 : record->left;
        return;
    }
    if (!part) {
        if (record->content > 0 && from == LIFECYCLE_PART_DISPENSED && record->left < record->content) *transition = beyond_content;
        record->left = 0;
        return;
    }
    if (record->content > 0 && facts->units > 0)
        dispense_counted(facts->units, record, transition);
    else
        *transition = (struct lifecycle_transition){.to = LIFECYCLE_PART_DISPENSED};  // cannot be counted
}

void lifecycle_undo(const struct lifecycle_facts *facts, enum lifecycle_state from, bool same_place, struct pack_record *record,
                    struct lifecycle_transition *transition) {
    if (from != LIFECYCLE_DISPENSED && from != LIFECYCLE_PART_DISPENSED) return;
    const bool late = !facts->china && facts->event_seconds - record->event_seconds > UNDO_SECONDS;
    if (late || !same_place || lifecycle_expired(record->expiry, facts->event_seconds)) {
        *transition = (struct lifecycle_transition){.to = from, .alert = ALERT_NOT_SALEABLE, .mode = ALERT_ENFORCE, .confidence = 60};
        return;
    }
    const uint64_t back = facts->china && facts->units > 0 ? facts->units : record->content;
    record->left = back > record->content - record->left ? record->content : record->left + back;
    if (record->left < record->content) transition->to = LIFECYCLE_PART_DISPENSED;
}
