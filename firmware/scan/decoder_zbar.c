#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <zbar.h>

#include "firmware/scan/checkdigit.h"
#include "firmware/scan/decoder.h"

// Everything else stays off: with all symbologies enabled ZBar invents short interleaved 2 of 5, EAN-2 and
// composite results on ordinary pictures.
static const zbar_symbol_type_t wanted[] = {ZBAR_CODE128, ZBAR_EAN13, ZBAR_EAN8,   ZBAR_UPCA,        ZBAR_UPCE,
                                            ZBAR_I25,     ZBAR_QRCODE, ZBAR_DATABAR, ZBAR_DATABAR_EXP};

// A linear code read on one or two lines only, by a symbology whose own check is weak, is as likely invented.
#define WEAK_CHECK_LINES 3
#define ITF_LINES 4

struct zbar_ctx {
    zbar_image_scanner_t *scanner;
};

static struct pt_bytes symbol_data(const zbar_symbol_t *symbol) {
    return pt_bytes_of(zbar_symbol_get_data(symbol), zbar_symbol_get_data_length(symbol));
}

// QR gives its four corners; a linear code gives points on the lines that read it, so the box is their rectangle.
static void set_box(const zbar_symbol_t *symbol, struct scan_point box[4]) {
    unsigned count = zbar_symbol_get_loc_size(symbol);
    int low_x = INT_MAX, low_y = INT_MAX, high_x = 0, high_y = 0;
    for (unsigned i = 0; i < count; i++) {
        int x = zbar_symbol_get_loc_x(symbol, i), y = zbar_symbol_get_loc_y(symbol, i);
        if (count == 4 && zbar_symbol_get_type(symbol) == ZBAR_QRCODE)
            box[(4 - i) % 4] = (struct scan_point){x, y};  // ZBar goes anticlockwise
        if (x < low_x) low_x = x;
        if (x > high_x) high_x = x;
        if (y < low_y) low_y = y;
        if (y > high_y) high_y = y;
    }
    if (count == 0 || (count == 4 && zbar_symbol_get_type(symbol) == ZBAR_QRCODE)) return;
    box[0] = (struct scan_point){low_x, low_y};
    box[1] = (struct scan_point){high_x, low_y};
    box[2] = (struct scan_point){high_x, high_y};
    box[3] = (struct scan_point){low_x, high_y};
}

struct verdict {
    enum scan_symbology symbology;
    const char *aim;
    bool good;
};

// Names the symbology and refuses what its own check does not carry.
static struct verdict judge(const zbar_symbol_t *symbol) {
    unsigned modifiers = zbar_symbol_get_modifiers(symbol);
    bool gs1 = modifiers >> ZBAR_MOD_GS1 & 1, industry = modifiers >> ZBAR_MOD_AIM & 1;
    struct pt_bytes data = symbol_data(symbol);
    int lines = zbar_symbol_get_quality(symbol);
    switch (zbar_symbol_get_type(symbol)) {
        case ZBAR_CODE128: return (struct verdict){SCAN_CODE_128, gs1 ? "]C1" : industry ? "]C2" : "]C0", data.len > 0};
        case ZBAR_EAN13: return (struct verdict){SCAN_EAN_13, "]E0", data.len == 13 && scan_check_digit_good(data)};
        case ZBAR_EAN8:
            return (struct verdict){SCAN_EAN_8, "]E4", data.len == 8 && scan_check_digit_good(data) && lines >= WEAK_CHECK_LINES};
        case ZBAR_UPCA: return (struct verdict){SCAN_UPC_A, "]E0", data.len == 12 && scan_check_digit_good(data)};
        case ZBAR_UPCE: return (struct verdict){SCAN_UPC_E, "]E0", lines >= WEAK_CHECK_LINES};
        case ZBAR_I25:
            return (struct verdict){SCAN_ITF_14, "]I1", data.len == 14 && scan_check_digit_good(data) && lines >= ITF_LINES};
        case ZBAR_DATABAR: return (struct verdict){SCAN_DATABAR, "]e0", data.len == 16};
        case ZBAR_DATABAR_EXP: return (struct verdict){SCAN_DATABAR_EXPANDED, "]e0", data.len > 0};
        case ZBAR_QRCODE: return (struct verdict){SCAN_QR, gs1 ? "]Q3" : industry ? "]Q5" : "]Q1", data.len > 0};
        default: return (struct verdict){.good = false};
    }
}

