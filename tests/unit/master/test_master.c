// Master records through JSON and CBOR and back, what is refused where, and which record is in force.
#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/master/master.h"
#include "tests/support/support.h"

#include <stdio.h>
#include <string.h>

static const char product[] =
    "{\"kind\":\"product\",\"version\":3,\"validFrom\":\"2026-01-01T00:00:00Z\",\"withdrawn\":true,"
    "\"id\":\"https://id.gs1.org/01/06901234567892\",\"name\":{\"zh\":\"阿司匹林肠溶片\",\"en\":\"Aspirin\"},"
    "\"levels\":[{\"level\":1,\"units\":30,\"gtin\":\"06901234567892\",\"drugIdentifier\":\"8123456\"},"
    "{\"level\":2,\"units\":300,\"drugIdentifier\":\"8123457\"},{\"level\":3,\"units\":6000,\"gtin\":\"16901234567899\"}],"
    "\"approvalNumber\":\"国药准字H12345678\",\"insuranceCode\":\"XB01ACA001\",\"holder\":\"https://id.gs1.org/417/6901234000009\","
    "\"manufacturer\":\"urn:packtrail:party:1\",\"form\":{\"zh\":\"片剂\"},\"strength\":\"100 mg\","
    "\"smallestUnit\":{\"en\":\"tablet\",\"zh\":\"片\"},\"shelfLifeMonths\":24,\"shelfLifeDays\":5,"
    "\"temperatureMinHundredths\":-50,\"temperatureMaxHundredths\":2500,\"territories\":[\"CN-SX\",\"DE\"],"
    "\"prescriptionOnly\":true,\"splitExempt\":true,\"otherGtins\":[\"00000096385074\"]}";

static const char party[] =
    "{\"kind\":\"party\",\"version\":1,\"validFrom\":\"2025-06-30T16:00:00Z\",\"id\":\"https://id.gs1.org/417/6901234000009\","
    "\"name\":{\"zh\":\"北京第一药房\"},\"licence\":\"京DA0100001\",\"institutionCode\":\"P11010100001\","
    "\"roles\":[\"distributor\",\"pharmacy\"],\"territory\":\"CN\",\"address\":{\"zh\":\"北京\",\"en\":\"Beijing\"}}";

static const char place[] =
    "{\"kind\":\"place\",\"version\":9007199254740991,\"validFrom\":\"1969-12-31T23:59:59.999Z\","
    "\"id\":\"urn:packtrail:place:wh-1\",\"name\":{\"en\":\"Warehouse\"},\"party\":\"urn:packtrail:party:1\",\"territory\":\"DE\","
    "\"profile\":\"eu\",\"latitudeMillionths\":-90000000,\"longitudeMillionths\":0,\"address\":{\"en\":\"Street 1\"}}";

static enum pt_code read_json(const char *text, struct pt_arena *arena, struct master_record *out, struct pt_error *err) {
    PT_JSON json_t *value = NULL;
    assert_int_equal(pt_json_parse(pt_bytes_str(text), 1 << 16, &value, NULL), PT_OK);
    return master_from_json(value, arena, out, err);
}

