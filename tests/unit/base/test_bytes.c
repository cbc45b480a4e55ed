#include <string.h>

#include "common/base/arena.h"
#include "tests/support/support.h"

static void buffer_stops_at_its_ceiling(void **state) {
    (void)state;
    struct pt_buf buf = PT_BUF_INIT(10);
    pt_buf_str(&buf, "0123456789");
    assert_int_equal(pt_buf_check(&buf, NULL), PT_OK);
    pt_buf_byte(&buf, 'x');
    struct pt_error err;
    assert_int_equal(pt_buf_check(&buf, &err), PT_LIMIT);
    assert_int_equal(buf.len, 10);
    pt_buf_clear(&buf);
    pt_buf_printf(&buf, "%d-%s", 7, "abc");
    assert_string_equal(pt_buf_cstr(&buf), "7-abc");
    pt_buf_free(&buf);
}

static void comparison_is_by_bytes_then_length(void **state) {
    (void)state;
    assert_true(pt_bytes_compare(pt_bytes_str("ab"), pt_bytes_str("abc")) < 0);
    assert_true(pt_bytes_compare(pt_bytes_str("b"), pt_bytes_str("abc")) > 0);
    assert_true(pt_bytes_equal(pt_bytes_str(NULL), pt_bytes_str("")));
    assert_true(pt_bytes_equal_secret(pt_bytes_str("abc"), pt_bytes_str("abc")));
    assert_false(pt_bytes_equal_secret(pt_bytes_str("abc"), pt_bytes_str("abd")));
}

static void arena_refuses_what_overflows_or_passes_its_ceiling(void **state) {
    (void)state;
    struct pt_arena arena = {.ceiling = 1000};
    assert_null(pt_arena_alloc(&arena, SIZE_MAX / 2, 4));
    assert_null(pt_arena_alloc(&arena, 1, SIZE_MAX));
    char *text = pt_arena_strdup(&arena, pt_bytes_str("pack"));
    assert_string_equal(text, "pack");
    assert_null(pt_arena_alloc(&arena, 2000, 1));
    pt_arena_reset(&arena);
    assert_non_null(pt_arena_alloc(&arena, 900, 1));
    pt_arena_free(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffer_stops_at_its_ceiling),
        cmocka_unit_test(comparison_is_by_bytes_then_length),
        cmocka_unit_test(arena_refuses_what_overflows_or_passes_its_ceiling),
    };
    return cmocka_run_group_tests_name("base bytes", tests, NULL, NULL);
}
