#include <stdio.h>
#include <string.h>

#include "common/cose/receipt.h"
#include "common/crypto/digest.h"
#include "tests/unit/cose/cose_cases.h"

static struct pt_buf read_data(const char *folder, const char *name) {
    char path[512];
    snprintf(path, sizeof path, "scitt-cose/v1/%s/%s", folder, name);
    return test_read_file(test_data(path));
}

static enum pt_code check_vector(const char *folder) {
    struct pt_buf receipt_bytes = read_data(folder, "receipt.cose");
    struct pt_buf statement = read_data(folder, "statement.cose");
    struct pt_buf pem = read_data(folder, "log-key.pub");
    struct receipt receipt;
    struct verify_key *log = NULL;
    const struct pt_digest id = statement_id(pt_buf_bytes(&statement));
    struct pt_error err;
    assert_ok(verify_key_from_pem(pt_buf_bytes(&pem), &log, &err), &err);
    assert_ok(receipt_decode(pt_buf_bytes(&receipt_bytes), &receipt, &err), &err);
    assert_int_equal(receipt.tree_size, 8);
    assert_int_equal(receipt.leaf_index, 2);
    assert_false(receipt.has_genesis);
    const enum pt_code code = receipt_verify(&receipt, log, &id, NULL);
    verify_key_free(log);
    pt_buf_free(&receipt_bytes);
    pt_buf_free(&statement);
    pt_buf_free(&pem);
    return code;
}

static void the_scitt_vectors_verify_or_fail(void **state) {
    (void)state;
    assert_int_equal(check_vector("valid-es256"), PT_OK);
    assert_int_equal(check_vector("fail-tampered-path"), PT_UNVERIFIED);
}

// The tampered vector's EdDSA receipt is good once the flipped byte of its first path node is found and put back.
static void an_eddsa_receipt_verifies_once_its_byte_is_put_back(void **state) {
    (void)state;
    static const uint8_t flips[] = {0x01, 0x80, 0xff};
    struct pt_buf bytes = read_data("fail-tampered-path", "receipt.cose");
    struct pt_buf statement = read_data("fail-tampered-path", "statement.cose");
    struct pt_buf pem = read_data("fail-tampered-path", "log-key.pub");
    struct receipt receipt;
    struct verify_key *log = NULL;
    struct pt_error err;
    const struct pt_digest id = statement_id(pt_buf_bytes(&statement));
    size_t verified = 0;
    assert_ok(verify_key_from_pem(pt_buf_bytes(&pem), &log, &err), &err);
    assert_ok(receipt_decode(pt_buf_bytes(&bytes), &receipt, &err), &err);
    for (size_t i = 0; i < PT_DIGEST_SIZE; i++)
        for (size_t j = 0; j < sizeof flips; j++) {
            receipt.path.nodes[0].bytes[i] ^= flips[j];
            verified += receipt_verify(&receipt, log, &id, NULL) == PT_OK;
            receipt.path.nodes[0].bytes[i] ^= flips[j];
        }
    assert_int_equal(verified, 1);
    verify_key_free(log);
    pt_buf_free(&bytes);
    pt_buf_free(&statement);
    pt_buf_free(&pem);
}

static void the_drafts_examples_have_their_shape(void **state) {
    (void)state;
    struct pt_error err;
    struct receipt receipt;
    struct pt_buf bytes = test_read_file(test_data("cose-receipts-draft/inclusion-receipt.cbor"));
    assert_ok(receipt_decode(pt_buf_bytes(&bytes), &receipt, &err), &err);
    assert_int_equal(receipt.tree_size, 5);
    assert_int_equal(receipt.leaf_index, 3);
    assert_int_equal(receipt.path.count, 3);
    assert_int_equal(receipt.path.nodes[2].bytes[0], 0x4d);
    assert_true(pt_bytes_equal(receipt.envelope.kid, pt_bytes_str("test-key-1")));
    pt_buf_free(&bytes);
    bytes = test_read_file(test_data("cose-receipts-draft/consistency-receipt.cbor"));
    assert_int_equal(receipt_decode(pt_buf_bytes(&bytes), &receipt, &err), PT_INVALID);
    assert_string_equal(err.what, "the receipt holds no inclusion proof");
    pt_buf_free(&bytes);
}

