// The fields of EPCIS 2.0 as data: decoder, encoder and validator walk the same tables, so that a field is known to
// all three or to none. Tables list the fields in the order in which they are written.
#ifndef PACKTRAIL_COMMON_EPCIS_EVENT_FIELDS_H
#define PACKTRAIL_COMMON_EPCIS_EVENT_FIELDS_H

#include "common/epcis/event.h"

enum epcis_field_kind {
    FIELD_STRING,           // const char *
    FIELD_TIME,             // struct pt_instant, present as `flag` says
    FIELD_OFFSET,           // int16_t minutes, present as `flag` says
    FIELD_ACTION,           // enum epcis_action
    FIELD_NUMBER,           // struct epcis_number
    FIELD_BOOLEAN,          // bool, present as `flag` says
    FIELD_STRINGS,          // struct epcis_texts
    FIELD_STRING_OR_ARRAY,  // struct epcis_texts, a single one written without brackets
    FIELD_GROUP,            // an object whose fields lie in the same struct
    FIELD_PLACE,            // struct epcis_place
    FIELD_OBJECT,           // a struct of its own, present as `flag` says
    FIELD_OBJECTS,          // pointer to an array of structs, as many as `flag` says
    FIELD_EXTENSIONS,       // struct epcis_members, present as `flag` says
};

// What a string or number has to be.
enum epcis_rule {
    RULE_ANY,
    RULE_URI,
    RULE_UOM,
    RULE_HEX,
    RULE_NOT_NEGATIVE,
    RULE_BIZ_STEP,
    RULE_DISPOSITION,
    RULE_BIZ_TRANSACTION_TYPE,
    RULE_SOURCE_DEST_TYPE,
    RULE_ERROR_REASON,
    RULE_MEASUREMENT,
    RULE_SENSOR_ALERT,
    RULE_COMPONENT,
};

#define EPCIS_TYPE_BIT(type) (1u << (type))
#define EPCIS_ALL_TYPES 0x3eu
#define EPCIS_NOWHERE ((size_t)-1)

struct epcis_fields;

struct epcis_field {
    const char *name;
    enum epcis_field_kind kind;
    enum epcis_rule rule;
    size_t offset;  // in the struct that the table describes
    size_t flag;    // offset of the bool or the count that says how much is present; EPCIS_NOWHERE if it needs none
    unsigned types; // of events that have the field, as EPCIS_TYPE_BIT; 0: all
    bool required;
    bool unique;       // no item twice
    bool filled;       // an array of no items is refused
    size_t item_size;  // FIELD_OBJECTS
    const struct epcis_fields *inner;
};

struct epcis_fields {
    const struct epcis_field *items;
    size_t count;
    size_t extensions;  // offset of the struct epcis_members for all other names; EPCIS_NOWHERE: there are no others
};

// Rules between fields (which must be there for a type) are in epcis_validate.c.
extern const struct epcis_fields epcis_event_fields;

// NULL if the table has no field of that name for events of `type`.
const struct epcis_field *epcis_field_find(const struct epcis_fields *fields, const char *name,
                                           enum epcis_event_type type);

// Whether the struct at `base` holds the field; an empty array that was written counts.
bool epcis_field_present(const struct epcis_field *field, const void *base);

const char *epcis_event_type_name(enum epcis_event_type type);       // "ObjectEvent"; NULL for none
enum epcis_event_type epcis_event_type_named(const char *name);      // EPCIS_EVENT_NONE if there is no such type
const char *epcis_action_name(enum epcis_action action);             // "ADD"; NULL for none
enum epcis_action epcis_action_named(const char *name);

#endif
