#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/disk.h"
#include "common/base/text.h"
#include "common/crypto/signature.h"
#include "tests/support/support.h"

static struct pt_buf from_hex(const char *hex) {
    struct pt_buf out = PT_BUF_INIT(4096);
    assert_int_equal(pt_hex_decode(pt_bytes_str(hex), &out, NULL), PT_OK);
    return out;
}

static struct signer fresh_signer(void) {
    struct pt_error err;
    struct signer signer;
    struct pt_buf pem = PT_BUF_INIT(4096);
    assert_ok(signer_openssl_generate(&pem, &err), &err);
    assert_ok(signer_openssl_from_pem(pt_buf_bytes(&pem), &signer, &err), &err);
    pt_buf_free(&pem);
    return signer;
}

static enum pt_code verify(const struct verify_key *key, const char *message, const uint8_t signature[SIGNATURE_SIZE]) {
    return signature_verify(key, COSE_ES256, pt_bytes_str(message), pt_bytes_of(signature, SIGNATURE_SIZE), NULL);
}

// Runs a command of the system's openssl in a shell; gives its exit status.
static int openssl(const char *dir, const char *arguments) {
    char command[2048];
    snprintf(command, sizeof command, "cd '%s' && openssl %s >output 2>&1", dir, arguments);
    return system(command);
}

static struct pt_buf made_by_openssl(const char *dir, const char *arguments, const char *file) {
    char path[512];
    if (openssl(dir, arguments) != 0) fail_msg("openssl %s failed", arguments);
    snprintf(path, sizeof path, "%s/%s", dir, file);
    return test_read_file(path);
}

// --- Verification ---

static void only_the_signed_message_verifies(void **state) {
    (void)state;
    struct signer signer = fresh_signer();
    struct signer other = fresh_signer();
    uint8_t signature[SIGNATURE_SIZE];
    assert_int_equal(signer.sign(signer.ctx, pt_bytes_str("a message"), signature, NULL), PT_OK);
    assert_int_equal(verify(signer.key, "a message", signature), PT_OK);
    assert_int_equal(verify(signer.key, "a message", signature), PT_OK);  // from the kept context
    assert_int_equal(verify(signer.key, "a massage", signature), PT_UNVERIFIED);
    assert_int_equal(verify(other.key, "a message", signature), PT_UNVERIFIED);
    for (size_t i = 0; i < SIGNATURE_SIZE; i++) {
        signature[i] ^= 0x10;
        assert_int_equal(verify(signer.key, "a message", signature), PT_UNVERIFIED);
        signature[i] ^= 0x10;
    }
    assert_int_equal(verify(signer.key, "a message", signature), PT_OK);
    signer_openssl_free(&signer);
    signer_openssl_free(&other);
}

static void wrong_lengths_and_algorithms_are_invalid(void **state) {
    (void)state;
    struct pt_error err;
    struct signer signer = fresh_signer();
    uint8_t signature[SIGNATURE_SIZE + 1] = {0};
    const struct pt_bytes message = pt_bytes_str("m");
    assert_int_equal(signer.sign(signer.ctx, message, signature, NULL), PT_OK);
    const size_t lengths[] = {0, 1, 63, 65};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(signature_verify(signer.key, COSE_ES256, message, pt_bytes_of(signature, lengths[i]), NULL), PT_INVALID);
    const struct pt_bytes whole = pt_bytes_of(signature, SIGNATURE_SIZE);
    assert_int_equal(signature_verify(signer.key, COSE_EDDSA, message, whole, &err), PT_INVALID);
    assert_string_equal(err.what, "the signature says EdDSA, the key is for ES256");
    assert_int_equal(signature_verify(signer.key, COSE_SM2_SM3_RESERVED, message, whole, &err), PT_INVALID);
    assert_string_equal(err.what, "SM2 with SM3 is not supported");
    assert_int_equal(signature_verify(signer.key, COSE_ALG_NONE, message, whole, NULL), PT_INVALID);
    assert_int_equal(signature_verify(signer.key, (enum cose_algorithm)-35, message, whole, NULL), PT_INVALID);
    signer_openssl_free(&signer);
}

