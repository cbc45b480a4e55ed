// EPCIS JSON-LD in and out, over the public examples and over cases of our own.
#include "common/epcis/epcis_json.h"

#include <string.h>

#include "common/epcis/epcis_validate.h"
#include "tests/support/support.h"
#include "tests/unit/epcis/epcis_compare.h"

#define MOST ((size_t)64 * 1024 * 1024)

static const char *const gs1_folders[] = {
    "",                  "/AssociationEvent/", "/WithDigitalLinkID/", "/WithErrorDeclaration/", "/WithFullCombinationOfFields/",
    "/WithSensorData/",
};
static const char *const openepcis_folders[] = {"Capture/Documents", "Capture/Events", "Query"};

static const char *folder_path(char path[512], const char *root, const char *folder) {
    snprintf(path, 512, "%s/%s", root, folder);
    return test_data(path);
}

typedef void file_check(const char *path, struct pt_bytes content);

static size_t each_file(const char *folder, const char *suffix, file_check *check) {
    char root[4096];
    snprintf(root, sizeof root, "%s", folder);
    struct test_names names = test_list(root, suffix);
    for (size_t i = 0; i < names.count; i++) {
        char path[8192];
        snprintf(path, sizeof path, "%s/%s", root, names.names[i]);
        struct pt_buf content = test_read_file(path);
        check(path, pt_buf_bytes(&content));
        pt_buf_free(&content);
    }
    const size_t count = names.count;
    test_names_free(&names);
    return count;
}

static size_t each_public_file(file_check *check) {
    char path[512];
    size_t count = 0;
    for (size_t i = 0; i < sizeof gs1_folders / sizeof *gs1_folders; i++)
        count += each_file(folder_path(path, "gs1-EPCIS/JSON", gs1_folders[i]), ".jsonld", check);
    for (size_t i = 0; i < sizeof openepcis_folders / sizeof *openepcis_folders; i++)
        count += each_file(folder_path(path, "openepcis-test-resources/2.0/EPCIS/JSON", openepcis_folders[i]), ".json", check);
    return count;
}

// Two examples use measurement types that are neither standard nor URIs.
static bool is_refused_example(const char *path) {
    return strstr(path, "SensorData_with_combined_events.json") || strstr(path, "/TransactionEvent_with_userExtensions.json");
}

static void check_accepted(const char *path, struct pt_bytes content) {
    struct pt_arena arena = {0};
    struct epcis_document document;
    struct pt_error err = {0};
    const enum pt_code code = epcis_json_decode(content, MOST, EPCIS_FOR_CAPTURE, &arena, &document, &err);
    if (is_refused_example(path)) {
        assert_int_equal(code, PT_INVALID);
        assert_non_null(strstr(err.where, "/type"));
    } else {
        if (code != PT_OK) fail_msg("%s: %s (%s)", path, err.what, err.where);
        assert_true(document.event_count > 0);
        for (size_t i = 0; i < document.event_count; i++) assert_ok(epcis_event_validate(&document.events[i], &err), &err);
    }
    pt_arena_free(&arena);
}

static void public_examples_are_accepted(void **state) {
    (void)state;
    assert_int_equal(each_public_file(check_accepted), 47 + 52);
}

static void check_hash_mode(const char *path, struct pt_bytes content) {
    struct pt_arena arena = {0};
    struct epcis_document document;
    struct pt_error err = {0};
    if (epcis_json_decode(content, MOST, EPCIS_FOR_HASH, &arena, &document, &err) != PT_OK)
        fail_msg("%s: %s (%s)", path, err.what, err.where);
    pt_arena_free(&arena);
}

static void examples_of_hashes_can_be_read(void **state) {
    (void)state;
    assert_int_equal(each_file(test_data("epcis-event-hash/examples"), ".jsonld", check_hash_mode), 16);
    assert_int_equal(each_file(test_data("epcis-event-hash/expected_equal"), ".json", check_hash_mode), 1);
}

