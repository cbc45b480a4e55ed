// From an event to the two other outputs of its scan: the trace platform's document and the insurer's lines. Pure: what is
// known besides the event is asked of `fact_lookup`, and the same knowledge gives the same bytes.
#ifndef PACKTRAIL_GATEWAY_SETTLEMENT_DERIVE_H
#define PACKTRAIL_GATEWAY_SETTLEMENT_DERIVE_H

#include "gateway/settlement/mapping.h"
#include "gateway/settlement/source.h"

#define DOCUMENT_MAX ((size_t)4 * 1024 * 1024)

// What the gateway knows besides events. All that is returned lives as long as the arena of the call.
struct fact_lookup {
    const struct master_product *(*product)(void *ctx, const char *identifier, pt_millis at);  // NULL: not known
    const json_t *(*sale)(void *ctx, const char *token);                                       // NULL: not known
    bool (*pack)(void *ctx, const char *uri, const char **lot, const char **expiry);           // false: not known
    void *ctx;
};

struct derive_request {
    enum platform platform;
    struct cn_document_reference document;
    const char *kind;       // of the mapping: trace document or interface
    const char *serial, *original, *statement;
    bool undo;
};

// Gathers the facts; memory from `arena`. PT_NOT_FOUND: no pack of the event bears a code that the platform takes.
// PT_INVALID: the event can never become a report, and why.
enum pt_code derive_facts(const struct mapping *mapping, const struct epcis_event *event, const struct derive_request *request,
                          const struct fact_lookup *lookup, struct pt_arena *arena, struct facts *out, struct pt_error *err) PT_NODISCARD;

// Writes the platform's document. Errors as of source_value.
enum pt_code derive_document(const struct mapping *mapping, const struct derive_request *request, const struct facts *facts,
                             struct pt_buf *out, struct lacks *lacks, struct pt_error *err) PT_NODISCARD;

// The question about the document with this serial.
enum pt_code derive_question(const struct mapping *mapping, enum platform platform, const char *serial, const char *kind,
                             struct pt_buf *out, struct pt_error *err) PT_NODISCARD;

// The sale that the event names, decoded, in the arena; NULL if it names none (or none that can be read).
const char *derive_sale_token(const struct epcis_event *event, struct pt_arena *arena);

#endif
