#include "tests/rules/walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/epcis/packtrail_terms.h"
#include "tests/rules/model.h"
#include "tests/support/disk_fake.h"

#define GTIN "06901234567892"
#define CONTENT 10
#define STACKING_STEPS (WALK_BOXES * 4)
#define DAY_SECONDS ((int64_t)86400)

static uint64_t draw(struct walk *walk, uint64_t below) { return disk_fake_random(&walk->seed) % below; }

static bool chance(struct walk *walk, unsigned percent) { return draw(walk, 100) < percent; }

// --- The trade ---

static void name_thing(struct walk_thing *thing, unsigned number) {
    struct pack_id id;
    struct pt_buf key = PT_BUF_OVER(thing->key_bytes);
    unsigned sum = 0;
    if (number < WALK_PACKS) {
        snprintf(thing->uri, sizeof thing->uri, "https://id.gs1.org/01/" GTIN "/21/%u", number + 1);
    } else {
        char sscc[19];
        snprintf(sscc, sizeof sscc, "06901234%09u", number);
        for (unsigned i = 0; i < 17; i++) sum += (unsigned)(sscc[i] - '0') * (i % 2 ? 1 : 3);
        snprintf(thing->uri, sizeof thing->uri, "https://id.gs1.org/00/%s%u", sscc, (10 - sum % 10) % 10);
    }
    if (pack_id_from_uri(pt_bytes_str(thing->uri), &id, NULL) != PT_OK || pack_id_key(&id, &key, NULL) != PT_OK) abort();
    thing->key = pt_buf_bytes(&key);
}

void walk_begin(struct walk *walk, const char *profile, uint64_t rule_version, const struct expectations *expected) {
    *walk = (struct walk){.lab = rules_lab_new(profile, rule_version, 0), .china = strcmp(profile, "cn") == 0, .expected = expected};
    walk->maker = rules_lab_enrol(walk->lab, ACTOR_COMPANY, "urn:packtrail:party:maker", NULL);
    for (unsigned i = 0; i < WALK_SITES; i++) {
        char party[64], place[64];
        snprintf(party, sizeof party, "urn:packtrail:party:p%u", i);
        snprintf(place, sizeof place, "urn:packtrail:place:p%u", i);
        walk->sites[i] = rules_lab_enrol(walk->lab, ACTOR_DEVICE, party, place);
    }
    for (unsigned i = 0; i < WALK_THINGS; i++) name_thing(&walk->things[i], i);
    walk->start = rules_lab_save(walk->lab);
}

void walk_end(struct walk *walk) {
    rules_lab_snapshot_free(walk->start);
    rules_lab_free(walk->lab);
}

// --- Looking ---

static unsigned thing_of_name(struct walk *walk, uint64_t name) {
    if (name < WALK_NAMES && walk->names[name]) return walk->names[name] - 1u;
    const struct pt_bytes key = rules_lab_text(walk->lab, name);
    unsigned thing = 0;
    while (thing < WALK_THINGS && !pt_bytes_equal(walk->things[thing].key, key)) thing++;
    if (name < WALK_NAMES) walk->names[name] = (uint8_t)(thing + 1);
    return thing;
}

static bool look_at_one(struct walk *walk, unsigned thing) {
    struct pt_bytes value;
    struct walk_view *view = &walk->after[thing];
    view->known = rules_lab_get(walk->lab, STATE_PACK, walk->things[thing].key, &value);
    if (pt_bytes_equal(value, pt_bytes_of(view->bytes, view->len))) return false;
    view->len = value.len;
    if (value.len > 0) memcpy(view->bytes, value.data, value.len);
    rules_lab_pack_by_key(walk->lab, walk->things[thing].key, &view->record);
    return true;
}

// `after` is as `before` but for what changed.
static void look(struct walk *walk) {
    for (unsigned i = 0; i < WALK_THINGS; i++) walk->changed[i] = look_at_one(walk, i);
    for (unsigned i = 0; i < WALK_THINGS; i++) {
        struct walk_view *view = &walk->after[i];
        const unsigned was = view->parent;
        view->parent = WALK_NOTHING;
        view->emptied = false;
        if (view->record.parent) {
            const unsigned parent = thing_of_name(walk, view->record.parent);
            if (parent == WALK_THINGS) walk_fail(walk, NULL, i, "it lies in something that nobody knows");
            view->emptied = !walk->after[parent].known || walk->after[parent].record.filling != view->record.parent_filling;
            if (!view->emptied) view->parent = parent;
        }
        if (view->parent != was) walk->changed[i] = true;
    }
}

