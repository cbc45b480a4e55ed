// Packs in cases on pallets: what moves with what, what is known for sure, and what nobody may nest.
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

static enum statement_result does(unsigned device, const char *step, const char *serial, int64_t seconds) {
    const struct lab_event event = {.step = step, .serials = {serial}, .seconds = seconds};
    return lab_do(&lab, &lab.devices[device], &event);
}

static enum statement_result nest(enum epcis_action action, const char *parent, const char *child, int64_t seconds) {
    const struct lab_event event = {.type = EPCIS_AGGREGATION, .action = action, .step = action == EPCIS_ADD ? "packing" : "unpacking",
                                    .parent = parent, .serials = {child}, .seconds = seconds};
    return lab_do(&lab, &lab.devices[0], &event);
}

// Packs 1 and 2 in case C1, 3 in C2, both cases on pallet L1.
static void build_pallet(void) {
    const struct lab_event commission = {.action = EPCIS_ADD, .step = "commissioning", .serials = {"1", "2", "3"}, .content = 10};
    assert_int_equal(lab_do(&lab, &lab.devices[0], &commission), RESULT_APPLIED);
    assert_int_equal(nest(EPCIS_ADD, "C1", "1", 60), RESULT_APPLIED);
    assert_int_equal(nest(EPCIS_ADD, "C1", "2", 61), RESULT_APPLIED);
    assert_int_equal(nest(EPCIS_ADD, "C2", "3", 62), RESULT_APPLIED);
    assert_int_equal(nest(EPCIS_ADD, "L1", "C1", 120), RESULT_APPLIED);
    assert_int_equal(nest(EPCIS_ADD, "L1", "C2", 121), RESULT_APPLIED);
}

static void moving_the_pallet_writes_the_pallet(void **state) {
    (void)state;
    struct ledger_counters before, after;
    build_pallet();
    ledger_counters(lab.ledger, &before);
    assert_int_equal(does(0, "shipping", "L1", 200), RESULT_APPLIED);
    ledger_counters(lab.ledger, &after);
    assert_int_equal(after.packs_written - before.packs_written, 1);
    assert_int_equal(lab_state(&lab, "1"), LIFECYCLE_IN_TRANSIT);
    assert_int_equal(does(1, "receiving", "L1", DAY), RESULT_APPLIED);
    ledger_counters(lab.ledger, &before);
    assert_int_equal(before.packs_written - after.packs_written, 1);
    static const char *const serials[] = {"1", "2", "3"};
    for (size_t i = 0; i < 3; i++) {
        const struct ledger_pack pack = lab_look(&lab, serials[i]);
        assert_int_equal(pack.state, LIFECYCLE_IN_STOCK);
        assert_int_equal(pack.own_state, LIFECYCLE_COMMISSIONED);
        assert_string_equal(pack.place, "urn:packtrail:place:p1");
        assert_int_equal(pack.container_count, 2);
        assert_int_equal(pack.reasons, PACK_REASON_INFERRED);
    }
}

// What the index is asked to write: changes of the state, and lines of the side tables.
static uint64_t index_rows(void) {
    struct ledger_counters counters;
    ledger_counters(lab.ledger, &counters);
    return counters.index_rows;
}

