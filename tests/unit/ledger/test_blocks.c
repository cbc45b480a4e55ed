// Gateway blocks: order, repetition, forgery, and the size of what one of them may say.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/epcis/event_cbor.h"
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

static void say(const char *serial) {
    const struct lab_event event = {.action = EPCIS_ADD, .step = "commissioning", .serials = {serial}};
    lab_say(&lab, &lab.devices[0], &event);
}

static struct pt_buf next_block(struct lab_key *gateway, const char *serial) {
    struct pt_buf block = PT_BUF_INIT(BLOCK_MAX);
    say(serial);
    lab_seal(&lab, gateway, &block);
    return block;
}

static void a_block_sent_again_is_a_duplicate(void **state) {
    (void)state;
    struct lab_answer answer;
    struct ledger_status before, after;
    struct pt_buf block = next_block(&lab.gateways[0], "1"), second = next_block(&lab.gateways[0], "2");
    lab_submit(&lab, pt_buf_bytes(&block), &answer);
    assert_int_equal(answer.outcome, LEDGER_BLOCK_APPLIED);
    lab_submit(&lab, pt_buf_bytes(&second), &answer);
    assert_int_equal(answer.outcome, LEDGER_BLOCK_APPLIED);
    ledger_status(lab.ledger, &before);
    lab_submit(&lab, pt_buf_bytes(&block), &answer);
    assert_int_equal(answer.outcome, LEDGER_BLOCK_DUPLICATE);
    assert_int_equal(answer.height, 1);
    assert_int_equal(answer.expected, 2);
    lab_close(&lab);
    lab_open(&lab);
    lab_submit(&lab, pt_buf_bytes(&second), &answer);
    assert_int_equal(answer.outcome, LEDGER_BLOCK_DUPLICATE);
    assert_int_equal(answer.height, 2);
    ledger_status(lab.ledger, &after);
    assert_int_equal(after.height, before.height);
    assert_memory_equal(&after.entry, &before.entry, sizeof after.entry);
    pt_buf_free(&block);
    pt_buf_free(&second);
}

static void a_block_ahead_waits_for_its_turn(void **state) {
    (void)state;
    struct lab_answer answer;
    struct ledger_counters counters;
    struct pt_buf blocks[12];
    char serial[8];
    for (unsigned i = 0; i < 12; i++) {
        snprintf(serial, sizeof serial, "%u", i + 1);
        blocks[i] = next_block(&lab.gateways[0], serial);
    }
    for (unsigned i = 1; i < 12; i++) {
        lab_submit(&lab, pt_buf_bytes(&blocks[i]), &answer);
        assert_int_equal(answer.outcome, LEDGER_BLOCK_WAITING);
        assert_int_equal(answer.expected, 0);
    }
    lab_submit(&lab, pt_buf_bytes(&blocks[0]), &answer);
    assert_int_equal(answer.outcome, LEDGER_BLOCK_APPLIED);
    // Eight were kept; the rest was answered "waiting" as well, and is asked for again.
    lab_submit(&lab, pt_buf_bytes(&blocks[11]), &answer);
    assert_int_equal(answer.outcome, LEDGER_BLOCK_WAITING);
    assert_int_equal(answer.expected, 9);
    assert_int_equal(lab_state(&lab, "9"), LIFECYCLE_COMMISSIONED);
    assert_int_equal(lab_state(&lab, "10"), LIFECYCLE_UNKNOWN);
    for (unsigned i = 0; i < 12; i++) lab_submit(&lab, pt_buf_bytes(&blocks[i]), &answer);
    assert_int_equal(lab_state(&lab, "12"), LIFECYCLE_COMMISSIONED);
    ledger_counters(lab.ledger, &counters);
    assert_int_equal(counters.blocks_applied, 12);
    assert_int_equal(counters.blocks_waiting, 0);
    for (unsigned i = 0; i < 12; i++) pt_buf_free(&blocks[i]);
}

static void what_waits_is_bounded_over_all_gateways(void **state) {
    (void)state;
    struct lab_answer answer;
    lab_close(&lab);
    lab.options.waiting_blocks = 3;
    lab_open(&lab);
    struct pt_buf blocks[LAB_GATEWAYS][4];
    char serial[8];
    for (unsigned g = 0; g < LAB_GATEWAYS; g++)
        for (unsigned i = 0; i < 4; i++) {
            snprintf(serial, sizeof serial, "%u", g * 10 + i + 1);
            blocks[g][i] = next_block(&lab.gateways[g], serial);
        }
    for (unsigned g = 0; g < LAB_GATEWAYS; g++)
        for (unsigned i = 1; i < 4; i++) {
            lab_submit(&lab, pt_buf_bytes(&blocks[g][i]), &answer);
            assert_int_equal(answer.outcome, LEDGER_BLOCK_WAITING);
        }
    for (unsigned g = 0; g < LAB_GATEWAYS; g++) lab_submit(&lab, pt_buf_bytes(&blocks[g][0]), &answer);
    struct ledger_status status;
    lab_submit(&lab, pt_buf_bytes(&blocks[1][0]), &answer);
    ledger_status(lab.ledger, &status);
    assert_int_equal(status.height, 5);  // three of the first gateway's were kept, none of the second's
    for (unsigned g = 0; g < LAB_GATEWAYS; g++)
        for (unsigned i = 0; i < 4; i++) pt_buf_free(&blocks[g][i]);
}

