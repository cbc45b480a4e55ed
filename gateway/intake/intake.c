#include "gateway/intake/intake.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/log.h"
#include "common/base/wait.h"
#include "common/wire/wire.h"

// One POST /statements on its way through: what was checked, and who waits for the outcome.
struct submission {
    struct submission *next;
    struct https_deferred *deferred;
    struct pt_buf body;
    struct pt_bytes *statements;  // views into body
    struct wire_ack *acks;
    size_t count;
};

struct intake {
    struct intake_options options;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct submission *first, **last;  // queue
    size_t waiting_bytes;
    bool stopping;
    struct metric *accepted, *duplicates, *refused, *later;
};

static void free_submission(struct submission *submission) {
    if (!submission) return;
    pt_buf_free(&submission->body);
    free(submission->statements);
    free(submission->acks);
    free(submission);
}

static void set_outcome(struct wire_ack *ack, enum wire_outcome outcome, const char *why) {
    ack->outcome = outcome;
    snprintf(ack->error, sizeof ack->error, "%s", why);
}

static void set_error(struct wire_ack *ack, enum wire_outcome outcome, const struct pt_error *err) {
    ack->outcome = outcome;
    const int place = (int)strnlen(err->where, 80);
    snprintf(ack->error, sizeof ack->error, "%.160s%s%.*s%s", err->what, place ? " (" : "", place, err->where, place ? ")" : "");
}

// Checks one statement; an ack without outcome afterwards means: good, to be written. Nothing here looks at the
// payload: what an event means is for the ledger's contracts, the same ones on every node.
static void check(struct intake *intake, struct pt_bytes bytes, struct wire_ack *ack) {
    struct pt_error err = {0};
    struct statement statement;
    ack->id = statement_id(bytes);
    if (statement_decode(bytes, &statement, &err) != PT_OK) {
        set_error(ack, WIRE_REFUSED, &err);
        return;
    }
    if (!pt_digest_equal(&statement.genesis, &intake->options.genesis)) {
        set_outcome(ack, WIRE_REFUSED, "signed for another ledger (genesis hash)");
        return;
    }
    const struct roster_actor *signer = roster_by_kid(intake->options.roster, &statement.kid);
    if (!signer) {
        // Perhaps enrolled a moment ago. The device keeps the statement, so nothing is lost by asking it to wait.
        intake->options.signer_unknown(intake->options.arg);
        set_outcome(ack, WIRE_LATER, "the signer is not enrolled, as far as this gateway knows");
        return;
    }
    if (statement_verify(&statement, signer->key, &intake->options.genesis, &err) != PT_OK)
        set_error(ack, WIRE_REFUSED, &err);
}

static struct submission *new_submission(struct pt_bytes body, struct pt_error *err) {
    struct submission *submission = calloc(1, sizeof *submission);
    if (submission) {
        submission->body = PT_BUF_INIT(WIRE_MAX_BODY);
        submission->statements = calloc(WIRE_MAX_STATEMENTS, sizeof *submission->statements);
        submission->acks = calloc(WIRE_MAX_STATEMENTS, sizeof *submission->acks);
        pt_buf_append_bytes(&submission->body, body);
        if (submission->statements && submission->acks && !submission->body.failed) return submission;
    }
    free_submission(submission);
    pt_fail(err, PT_UNAVAILABLE, NULL, "no room for the request");
    return NULL;
}

void intake_post_statements(void *arg, struct https_request *request) {
    struct intake *intake = arg;
    struct pt_error err = {0};
    struct submission *submission = new_submission(https_request_body(request), &err);
    if (!submission) {
        https_reply_problem(request, &err);
        return;
    }
    if (wire_split_sequence(pt_buf_bytes(&submission->body), submission->statements, WIRE_MAX_STATEMENTS,
                            &submission->count, &err) != PT_OK) {
        https_reply_problem(request, &err);
        free_submission(submission);
        return;
    }
    for (size_t i = 0; i < submission->count; i++) check(intake, submission->statements[i], &submission->acks[i]);

    pthread_mutex_lock(&intake->lock);
    const bool full = intake->waiting_bytes + submission->body.len > intake->options.most_waiting_bytes;
    if (!full && !intake->stopping) {
        submission->deferred = https_request_defer(request);
        if (submission->deferred) {
            intake->waiting_bytes += submission->body.len;
            *intake->last = submission;
            intake->last = &submission->next;
            pthread_cond_signal(&intake->work);
            submission = NULL;
        }
    }
    pthread_mutex_unlock(&intake->lock);
    if (!submission) return;
    pt_fail(&err, PT_UNAVAILABLE, NULL, "the gateway is busy; the same statements may be sent again");
    https_reply_problem(request, &err);
    free_submission(submission);
}

static void write_statements(struct intake *intake, struct submission *submission, pt_millis now) {
    for (size_t i = 0; i < submission->count; i++) {
        struct wire_ack *ack = &submission->acks[i];
        if (ack->outcome) continue;
        struct pt_error err = {0};
        enum spool_added added;
        if (spool_add(intake->options.spool, submission->statements[i], &ack->id, now, &added, &err) != PT_OK) {
            // Said once, with the system's reason; the sync that follows fails and ends the process.
            if (err.sys_errno) pt_log_error("spool-write-failed", &err);
            set_error(ack, WIRE_LATER, &err);
        } else ack->outcome = added == SPOOL_ADDED ? WIRE_ACCEPTED : WIRE_DUPLICATE;
    }
}

static void count_outcomes(struct intake *intake, const struct submission *submission) {
    for (size_t i = 0; i < submission->count; i++) {
        struct metric *of[] = {NULL, intake->accepted, intake->duplicates, intake->refused, intake->later};
        metric_add(of[submission->acks[i].outcome], 1);
    }
}

