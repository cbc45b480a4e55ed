// One event, by the tables of event_fields.c.
#include <string.h>

#include "common/epcis/epcis_json_reader.h"

static enum pt_code read_fields(struct epcis_reader *reader, const json_t *object, const struct epcis_fields *fields,
                                enum epcis_event_type type, const struct jsonld_scope *scope, void *base);

const char *epcis_read_class(const char *text) {
    static const char *const prefixes[] = {"epcis:", "https://ref.gs1.org/epcis/"};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (strncmp(text, prefixes[i], strlen(prefixes[i])) == 0) return text + strlen(prefixes[i]);
    return text;
}

const json_t *epcis_read_type_of(const struct epcis_reader *reader, const json_t *object) {
    const json_t *type = json_object_get(object, "type");
    if (!type && !reader->strict) type = json_object_get(object, "@type");
    if (!type && !reader->strict) type = json_object_get(object, "isA");
    return type;
}

// The name under which the tables know a member.
static const char *plain_name(const struct epcis_reader *reader, const struct epcis_fields *fields, const char *name) {
    if (reader->strict) return name;
    const bool event = fields == &epcis_event_fields;
    if (strcmp(name, "@id") == 0 || (event && strcmp(name, "id") == 0)) return event ? "eventID" : "id";
    if (strcmp(name, "@type") == 0 || strcmp(name, "isA") == 0) return "type";
    return name;
}

static enum pt_code read_number(struct epcis_reader *reader, enum epcis_rule rule, const json_t *value,
                                struct epcis_number *out) {
    if (!json_is_number(value)) return epcis_read_expected(reader, "a number");
    *out = (struct epcis_number){.present = true, .is_integer = json_is_integer(value), .real = json_number_value(value)};
    if (out->is_integer) out->integer = json_integer_value(value);
    return reader->strict ? epcis_check_number(rule, out, reader->err) : PT_OK;
}

static enum pt_code read_texts(struct epcis_reader *reader, const struct epcis_field *field, const json_t *value,
                               struct epcis_texts *out) {
    const bool single = field->kind == FIELD_STRING_OR_ARRAY && json_is_string(value);
    // One string in the place of a set is the same in JSON-LD, but the schema wants the array.
    if (!json_is_array(value) && !single && (reader->strict || !json_is_string(value)))
        return epcis_read_expected(reader, "an array");
    const size_t count = json_is_array(value) ? json_array_size(value) : 1;
    out->items = pt_arena_alloc(reader->arena, count, sizeof *out->items);
    if (!out->items) return epcis_read_no_room(reader);
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_is_array(value) ? json_array_get(value, i) : value;
        if (!json_is_string(item)) {
            epcis_read_expected(reader, "a string");
            return pt_error_under(reader->err, "/%zu", i);
        }
        const enum pt_code code = epcis_read_string(reader, item, &out->items[out->count++]);
        if (code != PT_OK) return code;
    }
    if (!reader->strict) return PT_OK;
    // The place of a string that stands alone is the field itself.
    return single ? epcis_check_text(field->rule, out->items[0], reader->err)
                  : epcis_check_texts(field, out, reader->err);
}

static enum pt_code read_objects(struct epcis_reader *reader, const struct epcis_field *field, const json_t *value,
                                 enum epcis_event_type type, const struct jsonld_scope *scope, void *base) {
    if (!json_is_array(value)) return epcis_read_expected(reader, "an array");
    const size_t count = json_array_size(value);
    if (reader->strict && field->filled && count == 0)
        return pt_fail(reader->err, PT_INVALID, NULL, "must have at least one item");
    char *items = pt_arena_alloc(reader->arena, count, field->item_size);
    if (!items) return epcis_read_no_room(reader);
    for (size_t i = 0; i < count; i++) {
        const enum pt_code code =
            read_fields(reader, json_array_get(value, i), field->inner, type, scope, items + i * field->item_size);
        if (code != PT_OK) return pt_error_under(reader->err, "/%zu", i);
    }
    *(void **)(void *)((char *)base + field->offset) = items;
    *(size_t *)(void *)((char *)base + field->flag) = count;
    return PT_OK;
}

