// XML against the public examples that stand in both forms: the same event hashes; there and back again; and what is refused.
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/cleanup.h"
#include "common/epcis/event_hash.h"
#include "common/epcis_xml/epcis_xml.h"
#include "tests/support/support.h"

static const size_t MOST = (size_t)64 * 1024 * 1024;

static void hashes_equal(const char *name, const struct epcis_document *a, const struct epcis_document *b) {
    if (a->event_count != b->event_count) fail_msg("%s: %zu events, %zu in the other form", name, a->event_count, b->event_count);
    for (size_t i = 0; i < a->event_count; i++) {
        char first[EPCIS_EVENT_HASH_SIZE], second[EPCIS_EVENT_HASH_SIZE];
        assert_int_equal(epcis_event_hash(&a->events[i], NULL, first, NULL), PT_OK);
        assert_int_equal(epcis_event_hash(&b->events[i], NULL, second, NULL), PT_OK);
        if (strcmp(first, second) != 0) fail_msg("%s, event %zu: %s, %s in the other form", name, i, first, second);
    }
}

// Encodes as XML and reads that again.
static void there_and_back(const char *name, const struct epcis_document *document) {
    PT_CLEANUP(pt_buf_free) struct pt_buf xml = PT_BUF_INIT(MOST), json = PT_BUF_INIT(MOST);
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {.ceiling = MOST};
    struct epcis_document again;
    struct pt_error err = {0};
    if (epcis_xml_encode(document, &xml, &err) != PT_OK) fail_msg("%s: %s %s", name, err.where, err.what);
    if (epcis_xml_decode(pt_buf_bytes(&xml), MOST, EPCIS_FOR_HASH, &arena, &json, &again, &err) != PT_OK) fail_msg("%s: %s %s", name, err.where, err.what);
    assert_int_equal(again.kind, document->kind == EPCIS_QUERY_DOCUMENT ? EPCIS_QUERY_DOCUMENT : EPCIS_DOCUMENT);
    hashes_equal(name, document, &again);
}

static enum pt_code decode_xml(struct pt_bytes xml, enum epcis_strictness strictness, struct pt_arena *arena, struct epcis_document *out, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf json = PT_BUF_INIT(MOST);
    return epcis_xml_decode(xml, MOST, strictness, arena, &json, out, err);
}

static struct pt_buf read_data(const char *folder, const char *name) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return test_read_file(test_data(path));
}

// Known faults of the examples: dates without seconds, which the schema refuses, too.
static bool is_faulty(const char *folder, const char *name) {
    return strstr(folder, "Query") && (strcmp(name, "ObjectEventWithAllPossibleFields.xml") == 0 || strcmp(name, "TransformationEvent_with_error_declaration.xml") == 0);
}

static size_t compare_folder(const char *part) {
    char xml_folder[256], json_folder[256];
    size_t compared = 0;
    snprintf(xml_folder, sizeof xml_folder, "openepcis-test-resources/2.0/EPCIS/XML/%s", part);
    snprintf(json_folder, sizeof json_folder, "openepcis-test-resources/2.0/EPCIS/JSON/%s", part);
    struct test_names names = test_list(test_data(xml_folder), ".xml");
    for (size_t i = 0; i < names.count; i++) {
        char twin[1024];
        struct stat status;
        struct pt_error err = {0};
        struct epcis_document from_xml, from_json;
        PT_CLEANUP(pt_arena_free) struct pt_arena arena = {.ceiling = MOST};
        PT_CLEANUP(pt_buf_free) struct pt_buf xml = read_data(xml_folder, names.names[i]);
        const enum pt_code code = decode_xml(pt_buf_bytes(&xml), EPCIS_FOR_HASH, &arena, &from_xml, &err);
        if (is_faulty(part, names.names[i])) {
            assert_int_equal(code, PT_INVALID);
            continue;
        }
        if (code != PT_OK) fail_msg("%s: %s %s", names.names[i], err.where, err.what);
        there_and_back(names.names[i], &from_xml);
        if (snprintf(twin, sizeof twin, "%s/%.*s.json", json_folder, (int)(strlen(names.names[i]) - 4), names.names[i]) >= (int)sizeof twin) fail();
        if (stat(test_data(twin), &status) != 0) continue;
        PT_CLEANUP(pt_buf_free) struct pt_buf json = test_read_file(test_data(twin));
        assert_ok(epcis_json_decode(pt_buf_bytes(&json), MOST, EPCIS_FOR_HASH, &arena, &from_json, &err), &err);
        hashes_equal(names.names[i], &from_xml, &from_json);
        there_and_back(names.names[i], &from_json);
        compared++;
    }
    test_names_free(&names);
    return compared;
}

