// Keys and values of the index's side tables: what finds statements, heights and histories. None of it is part of the
// state; all of it follows from the chain.
#ifndef PACKTRAIL_LEDGER_STORE_SIDE_TABLES_H
#define PACKTRAIL_LEDGER_STORE_SIDE_TABLES_H

#include "common/base/journal.h"
#include "common/base/time.h"
#include "ledger/store/index_store.h"

// INDEX_STATEMENT: the first 6 bytes of the id, then the leaf index in 6 bytes big-endian. Whoever looks up compares the
// whole id with the statement's bytes: a shared beginning is possible.
#define SIDE_ID_PREFIX 6u
#define SIDE_STATEMENT_KEY 12u
void side_statement_key(const struct pt_digest *id, uint64_t leaf, uint8_t out[SIDE_STATEMENT_KEY]);
uint64_t side_statement_leaf(struct pt_bytes key);

// INDEX_SEQUENCE: kid's first 8 bytes, sequence -> varint leaf indices. Usually one; more where a key equivocated, or two
// keys begin alike: the statement that is found tells.
#define SIDE_SEQUENCE_KEY 16u
void side_sequence_key(const struct pt_digest *kid, uint64_t sequence, uint8_t out[SIDE_SEQUENCE_KEY]);

// INDEX_HEIGHT: height -> this.
struct side_height {
    struct pt_journal_position position;
    uint64_t first_leaf, leaf_count;
    pt_millis time;
    struct pt_digest entry;
};
void side_height_encode(const struct side_height *height, struct pt_buf *out);
enum pt_code side_height_decode(struct pt_bytes bytes, struct side_height *out, struct pt_error *err) PT_NODISCARD;

// INDEX_BLOCK: gateway kid, sequence -> height.
#define SIDE_BLOCK_KEY 40u
void side_block_key(const struct pt_digest *gateway, uint64_t sequence, uint8_t out[SIDE_BLOCK_KEY]);

// INDEX_FEED: first 8 bytes of SHA-256 of the audience (zeros: everyone), leaf index, kind.
#define SIDE_FEED_KEY 17u
void side_feed_key(const char *audience, uint64_t leaf, unsigned kind, uint8_t out[SIDE_FEED_KEY]);

// INDEX_LINKS: leaf index -> for each pack of the event in order, `last` before it. Written as runs of equal differences.
#define SIDE_LINKS_MAX ((size_t)8 * 1024 * 1024)
void side_links_encode(const uint64_t *previous, size_t count, struct pt_buf *out);
// Gives the value for pack number `index`; PT_UNVERIFIED if the links are damaged or shorter.
enum pt_code side_links_at(struct pt_bytes links, size_t index, uint64_t *previous, struct pt_error *err) PT_NODISCARD;

#endif
