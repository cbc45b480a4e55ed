#include "common/recall/recall_notice.h"

#include <stdio.h>
#include <string.h>

#include "common/base/text.h"
#include "common/identify/gs1_check.h"

enum { KEY_ID = 1, KEY_VERSION, KEY_ACTION, KEY_LEVEL, KEY_PRODUCTS, KEY_SCOPE, KEY_DEPTH, KEY_REASON, KEY_INSTRUCTIONS, KEY_ISSUED };
#define VERSION_MAX 9007199254740991  // the greatest integer that every JSON reader keeps
#define TIME_MAX 253402300799999      // the end of the year 9999

const char *recall_action_name(enum recall_action action) {
    static const char *const names[] = {NULL, "begin", "extend", "end"};
    return (size_t)action < sizeof names / sizeof *names ? names[action] : NULL;
}

const char *recall_depth_name(enum recall_depth depth) {
    static const char *const names[] = {NULL, "wholesale", "retail", "consumer"};
    return (size_t)depth < sizeof names / sizeof *names ? names[depth] : NULL;
}

const char *recall_advice_en(bool certain) {
    return certain ? "Recalled: do not dispense or sell. Set the pack aside and send it back as the notice says."
                   : "May be recalled: compare the lot on the pack with the notice before doing anything else.";
}

const char *recall_advice_zh(bool certain) {
    return certain ? "已召回：请勿发药或销售。请单独存放，并按召回通知退回。" : "可能属于召回范围：请先核对药品批号与召回通知。";
}

// --- Validation ---

static bool all_digits(const char *text, size_t count) { return strlen(text) == count && strspn(text, "0123456789") == count; }

static bool is_product(const char *text) {
    return all_digits(text, 7) || (all_digits(text, 14) && gs1_check_digit(pt_bytes_of(text, 13)) == text[13]);
}

static bool is_territory(const char *text) {
    const size_t len = strlen(text);
    if (len < 2 || !gs1_is_country_alpha((const uint8_t *)text)) return false;
    if (len == 2) return true;
    return text[2] == '-' && len >= 4 && len <= 6 && strspn(text + 3, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == len - 3;
}

static bool is_code(const char *text, size_t most) {
    const size_t len = strlen(text);
    if (len == 0 || len > most || !pt_utf8_valid(pt_bytes_of(text, len))) return false;
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f) return false;
    return text[0] != ' ' && text[len - 1] != ' ';
}

static bool is_id(const char *text) { return is_code(text, RECALL_ID_MAX); }
static bool is_lot(const char *text) { return is_code(text, RECALL_LOT_MAX); }

static bool is_serial(const char *text) {
    const size_t len = strlen(text);
    for (const char *c = text; *c; c++)
        if (*c <= ' ' || *c >= 0x7f) return false;
    return len > 0 && len <= RECALL_SERIAL_MAX;
}

static enum pt_code check_list(const char *const *items, size_t count, size_t most, bool (*good)(const char *text), const char *name,
                               const char *wanted, struct pt_error *err) {
    char where[64];
    if (count > most) {
        snprintf(where, sizeof where, "/%s", name);
        return pt_fail(err, PT_LIMIT, where, "more than %zu", most);
    }
    for (size_t i = 0; i < count; i++) {
        snprintf(where, sizeof where, "/%s/%zu", name, i);
        if (!items[i] || !good(items[i])) return pt_fail(err, PT_INVALID, where, "must be %s", wanted);
        if (i > 0 && strcmp(items[i - 1], items[i]) >= 0) return pt_fail(err, PT_INVALID, where, "stands twice or out of order");
    }
    return PT_OK;
}

static int serial_order(const char *a, const char *b) {
    const size_t x = strlen(a), y = strlen(b);
    return x != y ? (x < y ? -1 : 1) : strcmp(a, b);
}

static enum pt_code check_ranges(const struct recall_scope *scope, struct pt_error *err) {
    char where[64];
    if (scope->range_count > RECALL_LIST_MAX) return pt_fail(err, PT_LIMIT, "/serials", "more than %d ranges", RECALL_LIST_MAX);
    for (size_t i = 0; i < scope->range_count; i++) {
        const struct recall_range *range = &scope->ranges[i];
        snprintf(where, sizeof where, "/serials/%zu", i);
        if (!range->from || !range->to || !is_serial(range->from) || !is_serial(range->to))
            return pt_fail(err, PT_INVALID, where, "needs serial numbers 'from' and 'to' of 1 to %u printable characters", RECALL_SERIAL_MAX);
        if (serial_order(range->from, range->to) > 0) return pt_fail(err, PT_INVALID, where, "ends before it begins");
        if (i > 0 && serial_order(scope->ranges[i - 1].to, range->from) >= 0)
            return pt_fail(err, PT_INVALID, where, "overlaps the range before it");
    }
    return PT_OK;
}

