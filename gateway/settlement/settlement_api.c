#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/net/problem.h"
#include "gateway/settlement/settlement_internal.h"

#define TYPE_JSON "application/json"
enum { LIST_DEFAULT = 100, LIST_MOST = 1000, TOKEN_MAX = 128 };

// --- Reports as JSON ---

static void set_text(json_t *object, const char *name, const char *value) {
    json_object_set_new(object, name, value && value[0] ? json_string(value) : json_null());
}

static void set_time(json_t *object, const char *name, pt_millis time) {
    PT_CLEANUP(pt_buf_free) struct pt_buf text = PT_BUF_INIT(64);
    const struct pt_instant instant = pt_instant_from_millis(time);
    pt_instant_append_utc_ms(&text, &instant);
    json_object_set_new(object, name, time ? json_string(pt_buf_cstr(&text)) : json_null());
}

static json_t *report_json(const struct report *report, pt_millis now) {
    char statement[65], id[80], serial[REPORT_SERIAL_MAX + 1];
    json_t *object = json_object();
    pt_digest_hex(&report->statement, statement);
    snprintf(id, sizeof id, "%s-%s", statement, platform_name(report->platform));
    report_serial(report, serial);
    set_text(object, "id", id);
    set_text(object, "platform", platform_name(report->platform));
    set_text(object, "kind", report->kind);
    set_text(object, "state", report_state_name(report->state));
    json_object_set_new(object, "undo", json_boolean(report->undo));
    set_text(object, "statement", statement);
    set_text(object, "serial", serial);
    set_text(object, "level", report->level);
    set_text(object, "code", report->code);
    set_text(object, "reason", report->reason);
    json_t *waits = json_array();
    char key[LACK_MAX];
    for (size_t at = 0; lacks_next(&report->lacks, &at, key);) json_array_append_new(waits, json_string(key));
    json_object_set_new(object, "waits_for", waits);
    json_object_set_new(object, "attempts", json_integer(report->attempts));
    json_object_set_new(object, "age_ms", json_integer(now - report->created));
    set_time(object, "created", report->created);
    set_time(object, "changed", report->changed);
    set_time(object, "sent", report->sent);
    return object;
}

static pt_millis now_of(const struct settlement *settlement) { return settlement->options.env->now(settlement->options.env->ctx); }

static void reply_json(struct https_request *request, const json_t *value) {
    PT_CLEANUP(pt_buf_free) struct pt_buf body = PT_BUF_INIT((size_t)8 * 1024 * 1024);
    struct pt_error err = {0};
    if (pt_json_append(&body, value, &err) == PT_OK) https_reply_text(request, 200, TYPE_JSON, pt_buf_bytes(&body));
    else https_reply_problem(request, &err);
}

// --- The list ---

struct listing {
    json_t *reports;
    pt_millis now;
    int64_t last;
    size_t count;
};

static enum pt_code list_one(void *arg, const struct report *report, struct pt_error *err) {
    struct listing *listing = arg;
    listing->last = report->number;
    listing->count++;
    if (json_array_append_new(listing->reports, report_json(report, listing->now)) == 0) return PT_OK;
    return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
}

static enum pt_code read_number(const struct https_request *request, const char *name, int64_t most, int64_t *out, struct pt_error *err) {
    const char *text = https_request_query(request, name, 0);
    if (!text) return PT_OK;
    char *end;
    const long long value = strtoll(text, &end, 10);
    if (!text[0] || *end || value < 0 || value > most)
        return pt_fail(err, PT_INVALID, NULL, "%s must be a number of at most %lld", name, (long long)most);
    *out = value;
    return PT_OK;
}

static enum pt_code read_filter(const struct https_request *request, enum report_state *state, pt_millis *since, int64_t *from,
                                int64_t *limit, struct pt_error *err) {
    const char *name = https_request_query(request, "state", 0), *time = https_request_query(request, "since", 0);
    if (name && !report_state_named(name, state))
        return pt_fail(err, PT_INVALID, NULL, "state must be waiting, unknown, accepted, refused, reversed or void");
    if (time) {
        struct pt_instant instant;
        const enum pt_code code = pt_instant_parse(pt_bytes_str(time), &instant, err);
        if (code != PT_OK) return pt_error_under(err, "since ");
        *since = pt_instant_millis(&instant);
    }
    const enum pt_code code = read_number(request, "from", INT64_MAX, from, err);
    return code == PT_OK ? read_number(request, "limit", LIST_MOST, limit, err) : code;
}

