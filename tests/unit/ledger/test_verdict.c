// The pharmacist's verdict: the gravest reason is told, and nothing but a clean answer is green.
#include <limits.h>

#include "ledger/api/verdict.h"
#include "tests/support/support.h"

static struct ledger_pack good_pack(void) {
    return (struct ledger_pack){.found = true, .state = LIFECYCLE_IN_STOCK, .own_state = LIFECYCLE_IN_STOCK, .lot = "A1", .expiry_day = 21000};
}

static void check(const struct ledger_pack *pack, const struct verdict_label *label, bool stale, enum verdict_colour colour,
                  const char *code, const char *failure) {
    const struct verdict verdict = verdict_of(pack, label, stale);
    assert_string_equal(verdict.code, code);
    assert_int_equal(verdict.colour, colour);
    if (failure) assert_string_equal(verdict.failure_reason, failure);
    else assert_null(verdict.failure_reason);
    assert_true(verdict.en[0] && verdict.zh[0] && verdict.do_en[0] && verdict.do_zh[0]);
}

static void each_state_has_its_answer(void **state) {
    (void)state;
    static const struct {
        enum lifecycle_state state;
        enum verdict_colour colour;
        const char *code, *failure;
    } expected[] = {
        {LIFECYCLE_UNKNOWN, VERDICT_RED, "unknown", "No_match_GTIN_Serial"},
        {LIFECYCLE_COMMISSIONED, VERDICT_AMBER, "not_received", NULL},
        {LIFECYCLE_IN_STOCK, VERDICT_GREEN, "genuine", NULL},
        {LIFECYCLE_IN_TRANSIT, VERDICT_AMBER, "in_transit", NULL},
        {LIFECYCLE_PART_DISPENSED, VERDICT_GREEN, "genuine", NULL},
        {LIFECYCLE_DISPENSED, VERDICT_RED, "already_dispensed", "Not_for_re-distribution"},
        {LIFECYCLE_RETURNED, VERDICT_RED, "returned", "Not_for_re-distribution"},
        {LIFECYCLE_QUARANTINED, VERDICT_AMBER, "quarantined", NULL},
        {LIFECYCLE_RECALLED, VERDICT_RED, "recalled", NULL},
        {LIFECYCLE_DECOMMISSIONED, VERDICT_RED, "out_of_use", "Not_for_re-distribution"},
        {LIFECYCLE_DESTROYED, VERDICT_RED, "out_of_use", "Not_for_re-distribution"},
        {LIFECYCLE_EXPORTED, VERDICT_RED, "out_of_use", "Not_for_re-distribution"},
        {LIFECYCLE_STOLEN, VERDICT_RED, "stolen", "Not_for_re-distribution"},
        {LIFECYCLE_SAMPLE, VERDICT_RED, "sample", "Not_for_re-distribution"},
        {LIFECYCLE_CHECKED_OUT, VERDICT_RED, "checked_out", "Not_for_re-distribution"},
        {LIFECYCLE_FREE_SAMPLE, VERDICT_RED, "free_sample", "Not_for_re-distribution"},
        {LIFECYCLE_LOCKED, VERDICT_RED, "locked", "Not_for_re-distribution"},
        {LIFECYCLE_WITHDRAWN, VERDICT_RED, "withdrawn", NULL},
    };
    assert_int_equal(sizeof expected / sizeof *expected, LIFECYCLE_STATES);
    const struct verdict_label label = {.lot = "A1", .has_expiry = true, .expiry_day = 21000};
    for (size_t i = 0; i < LIFECYCLE_STATES; i++) {
        struct ledger_pack pack = good_pack();
        pack.state = expected[i].state;
        check(&pack, &label, false, expected[i].colour, expected[i].code, expected[i].failure);
        // Old knowledge never turns an answer green, and never hides a grave one.
        const struct verdict stale = verdict_of(&pack, &label, true);
        assert_true(stale.colour != VERDICT_GREEN);
        if (expected[i].colour != VERDICT_GREEN) assert_string_equal(stale.code, expected[i].code);
    }
}

static void what_nobody_announced_is_red(void **state) {
    (void)state;
    const struct verdict_label label = {0};
    const struct ledger_pack none = {.expiry_day = INT32_MIN};
    check(&none, &label, false, VERDICT_RED, "unknown", "No_match_GTIN_Serial");
    struct ledger_pack seen = good_pack();
    seen.reasons = PACK_REASON_NO_DATA;
    check(&seen, &label, false, VERDICT_AMBER, "no_data", "No_match_GTIN_Serial");
}

