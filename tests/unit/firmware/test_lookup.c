// What is asked, and what of an answer is believed: never a green one that does not say height and time.
#include <string.h>

#include "common/base/cleanup.h"
#include "common/identify/identification.h"
#include "firmware/lookup/lookup_answer.h"
#include "tests/support/support.h"

static void the_question_says_what_the_label_says(void **state) {
    (void)state;
    PT_CLEANUP(pt_buf_free) struct pt_buf text = PT_BUF_INIT(4096);
    const struct pack_id pack = {.kind = PACK_SGTIN, .product = "09506000134352", .serial = "P&T(1)"};
    const struct pack_id trace = {.kind = PACK_CN_TRACE, .product = "8123456", .serial = "0000000592183"};
    struct pt_error err = {0};
    assert_ok(lookup_question(&pack, "L1", "2028-12-31", &text, &err), &err);
    assert_string_equal(pt_buf_cstr(&text), "/verify/scan?code=%5Dd201095060001343521728123110L1%1D21P%26T%281%29");
    pt_buf_clear(&text);
    assert_ok(lookup_question(&pack, "", "", &text, &err), &err);
    assert_string_equal(pt_buf_cstr(&text), "/verify/scan?code=%5Dd2010950600013435221P%26T%281%29");
    pt_buf_clear(&text);
    assert_ok(lookup_question(&trace, "A/7", "", &text, &err), &err);
    assert_string_equal(pt_buf_cstr(&text), "/verify/scan?code=urn%3Apacktrail%3Acn%3Atrace%3A81234560000000592183&lot=A%2F7");
}

#define STANDING "\"height\":7,\"height_time\":\"2026-01-01T00:00:00Z\",\"standing\":\"final\""
#define VERDICT "\"verdict\":{\"colour\":\"green\",\"reason\":{\"en\":\"Genuine\",\"zh\":\"真品\"},\"advice\":{\"en\":\"\",\"zh\":\"\"}}"

static void a_whole_answer_is_read(void **state) {
    (void)state;
    struct lookup_answer answer = {0};
    struct pt_error err = {0};
    const char *json = "{" VERDICT ",\"pack\":{\"found\":true,\"state\":\"part_dispensed\",\"content\":24,\"quantity_left\":6,\"linked_to\":\"https://id.gs1.org/01/09506000134352/21/A\"}," STANDING "}";
    assert_ok(lookup_answer_read(pt_bytes_str(json), &answer, &err), &err);
    assert_int_equal(answer.colour, LOOKUP_GREEN);
    assert_true(answer.known && answer.final);
    assert_string_equal(answer.state, "part_dispensed");
    assert_int_equal(answer.units, 24);
    assert_int_equal(answer.units_left, 6);
    assert_string_equal(answer.reason_zh, "真品");
    assert_int_equal(answer.height, 7);
    assert_int_equal(answer.chain_time, 1767225600000);
    assert_string_equal(answer.holds_as.serial, "A");
}

static void nothing_less_is_green(void **state) {
    (void)state;
    static const char *const bad[] = {
        "", "[]", "{}", "{" VERDICT "}", "{" STANDING "}", "{\"verdict\":{\"colour\":\"GREEN\"}," STANDING "}", "{\"verdict\":\"green\"," STANDING "}",
        "{" VERDICT ",\"height\":\"7\",\"height_time\":\"2026-01-01T00:00:00Z\"}", "{" VERDICT ",\"height\":-1,\"height_time\":\"2026-01-01T00:00:00Z\"}",
        "{" VERDICT ",\"height\":7,\"height_time\":\"yesterday\"}", "{" VERDICT ",\"pack\":{\"linked_to\":\"nonsense\"}," STANDING "}", "{" VERDICT "," STANDING "} x",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct lookup_answer answer = {.colour = LOOKUP_GREEN};
        struct pt_error err = {0};
        if (lookup_answer_read(pt_bytes_str(bad[i]), &answer, &err) == PT_OK) fail_msg("taken: %s", bad[i]);
        assert_int_equal(answer.colour, LOOKUP_NONE);
    }
    struct lookup_answer answer = {0};
    assert_int_equal(lookup_answer_read(pt_bytes_str("{" VERDICT "," STANDING "}"), &answer, NULL), PT_OK);
    assert_false(answer.known);
    assert_int_equal(answer.units_left, -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_question_says_what_the_label_says), cmocka_unit_test(a_whole_answer_is_read), cmocka_unit_test(nothing_less_is_green)};
    return cmocka_run_group_tests_name("firmware-lookup", tests, NULL, NULL);
}
