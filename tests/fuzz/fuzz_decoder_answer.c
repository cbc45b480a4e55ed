#include <stdlib.h>

#include "firmware/decoder/decoder_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct scan_symbols symbols;
    enum pt_code ended;
    struct pt_buf again = PT_BUF_INIT(DECODER_ANSWER_MAX);
    if (decoder_answer_decode(pt_bytes_of(data, len), &ended, &symbols, NULL) != PT_OK) return 0;
    if (decoder_answer_encode(ended, &symbols, &again, NULL) != PT_OK || again.len != len) abort();
    scan_symbols_free(&symbols);
    pt_buf_free(&again);
    return 0;
}
