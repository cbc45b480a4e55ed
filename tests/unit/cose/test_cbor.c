#include <jansson.h>
#include <math.h>
#include <string.h>

#include "common/base/text.h"
#include "common/cose/cbor.h"
#include "tests/support/support.h"

static struct pt_buf from_hex(const char *hex) {
    struct pt_buf out = PT_BUF_INIT(65536);
    assert_int_equal(pt_hex_decode(pt_bytes_str(hex), &out, NULL), PT_OK);
    return out;
}

static enum pt_code skip_code(const char *hex, bool deterministic, struct pt_error *err) {
    struct pt_buf bytes = from_hex(hex);
    struct cbor_reader reader = cbor_reader_of(pt_buf_bytes(&bytes), deterministic, err);
    cbor_skip(&reader);
    const enum pt_code code = cbor_finish(&reader);
    pt_buf_free(&bytes);
    return code;
}

// --- The examples of RFC 8949, appendix A ---

static void copy_item(struct cbor_reader *reader, struct pt_buf *out);

static void copy_items(struct cbor_reader *reader, uint64_t count, struct pt_buf *out) {
    for (uint64_t i = 0; i < count; i++) copy_item(reader, out);
}

static void copy_item(struct cbor_reader *reader, struct pt_buf *out) {
    struct cbor_item item;
    assert_true(cbor_next(reader, &item));
    switch (item.type) {
    case CBOR_UINT: cbor_put_uint(out, item.value); break;
    case CBOR_NEGINT:
        if (item.value <= INT64_MAX) {
            cbor_put_int(out, -1 - (int64_t)item.value);
        } else {  // beyond what a writer of ours ever needs
            assert_int_equal(item.value, UINT64_MAX);
            pt_buf_append(out, "\x3b\xff\xff\xff\xff\xff\xff\xff\xff", 9);
        }
        break;
    case CBOR_BYTES: cbor_put_bytes(out, item.bytes); break;
    case CBOR_TEXT: cbor_put_text_bytes(out, item.bytes); break;
    case CBOR_ARRAY:
        cbor_put_array(out, item.value);
        copy_items(reader, item.value, out);
        break;
    case CBOR_MAP:
        cbor_put_map(out, item.value);
        copy_items(reader, 2 * item.value, out);
        break;
    case CBOR_TAG:
        cbor_put_tag(out, item.value);
        copy_item(reader, out);
        break;
    case CBOR_FALSE:
    case CBOR_TRUE: cbor_put_bool(out, item.type == CBOR_TRUE); break;
    case CBOR_NULL: cbor_put_null(out); break;
    case CBOR_UNDEFINED: pt_buf_byte(out, 0xf7); break;
    case CBOR_SIMPLE:
        if (item.value >= 32) pt_buf_byte(out, 0xf8);
        pt_buf_byte(out, (uint8_t)(item.value < 32 ? 0xe0 | item.value : item.value));
        break;
    case CBOR_FLOAT: cbor_put_double(out, item.real); break;
    }
}

static void compare(struct cbor_reader *reader, const json_t *expected) {
    struct cbor_item item;
    assert_true(cbor_next(reader, &item));
    switch (item.type) {
    case CBOR_UINT: assert_true((double)item.value == json_number_value(expected)); break;
    case CBOR_NEGINT: assert_true(-1.0 - (double)item.value == json_number_value(expected)); break;
    case CBOR_FLOAT: assert_true(item.real == json_number_value(expected)); break;
    case CBOR_TEXT:
        assert_true(pt_bytes_equal(item.bytes, pt_bytes_of(json_string_value(expected), json_string_length(expected))));
        break;
    case CBOR_FALSE: assert_true(json_is_false(expected)); break;
    case CBOR_TRUE: assert_true(json_is_true(expected)); break;
    case CBOR_NULL: assert_true(json_is_null(expected)); break;
    case CBOR_ARRAY:
        for (size_t i = 0; item.indefinite ? !cbor_break_if(reader) : i < item.value; i++)
            compare(reader, json_array_get(expected, i));
        break;
    case CBOR_MAP:
        for (size_t i = 0; item.indefinite ? !cbor_break_if(reader) : i < item.value; i++) {
            char key[64];
            const struct pt_bytes name = cbor_get_text(reader);
            snprintf(key, sizeof key, "%.*s", (int)name.len, (const char *)name.data);
            compare(reader, json_object_get(expected, key));
        }
        break;
    case CBOR_TAG: {  // big numbers only: 2^64 and -2^64 - 1
        assert_true(item.value == 2 || item.value == 3);
        assert_true(fabs(json_number_value(expected)) >= 18446744073709551615.0);
        cbor_skip(reader);
        break;
    }
    default: fail_msg("type %d has no JSON value", item.type);
    }
}

