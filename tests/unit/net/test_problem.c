#include <string.h>

#include "common/base/json.h"
#include "common/net/problem.h"
#include "tests/support/support.h"

static json_t *problem_of(const struct pt_error *err) {
    struct pt_buf out = PT_BUF_INIT(4096);
    problem_append(&out, err);
    json_t *value = NULL;
    struct pt_error failed = {0};
    assert_ok(pt_json_parse(pt_buf_bytes(&out), 4096, &value, &failed), &failed);
    pt_buf_free(&out);
    return value;
}

static void each_class_has_its_status(void **state) {
    (void)state;
    static const struct {
        enum pt_code code;
        const char *where;
        unsigned status;
    } cases[] = {
        {PT_INVALID, NULL, 400},   {PT_INVALID, "/action", 422}, {PT_UNVERIFIED, NULL, 422},  {PT_FORBIDDEN, NULL, 403},
        {PT_LIMIT, NULL, 413},     {PT_NOT_FOUND, NULL, 404},    {PT_CONFLICT, NULL, 409},    {PT_UNAVAILABLE, NULL, 503},
        {PT_IO, "/srv/x", 500},    {PT_NO_MEMORY, NULL, 500},    {PT_INTERNAL, NULL, 500},    {PT_USAGE, NULL, 400},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pt_error err;
        pt_fail(&err, cases[i].code, cases[i].where, "why \"so\"");
        assert_int_equal(problem_status(&err), cases[i].status);
        PT_JSON json_t *problem = problem_of(&err);
        assert_int_equal(json_integer_value(json_object_get(problem, "status")), cases[i].status);
        assert_string_equal(json_string_value(json_object_get(problem, "title")), problem_phrase(cases[i].status));
        const char *detail = json_string_value(json_object_get(problem, "detail"));
        if (cases[i].status == 500) assert_null(detail);
        else assert_string_equal(detail, "why \"so\"");
    }
}

static void places_are_told_when_they_are_the_senders(void **state) {
    (void)state;
    struct pt_error err;
    pt_fail_at(&err, PT_INVALID, 17, "/eventList/3/action", "must be ADD");
    PT_JSON json_t *pointed = problem_of(&err);
    assert_string_equal(json_string_value(json_object_get(pointed, "pointer")), "/eventList/3/action");
    assert_int_equal(json_integer_value(json_object_get(pointed, "position")), 17);
    assert_string_equal(json_string_value(json_object_get(pointed, "type")), "urn:packtrail:problem:invalid");
    pt_fail(&err, PT_CONFLICT, "spool/segment-1", "twice");
    PT_JSON json_t *plain = problem_of(&err);
    assert_null(json_object_get(plain, "pointer"));
    assert_null(json_object_get(plain, "position"));
}

static void a_status_alone_is_a_problem_too(void **state) {
    (void)state;
    struct pt_buf out = PT_BUF_INIT(4096);
    problem_append_status(&out, 431, NULL);
    assert_string_equal(pt_buf_cstr(&out),
                        "{\"type\":\"about:blank\",\"title\":\"Request Header Fields Too Large\",\"status\":431}");
    pt_buf_free(&out);
    assert_string_equal(problem_phrase(299), "Unknown");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_class_has_its_status),
        cmocka_unit_test(places_are_told_when_they_are_the_senders),
        cmocka_unit_test(a_status_alone_is_a_problem_too),
    };
    return cmocka_run_group_tests_name("net problem", tests, NULL, NULL);
}
