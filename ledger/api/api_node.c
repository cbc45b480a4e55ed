// What gateways, terminals and operators send and fetch (common/wire/wire.md).
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/wire/wire.h"
#include "ledger/api/handlers.h"

// Answers 403 and returns false unless the caller is an enrolled actor of one of these roles (a mask of 1 << role).
static bool admit(struct api *api, struct https_request *request, unsigned roles, struct actor *actor) {
    struct pt_error err = {0};
    if (api_actor(api, request, actor, &err) == PT_OK) {
        if (roles & 1u << actor->role) return true;
        actor_free(actor);
        pt_fail(&err, PT_FORBIDDEN, NULL, "the role of the caller does not allow this");
    }
    https_reply_problem(request, &err);
    return false;
}

static void block_done(void *arg, enum pt_code code, const struct ledger_block_result *result, const struct pt_error *failure) {
    struct https_deferred *deferred = arg;
    struct pt_error err = {0};
    PT_CLEANUP(pt_buf_free) struct pt_buf body = PT_BUF_INIT(4096);
    if (code != PT_OK) {
        https_reply_later_problem(deferred, failure);
        return;
    }
    struct wire_block_answer answer = {
        .outcome = (enum wire_block_outcome)result->outcome,
        .block = result->block,
        .height = result->height,
        .expected = result->expected,
        .final = result->final,
    };
    snprintf(answer.error, sizeof answer.error, "%s", result->reason ? result->reason : "");
    if (wire_block_answer_encode(&answer, &body, &err) != PT_OK) {
        https_reply_later_problem(deferred, &err);
        return;
    }
    const struct https_response response = {.status = 200, .content_type = WIRE_TYPE_JSON, .body = pt_buf_bytes(&body)};
    https_reply_later(deferred, &response);
}

void api_post_blocks(void *arg, struct https_request *request) {
    struct api *api = arg;
    struct actor actor;
    // The block's own signature decides; the caller must only be somebody whom we know.
    if (!admit(api, request, 1u << ACTOR_GATEWAY | 1u << ACTOR_EXECUTOR, &actor)) return;
    actor_free(&actor);
    const struct pt_bytes body = https_request_body(request);
    PT_CLEANUP(pt_buf_free) struct pt_buf block = PT_BUF_INIT(BLOCK_MAX);
    pt_buf_append_bytes(&block, body);
    struct https_deferred *deferred = https_request_defer(request);
    if (!deferred) return;
    struct pt_error err = {0};
    enum pt_code code = pt_buf_check(&block, &err);
    if (code == PT_OK) code = ledger_submit_block(api->options.ledger, pt_buf_bytes(&block), block_done, deferred, &err);
    if (code != PT_OK) https_reply_later_problem(deferred, &err);
}

static void set_outcome(struct wire_ack *ack, enum statement_result result) {
    static const struct {
        enum wire_outcome outcome;
        const char *error;
    } of[] = {
        [RESULT_APPLIED] = {WIRE_ACCEPTED, ""},
        [RESULT_DUPLICATE] = {WIRE_DUPLICATE, ""},
        [RESULT_BAD_SIGNATURE] = {WIRE_REFUSED, "the signature does not hold"},
        [RESULT_UNKNOWN_SIGNER] = {WIRE_REFUSED, "the signer is not enrolled"},
        [RESULT_MALFORMED] = {WIRE_REFUSED, "malformed; recorded, changes nothing"},
        [RESULT_NOT_ALLOWED] = {WIRE_REFUSED, "the signer may not say this; recorded"},
        [RESULT_EQUIVOCATION] = {WIRE_REFUSED, "this sequence number was used for another statement; recorded as evidence"},
        [RESULT_UNTRUSTED] = {WIRE_REFUSED, "the signer is revoked; recorded"},
        [RESULT_HELD] = {WIRE_ACCEPTED, ""},
        [RESULT_ALERTED] = {WIRE_ACCEPTED, ""},
    };
    ack->outcome = of[result].outcome;
    snprintf(ack->error, sizeof ack->error, "%s", of[result].error);
    if (result == RESULT_HELD) snprintf(ack->warning, sizeof ack->warning, "gap");
}

static enum pt_code take_statements(struct api *api, struct pt_bytes body, struct pt_buf *answer, struct pt_error *err) {
    PT_FREE struct pt_bytes *statements = calloc(WIRE_MAX_STATEMENTS, sizeof *statements);
    PT_FREE struct wire_ack *acks = calloc(WIRE_MAX_STATEMENTS, sizeof *acks);
    PT_FREE uint8_t *results = calloc(WIRE_MAX_STATEMENTS, 1);
    if (!statements || !acks || !results) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    size_t count;
    uint64_t height;
    enum pt_code code = wire_split_sequence(body, statements, WIRE_MAX_STATEMENTS, &count, err);
    if (code == PT_OK) code = ledger_submit_statements(api->options.ledger, statements, count, results, &height, err);
    if (code != PT_OK) return code;
    for (size_t i = 0; i < count; i++) {
        acks[i].id = statement_id(statements[i]);
        set_outcome(&acks[i], (enum statement_result)results[i]);
    }
    return wire_acks_encode(acks, count, answer, err);
}

// Small and rare (enrolments, revocations, master records by operators), so it may wait for its height right here.
void api_post_statements(void *arg, struct https_request *request) {
    struct api *api = arg;
    struct actor actor;
    if (!admit(api, request, 1u << ACTOR_OPERATOR | 1u << ACTOR_COMPANY, &actor)) return;
    actor_free(&actor);
    struct pt_error err = {0};
    PT_CLEANUP(pt_buf_free) struct pt_buf answer = PT_BUF_INIT(WIRE_MAX_BODY);
    if (take_statements(api, https_request_body(request), &answer, &err) != PT_OK) https_reply_problem(request, &err);
    else https_reply_text(request, 200, WIRE_TYPE_JSON, pt_buf_bytes(&answer));
}

