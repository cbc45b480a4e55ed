#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/crypto/digest.h"
#include "common/merkle/merkle.h"
#include "tests/support/support.h"

// --- RFC 9162, section 2.1, word for word, as the measure ---

#define MOST 4096u

static struct pt_digest leaves[MOST];

static uint64_t largest_power_below(uint64_t n) {
    uint64_t k = 1;
    while (k * 2 < n) k *= 2;
    return k;
}

static struct pt_digest mth(const struct pt_digest *d, uint64_t n) {
    if (n == 1) return d[0];
    const uint64_t k = largest_power_below(n);
    const struct pt_digest left = mth(d, k);
    const struct pt_digest right = mth(d + k, n - k);
    return merkle_node_hash(&left, &right);
}

static void push(struct merkle_path *path, struct pt_digest node) { path->nodes[path->count++] = node; }

static void path_of(uint64_t m, const struct pt_digest *d, uint64_t n, struct merkle_path *out) {
    if (n == 1) return;
    const uint64_t k = largest_power_below(n);
    if (m < k) {
        path_of(m, d, k, out);
        push(out, mth(d + k, n - k));
    } else {
        path_of(m - k, d + k, n - k, out);
        push(out, mth(d, k));
    }
}

static void subproof(uint64_t m, const struct pt_digest *d, uint64_t n, bool known, struct merkle_path *out) {
    if (m == n) {
        if (!known) push(out, mth(d, n));
        return;
    }
    const uint64_t k = largest_power_below(n);
    if (m <= k) {
        subproof(m, d, k, known, out);
        push(out, mth(d + k, n - k));
    } else {
        subproof(m - k, d + k, n - k, false, out);
        push(out, mth(d, k));
    }
}

// --- The tree under test ---

static enum pt_code read_node(void *ctx, unsigned level, uint64_t index, struct pt_digest *out, struct pt_error *err) {
    const uint64_t size = *(const uint64_t *)ctx;
    const uint64_t width = UINT64_C(1) << level;
    if (level > 20 || (index + 1) * width > size) return pt_fail(err, PT_INTERNAL, NULL, "read outside the tree");
    *out = mth(leaves + index * width, width);
    return PT_OK;
}

static void check_same(const struct merkle_path *a, const struct merkle_path *b) {
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) assert_true(pt_digest_equal(&a->nodes[i], &b->nodes[i]));
}

static enum pt_code included(uint64_t leaf, uint64_t index, uint64_t size, const struct merkle_path *path, size_t count,
                             const struct pt_digest *root) {
    return merkle_verify_inclusion(&leaves[leaf], index, size, path->nodes, count, root, NULL);
}

static void check_inclusion(uint64_t index, uint64_t size, const struct pt_digest *root) {
    struct pt_error err;
    struct merkle_path path;
    struct merkle_path naive = {.count = 0};
    path_of(index, leaves, size, &naive);
    assert_ok(merkle_inclusion_path(read_node, &size, index, size, &path, &err), &err);
    check_same(&path, &naive);
    assert_int_equal(included(index, index, size, &path, path.count, root), PT_OK);
}

static void check_consistency(uint64_t size1, uint64_t size2, const struct pt_digest *root1, const struct pt_digest *root2) {
    struct pt_error err;
    struct merkle_path path;
    struct merkle_path naive = {.count = 0};
    subproof(size1, leaves, size2, true, &naive);
    assert_ok(merkle_consistency_path(read_node, &size2, size1, size2, &path, &err), &err);
    check_same(&path, &naive);
    assert_ok(merkle_verify_consistency(size1, root1, size2, root2, path.nodes, path.count, &err), &err);
}

static void the_frontier_gives_the_definitions_root(void **state) {
    (void)state;
    char hex[65];
    struct merkle_frontier tree = {0};
    const struct pt_digest empty = merkle_root(&tree);
    pt_digest_hex(&empty, hex);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    for (uint64_t size = 1; size <= 600; size++) {
        merkle_append(&tree, &leaves[size - 1]);
        assert_int_equal(tree.size, size);
        const struct pt_digest root = merkle_root(&tree);
        const struct pt_digest naive = mth(leaves, size);
        const struct pt_digest at_once = merkle_root_of(leaves, size);
        assert_true(pt_digest_equal(&root, &naive));
        assert_true(pt_digest_equal(&root, &at_once));
    }
}

