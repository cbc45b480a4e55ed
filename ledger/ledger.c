#include "ledger/ledger.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/log.h"
#include "ledger/apply/rules_in_force.h"
#include "ledger/ledger_internal.h"
#include "ledger/state/key_chain.h"

static enum pt_code first_status(struct ledger *ledger, struct pt_error *err) {
    struct ledger_files *files = &ledger->files;
    struct ledger_status *status = &ledger->status;
    struct index_reader reader;
    struct side_height place;
    struct merkle_frontier tree;
    struct rules_in_force rules = {0};
    enum pt_code code = files->index.reader(&files->index, &reader, err);
    if (code != PT_OK) return code;
    *status = (struct ledger_status){.time = files->genesis.time, .entry = files->genesis.hash, .genesis = files->genesis.hash};
    code = reader.height(&reader, &status->height, err);
    if (code == PT_OK && status->height > 0) {
        code = statement_store_height(&reader, status->height, &place, err);
        status->time = place.time;
        status->entry = place.entry;
    }
    if (code == PT_OK) code = rules_in_force_load(&reader, &rules, err);
    status->rule_version = rules.version;
    rules_in_force_free(&rules);
    reader.close(&reader);
    status->final_height = status->height;
    status->tree_size = tree_store_size(files->tree);
    if (code == PT_OK) code = tree_store_frontier(files->tree, status->tree_size, &tree, err);
    if (code == PT_OK) status->tree_root = merkle_root(&tree);
    return code;
}

static enum pt_code own_chain(struct ledger *ledger, struct pt_error *err) {
    const struct pt_digest kid = verify_key_thumbprint(ledger->signer->key);
    struct idle_reader *view;
    struct key_chain chain = {0};
    PT_CLEANUP(pt_buf_free) struct pt_buf value = PT_BUF_INIT(64);
    enum pt_code code = ledger_view_begin(ledger, &view, err);
    if (code != PT_OK) return code;
    code = view->reader.get(&view->reader, STATE_CHAIN, pt_bytes_digest(&kid), &value, err);
    if (code == PT_OK) code = key_chain_decode(pt_buf_bytes(&value), &chain, err);
    ledger_view_end(ledger, view);
    if (code != PT_OK && code != PT_NOT_FOUND) return code;
    ledger->own_sequence = chain.next;
    ledger->own_head = chain.head;
    return PT_OK;
}

static enum pt_code check_signer(const struct ledger *ledger, struct pt_error *err) {
    const struct pt_digest kid = verify_key_thumbprint(ledger->signer->key);
    for (size_t i = 0; i < ledger->files.genesis.actor_count; i++) {
        const struct actor *actor = &ledger->files.genesis.actors[i];
        if (actor->role == ACTOR_EXECUTOR && pt_digest_equal(&actor->kid, &kid)) return PT_OK;
    }
    return pt_fail(err, PT_FORBIDDEN, NULL, "the node's key is no executor's of the genesis");
}

static unsigned cores(void) {
    const long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count < 1 ? 1 : count > 256 ? 256 : (unsigned)count;
}

enum pt_code ledger_open(const char *dir, const struct signer *signer, const struct ledger_options *options,
                         const struct pt_env *env, struct ledger **out, struct pt_error *err) {
    struct ledger *ledger = calloc(1, sizeof *ledger);
    *out = NULL;
    if (!ledger) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    ledger->signer = signer;
    ledger->env = env;
    if (options) ledger->options = *options;
    ledger->worker_count = ledger->options.workers ? ledger->options.workers : cores();
    ledger->last_job = &ledger->first_job;
    ledger->last_outcome = &ledger->first_outcome;
    pthread_mutex_init(&ledger->mutex, NULL);
    pthread_mutex_init(&ledger->own_mutex, NULL);
    pthread_cond_init(&ledger->job_ready, NULL);
    pthread_cond_init(&ledger->to_commit, NULL);
    pthread_cond_init(&ledger->written, NULL);
    pt_buf_init(&ledger->checkpoint, 4096);
    enum pt_code code = ledger_files_open(dir, &ledger->options, env, false, &ledger->files, err);
    if (code == PT_OK) code = check_signer(ledger, err);
    if (code == PT_OK) code = ledger_files_catch_up(&ledger->files, &ledger->options, env, err);
    if (code == PT_OK) code = first_status(ledger, err);
    if (code == PT_OK) code = own_chain(ledger, err);
    if (code == PT_OK) code = ledger_pipeline_start(ledger, err);
    if (code != PT_OK) {
        ledger_close(ledger);
        return code;
    }
    *out = ledger;
    return PT_OK;
}

void ledger_close(struct ledger *ledger) {
    if (!ledger) return;
    const bool ran = ledger->exec_running;
    struct pt_error err;
    ledger_pipeline_stop(ledger);
    if (ran && !ledger->failed && committer_close(&ledger->files.committer, ledger->status.height, &err) != PT_OK)
        pt_log_error("tree-not-noted", &err);  // the next start recomputes it
    for (struct idle_reader *next, *idle = ledger->idle; idle; idle = next) {
        next = idle->next;
        idle->reader.close(&idle->reader);
        free(idle);
    }
    ledger_files_close(&ledger->files);
    pt_buf_free(&ledger->checkpoint);
    pthread_mutex_destroy(&ledger->mutex);
    pthread_mutex_destroy(&ledger->own_mutex);
    pthread_cond_destroy(&ledger->job_ready);
    pthread_cond_destroy(&ledger->to_commit);
    pthread_cond_destroy(&ledger->written);
    free(ledger);
}

