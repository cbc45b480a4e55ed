#include <string.h>

#include "common/master/master_fields.h"

// --- Reading ---

struct json_reader {
    struct pt_arena *arena;
    struct pt_error *err;
};

static enum pt_code read_fields(struct json_reader *r, const struct master_fields *fields, const json_t *object,
                                void *base);

static enum pt_code wrong(struct json_reader *r, const char *name, const char *wanted) {
    pt_fail(r->err, PT_INVALID, NULL, "must be %s", wanted);
    pt_error_under(r->err, "/%s", name);
    return PT_INVALID;
}

static enum pt_code no_memory(struct json_reader *r) { return pt_fail(r->err, PT_NO_MEMORY, NULL, "out of memory"); }

static enum pt_code read_text(struct json_reader *r, const char *name, const json_t *value, const char **out) {
    if (!json_is_string(value)) return wrong(r, name, "a text");
    *out = pt_arena_strdup(r->arena, pt_bytes_of(json_string_value(value), json_string_length(value)));
    return *out ? PT_OK : no_memory(r);
}

static enum pt_code read_name(struct json_reader *r, const char *name, const json_t *value, struct master_name *out) {
    if (!json_is_object(value)) return wrong(r, name, "an object with zh or en");
    const char *language;
    json_t *text;
    json_object_foreach((json_t *)value, language, text) {
        const bool zh = strcmp(language, "zh") == 0;
        if (!zh && strcmp(language, "en") != 0) return wrong(r, name, "an object with zh or en alone");
        const enum pt_code code = read_text(r, name, text, zh ? &out->zh : &out->en);
        if (code != PT_OK) return code;
    }
    return PT_OK;
}

static enum pt_code read_role(struct json_reader *r, const char *name, const json_t *value, uint32_t *roles) {
    const char *text = json_string_value(value);
    for (unsigned role = 1; text && role <= MASTER_ROLES_MAX; role++) {
        if (strcmp(text, master_role_name((enum master_role)role)) != 0) continue;
        *roles |= 1u << role;
        return PT_OK;
    }
    return wrong(r, name, "a list of known roles");
}

static enum pt_code read_list(struct json_reader *r, const struct master_field *field, const json_t *value, void *member) {
    if (!json_is_array(value)) return wrong(r, field->json, "a list");
    const size_t count = json_array_size(value);
    if (count > MASTER_LIST_MAX) return wrong(r, field->json, "a shorter list");
    struct master_texts *texts = member;
    struct master_levels *levels = member;
    if (field->kind == MASTER_TEXTS) *texts = (struct master_texts){pt_arena_alloc(r->arena, count, sizeof(char *)), count};
    if (field->kind == MASTER_LEVELS)
        *levels = (struct master_levels){pt_arena_alloc(r->arena, count, sizeof(struct master_level)), count};
    if (field->kind != MASTER_ROLES && !(field->kind == MASTER_TEXTS ? (void *)texts->items : (void *)levels->items))
        return no_memory(r);
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(value, i);
        enum pt_code code;
        if (field->kind == MASTER_TEXTS) code = read_text(r, field->json, item, &texts->items[i]);
        else if (field->kind == MASTER_ROLES) code = read_role(r, field->json, item, member);
        else {
            code = read_fields(r, &master_level_fields, item, &levels->items[i]);
            if (code != PT_OK) pt_error_under(r->err, "/%s/%zu", field->json, i);
        }
        if (code != PT_OK) return code;
    }
    return PT_OK;
}

static enum pt_code read_field(struct json_reader *r, const struct master_field *field, const json_t *value, void *base) {
    void *member = (char *)base + field->at;
    switch (field->kind) {
    case MASTER_TEXT: return read_text(r, field->json, value, member);
    case MASTER_NAME: return read_name(r, field->json, value, member);
    case MASTER_COUNT:
        if (!json_is_integer(value) || json_integer_value(value) < 1) return wrong(r, field->json, "a whole number from 1");
        *(uint64_t *)member = (uint64_t)json_integer_value(value);
        return PT_OK;
    case MASTER_INTEGER:
        if (!json_is_integer(value)) return wrong(r, field->json, "a whole number");
        *(struct master_integer *)member = (struct master_integer){true, json_integer_value(value)};
        return PT_OK;
    case MASTER_FLAG:
        if (!json_is_boolean(value)) return wrong(r, field->json, "true or false");
        *(bool *)member = json_is_true(value);
        return PT_OK;
    case MASTER_TEXTS:
    case MASTER_LEVELS:
    case MASTER_ROLES: return read_list(r, field, value, member);
    }
    return PT_OK;
}

static const struct master_field *field_named(const struct master_fields *fields, const char *name) {
    for (size_t i = 0; i < fields->count; i++)
        if (strcmp(fields->items[i].json, name) == 0) return &fields->items[i];
    return NULL;
}

static bool is_record_member(const char *name) {
    return strcmp(name, "kind") == 0 || strcmp(name, "version") == 0 || strcmp(name, "validFrom") == 0 ||
           strcmp(name, "withdrawn") == 0;
}

