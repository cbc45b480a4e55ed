#include "common/chain/actor.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/cose/cbor.h"
#include "common/crypto/digest.h"

enum { ACTOR_ROLE = 1, ACTOR_NAME, ACTOR_PARTY, ACTOR_PLACE, ACTOR_KEY, ACTOR_TLS, ACTOR_REPLACES, ACTOR_LAST_TRUSTED };
enum { ACTOR_KEYS_REQUIRED = 5, ACTOR_KEYS_MOST = 8, ACTOR_KEY_MAX = 128, ACTOR_BYTES_LEAST = 120 };
enum { REVOCATION_KID = 1, REVOCATION_LAST_TRUSTED, REVOCATION_REASON, REVOCATION_KEYS = 3 };
enum { GENESIS_VERSION = 1, GENESIS_NAME, GENESIS_TIME, GENESIS_PROFILE, GENESIS_RULE_VERSION, GENESIS_ACTORS, GENESIS_SALT,
       GENESIS_KEYS = 7 };

#define GENESIS_FORMAT 1

static bool is_zero(const struct pt_digest *digest) {
    static const struct pt_digest zero;
    return pt_digest_equal(digest, &zero);
}

// --- Texts: kept as C strings, shown to people; so no control characters, and above all no NUL ---

static bool presentable(struct pt_bytes text) {
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] < 0x20 || text.data[i] == 0x7f) return false;
    return pt_utf8_valid(text);
}

static enum pt_code check_text(const char *text, const char *name, bool required, struct pt_error *err) {
    const struct pt_bytes bytes = pt_bytes_str(text);
    if ((required && bytes.len == 0) || bytes.len > ACTOR_TEXT_MAX || !presentable(bytes))
        return pt_fail(err, PT_INVALID, name, "must be UTF-8 of %d to %u bytes without control characters", required,
                       ACTOR_TEXT_MAX);
    return PT_OK;
}

static void get_text(struct cbor_reader *reader, char out[ACTOR_TEXT_MAX + 1]) {
    const struct pt_bytes text = cbor_expect_text(reader, 1, ACTOR_TEXT_MAX);
    if (!cbor_failed(reader) && !presentable(text)) cbor_fail(reader, "control character in a text");
    if (cbor_failed(reader)) return;
    memcpy(out, text.data, text.len);
    out[text.len] = 0;
}

// --- Actors ---

void actor_free(struct actor *actor) { pt_buf_free(&actor->key); }

// The key must be a P-256 point in the one encoding whose SHA-256 is the thumbprint.
static enum pt_code check_key(struct pt_bytes cose_key, const struct pt_digest *kid, struct pt_error *err) {
    uint8_t room[ACTOR_KEY_MAX + 1];
    struct pt_buf canonical = PT_BUF_OVER(room);
    struct verify_key *key = NULL;
    const enum pt_code code = verify_key_from_cose(cose_key, &key, err);
    if (code != PT_OK) return code;
    const enum cose_algorithm algorithm = verify_key_algorithm(key);
    const struct pt_digest thumbprint = verify_key_thumbprint(key);
    verify_key_to_cose(key, &canonical);
    verify_key_free(key);
    if (algorithm != COSE_ES256) return pt_fail(err, PT_INVALID, "key", "an actor's key is on P-256");
    if (!pt_bytes_equal(pt_buf_bytes(&canonical), cose_key))
        return pt_fail(err, PT_INVALID, "key", "the key is not in its deterministic form");
    if (!pt_digest_equal(&thumbprint, kid)) return pt_fail(err, PT_INVALID, "kid", "the kid is not the key's thumbprint");
    return PT_OK;
}

static bool role_known(int64_t role) { return role >= ACTOR_DEVICE && role <= ACTOR_CLIENT; }

