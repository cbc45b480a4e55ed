// Event IDs, error declarations with their corrective events, and events that come out of their order: through the whole
// ledger, as signed statements.
#include <stdio.h>
#include <string.h>

#include "common/epcis/packtrail_terms.h"
#include "tests/support/support.h"
#include "tests/unit/ledger/lab.h"

static struct lab lab;

static int setup(const char *profile) {
    lab_new(&lab, profile);
    lab.follow = true;
    lab_open(&lab);
    return 0;
}

static int setup_cn(void **state) {
    (void)state;
    return setup("cn");
}

static int setup_eu(void **state) {
    (void)state;
    return setup("eu");
}

static int teardown(void **state) {
    (void)state;
    lab_free(&lab);
    return 0;
}

#define HOUR ((int64_t)3600)

static enum statement_result say(unsigned device, const struct lab_event *event) { return lab_do(&lab, &lab.devices[device], event); }

static void announce(const char *serial) {
    const struct lab_event event = {.action = EPCIS_ADD, .step = "commissioning", .serials = {serial}, .lot = "L1", .expiry = "2027-06-30", .content = 10};
    assert_int_equal(lab_do(&lab, &lab.company, &event), RESULT_APPLIED);
}

static struct lab_event event_at(const char *step, const char *disposition, const char *serial, int64_t seconds, const char *id) {
    return (struct lab_event){.step = step, .disposition = disposition, .serials = {serial}, .seconds = seconds, .id = id};
}

// The same event again, declared in error `later` seconds after it.
static struct lab_event in_error(struct lab_event event, int64_t later) {
    event.error = true;
    event.declared = event.seconds + later;
    return event;
}

static enum alert_kind last_alert(const char *serial) {
    enum alert_kind kind;
    lab_alerts(&lab, serial, &kind);
    return kind;
}

static void what_was_last_is_restored_exactly(void **state) {
    (void)state;
    static const struct {
        const char *step, *disposition;
    } steps[] = {{"shipping", NULL}, {"receiving", NULL}, {"holding", NULL}, {"dispensing", NULL}, {"sampling", NULL},
                 {NULL, PACKTRAIL_DISPOSITION_EXPORTED}, {NULL, PACKTRAIL_DISPOSITION_LOCKED}, {"dispensing", "partially_dispensed"}};
    char serial[8], id[32];
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        snprintf(serial, sizeof serial, "%zu", i + 1);
        snprintf(id, sizeof id, "urn:uuid:%zu", i);
        announce(serial);
        const struct lab_event before = event_at("receiving", NULL, serial, HOUR, NULL);
        assert_int_equal(say(0, &before), RESULT_APPLIED);
        const struct lab_event wrong = event_at(steps[i].step, steps[i].disposition, serial, 2 * HOUR, i % 2 ? id : NULL);
        const struct lab_event declared = in_error(wrong, HOUR);
        assert_int_equal(say(0, &wrong), RESULT_APPLIED);
        if (i != 1) assert_int_not_equal(lab_state(&lab, serial), LIFECYCLE_IN_STOCK);
        assert_int_equal(say(0, &declared), RESULT_APPLIED);
        const struct ledger_pack pack = lab_look(&lab, serial);
        assert_int_equal(pack.state, LIFECYCLE_IN_STOCK);
        assert_int_equal(pack.quantity_left, 10);
        assert_string_equal(pack.place, "urn:packtrail:place:p0");
        assert_true(pack.reasons & PACK_REASON_CORRECTED);
        assert_int_equal(lab_alerts(&lab, serial, NULL), 0);
    }
}

static void a_commissioning_in_error_leaves_nothing(void **state) {
    (void)state;
    const struct lab_event made = {.action = EPCIS_ADD, .step = "commissioning", .serials = {"1"}, .content = 10, .id = "urn:uuid:1"};
    const struct lab_event declared = in_error(made, HOUR);
    assert_int_equal(lab_do(&lab, &lab.company, &made), RESULT_APPLIED);
    assert_int_equal(lab_do(&lab, &lab.company, &declared), RESULT_APPLIED);
    assert_int_equal(lab_state(&lab, "1"), LIFECYCLE_UNKNOWN);
    announce("1");  // and may be made again
    assert_int_equal(lab_state(&lab, "1"), LIFECYCLE_COMMISSIONED);
}

