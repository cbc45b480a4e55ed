// How much darker or lighter each pixel of a picture is than its surroundings.
#ifndef PACKTRAIL_FIRMWARE_SCAN_DM_THRESHOLD_H
#define PACKTRAIL_FIRMWARE_SCAN_DM_THRESHOLD_H

#include "firmware/scan/frame.h"
#include "firmware/scan/symbol.h"

// Owned: freed by dm_depth_map_free. Positive values are dark. Points have pixel (0, 0) between 0 and 1 on both axes.
struct dm_depth_map {
    int8_t *depth;  // row after row, without gaps
    uint32_t width;
    uint32_t height;
    int least;      // a pixel is dark above this; what is nearer to its surroundings is noise
};

// What a pixel is compared with.
enum dm_level {
    DM_LEVEL_MEAN,    // the mean of a square of about `window` pixels around it
    DM_LEVEL_MIDDLE,  // the middle between the darkest and the lightest there: paper stays light before lighter ground
};

// Squares are cut off at the frame's edges. `invert` takes light for dark. PT_NO_MEMORY.
enum pt_code dm_depth_map_of(const struct scan_frame *frame, enum dm_level level, uint32_t window, bool invert,
                             struct dm_depth_map *out, struct pt_error *err) PT_NODISCARD;
void dm_depth_map_free(struct dm_depth_map *map);

// What lies outside the picture counts as paper.
#define DM_DEPTH_OUTSIDE (-24)

// The depth of the pixel that holds the point.
static inline int dm_depth_near(const struct dm_depth_map *map, double x, double y) {
    if (!(x >= 0 && y >= 0 && x < map->width && y < map->height)) return DM_DEPTH_OUTSIDE;
    return map->depth[(size_t)y * map->width + (size_t)x];
}

// The depth at a point, between pixel centres.
static inline double dm_depth_at(const struct dm_depth_map *map, double x, double y) {
    x -= 0.5;
    y -= 0.5;
    if (!(x >= 0 && y >= 0 && x < map->width - 1.0 && y < map->height - 1.0)) return dm_depth_near(map, x + 0.5, y + 0.5);
    int32_t x0 = (int32_t)x, y0 = (int32_t)y;
    double fx = x - x0, fy = y - y0;
    const int8_t *a = map->depth + (size_t)y0 * map->width + (size_t)x0, *b = a + map->width;
    double above = a[0] + (a[1] - a[0]) * fx, below = b[0] + (b[1] - b[0]) * fx;
    return above + (below - above) * fy;
}

#endif
