#include "firmware/reference/reference.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/log.h"
#include "common/cose/statement.h"
#include "common/epcis/epcis_json.h"
#include "common/epcis/event_cbor.h"
#include "firmware/reference/reference_store.h"

#define DAY ((pt_millis)86400000)

enum { NOTICE_DAYS = 90, NOTICES_A_PACK = 8, EVENT_MEMORY = 32 * 1024 * 1024, AGE_SAVED_EVERY = 60000 };

struct reference {
    pthread_mutex_t lock;
    const struct genesis *genesis;
    struct reference_store *store;
    struct reference_mark mark;
    pt_millis saved;  // when the age was last written
};

// --- Whom the terminal believes ---

// From the genesis, or enrolled since. actor_free.
static enum pt_code actor_of(struct reference *reference, const struct pt_digest *kid, struct actor *out, struct pt_error *err) {
    return reference_store_actor(reference->store, kid, out, err);
}

static bool is_own(const struct actor *signer, const char *party) { return party && strcmp(signer->party, party) == 0; }

// As the ledger decides (ledger/contracts): operators say everything of products, parties and places, companies what is theirs.
static bool may_say_record(const struct actor *signer, const struct master_record *record) {
    if (signer->role == ACTOR_OPERATOR) return true;
    if (signer->role != ACTOR_COMPANY) return false;
    switch (record->kind) {
    case MASTER_PRODUCT: return is_own(signer, record->product.holder) || is_own(signer, record->product.manufacturer);
    case MASTER_PARTY: return is_own(signer, record->party.id);
    case MASTER_PLACE: return is_own(signer, record->place.party);
    default: return false;
    }
}

static enum pt_code check_signature(struct reference *reference, const struct statement *statement, const struct actor *signer, struct pt_error *err) {
    struct verify_key *key;
    if (signer->revoked && statement->sequence > signer->last_trusted) return pt_fail(err, PT_FORBIDDEN, "kid", "signed by a revoked key");
    enum pt_code code = verify_key_from_cose(pt_buf_bytes(&signer->key), &key, err);
    if (code != PT_OK) return code;
    code = statement_verify(statement, key, &reference->genesis->hash, err);
    verify_key_free(key);
    return code;
}

// --- Taking the feed in ---

static enum pt_code take_enrolment(struct reference *reference, const struct statement *statement, struct pt_error *err) {
    PT_CLEANUP(actor_free) struct actor actor = {0};
    struct verify_key *key;
    enum pt_code code = actor_decode(statement->payload, &actor, err);
    if (code == PT_OK) code = verify_key_from_cose(pt_buf_bytes(&actor.key), &key, err);
    if (code != PT_OK) return code;
    const struct pt_digest kid = verify_key_thumbprint(key);
    verify_key_free(key);
    if (!pt_digest_equal(&kid, &actor.kid)) return pt_fail(err, PT_UNVERIFIED, actor.name, "the key is not the one that the kid names");
    return reference_store_put_actor(reference->store, &actor, err);
}

static enum pt_code take_revocation(struct reference *reference, const struct statement *statement, struct pt_error *err) {
    PT_CLEANUP(actor_free) struct actor actor = {0};
    struct revocation revocation;
    enum pt_code code = revocation_decode(statement->payload, &revocation, err);
    if (code == PT_OK) code = actor_of(reference, &revocation.kid, &actor, err);
    if (code != PT_OK) return code == PT_NOT_FOUND ? PT_OK : code;
    if (actor.revoked && actor.last_trusted <= revocation.last_trusted) return PT_OK;
    actor.revoked = true;
    actor.last_trusted = revocation.last_trusted;
    code = reference_store_put_actor(reference->store, &actor, err);
    return code == PT_OK ? reference_store_put_reason(reference->store, &actor.kid, revocation.reason, err) : code;
}

struct record_keys {
    struct reference *reference;
    const struct master_record *record;
    struct pt_bytes payload;
};

