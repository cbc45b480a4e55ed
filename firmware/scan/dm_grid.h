// A Data Matrix symbol's place on a picture: where each of its modules lies.
#ifndef PACKTRAIL_FIRMWARE_SCAN_DM_GRID_H
#define PACKTRAIL_FIRMWARE_SCAN_DM_GRID_H

#include "firmware/scan/grid.h"

// How many parameters a grid has: eight of its corners, four sides' bows, two stretches.
#define DM_GRID_PARAMETERS 14u

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

// corners: top left, top right, bottom right, bottom left, the outer edges of the symbol. bow: how far the middle of the
// top, right, bottom, left side lies outside the straight one, and stretch: how far the middle lies to the right
// and below, in widths or heights of the symbol.
struct dm_grid {
    struct scan_point corner[4];
    double bow[4];
    double stretch[2];
    struct scan_projection projection;  // of the corners
};

// Must follow each change of corners. False when they are no quadrilateral that a camera could see.
bool dm_grid_prepare(struct dm_grid *grid);

// The picture point at a share of the symbol's width and height, from its top left.
static inline struct scan_point dm_grid_point(const struct dm_grid *grid, double u, double v) {
    double across = u * (1 - u) * 4, down = v * (1 - v) * 4;
    double x = u + down * (grid->bow[1] * u - grid->bow[3] * (1 - u)) + grid->stretch[0] * across;
    double y = v + across * (grid->bow[2] * v - grid->bow[0] * (1 - v)) + grid->stretch[1] * down;
    return scan_project(&grid->projection, x, y);
}

// The parameters in a row: x and y of the corners, then bows, then stretches.
double *dm_grid_parameter(struct dm_grid *grid, unsigned index);

#endif
