// From an event to the documents: what stands in them, what is waited for, what can never be.
#include "gateway/settlement/derive.h"

#include <stdio.h>
#include <string.h>

#include "gateway/settlement/template.h"
#include "gateway/settlement/trace_xml.h"
#include "tests/unit/gateway/settlement_fixture.h"

struct knowledge {
    bool product;
    const char *sale;  // JSON, NULL: not here
    json_t *parsed;
    const char *lot, *expiry;
};

static const struct master_product *know_product(void *ctx, const char *identifier, pt_millis at) {
    const struct knowledge *knowledge = ctx;
    assert_true(at > 0);
    const bool ours = strcmp(identifier, "09506000134352") == 0 || strncmp(identifier, "812345", 6) == 0;
    return knowledge->product && ours ? fixture_product() : NULL;
}

static const json_t *know_sale(void *ctx, const char *token) {
    struct knowledge *knowledge = ctx;
    assert_string_equal(token, "T 1");
    if (knowledge->sale && !knowledge->parsed) knowledge->parsed = json_loads(knowledge->sale, 0, NULL);
    return knowledge->parsed;
}

static bool know_pack(void *ctx, const char *uri, const char **lot, const char **expiry) {
    const struct knowledge *knowledge = ctx;
    assert_non_null(uri);
    *lot = knowledge->lot;
    *expiry = knowledge->expiry;
    return knowledge->lot != NULL;
}

struct derived {
    enum pt_code code;
    struct pt_error err;
    struct lacks lacks;
    struct pt_buf text;
    json_t *json;  // of the document
};

static void derived_free(struct derived *derived) {
    pt_buf_free(&derived->text);
    json_decref(derived->json);
}

static struct derived derive_with(const struct mapping *mapping, const char *epcs, const char *inner, enum platform platform, const char *kind,
                                  struct knowledge knowledge) {
    struct derived out = {.text = PT_BUF_INIT(DOCUMENT_MAX)};
    struct pt_arena arena = {0};
    const struct epcis_event *event = fixture_event(&arena, epcs, inner);
    struct derive_request request = {.platform = platform, .kind = kind, .serial = "PT0001", .original = "PT0000", .statement = "ab"};
    out.code = cn_document_of_event(event, &arena, &request.document, &out.err);
    const struct fact_lookup lookup = {know_product, know_sale, know_pack, &knowledge};
    struct facts facts;
    if (out.code == PT_OK) out.code = derive_facts(mapping, event, &request, &lookup, &arena, &facts, &out.err);
    if (out.code == PT_OK) out.code = derive_document(mapping, &request, &facts, &out.text, &out.lacks, &out.err);
    if (out.code == PT_OK && platform == PLATFORM_INSURER) assert_ok(pt_json_parse(pt_buf_bytes(&out.text), DOCUMENT_MAX, &out.json, &out.err), &out.err);
    if (out.code == PT_OK && platform == PLATFORM_TRACE) assert_ok(trace_xml_read(pt_buf_bytes(&out.text), &out.json, &out.err), &out.err);
    json_decref(knowledge.parsed);
    pt_arena_free(&arena);
    return out;
}

static struct derived derive(const char *epcs, const char *inner, enum platform platform, const char *kind, struct knowledge knowledge) {
    struct mapping mapping;
    fixture_mapping(&mapping);
    const struct derived out = derive_with(&mapping, epcs, inner, platform, kind, knowledge);
    mapping_free(&mapping);
    return out;
}

static const json_t *at(const json_t *node, const char *path) {
    char names[256], *rest = names, *name;
    snprintf(names, sizeof names, "%s", path);
    while (node && (name = strsep(&rest, " ")))
        node = json_is_array(node) ? json_array_get(node, (size_t)strtoul(name, NULL, 10)) : json_object_get(node, name);
    return node;
}

static void check_text(const struct derived *derived, const char *path, const char *text) {
    const json_t *found = at(derived->json, path);
    if (!text) assert_null(found);
    else {
        if (!json_is_string(found)) print_error("%s in %s\n", path, (const char *)derived->text.data);
        assert_true(json_is_string(found));
        assert_string_equal(json_string_value(found), text);
    }
}

