// Every pair of operation and state, in every way that EPCIS has of saying the operation, under both profiles: against the
// table of the contract, and against expectations.txt, which was written without it.
#include <stdio.h>
#include <string.h>

#include "common/epcis/packtrail_terms.h"
#include "tests/rules/expectations.h"
#include "tests/rules/rules_say.h"
#include "tests/support/support.h"

#define PACK "https://id.gs1.org/01/06901234567892/21/1"
#define OTHER "https://id.gs1.org/01/06901234567892/21/2"
#define CASE "https://id.gs1.org/00/069012340000000016"
#define HOUR ((int64_t)3600)

static struct expectations expected;

struct stage {
    struct rules_lab *lab;
    const struct actor *maker, *pharmacy;
    struct rules_lab_snapshot *start;
    bool china;
    size_t checked, reached;  // events looked at; states that real events led to
};

// The events that lead a new pack into a state. A state without a way is planted.
static const struct way {
    enum lifecycle_state state;
    const char *profile;  // NULL: both
    struct say steps[3];
} ways[] = {
    {LIFECYCLE_COMMISSIONED, NULL, {{0}}},
    {LIFECYCLE_IN_STOCK, NULL, {{.step = "receiving"}}},
    {LIFECYCLE_IN_TRANSIT, NULL, {{.step = "shipping"}}},
    {LIFECYCLE_PART_DISPENSED, "cn", {{.step = "dispensing", .disposition = "partially_dispensed", .units = 4}}},
    {LIFECYCLE_DISPENSED, NULL, {{.step = "dispensing"}}},
    {LIFECYCLE_PART_DISPENSED, "eu", {{.step = "dispensing"}}},  // opened at this place, as a pack that came from elsewhere may be
    {LIFECYCLE_RETURNED, NULL, {{.step = "dispensing"}, {.step = "receiving", .disposition = "returned"}}},
    {LIFECYCLE_QUARANTINED, NULL, {{.step = "holding"}}},
    {LIFECYCLE_RECALLED, NULL, {{.step = "holding", .disposition = "recalled"}}},
    {LIFECYCLE_DECOMMISSIONED, NULL, {{.action = EPCIS_DELETE, .step = "decommissioning"}}},
    {LIFECYCLE_DESTROYED, NULL, {{.action = EPCIS_DELETE, .step = "destroying"}}},
    {LIFECYCLE_STOLEN, NULL, {{.disposition = "stolen"}}},
    {LIFECYCLE_SAMPLE, NULL, {{.step = "sampling"}}},
    {LIFECYCLE_EXPORTED, NULL, {{.disposition = PACKTRAIL_DISPOSITION_EXPORTED}}},
    {LIFECYCLE_CHECKED_OUT, NULL, {{.disposition = PACKTRAIL_DISPOSITION_CHECKED_OUT}}},
    {LIFECYCLE_FREE_SAMPLE, NULL, {{.disposition = PACKTRAIL_DISPOSITION_FREE_SAMPLE}}},
    {LIFECYCLE_LOCKED, NULL, {{.disposition = PACKTRAIL_DISPOSITION_LOCKED}}},
    {LIFECYCLE_WITHDRAWN, NULL, {{.disposition = PACKTRAIL_DISPOSITION_WITHDRAWN}}},
};

static void announce(struct stage *stage, const char *uri) {
    const struct say say = {.action = EPCIS_ADD, .step = "commissioning", .epcs = {uri}, .lot = "L1", .expiry = "2027-06-30", .content = 10};
    assert_int_equal(rules_say(stage->lab, stage->maker, &say), RESULT_APPLIED);
}

static enum lifecycle_state state_of(struct stage *stage, const char *uri) {
    struct pack_record record;
    rules_lab_pack(stage->lab, uri, &record);
    return record.state;
}

static void lead_by_events(struct stage *stage, enum lifecycle_state state) {
    const struct way *way = NULL;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
        if (ways[i].state == state && (!ways[i].profile || strcmp(ways[i].profile, stage->lab->profile) == 0)) way = &ways[i];
    if (state == LIFECYCLE_UNKNOWN) return;
    announce(stage, PACK);
    for (size_t i = 0; way && i < 3 && (way->steps[i].step || way->steps[i].disposition); i++) {
        struct say say = way->steps[i];
        say.epcs[0] = PACK;
        say.seconds = HOUR * (int64_t)(i + 1);
        assert_int_equal(rules_say(stage->lab, stage->pharmacy, &say), RESULT_APPLIED);
    }
}