static enum pt_code read_extensions(struct epcis_reader *reader, const json_t *value, const struct jsonld_scope *scope,
                                    struct epcis_members *out) {
    if (!json_is_object(value)) return epcis_read_expected(reader, "an object");
    const char *name;
    json_t *content;
    json_object_foreach((json_t *)(uintptr_t)value, name, content) {
        const enum pt_code code = epcis_read_check_name(reader, name);
        if (code != PT_OK) return code;
    }
    struct epcis_value tree = {0};
    const enum pt_code code = epcis_read_value(reader, value, scope, &tree);
    if (code == PT_OK) *out = tree.members;
    return code;
}

static enum pt_code read_action(struct epcis_reader *reader, const json_t *value, enum epcis_action *out) {
    const char *text = json_string_value(value);
    if (!text) return epcis_read_expected(reader, "a string");
    *out = epcis_action_named(text);
    if (*out != EPCIS_ACTION_NONE) return PT_OK;
    return pt_fail(reader->err, PT_INVALID, NULL, "'%s' is not an action (ADD, OBSERVE, DELETE)", text);
}

static enum pt_code read_offset(struct epcis_reader *reader, const json_t *value, int16_t *out) {
    if (!json_is_string(value)) return epcis_read_expected(reader, "a string");
    return pt_offset_parse(pt_bytes_of(json_string_value(value), json_string_length(value)), out, reader->err);
}

// A field's `flag` is a bool for these kinds.
static enum pt_code read_flagged(struct epcis_reader *reader, const struct epcis_field *field, const json_t *value,
                                 enum epcis_event_type type, const struct jsonld_scope *scope, void *base) {
    void *at = (char *)base + field->offset;
    *(bool *)(void *)((char *)base + field->flag) = true;
    switch (field->kind) {
    case FIELD_TIME: return epcis_read_time(reader, value, at);
    case FIELD_OFFSET: return read_offset(reader, value, at);
    case FIELD_BOOLEAN:
        *(bool *)at = json_is_true(value);
        return json_is_boolean(value) ? PT_OK : epcis_read_expected(reader, "true or false");
    case FIELD_EXTENSIONS: return read_extensions(reader, value, scope, at);
    default: return read_fields(reader, value, field->inner, type, scope, at);
    }
}

static enum pt_code read_field(struct epcis_reader *reader, const struct epcis_field *field, const json_t *value,
                               enum epcis_event_type type, const struct jsonld_scope *scope, void *base) {
    void *at = (char *)base + field->offset;
    switch (field->kind) {
    case FIELD_STRING: {
        const char **text = at;
        const enum pt_code code = epcis_read_string(reader, value, text);
        return code == PT_OK && reader->strict ? epcis_check_text(field->rule, *text, reader->err) : code;
    }
    case FIELD_ACTION: return read_action(reader, value, at);
    case FIELD_NUMBER: return read_number(reader, field->rule, value, at);
    case FIELD_STRINGS:
    case FIELD_STRING_OR_ARRAY: return read_texts(reader, field, value, at);
    case FIELD_GROUP: {
        const enum pt_code code = read_fields(reader, value, field->inner, type, scope, base);
        if (code != PT_OK || !reader->strict || epcis_field_present(field, base)) return code;
        return epcis_fail_at_name(reader->err, NULL, field->inner->items[0].name, "is missing");
    }
    case FIELD_PLACE: return read_fields(reader, value, field->inner, type, scope, at);
    case FIELD_OBJECTS: return read_objects(reader, field, value, type, scope, base);
    case FIELD_TIME:
    case FIELD_OFFSET:
    case FIELD_BOOLEAN:
    case FIELD_OBJECT:
    case FIELD_EXTENSIONS: return read_flagged(reader, field, value, type, scope, base);
    }
    return epcis_read_expected(reader, "a field");
}

// What an event says beside its fields, and a member without a value outside strict mode.
static bool is_skipped(const struct epcis_reader *reader, const struct epcis_fields *fields, const char *name,
                       const json_t *value) {
    if (!reader->strict && json_is_null(value)) return true;
    return fields == &epcis_event_fields && (strcmp(name, "@context") == 0 || strcmp(name, "type") == 0);
}

