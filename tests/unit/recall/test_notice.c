// Recall notices through JSON and CBOR and back, what is refused where, which packs they cover, and what includes what.
#include "common/base/cleanup.h"
#include "common/recall/recall_notice.h"
#include "tests/support/support.h"

#include <stdio.h>
#include <string.h>

static const char full[] =
    "{\"id\":\"NMPA-2026-0017\",\"version\":2,\"action\":\"extend\",\"level\":1,\"products\":[\"06901234567892\",\"8123456\"],"
    "\"lots\":[\"A1\",\"B2\",\"批次3\"],\"serials\":[{\"from\":\"5\",\"to\":\"9\"},{\"from\":\"100\",\"to\":\"199\"}],"
    "\"territories\":[\"CN-SX\",\"DE\"],\"depth\":\"consumer\",\"reason\":{\"zh\":\"含量不合格\",\"en\":\"Assay out of range\"},"
    "\"instructions\":{\"en\":\"Send back\"},\"issuedAt\":\"2026-03-01T08:00:00Z\"}";
static const char least[] =
    "{\"id\":\"R1\",\"version\":1,\"action\":\"begin\",\"level\":3,\"products\":[\"8123456\"],\"depth\":\"wholesale\","
    "\"reason\":{\"zh\":\"标签\"},\"issuedAt\":\"1970-01-01T00:00:00Z\"}";

static enum pt_code read_json(const char *text, struct pt_arena *arena, struct recall_notice *out, struct pt_error *err) {
    PT_JSON json_t *value = NULL;
    assert_int_equal(pt_json_parse(pt_bytes_str(text), 1 << 16, &value, NULL), PT_OK);
    return recall_notice_from_json(value, arena, out, err);
}

static void check_round_trip(const char *text) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = PT_BUF_INIT(RECALL_NOTICE_MAX);
    PT_CLEANUP(pt_buf_free) struct pt_buf again = PT_BUF_INIT(RECALL_NOTICE_MAX);
    struct pt_error err = {0};
    struct recall_notice first, second;
    PT_JSON json_t *written = NULL;
    PT_JSON json_t *wanted = NULL;
    assert_ok(read_json(text, &arena, &first, &err), &err);
    assert_ok(recall_notice_encode(&first, &bytes, &err), &err);
    assert_ok(recall_notice_decode(pt_buf_bytes(&bytes), &arena, &second, &err), &err);
    assert_ok(recall_notice_to_json(&second, &written, &err), &err);
    assert_ok(pt_json_parse(pt_bytes_str(text), 1 << 16, &wanted, &err), &err);
    assert_true(json_equal(written, wanted));
    assert_ok(recall_notice_encode(&second, &again, &err), &err);
    assert_true(pt_bytes_equal(pt_buf_bytes(&bytes), pt_buf_bytes(&again)));
    struct recall_notice cut;
    for (size_t len = 0; len < bytes.len; len++) assert_int_not_equal(recall_notice_decode(pt_bytes_of(bytes.data, len), &arena, &cut, NULL), PT_OK);
    // A changed byte is refused, or it is another notice that encodes to just these bytes.
    for (size_t i = 0; i < bytes.len; i++) {
        const uint8_t kept = bytes.data[i];
        for (int change = 1; change < 256; change += 3) {
            bytes.data[i] = (uint8_t)(kept ^ change);
            if (recall_notice_decode(pt_buf_bytes(&bytes), &arena, &second, NULL) != PT_OK) continue;
            pt_buf_clear(&again);
            assert_ok(recall_notice_encode(&second, &again, &err), &err);
            assert_true(pt_bytes_equal(pt_buf_bytes(&bytes), pt_buf_bytes(&again)));
        }
        bytes.data[i] = kept;
        pt_arena_reset(&arena);
    }
}

static void notices_come_back_as_they_were(void **state) {
    (void)state;
    check_round_trip(full);
    check_round_trip(least);
}

