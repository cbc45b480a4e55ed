#include "gateway/settlement/reporter.h"

#include "common/base/cleanup.h"
#include "common/base/log.h"
#include "gateway/settlement/derive.h"

enum { STORE_PAUSE_MS = 1000 };

static pt_millis now_of(const struct reporter *reporter) { return reporter->env->now(reporter->env->ctx); }

static uint64_t random_of(const struct reporter *reporter) {
    uint64_t random = 0;
    // Without randomness the pauses are only less spread.
    return reporter->env->random(reporter->env->ctx, (uint8_t *)&random, sizeof random, NULL) == PT_OK ? random : 0;
}

// The store failed: said, and tried again. What was sent stays `unknown` on disk, which is true.
static pt_millis failed(const char *what, const struct pt_error *err) {
    pt_log_error(what, err);
    return STORE_PAUSE_MS;
}

// Nothing can be reached: one attempt a pause for the platform, not one for each report.
static void way_closed(struct reporter *reporter, bool closed) {
    if (!closed) {
        reporter->failures = 0;
        reporter->closed_until = 0;
        return;
    }
    if (reporter->failures < 32) reporter->failures++;
    reporter->closed_until = now_of(reporter) + (pt_millis)https_backoff_ms(reporter->failures, (uint64_t)reporter->pauses.least,
                                                                            (uint64_t)reporter->pauses.most, random_of(reporter));
}

// What a report's end means for the one that it takes back, or that takes it back.
static enum pt_code save_linked(struct reporter *reporter, const struct report *report, struct pt_error *err) {
    struct report other;
    enum pt_code code = PT_OK;
    if (report->state == REPORT_ACCEPTED && report->reverses) {
        code = store_report(reporter->store, report->reverses, &other, err);
        if (code == PT_OK && other.state == REPORT_ACCEPTED) {
            other.state = REPORT_REVERSED;
            other.changed = now_of(reporter);
            code = store_save_report(reporter->store, &other, err);
        }
    }
    if (report->state == REPORT_REFUSED && !report->undo) {
        code = store_reversal_of(reporter->store, report->number, &other, err);
        if (code == PT_OK && other.state == REPORT_WAITING) {
            report_void(&other, "what it takes back was refused", now_of(reporter));
            code = store_save_report(reporter->store, &other, err);
        }
        if (code == PT_NOT_FOUND) code = PT_OK;
    }
    return code;
}

static enum pt_code save(struct reporter *reporter, const struct report *report, struct pt_bytes answer, struct pt_error *err) {
    enum pt_code code = store_begin(reporter->store, err);
    if (code != PT_OK) return code;
    code = store_save_report(reporter->store, report, err);
    if (code == PT_OK && answer.len) code = store_set_answer(reporter->store, report->number, answer, err);
    if (code == PT_OK) code = save_linked(reporter, report, err);
    if (code == PT_OK) return store_commit(reporter->store, err);
    store_rollback(reporter->store);
    return code;
}

static void tell(const struct report *report) {
    char serial[REPORT_SERIAL_MAX + 1];
    report_serial(report, serial);
    const enum pt_log_level level = report->state == REPORT_REFUSED ? PT_LOG_WARNING : PT_LOG_INFO;
    pt_log(level, "settlement-report", "platform=%s serial=%s state=%s level=%s code=%s reason=%.200s", platform_name(report->platform),
           serial, report_state_name(report->state), report->level, report->code, report->reason);
}

// The step to `unknown`, durable before the first byte goes. Read again inside: an error declaration may have come between
// and found the report still waiting.
static enum pt_code mark_sending(struct reporter *reporter, struct report *report, bool *good, struct pt_error *err) {
    *good = false;
    enum pt_code code = store_begin(reporter->store, err);
    if (code != PT_OK) return code;
    code = store_report(reporter->store, report->number, report, err);
    *good = code == PT_OK && report->state == REPORT_WAITING && report->ready;
    if (*good) {
        report_sending(report, now_of(reporter));
        code = store_save_report(reporter->store, report, err);
    }
    if (code == PT_OK) return store_commit(reporter->store, err);
    store_rollback(reporter->store);
    return code;
}

