#include "firmware/scan/dm_threshold.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"

#define LEAST_WINDOW 17u

void dm_depth_map_free(struct dm_depth_map *map) {
    free(map->depth);
    *map = (struct dm_depth_map){0};
}

// Noise is taken as a share of the range that the picture's greys cover, without its extremes.
static int least_depth(const struct scan_frame *frame) {
    size_t histogram[256] = {0}, all = 0, below = 0;
    uint32_t step = frame->height > 256 ? frame->height / 128 : 1;
    for (uint32_t y = 0; y < frame->height; y += step) {
        const uint8_t *row = scan_frame_row(frame, y);
        for (uint32_t x = 0; x < frame->width; x++) histogram[row[x]]++;
        all += frame->width;
    }
    int low = 0, high = 255;
    for (; low < 255 && (below += histogram[low]) <= all / 50; low++) {}
    below = 0;
    for (; high > 0 && (below += histogram[high]) <= all / 50; high--) {}
    return high <= low ? 2 : 2 + (high - low) / 32;
}

static void add_row(uint32_t *sums, const struct scan_frame *frame, uint32_t y, bool plus) {
    const uint8_t *row = scan_frame_row(frame, y);
    if (plus)
        for (uint32_t x = 0; x < frame->width; x++) sums[x] += row[x];
    else
        for (uint32_t x = 0; x < frame->width; x++) sums[x] -= row[x];
}

// One row from the sums of the window's columns; sum slides along.
static void compare_row(const uint8_t *row, const uint32_t *sums, uint32_t width, uint32_t reach, uint32_t rows, int sign,
                        int8_t *out) {
    uint64_t sum = 0;
    uint32_t cols = 0, area = 0;
    float share = 0;
    for (uint32_t x = 0; x < reach && x < width; x++, cols++) sum += sums[x];
    for (uint32_t x = 0; x < width; x++) {
        if (x + reach < width) {
            sum += sums[x + reach];
            cols++;
        }
        if (x > reach) {
            sum -= sums[x - reach - 1];
            cols--;
        }
        if (cols * rows != area) {
            area = cols * rows;
            share = 1.0f / (float)area;
        }
        int depth = sign * ((int)((float)sum * share + 0.5f) - row[x]);
        out[x] = (int8_t)(depth > 127 ? 127 : depth < -127 ? -127 : depth);
    }
}

enum pt_code dm_depth_map_of(const struct scan_frame *frame, uint32_t window, bool invert, struct dm_depth_map *out,
                             struct pt_error *err) {
    *out = (struct dm_depth_map){.width = frame->width, .height = frame->height, .least = least_depth(frame)};
    uint32_t reach = (window < LEAST_WINDOW ? LEAST_WINDOW : window) / 2;
    PT_FREE uint32_t *sums = calloc(frame->width, sizeof *sums);
    out->depth = malloc((size_t)frame->width * frame->height);
    if (!sums || !out->depth) {
        dm_depth_map_free(out);
        return pt_fail(err, PT_NO_MEMORY, NULL, "no memory to search a picture");
    }
    uint32_t rows = 0;
    for (; rows < reach && rows < frame->height; rows++) add_row(sums, frame, rows, true);
    for (uint32_t y = 0; y < frame->height; y++) {
        if (y + reach < frame->height) {
            add_row(sums, frame, y + reach, true);
            rows++;
        }
        if (y > reach) {
            add_row(sums, frame, y - reach - 1, false);
            rows--;
        }
        compare_row(scan_frame_row(frame, y), sums, frame->width, reach, rows, invert ? -1 : 1,
                    out->depth + (size_t)y * frame->width);
    }
    return PT_OK;
}
