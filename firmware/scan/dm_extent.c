#include "firmware/scan/dm_extent.h"

#include <math.h>

// A module against the bar's thickness: ink and blur make bars thicker or thinner.
#define MODULE_LEAST 0.6
#define MODULE_MOST 1.8
#define LEAST_TIMING 0.70
#define GOOD_TIMING 0.88      // no wider search for the fourth corner after this
#define NEAR_REACH 5          // half modules around the hull's guess
#define WIDE_REACH 14
#define LEAST_ROUND 20       // modules; fewer bear a rounding without
#define WIDE_SHARE 0.28       // of the symbol's modules

static double distance(struct scan_point a, struct scan_point b) { return hypot(a.x - b.x, a.y - b.y); }

struct fit {
    unsigned right;
    double grey;
};

static void look(const struct dm_depth_map *map, const struct dm_grid *grid, bool straight, double u, double v, bool dark,
                 int cap, struct fit *fit) {
    struct scan_point p = straight ? scan_project(&grid->projection, u, v) : dm_grid_point(grid, u, v);
    int depth = dm_depth_near(map, p.x, p.y);
    if (!dark) depth = -depth;
    fit->right += depth > 0;
    fit->grey += depth > cap ? cap : depth < -cap ? -cap : depth;
}

// The two timing patterns: top row, dark at even columns, and right column, dark at odd rows. Gives up once `wrong_most`
// is exceeded.
static struct fit timing_of(const struct dm_depth_map *map, const struct dm_grid *grid, bool straight,
                            const struct dm_shape *shape, int cap, unsigned wrong_most) {
    struct fit fit = {0};
    double col = 1.0 / shape->cols, row = 1.0 / shape->rows;
    for (unsigned c = 0; c < shape->cols; c++) look(map, grid, straight, (c + 0.5) * col, 0.5 * row, c % 2 == 0, cap, &fit);
    if (shape->cols - fit.right > wrong_most) return (struct fit){0, -1e9};
    for (unsigned r = 1; r < shape->rows; r++) look(map, grid, straight, 1 - 0.5 * col, (r + 0.5) * row, r % 2 == 1, cap, &fit);
    return fit;
}

struct corner_search {
    const struct dm_depth_map *map;
    const struct dm_corner *corner;
    struct dm_work *work;
    int cap;
    unsigned cells;
    struct dm_grid bent;  // bows and roundings to be tried
    bool straight;
    double best;
};

static void try_corners(struct corner_search *s, struct scan_point start, int reach_across, int reach_up, struct dm_extent *out) {
    const struct dm_corner *c = s->corner;
    double ax = (c->bottom_right.x - c->bottom_left.x) / out->shape.cols / 2, ay = (c->bottom_right.y - c->bottom_left.y) / out->shape.cols / 2;
    double bx = (c->top_left.x - c->bottom_left.x) / out->shape.rows / 2, by = (c->top_left.y - c->bottom_left.y) / out->shape.rows / 2;
    for (int i = -reach_across; i <= reach_across; i++)
        for (int k = -reach_up; k <= reach_up; k++) {
            if (s->work->left <= 0) return;
            struct dm_grid grid = s->bent;
            grid.corner[1] = (struct scan_point){start.x + i * ax + k * bx, start.y + i * ay + k * by};
            if (!dm_grid_prepare(&grid)) continue;
            double least = fmax(LEAST_TIMING, out->timing - 0.1);
            struct fit fit = timing_of(s->map, &grid, s->straight, &out->shape, s->cap, (unsigned)((1 - least) * s->cells));
            (void)dm_work_take(s->work, fit.grey > -1e9 ? s->cells : out->shape.cols);
            double score = fit.grey / s->cap / s->cells + (double)fit.right / s->cells;
            if (score <= s->best) continue;
            s->best = score;
            out->grid = grid;
            out->timing = (double)fit.right / s->cells;
            out->score = fit.grey / s->cap / s->cells;
        }
}

static int reach_of(unsigned modules) {
    int reach = (int)(WIDE_SHARE * modules * 2);
    return reach > WIDE_REACH ? WIDE_REACH : reach < 2 ? 2 : reach;
}

