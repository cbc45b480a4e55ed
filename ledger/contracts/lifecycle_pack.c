// What one event does to one pack: the table, and what depends on more than the pair of operation and state.
#include <stdio.h>
#include <string.h>

#include "ledger/contracts/lifecycle_internal.h"

#define DOUBLE_SCAN_SECONDS 120
#define FUTURE_SECONDS ((int64_t)86400)  // a time that lies farther ahead of the chain's is a wrong clock
#define SURE_WHEN_LATE 60u               // an order of events that clocks and offline terminals tell

// --- Order ---

bool lifecycle_is_older(const struct work *work, const struct item *item) {
    const int64_t last = item->effective.event_seconds;
    // One terminal with its clock years ahead must not make everything late that is told after it.
    if (last == 0 || last > work->context->chain_time / 1000 + FUTURE_SECONDS) return false;
    return work->facts.event_seconds + work->facts.clock_error < last;
}

static bool ends_trade(enum lifecycle_operation operation) {
    switch (operation) {
    case OPERATION_DISPENSE:
    case OPERATION_SEND_BACK:
    case OPERATION_TAKE_BACK:
    case OPERATION_DECOMMISSION:
    case OPERATION_DESTROY:
    case OPERATION_SAMPLE:
    case OPERATION_EXPORT:
    case OPERATION_CHECK_OUT:
    case OPERATION_FREE_SAMPLE: return true;
    default: return false;
    }
}

// An event that ends trade, told after what followed it: when the record still knows what was before that, both are put
// in the order of their times. `first`: the late event as it would have been; `second`: what followed it, again.
static bool put_in_order(const struct work *work, const struct item *item, struct lifecycle_transition *first,
                         struct lifecycle_transition *second) {
    struct pack_record before;
    const bool part = work->facts.units > 0 || work->facts.partial;
    if (!ends_trade(item->operation) || part || !lifecycle_is_older(work, item) || item->around.count != 1) return false;
    if (item->operation == OPERATION_DISPENSE && item->record.used > 0) return false;  // what is gone counts, whatever the order
    if (!pack_record_before(&item->record, &before) || before.state == LIFECYCLE_UNKNOWN) return false;
    if (before.event_seconds > work->facts.event_seconds + work->facts.clock_error) return false;
    // Only if it is the table that led from there to here, and not a container, a quantity or a correction.
    const enum lifecycle_operation last = (enum lifecycle_operation)item->record.operation;
    if (lifecycle_transition(work->facts.profile, last, before.state)->to != item->record.state) return false;
    *first = *lifecycle_transition(work->facts.profile, item->operation, before.state);
    *second = *lifecycle_transition(work->facts.profile, last, first->to);
    if (second->confidence > SURE_WHEN_LATE) second->confidence = SURE_WHEN_LATE;
    // What was supplied stays supplied: nothing told late gives it another state that it could come back from.
    const bool supplied = item->record.state == LIFECYCLE_DISPENSED || item->record.state == LIFECYCLE_PART_DISPENSED;
    if (supplied && second->to != LIFECYCLE_DISPENSED && !lifecycle_is_for_good(second->to)) return false;
    return !lifecycle_state_dispensable(second->to);  // in doubt it is not for sale
}

static enum pt_code change_in_order(struct work *work, struct item *item, const struct lifecycle_transition *first,
                                    const struct lifecycle_transition *second, struct pt_error *err) {
    char detail[ALERT_DETAIL_MAX + 1];
    enum pt_code code = PT_OK;
    snprintf(detail, sizeof detail, "%s of a pack that was %s before, which is told only now",
             lifecycle_operation_name((enum lifecycle_operation)item->record.operation), lifecycle_state_name(first->to));
    if (first->alert) code = lifecycle_raise(work, item, first, NULL, err);
    if (code == PT_OK && second->alert) code = lifecycle_raise(work, item, second, detail, err);
    struct lifecycle_transition settled = *second;
    if (lifecycle_is_for_good(item->record.state) && !lifecycle_is_for_good(settled.to)) settled.to = item->record.state;
    lifecycle_for_good(&item->record, &settled);
    item->record.state = settled.to;
    item->record.operation = item->operation;
    if (item->operation == OPERATION_DISPENSE && first->to == LIFECYCLE_DISPENSED && item->record.used < item->record.content)
        item->record.used = item->record.content;
    if (settled.to == LIFECYCLE_RETURNED) item->record.returned = item->record.used;
    if (settled.to != first->to) return code;
    if (work->place) item->record.place = work->place;
    if (work->party) item->record.party = work->party;
    return code;
}

