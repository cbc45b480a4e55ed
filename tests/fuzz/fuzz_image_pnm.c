#include <stdlib.h>

#include "firmware/scan/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

// What is accepted must be written and read again as the same picture.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct scan_frame frame, again;
    size_t used = 0;
    if (scan_image_read_pnm(pt_bytes_of(data, len), &frame, &used, NULL) != PT_OK) {
        if (frame.pixels) abort();
        return 0;
    }
    if (used > len) abort();
    struct pt_buf out = PT_BUF_INIT((size_t)80 * 1024 * 1024);
    scan_image_write_pgm(&frame, &out);
    if (scan_image_read_pnm(pt_buf_bytes(&out), &again, NULL, NULL) != PT_OK) abort();
    if (again.width != frame.width || again.height != frame.height) abort();
    for (size_t i = 0; i < (size_t)frame.width * frame.height; i++)
        if (frame.pixels[i] != again.pixels[i]) abort();
    pt_buf_free(&out);
    scan_frame_free(&frame);
    scan_frame_free(&again);
    return 0;
}
