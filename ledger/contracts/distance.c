#include "ledger/contracts/distance.h"

#define DEGREE ((int64_t)1000000)
#define ONE ((int64_t)1 << 30)               // fixed point, 30 bits behind the point
#define RADIANS_OF_MILLIONTH ((int64_t)19650660)  // pi / 180e6, 50 bits behind the point
#define EARTH_DIAMETER ((int64_t)12742000)   // metres

static int64_t times(int64_t a, int64_t b) { return (a * b) >> 30; }

// Taylor's series up to the ninth power; 0 to 90 degrees, where it is right to 4 millionths.
static int64_t sine_of_acute(int64_t angle) {
    const int64_t x = (angle * RADIANS_OF_MILLIONTH) >> 20;
    const int64_t square = times(x, x);
    int64_t sum = ONE - square / 72;
    sum = ONE - times(square, sum) / 42;
    sum = ONE - times(square, sum) / 20;
    sum = ONE - times(square, sum) / 6;
    const int64_t sine = times(x, sum);
    return sine > ONE ? ONE : sine;
}

static int64_t absolute(int64_t value) { return value < 0 ? -value : value; }

static int64_t square_root(int64_t value) {  // of a fixed-point number
    int64_t root = 0;
    for (int64_t bit = ONE; bit > 0; bit >>= 1)
        if (root + bit <= ONE && (root + bit) * (root + bit) <= value * ONE) root += bit;
    return root;
}

// The acute angle of this sine, in millionths of a degree.
static int64_t angle_of_sine(int64_t sine) {
    int64_t low = 0, high = 90 * DEGREE;
    while (low < high) {
        const int64_t middle = (low + high) / 2;
        if (sine_of_acute(middle) < sine) low = middle + 1;
        else high = middle;
    }
    return low;
}

int64_t distance_metres(int64_t latitude_a, int64_t longitude_a, int64_t latitude_b, int64_t longitude_b) {
    int64_t across = absolute(longitude_a - longitude_b);
    if (across > 180 * DEGREE) across = 360 * DEGREE - across;
    const int64_t half_up = sine_of_acute(absolute(latitude_a - latitude_b) / 2), half_across = sine_of_acute(across / 2);
    const int64_t cosines = times(sine_of_acute(90 * DEGREE - absolute(latitude_a)), sine_of_acute(90 * DEGREE - absolute(latitude_b)));
    int64_t haversine = times(half_up, half_up) + times(cosines, times(half_across, half_across));
    if (haversine > ONE) haversine = ONE;
    const int64_t angle = (angle_of_sine(square_root(haversine)) * RADIANS_OF_MILLIONTH) >> 20;
    return (EARTH_DIAMETER * angle) >> 30;
}
