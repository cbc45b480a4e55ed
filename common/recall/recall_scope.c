#include <string.h>

#include "common/recall/recall_notice.h"

enum { KEY_LOTS = 1, KEY_RANGES = 2, KEY_TERRITORIES = 3 };

// --- Judging ---

static int serial_order(const char *a, const char *b) {
    const size_t x = strlen(a), y = strlen(b);
    return x != y ? (x < y ? -1 : 1) : strcmp(a, b);
}

bool recall_serial_in(const struct recall_scope *scope, const char *serial) {
    if (scope->range_count == 0) return true;
    size_t low = 0, high = scope->range_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (serial_order(serial, scope->ranges[middle].from) < 0) high = middle;
        else if (serial_order(serial, scope->ranges[middle].to) > 0) low = middle + 1;
        else return true;
    }
    return false;
}

static bool listed(const char *const *texts, size_t count, const char *wanted) {
    size_t low = 0, high = count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = strcmp(wanted, texts[middle]);
        if (order == 0) return true;
        if (order < 0) high = middle;
        else low = middle + 1;
    }
    return false;
}

// CN-SX lies in CN. A place of which only CN is known may lie in CN-SX.
static bool in_territory(const struct recall_scope *scope, const char *territory, bool *unsure) {
    char country[3] = {territory[0], territory[0] ? territory[1] : 0, 0};
    if (listed(scope->territories, scope->territory_count, territory)) return true;
    if (listed(scope->territories, scope->territory_count, country)) return true;
    for (size_t i = 0; territory[0] && !territory[2] && i < scope->territory_count; i++)
        if (strncmp(scope->territories[i], country, 2) == 0) *unsure = true;
    return *unsure;
}

bool recall_scope_covers(const struct recall_scope *scope, const struct recall_question *question, unsigned *doubt) {
    *doubt = 0;
    if (!recall_serial_in(scope, question->serial)) return false;
    if (scope->lot_count > 0) {
        if (!question->lot || !question->lot[0]) *doubt |= RECALL_DOUBT_LOT;
        else if (!listed(scope->lots, scope->lot_count, question->lot)) return false;
    }
    if (scope->territory_count > 0) {
        bool unsure = !question->territory || !question->territory[0];
        if (!unsure && !in_territory(scope, question->territory, &unsure)) return false;
        if (unsure) *doubt |= RECALL_DOUBT_TERRITORY;
    }
    return true;
}

// --- A recall grows ---

static bool all_listed(const char *const *newer, size_t newer_count, const char *const *older, size_t older_count) {
    for (size_t i = 0; i < older_count; i++)
        if (!listed(newer, newer_count, older[i])) return false;
    return true;
}

static bool includes(const char *const *newer, size_t newer_count, const char *const *older, size_t older_count) {
    return newer_count == 0 || (older_count > 0 && all_listed(newer, newer_count, older, older_count));
}

static bool includes_ranges(const struct recall_scope *newer, const struct recall_scope *older) {
    if (newer->range_count == 0) return true;
    for (size_t i = 0; i < older->range_count; i++) {
        bool found = false;
        for (size_t j = 0; j < newer->range_count && !found; j++)
            found = serial_order(newer->ranges[j].from, older->ranges[i].from) <= 0 &&
                    serial_order(newer->ranges[j].to, older->ranges[i].to) >= 0;
        if (!found) return false;
    }
    return older->range_count > 0;
}

bool recall_notice_includes(const struct recall_notice *newer, const struct recall_notice *older) {
    return all_listed(newer->products, newer->product_count, older->products, older->product_count) &&
           includes(newer->scope.lots, newer->scope.lot_count, older->scope.lots, older->scope.lot_count) &&
           includes_ranges(&newer->scope, &older->scope) &&
           includes(newer->scope.territories, newer->scope.territory_count, older->scope.territories,
                    older->scope.territory_count) &&
           newer->depth >= older->depth;
}

// --- CBOR ---

