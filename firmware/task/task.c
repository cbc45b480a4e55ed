#include "firmware/task/task.h"

#include <string.h>

#include "common/epcis/packtrail_terms.h"

// Business steps and dispositions are CBV 2.0's.
static const struct task tasks[] = {
    {"commission", EPCIS_OBJECT, EPCIS_ADD, "commissioning", "active", false, true, "give new packs their codes"},
    {"pack", EPCIS_AGGREGATION, EPCIS_ADD, "packing", "in_progress", true, false, "put packs into a case or cases onto a pallet"},
    {"unpack", EPCIS_AGGREGATION, EPCIS_DELETE, "unpacking", "in_progress", true, false, "take packs out of a case"},
    {"ship", EPCIS_OBJECT, EPCIS_OBSERVE, "shipping", "in_transit", false, false, "send off", true},
    {"receive", EPCIS_OBJECT, EPCIS_OBSERVE, "receiving", "in_progress", false, false, "take in"},
    {"dispense", EPCIS_OBJECT, EPCIS_OBSERVE, "dispensing", "dispensed", false, false, "hand to a patient, whole or in part", true},
    {"return", EPCIS_OBJECT, EPCIS_OBSERVE, "receiving", "returned", false, false, "take back"},
    {"send-back", EPCIS_OBJECT, EPCIS_OBSERVE, "shipping", "returned", false, false, "send back to the supplier"},
    {"inspect", EPCIS_OBJECT, EPCIS_OBSERVE, "inspecting", NULL, false, false, "look at without moving"},
    {"count", EPCIS_OBJECT, EPCIS_OBSERVE, "cycle_counting", NULL, false, false, "take stock"},
    {"quarantine", EPCIS_OBJECT, EPCIS_OBSERVE, "holding", "non_sellable_other", false, false, "set aside"},
    {"release", EPCIS_OBJECT, EPCIS_OBSERVE, "inspecting", "sellable_accessible", false, false, "found good: back to stock"},
    {"sample", EPCIS_OBJECT, EPCIS_OBSERVE, "sampling", NULL, false, false, "take for tests"},
    {"stolen", EPCIS_OBJECT, EPCIS_OBSERVE, "inspecting", "stolen", false, false, "report as stolen"},
    {"decommission", EPCIS_OBJECT, EPCIS_DELETE, "decommissioning", "inactive", false, false, "take codes out of use"},
    {"destroy", EPCIS_OBJECT, EPCIS_DELETE, "destroying", "destroyed", false, false, "destroy"},
};

const struct task *task_list(size_t *count) {
    *count = sizeof tasks / sizeof *tasks;
    return tasks;
}

const struct task *task_by_name(const char *name) {
    for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++)
        if (strcmp(tasks[i].name, name) == 0) return &tasks[i];
    return NULL;
}

bool task_same_lot(const struct task_pack *a, const struct task_pack *b) {
    return strcmp(a->lot, b->lot) == 0 && strcmp(a->expiry, b->expiry) == 0;
}

static const char *pack_uri(const struct pack_id *id, struct pt_arena *arena, struct pt_error *err) {
    struct pt_buf uri = PT_BUF_INIT(PACK_URI_MAX);
    const char *copy = NULL;
    if (pack_id_uri(id, &uri, err) == PT_OK) {
        copy = pt_arena_strdup(arena, pt_buf_bytes(&uri));
        if (!copy) pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    }
    pt_buf_free(&uri);
    return copy;
}

static enum pt_code add_member(struct epcis_members *members, struct pt_arena *arena, const char *ns, const char *prefix,
                               const char *local, struct epcis_value value, struct pt_error *err) {
    struct epcis_member *items = pt_arena_alloc(arena, members->count + 1, sizeof *items);
    if (!items) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    if (members->count) memcpy(items, members->items, members->count * sizeof *items);
    items[members->count] = (struct epcis_member){.ns = ns, .prefix = prefix, .local = local, .value = value};
    members->items = items;
    members->count++;
    return PT_OK;
}

static enum pt_code set_packs(const struct task_input *input, struct pt_arena *arena, struct epcis_event *out,
                              struct pt_error *err) {
    out->epcs.items = pt_arena_alloc(arena, input->count, sizeof *out->epcs.items);
    if (!out->epcs.items) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    for (; out->epcs.count < input->count; out->epcs.count++) {
        const char *uri = pack_uri(&input->packs[out->epcs.count].id, arena, err);
        if (!uri) return err ? err->code : PT_INVALID;
        out->epcs.items[out->epcs.count] = uri;
    }
    if (!input->task->needs_parent) return PT_OK;
    out->parent_id = pack_uri(input->parent, arena, err);
    return out->parent_id ? PT_OK : PT_INVALID;
}

static enum pt_code set_ilmd(const struct task_input *input, struct pt_arena *arena, struct epcis_event *out,
                             struct pt_error *err) {
    const struct task_pack *first = &input->packs[0];
    const struct {
        const char *local, *text;
    } members[] = {{"lotNumber", first->lot}, {"itemExpirationDate", first->expiry}};
    enum pt_code code = PT_OK;
    for (size_t i = 0; i < 2 && code == PT_OK; i++) {
        if (!members[i].text[0]) continue;
        const char *text = pt_arena_strdup(arena, pt_bytes_str(members[i].text));
        if (!text) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
        out->has_ilmd = true;
        code = add_member(&out->ilmd, arena, "urn:epcglobal:cbv:mda:", "cbvmda", members[i].local,
                          (struct epcis_value){.kind = EPCIS_TEXT, .text = text}, err);
    }
    return code;
}

enum pt_code task_add_term(struct epcis_event *event, struct pt_arena *arena, const char *term, struct epcis_value value, struct pt_error *err) {
    return add_member(&event->extensions, arena, PACKTRAIL_TERMS_NAMESPACE, PACKTRAIL_TERMS_PREFIX, term, value, err);
}

