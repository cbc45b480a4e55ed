// The way of a block: taken (any thread) -> looked at (workers) -> decided in order (one thread) -> written, several at
// once (one thread) -> answered. While one height is being written the next ones are looked at and decided.
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "ledger/ledger_internal.h"

#define WAITING_BLOCKS 64u
#define AHEAD_BLOCKS 8u
#define UNWRITTEN_MOST 32u  // heights decided and not yet written
#define GROUP_MOST 64u      // heights written together

// --- Looked at ---

static void job_done(struct ledger *ledger, struct block_job *job) {
    pthread_mutex_lock(&ledger->mutex);
    job->ready = true;
    pthread_cond_signal(&ledger->job_ready);
    pthread_mutex_unlock(&ledger->mutex);
}

struct task {
    struct ledger *ledger;
    struct block_job *job;
};

static void part_task(void *worker, void *arg, unsigned part) {
    struct job_context *context = worker;
    struct task *task = arg;
    struct block_job *job = task->job;
    if (part < job->chunk_count) block_job_chunk(job, context, part);
    else block_job_compress(job);
    if (atomic_fetch_sub(&job->remaining, 1) == 1) {
        struct ledger *ledger = task->ledger;
        free(task);
        job_done(ledger, job);
    }
}

static void open_task(void *worker, void *arg, unsigned part) {
    struct job_context *context = worker;
    struct task *task = arg;
    struct block_job *job = task->job;
    (void)part;
    block_job_open(job, context);
    if (job->code == PT_OK && job->chunk_count > 0) {
        const unsigned parts = (unsigned)job->chunk_count + 1;
        atomic_store(&job->remaining, parts);
        if (worker_pool_queue(task->ledger->pool, part_task, task, parts, NULL) == PT_OK) return;
        job->code = pt_fail(&job->error, PT_NO_MEMORY, NULL, "out of memory");
    }
    struct ledger *ledger = task->ledger;
    free(task);
    job_done(ledger, job);
}

// --- Taken ---

static enum pt_code refuse_now(struct ledger *ledger, struct pt_error *err) {
    if (ledger->failed) return pt_fail(err, PT_UNAVAILABLE, NULL, "the ledger stopped after an error: %s", ledger->failure.what);
    const unsigned most = ledger->options.waiting_blocks ? ledger->options.waiting_blocks : WAITING_BLOCKS;
    if (ledger->stopping) return pt_fail(err, PT_UNAVAILABLE, NULL, "the ledger is closing");
    if (ledger->counters.blocks_waiting >= most) return pt_fail(err, PT_UNAVAILABLE, NULL, "too many blocks wait; send it again later");
    return PT_OK;
}

enum pt_code ledger_submit_block(struct ledger *ledger, struct pt_bytes block, ledger_block_done *done, void *arg,
                                 struct pt_error *err) {
    struct block_job *job;
    struct task *task = malloc(sizeof *task);
    if (!task) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    pthread_mutex_lock(&ledger->mutex);
    const uint64_t height = ledger->status.height;
    enum pt_code code = refuse_now(ledger, err);
    pthread_mutex_unlock(&ledger->mutex);
    if (code == PT_OK) code = block_job_new(block, height, &job, err);
    if (code != PT_OK) {
        free(task);
        return code;
    }
    job->done = done;
    job->done_arg = arg;
    *task = (struct task){ledger, job};
    pthread_mutex_lock(&ledger->mutex);
    code = refuse_now(ledger, err);
    // Queued with the workers under the same lock, so that both queues have one order.
    if (code == PT_OK) code = worker_pool_queue(ledger->pool, open_task, task, 1, err);
    if (code == PT_OK) {
        job->snapshot = ledger->status.height;
        *ledger->last_job = job;
        ledger->last_job = &job->next;
        ledger->counters.blocks_waiting++;
    }
    pthread_mutex_unlock(&ledger->mutex);
    if (code != PT_OK) {
        free(task);
        block_job_free(job);
    }
    return code;
}

// --- Decided ---

static void push_outcome(struct ledger *ledger, struct outcome *outcome) {
    pthread_mutex_lock(&ledger->mutex);
    while (ledger->outcome_count >= UNWRITTEN_MOST && !ledger->failed) pthread_cond_wait(&ledger->written, &ledger->mutex);
    *ledger->last_outcome = outcome;
    ledger->last_outcome = &outcome->next;
    ledger->outcome_count++;
    pthread_cond_signal(&ledger->to_commit);
    pthread_mutex_unlock(&ledger->mutex);
}