static void acknowledge(struct intake *intake, struct submission *submission, const struct pt_error *sync_error) {
    for (size_t i = 0; sync_error && i < submission->count; i++) {
        struct wire_ack *ack = &submission->acks[i];
        if (ack->outcome == WIRE_ACCEPTED || ack->outcome == WIRE_DUPLICATE) set_error(ack, WIRE_LATER, sync_error);
    }
    count_outcomes(intake, submission);
    struct pt_error err = {0};
    struct pt_buf body = PT_BUF_INIT(WIRE_MAX_BODY);
    if (wire_acks_encode(submission->acks, submission->count, &body, &err) == PT_OK) {
        const struct https_response response = {.status = 200, .content_type = WIRE_TYPE_JSON, .body = pt_buf_bytes(&body)};
        https_reply_later(submission->deferred, &response);
    } else https_reply_later_problem(submission->deferred, &err);
    pt_buf_free(&body);
    free_submission(submission);
}

// Hands on what is to be acknowledged. Duplicates, too: the first time something may have ended between spool and there.
static enum pt_code hand_on(struct intake *intake, const struct submission *list, pt_millis now, struct pt_error *err) {
    enum pt_code code = PT_OK;
    if (!intake->options.taken) return PT_OK;
    for (const struct submission *s = list; s; s = s->next)
        for (size_t i = 0; i < s->count && code == PT_OK; i++)
            if (s->acks[i].outcome == WIRE_ACCEPTED || s->acks[i].outcome == WIRE_DUPLICATE)
                code = intake->options.taken(intake->options.arg, &s->acks[i].id, s->statements[i], now, err);
    struct pt_error end_err = {0};
    const enum pt_code ended = intake->options.all_taken(intake->options.arg, &end_err);
    if (code != PT_OK || ended == PT_OK) return code;
    return pt_fail(err, ended, end_err.where, "%s", end_err.what);
}

static void write_all(struct intake *intake, struct submission *list) {
    const pt_millis now = intake->options.env->now(intake->options.env->ctx);
    struct pt_error err = {0};
    for (struct submission *s = list; s; s = s->next) write_statements(intake, s, now);
    // One fsync for every request that came meanwhile.
    bool failed = spool_sync(intake->options.spool, &err) != PT_OK;
    if (failed) {
        pt_log_error("spool-sync-failed", &err);
        intake->options.disk_failed(intake->options.arg);
    } else if (hand_on(intake, list, now, &err) != PT_OK) {
        pt_log_error("statements-not-handed-on", &err);
        failed = true;
    }
    while (list) {
        struct submission *next = list->next;
        acknowledge(intake, list, failed ? &err : NULL);
        list = next;
    }
}

static void seal(struct intake *intake, bool flush) {
    struct pt_error err = {0};
    size_t sealed = 0;
    const pt_millis now = intake->options.env->now(intake->options.env->ctx);
    if (spool_seal_due(intake->options.spool, now, flush, &sealed, &err) != PT_OK) {
        pt_log_error("seal-failed", &err);
        intake->options.disk_failed(intake->options.arg);
    }
    if (sealed) intake->options.block_sealed(intake->options.arg);
}

// Waits for requests, or until a block is due by age. The lock is held.
static void wait_for_work(struct intake *intake) {
    if (intake->first || intake->stopping) return;
    const pt_millis due = spool_next_due(intake->options.spool, intake->options.env->now(intake->options.env->ctx));
    // At least some milliseconds: after a failed seal the block stays due.
    pt_wait(&intake->work, &intake->lock, due >= 0 && due < 5 ? 5 : due);
}

static void *run(void *arg) {
    struct intake *intake = arg;
    for (;;) {
        pthread_mutex_lock(&intake->lock);
        wait_for_work(intake);
        struct submission *list = intake->first;
        intake->first = NULL;
        intake->last = &intake->first;
        intake->waiting_bytes = 0;
        const bool stopping = intake->stopping;
        pthread_mutex_unlock(&intake->lock);
        if (list) write_all(intake, list);
        seal(intake, stopping);
        if (stopping && !list) return NULL;
    }
}

enum pt_code intake_start(const struct intake_options *options, struct intake **out, struct pt_error *err) {
    struct intake *intake = calloc(1, sizeof *intake);
    if (!intake) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    intake->options = *options;
    intake->last = &intake->first;
    const char *name = "packtrail_gateway_statements_total";
    const char *help = "Statements received, by outcome.";
    intake->accepted = metrics_counter(options->metrics, name, "outcome=\"accepted\"", help);
    intake->duplicates = metrics_counter(options->metrics, name, "outcome=\"duplicate\"", help);
    intake->refused = metrics_counter(options->metrics, name, "outcome=\"refused\"", help);
    intake->later = metrics_counter(options->metrics, name, "outcome=\"later\"", help);
    pthread_mutex_init(&intake->lock, NULL);
    pt_wait_init(&intake->work);
    if (pthread_create(&intake->thread, NULL, run, intake) != 0) {
        free(intake);
        return pt_fail(err, PT_IO, NULL, "cannot start a thread");
    }
    *out = intake;
    return PT_OK;
}

void intake_stop(struct intake *intake) {
    if (!intake) return;
    pthread_mutex_lock(&intake->lock);
    intake->stopping = true;
    pthread_cond_signal(&intake->work);
    pthread_mutex_unlock(&intake->lock);
    pthread_join(intake->thread, NULL);
    pthread_cond_destroy(&intake->work);
    pthread_mutex_destroy(&intake->lock);
    free(intake);
}
