// The CBV 2.0 event hash (Core Business Vocabulary section 8.9.2), the identity of an event without an eventID.
#ifndef PACKTRAIL_COMMON_EPCIS_EVENT_HASH_H
#define PACKTRAIL_COMMON_EPCIS_EVENT_HASH_H

#include "common/epcis/event.h"

#define EPCIS_EVENT_HASH_SIZE 92u  // "ni:///sha-256;" + 64 hex + "?ver=CBV2.0" and the NUL, rounded up

// Writes ni:///sha-256;{64 hex}?ver=CBV2.0 with a NUL. ignored: names as epcis_document.ignored_fields, may be NULL.
enum pt_code epcis_event_hash(const struct epcis_event *event, const struct epcis_texts *ignored,
                              char out[EPCIS_EVENT_HASH_SIZE], struct pt_error *err) PT_NODISCARD;

// The digest alone, and the UTF-8 pre-hash string that it is taken over.
enum pt_code epcis_event_digest(const struct epcis_event *event, const struct epcis_texts *ignored,
                                struct pt_digest *out, struct pt_error *err) PT_NODISCARD;
enum pt_code epcis_event_prehash(const struct epcis_event *event, const struct epcis_texts *ignored,
                                 struct pt_buf *out, struct pt_error *err) PT_NODISCARD;

#endif