static enum pt_code read_fields(struct json_reader *r, const struct master_fields *fields, const json_t *object,
                                void *base) {
    if (!json_is_object(object)) return pt_fail(r->err, PT_INVALID, NULL, "must be an object");
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)object, name, value) {
        const struct master_field *field = field_named(fields, name);
        if (!field && fields != &master_level_fields && is_record_member(name)) continue;
        if (!field) {
            pt_fail(r->err, PT_INVALID, NULL, "there is no such member");
            return pt_error_under(r->err, "/%s", name), PT_INVALID;
        }
        const enum pt_code code = read_field(r, field, value, base);
        if (code != PT_OK) return code;
    }
    return PT_OK;
}

enum pt_code master_from_json(const json_t *value, struct pt_arena *arena, struct master_record *out,
                              struct pt_error *err) {
    struct json_reader r = {arena, err};
    *out = (struct master_record){0};
    if (!json_is_object(value)) return pt_fail(err, PT_INVALID, NULL, "a master record must be an object");
    const char *kind = json_string_value(json_object_get(value, "kind"));
    for (enum master_kind k = MASTER_PRODUCT; kind && k <= MASTER_PLACE; k++)
        if (strcmp(kind, master_kind_name(k)) == 0) out->kind = k;
    if (out->kind == MASTER_NONE) return wrong(&r, "kind", "product, party or place");
    const json_t *version = json_object_get(value, "version");
    if (!json_is_integer(version) || json_integer_value(version) < 1) return wrong(&r, "version", "a whole number from 1");
    out->version = (uint64_t)json_integer_value(version);
    struct pt_instant instant;
    enum pt_code code = pt_instant_parse(pt_bytes_str(json_string_value(json_object_get(value, "validFrom"))), &instant, NULL);
    if (code != PT_OK) return wrong(&r, "validFrom", "a date and time with zone (2026-01-01T00:00:00Z)");
    out->valid_from = pt_instant_millis(&instant);
    const json_t *withdrawn = json_object_get(value, "withdrawn");
    if (withdrawn && !json_is_boolean(withdrawn)) return wrong(&r, "withdrawn", "true or false");
    out->withdrawn = json_is_true(withdrawn);
    code = read_fields(&r, master_fields_of(out->kind), value, master_body(out));
    return code == PT_OK ? master_validate(out, err) : code;
}

// --- Writing ---

static json_t *write_fields(json_t *object, const struct master_fields *fields, const void *base);

static json_t *write_name(const struct master_name *name) {
    json_t *object = json_object();
    if (name->zh) json_object_set_new(object, "zh", json_string(name->zh));
    if (name->en) json_object_set_new(object, "en", json_string(name->en));
    return object;
}

static json_t *write_list(const struct master_field *field, const void *member) {
    json_t *list = json_array();
    const struct master_texts *texts = member;
    const struct master_levels *levels = member;
    if (field->kind == MASTER_TEXTS)
        for (size_t i = 0; i < texts->count; i++) json_array_append_new(list, json_string(texts->items[i]));
    if (field->kind == MASTER_LEVELS)
        for (size_t i = 0; i < levels->count; i++)
            json_array_append_new(list, write_fields(json_object(), &master_level_fields, &levels->items[i]));
    if (field->kind == MASTER_ROLES)
        for (unsigned role = 1; role <= MASTER_ROLES_MAX; role++)
            if (*(const uint32_t *)member & 1u << role)
                json_array_append_new(list, json_string(master_role_name((enum master_role)role)));
    return list;
}

static json_t *write_field(const struct master_field *field, const void *base) {
    const void *member = (const char *)base + field->at;
    switch (field->kind) {
    case MASTER_TEXT: return json_string(*(const char *const *)member);
    case MASTER_COUNT: return json_integer((json_int_t)(*(const uint64_t *)member));
    case MASTER_FLAG: return json_true();
    case MASTER_INTEGER: return json_integer(((const struct master_integer *)member)->value);
    case MASTER_NAME: return write_name(member);
    case MASTER_TEXTS:
    case MASTER_LEVELS:
    case MASTER_ROLES: return write_list(field, member);
    }
    return NULL;
}

static json_t *write_fields(json_t *object, const struct master_fields *fields, const void *base) {
    for (size_t i = 0; i < fields->count; i++)
        if (master_field_present(&fields->items[i], base))
            json_object_set_new(object, fields->items[i].json, write_field(&fields->items[i], base));
    return object;
}

enum pt_code master_to_json(const struct master_record *record, json_t **out, struct pt_error *err) {
    const enum pt_code code = master_validate(record, err);
    if (code != PT_OK) return code;
    struct pt_buf time = PT_BUF_INIT(64);
    const struct pt_instant valid_from = pt_instant_from_millis(record->valid_from);
    pt_instant_append(&time, &valid_from);
    json_t *object = json_object();
    json_object_set_new(object, "kind", json_string(master_kind_name(record->kind)));
    json_object_set_new(object, "version", json_integer((json_int_t)record->version));
    json_object_set_new(object, "validFrom", json_string(pt_buf_cstr(&time)));
    if (record->withdrawn) json_object_set_new(object, "withdrawn", json_true());
    pt_buf_free(&time);
    *out = write_fields(object, master_fields_of(record->kind), master_body_const(record));
    return *out ? PT_OK : pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
}
