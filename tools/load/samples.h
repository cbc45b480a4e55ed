// Measured times, kept one by one: percentiles are exact.
#ifndef PACKTRAIL_TOOLS_LOAD_SAMPLES_H
#define PACKTRAIL_TOOLS_LOAD_SAMPLES_H

#include <stddef.h>

struct samples {
    float *values;
    size_t count, room;
};

void samples_add(struct samples *samples, double value);  // dropped when memory is out
void samples_append(struct samples *to, const struct samples *from);
// Sorts. The least value that at least `share` (0 to 1) of all do not exceed; 0 if there are none.
double samples_percentile(struct samples *samples, double share);
void samples_five(struct samples *samples, double out[5]);  // p50, p90, p99, p99.9, greatest
void samples_free(struct samples *samples);

#endif
