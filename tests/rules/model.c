#include "tests/rules/model.h"

#include <string.h>

#define STATE_SET(state) (1u << (state))
#define SALEABLE (STATE_SET(LIFECYCLE_COMMISSIONED) | STATE_SET(LIFECYCLE_IN_STOCK) | STATE_SET(LIFECYCLE_IN_TRANSIT))
#define GOODS (SALEABLE | STATE_SET(LIFECYCLE_PART_DISPENSED))
#define CALLED_BACK (STATE_SET(LIFECYCLE_RECALLED) | STATE_SET(LIFECYCLE_WITHDRAWN))
#define OVER (STATE_SET(LIFECYCLE_DECOMMISSIONED) | STATE_SET(LIFECYCLE_DESTROYED) | STATE_SET(LIFECYCLE_STOLEN))
#define ALERT_SET(kind) (1u << (kind))

// One event on one thing that it names.
struct turn {
    struct model_thing *memory;
    struct walk *walk;
    const struct walk_event *event;
    unsigned thing;
    enum lifecycle_operation operation;
    const struct walk_view *before, *after;
    enum lifecycle_state from;  // effective, as the event finds it
    uint32_t alerts;            // kinds that were raised about it
    bool older;                 // than what is known
};

static bool in(uint32_t set, enum lifecycle_state state) { return (set & STATE_SET(state)) != 0; }

#define FAIL(...) walk_fail(turn->walk, turn->event, turn->thing, __VA_ARGS__)

// --- Where a thing is and what counts for it, from outside in ---

struct standing {
    enum lifecycle_state state;
    uint64_t place, party;
    int64_t time;  // of the last event that changed it, or moved what it lies in
    bool inferred;
};

// A container that is blocked blocks the goods in it; one that only was packed, opened or sold says nothing of them.
static bool blocks(enum lifecycle_state state) {
    return in(CALLED_BACK, state) || state == LIFECYCLE_QUARANTINED || state == LIFECYCLE_LOCKED || state == LIFECYCLE_DESTROYED ||
           state == LIFECYCLE_STOLEN || state == LIFECYCLE_EXPORTED || state == LIFECYCLE_CHECKED_OUT;
}

static bool travelled(enum lifecycle_state state) { return state == LIFECYCLE_IN_STOCK || state == LIFECYCLE_IN_TRANSIT; }

static unsigned depth_of(const struct walk_view *views, unsigned thing) {
    unsigned depth = 0;
    for (unsigned at = views[thing].parent; at != WALK_NOTHING && depth <= WALK_THINGS; at = views[at].parent) depth++;
    return depth;
}

static unsigned outward(const struct walk_view *views, unsigned thing, unsigned levels) {
    while (levels-- > 0) thing = views[thing].parent;
    return thing;
}

// Goods are where the outermost container is that travelled, and in its state, unless a nearer one is blocked.
static struct standing standing_of(const struct walk_view *views, unsigned thing) {
    const struct pack_record *own = &views[thing].record;
    const unsigned all = depth_of(views, thing), depth = all < HIERARCHY_MAX ? all : HIERARCHY_MAX;
    struct standing out = {own->state, own->place, own->party, own->event_seconds, depth > 0};
    bool blocked = !in(SALEABLE, own->state), placed = false, owned = false, moved = false;
    for (unsigned level = 1; level <= depth && !blocked; level++) {
        const enum lifecycle_state state = views[outward(views, thing, level)].record.state;
        if (!blocks(state)) continue;
        out.state = state;
        blocked = true;
    }
    for (unsigned level = depth; level > 0; level--) {
        const struct pack_record *box = &views[outward(views, thing, level)].record;
        if (!travelled(box->state)) continue;
        if (!blocked && !moved) out.state = box->state;
        moved = true;
        if (box->event_seconds > out.time) out.time = box->event_seconds;
        if (!placed && box->place) out.place = box->place;
        placed = placed || box->place;
        if (!owned && box->party) out.party = box->party;
        owned = owned || box->party;
    }
    return out;
}

