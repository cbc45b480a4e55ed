#include "common/merkle/merkle.h"

#include "common/crypto/digest.h"

// Leaves and nodes are hashed under different prefixes, so that no node can be shown as a leaf (RFC 9162 section 2.1.1).
static const uint8_t leaf_prefix = 0x00;
static const uint8_t node_prefix = 0x01;

struct pt_digest merkle_leaf_hash(struct pt_bytes entry) {
    const struct pt_bytes parts[] = {{&leaf_prefix, 1}, entry};
    return sha256_parts(parts, 2);
}

struct pt_digest merkle_node_hash(const struct pt_digest *left, const struct pt_digest *right) {
    const struct pt_bytes parts[] = {{&node_prefix, 1}, pt_bytes_digest(left), pt_bytes_digest(right)};
    return sha256_parts(parts, 3);
}

struct pt_digest merkle_empty_root(void) { return sha256((struct pt_bytes){NULL, 0}); }

static unsigned count_ones(uint64_t value) { return (unsigned)__builtin_popcountll(value); }

// --- Growing ---

void merkle_append(struct merkle_frontier *tree, const struct pt_digest *leaf_hash) {
    unsigned count = count_ones(tree->size);
    struct pt_digest node = *leaf_hash;
    // Every one bit at the low end is a complete subtree that the new one merges with, as in adding one.
    for (uint64_t rest = tree->size; rest & 1; rest >>= 1) node = merkle_node_hash(&tree->roots[--count], &node);
    tree->roots[count] = node;
    tree->size++;
}

static struct pt_digest fold(const struct pt_digest *roots, unsigned count) {
    struct pt_digest root = roots[count - 1];
    for (unsigned i = count - 1; i > 0; i--) root = merkle_node_hash(&roots[i - 1], &root);
    return root;
}

struct pt_digest merkle_root(const struct merkle_frontier *tree) {
    return tree->size == 0 ? merkle_empty_root() : fold(tree->roots, count_ones(tree->size));
}

struct pt_digest merkle_root_of(const struct pt_digest *leaf_hashes, size_t count) {
    struct merkle_frontier tree = {0};
    for (size_t i = 0; i < count; i++) merkle_append(&tree, &leaf_hashes[i]);
    return merkle_root(&tree);
}

// --- Making proofs ---

// The split of section 2.1.1: the largest power of two below size (size >= 2).
static uint64_t split(uint64_t size) { return UINT64_C(1) << (63 - __builtin_clzll(size - 1)); }

struct node_source {
    merkle_read_node *read;
    void *ctx;
};

// The root over leaves [begin, end), where begin is a multiple of every subtree that the range holds: the
// complete subtrees from the left, folded.
static enum pt_code range_root(const struct node_source *source, uint64_t begin, uint64_t end, struct pt_digest *out,
                               struct pt_error *err) {
    struct pt_digest roots[64];
    unsigned count = 0;
    while (begin < end) {
        const unsigned level = 63u - (unsigned)__builtin_clzll(end - begin);
        const enum pt_code code = source->read(source->ctx, level, begin >> level, &roots[count++], err);
        if (code != PT_OK) return code;
        begin += UINT64_C(1) << level;
    }
    *out = fold(roots, count);
    return PT_OK;
}

static enum pt_code push_range(const struct node_source *source, uint64_t begin, uint64_t end, struct merkle_path *path,
                               struct pt_error *err) {
    if (path->count == MERKLE_MAX_PATH) return pt_fail(err, PT_LIMIT, NULL, "a proof of more than %u nodes", MERKLE_MAX_PATH);
    return range_root(source, begin, end, &path->nodes[path->count++], err);
}

static void reverse(struct merkle_path *path) {
    for (size_t i = 0; i < path->count / 2; i++) {
        const struct pt_digest node = path->nodes[i];
        path->nodes[i] = path->nodes[path->count - 1 - i];
        path->nodes[path->count - 1 - i] = node;
    }
}

// PATH(m, D[n]) of section 2.1.3.1, walked from the root, so that the siblings come in reverse.
enum pt_code merkle_inclusion_path(merkle_read_node *read, void *ctx, uint64_t index, uint64_t size,
                                   struct merkle_path *out, struct pt_error *err) {
    const struct node_source source = {read, ctx};
    out->count = 0;
    if (index >= size)
        return pt_fail(err, PT_INVALID, NULL, "leaf %llu is not in a tree of %llu", (unsigned long long)index,
                       (unsigned long long)size);
    uint64_t begin = 0;
    uint64_t end = size;
    while (end - begin > 1) {
        const uint64_t middle = begin + split(end - begin);
        const bool left = index < middle;
        const enum pt_code code = left ? push_range(&source, middle, end, out, err) : push_range(&source, begin, middle, out, err);
        if (code != PT_OK) return code;
        if (left) end = middle;
        else begin = middle;
    }
    reverse(out);
    return PT_OK;
}

static enum pt_code check_sizes(uint64_t size1, uint64_t size2, struct pt_error *err) {
    if (size1 > 0 && size1 <= size2) return PT_OK;
    return pt_fail(err, PT_INVALID, NULL, "no consistency is defined from a tree of %llu to one of %llu",
                   (unsigned long long)size1, (unsigned long long)size2);
}