void settlement_get_reports(struct settlement *settlement, struct https_request *request) {
    struct pt_error err = {0};
    enum report_state state = (enum report_state)0;
    pt_millis since = 0;
    int64_t from = 0, limit = LIST_DEFAULT;
    PT_JSON json_t *answer = json_object();
    struct listing listing = {.reports = json_array(), .now = now_of(settlement)};
    enum pt_code code = read_filter(request, &state, &since, &from, &limit, &err);
    if (code == PT_OK) code = store_list(settlement->store, state, since, from, (size_t)limit, list_one, &listing, &err);
    json_object_set_new(answer, "reports", listing.reports);
    if (code != PT_OK) {
        https_reply_problem(request, &err);
        return;
    }
    // Where the next page begins; null at the end.
    json_object_set_new(answer, "next", (int64_t)listing.count == limit && limit > 0 ? json_integer(listing.last + 1) : json_null());
    reply_json(request, answer);
}

// --- One report ---

// {id}: the statement's 64 hex digits, a dash, the platform's name.
static enum pt_code find_report(struct settlement *settlement, const struct https_request *request, struct report *out, struct pt_error *err) {
    const char *id = https_request_param(request, "id");
    enum platform platform;
    struct pt_digest statement;
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = PT_BUF_INIT(PT_DIGEST_SIZE);
    if (!id || strlen(id) < 66 || id[64] != '-' || !platform_named(id + 65, &platform) ||
        pt_hex_decode(pt_bytes_of(id, 64), &bytes, NULL) != PT_OK)
        return pt_fail(err, PT_INVALID, NULL, "a report's id is the statement's 64 hex digits, a dash, and trace or insurer");
    memcpy(statement.bytes, bytes.data, PT_DIGEST_SIZE);
    const enum pt_code code = store_report_of(settlement->store, &statement, platform, out, err);
    return code == PT_NOT_FOUND ? pt_fail(err, PT_NOT_FOUND, NULL, "there is no such report here") : code;
}

void settlement_get_report(struct settlement *settlement, struct https_request *request) {
    struct pt_error err = {0};
    struct report report;
    if (find_report(settlement, request, &report, &err) != PT_OK) {
        https_reply_problem(request, &err);
        return;
    }
    PT_JSON json_t *answer = report_json(&report, now_of(settlement));
    PT_CLEANUP(pt_buf_free) struct pt_buf document = PT_BUF_INIT(DOCUMENT_MAX), last = PT_BUF_INIT(ANSWER_MAX);
    const bool has_document = store_document(settlement->store, report.number, &document, NULL) == PT_OK;
    json_object_set_new(answer, "document", has_document ? json_stringn((const char *)document.data, document.len) : json_null());
    // What the platform answered last; of bytes that are no text only their absence is told.
    const bool has_answer = store_answer(settlement->store, report.number, &last, NULL) == PT_OK && last.len > 0;
    json_t *text = has_answer ? json_stringn((const char *)last.data, last.len) : NULL;
    json_object_set_new(answer, "answer", text ? text : json_null());
    reply_json(request, answer);
}

void settlement_get_document(struct settlement *settlement, struct https_request *request) {
    struct pt_error err = {0};
    struct report report;
    PT_CLEANUP(pt_buf_free) struct pt_buf document = PT_BUF_INIT(DOCUMENT_MAX);
    enum pt_code code = find_report(settlement, request, &report, &err);
    if (code == PT_OK) code = store_document(settlement->store, report.number, &document, &err);
    if (code == PT_NOT_FOUND && err.where[0]) pt_fail(&err, PT_NOT_FOUND, NULL, "the report has no document yet");
    if (code != PT_OK) https_reply_problem(request, &err);
    else https_reply_text(request, 200, report.platform == PLATFORM_TRACE ? "application/xml" : TYPE_JSON, pt_buf_bytes(&document));
}

// A refused sale that was taken back meanwhile must not be sent after all.
static enum pt_code retry(struct settlement *settlement, struct report *report, struct pt_error *err) {
    struct report reversal;
    enum pt_code code = store_begin(settlement->store, err);
    if (code != PT_OK) return code;
    code = store_report(settlement->store, report->number, report, err);
    if (code == PT_OK) code = report_retry(report, now_of(settlement), err);
    if (code == PT_OK) {
        code = store_reversal_of(settlement->store, report->number, &reversal, err);
        if (code == PT_OK) code = pt_fail(err, PT_CONFLICT, NULL, "the event was taken back; there is nothing to send any more");
        else if (code == PT_NOT_FOUND) code = PT_OK;
    }
    if (code == PT_OK) code = store_save_report(settlement->store, report, err);
    if (code == PT_OK) return store_commit(settlement->store, err);
    store_rollback(settlement->store);
    return code;
}

