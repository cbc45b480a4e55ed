// Each code judged at once, taken or not, undone, insisted on; and what the events then say.
#include <string.h>

#include "common/epcis/packtrail_terms.h"
#include "tests/unit/work/bench.h"

#define SSCC "(00)069012345000000011"

static void what_is_scanned_is_signed(void **state) {
    (void)state;
    struct bench *bench = bench_open("cn");
    struct work_start start = bench_start("receive");
    struct pt_arena arena = {0};
    start.staff = "ABCDEF";
    start.source = "https://id.gs1.org/417/6901234000009";
    world.clock_error_s = 3;
    bench_begin(bench, &start);
    expect_scan(bench, label(GTIN_A, "1", "L1", "271231"), WORK_ADDED, WORK_GOOD, true);
    expect_scan(bench, label(GTIN_A, "2", "L1", "271231"), WORK_ADDED, WORK_GOOD, true);
    expect_scan(bench, "81234561234567890123", WORK_ADDED, WORK_GOOD, true);
    expect_scan(bench, SSCC, WORK_ADDED, WORK_GOOD, true);
    assert_int_equal(counts(bench).counted, 4);
    const struct work_signed out = finish(bench);
    assert_int_equal(out.events, 1);
    assert_int_equal(out.packs, 4);
    const struct epcis_event event = event_at(bench, 0, &arena);
    assert_int_equal(event.epcs.count, 4);
    assert_string_equal(event.biz_step, "receiving");
    assert_string_equal(event.sources.items[0].id, start.source);
    assert_string_equal(term_text(&event, PACKTRAIL_TERM_STAFF, 0), "ABCDEF");
    assert_int_equal(term_number(&event, PACKTRAIL_TERM_CLOCK_ERROR), 3);
    assert_string_equal(term_text(&event, PACKTRAIL_TERM_INSISTED, 0), "");
    assert_int_equal(history_count(bench->history), 1);
    pt_arena_free(&arena);
    bench_close(bench);
}

static void what_is_no_pack_is_not_taken(void **state) {
    (void)state;
    struct bench *bench = bench_open("cn");
    const struct work_start start = bench_start("receive");
    bench_begin(bench, &start);
    expect_scan(bench, label(GTIN_A, "1", NULL, NULL), WORK_ADDED, WORK_GOOD, true);
    expect_scan(bench, label(GTIN_A, "1", "L1", "271231"), WORK_DUPLICATE, WORK_ATTENTION, false);
    expect_scan(bench, "6901234567892", WORK_PRODUCT_CODE, WORK_ATTENTION, false);
    expect_scan(bench, "(01)" GTIN_A "(10)L1", WORK_PRODUCT_CODE, WORK_ATTENTION, false);
    struct work_answer answer = scan(bench, "(01)06901234567890(21)1");
    assert_int_equal(answer.verdict, WORK_UNREADABLE);
    assert_int_equal(answer.tone, WORK_STOP);
    assert_int_equal(answer.why.position, 17);
    assert_false(answer.may_insist);
    assert_int_equal(work_insist(bench->work, &answer, NULL), PT_INVALID);
    expect_scan(bench, "", WORK_UNREADABLE, WORK_STOP, false);
    assert_int_equal(counts(bench).counted, 1);
    answer = scan(bench, "6901234567892");
    assert_string_equal(answer.product_en, "Aspirin");
    bench_close(bench);
}

static void undo_takes_the_newest_out(void **state) {
    (void)state;
    struct bench *bench = bench_open("cn");
    const struct work_start start = bench_start("pack");
    struct work_answer answer;
    bench_begin(bench, &start);
    assert_int_equal(work_undo(bench->work, &answer, NULL), PT_NOT_FOUND);
    scan(bench, label(GTIN_A, "1", NULL, NULL));
    expect_scan(bench, SSCC, WORK_PARENT, WORK_GOOD, true);
    scan(bench, label(GTIN_A, "2", NULL, NULL));
    assert_ok(work_undo(bench->work, &answer, &bench->err), &bench->err);
    assert_int_equal(answer.verdict, WORK_REMOVED);
    assert_string_equal(answer.pack.serial, "2");
    assert_true(counts(bench).has_parent);
    assert_ok(work_undo(bench->work, &answer, &bench->err), &bench->err);
    assert_int_equal(answer.pack.kind, PACK_SSCC);
    assert_false(counts(bench).has_parent);
    struct work_signed out;
    assert_int_equal(work_finish(bench->work, &out, NULL), PT_INVALID);
    assert_int_equal(events_signed(bench), 0);
    expect_scan(bench, label(GTIN_A, "2", NULL, NULL), WORK_ADDED, WORK_GOOD, true);
    expect_scan(bench, SSCC, WORK_PARENT, WORK_GOOD, true);
    expect_scan(bench, SSCC, WORK_DUPLICATE, WORK_ATTENTION, false);
    assert_int_equal(finish(bench).packs, 2);
    bench_close(bench);
}