// PROOF(m, D[n]) of section 2.1.4.1, walked from the root.
enum pt_code merkle_consistency_path(merkle_read_node *read, void *ctx, uint64_t size1, uint64_t size2,
                                     struct merkle_path *out, struct pt_error *err) {
    const struct node_source source = {read, ctx};
    out->count = 0;
    enum pt_code code = check_sizes(size1, size2, err);
    if (code != PT_OK) return code;
    uint64_t begin = 0;
    uint64_t end = size2;
    while (end != size1) {
        const uint64_t middle = begin + split(end - begin);
        const bool left = size1 <= middle;
        code = left ? push_range(&source, middle, end, out, err) : push_range(&source, begin, middle, out, err);
        if (code != PT_OK) return code;
        if (left) end = middle;
        else begin = middle;
    }
    // The old tree's own root is known to whoever checks; a smaller complete subtree of it is not.
    if (begin > 0) code = push_range(&source, begin, end, out, err);
    if (code == PT_OK) reverse(out);
    return code;
}

// --- Checking proofs ---

enum pt_code merkle_inclusion_root(const struct pt_digest *leaf_hash, uint64_t index, uint64_t size,
                                   const struct pt_digest *path, size_t count, struct pt_digest *out,
                                   struct pt_error *err) {
    *out = (struct pt_digest){{0}};
    if (index >= size)
        return pt_fail(err, PT_INVALID, NULL, "leaf %llu is not in a tree of %llu", (unsigned long long)index,
                       (unsigned long long)size);
    uint64_t node = index;     // fn of section 2.1.3.2
    uint64_t last = size - 1;  // sn
    struct pt_digest root = *leaf_hash;
    for (size_t i = 0; i < count; i++) {
        if (last == 0) return pt_fail(err, PT_UNVERIFIED, NULL, "the inclusion path is too long");
        if ((node & 1) || node == last) {
            root = merkle_node_hash(&path[i], &root);
            for (; !(node & 1) && node != 0; node >>= 1) last >>= 1;
        } else {
            root = merkle_node_hash(&root, &path[i]);
        }
        node >>= 1;
        last >>= 1;
    }
    if (last != 0) return pt_fail(err, PT_UNVERIFIED, NULL, "the inclusion path is too short");
    *out = root;
    return PT_OK;
}

enum pt_code merkle_verify_inclusion(const struct pt_digest *leaf_hash, uint64_t index, uint64_t size,
                                     const struct pt_digest *path, size_t count, const struct pt_digest *root,
                                     struct pt_error *err) {
    struct pt_digest reached;
    const enum pt_code code = merkle_inclusion_root(leaf_hash, index, size, path, count, &reached, err);
    if (code != PT_OK) return code;
    if (pt_digest_equal(&reached, root)) return PT_OK;
    return pt_fail(err, PT_UNVERIFIED, NULL, "the inclusion path leads to another root");
}

// Section 2.1.4.2 from its step 3 on: `seed` is the node that both trees share at the path's lower end.
static enum pt_code climb(uint64_t size1, const struct pt_digest *root1, uint64_t size2, const struct pt_digest *root2,
                          const struct pt_digest *seed, const struct pt_digest *path, size_t count, struct pt_error *err) {
    uint64_t node = size1 - 1;
    uint64_t last = size2 - 1;
    for (; node & 1; node >>= 1) last >>= 1;
    struct pt_digest old = *seed;
    struct pt_digest new = *seed;
    for (size_t i = 0; i < count; i++) {
        if (last == 0) return pt_fail(err, PT_UNVERIFIED, NULL, "the consistency path is too long");
        if ((node & 1) || node == last) {
            old = merkle_node_hash(&path[i], &old);
            new = merkle_node_hash(&path[i], &new);
            for (; !(node & 1) && node != 0; node >>= 1) last >>= 1;
        } else {
            new = merkle_node_hash(&new, &path[i]);
        }
        node >>= 1;
        last >>= 1;
    }
    if (last != 0) return pt_fail(err, PT_UNVERIFIED, NULL, "the consistency path is too short");
    if (!pt_digest_equal(&old, root1)) return pt_fail(err, PT_UNVERIFIED, NULL, "the path does not lead to the old root");
    if (!pt_digest_equal(&new, root2)) return pt_fail(err, PT_UNVERIFIED, NULL, "the path does not lead to the new root");
    return PT_OK;
}

enum pt_code merkle_verify_consistency(uint64_t size1, const struct pt_digest *root1, uint64_t size2,
                                       const struct pt_digest *root2, const struct pt_digest *path, size_t count,
                                       struct pt_error *err) {
    const enum pt_code code = check_sizes(size1, size2, err);
    if (code != PT_OK) return code;
    if (size1 == size2) {
        if (count > 0) return pt_fail(err, PT_UNVERIFIED, NULL, "equal sizes need no path");
        if (!pt_digest_equal(root1, root2)) return pt_fail(err, PT_UNVERIFIED, NULL, "equal sizes, but different roots");
        return PT_OK;
    }
    if (count == 0) return pt_fail(err, PT_UNVERIFIED, NULL, "the consistency path is empty");
    if ((size1 & (size1 - 1)) == 0) return climb(size1, root1, size2, root2, root1, path, count, err);
    return climb(size1, root1, size2, root2, &path[0], path + 1, count - 1, err);
}