static void a_commissioning_in_error_that_others_followed_waits_for_data(void **state) {
    (void)state;
    const struct lab_event made = {.action = EPCIS_ADD, .step = "commissioning", .serials = {"1"}, .content = 10, .id = "urn:uuid:1"};
    const struct lab_event received = event_at("receiving", NULL, "1", HOUR, NULL), declared = in_error(made, 2 * HOUR);
    assert_int_equal(lab_do(&lab, &lab.company, &made), RESULT_APPLIED);
    assert_int_equal(say(0, &received), RESULT_APPLIED);
    assert_int_equal(lab_do(&lab, &lab.company, &declared), RESULT_ALERTED);
    assert_int_equal(lab_state(&lab, "1"), LIFECYCLE_QUARANTINED);
    assert_true(lab_look(&lab, "1").reasons & PACK_REASON_NO_DATA);
    announce("1");
    assert_int_equal(lab_state(&lab, "1"), LIFECYCLE_IN_STOCK);
}

static void packing_in_error_takes_it_out_again(void **state) {
    (void)state;
    announce("1");
    const struct lab_event packed = {.type = EPCIS_AGGREGATION, .action = EPCIS_ADD, .step = "packing", .parent = "C1", .serials = {"1"}, .seconds = HOUR,
                                     .id = "urn:uuid:1"};
    const struct lab_event shipped = event_at("shipping", NULL, "C1", 2 * HOUR, NULL), declared = in_error(packed, 3 * HOUR);
    assert_int_equal(say(0, &packed), RESULT_APPLIED);
    assert_int_equal(say(0, &shipped), RESULT_APPLIED);
    assert_int_equal(lab_state(&lab, "1"), LIFECYCLE_IN_TRANSIT);
    say(0, &declared);
    assert_int_equal(lab_look(&lab, "1").container_count, 0);
    assert_int_equal(lab_state(&lab, "1"), LIFECYCLE_COMMISSIONED);  // it never was on the way
}

static void parts_in_error_are_given_back_below_others(void **state) {
    (void)state;
    announce("1");
    struct lab_event first = event_at("dispensing", "partially_dispensed", "1", HOUR, "urn:uuid:1"), second = first;
    first.units = 4;
    second.units = 3;
    second.seconds = 2 * HOUR;
    second.id = "urn:uuid:2";
    const struct lab_event declared = in_error(first, 3 * HOUR);
    assert_int_equal(say(0, &first), RESULT_APPLIED);
    assert_int_equal(say(0, &second), RESULT_APPLIED);
    assert_int_equal(say(0, &declared), RESULT_APPLIED);
    assert_int_equal(lab_look(&lab, "1").quantity_left, 7);
    assert_int_equal(lab_state(&lab, "1"), LIFECYCLE_PART_DISPENSED);
    assert_int_equal(say(0, &declared), RESULT_APPLIED);  // declared again: once is enough
    assert_int_equal(lab_look(&lab, "1").quantity_left, 7);
}

static void moves_that_others_followed_stand(void **state) {
    (void)state;
    announce("1");
    const struct lab_event shipped = event_at("shipping", NULL, "1", HOUR, "urn:uuid:1"), received = event_at("receiving", NULL, "1", 2 * HOUR, NULL);
    const struct lab_event declared = in_error(shipped, 3 * HOUR);
    say(0, &shipped);
    say(1, &received);
    assert_int_equal(say(0, &declared), RESULT_APPLIED);
    assert_int_equal(lab_state(&lab, "1"), LIFECYCLE_IN_STOCK);
    assert_string_equal(lab_look(&lab, "1").place, "urn:packtrail:place:p1");
    assert_true(lab_look(&lab, "1").reasons & PACK_REASON_CORRECTED);
}

