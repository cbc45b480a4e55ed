// EPC URNs, tag URIs and memory, both ways.
#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/base/text.h"
#include "common/identify/epc_binary.h"
#include "common/identify/epc_urn.h"
#include "common/identify/gs1_digital_link.h"
#include "tests/support/support.h"

static void check_urn(const char *urn, unsigned prefix_length, enum epc_level expected_level) {
    struct gs1_elements elements;
    enum epc_level level;
    unsigned prefix;
    struct pt_error err = {0};
    assert_ok(epc_urn_parse(pt_bytes_str(urn), GS1_CONTENT, &elements, &level, &prefix, &err), &err);
    assert_int_equal(level, expected_level);
    assert_int_equal(prefix, prefix_length);
    struct pt_buf out = PT_BUF_INIT(300);
    assert_ok(epc_urn_compose(&elements, prefix_length, &out, &err), &err);
    assert_string_equal(pt_buf_cstr(&out), urn);

    // Over the Digital Link and back it is still the same.
    pt_buf_clear(&out);
    assert_ok(gs1_digital_link_compose(&elements, &out, &err), &err);
    struct gs1_elements linked;
    assert_ok(gs1_digital_link_parse(pt_buf_bytes(&out), GS1_CONTENT, &linked, NULL, &err), &err);
    pt_buf_clear(&out);
    assert_ok(epc_urn_compose(&linked, prefix_length, &out, &err), &err);
    assert_string_equal(pt_buf_cstr(&out), urn);
    pt_buf_free(&out);
}

static void every_scheme_goes_both_ways(void **state) {
    (void)state;
    const char *instances[] = {
        "urn:epc:id:sgtin:0614141.812345.67%2F%26%25%22!%3F()",
        "urn:epc:id:sscc:4012345.1112223334",
        "urn:epc:id:sgln:4012345.00005.122",
        "urn:epc:id:sgln:4012345.00005.0",
        "urn:epc:id:grai:4012345.00022.334455",
        "urn:epc:id:giai:4012345.ABC.345",
        "urn:epc:id:gsrn:4012345.0000006765",
        "urn:epc:id:gsrnp:4012345.0000000007",
        "urn:epc:id:gdti:4012345.00009.PO-4711",
        "urn:epc:id:cpi:0614141.123ABC-%23%2F.1234",
        "urn:epc:id:sgcn:4012345.99999.44",
        "urn:epc:id:ginc:0614141.xyz47%2F11",
        "urn:epc:id:gsin:4012345.222333444",
        "urn:epc:id:itip:4012345.011111.01.02.987",
        "urn:epc:id:upui:1234567.098765.51qIgY)%3C%26Jp3*j7SDB",
        "urn:epc:id:pgln:4000001.00000",
    };
    for (size_t i = 0; i < sizeof instances / sizeof *instances; i++) check_urn(instances[i], 7, EPC_INSTANCE);
    const char *classes[] = {
        "urn:epc:class:lgtin:4012345.012345.Lot987", "urn:epc:idpat:sgtin:4012345.012345.*",
        "urn:epc:idpat:grai:4012345.99999.*",        "urn:epc:idpat:gdti:4012345.11111.*",
        "urn:epc:idpat:sgcn:4012345.22222.*",        "urn:epc:idpat:cpi:4012345.AB12.*",
        "urn:epc:idpat:itip:4012345.012345.01.02.*",
    };
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) check_urn(classes[i], 7, EPC_CLASS);
    check_urn("urn:epc:id:sgtin:415056789012.0.987654", 12, EPC_INSTANCE);
    check_urn("urn:epc:id:sgtin:415056.0789012.987654", 6, EPC_INSTANCE);
    check_urn("urn:epc:id:gdti:987659999999..9", 12, EPC_INSTANCE);
    check_urn("urn:epc:id:pgln:999999999999.", 12, EPC_INSTANCE);
}

static void a_urn_is_not_composed_without_its_prefix(void **state) {
    (void)state;
    struct gs1_elements elements = {0};
    struct pt_buf out = PT_BUF_INIT(300);
    assert_int_equal(gs1_elements_add(&elements, pt_bytes_str("8004"), pt_bytes_str("40123AB"), 0, GS1_CONTENT, NULL),
                     PT_OK);
    assert_int_equal(epc_urn_compose(&elements, 5, &out, NULL), PT_INVALID);
    assert_int_equal(epc_urn_compose(&elements, 13, &out, NULL), PT_INVALID);
    assert_int_equal(epc_urn_compose(&elements, 6, &out, NULL), PT_INVALID);
    elements = (struct gs1_elements){0};
    assert_int_equal(epc_urn_compose(&elements, 7, &out, NULL), PT_NOT_FOUND);
    pt_buf_free(&out);
}

