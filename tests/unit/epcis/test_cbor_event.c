// Events as CBOR: every field comes back, one event has one encoding, and nothing else is taken.
#include "common/base/text.h"
#include "common/epcis/epcis_json.h"
#include "common/epcis/event_cbor.h"
#include "common/epcis/event_hash.h"
#include "tests/support/support.h"
#include "tests/unit/epcis/epcis_compare.h"
#include "tests/unit/epcis/event_samples.h"

#include <stdio.h>
#include <string.h>
#include <zstd.h>

static void round_trip(const struct epcis_event *event, struct pt_buf *bytes) {
    struct pt_arena arena = {0};
    struct pt_error err;
    struct epcis_event back;
    assert_ok(epcis_cbor_encode(event, bytes, &err), &err);
    assert_ok(epcis_cbor_decode(pt_buf_bytes(bytes), &arena, &back, &err), &err);
    const char *where = "";
    if (!epcis_same_event(event, &back, &where)) fail_msg("%s differs", where);
    struct pt_buf again = PT_BUF_INIT(1 << 20);
    assert_ok(epcis_cbor_encode(&back, &again, &err), &err);
    assert_true(pt_bytes_equal(pt_buf_bytes(bytes), pt_buf_bytes(&again)));
    struct pt_digest before, after;
    assert_ok(epcis_event_digest(event, NULL, &before, &err), &err);
    assert_ok(epcis_event_digest(&back, NULL, &after, &err), &err);
    assert_true(pt_digest_equal(&before, &after));
    pt_buf_free(&again);
    pt_arena_free(&arena);
}

static void every_field_comes_back(void **state) {
    (void)state;
    const struct epcis_event event = sample_with_every_field();
    struct pt_buf bytes = PT_BUF_INIT(1 << 20);
    round_trip(&event, &bytes);
    pt_buf_free(&bytes);
}

// A prefix of an encoding is never an encoding, and neither is one with a byte more or one byte changed to something
// that means the same.
static void no_other_bytes_mean_the_same(void **state) {
    (void)state;
    struct pt_arena arena = {0};
    struct pt_error err;
    const struct epcis_event event = sample_with_every_field();
    struct pt_buf bytes = PT_BUF_INIT(1 << 20);
    assert_ok(epcis_cbor_encode(&event, &bytes, &err), &err);
    struct epcis_event back;
    for (size_t len = 0; len < bytes.len; len++)
        assert_int_not_equal(epcis_cbor_decode(pt_bytes_of(bytes.data, len), &arena, &back, NULL), PT_OK);
    for (size_t i = 0; i < bytes.len; i++) {
        const uint8_t kept = bytes.data[i];
        for (int change = 1; change < 256; change += 3) {
            bytes.data[i] = (uint8_t)(kept ^ change);
            pt_arena_reset(&arena);
            if (epcis_cbor_decode(pt_buf_bytes(&bytes), &arena, &back, NULL) != PT_OK) continue;
            struct pt_buf again = PT_BUF_INIT(1 << 20);
            assert_ok(epcis_cbor_encode(&back, &again, &err), &err);
            if (!pt_bytes_equal(pt_buf_bytes(&bytes), pt_buf_bytes(&again)))
                fail_msg("byte %zu as %02x is taken, and written otherwise", i, bytes.data[i]);
            pt_buf_free(&again);
        }
        bytes.data[i] = kept;
    }
    pt_buf_byte(&bytes, 0xf6);
    assert_int_equal(epcis_cbor_decode(pt_buf_bytes(&bytes), &arena, &back, NULL), PT_INVALID);
    pt_buf_free(&bytes);
    pt_arena_free(&arena);
}

