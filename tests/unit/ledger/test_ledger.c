// The ledger as a whole: packs on their way, proofs, restarts.
#include <string.h>

#include "common/base/cleanup.h"
#include "tests/support/support.h"
#include "tests/unit/ledger/lab.h"

static struct lab lab;

static int setup(void **state) {
    (void)state;
    lab_new(&lab, "cn");
    lab_open(&lab);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    lab_free(&lab);
    return 0;
}

static const struct lab_event commission = {.action = EPCIS_ADD, .step = "commissioning", .serials = {"1", "2", "3"}, .lot = "L1",
                                            .expiry = "2027-06-30", .content = 10};
static const struct lab_event pack_case = {.type = EPCIS_AGGREGATION, .action = EPCIS_ADD, .step = "packing", .parent = "C1",
                                           .serials = {"1", "2"}, .seconds = 60};
static const struct lab_event pack_pallet = {.type = EPCIS_AGGREGATION, .action = EPCIS_ADD, .step = "packing", .parent = "L1",
                                             .serials = {"C1"}, .seconds = 120};
static const struct lab_event ship_pallet = {.step = "shipping", .disposition = "in_transit", .serials = {"L1"}, .seconds = 180};
static const struct lab_event receive_pallet = {.step = "receiving", .serials = {"L1"}, .seconds = DAY};

static void a_pack_goes_the_whole_way(void **state) {
    (void)state;
    assert_int_equal(lab_do(&lab, &lab.devices[0], &commission), RESULT_APPLIED);
    assert_int_equal(lab_state(&lab, "1"), LIFECYCLE_COMMISSIONED);
    assert_int_equal(lab_do(&lab, &lab.devices[0], &pack_case), RESULT_APPLIED);
    assert_int_equal(lab_do(&lab, &lab.devices[0], &pack_pallet), RESULT_APPLIED);
    assert_int_equal(lab_do(&lab, &lab.devices[0], &ship_pallet), RESULT_APPLIED);
    struct ledger_pack pack = lab_look(&lab, "1");
    assert_int_equal(pack.state, LIFECYCLE_IN_TRANSIT);
    assert_int_equal(pack.own_state, LIFECYCLE_COMMISSIONED);
    assert_int_equal(pack.reasons, PACK_REASON_INFERRED);
    assert_int_equal(pack.container_count, 2);
    assert_int_equal(lab_state(&lab, "3"), LIFECYCLE_COMMISSIONED);
    assert_int_equal(lab_do(&lab, &lab.devices[1], &receive_pallet), RESULT_APPLIED);
    pack = lab_look(&lab, "2");
    assert_int_equal(pack.state, LIFECYCLE_IN_STOCK);
    assert_string_equal(pack.place, "urn:packtrail:place:p1");
    assert_string_equal(pack.party, "urn:packtrail:party:p1");
    assert_string_equal(pack.lot, "L1");
    assert_int_equal(pack.expiry_day, 20999 - 0);
    const struct lab_event part = {.step = "dispensing", .disposition = "partially_dispensed", .serials = {"1"}, .units = 4, .seconds = 2 * DAY};
    assert_int_equal(lab_do(&lab, &lab.devices[1], &part), RESULT_APPLIED);
    pack = lab_look(&lab, "1");
    assert_int_equal(pack.state, LIFECYCLE_PART_DISPENSED);
    assert_int_equal(pack.quantity_left, 6);
    assert_int_equal(pack.container_count, 0);
    assert_int_equal(lab_do(&lab, &lab.devices[1], &part), RESULT_APPLIED);
    assert_int_equal(lab_do(&lab, &lab.devices[1], &part), RESULT_ALERTED);
    enum alert_kind kind;
    assert_int_equal(lab_alerts(&lab, "1", &kind), 1);
    assert_int_equal(kind, ALERT_DOUBLE_DISPENSE);
    assert_int_equal(lab_state(&lab, "2"), LIFECYCLE_IN_STOCK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_pack_goes_the_whole_way, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