static void urn_errors_point_into_the_urn(void **state) {
    (void)state;
    static const struct {
        const char *urn;
        long position;
    } cases[] = {
        {"urn:epc:id:sgtin:4012345.01111a.987", 25},
        {"urn:epc:id:sgtin:40123456.011111.987", 26},
        {"urn:epc:id:sgtin:4012345.011111.9 7", 33},
        {"urn:epc:id:sgtin:4012345.011111.9<7", 33},
        {"urn:epc:id:sgtin:4012345.011111.%4", 32},
        {"urn:epc:id:sgtin:4012345.011111.123456789012345678901", 52},
        {"urn:epc:id:itip:4012345.011111.1.02.987", 31},
        {"urn:epc:foo:sgtin:1.2.3", 8},
        {"urn:epc:id:nope:1.2.3", 11},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct gs1_elements elements;
        struct pt_error err = {.position = -9};
        assert_int_not_equal(epc_urn_parse(pt_bytes_str(cases[i].urn), GS1_CONTENT, &elements, NULL, NULL, &err),
                             PT_OK);
        if (err.position != cases[i].position) fail_msg("%s: %ld (%s)", cases[i].urn, err.position, err.what);
    }
}

static void check_memory(const char *hex, const char *tag_uri) {
    struct pt_buf bytes = PT_BUF_INIT(100);
    struct pt_buf text = PT_BUF_INIT(300);
    struct pt_error err = {0};
    struct epc_tag tag;
    assert_ok(pt_hex_decode(pt_bytes_str(hex), &bytes, &err), &err);
    assert_ok(epc_binary_decode(pt_buf_bytes(&bytes), &tag, &err), &err);
    assert_ok(epc_tag_uri_append(&tag, &text, &err), &err);
    assert_string_equal(pt_buf_cstr(&text), tag_uri);
    struct epc_tag from_uri;
    assert_ok(epc_tag_uri_parse(pt_bytes_str(tag_uri), &from_uri, &err), &err);
    struct pt_buf again = PT_BUF_INIT(100);
    assert_ok(epc_binary_encode(&from_uri, &again, &err), &err);
    assert_memory_equal(again.data, bytes.data, bytes.len);
    pt_buf_free(&bytes);
    pt_buf_free(&text);
    pt_buf_free(&again);
}

static void tag_memory_and_tag_uris_agree(void **state) {
    (void)state;
    check_memory("3074257bf7194e4000001a85", "urn:epc:tag:sgtin-96:3.0614141.812345.6789");
    check_memory("30340242201d8840009efdf7", "urn:epc:tag:sgtin-96:1.0037000.030241.10419703");
    check_memory("3174257bf4499602d2000000", "urn:epc:tag:sscc-96:3.0614141.1234567890");
    check_memory("3674257bf7194e59b2c2bf100000000000000000000000000000",
                 "urn:epc:tag:sgtin-198:3.0614141.812345.32a%2Fb");
}

static void a_serial_may_bear_the_urns_own_marks(void **state) {
    (void)state;
    struct epc_tag tag;
    struct pt_error err = {0};
    struct pt_buf out = PT_BUF_INIT(300);
    const char *uri = "urn:epc:tag:sgtin-198:3.0614141.812200.a:b.c:d";
    assert_ok(epc_tag_uri_parse(pt_bytes_str(uri), &tag, &err), &err);
    assert_ok(epc_tag_uri_append(&tag, &out, &err), &err);
    assert_string_equal(pt_buf_cstr(&out), uri);
    pt_buf_free(&out);
}

