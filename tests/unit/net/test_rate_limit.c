// Token buckets: a client has its burst, then its rate; others have theirs; a flood of names costs nobody a token.
#include <stdio.h>

#include "common/net/rate_limit.h"
#include "tests/support/support.h"

static struct rate_limit *make(uint32_t per_second, uint32_t burst, uint32_t clients) {
    struct rate_limit *limit;
    struct pt_error err = {0};
    const struct rate_limit_options options = {per_second, burst, clients};
    assert_ok(rate_limit_new(&options, pt_env_system(), &limit, &err), &err);
    return limit;
}

static bool take(struct rate_limit *limit, const char *client, int64_t now, int64_t *wait) {
    return rate_limit_take(limit, pt_bytes_str(client), now, wait);
}

static void burst_then_rate(void **state) {
    (void)state;
    int64_t wait;
    struct rate_limit *limit = make(10, 5, 0);
    for (int i = 0; i < 5; i++) assert_true(take(limit, "a", 1000, &wait));
    assert_false(take(limit, "a", 1000, &wait));
    assert_int_equal(wait, 100);
    assert_true(take(limit, "b", 1000, &wait));
    assert_false(take(limit, "a", 1099, &wait));
    assert_true(take(limit, "a", 1100, &wait));
    assert_false(take(limit, "a", 1100, &wait));
    int64_t taken = 0;
    for (int64_t now = 1100; now < 11100; now++) taken += take(limit, "a", now, &wait);
    assert_in_range(taken, 98, 101);
    for (int i = 0; i < 5; i++) assert_true(take(limit, "a", 1000000000, &wait));  // long away: the burst, no more
    assert_false(take(limit, "a", 1000000000, &wait));
    assert_false(take(limit, "a", 5, &wait));  // a clock that goes back gives nothing
    rate_limit_free(limit);
}

static void a_flood_of_names_frees_nobody(void **state) {
    (void)state;
    int64_t wait;
    char name[32];
    struct rate_limit *limit = make(1, 3, 64);
    for (int i = 0; i < 3; i++) assert_true(take(limit, "greedy", 0, &wait));
    for (int i = 0; i < 10000; i++) {
        snprintf(name, sizeof name, "name %d", i);
        assert_true(take(limit, name, 0, &wait));
    }
    // All of the set's other buckets are fuller than the emptied one, which therefore stays.
    assert_false(take(limit, "greedy", 0, &wait));
    rate_limit_free(limit);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(burst_then_rate), cmocka_unit_test(a_flood_of_names_frees_nobody)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
