// What contracts read of master records: a few fields of each, by identifier, in STATE_FACTS. The records themselves stand
// in STATE_MASTER (master_records.h), which writes both.
//
// Key: kind, identifier. Value: CBOR [+ version of it], the oldest first. In force at a time is the newest that is valid
// then; before the first of them the first one counts, because goods are often made before their data are signed.
#ifndef PACKTRAIL_LEDGER_CONTRACTS_MASTER_FACTS_H
#define PACKTRAIL_LEDGER_CONTRACTS_MASTER_FACTS_H

#include "common/identify/pack_id.h"
#include "ledger/contracts/contract.h"

// As far as `at` for the newest, whatever it is valid from.
#define MASTER_FACTS_NEWEST INT64_MAX

// Of a product, seen from one of its identifiers (GTIN-14 or drug identifier). Texts are in the arena, "" if not said.
struct product_facts {
    const char *id;                     // URI: the same under each of the product's identifiers
    const char *insurance_code;         // 医保编码
    const char *holder, *manufacturer;  // URIs of parties
    uint64_t level, units;              // of packs that bear this identifier; units in smallest priced units; 0: not said
    bool has_temperature_min, has_temperature_max;
    int64_t temperature_min, temperature_max;  // hundredths of a degree Celsius
    bool split_exempt, prescription_only;
    bool withdrawn;                     // the version in force says that the product is no longer known; the rest still stands
    const char **territories;           // none: anywhere
    size_t territory_count;
};

struct place_facts {
    const char *party, *territory, *profile;
    bool located;
    int64_t latitude, longitude;  // millionths of a degree
};

struct party_facts {
    uint32_t roles;  // bit 1 << enum master_role
    const char *territory;
};

// The identifier that a pack's product has master records by: GTIN-14 or drug identifier; NULL if its kind has none.
const char *master_facts_product_of(const struct pack_id *id);

// Declares that the facts of an identifier are read.
void master_facts_declare(enum master_kind kind, const char *identifier, struct access_list *out);

// *found false: nothing is known; a party or place that is withdrawn at that time is not known either. `at`: milliseconds, or MASTER_FACTS_NEWEST.
enum pt_code master_facts_product(struct state_view *view, struct pt_arena *arena, const char *identifier, pt_millis at,
                                  struct product_facts *out, bool *found, struct pt_error *err) PT_NODISCARD;
enum pt_code master_facts_place(struct state_view *view, struct pt_arena *arena, const char *id, pt_millis at,
                                struct place_facts *out, bool *found, struct pt_error *err) PT_NODISCARD;
enum pt_code master_facts_party(struct state_view *view, struct pt_arena *arena, const char *id, pt_millis at,
                                struct party_facts *out, bool *found, struct pt_error *err) PT_NODISCARD;

// For the master records contract: declares and writes what a record says under each of its identifiers.
void master_facts_declare_record(const struct master_record *record, struct access_list *out);
enum pt_code master_facts_write(struct state_view *view, struct pt_arena *arena, const struct master_record *record,
                                struct pt_error *err) PT_NODISCARD;

#endif
