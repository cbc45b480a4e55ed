#include "ledger/apply/trials.h"

#include <pthread.h>
#include <stdlib.h>

// A chunk is what one thread takes at a time: enough to be worth taking, little enough to share a block out evenly.
#define CHUNK_WEIGHT 64u
#define PACKS_A_WEIGHT 8u    // packs that weigh as much as the statement around them
#define CHUNKS_MOST 256u
#define REST_MOST 64u        // settlings without trials after trials that were in vain
#define HELPERS_ALWAYS 3u    // asked for when whether somebody is idle does not matter
#define ARENA_MOST ((size_t)256 * 1024 * 1024)

struct chunk {
    size_t from, to;
};

// What the threads share; the last one frees it. A thread that comes late finds nothing left to take, and nothing else
// of the batch is there any more.
struct batch {
    pthread_mutex_t mutex;
    pthread_cond_t finished;
    size_t next, done, chunk_count;
    unsigned holders;
    struct chunk chunks[CHUNKS_MOST];
    struct pt_arena *arenas;  // one a chunk
    const struct contract_scene *scene;
    const struct state_view_source *source;
    struct due_statement *due;
};

struct trials {
    struct worker_pool *pool;
    struct job_context *own;
    enum ledger_trials when;
    struct pt_arena arenas[CHUNKS_MOST];
    size_t used;
    unsigned rest, next_rest;
};

enum pt_code trials_new(struct worker_pool *pool, struct job_context *own, enum ledger_trials when, struct trials **out,
                        struct pt_error *err) {
    struct trials *trials = calloc(1, sizeof *trials);
    *out = trials;
    if (!trials) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    trials->pool = pool;
    trials->own = own;
    trials->when = when;
    for (size_t i = 0; i < CHUNKS_MOST; i++) trials->arenas[i].ceiling = ARENA_MOST;
    return PT_OK;
}

void trials_free(struct trials *trials) {
    if (!trials) return;
    for (size_t i = 0; i < CHUNKS_MOST; i++) pt_arena_free(&trials->arenas[i]);
    free(trials);
}

enum pt_code due_statement_run(const struct due_statement *due, const struct contract_scene *scene, struct state_view *view,
                               struct pt_arena *arena, struct contract_output *output, struct pt_error *err) {
    const struct contract_context context = {.signer = due->signer, .leaf_index = due->leaf, .height = scene->height,
                                             .chain_time = scene->time, .profile = scene->profile,
                                             .rule_version = scene->rules->version, .settings = &scene->rules->settings,
                                             .arena = arena};
    *output = (struct contract_output){.result = RESULT_APPLIED};
    for (size_t i = 0; due->before && i < due->input->pack_count; i++) {
        const struct job_value *before = &due->before[i];
        const enum pt_code code = state_view_expect(view, STATE_PACK, due->input->packs[i].key, before->found, before->value, due->snapshot, err);
        if (code != PT_OK) return code;
    }
    return contracts_run(view, due->input, &context, output, err);
}

// What goes wrong in a trial is no matter: settling runs the statement again and says it.
static void try_one(const struct batch *batch, struct due_statement *due, struct state_view *view, struct pt_arena *arena) {
    due->trial.done = false;
    if (due->input_code != PT_OK) return;
    state_view_try(view, batch->source, batch->scene->height, arena);
    enum pt_code code = due_statement_run(due, batch->scene, view, arena, &due->trial.output, NULL);
    if (code == PT_OK) code = state_view_touches(view, arena, &due->trial.touches, &due->trial.touch_count, NULL);
    due->trial.done = code == PT_OK;
    state_view_discard(view);
}

static void try_chunk(const struct batch *batch, size_t number, struct job_context *context) {
    struct state_view_source source = *batch->source;
    struct batch own = *batch;
    source.index = context->index;
    own.source = &source;
    const bool viewing = source.index->begin(source.index, NULL) == PT_OK;  // one view for all: cheaper
    for (size_t i = batch->chunks[number].from; i < batch->chunks[number].to; i++)
        try_one(&own, &batch->due[i], context->view, &batch->arenas[number]);
    if (viewing) source.index->end(source.index);
}

static bool take(struct batch *batch, size_t *number) {
    pthread_mutex_lock(&batch->mutex);
    const bool any = batch->next < batch->chunk_count;
    if (any) *number = batch->next++;
    pthread_mutex_unlock(&batch->mutex);
    return any;
}

