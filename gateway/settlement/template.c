#include "gateway/settlement/template.h"

#include <string.h>

#define REPEAT "*"
enum { MOST_DEPTH = 32 };

// --- Checking ---

struct check {
    bool envelope;
    unsigned interfaces;  // "@interface" seen
};

static enum pt_code check_node(struct check *check, const json_t *node, enum scope scope, unsigned depth, struct pt_error *err);

// The scope that a list's item opens; the item's "*" says it.
static enum pt_code repeat_scope(const json_t *item, enum scope scope, enum scope *inner, struct pt_error *err) {
    const json_t *repeat = json_object_get(item, REPEAT);
    const char *word = json_string_value(repeat);
    if (repeat && !word) return pt_fail(err, PT_INVALID, "/" REPEAT, "must be \"line\" or \"pack\"");
    if (strcmp(word, "pack") == 0) *inner = SCOPE_PACK;
    else if (strcmp(word, "line") == 0) *inner = SCOPE_LINE;
    else return pt_fail(err, PT_INVALID, "/" REPEAT, "must be \"line\" or \"pack\"");
    if (*inner <= scope) return pt_fail(err, PT_INVALID, "/" REPEAT, "a list of %ss cannot stand inside one %s", word, word);
    return PT_OK;
}

static enum pt_code check_list(struct check *check, const json_t *list, enum scope scope, unsigned depth, struct pt_error *err) {
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        enum scope inner = scope;
        enum pt_code code = PT_OK;
        if (json_object_get(item, REPEAT)) {
            code = repeat_scope(item, scope, &inner, err);
            if (code == PT_OK && json_array_size(list) != 1)
                code = pt_fail(err, PT_INVALID, "", "a repeated item stands alone in its list");
        }
        if (code == PT_OK) code = check_node(check, item, inner, depth + 1, err);
        if (code != PT_OK) return pt_error_under(err, "/%zu", i);
    }
    return PT_OK;
}

static enum pt_code check_object(struct check *check, const json_t *object, enum scope scope, unsigned depth, struct pt_error *err) {
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)object, name, value) {
        if (strcmp(name, REPEAT) == 0) continue;
        const enum pt_code code = check_node(check, value, scope, depth + 1, err);
        if (code != PT_OK) return pt_error_under(err, "/%.60s", name);
    }
    return PT_OK;
}

static enum pt_code check_node(struct check *check, const json_t *node, enum scope scope, unsigned depth, struct pt_error *err) {
    if (depth > MOST_DEPTH) return pt_fail(err, PT_INVALID, "", "nested too deeply");
    if (json_is_object(node)) return check_object(check, node, scope, depth, err);
    if (json_is_array(node)) return check_list(check, node, scope, depth, err);
    if (!json_is_string(node)) return PT_OK;
    const char *spec = json_string_value(node);
    if (check->envelope && strcmp(spec, TEMPLATE_INTERFACE) == 0) {
        check->interfaces++;
        return scope == SCOPE_DOCUMENT ? PT_OK : pt_fail(err, PT_INVALID, "", "\"" TEMPLATE_INTERFACE "\" stands in no list");
    }
    return source_check(spec, scope, err);
}

enum pt_code template_check(const json_t *template, bool envelope, struct pt_error *err) {
    struct check check = {.envelope = envelope};
    if (!json_is_object(template)) return pt_fail(err, PT_INVALID, "", "must be an object");
    if (json_object_get(template, REPEAT)) return pt_fail(err, PT_INVALID, "/" REPEAT, "only an item of a list is repeated");
    const enum pt_code code = check_node(&check, template, SCOPE_DOCUMENT, 0, err);
    if (code == PT_OK && envelope && check.interfaces != 1)
        return pt_fail(err, PT_INVALID, "", "\"" TEMPLATE_INTERFACE "\" must stand in it once");
    return code;
}

// --- Filling ---

struct fill {
    const json_t *interface;
    const struct facts *facts;
    struct lacks *lacks;
    struct pt_error *err;
};

