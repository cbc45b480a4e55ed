#include <string.h>

#include "common/chain/entry.h"
#include "common/crypto/digest.h"
#include "tests/unit/cose/cose_cases.h"

static struct pt_digest named(const char *name) { return sha256(pt_bytes_str(name)); }

static struct chain_entry an_entry(void) {
    return (struct chain_entry){
        .genesis = named("genesis"), .epoch = 1, .height = 77, .previous = named("previous"), .block = named("block"),
        .results = pt_bytes_of("\x00\x01\x09", 3), .time = 1700000000000, .tree_size = 900, .tree_root = named("root"),
        .member_set = named("members"), .rule_version = 4, .state_changes = named("changes"), .block_result = 0,
    };
}

static void an_entry_comes_back_byte_for_byte(void **state) {
    (void)state;
    struct pt_error err;
    for (int with_root = 0; with_root < 2; with_root++) {
        struct chain_entry entry = an_entry();
        entry.has_state_root = with_root;
        if (with_root) entry.state_root = named("state");
        struct pt_buf bytes = PT_BUF_INIT(ENTRY_MAX);
        struct pt_buf again = PT_BUF_INIT(ENTRY_MAX);
        struct chain_entry decoded;
        assert_ok(chain_entry_encode(&entry, &bytes, &err), &err);
        assert_ok(chain_entry_decode(pt_buf_bytes(&bytes), &decoded, &err), &err);
        assert_int_equal(decoded.height, 77);
        assert_int_equal(decoded.has_state_root, with_root);
        assert_true(pt_digest_equal(&decoded.state_root, &entry.state_root));
        assert_true(pt_bytes_equal(decoded.results, entry.results));
        assert_ok(chain_entry_encode(&decoded, &again, &err), &err);
        assert_true(pt_bytes_equal(pt_buf_bytes(&bytes), pt_buf_bytes(&again)));
        const struct pt_digest digest = chain_entry_digest(pt_buf_bytes(&bytes));
        const struct pt_digest direct = sha256(pt_buf_bytes(&bytes));
        assert_true(pt_digest_equal(&digest, &direct));
        for (size_t len = 0; len < bytes.len; len++)
            assert_int_equal(chain_entry_decode(pt_bytes_of(bytes.data, len), &decoded, NULL), PT_INVALID);
        bytes.data[0] ^= 3;  // 13 <-> 14 members
        assert_int_equal(chain_entry_decode(pt_buf_bytes(&bytes), &decoded, NULL), PT_INVALID);
        bytes.data[0] ^= 3;
        bytes.data[1] = 2;
        assert_int_equal(chain_entry_decode(pt_buf_bytes(&bytes), &decoded, NULL), PT_INVALID);
        bytes.data[1] = 1;
        pt_buf_byte(&bytes, 0);
        assert_int_equal(chain_entry_decode(pt_buf_bytes(&bytes), &decoded, NULL), PT_INVALID);
        pt_buf_free(&bytes);
        pt_buf_free(&again);
    }
}

static void numbers_out_of_range_are_not_written(void **state) {
    (void)state;
    struct pt_buf out = PT_BUF_INIT(ENTRY_MAX);
    struct chain_entry entry = an_entry();
    entry.height = UINT64_MAX;
    assert_int_equal(chain_entry_encode(&entry, &out, NULL), PT_INVALID);
    entry = an_entry();
    entry.time = -1;
    assert_int_equal(chain_entry_encode(&entry, &out, NULL), PT_INVALID);
    entry = an_entry();
    static const uint8_t results[8193];
    entry.results = pt_bytes_of(results, sizeof results);
    assert_int_equal(chain_entry_encode(&entry, &out, NULL), PT_LIMIT);
    assert_int_equal(out.len, 0);
    pt_buf_free(&out);
}

