// Events as compact deterministic CBOR (event.cddl beside this file): what terminals sign.
#ifndef PACKTRAIL_COMMON_EPCIS_EVENT_CBOR_H
#define PACKTRAIL_COMMON_EPCIS_EVENT_CBOR_H

#include "common/epcis/event.h"

#define EPCIS_EVENT_CONTENT_TYPE_CBOR "application/vnd.packtrail.event+cbor"
#define EPCIS_EVENT_CONTENT_TYPE_JSON "application/vnd.packtrail.event+json"  // the EPCIS JSON-LD of one event as sent

// Encodes; one event has exactly one encoding (RFC 8949 section 4.2.1, and one form of each EPC).
enum pt_code epcis_cbor_encode(const struct epcis_event *event, struct pt_buf *out, struct pt_error *err) PT_NODISCARD;

// Decodes; refuses what the encoder would not have written, unknown keys and trailing bytes. Memory from `arena`.
// Does not validate: call epcis_event_validate.
enum pt_code epcis_cbor_decode(struct pt_bytes bytes, struct pt_arena *arena, struct epcis_event *out,
                               struct pt_error *err) PT_NODISCARD;

#endif