static void check_round_trip(const char *path, struct pt_bytes content) {
    struct pt_arena arena = {0};
    struct pt_arena again_arena = {0};
    struct epcis_document document;
    struct epcis_document again;
    struct pt_error err = {0};
    const enum epcis_strictness mode = is_refused_example(path) ? EPCIS_FOR_HASH : EPCIS_FOR_CAPTURE;
    assert_ok(epcis_json_decode(content, MOST, mode, &arena, &document, &err), &err);
    struct pt_buf out = PT_BUF_INIT(MOST);
    assert_ok(epcis_json_encode_document(&document, &out, &err), &err);
    if (epcis_json_decode(pt_buf_bytes(&out), MOST, mode, &again_arena, &again, &err) != PT_OK)
        fail_msg("%s, written again: %s (%s)\n%s", path, err.what, err.where, pt_buf_cstr(&out));
    const char *where = "";
    if (!epcis_same_document(&document, &again, &where)) fail_msg("%s: %s differs\n%s", path, where, pt_buf_cstr(&out));
    struct pt_buf twice = PT_BUF_INIT(MOST);
    assert_ok(epcis_json_encode_document(&again, &twice, &err), &err);
    assert_string_equal(pt_buf_cstr(&out), pt_buf_cstr(&twice));

    for (size_t i = 0; i < document.event_count; i++) {
        pt_buf_clear(&out);
        assert_ok(epcis_json_encode_event(&document.events[i], &out, &err), &err);
        assert_ok(epcis_json_decode(pt_buf_bytes(&out), MOST, mode, &again_arena, &again, &err), &err);
        assert_int_equal(again.kind, EPCIS_SINGLE_EVENT);
        if (!epcis_same_event(&document.events[i], again.events, &where))
            fail_msg("%s, event %zu alone: %s differs\n%s", path, i, where, pt_buf_cstr(&out));
    }
    pt_buf_free(&out);
    pt_buf_free(&twice);
    pt_arena_free(&arena);
    pt_arena_free(&again_arena);
}

static void what_is_written_reads_the_same(void **state) {
    (void)state;
    each_public_file(check_round_trip);
    each_file(test_data("epcis-event-hash/examples"), ".jsonld", check_round_trip);
}

static void check_refused(const char *path, struct pt_bytes content) {
    static const struct {
        const char *file, *where;
    } expected[] = {
        {"Combination_of_events_with_missing_mandatory_fields", "/epcisBody/eventList/0/action"},
        {"Combination_of_non_standard_bizStep_and_disposition", "/epcisBody/eventList/0/bizStep"},
        {"ObjectEvent_with_invalid_action", "/epcisBody/eventList/0/action"},
        {"ObjectEvent_with_invalid_eventTime_format", "/epcisBody/eventList/0/eventTime"},
        {"ObjectEvent_with_non_standard_bizStep", "/epcisBody/eventList/0/bizStep"},
        {"ObjectEvent_with_non_standard_disposition", "/epcisBody/eventList/0/disposition"},
        {"ObjectEvent_with_unknown_field_in_quantityList", "/epcisBody/eventList/0/quantityList/0/weight"},
        {"ObjectEvent_without_action_and_eventTime", "/epcisBody/eventList/0/eventTime"},
    };
    struct pt_arena arena = {0};
    struct epcis_document document;
    struct pt_error err = {0};
    assert_int_equal(epcis_json_decode(content, MOST, EPCIS_FOR_CAPTURE, &arena, &document, &err), PT_INVALID);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        if (strstr(path, expected[i].file)) assert_string_equal(err.where, expected[i].where);
    pt_arena_free(&arena);
}

static void public_bad_examples_are_refused(void **state) {
    (void)state;
    assert_int_equal(each_file(test_data("openepcis-test-resources/2.0/EPCIS/JSON/Capture/Invalid"), ".json", check_refused), 8);
}

static void decode(const char *text, enum epcis_strictness mode, struct pt_arena *arena, struct epcis_document *out) {
    struct pt_error err = {0};
    if (epcis_json_decode(pt_bytes_str(text), MOST, mode, arena, out, &err) != PT_OK)
        fail_msg("%s\n%s (%s)", text, err.what, err.where);
}