// Told to be sold whole; in truth four of ten. Before the declaration, after it, and in one block with it.
static void corrective_events_count_whenever_they_come(void **state) {
    (void)state;
    static const char *const serials[] = {"1", "2", "3"};
    for (unsigned i = 0; i < 3; i++) {
        char wrong_id[32], right_id[32];
        struct lab_answer answer;
        snprintf(wrong_id, sizeof wrong_id, "urn:uuid:wrong%u", i);
        snprintf(right_id, sizeof right_id, "urn:uuid:right%u", i);
        announce(serials[i]);
        const struct lab_event wrong = event_at("dispensing", "dispensed", serials[i], HOUR, wrong_id);
        struct lab_event right = event_at("dispensing", "partially_dispensed", serials[i], HOUR, right_id), declared = in_error(wrong, 2 * HOUR);
        right.units = 4;
        declared.corrective[0] = right_id;
        assert_int_equal(say(0, &wrong), RESULT_APPLIED);
        if (i == 0) assert_int_equal(say(0, &right), RESULT_ALERTED);  // not yet known to be a correction
        lab_say(&lab, &lab.devices[0], &declared);
        if (i == 1) lab_apply(&lab, &answer);
        if (i != 0) lab_say(&lab, &lab.devices[0], &right);
        lab_apply(&lab, &answer);
        const struct ledger_pack pack = lab_look(&lab, serials[i]);
        assert_int_equal(pack.state, LIFECYCLE_PART_DISPENSED);
        assert_int_equal(pack.quantity_left, 6);
    }
}

static void a_correction_is_corrected(void **state) {
    (void)state;
    announce("1");
    const struct lab_event wrong = event_at("dispensing", NULL, "1", HOUR, "urn:uuid:1"), right = event_at("sampling", NULL, "1", HOUR, "urn:uuid:2");
    struct lab_event declared = in_error(wrong, 2 * HOUR), again = in_error(right, 3 * HOUR);
    declared.corrective[0] = "urn:uuid:2";
    say(0, &wrong);
    say(0, &declared);
    assert_int_equal(say(0, &right), RESULT_APPLIED);
    assert_int_equal(lab_state(&lab, "1"), LIFECYCLE_SAMPLE);
    assert_int_equal(say(0, &again), RESULT_APPLIED);
    assert_int_equal(lab_state(&lab, "1"), LIFECYCLE_COMMISSIONED);
}

static void only_its_author_or_an_operator_takes_back(void **state) {
    (void)state;
    announce("1");
    const struct lab_event wrong = event_at("shipping", NULL, "1", HOUR, "urn:uuid:1"), declared = in_error(wrong, HOUR);
    say(0, &wrong);
    assert_int_equal(say(1, &declared), RESULT_NOT_ALLOWED);
    assert_int_equal(lab_state(&lab, "1"), LIFECYCLE_IN_TRANSIT);
    assert_int_equal(lab_do(&lab, &lab.operator, &declared), RESULT_APPLIED);
    assert_int_equal(lab_state(&lab, "1"), LIFECYCLE_COMMISSIONED);
    const struct lab_event plain = event_at("receiving", NULL, "1", 3 * HOUR, NULL);
    assert_int_equal(lab_do(&lab, &lab.operator, &plain), RESULT_NOT_ALLOWED);  // an operator tells no events of his own
}

static void a_declaration_may_come_before_its_event(void **state) {
    (void)state;
    announce("1");
    announce("2");
    const struct lab_event wrong = event_at("dispensing", NULL, "1", HOUR, "urn:uuid:1"), declared = in_error(wrong, HOUR);
    assert_int_equal(say(0, &declared), RESULT_APPLIED);
    assert_int_equal(say(0, &wrong), RESULT_APPLIED);
    assert_int_equal(lab_state(&lab, "1"), LIFECYCLE_COMMISSIONED);
    // Nobody silences another so.
    const struct lab_event other = event_at("dispensing", NULL, "2", HOUR, "urn:uuid:2"), forestalled = in_error(other, HOUR);
    say(1, &forestalled);
    assert_int_equal(say(0, &other), RESULT_APPLIED);
    assert_int_equal(lab_state(&lab, "2"), LIFECYCLE_DISPENSED);
}

