// Claims: POST /claims, GET /claims, /claims/{id}, /claims/{insurer}/{line}, /claims/{id}/evidence. Whatever the node lets
// strangers read, claims are told to enrolled parties alone, and to each what is its own.
#include <string.h>

#include "common/base/cleanup.h"
#include "common/cose/statement.h"
#include "common/master/master.h"
#include "common/wire/wire.h"
#include "ledger/api/handlers.h"
#include "ledger/api/resolve.h"
#include "ledger/query/claims.h"

enum { LINES_MOST = 512, EVIDENCE_LINES = 128, DUE_MOST = 512 };

// --- Who asks ---

struct asker {
    struct actor actor;
    bool sees_all;  // operators, executors, regulators
    bool insurer;
};

static void asker_free(struct asker *asker) { actor_free(&asker->actor); }

static uint32_t roles_of(struct api *api, const char *party) {
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = PT_BUF_INIT(MASTER_RECORD_MAX);
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct master_record record;
    const pt_millis now = api->options.env->now(api->options.env->ctx);
    if (ledger_master(api->options.ledger, MASTER_PARTY, party, now, &bytes, NULL) != PT_OK) return 0;
    if (master_decode(pt_buf_bytes(&bytes), &arena, &record, NULL) != PT_OK || record.withdrawn) return 0;
    return record.party.roles;
}

// Answers 403 itself and returns false for whom nobody knows.
static bool ask(struct api *api, struct https_request *request, struct asker *out) {
    struct pt_error err = {0};
    if (api_actor(api, request, &out->actor, &err) != PT_OK) {
        https_reply_problem(request, &err);
        return false;
    }
    const uint32_t roles = roles_of(api, out->actor.party);
    out->sees_all = out->actor.role == ACTOR_OPERATOR || out->actor.role == ACTOR_EXECUTOR || (roles & 1u << MASTER_REGULATOR) != 0;
    out->insurer = (roles & 1u << MASTER_INSURER) != 0;
    return true;
}

static bool is_own(const struct asker *asker, const char *insurer) {
    return asker->sees_all || strcmp(asker->actor.party, insurer) == 0;
}

static void refuse(struct https_request *request) {
    struct pt_error err = {0};
    pt_fail(&err, PT_FORBIDDEN, NULL, "these claims are another party's");
    https_reply_problem(request, &err);
}

// --- Lines as JSON ---

static json_t *id_and_leaf(const struct pt_digest *id, uint64_t leaf_and_one) {
    if (leaf_and_one == 0) return json_null();
    json_t *object = json_object();
    json_object_set_new(object, "statement", api_digest(id));
    json_object_set_new(object, "leaf_index", json_integer((json_int_t)(leaf_and_one - 1)));
    return object;
}

static json_t *flags_json(unsigned flags) {
    json_t *list = json_array();
    if (flags & CLAIM_FLAG_EXPIRED) json_array_append_new(list, json_string("expired_when_dispensed"));
    if (flags & CLAIM_FLAG_RECALLED) json_array_append_new(list, json_string("recalled_when_dispensed"));
    return list;
}

static const char *standing_name(enum ledger_claim_standing standing) {
    static const char *const names[] = {"open", "settled", "reversed", "refused"};
    return names[standing];
}

static json_t *line_json(const struct ledger_claim_line *line) {
    const struct claim_line_answer *answer = &line->answer;
    json_t *object = claim_line_to_json(line->line);
    json_object_set_new(object, "outcome", json_string(claim_outcome_name(answer->outcome)));
    json_object_set_new(object, "reason", answer->reason ? json_string(claim_reason_name(answer->reason)) : json_null());
    if (answer->reason)
        json_object_set_new(object, "reason_text", json_pack("{s:s, s:s}", "zh", claim_reason_text(answer->reason, true), "en",
                                                             claim_reason_text(answer->reason, false)));
    json_object_set_new(object, "flags", flags_json(answer->flags));
    json_object_set_new(object, "settled_so_far", json_integer((json_int_t)answer->settled));
    json_object_set_new(object, "content", answer->content ? json_integer((json_int_t)answer->content) : json_null());
    json_t *evidence = json_object();
    json_object_set_new(evidence, "dispensing", id_and_leaf(&line->dispensing, answer->dispensing));
    json_object_set_new(evidence, "other_claim", id_and_leaf(&line->other, answer->other));
    json_object_set_new(object, "evidence", evidence);
    json_object_set_new(object, "line_state", json_string(standing_name(line->standing)));
    json_object_set_new(object, "reversal_due", json_boolean(line->reversal_due));
    return object;
}