#define EVENT_HEAD "\"type\":\"ObjectEvent\",\"eventTime\":\"2024-05-31T08:15:30Z\",\"eventTimeZoneOffset\":\"+08:00\"," \
                   "\"action\":\"OBSERVE\",\"epcList\":[]"

static void prefixes_stand_for_namespaces(void **state) {
    (void)state;
    struct pt_arena arena = {0};
    struct epcis_document document;
    decode("{\"@context\":[\"https://ref.gs1.org/standards/epcis/2.0.1/epcis-context.jsonld\",{\"a\":\"https://a.example/\","
           "\"b\":{\"@id\":\"a:b#\"},\"gone\":\"https://gone.example/\"},{\"a\":\"https://a2.example/\",\"gone\":null}]," EVENT_HEAD
           ",\"a:x\":1,\"b:y\":2.5,\"gs1:z\":true,\"gone:w\":null,\"unknown:v\":\"t\",\"https://full.example/iri#u\":[],"
           "\"readPoint\":{\"id\":\"urn:epc:id:sgln:0614141.07346.1234\",\"a:nested\":{\"@context\":{\"a\":\"https://a3.example/\"},"
           "\"a:deep\":{\"bare\":1}}}}",
           EPCIS_FOR_CAPTURE, &arena, &document);
    const struct epcis_members *members = &document.events[0].extensions;
    const struct {
        const char *ns, *prefix, *local;
    } expected[] = {{"https://a2.example/", "a", "x"},   {"https://a2.example/b#", "b", "y"},
                    {"https://gs1.org/voc/", "gs1", "z"}, {NULL, "gone", "w"},
                    {NULL, "unknown", "v"},               {"https://full.example/iri#", NULL, "u"}};
    assert_int_equal(members->count, 6);
    for (size_t i = 0; i < 6; i++) {
        if (expected[i].ns) assert_string_equal(members->items[i].ns, expected[i].ns);
        else assert_null(members->items[i].ns);
        if (expected[i].prefix) assert_string_equal(members->items[i].prefix, expected[i].prefix);
        else assert_null(members->items[i].prefix);
        assert_string_equal(members->items[i].local, expected[i].local);
    }
    const struct epcis_member *nested = &document.events[0].read_point.extensions.items[0];
    assert_string_equal(nested->ns, "https://a2.example/");
    assert_int_equal(nested->value.members.count, 1);
    assert_string_equal(nested->value.members.items[0].ns, "https://a3.example/");
    assert_string_equal(nested->value.members.items[0].value.members.items[0].local, "bare");

    // Two namespaces under one prefix cannot both keep it; the meaning stays.
    struct pt_buf out = PT_BUF_INIT(65536);
    struct pt_error err = {0};
    assert_ok(epcis_json_encode_event(&document.events[0], &out, &err), &err);
    struct epcis_document again;
    decode(pt_buf_cstr(&out), EPCIS_FOR_CAPTURE, &arena, &again);
    nested = &again.events[0].read_point.extensions.items[0];
    assert_string_equal(nested->ns, "https://a2.example/");
    assert_string_equal(nested->value.members.items[0].ns, "https://a3.example/");
    assert_string_equal(again.events[0].extensions.items[5].ns, "https://full.example/iri#");
    pt_buf_free(&out);
    pt_arena_free(&arena);
}

