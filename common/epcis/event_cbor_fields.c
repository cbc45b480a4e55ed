#include "common/epcis/event_cbor_fields.h"

#include <stddef.h>

#define FIELDS(list) {list, sizeof(list) / sizeof *(list)}

#define E(member) offsetof(struct epcis_event, member)
static const struct event_field event_fields[] = {
    {1, CBOR_FIELD_EVENT_TYPE, E(type), .required = true},
    {2, CBOR_FIELD_OFFSET, E(event_time_zone_offset), E(has_event_time_zone_offset)},
    {3, CBOR_FIELD_INSTANT, E(event_time), E(has_event_time)},
    {4, CBOR_FIELD_ACTION, E(action)},
    {5, CBOR_FIELD_EPCS, E(epcs)},
    {6, CBOR_FIELD_URI, E(parent_id)},
    {7, CBOR_FIELD_WORD, E(biz_step), .vocabulary = CBV_BIZ_STEP},
    {8, CBOR_FIELD_WORD, E(disposition), .vocabulary = CBV_DISPOSITION},
    {9, CBOR_FIELD_PLACE, E(read_point)},
    {10, CBOR_FIELD_PLACE, E(biz_location)},
    {11, CBOR_FIELD_QUANTITIES, E(quantities)},
    {12, CBOR_FIELD_REFERENCES, E(biz_transactions), .vocabulary = CBV_BIZ_TRANSACTION_TYPE},
    {13, CBOR_FIELD_REFERENCES, E(sources), .vocabulary = CBV_SOURCE_DEST_TYPE},
    {14, CBOR_FIELD_REFERENCES, E(destinations), .vocabulary = CBV_SOURCE_DEST_TYPE},
    {15, CBOR_FIELD_INSTANT, E(record_time), E(has_record_time)},
    {16, CBOR_FIELD_URI, E(event_id)},
    {17, CBOR_FIELD_MEMBERS, E(ilmd), E(has_ilmd)},
    {18, CBOR_FIELD_MEMBERS, E(extensions)},
    {19, CBOR_FIELD_SENSORS, E(sensor_elements), E(sensor_element_count)},
    {20, CBOR_FIELD_EPCS, E(input_epcs)},
    {21, CBOR_FIELD_EPCS, E(output_epcs)},
    {22, CBOR_FIELD_QUANTITIES, E(input_quantities)},
    {23, CBOR_FIELD_QUANTITIES, E(output_quantities)},
    {24, CBOR_FIELD_URI, E(transformation_id)},
    {25, CBOR_FIELD_WORDS, E(disposition_set), .vocabulary = CBV_DISPOSITION},
    {26, CBOR_FIELD_WORDS, E(disposition_unset), .vocabulary = CBV_DISPOSITION},
    {27, CBOR_FIELD_URIS, E(certification_info)},
    {28, CBOR_FIELD_ERROR, E(error_declaration)},
    {29, CBOR_FIELD_PREFIXES, E(prefixes)},
};
const struct event_map event_map_event = FIELDS(event_fields);

#define Q(member) offsetof(struct epcis_quantity, member)
static const struct event_field quantity_fields[] = {
    {1, CBOR_FIELD_URI, Q(epc_class), .required = true},
    {2, CBOR_FIELD_NUMBER, Q(quantity)},
    {3, CBOR_FIELD_TEXT, Q(uom)},
};
const struct event_map event_map_quantity = FIELDS(quantity_fields);

#define R(member) offsetof(struct epcis_reference, member)
static const struct event_field biz_transaction_fields[] = {
    {1, CBOR_FIELD_URI, R(id), .required = true},
    {2, CBOR_FIELD_WORD, R(type), .vocabulary = CBV_BIZ_TRANSACTION_TYPE},
};
const struct event_map event_map_biz_transaction = FIELDS(biz_transaction_fields);

static const struct event_field source_dest_fields[] = {
    {1, CBOR_FIELD_URI, R(id), .required = true},
    {2, CBOR_FIELD_WORD, R(type), .vocabulary = CBV_SOURCE_DEST_TYPE},
};
const struct event_map event_map_source_dest = FIELDS(source_dest_fields);

