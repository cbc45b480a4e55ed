#include "ledger/apply/replay.h"

#include "common/base/cleanup.h"
#include "ledger/state/varint.h"

#define BATCH 64u  // heights a transaction

struct replay {
    const struct replay_parts *parts;
    struct index_reader index;
    struct executor *executor;
    uint64_t committed;
    struct commit_item items[BATCH];
    size_t count;
    enum pt_code (*each)(void *arg, uint64_t height, const struct chain_height *record, const struct sealed_height *sealed,
                         struct pt_error *err);
    void *arg;
};

static uint64_t committed(void *ctx) { return ((const struct replay *)ctx)->committed; }

static void drop_items(struct replay *replay) {
    for (size_t i = 0; i < replay->count; i++) sealed_height_free(replay->items[i].sealed);
    replay->count = 0;
}

static enum pt_code flush(struct replay *replay, struct pt_error *err) {
    const enum pt_code code = committer_index(replay->parts->committer, replay->items, replay->count, err);
    if (code == PT_OK && replay->count > 0) replay->committed = replay->items[replay->count - 1].sealed->height;
    drop_items(replay);
    return code;
}

static enum pt_code wait_committed(void *ctx, uint64_t height, struct pt_error *err) {
    struct replay *replay = ctx;
    return height > replay->committed ? flush(replay, err) : PT_OK;
}

static enum pt_code wrong(uint64_t height, const char *what, struct pt_error *err) {
    return pt_fail(err, PT_UNVERIFIED, "chain", "height %llu: %s", (unsigned long long)height, what);
}

static enum pt_code take(struct replay *replay, uint64_t height, const struct pt_journal_position *position,
                         struct chain_height *record, struct pt_error *err) {
    const struct replay_parts *parts = replay->parts;
    struct job_context context = {.index = &replay->index, .keys = parts->keys, .genesis = &parts->genesis->hash};
    struct chain_entry entry;
    struct block_job *job = NULL;
    struct executor_answer answer;
    struct sealed_height *sealed = NULL;
    enum pt_code code = chain_entry_decode(record->entry, &entry, err);
    if (code != PT_OK) return wrong(height, "the entry cannot be read", err);
    code = block_job_new(pt_buf_bytes(&record->block), replay->committed, &job, err);
    if (code != PT_OK) return code;
    job->trusted = !parts->check_signatures;
    block_job_check(job, &context);
    struct pt_error why = {0};
    if (executor_ready(replay->executor, &why) == PT_UNAVAILABLE && parts->too_new) {
        *parts->too_new = why;
        block_job_free(job);
        return PT_UNAVAILABLE;
    }
    code = executor_take(replay->executor, job, entry.time, record->entry, &answer, &sealed, err);
    if (code == PT_OK && answer.verdict != VERDICT_SEALED)
        code = wrong(height, answer.verdict == VERDICT_IGNORED ? answer.reason : "the block is out of order", err);
    block_job_free(job);
    if (code != PT_OK) return code;
    replay->items[replay->count++] = (struct commit_item){.sealed = sealed, .position = *position};
    if (replay->each) code = replay->each(replay->arg, height, record, sealed, err);
    if (code == PT_OK && replay->count == BATCH) code = flush(replay, err);
    if (code == PT_OK) executor_trim(replay->executor, replay->committed);
    return code;
}

static enum pt_code visit(void *arg, uint64_t height, const struct pt_journal_position *position, struct chain_height *record,
                          struct pt_error *err) {
    return take(arg, height, position, record, err);
}

static enum pt_code put_genesis(const struct replay_parts *parts, struct pt_error *err) {
    struct index_store *index = parts->committer->index;
    struct commit_item item = {0};
    uint64_t height;
    bool any;
    enum pt_code code = index->applied(index, &any, &height, err);
    if (code != PT_OK || any) return code;
    code = executor_genesis(parts->genesis, &item.sealed, err);
    if (code == PT_OK) code = committer_index(parts->committer, &item, 1, err);
    sealed_height_free(item.sealed);
    return code;
}

