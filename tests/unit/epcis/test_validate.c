// Every constraint of the EPCIS 2.0 JSON Schema, and what is asked beyond it: one change to a good document each.
#include "common/epcis/epcis_validate.h"

#include <math.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/epcis/epcis_json.h"
#include "tests/support/support.h"

#define MOST ((size_t)1 << 20)

#define COMMON "\"@context\":[\"https://ref.gs1.org/standards/epcis/epcis-context.jsonld\",{\"x\":\"https://x.example/\"}]," \
               "\"eventTime\":\"2024-05-31T08:15:30.123Z\",\"eventTimeZoneOffset\":\"+08:00\""
#define EPC1 "\"urn:epc:id:sgtin:0614141.107346.2017\""
#define EPC2 "\"https://id.gs1.org/01/09521141012345/21/2017\""
#define SENSOR "{\"sensorMetadata\":{\"time\":\"2024-05-31T08:15:30Z\"},\"sensorReport\":[{\"type\":\"Temperature\",\"value\":5.5}]}"

static const char object_event[] = "{\"type\":\"ObjectEvent\"," COMMON ",\"action\":\"ADD\",\"epcList\":[" EPC1 "," EPC2 "]}";
static const char aggregation[] = "{\"type\":\"AggregationEvent\"," COMMON ",\"action\":\"ADD\",\"parentID\":" EPC1 ",\"childEPCs\":[" EPC2 "]}";
static const char association[] = "{\"type\":\"AssociationEvent\"," COMMON ",\"action\":\"ADD\",\"parentID\":" EPC1 ",\"childEPCs\":[" EPC2 "]}";
static const char transaction[] = "{\"type\":\"TransactionEvent\"," COMMON ",\"action\":\"ADD\",\"epcList\":[" EPC1 "],"
                                  "\"bizTransactionList\":[{\"type\":\"po\",\"bizTransaction\":\"http://transaction.acme.com/po/1\"}]}";
static const char transformation[] = "{\"type\":\"TransformationEvent\"," COMMON ",\"inputEPCList\":[" EPC1 "],\"outputEPCList\":[" EPC2 "]}";
static const char document[] =
    "{\"@context\":[\"https://ref.gs1.org/standards/epcis/epcis-context.jsonld\",{\"x\":\"https://x.example/\"}],\"id\":\"https://id.example.org/1\","
    "\"type\":\"EPCISDocument\",\"schemaVersion\":\"2.0\",\"creationDate\":\"2024-05-31T08:15:30Z\",\"sender\":\"s\",\"receiver\":\"r\","
    "\"instanceIdentifier\":\"i\",\"epcisHeader\":{\"epcisMasterData\":{\"vocabularyList\":[{\"type\":\"urn:epcglobal:epcis:vtype:EPCClass\","
    "\"vocabularyElementList\":[{\"id\":\"urn:epc:idpat:sgtin:0614141.107346.*\",\"attributes\":[{\"id\":\"cbvmda:x\",\"attribute\":\"1\"}],"
    "\"children\":[\"urn:x-test:1\"]}]}]}},\"epcisBody\":{\"eventList\":[{\"type\":\"ObjectEvent\",\"eventTime\":\"2024-05-31T08:15:30Z\","
    "\"eventTimeZoneOffset\":\"+08:00\",\"action\":\"ADD\",\"epcList\":[]}]}}";
static const char query[] =
    "{\"@context\":\"https://ref.gs1.org/standards/epcis/epcis-context.jsonld\",\"type\":\"EPCISQueryDocument\",\"schemaVersion\":\"2.0\","
    "\"creationDate\":\"2024-05-31T08:15:30Z\",\"epcisBody\":{\"queryResults\":{\"queryName\":\"Q\",\"subscriptionID\":\"S\",\"resultsBody\":"
    "{\"eventList\":[],\"vocabularyList\":[]}}}}";

struct test_case {
    const char *base;     // one of the texts above
    const char *set;      // JSON Pointer of the member or item that is set or removed; a path's last part may be new
    const char *value;    // JSON; NULL removes
    const char *pointer;  // of the refusal; NULL: accepted
};

static json_t *parse(const char *text) {
    json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
    if (!value) fail_msg("not JSON: %s", text);
    return value;
}

static json_t *change(const char *base, const char *set, const char *value) {
    json_t *root = parse(base);
    if (!set[0]) return root;
    char path[256];
    snprintf(path, sizeof path, "%s", set + 1);
    json_t *at = root;
    char *name = path;
    for (char *slash; (slash = strchr(name, '/')); name = slash + 1) {
        *slash = 0;
        at = json_is_array(at) ? json_array_get(at, strtoul(name, NULL, 10)) : json_object_get(at, name);
    }
    for (char *escape; (escape = strstr(name, "~1"));) {
        *escape = '/';
        memmove(escape + 1, escape + 2, strlen(escape + 2) + 1);
    }
    if (!at) fail_msg("no %s", set);
    if (json_is_array(at) && value) json_array_insert_new(at, strtoul(name, NULL, 10), parse(value));
    else if (json_is_array(at)) json_array_remove(at, strtoul(name, NULL, 10));
    else if (value) json_object_set_new(at, name, parse(value));
    else json_object_del(at, name);
    return root;
}

