// Times, offsets and bytes written as text: what is read and written again says the same.
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/base/time.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void take_times(struct pt_bytes text, struct pt_buf *again) {
    struct pt_instant instant, second;
    int16_t offset, offset_again;
    if (pt_instant_parse(text, &instant, NULL) == PT_OK) {
        pt_instant_append(again, &instant);
        if (pt_instant_parse(pt_buf_bytes(again), &second, NULL) != PT_OK) abort();
        if (second.seconds != instant.seconds || second.nanos != instant.nanos) abort();
        pt_buf_clear(again);
        pt_instant_append_utc_ms(again, &instant);
        pt_buf_clear(again);
    }
    if (pt_offset_parse(text, &offset, NULL) == PT_OK) {
        pt_offset_append(again, offset);
        if (pt_offset_parse(pt_buf_bytes(again), &offset_again, NULL) != PT_OK || offset_again != offset) abort();
        pt_buf_clear(again);
    }
}

typedef enum pt_code decoder(struct pt_bytes text, struct pt_buf *out, struct pt_error *err);
typedef void encoder(struct pt_buf *out, struct pt_bytes bytes);

// base64 has one text for each value; hex digits may be of either case.
static void take_encoding(decoder *decode, encoder *encode, bool one_form, struct pt_bytes text, struct pt_buf *again) {
    struct pt_buf bytes = PT_BUF_INIT(text.len + 1);
    if (decode(text, &bytes, NULL) == PT_OK) {
        encode(again, pt_buf_bytes(&bytes));
        if (again->len != text.len || (one_form && !pt_bytes_equal(pt_buf_bytes(again), text))) abort();
        pt_buf_clear(again);
    }
    pt_buf_free(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    const struct pt_bytes text = pt_bytes_of(data, len);
    struct pt_buf again = PT_BUF_INIT(2 * len + 64);
    take_times(text, &again);
    take_encoding(pt_hex_decode, pt_hex_append, false, text, &again);
    take_encoding(pt_base64_decode, pt_base64_append, true, text, &again);
    take_encoding(pt_base64url_decode, pt_base64url_append, true, text, &again);
    pt_buf_free(&again);
    return 0;
}