static enum pt_code add(const zbar_symbol_t *symbol, struct scan_symbols *out, struct pt_error *err) {
    struct verdict verdict = judge(symbol);
    char expanded[13] = "";
    struct pt_bytes data = symbol_data(symbol);
    if (!verdict.good) return PT_OK;
    if (verdict.symbology == SCAN_UPC_E) {
        if (!scan_upce_expand(data, expanded)) return PT_OK;
        data = pt_bytes_str(expanded);
    }
    struct scan_symbol *found;
    enum pt_code code = scan_symbols_add(out, verdict.symbology, verdict.aim, &found, err);
    if (code != PT_OK) return code;
    if (verdict.symbology == SCAN_UPC_A || verdict.symbology == SCAN_UPC_E) pt_buf_byte(&found->bytes, '0');
    pt_buf_append_bytes(&found->bytes, data);
    scan_symbol_guess_text(found);
    set_box(symbol, found->box);
    found->support = zbar_symbol_get_quality(symbol);
    return pt_buf_check(&found->bytes, err);
}

// ZBar wants rows without gaps; only a frame with a stride of its own is copied.
static const uint8_t *packed(const struct scan_frame *frame, uint8_t **copy) {
    if (frame->stride == frame->width) return frame->pixels;
    *copy = malloc((size_t)frame->width * frame->height);
    for (uint32_t y = 0; *copy && y < frame->height; y++)
        memcpy(*copy + (size_t)y * frame->width, scan_frame_row(frame, y), frame->width);
    return *copy;
}

static enum pt_code decode(void *ctx, const struct scan_frame *frame, int64_t deadline, struct scan_symbols *out,
                           struct pt_error *err) {
    struct zbar_ctx *zbar = ctx;
    if (scan_clock_ms() >= deadline) return PT_OK;
    uint8_t *copy = NULL;
    const uint8_t *pixels = packed(frame, &copy);
    zbar_image_t *image = pixels ? zbar_image_create() : NULL;
    if (!image) {
        free(copy);
        return pt_fail(err, PT_NO_MEMORY, NULL, "no memory to scan a picture");
    }
    zbar_image_set_format(image, zbar_fourcc('Y', '8', '0', '0'));
    zbar_image_set_size(image, frame->width, frame->height);
    zbar_image_set_data(image, pixels, (unsigned long)frame->width * frame->height, NULL);
    enum pt_code code = PT_OK;
    if (zbar_scan_image(zbar->scanner, image) < 0) code = pt_fail(err, PT_INTERNAL, NULL, "ZBar failed on a picture");
    for (const zbar_symbol_t *s = zbar_image_first_symbol(image); s && code == PT_OK; s = zbar_symbol_next(s))
        code = add(s, out, err);
    zbar_image_destroy(image);
    free(copy);
    return code;
}

static void close_zbar(void *ctx) {
    struct zbar_ctx *zbar = ctx;
    zbar_image_scanner_destroy(zbar->scanner);
    free(zbar);
}

enum pt_code scan_decoder_zbar(struct scan_decoder *out, struct pt_error *err) {
    struct zbar_ctx *zbar = calloc(1, sizeof *zbar);
    if (zbar) zbar->scanner = zbar_image_scanner_create();
    if (!zbar || !zbar->scanner) {
        free(zbar);
        return pt_fail(err, PT_NO_MEMORY, NULL, "no memory for ZBar");
    }
    zbar_set_verbosity(0);
    zbar_image_scanner_set_config(zbar->scanner, ZBAR_NONE, ZBAR_CFG_ENABLE, 0);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        zbar_image_scanner_set_config(zbar->scanner, wanted[i], ZBAR_CFG_ENABLE, 1);
    zbar_image_scanner_set_config(zbar->scanner, ZBAR_I25, ZBAR_CFG_MIN_LEN, 14);
    zbar_image_scanner_set_config(zbar->scanner, ZBAR_I25, ZBAR_CFG_MAX_LEN, 14);
    // Bytes as they are in the symbol: ZBar's own guess between Shift JIS, Big5 and UTF-8 is often wrong.
    zbar_image_scanner_set_config(zbar->scanner, ZBAR_QRCODE, ZBAR_CFG_BINARY, 1);
    zbar_image_scanner_set_config(zbar->scanner, ZBAR_NONE, ZBAR_CFG_X_DENSITY, 1);
    zbar_image_scanner_set_config(zbar->scanner, ZBAR_NONE, ZBAR_CFG_Y_DENSITY, 1);
    *out = (struct scan_decoder){.name = "zbar", .decode = decode, .close = close_zbar, .ctx = zbar};
    return PT_OK;
}
