// Frames from files, directories and streams.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "firmware/scan/frame_source.h"
#include "tests/support/support.h"

static char scratch[256];

static int setup(void **state) {
    (void)state;
    test_scratch(scratch);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    test_scratch_remove(scratch);
    return 0;
}

static void put_file(const char *name, const char *content, size_t len) {
    char path[400];
    snprintf(path, sizeof path, "%s/%s", scratch, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(content, 1, len, file), len);
    fclose(file);
}

// A picture of one pixel.
static void put_picture(const char *name, char grey) {
    char content[] = "P5 1 1 255 ?";
    content[11] = grey;
    put_file(name, content, 12);
}

static void expect_frame(struct scan_source *source, uint8_t grey, uint64_t sequence) {
    PT_CLEANUP(scan_frame_free) struct scan_frame frame;
    struct pt_error err = {0};
    assert_ok(scan_source_next(source, 1000, &frame, &err), &err);
    assert_int_equal(frame.pixels[0], grey);
    assert_int_equal(frame.sequence, sequence);
    assert_true(frame.name[0] != 0);
}

static void expect_code(struct scan_source *source, enum pt_code want) {
    struct scan_frame frame;
    assert_int_equal(scan_source_next(source, 20, &frame, NULL), want);
    assert_null(frame.pixels);
}

static struct scan_source *open_at(const char *name, bool follow) {
    char path[400];
    struct scan_source *source;
    struct pt_error err = {0};
    snprintf(path, sizeof path, "%s/%s", scratch, name);
    assert_ok(scan_source_open(path, &(struct scan_source_options){.follow = follow}, &source, &err), &err);
    return source;
}

static void a_directory_is_read_in_name_order(void **state) {
    (void)state;
    put_picture("b.pgm", 'b');
    put_picture("a.pgm", 'a');
    put_picture(".hidden", 'x');
    put_picture("c.pgm.part", 'x');
    put_file("bad.png", "nothing", 7);
    struct scan_source *source = open_at("", false);
    expect_frame(source, 'a', 1);
    expect_frame(source, 'b', 2);
    expect_code(source, PT_INVALID);
    expect_code(source, PT_NOT_FOUND);
    expect_code(source, PT_NOT_FOUND);
    scan_source_close(source);
}

static void a_followed_directory_brings_new_files(void **state) {
    (void)state;
    put_picture("5", '5');
    struct scan_source *source = open_at("", true);
    expect_frame(source, '5', 1);
    expect_code(source, PT_UNAVAILABLE);
    put_picture("7", '7');
    put_picture("3", '3');  // a lower name that came later is read all the same
    expect_frame(source, '3', 2);
    expect_frame(source, '7', 3);
    expect_code(source, PT_UNAVAILABLE);
    put_file("8", "P5 1 1 255", 10);  // half written
    expect_code(source, PT_UNAVAILABLE);
    put_picture("8", '8');
    expect_frame(source, '8', 4);
    expect_code(source, PT_UNAVAILABLE);
    scan_source_close(source);
}

static void one_file_is_one_frame(void **state) {
    (void)state;
    put_picture("one", '1');
    struct scan_source *source = open_at("one", false);
    expect_frame(source, '1', 1);
    expect_code(source, PT_NOT_FOUND);
    scan_source_close(source);
    struct scan_source *none;
    assert_int_equal(scan_source_open("/nonexistent", &(struct scan_source_options){0}, &none, NULL), PT_NOT_FOUND);
}

static void a_pipe_carries_pictures_one_after_another(void **state) {
    (void)state;
    char path[400];
    snprintf(path, sizeof path, "%s/pipe", scratch);
    assert_int_equal(mkfifo(path, 0600), 0);
    struct scan_source *source = open_at("pipe", false);
    int end = open(path, O_WRONLY);
    assert_true(end >= 0);
    expect_code(source, PT_UNAVAILABLE);
    assert_int_equal(write(end, "P5 1 1 255 aP5 1 1 2", 20), 20);
    expect_frame(source, 'a', 1);
    expect_code(source, PT_UNAVAILABLE);
    assert_int_equal(write(end, "55 b\nP6 1 1 255 ccc", 19), 19);
    expect_frame(source, 'b', 2);
    expect_frame(source, 'c', 3);
    assert_int_equal(write(end, "P5 2 1 255 a", 12), 12);
    close(end);
    expect_code(source, PT_INVALID);  // ends in mid-picture
    expect_code(source, PT_NOT_FOUND);
    scan_source_close(source);
}

static void a_stream_of_something_else_ends(void **state) {
    (void)state;
    char path[400];
    snprintf(path, sizeof path, "%s/pipe", scratch);
    assert_int_equal(mkfifo(path, 0600), 0);
    struct scan_source *source = open_at("pipe", false);
    int end = open(path, O_WRONLY);
    assert_int_equal(write(end, "P5 60000 60000 255 ", 19), 19);
    expect_code(source, PT_LIMIT);
    expect_code(source, PT_NOT_FOUND);
    close(end);
    scan_source_close(source);
}

#define WITH_SCRATCH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_SCRATCH(a_directory_is_read_in_name_order), WITH_SCRATCH(a_followed_directory_brings_new_files),
        WITH_SCRATCH(one_file_is_one_frame),             WITH_SCRATCH(a_pipe_carries_pictures_one_after_another),
        WITH_SCRATCH(a_stream_of_something_else_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