static void forget(struct walk *walk) {
    memset(walk->after, 0, sizeof walk->after);
    memset(walk->names, 0, sizeof walk->names);
    for (unsigned i = 0; i < WALK_THINGS; i++) walk->after[i].parent = WALK_NOTHING;
    memcpy(walk->before, walk->after, sizeof walk->before);
}

// --- Saying ---

struct wording {
    enum lifecycle_operation operation;
    enum epcis_action action;
    const char *step, *disposition;
    unsigned weight;
};

// What is told of things by themselves. Weights keep enough of them alive for the walk to go on.
static const struct wording wordings[] = {
    {OPERATION_OBSERVE, EPCIS_OBSERVE, "cycle_counting", NULL, 4},
    {OPERATION_COMMISSION, EPCIS_ADD, "commissioning", "active", 14},
    {OPERATION_SHIP, EPCIS_OBSERVE, "shipping", "in_transit", 12},
    {OPERATION_VOID_SHIP, EPCIS_OBSERVE, "void_shipping", NULL, 2},
    {OPERATION_RECEIVE, EPCIS_OBSERVE, "receiving", NULL, 12},
    {OPERATION_SEND_BACK, EPCIS_OBSERVE, "shipping", "returned", 2},
    {OPERATION_TAKE_BACK, EPCIS_OBSERVE, "receiving", "returned", 2},
    {OPERATION_DISPENSE, EPCIS_OBSERVE, "dispensing", "dispensed", 5},
    {OPERATION_DISPENSE, EPCIS_OBSERVE, "dispensing", "partially_dispensed", 10},
    {OPERATION_HOLD, EPCIS_OBSERVE, "holding", NULL, 3},
    {OPERATION_RELEASE, EPCIS_OBSERVE, "inspecting", "sellable_accessible", 4},
    {OPERATION_RECALL, EPCIS_OBSERVE, "holding", "recalled", 1},
    {OPERATION_DECOMMISSION, EPCIS_DELETE, "decommissioning", NULL, 1},
    {OPERATION_DESTROY, EPCIS_DELETE, "destroying", NULL, 1},
    {OPERATION_STEAL, EPCIS_OBSERVE, NULL, "stolen", 1},
    {OPERATION_SAMPLE, EPCIS_OBSERVE, "sampling", NULL, 1},
    {OPERATION_EXPORT, EPCIS_OBSERVE, "shipping", PACKTRAIL_DISPOSITION_EXPORTED, 1},
    {OPERATION_CHECK_OUT, EPCIS_OBSERVE, NULL, PACKTRAIL_DISPOSITION_CHECKED_OUT, 1},
    {OPERATION_FREE_SAMPLE, EPCIS_OBSERVE, NULL, PACKTRAIL_DISPOSITION_FREE_SAMPLE, 1},
    {OPERATION_LOCK, EPCIS_OBSERVE, NULL, PACKTRAIL_DISPOSITION_LOCKED, 1},
    {OPERATION_WITHDRAW, EPCIS_OBSERVE, NULL, PACKTRAIL_DISPOSITION_WITHDRAWN, 1},
};
#define WORDINGS (sizeof wordings / sizeof wordings[0])

static const struct wording *draw_wording(struct walk *walk) {
    unsigned all = 0, at = 0;
    for (size_t i = 0; i < WORDINGS; i++) all += wordings[i].weight;
    for (uint64_t left = draw(walk, all); left >= wordings[at].weight; at++) left -= wordings[at].weight;
    return &wordings[at];
}

static unsigned draw_thing(struct walk *walk) { return (unsigned)(chance(walk, 60) ? draw(walk, WALK_PACKS) : draw(walk, WALK_THINGS)); }

static void add_thing(struct walk *walk, struct walk_event *event, unsigned thing) {
    for (size_t i = 0; i < event->named_count; i++)
        if (event->named[i] == thing) return;
    if (thing == event->parent) return;
    event->named[event->named_count] = thing;
    event->say.epcs[event->named_count++] = walk->things[thing].uri;
}

