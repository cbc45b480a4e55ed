#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "common/cose/cose_sign1.h"
#include "tests/unit/cose/cose_cases.h"

// --- The COSE working group's examples ---

static void append_coordinate(struct pt_buf *out, const json_t *jwk, const char *name) {
    struct pt_buf value = PT_BUF_INIT(64);
    assert_int_equal(pt_base64url_decode(pt_bytes_str(json_string_value(json_object_get(jwk, name))), &value, NULL), PT_OK);
    cbor_put_bytes(out, pt_buf_bytes(&value));
    pt_buf_free(&value);
}

static struct verify_key *key_of_jwk(const json_t *jwk) {
    struct verify_key *key = NULL;
    struct pt_buf cose = PT_BUF_INIT(256);
    assert_string_equal(json_string_value(json_object_get(jwk, "crv")), "P-256");
    pt_buf_append(&cose, "\xa4\x01\x02\x20\x01\x21", 6);
    append_coordinate(&cose, jwk, "x");
    pt_buf_append(&cose, "\x22", 1);
    append_coordinate(&cose, jwk, "y");
    assert_int_equal(verify_key_from_cose(pt_buf_bytes(&cose), &key, NULL), PT_OK);
    pt_buf_free(&cose);
    return key;
}

static enum pt_code check_example(const char *path) {
    json_error_t problem;
    json_t *example = json_load_file(path, 0, &problem);
    assert_non_null(example);
    const json_t *sign0 = json_object_get(json_object_get(example, "input"), "sign0");
    const char *external = json_string_value(json_object_get(sign0, "external"));
    struct pt_buf message = from_hex(json_string_value(json_object_get(json_object_get(example, "output"), "cbor")));
    struct pt_buf aad = from_hex(external ? external : "");
    struct verify_key *key = key_of_jwk(json_object_get(sign0, "key"));
    struct cose_sign1 decoded;
    enum pt_code code = cose_sign1_decode(pt_buf_bytes(&message), NULL, 0, &decoded, NULL);
    if (code == PT_OK) code = cose_sign1_verify(&decoded, key, pt_buf_bytes(&aad), NO_BYTES, NULL);
    verify_key_free(key);
    pt_buf_free(&message);
    pt_buf_free(&aad);
    json_decref(example);
    return code;
}

static void the_working_groups_examples_verify_or_fail(void **state) {
    (void)state;
    char dir[4096];
    char path[8192];
    const char *folders[] = {"cose-wg-Examples/sign1-tests", "cose-wg-Examples/ecdsa-examples", "cose-wg-Examples/RFC8152"};
    size_t passed = 0;
    size_t failed = 0;
    for (size_t i = 0; i < 3; i++) {
        snprintf(dir, sizeof dir, "%s", test_data(folders[i]));
        struct test_names names = test_list(dir, ".json");
        for (size_t j = 0; j < names.count; j++) {
            snprintf(path, sizeof path, "%s/%s", dir, names.names[j]);
            const bool good = strstr(names.names[j], "fail") == NULL;
            if ((check_example(path) == PT_OK) != good) fail_msg("%s", names.names[j]);
            passed += good;
            failed += !good;
        }
        test_names_free(&names);
    }
    assert_true(passed >= 4 && failed >= 3);
}

// --- Header rules, on messages signed here ---

static enum pt_code decode_hex(const char *hex, struct cose_sign1 *out, struct pt_error *err) {
    static struct pt_buf kept;  // the decoded views live in it until the next call
    static const int64_t understood[] = {1, 3, 15};
    pt_buf_free(&kept);
    kept = PT_BUF_INIT(65536);
    if (!hex) return PT_OK;
    assert_int_equal(pt_hex_decode(pt_bytes_str(hex), &kept, NULL), PT_OK);
    return cose_sign1_decode(pt_buf_bytes(&kept), understood, 3, out, err);
}

#define SIGNATURE "5840" "11111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111"

