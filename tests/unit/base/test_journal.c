#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/journal.h"
#include "common/base/siphash.h"
#include "tests/support/disk_fake.h"
#include "tests/support/support.h"

#define FRAME 32

// Record contents are a function of their number, so that any record can be checked alone.
static struct pt_buf record_of(uint64_t number) {
    struct pt_buf out = PT_BUF_INIT(1 << 20);
    uint64_t seed = number * 7919 + 1;
    const size_t len = (size_t)(disk_fake_random(&seed) % 700);
    for (size_t i = 0; i < len; i++) pt_buf_byte(&out, (uint8_t)(number + i));
    return out;
}

static void assert_record(uint64_t number, struct pt_bytes found) {
    struct pt_buf expected = record_of(number);
    if (!pt_bytes_equal(found, pt_buf_bytes(&expected))) fail_msg("record %llu differs", (unsigned long long)number);
    pt_buf_free(&expected);
}

struct seen {
    uint64_t first;
    uint64_t count;
    struct pt_journal_position positions[5000];
};

static enum pt_code see(void *arg, const struct pt_journal_position *position, struct pt_bytes record, struct pt_error *err) {
    struct seen *seen = arg;
    (void)err;
    if (seen->count == 0) seen->first = position->number;
    assert_int_equal(position->number, seen->first + seen->count);
    assert_record(position->number, record);
    assert_true(seen->count < 5000);
    seen->positions[seen->count++] = *position;
    return PT_OK;
}

static enum pt_code append(struct pt_journal *journal, struct pt_journal_position *at, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf record = record_of(pt_journal_next(journal));
    const size_t half = record.len / 2;
    const struct pt_bytes parts[] = {{record.data, half}, {record.data + half, record.len - half}};
    return pt_journal_append(journal, parts, 2, at, err);
}

static const struct pt_journal_options small_segments = {.segment_bytes = 2000};

static void records_come_back_in_order_and_by_position(void **state) {
    (void)state;
    char dir[256];
    test_scratch(dir);
    struct pt_error err = {0};
    struct pt_disk disk;
    assert_ok(pt_disk_posix_open(dir, &disk, &err), &err);
    struct pt_journal *journal;
    assert_ok(pt_journal_open(&disk, &small_segments, NULL, NULL, &journal, &err), &err);
    struct pt_journal_position positions[100];
    for (int i = 0; i < 100; i++) assert_ok(append(journal, &positions[i], &err), &err);
    assert_ok(pt_journal_sync(journal, &err), &err);
    assert_int_equal(pt_journal_next(journal), 100);
    assert_true(positions[99].segment > 5);
    struct pt_journal *second = NULL;
    assert_int_equal(pt_journal_open(&disk, &small_segments, NULL, NULL, &second, &err), PT_UNAVAILABLE);
    const uint64_t bytes = pt_journal_bytes(journal);
    pt_journal_close(journal);
    static struct seen seen;
    memset(&seen, 0, sizeof seen);
    assert_ok(pt_journal_open(&disk, &small_segments, see, &seen, &journal, &err), &err);
    assert_int_equal(seen.count, 100);
    assert_int_equal(pt_journal_bytes(journal), bytes);
    assert_memory_equal(&seen.positions[57], &positions[57], sizeof(uint64_t) * 2);
    for (int i = 99; i >= 0; i--) {
        PT_CLEANUP(pt_buf_free) struct pt_buf out = PT_BUF_INIT(1 << 20);
        assert_ok(pt_journal_read(journal, &positions[i], &out, &err), &err);
        assert_record((uint64_t)i, pt_buf_bytes(&out));
    }
    pt_journal_close(journal);
    pt_disk_posix_close(&disk);
    test_scratch_remove(dir);
}

