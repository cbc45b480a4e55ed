// Is this pack genuine, and may it be dispensed? Three ways to ask: the GS1 Lightweight Messaging Standard for
// Verification of Product Identifiers, a Chinese trace code, and whatever a scanner typed.
#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "ledger/api/handlers.h"
#include "ledger/api/resolve.h"

// "This pack is recalled. Recall R-17, class 2: the reason."
static json_t *reason_text(const char *why, const struct ledger_pack_recall *recall, bool zh) {
    static const char *const levels[] = {"", "一级", "二级", "三级"};
    PT_CLEANUP(pt_buf_free) struct pt_buf text = PT_BUF_INIT(8192);
    pt_buf_str(&text, why);
    const char *said = recall ? (zh ? recall->reason.zh : recall->reason.en) : NULL;
    if (recall && !said) said = zh ? recall->reason.en : recall->reason.zh;
    if (recall && zh) pt_buf_printf(&text, "召回编号 %s，%s召回：%s", recall->id, levels[recall->level & 3u], said ? said : "");
    if (recall && !zh) pt_buf_printf(&text, " Recall %s, class %u: %s", recall->id, recall->level, said ? said : "");
    return json_string(pt_buf_cstr(&text));
}

static json_t *verdict_json(const struct verdict *verdict, const struct ledger_pack_recall *recall) {
    if (!verdict->by_recall) recall = NULL;
    json_t *object = json_object();
    json_object_set_new(object, "colour", json_string(verdict_colour_name(verdict->colour)));
    json_object_set_new(object, "code", json_string(verdict->code));
    json_object_set_new(object, "reason", json_pack("{s:o, s:o}", "en", reason_text(verdict->en, recall, false), "zh", reason_text(verdict->zh, recall, true)));
    json_object_set_new(object, "advice", json_pack("{s:s, s:s}", "en", verdict->do_en, "zh", verdict->do_zh));
    return object;
}

// `found` may be NULL (nothing to say about the input itself).
static void judge(struct api *api, struct https_request *request, const struct pack_id *id, const struct verdict_label *label,
                  const struct identification *found, json_t *answer) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct pt_error err = {0};
    struct ledger_pack pack;
    const pt_millis now = api->options.env->now(api->options.env->ctx);
    if (ledger_pack_labelled(api->options.ledger, id, label->lot, now, &arena, &pack, &err) != PT_OK) {
        json_decref(answer);
        https_reply_problem(request, &err);
        return;
    }
    const struct verdict verdict = verdict_of(&pack, label, api_age(api) > api->options.stale_after);
    json_t *data = json_object();
    json_object_set_new(data, "verified", json_boolean(!verdict.failure_reason));
    if (verdict.failure_reason) json_object_set_new(data, "verificationFailureReason", json_string(verdict.failure_reason));
    if (verdict.additional_info) json_object_set_new(data, "additionalInfo", json_string(verdict.additional_info));
    json_object_set_new(answer, "verificationTimestamp", api_time(now));
    json_object_set_new(answer, "responderGLN", json_string(api->options.responder_gln));
    json_object_set_new(answer, "data", data);
    json_object_set_new(answer, "verdict", verdict_json(&verdict, pack.recall));
    json_t *shown = api_pack_json(id, &pack);
    json_object_set_new(shown, "product", api_product_name(api, id));
    json_object_set_new(answer, "pack", shown);
    json_t *warnings = json_array();
    for (size_t i = 0; found && i < found->warnings.count; i++)
        json_array_append_new(warnings, json_string(found->warnings.text[i]));
    json_object_set_new(answer, "warnings", warnings);
    api_add_standing(api, answer, pack.height, pack.time);
    api_reply_json(request, 200, answer);
}

// exp is YYMMDD in the standard's path; the label's own reading of two-digit years and day 00 applies (AI 17).
void api_get_verify_gtin(void *arg, struct https_request *request) {
    struct api *api = arg;
    struct pt_error err = {0};
    if (!api_may(api, request, API_NEED_VERIFY)) return;
    PT_CLEANUP(pt_buf_free) struct pt_buf code = PT_BUF_INIT(1024);
    const char *expiry = https_request_query(request, "exp", 0);
    pt_buf_printf(&code, "(01)%s", https_request_param(request, "gtin"));
    if (expiry) pt_buf_printf(&code, "(17)%s", expiry);
    pt_buf_printf(&code, "(10)%s(21)%s", https_request_param(request, "lot"), https_request_param(request, "ser"));
    struct identification found;
    struct verdict_label label;
    if (resolve_scan(pt_buf_cstr(&code), api->options.env, &found, &label, &err) != PT_OK) {
        https_reply_problem(request, &err);
        return;
    }
    json_t *answer = json_object();
    const char *correlation = https_request_query(request, "corrUUID", 0);
    if (correlation) json_object_set_new(answer, "corrUUID", json_string(correlation));
    judge(api, request, &found.pack, &label, &found, answer);
}

static void verify_text(struct api *api, struct https_request *request, const char *text, bool trace_only) {
    struct pt_error err = {0};
    struct identification found;
    struct verdict_label label;
    if (!api_may(api, request, API_NEED_VERIFY)) return;
    enum pt_code code = resolve_scan(text, api->options.env, &found, &label, &err);
    if (code == PT_OK && trace_only && found.scheme != IDENTIFY_CN_TRACE)
        code = pt_fail(&err, PT_INVALID, NULL, "not a 20-digit trace code");
    // A trace code says no lot: whoever reads it from the pack may give it.
    if (code == PT_OK && !label.lot) label.lot = https_request_query(request, "lot", 0);
    if (code == PT_OK) judge(api, request, &found.pack, &label, &found, json_object());
    else https_reply_problem(request, &err);
}

void api_get_verify_code(void *arg, struct https_request *request) {
    verify_text(arg, request, https_request_param(request, "code"), true);
}

void api_get_verify_scan(void *arg, struct https_request *request) {
    verify_text(arg, request, https_request_query(request, "code", 0), false);
}

void api_get_connectivity(void *arg, struct https_request *request) {
    struct api *api = arg;
    if (!api_may(api, request, API_NEED_VERIFY)) return;
    json_t *answer = json_object();
    json_object_set_new(answer, "responderGLN", json_string(api->options.responder_gln));
    api_reply_json(request, 200, answer);
}

// GS1 Digital Link resolver: a browser is sent to the page, a program gets the verification as JSON.
void api_get_digital_link(void *arg, struct https_request *request) {
    struct api *api = arg;
    const char *accept = https_request_header(request, "Accept");
    char uri[2048];
    snprintf(uri, sizeof uri, "https://id.gs1.org%s%s%s", https_request_path(request),
             https_request_query_text(request)[0] ? "?" : "", https_request_query_text(request));
    if (!accept || !strstr(accept, "text/html")) {
        verify_text(api, request, uri, false);
        return;
    }
    PT_CLEANUP(pt_buf_free) struct pt_buf location = PT_BUF_INIT(8192);
    pt_buf_str(&location, "/?code=");
    for (const char *c = uri; *c; c++) {
        if ((*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z')) pt_buf_byte(&location, (uint8_t)*c);
        else pt_buf_printf(&location, "%%%02X", (unsigned char)*c);
    }
    const struct https_header headers[] = {{"Location", pt_buf_cstr(&location)}};
    const struct https_response response = {.status = 307, .headers = headers, .header_count = 1};
    https_reply(request, &response);
}
