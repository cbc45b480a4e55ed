// Device chains: what is a duplicate, a second story, a gap, a signature that does not count.
#include <stdio.h>
#include <string.h>

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

static struct lab_event commission(const char *serial) {
    return (struct lab_event){.action = EPCIS_ADD, .step = "commissioning", .serials = {serial}, .content = 10};
}

static const struct pt_digest nothing;

// Says an event at any place of the key's chain.
static size_t say_at(struct lab_key *key, const struct lab_event *event, uint64_t sequence, const struct pt_digest *previous) {
    struct pt_buf payload = PT_BUF_INIT(STATEMENT_MAX);
    lab_encode(event, &payload);
    const size_t at = lab_say_raw(&lab, key, STATEMENT_EVENT_CBOR, pt_buf_bytes(&payload), sequence, previous);
    pt_buf_free(&payload);
    return at;
}

static enum alert_kind last_alert(size_t *count) {
    enum alert_kind kind;
    *count = lab_alerts(&lab, NULL, &kind);
    return kind;
}

static void the_same_statement_counts_once(void **state) {
    (void)state;
    struct lab_answer answer;
    struct ledger_status before, after;
    const struct lab_event event = commission("1"), part = {.step = "dispensing", .disposition = "partially_dispensed", .serials = {"1"}, .units = 3, .seconds = 60};
    lab_say(&lab, &lab.devices[0], &event);
    const size_t at = lab_say(&lab, &lab.devices[0], &part);
    struct pt_buf *again = &lab.statements[lab.statement_count++];  // the very bytes, in the same block
    pt_buf_init(again, STATEMENT_MAX);
    pt_buf_append_bytes(again, pt_buf_bytes(&lab.statements[at]));
    struct pt_buf kept = PT_BUF_INIT(STATEMENT_MAX);
    pt_buf_append_bytes(&kept, pt_buf_bytes(again));
    lab_apply(&lab, &answer);
    assert_int_equal(answer.results[at], RESULT_APPLIED);
    assert_int_equal(answer.results[2], RESULT_DUPLICATE);
    ledger_status(lab.ledger, &before);
    assert_int_equal(before.tree_size, 2);
    pt_buf_init(&lab.statements[0], STATEMENT_MAX);  // in another block, by another gateway
    pt_buf_append_bytes(&lab.statements[lab.statement_count++], pt_buf_bytes(&kept));
    // ECDSA signs the same bytes differently each time.
    say_at(&lab.devices[0], &part, 1, &(struct pt_digest){{0}});
    say_at(&lab.devices[0], &event, 0, &nothing);
    lab_apply(&lab, &answer);
    assert_int_equal(answer.results[0], RESULT_DUPLICATE);
    assert_int_equal(answer.results[1], RESULT_EQUIVOCATION);  // it names another predecessor: other signed bytes
    assert_int_equal(answer.results[2], RESULT_DUPLICATE);     // only the signature differs
    ledger_status(lab.ledger, &after);
    assert_int_equal(after.tree_size, before.tree_size + 1);
    assert_int_equal(lab_look(&lab, "1").quantity_left, 7);
    pt_buf_free(&kept);
}

static void two_stories_are_evidence(void **state) {
    (void)state;
    size_t count;
    struct lab_answer answer;
    const struct lab_event first = commission("1"), second = commission("2");
    assert_int_equal(lab_do(&lab, &lab.devices[0], &first), RESULT_APPLIED);
    say_at(&lab.devices[0], &second, 0, &nothing);
    lab_apply(&lab, &answer);
    assert_int_equal(answer.results[0], RESULT_EQUIVOCATION);
    assert_int_equal(last_alert(&count), ALERT_EQUIVOCATION);
    assert_int_equal(lab_state(&lab, "2"), LIFECYCLE_UNKNOWN);
    say_at(&lab.devices[0], &second, 0, &nothing);  // the second story again is only a duplicate
    lab_apply(&lab, &answer);
    assert_int_equal(answer.results[0], RESULT_DUPLICATE);
    assert_int_equal(lab_alerts(&lab, NULL, NULL), count);
}