static void a_record_past_the_ceiling_changes_nothing(void **state) {
    (void)state;
    struct disk_fake *fake = disk_fake_new();
    struct pt_error err = {0};
    struct pt_journal *journal;
    assert_ok(pt_journal_open(disk_fake_disk(fake), NULL, NULL, NULL, &journal, &err), &err);
    uint8_t *big = calloc(1, PT_JOURNAL_MAX_RECORD + 1);
    assert_non_null(big);
    const struct pt_bytes over = {big, PT_JOURNAL_MAX_RECORD + 1};
    const struct pt_bytes full = {big, PT_JOURNAL_MAX_RECORD};
    assert_int_equal(pt_journal_append(journal, &over, 1, NULL, &err), PT_LIMIT);
    struct pt_journal_position at;
    assert_ok(pt_journal_append(journal, &full, 1, &at, &err), &err);
    assert_ok(pt_journal_append(journal, NULL, 0, NULL, &err), &err);
    struct pt_buf out = PT_BUF_INIT(PT_JOURNAL_MAX_RECORD);
    assert_ok(pt_journal_read(journal, &at, &out, &err), &err);
    assert_int_equal(out.len, PT_JOURNAL_MAX_RECORD);
    pt_buf_free(&out);
    free(big);
    pt_journal_close(journal);
    assert_ok(pt_journal_open(disk_fake_disk(fake), NULL, NULL, NULL, &journal, &err), &err);
    assert_int_equal(pt_journal_next(journal), 2);
    pt_journal_close(journal);
    const struct pt_journal_options huge = {.segment_bytes = (uint64_t)1 << 40};
    assert_int_equal(pt_journal_open(disk_fake_disk(fake), &huge, NULL, NULL, &journal, &err), PT_USAGE);
    disk_fake_free(fake);
}

// A journal of `synced` records, synced, and `more` that are not; the first unsynced position in *at.
static struct disk_fake *prepared(unsigned synced, unsigned more, struct pt_journal_position *at) {
    struct disk_fake *fake = disk_fake_new();
    struct pt_error err = {0};
    struct pt_journal *journal;
    assert_ok(pt_journal_open(disk_fake_disk(fake), NULL, NULL, NULL, &journal, &err), &err);
    for (unsigned i = 0; i < synced; i++) assert_ok(append(journal, at, &err), &err);
    assert_ok(pt_journal_sync(journal, &err), &err);
    for (unsigned i = 0; i < more; i++) assert_ok(append(journal, i == 0 ? at : NULL, &err), &err);
    pt_journal_close(journal);
    return fake;
}

static uint64_t reopened_count(struct disk_fake *fake) {
    static struct seen seen;
    memset(&seen, 0, sizeof seen);
    struct pt_error err = {0};
    struct pt_journal *journal;
    assert_ok(pt_journal_open(disk_fake_disk(fake), NULL, see, &seen, &journal, &err), &err);
    assert_int_equal(pt_journal_next(journal), seen.count);
    assert_ok(append(journal, NULL, &err), &err);  // what was cut off must not come back behind it
    pt_journal_close(journal);
    const uint64_t count = seen.count;
    memset(&seen, 0, sizeof seen);
    assert_ok(pt_journal_open(disk_fake_disk(fake), NULL, see, &seen, &journal, &err), &err);
    assert_int_equal(seen.count, count + 1);
    pt_journal_close(journal);
    return count;
}

static void every_prefix_of_the_last_record_is_cut_off(void **state) {
    (void)state;
    struct pt_journal_position at;
    struct disk_fake *fake = prepared(3, 1, &at);
    const size_t whole = disk_fake_content(fake, "segment-0000000000")->len;
    disk_fake_free(fake);
    assert_true(whole - at.offset > FRAME + 20);
    for (size_t len = (size_t)at.offset; len <= whole; len++) {
        fake = prepared(3, 1, &at);
        disk_fake_content(fake, "segment-0000000000")->len = len;
        assert_int_equal(reopened_count(fake), len == whole ? 4 : 3);
        disk_fake_free(fake);
    }
}

static void every_flipped_byte_of_an_unsynced_record_is_cut_off(void **state) {
    (void)state;
    struct pt_journal_position at;
    for (size_t i = 0;; i++) {
        struct disk_fake *fake = prepared(2, 3, &at);
        struct pt_buf *content = disk_fake_content(fake, "segment-0000000000");
        if (at.offset + i >= content->len) {
            disk_fake_free(fake);
            break;
        }
        content->data[at.offset + i] ^= 0x41;
        const uint64_t count = reopened_count(fake);
        assert_true(count >= 2 && count < 5);
        disk_fake_free(fake);
    }
}