static void check_case(const struct test_case *test) {
    PT_JSON json_t *root = change(test->base, test->set, test->value);
    PT_FREE char *text = json_dumps(root, JSON_COMPACT | JSON_ENCODE_ANY);
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct epcis_document out;
    struct pt_error err = {0};
    const enum pt_code code = epcis_json_decode(pt_bytes_str(text), MOST, EPCIS_FOR_CAPTURE, &arena, &out, &err);
    if (!test->pointer) {
        if (code != PT_OK) fail_msg("%s = %s should be good, but: %s (%s)\n%s", test->set, test->value, err.what, err.where, text);
        // What the decoder lets through, the validator of the struct lets through.
        for (size_t i = 0; i < out.event_count; i++) assert_ok(epcis_event_validate(&out.events[i], &err), &err);
        return;
    }
    if (code != PT_INVALID) fail_msg("%s = %s should be refused\n%s", test->set, test->value ? test->value : "(removed)", text);
    if (strcmp(err.where, test->pointer) != 0)
        fail_msg("%s = %s: refused at %s, not at %s (%s)", test->set, test->value ? test->value : "(removed)", err.where, test->pointer, err.what);
    assert_true(err.what[0]);
    assert_int_equal(err.position, -1);
}

#define CHECK(...)                                                                    \
    do {                                                                              \
        const struct test_case cases[] = {__VA_ARGS__};                               \
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check_case(&cases[i]); \
    } while (0)

static void bases_are_good(void **state) {
    (void)state;
    CHECK({object_event, "", NULL, NULL}, {aggregation, "", NULL, NULL}, {association, "", NULL, NULL}, {transaction, "", NULL, NULL},
          {transformation, "", NULL, NULL}, {document, "", NULL, NULL}, {query, "", NULL, NULL});
}

static void heads_of_documents(void **state) {
    (void)state;
    CHECK({document, "/@context", NULL, "/@context"}, {document, "/@context", "5", "/@context"}, {document, "/@context", "\"no uri\"", "/@context"},
          {document, "/@context/0", "7", "/@context/0"}, {document, "/@context/2", "{\"x\":\"https://x.example/\"}", "/@context/2"},
          {document, "/@context", "\"https://a.example/\"", NULL}, {document, "/@context", "{}", NULL}, {document, "/@context", "[]", NULL},
          {document, "/@context/1", "[]", "/@context/1"}, {document, "/@context/1", "null", "/@context/1"},
          {document, "/type", NULL, "/type"}, {document, "/type", "\"EPCISdocument\"", "/type"}, {document, "/type", "1", "/type"},
          {document, "/schemaVersion", NULL, "/schemaVersion"}, {document, "/schemaVersion", "2.0", "/schemaVersion"},
          {document, "/schemaVersion", "\"2.\"", "/schemaVersion"}, {document, "/schemaVersion", "\"\"", "/schemaVersion"},
          {document, "/schemaVersion", "\"v2\"", "/schemaVersion"}, {document, "/schemaVersion", "\"2.0.10\"", NULL},
          {document, "/creationDate", NULL, "/creationDate"}, {document, "/creationDate", "\"2024-05-31\"", "/creationDate"},
          {document, "/creationDate", "1717143330", "/creationDate"}, {document, "/id", "\"no uri\"", "/id"}, {document, "/id", NULL, NULL},
          {document, "/sender", "1", "/sender"}, {document, "/receiver", "{}", "/receiver"}, {document, "/instanceIdentifier", "1", "/instanceIdentifier"},
          {document, "/unknown", "1", "/unknown"}, {document, "/x:known", "1", NULL}, {document, "/x:", "1", "/x:"},
          {document, "/x:a b", "1", "/x:a b"}, {document, "/a~1b", "1", "/a~1b"}, {document, "/@type", "\"EPCISDocument\"", "/@type"},
          {document, "/epcisBody", NULL, "/epcisBody"}, {document, "/epcisBody", "[]", "/epcisBody"},
          {document, "/epcisBody/eventList", NULL, "/epcisBody/eventList"}, {document, "/epcisBody/eventList", "{}", "/epcisBody/eventList"},
          {document, "/epcisBody/eventList", "[]", NULL}, {document, "/epcisBody/unknown", "1", "/epcisBody/unknown"},
          {document, "/epcisBody/x:y", "1", NULL}, {document, "/epcisBody/eventList/1", "\"event\"", "/epcisBody/eventList/1"},
          {document, "/epcisBody/eventList/0/type", NULL, "/epcisBody/eventList/0/type"},
          {document, "/epcisBody/eventList/0/type", "7", "/epcisBody/eventList/0/type"},
          {document, "/epcisBody/eventList/0/type", "\"objectEvent\"", "/epcisBody/eventList/0/type"},
          {document, "/epcisBody/eventList/0/@context", "\"no uri\"", "/epcisBody/eventList/0/@context"},
          {document, "/epcisBody/eventList/0/epcList", NULL, "/epcisBody/eventList/0/epcList"},
          {document, "/eventList", "[]", "/eventList"});
}

