// What platforms' answers mean, and what becomes of a report by them.
#include "gateway/settlement/report.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/gateway/settlement_fixture.h"

static struct mapping mapping;

static struct answer read_as(enum platform platform, bool asked, unsigned status, const char *body) {
    struct answer answer;
    const struct mapping_platform *rules = &mapping.platforms[platform];
    answer_read(asked ? &rules->asked : &rules->sent, status, pt_bytes_str(body), &answer);
    return answer;
}

static void check(enum platform platform, bool asked, unsigned status, const char *body, enum answer_meaning meaning, const char *code) {
    const struct answer answer = read_as(platform, asked, status, body);
    if (answer.meaning != meaning) print_error("%u %s\n", status, body);
    assert_int_equal(answer.meaning, meaning);
    if (code) assert_string_equal(answer.code, code);
}

static void two_levels_are_told_apart(void **state) {
    (void)state;
    const enum platform i = PLATFORM_INSURER;
    check(i, false, 200, "{\"infcode\":0,\"output\":{\"retRslt\":\"1\",\"retCode\":\"OK\"}}", ANSWER_ACCEPTED, "OK");
    check(i, false, 200, "{\"infcode\":\"0\",\"output\":{\"retRslt\":1}}", ANSWER_ACCEPTED, "1");
    check(i, false, 200, "{\"infcode\":0,\"output\":{\"retRslt\":\"0\",\"retCode\":\"E1\",\"msgRslt\":\"no\"}}", ANSWER_REFUSED, "E1");
    check(i, false, 200, "{\"infcode\":-1,\"err_msg\":\"bad message\"}", ANSWER_REFUSED, "-1");
    check(i, false, 200, "{\"infcode\":-2,\"err_msg\":\"busy\"}", ANSWER_AGAIN, "-2");
    check(i, false, 200, "{\"infcode\":0,\"output\":{\"retRslt\":\"2\"}}", ANSWER_PENDING, "2");
    assert_true(read_as(i, false, 200, "{\"infcode\":0,\"output\":{\"retRslt\":\"0\"}}").business);
    const struct answer refused = read_as(i, false, 200, "{\"infcode\":-1,\"err_msg\":\"bad message\"}");
    assert_false(refused.business);
    assert_string_equal(refused.text, "bad message");
    // Transport good, business silent or in words that nobody knows: nothing can be concluded.
    check(i, false, 200, "{\"infcode\":0}", ANSWER_UNCLEAR, NULL);
    check(i, false, 200, "{\"infcode\":0,\"output\":{\"retRslt\":\"77\"}}", ANSWER_UNCLEAR, NULL);
    check(i, false, 200, "{\"infcode\":0,\"output\":{\"retRslt\":\"9\"}}", ANSWER_UNCLEAR, NULL);  // "absent" answers no sending
    check(i, false, 200, "{\"infcode\":null,\"output\":{\"retRslt\":\"1\"}}", ANSWER_UNCLEAR, NULL);
    check(i, true, 200, "{\"infcode\":0,\"output\":{\"retRslt\":\"9\"}}", ANSWER_ABSENT, "9");
    check(i, true, 200, "{\"infcode\":-1}", ANSWER_UNCLEAR, NULL);  // a question that failed is no refusal
    check(PLATFORM_TRACE, false, 200, "{\"code\":\"0\",\"result\":{\"state\":\"success\",\"msg_code\":\"S\"}}", ANSWER_ACCEPTED, "S");
    check(PLATFORM_TRACE, true, 200, "{\"code\":\"0\",\"result\":{\"state\":\"unknown\"}}", ANSWER_ABSENT, NULL);
}

