#include <stdlib.h>
#include <string.h>

#include "firmware/scan/ndef.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

// The same bytes as a message, as tag memory and as a container; a URI that is read must survive being written.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct pt_buf uri = PT_BUF_INIT(NDEF_MAX_URI), message = PT_BUF_INIT(NDEF_MAX_MESSAGE), again = PT_BUF_INIT(NDEF_MAX_URI);
    struct ndef_type4 container;
    bool more = false;
    if (ndef_uri(pt_bytes_of(data, len), &uri, NULL) == PT_OK && uri.len < NDEF_MAX_URI) {
        if (ndef_uri_message(pt_buf_bytes(&uri), &message, NULL) != PT_OK) abort();
        if (ndef_uri(pt_buf_bytes(&message), &again, NULL) != PT_OK) abort();
        if (!pt_bytes_equal(pt_buf_bytes(&uri), pt_buf_bytes(&again))) abort();
    }
    if (ndef_type2_message(pt_bytes_of(data, len), &message, &more, NULL) == PT_OK && (more || message.len == 0)) abort();
    if (ndef_type4_container(pt_bytes_of(data, len), &container, NULL) == PT_OK && container.read_len < 15) abort();
    pt_buf_free(&uri);
    pt_buf_free(&message);
    pt_buf_free(&again);
    return 0;
}
