// The Data Matrix search stage by stage, on small pictures drawn here.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "firmware/scan/dm_components.h"
#include "firmware/scan/dm_corners.h"
#include "firmware/scan/dm_extent.h"
#include "firmware/scan/dm_fit.h"
#include "firmware/scan/dm_modules.h"
#include "firmware/scan/dm_search.h"
#include "tests/support/support.h"

// "123456" in 10 x 10 (ISO/IEC 16022 annex O), one text row a module row, # dark.
static const char *const annex_o[10] = {"# # # # # ", "##  # ## #", "##     #  ", "##   ### #", "##    #   ",
                                        "#     ####", "### ##    ", "#### ##  #", "#  ### #  ", "##########"};

static struct scan_frame blank(uint32_t width, uint32_t height, uint8_t grey) {
    struct scan_frame frame;
    assert_int_equal(scan_frame_new(width, height, &frame, NULL), PT_OK);
    memset(frame.pixels, grey, (size_t)width * height);
    return frame;
}

static void fill(struct scan_frame *frame, uint32_t x, uint32_t y, uint32_t wide, uint32_t high, uint8_t grey) {
    for (uint32_t row = y; row < y + high; row++) memset(scan_frame_row(frame, row) + x, grey, wide);
}

// The symbol with its top left at (left, top), `side` pixels a module.
static void draw(struct scan_frame *frame, uint32_t left, uint32_t top, uint32_t side, uint8_t ink, bool mirrored) {
    for (uint32_t row = 0; row < 10; row++)
        for (uint32_t col = 0; col < 10; col++)
            if (annex_o[row][mirrored ? 9 - col : col] == '#') fill(frame, left + col * side, top + row * side, side, side, ink);
}

static struct dm_depth_map map_of(const struct scan_frame *frame, enum dm_level level, bool invert) {
    struct dm_depth_map map;
    assert_int_equal(dm_depth_map_of(frame, level, 40, invert, &map, NULL), PT_OK);
    return map;
}

static bool dark_at(const struct dm_depth_map *map, uint32_t x, uint32_t y) { return map->depth[y * map->width + x] > map->least; }

static void thresholds_follow_the_light(void **state) {
    (void)state;
    PT_CLEANUP(scan_frame_free) struct scan_frame frame = blank(200, 60, 0);
    for (uint32_t x = 0; x < 200; x++)  // light falls off from left to right; the ink at left is lighter than paper at right
        for (uint32_t y = 0; y < 60; y++) {
            unsigned paper = 250 - x;
            bool ink = x % 20 < 8 && y > 20 && y < 40;
            scan_frame_row(&frame, y)[x] = (uint8_t)(ink ? paper * 6 / 10 : paper);
        }
    for (int level = DM_LEVEL_MEAN; level <= DM_LEVEL_MIDDLE; level++)
        for (int invert = 0; invert < 2; invert++) {
            PT_CLEANUP(dm_depth_map_free) struct dm_depth_map map = map_of(&frame, (enum dm_level)level, invert);
            for (uint32_t x = 24; x < 180; x += 20) {
                if (dark_at(&map, x, 30) != !invert) fail_msg("level %d, invert %d: ink at %u", level, invert, x);
                if (!invert && dark_at(&map, x + 9, 30)) fail_msg("level %d: paper at %u", level, x + 9);
            }
        }
    PT_CLEANUP(dm_depth_map_free) struct dm_depth_map map = map_of(&frame, DM_LEVEL_MEAN, false);
    assert_int_equal(dm_depth_near(&map, -1, 5), DM_DEPTH_OUTSIDE);
    assert_int_equal(dm_depth_near(&map, 5, 60), DM_DEPTH_OUTSIDE);
    assert_int_equal(dm_depth_near(&map, NAN, 5), DM_DEPTH_OUTSIDE);
    assert_true(dm_depth_at(&map, 24.5, 30.5) == map.depth[30 * 200 + 24]);
}

static void an_even_picture_has_nothing_dark(void **state) {
    (void)state;
    PT_CLEANUP(scan_frame_free) struct scan_frame frame = blank(50, 40, 120);
    frame.pixels[777] = 121;
    for (int level = DM_LEVEL_MEAN; level <= DM_LEVEL_MIDDLE; level++) {
        PT_CLEANUP(dm_depth_map_free) struct dm_depth_map map = map_of(&frame, (enum dm_level)level, false);
        PT_CLEANUP(dm_components_free) struct dm_components areas;
        assert_int_equal(dm_components_of(&map, 1, &areas, NULL), PT_OK);
        assert_int_equal(areas.count, 0);
    }
}