static void check_example(const char *hex, const json_t *entry) {
    struct pt_error err = {0};
    struct pt_buf bytes = from_hex(hex);
    // Strings of indefinite length are refused on purpose; simple(24) in two bytes is from RFC 7049, malformed since RFC 8949.
    if (strstr(hex, "5f42") || strstr(hex, "7f65") || strcmp(hex, "f818") == 0) {
        assert_int_equal(skip_code(hex, false, &err), PT_INVALID);
        pt_buf_free(&bytes);
        return;
    }
    assert_ok(skip_code(hex, false, &err), &err);
    const json_t *decoded = json_object_get(entry, "decoded");
    if (decoded) {
        struct cbor_reader reader = cbor_reader_of(pt_buf_bytes(&bytes), false, &err);
        compare(&reader, decoded);
        assert_ok(cbor_finish(&reader), &err);
    }
    const bool shortest = json_is_true(json_object_get(entry, "roundtrip"));
    assert_int_equal(skip_code(hex, true, NULL), shortest ? PT_OK : PT_INVALID);
    if (shortest) {
        struct cbor_reader reader = cbor_reader_of(pt_buf_bytes(&bytes), true, &err);
        struct pt_buf again = PT_BUF_INIT(1024);
        copy_item(&reader, &again);
        assert_ok(cbor_finish(&reader), &err);
        assert_true(pt_bytes_equal(pt_buf_bytes(&bytes), pt_buf_bytes(&again)));
        pt_buf_free(&again);
    }
    pt_buf_free(&bytes);
}

static void appendix_a_decodes_and_comes_back(void **state) {
    (void)state;
    json_error_t problem;
    json_t *list = json_load_file(test_data("cbor-test-vectors/appendix_a.json"), JSON_DECODE_INT_AS_REAL, &problem);
    assert_non_null(list);
    assert_true(json_array_size(list) >= 80);
    size_t i;
    json_t *entry;
    json_array_foreach(list, i, entry) {
        check_example(json_string_value(json_object_get(entry, "hex")), entry);
    }
    json_decref(list);
}

// --- Determinism and refusals ---

static void deterministic_refuses_what_can_be_written_shorter(void **state) {
    (void)state;
    const char *longer[] = {
        "1800", "1817", "190018", "1900ff", "1a0000ffff", "1b00000000ffffffff", "3800", "5800", "580141", "7800",
        "9800", "b800", "d80000", "d81700", "9fff", "bfff",
        "fa3f800000",          // 1.0, half is enough
        "fb3ff0000000000000",  // 1.0
        "fb40f86a0000000000",  // 100000.0, single is enough
        "fa7fc00000", "fb7ff8000000000000", "f97e01",  // NaN in other forms
        "fa7f800000",                                  // Infinity
        "fa33800000",                                  // 2^-24, the smallest half
    };
    for (size_t i = 0; i < sizeof longer / sizeof *longer; i++) {
        if (skip_code(longer[i], false, NULL) != PT_OK) fail_msg("%s is well-formed", longer[i]);
        if (skip_code(longer[i], true, NULL) != PT_INVALID) fail_msg("%s is not deterministic", longer[i]);
    }
}

static void deterministic_maps_have_ordered_unique_keys(void **state) {
    (void)state;
    struct pt_error err;
    assert_int_equal(skip_code("a20100" "0200", true, NULL), PT_OK);
    assert_int_equal(skip_code("a20200" "0100", true, &err), PT_INVALID);
    assert_string_equal(err.what, "CBOR: map keys out of order");
    assert_int_equal(skip_code("a20100" "0100", true, &err), PT_INVALID);
    assert_string_equal(err.what, "CBOR: map key twice");
    // Bytewise order of encodings: 10, 100, -1, "z", "aa", [100], [-1], false (RFC 8949 section 4.2.1).
    assert_int_equal(skip_code("a80a00" "186400" "2000" "617a00" "62616100" "81186400" "812000" "f400", true, &err), PT_OK);
    assert_int_equal(skip_code("a2626161" "00" "617a00", true, NULL), PT_INVALID);
    // Inside other items as well.
    assert_int_equal(skip_code("82c1a20200010000", true, NULL), PT_INVALID);
    assert_int_equal(skip_code("82c1a20100020000", true, NULL), PT_OK);
}

