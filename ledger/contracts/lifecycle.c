#include "ledger/contracts/lifecycle.h"

#include <stdio.h>
#include <string.h>

#include "ledger/contracts/detectors.h"
#include "ledger/contracts/recall_look.h"

#define ALERTS_MAX_COUNTED 255u
#define DETECTORS_FROM 2u  // rule version
#define FEED_RECALL 4u           // enum wire_feed_kind
#define FEED_SHIPPING_NOTICE 5u

// One event under way.
struct work {
    struct state_view *view;
    const struct contract_input *input;
    const struct contract_context *context;
    struct contract_output *output;
    struct lifecycle_facts facts;
    enum lifecycle_operation operations[PACK_ROLE_OUTPUT + 1];  // by role
    uint64_t place, party, lot, awaited;  // names; 0: none
    struct sighting_place here;           // the event's place
    struct place_facts here_facts, there_facts;
    struct sighting_place there;          // place of the sighting before, of the pack that was looked at last
    struct product_memo products;
    struct detector_sink detectors;
    struct recall_lists recalls;          // of the event's products, in force
    struct item *looked_at;               // by the detectors
    struct hierarchy parent;     // of an aggregation: the container and what it lies in
    uint64_t parent_name;
    uint64_t asked_container;    // last container that was looked for among the event's packs …
    bool container_is_named;     // … and whether it is there
};

// One pack under way.
struct item {
    struct pt_bytes key;
    enum pack_role role;
    enum lifecycle_operation operation;
    struct hierarchy around;
    struct effective effective;
    struct pack_record record;
    const struct product_facts *product;  // NULL: not known
    bool late;
};

static void declare(const struct contract_input *input, const struct contract_context *context, struct access_list *out) {
    static const uint8_t places[1] = {MASTER_PLACE};
    for (size_t i = 0; i < input->pack_count; i++) packs_declare(input->packs[i].key, true, out);
    packs_declare_products(input->packs, input->pack_count, out);
    // The place of a pack's sighting before is known only once the pack is read.
    access_declare(out, STATE_FACTS, ACCESS_READ | ACCESS_PREFIX, pt_bytes_of(places, 1));
    if (context->rule_version < DETECTORS_FROM) return;
    recall_declare_packs(input, out);
    detectors_declare(input, context, out);
}

static enum pt_code raise(struct work *work, struct item *item, const struct lifecycle_transition *why, const char *detail,
                          struct pt_error *err) {
    struct alert_record alert = {
        .kind = why->alert,
        .mode = why->mode,
        .confidence = why->confidence,
        .pack = item->key,
        .evidence = {work->context->leaf_index},
        .evidence_count = 1,
        .event_time = pt_instant_millis(&work->input->event->event_time),
    };
    if (item->record.last > 0 && item->record.last - 1 != work->context->leaf_index)
        alert.evidence[alert.evidence_count++] = item->record.last - 1;
    if (detail)
        snprintf(alert.detail, sizeof alert.detail, "%s", detail);
    else
        snprintf(alert.detail, sizeof alert.detail, "%s of a pack that is %s", lifecycle_operation_name(item->operation),
                 lifecycle_state_name(item->effective.state));
    if (item->record.alerts < ALERTS_MAX_COUNTED) item->record.alerts++;
    return contract_raise(work->context, work->output, &alert, err);
}

static enum pt_code raise_kind(struct work *work, struct item *item, enum alert_kind kind, enum alert_mode mode, unsigned confidence,
                               struct pt_error *err) {
    const struct lifecycle_transition why = {.alert = kind, .mode = mode, .confidence = confidence};
    return raise(work, item, &why, NULL, err);
}

// Whether the container that the pack lies in is a subject of the same event: then the pack does not leave it.
static bool container_is_named(struct work *work, const struct item *item) {
    if (work->asked_container == item->record.parent) return work->container_is_named;
    work->asked_container = item->record.parent;
    work->container_is_named = false;
    for (size_t i = 0; i < work->input->pack_count && !work->container_is_named; i++)
        work->container_is_named = pt_bytes_equal(work->input->packs[i].key, item->around.levels[1].key);
    return work->container_is_named;
}

