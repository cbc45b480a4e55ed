// Recalls on a real ledger: who may say what, which packs are covered, how far a recall has come, and what it writes.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "ledger/query/recalls.h"
#include "tests/support/support.h"
#include "tests/unit/ledger/lab.h"

#define GTIN "06901234567892"  // of lab_uri
#define COMPANY "urn:packtrail:party:p92"

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

static enum statement_result say(struct lab_key *key, const char *content_type, struct pt_bytes payload) {
    struct lab_answer answer;
    const size_t at = lab_say_raw(&lab, key, content_type, payload, key->next++, &key->previous);
    key->previous = statement_id(pt_buf_bytes(&lab.statements[at]));
    lab_apply(&lab, &answer);
    return (enum statement_result)answer.results[at];
}

static enum statement_result master(struct lab_key *key, const char *text) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    PT_CLEANUP(pt_buf_free) struct pt_buf payload = PT_BUF_INIT(MASTER_RECORD_MAX);
    PT_JSON json_t *value = NULL;
    struct pt_error err = {0};
    struct master_record record;
    assert_ok(pt_json_parse(pt_bytes_str(text), 1 << 16, &value, &err), &err);
    assert_ok(master_from_json(value, &arena, &record, &err), &err);
    assert_ok(master_encode(&record, &payload, &err), &err);
    return say(key, STATEMENT_MASTER, pt_buf_bytes(&payload));
}

// The company p92 holds the product.
static void describe_product(void) {
    assert_int_equal(master(&lab.operator, "{\"kind\":\"product\",\"version\":1,\"validFrom\":\"2026-01-01T00:00:00Z\","
                            "\"id\":\"https://id.gs1.org/01/" GTIN "\",\"name\":{\"en\":\"Aspirin\"},"
                            "\"levels\":[{\"level\":1,\"units\":30,\"gtin\":\"" GTIN "\"}],\"holder\":\"" COMPANY "\"}"), RESULT_APPLIED);
}

// members: JSON that replaces the defaults, such as "\"lots\":[\"A\"],".
static enum statement_result recall(struct lab_key *key, const char *action, unsigned version, const char *members) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    PT_CLEANUP(pt_buf_free) struct pt_buf payload = PT_BUF_INIT(RECALL_NOTICE_MAX);
    PT_JSON json_t *value = NULL;
    struct pt_error err = {0};
    struct recall_notice notice;
    char text[2048];
    snprintf(text, sizeof text, "{%s%s\"version\":%u,\"action\":\"%s\",\"level\":2,%s%s\"reason\":{\"zh\":\"含量\",\"en\":\"Assay\"},"
             "\"issuedAt\":\"2026-01-01T00:00:00Z\"}", members, strstr(members, "\"id\"") ? "" : "\"id\":\"R1\",", version, action,
             strstr(members, "products") ? "" : "\"products\":[\"" GTIN "\"],", strstr(members, "depth") ? "" : "\"depth\":\"consumer\",");
    assert_ok(pt_json_parse(pt_bytes_str(text), 1 << 16, &value, &err), &err);
    assert_ok(recall_notice_from_json(value, &arena, &notice, &err), &err);
    assert_ok(recall_notice_encode(&notice, &payload, &err), &err);
    return say(key, STATEMENT_RECALL, pt_buf_bytes(&payload));
}

static void commission(const char *lot, const char *const *serials, size_t count) {
    struct lab_event event = {.action = EPCIS_ADD, .step = "commissioning", .lot = lot, .count = count};
    memcpy(event.serials, serials, count * sizeof *serials);
    assert_int_equal(lab_do(&lab, &lab.devices[0], &event), RESULT_APPLIED);
}

static enum statement_result does(unsigned device, const char *step, const char *disposition, const char *serial, int64_t seconds) {
    const struct lab_event event = {.step = step, .disposition = disposition, .serials = {serial}, .seconds = seconds};
    return lab_do(&lab, &lab.devices[device], &event);
}

static unsigned reasons(const char *serial) { return lab_look(&lab, serial).reasons & (PACK_REASON_RECALLED | PACK_REASON_MAYBE_RECALLED); }

// --- Who may ---

