#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/recall/recall_notice.h"

// --- Reading ---

struct json_source {
    struct pt_arena *arena;
    struct pt_error *err;
};

static enum pt_code wrong(struct json_source *s, const char *name, const char *wanted) {
    pt_fail(s->err, PT_INVALID, NULL, "must be %s", wanted);
    pt_error_under(s->err, "/%s", name);
    return PT_INVALID;
}

static enum pt_code no_memory(struct json_source *s) { return pt_fail(s->err, PT_NO_MEMORY, NULL, "out of memory"); }

static enum pt_code read_text(struct json_source *s, const char *name, const json_t *value, const char **out) {
    if (!json_is_string(value)) return wrong(s, name, "a text");
    *out = pt_arena_strdup(s->arena, pt_bytes_of(json_string_value(value), json_string_length(value)));
    return *out ? PT_OK : no_memory(s);
}

static enum pt_code read_name(struct json_source *s, const char *name, const json_t *value, struct master_name *out) {
    const char *language;
    json_t *text;
    if (!json_is_object(value)) return wrong(s, name, "an object with zh or en");
    json_object_foreach((json_t *)value, language, text) {
        const bool zh = strcmp(language, "zh") == 0;
        if (!zh && strcmp(language, "en") != 0) return wrong(s, name, "an object with zh or en alone");
        const enum pt_code code = read_text(s, name, text, zh ? &out->zh : &out->en);
        if (code != PT_OK) return code;
    }
    return PT_OK;
}

static int by_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

static enum pt_code read_texts(struct json_source *s, const char *name, const json_t *value, const char ***out, size_t *count) {
    if (!json_is_array(value) || json_array_size(value) > RECALL_LIST_MAX) return wrong(s, name, "a list of at most 256");
    const size_t size = json_array_size(value);
    *out = pt_arena_alloc(s->arena, size + 1, sizeof **out);
    if (!*out) return no_memory(s);
    for (size_t i = 0; i < size; i++) {
        const enum pt_code code = read_text(s, name, json_array_get(value, i), &(*out)[i]);
        if (code != PT_OK) return code;
    }
    if (size > 0) qsort(*out, size, sizeof **out, by_text);
    *count = size;
    return PT_OK;
}

static int by_from(const void *a, const void *b) {
    const char *x = ((const struct recall_range *)a)->from, *y = ((const struct recall_range *)b)->from;
    const size_t long_x = strlen(x), long_y = strlen(y);
    return long_x != long_y ? (long_x < long_y ? -1 : 1) : strcmp(x, y);
}

static enum pt_code read_ranges(struct json_source *s, const char *name, const json_t *value, struct recall_scope *out) {
    if (!json_is_array(value) || json_array_size(value) > RECALL_LIST_MAX) return wrong(s, name, "a list of at most 256 ranges");
    const size_t size = json_array_size(value);
    out->ranges = pt_arena_alloc(s->arena, size + 1, sizeof *out->ranges);
    if (!out->ranges) return no_memory(s);
    for (size_t i = 0; i < size; i++) {
        const json_t *range = json_array_get(value, i);
        if (!json_is_object(range) || json_object_size(range) != 2) return wrong(s, name, "a list of objects with from and to");
        enum pt_code code = read_text(s, name, json_object_get(range, "from"), &out->ranges[i].from);
        if (code == PT_OK) code = read_text(s, name, json_object_get(range, "to"), &out->ranges[i].to);
        if (code != PT_OK) return code;
    }
    if (size > 0) qsort(out->ranges, size, sizeof *out->ranges, by_from);
    out->range_count = size;
    return PT_OK;
}

static enum pt_code read_whole(struct json_source *s, const char *name, const json_t *value, uint64_t *out) {
    if (!json_is_integer(value) || json_integer_value(value) < 1) return wrong(s, name, "a whole number from 1");
    *out = (uint64_t)json_integer_value(value);
    return PT_OK;
}

static enum pt_code read_action(struct json_source *s, const char *name, const json_t *value, enum recall_action *out) {
    const char *text = json_string_value(value);
    for (enum recall_action action = RECALL_BEGIN; text && action <= RECALL_END; action++)
        if (strcmp(text, recall_action_name(action)) == 0) return *out = action, PT_OK;
    return wrong(s, name, "begin, extend or end");
}

static enum pt_code read_depth(struct json_source *s, const char *name, const json_t *value, enum recall_depth *out) {
    const char *text = json_string_value(value);
    for (enum recall_depth depth = RECALL_WHOLESALE; text && depth <= RECALL_CONSUMER; depth++)
        if (strcmp(text, recall_depth_name(depth)) == 0) return *out = depth, PT_OK;
    return wrong(s, name, "wholesale, retail or consumer");
}