#define P(member) offsetof(struct epcis_place, member)
static const struct event_field place_fields[] = {
    {1, CBOR_FIELD_URI, P(id), .required = true},
    {2, CBOR_FIELD_MEMBERS, P(extensions), .required = true},
};
const struct event_map event_map_place = FIELDS(place_fields);

#define S(member) offsetof(struct epcis_sensor_element, member)
static const struct event_field sensor_element_fields[] = {
    {1, CBOR_FIELD_METADATA, S(metadata)},
    {2, CBOR_FIELD_REPORTS, S(reports), S(report_count)},
    {3, CBOR_FIELD_MEMBERS, S(extensions)},
};
const struct event_map event_map_sensor_element = FIELDS(sensor_element_fields);

#define M(member) offsetof(struct epcis_sensor_metadata, member)
static const struct event_field sensor_metadata_fields[] = {
    {1, CBOR_FIELD_INSTANT, M(time), M(has_time)},
    {2, CBOR_FIELD_INSTANT, M(start_time), M(has_start_time)},
    {3, CBOR_FIELD_INSTANT, M(end_time), M(has_end_time)},
    {4, CBOR_FIELD_URI, M(device_id)},
    {5, CBOR_FIELD_URI, M(device_metadata)},
    {6, CBOR_FIELD_URI, M(raw_data)},
    {7, CBOR_FIELD_URI, M(data_processing_method)},
    {8, CBOR_FIELD_URI, M(biz_rules)},
    {9, CBOR_FIELD_MEMBERS, M(extensions)},
};
const struct event_map event_map_sensor_metadata = FIELDS(sensor_metadata_fields);

#define T(member) offsetof(struct epcis_sensor_report, member)
static const struct event_field sensor_report_fields[] = {
    {1, CBOR_FIELD_WORD, T(type), .vocabulary = CBV_MEASUREMENT},
    {2, CBOR_FIELD_NUMBER, T(value)},
    {3, CBOR_FIELD_TEXT, T(uom)},
    {4, CBOR_FIELD_INSTANT, T(time), T(has_time)},
    {5, CBOR_FIELD_WORD, T(component), .vocabulary = CBV_COMPONENT},
    {6, CBOR_FIELD_NUMBER, T(min_value)},
    {7, CBOR_FIELD_NUMBER, T(max_value)},
    {8, CBOR_FIELD_NUMBER, T(mean_value)},
    {9, CBOR_FIELD_NUMBER, T(s_dev)},
    {10, CBOR_FIELD_NUMBER, T(perc_rank)},
    {11, CBOR_FIELD_NUMBER, T(perc_value)},
    {12, CBOR_FIELD_WORD, T(exception), .vocabulary = CBV_SENSOR_ALERT},
    {13, CBOR_FIELD_URI, T(device_id)},
    {14, CBOR_FIELD_URI, T(device_metadata)},
    {15, CBOR_FIELD_URI, T(raw_data)},
    {16, CBOR_FIELD_URI, T(data_processing_method)},
    {17, CBOR_FIELD_URI, T(microorganism)},
    {18, CBOR_FIELD_URI, T(chemical_substance)},
    {19, CBOR_FIELD_URI, T(coordinate_reference_system)},
    {20, CBOR_FIELD_TEXT, T(string_value)},
    {21, CBOR_FIELD_BOOL, T(boolean_value), T(has_boolean_value)},
    {22, CBOR_FIELD_TEXT, T(hex_binary_value)},
    {23, CBOR_FIELD_URI, T(uri_value)},
    {24, CBOR_FIELD_MEMBERS, T(extensions)},
    {25, CBOR_FIELD_URI, T(biz_rules)},
};
const struct event_map event_map_sensor_report = FIELDS(sensor_report_fields);

#define D(member) offsetof(struct epcis_error_declaration, member)
static const struct event_field error_fields[] = {
    {1, CBOR_FIELD_INSTANT, D(declaration_time), .required = true},
    {2, CBOR_FIELD_WORD, D(reason), .vocabulary = CBV_ERROR_REASON},
    {3, CBOR_FIELD_URIS, D(corrective_event_ids)},
    {4, CBOR_FIELD_MEMBERS, D(extensions)},
};
const struct event_map event_map_error = FIELDS(error_fields);
