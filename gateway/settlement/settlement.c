#include "gateway/settlement/settlement.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/cleanup.h"
#include "common/base/disk.h"
#include "common/base/log.h"
#include "common/cose/statement.h"
#include "gateway/settlement/settlement_internal.h"

enum { ERROR_PAUSE_MS = 1000 };

// --- The three kinds of workers ---

static bool trusted(void *arg, const struct pt_digest *kid, uint64_t sequence) {
    const struct settlement *settlement = arg;
    const struct roster_actor *signer = roster_by_kid(settlement->options.roster, kid);
    return !signer || !signer->actor.revoked || sequence <= signer->actor.last_trusted;
}

void settlement_wake(struct settlement *settlement) {
    if (settlement->desk_worker) worker_wake(settlement->desk_worker);
}

static void wake_reporters(struct settlement *settlement) {
    for (unsigned i = 0; i < PLATFORMS; i++)
        if (settlement->lines[i].worker) worker_wake(settlement->lines[i].worker);
}

static pt_millis desk_turn(void *arg) {
    struct settlement *settlement = arg;
    struct pt_error err = {0};
    bool worked = false;
    enum pt_code code = PT_OK;
    while (settlement->desk_worker && !worker_stopping(settlement->desk_worker)) {
        code = desk_sort_one(&settlement->desk, &err);
        if (code == PT_NOT_FOUND) code = desk_derive_one(&settlement->desk, &err);
        if (code != PT_OK) break;
        worked = true;
    }
    // A report that became void lets others go, too.
    if (worked) wake_reporters(settlement);
    if (code == PT_OK || code == PT_NOT_FOUND) return -1;
    pt_log_error("settlement-desk", &err);
    return ERROR_PAUSE_MS;
}

static pt_millis catalogue_turn(void *arg) {
    struct settlement *settlement = arg;
    if (catalogue_step(&settlement->catalogue)) settlement_wake(settlement);
    return settlement->options.feed_interval;
}

static pt_millis reporter_turn(void *arg) {
    struct platform_line *line = arg;
    return reporter_step(&line->reporter);
}

static enum https_outcome post(void *ctx, const char *path, const char *content_type, struct pt_bytes body, unsigned *status,
                               struct pt_buf *answer, struct pt_error *err) {
    struct platform_line *line = ctx;
    char url[1024];
    snprintf(url, sizeof url, "%s%s", line->url, path);
    const struct https_client_request request = {.method = "POST", .url = url, .content_type = content_type, .body = body};
    const enum pt_code code = https_client_send(line->client, &request, &line->response, err);
    enum https_outcome outcome = line->response.outcome;
    *status = line->response.status;
    pt_buf_append_bytes(answer, pt_buf_bytes(&line->response.body));
    // An answer that came only in part says nothing, whatever its first lines were.
    if (outcome == HTTPS_OUTCOME_ANSWERED && (code != PT_OK || answer->failed)) outcome = HTTPS_OUTCOME_UNKNOWN;
    metric_add(outcome == HTTPS_OUTCOME_ANSWERED   ? line->answered
               : outcome == HTTPS_OUTCOME_NOT_SENT ? line->not_sent
                                                   : line->unanswered,
               1);
    return outcome;
}

// --- Starting ---

static enum pt_code load_mapping(struct settlement *settlement, struct pt_error *err) {
    const char *path = settlement->options.mapping_file;
    PT_CLEANUP(pt_buf_free) struct pt_buf file = PT_BUF_INIT(MAPPING_MAX);
    struct pt_error own = {0};
    enum pt_code code = pt_file_read(path, &file, &own);
    if (code == PT_OK) code = mapping_parse(pt_buf_bytes(&file), &settlement->mapping, &own);
    if (code != PT_OK) return pt_fail(err, PT_USAGE, path, "%s%s%s", own.where[0] == '/' ? own.where : "", own.where[0] == '/' ? ": " : "", own.what);
    for (size_t i = 0; i < settlement->mapping.kind_count; i++)
        for (unsigned p = 0; p < PLATFORMS; p++)
            if (!settlement->lines[p].url[0]) settlement->mapping.kinds[i].outputs[p] = (struct mapping_output){0};
    return PT_OK;
}

static enum pt_code open_own_store(struct settlement *settlement, struct pt_error *err) {
    char path[1024];
    const char *dir = settlement->options.directory;
    if (mkdir(dir, 0700) != 0 && errno != EEXIST) return pt_fail_errno(err, dir, "cannot make the directory");
    snprintf(path, sizeof path, "%s/reports.sqlite", dir);
    return store_open(path, &settlement->store, err);
}

static void make_metrics(struct settlement *settlement) {
    struct metrics *metrics = settlement->options.metrics;
    char labels[96];
    const char *sent = "packtrail_settlement_messages_total", *sent_help = "Messages to the platforms, by whether an answer came.";
    settlement->unsorted = metrics_gauge(metrics, "packtrail_settlement_scans_waiting", NULL, "Events taken whose reports are not made yet.");
    for (unsigned p = 0; p < PLATFORMS; p++) {
        struct platform_line *line = &settlement->lines[p];
        const char *name = platform_name((enum platform)p);
        snprintf(labels, sizeof labels, "platform=\"%s\",outcome=\"answered\"", name);
        line->answered = metrics_counter(metrics, sent, labels, sent_help);
        snprintf(labels, sizeof labels, "platform=\"%s\",outcome=\"unknown\"", name);
        line->unanswered = metrics_counter(metrics, sent, labels, sent_help);
        snprintf(labels, sizeof labels, "platform=\"%s\",outcome=\"not_sent\"", name);
        line->not_sent = metrics_counter(metrics, sent, labels, sent_help);
        for (unsigned s = REPORT_WAITING; s <= REPORT_VOID; s++) {
            snprintf(labels, sizeof labels, "platform=\"%s\",state=\"%s\"", name, report_state_name((enum report_state)s));
            line->states[s] = metrics_gauge(metrics, "packtrail_settlement_reports", labels, "Reports by state.");
        }
    }
}

