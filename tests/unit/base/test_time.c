#include "common/base/time.h"
#include "tests/support/support.h"

static void check_round_trip(const char *text, const char *again, const char *utc_ms) {
    struct pt_instant instant;
    struct pt_error err = {0};
    assert_ok(pt_instant_parse(pt_bytes_str(text), &instant, &err), &err);
    struct pt_buf out = PT_BUF_INIT(100);
    pt_instant_append(&out, &instant);
    assert_string_equal(pt_buf_cstr(&out), again);
    pt_buf_clear(&out);
    pt_instant_append_utc_ms(&out, &instant);
    assert_string_equal(pt_buf_cstr(&out), utc_ms);
    pt_buf_free(&out);
}

static void instants_round_trip(void **state) {
    (void)state;
    check_round_trip("2020-03-04T11:00:30+01:00", "2020-03-04T11:00:30+01:00", "2020-03-04T10:00:30.000Z");
    check_round_trip("2005-07-11T11:30:47.0Z", "2005-07-11T11:30:47Z", "2005-07-11T11:30:47.000Z");
    check_round_trip("1969-12-31T23:59:59.9995Z", "1969-12-31T23:59:59.999500Z", "1970-01-01T00:00:00.000Z");
    check_round_trip("2024-02-29T00:00:00.123456789-06:00", "2024-02-29T00:00:00.123456789-06:00", "2024-02-29T06:00:00.123Z");
    check_round_trip("2022-02-15T01:33:31.116000-06:00", "2022-02-15T01:33:31.116-06:00", "2022-02-15T07:33:31.116Z");
}

static void malformed_times_are_refused(void **state) {
    (void)state;
    const char *bad[] = {
        "", "2020-03-04", "2020-03-04T11:00:30", "2020-02-30T00:00:00Z", "2023-02-29T00:00:00Z", "2020-13-01T00:00:00Z",
        "2020-03-04T24:00:00Z", "2020-03-04T11:60:30Z", "2020-03-04T11:00:60Z", "2020-03-04T11:00:30+15:00",
        "2020-03-04T11:00:30.Z", "2020-03-04T11:00:30Zx", "2020-3-4T11:00:30Z", "2020-03-04 11:00:30Z", "2020-03-04T11:00:30+0100",
    };
    struct pt_instant instant;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(pt_instant_parse(pt_bytes_str(bad[i]), &instant, NULL), PT_INVALID);
    int16_t minutes;
    assert_int_equal(pt_offset_parse(pt_bytes_str("-06:30"), &minutes, NULL), PT_OK);
    assert_int_equal(minutes, -390);
    assert_int_equal(pt_offset_parse(pt_bytes_str("+6:00"), &minutes, NULL), PT_INVALID);
    assert_int_equal(pt_offset_parse(pt_bytes_str("Z"), &minutes, NULL), PT_INVALID);
}

static void civil_days_agree_both_ways(void **state) {
    (void)state;
    assert_int_equal(pt_days_from_civil(1970, 1, 1), 0);
    for (int64_t day = -800000; day < 800000; day += 37) {
        int64_t year;
        unsigned month;
        unsigned day_of_month;
        pt_civil_from_days(day, &year, &month, &day_of_month);
        assert_int_equal(pt_days_from_civil(year, month, day_of_month), day);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(instants_round_trip),
        cmocka_unit_test(malformed_times_are_refused),
        cmocka_unit_test(civil_days_agree_both_ways),
    };
    return cmocka_run_group_tests_name("base time", tests, NULL, NULL);
}