static enum pt_code put_record_key(void *arg, const char *identifier, struct pt_error *err) {
    const struct record_keys *keys = arg;
    PT_CLEANUP(pt_buf_free) struct pt_buf key = PT_BUF_INIT(4096);
    master_key(keys->record->kind, identifier, keys->record->valid_from, keys->record->version, &key);
    const enum pt_code code = pt_buf_check(&key, err);
    return code == PT_OK ? reference_store_put_record(keys->reference->store, keys->record->kind, pt_buf_bytes(&key), keys->payload, err) : code;
}

static enum pt_code take_record(struct reference *reference, const struct statement *statement, const struct actor *signer, struct pt_error *err) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct master_record record;
    const enum pt_code code = master_decode(statement->payload, &arena, &record, err);
    if (code != PT_OK) return code;
    if (!may_say_record(signer, &record)) return pt_fail(err, PT_FORBIDDEN, "kid", "signed by nobody who may say this");
    struct record_keys keys = {reference, &record, statement->payload};
    return master_each_identifier(&record, put_record_key, &keys, err);
}

static enum pt_code decode_event(const struct statement *statement, struct pt_arena *arena, struct epcis_event *out, struct pt_error *err) {
    if (pt_bytes_equal(statement->content_type, pt_bytes_str(STATEMENT_EVENT_CBOR))) return epcis_cbor_decode(statement->payload, arena, out, err);
    if (!pt_bytes_equal(statement->content_type, pt_bytes_str(STATEMENT_EVENT_JSON))) return pt_fail(err, PT_INVALID, "content type", "no event");
    struct epcis_document document;
    const enum pt_code code = epcis_json_decode(statement->payload, STATEMENT_MAX, EPCIS_FOR_CAPTURE, arena, &document, err);
    if (code != PT_OK) return code;
    if (document.event_count != 1) return pt_fail(err, PT_INVALID, NULL, "not one event");
    *out = document.events[0];
    return PT_OK;
}

static enum pt_code pack_key(const struct pack_id *pack, struct pt_buf *out, struct pt_error *err) {
    pt_buf_clear(out);
    return pack_id_key(pack, out, err);
}

static enum pt_code take_notice(struct reference *reference, const struct statement *statement, struct pt_error *err) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {.ceiling = EVENT_MEMORY};
    PT_CLEANUP(pt_buf_free) struct pt_buf key = PT_BUF_INIT(PACK_KEY_MAX);
    struct epcis_event event;
    const struct pt_digest id = statement_id(statement->bytes);
    enum pt_code code = decode_event(statement, &arena, &event, err);
    if (code == PT_OK) code = reference_store_put_notice(reference->store, &id, pt_instant_millis(&event.event_time), statement->bytes, err);
    for (size_t i = 0; i < event.epcs.count && code == PT_OK; i++) {
        struct pack_id pack;
        if (pack_id_from_uri(pt_bytes_str(event.epcs.items[i]), &pack, NULL) != PT_OK) continue;  // what names no single pack is not looked for
        code = pack_key(&pack, &key, err);
        if (code == PT_OK) code = reference_store_put_notice_pack(reference->store, pt_buf_bytes(&key), &id, err);
    }
    return code;
}

static enum pt_code take_item(struct reference *reference, const struct wire_feed_item *item, struct pt_error *err) {
    PT_CLEANUP(actor_free) struct actor signer = {0};
    struct statement statement;
    enum pt_code code = statement_decode(item->statement, &statement, err);
    if (code == PT_OK) code = actor_of(reference, &statement.kid, &signer, err);
    if (code == PT_OK) code = check_signature(reference, &statement, &signer, err);
    if (code != PT_OK) return code;
    const bool enrolment = pt_bytes_equal(statement.content_type, pt_bytes_str(STATEMENT_ENROLMENT));
    const bool revocation = pt_bytes_equal(statement.content_type, pt_bytes_str(STATEMENT_REVOCATION));
    if ((enrolment || revocation) && signer.role != ACTOR_OPERATOR) return pt_fail(err, PT_FORBIDDEN, "kid", "signed by nobody who may say this");
    if (enrolment) return take_enrolment(reference, &statement, err);
    if (revocation) return take_revocation(reference, &statement, err);
    if (pt_bytes_equal(statement.content_type, pt_bytes_str(STATEMENT_MASTER))) return take_record(reference, &statement, &signer, err);
    if (signer.role != ACTOR_DEVICE && signer.role != ACTOR_COMPANY) return pt_fail(err, PT_FORBIDDEN, "kid", "signed by nobody who may say this");
    return take_notice(reference, &statement, err);
}