static void twins_hash_alike(void **state) {
    (void)state;
    assert_true(compare_folder("Capture/Documents") >= 34);
    assert_true(compare_folder("Capture/Events") >= 5);
    assert_true(compare_folder("Query") >= 7);
}

static void invalid_ones_are_refused(void **state) {
    (void)state;
    const char *folder = "openepcis-test-resources/2.0/EPCIS/XML/Capture/Invalid";
    struct test_names names = test_list(test_data(folder), ".xml");
    for (size_t i = 0; i < names.count; i++) {
        PT_CLEANUP(pt_arena_free) struct pt_arena arena = {.ceiling = MOST};
        PT_CLEANUP(pt_buf_free) struct pt_buf xml = read_data(folder, names.names[i]);
        struct epcis_document document;
        struct pt_error err = {0};
        if (decode_xml(pt_buf_bytes(&xml), EPCIS_FOR_CAPTURE, &arena, &document, &err) != PT_INVALID) fail_msg("%s is taken", names.names[i]);
        assert_true(err.what[0] && err.where[0]);
    }
    test_names_free(&names);
}

static void epcis_1_2_is_unwrapped(void **state) {
    (void)state;
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {.ceiling = MOST};
    PT_CLEANUP(pt_buf_free) struct pt_buf xml = read_data("openepcis-test-resources/1.2/EPCIS/XML/Capture/Documents", "GS1_US_Pharma_Example_2_2_1_1.xml");
    struct epcis_document document;
    struct pt_error err = {0};
    assert_ok(decode_xml(pt_buf_bytes(&xml), EPCIS_FOR_CAPTURE, &arena, &document, &err), &err);
    assert_int_equal(document.event_count, 8);
    assert_string_equal(document.schema_version, "2.0");
    assert_string_equal(document.sender, "urn:epc:id:sgln:030001.111111.0");
    assert_non_null(document.header);
    assert_true(document.events[0].has_ilmd);
    assert_string_equal(document.events[0].ilmd.items[0].local, "lotNumber");
    assert_string_equal(document.events[0].ilmd.items[0].ns, "urn:epcglobal:cbv:mda:");
    assert_string_equal(document.events[0].biz_step, "commissioning");
}

#define HEAD "<epcis:EPCISDocument xmlns:epcis=\"urn:epcglobal:epcis:xsd:2\" xmlns:x=\"urn:x:\" schemaVersion=\"2.0\" creationDate=\"2026-01-01T00:00:00Z\"><EPCISBody><EventList><ObjectEvent>"
#define EVENT "<eventTime>2026-01-01T00:00:00Z</eventTime><eventTimeZoneOffset>+08:00</eventTimeZoneOffset><epcList><epc>urn:epc:id:sgtin:0614141.107346.2018</epc></epcList><action>OBSERVE</action>"
#define TAIL "</ObjectEvent></EventList></EPCISBody></epcis:EPCISDocument>"

