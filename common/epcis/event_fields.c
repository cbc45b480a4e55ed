#include "common/epcis/event_fields.h"

#include <string.h>

#define COUNT(list) (sizeof(list) / sizeof *(list))
#define TABLE(list, others) {list, COUNT(list), others}

#define STRING(text, type, field, what) \
    {.name = text, .kind = FIELD_STRING, .rule = what, .offset = offsetof(type, field), .flag = EPCIS_NOWHERE}
#define TIME(text, type, field) \
    {.name = text, .kind = FIELD_TIME, .offset = offsetof(type, field), .flag = offsetof(type, has_##field)}
#define NUMBER(text, type, field) \
    {.name = text, .kind = FIELD_NUMBER, .offset = offsetof(type, field), .flag = EPCIS_NOWHERE}

#define QUANTITY struct epcis_quantity
static const struct epcis_field quantity_items[] = {
    {.name = "epcClass", .kind = FIELD_STRING, .rule = RULE_URI, .offset = offsetof(QUANTITY, epc_class),
     .flag = EPCIS_NOWHERE, .required = true},
    {.name = "quantity", .kind = FIELD_NUMBER, .rule = RULE_NOT_NEGATIVE, .offset = offsetof(QUANTITY, quantity),
     .flag = EPCIS_NOWHERE},
    STRING("uom", QUANTITY, uom, RULE_UOM),
};
static const struct epcis_fields quantity_fields = TABLE(quantity_items, EPCIS_NOWHERE);

#define REFERENCE(text, type_rule, type_required)                                                       \
    {                                                                                                   \
        {.name = "type", .kind = FIELD_STRING, .rule = type_rule,                                       \
         .offset = offsetof(struct epcis_reference, type), .flag = EPCIS_NOWHERE, .required = type_required}, \
        {.name = text, .kind = FIELD_STRING, .rule = RULE_URI,                                          \
         .offset = offsetof(struct epcis_reference, id), .flag = EPCIS_NOWHERE, .required = true},      \
    }
static const struct epcis_field biz_transaction_items[] =
    REFERENCE("bizTransaction", RULE_BIZ_TRANSACTION_TYPE, false);
static const struct epcis_field source_items[] = REFERENCE("source", RULE_SOURCE_DEST_TYPE, true);
static const struct epcis_field destination_items[] = REFERENCE("destination", RULE_SOURCE_DEST_TYPE, true);
static const struct epcis_fields biz_transaction_fields = TABLE(biz_transaction_items, EPCIS_NOWHERE);
static const struct epcis_fields source_fields = TABLE(source_items, EPCIS_NOWHERE);
static const struct epcis_fields destination_fields = TABLE(destination_items, EPCIS_NOWHERE);

static const struct epcis_field place_items[] = {
    {.name = "id", .kind = FIELD_STRING, .rule = RULE_URI, .offset = offsetof(struct epcis_place, id),
     .flag = EPCIS_NOWHERE, .required = true},
};
static const struct epcis_fields place_fields = TABLE(place_items, offsetof(struct epcis_place, extensions));

#define METADATA struct epcis_sensor_metadata
static const struct epcis_field metadata_items[] = {
    TIME("time", METADATA, time),
    TIME("startTime", METADATA, start_time),
    TIME("endTime", METADATA, end_time),
    STRING("deviceID", METADATA, device_id, RULE_URI),
    STRING("deviceMetadata", METADATA, device_metadata, RULE_URI),
    STRING("rawData", METADATA, raw_data, RULE_URI),
    STRING("dataProcessingMethod", METADATA, data_processing_method, RULE_URI),
    STRING("bizRules", METADATA, biz_rules, RULE_URI),
};
static const struct epcis_fields metadata_fields = TABLE(metadata_items, offsetof(METADATA, extensions));

#define REPORT struct epcis_sensor_report
static const struct epcis_field report_items[] = {
    {.name = "type", .kind = FIELD_STRING, .rule = RULE_MEASUREMENT, .offset = offsetof(REPORT, type),
     .flag = EPCIS_NOWHERE, .required = true},
    STRING("exception", REPORT, exception, RULE_SENSOR_ALERT),
    STRING("deviceID", REPORT, device_id, RULE_URI),
    STRING("deviceMetadata", REPORT, device_metadata, RULE_URI),
    STRING("rawData", REPORT, raw_data, RULE_URI),
    STRING("dataProcessingMethod", REPORT, data_processing_method, RULE_URI),
    STRING("bizRules", REPORT, biz_rules, RULE_URI),
    TIME("time", REPORT, time),
    STRING("microorganism", REPORT, microorganism, RULE_URI),
    STRING("chemicalSubstance", REPORT, chemical_substance, RULE_URI),
    NUMBER("value", REPORT, value),
    STRING("component", REPORT, component, RULE_COMPONENT),
    STRING("stringValue", REPORT, string_value, RULE_ANY),
    {.name = "booleanValue", .kind = FIELD_BOOLEAN, .offset = offsetof(REPORT, boolean_value),
     .flag = offsetof(REPORT, has_boolean_value)},
    STRING("hexBinaryValue", REPORT, hex_binary_value, RULE_HEX),
    STRING("uriValue", REPORT, uri_value, RULE_URI),
    NUMBER("minValue", REPORT, min_value),
    NUMBER("maxValue", REPORT, max_value),
    NUMBER("meanValue", REPORT, mean_value),
    NUMBER("sDev", REPORT, s_dev),
    NUMBER("percRank", REPORT, perc_rank),
    NUMBER("percValue", REPORT, perc_value),
    STRING("uom", REPORT, uom, RULE_ANY),
    STRING("coordinateReferenceSystem", REPORT, coordinate_reference_system, RULE_URI),
};
static const struct epcis_fields report_fields = TABLE(report_items, offsetof(REPORT, extensions));

#define ELEMENT struct epcis_sensor_element
static const struct epcis_field element_items[] = {
    {.name = "sensorMetadata", .kind = FIELD_OBJECT, .offset = offsetof(ELEMENT, metadata),
     .flag = offsetof(ELEMENT, metadata.present), .inner = &metadata_fields},
    {.name = "sensorReport", .kind = FIELD_OBJECTS, .offset = offsetof(ELEMENT, reports),
     .flag = offsetof(ELEMENT, report_count), .required = true, .filled = true, .item_size = sizeof(REPORT),
     .inner = &report_fields},
};
static const struct epcis_fields element_fields = TABLE(element_items, offsetof(ELEMENT, extensions));

#define DECLARATION struct epcis_error_declaration
static const struct epcis_field declaration_items[] = {
    // Its flag is that of the whole: a declaration has a time.
    {.name = "declarationTime", .kind = FIELD_TIME, .offset = offsetof(DECLARATION, declaration_time),
     .flag = offsetof(DECLARATION, present), .required = true},
    STRING("reason", DECLARATION, reason, RULE_ERROR_REASON),
    {.name = "correctiveEventIDs", .kind = FIELD_STRINGS, .rule = RULE_URI,
     .offset = offsetof(DECLARATION, corrective_event_ids), .flag = EPCIS_NOWHERE},
};
static const struct epcis_fields declaration_fields = TABLE(declaration_items, offsetof(DECLARATION, extensions));

#define EVENT struct epcis_event
static const struct epcis_field disposition_change_items[] = {
    {.name = "set", .kind = FIELD_STRINGS, .rule = RULE_DISPOSITION, .offset = offsetof(EVENT, disposition_set),
     .flag = EPCIS_NOWHERE, .unique = true, .filled = true},
    {.name = "unset", .kind = FIELD_STRINGS, .rule = RULE_DISPOSITION, .offset = offsetof(EVENT, disposition_unset),
     .flag = EPCIS_NOWHERE, .unique = true, .filled = true},
};
static const struct epcis_fields disposition_change_fields = TABLE(disposition_change_items, EPCIS_NOWHERE);

enum {
    OBJECT = EPCIS_TYPE_BIT(EPCIS_OBJECT),
    AGGREGATION = EPCIS_TYPE_BIT(EPCIS_AGGREGATION),
    TRANSACTION = EPCIS_TYPE_BIT(EPCIS_TRANSACTION),
    TRANSFORMATION = EPCIS_TYPE_BIT(EPCIS_TRANSFORMATION),
    ASSOCIATION = EPCIS_TYPE_BIT(EPCIS_ASSOCIATION),
    WITH_CHILDREN = AGGREGATION | ASSOCIATION,
    WITH_ACTION = OBJECT | AGGREGATION | TRANSACTION | ASSOCIATION,
};

#define EPCS(text, field, of_types, no_item_twice)                                                     \
    {.name = text, .kind = FIELD_STRINGS, .rule = RULE_URI, .offset = offsetof(EVENT, field), .flag = EPCIS_NOWHERE, \
     .types = of_types, .unique = no_item_twice}
#define LIST(text, field, of_types, item, fields)                                                      \
    {.name = text, .kind = FIELD_OBJECTS, .offset = offsetof(EVENT, field.items), .flag = offsetof(EVENT, field.count), \
     .types = of_types, .item_size = sizeof(item), .inner = &fields}
#define PLACE(text, field)                                                                             \
    {.name = text, .kind = FIELD_PLACE, .offset = offsetof(EVENT, field), .flag = EPCIS_NOWHERE, .inner = &place_fields}

static const struct epcis_field event_items[] = {
    STRING("eventID", EVENT, event_id, RULE_URI),
    {.name = "eventTime", .kind = FIELD_TIME, .offset = offsetof(EVENT, event_time),
     .flag = offsetof(EVENT, has_event_time), .required = true},
    {.name = "eventTimeZoneOffset", .kind = FIELD_OFFSET, .offset = offsetof(EVENT, event_time_zone_offset),
     .flag = offsetof(EVENT, has_event_time_zone_offset), .required = true},
    TIME("recordTime", EVENT, record_time),
    {.name = "certificationInfo", .kind = FIELD_STRING_OR_ARRAY, .rule = RULE_URI,
     .offset = offsetof(EVENT, certification_info), .flag = EPCIS_NOWHERE},
    {.name = "errorDeclaration", .kind = FIELD_OBJECT, .offset = offsetof(EVENT, error_declaration),
     .flag = offsetof(EVENT, error_declaration.present), .inner = &declaration_fields},
    {.name = "parentID", .kind = FIELD_STRING, .rule = RULE_URI, .offset = offsetof(EVENT, parent_id),
     .flag = EPCIS_NOWHERE, .types = WITH_CHILDREN | TRANSACTION},
    EPCS("epcList", epcs, OBJECT, true),
    EPCS("epcList", epcs, TRANSACTION, false),
    LIST("quantityList", quantities, OBJECT | TRANSACTION, QUANTITY, quantity_fields),
    EPCS("childEPCs", epcs, WITH_CHILDREN, false),
    LIST("childQuantityList", quantities, WITH_CHILDREN, QUANTITY, quantity_fields),
    EPCS("inputEPCList", input_epcs, TRANSFORMATION, true),
    LIST("inputQuantityList", input_quantities, TRANSFORMATION, QUANTITY, quantity_fields),
    EPCS("outputEPCList", output_epcs, TRANSFORMATION, true),
    LIST("outputQuantityList", output_quantities, TRANSFORMATION, QUANTITY, quantity_fields),
    {.name = "action", .kind = FIELD_ACTION, .offset = offsetof(EVENT, action), .flag = EPCIS_NOWHERE,
     .types = WITH_ACTION, .required = true},
    {.name = "transformationID", .kind = FIELD_STRING, .rule = RULE_URI, .offset = offsetof(EVENT, transformation_id),
     .flag = EPCIS_NOWHERE, .types = TRANSFORMATION},
    STRING("bizStep", EVENT, biz_step, RULE_BIZ_STEP),
    STRING("disposition", EVENT, disposition, RULE_DISPOSITION),
    // The schema leaves it out of three event types; the standard's text (section 7.4) gives it to all.
    {.name = "persistentDisposition", .kind = FIELD_GROUP, .offset = 0, .flag = EPCIS_NOWHERE,
     .inner = &disposition_change_fields},
    PLACE("readPoint", read_point),
    PLACE("bizLocation", biz_location),
    LIST("bizTransactionList", biz_transactions, 0, struct epcis_reference, biz_transaction_fields),
    LIST("sourceList", sources, 0, struct epcis_reference, source_fields),
    LIST("destinationList", destinations, 0, struct epcis_reference, destination_fields),
    {.name = "sensorElementList", .kind = FIELD_OBJECTS, .offset = offsetof(EVENT, sensor_elements),
     .flag = offsetof(EVENT, sensor_element_count), .item_size = sizeof(ELEMENT), .inner = &element_fields},
    {.name = "ilmd", .kind = FIELD_EXTENSIONS, .offset = offsetof(EVENT, ilmd), .flag = offsetof(EVENT, has_ilmd),
     .types = OBJECT | TRANSFORMATION},
};
const struct epcis_fields epcis_event_fields = TABLE(event_items, offsetof(EVENT, extensions));

const struct epcis_field *epcis_field_find(const struct epcis_fields *fields, const char *name,
                                           enum epcis_event_type type) {
    for (size_t i = 0; i < fields->count; i++) {
        const struct epcis_field *field = &fields->items[i];
        if (field->name[0] != name[0] || strcmp(field->name, name) != 0) continue;
        if (field->types == 0 || (field->types & EPCIS_TYPE_BIT(type))) return field;
    }
    return NULL;
}

bool epcis_field_present(const struct epcis_field *field, const void *base) {
    const char *at = (const char *)base + field->offset;
    const char *flag = field->flag == EPCIS_NOWHERE ? NULL : (const char *)base + field->flag;
    switch (field->kind) {
    case FIELD_STRING: return *(const char *const *)(const void *)at != NULL;
    case FIELD_ACTION: return *(const enum epcis_action *)(const void *)at != EPCIS_ACTION_NONE;
    case FIELD_NUMBER: return ((const struct epcis_number *)(const void *)at)->present;
    case FIELD_STRINGS:
    case FIELD_STRING_OR_ARRAY: return ((const struct epcis_texts *)(const void *)at)->items != NULL;
    case FIELD_PLACE: {
        const struct epcis_place *place = (const void *)at;
        return place->id || place->extensions.count > 0;
    }
    case FIELD_OBJECTS: return *(void *const *)(const void *)at != NULL;
    case FIELD_GROUP:
        for (size_t i = 0; i < field->inner->count; i++)
            if (epcis_field_present(&field->inner->items[i], base)) return true;
        return false;
    case FIELD_TIME:
    case FIELD_OFFSET:
    case FIELD_BOOLEAN:
    case FIELD_OBJECT:
    case FIELD_EXTENSIONS: return *(const bool *)(const void *)flag;
    }
    return false;
}

static const char *const type_names[] = {
    [EPCIS_OBJECT] = "ObjectEvent",           [EPCIS_AGGREGATION] = "AggregationEvent",
    [EPCIS_TRANSACTION] = "TransactionEvent", [EPCIS_TRANSFORMATION] = "TransformationEvent",
    [EPCIS_ASSOCIATION] = "AssociationEvent",
};
static const char *const action_names[] = {[EPCIS_ADD] = "ADD", [EPCIS_OBSERVE] = "OBSERVE", [EPCIS_DELETE] = "DELETE"};

const char *epcis_event_type_name(enum epcis_event_type type) {
    return (size_t)type < COUNT(type_names) ? type_names[type] : NULL;
}

enum epcis_event_type epcis_event_type_named(const char *name) {
    for (size_t i = EPCIS_OBJECT; i < COUNT(type_names); i++)
        if (strcmp(name, type_names[i]) == 0) return (enum epcis_event_type)i;
    return EPCIS_EVENT_NONE;
}

const char *epcis_action_name(enum epcis_action action) {
    return (size_t)action < COUNT(action_names) ? action_names[action] : NULL;
}

enum epcis_action epcis_action_named(const char *name) {
    for (size_t i = EPCIS_ADD; i < COUNT(action_names); i++)
        if (strcmp(name, action_names[i]) == 0) return (enum epcis_action)i;
    return EPCIS_ACTION_NONE;
}
