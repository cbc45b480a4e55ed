// One picture to be read: 8-bit grey, top row first.
#ifndef PACKTRAIL_FIRMWARE_SCAN_FRAME_H
#define PACKTRAIL_FIRMWARE_SCAN_FRAME_H

#include "common/base/bytes.h"

#define SCAN_FRAME_MAX_SIDE 32768u
#define SCAN_FRAME_MAX_PIXELS (64u * 1024u * 1024u)

// Owned: freed by scan_frame_free. Row y starts at pixels + y * stride; 0 is black, 255 white.
struct scan_frame {
    uint8_t *pixels;
    uint32_t width;
    uint32_t height;
    size_t stride;      // bytes from row to row, at least width
    uint64_t sequence;  // counts the frames of one source, from 1; 0 outside a source
    char name[256];     // where it came from: a path, or empty
};

// A white frame of this size, stride = width. PT_LIMIT above the ceilings, PT_INVALID for an empty one.
enum pt_code scan_frame_new(uint32_t width, uint32_t height, struct scan_frame *out, struct pt_error *err) PT_NODISCARD;
void scan_frame_free(struct scan_frame *frame);

static inline uint8_t *scan_frame_row(const struct scan_frame *frame, uint32_t y) {
    return frame->pixels + (size_t)y * frame->stride;
}

// Luma of an sRGB colour (Rec. 601 weights), 0 to 255.
static inline uint8_t scan_grey(unsigned red, unsigned green, unsigned blue) {
    return (uint8_t)((299u * red + 587u * green + 114u * blue + 500u) / 1000u);
}

// A grey value seen through `alpha` (0 clear, 255 opaque) on white paper.
static inline uint8_t scan_on_white(unsigned grey, unsigned alpha) {
    return (uint8_t)((grey * alpha + 255u * (255u - alpha) + 127u) / 255u);
}

#endif