static const char order_hex[] = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

// s := n - s, which verifies as well.
static void flip_s(uint8_t *s) {
    struct pt_buf n = from_hex(order_hex);
    int borrow = 0;
    for (int i = 31; i >= 0; i--) {
        const int digit = n.data[i] - s[i] - borrow;
        borrow = digit < 0;
        s[i] = (uint8_t)(digit & 0xff);
    }
    pt_buf_free(&n);
}

static void both_halves_of_s_verify_but_nothing_out_of_range(void **state) {
    (void)state;
    struct signer signer = fresh_signer();
    uint8_t signature[SIGNATURE_SIZE];
    assert_int_equal(signer.sign(signer.ctx, pt_bytes_str("m"), signature, NULL), PT_OK);
    for (int i = 0; i < 2; i++) {
        flip_s(signature + 32);
        assert_int_equal(verify(signer.key, "m", signature), PT_OK);
    }
    const char *out_of_range[] = {"0000000000000000000000000000000000000000000000000000000000000000", order_hex,
                                  "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632552",
                                  "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"};
    for (size_t half = 0; half < 2; half++)
        for (size_t i = 0; i < 4; i++) {
            uint8_t bad[SIGNATURE_SIZE];
            struct pt_buf value = from_hex(out_of_range[i]);
            memcpy(bad, signature, sizeof bad);
            memcpy(bad + 32 * half, value.data, 32);
            assert_int_equal(verify(signer.key, "m", bad), PT_UNVERIFIED);
            pt_buf_free(&value);
        }
    const uint8_t zero[SIGNATURE_SIZE] = {0};
    assert_int_equal(verify(signer.key, "m", zero), PT_UNVERIFIED);
    signer_openssl_free(&signer);
}

// RFC 8032, section 7.1, test 3.
static void ed25519_keys_verify(void **state) {
    (void)state;
    struct pt_buf cose = from_hex("a3010120062158" "20fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025");
    struct pt_buf signature = from_hex("6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
                                       "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a");
    struct verify_key *key = NULL;
    struct pt_error err;
    assert_ok(verify_key_from_cose(pt_buf_bytes(&cose), &key, &err), &err);
    assert_int_equal(verify_key_algorithm(key), COSE_EDDSA);
    const struct pt_bytes message = pt_bytes_of("\xaf\x82", 2);
    assert_int_equal(signature_verify(key, COSE_EDDSA, message, pt_buf_bytes(&signature), NULL), PT_OK);
    assert_int_equal(signature_verify(key, COSE_ES256, message, pt_buf_bytes(&signature), NULL), PT_INVALID);
    signature.data[63] ^= 1;
    assert_int_equal(signature_verify(key, COSE_EDDSA, message, pt_buf_bytes(&signature), NULL), PT_UNVERIFIED);
    struct pt_buf again = PT_BUF_INIT(256);
    verify_key_to_cose(key, &again);
    assert_true(pt_bytes_equal(pt_buf_bytes(&again), pt_buf_bytes(&cose)));
    verify_key_free(key);
    pt_buf_free(&again);
    pt_buf_free(&cose);
    pt_buf_free(&signature);
}

struct threads_case {
    struct signer signers[80];  // more than a thread keeps contexts for
    uint8_t signatures[80][SIGNATURE_SIZE];
};

static void *verify_all(void *arg) {
    struct threads_case *many = arg;
    for (int round = 0; round < 3; round++)
        for (size_t i = 0; i < 80; i++) {
            if (verify(many->signers[i].key, "m", many->signatures[i]) != PT_OK) return "refused";
            if (verify(many->signers[(i + 64) % 80].key, "m", many->signatures[i]) == PT_OK) return "accepted";
        }
    return NULL;
}

