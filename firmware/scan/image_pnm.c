#include "firmware/scan/image.h"

static bool is_space(uint8_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// Skips whitespace and comments, then reads a decimal number of at most 65535.
static enum pt_code read_number(struct pt_bytes file, size_t *at, uint32_t *out, struct pt_error *err) {
    size_t i = *at;
    while (i < file.len && (is_space(file.data[i]) || file.data[i] == '#')) {
        if (file.data[i] == '#')
            while (i < file.len && file.data[i] != '\n' && file.data[i] != '\r') i++;
        else
            i++;
    }
    size_t first = i;
    uint32_t value = 0;
    for (; i < file.len && file.data[i] >= '0' && file.data[i] <= '9'; i++) {
        value = value * 10 + (uint32_t)(file.data[i] - '0');
        if (value > 65535) return pt_fail_at(err, PT_LIMIT, (long)first, NULL, "a number in the header is above 65535");
    }
    if (i == file.len) return pt_fail_at(err, PT_NOT_FOUND, (long)i, NULL, "the picture's header is cut off");
    if (i == first) return pt_fail_at(err, PT_INVALID, (long)i, NULL, "the picture's header has no number here");
    *at = i;
    *out = value;
    return PT_OK;
}

enum pt_code scan_pnm_header_read(struct pt_bytes file, struct scan_pnm_header *out, struct pt_error *err) {
    *out = (struct scan_pnm_header){0};
    if (file.len < 2) return pt_fail_at(err, PT_NOT_FOUND, 0, NULL, "the picture's header is cut off");
    if (file.data[0] != 'P' || (file.data[1] != '5' && file.data[1] != '6'))
        return pt_fail_at(err, PT_INVALID, 0, NULL, "not a PGM (P5) or PPM (P6) picture");
    out->channels = file.data[1] == '6' ? 3 : 1;
    size_t at = 2;
    enum pt_code code = read_number(file, &at, &out->width, err);
    if (code == PT_OK) code = read_number(file, &at, &out->height, err);
    if (code == PT_OK) code = read_number(file, &at, &out->maxval, err);
    if (code != PT_OK) return code;
    if (!is_space(file.data[at])) return pt_fail_at(err, PT_INVALID, (long)at, NULL, "no whitespace behind maxval");
    if (out->maxval == 0) return pt_fail_at(err, PT_INVALID, (long)at, NULL, "maxval is zero");
    if (out->width == 0 || out->height == 0) return pt_fail_at(err, PT_INVALID, 2, NULL, "the picture is empty");
    if (out->width > SCAN_FRAME_MAX_SIDE || out->height > SCAN_FRAME_MAX_SIDE ||
        (uint64_t)out->width * out->height > SCAN_FRAME_MAX_PIXELS)
        return pt_fail(err, PT_LIMIT, NULL, "the picture has %u x %u pixels, more than is read", out->width, out->height);
    out->header_len = at + 1;
    out->pixel_len = (size_t)out->width * out->height * out->channels * (out->maxval > 255 ? 2 : 1);
    return PT_OK;
}

// One sample scaled to 0..255; samples above maxval are clamped, as the format leaves them undefined.
static unsigned sample(const uint8_t **at, uint32_t maxval) {
    uint32_t value = *(*at)++;
    if (maxval > 255) value = value << 8 | *(*at)++;
    if (value > maxval) value = maxval;
    return maxval == 255 ? value : (value * 255u + maxval / 2) / maxval;
}

enum pt_code scan_image_read_pnm(struct pt_bytes file, struct scan_frame *out, size_t *used, struct pt_error *err) {
    *out = (struct scan_frame){0};
    struct scan_pnm_header header;
    enum pt_code code = scan_pnm_header_read(file, &header, err);
    if (code == PT_NOT_FOUND) return pt_fail(err, PT_INVALID, NULL, "the picture's header is cut off");
    if (code != PT_OK) return code;
    if (file.len - header.header_len < header.pixel_len)
        return pt_fail_at(err, PT_INVALID, (long)file.len, NULL, "the picture is cut off");
    code = scan_frame_new(header.width, header.height, out, err);
    if (code != PT_OK) return code;
    const uint8_t *at = file.data + header.header_len;
    for (uint32_t y = 0; y < header.height; y++) {
        uint8_t *row = scan_frame_row(out, y);
        for (uint32_t x = 0; x < header.width; x++) {
            unsigned first = sample(&at, header.maxval);
            if (header.channels == 1) {
                row[x] = (uint8_t)first;
                continue;
            }
            unsigned green = sample(&at, header.maxval);
            unsigned blue = sample(&at, header.maxval);
            row[x] = scan_grey(first, green, blue);
        }
    }
    if (used) *used = header.header_len + header.pixel_len;
    return PT_OK;
}

void scan_image_write_pgm(const struct scan_frame *frame, struct pt_buf *out) {
    pt_buf_printf(out, "P5\n%u %u\n255\n", frame->width, frame->height);
    for (uint32_t y = 0; y < frame->height; y++) pt_buf_append(out, scan_frame_row(frame, y), frame->width);
}