enum pt_code replay_tree(const struct replay_parts *parts, struct pt_error *err) {
    struct committer *committer = parts->committer;
    struct index_reader index;
    uint64_t last, height = 0;
    enum pt_code code = committer->index->reader(committer->index, &index, err);
    if (code != PT_OK) return code;
    code = index.height(&index, &last, err);
    if (code == PT_OK) {
        code = statement_store_height_of(&index, tree_store_size(committer->tree), &height, err);
        if (code == PT_NOT_FOUND) code = PT_OK;  // no leaves at all
    }
    for (height = height ? height : 1; code == PT_OK && height <= last; height++) {
        struct side_height place;
        PT_CLEANUP(chain_height_free) struct chain_height record = {0};
        PT_CLEANUP(block_free) struct block block = {0};
        struct chain_entry entry;
        code = statement_store_height(&index, height, &place, err);
        if (code != PT_OK || place.first_leaf + place.leaf_count <= tree_store_size(committer->tree)) continue;
        code = chain_store_read(committer->chain, &place.position, &record, err);
        if (code == PT_OK) code = chain_entry_decode(record.entry, &entry, err);
        if (code == PT_OK) code = block_decode(pt_buf_bytes(&record.block), &block, err);
        uint64_t leaf = place.first_leaf;
        for (size_t i = 0; code == PT_OK && i < entry.results.len; i++) {
            if (!statement_result_logged((enum statement_result)entry.results.data[i])) continue;
            const struct pt_digest hash = merkle_leaf_hash(pt_bytes_digest(&block.statement_ids[i]));
            if (leaf++ == tree_store_size(committer->tree)) code = tree_store_append(committer->tree, &hash, 1, err);
        }
    }
    index.close(&index);
    return code;
}

static enum pt_code find_start(struct replay *replay, struct pt_journal_position *position, bool *from_start, struct pt_error *err) {
    struct side_height place;
    *from_start = replay->committed == 0;
    if (*from_start) return PT_OK;
    const enum pt_code code = statement_store_height(&replay->index, replay->committed, &place, err);
    *position = place.position;
    return code;
}

static enum pt_code run(struct replay *replay, struct pt_error *err) {
    const struct replay_parts *parts = replay->parts;
    struct merkle_frontier tree;
    struct pt_journal_position before;
    bool from_start;
    enum pt_code code = tree_store_frontier(parts->committer->tree, tree_store_size(parts->committer->tree), &tree, err);
    const struct executor_parts executor_parts = {.genesis = parts->genesis, .index = &replay->index, .statements = parts->statements,
                                                  .keys = parts->keys, .env = parts->env, .cache_records = parts->cache_records,
                                                  .committed = committed, .wait_committed = wait_committed, .ctx = replay};
    if (code == PT_OK) code = executor_new(&executor_parts, &tree, &replay->executor, err);
    if (code == PT_OK) code = find_start(replay, &before, &from_start, err);
    if (code == PT_OK) code = chain_store_replay(parts->committer->chain, from_start ? NULL : &before, visit, replay, err);
    if (code == PT_UNAVAILABLE && parts->too_new && parts->too_new->code != PT_OK) code = PT_OK;
    if (code == PT_OK) code = flush(replay, err);
    drop_items(replay);
    executor_free(replay->executor);
    return code;
}

enum pt_code replay_index(const struct replay_parts *parts,
                          enum pt_code (*each)(void *arg, uint64_t height, const struct chain_height *record,
                                               const struct sealed_height *sealed, struct pt_error *err),
                          void *arg, struct pt_error *err) {
    struct replay replay = {.parts = parts, .each = each, .arg = arg};
    struct index_store *index = parts->committer->index;
    if (parts->too_new) *parts->too_new = (struct pt_error){0};
    enum pt_code code = put_genesis(parts, err);
    if (code == PT_OK) code = index->reader(index, &replay.index, err);
    if (code != PT_OK) return code;
    code = replay.index.height(&replay.index, &replay.committed, err);
    if (code == PT_OK) code = replay_tree(parts, err);
    if (code == PT_OK) code = run(&replay, err);
    replay.index.close(&replay.index);
    return code;
}
