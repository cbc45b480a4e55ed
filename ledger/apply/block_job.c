#include "ledger/apply/block_job.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "ledger/store/chain_store.h"

#define CHUNK 32u  // statements; small enough to share a block's work out evenly
#define ACTOR_BYTES_MAX ((size_t)8192)

enum pt_code block_job_new(struct pt_bytes bytes, uint64_t snapshot, struct block_job **out, struct pt_error *err) {
    *out = NULL;
    if (bytes.len > BLOCK_MAX) return pt_fail(err, PT_LIMIT, NULL, "a block has at most %zu bytes", BLOCK_MAX);
    struct block_job *job = calloc(1, sizeof *job);
    if (!job) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    pt_buf_init(&job->bytes, BLOCK_MAX);
    pt_buf_init(&job->compressed, 2 * BLOCK_MAX);
    pt_buf_append_bytes(&job->bytes, bytes);
    job->snapshot = snapshot;
    if (job->bytes.failed) {
        block_job_free(job);
        return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    }
    *out = job;
    return PT_OK;
}

void block_job_free(struct block_job *job) {
    if (!job) return;
    for (size_t i = 0; job->statements && i < job->block.header.count; i++) statement_input_free(&job->statements[i].input);
    for (size_t i = 0; job->arenas && i < job->chunk_count; i++) pt_arena_free(&job->arenas[i]);
    free(job->statements);
    free(job->arenas);
    block_free(&job->block);
    pt_buf_free(&job->bytes);
    pt_buf_free(&job->compressed);
    free(job);
}

// NULL: nobody is enrolled so, as far as this thread can see.
static const struct verify_key *find_key(struct job_context *context, const struct pt_digest *kid) {
    const struct verify_key *key = key_ring_find(context->keys, kid);
    if (key) return key;
    PT_CLEANUP(pt_buf_free) struct pt_buf value = PT_BUF_INIT(ACTOR_BYTES_MAX);
    PT_CLEANUP(actor_free) struct actor actor = {0};
    if (context->index->get(context->index, STATE_ACTOR, pt_bytes_digest(kid), &value, NULL) != PT_OK) return NULL;
    if (actor_decode(pt_buf_bytes(&value), &actor, NULL) != PT_OK) return NULL;
    return key_ring_add(context->keys, &actor, &key, NULL) == PT_OK ? key : NULL;
}

void block_job_open(struct block_job *job, struct job_context *context) {
    job->code = block_decode(pt_buf_bytes(&job->bytes), &job->block, &job->error);
    if (job->code != PT_OK) return;
    if (!pt_digest_equal(&job->block.genesis, context->genesis)) {
        job->code = pt_fail(&job->error, PT_UNVERIFIED, NULL, "the block is for another ledger");
        return;
    }
    if (!job->trusted) {
        const struct verify_key *key = find_key(context, &job->block.header.gateway);
        if (!key) return;  // it may be enrolled by a block before this one: the executor asks again
        job->code = block_verify(&job->block, key, context->genesis, &job->error);
        job->gateway_signature = job->code == PT_OK ? SIGNATURE_GOOD : SIGNATURE_BAD;
        if (job->code != PT_OK) return;
    }
    job->gateway_signature = SIGNATURE_GOOD;
    const size_t count = (size_t)job->block.header.count;
    job->statements = calloc(count, sizeof *job->statements);
    job->arenas = calloc((count + CHUNK - 1) / CHUNK, sizeof *job->arenas);
    if (job->statements && job->arenas) job->chunk_count = (count + CHUNK - 1) / CHUNK;
    else job->code = pt_fail(&job->error, PT_NO_MEMORY, NULL, "out of memory");
}

struct before {
    struct pt_arena *arena;
    struct job_value *values;
};

static enum pt_code keep_value(void *arg, size_t index, bool found, struct pt_bytes value) {
    const struct before *before = arg;
    uint8_t *copy = found ? pt_arena_alloc(before->arena, 1, value.len + 1) : NULL;
    if (found && !copy) return PT_NO_MEMORY;
    if (value.len > 0) memcpy(copy, value.data, value.len);
    before->values[index] = (struct job_value){found, pt_bytes_of(copy, value.len)};
    return PT_OK;
}

// Reads ahead what the event's packs have in the index. Nothing is lost when it fails: the executor reads itself.
static void read_before(struct job_statement *item, struct job_context *context, struct pt_arena *arena) {
    const size_t count = item->input.input.pack_count;
    if (count == 0) return;
    struct pt_bytes *keys = pt_arena_alloc(arena, count, sizeof *keys);
    struct before before = {arena, pt_arena_alloc(arena, count, sizeof(struct job_value))};
    if (!keys || !before.values) return;
    for (size_t i = 0; i < count; i++) keys[i] = item->input.input.packs[i].key;
    if (context->index->get_many(context->index, STATE_PACK, keys, count, keep_value, &before, NULL) == PT_OK)
        item->before = before.values;
}

static void check_statement(struct block_job *job, size_t index, struct job_context *context, struct pt_arena *arena) {
    struct job_statement *item = &job->statements[index];
    struct pt_error ignored;
    item->decoded = statement_decode(job->block.statements[index], &item->statement, &ignored) == PT_OK;
    if (!item->decoded) return;
    item->leaf = merkle_leaf_hash(pt_bytes_digest(&job->block.statement_ids[index]));
    if (!job->trusted) {
        const struct verify_key *key = find_key(context, &item->statement.kid);
        if (key)
            item->signature = statement_verify(&item->statement, key, context->genesis, &ignored) == PT_OK ? SIGNATURE_GOOD
                                                                                                             : SIGNATURE_BAD;
        if (item->signature == SIGNATURE_BAD) return;
    }
    item->input_code = statement_input_decode(&item->statement, arena, &item->input, &ignored);
    item->input.input.id = job->block.statement_ids[index];
    if (item->input_code == PT_OK) read_before(item, context, arena);
}

void block_job_chunk(struct block_job *job, struct job_context *context, size_t chunk) {
    const size_t from = chunk * CHUNK, count = (size_t)job->block.header.count;
    const size_t to = from + CHUNK < count ? from + CHUNK : count;
    const bool viewing = context->index->begin(context->index, NULL) == PT_OK;  // one view for all: cheaper
    for (size_t i = from; i < to; i++) check_statement(job, i, context, &job->arenas[chunk]);
    if (viewing) context->index->end(context->index);
}

void block_job_compress(struct block_job *job) {
    struct pt_error err;
    if (chain_block_compress(pt_buf_bytes(&job->bytes), &job->compressed, &err) == PT_OK) return;
    job->code = PT_NO_MEMORY;
    job->error = err;
}

void block_job_check(struct block_job *job, struct job_context *context) {
    block_job_open(job, context);
    for (size_t i = 0; i < job->chunk_count; i++) block_job_chunk(job, context, i);
    if (job->code == PT_OK && job->chunk_count > 0 && !job->trusted) block_job_compress(job);
}
