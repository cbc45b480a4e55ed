#include "gateway/settlement/catalogue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/cose/statement.h"
#include "common/identify/percent.h"

enum { MOST_PACKS = 100, KEY_MAX = 2048 };

// --- Master records ---

struct keeping {
    struct store *store;
    const struct master_record *record;
    struct pt_bytes bytes;
};

static enum pt_code keep_identifier(void *arg, const char *identifier, struct pt_error *err) {
    const struct keeping *keeping = arg;
    PT_CLEANUP(pt_buf_free) struct pt_buf key = PT_BUF_INIT(KEY_MAX);
    char lack[LACK_MAX];
    master_key(keeping->record->kind, identifier, keeping->record->valid_from, keeping->record->version, &key);
    enum pt_code code = pt_buf_check(&key, err);
    if (code == PT_OK) code = store_put_master(keeping->store, pt_buf_bytes(&key), keeping->bytes, err);
    snprintf(lack, sizeof lack, "product/%.300s", identifier);
    return code == PT_OK ? store_arrived(keeping->store, lack, err) : code;
}

// An operator says everything, a company only what it answers for: the ledger's rule, checked here as well.
static bool may_say(const struct actor *signer, const struct master_product *product) {
    if (signer->role == ACTOR_OPERATOR) return true;
    return signer->role == ACTOR_COMPANY && ((product->holder && strcmp(product->holder, signer->party) == 0) ||
                                             (product->manufacturer && strcmp(product->manufacturer, signer->party) == 0));
}

static enum pt_code apply_master(struct catalogue *catalogue, struct pt_bytes bytes, bool *wait, struct pt_error *err) {
    struct statement statement;
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct master_record record;
    *wait = false;
    enum pt_code code = statement_decode(bytes, &statement, err);
    if (code != PT_OK) return code;
    const struct roster_actor *signer = roster_by_kid(catalogue->roster, &statement.kid);
    *wait = !signer;
    if (!signer) return pt_fail(err, PT_FORBIDDEN, "kid", "the signer is not enrolled, as far as this gateway knows");
    code = statement_verify(&statement, signer->key, &catalogue->genesis, err);
    if (code == PT_OK && !pt_bytes_equal(statement.content_type, pt_bytes_str(STATEMENT_MASTER)))
        code = pt_fail(err, PT_INVALID, "content type", "no master record");
    if (code == PT_OK) code = master_decode(statement.payload, &arena, &record, err);
    if (code != PT_OK || record.kind != MASTER_PRODUCT) return code;
    if (!may_say(&signer->actor, &record.product)) return pt_fail(err, PT_FORBIDDEN, record.product.id, "not the signer's product");
    struct keeping keeping = {catalogue->store, &record, statement.payload};
    return master_each_identifier(&record, keep_identifier, &keeping, err);
}

static bool is_store_failure(enum pt_code code) { return code == PT_IO || code == PT_UNAVAILABLE || code == PT_NO_MEMORY; }

static enum pt_code apply_items(struct catalogue *catalogue, const struct wire_feed *feed, size_t *refused, struct pt_error *err) {
    for (size_t i = 0; i < feed->count; i++) {
        struct pt_error why = {0};
        bool wait;
        if (feed->items[i].kind != WIRE_FEED_MASTER) continue;
        const enum pt_code code = apply_master(catalogue, feed->items[i].statement, &wait, &why);
        // The roster may be a moment behind; once it has read as far, nobody will enrol the signer any more.
        if (wait && roster_cursor(catalogue->roster) < feed->cursor) return pt_fail(err, PT_UNAVAILABLE, why.where, "%s", why.what);
        if (is_store_failure(code)) return pt_fail(err, code, why.where, "%s", why.what);
        if (code != PT_OK) (*refused)++;
    }
    return store_set_cursor(catalogue->store, feed->cursor, err);
}

enum pt_code catalogue_apply_feed(struct catalogue *catalogue, const struct wire_feed *feed, size_t *refused, struct pt_error *err) {
    *refused = 0;
    enum pt_code code = store_begin(catalogue->store, err);
    if (code != PT_OK) return code;
    code = apply_items(catalogue, feed, refused, err);
    if (code == PT_OK) return store_commit(catalogue->store, err);
    store_rollback(catalogue->store);
    return code;
}

static enum pt_code get(struct catalogue *catalogue, const char *url, struct pt_error *err) {
    const struct https_client_request request = {.method = "GET", .url = url};
    const enum pt_code code = https_client_send(catalogue->client, &request, &catalogue->response, err);
    if (code != PT_OK || catalogue->response.status == 200) return code;
    return pt_fail(err, catalogue->response.status == 404 ? PT_NOT_FOUND : PT_UNAVAILABLE, "ledger", "answered %u", catalogue->response.status);
}

