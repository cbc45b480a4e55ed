// The rules of the event hash one by one, on events made by hand.
#include "common/epcis/event_hash.h"
#include "tests/support/support.h"
#include "tests/unit/epcis/event_samples.h"

#include <stdio.h>

static void assert_prehash(const struct epcis_event *event, const struct epcis_texts *ignored, const char *wanted) {
    struct pt_error err = {0};
    struct pt_buf out = PT_BUF_INIT(1 << 20);
    assert_ok(epcis_event_prehash(event, ignored, &out, &err), &err);
    assert_string_equal(pt_buf_cstr(&out), wanted);
    pt_buf_free(&out);
}

// What an extension `example:x` with this text gives.
static void assert_text(const char *text, const char *wanted) {
    struct epcis_prefix prefix = {"own", "https://own.example/"};
    struct epcis_member member = {.ns = "urn:e:", .prefix = "example", .local = "x", .value = {.kind = EPCIS_TEXT, .text = text}};
    const struct epcis_event event = {.type = EPCIS_OBJECT, .extensions = {&member, 1}, .prefixes = {&prefix, 1}};
    char whole[1000];
    snprintf(whole, sizeof whole, "eventType=ObjectEvent{urn:e:}x%s%s", wanted[0] ? "=" : "", wanted);
    assert_prehash(&event, NULL, whole);
}

static void texts_are_trimmed_and_numbers_shortened(void **state) {
    (void)state;
    assert_text(" \t\r\n a b \n", "a b");
    assert_text("\xe3\x80\x80药\xc2\xa0", "药");
    assert_text("", "");
    assert_text("   ", "");
    assert_text("1.0", "1");
    assert_text("+01.50", "1.5");
    assert_text("-0", "0");
    assert_text("0.000", "0");
    assert_text(".5", "0.5");
    assert_text("1e3", "1000");
    assert_text("1.25E-3", "0.00125");
    assert_text("12345678901234567890.10", "12345678901234567890.1");
    assert_text("1e99999", "1e99999");
    assert_text("1.2.3", "1.2.3");
    assert_text("2019-10-21", "2019-10-21");
    assert_text("1e", "1e");
    assert_text("-", "-");
    assert_text(".", ".");
    assert_text("0x10", "0x10");
}

static void words_and_identifiers_become_uris(void **state) {
    (void)state;
    assert_text("urn:epcglobal:cbv:bizstep:receiving", "https://ref.gs1.org/cbv/BizStep-receiving");
    assert_text("urn:epcglobal:cbv:er:incorrect_data", "https://ref.gs1.org/cbv/ER-incorrect_data");
    assert_text("urn:epcglobal:cbv:bt:5200001000008:4711", "urn:epcglobal:cbv:bt:5200001000008:4711");
    assert_text("gs1:Temperature", "https://gs1.org/voc/Temperature");
    assert_text("cbv:BTT-po", "https://ref.gs1.org/cbv/BTT-po");
    assert_text("epcis:x", "https://ref.gs1.org/epcis/x");
    assert_text("own:thing", "https://own.example/thing");
    assert_text("ownx:thing", "ownx:thing");
    assert_text("urn:epc:id:sgtin:4012345.011111.9876", "https://id.gs1.org/01/04012345111118/21/9876");
    assert_text("https://shop.example/01/04012345111118/10/L/21/9876?17=290101", "https://id.gs1.org/01/04012345111118/21/9876");
    assert_text("urn:epc:idpat:sgtin:4012345.011111.*", "https://id.gs1.org/01/04012345111118");
    assert_text("https://example.org/a", "https://example.org/a");
    assert_text("receiving", "receiving");
}