static void check_round_trip(const char *text) {
    struct pt_arena arena = {0};
    struct pt_error err = {0};
    struct master_record first, second;
    assert_ok(read_json(text, &arena, &first, &err), &err);
    struct pt_buf bytes = PT_BUF_INIT(MASTER_RECORD_MAX);
    assert_ok(master_encode(&first, &bytes, &err), &err);
    assert_ok(master_decode(pt_buf_bytes(&bytes), &arena, &second, &err), &err);
    PT_JSON json_t *written = NULL;
    PT_JSON json_t *wanted = NULL;
    assert_ok(master_to_json(&second, &written, &err), &err);
    assert_ok(pt_json_parse(pt_bytes_str(text), 1 << 16, &wanted, &err), &err);
    // Every member of the JSON came through the struct, the CBOR and the struct.
    assert_true(json_equal(written, wanted));
    struct pt_buf again = PT_BUF_INIT(MASTER_RECORD_MAX);
    assert_ok(master_encode(&second, &again, &err), &err);
    assert_true(pt_bytes_equal(pt_buf_bytes(&bytes), pt_buf_bytes(&again)));
    struct master_record cut;
    for (size_t len = 0; len < bytes.len; len++)
        assert_int_not_equal(master_decode(pt_bytes_of(bytes.data, len), &arena, &cut, NULL), PT_OK);
    for (size_t i = 0; i < bytes.len; i++) {
        const uint8_t kept = bytes.data[i];
        for (int change = 1; change < 256; change += 2) {
            bytes.data[i] = (uint8_t)(kept ^ change);
            if (master_decode(pt_buf_bytes(&bytes), &arena, &cut, NULL) != PT_OK) continue;
            pt_buf_clear(&again);
            assert_ok(master_encode(&cut, &again, &err), &err);
            assert_true(pt_bytes_equal(pt_buf_bytes(&bytes), pt_buf_bytes(&again)));
        }
        bytes.data[i] = kept;
    }
    pt_buf_byte(&bytes, 0);
    assert_int_equal(master_decode(pt_buf_bytes(&bytes), &arena, &cut, NULL), PT_INVALID);
    pt_buf_free(&again);
    pt_buf_free(&bytes);
    pt_arena_free(&arena);
}

static void every_field_comes_back(void **state) {
    (void)state;
    check_round_trip(product);
    check_round_trip(party);
    check_round_trip(place);
}

// Replaces the only place where `from` stands in the record.
static void assert_refused(const char *record, const char *from, const char *to, const char *where) {
    char text[4000];
    const char *at = strstr(record, from);
    assert_non_null(at);
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - record), record, to, at + strlen(from));
    struct pt_arena arena = {0};
    struct master_record out;
    struct pt_error err = {0};
    const enum pt_code code = read_json(text, &arena, &out, &err);
    if (code != PT_INVALID && code != PT_LIMIT) fail_msg("%s -> %s is taken", from, to);
    assert_string_equal(err.where, where);
    pt_arena_free(&arena);
}

static void refusals_name_the_field(void **state) {
    (void)state;
    assert_refused(product, "\"kind\":\"product\"", "\"kind\":\"thing\"", "/kind");
    assert_refused(product, "\"version\":3", "\"version\":0", "/version");
    assert_refused(product, "\"version\":3", "\"version\":9007199254740992", "/version");
    assert_refused(product, "2026-01-01T00:00:00Z", "2026-01-01", "/validFrom");
    assert_refused(product, "\"withdrawn\":true", "\"withdrawn\":1", "/withdrawn");
    assert_refused(product, "\"strength\"", "\"size\"", "/size");
    assert_refused(product, "\"name\":{\"zh\":\"阿司匹林肠溶片\",\"en\":\"Aspirin\"},", "", "/name");
    assert_refused(product, "\"en\":\"Aspirin\"", "\"fr\":\"Aspirine\"", "/name");
    assert_refused(product, "\"en\":\"Aspirin\"", "\"en\":\"\"", "/name/en");
    assert_refused(product, "06901234567892\",\"drug", "06901234567893\",\"drug", "/levels/0/gtin");
    assert_refused(product, "\"8123457\"", "\"812345\"", "/levels/1/drugIdentifier");
    assert_refused(product, ",\"drugIdentifier\":\"8123457\"", "", "/levels/1");
    assert_refused(product, "\"units\":300", "\"units\":30", "/levels/1/units");
    assert_refused(product, "\"units\":300", "\"units\":0", "/levels/1/units");
    assert_refused(product, "\"level\":2", "\"level\":1", "/levels/1/level");
    assert_refused(product, "\"level\":3", "\"level\":17", "/levels/2/level");
    assert_refused(product, "16901234567899", "06901234567892", "/levels/2/gtin");
    assert_refused(product, "\"id\":\"https:", "\"id\":\" https:", "/id");
    assert_refused(product, "-50", "2600", "/temperatureMaxHundredths");
    assert_refused(product, "-50", "-27316", "/temperatureMinHundredths");
    assert_refused(product, "-50", "1.5", "/temperatureMinHundredths");
    assert_refused(product, "\"DE\"", "\"QX\"", "/territories/1");
    assert_refused(product, "\"DE\"", "\"CN-SX\"", "/territories/1");
    assert_refused(product, "\"shelfLifeMonths\":24", "\"shelfLifeMonths\":1201", "/shelfLifeMonths");
    assert_refused(party, "\"pharmacy\"", "\"wizard\"", "/roles");
    assert_refused(party, "417/6901234000009", "417/6901234000008", "/id");
    assert_refused(place, ",\"longitudeMillionths\":0", "", "/longitudeMillionths");
    assert_refused(place, "-90000000", "-90000001", "/latitudeMillionths");
    assert_refused(place, "\"profile\":\"eu\"", "\"profile\":\"eu \"", "/profile");
}

