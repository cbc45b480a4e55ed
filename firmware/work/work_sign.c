// The end of the work: what was counted is signed, each event once, whatever happens in between.
//
// For each event a plan is in the journal before it is signed: its bytes, what it stands for, and the sequence number that the
// outbox is about to give. A terminal that dies looks there afterwards for those very bytes. Signing is durable before the
// outbox returns, so a plan was either carried out whole or not at all.
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/log.h"
#include "common/epcis/event_cbor.h"
#include "common/epcis/event_hash.h"
#include "firmware/work/work_internal.h"

enum { HISTORY_LOOKED_AT = 4096 };

// --- Whether a plan was carried out ---

struct trace {
    bool is_signed;
    bool noted;    // in the history
    bool has_id;
    struct pt_digest id;
};

static enum pt_code look_into_outbox(struct work *work, struct trace *trace, bool *found, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = PT_BUF_INIT(STATEMENT_MAX);
    struct statement statement;
    struct pt_error missing = {0};
    *found = false;
    enum pt_code code = outbox_read(work->services.outbox, work->plan.sequence, &bytes, &missing);
    if (code == PT_NOT_FOUND) return PT_OK;
    if (code != PT_OK && err) *err = missing;
    if (code == PT_OK) code = statement_decode(pt_buf_bytes(&bytes), &statement, err);
    if (code != PT_OK) return code;
    *found = true;
    trace->is_signed = pt_bytes_equal(statement.payload, pt_buf_bytes(&work->plan.payload));
    trace->has_id = trace->is_signed;
    trace->id = statement_id(pt_buf_bytes(&bytes));
    return PT_OK;
}

// The history notes every statement that is signed here, newest first.
static void look_into_history(struct work *work, struct trace *trace, bool *found) {
    const size_t count = work->services.history ? history_count(work->services.history) : 0;
    for (size_t i = 0; i < count && i < HISTORY_LOOKED_AT; i++) {
        struct history_item item;
        if (history_read(work->services.history, i, &item, NULL) != PT_OK) return;
        const uint64_t sequence = item.sequence;
        const bool same = sequence == work->plan.sequence && pt_bytes_equal(pt_buf_bytes(&item.payload), pt_buf_bytes(&work->plan.payload));
        pt_buf_free(&item.payload);
        if (sequence > work->plan.sequence) continue;
        *found = sequence == work->plan.sequence;
        trace->noted = same;
        if (*found) trace->is_signed = same;
        return;
    }
}

static enum pt_code trace_plan(struct work *work, struct trace *trace, struct pt_error *err) {
    struct outbox_status status;
    bool in_outbox = false;
    bool in_history = false;
    *trace = (struct trace){0};
    outbox_status(work->services.outbox, &status);
    if (status.next_sequence <= work->plan.sequence) return PT_OK;
    const enum pt_code code = look_into_outbox(work, trace, &in_outbox, err);
    if (code != PT_OK) return code;
    look_into_history(work, trace, &in_history);
    // The ledger has it already, and it is in no history: whatever else signs here (an undoing, a link) notes it there, so it
    // was this event, cut off before its note.
    if (!in_outbox && !in_history) trace->is_signed = true;
    return PT_OK;
}

// --- Signing ---

// The event counts already; a history that cannot be written only means that it cannot be undone here.
static void note(const struct work_services *services, const struct pt_digest *id, uint64_t sequence, struct pt_bytes payload) {
    struct pt_error err = {0};
    if (services->history && history_note(services->history, id, sequence, payload, &err) != PT_OK) pt_log_error("history-not-written", &err);
}

static enum pt_code carry_out(struct work *work, struct pt_error *err) {
    struct work_plan *plan = &work->plan;
    char event_id[EPCIS_EVENT_HASH_SIZE];
    struct pt_digest id;
    uint64_t sequence;
    enum pt_code code = work_event_id(pt_buf_bytes(&plan->payload), event_id, err);
    if (code == PT_OK)
        code = outbox_sign(work->services.outbox, EPCIS_EVENT_CONTENT_TYPE_CBOR, event_id, pt_buf_bytes(&plan->payload), &id, &sequence, err);
    if (code != PT_OK) return code;
    const size_t packs = plan->count;
    note(&work->services, &id, sequence, pt_buf_bytes(&plan->payload));
    work_plan_settled(work, sequence);
    if (work->told) work->told(work->told_arg, &id, sequence, packs);
    return work_journal_signed(work, sequence, err);
}