static enum pt_code mark_opened(struct work *work, struct hierarchy_level *container, struct pt_error *err) {
    if (container->record.flags & PACK_FLAG_OPENED) return PT_OK;
    container->record.flags |= PACK_FLAG_OPENED;
    return packs_write(work->view, container->key, &container->record, err);
}

// The pack leaves its container: from here on its own record says what it had through the container.
static void leave(struct item *item) {
    item->record.state = item->effective.state;
    item->record.place = item->effective.place;
    item->record.party = item->effective.party;
    item->record.parent = 0;
    item->record.parent_filling = 0;
}

// What the event says about where the pack lies.
static enum pt_code settle_hierarchy(struct work *work, struct item *item, bool *inside, struct pt_error *err) {
    const bool was_inside = item->around.count > 1;
    const bool same_parent = was_inside && item->record.parent == work->parent_name;
    *inside = false;
    if (!was_inside) {
        item->record.parent = item->record.parent_filling = 0;
        return PT_OK;
    }
    if (item->operation == OPERATION_PACK) {
        *inside = same_parent;
        if (same_parent) return PT_OK;
    } else if (!lifecycle_operation_parts(item->operation) || (item->operation != OPERATION_UNPACK && container_is_named(work, item))) {
        *inside = true;
        return PT_OK;
    }
    enum pt_code code = PT_OK;
    const bool elsewhere = item->operation == OPERATION_RECEIVE && item->effective.state == LIFECYCLE_IN_STOCK &&
                           item->effective.place && work->place && item->effective.place != work->place;
    if (item->operation == OPERATION_PACK || (item->operation == OPERATION_UNPACK && !same_parent) || elsewhere)
        code = raise_kind(work, item, ALERT_BROKEN_HIERARCHY, ALERT_SHADOW, 30, err);
    if (code == PT_OK && !(item->operation == OPERATION_UNPACK && same_parent)) code = mark_opened(work, &item->around.levels[1], err);
    leave(item);
    return code;
}

// Packing a thing into what lies in it would make a circle; one level too many could not be read back.
static bool may_lie_in_parent(const struct work *work, const struct item *item) {
    if (work->parent.count == 0 || work->parent.count >= HIERARCHY_MAX) return false;
    for (size_t i = 0; i < work->parent.count; i++)
        if (pt_bytes_equal(work->parent.levels[i].key, item->key)) return false;
    return true;
}

static enum pt_code pack_into_parent(struct work *work, struct item *item, struct pt_error *err) {
    if (!may_lie_in_parent(work, item)) return raise_kind(work, item, ALERT_BROKEN_HIERARCHY, ALERT_ENFORCE, 50, err);
    item->record.parent = work->parent_name;
    item->record.parent_filling = work->parent.levels[0].record.filling;
    return PT_OK;
}

static struct lifecycle_transition first_announcement(struct item *item) {
    const enum lifecycle_state from = item->record.state;
    const bool waited = (item->record.flags & PACK_FLAG_NO_DATA) != 0;
    item->record.flags = (item->record.flags | PACK_FLAG_ANNOUNCED) & ~(unsigned)PACK_FLAG_NO_DATA;
    if (from == LIFECYCLE_UNKNOWN) return (struct lifecycle_transition){.to = LIFECYCLE_COMMISSIONED};
    // Product that waited for its data in quarantine is released by them.
    return (struct lifecycle_transition){.to = from == LIFECYCLE_QUARANTINED && waited ? LIFECYCLE_IN_STOCK : from};
}