static void a_label_that_says_otherwise_is_red(void **state) {
    (void)state;
    const struct ledger_pack pack = good_pack();
    const struct verdict_label lot = {.lot = "B2"};
    const struct verdict_label expiry = {.lot = "A1", .has_expiry = true, .expiry_day = 21001};
    const struct verdict_label both = {.lot = "B2", .has_expiry = true, .expiry_day = 21001};
    check(&pack, &lot, false, VERDICT_RED, "lot_mismatch", "No_match_GTIN_Serial_Lot");
    check(&pack, &expiry, false, VERDICT_RED, "expiry_mismatch", "No_match_GTIN_Serial_Expiry");
    check(&pack, &both, false, VERDICT_RED, "lot_mismatch", "No_match_GTIN_Serial_Lot_Expiry");
    // A label or a record that says nothing contradicts nothing.
    struct ledger_pack bare = good_pack();
    bare.lot = NULL;
    bare.expiry_day = INT32_MIN;
    check(&bare, &both, false, VERDICT_GREEN, "genuine", NULL);
}

static void the_gravest_reason_is_told(void **state) {
    (void)state;
    const struct verdict_label label = {.lot = "B2"};
    struct ledger_pack pack = good_pack();
    pack.reasons = PACK_REASON_EXPIRED | PACK_REASON_ALERT;
    check(&pack, &label, true, VERDICT_RED, "expired", "No_match_GTIN_Serial_Lot");
    pack.reasons |= PACK_REASON_RECALLED;
    check(&pack, &label, true, VERDICT_RED, "recalled", "No_match_GTIN_Serial_Lot");
    const struct verdict_label none = {0};
    pack.reasons = PACK_REASON_ALERT | PACK_REASON_UNCONFIRMED;
    check(&pack, &none, false, VERDICT_AMBER, "contents_unconfirmed", NULL);
    pack.reasons = PACK_REASON_ALERT;
    check(&pack, &none, false, VERDICT_AMBER, "alert", NULL);
    pack.reasons = PACK_REASON_PART_USED;
    check(&pack, &none, false, VERDICT_GREEN, "genuine_part_used", NULL);
}

static void a_recall_in_force_is_told(void **state) {
    (void)state;
    const struct verdict_label none = {0}, other_lot = {.lot = "B2"};
    const struct ledger_pack_recall recall = {.id = "R1", .level = 1, .certain = true, .reason = {.en = "assay"}};
    struct ledger_pack pack = good_pack();
    pack.recall = &recall;
    pack.reasons = PACK_REASON_RECALLED;
    check(&pack, &none, false, VERDICT_RED, "recalled", NULL);
    assert_true(verdict_of(&pack, &none, false).by_recall);
    assert_string_equal(verdict_of(&pack, &none, false).additional_info, "Recalled");
    pack.state = LIFECYCLE_DISPENSED;  // recalled and sold: both are in the answer
    check(&pack, &none, false, VERDICT_RED, "recalled", "Not_for_re-distribution");
    // In doubt never green; what is worse is told first.
    pack = good_pack();
    pack.recall = &recall;
    pack.reasons = PACK_REASON_MAYBE_RECALLED;
    check(&pack, &none, false, VERDICT_AMBER, "may_be_recalled", NULL);
    check(&pack, &none, true, VERDICT_AMBER, "may_be_recalled", NULL);
    assert_true(verdict_of(&pack, &none, false).by_recall);
    check(&pack, &other_lot, false, VERDICT_RED, "lot_mismatch", "No_match_GTIN_Serial_Lot");
    pack.reasons |= PACK_REASON_EXPIRED;
    check(&pack, &none, false, VERDICT_RED, "expired", NULL);
    pack.reasons = PACK_REASON_MAYBE_RECALLED;
    pack.state = LIFECYCLE_DISPENSED;
    check(&pack, &none, false, VERDICT_RED, "already_dispensed", "Not_for_re-distribution");
    assert_false(verdict_of(&pack, &none, false).by_recall);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_state_has_its_answer),
        cmocka_unit_test(what_nobody_announced_is_red),
        cmocka_unit_test(a_label_that_says_otherwise_is_red),
        cmocka_unit_test(the_gravest_reason_is_told),
        cmocka_unit_test(a_recall_in_force_is_told),
    };
    return cmocka_run_group_tests_name("ledger verdict", tests, NULL, NULL);
}