void ledger_status(struct ledger *ledger, struct ledger_status *out) {
    pthread_mutex_lock(&ledger->mutex);
    *out = ledger->status;
    pthread_mutex_unlock(&ledger->mutex);
}

void ledger_counters(struct ledger *ledger, struct ledger_counters *out) {
    pthread_mutex_lock(&ledger->mutex);
    *out = ledger->counters;
    pthread_mutex_unlock(&ledger->mutex);
    out->index_bytes = ledger->files.index.bytes(&ledger->files.index);
}

const struct genesis *ledger_genesis(const struct ledger *ledger) { return &ledger->files.genesis; }

const struct signer *ledger_signer(const struct ledger *ledger) { return ledger->signer; }

void ledger_watch(struct ledger *ledger, void (*seen)(void *arg, uint64_t height), void *arg) {
    pthread_mutex_lock(&ledger->mutex);
    ledger->watch = seen;
    ledger->watch_arg = arg;
    pthread_mutex_unlock(&ledger->mutex);
}

// --- The node's own statements ---

struct waiting {
    pthread_mutex_t mutex;
    pthread_cond_t arrived;
    bool done;
    enum pt_code code;
    struct pt_error err;
    struct ledger_block_result result;
    uint8_t *results;
    size_t count;
};

static void own_done(void *arg, enum pt_code code, const struct ledger_block_result *result, const struct pt_error *err) {
    struct waiting *waiting = arg;
    pthread_mutex_lock(&waiting->mutex);
    waiting->code = code;
    if (err && code != PT_OK) waiting->err = *err;
    if (result) {
        waiting->result = *result;
        if (result->results.len == waiting->count) memcpy(waiting->results, result->results.data, waiting->count);
        if (result->outcome != LEDGER_BLOCK_APPLIED) {
            waiting->code = result->code != PT_OK ? result->code : PT_CONFLICT;
            (void)pt_fail(&waiting->err, waiting->code, NULL, "%s", result->reason);
        }
    }
    waiting->done = true;
    pthread_cond_signal(&waiting->arrived);
    pthread_mutex_unlock(&waiting->mutex);
}

static enum pt_code submit_and_wait(struct ledger *ledger, struct pt_bytes block, struct waiting *waiting, struct pt_error *err) {
    enum pt_code code = ledger_submit_block(ledger, block, own_done, waiting, err);
    if (code != PT_OK) return code;
    pthread_mutex_lock(&waiting->mutex);
    while (!waiting->done) pthread_cond_wait(&waiting->arrived, &waiting->mutex);
    pthread_mutex_unlock(&waiting->mutex);
    if (waiting->code != PT_OK && err) *err = waiting->err;
    return waiting->code;
}

enum pt_code ledger_submit_statements(struct ledger *ledger, const struct pt_bytes *statements, size_t count, uint8_t *results,
                                      uint64_t *height, struct pt_error *err) {
    struct waiting waiting = {.results = results, .count = count};
    PT_CLEANUP(pt_buf_free) struct pt_buf block = PT_BUF_INIT(BLOCK_MAX);
    struct pt_digest digest;
    pthread_mutex_init(&waiting.mutex, NULL);
    pthread_cond_init(&waiting.arrived, NULL);
    pthread_mutex_lock(&ledger->own_mutex);
    struct block_header header = {.gateway = verify_key_thumbprint(ledger->signer->key), .sequence = ledger->own_sequence,
                                  .previous = ledger->own_head, .time = ledger->env->now(ledger->env->ctx)};
    enum pt_code code = block_seal(&header, &ledger->files.genesis.hash, statements, count, ledger->signer, &block, &digest, err);
    if (code == PT_OK) code = submit_and_wait(ledger, pt_buf_bytes(&block), &waiting, err);
    if (code == PT_OK) {
        ledger->own_sequence++;
        ledger->own_head = digest;
        *height = waiting.result.height;
    }
    pthread_mutex_unlock(&ledger->own_mutex);
    pthread_mutex_destroy(&waiting.mutex);
    pthread_cond_destroy(&waiting.arrived);
    return code;
}

// --- Views ---

enum pt_code ledger_view_begin(struct ledger *ledger, struct idle_reader **out, struct pt_error *err) {
    pthread_mutex_lock(&ledger->mutex);
    struct idle_reader *view = ledger->idle;
    if (view) ledger->idle = view->next;
    pthread_mutex_unlock(&ledger->mutex);
    enum pt_code code = PT_OK;
    if (!view) {
        view = calloc(1, sizeof *view);
        code = view ? ledger->files.index.reader(&ledger->files.index, &view->reader, err) : pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    }
    if (code == PT_OK) code = view->reader.begin(&view->reader, err);
    if (code != PT_OK) {
        if (view && view->reader.close) view->reader.close(&view->reader);
        free(view);
        return code;
    }
    *out = view;
    return PT_OK;
}

void ledger_view_end(struct ledger *ledger, struct idle_reader *view) {
    view->reader.end(&view->reader);
    pthread_mutex_lock(&ledger->mutex);
    view->next = ledger->idle;
    ledger->idle = view;
    pthread_mutex_unlock(&ledger->mutex);
}
