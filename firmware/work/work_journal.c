// The journal of the work under way: one CBOR array a record, replayed at resume. An end record empties it; its segments go
// with the next work.
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/cose/cbor.h"
#include "firmware/work/work_internal.h"

// Never renumbered.
enum record_kind {
    RECORD_BEGIN = 1,      // [1, task, source, destination, transaction type, transaction, only product, staff, units, unverified, notice]
    RECORD_EXPECTED = 2,   // [2, [key, …]]: further packs of the notice
    RECORD_ITEM = 3,       // [3, key, lot, expiry, insisted, tap, units, left, flags]
    RECORD_PARENT = 4,     // [4, key]; no bytes: taken out
    RECORD_REMOVED = 5,    // [5, number]
    RECORD_VERIFIED = 6,   // [6, number]
    RECORD_EXCEPTION = 7,  // [7, kind, key, quantity, note]
    RECORD_PLAN = 8,       // [8, sequence, exception or null, [number, …], payload]
    RECORD_SIGNED = 9,     // [9, sequence]
    RECORD_VOID = 10,      // [10]: the plan before it comes to nothing
    RECORD_END = 11,       // [11]
};

enum { SEGMENT_BYTES = 1024 * 1024, NOTICE_CHUNK = 5000, FLAG_EXPECTED = 1, FLAG_UNEXPECTED = 2, FLAG_UNVERIFIED = 4 };

// --- Writing ---

static enum pt_code write_record(struct work *work, const struct pt_buf *record, bool durable, struct pt_error *err) {
    if (work->start.training) return PT_OK;
    const struct pt_bytes part = pt_buf_bytes(record);
    enum pt_code code = pt_buf_check(record, err);
    if (code != PT_OK) return code;
    code = pt_journal_append(work->journal, &part, 1, NULL, err);
    if (code == PT_OK && durable) code = pt_journal_sync(work->journal, err);
    if (code != PT_OK) work->broken = true;
    return code;
}

static void put_text(struct pt_buf *out, const char *text) {
    if (text) cbor_put_text(out, text);
    else cbor_put_null(out);
}

static void put_pack(struct pt_buf *out, const struct pack_id *pack) {
    uint8_t bytes[PACK_KEY_MAX + 2];
    struct pt_buf key = PT_BUF_OVER(bytes);
    if (pack_id_key(pack, &key, NULL) == PT_OK) cbor_put_bytes(out, pt_buf_bytes(&key));
    else out->failed = true;
}

static enum pt_code begin_expected(struct work *work, struct pt_error *err) {
    const struct shipping_notice *notice = &work->notice;
    enum pt_code code = PT_OK;
    for (size_t at = 0; work->start.notice && at < notice->count && code == PT_OK; at += NOTICE_CHUNK) {
        PT_CLEANUP(pt_buf_free) struct pt_buf record = PT_BUF_INIT(PT_JOURNAL_MAX_RECORD);
        const size_t count = notice->count - at < NOTICE_CHUNK ? notice->count - at : NOTICE_CHUNK;
        cbor_put_array(&record, 2);
        cbor_put_uint(&record, RECORD_EXPECTED);
        cbor_put_array(&record, count);
        for (size_t i = at; i < at + count; i++) put_pack(&record, &notice->packs[i]);
        code = write_record(work, &record, false, err);
    }
    return code;
}

enum pt_code work_journal_begin(struct work *work, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf record = PT_BUF_INIT(PT_JOURNAL_MAX_RECORD);
    const struct work_start *start = &work->start;
    const struct shipping_notice *notice = start->notice;
    if (start->training) return PT_OK;
    // What was worked before is over: its segments need not be read again.
    enum pt_code code = pt_journal_drop_before(work->journal, pt_journal_next(work->journal), err);
    cbor_put_array(&record, 11);
    cbor_put_uint(&record, RECORD_BEGIN);
    cbor_put_text(&record, start->task->name);
    put_text(&record, start->source);
    put_text(&record, start->destination);
    put_text(&record, start->transaction_type);
    put_text(&record, start->transaction);
    put_text(&record, start->only_product);
    put_text(&record, start->staff);
    cbor_put_uint(&record, start->units);
    cbor_put_bool(&record, start->allow_unverified);
    if (notice) {
        cbor_put_array(&record, 7);
        cbor_put_uint(&record, notice->count);
        cbor_put_bytes(&record, pt_bytes_digest(&notice->id));
        cbor_put_int(&record, notice->sent);
        put_text(&record, notice->source);
        put_text(&record, notice->destination);
        put_text(&record, notice->transaction_type);
        put_text(&record, notice->transaction);
    } else cbor_put_null(&record);
    if (code == PT_OK) code = write_record(work, &record, false, err);
    if (code == PT_OK) code = begin_expected(work, err);
    if (code == PT_OK) code = pt_journal_sync(work->journal, err);
    if (code != PT_OK) work->broken = true;
    return code;
}

