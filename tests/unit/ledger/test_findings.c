// The life of an alert: who may say what became of it, what follows what, and what the pack's answer makes of it.
#include <string.h>

#include "common/base/cleanup.h"
#include "common/cose/statement.h"
#include "ledger/query/alerts.h"
#include "tests/support/support.h"
#include "tests/unit/ledger/lab.h"

static struct lab lab;

// Pack "1" is sold at two pharmacies: alert 1, enforced, raised by a statement of device 1.
static int setup(void **state) {
    (void)state;
    lab_new(&lab, "cn");
    lab_open(&lab);
    lab.now += 20 * DAY * 1000;
    lab_do(&lab, &lab.company, &(struct lab_event){.action = EPCIS_ADD, .step = "commissioning", .lot = "L1", .serials = {"1"}});
    lab_do(&lab, &lab.devices[0], &(struct lab_event){.step = "dispensing", .serials = {"1"}, .seconds = DAY});
    lab_do(&lab, &lab.devices[1], &(struct lab_event){.step = "dispensing", .serials = {"1"}, .seconds = 9 * DAY});
    return 0;
}

static int teardown(void **state) {
    (void)state;
    lab_free(&lab);
    return 0;
}

static enum statement_result find(struct lab_key *key, struct alert_finding finding) {
    uint8_t memory[FINDING_MAX + 1];
    struct pt_buf payload = PT_BUF_OVER(memory);
    struct lab_answer answer;
    if (finding.alert == 0) finding.alert = 1;
    assert_int_equal(finding_encode(&finding, &payload, NULL), PT_OK);
    const size_t at = lab_say_raw(&lab, key, STATEMENT_FINDING, pt_buf_bytes(&payload), key->next, &key->previous);
    key->next++;
    key->previous = statement_id(pt_buf_bytes(&lab.statements[at]));
    lab_apply(&lab, &answer);
    return (enum statement_result)answer.results[at];
}

static const struct alert_finding investigating = {.status = FINDING_INVESTIGATING, .note = "asked the pharmacy"};
static const struct alert_finding fake = {.status = FINDING_CLOSED, .outcome = FINDING_CONFIRMED_FAKE};
static const struct alert_finding mistake = {.status = FINDING_CLOSED, .outcome = FINDING_MISTAKE};

static enum finding_status status_of(uint64_t number, size_t *steps) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct alert_record alert;
    struct finding_record record;
    struct pt_error err;
    assert_int_equal(ledger_alert(lab.ledger, number, &arena, &alert, &record, &err), PT_OK);
    *steps = record.step_count;
    return record.status;
}

static void an_operator_leads_it_to_its_end(void **state) {
    size_t steps;
    (void)state;
    assert_int_equal(status_of(1, &steps), FINDING_NEW);
    assert_true(lab_look(&lab, "1").reasons & PACK_REASON_ALERT);
    assert_int_equal(find(&lab.operator, investigating), RESULT_APPLIED);
    assert_int_equal(find(&lab.operator, investigating), RESULT_APPLIED);  // another note
    assert_int_equal(find(&lab.operator, fake), RESULT_APPLIED);
    assert_int_equal(find(&lab.operator, mistake), RESULT_NOT_ALLOWED);   // closed is closed …
    assert_true(lab_look(&lab, "1").reasons & PACK_REASON_ALERT);         // … and a confirmed fake stays one
    assert_int_equal(find(&lab.operator, investigating), RESULT_APPLIED); // opened again
    assert_int_equal(find(&lab.operator, mistake), RESULT_APPLIED);
    assert_int_equal(status_of(1, &steps), FINDING_CLOSED);
    assert_int_equal(steps, 5);
    const struct ledger_pack pack = lab_look(&lab, "1");
    assert_false(pack.reasons & PACK_REASON_ALERT);
    assert_int_equal(pack.alert_count, 1);  // it is not forgotten
}

static void nobody_clears_himself(void **state) {
    size_t steps;
    (void)state;
    assert_int_equal(find(&lab.devices[1], investigating), RESULT_APPLIED);     // its own statement raised it
    assert_int_equal(find(&lab.devices[1], mistake), RESULT_NOT_ALLOWED);       // a grave suspicion
    assert_int_equal(find(&lab.devices[0], investigating), RESULT_NOT_ALLOWED); // not concerned
    assert_int_equal(find(&lab.operator, (struct alert_finding){.alert = 99, .status = FINDING_INVESTIGATING}), RESULT_NOT_ALLOWED);
    assert_int_equal(status_of(1, &steps), FINDING_INVESTIGATING);
    assert_int_equal(steps, 1);
}

static void a_note_warns_nobody_and_is_cleared_by_its_party(void **state) {
    (void)state;
    lab_do(&lab, &lab.company, &(struct lab_event){.action = EPCIS_ADD, .step = "commissioning", .lot = "L1", .serials = {"2"}});
    lab_do(&lab, &lab.devices[0], &(struct lab_event){.step = "dispensing", .serials = {"2"}, .seconds = DAY});
    const struct lab_event again = {.step = "dispensing", .serials = {"2"}, .seconds = DAY + 3600};
    assert_int_equal(lab_do(&lab, &lab.devices[0], &again), RESULT_ALERTED);
    enum alert_kind kind;
    assert_int_equal(lab_alerts(&lab, "2", &kind), 1);
    assert_int_equal(kind, ALERT_DOUBLE_DISPENSE);
    assert_false(lab_look(&lab, "2").reasons & PACK_REASON_ALERT);
    struct alert_finding cleared = mistake;
    cleared.alert = 2;
    assert_int_equal(find(&lab.devices[0], cleared), RESULT_APPLIED);
    cleared = investigating;
    cleared.alert = 2;
    assert_int_equal(find(&lab.devices[0], cleared), RESULT_NOT_ALLOWED);  // opening again is for others
}

static void lists_tell_how_far_it_is(void **state) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    const enum finding_status fresh = FINDING_NEW, closed = FINDING_CLOSED;
    struct ledger_alert *alerts;
    size_t count;
    uint64_t next;
    struct pt_error err;
    (void)state;
    assert_int_equal(ledger_alerts_of_status(lab.ledger, &fresh, 0, false, 10, &arena, &alerts, &count, &next, &err), PT_OK);
    assert_int_equal(count, 1);
    assert_int_equal(alerts[0].alert.kind, ALERT_DOUBLE_DISPENSE);
    assert_int_equal(next, 0);
    assert_int_equal(find(&lab.operator, fake), RESULT_APPLIED);
    assert_int_equal(ledger_alerts_of_status(lab.ledger, &fresh, 0, false, 10, &arena, &alerts, &count, &next, &err), PT_OK);
    assert_int_equal(count, 0);
    assert_int_equal(ledger_alerts_of_status(lab.ledger, &closed, 0, true, 1, &arena, &alerts, &count, &next, &err), PT_OK);
    assert_int_equal(count, 1);
    assert_int_equal(alerts[0].outcome, FINDING_CONFIRMED_FAKE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_operator_leads_it_to_its_end, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_clears_himself, setup, teardown),
        cmocka_unit_test_setup_teardown(a_note_warns_nobody_and_is_cleared_by_its_party, setup, teardown),
        cmocka_unit_test_setup_teardown(lists_tell_how_far_it_is, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
