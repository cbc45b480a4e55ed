// What a terminal believes of recalls: signed by whom they must be, newer before older, kept over restarts, never by force.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/disk.h"
#include "common/cose/statement.h"
#include "firmware/recall/recall_list.h"
#include "tests/support/support.h"
#include "tests/unit/firmware/feed_lab.h"

#define GTIN "06901234567892"
#define NOW ((pt_millis)1767225600000)

static struct feed_key operator, company, device, outsider;
static struct genesis genesis = {.name = "test"};
static struct actor actors[2];
static char scratch[256], file[300];
static uint64_t leaf;

static int setup(void **state) {
    (void)state;
    feed_key_make(&operator, ACTOR_OPERATOR);
    feed_key_make(&company, ACTOR_COMPANY);
    feed_key_make(&device, ACTOR_DEVICE);
    feed_key_make(&outsider, ACTOR_COMPANY);
    actors[0] = operator.actor;
    actors[1] = device.actor;
    genesis.actors = actors;
    genesis.actor_count = 2;
    memset(genesis.hash.bytes, 7, sizeof genesis.hash.bytes);
    test_scratch(scratch);
    snprintf(file, sizeof file, "%s/recalls.cbor", scratch);
    leaf = 0;
    return 0;
}

static int teardown(void **state) {
    (void)state;
    struct feed_key *keys[] = {&operator, &company, &device, &outsider};
    for (size_t i = 0; i < 4; i++) feed_key_free(keys[i]);
    test_scratch_remove(scratch);
    return 0;
}

static struct recall_list *open_list(void) {
    struct recall_list *list = NULL;
    struct pt_error err = {0};
    assert_ok(recall_list_open(&genesis, file, &list, &err), &err);
    return list;
}

// Gives the list one item; how many it refused.
static size_t tell(struct recall_list *list, enum wire_feed_kind kind, struct pt_bytes statement, pt_millis now) {
    struct wire_feed_item item = {kind, leaf++, statement};
    const struct wire_feed feed = {.height = 5, .time = NOW, .cursor = leaf, .items = &item, .count = 1};
    struct pt_error err = {0};
    size_t refused;
    assert_ok(recall_list_take(list, &feed, now, &refused, &err), &err);
    return refused;
}

static void notice(struct pt_buf *out, const char *action, unsigned version, const char *members) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    PT_JSON json_t *value = NULL;
    struct pt_error err = {0};
    struct recall_notice decoded;
    char text[1024];
    snprintf(text, sizeof text, "{%s%s\"version\":%u,\"action\":\"%s\",\"products\":[\"" GTIN "\"],%s\"depth\":\"retail\","
             "\"reason\":{\"zh\":\"含量\",\"en\":\"assay\"},\"issuedAt\":\"2026-01-01T00:00:00Z\"}", members,
             strstr(members, "\"id\"") ? "" : "\"id\":\"R1\",", version, action, strstr(members, "level") ? "" : "\"level\":2,");
    assert_ok(pt_json_parse(pt_bytes_str(text), 4096, &value, &err), &err);
    assert_ok(recall_notice_from_json(value, &arena, &decoded, &err), &err);
    assert_ok(recall_notice_encode(&decoded, out, &err), &err);
}

static size_t recall(struct recall_list *list, struct feed_key *key, const char *action, unsigned version, const char *members) {
    PT_CLEANUP(pt_buf_free) struct pt_buf payload = PT_BUF_INIT(RECALL_NOTICE_MAX), statement = PT_BUF_INIT(STATEMENT_MAX);
    notice(&payload, action, version, members);
    feed_sign(key, STATEMENT_RECALL, pt_buf_bytes(&payload), &genesis.hash, &statement);
    return tell(list, WIRE_FEED_RECALL, pt_buf_bytes(&statement), NOW);
}

static size_t enrol(struct recall_list *list, struct feed_key *by, const struct feed_key *whom) {
    PT_CLEANUP(pt_buf_free) struct pt_buf payload = PT_BUF_INIT(8192), statement = PT_BUF_INIT(STATEMENT_MAX);
    struct pt_error err = {0};
    assert_ok(actor_encode(&whom->actor, &payload, &err), &err);
    feed_sign(by, STATEMENT_ENROLMENT, pt_buf_bytes(&payload), &genesis.hash, &statement);
    return tell(list, WIRE_FEED_ENROLMENT, pt_buf_bytes(&statement), NOW);
}

