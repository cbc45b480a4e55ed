// The lifecycle contract: one event, pack by pack.
#include <string.h>

#include "common/epcis/cbv.h"
#include "ledger/contracts/lifecycle_internal.h"

#define DETECTORS_FROM 2u        // rule version
#define FEED_RECALL 4u           // enum wire_feed_kind
#define FEED_SHIPPING_NOTICE 5u

static void declare(const struct contract_input *input, const struct contract_context *context, struct access_list *out) {
    static const uint8_t places[1] = {MASTER_PLACE};
    const struct epcis_references *destinations = &input->event->destinations;
    for (size_t i = 0; i < input->pack_count; i++) packs_declare(input->packs[i].key, true, out);
    packs_declare_products(input->packs, input->pack_count, out);
    // The place of a pack's sighting before is known only once the pack is read.
    access_declare(out, STATE_FACTS, ACCESS_READ | ACCESS_PREFIX, pt_bytes_of(places, 1));
    for (size_t i = 0; i < destinations->count; i++)
        if (destinations->items[i].id) master_facts_declare(MASTER_PARTY, destinations->items[i].id, out);
    lifecycle_declare_events(input, context, out);
    if (context->rule_version < DETECTORS_FROM) return;
    recall_declare_packs(input, out);
    detectors_declare(input, context, out);
}

// --- The event ---

static enum pt_code name(struct work *work, enum name_kind kind, const char *text, uint64_t *out, struct pt_error *err) {
    *out = 0;
    return text && text[0] ? state_name_of(work->view, kind, pt_bytes_str(text), out, err) : PT_OK;
}

static enum pt_code read_place(struct work *work, struct pt_error *err) {
    bool found = false;
    enum pt_code code = name(work, NAME_PLACE, work->facts.place, &work->place, err);
    if (code == PT_OK && work->place)
        code = master_facts_place(work->view, work->context->arena, work->facts.place, work->products.at, &work->here_facts, &found, err);
    work->here = (struct sighting_place){work->place, found ? &work->here_facts : NULL};
    if (found) work->facts.profile = lifecycle_profile_of(work->here_facts.profile, work->facts.profile);
    return code;
}

// The territory that goods go to, as master records know it; "" if they do not.
static enum pt_code destination_territory(struct work *work, const char **out, struct pt_error *err) {
    const struct epcis_references *destinations = &work->input->event->destinations;
    enum pt_code code = PT_OK;
    *out = "";
    for (size_t i = 0; code == PT_OK && i < destinations->count && !(*out)[0]; i++) {
        const char *id = destinations->items[i].id;
        struct place_facts place;
        struct party_facts party;
        bool found;
        if (!id) continue;
        code = master_facts_place(work->view, work->context->arena, id, work->products.at, &place, &found, err);
        if (code == PT_OK && found) *out = place.territory;
        if (code != PT_OK || found) continue;
        code = master_facts_party(work->view, work->context->arena, id, work->products.at, &party, &found, err);
        if (code == PT_OK && found) *out = party.territory;
    }
    return code;
}

// Goods that are shipped to where another profile's law holds are exported.
static enum pt_code find_exports(struct work *work, struct pt_error *err) {
    const char *territory;
    bool ships = false;
    for (unsigned role = PACK_ROLE_OBJECT; role <= PACK_ROLE_OUTPUT; role++) ships = ships || work->operations[role] == OPERATION_SHIP;
    if (!ships || work->input->event->destinations.count == 0) return PT_OK;
    const enum pt_code code = destination_territory(work, &territory, err);
    if (code != PT_OK || !territory[0] || lifecycle_profile_covers(work->facts.profile, territory)) return code;
    for (unsigned role = PACK_ROLE_OBJECT; role <= PACK_ROLE_OUTPUT; role++)
        if (work->operations[role] == OPERATION_SHIP) work->operations[role] = OPERATION_EXPORT;
    return PT_OK;
}

static enum pt_code prepare(struct work *work, struct pt_error *err) {
    const struct contract_input *input = work->input;
    lifecycle_facts_read(input, work->context, &work->facts);
    work->products = (struct product_memo){.view = work->view, .arena = work->context->arena,
                                           .at = pt_instant_millis(&input->event->event_time)};
    work->detectors.ctx = work;
    for (unsigned role = PACK_ROLE_OBJECT; role <= PACK_ROLE_OUTPUT; role++)
        work->operations[role] = lifecycle_operation_declared(input->event, (enum pack_role)role);
    enum pt_code code = read_place(work, err);
    if (code == PT_OK) code = name(work, NAME_PARTY, work->context->signer->party, &work->party, err);
    if (code == PT_OK) code = name(work, NAME_LOT, work->facts.lot, &work->lot, err);
    if (code == PT_OK) code = name(work, NAME_PARTY, work->facts.awaited, &work->awaited, err);
    if (code == PT_OK && work->context->rule_version >= DETECTORS_FROM)
        code = recall_lists_read(work->view, input, work->context->arena, &work->recalls, err);
    if (code == PT_OK && input->pack_count > 0 && input->packs[0].role == PACK_ROLE_PARENT)
        code = state_name_of(work->view, NAME_CONTAINER, input->packs[0].key, &work->parent_name, err);
    return code == PT_OK ? find_exports(work, err) : code;
}

