#include "tools/load/samples.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int reserve(struct samples *samples, size_t more) {
    if (samples->room - samples->count >= more) return 1;
    const size_t room = (samples->count + more) * 2 + 1024;
    float *values = realloc(samples->values, room * sizeof *values);
    if (!values) return 0;
    samples->values = values;
    samples->room = room;
    return 1;
}

void samples_add(struct samples *samples, double value) {
    if (reserve(samples, 1)) samples->values[samples->count++] = (float)value;
}

void samples_append(struct samples *to, const struct samples *from) {
    if (from->count == 0 || !reserve(to, from->count)) return;
    memcpy(to->values + to->count, from->values, from->count * sizeof *from->values);
    to->count += from->count;
}

static int by_value(const void *a, const void *b) {
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static double at_share(const struct samples *samples, double share) {
    if (samples->count == 0) return 0;
    const double rank = ceil(share * (double)samples->count);
    const size_t place = rank < 1 ? 0 : (size_t)rank - 1;
    return (double)samples->values[place < samples->count ? place : samples->count - 1];
}

double samples_percentile(struct samples *samples, double share) {
    if (samples->count) qsort(samples->values, samples->count, sizeof *samples->values, by_value);
    return at_share(samples, share);
}

void samples_five(struct samples *samples, double out[5]) {
    static const double shares[5] = {0.5, 0.9, 0.99, 0.999, 1};
    if (samples->count) qsort(samples->values, samples->count, sizeof *samples->values, by_value);
    for (int i = 0; i < 5; i++) out[i] = at_share(samples, shares[i]);
}

void samples_free(struct samples *samples) {
    free(samples->values);
    *samples = (struct samples){0};
}