#define SALE                                                                                                                   \
    "{\"fields\":{\"mdtrt_sn\":\"M1\",\"rtal_docno\":\"R1\"},\"lines\":[{\"product\":\"8123456\",\"feedetl_sn\":\"F1\",\"manu_lotnum\":\"L1\"," \
    "\"expy_end\":\"2028-12-31\"}]}"

static void a_sale_becomes_lines(void **state) {
    (void)state;
    struct derived d = derive("\"" TRACE_URI "\",\"urn:packtrail:cn:trace:81234560000000024321\",\"urn:packtrail:cn:trace:81234570000000034321\"", SOLD("T%201"),
                              PLATFORM_INSURER, "3505", (struct knowledge){true, SALE, NULL, NULL, NULL});
    assert_ok(d.code, &d.err);
    check_text(&d, "infno", "3505");
    check_text(&d, "msgid", "PT0001");
    check_text(&d, "inf_time", "2026-06-01 10:20:30");
    assert_int_equal(json_array_size(at(d.json, "input selinfo")), 1);  // small and middle packs of one product are one line
    check_text(&d, "input selinfo 0 med_list_codg", "XJ01CAA040E001");
    check_text(&d, "input selinfo 0 mdtrt_sn", "M1");
    check_text(&d, "input selinfo 0 rx_flag", "1");
    check_text(&d, "input selinfo 0 trdn_flag", "0");
    check_text(&d, "input selinfo 0 manu_date", NULL);  // optional, and nobody said it
    assert_int_equal(json_integer_value(at(d.json, "input selinfo 0 sel_retn_cnt")), 24 + 24 + 240);
    assert_int_equal(json_array_size(at(d.json, "input selinfo 0 drugtracinfo")), 3);
    check_text(&d, "input selinfo 0 drugtracinfo 0 drug_trac_codg", TRACE_CODE);
    derived_free(&d);
}

static void every_interface_can_be_written(void **state) {
    (void)state;
    static const char *const interfaces[] = {"2207", "3501", "3503", "3505", "3505A", "3506", "3507"};
    for (size_t i = 0; i < sizeof interfaces / sizeof *interfaces; i++) {
        struct derived d = derive("\"" TRACE_URI "\"", SOLD("T%201") ",\"packtrail:units\":5", PLATFORM_INSURER, interfaces[i],
                                  (struct knowledge){true, SALE, NULL, "L2", "2028-11-30"});
        assert_ok(d.code, &d.err);
        check_text(&d, "infno", interfaces[i]);
        if (i == 0 || i == 4) {
            check_text(&d, "input drug_trac_info 0 feedetl_sn", "F1");
            check_text(&d, "input drug_trac_info 0 drug_trac_codg", TRACE_CODE);
            check_text(&d, "input drug_trac_info 0 trdn_flag", "1");
            check_text(&d, "input drug_trac_info 0 min_prcunt_type", "粒");
        }
        if (i == 1) assert_int_equal(json_integer_value(at(d.json, "input invinfo 0 inv_cnt")), 5);
        if (i == 5) check_text(&d, "input selinfo 0 fixmedins_bchno", "PT0000");
        if (i == 6) check_text(&d, "input data fixmedins_bchno", "PT0000");
        derived_free(&d);
    }
}

static void a_sale_becomes_xml(void **state) {
    (void)state;
    struct derived d = derive("\"" TRACE_URI "\",\"" SGTIN_URI "\"", SOLD("T%201"), PLATFORM_TRACE, "209",
                              (struct knowledge){true, "{\"lines\":[{\"codes\":[\"" TRACE_CODE "\"],\"manu_lotnum\":\"<L&\\\"1>'\"}]}", NULL, NULL, NULL});
    assert_ok(d.code, &d.err);
    check_text(&d, "document SN", "PT0001");
    check_text(&d, "document Version", "3.0");
    check_text(&d, "event Name", "SupplyWareHouseOut");
    check_text(&d, "event MainAction", "WareHouseOut");
    assert_int_equal(json_array_size(at(d.json, "data")), 1);  // the platform takes no GS1 codes
    check_text(&d, "data 0 Code", TRACE_CODE);
    check_text(&d, "data 0 ActDate", "2026-06-01 10:20:30");
    check_text(&d, "data 0 CorpOrderID", "PT0001");
    check_text(&d, "data 0 CorpProductID", "8123456");
    check_text(&d, "data 0 CorpBatchNo", "<L&\"1>'");
    check_text(&d, "data 0 ProduceDate", NULL);
    derived_free(&d);
    // The company's own number of a delivery.
    d = derive("\"" TRACE_URI "\"",
               ",\"bizStep\":\"receiving\",\"bizTransactionList\":[{\"type\":\"urn:packtrail:btt:cn-document\",\"bizTransaction\":\"urn:packtrail:cn:document:107:GH-1\"}]",
               PLATFORM_TRACE, "107", (struct knowledge){0});
    assert_ok(d.code, &d.err);
    check_text(&d, "data 0 CorpOrderID", "GH-1");
    derived_free(&d);
}