static void a_co_signature_is_for_one_entry_only(void **state) {
    (void)state;
    struct pt_error err;
    struct signer member = fresh_signer();
    struct signer other = fresh_signer();
    const struct pt_digest genesis = named("genesis");
    const struct pt_digest entry = named("entry");
    const struct pt_digest wrong = named("wrong");
    struct pt_buf bytes = PT_BUF_INIT(4096);
    assert_ok(co_signature_sign(&member, &genesis, 2, 9, &entry, &bytes, &err), &err);
    const struct pt_bytes signature = pt_buf_bytes(&bytes);
    assert_ok(co_signature_verify(signature, member.key, &genesis, 2, 9, &entry, &err), &err);
    assert_int_equal(co_signature_verify(signature, member.key, &genesis, 3, 9, &entry, NULL), PT_UNVERIFIED);
    assert_int_equal(co_signature_verify(signature, member.key, &genesis, 2, 8, &entry, NULL), PT_UNVERIFIED);
    assert_int_equal(co_signature_verify(signature, member.key, &genesis, 2, 9, &wrong, NULL), PT_UNVERIFIED);
    assert_int_equal(co_signature_verify(signature, member.key, &wrong, 2, 9, &entry, NULL), PT_UNVERIFIED);
    assert_int_equal(co_signature_verify(signature, other.key, &genesis, 2, 9, &entry, NULL), PT_UNVERIFIED);
    for (size_t i = 0; i < bytes.len; i++) {
        bytes.data[i] ^= 0x20;
        assert_int_not_equal(co_signature_verify(signature, member.key, &genesis, 2, 9, &entry, NULL), PT_OK);
        bytes.data[i] ^= 0x20;
    }
    // A checkpoint signed by the same key is not a co-signature.
    struct pt_buf foreign = PT_BUF_INIT(4096);
    const struct checkpoint checkpoint = {.height = 9, .entry = entry};
    assert_ok(checkpoint_sign(&member, &genesis, &checkpoint, &foreign, &err), &err);
    assert_int_equal(co_signature_verify(pt_buf_bytes(&foreign), member.key, &genesis, 2, 9, &entry, NULL), PT_INVALID);
    pt_buf_free(&foreign);
    pt_buf_free(&bytes);
    signer_openssl_free(&member);
    signer_openssl_free(&other);
}

static void a_checkpoint_gives_nothing_unverified(void **state) {
    (void)state;
    struct pt_error err;
    struct signer log = fresh_signer();
    struct signer other = fresh_signer();
    const struct pt_digest genesis = named("genesis");
    const struct checkpoint signed_one = {.height = 5, .entry = named("entry"), .tree_size = 31, .tree_root = named("root"), .time = 123456};
    struct checkpoint found;
    struct pt_buf bytes = PT_BUF_INIT(4096);
    assert_ok(checkpoint_sign(&log, &genesis, &signed_one, &bytes, &err), &err);
    assert_ok(checkpoint_verify(pt_buf_bytes(&bytes), log.key, &genesis, &found, &err), &err);
    assert_int_equal(found.height, 5);
    assert_int_equal(found.tree_size, 31);
    assert_true(pt_digest_equal(&found.tree_root, &signed_one.tree_root) && pt_digest_equal(&found.entry, &signed_one.entry));
    assert_true(found.time == 123456);
    assert_int_equal(checkpoint_verify(pt_buf_bytes(&bytes), other.key, &genesis, &found, NULL), PT_UNVERIFIED);
    assert_int_equal(found.height, 0);
    bytes.data[bytes.len - 1] ^= 1;
    assert_int_equal(checkpoint_verify(pt_buf_bytes(&bytes), log.key, &genesis, &found, NULL), PT_UNVERIFIED);
    assert_int_equal(found.tree_size, 0);
    assert_int_equal(checkpoint_verify(NO_BYTES, log.key, &genesis, &found, NULL), PT_INVALID);
    pt_buf_free(&bytes);
    signer_openssl_free(&log);
    signer_openssl_free(&other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_comes_back_byte_for_byte),
        cmocka_unit_test(numbers_out_of_range_are_not_written),
        cmocka_unit_test(a_co_signature_is_for_one_entry_only),
        cmocka_unit_test(a_checkpoint_gives_nothing_unverified),
    };
    return cmocka_run_group_tests_name("chain entry", tests, NULL, NULL);
}