static void a_pallet_of_five_thousand_moves_as_one(void **state) {
    (void)state;
    static char serials[5000][8], boxes[50][8];
    static struct lab_event made, packed, pallet;
    struct lab_answer answer;
    pallet = (struct lab_event){.type = EPCIS_AGGREGATION, .action = EPCIS_ADD, .step = "packing", .parent = "L1", .seconds = 200};
    for (unsigned box = 0; box < 50; box++) {
        made = (struct lab_event){.action = EPCIS_ADD, .step = "commissioning"};
        packed = (struct lab_event){.type = EPCIS_AGGREGATION, .action = EPCIS_ADD, .step = "packing", .parent = boxes[box], .seconds = 100};
        for (unsigned i = 0; i < 100; i++) {
            snprintf(serials[box * 100 + i], sizeof serials[0], "%u", box * 100 + i + 1);
            made.serials[i] = packed.serials[i] = serials[box * 100 + i];
        }
        snprintf(boxes[box], sizeof boxes[box], "C%u", box + 1);
        pallet.serials[box] = boxes[box];
        lab_say(&lab, &lab.devices[0], &made);
        lab_say(&lab, &lab.devices[0], &packed);
    }
    lab_say(&lab, &lab.devices[0], &pallet);
    lab_apply(&lab, &answer);
    uint64_t most = 0;
    for (unsigned move = 0; move < 4; move++) {
        const uint64_t before = index_rows();
        // The third is by a party that never received it, which is noted.
        const enum statement_result wanted = move == 2 ? RESULT_ALERTED : RESULT_APPLIED;
        assert_int_equal(does(move / 2, move % 2 ? "receiving" : "shipping", "L1", 300 + move), wanted);
        if (index_rows() - before > most) most = index_rows() - before;
    }
    print_message("# moving a pallet of 5,000 packs: %llu index writes\n", (unsigned long long)most);
    assert_true(most <= 20);
    const struct ledger_pack pack = lab_look(&lab, "4711");
    assert_int_equal(pack.state, LIFECYCLE_IN_STOCK);
    assert_string_equal(pack.place, "urn:packtrail:place:p1");
    assert_int_equal(pack.container_count, 2);
}

static void one_taken_out_leaves_doubt_behind(void **state) {
    (void)state;
    build_pallet();
    assert_int_equal(does(0, "shipping", "1", 200), RESULT_APPLIED);  // taken from its case without a word
    assert_int_equal(lab_look(&lab, "1").container_count, 0);
    assert_false(lab_look(&lab, "2").reasons & PACK_REASON_UNCONFIRMED);
    assert_int_equal(does(0, "shipping", "L1", 300), RESULT_APPLIED);
    assert_false(lab_look(&lab, "3").reasons & PACK_REASON_UNCONFIRMED);
    assert_int_equal(does(0, "receiving", "C1", 400), RESULT_APPLIED);  // the opened case moves
    assert_true(lab_look(&lab, "2").reasons & PACK_REASON_UNCONFIRMED);
    assert_true(lab_look(&lab, "2").reasons & PACK_REASON_INFERRED);
    assert_false(lab_look(&lab, "1").reasons & PACK_REASON_UNCONFIRMED);
    assert_int_equal(does(0, "receiving", "2", 500), RESULT_APPLIED);   // scanned: now it is known
    assert_int_equal(lab_look(&lab, "2").reasons, 0);
}

static void taken_out_by_the_book_leaves_none(void **state) {
    (void)state;
    build_pallet();
    assert_int_equal(nest(EPCIS_DELETE, "C1", "1", 200), RESULT_APPLIED);
    assert_int_equal(does(1, "receiving", "L1", DAY), RESULT_APPLIED);
    assert_int_equal(lab_look(&lab, "2").reasons, PACK_REASON_INFERRED);
    const struct ledger_pack out = lab_look(&lab, "1");
    assert_int_equal(out.reasons, 0);
    assert_int_equal(out.state, LIFECYCLE_COMMISSIONED);
    assert_string_equal(out.place, "urn:packtrail:place:p0");
}

