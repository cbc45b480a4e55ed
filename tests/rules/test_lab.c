// The lab itself: it decides, remembers and goes back.
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/rules/rules_lab.h"
#include "tests/support/support.h"

#define PACK "https://id.gs1.org/01/06901234567892/21/1"
#define TIMED_EVENTS 200000u

static struct epcis_event event_of(const char **uri, const char *step) {
    return (struct epcis_event){.type = EPCIS_OBJECT, .action = EPCIS_OBSERVE, .event_time = {.seconds = RULES_LAB_START / 1000},
                                .has_event_time = true, .has_event_time_zone_offset = true, .biz_step = step, .epcs = {uri, 1}};
}

static void decides_and_goes_back(void **state) {
    (void)state;
    const char *uri = PACK;
    struct pack_record record;
    struct rules_lab *lab = rules_lab_new("cn", RULE_VERSION_NEWEST, 0);
    const struct actor *maker = rules_lab_enrol(lab, ACTOR_COMPANY, "urn:packtrail:party:maker", NULL);
    const struct actor *till = rules_lab_enrol(lab, ACTOR_DEVICE, "urn:packtrail:party:p1", "urn:packtrail:place:p1");
    struct epcis_event commission = event_of(&uri, "commissioning"), dispense = event_of(&uri, "dispensing");
    commission.action = EPCIS_ADD;
    assert_false(rules_lab_pack(lab, PACK, &record));
    assert_int_equal(rules_lab_event(lab, maker, &commission), RESULT_APPLIED);
    struct rules_lab_snapshot *snapshot = rules_lab_save(lab);
    const struct pt_digest before = rules_lab_digest(lab);
    dispense.event_time.seconds += 60;
    assert_int_equal(rules_lab_event(lab, till, &dispense), RESULT_APPLIED);
    assert_true(rules_lab_pack(lab, PACK, &record));
    assert_int_equal(record.state, LIFECYCLE_DISPENSED);
    assert_int_equal(rules_lab_effective(lab, PACK, NULL).state, LIFECYCLE_DISPENSED);
    assert_true(pt_bytes_equal(rules_lab_text(lab, record.place), pt_bytes_str("urn:packtrail:place:p1")));
    const struct pt_digest after = rules_lab_digest(lab);
    assert_false(pt_digest_equal(&before, &after));
    dispense.event_time.seconds += 86400;
    assert_int_equal(rules_lab_event(lab, till, &dispense), RESULT_ALERTED);
    assert_int_equal(rules_lab_alerted(lab, ALERT_DOUBLE_DISPENSE), 1);
    rules_lab_restore(lab, snapshot);
    const struct pt_digest again = rules_lab_digest(lab);
    assert_true(pt_digest_equal(&before, &again));
    dispense.event_time.seconds -= 86400;
    assert_int_equal(rules_lab_event(lab, till, &dispense), RESULT_APPLIED);
    const struct pt_digest repeated = rules_lab_digest(lab);
    assert_true(pt_digest_equal(&after, &repeated));
    rules_lab_snapshot_free(snapshot);
    rules_lab_free(lab);
}

static void refuses_what_is_not_allowed(void **state) {
    (void)state;
    const char *uri = PACK, *class = "https://id.gs1.org/01/06901234567892";
    struct rules_lab *lab = rules_lab_new("eu", RULE_VERSION_NEWEST, 0);
    const struct actor *reader = rules_lab_enrol(lab, ACTOR_CLIENT, "urn:packtrail:party:p1", NULL);
    const struct pt_digest empty = rules_lab_digest(lab);
    const struct epcis_event receive = event_of(&uri, "receiving"), nothing = event_of(&class, "receiving");
    assert_int_equal(rules_lab_event(lab, reader, &receive), RESULT_NOT_ALLOWED);
    assert_int_equal(rules_lab_event(lab, reader, &nothing), RESULT_MALFORMED);
    const struct pt_digest still = rules_lab_digest(lab);
    assert_true(pt_digest_equal(&empty, &still));
    rules_lab_free(lab);
}

// So that nobody makes it slow unnoticed. A wide margin: a busy machine, sanitizers.
static void is_fast(void **state) {
    (void)state;
    char text[100];
    const char *uri = text;
    struct rules_lab *lab = rules_lab_new("cn", RULE_VERSION_NEWEST, 16384);
    const struct actor *till = rules_lab_enrol(lab, ACTOR_DEVICE, "urn:packtrail:party:p1", "urn:packtrail:place:p1");
    struct timespec from, to;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    for (unsigned i = 0; i < TIMED_EVENTS; i++) {
        struct epcis_event event = event_of(&uri, i % 2 ? "shipping" : "receiving");
        snprintf(text, sizeof text, "https://id.gs1.org/01/06901234567892/21/%u", i % 4096);
        event.event_time.seconds += i;
        rules_lab_event(lab, till, &event);
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    const double micros = ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) / 1e3 / TIMED_EVENTS;
    print_message("# %.2f us an event of one pack\n", micros);
    assert_true(micros < 100);
    rules_lab_free(lab);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(decides_and_goes_back), cmocka_unit_test(refuses_what_is_not_allowed),
                                       cmocka_unit_test(is_fast)};
    return cmocka_run_group_tests_name("rules lab", tests, NULL, NULL);
}
