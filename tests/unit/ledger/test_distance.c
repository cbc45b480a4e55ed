// Distances in integers: known pairs, the date line, the poles, and no distance at all.
#include <stdlib.h>

#include "ledger/contracts/distance.h"
#include "tests/support/support.h"

static void about(int64_t metres, int64_t wanted) { assert_true(llabs(metres - wanted) * 500 <= wanted + 500); }

static void known_pairs(void **state) {
    (void)state;
    about(distance_metres(39904200, 116407400, 31230400, 121473700), 1067300);    // Beijing, Shanghai
    about(distance_metres(52520000, 13405000, 48856600, 2352200), 877500);        // Berlin, Paris
    about(distance_metres(51507400, -127800, 40712800, -74006000), 5570200);      // London, New York
    about(distance_metres(0, 0, 0, 1000000), 111195);                             // a degree on the equator
}

static void edges(void **state) {
    (void)state;
    assert_int_equal(distance_metres(47841000, 12981100, 47841000, 12981100), 0);
    about(distance_metres(0, 179500000, 0, -179500000), 111195);                  // across the date line
    about(distance_metres(90000000, 0, -90000000, 0), 20015087);                  // pole to pole
    assert_true(distance_metres(90000000, 10000000, 90000000, -100000000) < 100); // one pole, two longitudes
    assert_int_equal(distance_metres(1000000, 2000000, 3000000, 4000000), distance_metres(3000000, 4000000, 1000000, 2000000));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(known_pairs), cmocka_unit_test(edges)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