// With whose it is and where it stands, for lists over several batches.
static json_t *whole_line_json(const struct ledger_claim_line *line) {
    json_t *object = line_json(line);
    json_object_set_new(object, "insurer", json_string(line->insurer));
    json_object_set_new(object, "batch_statement", id_and_leaf(&line->statement, line->batch + 1));
    return object;
}

static json_t *batch_json(struct api *api, const struct ledger_claims *claims) {
    json_t *answer = json_object();
    json_t *lines = json_array();
    for (size_t i = 0; i < claims->line_count; i++) json_array_append_new(lines, line_json(&claims->lines[i]));
    json_object_set_new(answer, "statement", api_digest(&claims->statement.id));
    json_object_set_new(answer, "leaf_index", json_integer((json_int_t)claims->statement.leaf_index));
    json_object_set_new(answer, "batch", json_string(claims->batch->id));
    json_object_set_new(answer, "insurer", json_string(claims->batch->insurer));
    json_object_set_new(answer, "decided", json_boolean(claims->decided));
    json_object_set_new(answer, "decided_at", json_integer((json_int_t)claims->statement.height));
    json_object_set_new(answer, "line_count", json_integer((json_int_t)claims->batch->line_count));
    json_object_set_new(answer, "first", json_integer((json_int_t)claims->first));
    json_object_set_new(answer, "lines", lines);
    json_object_set_new(answer, "more", json_boolean(claims->decided && claims->first + claims->line_count < claims->batch->line_count));
    api_add_standing(api, answer, claims->height, claims->time);
    return answer;
}

static void add_now(struct api *api, json_t *answer) {
    struct ledger_status status;
    ledger_status(api->options.ledger, &status);
    api_add_standing(api, answer, status.height, status.time);
}

// --- A batch ---

static bool query_first(struct https_request *request, uint64_t *first) {
    struct pt_error err = {0};
    const char *text = https_request_query(request, "first", 0);
    *first = 0;
    if (!text || (api_parse_number(text, first) && *first < CLAIM_LINES_MAX)) return true;
    pt_fail(&err, PT_INVALID, NULL, "'first' must be the number of a line, from 0");
    https_reply_problem(request, &err);
    return false;
}

static bool path_id(struct https_request *request, struct pt_digest *id) {
    struct pt_error err = {0};
    if (api_parse_digest(https_request_param(request, "id"), id)) return true;
    pt_fail(&err, PT_INVALID, NULL, "a statement id is 64 hex digits");
    https_reply_problem(request, &err);
    return false;
}

void api_get_claim(void *arg, struct https_request *request) {
    struct api *api = arg;
    PT_CLEANUP(asker_free) struct asker asker = {0};
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct pt_error err = {0};
    struct ledger_claims claims;
    struct pt_digest id;
    uint64_t first;
    if (!ask(api, request, &asker) || !path_id(request, &id) || !query_first(request, &first)) return;
    if (ledger_claims_of_batch(api->options.ledger, &id, (size_t)first, LINES_MOST, &arena, &claims, &err) != PT_OK)
        https_reply_problem(request, &err);
    else if (!is_own(&asker, claims.batch->insurer)) refuse(request);
    else api_reply_json(request, 200, batch_json(api, &claims));
}

void api_get_claim_evidence(void *arg, struct https_request *request) {
    struct api *api = arg;
    PT_CLEANUP(asker_free) struct asker asker = {0};
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    PT_CLEANUP(pt_buf_free) struct pt_buf bundle = PT_BUF_INIT(CLAIM_EVIDENCE_MAX);
    struct pt_error err = {0};
    struct ledger_claims claims;
    struct pt_digest id;
    uint64_t first;
    if (!ask(api, request, &asker) || !path_id(request, &id) || !query_first(request, &first)) return;
    enum pt_code code = ledger_claims_of_batch(api->options.ledger, &id, 0, 1, &arena, &claims, &err);
    if (code == PT_OK && !is_own(&asker, claims.batch->insurer)) {
        refuse(request);
        return;
    }
    if (code == PT_OK) code = ledger_claim_evidence(api->options.ledger, &id, (size_t)first, EVIDENCE_LINES, &bundle, &err);
    if (code != PT_OK) https_reply_problem(request, &err);
    else https_reply_text(request, 200, CLAIM_EVIDENCE_CONTENT_TYPE, pt_buf_bytes(&bundle));
}