static void other_forms_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *hex, *why;
    } cases[] = {
        {"a0", "no event type"},
        {"a10106", "unknown event type"},
        {"a1011801", "number not in its shortest form"},
        {"bf0101ff", "indefinite length"},
        {"a201010101", "a key twice"},
        {"a204010101", "keys out of order"},
        {"a20101181e00", "unknown key"},
        {"a20101056000", "text where a list is due"},
        {"a2010105818301006a", "group cut short"},
        {"a2010105828301181e0142000183 0118 1e 0142 0002", "not CBOR"},
        {"a201010581830018 41", "head not text"},
        {"a2010105818400600343 000102", "packed EPCs of a wrong length"},
        {"a2010105818400600141 0a", "packed value of more digits than it says"},
        {"a20101058183006081613 7", "digits in a list"},
        {"a2010105818300628f8f8161 61", "not UTF-8"},
        {"a201010581830063612f62816163", "head not cut behind its last slash"},
        {"a2010105828300608161618300608 16162", "two groups with one head"},
        {"a201010581840060816161816162", "a list divided"},
        {"a2010105818600600141010141 02", "packed EPCs divided"},
        {"a20101067068747470733a2f2f6578616d706c65", "URI without its prefix"},
        {"a20101068218206761626364656667", ""},
        {"a20101068218216773", "truncated"},
        {"a2010106821823 6161", "unknown prefix"},
        {"a20101078 0", "empty array as a word"},
        {"a20101071829", ""},
        {"a2010107182a", "unknown word"},
        {"a201010767 7061636b696e67", "standard word as text"},
        {"a2010103fb7ff0000000000000", "infinite time"},
        {"a20101038201 00", "time that repeats the event's offset"},
        {"a201010383010018 3c", "no nanoseconds in three parts"},
        {"a2010103831a000f42401a000f4240183c", "whole milliseconds in three parts"},
        {"a201010219 0349", "offset beyond 14:00"},
        {"a20101038119 ffff", "time of one part"},
        {"a201011280", "no extension"},
        {"a2010112830061610 0", ""},
        {"a20101128301616100", "namespace that is not there"},
        {"a20080010 1", "empty table of namespaces"},
        {"a200818261 6ef60101", "namespace that is not used"},
        {"a2010112830061 61f97e00", "NaN"},
        {"a20101128300616 1f97c00", "infinity"},
        {"a2010112830061 61fa3f800000", "float not in its shortest form"},
        {"a2010112830061 00f6", "NUL in a text"},
        {"a2010112830061 61a0", "object of another form"},
        {"a2010112830061 61a10180", "object with another key"},
        {"a2010112830061 614100", "byte string as a value"},
        {"a201010ba0", "map where a list is due"},
        {"a201010b81a1 0201", "quantity without a class"},
        {"a201010981a10160", "place as a list"},
        {"a2010109a1016161", "place as a map without extensions"},
        {"a201011c a0", "error declaration without its time"},
        {"a20101104f00112233445566778899aabbccddee", "identifier of 15 bytes"},
        {"a201011d80", "empty list of prefixes"},
        {"c1a10101", "tag"},
        {"", "nothing"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char hex[200] = "";
        for (const char *c = cases[i].hex; *c; c++)
            if (*c != ' ') strncat(hex, c, 1);
        struct pt_buf bytes = PT_BUF_INIT(200);
        struct pt_arena arena = {0};
        struct epcis_event event;
        if (strlen(hex) % 2 == 0) {
            assert_int_equal(pt_hex_decode(pt_bytes_str(hex), &bytes, NULL), PT_OK);
            const enum pt_code code = epcis_cbor_decode(pt_buf_bytes(&bytes), &arena, &event, NULL);
            if ((code == PT_OK) != (cases[i].why[0] == 0)) fail_msg("%s (%s): code %d", cases[i].hex, cases[i].why, code);
        } else {
            fail_msg("%s: odd", cases[i].hex);
        }
        pt_buf_free(&bytes);
        pt_arena_free(&arena);
    }
}