static void put_actor(const struct actor *actor, struct pt_buf *out) {
    const bool place = actor->place[0] != 0;
    const bool replaces = !is_zero(&actor->replaces);
    cbor_put_map(out, ACTOR_KEYS_REQUIRED + (uint64_t)place + (uint64_t)replaces + (uint64_t)actor->revoked);
    cbor_put_int(out, ACTOR_ROLE);
    cbor_put_int(out, (int64_t)actor->role);
    cbor_put_int(out, ACTOR_NAME);
    cbor_put_text(out, actor->name);
    cbor_put_int(out, ACTOR_PARTY);
    cbor_put_text(out, actor->party);
    if (place) {
        cbor_put_int(out, ACTOR_PLACE);
        cbor_put_text(out, actor->place);
    }
    cbor_put_int(out, ACTOR_KEY);
    cbor_put_bytes(out, pt_buf_bytes(&actor->key));
    cbor_put_int(out, ACTOR_TLS);
    cbor_put_bytes(out, pt_bytes_digest(&actor->tls));
    if (replaces) {
        cbor_put_int(out, ACTOR_REPLACES);
        cbor_put_bytes(out, pt_bytes_digest(&actor->replaces));
    }
    if (actor->revoked) {
        cbor_put_int(out, ACTOR_LAST_TRUSTED);
        cbor_put_uint(out, actor->last_trusted);
    }
}

enum pt_code actor_encode(const struct actor *actor, struct pt_buf *out, struct pt_error *err) {
    enum pt_code code = check_text(actor->name, "name", true, err);
    if (code == PT_OK) code = check_text(actor->party, "party", true, err);
    if (code == PT_OK) code = check_text(actor->place, "place", false, err);
    if (code == PT_OK) code = check_key(pt_buf_bytes(&actor->key), &actor->kid, err);
    if (code != PT_OK) return code;
    if (!role_known((int64_t)actor->role)) return pt_fail(err, PT_INVALID, "role", "unknown role %d", (int)actor->role);
    if (actor->revoked && actor->last_trusted > INT64_MAX)
        return pt_fail(err, PT_INVALID, "last trusted", "sequences are at most 2^63 - 1");
    put_actor(actor, out);
    return pt_buf_check(out, err);
}

// Moves past `key` if it is next; members are in order, so one that is not next is not there.
static bool member_if(struct cbor_reader *reader, int64_t key, uint64_t *left) {
    struct cbor_item item;
    if (*left == 0 || !cbor_peek(reader, &item) || item.type != CBOR_UINT || item.value != (uint64_t)key) return false;
    cbor_expect_int(reader, key);
    (*left)--;
    return true;
}

static void read_optional(struct cbor_reader *reader, uint64_t left, struct actor *out) {
    if (member_if(reader, ACTOR_REPLACES, &left)) {
        cbor_get_digest(reader, &out->replaces);
        if (!cbor_failed(reader) && is_zero(&out->replaces)) cbor_fail(reader, "a digest that is left out when zero");
    }
    if (member_if(reader, ACTOR_LAST_TRUSTED, &left)) {
        out->revoked = true;
        out->last_trusted = cbor_get_count(reader);
    }
    if (left > 0) cbor_fail(reader, "unknown member of an actor");
}

static void read_actor(struct cbor_reader *reader, struct actor *out) {
    uint64_t left = cbor_get_map(reader, ACTOR_KEYS_MOST);
    if (!cbor_failed(reader) && left < ACTOR_KEYS_REQUIRED) cbor_fail(reader, "an actor has at least %d members", ACTOR_KEYS_REQUIRED);
    cbor_expect_int(reader, ACTOR_ROLE);
    const int64_t role = cbor_get_int(reader);
    if (!cbor_failed(reader) && !role_known(role)) cbor_fail(reader, "unknown role %lld", (long long)role);
    out->role = (enum actor_role)role;
    cbor_expect_int(reader, ACTOR_NAME);
    get_text(reader, out->name);
    cbor_expect_int(reader, ACTOR_PARTY);
    get_text(reader, out->party);
    if (cbor_failed(reader)) return;
    left -= ACTOR_KEYS_REQUIRED;
    if (member_if(reader, ACTOR_PLACE, &left)) get_text(reader, out->place);
    cbor_expect_int(reader, ACTOR_KEY);
    pt_buf_append_bytes(&out->key, cbor_get_bytes(reader));
    cbor_expect_int(reader, ACTOR_TLS);
    cbor_get_digest(reader, &out->tls);
    if (!cbor_failed(reader)) read_optional(reader, left, out);
}

