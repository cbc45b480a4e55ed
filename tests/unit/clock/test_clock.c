// The clock guard against a clock that the test sets.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "firmware/clock/clock.h"
#include "tests/support/support.h"

static pt_millis clock_now;
static pt_millis now(void *ctx) {
    (void)ctx;
    return clock_now;
}
static const struct pt_env env = {.now = now};
static const pt_millis NOON = 1790000000000, DAY = 86400000, YEAR = 365 * 86400000LL;
static char scratch[256], file[300];

static int set_up(void **state) {
    (void)state;
    test_scratch(scratch);
    snprintf(file, sizeof file, "%s/clock", scratch);
    clock_now = NOON;
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    test_scratch_remove(scratch);
    return 0;
}

static struct clock_guard *open_guard(void) {
    struct clock_guard *guard;
    struct pt_error err = {0};
    assert_ok(clock_guard_open(file, &env, 120000, &guard, &err), &err);
    return guard;
}

static struct clock_status status_of(struct clock_guard *guard) {
    struct clock_status status;
    clock_guard_status(guard, &status);
    return status;
}

static void nothing_is_claimed_before_a_measurement(void **state) {
    (void)state;
    struct clock_guard *guard = open_guard();
    const struct clock_status status = status_of(guard);
    assert_int_equal(status.state, CLOCK_UNMEASURED);
    assert_int_equal(status.error_s, -1);
    assert_int_equal(clock_guard_now(guard), NOON);
    clock_guard_close(guard);
}

static void error_holds_trip_resolution_and_drift(void **state) {
    (void)state;
    struct clock_guard *guard = open_guard();
    clock_now = NOON + 400;
    clock_guard_measured(guard, NOON, NOON - 300, NOON + 400);  // offset 0, 200 ms of trip, 500 ms of resolution
    struct clock_status status = status_of(guard);
    assert_int_equal(status.state, CLOCK_GOOD);
    assert_int_equal(status.offset_ms, 0);
    assert_int_equal(status.error_s, 1);
    clock_now += 10 * DAY;  // 864 s a million seconds at 100 ppm: 86.4 s in ten days
    assert_int_equal(status_of(guard).error_s, 88);
    clock_guard_close(guard);
}

static void drift_is_said_and_measured_anew(void **state) {
    (void)state;
    struct clock_guard *guard = open_guard();
    clock_guard_measured(guard, NOON, NOON + 600000, NOON);
    assert_int_equal(status_of(guard).state, CLOCK_DRIFTED);
    assert_int_equal(status_of(guard).offset_ms, 600500);
    assert_true(status_of(guard).error_s >= 601);
    clock_now += 600500;
    clock_guard_measured(guard, clock_now, clock_now - 500, clock_now);
    assert_int_equal(status_of(guard).state, CLOCK_GOOD);
    clock_guard_close(guard);
}

static void set_back_by_a_year_is_noticed_also_after_a_restart(void **state) {
    (void)state;
    struct clock_guard *guard = open_guard();
    clock_guard_measured(guard, NOON, NOON, NOON);
    clock_now -= YEAR;
    assert_int_equal(clock_guard_now(guard), NOON - YEAR);
    assert_int_equal(status_of(guard).state, CLOCK_SET_BACK);
    assert_true(status_of(guard).error_s >= YEAR / 1000);
    clock_guard_close(guard);
    guard = open_guard();
    assert_int_equal(status_of(guard).state, CLOCK_SET_BACK);
    assert_true(status_of(guard).error_s >= YEAR / 1000);
    // At the next contact it is known how wrong it is.
    clock_guard_measured(guard, clock_now, NOON, clock_now);
    assert_int_equal(status_of(guard).state, CLOCK_DRIFTED);
    assert_int_equal(status_of(guard).offset_ms, YEAR + 500);
    clock_guard_close(guard);
}

static void a_clock_that_is_put_right_is_good_again(void **state) {
    (void)state;
    struct clock_guard *guard = open_guard();
    clock_guard_measured(guard, NOON, NOON, NOON);
    clock_now -= 3600000;
    assert_int_equal(status_of(guard).state, CLOCK_SET_BACK);
    clock_now += 3600000 + 1;
    assert_int_equal(status_of(guard).state, CLOCK_GOOD);
    clock_now -= 1500;  // what time synchronisation does is no set-back
    assert_int_equal(status_of(guard).state, CLOCK_GOOD);
    clock_guard_close(guard);
}

static void damaged_file_and_nonsense_are_harmless(void **state) {
    (void)state;
    FILE *out = fopen(file, "w");
    fputs("nonsense", out);
    fclose(out);
    struct clock_guard *guard = open_guard();
    assert_int_equal(status_of(guard).state, CLOCK_UNMEASURED);
    clock_guard_measured(guard, NOON + 10, NOON, NOON);  // answered before it was asked
    assert_int_equal(status_of(guard).state, CLOCK_UNMEASURED);
    clock_guard_close(guard);
    assert_int_equal(unlink(file), 0);
    guard = open_guard();
    test_scratch_remove(scratch);  // no disk: work goes on
    clock_now += DAY;
    assert_int_equal(clock_guard_now(guard), NOON + DAY);
    clock_guard_close(guard);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_claimed_before_a_measurement, set_up, tear_down),
        cmocka_unit_test_setup_teardown(error_holds_trip_resolution_and_drift, set_up, tear_down),
        cmocka_unit_test_setup_teardown(drift_is_said_and_measured_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(set_back_by_a_year_is_noticed_also_after_a_restart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_clock_that_is_put_right_is_good_again, set_up, tear_down),
        cmocka_unit_test_setup(damaged_file_and_nonsense_are_harmless, set_up),
    };
    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