static void fail(struct ledger *ledger, const struct pt_error *err) {
    pthread_mutex_lock(&ledger->mutex);
    if (!ledger->failed) {
        ledger->failed = ledger->status.failed = true;
        ledger->failure = *err;
        pt_log_error("ledger-stopped", err);
    }
    pthread_cond_broadcast(&ledger->written);
    pthread_mutex_unlock(&ledger->mutex);
}

// A block ahead of its turn is kept, but holds nothing else up: what was read for it is forgotten.
static void keep_ahead(struct ledger *ledger, struct block_job *job) {
    const unsigned most = ledger->options.ahead_blocks ? ledger->options.ahead_blocks : AHEAD_BLOCKS;
    const unsigned most_of_all = ledger->options.waiting_blocks ? ledger->options.waiting_blocks : WAITING_BLOCKS;
    unsigned kept = 0, all = 0;
    for (const struct ahead *other = ledger->ahead; other; other = other->next) {
        if (++all == most_of_all) kept = most;
        if (!pt_digest_equal(&other->job->block.header.gateway, &job->block.header.gateway)) continue;
        kept++;
        if (other->job->block.header.sequence == job->block.header.sequence) kept = most;
    }
    struct ahead *entry = kept < most ? calloc(1, sizeof *entry) : NULL;
    if (!entry) {
        block_job_free(job);
        return;
    }
    for (size_t i = 0; i < job->block.header.count; i++) job->statements[i].before = NULL;
    job->done = NULL;
    *entry = (struct ahead){ledger->ahead, job};
    ledger->ahead = entry;
}

static struct block_job *take_ahead(struct ledger *ledger, const struct pt_digest *gateway, uint64_t sequence) {
    for (struct ahead **at = &ledger->ahead; *at; at = &(*at)->next) {
        struct ahead *entry = *at;
        const struct block_header *header = &entry->job->block.header;
        if (header->sequence != sequence || !pt_digest_equal(&header->gateway, gateway)) continue;
        struct block_job *job = entry->job;
        *at = entry->next;
        free(entry);
        return job;
    }
    return NULL;
}

static void say(struct outcome *outcome, const struct executor_answer *answer, const struct block_job *job) {
    struct ledger_block_result *result = &outcome->result;
    *result = (struct ledger_block_result){.block = job->block.digest, .height = answer->height, .expected = answer->expected,
                                           .final = true, .reason = outcome->reason};
    switch (answer->verdict) {
    case VERDICT_DUPLICATE: result->outcome = LEDGER_BLOCK_DUPLICATE; return;
    case VERDICT_AHEAD:
        result->outcome = LEDGER_BLOCK_WAITING;
        result->final = false;
        return;
    case VERDICT_IGNORED:
        result->outcome = LEDGER_BLOCK_REFUSED;
        result->final = false;
        result->code = answer->code;
        memcpy(outcome->reason, answer->reason, sizeof answer->reason);
        return;
    case VERDICT_SEALED: break;
    }
    result->outcome = outcome->sealed->block_result == BLOCK_TAKEN ? LEDGER_BLOCK_APPLIED : LEDGER_BLOCK_REFUSED;
    result->results = pt_bytes_of(outcome->sealed->results, outcome->sealed->result_count);
    if (outcome->sealed->block_result == BLOCK_TAKEN) return;
    result->code = PT_CONFLICT;
    strcpy(outcome->reason, "does not name the gateway's block before it");
}

