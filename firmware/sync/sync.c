#include "firmware/sync/sync.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/log.h"
#include "common/wire/wire.h"

enum { MOST_EXECUTORS = 64 };

struct sync {
    struct sync_options options;
    struct https_client *client;
    struct https_client_response response;
    char statements_url[512], receipts_url[512];
    struct verify_key *executors[MOST_EXECUTORS];
    struct pt_digest kids[MOST_EXECUTORS];
    size_t executor_count;
    struct outbox_item *items;  // room for one batch
    struct wire_ack *acks;
    struct pt_digest *ids;
    struct pt_bytes *receipts;
    pt_millis asked_feed;  // when it was last tried; 0: never
    bool away;             // the gateway could not be reached in this turn
};

static enum pt_code load_executors(struct sync *sync, struct pt_error *err) {
    const struct genesis *genesis = sync->options.genesis;
    for (size_t i = 0; i < genesis->actor_count; i++) {
        const struct actor *actor = &genesis->actors[i];
        if (actor->role != ACTOR_EXECUTOR) continue;
        if (sync->executor_count == MOST_EXECUTORS) return pt_fail(err, PT_LIMIT, "genesis", "too many executors");
        struct verify_key **key = &sync->executors[sync->executor_count];
        const enum pt_code code = verify_key_from_cose(pt_buf_bytes(&actor->key), key, err);
        if (code != PT_OK) return code;
        sync->kids[sync->executor_count++] = verify_key_thumbprint(*key);
    }
    if (sync->executor_count == 0) return pt_fail(err, PT_INVALID, "genesis", "names no executor");
    return PT_OK;
}

enum pt_code sync_new(const struct sync_options *options, struct sync **out, struct pt_error *err) {
    struct sync *sync = calloc(1, sizeof *sync);
    if (!sync) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    sync->options = *options;
    if (sync->options.batch == 0 || sync->options.batch > WIRE_MAX_STATEMENTS) sync->options.batch = WIRE_MAX_STATEMENTS;
    snprintf(sync->statements_url, sizeof sync->statements_url, "%s" WIRE_PATH_STATEMENTS, options->gateway_url);
    snprintf(sync->receipts_url, sizeof sync->receipts_url, "%s" WIRE_PATH_RECEIPTS, options->gateway_url);
    const size_t batch = sync->options.batch;
    sync->items = calloc(batch, sizeof *sync->items);
    sync->acks = calloc(batch, sizeof *sync->acks);
    sync->ids = calloc(batch, sizeof *sync->ids);
    sync->receipts = calloc(batch, sizeof *sync->receipts);
    enum pt_code code = PT_OK;
    if (!sync->items || !sync->acks || !sync->ids || !sync->receipts)
        code = pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    if (code == PT_OK) code = load_executors(sync, err);
    if (code == PT_OK) code = https_client_new(&options->client, &sync->client, err);
    if (code != PT_OK) {
        sync_free(sync);
        return code;
    }
    *out = sync;
    return PT_OK;
}

void sync_free(struct sync *sync) {
    if (!sync) return;
    if (sync->client) https_client_free(sync->client);
    https_client_response_free(&sync->response);
    for (size_t i = 0; i < sync->executor_count; i++) verify_key_free(sync->executors[i]);
    free(sync->items);
    free(sync->acks);
    free(sync->ids);
    free(sync->receipts);
    free(sync);
}

// A server whose clock stands before the ledger began is not believed.
static void measure_clock(const struct sync *sync, pt_millis sent) {
    pt_millis theirs;
    if (!sync->options.clock || !https_client_response_date(&sync->response, &theirs) || theirs < sync->options.genesis->time) return;
    clock_guard_measured(sync->options.clock, sent, theirs, sync->options.env->now(sync->options.env->ctx));
}

// Sends and says whether a good answer came; a gateway that is away or busy is no error, only "not now".
static bool ask(struct sync *sync, const struct https_client_request *request, struct sync_result *result) {
    struct pt_error err = {0};
    const pt_millis sent = sync->options.env->now(sync->options.env->ctx);
    if (https_client_send(sync->client, request, &sync->response, &err) != PT_OK) {
        pt_log_error("gateway-not-reached", &err);
        result->trouble = err;
        sync->away = true;
        return false;
    }
    measure_clock(sync, sent);
    result->reachable = true;
    if (sync->response.status == 200) return true;
    result->forbidden = result->forbidden || sync->response.status == 403;
    pt_fail(&result->trouble, sync->response.status == 403 ? PT_FORBIDDEN : PT_UNAVAILABLE, request->url, "the gateway answered %u", sync->response.status);
    pt_log(PT_LOG_WARNING, "gateway-refused-request", "url=%s status=%u answer=%.200s", request->url, sync->response.status,
           pt_buf_cstr(&sync->response.body));
    return false;
}

