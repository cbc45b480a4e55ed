#include "gateway/roster/roster.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/disk.h"

enum { CACHE_MAX = 64 * 1024 * 1024, CACHE_VERSION = 1 };

struct roster {
    pthread_rwlock_t lock;
    const struct genesis *genesis;
    char *cache_path;
    struct roster_actor **actors;  // in the order of enrolment; a later one with the same key counts
    size_t count, cap;
    uint64_t cursor;
    struct pt_buf cached;  // the statements taken in, as CBOR byte strings one after another
    uint64_t cached_count;
};

static const struct roster_actor *find(const struct roster *roster, const struct pt_digest *thumbprint, size_t field) {
    for (size_t i = roster->count; i-- > 0;) {
        const struct actor *actor = &roster->actors[i]->actor;
        if (pt_digest_equal((const struct pt_digest *)((const char *)actor + field), thumbprint)) return roster->actors[i];
    }
    return NULL;
}

static const struct roster_actor *find_locked(struct roster *roster, const struct pt_digest *thumbprint, size_t field) {
    pthread_rwlock_rdlock(&roster->lock);
    const struct roster_actor *found = find(roster, thumbprint, field);
    pthread_rwlock_unlock(&roster->lock);
    return found;
}

const struct roster_actor *roster_by_kid(struct roster *roster, const struct pt_digest *kid) {
    return find_locked(roster, kid, offsetof(struct actor, kid));
}

const struct roster_actor *roster_by_tls(struct roster *roster, const struct pt_digest *thumbprint) {
    return find_locked(roster, thumbprint, offsetof(struct actor, tls));
}

static void free_actor(struct roster_actor *actor) {
    if (!actor) return;
    actor_free(&actor->actor);
    verify_key_free(actor->key);
    free(actor);
}

// Takes an encoded actor record in.
static enum pt_code add_actor(struct roster *roster, struct pt_bytes record, const struct revocation *revoked,
                              struct pt_error *err) {
    struct roster_actor *added = calloc(1, sizeof *added);
    if (!added) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    enum pt_code code = actor_decode(record, &added->actor, err);
    if (code == PT_OK) code = verify_key_from_cose(pt_buf_bytes(&added->actor.key), &added->key, err);
    if (code == PT_OK) {
        const struct pt_digest kid = verify_key_thumbprint(added->key);
        if (!pt_digest_equal(&kid, &added->actor.kid))
            code = pt_fail(err, PT_UNVERIFIED, added->actor.name, "the key is not the one that the kid names");
    }
    if (code == PT_OK && revoked) {
        added->actor.revoked = true;
        added->actor.last_trusted = revoked->last_trusted;
    }
    if (code == PT_OK && roster->count == roster->cap) {
        const size_t cap = roster->cap ? roster->cap * 2 : 64;
        struct roster_actor **actors = realloc(roster->actors, cap * sizeof(struct roster_actor *));
        if (actors) {
            roster->actors = actors;
            roster->cap = cap;
        } else code = pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    }
    if (code != PT_OK) {
        free_actor(added);
        return code;
    }
    roster->actors[roster->count++] = added;
    return PT_OK;
}

// A revocation is a new record of the same actor: whoever holds the old one keeps a valid pointer.
static enum pt_code apply_revocation(struct roster *roster, const struct revocation *revocation, struct pt_error *err) {
    const struct roster_actor *found = find(roster, &revocation->kid, offsetof(struct actor, kid));
    if (!found) return pt_fail(err, PT_NOT_FOUND, "kid", "a key is revoked that was never enrolled");
    PT_CLEANUP(pt_buf_free) struct pt_buf record = PT_BUF_INIT(16384);
    enum pt_code code = actor_encode(&found->actor, &record, err);
    return code == PT_OK ? add_actor(roster, pt_buf_bytes(&record), revocation, err) : code;
}

// Only what an operator in good standing signed for this ledger counts.
static enum pt_code apply_statement(struct roster *roster, struct pt_bytes bytes, struct pt_error *err) {
    struct statement statement;
    enum pt_code code = statement_decode(bytes, &statement, err);
    if (code != PT_OK) return code;
    const struct roster_actor *signer = find(roster, &statement.kid, offsetof(struct actor, kid));
    if (!signer || signer->actor.role != ACTOR_OPERATOR || signer->actor.revoked)
        return pt_fail(err, PT_FORBIDDEN, "kid", "not signed by an operator of this ledger");
    code = statement_verify(&statement, signer->key, &roster->genesis->hash, err);
    if (code != PT_OK) return code;
    if (pt_bytes_equal(statement.content_type, pt_bytes_str(STATEMENT_ENROLMENT)))
        return add_actor(roster, statement.payload, NULL, err);
    if (!pt_bytes_equal(statement.content_type, pt_bytes_str(STATEMENT_REVOCATION)))
        return pt_fail(err, PT_INVALID, "content type", "neither an enrolment nor a revocation");
    struct revocation revocation;
    code = revocation_decode(statement.payload, &revocation, err);
    return code == PT_OK ? apply_revocation(roster, &revocation, err) : code;
}

