#include <stdlib.h>
#include <string.h>

#include "common/chain/actor.h"
#include "common/crypto/digest.h"
#include "tests/unit/cose/cose_cases.h"

static struct actor an_actor(enum actor_role role) {
    struct actor actor = {.role = role, .name = "Terminal 3, 北京第一药房", .party = "https://id.gs1.org/417/4012345000115",
                          .place = "https://id.gs1.org/414/4012345000115", .key = PT_BUF_INIT(128)};
    struct signer signer = fresh_signer();
    verify_key_to_cose(signer.key, &actor.key);
    actor.kid = actor.tls = verify_key_thumbprint(signer.key);
    signer_openssl_free(&signer);
    return actor;
}

static void check_comes_back(const struct actor *actor) {
    struct pt_error err;
    struct pt_buf bytes = PT_BUF_INIT(4096);
    struct pt_buf again = PT_BUF_INIT(4096);
    struct actor decoded;
    assert_ok(actor_encode(actor, &bytes, &err), &err);
    assert_ok(actor_decode(pt_buf_bytes(&bytes), &decoded, &err), &err);
    assert_int_equal(decoded.role, actor->role);
    assert_string_equal(decoded.name, actor->name);
    assert_string_equal(decoded.party, actor->party);
    assert_string_equal(decoded.place, actor->place);
    assert_true(pt_digest_equal(&decoded.kid, &actor->kid) && pt_digest_equal(&decoded.replaces, &actor->replaces));
    assert_int_equal(decoded.revoked, actor->revoked);
    assert_int_equal(decoded.last_trusted, actor->last_trusted);
    assert_ok(actor_encode(&decoded, &again, &err), &err);
    assert_true(pt_bytes_equal(pt_buf_bytes(&bytes), pt_buf_bytes(&again)));
    actor_free(&decoded);
    for (size_t len = 0; len < bytes.len; len++) assert_int_equal(actor_decode(pt_bytes_of(bytes.data, len), &decoded, NULL), PT_INVALID);
    pt_buf_byte(&bytes, 0xf6);
    assert_int_equal(actor_decode(pt_buf_bytes(&bytes), &decoded, NULL), PT_INVALID);
    pt_buf_free(&bytes);
    pt_buf_free(&again);
}

static void actors_come_back_with_and_without_what_is_optional(void **state) {
    (void)state;
    for (unsigned options = 0; options < 8; options++) {
        struct actor actor = an_actor(ACTOR_DEVICE + options % 6);
        if (options & 1) actor.place[0] = 0;
        if (options & 2) actor.replaces = sha256(pt_bytes_str("lost"));
        if (options & 4) actor.revoked = true, actor.last_trusted = 1234;
        check_comes_back(&actor);
        actor_free(&actor);
    }
}

static void bad_actors_are_not_written(void **state) {
    (void)state;
    struct pt_buf out = PT_BUF_INIT(4096);
    for (int i = 0; i < 9; i++) {
        struct actor actor = an_actor(ACTOR_OPERATOR);
        switch (i) {
        case 0: actor.name[0] = 0; break;
        case 1: actor.party[0] = 0; break;
        case 2: actor.name[1] = '\n'; break;
        case 3: actor.party[1] = '\xff'; break;
        case 4: actor.role = (enum actor_role)0; break;
        case 5: actor.role = (enum actor_role)7; break;
        case 6: actor.kid.bytes[0] ^= 1; break;
        case 7: actor.key.len--; break;
        default: actor.revoked = true, actor.last_trusted = UINT64_MAX;
        }
        assert_int_equal(actor_encode(&actor, &out, NULL), PT_INVALID);
        assert_int_equal(out.len, 0);
        actor_free(&actor);
    }
    pt_buf_free(&out);
}

#define X "65eda5a12577c2bae829437fe338701a10aaa375e1bb5b5de108de439c08551d"
#define Y "1e52ed75701163f7f9e40ddf9f341b3dc9ba860af7e0ca7ca7e9eecd0084d19c"
#define KEY "05584ba40102200121" "5820" X "225820" Y
#define TLS "065820" X