static void help(struct batch *batch, struct job_context *context) {
    for (size_t number; take(batch, &number);) {
        try_chunk(batch, number, context);
        pthread_mutex_lock(&batch->mutex);
        if (++batch->done == batch->chunk_count) pthread_cond_signal(&batch->finished);
        pthread_mutex_unlock(&batch->mutex);
    }
}

static void let_go(struct batch *batch, unsigned holds) {
    pthread_mutex_lock(&batch->mutex);
    batch->holders -= holds;
    const bool last = batch->holders == 0;
    pthread_mutex_unlock(&batch->mutex);
    if (!last) return;
    pthread_mutex_destroy(&batch->mutex);
    pthread_cond_destroy(&batch->finished);
    free(batch);
}

static void help_task(void *context, void *task, unsigned part) {
    (void)part;
    help(task, context);
    let_go(task, 1);
}

static void cut_into_chunks(struct batch *batch, size_t count) {
    size_t weight = 0, total = 0;
    for (size_t i = 0; i < count; i++) total += 1 + batch->due[i].input->pack_count / PACKS_A_WEIGHT;
    const size_t wanted = total / CHUNKS_MOST >= CHUNK_WEIGHT ? total / (CHUNKS_MOST - 1) + 1 : CHUNK_WEIGHT;
    batch->chunks[0] = (struct chunk){0, 0};
    for (size_t i = 0; i < count; i++) {
        weight += 1 + batch->due[i].input->pack_count / PACKS_A_WEIGHT;
        batch->chunks[batch->chunk_count].to = i + 1;
        if (weight < wanted && i + 1 < count) continue;
        batch->chunk_count++;
        weight = 0;
        if (i + 1 < count) batch->chunks[batch->chunk_count] = (struct chunk){i + 1, i + 1};
    }
}

// Whether somebody is there to share the work: while all threads check signatures there is nothing to gain.
static bool worth_while(struct trials *trials) {
    if (trials->when == LEDGER_TRIALS_ALWAYS) return true;
    if (trials->when == LEDGER_TRIALS_NEVER || worker_pool_idle(trials->pool) == 0) return false;
    if (trials->rest == 0) return true;
    trials->rest--;
    return false;
}

static void run_batch(struct trials *trials, struct batch *batch) {
    const unsigned idle = trials->when == LEDGER_TRIALS_ALWAYS ? HELPERS_ALWAYS : worker_pool_idle(trials->pool);
    const unsigned helpers = idle < batch->chunk_count ? idle : (unsigned)batch->chunk_count - 1;
    batch->holders = 1 + helpers;
    if (helpers > 0 && worker_pool_queue_first(trials->pool, help_task, batch, helpers, NULL) != PT_OK) let_go(batch, helpers);
    help(batch, trials->own);
    pthread_mutex_lock(&batch->mutex);
    while (batch->done < batch->chunk_count) pthread_cond_wait(&batch->finished, &batch->mutex);
    pthread_mutex_unlock(&batch->mutex);
    trials->used = batch->chunk_count;
}

void trials_run(struct trials *trials, const struct contract_scene *scene, const struct state_view_source *source,
                struct due_statement *due, size_t count) {
    if (count < 2 || !worth_while(trials)) return;
    struct batch *batch = calloc(1, sizeof *batch);
    if (!batch) return;
    pthread_mutex_init(&batch->mutex, NULL);
    pthread_cond_init(&batch->finished, NULL);
    batch->arenas = trials->arenas;
    batch->scene = scene;
    batch->source = source;
    batch->due = due;
    batch->holders = 1;
    cut_into_chunks(batch, count);
    if (batch->chunk_count > 1 || trials->when == LEDGER_TRIALS_ALWAYS) run_batch(trials, batch);
    let_go(batch, 1);
}

void trials_clear(struct trials *trials, size_t stood, size_t repeated) {
    if (trials->used == 0) return;
    for (size_t i = 0; i < trials->used; i++) pt_arena_reset(&trials->arenas[i]);
    trials->used = 0;
    // Traffic that goes round few records makes most trials vain: less and less is tried, until they pay again.
    trials->next_rest = repeated <= stood ? 0 : trials->next_rest ? trials->next_rest * 2 : 1;
    if (trials->next_rest > REST_MOST) trials->next_rest = REST_MOST;
    trials->rest = trials->next_rest;
}