static enum pt_code save_cache(const struct roster *roster, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf file = PT_BUF_INIT(CACHE_MAX);
    cbor_put_array(&file, 4);
    cbor_put_uint(&file, CACHE_VERSION);
    cbor_put_bytes(&file, pt_bytes_digest(&roster->genesis->hash));
    cbor_put_uint(&file, roster->cursor);
    cbor_put_array(&file, roster->cached_count);
    pt_buf_append_bytes(&file, pt_buf_bytes(&roster->cached));
    const enum pt_code code = pt_buf_check(&file, err);
    return code == PT_OK ? pt_file_replace(roster->cache_path, pt_buf_bytes(&file), 0600, err) : code;
}

static enum pt_code load_cache(struct roster *roster, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf file = PT_BUF_INIT(CACHE_MAX);
    enum pt_code code = pt_file_read(roster->cache_path, &file, err);
    if (code == PT_NOT_FOUND) return PT_OK;
    if (code != PT_OK) return code;
    struct cbor_reader reader = cbor_reader_of(pt_buf_bytes(&file), true, err);
    cbor_get_array(&reader, 4);
    if (cbor_get_uint(&reader) != CACHE_VERSION) cbor_fail(&reader, "the cache is of another version");
    struct pt_digest genesis = {0};
    cbor_get_digest(&reader, &genesis);
    if (!pt_digest_equal(&genesis, &roster->genesis->hash)) cbor_fail(&reader, "the cache belongs to another ledger");
    roster->cursor = cbor_get_uint(&reader);
    const uint64_t count = cbor_get_array(&reader, UINT32_MAX);
    for (uint64_t i = 0; i < count && !cbor_failed(&reader); i++) {
        const struct pt_bytes statement = cbor_get_bytes(&reader);
        if (cbor_failed(&reader)) break;
        code = apply_statement(roster, statement, err);
        if (code != PT_OK) return code;
        cbor_put_bytes(&roster->cached, statement);
        roster->cached_count++;
    }
    return cbor_finish(&reader);
}

enum pt_code roster_open(const struct genesis *genesis, const char *cache_path, struct roster **out,
                         struct pt_error *err) {
    struct roster *roster = calloc(1, sizeof *roster);
    if (!roster) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    pthread_rwlock_init(&roster->lock, NULL);
    roster->genesis = genesis;
    roster->cached = PT_BUF_INIT(CACHE_MAX);
    roster->cache_path = strdup(cache_path);
    enum pt_code code = roster->cache_path ? PT_OK : pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    for (size_t i = 0; code == PT_OK && i < genesis->actor_count; i++) {
        PT_CLEANUP(pt_buf_free) struct pt_buf record = PT_BUF_INIT(16384);
        code = actor_encode(&genesis->actors[i], &record, err);
        if (code == PT_OK) code = add_actor(roster, pt_buf_bytes(&record), NULL, err);
    }
    if (code == PT_OK) {
        code = load_cache(roster, err);
        if (code != PT_OK) pt_error_under(err, "%s ", cache_path);
    }
    if (code != PT_OK) {
        roster_close(roster);
        return code;
    }
    *out = roster;
    return PT_OK;
}

void roster_close(struct roster *roster) {
    if (!roster) return;
    for (size_t i = 0; i < roster->count; i++) free_actor(roster->actors[i]);
    free(roster->actors);
    free(roster->cache_path);
    pt_buf_free(&roster->cached);
    pthread_rwlock_destroy(&roster->lock);
    free(roster);
}

enum pt_code roster_apply_feed(struct roster *roster, const struct wire_feed *feed, size_t *refused,
                               struct pt_error *err) {
    *refused = 0;
    pthread_rwlock_wrlock(&roster->lock);
    const uint64_t before = roster->cached_count;
    for (size_t i = 0; i < feed->count; i++) {
        const struct wire_feed_item *item = &feed->items[i];
        if (item->kind != WIRE_FEED_ENROLMENT && item->kind != WIRE_FEED_REVOCATION) continue;
        if (apply_statement(roster, item->statement, err) != PT_OK) {
            ++*refused;
            continue;
        }
        cbor_put_bytes(&roster->cached, item->statement);
        roster->cached_count++;
    }
    const bool moved = feed->cursor != roster->cursor;
    roster->cursor = feed->cursor;
    enum pt_code code = pt_buf_check(&roster->cached, err);
    // A cursor that moved past other items need not be saved: reading them again does no harm.
    if (code == PT_OK && moved && roster->cached_count != before) code = save_cache(roster, err);
    pthread_rwlock_unlock(&roster->lock);
    return code;
}

uint64_t roster_cursor(struct roster *roster) {
    pthread_rwlock_rdlock(&roster->lock);
    const uint64_t cursor = roster->cursor;
    pthread_rwlock_unlock(&roster->lock);
    return cursor;
}