static void bad_xml_is_refused_with_its_place(void **state) {
    (void)state;
    const struct {
        const char *xml, *what;
    } cases[] = {
        {"", "XML"},
        {"{}", "XML"},
        {HEAD EVENT, "XML"},
        {"<!DOCTYPE a [<!ENTITY e \"x\">]>" HEAD EVENT "<x:a>&e;</x:a>" TAIL, "document type"},
        {"<!DOCTYPE a SYSTEM \"http://example.com/a.dtd\">" HEAD EVENT TAIL, "document type"},
        {HEAD EVENT "<action>ADD</action>" TAIL, "twice"},
        {HEAD EVENT "<unknown>1</unknown>" TAIL, "no field"},
        {HEAD EVENT "<quantityList><epc>1</epc></quantityList>" TAIL, "belong"},
        {HEAD EVENT "<bizTransactionList><x:y>1</x:y></bizTransactionList>" TAIL, "belong"},
        {HEAD EVENT "<quantityList><quantityElement><epcClass>urn:epc:class:lgtin:4012345.012345.998877</epcClass><quantity>many</quantity></quantityElement></quantityList>" TAIL, "number"},
        {HEAD EVENT "<sensorElementList><sensorElement><other/></sensorElement></sensorElementList>" TAIL, "no field"},
        {"<EPCISDocument><EPCISBody/></EPCISDocument>", "namespace"},
        {"<e:EPCISDocument xmlns:e=\"urn:epcglobal:epcis:xsd:2\"/>", "EPCISBody"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        PT_CLEANUP(pt_arena_free) struct pt_arena arena = {.ceiling = MOST};
        struct epcis_document document;
        struct pt_error err = {0};
        const enum pt_code code = decode_xml(pt_bytes_str(cases[i].xml), EPCIS_FOR_CAPTURE, &arena, &document, &err);
        if (code != PT_INVALID || !strstr(err.what, cases[i].what)) fail_msg("case %zu: %d %s (%s)", i, (int)code, err.what, err.where);
    }
}

static void depth_and_size_have_ceilings(void **state) {
    (void)state;
    PT_CLEANUP(pt_buf_free) struct pt_buf xml = PT_BUF_INIT(MOST);
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {.ceiling = MOST};
    struct epcis_document document;
    struct pt_error err = {0};
    pt_buf_str(&xml, HEAD EVENT);
    for (int i = 0; i < 200; i++) pt_buf_str(&xml, "<x:a>");
    for (int i = 0; i < 200; i++) pt_buf_str(&xml, "</x:a>");
    pt_buf_str(&xml, TAIL);
    assert_int_equal(decode_xml(pt_buf_bytes(&xml), EPCIS_FOR_CAPTURE, &arena, &document, &err), PT_LIMIT);
    json_t *json;
    assert_int_equal(epcis_xml_read(pt_buf_bytes(&xml), 100, &json, &err), PT_LIMIT);
    pt_buf_clear(&xml);
    pt_buf_str(&xml, HEAD EVENT);
    for (int i = 0; i < 100; i++) pt_buf_printf(&xml, "<a xmlns=\"urn:n:%d\">1</a>", i);
    pt_buf_str(&xml, TAIL);
    assert_int_equal(decode_xml(pt_buf_bytes(&xml), EPCIS_FOR_CAPTURE, &arena, &document, &err), PT_LIMIT);
}

// One prefix for two namespaces, none at all, attributes beside text, nothing at all.
static void namespaces_and_attributes_are_kept_apart(void **state) {
    (void)state;
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {.ceiling = MOST};
    struct epcis_document document;
    struct pt_error err = {0};
    const char *xml = HEAD EVENT "<x:a>1</x:a><x:a xmlns:x=\"urn:y:\">2</x:a><b xmlns=\"urn:z:\"><c>3</c></b><x:w unit=\"KGM\">3.5</x:w><x:none/>" TAIL;
    assert_ok(decode_xml(pt_bytes_str(xml), EPCIS_FOR_CAPTURE, &arena, &document, &err), &err);
    const struct epcis_members *members = &document.events[0].extensions;
    assert_int_equal(members->count, 4);
    const char *const spaces[] = {"urn:x:", "urn:y:", "urn:z:", "urn:x:"};
    for (size_t i = 0; i < 4; i++) assert_string_equal(members->items[i].ns, spaces[i]);
    assert_int_equal(members->items[3].value.kind, EPCIS_OBJECT_VALUE);
    assert_int_equal(members->items[3].value.members.count, 2);
    there_and_back("namespaces", &document);
}

static void what_xml_cannot_bear_is_refused(void **state) {
    (void)state;
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {.ceiling = MOST};
    PT_CLEANUP(pt_buf_free) struct pt_buf xml = PT_BUF_INIT(MOST);
    struct epcis_document document;
    struct pt_error err = {0};
    const char *json = "{\"@context\":[\"https://ref.gs1.org/standards/epcis/epcis-context.jsonld\",{\"x\":\"urn:x:\"}],\"type\":\"ObjectEvent\",\"eventTime\":\"2026-01-01T00:00:00Z\","
                       "\"eventTimeZoneOffset\":\"+08:00\",\"epcList\":[\"urn:epc:id:sgtin:0614141.107346.2018\"],\"action\":\"OBSERVE\",\"x:a\":\"bell\\u0007\"}";
    assert_ok(epcis_json_decode(pt_bytes_str(json), MOST, EPCIS_FOR_CAPTURE, &arena, &document, &err), &err);
    assert_int_equal(epcis_xml_encode(&document, &xml, &err), PT_INVALID);
    assert_non_null(strstr(err.what, "cannot bear"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(twins_hash_alike), cmocka_unit_test(invalid_ones_are_refused), cmocka_unit_test(epcis_1_2_is_unwrapped),
        cmocka_unit_test(bad_xml_is_refused_with_its_place), cmocka_unit_test(depth_and_size_have_ceilings),
        cmocka_unit_test(namespaces_and_attributes_are_kept_apart), cmocka_unit_test(what_xml_cannot_bear_is_refused),
    };
    return cmocka_run_group_tests_name("epcis-xml", tests, NULL, NULL);
}
