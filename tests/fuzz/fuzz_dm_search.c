#include <stdlib.h>

#include "common/base/cleanup.h"
#include "firmware/scan/dm_search.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

// The first byte chooses how to search, the second the width; the rest is a small frame's pixels. What is found must have
// content and a box of numbers.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    if (len < 2 + 16 || len > 2 + 96 * 96) return 0;
    uint32_t width = data[1] % 128u + 1u, height = (uint32_t)((len - 2) / width);
    if (height == 0) return 0;
    PT_CLEANUP(scan_frame_free) struct scan_frame frame = {0};
    PT_CLEANUP(scan_symbols_free) struct scan_symbols found = {0};
    if (scan_frame_new(width, height, &frame, NULL) != PT_OK) return 0;
    for (size_t i = 0; i < (size_t)width * height; i++) frame.pixels[i] = data[2 + i];
    struct dm_search how = {.level = data[0] & 1 ? DM_LEVEL_MIDDLE : DM_LEVEL_MEAN, .window_share = data[0] & 2 ? 3 : 8,
                            .invert = data[0] & 4, .bows = data[0] & 8};
    struct dm_work work = {150000};
    if (dm_search_run(&frame, &frame, data[0] & 16 ? 0.5 : 1, &how, &work, &found, NULL) != PT_OK) abort();
    for (size_t i = 0; i < found.count; i++) {
        if (found.items[i].bytes.len == 0) abort();
        for (int k = 0; k < 4; k++)
            if (!(found.items[i].box[k].x > -1e6 && found.items[i].box[k].x < 1e6)) abort();
    }
    return 0;
}