static void many_threads_share_keys(void **state) {
    (void)state;
    struct threads_case *many = calloc(1, sizeof *many);
    assert_non_null(many);
    for (size_t i = 0; i < 80; i++) {
        many->signers[i] = fresh_signer();
        assert_int_equal(many->signers[i].sign(many->signers[i].ctx, pt_bytes_str("m"), many->signatures[i], NULL), PT_OK);
    }
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++) assert_int_equal(pthread_create(&threads[i], NULL, verify_all, many), 0);
    for (size_t i = 0; i < 4; i++) {
        void *problem = NULL;
        pthread_join(threads[i], &problem);
        assert_null(problem);
    }
    for (size_t i = 0; i < 80; i++) signer_openssl_free(&many->signers[i]);
    free(many);
}

// --- Keys ---

// RFC 9679, section 6.
#define EXAMPLE_X "65eda5a12577c2bae829437fe338701a10aaa375e1bb5b5de108de439c08551d"
#define EXAMPLE_Y "1e52ed75701163f7f9e40ddf9f341b3dc9ba860af7e0ca7ca7e9eecd0084d19c"

static void the_thumbprint_is_that_of_rfc_9679(void **state) {
    (void)state;
    const char *same[] = {
        "a40102200121" "5820" EXAMPLE_X "22" "5820" EXAMPLE_Y,
        "a4225820" EXAMPLE_Y "215820" EXAMPLE_X "20010102",                                   // another order
        "a601020258" "246d65726961646f632e6272616e64796275636b406275636b6c616e642e6578616d706c65" "0326" "2001" "215820" EXAMPLE_X
        "225820" EXAMPLE_Y,                                                                    // kid and alg
        "a401022001215820" EXAMPLE_X "22f4",                                                   // compressed, y even
        "bf010220012158" "20" EXAMPLE_X "22f4ff",                                              // refused: indefinite
    };
    for (size_t i = 0; i < 5; i++) {
        struct pt_buf cose = from_hex(same[i]);
        struct verify_key *key = NULL;
        char hex[65];
        if (i == 4) {
            assert_int_equal(verify_key_from_cose(pt_buf_bytes(&cose), &key, NULL), PT_INVALID);
        } else {
            struct pt_error err;
            assert_ok(verify_key_from_cose(pt_buf_bytes(&cose), &key, &err), &err);
            const struct pt_digest thumbprint = verify_key_thumbprint(key);
            pt_digest_hex(&thumbprint, hex);
            assert_string_equal(hex, "496bd8afadf307e5b08c64b0421bf9dc01528a344a43bda88fadd1669da253ec");
            verify_key_free(key);
        }
        pt_buf_free(&cose);
    }
}

static void bad_cose_keys_are_refused(void **state) {
    (void)state;
    const char *bad[] = {
        "", "a0", "80", "f6", "a10102",
        "a401022001215820" EXAMPLE_X "225820" EXAMPLE_X,                       // not on the curve
        "a401022001215820" EXAMPLE_X,                                          // cut
        "a301022001215820" EXAMPLE_X,                                          // no y
        "a301022001225820" EXAMPLE_Y,                                          // no x
        "a401022002215820" EXAMPLE_X "225820" EXAMPLE_Y,                       // P-384
        "a401022008215820" EXAMPLE_X "225820" EXAMPLE_Y,                       // secp256k1
        "a401012001215820" EXAMPLE_X "225820" EXAMPLE_Y,                       // OKP with an EC curve
        "a401032001215820" EXAMPLE_X "225820" EXAMPLE_Y,                       // RSA
        "a50102032720" "01215820" EXAMPLE_X "225820" EXAMPLE_Y,                // EdDSA on P-256
        "a5010220012158" "20" EXAMPLE_X "225820" EXAMPLE_Y "2358" "20" EXAMPLE_X,  // private part
        "a5010204810120" "01215820" EXAMPLE_X "225820" EXAMPLE_Y,              // only for signing
        "a50102010220" "01215820" EXAMPLE_X "225820" EXAMPLE_Y,                // kty twice
        "a40102200121581f" "01" "22f4",                                        // cut x
        "a401022001215820ffffffff00000001000000000000000000000000ffffffffffffffffffffffff22f4",  // x = p
        "a301012006215820" EXAMPLE_X "00",                                     // trailing
        "a401012006215820" EXAMPLE_X "225820" EXAMPLE_Y,                       // Ed25519 with y
        "a30101200621581f" "65eda5a12577c2bae829437fe338701a10aaa375e1bb5b5de108de439c0855",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct pt_buf cose = from_hex(bad[i]);
        struct verify_key *key = NULL;
        if (verify_key_from_cose(pt_buf_bytes(&cose), &key, NULL) != PT_INVALID) fail_msg("accepted: %s", bad[i]);
        assert_null(key);
        pt_buf_free(&cose);
    }
}

