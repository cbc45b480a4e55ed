#include <stdlib.h>

#include "common/chain/block.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

// A block has one form only: put together again from header and statements it is the same bytes.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct block block;
    struct pt_error err;
    if (block_decode(pt_bytes_of(data, len), &block, &err) != PT_OK) {
        if (block.statements || block.statement_ids) abort();
        return 0;
    }
    struct pt_buf again = PT_BUF_INIT(BLOCK_MAX);
    struct cbor_reader reader = cbor_reader_of(block.bytes, true, &err);
    cbor_expect_array(&reader, 2);
    const struct pt_bytes header = cbor_get_bytes(&reader);
    if (block_assemble(header, block.statements, (size_t)block.header.count, &again, &err) != PT_OK) abort();
    if (!pt_bytes_equal(pt_buf_bytes(&again), block.bytes)) abort();
    pt_buf_free(&again);
    block_free(&block);
    return 0;
}