// A log of three statements; the receipt is for the second.
struct log_case {
    struct signer log;
    struct pt_digest genesis, ids[3], leaves[3], root;
    struct merkle_path path;
    struct pt_buf bytes;
};

static enum pt_code read_leaf_or_pair(void *ctx, unsigned level, uint64_t index, struct pt_digest *out, struct pt_error *err) {
    const struct log_case *c = ctx;
    (void)err;
    *out = level == 0 ? c->leaves[index] : merkle_node_hash(&c->leaves[0], &c->leaves[1]);
    return PT_OK;
}

static int make_log(void **state) {
    static struct log_case c;
    static const char *texts[] = {"a", "b", "c"};
    struct pt_error err;
    c = (struct log_case){.log = fresh_signer(), .genesis = sha256(pt_bytes_str("g")), .bytes = PT_BUF_INIT(RECEIPT_MAX)};
    for (size_t i = 0; i < 3; i++) {
        c.ids[i] = statement_id(pt_bytes_str(texts[i]));
        c.leaves[i] = merkle_leaf_hash(pt_bytes_digest(&c.ids[i]));
    }
    c.root = merkle_root_of(c.leaves, 3);
    assert_ok(merkle_inclusion_path(read_leaf_or_pair, &c, 1, 3, &c.path, &err), &err);
    assert_ok(receipt_sign(&c.log, &c.genesis, 3, 1, &c.path, &c.root, &c.bytes, &err), &err);
    *state = &c;
    return 0;
}

static int free_log(void **state) {
    struct log_case *c = *state;
    signer_openssl_free(&c->log);
    pt_buf_free(&c->bytes);
    return 0;
}

static void a_receipt_proves_its_statement_only(void **state) {
    struct log_case *c = *state;
    struct pt_error err;
    struct receipt receipt;
    struct signer other = fresh_signer();
    assert_ok(receipt_decode(pt_buf_bytes(&c->bytes), &receipt, &err), &err);
    const struct pt_digest kid = verify_key_thumbprint(c->log.key);
    assert_true(receipt.has_genesis && pt_digest_equal(&receipt.genesis, &c->genesis));
    assert_true(pt_digest_equal(&receipt.kid, &kid));
    assert_ok(receipt_verify(&receipt, c->log.key, &c->ids[1], &err), &err);
    assert_int_equal(receipt_verify(&receipt, c->log.key, &c->ids[0], NULL), PT_UNVERIFIED);
    assert_int_equal(receipt_verify(&receipt, c->log.key, &c->leaves[1], NULL), PT_UNVERIFIED);
    assert_int_equal(receipt_verify(&receipt, other.key, &c->ids[1], NULL), PT_UNVERIFIED);
    signer_openssl_free(&other);
    for (size_t i = 0; i < c->bytes.len; i++) {
        c->bytes.data[i] ^= 0x02;
        if (receipt_decode(pt_buf_bytes(&c->bytes), &receipt, NULL) == PT_OK)
            assert_int_not_equal(receipt_verify(&receipt, c->log.key, &c->ids[1], NULL), PT_OK);
        c->bytes.data[i] ^= 0x02;
        assert_int_equal(receipt_decode(pt_bytes_of(c->bytes.data, i), &receipt, NULL), PT_INVALID);
    }
}

