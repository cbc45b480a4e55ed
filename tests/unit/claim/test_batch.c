// An insurer's batch: its one encoding, its JSON, and what is refused of both.
#include <stdio.h>
#include <string.h>

#include "common/claim/claim.h"
#include "common/cose/cbor.h"
#include "tests/support/support.h"

static const char good[] =
    "{\"batch\":\"B-2026-001\",\"insurer\":\"https://id.gs1.org/417/9506000000003\",\"lines\":["
    "{\"line\":\"L1\",\"action\":\"settle\",\"pack\":\"https://id.gs1.org/01/06901234567892/21/X1\",\"product\":{\"gtin\":\"6901234567892\"},"
    "\"units\":24,\"dispensing\":{\"event\":\"ni:///sha-256;00\"},\"place\":\"https://id.gs1.org/414/9506000000010\","
    "\"prescription\":\"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\",\"eventTime\":\"2026-05-31T16:00:00+08:00\"},"
    "{\"line\":\"L2\",\"action\":\"settle\",\"pack\":\"81234567890123456789\",\"product\":{\"drugIdentifier\":\"8123456\"},\"units\":1,"
    "\"dispensing\":{\"statement\":\"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\"},\"place\":\"urn:packtrail:place:p0\","
    "\"eventTime\":\"2026-05-31T08:00:00Z\"},"
    "{\"line\":\"L3\",\"action\":\"settle\",\"pack\":\"81234567890123456789\",\"product\":{\"insuranceCode\":\"XA01ABC\"},\"units\":2,"
    "\"place\":\"urn:packtrail:place:p0\",\"eventTime\":\"2026-05-31T08:00:00Z\"},"
    "{\"line\":\"L0\",\"action\":\"reverse\",\"pack\":\"81234567890123456789\",\"eventTime\":\"2026-05-31T08:00:00Z\"}]}";

static json_t *parse(const char *text) {
    json_t *value;
    struct pt_error err;
    assert_ok(pt_json_parse(pt_bytes_str(text), 1u << 20, &value, &err), &err);
    return value;
}

static void encode_good(struct pt_arena *arena, struct pt_buf *out) {
    struct claim_batch batch;
    struct pt_error err;
    PT_JSON json_t *value = parse(good);
    assert_ok(claim_batch_from_json(value, arena, &batch, &err), &err);
    assert_ok(claim_batch_encode(&batch, out, &err), &err);
}

static void goes_round(void **state) {
    (void)state;
    struct pt_arena arena = {0};
    struct pt_buf bytes = PT_BUF_INIT(CLAIM_BATCH_MAX), again = PT_BUF_INIT(CLAIM_BATCH_MAX);
    struct claim_batch batch, back;
    struct pt_error err;
    encode_good(&arena, &bytes);
    assert_ok(claim_batch_decode(pt_buf_bytes(&bytes), &arena, &batch, &err), &err);
    assert_int_equal(batch.line_count, 4);
    assert_string_equal(batch.lines[0].product, "06901234567892");  // filled up
    assert_int_equal(batch.lines[0].units, 24);
    assert_string_equal(batch.lines[0].event_id, "ni:///sha-256;00");
    assert_true(batch.lines[0].has_prescription && batch.lines[0].prescription.bytes[31] == 31);
    assert_true(batch.lines[1].has_statement && !batch.lines[1].event_id && !batch.lines[1].has_prescription);
    assert_int_equal(batch.lines[2].product_kind, CLAIM_INSURANCE_CODE);
    assert_int_equal(batch.lines[3].action, CLAIM_REVERSE);
    assert_int_equal(batch.lines[0].event_time, batch.lines[1].event_time);
    // Each line's bytes are its own encoding: what is held against a line told twice.
    struct cbor_reader reader = cbor_reader_of(batch.lines[1].bytes, true, NULL);
    cbor_skip(&reader);
    assert_int_equal(cbor_finish(&reader), PT_OK);
    json_t *json;
    assert_ok(claim_batch_to_json(&batch, &json, &err), &err);
    assert_ok(claim_batch_from_json(json, &arena, &back, &err), &err);
    assert_ok(claim_batch_encode(&back, &again, &err), &err);
    assert_true(pt_bytes_equal(pt_buf_bytes(&bytes), pt_buf_bytes(&again)));
    json_decref(json);
    pt_buf_free(&bytes);
    pt_buf_free(&again);
    pt_arena_free(&arena);
}

