// How much of a pack is gone, and whether that may be taken back.
#include "ledger/contracts/lifecycle_internal.h"

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
        if (facts->units <= UINT64_MAX / 2 - record->used) record->used += facts->units;
    } else if (facts->units > pack_record_left(record)) {
        *transition = beyond_content;
        if (record->used < record->content) record->used = record->content;
        record->flags |= PACK_FLAG_OVERDRAWN;
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
    if (part && from != LIFECYCLE_DISPENSED) record->flags |= PACK_FLAG_BROACHED;
    // A whole pack that is not whole any more; where parts are not counted, what is said to be the rest is the rest.
    if (from == LIFECYCLE_PART_DISPENSED && record->used > 0 && !exempt && record->content > 0 && !transition->alert) {
        *transition = beyond_content;
        record->flags |= PACK_FLAG_OVERDRAWN;
    }
    if (record->used < record->content) record->used = record->content;
}

// What a patient brings back is never supplied again; what is still in the pack is not touched by it.
void lifecycle_take_back(const struct lifecycle_facts *facts, enum lifecycle_state from, struct pack_record *record,
                         struct lifecycle_transition *transition) {
    const uint64_t out = record->used > record->returned ? record->used - record->returned : 0;
    if (transition->to != LIFECYCLE_RETURNED || (from != LIFECYCLE_DISPENSED && from != LIFECYCLE_PART_DISPENSED)) return;
    if (facts->units == 0 || facts->profile != PROFILE_CN || record->used == 0) {
        record->returned = record->used;
        return;
    }
    if (facts->units > out)
        *transition = (struct lifecycle_transition){.to = from, .alert = ALERT_OUT_OF_ORDER, .mode = ALERT_SHADOW, .confidence = 30};
    record->returned += facts->units < out ? facts->units : out;
    const bool all = record->returned == record->used && pack_record_left(record) == 0;
    transition->to = all ? LIFECYCLE_RETURNED : from;
}

enum undo_refusal lifecycle_undo_refused(const struct work *work, const struct item *item) {
    const struct pack_record *record = &item->record;
    const bool europe = work->facts.profile == PROFILE_EU;
    const bool supplied = record->state == LIFECYCLE_DISPENSED || record->state == LIFECYCLE_PART_DISPENSED;
    if (!work->privileged && (record->place != work->place || (europe && record->party != work->party))) return UNDO_ELSEWHERE;
    if (lifecycle_expired(record->expiry, work->facts.declared_seconds)) return UNDO_EXPIRED;
    if (europe && record->state != LIFECYCLE_LOCKED && work->facts.declared_seconds - record->event_seconds > UNDO_SECONDS) return UNDO_LATE;
    if (europe && supplied && (record->flags & PACK_FLAG_BROACHED)) return UNDO_OPENED;
    return supplied && (record->flags & PACK_FLAG_CONTESTED) ? UNDO_SOLD_AGAIN : UNDO_ALLOWED;
}

const char *lifecycle_undo_refusal_text(enum undo_refusal refusal) {
    static const char *const texts[] = {
        [UNDO_ALLOWED] = "",
        [UNDO_LATE] = "not taken back: more than ten days ago (NMVS_NC_PCK_20)",
        [UNDO_ELSEWHERE] = "not taken back: done at another place or by another party (NMVS_NC_PCK_21)",
        [UNDO_EXPIRED] = "not taken back: past its expiry (NMVS_NC_PCK_06)",
        [UNDO_OPENED] = "not taken back: opened and supplied in part (NMVS_NC_PCK_06)",
        [UNDO_SOLD_AGAIN] = "not taken back: supplied elsewhere as well",
    };
    return texts[refusal];
}

void lifecycle_give_back(struct pack_record *record, uint64_t units) {
    const uint64_t most = record->used > record->returned ? record->used - record->returned : 0;
    record->used -= units > 0 && units < most ? units : most;
    if (record->used == 0) record->flags &= ~(unsigned)(PACK_FLAG_BROACHED | PACK_FLAG_OVERDRAWN);
}

void lifecycle_undo(struct work *work, struct item *item, struct lifecycle_transition *transition) {
    struct pack_record *record = &item->record;
    if (record->again > 0) {  // one of several supplies at this counter
        record->again--;
        transition->to = item->effective.state;
        return;
    }
    lifecycle_give_back(record, work->facts.profile == PROFILE_CN ? work->facts.units : 0);
    if (record->used > 0) transition->to = LIFECYCLE_PART_DISPENSED;
}