static void master_data(void **state) {
    (void)state;
#define LIST "/epcisHeader/epcisMasterData/vocabularyList"
#define ELEMENT LIST "/0/vocabularyElementList/0"
    CHECK({document, "/epcisHeader", NULL, NULL}, {document, "/epcisHeader", "[]", "/epcisHeader"}, {document, "/epcisHeader/x:y", "1", NULL},
          {document, "/epcisHeader/unknown", "1", "/epcisHeader/unknown"}, {document, "/epcisHeader/epcisMasterData", "[]", "/epcisHeader/epcisMasterData"},
          {document, LIST, "{}", LIST}, {document, LIST, NULL, NULL}, {document, LIST "/0", "1", LIST "/0"}, {document, LIST "/0/type", NULL, LIST "/0/type"},
          {document, LIST "/0/type", "\"EPCClass\"", LIST "/0/type"}, {document, LIST "/0/vocabularyElementList", "{}", LIST "/0/vocabularyElementList"},
          {document, ELEMENT, "1", ELEMENT}, {document, ELEMENT "/id", NULL, ELEMENT "/id"}, {document, ELEMENT "/id", "\"no uri\"", ELEMENT "/id"},
          {document, ELEMENT "/attributes", "{}", ELEMENT "/attributes"}, {document, ELEMENT "/attributes/0", "1", ELEMENT "/attributes/0"},
          {document, ELEMENT "/attributes/0/id", NULL, ELEMENT "/attributes/0/id"}, {document, ELEMENT "/attributes/0/id", "1", ELEMENT "/attributes/0/id"},
          {document, ELEMENT "/attributes/0/attribute", "true", ELEMENT "/attributes/0/attribute"},
          {document, ELEMENT "/attributes/0/attribute", "[]", ELEMENT "/attributes/0/attribute"},
          {document, ELEMENT "/attributes/0/attribute", "{\"x:y\":1}", NULL}, {document, ELEMENT "/attributes/0/attribute", "1.5", NULL},
          {document, ELEMENT "/children", "\"urn:x-test:1\"", ELEMENT "/children"}, {document, ELEMENT "/children/0", "\"no uri\"", ELEMENT "/children/0"},
          {document, ELEMENT "/children/1", "1", ELEMENT "/children/1"});
}

static void query_documents(void **state) {
    (void)state;
#define RESULTS "/epcisBody/queryResults"
    CHECK({query, "/@context", NULL, "/@context"}, {query, "/schemaVersion", NULL, NULL}, {query, "/creationDate", NULL, NULL},
          {query, "/sender", "\"s\"", "/sender"}, {query, "/epcisHeader", "{}", "/epcisHeader"}, {query, "/epcisBody", NULL, "/epcisBody"},
          {query, "/epcisBody/eventList", "[]", "/epcisBody/eventList"}, {query, "/epcisBody/x:y", "[]", NULL},
          {query, RESULTS, NULL, RESULTS}, {query, RESULTS, "[]", RESULTS}, {query, RESULTS "/queryName", NULL, RESULTS "/queryName"},
          {query, RESULTS "/queryName", "1", RESULTS "/queryName"}, {query, RESULTS "/subscriptionID", NULL, NULL},
          {query, RESULTS "/subscriptionID", "1", RESULTS "/subscriptionID"}, {query, RESULTS "/unknown", "1", RESULTS "/unknown"},
          {query, RESULTS "/resultsBody", NULL, RESULTS "/resultsBody"}, {query, RESULTS "/resultsBody", "[]", RESULTS "/resultsBody"},
          {query, RESULTS "/resultsBody/eventList", NULL, RESULTS "/resultsBody/eventList"},
          {query, RESULTS "/resultsBody/vocabularyList/0", "{\"type\":\"x\"}", RESULTS "/resultsBody/vocabularyList/0/type"},
          {query, RESULTS "/resultsBody/unknown", "1", RESULTS "/resultsBody/unknown"}, {query, RESULTS "/resultsBody/x:y", "1", NULL},
          {query, RESULTS "/resultsBody/eventList/0", "{}", RESULTS "/resultsBody/eventList/0/type"});
}

static void fields_of_all_events(void **state) {
    (void)state;
    CHECK({object_event, "/@context", NULL, "/@context"}, {object_event, "/type", NULL, "/type"}, {object_event, "/type", "\"x:MyEvent\"", "/type"},
          {object_event, "/type", "\"epcis:ObjectEvent\"", NULL}, {object_event, "/eventTime", NULL, "/eventTime"},
          {object_event, "/eventTime", "\"2024-05-31T08:15:30\"", "/eventTime"}, {object_event, "/eventTime", "\"2024-02-30T08:15:30Z\"", "/eventTime"},
          {object_event, "/eventTime", "\"31-05-2024\"", "/eventTime"}, {object_event, "/eventTime", "1", "/eventTime"},
          {object_event, "/eventTime", "\"2024-05-31T08:15:30+0800\"", "/eventTime"}, {object_event, "/eventTime", "null", "/eventTime"},
          {object_event, "/recordTime", "\"yesterday\"", "/recordTime"}, {object_event, "/recordTime", "\"2024-05-31T08:15:30+08:00\"", NULL},
          {object_event, "/eventTimeZoneOffset", NULL, "/eventTimeZoneOffset"}, {object_event, "/eventTimeZoneOffset", "\"08:00\"", "/eventTimeZoneOffset"},
          {object_event, "/eventTimeZoneOffset", "\"+8:00\"", "/eventTimeZoneOffset"}, {object_event, "/eventTimeZoneOffset", "\"+14:01\"", "/eventTimeZoneOffset"},
          {object_event, "/eventTimeZoneOffset", "\"+02:60\"", "/eventTimeZoneOffset"}, {object_event, "/eventTimeZoneOffset", "\"Z\"", "/eventTimeZoneOffset"},
          {object_event, "/eventTimeZoneOffset", "480", "/eventTimeZoneOffset"}, {object_event, "/eventTimeZoneOffset", "\"-14:00\"", NULL},
          {object_event, "/eventID", "\"12345\"", "/eventID"}, {object_event, "/eventID", "1", "/eventID"},
          {object_event, "/eventID", "\"urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8\"", NULL},
          {object_event, "/certificationInfo", "\"no uri\"", "/certificationInfo"}, {object_event, "/certificationInfo", "[\"x:y\",\"no uri\"]", "/certificationInfo/1"},
          {object_event, "/certificationInfo", "{}", "/certificationInfo"}, {object_event, "/certificationInfo", "[]", NULL},
          {object_event, "/errorDeclaration", "{}", "/errorDeclaration/declarationTime"}, {object_event, "/errorDeclaration", "[]", "/errorDeclaration"},
          {object_event, "/errorDeclaration", "{\"declarationTime\":\"2024\"}", "/errorDeclaration/declarationTime"},
          {object_event, "/errorDeclaration", "{\"declarationTime\":\"2024-05-31T08:15:30Z\",\"reason\":\"oops\"}", "/errorDeclaration/reason"},
          {object_event, "/errorDeclaration", "{\"declarationTime\":\"2024-05-31T08:15:30Z\",\"reason\":\"urn:epcglobal:cbv:er:incorrect_data\"}", "/errorDeclaration/reason"},
          {object_event, "/errorDeclaration", "{\"declarationTime\":\"2024-05-31T08:15:30Z\",\"reason\":\"did_not_occur\",\"x:y\":1}", NULL},
          {object_event, "/errorDeclaration", "{\"declarationTime\":\"2024-05-31T08:15:30Z\",\"why\":1}", "/errorDeclaration/why"},
          {object_event, "/errorDeclaration", "{\"declarationTime\":\"2024-05-31T08:15:30Z\",\"correctiveEventIDs\":[\"no uri\"]}", "/errorDeclaration/correctiveEventIDs/0"},
          {object_event, "/errorDeclaration", "{\"declarationTime\":\"2024-05-31T08:15:30Z\",\"correctiveEventIDs\":\"x:y\"}", "/errorDeclaration/correctiveEventIDs"},
          {object_event, "/unknown", "1", "/unknown"}, {object_event, "/id", "\"x:y\"", "/id"}, {object_event, "/x:y", "null", NULL},
          {object_event, "/rdfs:comment", "\"text\"", NULL}, {object_event, "/bad name:x", "1", "/bad name:x"},
          {object_event, "/x:y", "{\"@context\":5}", "/x:y/@context"});
}