// With these roundings.
static void search_fourth(struct corner_search *search, double across, double down, struct dm_extent *out) {
    const struct dm_corner *c = search->corner;
    int reach_across = reach_of(out->shape.cols), reach_up = reach_of(out->shape.rows);
    search->bent.round[0] = across;
    search->bent.round[1] = down;
    search->straight = dm_grid_is_straight(&search->bent);
    if (c->has_guess)
        try_corners(search, c->guess, reach_across < NEAR_REACH ? reach_across : NEAR_REACH,
                    reach_up < NEAR_REACH ? reach_up : NEAR_REACH, out);
    if (out->timing >= GOOD_TIMING) return;
    struct scan_point square = {c->top_left.x + c->bottom_right.x - c->bottom_left.x,
                                c->top_left.y + c->bottom_right.y - c->bottom_left.y};
    try_corners(search, square, reach_across, reach_up, out);
}

static bool find_fourth(const struct dm_depth_map *map, const struct dm_corner *c, int cap, bool round, struct dm_work *work,
                        struct dm_extent *out) {
    static const double roundings[] = {-0.08, -0.16, -0.24};
    double wide = distance(c->bottom_right, c->bottom_left), tall = distance(c->top_left, c->bottom_left);
    // What bends one side bends the one across from it the same way.
    struct corner_search search = {.map = map, .corner = c, .work = work, .cap = cap, .best = -10,
                                   .cells = out->shape.rows + out->shape.cols - 1u,
                                   .bent = {.corner = {c->top_left, {0, 0}, c->bottom_right, c->bottom_left},
                                            .bow = {c->bow_bottom / tall, c->bow_left / wide, -c->bow_bottom / tall, -c->bow_left / wide}}};
    out->timing = 0;
    search_fourth(&search, 0, 0, out);
    for (size_t i = 0; round && i < sizeof roundings / sizeof *roundings && out->timing < GOOD_TIMING; i++) {
        if (out->shape.cols >= LEAST_ROUND) search_fourth(&search, roundings[i], 0, out);
        if (out->shape.rows >= LEAST_ROUND) search_fourth(&search, 0, roundings[i], out);
    }
    return out->timing >= LEAST_TIMING;
}

// Depth that a clear module has: that of the bars, which are dark for certain.
static int contrast_of(const struct dm_depth_map *map, const struct dm_corner *c) {
    double sum = 0, sure = 0;
    for (int i = 0; i < 40; i++) {
        double t = (i % 20 + 0.5) / 20;
        struct scan_point end = i < 20 ? c->top_left : c->bottom_right, other = i < 20 ? c->bottom_right : c->top_left;
        double inset = (i < 20 ? c->bar_upright : c->bar_across) / 2, length = distance(other, c->bottom_left);
        double x = c->bottom_left.x + (end.x - c->bottom_left.x) * t + (other.x - c->bottom_left.x) / length * inset;
        double y = c->bottom_left.y + (end.y - c->bottom_left.y) * t + (other.y - c->bottom_left.y) / length * inset;
        int depth = dm_depth_near(map, x, y);
        if (depth <= 0) continue;
        sum += depth;
        sure++;
    }
    int depth = sure > 0 ? (int)(sum / sure * 0.6) : 0;
    return depth < map->least ? map->least : depth;
}

static void keep(struct dm_extent *list, size_t *count, const struct dm_extent *extent) {
    size_t at = *count < DM_EXTENTS_MAX ? (*count)++ : DM_EXTENTS_MAX;
    if (at == DM_EXTENTS_MAX && list[--at].score >= extent->score) return;
    for (; at > 0 && list[at - 1].score < extent->score; at--) list[at] = list[at - 1];
    list[at] = *extent;
}

size_t dm_extents_of(const struct dm_depth_map *map, const struct dm_corner *c, bool round, struct dm_work *work,
                     struct dm_extent out[DM_EXTENTS_MAX]) {
    struct dm_shape shapes[DM_SHAPES_MAX];
    size_t shape_count = dm_shapes(shapes), count = 0;
    double tall = distance(c->top_left, c->bottom_left), wide = distance(c->bottom_right, c->bottom_left);
    int cap = contrast_of(map, c);
    for (size_t i = 0; i < shape_count && work->left > 0; i++) {
        double width = wide / shapes[i].cols / c->bar_upright, height = tall / shapes[i].rows / c->bar_across;
        if (width < MODULE_LEAST || width > MODULE_MOST || height < MODULE_LEAST || height > MODULE_MOST) continue;
        struct dm_extent extent = {.shape = shapes[i]};
        if (find_fourth(map, c, cap, round, work, &extent)) keep(out, &count, &extent);
    }
    return count;
}