static enum pt_code read_others(struct epcis_reader *reader, const json_t *object, const struct epcis_fields *fields,
                                enum epcis_event_type type, const struct jsonld_scope *scope, struct epcis_members *out,
                                size_t count) {
    out->items = pt_arena_alloc(reader->arena, count, sizeof *out->items);
    if (!out->items) return epcis_read_no_room(reader);
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, name, value) {
        const char *plain = plain_name(reader, fields, name);
        if (is_skipped(reader, fields, plain, value) || epcis_field_find(fields, plain, type)) continue;
        struct epcis_member *member = &out->items[out->count++];
        enum pt_code code = epcis_read_name(reader, name, scope, member);
        if (code == PT_OK) code = epcis_read_value(reader, value, scope, &member->value);
        if (code != PT_OK) return epcis_error_under_name(reader->err, name);
    }
    return PT_OK;
}

static enum pt_code check_required(const struct epcis_reader *reader, const json_t *object,
                                   const struct epcis_fields *fields) {
    // An event's own required fields depend on its type: epcis_check_event_rules.
    if (!reader->strict || fields == &epcis_event_fields) return PT_OK;
    for (size_t i = 0; i < fields->count; i++)
        if (fields->items[i].required && !json_object_get(object, fields->items[i].name))
            return epcis_fail_at_name(reader->err, NULL, fields->items[i].name, "is missing");
    return PT_OK;
}

static enum pt_code read_fields(struct epcis_reader *reader, const json_t *object, const struct epcis_fields *fields,
                                enum epcis_event_type type, const struct jsonld_scope *scope, void *base) {
    if (!json_is_object(object)) return epcis_read_expected(reader, "an object");
    size_t others = 0;
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, name, value) {
        const char *plain = plain_name(reader, fields, name);
        if (is_skipped(reader, fields, plain, value)) continue;
        const struct epcis_field *field = epcis_field_find(fields, plain, type);
        enum pt_code code = PT_OK;
        if (field) {
            code = read_field(reader, field, value, type, scope, base);
            if (code != PT_OK) return epcis_error_under_name(reader->err, name);
        } else if (fields->extensions == EPCIS_NOWHERE) {
            return epcis_fail_at_name(reader->err, NULL, name, "there is no such field");
        } else {
            code = epcis_read_check_name(reader, name);
            if (code != PT_OK) return code;
            others++;
        }
    }
    const enum pt_code code = check_required(reader, object, fields);
    if (code != PT_OK || others == 0) return code;
    return read_others(reader, object, fields, type, scope, (void *)((char *)base + fields->extensions), others);
}

static enum pt_code read_type(struct epcis_reader *reader, const json_t *event, enum epcis_event_type *out) {
    const json_t *type = epcis_read_type_of(reader, event);
    if (!type) return epcis_fail_at_name(reader->err, NULL, "type", "is missing");
    const char *text = json_string_value(type);
    if (!text) return epcis_fail_at_name(reader->err, NULL, "type", "must be a string");
    *out = epcis_event_type_named(epcis_read_class(text));
    if (*out != EPCIS_EVENT_NONE) return PT_OK;
    return pt_fail(reader->err, PT_INVALID, "/type", "'%s' is not one of the five event types", text);
}

enum pt_code epcis_read_event(struct epcis_reader *reader, const json_t *value, const struct jsonld_scope *outer,
                              struct epcis_event *out) {
    if (!json_is_object(value)) return epcis_read_expected(reader, "an object");
    struct jsonld_scope scope;
    enum pt_code code = jsonld_open(&scope, outer, json_object_get(value, "@context"), reader->strict, reader->err);
    if (code != PT_OK) return epcis_error_under_name(reader->err, "@context");
    code = jsonld_used_prefixes(&scope, value, reader->arena, &out->prefixes, reader->err);
    if (code == PT_OK) code = read_type(reader, value, &out->type);
    if (code == PT_OK) code = read_fields(reader, value, &epcis_event_fields, out->type, &scope, out);
    return code == PT_OK && reader->strict ? epcis_check_event_rules(out, reader->err) : code;
}