static void other_bytes_are_refused(void **state) {
    (void)state;
    static const char *const hex[] = {
        "", "a0", "a401030201030005a20165656e3a310201",           // name is no map
        "a401030201030005a10165656e3a3a31",                         // no name
        "a401040201030005a0",                                       // unknown kind
        "a40102020103000580",                                       // body is no map
        "a5010202010300 04f405a20165656e3a3a31 02a1026178",       // withdrawn: false
        "a4020101020300 05a20165656e3a3a31 02a1026178",           // keys out of order
        "a401020201030005a202a1026178 0165656e3a3a31",             // fields out of order
        "a401020201030005a30165656e3a3a31 02a1026178 0580",        // empty roles
        "a401020201030005a30165656e3a3a31 02a1026178 05820401",    // roles descend
        "a401020201030005a30165656e3a3a31 02a1026178 1860 00",     // unknown key
        "a401020201030005a20165656e3a3a31 02a202617801 6178",      // name's keys descend
        "a401020201030005a20165656e3a3a31 02a102637800 79",        // NUL
    };
    for (size_t i = 0; i < sizeof hex / sizeof *hex; i++) {
        char digits[300] = "";
        for (const char *c = hex[i]; *c; c++)
            if (*c != ' ') strncat(digits, c, 1);
        struct pt_buf bytes = PT_BUF_INIT(300);
        struct pt_arena arena = {0};
        struct master_record out;
        assert_int_equal(pt_hex_decode(pt_bytes_str(digits), &bytes, NULL), PT_OK);
        if (master_decode(pt_buf_bytes(&bytes), &arena, &out, NULL) == PT_OK) fail_msg("case %zu is taken", i);
        pt_buf_free(&bytes);
        pt_arena_free(&arena);
    }
    // The same shape without the fault is taken.
    struct pt_buf bytes = PT_BUF_INIT(300);
    struct pt_arena arena = {0};
    struct master_record out;
    struct pt_error err = {0};
    assert_int_equal(pt_hex_decode(pt_bytes_str("a401020201030005a20165656e3a3a3102a1026178"), &bytes, NULL), PT_OK);
    assert_ok(master_decode(pt_buf_bytes(&bytes), &arena, &out, &err), &err);
    assert_string_equal(out.party.name.en, "x");
    pt_buf_free(&bytes);
    pt_arena_free(&arena);
}

