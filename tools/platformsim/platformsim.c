#include "tools/platformsim/platformsim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/wait.h"
#include "gateway/settlement/trace_xml.h"

enum { HOLD_MS = 50000, STOP_MS = 500 };
#define BODY_MAX ((size_t)4 * 1024 * 1024)
#define TYPE_JSON "application/json"

static const char *const platforms[] = {"trace", "insurer"};
static const char *const modes[] = {
    [SIM_ACCEPT] = "accept", [SIM_REFUSE] = "refuse", [SIM_PENDING] = "pending", [SIM_HOLD] = "hold",
    [SIM_LATE] = "late",     [SIM_LOSE] = "lose",     [SIM_SLOW] = "slow",       [SIM_BUSY] = "busy",
    [SIM_ERROR] = "error",   [SIM_ERROR_TAKEN] = "error_taken", [SIM_GARBAGE] = "garbage",
};

static pt_millis now(void) { return pt_env_system()->now(pt_env_system()->ctx); }

// --- Answers in the platforms' own words ---

enum said { SAID_ACCEPTED, SAID_REFUSED, SAID_PENDING, SAID_ABSENT, SAID_BUSY };

static void answer_text(enum sim_platform platform, enum said said, const char *code, const char *text, struct pt_buf *out) {
    static const char *const trace[] = {"success", "failure", "processing", "unknown", ""};
    static const char *const insurer[] = {"1", "0", "2", "9", ""};
    PT_JSON json_t *answer = NULL;
    const bool busy = said == SAID_BUSY;
    if (platform == SIM_TRACE)
        answer = json_pack("{s:s, s:s, s:{s:s, s:s, s:s}}", "code", busy ? "busy" : "0", "message", busy ? "try again" : "", "result", "state",
                           trace[said], "msg_code", code, "msg_info", text);
    else
        answer = json_pack("{s:i, s:s, s:{s:s, s:s, s:s}}", "infcode", busy ? -2 : 0, "err_msg", busy ? "try again" : "", "output", "retRslt",
                           insurer[said], "retCode", code, "msgRslt", text);
    if (pt_json_append(out, answer, NULL) != PT_OK) pt_buf_clear(out);
}

// --- Documents ---

static struct sim_document *find(struct platformsim *sim, enum sim_platform platform, const char *serial) {
    for (size_t i = 0; i < sim->document_count; i++)
        if (sim->documents[i].platform == platform && strcmp(sim->documents[i].serial, serial) == 0) return &sim->documents[i];
    return NULL;
}

static void take(struct platformsim *sim, const struct sim_document *document) {
    struct sim_document *known = find(sim, document->platform, document->serial);
    if (known) {
        known->times++;
        return;
    }
    if (sim->document_count == sim->document_cap) {
        const size_t cap = sim->document_cap ? sim->document_cap * 2 : 64;
        struct sim_document *moved = realloc(sim->documents, cap * sizeof *moved);
        if (!moved) return;
        sim->documents = moved;
        sim->document_cap = cap;
    }
    struct sim_document *added = &sim->documents[sim->document_count++];
    *added = *document;
    added->times = 1;
    json_incref(added->codes);
}

static void copy(char *out, size_t size, const json_t *text) { snprintf(out, size, "%s", json_is_string(text) ? json_string_value(text) : ""); }

static void collect_codes(const json_t *node, const char *name, json_t *codes) {
    const char *key;
    json_t *value;
    size_t i;
    json_object_foreach((json_t *)node, key, value) {
        if (strcmp(key, name) == 0 && json_is_string(value)) json_array_append(codes, value);
        else collect_codes(value, name, codes);
    }
    json_array_foreach((json_t *)node, i, value) collect_codes(value, name, codes);
}

