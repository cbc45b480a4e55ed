// The chain on disk: one journal record a height, [entry, co-signature, block], the block compressed. The chain is the
// truth; everything else is built from it.
#ifndef PACKTRAIL_LEDGER_STORE_CHAIN_STORE_H
#define PACKTRAIL_LEDGER_STORE_CHAIN_STORE_H

#include "common/base/arena.h"
#include "common/base/journal.h"

struct chain_store;

// A height to be written: entry and co-signature as encoded, the block as chain_block_compress gave it.
struct chain_record {
    struct pt_bytes entry;
    struct pt_bytes co_signature;
    struct pt_bytes compressed_block;
};

enum pt_code chain_store_open(const struct pt_disk *disk, uint64_t segment_bytes, struct chain_store **out,
                              struct pt_error *err) PT_NODISCARD;
void chain_store_close(struct chain_store *store);

uint64_t chain_store_height(const struct chain_store *store);  // of the last record; 0: only the genesis
uint64_t chain_store_bytes(const struct chain_store *store);

// Appends height chain_store_height + 1; durable after chain_store_sync.
enum pt_code chain_store_append(struct chain_store *store, const struct chain_record *record,
                                struct pt_journal_position *out, struct pt_error *err) PT_NODISCARD;
enum pt_code chain_store_sync(struct chain_store *store, struct pt_error *err) PT_NODISCARD;

// One height's record, decompressed.
struct chain_height {
    struct pt_buf raw;            // the record
    struct pt_buf block;          // the gateway block
    struct pt_bytes entry;        // views into raw
    struct pt_bytes co_signature;
};
void chain_height_free(struct chain_height *height);  // also safe on a zeroed struct

enum pt_code chain_store_read(struct chain_store *store, const struct pt_journal_position *position,
                              struct chain_height *out, struct pt_error *err) PT_NODISCARD;

// Calls `each` for heights from `from` on, in order, while it answers PT_OK. position: where height `from` - 1 lies, or
// NULL to begin at height 1.
typedef enum pt_code chain_visit(void *arg, uint64_t height, const struct pt_journal_position *position,
                                 struct chain_height *record, struct pt_error *err);
enum pt_code chain_store_replay(struct chain_store *store, const struct pt_journal_position *before, chain_visit *each,
                                void *arg, struct pt_error *err) PT_NODISCARD;

// zstd, with the content size in the frame. Thread-safe.
enum pt_code chain_block_compress(struct pt_bytes block, struct pt_buf *out, struct pt_error *err) PT_NODISCARD;

#endif
