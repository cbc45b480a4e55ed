// A Data Matrix symbol's place on a picture: where each of its modules lies.
#ifndef PACKTRAIL_FIRMWARE_SCAN_DM_GRID_H
#define PACKTRAIL_FIRMWARE_SCAN_DM_GRID_H

#include "firmware/scan/grid.h"

// How many parameters a grid has: eight of its corners, four sides' bows, two stretches, two roundings.
#define DM_GRID_PARAMETERS 16u

// What the search may assume about a symbol.
struct dm_shape {
    uint8_t rows, cols;  // as seen, the L at left and below
    uint8_t region_rows, region_cols;
    const struct scan_dm_size *size;      // NULL where only a mirrored symbol has this shape
    const struct scan_dm_size *mirrored;  // its size when it is mirrored
};

// All sizes, and the rectangular ones both ways round.
#define DM_SHAPES_MAX 96u
size_t dm_shapes(struct dm_shape out[DM_SHAPES_MAX]);

// corner: top left, top right, bottom right, bottom left, the outer edges of the symbol. bow: how far the middle of the
// top, right, bottom, left side lies outside the straight one; stretch: how far the middle lies to the right and below,
// in widths or heights of the symbol; round: below 0 modules are narrower at both ends than in the middle, across and
// down, as on a bottle.
struct dm_grid {
    struct scan_point corner[4];
    double bow[4];
    double stretch[2];
    double round[2];
    struct scan_projection projection;  // of the corners
};

// Must follow each change of corners. False when they are no quadrilateral that a camera could see.
bool dm_grid_prepare(struct dm_grid *grid);

// The picture point at a share of the symbol's width and height, from its top left.
static inline struct scan_point dm_grid_point(const struct dm_grid *grid, double u, double v) {
    double across = u * (1 - u), down = v * (1 - v);
    double x = u + down * 4 * (grid->bow[1] * u - grid->bow[3] * (1 - u)) + across * (4 * grid->stretch[0] + grid->round[0] * (1 - 2 * u));
    double y = v + across * 4 * (grid->bow[2] * v - grid->bow[0] * (1 - v)) + down * (4 * grid->stretch[1] + grid->round[1] * (1 - 2 * v));
    return scan_project(&grid->projection, x, y);
}

// Whether the grid has no bow, stretch or rounding.
bool dm_grid_is_straight(const struct dm_grid *grid);

// The parameters in a row: x and y of the corners, then bows, stretches and roundings.
double *dm_grid_parameter(struct dm_grid *grid, unsigned index);

#endif
