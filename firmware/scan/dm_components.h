// The connected dark areas of a picture, each by its convex hull.
#ifndef PACKTRAIL_FIRMWARE_SCAN_DM_COMPONENTS_H
#define PACKTRAIL_FIRMWARE_SCAN_DM_COMPONENTS_H

#include "firmware/scan/dm_threshold.h"

#define DM_COMPONENTS_MAX 400u
#define DM_HULL_MAX 64u

// hull: corners of its outermost pixels, counter-clockwise as seen on the picture. pixels: how many are dark.
struct dm_component {
    struct scan_point hull[DM_HULL_MAX];
    unsigned hull_count;
    size_t pixels;
    double area;  // of the hull
};

// Owned: freed by dm_components_free. Largest hull first.
struct dm_components {
    struct dm_component *items;
    size_t count;
};

// The areas (8-connected) that could hold a symbol: at least `least_side` pixels in both directions; of too many the
// largest. A picture that is all noise may give none. PT_NO_MEMORY.
enum pt_code dm_components_of(const struct dm_depth_map *map, uint32_t least_side, struct dm_components *out,
                              struct pt_error *err) PT_NODISCARD;
void dm_components_free(struct dm_components *list);

#endif
