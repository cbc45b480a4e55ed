#include "firmware/sync/sync.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/wire/wire.h"

enum {
    MOST_EXECUTORS = 64,
    MOST_PROBLEM = 16384,
    SAVED_EVERY_MS = 60000,  // the line's record, while nothing changes
    BARREN_BATCHES = 3,      // so many requests without one receipt, and the rest is asked for in the next turn
};

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
    pt_millis asked_feed;  // when it was last read; 0: never, or not to its end
    bool away;             // the gateway could not be reached in this turn
    bool looked_back;      // what the last run may have brought was asked for
    uint64_t collect_from; // where the next turn goes on asking for receipts
    char *line_file;
    struct line_record line;
    pt_millis line_saved;
    bool asked;                // in this turn
    enum line_state worst;     // of this turn's requests
    struct pt_error trouble;   // of this turn
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
    if (code == PT_OK && options->line_file) {
        sync->line_file = strdup(options->line_file);
        if (sync->line_file) line_record_load(sync->line_file, &sync->line);
        else code = pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    }
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
    free(sync->line_file);
    free(sync);
}

void sync_line(const struct sync *sync, struct line_record *out) { *out = sync->line; }

// A server whose clock stands before the second in which the ledger began is not believed.
static void measure_clock(const struct sync *sync, pt_millis sent) {
    pt_millis theirs;
    if (!sync->options.clock || !https_client_response_date(&sync->response, &theirs) || theirs + 999 < sync->options.genesis->time) return;
    clock_guard_measured(sync->options.clock, sent, theirs, sync->options.env->now(sync->options.env->ctx));
}

// What the gateway says of its refusal (RFC 9457), for staff; without it the status alone.
static void describe_refusal(struct sync *sync, const char *url) {
    PT_JSON json_t *problem = NULL;
    const unsigned status = sync->response.status;
    const char *detail = pt_json_parse(pt_buf_bytes(&sync->response.body), MOST_PROBLEM, &problem, NULL) == PT_OK ? json_string_value(json_object_get(problem, "detail")) : NULL;
    pt_fail(&sync->trouble, status == 403 ? PT_FORBIDDEN : PT_UNAVAILABLE, url, "the gateway answered %u%s%.300s", status, detail ? ": " : "", detail ? detail : "");
    pt_log(PT_LOG_WARNING, "gateway-refused-request", "url=%s status=%u answer=%.200s", url, status, detail ? detail : "");
}

// A certificate that does not hold, on either side, is no bad line: it does not mend itself.
static enum line_state state_without_answer(enum pt_code code) { return code == PT_UNVERIFIED || code == PT_USAGE ? LINE_UNTRUSTED : LINE_DOWN; }

static void note_line(struct sync *sync, enum line_state state, pt_millis now) {
    sync->asked = true;
    sync->line.tried = now;
    if (state == LINE_UP) sync->line.contact = now;
    // The worst of a turn is what staff are told: a feed that is refused is not mended by a receipt that came.
    if (state > sync->worst || sync->worst == LINE_UNKNOWN) sync->worst = state;
}