static enum pt_code read_feed(struct catalogue *catalogue, bool *arrived, bool *more, struct pt_error *err) {
    char url[512];
    uint64_t cursor;
    size_t refused = 0;
    struct wire_feed feed = {0};
    *more = false;
    enum pt_code code = store_cursor(catalogue->store, &cursor, err);
    if (code != PT_OK) return code;
    snprintf(url, sizeof url, "%s" WIRE_PATH_FEED "?since=%llu", catalogue->ledger_url, (unsigned long long)cursor);
    code = get(catalogue, url, err);
    if (code == PT_OK) code = wire_feed_decode(pt_buf_bytes(&catalogue->response.body), &feed, err);
    if (code == PT_OK) code = catalogue_apply_feed(catalogue, &feed, &refused, err);
    *more = code == PT_OK && feed.more;
    *arrived = *arrived || (code == PT_OK && feed.count > 0);
    free(feed.items);
    if (refused) pt_log(PT_LOG_WARNING, "settlement-feed-items-refused", "count=%zu", refused);
    return code;
}

// --- Lot and expiry of packs ---

static enum pt_code text_of(const json_t *object, const char *name, struct pt_arena *arena, const char **out, struct pt_error *err) {
    const json_t *value = json_object_get(object, name);
    *out = NULL;
    if (!json_is_string(value) || !json_string_value(value)[0]) return PT_OK;
    *out = pt_arena_strdup(arena, pt_bytes_str(json_string_value(value)));
    return *out ? PT_OK : pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
}

enum pt_code catalogue_read_pack(struct pt_bytes json, struct pt_arena *arena, const char **lot, const char **expiry,
                                 struct pt_error *err) {
    PT_JSON json_t *root = NULL;
    *lot = *expiry = NULL;
    enum pt_code code = pt_json_parse(json, ANSWER_MAX, &root, err);
    if (code == PT_OK && !json_is_object(root)) code = pt_fail(err, PT_INVALID, "", "must be an object");
    if (code == PT_OK) code = text_of(root, "lot", arena, lot, err);
    return code == PT_OK ? text_of(root, "expiry", arena, expiry, err) : code;
}

static enum pt_code keep_pack(struct catalogue *catalogue, const char *uri, const char *lot, const char *expiry, const char *lack,
                              struct pt_error *err) {
    enum pt_code code = store_begin(catalogue->store, err);
    if (code != PT_OK) return code;
    code = store_put_pack(catalogue->store, uri, lot ? lot : "", expiry ? expiry : "", err);
    if (code == PT_OK) code = store_arrived(catalogue->store, lack, err);
    if (code == PT_OK) return store_commit(catalogue->store, err);
    store_rollback(catalogue->store);
    return code;
}

static enum pt_code ask_pack(struct catalogue *catalogue, const char *lack, bool *arrived, struct pt_error *err) {
    const char *uri = lack + strlen("pack/"), *lot, *expiry, *had_lot = NULL, *had_expiry = NULL;
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    PT_CLEANUP(pt_buf_free) struct pt_buf url = PT_BUF_INIT(4096);
    pt_buf_printf(&url, "%s/packs/", catalogue->ledger_url);
    percent_encode(&url, pt_bytes_str(uri));
    enum pt_code code = get(catalogue, pt_buf_cstr(&url), err);
    if (code == PT_NOT_FOUND) return PT_OK;  // not announced yet; asked again next time
    if (code == PT_OK) code = catalogue_read_pack(pt_buf_bytes(&catalogue->response.body), &arena, &lot, &expiry, err);
    if (code == PT_OK) code = store_pack(catalogue->store, uri, &arena, &had_lot, &had_expiry, err);
    if (code != PT_OK && code != PT_NOT_FOUND) return code;
    // Only what is new is worth another try: the report would wait for the same again.
    if ((!lot || had_lot) && (!expiry || had_expiry)) return PT_OK;
    *arrived = true;
    return keep_pack(catalogue, uri, lot, expiry, lack, err);
}

static enum pt_code ask_packs(struct catalogue *catalogue, bool *arrived, struct pt_error *err) {
    char lack[LACK_MAX];
    for (int i = 0; i < MOST_PACKS; i++) {
        enum pt_code code = store_next_lack(catalogue->store, "pack/", catalogue->asked, lack, err);
        memcpy(catalogue->asked, code == PT_OK ? lack : "", code == PT_OK ? sizeof lack : 1);
        if (code == PT_NOT_FOUND) return PT_OK;
        if (code == PT_OK) code = ask_pack(catalogue, lack, arrived, err);
        if (code != PT_OK) return code;
    }
    return PT_OK;
}

bool catalogue_step(struct catalogue *catalogue) {
    struct pt_error err = {0};
    bool arrived = false, more = true;
    enum pt_code code = PT_OK;
    while (more && code == PT_OK) code = read_feed(catalogue, &arrived, &more, &err);
    if (code == PT_OK) code = ask_packs(catalogue, &arrived, &err);
    if (code != PT_OK && !catalogue->unreachable) pt_log_error("settlement-ledger-not-read", &err);
    catalogue->unreachable = code != PT_OK;
    return arrived;
}
