#include "ledger/store/tree_store.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define STEP TREE_STORE_STEP
#define LEVELS (64u / STEP)
#define WIDTH (1u << STEP)

struct tree_store {
    const struct pt_disk *disk;
    struct pt_file *files[LEVELS];       // opened when first needed
    atomic_uint_least64_t size;
    struct pt_buf row;                   // what one append writes to one level
};

static enum pt_code level_file(struct tree_store *store, unsigned row, struct pt_error *err) {
    char name[32];
    if (store->files[row]) return PT_OK;
    snprintf(name, sizeof name, "level-%02u", row * STEP);
    enum pt_code code = store->disk->open(store->disk->ctx, name, true, &store->files[row], err);
    return code == PT_OK ? store->disk->sync_dir(store->disk->ctx, err) : code;
}

enum pt_code tree_store_open(const struct pt_disk *disk, uint64_t size, struct tree_store **out, struct pt_error *err) {
    *out = NULL;
    struct tree_store *store = calloc(1, sizeof *store);
    if (!store) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    store->disk = disk;
    pt_buf_init(&store->row, (size_t)16 * 1024 * 1024);
    atomic_init(&store->size, size);
    enum pt_code code = PT_OK;
    // All at once: readers must not race to open one.
    for (unsigned row = 0; code == PT_OK && row < LEVELS; row++) code = level_file(store, row, err);
    if (code != PT_OK) {
        tree_store_close(store);
        return code;
    }
    *out = store;
    return PT_OK;
}

void tree_store_close(struct tree_store *store) {
    if (!store) return;
    for (unsigned row = 0; row < LEVELS; row++)
        if (store->files[row]) store->disk->close(store->disk->ctx, store->files[row]);
    pt_buf_free(&store->row);
    free(store);
}

uint64_t tree_store_size(const struct tree_store *store) { return atomic_load(&store->size); }

// The root of 2^levels hashes, in place.
static struct pt_digest fold(struct pt_digest *hashes, unsigned levels) {
    for (unsigned level = levels; level > 0; level--)
        for (unsigned i = 0; i < 1u << (level - 1); i++) hashes[i] = merkle_node_hash(&hashes[2 * i], &hashes[2 * i + 1]);
    return hashes[0];
}

static enum pt_code read_row(struct tree_store *store, unsigned row, uint64_t index, struct pt_digest *out, size_t count,
                             struct pt_error *err) {
    return store->disk->read_at(store->disk->ctx, store->files[row], index * PT_DIGEST_SIZE, out->bytes,
                                count * PT_DIGEST_SIZE, err);
}

enum pt_code tree_store_read(void *ctx, unsigned level, uint64_t index, struct pt_digest *out, struct pt_error *err) {
    struct tree_store *store = ctx;
    struct pt_digest below[WIDTH];
    const unsigned row = level / STEP, above = level % STEP;
    if (level >= 64 || index >= UINT64_MAX >> above) return pt_fail(err, PT_INVALID, NULL, "no such node");
    const enum pt_code code = read_row(store, row, index << above, below, (size_t)1 << above, err);
    if (code == PT_OK) *out = fold(below, above);
    return code;
}

// Writes the nodes of `row` that become complete when the tree grows from `before` to `after` leaves.
static enum pt_code grow_row(struct tree_store *store, unsigned row, uint64_t before, uint64_t after, struct pt_error *err) {
    const uint64_t first = before >> (row * STEP), end = after >> (row * STEP);
    pt_buf_clear(&store->row);
    for (uint64_t index = first; index < end; index++) {
        struct pt_digest below[WIDTH];
        const enum pt_code code = read_row(store, row - 1, index << STEP, below, WIDTH, err);
        if (code != PT_OK) return code;
        const struct pt_digest node = fold(below, STEP);
        pt_buf_append_bytes(&store->row, pt_bytes_digest(&node));
    }
    if (end <= first) return PT_OK;
    if (pt_buf_check(&store->row, err) != PT_OK) return PT_NO_MEMORY;
    return store->disk->write_at(store->disk->ctx, store->files[row], first * PT_DIGEST_SIZE, pt_buf_bytes(&store->row), err);
}

enum pt_code tree_store_append(struct tree_store *store, const struct pt_digest *leaves, size_t count, struct pt_error *err) {
    const uint64_t before = tree_store_size(store), after = before + count;
    if (count == 0) return PT_OK;
    enum pt_code code = store->disk->write_at(store->disk->ctx, store->files[0], before * PT_DIGEST_SIZE,
                                              pt_bytes_of(leaves->bytes, count * PT_DIGEST_SIZE), err);
    for (unsigned row = 1; code == PT_OK && row < LEVELS && after >> (row * STEP) > before >> (row * STEP); row++)
        code = grow_row(store, row, before, after, err);
    if (code == PT_OK) atomic_store(&store->size, after);
    return code;
}

enum pt_code tree_store_sync(struct tree_store *store, struct pt_error *err) {
    enum pt_code code = PT_OK;
    for (unsigned row = 0; code == PT_OK && row < LEVELS; row++) code = store->disk->sync(store->disk->ctx, store->files[row], err);
    return code;
}

enum pt_code tree_store_frontier(struct tree_store *store, uint64_t size, struct merkle_frontier *out, struct pt_error *err) {
    *out = (struct merkle_frontier){.size = size};
    uint64_t from = 0;
    size_t count = 0;
    for (unsigned level = 64; level-- > 0;) {
        if (!(size >> level & 1)) continue;
        const enum pt_code code = tree_store_read(store, level, from >> level, &out->roots[count++], err);
        if (code != PT_OK) return code;
        from += (uint64_t)1 << level;
    }
    return PT_OK;
}