static void one_id_with_two_contents_is_told(void **state) {
    (void)state;
    enum alert_kind kind;
    announce("1");
    const struct lab_event first = event_at("receiving", NULL, "1", HOUR, "urn:uuid:1");
    struct lab_event other = first;
    other.seconds += 60;
    assert_int_equal(say(0, &first), RESULT_APPLIED);
    assert_int_equal(say(0, &other), RESULT_ALERTED);
    lab_alerts(&lab, "1", &kind);
    assert_int_equal(kind, ALERT_EVENT_ID_REUSED);
}

static void the_same_event_sent_again_counts_once(void **state) {
    (void)state;
    announce("1");
    struct lab_event part = event_at("dispensing", "partially_dispensed", "1", HOUR, "urn:uuid:1");
    part.units = 4;
    assert_int_equal(say(0, &part), RESULT_APPLIED);
    assert_int_equal(say(0, &part), RESULT_APPLIED);
    assert_int_equal(lab_do(&lab, &lab.devices[1], &part), RESULT_APPLIED);
    assert_int_equal(lab_look(&lab, "1").quantity_left, 6);
    assert_int_equal(lab_alerts(&lab, "1", NULL), 0);
}

static void europe_takes_back_by_the_rules(void **state) {
    (void)state;
    static const struct {
        const char *disposition;
        enum lifecycle_state state;
        bool late_too;
    } rows[] = {{"dispensed", LIFECYCLE_DISPENSED, false}, {PACKTRAIL_DISPOSITION_EXPORTED, LIFECYCLE_EXPORTED, false},
                {PACKTRAIL_DISPOSITION_CHECKED_OUT, LIFECYCLE_CHECKED_OUT, false}, {PACKTRAIL_DISPOSITION_FREE_SAMPLE, LIFECYCLE_FREE_SAMPLE, false},
                {PACKTRAIL_DISPOSITION_LOCKED, LIFECYCLE_LOCKED, true}};
    char serial[8];
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (unsigned how = 0; how < 3; how++) {  // late, elsewhere, well
            snprintf(serial, sizeof serial, "%u%u", i + 1, how);
            announce(serial);
            const struct lab_event done = event_at(NULL, rows[i].disposition, serial, HOUR, NULL);
            assert_int_equal(say(0, &done), RESULT_APPLIED);
            assert_int_equal(lab_state(&lab, serial), rows[i].state);
            const struct lab_event undo = in_error(done, how == 0 ? 10 * DAY + 60 : 10 * DAY);
            const bool may = how == 2 || (how == 0 && rows[i].late_too);
            assert_int_equal(say(how == 1, &undo), may ? RESULT_APPLIED : RESULT_ALERTED);
            assert_int_equal(lab_state(&lab, serial), may ? LIFECYCLE_COMMISSIONED : rows[i].state);
            if (!may) assert_int_equal(last_alert(serial), ALERT_NOT_SALEABLE);
        }
}

static void what_never_comes_back_in_europe(void **state) {
    (void)state;
    static const char *const dispositions[] = {"stolen", "destroyed", "recalled", PACKTRAIL_DISPOSITION_WITHDRAWN};
    char serial[8];
    for (unsigned i = 0; i < 4; i++) {
        snprintf(serial, sizeof serial, "%u", i + 1);
        announce(serial);
        const struct lab_event done = event_at(NULL, dispositions[i], serial, HOUR, (const char *const[]){NULL, "urn:uuid:1", NULL, "urn:uuid:3"}[i]), undo = in_error(done, HOUR);
        assert_int_equal(say(0, &done), RESULT_APPLIED);
        const enum lifecycle_state before = lab_state(&lab, serial);
        assert_int_equal(say(0, &undo), RESULT_ALERTED);
        assert_int_equal(lab_state(&lab, serial), before);
    }
}

