#include "tests/unit/epcis/epcis_compare.h"

#include <string.h>

#include "common/epcis/event_fields.h"

static bool same_text(const char *a, const char *b) { return a == b || (a && b && strcmp(a, b) == 0); }

static bool same_number(const struct epcis_number *a, const struct epcis_number *b) {
    return a->present == b->present && a->is_integer == b->is_integer && a->integer == b->integer &&
           memcmp(&a->real, &b->real, sizeof a->real) == 0;
}

static bool same_texts(const struct epcis_texts *a, const struct epcis_texts *b) {
    if (a->count != b->count || !a->items != !b->items) return false;
    for (size_t i = 0; i < a->count; i++)
        if (!same_text(a->items[i], b->items[i])) return false;
    return true;
}

static bool same_members(const struct epcis_members *a, const struct epcis_members *b);

static bool same_value(const struct epcis_value *a, const struct epcis_value *b) {
    if (a->kind != b->kind || !same_text(a->text, b->text) || !same_number(&a->number, &b->number)) return false;
    if (a->boolean != b->boolean || a->count != b->count || !same_members(&a->members, &b->members)) return false;
    for (size_t i = 0; i < a->count; i++)
        if (!same_value(&a->items[i], &b->items[i])) return false;
    return true;
}

static bool same_members(const struct epcis_members *a, const struct epcis_members *b) {
    if (a->count != b->count) return false;
    for (size_t i = 0; i < a->count; i++) {
        const struct epcis_member *x = &a->items[i];
        const struct epcis_member *y = &b->items[i];
        if (!same_text(x->ns, y->ns) || !same_text(x->prefix, y->prefix) || !same_text(x->local, y->local)) return false;
        if (!same_value(&x->value, &y->value)) return false;
    }
    return true;
}

static bool same_instant(const struct pt_instant *a, const struct pt_instant *b) {
    return a->seconds == b->seconds && a->nanos == b->nanos && a->offset_minutes == b->offset_minutes;
}

static bool same_fields(const struct epcis_fields *fields, enum epcis_event_type type, const void *a, const void *b,
                        const char **where);

static bool same_field(const struct epcis_field *field, enum epcis_event_type type, const void *a, const void *b,
                       const char **where) {
    const void *x = (const char *)a + field->offset;
    const void *y = (const char *)b + field->offset;
    switch (field->kind) {
    case FIELD_STRING: return same_text(*(const char *const *)x, *(const char *const *)y);
    case FIELD_TIME: return same_instant(x, y);
    case FIELD_OFFSET: return *(const int16_t *)x == *(const int16_t *)y;
    case FIELD_ACTION: return *(const enum epcis_action *)x == *(const enum epcis_action *)y;
    case FIELD_NUMBER: return same_number(x, y);
    case FIELD_BOOLEAN: return *(const bool *)x == *(const bool *)y;
    case FIELD_STRINGS:
    case FIELD_STRING_OR_ARRAY: return same_texts(x, y);
    case FIELD_GROUP: return same_fields(field->inner, type, a, b, where);
    case FIELD_PLACE:
    case FIELD_OBJECT: return same_fields(field->inner, type, x, y, where);
    case FIELD_EXTENSIONS: return same_members(x, y);
    case FIELD_OBJECTS: {
        const size_t count = *(const size_t *)(const void *)((const char *)a + field->flag);
        if (count != *(const size_t *)(const void *)((const char *)b + field->flag)) return false;
        const char *items = *(const char *const *)x;
        const char *others = *(const char *const *)y;
        for (size_t i = 0; i < count * field->item_size; i += field->item_size)
            if (!same_fields(field->inner, type, items + i, others + i, where)) return false;
        return true;
    }
    }
    return false;
}

static bool same_fields(const struct epcis_fields *fields, enum epcis_event_type type, const void *a, const void *b,
                        const char **where) {
    for (size_t i = 0; i < fields->count; i++) {
        const struct epcis_field *field = &fields->items[i];
        if (field->types != 0 && !(field->types & EPCIS_TYPE_BIT(type))) continue;
        if (where) *where = field->name;
        const bool present = epcis_field_present(field, a);
        if (present != epcis_field_present(field, b)) return false;
        if (present && !same_field(field, type, a, b, where)) return false;
    }
    if (fields->extensions == EPCIS_NOWHERE) return true;
    if (where) *where = "(extensions)";
    return same_members((const void *)((const char *)a + fields->extensions),
                        (const void *)((const char *)b + fields->extensions));
}

bool epcis_same_event(const struct epcis_event *a, const struct epcis_event *b, const char **where) {
    if (where) *where = "type";
    return a->type == b->type && same_fields(&epcis_event_fields, a->type, a, b, where);
}

bool epcis_same_document(const struct epcis_document *a, const struct epcis_document *b, const char **where) {
    if (where) *where = "(head)";
    if (a->kind != b->kind || !same_text(a->id, b->id) || !same_text(a->schema_version, b->schema_version)) return false;
    if (!same_text(a->sender, b->sender) || !same_text(a->receiver, b->receiver)) return false;
    if (!same_text(a->instance_identifier, b->instance_identifier) || !same_text(a->query_name, b->query_name)) return false;
    if (!same_text(a->subscription_id, b->subscription_id) || a->has_creation_date != b->has_creation_date) return false;
    if (!same_instant(&a->creation_date, &b->creation_date) || !same_texts(&a->ignored_fields, &b->ignored_fields)) return false;
    if (!same_members(&a->extensions, &b->extensions) || !a->header != !b->header) return false;
    if (a->header && !same_value(a->header, b->header)) return false;
    if (a->event_count != b->event_count) return false;
    for (size_t i = 0; i < a->event_count; i++)
        if (!epcis_same_event(&a->events[i], &b->events[i], where)) return false;
    return true;
}
