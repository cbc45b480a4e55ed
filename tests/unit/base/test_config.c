#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/config.h"
#include "common/base/disk.h"
#include "tests/support/support.h"

static char *listen_on;
static char *spool_dir;
static int64_t batch;
static int64_t size;
static int64_t age;
static bool verify;

static const struct pt_config_key keys[] = {
    {"server", "listen", PT_CONFIG_TEXT, "127.0.0.1:8443", 1, 100, "address and port", .text = &listen_on},
    {"spool", "dir", PT_CONFIG_PATH, NULL, 1, 1000, "where statements wait", .text = &spool_dir},
    {"spool", "batch", PT_CONFIG_NUMBER, "500", 1, 10000, "statements in a block", .number = &batch},
    {"spool", "size", PT_CONFIG_BYTES, "1m", 1024, 1 << 30, "bytes in a block", .number = &size},
    {"spool", "age", PT_CONFIG_MILLIS, "500ms", 0, 7200000, "longest wait", .number = &age},
    {"spool", "verify", PT_CONFIG_BOOL, "yes", 0, 0, "check signatures", .flag = &verify},
};
#define KEY_COUNT (sizeof keys / sizeof *keys)

static char scratch[256];
static char path[300];

static int make_scratch(void **state) {
    (void)state;
    test_scratch(scratch);
    snprintf(path, sizeof path, "%s/test.conf", scratch);
    return 0;
}

static int remove_scratch(void **state) {
    (void)state;
    test_scratch_remove(scratch);
    return 0;
}

static enum pt_code load(const char *text, struct pt_error *err) {
    struct pt_error failed = {0};
    assert_ok(pt_file_replace(path, pt_bytes_str(text), 0600, &failed), &failed);
    return pt_config_load(path, keys, KEY_COUNT, err);
}

static void every_type_is_read(void **state) {
    (void)state;
    struct pt_error err = {0};
    assert_ok(load("# comment\n[server]\nlisten = [::1]:443 ; all of it\n\n[spool]\n  dir = sub/spool\nbatch=7\nsize = 64k\r\nage = 2h\nverify = no\n", &err), &err);
    assert_string_equal(listen_on, "[::1]:443 ; all of it");
    char expected[320];
    snprintf(expected, sizeof expected, "%s/sub/spool", scratch);
    assert_string_equal(spool_dir, expected);
    assert_int_equal(batch, 7);
    assert_int_equal(size, 65536);
    assert_false(verify);
    assert_int_equal(age, 7200000);
    pt_config_free(keys, KEY_COUNT);
    assert_null(spool_dir);
}

static void defaults_hold_for_what_is_not_said(void **state) {
    (void)state;
    struct pt_error err = {0};
    assert_ok(load("[spool]\ndir = /abs\n", &err), &err);
    assert_string_equal(spool_dir, "/abs");
    assert_string_equal(listen_on, "127.0.0.1:8443");
    assert_int_equal(size, 1 << 20);
    assert_int_equal(age, 500);
    assert_true(verify);
    pt_config_free(keys, KEY_COUNT);
    assert_int_equal(pt_config_load(NULL, keys, KEY_COUNT, &err), PT_USAGE);  // dir is required
    assert_int_equal(pt_config_load("/nowhere/at/all", keys, KEY_COUNT, &err), PT_NOT_FOUND);
}

static void mistakes_are_named_with_file_and_line(void **state) {
    (void)state;
    static const struct {
        const char *text;
        unsigned line;
        const char *word;
    } bad[] = {
        {"[spool]\ndir = a\ncolour = red\n", 3, "colour"},
        {"[spool]\ndir = a\n[other]\nlisten = x\n", 4, "other"},
        {"[spool]\ndir = a\ndir = b\n", 3, "twice"},
        {"[spool]\ndir = a\nbatch = 0\n", 3, "outside"},
        {"[spool]\ndir = a\nbatch = ten\n", 3, "whole number"},
        {"[spool]\ndir = a\nbatch = 99999999999999999999\n", 3, "whole number"},
        {"[spool]\ndir = a\nsize = 9223372036854775807g\n", 3, "size"},
        {"[spool]\ndir = a\nsize = 64kb\n", 3, "size"},
        {"[spool]\ndir = a\nage = 10\n", 3, "time"},
        {"[spool]\ndir = a\nverify = maybe\n", 3, "yes"},
        {"[spool]\ndir = a\n\nnonsense\n", 4, "key = value"},
        {"[spool\ndir = a\n", 1, ""},
        {"dir = a\n", 1, "section"},
        {"[spool]\ndir =\n", 2, "dir"},
        {"[spool]\nbatch = 7\n", 0, "required"},
        {"[spool]\ndir = \xFF\n", 2, "UTF-8"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct pt_error err = {0};
        if (load(bad[i].text, &err) != PT_USAGE) fail_msg("accepted: %s", bad[i].text);
        char place[320];
        if (bad[i].line > 0) snprintf(place, sizeof place, "%s:%u", path, bad[i].line);
        else snprintf(place, sizeof place, "%s", path);
        assert_string_equal(err.where, place);
        if (!strstr(err.what, bad[i].word)) fail_msg("'%s' does not say '%s'", err.what, bad[i].word);
        assert_null(spool_dir);
        assert_null(listen_on);
    }
}

static void long_lines_are_refused_not_cut(void **state) {
    (void)state;
    PT_CLEANUP(pt_buf_free) struct pt_buf text = PT_BUF_INIT(1 << 20);
    pt_buf_str(&text, "[spool]\ndir = ");
    for (int i = 0; i < 9000; i++) pt_buf_byte(&text, 'a');
    struct pt_error err = {0};
    assert_int_equal(load(pt_buf_cstr(&text), &err), PT_USAGE);
    assert_non_null(strstr(err.what, "too long"));
}

static void the_description_is_a_file_that_loads(void **state) {
    (void)state;
    PT_CLEANUP(pt_buf_free) struct pt_buf text = PT_BUF_INIT(1 << 16);
    pt_config_describe(keys, KEY_COUNT, &text);
    assert_non_null(strstr(pt_buf_cstr(&text), "# longest wait\nage = 500ms\n"));
    pt_buf_str(&text, "dir = /x\n");
    struct pt_error err = {0};
    assert_ok(load(pt_buf_cstr(&text), &err), &err);
    pt_config_free(keys, KEY_COUNT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_read),
        cmocka_unit_test(defaults_hold_for_what_is_not_said),
        cmocka_unit_test(mistakes_are_named_with_file_and_line),
        cmocka_unit_test(long_lines_are_refused_not_cut),
        cmocka_unit_test(the_description_is_a_file_that_loads),
    };
    return cmocka_run_group_tests_name("base config", tests, make_scratch, remove_scratch);
}
