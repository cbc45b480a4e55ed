// A recall: which packs must not be handled as goods any more, how far they are called back, and why (recall.cddl). Payload
// of a STATEMENT_RECALL. Ledger, terminal and tools judge packs by the same functions.
//
// A notice is complete: a later version replaces the one before. Texts are NULL where nothing is said. All memory belongs
// to the arena given to the decoder.
#ifndef PACKTRAIL_COMMON_RECALL_RECALL_NOTICE_H
#define PACKTRAIL_COMMON_RECALL_RECALL_NOTICE_H

#include "common/base/arena.h"
#include "common/base/json.h"
#include "common/base/time.h"
#include "common/cose/cbor.h"
#include "common/identify/pack_id.h"
#include "common/master/master.h"

#define RECALL_NOTICE_MAX ((size_t)32 * 1024)
#define RECALL_ID_MAX 64u     // bytes
#define RECALL_LOT_MAX 64u
#define RECALL_SERIAL_MAX 20u
enum { RECALL_PRODUCTS_MAX = 64, RECALL_LIST_MAX = 256, RECALL_TEXT_MAX = 2000 };

enum recall_action { RECALL_BEGIN = 1, RECALL_EXTEND = 2, RECALL_END = 3 };
// How far along the chain the packs are called back; each includes the ones before.
enum recall_depth { RECALL_WHOLESALE = 1, RECALL_RETAIL = 2, RECALL_CONSUMER = 3 };

struct recall_range {
    const char *from, *to;  // serial numbers, inclusive; ordered by length, then bytes
};

// Which packs of the products: those that every list agrees on. An empty list says nothing.
struct recall_scope {
    const char **lots;
    size_t lot_count;
    struct recall_range *ranges;
    size_t range_count;
    const char **territories;  // ISO 3166-1 alpha-2 or ISO 3166-2
    size_t territory_count;
};

struct recall_notice {
    const char *id;        // the authority's or the holder's number
    uint64_t version;      // from 1, without going back
    enum recall_action action;
    unsigned level;        // 1 the gravest (一级, class I) to 3
    const char **products; // GTIN-14 or 7-digit drug identifier, sorted
    size_t product_count;
    struct recall_scope scope;  // lists sorted; empty in a RECALL_END
    enum recall_depth depth;
    struct master_name reason;        // at least one language
    struct master_name instructions;  // may be missing
    pt_millis issued_at;
};

// PT_INVALID with the JSON Pointer of the first offending field.
enum pt_code recall_notice_validate(const struct recall_notice *notice, struct pt_error *err) PT_NODISCARD;

// CBOR; both validate. Decoding refuses everything that encoding would not have written.
enum pt_code recall_notice_encode(const struct recall_notice *notice, struct pt_buf *out, struct pt_error *err) PT_NODISCARD;
enum pt_code recall_notice_decode(struct pt_bytes bytes, struct pt_arena *arena, struct recall_notice *out,
                                  struct pt_error *err) PT_NODISCARD;

// JSON for people: {"id","version","action":"begin","level":1,"products":[…],"lots":[…],"serials":[{"from","to"}],
// "territories":[…],"depth":"consumer","reason":{"zh","en"},"instructions":{…},"issuedAt":"2026-01-01T00:00:00Z"}.
// Reading sorts the lists, validates, and refuses unknown members. *out of writing is a new reference.
enum pt_code recall_notice_from_json(const json_t *value, struct pt_arena *arena, struct recall_notice *out,
                                     struct pt_error *err) PT_NODISCARD;
enum pt_code recall_notice_to_json(const struct recall_notice *notice, json_t **out, struct pt_error *err) PT_NODISCARD;

// Whether all that `older` covers is covered by `newer`, as far back at least: a recall in force only grows.
bool recall_notice_includes(const struct recall_notice *newer, const struct recall_notice *older);

// What is known of the pack that is asked about; NULL or "" where nothing is.
struct recall_question {
    const char *serial;     // of the pack_id
    const char *lot;        // by its maker's data, else by its label
    const char *territory;  // of the place where it is
};
// Why a pack may be covered and may not.
enum recall_doubt { RECALL_DOUBT_LOT = 1, RECALL_DOUBT_TERRITORY = 2 };
// Whether the scope covers the pack; *doubt: of enum recall_doubt, 0 when it does for certain.
bool recall_scope_covers(const struct recall_scope *scope, const struct recall_question *question, unsigned *doubt);
bool recall_serial_in(const struct recall_scope *scope, const char *serial);  // true without ranges

// The scope alone as CBOR, for whoever keeps it apart from its notice.
void recall_scope_put(const struct recall_scope *scope, struct pt_buf *out);
void recall_scope_get(struct cbor_reader *reader, struct pt_arena *arena, struct recall_scope *out);

const char *recall_action_name(enum recall_action action);  // "begin"; NULL for none
const char *recall_depth_name(enum recall_depth depth);     // "consumer"; NULL for none

// Advice for staff who hold a covered pack in hand; static. `certain`: no doubt is left.
const char *recall_advice_en(bool certain);
const char *recall_advice_zh(bool certain);

#endif
