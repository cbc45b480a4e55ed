// JSON by jansson, with the limits and refusals that every reader of ours shares: strict UTF-8, duplicate keys,
// lone surrogates, NaN and Infinity, trailing data, depth and size are errors with line and column.
#ifndef PACKTRAIL_COMMON_BASE_JSON_H
#define PACKTRAIL_COMMON_BASE_JSON_H

#include <jansson.h>

#include "common/base/bytes.h"

#define PT_JSON_MAX_DEPTH 1000

static inline void pt_cleanup_json(json_t **value) { json_decref(*value); }
#define PT_JSON __attribute__((cleanup(pt_cleanup_json)))  // owned json_t *

// Decodes one JSON text of at most `max` bytes. *out is a new reference.
enum pt_code pt_json_parse(struct pt_bytes text, size_t max, json_t **out, struct pt_error *err) PT_NODISCARD;

// Appends compact JSON, members in insertion order.
enum pt_code pt_json_append(struct pt_buf *out, const json_t *value, struct pt_error *err) PT_NODISCARD;

// Appends a quoted, escaped JSON string.
void pt_json_append_string(struct pt_buf *out, struct pt_bytes text);

#endif
