#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "tests/support/support.h"

static char scratch[256];
static char path[300];
static int real_stderr;

static int capture(void **state) {
    (void)state;
    test_scratch(scratch);
    snprintf(path, sizeof path, "%s/log", scratch);
    real_stderr = dup(STDERR_FILENO);
    const int fd = open(path, O_CREAT | O_RDWR | O_APPEND | O_TRUNC, 0600);
    dup2(fd, STDERR_FILENO);
    close(fd);
    return 0;
}

static int release(void **state) {
    (void)state;
    dup2(real_stderr, STDERR_FILENO);
    close(real_stderr);
    test_scratch_remove(scratch);
    return 0;
}

// The lines written, each parsed; fails where one is not JSON.
static json_t *logged(void) {
    struct pt_buf text = test_read_file(path);
    json_t *lines = json_array();
    const char *at = pt_buf_cstr(&text);
    while (*at) {
        const size_t len = strcspn(at, "\n");
        json_t *line = NULL;
        struct pt_error err = {0};
        assert_ok(pt_json_parse(pt_bytes_of(at, len), 1 << 16, &line, &err), &err);
        json_array_append_new(lines, line);
        at += len + (at[len] == '\n');
    }
    pt_buf_free(&text);
    return lines;
}

static void assert_member(json_t *line, const char *key, const char *value) {
    const char *found = json_string_value(json_object_get(line, key));
    if (!found || strcmp(found, value) != 0) fail_msg("%s is '%s', not '%s'", key, found ? found : "missing", value);
}

static void fields_are_strings_whatever_they_hold(void **state) {
    (void)state;
    pt_log_open("gateway", PT_LOG_INFO);
    pt_log(PT_LOG_DEBUG, "not-seen", NULL);
    pt_log(PT_LOG_WARNING, "block-sealed", "sequence=%llu count=%u reason=%s part=%.*s rate=%.2f%% size=%zu id=%08x", 18446744073709551615ULL,
           7u, "with \"quotes\" and = spaces\nand lines\xFF", 3, "abcdef", 99.5, (size_t)12, 0xBEEFu);
    pt_log(PT_LOG_INFO, "plain", NULL);
    const char *volatile missing = NULL;
    pt_log(PT_LOG_INFO, "null-text", "text=%s c=%c p=%d/%d", missing, 'x', 1, 2);
    struct pt_error err;
    pt_fail_at(&err, PT_INVALID, 17, "/action", "must be ADD");
    pt_log_error("refused", &err);
    PT_JSON json_t *lines = logged();
    assert_int_equal(json_array_size(lines), 4);
    json_t *first = json_array_get(lines, 0);
    assert_member(first, "level", "warning");
    assert_member(first, "component", "gateway");
    assert_member(first, "event", "block-sealed");
    assert_member(first, "sequence", "18446744073709551615");
    assert_member(first, "count", "7");
    assert_member(first, "reason", "with \"quotes\" and = spaces\nand lines\xEF\xBF\xBD");
    assert_member(first, "part", "abc");
    assert_member(first, "rate", "99.50%");
    assert_member(first, "size", "12");
    assert_member(first, "id", "0000beef");
    assert_int_equal(strlen(json_string_value(json_object_get(first, "time"))), 24);
    assert_member(json_array_get(lines, 2), "text", "");
    assert_member(json_array_get(lines, 2), "p", "1/2");
    assert_member(json_array_get(lines, 3), "where", "/action");
    assert_member(json_array_get(lines, 3), "position", "17");
}

static void long_values_are_cut_and_the_line_stays_whole(void **state) {
    (void)state;
    char *text = malloc(100001);
    assert_non_null(text);
    memset(text, '"', 100000);
    text[100000] = 0;
    pt_log(PT_LOG_ERROR, "long", "a=%s b=%s end=%d", text, text, 1);
    free(text);
    PT_JSON json_t *lines = logged();
    assert_int_equal(json_array_size(lines), 1);
    assert_member(json_array_get(lines, 0), "end", "1");
    assert_int_equal(strlen(json_string_value(json_object_get(json_array_get(lines, 0), "a"))), 2048);
}

static void *write_many(void *arg) {
    for (int i = 0; i < 500; i++) pt_log(PT_LOG_INFO, "tick", "thread=%s i=%d", (const char *)arg, i);
    return NULL;
}

static void threads_do_not_mix_their_lines(void **state) {
    (void)state;
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++) assert_int_equal(pthread_create(&threads[i], NULL, write_many, "x"), 0);
    for (size_t i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    PT_JSON json_t *lines = logged();
    assert_int_equal(json_array_size(lines), 2000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(fields_are_strings_whatever_they_hold, capture, release),
        cmocka_unit_test_setup_teardown(long_values_are_cut_and_the_line_stays_whole, capture, release),
        cmocka_unit_test_setup_teardown(threads_do_not_mix_their_lines, capture, release),
    };
    return cmocka_run_group_tests_name("base log", tests, NULL, NULL);
}