static void every_flipped_byte_of_a_synced_record_stops_the_opening(void **state) {
    (void)state;
    struct pt_journal_position at;
    for (unsigned more = 0; more < 2; more++) {
        for (size_t i = 0;; i++) {
            struct disk_fake *fake = prepared(4, more, &at);
            struct pt_buf *content = disk_fake_content(fake, "segment-0000000000");
            const size_t end = more ? (size_t)at.offset : content->len - FRAME;  // a mark stands behind a sync
            if (i >= end) {
                disk_fake_free(fake);
                break;
            }
            content->data[i] ^= 0x41;
            struct pt_error err = {0};
            struct pt_journal *journal = NULL;
            if (pt_journal_open(disk_fake_disk(fake), NULL, NULL, NULL, &journal, &err) != PT_UNVERIFIED)
                fail_msg("damage at %zu was not noticed", i);
            assert_string_equal(err.where, "segment-0000000000");
            assert_true(err.position >= 0 && err.position <= (long)i);
            assert_non_null(strstr(err.what, "offset"));
            disk_fake_free(fake);
        }
    }
}

static void damage_in_an_older_segment_and_missing_segments_are_named(void **state) {
    (void)state;
    static struct seen seen;
    struct pt_error err = {0};
    for (int kind = 0; kind < 3; kind++) {
        struct disk_fake *fake = disk_fake_new();
        const struct pt_disk *disk = disk_fake_disk(fake);
        struct pt_journal *journal;
        assert_ok(pt_journal_open(disk, &small_segments, NULL, NULL, &journal, &err), &err);
        for (int i = 0; i < 40; i++) assert_ok(append(journal, NULL, &err), &err);
        pt_journal_close(journal);
        if (kind == 0) disk_fake_content(fake, "segment-0000000001")->data[300] ^= 1;
        if (kind == 1) disk_fake_content(fake, "segment-0000000001")->len -= FRAME + 1;
        if (kind == 2) assert_ok(disk->remove(disk->ctx, "segment-0000000001", &err), &err);
        memset(&seen, 0, sizeof seen);
        assert_int_equal(pt_journal_open(disk, &small_segments, see, &seen, &journal, &err), PT_UNVERIFIED);
        assert_string_equal(err.where, kind == 2 ? "segment-0000000002" : "segment-0000000001");
        disk_fake_free(fake);
    }
}

static void a_failed_write_leaves_a_readable_journal_that_refuses_until_reopened(void **state) {
    (void)state;
    for (long n = 0; n < 8; n++) {
        for (size_t torn = 0; torn < 200; torn += 13) {
            struct disk_fake *fake = disk_fake_new();
            struct pt_error err = {0};
            struct pt_journal *journal;
            struct pt_journal_position first;
            assert_ok(pt_journal_open(disk_fake_disk(fake), &small_segments, NULL, NULL, &journal, &err), &err);
            assert_ok(append(journal, &first, &err), &err);
            assert_ok(pt_journal_sync(journal, &err), &err);
            disk_fake_fail_at(fake, n, PT_UNAVAILABLE, torn);
            enum pt_code code = PT_OK;
            for (int i = 0; code == PT_OK && i < 20; i++) {
                code = append(journal, NULL, &err);
                if (code == PT_OK && i % 3 == 0) code = pt_journal_sync(journal, &err);
            }
            assert_int_equal(code, PT_UNAVAILABLE);
            const uint64_t next = pt_journal_next(journal);
            disk_fake_fail_at(fake, -1, PT_OK, 0);
            assert_int_equal(append(journal, NULL, &err), PT_UNAVAILABLE);
            assert_int_equal(pt_journal_sync(journal, &err), PT_UNAVAILABLE);
            struct pt_buf out = PT_BUF_INIT(1 << 20);
            assert_ok(pt_journal_read(journal, &first, &out, &err), &err);
            assert_record(0, pt_buf_bytes(&out));
            pt_buf_free(&out);
            pt_journal_close(journal);
            static struct seen seen;
            memset(&seen, 0, sizeof seen);
            assert_ok(pt_journal_open(disk_fake_disk(fake), &small_segments, see, &seen, &journal, &err), &err);
            assert_true(seen.count == next || seen.count == next + 1);
            assert_ok(append(journal, NULL, &err), &err);
            assert_ok(pt_journal_sync(journal, &err), &err);
            pt_journal_close(journal);
            disk_fake_free(fake);
        }
    }
}