static void vocabulary_words(void **state) {
    (void)state;
    CHECK({object_event, "/bizStep", "\"receiving\"", NULL}, {object_event, "/bizStep", "\"transforming\"", "/bizStep"},
          {object_event, "/bizStep", "\"Receiving\"", "/bizStep"}, {object_event, "/bizStep", "\"\"", "/bizStep"}, {object_event, "/bizStep", "[\"receiving\"]", "/bizStep"},
          {object_event, "/bizStep", "\"urn:epcglobal:cbv:bizstep:receiving\"", "/bizStep"}, {object_event, "/bizStep", "\"https://ns.gs1.org/cbv/BizStep-receiving\"", "/bizStep"},
          {object_event, "/bizStep", "\"cbv:BizStep-receiving\"", NULL}, {object_event, "/bizStep", "\"https://ref.gs1.org/cbv/BizStep-receiving\"", NULL},
          {object_event, "/bizStep", "\"https://example.com/step\"", NULL}, {object_event, "/bizStep", "\"in_transit\"", "/bizStep"},
          {object_event, "/disposition", "\"in_transit\"", NULL}, {object_event, "/disposition", "\"in_transport\"", "/disposition"},
          {object_event, "/disposition", "\"urn:epcglobal:cbv:disp:active\"", "/disposition"}, {object_event, "/disposition", "1", "/disposition"},
          {object_event, "/persistentDisposition", "{\"set\":[\"active\"],\"unset\":[\"x:y\"]}", NULL}, {object_event, "/persistentDisposition", "{}", "/persistentDisposition/set"},
          {object_event, "/persistentDisposition", "[]", "/persistentDisposition"}, {object_event, "/persistentDisposition", "{\"set\":[]}", "/persistentDisposition/set"},
          {object_event, "/persistentDisposition", "{\"set\":\"active\"}", "/persistentDisposition/set"}, {object_event, "/persistentDisposition", "{\"unset\":[]}", "/persistentDisposition/unset"},
          {object_event, "/persistentDisposition", "{\"set\":[\"active\",\"active\"]}", "/persistentDisposition/set/1"},
          {object_event, "/persistentDisposition", "{\"set\":[\"gone\"]}", "/persistentDisposition/set/0"}, {object_event, "/persistentDisposition", "{\"set\":[\"active\"],\"x:y\":1}", "/persistentDisposition/x:y"},
          {aggregation, "/persistentDisposition", "{\"set\":[\"active\"]}", NULL}, {association, "/persistentDisposition", "{\"set\":[\"active\"]}", NULL},
          {transaction, "/persistentDisposition", "{\"set\":[\"active\"]}", NULL}, {transformation, "/persistentDisposition", "{\"set\":[\"active\"]}", NULL},
          {aggregation, "/persistentDisposition", "{\"set\":[1]}", "/persistentDisposition/set/0"});
}

