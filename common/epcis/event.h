// The EPCIS 2.0 event model: one struct for the five event types, whether it came as JSON-LD or as CBOR.
// Section numbers are those of EPCIS 2.0 (ISO/IEC 19987:2024).
//
// Strings are as the capturer wrote them (a CBV word stays a word, a URI stays a URI); cbv.h and gs1_uri.h give the
// forms that compare. All memory belongs to the arena that the decoder was given. Absent text is NULL, an absent
// list has count 0 and items NULL; an empty list that was written has count 0 and items not NULL.
#ifndef PACKTRAIL_COMMON_EPCIS_EVENT_H
#define PACKTRAIL_COMMON_EPCIS_EVENT_H

#include "common/base/arena.h"
#include "common/base/time.h"

enum epcis_event_type {
    EPCIS_EVENT_NONE = 0,
    EPCIS_OBJECT = 1,
    EPCIS_AGGREGATION = 2,
    EPCIS_TRANSACTION = 3,
    EPCIS_TRANSFORMATION = 4,
    EPCIS_ASSOCIATION = 5,
};

enum epcis_action { EPCIS_ACTION_NONE = 0, EPCIS_ADD = 1, EPCIS_OBSERVE = 2, EPCIS_DELETE = 3 };

// A JSON number. Integers keep 64 bits; everything else is a finite double.
struct epcis_number {
    bool present;
    bool is_integer;
    int64_t integer;
    double real;  // also set for integers
};

struct epcis_texts {
    const char **items;
    size_t count;
};

// Extension content (section 7.1.1): a tree of named members.
enum epcis_value_kind { EPCIS_TEXT, EPCIS_NUMBER, EPCIS_BOOLEAN, EPCIS_NULL, EPCIS_OBJECT_VALUE, EPCIS_LIST };

struct epcis_member;

struct epcis_members {
    struct epcis_member *items;
    size_t count;
};

struct epcis_value {
    enum epcis_value_kind kind;
    const char *text;             // EPCIS_TEXT
    struct epcis_number number;   // EPCIS_NUMBER
    bool boolean;                 // EPCIS_BOOLEAN
    struct epcis_members members; // EPCIS_OBJECT_VALUE
    struct epcis_value *items;    // EPCIS_LIST
    size_t count;
};

struct epcis_member {
    const char *ns;      // namespace URI that the prefix stands for in the contexts in force; NULL if there is none
    const char *prefix;  // as written; NULL if the name had no prefix
    const char *local;   // the name behind the prefix
    struct epcis_value value;
};

// What a prefix in names and compact IRIs stands for.
struct epcis_prefix {
    const char *prefix, *ns;
};

struct epcis_prefixes {
    struct epcis_prefix *items;
    size_t count;
};

struct epcis_quantity {
    const char *epc_class;
    struct epcis_number quantity;
    const char *uom;  // UN/CEFACT Recommendation 20 code; NULL: a count of objects
};

struct epcis_quantities {
    struct epcis_quantity *items;
    size_t count;
};

// A business transaction, source or destination: a typed reference.
struct epcis_reference {
    const char *type;  // may be NULL for business transactions
    const char *id;
};

struct epcis_references {
    struct epcis_reference *items;
    size_t count;
};

struct epcis_place {
    const char *id;  // NULL: the place is absent
    struct epcis_members extensions;
};

struct epcis_sensor_metadata {
    bool present;
    struct pt_instant time, start_time, end_time;
    bool has_time, has_start_time, has_end_time;
    const char *device_id, *device_metadata, *raw_data, *data_processing_method, *biz_rules;
    struct epcis_members extensions;
};

struct epcis_sensor_report {
    const char *type, *exception;
    const char *device_id, *device_metadata, *raw_data, *data_processing_method, *biz_rules;
    struct pt_instant time;
    bool has_time;
    const char *microorganism, *chemical_substance, *component, *coordinate_reference_system;
    struct epcis_number value, min_value, max_value, mean_value, s_dev, perc_rank, perc_value;
    const char *string_value, *hex_binary_value, *uri_value, *uom;
    bool has_boolean_value, boolean_value;
    struct epcis_members extensions;
};

struct epcis_sensor_element {
    struct epcis_sensor_metadata metadata;
    struct epcis_sensor_report *reports;
    size_t report_count;
    struct epcis_members extensions;
};

struct epcis_error_declaration {
    bool present;
    struct pt_instant declaration_time;
    const char *reason;
    struct epcis_texts corrective_event_ids;
    struct epcis_members extensions;
};

struct epcis_event {
    enum epcis_event_type type;
    struct pt_instant event_time;
    bool has_event_time;
    int16_t event_time_zone_offset;  // minutes
    bool has_event_time_zone_offset;
    struct pt_instant record_time;
    bool has_record_time;
    const char *event_id;
    struct epcis_texts certification_info;
    struct epcis_error_declaration error_declaration;

    enum epcis_action action;
    const char *parent_id;
    const char *transformation_id;
    struct epcis_texts epcs;                // epcList; childEPCs for aggregation and association
    struct epcis_quantities quantities;     // quantityList; childQuantityList
    struct epcis_texts input_epcs, output_epcs;
    struct epcis_quantities input_quantities, output_quantities;

    const char *biz_step;
    const char *disposition;
    struct epcis_texts disposition_set, disposition_unset;  // persistentDisposition
    struct epcis_place read_point, biz_location;
    struct epcis_references biz_transactions, sources, destinations;
    struct epcis_sensor_element *sensor_elements;
    size_t sensor_element_count;
    struct epcis_members ilmd;
    bool has_ilmd;
    struct epcis_members extensions;
    struct epcis_prefixes prefixes;  // of its names and values, as JSON-LD contexts define them; only for writing it again
};

enum epcis_document_kind { EPCIS_DOCUMENT, EPCIS_QUERY_DOCUMENT, EPCIS_SINGLE_EVENT, EPCIS_EVENT_LIST };

struct epcis_document {
    enum epcis_document_kind kind;
    const char *id, *schema_version, *sender, *receiver, *instance_identifier;
    struct pt_instant creation_date;
    bool has_creation_date;
    const char *subscription_id, *query_name;  // query documents
    struct epcis_members extensions;
    struct epcis_prefixes prefixes;            // of what is not in the events, as in epcis_event
    struct epcis_value *header;                // epcisHeader (master data), as it came; NULL if absent
    struct epcis_texts ignored_fields;         // "{namespace}local" names that a "…:ignoreFields" member excludes from hashing
    struct epcis_event *events;
    size_t event_count;
};

#endif