static void emptied_as_a_whole(void **state) {
    (void)state;
    struct pt_arena arena = {0};
    struct pack_id *contents;
    struct pt_error err;
    size_t count;
    const struct pack_id box = lab_id("C1");
    build_pallet();
    assert_ok(ledger_contents(lab.ledger, &box, 10, &arena, &contents, &count, &err), &err);
    assert_int_equal(count, 2);
    const struct lab_event empty = {.type = EPCIS_AGGREGATION, .action = EPCIS_DELETE, .step = "unpacking", .parent = "C1", .seconds = 200};
    assert_int_equal(lab_do(&lab, &lab.devices[0], &empty), RESULT_APPLIED);
    assert_ok(ledger_contents(lab.ledger, &box, 10, &arena, &contents, &count, &err), &err);
    assert_int_equal(count, 0);
    assert_int_equal(does(1, "receiving", "L1", DAY), RESULT_APPLIED);
    const struct ledger_pack pack = lab_look(&lab, "1");
    assert_int_equal(pack.container_count, 0);
    assert_int_equal(pack.state, LIFECYCLE_COMMISSIONED);
    assert_int_equal(nest(EPCIS_ADD, "C1", "1", 2 * DAY), RESULT_APPLIED);
    assert_ok(ledger_contents(lab.ledger, &box, 10, &arena, &contents, &count, &err), &err);
    assert_int_equal(count, 1);
    assert_int_equal(lab_look(&lab, "2").container_count, 0);
    pt_arena_free(&arena);
}

static void nothing_lies_in_itself(void **state) {
    (void)state;
    enum alert_kind kind;
    build_pallet();
    assert_int_equal(nest(EPCIS_ADD, "C1", "L1", 300), RESULT_ALERTED);
    lab_alerts(&lab, "L1", &kind);
    assert_int_equal(kind, ALERT_BROKEN_HIERARCHY);
    assert_int_equal(lab_look(&lab, "L1").container_count, 0);
    assert_int_equal(lab_look(&lab, "1").container_count, 2);
    assert_int_equal(nest(EPCIS_ADD, "C1", "C1", 301), RESULT_APPLIED);  // named twice: the container alone counts
    assert_int_equal(lab_look(&lab, "C1").container_count, 1);
}

static void nesting_has_an_end(void **state) {
    (void)state;
    char inner[8], outer[8];
    const struct lab_event commission = {.action = EPCIS_ADD, .step = "commissioning", .serials = {"1"}};
    lab_do(&lab, &lab.devices[0], &commission);
    assert_int_equal(nest(EPCIS_ADD, "C1", "1", 60), RESULT_APPLIED);
    for (unsigned i = 1; i < 24; i++) {  // from the inside outwards, where nobody can see how deep it is
        snprintf(inner, sizeof inner, "C%u", i);
        snprintf(outer, sizeof outer, "C%u", i + 1);
        nest(EPCIS_ADD, outer, inner, 60 + i);
    }
    struct ledger_pack pack = lab_look(&lab, "1");
    assert_true(pack.container_count <= 16);
    assert_true(pack.reasons & PACK_REASON_UNCONFIRMED);
    assert_int_equal(nest(EPCIS_ADD, "C1", "9", 200), RESULT_ALERTED);  // beyond the end
    assert_int_equal(does(0, "shipping", "1", 300), RESULT_APPLIED);
    assert_int_equal(lab_look(&lab, "1").container_count, 0);
}

static void sold_from_inside_a_case(void **state) {
    (void)state;
    build_pallet();
    assert_int_equal(does(1, "receiving", "L1", DAY), RESULT_APPLIED);
    assert_int_equal(does(1, "dispensing", "1", DAY + 60), RESULT_APPLIED);
    const struct ledger_pack sold = lab_look(&lab, "1");
    assert_int_equal(sold.state, LIFECYCLE_DISPENSED);
    assert_int_equal(sold.container_count, 0);
    assert_string_equal(sold.place, "urn:packtrail:place:p1");
    assert_int_equal(does(1, "shipping", "L1", 2 * DAY), RESULT_APPLIED);
    assert_int_equal(lab_state(&lab, "1"), LIFECYCLE_DISPENSED);
    assert_int_equal(lab_state(&lab, "2"), LIFECYCLE_IN_TRANSIT);
    assert_int_equal(does(1, "dispensing", "1", 3 * DAY), RESULT_ALERTED);
}

