// What the lifecycle takes from master records: a pack's content, splitting, the profile of a place, exports; and that every
// word of the CBV and every kind of document in China has its operation.
#include <string.h>

#include "common/epcis/cbv.h"
#include "common/epcis/cn_document.h"
#include "common/epcis/packtrail_terms.h"
#include "common/master/master.h"
#include "ledger/contracts/lifecycle_table.h"
#include "tests/rules/rules_say.h"
#include "tests/support/support.h"

#define GTIN "06901234567892"
#define PACK "https://id.gs1.org/01/" GTIN "/21/1"
#define MAKER "urn:packtrail:party:maker"
#define ABROAD "urn:packtrail:party:abroad"
#define HOUR ((int64_t)3600)

static struct rules_lab *lab;
static const struct actor *operator_actor, *maker, *pharmacy, *berlin;

static void tell_product(uint64_t units, bool split_exempt) {
    struct master_level level = {.level = 1, .units = units, .gtin = GTIN};
    const struct master_record record = {.kind = MASTER_PRODUCT, .version = 1, .valid_from = RULES_LAB_START,
                                         .product = {.id = "https://id.gs1.org/01/" GTIN, .name = {.en = "x"}, .levels = {&level, 1}, .holder = MAKER,
                                                     .split_exempt = split_exempt}};
    assert_int_equal(rules_lab_master(lab, operator_actor, &record), RESULT_APPLIED);
}

static int setup(void **state) {
    (void)state;
    lab = rules_lab_new("cn", RULE_VERSION_NEWEST, 0);
    operator_actor = rules_lab_enrol(lab, ACTOR_OPERATOR, "urn:packtrail:party:operator", NULL);
    maker = rules_lab_enrol(lab, ACTOR_COMPANY, MAKER, NULL);
    pharmacy = rules_lab_enrol(lab, ACTOR_DEVICE, "urn:packtrail:party:p1", "urn:packtrail:place:p1");
    berlin = rules_lab_enrol(lab, ACTOR_DEVICE, "urn:packtrail:party:p2", "urn:packtrail:place:berlin");
    const struct master_record place = {.kind = MASTER_PLACE, .version = 1, .valid_from = RULES_LAB_START,
                                        .place = {.id = "urn:packtrail:place:berlin", .name = {.en = "x"}, .party = "urn:packtrail:party:p2",
                                                  .territory = "DE", .profile = "eu"}};
    const struct master_record abroad = {.kind = MASTER_PARTY, .version = 1, .valid_from = RULES_LAB_START,
                                         .party = {.id = ABROAD, .name = {.en = "x"}, .roles = 1u << MASTER_DISTRIBUTOR, .territory = "CH"}};
    assert_int_equal(rules_lab_master(lab, operator_actor, &place), RESULT_APPLIED);
    assert_int_equal(rules_lab_master(lab, operator_actor, &abroad), RESULT_APPLIED);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    rules_lab_free(lab);
    return 0;
}

static void announce(int64_t content) {
    const struct say say = {.action = EPCIS_ADD, .step = "commissioning", .epcs = {PACK}, .content = content};
    assert_int_equal(rules_say(lab, maker, &say), RESULT_APPLIED);
}

static enum statement_result dispense(const struct actor *by, int64_t units, int64_t seconds) {
    const struct say say = {.step = "dispensing", .disposition = "partially_dispensed", .epcs = {PACK}, .units = units, .seconds = seconds};
    return rules_say(lab, by, &say);
}

static struct pack_record record_of(void) {
    struct pack_record record;
    assert_true(rules_lab_pack(lab, PACK, &record));
    return record;
}

static void content_comes_from_the_product(void **state) {
    (void)state;
    tell_product(24, false);
    announce(10);  // what the event says counts only where the record says nothing
    assert_int_equal(record_of().content, 24);
    assert_int_equal(dispense(pharmacy, 20, HOUR), RESULT_APPLIED);
    assert_int_equal(dispense(pharmacy, 4, 2 * HOUR), RESULT_APPLIED);
    assert_int_equal(record_of().state, LIFECYCLE_DISPENSED);
    assert_int_equal(dispense(pharmacy, 1, 3 * HOUR), RESULT_ALERTED);
    assert_int_equal(rules_lab_alerted(lab, ALERT_DOUBLE_DISPENSE), 1);
}

static void content_that_becomes_known_later_counts_what_went_before(void **state) {
    (void)state;
    announce(0);
    assert_int_equal(dispense(pharmacy, 20, HOUR), RESULT_APPLIED);
    tell_product(24, false);
    assert_int_equal(dispense(pharmacy, 5, 2 * HOUR), RESULT_ALERTED);
    assert_int_equal(rules_lab_alerted(lab, ALERT_DOUBLE_DISPENSE), 1);
}

static void what_is_exempt_from_splitting_is_not_counted(void **state) {
    (void)state;
    tell_product(24, true);
    announce(0);
    for (int64_t i = 1; i < 5; i++) assert_int_equal(dispense(pharmacy, 20, i * HOUR), RESULT_APPLIED);
    assert_int_equal(record_of().state, LIFECYCLE_PART_DISPENSED);
    const struct say rest = {.step = "dispensing", .disposition = "dispensed", .epcs = {PACK}, .seconds = 9 * HOUR};
    assert_int_equal(rules_say(lab, pharmacy, &rest), RESULT_APPLIED);
    assert_int_equal(record_of().state, LIFECYCLE_DISPENSED);
}