static void malformed_items_are_refused_where_they_stand(void **state) {
    (void)state;
    const char *bad[] = {
        "", "18", "19", "1a00", "1b00000000", "41", "616161", "1c", "1d", "1e", "1f", "3c", "5c", "7d", "9c", "bd",
        "df", "fc", "fd", "fe", "ff", "81", "8200", "a1", "a100", "c1", "f8", "f800", "f81f", "f818", "9f", "9f00", "bf",
        "bf00", "bf00ff", "81ff", "a1ff00", "c1ff", "9fff00", "0000", "5fff", "7fff", "5f4100ff", "61ff", "62c080",
        "63eda080", "9bffffffffffffffff", "bbffffffffffffffff", "bb8000000000000000", "5bffffffffffffffff",
        "7bffffffffffffffff", "9a00010000", "f9", "fa000000", "fb00000000000000",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (skip_code(bad[i], false, NULL) != PT_INVALID) fail_msg("'%s' should be refused", bad[i]);
    }
    struct pt_error err;
    assert_int_equal(skip_code("83010261ff", false, &err), PT_INVALID);
    assert_int_equal(err.position, 3);
}

static void every_tag_number_is_read(void **state) {
    (void)state;
    for (uint64_t tag = 0; tag < 70000; tag += tag < 300 ? 1 : 997) {
        struct pt_buf out = PT_BUF_INIT(16);
        cbor_put_tag(&out, tag);
        cbor_put_null(&out);
        struct cbor_reader reader = cbor_reader_of(pt_buf_bytes(&out), true, NULL);
        struct cbor_item item;
        assert_true(cbor_next(&reader, &item));
        assert_true(item.type == CBOR_TAG && item.value == tag);
        assert_true(cbor_get_null_if(&reader));
        assert_int_equal(cbor_finish(&reader), PT_OK);
        pt_buf_free(&out);
    }
}

static void depth_has_a_ceiling(void **state) {
    (void)state;
    for (int container = 0; container < 3; container++) {
        static const uint8_t heads[] = {0x81, 0xc1, 0x9f};
        uint8_t deep[CBOR_MAX_DEPTH * 2 + 2];
        memset(deep, heads[container], sizeof deep);
        for (size_t depth = CBOR_MAX_DEPTH; depth <= CBOR_MAX_DEPTH + 1; depth++) {
            memset(deep, heads[container], depth);
            memset(deep + depth, 0xff, sizeof deep - depth);
            deep[depth] = 0x00;
            const size_t len = container == 2 ? 2 * depth + 1 : depth + 1;
            struct cbor_reader reader = cbor_reader_of(pt_bytes_of(deep, len < sizeof deep ? len : sizeof deep), false, NULL);
            cbor_skip(&reader);
            assert_int_equal(cbor_finish(&reader), depth == CBOR_MAX_DEPTH ? PT_OK : PT_LIMIT);
        }
    }
}

static void typed_reads_stick_at_the_first_failure(void **state) {
    (void)state;
    struct pt_error err;
    struct pt_buf bytes = from_hex("8401" "6161" "f6" "20");
    struct cbor_reader reader = cbor_reader_of(pt_buf_bytes(&bytes), true, &err);
    assert_int_equal(cbor_get_array(&reader, 4), 4);
    assert_int_equal(cbor_get_uint(&reader), 1);
    assert_false(cbor_get_null_if(&reader));
    assert_true(pt_bytes_equal(cbor_get_text(&reader), pt_bytes_str("a")));
    assert_true(cbor_get_null_if(&reader));
    assert_int_equal(cbor_get_uint(&reader), 0);
    assert_true(cbor_failed(&reader));
    assert_int_equal(err.position, 5);
    assert_int_equal(cbor_get_int(&reader), 0);
    assert_int_equal(cbor_get_array(&reader, 9), 0);
    struct cbor_item item;
    assert_false(cbor_peek(&reader, &item));
    assert_false(cbor_next(&reader, &item));
    assert_int_equal(cbor_fail(&reader, "later"), PT_INVALID);
    assert_string_equal(err.what, "CBOR: expected an unsigned integer");
    assert_int_equal(cbor_finish(&reader), PT_INVALID);
    pt_buf_free(&bytes);
}

static int64_t read_int(const char *hex, enum pt_code *code) {
    struct pt_buf bytes = from_hex(hex);
    struct cbor_reader reader = cbor_reader_of(pt_buf_bytes(&bytes), true, NULL);
    const int64_t value = cbor_get_int(&reader);
    *code = cbor_finish(&reader);
    pt_buf_free(&bytes);
    return value;
}

