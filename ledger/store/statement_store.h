// Statements by their place in the log: from leaf index to height to the block on the chain. Keeps the last blocks that
// were read decoded, because questions come in clusters. Safe from any thread.
#ifndef PACKTRAIL_LEDGER_STORE_STATEMENT_STORE_H
#define PACKTRAIL_LEDGER_STORE_STATEMENT_STORE_H

#include "common/base/arena.h"
#include "common/chain/entry.h"
#include "ledger/store/chain_store.h"
#include "ledger/store/side_tables.h"

struct statement_store;

enum pt_code statement_store_new(struct chain_store *chain, struct statement_store **out, struct pt_error *err) PT_NODISCARD;
void statement_store_free(struct statement_store *store);

struct stored_statement {
    struct pt_digest id;
    uint64_t leaf, height;
    pt_millis time;
    enum statement_result result;
    struct pt_bytes bytes;  // in the arena
};

// Whether a statement of this result is in the log (has a leaf).
bool statement_result_logged(enum statement_result result);

// PT_NOT_FOUND: the index at the reader's height has no such leaf. PT_UNVERIFIED: index and chain do not agree.
enum pt_code statement_store_by_leaf(struct statement_store *store, struct index_reader *index, uint64_t leaf,
                                     struct pt_arena *arena, struct stored_statement *out, struct pt_error *err) PT_NODISCARD;
enum pt_code statement_store_by_id(struct statement_store *store, struct index_reader *index, const struct pt_digest *id,
                                   struct pt_arena *arena, struct stored_statement *out, struct pt_error *err) PT_NODISCARD;

// The height that holds a leaf, and what the index says about a height.
enum pt_code statement_store_height_of(struct index_reader *index, uint64_t leaf, uint64_t *height, struct pt_error *err) PT_NODISCARD;
enum pt_code statement_store_height(struct index_reader *index, uint64_t height, struct side_height *out, struct pt_error *err) PT_NODISCARD;

#endif
