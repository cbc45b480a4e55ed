#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "common/net/metrics.h"
#include "tests/support/support.h"

static void assert_text(struct metrics *metrics, const char *expected) {
    struct pt_buf out = PT_BUF_INIT(1 << 22);
    metrics_write(metrics, &out);
    assert_string_equal(pt_buf_cstr(&out), expected);
    pt_buf_free(&out);
}

static void families_stand_together_with_help_and_type(void **state) {
    (void)state;
    struct metrics *metrics = metrics_new();
    struct metric *first = metrics_counter(metrics, "packs_total", "state=\"in\"", "Packs seen.");
    struct metric *height = metrics_gauge(metrics, "height", NULL, "Chain height.");
    metric_add(metrics_counter(metrics, "packs_total", "state=\"out\"", "Packs seen."), 2);
    metric_add(first, 1);
    metric_add(first, 40);
    metric_set(height, -5);
    metric_change(height, 2);
    assert_ptr_equal(first, metrics_counter(metrics, "packs_total", "state=\"in\"", "Packs seen."));
    assert_int_equal(metric_value(first), 41);
    assert_text(metrics, "# HELP packs_total Packs seen.\n# TYPE packs_total counter\n"
                         "packs_total{state=\"in\"} 41\npacks_total{state=\"out\"} 2\n"
                         "# HELP height Chain height.\n# TYPE height gauge\nheight -3\n");
    metrics_free(metrics);
}

static void histograms_are_cumulative(void **state) {
    (void)state;
    struct metrics *metrics = metrics_new();
    struct metric *seconds = metrics_histogram(metrics, "s", "a=\"b\"", "Seconds.");
    const double values[] = {0, 0.0005, 0.0006, 0.25, 7.5, 100};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) metric_observe(seconds, values[i]);
    assert_text(metrics,
                "# HELP s Seconds.\n# TYPE s histogram\n"
                "s_bucket{a=\"b\",le=\"0.0005\"} 2\ns_bucket{a=\"b\",le=\"0.001\"} 3\ns_bucket{a=\"b\",le=\"0.0025\"} 3\n"
                "s_bucket{a=\"b\",le=\"0.005\"} 3\ns_bucket{a=\"b\",le=\"0.01\"} 3\ns_bucket{a=\"b\",le=\"0.025\"} 3\n"
                "s_bucket{a=\"b\",le=\"0.05\"} 3\ns_bucket{a=\"b\",le=\"0.1\"} 3\ns_bucket{a=\"b\",le=\"0.25\"} 4\n"
                "s_bucket{a=\"b\",le=\"0.5\"} 4\ns_bucket{a=\"b\",le=\"1\"} 4\ns_bucket{a=\"b\",le=\"2.5\"} 4\n"
                "s_bucket{a=\"b\",le=\"5\"} 4\ns_bucket{a=\"b\",le=\"10\"} 5\ns_bucket{a=\"b\",le=\"+Inf\"} 6\n"
                "s_sum{a=\"b\"} 107.751100000\ns_count{a=\"b\"} 6\n");
    metrics_free(metrics);
}

static void labels_cannot_break_the_text(void **state) {
    (void)state;
    struct pt_buf labels = PT_BUF_INIT(200);
    metrics_label(&labels, "a", pt_bytes_str("x\"y\\z\nw\r"));
    metrics_label(&labels, "b", pt_bytes_str(""));
    assert_string_equal(pt_buf_cstr(&labels), "a=\"x\\\"y\\\\z\\nw?\",b=\"\"");
    pt_buf_free(&labels);
}

static void what_cannot_be_shown_still_counts(void **state) {
    (void)state;
    struct metrics *metrics = metrics_new();
    metric_add(metrics_counter(metrics, "a", NULL, ""), 1);
    metric_set(metrics_gauge(metrics, "a", NULL, ""), 7);  // the name is a counter's
    for (int i = 0; i < 10100; i++) {
        char label[40];
        snprintf(label, sizeof label, "i=\"%d\"", i);
        metric_add(metrics_counter(metrics, "many", label, ""), 1);
    }
    struct pt_buf out = PT_BUF_INIT(1 << 22);
    metrics_write(metrics, &out);
    assert_non_null(strstr(pt_buf_cstr(&out), "\na 1\n"));
    assert_non_null(strstr(pt_buf_cstr(&out), "many{i=\"9998\"} 1\n"));
    assert_null(strstr(pt_buf_cstr(&out), "many{i=\"9999\"} 1\n"));
    pt_buf_free(&out);
    metrics_free(metrics);
}

static void *count_up(void *arg) {
    for (int i = 0; i < 1000; i++) {
        metric_add(metrics_counter(arg, "c", NULL, ""), 1);
        metric_observe(metrics_histogram(arg, "h", NULL, ""), 0.001);
    }
    return NULL;
}

static void threads_lose_no_count(void **state) {
    (void)state;
    struct metrics *metrics = metrics_new();
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++) assert_int_equal(pthread_create(&threads[i], NULL, count_up, metrics), 0);
    for (size_t i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    assert_int_equal(metric_value(metrics_counter(metrics, "c", NULL, "")), 4000);
    assert_int_equal(metric_value(metrics_histogram(metrics, "h", NULL, "")), 4000);
    metrics_free(metrics);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(families_stand_together_with_help_and_type), cmocka_unit_test(histograms_are_cumulative),
        cmocka_unit_test(labels_cannot_break_the_text),               cmocka_unit_test(what_cannot_be_shown_still_counts),
        cmocka_unit_test(threads_lose_no_count),
    };
    return cmocka_run_group_tests_name("net metrics", tests, NULL, NULL);
}
