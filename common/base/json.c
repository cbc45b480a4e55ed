#include "common/base/json.h"

#include <math.h>
#include <string.h>

#include "common/base/text.h"

// jansson recurses; its own limit lies above ours, so that ours decides and no release of jansson can. It also
// takes a NUL byte behind the value for the end of the text.
static enum pt_code check_shape(struct pt_bytes text, struct pt_error *err) {
    size_t depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t c = text.data[i];
        if (c == 0) return pt_fail_at(err, PT_INVALID, (long)i, NULL, "JSON: a NUL byte");
        if (in_string) {
            if (c == '\\') i++;
            else if (c == '"') in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            if (++depth > PT_JSON_MAX_DEPTH)
                return pt_fail_at(err, PT_LIMIT, (long)i, NULL, "JSON nested deeper than %d levels", PT_JSON_MAX_DEPTH);
        } else if ((c == ']' || c == '}') && depth > 0) {
            depth--;
        }
    }
    return PT_OK;
}

static enum pt_code parse_failed(const json_error_t *error, struct pt_error *err) {
    const enum json_error_code code = json_error_code(error);
    const enum pt_code as = code == json_error_out_of_memory  ? PT_NO_MEMORY
                            : code == json_error_stack_overflow ? PT_LIMIT
                                                                : PT_INVALID;
    const char *what = error->text;
    if (code == json_error_null_character) what = "the character U+0000 is not allowed in strings";
    if (code == json_error_numeric_overflow) what = "number out of range (integers have 64 bits)";
    return pt_fail_at(err, as, error->position, NULL, "JSON line %d, column %d: %s", error->line, error->column, what);
}

enum pt_code pt_json_parse(struct pt_bytes text, size_t max, json_t **out, struct pt_error *err) {
    *out = NULL;
    if (text.len > max) return pt_fail(err, PT_LIMIT, NULL, "JSON text of %zu bytes, at most %zu are taken", text.len, max);
    if (text.len == 0) return pt_fail_at(err, PT_INVALID, 0, NULL, "empty JSON text");
    const enum pt_code code = check_shape(text, err);
    if (code != PT_OK) return code;
    // U+0000 stays refused (no JSON_ALLOW_NUL): C strings would end at it, and two documents with different
    // signed bytes would look alike.
    json_error_t error;
    json_t *value = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (!value) return parse_failed(&error, err);
    *out = value;
    return PT_OK;
}

// The shortest of 15 to 17 digits that reads back as the same number, always marked as a real.
static void append_real(struct pt_buf *out, double value) {
    char digits[40];
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, value);
        if (strtod(digits, NULL) == value) break;
    }
    char *comma = strchr(digits, ',');  // a locale's decimal point
    if (comma) *comma = '.';
    pt_buf_str(out, digits);
    if (!strpbrk(digits, ".e")) pt_buf_str(out, ".0");
}

static enum pt_code append_value(struct pt_buf *out, const json_t *value, size_t depth, struct pt_error *err);

static enum pt_code append_object(struct pt_buf *out, const json_t *object, size_t depth, struct pt_error *err) {
    json_t *walk = (json_t *)(uintptr_t)object;  // jansson's iterators take no const
    bool first = true;
    pt_buf_byte(out, '{');
    for (void *at = json_object_iter(walk); at; at = json_object_iter_next(walk, at)) {
        if (!first) pt_buf_byte(out, ',');
        first = false;
        pt_json_append_string(out, pt_bytes_str(json_object_iter_key(at)));
        pt_buf_byte(out, ':');
        const enum pt_code code = append_value(out, json_object_iter_value(at), depth, err);
        if (code != PT_OK) return code;
    }
    pt_buf_byte(out, '}');
    return PT_OK;
}

static enum pt_code append_array(struct pt_buf *out, const json_t *array, size_t depth, struct pt_error *err) {
    pt_buf_byte(out, '[');
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (i > 0) pt_buf_byte(out, ',');
        const enum pt_code code = append_value(out, json_array_get(array, i), depth, err);
        if (code != PT_OK) return code;
    }
    pt_buf_byte(out, ']');
    return PT_OK;
}

static enum pt_code append_value(struct pt_buf *out, const json_t *value, size_t depth, struct pt_error *err) {
    if (depth > PT_JSON_MAX_DEPTH) return pt_fail(err, PT_LIMIT, NULL, "JSON nested deeper than %d levels", PT_JSON_MAX_DEPTH);
    switch (json_typeof(value)) {
    case JSON_OBJECT: return append_object(out, value, depth + 1, err);
    case JSON_ARRAY: return append_array(out, value, depth + 1, err);
    case JSON_STRING:
        pt_json_append_string(out, pt_bytes_of(json_string_value(value), json_string_length(value)));
        return PT_OK;
    case JSON_INTEGER: pt_buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value)); return PT_OK;
    case JSON_REAL: append_real(out, json_real_value(value)); return PT_OK;
    case JSON_TRUE: pt_buf_str(out, "true"); return PT_OK;
    case JSON_FALSE: pt_buf_str(out, "false"); return PT_OK;
    case JSON_NULL: pt_buf_str(out, "null"); return PT_OK;
    }
    return pt_fail(err, PT_INTERNAL, NULL, "not a JSON value");
}

enum pt_code pt_json_append(struct pt_buf *out, const json_t *value, struct pt_error *err) {
    if (!value) return pt_fail(err, PT_INTERNAL, NULL, "no JSON value");
    const enum pt_code code = append_value(out, value, 0, err);
    return code == PT_OK ? pt_buf_check(out, err) : code;
}

// Length of the UTF-8 sequence at the start, 0 if there is none.
static size_t utf8_sequence(struct pt_bytes rest) {
    const uint8_t c = rest.data[0];
    const size_t len = c < 0x80 ? 1 : c >= 0xC2 && c < 0xE0 ? 2 : c >= 0xE0 && c < 0xF0 ? 3 : c >= 0xF0 && c < 0xF5 ? 4 : 0;
    if (len == 0 || len > rest.len) return 0;
    return pt_utf8_valid(pt_bytes_of(rest.data, len)) ? len : 0;
}

static void append_escaped(struct pt_buf *out, uint8_t c) {
    static const char *const named[] = {['\b'] = "\\b", ['\t'] = "\\t", ['\n'] = "\\n", ['\f'] = "\\f", ['\r'] = "\\r"};
    if (c == '"' || c == '\\') pt_buf_printf(out, "\\%c", c);
    else if (c < sizeof named / sizeof *named && named[c]) pt_buf_str(out, named[c]);
    else pt_buf_printf(out, "\\u%04x", c);
}

void pt_json_append_string(struct pt_buf *out, struct pt_bytes text) {
    pt_buf_byte(out, '"');
    size_t plain = 0;  // where the run of bytes that stand for themselves began
    for (size_t i = 0; i < text.len;) {
        const uint8_t c = text.data[i];
        const size_t len = c < 0x80 ? 1 : utf8_sequence(pt_bytes_of(text.data + i, text.len - i));
        if (len > 0 && c >= 0x20 && c != '"' && c != '\\') {
            i += len;
            continue;
        }
        pt_buf_append(out, text.data + plain, i - plain);
        if (len == 0) pt_buf_str(out, "\xEF\xBF\xBD");  // foreign bytes must not break the line they are shown in
        else append_escaped(out, c);
        plain = ++i;
    }
    if (text.len > plain) pt_buf_append(out, text.data + plain, text.len - plain);
    pt_buf_byte(out, '"');
}