static void areas_are_told_apart_and_have_their_hulls(void **state) {
    (void)state;
    PT_CLEANUP(scan_frame_free) struct scan_frame frame = blank(120, 80, 255);
    fill(&frame, 10, 10, 4, 30, 0);  // an L
    fill(&frame, 10, 36, 30, 4, 0);
    fill(&frame, 60, 10, 10, 10, 0);  // two squares that touch at a corner are one
    fill(&frame, 70, 20, 10, 10, 0);
    fill(&frame, 100, 60, 3, 3, 0);  // too small
    PT_CLEANUP(dm_depth_map_free) struct dm_depth_map map = map_of(&frame, DM_LEVEL_MEAN, false);
    PT_CLEANUP(dm_components_free) struct dm_components areas;
    assert_int_equal(dm_components_of(&map, 7, &areas, NULL), PT_OK);
    assert_int_equal(areas.count, 2);
    assert_int_equal(areas.items[0].pixels, 4 * 30 + 26 * 4);
    assert_int_equal(areas.items[1].pixels, 200);
    assert_int_equal(areas.items[0].hull_count, 5);
    assert_true(fabs(areas.items[0].area - (30 * 30 - 26 * 26 / 2.0)) < 0.01);
    assert_true(fabs(areas.items[1].area - 300) < 0.01);
    double sum = 0;  // counter-clockwise as seen: negative with y downwards
    for (unsigned i = 0; i < 5; i++) {
        const struct scan_point *a = &areas.items[0].hull[i], *b = &areas.items[0].hull[(i + 1) % 5];
        sum += a->x * b->y - b->x * a->y;
    }
    assert_true(sum < 0);
}

static void assert_near(struct scan_point p, double x, double y, double tolerance) {
    if (hypot(p.x - x, p.y - y) > tolerance) fail_msg("(%.2f, %.2f) instead of (%.2f, %.2f)", p.x, p.y, x, y);
}

// A 10 x 10 symbol at (20, 16), 6 pixels a module.
struct stages {
    struct scan_frame frame;
    struct dm_depth_map map;
    struct dm_components areas;
    struct dm_corner corners[DM_CORNERS_MAX];
    size_t count;
};

static struct stages stages_of(void) {
    struct stages s = {.frame = blank(100, 90, 230)};
    draw(&s.frame, 20, 16, 6, 30, false);
    s.map = map_of(&s.frame, DM_LEVEL_MEAN, false);
    assert_int_equal(dm_components_of(&s.map, 7, &s.areas, NULL), PT_OK);
    assert_true(s.areas.count >= 1);
    struct dm_work work = {1000000};
    s.count = dm_corners_of(&s.map, &s.areas.items[0], &work, s.corners);
    assert_true(work.left < 1000000);
    return s;
}

static void stages_free(struct stages *s) {
    scan_frame_free(&s->frame);
    dm_depth_map_free(&s->map);
    dm_components_free(&s->areas);
}

static void the_finder_is_found_and_measured(void **state) {
    (void)state;
    PT_CLEANUP(stages_free) struct stages s = stages_of();
    assert_true(s.count >= 1);
    const struct dm_corner *c = &s.corners[0];
    assert_near(c->top_left, 20, 16, 1);
    assert_near(c->bottom_left, 20, 76, 1);
    assert_near(c->bottom_right, 80, 76, 1);
    assert_true(c->dark > 0.95);
    assert_true(fabs(c->bar_across - 6) < 1 && fabs(c->bar_upright - 6) < 1);
    assert_true(c->bow_left == 0 && c->bow_bottom == 0);
}

static void an_outline_without_a_corner_is_passed_over(void **state) {
    (void)state;
    PT_CLEANUP(scan_frame_free) struct scan_frame frame = blank(100, 100, 255);
    for (int y = 10; y < 90; y++)  // a disc
        for (int x = 10; x < 90; x++)
            if (hypot(x - 50, y - 50) < 38) scan_frame_row(&frame, (uint32_t)y)[x] = 0;
    PT_CLEANUP(scan_symbols_free) struct scan_symbols found = {0};
    struct dm_work work = {2000000};
    assert_int_equal(dm_search_run(&frame, &frame, 1, &(struct dm_search){.window_share = 3}, &work, &found, NULL), PT_OK);
    assert_int_equal(found.count, 0);
}

