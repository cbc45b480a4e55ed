#include "common/wire/wire.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "tests/support/support.h"

static struct pt_digest digest_of(uint8_t fill) {
    struct pt_digest digest;
    memset(digest.bytes, fill, sizeof digest.bytes);
    return digest;
}

static struct pt_buf from_hex(const char *hex) {
    struct pt_buf out = PT_BUF_INIT(4096);
    struct pt_error err;
    assert_ok(pt_hex_decode(pt_bytes_str(hex), &out, &err), &err);
    return out;
}

// --- outcomes of statements ---

static void outcomes_of_statements_come_back(void **state) {
    (void)state;
    const struct wire_ack acks[] = {
        {digest_of(1), WIRE_ACCEPTED, "", ""},
        {digest_of(2), WIRE_DUPLICATE, "", "gap"},
        {digest_of(3), WIRE_REFUSED, "the \"signature\" does not hold", ""},
        {digest_of(4), WIRE_LATER, "\xe5\xbf\x99", ""},
    };
    struct wire_ack read[4] = {{.id = digest_of(1)}, {.id = digest_of(2)}, {.id = digest_of(3)}, {.id = digest_of(4)}};
    struct pt_buf json = PT_BUF_INIT(WIRE_MAX_BODY);
    struct pt_error err;
    assert_ok(wire_acks_encode(acks, 4, &json, &err), &err);
    assert_ok(wire_acks_decode(pt_buf_bytes(&json), read, 4, &err), &err);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(read[i].outcome, acks[i].outcome);
        assert_string_equal(read[i].error, acks[i].error);
        assert_string_equal(read[i].warning, acks[i].warning);
    }
    assert_int_equal(wire_acks_decode(pt_buf_bytes(&json), read, 3, NULL), PT_INVALID);
    read[2].id = digest_of(9);
    assert_int_equal(wire_acks_decode(pt_buf_bytes(&json), read, 4, &err), PT_INVALID);
    assert_non_null(strstr(err.what, "another statement"));
    pt_buf_free(&json);
}

// A reason quotes the sender's bytes, and is cut to its room: whatever comes of that, the reason is not lost.
static void a_reason_that_is_not_utf8_is_still_told(void **state) {
    (void)state;
    struct wire_ack ack = {digest_of(1), WIRE_REFUSED, "serial \xff\xfe is bad \xe5\xbf", ""};
    struct pt_buf json = PT_BUF_INIT(4096);
    struct pt_error err;
    assert_ok(wire_acks_encode(&ack, 1, &json, &err), &err);
    assert_ok(wire_acks_decode(pt_buf_bytes(&json), &ack, 1, &err), &err);
    assert_memory_equal(ack.error, "serial ", 7);
    assert_non_null(strstr(ack.error, " is bad "));
    assert_true(pt_utf8_valid(pt_bytes_str(ack.error)));
    pt_buf_free(&json);
}

static void a_longer_reason_is_cut(void **state) {
    (void)state;
    struct pt_buf json = PT_BUF_INIT(4096);
    struct wire_ack ack = {.id = digest_of(0)};
    struct pt_error err;
    pt_buf_printf(&json, "{\"results\":[{\"id\":\"%064d\",\"outcome\":\"refused\",\"error\":\"%0600d\",\"warning\":\"%0600d\"}]}", 0, 0, 0);
    assert_ok(wire_acks_decode(pt_buf_bytes(&json), &ack, 1, &err), &err);
    assert_int_equal(strlen(ack.error), sizeof ack.error - 1);
    assert_int_equal(strlen(ack.warning), sizeof ack.warning - 1);
    pt_buf_free(&json);
}

#define ID "0101010101010101010101010101010101010101010101010101010101010101"