static bool is_wanted(enum wire_feed_kind kind) {
    return kind == WIRE_FEED_ENROLMENT || kind == WIRE_FEED_REVOCATION || kind == WIRE_FEED_MASTER || kind == WIRE_FEED_SHIPPING_NOTICE;
}

// A disk that fails or is full stops the reading; a bad item is left out and counted.
static bool is_ours(enum pt_code code) { return code == PT_NO_MEMORY || code == PT_IO || code == PT_UNAVAILABLE; }

static enum pt_code take_items(struct reference *reference, const struct wire_feed *feed, size_t *refused, struct pt_error *err) {
    for (size_t i = 0; i < feed->count; i++) {
        struct pt_error why = {0};
        if (!is_wanted(feed->items[i].kind)) continue;
        const enum pt_code code = take_item(reference, &feed->items[i], &why);
        if (code != PT_OK && is_ours(code)) {
            if (err) *err = why;
            return code;
        }
        *refused += code != PT_OK;
    }
    return PT_OK;
}

static enum pt_code take(struct reference *reference, const struct wire_feed *feed, pt_millis now, size_t *refused, struct pt_error *err) {
    struct reference_mark mark = reference->mark;
    mark.cursor = feed->cursor;
    if (!feed->more) {
        mark.height = feed->height;
        mark.chain_time = feed->time;
        mark.read = now;
    }
    // A terminal that only looks for news need not wear its flash.
    const bool news = feed->count > 0 || mark.cursor != reference->mark.cursor || reference->mark.read == 0;
    if (!news && now - reference->saved < AGE_SAVED_EVERY && now >= reference->saved) {
        reference->mark = mark;
        return PT_OK;
    }
    enum pt_code code = reference_store_begin(reference->store, err);
    if (code != PT_OK) return code;
    code = take_items(reference, feed, refused, err);
    // By whichever clock is behind: one that was set forward by mistake must not make this terminal forget.
    if (code == PT_OK) code = reference_store_forget_notices(reference->store, (feed->time < now ? feed->time : now) - 2 * NOTICE_DAYS * DAY, err);
    if (code == PT_OK) code = reference_store_set_mark(reference->store, &mark, err);
    if (code == PT_OK) code = reference_store_commit(reference->store, err);
    if (code != PT_OK) {
        reference_store_rollback(reference->store);
        return code;
    }
    reference->mark = mark;
    reference->saved = now;
    return PT_OK;
}

enum pt_code reference_take(struct reference *reference, const struct wire_feed *feed, pt_millis now, size_t *refused, struct pt_error *err) {
    *refused = 0;
    pthread_mutex_lock(&reference->lock);
    const enum pt_code code = take(reference, feed, now, refused, err);
    pthread_mutex_unlock(&reference->lock);
    return code;
}

// --- Opening ---

static enum pt_code open_store(struct reference *reference, const char *file, struct pt_error *err) {
    enum pt_code code = reference_store_open(file, &reference->store, err);
    if (code == PT_OK) code = reference_store_mark(reference->store, &reference->mark, err);
    const bool fresh = code == PT_OK && pt_digest_equal(&reference->mark.genesis, &(struct pt_digest){0});
    if (code != PT_OK || (!fresh && pt_digest_equal(&reference->mark.genesis, &reference->genesis->hash))) return code;
    if (!fresh) return pt_fail(err, PT_INVALID, file, "is of another ledger");
    reference->mark.genesis = reference->genesis->hash;
    code = reference_store_begin(reference->store, err);
    for (size_t i = 0; i < reference->genesis->actor_count && code == PT_OK; i++) code = reference_store_put_actor(reference->store, &reference->genesis->actors[i], err);
    if (code == PT_OK) code = reference_store_set_mark(reference->store, &reference->mark, err);
    return code == PT_OK ? reference_store_commit(reference->store, err) : code;
}