static void parts_are_found(void **state) {
    (void)state;
    struct cose_sign1 message;
    struct pt_error err;
    assert_ok(decode_hex("d28443a10126a10442313142abcd" SIGNATURE, &message, &err), &err);
    assert_true(message.tagged && !message.detached && !message.unprotected_empty);
    assert_int_equal(message.algorithm, COSE_ES256);
    assert_int_equal(message.unprotected_algorithm, COSE_ALG_NONE);
    assert_true(pt_bytes_equal(message.kid, pt_bytes_str("11")));
    assert_true(pt_bytes_equal(message.payload, pt_bytes_of("\xab\xcd", 2)));
    assert_true(pt_bytes_equal(message.protected_bytes, pt_bytes_of("\xa1\x01\x26", 3)));
    assert_int_equal(message.unprotected_bytes.len, 5);
    assert_int_equal(message.signature.len, 64);

    assert_ok(decode_hex("8449a3012603617404" "41" "6b" "a0f6" SIGNATURE, &message, &err), &err);
    assert_true(!message.tagged && message.detached && message.unprotected_empty);
    assert_true(pt_bytes_equal(message.content_type, pt_bytes_str("t")));
    assert_true(pt_bytes_equal(message.kid, pt_bytes_str("k")));

    // Empty protected headers, in both forms; number as content type; indefinite lengths; text as algorithm.
    assert_ok(decode_hex("8440a10126f6" SIGNATURE, &message, &err), &err);
    assert_int_equal(message.algorithm, COSE_ALG_NONE);
    assert_int_equal(message.unprotected_algorithm, COSE_ES256);
    assert_ok(decode_hex("8441a0a0f6" SIGNATURE, &message, &err), &err);
    assert_ok(decode_hex("8444a103183ca0f6" SIGNATURE, &message, &err), &err);
    assert_null(message.content_type.data);
    assert_ok(decode_hex("9f43a10126bf044131ff40" SIGNATURE "ff", &message, &err), &err);
    assert_int_equal(message.payload.len, 0);
    assert_false(message.detached);
    assert_ok(decode_hex("8444a1016178a0f6" SIGNATURE, &message, &err), &err);
    assert_int_equal(message.algorithm, COSE_ALG_UNKNOWN);
    decode_hex(NULL, NULL, NULL);
}

