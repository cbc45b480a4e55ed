#include <stdlib.h>
#include <string.h>

#include "common/chain/block.h"
#include "common/crypto/digest.h"
#include "common/merkle/merkle.h"
#include "tests/unit/cose/cose_cases.h"

#define COUNT 5u

struct sealed_case {
    struct signer gateway;
    struct pt_digest genesis;
    struct block_header header;
    struct pt_bytes statements[COUNT];
    struct pt_buf bytes;
    struct pt_digest digest;
};

static int seal(void **state) {
    static const char *texts[COUNT] = {"first", "second", "third", "fourth", "first"};
    static struct sealed_case sealed;
    struct pt_error err;
    sealed = (struct sealed_case){.gateway = fresh_signer(), .genesis = sha256(pt_bytes_str("genesis")), .bytes = PT_BUF_INIT(BLOCK_MAX)};
    for (size_t i = 0; i < COUNT; i++) sealed.statements[i] = pt_bytes_str(texts[i]);
    sealed.header = (struct block_header){.sequence = 3, .previous = sha256(pt_bytes_str("before")), .time = 1700000000000};
    assert_ok(block_seal(&sealed.header, &sealed.genesis, sealed.statements, COUNT, &sealed.gateway, &sealed.bytes,
                         &sealed.digest, &err), &err);
    *state = &sealed;
    return 0;
}

static int unseal(void **state) {
    struct sealed_case *sealed = *state;
    signer_openssl_free(&sealed->gateway);
    pt_buf_free(&sealed->bytes);
    return 0;
}

static void a_block_comes_back_as_sealed(void **state) {
    struct sealed_case *sealed = *state;
    struct pt_error err;
    struct block block;
    assert_ok(block_decode(pt_buf_bytes(&sealed->bytes), &block, &err), &err);
    const struct pt_digest kid = verify_key_thumbprint(sealed->gateway.key);
    struct pt_digest leaves[COUNT];
    assert_int_equal(block.header.count, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        assert_true(pt_bytes_equal(block.statements[i], sealed->statements[i]));
        const struct pt_digest id = statement_id(sealed->statements[i]);
        assert_true(pt_digest_equal(&block.statement_ids[i], &id));
        leaves[i] = merkle_leaf_hash(pt_bytes_digest(&id));
    }
    const struct pt_digest root = merkle_root_of(leaves, COUNT);
    assert_true(pt_digest_equal(&block.header.root, &root));
    assert_true(pt_digest_equal(&block.header.gateway, &kid));
    assert_true(pt_digest_equal(&block.header.previous, &sealed->header.previous));
    assert_true(pt_digest_equal(&block.genesis, &sealed->genesis));
    assert_true(pt_digest_equal(&block.digest, &sealed->digest));
    assert_int_equal(block.header.sequence, 3);
    assert_true(block.header.time == 1700000000000);
    assert_ok(block_verify(&block, sealed->gateway.key, &sealed->genesis, &err), &err);

    struct signer other = fresh_signer();
    assert_int_equal(block_verify(&block, other.key, &sealed->genesis, NULL), PT_UNVERIFIED);
    assert_int_equal(block_verify(&block, sealed->gateway.key, &sealed->digest, NULL), PT_UNVERIFIED);
    signer_openssl_free(&other);
    block_free(&block);
    block_free(&block);
}

static void any_changed_byte_is_noticed(void **state) {
    struct sealed_case *sealed = *state;
    for (size_t i = 0; i < sealed->bytes.len; i++) {
        struct block block;
        sealed->bytes.data[i] ^= 0x04;
        if (block_decode(pt_buf_bytes(&sealed->bytes), &block, NULL) == PT_OK) {
            assert_int_not_equal(block_verify(&block, sealed->gateway.key, &sealed->genesis, NULL), PT_OK);
            block_free(&block);
        }
        assert_null(block.statements);
        sealed->bytes.data[i] ^= 0x04;
        assert_int_not_equal(block_decode(pt_bytes_of(sealed->bytes.data, i), &block, NULL), PT_OK);
    }
}