static int covered(struct recall_list *list, const char *serial, const char *lot) {
    struct recall_warning warning;
    struct pack_id id = {.kind = PACK_SGTIN, .product = GTIN};
    snprintf(id.serial, sizeof id.serial, "%s", serial);
    if (!recall_list_covers(list, &id, lot, &warning)) return 0;
    return warning.certain ? 2 : 1;
}

static void only_signed_recalls_are_believed(void **state) {
    (void)state;
    struct recall_list *list = open_list();
    assert_int_equal(recall(list, &company, "begin", 1, ""), 1);   // not enrolled
    assert_int_equal(recall(list, &device, "begin", 1, ""), 1);    // enrolled, but a device
    assert_int_equal(covered(list, "1", NULL), 0);
    assert_int_equal(enrol(list, &outsider, &company), 1);         // by nobody
    assert_int_equal(enrol(list, &operator, &company), 0);
    assert_int_equal(enrol(list, &company, &outsider), 1);         // companies enrol nobody
    assert_int_equal(recall(list, &company, "begin", 1, ""), 0);
    assert_int_equal(covered(list, "1", NULL), 2);
    assert_int_equal(recall(list, &outsider, "end", 2, ""), 1);
    // Another ledger's recall, and one whose bytes were changed.
    PT_CLEANUP(pt_buf_free) struct pt_buf payload = PT_BUF_INIT(RECALL_NOTICE_MAX), other = PT_BUF_INIT(STATEMENT_MAX);
    const struct pt_digest elsewhere = {{9}};
    notice(&payload, "end", 3, "");
    feed_sign(&operator, STATEMENT_RECALL, pt_buf_bytes(&payload), &elsewhere, &other);
    assert_int_equal(tell(list, WIRE_FEED_RECALL, pt_buf_bytes(&other), NOW), 1);
    pt_buf_clear(&other);
    feed_sign(&operator, STATEMENT_RECALL, pt_buf_bytes(&payload), &genesis.hash, &other);
    other.data[other.len - 1] ^= 1;
    assert_int_equal(tell(list, WIRE_FEED_RECALL, pt_buf_bytes(&other), NOW), 1);
    assert_int_equal(tell(list, WIRE_FEED_RECALL, pt_bytes_str("no statement"), NOW), 1);
    assert_int_equal(covered(list, "1", NULL), 2);
    recall_list_close(list);
}

static void a_revoked_signer_is_believed_no_longer(void **state) {
    (void)state;
    PT_CLEANUP(pt_buf_free) struct pt_buf payload = PT_BUF_INIT(8192), statement = PT_BUF_INIT(STATEMENT_MAX);
    struct pt_error err = {0};
    struct recall_list *list = open_list();
    assert_int_equal(enrol(list, &operator, &company), 0);
    assert_int_equal(recall(list, &company, "begin", 1, ""), 0);
    struct revocation revocation = {.kid = company.actor.kid, .last_trusted = 0, .reason = "stolen"};
    assert_ok(revocation_encode(&revocation, &payload, &err), &err);
    feed_sign(&operator, STATEMENT_REVOCATION, pt_buf_bytes(&payload), &genesis.hash, &statement);
    assert_int_equal(tell(list, WIRE_FEED_REVOCATION, pt_buf_bytes(&statement), NOW), 0);
    assert_int_equal(recall(list, &company, "end", 2, ""), 1);
    assert_int_equal(covered(list, "1", NULL), 2);  // what it said before stays said
    recall_list_close(list);
    list = open_list();
    assert_int_equal(covered(list, "1", NULL), 2);
    assert_int_equal(recall(list, &company, "end", 3, ""), 1);
    recall_list_close(list);
}

static void the_newest_version_counts(void **state) {
    (void)state;
    struct recall_list *list = open_list();
    assert_int_equal(recall(list, &operator, "begin", 1, "\"lots\":[\"A\"],"), 0);
    assert_int_equal(covered(list, "1", "A"), 2);
    assert_int_equal(covered(list, "1", "B"), 0);
    assert_int_equal(covered(list, "1", NULL), 1);
    assert_int_equal(recall(list, &operator, "extend", 2, "\"lots\":[\"A\",\"B\"],"), 0);
    assert_int_equal(covered(list, "1", "B"), 2);
    assert_int_equal(recall(list, &operator, "begin", 1, "\"lots\":[\"A\"],"), 0);  // old news
    assert_int_equal(covered(list, "1", "B"), 2);
    assert_int_equal(recall(list, &operator, "end", 3, ""), 0);
    assert_int_equal(covered(list, "1", "A"), 0);
    assert_int_equal(recall(list, &operator, "extend", 2, ""), 0);
    assert_int_equal(covered(list, "1", "A"), 0);
    struct recall_list_status status;
    recall_list_status(list, &status);
    assert_int_equal(status.in_force, 0);
    recall_list_close(list);
}