enum pt_code work_journal_item(struct work *work, const struct work_item *item, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf record = PT_BUF_INIT(4096);
    cbor_put_array(&record, 9);
    cbor_put_uint(&record, RECORD_ITEM);
    cbor_put_bytes(&record, item->key);
    cbor_put_text(&record, item->lot);
    cbor_put_text(&record, item->expiry);
    cbor_put_text(&record, item->insisted);
    cbor_put_text(&record, item->tap);
    cbor_put_int(&record, item->units);
    cbor_put_int(&record, item->left);
    cbor_put_uint(&record, (item->expected ? FLAG_EXPECTED : 0u) | (item->unexpected ? FLAG_UNEXPECTED : 0u) | (item->unverified ? FLAG_UNVERIFIED : 0u));
    return write_record(work, &record, true, err);
}

enum pt_code work_journal_parent(struct work *work, const struct pack_id *parent, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf record = PT_BUF_INIT(4096);
    cbor_put_array(&record, 2);
    cbor_put_uint(&record, RECORD_PARENT);
    if (parent) put_pack(&record, parent);
    else cbor_put_bytes(&record, pt_bytes_of(NULL, 0));
    return write_record(work, &record, true, err);
}

static enum pt_code number_record(struct work *work, enum record_kind kind, uint64_t number, bool durable, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf record = PT_BUF_INIT(64);
    cbor_put_array(&record, 2);
    cbor_put_uint(&record, kind);
    cbor_put_uint(&record, number);
    return write_record(work, &record, durable, err);
}

enum pt_code work_journal_removed(struct work *work, uint32_t at, struct pt_error *err) { return number_record(work, RECORD_REMOVED, at, true, err); }

enum pt_code work_journal_verified(struct work *work, uint32_t at, struct pt_error *err) { return number_record(work, RECORD_VERIFIED, at, false, err); }

enum pt_code work_journal_signed(struct work *work, uint64_t sequence, struct pt_error *err) {
    return number_record(work, RECORD_SIGNED, sequence, false, err);
}

enum pt_code work_journal_exception(struct work *work, const struct work_exception_item *item, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf record = PT_BUF_INIT(4096);
    cbor_put_array(&record, 5);
    cbor_put_uint(&record, RECORD_EXCEPTION);
    cbor_put_uint(&record, item->kind);
    cbor_put_bytes(&record, item->key);
    cbor_put_uint(&record, item->quantity);
    cbor_put_text(&record, item->note);
    return write_record(work, &record, true, err);
}

enum pt_code work_journal_plan(struct work *work, const struct work_plan *plan, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf record = PT_BUF_INIT(PT_JOURNAL_MAX_RECORD);
    cbor_put_array(&record, 5);
    cbor_put_uint(&record, RECORD_PLAN);
    cbor_put_uint(&record, plan->sequence);
    if (plan->is_exception) cbor_put_uint(&record, plan->exception);
    else cbor_put_null(&record);
    cbor_put_array(&record, plan->count);
    for (size_t i = 0; i < plan->count; i++) cbor_put_uint(&record, plan->items[i]);
    cbor_put_bytes(&record, pt_buf_bytes(&plan->payload));
    return write_record(work, &record, true, err);
}

static enum pt_code bare_record(struct work *work, enum record_kind kind, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf record = PT_BUF_INIT(64);
    cbor_put_array(&record, 1);
    cbor_put_uint(&record, kind);
    return write_record(work, &record, true, err);
}

enum pt_code work_journal_void(struct work *work, struct pt_error *err) { return bare_record(work, RECORD_VOID, err); }

enum pt_code work_journal_end(struct work *work, struct pt_error *err) { return bare_record(work, RECORD_END, err); }

// --- The plan in memory ---

static void mark_plan(struct work *work, uint8_t state) {
    struct work_plan *plan = &work->plan;
    for (size_t i = 0; i < plan->count; i++) work->items[plan->items[i]].state = state;
    if (plan->is_exception) work->exceptions[plan->exception].state = state;
    plan->pending = state == ITEM_PLANNED;
}