static void holders_operators_and_regulators_may(void **state) {
    (void)state;
    assert_int_equal(recall(&lab.company, "begin", 1, ""), RESULT_NOT_ALLOWED);  // nobody said that the product is its
    describe_product();
    assert_int_equal(recall(&lab.devices[0], "begin", 1, ""), RESULT_NOT_ALLOWED);
    assert_int_equal(recall(&lab.company, "begin", 1, ""), RESULT_APPLIED);
    assert_int_equal(recall(&lab.company, "begin", 1, "\"id\":\"R2\",\"products\":[\"" GTIN "\",\"8123456\"],"), RESULT_NOT_ALLOWED);
    assert_int_equal(recall(&lab.operator, "begin", 1, "\"id\":\"R2\",\"products\":[\"" GTIN "\",\"8123456\"],"), RESULT_APPLIED);
    // What an authority began, the company cannot end; what the company began, the authority can take over.
    assert_int_equal(recall(&lab.company, "end", 2, "\"id\":\"R2\",\"products\":[\"" GTIN "\",\"8123456\"],"), RESULT_NOT_ALLOWED);
    assert_int_equal(recall(&lab.operator, "extend", 2, ""), RESULT_APPLIED);
    assert_int_equal(recall(&lab.company, "end", 3, ""), RESULT_NOT_ALLOWED);
}

static void nobody_makes_himself_a_regulator(void **state) {
    (void)state;
    const char own[] = "{\"kind\":\"party\",\"version\":1,\"validFrom\":\"2026-01-01T00:00:00Z\",\"id\":\"" COMPANY "\",\"name\":{\"en\":\"X\"},"
                       "\"roles\":[\"regulator\"]}";
    assert_int_equal(master(&lab.company, own), RESULT_NOT_ALLOWED);
    assert_int_equal(recall(&lab.company, "begin", 1, ""), RESULT_NOT_ALLOWED);
    assert_int_equal(master(&lab.operator, own), RESULT_APPLIED);
    assert_int_equal(recall(&lab.company, "begin", 1, ""), RESULT_APPLIED);
}

static void versions_only_go_forward(void **state) {
    (void)state;
    assert_int_equal(recall(&lab.operator, "extend", 1, ""), RESULT_NOT_ALLOWED);
    assert_int_equal(recall(&lab.operator, "end", 1, ""), RESULT_NOT_ALLOWED);
    assert_int_equal(recall(&lab.operator, "begin", 5, "\"lots\":[\"A\",\"B\"],"), RESULT_APPLIED);
    assert_int_equal(recall(&lab.operator, "begin", 5, "\"lots\":[\"A\",\"B\"],"), RESULT_APPLIED);  // said before
    assert_int_equal(recall(&lab.operator, "begin", 6, "\"lots\":[\"A\",\"B\"],"), RESULT_NOT_ALLOWED);
    assert_int_equal(recall(&lab.operator, "extend", 5, "\"lots\":[\"A\",\"B\",\"C\"],"), RESULT_NOT_ALLOWED);
    assert_int_equal(recall(&lab.operator, "extend", 6, "\"lots\":[\"A\"],"), RESULT_NOT_ALLOWED);  // it only grows
    assert_int_equal(recall(&lab.operator, "extend", 6, "\"lots\":[\"A\",\"B\",\"C\"],"), RESULT_APPLIED);
    assert_int_equal(recall(&lab.operator, "end", 7, "\"products\":[\"8123456\"],"), RESULT_NOT_ALLOWED);
    assert_int_equal(recall(&lab.operator, "end", 7, ""), RESULT_APPLIED);
    assert_int_equal(recall(&lab.operator, "extend", 8, ""), RESULT_NOT_ALLOWED);
    assert_int_equal(recall(&lab.operator, "begin", 8, ""), RESULT_NOT_ALLOWED);
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct ledger_recall found;
    struct pt_error err = {0};
    assert_ok(ledger_recall(lab.ledger, "R1", &arena, &found, &err), &err);
    assert_int_equal(found.record.step_count, 3);
    assert_int_equal(found.record.steps[2].action, RECALL_END);
    assert_true(found.record.ended >= found.record.since);
    assert_int_equal(found.record.scope.scope.lot_count, 3);
    assert_int_equal(ledger_recall(lab.ledger, "R2", &arena, &found, &err), PT_NOT_FOUND);
}