static void proofs_of_all_sizes_up_to_130_are_the_definitions(void **state) {
    (void)state;
    struct pt_digest roots[131];
    for (uint64_t size = 1; size <= 130; size++) {
        roots[size] = mth(leaves, size);
        for (uint64_t index = 0; index < size; index++) check_inclusion(index, size, &roots[size]);
        for (uint64_t size1 = 1; size1 <= size; size1++) check_consistency(size1, size, &roots[size1], &roots[size]);
    }
}

static void proofs_of_larger_random_sizes_are_the_definitions(void **state) {
    (void)state;
    unsigned seed = 9162;
    for (int round = 0; round < 40; round++) {
        const uint64_t size = 131 + (uint64_t)rand_r(&seed) % (MOST - 131);
        const uint64_t size1 = 1 + (uint64_t)rand_r(&seed) % size;
        const struct pt_digest root = mth(leaves, size);
        const struct pt_digest root1 = mth(leaves, size1);
        check_inclusion((uint64_t)rand_r(&seed) % size, size, &root);
        check_consistency(size1, size, &root1, &root);
    }
}

// Whatever is changed, cut, added or moved in a good proof, it must not verify.
static void check_no_variant_is_included(uint64_t index, uint64_t size, const struct pt_digest *root) {
    struct merkle_path path = {.count = 0};
    path_of(index, leaves, size, &path);
    for (size_t i = 0; i < path.count; i++) {
        path.nodes[i].bytes[i % 32] ^= 1;
        assert_int_equal(included(index, index, size, &path, path.count, root), PT_UNVERIFIED);
        path.nodes[i].bytes[i % 32] ^= 1;
    }
    for (uint64_t other = 0; other < size; other++)
        if (other != index) assert_int_equal(included(index, other, size, &path, path.count, root), PT_UNVERIFIED);
    if (path.count > 0) assert_int_equal(included(index, index, size, &path, path.count - 1, root), PT_UNVERIFIED);
    path.nodes[path.count] = *root;
    assert_int_equal(included(index, index, size, &path, path.count + 1, root), PT_UNVERIFIED);
    assert_int_equal(included(index + 1, index, size, &path, path.count, root), PT_UNVERIFIED);
}

static void no_altered_inclusion_proof_verifies(void **state) {
    (void)state;
    for (uint64_t size = 1; size <= 33; size++) {
        const struct pt_digest root = mth(leaves, size);
        for (uint64_t index = 0; index < size; index++) check_no_variant_is_included(index, size, &root);
    }
}

static void check_no_variant_is_consistent(uint64_t size1, uint64_t size2) {
    const struct pt_digest root1 = mth(leaves, size1);
    const struct pt_digest root2 = mth(leaves, size2);
    struct merkle_path path = {.count = 0};
    subproof(size1, leaves, size2, true, &path);
    for (size_t i = 0; i < path.count; i++) {
        path.nodes[i].bytes[31] ^= 0x80;
        assert_int_equal(merkle_verify_consistency(size1, &root1, size2, &root2, path.nodes, path.count, NULL), PT_UNVERIFIED);
        path.nodes[i].bytes[31] ^= 0x80;
    }
    path.nodes[path.count] = root1;
    assert_int_equal(merkle_verify_consistency(size1, &root1, size2, &root2, path.nodes, path.count + 1, NULL), PT_UNVERIFIED);
    if (size1 == size2) return;
    assert_int_equal(merkle_verify_consistency(size1, &root1, size2, &root2, path.nodes, path.count - 1, NULL), PT_UNVERIFIED);
    assert_int_equal(merkle_verify_consistency(size1, &root2, size2, &root1, path.nodes, path.count, NULL), PT_UNVERIFIED);
    assert_int_equal(merkle_verify_consistency(size1, &root1, size2, &root2, NULL, 0, NULL), PT_UNVERIFIED);
}

static void no_altered_consistency_proof_verifies(void **state) {
    (void)state;
    for (uint64_t size2 = 1; size2 <= 33; size2++)
        for (uint64_t size1 = 1; size1 <= size2; size1++) check_no_variant_is_consistent(size1, size2);
}

