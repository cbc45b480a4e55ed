#include "gateway/worker/worker.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "common/base/wait.h"

struct worker {
    worker_function *work;
    void *arg;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool woken;
    atomic_bool stopping;
};

static void pause_for(struct worker *worker, pt_millis pause) {
    pthread_mutex_lock(&worker->lock);
    while (!worker->woken && !atomic_load(&worker->stopping))
        if (!pt_wait(&worker->changed, &worker->lock, pause)) break;
    worker->woken = false;
    pthread_mutex_unlock(&worker->lock);
}

static void *run(void *arg) {
    struct worker *worker = arg;
    while (!atomic_load(&worker->stopping)) pause_for(worker, worker->work(worker->arg));
    return NULL;
}

enum pt_code worker_start(worker_function *work, void *arg, struct worker **out, struct pt_error *err) {
    struct worker *worker = calloc(1, sizeof *worker);
    if (!worker) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    worker->work = work;
    worker->arg = arg;
    pthread_mutex_init(&worker->lock, NULL);
    pt_wait_init(&worker->changed);
    // Set before the thread runs: its work may look at the worker through this.
    *out = worker;
    if (pthread_create(&worker->thread, NULL, run, worker) != 0) {
        *out = NULL;
        free(worker);
        return pt_fail(err, PT_IO, NULL, "cannot start a thread");
    }
    return PT_OK;
}

void worker_wake(struct worker *worker) {
    pthread_mutex_lock(&worker->lock);
    worker->woken = true;
    pthread_cond_signal(&worker->changed);
    pthread_mutex_unlock(&worker->lock);
}

bool worker_stopping(const struct worker *worker) { return atomic_load(&worker->stopping); }

void worker_stop(struct worker *worker) {
    if (!worker) return;
    pthread_mutex_lock(&worker->lock);
    atomic_store(&worker->stopping, true);
    pthread_cond_signal(&worker->changed);
    pthread_mutex_unlock(&worker->lock);
    pthread_join(worker->thread, NULL);
    pthread_cond_destroy(&worker->changed);
    pthread_mutex_destroy(&worker->lock);
    free(worker);
}