void api_get_claim_line(void *arg, struct https_request *request) {
    struct api *api = arg;
    PT_CLEANUP(asker_free) struct asker asker = {0};
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct pt_error err = {0};
    struct ledger_claim_line line;
    const char *insurer = https_request_param(request, "insurer");
    if (!ask(api, request, &asker)) return;
    if (!is_own(&asker, insurer)) {
        refuse(request);
        return;
    }
    if (ledger_claim_line(api->options.ledger, insurer, https_request_param(request, "line"), &arena, &line, &err) != PT_OK) {
        https_reply_problem(request, &err);
        return;
    }
    json_t *answer = whole_line_json(&line);
    add_now(api, answer);
    api_reply_json(request, 200, answer);
}

// --- A pack, and what is due ---

static json_t *dispensing_json(const struct ledger_pack_claims *claims, size_t index) {
    const struct claim_dispensing *dispensing = &claims->pack.dispensings[index];
    json_t *object = id_and_leaf(&claims->statements[index], dispensing->leaf + 1);
    json_object_set_new(object, "event_time", api_time(dispensing->seconds * 1000));
    json_object_set_new(object, "place", claims->places[index] ? json_string(claims->places[index]) : json_null());
    json_object_set_new(object, "units", dispensing->asked ? json_integer((json_int_t)dispensing->asked) : json_null());
    json_object_set_new(object, "taken_back", dispensing->back == CLAIM_ALL ? json_true() : json_integer((json_int_t)dispensing->back));
    json_object_set_new(object, "settled", json_integer((json_int_t)dispensing->settled));
    json_object_set_new(object, "on_prescription", json_boolean(dispensing->has_prescription));
    json_object_set_new(object, "flags", flags_json(dispensing->flags));
    return object;
}

// Of others' lines it is told how much they settled, not whose they are nor under which number.
static json_t *pack_line_json(const struct asker *asker, const struct ledger_pack_claims *claims, size_t index, bool pharmacy) {
    const struct ledger_claim_line *line = &claims->lines[index];
    if (pharmacy || is_own(asker, line->insurer)) return whole_line_json(line);
    json_t *object = json_object();
    json_object_set_new(object, "units", json_integer((json_int_t)claims->pack.lines[index].units));
    json_object_set_new(object, "line_state", json_string("settled"));
    return object;
}

static void answer_pack(struct api *api, struct https_request *request, const struct asker *asker, const char *code) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct pt_error err = {0};
    struct ledger_pack_claims claims;
    struct pack_id id;
    bool pharmacy = false;
    if (resolve_pack(code, api->options.env, &id, &err) != PT_OK ||
        ledger_claims_of_pack(api->options.ledger, &id, &arena, &claims, &err) != PT_OK) {
        https_reply_problem(request, &err);
        return;
    }
    for (size_t i = 0; i < claims.pack.dispensing_count; i++)
        pharmacy = pharmacy || (claims.parties[i] && strcmp(claims.parties[i], asker->actor.party) == 0);
    if (!asker->sees_all && !asker->insurer && !pharmacy) {
        refuse(request);
        return;
    }
    json_t *answer = json_object();
    json_t *dispensings = json_array();
    json_t *lines = json_array();
    for (size_t i = 0; i < claims.pack.dispensing_count; i++) json_array_append_new(dispensings, dispensing_json(&claims, i));
    for (size_t i = 0; i < claims.line_count; i++) {
        const struct claim_dispensing *dispensing = claim_pack_dispensing(&claims.pack, claims.pack.lines[i].dispensing);
        const char *party = dispensing ? claims.parties[dispensing - claims.pack.dispensings] : NULL;
        json_array_append_new(lines, pack_line_json(asker, &claims, i, party && strcmp(party, asker->actor.party) == 0));
    }
    json_object_set_new(answer, "pack", api_pack_uri(&id));
    json_object_set_new(answer, "dispensings", dispensings);
    json_object_set_new(answer, "lines", lines);
    json_object_set_new(answer, "settled", json_integer((json_int_t)claims.settled));
    add_now(api, answer);
    api_reply_json(request, 200, answer);
}