static void another_block_of_the_same_sequence_is_refused(void **state) {
    (void)state;
    struct lab_answer answer;
    struct ledger_status status;
    struct pt_buf block = next_block(&lab.gateways[0], "1");
    lab.gateways[0].next = 0;
    memset(&lab.gateways[0].previous, 0, sizeof lab.gateways[0].previous);
    struct pt_buf other = next_block(&lab.gateways[0], "2");
    lab_submit(&lab, pt_buf_bytes(&block), &answer);
    lab_submit(&lab, pt_buf_bytes(&other), &answer);
    assert_int_equal(answer.outcome, LEDGER_BLOCK_REFUSED);
    assert_int_equal(answer.why, PT_CONFLICT);
    assert_int_equal(answer.height, 0);
    ledger_status(lab.ledger, &status);
    assert_int_equal(status.height, 1);
    pt_buf_free(&block);
    pt_buf_free(&other);
}

static void expect_ignored(struct pt_bytes bytes, enum pt_code why) {
    struct lab_answer answer;
    struct ledger_status status;
    lab_submit(&lab, bytes, &answer);
    assert_int_equal(answer.code, PT_OK);
    assert_int_equal(answer.outcome, LEDGER_BLOCK_REFUSED);
    assert_int_equal(answer.height, 0);
    if (answer.why != why) fail_msg("refused by %d, not %d: %s", (int)answer.why, (int)why, answer.reason);
    assert_true(answer.reason[0]);
    ledger_status(lab.ledger, &status);
    assert_int_equal(status.height, 0);
    assert_false(status.failed);
}

static void forged_and_foreign_blocks_are_ignored(void **state) {
    (void)state;
    struct lab_answer answer;
    struct pt_buf block = next_block(&lab.gateways[0], "1");
    struct pt_buf changed = PT_BUF_INIT(BLOCK_MAX);
    for (size_t at = 0; at < block.len; at += block.len / 37 + 1) {  // whatever byte is changed
        pt_buf_clear(&changed);
        pt_buf_append_bytes(&changed, pt_buf_bytes(&block));
        changed.data[at] ^= 1;
        lab_submit(&lab, pt_buf_bytes(&changed), &answer);
        if (answer.outcome != LEDGER_BLOCK_REFUSED || answer.height != 0) fail_msg("byte %zu changed: outcome %d", at, (int)answer.outcome);
    }
    expect_ignored(pt_bytes_of(block.data, block.len - 1), PT_INVALID);
    expect_ignored(pt_bytes_str("no block"), PT_INVALID);
    expect_ignored(pt_bytes_of(NULL, 0), PT_INVALID);
    struct pt_buf strangers = next_block(&lab.stranger, "2"), devices = next_block(&lab.devices[3], "3");
    expect_ignored(pt_buf_bytes(&strangers), PT_FORBIDDEN);
    expect_ignored(pt_buf_bytes(&devices), PT_FORBIDDEN);
    const struct pt_digest own = lab.genesis.hash;
    struct lab_key as_if = lab.gateways[1];
    lab.genesis.hash.bytes[3] ^= 1;
    struct pt_buf foreign = next_block(&as_if, "4");
    lab.genesis.hash = own;
    expect_ignored(pt_buf_bytes(&foreign), PT_UNVERIFIED);
    // None of it used anything up: the true block is still welcome.
    lab_submit(&lab, pt_buf_bytes(&block), &answer);
    assert_int_equal(answer.outcome, LEDGER_BLOCK_APPLIED);
    pt_buf_free(&block);
    pt_buf_free(&changed);
    pt_buf_free(&strangers);
    pt_buf_free(&devices);
    pt_buf_free(&foreign);
}

static void a_block_that_follows_another_uses_its_sequence_up(void **state) {
    (void)state;
    struct lab_answer answer;
    struct pt_buf first = next_block(&lab.gateways[0], "1");
    lab_submit(&lab, pt_buf_bytes(&first), &answer);
    lab.gateways[0].previous.bytes[0] ^= 1;
    struct pt_buf broken = next_block(&lab.gateways[0], "2");
    lab_submit(&lab, pt_buf_bytes(&broken), &answer);
    assert_int_equal(answer.outcome, LEDGER_BLOCK_REFUSED);
    assert_int_equal(answer.height, 2);
    assert_int_equal(answer.expected, 2);
    assert_int_equal(answer.why, PT_CONFLICT);
    assert_int_equal(lab_state(&lab, "2"), LIFECYCLE_UNKNOWN);
    struct pt_buf third = next_block(&lab.gateways[0], "3");
    lab_submit(&lab, pt_buf_bytes(&third), &answer);
    assert_int_equal(answer.outcome, LEDGER_BLOCK_APPLIED);
    assert_int_equal(answer.results[0], RESULT_HELD);  // the device's second statement was in the refused block
    lab_submit(&lab, pt_buf_bytes(&broken), &answer);
    assert_int_equal(answer.outcome, LEDGER_BLOCK_DUPLICATE);
    lab_close(&lab);
    lab_open(&lab);
    lab_submit(&lab, pt_buf_bytes(&third), &answer);
    assert_int_equal(answer.outcome, LEDGER_BLOCK_DUPLICATE);
    pt_buf_free(&first);
    pt_buf_free(&broken);
    pt_buf_free(&third);
}