// Moves that come in after what followed them are late data: they join the history and change nothing.
static bool comes_late(const struct work *work, const struct item *item) {
    if (item->record.event_seconds == 0 || work->facts.event_seconds >= item->record.event_seconds) return false;
    switch (item->operation) {
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

static struct lifecycle_transition decide(struct work *work, struct item *item) {
    struct lifecycle_transition transition = *lifecycle_transition(work->facts.profile, item->operation, item->effective.state);
    if (item->operation == OPERATION_COMMISSION && !(item->record.flags & PACK_FLAG_ANNOUNCED)) return first_announcement(item);
    if (item->operation == OPERATION_DISPENSE) lifecycle_dispense(&work->facts, item->product, item->effective.state, &item->record, &transition);
    if (item->operation == OPERATION_UNDO)
        lifecycle_undo(&work->facts, item->effective.state, item->record.place == work->place, &item->record, &transition);
    if (transition.alert == ALERT_NOT_SALEABLE && (item->record.flags & PACK_FLAG_NO_DATA)) transition.alert = ALERT_UNKNOWN_SERIAL;
    if (item->effective.state == LIFECYCLE_UNKNOWN && transition.alert != 0) item->record.flags |= PACK_FLAG_NO_DATA;
    if (item->operation == OPERATION_RELEASE && item->effective.state == LIFECYCLE_QUARANTINED && (item->record.flags & PACK_FLAG_NO_DATA))
        transition = (struct lifecycle_transition){
            .to = LIFECYCLE_QUARANTINED, .alert = ALERT_PRODUCT_WITHOUT_DATA, .mode = ALERT_ENFORCE, .confidence = 50};
    return transition;
}

static void take_master_data(const struct work *work, struct item *item) {
    const bool counts = item->operation == OPERATION_COMMISSION || item->operation == OPERATION_DISPENSE;
    if (counts && item->record.content == 0 && item->product) item->record.content = item->product->units;
    if (counts && item->record.content == 0) item->record.content = work->facts.content;
    if (item->operation != OPERATION_COMMISSION) return;
    if (item->record.lot == 0) item->record.lot = work->lot;
    if (item->record.expiry == 0) item->record.expiry = work->facts.expiry;
}

static void container_flags(struct work *work, struct item *item) {
    unsigned *flags = &item->record.flags;
    if (item->operation == OPERATION_FILL) *flags |= PACK_FLAG_CONTAINER;
    if (item->operation == OPERATION_EMPTY && work->input->event->epcs.count == 0) {
        item->record.filling++;
        *flags &= ~(unsigned)(PACK_FLAG_OPENED | PACK_FLAG_UNCONFIRMED);
    }
    const bool moves = item->operation == OPERATION_SHIP || item->operation == OPERATION_RECEIVE ||
                       item->operation == OPERATION_SEND_BACK || item->operation == OPERATION_TAKE_BACK;
    if (moves && (*flags & PACK_FLAG_OPENED)) *flags |= PACK_FLAG_UNCONFIRMED;
}

// Undoing a supply is bound to its time and place: what is told of a sold pack afterwards - a second supply of a copy, a
// look at it, an undoing that was refused - must not move them.
static bool stays_where_sold(const struct item *item, const struct lifecycle_transition *transition) {
    if (item->operation == OPERATION_UNDO && transition->alert) return true;
    return item->effective.state == LIFECYCLE_DISPENSED && transition->to == LIFECYCLE_DISPENSED;
}

static enum pt_code change_state(struct work *work, struct item *item, bool inside, struct pt_error *err) {
    take_master_data(work, item);
    struct lifecycle_transition transition = decide(work, item);
    lifecycle_for_good(&item->record, &transition);
    enum pt_code code = PT_OK;
    if (transition.alert) code = raise(work, item, &transition, NULL, err);
    if (code == PT_OK && lifecycle_operation_trades(item->operation) &&
        lifecycle_expired(item->record.expiry, work->facts.event_seconds))
        code = raise_kind(work, item, ALERT_EXPIRED, ALERT_ENFORCE, item->operation == OPERATION_DISPENSE ? 90 : 50, err);
    if (code != PT_OK) return code;
    container_flags(work, item);
    if (inside && item->operation == OPERATION_OBSERVE) return PT_OK;  // where it lies, its container says
    if (!inside || transition.to != item->effective.state) item->record.state = transition.to;
    if (stays_where_sold(item, &transition)) return item->operation == OPERATION_PACK ? pack_into_parent(work, item, err) : PT_OK;
    if (work->place) item->record.place = work->place;
    if (work->party) item->record.party = work->party;
    if (item->operation != OPERATION_OBSERVE) {
        item->record.operation = item->operation;
        item->record.awaited = item->operation == OPERATION_SHIP || item->operation == OPERATION_SEND_BACK ? work->awaited : 0;
        if (work->facts.event_seconds > item->record.event_seconds) item->record.event_seconds = work->facts.event_seconds;
    }
    return item->operation == OPERATION_PACK ? pack_into_parent(work, item, err) : PT_OK;
}

static enum pt_code raise_from_detector(struct detector_sink *sink, enum alert_kind kind, enum alert_mode mode, unsigned confidence,
                                        const char *detail, struct pt_error *err) {
    struct work *work = sink->ctx;
    const struct lifecycle_transition why = {.alert = kind, .mode = mode, .confidence = confidence};
    return raise(work, work->looked_at, &why, detail, err);
}

// Neighbours mostly come from one place.
static enum pt_code place_before(struct work *work, uint64_t name, struct sighting_place *out, struct pt_error *err) {
    struct pt_bytes text;
    bool found;
    *out = work->there;
    if (name == work->there.name) return PT_OK;
    *out = work->here;
    if (name == work->here.name) return PT_OK;
    work->there = *out = (struct sighting_place){.name = name};
    if (name == 0) return PT_OK;
    enum pt_code code = state_name_text(work->view, name, &text, err);
    char *id = code == PT_OK ? pt_arena_alloc(work->context->arena, 1, text.len + 1) : NULL;
    if (code == PT_OK && !id) code = pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    if (code != PT_OK) return code;
    if (text.len > 0) memcpy(id, text.data, text.len);
    code = master_facts_place(work->view, work->context->arena, id, work->products.at, &work->there_facts, &found, err);
    if (code == PT_OK && found) work->there.facts = &work->there_facts;
    *out = work->there;
    return code;
}

static enum pt_code look(struct work *work, struct item *item, struct pt_error *err) {
    struct sighting sighting = {
        .input = work->input,
        .context = work->context,
        .facts = &work->facts,
        .key = item->key,
        .role = item->role,
        .operation = item->operation,
        .around = &item->around,
        .effective = &item->effective,
        .record = &item->record,
        .late = item->late,
        .product = item->product,
        .place = work->here,
        .party = work->party,
    };
    uint64_t place = 0;
    for (size_t i = 0; i < item->around.count; i++) {
        const struct pack_record *record = &item->around.levels[i].record;
        if (record->seen_seconds <= sighting.previous_seconds && sighting.previous_seconds) continue;
        sighting.previous_seconds = record->seen_seconds;
        place = record->seen_place;
    }
    const struct pack_record before = item->record;
    enum pt_code code = place_before(work, place, &sighting.previous_place, err);
    if (code != PT_OK) return code;
    sighting.record = &before;
    work->looked_at = item;
    code = recall_look(&sighting, &work->recalls, work->view, &work->detectors, err);
    return code != PT_OK ? code : detectors_look(&sighting, work->view, &work->detectors, err);
}

static void see(const struct work *work, struct item *item) {
    if (item->record.seen_seconds && work->facts.event_seconds < item->record.seen_seconds) return;
    item->record.seen_seconds = work->facts.event_seconds;
    item->record.seen_place = work->place;
}

static enum pt_code apply_to(struct work *work, size_t index, struct pt_error *err) {
    struct item item;
    bool inside;
    item.key = work->input->packs[index].key;
    item.role = work->input->packs[index].role;
    item.operation = work->operations[item.role];
    item.product = NULL;
    enum pt_code code = packs_around(work->view, item.key, &item.around, err);
    if (code == PT_OK) code = product_memo_of(&work->products, item.key, &item.product, err);
    if (code != PT_OK) return code;
    const struct pack_record before = item.around.levels[0].record;
    item.record = before;
    item.effective = hierarchy_effective(&item.around);
    item.late = comes_late(work, &item);
    work->output->previous[index] = item.record.last;
    if (work->context->rule_version >= DETECTORS_FROM) code = look(work, &item, err);
    if (code == PT_OK && item.late) {
        if (lifecycle_transition(work->facts.profile, item.operation, item.effective.state)->alert)
            code = raise_kind(work, &item, ALERT_LATE_DATA, ALERT_SHADOW, 10, err);
    } else if (code == PT_OK) {
        code = settle_hierarchy(work, &item, &inside, err);
        if (code == PT_OK) code = change_state(work, &item, inside, err);
    }
    see(work, &item);
    item.record.last = work->context->leaf_index + 1;
    pack_record_remember(&item.record, &before, item.record.last);
    if (code == PT_OK) code = packs_write(work->view, item.key, &item.record, err);
    // The container stands first, so that its contents find it as this event leaves it.
    if (code == PT_OK && item.role == PACK_ROLE_PARENT) code = packs_around(work->view, item.key, &work->parent, err);
    return code;
}

static enum pt_code name(struct work *work, enum name_kind kind, const char *text, uint64_t *out, struct pt_error *err) {
    *out = 0;
    return text && text[0] ? state_name_of(work->view, kind, pt_bytes_str(text), out, err) : PT_OK;
}

static enum pt_code prepare(struct work *work, struct pt_error *err) {
    const struct contract_input *input = work->input;
    enum pt_code code = PT_OK;
    bool found = false;
    lifecycle_facts_read(input, work->context, &work->facts);
    work->products = (struct product_memo){.view = work->view, .arena = work->context->arena,
                                           .at = pt_instant_millis(&input->event->event_time)};
    work->detectors = (struct detector_sink){.raise = raise_from_detector, .ctx = work};
    if (work->facts.place)
        code = master_facts_place(work->view, work->context->arena, work->facts.place, work->products.at, &work->here_facts, &found, err);
    if (found) work->facts.profile = lifecycle_profile_of(work->here_facts.profile, work->facts.profile);
    for (unsigned role = PACK_ROLE_OBJECT; role <= PACK_ROLE_OUTPUT; role++)
        work->operations[role] = lifecycle_operation_of(input->event, (enum pack_role)role);
    if (code == PT_OK) code = name(work, NAME_PLACE, work->facts.place, &work->place, err);
    work->here = (struct sighting_place){work->place, found ? &work->here_facts : NULL};
    if (code == PT_OK) code = name(work, NAME_PARTY, work->context->signer->party, &work->party, err);
    if (code == PT_OK) code = name(work, NAME_LOT, work->facts.lot, &work->lot, err);
    if (code == PT_OK) code = name(work, NAME_PARTY, work->facts.awaited, &work->awaited, err);
    if (code == PT_OK && work->context->rule_version >= DETECTORS_FROM)
        code = recall_lists_read(work->view, input, work->context->arena, &work->recalls, err);
    if (code == PT_OK && input->pack_count > 0 && input->packs[0].role == PACK_ROLE_PARENT)
        code = state_name_of(work->view, NAME_CONTAINER, input->packs[0].key, &work->parent_name, err);
    return code;
}

static enum pt_code announce(struct work *work, struct pt_error *err) {
    const struct epcis_event *event = work->input->event;
    struct contract_output *output = work->output;
    bool ships = false, recalls = false;
    for (size_t i = 0; i < work->input->pack_count; i++) {
        const enum lifecycle_operation operation = work->operations[work->input->packs[i].role];
        ships = ships || operation == OPERATION_SHIP || operation == OPERATION_SEND_BACK;
        recalls = recalls || operation == OPERATION_RECALL;
    }
    if (recalls) output->feed_kind = FEED_RECALL;
    if (recalls || !ships || event->destinations.count == 0) return PT_OK;
    output->feed_audience = pt_arena_alloc(work->context->arena, event->destinations.count, sizeof(char *));
    if (!output->feed_audience) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    output->feed_kind = FEED_SHIPPING_NOTICE;
    for (size_t i = 0; i < event->destinations.count; i++)
        if (event->destinations.items[i].id)
            output->feed_audience[output->feed_audience_count++] = event->destinations.items[i].id;
    return PT_OK;
}

static enum pt_code apply(struct state_view *view, const struct contract_input *input, const struct contract_context *context,
                          struct contract_output *output, struct pt_error *err) {
    struct work work = {.view = view, .input = input, .context = context, .output = output, .asked_container = 0};
    if (context->signer->role != ACTOR_DEVICE && context->signer->role != ACTOR_COMPANY) {
        output->result = RESULT_NOT_ALLOWED;
        return PT_OK;
    }
    output->previous = pt_arena_alloc(context->arena, input->pack_count + 1, sizeof(uint64_t));
    if (!output->previous) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    enum pt_code code = prepare(&work, err);
    for (size_t i = 0; code == PT_OK && i < input->pack_count; i++) code = apply_to(&work, i, err);
    return code == PT_OK ? announce(&work, err) : code;
}

const struct contract lifecycle_contract = {
    .name = "lifecycle", .version = 1, .kinds = KIND_EVENT, .declare = declare, .apply = apply};
