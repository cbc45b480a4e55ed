#include <stdlib.h>

#include "common/epcis/event_hash.h"
#include "common/epcis_xml/epcis_xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const size_t MOST = (size_t)16 * 1024 * 1024;

// What was written as XML and read again says the same.
static void check_written(const struct epcis_document *document) {
    struct pt_buf xml = PT_BUF_INIT(MOST), json = PT_BUF_INIT(MOST);
    struct pt_arena arena = {.ceiling = MOST};
    struct epcis_document again;
    struct pt_error err;
    if (epcis_xml_encode(document, &xml, &err) == PT_OK) {
        const enum pt_code code = epcis_xml_decode(pt_buf_bytes(&xml), MOST, EPCIS_FOR_HASH, &arena, &json, &again, &err);
        if (code == PT_OK && again.event_count != document->event_count) abort();
    }
    pt_buf_free(&xml);
    pt_buf_free(&json);
    pt_arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct pt_buf json = PT_BUF_INIT(MOST);
    struct pt_arena arena = {.ceiling = MOST};
    struct epcis_document document;
    struct pt_error err = {0};
    if (epcis_xml_decode(pt_bytes_of(data, len), MOST, EPCIS_FOR_CAPTURE, &arena, &json, &document, &err) == PT_OK) check_written(&document);
    else if (!err.what[0]) abort();
    pt_buf_free(&json);
    pt_arena_free(&arena);
    return 0;
}