enum pt_code task_add_text(struct epcis_event *event, struct pt_arena *arena, const char *term, const char *text, struct pt_error *err) {
    if (!text[0]) return PT_OK;
    const char *copy = pt_arena_strdup(arena, pt_bytes_str(text));
    if (!copy) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    return task_add_term(event, arena, term, (struct epcis_value){.kind = EPCIS_TEXT, .text = copy}, err);
}

enum pt_code task_add_integer(struct epcis_event *event, struct pt_arena *arena, const char *term, int64_t integer, struct pt_error *err) {
    const struct epcis_number number = {true, true, integer, (double)integer};
    return task_add_term(event, arena, term, (struct epcis_value){.kind = EPCIS_NUMBER, .number = number}, err);
}

static enum pt_code add_texts(struct epcis_event *event, struct pt_arena *arena, const char *term, const char *const *texts, size_t count,
                              struct pt_error *err) {
    if (count == 0) return PT_OK;
    struct epcis_value list = {.kind = EPCIS_LIST, .count = count, .items = pt_arena_alloc(arena, count, sizeof *list.items)};
    if (!list.items) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    for (size_t i = 0; i < count; i++) {
        list.items[i] = (struct epcis_value){.kind = EPCIS_TEXT, .text = pt_arena_strdup(arena, pt_bytes_str(texts[i]))};
        if (!list.items[i].text) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    }
    return task_add_term(event, arena, term, list, err);
}

enum pt_code task_capture(struct epcis_event *event, struct pt_arena *arena, const char *staff, int64_t clock_error_s, struct pt_error *err) {
    enum pt_code code = PT_OK;
    if (clock_error_s >= 0) code = task_add_integer(event, arena, PACKTRAIL_TERM_CLOCK_ERROR, clock_error_s, err);
    if (code == PT_OK && staff) code = task_add_text(event, arena, PACKTRAIL_TERM_STAFF, staff, err);
    return code;
}

// What the labels say, where all say the same: the ledger compares it with what their maker announced.
static enum pt_code set_label(const struct task_input *input, struct pt_arena *arena, struct epcis_event *out, struct pt_error *err) {
    const struct task_pack *first = &input->packs[0];
    if (input->task->makes_packs || input->task->needs_parent) return PT_OK;
    for (size_t i = 1; i < input->count; i++)
        if (!task_same_lot(first, &input->packs[i])) return PT_OK;
    const enum pt_code code = task_add_text(out, arena, PACKTRAIL_TERM_LOT, first->lot, err);
    return code == PT_OK ? task_add_text(out, arena, PACKTRAIL_TERM_EXPIRY, first->expiry, err) : code;
}

static enum pt_code set_reference(struct epcis_references *references, struct pt_arena *arena, const char *type,
                                  const char *id, struct pt_error *err) {
    if (!id) return PT_OK;
    references->items = pt_arena_alloc(arena, 1, sizeof *references->items);
    if (!references->items) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    references->items[0] = (struct epcis_reference){.type = type, .id = id};
    references->count = 1;
    return PT_OK;
}

static enum pt_code check_input(const struct task_input *input, struct pt_error *err) {
    if (input->count == 0) return pt_fail(err, PT_INVALID, "packs", "nothing was scanned");
    if (input->task->needs_parent && !input->parent)
        return pt_fail(err, PT_INVALID, "parent", "scan the case or pallet, too");
    for (size_t i = 0; i < input->count; i++) {
        if (input->parent && pack_id_equal(input->parent, &input->packs[i].id))
            return pt_fail(err, PT_INVALID, "parent", "a case cannot lie in itself");
        if (input->task->makes_packs && !task_same_lot(&input->packs[0], &input->packs[i]))
            return pt_fail(err, PT_INVALID, "packs", "packs of different lots need an event each");
    }
    return PT_OK;
}

enum pt_code task_event(const struct task_input *input, struct pt_arena *arena, struct epcis_event *out,
                        struct pt_error *err) {
    enum pt_code code = check_input(input, err);
    if (code != PT_OK) return code;
    *out = (struct epcis_event){
        .type = input->task->type,
        .action = input->task->action,
        .event_time = pt_instant_from_millis(input->now),
        .has_event_time = true,
        .event_time_zone_offset = input->zone_minutes,
        .has_event_time_zone_offset = true,
        .biz_step = input->task->biz_step,
        .disposition = input->task->disposition,
        .read_point.id = input->place,
        .biz_location.id = input->place,
    };
    code = set_packs(input, arena, out, err);
    if (code == PT_OK && input->task->makes_packs) code = set_ilmd(input, arena, out, err);
    if (code == PT_OK) code = set_label(input, arena, out, err);
    if (code == PT_OK) code = set_reference(&out->sources, arena, "possessing_party", input->source, err);
    if (code == PT_OK) code = set_reference(&out->destinations, arena, "possessing_party", input->destination, err);
    if (code == PT_OK)
        code = set_reference(&out->biz_transactions, arena, input->biz_transaction_type, input->biz_transaction, err);
    if (code == PT_OK && input->units) {
        out->disposition = "partially_dispensed";
        code = task_add_integer(out, arena, PACKTRAIL_TERM_UNITS, (int64_t)input->units, err);
    }
    if (code == PT_OK) code = task_capture(out, arena, input->staff, input->clock_error_s, err);
    if (code == PT_OK) code = add_texts(out, arena, PACKTRAIL_TERM_TAPS, input->taps, input->tap_count, err);
    if (code == PT_OK) code = add_texts(out, arena, PACKTRAIL_TERM_INSISTED, input->insisted, input->insisted_count, err);
    return code;
}
