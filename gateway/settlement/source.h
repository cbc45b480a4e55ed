// Where a report's field comes from: the names that a mapping may use, and their values.
//
//   "=text"               the text itself
//   "pack.lot"            a source; the table in source.c lists them
//   "pack.lot|line.lot"   the first that is known
//   "pack.lot?"           left out where it is not known; otherwise the report waits for it
//   "quantity.units#"     as a JSON number
#ifndef PACKTRAIL_GATEWAY_SETTLEMENT_SOURCE_H
#define PACKTRAIL_GATEWAY_SETTLEMENT_SOURCE_H

#include "common/base/json.h"
#include "common/epcis/cn_document.h"
#include "common/identify/pack_id.h"
#include "common/master/master.h"

#define SOURCE_MAX 256u  // bytes of one specification
#define LACK_MAX 320u    // bytes of one key
#define LACKS_MAX 1024u

// What is known of one pack of an event.
struct fact_pack {
    const char *uri;
    struct pack_id id;
    const char *code;                  // as the platforms want it: the trace code, the company's code, or AI 01 and 21
    const struct master_level *level;  // NULL: not known
    const char *lot, *expiry;          // NULL: not known; YYYY-MM-DD
    const json_t *record;              // of the sale's record, the line that names this code; NULL: none
};

// Packs of one product.
struct fact_line {
    const char *identifier;  // GTIN-14 or drug identifier; NULL for a logistic unit
    const struct master_product *product;  // NULL: no master record in force
    struct fact_pack *packs;
    size_t count;
    uint64_t uncoded;        // units of packs without a code; then there are no packs
    const json_t *record;    // the sale's line
};

struct facts {
    const struct epcis_event *event;
    struct cn_document_reference document;
    const char *kind;        // the number of the trace document to be written, or of the interface
    const char *serial;      // our own number of the report
    const char *original;    // serial of the report that it takes back; NULL: none
    const char *statement;   // hex
    uint64_t units;          // of each pack; 0: whole packs
    bool undo;
    struct fact_line *lines;
    size_t count;
    const char *sale_token;  // NULL: the event names no sale
    const json_t *sale;      // its record; NULL: not here yet
    const json_t *site;
};

// Where in a document a source stands: once, for each line, for each pack.
enum scope { SCOPE_DOCUMENT, SCOPE_LINE, SCOPE_PACK };

// Whether the specification may stand there. PT_INVALID says what is wrong with it.
enum pt_code source_check(const char *spec, enum scope scope, struct pt_error *err) PT_NODISCARD;

// What a report waits for: one or more of "product/…", "sale/…", "pack/…", "original/…", a line each; the first that arrives
// is reason enough to try again. Empty: nothing.
struct lacks {
    char keys[LACKS_MAX];
};
void lacks_add(struct lacks *lacks, const char *kind, const char *which);
// The key behind the one at *at (0 at first), copied; false: there is none.
bool lacks_next(const struct lacks *lacks, size_t *at, char out[LACK_MAX]);

// The value; *out is a new reference, NULL where an optional one is not known. PT_UNAVAILABLE: it is not known yet, and
// `lacks` names what has to arrive. PT_INVALID: it can never be known from this event.
enum pt_code source_value(const struct facts *facts, const struct fact_line *line, const struct fact_pack *pack, const char *spec,
                          json_t **out, struct lacks *lacks, struct pt_error *err) PT_NODISCARD;

#endif
