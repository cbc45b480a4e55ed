// The pack's states, driven by signed events through the whole ledger: every pair of operation and state, and what
// depends on more than the pair.
#include <stdio.h>
#include <string.h>

#include "common/epcis/packtrail_terms.h"
#include "ledger/contracts/lifecycle_table.h"
#include "tests/support/support.h"
#include "tests/unit/ledger/lab.h"

static struct lab lab;

static int setup_cn(void **state) {
    (void)state;
    lab_new(&lab, "cn");
    lab.follow = true;
    lab_open(&lab);
    return 0;
}

static int setup_eu(void **state) {
    (void)state;
    lab_new(&lab, "eu");
    lab.follow = true;
    lab_open(&lab);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    lab_free(&lab);
    return 0;
}

static const struct lab_event commission = {.action = EPCIS_ADD, .step = "commissioning", .lot = "L1", .expiry = "2027-06-30", .content = 10};

// The events that lead a pack that nobody knows into a state; NULL steps end it.
static const struct way {
    enum lifecycle_state state;
    struct lab_event events[3];
} ways[] = {
    {LIFECYCLE_UNKNOWN, {{0}}},
    {LIFECYCLE_COMMISSIONED, {{.action = EPCIS_ADD, .step = "commissioning", .content = 10}}},
    {LIFECYCLE_IN_STOCK, {{.action = EPCIS_ADD, .step = "commissioning", .content = 10}, {.step = "receiving"}}},
    {LIFECYCLE_IN_TRANSIT, {{.action = EPCIS_ADD, .step = "commissioning", .content = 10}, {.step = "shipping"}}},
    {LIFECYCLE_PART_DISPENSED, {{.action = EPCIS_ADD, .step = "commissioning", .content = 10},
                                {.step = "dispensing", .disposition = "partially_dispensed", .units = 4}}},
    {LIFECYCLE_DISPENSED, {{.action = EPCIS_ADD, .step = "commissioning", .content = 10}, {.step = "dispensing"}}},
    {LIFECYCLE_RETURNED, {{.action = EPCIS_ADD, .step = "commissioning", .content = 10}, {.step = "dispensing"},
                          {.step = "receiving", .disposition = "returned"}}},
    {LIFECYCLE_QUARANTINED, {{.action = EPCIS_ADD, .step = "commissioning", .content = 10}, {.step = "holding"}}},
    {LIFECYCLE_RECALLED, {{.action = EPCIS_ADD, .step = "commissioning", .content = 10}, {.step = "holding", .disposition = "recalled"}}},
    {LIFECYCLE_DECOMMISSIONED, {{.action = EPCIS_ADD, .step = "commissioning", .content = 10}, {.action = EPCIS_DELETE, .step = "decommissioning"}}},
    {LIFECYCLE_DESTROYED, {{.action = EPCIS_ADD, .step = "commissioning", .content = 10}, {.action = EPCIS_DELETE, .step = "destroying"}}},
    {LIFECYCLE_STOLEN, {{.action = EPCIS_ADD, .step = "commissioning", .content = 10}, {.disposition = "stolen"}}},
    {LIFECYCLE_SAMPLE, {{.action = EPCIS_ADD, .step = "commissioning", .content = 10}, {.step = "sampling"}}},
    {LIFECYCLE_EXPORTED, {{.action = EPCIS_ADD, .step = "commissioning", .content = 10}, {.disposition = PACKTRAIL_DISPOSITION_EXPORTED}}},
    {LIFECYCLE_CHECKED_OUT, {{.action = EPCIS_ADD, .step = "commissioning", .content = 10}, {.disposition = PACKTRAIL_DISPOSITION_CHECKED_OUT}}},
    {LIFECYCLE_FREE_SAMPLE, {{.action = EPCIS_ADD, .step = "commissioning", .content = 10}, {.disposition = PACKTRAIL_DISPOSITION_FREE_SAMPLE}}},
    {LIFECYCLE_LOCKED, {{.action = EPCIS_ADD, .step = "commissioning", .content = 10}, {.disposition = "inactive"}}},
    {LIFECYCLE_WITHDRAWN, {{.action = EPCIS_ADD, .step = "commissioning", .content = 10}, {.disposition = PACKTRAIL_DISPOSITION_WITHDRAWN}}},
};

