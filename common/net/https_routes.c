#include "common/net/https_routes.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    unsigned bit;
    const char *name;
} methods[] = {{HTTPS_GET, "GET"},       {HTTPS_HEAD, "HEAD"},   {HTTPS_POST, "POST"},      {HTTPS_PUT, "PUT"},
               {HTTPS_DELETE, "DELETE"}, {HTTPS_PATCH, "PATCH"}, {HTTPS_OPTIONS, "OPTIONS"}};

unsigned https_method_bit(const char *name) {
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (strcmp(methods[i].name, name) == 0) return methods[i].bit;
    return 0;
}

void https_methods_append(struct pt_buf *out, unsigned mask) {
    const char *separator = "";
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        if (!(mask & methods[i].bit)) continue;
        pt_buf_printf(out, "%s%s", separator, methods[i].name);
        separator = ", ";
    }
}

static enum pt_code compile_segment(struct https_compiled *compiled, const char *text, size_t len, struct pt_error *err) {
    const char *pattern = compiled->route.pattern;
    if (compiled->segment_count == HTTP_MAX_SEGMENTS) return pt_fail(err, PT_USAGE, pattern, "too many segments");
    struct https_segment *segment = &compiled->segments[compiled->segment_count];
    segment->kind = HTTPS_SEGMENT_LITERAL;
    if (len > 2 && text[0] == '{' && text[len - 1] == '}') {
        text++;
        len -= 2;
        segment->kind = HTTPS_SEGMENT_PARAM;
        if (text[len - 1] == '*') {
            segment->kind = HTTPS_SEGMENT_REST;
            len--;
        }
    }
    if ((len == 0 && segment->kind != HTTPS_SEGMENT_LITERAL) || memchr(text, '{', len) || memchr(text, '}', len) || memchr(text, '*', len))
        return pt_fail(err, PT_USAGE, pattern, "a segment is a word, {name} or {name*}");
    segment->text = strndup(text, len);
    if (!segment->text) return pt_fail(err, PT_NO_MEMORY, pattern, "out of memory");
    compiled->segment_count++;
    return PT_OK;
}

static enum pt_code compile(struct https_compiled *compiled, const struct https_route *route, struct pt_error *err) {
    compiled->route = *route;
    if (!route->pattern || route->pattern[0] != '/' || !route->handler || route->methods == 0)
        return pt_fail(err, PT_USAGE, route->pattern, "a route has methods, a handler and a pattern that begins with '/'");
    for (const char *at = route->pattern + 1;; at++) {
        const size_t len = strcspn(at, "/");
        const enum pt_code code = compile_segment(compiled, at, len, err);
        if (code != PT_OK) return code;
        at += len;
        if (!*at) return PT_OK;
        if (compiled->segments[compiled->segment_count - 1].kind == HTTPS_SEGMENT_REST)
            return pt_fail(err, PT_USAGE, route->pattern, "{name*} stands last");
    }
}

// Segment by segment, literals by their text: 0 means that both match the same paths.
static int compare(const struct https_compiled *a, const struct https_compiled *b) {
    for (size_t i = 0; i < a->segment_count && i < b->segment_count; i++) {
        const struct https_segment *x = &a->segments[i];
        const struct https_segment *y = &b->segments[i];
        if (x->kind != y->kind) return x->kind < y->kind ? -1 : 1;
        const int order = x->kind == HTTPS_SEGMENT_LITERAL ? strcmp(x->text, y->text) : 0;
        if (order != 0) return order;
    }
    return (a->segment_count > b->segment_count) - (a->segment_count < b->segment_count);
}

static int by_speciality(const void *a, const void *b) {
    return compare(*(struct https_compiled *const *)a, *(struct https_compiled *const *)b);
}

enum pt_code https_routes_compile(const struct https_route *routes, size_t count, struct https_routes *out,
                                  struct pt_error *err) {
    *out = (struct https_routes){.list = calloc(count ? count : 1, sizeof(struct https_compiled *))};
    if (!out->list) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    for (size_t i = 0; i < count; i++) {
        out->list[i] = calloc(1, sizeof **out->list);
        if (!out->list[i]) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
        out->count++;
        const enum pt_code code = compile(out->list[i], &routes[i], err);
        if (code != PT_OK) return code;
        out->all_methods |= routes[i].methods | (routes[i].methods & HTTPS_GET ? HTTPS_HEAD : 0) | HTTPS_OPTIONS;
    }
    qsort(out->list, count, sizeof *out->list, by_speciality);
    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; j < count && compare(out->list[i], out->list[j]) == 0; j++)
            if (out->list[i]->route.methods & out->list[j]->route.methods)
                return pt_fail(err, PT_USAGE, out->list[i]->route.pattern, "two routes match the same requests");
    return PT_OK;
}

void https_routes_free(struct https_routes *routes) {
    for (size_t i = 0; i < routes->count; i++) {
        for (size_t s = 0; s < routes->list[i]->segment_count; s++) free(routes->list[i]->segments[s].text);
        free(routes->list[i]);
    }
    free(routes->list);
    *routes = (struct https_routes){0};
}

static bool matches(const struct https_compiled *compiled, const struct http_path *path) {
    for (size_t i = 0; i < compiled->segment_count; i++) {
        const struct https_segment *segment = &compiled->segments[i];
        if (i >= path->count || (segment->kind != HTTPS_SEGMENT_LITERAL && path->raw[i].len == 0)) return false;
        if (segment->kind == HTTPS_SEGMENT_REST) return true;
        if (segment->kind == HTTPS_SEGMENT_LITERAL && strcmp(segment->text, path->decoded[i]) != 0) return false;
    }
    return compiled->segment_count == path->count;
}

// The rest of the path from segment `first` on, decoded, slashes and all.
static char *join_rest(const struct http_path *path, size_t first, struct pt_arena *arena) {
    size_t len = 0;
    for (size_t i = first; i < path->count; i++) len += strlen(path->decoded[i]) + 1;
    char *rest = pt_arena_alloc(arena, len, 1);
    for (size_t i = first, at = 0; rest && i < path->count; i++) {
        const size_t part = strlen(path->decoded[i]);
        memcpy(rest + at, path->decoded[i], part);
        at += part;
        rest[at++] = i + 1 < path->count ? '/' : 0;
    }
    return rest;
}

static void take_params(const struct https_compiled *compiled, const struct http_path *path, struct pt_arena *arena,
                        struct https_params *params) {
    params->count = 0;
    for (size_t i = 0; i < compiled->segment_count; i++) {
        const struct https_segment *segment = &compiled->segments[i];
        if (segment->kind == HTTPS_SEGMENT_LITERAL) continue;
        char *value = segment->kind == HTTPS_SEGMENT_REST ? join_rest(path, i, arena) : path->decoded[i];
        params->list[params->count++] = (struct http_parameter){segment->text, value};
    }
}

struct https_compiled *https_routes_find(const struct https_routes *routes, const struct http_path *path, unsigned method,
                                         struct pt_arena *arena, struct https_params *params, unsigned *allowed) {
    *allowed = 0;
    for (size_t i = 0; i < routes->count; i++) {
        struct https_compiled *compiled = routes->list[i];
        if (!matches(compiled, path)) continue;
        unsigned takes = compiled->route.methods;
        if (takes & HTTPS_GET) takes |= HTTPS_HEAD;
        *allowed |= takes | HTTPS_OPTIONS;
        if (!(takes & method)) continue;
        take_params(compiled, path, arena, params);
        return compiled;
    }
    return NULL;
}