static void lists_of_people_are_sorted(void **state) {
    (void)state;
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct pt_error err = {0};
    struct recall_notice notice;
    assert_ok(read_json("{\"id\":\"R1\",\"version\":1,\"action\":\"begin\",\"level\":3,\"products\":[\"8123457\",\"8123456\"],\"lots\":[\"B\",\"A\"],"
                        "\"serials\":[{\"from\":\"100\",\"to\":\"110\"},{\"from\":\"20\",\"to\":\"30\"}],\"depth\":\"retail\","
                        "\"reason\":{\"en\":\"x\"},\"issuedAt\":\"2026-01-01T00:00:00Z\"}", &arena, &notice, &err), &err);
    assert_string_equal(notice.products[0], "8123456");
    assert_string_equal(notice.scope.lots[0], "A");
    assert_string_equal(notice.scope.ranges[0].from, "20");
}

// Replaces the member of `least` named so by the text, and tells where the reader stops.
static void refused(const char *find, const char *by, const char *where) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct pt_error err = {0};
    struct recall_notice notice;
    char text[2048];
    const char *at = strstr(least, find);
    assert_non_null(at);
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - least), least, by, at + strlen(find));
    assert_int_not_equal(read_json(text, &arena, &notice, &err), PT_OK);
    assert_string_equal(err.where, where);
}

static void what_is_wrong_is_named(void **state) {
    (void)state;
    refused("\"R1\"", "\"\"", "/id");
    refused("\"R1\"", "\" R1\"", "/id");
    refused("\"R1\"", "17", "/id");
    refused("\"version\":1", "\"version\":0", "/version");
    refused("\"version\":1", "\"version\":9007199254740992", "/version");
    refused("\"begin\"", "\"start\"", "/action");
    refused("\"level\":3", "\"level\":4", "/level");
    refused("\"level\":3", "\"level\":0", "/level");
    refused("[\"8123456\"]", "[]", "/products");
    refused("\"8123456\"", "\"812345\"", "/products/0");
    refused("\"8123456\"", "\"06901234567893\"", "/products/0");  // check digit
    refused("\"8123456\"", "\"8123456\",\"8123456\"", "/products/1");
    refused("\"wholesale\"", "\"patient\"", "/depth");
    refused("\"reason\":{\"zh\":\"标签\"},", "", "/reason");
    refused("\"reason\":{\"zh\":\"标签\"}", "\"reason\":{\"de\":\"x\"}", "/reason");
    refused("\"1970-01-01T00:00:00Z\"", "\"1970-01-01\"", "/issuedAt");
    refused("\"1970-01-01T00:00:00Z\"", "\"1969-12-31T23:59:59Z\"", "/issuedAt");
    refused(",\"issuedAt\":\"1970-01-01T00:00:00Z\"", "", "/issuedAt");
    refused("\"depth\"", "\"lots\":[\"A\",\"A\"],\"depth\"", "/lots/1");
    refused("\"depth\"", "\"lots\":[\"A \"],\"depth\"", "/lots/0");
    refused("\"depth\"", "\"territories\":[\"XX\"],\"depth\"", "/territories/0");
    refused("\"depth\"", "\"serials\":[{\"from\":\"20\",\"to\":\"9\"}],\"depth\"", "/serials/0");  // by length first
    refused("\"depth\"", "\"serials\":[{\"from\":\"1\",\"to\":\"5\"},{\"from\":\"5\",\"to\":\"6\"}],\"depth\"", "/serials/1");
    refused("\"depth\"", "\"serials\":[{\"from\":\"1\"}],\"depth\"", "/serials");
    refused("\"depth\"", "\"color\":1,\"depth\"", "/color");
    refused("\"begin\"", "\"end\",\"lots\":[\"A\"]", "/action");
}

// --- Scopes ---

static struct recall_notice notice_of(struct pt_arena *arena, const char *members) {
    char text[1024];
    struct pt_error err = {0};
    struct recall_notice notice;
    snprintf(text, sizeof text, "{\"id\":\"R1\",\"version\":1,\"action\":\"begin\",\"level\":3,\"products\":[\"8123456\"],%s"
             "\"reason\":{\"zh\":\"x\"},\"issuedAt\":\"1970-01-01T00:00:00Z\"%s}", members, strstr(members, "depth") ? "" : ",\"depth\":\"retail\"");
    assert_ok(read_json(text, arena, &notice, &err), &err);
    return notice;
}

static int covers(const char *members, const char *serial, const char *lot, const char *territory) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    const struct recall_notice notice = notice_of(&arena, members);
    const struct recall_question question = {serial, lot, territory};
    unsigned doubt;
    if (!recall_scope_covers(&notice.scope, &question, &doubt)) return -1;
    return (int)doubt;
}