static void the_newest_record_that_has_begun_is_in_force(void **state) {
    (void)state;
    const struct master_record a = {.kind = MASTER_PARTY, .version = 1, .valid_from = 100};
    const struct master_record b = {.kind = MASTER_PARTY, .version = 2, .valid_from = 200};
    const struct master_record corrected = {.kind = MASTER_PARTY, .version = 3, .valid_from = 200};
    const struct master_record gone = {.kind = MASTER_PARTY, .version = 4, .valid_from = 300, .withdrawn = true};
    const struct master_record back = {.kind = MASTER_PARTY, .version = 5, .valid_from = 400};
    const struct master_record *all[] = {&back, &corrected, &a, &gone, &b};
    assert_null(master_in_force(all, 5, 99));
    assert_ptr_equal(master_in_force(all, 5, 100), &a);
    assert_ptr_equal(master_in_force(all, 5, 199), &a);
    assert_ptr_equal(master_in_force(all, 5, 200), &corrected);
    assert_null(master_in_force(all, 5, 300));
    assert_ptr_equal(master_in_force(all, 5, 4000), &back);
    assert_null(master_in_force(all, 0, 4000));
    struct pt_buf early = PT_BUF_INIT(100), late = PT_BUF_INIT(100);
    master_key(MASTER_PARTY, "urn:p", -5, 9, &early);
    master_key(MASTER_PARTY, "urn:p", 5, 1, &late);
    assert_true(pt_bytes_compare(pt_buf_bytes(&early), pt_buf_bytes(&late)) < 0);
    pt_buf_free(&early);
    pt_buf_free(&late);
}

static enum pt_code append_identifier(void *arg, const char *identifier, struct pt_error *err) {
    (void)err;
    pt_buf_str(arg, identifier);
    pt_buf_byte(arg, ' ');
    return PT_OK;
}

static void products_answer_questions(void **state) {
    (void)state;
    struct pt_arena arena = {0};
    struct pt_error err = {0};
    struct master_record r;
    assert_ok(read_json(product, &arena, &r, &err), &err);
    struct pt_buf names = PT_BUF_INIT(1000);
    assert_ok(master_each_identifier(&r, append_identifier, &names, &err), &err);
    assert_string_equal(pt_buf_cstr(&names), "https://id.gs1.org/01/06901234567892 06901234567892 8123456 8123457 "
                                             "16901234567899 00000096385074 ");
    assert_int_equal(master_level_of(&r.product, "8123457")->units, 300);
    assert_int_equal(master_level_of(&r.product, "16901234567899")->level, 3);
    assert_null(master_level_of(&r.product, "8123458"));
    assert_true(master_allows_territory(&r.product, "CN-SX"));
    assert_true(master_allows_territory(&r.product, "DE-BE"));
    assert_false(master_allows_territory(&r.product, "CN"));
    assert_false(master_allows_territory(&r.product, "CN-SXA"));
    assert_true(master_allows_temperature(&r.product, -50));
    assert_false(master_allows_temperature(&r.product, -51));
    assert_false(master_allows_temperature(&r.product, 2501));
    int64_t year;
    unsigned month, day;
    r.product.shelf_life_days = 0;
    assert_true(master_expiry(&r.product, pt_days_from_civil(2024, 2, 29) * 86400000, &year, &month, &day));
    assert_int_equal(year * 10000 + month * 100 + day, 20260227);
    r.product.shelf_life_months = 0;
    assert_false(master_expiry(&r.product, 0, &year, &month, &day));
    r.product.shelf_life_days = 1;
    assert_true(master_expiry(&r.product, -1, &year, &month, &day));
    assert_int_equal(year * 10000 + month * 100 + day, 19691231);
    r.product.territories.count = 0;
    assert_true(master_allows_territory(&r.product, "US"));
    pt_buf_free(&names);
    pt_arena_free(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_comes_back),
        cmocka_unit_test(refusals_name_the_field),
        cmocka_unit_test(other_bytes_are_refused),
        cmocka_unit_test(the_newest_record_that_has_begun_is_in_force),
        cmocka_unit_test(products_answer_questions),
    };
    return cmocka_run_group_tests_name("master", tests, NULL, NULL);
}
