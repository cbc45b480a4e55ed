// Master records as a company's IT writes them: what is taken goes through CBOR and comes out as the same record.
#include <stdlib.h>

#include "common/master/master.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct pt_arena arena = {0};
    struct master_record record, back;
    PT_JSON json_t *json = NULL;
    if (pt_json_parse(pt_bytes_of(data, size), 1 << 20, &json, NULL) == PT_OK && master_from_json(json, &arena, &record, NULL) == PT_OK) {
        struct pt_buf cbor = PT_BUF_INIT(1 << 21), again = PT_BUF_INIT(1 << 21);
        PT_JSON json_t *written = NULL;
        if (master_encode(&record, &cbor, NULL) != PT_OK) abort();
        if (master_decode(pt_buf_bytes(&cbor), &arena, &back, NULL) != PT_OK) abort();
        if (master_to_json(&back, &written, NULL) != PT_OK) abort();
        if (master_from_json(written, &arena, &back, NULL) != PT_OK || master_encode(&back, &again, NULL) != PT_OK) abort();
        if (!pt_bytes_equal(pt_buf_bytes(&cbor), pt_buf_bytes(&again))) abort();
        pt_buf_free(&cbor);
        pt_buf_free(&again);
    }
    pt_arena_free(&arena);
    return 0;
}