static enum pt_code start_line(struct settlement *settlement, enum platform platform, struct pt_error *err) {
    struct platform_line *line = &settlement->lines[platform];
    if (!line->url[0]) return PT_OK;
    line->reporter = (struct reporter){
        .platform = platform,
        .mapping = &settlement->mapping,
        .store = settlement->store,
        .client = {post, line},
        .env = settlement->options.env,
        .pauses = settlement->options.pauses,
    };
    enum pt_code code = https_client_new(&settlement->options.platform_client, &line->client, err);
    if (code == PT_OK) code = worker_start(reporter_turn, line, &line->worker, err);
    return code;
}

static enum pt_code start_workers(struct settlement *settlement, struct pt_error *err) {
    const struct settlement_options *o = &settlement->options;
    settlement->desk = (struct desk){&settlement->mapping, settlement->store, o->env, trusted, settlement};
    settlement->catalogue = (struct catalogue){
        .store = settlement->store, .roster = o->roster, .genesis = o->genesis, .ledger_url = o->ledger_url};
    enum pt_code code = https_client_new(&o->ledger_client, &settlement->catalogue.client, err);
    for (unsigned p = 0; p < PLATFORMS && code == PT_OK; p++) code = start_line(settlement, (enum platform)p, err);
    if (code == PT_OK) code = worker_start(desk_turn, settlement, &settlement->desk_worker, err);
    if (code == PT_OK) code = worker_start(catalogue_turn, settlement, &settlement->catalogue_worker, err);
    return code;
}

enum pt_code settlement_start(const struct settlement_options *options, struct settlement **out, struct pt_error *err) {
    struct settlement *settlement = calloc(1, sizeof *settlement);
    if (!settlement) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    settlement->options = *options;
    for (unsigned p = 0; p < PLATFORMS; p++) {
        settlement->lines[p].settlement = settlement;
        snprintf(settlement->lines[p].url, sizeof settlement->lines[p].url, "%s", options->urls[p] ? options->urls[p] : "");
    }
    make_metrics(settlement);
    enum pt_code code = load_mapping(settlement, err);
    if (code == PT_OK) code = open_own_store(settlement, err);
    if (code == PT_OK) code = start_workers(settlement, err);
    if (code != PT_OK) {
        settlement_stop(settlement);
        return code;
    }
    *out = settlement;
    return PT_OK;
}

void settlement_stop(struct settlement *settlement) {
    if (!settlement) return;
    worker_stop(settlement->catalogue_worker);
    worker_stop(settlement->desk_worker);
    for (unsigned p = 0; p < PLATFORMS; p++) {
        struct platform_line *line = &settlement->lines[p];
        worker_stop(line->worker);
        https_client_response_free(&line->response);
        if (line->client) https_client_free(line->client);
    }
    https_client_response_free(&settlement->catalogue.response);
    if (settlement->catalogue.client) https_client_free(settlement->catalogue.client);
    store_close(settlement->store);
    mapping_free(&settlement->mapping);
    free(settlement);
}

// --- Taking ---

enum pt_code settlement_take(struct settlement *settlement, const struct pt_digest *id, struct pt_bytes statement, pt_millis now,
                             struct pt_error *err) {
    struct statement decoded;
    enum pt_code code = statement_decode(statement, &decoded, err);
    if (code != PT_OK) return code;
    if (!pt_bytes_equal(decoded.content_type, pt_bytes_str(STATEMENT_EVENT_CBOR)) &&
        !pt_bytes_equal(decoded.content_type, pt_bytes_str(STATEMENT_EVENT_JSON)))
        return PT_OK;
    if (!settlement->taking) {
        code = store_begin(settlement->store, err);
        if (code != PT_OK) return code;
        settlement->taking = true;
    }
    return store_add_scan(settlement->store, id, statement, now, err);
}

enum pt_code settlement_taken(struct settlement *settlement, struct pt_error *err) {
    if (!settlement->taking) return PT_OK;
    settlement->taking = false;
    const enum pt_code code = store_commit(settlement->store, err);
    if (code == PT_OK) settlement_wake(settlement);
    return code;
}

struct recovery {
    struct settlement *settlement;
    pt_millis now;
};

static enum pt_code recover_one(void *arg, const struct pt_digest *id, struct pt_bytes statement, struct pt_error *err) {
    const struct recovery *recovery = arg;
    return settlement_take(recovery->settlement, id, statement, recovery->now, err);
}

enum pt_code settlement_recover(struct settlement *settlement, struct spool *spool, struct pt_error *err) {
    struct recovery recovery = {settlement, settlement->options.env->now(settlement->options.env->ctx)};
    const enum pt_code code = spool_each(spool, recover_one, &recovery, err);
    struct pt_error own = {0};
    const enum pt_code taken = settlement_taken(settlement, &own);
    if (code != PT_OK || taken == PT_OK) return code;
    return pt_fail(err, taken, own.where, "%s", own.what);
}

void settlement_measure(struct settlement *settlement) {
    int64_t count = 0;
    if (store_count_unsorted(settlement->store, &count, NULL) == PT_OK) metric_set(settlement->unsorted, count);
    for (unsigned p = 0; p < PLATFORMS; p++)
        for (unsigned s = REPORT_WAITING; s <= REPORT_VOID; s++)
            if (store_count(settlement->store, (enum platform)p, (enum report_state)s, &count, NULL) == PT_OK)
                metric_set(settlement->lines[p].states[s], count);
}