static void extent_and_fourth_corner_come_from_the_timing(void **state) {
    (void)state;
    PT_CLEANUP(stages_free) struct stages s = stages_of();
    struct dm_extent extents[DM_EXTENTS_MAX];
    struct dm_work work = {10000000};
    assert_true(dm_extents_of(&s.map, &s.corners[0], false, &work, extents) >= 1);
    assert_int_equal(extents[0].shape.rows, 10);
    assert_int_equal(extents[0].shape.cols, 10);
    assert_true(extents[0].timing > 0.99);
    assert_near(extents[0].grid.corner[1], 80, 16, 4);
    struct dm_work none = {0};
    assert_int_equal(dm_extents_of(&s.map, &s.corners[0], false, &none, extents), 0);
}

static void a_grid_slides_into_place(void **state) {
    (void)state;
    PT_CLEANUP(stages_free) struct stages s = stages_of();
    struct dm_shape shape = {10, 10, 8, 8, scan_dm_size_of(10, 10), scan_dm_size_of(10, 10)};
    struct dm_grid grid = {.corner = {{22, 14}, {77, 18}, {82, 78}, {18, 74}}};
    assert_true(dm_grid_prepare(&grid));
    struct dm_work work = {10000000};
    double before = dm_fit_score(&s.map, &shape, &grid);
    double after = dm_fit_improve(&s.map, &shape, DM_FIT_CORNERS, 0.5, &work, &grid);
    assert_true(after > before && after > 0.8);
    assert_true(dm_fit_match(&s.map, &shape, &grid) == 1.0);
    // Any grid whose module middles stay well inside their modules is as good.
    assert_near(grid.corner[0], 20, 16, 2);
    assert_near(grid.corner[1], 80, 16, 2.5);
    assert_near(grid.corner[2], 80, 76, 2);
    assert_near(grid.corner[3], 20, 76, 2);
}

static void grids_bend_as_they_are_told(void **state) {
    (void)state;
    struct dm_grid grid = {.corner = {{0, 0}, {100, 0}, {100, 50}, {0, 50}}};
    assert_true(dm_grid_prepare(&grid));
    assert_true(dm_grid_is_straight(&grid));
    assert_near(dm_grid_point(&grid, 0.25, 0.5), 25, 25, 1e-6);
    grid.bow[0] = 0.1;  // the top side's middle goes up, the bottom stays
    assert_false(dm_grid_is_straight(&grid));
    assert_near(dm_grid_point(&grid, 0.5, 0), 50, -5, 1e-6);
    assert_near(dm_grid_point(&grid, 0.5, 1), 50, 50, 1e-6);
    assert_near(dm_grid_point(&grid, 0, 0), 0, 0, 1e-6);
    grid.bow[0] = 0;
    grid.stretch[0] = 0.05;
    assert_near(dm_grid_point(&grid, 0.5, 0.2), 55, 10, 1e-6);
    grid.stretch[0] = 0;
    grid.round[0] = -0.2;  // a bottle: narrower at both ends
    assert_true(dm_grid_point(&grid, 0.1, 0.5).x < 10 && dm_grid_point(&grid, 0.9, 0.5).x > 90);
    assert_near(dm_grid_point(&grid, 0.5, 0.5), 50, 25, 1e-6);
    for (unsigned i = 0; i < DM_GRID_PARAMETERS; i++)
        for (unsigned k = 0; k < i; k++) assert_ptr_not_equal(dm_grid_parameter(&grid, i), dm_grid_parameter(&grid, k));
    struct dm_grid folded = {.corner = {{0, 0}, {0, 50}, {100, 50}, {100, 0}}};
    assert_false(dm_grid_prepare(&folded));
    struct dm_grid nowhere = {.corner = {{NAN, 0}, {100, 0}, {100, 50}, {0, 50}}};
    assert_false(dm_grid_prepare(&nowhere));
}

static void every_size_has_its_shapes(void **state) {
    (void)state;
    struct dm_shape shapes[DM_SHAPES_MAX];
    size_t count = dm_shapes(shapes), turned = 0;
    assert_int_equal(count, 24 + 2 * (6 + 18));
    for (size_t i = 0; i < count; i++) {
        const struct dm_shape *s = &shapes[i];
        assert_true(s->size || s->mirrored);
        if (s->size) assert_ptr_equal(s->size, scan_dm_size_of(s->rows, s->cols));
        if (s->mirrored) assert_ptr_equal(s->mirrored, scan_dm_size_of(s->cols, s->rows));
        turned += s->size == NULL;
    }
    assert_int_equal(turned, 24);
}

static struct dm_modules modules_of(unsigned spoilt) {
    struct dm_modules modules = {.rows = 10, .cols = 10};
    for (unsigned i = 0; i < 100; i++) modules.grey[i] = annex_o[i / 10][i % 10] == '#' ? 40.0f : 200.0f;
    // Spoils data modules that belong to different codewords: rows 2, 4, 6 in the middle column and beyond.
    static const unsigned at[] = {22, 45, 67, 38, 74, 81};
    for (unsigned i = 0; i < spoilt; i++) modules.grey[at[i]] = 240.0f - modules.grey[at[i]];
    return modules;
}

