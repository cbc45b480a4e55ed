#include "firmware/scan/dm_search.h"

#include <math.h>

#include "common/base/cleanup.h"
#include "firmware/scan/dm_components.h"
#include "firmware/scan/dm_corners.h"
#include "firmware/scan/dm_extent.h"
#include "firmware/scan/dm_fit.h"
#include "firmware/scan/dm_modules.h"

#define LEAST_SIDE 7u           // pixels of a dark area
#define LEAST_SCORE 0.35        // of the fitted grid
#define LEAST_MATCH 0.78
#define SURE_TIMING 0.9         // read at once
#define CANDIDATES_MAX 6u       // fitted for an area
#define BENT_MAX 2u             // fitted with bent sides
#define PIXEL_STEPS 3           // work for a pixel's threshold and area

struct scene {
    const struct scan_frame *whole;
    const struct dm_search *how;
    double scale;
    struct dm_depth_map map;
    struct dm_work *work;
    struct scan_symbols *out;
};

// Grey at a module's middle, averaged over a part of it that grows with its pixels, and depth beside it.
static void sample(const struct scene *s, const struct dm_shape *shape, const struct dm_grid *grid, struct dm_modules *grey,
                   struct dm_modules *near) {
    const struct scan_point *c = grid->corner;
    double side = sqrt(hypot(c[2].x - c[3].x, c[2].y - c[3].y) / shape->cols * hypot(c[3].x - c[0].x, c[3].y - c[0].y) / shape->rows);
    int reach = side * s->scale < 5 ? 1 : 2;
    double spread = side * s->scale < 2.5 ? 0.12 : 0.2;
    *grey = *near = (struct dm_modules){.rows = shape->rows, .cols = shape->cols};
    for (unsigned row = 0; row < shape->rows; row++)
        for (unsigned col = 0; col < shape->cols; col++) {
            double sum = 0, depth = 0;
            int count = 0;
            for (int i = -reach; i <= reach; i++)
                for (int k = -reach; k <= reach; k++, count++) {
                    struct scan_point p = dm_grid_point(grid, (col + 0.5 + i * spread / reach) / shape->cols,
                                                        (row + 0.5 + k * spread / reach) / shape->rows);
                    sum += scan_frame_at(s->whole, p.x * s->scale - 0.5, p.y * s->scale - 0.5);
                    depth += dm_depth_at(&s->map, p.x, p.y);
                }
            sum /= count;
            grey->grey[row * shape->cols + col] = (float)(s->how->invert ? 255 - sum : sum);
            near->grey[row * shape->cols + col] = (float)(-depth / count);
        }
    (void)dm_work_take(s->work, (size_t)shape->rows * shape->cols * (reach == 1 ? 18 : 50));
}

static bool read_grid(const struct scene *s, const struct dm_shape *shape, const struct dm_grid *grid, struct scan_symbol *out) {
    struct dm_modules grey, near;
    sample(s, shape, grid, &grey, &near);
    if (shape->size && dm_modules_read(&grey, &near, shape->size, out)) return true;
    if (!shape->mirrored) return false;
    struct dm_modules grey_mirrored, near_mirrored;
    dm_modules_mirror(&grey, &grey_mirrored);
    dm_modules_mirror(&near, &near_mirrored);
    return dm_modules_read(&grey_mirrored, &near_mirrored, shape->mirrored, out);
}

// Fits the grid and reads it where the finder then lies well.
static bool fit_and_read(const struct scene *s, struct dm_extent *extent, enum dm_fit_freedom freedom, struct scan_symbol *out) {
    extent->score = dm_fit_improve(&s->map, &extent->shape, freedom, 0.5, s->work, &extent->grid);
    if (extent->score < LEAST_SCORE || dm_fit_match(&s->map, &extent->shape, &extent->grid) < LEAST_MATCH) return false;
    return read_grid(s, &extent->shape, &extent->grid, out);
}

// The best of an area's L's and sizes, sorted by score.
struct candidates {
    struct dm_extent items[CANDIDATES_MAX];
    size_t count;
};

static void keep(struct candidates *list, const struct dm_extent *extent) {
    size_t at = list->count < CANDIDATES_MAX ? list->count++ : CANDIDATES_MAX;
    if (at == CANDIDATES_MAX && list->items[--at].score >= extent->score) return;
    for (; at > 0 && list->items[at - 1].score < extent->score; at--) list->items[at] = list->items[at - 1];
    list->items[at] = *extent;
}

