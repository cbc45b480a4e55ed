#include <stdlib.h>

#include "common/chain/entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

// An entry has one form only.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct chain_entry entry;
    struct pt_error err;
    if (chain_entry_decode(pt_bytes_of(data, len), &entry, &err) != PT_OK) return 0;
    struct pt_buf again = PT_BUF_INIT(ENTRY_MAX);
    if (chain_entry_encode(&entry, &again, &err) != PT_OK) abort();
    if (!pt_bytes_equal(pt_buf_bytes(&again), pt_bytes_of(data, len))) abort();
    pt_buf_free(&again);
    return 0;
}
