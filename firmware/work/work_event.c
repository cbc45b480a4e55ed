// What was counted becomes EPCIS events.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/epcis/epcis_validate.h"
#include "common/epcis/event_cbor.h"
#include "common/epcis/event_hash.h"
#include "common/epcis/packtrail_terms.h"
#include "firmware/work/work_internal.h"

// A class of which nothing is known, as the Tag Data Standard writes a pattern that every serialised pack fits.
#define ANY_PRODUCT "urn:epc:idpat:sgtin:*.*.*"

static int64_t clock_error(const struct work_services *services) {
    struct clock_status status;
    if (!services->clock) return -1;
    clock_guard_status(services->clock, &status);
    return status.error_s;
}

static const char *staff_of(const struct work *work) { return work->start.staff && work->start.staff[0] ? work->start.staff : NULL; }

enum pt_code work_event_encode(const struct epcis_event *event, struct pt_buf *payload, struct pt_error *err) {
    const enum pt_code code = epcis_event_validate(event, err);
    pt_buf_clear(payload);
    return code == PT_OK ? epcis_cbor_encode(event, payload, err) : code;
}

enum pt_code work_event_id(struct pt_bytes payload, char out[EPCIS_EVENT_HASH_SIZE], struct pt_error *err) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct epcis_event event;
    const enum pt_code code = epcis_cbor_decode(payload, &arena, &event, err);
    return code == PT_OK ? epcis_event_hash(&event, NULL, out, err) : code;
}

// --- Packs ---

struct texts {
    const char **items;
    size_t count;
};

static enum pt_code add_text(struct texts *texts, const char *text, struct pt_error *err) {
    if (!text) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    texts->items[texts->count++] = text;
    return PT_OK;
}

// One text for each word of "word,word".
static enum pt_code add_words(struct texts *insisted, const struct work_item *item, const char *epc, struct pt_arena *arena, struct pt_error *err) {
    enum pt_code code = PT_OK;
    for (const char *at = item->insisted; *at && code == PT_OK;) {
        const size_t len = strcspn(at, ",");
        code = add_text(insisted, pt_arena_printf(arena, "%s;%.*s", epc, (int)len, at), err);
        at += len + (at[len] == ',');
    }
    if (code == PT_OK && item->unverified) code = add_text(insisted, pt_arena_printf(arena, "%s;not_verified", epc), err);
    return code;
}

static enum pt_code tell_items(const struct work *work, const struct work_plan *plan, const struct task_pack *packs, struct pt_arena *arena,
                               struct texts *taps, struct texts *insisted, struct pt_error *err) {
    taps->items = pt_arena_alloc(arena, plan->count + 1, sizeof *taps->items);
    insisted->items = pt_arena_alloc(arena, plan->count * (WORK_FINDINGS + 1) + 1, sizeof *insisted->items);
    if (!taps->items || !insisted->items) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    enum pt_code code = PT_OK;
    for (size_t i = 0; i < plan->count && code == PT_OK; i++) {
        const struct work_item *item = &work->items[plan->items[i]];
        if (item->tap[0]) code = add_text(taps, item->tap, err);
        if (code != PT_OK || (!item->insisted[0] && !item->unverified)) continue;
        PT_CLEANUP(pt_buf_free) struct pt_buf uri = PT_BUF_INIT(PACK_URI_MAX);
        code = pack_id_uri(&packs[i].id, &uri, err);
        if (code == PT_OK) code = add_words(insisted, item, pt_buf_cstr(&uri), arena, err);
    }
    return code;
}

static enum pt_code collect(const struct work *work, const struct work_plan *plan, struct task_pack *packs, struct pt_error *err) {
    for (size_t i = 0; i < plan->count; i++) {
        const struct work_item *item = &work->items[plan->items[i]];
        const enum pt_code code = work_items_pack(item, &packs[i].id, err);
        if (code != PT_OK) return code;
        snprintf(packs[i].lot, sizeof packs[i].lot, "%s", item->lot);
        snprintf(packs[i].expiry, sizeof packs[i].expiry, "%s", item->expiry);
    }
    return PT_OK;
}

// The order that the work belongs to: as chosen, else the notice's.
static void set_papers(const struct work *work, struct task_input *input) {
    const struct work_start *start = &work->start;
    input->source = start->source ? start->source : work->notice.source;
    input->destination = start->destination;
    input->biz_transaction_type = start->transaction ? start->transaction_type : work->notice.transaction_type;
    input->biz_transaction = start->transaction ? start->transaction : work->notice.transaction;
}