static void places_and_references(void **state) {
    (void)state;
    CHECK({object_event, "/readPoint", "{\"id\":\"urn:x-test:1\",\"x:y\":1}", NULL}, {object_event, "/readPoint", "\"urn:x-test:1\"", "/readPoint"},
          {object_event, "/readPoint", "{}", "/readPoint/id"}, {object_event, "/readPoint", "{\"id\":\"no uri\"}", "/readPoint/id"}, {object_event, "/readPoint", "{\"id\":1}", "/readPoint/id"},
          {object_event, "/readPoint", "{\"id\":\"x:y\",\"name\":\"Gate\"}", "/readPoint/name"}, {object_event, "/bizLocation", "{\"x:y\":1}", "/bizLocation/id"},
          {object_event, "/bizLocation", "{\"id\":\"\"}", "/bizLocation/id"}, {object_event, "/bizTransactionList", "[{\"type\":\"po\",\"bizTransaction\":\"x:y\"},{\"bizTransaction\":\"x:y\"}]", NULL},
          {object_event, "/bizTransactionList", "{}", "/bizTransactionList"}, {object_event, "/bizTransactionList", "[1]", "/bizTransactionList/0"}, {object_event, "/bizTransactionList", "[]", NULL},
          {object_event, "/bizTransactionList", "[{\"type\":\"po\"}]", "/bizTransactionList/0/bizTransaction"}, {object_event, "/bizTransactionList", "[{\"bizTransaction\":\"12\"}]", "/bizTransactionList/0/bizTransaction"},
          {object_event, "/bizTransactionList", "[{\"type\":\"order\",\"bizTransaction\":\"x:y\"}]", "/bizTransactionList/0/type"},
          {object_event, "/bizTransactionList", "[{\"type\":\"urn:epcglobal:cbv:btt:po\",\"bizTransaction\":\"x:y\"}]", "/bizTransactionList/0/type"},
          {object_event, "/bizTransactionList", "[{\"bizTransaction\":\"x:y\",\"x:y\":1}]", "/bizTransactionList/0/x:y"},
          {object_event, "/sourceList", "[{\"type\":\"owning_party\",\"source\":\"x:y\"}]", NULL}, {object_event, "/sourceList", "[{\"source\":\"x:y\"}]", "/sourceList/0/type"},
          {object_event, "/sourceList", "[{\"type\":\"location\"}]", "/sourceList/0/source"}, {object_event, "/sourceList", "[{\"type\":\"location\",\"destination\":\"x:y\"}]", "/sourceList/0/destination"},
          {object_event, "/sourceList", "[{\"type\":\"owner\",\"source\":\"x:y\"}]", "/sourceList/0/type"}, {object_event, "/sourceList", "[{\"type\":\"location\",\"source\":\"no uri\"}]", "/sourceList/0/source"},
          {object_event, "/destinationList", "[{\"type\":\"location\",\"destination\":\"x:y\"}]", NULL}, {object_event, "/destinationList", "[{\"destination\":\"x:y\"}]", "/destinationList/0/type"},
          {object_event, "/destinationList", "[{\"type\":\"location\"}]", "/destinationList/0/destination"}, {object_event, "/destinationList", "1", "/destinationList"},
          {object_event, "/destinationList", "[{\"type\":\"location\",\"destination\":\"x:y\",\"name\":1}]", "/destinationList/0/name"});
}

static void epcs_and_quantities(void **state) {
    (void)state;
    CHECK({object_event, "/epcList", "[\"0614141.107346.2017\"]", "/epcList/0"}, {object_event, "/epcList", "\"urn:x-test:1\"", "/epcList"}, {object_event, "/epcList", "[1]", "/epcList/0"},
          {object_event, "/epcList/2", EPC1, "/epcList/2"}, {object_event, "/epcList", "[]", NULL}, {object_event, "/epcList/1", "\"urn:epc:id:sgtin:0614141.107346. 2\"", "/epcList/1"},
          {object_event, "/epcList/0", "\"urn:epc\"", "/epcList/0"}, {object_event, "/epcList/0", "\"https:///01/1\"", "/epcList/0"}, {object_event, "/epcList/0", "\"\"", "/epcList/0"},
          {object_event, "/quantityList", "[{\"epcClass\":\"x:y\"}]", NULL}, {object_event, "/quantityList", "{}", "/quantityList"}, {object_event, "/quantityList", "[\"x:y\"]", "/quantityList/0"},
          {object_event, "/quantityList", "[{\"quantity\":1}]", "/quantityList/0/epcClass"}, {object_event, "/quantityList", "[{\"epcClass\":\"no uri\"}]", "/quantityList/0/epcClass"},
          {object_event, "/quantityList", "[{\"epcClass\":\"x:y\",\"quantity\":\"1\"}]", "/quantityList/0/quantity"}, {object_event, "/quantityList", "[{\"epcClass\":\"x:y\",\"quantity\":-1}]", "/quantityList/0/quantity"},
          {object_event, "/quantityList", "[{\"epcClass\":\"x:y\",\"quantity\":-0.5}]", "/quantityList/0/quantity"}, {object_event, "/quantityList", "[{\"epcClass\":\"x:y\",\"quantity\":0}]", NULL},
          {object_event, "/quantityList", "[{\"epcClass\":\"x:y\",\"quantity\":1.5,\"uom\":\"KGM\"}]", NULL}, {object_event, "/quantityList", "[{\"epcClass\":\"x:y\",\"uom\":\"kg\"}]", "/quantityList/0/uom"},
          {object_event, "/quantityList", "[{\"epcClass\":\"x:y\",\"uom\":\"K\"}]", "/quantityList/0/uom"}, {object_event, "/quantityList", "[{\"epcClass\":\"x:y\",\"uom\":\"KGMS\"}]", "/quantityList/0/uom"},
          {object_event, "/quantityList", "[{\"epcClass\":\"x:y\"},{\"epcClass\":\"x:y\",\"x:y\":1}]", "/quantityList/1/x:y"},
          {transformation, "/inputEPCList/1", EPC1, "/inputEPCList/1"}, {transformation, "/outputEPCList/1", EPC2, "/outputEPCList/1"},
          {transaction, "/epcList/1", EPC1, NULL}, {aggregation, "/childEPCs/1", EPC2, NULL}, {aggregation, "/childEPCs", "[1]", "/childEPCs/0"},
          {aggregation, "/childQuantityList", "[{\"epcClass\":\"x:y\",\"quantity\":-1}]", "/childQuantityList/0/quantity"}, {transformation, "/inputQuantityList", "[{}]", "/inputQuantityList/0/epcClass"},
          {transformation, "/outputQuantityList", "[{}]", "/outputQuantityList/0/epcClass"});
}