static void results_stand_in_the_entry(void **state) {
    (void)state;
    struct lab_answer answer;
    struct pt_error err;
    struct chain_entry entry;
    struct pt_buf bytes = PT_BUF_INIT(ENTRY_MAX), co_signature = PT_BUF_INIT(4096);
    say("1");
    say("2");
    const struct lab_event again = {.action = EPCIS_ADD, .step = "commissioning", .serials = {"1"}};
    lab_say(&lab, &lab.devices[1], &again);
    lab_say(&lab, &lab.stranger, &again);
    lab_apply(&lab, &answer);
    assert_ok(ledger_entry(lab.ledger, 1, &bytes, &co_signature, &err), &err);
    assert_ok(chain_entry_decode(pt_buf_bytes(&bytes), &entry, &err), &err);
    const uint8_t wanted[4] = {RESULT_APPLIED, RESULT_APPLIED, RESULT_ALERTED, RESULT_UNKNOWN_SIGNER};
    assert_int_equal(entry.results.len, 4);
    assert_memory_equal(entry.results.data, wanted, 4);
    assert_int_equal(entry.tree_size, 3);
    assert_int_equal(entry.block_result, 0);
    const struct pt_digest digest = chain_entry_digest(pt_buf_bytes(&bytes));
    assert_ok(co_signature_verify(pt_buf_bytes(&co_signature), lab.node.signer.key, &lab.genesis.hash, 0, 1, &digest, &err), &err);
    pt_buf_free(&bytes);
    pt_buf_free(&co_signature);
}

// --- What one event may say ---

#define CROWD 80000u  // as many as fit a statement

static void say_crowd(struct lab_key *key, unsigned from, const char *step) {
    struct pt_error err;
    struct pt_buf payload = PT_BUF_INIT(STATEMENT_MAX);
    char *texts = malloc((size_t)CROWD * 64);
    const char **uris = malloc(CROWD * sizeof *uris);
    assert_non_null(texts);
    assert_non_null(uris);
    for (unsigned i = 0; i < CROWD; i++) {
        snprintf(texts + (size_t)i * 64, 64, "https://id.gs1.org/01/06901234567892/21/%06u", from + i);
        uris[i] = texts + (size_t)i * 64;
    }
    const struct epcis_event event = {.type = EPCIS_OBJECT, .action = EPCIS_OBSERVE, .event_time = {.seconds = LAB_START / 1000},
                                      .has_event_time = true, .event_time_zone_offset = 480, .has_event_time_zone_offset = true,
                                      .biz_step = step, .epcs = {uris, CROWD}};
    assert_ok(epcis_cbor_encode(&event, &payload, &err), &err);
    const size_t at = lab_say_raw(&lab, key, STATEMENT_EVENT_CBOR, pt_buf_bytes(&payload), key->next++, &key->previous);
    key->previous = statement_id(pt_buf_bytes(&lab.statements[at]));
    pt_buf_free(&payload);
    free(texts);
    free(uris);
}

// Packs that nobody knows, and four such statements side by side: told, not fatal, and none of them
// fares worse because of the others.
static void a_crowd_of_unknown_packs_is_told(void **state) {
    (void)state;
    struct lab_answer answer;
    struct ledger_status status;
    struct ledger_counters counters;
    for (unsigned i = 0; i < 4; i++) say_crowd(&lab.devices[i], i * CROWD, "shipping");
    lab_apply(&lab, &answer);
    for (unsigned i = 0; i < 4; i++) assert_int_equal(answer.results[i], RESULT_ALERTED);
    ledger_status(lab.ledger, &status);
    assert_false(status.failed);
    ledger_counters(lab.ledger, &counters);
    assert_int_equal(counters.packs_written, 4 * CROWD);
    assert_int_equal(counters.alerts, 4 * 16384);
    const struct ledger_pack last = lab_look(&lab, "319999");
    assert_int_equal(last.state, LIFECYCLE_QUARANTINED);
    assert_int_equal(last.alert_count, 1);
    assert_true(last.reasons & PACK_REASON_ALERT);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(a_block_sent_again_is_a_duplicate),
        CASE(a_block_ahead_waits_for_its_turn),
        CASE(what_waits_is_bounded_over_all_gateways),
        CASE(another_block_of_the_same_sequence_is_refused),
        CASE(forged_and_foreign_blocks_are_ignored),
        CASE(a_block_that_follows_another_uses_its_sequence_up),
        CASE(results_stand_in_the_entry),
        CASE(a_crowd_of_unknown_packs_is_told),
    };
    return cmocka_run_group_tests_name("ledger blocks", tests, NULL, NULL);
}
