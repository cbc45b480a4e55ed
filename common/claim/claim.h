// Claims: an insurer's batch of lines, each for one pack (claim.cddl). Payload of a STATEMENT_CLAIM.
//
// Texts and bytes of a decoded batch are in the arena that the decoder was given.
#ifndef PACKTRAIL_COMMON_CLAIM_CLAIM_H
#define PACKTRAIL_COMMON_CLAIM_CLAIM_H

#include "common/base/arena.h"
#include "common/base/json.h"
#include "common/base/time.h"

#define CLAIM_BATCH_MAX ((size_t)257024)
#define CLAIM_LINES_MAX 2048u
#define CLAIM_LABEL_MAX 64u   // bytes of a batch's and a line's id
#define CLAIM_URI_MAX 200u
#define CLAIM_PACK_MAX 400u
#define CLAIM_UNITS_MAX ((uint64_t)4503599627370495)

enum claim_action { CLAIM_SETTLE = 1, CLAIM_REVERSE = 2 };

enum claim_product_kind { CLAIM_GTIN = 1, CLAIM_DRUG_IDENTIFIER = 2, CLAIM_INSURANCE_CODE = 3 };

struct claim_line {
    const char *id;
    enum claim_action action;
    const char *pack;              // as scanned or typed: an EPC URI or a trace code; it may be unreadable
    pt_millis event_time;          // of the dispensing as claimed; of the decision to reverse
    // Of a settlement alone:
    enum claim_product_kind product_kind;
    const char *product;           // its check digit may be wrong
    uint64_t units;                // smallest priced units, from 1
    const char *event_id;          // of the dispensing; NULL: not said
    bool has_statement, has_prescription;
    struct pt_digest statement;    // of the dispensing; never together with event_id
    struct pt_digest prescription; // commitment
    const char *place;
    struct pt_bytes bytes;         // as encoded; set by decoding
};

struct claim_batch {
    const char *id;
    const char *insurer;  // URI of the party
    struct claim_line *lines;
    size_t line_count;
};

// PT_INVALID with the JSON Pointer of the first offending field; PT_LIMIT for too many lines.
enum pt_code claim_batch_validate(const struct claim_batch *batch, struct pt_error *err) PT_NODISCARD;

// Both validate. Decoding refuses everything that encoding would not have written.
enum pt_code claim_batch_encode(const struct claim_batch *batch, struct pt_buf *out, struct pt_error *err) PT_NODISCARD;
enum pt_code claim_batch_decode(struct pt_bytes bytes, struct pt_arena *arena, struct claim_batch *out,
                                struct pt_error *err) PT_NODISCARD;

// {"batch","insurer","lines":[{"line","action":"settle","pack","product":{"gtin"|"drugIdentifier"|"insuranceCode"},"units",
// "dispensing":{"event"|"statement"},"place","prescription","eventTime"}, {"line","action":"reverse","pack","eventTime"}]}.
// A GTIN of 8, 12 or 13 digits is filled up to 14. Unknown members are refused. *out of writing is a new reference.
enum pt_code claim_batch_from_json(const json_t *value, struct pt_arena *arena, struct claim_batch *out,
                                   struct pt_error *err) PT_NODISCARD;
enum pt_code claim_batch_to_json(const struct claim_batch *batch, json_t **out, struct pt_error *err) PT_NODISCARD;
// One line alone; NULL without memory.
json_t *claim_line_to_json(const struct claim_line *line);

#endif
