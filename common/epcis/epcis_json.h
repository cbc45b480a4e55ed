// EPCIS 2.0 JSON and JSON-LD, in and out.
#ifndef PACKTRAIL_COMMON_EPCIS_EPCIS_JSON_H
#define PACKTRAIL_COMMON_EPCIS_EPCIS_JSON_H

#include "common/base/json.h"
#include "common/epcis/event.h"

// How much is refused. HASH reads what can be hashed (CBV URNs, words that are not in the CBV, missing fields);
// CAPTURE refuses, with the JSON Pointer of the field in err->where, everything that the EPCIS 2.0 JSON Schema
// (formats asserted) and the standard's text refuse.
enum epcis_strictness { EPCIS_FOR_HASH, EPCIS_FOR_CAPTURE };

// Decodes a document, query document, single event or list of events of at most `max` bytes. `@context` is read
// inline or known by its address; nothing is ever fetched. *out and all it points to live in `arena`.
enum pt_code epcis_json_decode(struct pt_bytes text, size_t max, enum epcis_strictness strictness,
                               struct pt_arena *arena, struct epcis_document *out, struct pt_error *err) PT_NODISCARD;

// Writes one event as a JSON-LD object of its own (with `@context`), or the whole document. Decoding the output
// gives an event with the same hash.
enum pt_code epcis_json_encode_event(const struct epcis_event *event, struct pt_buf *out, struct pt_error *err) PT_NODISCARD;
enum pt_code epcis_json_encode_document(const struct epcis_document *document, struct pt_buf *out,
                                        struct pt_error *err) PT_NODISCARD;

// The event as a jansson object without `@context`; *out is a new reference. For documents composed elsewhere.
enum pt_code epcis_json_from_event(const struct epcis_event *event, json_t **out, struct pt_error *err) PT_NODISCARD;

#endif
