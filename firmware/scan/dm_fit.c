#include "firmware/scan/dm_fit.h"

#include <math.h>

#define QUIET_WEIGHT 0.4
#define BARS_WEIGHT 0.7
#define LEAST_STEP 0.06   // modules
#define SWEEPS 3          // at each step size

struct eye {
    const struct dm_depth_map *map;
    const struct dm_grid *grid;
    double spread;      // in modules: how far from a module's middle it is looked at; 0 looks once
    double du, dv;      // a module's share of the symbol
    double cap;
    double sum, weight;
    unsigned right, seen;
    double contrast;
    bool straight;
};

// The module whose middle is at (col, row), counted in modules from the top left. A large one is looked at in two places,
// across it or down it, so that the grid comes to lie in the modules' middles.
static void look(struct eye *eye, double col, double row, bool dark, double weight) {
    double depth = 0, way = ((int)(col + row) & 1) ? eye->spread : -eye->spread;
    unsigned times = eye->spread > 0 ? 2 : 1;
    for (unsigned i = 0; i < times; i++) {
        double side = i == 0 ? eye->spread : -eye->spread, u = (col + side) * eye->du;
        double v = (row + (i == 0 ? way : -way)) * eye->dv;
        struct scan_point p = eye->straight ? scan_project(&eye->grid->projection, u, v) : dm_grid_point(eye->grid, u, v);
        double d = dm_depth_at(eye->map, p.x, p.y);
        depth += d > eye->cap ? eye->cap : d < -eye->cap ? -eye->cap : d;
    }
    depth /= times;
    if (!dark) depth = -depth;
    eye->sum += depth * weight;
    eye->weight += weight;
    eye->right += depth > 0;
    eye->seen++;
    eye->contrast += fabs(depth);
}

static void look_around(struct eye *eye, const struct dm_shape *shape) {
    double high = shape->rows, wide = shape->cols;
    for (unsigned c = 0; c < shape->cols; c++) {
        look(eye, c + 0.5, -0.5, false, QUIET_WEIGHT);
        look(eye, c + 0.5, high + 0.5, false, QUIET_WEIGHT);
    }
    for (unsigned r = 0; r < shape->rows; r++) {
        look(eye, -0.5, r + 0.5, false, QUIET_WEIGHT);
        look(eye, wide + 0.5, r + 0.5, false, QUIET_WEIGHT);
    }
}

// Each region is framed by dark at left and below, alternation above and at right; only the symbol's own frame has the
// full weight.
static void look_at_finder(struct eye *eye, const struct dm_shape *shape) {
    unsigned high = shape->region_rows + 2u, wide = shape->region_cols + 2u;
    for (unsigned top = 0; top < shape->rows; top += high)
        for (unsigned c = 0; c < shape->cols; c++) {
            look(eye, c + 0.5, top + 0.5, c % 2 == 0, top == 0 ? 1 : BARS_WEIGHT);
            look(eye, c + 0.5, top + high - 0.5, true, top + high == shape->rows ? 1 : BARS_WEIGHT);
        }
    for (unsigned left = 0; left < shape->cols; left += wide)
        for (unsigned r = 0; r < shape->rows; r++) {
            if (r % high == 0 || r % high == high - 1) continue;
            look(eye, left + 0.5, r + 0.5, true, left == 0 ? 1 : BARS_WEIGHT);
            look(eye, left + wide - 0.5, r + 0.5, r % 2 == 1, left + wide == shape->cols ? 1 : BARS_WEIGHT);
        }
}

static double module_of(const struct dm_shape *shape, const struct dm_grid *grid) {
    const struct scan_point *c = grid->corner;
    double wide = hypot(c[1].x - c[0].x, c[1].y - c[0].y) + hypot(c[2].x - c[3].x, c[2].y - c[3].y);
    double high = hypot(c[3].x - c[0].x, c[3].y - c[0].y) + hypot(c[2].x - c[1].x, c[2].y - c[1].y);
    return fmin(wide / shape->cols, high / shape->rows) / 2;
}

