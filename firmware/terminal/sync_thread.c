#include "firmware/terminal/sync_thread.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "common/base/log.h"

enum { LEAST_PAUSE_MS = 50, MOST_PAUSE_MS = 5000, TURNS_AWAY = 5, TURNS_IDLE = 200 };

struct sync_thread {
    struct sync *sync;
    pthread_t thread;
    atomic_bool stopping;
};

static void pause_ms(long milliseconds) {
    const struct timespec pause = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

static void *run(void *arg) {
    struct sync_thread *self = arg;
    long pause = LEAST_PAUSE_MS;
    // After the last scan: so many turns may bring nothing before the rest is left for the next time.
    unsigned away = 0;
    unsigned idle = 0;
    for (;;) {
        const bool stopping = atomic_load(&self->stopping);
        struct sync_result result;
        struct pt_error err = {0};
        if (sync_turn(self->sync, &result, &err) != PT_OK) pt_log_error("sync-failed", &err);
        const bool moved = result.uploaded + result.received + result.refused > 0;
        if (stopping) {
            away = result.reachable ? 0 : away + 1;
            idle = moved ? 0 : idle + 1;
            if (result.left == 0 || away >= TURNS_AWAY || idle >= TURNS_IDLE) return NULL;
        }
        const bool slow = !stopping && !moved && !result.reachable && result.left > 0;
        pause = slow ? (pause * 2 > MOST_PAUSE_MS ? MOST_PAUSE_MS : pause * 2) : LEAST_PAUSE_MS;
        for (long slept = 0; slept < pause && atomic_load(&self->stopping) == stopping; slept += LEAST_PAUSE_MS)
            pause_ms(LEAST_PAUSE_MS);
    }
}

enum pt_code sync_thread_start(struct terminal *terminal, struct sync_thread **out, struct pt_error *err) {
    struct sync_thread *self = calloc(1, sizeof *self);
    if (!self) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    const enum pt_code code = terminal_sync_new(terminal, &self->sync, err);
    if (code != PT_OK || pthread_create(&self->thread, NULL, run, self) != 0) {
        sync_free(self->sync);
        free(self);
        return code != PT_OK ? code : pt_fail(err, PT_IO, NULL, "cannot start a thread");
    }
    *out = self;
    return PT_OK;
}

void sync_thread_stop(struct sync_thread *thread) {
    if (!thread) return;
    atomic_store(&thread->stopping, true);
    pthread_join(thread->thread, NULL);
    sync_free(thread->sync);
    free(thread);
}
