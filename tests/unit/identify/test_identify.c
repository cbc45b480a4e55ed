// What identify() answers, as JSON, and what it refuses, with the rule and the place.
#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/base/text.h"
#include "common/identify/gs1_element_string.h"
#include "common/identify/identification.h"
#include "tests/support/support.h"

#define GTIN "09506000134352"

static struct identify_options options = {.year = 2026};

static void check_members(const char *input, const struct identification *found, const char *expected) {
    PT_CLEANUP(pt_buf_free) struct pt_buf text = PT_BUF_INIT(65536);
    PT_JSON json_t *got = NULL;
    PT_JSON json_t *wanted = NULL;
    struct pt_error err = {0};
    identification_json(&text, found);
    assert_ok(pt_json_parse(pt_buf_bytes(&text), 65536, &got, &err), &err);
    assert_ok(pt_json_parse(pt_bytes_str(expected), 65536, &wanted, &err), &err);
    const char *key;
    json_t *value;
    json_object_foreach(wanted, key, value) {
        const json_t *other = json_object_get(got, key);
        if (json_is_null(value) ? other != NULL : !json_equal(value, other))
            fail_msg("%s: '%s' differs in %s", input, key, pt_buf_cstr(&text));
    }
    assert_true(json_is_array(json_object_get(got, "elements")));
    assert_true(json_is_array(json_object_get(got, "warnings")));
}

// `expected` holds the members to compare; null means absent.
static void check(const char *input, const char *expected) {
    static struct identification found;
    struct pt_error err = {0};
    if (identify(pt_bytes_str(input), &options, &found, &err) != PT_OK)
        fail_msg("%s: %s at %ld", input, err.what, err.position);
    check_members(input, &found, expected);
}

// Accepted, with a warning of this word.
static void check_warned(const char *input, const char *word, const char *expected) {
    static struct identification found;
    struct pt_error err = {0};
    if (identify(pt_bytes_str(input), &options, &found, &err) != PT_OK)
        fail_msg("%s: %s at %ld", input, err.what, err.position);
    bool warned = false;
    for (size_t i = 0; i < found.warnings.count; i++)
        warned = warned || strncmp(found.warnings.text[i], word, strlen(word)) == 0;
    if (!warned) fail_msg("%s: no warning of '%s'", input, word);
    check_members(input, &found, expected);
}

static void refused(const char *input, const char *rule, long position) {
    static struct identification found;
    struct pt_error err = {.position = -9};
    const enum pt_code code = identify(pt_bytes_str(input), &options, &found, &err);
    if (code != PT_INVALID && code != PT_LIMIT) fail_msg("%s: %s", input, pt_code_name(code));
    if (strncmp(err.what, rule, strlen(rule)) != 0) fail_msg("%s: '%s' does not name %s", input, err.what, rule);
    if (err.position != position) fail_msg("%s: position %ld, not %ld (%s)", input, err.position, position, err.what);
    assert_int_equal(found.scheme, IDENTIFY_NONE);
    assert_int_equal(found.elements.count, 0);
}

#define FULL                                                                                                           \
    "{\"scheme\":\"gs1\",\"gtin\":\"" GTIN "\",\"serial\":\"ABC\",\"lot\":\"L1\",\"expiry\":\"2027-12-31\","           \
    "\"epc\":\"https://id.gs1.org/01/" GTIN "/21/ABC\",\"warnings\":[],"                                               \
    "\"digital_link\":\"https://id.gs1.org/01/" GTIN "/10/L1/21/ABC?17=271231\"}"