static void foreign_answers_about_statements_are_refused(void **state) {
    (void)state;
    static const char *const bad[] = {
        "", "null", "7", "[]", "{}", "{\"results\":null}", "{\"results\":{}}", "{\"results\":[]}", "{\"results\":[null]}",
        "{\"results\":[{}]}", "{\"results\":[{\"id\":\"" ID "\"}]}", "{\"results\":[{\"outcome\":\"accepted\"}]}",
        "{\"results\":[{\"id\":\"" ID "\",\"outcome\":\"\"}]}", "{\"results\":[{\"id\":\"" ID "\",\"outcome\":1}]}",
        "{\"results\":[{\"id\":\"" ID "\",\"outcome\":\"Accepted\"}]}",
        "{\"results\":[{\"id\":\"" ID "01\",\"outcome\":\"accepted\"}]}",
        "{\"results\":[{\"id\":\"01\",\"outcome\":\"accepted\"}]}", "{\"results\":[{\"id\":1,\"outcome\":\"accepted\"}]}",
        "{\"results\":[{\"id\":\"" ID "\",\"outcome\":\"accepted\"},{\"id\":\"" ID "\",\"outcome\":\"accepted\"}]}",
        "{\"results\":[{\"id\":\"" ID "\",\"outcome\":\"accepted\"}]} x",
    };
    struct wire_ack ack = {.id = digest_of(1)};
    struct pt_error err;
    assert_ok(wire_acks_decode(pt_bytes_str("{\"results\":[{\"id\":\"" ID "\",\"outcome\":\"accepted\"}]}"), &ack, 1, &err), &err);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ack.outcome = (enum wire_outcome)0;
        assert_int_equal(wire_acks_decode(pt_bytes_str(bad[i]), &ack, 1, NULL), PT_INVALID);
        assert_int_equal(ack.outcome, 0);
    }
}

// --- CBOR sequences ---

static void a_sequence_is_split_into_its_items(void **state) {
    (void)state;
    struct pt_buf body = from_hex("d28443a10126a040408101bf0102ff");
    struct pt_bytes items[4];
    size_t count = 99;
    struct pt_error err;
    assert_ok(wire_split_sequence(pt_buf_bytes(&body), items, 3, &count, &err), &err);
    assert_int_equal(count, 3);
    const size_t lengths[] = {9, 2, 4};
    const uint8_t *at = body.data;
    for (size_t i = 0; i < 3; i++) {
        assert_ptr_equal(items[i].data, at);
        assert_int_equal(items[i].len, lengths[i]);
        at += items[i].len;
    }
    assert_int_equal(wire_split_sequence(pt_buf_bytes(&body), items, 2, &count, NULL), PT_LIMIT);
    for (size_t len = 0; len < body.len; len++) {
        const bool between = len == 9 || len == 11;
        assert_int_equal(wire_split_sequence(pt_bytes_of(body.data, len), items, 3, &count, NULL), between ? PT_OK : PT_INVALID);
    }
    pt_buf_free(&body);
}

static void hostile_sequences_are_refused(void **state) {
    (void)state;
    static const char *const bad[] = {
        "ff", "9b7fffffffffffffff", "5bffffffffffffffff00", "bb8000000000000000", "01ff", "5f4101ff", "7f6161ff", "1c", "61ff", "9f01",
    };
    struct pt_bytes items[8];
    size_t count;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct pt_buf body = from_hex(bad[i]);
        assert_int_equal(wire_split_sequence(pt_buf_bytes(&body), items, 8, &count, NULL), PT_INVALID);
        pt_buf_free(&body);
    }
    uint8_t deep[CBOR_MAX_DEPTH + 2];
    memset(deep, 0x81, sizeof deep);
    deep[sizeof deep - 1] = 0;
    assert_int_not_equal(wire_split_sequence(pt_bytes_of(deep, sizeof deep), items, 8, &count, NULL), PT_OK);
}

// --- the ledger's answer about a block ---

static void an_answer_about_a_block_comes_back(void **state) {
    (void)state;
    for (int outcome = WIRE_BLOCK_APPLIED; outcome <= WIRE_BLOCK_REFUSED; outcome++) {
        const struct wire_block_answer answer = {.outcome = (enum wire_block_outcome)outcome, .block = digest_of(0xab),
            .height = INT64_MAX, .expected = 7, .final = outcome == WIRE_BLOCK_APPLIED, .error = "why"};
        struct wire_block_answer read;
        struct pt_buf json = PT_BUF_INIT(4096);
        struct pt_error err;
        assert_ok(wire_block_answer_encode(&answer, &json, &err), &err);
        assert_ok(wire_block_answer_decode(pt_buf_bytes(&json), &read, &err), &err);
        assert_int_equal(read.outcome, outcome);
        assert_true(pt_digest_equal(&read.block, &answer.block));
        assert_true(read.height == answer.height && read.expected == 7 && read.final == answer.final);
        assert_string_equal(read.error, "why");
        pt_buf_free(&json);
    }
}