static void the_place_says_which_rules_hold(void **state) {
    (void)state;
    tell_product(24, false);
    announce(0);
    assert_int_equal(dispense(berlin, 4, HOUR), RESULT_APPLIED);
    assert_int_equal(record_of().state, LIFECYCLE_DISPENSED);  // opening ends it there
}

static void goods_that_leave_the_territory_are_exported(void **state) {
    (void)state;
    announce(10);
    const struct say ship = {.step = "shipping", .disposition = "in_transit", .epcs = {PACK}, .destination = ABROAD, .seconds = HOUR};
    assert_int_equal(rules_say(lab, pharmacy, &ship), RESULT_APPLIED);
    assert_int_equal(record_of().state, LIFECYCLE_EXPORTED);
    const struct say receive = {.step = "receiving", .epcs = {PACK}, .seconds = 2 * HOUR};
    assert_int_equal(rules_say(lab, pharmacy, &receive), RESULT_ALERTED);
    assert_int_equal(rules_lab_alerted(lab, ALERT_DEAD_CODE), 1);
}

// Dispositions that by themselves say nothing about where a thing is or what it may be used for.
static bool says_nothing(const char *disposition) {
    static const char *const words[] = {"active", "available", "completeness_inferred", "completeness_verified", "conformant", "container_closed",
                                        "container_open", "encoded", "in_progress", "in_transit", "reserved", "sellable_accessible",
                                        "sellable_not_accessible", "unavailable", "unknown"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i], disposition) == 0) return true;
    return false;
}

static void no_word_is_passed_over(void **state) {
    (void)state;
    size_t count;
    const char *const *words = cbv_words(CBV_DISPOSITION, &count);
    for (size_t i = 0; i < count; i++) {
        const struct epcis_event event = {.type = EPCIS_OBJECT, .action = EPCIS_OBSERVE, .disposition = words[i]};
        const bool observed = lifecycle_operation_of(&event, PACK_ROLE_OBJECT) == OPERATION_OBSERVE;
        if (observed != says_nothing(words[i])) fail_msg("%s", words[i]);
        const char *set = words[i];
        const struct epcis_event persistent = {.type = EPCIS_OBJECT, .action = EPCIS_OBSERVE, .biz_step = "storing", .disposition_set = {&set, 1}};
        if (strcmp(set, "recalled") == 0 || strcmp(set, "stolen") == 0) assert_int_not_equal(lifecycle_operation_of(&persistent, PACK_ROLE_OBJECT), OPERATION_OBSERVE);
    }
}

static void every_document_of_china_has_its_operation(void **state) {
    (void)state;
    size_t count;
    const struct cn_document *documents = cn_document_list(&count);
    for (size_t i = 0; i < count; i++) {
        struct pt_buf uri = PT_BUF_INIT(256);
        cn_document_append_uri(&uri, documents[i].kind, "A-1");
        struct epcis_reference reference = {.type = CN_DOCUMENT_TRANSACTION, .id = pt_buf_cstr(&uri)};
        const struct epcis_event named = {.type = EPCIS_OBJECT, .action = documents[i].action, .biz_step = documents[i].biz_step,
                                          .disposition = documents[i].disposition, .biz_transactions = {&reference, 1}};
        struct epcis_event words = named;
        words.biz_transactions = (struct epcis_references){0};
        const enum lifecycle_operation operation = lifecycle_operation_of(&named, PACK_ROLE_OBJECT);
        if (operation == OPERATION_OBSERVE) fail_msg("%s", documents[i].en);
        if (documents[i].usual) assert_int_equal(lifecycle_operation_of(&words, PACK_ROLE_OBJECT), operation);
        pt_buf_free(&uri);
    }
}

static void the_table_prints_itself_whole(void **state) {
    (void)state;
    for (unsigned profile = 0; profile < LIFECYCLE_PROFILES; profile++) {
        struct pt_buf out = PT_BUF_INIT(64 * 1024);
        lifecycle_table_print((enum lifecycle_profile)profile, &out);
        for (unsigned i = 0; i < LIFECYCLE_OPERATIONS; i++)
            assert_non_null(strstr(pt_buf_cstr(&out), lifecycle_operation_name((enum lifecycle_operation)i)));
        assert_non_null(strstr(pt_buf_cstr(&out), "double_dispense 80"));
        pt_buf_free(&out);
    }
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(content_comes_from_the_product),
        CASE(content_that_becomes_known_later_counts_what_went_before),
        CASE(what_is_exempt_from_splitting_is_not_counted),
        CASE(the_place_says_which_rules_hold),
        CASE(goods_that_leave_the_territory_are_exported),
        cmocka_unit_test(no_word_is_passed_over),
        cmocka_unit_test(every_document_of_china_has_its_operation),
        cmocka_unit_test(the_table_prints_itself_whole),
    };
    return cmocka_run_group_tests_name("rules master data", tests, NULL, NULL);
}