// Every change of one member, and where the error must point.
static void refuses_bad_json(void **state) {
    (void)state;
    static const struct {
        const char *member, *value, *where;
        int line;  // -1: the batch's
    } bad[] = {
        {"batch", "\"\"", "/batch", -1},
        {"batch", "\"a b\"", "/batch", -1},
        {"insurer", "7", "/insurer", -1},
        {"lines", "[]", "/lines", -1},
        {"note", "\"x\"", "/note", -1},
        {"line", "\"Zhang San\"", "/lines/0/line", 0},
        {"line", "\"01234567890123456789012345678901234567890123456789012345678901234\"", "/lines/0/line", 0},
        {"action", "\"pay\"", "/lines/0/action", 0},
        {"pack", "\"\"", "/lines/0/pack", 0},
        {"pack", "\"a pack\"", "/lines/0/pack", 0},
        {"product", "{\"gtin\":\"69\"}", "/lines/0/product", 0},
        {"product", "{\"gtin\":\"06901234567892\",\"drugIdentifier\":\"8123456\"}", "/lines/0/product", 0},
        {"product", "{\"name\":\"aspirin\"}", "/lines/0/product", 0},
        {"units", "0", "/lines/0/units", 0},
        {"units", "-1", "/lines/0/units", 0},
        {"units", "1.5", "/lines/0/units", 0},
        {"units", "4503599627370496", "/lines/0/units", 0},
        {"dispensing", "{\"event\":\"\"}", "/lines/0/dispensing", 0},
        {"dispensing", "{\"statement\":\"00\"}", "/lines/0/dispensing/statement", 0},
        {"place", "\"\"", "/lines/0/place", 0},
        {"prescription", "\"abc\"", "/lines/0/prescription", 0},
        {"eventTime", "\"2026-05-31\"", "/lines/0/eventTime", 0},
        {"patient", "\"x\"", "/lines/0/patient", 0},
        {"units", "3", "/lines/3/units", 3},  // a reversal has none
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct pt_arena arena = {0};
        struct claim_batch batch;
        struct pt_error err = {0};
        PT_JSON json_t *value = parse(good);
        json_t *object = bad[i].line < 0 ? value : json_array_get(json_object_get(value, "lines"), (size_t)bad[i].line);
        json_t *wrapped = json_loads(bad[i].value, JSON_DECODE_ANY, NULL);
        assert_non_null(wrapped);
        json_object_set_new(object, bad[i].member, wrapped);
        const enum pt_code code = claim_batch_from_json(value, &arena, &batch, &err);
        if (code != PT_INVALID || strcmp(err.where, bad[i].where) != 0)
            fail_msg("%s = %s: code %d at '%s' (%s)", bad[i].member, bad[i].value, (int)code, err.where, err.what);
        pt_arena_free(&arena);
    }
}

// No single byte may be changed, added or taken away without being refused or read as something else.
static void has_one_encoding(void **state) {
    (void)state;
    struct pt_arena arena = {0};
    struct pt_buf bytes = PT_BUF_INIT(CLAIM_BATCH_MAX), again = PT_BUF_INIT(CLAIM_BATCH_MAX);
    struct claim_batch batch;
    encode_good(&arena, &bytes);
    for (size_t len = 0; len < bytes.len; len++)
        assert_int_not_equal(claim_batch_decode(pt_bytes_of(bytes.data, len), &arena, &batch, NULL), PT_OK);
    for (size_t i = 0; i < bytes.len; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            bytes.data[i] ^= (uint8_t)(1u << bit);
            if (claim_batch_decode(pt_buf_bytes(&bytes), &arena, &batch, NULL) == PT_OK) {
                pt_buf_clear(&again);
                assert_int_equal(claim_batch_encode(&batch, &again, NULL), PT_OK);
                assert_true(pt_bytes_equal(pt_buf_bytes(&bytes), pt_buf_bytes(&again)));
            }
            bytes.data[i] ^= (uint8_t)(1u << bit);
        }
    pt_buf_byte(&bytes, 0);
    assert_int_equal(claim_batch_decode(pt_buf_bytes(&bytes), &arena, &batch, NULL), PT_INVALID);
    pt_buf_free(&bytes);
    pt_buf_free(&again);
    pt_arena_free(&arena);
}

static void keeps_its_limits(void **state) {
    (void)state;
    static struct claim_line lines[CLAIM_LINES_MAX + 1];
    static char packs[CLAIM_LINES_MAX + 1][CLAIM_PACK_MAX + 1];
    struct pt_arena arena = {0};
    struct pt_buf bytes = PT_BUF_INIT((size_t)4 * 1024 * 1024);
    struct claim_batch batch = {.id = "B", .insurer = "urn:packtrail:party:p9", .lines = lines, .line_count = CLAIM_LINES_MAX}, back;
    struct pt_error err = {0};
    for (size_t i = 0; i <= CLAIM_LINES_MAX; i++) {
        snprintf(packs[i], sizeof packs[i], "812345678901234%05zu", i);
        lines[i] = (struct claim_line){.id = "L", .action = CLAIM_REVERSE, .pack = packs[i]};
    }
    assert_ok(claim_batch_encode(&batch, &bytes, &err), &err);
    assert_ok(claim_batch_decode(pt_buf_bytes(&bytes), &arena, &back, &err), &err);
    assert_int_equal(back.line_count, CLAIM_LINES_MAX);
    pt_buf_clear(&bytes);
    batch.line_count++;
    assert_int_equal(claim_batch_encode(&batch, &bytes, &err), PT_LIMIT);
    // Fewer lines of more bytes than a statement can hold.
    batch.line_count = CLAIM_LINES_MAX;
    for (size_t i = 0; i < CLAIM_LINES_MAX; i++) {
        memset(packs[i], 'x', CLAIM_PACK_MAX);
        packs[i][CLAIM_PACK_MAX] = 0;
    }
    pt_buf_clear(&bytes);
    assert_int_equal(claim_batch_encode(&batch, &bytes, &err), PT_LIMIT);
    packs[0][CLAIM_PACK_MAX - 1] = 0;
    batch.line_count = 1;
    lines[0].pack = "a\nb";
    pt_buf_clear(&bytes);
    assert_int_equal(claim_batch_encode(&batch, &bytes, &err), PT_INVALID);
    assert_string_equal(err.where, "/lines/0/pack");
    pt_buf_free(&bytes);
    pt_arena_free(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(goes_round), cmocka_unit_test(refuses_bad_json), cmocka_unit_test(has_one_encoding),
                                       cmocka_unit_test(keeps_its_limits)};
    return cmocka_run_group_tests_name("claim batch", tests, NULL, NULL);
}