static void dropping_and_truncating_keep_the_rest(void **state) {
    (void)state;
    static struct seen seen;
    struct disk_fake *fake = disk_fake_new();
    struct pt_error err = {0};
    struct pt_journal *journal;
    struct pt_journal_position at[60];
    assert_ok(pt_journal_open(disk_fake_disk(fake), &small_segments, NULL, NULL, &journal, &err), &err);
    for (int i = 0; i < 60; i++) assert_ok(append(journal, &at[i], &err), &err);
    const uint64_t before = pt_journal_bytes(journal);
    assert_ok(pt_journal_drop_before(journal, 30, &err), &err);
    assert_true(pt_journal_bytes(journal) < before);
    struct pt_buf out = PT_BUF_INIT(1 << 20);
    assert_int_equal(pt_journal_read(journal, &at[0], &out, &err), PT_NOT_FOUND);
    assert_ok(pt_journal_read(journal, &at[30], &out, &err), &err);
    struct pt_journal_position wrong = at[45];
    wrong.offset++;
    assert_int_equal(pt_journal_truncate(journal, &wrong, &err), PT_UNVERIFIED);
    assert_int_equal(pt_journal_read(journal, &wrong, &out, &err), PT_UNVERIFIED);
    assert_ok(pt_journal_truncate(journal, &at[45], &err), &err);
    assert_int_equal(pt_journal_next(journal), 45);
    assert_int_equal(pt_journal_read(journal, &at[45], &out, &err), PT_NOT_FOUND);
    assert_int_equal(pt_journal_read(journal, &at[59], &out, &err), PT_NOT_FOUND);
    const struct pt_journal_position end = {.number = 45};
    assert_ok(pt_journal_truncate(journal, &end, &err), &err);
    assert_ok(append(journal, NULL, &err), &err);
    assert_ok(pt_journal_drop_before(journal, UINT64_MAX, &err), &err);  // the last segment stays
    pt_journal_close(journal);
    pt_buf_free(&out);
    memset(&seen, 0, sizeof seen);
    assert_ok(pt_journal_open(disk_fake_disk(fake), &small_segments, see, &seen, &journal, &err), &err);
    assert_int_equal(seen.first + seen.count, 46);
    pt_journal_close(journal);
    disk_fake_free(fake);
}

struct run {
    struct disk_fake *fake;
    struct pt_journal *journal;
    uint64_t seed;
    uint64_t safe;     // records below are synced
    uint64_t dropped;  // records below may be gone
    struct pt_journal_position positions[5000];
};

// One random step; false once the disk has failed.
static bool step(struct run *run) {
    struct pt_error err = {0};
    const uint64_t dice = disk_fake_random(&run->seed) % 100;
    const uint64_t next = pt_journal_next(run->journal);
    if (dice < 70) return append(run->journal, &run->positions[next], &err) == PT_OK;
    if (dice < 90) {
        if (pt_journal_sync(run->journal, &err) != PT_OK) return false;
        run->safe = next;
        return true;
    }
    if (dice < 95 && next > 0) {
        const uint64_t before = disk_fake_random(&run->seed) % next;
        if (before > run->dropped) run->dropped = before;
        return pt_journal_drop_before(run->journal, before, &err) == PT_OK;
    }
    if (next == 0 || run->dropped >= next) return true;
    const uint64_t cut = run->dropped + disk_fake_random(&run->seed) % (next - run->dropped);
    if (cut < run->safe) run->safe = cut;
    const enum pt_code code = pt_journal_truncate(run->journal, &run->positions[cut], &err);
    if (code == PT_OK) run->safe = cut;
    return code == PT_OK;
}