// Decides one job and passes the outcome on. *followed: the gateway's next block, if it was kept ahead.
static void decide(struct ledger *ledger, struct block_job *job, struct block_job **followed) {
    struct executor_answer answer;
    struct pt_error err = {0};
    struct outcome *outcome = calloc(1, sizeof *outcome);
    *followed = NULL;
    enum pt_code code = outcome ? PT_OK : pt_fail(&err, PT_NO_MEMORY, NULL, "out of memory");
    if (code == PT_OK) code = executor_take(ledger->executor, job, ledger->env->now(ledger->env->ctx), (struct pt_bytes){0}, &answer,
                                            &outcome->sealed, &err);
    if (code != PT_OK) {
        fail(ledger, &err);
        if (job->done) job->done(job->done_arg, code, NULL, &err);
        block_job_free(job);
        free(outcome);
        return;
    }
    const struct pt_digest gateway = job->block.header.gateway;
    say(outcome, &answer, job);
    outcome->job = job;
    if (answer.verdict == VERDICT_AHEAD) {
        struct block_job *shell = calloc(1, sizeof *shell);  // carries the answer; the block itself stays
        if (shell) {
            shell->done = job->done;
            shell->done_arg = job->done_arg;
            outcome->job = shell;
            keep_ahead(ledger, job);
        }
    }
    push_outcome(ledger, outcome);
    if (answer.verdict == VERDICT_SEALED) *followed = take_ahead(ledger, &gateway, answer.expected);
}

static uint64_t lowest_snapshot(struct ledger *ledger) {
    uint64_t lowest = UINT64_MAX;
    pthread_mutex_lock(&ledger->mutex);
    for (const struct block_job *job = ledger->first_job; job; job = job->next)
        if (job->snapshot < lowest) lowest = job->snapshot;
    pthread_mutex_unlock(&ledger->mutex);
    return lowest;
}

static struct block_job *next_job(struct ledger *ledger) {
    pthread_mutex_lock(&ledger->mutex);
    while (ledger->first_job ? !ledger->first_job->ready : !ledger->stopping) pthread_cond_wait(&ledger->job_ready, &ledger->mutex);
    struct block_job *job = ledger->first_job;
    if (job) {
        ledger->first_job = job->next;
        if (!ledger->first_job) ledger->last_job = &ledger->first_job;
        job->next = NULL;
    }
    pthread_mutex_unlock(&ledger->mutex);
    return job;
}

static bool has_failed(struct ledger *ledger, struct pt_error *why) {
    pthread_mutex_lock(&ledger->mutex);
    const bool failed = ledger->failed;
    *why = ledger->failure;
    pthread_mutex_unlock(&ledger->mutex);
    return failed;
}

static void *execute(void *arg) {
    struct ledger *ledger = arg;
    struct pt_error why;
    for (struct block_job *job; (job = next_job(ledger));) {
        if (has_failed(ledger, &why)) {
            if (job->done) job->done(job->done_arg, PT_UNAVAILABLE, NULL, &why);
            block_job_free(job);
            continue;
        }
        for (struct block_job *followed; job; job = followed) decide(ledger, job, &followed);
        executor_trim(ledger->executor, lowest_snapshot(ledger));
    }
    pthread_mutex_lock(&ledger->mutex);
    ledger->executed_all = true;
    pthread_cond_signal(&ledger->to_commit);
    pthread_mutex_unlock(&ledger->mutex);
    return NULL;
}

// --- Written ---

static void count(struct ledger_counters *counters, const struct outcome *outcome) {
    const struct sealed_height *sealed = outcome->sealed;
    switch (outcome->result.outcome) {
    case LEDGER_BLOCK_APPLIED: counters->blocks_applied++; break;
    case LEDGER_BLOCK_DUPLICATE: counters->blocks_duplicate++; break;
    case LEDGER_BLOCK_REFUSED: *(sealed ? &counters->blocks_refused : &counters->blocks_ignored) += 1; break;
    case LEDGER_BLOCK_WAITING: break;
    }
    for (size_t i = 0; sealed && i < sealed->result_count; i++) counters->statements[sealed->results[i] % 16]++;
    counters->alerts += sealed ? sealed->alert_count : 0;
    counters->index_rows += sealed ? sealed->change_count + sealed->side_count + (sealed->leaf_count > 0 ? 2u : 1u) : 0;
    counters->packs_written += sealed ? sealed->pack_count : 0;
    counters->trials_stood += sealed ? sealed->trials_stood : 0;
    counters->trials_repeated += sealed ? sealed->trials_repeated : 0;
}