// A ledger under the older rules must not seem to take a recall.
static void rules_without_recalls_refuse_them(void **state) {
    (void)state;
    lab_free(&lab);
    lab_new_version(&lab, "cn", 1);
    lab_open(&lab);
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct ledger_recall found;
    struct pt_error err = {0};
    assert_int_equal(recall(&lab.operator, "begin", 1, ""), RESULT_MALFORMED);
    // Nor does a right follow from a role yet: chains of then replay as they were.
    assert_int_equal(master(&lab.company, "{\"kind\":\"party\",\"version\":1,\"validFrom\":\"2026-01-01T00:00:00Z\",\"id\":\"" COMPANY "\","
                            "\"name\":{\"en\":\"X\"},\"roles\":[\"regulator\"]}"), RESULT_APPLIED);
    assert_int_equal(ledger_recall(lab.ledger, "R1", &arena, &found, &err), PT_NOT_FOUND);
}

// --- Which packs ---

static void a_lot_is_recalled_and_released(void **state) {
    (void)state;
    commission("A", (const char *[]){"1", "2"}, 2);
    commission("B", (const char *[]){"3"}, 1);
    assert_int_equal(does(1, "receiving", NULL, "4", 60), RESULT_ALERTED);  // its maker's data are not there: no lot
    assert_int_equal(recall(&lab.operator, "begin", 1, "\"lots\":[\"A\"],"), RESULT_APPLIED);
    assert_int_equal(reasons("1"), PACK_REASON_RECALLED);
    assert_int_equal(reasons("3"), 0);
    assert_int_equal(reasons("4"), PACK_REASON_MAYBE_RECALLED);
    const struct ledger_pack pack = lab_look(&lab, "1");
    assert_string_equal(pack.recall->id, "R1");
    assert_int_equal(pack.recall->level, 2);
    assert_string_equal(pack.recall->reason.zh, "含量");
    assert_true(pack.recall->certain);
    assert_int_equal(pack.state, LIFECYCLE_COMMISSIONED);  // its own record was not touched
    // The lot on the label decides where the ledger knows none, and is a second reason where it differs.
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct ledger_pack labelled;
    struct pt_error err = {0};
    const struct pack_id id = lab_id("4"), other = lab_id("3");
    assert_ok(ledger_pack_labelled(lab.ledger, &id, "A", lab.now, &arena, &labelled, &err), &err);
    assert_true(labelled.reasons & PACK_REASON_RECALLED);
    assert_ok(ledger_pack_labelled(lab.ledger, &id, "B", lab.now, &arena, &labelled, &err), &err);
    assert_null(labelled.recall);
    assert_ok(ledger_pack_labelled(lab.ledger, &other, "A", lab.now, &arena, &labelled, &err), &err);
    assert_true(labelled.reasons & PACK_REASON_RECALLED);
    assert_int_equal(recall(&lab.operator, "end", 2, ""), RESULT_APPLIED);
    assert_int_equal(reasons("1"), 0);
    assert_int_equal(reasons("4"), 0);
    assert_null(lab_look(&lab, "1").recall);
}

static void handling_a_covered_pack_raises_an_alert(void **state) {
    (void)state;
    enum alert_kind kind;
    commission("A", (const char *[]){"1", "2", "3"}, 3);
    commission("B", (const char *[]){"5"}, 1);
    does(1, "receiving", NULL, "1", 100);
    assert_int_equal(does(1, "receiving", NULL, "4", 100), RESULT_ALERTED);  // of no known lot
    lab.now = LAB_START + 1000000;
    assert_int_equal(recall(&lab.operator, "begin", 1, "\"lots\":[\"A\"],"), RESULT_APPLIED);
    assert_int_equal(does(1, "dispensing", "dispensed", "1", 2000), RESULT_ALERTED);
    lab_alerts(&lab, "1", &kind);
    assert_int_equal(kind, ALERT_RECALLED);
    assert_int_equal(lab_state(&lab, "1"), LIFECYCLE_DISPENSED);  // what happened is recorded as it happened
    assert_int_equal(does(0, "shipping", "in_transit", "2", 2000), RESULT_ALERTED);
    assert_int_equal(does(1, "receiving", NULL, "2", 3000), RESULT_ALERTED);
    assert_int_equal(lab_alerts(&lab, "2", NULL), 2);
    assert_int_equal(does(0, "holding", "non_sellable_other", "3", 2000), RESULT_APPLIED);  // setting it aside is what is wanted
    assert_int_equal(does(1, "shipping", "returned", "2", 4000), RESULT_APPLIED);           // sending it back, too
    assert_int_equal(does(1, "receiving", NULL, "5", 2000), RESULT_APPLIED);                // another lot
    assert_int_equal(lab_alerts(&lab, "4", NULL), 1);
    // Told late, of before the recall: nobody could know.
    commission("A", (const char *[]){"6"}, 1);
    assert_int_equal(does(1, "dispensing", "dispensed", "6", 500), RESULT_APPLIED);
    assert_int_equal(recall(&lab.operator, "end", 2, ""), RESULT_APPLIED);
    commission("A", (const char *[]){"7"}, 1);
    assert_int_equal(does(1, "receiving", NULL, "7", 5000), RESULT_APPLIED);
}

