#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "tests/support/support.h"

static enum pt_code parse(const char *text, size_t len, struct pt_error *err) {
    PT_JSON json_t *value = NULL;
    return pt_json_parse(pt_bytes_of(text, len), 1 << 20, &value, err);
}

static void refuses_what_readers_could_take_differently(void **state) {
    (void)state;
    static const char *const bad[] = {
        "{\"a\":1,\"a\":2}",           "{\"a\":{\"b\":1,\"b\":1}}", "NaN",         "[NaN]",          "[Infinity]",
        "[-Infinity]",                 "[1e999]",                   "\"\\ud800\"", "\"\\udc00\"",    "\"\\ud800\\u0041\"",
        "\"\\u0000\"",                 "{\"\\u0000\":1}",           "{} {}",       "{}x",            "[1,]",
        "{\"a\":1,}",                  "[01]",                      "[+1]",        "[.5]",           "[1.]",
        "9223372036854775808",         "-9223372036854775809",      "'a'",         "\"\t\"",         "\"\\x\"",
        "// comment\n1",               "",                          " ",           "[",              "\"",
        "\"\\",                        "nul",                       "True",        "\xEF\xBB\xBF{}", "\"\xFF\"",
        "\"\xC0\xAF\"",                "\"\xED\xA0\x80\"",          "\"\xF4\x90\x80\x80\"",        "\"\xE2\x82\"",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct pt_error err = {0};
        if (parse(bad[i], strlen(bad[i]), &err) != PT_INVALID) fail_msg("accepted: %s", bad[i]);
        assert_true(err.what[0] != 0);
    }
    assert_int_equal(parse("1\0", 2, NULL), PT_INVALID);
    assert_int_equal(parse("\"a\0b\"", 5, NULL), PT_INVALID);
}

static void accepts_what_the_grammar_allows(void **state) {
    (void)state;
    static const char *const good[] = {
        "{}", "[]", "null", "true", " 1 ", "\"\"", "-0", "9223372036854775807", "-9223372036854775808", "1e300", "9223372036854775808.0",
        "\"\\ud83d\\ude00\"", "\"\\u0001\"", "\"\xF4\x8F\xBF\xBF\"", "{\"\":1}", "\"[[[[\\\"[[[\"",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct pt_error err = {0};
        if (parse(good[i], strlen(good[i]), &err) != PT_OK) fail_msg("refused: %s: %s", good[i], err.what);
    }
}

static void depth_is_bounded_before_anything_recurses(void **state) {
    (void)state;
    const size_t huge = 500000;
    PT_FREE char *text = malloc(2 * huge);
    assert_non_null(text);
    memset(text, '[', huge);
    memset(text + huge, ']', huge);
    struct pt_error err = {0};
    assert_int_equal(parse(text + huge - 1001, 2002, &err), PT_LIMIT);
    assert_int_equal(err.position, 1000);
    assert_int_equal(parse(text + huge - 1000, 2000, &err), PT_OK);
    assert_int_equal(parse(text, 2 * huge, &err), PT_LIMIT);
}

static void size_is_bounded(void **state) {
    (void)state;
    PT_JSON json_t *value = NULL;
    assert_int_equal(pt_json_parse(pt_bytes_str("[1,2]"), 4, &value, NULL), PT_LIMIT);
    assert_null(value);
}

static void an_error_names_line_column_and_position(void **state) {
    (void)state;
    struct pt_error err = {0};
    const char text[] = "{\"a\":1,\n \"b\":tru}";
    assert_int_equal(parse(text, strlen(text), &err), PT_INVALID);
    assert_non_null(strstr(err.what, "line 2"));
    assert_in_range(err.position, 9, (long)strlen(text));
}

static void writes_what_it_read(void **state) {
    (void)state;
    const char text[] = "{\"z\":[1,-2,200.1,5.0,1e300,0.1],\"a\":{\"x\":null,\"y\":true,\"w\":false},\"s\":\"\xE8\x8D\xAF \\\"q\\\" \\\\ \\n\\u0001/\"}";
    PT_JSON json_t *value = NULL;
    struct pt_error err = {0};
    assert_ok(pt_json_parse(pt_bytes_str(text), sizeof text, &value, &err), &err);
    PT_CLEANUP(pt_buf_free) struct pt_buf out = PT_BUF_INIT(4096);
    assert_ok(pt_json_append(&out, value, &err), &err);
    PT_JSON json_t *again = NULL;
    assert_ok(pt_json_parse(pt_buf_bytes(&out), 4096, &again, &err), &err);
    assert_true(json_equal(value, again));
    assert_string_equal(pt_buf_cstr(&out), "{\"z\":[1,-2,200.1,5.0,1e+300,0.1],\"a\":{\"x\":null,\"y\":true,\"w\":false},"
                                           "\"s\":\"\xE8\x8D\xAF \\\"q\\\" \\\\ \\n\\u0001/\"}");
    struct pt_buf small = PT_BUF_INIT(10);
    assert_int_equal(pt_json_append(&small, value, NULL), PT_LIMIT);
    pt_buf_free(&small);
}

static void foreign_bytes_become_a_valid_string(void **state) {
    (void)state;
    PT_CLEANUP(pt_buf_free) struct pt_buf out = PT_BUF_INIT(4096);
    pt_json_append_string(&out, pt_bytes_of("a\0\xFF\xC3\xA4\xE2\x82", 7));
    assert_string_equal(pt_buf_cstr(&out), "\"a\\u0000\xEF\xBF\xBD\xC3\xA4\xEF\xBF\xBD\xEF\xBF\xBD\"");
    pt_buf_clear(&out);
    pt_json_append_string(&out, pt_bytes_str(NULL));
    assert_string_equal(pt_buf_cstr(&out), "\"\"");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_readers_could_take_differently),
        cmocka_unit_test(accepts_what_the_grammar_allows),
        cmocka_unit_test(depth_is_bounded_before_anything_recurses),
        cmocka_unit_test(size_is_bounded),
        cmocka_unit_test(an_error_names_line_column_and_position),
        cmocka_unit_test(writes_what_it_read),
        cmocka_unit_test(foreign_bytes_become_a_valid_string),
    };
    return cmocka_run_group_tests_name("base json", tests, NULL, NULL);
}
