// A manifest that decodes encodes to the same bytes.
#include <stdlib.h>

#include "common/epcis/event_split.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct pt_arena arena = {0};
    struct event_manifest manifest;
    if (event_manifest_decode(pt_bytes_of(data, size), &arena, &manifest, NULL) == PT_OK) {
        struct pt_buf again = PT_BUF_INIT(size);
        if (event_manifest_encode(&manifest, &again, NULL) != PT_OK) abort();
        if (!pt_bytes_equal(pt_buf_bytes(&again), pt_bytes_of(data, size))) abort();
        pt_buf_free(&again);
    }
    pt_arena_free(&arena);
    return 0;
}