// --- Its packs ---

static void see(const struct work *work, struct item *item) {
    if (!detectors_sees(item->operation)) return;
    if (item->record.seen_seconds && work->facts.event_seconds < item->record.seen_seconds) return;
    item->record.seen_seconds = work->facts.event_seconds;
    item->record.seen_place = work->place;
}

// Moves that come in after what followed them are late data: they join the history and change nothing.
static bool comes_late(const struct work *work, const struct item *item) {
    switch (item->operation) {
    case OPERATION_OBSERVE:
    case OPERATION_PACK:
    case OPERATION_UNPACK:
    case OPERATION_SHIP:
    case OPERATION_VOID_SHIP:
    case OPERATION_RECEIVE:
    case OPERATION_HOLD:
    case OPERATION_RELEASE: return lifecycle_is_older(work, item);
    default: return false;
    }
}

static enum pt_code apply_late(struct work *work, struct item *item, struct pt_error *err) {
    if (!lifecycle_transition(work->facts.profile, item->operation, item->effective.state)->alert) return PT_OK;
    return lifecycle_raise_kind(work, item, ALERT_LATE_DATA, ALERT_SHADOW, 10, NULL, err);
}

static enum pt_code apply_new(struct work *work, struct item *item, struct pt_error *err) {
    enum pt_code code = work->context->rule_version >= DETECTORS_FROM ? lifecycle_look(work, item, err) : PT_OK;
    if (code == PT_OK) code = item->late ? apply_late(work, item, err) : lifecycle_change(work, item, err);
    see(work, item);
    return code;
}

static enum pt_code apply_to(struct work *work, size_t index, struct pt_error *err) {
    struct item item;  // not cleared: its hierarchy is large, and filled as far as it goes
    item.key = work->input->packs[index].key;
    item.role = work->input->packs[index].role;
    item.operation = work->operations[item.role];
    enum pt_code code = packs_around(work->view, item.key, &item.around, err);
    if (code == PT_OK) code = product_memo_of(&work->products, item.key, &item.product, err);
    if (code != PT_OK) return code;
    const struct pack_record before = item.around.levels[0].record;
    item.record = before;
    item.effective = hierarchy_effective(&item.around);
    item.late = comes_late(work, &item);
    work->output->previous[index] = before.last;
    if (work->standing == EVENT_DECLARES) code = lifecycle_correct(work, &item, err);
    else if (work->standing == EVENT_NEW) code = apply_new(work, &item, err);
    else item.record.flags |= PACK_FLAG_CORRECTED;
    item.record.last = work->context->leaf_index + 1;
    if (work->standing == EVENT_NEW) pack_record_remember(&item.record, &before, item.record.last);
    if (code == PT_OK) code = packs_write(work->view, item.key, &item.record, err);
    // The container stands first, so that its contents find it as this event leaves it.
    if (code == PT_OK && item.role == PACK_ROLE_PARENT) code = packs_around(work->view, item.key, &work->parent, err);
    return code;
}

// --- Who hears of it ---

static enum pt_code announce(struct work *work, struct pt_error *err) {
    const struct epcis_event *event = work->input->event;
    struct contract_output *output = work->output;
    bool ships = false, recalls = false;
    if (work->standing != EVENT_NEW) return PT_OK;
    for (size_t i = 0; i < work->input->pack_count; i++) {
        const enum lifecycle_operation operation = work->operations[work->input->packs[i].role];
        ships = ships || operation == OPERATION_SHIP || operation == OPERATION_SEND_BACK || operation == OPERATION_EXPORT;
        recalls = recalls || operation == OPERATION_RECALL || operation == OPERATION_WITHDRAW;
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

static bool may_say(const struct contract_input *input, const struct actor *signer) {
    if (signer->role == ACTOR_DEVICE || signer->role == ACTOR_COMPANY) return true;
    return signer->role == ACTOR_OPERATOR && input->event->error_declaration.present;
}

static enum pt_code apply(struct state_view *view, const struct contract_input *input, const struct contract_context *context,
                          struct contract_output *output, struct pt_error *err) {
    struct work work = {.view = view, .input = input, .context = context, .output = output};
    if (!may_say(input, context->signer)) {
        output->result = RESULT_NOT_ALLOWED;
        return PT_OK;
    }
    enum pt_code code = prepare(&work, err);
    if (code == PT_OK) code = lifecycle_identify_event(&work, err);
    if (code != PT_OK || output->result == RESULT_NOT_ALLOWED || work.standing == EVENT_AGAIN) return code;
    output->previous = pt_arena_alloc(context->arena, input->pack_count + 1, sizeof(uint64_t));
    if (!output->previous) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    for (size_t i = 0; code == PT_OK && i < input->pack_count; i++) code = apply_to(&work, i, err);
    return code == PT_OK ? announce(&work, err) : code;
}

const struct contract lifecycle_contract = {
    .name = "lifecycle", .version = 1, .kinds = KIND_EVENT, .declare = declare, .apply = apply};
