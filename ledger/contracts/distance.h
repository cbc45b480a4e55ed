// How far two places are from each other, in integers alone: every executor must come to the same metre.
#ifndef PACKTRAIL_LEDGER_CONTRACTS_DISTANCE_H
#define PACKTRAIL_LEDGER_CONTRACTS_DISTANCE_H

#include <stdint.h>

// Great-circle distance in metres on a sphere of 6,371 km (within 0.6 % of the ellipsoid's); coordinates in millionths of
// a degree, latitudes within ±90, longitudes within ±180.
int64_t distance_metres(int64_t latitude_a, int64_t longitude_a, int64_t latitude_b, int64_t longitude_b);

#endif