// The pack in the state, with all that is in reach: another pack in stock, a case.
static void lead(struct stage *stage, enum lifecycle_state state) {
    rules_lab_restore(stage->lab, stage->start);
    announce(stage, OTHER);
    announce(stage, CASE);
    lead_by_events(stage, state);
    stage->reached += state_of(stage, PACK) == state;
    if (state_of(stage, PACK) == state) return;
    struct pack_record record;
    assert_true(rules_lab_pack(stage->lab, PACK, &record));
    assert_true(state == LIFECYCLE_EXPORTED || state == LIFECYCLE_PART_DISPENSED);
    record.state = state;
    if (state == LIFECYCLE_PART_DISPENSED) record.used = record.content - 6;
    rules_lab_plant(stage->lab, PACK, &record);
}

static struct say say_form(const struct expected_form *form, const char *step, const char *disposition) {
    struct say say = {.type = form->type, .action = form->action, .step = step, .disposition = disposition, .seconds = 24 * HOUR};
    switch (form->role) {
    case PACK_ROLE_PARENT:
        say.parent = PACK;
        if (form->operation != OPERATION_EMPTY) say.epcs[0] = OTHER;
        break;
    case PACK_ROLE_CHILD:
        say.parent = CASE;
        say.epcs[0] = PACK;
        break;
    case PACK_ROLE_OUTPUT:
        say.epcs[0] = OTHER;
        say.outputs[0] = PACK;
        break;
    case PACK_ROLE_INPUT:
        say.epcs[0] = PACK;
        say.outputs[0] = "https://id.gs1.org/01/06901234567892/21/3";
        break;
    default: say.epcs[0] = PACK;
    }
    return say;
}

static uint32_t alerts_about_pack(struct stage *stage) {
    uint32_t set = 0;
    struct hierarchy pack;
    rules_lab_effective(stage->lab, PACK, &pack);
    for (size_t i = 0; i < stage->lab->output.alert_count; i++) {
        const struct alert_record *alert = &stage->lab->output.alerts[i];
        assert_true(alert->evidence_count > 0 && alert->evidence[0] == stage->lab->statements - 1);
        assert_true(alert->confidence > 0 && alert->confidence <= 100 && alert->detail[0]);
        if (pt_bytes_equal(alert->pack, pack.levels[0].key)) set |= 1u << alert->kind;
    }
    return set;
}

static void check(struct stage *stage, const struct expected_form *form, enum lifecycle_state from, enum statement_result result) {
    const struct expected_pair *pair = &expected.pairs[form->operation][from];
    const enum lifecycle_state to = state_of(stage, PACK);
    const uint32_t alerts = alerts_about_pack(stage);
    const char *profile = stage->lab->profile, *operation = lifecycle_operation_name(form->operation);
    stage->checked++;
    if (result != RESULT_APPLIED && result != RESULT_ALERTED)
        fail_msg("%s: %s (%s, %s) of a pack that is %s is refused", profile, operation, form->step, form->disposition, lifecycle_state_name(from));
    assert_true((result == RESULT_ALERTED) == (stage->lab->output.alert_count > 0));
    if (!(pair->to & 1u << to))
        fail_msg("%s: %s (%s, %s) of a pack that is %s must not make it %s", profile, operation, form->step, form->disposition,
                 lifecycle_state_name(from), lifecycle_state_name(to));
    if ((pair->must_alert && !(alerts & pair->must_alert)) || (alerts & expected.kinds & ~(pair->must_alert | pair->may_alert)))
        fail_msg("%s: %s (%s, %s) of a pack that is %s raises %x; must %x, may %x", profile, operation, form->step, form->disposition,
                 lifecycle_state_name(from), alerts, pair->must_alert, pair->may_alert);
    // Units decide this one, not the pair.
    if (form->operation == OPERATION_DISPENSE && from == LIFECYCLE_PART_DISPENSED) return;
    const struct lifecycle_transition *transition = lifecycle_transition(stage->china ? PROFILE_CN : PROFILE_EU, form->operation, from);
    if (to != transition->to || (alerts & expected.kinds) != (transition->alert ? 1u << transition->alert : 0))
        fail_msg("%s: %s (%s, %s) of a pack that is %s makes it %s with alerts %x; the table says %s, alert %s", profile, operation, form->step,
                 form->disposition, lifecycle_state_name(from), lifecycle_state_name(to), alerts, lifecycle_state_name(transition->to),
                 alert_kind_name(transition->alert));
}

// What is declared in error is what led to the state.
static void word_undo(struct say *say, enum lifecycle_state from) {
    static const struct {
        enum lifecycle_state state;
        const char *step, *disposition;
    } rows[] = {{LIFECYCLE_EXPORTED, "shipping", PACKTRAIL_DISPOSITION_EXPORTED}, {LIFECYCLE_SAMPLE, "sampling", NULL},
                {LIFECYCLE_CHECKED_OUT, NULL, PACKTRAIL_DISPOSITION_CHECKED_OUT},
                {LIFECYCLE_FREE_SAMPLE, NULL, PACKTRAIL_DISPOSITION_FREE_SAMPLE}, {LIFECYCLE_LOCKED, NULL, PACKTRAIL_DISPOSITION_LOCKED}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].state != from) continue;
        say->step = rows[i].step;
        say->disposition = rows[i].disposition;
    }
}