static enum pt_code check_note(const char *text, const char *where, struct pt_error *err) {
    if (!text) return PT_OK;
    const size_t len = strlen(text);
    if (len == 0 || len > RECALL_TEXT_MAX) return pt_fail(err, PT_LIMIT, where, "must have 1 to %d bytes", RECALL_TEXT_MAX);
    return pt_utf8_valid(pt_bytes_of(text, len)) ? PT_OK : pt_fail(err, PT_INVALID, where, "not UTF-8");
}

static enum pt_code check_notes(const struct recall_notice *notice, struct pt_error *err) {
    if (!notice->reason.zh && !notice->reason.en) return pt_fail(err, PT_INVALID, "/reason", "must be there in Chinese or English");
    enum pt_code code = check_note(notice->reason.zh, "/reason/zh", err);
    if (code == PT_OK) code = check_note(notice->reason.en, "/reason/en", err);
    if (code == PT_OK) code = check_note(notice->instructions.zh, "/instructions/zh", err);
    return code == PT_OK ? check_note(notice->instructions.en, "/instructions/en", err) : code;
}

enum pt_code recall_notice_validate(const struct recall_notice *notice, struct pt_error *err) {
    const struct recall_scope *scope = &notice->scope;
    if (!notice->id || !is_id(notice->id))
        return pt_fail(err, PT_INVALID, "/id", "must be 1 to %u printable bytes, without white space at its ends", RECALL_ID_MAX);
    if (notice->version < 1 || notice->version > VERSION_MAX)
        return pt_fail(err, PT_INVALID, "/version", "must be from 1 to %lld", (long long)VERSION_MAX);
    if (notice->action == 0 || !recall_action_name(notice->action)) return pt_fail(err, PT_INVALID, "/action", "must be begin, extend or end");
    if (notice->level < 1 || notice->level > 3) return pt_fail(err, PT_INVALID, "/level", "must be 1, 2 or 3");
    if (notice->depth == 0 || !recall_depth_name(notice->depth))
        return pt_fail(err, PT_INVALID, "/depth", "must be wholesale, retail or consumer");
    if (notice->product_count == 0) return pt_fail(err, PT_INVALID, "/products", "must name a product");
    if (notice->issued_at < 0 || notice->issued_at > TIME_MAX) return pt_fail(err, PT_INVALID, "/issuedAt", "must be in the years 1970 to 9999");
    if (notice->action == RECALL_END && scope->lot_count + scope->range_count + scope->territory_count > 0)
        return pt_fail(err, PT_INVALID, "/action", "an end ends the whole recall: it names no lots, serials or territories");
    enum pt_code code = check_list(notice->products, notice->product_count, RECALL_PRODUCTS_MAX, is_product, "products",
                                   "a GTIN of 14 digits with its check digit, or a drug identifier of 7 digits", err);
    if (code == PT_OK) code = check_list(scope->lots, scope->lot_count, RECALL_LIST_MAX, is_lot, "lots", "a lot number of 1 to 64 bytes", err);
    if (code == PT_OK) code = check_ranges(scope, err);
    if (code == PT_OK)
        code = check_list(scope->territories, scope->territory_count, RECALL_LIST_MAX, is_territory, "territories",
                          "an ISO 3166 code (CN, CN-SX)", err);
    return code == PT_OK ? check_notes(notice, err) : code;
}

// --- CBOR ---

static bool has_name(const struct master_name *name) { return name->zh || name->en; }

static void put_name(struct pt_buf *out, unsigned key, const struct master_name *name) {
    if (!has_name(name)) return;
    cbor_put_uint(out, key);
    cbor_put_map(out, (uint64_t)(name->zh != NULL) + (name->en != NULL));
    if (name->zh) {
        cbor_put_uint(out, 1);
        cbor_put_text(out, name->zh);
    }
    if (name->en) {
        cbor_put_uint(out, 2);
        cbor_put_text(out, name->en);
    }
}

static bool has_scope(const struct recall_scope *scope) { return scope->lot_count + scope->range_count + scope->territory_count > 0; }

static void put_number(struct pt_buf *out, unsigned key, uint64_t value) {
    cbor_put_uint(out, key);
    cbor_put_uint(out, value);
}

enum pt_code recall_notice_encode(const struct recall_notice *notice, struct pt_buf *out, struct pt_error *err) {
    const enum pt_code code = recall_notice_validate(notice, err);
    if (code != PT_OK) return code;
    const size_t start = out->len;
    cbor_put_map(out, 8u + has_scope(&notice->scope) + has_name(&notice->instructions));
    cbor_put_uint(out, KEY_ID);
    cbor_put_text(out, notice->id);
    put_number(out, KEY_VERSION, notice->version);
    put_number(out, KEY_ACTION, notice->action);
    put_number(out, KEY_LEVEL, notice->level);
    cbor_put_uint(out, KEY_PRODUCTS);
    cbor_put_array(out, notice->product_count);
    for (size_t i = 0; i < notice->product_count; i++) cbor_put_text(out, notice->products[i]);
    if (has_scope(&notice->scope)) {
        cbor_put_uint(out, KEY_SCOPE);
        recall_scope_put(&notice->scope, out);
    }
    put_number(out, KEY_DEPTH, notice->depth);
    put_name(out, KEY_REASON, &notice->reason);
    put_name(out, KEY_INSTRUCTIONS, &notice->instructions);
    put_number(out, KEY_ISSUED, (uint64_t)notice->issued_at);
    if (out->failed) return pt_buf_check(out, err);
    if (out->len - start > RECALL_NOTICE_MAX)
        return pt_fail(err, PT_LIMIT, NULL, "a recall notice of more than %zu bytes", RECALL_NOTICE_MAX);
    return PT_OK;
}