static void a_range_counts_by_length_then_bytes(void **state) {
    (void)state;
    commission("A", (const char *[]){"8", "9", "10", "11", "100"}, 5);
    assert_int_equal(recall(&lab.operator, "begin", 1, "\"serials\":[{\"from\":\"9\",\"to\":\"10\"}],"), RESULT_APPLIED);
    assert_int_equal(reasons("8"), 0);
    assert_int_equal(reasons("9"), PACK_REASON_RECALLED);
    assert_int_equal(reasons("10"), PACK_REASON_RECALLED);
    assert_int_equal(reasons("11"), 0);
    assert_int_equal(reasons("100"), 0);
}

static void a_territory_is_that_of_the_place(void **state) {
    (void)state;
    commission("A", (const char *[]){"1", "2"}, 2);
    assert_int_equal(does(1, "receiving", NULL, "1", 60), RESULT_APPLIED);
    assert_int_equal(does(2, "receiving", NULL, "2", 60), RESULT_APPLIED);
    assert_int_equal(recall(&lab.operator, "begin", 1, "\"territories\":[\"DE\"],"), RESULT_APPLIED);
    assert_int_equal(reasons("1"), PACK_REASON_MAYBE_RECALLED);
    static const char *const territories[] = {"DE", "FR"};
    for (unsigned i = 0; i < 2; i++) {
        char text[512];
        snprintf(text, sizeof text, "{\"kind\":\"place\",\"version\":1,\"validFrom\":\"2026-01-01T00:00:00Z\",\"id\":\"urn:packtrail:place:p%u\","
                 "\"name\":{\"en\":\"X\"},\"territory\":\"%s\"}", i + 1, territories[i]);
        assert_int_equal(master(&lab.operator, text), RESULT_APPLIED);
    }
    lab.now = LAB_START + 1000;
    assert_int_equal(reasons("1"), PACK_REASON_RECALLED);
    assert_int_equal(reasons("2"), 0);
}

static void the_gravest_certain_recall_is_told(void **state) {
    (void)state;
    commission("A", (const char *[]){"1"}, 1);
    assert_int_equal(recall(&lab.operator, "begin", 1, "\"id\":\"R1\","), RESULT_APPLIED);
    assert_int_equal(recall(&lab.operator, "begin", 1, "\"id\":\"R0\",\"territories\":[\"DE\"],"), RESULT_APPLIED);
    assert_string_equal(lab_look(&lab, "1").recall->id, "R1");
    assert_int_equal(recall(&lab.operator, "end", 2, "\"id\":\"R1\","), RESULT_APPLIED);
    assert_string_equal(lab_look(&lab, "1").recall->id, "R0");
    assert_false(lab_look(&lab, "1").recall->certain);
}

// --- What it writes, and replay ---

static void a_recall_writes_a_handful(void **state) {
    (void)state;
    struct ledger_counters before, after;
    commission("A", (const char *[]){"1", "2", "3", "4", "5"}, 5);
    ledger_counters(lab.ledger, &before);
    assert_int_equal(recall(&lab.operator, "begin", 1, ""), RESULT_APPLIED);
    ledger_counters(lab.ledger, &after);
    assert_int_equal(after.packs_written, before.packs_written);
    struct ledger_status first, second;
    ledger_status(lab.ledger, &first);
    lab_close(&lab);
    lab_open(&lab);
    ledger_status(lab.ledger, &second);
    assert_true(pt_digest_equal(&first.entry, &second.entry));
    assert_int_equal(reasons("5"), PACK_REASON_RECALLED);
}

static void a_recall_is_heard_by_everyone(void **state) {
    (void)state;
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct ledger_feed_item *items;
    struct pt_error err = {0};
    size_t count;
    uint64_t cursor;
    bool more;
    assert_int_equal(recall(&lab.operator, "begin", 1, ""), RESULT_APPLIED);
    assert_int_equal(recall(&lab.company, "end", 2, ""), RESULT_NOT_ALLOWED);  // is not told on
    assert_ok(ledger_feed(lab.ledger, "urn:packtrail:party:p3", 0, 100, &arena, &items, &count, &cursor, &more, &err), &err);
    assert_int_equal(count, 1);
    assert_int_equal(items[0].kind, LEDGER_FEED_RECALL);
}

