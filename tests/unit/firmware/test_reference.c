// What a terminal knows while the line is down: signed by whom it must be, in force at its time, kept over restarts.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/disk.h"
#include "common/epcis/event_cbor.h"
#include "firmware/reference/reference.h"
#include "firmware/task/task.h"
#include "tests/support/support.h"
#include "tests/unit/firmware/feed_lab.h"

#define GTIN "06901234567892"
#define DRUG "8123456"
#define NOW ((pt_millis)1767225600000)
#define DAY ((pt_millis)86400000)

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
    snprintf(file, sizeof file, "%s/reference.db", scratch);
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

static struct reference *open_reference(void) {
    struct reference *reference = NULL;
    struct pt_error err = {0};
    assert_ok(reference_open(&genesis, file, &reference, &err), &err);
    return reference;
}

// Gives one item; how many were refused.
static size_t tell(struct reference *reference, enum wire_feed_kind kind, struct pt_bytes statement, pt_millis now) {
    struct wire_feed_item item = {kind, leaf++, statement};
    const struct wire_feed feed = {.height = 5, .time = NOW, .cursor = leaf, .items = &item, .count = 1};
    struct pt_error err = {0};
    size_t refused;
    assert_ok(reference_take(reference, &feed, now, &refused, &err), &err);
    return refused;
}

static size_t tell_signed(struct reference *reference, struct feed_key *key, enum wire_feed_kind kind, const char *type, struct pt_bytes payload) {
    PT_CLEANUP(pt_buf_free) struct pt_buf statement = PT_BUF_INIT(STATEMENT_MAX);
    feed_sign(key, type, payload, &genesis.hash, &statement);
    return tell(reference, kind, pt_buf_bytes(&statement), NOW);
}

static size_t enrol(struct reference *reference, struct feed_key *by, const struct feed_key *whom) {
    PT_CLEANUP(pt_buf_free) struct pt_buf payload = PT_BUF_INIT(8192);
    struct pt_error err = {0};
    assert_ok(actor_encode(&whom->actor, &payload, &err), &err);
    return tell_signed(reference, by, WIRE_FEED_ENROLMENT, STATEMENT_ENROLMENT, pt_buf_bytes(&payload));
}

static size_t revoke_key(struct reference *reference, struct feed_key *by, const struct feed_key *whom, uint64_t last) {
    PT_CLEANUP(pt_buf_free) struct pt_buf payload = PT_BUF_INIT(8192);
    struct pt_error err = {0};
    const struct revocation revocation = {.kid = whom->actor.kid, .last_trusted = last, .reason = "lost in a taxi"};
    assert_ok(revocation_encode(&revocation, &payload, &err), &err);
    return tell_signed(reference, by, WIRE_FEED_REVOCATION, STATEMENT_REVOCATION, pt_buf_bytes(&payload));
}

static size_t product(struct reference *reference, struct feed_key *by, unsigned version, const char *from, const char *name, const char *maker, bool withdrawn) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    PT_CLEANUP(pt_buf_free) struct pt_buf payload = PT_BUF_INIT(MASTER_RECORD_MAX);
    PT_JSON json_t *value = NULL;
    struct pt_error err = {0};
    struct master_record record;
    char text[2048];
    snprintf(text, sizeof text, "{\"kind\":\"product\",\"version\":%u,\"validFrom\":\"%s\",\"id\":\"https://id.gs1.org/01/" GTIN "\",\"name\":{\"zh\":\"%s\"},"
             "\"levels\":[{\"level\":1,\"units\":24,\"gtin\":\"" GTIN "\",\"drugIdentifier\":\"" DRUG "\"}],\"manufacturer\":\"%s\"%s}", version, from, name, maker,
             withdrawn ? ",\"withdrawn\":true" : "");
    assert_ok(pt_json_parse(pt_bytes_str(text), 4096, &value, &err), &err);
    assert_ok(master_from_json(value, &arena, &record, &err), &err);
    assert_ok(master_encode(&record, &payload, &err), &err);
    return tell_signed(reference, by, WIRE_FEED_MASTER, STATEMENT_MASTER, pt_buf_bytes(&payload));
}

static size_t ship(struct reference *reference, struct feed_key *by, const struct task_pack *packs, size_t count, pt_millis when) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    PT_CLEANUP(pt_buf_free) struct pt_buf payload = PT_BUF_INIT(STATEMENT_MAX);
    struct pt_error err = {0};
    struct epcis_event event;
    const struct task_input input = {.task = task_by_name("ship"), .packs = packs, .count = count, .place = "https://id.gs1.org/414/0614141007776", .now = when,
                                     .source = "urn:packtrail:party:x:1", .destination = "urn:packtrail:party:x:2", .biz_transaction_type = "desadv", .biz_transaction = "urn:x:desadv:7"};
    assert_ok(task_event(&input, &arena, &event, &err), &err);
    assert_ok(epcis_cbor_encode(&event, &payload, &err), &err);
    return tell_signed(reference, by, WIRE_FEED_SHIPPING_NOTICE, STATEMENT_EVENT_CBOR, pt_buf_bytes(&payload));
}