// Receipts put together from given headers and signed over the root, attached or not.
static enum pt_code check_form(struct log_case *c, const char *protected_hex, const char *unprotected_hex, bool attached,
                               const struct pt_digest *root) {
    struct pt_buf protected_map = from_hex(protected_hex);
    struct pt_buf unprotected_map = from_hex(unprotected_hex);
    struct pt_buf bytes = PT_BUF_INIT(RECEIPT_MAX);
    struct receipt receipt;
    struct pt_error err;
    assert_ok(cose_sign1_sign(&c->log, pt_buf_bytes(&protected_map), pt_buf_bytes(&unprotected_map), NO_BYTES,
                              pt_bytes_digest(root), !attached, &bytes, &err), &err);
    enum pt_code code = receipt_decode(pt_buf_bytes(&bytes), &receipt, NULL);
    if (code == PT_OK) code = receipt_verify(&receipt, c->log.key, &c->ids[1], NULL);
    pt_buf_free(&bytes);
    pt_buf_free(&protected_map);
    pt_buf_free(&unprotected_map);
    return code;
}

static void other_forms_are_taken_or_refused_by_the_rules(void **state) {
    struct log_case *c = *state;
    char proof[512] = "583383030182";
    char good[640];
    char digest[65];
    // [3, 1, [leaf 0, leaf 2]]: 1 + 1 + 1 + 1 + 2 * 34 bytes.
    snprintf(proof, sizeof proof, "584883030182");
    for (size_t i = 0; i < 2; i++) {
        pt_digest_hex(&c->path.nodes[i], digest);
        snprintf(proof + strlen(proof), sizeof proof - strlen(proof), "5820%s", digest);
    }
    snprintf(good, sizeof good, "a119018ca12081%s", proof);
    const char *header = "a2012619018b01";
    assert_int_equal(check_form(c, header, good, false, &c->root), PT_OK);
    assert_int_equal(check_form(c, header, good, true, &c->root), PT_OK);
    assert_int_equal(check_form(c, header, good, true, &c->leaves[0]), PT_UNVERIFIED);
    assert_int_equal(check_form(c, header, good, false, &c->leaves[0]), PT_UNVERIFIED);
    assert_int_equal(check_form(c, "a2012619018b02", good, false, &c->root), PT_INVALID);  // another structure
    assert_int_equal(check_form(c, "a2012619018b6131", good, false, &c->root), PT_INVALID);
    assert_int_equal(check_form(c, "a10126", good, false, &c->root), PT_INVALID);           // none named
    assert_int_equal(check_form(c, "a2012719018b01", good, false, &c->root), PT_INVALID);   // EdDSA said, ES256 key
    char form[1024];
    snprintf(form, sizeof form, "a219018b0119018ca12081%s", proof);                         // only unprotected
    assert_int_equal(check_form(c, "a10126", form, false, &c->root), PT_INVALID);
    snprintf(form, sizeof form, "a119018ca12082%s%s", proof, proof);                        // two proofs
    assert_int_equal(check_form(c, header, form, false, &c->root), PT_OK);
    snprintf(form, sizeof form, "a119018ca12082%s43820100", proof);                       // the second malformed
    assert_int_equal(check_form(c, header, form, false, &c->root), PT_INVALID);
    snprintf(form, sizeof form, "a119018ca12082%s4483000080", proof);                       // the second of no tree
    assert_int_equal(check_form(c, header, form, false, &c->root), PT_INVALID);
    snprintf(form, sizeof form, "a119018ca22081%s2180", proof);                             // a consistency list beside it
    assert_int_equal(check_form(c, header, form, false, &c->root), PT_OK);
    snprintf(form, sizeof form, "a119018ca22081%s2081%s", proof, proof);                    // the kind twice
    assert_int_equal(check_form(c, header, form, false, &c->root), PT_INVALID);
    const char *bad[] = {"a0", "a119018ca0", "a119018c80", "a119018ca12080", "a119018ca120814483010080", "a119018ca1208140",
                         "a119018ca120814483030180", "a119018ca12081458301000080", "a119018ca120814483030380"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_not_equal(check_form(c, header, bad[i], false, &c->root), PT_OK);
}

// A receipt for two statements: the first proof is of the log's leaf 0, the second of leaf 1.
static void one_of_several_proofs_is_chosen(void **state) {
    struct log_case *c = *state;
    struct pt_error err;
    struct receipt receipt;
    struct merkle_path other;
    struct pt_buf map = from_hex("a119018ca12082");
    struct pt_buf bytes = PT_BUF_INIT(RECEIPT_MAX);
    assert_ok(merkle_inclusion_path(read_leaf_or_pair, c, 0, 3, &other, &err), &err);
    for (uint64_t index = 0; index < 2; index++) {
        const struct merkle_path *path = index == 0 ? &other : &c->path;
        struct pt_buf proof = PT_BUF_INIT(256);
        cbor_put_array(&proof, 3);
        cbor_put_uint(&proof, 3);
        cbor_put_uint(&proof, index);
        cbor_put_array(&proof, path->count);
        for (size_t i = 0; i < path->count; i++) cbor_put_bytes(&proof, pt_bytes_digest(&path->nodes[i]));
        cbor_put_bytes(&map, pt_buf_bytes(&proof));
        pt_buf_free(&proof);
    }
    assert_ok(cose_sign1_sign(&c->log, pt_bytes_of("\xa2\x01\x26\x19\x01\x8b\x01", 7), pt_buf_bytes(&map), NO_BYTES,
                              pt_bytes_digest(&c->root), true, &bytes, &err), &err);
    assert_ok(receipt_decode(pt_buf_bytes(&bytes), &receipt, &err), &err);
    assert_int_equal(receipt.proof_count, 2);
    assert_int_equal(receipt.leaf_index, 0);
    assert_ok(receipt_verify(&receipt, c->log.key, &c->ids[0], &err), &err);
    assert_int_equal(receipt_verify(&receipt, c->log.key, &c->ids[1], NULL), PT_UNVERIFIED);
    assert_ok(receipt_choose(&receipt, 1, &err), &err);
    assert_ok(receipt_verify(&receipt, c->log.key, &c->ids[1], &err), &err);
    assert_int_equal(receipt_choose(&receipt, 2, NULL), PT_INVALID);
    pt_buf_free(&map);
    pt_buf_free(&bytes);
}

static void long_receipts_and_paths_are_refused(void **state) {
    struct log_case *c = *state;
    struct pt_error err;
    struct receipt receipt;
    struct pt_buf bytes = PT_BUF_INIT(2 * RECEIPT_MAX);
    assert_non_null(pt_buf_extend(&bytes, RECEIPT_MAX + 1));
    assert_int_equal(receipt_decode(pt_buf_bytes(&bytes), &receipt, NULL), PT_LIMIT);
    pt_buf_clear(&bytes);
    struct merkle_path path = {.count = MERKLE_MAX_PATH};
    memset(path.nodes, 7, sizeof path.nodes);
    assert_ok(receipt_sign(&c->log, &c->genesis, UINT64_MAX, 0, &path, &c->root, &bytes, &err), &err);
    assert_ok(receipt_decode(pt_buf_bytes(&bytes), &receipt, &err), &err);
    assert_int_equal(receipt.path.count, MERKLE_MAX_PATH);
    assert_int_equal(receipt_verify(&receipt, c->log.key, &c->ids[0], NULL), PT_UNVERIFIED);
    pt_buf_free(&bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_scitt_vectors_verify_or_fail),
        cmocka_unit_test(an_eddsa_receipt_verifies_once_its_byte_is_put_back),
        cmocka_unit_test(the_drafts_examples_have_their_shape),
        cmocka_unit_test(a_receipt_proves_its_statement_only),
        cmocka_unit_test(other_forms_are_taken_or_refused_by_the_rules),
        cmocka_unit_test(one_of_several_proofs_is_chosen),
        cmocka_unit_test(long_receipts_and_paths_are_refused),
    };
    return cmocka_run_group_tests_name("cose receipt", tests, make_log, free_log);
}