static void what_cannot_be_read_is_unclear(void **state) {
    (void)state;
    static const char *const bad[] = {"", "<html>", "{", "[]", "null", "\"1\"", "{\"infcode\":0,\"output\":[]}", "{\"infcode\":[],\"output\":{\"retRslt\":\"1\"}}",
                                      "{\"infcode\":0,\"infcode\":0,\"output\":{\"retRslt\":\"1\"}}", "{\"infcode\":0,\"output\":{\"retRslt\":\"1\"}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) check(PLATFORM_INSURER, false, 200, bad[i], ANSWER_UNCLEAR, NULL);
    static const unsigned statuses[] = {100, 204, 301, 408, 409, 500, 502, 503, 504};
    const char *good = "{\"infcode\":0,\"output\":{\"retRslt\":\"1\"}}";
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        check(PLATFORM_INSURER, false, statuses[i], statuses[i] == 204 ? "" : good, ANSWER_UNCLEAR, NULL);
    static const unsigned closed[] = {401, 403, 404, 405, 429};
    for (size_t i = 0; i < sizeof closed / sizeof *closed; i++) check(PLATFORM_INSURER, false, closed[i], "", ANSWER_AGAIN, NULL);
    check(PLATFORM_INSURER, false, 400, "{\"err_msg\":\"no\"}", ANSWER_REFUSED, "HTTP 400");
    check(PLATFORM_INSURER, true, 400, "", ANSWER_UNCLEAR, NULL);
}

static void long_texts_are_cut_at_a_character(void **state) {
    (void)state;
    char body[4096] = "{\"infcode\":-1,\"err_msg\":\"", text[1024] = "";
    for (int i = 0; i < 200; i++) strcat(text, "药");
    strcat(body, text);
    strcat(body, "\"}");
    const struct answer answer = read_as(PLATFORM_INSURER, false, 200, body);
    assert_int_equal(strlen(answer.text), 255);
    assert_memory_equal(answer.text, text, 255);
}

// --- The report's states ---

static const struct report_pauses pauses = {.least = 100, .most = 1000, .processing = 5000};

static struct answer saying(enum answer_meaning meaning) { return (struct answer){.meaning = meaning, .business = true, .code = "C", .text = "t"}; }

static struct report sent_report(void) {
    struct report report = {.state = REPORT_WAITING, .ready = true, .generation = 1};
    report_sending(&report, 1000);
    assert_int_equal(report.state, REPORT_UNKNOWN);
    assert_int_equal(report.attempts, 1);
    return report;
}

static void a_sending_settles_or_stays_unknown(void **state) {
    (void)state;
    static const struct {
        enum answer_meaning meaning;
        enum report_state state;
    } cases[] = {{ANSWER_ACCEPTED, REPORT_ACCEPTED}, {ANSWER_REFUSED, REPORT_REFUSED}, {ANSWER_AGAIN, REPORT_WAITING},
                 {ANSWER_PENDING, REPORT_UNKNOWN},   {ANSWER_ABSENT, REPORT_UNKNOWN},  {ANSWER_UNCLEAR, REPORT_UNKNOWN}};
    for (size_t i = 0; i < 6; i++) {
        struct report report = sent_report();
        const struct answer answer = saying(cases[i].meaning);
        report_answered(&report, &answer, &pauses, 1100, 0);
        assert_int_equal(report.state, cases[i].state);
        if (report_is_open(&report)) assert_true(report.due > 1100);
        else assert_string_equal(report.level, "business");
    }
}

static void absent_is_believed_only_after_the_processing_time(void **state) {
    (void)state;
    const struct answer absent = saying(ANSWER_ABSENT), unclear = saying(ANSWER_UNCLEAR), pending = saying(ANSWER_PENDING);
    struct report report = sent_report();
    report_asked(&report, &absent, &pauses, 5999, 0);
    assert_int_equal(report.state, REPORT_UNKNOWN);
    assert_int_equal(report.due, 6000);
    report_asked(&report, &unclear, &pauses, 9000, 0);
    assert_int_equal(report.state, REPORT_UNKNOWN);
    report_asked(&report, &pending, &pauses, 9000, 0);
    assert_int_equal(report.state, REPORT_UNKNOWN);
    report_asked(&report, &absent, &pauses, 6000, 0);
    assert_int_equal(report.state, REPORT_WAITING);
    assert_true(report.ready);  // the same bytes, under the same serial
    assert_int_equal(report.generation, 1);
}

static void waits_grow_up_to_the_most(void **state) {
    (void)state;
    struct report report = {.state = REPORT_WAITING};
    pt_millis last = 0;
    for (int i = 0; i < 40; i++) {
        report_not_sent(&report, &pauses, 0, 0, "no way");
        assert_true(report.due >= last && report.due <= pauses.most && report.due > 0);
        last = report.due;
    }
    assert_true(last >= pauses.most / 2);
}

static void only_a_refused_report_is_made_anew(void **state) {
    (void)state;
    char first[REPORT_SERIAL_MAX + 1], second[REPORT_SERIAL_MAX + 1], other[REPORT_SERIAL_MAX + 1];
    for (unsigned s = REPORT_WAITING; s <= REPORT_VOID; s++) {
        struct report report = {.state = (enum report_state)s, .generation = 1, .attempts = 1, .ready = true};
        report_serial(&report, first);
        assert_int_equal(report_retry(&report, 5, NULL), s == REPORT_REFUSED ? PT_OK : PT_CONFLICT);
        report_serial(&report, second);
        assert_int_equal(strcmp(first, second) != 0, s == REPORT_REFUSED);
        if (s == REPORT_REFUSED) assert_true(report.state == REPORT_WAITING && !report.ready && report.attempts == 0);
    }
    assert_int_equal(strlen(first), REPORT_SERIAL_MAX);
    // Refused here, before anything was sent: the platform never saw the serial.
    struct report report = {.state = REPORT_WAITING, .generation = 1};
    report_unfit(&report, "units", 1);
    assert_string_equal(report.level, "gateway");
    assert_int_equal(report_retry(&report, 2, NULL), PT_OK);
    assert_int_equal(report.generation, 1);
    struct report twin = report;
    twin.platform = PLATFORM_INSURER;
    report_serial(&report, first);
    report_serial(&twin, other);
    assert_string_not_equal(first, other);
}

static void names_go_both_ways(void **state) {
    (void)state;
    for (unsigned s = REPORT_WAITING; s <= REPORT_VOID; s++) {
        enum report_state found;
        assert_true(report_state_named(report_state_name((enum report_state)s), &found));
        assert_int_equal(found, s);
    }
    enum report_state none;
    assert_false(report_state_named("", &none));
}

static int load(void **state) {
    (void)state;
    fixture_mapping(&mapping);
    return 0;
}

static int unload(void **state) {
    (void)state;
    mapping_free(&mapping);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_levels_are_told_apart),          cmocka_unit_test(what_cannot_be_read_is_unclear),
        cmocka_unit_test(long_texts_are_cut_at_a_character),  cmocka_unit_test(a_sending_settles_or_stays_unknown),
        cmocka_unit_test(absent_is_believed_only_after_the_processing_time), cmocka_unit_test(waits_grow_up_to_the_most),
        cmocka_unit_test(only_a_refused_report_is_made_anew), cmocka_unit_test(names_go_both_ways),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
