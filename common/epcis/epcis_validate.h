// Whether an event says what EPCIS 2.0 requires of its type; the same rules for JSON-LD and CBOR.
#ifndef PACKTRAIL_COMMON_EPCIS_EPCIS_VALIDATE_H
#define PACKTRAIL_COMMON_EPCIS_EPCIS_VALIDATE_H

#include "common/epcis/event.h"

// PT_INVALID with the JSON Pointer of the first offending field, relative to the event ("/childEPCs/3"); a missing
// field's pointer ends in its name. Fields that the event type does not have are refused.
enum pt_code epcis_event_validate(const struct epcis_event *event, struct pt_error *err) PT_NODISCARD;

#endif