// One event of each operation, in the operations' order; the pack under test is put in by say_operation.
static const struct lab_event operations[LIFECYCLE_OPERATIONS] = {
    [OPERATION_OBSERVE] = {.step = "cycle_counting"},
    [OPERATION_COMMISSION] = {.action = EPCIS_ADD, .step = "commissioning"},
    [OPERATION_FILL] = {.type = EPCIS_AGGREGATION, .action = EPCIS_ADD, .step = "packing"},
    [OPERATION_PACK] = {.type = EPCIS_AGGREGATION, .action = EPCIS_ADD, .step = "packing"},
    [OPERATION_EMPTY] = {.type = EPCIS_AGGREGATION, .action = EPCIS_DELETE, .step = "unpacking"},
    [OPERATION_UNPACK] = {.type = EPCIS_AGGREGATION, .action = EPCIS_DELETE, .step = "unpacking"},
    [OPERATION_SHIP] = {.step = "shipping", .disposition = "in_transit"},
    [OPERATION_VOID_SHIP] = {.step = "void_shipping"},
    [OPERATION_RECEIVE] = {.step = "receiving"},
    [OPERATION_SEND_BACK] = {.step = "shipping", .disposition = "returned"},
    [OPERATION_TAKE_BACK] = {.step = "receiving", .disposition = "returned"},
    [OPERATION_DISPENSE] = {.step = "dispensing", .disposition = "dispensed"},
    [OPERATION_UNDO] = {.step = "dispensing", .disposition = "dispensed", .error = true},
    [OPERATION_HOLD] = {.step = "holding"},
    [OPERATION_RELEASE] = {.step = "inspecting", .disposition = "sellable_accessible"},
    [OPERATION_RECALL] = {.step = "holding", .disposition = "recalled"},
    [OPERATION_DECOMMISSION] = {.action = EPCIS_DELETE, .step = "decommissioning"},
    [OPERATION_DESTROY] = {.action = EPCIS_DELETE, .step = "destroying", .disposition = "destroyed"},
    [OPERATION_STEAL] = {.disposition = "stolen"},
    [OPERATION_SAMPLE] = {.step = "sampling"},
    [OPERATION_EXPORT] = {.step = "shipping", .disposition = PACKTRAIL_DISPOSITION_EXPORTED},
    [OPERATION_CHECK_OUT] = {.disposition = PACKTRAIL_DISPOSITION_CHECKED_OUT},
    [OPERATION_FREE_SAMPLE] = {.disposition = PACKTRAIL_DISPOSITION_FREE_SAMPLE},
    [OPERATION_LOCK] = {.disposition = PACKTRAIL_DISPOSITION_LOCKED},
    [OPERATION_WITHDRAW] = {.disposition = PACKTRAIL_DISPOSITION_WITHDRAWN},
};

// What is declared in error is what led to the state.
static void word_undo(struct lab_event *event, enum lifecycle_state from) {
    static const struct {
        enum lifecycle_state state;
        const char *step, *disposition;
    } rows[] = {{LIFECYCLE_EXPORTED, "shipping", PACKTRAIL_DISPOSITION_EXPORTED}, {LIFECYCLE_SAMPLE, "sampling", NULL},
                {LIFECYCLE_CHECKED_OUT, NULL, PACKTRAIL_DISPOSITION_CHECKED_OUT},
                {LIFECYCLE_FREE_SAMPLE, NULL, PACKTRAIL_DISPOSITION_FREE_SAMPLE}, {LIFECYCLE_LOCKED, NULL, "inactive"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].state != from) continue;
        event->step = rows[i].step;
        event->disposition = rows[i].disposition;
    }
}

