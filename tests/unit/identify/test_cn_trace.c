#include <string.h>

#include "common/identify/cn_trace.h"
#include "tests/support/support.h"

static void a_trace_code_is_twenty_digits_from_8(void **state) {
    (void)state;
    struct pack_id id;
    assert_int_equal(cn_trace_parse(pt_bytes_str("81234567890123456789"), &id, NULL), PT_OK);
    assert_int_equal(id.kind, PACK_CN_TRACE);
    assert_string_equal(id.product, "8123456");
    assert_string_equal(id.serial, "7890123456789");
    static const struct {
        const char *code;
        long position;
    } bad[] = {{"", 0},
               {"8123456789012345678", 19},
               {"812345678901234567890", 20},
               {"71234567890123456789", 0},
               {"8123456789012345678A", 19},
               {"8 234567890123456789", 1}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct pt_error err = {0};
        assert_int_equal(cn_trace_parse(pt_bytes_str(bad[i].code), &id, &err), PT_INVALID);
        assert_int_equal(err.position, bad[i].position);
        assert_int_equal(id.kind, PACK_NONE);
    }
}

static void check_company(const struct cn_scheme *scheme, const char *code, enum pt_code expected) {
    struct pack_id id;
    const enum pt_code got = cn_company_parse(scheme, pt_bytes_str(code), &id, NULL);
    if (got != expected) fail_msg("%s: %s", code, pt_code_name(got));
    if (got != PT_OK) return;
    assert_int_equal(id.kind, PACK_CN_COMPANY);
    assert_string_equal(id.product, scheme->name);
    assert_string_equal(id.serial, code);
}

static void company_codes_follow_their_scheme(void **state) {
    (void)state;
    const struct cn_scheme plain = {"acme", "AC", 6, 10, CN_SET_UPPER, CN_CHECK_NONE};
    check_company(&plain, "AC1234", PT_OK);
    check_company(&plain, "AC12345678", PT_OK);
    check_company(&plain, "AC123", PT_INVALID);
    check_company(&plain, "AC123456789", PT_INVALID);
    check_company(&plain, "AD1234", PT_INVALID);
    check_company(&plain, "AC12a4", PT_INVALID);
    check_company(&plain, "AC12 4", PT_INVALID);
    const struct cn_scheme mod_10 = {"ten", "", 13, 13, CN_SET_DIGITS, CN_CHECK_MOD_10};
    check_company(&mod_10, "4012345123456", PT_OK);
    check_company(&mod_10, "4012345123457", PT_INVALID);
    const struct cn_scheme mod_37 = {"iso-7064", "", 2, 20, CN_SET_UPPER, CN_CHECK_MOD_37};
    check_company(&mod_37, "A999914123456N", PT_OK); // ISO/IEC 7064 MOD 37-2, as ISBT 128 uses it
    check_company(&mod_37, "A999914123457N", PT_INVALID);
    check_company(&mod_37, "*", PT_INVALID);
    const struct cn_scheme any = {"any", "", 1, 300, CN_SET_GB_1988, CN_CHECK_NONE};
    check_company(&any, "a~{}|", PT_OK);
    check_company(&any, "\xe8\x8d\xaf", PT_INVALID);
    const struct cn_scheme unnamed = {"Bad Name", "", 1, 10, CN_SET_ALNUM, CN_CHECK_NONE};
    check_company(&unnamed, "abc", PT_INVALID);
}

static void product_codes_of_china_are_known(void **state) {
    (void)state;
    assert_true(cn_is_product_code(pt_bytes_str("6901234567892")));
    assert_false(cn_is_product_code(pt_bytes_str("6901234567893")));
    assert_false(cn_is_product_code(pt_bytes_str("4012345123456")));
    assert_false(cn_is_product_code(pt_bytes_str("690123456789")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trace_code_is_twenty_digits_from_8),
        cmocka_unit_test(company_codes_follow_their_scheme),
        cmocka_unit_test(product_codes_of_china_are_known),
    };
    return cmocka_run_group_tests_name("identify cn_trace", tests, NULL, NULL);
}
