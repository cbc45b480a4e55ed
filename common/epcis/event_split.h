// Events that are too large for a statement: split into part events with a manifest before signing, joined after
// (event.cddl, "Split events").
#ifndef PACKTRAIL_COMMON_EPCIS_EVENT_SPLIT_H
#define PACKTRAIL_COMMON_EPCIS_EVENT_SPLIT_H

#include "common/epcis/event.h"

#define EVENT_MANIFEST_CONTENT_TYPE "application/vnd.packtrail.manifest+cbor"
#define EVENT_PARTS_MAX 1024u

struct event_manifest {
    struct pt_digest original;  // SHA-256 of the original's CBOR
    struct pt_digest hash;      // its CBV event hash
    struct pt_digest *parts;    // SHA-256 of the parts' CBOR, in order
    size_t part_count;          // at least 2
    const char *event_id;       // NULL if the original had none
    bool own_transformation_id; // the parts bear one that the original had not
    bool has_source;
    struct pt_digest source;    // of the bytes that the event came in; set by the caller of event_split if wanted
};

// Splits into parts of at most `max_bytes` of CBOR each. *parts (manifest->part_count of them) and all they point to
// live in `arena`. PT_NOT_FOUND if the event is small enough as it is; PT_LIMIT if its other fields alone are too large
// or more than EVENT_PARTS_MAX parts would be needed.
enum pt_code event_split(const struct epcis_event *event, size_t max_bytes, struct pt_arena *arena,
                         struct event_manifest *manifest, struct pt_bytes **parts, struct pt_error *err) PT_NODISCARD;

// The original from its parts in order. PT_UNVERIFIED if a part is not the one that the manifest names (err->position:
// its index), or if what comes out is not the original.
enum pt_code event_join(const struct event_manifest *manifest, const struct pt_bytes *parts, size_t count,
                        struct pt_arena *arena, struct epcis_event *out, struct pt_error *err) PT_NODISCARD;

enum pt_code event_manifest_encode(const struct event_manifest *manifest, struct pt_buf *out,
                                   struct pt_error *err) PT_NODISCARD;
enum pt_code event_manifest_decode(struct pt_bytes bytes, struct pt_arena *arena, struct event_manifest *out,
                                   struct pt_error *err) PT_NODISCARD;

#endif