static void publish(struct ledger *ledger, const struct outcome *first) {
    pthread_mutex_lock(&ledger->mutex);
    for (const struct outcome *outcome = first; outcome; outcome = outcome->next) {
        const struct sealed_height *sealed = outcome->sealed;
        count(&ledger->counters, outcome);
        if (outcome->job->done && ledger->counters.blocks_waiting > 0) ledger->counters.blocks_waiting--;
        if (!sealed) continue;
        ledger->status.height = ledger->status.final_height = sealed->height;
        ledger->status.time = sealed->time;
        ledger->status.entry = sealed->entry_digest;
        ledger->status.tree_size = sealed->tree_size;
        ledger->status.tree_root = sealed->tree_root;
        ledger->status.rule_version = sealed->rule_version;
    }
    ledger->counters.fsyncs++;
    ledger->counters.chain_bytes = chain_store_bytes(ledger->files.chain);
    pthread_cond_broadcast(&ledger->written);
    pthread_mutex_unlock(&ledger->mutex);
}

static void answer_all(struct ledger *ledger, struct outcome *first, enum pt_code code, const struct pt_error *err) {
    uint64_t height = 0;
    for (struct outcome *next, *outcome = first; outcome; outcome = next) {
        struct block_job *job = outcome->job;
        next = outcome->next;
        if (outcome->sealed) height = outcome->sealed->height;
        if (job->done) job->done(job->done_arg, code, code == PT_OK ? &outcome->result : NULL, err);
        sealed_height_free(outcome->sealed);
        block_job_free(job);
        free(outcome);
    }
    pthread_mutex_lock(&ledger->mutex);
    void (*watch)(void *arg, uint64_t height) = code == PT_OK && height > 0 ? ledger->watch : NULL;
    void *arg = ledger->watch_arg;
    pthread_mutex_unlock(&ledger->mutex);
    if (watch) watch(arg, height);
}

static enum pt_code write_group(struct ledger *ledger, const struct outcome *first, struct pt_error *err) {
    struct commit_item items[GROUP_MOST];
    size_t count_items = 0;
    for (const struct outcome *outcome = first; outcome; outcome = outcome->next)
        if (outcome->sealed)
            items[count_items++] = (struct commit_item){.sealed = outcome->sealed,
                                                        .compressed_block = pt_buf_bytes(&outcome->job->compressed)};
    if (count_items == 0) return PT_OK;
    const enum pt_code code = committer_append(&ledger->files.committer, items, count_items, err);
    return code == PT_OK ? committer_index(&ledger->files.committer, items, count_items, err) : code;
}

// Up to GROUP_MOST outcomes; NULL when there is nothing more to come.
static struct outcome *next_group(struct ledger *ledger) {
    pthread_mutex_lock(&ledger->mutex);
    while (!ledger->first_outcome && !ledger->executed_all) pthread_cond_wait(&ledger->to_commit, &ledger->mutex);
    struct outcome *first = ledger->first_outcome, *last = first;
    size_t taken = first ? 1 : 0;
    while (last && last->next && taken < GROUP_MOST) {
        last = last->next;
        taken++;
    }
    if (last) {
        ledger->first_outcome = last->next;
        if (!ledger->first_outcome) ledger->last_outcome = &ledger->first_outcome;
        last->next = NULL;
        ledger->outcome_count -= taken;
    }
    pthread_mutex_unlock(&ledger->mutex);
    return first;
}

static void *commit(void *arg) {
    struct ledger *ledger = arg;
    for (struct outcome *first; (first = next_group(ledger));) {
        struct pt_error err = {0};
        enum pt_code code = PT_OK;
        // After a failed write the chain's end is unknown: what was decided on top of it is worth nothing.
        if (has_failed(ledger, &err)) code = PT_UNAVAILABLE;
        else code = write_group(ledger, first, &err);
        if (code == PT_OK) publish(ledger, first);
        else fail(ledger, &err);
        answer_all(ledger, first, code, &err);
    }
    return NULL;
}

// --- Start and stop ---

static uint64_t committed(void *ctx) {
    struct ledger *ledger = ctx;
    pthread_mutex_lock(&ledger->mutex);
    const uint64_t height = ledger->status.height;
    pthread_mutex_unlock(&ledger->mutex);
    return height;
}

static enum pt_code wait_committed(void *ctx, uint64_t height, struct pt_error *err) {
    struct ledger *ledger = ctx;
    pthread_mutex_lock(&ledger->mutex);
    while (ledger->status.height < height && !ledger->failed) pthread_cond_wait(&ledger->written, &ledger->mutex);
    const bool failed = ledger->failed;
    if (failed && err) *err = ledger->failure;
    pthread_mutex_unlock(&ledger->mutex);
    return failed ? PT_UNAVAILABLE : PT_OK;
}

