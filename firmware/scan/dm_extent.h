// How many modules a symbol has, and where its fourth corner lies, from its L alone.
#ifndef PACKTRAIL_FIRMWARE_SCAN_DM_EXTENT_H
#define PACKTRAIL_FIRMWARE_SCAN_DM_EXTENT_H

#include "firmware/scan/dm_corners.h"
#include "firmware/scan/dm_grid.h"
#include "firmware/scan/dm_work.h"

#define DM_EXTENTS_MAX 6u

struct dm_extent {
    struct dm_shape shape;
    struct dm_grid grid;   // prepared, bent as the L is
    double timing;         // share of the timing modules that are as they must be
    double score;          // the same in grey, -1 to 1
};

// The shapes whose timing patterns fit best, the best first; gives their number. `round`: whether modules may be
// narrower at the ends, as on a bottle.
size_t dm_extents_of(const struct dm_depth_map *map, const struct dm_corner *corner, bool round, struct dm_work *work,
                     struct dm_extent out[DM_EXTENTS_MAX]);

#endif
