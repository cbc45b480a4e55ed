// The trace platform's document: what is read can be written, and reads the same again.
#include <stdlib.h>

#include "gateway/settlement/trace_xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    json_t *read = NULL, *again = NULL;
    struct pt_error err;
    if (trace_xml_read(pt_bytes_of(data, size), &read, &err) != PT_OK) return 0;
    struct pt_buf text = PT_BUF_INIT(TRACE_XML_MAX);
    if (trace_xml_write(json_object_get(read, "document"), json_object_get(read, "event"), json_object_get(read, "data"), &text, &err) == PT_OK) {
        if (trace_xml_read(pt_buf_bytes(&text), &again, &err) != PT_OK || !json_equal(read, again)) abort();
    }
    json_decref(read);
    json_decref(again);
    pt_buf_free(&text);
    return 0;
}
