// Public keys and certificates as PEM and DER (COSE_Key: see fuzz_cose_sign1.c).
#include <stdlib.h>
#include <string.h>

#include "common/crypto/signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

// A key that is taken says the same when written and read again.
static void check(enum pt_code code, struct verify_key *key) {
    if (code != PT_OK) {
        if (key) abort();
        return;
    }
    struct pt_buf pem = PT_BUF_INIT(4096);
    struct verify_key *again = NULL;
    struct pt_error err;
    if (verify_key_to_pem(key, &pem, &err) != PT_OK) abort();
    if (verify_key_from_pem(pt_buf_bytes(&pem), &again, &err) != PT_OK) abort();
    const struct pt_digest before = verify_key_thumbprint(key);
    const struct pt_digest after = verify_key_thumbprint(again);
    if (!pt_digest_equal(&before, &after)) abort();
    verify_key_free(again);
    verify_key_free(key);
    pt_buf_free(&pem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    const struct pt_bytes bytes = pt_bytes_of(data, len);
    struct verify_key *key = NULL;
    struct pt_error err;
    check(verify_key_from_pem(bytes, &key, &err), key);
    key = NULL;
    check(verify_key_from_der(bytes, &key, &err), key);
    return 0;
}
