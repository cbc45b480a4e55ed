#include "firmware/scan/dm_grid.h"

#include <math.h>

size_t dm_shapes(struct dm_shape out[DM_SHAPES_MAX]) {
    size_t count = 0;
    for (size_t i = 0; i < scan_dm_size_count && count + 2 <= DM_SHAPES_MAX; i++) {
        const struct scan_dm_size *s = &scan_dm_sizes[i];
        bool square = s->rows == s->cols;
        out[count++] = (struct dm_shape){s->rows, s->cols, s->region_rows, s->region_cols, s, square ? s : NULL};
        if (!square) out[count++] = (struct dm_shape){s->cols, s->rows, s->region_cols, s->region_rows, NULL, s};
    }
    return count;
}

static double turn(struct scan_point a, struct scan_point b, struct scan_point c) {
    return (b.x - a.x) * (c.y - b.y) - (b.y - a.y) * (c.x - b.x);
}

bool dm_grid_prepare(struct dm_grid *grid) {
    for (int i = 0; i < 4; i++)
        if (!(turn(grid->corner[i], grid->corner[(i + 1) % 4], grid->corner[(i + 2) % 4]) > 1)) return false;
    return scan_projection_of(grid->corner, &grid->projection);
}

bool dm_grid_is_straight(const struct dm_grid *grid) {
    for (int i = 0; i < 2; i++)
        if (grid->bow[i] != 0 || grid->bow[i + 2] != 0 || grid->stretch[i] != 0 || grid->round[i] != 0) return false;
    return true;
}

double *dm_grid_parameter(struct dm_grid *grid, unsigned index) {
    if (index < 8) return index % 2 == 0 ? &grid->corner[index / 2].x : &grid->corner[index / 2].y;
    if (index < 12) return &grid->bow[index - 8];
    return index < 14 ? &grid->stretch[index - 12] : &grid->round[index - 14];
}