static void pem_and_der_give_the_same_key(void **state) {
    (void)state;
    char dir[256];
    test_scratch(dir);
    struct pt_error err;
    struct pt_buf private_pem = PT_BUF_INIT(4096);
    assert_ok(signer_openssl_generate(&private_pem, &err), &err);
    char path[512];
    snprintf(path, sizeof path, "%s/key.pem", dir);
    assert_ok(pt_file_replace(path, pt_buf_bytes(&private_pem), 0600, &err), &err);
    struct signer signer;
    assert_ok(signer_openssl_from_pem(pt_buf_bytes(&private_pem), &signer, &err), &err);
    const struct pt_digest expected = verify_key_thumbprint(signer.key);
    const struct { const char *arguments; const char *file; bool der; } forms[] = {
        {"pkey -in key.pem -pubout -out pub.pem", "pub.pem", false},
        {"pkey -in key.pem -pubout -outform DER -out pub.der", "pub.der", true},
        {"req -x509 -new -key key.pem -subj /CN=x -days 3 -out cert.pem", "cert.pem", false},
        {"ec -in key.pem -pubout -conv_form compressed -out short.pem", "short.pem", false},
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct pt_buf content = made_by_openssl(dir, forms[i].arguments, forms[i].file);
        struct verify_key *key = NULL;
        assert_ok(forms[i].der ? verify_key_from_der(pt_buf_bytes(&content), &key, &err)
                               : verify_key_from_pem(pt_buf_bytes(&content), &key, &err), &err);
        const struct pt_digest thumbprint = verify_key_thumbprint(key);
        assert_true(pt_digest_equal(&thumbprint, &expected));
        verify_key_free(key);
        pt_buf_byte(&content, 0);
        if (forms[i].der) assert_int_equal(verify_key_from_der(pt_buf_bytes(&content), &key, NULL), PT_INVALID);
        pt_buf_free(&content);
    }
    struct pt_buf sec1 = made_by_openssl(dir, "ec -in key.pem -out sec1.pem", "sec1.pem");
    struct signer same;
    assert_ok(signer_openssl_from_pem(pt_buf_bytes(&sec1), &same, &err), &err);
    struct pt_buf written = PT_BUF_INIT(4096);
    assert_ok(verify_key_to_pem(same.key, &written, &err), &err);
    struct pt_buf by_openssl = made_by_openssl(dir, "pkey -in key.pem -pubout -out pub.pem", "pub.pem");
    assert_true(pt_bytes_equal(pt_buf_bytes(&written), pt_buf_bytes(&by_openssl)));
    signer_openssl_free(&same);
    signer_openssl_free(&signer);
    pt_buf_free(&sec1);
    pt_buf_free(&written);
    pt_buf_free(&by_openssl);
    pt_buf_free(&private_pem);
    test_scratch_remove(dir);
}

