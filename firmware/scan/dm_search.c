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

static bool read_if_good(const struct scene *s, const struct dm_extent *extent, struct scan_symbol *out) {
    if (extent->score < LEAST_SCORE || dm_fit_match(&s->map, &extent->shape, &extent->grid) < LEAST_MATCH) return false;
    return read_grid(s, &extent->shape, &extent->grid, out);
}

static int by_score(const struct dm_extent *a, const struct dm_extent *b) { return (a->score < b->score) - (a->score > b->score); }

static void sort(struct dm_extent *list, size_t count) {
    for (size_t i = 1; i < count; i++)
        for (size_t k = i; k > 0 && by_score(&list[k - 1], &list[k]) > 0; k--) {
            struct dm_extent swap = list[k];
            list[k] = list[k - 1];
            list[k - 1] = swap;
        }
}

static bool read_corner(const struct scene *s, const struct dm_corner *corner, struct scan_symbol *out, struct dm_grid *grid) {
    struct dm_extent extents[DM_EXTENTS_MAX];
    size_t count = dm_extents_of(&s->map, corner, s->work, extents);
    for (int round = 0; round < 2; round++) {
        enum dm_fit_freedom freedom = round == 0 && !s->how->bows ? DM_FIT_CORNERS : DM_FIT_BOWS;
        if (s->how->bows && round == 1) break;
        for (size_t i = 0; i < count; i++)
            extents[i].score = dm_fit_improve(&s->map, &extents[i].shape, freedom, 0.5, s->work, &extents[i].grid);
        sort(extents, count);
        for (size_t i = 0; i < count && s->work->left > 0; i++) {
            *grid = extents[i].grid;
            if (read_if_good(s, &extents[i], out)) return true;
        }
        while (count > 0 && (extents[count - 1].score < LEAST_SCORE || count > 3)) count--;
    }
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
    size_t count = dm_corners_of(&s->map, area, corners);
    (void)dm_work_take(s->work, 200 + 400 * count);
    if (count == 0) return PT_OK;
    struct scan_symbol *symbol;
    enum pt_code code = scan_symbols_add(s->out, SCAN_DATAMATRIX, "]d1", &symbol, err);
    if (code != PT_OK) return code;
    for (size_t i = 0; i < count && s->work->left > 0; i++) {
        struct dm_grid grid;
        if (!read_corner(s, &corners[i], symbol, &grid)) continue;
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
    enum pt_code code = dm_depth_map_of(picture, longest / how->window_share, how->invert, &scene.map, err);
    if (code == PT_OK) code = dm_components_of(&scene.map, LEAST_SIDE, &areas, err);
    for (size_t i = 0; i < areas.count && code == PT_OK && work->left > 0; i++) code = read_area(&scene, &areas.items[i], err);
    dm_depth_map_free(&scene.map);
    return code;
}
