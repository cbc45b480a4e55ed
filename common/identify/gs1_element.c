#include "common/identify/gs1_element.h"

#include <string.h>

#include "common/identify/gs1_check.h"

static bool in_charset(char set, uint8_t c) {
    const bool digit = c >= '0' && c <= '9';
    const bool upper = c >= 'A' && c <= 'Z';
    const bool lower = c >= 'a' && c <= 'z';
    switch (set) {
    case 'N': return digit;
    case 'X': return digit || upper || lower || (c != 0 && strchr("!\"%&'()*+,-./:;<=>?_", c) != NULL);
    case 'Y': return digit || upper || c == '#' || c == '-' || c == '/';
    case 'Z': return digit || upper || lower || c == '-' || c == '_' || c == '=';
    default: return false;
    }
}

static const char *charset_name(char set) {
    switch (set) {
    case 'N': return "digits";
    case 'X': return "GS1 character set 82";
    case 'Y': return "GS1 character set 39";
    default: return "GS1 character set 64";
    }
}

static enum pt_code check_component(const struct gs1_component *part, const char *place, struct pt_bytes text,
                                    size_t at, enum gs1_depth depth, struct pt_error *err) {
    for (size_t i = 0; i < text.len; i++)
        if (!in_charset(part->charset, text.data[i]))
            return pt_fail_at(err, PT_INVALID, (long)(at + i), place, "charset: AI %s takes %s, not byte 0x%02x", place,
                              charset_name(part->charset), text.data[i]);
    if (depth == GS1_SHAPE) return PT_OK;
    for (size_t i = 0; i < GS1_CHECKS_MAX && part->checks[i]; i++) {
        size_t wrong_at = 0;
        const char *why = gs1_check_content(part->checks[i], text, &wrong_at);
        if (why)
            return pt_fail_at(err, PT_INVALID, (long)(at + wrong_at), place, "%s: AI %s %s",
                              gs1_check_name(part->checks[i]), place, why);
    }
    return PT_OK;
}

// Padding of base64url may only end the text.
static bool base64_padding_is_last(struct pt_bytes value) {
    size_t end = value.len;
    while (end > 0 && value.data[end - 1] == '=') end--;
    return value.len - end <= 2 && !(end && memchr(value.data, '=', end));
}

enum pt_code gs1_value_check(const struct gs1_ai *ai, const char *code, struct pt_bytes value, enum gs1_depth depth,
                             struct pt_error *err) {
    char place[GS1_AI_MAX + 3] = "(";
    strncat(place, code, GS1_AI_MAX);
    strcat(place, ")");
    if (value.len == 0)
        return pt_fail_at(err, PT_INVALID, 0, place, "length: AI %s %s is empty", place, ai->title ? ai->title : "");
    size_t used = 0;
    for (size_t i = 0; i < GS1_COMPONENTS_MAX && ai->components[i].charset; i++) {
        const struct gs1_component *part = &ai->components[i];
        size_t take = value.len - used;
        if (take == 0 && part->optional) break;
        if (take > part->max) take = part->max;
        const struct pt_bytes text = pt_bytes_of(value.data + used, take);
        if (take < part->min)
            return pt_fail_at(err, PT_INVALID, (long)value.len, place, "length: AI %s has %zu characters, too few",
                              place, value.len);
        const enum pt_code code_of = check_component(part, place, text, used, depth, err);
        if (code_of != PT_OK) return code_of;
        used += take;
    }
    if (used < value.len)
        return pt_fail_at(err, PT_INVALID, (long)used, place, "length: AI %s has %zu characters, at most %zu", place,
                          value.len, gs1_ai_max(ai));
    if (ai->components[0].charset == 'Z' && !base64_padding_is_last(value))
        return pt_fail_at(err, PT_INVALID, 0, place, "charset: AI %s has padding (=) that is not at its end", place);
    return PT_OK;
}

enum pt_code gs1_elements_add(struct gs1_elements *list, struct pt_bytes code, struct pt_bytes value, size_t position,
                              enum gs1_depth depth, struct pt_error *err) {
    const struct gs1_ai *ai = gs1_ai_find(code);
    if (!ai)
        return pt_fail_at(err, PT_INVALID, (long)position, NULL, "ai: there is no AI (%.*s)",
                          (int)(code.len > 4 ? 4 : code.len), (const char *)code.data);
    if (list->count == GS1_ELEMENTS_MAX)
        return pt_fail_at(err, PT_LIMIT, (long)position, NULL, "more than %u elements", GS1_ELEMENTS_MAX);
    struct gs1_element *item = &list->items[list->count];
    *item = (struct gs1_element){.ai = ai, .position = position};
    memcpy(item->code, code.data, code.len);
    const enum pt_code checked = gs1_value_check(ai, item->code, value, depth, err);
    if (checked != PT_OK) {
        if (err && err->position >= 0) err->position += (long)position;
        return checked;
    }
    memcpy(item->value, value.data, value.len);
    list->count++;
    return PT_OK;
}

const struct gs1_element *gs1_elements_find(const struct gs1_elements *list, const char *code) {
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].code, code) == 0) return &list->items[i];
    return NULL;
}

const char *gs1_elements_value(const struct gs1_elements *list, const char *code) {
    const struct gs1_element *found = gs1_elements_find(list, code);
    return found ? found->value : NULL;
}