static void foreign_keys_are_refused_without_a_question(void **state) {
    (void)state;
    char dir[256];
    test_scratch(dir);
    const struct { const char *private_key; bool readable_by_mbedtls; } kinds[] = {
        {"genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out k.pem", false},
        {"ecparam -name secp384r1 -genkey -noout -out k.pem", false},
        {"ecparam -name secp256k1 -genkey -noout -out k.pem", false},
        {"ecparam -name SM2 -genkey -noout -out k.pem", false},
        {"ecparam -name prime256v1 -genkey -noout -param_enc explicit -out k.pem", true},
        {"genpkey -algorithm ED25519 -out k.pem", false},
        {"genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes128 -pass pass:secret -out k.pem", false},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct pt_buf content = made_by_openssl(dir, kinds[i].private_key, "k.pem");
        struct signer signer;
        assert_int_equal(signer_openssl_from_pem(pt_buf_bytes(&content), &signer, NULL), PT_INVALID);
        assert_null(signer.key);
        if (!kinds[i].readable_by_mbedtls)
            assert_int_equal(signer_mbedtls_from_pem(pt_buf_bytes(&content), &signer, NULL), PT_INVALID);
        pt_buf_free(&content);
        if (i >= 5) continue;
        content = made_by_openssl(dir, "pkey -in k.pem -pubout -out p.pem", "p.pem");
        struct verify_key *key = NULL;
        assert_int_equal(verify_key_from_pem(pt_buf_bytes(&content), &key, NULL), PT_INVALID);
        pt_buf_free(&content);
    }
    struct verify_key *key = NULL;
    const char *texts[] = {"", "x", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
                           "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"};
    for (size_t i = 0; i < 4; i++) {
        struct signer signer;
        assert_int_equal(verify_key_from_pem(pt_bytes_str(texts[i]), &key, NULL), PT_INVALID);
        assert_int_equal(verify_key_from_der(pt_bytes_str(texts[i]), &key, NULL), PT_INVALID);
        assert_int_equal(signer_openssl_from_pem(pt_bytes_str(texts[i]), &signer, NULL), PT_INVALID);
        assert_int_equal(signer_mbedtls_from_pem(pt_bytes_str(texts[i]), &signer, NULL), PT_INVALID);
    }
    // The point at infinity.
    struct pt_buf infinity = from_hex("3019301306072a8648ce3d020106082a8648ce3d0301070302" "0000");
    assert_int_equal(verify_key_from_der(pt_buf_bytes(&infinity), &key, NULL), PT_INVALID);
    pt_buf_free(&infinity);
    test_scratch_remove(dir);
}

// --- The terminal's signer ---

// RFC 6979, section A.2.5: P-256, SHA-256, message "sample".
static void the_terminal_signs_deterministically(void **state) {
    (void)state;
    struct pt_error err;
    struct pt_buf der = from_hex("30310201010420c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721"
                                 "a00a06082a8648ce3d030107");
    struct pt_buf pem = PT_BUF_INIT(1024);
    pt_buf_str(&pem, "-----BEGIN EC PRIVATE KEY-----\n");
    pt_base64_append(&pem, pt_buf_bytes(&der));
    pt_buf_str(&pem, "\n-----END EC PRIVATE KEY-----\n");
    struct signer signer;
    assert_ok(signer_mbedtls_from_pem(pt_buf_bytes(&pem), &signer, &err), &err);
    uint8_t signature[SIGNATURE_SIZE];
    assert_ok(signer.sign(signer.ctx, pt_bytes_str("sample"), signature, &err), &err);
    struct pt_buf expected = from_hex("efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
                                      "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8");
    assert_memory_equal(signature, expected.data, SIGNATURE_SIZE);
    assert_int_equal(verify(signer.key, "sample", signature), PT_OK);
    signer_mbedtls_free(&signer);
    pt_buf_free(&expected);
    pt_buf_free(&der);
    pt_buf_free(&pem);
}