// A key may sign as many stories as it likes; the node must not keep more of them at hand for it.
static void many_stories_cost_no_more_than_a_few(void **state) {
    (void)state;
    size_t count;
    struct lab_answer answer;
    struct ledger_status status;
    struct lab_event event = commission("1");
    assert_int_equal(lab_do(&lab, &lab.devices[0], &event), RESULT_APPLIED);
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 100; i++) {
            event.seconds = 1 + round * 100 + i;
            say_at(&lab.devices[0], &event, 0, &nothing);
        }
        lab_apply(&lab, &answer);
        for (unsigned i = 0; i < 100; i++) assert_int_equal(answer.results[i], RESULT_EQUIVOCATION);
    }
    last_alert(&count);
    assert_int_equal(count, 7);
    ledger_status(lab.ledger, &status);
    assert_int_equal(status.tree_size, 201);
    event.seconds = 3;
    say_at(&lab.devices[0], &event, 0, &nothing);
    lab_apply(&lab, &answer);
    assert_int_equal(answer.results[0], RESULT_DUPLICATE);
}

static void a_gap_holds_until_it_closes(void **state) {
    (void)state;
    struct lab_answer answer;
    const struct lab_event event = commission("1");
    const struct lab_event ship = {.step = "shipping", .serials = {"1"}, .seconds = 60};
    const struct lab_event receive = {.step = "receiving", .serials = {"1"}, .seconds = 120};
    struct lab_key *device = &lab.devices[0];
    lab_say(&lab, device, &event);
    lab_say(&lab, device, &ship);
    lab_say(&lab, device, &receive);
    struct pt_buf first = lab.statements[0], second = lab.statements[1];
    lab.statements[0] = lab.statements[2];
    lab.statement_count = 1;
    lab_apply(&lab, &answer);
    assert_int_equal(answer.results[0], RESULT_HELD);
    assert_int_equal(lab_state(&lab, "1"), LIFECYCLE_UNKNOWN);
    lab_close(&lab);  // what waits is waiting after a restart as well
    lab_open(&lab);
    lab.statements[lab.statement_count++] = second;
    lab_apply(&lab, &answer);
    assert_int_equal(answer.results[0], RESULT_HELD);
    lab.statements[lab.statement_count++] = first;
    lab_apply(&lab, &answer);
    assert_int_equal(answer.results[0], RESULT_APPLIED);
    assert_int_equal(lab_state(&lab, "1"), LIFECYCLE_IN_STOCK);  // in the device's order, all three
    assert_int_equal(lab_alerts(&lab, NULL, NULL), 0);
}

static void a_gap_is_given_up_after_a_while(void **state) {
    (void)state;
    size_t count;
    struct lab_answer answer;
    const struct lab_event event = commission("1");
    const struct lab_event other = commission("2");
    struct lab_key *device = &lab.devices[0];
    lab_say(&lab, device, &other);
    lab_say(&lab, device, &event);
    struct pt_buf late = lab.statements[0];
    lab.statements[0] = lab.statements[1];
    lab.statement_count = 1;
    lab_apply(&lab, &answer);
    assert_int_equal(answer.results[0], RESULT_HELD);
    lab.now += 16 * 60 * 1000;
    const struct lab_event third = commission("3");
    assert_int_equal(lab_do(&lab, &lab.devices[1], &third), RESULT_APPLIED);
    assert_int_equal(lab_state(&lab, "1"), LIFECYCLE_COMMISSIONED);
    assert_int_equal(last_alert(&count), ALERT_DEVICE_GAP);
    assert_int_equal(count, 1);
    lab.statements[lab.statement_count++] = late;  // still good, however late
    lab_apply(&lab, &answer);
    assert_int_equal(answer.results[0], RESULT_APPLIED);
    assert_int_equal(lab_state(&lab, "2"), LIFECYCLE_COMMISSIONED);
}

static void only_so_many_wait_for_one_key(void **state) {
    (void)state;
    size_t count;
    struct lab_answer answer;
    static char serials[1100][8];
    unsigned made = 0;
    while (made < 1025) {
        for (unsigned i = 0; i < 205; i++, made++) {
            snprintf(serials[made], sizeof serials[made], "%u", made + 10);
            const struct lab_event event = commission(serials[made]);
            say_at(&lab.devices[0], &event, made + 1, &nothing);  // 0 is never seen
        }
        lab_apply(&lab, &answer);
    }
    assert_int_equal(last_alert(&count), ALERT_BROKEN_DEVICE_CHAIN);  // none of them names the one before
    assert_int_equal(lab_state(&lab, "10"), LIFECYCLE_COMMISSIONED);
    assert_int_equal(lab_state(&lab, "1034"), LIFECYCLE_COMMISSIONED);
}