static bool reads(const struct dm_modules *modules, struct scan_symbols *list) {
    struct scan_symbol *symbol;
    scan_symbols_free(list);
    assert_int_equal(scan_symbols_add(list, SCAN_DATAMATRIX, "]d1", &symbol, NULL), PT_OK);
    return dm_modules_read(modules, NULL, scan_dm_size_of(10, 10), symbol);
}

static void modules_are_read_or_refused(void **state) {
    (void)state;
    PT_CLEANUP(scan_symbols_free) struct scan_symbols list = {0};
    struct dm_modules modules = modules_of(0);
    assert_true(reads(&modules, &list));
    assert_string_equal(pt_buf_cstr(&list.items[0].text), "123456");
    modules = modules_of(1);
    assert_true(reads(&modules, &list));
    assert_string_equal(pt_buf_cstr(&list.items[0].text), "123456");
    modules = modules_of(6);
    assert_false(reads(&modules, &list));
    modules = modules_of(0);
    for (unsigned col = 0; col < 10; col += 2) modules.grey[col] = 200;  // a timing pattern all light: no longer a symbol
    assert_false(reads(&modules, &list));
    struct dm_modules mirrored, back;
    modules = modules_of(0);
    dm_modules_mirror(&modules, &mirrored);
    assert_false(reads(&mirrored, &list));
    dm_modules_mirror(&mirrored, &back);
    assert_memory_equal(back.grey, modules.grey, 100 * sizeof *back.grey);
}

static void symbols_are_searched_once_each(void **state) {
    (void)state;
    PT_CLEANUP(scan_frame_free) struct scan_frame frame = blank(260, 110, 235);
    draw(&frame, 20, 20, 6, 20, false);
    draw(&frame, 150, 20, 7, 20, true);
    PT_CLEANUP(scan_symbols_free) struct scan_symbols found = {0};
    for (int again = 0; again < 2; again++) {
        struct dm_work work = {20000000};
        assert_int_equal(dm_search_run(&frame, &frame, 1, &(struct dm_search){.window_share = 8}, &work, &found, NULL), PT_OK);
        assert_int_equal(found.count, 2);
    }
    for (size_t i = 0; i < 2; i++) assert_string_equal(pt_buf_cstr(&found.items[i].text), "123456");
    bool first = found.items[0].box[0].x < 100;
    assert_near(found.items[first ? 0 : 1].box[0], 19.5, 19.5, 2.5);  // pixel centres are whole numbers
    struct dm_work little = {1000};
    PT_CLEANUP(scan_symbols_free) struct scan_symbols none = {0};
    assert_int_equal(dm_search_run(&frame, &frame, 1, &(struct dm_search){.window_share = 8}, &little, &none, NULL), PT_OK);
    assert_int_equal(none.count, 0);
}

static void light_on_dark_needs_inverting(void **state) {
    (void)state;
    PT_CLEANUP(scan_frame_free) struct scan_frame frame = blank(110, 110, 20);
    draw(&frame, 20, 20, 6, 235, false);
    for (int level = DM_LEVEL_MEAN; level <= DM_LEVEL_MIDDLE; level++)
        for (int invert = 0; invert < 2; invert++) {
            PT_CLEANUP(scan_symbols_free) struct scan_symbols found = {0};
            struct dm_work work = {20000000};
            struct dm_search how = {.level = (enum dm_level)level, .window_share = 8, .invert = invert};
            assert_int_equal(dm_search_run(&frame, &frame, 1, &how, &work, &found, NULL), PT_OK);
            assert_int_equal(found.count, invert);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thresholds_follow_the_light),
        cmocka_unit_test(an_even_picture_has_nothing_dark),
        cmocka_unit_test(areas_are_told_apart_and_have_their_hulls),
        cmocka_unit_test(the_finder_is_found_and_measured),
        cmocka_unit_test(an_outline_without_a_corner_is_passed_over),
        cmocka_unit_test(extent_and_fourth_corner_come_from_the_timing),
        cmocka_unit_test(a_grid_slides_into_place),
        cmocka_unit_test(grids_bend_as_they_are_told),
        cmocka_unit_test(every_size_has_its_shapes),
        cmocka_unit_test(modules_are_read_or_refused),
        cmocka_unit_test(symbols_are_searched_once_each),
        cmocka_unit_test(light_on_dark_needs_inverting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