// Sends and says whether a good answer came; a gateway that is away or busy is no error, only "not now".
static bool ask(struct sync *sync, const struct https_client_request *request, struct sync_result *result) {
    const struct pt_env *env = sync->options.env;
    const pt_millis sent = env->now(env->ctx);
    struct pt_error err = {0};
    if (https_client_send(sync->client, request, &sync->response, &err) != PT_OK) {
        if (sync->line.state != state_without_answer(err.code)) pt_log_error("gateway-not-reached", &err);
        sync->trouble = err;
        sync->away = true;
        note_line(sync, state_without_answer(err.code), env->now(env->ctx));
        return false;
    }
    measure_clock(sync, sent);
    result->reachable = true;
    if (sync->response.status == 200) {
        note_line(sync, LINE_UP, env->now(env->ctx));
        return true;
    }
    describe_refusal(sync, request->url);
    result->forbidden = result->forbidden || sync->response.status == 403;
    note_line(sync, sync->response.status == 403 ? LINE_REFUSED : LINE_BUSY, env->now(env->ctx));
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

// Asks for the receipts of the first `count` items and takes what comes. *came: a good answer did.
static enum pt_code ask_receipts(struct sync *sync, size_t count, struct sync_result *result, bool *came, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf body = PT_BUF_INIT(WIRE_MAX_BODY);
    *came = false;
    for (size_t i = 0; i < count; i++) sync->ids[i] = sync->items[i].id;
    enum pt_code code = wire_receipt_request_encode(sync->ids, count, &body, err);
    if (code != PT_OK) return code;
    const struct https_client_request request = {.method = "POST", .url = sync->receipts_url, .content_type = WIRE_TYPE_CBOR, .body = pt_buf_bytes(&body)};
    if (!ask(sync, &request, result)) return PT_OK;
    *came = true;
    code = wire_receipts_decode(pt_buf_bytes(&sync->response.body), sync->receipts, count, err);
    return code == PT_OK ? take_receipts(sync, count, result, err) : code;
}

// After a start nobody knows what the last run had sent: before thousands of statements are sent again, their receipts are asked for,
// the oldest first, as long as some come.
static enum pt_code look_back(struct sync *sync, struct sync_result *result, struct pt_error *err) {
    for (uint64_t from = 0;;) {
        const size_t before = result->received, count = outbox_list(sync->options.outbox, OUTBOX_NEW, from, sync->items, sync->options.batch);
        bool came = true;
        if (count > 0) {
            const enum pt_code code = ask_receipts(sync, count, result, &came, err);
            if (code != PT_OK || !came) return code;
            from = sync->items[count - 1].sequence + 1;
        }
        if (result->received == before) break;
    }
    sync->looked_back = true;
    return PT_OK;
}

// Goes round: where many are awaited and few come, each turn asks for others.
static enum pt_code collect(struct sync *sync, struct sync_result *result, struct pt_error *err) {
    for (unsigned barren = 0; barren < BARREN_BATCHES && !sync->away;) {
        const size_t before = result->received, count = outbox_list(sync->options.outbox, OUTBOX_SENT, sync->collect_from, sync->items, sync->options.batch);
        bool came;
        if (count == 0) {
            if (sync->collect_from == 0) return PT_OK;
            sync->collect_from = 0;
            return PT_OK;
        }
        const enum pt_code code = ask_receipts(sync, count, result, &came, err);
        if (code != PT_OK || !came) return code;
        sync->collect_from = sync->items[count - 1].sequence + 1;
        barren = result->received == before ? barren + 1 : 0;
    }
    return PT_OK;
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
    code = reader->take(sync, &feed, sync->options.env->now(sync->options.env->ctx), &refused, err);
    result->feed_read = code == PT_OK && !feed.more;
    if (code == PT_OK && refused) pt_log(PT_LOG_WARNING, "feed-items-refused", "count=%zu", refused);
    free(feed.items);
    return code;
}

static enum pt_code look_for_news(struct sync *sync, struct sync_result *result, struct pt_error *err) {
    const struct feed_reader readers[] = {{RECALL_LIST_KINDS, recalls_cursor, recalls_take}, {REFERENCE_KINDS, known_cursor, known_take}};
    const bool wanted[] = {sync->options.recalls != NULL, sync->options.reference != NULL};
    const pt_millis now = sync->options.env->now(sync->options.env->ctx);
    if (sync->asked_feed && now >= sync->asked_feed && now - sync->asked_feed < sync->options.feed_interval) return PT_OK;
    enum pt_code code = PT_OK;
    bool all = true;
    for (size_t i = 0; i < 2; i++) {
        if (!wanted[i]) continue;
        result->feed_read = false;
        for (bool more = true; code == PT_OK && more && !sync->away;) code = read_feed(sync, &readers[i], &more, result, err);
        all = all && result->feed_read;
    }
    result->feed_read = all && (wanted[0] || wanted[1]);
    sync->asked_feed = all ? now : 0;  // what failed is tried again in the next turn, whose pauses grow
    return code;
}

// --- What is said of it ---

bool sync_revoked(struct reference *reference, const struct pt_digest *kid, char why[SYNC_WHY_MAX + 1]) {
    char reason[ACTOR_TEXT_MAX + 1] = "";
    why[0] = 0;
    if (!reference_revoked(reference, kid, reason)) return false;
    snprintf(why, SYNC_WHY_MAX + 1, "this terminal was revoked by an operator%s%s", reason[0] ? ": " : "", reason);
    return true;
}

static void stop_if_revoked(struct sync *sync, struct sync_result *result) {
    static const struct pt_digest unknown;
    char why[SYNC_WHY_MAX + 1];
    if (!sync->options.reference || pt_digest_equal(&sync->options.kid, &unknown)) return;
    result->revoked = sync_revoked(sync->options.reference, &sync->options.kid, why);
    outbox_stop_signing(sync->options.outbox, result->revoked ? why : NULL);
}

static void keep_line(struct sync *sync) {
    struct line_record *line = &sync->line;
    if (!sync->asked) return;
    const bool changed = line->state != sync->worst || strcmp(line->why, sync->trouble.what) != 0;
    if (line->state != sync->worst) line->since = line->tried;
    line->state = sync->worst;
    line->code = sync->trouble.code;
    snprintf(line->why, sizeof line->why, "%s", sync->trouble.what);
    if (!sync->line_file || (!changed && line->tried >= sync->line_saved && line->tried - sync->line_saved < SAVED_EVERY_MS)) return;
    struct pt_error err = {0};
    sync->line_saved = line->tried;
    // A full disk must not stop the sync, which makes room on it.
    if (line_record_save(sync->line_file, line, &err) != PT_OK) pt_log_error("line-not-recorded", &err);
}

enum pt_code sync_turn(struct sync *sync, struct sync_result *result, struct pt_error *err) {
    *result = (struct sync_result){0};
    sync->away = sync->asked = false;
    sync->worst = LINE_UNKNOWN;
    sync->trouble = (struct pt_error){0};
    enum pt_code code = sync->looked_back ? PT_OK : look_back(sync, result, err);
    if (code == PT_OK && !sync->away) code = upload(sync, result, err);
    if (code == PT_OK && !sync->away) code = collect(sync, result, err);
    // News are looked for also when the outbox is in trouble: a revocation may be among them.
    struct pt_error feed_err = {0};
    enum pt_code news = sync->away ? PT_OK : look_for_news(sync, result, &feed_err);
    if (news == PT_UNAVAILABLE) {  // no room for news: the outbox goes on, and makes some
        pt_log_error("feed-not-kept", &feed_err);
        sync->trouble = feed_err;
        news = PT_OK;
    }
    if (code == PT_OK && news != PT_OK && err) *err = feed_err;
    stop_if_revoked(sync, result);
    keep_line(sync);
    struct outbox_status status;
    outbox_status(sync->options.outbox, &status);
    result->left = status.fresh + status.sent;
    result->trouble = sync->trouble;
    return code != PT_OK ? code : news;
}
