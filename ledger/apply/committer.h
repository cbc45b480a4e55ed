// Writes decided heights: the chain first, durably; then tree and index, which can be rebuilt from it.
#ifndef PACKTRAIL_LEDGER_APPLY_COMMITTER_H
#define PACKTRAIL_LEDGER_APPLY_COMMITTER_H

#include "ledger/apply/executor.h"
#include "ledger/store/tree_store.h"

struct committer {
    struct chain_store *chain;
    struct tree_store *tree;
    struct index_store *index;
    uint64_t tree_synced;      // leaves known to be durable in the tree's files
    uint64_t heights_unsynced;
};

struct commit_item {
    struct sealed_height *sealed;
    struct pt_bytes compressed_block;
    struct pt_journal_position position;  // filled in by committer_append, or known on replay
};

// Appends to the chain and returns after one fsync for all.
enum pt_code committer_append(struct committer *committer, struct commit_item *items, size_t count, struct pt_error *err) PT_NODISCARD;

// Brings tree and index up to the items' last height, in one transaction.
enum pt_code committer_index(struct committer *committer, const struct commit_item *items, size_t count, struct pt_error *err) PT_NODISCARD;

// Makes the tree's files durable and notes it in the index, so that the next start needs not rebuild them.
enum pt_code committer_close(struct committer *committer, uint64_t height, struct pt_error *err) PT_NODISCARD;

// What the index notes of the tree's files: leaves that are durable.
enum pt_code committer_tree_noted(struct index_reader *index, uint64_t *size, struct pt_error *err) PT_NODISCARD;
// And whose index it is: the hash of its genesis; zeros if it says none.
enum pt_code committer_genesis_noted(struct index_reader *index, struct pt_digest *genesis, struct pt_error *err) PT_NODISCARD;

#endif
