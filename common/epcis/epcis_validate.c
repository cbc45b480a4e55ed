#include "common/epcis/epcis_validate.h"

#include "common/epcis/epcis_check.h"

static enum pt_code check_fields(const struct epcis_fields *fields, enum epcis_event_type type, const void *base,
                                 struct pt_error *err);

static enum pt_code missing(struct pt_error *err, const char *name, const char *why) {
    return epcis_fail_at_name(err, NULL, name, why);
}

static enum pt_code check_names(const struct epcis_members *members, struct pt_error *err) {
    for (size_t i = 0; i < members->count; i++) {
        const struct epcis_member *member = &members->items[i];
        if ((!member->prefix && !member->ns) || member->local[0] == 0)
            return epcis_fail_at_name(err, member->prefix, member->local,
                                      "there is no such field; extensions have a name with a namespace");
    }
    return PT_OK;
}

static enum pt_code check_objects(const struct epcis_field *field, enum epcis_event_type type, const char *items,
                                  size_t count, struct pt_error *err) {
    if (field->filled && count == 0) return pt_fail(err, PT_INVALID, NULL, "must have at least one item");
    for (size_t i = 0; i < count; i++) {
        const enum pt_code code = check_fields(field->inner, type, items + i * field->item_size, err);
        if (code != PT_OK) {
            pt_error_under(err, "/%zu", i);
            return code;
        }
    }
    return PT_OK;
}

static bool good_time(const struct pt_instant *time) {
    return time->nanos < 1000000000 && time->offset_minutes >= -840 && time->offset_minutes <= 840;
}

static enum pt_code check_field(const struct epcis_field *field, enum epcis_event_type type, const void *base,
                                struct pt_error *err) {
    const void *at = (const char *)base + field->offset;
    switch (field->kind) {
    case FIELD_STRING: return epcis_check_text(field->rule, *(const char *const *)at, err);
    case FIELD_NUMBER: return epcis_check_number(field->rule, at, err);
    case FIELD_STRINGS:
    case FIELD_STRING_OR_ARRAY: return epcis_check_texts(field, at, err);
    case FIELD_GROUP: return check_fields(field->inner, type, base, err);
    case FIELD_PLACE:
    case FIELD_OBJECT: return check_fields(field->inner, type, at, err);
    case FIELD_OBJECTS:
        return check_objects(field, type, *(const char *const *)at,
                             *(const size_t *)(const void *)((const char *)base + field->flag), err);
    case FIELD_EXTENSIONS: return check_names(at, err);
    case FIELD_TIME: return good_time(at) ? PT_OK : pt_fail(err, PT_INVALID, NULL, "not a time");
    case FIELD_OFFSET: {
        const int16_t minutes = *(const int16_t *)at;
        return minutes >= -840 && minutes <= 840 ? PT_OK : pt_fail(err, PT_INVALID, NULL, "not a time zone offset");
    }
    case FIELD_ACTION:
        return epcis_action_name(*(const enum epcis_action *)at) ? PT_OK : pt_fail(err, PT_INVALID, NULL, "no such action");
    case FIELD_BOOLEAN: return PT_OK;
    }
    return pt_fail(err, PT_INTERNAL, NULL, "no such kind of field");
}

static enum pt_code check_fields(const struct epcis_fields *fields, enum epcis_event_type type, const void *base,
                                 struct pt_error *err) {
    for (size_t i = 0; i < fields->count; i++) {
        const struct epcis_field *field = &fields->items[i];
        const bool known = field->types == 0 || (field->types & EPCIS_TYPE_BIT(type));
        if (!epcis_field_present(field, base)) {
            // An event's own required fields are told by epcis_check_event_rules, after what is there.
            if (field->required && known && fields != &epcis_event_fields) return missing(err, field->name, "is missing");
            continue;
        }
        if (!known) continue;
        const enum pt_code code = check_field(field, type, base, err);
        if (code != PT_OK) {
            epcis_error_under_name(err, field->name);
            return code;
        }
    }
    if (fields->extensions == EPCIS_NOWHERE) return PT_OK;
    return check_names((const void *)((const char *)base + fields->extensions), err);
}