static void put_texts(struct pt_buf *out, unsigned key, const char *const *texts, size_t count) {
    if (count == 0) return;
    cbor_put_uint(out, key);
    cbor_put_array(out, count);
    for (size_t i = 0; i < count; i++) cbor_put_text(out, texts[i]);
}

void recall_scope_put(const struct recall_scope *scope, struct pt_buf *out) {
    cbor_put_map(out, (uint64_t)(scope->lot_count > 0) + (scope->range_count > 0) + (scope->territory_count > 0));
    put_texts(out, KEY_LOTS, scope->lots, scope->lot_count);
    if (scope->range_count > 0) {
        cbor_put_uint(out, KEY_RANGES);
        cbor_put_array(out, scope->range_count);
    }
    for (size_t i = 0; i < scope->range_count; i++) {
        cbor_put_array(out, 2);
        cbor_put_text(out, scope->ranges[i].from);
        cbor_put_text(out, scope->ranges[i].to);
    }
    put_texts(out, KEY_TERRITORIES, scope->territories, scope->territory_count);
}

static void *allocate(struct cbor_reader *reader, struct pt_arena *arena, size_t count, size_t size) {
    void *memory = cbor_failed(reader) ? NULL : pt_arena_alloc(arena, count, size);
    if (!memory && !cbor_failed(reader)) reader->code = pt_fail(reader->err, PT_NO_MEMORY, NULL, "out of memory");
    return memory;
}

// Lengths and characters are left to the validation.
static const char *get_text(struct cbor_reader *reader, struct pt_arena *arena) {
    const struct pt_bytes text = cbor_expect_text(reader, 1, RECALL_TEXT_MAX);
    if (!cbor_failed(reader) && memchr(text.data, 0, text.len)) cbor_fail(reader, "text with a NUL");
    char *copy = allocate(reader, arena, text.len + 1, 1);
    if (copy) memcpy(copy, text.data, text.len);
    return copy;
}

static const char **get_texts(struct cbor_reader *reader, struct pt_arena *arena, size_t *count) {
    const uint64_t said = cbor_get_array(reader, RECALL_LIST_MAX);
    if (!cbor_failed(reader) && said == 0) cbor_fail(reader, "empty list");
    const char **items = allocate(reader, arena, said, sizeof *items);
    for (size_t i = 0; i < said && !cbor_failed(reader); i++) items[i] = get_text(reader, arena);
    *count = cbor_failed(reader) ? 0 : said;
    return items;
}

static void get_ranges(struct cbor_reader *reader, struct pt_arena *arena, struct recall_scope *out) {
    const uint64_t said = cbor_get_array(reader, RECALL_LIST_MAX);
    if (!cbor_failed(reader) && said == 0) cbor_fail(reader, "empty list");
    out->ranges = allocate(reader, arena, said, sizeof *out->ranges);
    for (size_t i = 0; i < said && !cbor_failed(reader); i++) {
        cbor_expect_array(reader, 2);
        out->ranges[i].from = get_text(reader, arena);
        out->ranges[i].to = get_text(reader, arena);
    }
    out->range_count = cbor_failed(reader) ? 0 : said;
}

void recall_scope_get(struct cbor_reader *reader, struct pt_arena *arena, struct recall_scope *out) {
    *out = (struct recall_scope){0};
    const uint64_t pairs = cbor_get_map(reader, KEY_TERRITORIES);
    for (uint64_t i = 0, last = 0; i < pairs && !cbor_failed(reader); i++) {
        const uint64_t key = cbor_get_uint(reader);
        if (key <= last || key > KEY_TERRITORIES) cbor_fail(reader, "key of a scope unknown or out of order");
        else if (key == KEY_LOTS) out->lots = get_texts(reader, arena, &out->lot_count);
        else if (key == KEY_RANGES) get_ranges(reader, arena, out);
        else out->territories = get_texts(reader, arena, &out->territory_count);
        last = key;
    }
}