static void sensor_data(void **state) {
    (void)state;
#define REPORT "/sensorElementList/0/sensorReport/0"
    static char base[1024];
    snprintf(base, sizeof base, "{\"type\":\"ObjectEvent\",%s,\"action\":\"OBSERVE\",\"epcList\":[],\"sensorElementList\":[%s]}", COMMON, SENSOR);
    CHECK({base, "", NULL, NULL}, {base, "/sensorElementList", "{}", "/sensorElementList"}, {base, "/sensorElementList", "[1]", "/sensorElementList/0"}, {base, "/sensorElementList", "[]", NULL},
          {base, "/sensorElementList/0/sensorReport", NULL, "/sensorElementList/0/sensorReport"}, {base, "/sensorElementList/0/sensorReport", "[]", "/sensorElementList/0/sensorReport"},
          {base, "/sensorElementList/0/sensorReport", "{}", "/sensorElementList/0/sensorReport"}, {base, "/sensorElementList/0/sensorMetadata", NULL, NULL},
          {base, "/sensorElementList/0/sensorMetadata", "[]", "/sensorElementList/0/sensorMetadata"}, {base, "/sensorElementList/0/unknown", "1", "/sensorElementList/0/unknown"},
          {base, "/sensorElementList/0/x:y", "1", NULL}, {base, "/sensorElementList/0/sensorMetadata/time", "\"noon\"", "/sensorElementList/0/sensorMetadata/time"},
          {base, "/sensorElementList/0/sensorMetadata/startTime", "1", "/sensorElementList/0/sensorMetadata/startTime"}, {base, "/sensorElementList/0/sensorMetadata/endTime", "\"\"", "/sensorElementList/0/sensorMetadata/endTime"},
          {base, "/sensorElementList/0/sensorMetadata/deviceID", "\"no uri\"", "/sensorElementList/0/sensorMetadata/deviceID"}, {base, "/sensorElementList/0/sensorMetadata/deviceMetadata", "\"1\"", "/sensorElementList/0/sensorMetadata/deviceMetadata"},
          {base, "/sensorElementList/0/sensorMetadata/rawData", "\"1\"", "/sensorElementList/0/sensorMetadata/rawData"}, {base, "/sensorElementList/0/sensorMetadata/dataProcessingMethod", "\"1\"", "/sensorElementList/0/sensorMetadata/dataProcessingMethod"},
          {base, "/sensorElementList/0/sensorMetadata/bizRules", "\"1\"", "/sensorElementList/0/sensorMetadata/bizRules"}, {base, "/sensorElementList/0/sensorMetadata/value", "1", "/sensorElementList/0/sensorMetadata/value"},
          {base, REPORT "/type", NULL, REPORT "/type"}, {base, REPORT "/type", "\"EffectiveDoseRate\"", REPORT "/type"}, {base, REPORT "/type", "\"gs1:Temperature\"", NULL},
          {base, REPORT "/type", "\"https://gs1.org/voc/Temperature\"", REPORT "/type"}, {base, REPORT "/type", "\"http://www.gs1.org/voc/Temperature\"", REPORT "/type"}, {base, REPORT "/type", "\"https://example.com/m\"", NULL},
          {base, REPORT "/exception", "\"ALARM_CONDITION\"", NULL}, {base, REPORT "/exception", "\"ALARM\"", REPORT "/exception"}, {base, REPORT "/exception", "\"https://gs1.org/voc/ALARM_CONDITION\"", REPORT "/exception"},
          {base, REPORT "/deviceID", "\"1\"", REPORT "/deviceID"}, {base, REPORT "/deviceMetadata", "\"1\"", REPORT "/deviceMetadata"}, {base, REPORT "/rawData", "\"1\"", REPORT "/rawData"},
          {base, REPORT "/dataProcessingMethod", "\"1\"", REPORT "/dataProcessingMethod"}, {base, REPORT "/bizRules", "\"1\"", REPORT "/bizRules"}, {base, REPORT "/bizRules", "\"x:y\"", NULL},
          {base, REPORT "/time", "\"2024-05-31\"", REPORT "/time"}, {base, REPORT "/microorganism", "\"e coli\"", REPORT "/microorganism"}, {base, REPORT "/chemicalSubstance", "\"H2O\"", REPORT "/chemicalSubstance"},
          {base, REPORT "/coordinateReferenceSystem", "\"WGS84\"", REPORT "/coordinateReferenceSystem"}, {base, REPORT "/value", "\"5\"", REPORT "/value"}, {base, REPORT "/value", "-5", NULL},
          {base, REPORT "/component", "\"x\"", NULL}, {base, REPORT "/component", "\"w\"", REPORT "/component"}, {base, REPORT "/component", "\"urn:epcglobal:cbv:comp:x\"", REPORT "/component"},
          {base, REPORT "/stringValue", "5", REPORT "/stringValue"}, {base, REPORT "/booleanValue", "\"true\"", REPORT "/booleanValue"}, {base, REPORT "/booleanValue", "false", NULL},
          {base, REPORT "/hexBinaryValue", "\"0g\"", REPORT "/hexBinaryValue"}, {base, REPORT "/hexBinaryValue", "\"\"", REPORT "/hexBinaryValue"}, {base, REPORT "/hexBinaryValue", "\"F0f\"", NULL},
          {base, REPORT "/uriValue", "\"1\"", REPORT "/uriValue"}, {base, REPORT "/minValue", "\"1\"", REPORT "/minValue"}, {base, REPORT "/maxValue", "null", REPORT "/maxValue"},
          {base, REPORT "/meanValue", "true", REPORT "/meanValue"}, {base, REPORT "/sDev", "[]", REPORT "/sDev"}, {base, REPORT "/percRank", "{}", REPORT "/percRank"}, {base, REPORT "/percValue", "\"\"", REPORT "/percValue"},
          {base, REPORT "/uom", "5", REPORT "/uom"}, {base, REPORT "/uom", "\"any text\"", NULL}, {base, REPORT "/unknown", "1", REPORT "/unknown"}, {base, REPORT "/x:y", "1", NULL});
}