// It only repeats what the feed says: a damaged one is kept for whoever wants to know, and read again.
static void put_aside(const char *file) {
    static const char *const parts[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < 3; i++) {
        char from[1024], to[1024];
        snprintf(from, sizeof from, "%s%s", file, parts[i]);
        snprintf(to, sizeof to, "%s.bad%s", file, parts[i]);
        if (rename(from, to) != 0 && i == 0) pt_log(PT_LOG_WARNING, "reference-not-put-aside", "file=%s", file);
    }
}

enum pt_code reference_open(const struct genesis *genesis, const char *file, struct reference **out, struct pt_error *err) {
    struct reference *reference = calloc(1, sizeof *reference);
    struct pt_error why = {0};
    if (!reference) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    pthread_mutex_init(&reference->lock, NULL);
    reference->genesis = genesis;
    enum pt_code code = open_store(reference, file, &why);
    if (code == PT_INVALID) {
        pt_log_error("reference-damaged", &why);
        reference_store_close(reference->store);
        reference->store = NULL;
        put_aside(file);
        code = open_store(reference, file, &why);
    }
    if (code != PT_OK) {
        reference_close(reference);
        if (err) *err = why;
        return code;
    }
    *out = reference;
    return PT_OK;
}

void reference_close(struct reference *reference) {
    if (!reference) return;
    reference_store_close(reference->store);
    pthread_mutex_destroy(&reference->lock);
    free(reference);
}

uint64_t reference_cursor(struct reference *reference) {
    pthread_mutex_lock(&reference->lock);
    const uint64_t cursor = reference->mark.cursor;
    pthread_mutex_unlock(&reference->lock);
    return cursor;
}

// --- Asking ---

enum pt_code reference_record(struct reference *reference, enum master_kind kind, const char *identifier, pt_millis at,
                              struct pt_arena *arena, struct master_record *out, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf from = PT_BUF_INIT(4096), to = PT_BUF_INIT(4096);
    struct pt_bytes payload;
    master_key(kind, identifier, 0, 0, &from);
    master_key(kind, identifier, at, UINT64_MAX, &to);
    enum pt_code code = pt_buf_check(&to, err);
    if (code != PT_OK) return code;
    pthread_mutex_lock(&reference->lock);
    code = reference_store_record(reference->store, pt_buf_bytes(&from), pt_buf_bytes(&to), arena, &payload, err);
    pthread_mutex_unlock(&reference->lock);
    if (code == PT_OK) code = master_decode(payload, arena, out, err);
    return code == PT_OK && out->withdrawn ? pt_fail(err, PT_NOT_FOUND, identifier, "the record was withdrawn") : code;
}

enum pt_code reference_product(struct reference *reference, const struct pack_id *pack, pt_millis at, struct pt_arena *arena,
                               struct master_record *out, struct pt_error *err) {
    if (pack->kind != PACK_SGTIN && pack->kind != PACK_CN_TRACE) return pt_fail(err, PT_NOT_FOUND, NULL, "the code names no product");
    return reference_record(reference, MASTER_PRODUCT, pack->product, at, arena, out, err);
}

static const char *party_in(const struct epcis_references *references) {
    for (size_t i = 0; i < references->count; i++)
        if (references->items[i].type && strstr(references->items[i].type, "possessing_party")) return references->items[i].id;
    return references->count ? references->items[0].id : NULL;
}