// Reads what came; false: not a document of this platform.
static bool read_document(enum sim_platform platform, struct pt_bytes body, struct sim_document *out) {
    PT_JSON json_t *root = NULL;
    const enum pt_code code = platform == SIM_TRACE ? trace_xml_read(body, &root, NULL) : pt_json_parse(body, BODY_MAX, &root, NULL);
    *out = (struct sim_document){.platform = platform};
    if (code != PT_OK) return false;
    if (platform == SIM_TRACE) {
        copy(out->serial, sizeof out->serial, json_object_get(json_object_get(root, "document"), "SN"));
        copy(out->name, sizeof out->name, json_object_get(json_object_get(root, "event"), "Name"));
    } else {
        copy(out->serial, sizeof out->serial, json_object_get(root, "msgid"));
        copy(out->name, sizeof out->name, json_object_get(root, "infno"));
        if (!json_is_object(json_object_get(root, "input"))) return false;
    }
    if (!out->serial[0] || !out->name[0]) return false;
    out->codes = json_array();
    collect_codes(root, platform == SIM_TRACE ? "Code" : "drug_trac_codg", out->codes);
    return true;
}

// --- Answers that come later, or never ---

static void hold(struct platformsim *sim, struct https_request *request, pt_millis delay, unsigned status, struct pt_bytes answer) {
    if (sim->held_count == sim->held_cap) {
        const size_t cap = sim->held_cap ? sim->held_cap * 2 : 64;
        struct sim_held *moved = realloc(sim->held, cap * sizeof *moved);
        if (!moved) return;
        sim->held = moved;
        sim->held_cap = cap;
    }
    struct https_deferred *deferred = https_request_defer(request);
    if (!deferred) return;
    struct sim_held *held = &sim->held[sim->held_count++];
    *held = (struct sim_held){.deferred = deferred, .due = now() + delay, .status = status, .answer = PT_BUF_INIT(BODY_MAX)};
    pt_buf_append_bytes(&held->answer, answer);
    pthread_cond_signal(&sim->changed);
}

static void let_go(struct sim_held *held) {
    const struct https_response response = {.status = held->status, .content_type = TYPE_JSON, .body = pt_buf_bytes(&held->answer)};
    https_reply_later(held->deferred, &response);
    pt_buf_free(&held->answer);
}

static void *run(void *arg) {
    struct platformsim *sim = arg;
    pthread_mutex_lock(&sim->lock);
    while (!sim->stopping) {
        pt_millis least = -1;
        for (size_t i = 0; i < sim->held_count;) {
            const pt_millis left = sim->held[i].due - now();
            if (left > 0) {
                least = least < 0 || left < least ? left : least;
                i++;
                continue;
            }
            let_go(&sim->held[i]);
            sim->held[i] = sim->held[--sim->held_count];
        }
        pt_wait(&sim->changed, &sim->lock, least);
    }
    while (sim->held_count > 0) let_go(&sim->held[--sim->held_count]);
    pthread_mutex_unlock(&sim->lock);
    return NULL;
}

// --- Handlers ---

static void reply(struct https_request *request, unsigned status, struct pt_bytes body) {
    https_reply_text(request, status, TYPE_JSON, body);
}

static bool is_taken(enum sim_mode mode) { return mode != SIM_LOSE && mode != SIM_BUSY && mode != SIM_ERROR; }

static void follow(struct platformsim *sim, const struct sim_rule *rule, struct sim_document *document, struct https_request *request) {
    PT_CLEANUP(pt_buf_free) struct pt_buf answer = PT_BUF_INIT(65536);
    const enum sim_mode mode = rule->mode;
    document->state = mode == SIM_REFUSE ? SIM_IS_REFUSED : SIM_IS_ACCEPTED;
    document->pending = mode == SIM_PENDING;
    document->from = now() + (mode == SIM_PENDING || mode == SIM_LATE ? rule->delay : 0);
    snprintf(document->code, sizeof document->code, "%s", mode == SIM_REFUSE ? rule->code : "OK");
    snprintf(document->text, sizeof document->text, "%s", mode == SIM_REFUSE ? rule->text : "taken");
    if (is_taken(mode)) take(sim, document);
    const enum said said = mode == SIM_REFUSE ? SAID_REFUSED : mode == SIM_PENDING ? SAID_PENDING : mode == SIM_BUSY ? SAID_BUSY : SAID_ACCEPTED;
    answer_text(document->platform, said, document->code, document->text, &answer);
    switch (mode) {
    case SIM_HOLD:
    case SIM_LATE:
    case SIM_LOSE: hold(sim, request, HOLD_MS, 504, pt_bytes_str("{}")); return;
    case SIM_SLOW: hold(sim, request, rule->delay, 200, pt_buf_bytes(&answer)); return;
    case SIM_ERROR:
    case SIM_ERROR_TAKEN: reply(request, 500, pt_bytes_str("{\"message\":\"broken\"}")); return;
    case SIM_GARBAGE: reply(request, 200, pt_bytes_str("<html>")); return;
    default: reply(request, 200, pt_buf_bytes(&answer));
    }
}

