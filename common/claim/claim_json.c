#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/claim/claim.h"

struct json_reader {
    struct pt_arena *arena;
    struct pt_error *err;
};

static enum pt_code wrong(struct json_reader *r, const char *name, const char *wanted) {
    pt_fail(r->err, PT_INVALID, NULL, "must be %s", wanted);
    pt_error_under(r->err, "/%s", name);
    return PT_INVALID;
}

static enum pt_code read_text(struct json_reader *r, const json_t *object, const char *name, const char **out) {
    const json_t *value = json_object_get(object, name);
    if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value)) return wrong(r, name, "a text");
    *out = pt_arena_strdup(r->arena, pt_bytes_of(json_string_value(value), json_string_length(value)));
    return *out ? PT_OK : pt_fail(r->err, PT_NO_MEMORY, NULL, "out of memory");
}

static enum pt_code read_digest(struct json_reader *r, const json_t *object, const char *name, struct pt_digest *out) {
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = PT_BUF_INIT(PT_DIGEST_SIZE);
    const json_t *value = json_object_get(object, name);
    if (!json_is_string(value) || pt_hex_decode(pt_bytes_str(json_string_value(value)), &bytes, NULL) != PT_OK ||
        bytes.len != PT_DIGEST_SIZE)
        return wrong(r, name, "64 hexadecimal digits");
    memcpy(out->bytes, bytes.data, PT_DIGEST_SIZE);
    return PT_OK;
}

static enum pt_code read_time(struct json_reader *r, const json_t *object, const char *name, pt_millis *out) {
    struct pt_instant instant;
    const char *text = json_string_value(json_object_get(object, name));
    if (!text || pt_instant_parse(pt_bytes_str(text), &instant, NULL) != PT_OK)
        return wrong(r, name, "a date and time with zone (2026-01-01T08:00:00+08:00)");
    *out = pt_instant_millis(&instant);
    return PT_OK;
}

static enum pt_code only(struct json_reader *r, const json_t *object, const char *const *names) {
    const char *name;
    json_t *value;
    if (!json_is_object(object)) return pt_fail(r->err, PT_INVALID, NULL, "must be an object");
    json_object_foreach((json_t *)object, name, value) {
        size_t i = 0;
        while (names[i] && strcmp(names[i], name) != 0) i++;
        if (names[i]) continue;
        pt_fail(r->err, PT_INVALID, NULL, "there is no such member");
        return pt_error_under(r->err, "/%s", name), PT_INVALID;
    }
    return PT_OK;
}

static const char *const product_names[] = {"gtin", "drugIdentifier", "insuranceCode", NULL};

static enum pt_code read_product(struct json_reader *r, const json_t *line, struct claim_line *out) {
    const json_t *product = json_object_get(line, "product");
    if (!json_is_object(product) || json_object_size(product) != 1 || only(r, product, product_names) != PT_OK)
        return wrong(r, "product", "an object of one member: gtin, drugIdentifier or insuranceCode");
    for (unsigned kind = CLAIM_GTIN; kind <= CLAIM_INSURANCE_CODE; kind++)
        if (json_object_get(product, product_names[kind - 1])) out->product_kind = (enum claim_product_kind)kind;
    const enum pt_code code = read_text(r, product, product_names[out->product_kind - 1], &out->product);
    if (code != PT_OK) return pt_error_under(r->err, "/product"), code;
    const size_t len = strlen(out->product);
    if (out->product_kind == CLAIM_GTIN && (len == 8 || len == 12 || len == 13))
        out->product = pt_arena_printf(r->arena, "%0*d%s", (int)(14 - len), 0, out->product);
    return out->product ? PT_OK : pt_fail(r->err, PT_NO_MEMORY, NULL, "out of memory");
}

static enum pt_code read_dispensing(struct json_reader *r, const json_t *line, struct claim_line *out) {
    static const char *const names[] = {"event", "statement", NULL};
    const json_t *dispensing = json_object_get(line, "dispensing");
    if (!dispensing) return PT_OK;
    if (!json_is_object(dispensing) || json_object_size(dispensing) != 1 || only(r, dispensing, names) != PT_OK)
        return wrong(r, "dispensing", "an object of one member: event or statement");
    out->has_statement = json_object_get(dispensing, "statement") != NULL;
    const enum pt_code code = out->has_statement ? read_digest(r, dispensing, "statement", &out->statement)
                                                 : read_text(r, dispensing, "event", &out->event_id);
    return code == PT_OK ? code : (pt_error_under(r->err, "/dispensing"), code);
}

static enum pt_code read_settlement(struct json_reader *r, const json_t *line, struct claim_line *out) {
    const json_t *units = json_object_get(line, "units");
    enum pt_code code = read_product(r, line, out);
    if (code == PT_OK && (!json_is_integer(units) || json_integer_value(units) < 1)) code = wrong(r, "units", "a whole number from 1");
    if (code == PT_OK) out->units = (uint64_t)json_integer_value(units);
    if (code == PT_OK) code = read_dispensing(r, line, out);
    if (code == PT_OK) code = read_text(r, line, "place", &out->place);
    out->has_prescription = json_object_get(line, "prescription") != NULL;
    return code == PT_OK && out->has_prescription ? read_digest(r, line, "prescription", &out->prescription) : code;
}