static void one_pack_is_the_same_whatever_carries_it(void **state) {
    (void)state;
    check("01" GTIN "1727123110L1\x1d"
          "21ABC",
          FULL);
    check("]d201" GTIN "1727123110L1\x1d"
          "21ABC",
          FULL);
    check("]C101" GTIN "1727123110L1^21ABC\r\n", FULL);
    check("]Q301" GTIN "1727123110L1{GS}21ABC", FULL);
    check("]e0\x1d"
          "01" GTIN "1727123110L1[FNC1]21ABC",
          FULL);
    check("]J1^01" GTIN "\x1d"
          "17271231\x1d"
          "10L1\x1d"
          "21ABC",
          FULL);
    check("^01" GTIN "10L1\xe2\x90\x9d"
          "21ABC^17271231",
          FULL);
    check("(01)" GTIN "(17)271231(10)L1(21)ABC", FULL);
    check("(21)ABC(10)L1(17)271231(01)" GTIN, FULL);
    check("https://id.gs1.org/01/" GTIN "/10/L1/21/ABC?17=271231", FULL);
    check("]Q1https://shop.example/x/y/01/" GTIN "/10/L1/21/ABC?17=271231&linkType=all#a", FULL);
    check_warned("http://x.example/gtin/9506000134352/lot/L1/ser/ABC?exp=271231", "digital-link-word",
                 "{\"gtin\":\"" GTIN "\",\"serial\":\"ABC\",\"lot\":\"L1\",\"expiry\":\"2027-12-31\"}");
    check_warned("01" GTIN "1727123110L1<GS>21ABC", "separator-spelling", "{\"serial\":\"ABC\",\"lot\":\"L1\"}");
    check_warned("(01) " GTIN " (21) ABC", "blanks", "{\"serial\":\"ABC\"}");
    check_warned("01" GTIN "21ABC\x1d", "trailing-separator", "{\"serial\":\"ABC\"}");
}

static void other_keys_are_identified(void **state) {
    (void)state;
    check("(00)106141412345678908",
          "{\"sscc\":\"106141412345678908\",\"epc\":\"https://id.gs1.org/00/106141412345678908\",\"gtin\":null}");
    check("(414)4012345000054(254)12", "{\"epc\":\"https://id.gs1.org/414/4012345000054/254/12\"}");
    check("(00)106141412345678908(02)" GTIN "(37)12",
          "{\"gtin\":\"" GTIN
          "\",\"sscc\":\"106141412345678908\",\"epc\":\"https://id.gs1.org/00/106141412345678908\"}");
    check("(01)" GTIN "(10)L1",
          "{\"epc\":null,\"lot\":\"L1\",\"digital_link\":\"https://id.gs1.org/01/" GTIN "/10/L1\"}");
    check("urn:epc:id:sgtin:4012345.011111.987",
          "{\"scheme\":\"gs1\",\"epc\":\"https://id.gs1.org/01/04012345111118/21/987\","
          "\"epc_urn\":\"urn:epc:id:sgtin:4012345.011111.987\",\"digital_link\":\"https://id.gs1.org/01/04012345111118/"
          "21/987\"}");
    check("urn:epc:tag:sscc-96:3.0614141.1234567890", "{\"sscc\":\"106141412345678908\"}");
    check("urn:epc:class:lgtin:4012345.012345.Lot987", "{\"gtin\":\"04012345123456\",\"lot\":\"Lot987\",\"epc\":null}");
    check("urn:epc:id:gid:95100000.12345.400", "{\"scheme\":\"epc\",\"epc\":\"urn:epc:id:gid:95100000.12345.400\"}");
    check("urn:packtrail:nfc:04a1b2c3", "{\"scheme\":\"packtrail\",\"epc\":\"urn:packtrail:nfc:04a1b2c3\"}");
    check("(01)" GTIN "(10)a\\(10)b", "{\"lot\":\"a(10)b\"}");
    options.prefix_length = 7;
    check("(01)" GTIN "(21)1", "{\"epc_urn\":\"urn:epc:id:sgtin:9506000.013435.1\"}");
    options.prefix_length = 0;
}

static void dates_use_the_given_year(void **state) {
    (void)state;
    check("(01)" GTIN "(17)270200", "{\"expiry\":\"2027-02-28\"}");
    check("(01)" GTIN "(17)770101", "{\"expiry\":\"1977-01-01\"}");
    check("(01)" GTIN "(7003)2712312359", "{\"expiry\":\"2027-12-31\"}");
    options.year = 2060;
    check("(01)" GTIN "(17)100101", "{\"expiry\":\"2110-01-01\"}");
    refused("(01)" GTIN "(17)000229", "date", 26);
    options.year = 0;
    static struct identification found;
    assert_int_equal(identify(pt_bytes_str("(01)" GTIN), &options, &found, NULL), PT_USAGE);
    options.year = 2026;
}

