#include "ledger/apply/executor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/crypto/digest.h"
#include "ledger/apply/executor_internal.h"
#include "ledger/state/varint.h"

#define ACTOR_BYTES_MAX ((size_t)8192)

static enum pt_code no_memory(struct pt_error *err) { return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory"); }

void sealed_height_free(struct sealed_height *sealed) {
    if (!sealed) return;
    pt_arena_free(&sealed->arena);
    pt_buf_free(&sealed->entry);
    pt_buf_free(&sealed->co_signature);
    free(sealed);
}

static struct sealed_height *new_sealed(uint64_t height, pt_millis time) {
    struct sealed_height *sealed = calloc(1, sizeof *sealed);
    if (!sealed) return NULL;
    sealed->height = height;
    sealed->time = time;
    sealed->arena.ceiling = (size_t)512 * 1024 * 1024;
    pt_buf_init(&sealed->entry, ENTRY_MAX);
    pt_buf_init(&sealed->co_signature, 4096);
    return sealed;
}

static int by_bytes(const void *a, const void *b) { return memcmp(a, b, PT_DIGEST_SIZE); }

// SHA-256 over the executors' kids in order. A set of none is impossible; memory for it is small.
struct pt_digest executor_member_set(const struct genesis *genesis) {
    PT_CLEANUP(pt_buf_free) struct pt_buf kids = PT_BUF_INIT((size_t)1024 * 1024);
    for (size_t i = 0; i < genesis->actor_count; i++)
        if (genesis->actors[i].role == ACTOR_EXECUTOR) pt_buf_append_bytes(&kids, pt_bytes_digest(&genesis->actors[i].kid));
    if (kids.len > 0) qsort(kids.data, kids.len / PT_DIGEST_SIZE, PT_DIGEST_SIZE, by_bytes);
    return sha256(pt_buf_bytes(&kids));
}

// --- The beginning ---

static enum pt_code genesis_change(struct sealed_height *sealed, unsigned table, struct pt_bytes key, struct pt_bytes value,
                                   struct pt_error *err) {
    uint8_t *copy = pt_arena_alloc(&sealed->arena, 1, key.len + value.len + 1);
    if (!copy) return no_memory(err);
    memcpy(copy, key.data, key.len);
    if (value.len > 0) memcpy(copy + key.len, value.data, value.len);
    sealed->changes[sealed->change_count++] = (struct state_change){.table = (enum state_table)table,
                                                                    .key = pt_bytes_of(copy, key.len),
                                                                    .value = pt_bytes_of(copy + key.len, value.len)};
    return PT_OK;
}

static enum pt_code genesis_actor(struct sealed_height *sealed, const struct actor *actor, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf value = PT_BUF_INIT(ACTOR_BYTES_MAX);
    enum pt_code code = actor_encode(actor, &value, err);
    if (code == PT_OK) code = genesis_change(sealed, STATE_ACTOR, pt_bytes_digest(&actor->kid), pt_buf_bytes(&value), err);
    return code == PT_OK ? genesis_change(sealed, INDEX_TLS, pt_bytes_digest(&actor->tls), pt_bytes_digest(&actor->kid), err) : code;
}

enum pt_code executor_genesis(const struct genesis *genesis, struct sealed_height **out, struct pt_error *err) {
    struct sealed_height *sealed = new_sealed(0, genesis->time);
    *out = NULL;
    if (!sealed) return no_memory(err);
    sealed->entry_digest = genesis->hash;
    sealed->tree_root = merkle_empty_root();
    sealed->changes = pt_arena_alloc(&sealed->arena, genesis->actor_count * 2 + 2, sizeof *sealed->changes);
    enum pt_code code = sealed->changes ? PT_OK : no_memory(err);
    for (size_t i = 0; code == PT_OK && i < genesis->actor_count; i++) code = genesis_actor(sealed, &genesis->actors[i], err);
    PT_CLEANUP(pt_buf_free) struct pt_buf version = PT_BUF_INIT(16);
    varint_put(&version, genesis->rule_version);
    if (code == PT_OK) code = genesis_change(sealed, STATE_RULES, pt_bytes_str("version"), pt_buf_bytes(&version), err);
    if (code == PT_OK) code = genesis_change(sealed, STATE_RULES, pt_bytes_str("profile"), pt_bytes_str(genesis->profile), err);
    sealed->rule_version = genesis->rule_version;
    if (code == PT_OK && genesis->rule_version == 0) code = pt_fail(err, PT_INVALID, "/rule-version", "there is no rule version 0");
    if (code == PT_OK) code = rules_known(genesis->rule_version, 1, err);
    if (code != PT_OK) {
        sealed_height_free(sealed);
        return code;
    }
    state_changes_sort(sealed->changes, sealed->change_count);
    *out = sealed;
    return PT_OK;
}

static enum pt_code load_position(struct executor *executor, struct pt_error *err) {
    struct index_reader *index = executor->parts.index;
    struct side_height place;
    enum pt_code code = index->height(index, &executor->height, err);
    executor->time = executor->parts.genesis->time;
    executor->head = executor->parts.genesis->hash;
    if (code == PT_OK && executor->height > 0) {
        code = statement_store_height(index, executor->height, &place, err);
        executor->time = place.time;
        executor->head = place.entry;
    }
    if (code == PT_OK) code = rules_in_force_load(index, &executor->rules, err);
    return code == PT_OK ? executor_load_held(executor, err) : code;
}

enum pt_code executor_new(const struct executor_parts *parts, const struct merkle_frontier *tree, struct executor **out,
                          struct pt_error *err) {
    struct executor *executor = calloc(1, sizeof *executor);
    *out = NULL;
    if (!executor) return no_memory(err);
    executor->parts = *parts;
    executor->jobs = (struct job_context){.index = parts->index, .keys = parts->keys, .genesis = &parts->genesis->hash};
    executor->tree = *tree;
    executor->member_set = executor_member_set(parts->genesis);
    executor->scratch.ceiling = (size_t)256 * 1024 * 1024;
    pt_buf_init(&executor->buffer, SIDE_LINKS_MAX);
    const size_t records = parts->cache_records ? parts->cache_records : 200000;
    enum pt_code code = state_cache_new(records, parts->env, &executor->cache, err);
    const struct state_view_source source = {executor->cache, parts->index, parts->committed, parts->ctx};
    if (code == PT_OK) code = state_view_new(&source, &executor->view, err);
    if (code == PT_OK) code = state_view_new(NULL, &executor->trial_view, err);
    if (code == PT_OK && parts->pool) code = trials_new(parts->pool, &executor->jobs, parts->trials, &executor->trials, err);
    executor->jobs.view = executor->trial_view;
    if (code == PT_OK) code = roster_new(parts->env, &executor->roster, err);
    if (code == PT_OK) code = load_position(executor, err);
    if (code != PT_OK) {
        executor_free(executor);
        return code;
    }
    *out = executor;
    return PT_OK;
}

void executor_free(struct executor *executor) {
    if (!executor) return;
    trials_free(executor->trials);
    state_view_free(executor->view);
    state_view_free(executor->trial_view);
    state_cache_free(executor->cache);
    roster_free(executor->roster);
    rules_in_force_free(&executor->rules);
    pt_arena_free(&executor->scratch);
    pt_buf_free(&executor->buffer);
    free(executor->held);
    free(executor->due);
    free(executor);
}

void executor_trim(struct executor *executor, uint64_t snapshot) {
    const uint64_t committed = executor->parts.committed(executor->parts.ctx);
    state_cache_sweep(executor->cache, snapshot < committed ? snapshot : committed);
    roster_trim(executor->roster);
}

// --- One block ---

static enum pt_code ignored(struct executor_answer *answer, enum pt_code code, const char *reason) {
    answer->verdict = VERDICT_IGNORED;
    answer->code = code;
    snprintf(answer->reason, sizeof answer->reason, "%s", reason);
    return PT_OK;
}

static enum pt_code duplicate(struct executor *executor, struct executor_answer *answer, struct pt_error *err) {
    const struct block_header *header = &executor->job->block.header;
    uint8_t key[SIDE_BLOCK_KEY];
    struct pt_bytes value;
    bool found;
    side_block_key(&header->gateway, header->sequence, key);
    const enum pt_code code = executor_get(executor, INDEX_BLOCK, pt_bytes_of(key, sizeof key), &value, &found, err);
    if (code != PT_OK) return code;
    if (!found || value.len < PT_DIGEST_SIZE) return pt_fail(err, PT_UNVERIFIED, "index", "a gateway's block is missing");
    const struct pt_bytes rest = pt_bytes_of(value.data + PT_DIGEST_SIZE, value.len - PT_DIGEST_SIZE);
    struct pt_bytes number = rest;
    if (!varint_get(&number, &answer->height)) return pt_fail(err, PT_UNVERIFIED, "index", "a gateway's block is damaged");
    if (memcmp(value.data, executor->job->block.digest.bytes, PT_DIGEST_SIZE) != 0) {
        answer->height = 0;
        return ignored(answer, PT_CONFLICT, "another block of this gateway has this sequence number");
    }
    answer->verdict = VERDICT_DUPLICATE;
    return PT_OK;
}

static enum pt_code put_block_key(struct executor *executor, struct pt_error *err) {
    const struct block *block = &executor->job->block;
    uint8_t key[SIDE_BLOCK_KEY];
    side_block_key(&block->header.gateway, block->header.sequence, key);
    PT_CLEANUP(pt_buf_free) struct pt_buf value = PT_BUF_INIT(64);
    pt_buf_append_bytes(&value, pt_bytes_digest(&block->digest));
    varint_put(&value, executor->sealed->height);
    return executor_put(executor, INDEX_BLOCK, pt_bytes_of(key, sizeof key), pt_buf_bytes(&value), err);
}

static enum pt_code begin_height(struct executor *executor, pt_millis now, struct pt_error *err) {
    const size_t count = (size_t)executor->job->block.header.count;
    executor->now = now > executor->time ? now : executor->time;
    struct sealed_height *sealed = executor->sealed = new_sealed(executor->height + 1, executor->now);
    executor->side_cap = 0;
    if (!sealed) return no_memory(err);
    sealed->first_leaf = executor->tree.size;
    sealed->leaves = pt_arena_alloc(&sealed->arena, count + 1, sizeof *sealed->leaves);
    sealed->results = pt_arena_alloc(&sealed->arena, count + 1, 1);
    executor->leaf_items = pt_arena_alloc(&sealed->arena, count + 1, sizeof *executor->leaf_items);
    return sealed->leaves && sealed->results && executor->leaf_items ? PT_OK : no_memory(err);
}

static enum pt_code index_tls_keys(struct executor *executor, struct pt_error *err) {
    const struct sealed_height *sealed = executor->sealed;
    for (size_t i = 0; i < sealed->state_count && sealed->changes[i].table <= STATE_ACTOR; i++) {
        PT_CLEANUP(actor_free) struct actor actor = {0};
        if (sealed->changes[i].table != STATE_ACTOR) continue;
        enum pt_code code = actor_decode(sealed->changes[i].value, &actor, err);
        if (code == PT_OK) code = executor_side(executor, INDEX_TLS, pt_bytes_digest(&actor.tls), pt_bytes_digest(&actor.kid), err);
        if (code != PT_OK) return code;
    }
    return PT_OK;
}

static enum pt_code collect_changes(struct executor *executor, struct pt_error *err) {
    struct sealed_height *sealed = executor->sealed;
    bool failed;
    sealed->changes = state_cache_take_changes(executor->cache, &sealed->arena, &sealed->change_count, &failed);
    if (failed) return no_memory(err);
    while (sealed->state_count < sealed->change_count && (unsigned)sealed->changes[sealed->state_count].table < INDEX_FIRST_SIDE_TABLE)
        sealed->pack_count += sealed->changes[sealed->state_count++].table == STATE_PACK;
    enum pt_code code = index_tls_keys(executor, err);
    if (code == PT_OK) code = rules_follow(&executor->rules, sealed->changes, sealed->state_count, err);
    if (code == PT_OK && sealed->side_count > 0) state_changes_sort(sealed->side, sealed->side_count);
    return code;
}

static enum pt_code write_entry(struct executor *executor, struct pt_error *err) {
    struct sealed_height *sealed = executor->sealed;
    const struct genesis *genesis = executor->parts.genesis;
    for (size_t i = 0; i < sealed->leaf_count; i++) merkle_append(&executor->tree, &sealed->leaves[i]);
    sealed->tree_size = executor->tree.size;
    sealed->tree_root = merkle_root(&executor->tree);
    const struct chain_entry entry = {
        .genesis = genesis->hash,
        .height = sealed->height,
        .previous = executor->head,
        .block = executor->job->block.digest,
        .results = pt_bytes_of(sealed->results, sealed->result_count),
        .time = sealed->time,
        .tree_size = sealed->tree_size,
        .tree_root = sealed->tree_root,
        .member_set = executor->member_set,
        .rule_version = sealed->rule_version,
        .state_changes = state_changes_digest(sealed->changes, sealed->state_count),
        .block_result = sealed->block_result,
    };
    enum pt_code code = chain_entry_encode(&entry, &sealed->entry, err);
    if (code != PT_OK) return code;
    sealed->entry_digest = chain_entry_digest(pt_buf_bytes(&sealed->entry));
    if (executor->parts.signer)
        code = co_signature_sign(executor->parts.signer, &genesis->hash, 0, sealed->height, &sealed->entry_digest,
                                 &sealed->co_signature, err);
    return code;
}

static enum pt_code seal(struct executor *executor, pt_millis now, struct pt_error *err) {
    const struct block *block = &executor->job->block;
    struct key_chain chain;
    enum pt_code code = begin_height(executor, now, err);
    if (code == PT_OK) code = executor_take_rules(executor, err);
    if (code == PT_OK) executor->sealed->rule_version = executor->rules.version;
    if (code == PT_OK) code = executor_chain(executor, &block->header.gateway, &chain, err);
    if (code != PT_OK) return code;
    if (pt_digest_equal(&chain.head, &block->header.previous)) {
        executor->sealed->result_count = (size_t)block->header.count;
        for (size_t i = 0; code == PT_OK && i < block->header.count; i++) code = executor_statement(executor, i, err);
        if (code == PT_OK) code = executor_time_out_gaps(executor, err);
    } else {
        executor->sealed->block_result = BLOCK_WRONG_PREVIOUS;
    }
    if (code == PT_OK) code = executor_settle(executor, err);
    chain = (struct key_chain){block->header.sequence + 1, block->digest};
    if (code == PT_OK) code = executor_set_chain(executor, &block->header.gateway, &chain, err);
    if (code == PT_OK) code = put_block_key(executor, err);
    if (code == PT_OK) code = collect_changes(executor, err);
    return code == PT_OK ? write_entry(executor, err) : code;
}

// Whether the block may be taken at all, and now.
static enum pt_code admit(struct executor *executor, struct executor_answer *answer, struct pt_error *err) {
    struct block_job *job = executor->job;
    const struct block_header *header = &job->block.header;
    const struct actor *gateway;
    struct key_chain chain;
    if (job->code == PT_NO_MEMORY) return no_memory(err);
    if (job->code != PT_OK) return ignored(answer, job->code, job->error.what);
    enum pt_code code = executor_actor(executor, &header->gateway, &gateway, err);
    if (code != PT_OK) return code;
    if (!gateway || (gateway->role != ACTOR_GATEWAY && gateway->role != ACTOR_EXECUTOR))
        return ignored(answer, PT_FORBIDDEN, "the block's signer is not enrolled as a gateway");
    if (job->gateway_signature == SIGNATURE_UNCHECKED) {
        const struct verify_key *key;
        code = key_ring_add(executor->parts.keys, gateway, &key, err);
        if (code != PT_OK) return code;
        job->snapshot = executor->parts.committed(executor->parts.ctx);
        block_job_check(job, &executor->jobs);
        if (job->code != PT_OK) return ignored(answer, job->code, job->error.what);
    }
    if (gateway->revoked && header->sequence > gateway->last_trusted)
        return ignored(answer, PT_FORBIDDEN, "the gateway's key is revoked");
    code = executor_chain(executor, &header->gateway, &chain, err);
    answer->expected = chain.next;
    if (code != PT_OK || header->sequence == chain.next) return code;
    if (header->sequence < chain.next) return duplicate(executor, answer, err);
    answer->verdict = VERDICT_AHEAD;
    return PT_OK;
}

enum pt_code executor_take(struct executor *executor, struct block_job *job, pt_millis now, struct pt_bytes expected,
                           struct executor_answer *answer, struct sealed_height **sealed, struct pt_error *err) {
    struct chain_entry entry = {0};
    *answer = (struct executor_answer){.verdict = VERDICT_SEALED};
    *sealed = NULL;
    executor->job = job;
    executor->due_count = 0;
    enum pt_code code = expected.len > 0 ? chain_entry_decode(expected, &entry, err) : PT_OK;
    executor->expected_results = entry.results;
    if (code == PT_OK) code = admit(executor, answer, err);
    if (code != PT_OK || answer->verdict != VERDICT_SEALED) return code;
    code = executor_ready(executor, err);
    if (code == PT_UNAVAILABLE) {
        const enum pt_code written = executor->parts.wait_committed(executor->parts.ctx, executor->height, err);
        return written == PT_OK ? executor_ready(executor, err) : written;
    }
    if (code == PT_OK) code = seal(executor, now, err);
    if (code == PT_OK && expected.len > 0 && !pt_bytes_equal(pt_buf_bytes(&executor->sealed->entry), expected))
        code = pt_fail(err, PT_UNVERIFIED, "chain", "height %llu comes out otherwise than its entry says",
                       (unsigned long long)executor->sealed->height);
    struct sealed_height *done = executor->sealed;
    executor->sealed = NULL;
    if (code != PT_OK) {
        sealed_height_free(done);
        return code;
    }
    executor->height = done->height;
    executor->time = done->time;
    executor->head = done->entry_digest;
    answer->height = done->height;
    answer->expected = job->block.header.sequence + 1;
    *sealed = done;
    return PT_OK;
}