static void every_partition_goes_both_ways(void **state) {
    (void)state;
    for (unsigned prefix = 6; prefix <= 12; prefix++) {
        for (int kind = 0; kind < 3; kind++) {
            static const enum epc_binary_scheme schemes[] = {EPC_SGTIN_96, EPC_SGTIN_198, EPC_SSCC_96};
            struct epc_tag tag = {.scheme = schemes[kind], .filter = (uint8_t)(prefix % 8), .prefix_length = prefix};
            struct pt_error err = {0};
            const bool sscc = schemes[kind] == EPC_SSCC_96;
            assert_ok(gs1_elements_add(&tag.elements, pt_bytes_str(sscc ? "00" : "01"),
                                       pt_bytes_str(sscc ? "999999999999999995" : "99999999999997"), 0, GS1_CONTENT,
                                       &err),
                      &err);
            const char *serial = schemes[kind] == EPC_SGTIN_96 ? "274877906943" : "0aZ/%\"!z_987654321xy";
            if (!sscc)
                assert_ok(
                    gs1_elements_add(&tag.elements, pt_bytes_str("21"), pt_bytes_str(serial), 0, GS1_CONTENT, &err),
                    &err);
            struct pt_buf bytes = PT_BUF_INIT(100);
            assert_ok(epc_binary_encode(&tag, &bytes, &err), &err);
            struct epc_tag again;
            assert_ok(epc_binary_decode(pt_buf_bytes(&bytes), &again, &err), &err);
            assert_int_equal(again.prefix_length, prefix);
            assert_int_equal(again.filter, tag.filter);
            assert_int_equal(again.elements.count, tag.elements.count);
            for (size_t i = 0; i < tag.elements.count; i++)
                assert_string_equal(again.elements.items[i].value, tag.elements.items[i].value);
            pt_buf_free(&bytes);
        }
    }
}

static void broken_memory_is_refused(void **state) {
    (void)state;
    const char *bad[] = {
        "",
        "3074257bf7194e4000001a",                                 // short
        "3574257bf7194e4000001a85",                               // another scheme
        "307c257bf7194e4000001a85",                               // partition 7
        "3063ffffffffc00000000001",                               // prefix above twelve nines
        "3174257bf4499602d2000001",                               // reserved bits
        "3674257bf7194e4000000000000000000000000000000000000000", // length
        "3674257bf7194e400000000000000000000000000000000000",     // empty serial
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct pt_buf bytes = PT_BUF_INIT(100);
        assert_int_equal(pt_hex_decode(pt_bytes_str(bad[i]), &bytes, NULL), PT_OK);
        struct epc_tag tag;
        if (epc_binary_decode(pt_buf_bytes(&bytes), &tag, NULL) != PT_INVALID) fail_msg("accepted: %s", bad[i]);
        pt_buf_free(&bytes);
    }
    struct pt_buf foreign = PT_BUF_INIT(100); // an '@' as the serial number's last character
    struct pt_error err = {0};
    struct epc_tag at_sign;
    assert_int_equal(pt_hex_decode(pt_bytes_str("3686da8408e6d592c2bf59b22a5992c2bf592e2a2a59b28500"), &foreign, NULL),
                     PT_OK);
    assert_int_equal(epc_binary_decode(pt_buf_bytes(&foreign), &at_sign, &err), PT_INVALID);
    assert_in_range(err.position, 7, 24);
    pt_buf_free(&foreign);
    const char *uris[] = {
        "urn:epc:tag:sgtin-96:8.0614141.812345.6789",
        "urn:epc:tag:sgtin-96:3.0614141.812345.06789",
        "urn:epc:tag:sgtin-96:3.0614141.812345.274877906944",
        "urn:epc:tag:sgtin-96:3.0614141.812345.AB",
        "urn:epc:tag:sgln-96:3.0614141.12345.400",
        "urn:epc:tag:sgtin-96:3",
        "urn:epc:tag:",
    };
    for (size_t i = 0; i < sizeof uris / sizeof *uris; i++) {
        struct epc_tag tag;
        if (epc_tag_uri_parse(pt_bytes_str(uris[i]), &tag, NULL) != PT_INVALID) fail_msg("accepted: %s", uris[i]);
    }
}

static void the_public_values_are_read(void **state) {
    (void)state;
    PT_CLEANUP(pt_buf_free) struct pt_buf file = test_read_file(test_data("facts/sgtin96.json"));
    PT_JSON json_t *list = NULL;
    struct pt_error err = {0};
    assert_ok(pt_json_parse(pt_buf_bytes(&file), 100000, &list, &err), &err);
    assert_true(json_array_size(list) > 0);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        struct pt_buf bytes = PT_BUF_INIT(100);
        struct epc_tag tag;
        assert_ok(pt_hex_decode(pt_bytes_str(json_string_value(json_object_get(item, "hex"))), &bytes, &err), &err);
        assert_ok(epc_binary_decode(pt_buf_bytes(&bytes), &tag, &err), &err);
        pt_buf_free(&bytes);
        const char *uri = json_string_value(json_object_get(item, "epc_tag_uri"));
        const char *gtin = json_string_value(json_object_get(item, "gtin"));
        if (uri) {
            struct pt_buf text = PT_BUF_INIT(300);
            assert_ok(epc_tag_uri_append(&tag, &text, &err), &err);
            assert_string_equal(pt_buf_cstr(&text), uri);
            pt_buf_free(&text);
        }
        if (gtin) {
            assert_string_equal(gs1_elements_value(&tag.elements, "01"), gtin);
            assert_string_equal(gs1_elements_value(&tag.elements, "21"),
                                json_string_value(json_object_get(item, "serial")));
            assert_int_equal(tag.filter, json_integer_value(json_object_get(item, "filter")));
            assert_int_equal(tag.prefix_length, json_integer_value(json_object_get(item, "gcp_length")));
        }
    }
}