static void errors_name_rule_and_position(void **state) {
    (void)state;
    refused("", "empty", 0);
    refused("]d2", "empty", 3);
    refused("]d2\x1d", "empty", 4);
    refused("01"
            "09506000134353"
            "21A",
            "csum", 15);
    refused("]d201"
            "09506000134353"
            "21A",
            "csum", 18);
    refused("]d2\x1d"
            "01" GTIN "17271331",
            "yymmd0", 24);
    refused("(01)" GTIN "(17)271232", "yymmd0", 26);
    refused("(01)" GTIN "(21)AB C", "charset", 24);
    refused("(01)0950600013435", "length", 17);
    refused("(01)" GTIN "(05)1", "ai", 19);
    refused("01" GTIN "05123", "ai", 16);
    refused("(21)ABC", "req", 4);
    refused("(01)" GTIN "(02)" GTIN "(37)1", "ex", 4);
    refused("(01)" GTIN "(21)A(21)B", "repeat", 27);
    refused("(01)" GTIN "(10)", "length", 22);
    refused("01" GTIN "10^21A", "length", 18);
    refused("01" GTIN "^^21A", "ai", 17);
    refused("]d1(01)" GTIN, "symbology", 3);
    refused("]C001" GTIN, "symbology", 3);
    refused("]Q101" GTIN "21A", "symbology", 3);
    refused("https://example.com/", "digital-link", 20);
    refused("https://id.gs1.org/01/" GTIN "?21=A", "digital-link", 37);
    refused("https://id.gs1.org/01/" GTIN "?17=271331", "yymmd0", 42);
    refused("https://id.gs1.org/01/" GTIN "?05=1", "ai", 37);
    refused("https://id.gs1.org/01/" GTIN "/21/A/10/B", "digital-link", 42);
    refused("https://id.gs1.org/01/" GTIN "?01=04012345111118", "repeat", 40);
    refused("hello world", "ai", 0);
    refused("[)>\x1e"
            "06\x1d"
            "9N111",
            "iso15434", 0);
}

static void the_reader_may_tell_the_symbology(void **state) {
    (void)state;
    options.symbology = "]d2";
    check("01" GTIN "21ABC", "{\"serial\":\"ABC\"}");
    check("]d201" GTIN "21ABC", "{\"serial\":\"ABC\"}");
    refused("]C101" GTIN, "symbology", 0);
    options.symbology = "]d1";
    refused("01" GTIN "21ABC", "symbology", 0);
    check("https://id.gs1.org/01/" GTIN "/21/ABC", "{\"serial\":\"ABC\"}");
    options.symbology = "]C0";
    check("81234567890123456789", "{\"scheme\":\"cn-trace\"}");
    check("80041234567890123456", "{\"scheme\":\"cn-trace\"}");
    options.symbology = "]C1";
    check("80041234567890123456", "{\"scheme\":\"gs1\",\"epc\":\"https://id.gs1.org/8004/1234567890123456\"}");
    options.symbology = "]E0";
    check("4012345123456", "{\"scheme\":\"product-code\",\"gtin\":\"04012345123456\"}");
    refused("4012345123457", "csum", 12);
    refused("81234567890123456789", "product-code", 0);
    options.symbology = "d2";
    static struct identification found;
    assert_int_equal(identify(pt_bytes_str("x"), &options, &found, NULL), PT_USAGE);
    options.symbology = NULL;
    check("]E04012345123456", "{\"scheme\":\"product-code\"}");
    check("]Q181234567890123456789", "{\"scheme\":\"cn-trace\"}");
}

