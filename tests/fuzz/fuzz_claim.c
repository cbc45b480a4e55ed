// A batch of claims that decodes encodes to the same bytes, and goes through JSON unharmed.
#include <stdlib.h>

#include "common/claim/claim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct pt_arena arena = {0};
    struct claim_batch batch, back;
    if (claim_batch_decode(pt_bytes_of(data, size), &arena, &batch, NULL) == PT_OK) {
        struct pt_buf again = PT_BUF_INIT(size);
        if (claim_batch_encode(&batch, &again, NULL) != PT_OK) abort();
        if (!pt_bytes_equal(pt_buf_bytes(&again), pt_bytes_of(data, size))) abort();
        PT_JSON json_t *json = NULL;
        if (claim_batch_to_json(&batch, &json, NULL) != PT_OK) abort();
        if (claim_batch_from_json(json, &arena, &back, NULL) != PT_OK) abort();
        pt_buf_clear(&again);
        if (claim_batch_encode(&back, &again, NULL) != PT_OK) abort();
        if (!pt_bytes_equal(pt_buf_bytes(&again), pt_bytes_of(data, size))) abort();
        pt_buf_free(&again);
    }
    pt_arena_free(&arena);
    return 0;
}
