// A finding that decodes encodes to the same bytes.
#include <stdlib.h>

#include "common/alert/finding.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct pt_arena arena = {0};
    struct alert_finding finding;
    if (finding_decode(pt_bytes_of(data, size), &arena, &finding, NULL) == PT_OK) {
        struct pt_buf again = PT_BUF_INIT(FINDING_MAX);
        if (finding_encode(&finding, &again, NULL) != PT_OK || !pt_bytes_equal(pt_buf_bytes(&again), pt_bytes_of(data, size))) abort();
        pt_buf_free(&again);
    }
    pt_arena_free(&arena);
    return 0;
}
