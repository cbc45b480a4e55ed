#include "common/identify/gs1_date.h"
#include "tests/support/support.h"

static void check(const char *yymmdd, int current_year, const char *expected) {
    struct gs1_date date;
    struct pt_error err = {0};
    assert_ok(gs1_date_parse(yymmdd, current_year, &date, &err), &err);
    char text[11];
    gs1_date_format(&date, text);
    assert_string_equal(text, expected);
}

static void the_century_follows_the_sliding_window(void **state) {
    (void)state;
    check("260101", 2026, "2026-01-01");
    check("760101", 2026, "2076-01-01"); // 50 ahead
    check("770101", 2026, "1977-01-01"); // 51 ahead
    check("990101", 2026, "1999-01-01");
    check("000101", 2026, "2000-01-01");
    check("500101", 2099, "2050-01-01"); // 49 behind
    check("490101", 2099, "2149-01-01"); // 50 behind
    check("000101", 2060, "2100-01-01");
    check("100101", 2060, "2110-01-01");
    check("110101", 2060, "2011-01-01");
    check("510101", 2000, "1951-01-01");
    check("500101", 2000, "2050-01-01");
}

static void day_00_is_the_last_of_the_month(void **state) {
    (void)state;
    check("270200", 2026, "2027-02-28");
    check("280200", 2026, "2028-02-29");
    check("000200", 2060, "2100-02-28");
    check("261200", 2026, "2026-12-31");
}

static void impossible_dates_are_refused(void **state) {
    (void)state;
    const char *bad[] = {"261301", "260001", "260230", "260431", "000229", "26010", "2601a1", ""};
    struct gs1_date date;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(gs1_date_parse(bad[i], 2060, &date, NULL), PT_INVALID);
    struct pt_error err;
    assert_int_equal(gs1_date_parse("260132", 2026, &date, &err), PT_INVALID);
    assert_int_equal(err.position, 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_century_follows_the_sliding_window),
        cmocka_unit_test(day_00_is_the_last_of_the_month),
        cmocka_unit_test(impossible_dates_are_refused),
    };
    return cmocka_run_group_tests_name("identify gs1_date", tests, NULL, NULL);
}