// Names that mean nothing must not gain a meaning through a prefix that the writer makes, nor two names become one.
static void made_prefixes_change_no_other_name(void **state) {
    (void)state;
    struct pt_arena arena = {0};
    struct epcis_document document;
    struct epcis_document again;
    decode("{\"@context\":{\"a\":\"https://a.example/\"}," EVENT_HEAD ",\"https://b.example/x\":1,\"ns1:x\":2,\"a:y\":3,\"https://a.example/y\":4,"
           "\"p:z\":5,\"a:w\":{\"@context\":{\"p\":\"https://p.example/\"},\"p:z\":6},"
           "\"a:v\":{\"@context\":{\"q\":\"https://q.example/\"},\"q:z\":7},\"q:z\":8}",
           EPCIS_FOR_CAPTURE, &arena, &document);
    struct pt_buf out = PT_BUF_INIT(65536);
    struct pt_error err = {0};
    assert_ok(epcis_json_encode_event(&document.events[0], &out, &err), &err);
    decode(pt_buf_cstr(&out), EPCIS_FOR_CAPTURE, &arena, &again);
    const struct epcis_members *before = &document.events[0].extensions;
    const struct epcis_members *after = &again.events[0].extensions;
    assert_int_equal(after->count, before->count);
    for (size_t i = 0; i < before->count; i++) {
        if (before->items[i].ns) assert_string_equal(after->items[i].ns, before->items[i].ns);
        else assert_null(after->items[i].ns);
        assert_string_equal(after->items[i].local, before->items[i].local);
        assert_int_equal(after->items[i].value.number.integer, before->items[i].value.number.integer);
    }
    assert_string_equal(after->items[5].value.members.items[0].ns, "https://p.example/");
    assert_string_equal(after->items[6].value.members.items[0].ns, "https://q.example/");
    pt_buf_free(&out);
    pt_arena_free(&arena);
}

static void default_vocabulary_names_bare_members(void **state) {
    (void)state;
    struct pt_arena arena = {0};
    struct epcis_document document;
    decode("{\"@context\":{\"@vocab\":\"https://v.example/\",\"term\":\"https://t.example/term\",\"other\":\"https://t.example/x\"},"
           EVENT_HEAD ",\"field\":\"1\",\"term\":\"2\",\"other\":\"3\"}",
           EPCIS_FOR_HASH, &arena, &document);
    const struct epcis_members *members = &document.events[0].extensions;
    assert_int_equal(members->count, 3);
    assert_string_equal(members->items[0].ns, "https://v.example/");
    assert_string_equal(members->items[1].ns, "https://t.example/");
    assert_null(members->items[2].ns);
    assert_null(members->items[0].prefix);
    pt_arena_free(&arena);
}

static void contexts_of_events_stay_their_own(void **state) {
    (void)state;
    struct pt_arena arena = {0};
    struct epcis_document document;
    struct epcis_document again;
    decode("{\"@context\":[\"https://ref.gs1.org/standards/epcis/epcis-context.jsonld\",{\"x\":\"https://one.example/\"}],"
           "\"type\":\"EPCISDocument\",\"schemaVersion\":\"2.0\",\"creationDate\":\"2024-05-31T08:15:30Z\",\"x:own\":1,"
           "\"epcisBody\":{\"eventList\":[{" EVENT_HEAD ",\"x:a\":1,\"bizStep\":\"x:mixing\",\"cbvmda:lotNumber\":\"L\"},"
           "{\"@context\":{\"x\":\"https://two.example/\",\"cbvmda\":\"https://mda.example/\",\"y\":\"https://y.example/\"}," EVENT_HEAD
           ",\"x:a\":1,\"bizStep\":\"y:mixing\",\"cbvmda:lotNumber\":\"L\"},"
           "{\"@context\":{\"x\":null}," EVENT_HEAD ",\"x:a\":1,\"y:a\":1}]}}",
           EPCIS_FOR_CAPTURE, &arena, &document);
    struct pt_buf out = PT_BUF_INIT(65536);
    struct pt_error err = {0};
    assert_ok(epcis_json_encode_document(&document, &out, &err), &err);
    decode(pt_buf_cstr(&out), EPCIS_FOR_CAPTURE, &arena, &again);
    const char *where = "";
    if (!epcis_same_document(&document, &again, &where)) fail_msg("%s differs\n%s", where, pt_buf_cstr(&out));
    assert_string_equal(again.events[1].extensions.items[0].ns, "https://two.example/");
    assert_string_equal(again.events[0].extensions.items[1].ns, "urn:epcglobal:cbv:mda:");
    assert_null(again.events[2].extensions.items[0].ns);

    // A compact IRI in a value keeps its meaning also when the event is written alone.
    pt_buf_clear(&out);
    assert_ok(epcis_json_encode_event(&document.events[1], &out, &err), &err);
    assert_non_null(strstr(pt_buf_cstr(&out), "\"y\":\"https://y.example/\""));
    pt_buf_free(&out);
    pt_arena_free(&arena);
}

