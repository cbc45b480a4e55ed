// Moves a symbol's grid to where its finder pattern lies best.
#ifndef PACKTRAIL_FIRMWARE_SCAN_DM_FIT_H
#define PACKTRAIL_FIRMWARE_SCAN_DM_FIT_H

#include "firmware/scan/dm_grid.h"
#include "firmware/scan/dm_threshold.h"
#include "firmware/scan/dm_work.h"

// How well the grid lies, in grey, over L, timing patterns, inner bars and quiet zone: 1 is perfect, 0 chance.
double dm_fit_score(const struct dm_depth_map *map, const struct dm_shape *shape, const struct dm_grid *grid);

// Share of the finder's modules, inner bars included, that are on the right side of the local threshold.
double dm_fit_match(const struct dm_depth_map *map, const struct dm_shape *shape, const struct dm_grid *grid);

enum dm_fit_freedom {
    DM_FIT_CORNERS,  // a flat label, seen in perspective
    DM_FIT_BOWS,     // sides may bend and lines move apart: a round bottle, a folded sheet
};

// Descends from *grid, which stays prepared; gives the new score. `reach` is the first step, in modules.
double dm_fit_improve(const struct dm_depth_map *map, const struct dm_shape *shape, enum dm_fit_freedom freedom, double reach,
                      struct dm_work *work, struct dm_grid *grid);

#endif