static void halves_make_the_whole(void **state) {
    struct sealed_case *sealed = *state;
    struct pt_error err;
    struct pt_digest digest;
    struct pt_buf header_bytes = PT_BUF_INIT(4096);
    struct pt_buf whole = PT_BUF_INIT(BLOCK_MAX);
    struct block_header header = {.sequence = 3, .previous = sealed->header.previous, .time = 5};
    assert_ok(block_header_seal(&header, &sealed->genesis, sealed->statements, COUNT, &sealed->gateway, &header_bytes, &digest, &err), &err);
    assert_ok(block_assemble(pt_buf_bytes(&header_bytes), sealed->statements, COUNT, &whole, &err), &err);
    struct block block;
    assert_ok(block_decode(pt_buf_bytes(&whole), &block, &err), &err);
    assert_ok(block_verify(&block, sealed->gateway.key, &sealed->genesis, &err), &err);
    assert_true(pt_digest_equal(&block.digest, &digest));
    block_free(&block);
    // Other statements, or another number of them, do not fit the header.
    const struct pt_bytes moved[] = {sealed->statements[1], sealed->statements[0], sealed->statements[2], sealed->statements[3],
                                     sealed->statements[4]};
    pt_buf_clear(&whole);
    assert_ok(block_assemble(pt_buf_bytes(&header_bytes), moved, COUNT, &whole, &err), &err);
    assert_int_equal(block_decode(pt_buf_bytes(&whole), &block, &err), PT_INVALID);
    assert_string_equal(err.where, "root");
    pt_buf_clear(&whole);
    assert_ok(block_assemble(pt_buf_bytes(&header_bytes), moved, COUNT - 1, &whole, &err), &err);
    assert_int_equal(block_decode(pt_buf_bytes(&whole), &block, &err), PT_INVALID);
    assert_string_equal(err.where, "count");
    pt_buf_free(&whole);
    pt_buf_free(&header_bytes);
}

static void sizes_have_ceilings(void **state) {
    struct sealed_case *sealed = *state;
    struct pt_digest digest;
    struct block_header header = {.time = 1};
    struct pt_buf out = PT_BUF_INIT(4 * BLOCK_MAX);
    uint8_t *big = calloc(1, STATEMENT_MAX + 1);
    struct pt_bytes *many = calloc(BLOCK_MAX_STATEMENTS + 1, sizeof *many);
    assert_true(big && many);
    for (size_t i = 0; i <= BLOCK_MAX_STATEMENTS; i++) many[i] = pt_bytes_of(big, 1);
    assert_int_equal(block_seal(&header, &sealed->genesis, many, 0, &sealed->gateway, &out, &digest, NULL), PT_INVALID);
    assert_int_equal(block_seal(&header, &sealed->genesis, many, BLOCK_MAX_STATEMENTS + 1, &sealed->gateway, &out, &digest, NULL), PT_LIMIT);
    assert_int_equal(block_seal(&header, &sealed->genesis, many, BLOCK_MAX_STATEMENTS, &sealed->gateway, &out, &digest, NULL), PT_OK);
    struct block block;
    assert_int_equal(block_decode(pt_buf_bytes(&out), &block, NULL), PT_OK);
    block_free(&block);
    pt_buf_clear(&out);
    for (size_t i = 0; i < 4; i++) many[i] = pt_bytes_of(big, STATEMENT_MAX);
    assert_int_equal(block_seal(&header, &sealed->genesis, many, 4, &sealed->gateway, &out, &digest, NULL), PT_LIMIT);
    assert_int_equal(out.len, 0);
    assert_int_equal(block_seal(&header, &sealed->genesis, many, 3, &sealed->gateway, &out, &digest, NULL), PT_OK);
    many[0].len = STATEMENT_MAX + 1;
    assert_int_equal(block_seal(&header, &sealed->genesis, many, 1, &sealed->gateway, &out, &digest, NULL), PT_LIMIT);
    many[0].len = 0;
    assert_int_equal(block_seal(&header, &sealed->genesis, many, 1, &sealed->gateway, &out, &digest, NULL), PT_INVALID);
    header.time = -1;
    assert_int_equal(block_seal(&header, &sealed->genesis, many + 1, 1, &sealed->gateway, &out, &digest, NULL), PT_INVALID);
    pt_buf_clear(&out);
    assert_non_null(pt_buf_extend(&out, BLOCK_MAX + 1));
    assert_int_equal(block_decode(pt_buf_bytes(&out), &block, NULL), PT_LIMIT);
    pt_buf_free(&out);
    free(big);
    free(many);
}

static void counts_beyond_the_bytes_take_no_memory(void **state) {
    (void)state;
    const char *bad[] = {"", "80", "81" "40", "8240" "80", "8240" "991000", "8240" "9b0000ffffffffffff", "8240" "9a7fffffff",
                         "824080" "00", "8340" "8000", "9f4080ff"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct block block;
        struct pt_buf bytes = from_hex(bad[i]);
        assert_int_equal(block_decode(pt_buf_bytes(&bytes), &block, NULL), PT_INVALID);
        assert_null(block.statements);
        pt_buf_free(&bytes);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_comes_back_as_sealed),
        cmocka_unit_test(any_changed_byte_is_noticed),
        cmocka_unit_test(halves_make_the_whole),
        cmocka_unit_test(sizes_have_ceilings),
        cmocka_unit_test(counts_beyond_the_bytes_take_no_memory),
    };
    return cmocka_run_group_tests_name("chain block", tests, seal, unseal);
}