static void an_opened_pack_stays_supplied_in_europe(void **state) {
    (void)state;
    announce("1");
    struct lab_event part = event_at("dispensing", "partially_dispensed", "1", HOUR, NULL);
    part.units = 4;
    const struct lab_event undo = in_error(part, HOUR);
    say(0, &part);
    assert_int_equal(lab_state(&lab, "1"), LIFECYCLE_DISPENSED);
    assert_int_equal(say(0, &undo), RESULT_ALERTED);
    assert_int_equal(lab_state(&lab, "1"), LIFECYCLE_DISPENSED);
}

static void a_double_scan_is_no_double_dispense(void **state) {
    (void)state;
    announce("1");
    const struct lab_event sale = event_at("dispensing", NULL, "1", HOUR, NULL), again = event_at("dispensing", NULL, "1", HOUR + 40, NULL),
                           later = event_at("dispensing", NULL, "1", HOUR + 500, NULL);
    say(0, &sale);
    assert_int_equal(say(0, &again), RESULT_ALERTED);
    assert_int_equal(last_alert("1"), ALERT_DOUBLE_SCAN);
    assert_int_equal(say(1, &again), RESULT_ALERTED);  // elsewhere it is another sale
    assert_int_equal(last_alert("1"), ALERT_DOUBLE_DISPENSE);
    assert_int_equal(say(0, &later), RESULT_ALERTED);
    assert_int_equal(last_alert("1"), ALERT_DOUBLE_DISPENSE);
}

static void what_patients_bring_back_is_never_sold_again(void **state) {
    (void)state;
    announce("1");
    struct lab_event part = event_at("dispensing", "partially_dispensed", "1", HOUR, NULL), back = event_at("receiving", "returned", "1", 2 * HOUR, NULL);
    part.units = 6;
    back.units = 2;
    say(0, &part);
    assert_int_equal(say(0, &back), RESULT_APPLIED);
    assert_int_equal(lab_state(&lab, "1"), LIFECYCLE_PART_DISPENSED);
    assert_int_equal(lab_look(&lab, "1").quantity_left, 4);  // the two are not among them
    back.units = 5;
    back.seconds = 3 * HOUR;
    assert_int_equal(say(0, &back), RESULT_ALERTED);  // more than is out
    back.units = 0;
    back.seconds = 4 * HOUR;
    assert_int_equal(say(0, &back), RESULT_APPLIED);
    assert_int_equal(lab_state(&lab, "1"), LIFECYCLE_RETURNED);
}

static void a_sale_told_late_meets_what_followed_it(void **state) {
    (void)state;
    announce("1");
    announce("2");
    announce("3");
    for (unsigned i = 1; i <= 3; i++) {
        const char *const serial = (const char *const[]){"1", "2", "3"}[i - 1];
        const struct lab_event stock = event_at("receiving", NULL, serial, HOUR, NULL);
        say(0, &stock);
    }
    const struct lab_event returned = event_at("receiving", "returned", "1", 3 * DAY, NULL), traded = event_at("receiving", NULL, "2", 3 * DAY, NULL),
                           recalled = event_at("holding", "recalled", "3", 3 * DAY, NULL);
    say(0, &returned);
    say(1, &traded);
    say(0, &recalled);
    const struct lab_event first = event_at("dispensing", NULL, "1", DAY, NULL), second = event_at("dispensing", NULL, "2", DAY, NULL),
                           third = event_at("dispensing", NULL, "3", DAY, NULL);
    assert_int_equal(say(0, &first), RESULT_APPLIED);
    assert_int_equal(lab_state(&lab, "1"), LIFECYCLE_RETURNED);  // it was a patient's return
    assert_int_equal(say(0, &second), RESULT_ALERTED);
    assert_int_equal(last_alert("2"), ALERT_SOLD_PACK_IN_TRADE);
    assert_int_equal(say(0, &third), RESULT_APPLIED);            // sold before it was recalled: nobody's fault
    assert_int_equal(lab_alerts(&lab, "3", NULL), 0);
}

