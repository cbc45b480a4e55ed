// What the terminal knows of the world while the line is down: products, parties and places by name, shipping notices for
// this place, revoked devices; read from the feed, each item's signature checked, kept in one SQLite file.
//
// Thread-safe: one thread works, another one reads the feed.
#ifndef PACKTRAIL_FIRMWARE_REFERENCE_REFERENCE_H
#define PACKTRAIL_FIRMWARE_REFERENCE_REFERENCE_H

#include "common/chain/actor.h"
#include "common/identify/pack_id.h"
#include "common/master/master.h"
#include "common/wire/wire.h"

struct reference;

// `file` need not exist; one that is damaged or another ledger's is put aside (*.bad) and read anew. genesis must outlive it.
enum pt_code reference_open(const struct genesis *genesis, const char *file, struct reference **out, struct pt_error *err) PT_NODISCARD;
void reference_close(struct reference *reference);

uint64_t reference_cursor(struct reference *reference);
#define REFERENCE_KINDS "1,2,3,5"  // enum wire_feed_kind
enum pt_code reference_take(struct reference *reference, const struct wire_feed *feed, pt_millis now, size_t *refused,
                            struct pt_error *err) PT_NODISCARD;

// The record in force at `at`. identifier: URI, GTIN-14 or 7-digit drug identifier. PT_NOT_FOUND: nothing is known.
enum pt_code reference_record(struct reference *reference, enum master_kind kind, const char *identifier, pt_millis at,
                              struct pt_arena *arena, struct master_record *out, struct pt_error *err) PT_NODISCARD;
// The product of a pack, by its GTIN or drug identifier; PT_NOT_FOUND for what names none (an SSCC) or an unknown one.
enum pt_code reference_product(struct reference *reference, const struct pack_id *pack, pt_millis at, struct pt_arena *arena,
                               struct master_record *out, struct pt_error *err) PT_NODISCARD;

// A shipping notice: what another party said it sent here. Not yet received here, as far as this terminal knows.
struct shipping_notice {
    struct pt_digest id;         // of the statement
    pt_millis sent;              // event time
    const char *source, *destination;  // URIs of the possessing parties, NULL if not said
    const char *transaction_type, *transaction;  // the first business transaction, NULL if none
    const struct pack_id *packs; // as the event lists them: packs, cases, pallets
    size_t count;
};
// The newest first; at most `most` of those that are open (not received, not older than 90 days).
enum pt_code reference_notices(struct reference *reference, pt_millis now, size_t most, struct pt_arena *arena,
                               struct shipping_notice **out, size_t *count, struct pt_error *err) PT_NODISCARD;
// The open notice that names this pack or case; PT_NOT_FOUND if none does.
enum pt_code reference_notice_of(struct reference *reference, const struct pack_id *pack, pt_millis now, struct pt_arena *arena,
                                 struct shipping_notice *out, struct pt_error *err) PT_NODISCARD;
// A notice was worked off here: it leaves the list.
enum pt_code reference_notice_done(struct reference *reference, const struct pt_digest *id, struct pt_error *err) PT_NODISCARD;

// Whether an operator revoked this key, and why (reason may be NULL).
bool reference_revoked(struct reference *reference, const struct pt_digest *kid, char reason[ACTOR_TEXT_MAX + 1]);

struct reference_status {
    size_t products, parties, places, notices;
    pt_millis read;        // the terminal's clock when the feed was last read to its end; 0: never
    pt_millis chain_time;
    uint64_t height;
};
void reference_status(struct reference *reference, struct reference_status *out);

#endif
