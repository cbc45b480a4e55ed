// The tables behind reference.h, in one SQLite file. One connection, one thread at a time.
#ifndef PACKTRAIL_FIRMWARE_REFERENCE_REFERENCE_STORE_H
#define PACKTRAIL_FIRMWARE_REFERENCE_REFERENCE_STORE_H

#include "common/base/arena.h"
#include "common/chain/actor.h"

struct reference_store;

// PT_INVALID: the file is damaged or of another version. PT_UNAVAILABLE: the disk is full.
enum pt_code reference_store_open(const char *file, struct reference_store **out, struct pt_error *err) PT_NODISCARD;
void reference_store_close(struct reference_store *store);  // NULL is allowed

// All changes of one reading of the feed are kept or none.
enum pt_code reference_store_begin(struct reference_store *store, struct pt_error *err) PT_NODISCARD;
enum pt_code reference_store_commit(struct reference_store *store, struct pt_error *err) PT_NODISCARD;
void reference_store_rollback(struct reference_store *store);

// What the store was last told of itself.
struct reference_mark {
    struct pt_digest genesis;
    uint64_t cursor, height;
    pt_millis chain_time, read;
};
enum pt_code reference_store_mark(struct reference_store *store, struct reference_mark *out, struct pt_error *err) PT_NODISCARD;  // zeroed if none
enum pt_code reference_store_set_mark(struct reference_store *store, const struct reference_mark *mark, struct pt_error *err) PT_NODISCARD;

// An actor replaces the one of the same kid. PT_NOT_FOUND: nobody of this kid. actor_free.
enum pt_code reference_store_put_actor(struct reference_store *store, const struct actor *actor, struct pt_error *err) PT_NODISCARD;
enum pt_code reference_store_actor(struct reference_store *store, const struct pt_digest *kid, struct actor *out, struct pt_error *err) PT_NODISCARD;
enum pt_code reference_store_put_reason(struct reference_store *store, const struct pt_digest *kid, const char *reason, struct pt_error *err) PT_NODISCARD;
bool reference_store_reason(struct reference_store *store, const struct pt_digest *kid, char out[ACTOR_TEXT_MAX + 1]);

// Master records under master_key(); a version once said stands. The one with the greatest key in [from, to]; a copy in `arena`.
enum pt_code reference_store_put_record(struct reference_store *store, unsigned kind, struct pt_bytes key, struct pt_bytes payload, struct pt_error *err) PT_NODISCARD;
enum pt_code reference_store_record(struct reference_store *store, struct pt_bytes from, struct pt_bytes to, struct pt_arena *arena,
                                    struct pt_bytes *payload, struct pt_error *err) PT_NODISCARD;

// Shipping notices: the statement, and the keys of the packs that it names.
enum pt_code reference_store_put_notice(struct reference_store *store, const struct pt_digest *id, pt_millis sent, struct pt_bytes statement, struct pt_error *err) PT_NODISCARD;
enum pt_code reference_store_put_notice_pack(struct reference_store *store, struct pt_bytes pack, const struct pt_digest *id, struct pt_error *err) PT_NODISCARD;
// Open ones sent after `since`, the newest first; copies in `arena`. pack: of this one alone; no bytes: of any.
struct reference_notice {
    struct pt_digest id;
    struct pt_bytes statement;
};
enum pt_code reference_store_notices(struct reference_store *store, pt_millis since, struct pt_bytes pack, size_t most, struct pt_arena *arena,
                                     struct reference_notice **out, size_t *count, struct pt_error *err) PT_NODISCARD;
enum pt_code reference_store_notice_done(struct reference_store *store, const struct pt_digest *id, struct pt_error *err) PT_NODISCARD;
enum pt_code reference_store_forget_notices(struct reference_store *store, pt_millis before, struct pt_error *err) PT_NODISCARD;

// How many different things there are records of, by enum master_kind, and open notices sent after `since`.
enum pt_code reference_store_counts(struct reference_store *store, pt_millis since, size_t records[4], size_t *notices, struct pt_error *err) PT_NODISCARD;

#endif