static void clocks_that_err_make_nothing_late(void **state) {
    (void)state;
    announce("1");
    const struct lab_event received = event_at("receiving", NULL, "1", DAY, NULL);
    struct lab_event shipped = event_at("shipping", NULL, "1", DAY - 100, NULL);
    say(0, &received);
    assert_int_equal(say(0, &shipped), RESULT_APPLIED);
    assert_int_equal(lab_state(&lab, "1"), LIFECYCLE_IN_STOCK);   // late
    shipped.clock_error = 300;
    assert_int_equal(say(0, &shipped), RESULT_APPLIED);
    assert_int_equal(lab_state(&lab, "1"), LIFECYCLE_IN_TRANSIT);  // within the clock's error: the chain's order counts
}

static void a_clock_years_ahead_does_not_freeze_a_pack(void **state) {
    (void)state;
    announce("1");
    lab.follow = false;
    const struct lab_event future = event_at("receiving", NULL, "1", 3000 * DAY, NULL), now = event_at("shipping", NULL, "1", 2 * HOUR, NULL);
    say(0, &future);
    assert_int_equal(say(0, &now), RESULT_APPLIED);
    assert_int_equal(lab_state(&lab, "1"), LIFECYCLE_IN_TRANSIT);
}

static void documents_of_china_say_what_they_are(void **state) {
    (void)state;
    announce("1");
    struct lab_event used_up = event_at("picking", "unavailable", "1", HOUR, NULL);
    used_up.document = "urn:packtrail:cn:document:208";
    assert_int_equal(say(0, &used_up), RESULT_APPLIED);
    assert_int_equal(lab_state(&lab, "1"), LIFECYCLE_DECOMMISSIONED);
}

static void held_packs_are_not_released_by_data(void **state) {
    (void)state;
    const struct lab_event received = event_at("receiving", NULL, "1", HOUR, NULL), held = event_at("holding", NULL, "1", 2 * HOUR, NULL),
                           released = event_at("inspecting", "sellable_accessible", "1", 3 * HOUR, NULL);
    say(0, &received);
    say(0, &held);
    announce("1");
    assert_int_equal(lab_state(&lab, "1"), LIFECYCLE_QUARANTINED);
    assert_int_equal(say(0, &released), RESULT_APPLIED);
    assert_int_equal(lab_state(&lab, "1"), LIFECYCLE_IN_STOCK);
}

#define IN_CHINA(test) cmocka_unit_test_setup_teardown(test, setup_cn, teardown)
#define IN_EUROPE(test) cmocka_unit_test_setup_teardown(test, setup_eu, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_CHINA(what_was_last_is_restored_exactly),
        IN_CHINA(a_commissioning_in_error_leaves_nothing),
        IN_CHINA(a_commissioning_in_error_that_others_followed_waits_for_data),
        IN_CHINA(packing_in_error_takes_it_out_again),
        IN_CHINA(parts_in_error_are_given_back_below_others),
        IN_CHINA(moves_that_others_followed_stand),
        IN_CHINA(corrective_events_count_whenever_they_come),
        IN_CHINA(a_correction_is_corrected),
        IN_CHINA(only_its_author_or_an_operator_takes_back),
        IN_CHINA(a_declaration_may_come_before_its_event),
        IN_CHINA(one_id_with_two_contents_is_told),
        IN_CHINA(the_same_event_sent_again_counts_once),
        IN_EUROPE(europe_takes_back_by_the_rules),
        IN_EUROPE(what_never_comes_back_in_europe),
        IN_EUROPE(an_opened_pack_stays_supplied_in_europe),
        IN_EUROPE(a_double_scan_is_no_double_dispense),
        IN_CHINA(what_patients_bring_back_is_never_sold_again),
        IN_CHINA(a_sale_told_late_meets_what_followed_it),
        IN_CHINA(clocks_that_err_make_nothing_late),
        IN_CHINA(a_clock_years_ahead_does_not_freeze_a_pack),
        IN_CHINA(documents_of_china_say_what_they_are),
        IN_CHINA(held_packs_are_not_released_by_data),
    };
    return cmocka_run_group_tests_name("ledger corrections", tests, NULL, NULL);
}