static void check_waits(struct derived d, const char *keys) {
    assert_int_equal(d.code, PT_UNAVAILABLE);
    assert_string_equal(d.lacks.keys, keys);
    derived_free(&d);
}

static void what_is_missing_is_named(void **state) {
    (void)state;
    const char *pack = "\"" TRACE_URI "\"";
    check_waits(derive(pack, SOLD("T%201"), PLATFORM_INSURER, "3505", (struct knowledge){false, SALE, NULL, NULL, NULL}), "product/8123456");
    check_waits(derive(pack, SOLD("T%201"), PLATFORM_INSURER, "3505", (struct knowledge){true, NULL, NULL, NULL, NULL}), "sale/T 1");
    check_waits(derive(pack, SOLD("T%201"), PLATFORM_INSURER, "3505", (struct knowledge){true, "{\"fields\":{\"mdtrt_sn\":\"M\"}}", NULL, NULL, NULL}),
                "sale/T 1\npack/" TRACE_URI);
    check_waits(derive(pack, SOLD("T%201"), PLATFORM_INSURER, "2207", (struct knowledge){true, "{\"fields\":{\"mdtrt_sn\":\"M\"}}", NULL, "L", "E"}), "sale/T 1");
}

static void what_can_never_be_is_said(void **state) {
    (void)state;
    // No sale is named: no record will ever tell the encounter.
    struct derived d = derive("\"" TRACE_URI "\"", DISPENSED, PLATFORM_INSURER, "3505", (struct knowledge){true, NULL, NULL, "L", "E"});
    assert_int_equal(d.code, PT_INVALID);
    assert_non_null(strstr(d.err.what, "sale.mdtrt_sn"));
    derived_free(&d);
    // A pallet bears no code of these platforms.
    for (int p = 0; p < 2; p++) {
        d = derive("\"https://id.gs1.org/00/095060000000000015\"", DISPENSED, (enum platform)p, p ? "3505" : "209", (struct knowledge){0});
        assert_int_equal(d.code, PT_NOT_FOUND);
        derived_free(&d);
    }
    static const char *const units[] = {"0", "-1", "1.5", "\"6\"", "true"};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        char inner[256];
        snprintf(inner, sizeof inner, DISPENSED ",\"packtrail:units\":%s", units[i]);
        d = derive("\"" TRACE_URI "\"", inner, PLATFORM_TRACE, "209", (struct knowledge){0});
        assert_int_equal(d.code, PT_INVALID);
        derived_free(&d);
    }
    // A character that XML cannot bear.
    d = derive("\"" TRACE_URI "\"", SOLD("T%201"), PLATFORM_TRACE, "209",
               (struct knowledge){true, "{\"lines\":[{\"product\":\"8123456\",\"manu_lotnum\":\"a\\u0001\"}]}", NULL, NULL, NULL});
    assert_int_equal(d.code, PT_INVALID);
    derived_free(&d);
}