// A field of the struct that this type of event does not have. Two names share one member of the struct
// (epcList, childEPCs), so a field is foreign only if no name of the type stands for its place.
static enum pt_code check_foreign(const struct epcis_event *event, struct pt_error *err) {
    const struct epcis_fields *fields = &epcis_event_fields;
    const unsigned bit = EPCIS_TYPE_BIT(event->type);
    for (size_t i = 0; i < fields->count; i++) {
        const struct epcis_field *field = &fields->items[i];
        if (field->types == 0 || (field->types & bit) || !epcis_field_present(field, event)) continue;
        bool under_other_name = false;
        for (size_t j = 0; j < fields->count && !under_other_name; j++)
            under_other_name = (fields->items[j].types & bit) && fields->items[j].offset == field->offset;
        if (!under_other_name) return missing(err, field->name, "events of this type have no such field");
    }
    return PT_OK;
}

static enum pt_code check_required(const struct epcis_event *event, struct pt_error *err) {
    for (size_t i = 0; i < epcis_event_fields.count; i++) {
        const struct epcis_field *field = &epcis_event_fields.items[i];
        if (field->types != 0 && !(field->types & EPCIS_TYPE_BIT(event->type))) continue;
        if (field->required && !epcis_field_present(field, event)) return missing(err, field->name, "is missing");
    }
    return PT_OK;
}

static enum pt_code object_rules(const struct epcis_event *event, struct pt_error *err) {
    if (event->has_ilmd && event->action != EPCIS_ADD) return missing(err, "ilmd", "is allowed with action ADD only");
    if (event->epcs.items || event->quantities.count > 0) return PT_OK;
    if (event->sensor_element_count == 0)
        return missing(err, event->quantities.items ? "quantityList" : "epcList",
                       "an object event needs an epcList, a quantityList, or sensor data with a readPoint");
    if (event->read_point.id) return PT_OK;
    return missing(err, "readPoint", "sensor data without an epcList or quantityList need a readPoint");
}

static enum pt_code children_rules(const struct epcis_event *event, struct pt_error *err) {
    // The schema asks for the parent of an association always, of an aggregation never; the standard's text
    // (section 7.4.3) lets an observed aggregation go without.
    if (!event->parent_id && (event->type == EPCIS_ASSOCIATION || event->action != EPCIS_OBSERVE))
        return missing(err, "parentID", "is missing");
    if (event->epcs.count > 0 || event->quantities.count > 0 || event->action == EPCIS_DELETE) return PT_OK;
    return missing(err, event->quantities.items && !event->epcs.items ? "childQuantityList" : "childEPCs",
                   "an event of this type and action needs childEPCs or a childQuantityList");
}

static enum pt_code transaction_rules(const struct epcis_event *event, struct pt_error *err) {
    if (event->biz_transactions.count == 0)
        return missing(err, "bizTransactionList", "a transaction event needs a business transaction");
    if (event->epcs.items || event->quantities.count > 0 || event->action == EPCIS_DELETE) return PT_OK;
    return missing(err, event->quantities.items ? "quantityList" : "epcList",
                   "a transaction event needs an epcList or a quantityList");
}

static enum pt_code transformation_rules(const struct epcis_event *event, struct pt_error *err) {
    const bool input = event->input_epcs.count > 0 || event->input_quantities.count > 0;
    const bool output = event->output_epcs.count > 0 || event->output_quantities.count > 0;
    if (input && output) return PT_OK;
    if (event->transformation_id && (input || output)) return PT_OK;
    // Several events that share a transformationID may give inputs and outputs apart.
    return missing(err, input ? "outputEPCList" : "inputEPCList",
                   "a transformation needs inputs and outputs, or a transformationID and one of them");
}

enum pt_code epcis_check_event_rules(const struct epcis_event *event, struct pt_error *err) {
    const enum pt_code code = check_required(event, err);
    if (code != PT_OK) return code;
    switch (event->type) {
    case EPCIS_OBJECT: return object_rules(event, err);
    case EPCIS_AGGREGATION:
    case EPCIS_ASSOCIATION: return children_rules(event, err);
    case EPCIS_TRANSACTION: return transaction_rules(event, err);
    case EPCIS_TRANSFORMATION: return transformation_rules(event, err);
    case EPCIS_EVENT_NONE: break;
    }
    return missing(err, "type", "is missing");
}

enum pt_code epcis_event_validate(const struct epcis_event *event, struct pt_error *err) {
    struct pt_error own;
    if (!err) err = &own;
    *err = (struct pt_error){0};
    if (!epcis_event_type_name(event->type)) return missing(err, "type", "is missing");
    enum pt_code code = check_foreign(event, err);
    if (code == PT_OK) code = check_fields(&epcis_event_fields, event->type, event, err);
    if (code == PT_OK) code = epcis_check_event_rules(event, err);
    return code;
}