static void chinese_codes_are_told_apart(void **state) {
    (void)state;
    check("81234567890123456789", "{\"scheme\":\"cn-trace\",\"code\":\"81234567890123456789\",\"drug_id\":\"8123456\","
                                  "\"epc\":\"urn:packtrail:cn:trace:81234567890123456789\",\"warnings\":[]}");
    check_warned("6901234567892", "product-code",
                 "{\"scheme\":\"product-code\",\"gtin\":\"06901234567892\",\"epc\":null}");
    refused("6901234567893", "csum", 12);
    refused("8123456789012345678", "cn-trace", 19);
    refused("812345678901234567890", "cn-trace", 20);
    refused("80041234567890123456", "ambiguous", 0); // GIAI or trace code
    const struct cn_scheme schemes[] = {
        {"acme", "AC", 6, 10, CN_SET_UPPER, CN_CHECK_NONE},
        {"twin", "AC1", 6, 10, CN_SET_UPPER, CN_CHECK_NONE},
        {"gs1-like", "00", 20, 20, CN_SET_DIGITS, CN_CHECK_NONE},
    };
    options.schemes = schemes;
    options.scheme_count = 3;
    check("AC2345", "{\"scheme\":\"cn-company\",\"code\":\"AC2345\",\"company_scheme\":\"acme\",\"epc\":\"urn:"
                    "packtrail:cn:company:acme:AC2345\"}");
    refused("AC1345", "ambiguous", 0);
    refused("00106141412345678908", "ambiguous", 0);
    check("]C0AC2345", "{\"scheme\":\"cn-company\"}");
    options.schemes = NULL;
    options.scheme_count = 0;
    refused("AC2345", "ai", 0);
}

static void lost_separators_are_repaired_or_named(void **state) {
    (void)state;
    check_warned("01" GTIN "172712311012345ABC21ABCDEFGHIJKLM", "lost-separator",
                 "{\"lot\":\"12345ABC\",\"serial\":\"ABCDEFGHIJKLM\",\"expiry\":\"2027-12-31\"}");
    check_warned("01" GTIN "17271231"
                 "10ABC21XYZ",
                 "lost-separator", "{\"lot\":\"ABC21XYZ\",\"serial\":null}");
    refused("01" GTIN "21ABCDEFGH17271231"
            "10ABCDEF17261231",
            "lost-separator", 38);
    refused("01" GTIN "21ABCDEFGHIJKLMNOPQRSTU", "length", 38);
    check("01" GTIN "1727123110ABC21XYZ\x1d"
          "21S",
          "{\"lot\":\"ABC21XYZ\",\"serial\":\"S\",\"warnings\":[]}");
    check("01" GTIN "2112345678", "{\"serial\":\"12345678\",\"warnings\":[]}");
}

static void keyboard_mistakes_are_repaired_or_named(void **state) {
    (void)state;
    // ]d2 01 09506000134352 21 ABC-1/Z
    check_warned("$d\xc3\xa9"
                 "\xc3\xa0&"
                 "\xc3\xa0\xc3\xa7(\xc3\xa0-\xc3\xa0\xc3\xa0\xc3\xa0&\"'\"(\xc3\xa9"
                 "\xc3\xa9&"
                 "QBC)&!W",
                 "keyboard-layout: typed with French (AZERTY)", "{\"gtin\":\"" GTIN "\",\"serial\":\"ABC-1/Z\"}");
    check_warned("\xc3\xa0&"
                 "\xc3\xa0\xc3\xa7(\xc3\xa0-\xc3\xa0\xc3\xa0\xc3\xa0&\"'\"(\xc3\xa9"
                 "\xc3\xa9&"
                 "qbc",
                 "keyboard-layout", "{\"gtin\":\"" GTIN "\",\"serial\":\"abc\"}");
    check_warned("+d201" GTIN "21AYZ\xc3\x9f"
                 "1-y",
                 "keyboard-layout: typed with German (QWERTZ)", "{\"serial\":\"AZY-1/z\"}");
    check_warned("https\xc3\x96--id.gs1.org-01-" GTIN "-21-ABC", "keyboard-layout", "{\"serial\":\"ABC\"}");
    check_warned(")01=" GTIN ")21=ABY", "keyboard-layout", "{\"serial\":\"ABZ\"}");
    check_warned("]D201" GTIN "21abc", "caps-lock", "{\"serial\":\"ABC\"}");
    check_warned("]c101" GTIN "21abC", "caps-lock", "{\"serial\":\"ABc\"}");
    check_warned("HTTPS://ID.GS1.ORG/01/" GTIN "/21/abc", "caps-lock", "{\"serial\":\"ABC\"}");
    check_warned("URN:EPC:ID:SGTIN:4012345.011111.abc", "caps-lock", "{\"serial\":\"ABC\"}");
    check("HTTPS://ID.GS1.ORG/01/" GTIN "/21/ABC", "{\"serial\":\"ABC\",\"warnings\":[]}");
    refused("+d201"
            "09506000134353"
            "21A",
            "ai", 0);
    options.symbology = "]d2"; // a reader that tells the symbology is no keyboard
    refused("+d201" GTIN, "ai", 0);
    options.symbology = NULL;
}