static void check_standing(struct walk *walk, const struct walk_event *event, unsigned thing) {
    if (!walk->after[thing].known) return;
    const struct standing wanted = standing_of(walk->after, thing);
    const struct effective got = rules_lab_effective_by_key(walk->lab, walk->things[thing].key, NULL);
    if (got.state != wanted.state || got.place != wanted.place || got.party != wanted.party || got.inferred != wanted.inferred)
        walk_fail(walk, event, thing, "I8: it counts as %s at %llu of %llu; worked out: %s at %llu of %llu", lifecycle_state_name(got.state),
                  (unsigned long long)got.place, (unsigned long long)got.party, lifecycle_state_name(wanted.state),
                  (unsigned long long)wanted.place, (unsigned long long)wanted.party);
    if (walk->after[thing].emptied && !got.unconfirmed) walk_fail(walk, event, thing, "I8: what it lay in was emptied, and that is not said");
    if (depth_of(walk->after, thing) > HIERARCHY_MAX && !got.unconfirmed) walk_fail(walk, event, thing, "I7: too deep to be read, and that is not said");
}

// --- What is true of every statement ---

static void check_alerts(struct walk *walk, const struct walk_event *event, enum statement_result result) {
    const struct contract_output *output = &walk->lab->output;
    const uint64_t leaf = walk->lab->statements - 1;
    if ((result == RESULT_ALERTED) != (output->alert_count > 0)) walk_fail(walk, event, WALK_NOTHING - 1, "I9: result %d with %zu alerts", result, output->alert_count);
    for (size_t i = 0; i < output->alert_count; i++) {
        const struct alert_record *alert = &output->alerts[i];
        bool good = alert->evidence_count > 0 && alert->evidence[0] == leaf && alert->confidence > 0 && alert->confidence <= 100 && alert->detail[0];
        for (size_t k = 1; k < alert->evidence_count; k++) good = good && alert->evidence[k] < leaf;
        if (!good) walk_fail(walk, event, WALK_NOTHING - 1, "I9: an alert of %s has wrong evidence", alert_kind_name(alert->kind));
    }
}

static bool same_bytes(const struct walk_view *a, const struct walk_view *b) {
    return pt_bytes_equal(pt_bytes_of(a->bytes, a->len), pt_bytes_of(b->bytes, b->len));
}

static bool is_named(const struct walk_event *event, unsigned thing) {
    bool named = thing == event->parent;
    for (size_t i = 0; i < event->named_count; i++) named = named || event->named[i] == thing;
    return named;
}

// The container that something was taken out of remembers that it was opened, and nothing else.
static bool only_opened(const struct walk *walk, const struct walk_event *event, unsigned thing) {
    struct pack_record wanted = walk->before[thing].record;
    uint8_t bytes[PACK_RECORD_MAX];
    struct pt_buf buffer = PT_BUF_OVER(bytes);
    bool taken = false;
    for (unsigned i = 0; i < WALK_THINGS; i++) taken = taken || (is_named(event, i) && walk->before[i].parent == thing && walk->after[i].parent != thing);
    wanted.flags |= PACK_FLAG_OPENED;
    pack_record_encode(&wanted, &buffer);
    return taken && pt_bytes_equal(pt_buf_bytes(&buffer), pt_bytes_of(walk->after[thing].bytes, walk->after[thing].len));
}

static void check_others(struct walk *walk, const struct walk_event *event) {
    for (unsigned i = 0; i < WALK_THINGS; i++) {
        if (is_named(event, i)) {
            if (!walk->after[i].known || walk->after[i].record.last != walk->lab->statements) walk_fail(walk, event, i, "I10: it is named and does not show it");
        } else if (!same_bytes(&walk->before[i], &walk->after[i]) && !only_opened(walk, event, i)) {
            walk_fail(walk, event, i, "I10: nobody named it");
        }
        const unsigned depth = depth_of(walk->after, i);
        if (depth > WALK_BOXES) walk_fail(walk, event, i, "I7: it lies in itself");
        if (depth > walk->deepest) walk->deepest = depth;
    }
}

// --- One thing's turn ---

static uint32_t alerts_about(const struct walk *walk, unsigned thing, bool *accused) {
    uint32_t set = 0;
    for (size_t i = 0; i < walk->lab->output.alert_count; i++) {
        const struct alert_record *alert = &walk->lab->output.alerts[i];
        if (!pt_bytes_equal(alert->pack, walk->things[thing].key)) continue;
        set |= ALERT_SET(alert->kind);
        if (alert->mode == ALERT_ENFORCE) *accused = true;
    }
    return set;
}

