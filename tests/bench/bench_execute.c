// The one stage of the ledger that all statements pass in order: deciding them. Checked ahead, nothing written; one after
// the other, then the same blocks again with trials on other threads.
//   bench-execute PACKS-A-STATEMENT STATEMENTS [THREADS]
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "ledger/apply/executor.h"
#include "ledger/ledger_internal.h"
#include "tests/bench/bench.h"
#include "tests/bench/scene.h"

static uint64_t committed(void *ctx) {
    (void)ctx;
    return 0;
}

static enum pt_code wait_committed(void *ctx, uint64_t height, struct pt_error *err) {
    (void)ctx;
    (void)height;
    (void)err;
    return PT_OK;
}

struct figures {
    double seconds, thread, process;  // by the clock; of processor time of the deciding thread, of all
    uint64_t stood, repeated;
    struct pt_digest head;
};

struct bench {
    const struct scene *scene;
    struct ledger_files files;
    struct index_reader own;
    struct worker_pool *pool;
    struct job_context *contexts;
    struct index_reader *readers;
    unsigned threads;
};

static void open_ledger(struct bench *bench, const char *dir) {
    struct pt_error err = {0};
    const struct ledger_options options = {0};
    bench_ok(ledger_init(dir, pt_buf_bytes(&bench->scene->genesis), pt_bytes_of(NULL, 0), &err), &err);
    bench_ok(ledger_files_open(dir, &options, pt_env_system(), false, &bench->files, &err), &err);
    bench_ok(ledger_files_catch_up(&bench->files, &options, pt_env_system(), &err), &err);
    bench_ok(bench->files.index.reader(&bench->files.index, &bench->own, &err), &err);
    bench->contexts = calloc(bench->threads, sizeof *bench->contexts);
    bench->readers = calloc(bench->threads, sizeof *bench->readers);
    void **pointers = calloc(bench->threads, sizeof *pointers);
    if (!bench->contexts || !bench->readers || !pointers) bench_stop("out of memory");
    for (unsigned i = 0; i < bench->threads; i++) {
        bench_ok(bench->files.index.reader(&bench->files.index, &bench->readers[i], &err), &err);
        bench->contexts[i] = (struct job_context){.index = &bench->readers[i], .keys = bench->files.keys, .genesis = &bench->scene->genesis_hash};
        bench_ok(state_view_new(NULL, &bench->contexts[i].view, &err), &err);
        pointers[i] = &bench->contexts[i];
    }
    bench_ok(worker_pool_start(bench->threads, pointers, &bench->pool, &err), &err);
    free(pointers);
}

static void close_ledger(struct bench *bench) {
    worker_pool_stop(bench->pool);
    for (unsigned i = 0; i < bench->threads; i++) {
        bench->readers[i].close(&bench->readers[i]);
        state_view_free(bench->contexts[i].view);
    }
    free(bench->contexts);
    free(bench->readers);
    bench->own.close(&bench->own);
    ledger_files_close(&bench->files);
}

static struct block_job *checked(struct bench *bench, size_t number) {
    struct pt_error err = {0};
    struct block_job *job;
    struct job_context context = {.index = &bench->own, .keys = bench->files.keys, .genesis = &bench->scene->genesis_hash};
    bench_ok(block_job_new(pt_buf_bytes(&bench->scene->blocks[number]), 0, &job, &err), &err);
    block_job_check(job, &context);
    return job;
}

static void decide_all(struct bench *bench, enum ledger_trials trials, struct figures *out) {
    struct pt_error err = {0};
    struct executor *executor;
    struct merkle_frontier tree;
    *out = (struct figures){0};
    bench_ok(tree_store_frontier(bench->files.tree, 0, &tree, &err), &err);
    const struct executor_parts parts = {.genesis = &bench->files.genesis, .index = &bench->own, .statements = bench->files.statements,
                                         .keys = bench->files.keys, .env = pt_env_system(), .cache_records = (size_t)(bench->scene->statements * bench->scene->pattern.packs),
                                         .pool = bench->pool, .trials = trials, .committed = committed, .wait_committed = wait_committed};
    bench_ok(executor_new(&parts, &tree, &executor, &err), &err);
    for (size_t i = 0; i < bench->scene->block_count; i++) {
        struct executor_answer answer;
        struct sealed_height *sealed;
        struct block_job *job = checked(bench, i);
        const double start = bench_wall_seconds(), thread = bench_thread_seconds(), process = bench_cpu_seconds();
        bench_ok(executor_take(executor, job, bench->files.genesis.time, (struct pt_bytes){0}, &answer, &sealed, &err), &err);
        if (answer.verdict != VERDICT_SEALED) bench_stop(answer.reason);
        out->seconds += bench_wall_seconds() - start;
        out->thread += bench_thread_seconds() - thread;
        out->process += bench_cpu_seconds() - process;
        out->stood += sealed->trials_stood;
        out->repeated += sealed->trials_repeated;
        out->head = sealed->entry_digest;
        sealed_height_free(sealed);
        block_job_free(job);
    }
    executor_free(executor);
}

int main(int argc, char **argv) {
    static struct scene scene;
    struct bench bench = {.scene = &scene};
    struct figures alone, together;
    char dir[256], ledger_dir[300];
    if (argc < 3) bench_stop("usage: bench-execute PACKS-A-STATEMENT STATEMENTS [THREADS]");
    scene.pattern = (struct load_pattern){.packs = (unsigned)atoi(argv[1]), .task = "commission"};
    scene.statements = (uint64_t)atoll(argv[2]);
    bench.threads = argc > 3 ? (unsigned)atoi(argv[3]) : 1;  // beside the one that decides
    bench_scratch(dir);
    scene_make(&scene);
    snprintf(ledger_dir, sizeof ledger_dir, "%s/ledger", dir);
    open_ledger(&bench, ledger_dir);
    decide_all(&bench, LEDGER_TRIALS_NEVER, &alone);
    decide_all(&bench, LEDGER_TRIALS_AUTO, &together);
    if (!pt_digest_equal(&alone.head, &together.head)) bench_stop("threads give another chain");
    close_ledger(&bench);
    double load[1] = {0};
    if (getloadavg(load, 1) != 1) load[0] = -1;
    printf("{\"bench\":\"execute\",\"packs_a_statement\":%u,\"statements\":%" PRIu64 ",\"threads\":%u,\"statements_a_second_alone\":%.0f,"
           "\"statements_a_second_together\":%.0f,\"packs_a_second_alone\":%.0f,\"packs_a_second_together\":%.0f,\"gain\":%.2f,"
           "\"cpu_seconds_alone\":%.3f,\"cpu_seconds_together\":%.3f,\"of_them_deciding\":%.3f,"
           "\"trials_stood\":%" PRIu64 ",\"trials_repeated\":%" PRIu64 ",\"load_average\":%.1f}\n",
           scene.pattern.packs, scene.statements, 1 + bench.threads, (double)scene.statements / alone.seconds,
           (double)scene.statements / together.seconds, (double)(scene.statements * scene.pattern.packs) / alone.seconds,
           (double)(scene.statements * scene.pattern.packs) / together.seconds, alone.seconds / together.seconds,
           alone.process, together.process, together.thread, together.stood,
           together.repeated, load[0]);
    bench_scratch_remove(dir);
    scene_free_blocks(&scene);
    return 0;
}
