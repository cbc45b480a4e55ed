// RFC 9162 (section 2.1) Merkle tree with SHA-256: incremental root, inclusion and consistency proofs.
#ifndef PACKTRAIL_COMMON_MERKLE_MERKLE_H
#define PACKTRAIL_COMMON_MERKLE_MERKLE_H

#include "common/base/bytes.h"

#define MERKLE_MAX_PATH 64u

// The right edge of a growing tree: roots of its complete subtrees, largest first. A value type.
struct merkle_frontier {
    uint64_t size;
    struct pt_digest roots[64];  // as many as size has one bits
};

struct pt_digest merkle_leaf_hash(struct pt_bytes entry);  // SHA-256(0x00 || entry)
struct pt_digest merkle_node_hash(const struct pt_digest *left, const struct pt_digest *right);  // SHA-256(0x01 || …)
struct pt_digest merkle_empty_root(void);

void merkle_append(struct merkle_frontier *tree, const struct pt_digest *leaf_hash);
struct pt_digest merkle_root(const struct merkle_frontier *tree);
struct pt_digest merkle_root_of(const struct pt_digest *leaf_hashes, size_t count);

// Reads the hash of a complete subtree: `level` 0 is a leaf, index counts subtrees of 2^level leaves from the left.
// Only complete subtrees inside the asked tree size are ever read.
typedef enum pt_code merkle_read_node(void *ctx, unsigned level, uint64_t index, struct pt_digest *out,
                                      struct pt_error *err);

struct merkle_path {
    struct pt_digest nodes[MERKLE_MAX_PATH];
    size_t count;
};

// PT_INVALID if index >= size, or size1 is 0 or above size2.
enum pt_code merkle_inclusion_path(merkle_read_node *read, void *ctx, uint64_t index, uint64_t size,
                                   struct merkle_path *out, struct pt_error *err) PT_NODISCARD;
enum pt_code merkle_consistency_path(merkle_read_node *read, void *ctx, uint64_t size1, uint64_t size2,
                                     struct merkle_path *out, struct pt_error *err) PT_NODISCARD;

// PT_OK only if the path proves it; PT_UNVERIFIED otherwise, PT_INVALID for indices and sizes that make no sense.
enum pt_code merkle_verify_inclusion(const struct pt_digest *leaf_hash, uint64_t index, uint64_t size,
                                     const struct pt_digest *path, size_t count, const struct pt_digest *root,
                                     struct pt_error *err) PT_NODISCARD;
enum pt_code merkle_verify_consistency(uint64_t size1, const struct pt_digest *root1, uint64_t size2,
                                       const struct pt_digest *root2, const struct pt_digest *path, size_t count,
                                       struct pt_error *err) PT_NODISCARD;

// The root that an inclusion path leads to (for receipts with a detached root).
enum pt_code merkle_inclusion_root(const struct pt_digest *leaf_hash, uint64_t index, uint64_t size,
                                   const struct pt_digest *path, size_t count, struct pt_digest *out,
                                   struct pt_error *err) PT_NODISCARD;

#endif
