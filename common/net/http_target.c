#include "common/net/http_target.h"

#include <string.h>

#include "common/base/text.h"

static int hex_value(uint8_t c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

enum pt_code http_percent_decode(struct pt_arena *arena, struct pt_bytes text, bool plus_is_space, char **out,
                                 struct pt_error *err) {
    char *room = pt_arena_alloc(arena, text.len + 1, 1);
    if (!room) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c == '%') {
            const int high = i + 2 < text.len ? hex_value(text.data[i + 1]) : -1;
            const int low = i + 2 < text.len ? hex_value(text.data[i + 2]) : -1;
            if (high < 0 || low < 0) return pt_fail_at(err, PT_INVALID, (long)i, NULL, "'%%' needs two hex digits");
            c = (uint8_t)(high << 4 | low);
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        if (c == 0) return pt_fail_at(err, PT_INVALID, (long)i, NULL, "a NUL in the request target");
        room[len++] = (char)c;
    }
    if (!pt_utf8_valid(pt_bytes_of(room, len))) return pt_fail(err, PT_INVALID, NULL, "the request target is not UTF-8");
    room[len] = 0;
    *out = room;
    return PT_OK;
}

// A decoded segment may hold slashes; whoever takes it for a path must not be led upwards.
static bool leads_upwards(const char *text) {
    for (const char *at = text;; at++) {
        const size_t len = strcspn(at, "/");
        if ((len == 1 && at[0] == '.') || (len == 2 && at[0] == '.' && at[1] == '.')) return true;
        at += len;
        if (!*at) return false;
    }
}

enum pt_code http_path_parse(struct pt_arena *arena, struct pt_bytes path, struct http_path *out, struct pt_error *err) {
    out->count = 0;
    if (path.len == 0 || path.data[0] != '/') return pt_fail_at(err, PT_INVALID, 0, NULL, "a path begins with '/'");
    for (size_t at = 1;;) {
        const uint8_t *slash = at < path.len ? memchr(path.data + at, '/', path.len - at) : NULL;
        const size_t len = slash ? (size_t)(slash - path.data) - at : path.len - at;
        if (out->count == HTTP_MAX_SEGMENTS)
            return pt_fail(err, PT_LIMIT, NULL, "a path has at most %u segments", HTTP_MAX_SEGMENTS);
        out->raw[out->count] = pt_bytes_of(path.data + at, len);
        const enum pt_code code = http_percent_decode(arena, out->raw[out->count], false, &out->decoded[out->count], err);
        if (code != PT_OK) return code;
        if (leads_upwards(out->decoded[out->count]))
            return pt_fail_at(err, PT_INVALID, (long)at, NULL, "a path has no segments '.' and '..'");
        out->count++;
        if (!slash) return PT_OK;
        at += len + 1;
    }
}

enum pt_code http_query_parse(struct pt_arena *arena, struct pt_bytes query, struct http_query *out, struct pt_error *err) {
    *out = (struct http_query){0, NULL};
    if (query.len == 0) return PT_OK;
    size_t parts = 1;
    for (size_t i = 0; i < query.len; i++) parts += query.data[i] == '&';
    if (parts > HTTP_MAX_PARAMETERS)
        return pt_fail(err, PT_LIMIT, NULL, "a query has at most %u parameters", HTTP_MAX_PARAMETERS);
    out->list = pt_arena_alloc(arena, parts, sizeof *out->list);
    if (!out->list) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    for (size_t at = 0; at < query.len;) {
        const uint8_t *end = memchr(query.data + at, '&', query.len - at);
        const struct pt_bytes part = pt_bytes_of(query.data + at, (end ? (size_t)(end - query.data) : query.len) - at);
        at += part.len + 1;
        if (part.len == 0) continue;
        const uint8_t *equals = memchr(part.data, '=', part.len);
        const size_t name_len = equals ? (size_t)(equals - part.data) : part.len;
        const size_t value_at = equals ? name_len + 1 : part.len;
        struct http_parameter *parameter = &out->list[out->count];
        enum pt_code code = http_percent_decode(arena, pt_bytes_of(part.data, name_len), true, &parameter->name, err);
        if (code == PT_OK)
            code = http_percent_decode(arena, pt_bytes_of(part.data + value_at, part.len - value_at), true, &parameter->value,
                                       err);
        if (code != PT_OK) return code;
        out->count++;
    }
    return PT_OK;
}
