#include "ledger/apply/worker_pool.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct batch {
    struct batch *next;
    worker_task *run;
    void *task;
    unsigned parts, taken;
};

struct worker {
    struct worker_pool *pool;
    void *context;
    pthread_t thread;
};

struct worker_pool {
    pthread_mutex_t mutex;
    pthread_cond_t more;
    struct batch *first, **last;
    bool stopping;
    struct worker *workers;
    unsigned count, idle;
};

static void *work(void *arg) {
    const struct worker *worker = arg;
    struct worker_pool *pool = worker->pool;
    pthread_mutex_lock(&pool->mutex);
    for (;;) {
        pool->idle++;
        while (!pool->first && !pool->stopping) pthread_cond_wait(&pool->more, &pool->mutex);
        pool->idle--;
        struct batch *batch = pool->first;
        if (!batch) break;
        const unsigned part = batch->taken++;
        worker_task *run = batch->run;
        void *task = batch->task;
        if (batch->taken == batch->parts) {
            pool->first = batch->next;
            if (!pool->first) pool->last = &pool->first;
            free(batch);
        }
        pthread_mutex_unlock(&pool->mutex);
        run(worker->context, task, part);
        pthread_mutex_lock(&pool->mutex);
    }
    pthread_mutex_unlock(&pool->mutex);
    return NULL;
}

enum pt_code worker_pool_start(unsigned count, void **contexts, struct worker_pool **out, struct pt_error *err) {
    struct worker_pool *pool = calloc(1, sizeof *pool);
    *out = NULL;
    if (!pool) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->more, NULL);
    pool->last = &pool->first;
    pool->workers = calloc(count, sizeof *pool->workers);
    for (; pool->workers && pool->count < count; pool->count++) {
        struct worker *worker = &pool->workers[pool->count];
        *worker = (struct worker){.pool = pool, .context = contexts[pool->count]};
        if (pthread_create(&worker->thread, NULL, work, worker) != 0) break;
    }
    if (pool->count < count || !pool->workers) {
        worker_pool_stop(pool);
        return pt_fail(err, PT_IO, NULL, "cannot start threads");
    }
    *out = pool;
    return PT_OK;
}

void worker_pool_stop(struct worker_pool *pool) {
    if (!pool) return;
    pthread_mutex_lock(&pool->mutex);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->more);
    pthread_mutex_unlock(&pool->mutex);
    for (unsigned i = 0; i < pool->count; i++) pthread_join(pool->workers[i].thread, NULL);
    pthread_mutex_destroy(&pool->mutex);
    pthread_cond_destroy(&pool->more);
    free(pool->workers);
    free(pool);
}

static struct batch *new_batch(worker_task *run, void *task, unsigned parts, struct pt_error *err) {
    struct batch *batch = calloc(1, sizeof *batch);
    if (batch) *batch = (struct batch){.run = run, .task = task, .parts = parts};
    else (void)pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    return batch;
}

static void wake(struct worker_pool *pool, unsigned parts) {
    if (parts > 1) pthread_cond_broadcast(&pool->more);
    else pthread_cond_signal(&pool->more);
}

enum pt_code worker_pool_queue(struct worker_pool *pool, worker_task *run, void *task, unsigned parts, struct pt_error *err) {
    struct batch *batch = new_batch(run, task, parts, err);
    if (!batch) return PT_NO_MEMORY;
    pthread_mutex_lock(&pool->mutex);
    *pool->last = batch;
    pool->last = &batch->next;
    wake(pool, parts);
    pthread_mutex_unlock(&pool->mutex);
    return PT_OK;
}

enum pt_code worker_pool_queue_first(struct worker_pool *pool, worker_task *run, void *task, unsigned parts, struct pt_error *err) {
    struct batch *batch = new_batch(run, task, parts, err);
    if (!batch) return PT_NO_MEMORY;
    pthread_mutex_lock(&pool->mutex);
    batch->next = pool->first;
    if (!pool->first) pool->last = &batch->next;
    pool->first = batch;
    wake(pool, parts);
    pthread_mutex_unlock(&pool->mutex);
    return PT_OK;
}

unsigned worker_pool_idle(struct worker_pool *pool) {
    pthread_mutex_lock(&pool->mutex);
    const unsigned idle = pool->first ? 0 : pool->idle;
    pthread_mutex_unlock(&pool->mutex);
    return idle;
}
