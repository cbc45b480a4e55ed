#include "firmware/terminal/sync_thread.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "common/base/log.h"

enum { LEAST_PAUSE_MS = 50, MOST_PAUSE_MS = 30000, TURNS_AWAY = 5, TURNS_IDLE = 200 };

struct sync_thread {
    struct terminal *terminal;
    struct sync *sync;
    pthread_t thread;
    pthread_mutex_t lock;
    struct sync_status status;
    atomic_bool stopping, nudged;
};

static void pause_ms(long milliseconds) {
    const struct timespec pause = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

static void tell(struct sync_thread *self, const struct sync_result *result) {
    const struct pt_env *env = pt_env_system();
    struct outbox_status outbox;
    outbox_status(self->terminal->outbox, &outbox);
    pthread_mutex_lock(&self->lock);
    self->status.left = result->left;
    self->status.refused = outbox.refused;
    // Where there was nothing to ask nothing is known anew.
    if (result->reachable || result->trouble.code != PT_OK) {
        self->status.reachable = result->reachable;
        self->status.forbidden = result->forbidden;
        self->status.trouble = result->trouble;
    }
    if (result->reachable && !result->forbidden) self->status.contact = env->now(env->ctx);
    pthread_mutex_unlock(&self->lock);
}

// Twice as long each time, up to a ceiling, and somewhat at random: terminals that lost the line together do not return together.
static long longer(long pause) {
    const struct pt_env *env = pt_env_system();
    uint8_t random = 0;
    const long doubled = pause * 2 > MOST_PAUSE_MS ? MOST_PAUSE_MS : pause * 2;
    if (env->random(env->ctx, &random, 1, NULL) != PT_OK) random = 0;
    return doubled - doubled / 4 * random / 255;
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
        atomic_store(&self->nudged, false);
        if (sync_turn(self->sync, &result, &err) != PT_OK) pt_log_error("sync-failed", &err);
        tell(self, &result);
        const bool moved = result.uploaded + result.received + result.refused > 0;
        if (stopping) {
            away = result.reachable ? 0 : away + 1;
            idle = moved ? 0 : idle + 1;
            if (result.left == 0 || away >= TURNS_AWAY || idle >= TURNS_IDLE) return NULL;
        }
        const bool slow = !stopping && !moved && !result.reachable && result.trouble.code != PT_OK;
        pause = slow ? longer(pause) : LEAST_PAUSE_MS;
        for (long slept = 0; slept < pause && atomic_load(&self->stopping) == stopping; slept += LEAST_PAUSE_MS) {
            // A nudge while the line is down cannot bring it back.
            if (!slow && atomic_load(&self->nudged)) break;
            pause_ms(LEAST_PAUSE_MS);
        }
    }
}

enum pt_code sync_thread_start(struct terminal *terminal, struct sync_thread **out, struct pt_error *err) {
    struct sync_thread *self = calloc(1, sizeof *self);
    if (!self) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    self->terminal = terminal;
    pthread_mutex_init(&self->lock, NULL);
    const enum pt_code code = terminal_sync_new(terminal, &self->sync, err);
    if (code != PT_OK || pthread_create(&self->thread, NULL, run, self) != 0) {
        sync_free(self->sync);
        pthread_mutex_destroy(&self->lock);
        free(self);
        return code != PT_OK ? code : pt_fail(err, PT_IO, NULL, "cannot start a thread");
    }
    *out = self;
    return PT_OK;
}

void sync_thread_status(struct sync_thread *thread, struct sync_status *out) {
    pthread_mutex_lock(&thread->lock);
    *out = thread->status;
    pthread_mutex_unlock(&thread->lock);
}

void sync_thread_nudge(struct sync_thread *thread) { atomic_store(&thread->nudged, true); }

void sync_thread_stop(struct sync_thread *thread) {
    if (!thread) return;
    atomic_store(&thread->stopping, true);
    pthread_join(thread->thread, NULL);
    sync_free(thread->sync);
    pthread_mutex_destroy(&thread->lock);
    free(thread);
}
