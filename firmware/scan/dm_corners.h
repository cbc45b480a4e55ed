// Where a dark area could have the L of a Data Matrix finder pattern.
#ifndef PACKTRAIL_FIRMWARE_SCAN_DM_CORNERS_H
#define PACKTRAIL_FIRMWARE_SCAN_DM_CORNERS_H

#include "firmware/scan/dm_components.h"
#include "firmware/scan/dm_work.h"

#define DM_CORNERS_MAX 10u

// The L's ends and its corner, outer edges, as they lie on a symbol that is not mirrored.
struct dm_corner {
    struct scan_point top_left, bottom_left, bottom_right;
    struct scan_point guess;         // the fourth corner by the hull's other sides
    bool has_guess;
    double dark;                     // share of the two outer edges that is dark just inside, 0 to 1
    double bow_left, bow_bottom;     // how far the edges bend inwards at their middle, in pixels; negative: outwards
    double bar_across, bar_upright;  // thickness of the bottom bar and of the left bar, in pixels
};

// Two long edges of the hull that follow each other and are dark just inside. At most DM_CORNERS_MAX, the best first;
// gives their number.
size_t dm_corners_of(const struct dm_depth_map *map, const struct dm_component *component, struct dm_work *work,
                     struct dm_corner out[DM_CORNERS_MAX]);

#endif