void settlement_post_retry(struct settlement *settlement, struct https_request *request) {
    struct pt_error err = {0};
    struct report report;
    enum pt_code code = find_report(settlement, request, &report, &err);
    if (code == PT_OK) code = retry(settlement, &report, &err);
    if (code != PT_OK) {
        https_reply_problem(request, &err);
        return;
    }
    settlement_wake(settlement);
    PT_JSON json_t *answer = report_json(&report, now_of(settlement));
    reply_json(request, answer);
}

// --- The pharmacy's record of a sale ---

static bool is_scalar(const json_t *value) { return json_is_string(value) || json_is_number(value) || json_is_boolean(value); }

static enum pt_code check_fields(const json_t *object, const char *where, bool line, struct pt_error *err) {
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)object, name, value) {
        bool good = is_scalar(value);
        if (line && strcmp(name, "codes") == 0) {
            good = json_is_array(value);
            for (size_t i = 0; good && i < json_array_size(value); i++) good = json_is_string(json_array_get(value, i));
        }
        if (good) continue;
        char place[200];
        snprintf(place, sizeof place, "%s/%.120s", where, name);
        return pt_fail(err, PT_INVALID, place, line && strcmp(name, "codes") == 0 ? "must be a list of texts" : "must be a text, a number or a boolean");
    }
    return PT_OK;
}

enum pt_code sale_record_check(struct pt_bytes text, struct pt_error *err) {
    PT_JSON json_t *root = NULL;
    const char *name;
    json_t *value;
    enum pt_code code = pt_json_parse(text, SETTLEMENT_SALE_MAX, &root, err);
    if (code != PT_OK) return code;
    if (!json_is_object(root)) return pt_fail(err, PT_INVALID, "/", "must be an object with fields and lines");
    json_object_foreach(root, name, value) {
        char place[128];
        snprintf(place, sizeof place, "/%.100s", name);
        const bool fields = strcmp(name, "fields") == 0, lines = strcmp(name, "lines") == 0;
        if (!fields && !lines) return pt_fail(err, PT_INVALID, place, "a sale has fields and lines alone");
        if (fields && !json_is_object(value)) return pt_fail(err, PT_INVALID, place, "must be an object");
        if (lines && !json_is_array(value)) return pt_fail(err, PT_INVALID, place, "must be a list");
        if (fields) code = check_fields(value, "/fields", false, err);
        for (size_t i = 0; lines && i < json_array_size(value) && code == PT_OK; i++) {
            snprintf(place, sizeof place, "/lines/%zu", i);
            const json_t *item = json_array_get(value, i);
            code = json_is_object(item) ? check_fields(item, place, true, err) : pt_fail(err, PT_INVALID, place, "must be an object");
        }
        if (code != PT_OK) return code;
    }
    return PT_OK;
}

static enum pt_code keep_sale(struct settlement *settlement, const char *token, struct pt_bytes record, struct pt_error *err) {
    char lack[LACK_MAX];
    snprintf(lack, sizeof lack, "sale/%.300s", token);
    enum pt_code code = store_begin(settlement->store, err);
    if (code != PT_OK) return code;
    code = store_put_sale(settlement->store, token, record, now_of(settlement), err);
    if (code == PT_OK) code = store_arrived(settlement->store, lack, err);
    if (code == PT_OK) return store_commit(settlement->store, err);
    store_rollback(settlement->store);
    return code;
}

void settlement_put_sale(struct settlement *settlement, struct https_request *request) {
    struct pt_error err = {0};
    const char *token = https_request_param(request, "token");
    enum pt_code code = token && token[0] && strlen(token) <= TOKEN_MAX
                            ? PT_OK
                            : pt_fail(&err, PT_INVALID, NULL, "a sale's token has 1 to %d bytes", TOKEN_MAX);
    if (code == PT_OK) code = sale_record_check(https_request_body(request), &err);
    if (code == PT_OK) code = keep_sale(settlement, token, https_request_body(request), &err);
    if (code != PT_OK) {
        https_reply_problem(request, &err);
        return;
    }
    settlement_wake(settlement);
    const struct https_response response = {.status = 204};
    https_reply(request, &response);
}
