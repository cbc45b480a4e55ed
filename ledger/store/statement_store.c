#include "ledger/store/statement_store.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/chain/block.h"
#include "ledger/state/varint.h"

#define KEPT 16u

struct kept_block {
    uint64_t height;  // 0: free
    uint64_t used;
    struct chain_height record;
    struct block block;
    struct chain_entry entry;
};

struct statement_store {
    struct chain_store *chain;
    pthread_mutex_t mutex;
    struct kept_block kept[KEPT];
    uint64_t clock;
};

enum pt_code statement_store_new(struct chain_store *chain, struct statement_store **out, struct pt_error *err) {
    *out = calloc(1, sizeof **out);
    if (!*out) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    (*out)->chain = chain;
    pthread_mutex_init(&(*out)->mutex, NULL);
    return PT_OK;
}

static void forget(struct kept_block *kept) {
    block_free(&kept->block);
    chain_height_free(&kept->record);
    *kept = (struct kept_block){0};
}

void statement_store_free(struct statement_store *store) {
    if (!store) return;
    for (size_t i = 0; i < KEPT; i++) forget(&store->kept[i]);
    pthread_mutex_destroy(&store->mutex);
    free(store);
}

bool statement_result_logged(enum statement_result result) {
    return result != RESULT_DUPLICATE && result != RESULT_BAD_SIGNATURE && result != RESULT_UNKNOWN_SIGNER;
}

struct first_found {
    uint64_t number;
    bool found;
};

static enum pt_code take_height(void *arg, struct pt_bytes key, struct pt_bytes value) {
    struct first_found *first = arg;
    (void)key;
    first->found = varint_get(&value, &first->number);
    return PT_NOT_FOUND;  // one is enough
}

enum pt_code statement_store_height_of(struct index_reader *index, uint64_t leaf, uint64_t *height, struct pt_error *err) {
    uint8_t from[8] = {0}, to[8];
    struct first_found first = {0};
    if (leaf >= INT64_MAX) return pt_fail(err, PT_NOT_FOUND, NULL, "the log has no such leaf");
    be64_put(leaf + 1, to);
    const enum pt_code code = index->range(index, INDEX_LEAF, pt_bytes_of(from, 8), pt_bytes_of(to, 8), true, take_height, &first, err);
    if (code != PT_OK) return code;
    if (!first.found) return pt_fail(err, PT_NOT_FOUND, NULL, "the log has no such leaf");
    *height = first.number;
    return PT_OK;
}

enum pt_code statement_store_height(struct index_reader *index, uint64_t height, struct side_height *out, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf value = PT_BUF_INIT(256);
    uint8_t key[8];
    be64_put(height, key);
    const enum pt_code code = index->get(index, INDEX_HEIGHT, pt_bytes_of(key, 8), &value, err);
    return code == PT_OK ? side_height_decode(pt_buf_bytes(&value), out, err) : code;
}

static enum pt_code load(struct statement_store *store, struct kept_block *into, uint64_t height, const struct side_height *place,
                         struct pt_error *err) {
    forget(into);
    enum pt_code code = chain_store_read(store->chain, &place->position, &into->record, err);
    if (code == PT_OK) code = chain_entry_decode(into->record.entry, &into->entry, err);
    if (code == PT_OK) code = block_decode(pt_buf_bytes(&into->record.block), &into->block, err);
    if (code == PT_OK && into->entry.height != height)
        code = pt_fail(err, PT_UNVERIFIED, "index", "height %llu is not where the index says", (unsigned long long)height);
    if (code != PT_OK) {
        forget(into);
        return code == PT_INVALID ? PT_UNVERIFIED : code;
    }
    into->height = height;
    return PT_OK;
}