enum pt_code work_event_build(struct work *work, struct work_plan *plan, struct pt_error *err) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    PT_FREE struct task_pack *packs = calloc(plan->count + 1, sizeof *packs);
    struct texts taps = {0};
    struct texts insisted = {0};
    struct epcis_event event;
    if (!packs) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    enum pt_code code = PT_OK;
    if (plan->is_exception) code = work_event_exception(work, &work->exceptions[plan->exception], &arena, &event, err);
    else {
        code = collect(work, plan, packs, err);
        if (code == PT_OK) code = tell_items(work, plan, packs, &arena, &taps, &insisted, err);
        struct task_input input = {
            .task = work->start.task,
            .packs = packs,
            .count = plan->count,
            .parent = work->has_parent ? &work->parent : NULL,
            .place = work->services.place,
            .units = work->class == WORK_DISPENSE || work->class == WORK_TAKE_BACK ? work->start.units : 0,
            .now = work_now(&work->services),
            .zone_minutes = work->services.zone_minutes,
            .clock_error_s = clock_error(&work->services),
            .staff = staff_of(work),
            .taps = taps.items,
            .tap_count = taps.count,
            .insisted = insisted.items,
            .insisted_count = insisted.count,
        };
        set_papers(work, &input);
        if (code == PT_OK) code = task_event(&input, &arena, &event, err);
    }
    return code == PT_OK ? work_event_encode(&event, &plan->payload, err) : code;
}

// --- Exceptions ---

// CBV 2.0 dispositions. A pack that is only missing was not seen: nothing is said of its state.
static const struct {
    enum work_exception kind;
    const char *word, *disposition;
} exceptions[] = {
    {WORK_TOO_MANY, "too_many", "mismatch_quantity"}, {WORK_TOO_FEW, "too_few", "mismatch_quantity"},
    {WORK_DAMAGED, "damaged", "damaged"},             {WORK_NO_DATA, "no_data", "no_pedigree_match"},
    {WORK_NO_PRODUCT, "no_product", "mismatch_instance"}, {WORK_OTHER, "other", NULL},
};

static const char *class_uri(const struct work *work, const struct pack_id *pack, const char *product, struct pt_arena *arena) {
    struct master_record record;
    if (strlen(product) == 14) return pt_arena_printf(arena, "https://id.gs1.org/01/%s", product);
    struct pack_id asked = {.kind = PACK_CN_TRACE};
    snprintf(asked.product, sizeof asked.product, "%s", product);
    // A Chinese drug identifier has no class URI of its own; its product's record has one.
    if (work->services.reference && strlen(product) == CN_DRUG_DIGITS &&
        reference_product(work->services.reference, pack ? pack : &asked, work_true_now(&work->services), arena, &record, NULL) == PT_OK)
        return pt_arena_strdup(arena, pt_bytes_str(record.product.id));
    if (strlen(product) == CN_DRUG_DIGITS) return pt_arena_printf(arena, "urn:packtrail:cn:product:%s", product);
    return ANY_PRODUCT;
}

static size_t difference(const struct work_line *line, enum work_exception kind) {
    switch (kind) {
    case WORK_TOO_MANY: return line->counted > line->expected ? line->counted - line->expected : 0;
    case WORK_TOO_FEW:
    case WORK_NO_PRODUCT: return line->expected > line->counted ? line->expected - line->counted : 0;
    case WORK_NO_DATA: return line->expected == 0 ? line->counted : 0;
    case WORK_DAMAGED:
    case WORK_OTHER: break;
    }
    return 0;
}

static struct epcis_number number_of(uint64_t value) {
    const int64_t integer = value > INT64_MAX ? INT64_MAX : (int64_t)value;
    return (struct epcis_number){value > 0, true, integer, (double)integer};
}

// An event about a count names classes: those whose counts differ, else the one that the work is about, else any.
static enum pt_code set_quantities(struct work *work, const struct work_exception_item *item, struct pt_arena *arena, struct epcis_event *out,
                                   struct pt_error *err) {
    struct work_line *lines;
    size_t count;
    const enum pt_code code = work_lines(work, arena, &lines, &count, err);
    if (code != PT_OK) return code;
    struct epcis_quantity *items = pt_arena_alloc(arena, count + 1, sizeof *items);
    if (!items) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    size_t filled = 0;
    for (size_t i = 0; work->start.notice && i < count; i++) {
        const size_t differs = difference(&lines[i], item->kind);
        if (differs > 0) items[filled++] = (struct epcis_quantity){class_uri(work, NULL, lines[i].product, arena), number_of(differs), NULL};
    }
    if (filled == 0) {
        const char *product = work->start.only_product ? work->start.only_product : count == 1 ? lines[0].product : "";
        items[filled++] = (struct epcis_quantity){class_uri(work, NULL, product, arena), number_of(item->quantity), NULL};
    }
    if (filled == 1 && item->quantity > 0) items[0].quantity = number_of(item->quantity);
    for (size_t i = 0; i < filled; i++)
        if (!items[i].epc_class) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    out->quantities = (struct epcis_quantities){items, filled};
    return PT_OK;
}

