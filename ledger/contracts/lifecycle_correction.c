// Event IDs and error declarations (EPCIS 2.0 section 7.4.1.3): an event that was declared in error, its declaration and
// the corrective events count as one. README.md says what is taken back, when, and what is only marked.
#include <string.h>

#include "common/epcis/event_hash.h"
#include "ledger/contracts/lifecycle_internal.h"

// --- Declaring what is touched ---

static void declare_event(const char *event_id, unsigned mode, struct access_list *out) {
    uint8_t *key = pt_arena_alloc(out->arena, 1, EVENT_RECORD_KEY);
    if (!key) {
        out->failed = true;
        return;
    }
    event_record_key(event_id, key);
    access_declare(out, STATE_EVENT, mode, pt_bytes_of(key, EVENT_RECORD_KEY));
}

void lifecycle_declare_events(const struct contract_input *input, const struct contract_context *context, struct access_list *out) {
    const struct epcis_event *event = input->event;
    if (event->event_id) declare_event(event->event_id, ACCESS_READ | ACCESS_WRITE, out);
    if (!event->error_declaration.present) return;
    master_facts_declare(MASTER_PARTY, context->signer->party, out);  // a regulator may correct others
    for (size_t i = 0; i < event->error_declaration.corrective_event_ids.count; i++)
        declare_event(event->error_declaration.corrective_event_ids.items[i], ACCESS_READ, out);
}

// --- The event's ID ---

static enum pt_code read_event(struct work *work, const char *event_id, struct event_record *out, bool *found, struct pt_error *err) {
    uint8_t key[EVENT_RECORD_KEY];
    struct pt_bytes value;
    event_record_key(event_id, key);
    const enum pt_code code = state_get(work->view, STATE_EVENT, pt_bytes_of(key, sizeof key), &value, found, err);
    return code == PT_OK && *found ? event_record_decode(value, out, err) : code;
}

static enum pt_code write_event(struct work *work, const struct event_record *record, struct pt_error *err) {
    uint8_t key[EVENT_RECORD_KEY], memory[EVENT_RECORD_MAX];
    struct pt_buf buffer = {.data = memory, .cap = sizeof memory, .ceiling = sizeof memory};
    event_record_key(work->input->event->event_id, key);
    event_record_encode(record, &buffer);
    return state_put(work->view, STATE_EVENT, pt_bytes_of(key, sizeof key), pt_buf_bytes(&buffer), err);
}

static enum pt_code read_privilege(struct work *work, struct pt_error *err) {
    struct party_facts facts;
    bool found;
    work->privileged = work->context->signer->role == ACTOR_OPERATOR;
    if (work->privileged) return PT_OK;
    const enum pt_code code = master_facts_party(work->view, work->context->arena, work->context->signer->party, work->products.at, &facts,
                                                 &found, err);
    work->privileged = code == PT_OK && found && (facts.roles & 1u << MASTER_REGULATOR) != 0;
    return code;
}

static enum pt_code raise_reused(struct work *work, uint64_t first, struct pt_error *err) {
    struct alert_record alert = {.kind = ALERT_EVENT_ID_REUSED, .mode = ALERT_ENFORCE, .confidence = 60,
                                 .evidence = {work->context->leaf_index, first}, .evidence_count = 2,
                                 .event_time = pt_instant_millis(&work->input->event->event_time),
                                 .detail = "one event ID, two contents"};
    if (work->input->pack_count > 0) alert.pack = work->input->packs[0].key;
    return contract_raise(work->context, work->output, &alert, err);
}

// What this event is, for the state.
static enum pt_code describe(const struct work *work, struct event_record *out, struct pt_error *err) {
    struct pt_digest content;
    const enum pt_code code = epcis_event_digest(work->input->event, NULL, &content, err);
    *out = (struct event_record){.party = work->party,
                                 .operation = (unsigned)work->operations[PACK_ROLE_OBJECT],
                                 .event_seconds = work->facts.event_seconds,
                                 .place = work->place,
                                 .units = work->facts.units,
                                 .partial = work->facts.partial};
    if (code == PT_OK) memcpy(out->content, content.bytes, sizeof out->content);
    return code;
}

static bool says_the_same(const struct event_record *a, const struct event_record *b) {
    return memcmp(a->content, b->content, sizeof a->content) == 0;
}

// Of the corrective events the newest that has come already.
static enum pt_code find_corrective(struct work *work, struct pt_error *err) {
    const struct epcis_texts *ids = &work->input->event->error_declaration.corrective_event_ids;
    for (size_t i = 0; i < ids->count; i++) {
        struct event_record found_record;
        bool found;
        const enum pt_code code = read_event(work, ids->items[i], &found_record, &found, err);
        if (code != PT_OK) return code;
        if (found && !found_record.declaration && found_record.leaf > work->corrective.leaf) work->corrective = found_record;
    }
    return PT_OK;
}