static void late_data_do_not_tear_a_case_open(void **state) {
    (void)state;
    build_pallet();
    assert_int_equal(does(1, "shipping", "1", 30), RESULT_APPLIED);            // before it was packed, told afterwards
    assert_int_equal(nest(EPCIS_DELETE, "C1", "2", 30), RESULT_APPLIED);
    assert_int_equal(nest(EPCIS_ADD, "C9", "2", 31), RESULT_APPLIED);
    assert_int_equal(lab_look(&lab, "1").container_count, 2);
    assert_int_equal(lab_look(&lab, "2").container_count, 2);
    assert_int_equal(does(1, "receiving", "C1", DAY), RESULT_APPLIED);
    assert_int_equal(lab_look(&lab, "2").reasons, PACK_REASON_INFERRED);
}

static void the_way_leads_through_containers_while_inside(void **state) {
    (void)state;
    struct pt_arena arena = {0};
    struct ledger_step *steps;
    struct pt_error err;
    size_t count;
    bool more;
    const struct pack_id one = lab_id("1"), box = lab_id("C1"), pallet = lab_id("L1");
    const struct lab_event commission = {.action = EPCIS_ADD, .step = "commissioning", .serials = {"1", "2"}};
    lab_do(&lab, &lab.devices[0], &commission);        // leaf 0: its own
    nest(EPCIS_ADD, "C1", "2", 10);                    // leaf 1: before it was inside
    does(0, "shipping", "C1", 20);                     // leaf 2: before
    nest(EPCIS_ADD, "C1", "1", 60);                    // leaf 3: its own
    does(0, "shipping", "C1", 70);                     // leaf 4: the case's
    nest(EPCIS_ADD, "L1", "C1", 80);                   // leaf 5: the case's
    does(1, "receiving", "L1", DAY);                   // leaf 6: the pallet's
    nest(EPCIS_DELETE, "L1", "C1", DAY + 10);          // leaf 7: the case's
    does(1, "shipping", "L1", DAY + 20);               // leaf 8: the pallet alone
    nest(EPCIS_DELETE, "C1", "1", DAY + 30);           // leaf 9: its own
    does(1, "shipping", "C1", DAY + 40);               // leaf 10: after it was out
    does(1, "dispensing", "1", 2 * DAY);               // leaf 11: its own
    assert_ok(ledger_provenance(lab.ledger, &one, 100, &arena, &steps, &count, &more, &err), &err);
    static const uint64_t wanted[] = {0, 3, 4, 5, 6, 7, 9, 11};
    const struct pack_id *via[] = {NULL, NULL, &box, &box, &pallet, &box, NULL, NULL};
    assert_int_equal(count, sizeof wanted / sizeof wanted[0]);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(steps[i].leaf_index, wanted[i]);
        assert_int_equal(steps[i].via != NULL, via[i] != NULL);
        if (via[i]) assert_true(pack_id_equal(steps[i].via, via[i]));
    }
    assert_ok(ledger_provenance(lab.ledger, &one, 3, &arena, &steps, &count, &more, &err), &err);
    assert_int_equal(count, 3);
    assert_true(more);
    assert_int_equal(steps[2].leaf_index, 11);
    pt_arena_free(&arena);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(moving_the_pallet_writes_the_pallet),
        CASE(a_pallet_of_five_thousand_moves_as_one),
        CASE(one_taken_out_leaves_doubt_behind),
        CASE(taken_out_by_the_book_leaves_none),
        CASE(emptied_as_a_whole),
        CASE(nothing_lies_in_itself),
        CASE(nesting_has_an_end),
        CASE(sold_from_inside_a_case),
        CASE(late_data_do_not_tear_a_case_open),
        CASE(the_way_leads_through_containers_while_inside),
    };
    return cmocka_run_group_tests_name("ledger hierarchy", tests, NULL, NULL);
}