// --- Data ---

static struct lifecycle_transition first_announcement(struct item *item) {
    const enum lifecycle_state from = item->record.state;
    const bool waited = (item->record.flags & PACK_FLAG_NO_DATA) && !(item->record.flags & PACK_FLAG_HELD);
    item->record.flags = (item->record.flags | PACK_FLAG_ANNOUNCED) & ~(unsigned)PACK_FLAG_NO_DATA;
    if (from == LIFECYCLE_UNKNOWN) return (struct lifecycle_transition){.to = LIFECYCLE_COMMISSIONED};
    if (from != LIFECYCLE_QUARANTINED || !waited) return (struct lifecycle_transition){.to = from};
    // Product that waited for its data in quarantine is released by them.
    const bool sent = item->record.operation == OPERATION_SHIP || item->record.operation == OPERATION_SEND_BACK;
    return (struct lifecycle_transition){.to = sent ? LIFECYCLE_IN_TRANSIT : LIFECYCLE_IN_STOCK};
}

// A case or pallet has no maker's data of its own: whoever tells what was packed into it announces it.
static bool is_announced_by_filling(const struct item *item) {
    return item->operation == OPERATION_FILL && (item->record.flags & PACK_FLAG_NO_DATA) && item->key.data[0] == PACK_SSCC;
}

static void take_master_data(const struct work *work, struct item *item) {
    const bool counts = item->operation == OPERATION_COMMISSION || item->operation == OPERATION_DISPENSE;
    if (counts && item->record.content == 0 && item->product) item->record.content = item->product->units;
    if (counts && item->record.content == 0) item->record.content = work->facts.content;
    if (item->operation != OPERATION_COMMISSION) return;
    if (item->record.lot == 0) item->record.lot = work->lot;
    if (item->record.expiry == 0) item->record.expiry = work->facts.expiry;
}

static void mind_missing_data(struct item *item, struct lifecycle_transition *transition) {
    if (transition->alert == ALERT_NOT_SALEABLE && (item->record.flags & PACK_FLAG_NO_DATA)) transition->alert = ALERT_UNKNOWN_SERIAL;
    if (item->effective.state == LIFECYCLE_UNKNOWN && transition->alert != 0) item->record.flags |= PACK_FLAG_NO_DATA;
    if (item->operation == OPERATION_RELEASE && item->effective.state == LIFECYCLE_QUARANTINED && (item->record.flags & PACK_FLAG_NO_DATA))
        *transition = (struct lifecycle_transition){
            .to = LIFECYCLE_QUARANTINED, .alert = ALERT_PRODUCT_WITHOUT_DATA, .mode = ALERT_ENFORCE, .confidence = 50};
}

// --- The change ---

static struct lifecycle_transition decide(const struct work *work, struct item *item) {
    const enum lifecycle_state from = item->effective.state;
    struct lifecycle_transition transition = *lifecycle_transition(work->facts.profile, item->operation, from);
    if (item->operation == OPERATION_COMMISSION && !(item->record.flags & PACK_FLAG_ANNOUNCED)) return first_announcement(item);
    if (is_announced_by_filling(item)) return first_announcement(item);
    if (item->operation == OPERATION_DISPENSE) lifecycle_dispense(&work->facts, item->product, from, &item->record, &transition);
    if (item->operation == OPERATION_TAKE_BACK || item->operation == OPERATION_SEND_BACK)
        lifecycle_take_back(&work->facts, from, &item->record, &transition);
    mind_missing_data(item, &transition);
    return transition;
}

// The same step told twice within moments at one counter: a finger that stayed on the trigger.
static bool is_double_scan(const struct work *work, const struct item *item) {
    const struct pack_record *before = &item->around.levels[0].record;
    const int64_t apart = work->facts.event_seconds - before->event_seconds;
    if (item->around.count != 1 || before->state == LIFECYCLE_UNKNOWN || before->operation != (unsigned)item->operation) return false;
    if (before->place != work->place || before->party != work->party) return false;
    if (work->facts.units > 0) return false;  // parts are counted, however fast they follow each other
    return apart <= DOUBLE_SCAN_SECONDS && apart >= -DOUBLE_SCAN_SECONDS;
}

// What can be taken back is bound to its time and place: what is told of such a pack afterwards - a second supply of a
// copy, a look at it - must not move them.
static bool stands(const struct item *item, const struct lifecycle_transition *transition) {
    if (transition->to != item->effective.state) return false;
    switch (transition->to) {
    case LIFECYCLE_DISPENSED:
    case LIFECYCLE_EXPORTED:
    case LIFECYCLE_SAMPLE:
    case LIFECYCLE_CHECKED_OUT:
    case LIFECYCLE_FREE_SAMPLE: return true;
    default: return false;
    }
}

