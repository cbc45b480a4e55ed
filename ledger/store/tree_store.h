// Hashes of the log tree's complete subtrees in flat files, for proofs. Only every fourth level is kept (levels 0, 4,
// 8 …): a level between is recomputed from at most eight neighbours. Rebuilt from the chain when lost.
#ifndef PACKTRAIL_LEDGER_STORE_TREE_STORE_H
#define PACKTRAIL_LEDGER_STORE_TREE_STORE_H

#include "common/base/disk.h"
#include "common/merkle/merkle.h"

struct tree_store;

#define TREE_STORE_STEP 4u  // a level of so many is kept

// size: leaves that the files are known to hold (synced); what lies behind is overwritten by appending.
enum pt_code tree_store_open(const struct pt_disk *disk, uint64_t size, struct tree_store **out, struct pt_error *err) PT_NODISCARD;
void tree_store_close(struct tree_store *store);

// Appends leaves and the subtrees that they complete. One thread; readers beside it ask only below tree_store_size.
enum pt_code tree_store_append(struct tree_store *store, const struct pt_digest *leaves, size_t count,
                               struct pt_error *err) PT_NODISCARD;
enum pt_code tree_store_sync(struct tree_store *store, struct pt_error *err) PT_NODISCARD;
uint64_t tree_store_size(const struct tree_store *store);

// A merkle_read_node with the store as ctx.
enum pt_code tree_store_read(void *store, unsigned level, uint64_t index, struct pt_digest *out, struct pt_error *err);

// The frontier of the first `size` leaves.
enum pt_code tree_store_frontier(struct tree_store *store, uint64_t size, struct merkle_frontier *out,
                                 struct pt_error *err) PT_NODISCARD;

#endif