// The widths of prefix and reference, held against the translation tables of the standard.
static void check_widths(const char *file_name, enum epc_binary_scheme scheme, const char *reference_name) {
    char path[100];
    snprintf(path, sizeof path, "gs1-TDT/artefacts/JSON/%s.json", file_name);
    PT_CLEANUP(pt_buf_free) struct pt_buf file = test_read_file(test_data(path));
    PT_JSON json_t *root = NULL;
    struct pt_error err = {0};
    assert_ok(pt_json_parse(pt_buf_bytes(&file), 1000000, &root, &err), &err);
    const json_t *level = json_array_get(
        json_object_get(json_object_get(json_object_get(root, "tdt:epcTagDataTranslation"), "scheme"), "level"), 0);
    const json_t *choices = json_object_get(level, "option");
    assert_int_equal(json_array_size(choices), 7);
    for (size_t i = 0; i < json_array_size(choices); i++) {
        const json_t *fields = json_object_get(json_array_get(choices, i), "field");
        long prefix_bits = 0;
        long reference_bits = 0;
        for (size_t k = 0; k < json_array_size(fields); k++) {
            const json_t *field = json_array_get(fields, k);
            const char *name = json_string_value(json_object_get(field, "name"));
            const long bits = (long)json_integer_value(json_object_get(field, "bitLength"));
            if (strcmp(name, "gs1companyprefix") == 0) prefix_bits = bits;
            if (strcmp(name, reference_name) == 0) reference_bits = bits;
        }
        // A reference of 1 and a prefix of 0 sets exactly the bit at the reference's end.
        struct epc_tag tag = {.scheme = scheme, .prefix_length = 12u - (unsigned)i};
        char key[20] = "00000000000000000000";
        const size_t len = scheme == EPC_SSCC_96 ? 18 : 14;
        const bool lone = len - 2 - tag.prefix_length == 0; // the reference is the first digit only
        key[lone ? 0 : len - 2] = '1';
        key[len] = '\0';
        assert_ok(gs1_elements_add(&tag.elements, pt_bytes_str(scheme == EPC_SSCC_96 ? "00" : "01"), pt_bytes_str(key),
                                   0, GS1_SHAPE, &err),
                  &err);
        if (scheme != EPC_SSCC_96)
            assert_ok(gs1_elements_add(&tag.elements, pt_bytes_str("21"), pt_bytes_str("0"), 0, GS1_SHAPE, &err), &err);
        struct pt_buf bytes = PT_BUF_INIT(100);
        assert_ok(epc_binary_encode(&tag, &bytes, &err), &err);
        const long end = 14 + prefix_bits + reference_bits - 1;
        for (long bit = 14; bit <= end; bit++) assert_int_equal(bytes.data[bit / 8] >> (7 - bit % 8) & 1, bit == end);
        pt_buf_free(&bytes);
    }
}

static void the_widths_are_those_of_the_standards_tables(void **state) {
    (void)state;
    check_widths("SGTIN-96", EPC_SGTIN_96, "itemref");
    check_widths("SGTIN-198", EPC_SGTIN_198, "itemref");
    check_widths("SSCC-96", EPC_SSCC_96, "serialref");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_scheme_goes_both_ways),
        cmocka_unit_test(a_urn_is_not_composed_without_its_prefix),
        cmocka_unit_test(urn_errors_point_into_the_urn),
        cmocka_unit_test(tag_memory_and_tag_uris_agree),
        cmocka_unit_test(a_serial_may_bear_the_urns_own_marks),
        cmocka_unit_test(every_partition_goes_both_ways),
        cmocka_unit_test(broken_memory_is_refused),
        cmocka_unit_test(the_public_values_are_read),
        cmocka_unit_test(the_widths_are_those_of_the_standards_tables),
    };
    return cmocka_run_group_tests_name("identify epc", tests, NULL, NULL);
}