static void foreign_answers_about_a_block_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *json, *where;
    } bad[] = {
        {"{\"block\":\"" ID "\",\"height\":1,\"expected\":1}", "/outcome"},
        {"{\"outcome\":\"accepted\",\"block\":\"" ID "\",\"height\":1,\"expected\":1}", "/outcome"},
        {"{\"outcome\":\"applied\",\"block\":\"" ID "\",\"height\":-1,\"expected\":1}", "/height"},
        {"{\"outcome\":\"applied\",\"block\":\"" ID "\",\"height\":1.0,\"expected\":1}", "/height"},
        {"{\"outcome\":\"applied\",\"block\":\"" ID "\",\"height\":1,\"expected\":\"1\"}", "/expected"},
        {"{\"outcome\":\"applied\",\"block\":\"" ID "\",\"height\":1}", "/expected"},
        {"{\"outcome\":\"applied\",\"height\":1,\"expected\":1}", "block"},
        {"{\"outcome\":\"applied\",\"block\":\"0101\",\"height\":1,\"expected\":1}", "block"},
        {"[]", "/outcome"},
    };
    struct wire_block_answer read;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct pt_error err;
        assert_int_equal(wire_block_answer_decode(pt_bytes_str(bad[i].json), &read, &err), PT_INVALID);
        assert_string_equal(err.where, bad[i].where);
    }
    assert_int_equal(wire_block_answer_decode(pt_bytes_str("{\"outcome\":\"applied\",\"height\":99999999999999999999}"), &read, NULL), PT_INVALID);
}

// --- receipts ---

static void receipt_requests_come_back(void **state) {
    (void)state;
    const struct pt_digest ids[] = {digest_of(1), digest_of(2), digest_of(3)};
    struct pt_digest read[3];
    size_t count = 0;
    struct pt_buf cbor = PT_BUF_INIT(4096);
    struct pt_error err;
    assert_ok(wire_receipt_request_encode(ids, 3, &cbor, &err), &err);
    assert_ok(wire_receipt_request_decode(pt_buf_bytes(&cbor), read, 3, &count, &err), &err);
    assert_int_equal(count, 3);
    assert_memory_equal(read, ids, sizeof ids);
    assert_int_not_equal(wire_receipt_request_decode(pt_buf_bytes(&cbor), read, 2, &count, NULL), PT_OK);
    for (size_t len = 0; len < cbor.len; len++)
        assert_int_equal(wire_receipt_request_decode(pt_bytes_of(cbor.data, len), read, 3, &count, NULL), PT_INVALID);
    pt_buf_byte(&cbor, 0);
    assert_int_equal(wire_receipt_request_decode(pt_buf_bytes(&cbor), read, 3, &count, NULL), PT_INVALID);
    pt_buf_free(&cbor);
}

static void foreign_receipt_requests_are_refused(void **state) {
    (void)state;
    static const char *const bad[] = {"80", "8140", "8100", "a0", "9bffffffffffffffff", "9a00000001", "9fff", "f6", "83f6f6f6"};
    struct pt_digest read[3];
    size_t count;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct pt_buf cbor = from_hex(bad[i]);
        assert_int_equal(wire_receipt_request_decode(pt_buf_bytes(&cbor), read, 3, &count, NULL), PT_INVALID);
        pt_buf_free(&cbor);
    }
}

static void receipts_and_gaps_come_back(void **state) {
    (void)state;
    const struct pt_bytes receipts[] = {pt_bytes_str("first"), {NULL, 0}, pt_bytes_str("third")};
    struct pt_bytes read[3];
    struct pt_buf cbor = PT_BUF_INIT(4096);
    struct pt_error err;
    assert_ok(wire_receipts_encode(receipts, 3, &cbor, &err), &err);
    assert_ok(wire_receipts_decode(pt_buf_bytes(&cbor), read, 3, &err), &err);
    for (size_t i = 0; i < 3; i++) assert_true(pt_bytes_equal(read[i], receipts[i]));
    assert_int_equal(wire_receipts_decode(pt_buf_bytes(&cbor), read, 2, NULL), PT_INVALID);
    struct pt_bytes more[4];
    assert_int_equal(wire_receipts_decode(pt_buf_bytes(&cbor), more, 4, NULL), PT_INVALID);
    for (size_t len = 0; len < cbor.len; len++)
        assert_int_equal(wire_receipts_decode(pt_bytes_of(cbor.data, len), read, 3, NULL), PT_INVALID);
    pt_buf_clear(&cbor);
    pt_buf_append(&cbor, "\x83\x40\xf6\xf6", 4);
    assert_int_equal(wire_receipts_decode(pt_buf_bytes(&cbor), read, 3, NULL), PT_INVALID);  // null, not an empty string
    pt_buf_free(&cbor);
}