static void integers_keep_their_ends(void **state) {
    (void)state;
    const int64_t values[] = {0, 23, 24, 255, 256, 65535, 65536, 4294967295, 4294967296, INT64_MAX,
                              -1, -24, -25, -256, -257, -65537, -4294967297, INT64_MIN};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct pt_buf out = PT_BUF_INIT(16);
        cbor_put_int(&out, values[i]);
        struct cbor_reader reader = cbor_reader_of(pt_buf_bytes(&out), true, NULL);
        assert_true(cbor_get_int(&reader) == values[i]);
        assert_int_equal(cbor_finish(&reader), PT_OK);
        pt_buf_free(&out);
    }
    enum pt_code code;
    assert_true(read_int("1b7fffffffffffffff", &code) == INT64_MAX && code == PT_OK);
    assert_true(read_int("3b7fffffffffffffff", &code) == INT64_MIN && code == PT_OK);
    read_int("1b8000000000000000", &code);
    assert_int_equal(code, PT_INVALID);
    read_int("3b8000000000000000", &code);
    assert_int_equal(code, PT_INVALID);
}

static void counts_and_digests_have_their_size(void **state) {
    (void)state;
    struct pt_error err;
    struct pt_buf bytes = from_hex("83000000");
    struct cbor_reader reader = cbor_reader_of(pt_buf_bytes(&bytes), false, &err);
    assert_int_equal(cbor_get_array(&reader, 2), 0);
    assert_int_equal(err.position, 0);
    pt_buf_free(&bytes);
    bytes = from_hex("9f00ff");
    reader = cbor_reader_of(pt_buf_bytes(&bytes), false, &err);
    cbor_get_array(&reader, 2);
    assert_int_equal(reader.code, PT_INVALID);
    pt_buf_free(&bytes);
    struct pt_digest digest;
    for (size_t len = 31; len <= 33; len++) {
        struct pt_buf out = PT_BUF_INIT(64);
        cbor_put_bytes(&out, pt_bytes_of("0123456789abcdef0123456789abcdefg", len));
        reader = cbor_reader_of(pt_buf_bytes(&out), true, &err);
        cbor_get_digest(&reader, &digest);
        assert_int_equal(cbor_finish(&reader), len == 32 ? PT_OK : PT_INVALID);
        assert_int_equal(digest.bytes[0], len == 32 ? '0' : 0);
        pt_buf_free(&out);
    }
}

static void floats_take_the_shortest_form_that_keeps_them(void **state) {
    (void)state;
    static const struct { double value; size_t size; } cases[] = {
        {0.0, 3}, {-0.0, 3}, {1.5, 3}, {65504.0, 3}, {65505.0, 5}, {65536.0, 5}, {5.960464477539063e-8, 3},
        {2.9802322387695312e-8, 5}, {0.00006103515625, 3}, {0.000060975551605224609375, 3}, {3.4028234663852886e38, 5},
        {3.5e38, 9}, {1.1, 9}, {1e300, 9}, {1.401298464324817e-45, 5}, {7e-46, 9}, {5e-324, 9}, {(double)INFINITY, 3},
        {-(double)INFINITY, 3}, {(double)NAN, 3}, {0.333251953125, 3}, {0.33331298828125, 5},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pt_buf out = PT_BUF_INIT(16);
        cbor_put_double(&out, cases[i].value);
        assert_int_equal(out.len, cases[i].size);
        struct cbor_reader reader = cbor_reader_of(pt_buf_bytes(&out), true, NULL);
        struct cbor_item item;
        assert_true(cbor_next(&reader, &item));
        assert_true(memcmp(&item.real, &cases[i].value, sizeof item.real) == 0 || (isnan(item.real) && isnan(cases[i].value)));
        pt_buf_free(&out);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appendix_a_decodes_and_comes_back),
        cmocka_unit_test(deterministic_refuses_what_can_be_written_shorter),
        cmocka_unit_test(deterministic_maps_have_ordered_unique_keys),
        cmocka_unit_test(malformed_items_are_refused_where_they_stand),
        cmocka_unit_test(every_tag_number_is_read),
        cmocka_unit_test(depth_has_a_ceiling),
        cmocka_unit_test(typed_reads_stick_at_the_first_failure),
        cmocka_unit_test(integers_keep_their_ends),
        cmocka_unit_test(counts_and_digests_have_their_size),
        cmocka_unit_test(floats_take_the_shortest_form_that_keeps_them),
    };
    return cmocka_run_group_tests_name("cose cbor", tests, NULL, NULL);
}