static void post_document(struct platformsim *sim, enum sim_platform platform, struct https_request *request) {
    struct sim_document document;
    if (!read_document(platform, https_request_body(request), &document)) {
        reply(request, 400, pt_bytes_str("{\"message\":\"not a document\"}"));
        return;
    }
    pthread_mutex_lock(&sim->lock);
    sim->sends[platform]++;
    struct sim_rule rule = sim->rules[platform];
    if (sim->rules[platform].times > 0 && --sim->rules[platform].times == 0) sim->rules[platform] = (struct sim_rule){.times = -1};
    follow(sim, &rule, &document, request);
    pthread_mutex_unlock(&sim->lock);
    json_decref(document.codes);
}

static void post_question(struct platformsim *sim, enum sim_platform platform, struct https_request *request) {
    PT_JSON json_t *root = NULL;
    PT_CLEANUP(pt_buf_free) struct pt_buf answer = PT_BUF_INIT(65536);
    char serial[64] = "";
    if (pt_json_parse(https_request_body(request), BODY_MAX, &root, NULL) == PT_OK)
        copy(serial, sizeof serial, json_object_get(root, platform == SIM_TRACE ? "sn" : "msgid"));
    pthread_mutex_lock(&sim->lock);
    sim->questions[platform]++;
    const struct sim_document *found = find(sim, platform, serial);
    enum said said = SAID_ABSENT;
    if (found && found->from <= now()) said = found->state == SIM_IS_ACCEPTED ? SAID_ACCEPTED : SAID_REFUSED;
    else if (found && found->pending) said = SAID_PENDING;
    answer_text(platform, said, said == SAID_ABSENT ? "" : found->code, said == SAID_ABSENT ? "" : found->text, &answer);
    pthread_mutex_unlock(&sim->lock);
    reply(request, 200, pt_buf_bytes(&answer));
}

static void trace_document(void *arg, struct https_request *request) { post_document(arg, SIM_TRACE, request); }
static void trace_question(void *arg, struct https_request *request) { post_question(arg, SIM_TRACE, request); }
static void insurer_document(void *arg, struct https_request *request) { post_document(arg, SIM_INSURER, request); }
static void insurer_question(void *arg, struct https_request *request) { post_question(arg, SIM_INSURER, request); }

static int index_of(const char *const *names, size_t count, const json_t *value) {
    for (size_t i = 0; i < count; i++)
        if (json_is_string(value) && strcmp(names[i], json_string_value(value)) == 0) return (int)i;
    return -1;
}

enum pt_code platformsim_control(struct platformsim *sim, struct pt_bytes json, struct pt_error *err) {
    PT_JSON json_t *root = NULL;
    const enum pt_code code = pt_json_parse(json, 65536, &root, err);
    if (code != PT_OK) return code;
    const int platform = index_of(platforms, SIM_PLATFORMS, json_object_get(root, "platform"));
    const int mode = index_of(modes, sizeof modes / sizeof *modes, json_object_get(root, "mode"));
    if (platform < 0) return pt_fail(err, PT_INVALID, "/platform", "must be trace or insurer");
    if (mode < 0) return pt_fail(err, PT_INVALID, "/mode", "there is no such mode");
    struct sim_rule rule = {.mode = (enum sim_mode)mode, .times = -1, .code = "E100", .text = "refused by order"};
    const json_t *times = json_object_get(root, "times"), *delay = json_object_get(root, "delay_ms");
    if (json_is_integer(times)) rule.times = json_integer_value(times);
    if (json_is_integer(delay)) rule.delay = json_integer_value(delay);
    if (json_object_get(root, "code")) copy(rule.code, sizeof rule.code, json_object_get(root, "code"));
    if (json_object_get(root, "text")) copy(rule.text, sizeof rule.text, json_object_get(root, "text"));
    pthread_mutex_lock(&sim->lock);
    sim->rules[platform] = rule;
    pthread_mutex_unlock(&sim->lock);
    return PT_OK;
}

