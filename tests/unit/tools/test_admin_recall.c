// Recall notices from the command line: what is signed, what is counted up, and which words are wrong.
#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/disk.h"
#include "common/cose/statement.h"
#include "common/recall/recall_notice.h"
#include "tests/unit/tools/admin_cases.h"

static char scratch[256], dir[300], out[300], json[300];

static int setup(void **state) {
    (void)state;
    test_scratch(scratch);
    snprintf(dir, sizeof dir, "%s/c", scratch);
    snprintf(out, sizeof out, "%s/out.cose", scratch);
    snprintf(json, sizeof json, "%s/notice.json", scratch);
    admin_found(dir);
    json_decref(admin_good("genesis|%s", dir));
    return 0;
}

static int teardown(void **state) {
    (void)state;
    test_scratch_remove(scratch);
    return 0;
}

// The notice in the file that was written last.
static struct recall_notice signed_notice(struct pt_buf *bytes, struct pt_arena *arena) {
    struct statement statement;
    struct recall_notice notice;
    struct pt_error err = {0};
    assert_ok(pt_file_read(out, bytes, &err), &err);
    assert_ok(statement_decode(pt_buf_bytes(bytes), &statement, &err), &err);
    assert_true(pt_bytes_equal(statement.content_type, pt_bytes_str(STATEMENT_RECALL)));
    assert_ok(recall_notice_decode(statement.payload, arena, &notice, &err), &err);
    return notice;
}

static void write_notice(const char *text) {
    struct pt_error err = {0};
    assert_ok(pt_file_replace(json, pt_bytes_str(text), 0644, &err), &err);
}

static const char standing[] =
    "{\"notice\":{\"id\":\"R/1\",\"version\":4,\"action\":\"extend\",\"level\":2,\"products\":[\"06901234567892\"],\"lots\":[\"A\"],"
    "\"serials\":[{\"from\":\"1\",\"to\":\"9\"}],\"depth\":\"retail\",\"reason\":{\"zh\":\"旧\"},\"issuedAt\":\"2026-01-01T00:00:00Z\"}}";

static void a_recall_is_begun_from_words(void **state) {
    (void)state;
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = PT_BUF_INIT(STATEMENT_MAX);
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    PT_JSON json_t *answer = admin_good("recall|begin|%s|--operator|op|--id|R1|--product|8123456|--product|06901234567892|--lot|B|--lot|A|"
                                        "--serials|A-1-A-9|--territory|CN|--level|1|--depth|consumer|--reason-zh|含量|--issued|2026-03-01T08:00:00+08:00|--out|%s", dir, out);
    assert_string_equal(admin_text(answer, "id"), "R1");
    const struct recall_notice notice = signed_notice(&bytes, &arena);
    assert_int_equal(notice.version, 1);
    assert_int_equal(notice.action, RECALL_BEGIN);
    assert_int_equal(notice.product_count, 2);
    assert_string_equal(notice.scope.lots[0], "A");
    assert_string_equal(notice.scope.ranges[0].from, "A-1");
    assert_string_equal(notice.scope.ranges[0].to, "A-9");
    assert_string_equal(notice.reason.zh, "含量");
    assert_int_equal(notice.issued_at, 1772323200000);
}

static void what_stands_is_extended(void **state) {
    (void)state;
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = PT_BUF_INIT(STATEMENT_MAX);
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    write_notice(standing);
    json_decref(admin_good("recall|extend|%s|--company|maker|--json|%s|--lot|C|--lot|A|--serials|20-30|--level|1|--out|%s", dir, json, out));
    const struct recall_notice notice = signed_notice(&bytes, &arena);
    assert_string_equal(notice.id, "R/1");
    assert_int_equal(notice.version, 5);
    assert_int_equal(notice.action, RECALL_EXTEND);
    assert_int_equal(notice.level, 1);
    assert_int_equal(notice.scope.lot_count, 2);
    assert_int_equal(notice.scope.range_count, 2);
    assert_string_equal(notice.reason.zh, "旧");
    assert_true(notice.issued_at > 1767225600000);  // now, not when the one before was issued
}

static void every_lot_is_recalled_when_asked(void **state) {
    (void)state;
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = PT_BUF_INIT(STATEMENT_MAX);
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    write_notice(standing);
    json_decref(admin_good("recall|extend|%s|--company|maker|--json|%s|--all-lots|yes|--out|%s", dir, json, out));
    assert_int_equal(signed_notice(&bytes, &arena).scope.lot_count, 0);
}

static void an_end_names_the_products_alone(void **state) {
    (void)state;
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = PT_BUF_INIT(STATEMENT_MAX);
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    write_notice(standing);
    json_decref(admin_good("recall|end|%s|--operator|op|--json|%s|--reason-en|lifted|--out|%s", dir, json, out));
    const struct recall_notice notice = signed_notice(&bytes, &arena);
    assert_int_equal(notice.version, 5);
    assert_int_equal(notice.action, RECALL_END);
    assert_int_equal(notice.product_count, 1);
    assert_int_equal(notice.scope.lot_count + notice.scope.range_count, 0);
    assert_string_equal(notice.reason.en, "lifted");
    assert_null(notice.reason.zh);
}

static void wrong_words_are_named(void **state) {
    (void)state;
    admin_bad(2, "begin, extend, end or show", "recall|stop|%s", dir);
    admin_bad(2, "begin, extend, end or show", "recall");
    admin_bad(2, "--company", "recall|begin|%s|--id|R1", dir);
    admin_bad(2, "the recall's number", "recall|begin|%s|--operator|op|--product|8123456", dir);
    admin_bad(2, "the version", "recall|end|%s|--operator|op|--id|R1|--product|8123456|--level|1|--depth|retail|--reason-en|x", dir);
    admin_bad(2, "FROM-TO", "recall|begin|%s|--operator|op|--id|R1|--product|8123456|--serials|12|--level|1|--depth|retail|--reason-en|x", dir);
    admin_bad(2, "from 1 to 3", "recall|begin|%s|--operator|op|--id|R1|--product|8123456|--level|4|--depth|retail|--reason-en|x", dir);
    admin_bad(1, "/reason", "recall|begin|%s|--operator|op|--id|R1|--product|8123456|--level|1|--depth|retail", dir);
    admin_bad(1, "check digit", "recall|begin|%s|--operator|op|--id|R1|--product|06901234567893|--level|1|--depth|retail|--reason-en|x", dir);
    admin_bad(2, "--url", "recall|show|%s|--operator|op", dir);
    assert_false(admin_file_is_there(dir, "actors/op/outbox/0"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_recall_is_begun_from_words, setup, teardown),
        cmocka_unit_test_setup_teardown(what_stands_is_extended, setup, teardown),
        cmocka_unit_test_setup_teardown(every_lot_is_recalled_when_asked, setup, teardown),
        cmocka_unit_test_setup_teardown(an_end_names_the_products_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(wrong_words_are_named, setup, teardown),
    };
    return cmocka_run_group_tests_name("admin recall", tests, NULL, NULL);
}