static void senseless_sizes_are_invalid(void **state) {
    (void)state;
    uint64_t size = 8;
    struct merkle_path path;
    const struct pt_digest root = mth(leaves, 8);
    assert_int_equal(merkle_inclusion_path(read_node, &size, 8, 8, &path, NULL), PT_INVALID);
    assert_int_equal(merkle_inclusion_path(read_node, &size, 0, 0, &path, NULL), PT_INVALID);
    assert_int_equal(merkle_consistency_path(read_node, &size, 0, 8, &path, NULL), PT_INVALID);
    assert_int_equal(merkle_consistency_path(read_node, &size, 9, 8, &path, NULL), PT_INVALID);
    assert_int_equal(merkle_verify_inclusion(&leaves[0], 0, 0, NULL, 0, &root, NULL), PT_INVALID);
    assert_int_equal(merkle_verify_inclusion(&leaves[0], UINT64_MAX, 1, NULL, 0, &root, NULL), PT_INVALID);
    assert_int_equal(merkle_verify_consistency(0, &root, 8, &root, NULL, 0, NULL), PT_INVALID);
    assert_int_equal(merkle_verify_consistency(0, &root, 0, &root, NULL, 0, NULL), PT_INVALID);
    assert_int_equal(merkle_verify_consistency(8, &root, 7, &root, NULL, 0, NULL), PT_INVALID);
    // The ends of the range work without overflow.
    assert_int_equal(merkle_verify_inclusion(&leaves[0], UINT64_MAX - 1, UINT64_MAX, NULL, 0, &root, NULL), PT_UNVERIFIED);
    assert_int_equal(merkle_verify_inclusion(&leaves[0], 0, UINT64_MAX, leaves, 64, &root, NULL), PT_UNVERIFIED);
    assert_int_equal(merkle_verify_consistency(UINT64_MAX - 1, &root, UINT64_MAX, &root, leaves, 65, NULL), PT_UNVERIFIED);
    assert_int_equal(merkle_verify_consistency(UINT64_MAX, &root, UINT64_MAX, &root, NULL, 0, NULL), PT_OK);
}

static enum pt_code any_node(void *ctx, unsigned level, uint64_t index, struct pt_digest *out, struct pt_error *err) {
    (void)ctx;
    (void)err;
    const uint64_t name[2] = {level, index};
    *out = sha256(pt_bytes_of(name, sizeof name));
    return PT_OK;
}

static enum pt_code failing_node(void *ctx, unsigned level, uint64_t index, struct pt_digest *out, struct pt_error *err) {
    (void)ctx, (void)level, (void)index, (void)out;
    return pt_fail(err, PT_IO, NULL, "disk");
}

static void huge_trees_have_short_proofs_and_read_errors_come_through(void **state) {
    (void)state;
    struct merkle_path path;
    struct pt_error err;
    assert_ok(merkle_inclusion_path(any_node, NULL, 0, UINT64_MAX, &path, &err), &err);
    assert_int_equal(path.count, 64);
    assert_ok(merkle_inclusion_path(any_node, NULL, UINT64_MAX - 1, UINT64_MAX, &path, &err), &err);
    assert_int_equal(path.count, 63);
    assert_ok(merkle_consistency_path(any_node, NULL, UINT64_C(1) << 40, UINT64_MAX, &path, &err), &err);
    assert_int_equal(merkle_inclusion_path(failing_node, NULL, 3, 9, &path, NULL), PT_IO);
    assert_int_equal(merkle_consistency_path(failing_node, NULL, 3, 9, &path, NULL), PT_IO);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_frontier_gives_the_definitions_root),
        cmocka_unit_test(proofs_of_all_sizes_up_to_130_are_the_definitions),
        cmocka_unit_test(proofs_of_larger_random_sizes_are_the_definitions),
        cmocka_unit_test(no_altered_inclusion_proof_verifies),
        cmocka_unit_test(no_altered_consistency_proof_verifies),
        cmocka_unit_test(senseless_sizes_are_invalid),
        cmocka_unit_test(huge_trees_have_short_proofs_and_read_errors_come_through),
    };
    for (uint32_t i = 0; i < MOST; i++) leaves[i] = merkle_leaf_hash(pt_bytes_of(&i, sizeof i));
    return cmocka_run_group_tests_name("merkle", tests, NULL, NULL);
}