// --- Reach ---

static void reach_of(struct ledger_reach *out, struct pt_arena *arena) {
    struct pt_error err = {0};
    assert_ok(ledger_recall_reach(lab.ledger, "R1", arena, out, &err), &err);
}

static void nest(enum epcis_action action, const char *parent, const char *child, int64_t seconds) {
    const struct lab_event event = {.type = EPCIS_AGGREGATION, .action = action, .step = action == EPCIS_ADD ? "packing" : "unpacking",
                                    .parent = parent, .serials = {child}, .seconds = seconds};
    assert_int_equal(lab_do(&lab, &lab.devices[0], &event), RESULT_APPLIED);
}

static void each_pack_counts_where_it_is(void **state) {
    (void)state;
    commission("A", (const char *[]){"1", "2", "3", "4", "5", "6", "7", "8"}, 8);
    commission("B", (const char *[]){"20", "21"}, 2);
    nest(EPCIS_ADD, "C1", "7", 60);
    nest(EPCIS_ADD, "L1", "C1", 61);
    does(0, "shipping", "in_transit", "L1", 100);
    for (unsigned i = 1; i < 6; i++) does(1, "receiving", NULL, (const char *[]){"", "1", "2", "3", "4", "5"}[i], 200);
    does(1, "dispensing", "dispensed", "1", 300);
    does(1, "destroying", "destroyed", "2", 400);  // before the recall
    does(1, "receiving", NULL, "30", 500);         // nobody announced it: no lot
    lab.now = LAB_START + 1000000;
    assert_int_equal(recall(&lab.operator, "begin", 1, "\"lots\":[\"A\"],"), RESULT_APPLIED);
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct ledger_reach reach;
    reach_of(&reach, &arena);
    assert_int_equal(reach.total.classes[RECALL_DISPENSED], 1);
    assert_int_equal(reach.total.classes[RECALL_DESTROYED], 1);
    assert_int_equal(reach.total.classes[RECALL_IN_STOCK], 5);    // 3, 4, 5 received, 6 and 8 with the maker
    assert_int_equal(reach.total.classes[RECALL_IN_TRANSIT], 1);  // 7, in its case on its pallet
    assert_int_equal(reach.total.before, 1);
    assert_int_equal(reach.total.open, 7);
    assert_int_equal(reach.total.done, 0);
    assert_int_equal(reach.total.unsure, 1);
    assert_int_equal(reach.scanned, 11);
    assert_string_equal(reach.places[0].place, "urn:packtrail:place:p1");  // 1, 3, 4, 5 open, one unsure
    assert_int_equal(reach.places[0].counts.open, 4);
    // Now it is worked off.
    does(1, "holding", "non_sellable_other", "3", 2000);
    does(1, "destroying", "destroyed", "4", 2000);
    does(1, "shipping", "returned", "5", 2000);
    does(1, "receiving", "returned", "1", 2000);
    does(0, "destroying", "destroyed", "L1", 2000);
    reach_of(&reach, &arena);
    assert_int_equal(reach.total.classes[RECALL_QUARANTINED], 1);
    assert_int_equal(reach.total.classes[RECALL_DESTROYED], 3);
    assert_int_equal(reach.total.classes[RECALL_SENT_BACK], 1);
    assert_int_equal(reach.total.classes[RECALL_RETURNED], 1);
    assert_int_equal(reach.total.done, 5);
    assert_int_equal(reach.total.open, 2);
    assert_int_equal(reach.total.before, 1);
}

