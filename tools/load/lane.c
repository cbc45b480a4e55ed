#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "tools/load/run.h"

#define AHEAD_BYTES ((size_t)256 * 1024 * 1024)  // signed and not yet sent, all lanes together

struct batch {
    struct batch *next;
    struct pt_buf body;
    struct wire_ack *acks;
    size_t *ends;       // of each statement in the body
    uint64_t *numbers;  // of each statement, over the whole run
    size_t count;
};

struct lane {
    struct load_run *run;
    struct receipt_watch *watch;  // NULL: no receipts are waited for
    unsigned number;
    pthread_t signer, sender;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct batch *first, **last;
    size_t ahead;         // bytes in the queue
    bool full, complete;  // the signer waits; the signer is through
    bool sending;
    double start;
    uint64_t sent;
    struct samples acks;
    double last_ack;
};

static void batch_free(struct batch *batch) {
    if (!batch) return;
    pt_buf_free(&batch->body);
    free(batch->acks);
    free(batch->ends);
    free(batch->numbers);
    free(batch);
}

// --- Signing ---

static struct batch *batch_new(size_t room, struct pt_error *err) {
    struct batch *batch = calloc(1, sizeof *batch);
    if (batch) {
        batch->body = PT_BUF_INIT(LOAD_BODY_MAX + STATEMENT_MAX);
        batch->acks = calloc(room, sizeof *batch->acks);
        batch->ends = calloc(room, sizeof *batch->ends);
        batch->numbers = calloc(room, sizeof *batch->numbers);
        if (batch->acks && batch->ends && batch->numbers) return batch;
    }
    batch_free(batch);
    pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    return NULL;
}

static void enqueue(struct lane *lane, struct batch *batch) {
    pthread_mutex_lock(&lane->lock);
    if (batch) {
        *lane->last = batch;
        lane->last = &batch->next;
        lane->ahead += batch->body.len;
    } else {
        lane->complete = true;
    }
    while (batch && lane->ahead >= AHEAD_BYTES / lane->run->options->threads && !lane->run->stopping) {
        lane->full = true;
        pthread_cond_broadcast(&lane->changed);
        pthread_cond_wait(&lane->changed, &lane->lock);
    }
    pthread_cond_broadcast(&lane->changed);
    pthread_mutex_unlock(&lane->lock);
}

// The lane's next statement, by its devices in turn: number `number` over the whole run.
static enum pt_code sign_next(struct lane *lane, struct batch *batch, uint64_t number, struct pt_error *err) {
    struct load_run *run = lane->run;
    const unsigned lanes = run->options->threads;
    const unsigned devices = (run->options->devices - lane->number + lanes - 1) / lanes;
    const unsigned device = lane->number + (unsigned)(number / lanes % devices) * lanes;
    const size_t start = batch->body.len;
    const enum pt_code code = load_statement(&run->devices[device], &run->pattern, number,
                                             pt_env_system()->now(NULL), &batch->body, err);
    if (code != PT_OK) return code;
    batch->acks[batch->count].id = statement_id(pt_bytes_of(batch->body.data + start, batch->body.len - start));
    batch->ends[batch->count] = batch->body.len;
    batch->numbers[batch->count++] = number;
    run->signed_count++;
    return PT_OK;
}

static void *sign_ahead(void *arg) {
    struct lane *lane = arg;
    const struct load_options *options = lane->run->options;
    struct batch *batch = NULL;
    struct pt_error err = {0};
    enum pt_code code = PT_OK;
    for (uint64_t number = lane->number; code == PT_OK && number < options->statements && !lane->run->stopping;
         number += options->threads) {
        if (!batch && !(batch = batch_new(options->batch, &err))) code = PT_NO_MEMORY;
        if (code == PT_OK) code = sign_next(lane, batch, number, &err);
        if (code == PT_OK && (batch->count == options->batch || batch->body.len >= LOAD_BODY_MAX)) {
            enqueue(lane, batch);
            batch = NULL;
        }
    }
    if (code != PT_OK) {
        load_fail(lane->run, &err);
        batch_free(batch);
    } else if (batch && batch->count) {
        enqueue(lane, batch);
    }
    enqueue(lane, NULL);
    return NULL;
}

// --- Sending ---

static struct batch *dequeue(struct lane *lane) {
    pthread_mutex_lock(&lane->lock);
    while (!lane->run->stopping && (!lane->sending || (!lane->first && !lane->complete)))
        pthread_cond_wait(&lane->changed, &lane->lock);
    struct batch *batch = lane->run->stopping ? NULL : lane->first;
    if (batch) {
        lane->first = batch->next;
        if (!lane->first) lane->last = &lane->first;
        lane->ahead -= batch->body.len;
        pthread_cond_broadcast(&lane->changed);
    }
    pthread_mutex_unlock(&lane->lock);
    return batch;
}

static bool is_open(const struct wire_ack *ack) { return ack->outcome == 0 || ack->outcome == WIRE_LATER; }

// Whether the receipt of statement `number` is waited for: evenly spread, the last of each lane among them.
static bool sampled(const struct load_options *options, uint64_t number) {
    if (options->sample == 0) return false;
    if (options->sample >= options->statements || number + options->threads >= options->statements) return true;
    return number % (options->statements / options->sample) == 0;
}

static void take_acks(struct lane *lane, struct batch *batch, const struct wire_ack *acks, const size_t *places,
                      size_t count, double sent) {
    const double now = lane->last_ack = load_clock();
    for (size_t i = 0; i < count; i++) {
        struct wire_ack *ack = &batch->acks[places[i]];
        *ack = acks[i];
        if (ack->outcome == WIRE_LATER) continue;
        if (ack->outcome == WIRE_REFUSED) {
            lane->run->refused++;
            load_say_refusal(lane->run, ack->error);
            continue;
        }
        lane->run->acknowledged++;
        samples_add(&lane->acks, (now - sent) * 1000);
        if (lane->watch && sampled(lane->run->options, batch->numbers[places[i]]))
            receipt_watch_add(lane->watch, &ack->id, sent);
    }
}