static void numbers_have_every_digit_and_no_more(void **state) {
    (void)state;
    const struct {
        struct epcis_number number;
        const char *wanted;
    } cases[] = {
        {{.present = true, .is_integer = true, .integer = INT64_MIN}, "-9223372036854775808"},
        {{.present = true, .is_integer = true, .integer = 600}, "600"},
        {{.present = true, .real = 26.0}, "26"},
        {{.present = true, .real = 0.1}, "0.1"},
        {{.present = true, .real = 1e21}, "1000000000000000000000"},
        {{.present = true, .real = 1.5e-7}, "0.00000015"},
        {{.present = true, .real = 0.1 + 0.2}, "0.30000000000000004"},
        {{.present = true, .real = -0.0}, "0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct epcis_quantity quantity = {"https://id.gs1.org/01/06901234567892", cases[i].number, " KGM "};
        const struct epcis_event event = {.type = EPCIS_OBJECT, .quantities = {&quantity, 1}};
        char wanted[200];
        snprintf(wanted, sizeof wanted,
                 "eventType=ObjectEventquantityListquantityElementepcClass=https://id.gs1.org/01/06901234567892"
                 "quantity=%suom=KGM", cases[i].wanted);
        assert_prehash(&event, NULL, wanted);
    }
}

static void extensions_are_sorted_at_every_level(void **state) {
    (void)state;
    struct epcis_value list[] = {{.kind = EPCIS_TEXT, .text = "3"}, {.kind = EPCIS_TEXT, .text = "1"},
                                 {.kind = EPCIS_BOOLEAN, .boolean = true}, {.kind = EPCIS_NULL}};
    struct epcis_member inner[] = {
        {.ns = "urn:e:", .local = "b", .value = {.kind = EPCIS_LIST, .items = list, .count = 3}},
        {.ns = "urn:e:", .local = "a", .value = {.kind = EPCIS_TEXT, .text = "z"}},
        {.prefix = "rdfs", .local = "comment", .value = {.kind = EPCIS_TEXT, .text = "left out"}},
        {.local = "comment", .value = {.kind = EPCIS_TEXT, .text = "left out"}},
        {.ns = "urn:e:", .local = "none", .value = {.kind = EPCIS_NULL}},
        {.ns = "urn:e:", .local = "skip", .value = {.kind = EPCIS_TEXT, .text = "ignored"}},
    };
    struct epcis_member outer[] = {
        {.ns = "urn:e:", .local = "o", .value = {.kind = EPCIS_OBJECT_VALUE, .members = {inner, 6}}},
        {.prefix = "no", .local = "ns", .value = {.kind = EPCIS_BOOLEAN}},
        {.local = "zz", .value = {.kind = EPCIS_OBJECT_VALUE}},
    };
    struct epcis_reference po = {"po", "urn:x:1"};
    struct epcis_reference to = {"location", "urn:x:2"};
    const char *ignored[] = {"{urn:e:}skip", "{urn:e:}"};
    const struct epcis_texts ignore = {ignored, 2};
    const struct epcis_event event = {
        .type = EPCIS_OBJECT, .extensions = {outer, 3}, .ilmd = {inner + 1, 1}, .has_ilmd = true,
        .biz_transactions = {&po, 1}, .sources = {&to, 1}, .destinations = {&to, 1}};
    assert_prehash(&event, &ignore,
                   "eventType=ObjectEvent"
                   "bizTransactionListtype=https://ref.gs1.org/cbv/BTT-pobizTransaction=urn:x:1"
                   "destinationListtype=https://ref.gs1.org/cbv/SDT-locationdestination=urn:x:2"
                   "ilmd{urn:e:}a=z"
                   "no:ns=false"
                   "sourceListtype=https://ref.gs1.org/cbv/SDT-locationsource=urn:x:2"
                   "zz"
                   "{urn:e:}o{urn:e:}a=z{urn:e:}b=1{urn:e:}b=3{urn:e:}b=true");
}

static void lists_keep_duplicates_and_empty_ones_vanish(void **state) {
    (void)state;
    const char *epcs[] = {"https://id.gs1.org/01/04012345111118/21/9876", "urn:epc:id:sgtin:4012345.011111.9876", " urn:b ",
                          "urn:a", ""};
    const char *certificates[] = {"urn:z", "urn:c"};
    const char *set[] = {"in_transit", "urn:epcglobal:cbv:disp:active"};
    const struct epcis_event event = {
        .type = EPCIS_ASSOCIATION, .epcs = {epcs, 5}, .input_epcs = {epcs, 0}, .certification_info = {certificates, 2},
        .disposition_set = {set, 2}, .parent_id = "urn:p", .event_id = "urn:id", .has_record_time = true,
        .error_declaration = {.present = true, .reason = "incorrect_data"}, .read_point = {.id = "urn:rp"},
        .event_time = {1583316030, 141500000, 60}, .has_event_time = true, .event_time_zone_offset = -90,
        .has_event_time_zone_offset = true, .action = EPCIS_ADD, .biz_step = "own_word"};
    assert_prehash(&event, NULL,
                   "eventType=AssociationEventeventTime=2020-03-04T10:00:30.142ZeventTimeZoneOffset=-01:30"
                   "certificationInfo=urn:ccertificationInfo=urn:zparentID=urn:p"
                   "childEPCsepc=https://id.gs1.org/01/04012345111118/21/9876epc=https://id.gs1.org/01/04012345111118/21/9876"
                   "epc=urn:aepc=urn:baction=ADDbizStep=https://ref.gs1.org/cbv/BizStep-own_word"
                   "persistentDispositionset=https://ref.gs1.org/cbv/Disp-activeset=https://ref.gs1.org/cbv/Disp-in_transit"
                   "readPointid=urn:rp");
}

static void the_order_of_many_epcs_does_not_matter(void **state) {
    (void)state;
    struct pt_arena arena = {0};
    struct epcis_event event = sample_dispensing(&arena, 500, 3);
    struct pt_digest first, second;
    struct pt_error err;
    assert_ok(epcis_event_digest(&event, NULL, &first, &err), &err);
    for (size_t i = 0; i < 250; i++) {
        const char *other = event.epcs.items[i];
        event.epcs.items[i] = event.epcs.items[499 - i];
        event.epcs.items[499 - i] = other;
    }
    assert_ok(epcis_event_digest(&event, NULL, &second, &err), &err);
    assert_true(pt_digest_equal(&first, &second));
    event.epcs.count--;
    assert_ok(epcis_event_digest(&event, NULL, &second, &err), &err);
    assert_false(pt_digest_equal(&first, &second));
    pt_arena_free(&arena);
}

static void an_event_without_type_has_no_hash(void **state) {
    (void)state;
    const struct epcis_event event = {0};
    struct pt_error err = {0};
    struct pt_digest digest;
    assert_int_equal(epcis_event_digest(&event, NULL, &digest, &err), PT_INVALID);
    assert_string_equal(err.where, "/type");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_trimmed_and_numbers_shortened),
        cmocka_unit_test(words_and_identifiers_become_uris),
        cmocka_unit_test(numbers_have_every_digit_and_no_more),
        cmocka_unit_test(extensions_are_sorted_at_every_level),
        cmocka_unit_test(lists_keep_duplicates_and_empty_ones_vanish),
        cmocka_unit_test(the_order_of_many_epcs_does_not_matter),
        cmocka_unit_test(an_event_without_type_has_no_hash),
    };
    return cmocka_run_group_tests_name("epcis hash rules", tests, NULL, NULL);
}
