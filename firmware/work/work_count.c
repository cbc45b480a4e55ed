// What was expected against what was counted.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "firmware/work/work_internal.h"

void work_counts(const struct work *work, struct work_counts *out) {
    *out = (struct work_counts){
        .counted = work->counted,
        .expected = work->notice.count,
        .matched = work->matched,
        .unexpected = work->unexpected,
        .exceptions = work->exception_count,
        .has_parent = work->has_parent,
    };
    if (work->has_parent) out->parent = work->parent;
}

// Cases and pallets, and whatever names no product, stand in one line.
static const char *product_of(const struct pack_id *pack) {
    return pack->kind == PACK_SGTIN || pack->kind == PACK_CN_TRACE || pack->kind == PACK_CN_COMPANY ? pack->product : "";
}

struct lines {
    struct work_line *items;
    size_t count, cap, last;
};

static struct work_line *line_of(struct lines *lines, const char *product) {
    // Neighbours are mostly of one product.
    if (lines->last < lines->count && strcmp(lines->items[lines->last].product, product) == 0) return &lines->items[lines->last];
    for (lines->last = 0; lines->last < lines->count; lines->last++)
        if (strcmp(lines->items[lines->last].product, product) == 0) return &lines->items[lines->last];
    if (lines->count == lines->cap) {
        const size_t cap = lines->cap ? lines->cap * 2 : 16;
        struct work_line *grown = realloc(lines->items, cap * sizeof *grown);
        if (!grown) return NULL;
        lines->items = grown;
        lines->cap = cap;
    }
    struct work_line *line = &lines->items[lines->count++];
    *line = (struct work_line){0};
    snprintf(line->product, sizeof line->product, "%s", product);
    return line;
}

static void name_line(const struct work *work, struct work_line *line, struct pt_arena *arena) {
    struct master_record record;
    if (!work->services.reference || !line->product[0]) return;
    if (reference_record(work->services.reference, MASTER_PRODUCT, line->product, work_true_now(&work->services), arena, &record, NULL) != PT_OK) return;
    snprintf(line->name_zh, sizeof line->name_zh, "%s", record.product.name.zh ? record.product.name.zh : "");
    snprintf(line->name_en, sizeof line->name_en, "%s", record.product.name.en ? record.product.name.en : "");
}

static int wrong_first(const void *a, const void *b) {
    const struct work_line *left = a;
    const struct work_line *right = b;
    const bool left_wrong = left->expected != left->counted;
    const bool right_wrong = right->expected != right->counted;
    if (left_wrong != right_wrong) return left_wrong ? -1 : 1;
    return strcmp(left->product, right->product);
}

static enum pt_code fill(const struct work *work, struct lines *lines, struct pt_error *err) {
    for (size_t i = 0; i < work->notice.count; i++) {
        struct work_line *line = line_of(lines, product_of(&work->notice.packs[i]));
        if (!line) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
        line->expected++;
    }
    for (size_t i = 0; i < work->count; i++) {
        struct pack_id pack;
        if (work->items[i].gone) continue;
        const enum pt_code code = work_items_pack(&work->items[i], &pack, err);
        if (code != PT_OK) return code;
        struct work_line *line = line_of(lines, product_of(&pack));
        if (!line) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
        line->counted++;
    }
    return PT_OK;
}

enum pt_code work_lines(const struct work *work, struct pt_arena *arena, struct work_line **out, size_t *count, struct pt_error *err) {
    struct lines lines = {0};
    *out = NULL;
    *count = 0;
    enum pt_code code = fill(work, &lines, err);
    struct work_line *kept = code == PT_OK ? pt_arena_alloc(arena, lines.count + 1, sizeof *kept) : NULL;
    if (code == PT_OK && !kept) code = pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    if (code == PT_OK) {
        if (lines.count) memcpy(kept, lines.items, lines.count * sizeof *kept);
        for (size_t i = 0; i < lines.count; i++) name_line(work, &kept[i], arena);
        // Without a notice no line is wrong: nothing was expected.
        if (work->start.notice && lines.count > 1) qsort(kept, lines.count, sizeof *kept, wrong_first);
        *out = kept;
        *count = lines.count;
    }
    free(lines.items);
    return code;
}

enum pt_code work_except(struct work *work, enum work_exception kind, const struct pack_id *pack, uint64_t quantity, const char *note,
                         struct pt_error *err) {
    uint8_t bytes[PACK_KEY_MAX + 2];
    struct pt_buf key = PT_BUF_OVER(bytes);
    enum pt_code code = work_ready(work, err);
    if (code != PT_OK) return code;
    if (kind < WORK_TOO_MANY || kind > WORK_OTHER) return pt_fail(err, PT_INVALID, "exception", "there is no such exception");
    if (note && (strlen(note) > WORK_NOTE_MAX || !pt_utf8_valid(pt_bytes_str(note))))
        return pt_fail(err, PT_INVALID, "note", "a note is text of at most %u bytes", WORK_NOTE_MAX);
    if (quantity > INT64_MAX) return pt_fail(err, PT_INVALID, "quantity", "is too large");
    if (pack) code = pack_id_key(pack, &key, err);
    if (code != PT_OK) return code;
    const struct work_exception_item item = {.kind = kind, .key = pt_buf_bytes(&key), .quantity = quantity, .note = note ? note : ""};
    code = work_journal_exception(work, &item, err);
    return code == PT_OK ? work_items_except(work, &item, err) : code;
}
