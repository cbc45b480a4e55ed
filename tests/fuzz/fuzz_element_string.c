// Whatever a scanner or keyboard delivers: identification, and element strings written and read again.
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/identify/gs1_element_string.h"
#include "common/identify/identification.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct cn_scheme scheme = {"acme", "AC", 4, 40, CN_SET_GB_1988, CN_CHECK_NONE};
    const struct identify_options options = {
        .year = 2026, .prefix_length = 7, .partial = size % 2, .schemes = &scheme, .scheme_count = 1};
    struct pt_error err;
    static struct identification found;
    const enum pt_code code = identify_bytes(pt_bytes_of(data, size), &options, &found, &err);
    PT_CLEANUP(pt_buf_free) struct pt_buf text = PT_BUF_INIT(65536);
    if (code == PT_OK) {
        if (found.scheme == IDENTIFY_NONE) abort();
        identification_json(&text, &found);
        if (pt_buf_check(&text, NULL) != PT_OK) abort();
    } else if (found.scheme != IDENTIFY_NONE || found.elements.count || err.position > (long)size) {
        abort();
    }
    struct gs1_elements elements;
    if (gs1_element_string_parse(pt_bytes_of(data, size), &elements, NULL, NULL) != PT_OK) return 0;
    pt_buf_clear(&text);
    gs1_element_string_append(&text, &elements);
    struct gs1_elements again;
    if (gs1_element_string_parse(pt_buf_bytes(&text), &again, NULL, NULL) != PT_OK || again.count != elements.count)
        abort();
    for (size_t i = 0; i < again.count; i++)
        if (strcmp(again.items[i].value, elements.items[i].value) != 0) abort();
    return 0;
}