static void draw_object(struct walk *walk, struct walk_event *event) {
    const struct wording *wording = draw_wording(walk);
    event->operation = wording->operation;
    event->say.action = wording->action;
    event->say.step = wording->step;
    event->say.disposition = wording->disposition;
    const uint64_t count = chance(walk, 80) ? 1 : 1 + draw(walk, 3);
    for (uint64_t i = 0; i < count; i++) add_thing(walk, event, draw_thing(walk));
    if (event->operation == OPERATION_COMMISSION) {
        if (chance(walk, 80)) event->say.content = CONTENT;
        event->signer = walk->maker;
    }
    if (event->operation == OPERATION_TAKE_BACK && chance(walk, 30)) event->say.units = 1 + (int64_t)draw(walk, CONTENT);
    if (event->operation == OPERATION_DISPENSE && chance(walk, 80) && event->say.disposition[0] == 'p') event->say.units = (int64_t)draw(walk, CONTENT + 3);
}

static void draw_aggregation(struct walk *walk, struct walk_event *event) {
    event->say.type = EPCIS_AGGREGATION;
    const bool stacking = walk->deep && walk->step < STACKING_STEPS;
    event->parent = (unsigned)(WALK_PACKS + draw(walk, WALK_BOXES));
    switch (stacking ? 0 : draw(walk, 5)) {
    case 0:
    case 1:
        event->say.action = EPCIS_ADD;
        event->say.step = "packing";
        event->parent_operation = OPERATION_FILL;
        event->operation = OPERATION_PACK;
        // Deep stacks need intent.
        if (stacking) {
            event->parent = (unsigned)(WALK_PACKS + 1 + walk->step / 3 % (WALK_BOXES - 1));
            add_thing(walk, event, event->parent - 1);
        } else if (chance(walk, 50) && event->parent > WALK_PACKS) add_thing(walk, event, event->parent - 1);
        else add_thing(walk, event, draw_thing(walk));
        if (chance(walk, 30)) add_thing(walk, event, (unsigned)draw(walk, WALK_PACKS));
        break;
    case 2:
        event->say.action = EPCIS_DELETE;
        event->say.step = "unpacking";
        event->parent_operation = OPERATION_EMPTY;
        event->operation = OPERATION_UNPACK;
        for (unsigned i = 0; i < WALK_THINGS && event->named_count == 0; i++)
            if (walk->before[i].parent == event->parent && chance(walk, 60)) add_thing(walk, event, i);
        if (chance(walk, 10)) add_thing(walk, event, draw_thing(walk));
        break;
    default:
        event->say.action = EPCIS_OBSERVE;
        event->say.step = chance(walk, 50) ? "shipping" : "receiving";
        event->parent_operation = event->say.step[0] == 's' ? OPERATION_SHIP : OPERATION_RECEIVE;
        event->operation = OPERATION_OBSERVE;
        add_thing(walk, event, draw_thing(walk));
        break;
    }
    event->say.parent = walk->things[event->parent].uri;
}

static void draw_time(struct walk *walk, struct walk_event *event) {
    walk->now += (int64_t)draw(walk, 3 * 3600);
    if (chance(walk, 2)) walk->now += (int64_t)draw(walk, 14) * DAY_SECONDS;
    event->say.seconds = walk->now;
    if (chance(walk, 10)) event->say.seconds -= (int64_t)draw(walk, 8 * (uint64_t)DAY_SECONDS);
}

#define PAST 8u

struct walk_past {
    struct walk_event events[PAST];
    char ids[PAST][48];
    uint64_t count;
};

// Some events bear an ID; corrections name it, or know the event by its time, place and kind.
static void remember(struct walk *walk, const struct walk_event *event) {
    const size_t at = walk->past->count++ % PAST;
    walk->past->events[at] = *event;
    if (event->say.event_id) snprintf(walk->past->ids[at], sizeof walk->past->ids[at], "%s", event->say.event_id);
}

static void declare_in_error(struct walk *walk, struct walk_event *event) {
    const uint64_t back = draw(walk, PAST);
    if (walk->past->count <= back) return;
    const size_t at = (walk->past->count - 1 - back) % PAST;
    *event = walk->past->events[at];
    if (event->say.event_id) event->say.event_id = walk->past->ids[at];
    for (size_t i = 0; i < event->named_count; i++) event->say.epcs[i] = walk->things[event->named[i]].uri;
    event->say.error = event->correction = true;
    if (chance(walk, 10)) event->signer = walk->sites[draw(walk, WALK_SITES)];
    if (chance(walk, 5)) event->say.seconds++;
}