struct cursor {
    const struct fact_line *line;
    const struct fact_pack *pack;
};

static enum pt_code fill_node(const struct fill *fill, const json_t *node, struct cursor at, json_t **out);

static enum pt_code no_memory(const struct fill *fill) { return pt_fail(fill->err, PT_NO_MEMORY, NULL, "out of memory"); }

static enum pt_code fill_object(const struct fill *fill, const json_t *object, struct cursor at, json_t **out) {
    const char *name;
    json_t *value;
    *out = json_object();
    if (!*out) return no_memory(fill);
    json_object_foreach((json_t *)object, name, value) {
        json_t *filled = NULL;
        if (strcmp(name, REPEAT) == 0) continue;
        const enum pt_code code = fill_node(fill, value, at, &filled);
        if (code != PT_OK) {
            json_decref(filled);
            return code;
        }
        if (filled && json_object_set_new(*out, name, filled) != 0) return no_memory(fill);
    }
    return PT_OK;
}

static enum pt_code append(const struct fill *fill, const json_t *item, struct cursor at, json_t *list) {
    json_t *filled = NULL;
    const enum pt_code code = fill_node(fill, item, at, &filled);
    if (code != PT_OK) {
        json_decref(filled);
        return code;
    }
    return !filled || json_array_append_new(list, filled) == 0 ? PT_OK : no_memory(fill);
}

static enum pt_code append_packs(const struct fill *fill, const json_t *item, const struct fact_line *line, json_t *list) {
    for (size_t i = 0; i < line->count; i++) {
        const enum pt_code code = append(fill, item, (struct cursor){line, &line->packs[i]}, list);
        if (code != PT_OK) return code;
    }
    return PT_OK;
}

static enum pt_code fill_repeated(const struct fill *fill, const json_t *item, struct cursor at, json_t *list) {
    const bool packs = strcmp(json_string_value(json_object_get(item, REPEAT)), "pack") == 0;
    if (at.line) return append_packs(fill, item, at.line, list);
    for (size_t i = 0; i < fill->facts->count; i++) {
        const struct fact_line *line = &fill->facts->lines[i];
        const enum pt_code code = packs ? append_packs(fill, item, line, list) : append(fill, item, (struct cursor){line, NULL}, list);
        if (code != PT_OK) return code;
    }
    return PT_OK;
}

static enum pt_code fill_list(const struct fill *fill, const json_t *array, struct cursor at, json_t **out) {
    *out = json_array();
    if (!*out) return no_memory(fill);
    enum pt_code code = PT_OK;
    for (size_t i = 0; i < json_array_size(array) && code == PT_OK; i++) {
        const json_t *item = json_array_get(array, i);
        code = json_object_get(item, REPEAT) ? fill_repeated(fill, item, at, *out) : append(fill, item, at, *out);
    }
    return code;
}

static enum pt_code fill_node(const struct fill *fill, const json_t *node, struct cursor at, json_t **out) {
    if (json_is_object(node)) return fill_object(fill, node, at, out);
    if (json_is_array(node)) return fill_list(fill, node, at, out);
    if (!json_is_string(node)) {
        *out = json_deep_copy(node);
        return *out ? PT_OK : no_memory(fill);
    }
    const char *spec = json_string_value(node);
    if (fill->interface && strcmp(spec, TEMPLATE_INTERFACE) == 0) return fill_node(fill, fill->interface, at, out);
    return source_value(fill->facts, at.line, at.pack, spec, out, fill->lacks, fill->err);
}

enum pt_code template_fill(const json_t *template, const json_t *interface, const struct facts *facts, json_t **out,
                           struct lacks *lacks, struct pt_error *err) {
    const struct fill fill = {interface, facts, lacks, err};
    *out = NULL;
    const enum pt_code code = fill_node(&fill, template, (struct cursor){0}, out);
    if (code != PT_OK) {
        json_decref(*out);
        *out = NULL;
    }
    return code;
}