static enum pt_code start_workers(struct ledger *ledger, struct pt_error *err) {
    ledger->workers = calloc(ledger->worker_count, sizeof *ledger->workers);
    ledger->worker_pointers = calloc(ledger->worker_count, sizeof(void *));
    if (!ledger->workers || !ledger->worker_pointers) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    for (unsigned i = 0; i < ledger->worker_count; i++) {
        struct worker_context *worker = &ledger->workers[i];
        const enum pt_code code = ledger->files.index.reader(&ledger->files.index, &worker->index, err);
        if (code != PT_OK) return code;
        worker->job = (struct job_context){.index = &worker->index, .keys = ledger->files.keys, .genesis = &ledger->files.genesis.hash};
        if (state_view_new(NULL, &worker->job.view, err) != PT_OK) return PT_NO_MEMORY;
        ledger->worker_pointers[i] = &worker->job;
    }
    return worker_pool_start(ledger->worker_count, ledger->worker_pointers, &ledger->pool, err);
}

// A ledger that the next height is too new for is opened all the same: it can be read.
static enum pt_code look_ahead(struct ledger *ledger, struct pt_error *err) {
    struct pt_error why = {0};
    const enum pt_code code = executor_ready(ledger->executor, &why);
    if (code == PT_UNAVAILABLE) fail(ledger, &why);
    else if (code != PT_OK && err) *err = why;
    return code == PT_UNAVAILABLE ? PT_OK : code;
}

enum pt_code ledger_pipeline_start(struct ledger *ledger, struct pt_error *err) {
    struct ledger_files *files = &ledger->files;
    struct merkle_frontier tree;
    enum pt_code code = tree_store_frontier(files->tree, tree_store_size(files->tree), &tree, err);
    if (code == PT_OK) code = files->index.reader(&files->index, &ledger->exec_index, err);
    if (code == PT_OK) code = start_workers(ledger, err);
    const struct executor_parts parts = {.genesis = &files->genesis, .index = &ledger->exec_index, .statements = files->statements,
                                         .keys = files->keys, .signer = ledger->signer, .env = ledger->env,
                                         .cache_records = (size_t)ledger->options.state_cache_records,
                                         .pool = ledger->pool, .trials = ledger->options.trials,
                                         .committed = committed, .wait_committed = wait_committed, .ctx = ledger};
    if (code == PT_OK) code = executor_new(&parts, &tree, &ledger->executor, err);
    if (code == PT_OK) code = look_ahead(ledger, err);
    if (code != PT_OK) return code;
    if (pthread_create(&ledger->commit_thread, NULL, commit, ledger) != 0) return pt_fail(err, PT_IO, NULL, "cannot start a thread");
    ledger->commit_running = true;
    if (pthread_create(&ledger->exec_thread, NULL, execute, ledger) != 0) return pt_fail(err, PT_IO, NULL, "cannot start a thread");
    ledger->exec_running = true;
    return PT_OK;
}

void ledger_pipeline_stop(struct ledger *ledger) {
    pthread_mutex_lock(&ledger->mutex);
    ledger->stopping = true;
    if (!ledger->exec_running) ledger->executed_all = true;
    pthread_cond_broadcast(&ledger->job_ready);
    pthread_cond_broadcast(&ledger->to_commit);
    pthread_mutex_unlock(&ledger->mutex);
    if (ledger->exec_running) pthread_join(ledger->exec_thread, NULL);
    if (ledger->commit_running) pthread_join(ledger->commit_thread, NULL);
    worker_pool_stop(ledger->pool);
    for (struct ahead *next, *entry = ledger->ahead; entry; entry = next) {
        next = entry->next;
        block_job_free(entry->job);
        free(entry);
    }
    for (unsigned i = 0; ledger->workers && i < ledger->worker_count; i++) {
        if (ledger->workers[i].index.close) ledger->workers[i].index.close(&ledger->workers[i].index);
        state_view_free(ledger->workers[i].job.view);
    }
    free(ledger->workers);
    free(ledger->worker_pointers);
    executor_free(ledger->executor);
    if (ledger->exec_index.close) ledger->exec_index.close(&ledger->exec_index);
}