static void the_gravest_certain_recall_is_shown(void **state) {
    (void)state;
    struct recall_list *list = open_list();
    struct recall_warning warning;
    const struct pack_id id = {.kind = PACK_SGTIN, .product = GTIN, .serial = "1"}, case_id = {.kind = PACK_SSCC, .product = "0690123", .serial = "1"};
    recall(list, &operator, "begin", 1, "\"id\":\"R3\",\"level\":3,");
    recall(list, &operator, "begin", 1, "\"id\":\"R1\",\"level\":1,\"lots\":[\"A\",\"B\"],");
    recall(list, &operator, "begin", 1, "\"id\":\"R2\",\"level\":2,");
    assert_true(recall_list_covers(list, &id, NULL, &warning));
    assert_string_equal(warning.id, "R2");
    assert_true(recall_list_covers(list, &id, "A", &warning));
    assert_string_equal(warning.id, "R1");
    assert_string_equal(warning.lots, "A, B");
    assert_string_equal(warning.reason_zh, "含量");
    assert_false(recall_list_covers(list, &case_id, NULL, &warning));
    recall_list_close(list);
}

static void the_list_survives_with_its_age(void **state) {
    (void)state;
    struct recall_list *list = open_list();
    struct recall_list_status status;
    recall_list_status(list, &status);
    assert_int_equal(status.read, 0);
    assert_int_equal(enrol(list, &operator, &company), 0);
    assert_int_equal(recall(list, &company, "begin", 1, ""), 0);
    const uint64_t cursor = recall_list_cursor(list);
    recall_list_close(list);
    list = open_list();
    assert_int_equal(recall_list_cursor(list), cursor);
    assert_int_equal(covered(list, "1", NULL), 2);
    recall_list_status(list, &status);
    assert_int_equal(status.read, NOW);
    assert_int_equal(status.in_force, 1);
    assert_int_equal(recall(list, &company, "end", 2, ""), 0);  // the company is still known
    recall_list_close(list);
}

static void a_damaged_list_is_read_anew(void **state) {
    (void)state;
    PT_CLEANUP(pt_buf_free) struct pt_buf good = PT_BUF_INIT(1 << 20);
    struct pt_error err = {0};
    struct recall_list *list = open_list();
    assert_int_equal(recall(list, &operator, "begin", 1, ""), 0);
    recall_list_close(list);
    assert_ok(pt_file_read(file, &good, &err), &err);
    // Every cut and many a changed byte: it opens, and either still knows the recall or begins from the start of the feed.
    for (size_t i = 0; i < good.len; i += 7) {
        PT_CLEANUP(pt_buf_free) struct pt_buf bad = PT_BUF_INIT(1 << 20);
        pt_buf_append(&bad, good.data, i % 2 ? good.len : i);
        if (i % 2) bad.data[i] ^= 0x55;
        assert_ok(pt_file_replace(file, pt_buf_bytes(&bad), 0600, &err), &err);
        list = open_list();
        assert_true(covered(list, "1", NULL) == 2 || recall_list_cursor(list) == 0);
        recall_list_close(list);
    }
    memset(genesis.hash.bytes, 8, sizeof genesis.hash.bytes);
    assert_ok(pt_file_replace(file, pt_buf_bytes(&good), 0600, &err), &err);
    list = open_list();
    assert_int_equal(recall_list_cursor(list), 0);  // another ledger's list
    assert_int_equal(covered(list, "1", NULL), 0);
    recall_list_close(list);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_signed_recalls_are_believed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_revoked_signer_is_believed_no_longer, setup, teardown),
        cmocka_unit_test_setup_teardown(the_newest_version_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(the_gravest_certain_recall_is_shown, setup, teardown),
        cmocka_unit_test_setup_teardown(the_list_survives_with_its_age, setup, teardown),
        cmocka_unit_test_setup_teardown(a_damaged_list_is_read_anew, setup, teardown),
    };
    return cmocka_run_group_tests_name("recall list", tests, NULL, NULL);
}