static void say_operation(unsigned operation, enum lifecycle_state from, const char *serial, const char *other, int64_t seconds) {
    struct lab_event event = operations[operation];
    if (operation == OPERATION_UNDO) word_undo(&event, from);
    event.seconds = seconds;
    event.serials[0] = serial;
    if (operation == OPERATION_FILL || operation == OPERATION_EMPTY) {
        event.parent = serial;
        event.serials[0] = operation == OPERATION_FILL ? other : NULL;
    }
    if (operation == OPERATION_PACK || operation == OPERATION_UNPACK) event.parent = "C900";
    lab_say(&lab, &lab.devices[0], &event);
}

// What must be true whatever the table says: the law's and the patient's side.
static void check_for_good(enum lifecycle_state from, unsigned operation, enum lifecycle_state to) {
    const bool over = from == LIFECYCLE_RETURNED || from == LIFECYCLE_DESTROYED || from == LIFECYCLE_STOLEN ||
                      from == LIFECYCLE_DECOMMISSIONED || from == LIFECYCLE_RECALLED || from == LIFECYCLE_WITHDRAWN;
    const bool undone = from == LIFECYCLE_DISPENSED || from == LIFECYCLE_SAMPLE || from == LIFECYCLE_FREE_SAMPLE;
    if (over && lifecycle_state_dispensable(to))
        fail_msg("%s of a %s pack makes it saleable", lifecycle_operation_name((enum lifecycle_operation)operation), lifecycle_state_name(from));
    if (undone && operation != OPERATION_UNDO) assert_false(lifecycle_state_dispensable(to));
    if (from == LIFECYCLE_UNKNOWN && operation != OPERATION_COMMISSION && operation != OPERATION_FILL)
        assert_false(lifecycle_state_dispensable(to));
}

static void drive_from(const struct way *way, bool china) {
    static char serials[LIFECYCLE_OPERATIONS][16], others[LIFECYCLE_OPERATIONS][16];
    struct lab_answer answer;
    int64_t seconds = DAY;
    struct lab_event fresh = {.action = EPCIS_ADD, .step = "commissioning", .seconds = seconds};
    for (unsigned i = 0; i < LIFECYCLE_OPERATIONS; i++) {
        snprintf(serials[i], sizeof serials[i], "%u%02u", (unsigned)way->state + 1, i);
        snprintf(others[i], sizeof others[i], "9%u%02u", (unsigned)way->state + 10, i);
        fresh.serials[i] = others[i];
    }
    lab_say(&lab, &lab.devices[0], &fresh);
    for (unsigned step = 0; step < 3 && (way->events[step].step || way->events[step].disposition); step++) {
        struct lab_event event = way->events[step];
        event.seconds = seconds += 60;
        for (unsigned i = 0; i < LIFECYCLE_OPERATIONS; i++) event.serials[i] = serials[i];
        lab_say(&lab, &lab.devices[0], &event);
    }
    lab_apply(&lab, &answer);
    for (unsigned i = 0; i < LIFECYCLE_OPERATIONS; i++) {
        assert_int_equal(lab_look(&lab, serials[i]).state, way->state);
        say_operation(i, way->state, serials[i], others[i], seconds + 3600);
    }
    lab_apply(&lab, &answer);
    for (unsigned i = 0; i < LIFECYCLE_OPERATIONS; i++) {
        struct lifecycle_transition wanted = *lifecycle_transition(china ? PROFILE_CN : PROFILE_EU, (enum lifecycle_operation)i, way->state);
        enum alert_kind kind;
        // Ten units, four of them gone: the whole pack cannot be supplied any more.
        if (china && i == OPERATION_DISPENSE && way->state == LIFECYCLE_PART_DISPENSED) wanted.alert = ALERT_DOUBLE_DISPENSE;
        const enum lifecycle_state now = lab_state(&lab, serials[i]);
        const size_t alerts = lab_alerts(&lab, serials[i], &kind);
        if (now != wanted.to || kind != wanted.alert || (wanted.alert != 0) != (answer.results[i] == RESULT_ALERTED))
            fail_msg("%s of a %s pack: %s, alert %s (result %u); wanted %s, alert %s", lifecycle_operation_name((enum lifecycle_operation)i),
                     lifecycle_state_name(way->state), lifecycle_state_name(now), alert_kind_name(kind), answer.results[i],
                     lifecycle_state_name(wanted.to), alert_kind_name(wanted.alert));
        assert_int_equal(alerts, wanted.alert ? 1 : 0);
        check_for_good(way->state, i, now);
    }
}