static struct eye eye_of(const struct dm_depth_map *map, const struct dm_shape *shape, const struct dm_grid *grid, double cap) {
    double module = module_of(shape, grid);
    return (struct eye){.map = map, .straight = dm_grid_is_straight(grid), .grid = grid, .du = 1.0 / shape->cols, .dv = 1.0 / shape->rows, .cap = cap,
                        .spread = module >= 5 ? 0.3 : module >= 2.5 ? 0.2 : 0};
}

// A little less than what the finder shows where it lies now, so that one glaring module counts no more than others.
static double cap_of(const struct dm_depth_map *map, const struct dm_shape *shape, const struct dm_grid *grid) {
    struct eye eye = eye_of(map, shape, grid, 127);
    look_at_finder(&eye, shape);
    return fmax(0.8 * eye.contrast / eye.seen, map->least);
}

static double score_capped(const struct dm_depth_map *map, const struct dm_shape *shape, const struct dm_grid *grid, double cap,
                           struct dm_work *work) {
    struct eye eye = eye_of(map, shape, grid, cap);
    look_at_finder(&eye, shape);
    look_around(&eye, shape);
    if (work) (void)dm_work_take(work, (size_t)eye.seen * (eye.spread > 0 ? 2 : 1));
    return eye.sum / eye.weight / cap;
}

double dm_fit_score(const struct dm_depth_map *map, const struct dm_shape *shape, const struct dm_grid *grid) {
    return score_capped(map, shape, grid, cap_of(map, shape, grid), NULL);
}

double dm_fit_match(const struct dm_depth_map *map, const struct dm_shape *shape, const struct dm_grid *grid) {
    struct eye eye = eye_of(map, shape, grid, 127);
    look_at_finder(&eye, shape);
    return (double)eye.right / eye.seen;
}

struct descent {
    const struct dm_depth_map *map;
    const struct dm_shape *shape;
    struct dm_work *work;
    double cap;
    double score;
};

// One parameter, both ways.
static bool step_one(struct descent *d, struct dm_grid *grid, unsigned index, double step) {
    for (int way = -1; way <= 1; way += 2) {
        struct dm_grid moved = *grid;
        *dm_grid_parameter(&moved, index) += way * step;
        if (!dm_grid_prepare(&moved)) continue;
        double score = score_capped(d->map, d->shape, &moved, d->cap, d->work);
        if (score <= d->score + 1e-6) continue;
        d->score = score;
        *grid = moved;
        return true;
    }
    return false;
}

static double step_of(const struct descent *d, const struct dm_grid *grid, unsigned index, double modules) {
    if (index < 8) return modules * module_of(d->shape, grid);
    bool down = index == 8 || index == 10 || index == 13 || index == 15;
    // A rounding moves modules by a tenth of its size at most.
    return modules / (down ? d->shape->rows : d->shape->cols) * (index >= 14 ? 8 : 1);
}

double dm_fit_improve(const struct dm_depth_map *map, const struct dm_shape *shape, enum dm_fit_freedom freedom, double reach,
                      struct dm_work *work, struct dm_grid *grid) {
    struct descent d = {map, shape, work, cap_of(map, shape, grid), 0};
    unsigned parameters = freedom == DM_FIT_BOWS ? DM_GRID_PARAMETERS : 8;
    d.score = score_capped(map, shape, grid, d.cap, work);
    for (double step = reach; step >= LEAST_STEP; step /= 2)
        for (unsigned sweep = 0; sweep < SWEEPS; sweep++) {
            bool moved = false;
            for (unsigned i = 0; i < parameters && work->left > 0; i++) moved |= step_one(&d, grid, i, step_of(&d, grid, i, step));
            if (!moved || work->left <= 0) break;
        }
    return d.score;
}
