#include "firmware/clock/clock.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/disk.h"
#include "common/base/log.h"
#include "common/cose/cbor.h"

enum {
    FILE_VERSION = 1,
    SAVED_EVERY_MS = 60000,     // a minute's set-back goes unnoticed over a restart; the flash lasts longer
    SET_BACK_MS = 2000,         // less is what time synchronisation does
    SERVER_RESOLUTION_MS = 1000,
    DRIFT_PER_MILLION = 100,    // of a cheap quartz, in the cold and in the heat
    MOST_FILE = 256,
};

struct clock_guard {
    pthread_mutex_t lock;
    char *file;
    const struct pt_env *env;
    int64_t limit_ms;
    pt_millis newest, saved_newest;
    bool set_back;            // since the last measurement
    bool is_measured;
    pt_millis measured;       // by this clock
    int64_t offset_ms, uncertainty_ms;
};

// --- The file: [version, newest, is measured, measured, offset, uncertainty] ---

static void save(struct clock_guard *guard) {
    PT_CLEANUP(pt_buf_free) struct pt_buf file = PT_BUF_INIT(MOST_FILE);
    struct pt_error err = {0};
    cbor_put_array(&file, 6);
    cbor_put_uint(&file, FILE_VERSION);
    cbor_put_int(&file, guard->newest);
    cbor_put_uint(&file, guard->is_measured);
    cbor_put_int(&file, guard->measured);
    cbor_put_int(&file, guard->offset_ms);
    cbor_put_int(&file, guard->uncertainty_ms);
    guard->saved_newest = guard->newest;
    // A full disk must not stop the work: what is lost is that a set-back is noticed after a restart.
    if (pt_file_replace(guard->file, pt_buf_bytes(&file), 0600, &err) != PT_OK) pt_log_error("clock-not-saved", &err);
}

static enum pt_code load(struct clock_guard *guard, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf file = PT_BUF_INIT(MOST_FILE);
    enum pt_code code = pt_file_read(guard->file, &file, err);
    if (code == PT_NOT_FOUND) return PT_OK;
    if (code != PT_OK) return code;
    struct cbor_reader reader = cbor_reader_of(pt_buf_bytes(&file), true, err);
    cbor_get_array(&reader, 6);
    const uint64_t version = cbor_get_uint(&reader);
    const pt_millis newest = cbor_get_int(&reader);
    const uint64_t is_measured = cbor_get_uint(&reader);
    const pt_millis measured = cbor_get_int(&reader);
    const int64_t offset = cbor_get_int(&reader), uncertainty = cbor_get_int(&reader);
    if (cbor_finish(&reader) != PT_OK || version != FILE_VERSION || is_measured > 1) {
        pt_log(PT_LOG_WARNING, "clock-file-damaged", "file=%s", guard->file);
        return PT_OK;  // begun anew
    }
    guard->newest = guard->saved_newest = newest;
    guard->is_measured = is_measured == 1;
    guard->measured = measured;
    guard->offset_ms = offset;
    guard->uncertainty_ms = uncertainty;
    return PT_OK;
}

enum pt_code clock_guard_open(const char *file, const struct pt_env *env, int64_t limit_ms, struct clock_guard **out, struct pt_error *err) {
    struct clock_guard *guard = calloc(1, sizeof *guard);
    if (guard) guard->file = strdup(file);
    if (!guard || !guard->file) {
        free(guard);
        return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    }
    pthread_mutex_init(&guard->lock, NULL);
    guard->env = env;
    guard->limit_ms = limit_ms;
    const enum pt_code code = load(guard, err);
    if (code != PT_OK) {
        clock_guard_close(guard);
        return code;
    }
    clock_guard_now(guard);  // a clock that was set back while the terminal was off is noticed at once
    *out = guard;
    return PT_OK;
}

void clock_guard_close(struct clock_guard *guard) {
    if (!guard) return;
    if (guard->newest != guard->saved_newest) save(guard);
    pthread_mutex_destroy(&guard->lock);
    free(guard->file);
    free(guard);
}

// --- Measuring ---

void clock_guard_measured(struct clock_guard *guard, pt_millis sent, pt_millis theirs, pt_millis received) {
    const int64_t trip = received - sent;
    if (trip < 0) return;  // set back during the exchange: it says nothing
    pthread_mutex_lock(&guard->lock);
    // The server's whole second, on average half over, somewhere within the round trip.
    guard->offset_ms = theirs + SERVER_RESOLUTION_MS / 2 - (sent + trip / 2);
    guard->uncertainty_ms = trip / 2 + SERVER_RESOLUTION_MS / 2;
    const bool first = !guard->is_measured || received - guard->measured >= SAVED_EVERY_MS || received < guard->measured;
    guard->is_measured = true;
    guard->measured = received;
    guard->set_back = false;
    guard->newest = received;  // what was signed by a clock that ran ahead does not bind it for ever
    if (first) save(guard);
    pthread_mutex_unlock(&guard->lock);
}

pt_millis clock_guard_now(struct clock_guard *guard) {
    const pt_millis now = guard->env->now(guard->env->ctx);
    pthread_mutex_lock(&guard->lock);
    if (now < guard->newest - SET_BACK_MS) {
        if (!guard->set_back) pt_log(PT_LOG_WARNING, "clock-set-back", "by_s=%lld", (long long)(guard->newest - now) / 1000);
        guard->set_back = true;
    } else if (now > guard->newest) {
        guard->newest = now;
        guard->set_back = false;
        if (now - guard->saved_newest >= SAVED_EVERY_MS) save(guard);
    }
    pthread_mutex_unlock(&guard->lock);
    return now;
}

static int64_t magnitude(int64_t value) { return value < 0 ? -value : value; }

static int64_t error_ms(const struct clock_guard *guard, pt_millis now) {
    const int64_t behind = guard->set_back ? guard->newest - now : 0;
    if (!guard->is_measured) return guard->set_back ? behind : -1;
    const int64_t since = magnitude(now - guard->measured);
    const int64_t error = magnitude(guard->offset_ms) + guard->uncertainty_ms + since / 1000000 * DRIFT_PER_MILLION;
    return error > behind ? error : behind;
}

void clock_guard_status(struct clock_guard *guard, struct clock_status *out) {
    const pt_millis now = clock_guard_now(guard);
    pthread_mutex_lock(&guard->lock);
    const int64_t error = error_ms(guard, now);
    *out = (struct clock_status){
        .state = guard->set_back ? CLOCK_SET_BACK
                 : !guard->is_measured ? CLOCK_UNMEASURED
                 : magnitude(guard->offset_ms) - guard->uncertainty_ms > guard->limit_ms ? CLOCK_DRIFTED
                                                                                          : CLOCK_GOOD,
        .offset_ms = guard->is_measured ? guard->offset_ms : 0,
        .error_s = error < 0 ? -1 : (error + 999) / 1000,
        .measured = guard->is_measured ? guard->measured : 0,
    };
    pthread_mutex_unlock(&guard->lock);
}
