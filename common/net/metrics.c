#include "common/net/metrics.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_METRICS 10000u
#define TABLE_SIZE 16384u  // a power of two above MAX_METRICS

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

static const double bounds[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
#define BOUND_COUNT (sizeof bounds / sizeof *bounds)

struct metric {
    enum metric_kind kind;
    char *name;
    char *labels;
    char *help;
    _Atomic int64_t value;
    _Atomic uint64_t buckets[BOUND_COUNT + 1];
    _Atomic uint64_t sum_nanos;
};

struct metrics {
    pthread_mutex_t mutex;
    struct metric **list;  // in the order of making
    size_t count;
    uint16_t table[TABLE_SIZE];  // index into list + 1, open addressing
    struct metric unseen;        // takes what cannot be shown
};

struct metrics *metrics_new(void) {
    struct metrics *metrics = calloc(1, sizeof *metrics);
    if (metrics) pthread_mutex_init(&metrics->mutex, NULL);
    return metrics;
}

static void free_metric(struct metric *metric) {
    if (!metric) return;
    free(metric->name);
    free(metric->labels);
    free(metric->help);
    free(metric);
}

void metrics_free(struct metrics *metrics) {
    if (!metrics) return;
    for (size_t i = 0; i < metrics->count; i++) free_metric(metrics->list[i]);
    free(metrics->list);
    pthread_mutex_destroy(&metrics->mutex);
    free(metrics);
}

static uint64_t hash(const char *name, const char *labels) {
    uint64_t h = 0xcbf29ce484222325u;
    for (const char *at = name; *at; at++) h = (h ^ (uint8_t)*at) * 0x100000001b3u;
    for (const char *at = labels; *at; at++) h = (h ^ (uint8_t)*at) * 0x100000001b3u;
    return h;
}

static struct metric *make(struct metrics *metrics, enum metric_kind kind, const char *name, const char *labels,
                           const char *help) {
    struct metric **grown = realloc(metrics->list, (metrics->count + 1) * sizeof(struct metric *));
    if (!grown) return NULL;
    metrics->list = grown;
    struct metric *metric = calloc(1, sizeof *metric);
    if (!metric) return NULL;
    metric->kind = kind;
    metric->name = strdup(name);
    metric->labels = strdup(labels);
    metric->help = strdup(help ? help : "");
    if (!metric->name || !metric->labels || !metric->help) {
        free_metric(metric);
        return NULL;
    }
    metrics->list[metrics->count++] = metric;
    return metric;
}

static struct metric *find_or_make(struct metrics *metrics, enum metric_kind kind, const char *name, const char *labels,
                                   const char *help) {
    for (uint64_t at = hash(name, labels);; at++) {
        uint16_t *slot = &metrics->table[at % TABLE_SIZE];
        if (*slot == 0) {
            if (metrics->count >= MAX_METRICS) return NULL;
            struct metric *made = make(metrics, kind, name, labels, help);
            if (made) *slot = (uint16_t)metrics->count;
            return made;
        }
        struct metric *found = metrics->list[*slot - 1];
        if (strcmp(found->name, name) == 0 && strcmp(found->labels, labels) == 0) return found->kind == kind ? found : NULL;
    }
}

static struct metric *get(struct metrics *metrics, enum metric_kind kind, const char *name, const char *labels,
                          const char *help) {
    pthread_mutex_lock(&metrics->mutex);
    struct metric *metric = find_or_make(metrics, kind, name, labels ? labels : "", help);
    pthread_mutex_unlock(&metrics->mutex);
    return metric ? metric : &metrics->unseen;
}

struct metric *metrics_counter(struct metrics *metrics, const char *name, const char *labels, const char *help) {
    return get(metrics, METRIC_COUNTER, name, labels, help);
}

struct metric *metrics_gauge(struct metrics *metrics, const char *name, const char *labels, const char *help) {
    return get(metrics, METRIC_GAUGE, name, labels, help);
}

struct metric *metrics_histogram(struct metrics *metrics, const char *name, const char *labels, const char *help) {
    return get(metrics, METRIC_HISTOGRAM, name, labels, help);
}

void metric_add(struct metric *metric, uint64_t count) {
    atomic_fetch_add_explicit(&metric->value, (int64_t)count, memory_order_relaxed);
}

void metric_set(struct metric *metric, int64_t value) { atomic_store_explicit(&metric->value, value, memory_order_relaxed); }

void metric_change(struct metric *metric, int64_t difference) {
    atomic_fetch_add_explicit(&metric->value, difference, memory_order_relaxed);
}

void metric_observe(struct metric *metric, double seconds) {
    size_t bucket = 0;
    while (bucket < BOUND_COUNT && !(seconds <= bounds[bucket])) bucket++;
    atomic_fetch_add_explicit(&metric->buckets[bucket], 1, memory_order_relaxed);
    if (seconds > 0) atomic_fetch_add_explicit(&metric->sum_nanos, (uint64_t)(seconds * 1e9), memory_order_relaxed);
    metric_add(metric, 1);
}

int64_t metric_value(const struct metric *metric) { return atomic_load_explicit(&metric->value, memory_order_relaxed); }

void metrics_label(struct pt_buf *out, const char *name, struct pt_bytes value) {
    pt_buf_printf(out, "%s%s=\"", out->len > 0 ? "," : "", name);
    for (size_t i = 0; i < value.len; i++) {
        const uint8_t c = value.data[i];
        if (c == '\n') pt_buf_str(out, "\\n");
        else if (c == '"' || c == '\\') pt_buf_printf(out, "\\%c", c);
        else pt_buf_byte(out, c < 0x20 || c == 0x7f ? '?' : c);
    }
    pt_buf_byte(out, '"');
}

static void write_line(struct pt_buf *out, const struct metric *metric, const char *suffix, const char *more) {
    pt_buf_printf(out, "%s%s", metric->name, suffix);
    const bool both = metric->labels[0] && more[0];
    if (metric->labels[0] || more[0]) pt_buf_printf(out, "{%s%s%s}", metric->labels, both ? "," : "", more);
}

static void write_histogram(struct pt_buf *out, const struct metric *metric) {
    uint64_t below = 0;
    for (size_t i = 0; i <= BOUND_COUNT; i++) {
        char bound[40];
        below += atomic_load_explicit(&metric->buckets[i], memory_order_relaxed);
        if (i < BOUND_COUNT) snprintf(bound, sizeof bound, "le=\"%g\"", bounds[i]);
        else strcpy(bound, "le=\"+Inf\"");
        write_line(out, metric, "_bucket", bound);
        pt_buf_printf(out, " %llu\n", (unsigned long long)below);
    }
    const uint64_t nanos = atomic_load_explicit(&metric->sum_nanos, memory_order_relaxed);
    write_line(out, metric, "_sum", "");
    pt_buf_printf(out, " %llu.%09llu\n", (unsigned long long)(nanos / 1000000000u), (unsigned long long)(nanos % 1000000000u));
    write_line(out, metric, "_count", "");
    pt_buf_printf(out, " %llu\n", (unsigned long long)below);  // the buckets' own sum, so that both always agree
}

static void write_family(struct metrics *metrics, size_t first, struct pt_buf *out) {
    static const char *const kinds[] = {"counter", "gauge", "histogram"};
    const struct metric *head = metrics->list[first];
    pt_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", head->name, head->help, head->name, kinds[head->kind]);
    for (size_t i = first; i < metrics->count; i++) {
        const struct metric *metric = metrics->list[i];
        if (strcmp(metric->name, head->name) != 0 || metric->kind != head->kind) continue;
        if (metric->kind == METRIC_HISTOGRAM) {
            write_histogram(out, metric);
            continue;
        }
        write_line(out, metric, "", "");
        pt_buf_printf(out, " %lld\n", (long long)metric_value(metric));
    }
}

void metrics_write(struct metrics *metrics, struct pt_buf *out) {
    pthread_mutex_lock(&metrics->mutex);
    for (size_t i = 0; i < metrics->count; i++) {
        bool written = false;
        for (size_t before = 0; before < i && !written; before++)
            written = strcmp(metrics->list[before]->name, metrics->list[i]->name) == 0;
        if (!written) write_family(metrics, i, out);
    }
    pthread_mutex_unlock(&metrics->mutex);
}