static void only_one_encoding_of_an_actor_is_taken(void **state) {
    (void)state;
    static const struct { const char *hex; const char *why; bool good; } cases[] = {
        {"a5010102614e036150" KEY TLS, "", true},
        {"a6010102614e036150046141" KEY TLS, "", true},
        {"a7010102614e036150" KEY TLS "075820" X "0800", "", true},
        {"a601010" "2614e036150" "0460" KEY TLS, "empty place", false},
        {"a6010102614e036150" KEY TLS "0758200000000000000000000000000000000000000000000000000000000000000000", "zero digest", false},
        {"a6010102614e036150" KEY TLS "09f6", "unknown member", false},
        {"a5010702614e036150" KEY TLS, "unknown role", false},
        {"a5010002614e036150" KEY TLS, "role 0", false},
        {"a501010260036150" KEY TLS, "empty name", false},
        {"a50101026100036150" KEY TLS, "NUL in a name", false},
        {"a5010102614e03617f" KEY TLS, "DEL in a party", false},
        {"a5010102614e0361" "50" "05584ba40102200121" "5820" X "225820" X TLS, "key not on the curve", false},
        {"a5010102614e0361" "50" "05584ba40102215820" X "2001" "225820" Y TLS, "key in another order", false},
        {"a5010102614e036150" "05" "5828" "a3010120062158" "20" X TLS, "Ed25519", false},
        {"a5010102614e036150" TLS KEY, "members out of order", false},
        {"a601010102614e036150" KEY TLS, "role twice", false},
        {"a4010102614e036150" KEY, "no tls", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct actor actor;
        struct pt_buf bytes = from_hex(cases[i].hex);
        if ((actor_decode(pt_buf_bytes(&bytes), &actor, NULL) == PT_OK) != cases[i].good) fail_msg("case %zu: %s", i, cases[i].why);
        if (cases[i].good) actor_free(&actor);
        pt_buf_free(&bytes);
    }
}

static void revocations_come_back(void **state) {
    (void)state;
    struct pt_error err;
    struct revocation revocation = {.kid = sha256(pt_bytes_str("k")), .last_trusted = 41, .reason = "stolen"};
    struct revocation decoded;
    struct pt_buf bytes = PT_BUF_INIT(1024);
    assert_ok(revocation_encode(&revocation, &bytes, &err), &err);
    assert_ok(revocation_decode(pt_buf_bytes(&bytes), &decoded, &err), &err);
    assert_true(pt_digest_equal(&decoded.kid, &revocation.kid));
    assert_int_equal(decoded.last_trusted, 41);
    assert_string_equal(decoded.reason, "stolen");
    for (size_t len = 0; len < bytes.len; len++)
        assert_int_equal(revocation_decode(pt_bytes_of(bytes.data, len), &decoded, NULL), PT_INVALID);
    revocation.reason[0] = 0;
    assert_int_equal(revocation_encode(&revocation, &bytes, NULL), PT_INVALID);
    pt_buf_free(&bytes);
}

static void a_genesis_comes_back_with_its_hash(void **state) {
    (void)state;
    struct pt_error err;
    struct actor actors[3] = {an_actor(ACTOR_EXECUTOR), an_actor(ACTOR_OPERATOR), an_actor(ACTOR_GATEWAY)};
    struct genesis genesis = {.name = "Demo", .time = 1700000000000, .profile = "cn", .rule_version = 1, .salt = "0123456789abcde",
                              .actors = actors, .actor_count = 3};
    struct genesis decoded;
    struct pt_buf bytes = PT_BUF_INIT(GENESIS_MAX);
    assert_ok(genesis_encode(&genesis, &bytes, &err), &err);
    assert_ok(genesis_decode(pt_buf_bytes(&bytes), &decoded, &err), &err);
    const struct pt_digest hash = sha256(pt_buf_bytes(&bytes));
    assert_true(pt_digest_equal(&decoded.hash, &hash));
    assert_string_equal(decoded.name, "Demo");
    assert_string_equal(decoded.profile, "cn");
    assert_true(decoded.time == 1700000000000 && decoded.rule_version == 1 && decoded.actor_count == 3);
    assert_memory_equal(decoded.salt, "0123456789abcde", 16);
    for (size_t i = 0; i < 3; i++) assert_true(pt_digest_equal(&decoded.actors[i].kid, &actors[i].kid));
    genesis_free(&decoded);
    for (size_t len = 0; len < bytes.len; len += 3) {
        assert_int_equal(genesis_decode(pt_bytes_of(bytes.data, len), &decoded, NULL), PT_INVALID);
        assert_null(decoded.actors);
    }
    // Two actors with one key; none; too many announced.
    pt_buf_clear(&bytes);
    actors[1].key.len = 0;
    pt_buf_append_bytes(&actors[1].key, pt_buf_bytes(&actors[0].key));
    actors[1].kid = actors[0].kid;
    assert_int_equal(genesis_encode(&genesis, &bytes, NULL), PT_INVALID);
    genesis.actor_count = 0;
    assert_int_equal(genesis_encode(&genesis, &bytes, NULL), PT_INVALID);
    struct pt_buf crowd = from_hex("a70101026144030004626" "36e05" "01069907d0");
    assert_non_null(pt_buf_extend(&crowd, 4000));
    memset(crowd.data + crowd.len - 4000, 0xf6, 4000);
    assert_int_equal(genesis_decode(pt_buf_bytes(&crowd), &decoded, &err), PT_INVALID);
    assert_string_equal(err.what, "CBOR: 2000 actors cannot be here");
    pt_buf_free(&crowd);
    pt_buf_free(&bytes);
    for (size_t i = 0; i < 3; i++) actor_free(&actors[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(actors_come_back_with_and_without_what_is_optional),
        cmocka_unit_test(bad_actors_are_not_written),
        cmocka_unit_test(only_one_encoding_of_an_actor_is_taken),
        cmocka_unit_test(revocations_come_back),
        cmocka_unit_test(a_genesis_comes_back_with_its_hash),
    };
    return cmocka_run_group_tests_name("chain actor", tests, NULL, NULL);
}