static void one_of_several_symbols_may_lack_companions(void **state) {
    (void)state;
    refused("(02)" GTIN "(37)12", "req", 22);
    options.partial = true;
    check_warned("(02)" GTIN "(37)12", "companion", "{\"gtin\":\"" GTIN "\"}");
    check_warned("]C1"
                 "10L1\x1d"
                 "17271231",
                 "companion", "{\"lot\":\"L1\",\"expiry\":\"2027-12-31\"}");
    refused("(01)" GTIN "(02)" GTIN, "ex", 22);
    options.partial = false;
}

static void check_hex(const char *hex, enum pt_code code, const char *expected) {
    struct pt_buf bytes = PT_BUF_INIT(1000);
    static struct identification found;
    assert_int_equal(pt_hex_decode(pt_bytes_str(hex), &bytes, NULL), PT_OK);
    assert_int_equal(identify_bytes(pt_buf_bytes(&bytes), &options, &found, NULL), code);
    if (code == PT_OK) check_members(hex, &found, expected);
    pt_buf_free(&bytes);
}

static void raw_bytes_are_epc_memory_or_text(void **state) {
    (void)state;
    check_hex("3074257bf7194e4000001a85", PT_OK,
              "{\"epc\":\"https://id.gs1.org/01/80614141123458/21/"
              "6789\",\"epc_urn\":\"urn:epc:id:sgtin:0614141.812345.6789\"}");
    check_hex("3174257bf4499602d2000000", PT_OK, "{\"sscc\":\"106141412345678908\"}");
    check_hex("303132333435363738393035", PT_INVALID, NULL); // SGTIN-96 and UPC-A alike
    options.symbology = "]E0";
    check_hex("303132333435363738393035", PT_OK, "{\"scheme\":\"product-code\",\"gtin\":\"00012345678905\"}");
    options.symbology = NULL;
    check_hex("5d64323031303935303630303031333433353232314142431d3137323731323331", PT_OK,
              "{\"serial\":\"ABC\",\"expiry\":\"2027-12-31\"}");
    check_hex("307c257bf7194e4000001a85", PT_INVALID, NULL);
    check_hex("00", PT_INVALID, NULL);
    check_hex("ff", PT_INVALID, NULL);
}

static void hostile_lengths_are_bounded(void **state) {
    (void)state;
    static char text[9000];
    memset(text, '1', sizeof text - 1);
    static struct identification found;
    struct pt_error err;
    assert_int_equal(identify(pt_bytes_str(text), &options, &found, &err), PT_LIMIT);
    // Every digit pair begins an AI: the search for lost separators must give up, not run on.
    memcpy(text, "01" GTIN "10", 18);
    for (size_t i = 18; i < 6000; i++) text[i] = "1021"[i % 4];
    text[6000] = '\0';
    assert_int_equal(identify(pt_bytes_str(text), &options, &found, &err), PT_INVALID);
    // More elements than a symbol can hold.
    size_t used = (size_t)snprintf(text, sizeof text, "(01)" GTIN);
    for (int i = 0; i < 60; i++) used += (size_t)snprintf(text + used, sizeof text - used, "(21)A");
    assert_int_equal(identify(pt_bytes_str(text), &options, &found, &err), PT_LIMIT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_pack_is_the_same_whatever_carries_it),
        cmocka_unit_test(other_keys_are_identified),
        cmocka_unit_test(dates_use_the_given_year),
        cmocka_unit_test(errors_name_rule_and_position),
        cmocka_unit_test(the_reader_may_tell_the_symbology),
        cmocka_unit_test(chinese_codes_are_told_apart),
        cmocka_unit_test(lost_separators_are_repaired_or_named),
        cmocka_unit_test(keyboard_mistakes_are_repaired_or_named),
        cmocka_unit_test(one_of_several_symbols_may_lack_companions),
        cmocka_unit_test(raw_bytes_are_epc_memory_or_text),
        cmocka_unit_test(hostile_lengths_are_bounded),
    };
    return cmocka_run_group_tests_name("identify", tests, NULL, NULL);
}