struct decoder {
    struct cbor_reader reader;
    struct pt_arena *arena;
};

static void *allocate(struct decoder *d, size_t count, size_t size) {
    void *memory = cbor_failed(&d->reader) ? NULL : pt_arena_alloc(d->arena, count, size);
    if (!memory && !cbor_failed(&d->reader)) d->reader.code = pt_fail(d->reader.err, PT_NO_MEMORY, NULL, "out of memory");
    return memory;
}

static const char *get_text(struct decoder *d, size_t most) {
    const struct pt_bytes text = cbor_expect_text(&d->reader, 1, most);
    if (!cbor_failed(&d->reader) && memchr(text.data, 0, text.len)) cbor_fail(&d->reader, "text with a NUL");
    char *copy = allocate(d, text.len + 1, 1);
    if (copy) memcpy(copy, text.data, text.len);
    return copy;
}

static void get_products(struct decoder *d, struct recall_notice *out) {
    const uint64_t count = cbor_get_array(&d->reader, RECALL_PRODUCTS_MAX);
    out->products = allocate(d, count, sizeof *out->products);
    for (size_t i = 0; i < count && !cbor_failed(&d->reader); i++) out->products[i] = get_text(d, 14);
    out->product_count = cbor_failed(&d->reader) ? 0 : count;
}

static void get_name(struct decoder *d, struct master_name *out) {
    const uint64_t pairs = cbor_get_map(&d->reader, 2);
    if (!cbor_failed(&d->reader) && pairs == 0) cbor_fail(&d->reader, "empty name");
    for (uint64_t i = 0, last = 0; i < pairs && !cbor_failed(&d->reader); i++) {
        const uint64_t key = cbor_get_uint(&d->reader);
        if (key <= last || key > 2) cbor_fail(&d->reader, "key of a name unknown or out of order");
        *(key == 1 ? &out->zh : &out->en) = get_text(d, RECALL_TEXT_MAX);
        last = key;
    }
}

static void get_value(struct decoder *d, uint64_t key, struct recall_notice *out) {
    uint64_t number;
    switch (key) {
    case KEY_ID: out->id = get_text(d, RECALL_ID_MAX); return;
    case KEY_PRODUCTS: get_products(d, out); return;
    case KEY_SCOPE:
        recall_scope_get(&d->reader, d->arena, &out->scope);
        if (!cbor_failed(&d->reader) && !has_scope(&out->scope)) cbor_fail(&d->reader, "empty scope");
        return;
    case KEY_REASON: get_name(d, &out->reason); return;
    case KEY_INSTRUCTIONS: get_name(d, &out->instructions); return;
    default: break;
    }
    number = cbor_get_count(&d->reader);
    if (key == KEY_VERSION) out->version = number;
    if (key == KEY_ISSUED) out->issued_at = (pt_millis)number;
    if (number > 3) number = 0;  // refused by the validation
    if (key == KEY_ACTION) out->action = (enum recall_action)number;
    if (key == KEY_LEVEL) out->level = (unsigned)number;
    if (key == KEY_DEPTH) out->depth = (enum recall_depth)number;
}

enum pt_code recall_notice_decode(struct pt_bytes bytes, struct pt_arena *arena, struct recall_notice *out, struct pt_error *err) {
    *out = (struct recall_notice){.issued_at = -1};
    if (bytes.len > RECALL_NOTICE_MAX) return pt_fail(err, PT_LIMIT, NULL, "a recall notice of more than %zu bytes", RECALL_NOTICE_MAX);
    struct decoder d = {.reader = cbor_reader_of(bytes, true, err), .arena = arena};
    const uint64_t pairs = cbor_get_map(&d.reader, KEY_ISSUED);
    for (uint64_t i = 0, last = 0; i < pairs && !cbor_failed(&d.reader); i++) {
        const uint64_t key = cbor_get_uint(&d.reader);
        if (key <= last || key > KEY_ISSUED) cbor_fail(&d.reader, "key %llu is unknown or out of order", (unsigned long long)key);
        else get_value(&d, key, out);
        last = key;
    }
    const enum pt_code code = cbor_finish(&d.reader);
    return code == PT_OK ? recall_notice_validate(out, err) : code;
}
