// QR codes to be shown (ISO/IEC 18004), by libqrencode.
#ifndef PACKTRAIL_FIRMWARE_SCREEN_QR_CODE_H
#define PACKTRAIL_FIRMWARE_SCREEN_QR_CODE_H

#include "common/base/bytes.h"

#define QR_CODE_SIDE_MAX 177u

struct qr_code {
    unsigned side;  // modules, without the quiet zone of four
    uint8_t dark[QR_CODE_SIDE_MAX * QR_CODE_SIDE_MAX];  // 1: dark; row after row
};

// Bytes as they are, error correction level M. PT_LIMIT: more than a symbol of the largest version holds.
enum pt_code qr_code_make(struct pt_bytes bytes, struct qr_code *out, struct pt_error *err) PT_NODISCARD;

// Appends the symbol as text for a terminal: two modules a character cell by half blocks, dark on light, with its quiet zone.
void qr_code_text(const struct qr_code *code, struct pt_buf *out);

#endif
