#include <string.h>

#include "common/claim/claim.h"
#include "common/cose/cbor.h"

enum { KEY_ID = 1, KEY_INSURER = 2, KEY_LINES = 3, BATCH_KEYS = 3 };
enum {
    LINE_ID = 1, LINE_ACTION, LINE_PACK, LINE_PRODUCT, LINE_UNITS, LINE_DISPENSING, LINE_PLACE, LINE_PRESCRIPTION, LINE_TIME,
    REVERSAL_KEYS = 4, SETTLEMENT_KEYS_LEAST = 7, SETTLEMENT_KEYS_MOST = 9,
};
#define LEAST_TIME ((pt_millis)-62167219200000)
#define MOST_TIME ((pt_millis)253402300799999)

static bool letters_or_digits(const char *text, const char *more, size_t most) {
    const size_t len = strnlen(text, most + 1);
    if (len == 0 || len > most) return false;
    for (const char *c = text; *c; c++)
        if (!((*c >= '0' && *c <= '9') || (*c >= 'A' && *c <= 'Z') || (*c >= 'a' && *c <= 'z') || strchr(more, *c))) return false;
    return true;
}

static bool good_label(const char *text) { return text && letters_or_digits(text, "._:/-", CLAIM_LABEL_MAX); }

// Text of other bytes is somebody's remark: there is no room for remarks here, because they would name people.
static bool good_text(const char *text, size_t most) {
    const size_t len = text ? strnlen(text, most + 1) : 0;
    if (len == 0 || len > most) return false;
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c <= ' ' || *c == 0x7f) return false;
    return true;
}

static bool digits(const char *text, size_t count) { return strlen(text) == count && strspn(text, "0123456789") == count; }

static bool good_product(const struct claim_line *line) {
    if (!line->product) return false;
    switch (line->product_kind) {
    case CLAIM_GTIN: return digits(line->product, 14);
    case CLAIM_DRUG_IDENTIFIER: return digits(line->product, 7);
    case CLAIM_INSURANCE_CODE: return letters_or_digits(line->product, "._-", CLAIM_LABEL_MAX);
    }
    return false;
}

static enum pt_code line_error(struct pt_error *err, size_t index, const char *field, const char *why) {
    pt_fail(err, PT_INVALID, NULL, "%s", why);
    pt_error_under(err, "/lines/%zu/%s", index, field);
    return PT_INVALID;
}

static enum pt_code check_line(const struct claim_line *line, size_t index, struct pt_error *err) {
    const bool settles = line->action == CLAIM_SETTLE;
    if (!good_label(line->id)) return line_error(err, index, "line", "must be 1 to 64 letters, digits or any of ._:/-");
    if (!settles && line->action != CLAIM_REVERSE) return line_error(err, index, "action", "must be settle or reverse");
    if (!good_text(line->pack, CLAIM_PACK_MAX)) return line_error(err, index, "pack", "must be the pack's code without spaces");
    if (line->event_time < LEAST_TIME || line->event_time > MOST_TIME) return line_error(err, index, "eventTime", "is out of range");
    if (!settles) return PT_OK;
    if (!good_product(line)) return line_error(err, index, "product", "must be a GTIN, a drug identifier or an insurance code");
    if (line->units == 0 || line->units > CLAIM_UNITS_MAX) return line_error(err, index, "units", "must be a whole number from 1");
    if (line->event_id && (line->has_statement || !good_text(line->event_id, CLAIM_URI_MAX)))
        return line_error(err, index, "dispensing", "must be one event ID or statement id");
    if (!good_text(line->place, CLAIM_URI_MAX)) return line_error(err, index, "place", "must be a URI");
    return PT_OK;
}