static void the_encoder_refuses_what_cannot_be_said(void **state) {
    (void)state;
    struct pt_buf out = PT_BUF_INIT(1 << 16);
    struct epcis_event event = {.type = EPCIS_EVENT_NONE};
    assert_int_equal(epcis_cbor_encode(&event, &out, NULL), PT_INVALID);
    event.type = EPCIS_OBJECT;
    event.biz_step = "\xff";
    assert_int_equal(epcis_cbor_encode(&event, &out, NULL), PT_INVALID);
    event.biz_step = NULL;
    event.has_event_time = true;
    event.event_time.seconds = INT64_MAX;
    assert_int_equal(epcis_cbor_encode(&event, &out, NULL), PT_INVALID);
    event.event_time = (struct pt_instant){0};
    struct epcis_quantity no_class = {0};
    event.quantities = (struct epcis_quantities){&no_class, 1};
    assert_int_equal(epcis_cbor_encode(&event, &out, NULL), PT_INVALID);
    event.quantities.items = NULL;
    struct epcis_value levels[40];
    for (size_t i = 0; i < 40; i++)
        levels[i] = (struct epcis_value){.kind = EPCIS_LIST, .items = &levels[i + 1 < 40 ? i + 1 : i], .count = i + 1 < 40};
    struct epcis_member deep = {.local = "deep", .value = levels[0]};
    event.extensions = (struct epcis_members){&deep, 1};
    assert_int_equal(epcis_cbor_encode(&event, &out, NULL), PT_LIMIT);
    event.extensions.count = 0;
    struct pt_buf small = PT_BUF_INIT(4);
    assert_int_equal(epcis_cbor_encode(&event, &small, NULL), PT_LIMIT);
    assert_int_equal(out.len, 0);
    pt_buf_free(&small);
    pt_buf_free(&out);
}

static void check_folder(const char *relative, const char *suffix) {
    char dir[4096];
    snprintf(dir, sizeof dir, "%s", test_data(relative));
    struct test_names names = test_list(dir, suffix);
    for (size_t i = 0; i < names.count; i++) {
        char path[8192];
        snprintf(path, sizeof path, "%s/%s", dir, names.names[i]);
        struct pt_buf text = test_read_file(path);
        struct pt_arena arena = {0};
        struct epcis_document document;
        struct pt_error err = {0};
        assert_ok(epcis_json_decode(pt_buf_bytes(&text), text.len, EPCIS_FOR_HASH, &arena, &document, &err), &err);
        for (size_t e = 0; e < document.event_count; e++) {
            struct pt_buf bytes = PT_BUF_INIT(1 << 20);
            round_trip(&document.events[e], &bytes);
            assert_true(bytes.len < text.len);
            pt_buf_free(&bytes);
        }
        pt_arena_free(&arena);
        pt_buf_free(&text);
    }
    test_names_free(&names);
}

static void public_events_come_back(void **state) {
    (void)state;
    check_folder("gs1-EPCIS/JSON", ".jsonld");
    check_folder("gs1-EPCIS/JSON/WithFullCombinationOfFields", ".jsonld");
    check_folder("gs1-EPCIS/JSON/WithSensorData", ".jsonld");
    check_folder("gs1-EPCIS/JSON/WithErrorDeclaration", ".jsonld");
    check_folder("gs1-EPCIS/JSON/AssociationEvent", ".jsonld");
    check_folder("openepcis-test-resources/2.0/EPCIS/JSON/Capture/Documents", ".json");
}

static void events_of_the_hot_path_are_small(void **state) {
    (void)state;
    struct pt_arena arena = {0};
    struct pt_buf bytes = PT_BUF_INIT(1 << 20);
    const struct epcis_event one = sample_dispensing(&arena, 1, 7);
    round_trip(&one, &bytes);
    print_message("# one pack: %zu bytes\n", bytes.len);
    assert_true(bytes.len <= 120);
    pt_buf_clear(&bytes);
    const struct epcis_event many = sample_dispensing(&arena, 500, 7);
    round_trip(&many, &bytes);
    uint8_t packed[8192];
    const size_t size = ZSTD_compress(packed, sizeof packed, bytes.data, bytes.len, 3);
    assert_false(ZSTD_isError(size));
    print_message("# 500 packs: %zu bytes, %zu by zstd: %.2f a pack\n", bytes.len, size, (double)size / 500);
    assert_true(size <= 500 * 8);
    pt_buf_free(&bytes);
    pt_arena_free(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_comes_back),
        cmocka_unit_test(public_events_come_back),
        cmocka_unit_test(no_other_bytes_mean_the_same),
        cmocka_unit_test(other_forms_are_refused),
        cmocka_unit_test(the_encoder_refuses_what_cannot_be_said),
        cmocka_unit_test(events_of_the_hot_path_are_small),
    };
    return cmocka_run_group_tests_name("epcis cbor event", tests, NULL, NULL);
}
