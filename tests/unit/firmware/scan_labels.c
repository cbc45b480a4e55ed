// Data Matrix labels of every size as a camera sees them (tests/support/label_kinds.c): how many our own reader reads of
// each hardship, and that it reads none as something else. The reader works within a ceiling of steps, so that the
// counts do not depend on the machine.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "firmware/scan/decoder.h"
#include "tests/support/label_scene.h"
#include "tests/support/support.h"

enum { SIZES = 48, SEED = 20240229 };

// Of 48; more is welcome.
static const struct { const char *name; size_t least; } expected[] = {
    {"clean", 48},    {"turned", 47},   {"tilted", 47},    {"blurred", 38}, {"noisy", 46},    {"faint", 46},
    {"shaded", 47},   {"bent", 38},     {"dotted", 44},    {"small", 44},   {"inverted", 46}, {"mirrored", 47},
    {"cluttered", 46}, {"spread", 43},  {"scratched", 10}, {"camera", 40},
};

static char scratch[256];
static struct scan_decoder quick, deep;

static int setup(void **state) {
    (void)state;
    test_scratch(scratch);
    return scan_decoder_datamatrix(SCAN_QUICK, &quick, NULL) == PT_OK && scan_decoder_datamatrix(SCAN_DEEP, &deep, NULL) == PT_OK ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    test_scratch_remove(scratch);
    return 0;
}

static struct scan_symbols read_frame(const struct scan_frame *frame) {
    struct scan_symbols found = {0};
    struct pt_error err = {0};
    int64_t never = INT64_MAX;
    assert_ok(quick.decode(quick.ctx, frame, never, &found, &err), &err);
    if (found.count == 0) assert_ok(deep.decode(deep.ctx, frame, never, &found, &err), &err);
    return found;
}

static bool is_right(const struct scan_symbol *symbol, const struct label_symbol *label) {
    return symbol->has_text && pt_bytes_equal(pt_buf_bytes(&symbol->text), pt_buf_bytes(&label->text)) &&
           strcmp(symbol->aim, label->gs1 ? "]d2" : "]d1") == 0;
}

static void labels_are_read(void **state) {
    const unsigned hardship = *(const unsigned *)*state;
    PT_FREE struct label_symbol *label = calloc(1, sizeof *label);
    size_t read = 0, wrong = 0;
    uint32_t seed = SEED + hardship;
    assert_non_null(label);
    if (system("command -v zint >/dev/null 2>&1") != 0) {
        print_message("# skipped: zint is not installed\n");
        skip();
    }
    for (unsigned version = 1; version <= SIZES; version++) {
        PT_CLEANUP(scan_frame_free) struct scan_frame frame = {0};
        if (!label_symbol_draw(version, &seed, scratch, label)) fail_msg("zint does not draw size %u", version);
        struct label_scene scene = label_scene_of(hardship, label->rows, label->cols, &seed);
        assert_int_equal(label_scene_draw(&scene, label->modules, label->rows, label->cols, &frame, NULL), PT_OK);
        PT_CLEANUP(scan_symbols_free) struct scan_symbols found = read_frame(&frame);
        size_t right = 0;
        for (size_t i = 0; i < found.count; i++) {
            if (is_right(&found.items[i], label)) right++;
            else print_message("# %ux%u misread as \"%s\"\n", label->rows, label->cols, pt_buf_cstr(&found.items[i].text));
        }
        wrong += found.count - right;
        read += right == 1;
        assert_true(right <= 1);
        pt_buf_free(&label->text);
    }
    print_message("# %s: %zu of %u read, %zu wrong\n", label_hardship_name(hardship), read, SIZES, wrong);
    assert_int_equal(wrong, 0);
    assert_true(read >= expected[hardship].least);
}

// Ground and clutter of every hardship, without a symbol.
static void nothing_is_invented(void **state) {
    (void)state;
    static const uint8_t light[100];
    uint32_t seed = SEED;
    for (unsigned hardship = 0; label_hardship_name(hardship); hardship++) {
        PT_CLEANUP(scan_frame_free) struct scan_frame frame = {0};
        struct label_scene scene = label_scene_of(hardship, 10, 10, &seed);
        scene.clutter = 400;
        scene.width = 640;
        scene.height = 480;
        assert_int_equal(label_scene_draw(&scene, light, 10, 10, &frame, NULL), PT_OK);
        PT_CLEANUP(scan_symbols_free) struct scan_symbols found = read_frame(&frame);
        if (found.count) fail_msg("%s invented \"%s\"", label_hardship_name(hardship), pt_buf_cstr(&found.items[0].text));
    }
}

int main(void) {
    enum { KINDS = sizeof expected / sizeof *expected };
    static unsigned indices[KINDS];
    struct CMUnitTest tests[KINDS + 1];
    for (unsigned i = 0; i < KINDS; i++) {
        indices[i] = i;
        if (!label_hardship_name(i) || strcmp(label_hardship_name(i), expected[i].name) != 0) return 1;
        tests[i] = (struct CMUnitTest){.name = expected[i].name, .test_func = labels_are_read, .initial_state = &indices[i]};
    }
    if (label_hardship_name(KINDS)) return 1;
    tests[KINDS] = (struct CMUnitTest){.name = "nothing is invented", .test_func = nothing_is_invented};
    return _cmocka_run_group_tests("labels", tests, KINDS + 1, setup, teardown);
}