// Memory of the event and of the packs is the arena's.
static enum pt_code read_notice(const struct reference_notice *stored, struct pt_arena *arena, struct shipping_notice *out, struct pt_error *err) {
    struct statement statement;
    struct epcis_event event;
    enum pt_code code = statement_decode(stored->statement, &statement, err);
    if (code == PT_OK) code = decode_event(&statement, arena, &event, err);
    if (code != PT_OK) return code;
    struct pack_id *packs = pt_arena_alloc(arena, event.epcs.count ? event.epcs.count : 1, sizeof *packs);
    if (!packs) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    *out = (struct shipping_notice){.id = stored->id, .sent = pt_instant_millis(&event.event_time), .packs = packs, .source = party_in(&event.sources), .destination = party_in(&event.destinations)};
    if (event.biz_transactions.count) {
        out->transaction_type = event.biz_transactions.items[0].type;
        out->transaction = event.biz_transactions.items[0].id;
    }
    for (size_t i = 0; i < event.epcs.count; i++)
        if (pack_id_from_uri(pt_bytes_str(event.epcs.items[i]), &packs[out->count], NULL) == PT_OK) out->count++;
    return PT_OK;
}

static enum pt_code find_notices(struct reference *reference, struct pt_bytes pack, pt_millis now, size_t most, struct pt_arena *arena,
                                 struct shipping_notice **out, size_t *count, struct pt_error *err) {
    struct reference_notice *stored;
    size_t found = 0;
    *count = 0;
    pthread_mutex_lock(&reference->lock);
    enum pt_code code = reference_store_notices(reference->store, now - NOTICE_DAYS * DAY, pack, most, arena, &stored, &found, err);
    pthread_mutex_unlock(&reference->lock);
    if (code != PT_OK) return code;
    *out = pt_arena_alloc(arena, found ? found : 1, sizeof **out);
    if (!*out) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    for (; *count < found && code == PT_OK; ++*count) code = read_notice(&stored[*count], arena, &(*out)[*count], err);
    return code;
}

enum pt_code reference_notices(struct reference *reference, pt_millis now, size_t most, struct pt_arena *arena, struct shipping_notice **out,
                               size_t *count, struct pt_error *err) {
    return find_notices(reference, pt_bytes_of(NULL, 0), now, most, arena, out, count, err);
}

enum pt_code reference_notice_of(struct reference *reference, const struct pack_id *pack, pt_millis now, struct pt_arena *arena,
                                 struct shipping_notice *out, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf key = PT_BUF_INIT(PACK_KEY_MAX);
    struct shipping_notice *found;
    size_t count;
    enum pt_code code = pack_key(pack, &key, err);
    if (code == PT_OK) code = find_notices(reference, pt_buf_bytes(&key), now, NOTICES_A_PACK, arena, &found, &count, err);
    if (code == PT_OK && count == 0) code = pt_fail(err, PT_NOT_FOUND, NULL, "no open shipping notice names it");
    if (code == PT_OK) *out = found[0];
    return code;
}

enum pt_code reference_notice_done(struct reference *reference, const struct pt_digest *id, struct pt_error *err) {
    pthread_mutex_lock(&reference->lock);
    const enum pt_code code = reference_store_notice_done(reference->store, id, err);
    pthread_mutex_unlock(&reference->lock);
    return code;
}

bool reference_revoked(struct reference *reference, const struct pt_digest *kid, char reason[ACTOR_TEXT_MAX + 1]) {
    PT_CLEANUP(actor_free) struct actor actor = {0};
    pthread_mutex_lock(&reference->lock);
    const bool revoked = actor_of(reference, kid, &actor, NULL) == PT_OK && actor.revoked;
    if (revoked && reason && !reference_store_reason(reference->store, kid, reason)) reason[0] = 0;
    pthread_mutex_unlock(&reference->lock);
    return revoked;
}

void reference_status(struct reference *reference, struct reference_status *out) {
    size_t records[4], notices;
    struct pt_error err = {0};
    pthread_mutex_lock(&reference->lock);
    *out = (struct reference_status){.read = reference->mark.read, .chain_time = reference->mark.chain_time, .height = reference->mark.height};
    if (reference_store_counts(reference->store, out->read - NOTICE_DAYS * DAY, records, &notices, &err) == PT_OK) {
        out->products = records[MASTER_PRODUCT];
        out->parties = records[MASTER_PARTY];
        out->places = records[MASTER_PLACE];
        out->notices = notices;
    } else pt_log_error("reference-not-counted", &err);
    pthread_mutex_unlock(&reference->lock);
}
