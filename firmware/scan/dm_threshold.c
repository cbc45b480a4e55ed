#include "firmware/scan/dm_threshold.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"

#define LEAST_WINDOW 17u
#define BLOCKS_REACH 2u  // blocks on either side of a pixel's own

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

static int8_t clip(int depth) { return (int8_t)(depth > 127 ? 127 : depth < -127 ? -127 : depth); }

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
        out[x] = clip(depth);
    }
}

static enum pt_code no_memory(struct pt_error *err) {
    return pt_fail(err, PT_NO_MEMORY, NULL, "no memory to search a picture");
}

static enum pt_code against_mean(const struct scan_frame *frame, uint32_t window, int sign, struct dm_depth_map *out,
                                 struct pt_error *err) {
    uint32_t reach = window / 2, rows = 0;
    PT_FREE uint32_t *sums = calloc(frame->width, sizeof *sums);
    if (!sums) return no_memory(err);
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
        compare_row(scan_frame_row(frame, y), sums, frame->width, reach, rows, sign, out->depth + (size_t)y * frame->width);
    }
    return PT_OK;
}

// The picture in blocks, a few of which make a window.
struct blocks {
    uint32_t side, cols, rows;
    uint8_t *low, *high;  // of each block
    int16_t *middle;      // of the blocks around it
};

static void measure_blocks(const struct scan_frame *frame, struct blocks *b) {
    for (uint32_t y = 0; y < frame->height; y++) {
        const uint8_t *row = scan_frame_row(frame, y);
        for (uint32_t col = 0; col < b->cols; col++) {
            size_t at = (size_t)(y / b->side) * b->cols + col;
            uint32_t end = (col + 1) * b->side < frame->width ? (col + 1) * b->side : frame->width;
            uint8_t low = y % b->side ? b->low[at] : 255, high = y % b->side ? b->high[at] : 0;
            for (uint32_t x = col * b->side; x < end; x++) {
                if (row[x] < low) low = row[x];
                if (row[x] > high) high = row[x];
            }
            b->low[at] = low;
            b->high[at] = high;
        }
    }
}

// Where nothing but noise is around, all is light (or, inverted, all dark).
static void find_middles(const struct blocks *b, int least, int sign) {
    for (uint32_t row = 0; row < b->rows; row++)
        for (uint32_t col = 0; col < b->cols; col++) {
            int low = 255, high = 0;
            for (uint32_t r = row > BLOCKS_REACH ? row - BLOCKS_REACH : 0; r <= row + BLOCKS_REACH && r < b->rows; r++)
                for (uint32_t c = col > BLOCKS_REACH ? col - BLOCKS_REACH : 0; c <= col + BLOCKS_REACH && c < b->cols; c++) {
                    size_t at = (size_t)r * b->cols + c;
                    if (b->low[at] < low) low = b->low[at];
                    if (b->high[at] > high) high = b->high[at];
                }
            int middle = (low + high) / 2, flat = sign > 0 ? low - least : high + least;
            b->middle[(size_t)row * b->cols + col] = (int16_t)(high - low < 4 * least ? flat : middle);
        }
}

static enum pt_code against_middle(const struct scan_frame *frame, uint32_t window, int sign, struct dm_depth_map *out,
                                   struct pt_error *err) {
    struct blocks b = {.side = window / (2 * BLOCKS_REACH + 1)};
    b.cols = (frame->width + b.side - 1) / b.side;
    b.rows = (frame->height + b.side - 1) / b.side;
    size_t count = (size_t)b.cols * b.rows;
    PT_FREE uint8_t *extremes = malloc(2 * count);
    PT_FREE int16_t *middles = malloc(count * sizeof *middles);
    if (!extremes || !middles) return no_memory(err);
    b.low = extremes;
    b.high = extremes + count;
    b.middle = middles;
    measure_blocks(frame, &b);
    find_middles(&b, out->least, sign);
    for (uint32_t y = 0; y < frame->height; y++) {
        const uint8_t *row = scan_frame_row(frame, y);
        int8_t *depth = out->depth + (size_t)y * frame->width;
        const int16_t *middle = b.middle + (size_t)(y / b.side) * b.cols;
        for (uint32_t x = 0; x < frame->width; x++) depth[x] = clip(sign * (middle[x / b.side] - row[x]));
    }
    return PT_OK;
}

enum pt_code dm_depth_map_of(const struct scan_frame *frame, enum dm_level level, uint32_t window, bool invert,
                             struct dm_depth_map *out, struct pt_error *err) {
    *out = (struct dm_depth_map){.width = frame->width, .height = frame->height, .least = least_depth(frame)};
    out->depth = malloc((size_t)frame->width * frame->height);
    if (!out->depth) return no_memory(err);
    if (window < LEAST_WINDOW) window = LEAST_WINDOW;
    enum pt_code code = (level == DM_LEVEL_MEAN ? against_mean : against_middle)(frame, window, invert ? -1 : 1, out, err);
    if (code != PT_OK) dm_depth_map_free(out);
    return code;
}
