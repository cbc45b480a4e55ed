// URIs of any kind: parsed, composed and parsed again they say the same; a canonical form is its own canonical form.
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/identify/gs1_digital_link.h"
#include "common/identify/gs1_uri.h"
#include "common/identify/pack_id.h"

static void check_canonical(struct pt_bytes uri) {
    PT_CLEANUP(pt_buf_free) struct pt_buf once = PT_BUF_INIT(2000);
    PT_CLEANUP(pt_buf_free) struct pt_buf twice = PT_BUF_INIT(2000);
    if (gs1_uri_canonical(uri, &once, NULL) != PT_OK) return;
    if (gs1_uri_canonical(pt_buf_bytes(&once), &twice, NULL) != PT_OK) abort();
    if (!pt_bytes_equal(pt_buf_bytes(&once), pt_buf_bytes(&twice))) abort();
}

static void check_pack(struct pt_bytes uri) {
    struct pack_id id;
    struct pack_id again;
    struct pt_error err = {.position = -1};
    PT_CLEANUP(pt_buf_free) struct pt_buf out = PT_BUF_INIT(PACK_URI_MAX);
    PT_CLEANUP(pt_buf_free) struct pt_buf key = PT_BUF_INIT(PACK_KEY_MAX);
    if (pack_id_from_uri(uri, &id, &err) != PT_OK) {
        if (id.kind != PACK_NONE || err.position > (long)uri.len) abort();
        return;
    }
    if (pack_id_uri(&id, &out, NULL) != PT_OK || pack_id_key(&id, &key, NULL) != PT_OK) abort();
    if (pack_id_from_uri(pt_buf_bytes(&out), &again, NULL) != PT_OK || !pack_id_equal(&id, &again)) abort();
    if (pack_id_from_key(pt_buf_bytes(&key), &again, NULL) != PT_OK || !pack_id_equal(&id, &again)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const struct pt_bytes uri = pt_bytes_of(data, size);
    check_canonical(uri);
    check_pack(uri);
    struct pack_id id;
    (void)!pack_id_from_key(uri, &id, NULL);
    struct gs1_elements elements;
    struct gs1_elements again;
    struct identify_warnings warnings = {0};
    struct pt_error err = {.position = -1};
    if (gs1_digital_link_parse(uri, GS1_CONTENT, &elements, &warnings, &err) != PT_OK) {
        if (err.position > (long)size) abort();
        return 0;
    }
    PT_CLEANUP(pt_buf_free) struct pt_buf out = PT_BUF_INIT(40000);
    if (gs1_digital_link_compose(&elements, &out, NULL) != PT_OK) abort();
    if (gs1_digital_link_parse(pt_buf_bytes(&out), GS1_CONTENT, &again, NULL, NULL) != PT_OK) abort();
    for (size_t i = 0; i < elements.count; i++) {
        const struct gs1_element *first = gs1_elements_find(&elements, elements.items[i].code);
        const char *value = gs1_elements_value(&again, elements.items[i].code);
        if (first == &elements.items[i] && (!value || strcmp(value, first->value) != 0)) abort();
    }
    return 0;
}
