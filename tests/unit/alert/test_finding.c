// Findings: what is written is read back, and nothing else is read.
#include <string.h>

#include "common/alert/finding.h"
#include "common/base/cleanup.h"
#include "common/cose/cbor.h"
#include "tests/support/support.h"

static enum pt_code round_trip(const struct alert_finding *finding, struct pt_arena *arena, struct alert_finding *back) {
    uint8_t memory[FINDING_MAX + 1];
    struct pt_buf bytes = PT_BUF_OVER(memory);
    const enum pt_code code = finding_encode(finding, &bytes, NULL);
    return code == PT_OK ? finding_decode(pt_buf_bytes(&bytes), arena, back, NULL) : code;
}

static void whole_and_least(void **state) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct alert_finding back;
    (void)state;
    const struct alert_finding least = {.alert = 1, .status = FINDING_INVESTIGATING};
    assert_int_equal(round_trip(&least, &arena, &back), PT_OK);
    assert_int_equal(back.status, FINDING_INVESTIGATING);
    assert_null(back.note);
    const struct alert_finding whole = {.alert = FINDING_NUMBER_MAX, .status = FINDING_CLOSED, .outcome = FINDING_CONFIRMED_FAKE,
                                        .note = "已核实", .related = {2, 7}, .related_count = 2};
    assert_int_equal(round_trip(&whole, &arena, &back), PT_OK);
    assert_int_equal(back.alert, FINDING_NUMBER_MAX);
    assert_int_equal(back.outcome, FINDING_CONFIRMED_FAKE);
    assert_string_equal(back.note, "已核实");
    assert_int_equal(back.related_count, 2);
    assert_int_equal(back.related[1], 7);
}

static void contradictions_are_refused(void **state) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct alert_finding back;
    char note[FINDING_NOTE_MAX + 2];
    (void)state;
    memset(note, 'n', sizeof note - 1);
    note[sizeof note - 1] = 0;
    const struct alert_finding wrong[] = {
        {.alert = 0, .status = FINDING_INVESTIGATING},
        {.alert = FINDING_NUMBER_MAX + 1, .status = FINDING_INVESTIGATING},
        {.alert = 1, .status = FINDING_NEW},
        {.alert = 1, .status = FINDING_CLOSED},
        {.alert = 1, .status = FINDING_CLOSED, .outcome = (enum finding_outcome)7},
        {.alert = 1, .status = FINDING_INVESTIGATING, .outcome = FINDING_MISTAKE},
        {.alert = 1, .status = FINDING_INVESTIGATING, .note = ""},
        {.alert = 1, .status = FINDING_INVESTIGATING, .note = note},
        {.alert = 1, .status = FINDING_INVESTIGATING, .note = "\xff"},
        {.alert = 1, .status = FINDING_INVESTIGATING, .related = {1}, .related_count = 1},
        {.alert = 1, .status = FINDING_INVESTIGATING, .related = {3, 2}, .related_count = 2},
        {.alert = 1, .status = FINDING_INVESTIGATING, .related = {2, 2}, .related_count = 2},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) assert_int_equal(round_trip(&wrong[i], &arena, &back), PT_INVALID);
}

static void other_bytes_are_refused(void **state) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct alert_finding back;
    (void)state;
    static const struct { const char *bytes; size_t len; } wrong[] = {
        {"", 0},
        {"\xa1\x01\x05", 3},                                  // no status
        {"\xa2\x02\x01\x01\x05", 5},                          // keys do not ascend
        {"\xa2\x01\x05\x02\x01\x00", 6},                      // a byte behind
        {"\xa2\x01\x18\x05\x02\x01", 6},                      // not the shortest form
        {"\xa3\x01\x05\x02\x01\x06\x01", 7},                  // a field that is not known
        {"\xa3\x01\x05\x02\x01\x05\x80", 7},                  // an empty list
        {"\xa3\x01\x05\x02\x01\x04\x61\x00", 8},              // a NUL
        {"\xa2\x01\x05\x02\x1b\x00\x00\x00\x01\x00\x00\x00\x01", 13},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_not_equal(finding_decode(pt_bytes_of(wrong[i].bytes, wrong[i].len), &arena, &back, NULL), PT_OK);
}

static void names_lead_back(void **state) {
    (void)state;
    for (enum finding_outcome outcome = FINDING_CONFIRMED_FAKE; outcome <= FINDING_UNEXPLAINED; outcome++) {
        enum finding_outcome back;
        assert_true(finding_outcome_of(finding_outcome_name(outcome), &back));
        assert_int_equal(back, outcome);
    }
    enum finding_status status;
    assert_false(finding_status_of("new", &status));
    assert_true(finding_status_of("closed", &status));
    assert_true(finding_clears(FINDING_TEST));
    assert_false(finding_clears(FINDING_UNEXPLAINED));
    assert_false(finding_clears(FINDING_CONFIRMED_WRONG));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(whole_and_least), cmocka_unit_test(contradictions_are_refused),
                                       cmocka_unit_test(other_bytes_are_refused), cmocka_unit_test(names_lead_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
