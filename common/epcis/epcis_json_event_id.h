// An eventID given twice, of which the first is the event's hash.
#ifndef PACKTRAIL_COMMON_EPCIS_EPCIS_JSON_EVENT_ID_H
#define PACKTRAIL_COMMON_EPCIS_EPCIS_JSON_EVENT_ID_H

#include "common/base/json.h"

// As pt_json_parse, which refuses every name that occurs twice in an object, with one exception that a published
// example of the standard needs (AssociationEvent-h): an "eventID" that is an event hash (ni:///sha-256;…) may be
// followed by another that is not. The hash says nothing that the event does not, so the capturer's own ID counts.
enum pt_code epcis_json_parse(struct pt_bytes text, size_t max, json_t **out, struct pt_error *err) PT_NODISCARD;

#endif
