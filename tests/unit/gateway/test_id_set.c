#include <string.h>

#include "gateway/spool/id_set.h"
#include "tests/support/disk_fake.h"
#include "tests/support/support.h"

enum { UNIVERSE = 4096, STEPS = 200000 };

// Half of the ids share their low bits, so that long runs of probes form and break.
static struct pt_digest id_of(unsigned number) {
    struct pt_digest id = {{0}};
    const uint32_t low = number % 2 ? 7 : number;
    memcpy(id.bytes, &low, sizeof low);
    memcpy(id.bytes + 16, &number, sizeof number);
    return id;
}

static void behaves_like_an_array_of_flags(void **state) {
    (void)state;
    static bool there[UNIVERSE];
    struct id_set set = {0};
    size_t count = 0;
    uint64_t seed = 11;
    for (unsigned step = 0; step < STEPS; step++) {
        const unsigned number = (unsigned)(disk_fake_random(&seed) % UNIVERSE);
        const struct pt_digest id = id_of(number);
        assert_int_equal(id_set_contains(&set, &id), there[number]);
        if (disk_fake_random(&seed) % 2) {
            assert_int_equal(id_set_add(&set, &id, NULL), PT_OK);
            count += !there[number];
            there[number] = true;
        } else {
            id_set_remove(&set, &id);
            count -= there[number];
            there[number] = false;
        }
        assert_int_equal(set.count, count);
    }
    for (unsigned number = 0; number < UNIVERSE; number++) {
        const struct pt_digest id = id_of(number);
        assert_int_equal(id_set_contains(&set, &id), there[number]);
    }
    id_set_free(&set);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(behaves_like_an_array_of_flags)};
    return cmocka_run_group_tests_name("gateway id set", tests, NULL, NULL);
}