static enum pt_code identify_declaration(struct work *work, struct event_record *own, struct event_record *present, bool found,
                                         struct pt_error *err) {
    own->declaration = work->context->leaf_index + 1;
    own->by_operator = work->privileged;
    work->standing = EVENT_WITHDRAWN;
    if (!found) return write_event(work, own, err);
    if (present->leaf && !work->privileged && present->party != work->party) {
        work->output->result = RESULT_NOT_ALLOWED;  // only who said it may take it back
        return PT_OK;
    }
    if (!says_the_same(present, own)) return raise_reused(work, (present->leaf ? present->leaf : present->declaration) - 1, err);
    if (present->declaration) {  // declared before: once is enough
        present->by_operator = present->by_operator || work->privileged;
        return write_event(work, present, err);
    }
    present->declaration = own->declaration;
    present->by_operator = own->by_operator;
    work->standing = EVENT_DECLARES;
    work->declared = *present;
    const enum pt_code code = find_corrective(work, err);
    return code == PT_OK ? write_event(work, present, err) : code;
}

static enum pt_code identify_plain(struct work *work, struct event_record *own, const struct event_record *present, bool found,
                                   struct pt_error *err) {
    own->leaf = work->context->leaf_index + 1;
    if (found && present->leaf) {
        if (!says_the_same(present, own)) return raise_reused(work, present->leaf - 1, err);
        work->standing = EVENT_AGAIN;
        return PT_OK;
    }
    // Nobody silences what another is going to say by declaring it in error before.
    if (found && says_the_same(present, own) && (present->by_operator || present->party == work->party)) {
        work->standing = EVENT_WITHDRAWN;
        own->declaration = present->declaration;
        own->by_operator = present->by_operator;
    }
    return write_event(work, own, err);
}

enum pt_code lifecycle_identify_event(struct work *work, struct pt_error *err) {
    const struct epcis_event *event = work->input->event;
    const bool declares = event->error_declaration.present;
    struct event_record own, present;
    bool found = false;
    work->standing = declares ? EVENT_DECLARES : EVENT_NEW;
    enum pt_code code = declares ? read_privilege(work, err) : PT_OK;
    if (code != PT_OK || !event->event_id) return code;
    code = describe(work, &own, err);
    if (code == PT_OK) code = read_event(work, event->event_id, &present, &found, err);
    if (code != PT_OK) return code;
    return declares ? identify_declaration(work, &own, &present, found, err) : identify_plain(work, &own, &present, found, err);
}

// --- Taking back ---

static bool is_bound(enum lifecycle_state state) {
    return state == LIFECYCLE_DISPENSED || state == LIFECYCLE_PART_DISPENSED || state == LIFECYCLE_EXPORTED ||
           state == LIFECYCLE_SAMPLE || state == LIFECYCLE_CHECKED_OUT || state == LIFECYCLE_FREE_SAMPLE || state == LIFECYCLE_LOCKED;
}

// Whether what the declared event did is what the record remembers. Without an ID the event is known by its time, place,
// party and kind, which the declaration repeats.
static bool is_last_change(const struct work *work, const struct item *item, enum lifecycle_operation declared) {
    const struct pack_record *record = &item->record;
    if (record->undo.by == 0) return false;
    if (work->input->event->event_id) return record->undo.by == work->declared.leaf;
    // What changed last may be of another event that left time and kind alone: data that came later for a sold pack.
    struct pack_record before;
    if (!pack_record_before(record, &before)) return false;
    if (before.event_seconds == record->event_seconds && before.operation == record->operation && before.state == record->state) return false;
    return record->event_seconds == work->facts.event_seconds && record->operation == (unsigned)declared &&
           record->place == work->place && (work->privileged || record->party == work->party);
}

static enum pt_code refuse(struct work *work, struct item *item, enum undo_refusal refusal, struct pt_error *err) {
    // A request that came too late or from the wrong place accuses nobody: the pack stays what it is.
    return lifecycle_raise_kind(work, item, ALERT_NOT_SALEABLE, ALERT_SHADOW, 30, lifecycle_undo_refusal_text(refusal), err);
}

static enum pt_code only_marked(struct work *work, struct item *item, struct pt_error *err) {
    return lifecycle_raise_kind(work, item, ALERT_OUT_OF_ORDER, ALERT_SHADOW, 10,
                                "an event was declared in error that others followed: they stand", err);
}