enum pt_code actor_decode(struct pt_bytes bytes, struct actor *out, struct pt_error *err) {
    *out = (struct actor){.key = PT_BUF_INIT(ACTOR_KEY_MAX)};
    struct cbor_reader reader = cbor_reader_of(bytes, true, err);
    read_actor(&reader, out);
    enum pt_code code = cbor_finish(&reader);
    if (code == PT_OK) code = pt_buf_check(&out->key, err);
    if (code == PT_OK) {
        out->kid = sha256(pt_buf_bytes(&out->key));
        code = check_key(pt_buf_bytes(&out->key), &out->kid, err);
    }
    if (code != PT_OK) actor_free(out);
    return code;
}

// --- Revocations ---

enum pt_code revocation_encode(const struct revocation *revocation, struct pt_buf *out, struct pt_error *err) {
    const enum pt_code code = check_text(revocation->reason, "reason", true, err);
    if (code != PT_OK) return code;
    if (revocation->last_trusted > INT64_MAX)
        return pt_fail(err, PT_INVALID, "last trusted", "sequences are at most 2^63 - 1");
    cbor_put_map(out, REVOCATION_KEYS);
    cbor_put_int(out, REVOCATION_KID);
    cbor_put_bytes(out, pt_bytes_digest(&revocation->kid));
    cbor_put_int(out, REVOCATION_LAST_TRUSTED);
    cbor_put_uint(out, revocation->last_trusted);
    cbor_put_int(out, REVOCATION_REASON);
    cbor_put_text(out, revocation->reason);
    return pt_buf_check(out, err);
}

enum pt_code revocation_decode(struct pt_bytes bytes, struct revocation *out, struct pt_error *err) {
    *out = (struct revocation){.last_trusted = 0};
    struct cbor_reader reader = cbor_reader_of(bytes, true, err);
    cbor_expect_map(&reader, REVOCATION_KEYS);
    cbor_expect_int(&reader, REVOCATION_KID);
    cbor_get_digest(&reader, &out->kid);
    cbor_expect_int(&reader, REVOCATION_LAST_TRUSTED);
    out->last_trusted = cbor_get_count(&reader);
    cbor_expect_int(&reader, REVOCATION_REASON);
    get_text(&reader, out->reason);
    return cbor_finish(&reader);
}

// --- The genesis ---

static enum pt_code check_kids(const struct genesis *genesis, struct pt_error *err) {
    for (size_t i = 0; i < genesis->actor_count; i++)
        for (size_t j = 0; j < i; j++)
            if (pt_digest_equal(&genesis->actors[i].kid, &genesis->actors[j].kid))
                return pt_fail(err, PT_INVALID, "actors", "actors %zu and %zu have the same key", j, i);
    return PT_OK;
}

enum pt_code genesis_encode(const struct genesis *genesis, struct pt_buf *out, struct pt_error *err) {
    enum pt_code code = check_text(genesis->name, "name", true, err);
    if (code == PT_OK) code = check_text(genesis->profile, "profile", true, err);
    if (code == PT_OK) code = check_kids(genesis, err);
    if (code != PT_OK) return code;
    if (genesis->time < 0 || genesis->rule_version > INT64_MAX) return pt_fail(err, PT_INVALID, NULL, "a number is beyond 2^63 - 1");
    if (genesis->actor_count == 0 || genesis->actor_count > GENESIS_ACTORS_MAX)
        return pt_fail(err, PT_INVALID, "actors", "a genesis names 1 to %u actors", GENESIS_ACTORS_MAX);
    cbor_put_map(out, GENESIS_KEYS);
    cbor_put_int(out, GENESIS_VERSION);
    cbor_put_int(out, GENESIS_FORMAT);
    cbor_put_int(out, GENESIS_NAME);
    cbor_put_text(out, genesis->name);
    cbor_put_int(out, GENESIS_TIME);
    cbor_put_int(out, genesis->time);
    cbor_put_int(out, GENESIS_PROFILE);
    cbor_put_text(out, genesis->profile);
    cbor_put_int(out, GENESIS_RULE_VERSION);
    cbor_put_uint(out, genesis->rule_version);
    cbor_put_int(out, GENESIS_ACTORS);
    cbor_put_array(out, genesis->actor_count);
    for (size_t i = 0; i < genesis->actor_count && code == PT_OK; i++) code = actor_encode(&genesis->actors[i], out, err);
    if (code != PT_OK) return code;
    cbor_put_int(out, GENESIS_SALT);
    cbor_put_bytes(out, pt_bytes_of(genesis->salt, sizeof genesis->salt));
    return pt_buf_check(out, err);
}

