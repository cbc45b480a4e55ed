// What terminal and decoder process say to each other: a fixed question, and an answer of bounded size. Both are the same
// program on the same machine, so numbers are as the machine has them; the answer is distrusted all the same.
#ifndef PACKTRAIL_FIRMWARE_DECODER_DECODER_WIRE_H
#define PACKTRAIL_FIRMWARE_DECODER_DECODER_WIRE_H

#include "firmware/scan/frame.h"
#include "firmware/scan/symbol.h"

#define DECODER_ANSWER_MAX ((size_t)4 * 1024 * 1024)

// The pixels lie in the shared memory, row after row without gaps.
struct decoder_question {
    uint32_t width, height;
};

// An answer's length goes first, as a uint32_t.
enum pt_code decoder_answer_encode(enum pt_code code, const struct scan_symbols *symbols, struct pt_buf *out,
                                   struct pt_error *err) PT_NODISCARD;
// *code: how the reading ended. PT_INVALID for anything that the encoder would not write. The caller frees *out.
enum pt_code decoder_answer_decode(struct pt_bytes answer, enum pt_code *code, struct scan_symbols *out,
                                   struct pt_error *err) PT_NODISCARD;

#endif