// --- the feed ---

static void a_feed_comes_back(void **state) {
    (void)state;
    struct wire_feed_item items[] = {
        {WIRE_FEED_ENROLMENT, 0, pt_bytes_str("a statement")},
        {WIRE_FEED_SHIPPING_NOTICE, UINT64_MAX, pt_bytes_str("another")},
    };
    const struct wire_feed feed = {.height = 5, .time = 1700000000000, .cursor = 99, .more = true, .items = items, .count = 2};
    struct wire_feed read;
    struct pt_buf cbor = PT_BUF_INIT(4096);
    struct pt_error err;
    assert_ok(wire_feed_encode(&feed, &cbor, &err), &err);
    assert_ok(wire_feed_decode(pt_buf_bytes(&cbor), &read, &err), &err);
    assert_true(read.height == 5 && read.time == feed.time && read.cursor == 99 && read.more);
    assert_int_equal(read.count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(read.items[i].kind, items[i].kind);
        assert_true(read.items[i].leaf_index == items[i].leaf_index);
        assert_true(pt_bytes_equal(read.items[i].statement, items[i].statement));
    }
    free(read.items);
    for (size_t len = 0; len < cbor.len; len++) {
        assert_int_equal(wire_feed_decode(pt_bytes_of(cbor.data, len), &read, NULL), PT_INVALID);
        assert_null(read.items);
        assert_int_equal(read.count, 0);
    }
    pt_buf_free(&cbor);
}

static void an_empty_feed_comes_back(void **state) {
    (void)state;
    const struct wire_feed feed = {.time = -1};
    struct wire_feed read;
    struct pt_buf cbor = PT_BUF_INIT(64);
    struct pt_error err;
    assert_ok(wire_feed_encode(&feed, &cbor, &err), &err);
    assert_ok(wire_feed_decode(pt_buf_bytes(&cbor), &read, &err), &err);
    assert_true(read.time == -1 && read.count == 0 && !read.items && !read.more);
    pt_buf_free(&cbor);
}

static void foreign_feeds_are_refused(void **state) {
    (void)state;
    static const char *const bad[] = {
        "a0", "80", "a5010102000300", "a50101020003000500",
        "a501010200030004f40580ff",                    // something behind it
        "a501010200030004f4059bffffffffffffffff",      // more items than there are bytes in the world
        "a501010200030004f4059a00ffffff830100408301004083010040",
        "a501010200030004f40581820100",                // an item without its statement
        "a501010200030004f4058183000040",              // kind 0
        "a501010200030004f4058183060040",              // kind 6
        "a501010200030004f405818301004000",
        "a501010200030004f4058183010060",              // a text for a statement
        "a501010200030004000580",                      // `more` is a number
        "a502000101030004f40580",                      // keys in another order
        "a5010102f90000030004f40580",                  // a float for a time
    };
    struct wire_feed read;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct pt_buf cbor = from_hex(bad[i]);
        assert_int_equal(wire_feed_decode(pt_buf_bytes(&cbor), &read, NULL), PT_INVALID);
        assert_true(!read.items && read.count == 0);
        pt_buf_free(&cbor);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outcomes_of_statements_come_back),
        cmocka_unit_test(a_reason_that_is_not_utf8_is_still_told),
        cmocka_unit_test(a_longer_reason_is_cut),
        cmocka_unit_test(foreign_answers_about_statements_are_refused),
        cmocka_unit_test(a_sequence_is_split_into_its_items),
        cmocka_unit_test(hostile_sequences_are_refused),
        cmocka_unit_test(an_answer_about_a_block_comes_back),
        cmocka_unit_test(foreign_answers_about_a_block_are_refused),
        cmocka_unit_test(receipt_requests_come_back),
        cmocka_unit_test(foreign_receipt_requests_are_refused),
        cmocka_unit_test(receipts_and_gaps_come_back),
        cmocka_unit_test(a_feed_comes_back),
        cmocka_unit_test(an_empty_feed_comes_back),
        cmocka_unit_test(foreign_feeds_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