static enum pt_code read_actors(struct cbor_reader *reader, struct genesis *out, struct pt_error *err) {
    const uint64_t count = cbor_get_array(reader, GENESIS_ACTORS_MAX);
    // Held against the bytes that are there before memory is taken for it.
    if (!cbor_failed(reader) && (count == 0 || count > (reader->buffer.len - reader->at) / ACTOR_BYTES_LEAST))
        cbor_fail(reader, "%llu actors cannot be here", (unsigned long long)count);
    if (cbor_failed(reader)) return reader->code;
    out->actors = calloc((size_t)count, sizeof *out->actors);
    if (!out->actors) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    for (size_t i = 0; i < count; i++) {
        const struct pt_bytes bytes = cbor_skip(reader);
        if (cbor_failed(reader)) return reader->code;
        const enum pt_code code = actor_decode(bytes, &out->actors[i], err);
        if (code != PT_OK) {
            pt_error_under(err, "actors/%zu/", i);
            return code;
        }
        out->actor_count++;
    }
    return check_kids(out, err);
}

static enum pt_code read_genesis(struct pt_bytes bytes, struct genesis *out, struct pt_error *err) {
    struct cbor_reader reader = cbor_reader_of(bytes, true, err);
    cbor_expect_map(&reader, GENESIS_KEYS);
    cbor_expect_int(&reader, GENESIS_VERSION);
    cbor_expect_int(&reader, GENESIS_FORMAT);
    cbor_expect_int(&reader, GENESIS_NAME);
    get_text(&reader, out->name);
    cbor_expect_int(&reader, GENESIS_TIME);
    out->time = (pt_millis)cbor_get_count(&reader);
    cbor_expect_int(&reader, GENESIS_PROFILE);
    get_text(&reader, out->profile);
    cbor_expect_int(&reader, GENESIS_RULE_VERSION);
    out->rule_version = cbor_get_count(&reader);
    cbor_expect_int(&reader, GENESIS_ACTORS);
    const enum pt_code code = read_actors(&reader, out, err);
    if (code != PT_OK) return code;
    cbor_expect_int(&reader, GENESIS_SALT);
    const struct pt_bytes salt = cbor_get_bytes(&reader);
    if (!cbor_failed(&reader) && salt.len != sizeof out->salt) cbor_fail(&reader, "the salt has %zu bytes", sizeof out->salt);
    if (!cbor_failed(&reader)) memcpy(out->salt, salt.data, sizeof out->salt);
    return cbor_finish(&reader);
}

enum pt_code genesis_decode(struct pt_bytes bytes, struct genesis *out, struct pt_error *err) {
    memset(out, 0, sizeof *out);
    if (bytes.len > GENESIS_MAX) return pt_fail(err, PT_LIMIT, NULL, "a genesis has at most %zu bytes", GENESIS_MAX);
    const enum pt_code code = read_genesis(bytes, out, err);
    if (code == PT_OK) out->hash = sha256(bytes);
    else genesis_free(out);
    return code;
}

void genesis_free(struct genesis *genesis) {
    for (size_t i = 0; i < genesis->actor_count; i++) actor_free(&genesis->actors[i]);
    free(genesis->actors);
    genesis->actors = NULL;
    genesis->actor_count = 0;
}
