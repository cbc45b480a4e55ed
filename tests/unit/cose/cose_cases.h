// What the tests of COSE formats share: bytes from hex, fresh keys, and messages put together from their parts.
#ifndef PACKTRAIL_TESTS_UNIT_COSE_COSE_CASES_H
#define PACKTRAIL_TESTS_UNIT_COSE_COSE_CASES_H

#include "common/base/text.h"
#include "common/crypto/signature.h"
#include "tests/support/support.h"

static inline struct pt_buf from_hex(const char *hex) {
    struct pt_buf out = PT_BUF_INIT(1 << 20);
    assert_int_equal(pt_hex_decode(pt_bytes_str(hex), &out, NULL), PT_OK);
    return out;
}

static inline struct signer fresh_signer(void) {
    struct pt_error err;
    struct signer signer;
    struct pt_buf pem = PT_BUF_INIT(4096);
    assert_ok(signer_openssl_generate(&pem, &err), &err);
    assert_ok(signer_openssl_from_pem(pt_buf_bytes(&pem), &signer, &err), &err);
    pt_buf_free(&pem);
    return signer;
}

#define NO_BYTES ((struct pt_bytes){NULL, 0})

#endif
