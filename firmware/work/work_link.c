// Two codes on one pack, a tag bound to a pack; and what an undoing means for what is remembered here.
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/log.h"
#include "common/epcis/cbv.h"
#include "common/epcis/event_cbor.h"
#include "common/epcis/event_hash.h"
#include "common/epcis/packtrail_terms.h"
#include "firmware/work/work_internal.h"

static const char *uri_of(const struct pack_id *pack, struct pt_arena *arena, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf uri = PT_BUF_INIT(PACK_URI_MAX);
    if (pack_id_uri(pack, &uri, err) != PT_OK) return NULL;
    const char *copy = pt_arena_strdup(arena, pt_buf_bytes(&uri));
    if (!copy) pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    return copy;
}

static enum pt_code link_event(const struct work_services *services, const struct pack_id *pack, const struct pack_id *other, const char *staff,
                               struct pt_arena *arena, struct epcis_event *out, struct pt_error *err) {
    struct clock_status status = {.error_s = -1};
    const char **children = pt_arena_alloc(arena, 1, sizeof *children);
    if (!children) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    if (services->clock) clock_guard_status(services->clock, &status);
    *out = (struct epcis_event){
        .type = EPCIS_ASSOCIATION,
        .action = EPCIS_ADD,
        .event_time = pt_instant_from_millis(work_now(services)),
        .has_event_time = true,
        .event_time_zone_offset = services->zone_minutes,
        .has_event_time_zone_offset = true,
        .biz_step = PACKTRAIL_STEP_LINKING,
        .parent_id = uri_of(pack, arena, err),
        .read_point.id = services->place,
        .biz_location.id = services->place,
    };
    children[0] = uri_of(other, arena, err);
    if (!out->parent_id || !children[0]) return PT_INVALID;
    out->epcs = (struct epcis_texts){children, 1};
    return task_capture(out, arena, staff, status.error_s, err);
}

static enum pt_code sign_link(const struct work_services *services, const struct epcis_event *event, struct work_signed *out, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf payload = PT_BUF_INIT(STATEMENT_MAX);
    char id[EPCIS_EVENT_HASH_SIZE];
    struct pt_digest statement;
    struct pt_error noted = {0};
    enum pt_code code = work_event_encode(event, &payload, err);
    if (code == PT_OK) code = epcis_event_hash(event, NULL, id, err);
    if (code == PT_OK)
        code = outbox_sign(services->outbox, EPCIS_EVENT_CONTENT_TYPE_CBOR, id, pt_buf_bytes(&payload), &statement, &out->last_sequence, err);
    if (code != PT_OK) return code;
    out->events = 1;
    out->packs = 1;
    if (services->history && history_note(services->history, &statement, out->last_sequence, pt_buf_bytes(&payload), &noted) != PT_OK)
        pt_log_error("history-not-written", &noted);
    return PT_OK;
}

enum pt_code work_link(const struct work_services *services, const struct pack_id *pack, const struct pack_id *other, const char *staff,
                       struct work_signed *out, struct pt_error *err) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct epcis_event event;
    struct remembered remembered;
    struct pack_id held;
    *out = (struct work_signed){0};
    if (pack_id_equal(pack, other)) return pt_fail(err, PT_INVALID, "other", "a code cannot be linked to itself");
    if (pack->kind == PACK_OTHER_EPC) return pt_fail(err, PT_INVALID, "pack", "a tag is no pack: scan the pack's own code first");
    enum pt_code code = link_event(services, pack, other, staff, &arena, &event, err);
    if (code != PT_OK) return code;
    code = remembered_load(services->disk, work_true_now(services), &remembered, err);
    if (code == PT_OK && remembered_linked(&remembered, other, &held, NULL) == PT_OK) {
        if (!pack_id_equal(&held, pack)) code = pt_fail(err, PT_CONFLICT, "other", "this code or tag is bound to another pack already");
        else {  // said already: nothing is signed twice
            remembered_free(&remembered);
            return PT_OK;
        }
    }
    if (code == PT_OK) code = sign_link(services, &event, out, err);
    if (code == PT_OK) {
        const struct remembered_change change = {.other = other, .pack = pack};
        struct pt_error noted = {0};
        if (remembered_note(&remembered, &change, work_true_now(services), &noted) != PT_OK) pt_log_error("link-not-written", &noted);
    }
    remembered_free(&remembered);
    return code;
}

// --- Undoing ---

static const struct task *task_of(const struct epcis_event *event) {
    size_t count;
    const struct task *tasks = task_list(&count);
    const bool part = event->disposition && strcmp(event->disposition, "partially_dispensed") == 0;
    for (size_t i = 0; i < count; i++) {
        const char *disposition = part && strcmp(tasks[i].name, "dispense") == 0 ? "partially_dispensed" : tasks[i].disposition;
        if (tasks[i].type != event->type || tasks[i].action != event->action || !event->biz_step || strcmp(tasks[i].biz_step, event->biz_step) != 0) continue;
        if (!disposition ? !event->disposition : event->disposition && strcmp(disposition, event->disposition) == 0) return &tasks[i];
    }
    return NULL;
}

static int64_t units_of(const struct epcis_event *event) {
    for (size_t i = 0; i < event->extensions.count; i++) {
        const struct epcis_member *member = &event->extensions.items[i];
        if (member->ns && strcmp(member->ns, PACKTRAIL_TERMS_NAMESPACE) == 0 && strcmp(member->local, PACKTRAIL_TERM_UNITS) == 0)
            return member->value.number.integer;
    }
    return 0;
}

// Units come back into a box that is still open; one that was used up is asked of the ledger at its next dispensing.
static size_t give_back(const struct remembered *remembered, const struct pack_id *packs, size_t count, int64_t units, pt_millis now,
                        struct remembered_box *out) {
    size_t given = 0;
    for (size_t i = 0; i < count && units > 0; i++) {
        const struct remembered_box *box = remembered_box(remembered, &packs[i]);
        if (!box || box->box.units_left < 0) continue;
        out[given] = *box;
        out[given].changed = now;
        out[given].box.units_left += units;
        // Closed again: no open box any more.
        if (box->box.units >= 0 && out[given].box.units_left >= box->box.units) out[given].box.units_left = 0;
        given++;
    }
    return given;
}

enum pt_code work_undone(const struct work_services *services, struct pt_bytes payload, struct pt_error *err) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct epcis_event event;
    struct remembered remembered;
    const pt_millis now = work_true_now(services);
    enum pt_code code = epcis_cbor_decode(payload, &arena, &event, err);
    if (code != PT_OK) return code;
    const struct task *task = task_of(&event);
    if (!task) return PT_OK;  // a link, an exception: nothing of it is remembered
    struct pack_id *packs = pt_arena_alloc(&arena, event.epcs.count + 1, sizeof *packs);
    struct remembered_box *boxes = pt_arena_alloc(&arena, event.epcs.count + 1, sizeof *boxes);
    if (!packs || !boxes) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    for (size_t i = 0; i < event.epcs.count && code == PT_OK; i++) code = pack_id_from_uri(pt_bytes_str(event.epcs.items[i]), &packs[i], err);
    if (code == PT_OK) code = remembered_load(services->disk, now, &remembered, err);
    else return code;
    struct remembered_change change = {.task = task->name, .packs = packs, .count = event.epcs.count, .undone = true, .boxes = boxes};
    change.box_count = give_back(&remembered, packs, event.epcs.count, units_of(&event), now, boxes);
    if (code == PT_OK) code = remembered_note(&remembered, &change, now, err);
    remembered_free(&remembered);
    return code;
}
