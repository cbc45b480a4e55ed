// The terminal's history: what was noted is found again after a power cut, the oldest goes first.
#include <stdio.h>
#include <string.h>

#include "firmware/history/history.h"
#include "tests/support/disk_fake.h"
#include "tests/support/support.h"

static struct history *open_history(struct disk_fake *disk, uint64_t most) {
    struct history *history;
    struct pt_error err = {0};
    assert_ok(history_open(disk_fake_disk(disk), most, &history, &err), &err);
    return history;
}

static struct pt_digest id_of(unsigned number) {
    struct pt_digest id = {{0}};
    id.bytes[0] = (uint8_t)(number >> 8);
    id.bytes[1] = (uint8_t)number;
    id.bytes[31] = 1;
    return id;
}

static void note(struct history *history, unsigned number) {
    char text[64];
    struct pt_error err = {0};
    const struct pt_digest id = id_of(number);
    snprintf(text, sizeof text, "event %u", number);
    assert_ok(history_note(history, &id, number, pt_bytes_str(text), &err), &err);
}

static void expect(struct history_item *item, unsigned number) {
    char text[64];
    snprintf(text, sizeof text, "event %u", number);
    const struct pt_digest id = id_of(number);
    assert_true(pt_digest_equal(&item->id, &id));
    assert_int_equal(item->sequence, number);
    assert_true(pt_bytes_equal(pt_buf_bytes(&item->payload), pt_bytes_str(text)));
    pt_buf_free(&item->payload);
}

static void newest_comes_first(void **state) {
    (void)state;
    struct disk_fake *disk = disk_fake_new();
    struct history *history = open_history(disk, 1 << 20);
    struct history_item item;
    struct pt_error err = {0};
    assert_int_equal(history_read(history, 0, &item, &err), PT_NOT_FOUND);
    for (unsigned i = 1; i <= 300; i++) note(history, i);
    assert_int_equal(history_count(history), 300);
    assert_ok(history_read(history, 0, &item, &err), &err);
    expect(&item, 300);
    assert_ok(history_read(history, 299, &item, &err), &err);
    expect(&item, 1);
    const struct pt_digest id = id_of(17), unknown = id_of(301);
    assert_ok(history_find(history, &id, &item, &err), &err);
    expect(&item, 17);
    assert_int_equal(history_find(history, &unknown, &item, &err), PT_NOT_FOUND);
    history_close(history);
    disk_fake_free(disk);
}

static void survives_power_cuts(void **state) {
    (void)state;
    struct disk_fake *disk = disk_fake_new();
    struct history_item item;
    struct pt_error err = {0};
    uint64_t seed = 4711;
    struct history *history = open_history(disk, 1 << 20);
    for (unsigned i = 1; i <= 60; i++) {
        note(history, i);
        if (i % 7 != 0) continue;
        history_close(history);
        disk_fake_crash(disk, &seed);
        history = open_history(disk, 1 << 20);
        assert_int_equal(history_count(history), i);
        assert_ok(history_read(history, 0, &item, &err), &err);
        expect(&item, i);
    }
    history_close(history);
    disk_fake_free(disk);
}

static void stays_small(void **state) {
    (void)state;
    struct disk_fake *disk = disk_fake_new();
    struct history *history = open_history(disk, 65536);
    struct history_item item;
    struct pt_error err = {0};
    for (unsigned i = 1; i <= 5000; i++) note(history, i);
    assert_in_range(history_count(history), 100, 4000);
    assert_ok(history_read(history, 0, &item, &err), &err);
    expect(&item, 5000);
    assert_ok(history_read(history, history_count(history) - 1, &item, &err), &err);
    pt_buf_free(&item.payload);
    history_close(history);
    history = open_history(disk, 65536);
    assert_ok(history_read(history, 0, &item, &err), &err);
    expect(&item, 5000);
    history_close(history);
    disk_fake_free(disk);
}

// The journal's first segment file.
static enum pt_code keep_first(void *arg, const char *name, struct pt_error *err) {
    static char kept[256];
    (void)err;
    if (strchr(name, '0')) {
        snprintf(kept, sizeof kept, "%s", name);
        *(const char **)arg = kept;
    }
    return PT_OK;
}

static bool first_name(const char **name, struct disk_fake *disk) {
    const struct pt_disk *reached = disk_fake_disk(disk);
    *name = NULL;
    return reached->list(reached->ctx, keep_first, name, NULL) == PT_OK && *name;
}

static void damage_does_not_stop_the_terminal(void **state) {
    (void)state;
    struct disk_fake *disk = disk_fake_new();
    struct history_item item;
    struct pt_error err = {0};
    struct history *history = open_history(disk, 1 << 20);
    for (unsigned i = 1; i <= 20; i++) note(history, i);
    history_close(history);
    const char *name;
    assert_true(first_name(&name, disk));
    struct pt_buf *content = disk_fake_content(disk, name);
    for (size_t i = content->len / 4; i < content->len / 2; i++) content->data[i] ^= 0x55;
    history = open_history(disk, 1 << 20);
    assert_int_equal(history_count(history), 0);
    note(history, 21);
    assert_ok(history_read(history, 0, &item, &err), &err);
    expect(&item, 21);
    history_close(history);
    disk_fake_free(disk);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(newest_comes_first), cmocka_unit_test(survives_power_cuts),
                                       cmocka_unit_test(stays_small),
                                       cmocka_unit_test(damage_does_not_stop_the_terminal)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