static void the_terminal_makes_its_key_and_request(void **state) {
    (void)state;
    char dir[256];
    char path[512];
    test_scratch(dir);
    struct pt_error err;
    struct pt_buf pem = PT_BUF_INIT(4096);
    struct pt_buf request = PT_BUF_INIT(4096);
    assert_ok(signer_mbedtls_generate(&pem, &err), &err);
    assert_ok(signer_mbedtls_csr(pt_buf_bytes(&pem), "CN=Terminal 3,O=Beijing No. 1 pharmacy", &request, &err), &err);
    snprintf(path, sizeof path, "%s/request.pem", dir);
    assert_ok(pt_file_replace(path, pt_buf_bytes(&request), 0600, &err), &err);
    assert_int_equal(openssl(dir, "req -in request.pem -verify -noout"), 0);
    struct pt_buf subject = made_by_openssl(dir, "req -in request.pem -noout -subject -nameopt RFC2253 -out subject", "subject");
    assert_string_equal(pt_buf_cstr(&subject), "subject=O=Beijing No. 1 pharmacy,CN=Terminal 3\n");
    struct pt_buf public_pem = made_by_openssl(dir, "req -in request.pem -noout -pubkey -out pub.pem", "pub.pem");
    struct signer mbedtls;
    struct signer by_openssl;
    struct verify_key *from_request = NULL;
    assert_ok(signer_mbedtls_from_pem(pt_buf_bytes(&pem), &mbedtls, &err), &err);
    assert_ok(signer_openssl_from_pem(pt_buf_bytes(&pem), &by_openssl, &err), &err);
    assert_ok(verify_key_from_pem(pt_buf_bytes(&public_pem), &from_request, &err), &err);
    uint8_t signature[SIGNATURE_SIZE];
    assert_ok(mbedtls.sign(mbedtls.ctx, pt_bytes_str("m"), signature, &err), &err);
    assert_int_equal(verify(from_request, "m", signature), PT_OK);
    assert_ok(by_openssl.sign(by_openssl.ctx, pt_bytes_str("m"), signature, &err), &err);
    assert_int_equal(verify(mbedtls.key, "m", signature), PT_OK);

    const char *bad_names[] = {"", "no name", "CN=Smith, John", "CN=x,", "XX=y", ",CN=x"};
    for (size_t i = 0; i < sizeof bad_names / sizeof *bad_names; i++)
        assert_int_equal(signer_mbedtls_csr(pt_buf_bytes(&pem), bad_names[i], &request, NULL), PT_INVALID);
    assert_ok(signer_mbedtls_csr(pt_buf_bytes(&pem), "CN=Smith\\, John", &request, &err), &err);
    assert_int_equal(signer_mbedtls_csr(pt_bytes_str("no key"), "CN=x", &request, NULL), PT_INVALID);
    struct pt_buf small = PT_BUF_INIT(10);
    assert_int_equal(signer_mbedtls_generate(&small, NULL), PT_LIMIT);
    pt_buf_free(&small);
    verify_key_cleanup(&from_request);
    assert_null(from_request);
    signer_mbedtls_free(&mbedtls);
    signer_openssl_free(&by_openssl);
    pt_buf_free(&subject);
    pt_buf_free(&public_pem);
    pt_buf_free(&pem);
    pt_buf_free(&request);
    test_scratch_remove(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_signed_message_verifies),
        cmocka_unit_test(wrong_lengths_and_algorithms_are_invalid),
        cmocka_unit_test(both_halves_of_s_verify_but_nothing_out_of_range),
        cmocka_unit_test(ed25519_keys_verify),
        cmocka_unit_test(many_threads_share_keys),
        cmocka_unit_test(the_thumbprint_is_that_of_rfc_9679),
        cmocka_unit_test(bad_cose_keys_are_refused),
        cmocka_unit_test(pem_and_der_give_the_same_key),
        cmocka_unit_test(foreign_keys_are_refused_without_a_question),
        cmocka_unit_test(the_terminal_signs_deterministically),
        cmocka_unit_test(the_terminal_makes_its_key_and_request),
    };
    return cmocka_run_group_tests_name("crypto signature", tests, NULL, NULL);
}