static void no_code_no_settlement(void **state) {
    (void)state;
    const char *inner = SOLD("T%201") ",\"quantityList\":[{\"epcClass\":\"https://id.gs1.org/01/09506000134352\",\"quantity\":3}]";
    struct mapping mapping;
    fixture_mapping(&mapping);
    const struct knowledge knowledge = {true, "{\"fields\":{\"mdtrt_sn\":\"M\",\"rtal_docno\":\"R\"},\"lines\":[{\"product\":\"09506000134352\",\"manu_lotnum\":\"L\",\"expy_end\":\"E\"}]}", NULL, NULL, NULL};
    struct derived d = derive_with(&mapping, "", inner, PLATFORM_INSURER, "3505", knowledge);
    assert_int_equal(d.code, PT_INVALID);
    assert_non_null(strstr(d.err.what, "no code, no settlement"));
    derived_free(&d);
    json_object_set_new(mapping.root, "uncoded", json_pack("[s]", "XJ01CAA040E001"));
    mapping.uncoded = json_object_get(mapping.root, "uncoded");
    d = derive_with(&mapping, "", inner, PLATFORM_INSURER, "3505", knowledge);
    assert_ok(d.code, &d.err);
    assert_int_equal(json_integer_value(at(d.json, "input selinfo 0 sel_retn_cnt")), 3);
    assert_int_equal(json_array_size(at(d.json, "input selinfo 0 drugtracinfo")), 0);
    derived_free(&d);
    d = derive_with(&mapping, "", inner, PLATFORM_INSURER, "3505", (struct knowledge){false, knowledge.sale, NULL, NULL, NULL});
    check_waits(d, "product/09506000134352");
    mapping_free(&mapping);
}

static void the_same_knowledge_gives_the_same_bytes(void **state) {
    (void)state;
    for (int p = 0; p < 2; p++) {
        struct derived a = derive("\"" TRACE_URI "\"", SOLD("T%201"), (enum platform)p, p ? "3505" : "209", (struct knowledge){true, SALE, NULL, NULL, NULL});
        struct derived b = derive("\"" TRACE_URI "\"", SOLD("T%201"), (enum platform)p, p ? "3505" : "209", (struct knowledge){true, SALE, NULL, NULL, NULL});
        assert_true(a.text.len > 0 && pt_bytes_equal(pt_buf_bytes(&a.text), pt_buf_bytes(&b.text)));
        derived_free(&a);
        derived_free(&b);
    }
}

static void xml_is_read_strictly(void **state) {
    (void)state;
    static const char *const bad[] = {
        "", "x", "<Document/>", "<Document><Events/></Document>", "<document><Events><Event><DataField><Data/></DataField></Event></Events></document>",
        "<Document><Events><Event><DataField></DataField></Event></Events></Document>",
        "<Document><Events><Event><DataField><Data/></DataField></Event><Event><DataField><Data/></DataField></Event></Events></Document>",
        "<Document><Events><Event><DataField><Data>x</Data></DataField></Event></Events></Document>",
        "<Document>text<Events><Event><DataField><Data/></DataField></Event></Events></Document>",
        "<Document xmlns=\"urn:x\"><Events><Event><DataField><Data/></DataField></Event></Events></Document>",
        "<!DOCTYPE Document [<!ENTITY e \"v\">]><Document SN=\"&e;\"><Events><Event><DataField><Data/></DataField></Event></Events></Document>",
        "<Document><Events><Event><DataField><Data/><Other/></DataField></Event></Events></Document>",
    };
    json_t *out;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(trace_xml_read(pt_bytes_str(bad[i]), &out, NULL), PT_INVALID);
        assert_null(out);
    }
    struct pt_error err = {0};
    assert_ok(trace_xml_read(pt_bytes_str("<?xml version=\"1.0\"?>\n<Document SN=\"1\">\n <Events><!-- c --><Event Name=\"n\"><DataField>\n"
                                          "<Data Code=\"&#x4e2d;&lt;\"/></DataField></Event></Events></Document>"),
                             &out, &err), &err);
    assert_string_equal(json_string_value(at(out, "data 0 Code")), "中<");
    json_decref(out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sale_becomes_lines),       cmocka_unit_test(every_interface_can_be_written),
        cmocka_unit_test(a_sale_becomes_xml),         cmocka_unit_test(what_is_missing_is_named),
        cmocka_unit_test(what_can_never_be_is_said),  cmocka_unit_test(no_code_no_settlement),
        cmocka_unit_test(the_same_knowledge_gives_the_same_bytes), cmocka_unit_test(xml_is_read_strictly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