enum pt_code claim_batch_validate(const struct claim_batch *batch, struct pt_error *err) {
    if (!good_label(batch->id)) return pt_fail(err, PT_INVALID, "/batch", "must be 1 to 64 letters, digits or any of ._:/-");
    if (!good_text(batch->insurer, CLAIM_URI_MAX)) return pt_fail(err, PT_INVALID, "/insurer", "must be the URI of a party");
    if (batch->line_count == 0) return pt_fail(err, PT_INVALID, "/lines", "a batch has lines");
    if (batch->line_count > CLAIM_LINES_MAX)
        return pt_fail(err, PT_LIMIT, "/lines", "a batch has at most %u lines", CLAIM_LINES_MAX);
    for (size_t i = 0; i < batch->line_count; i++) {
        const enum pt_code code = check_line(&batch->lines[i], i, err);
        if (code != PT_OK) return code;
    }
    return PT_OK;
}

// --- Writing ---

static void put_line(struct pt_buf *out, const struct claim_line *line) {
    const bool settles = line->action == CLAIM_SETTLE;
    const bool dispensing = line->event_id || line->has_statement;
    cbor_put_map(out, settles ? SETTLEMENT_KEYS_LEAST + (uint64_t)dispensing + (uint64_t)line->has_prescription : REVERSAL_KEYS);
    cbor_put_uint(out, LINE_ID);
    cbor_put_text(out, line->id);
    cbor_put_uint(out, LINE_ACTION);
    cbor_put_uint(out, line->action);
    cbor_put_uint(out, LINE_PACK);
    cbor_put_text(out, line->pack);
    if (settles) {
        cbor_put_uint(out, LINE_PRODUCT);
        cbor_put_array(out, 2);
        cbor_put_uint(out, line->product_kind);
        cbor_put_text(out, line->product);
        cbor_put_uint(out, LINE_UNITS);
        cbor_put_uint(out, line->units);
        if (dispensing) cbor_put_uint(out, LINE_DISPENSING);
        if (line->event_id) cbor_put_text(out, line->event_id);
        else if (dispensing) cbor_put_bytes(out, pt_bytes_digest(&line->statement));
        cbor_put_uint(out, LINE_PLACE);
        cbor_put_text(out, line->place);
        if (line->has_prescription) {
            cbor_put_uint(out, LINE_PRESCRIPTION);
            cbor_put_bytes(out, pt_bytes_digest(&line->prescription));
        }
    }
    cbor_put_uint(out, LINE_TIME);
    cbor_put_int(out, line->event_time);
}

enum pt_code claim_batch_encode(const struct claim_batch *batch, struct pt_buf *out, struct pt_error *err) {
    const size_t start = out->len;
    const enum pt_code code = claim_batch_validate(batch, err);
    if (code != PT_OK) return code;
    cbor_put_map(out, BATCH_KEYS);
    cbor_put_uint(out, KEY_ID);
    cbor_put_text(out, batch->id);
    cbor_put_uint(out, KEY_INSURER);
    cbor_put_text(out, batch->insurer);
    cbor_put_uint(out, KEY_LINES);
    cbor_put_array(out, batch->line_count);
    for (size_t i = 0; i < batch->line_count; i++) put_line(out, &batch->lines[i]);
    if (out->failed) return pt_buf_check(out, err);
    if (out->len - start > CLAIM_BATCH_MAX)
        return pt_fail(err, PT_LIMIT, "/lines", "the batch has more than %zu bytes: make two of it", CLAIM_BATCH_MAX);
    return PT_OK;
}

// --- Reading ---

struct decoder {
    struct cbor_reader reader;
    struct pt_arena *arena;
};

// What is too short, too long or of other characters is left to the validation; a NUL would hide from it.
static const char *get_text(struct decoder *d) {
    const struct pt_bytes text = cbor_get_text(&d->reader);
    if (text.len > 0 && memchr(text.data, 0, text.len)) cbor_fail(&d->reader, "text with a NUL");
    if (cbor_failed(&d->reader)) return NULL;
    char *copy = pt_arena_strdup(d->arena, text);
    if (!copy) d->reader.code = pt_fail(d->reader.err, PT_NO_MEMORY, NULL, "out of memory");
    return copy;
}