static void a_broken_predecessor_is_told(void **state) {
    (void)state;
    size_t count;
    struct lab_answer answer;
    const struct lab_event first = commission("1"), second = commission("2");
    assert_int_equal(lab_do(&lab, &lab.devices[0], &first), RESULT_APPLIED);
    say_at(&lab.devices[0], &second, 1, &(struct pt_digest){{7}});
    lab_apply(&lab, &answer);
    assert_int_equal(answer.results[0], RESULT_ALERTED);
    assert_int_equal(last_alert(&count), ALERT_BROKEN_DEVICE_CHAIN);
    assert_int_equal(lab_state(&lab, "2"), LIFECYCLE_COMMISSIONED);
}

static size_t say_payload(struct lab_key *key, const char *type, const struct pt_buf *payload) {
    const size_t at = lab_say_raw(&lab, key, type, pt_buf_bytes(payload), key->next, &key->previous);
    key->next++;
    key->previous = statement_id(pt_buf_bytes(&lab.statements[at]));
    return at;
}

static size_t say_revocation(struct lab_key *by, const struct pt_digest *kid, uint64_t last) {
    struct pt_buf payload = PT_BUF_INIT(4096);
    struct pt_error err;
    const struct revocation revocation = {.kid = *kid, .last_trusted = last, .reason = "lost"};
    assert_ok(revocation_encode(&revocation, &payload, &err), &err);
    const size_t at = say_payload(by, STATEMENT_REVOCATION, &payload);
    pt_buf_free(&payload);
    return at;
}

static size_t say_enrolment(struct lab_key *by, const struct lab_key *whose, enum actor_role role) {
    struct pt_buf payload = PT_BUF_INIT(8192);
    struct pt_error err;
    struct actor actor = {.role = role, .kid = whose->kid, .tls = whose->kid, .name = "new", .party = "urn:packtrail:party:p9"};
    pt_buf_init(&actor.key, 1024);
    verify_key_to_cose(whose->signer.key, &actor.key);
    assert_ok(actor_encode(&actor, &payload, &err), &err);
    const size_t at = say_payload(by, STATEMENT_ENROLMENT, &payload);
    actor_free(&actor);
    pt_buf_free(&payload);
    return at;
}

static void a_revoked_key_is_trusted_up_to_its_last(void **state) {
    (void)state;
    struct lab_answer answer;
    const struct lab_event events[] = {commission("1"), commission("2"), commission("3")};
    struct lab_key *device = &lab.devices[0];
    assert_int_equal(lab_do(&lab, device, &events[0]), RESULT_APPLIED);
    lab_say(&lab, device, &events[1]);
    lab_say(&lab, device, &events[2]);
    struct pt_buf second = lab.statements[0], third = lab.statements[1];
    lab.statement_count = 0;
    say_revocation(&lab.operator, &device->kid, 1);
    lab.statements[lab.statement_count++] = second;
    lab.statements[lab.statement_count++] = third;
    lab_apply(&lab, &answer);
    assert_int_equal(answer.results[0], RESULT_APPLIED);
    assert_int_equal(answer.results[1], RESULT_APPLIED);   // signed before it was lost
    assert_int_equal(answer.results[2], RESULT_UNTRUSTED); // and after
    assert_int_equal(lab_state(&lab, "2"), LIFECYCLE_COMMISSIONED);
    assert_int_equal(lab_state(&lab, "3"), LIFECYCLE_UNKNOWN);
    say_enrolment(&lab.operator, device, ACTOR_DEVICE);
    lab_apply(&lab, &answer);
    assert_int_equal(answer.results[0], RESULT_NOT_ALLOWED);  // a revoked key never comes back
}

