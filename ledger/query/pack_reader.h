// Reading packs, their containers and their histories from one view of the index. For the query files alone.
#ifndef PACKTRAIL_LEDGER_QUERY_PACK_READER_H
#define PACKTRAIL_LEDGER_QUERY_PACK_READER_H

#include "ledger/contracts/contract.h"
#include "ledger/ledger_internal.h"
#include "ledger/state/hierarchy.h"

struct pack_reader {
    struct index_reader *index;
    struct statement_store *statements;
    struct pt_arena *arena;  // of the answer
};

enum pt_code pack_reader_record(struct pack_reader *reader, struct pt_bytes key, struct pack_record *out, bool *found,
                                struct pt_error *err) PT_NODISCARD;
enum pt_code pack_reader_around(struct pack_reader *reader, struct pt_bytes key, struct hierarchy *out, struct pt_error *err) PT_NODISCARD;

// The text behind a name, in the arena with a NUL behind it; for 0 no bytes.
enum pt_code pack_reader_name(struct pack_reader *reader, uint64_t number, struct pt_bytes *out, struct pt_error *err) PT_NODISCARD;
// The number of a container's key; 0 if nothing was ever packed into it.
enum pt_code pack_reader_container(struct pack_reader *reader, struct pt_bytes key, uint64_t *out, struct pt_error *err) PT_NODISCARD;

// The number of any text of a vocabulary (enum name_kind); 0 if it has none.
enum pt_code pack_reader_number(struct pack_reader *reader, enum name_kind kind, struct pt_bytes text, uint64_t *out,
                                struct pt_error *err) PT_NODISCARD;

// The master record in force at `at` (INT64_MAX: the newest), decoded into the arena; *found false: none, or withdrawn.
enum pt_code pack_reader_master(struct pack_reader *reader, enum master_kind kind, const char *identifier, pt_millis at,
                                struct master_record *out, bool *found, struct pt_error *err) PT_NODISCARD;

// The pack's key in the arena.
enum pt_code pack_reader_key(struct pack_reader *reader, const struct pack_id *id, struct pt_bytes *out, struct pt_error *err) PT_NODISCARD;

// One statement of a pack's own history.
struct history_item {
    struct stored_statement stored;
    struct pt_digest signer;
    const struct epcis_event *event;
    const struct event_pack *packs;
    size_t pack_count;
    enum pack_role role;  // of the pack
};

// Statements that touched the pack itself, oldest first; the newest `most` of them. *more: there were others.
enum pt_code pack_reader_history(struct pack_reader *reader, struct pt_bytes key, size_t most, struct history_item **out,
                                 size_t *count, bool *more, struct pt_error *err) PT_NODISCARD;

#endif
