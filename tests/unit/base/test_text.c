#include "common/base/text.h"
#include "tests/support/support.h"

static void check_base64(const char *plain, const char *padded, const char *url) {
    struct pt_buf out = PT_BUF_INIT(100);
    pt_base64_append(&out, pt_bytes_str(plain));
    assert_string_equal(pt_buf_cstr(&out), padded);
    pt_buf_clear(&out);
    assert_int_equal(pt_base64_decode(pt_bytes_str(padded), &out, NULL), PT_OK);
    assert_string_equal(pt_buf_cstr(&out), plain);
    pt_buf_clear(&out);
    pt_base64url_append(&out, pt_bytes_str(plain));
    assert_string_equal(pt_buf_cstr(&out), url);
    pt_buf_free(&out);
}

static void base64_follows_rfc_4648(void **state) {
    (void)state;
    check_base64("", "", "");
    check_base64("f", "Zg==", "Zg");
    check_base64("fo", "Zm8=", "Zm8");
    check_base64("foobar", "Zm9vYmFy", "Zm9vYmFy");
    check_base64("\xfb\xff", "+/8=", "-_8");
    struct pt_buf out = PT_BUF_INIT(100);
    const char *bad[] = {"Zg=", "Zg", "Zh==", "Z===", "Zg==Zg==", "Z g=", "===="};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(pt_base64_decode(pt_bytes_str(bad[i]), &out, NULL), PT_INVALID);
    pt_buf_free(&out);
}

static void hex_names_the_bad_digit(void **state) {
    (void)state;
    struct pt_buf out = PT_BUF_INIT(100);
    struct pt_error err;
    assert_int_equal(pt_hex_decode(pt_bytes_str("00fG"), &out, &err), PT_INVALID);
    assert_int_equal(err.position, 3);
    pt_buf_clear(&out);
    assert_int_equal(pt_hex_decode(pt_bytes_str("00fF"), &out, &err), PT_OK);
    pt_hex_append(&out, pt_bytes_of("\xab", 1));
    assert_memory_equal(out.data, "\x00\xff" "ab", 4);
    pt_buf_free(&out);
}

static void utf8_refuses_overlong_surrogates_and_too_high(void **state) {
    (void)state;
    assert_true(pt_utf8_valid(pt_bytes_str("药品 \xf0\x9f\x92\x8a")));
    const char *bad[] = {"\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\x80", "\xff"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(pt_utf8_valid(pt_bytes_str(bad[i])));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_follows_rfc_4648),
        cmocka_unit_test(hex_names_the_bad_digit),
        cmocka_unit_test(utf8_refuses_overlong_surrogates_and_too_high),
    };
    return cmocka_run_group_tests_name("base text", tests, NULL, NULL);
}