// What of the batch has no final outcome yet, in its order.
static size_t collect_open(const struct batch *batch, struct pt_buf *body, struct wire_ack *acks, size_t *places) {
    size_t count = 0;
    pt_buf_clear(body);
    for (size_t i = 0; i < batch->count; i++) {
        if (!is_open(&batch->acks[i])) continue;
        const size_t start = i ? batch->ends[i - 1] : 0;
        pt_buf_append(body, batch->body.data + start, batch->ends[i] - start);
        acks[count] = (struct wire_ack){.id = batch->acks[i].id};
        places[count++] = i;
    }
    return count;
}

static enum pt_code send_batch(struct lane *lane, struct https_client *client, struct batch *batch, double due,
                               struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf body = PT_BUF_INIT(LOAD_BODY_MAX + STATEMENT_MAX);
    PT_FREE struct wire_ack *acks = calloc(batch->count, sizeof *acks);
    PT_FREE size_t *places = calloc(batch->count, sizeof *places);
    if (!acks || !places) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    for (unsigned attempt = 0; !lane->run->stopping;) {
        unsigned retry_after = 0;
        const size_t count = collect_open(batch, &body, acks, places);
        if (count == 0) return PT_OK;
        if (attempt) lane->run->retried += count;
        enum pt_code code = pt_buf_check(&body, err);
        if (code == PT_OK) code = load_post(lane->run, client, pt_buf_bytes(&body), acks, count, &retry_after, err);
        if (code == PT_OK) {
            take_acks(lane, batch, acks, places, count, due);
            size_t later = 0;
            for (size_t i = 0; i < count; i++) later += acks[i].outcome == WIRE_LATER;
            if (later < count) load_progress_made(lane->run);
            if (later == 0) return PT_OK;
            code = PT_UNAVAILABLE;
            for (size_t i = 0; i < count; i++)
                if (acks[i].outcome == WIRE_LATER) pt_fail(err, code, "gateway", "not taken now: %s", acks[i].error);
        }
        if (code != PT_UNAVAILABLE) return code;
        code = load_pause(lane->run, ++attempt, retry_after, err);
        if (code != PT_OK) return code;
    }
    return PT_OK;
}

static void *send_all(void *arg) {
    struct lane *lane = arg;
    const struct load_options *options = lane->run->options;
    PT_CLEANUP(load_client_free) struct https_client *client = NULL;
    struct pt_error err = {0};
    enum pt_code code = load_client(lane->run, &client, &err);
    for (struct batch *batch; code == PT_OK && (batch = dequeue(lane)) != NULL; batch_free(batch)) {
        // With a rate given, time counts from when the statements were due, however late the line took them.
        double due = load_clock();
        if (options->rate > 0) {
            due = lane->start + (double)lane->sent * options->threads / options->rate;
            load_sleep(due - load_clock());
        }
        lane->sent += batch->count;
        code = send_batch(lane, client, batch, due, &err);
    }
    if (code != PT_OK) load_fail(lane->run, &err);
    return NULL;
}

// --- A lane's life ---

enum pt_code lane_start(struct load_run *run, struct receipt_watch *watch, unsigned number, struct lane **out,
                        struct pt_error *err) {
    struct lane *lane = calloc(1, sizeof *lane);
    if (!lane) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    lane->run = run;
    lane->watch = watch;
    lane->number = number;
    lane->last = &lane->first;
    pthread_mutex_init(&lane->lock, NULL);
    pthread_cond_init(&lane->changed, NULL);
    bool started = pthread_create(&lane->signer, NULL, sign_ahead, lane) == 0;
    if (started && pthread_create(&lane->sender, NULL, send_all, lane) != 0) {
        run->stopping = true;
        pthread_join(lane->signer, NULL);
        started = false;
    }
    if (started) *out = lane;
    else free(lane);
    return started ? PT_OK : pt_fail(err, PT_IO, NULL, "cannot start a thread");
}

bool lane_ready(struct lane *lane) {
    pthread_mutex_lock(&lane->lock);
    const bool ready = lane->full || lane->complete;
    pthread_mutex_unlock(&lane->lock);
    return ready;
}

void lane_send(struct lane *lane, double start) {
    pthread_mutex_lock(&lane->lock);
    lane->sending = true;
    lane->start = start;
    pthread_cond_broadcast(&lane->changed);
    pthread_mutex_unlock(&lane->lock);
}

void lane_finish(struct lane *lane, struct samples *acks, double *last) {
    // A run that stops early must wake both threads, wherever they wait.
    pthread_mutex_lock(&lane->lock);
    pthread_cond_broadcast(&lane->changed);
    pthread_mutex_unlock(&lane->lock);
    pthread_join(lane->sender, NULL);
    pthread_mutex_lock(&lane->lock);
    pthread_cond_broadcast(&lane->changed);
    pthread_mutex_unlock(&lane->lock);
    pthread_join(lane->signer, NULL);
    samples_append(acks, &lane->acks);
    if (lane->last_ack > *last) *last = lane->last_ack;
    samples_free(&lane->acks);
    while (lane->first) {
        struct batch *next = lane->first->next;
        batch_free(lane->first);
        lane->first = next;
    }
    pthread_cond_destroy(&lane->changed);
    pthread_mutex_destroy(&lane->lock);
    free(lane);
}