static void after_any_crash_the_synced_prefix_is_intact(void **state) {
    (void)state;
    static struct seen seen;
    static struct run run;
    for (uint64_t seed = 1; seed <= 400; seed++) {
        memset(&run, 0, sizeof run);
        run.seed = seed;
        run.fake = disk_fake_new();
        for (int life = 0; life < 6; life++) {
            struct pt_error err = {0};
            memset(&seen, 0, sizeof seen);
            enum pt_code code = pt_journal_open(disk_fake_disk(run.fake), &small_segments, see, &seen, &run.journal, &err);
            if (code != PT_OK) fail_msg("seed %llu, life %d: %s", (unsigned long long)seed, life, err.what);
            const uint64_t end = pt_journal_next(run.journal);
            if (end < run.safe) fail_msg("seed %llu: %llu of %llu", (unsigned long long)seed, (unsigned long long)end, (unsigned long long)run.safe);
            if (seen.count > 0) {
                assert_true(seen.first <= run.dropped);
                assert_int_equal(seen.first + seen.count, end);
                memcpy(&run.positions[seen.first], seen.positions, seen.count * sizeof *seen.positions);
            }
            run.safe = end;
            if (disk_fake_random(&run.seed) % 2)
                disk_fake_fail_at(run.fake, (long)(disk_fake_random(&run.seed) % 60), PT_UNAVAILABLE, disk_fake_random(&run.seed) % 900);
            const uint64_t steps = disk_fake_random(&run.seed) % 60;
            for (uint64_t i = 0; i < steps && step(&run); i++) {}
            pt_journal_close(run.journal);
            if (disk_fake_random(&run.seed) % 4) disk_fake_crash(run.fake, &run.seed);
            else disk_fake_fail_at(run.fake, -1, PT_OK, 0);
        }
        disk_fake_free(run.fake);
    }
}

static void a_crash_while_opening_is_survived(void **state) {
    (void)state;
    for (long n = 0; n < 12; n++) {
        for (uint64_t seed = 1; seed < 20; seed++) {
            struct pt_journal_position at;
            struct disk_fake *fake = n % 2 ? prepared(3, 3, &at) : disk_fake_new();
            struct pt_error err = {0};
            uint64_t dice = seed;
            disk_fake_fail_at(fake, n / 2, PT_IO, seed * 3);
            struct pt_journal *journal = NULL;
            if (pt_journal_open(disk_fake_disk(fake), NULL, NULL, NULL, &journal, &err) == PT_OK) pt_journal_close(journal);
            disk_fake_crash(fake, &dice);
            assert_ok(pt_journal_open(disk_fake_disk(fake), NULL, NULL, NULL, &journal, &err), &err);
            assert_true(pt_journal_next(journal) >= (n % 2 ? 3 : 0));
            pt_journal_close(journal);
            disk_fake_free(fake);
        }
    }
}

// Whoever writes a record must not be able to make its inside look like a frame.
static void a_frame_inside_a_record_is_no_evidence(void **state) {
    (void)state;
    struct disk_fake *fake = disk_fake_new();
    struct pt_error err = {0};
    struct pt_journal *journal;
    assert_ok(pt_journal_open(disk_fake_disk(fake), NULL, NULL, NULL, &journal, &err), &err);
    uint8_t content[64 * FRAME];
    for (size_t i = 0; i < sizeof content; i += FRAME) {
        memset(content + i, 0, FRAME);
        content[i + 8] = (uint8_t)(1 + i / FRAME);
    }
    const struct pt_bytes parts[] = {{content, sizeof content}};
    assert_ok(pt_journal_append(journal, parts, 1, NULL, &err), &err);
    pt_journal_close(journal);
    disk_fake_content(fake, "segment-0000000000")->data[48] ^= 1;
    assert_ok(pt_journal_open(disk_fake_disk(fake), NULL, NULL, NULL, &journal, &err), &err);
    assert_int_equal(pt_journal_next(journal), 0);
    pt_journal_close(journal);
    disk_fake_free(fake);
}

