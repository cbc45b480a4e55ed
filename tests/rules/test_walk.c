// Random walks through the rules, each step held against the model: PACKTRAIL_RULES_STEPS of them, both profiles in turn,
// from PACKTRAIL_RULES_SEED on (then only one episode of it, told step by step).
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/rules/model.h"
#include "tests/support/support.h"

#define EPISODE ((uint64_t)500)
#define FIRST_SEED ((uint64_t)1)

static struct expectations expected;

static uint64_t steps(void) {
    const char *given = getenv("PACKTRAIL_RULES_STEPS"), *length = getenv("PACKTRAIL_TEST_LENGTH");
    if (given) return strtoull(given, NULL, 10);
#ifdef __SANITIZE_ADDRESS__
    return 200000;
#endif
    if (length && strcmp(length, "long") == 0) return 100000000;
    return length && strcmp(length, "quick") == 0 ? 500000 : 3000000;
}

static void walk_on(const char *profile) {
    static struct walk walk;
    struct timespec from, to;
    const char *given = getenv("PACKTRAIL_RULES_SEED"), *first_given = getenv("PACKTRAIL_RULES_FIRST_SEED");
    const uint64_t first = given ? strtoull(given, NULL, 10) : first_given ? strtoull(first_given, NULL, 10) : FIRST_SEED;
    const uint64_t episodes = given ? 1 : steps() / 2 / EPISODE;
    expectations_read(&expected);
    walk_begin(&walk, profile, RULE_VERSION_NEWEST, &expected);
    walk.trace = given != NULL;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    for (uint64_t i = 0; i < episodes; i++) walk_episode(&walk, first + i, EPISODE);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    const double seconds = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
    print_message("# %s: %llu steps, seeds %llu to %llu, %zu alerted, %zu late, %zu corrected, %u deep, %.1f us a step\n", profile, (unsigned long long)(episodes * EPISODE),
                  (unsigned long long)first, (unsigned long long)(first + episodes - 1), walk.alerted, walk.late, walk.corrected, (unsigned)walk.deepest,
                  seconds * 1e6 / (double)(episodes * EPISODE));
    // A walk that goes nowhere proves nothing.
    if (!given) {
        const bool wanted_part = walk.china;
        for (unsigned i = LIFECYCLE_COMMISSIONED; i < LIFECYCLE_STATES; i++)
            if (!walk.reached[i] && (i != LIFECYCLE_PART_DISPENSED || wanted_part))
                fail_msg("%s: nothing was ever %s", profile, lifecycle_state_name((enum lifecycle_state)i));
        assert_true(walk.deepest >= HIERARCHY_MAX && walk.late > 0 && walk.alerted > 0);
    }
    walk_end(&walk);
}

static void in_china(void **state) {
    (void)state;
    walk_on("cn");
}

static void in_europe(void **state) {
    (void)state;
    walk_on("eu");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(in_china), cmocka_unit_test(in_europe)};
    return cmocka_run_group_tests_name("rules walk", tests, NULL, NULL);
}