static enum pt_code name_of(struct reference *reference, pt_millis at, char out[64]) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    const struct pack_id pack = {.kind = PACK_SGTIN, .product = GTIN, .serial = "1"};
    struct master_record record;
    const enum pt_code code = reference_product(reference, &pack, at, &arena, &record, NULL);
    snprintf(out, 64, "%s", code == PT_OK ? record.product.name.zh : "");
    return code;
}

static void products_are_known_as_of_their_time(void **state) {
    (void)state;
    struct reference *reference = open_reference();
    char name[64];
    assert_int_equal(name_of(reference, NOW, name), PT_NOT_FOUND);
    assert_int_equal(product(reference, &operator, 1, "2026-01-01T00:00:00Z", "甲", "urn:packtrail:party:1", false), 0);
    assert_int_equal(product(reference, &operator, 2, "2026-03-01T00:00:00Z", "乙", "urn:packtrail:party:1", false), 0);
    assert_int_equal(product(reference, &operator, 3, "2026-06-01T00:00:00Z", "丙", "urn:packtrail:party:1", true), 0);
    assert_int_equal(name_of(reference, NOW - 1, name), PT_NOT_FOUND);
    assert_int_equal(name_of(reference, NOW + 10 * DAY, name), PT_OK);
    assert_string_equal(name, "甲");
    assert_int_equal(name_of(reference, NOW + 100 * DAY, name), PT_OK);
    assert_string_equal(name, "乙");
    assert_int_equal(name_of(reference, NOW + 200 * DAY, name), PT_NOT_FOUND);  // withdrawn
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct master_record record;
    const struct pack_id trace = {.kind = PACK_CN_TRACE, .product = DRUG, .serial = "0000000592183"}, box = {.kind = PACK_SSCC, .product = "0614141", .serial = "12345678901"};
    assert_int_equal(reference_product(reference, &trace, NOW, &arena, &record, NULL), PT_OK);
    assert_int_equal(reference_product(reference, &box, NOW, &arena, &record, NULL), PT_NOT_FOUND);
    reference_close(reference);
}

static void only_who_may_say_it_is_believed(void **state) {
    (void)state;
    struct reference *reference = open_reference();
    char name[64];
    assert_int_equal(product(reference, &company, 1, "2026-01-01T00:00:00Z", "假", "urn:packtrail:party:1", false), 1);  // not enrolled
    assert_int_equal(product(reference, &device, 1, "2026-01-01T00:00:00Z", "假", "urn:packtrail:party:1", false), 1);   // a device
    assert_int_equal(enrol(reference, &outsider, &company), 1);
    assert_int_equal(enrol(reference, &operator, &company), 0);
    assert_int_equal(enrol(reference, &company, &outsider), 1);
    assert_int_equal(product(reference, &company, 1, "2026-01-01T00:00:00Z", "假", "urn:packtrail:party:2", false), 1);  // another's product
    assert_int_equal(name_of(reference, NOW, name), PT_NOT_FOUND);
    assert_int_equal(product(reference, &company, 1, "2026-01-01T00:00:00Z", "真", "urn:packtrail:party:1", false), 0);
    assert_int_equal(name_of(reference, NOW, name), PT_OK);
    assert_int_equal(revoke_key(reference, &company, &device, 0), 1);
    assert_int_equal(revoke_key(reference, &operator, &company, 2), 0);
    assert_int_equal(product(reference, &company, 2, "2026-02-01T00:00:00Z", "晚", "urn:packtrail:party:1", false), 1);
    // Another ledger's, changed bytes, none at all.
    PT_CLEANUP(pt_buf_free) struct pt_buf payload = PT_BUF_INIT(8192), statement = PT_BUF_INIT(STATEMENT_MAX);
    const struct pt_digest elsewhere = {{9}};
    struct pt_error err = {0};
    assert_ok(actor_encode(&outsider.actor, &payload, &err), &err);
    feed_sign(&operator, STATEMENT_ENROLMENT, pt_buf_bytes(&payload), &elsewhere, &statement);
    assert_int_equal(tell(reference, WIRE_FEED_ENROLMENT, pt_buf_bytes(&statement), NOW), 1);
    pt_buf_clear(&statement);
    feed_sign(&operator, STATEMENT_ENROLMENT, pt_buf_bytes(&payload), &genesis.hash, &statement);
    statement.data[statement.len - 1] ^= 1;
    assert_int_equal(tell(reference, WIRE_FEED_ENROLMENT, pt_buf_bytes(&statement), NOW), 1);
    assert_int_equal(tell(reference, WIRE_FEED_MASTER, pt_bytes_str("nothing"), NOW), 1);
    reference_close(reference);
}