static enum pt_code read_line(struct json_reader *r, const json_t *line, struct claim_line *out) {
    static const char *const settlement[] = {"line", "action", "pack", "product", "units", "dispensing", "place",
                                             "prescription", "eventTime", NULL};
    static const char *const reversal[] = {"line", "action", "pack", "eventTime", NULL};
    const char *action = json_string_value(json_object_get(line, "action"));
    if (!json_is_object(line)) return pt_fail(r->err, PT_INVALID, NULL, "must be an object");
    if (!action || (strcmp(action, "settle") != 0 && strcmp(action, "reverse") != 0)) return wrong(r, "action", "settle or reverse");
    out->action = strcmp(action, "settle") == 0 ? CLAIM_SETTLE : CLAIM_REVERSE;
    enum pt_code code = only(r, line, out->action == CLAIM_SETTLE ? settlement : reversal);
    if (code == PT_OK) code = read_text(r, line, "line", &out->id);
    if (code == PT_OK) code = read_text(r, line, "pack", &out->pack);
    if (code == PT_OK) code = read_time(r, line, "eventTime", &out->event_time);
    return code == PT_OK && out->action == CLAIM_SETTLE ? read_settlement(r, line, out) : code;
}

enum pt_code claim_batch_from_json(const json_t *value, struct pt_arena *arena, struct claim_batch *out, struct pt_error *err) {
    static const char *const names[] = {"batch", "insurer", "lines", NULL};
    struct json_reader r = {arena, err};
    *out = (struct claim_batch){0};
    enum pt_code code = only(&r, value, names);
    if (code == PT_OK) code = read_text(&r, value, "batch", &out->id);
    if (code == PT_OK) code = read_text(&r, value, "insurer", &out->insurer);
    if (code != PT_OK) return code;
    const json_t *lines = json_object_get(value, "lines");
    if (!json_is_array(lines)) return wrong(&r, "lines", "a list");
    if (json_array_size(lines) > CLAIM_LINES_MAX)
        return pt_fail(err, PT_LIMIT, "/lines", "a batch has at most %u lines", CLAIM_LINES_MAX);
    out->lines = pt_arena_alloc(arena, json_array_size(lines) + 1, sizeof *out->lines);
    if (!out->lines) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    for (; out->line_count < json_array_size(lines); out->line_count++) {
        code = read_line(&r, json_array_get(lines, out->line_count), &out->lines[out->line_count]);
        if (code != PT_OK) return pt_error_under(err, "/lines/%zu", out->line_count), code;
    }
    return claim_batch_validate(out, err);
}

// --- Writing ---

static json_t *hex(const struct pt_digest *digest) {
    char text[65];
    pt_digest_hex(digest, text);
    return json_string(text);
}

static json_t *time_json(pt_millis time) {
    PT_CLEANUP(pt_buf_free) struct pt_buf text = PT_BUF_INIT(64);
    const struct pt_instant instant = pt_instant_from_millis(time);
    pt_instant_append(&text, &instant);
    return json_string(pt_buf_cstr(&text));
}

json_t *claim_line_to_json(const struct claim_line *line) {
    json_t *object = json_object();
    json_object_set_new(object, "line", json_string(line->id));
    json_object_set_new(object, "action", json_string(line->action == CLAIM_SETTLE ? "settle" : "reverse"));
    json_object_set_new(object, "pack", json_string(line->pack));
    if (line->action == CLAIM_SETTLE) {
        json_object_set_new(object, "product", json_pack("{s:s}", product_names[line->product_kind - 1], line->product));
        json_object_set_new(object, "units", json_integer((json_int_t)line->units));
        if (line->event_id) json_object_set_new(object, "dispensing", json_pack("{s:s}", "event", line->event_id));
        if (line->has_statement) json_object_set_new(object, "dispensing", json_pack("{s:o}", "statement", hex(&line->statement)));
        json_object_set_new(object, "place", json_string(line->place));
        if (line->has_prescription) json_object_set_new(object, "prescription", hex(&line->prescription));
    }
    json_object_set_new(object, "eventTime", time_json(line->event_time));
    return object;
}

enum pt_code claim_batch_to_json(const struct claim_batch *batch, json_t **out, struct pt_error *err) {
    *out = NULL;
    const enum pt_code code = claim_batch_validate(batch, err);
    if (code != PT_OK) return code;
    json_t *lines = json_array();
    for (size_t i = 0; i < batch->line_count; i++) json_array_append_new(lines, claim_line_to_json(&batch->lines[i]));
    *out = json_object();
    json_object_set_new(*out, "batch", json_string(batch->id));
    json_object_set_new(*out, "insurer", json_string(batch->insurer));
    json_object_set_new(*out, "lines", lines);
    return *out ? PT_OK : pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
}
