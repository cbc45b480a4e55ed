// Taken back and told again: an event, its error declaration by event ID, and the same event once more leave a pack as the
// event alone does; the declaration alone leaves it as it was.
#include <stdio.h>
#include <string.h>

#include "common/epcis/packtrail_terms.h"
#include "tests/rules/rules_say.h"
#include "tests/support/support.h"

#define PACK "https://id.gs1.org/01/06901234567892/21/1"
#define CASE "https://id.gs1.org/00/069012340000000016"
#define HOUR ((int64_t)3600)

// What can be taken back exactly, from stock. A whole sale in Europe, a part in China.
static const struct say events[] = {
    {.step = "cycle_counting"},
    {.step = "shipping", .disposition = "in_transit"},
    {.step = "receiving"},
    {.step = "dispensing", .disposition = "dispensed"},
    {.step = "holding"},
    {.step = "sampling"},
    {.disposition = PACKTRAIL_DISPOSITION_EXPORTED},
    {.disposition = PACKTRAIL_DISPOSITION_CHECKED_OUT},
    {.disposition = PACKTRAIL_DISPOSITION_FREE_SAMPLE},
    {.disposition = PACKTRAIL_DISPOSITION_LOCKED},
    {.type = EPCIS_AGGREGATION, .action = EPCIS_ADD, .step = "packing", .parent = CASE},
};

// What the pack is; not what is only remembered about its history.
static void expect_same(const struct pack_record *wanted, const struct pack_record *got, const struct say *say, const char *when) {
    if (wanted->state != got->state || wanted->place != got->place || wanted->party != got->party || wanted->used != got->used ||
        wanted->content != got->content || wanted->parent != got->parent || wanted->lot != got->lot || wanted->expiry != got->expiry ||
        wanted->returned != got->returned || wanted->event_seconds != got->event_seconds || wanted->awaited != got->awaited ||
        ((wanted->flags ^ got->flags) & ~(unsigned)PACK_FLAG_CORRECTED))
        fail_msg("%s, %s, %s: %s at %lld, flags %x; wanted %s at %lld, flags %x", say->step ? say->step : "-", say->disposition ? say->disposition : "-",
                 when, lifecycle_state_name(got->state), (long long)got->event_seconds, got->flags, lifecycle_state_name(wanted->state),
                 (long long)wanted->event_seconds, wanted->flags);
}

static struct pack_record look(struct rules_lab *lab) {
    struct pack_record record;
    assert_true(rules_lab_pack(lab, PACK, &record));
    return record;
}

static void undone_and_redone(const char *profile) {
    struct rules_lab *lab = rules_lab_new(profile, RULE_VERSION_NEWEST, 0);
    const struct actor *maker = rules_lab_enrol(lab, ACTOR_COMPANY, "urn:packtrail:party:maker", NULL);
    const struct actor *till = rules_lab_enrol(lab, ACTOR_DEVICE, "urn:packtrail:party:p1", "urn:packtrail:place:p1");
    const struct say commission = {.action = EPCIS_ADD, .step = "commissioning", .epcs = {PACK, CASE}, .lot = "L1", .expiry = "2027-06-30", .content = 10};
    const struct say receive = {.step = "receiving", .epcs = {PACK}, .seconds = HOUR};
    assert_int_equal(rules_say(lab, maker, &commission), RESULT_APPLIED);
    assert_int_equal(rules_say(lab, till, &receive), RESULT_APPLIED);
    struct rules_lab_snapshot *stock = rules_lab_save(lab);
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        struct say say = events[i], error;
        rules_lab_restore(lab, stock);
        lab->chain_time = RULES_LAB_START + 48 * HOUR * 1000;
        say.epcs[0] = PACK;
        say.seconds = 24 * HOUR;
        say.event_id = "urn:uuid:00000000-0000-4000-8000-000000000001";
        const struct pack_record before = look(lab);
        rules_say(lab, till, &say);
        const struct pack_record once = look(lab);
        error = say;
        error.error = true;
        rules_say(lab, till, &error);
        const struct pack_record undone = look(lab);
        expect_same(&before, &undone, &say, "taken back");
        assert_true(undone.flags & PACK_FLAG_CORRECTED);
        say.event_id = "urn:uuid:00000000-0000-4000-8000-000000000002";
        rules_say(lab, till, &say);
        const struct pack_record redone = look(lab);
        expect_same(&once, &redone, &say, "told again");
    }
    rules_lab_snapshot_free(stock);
    rules_lab_free(lab);
}

static void in_china(void **state) {
    (void)state;
    undone_and_redone("cn");
}

static void in_europe(void **state) {
    (void)state;
    undone_and_redone("eu");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(in_china), cmocka_unit_test(in_europe)};
    return cmocka_run_group_tests_name("rules undo", tests, NULL, NULL);
}
