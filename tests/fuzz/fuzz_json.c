#include <stdlib.h>

#include "common/base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

// What is accepted must be written and read again as the same value.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct pt_error err;
    PT_JSON json_t *value = NULL;
    struct pt_buf out = PT_BUF_INIT((size_t)64 * 1024 * 1024);
    pt_json_append_string(&out, pt_bytes_of(data, len));
    PT_JSON json_t *text = NULL;
    if (pt_json_parse(pt_buf_bytes(&out), out.len, &text, &err) != PT_OK && err.code != PT_INVALID) abort();
    pt_buf_clear(&out);
    if (pt_json_parse(pt_bytes_of(data, len), len, &value, &err) == PT_OK) {
        PT_JSON json_t *again = NULL;
        if (pt_json_append(&out, value, &err) != PT_OK) abort();
        if (pt_json_parse(pt_buf_bytes(&out), out.len, &again, &err) != PT_OK) abort();
        if (!json_equal(value, again)) abort();
    }
    pt_buf_free(&out);
    return 0;
}