static bool is_move(enum lifecycle_operation operation) {
    switch (operation) {
    case OPERATION_OBSERVE:
    case OPERATION_PACK:
    case OPERATION_UNPACK:
    case OPERATION_SHIP:
    case OPERATION_VOID_SHIP:
    case OPERATION_RECEIVE:
    case OPERATION_HOLD:
    case OPERATION_RELEASE: return true;
    default: return false;
    }
}

static void check_late(const struct turn *turn, bool accused) {
    const struct pack_record *before = &turn->before->record, *after = &turn->after->record;
    turn->walk->late++;
    if (after->state != before->state || after->used != before->used || after->content != before->content || after->place != before->place ||
        after->party != before->party || after->parent != before->parent || after->event_seconds != before->event_seconds)
        FAIL("I11: a late %s changed it", lifecycle_operation_name(turn->operation));
    if (accused) FAIL("I11: a late %s accuses", lifecycle_operation_name(turn->operation));
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

static bool says_part(const struct turn *turn) { return turn->event->say.units > 0 || turn->event->say.disposition[0] == 'p'; }

// Where parts are counted; elsewhere opening ends the pack.
static bool is_part(const struct turn *turn) { return turn->walk->china && says_part(turn); }

// What went to the public; true if it is more than the pack held.
static bool supply(const struct turn *turn) {
    const int64_t content = (int64_t)turn->after->record.content;
    int64_t *supplied = &turn->memory->supplied;
    if (says_part(turn) && (turn->after->record.state == LIFECYCLE_DISPENSED || turn->after->record.state == LIFECYCLE_PART_DISPENSED))
        turn->memory->broached = true;
    if (!in(GOODS, turn->from)) {
        if (turn->after->record.state == LIFECYCLE_DISPENSED && content > 0) *supplied = content;
        return false;  // the state before is alert enough
    }
    if (is_part(turn)) {
        *supplied += turn->event->say.units;
    } else if (content > 0) {
        *supplied += content;
    }
    const bool beyond = content > 0 && *supplied > content;
    if (beyond) *supplied = content;
    return beyond;
}

static void check_quantity(const struct turn *turn, bool beyond) {
    const struct pack_record *after = &turn->after->record;
    const int64_t content = (int64_t)after->content, left = (int64_t)pack_record_left(after);
    if (left < 0 || left > content) FAIL("I4: %lld left of %lld", (long long)left, (long long)content);
    // The content became known only after more was supplied: the next supply tells.
    if (content > 0 && turn->memory->supplied > content) turn->memory->supplied = content;
    const int64_t rest = content > turn->memory->supplied ? content - turn->memory->supplied : 0;
    if (content > 0 && left != rest) FAIL("I4: %lld left; supplied %lld of %lld", (long long)left, (long long)turn->memory->supplied, (long long)content);
    if (beyond && !(turn->alerts & ALERT_SET(ALERT_DOUBLE_DISPENSE))) FAIL("I5: more than it holds, and no alert");
    if (turn->operation == OPERATION_DISPENSE && in(GOODS, turn->from) && !beyond && (turn->alerts & ALERT_SET(ALERT_DOUBLE_DISPENSE)))
        FAIL("I5: a lawful supply is taken for a double one");
    const bool broached = turn->memory->broached || (turn->memory->supplied > 0 && content > 0);
    if (in(SALEABLE, after->state) && broached) FAIL("I6: a broached pack is %s", lifecycle_state_name(after->state));
}

static void check_for_good(const struct turn *turn) {
    const enum lifecycle_state was = turn->before->record.state, is = turn->after->record.state;
    const bool brought = turn->operation == OPERATION_TAKE_BACK || turn->operation == OPERATION_SEND_BACK;
    if (in(OVER, was) && !in(OVER, is)) FAIL("I1: it was over");
    if (turn->memory->came_back && in(GOODS, is)) FAIL("I2: a patient brought it back");
    if (brought && is == LIFECYCLE_RETURNED && (turn->from == LIFECYCLE_DISPENSED || turn->from == LIFECYCLE_PART_DISPENSED)) turn->memory->came_back = true;
    if (turn->memory->called_back && in(GOODS, is) && !in(GOODS, was)) FAIL("I3: it was called back");
    // By itself, or with its container when anything happens to it there; its maker's first announcement is nothing that happens.
    const bool touched = turn->operation != OPERATION_COMMISSION || (turn->before->record.flags & PACK_FLAG_ANNOUNCED);
    if (in(CALLED_BACK, is) || (touched && in(CALLED_BACK, turn->from))) turn->memory->called_back = true;
    if (turn->operation == OPERATION_COMMISSION) turn->memory->commissioned = true;
    if (turn->operation == OPERATION_COMMISSION || turn->operation == OPERATION_FILL) turn->memory->announced = true;
    if (!turn->memory->announced && in(GOODS, is)) FAIL("I3: nobody announced it");
}

// An end of trade that comes late may be put before what followed it: where both lead, one after the other.
static uint32_t put_in_order(const struct turn *turn) {
    struct pack_record earlier;
    uint32_t to = 0;
    if (!turn->older || !ends_trade(turn->operation) || turn->before->parent != WALK_NOTHING || !pack_record_before(&turn->before->record, &earlier)) return 0;
    const uint32_t first = turn->walk->expected->pairs[turn->operation][earlier.state].to;
    for (unsigned state = 0; state < LIFECYCLE_STATES; state++)
        if (first & STATE_SET(state)) to |= turn->walk->expected->pairs[turn->before->record.operation][state].to;
    return to;
}

// What expectations.txt cannot say, because it depends on more than the pair.
static struct expected_pair refine(const struct turn *turn, bool first_word) {
    struct expected_pair pair = turn->walk->expected->pairs[turn->operation][turn->from];
    const uint32_t same = STATE_SET(turn->from);
    if (turn->operation == OPERATION_DISPENSE && in(GOODS, turn->from)) {
        if (is_part(turn)) pair.to |= STATE_SET(LIFECYCLE_PART_DISPENSED);
        pair.may_alert |= ALERT_SET(ALERT_DOUBLE_DISPENSE);  // I5 says when
    }
    if (turn->operation == OPERATION_TAKE_BACK && turn->event->say.units > 0) {  // some of it came back, or more than was out
        pair.to |= same;
        pair.may_alert |= ALERT_SET(ALERT_OUT_OF_ORDER);
    }
    const uint32_t ordered = put_in_order(turn);
    if (ordered) pair = (struct expected_pair){.to = pair.to | ordered, .may_alert = UINT32_MAX};
    if (first_word) {  // its maker's data, come at last, release what waited for them
        pair = (struct expected_pair){.to = turn->from == LIFECYCLE_UNKNOWN ? STATE_SET(LIFECYCLE_COMMISSIONED) : same};
        if (turn->from == LIFECYCLE_QUARANTINED) pair.to |= STATE_SET(LIFECYCLE_IN_STOCK) | STATE_SET(LIFECYCLE_IN_TRANSIT);
    }
    if ((pair.to & GOODS) || in(GOODS, turn->before->record.state)) {  // I2, I3, I6: what it was does not let go
        if (turn->memory->came_back) pair.to |= STATE_SET(LIFECYCLE_RETURNED);
        if (turn->memory->called_back) pair.to |= CALLED_BACK;
        if (turn->memory->supplied > 0 || turn->memory->broached) pair.to |= STATE_SET(LIFECYCLE_PART_DISPENSED);
        if (!turn->memory->announced) pair.to |= STATE_SET(LIFECYCLE_QUARANTINED);
    }
    if (!first_word && !turn->memory->announced && turn->before->known) {
        pair.may_alert |= pair.must_alert | ALERT_SET(ALERT_UNKNOWN_SERIAL) | ALERT_SET(ALERT_PRODUCT_WITHOUT_DATA);
        if (pair.must_alert) pair.must_alert = pair.may_alert;
        pair.to |= same;
    }
    return pair;
}

static void check_pair(const struct turn *turn, bool first_word) {
    const struct expected_pair pair = refine(turn, first_word);
    const enum lifecycle_state is = turn->after->record.state;
    // Inside a container it goes on to say nothing of its own.
    const bool silent = turn->after->parent != WALK_NOTHING && is == turn->before->record.state && in(pair.to, turn->from);
    const uint32_t all = turn->walk->expected->kinds;
    if (!in(pair.to, is) && !silent)
        FAIL("I12: %s of what counts as %s must not make it %s", lifecycle_operation_name(turn->operation), lifecycle_state_name(turn->from), lifecycle_state_name(is));
    if (pair.must_alert && !(turn->alerts & pair.must_alert))
        FAIL("I12: %s of what counts as %s is not told", lifecycle_operation_name(turn->operation), lifecycle_state_name(turn->from));
    if (turn->alerts & all & ~(pair.must_alert | pair.may_alert))
        FAIL("I12: %s of what counts as %s accuses without a reason", lifecycle_operation_name(turn->operation), lifecycle_state_name(turn->from));
}

// --- Corrections ---

// What is known of a thing goes back with what is taken back.
static void forget(const struct turn *turn) {
    const struct pack_record *after = &turn->after->record;
    struct model_thing *memory = turn->memory;
    const uint64_t used = after->content > 0 && after->used > after->content ? after->content : after->used;
    // Without a content nothing caps what was supplied, as it did while the content was known.
    if (after->content > 0 && (int64_t)used > memory->supplied) FAIL("I4: taking back supplies");
    memory->supplied = (int64_t)used;
    if (after->used == 0 && !(after->flags & PACK_FLAG_BROACHED)) memory->broached = false;
    memory->commissioned = (after->flags & PACK_FLAG_ANNOUNCED) != 0;
    memory->announced = memory->commissioned || (memory->announced && after->state != LIFECYCLE_UNKNOWN && !(after->flags & PACK_FLAG_NO_DATA));
}

// The event did not happen: nothing is as it would not have been, or was before. Which of the two depends on what followed
// it, and on the rules of undoing.
static void check_correction(const struct turn *turn) {
    const struct pack_record *before = &turn->before->record, *after = &turn->after->record;
    struct pack_record earlier;
    uint32_t allowed = STATE_SET(before->state);
    turn->walk->corrected++;
    if (pack_record_before(before, &earlier)) allowed |= STATE_SET(earlier.state);
    if (turn->operation == OPERATION_DISPENSE && in(STATE_SET(LIFECYCLE_DISPENSED) | STATE_SET(LIFECYCLE_PART_DISPENSED), before->state))
        allowed |= STATE_SET(LIFECYCLE_PART_DISPENSED) | STATE_SET(LIFECYCLE_IN_STOCK);
    if (turn->operation == OPERATION_COMMISSION) allowed |= STATE_SET(LIFECYCLE_QUARANTINED);
    const enum lifecycle_operation back = turn->operation == OPERATION_SHIP ? OPERATION_VOID_SHIP : OPERATION_UNDO;
    const bool made = turn->walk->expected->pairs[turn->operation][LIFECYCLE_IN_STOCK].to & STATE_SET(turn->from);  // by such an event
    const bool fits = back != OPERATION_UNDO || made || turn->from == LIFECYCLE_PART_DISPENSED || turn->from == LIFECYCLE_UNKNOWN;
    if (!turn->event->say.event_id && fits) allowed |= turn->walk->expected->pairs[back][turn->from].to;
    if (turn->memory->came_back) allowed |= STATE_SET(LIFECYCLE_RETURNED);
    if (turn->memory->broached || turn->memory->supplied > 0) allowed |= STATE_SET(LIFECYCLE_PART_DISPENSED);
    if (turn->memory->called_back) allowed |= CALLED_BACK;
    if (!turn->memory->announced) allowed |= STATE_SET(LIFECYCLE_QUARANTINED);
    if (!in(allowed, after->state)) FAIL("I12: a correction makes it %s", lifecycle_state_name(after->state));
    forget(turn);
    check_quantity(turn, false);
    if (in(OVER, before->state) && !in(OVER, after->state)) FAIL("I1: it was over");
    if (turn->memory->came_back && in(GOODS, after->state)) FAIL("I2: a patient brought it back");
    if (!turn->memory->announced && in(GOODS, after->state)) FAIL("I3: nobody announced it");
    if (turn->memory->called_back && in(GOODS, after->state) && !in(GOODS, before->state) && in(GOODS, standing_of(turn->walk->after, turn->thing).state))
        FAIL("I3: it was called back");
}

static bool is_double_scan(const struct turn *turn) {
    const struct pack_record *before = &turn->before->record, *after = &turn->after->record;
    if (!(turn->alerts & ALERT_SET(ALERT_DOUBLE_SCAN))) return false;
    const bool moved = after->state != before->state && after->state != turn->from;  // out of its container, perhaps
    if (moved || after->used != before->used || after->content < before->content) FAIL("I12: a double scan changed it");
    return true;
}

// What comes late may be put before what followed it, which then decided what became of it: it takes nothing back, and what
// it counted for is believed.
static bool settle_supply(const struct turn *turn) {
    const int64_t used = (int64_t)turn->after->record.used;
    if (!put_in_order(turn)) return turn->operation == OPERATION_DISPENSE && supply(turn);
    if (used < (int64_t)turn->before->record.used) FAIL("I4: a late event gives back");
    if (turn->operation == OPERATION_DISPENSE && (is_part(turn) || turn->before->record.used > 0)) return supply(turn);
    turn->memory->supplied = used;
    return false;
}

// Older than what is known of it, unless that is told by a clock that is ahead of everybody's.
static bool is_older(const struct walk *walk, const struct walk_event *event, const struct standing *found) {
    const int64_t when = RULES_LAB_START / 1000 + event->say.seconds;
    return found->time != 0 && when < found->time && found->time <= walk->lab->chain_time / 1000 + 86400;
}

static void check_turn(struct model *model, struct walk *walk, const struct walk_event *event, unsigned thing, struct standing found) {
    bool accused = false;
    const struct walk_view *before = &walk->before[thing], *after = &walk->after[thing];
    const struct turn turn = {.memory = &model->things[thing], .walk = walk, .event = event, .thing = thing,
                              .operation = thing == event->parent ? event->parent_operation : event->operation,
                              .before = before, .after = after, .from = found.state,
                              .older = is_older(walk, event, &found), .alerts = alerts_about(walk, thing, &accused)};
    const bool filled = turn.operation == OPERATION_FILL && thing >= WALK_PACKS && before->known && (before->record.flags & PACK_FLAG_NO_DATA);
    const bool first_word = (turn.operation == OPERATION_COMMISSION && !turn.memory->commissioned) || filled;
    walk->reached[after->record.state]++;
    if (event->correction) {
        check_correction(&turn);
    } else if (turn.older && is_move(turn.operation)) {
        check_late(&turn, accused);
    } else if (!is_double_scan(&turn)) {
        check_quantity(&turn, settle_supply(&turn));
        check_pair(&turn, first_word);
        check_for_good(&turn);
        if (filled) turn.memory->commissioned = true;
    }
}

void model_check(struct model *model, struct walk *walk, const struct walk_event *event, enum statement_result result) {
    check_alerts(walk, event, result);
    if (result != RESULT_APPLIED && result != RESULT_ALERTED) {
        walk->refused++;
        for (unsigned i = 0; i < WALK_THINGS; i++)
            if (!same_bytes(&walk->before[i], &walk->after[i])) walk_fail(walk, event, i, "a refused statement changed it");
        return;
    }
    walk->alerted += result == RESULT_ALERTED;
    check_others(walk, event);
    // One after the other: each is found as those before it were left.
    static struct walk_view memory[WALK_THINGS];
    struct walk_view *views = walk->before;
    if (event->named_count + (event->parent != WALK_NOTHING) > 1) views = memcpy(memory, walk->before, sizeof memory);
    if (event->parent != WALK_NOTHING) {
        check_turn(model, walk, event, event->parent, standing_of(views, event->parent));
        if (views == memory) views[event->parent] = walk->after[event->parent];
    }
    for (size_t i = 0; i < event->named_count; i++) {
        const unsigned thing = event->named[i];
        check_turn(model, walk, event, thing, standing_of(views, thing));
        if (views == memory) views[thing] = walk->after[thing];
    }
    for (unsigned i = 0; i < WALK_THINGS; i++)
        if (is_named(event, i) || (walk->step + i) % 8 == 0) check_standing(walk, event, i);
}