static void recalled_and_expired(void **state) {
    (void)state;
    struct bench *bench = bench_open("cn");
    struct work_start start = bench_start("receive");
    struct work_answer answer;
    struct pt_arena arena = {0};
    world.recalled = "R";
    bench_begin(bench, &start);
    expect_scan(bench, label(GTIN_A, "R", NULL, NULL), WORK_RECALLED, WORK_STOP, true);
    expect_scan(bench, label(GTIN_A, "E", NULL, "251231"), WORK_EXPIRED, WORK_STOP, true);
    finish(bench);
    start = bench_start("ship");
    work_close(bench->work);
    bench_begin(bench, &start);
    expect_scan(bench, label(GTIN_A, "R", NULL, NULL), WORK_RECALLED, WORK_STOP, false);
    assert_ok(work_insist(bench->work, &answer, &bench->err), &bench->err);
    assert_true(answer.taken);
    assert_int_equal(work_insist(bench->work, &answer, NULL), PT_INVALID);
    // The place's day began eight hours before UTC's: what ends on 31 December is over there.
    expect_scan(bench, label(GTIN_A, "E", NULL, "251231"), WORK_EXPIRED, WORK_STOP, false);
    expect_scan(bench, label(GTIN_A, "F", NULL, "260101"), WORK_ADDED, WORK_GOOD, true);
    finish(bench);
    const struct epcis_event event = event_at(bench, 1, &arena);
    assert_string_equal(term_text(&event, PACKTRAIL_TERM_INSISTED, 0), "https://id.gs1.org/01/" GTIN_A "/21/R;recalled");
    assert_string_equal(term_text(&event, PACKTRAIL_TERM_INSISTED, 1), "");
    pt_arena_free(&arena);
    bench_close(bench);
}

static void a_forged_tag_is_no_pack(void **state) {
    (void)state;
    struct bench *bench = bench_open("cn");
    const struct work_start start = bench_start("ship");
    const struct pt_bytes uid = pt_bytes_of("\x04\x01\x02\x03\x04\x05\x06", 7), link = pt_bytes_str("https://id.gs1.org/01/" GTIN_A "/21/7");
    struct work_answer answer;
    struct pt_arena arena = {0};
    bench_begin(bench, &start);
    assert_ok(work_scan_link(bench->work, link, uid, TAG_MESSAGE_REPLAYED, 5, &answer, &bench->err), &bench->err);
    assert_int_equal(answer.verdict, WORK_FAKE_TAG);
    assert_false(answer.taken);
    assert_false(answer.may_insist);
    assert_ok(work_scan_link(bench->work, link, uid, TAG_MESSAGE_GOOD, 6, &answer, &bench->err), &bench->err);
    assert_int_equal(answer.verdict, WORK_ADDED);
    finish(bench);
    const struct epcis_event event = event_at(bench, 0, &arena);
    assert_string_equal(term_text(&event, PACKTRAIL_TERM_TAPS, 0), "urn:packtrail:nfc:04010203040506;6");
    pt_arena_free(&arena);
    bench_close(bench);
}

static void handled_before_is_told_for_thirty_days(void **state) {
    (void)state;
    struct bench *bench = bench_open("cn");
    const struct work_start start = bench_start("ship");
    bench_begin(bench, &start);
    scan(bench, label(GTIN_A, "1", NULL, NULL));
    finish(bench);
    bench_restart(bench, NULL);
    world.now += 29 * (pt_millis)86400000;
    bench_begin(bench, &start);
    const struct work_answer answer = scan(bench, label(GTIN_A, "1", NULL, NULL));
    assert_int_equal(answer.verdict, WORK_DONE_BEFORE);
    assert_true(answer.may_insist);
    assert_false(answer.supervisor);
    assert_ok(work_drop(bench->work, &bench->err), &bench->err);
    work_close(bench->work);
    world.now += 2 * (pt_millis)86400000;
    bench_begin(bench, &start);
    expect_scan(bench, label(GTIN_A, "1", NULL, NULL), WORK_ADDED, WORK_GOOD, true);
    bench_close(bench);
}

static void products(void **state) {
    (void)state;
    struct bench *bench = bench_open("cn");
    struct work_start start = bench_start("ship");
    start.only_product = GTIN_A;
    bench_begin(bench, &start);
    expect_scan(bench, label(GTIN_A, "1", NULL, NULL), WORK_ADDED, WORK_GOOD, true);
    // The same product in its case, and under its Chinese code.
    expect_scan(bench, label(GTIN_A_CASE, "1", NULL, NULL), WORK_ADDED, WORK_GOOD, true);
    expect_scan(bench, CN_SMALL "1234567890123", WORK_ADDED, WORK_GOOD, true);
    expect_scan(bench, label(GTIN_B, "1", NULL, NULL), WORK_WRONG_PRODUCT, WORK_STOP, false);
    expect_scan(bench, label(GTIN_NEW, "1", NULL, NULL), WORK_WRONG_PRODUCT, WORK_STOP, false);
    assert_ok(work_drop(bench->work, &bench->err), &bench->err);
    work_close(bench->work);
    start.only_product = NULL;
    bench_begin(bench, &start);
    expect_scan(bench, label(GTIN_NEW, "1", NULL, NULL), WORK_UNKNOWN_PRODUCT, WORK_ATTENTION, true);
    bench_close(bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_scanned_is_signed), cmocka_unit_test(what_is_no_pack_is_not_taken), cmocka_unit_test(undo_takes_the_newest_out),
        cmocka_unit_test(recalled_and_expired),      cmocka_unit_test(a_forged_tag_is_no_pack),      cmocka_unit_test(handled_before_is_told_for_thirty_days),
        cmocka_unit_test(products),
    };
    return cmocka_run_group_tests_name("work scan", tests, NULL, NULL);
}
