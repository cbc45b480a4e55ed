// EPC URNs, tag URIs and tag memory: what is read is written again as it was.
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/identify/epc_binary.h"
#include "common/identify/epc_urn.h"

static void check_memory(struct pt_bytes memory) {
    struct epc_tag tag;
    struct pt_error err = {.position = -1};
    if (epc_binary_decode(memory, &tag, &err) != PT_OK) {
        if (err.position > (long)memory.len) abort();
        return;
    }
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = PT_BUF_INIT(EPC_BINARY_MAX);
    PT_CLEANUP(pt_buf_free) struct pt_buf uri = PT_BUF_INIT(300);
    if (epc_binary_encode(&tag, &bytes, NULL) != PT_OK || memcmp(bytes.data, memory.data, memory.len) != 0) abort();
    struct epc_tag again;
    if (epc_tag_uri_append(&tag, &uri, NULL) != PT_OK) abort();
    if (epc_tag_uri_parse(pt_buf_bytes(&uri), &again, NULL) != PT_OK || again.filter != tag.filter) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const struct pt_bytes input = pt_bytes_of(data, size);
    check_memory(input);
    struct epc_tag tag;
    (void)!epc_tag_uri_parse(input, &tag, NULL);
    struct gs1_elements elements;
    struct gs1_elements again;
    unsigned prefix_length;
    struct pt_error err = {.position = -1};
    if (epc_urn_parse(input, GS1_CONTENT, &elements, NULL, &prefix_length, &err) != PT_OK) {
        if (err.position > (long)size) abort();
        return 0;
    }
    PT_CLEANUP(pt_buf_free) struct pt_buf urn = PT_BUF_INIT(400);
    if (epc_urn_compose(&elements, prefix_length, &urn, NULL) != PT_OK) abort();
    if (epc_urn_parse(pt_buf_bytes(&urn), GS1_CONTENT, &again, NULL, NULL, NULL) != PT_OK ||
        again.count != elements.count)
        abort();
    for (size_t i = 0; i < again.count; i++)
        if (strcmp(again.items[i].value, elements.items[i].value) != 0) abort();
    return 0;
}
