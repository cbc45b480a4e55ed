#include "firmware/screen/qr_code.h"

#include <errno.h>
#include <qrencode.h>
#include <string.h>

enum { QUIET_ZONE = 4, LARGEST_SYMBOL = 2331 };  // bytes in version 40 at level M

enum pt_code qr_code_make(struct pt_bytes bytes, struct qr_code *out, struct pt_error *err) {
    *out = (struct qr_code){0};
    if (bytes.len == 0) return pt_fail(err, PT_INVALID, "qr", "nothing to show");
    if (bytes.len > LARGEST_SYMBOL) return pt_fail(err, PT_LIMIT, "qr", "more than one symbol holds");
    QRcode *code = QRcode_encodeData((int)bytes.len, bytes.data, 0, QR_ECLEVEL_M);
    if (!code) return errno == ERANGE ? pt_fail(err, PT_LIMIT, "qr", "more than one symbol holds") : pt_fail_errno(err, "qr", "cannot make the symbol");
    out->side = (unsigned)code->width;
    for (size_t i = 0; i < (size_t)out->side * out->side; i++) out->dark[i] = code->data[i] & 1;
    QRcode_free(code);
    return PT_OK;
}

static bool is_dark(const struct qr_code *code, int x, int y) {
    const int side = (int)code->side;
    return x >= 0 && y >= 0 && x < side && y < side && code->dark[y * side + x];
}

void qr_code_text(const struct qr_code *code, struct pt_buf *out) {
    // The light modules are what is printed, so that the symbol is right on a dark terminal; whoever has a light one sees it
    // inverted, which readers take, too.
    static const char *const cells[] = {"\u2588", "\u2584", "\u2580", " "};
    const int side = (int)code->side;
    for (int y = -QUIET_ZONE; y < side + QUIET_ZONE; y += 2) {
        for (int x = -QUIET_ZONE; x < side + QUIET_ZONE; x++) {
            const int upper = is_dark(code, x, y), lower = is_dark(code, x, y + 1);
            const char *cell = cells[upper + 2 * lower];
            pt_buf_append(out, cell, strlen(cell));
        }
        pt_buf_append(out, "\n", 1);
    }
}
