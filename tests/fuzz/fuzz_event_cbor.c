// An event that decodes encodes to the same bytes, and has a hash.
#include <stdlib.h>

#include "common/epcis/event_cbor.h"
#include "common/epcis/event_hash.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct pt_arena arena = {0};
    struct epcis_event event;
    if (epcis_cbor_decode(pt_bytes_of(data, size), &arena, &event, NULL) == PT_OK) {
        struct pt_buf again = PT_BUF_INIT(size);
        struct pt_digest digest;
        if (epcis_cbor_encode(&event, &again, NULL) != PT_OK) abort();
        if (!pt_bytes_equal(pt_buf_bytes(&again), pt_bytes_of(data, size))) abort();
        if (epcis_event_digest(&event, NULL, &digest, NULL) != PT_OK) abort();
        pt_buf_free(&again);
    }
    pt_arena_free(&arena);
    return 0;
}