static void revocations_are_told_with_their_reason(void **state) {
    (void)state;
    struct reference *reference = open_reference();
    char reason[ACTOR_TEXT_MAX + 1];
    assert_false(reference_revoked(reference, &device.actor.kid, reason));
    assert_false(reference_revoked(reference, &outsider.actor.kid, reason));
    assert_int_equal(revoke_key(reference, &operator, &device, 3), 0);
    assert_int_equal(revoke_key(reference, &operator, &outsider, 3), 0);  // of nobody that is known: nothing to do
    reference_close(reference);
    reference = open_reference();
    assert_true(reference_revoked(reference, &device.actor.kid, reason));
    assert_string_equal(reason, "lost in a taxi");
    assert_true(reference_revoked(reference, &device.actor.kid, NULL));
    reference_close(reference);
}

static void notices_wait_until_they_are_worked_off(void **state) {
    (void)state;
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct reference *reference = open_reference();
    struct task_pack first[2] = {{.lot = ""}, {.id = {.kind = PACK_SGTIN, .product = GTIN, .serial = "A1"}}};
    struct task_pack second = {.id = {.kind = PACK_SGTIN, .product = GTIN, .serial = "B2"}}, old = {.id = {.kind = PACK_SGTIN, .product = GTIN, .serial = "C3"}};
    struct pt_error err = {0};
    assert_ok(pack_id_from_uri(pt_bytes_str("https://id.gs1.org/00/095060001000000012"), &first[0].id, &err), &err);
    assert_int_equal(ship(reference, &outsider, &second, 1, NOW), 1);
    assert_int_equal(ship(reference, &device, first, 2, NOW - 2 * DAY), 0);
    assert_int_equal(ship(reference, &device, &second, 1, NOW - DAY), 0);
    assert_int_equal(ship(reference, &device, &old, 1, NOW - 100 * DAY), 0);
    struct shipping_notice *notices, found;
    size_t count;
    assert_ok(reference_notices(reference, NOW, 10, &arena, &notices, &count, &err), &err);
    assert_int_equal(count, 2);
    assert_int_equal(notices[0].sent, NOW - DAY);
    assert_int_equal(notices[1].count, 2);
    assert_true(pack_id_equal(&notices[1].packs[0], &first[0].id));
    assert_string_equal(notices[1].source, "urn:packtrail:party:x:1");
    assert_string_equal(notices[1].transaction, "urn:x:desadv:7");
    assert_ok(reference_notice_of(reference, &first[1].id, NOW, &arena, &found, &err), &err);
    assert_true(pt_digest_equal(&found.id, &notices[1].id));
    assert_int_equal(reference_notice_of(reference, &old.id, NOW, &arena, &found, &err), PT_NOT_FOUND);
    assert_ok(reference_notice_done(reference, &notices[1].id, &err), &err);
    reference_close(reference);
    reference = open_reference();
    assert_int_equal(reference_notice_of(reference, &first[1].id, NOW, &arena, &found, &err), PT_NOT_FOUND);
    assert_ok(reference_notices(reference, NOW, 10, &arena, &notices, &count, &err), &err);
    assert_int_equal(count, 1);
    struct reference_status status;
    reference_status(reference, &status);
    assert_int_equal(status.notices, 1);
    assert_int_equal(status.read, NOW);
    assert_int_equal(status.height, 5);
    assert_int_equal(reference_cursor(reference), leaf);
    reference_close(reference);
}

static void a_damaged_file_is_put_aside_and_read_anew(void **state) {
    (void)state;
    char bad[400], name[64];
    struct pt_error err = {0};
    struct reference *reference = open_reference();
    assert_int_equal(product(reference, &operator, 1, "2026-01-01T00:00:00Z", "甲", "urn:packtrail:party:1", false), 0);
    reference_close(reference);
    assert_ok(pt_file_replace(file, pt_bytes_str("SQLite format 3 this is not"), 0600, &err), &err);
    reference = open_reference();
    assert_int_equal(reference_cursor(reference), 0);
    assert_int_equal(name_of(reference, NOW, name), PT_NOT_FOUND);
    snprintf(bad, sizeof bad, "%s.bad", file);
    assert_int_equal(access(bad, R_OK), 0);
    reference_close(reference);
    genesis.hash.bytes[0] ^= 1;  // another ledger's
    reference = open_reference();
    assert_int_equal(reference_cursor(reference), 0);
    reference_close(reference);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(products_are_known_as_of_their_time, setup, teardown),
        cmocka_unit_test_setup_teardown(only_who_may_say_it_is_believed, setup, teardown),
        cmocka_unit_test_setup_teardown(revocations_are_told_with_their_reason, setup, teardown),
        cmocka_unit_test_setup_teardown(notices_wait_until_they_are_worked_off, setup, teardown),
        cmocka_unit_test_setup_teardown(a_damaged_file_is_put_aside_and_read_anew, setup, teardown),
    };
    return cmocka_run_group_tests_name("firmware-reference", tests, NULL, NULL);
}