static void depth_bounds_what_is_called_back(void **state) {
    (void)state;
    commission("A", (const char *[]){"1", "2", "3"}, 3);
    does(1, "receiving", NULL, "1", 100);
    does(1, "receiving", NULL, "2", 100);
    does(1, "dispensing", "dispensed", "1", 200);
    lab.now = LAB_START + 1000000;
    assert_int_equal(master(&lab.operator, "{\"kind\":\"party\",\"version\":1,\"validFrom\":\"2026-01-01T00:00:00Z\",\"id\":\"urn:packtrail:party:p1\","
                            "\"name\":{\"en\":\"Pharmacy\"},\"roles\":[\"pharmacy\"]}"), RESULT_APPLIED);
    static const struct {
        const char *depth;
        uint64_t open, beyond;
    } expected[] = {{"wholesale", 1, 2}, {"retail", 2, 1}, {"consumer", 3, 0}};
    for (unsigned i = 0; i < 3; i++) {
        PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
        struct ledger_reach reach;
        char members[64];
        snprintf(members, sizeof members, "\"depth\":\"%s\",", expected[i].depth);
        assert_int_equal(recall(&lab.operator, i == 0 ? "begin" : "extend", i + 1, members), RESULT_APPLIED);
        reach_of(&reach, &arena);
        assert_int_equal(reach.total.open, expected[i].open);
        assert_int_equal(reach.total.beyond, expected[i].beyond);
        assert_int_equal(reasons("2"), PACK_REASON_RECALLED);  // nobody sells it on, however far it is called back
    }
}

static void packs_are_listed_page_by_page(void **state) {
    (void)state;
    const char *serials[300];
    char texts[300][8];
    for (unsigned i = 0; i < 300; i++) {
        snprintf(texts[i], sizeof texts[i], "%u", i + 1);
        serials[i] = texts[i];
    }
    commission("A", serials, 300);
    does(1, "receiving", NULL, "77", 100);
    does(1, "dispensing", "dispensed", "77", 200);
    lab.now = LAB_START + 1000000;
    assert_int_equal(recall(&lab.operator, "begin", 1, "\"serials\":[{\"from\":\"5\",\"to\":\"9\"},{\"from\":\"50\",\"to\":\"249\"}],"), RESULT_APPLIED);
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct pt_error err = {0};
    struct recall_filter filter = {.class = -1, .most = 7};
    struct recall_list_page page;
    size_t pages = 0;
    bool seen[301] = {false};
    do {
        assert_ok(ledger_recall_packs(lab.ledger, "R1", &filter, &arena, &page, &err), &err);
        for (size_t i = 0; i < page.count; i++) {
            const unsigned serial = (unsigned)atoi(page.items[i].id.serial);
            assert_false(seen[serial]);
            seen[serial] = true;
        }
        filter.after = page.next;
        pages++;
    } while (page.more);
    for (unsigned i = 1; i <= 300; i++) assert_int_equal(seen[i], (i >= 5 && i <= 9) || (i >= 50 && i <= 249));
    assert_int_equal(pages, (205 + 6) / 7);
    filter = (struct recall_filter){.class = RECALL_DISPENSED, .place = "urn:packtrail:place:p1"};
    assert_ok(ledger_recall_packs(lab.ledger, "R1", &filter, &arena, &page, &err), &err);
    assert_int_equal(page.count, 1);
    assert_string_equal(page.items[0].id.serial, "77");
    assert_int_equal(page.items[0].event_seconds, LAB_START / 1000 + 200);
    assert_string_equal(page.items[0].lot, "A");
    filter.place = "urn:packtrail:place:p2";
    assert_ok(ledger_recall_packs(lab.ledger, "R1", &filter, &arena, &page, &err), &err);
    assert_int_equal(page.count, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(holders_operators_and_regulators_may, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_makes_himself_a_regulator, setup, teardown),
        cmocka_unit_test_setup_teardown(versions_only_go_forward, setup, teardown),
        cmocka_unit_test_setup_teardown(rules_without_recalls_refuse_them, setup, teardown),
        cmocka_unit_test_setup_teardown(a_lot_is_recalled_and_released, setup, teardown),
        cmocka_unit_test_setup_teardown(handling_a_covered_pack_raises_an_alert, setup, teardown),
        cmocka_unit_test_setup_teardown(a_range_counts_by_length_then_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(a_territory_is_that_of_the_place, setup, teardown),
        cmocka_unit_test_setup_teardown(the_gravest_certain_recall_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(a_recall_writes_a_handful, setup, teardown),
        cmocka_unit_test_setup_teardown(a_recall_is_heard_by_everyone, setup, teardown),
        cmocka_unit_test_setup_teardown(each_pack_counts_where_it_is, setup, teardown),
        cmocka_unit_test_setup_teardown(depth_bounds_what_is_called_back, setup, teardown),
        cmocka_unit_test_setup_teardown(packs_are_listed_page_by_page, setup, teardown),
    };
    return cmocka_run_group_tests_name("ledger recall", tests, NULL, NULL);
}