static void a_scope_covers_what_every_list_agrees_on(void **state) {
    (void)state;
    assert_int_equal(covers("", "1", NULL, NULL), 0);
    const char lots[] = "\"lots\":[\"A\",\"B\"],";
    assert_int_equal(covers(lots, "1", "A", NULL), 0);
    assert_int_equal(covers(lots, "1", "C", NULL), -1);
    assert_int_equal(covers(lots, "1", NULL, NULL), RECALL_DOUBT_LOT);
    assert_int_equal(covers(lots, "1", "", NULL), RECALL_DOUBT_LOT);
    const char serials[] = "\"serials\":[{\"from\":\"9\",\"to\":\"11\"},{\"from\":\"A5\",\"to\":\"A9\"}],";
    assert_int_equal(covers(serials, "8", NULL, NULL), -1);
    assert_int_equal(covers(serials, "9", NULL, NULL), 0);
    assert_int_equal(covers(serials, "10", NULL, NULL), 0);
    assert_int_equal(covers(serials, "11", NULL, NULL), 0);
    assert_int_equal(covers(serials, "12", NULL, NULL), -1);
    assert_int_equal(covers(serials, "A7", NULL, NULL), 0);
    assert_int_equal(covers(serials, "A10", NULL, NULL), -1);  // longer than the range's end
    const char both[] = "\"lots\":[\"A\"],\"serials\":[{\"from\":\"1\",\"to\":\"5\"}],";
    assert_int_equal(covers(both, "3", "A", NULL), 0);
    assert_int_equal(covers(both, "6", "A", NULL), -1);
    assert_int_equal(covers(both, "6", NULL, NULL), -1);  // the serial decides: no doubt is left
    assert_int_equal(covers(both, "3", "B", NULL), -1);
    const char places[] = "\"territories\":[\"CN-SX\",\"DE\"],";
    assert_int_equal(covers(places, "1", NULL, "DE"), 0);
    assert_int_equal(covers(places, "1", NULL, "DE-BE"), 0);
    assert_int_equal(covers(places, "1", NULL, "CN-SX"), 0);
    assert_int_equal(covers(places, "1", NULL, "CN-BJ"), -1);
    assert_int_equal(covers(places, "1", NULL, "CN"), RECALL_DOUBT_TERRITORY);
    assert_int_equal(covers(places, "1", NULL, "FR"), -1);
    assert_int_equal(covers(places, "1", NULL, NULL), RECALL_DOUBT_TERRITORY);
}

static bool includes(const char *newer, const char *older) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    const struct recall_notice a = notice_of(&arena, newer), b = notice_of(&arena, older);
    return recall_notice_includes(&a, &b);
}

static void a_recall_in_force_only_grows(void **state) {
    (void)state;
    assert_true(includes("", ""));
    assert_true(includes("", "\"lots\":[\"A\"],"));
    assert_false(includes("\"lots\":[\"A\"],", ""));
    assert_true(includes("\"lots\":[\"A\",\"B\"],", "\"lots\":[\"B\"],"));
    assert_false(includes("\"lots\":[\"A\"],", "\"lots\":[\"A\",\"B\"],"));
    assert_true(includes("\"serials\":[{\"from\":\"1\",\"to\":\"50\"}],", "\"serials\":[{\"from\":\"5\",\"to\":\"9\"}],"));
    assert_false(includes("\"serials\":[{\"from\":\"1\",\"to\":\"8\"}],", "\"serials\":[{\"from\":\"5\",\"to\":\"9\"}],"));
    assert_false(includes("\"serials\":[{\"from\":\"1\",\"to\":\"8\"}],", ""));
    assert_true(includes("", "\"serials\":[{\"from\":\"5\",\"to\":\"9\"}],"));
    assert_false(includes("\"territories\":[\"DE\"],", "\"territories\":[\"FR\"],"));
    assert_true(includes("\"depth\":\"consumer\",", "\"depth\":\"retail\","));
    assert_false(includes("\"depth\":\"wholesale\",", "\"depth\":\"retail\","));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notices_come_back_as_they_were),
        cmocka_unit_test(lists_of_people_are_sorted),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(a_scope_covers_what_every_list_agrees_on),
        cmocka_unit_test(a_recall_in_force_only_grows),
    };
    return cmocka_run_group_tests_name("recall notice", tests, NULL, NULL);
}