static void every_pair(bool china) {
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
        if (china || ways[i].state != LIFECYCLE_PART_DISPENSED) drive_from(&ways[i], china);
}

static void every_pair_in_china(void **state) {
    (void)state;
    every_pair(true);
}

static void every_pair_in_europe(void **state) {
    (void)state;
    every_pair(false);
}

static enum statement_result does(const char *step, const char *disposition, const char *serial, int64_t seconds) {
    const struct lab_event event = {.step = step, .disposition = disposition, .serials = {serial}, .seconds = seconds};
    return lab_do(&lab, &lab.devices[0], &event);
}

static void announce(const char *serial, int64_t seconds) {
    struct lab_event event = commission;
    event.serials[0] = serial;
    event.seconds = seconds;
    assert_int_equal(lab_do(&lab, &lab.company, &event), RESULT_APPLIED);
}

static void opening_ends_a_pack_in_europe(void **state) {
    (void)state;
    announce("1", 0);
    const struct lab_event part = {.step = "dispensing", .disposition = "partially_dispensed", .serials = {"1"}, .units = 4, .seconds = 60};
    assert_int_equal(lab_do(&lab, &lab.devices[0], &part), RESULT_APPLIED);
    assert_int_equal(lab_state(&lab, "1"), LIFECYCLE_DISPENSED);
    assert_int_equal(lab_do(&lab, &lab.devices[0], &part), RESULT_ALERTED);
}

static void parts_count_down_in_china(void **state) {
    (void)state;
    announce("1", 0);
    struct lab_event part = {.step = "dispensing", .disposition = "partially_dispensed", .serials = {"1"}, .units = 4, .seconds = 60};
    struct lab_event undo = part;
    undo.error = true;
    assert_int_equal(lab_do(&lab, &lab.devices[0], &part), RESULT_APPLIED);
    assert_int_equal(lab_do(&lab, &lab.devices[0], &part), RESULT_APPLIED);
    assert_int_equal(lab_look(&lab, "1").quantity_left, 2);
    assert_int_equal(lab_do(&lab, &lab.devices[0], &undo), RESULT_APPLIED);
    assert_int_equal(lab_look(&lab, "1").quantity_left, 6);
    part.units = 6;
    assert_int_equal(lab_do(&lab, &lab.devices[0], &part), RESULT_APPLIED);
    assert_int_equal(lab_look(&lab, "1").quantity_left, 0);
    assert_int_equal(lab_state(&lab, "1"), LIFECYCLE_DISPENSED);
    part.units = 1;
    assert_int_equal(lab_do(&lab, &lab.devices[0], &part), RESULT_ALERTED);
    undo.seconds = 120;  // of no supply that is known: what undoing a supply does
    undo.units = 1000000;
    assert_int_equal(lab_do(&lab, &lab.devices[0], &undo), RESULT_APPLIED);  // the one too many
    assert_int_equal(lab_look(&lab, "1").quantity_left, 0);
    assert_int_equal(lab_do(&lab, &lab.devices[0], &undo), RESULT_APPLIED);
    assert_int_equal(lab_look(&lab, "1").quantity_left, 10);  // no more than it held
}

static void more_than_its_content_is_told(void **state) {
    (void)state;
    announce("1", 0);
    const struct lab_event part = {.step = "dispensing", .disposition = "partially_dispensed", .serials = {"1"}, .units = 11, .seconds = 60};
    enum alert_kind kind;
    assert_int_equal(lab_do(&lab, &lab.devices[0], &part), RESULT_ALERTED);
    assert_int_equal(lab_alerts(&lab, "1", &kind), 1);
    assert_int_equal(kind, ALERT_DOUBLE_DISPENSE);
    assert_int_equal(lab_look(&lab, "1").quantity_left, 0);
}

