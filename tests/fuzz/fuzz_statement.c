#include <stdlib.h>

#include "common/cose/statement.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

// A statement has one form only: put together again from its parts (and its signature) it is the same bytes.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct statement statement;
    struct pt_error err;
    if (statement_decode(pt_bytes_of(data, len), &statement, &err) != PT_OK) return 0;
    struct pt_buf again = PT_BUF_INIT(STATEMENT_MAX);
    cbor_put_tag(&again, 18);
    cbor_put_array(&again, 4);
    cbor_put_bytes(&again, statement.envelope.protected_bytes);
    cbor_put_map(&again, 0);
    cbor_put_bytes(&again, statement.payload);
    cbor_put_bytes(&again, statement.envelope.signature);
    if (!pt_bytes_equal(pt_buf_bytes(&again), statement.bytes)) abort();
    struct cose_sign1 general;
    if (cose_sign1_decode(statement.bytes, NULL, 0, &general, &err) != PT_OK) abort();
    if (!pt_bytes_equal(general.kid, pt_bytes_digest(&statement.kid))) abort();
    statement_signed_digest(&statement);
    pt_buf_free(&again);
    return 0;
}
