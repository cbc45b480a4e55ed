#include "gateway/forward/forward.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/disk.h"
#include "common/base/log.h"
#include "common/wire/wire.h"
#include "gateway/worker/worker.h"

struct forward {
    struct forward_options options;
    struct worker *worker;
    struct https_client *client;
    struct https_client_response response;
    char url[512];
    uint64_t next;      // sequence to send next
    bool started;       // `next` is set
    unsigned failures;  // in a row
    pt_millis retry_at;
    _Atomic pt_millis last_answer;
    struct metric *sent, *failed, *refused, *behind;
};

static pt_millis now_of(const struct forward *forward) { return forward->options.env->now(forward->options.env->ctx); }

static pt_millis back_off(struct forward *forward, unsigned least_seconds) {
    uint64_t random = 0;
    // Without randomness the pause is only less spread.
    if (forward->options.env->random(forward->options.env->ctx, (uint8_t *)&random, sizeof random, NULL) != PT_OK) random = 0;
    if (forward->failures < 32) forward->failures++;
    pt_millis pause = (pt_millis)https_backoff_ms(forward->failures, (uint64_t)forward->options.least_pause,
                                                  (uint64_t)forward->options.most_pause, random);
    if (pause < (pt_millis)least_seconds * 1000) pause = (pt_millis)least_seconds * 1000;
    forward->retry_at = now_of(forward) + pause;
    metric_add(forward->failed, 1);
    return pause;
}

// Keeps a refused block for people to look at: its statements are evidence, whatever was wrong with the block.
static enum pt_code keep_evidence(struct forward *forward, uint64_t sequence, struct pt_bytes block, struct pt_error *err) {
    char path[1024];
    snprintf(path, sizeof path, "%s/refused-%llu.block", forward->options.evidence_dir, (unsigned long long)sequence);
    return pt_file_replace(path, block, 0600, err);
}

static pt_millis finished(struct forward *forward, uint64_t sequence) {
    struct pt_error err = {0};
    if (spool_finished(forward->options.spool, sequence, &err) != PT_OK) {
        pt_log_error("spool-finish-failed", &err);
        return back_off(forward, 0);
    }
    forward->failures = 0;
    forward->next = sequence + 1;
    return 0;
}

static pt_millis refused(struct forward *forward, uint64_t sequence, struct pt_bytes block,
                         const struct wire_block_answer *answer) {
    struct pt_error err = {0};
    metric_add(forward->refused, 1);
    pt_log(PT_LOG_ERROR, "block-refused", "sequence=%llu height=%llu error=%s", (unsigned long long)sequence,
           (unsigned long long)answer->height, answer->error);
    // Not on the chain: perhaps this gateway is not enrolled yet. The block waits.
    if (answer->height == 0) return back_off(forward, 0);
    if (keep_evidence(forward, sequence, block, &err) != PT_OK) {
        pt_log_error("evidence-not-kept", &err);
        return back_off(forward, 0);
    }
    return finished(forward, sequence);
}

static pt_millis settle(struct forward *forward, uint64_t sequence, struct pt_bytes block, const struct pt_digest *digest,
                        const struct wire_block_answer *answer) {
    if (!pt_digest_equal(&answer->block, digest)) {
        pt_log(PT_LOG_ERROR, "answer-for-another-block", "sequence=%llu", (unsigned long long)sequence);
        return back_off(forward, 0);
    }
    switch (answer->outcome) {
    case WIRE_BLOCK_APPLIED:
    case WIRE_BLOCK_DUPLICATE:
        metric_add(forward->sent, 1);
        pt_log(PT_LOG_INFO, "block-accepted", "sequence=%llu height=%llu final=%s", (unsigned long long)sequence,
               (unsigned long long)answer->height, answer->final ? "yes" : "no");
        return answer->final ? finished(forward, sequence) : back_off(forward, 0);
    case WIRE_BLOCK_WAITING: {
        struct spool_status status;
        spool_status(forward->options.spool, &status);
        if (answer->expected >= status.first_unfinished && answer->expected < sequence) {
            forward->next = answer->expected;
            return 0;
        }
        pt_log(PT_LOG_ERROR, "ledger-lacks-finished-blocks", "expected=%llu oldest=%llu",
               (unsigned long long)answer->expected, (unsigned long long)status.first_unfinished);
        return back_off(forward, 0);
    }
    default: return refused(forward, sequence, block, answer);
    }
}