// Takes as many of the listed statements into the body as fit into one request.
static enum pt_code fill_body(struct sync *sync, size_t *count, struct pt_buf *body, struct pt_error *err) {
    for (size_t i = 0; i < *count; i++) {
        if (i > 0 && body->len + sync->items[i].size > WIRE_MAX_BODY) {
            *count = i;
            break;
        }
        const enum pt_code code = outbox_read(sync->options.outbox, sync->items[i].sequence, body, err);
        if (code != PT_OK) return code;
        sync->acks[i] = (struct wire_ack){.id = sync->items[i].id};
    }
    return PT_OK;
}

static enum pt_code take_acks(struct sync *sync, size_t count, struct sync_result *result, bool *later, struct pt_error *err) {
    const pt_millis now = sync->options.env->now(sync->options.env->ctx);
    for (size_t i = 0; i < count; i++) {
        const struct wire_ack *ack = &sync->acks[i];
        const uint64_t sequence = sync->items[i].sequence;
        enum pt_code code = PT_OK;
        if (ack->outcome == WIRE_ACCEPTED || ack->outcome == WIRE_DUPLICATE) {
            code = outbox_acknowledged(sync->options.outbox, sequence, now, err);
            result->uploaded++;
        } else if (ack->outcome == WIRE_REFUSED) {
            pt_log(PT_LOG_ERROR, "statement-refused", "sequence=%llu error=%s", (unsigned long long)sequence, ack->error);
            code = outbox_refused(sync->options.outbox, sequence, ack->error, err);
            result->refused++;
        } else {
            pt_log(PT_LOG_INFO, "statement-later", "sequence=%llu error=%s", (unsigned long long)sequence, ack->error);
            *later = true;
        }
        if (code != PT_OK) return code;
    }
    return PT_OK;
}

static enum pt_code upload(struct sync *sync, struct sync_result *result, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf body = PT_BUF_INIT(WIRE_MAX_BODY + STATEMENT_MAX);
    for (bool later = false; !later;) {
        size_t count = outbox_list(sync->options.outbox, OUTBOX_NEW, 0, sync->items, sync->options.batch);
        if (count == 0) return PT_OK;
        pt_buf_clear(&body);
        enum pt_code code = fill_body(sync, &count, &body, err);
        if (code != PT_OK) return code;
        const struct https_client_request request = {.method = "POST", .url = sync->statements_url, .content_type = WIRE_TYPE_STATEMENTS, .body = pt_buf_bytes(&body)};
        if (!ask(sync, &request, result)) return PT_OK;
        struct pt_error bad = {0};
        if (wire_acks_decode(pt_buf_bytes(&sync->response.body), sync->acks, count, &bad) != PT_OK) {
            pt_log_error("answer-not-understood", &bad);
            return PT_OK;
        }
        code = take_acks(sync, count, result, &later, err);
        if (code != PT_OK) return code;
    }
    return PT_OK;
}

static enum pt_code check_receipt(const struct sync *sync, struct pt_bytes bytes, const struct pt_digest *id,
                                  struct pt_error *err) {
    struct receipt receipt;
    const enum pt_code code = receipt_decode(bytes, &receipt, err);
    if (code != PT_OK) return code;
    if (!receipt.has_genesis || !pt_digest_equal(&receipt.genesis, &sync->options.genesis->hash))
        return pt_fail(err, PT_UNVERIFIED, "receipt", "is from another ledger");
    for (size_t i = 0; i < sync->executor_count; i++)
        if (pt_digest_equal(&sync->kids[i], &receipt.kid)) return receipt_verify(&receipt, sync->executors[i], id, err);
    return pt_fail(err, PT_UNVERIFIED, "receipt", "is signed by nobody whom the genesis names as executor");
}

static enum pt_code take_receipts(struct sync *sync, size_t count, struct sync_result *result, struct pt_error *err) {
    const pt_millis now = sync->options.env->now(sync->options.env->ctx);
    for (size_t i = 0; i < count; i++) {
        const struct outbox_item *item = &sync->items[i];
        if (sync->receipts[i].len == 0) {
            if (now - item->sent_at > sync->options.resend_after) outbox_send_again(sync->options.outbox, item->sequence);
            continue;
        }
        enum pt_code code = check_receipt(sync, sync->receipts[i], &item->id, err);
        if (code == PT_OK) code = outbox_received(sync->options.outbox, item->sequence, sync->receipts[i], err);
        if (code != PT_OK) return code;
        result->received++;
    }
    return PT_OK;
}