static void rules_of_each_event_type(void **state) {
    (void)state;
    static char observed[1024];
    snprintf(observed, sizeof observed, "{\"type\":\"ObjectEvent\",%s,\"action\":\"OBSERVE\",\"sensorElementList\":[%s],\"readPoint\":{\"id\":\"x:y\"}}", COMMON, SENSOR);
    static const char ungiven[] = "{\"type\":\"AggregationEvent\"," COMMON ",\"action\":\"DELETE\",\"parentID\":" EPC1 "}";
    static const char shared[] = "{\"type\":\"TransformationEvent\"," COMMON ",\"transformationID\":\"x:y\",\"outputQuantityList\":[{\"epcClass\":\"x:y\"}]}";
    CHECK({object_event, "/action", NULL, "/action"}, {object_event, "/action", "\"CREATE\"", "/action"}, {object_event, "/action", "\"add\"", "/action"}, {object_event, "/action", "1", "/action"},
          {object_event, "/epcList", NULL, "/epcList"}, {observed, "", NULL, NULL}, {observed, "/readPoint", NULL, "/readPoint"}, {observed, "/sensorElementList", "[]", "/epcList"}, {observed, "/quantityList", "[]", NULL},
          {object_event, "/ilmd", "{\"x:lot\":\"1\"}", NULL}, {object_event, "/ilmd", "{\"lot\":\"1\"}", "/ilmd/lot"}, {object_event, "/ilmd", "[]", "/ilmd"}, {observed, "/ilmd", "{}", "/ilmd"},
          {object_event, "/parentID", "\"x:y\"", "/parentID"}, {object_event, "/childEPCs", "[]", "/childEPCs"}, {object_event, "/transformationID", "\"x:y\"", "/transformationID"},
          {aggregation, "/action", NULL, "/action"}, {aggregation, "/parentID", NULL, "/parentID"}, {aggregation, "/parentID", "\"no uri\"", "/parentID"}, {ungiven, "", NULL, NULL}, {ungiven, "/parentID", NULL, "/parentID"},
          {ungiven, "/action", "\"OBSERVE\"", "/childEPCs"}, {aggregation, "/childEPCs", NULL, "/childEPCs"}, {aggregation, "/childEPCs", "[]", "/childEPCs"}, {aggregation, "/ilmd", "{}", "/ilmd"},
          {aggregation, "/epcList", "[]", "/epcList"}, {aggregation, "/quantityList", "[]", "/quantityList"}, {association, "/parentID", NULL, "/parentID"}, {association, "/childEPCs", "[]", "/childEPCs"},
          {association, "/action", NULL, "/action"}, {association, "/epcList", "[]", "/epcList"},
          {transaction, "/action", NULL, "/action"}, {transaction, "/bizTransactionList", NULL, "/bizTransactionList"}, {transaction, "/bizTransactionList", "[]", "/bizTransactionList"}, {transaction, "/epcList", NULL, "/epcList"},
          {transaction, "/epcList", "[]", NULL}, {transaction, "/parentID", "\"x:y\"", NULL}, {transaction, "/parentID", "\"no uri\"", "/parentID"}, {transaction, "/childEPCs", "[]", "/childEPCs"}, {transaction, "/ilmd", "{}", "/ilmd"},
          {transformation, "/inputEPCList", NULL, "/inputEPCList"}, {transformation, "/outputEPCList", "[]", "/outputEPCList"}, {transformation, "/action", "\"ADD\"", "/action"}, {transformation, "/ilmd", "{\"x:y\":1}", NULL},
          {transformation, "/epcList", "[]", "/epcList"}, {shared, "", NULL, NULL}, {shared, "/outputQuantityList", "[]", "/inputEPCList"}, {shared, "/transformationID", NULL, "/inputEPCList"}, {shared, "/transformationID", "\"1\"", "/transformationID"});

    // An observed aggregation may be without its parent, an association may not.
    CHECK({"{\"type\":\"AggregationEvent\"," COMMON ",\"action\":\"OBSERVE\",\"childEPCs\":[" EPC1 "]}", "", NULL, NULL},
          {"{\"type\":\"AssociationEvent\"," COMMON ",\"action\":\"OBSERVE\",\"childEPCs\":[" EPC1 "]}", "", NULL, "/parentID"},
          {"{\"type\":\"TransactionEvent\"," COMMON ",\"action\":\"DELETE\",\"bizTransactionList\":[{\"bizTransaction\":\"x:y\"}]}", "", NULL, NULL});
}