// The keys are known here: reading them out of the URIs again a hundred million times would prove nothing.
static enum statement_result tell(struct walk *walk, const struct walk_event *event) {
    struct event_pack packs[5];
    struct say_memory memory;
    const struct epcis_event epcis = rules_event_of(&event->say, &memory);
    struct contract_input input = {.kind = KIND_EVENT, .event = &epcis, .packs = packs};
    if (event->parent != WALK_NOTHING) packs[input.pack_count++] = (struct event_pack){walk->things[event->parent].key, PACK_ROLE_PARENT};
    for (size_t i = 0; i < event->named_count; i++)
        packs[input.pack_count++] = (struct event_pack){walk->things[event->named[i]].key, event->parent == WALK_NOTHING ? PACK_ROLE_OBJECT : PACK_ROLE_CHILD};
    return rules_lab_apply(walk->lab, event->signer, &input);
}

static void one_step(struct walk *walk, struct model *model) {
    char id[48];
    struct walk_event event = {.parent = WALK_NOTHING, .signer = walk->sites[draw(walk, WALK_SITES)]};
    if (chance(walk, walk->deep && walk->step < STACKING_STEPS ? 5 : 65)) draw_object(walk, &event);
    else draw_aggregation(walk, &event);
    draw_time(walk, &event);
    if (chance(walk, 30)) {
        snprintf(id, sizeof id, "urn:uuid:00000000-0000-4000-8000-%012llu", (unsigned long long)walk->step);
        event.say.event_id = id;
    }
    if (chance(walk, 8)) declare_in_error(walk, &event);
    walk->lab->chain_time = RULES_LAB_START + walk->now * 1000;
    const enum statement_result result = tell(walk, &event);
    look(walk);
    if (walk->trace) walk_fail(walk, &event, WALK_NOTHING, "result %d, %zu alerts", result, walk->lab->output.alert_count);
    model_check(model, walk, &event, result);
    if (!event.correction) remember(walk, &event);
    for (unsigned i = 0; i < WALK_THINGS; i++)
        if (walk->changed[i]) walk->before[i] = walk->after[i];
}

void walk_episode(struct walk *walk, uint64_t seed, uint64_t steps) {
    struct model model = {0};
    struct walk_past past = {.count = 0};
    walk->past = &past;
    rules_lab_restore(walk->lab, walk->start);
    walk->lab->forget_alerts = true;
    walk->episode = walk->seed = seed;
    walk->now = 0;
    walk->deep = seed % 16 == 0;
    forget(walk);
    for (walk->step = 0; walk->step < steps; walk->step++) one_step(walk, &model);
}

static void tell_event(const struct walk_event *event) {
    fprintf(stderr, "  %s by %s at %lld, %s %s, units %lld, content %lld%s", lifecycle_operation_name(event->operation), event->signer->party,
            (long long)event->say.seconds, event->say.step ? event->say.step : "-", event->say.disposition ? event->say.disposition : "-",
            (long long)event->say.units, (long long)event->say.content, event->say.error ? ", in error" : "");
    if (event->parent != WALK_NOTHING) fprintf(stderr, "; container %u", event->parent);
    for (size_t i = 0; i < event->named_count; i++) fprintf(stderr, "; thing %u", event->named[i]);
    fprintf(stderr, "\n");
}

static void tell_view(const char *when, const struct walk_view *view) {
    const struct pack_record *record = &view->record;
    fprintf(stderr, "  %s: %s, flags %x, content %llu, place %llu, time %lld, in %d\n", when, lifecycle_state_name(record->state), record->flags,
            (unsigned long long)record->content, (unsigned long long)record->place, (long long)(record->event_seconds ? record->event_seconds - RULES_LAB_START / 1000 : 0),
            view->parent == WALK_NOTHING ? -1 : (int)view->parent);
}

void walk_fail(const struct walk *walk, const struct walk_event *event, unsigned thing, const char *format, ...) {
    va_list args;
    fprintf(stderr, "%s, seed %llu, step %llu: ", walk->lab->profile, (unsigned long long)walk->episode, (unsigned long long)walk->step);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\n");
    if (event) tell_event(event);
    for (size_t i = 0; i < walk->lab->output.alert_count; i++) {
        const struct alert_record *alert = &walk->lab->output.alerts[i];
        fprintf(stderr, "  alert %s, mode %d: %s\n", alert_kind_name(alert->kind), alert->mode, alert->detail);
    }
    if (thing == WALK_NOTHING) return;
    fprintf(stderr, "  thing %u\n", thing);
    tell_view("before", &walk->before[thing]);
    tell_view("after", &walk->after[thing]);
    fprintf(stderr, "  see it again: PACKTRAIL_RULES_SEED=%llu (every step is told)\n", (unsigned long long)walk->episode);
    abort();
}