// Reads the symbol of these L's, straight at first: nearly always it is the best guess by the timing pattern.
static bool read_corners(const struct scene *s, const struct dm_corner *corners, size_t count, struct scan_symbol *out,
                         struct dm_grid *grid) {
    struct candidates list = {.count = 0}, bent = {.count = 0};
    for (size_t i = 0; i < count && s->work->left > 0; i++) {
        struct dm_extent extents[DM_EXTENTS_MAX];
        size_t extent_count = dm_extents_of(&s->map, &corners[i], s->how->bows, s->work, extents);
        for (size_t k = 0; k < extent_count; k++) {
            bool sure = k == 0 && extents[k].timing >= SURE_TIMING && !s->how->bows;
            if (!sure) keep(&list, &extents[k]);
            else if (fit_and_read(s, &extents[k], DM_FIT_CORNERS, out)) return *grid = extents[k].grid, true;
            else if (extents[k].score >= LEAST_SCORE) keep(&bent, &extents[k]);
        }
    }
    for (size_t i = 0; i < list.count && s->work->left > 0; i++) {
        if (!s->how->bows && fit_and_read(s, &list.items[i], DM_FIT_CORNERS, out)) return *grid = list.items[i].grid, true;
        if (list.items[i].score >= LEAST_SCORE) keep(&bent, &list.items[i]);
    }
    for (size_t i = 0; i < bent.count && i < BENT_MAX && s->work->left > 0; i++)
        if (fit_and_read(s, &bent.items[i], DM_FIT_BOWS, out)) return *grid = bent.items[i].grid, true;
    return false;
}

// Whether the area's middle lies on a symbol that has been read.
static bool is_read_already(const struct scene *s, const struct dm_component *area) {
    double x = 0, y = 0;
    for (unsigned i = 0; i < area->hull_count; i++) {
        x += area->hull[i].x * s->scale / area->hull_count;
        y += area->hull[i].y * s->scale / area->hull_count;
    }
    for (size_t i = 0; i < s->out->count; i++) {
        const struct scan_point *box = s->out->items[i].box;
        int left = 0;
        for (int k = 0; k < 4; k++)
            left += (box[(k + 1) % 4].x - box[k].x) * (y - box[k].y) - (box[(k + 1) % 4].y - box[k].y) * (x - box[k].x) >= 0;
        if (left == 0 || left == 4) return true;
    }
    return false;
}

static enum pt_code read_area(const struct scene *s, const struct dm_component *area, struct pt_error *err) {
    struct dm_corner corners[DM_CORNERS_MAX];
    if (is_read_already(s, area)) return PT_OK;
    size_t count = dm_corners_of(&s->map, area, s->work, corners);
    if (count == 0) return PT_OK;
    struct scan_symbol *symbol;
    enum pt_code code = scan_symbols_add(s->out, SCAN_DATAMATRIX, "]d1", &symbol, err);
    if (code != PT_OK) return code;
    struct dm_grid grid;
    if (read_corners(s, corners, count, symbol, &grid)) {
        for (int k = 0; k < 4; k++)
            symbol->box[k] = (struct scan_point){grid.corner[k].x * s->scale - 0.5, grid.corner[k].y * s->scale - 0.5};
        return PT_OK;
    }
    scan_symbols_remove(s->out, s->out->count - 1);
    return PT_OK;
}

enum pt_code dm_search_run(const struct scan_frame *picture, const struct scan_frame *whole, double scale,
                           const struct dm_search *how, struct dm_work *work, struct scan_symbols *out,
                           struct pt_error *err) {
    struct scene scene = {.whole = whole, .how = how, .scale = scale, .work = work, .out = out};
    PT_CLEANUP(dm_components_free) struct dm_components areas = {0};
    uint32_t longest = picture->width > picture->height ? picture->width : picture->height;
    if (!dm_work_take(work, (size_t)picture->width * picture->height * PIXEL_STEPS)) return PT_OK;
    enum pt_code code = dm_depth_map_of(picture, how->level, longest / how->window_share, how->invert, &scene.map, err);
    if (code == PT_OK) code = dm_components_of(&scene.map, LEAST_SIDE, &areas, err);
    for (size_t i = 0; i < areas.count && code == PT_OK && work->left > 0; i++) code = read_area(&scene, &areas.items[i], err);
    dm_depth_map_free(&scene.map);
    return code;
}
