// The public vectors of the CBV 2.0 event hash.
#include "common/base/text.h"
#include "common/epcis/epcis_json.h"
#include "common/epcis/event_cbor.h"
#include "common/epcis/event_hash.h"
#include "tests/support/support.h"

#include <stdio.h>
#include <string.h>

static const size_t MOST = (size_t)16 * 1024 * 1024;

static void decode(const char *path, struct pt_arena *arena, struct epcis_document *document) {
    struct pt_error err = {0};
    struct pt_buf text = test_read_file(path);
    assert_ok(epcis_json_decode(pt_buf_bytes(&text), MOST, EPCIS_FOR_HASH, arena, document, &err), &err);
    pt_buf_free(&text);
}

// The same event as CBOR has the same hash.
static void assert_hash(const struct epcis_event *event, const struct epcis_texts *ignored, const char *wanted,
                        const char *name) {
    struct pt_error err = {0};
    char hash[EPCIS_EVENT_HASH_SIZE];
    assert_ok(epcis_event_hash(event, ignored, hash, &err), &err);
    if (strcmp(hash, wanted) != 0) {
        struct pt_buf prehash = PT_BUF_INIT(MOST);
        assert_ok(epcis_event_prehash(event, ignored, &prehash, &err), &err);
        fail_msg("%s: hash of\n%s\nis %s, not %s", name, pt_buf_cstr(&prehash), hash, wanted);
    }
    struct pt_buf bytes = PT_BUF_INIT(MOST);
    struct pt_arena arena = {0};
    struct epcis_event back;
    char again[EPCIS_EVENT_HASH_SIZE];
    assert_ok(epcis_cbor_encode(event, &bytes, &err), &err);
    assert_ok(epcis_cbor_decode(pt_buf_bytes(&bytes), &arena, &back, &err), &err);
    assert_ok(epcis_event_hash(&back, ignored, again, &err), &err);
    assert_string_equal(again, hash);
    pt_arena_free(&arena);
    pt_buf_free(&bytes);
}

static void every_example_has_its_hashes(void **state) {
    (void)state;
    char dir[4096];
    snprintf(dir, sizeof dir, "%s", test_data("epcis-event-hash/examples"));
    struct test_names names = test_list(dir, ".jsonld");
    size_t events = 0;
    for (size_t i = 0; i < names.count; i++) {
        char path[8192];
        snprintf(path, sizeof path, "%s/%s", dir, names.names[i]);
        struct pt_arena arena = {0};
        struct epcis_document document;
        decode(path, &arena, &document);
        snprintf(path + strlen(path) - strlen(".jsonld"), 10, ".hashes");
        struct pt_buf hashes = test_read_file(path);
        size_t index = 0;
        char *rest = NULL;
        for (char *wanted = strtok_r((char *)pt_buf_cstr(&hashes), "\r\n", &rest); wanted;
             wanted = strtok_r(NULL, "\r\n", &rest), index++) {
            assert_true(index < document.event_count);
            assert_hash(&document.events[index], &document.ignored_fields, wanted, names.names[i]);
        }
        assert_int_equal(index, document.event_count);
        events += index;
        pt_buf_free(&hashes);
        pt_arena_free(&arena);
    }
    assert_true(events >= 34);
    test_names_free(&names);
}

static void events_that_say_the_same_hash_alike(void **state) {
    (void)state;
    char dir[4096];
    snprintf(dir, sizeof dir, "%s", test_data("epcis-event-hash/expected_equal"));
    struct test_names names = test_list(dir, ".json");
    for (size_t i = 0; i < names.count; i++) {
        char path[8192];
        snprintf(path, sizeof path, "%s/%s", dir, names.names[i]);
        struct pt_arena arena = {0};
        struct epcis_document document;
        decode(path, &arena, &document);
        assert_true(document.event_count >= 2);
        struct pt_error err;
        char first[EPCIS_EVENT_HASH_SIZE];
        assert_ok(epcis_event_hash(&document.events[0], &document.ignored_fields, first, &err), &err);
        for (size_t e = 1; e < document.event_count; e++)
            assert_hash(&document.events[e], &document.ignored_fields, first, names.names[i]);
        pt_arena_free(&arena);
    }
    test_names_free(&names);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_example_has_its_hashes),
        cmocka_unit_test(events_that_say_the_same_hash_alike),
    };
    return cmocka_run_group_tests_name("epcis hash vectors", tests, NULL, NULL);
}