void work_plan_made(struct work *work) { mark_plan(work, ITEM_PLANNED); }

void work_plan_settled(struct work *work, uint64_t sequence) {
    if (!work->plan.pending) return;
    mark_plan(work, ITEM_SIGNED);
    work->signed_so_far.events++;
    work->signed_so_far.packs += work->plan.count;
    work->signed_so_far.last_sequence = sequence;
}

void work_plan_void(struct work *work) {
    if (work->plan.pending) mark_plan(work, ITEM_OPEN);
}

// --- Replaying ---

// A text or null; the bytes live only during the visit, so a copy is made.
static const char *get_text(struct work *work, struct cbor_reader *reader) {
    if (cbor_get_null_if(reader)) return NULL;
    const struct pt_bytes text = cbor_get_text(reader);
    const char *copy = cbor_failed(reader) ? NULL : pt_arena_strdup(&work->arena, text);
    if (!copy) cbor_fail(reader, "no memory for a text");
    return copy;
}

static enum pt_code replay_begin(struct work *work, struct cbor_reader *reader, struct pt_error *err) {
    struct work_start start = {0};
    struct shipping_notice notice = {0};
    uint64_t packs = 0;
    work_items_clear(work);
    const char *name = get_text(work, reader);
    start.task = name ? task_by_name(name) : NULL;
    const char **texts[] = {&start.source, &start.destination, &start.transaction_type, &start.transaction, &start.only_product, &start.staff};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) *texts[i] = get_text(work, reader);
    start.units = cbor_get_uint(reader);
    start.allow_unverified = cbor_get_bool(reader);
    if (!cbor_get_null_if(reader)) {
        cbor_expect_array(reader, 7);
        packs = cbor_get_count(reader);
        cbor_get_digest(reader, &notice.id);
        notice.sent = cbor_get_int(reader);
        const char **names[] = {&notice.source, &notice.destination, &notice.transaction_type, &notice.transaction};
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) *names[i] = get_text(work, reader);
        start.notice = &notice;
    }
    if (cbor_failed(reader)) return reader->code;
    if (!start.task) return pt_fail(err, PT_UNVERIFIED, "work", "the work is of a task that is not known");
    work->begun = true;
    return work_adopt(work, &start, (size_t)packs, err);
}

static enum pt_code replay_expected(struct work *work, struct cbor_reader *reader, struct pt_error *err) {
    const uint64_t count = cbor_get_array(reader, NOTICE_CHUNK);
    if (cbor_failed(reader)) return reader->code;
    enum pt_code code = PT_OK;
    for (uint64_t i = 0; i < count && code == PT_OK; i++) {
        struct pack_id pack;
        code = pack_id_from_key(cbor_get_bytes(reader), &pack, err);
        if (code == PT_OK) code = work_expect_pack(work, &pack, err);
    }
    return code;
}

static enum pt_code replay_item(struct work *work, struct cbor_reader *reader, struct pt_error *err) {
    struct work_item item = {.key = cbor_get_bytes(reader)};
    char texts[4][WORK_TAP_MAX + 128];
    const char **fields[] = {&item.lot, &item.expiry, &item.insisted, &item.tap};
    for (size_t i = 0; i < 4; i++) {
        const struct pt_bytes text = cbor_expect_text(reader, 0, sizeof texts[i] - 1);
        if (text.len) memcpy(texts[i], text.data, text.len);
        texts[i][text.len] = 0;
        *fields[i] = texts[i];
    }
    item.units = cbor_get_int(reader);
    item.left = cbor_get_int(reader);
    const uint64_t flags = cbor_get_uint(reader);
    item.expected = flags & FLAG_EXPECTED;
    item.unexpected = flags & FLAG_UNEXPECTED;
    item.unverified = flags & FLAG_UNVERIFIED;
    return cbor_failed(reader) ? reader->code : work_items_add(work, &item, err);
}

static enum pt_code replay_parent(struct work *work, struct cbor_reader *reader, struct pt_error *err) {
    const struct pt_bytes key = cbor_get_bytes(reader);
    work->has_parent = false;
    if (cbor_failed(reader) || key.len == 0) return reader->code;
    work->has_parent = true;
    work->parent_at = work->count;
    return pack_id_from_key(key, &work->parent, err);
}