static void answer_due(struct api *api, struct https_request *request, const struct asker *asker) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct pt_error err = {0};
    struct ledger_claim_line *lines;
    size_t count;
    bool more;
    const char *insurer = https_request_query(request, "insurer", 0);
    if (!insurer) insurer = asker->actor.party;
    if (!is_own(asker, insurer)) {
        refuse(request);
        return;
    }
    if (ledger_claims_due(api->options.ledger, insurer, DUE_MOST, &arena, &lines, &count, &more, &err) != PT_OK) {
        https_reply_problem(request, &err);
        return;
    }
    json_t *answer = json_object();
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) json_array_append_new(list, whole_line_json(&lines[i]));
    json_object_set_new(answer, "insurer", json_string(insurer));
    json_object_set_new(answer, "lines", list);
    json_object_set_new(answer, "more", json_boolean(more));
    add_now(api, answer);
    api_reply_json(request, 200, answer);
}

void api_get_claims(void *arg, struct https_request *request) {
    struct api *api = arg;
    PT_CLEANUP(asker_free) struct asker asker = {0};
    struct pt_error err = {0};
    const char *pack = https_request_query(request, "pack", 0), *due = https_request_query(request, "due", 0);
    if (!ask(api, request, &asker)) return;
    if (pack) {
        answer_pack(api, request, &asker, pack);
    } else if (due && strcmp(due, "true") == 0) {
        answer_due(api, request, &asker);
    } else {
        pt_fail(&err, PT_INVALID, NULL, "ask for a pack's claims (pack=CODE) or for lines to reverse (due=true)");
        https_reply_problem(request, &err);
    }
}

// --- Sending one ---

static enum pt_code check_claim(const struct asker *asker, struct pt_bytes body, struct pt_error *err) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct statement statement;
    struct claim_batch batch;
    enum pt_code code = statement_decode(body, &statement, err);
    if (code == PT_OK && !pt_bytes_equal(statement.content_type, pt_bytes_str(STATEMENT_CLAIM)))
        code = pt_fail(err, PT_INVALID, NULL, "the statement is no batch of claims");
    if (code == PT_OK) code = claim_batch_decode(statement.payload, &arena, &batch, err);
    if (code == PT_OK && strcmp(asker->actor.party, batch.insurer) != 0)
        code = pt_fail(err, PT_FORBIDDEN, NULL, "a batch is sent by the insurer that it names");
    return code;
}

// Checked before it is taken, so that what cannot be answered line by line is not logged for good. The contract decides.
void api_post_claims(void *arg, struct https_request *request) {
    struct api *api = arg;
    PT_CLEANUP(asker_free) struct asker asker = {0};
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct pt_error err = {0};
    struct ledger_claims claims;
    const struct pt_bytes body = https_request_body(request);
    uint8_t result = RESULT_MALFORMED;
    uint64_t height;
    if (!ask(api, request, &asker)) return;
    enum pt_code code = check_claim(&asker, body, &err);
    if (code == PT_OK) code = ledger_submit_statements(api->options.ledger, &body, 1, &result, &height, &err);
    const bool taken = result == RESULT_APPLIED || result == RESULT_ALERTED || result == RESULT_DUPLICATE || result == RESULT_HELD;
    if (code == PT_OK && !taken)
        code = pt_fail(&err, PT_FORBIDDEN, NULL, "refused: %s",
                       result == RESULT_NOT_ALLOWED ? "claims are not kept here, or the signer is no insurer by its party's record"
                                                    : "the signature, the signer or its place in the device chain does not hold");
    const struct pt_digest id = statement_id(body);
    if (code == PT_OK) code = ledger_claims_of_batch(api->options.ledger, &id, 0, LINES_MOST, &arena, &claims, &err);
    if (code != PT_OK) https_reply_problem(request, &err);
    else api_reply_json(request, 200, batch_json(api, &claims));
}
