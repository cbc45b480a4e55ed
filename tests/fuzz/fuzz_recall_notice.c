// A recall notice that decodes encodes to the same bytes, and goes through JSON unharmed; judging packs by it never fails.
#include <stdlib.h>
#include <string.h>

#include "common/recall/recall_notice.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_json(const uint8_t *data, size_t size, struct pt_arena *arena) {
    struct recall_notice notice, back;
    PT_JSON json_t *json = NULL;
    if (pt_json_parse(pt_bytes_of(data, size), 1 << 16, &json, NULL) != PT_OK || recall_notice_from_json(json, arena, &notice, NULL) != PT_OK) return;
    struct pt_buf cbor = PT_BUF_INIT(RECALL_NOTICE_MAX * 2);
    if (recall_notice_encode(&notice, &cbor, NULL) == PT_OK && recall_notice_decode(pt_buf_bytes(&cbor), arena, &back, NULL) != PT_OK) abort();
    pt_buf_free(&cbor);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct pt_arena arena = {0};
    struct recall_notice notice, back;
    if (recall_notice_decode(pt_bytes_of(data, size), &arena, &notice, NULL) == PT_OK) {
        struct pt_buf again = PT_BUF_INIT(size);
        PT_JSON json_t *json = NULL;
        if (recall_notice_encode(&notice, &again, NULL) != PT_OK || !pt_bytes_equal(pt_buf_bytes(&again), pt_bytes_of(data, size))) abort();
        if (recall_notice_to_json(&notice, &json, NULL) != PT_OK || recall_notice_from_json(json, &arena, &back, NULL) != PT_OK) abort();
        pt_buf_clear(&again);
        if (recall_notice_encode(&back, &again, NULL) != PT_OK || !pt_bytes_equal(pt_buf_bytes(&again), pt_bytes_of(data, size))) abort();
        if (!recall_notice_includes(&notice, &back)) abort();
        for (size_t i = 0; i < notice.scope.range_count; i++)
            if (!recall_serial_in(&notice.scope, notice.scope.ranges[i].from) || !recall_serial_in(&notice.scope, notice.scope.ranges[i].to)) abort();
        pt_buf_free(&again);
    }
    check_json(data, size, &arena);
    pt_arena_free(&arena);
    return 0;
}