static void what_waits_of_a_revoked_key_is_not_applied(void **state) {
    (void)state;
    struct lab_answer answer;
    const struct lab_event event = commission("1"), first = commission("2");
    say_at(&lab.devices[0], &event, 1, &nothing);
    lab_apply(&lab, &answer);
    assert_int_equal(answer.results[0], RESULT_HELD);
    say_revocation(&lab.operator, &lab.devices[0].kid, 0);
    lab_apply(&lab, &answer);
    say_at(&lab.devices[0], &first, 0, &nothing);
    lab_apply(&lab, &answer);
    assert_int_equal(answer.results[0], RESULT_APPLIED);
    assert_int_equal(lab_state(&lab, "1"), LIFECYCLE_UNKNOWN);
}

static void strangers_and_other_ledgers_do_not_count(void **state) {
    (void)state;
    struct lab_answer answer;
    struct ledger_status status;
    const struct lab_event event = commission("1");
    lab_say(&lab, &lab.stranger, &event);
    const struct pt_digest own = lab.genesis.hash;
    lab.genesis.hash.bytes[0] ^= 1;
    say_at(&lab.devices[0], &event, 0, &nothing);
    lab.genesis.hash = own;
    struct pt_buf *garbage = &lab.statements[lab.statement_count++];
    pt_buf_init(garbage, 64);
    pt_buf_str(garbage, "no statement");
    lab_apply(&lab, &answer);
    assert_int_equal(answer.results[0], RESULT_UNKNOWN_SIGNER);
    assert_int_equal(answer.results[1], RESULT_BAD_SIGNATURE);
    assert_int_equal(answer.results[2], RESULT_BAD_SIGNATURE);
    ledger_status(lab.ledger, &status);
    assert_int_equal(status.tree_size, 0);
    assert_int_equal(lab_state(&lab, "1"), LIFECYCLE_UNKNOWN);
}

static void everybody_keeps_to_his_role(void **state) {
    (void)state;
    struct lab_answer answer;
    struct lab_event event = commission("1");
    say_enrolment(&lab.devices[0], &lab.stranger, ACTOR_DEVICE);
    say_revocation(&lab.company, &lab.devices[1].kid, 0);
    lab_say(&lab, &lab.operator, &event);
    lab_say(&lab, &lab.gateways[1], &event);
    say_enrolment(&lab.operator, &lab.stranger, ACTOR_EXECUTOR);
    lab_apply(&lab, &answer);
    for (size_t i = 0; i < 5; i++) assert_int_equal(answer.results[i], RESULT_NOT_ALLOWED);
    assert_int_equal(lab_state(&lab, "1"), LIFECYCLE_UNKNOWN);
    // Enrolled and speaking in one and the same block; as a client it may not sign.
    say_enrolment(&lab.operator, &lab.stranger, ACTOR_CLIENT);
    const size_t said = lab_say(&lab, &lab.stranger, &event);
    lab_apply(&lab, &answer);
    assert_int_equal(answer.results[0], RESULT_APPLIED);
    assert_int_equal(answer.results[said], RESULT_NOT_ALLOWED);
    say_enrolment(&lab.operator, &lab.stranger, ACTOR_DEVICE);  // a key keeps its role
    lab_apply(&lab, &answer);
    assert_int_equal(answer.results[0], RESULT_NOT_ALLOWED);
}

static void who_is_enrolled_may_speak_in_the_same_block(void **state) {
    (void)state;
    struct lab_answer answer;
    const struct lab_event event = commission("1");
    say_enrolment(&lab.operator, &lab.stranger, ACTOR_DEVICE);
    lab_say(&lab, &lab.stranger, &event);
    lab_apply(&lab, &answer);
    assert_int_equal(answer.results[1], RESULT_APPLIED);
    assert_int_equal(lab_state(&lab, "1"), LIFECYCLE_COMMISSIONED);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(the_same_statement_counts_once),
        CASE(two_stories_are_evidence),
        CASE(many_stories_cost_no_more_than_a_few),
        CASE(a_gap_holds_until_it_closes),
        CASE(a_gap_is_given_up_after_a_while),
        CASE(only_so_many_wait_for_one_key),
        CASE(a_broken_predecessor_is_told),
        CASE(a_revoked_key_is_trusted_up_to_its_last),
        CASE(what_waits_of_a_revoked_key_is_not_applied),
        CASE(strangers_and_other_ledgers_do_not_count),
        CASE(everybody_keeps_to_his_role),
        CASE(who_is_enrolled_may_speak_in_the_same_block),
    };
    return cmocka_run_group_tests_name("ledger devices", tests, NULL, NULL);
}