static pt_millis send_block(struct forward *forward, uint64_t sequence, struct pt_bytes block,
                            const struct pt_digest *digest) {
    struct pt_error err = {0};
    const struct https_client_request request = {
        .method = "POST", .url = forward->url, .content_type = WIRE_TYPE_BLOCK, .body = block};
    if (https_client_send(forward->client, &request, &forward->response, &err) != PT_OK) {
        pt_log_error("ledger-not-reached", &err);
        return back_off(forward, 0);
    }
    atomic_store(&forward->last_answer, now_of(forward));
    struct wire_block_answer answer;
    if (forward->response.status != 200 ||
        wire_block_answer_decode(pt_buf_bytes(&forward->response.body), &answer, &err) != PT_OK) {
        pt_log(PT_LOG_WARNING, "block-not-taken", "sequence=%llu status=%u answer=%.200s", (unsigned long long)sequence,
               forward->response.status, pt_buf_cstr(&forward->response.body));
        return back_off(forward, https_client_retry_after(&forward->response, 60));
    }
    return settle(forward, sequence, block, digest, &answer);
}

static pt_millis forward_turn(void *arg) {
    struct forward *forward = arg;
    const pt_millis left = forward->retry_at - now_of(forward);
    if (forward->failures && left > 0) return left;
    struct spool_status status;
    spool_status(forward->options.spool, &status);
    metric_set(forward->behind, (int64_t)(status.waiting + status.unfinished));
    if (!forward->started || forward->next < status.first_unfinished) forward->next = status.first_unfinished;
    forward->started = true;
    if (forward->next >= status.next_sequence) return -1;
    struct pt_error err = {0};
    struct pt_digest digest;
    PT_CLEANUP(pt_buf_free) struct pt_buf block = PT_BUF_INIT(BLOCK_MAX);
    if (spool_block(forward->options.spool, forward->next, &block, &digest, &err) != PT_OK) {
        pt_log_error("block-not-readable", &err);
        return back_off(forward, 0);
    }
    return send_block(forward, forward->next, pt_buf_bytes(&block), &digest);
}

enum pt_code forward_start(const struct forward_options *options, struct forward **out, struct pt_error *err) {
    struct forward *forward = calloc(1, sizeof *forward);
    if (!forward) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    forward->options = *options;
    snprintf(forward->url, sizeof forward->url, "%s" WIRE_PATH_BLOCKS, options->ledger_url);
    const char *name = "packtrail_gateway_blocks_total";
    const char *help = "Blocks sent to the ledger, by outcome.";
    forward->sent = metrics_counter(options->metrics, name, "outcome=\"accepted\"", help);
    forward->failed = metrics_counter(options->metrics, name, "outcome=\"retried\"", help);
    forward->refused = metrics_counter(options->metrics, name, "outcome=\"refused\"", help);
    forward->behind = metrics_gauge(options->metrics, "packtrail_gateway_statements_not_final", NULL,
                                    "Statements accepted here that are not final on the ledger.");
    enum pt_code code = https_client_new(&options->client, &forward->client, err);
    if (code == PT_OK) code = worker_start(forward_turn, forward, &forward->worker, err);
    if (code != PT_OK) {
        forward_stop(forward);
        return code;
    }
    *out = forward;
    return PT_OK;
}

void forward_wake(struct forward *forward) { worker_wake(forward->worker); }

void forward_stop(struct forward *forward) {
    if (!forward) return;
    worker_stop(forward->worker);
    https_client_response_free(&forward->response);
    https_client_free(forward->client);
    free(forward);
}

pt_millis forward_last_answer(const struct forward *forward) { return atomic_load(&forward->last_answer); }
