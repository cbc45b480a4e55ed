#include <stdlib.h>

#include "firmware/scan/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct scan_frame frame;
    enum pt_code code = scan_image_read_jpeg(pt_bytes_of(data, len), &frame, NULL);
    if ((code == PT_OK) != (frame.pixels != NULL)) abort();
    scan_frame_free(&frame);
    return 0;
}
