#include "ledger/api/background.h"

#include <pthread.h>
#include <stdlib.h>

struct job {
    struct job *next;
    background_job *run;
    void *arg;
};

struct background {
    pthread_mutex_t mutex;
    pthread_cond_t work;
    pthread_t thread;
    struct job *first, **last;
    size_t waiting, most_waiting;
    bool stopping;
};

static void *run(void *arg) {
    struct background *background = arg;
    for (;;) {
        pthread_mutex_lock(&background->mutex);
        while (!background->first && !background->stopping) pthread_cond_wait(&background->work, &background->mutex);
        struct job *job = background->first;
        if (job) {
            background->first = job->next;
            if (!background->first) background->last = &background->first;
            background->waiting--;
        }
        const bool stopping = background->stopping;
        pthread_mutex_unlock(&background->mutex);
        if (!job) return NULL;
        job->run(job->arg, stopping);
        free(job);
    }
}

enum pt_code background_start(size_t most_waiting, struct background **out, struct pt_error *err) {
    struct background *background = calloc(1, sizeof *background);
    if (!background) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    background->last = &background->first;
    background->most_waiting = most_waiting;
    pthread_mutex_init(&background->mutex, NULL);
    pthread_cond_init(&background->work, NULL);
    if (pthread_create(&background->thread, NULL, run, background) != 0) {
        free(background);
        return pt_fail(err, PT_IO, NULL, "cannot start a thread");
    }
    *out = background;
    return PT_OK;
}

enum pt_code background_run(struct background *background, background_job *run_job, void *arg, struct pt_error *err) {
    struct job *job = calloc(1, sizeof *job);
    if (!job) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    *job = (struct job){.run = run_job, .arg = arg};
    pthread_mutex_lock(&background->mutex);
    const bool taken = !background->stopping && background->waiting < background->most_waiting;
    if (taken) {
        *background->last = job;
        background->last = &job->next;
        background->waiting++;
        pthread_cond_signal(&background->work);
    }
    pthread_mutex_unlock(&background->mutex);
    if (taken) return PT_OK;
    free(job);
    return pt_fail(err, PT_UNAVAILABLE, NULL, "too many long questions wait; ask again in a few seconds");
}

void background_stop(struct background *background) {
    if (!background) return;
    pthread_mutex_lock(&background->mutex);
    background->stopping = true;
    pthread_cond_signal(&background->work);
    pthread_mutex_unlock(&background->mutex);
    pthread_join(background->thread, NULL);
    pthread_cond_destroy(&background->work);
    pthread_mutex_destroy(&background->mutex);
    free(background);
}
