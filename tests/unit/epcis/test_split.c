// Large events in parts and whole again.
#include "common/epcis/epcis_validate.h"
#include "common/epcis/event_cbor.h"
#include "common/epcis/event_split.h"
#include "tests/support/support.h"
#include "tests/unit/epcis/epcis_compare.h"
#include "tests/unit/epcis/event_samples.h"

#include <string.h>

static void check_split(const struct epcis_event *event, size_t max_bytes, bool valid) {
    struct pt_arena arena = {0};
    struct pt_error err = {0};
    struct event_manifest manifest, read;
    struct pt_bytes *parts;
    assert_ok(event_split(event, max_bytes, &arena, &manifest, &parts, &err), &err);
    assert_true(manifest.part_count >= 2);
    size_t epcs = 0;
    for (size_t i = 0; i < manifest.part_count; i++) {
        struct epcis_event part;
        assert_true(parts[i].len <= max_bytes);
        assert_ok(epcis_cbor_decode(parts[i], &arena, &part, &err), &err);
        if (valid) assert_ok(epcis_event_validate(&part, &err), &err);
        assert_null(part.event_id);
        if (i > 0) assert_true(part.quantities.count == 0 && part.sensor_element_count == 0);
        const size_t count = part.epcs.count + part.input_epcs.count + part.output_epcs.count;
        assert_true(count > 0);
        epcs += count;
    }
    assert_int_equal(epcs, event->epcs.count + event->input_epcs.count + event->output_epcs.count);
    manifest.has_source = true;
    manifest.source.bytes[31] = 7;
    struct pt_buf bytes = PT_BUF_INIT(1 << 16);
    assert_ok(event_manifest_encode(&manifest, &bytes, &err), &err);
    assert_ok(event_manifest_decode(pt_buf_bytes(&bytes), &arena, &read, &err), &err);
    assert_true(read.has_source && read.source.bytes[31] == 7);
    struct epcis_event joined;
    assert_ok(event_join(&read, parts, read.part_count, &arena, &joined, &err), &err);
    const char *where = "";
    if (!epcis_same_event(event, &joined, &where)) fail_msg("%s differs", where);
    for (size_t len = 0; len < bytes.len; len++)
        assert_int_not_equal(event_manifest_decode(pt_bytes_of(bytes.data, len), &arena, &read, NULL), PT_OK);
    pt_buf_free(&bytes);
    pt_arena_free(&arena);
}

static void split_events_come_back_whole(void **state) {
    (void)state;
    struct pt_arena arena = {0};
    struct epcis_event event = sample_dispensing(&arena, 20000, 5);
    event.event_id = "urn:uuid:403ef762-4e0c-4f9a-8f4b-0123456789ab";
    check_split(&event, 50000, true);
    check_split(&event, 400, true);
    struct epcis_event transformation = event;
    transformation.type = EPCIS_TRANSFORMATION;
    transformation.action = EPCIS_ACTION_NONE;
    transformation.input_epcs = (struct epcis_texts){event.epcs.items, 7000};
    transformation.output_epcs = (struct epcis_texts){event.epcs.items + 7000, 13000};
    transformation.epcs = (struct epcis_texts){0};
    check_split(&transformation, 30000, true);
    transformation.transformation_id = "urn:own:1";
    check_split(&transformation, 30000, true);
    const struct epcis_event all = sample_with_every_field();
    check_split(&all, 1790, false);
    pt_arena_free(&arena);
}

static void what_is_small_or_cannot_be_split_is_said(void **state) {
    (void)state;
    struct pt_arena arena = {0};
    struct event_manifest manifest;
    struct pt_bytes *parts;
    struct epcis_event event = sample_dispensing(&arena, 3, 5);
    assert_int_equal(event_split(&event, 1000, &arena, &manifest, &parts, NULL), PT_NOT_FOUND);
    assert_int_equal(event_split(&event, 20, &arena, &manifest, &parts, NULL), PT_LIMIT);
    assert_int_equal(event_split(&event, 0, &arena, &manifest, &parts, NULL), PT_LIMIT);
    event.type = EPCIS_EVENT_NONE;
    assert_int_equal(event_split(&event, 1000, &arena, &manifest, &parts, NULL), PT_INVALID);
    pt_arena_free(&arena);
}

static void other_parts_make_no_event(void **state) {
    (void)state;
    struct pt_arena arena = {0};
    struct pt_error err = {0};
    struct event_manifest manifest;
    struct pt_bytes *parts;
    struct epcis_event joined;
    const struct epcis_event event = sample_dispensing(&arena, 300, 5);
    assert_ok(event_split(&event, 500, &arena, &manifest, &parts, &err), &err);
    const size_t count = manifest.part_count;
    assert_int_equal(event_join(&manifest, parts, count - 1, &arena, &joined, NULL), PT_UNVERIFIED);
    const struct pt_bytes first = parts[0];
    parts[0] = parts[1];
    assert_int_equal(event_join(&manifest, parts, count, &arena, &joined, &err), PT_UNVERIFIED);
    assert_int_equal(err.position, 0);
    parts[1] = first;
    const struct pt_digest kept = manifest.parts[0];
    manifest.parts[0] = manifest.parts[1];
    manifest.parts[1] = kept;
    // The parts in another order are what the manifest names, and yet another event.
    assert_int_equal(event_join(&manifest, parts, count, &arena, &joined, &err), PT_UNVERIFIED);
    pt_arena_free(&arena);
}

static void manifests_of_another_form_are_refused(void **state) {
    (void)state;
    struct pt_arena arena = {0};
    struct pt_error err = {0};
    struct event_manifest manifest, read;
    struct pt_bytes *parts;
    const struct epcis_event event = sample_dispensing(&arena, 300, 5);
    assert_ok(event_split(&event, 1200, &arena, &manifest, &parts, &err), &err);
    struct pt_buf bytes = PT_BUF_INIT(1 << 16);
    manifest.own_transformation_id = true;
    assert_ok(event_manifest_encode(&manifest, &bytes, &err), &err);
    assert_int_equal(bytes.data[bytes.len - 1], 0xf5);
    bytes.data[bytes.len - 1] = 0xf4;
    assert_int_equal(event_manifest_decode(pt_buf_bytes(&bytes), &arena, &read, NULL), PT_INVALID);
    bytes.data[bytes.len - 1] = 0xf5;
    bytes.data[bytes.len - 2] = 7;
    assert_int_equal(event_manifest_decode(pt_buf_bytes(&bytes), &arena, &read, NULL), PT_INVALID);
    manifest.part_count = 1;
    assert_int_equal(event_manifest_encode(&manifest, &bytes, NULL), PT_INVALID);
    pt_buf_free(&bytes);
    pt_arena_free(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(split_events_come_back_whole),
        cmocka_unit_test(what_is_small_or_cannot_be_split_is_said),
        cmocka_unit_test(other_parts_make_no_event),
        cmocka_unit_test(manifests_of_another_form_are_refused),
    };
    return cmocka_run_group_tests_name("epcis split", tests, NULL, NULL);
}