json_t *platformsim_state(struct platformsim *sim) {
    json_t *list = json_array();
    pthread_mutex_lock(&sim->lock);
    for (size_t i = 0; i < sim->document_count; i++) {
        const struct sim_document *d = &sim->documents[i];
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:O, s:i, s:s}", "platform", platforms[d->platform], "serial", d->serial, "name", d->name,
                                              "codes", d->codes, "times", (int)d->times, "state", d->state == SIM_IS_ACCEPTED ? "accepted" : "refused"));
    }
    json_t *state = json_pack("{s:o, s:{s:I, s:I}, s:{s:I, s:I}}", "documents", list, "sends", "trace", (json_int_t)sim->sends[SIM_TRACE], "insurer",
                              (json_int_t)sim->sends[SIM_INSURER], "questions", "trace", (json_int_t)sim->questions[SIM_TRACE], "insurer",
                              (json_int_t)sim->questions[SIM_INSURER]);
    pthread_mutex_unlock(&sim->lock);
    return state;
}

static void post_control(void *arg, struct https_request *request) {
    struct pt_error err = {0};
    if (platformsim_control(arg, https_request_body(request), &err) != PT_OK) https_reply_problem(request, &err);
    else reply(request, 200, pt_bytes_str("{}"));
}

static void get_control(void *arg, struct https_request *request) {
    PT_JSON json_t *state = platformsim_state(arg);
    PT_CLEANUP(pt_buf_free) struct pt_buf body = PT_BUF_INIT((size_t)64 * 1024 * 1024);
    struct pt_error err = {0};
    if (pt_json_append(&body, state, &err) != PT_OK) https_reply_problem(request, &err);
    else reply(request, 200, pt_buf_bytes(&body));
}

enum pt_code platformsim_start(uint16_t port, struct platformsim *sim, struct pt_error *err) {
    *sim = (struct platformsim){0};
    pthread_mutex_init(&sim->lock, NULL);
    pt_wait_init(&sim->changed);
    for (int i = 0; i < SIM_PLATFORMS; i++) sim->rules[i].times = -1;
    const struct https_route routes[] = {
        {HTTPS_POST, "/trace/documents", BODY_MAX, "application/xml", trace_document, sim},
        {HTTPS_POST, "/trace/query", 65536, TYPE_JSON, trace_question, sim},
        {HTTPS_POST, "/fsi/api", BODY_MAX, TYPE_JSON, insurer_document, sim},
        {HTTPS_POST, "/fsi/query", 65536, TYPE_JSON, insurer_question, sim},
        {HTTPS_POST, "/control", 65536, TYPE_JSON, post_control, sim},
        {HTTPS_GET, "/control", 0, NULL, get_control, sim},
    };
    memcpy(sim->routes, routes, sizeof routes);
    const struct https_server_options options = {.port = port, .plain = true, .threads = 1};
    if (pthread_create(&sim->thread, NULL, run, sim) != 0) return pt_fail(err, PT_IO, NULL, "cannot start a thread");
    const enum pt_code code = https_server_start(&options, sim->routes, sizeof routes / sizeof *routes, &sim->server, err);
    if (code != PT_OK) platformsim_stop(sim);
    return code;
}

uint16_t platformsim_port(const struct platformsim *sim) { return https_server_port(sim->server); }

void platformsim_stop(struct platformsim *sim) {
    pthread_mutex_lock(&sim->lock);
    sim->stopping = true;
    pthread_cond_signal(&sim->changed);
    pthread_mutex_unlock(&sim->lock);
    pthread_join(sim->thread, NULL);
    https_server_stop(sim->server, STOP_MS);
    for (size_t i = 0; i < sim->document_count; i++) json_decref(sim->documents[i].codes);
    free(sim->documents);
    free(sim->held);
    pthread_cond_destroy(&sim->changed);
    pthread_mutex_destroy(&sim->lock);
}
