// A signing key on a token, against SoftHSM: made there, found again, never replaced, and its signatures are as others check them.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/disk.h"
#include "common/crypto/signature.h"
#include "tests/support/support.h"

#define MODULE "/usr/lib/softhsm/libsofthsm2.so"

static char directory[] = "/tmp/packtrail-token-XXXXXX";
static bool available;

static int make_token(void **state) {
    char path[256], text[512];
    (void)state;
    if (!mkdtemp(directory)) return -1;
    available = access(MODULE, R_OK) == 0 && access("/usr/bin/softhsm2-util", X_OK) == 0;
    if (!available) return 0;
    snprintf(path, sizeof path, "%s/softhsm2.conf", directory);
    snprintf(text, sizeof text, "directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n", directory);
    if (pt_file_replace(path, pt_bytes_str(text), 0600, NULL) != PT_OK || setenv("SOFTHSM2_CONF", path, 1) != 0) return -1;
    snprintf(path, sizeof path, "%s/pin", directory);
    if (pt_file_replace(path, pt_bytes_str("1234\n"), 0600, NULL) != PT_OK) return -1;
    return system("softhsm2-util --init-token --free --label terminal --pin 1234 --so-pin 5678 >/dev/null 2>&1") == 0 ? 0 : -1;
}

static int drop_token(void **state) {
    char command[256];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", directory);
    return system(command) == 0 ? 0 : -1;
}

static const char *uri(const char *token, const char *object, const char *pin) {
    static char text[1024];
    if (pin) snprintf(text, sizeof text, "pkcs11:token=%s;object=%s?module-path=" MODULE "&pin-value=%s", token, object, pin);
    else snprintf(text, sizeof text, "pkcs11:token=%s;object=%s?module-path=" MODULE "&pin-source=file:%s/pin", token, object, directory);
    return text;
}

static void signatures_hold(void **state) {
    struct signer first, again;
    struct pt_error err = {0};
    uint8_t signature[SIGNATURE_SIZE], other[SIGNATURE_SIZE];
    (void)state;
    if (!available) skip();
    assert_ok(signer_pkcs11_generate(uri("terminal", "sign", NULL), &err), &err);
    assert_ok(signer_pkcs11_open(uri("terminal", "sign", NULL), &first, &err), &err);
    const struct pt_bytes message = pt_bytes_str("a pack was received");
    for (int i = 0; i < 50; i++) {
        assert_ok(first.sign(first.ctx, message, signature, &err), &err);
        assert_ok(signature_verify(first.key, COSE_ES256, message, pt_bytes_of(signature, sizeof signature), &err), &err);
    }
    assert_int_equal(signature_verify(first.key, COSE_ES256, pt_bytes_str("another"), pt_bytes_of(signature, sizeof signature), NULL),
                     PT_UNVERIFIED);
    const struct pt_digest kid = verify_key_thumbprint(first.key);
    signer_pkcs11_free(&first);
    assert_ok(signer_pkcs11_open(uri("terminal", "sign", "1234"), &again, &err), &err);
    const struct pt_digest same = verify_key_thumbprint(again.key);
    assert_true(pt_digest_equal(&kid, &same));
    assert_ok(again.sign(again.ctx, message, other, &err), &err);
    assert_ok(signature_verify(again.key, COSE_ES256, message, pt_bytes_of(other, sizeof other), &err), &err);
    signer_pkcs11_free(&again);
}

static void a_key_is_never_replaced(void **state) {
    struct signer signer;
    struct pt_error err = {0};
    (void)state;
    if (!available) skip();
    assert_ok(signer_pkcs11_generate(uri("terminal", "kept", NULL), &err), &err);
    assert_ok(signer_pkcs11_open(uri("terminal", "kept", NULL), &signer, &err), &err);
    const struct pt_digest kid = verify_key_thumbprint(signer.key);
    signer_pkcs11_free(&signer);
    assert_int_equal(signer_pkcs11_generate(uri("terminal", "kept", NULL), &err), PT_CONFLICT);
    assert_ok(signer_pkcs11_open(uri("terminal", "kept", NULL), &signer, &err), &err);
    const struct pt_digest same = verify_key_thumbprint(signer.key);
    assert_true(pt_digest_equal(&kid, &same));
    signer_pkcs11_free(&signer);
}

static void what_is_wrong_is_told(void **state) {
    struct signer signer;
    struct pt_error err = {0};
    (void)state;
    if (!available) skip();
    assert_int_equal(signer_pkcs11_open(uri("terminal", "none", NULL), &signer, &err), PT_NOT_FOUND);
    assert_int_equal(signer_pkcs11_open(uri("elsewhere", "sign", NULL), &signer, &err), PT_UNAVAILABLE);
    assert_int_equal(signer_pkcs11_open(uri("terminal", "sign", "9999"), &signer, &err), PT_FORBIDDEN);
    assert_int_equal(signer_pkcs11_open("pkcs11:token=terminal;object=sign", &signer, &err), PT_INVALID);
    assert_int_equal(signer_pkcs11_open("pkcs11:token=terminal?module-path=" MODULE, &signer, &err), PT_INVALID);
    assert_int_equal(signer_pkcs11_open("/a/file", &signer, &err), PT_INVALID);
    assert_int_equal(signer_pkcs11_open("pkcs11:object=a?module-path=/nonexistent.so", &signer, &err), PT_UNAVAILABLE);
    assert_null(signer.key);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(signatures_hold), cmocka_unit_test(a_key_is_never_replaced),
                                       cmocka_unit_test(what_is_wrong_is_told)};
    return cmocka_run_group_tests(tests, make_token, drop_token);
}