// A corrective event that came before the declaration met the pack as the wrong event had left it: once that is taken
// back, it is applied to what was before.
static enum pt_code apply_corrective(struct work *work, struct item *item, struct pt_error *err) {
    const struct event_record *corrective = &work->corrective;
    const struct lifecycle_facts facts = work->facts;
    const struct pack_record restored = item->record;
    const uint64_t place = work->place, party = work->party;
    enum pt_code code = packs_write(work->view, item->key, &item->record, err);
    if (code == PT_OK) code = packs_around(work->view, item->key, &item->around, err);
    if (code != PT_OK) return code;
    item->record = item->around.levels[0].record;
    item->effective = hierarchy_effective(&item->around);
    item->operation = (enum lifecycle_operation)corrective->operation;
    work->facts.event_seconds = corrective->event_seconds;
    work->facts.units = corrective->units;
    work->facts.partial = corrective->partial;
    work->place = corrective->place;
    work->party = corrective->party;
    code = lifecycle_change(work, item, err);
    pack_record_remember(&item->record, &restored, corrective->leaf);  // so that it can be declared in error itself
    work->facts = facts;
    work->place = place;
    work->party = party;
    return code;
}

static bool was_corrected_before(const struct work *work, const struct item *item) {
    const enum lifecycle_operation operation = (enum lifecycle_operation)work->corrective.operation;
    const bool nests = operation == OPERATION_PACK || operation == OPERATION_UNPACK;
    return work->corrective.leaf && item->record.last == work->corrective.leaf && item->role == PACK_ROLE_OBJECT && !nests;
}

static void settle(struct pack_record *record, enum lifecycle_state to) {
    struct lifecycle_transition transition = {.to = to};
    lifecycle_for_good(record, &transition);
    record->state = transition.to;
}

// What it lay in may have been put into it since, or into what lies in it: then it does not go back there.
static enum pt_code keep_out_of_itself(struct work *work, struct item *item, struct pt_error *err) {
    enum pt_code code = packs_write(work->view, item->key, &item->record, err);
    if (code == PT_OK) code = packs_around(work->view, item->key, &item->around, err);
    if (code != PT_OK || !item->around.cut) return code;
    item->record.parent = item->record.parent_filling = 0;
    return lifecycle_raise_kind(work, item, ALERT_BROKEN_HIERARCHY, ALERT_SHADOW, 20, "what it lay in lies in it now", err);
}

static enum pt_code restore(struct work *work, struct item *item, struct pt_error *err) {
    struct pack_record before;
    const unsigned sticky = item->record.flags & (PACK_FLAG_OPENED | PACK_FLAG_UNCONFIRMED | PACK_FLAG_CALLED_BACK | PACK_FLAG_CAME_BACK);
    const bool corrected_before = was_corrected_before(work, item);
    const uint64_t lies_in = item->record.parent, filling = item->record.filling;
    if (item->record.again > 0 && !corrected_before) {  // of several supplies at this counter one is taken back
        item->record.again--;
        return PT_OK;
    }
    if (!pack_record_before(&item->record, &before)) return PT_OK;
    before.flags |= sticky | PACK_FLAG_CORRECTED;
    if (corrected_before && before.again > 0) before.again--;  // that was the corrective event
    if (before.seen_seconds == work->facts.event_seconds) {
        before.seen_seconds = before.event_seconds;
        before.seen_place = before.place;
    }
    item->record = before;
    settle(&item->record, before.state);
    const enum pt_code code = before.parent && (before.parent != lies_in || before.filling != filling) ? keep_out_of_itself(work, item, err) : PT_OK;
    return code == PT_OK && corrected_before ? apply_corrective(work, item, err) : code;
}

