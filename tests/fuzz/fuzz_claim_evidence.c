// Answers to claims and evidence bundles that decode encode to the same bytes.
#include <stdlib.h>

#include "common/claim/claim_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct pt_arena arena = {0};
    const struct pt_bytes bytes = pt_bytes_of(data, size);
    struct pt_buf again = PT_BUF_INIT(size);
    struct claim_evidence evidence;
    struct claim_answer answer;
    if (claim_evidence_decode(bytes, &arena, &evidence, NULL) == PT_OK &&
        (claim_evidence_encode(&evidence, &again, NULL) != PT_OK || !pt_bytes_equal(pt_buf_bytes(&again), bytes)))
        abort();
    pt_buf_clear(&again);
    if (claim_answer_decode(bytes, &arena, &answer, NULL) == PT_OK &&
        (claim_answer_encode(&answer, &again, NULL) != PT_OK || !pt_bytes_equal(pt_buf_bytes(&again), bytes)))
        abort();
    pt_buf_free(&again);
    pt_arena_free(&arena);
    return 0;
}
