#include "firmware/terminal/sync_thread.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "common/base/log.h"
#include "common/base/wait.h"

enum {
    LEAST_PAUSE_MS = 50,       // while receipts are awaited
    FIRST_AWAY_MS = 500,       // while the line is down: at first, and at most
    MOST_AWAY_MS = 30000,
    NUDGED_AWAY_MS = 1000,     // what is signed meanwhile cannot bring the line back more often than this
    IDLE_MS = 1000,            // nothing to bring; the feed has its own interval
    TURNS_AWAY = 5,            // after the last scan: so many turns may bring nothing before the rest is left for the next time
    TURNS_IDLE = 200,
};

struct sync_thread {
    struct terminal *terminal;
    struct sync *sync;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct sync_status status;
    bool stopping, nudged;
};

static void tell(struct sync_thread *self, const struct sync_result *result) {
    struct outbox_status outbox;
    struct line_record line;
    outbox_status(self->terminal->outbox, &outbox);
    sync_line(self->sync, &line);
    pthread_mutex_lock(&self->lock);
    struct sync_status *status = &self->status;
    status->left = result->left;
    status->refused = outbox.refused;
    status->room = outbox.room;
    status->revoked = result->revoked;
    status->line = line;
    status->contact = line.contact;
    // Where there was nothing to ask nothing is known anew.
    if (result->reachable || result->trouble.code != PT_OK) {
        status->reachable = result->reachable;
        status->forbidden = result->forbidden;
        status->trouble = result->trouble;
    }
    pthread_mutex_unlock(&self->lock);
}

// Twice as long each time, up to a ceiling, less up to a quarter of it.
static pt_millis longer(pt_millis pause) {
    const struct pt_env *env = pt_env_system();
    uint8_t random = 0;
    const pt_millis doubled = pause * 2 > MOST_AWAY_MS ? MOST_AWAY_MS : pause * 2;
    if (env->random(env->ctx, &random, 1, NULL) != PT_OK) random = 0;
    return doubled - doubled / 4 * random / 255;
}

// By the clock that nobody sets.
static pt_millis ticks(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (pt_millis)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// Until the time is over, or something was signed (after `nudged_pause` at the soonest), or the thread is asked to end. Gives back
// whether it is.
static bool rest(struct sync_thread *self, bool stopping, pt_millis pause, pt_millis nudged_pause) {
    const pt_millis begun = ticks();
    pthread_mutex_lock(&self->lock);
    for (;;) {
        const pt_millis until = begun + (stopping ? LEAST_PAUSE_MS : self->nudged && nudged_pause < pause ? nudged_pause : pause), now = ticks();
        if (now >= until || self->stopping != stopping) break;
        pt_wait(&self->wake, &self->lock, until - now);
    }
    self->nudged = false;
    const bool end = self->stopping;
    pthread_mutex_unlock(&self->lock);
    return end;
}

static void *run(void *arg) {
    struct sync_thread *self = arg;
    pt_millis pause = FIRST_AWAY_MS / 2;
    bool stopping = false;
    for (unsigned away = 0, idle = 0;;) {
        struct sync_result result;
        struct pt_error err = {0};
        const bool failed = sync_turn(self->sync, &result, &err) != PT_OK;
        if (failed) pt_log_error("sync-failed", &err);
        tell(self, &result);
        const bool moved = result.uploaded + result.received + result.refused > 0;
        if (stopping) {
            away = result.reachable ? 0 : away + 1;
            idle = moved ? 0 : idle + 1;
            if (result.left == 0 || away >= TURNS_AWAY || idle >= TURNS_IDLE) return NULL;
        }
        const bool down = failed || (!moved && result.trouble.code != PT_OK);
        pause = down ? longer(pause) : FIRST_AWAY_MS / 2;
        stopping = rest(self, stopping, down ? pause : result.left > 0 ? LEAST_PAUSE_MS : IDLE_MS, down ? NUDGED_AWAY_MS : 0);
    }
}

enum pt_code sync_thread_start(struct terminal *terminal, struct sync_thread **out, struct pt_error *err) {
    struct sync_thread *self = calloc(1, sizeof *self);
    if (!self) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    self->terminal = terminal;
    pthread_mutex_init(&self->lock, NULL);
    pt_wait_init(&self->wake);
    enum pt_code code = terminal_sync_new(terminal, &self->sync, err);
    if (code == PT_OK) {
        const struct sync_result nothing = {0};
        tell(self, &nothing);  // what the last run knew
        if (pthread_create(&self->thread, NULL, run, self) != 0) code = pt_fail(err, PT_IO, NULL, "cannot start a thread");
    }
    if (code != PT_OK) {
        sync_free(self->sync);
        pthread_cond_destroy(&self->wake);
        pthread_mutex_destroy(&self->lock);
        free(self);
        return code;
    }
    *out = self;
    return PT_OK;
}

void sync_thread_status(struct sync_thread *thread, struct sync_status *out) {
    pthread_mutex_lock(&thread->lock);
    *out = thread->status;
    pthread_mutex_unlock(&thread->lock);
}

static void wake(struct sync_thread *thread, bool *flag) {
    pthread_mutex_lock(&thread->lock);
    *flag = true;
    pthread_cond_signal(&thread->wake);
    pthread_mutex_unlock(&thread->lock);
}

void sync_thread_nudge(struct sync_thread *thread) { wake(thread, &thread->nudged); }

void sync_thread_stop(struct sync_thread *thread) {
    if (!thread) return;
    wake(thread, &thread->stopping);
    pthread_join(thread->thread, NULL);
    sync_free(thread->sync);
    pthread_cond_destroy(&thread->wake);
    pthread_mutex_destroy(&thread->lock);
    free(thread);
}