// The declared event was followed by others. Parts that were counted are given back; what was announced in error waits
// for data again; the rest stands as what followed says.
static enum pt_code take_back_below(struct work *work, struct item *item, enum lifecycle_operation declared, struct pt_error *err) {
    struct pack_record *record = &item->record;
    const bool supplied = record->state == LIFECYCLE_DISPENSED || record->state == LIFECYCLE_PART_DISPENSED;
    const bool counted = work->facts.units > 0 && work->facts.profile == PROFILE_CN && record->used >= work->facts.units;
    if (declared == OPERATION_DISPENSE && supplied) {
        if (record->again > 0 && record->place == work->place) {
            record->again--;
            return PT_OK;
        }
        if (!counted || (record->flags & PACK_FLAG_OVERDRAWN)) return only_marked(work, item, err);
        lifecycle_give_back(record, work->facts.units);
        record->undo = (struct pack_undo){0};
        settle(record, record->used > 0 ? LIFECYCLE_PART_DISPENSED : LIFECYCLE_IN_STOCK);
        return PT_OK;
    }
    if (declared == OPERATION_COMMISSION && (record->flags & PACK_FLAG_ANNOUNCED)) {
        record->flags = (record->flags & ~(unsigned)PACK_FLAG_ANNOUNCED) | PACK_FLAG_NO_DATA;
        record->undo = (struct pack_undo){0};
        record->lot = 0;
        record->expiry = 0;
        if (lifecycle_state_dispensable(record->state)) record->state = LIFECYCLE_QUARANTINED;
        return lifecycle_raise_kind(work, item, ALERT_PRODUCT_WITHOUT_DATA, ALERT_SHADOW, 30, "its commissioning was declared in error", err);
    }
    switch (declared) {  // what these did, the events that followed have set anew
    case OPERATION_OBSERVE:
    case OPERATION_SHIP:
    case OPERATION_VOID_SHIP:
    case OPERATION_RECEIVE:
    case OPERATION_RELEASE: return PT_OK;
    default: return only_marked(work, item, err);
    }
}

// Whether a pack in this state is so because of such an operation.
static bool comes_of(enum lifecycle_state state, enum lifecycle_operation operation) {
    switch (operation) {
    case OPERATION_DISPENSE: return state == LIFECYCLE_DISPENSED || state == LIFECYCLE_PART_DISPENSED;
    case OPERATION_EXPORT: return state == LIFECYCLE_EXPORTED;
    case OPERATION_CHECK_OUT: return state == LIFECYCLE_CHECKED_OUT;
    case OPERATION_SAMPLE: return state == LIFECYCLE_SAMPLE;
    case OPERATION_FREE_SAMPLE: return state == LIFECYCLE_FREE_SAMPLE;
    case OPERATION_LOCK: return state == LIFECYCLE_LOCKED;
    default: return false;
    }
}

// A declaration that names no event, and fits nothing that is remembered: what taking back an event of its kind does.
static enum pt_code take_back_by_kind(struct work *work, struct item *item, struct pt_error *err) {
    const enum lifecycle_operation declared = item->operation, operation = lifecycle_operation_taking_back(declared);
    struct lifecycle_transition transition = *lifecycle_transition(work->facts.profile, operation, item->effective.state);
    item->operation = operation;
    if (operation == OPERATION_OBSERVE) return only_marked(work, item, err);
    if (item->effective.state == LIFECYCLE_UNKNOWN) item->record.flags |= PACK_FLAG_NO_DATA;
    if (operation == OPERATION_UNDO && is_bound(item->effective.state) && !comes_of(item->effective.state, declared))
        return only_marked(work, item, err);
    if (operation == OPERATION_UNDO && is_bound(item->effective.state) && !transition.alert) {
        const enum undo_refusal refusal = lifecycle_undo_refused(work, item);
        if (refusal != UNDO_ALLOWED) return refuse(work, item, refusal, err);
        lifecycle_undo(work, item, &transition);
    }
    item->record.flags |= PACK_FLAG_CORRECTED;
    const enum pt_code code = transition.alert ? lifecycle_raise(work, item, &transition, NULL, err) : PT_OK;
    if (transition.to == item->effective.state) return code;
    item->record.undo = (struct pack_undo){0};
    settle(&item->record, transition.to);
    item->record.operation = operation;
    if (work->facts.declared_seconds > item->record.event_seconds) item->record.event_seconds = work->facts.declared_seconds;
    return code;
}

enum pt_code lifecycle_correct(struct work *work, struct item *item, struct pt_error *err) {
    const enum lifecycle_operation declared = item->operation;
    const bool named = work->input->event->event_id != NULL;
    const bool last = is_last_change(work, item, declared);
    const enum lifecycle_state state = item->effective.state;
    if (!named && !last) return take_back_by_kind(work, item, err);
    item->operation = OPERATION_UNDO;
    item->record.flags |= PACK_FLAG_CORRECTED;
    if (lifecycle_is_for_good(state)) {
        const struct lifecycle_transition *stays = lifecycle_transition(work->facts.profile, OPERATION_UNDO, state);
        return lifecycle_raise(work, item, stays, NULL, err);
    }
    // What has come over the pack through its container is not the pack's to take back.
    if (state != item->record.state && !lifecycle_state_dispensable(state)) return only_marked(work, item, err);
    if (is_bound(item->record.state) && (last || declared == OPERATION_DISPENSE)) {
        const enum undo_refusal refusal = lifecycle_undo_refused(work, item);
        if (refusal != UNDO_ALLOWED) return refuse(work, item, refusal, err);
    }
    return last ? restore(work, item, err) : take_back_below(work, item, declared, err);
}