static enum pt_code find_block(struct statement_store *store, uint64_t height, const struct side_height *place,
                               struct kept_block **out, struct pt_error *err) {
    struct kept_block *oldest = &store->kept[0];
    for (size_t i = 0; i < KEPT; i++) {
        struct kept_block *kept = &store->kept[i];
        if (kept->height == height) {
            kept->used = ++store->clock;
            *out = kept;
            return PT_OK;
        }
        if (kept->used < oldest->used) oldest = kept;
    }
    const enum pt_code code = load(store, oldest, height, place, err);
    oldest->used = ++store->clock;
    *out = oldest;
    return code;
}

static enum pt_code copy_out(const struct kept_block *kept, uint64_t ordinal, struct pt_arena *arena, struct stored_statement *out,
                             struct pt_error *err) {
    const struct pt_bytes results = kept->entry.results;
    for (size_t i = 0; i < results.len && i < kept->block.header.count; i++) {
        if (!statement_result_logged((enum statement_result)results.data[i]) || ordinal-- > 0) continue;
        const struct pt_bytes bytes = kept->block.statements[i];
        uint8_t *copy = pt_arena_alloc(arena, 1, bytes.len);
        if (!copy) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
        memcpy(copy, bytes.data, bytes.len);
        out->bytes = pt_bytes_of(copy, bytes.len);
        out->id = kept->block.statement_ids[i];
        out->result = (enum statement_result)results.data[i];
        return PT_OK;
    }
    return pt_fail(err, PT_UNVERIFIED, "index", "the chain has fewer statements than the index says");
}

enum pt_code statement_store_by_leaf(struct statement_store *store, struct index_reader *index, uint64_t leaf,
                                     struct pt_arena *arena, struct stored_statement *out, struct pt_error *err) {
    struct side_height place;
    uint64_t height;
    struct kept_block *kept = NULL;
    *out = (struct stored_statement){.leaf = leaf};
    enum pt_code code = statement_store_height_of(index, leaf, &height, err);
    if (code == PT_OK) code = statement_store_height(index, height, &place, err);
    if (code != PT_OK) return code;
    if (leaf < place.first_leaf || leaf - place.first_leaf >= place.leaf_count)
        return pt_fail(err, PT_NOT_FOUND, NULL, "the log has no such leaf");
    out->height = height;
    out->time = place.time;
    pthread_mutex_lock(&store->mutex);
    code = find_block(store, height, &place, &kept, err);
    if (code == PT_OK) code = copy_out(kept, leaf - place.first_leaf, arena, out, err);
    pthread_mutex_unlock(&store->mutex);
    return code;
}

struct candidates {
    uint64_t leaves[64];
    size_t count;
};

static enum pt_code take_leaf(void *arg, struct pt_bytes key, struct pt_bytes value) {
    struct candidates *candidates = arg;
    (void)value;
    candidates->leaves[candidates->count++] = side_statement_leaf(key);
    return candidates->count < sizeof candidates->leaves / sizeof candidates->leaves[0] ? PT_OK : PT_NOT_FOUND;
}

enum pt_code statement_store_by_id(struct statement_store *store, struct index_reader *index, const struct pt_digest *id,
                                   struct pt_arena *arena, struct stored_statement *out, struct pt_error *err) {
    uint8_t from[SIDE_STATEMENT_KEY], to[SIDE_STATEMENT_KEY + 1];
    struct candidates candidates = {0};
    side_statement_key(id, 0, from);
    side_statement_key(id, UINT64_MAX, to);
    to[SIDE_STATEMENT_KEY] = 0;
    enum pt_code code = index->range(index, INDEX_STATEMENT, pt_bytes_of(from, sizeof from), pt_bytes_of(to, sizeof to), false,
                                     take_leaf, &candidates, err);
    for (size_t i = 0; code == PT_OK && i < candidates.count; i++) {
        code = statement_store_by_leaf(store, index, candidates.leaves[i], arena, out, err);
        if (code == PT_OK && pt_digest_equal(&out->id, id)) return PT_OK;
    }
    return code == PT_OK ? pt_fail(err, PT_NOT_FOUND, NULL, "the statement is not on the ledger") : code;
}