static void every_shape_of_document_is_read(void **state) {
    (void)state;
    struct pt_arena arena = {0};
    struct epcis_document document;
    decode("[{\"@context\":{}," EVENT_HEAD "},{\"@context\":{}," EVENT_HEAD "}]", EPCIS_FOR_CAPTURE, &arena, &document);
    assert_int_equal(document.kind, EPCIS_EVENT_LIST);
    assert_int_equal(document.event_count, 2);
    decode("{\"@context\":{},\"type\":\"EPCISQueryDocument\",\"epcisBody\":{\"queryResults\":{\"queryName\":\"Q\",\"subscriptionID\":"
           "\"S\",\"resultsBody\":{\"eventList\":[],\"vocabularyList\":[{\"type\":\"urn:epcglobal:epcis:vtype:BusinessLocation\"}]}}}}",
           EPCIS_FOR_CAPTURE, &arena, &document);
    assert_int_equal(document.kind, EPCIS_QUERY_DOCUMENT);
    assert_string_equal(document.query_name, "Q");
    assert_string_equal(document.subscription_id, "S");
    assert_non_null(document.header);
    decode("{\"@context\":{}," EVENT_HEAD "}", EPCIS_FOR_CAPTURE, &arena, &document);
    assert_int_equal(document.kind, EPCIS_SINGLE_EVENT);
    // What can be hashed need not be complete, and may be in JSON-LD's own keywords.
    decode("{\"isA\":\"epcis:ObjectEvent\",\"@id\":\"urn:x-test:1\",\"bizStep\":\"urn:epcglobal:cbv:bizstep:shipping\",\"note\":null}",
           EPCIS_FOR_HASH, &arena, &document);
    assert_int_equal(document.events[0].type, EPCIS_OBJECT);
    assert_string_equal(document.events[0].event_id, "urn:x-test:1");
    decode("{\"epcisBody\":{\"eventList\":[]}}", EPCIS_FOR_HASH, &arena, &document);
    assert_int_equal(document.kind, EPCIS_DOCUMENT);
    pt_arena_free(&arena);
}

static void ignored_fields_are_named_in_full(void **state) {
    (void)state;
    struct pt_arena arena = {0};
    struct epcis_document document;
    decode("{\"@context\":{\"r\":\"https://r.example/\"},\"type\":\"EPCISDocument\",\"r:ignoreFields\":[\"r:hash\",\"un:known\"],"
           "\"epcisBody\":{\"eventList\":[]}}",
           EPCIS_FOR_HASH, &arena, &document);
    assert_int_equal(document.ignored_fields.count, 2);
    assert_string_equal(document.ignored_fields.items[0], "{https://r.example/}hash");
    assert_string_equal(document.ignored_fields.items[1], "un:known");
    pt_arena_free(&arena);
}