static void data_that_come_late_release_the_product(void **state) {
    (void)state;
    enum alert_kind kind;
    assert_int_equal(does("receiving", NULL, "1", 60), RESULT_ALERTED);
    assert_int_equal(lab_alerts(&lab, "1", &kind), 1);
    assert_int_equal(kind, ALERT_PRODUCT_WITHOUT_DATA);
    struct ledger_pack pack = lab_look(&lab, "1");
    assert_int_equal(pack.state, LIFECYCLE_QUARANTINED);
    assert_true(pack.reasons & PACK_REASON_NO_DATA);
    assert_true(pack.reasons & PACK_REASON_NOT_DISPENSABLE);
    assert_int_equal(does("inspecting", "sellable_accessible", "1", 120), RESULT_ALERTED);  // nobody releases what has no data
    assert_int_equal(lab_state(&lab, "1"), LIFECYCLE_QUARANTINED);
    announce("1", 0);  // it happened before, and is told only now
    pack = lab_look(&lab, "1");
    assert_int_equal(pack.state, LIFECYCLE_IN_STOCK);
    assert_false(pack.reasons & PACK_REASON_NO_DATA);
    assert_string_equal(pack.lot, "L1");
    assert_int_equal(does("dispensing", NULL, "1", 180), RESULT_APPLIED);
}

static void what_is_expired_is_told(void **state) {
    (void)state;
    enum alert_kind kind;
    announce("1", 0);
    const int64_t end = 545 * DAY;  // 2027-06-30 is day 545 from 2026-01-01
    assert_int_equal(does("shipping", NULL, "1", end), RESULT_APPLIED);
    assert_int_equal(does("dispensing", NULL, "1", end + 2 * DAY), RESULT_ALERTED);
    assert_int_equal(lab_alerts(&lab, "1", &kind), 1);
    assert_int_equal(kind, ALERT_EXPIRED);
    lab.now = LAB_START + (end + 2 * DAY) * 1000;
    assert_true(lab_look(&lab, "1").reasons & PACK_REASON_EXPIRED);
    lab.now = LAB_START;
    assert_false(lab_look(&lab, "1").reasons & PACK_REASON_EXPIRED);
}

static void undone_within_ten_days_at_the_same_place(void **state) {
    (void)state;
    struct lab_event undo = {.step = "dispensing", .serials = {"1"}, .error = true, .seconds = 11 * DAY};
    announce("1", 0);
    assert_int_equal(does("dispensing", NULL, "1", DAY / 2), RESULT_APPLIED);
    assert_int_equal(lab_do(&lab, &lab.devices[0], &undo), RESULT_ALERTED);
    assert_int_equal(lab_state(&lab, "1"), LIFECYCLE_DISPENSED);
    undo.seconds = 5 * DAY;
    assert_int_equal(lab_do(&lab, &lab.devices[1], &undo), RESULT_ALERTED);  // elsewhere
    assert_int_equal(lab_state(&lab, "1"), LIFECYCLE_DISPENSED);
    assert_int_equal(lab_do(&lab, &lab.devices[0], &undo), RESULT_APPLIED);
    assert_int_equal(lab_state(&lab, "1"), LIFECYCLE_IN_STOCK);
}

static void what_happens_to_a_sold_pack_does_not_prolong_its_undoing(void **state) {
    (void)state;
    const struct lab_event undo = {.step = "dispensing", .serials = {"1"}, .error = true, .seconds = 15 * DAY};
    announce("1", 0);
    assert_int_equal(does("dispensing", NULL, "1", DAY), RESULT_APPLIED);
    assert_int_equal(does("holding", NULL, "1", 9 * DAY), RESULT_APPLIED);
    assert_int_equal(lab_do(&lab, &lab.devices[0], &undo), RESULT_ALERTED);
    assert_int_equal(lab_state(&lab, "1"), LIFECYCLE_DISPENSED);
}

