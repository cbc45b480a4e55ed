#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/disk.h"
#include "tests/support/support.h"

static char scratch[256];
static char dir[300];
static struct pt_disk disk;

static int open_disk(void **state) {
    (void)state;
    test_scratch(scratch);
    snprintf(dir, sizeof dir, "%s/new", scratch);
    struct pt_error err = {0};
    assert_ok(pt_disk_posix_open(dir, &disk, &err), &err);
    return 0;
}

static int close_disk(void **state) {
    (void)state;
    pt_disk_posix_close(&disk);
    test_scratch_remove(scratch);
    return 0;
}

static void a_file_keeps_what_is_written(void **state) {
    (void)state;
    struct pt_error err = {0};
    struct pt_file *file = NULL;
    assert_int_equal(disk.open(disk.ctx, "a", false, &file, &err), PT_NOT_FOUND);
    assert_ok(disk.open(disk.ctx, "a", true, &file, &err), &err);
    assert_ok(disk.write_at(disk.ctx, file, 3, pt_bytes_str("hello"), &err), &err);
    assert_ok(disk.sync(disk.ctx, file, &err), &err);
    uint64_t size = 0;
    assert_ok(disk.size(disk.ctx, file, &size, &err), &err);
    assert_int_equal(size, 8);
    uint8_t back[8];
    assert_ok(disk.read_at(disk.ctx, file, 0, back, 8, &err), &err);
    assert_memory_equal(back, "\0\0\0hello", 8);
    assert_int_equal(disk.read_at(disk.ctx, file, 4, back, 5, &err), PT_NOT_FOUND);
    assert_ok(disk.truncate(disk.ctx, file, 4, &err), &err);
    assert_int_equal(disk.read_at(disk.ctx, file, 0, back, 5, &err), PT_NOT_FOUND);
    disk.close(disk.ctx, file);
    assert_ok(disk.rename(disk.ctx, "a", "b", &err), &err);
    assert_ok(disk.sync_dir(disk.ctx, &err), &err);
    assert_ok(disk.remove(disk.ctx, "b", &err), &err);
    assert_int_equal(disk.remove(disk.ctx, "b", &err), PT_NOT_FOUND);
    struct stat found;
    assert_int_equal(stat(dir, &found), 0);
    assert_int_equal(found.st_mode & 0777, 0700);
}

static enum pt_code count_one(void *arg, const char *name, struct pt_error *err) {
    if (strcmp(name, "stop") == 0) return pt_fail(err, PT_CONFLICT, name, "stopped");
    ++*(int *)arg;
    return PT_OK;
}

static void listing_names_files_only_and_stops_at_an_error(void **state) {
    (void)state;
    struct pt_error err = {0};
    char sub[320];
    snprintf(sub, sizeof sub, "%s/folder", dir);
    mkdir(sub, 0700);
    struct pt_file *file = NULL;
    for (int i = 0; i < 2; i++) {
        assert_ok(disk.open(disk.ctx, i ? "x" : "y", true, &file, &err), &err);
        disk.close(disk.ctx, file);
    }
    int count = 0;
    assert_ok(disk.list(disk.ctx, count_one, &count, &err), &err);
    assert_int_equal(count, 2);
    assert_ok(disk.open(disk.ctx, "stop", true, &file, &err), &err);
    disk.close(disk.ctx, file);
    assert_int_equal(disk.list(disk.ctx, count_one, &count, &err), PT_CONFLICT);
}

static void a_lock_has_one_holder(void **state) {
    (void)state;
    struct pt_error err = {0};
    struct pt_file *first = NULL;
    struct pt_file *second = NULL;
    assert_ok(disk.lock(disk.ctx, "lock", &first, &err), &err);
    assert_int_equal(disk.lock(disk.ctx, "lock", &second, &err), PT_UNAVAILABLE);
    assert_null(second);
    disk.close(disk.ctx, first);
    assert_ok(disk.lock(disk.ctx, "lock", &second, &err), &err);
    disk.close(disk.ctx, second);
}

static void replacing_leaves_no_litter_and_sets_the_mode(void **state) {
    (void)state;
    char path[320];
    snprintf(path, sizeof path, "%s/key.pem", dir);
    struct pt_error err = {0};
    assert_ok(pt_file_replace(path, pt_bytes_str("old"), 0644, &err), &err);
    assert_ok(pt_file_replace(path, pt_bytes_str("new content"), 0600, &err), &err);
    struct stat found;
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_mode & 0777, 0600);
    PT_CLEANUP(pt_buf_free) struct pt_buf content = PT_BUF_INIT(11);
    assert_ok(pt_file_read(path, &content, &err), &err);
    assert_string_equal(pt_buf_cstr(&content), "new content");
    struct pt_buf small = PT_BUF_INIT(10);
    assert_int_equal(pt_file_read(path, &small, &err), PT_LIMIT);
    pt_buf_free(&small);
    struct test_names names = test_list(dir, "");
    assert_int_equal(names.count, 1);
    test_names_free(&names);
    assert_int_equal(pt_file_replace("/nowhere/at/all", pt_bytes_str(""), 0600, &err), PT_NOT_FOUND);
    assert_int_equal(pt_file_read("/nowhere/at/all", &content, &err), PT_NOT_FOUND);
}

static void a_full_disk_is_unavailable_not_broken(void **state) {
    (void)state;
    struct pt_error err = {0};
    struct pt_disk dev;
    assert_ok(pt_disk_posix_open("/dev", &dev, &err), &err);
    struct pt_file *full = NULL;
    assert_ok(dev.open(dev.ctx, "full", false, &full, &err), &err);
    assert_int_equal(dev.write_at(dev.ctx, full, 0, pt_bytes_str("x"), &err), PT_UNAVAILABLE);
    dev.close(dev.ctx, full);
    pt_disk_posix_close(&dev);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_keeps_what_is_written, open_disk, close_disk),
        cmocka_unit_test_setup_teardown(listing_names_files_only_and_stops_at_an_error, open_disk, close_disk),
        cmocka_unit_test_setup_teardown(a_lock_has_one_holder, open_disk, close_disk),
        cmocka_unit_test_setup_teardown(replacing_leaves_no_litter_and_sets_the_mode, open_disk, close_disk),
        cmocka_unit_test(a_full_disk_is_unavailable_not_broken),
    };
    return cmocka_run_group_tests_name("base disk", tests, NULL, NULL);
}