static enum pt_code collect(struct sync *sync, struct sync_result *result, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf body = PT_BUF_INIT(WIRE_MAX_BODY);
    for (uint64_t from = 0;;) {
        const size_t count = outbox_list(sync->options.outbox, OUTBOX_SENT, from, sync->items, sync->options.batch);
        if (count == 0) return PT_OK;
        from = sync->items[count - 1].sequence + 1;
        for (size_t i = 0; i < count; i++) sync->ids[i] = sync->items[i].id;
        pt_buf_clear(&body);
        enum pt_code code = wire_receipt_request_encode(sync->ids, count, &body, err);
        if (code != PT_OK) return code;
        const struct https_client_request request = {.method = "POST", .url = sync->receipts_url, .content_type = WIRE_TYPE_CBOR, .body = pt_buf_bytes(&body)};
        if (!ask(sync, &request, result)) return PT_OK;
        code = wire_receipts_decode(pt_buf_bytes(&sync->response.body), sync->receipts, count, err);
        if (code == PT_OK) code = take_receipts(sync, count, result, err);
        if (code != PT_OK) return code;
    }
}

// --- The feed ---

// Whoever reads it has a cursor of his own: each keeps what it took durably, or none of it.
struct feed_reader {
    const char *kinds;
    uint64_t (*cursor)(struct sync *sync);
    enum pt_code (*take)(struct sync *sync, const struct wire_feed *feed, pt_millis now, size_t *refused, struct pt_error *err);
};

static uint64_t recalls_cursor(struct sync *sync) { return recall_list_cursor(sync->options.recalls); }
static enum pt_code recalls_take(struct sync *sync, const struct wire_feed *feed, pt_millis now, size_t *refused, struct pt_error *err) {
    return recall_list_take(sync->options.recalls, feed, now, refused, err);
}
static uint64_t known_cursor(struct sync *sync) { return reference_cursor(sync->options.reference); }
static enum pt_code known_take(struct sync *sync, const struct wire_feed *feed, pt_millis now, size_t *refused, struct pt_error *err) {
    return reference_take(sync->options.reference, feed, now, refused, err);
}

// Reads one answer; *more: ask again at once. A gateway that is away is no error.
static enum pt_code read_feed(struct sync *sync, const struct feed_reader *reader, bool *more, struct sync_result *result, struct pt_error *err) {
    struct pt_error bad = {0};
    struct wire_feed feed = {0};
    char url[640];
    size_t refused;
    *more = false;
    const uint64_t cursor = reader->cursor(sync);
    snprintf(url, sizeof url, "%s" WIRE_PATH_FEED "?kinds=%s&since=%llu", sync->options.gateway_url, reader->kinds, (unsigned long long)cursor);
    const struct https_client_request request = {.method = "GET", .url = url};
    if (!ask(sync, &request, result)) return PT_OK;
    enum pt_code code = wire_feed_decode(pt_buf_bytes(&sync->response.body), &feed, &bad);
    if (code != PT_OK) {
        pt_log_error("feed-not-read", &bad);
        return PT_OK;
    }
    *more = feed.more && feed.cursor > cursor;
    result->feed_read = !feed.more;
    code = reader->take(sync, &feed, sync->options.env->now(sync->options.env->ctx), &refused, err);
    if (code == PT_OK && refused) pt_log(PT_LOG_WARNING, "feed-items-refused", "count=%zu", refused);
    free(feed.items);
    return code;
}

static enum pt_code look_for_news(struct sync *sync, struct sync_result *result, struct pt_error *err) {
    const struct feed_reader readers[] = {{RECALL_LIST_KINDS, recalls_cursor, recalls_take}, {REFERENCE_KINDS, known_cursor, known_take}};
    const bool wanted[] = {sync->options.recalls != NULL, sync->options.reference != NULL};
    const pt_millis now = sync->options.env->now(sync->options.env->ctx);
    if (sync->asked_feed && now >= sync->asked_feed && now - sync->asked_feed < sync->options.feed_interval) return PT_OK;
    sync->asked_feed = now;
    enum pt_code code = PT_OK;
    for (size_t i = 0; i < 2; i++)
        for (bool more = wanted[i]; code == PT_OK && more && !sync->away;) code = read_feed(sync, &readers[i], &more, result, err);
    return code;
}

enum pt_code sync_turn(struct sync *sync, struct sync_result *result, struct pt_error *err) {
    *result = (struct sync_result){0};
    sync->away = false;
    enum pt_code code = upload(sync, result, err);
    if (code == PT_OK) code = collect(sync, result, err);
    if (code == PT_OK) code = look_for_news(sync, result, err);
    struct outbox_status status;
    outbox_status(sync->options.outbox, &status);
    result->left = status.fresh + status.sent;
    return code;
}
