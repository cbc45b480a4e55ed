#include "ledger/apply/committer.h"

#include <string.h>

#include "common/base/cleanup.h"
#include "ledger/state/varint.h"

// How far the tree's files may run ahead of their last fsync: what a start after a power cut recomputes.
#define TREE_LEAVES_UNSYNCED 65536u
#define TREE_HEIGHTS_UNSYNCED 256u

static const char tree_note[] = "tree";
static const char genesis_note[] = "genesis";

enum pt_code committer_append(struct committer *committer, struct commit_item *items, size_t count, struct pt_error *err) {
    for (size_t i = 0; i < count; i++) {
        const struct sealed_height *sealed = items[i].sealed;
        const struct chain_record record = {pt_buf_bytes(&sealed->entry), pt_buf_bytes(&sealed->co_signature), items[i].compressed_block};
        if (chain_store_height(committer->chain) + 1 != sealed->height)
            return pt_fail(err, PT_INTERNAL, "chain", "height %llu does not follow", (unsigned long long)sealed->height);
        const enum pt_code code = chain_store_append(committer->chain, &record, &items[i].position, err);
        if (code != PT_OK) return code;
    }
    return chain_store_sync(committer->chain, err);
}

static enum pt_code note_tree(struct committer *committer, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf value = PT_BUF_INIT(16);
    enum pt_code code = tree_store_sync(committer->tree, err);
    if (code != PT_OK) return code;
    committer->tree_synced = tree_store_size(committer->tree);
    committer->heights_unsynced = 0;
    varint_put(&value, committer->tree_synced);
    const struct state_change note = {.table = (enum state_table)INDEX_META, .key = pt_bytes_str(tree_note), .value = pt_buf_bytes(&value)};
    return committer->index->put(committer->index, &note, 1, err);
}

// Below height 1 nothing else would tell one ledger's index from another's.
static enum pt_code note_genesis(struct committer *committer, const struct pt_digest *genesis, struct pt_error *err) {
    const struct state_change note = {.table = (enum state_table)INDEX_META, .key = pt_bytes_str(genesis_note), .value = pt_bytes_digest(genesis)};
    return committer->index->put(committer->index, &note, 1, err);
}

static enum pt_code put_height(struct committer *committer, const struct commit_item *item, struct pt_error *err) {
    const struct sealed_height *sealed = item->sealed;
    const struct side_height place = {item->position, sealed->first_leaf, sealed->leaf_count, sealed->time, sealed->entry_digest};
    PT_CLEANUP(pt_buf_free) struct pt_buf value = PT_BUF_INIT(256);
    PT_CLEANUP(pt_buf_free) struct pt_buf number = PT_BUF_INIT(16);
    uint8_t height_key[8], leaf_key[8];
    be64_put(sealed->height, height_key);
    be64_put(sealed->first_leaf, leaf_key);
    side_height_encode(&place, &value);
    varint_put(&number, sealed->height);
    const struct state_change lines[2] = {
        {.table = (enum state_table)INDEX_HEIGHT, .key = pt_bytes_of(height_key, 8), .value = pt_buf_bytes(&value)},
        {.table = (enum state_table)INDEX_LEAF, .key = pt_bytes_of(leaf_key, 8), .value = pt_buf_bytes(&number)}};
    return committer->index->put(committer->index, lines, sealed->leaf_count > 0 ? 2 : 1, err);
}

static enum pt_code index_item(struct committer *committer, const struct commit_item *item, struct pt_error *err) {
    const struct sealed_height *sealed = item->sealed;
    struct index_store *index = committer->index;
    enum pt_code code = PT_OK;
    // On replay the tree may hold some already: its files are synced apart from the index.
    if (sealed->first_leaf + sealed->leaf_count > tree_store_size(committer->tree))
        code = tree_store_append(committer->tree, sealed->leaves, sealed->leaf_count, err);
    if (code == PT_OK) code = index->put(index, sealed->changes, sealed->change_count, err);
    if (code == PT_OK && sealed->side_count > 0) code = index->put(index, sealed->side, sealed->side_count, err);
    if (code == PT_OK)
        code = sealed->height > 0 ? put_height(committer, item, err) : note_genesis(committer, &sealed->entry_digest, err);
    committer->heights_unsynced++;
    return code;
}

enum pt_code committer_index(struct committer *committer, const struct commit_item *items, size_t count, struct pt_error *err) {
    struct index_store *index = committer->index;
    if (count == 0) return PT_OK;
    enum pt_code code = index->begin(index, err);
    for (size_t i = 0; code == PT_OK && i < count; i++) code = index_item(committer, &items[i], err);
    if (code == PT_OK && (tree_store_size(committer->tree) - committer->tree_synced > TREE_LEAVES_UNSYNCED ||
                          committer->heights_unsynced > TREE_HEIGHTS_UNSYNCED))
        code = note_tree(committer, err);
    if (code == PT_OK) code = index->commit(index, items[count - 1].sealed->height, err);
    if (code != PT_OK) index->rollback(index);
    return code;
}

enum pt_code committer_close(struct committer *committer, uint64_t height, struct pt_error *err) {
    struct index_store *index = committer->index;
    if (committer->tree_synced == tree_store_size(committer->tree)) return PT_OK;
    enum pt_code code = index->begin(index, err);
    if (code == PT_OK) code = note_tree(committer, err);
    if (code == PT_OK) code = index->commit(index, height, err);
    if (code != PT_OK) index->rollback(index);
    return code;
}

enum pt_code committer_tree_noted(struct index_reader *index, uint64_t *size, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf value = PT_BUF_INIT(16);
    *size = 0;
    const enum pt_code code = index->get(index, INDEX_META, pt_bytes_str(tree_note), &value, err);
    if (code == PT_NOT_FOUND) return PT_OK;
    struct pt_bytes bytes = pt_buf_bytes(&value);
    if (code == PT_OK && !varint_get(&bytes, size)) return pt_fail(err, PT_UNVERIFIED, "index", "the tree's note is damaged");
    return code;
}

enum pt_code committer_genesis_noted(struct index_reader *index, struct pt_digest *genesis, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf value = PT_BUF_INIT(64);
    *genesis = (struct pt_digest){0};
    const enum pt_code code = index->get(index, INDEX_META, pt_bytes_str(genesis_note), &value, err);
    if (code == PT_OK && value.len == PT_DIGEST_SIZE) memcpy(genesis->bytes, value.data, PT_DIGEST_SIZE);
    return code == PT_NOT_FOUND ? PT_OK : code;
}