struct shared {
    struct pt_journal *journal;
    _Atomic uint64_t written;
    struct pt_journal_position positions[3000];
    _Atomic bool wrong;
};

static void *read_along(void *arg) {
    struct shared *shared = arg;
    uint64_t seed = (uint64_t)(uintptr_t)&seed;
    struct pt_buf out = PT_BUF_INIT(1 << 20);
    while (atomic_load(&shared->written) < 3000) {
        const uint64_t written = atomic_load(&shared->written);
        if (written == 0) continue;
        const uint64_t i = disk_fake_random(&seed) % written;
        pt_buf_clear(&out);
        struct pt_buf expected = record_of(i);
        if (pt_journal_read(shared->journal, &shared->positions[i], &out, NULL) != PT_OK ||
            !pt_bytes_equal(pt_buf_bytes(&out), pt_buf_bytes(&expected)))
            atomic_store(&shared->wrong, true);
        pt_buf_free(&expected);
    }
    pt_buf_free(&out);
    return NULL;
}

static void *sync_along(void *arg) {
    struct shared *shared = arg;
    while (atomic_load(&shared->written) < 3000)
        if (pt_journal_sync(shared->journal, NULL) != PT_OK) atomic_store(&shared->wrong, true);
    return NULL;
}

static void reading_and_syncing_go_on_beside_appending(void **state) {
    (void)state;
    static struct shared shared;
    char dir[256];
    test_scratch(dir);
    struct pt_error err = {0};
    struct pt_disk disk;
    assert_ok(pt_disk_posix_open(dir, &disk, &err), &err);
    const struct pt_journal_options options = {.segment_bytes = 20000};
    assert_ok(pt_journal_open(&disk, &options, NULL, NULL, &shared.journal, &err), &err);
    pthread_t threads[3];
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, i < 2 ? read_along : sync_along, &shared), 0);
    for (uint64_t i = 0; i < 3000; i++) {
        assert_ok(append(shared.journal, &shared.positions[i], &err), &err);
        atomic_store(&shared.written, i + 1);
    }
    for (size_t i = 0; i < 3; i++) pthread_join(threads[i], NULL);
    assert_false(atomic_load(&shared.wrong));
    pt_journal_close(shared.journal);
    pt_disk_posix_close(&disk);
    test_scratch_remove(dir);
}

// Key 00…0f, inputs 00, 00 01, …: the first and last values that the authors of SipHash published.
static void siphash_agrees_with_its_paper(void **state) {
    (void)state;
    const struct pt_siphash_key key = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};
    uint8_t input[64];
    for (size_t i = 0; i < sizeof input; i++) input[i] = (uint8_t)i;
    assert_int_equal(pt_siphash(key, pt_bytes_of(input, 0)), 0x726fdb47dd0e0e31u);
    assert_int_equal(pt_siphash(key, pt_bytes_of(input, 15)), 0xa129ca6149be45e5u);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(siphash_agrees_with_its_paper),
        cmocka_unit_test(records_come_back_in_order_and_by_position),
        cmocka_unit_test(a_record_past_the_ceiling_changes_nothing),
        cmocka_unit_test(every_prefix_of_the_last_record_is_cut_off),
        cmocka_unit_test(every_flipped_byte_of_an_unsynced_record_is_cut_off),
        cmocka_unit_test(every_flipped_byte_of_a_synced_record_stops_the_opening),
        cmocka_unit_test(damage_in_an_older_segment_and_missing_segments_are_named),
        cmocka_unit_test(a_failed_write_leaves_a_readable_journal_that_refuses_until_reopened),
        cmocka_unit_test(dropping_and_truncating_keep_the_rest),
        cmocka_unit_test(after_any_crash_the_synced_prefix_is_intact),
        cmocka_unit_test(a_crash_while_opening_is_survived),
        cmocka_unit_test(a_frame_inside_a_record_is_no_evidence),
        cmocka_unit_test(reading_and_syncing_go_on_beside_appending),
    };
    return cmocka_run_group_tests_name("base journal", tests, NULL, NULL);
}
