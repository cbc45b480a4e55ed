#include <stdlib.h>

#include "common/epcis/epcis_json.h"
#include "common/epcis/epcis_validate.h"
#include "common/epcis/event_hash.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const size_t MOST = (size_t)16 * 1024 * 1024;

// What was written says the same: every event has the hash that it had.
static void check_written(const struct epcis_document *document, enum epcis_strictness mode) {
    struct pt_buf out = PT_BUF_INIT(MOST);
    struct pt_arena arena = {.ceiling = MOST};
    struct epcis_document again;
    struct pt_error err;
    if (epcis_json_encode_document(document, &out, &err) != PT_OK) {
        pt_buf_free(&out);
        return;
    }
    const enum pt_code code = epcis_json_decode(pt_buf_bytes(&out), MOST, mode, &arena, &again, &err);
    if (code != PT_OK && code != PT_LIMIT) abort();
    if (code == PT_OK && again.event_count != document->event_count) abort();
    for (size_t i = 0; code == PT_OK && i < again.event_count; i++) {
        struct pt_digest before;
        struct pt_digest after;
        if (epcis_event_digest(&document->events[i], &document->ignored_fields, &before, NULL) != PT_OK) continue;
        if (epcis_event_digest(&again.events[i], &again.ignored_fields, &after, NULL) != PT_OK) abort();
        if (!pt_digest_equal(&before, &after)) abort();
    }
    pt_buf_free(&out);
    pt_arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    const enum epcis_strictness modes[] = {EPCIS_FOR_HASH, EPCIS_FOR_CAPTURE};
    for (size_t m = 0; m < 2; m++) {
        struct pt_arena arena = {.ceiling = MOST};
        struct epcis_document document;
        struct pt_error err;
        if (epcis_json_decode(pt_bytes_of(data, len), MOST, modes[m], &arena, &document, &err) == PT_OK) {
            for (size_t i = 0; m == 1 && i < document.event_count; i++)
                if (epcis_event_validate(&document.events[i], &err) != PT_OK) abort();
            check_written(&document, modes[m]);
        } else if (!err.what[0]) {
            abort();
        }
        pt_arena_free(&arena);
    }
    return 0;
}