static enum pt_code read_time(struct json_source *s, const char *name, const json_t *value, pt_millis *out) {
    struct pt_instant instant;
    if (!json_is_string(value) || pt_instant_parse(pt_bytes_str(json_string_value(value)), &instant, NULL) != PT_OK)
        return wrong(s, name, "a date and time with zone (2026-01-01T00:00:00Z)");
    *out = pt_instant_millis(&instant);
    return PT_OK;
}

static enum pt_code read_member(struct json_source *s, const char *name, const json_t *value, struct recall_notice *out) {
    uint64_t number = 0;
    if (strcmp(name, "id") == 0) return read_text(s, name, value, &out->id);
    if (strcmp(name, "version") == 0) return read_whole(s, name, value, &out->version);
    if (strcmp(name, "action") == 0) return read_action(s, name, value, &out->action);
    if (strcmp(name, "products") == 0) return read_texts(s, name, value, &out->products, &out->product_count);
    if (strcmp(name, "lots") == 0) return read_texts(s, name, value, &out->scope.lots, &out->scope.lot_count);
    if (strcmp(name, "serials") == 0) return read_ranges(s, name, value, &out->scope);
    if (strcmp(name, "territories") == 0) return read_texts(s, name, value, &out->scope.territories, &out->scope.territory_count);
    if (strcmp(name, "depth") == 0) return read_depth(s, name, value, &out->depth);
    if (strcmp(name, "reason") == 0) return read_name(s, name, value, &out->reason);
    if (strcmp(name, "instructions") == 0) return read_name(s, name, value, &out->instructions);
    if (strcmp(name, "issuedAt") == 0) return read_time(s, name, value, &out->issued_at);
    if (strcmp(name, "level") == 0) {
        const enum pt_code code = read_whole(s, name, value, &number);
        out->level = number > 3 ? 0 : (unsigned)number;  // 0 is refused by the validation
        return code;
    }
    pt_fail(s->err, PT_INVALID, NULL, "there is no such member");
    pt_error_under(s->err, "/%.100s", name);
    return PT_INVALID;
}

enum pt_code recall_notice_from_json(const json_t *value, struct pt_arena *arena, struct recall_notice *out, struct pt_error *err) {
    struct json_source s = {arena, err};
    const char *name;
    json_t *member;
    *out = (struct recall_notice){.issued_at = -1};
    if (!json_is_object(value)) return pt_fail(err, PT_INVALID, NULL, "a recall notice must be an object");
    json_object_foreach((json_t *)value, name, member) {
        const enum pt_code code = read_member(&s, name, member, out);
        if (code != PT_OK) return code;
    }
    return recall_notice_validate(out, err);
}

// --- Writing ---

static void write_texts(json_t *object, const char *name, const char *const *texts, size_t count) {
    if (count == 0) return;
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) json_array_append_new(list, json_string(texts[i]));
    json_object_set_new(object, name, list);
}

static void write_name(json_t *object, const char *name, const struct master_name *text) {
    if (!text->zh && !text->en) return;
    json_t *languages = json_object();
    if (text->zh) json_object_set_new(languages, "zh", json_string(text->zh));
    if (text->en) json_object_set_new(languages, "en", json_string(text->en));
    json_object_set_new(object, name, languages);
}

static void write_ranges(json_t *object, const struct recall_scope *scope) {
    if (scope->range_count == 0) return;
    json_t *list = json_array();
    for (size_t i = 0; i < scope->range_count; i++)
        json_array_append_new(list, json_pack("{s:s, s:s}", "from", scope->ranges[i].from, "to", scope->ranges[i].to));
    json_object_set_new(object, "serials", list);
}

enum pt_code recall_notice_to_json(const struct recall_notice *notice, json_t **out, struct pt_error *err) {
    const enum pt_code code = recall_notice_validate(notice, err);
    if (code != PT_OK) return code;
    PT_CLEANUP(pt_buf_free) struct pt_buf time = PT_BUF_INIT(64);
    const struct pt_instant issued = pt_instant_from_millis(notice->issued_at);
    pt_instant_append(&time, &issued);
    json_t *object = json_object();
    json_object_set_new(object, "id", json_string(notice->id));
    json_object_set_new(object, "version", json_integer((json_int_t)notice->version));
    json_object_set_new(object, "action", json_string(recall_action_name(notice->action)));
    json_object_set_new(object, "level", json_integer(notice->level));
    write_texts(object, "products", notice->products, notice->product_count);
    write_texts(object, "lots", notice->scope.lots, notice->scope.lot_count);
    write_ranges(object, &notice->scope);
    write_texts(object, "territories", notice->scope.territories, notice->scope.territory_count);
    json_object_set_new(object, "depth", json_string(recall_depth_name(notice->depth)));
    write_name(object, "reason", &notice->reason);
    write_name(object, "instructions", &notice->instructions);
    json_object_set_new(object, "issuedAt", json_string(pt_buf_cstr(&time)));
    *out = object;
    return object ? PT_OK : pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
}