static void malformed_messages_are_refused(void **state) {
    (void)state;
    static const struct { const char *hex; const char *why; } bad[] = {
        {"d9" "03e6" "8443a10126a0f6" SIGNATURE, "foreign tag"},
        {"d2d28443a10126a0f6" SIGNATURE, "tag twice"},
        {"8343a10126a0" SIGNATURE, "three items"},
        {"8543a10126a0f6" SIGNATURE "00", "five items"},
        {"9f43a10126a0f6" SIGNATURE "00ff", "five items, indefinite"},
        {"8443a10126a0f6" SIGNATURE "00", "trailing"},
        {"84a10126a0f6" SIGNATURE, "protected header not in a string"},
        {"844443a10126a0f6" SIGNATURE, "not a map"},
        {"8444a1012600a0f6" SIGNATURE, "bytes after the protected map"},
        {"8443a1012680f6" SIGNATURE, "unprotected array"},
        {"8443a10126a061" "61" SIGNATURE, "payload of text"},
        {"8443a10126a0f600", "signature of a number"},
        {"8445a201260126a0f6" SIGNATURE, "label twice, protected"},
        {"8443a10126a2044131044131f6" SIGNATURE, "label twice, unprotected"},
        {"8443a10126a10126f6" SIGNATURE, "label in both headers"},
        {"8446a20126180126a0f6" SIGNATURE, "label twice in two encodings"},
        {"8447a2616100616100a0f6" SIGNATURE, "text label twice"},
        {"8443a14000a0f6" SIGNATURE, "byte string as label"},
        {"8443a1f600a0f6" SIGNATURE, "null as label"},
        {"8446a201260280a0f6" SIGNATURE, "empty crit"},
        {"8447a20126028118" "63" "a0f6" SIGNATURE, "crit of an unknown label"},
        {"8448a2012602811863a118630" "0f6" SIGNATURE, "crit of an unknown label"},
        {"8449a30126028118631863" "00a0f6" SIGNATURE, "crit of an unknown label that is there"},
        {"8447a2012602810fa0f6" SIGNATURE, "crit of a label that is not there"},
        {"8447a2012602810fa10fa0f6" SIGNATURE, "crit of a label that is only unprotected"},
        {"8448a20126028161" "61a0f6" SIGNATURE, "crit of a text label"},
        {"8443a10126a1028101f6" SIGNATURE, "crit unprotected"},
        {"8446a201260203a0f6" SIGNATURE, "crit not an array"},
        {"8443a10140a0f6" SIGNATURE, "algorithm of bytes"},
        {"8445a2012604" "00a0f6" SIGNATURE, "kid of a number"},
        {"8445a201260340a0f6" SIGNATURE, "content type of bytes"},
        {"5f", "no message"}, {"", "nothing"}, {"d2", "tag alone"}, {"a0", "a map"}, {"84", "head alone"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct cose_sign1 message;
        if (decode_hex(bad[i].hex, &message, NULL) != PT_INVALID) fail_msg("%s", bad[i].why);
    }
    struct cose_sign1 message;
    assert_int_equal(decode_hex("844aa30126028101" "0fa1" "0141" "a0f6" SIGNATURE, &message, NULL), PT_INVALID);
    struct pt_error err;
    assert_ok(decode_hex("8448a3012602810f0fa0a0f6" SIGNATURE, &message, &err), &err);
    decode_hex(NULL, NULL, NULL);
}

static void many_labels_are_refused(void **state) {
    (void)state;
    for (uint64_t count = 64; count <= 65; count++) {
        struct pt_buf message = PT_BUF_INIT(4096);
        cbor_put_array(&message, 4);
        cbor_put_bytes(&message, NO_BYTES);
        cbor_put_map(&message, count);
        for (uint64_t i = 0; i < count; i++) {
            cbor_put_uint(&message, 1000 + i);
            cbor_put_null(&message);
        }
        cbor_put_null(&message);
        cbor_put_bytes(&message, NO_BYTES);
        struct cose_sign1 decoded;
        assert_int_equal(cose_sign1_decode(pt_buf_bytes(&message), NULL, 0, &decoded, NULL), count == 64 ? PT_OK : PT_INVALID);
        pt_buf_free(&message);
    }
}

static void what_is_signed_verifies_only_as_signed(void **state) {
    (void)state;
    struct pt_error err;
    struct signer signer = fresh_signer();
    const struct pt_bytes protected_map = pt_bytes_of("\xa1\x01\x26", 3);
    const struct pt_bytes payload = pt_bytes_str("payload");
    const struct pt_bytes aad = pt_bytes_str("aad");
    for (int detached = 0; detached < 2; detached++) {
        struct pt_buf bytes = PT_BUF_INIT(4096);
        struct cose_sign1 message;
        assert_ok(cose_sign1_sign(&signer, protected_map, NO_BYTES, aad, payload, detached, &bytes, &err), &err);
        assert_ok(cose_sign1_decode(pt_buf_bytes(&bytes), NULL, 0, &message, &err), &err);
        assert_int_equal(message.detached, detached);
        assert_int_equal(message.payload.len, detached ? 0 : payload.len);
        assert_ok(cose_sign1_verify(&message, signer.key, aad, payload, &err), &err);
        assert_int_equal(cose_sign1_verify(&message, signer.key, NO_BYTES, payload, NULL), PT_UNVERIFIED);
        assert_int_equal(cose_sign1_verify(&message, signer.key, aad, pt_bytes_str("other"), NULL),
                         detached ? PT_UNVERIFIED : PT_OK);
        message.algorithm = COSE_EDDSA;
        assert_int_equal(cose_sign1_verify(&message, signer.key, aad, payload, NULL), PT_INVALID);
        pt_buf_free(&bytes);
    }
    signer_openssl_free(&signer);
}

// An algorithm outside the protected header is not believed; an empty map is covered as no bytes.
static void an_unprotected_algorithm_does_not_verify(void **state) {
    (void)state;
    struct pt_error err;
    struct signer signer = fresh_signer();
    struct pt_buf bytes = PT_BUF_INIT(4096);
    struct cose_sign1 message;
    assert_ok(cose_sign1_sign(&signer, pt_bytes_of("\xa0", 1), pt_bytes_of("\xa1\x01\x26", 3), NO_BYTES, pt_bytes_str("p"),
                              false, &bytes, &err), &err);
    assert_ok(cose_sign1_decode(pt_buf_bytes(&bytes), NULL, 0, &message, &err), &err);
    assert_int_equal(cose_sign1_verify(&message, signer.key, NO_BYTES, NO_BYTES, NULL), PT_INVALID);
    message.algorithm = message.unprotected_algorithm;
    assert_ok(cose_sign1_verify(&message, signer.key, NO_BYTES, NO_BYTES, &err), &err);
    message.protected_bytes = NO_BYTES;
    assert_ok(cose_sign1_verify(&message, signer.key, NO_BYTES, NO_BYTES, &err), &err);
    pt_buf_free(&bytes);
    signer_openssl_free(&signer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_working_groups_examples_verify_or_fail),
        cmocka_unit_test(parts_are_found),
        cmocka_unit_test(malformed_messages_are_refused),
        cmocka_unit_test(many_labels_are_refused),
        cmocka_unit_test(what_is_signed_verifies_only_as_signed),
        cmocka_unit_test(an_unprotected_algorithm_does_not_verify),
    };
    return cmocka_run_group_tests_name("cose sign1", tests, NULL, NULL);
}