static pt_millis send(struct reporter *reporter, struct report *report) {
    PT_CLEANUP(pt_buf_free) struct pt_buf document = PT_BUF_INIT(DOCUMENT_MAX), body = PT_BUF_INIT(ANSWER_MAX);
    const struct mapping_platform *platform = &reporter->mapping->platforms[report->platform];
    const char *type = report->platform == PLATFORM_TRACE ? "application/xml" : "application/json";
    struct pt_error err = {0};
    unsigned status = 0;
    if (store_document(reporter->store, report->number, &document, &err) != PT_OK) return failed("settlement-document", &err);
    bool good;
    if (mark_sending(reporter, report, &good, &err) != PT_OK) return failed("settlement-not-marked", &err);
    if (!good) return 0;
    const enum https_outcome outcome =
        reporter->client.post(reporter->client.ctx, platform->send_path, type, pt_buf_bytes(&document), &status, &body, &err);
    struct answer answer = {.meaning = ANSWER_UNCLEAR};
    if (outcome == HTTPS_OUTCOME_NOT_SENT) {
        report_not_sent(report, &reporter->pauses, now_of(reporter), random_of(reporter), err.what);
    } else {
        if (outcome == HTTPS_OUTCOME_ANSWERED) answer_read(&platform->sent, status, pt_buf_bytes(&body), &answer);
        report_answered(report, &answer, &reporter->pauses, now_of(reporter), random_of(reporter));
    }
    way_closed(reporter, outcome == HTTPS_OUTCOME_NOT_SENT);
    tell(report);
    return save(reporter, report, pt_buf_bytes(&body), &err) == PT_OK ? 0 : failed("settlement-not-saved", &err);
}

static pt_millis ask(struct reporter *reporter, struct report *report) {
    PT_CLEANUP(pt_buf_free) struct pt_buf question = PT_BUF_INIT(DOCUMENT_MAX), body = PT_BUF_INIT(ANSWER_MAX);
    const struct mapping_platform *platform = &reporter->mapping->platforms[report->platform];
    char serial[REPORT_SERIAL_MAX + 1];
    struct pt_error err = {0};
    unsigned status = 0;
    report_serial(report, serial);
    if (derive_question(reporter->mapping, report->platform, serial, report->kind, &question, &err) != PT_OK)
        return failed("settlement-question", &err);
    const enum https_outcome outcome =
        reporter->client.post(reporter->client.ctx, platform->ask_path, "application/json", pt_buf_bytes(&question), &status, &body, &err);
    struct answer answer = {.meaning = ANSWER_UNCLEAR};
    if (outcome == HTTPS_OUTCOME_ANSWERED) answer_read(&platform->asked, status, pt_buf_bytes(&body), &answer);
    report_asked(report, &answer, &reporter->pauses, now_of(reporter), random_of(reporter));
    way_closed(reporter, outcome == HTTPS_OUTCOME_NOT_SENT);
    tell(report);
    return save(reporter, report, pt_buf_bytes(&body), &err) == PT_OK ? 0 : failed("settlement-not-saved", &err);
}

// A reversal tells of something that the platform must have: nothing is sent before its original is accepted.
static pt_millis check_original(struct reporter *reporter, struct report *report, bool *good) {
    struct report original;
    struct pt_error err = {0};
    *good = report->reverses == 0;
    if (*good) return 0;
    if (store_report(reporter->store, report->reverses, &original, &err) != PT_OK) return failed("settlement-original", &err);
    *good = original.state == REPORT_ACCEPTED;
    if (*good) return 0;
    if (report_is_open(&original)) report->due = now_of(reporter) + reporter->pauses.least;
    else report_void(report, "what it takes back is not with the platform", now_of(reporter));
    return store_save_report(reporter->store, report, &err) == PT_OK ? 0 : failed("settlement-not-saved", &err);
}

pt_millis reporter_step(struct reporter *reporter) {
    struct report report;
    struct pt_error err = {0};
    pt_millis next;
    const pt_millis now = now_of(reporter);
    if (reporter->closed_until > now) return reporter->closed_until - now;
    const enum pt_code code = store_due_report(reporter->store, reporter->platform, now, &report, &next, &err);
    if (code == PT_NOT_FOUND) return next < 0 ? -1 : next > now ? next - now : 0;
    if (code != PT_OK) return failed("settlement-store", &err);
    if (report.state == REPORT_UNKNOWN) return ask(reporter, &report);
    bool good;
    const pt_millis pause = check_original(reporter, &report, &good);
    return good ? send(reporter, &report) : pause;
}
