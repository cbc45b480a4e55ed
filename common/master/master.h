// Master records: what is known of a product, a party or a place (master.cddl). Signed by whoever answers for them,
// versioned, and in force from a time on. Screens, alerts, expiry, split packs and pack levels read them.
//
// Texts are NULL where nothing is said, counts 0. All memory belongs to the arena given to the decoder.
#ifndef PACKTRAIL_COMMON_MASTER_MASTER_H
#define PACKTRAIL_COMMON_MASTER_MASTER_H

#include "common/base/arena.h"
#include "common/base/json.h"
#include "common/base/time.h"

#define MASTER_CONTENT_TYPE "application/vnd.packtrail.master+cbor"
#define MASTER_RECORD_MAX ((size_t)64 * 1024)

enum master_kind { MASTER_NONE = 0, MASTER_PRODUCT = 1, MASTER_PARTY = 2, MASTER_PLACE = 3 };

struct master_name {
    const char *zh, *en;  // at least one of them, where there is a name
};

struct master_texts {
    const char **items;
    size_t count;
};

// One level of packaging, with the codes that packs of this level bear.
struct master_level {
    uint64_t level;               // 1 smallest sold pack 小码, 2 中码, 3 大码, …
    uint64_t units;               // smallest priced units in one such pack
    const char *gtin;             // GTIN-14
    const char *drug_identifier;  // 药品标识码, 7 digits
};

struct master_levels {
    struct master_level *items;
    size_t count;
};

// A number that may be absent.
struct master_integer {
    bool present;
    int64_t value;
};

struct master_product {
    const char *id;  // URI
    struct master_name name;
    struct master_levels levels;
    const char *approval_number, *insurance_code;  // 批准文号; 医保编码
    const char *holder, *manufacturer;             // URIs of parties
    struct master_name form;                       // 剂型
    const char *strength;                          // 规格
    struct master_name smallest_unit;              // smallest priced unit 最小计价单位
    uint64_t shelf_life_months, shelf_life_days;   // together
    struct master_integer temperature_min, temperature_max;  // hundredths of a degree Celsius
    struct master_texts territories;               // ISO 3166-1 alpha-2 or ISO 3166-2; none: anywhere
    bool prescription_only;
    bool split_exempt;                             // no code scan for each part when it is split (饮片, 颗粒)
    struct master_texts other_gtins;
};

enum master_role {
    MASTER_MANUFACTURER = 1,
    MASTER_HOLDER = 2,
    MASTER_DISTRIBUTOR = 3,
    MASTER_PHARMACY = 4,
    MASTER_HOSPITAL = 5,
    MASTER_INSURER = 6,
    MASTER_REGULATOR = 7,
    MASTER_SPONSOR = 8,
    MASTER_CARRIER = 9,
};

struct master_party {
    const char *id;  // URI
    struct master_name name;
    const char *licence;           // 许可证
    const char *institution_code;  // 机构编码
    uint32_t roles;                // bit 1 << enum master_role
    const char *territory;
    struct master_name address;
};

struct master_place {
    const char *id;  // https://id.gs1.org/414/… (GLN) or urn:packtrail:place:…
    struct master_name name;
    const char *party;      // URI of the party whose place it is
    const char *territory;
    const char *profile;    // of rules: "cn", "eu"
    struct master_integer latitude, longitude;  // millionths of a degree; both or none
    struct master_name address;
};

struct master_record {
    enum master_kind kind;
    uint64_t version;      // from 1
    pt_millis valid_from;
    bool withdrawn;        // from valid_from on nothing is known any more
    union {
        struct master_product product;
        struct master_party party;
        struct master_place place;
    };
};

// PT_INVALID with the JSON Pointer of the first offending field ("/levels/1/gtin"): identifiers with their check
// digits, levels that ascend with growing units, ranges, missing names.
enum pt_code master_validate(const struct master_record *record, struct pt_error *err) PT_NODISCARD;

// CBOR; both validate. Decoding refuses everything that encoding would not have written.
enum pt_code master_encode(const struct master_record *record, struct pt_buf *out, struct pt_error *err) PT_NODISCARD;
enum pt_code master_decode(struct pt_bytes bytes, struct pt_arena *arena, struct master_record *out,
                           struct pt_error *err) PT_NODISCARD;

// JSON for people and tools: {"kind":"product","version":1,"validFrom":"2026-01-01T00:00:00Z","id":…,"name":{"zh","en"},…}.
// Reading validates; unknown members are refused with their pointer. *out of writing is a new reference.
enum pt_code master_from_json(const json_t *value, struct pt_arena *arena, struct master_record *out,
                              struct pt_error *err) PT_NODISCARD;
enum pt_code master_to_json(const struct master_record *record, json_t **out, struct pt_error *err) PT_NODISCARD;

// The record's own identifier (a URI), also the subject of its statement.
const char *master_id(const struct master_record *record);

// Everything that a record is looked up by: its id; a product's GTINs (14 digits) and drug identifiers (7 digits).
// Calls `each` once for every different one; stops at the first error.
enum pt_code master_each_identifier(const struct master_record *record,
                                    enum pt_code (*each)(void *arg, const char *identifier, struct pt_error *err),
                                    void *arg, struct pt_error *err) PT_NODISCARD;

// Key of an ordered table: kind, identifier, NUL, valid-from, version; the record in force at a time is the last one
// whose key is not above master_key(kind, identifier, time, UINT64_MAX).
void master_key(enum master_kind kind, const char *identifier, pt_millis valid_from, uint64_t version,
                struct pt_buf *out);

// Of several records of one thing the one in force at `at`: the newest valid-from that is not after it, of these the
// greatest version. NULL if there is none or it is a withdrawal.
const struct master_record *master_in_force(const struct master_record *const *records, size_t count, pt_millis at);

// The level of a product whose packs bear this GTIN-14 or drug identifier; NULL if none does.
const struct master_level *master_level_of(const struct master_product *product, const char *code);

// The last day on which a pack made at `made` may be used, by the shelf life: *year, *month, *day. False without one.
bool master_expiry(const struct master_product *product, pt_millis made, int64_t *year, unsigned *month, unsigned *day);

bool master_allows_territory(const struct master_product *product, const char *territory);
bool master_allows_temperature(const struct master_product *product, int64_t hundredths);

const char *master_kind_name(enum master_kind kind);  // "product"; NULL for none
const char *master_role_name(enum master_role role);  // "pharmacy"; NULL for none

#endif