// A plan that was made before a failure or a restart: carried out now unless it was already.
static enum pt_code settle_plan(struct work *work, struct pt_error *err) {
    struct trace trace;
    enum pt_code code = trace_plan(work, &trace, err);
    if (code != PT_OK) return code;
    if (trace.is_signed) {
        if (trace.has_id && !trace.noted) note(&work->services, &trace.id, work->plan.sequence, pt_buf_bytes(&work->plan.payload));
        const uint64_t sequence = work->plan.sequence;
        work_plan_settled(work, sequence);
        return work_journal_signed(work, sequence, err);
    }
    struct outbox_status status;
    outbox_status(work->services.outbox, &status);
    if (status.next_sequence != work->plan.sequence) {  // something else was signed since: the plan looks elsewhere from now on
        work->plan.sequence = status.next_sequence;
        code = work_journal_plan(work, &work->plan, err);
    }
    return code == PT_OK ? carry_out(work, err) : code;
}

// --- Planning ---

static bool same_lot(const struct work_item *a, const struct work_item *b) { return strcmp(a->lot, b->lot) == 0 && strcmp(a->expiry, b->expiry) == 0; }

// The next packs that go into one event; those of one lot where the task makes packs.
static enum pt_code choose_items(struct work *work, size_t most, struct pt_error *err) {
    struct work_plan *plan = &work->plan;
    const struct work_item *first = NULL;
    plan->count = 0;
    uint32_t *items = realloc(plan->items, (most + 1) * sizeof *items);
    if (!items) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    plan->items = items;
    for (size_t i = work->settled; i < work->count && plan->count < most; i++) {
        const struct work_item *item = &work->items[i];
        if (item->gone || item->state != ITEM_OPEN) continue;
        if (!first) first = item;
        else if (work->start.task->makes_packs && !same_lot(first, item)) continue;
        items[plan->count++] = (uint32_t)i;
    }
    return PT_OK;
}

static bool choose_exception(struct work *work) {
    for (size_t i = 0; i < work->exception_count; i++) {
        if (work->exceptions[i].state != ITEM_OPEN) continue;
        work->plan.is_exception = true;
        work->plan.exception = (uint32_t)i;
        work->plan.count = 0;
        return true;
    }
    return false;
}

// Fills the plan; *any is false when everything is signed. An event that grows too large is made of fewer packs.
static enum pt_code make_plan(struct work *work, bool with_exceptions, bool *any, struct pt_error *err) {
    work->plan.is_exception = false;
    while (work->settled < work->count && (work->items[work->settled].gone || work->items[work->settled].state == ITEM_SIGNED)) work->settled++;
    size_t most = work->services.most_packs ? work->services.most_packs : 1;
    for (;; most = (work->plan.count + 1) / 2) {
        enum pt_code code = choose_items(work, most, err);
        if (code != PT_OK) return code;
        *any = work->plan.count > 0 || (with_exceptions && choose_exception(work));
        if (!*any) return PT_OK;
        code = work_event_build(work, &work->plan, err);
        if (code != PT_LIMIT || work->plan.count <= 1) return code;
    }
}

static enum pt_code sign_next(struct work *work, bool with_exceptions, bool *any, struct pt_error *err) {
    struct outbox_status status;
    enum pt_code code = make_plan(work, with_exceptions, any, err);
    if (code != PT_OK || !*any) return code;
    if (work->start.training) {  // built and checked as ever, and dropped
        work_plan_made(work);
        work_plan_settled(work, 0);
        return PT_OK;
    }
    outbox_status(work->services.outbox, &status);
    work->plan.sequence = status.next_sequence;
    code = work_journal_plan(work, &work->plan, err);
    if (code != PT_OK) return code;
    work_plan_made(work);
    return carry_out(work, err);
}