// A pack that was seen is named as seen; one that is missing only as what the report is about.
static enum pt_code set_exception_pack(struct work *work, const struct work_exception_item *item, struct pt_arena *arena,
                                       struct epcis_event *out, struct pt_error *err) {
    struct pack_id pack;
    PT_CLEANUP(pt_buf_free) struct pt_buf uri = PT_BUF_INIT(PACK_URI_MAX);
    enum pt_code code = pack_id_from_key(item->key, &pack, err);
    if (code == PT_OK) code = pack_id_uri(&pack, &uri, err);
    if (code != PT_OK) return code;
    const char *text = pt_arena_strdup(arena, pt_buf_bytes(&uri));
    const char **items = pt_arena_alloc(arena, 1, sizeof *items);
    struct epcis_quantity *quantity = pt_arena_alloc(arena, 1, sizeof *quantity);
    if (!text || !items || !quantity) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    if (item->kind != WORK_NO_PRODUCT && item->kind != WORK_TOO_FEW) {
        items[0] = text;
        out->epcs = (struct epcis_texts){items, 1};
        return PT_OK;
    }
    const char *product = pack.kind == PACK_SGTIN || pack.kind == PACK_CN_TRACE ? pack.product : "";
    *quantity = (struct epcis_quantity){class_uri(work, &pack, product, arena), number_of(1), NULL};
    if (!quantity->epc_class) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    out->quantities = (struct epcis_quantities){quantity, 1};
    return task_add_text(out, arena, PACKTRAIL_TERM_EXCEPTION_PACK, text, err);
}

static enum pt_code set_exception_terms(struct work *work, const struct work_exception_item *item, const char *word, struct pt_arena *arena,
                                        struct epcis_event *out, struct pt_error *err) {
    enum pt_code code = task_add_text(out, arena, PACKTRAIL_TERM_EXCEPTION, word, err);
    if (code == PT_OK && item->quantity > 0)
        code = task_add_integer(out, arena, PACKTRAIL_TERM_EXCEPTION_QUANTITY, item->quantity > INT64_MAX ? INT64_MAX : (int64_t)item->quantity, err);
    if (code == PT_OK) code = task_add_text(out, arena, PACKTRAIL_TERM_EXCEPTION_NOTE, item->note, err);
    return code == PT_OK ? task_capture(out, arena, staff_of(work), clock_error(&work->services), err) : code;
}

static enum pt_code set_exception_papers(struct work *work, struct pt_arena *arena, struct epcis_event *out, struct pt_error *err) {
    struct task_input papers = {0};
    set_papers(work, &papers);
    struct epcis_reference *references = pt_arena_alloc(arena, 2, sizeof *references);
    if (!references) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    references[0] = (struct epcis_reference){papers.biz_transaction_type, papers.biz_transaction};
    references[1] = (struct epcis_reference){"possessing_party", papers.source};
    if (papers.biz_transaction) out->biz_transactions = (struct epcis_references){&references[0], 1};
    if (papers.source) out->sources = (struct epcis_references){&references[1], 1};
    return PT_OK;
}

enum pt_code work_event_exception(struct work *work, const struct work_exception_item *item, struct pt_arena *arena, struct epcis_event *out,
                                  struct pt_error *err) {
    size_t row = 0;
    while (row < sizeof exceptions / sizeof exceptions[0] && exceptions[row].kind != item->kind) row++;
    if (row == sizeof exceptions / sizeof exceptions[0]) return pt_fail(err, PT_INVALID, "exception", "there is no such exception");
    *out = (struct epcis_event){
        .type = EPCIS_OBJECT,
        .action = EPCIS_OBSERVE,
        .event_time = pt_instant_from_millis(work_now(&work->services)),
        .has_event_time = true,
        .event_time_zone_offset = work->services.zone_minutes,
        .has_event_time_zone_offset = true,
        .biz_step = "inspecting",
        .disposition = exceptions[row].disposition,
        .read_point.id = work->services.place,
        .biz_location.id = work->services.place,
    };
    enum pt_code code = item->key.len ? set_exception_pack(work, item, arena, out, err) : set_quantities(work, item, arena, out, err);
    if (code == PT_OK) code = set_exception_terms(work, item, exceptions[row].word, arena, out, err);
    return code == PT_OK ? set_exception_papers(work, arena, out, err) : code;
}