static void an_event_hash_gives_way_to_another_id(void **state) {
    (void)state;
    struct pt_arena arena = {0};
    struct epcis_document document;
    decode("{\"@context\":{},\"eventID\":\"ni:///sha-256;00?ver=CBV2.0\" , \"x:eventID\":\"\\\"eventID\\\":\"," EVENT_HEAD
           ",\"eventID\" : \"urn:uuid:fd338495-0e6d-41dd-afee-a862ecd32518\"}",
           EPCIS_FOR_CAPTURE, &arena, &document);
    assert_string_equal(document.events[0].event_id, "urn:uuid:fd338495-0e6d-41dd-afee-a862ecd32518");
    const char *bad[] = {
        "{\"@context\":{},\"eventID\":\"urn:x-test:1\",\"eventID\":\"urn:x-test:2\"," EVENT_HEAD "}",
        "{\"@context\":{},\"eventID\":\"urn:x-test:1\",\"eventID\":\"ni:///sha-256;00\"," EVENT_HEAD "}",
        "{\"@context\":{},\"eventID\":\"ni:///sha-256;00\",\"eventID\":\"ni:///sha-256;01\"," EVENT_HEAD "}",
        "{\"@context\":{},\"eventID\":\"ni:///sha-256;00\",\"eventID\":\"urn:x-test:1\",\"eventID\":\"urn:x-test:2\"," EVENT_HEAD "}",
        "{\"@context\":{},\"eventID\":\"ni:///sha-256;00\",\"eventID\":\"urn:x-test:1\"," EVENT_HEAD ",\"action\":\"ADD\"}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct pt_error err = {0};
        assert_int_equal(epcis_json_decode(pt_bytes_str(bad[i]), MOST, EPCIS_FOR_CAPTURE, &arena, &document, &err), PT_INVALID);
        assert_true(err.position > 0);
    }
    pt_arena_free(&arena);
}

static void numbers_keep_their_value(void **state) {
    (void)state;
    struct pt_arena arena = {0};
    struct epcis_document document;
    decode("{\"@context\":{}," EVENT_HEAD ",\"quantityList\":[{\"epcClass\":\"urn:x-test:1\",\"quantity\":0.1},{\"epcClass\":"
           "\"urn:x-test:1\",\"quantity\":452.0},{\"epcClass\":\"urn:x-test:1\",\"quantity\":9223372036854775807},"
           "{\"epcClass\":\"urn:x-test:1\",\"quantity\":1e22},{\"epcClass\":\"urn:x-test:1\"}]}",
           EPCIS_FOR_CAPTURE, &arena, &document);
    const struct epcis_quantity *items = document.events[0].quantities.items;
    assert_false(items[0].quantity.is_integer);
    assert_true(items[2].quantity.is_integer);
    assert_int_equal(items[2].quantity.integer, INT64_MAX);
    assert_false(items[4].quantity.present);
    struct pt_buf out = PT_BUF_INIT(65536);
    struct pt_error err = {0};
    assert_ok(epcis_json_encode_event(&document.events[0], &out, &err), &err);
    assert_non_null(strstr(pt_buf_cstr(&out), "\"quantity\":0.1}"));
    assert_non_null(strstr(pt_buf_cstr(&out), "\"quantity\":9223372036854775807}"));
    pt_buf_free(&out);
    pt_arena_free(&arena);
}

static void memory_and_size_have_ceilings(void **state) {
    (void)state;
    struct pt_arena arena = {.ceiling = 2000};
    struct epcis_document document;
    const char *text = "{\"@context\":{}," EVENT_HEAD ",\"x:list\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22]}";
    assert_int_equal(epcis_json_decode(pt_bytes_str(text), MOST, EPCIS_FOR_CAPTURE, &arena, &document, NULL), PT_LIMIT);
    assert_null(document.events);
    pt_arena_free(&arena);
    assert_int_equal(epcis_json_decode(pt_bytes_str(text), 20, EPCIS_FOR_CAPTURE, &arena, &document, NULL), PT_LIMIT);
    pt_arena_free(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(public_examples_are_accepted),
        cmocka_unit_test(examples_of_hashes_can_be_read),
        cmocka_unit_test(what_is_written_reads_the_same),
        cmocka_unit_test(public_bad_examples_are_refused),
        cmocka_unit_test(prefixes_stand_for_namespaces),
        cmocka_unit_test(made_prefixes_change_no_other_name),
        cmocka_unit_test(default_vocabulary_names_bare_members),
        cmocka_unit_test(contexts_of_events_stay_their_own),
        cmocka_unit_test(every_shape_of_document_is_read),
        cmocka_unit_test(ignored_fields_are_named_in_full),
        cmocka_unit_test(an_event_hash_gives_way_to_another_id),
        cmocka_unit_test(numbers_keep_their_value),
        cmocka_unit_test(memory_and_size_have_ceilings),
    };
    return cmocka_run_group_tests_name("epcis json", tests, NULL, NULL);
}