static void get_settlement(struct decoder *d, uint64_t keys, struct claim_line *line) {
    struct cbor_item item;
    uint64_t used = SETTLEMENT_KEYS_LEAST;
    cbor_expect_int(&d->reader, LINE_PRODUCT);
    cbor_expect_array(&d->reader, 2);
    const uint64_t kind = cbor_get_uint(&d->reader);
    line->product_kind = kind <= CLAIM_INSURANCE_CODE ? (enum claim_product_kind)kind : (enum claim_product_kind)0;
    line->product = get_text(d);
    cbor_expect_int(&d->reader, LINE_UNITS);
    line->units = cbor_get_uint(&d->reader);
    uint64_t key = cbor_get_uint(&d->reader);
    if (key == LINE_DISPENSING) {
        line->has_statement = cbor_peek(&d->reader, &item) && item.type == CBOR_BYTES;
        if (line->has_statement) cbor_get_digest(&d->reader, &line->statement);
        else line->event_id = get_text(d);
        key = cbor_get_uint(&d->reader);
        used++;
    }
    if (key != LINE_PLACE) cbor_fail(&d->reader, "expected key %d", LINE_PLACE);
    line->place = get_text(d);
    if (keys < used) cbor_fail(&d->reader, "a claim line of fewer keys than it has");
    if (keys <= used) return;
    cbor_expect_int(&d->reader, LINE_PRESCRIPTION);
    cbor_get_digest(&d->reader, &line->prescription);
    line->has_prescription = true;
    if (keys != used + 1) cbor_fail(&d->reader, "a claim line of other keys");
}

static void get_line(struct decoder *d, struct claim_line *line) {
    const size_t start = d->reader.at;
    const uint64_t keys = cbor_get_map(&d->reader, SETTLEMENT_KEYS_MOST);
    cbor_expect_int(&d->reader, LINE_ID);
    line->id = get_text(d);
    cbor_expect_int(&d->reader, LINE_ACTION);
    const uint64_t action = cbor_get_uint(&d->reader);
    cbor_expect_int(&d->reader, LINE_PACK);
    line->pack = get_text(d);
    if (cbor_failed(&d->reader)) return;
    if ((action == CLAIM_REVERSE && keys != REVERSAL_KEYS) || (action == CLAIM_SETTLE && keys < SETTLEMENT_KEYS_LEAST) ||
        (action != CLAIM_REVERSE && action != CLAIM_SETTLE)) {
        cbor_fail(&d->reader, "a claim line of unknown action or keys");
        return;
    }
    line->action = (enum claim_action)action;
    if (line->action == CLAIM_SETTLE) get_settlement(d, keys, line);
    cbor_expect_int(&d->reader, LINE_TIME);
    line->event_time = cbor_get_int(&d->reader);
    line->bytes = pt_bytes_of(d->reader.buffer.data + start, d->reader.at - start);
}

enum pt_code claim_batch_decode(struct pt_bytes bytes, struct pt_arena *arena, struct claim_batch *out, struct pt_error *err) {
    *out = (struct claim_batch){0};
    if (bytes.len > CLAIM_BATCH_MAX) return pt_fail(err, PT_LIMIT, NULL, "a batch of more than %zu bytes", CLAIM_BATCH_MAX);
    struct decoder d = {.reader = cbor_reader_of(bytes, true, err), .arena = arena};
    cbor_expect_map(&d.reader, BATCH_KEYS);
    cbor_expect_int(&d.reader, KEY_ID);
    out->id = get_text(&d);
    cbor_expect_int(&d.reader, KEY_INSURER);
    out->insurer = get_text(&d);
    cbor_expect_int(&d.reader, KEY_LINES);
    const uint64_t count = cbor_get_array(&d.reader, CLAIM_LINES_MAX);
    if (cbor_failed(&d.reader)) return d.reader.code;
    out->lines = pt_arena_alloc(arena, count + 1, sizeof *out->lines);
    if (!out->lines) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    out->line_count = (size_t)count;
    for (size_t i = 0; i < out->line_count && !cbor_failed(&d.reader); i++) get_line(&d, &out->lines[i]);
    const enum pt_code code = cbor_finish(&d.reader);
    return code == PT_OK ? claim_batch_validate(out, err) : code;
}