static enum pt_code replay_number(struct work *work, struct cbor_reader *reader, bool removed, struct pt_error *err) {
    const uint64_t at = cbor_get_uint(reader);
    if (cbor_failed(reader)) return reader->code;
    if (at >= work->count) return pt_fail(err, PT_UNVERIFIED, "work", "a record names a pack that is not there");
    if (removed) work_items_remove(work, (uint32_t)at);
    else work->items[at].unverified = false;
    return PT_OK;
}

static enum pt_code replay_exception(struct work *work, struct cbor_reader *reader, struct pt_error *err) {
    struct work_exception_item item = {.kind = (enum work_exception)cbor_get_uint(reader)};
    char note[WORK_NOTE_MAX + 1] = "";
    item.key = cbor_get_bytes(reader);
    item.quantity = cbor_get_uint(reader);
    const struct pt_bytes text = cbor_expect_text(reader, 0, WORK_NOTE_MAX);
    if (text.len) memcpy(note, text.data, text.len);
    item.note = note;
    return cbor_failed(reader) ? reader->code : work_items_except(work, &item, err);
}

static enum pt_code replay_plan(struct work *work, struct cbor_reader *reader, struct pt_error *err) {
    struct work_plan *plan = &work->plan;
    work_plan_void(work);
    plan->sequence = cbor_get_uint(reader);
    plan->is_exception = !cbor_get_null_if(reader);
    plan->exception = plan->is_exception ? (uint32_t)cbor_get_uint(reader) : 0;
    plan->count = (size_t)cbor_get_array(reader, work->count);
    if (cbor_failed(reader)) return reader->code;
    uint32_t *items = realloc(plan->items, (plan->count + 1) * sizeof *items);
    if (!items) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    plan->items = items;
    for (size_t i = 0; i < plan->count; i++) {
        items[i] = (uint32_t)cbor_get_uint(reader);
        if (items[i] >= work->count) return pt_fail(err, PT_UNVERIFIED, "work", "a plan names a pack that is not there");
    }
    pt_buf_clear(&plan->payload);
    pt_buf_append_bytes(&plan->payload, cbor_get_bytes(reader));
    if (cbor_failed(reader)) return reader->code;
    if (plan->is_exception && plan->exception >= work->exception_count)
        return pt_fail(err, PT_UNVERIFIED, "work", "a plan names an exception that is not there");
    work_plan_made(work);
    return pt_buf_check(&plan->payload, err);
}

static enum pt_code replay_record(struct work *work, struct cbor_reader *reader, struct pt_error *err) {
    cbor_get_array(reader, 11);
    const uint64_t kind = cbor_get_uint(reader);
    if (cbor_failed(reader)) return reader->code;
    if (kind != RECORD_BEGIN && !work->begun) {  // behind an end: left over, and read past
        while (reader->at < reader->buffer.len && !cbor_failed(reader)) cbor_skip(reader);
        return reader->code;
    }
    switch (kind) {
    case RECORD_BEGIN: return replay_begin(work, reader, err);
    case RECORD_EXPECTED: return replay_expected(work, reader, err);
    case RECORD_ITEM: return replay_item(work, reader, err);
    case RECORD_PARENT: return replay_parent(work, reader, err);
    case RECORD_REMOVED: return replay_number(work, reader, true, err);
    case RECORD_VERIFIED: return replay_number(work, reader, false, err);
    case RECORD_EXCEPTION: return replay_exception(work, reader, err);
    case RECORD_PLAN: return replay_plan(work, reader, err);
    case RECORD_SIGNED: work_plan_settled(work, cbor_get_uint(reader)); return reader->code;
    case RECORD_VOID: work_plan_void(work); return PT_OK;
    case RECORD_END: work_items_clear(work); return PT_OK;
    default: return pt_fail(err, PT_UNVERIFIED, "work", "a record is of an unknown kind; a newer version wrote it?");
    }
}

static enum pt_code replay(void *arg, const struct pt_journal_position *position, struct pt_bytes record, struct pt_error *err) {
    (void)position;
    struct cbor_reader reader = cbor_reader_of(record, true, err);
    const enum pt_code code = replay_record(arg, &reader, err);
    return code == PT_OK ? cbor_finish(&reader) : code;
}

enum pt_code work_journal_open(struct work *work, struct pt_error *err) {
    const struct pt_journal_options options = {.segment_bytes = SEGMENT_BYTES};
    work_items_clear(work);
    return pt_journal_open(&work->part.disk, &options, replay, work, &work->journal, err);
}