static void a_second_supply_elsewhere_cannot_be_undone_there(void **state) {
    (void)state;
    const struct lab_event again = {.step = "dispensing", .serials = {"1"}, .seconds = 2 * DAY};
    struct lab_event undo = {.step = "dispensing", .serials = {"1"}, .error = true, .seconds = 3 * DAY};
    announce("1", 0);
    assert_int_equal(does("dispensing", NULL, "1", DAY), RESULT_APPLIED);
    assert_int_equal(lab_do(&lab, &lab.devices[1], &again), RESULT_ALERTED);
    assert_int_equal(lab_do(&lab, &lab.devices[1], &undo), RESULT_ALERTED);
    assert_int_equal(lab_state(&lab, "1"), LIFECYCLE_DISPENSED);
    assert_string_equal(lab_look(&lab, "1").place, "urn:packtrail:place:p0");
    assert_int_equal(lab_do(&lab, &lab.devices[0], &undo), RESULT_ALERTED);  // the other supply stands
    assert_int_equal(lab_state(&lab, "1"), LIFECYCLE_DISPENSED);
}

// A patient's or inspector's look at a sold pack must not take the undoing away from the pharmacy.
static void a_look_elsewhere_does_not_move_a_sold_pack(void **state) {
    (void)state;
    const struct lab_event look = {.step = "inspecting", .serials = {"1"}, .seconds = 2 * DAY};
    const struct lab_event undo = {.step = "dispensing", .serials = {"1"}, .error = true, .seconds = 3 * DAY};
    announce("1", 0);
    assert_int_equal(does("dispensing", NULL, "1", DAY), RESULT_APPLIED);
    assert_int_equal(lab_do(&lab, &lab.devices[1], &look), RESULT_APPLIED);
    assert_int_equal(lab_do(&lab, &lab.devices[0], &undo), RESULT_APPLIED);
    assert_int_equal(lab_state(&lab, "1"), LIFECYCLE_IN_STOCK);
}

static void late_moves_join_the_history_and_change_nothing(void **state) {
    (void)state;
    const struct lab_event receive = {.step = "receiving", .serials = {"1"}, .seconds = 3 * DAY};
    announce("1", 0);
    assert_int_equal(lab_do(&lab, &lab.devices[1], &receive), RESULT_APPLIED);
    assert_int_equal(does("shipping", NULL, "1", DAY), RESULT_APPLIED);  // a terminal that was offline
    const struct ledger_pack pack = lab_look(&lab, "1");
    assert_int_equal(pack.state, LIFECYCLE_IN_STOCK);
    assert_string_equal(pack.place, "urn:packtrail:place:p1");
    assert_int_equal(lab_alerts(&lab, "1", NULL), 0);
}

#define IN_CHINA(test) cmocka_unit_test_setup_teardown(test, setup_cn, teardown)
#define IN_EUROPE(test) cmocka_unit_test_setup_teardown(test, setup_eu, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_CHINA(every_pair_in_china),
        IN_EUROPE(every_pair_in_europe),
        IN_EUROPE(opening_ends_a_pack_in_europe),
        IN_CHINA(parts_count_down_in_china),
        IN_CHINA(more_than_its_content_is_told),
        IN_CHINA(data_that_come_late_release_the_product),
        IN_CHINA(what_is_expired_is_told),
        IN_EUROPE(undone_within_ten_days_at_the_same_place),
        IN_EUROPE(what_happens_to_a_sold_pack_does_not_prolong_its_undoing),
        IN_EUROPE(a_second_supply_elsewhere_cannot_be_undone_there),
        IN_EUROPE(a_look_elsewhere_does_not_move_a_sold_pack),
        IN_CHINA(late_moves_join_the_history_and_change_nothing),
    };
    return cmocka_run_group_tests_name("ledger lifecycle", tests, NULL, NULL);
}
