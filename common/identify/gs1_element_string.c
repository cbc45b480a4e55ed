#include "common/identify/gs1_element_string.h"

#include <string.h>

#include "common/identify/scanned_text.h"

static bool is_digit(uint8_t c) {
    return c >= '0' && c <= '9';
}

// The digits between brackets at `at`, or none.
static struct pt_bytes bracketed_code(struct pt_bytes text, size_t at) {
    size_t end = at + 1;
    while (end < text.len && end - at <= GS1_AI_MAX && is_digit(text.data[end])) end++;
    const bool good = at < text.len && text.data[at] == '(' && end < text.len && text.data[end] == ')' && end - at >= 3;
    return good ? pt_bytes_of(text.data + at + 1, end - at - 1) : pt_bytes_of(NULL, 0);
}

bool gs1_is_bracketed(struct pt_bytes text) {
    return bracketed_code(text, 0).len > 0;
}

// Takes the value's text up to the next AI, unescaped. *at moves behind it, *start to the value's first byte.
static enum pt_code bracketed_value(struct pt_bytes text, size_t *at, size_t *start, char *value, size_t *len,
                                    struct identify_warnings *warnings, struct pt_error *err) {
    size_t end = *at;
    while (end < text.len && !(bracketed_code(text, end).len > 0 && text.data[end - 1] != '\\')) end++;
    size_t from = *at;
    size_t to = end;
    while (from < to && text.data[from] == ' ') from++;
    while (to > from && text.data[to - 1] == ' ') to--;
    if (from != *at || to != end)
        identify_warn(warnings, "blanks", "blanks around the value at byte %zu were dropped", from);
    *start = from;
    *at = end;
    *len = 0;
    for (size_t i = from; i < to; i++) {
        if (text.data[i] == '\\' && i + 1 < to && text.data[i + 1] == '(') continue;
        if (*len == GS1_VALUE_MAX)
            return pt_fail_at(err, PT_INVALID, (long)i, NULL, "length: no value has more than %u characters",
                              GS1_VALUE_MAX);
        value[(*len)++] = (char)text.data[i];
    }
    return PT_OK;
}

enum pt_code gs1_bracketed_parse(struct pt_bytes text, struct gs1_elements *out, struct identify_warnings *warnings,
                                 struct pt_error *err) {
    *out = (struct gs1_elements){0};
    for (size_t at = 0; at < text.len;) {
        const struct pt_bytes code = bracketed_code(text, at);
        if (code.len == 0)
            return pt_fail_at(err, PT_INVALID, (long)at, NULL, "bracket: an AI in brackets must stand here");
        if (!gs1_ai_find(code))
            return pt_fail_at(err, PT_INVALID, (long)at + 1, NULL, "ai: there is no AI (%.*s)", (int)code.len,
                              (const char *)code.data);
        at += code.len + 2;
        char value[GS1_VALUE_MAX];
        size_t len = 0;
        size_t start = at;
        enum pt_code result = bracketed_value(text, &at, &start, value, &len, warnings, err);
        if (result == PT_OK) result = gs1_elements_add(out, code, pt_bytes_of(value, len), start, GS1_CONTENT, err);
        if (result != PT_OK) return result;
    }
    return PT_OK;
}

static struct pt_bytes slice(struct pt_bytes text, size_t from, size_t len) {
    return pt_bytes_of(text.data + from, len);
}

static size_t until_separator(struct pt_bytes text, size_t from) {
    const uint8_t *found = from < text.len ? memchr(text.data + from, FNC1, text.len - from) : NULL;
    return found ? (size_t)(found - text.data) : text.len;
}

static enum pt_code next_element(struct pt_bytes text, size_t *at, struct gs1_elements *out, struct pt_error *err) {
    const size_t digits = gs1_ai_length(slice(text, *at, text.len - *at));
    const size_t stop = until_separator(text, *at);
    const struct pt_bytes code = slice(text, *at, digits && *at + digits <= stop ? digits : 0);
    const struct gs1_ai *ai = gs1_ai_find(code);
    if (!ai) {
        const size_t shown = stop - *at < GS1_AI_MAX ? stop - *at : GS1_AI_MAX;
        return pt_fail_at(err, PT_INVALID, (long)*at, NULL, "ai: no AI starts like '%.*s'", (int)shown,
                          (const char *)text.data + *at);
    }
    const size_t value = *at + digits;
    size_t end = stop;
    if ((ai->flags & GS1_PREDEFINED) && end > value + gs1_ai_max(ai)) end = value + gs1_ai_max(ai);
    const enum pt_code result = gs1_elements_add(out, code, slice(text, value, end - value), value, GS1_CONTENT, err);
    *at = end;
    return result;
}

enum pt_code gs1_element_string_parse(struct pt_bytes text, struct gs1_elements *out,
                                      struct identify_warnings *warnings, struct pt_error *err) {
    *out = (struct gs1_elements){0};
    size_t at = text.len > 0 && text.data[0] == FNC1 ? 1 : 0;
    if (at == text.len) return pt_fail_at(err, PT_INVALID, (long)at, NULL, "empty: there is no element string");
    while (at < text.len) {
        const enum pt_code code = next_element(text, &at, out, err);
        if (code != PT_OK) return code;
        if (at < text.len && text.data[at] == FNC1) {
            at++;
            if (at == text.len)
                identify_warn(warnings, "trailing-separator", "the last element is followed by a separator");
        }
    }
    return PT_OK;
}

void gs1_element_string_append(struct pt_buf *out, const struct gs1_elements *elements) {
    for (size_t i = 0; i < elements->count; i++) {
        pt_buf_str(out, elements->items[i].code);
        pt_buf_str(out, elements->items[i].value);
        if (!(elements->items[i].ai->flags & GS1_PREDEFINED) && i + 1 < elements->count) pt_buf_byte(out, FNC1);
    }
}