static enum pt_code collect_receipts(struct api *api, struct pt_bytes body, struct pt_buf *answer, struct pt_error *err) {
    PT_FREE struct pt_digest *ids = calloc(WIRE_MAX_RECEIPTS, sizeof *ids);
    PT_FREE struct pt_bytes *receipts = calloc(WIRE_MAX_RECEIPTS, sizeof *receipts);
    PT_FREE size_t *ends = calloc(WIRE_MAX_RECEIPTS, sizeof *ends);
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = PT_BUF_INIT(WIRE_MAX_RECEIPTS * RECEIPT_MAX);
    if (!ids || !receipts || !ends) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    size_t count;
    enum pt_code code = wire_receipt_request_decode(body, ids, WIRE_MAX_RECEIPTS, &count, err);
    for (size_t i = 0; i < count && code == PT_OK; i++) {
        code = ledger_receipt(api->options.ledger, &ids[i], &bytes, err);
        if (code == PT_NOT_FOUND) code = PT_OK;
        ends[i] = bytes.len;
    }
    if (code != PT_OK) return code;
    // Views only now: appending may have moved the buffer.
    for (size_t i = 0, at = 0; i < count; at = ends[i++]) receipts[i] = pt_bytes_of(bytes.data + at, ends[i] - at);
    return wire_receipts_encode(receipts, count, answer, err);
}

void api_post_receipts(void *arg, struct https_request *request) {
    struct api *api = arg;
    struct pt_error err = {0};
    PT_CLEANUP(pt_buf_free) struct pt_buf answer = PT_BUF_INIT(WIRE_MAX_RECEIPTS * RECEIPT_MAX);
    if (!api_may(api, request, API_NEED_READ)) return;
    if (collect_receipts(api, https_request_body(request), &answer, &err) != PT_OK) https_reply_problem(request, &err);
    else https_reply_text(request, 200, WIRE_TYPE_CBOR, pt_buf_bytes(&answer));
}

enum { FEED_ITEMS = 256 };

// "1,2,4": a mask of the kinds that are wanted; every kind without the parameter.
static enum pt_code read_kinds(const char *text, unsigned *kinds, struct pt_error *err) {
    *kinds = text ? 0 : ~0u;
    if (!text) return PT_OK;
    for (const char *c = text; *c >= '1' && *c <= '9' && (c[1] == ',' || c[1] == 0); c += 2) {
        *kinds |= 1u << (*c - '0');
        if (c[1] == 0) return PT_OK;
    }
    return pt_fail(err, PT_INVALID, NULL, "'kinds' must be numbers of kinds, separated by commas");
}

static enum pt_code read_feed(struct api *api, const char *party, uint64_t since, unsigned kinds, struct pt_buf *answer,
                              struct pt_error *err) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct ledger_feed_item *items;
    struct wire_feed feed = {0};
    enum pt_code code = ledger_feed(api->options.ledger, party, since, FEED_ITEMS, &arena, &items, &feed.count, &feed.cursor,
                                    &feed.more, err);
    if (code != PT_OK) return code;
    struct ledger_status status;
    ledger_status(api->options.ledger, &status);
    feed.height = status.height;
    feed.time = status.time;
    feed.items = pt_arena_alloc(&arena, feed.count, sizeof *feed.items);
    if (!feed.items) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    size_t wanted = 0;
    for (size_t i = 0; i < feed.count; i++)
        if (kinds & 1u << items[i].kind)
            feed.items[wanted++] = (struct wire_feed_item){(enum wire_feed_kind)items[i].kind, items[i].leaf_index, items[i].statement};
    feed.count = wanted;
    return wire_feed_encode(&feed, answer, err);
}

void api_get_feed(void *arg, struct https_request *request) {
    struct api *api = arg;
    struct pt_error err = {0};
    struct actor actor;
    uint64_t since = 0;
    const char *text = https_request_query(request, "since", 0);
    if (text && !api_parse_number(text, &since)) {
        pt_fail(&err, PT_INVALID, NULL, "'since' must be a cursor that the feed gave");
        https_reply_problem(request, &err);
        return;
    }
    unsigned kinds;
    const char *party = https_request_query(request, "party", 0);
    if (read_kinds(https_request_query(request, "kinds", 0), &kinds, &err) != PT_OK || api_actor(api, request, &actor, &err) != PT_OK) {
        https_reply_problem(request, &err);
        return;
    }
    // A gateway asks for its terminals, whose certificates it has checked; everybody else speaks for himself.
    if (party && actor.role != ACTOR_GATEWAY && strcmp(party, actor.party) != 0) {
        actor_free(&actor);
        pt_fail(&err, PT_FORBIDDEN, NULL, "only a gateway asks for another party");
        https_reply_problem(request, &err);
        return;
    }
    PT_CLEANUP(pt_buf_free) struct pt_buf answer = PT_BUF_INIT((size_t)FEED_ITEMS * STATEMENT_MAX);
    if (read_feed(api, party ? party : actor.party, since, kinds, &answer, &err) != PT_OK) https_reply_problem(request, &err);
    else https_reply_text(request, 200, WIRE_TYPE_CBOR, pt_buf_bytes(&answer));
    actor_free(&actor);
}
