// Which key of event.cddl is which member of event.h: one table a map, read by encoder and decoder alike.
#ifndef PACKTRAIL_COMMON_EPCIS_EVENT_CBOR_FIELDS_H
#define PACKTRAIL_COMMON_EPCIS_EVENT_CBOR_FIELDS_H

#include "common/epcis/cbv.h"
#include "common/epcis/event.h"

enum event_field_kind {
    CBOR_FIELD_EVENT_TYPE,
    CBOR_FIELD_ACTION,
    CBOR_FIELD_OFFSET,      // int16_t, present by its flag
    CBOR_FIELD_INSTANT,     // struct pt_instant, present by its flag
    CBOR_FIELD_TEXT,        // const char *
    CBOR_FIELD_URI,
    CBOR_FIELD_WORD,        // of `vocabulary`
    CBOR_FIELD_NUMBER,      // struct epcis_number
    CBOR_FIELD_BOOL,        // present by its flag
    CBOR_FIELD_EPCS,        // struct epcis_texts
    CBOR_FIELD_URIS,
    CBOR_FIELD_WORDS,
    CBOR_FIELD_QUANTITIES,  // struct epcis_quantities
    CBOR_FIELD_REFERENCES,  // struct epcis_references, types of `vocabulary`
    CBOR_FIELD_PLACE,       // struct epcis_place
    CBOR_FIELD_MEMBERS,     // struct epcis_members; with a flag it may be empty
    CBOR_FIELD_SENSORS,     // struct epcis_sensor_element *, count at `flag`
    CBOR_FIELD_REPORTS,     // struct epcis_sensor_report *, count at `flag`
    CBOR_FIELD_METADATA,    // struct epcis_sensor_metadata
    CBOR_FIELD_ERROR,       // struct epcis_error_declaration
    CBOR_FIELD_PREFIXES,    // struct epcis_prefixes
};

struct event_field {
    uint8_t key;
    enum event_field_kind kind;
    uint16_t at;    // offset of the member
    uint16_t flag;  // offset of the bool that says whether it is present; 0: always, or the member says it itself
    enum cbv_vocabulary vocabulary;
    bool required;
};

// In the order of the keys.
struct event_map {
    const struct event_field *fields;
    size_t count;
};

extern const struct event_map event_map_event, event_map_quantity, event_map_biz_transaction,
    event_map_source_dest, event_map_place, event_map_sensor_element, event_map_sensor_metadata,
    event_map_sensor_report, event_map_error;

enum { EVENT_LIST_MAX = 10000, EVENT_NAMESPACES_MAX = 256, EVENT_DEPTH_MAX = 32 };

#endif
