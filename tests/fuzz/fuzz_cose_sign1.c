#include <stdlib.h>

#include "common/cose/cose_sign1.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static bool inside(struct pt_bytes part, const uint8_t *data, size_t len) {
    return part.len == 0 || (part.data >= data && part.len <= len && part.data + part.len <= data + len);
}

// Parts lie within the message; what the strict decoder takes the general one takes alike. The input is also tried as a key.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    static const int64_t understood[] = {COSE_HEADER_ALG, COSE_HEADER_CWT_CLAIMS};
    struct cose_sign1 general;
    struct cose_sign1 strict;
    struct pt_error err;
    const bool taken = cose_sign1_decode(pt_bytes_of(data, len), understood, 2, &general, &err) == PT_OK;
    if (taken) {
        struct pt_bytes value;
        if (!inside(general.protected_bytes, data, len) || !inside(general.unprotected_bytes, data, len) ||
            !inside(general.payload, data, len) || !inside(general.signature, data, len) || !inside(general.kid, data, len))
            abort();
        if (cose_header_find(general.unprotected_bytes, COSE_HEADER_VDP, &value) && !inside(value, data, len)) abort();
    }
    if (cose_sign1_decode_strict(pt_bytes_of(data, len), &strict, &err) == PT_OK && taken &&
        (!pt_bytes_equal(strict.payload, general.payload) || general.detached || !general.unprotected_empty))
        abort();
    struct verify_key *key = NULL;
    if (verify_key_from_cose(pt_bytes_of(data, len), &key, &err) == PT_OK) {
        struct pt_buf cose = PT_BUF_INIT(256);
        struct verify_key *again = NULL;
        verify_key_to_cose(key, &cose);
        if (verify_key_from_cose(pt_buf_bytes(&cose), &again, &err) != PT_OK) abort();
        verify_key_free(again);
        pt_buf_free(&cose);
    }
    verify_key_free(key);
    return 0;
}