static void every_pair_in_every_form(struct stage *stage, const char *profile) {
    bool said[LIFECYCLE_OPERATIONS] = {false};
    *stage = (struct stage){.lab = rules_lab_new(profile, RULE_VERSION_NEWEST, 0), .china = strcmp(profile, "cn") == 0};
    stage->maker = rules_lab_enrol(stage->lab, ACTOR_COMPANY, "urn:packtrail:party:maker", NULL);
    stage->pharmacy = rules_lab_enrol(stage->lab, ACTOR_DEVICE, "urn:packtrail:party:p1", "urn:packtrail:place:p1");
    stage->start = rules_lab_save(stage->lab);
    expectations_read(&expected);
    for (unsigned from = 0; from < LIFECYCLE_STATES; from++) {
        lead(stage, (enum lifecycle_state)from);
        struct rules_lab_snapshot *here = rules_lab_save(stage->lab);
        for (size_t i = 0; i < expected.form_count; i++) {
            const struct expected_form *form = &expected.forms[i];
            const struct say say = say_form(form, form->step[0] ? form->step : NULL, form->disposition[0] ? form->disposition : NULL);
            rules_lab_restore(stage->lab, here);
            said[form->operation] = true;
            check(stage, form, (enum lifecycle_state)from, rules_say(stage->lab, stage->pharmacy, &say));
        }
        const struct expected_form undo = {.operation = OPERATION_UNDO, .role = PACK_ROLE_OBJECT};
        struct say say = say_form(&undo, "dispensing", "dispensed");
        word_undo(&say, (enum lifecycle_state)from);
        say.error = true;
        rules_lab_restore(stage->lab, here);
        said[OPERATION_UNDO] = true;
        check(stage, &undo, (enum lifecycle_state)from, rules_say(stage->lab, stage->pharmacy, &say));
        rules_lab_snapshot_free(here);
    }
    for (unsigned i = 0; i < LIFECYCLE_OPERATIONS; i++)
        if (!said[i]) fail_msg("no form says %s", lifecycle_operation_name((enum lifecycle_operation)i));
    rules_lab_snapshot_free(stage->start);
    rules_lab_free(stage->lab);
    print_message("# %s: %zu events, %zu of %u states reached by events\n", profile, stage->checked, stage->reached, LIFECYCLE_STATES);
}

static void in_china(void **state) {
    struct stage stage;
    (void)state;
    every_pair_in_every_form(&stage, "cn");
    assert_true(stage.reached >= LIFECYCLE_STATES - 1);
}

static void in_europe(void **state) {
    struct stage stage;
    (void)state;
    every_pair_in_every_form(&stage, "eu");
    assert_true(stage.reached >= LIFECYCLE_STATES - 2);
}

static const char *spelled(char out[96], unsigned spelling, const char *word, bool step) {
    static const char *const steps[] = {"", "cbv:BizStep-", "urn:epcglobal:cbv:bizstep:", "https://ref.gs1.org/cbv/BizStep-"};
    static const char *const dispositions[] = {"", "cbv:Disp-", "urn:epcglobal:cbv:disp:", "https://ref.gs1.org/cbv/Disp-"};
    if (!word[0]) return NULL;
    if (strchr(word, ':')) return word;  // our own: one spelling
    snprintf(out, 96, "%s%s", (step ? steps : dispositions)[spelling], word);
    return out;
}

static void in_every_spelling(void **state) {
    (void)state;
    expectations_read(&expected);
    for (size_t i = 0; i < expected.form_count; i++)
        for (unsigned spelling = 0; spelling < 16; spelling++) {
            char step[96], disposition[96];
            struct say_memory memory;
            const struct expected_form *form = &expected.forms[i];
            const struct say say = say_form(form, spelled(step, spelling % 4, form->step, true), spelled(disposition, spelling / 4, form->disposition, false));
            const struct epcis_event event = rules_event_of(&say, &memory);
            const enum lifecycle_operation operation = lifecycle_operation_of(&event, form->role);
            if (operation != form->operation)
                fail_msg("%s, %s is taken for %s, not %s", say.step ? say.step : "-", say.disposition ? say.disposition : "-",
                         lifecycle_operation_name(operation), lifecycle_operation_name(form->operation));
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(in_china), cmocka_unit_test(in_europe), cmocka_unit_test(in_every_spelling)};
    return cmocka_run_group_tests_name("rules transitions", tests, NULL, NULL);
}
