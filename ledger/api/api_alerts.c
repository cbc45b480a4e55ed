// Alerts and their investigations: GET /alerts and /alerts/{number}.
#include <string.h>

#include "common/base/cleanup.h"
#include "common/cose/statement.h"
#include "ledger/api/handlers.h"
#include "ledger/query/alerts.h"

enum { MOST_ALERTS = 500 };

static json_t *outcome_json(enum finding_outcome outcome) {
    const char *name = finding_outcome_name(outcome);
    return name ? json_string(name) : json_null();
}

static json_t *alert_json(const struct alert_record *alert, enum finding_status status, enum finding_outcome outcome) {
    json_t *object = json_object();
    json_object_set_new(object, "number", json_integer((json_int_t)alert->number));
    json_object_set_new(object, "kind", json_string(alert_kind_name(alert->kind)));
    json_object_set_new(object, "mode", json_string(alert->mode == ALERT_ENFORCE ? "enforce" : "shadow"));
    json_object_set_new(object, "confidence", json_integer((json_int_t)alert->confidence));
    struct pack_id id;
    if (alert->pack.len && pack_id_from_key(alert->pack, &id, NULL) == PT_OK) json_object_set_new(object, "pack", api_pack_uri(&id));
    json_object_set_new(object, "signer", api_digest(&alert->signer));
    json_t *evidence = json_array();
    for (size_t i = 0; i < alert->evidence_count; i++) json_array_append_new(evidence, json_integer((json_int_t)alert->evidence[i]));
    json_object_set_new(object, "evidence", evidence);
    json_object_set_new(object, "event_time", api_time(alert->event_time));
    json_object_set_new(object, "raised", api_time(alert->chain_time));
    json_object_set_new(object, "detail", json_string(alert->detail));
    json_object_set_new(object, "status", json_string(finding_status_name(status)));
    json_object_set_new(object, "outcome", outcome_json(outcome));
    return object;
}

static bool read_query(struct https_request *request, uint64_t *since, bool *newest, enum finding_status *status, bool *of_status,
                       struct pt_error *err) {
    const char *from = https_request_query(request, "since", 0), *order = https_request_query(request, "order", 0),
               *wanted = https_request_query(request, "status", 0);
    *newest = order && strcmp(order, "newest") == 0;
    *of_status = wanted != NULL;
    if (from && !api_parse_number(from, since)) return pt_fail(err, PT_INVALID, NULL, "'since' must be an alert's number"), false;
    if (wanted && strcmp(wanted, "new") == 0) *status = FINDING_NEW;
    else if (wanted && !finding_status_of(wanted, status))
        return pt_fail(err, PT_INVALID, NULL, "'status' must be new, investigating or closed"), false;
    return true;
}

void api_get_alerts(void *arg, struct https_request *request) {
    struct api *api = arg;
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct pt_error err = {0};
    enum finding_status status = FINDING_NEW;
    struct ledger_alert *alerts;
    uint64_t since = 0, next;
    size_t count;
    bool newest, of_status;
    if (!api_may(api, request, API_NEED_READ)) return;
    if (!read_query(request, &since, &newest, &status, &of_status, &err) ||
        ledger_alerts_of_status(api->options.ledger, of_status ? &status : NULL, since, newest, MOST_ALERTS, &arena, &alerts, &count, &next,
                                &err) != PT_OK) {
        https_reply_problem(request, &err);
        return;
    }
    json_t *answer = json_object();
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) json_array_append_new(list, alert_json(&alerts[i].alert, alerts[i].status, alerts[i].outcome));
    json_object_set_new(answer, "alerts", list);
    json_object_set_new(answer, "more", json_boolean(next != 0));
    json_object_set_new(answer, "next", next ? json_integer((json_int_t)next) : json_null());
    struct ledger_status standing;
    ledger_status(api->options.ledger, &standing);
    api_add_standing(api, answer, standing.height, standing.time);
    api_reply_json(request, 200, answer);
}

// --- One ---

// A statement that the alert or its investigation rests on: /entries/{id} gives it with its receipt.
static json_t *statement_json(struct api *api, uint64_t leaf, struct pt_arena *arena, struct ledger_statement *out) {
    json_t *object = json_object();
    json_object_set_new(object, "leaf_index", json_integer((json_int_t)leaf));
    if (ledger_statement_by_leaf(api->options.ledger, leaf, arena, out, NULL) != PT_OK) return object;
    json_object_set_new(object, "statement", api_digest(&out->id));
    json_object_set_new(object, "height", json_integer((json_int_t)out->height));
    json_object_set_new(object, "recorded", api_time(out->time));
    return object;
}

static json_t *step_json(struct api *api, const struct finding_step *step, struct pt_arena *arena) {
    struct ledger_statement stored = {0};
    struct statement statement;
    struct alert_finding finding;
    json_t *object = statement_json(api, step->leaf, arena, &stored);
    json_object_set_new(object, "signer", api_digest(&step->signer));
    json_object_set_new(object, "status", json_string(finding_status_name(step->status)));
    json_object_set_new(object, "outcome", outcome_json(step->outcome));
    if (stored.bytes.len == 0 || statement_decode(stored.bytes, &statement, NULL) != PT_OK ||
        finding_decode(statement.payload, arena, &finding, NULL) != PT_OK)
        return object;
    if (finding.note) json_object_set_new(object, "note", json_string(finding.note));
    if (finding.related_count > 0) {
        json_t *related = json_array();
        for (size_t i = 0; i < finding.related_count; i++) json_array_append_new(related, json_integer((json_int_t)finding.related[i]));
        json_object_set_new(object, "related", related);
    }
    return object;
}

void api_get_alert(void *arg, struct https_request *request) {
    struct api *api = arg;
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct pt_error err = {0};
    struct alert_record alert;
    struct finding_record finding;
    struct ledger_statement stored;
    uint64_t number = 0;
    if (!api_may(api, request, API_NEED_READ)) return;
    enum pt_code code = PT_OK;
    if (!api_parse_number(https_request_param(request, "number"), &number)) code = pt_fail(&err, PT_NOT_FOUND, NULL, "there is no such alert");
    if (code == PT_OK) code = ledger_alert(api->options.ledger, number, &arena, &alert, &finding, &err);
    if (code != PT_OK) {
        https_reply_problem(request, &err);
        return;
    }
    json_t *answer = alert_json(&alert, finding.status, finding.outcome);
    json_t *evidence = json_array();
    for (size_t i = 0; i < alert.evidence_count; i++) json_array_append_new(evidence, statement_json(api, alert.evidence[i], &arena, &stored));
    json_object_set_new(answer, "statements", evidence);
    json_t *history = json_array();
    for (size_t i = 0; i < finding.step_count; i++) json_array_append_new(history, step_json(api, &finding.steps[i], &arena));
    json_object_set_new(answer, "history", history);
    struct ledger_status standing;
    ledger_status(api->options.ledger, &standing);
    api_add_standing(api, answer, standing.height, standing.time);
    api_reply_json(request, 200, answer);
}