// Another supply of what is sold already.
static void count_again(const struct work *work, struct item *item, const struct lifecycle_transition *transition) {
    if (item->operation != OPERATION_DISPENSE && item->operation != OPERATION_FREE_SAMPLE) return;
    if (transition->alert != ALERT_DOUBLE_DISPENSE || item->effective.state != LIFECYCLE_DISPENSED) return;
    if (item->record.place == work->place && item->record.party == work->party) item->record.again++;
    else item->record.flags |= PACK_FLAG_CONTESTED;
}

static void mark_hold(struct item *item) {
    if (item->operation == OPERATION_HOLD && item->record.state == LIFECYCLE_QUARANTINED) item->record.flags |= PACK_FLAG_HELD;
    if (item->operation == OPERATION_RELEASE && item->record.state != LIFECYCLE_QUARANTINED) item->record.flags &= ~(unsigned)PACK_FLAG_HELD;
}

static void mark_awaited(const struct work *work, struct item *item) {
    switch (item->operation) {
    case OPERATION_SHIP:
    case OPERATION_SEND_BACK: item->record.awaited = work->awaited; break;
    case OPERATION_RECEIVE:
    case OPERATION_TAKE_BACK:
    case OPERATION_VOID_SHIP:
    case OPERATION_DISPENSE: item->record.awaited = 0; break;
    default: break;
    }
}

static void move(const struct work *work, struct item *item) {
    if (work->place) item->record.place = work->place;
    if (work->party) item->record.party = work->party;
    if (item->operation == OPERATION_OBSERVE) return;
    item->record.operation = item->operation;
    mark_awaited(work, item);
    if (work->facts.event_seconds > item->record.event_seconds) item->record.event_seconds = work->facts.event_seconds;
}

static enum pt_code raise_what_is_wrong(struct work *work, struct item *item, const struct lifecycle_transition *transition,
                                        struct pt_error *err) {
    struct lifecycle_transition told = *transition;
    const bool late = lifecycle_is_older(work, item) && told.alert != ALERT_DOUBLE_DISPENSE && told.alert != ALERT_DUPLICATE_SERIAL;
    enum pt_code code = PT_OK;
    if (late && told.confidence > SURE_WHEN_LATE) told.confidence = SURE_WHEN_LATE;
    if (told.alert) code = lifecycle_raise(work, item, &told, NULL, err);
    if (code == PT_OK && told.alert != ALERT_DOUBLE_SCAN && lifecycle_operation_trades(item->operation) &&
        lifecycle_expired(item->record.expiry, work->facts.event_seconds))
        code = lifecycle_raise_kind(work, item, ALERT_EXPIRED, ALERT_ENFORCE, item->operation == OPERATION_SHIP ? 50 : 90, NULL, err);
    return code;
}

enum pt_code lifecycle_change(struct work *work, struct item *item, struct pt_error *err) {
    struct lifecycle_transition transition, second;
    bool inside;
    if (put_in_order(work, item, &transition, &second)) return change_in_order(work, item, &transition, &second, err);
    enum pt_code code = lifecycle_settle_hierarchy(work, item, &inside, err);
    if (code != PT_OK) return code;
    take_master_data(work, item);
    const struct pack_record as_was = item->record;
    transition = decide(work, item);
    lifecycle_for_good(&item->record, &transition);
    if (transition.alert && is_double_scan(work, item)) {
        item->record = as_was;
        transition = (struct lifecycle_transition){
            .to = item->effective.state, .alert = ALERT_DOUBLE_SCAN, .mode = ALERT_SHADOW, .confidence = 5};
    }
    code = raise_what_is_wrong(work, item, &transition, err);
    if (code != PT_OK || transition.alert == ALERT_DOUBLE_SCAN) return code;
    lifecycle_container_flags(work, item);
    if (inside && item->operation == OPERATION_OBSERVE) return PT_OK;  // where it lies, its container says
    if (!inside || transition.to != item->effective.state) item->record.state = transition.to;
    mark_hold(item);
    count_again(work, item, &transition);
    // What is announced after it was received stays with who received it.
    const bool told_after = item->operation == OPERATION_COMMISSION && item->effective.state != LIFECYCLE_UNKNOWN;
    if (!stands(item, &transition) && !told_after) move(work, item);
    return item->operation == OPERATION_PACK ? lifecycle_pack_into_parent(work, item, err) : PT_OK;
}
