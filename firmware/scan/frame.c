#include "firmware/scan/frame.h"

#include <stdlib.h>
#include <string.h>

enum pt_code scan_frame_new(uint32_t width, uint32_t height, struct scan_frame *out, struct pt_error *err) {
    *out = (struct scan_frame){0};
    if (width == 0 || height == 0) return pt_fail(err, PT_INVALID, NULL, "the picture is empty");
    if (width > SCAN_FRAME_MAX_SIDE || height > SCAN_FRAME_MAX_SIDE ||
        (uint64_t)width * height > SCAN_FRAME_MAX_PIXELS)
        return pt_fail(err, PT_LIMIT, NULL, "the picture has %u x %u pixels, more than is read", width, height);
    size_t size = (size_t)width * height;
    uint8_t *pixels = malloc(size);
    if (!pixels) return pt_fail(err, PT_NO_MEMORY, NULL, "no memory for a picture of %u x %u", width, height);
    memset(pixels, 255, size);
    *out = (struct scan_frame){.pixels = pixels, .width = width, .height = height, .stride = width};
    return PT_OK;
}

void scan_frame_free(struct scan_frame *frame) {
    free(frame->pixels);
    *frame = (struct scan_frame){0};
}