static void the_first_error_is_the_one_reported(void **state) {
    (void)state;
    CHECK({"{\"type\":\"ObjectEvent\",\"epcList\":[1],\"bizStep\":\"oops\"}", "", NULL, "/epcList/0"}, {"{\"bizStep\":\"oops\",\"type\":\"ObjectEvent\",\"epcList\":[1]}", "", NULL, "/bizStep"},
          {"{\"type\":\"ObjectEvent\",\"epcList\":[]}", "", NULL, "/eventTime"}, {"[{\"@context\":{}," "\"type\":\"ObjectEvent\"}]", "", NULL, "/0/eventTime"},
          {"[" "{\"type\":\"ObjectEvent\",\"eventTime\":\"2024-05-31T08:15:30Z\",\"eventTimeZoneOffset\":\"+08:00\",\"action\":\"ADD\",\"epcList\":[]}" "]", "", NULL, "/0/@context"},
          {"5", "", NULL, ""}, {"[5]", "", NULL, "/0"}, {"{}", "", NULL, "/type"});
}

static void refuse_text(const char *text, size_t len, enum pt_code expected) {
    struct pt_arena arena = {0};
    struct epcis_document out;
    struct pt_error err = {0};
    assert_int_equal(epcis_json_decode(pt_bytes_of(text, len), MOST, EPCIS_FOR_CAPTURE, &arena, &out, &err), expected);
    assert_true(err.position >= 0);
    pt_arena_free(&arena);
}

static void what_is_not_strict_json_is_refused(void **state) {
    (void)state;
    const char *bad[] = {
        "{\"type\":\"ObjectEvent\",\"type\":\"ObjectEvent\"}", "{\"x:y\":\"\\ud800\"}", "{\"x:y\":\"\xff\"}", "{\"x:y\":\"\xed\xa0\x80\"}", "{\"x:y\":NaN}",
        "{\"x:y\":Infinity}", "{\"x:y\":1e999}", "{} {}", "{}x", "{\"x:y\":01}", "{'x':1}", "{\"x:y\":1,}", "", "{\"x:y\":\"\\u0000\"}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) refuse_text(bad[i], strlen(bad[i]), PT_INVALID);
    char deep[4096] = {0};
    memset(deep, '[', 1001);
    memset(deep + 1001, ']', 1001);
    refuse_text(deep, 2002, PT_LIMIT);
}

static struct epcis_event good_struct(void) {
    static const char *epcs[] = {"urn:epc:id:sgtin:0614141.107346.2017"};
    return (struct epcis_event){.type = EPCIS_OBJECT, .has_event_time = true, .has_event_time_zone_offset = true, .action = EPCIS_ADD,
                                .epcs = {epcs, 1}};
}

static void refuse_struct(const struct epcis_event *event, const char *where) {
    struct pt_error err = {0};
    assert_int_equal(epcis_event_validate(event, &err), PT_INVALID);
    assert_string_equal(err.where, where);
}

static void structs_are_held_to_the_same_rules(void **state) {
    (void)state;
    struct epcis_event event = good_struct();
    assert_int_equal(epcis_event_validate(&event, NULL), PT_OK);
    event.biz_step = "transforming";
    refuse_struct(&event, "/bizStep");
    event = good_struct();
    event.parent_id = "x:y";
    refuse_struct(&event, "/parentID");
    event = good_struct();
    event.type = EPCIS_EVENT_NONE;
    refuse_struct(&event, "/type");
    event = good_struct();
    event.action = (enum epcis_action)9;
    refuse_struct(&event, "/action");
    event = good_struct();
    event.event_time_zone_offset = 900;
    refuse_struct(&event, "/eventTimeZoneOffset");
    event = good_struct();
    event.event_time.nanos = 1000000000;
    refuse_struct(&event, "/eventTime");
    struct epcis_quantity quantity = {.epc_class = "x:y", .quantity = {.present = true, .real = -1}};
    event = good_struct();
    event.quantities = (struct epcis_quantities){&quantity, 1};
    refuse_struct(&event, "/quantityList/0/quantity");
    quantity = (struct epcis_quantity){.quantity = {.present = true, .is_integer = true, .integer = 1}};
    refuse_struct(&event, "/quantityList/0/epcClass");
    quantity = (struct epcis_quantity){.epc_class = "x:y", .quantity = {.present = true, .real = (double)INFINITY}};
    refuse_struct(&event, "/quantityList/0/quantity");
    struct epcis_member member = {.local = "bare"};
    event = good_struct();
    event.extensions = (struct epcis_members){&member, 1};
    refuse_struct(&event, "/bare");
    member.ns = "https://x.example/";
    assert_int_equal(epcis_event_validate(&event, NULL), PT_OK);
    const char *twice[] = {"x:2", "x:1", "x:2", "x:1"};
    event = good_struct();
    event.epcs = (struct epcis_texts){twice, 4};
    refuse_struct(&event, "/epcList/2");
    event.type = EPCIS_TRANSFORMATION;
    refuse_struct(&event, "/epcList");
    event = good_struct();
    event.type = EPCIS_AGGREGATION;
    refuse_struct(&event, "/parentID");
    struct epcis_sensor_element element = {0};
    event = good_struct();
    event.sensor_elements = &element;
    event.sensor_element_count = 1;
    refuse_struct(&event, "/sensorElementList/0/sensorReport");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bases_are_good),
        cmocka_unit_test(heads_of_documents),
        cmocka_unit_test(master_data),
        cmocka_unit_test(query_documents),
        cmocka_unit_test(fields_of_all_events),
        cmocka_unit_test(vocabulary_words),
        cmocka_unit_test(places_and_references),
        cmocka_unit_test(epcs_and_quantities),
        cmocka_unit_test(sensor_data),
        cmocka_unit_test(rules_of_each_event_type),
        cmocka_unit_test(the_first_error_is_the_one_reported),
        cmocka_unit_test(what_is_not_strict_json_is_refused),
        cmocka_unit_test(structs_are_held_to_the_same_rules),
    };
    return cmocka_run_group_tests_name("epcis validate", tests, NULL, NULL);
}
