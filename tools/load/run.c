#include "tools/load/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/base/cleanup.h"
#include "tools/load/progress.h"

#define LOOK_PAUSE 0.05  // seconds between two looks at the counters

double load_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void load_sleep(double seconds) {
    if (seconds <= 0) return;
    struct timespec pause = {.tv_sec = (time_t)seconds, .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&pause, NULL);
}

void load_progress_made(struct load_run *run) { run->last_progress = load_clock(); }

void load_fail(struct load_run *run, const struct pt_error *err) {
    pthread_mutex_lock(&run->lock);
    if (run->failure.code == PT_OK) run->failure = *err;
    pthread_mutex_unlock(&run->lock);
    run->stopping = true;
}

void load_say_refusal(struct load_run *run, const char *why) {
    pthread_mutex_lock(&run->lock);
    if (!run->refusal_said) fprintf(stderr, "\npacktrail load: refused: %s\n", why);
    run->refusal_said = true;
    pthread_mutex_unlock(&run->lock);
}

enum pt_code load_pause(struct load_run *run, unsigned attempt, unsigned retry_after_s, struct pt_error *err) {
    const double idle = load_clock() - run->last_progress;
    if (idle > run->options->patience_s)
        return pt_fail(err, PT_UNAVAILABLE, "--patience", "nothing moved for %.0f s; at last: %s", idle, err->what);
    uint64_t random = 0;
    if (pt_env_system()->random(NULL, (uint8_t *)&random, sizeof random, err) != PT_OK) return err->code;
    const double backoff = (double)https_backoff_ms(attempt, 20, 1000, random) / 1000;
    double pause = retry_after_s > backoff ? retry_after_s : backoff;
    for (; pause > 0 && !run->stopping; pause -= LOOK_PAUSE) load_sleep(pause < LOOK_PAUSE ? pause : LOOK_PAUSE);
    return PT_OK;
}

static enum pt_code prepare(struct load_run *run, struct pt_error *err) {
    const struct load_options *options = run->options;
    enum pt_code code = consortium_open(options->consortium, &run->consortium, err);
    if (code == PT_OK) code = consortium_path(&run->consortium, "ca.crt", run->authority, err);
    if (code == PT_OK) code = actor_path(&run->consortium, options->operator_name, "tls.crt", run->certificate, err);
    if (code == PT_OK) code = actor_path(&run->consortium, options->operator_name, "tls.key", run->key, err);
    run->pattern = (struct load_pattern){.genesis = run->consortium.genesis,
                                         .packs = options->packs,
                                         .task = options->task,
                                         .json = options->json_events,
                                         .first = options->first};
    load_progress_made(run);
    return code;
}

static void note_of(const struct load_run *run, char out[80]) {
    snprintf(out, 80, "%llu refused, %llu sent again", (unsigned long long)run->refused, (unsigned long long)run->retried);
}

// All lanes fill their queues first, so that signing takes no part in what is measured as long as it fits.
static void watch_signing(struct load_run *run, struct lane **lanes, unsigned count) {
    struct progress progress;
    const uint64_t of = run->options->statements;
    progress_begin(&progress, "signing");
    for (unsigned ready = 0; ready < count && !run->stopping;) {
        load_sleep(LOOK_PAUSE);
        progress_show(&progress, run->signed_count, of, "");
        for (ready = 0; ready < count && lane_ready(lanes[ready]);) ready++;
    }
    progress_end(&progress, run->signed_count, of, "");
}

static void watch_sending(struct load_run *run) {
    struct progress progress;
    char note[80] = "";
    const uint64_t of = run->options->statements;
    progress_begin(&progress, "sending");
    while (run->acknowledged + run->refused < of && !run->stopping) {
        load_sleep(LOOK_PAUSE);
        note_of(run, note);
        progress_show(&progress, run->acknowledged, of, note);
    }
    note_of(run, note);
    progress_end(&progress, run->acknowledged, of, note);
}

static void watch_receipts(struct load_run *run, struct receipt_watch *watch) {
    struct progress progress;
    progress_begin(&progress, "receipts");
    for (size_t left; (left = receipt_watch_outstanding(watch)) > 0 && !run->stopping;) {
        load_sleep(LOOK_PAUSE);
        progress_show(&progress, run->receipts, run->receipts + left, "");
    }
    progress_end(&progress, run->receipts, run->receipts + receipt_watch_outstanding(watch), "");
}

static void run_lanes(struct load_run *run, struct lane **lanes, unsigned count, struct receipt_watch *watch,
                      struct load_report *out) {
    struct samples acks = {0}, receipts = {0};
    double last = 0, last_receipt = 0;
    watch_signing(run, lanes, count);
    const double start = load_clock();
    load_progress_made(run);
    for (unsigned i = 0; i < count; i++) lane_send(lanes[i], start);
    watch_sending(run);
    for (unsigned i = 0; i < count; i++) lane_finish(lanes[i], &acks, &last);
    if (watch) {
        watch_receipts(run, watch);
        receipt_watch_finish(watch, &receipts, &out->receipts_wrong, &last_receipt);
    }
    out->seconds = last > start ? last - start : 0;
    out->seconds_to_receipts = last_receipt > start ? last_receipt - start : 0;
    samples_five(&acks, out->ack_ms);
    samples_five(&receipts, out->receipt_ms);
    samples_free(&acks);
    samples_free(&receipts);
}

static enum pt_code start_and_run(struct load_run *run, struct load_report *out, struct pt_error *err) {
    PT_FREE struct lane **lanes = calloc(run->options->threads, sizeof(struct lane *));
    if (!lanes) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    struct receipt_watch *watch = NULL;
    unsigned count = 0;
    enum pt_code code = run->options->sample ? receipt_watch_start(run, &watch, err) : PT_OK;
    for (; code == PT_OK && count < run->options->threads; count++) {
        code = lane_start(run, watch, count, &lanes[count], err);
        if (code != PT_OK) break;
    }
    if (code != PT_OK) load_fail(run, err);
    if (code == PT_OK || count || watch) run_lanes(run, lanes, count, watch, out);
    return code;
}

enum pt_code load_run(const struct load_options *options, struct load_report *out, struct pt_error *err) {
    struct load_run run = {.options = options, .lock = PTHREAD_MUTEX_INITIALIZER};
    *out = (struct load_report){0};
    enum pt_code code = prepare(&run, err);
    if (code == PT_OK) code = load_enrol(&run, err);
    if (code == PT_OK) code = start_and_run(&run, out, err);
    if (code == PT_OK && run.failure.code != PT_OK) {
        if (err) *err = run.failure;
        code = run.failure.code;
    }
    out->statements = run.acknowledged;
    out->packs = run.acknowledged * options->packs;
    out->refused = run.refused;
    out->retried = run.retried;
    out->receipts = run.receipts;
    for (unsigned i = 0; i < run.device_count; i++) load_device_free(&run.devices[i]);
    free(run.devices);
    return code;
}