static enum pt_code sign_all(struct work *work, bool with_exceptions, struct pt_error *err) {
    bool any = true;
    if (work->start.task->needs_parent && !work->has_parent && work->counted > 0)
        return pt_fail(err, PT_INVALID, "parent", "scan the case or pallet, too");
    enum pt_code code = work->plan.pending ? settle_plan(work, err) : PT_OK;
    while (any && code == PT_OK) code = sign_next(work, with_exceptions, &any, err);
    return code;
}

// --- What is remembered of the work ---

static size_t collect_signed(struct work *work, struct pack_id *packs, struct remembered_box *boxes, size_t *box_count) {
    const pt_millis now = work_true_now(&work->services);
    size_t count = 0;
    *box_count = 0;
    for (size_t i = 0; i < work->count; i++) {
        const struct work_item *item = &work->items[i];
        if (item->state != ITEM_SIGNED || work_items_pack(item, &packs[count], NULL) != PT_OK) continue;
        if (boxes) {
            const struct remembered_box *known = remembered_box(&work->remembered, &packs[count]);
            struct remembered_box *box = &boxes[(*box_count)++];
            *box = (struct remembered_box){.box = {.pack = packs[count], .units = item->units, .units_left = item->left,
                                                   .opened = known ? known->box.opened : now}, .changed = now};
            memcpy(box->box.expiry, item->expiry, strnlen(item->expiry, sizeof box->box.expiry - 1));
            if (!box->box.expiry[0] && known) memcpy(box->box.expiry, known->box.expiry, sizeof box->box.expiry);
        }
        count++;
    }
    return count;
}

// Said as absolute figures, so that saying it again after a crash changes nothing.
static void remember(struct work *work) {
    if (work->start.training || work->signed_so_far.packs == 0) return;
    const bool boxes_change = work->class == WORK_DISPENSE;
    PT_FREE struct pack_id *packs = calloc(work->count + 1, sizeof *packs);
    PT_FREE struct remembered_box *boxes = boxes_change ? calloc(work->count + 1, sizeof *boxes) : NULL;
    struct pt_error err = {0};
    struct remembered_change change = {.task = work->start.task->name, .packs = packs, .boxes = boxes};
    if (!packs || (boxes_change && !boxes)) return;
    change.count = collect_signed(work, packs, boxes, &change.box_count);
    if (remembered_note(&work->remembered, &change, work_true_now(&work->services), &err) != PT_OK) pt_log_error("handled-packs-not-written", &err);
}

static void notice_done(struct work *work) {
    struct pt_error err = {0};
    if (!work->start.notice || !work->services.reference || work->start.training || work->class != WORK_RECEIVE) return;
    if (reference_notice_done(work->services.reference, &work->notice.id, &err) != PT_OK && err.code != PT_NOT_FOUND) pt_log_error("notice-not-closed", &err);
}

static enum pt_code end(struct work *work, struct pt_error *err) {
    remember(work);
    const enum pt_code code = work_journal_end(work, err);
    if (code == PT_OK) work->begun = false;
    return code;
}

enum pt_code work_settle(struct work *work, struct work_signed *out, struct pt_error *err) {
    enum pt_code code = work_ready(work, err);
    if (code == PT_OK) code = sign_all(work, false, err);
    *out = work->signed_so_far;
    return code;
}

enum pt_code work_finish(struct work *work, struct work_signed *out, struct pt_error *err) {
    *out = (struct work_signed){0};
    enum pt_code code = work_ready(work, err);
    if (code != PT_OK) return code;
    if (work->counted == 0 && work->exception_count == 0) return pt_fail(err, PT_INVALID, "packs", "nothing was scanned");
    code = sign_all(work, true, err);
    *out = work->signed_so_far;
    if (code != PT_OK) return code;
    notice_done(work);
    return end(work, err);
}

enum pt_code work_drop(struct work *work, struct pt_error *err) {
    enum pt_code code = work_ready(work, err);
    if (code != PT_OK) return code;
    if (work->plan.pending) {
        struct trace trace;
        code = trace_plan(work, &trace, err);
        if (code != PT_OK) return code;
        if (trace.is_signed && trace.has_id && !trace.noted) note(&work->services, &trace.id, work->plan.sequence, pt_buf_bytes(&work->plan.payload));
        if (trace.is_signed) work_plan_settled(work, work->plan.sequence);
        else work_plan_void(work);
    }
    return end(work, err);
}
