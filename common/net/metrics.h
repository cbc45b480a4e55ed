// Counters, gauges and histograms by name and labels, written as Prometheus text (exposition format 0.0.4).
// All calls are safe from any thread; a metric, once made, lives as long as its registry.
#ifndef PACKTRAIL_COMMON_NET_METRICS_H
#define PACKTRAIL_COMMON_NET_METRICS_H

#include "common/base/bytes.h"

struct metrics;
struct metric;

struct metrics *metrics_new(void);  // NULL without memory
void metrics_free(struct metrics *metrics);

// The metric of this name and these labels, made on the first call. labels: "route=\"/blocks\",status=\"200\"" or
// NULL. Values of labels go through metrics_label. Where memory or the ceiling of 10,000 metrics is at an end, or
// the name is taken by another kind, a metric comes back that counts but is not shown; never NULL.
struct metric *metrics_counter(struct metrics *metrics, const char *name, const char *labels, const char *help);
struct metric *metrics_gauge(struct metrics *metrics, const char *name, const char *labels, const char *help);
// Seconds, in 14 buckets from 0.5 ms to 10 s.
struct metric *metrics_histogram(struct metrics *metrics, const char *name, const char *labels, const char *help);

void metric_add(struct metric *metric, uint64_t count);        // counter
void metric_set(struct metric *metric, int64_t value);         // gauge
void metric_change(struct metric *metric, int64_t difference); // gauge
void metric_observe(struct metric *metric, double seconds);    // histogram
int64_t metric_value(const struct metric *metric);             // counter, gauge; a histogram's count

// Appends name="value" (a comma before it if `out` holds something), the value escaped.
void metrics_label(struct pt_buf *out, const char *name, struct pt_bytes value);

// All metrics, those of one name together, in the order of their first making.
void metrics_write(struct metrics *metrics, struct pt_buf *out);
#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

#endif
