// Every reason why a line is refused, and what each dispensing, undoing, return and reversal leaves to settle.
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/base/cleanup.h"
#include "tests/rules/claims_lab.h"
#include "tests/support/support.h"

static struct claims_lab lab;

static int setup(void **state) {
    (void)state;
    lab = claims_lab_new("cn");
    return 0;
}

static int teardown(void **state) {
    (void)state;
    claims_lab_free(&lab);
    return 0;
}

static void expect(struct claim_line_answer answer, enum claim_outcome outcome, enum claim_reason reason, uint64_t settled) {
    if (answer.outcome == outcome && answer.reason == reason && answer.settled == settled) return;
    fail_msg("%s %s, %llu settled; not %s %s, %llu", claim_outcome_name(answer.outcome), claim_reason_name(answer.reason),
             (unsigned long long)answer.settled, claim_outcome_name(outcome), claim_reason_name(reason), (unsigned long long)settled);
}

static void expect_alert(enum alert_kind kind, enum alert_mode mode) {
    const struct contract_output *output = &lab.lab->output;
    if (kind == 0) {
        assert_int_equal(output->alert_count, 0);
        return;
    }
    assert_int_equal(output->alert_count, 1);
    assert_int_equal(output->alerts[0].kind, kind);
    assert_int_equal(output->alerts[0].mode, mode);
    assert_true(output->alerts[0].confidence > 0 && output->alerts[0].confidence <= 100);
    assert_int_equal(output->alerts[0].evidence[0], lab.lab->statements - 1);
}

static void settles_what_was_dispensed(void **state) {
    (void)state;
    claims_commission(&lab, "1");
    claims_dispense(&lab, "1", 60, 0);
    const struct claim_line_answer answer = claims_one(&lab, 0, claims_line("L1", "1"));
    expect(answer, CLAIM_SETTLED, CLAIM_REASON_NONE, 24);
    assert_int_equal(answer.content, 24);
    assert_int_equal(answer.dispensing, lab.lab->statements - 1);  // the statement before, counted from 1
    expect_alert(0, 0);
    // The same line again is the same answer; with another word in it, it is none.
    expect(claims_one(&lab, 0, claims_line("L1", "1")), CLAIM_DUPLICATE, CLAIM_REASON_NONE, 24);
    struct claim_line other = claims_line("L1", "1");
    other.units = 23;
    expect(claims_one(&lab, 0, other), CLAIM_REFUSED, CLAIM_ALREADY_SETTLED, 24);
    // Line ids are each insurer's own: the other one's L1 fails by quantity.
    expect(claims_one(&lab, 1, claims_line("L1", "1")), CLAIM_REFUSED, CLAIM_OVER_CONTENT, 24);
    expect_alert(ALERT_OVERCLAIMED, ALERT_ENFORCE);
    assert_int_equal(lab.lab->output.alerts[0].confidence, 80);
    assert_int_equal(lab.lab->output.alerts[0].evidence_count, 3);
}

static void one_batch_is_answered_line_by_line(void **state) {
    (void)state;
    claims_commission(&lab, "1");
    claims_commission(&lab, "2");
    claims_dispense(&lab, "1", 60, 0);
    claims_dispense(&lab, "2", 60, 10);
    struct claim_line lines[6] = {claims_line("A", "2"), claims_line("B", "1"), claims_line("C", "nobody"), claims_line("B", "1"),
                                  claims_line("D", "2"), claims_line("E", "2")};
    struct claim_line_answer answers[6];
    lines[0].units = 6;
    lines[4].units = 5;
    lines[5].units = 4;
    assert_int_equal(claims_batch(&lab, 0, lines, 6, answers), RESULT_ALERTED);
    expect(answers[0], CLAIM_SETTLED, CLAIM_REASON_NONE, 6);
    expect(answers[1], CLAIM_SETTLED, CLAIM_REASON_NONE, 24);
    expect(answers[2], CLAIM_REFUSED, CLAIM_UNKNOWN_PACK, 0);
    expect(answers[3], CLAIM_DUPLICATE, CLAIM_REASON_NONE, 24);
    expect(answers[4], CLAIM_REFUSED, CLAIM_OVER_DISPENSED, 6);
    expect(answers[5], CLAIM_SETTLED, CLAIM_REASON_NONE, 10);
}

static void only_insurers_claim(void **state) {
    (void)state;
    struct claim_line line = claims_line("L1", "1");
    struct claim_line_answer answer;
    const struct actor *insurer = lab.insurers[0];
    claims_commission(&lab, "1");
    claims_dispense(&lab, "1", 60, 0);
    lab.insurers[0] = lab.company;  // no insurer by any record
    assert_int_equal(claims_batch(&lab, 0, &line, 1, &answer), RESULT_NOT_ALLOWED);
    // Nor does it become one by its own word.
    const struct master_record record = {.kind = MASTER_PARTY, .version = 1, .valid_from = RULES_LAB_START,
                                         .party = {.id = lab.company->party, .name = {.en = "x"}, .roles = 1u << MASTER_INSURER}};
    assert_int_equal(rules_lab_master(lab.lab, lab.company, &record), RESULT_NOT_ALLOWED);
    // An insurer speaks for itself alone, and its devices do not speak for it.
    struct actor pretender = *lab.insurers[1];
    memcpy(pretender.party, insurer->party, sizeof pretender.party);
    pretender.role = ACTOR_DEVICE;
    lab.insurers[0] = &pretender;
    assert_int_equal(claims_batch(&lab, 0, &line, 1, &answer), RESULT_NOT_ALLOWED);
    lab.insurers[0] = insurer;
    expect(claims_one(&lab, 0, line), CLAIM_SETTLED, CLAIM_REASON_NONE, 24);
}

static void needs_a_dispensing(void **state) {
    (void)state;
    claims_commission(&lab, "1");
    // A terminal may be a week without network: a doubt, no accusation.
    expect(claims_one(&lab, 0, claims_line("L1", "1")), CLAIM_REFUSED, CLAIM_NOT_DISPENSED, 0);
    expect_alert(ALERT_CLAIMED_NOT_DISPENSED, ALERT_SHADOW);
    expect(claims_one(&lab, 0, claims_line("L1", "1")), CLAIM_REFUSED, CLAIM_NOT_DISPENSED, 0);
    expect_alert(0, 0);  // said already
    lab.lab->chain_time += 8 * CLAIMS_DAY * 1000;
    expect(claims_one(&lab, 0, claims_line("L2", "1")), CLAIM_REFUSED, CLAIM_NOT_DISPENSED, 0);
    expect_alert(ALERT_CLAIMED_NOT_DISPENSED, ALERT_ENFORCE);
    // When the dispensing comes after all, the line that was refused is settled.
    claims_dispense(&lab, "1", 60, 0);
    expect(claims_one(&lab, 0, claims_line("L1", "1")), CLAIM_SETTLED, CLAIM_REASON_NONE, 24);
    expect(claims_one(&lab, 0, claims_line("L3", "nobody")), CLAIM_REFUSED, CLAIM_UNKNOWN_PACK, 0);
    expect_alert(ALERT_CLAIMED_NOT_DISPENSED, ALERT_SHADOW);
    expect(claims_one(&lab, 0, claims_line("L4", "urn:no:pack")), CLAIM_REFUSED, CLAIM_UNKNOWN_PRODUCT, 0);
    struct claim_line typed = claims_line("L5", "1");
    typed.pack = "https://id.gs1.org/01/06901234567890/21/1";  // wrong check digit
    expect(claims_one(&lab, 0, typed), CLAIM_REFUSED, CLAIM_UNREADABLE_CODE, 0);
    expect_alert(0, 0);
    typed.pack = "8123456789012345678";  // a digit is missing
    expect(claims_one(&lab, 0, typed), CLAIM_REFUSED, CLAIM_UNREADABLE_CODE, 0);
}

static void the_product_must_be_the_one(void **state) {
    (void)state;
    struct claim_line line = claims_line("L1", "1");
    claims_commission(&lab, "1");
    claims_dispense(&lab, "1", 60, 0);
    line.product = CLAIMS_OTHER_GTIN;
    expect(claims_one(&lab, 0, line), CLAIM_REFUSED, CLAIM_WRONG_PRODUCT, 0);
    expect_alert(ALERT_WRONG_PRODUCT, ALERT_ENFORCE);
    line.product = "06912345678919";  // nobody has described it
    expect(claims_one(&lab, 0, line), CLAIM_REFUSED, CLAIM_WRONG_PRODUCT, 0);
    expect_alert(ALERT_WRONG_PRODUCT, ALERT_SHADOW);
    line.product = "06901234567893";  // the check digit says that it was typed wrongly
    expect(claims_one(&lab, 0, line), CLAIM_REFUSED, CLAIM_PRODUCT_MISTYPED, 0);
    expect_alert(0, 0);
    line.product_kind = CLAIM_INSURANCE_CODE;
    line.product = "XB02FGHIJ";
    expect(claims_one(&lab, 0, line), CLAIM_REFUSED, CLAIM_WRONG_PRODUCT, 0);
    expect_alert(ALERT_WRONG_PRODUCT, ALERT_ENFORCE);
    line.product = "XA01ABDCE";  // two letters exchanged
    expect(claims_one(&lab, 0, line), CLAIM_REFUSED, CLAIM_PRODUCT_MISTYPED, 0);
    expect_alert(0, 0);
    line.product = "XA01ABCDE";
    expect(claims_one(&lab, 0, line), CLAIM_SETTLED, CLAIM_REASON_NONE, 24);
    // The same product under another of its identifiers.
    claims_commission(&lab, "2");
    claims_dispense(&lab, "2", 60, 0);
    line = claims_line("L2", "2");
    line.product = CLAIMS_SAME_GTIN;
    expect(claims_one(&lab, 0, line), CLAIM_SETTLED, CLAIM_REASON_NONE, 24);
    line = claims_line("L3", "2");
    line.product_kind = CLAIM_DRUG_IDENTIFIER;
    line.product = "8123456";
    expect(claims_one(&lab, 0, line), CLAIM_REFUSED, CLAIM_UNKNOWN_PRODUCT, 24);
}

static void place_prescription_and_reference_must_fit(void **state) {
    (void)state;
    const struct pt_digest one = {{1, 2, 3}}, two = {{3, 2, 1}};
    struct claims_event event = {.serial = "1", .step = "dispensing", .disposition = "dispensed", .seconds = 60, .id = "urn:event:1", .prescription = &one};
    claims_commission(&lab, "1");
    claims_commission(&lab, "2");
    claims_say(&lab, &event);
    struct claim_line line = claims_line("L1", "1");
    line.place = "https://id.gs1.org/414/9506000000022";
    expect(claims_one(&lab, 0, line), CLAIM_REFUSED, CLAIM_OTHER_PLACE, 0);
    expect_alert(ALERT_CLAIMED_NOT_DISPENSED, ALERT_SHADOW);
    line = claims_line("L1", "1");
    expect(claims_one(&lab, 0, line), CLAIM_REFUSED, CLAIM_WRONG_PRESCRIPTION, 0);  // it names none
    line.has_prescription = true;
    line.prescription = two;
    expect(claims_one(&lab, 0, line), CLAIM_REFUSED, CLAIM_WRONG_PRESCRIPTION, 0);
    line.prescription = one;
    line.event_id = "urn:event:2";
    expect(claims_one(&lab, 0, line), CLAIM_REFUSED, CLAIM_OTHER_DISPENSING, 0);
    line.event_id = "urn:event:1";
    line.place = "urn:epc:id:sgln:950600000001..0";  // the same place in another form
    expect(claims_one(&lab, 0, line), CLAIM_SETTLED, CLAIM_REASON_NONE, 24);
    // Without prescription, and by the statement's id.
    const uint64_t leaf = lab.lab->statements;
    claims_dispense(&lab, "2", 60, 0);
    line = claims_line("L2", "2");
    line.has_prescription = true;
    expect(claims_one(&lab, 0, line), CLAIM_REFUSED, CLAIM_NO_PRESCRIPTION, 0);
    expect_alert(0, 0);
    line.has_prescription = false;
    line.has_statement = true;
    line.statement = (struct pt_digest){{9}};
    expect(claims_one(&lab, 0, line), CLAIM_REFUSED, CLAIM_OTHER_DISPENSING, 0);
    line.statement = (struct pt_digest){{0}};
    line.statement.bytes[7] = (uint8_t)leaf;  // the lab's ids
    expect(claims_one(&lab, 0, line), CLAIM_SETTLED, CLAIM_REASON_NONE, 24);
}

static void reversal_restores_once(void **state) {
    (void)state;
    claims_commission(&lab, "1");
    claims_commission(&lab, "2");
    claims_dispense(&lab, "1", 60, 0);
    expect(claims_one(&lab, 0, claims_reversal("L1", "1")), CLAIM_REFUSED, CLAIM_NOT_YOUR_LINE, 0);
    expect(claims_one(&lab, 0, claims_line("L1", "1")), CLAIM_SETTLED, CLAIM_REASON_NONE, 24);
    expect(claims_one(&lab, 1, claims_reversal("L1", "1")), CLAIM_REFUSED, CLAIM_NOT_YOUR_LINE, 24);
    expect(claims_one(&lab, 0, claims_reversal("L1", "2")), CLAIM_REFUSED, CLAIM_NOT_YOUR_LINE, 0);
    expect(claims_one(&lab, 0, claims_reversal("L1", "garbage")), CLAIM_REFUSED, CLAIM_NOT_YOUR_LINE, 0);
    const struct claim_line_answer reversed = claims_one(&lab, 0, claims_reversal("L1", "1"));
    expect(reversed, CLAIM_REVERSED, CLAIM_REASON_NONE, 0);
    assert_true(reversed.other > 0 && reversed.dispensing > 0);
    expect(claims_one(&lab, 0, claims_reversal("L1", "1")), CLAIM_DUPLICATE, CLAIM_REASON_NONE, 0);
    expect(claims_one(&lab, 0, claims_line("L1", "1")), CLAIM_REFUSED, CLAIM_ALREADY_REVERSED, 0);
    expect(claims_one(&lab, 1, claims_line("L1", "1")), CLAIM_SETTLED, CLAIM_REASON_NONE, 24);
    expect(claims_one(&lab, 0, claims_line("L9", "1")), CLAIM_REFUSED, CLAIM_OVER_CONTENT, 24);
}

static void what_is_taken_back_is_not_settled(void **state) {
    (void)state;
    struct claims_event undo = {.serial = "1", .step = "dispensing", .disposition = "dispensed", .seconds = 60, .undo = true};
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct claim_pack pack;
    claims_commission(&lab, "1");
    claims_dispense(&lab, "1", 60, 0);
    undo.signer = lab.other_till;  // nobody undoes what another party said
    claims_say(&lab, &undo);
    assert_true(claims_look(&lab, "1", &arena, &pack));
    assert_int_equal(claim_dispensing_net(&pack.dispensings[0]), 24);
    undo.signer = NULL;
    claims_say(&lab, &undo);
    expect(claims_one(&lab, 0, claims_line("L1", "1")), CLAIM_REFUSED, CLAIM_TAKEN_BACK, 0);
    expect_alert(ALERT_CLAIMED_NOT_DISPENSED, ALERT_SHADOW);
    claims_dispense(&lab, "1", 120, 0);
    expect(claims_one(&lab, 0, claims_line("L1", "1")), CLAIM_SETTLED, CLAIM_REASON_NONE, 24);
    // Parts of it come back.
    const struct claims_event back = {.serial = "2", .step = "receiving", .disposition = "returned", .seconds = 180, .units = 4};
    claims_commission(&lab, "2");
    claims_dispense(&lab, "2", 60, 10);
    claims_say(&lab, &back);
    struct claim_line line = claims_line("L2", "2");
    line.units = 7;
    expect(claims_one(&lab, 0, line), CLAIM_REFUSED, CLAIM_TAKEN_BACK, 0);
    line.units = 6;
    expect(claims_one(&lab, 0, line), CLAIM_SETTLED, CLAIM_REASON_NONE, 6);
    line.id = "L3";
    line.units = 1;
    expect(claims_one(&lab, 0, line), CLAIM_REFUSED, CLAIM_OVER_DISPENSED, 6);
}

// Whether the insurer's list of lines to reverse names this one.
static bool listed_as_due(unsigned insurer, const char *line) {
    uint8_t mark[CLAIM_MARK], line_key[CLAIM_LINE_KEY], text[64];
    struct pt_buf key = PT_BUF_OVER(text);
    struct pt_bytes value;
    claim_insurer_mark(lab.insurers[insurer]->party, mark);
    claim_line_key(lab.insurers[insurer]->party, line, line_key);
    claim_key_due(mark, line_key, &key);
    return rules_lab_get(lab.lab, STATE_CLAIM, pt_buf_bytes(&key), &value);
}

static void what_comes_back_after_settling_is_told(void **state) {
    (void)state;
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct claim_pack pack;
    struct claim_line line = claims_line("L1", "1");
    const struct claims_event back = {.serial = "1", .step = "receiving", .disposition = "returned", .seconds = 180, .units = 6};
    claims_commission(&lab, "1");
    claims_dispense(&lab, "1", 60, 0);
    line.units = 14;
    expect(claims_one(&lab, 0, line), CLAIM_SETTLED, CLAIM_REASON_NONE, 14);
    line.id = "L2";
    line.units = 10;
    expect(claims_one(&lab, 1, line), CLAIM_SETTLED, CLAIM_REASON_NONE, 24);
    claims_say(&lab, &back);
    assert_true(claims_look(&lab, "1", &arena, &pack));
    assert_int_equal(claim_pack_settled(&pack), 24);       // what is settled stays
    assert_true(claim_pack_reversal_due(&pack, 1));        // the newest line is told
    assert_false(claim_pack_reversal_due(&pack, 0));
    assert_true(listed_as_due(1, "L2"));
    assert_false(listed_as_due(0, "L1"));
    expect(claims_one(&lab, 1, claims_reversal("L2", "1")), CLAIM_REVERSED, CLAIM_REASON_NONE, 14);
    assert_false(listed_as_due(1, "L2"));
    // Of the 24 six came back, fourteen are settled: four are left.
    line.id = "L3";
    line.units = 5;
    expect(claims_one(&lab, 1, line), CLAIM_REFUSED, CLAIM_OVER_DISPENSED, 14);
    line.units = 4;
    expect(claims_one(&lab, 1, line), CLAIM_SETTLED, CLAIM_REASON_NONE, 18);
    // The older line given back settles what was due of the newer one.
    const struct claims_event more = {.serial = "1", .step = "receiving", .disposition = "returned", .seconds = 240, .units = 2};
    claims_say(&lab, &more);
    assert_true(listed_as_due(1, "L3"));
    expect(claims_one(&lab, 0, claims_reversal("L1", "1")), CLAIM_REVERSED, CLAIM_REASON_NONE, 4);
    assert_false(listed_as_due(1, "L3"));
}

static void late_news_count_by_their_own_time(void **state) {
    (void)state;
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct claim_pack pack;
    // Dispensed twice, both parts returned, but the first is heard of last.
    const struct claims_event back = {.serial = "1", .step = "receiving", .disposition = "returned", .seconds = 300, .units = 20};
    claims_commission(&lab, "1");
    claims_dispense(&lab, "1", 120, 10);
    claims_say(&lab, &back);
    claims_dispense(&lab, "1", 60, 10);
    struct claim_line line = claims_line("L1", "1");
    line.units = 1;
    expect(claims_one(&lab, 0, line), CLAIM_REFUSED, CLAIM_TAKEN_BACK, 0);
    claims_dispense(&lab, "1", 400, 3);  // after the return
    assert_true(claims_look(&lab, "1", &arena, &pack));
    assert_int_equal(pack.unmatched_count, 0);
    line.units = 3;
    expect(claims_one(&lab, 0, line), CLAIM_SETTLED, CLAIM_REASON_NONE, 3);
    // The pack came back before anybody heard that it was sold.
    const struct claims_event whole = {.serial = "2", .step = "receiving", .disposition = "returned", .seconds = 300};
    claims_commission(&lab, "2");
    claims_dispense(&lab, "2", 200, 0);
    claims_say(&lab, &whole);
    claims_dispense(&lab, "2", 100, 0);
    expect(claims_one(&lab, 0, claims_line("L2", "2")), CLAIM_REFUSED, CLAIM_TAKEN_BACK, 0);
}

static void a_copy_gives_nothing(void **state) {
    (void)state;
    struct claims_event copy = {.serial = "1", .step = "dispensing", .disposition = "dispensed", .seconds = 120, .signer = lab.other_till};
    claims_commission(&lab, "1");
    claims_dispense(&lab, "1", 60, 0);
    claims_say(&lab, &copy);
    struct claim_line line = claims_line("L1", "1");
    line.place = "urn:packtrail:place:elsewhere";
    expect(claims_one(&lab, 1, line), CLAIM_REFUSED, CLAIM_OVER_DISPENSED, 0);
    expect(claims_one(&lab, 0, claims_line("L1", "1")), CLAIM_SETTLED, CLAIM_REASON_NONE, 24);
    expect(claims_one(&lab, 1, line), CLAIM_REFUSED, CLAIM_OVER_CONTENT, 24);
    // The same event sent by another device of the pharmacy is the same dispensing.
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct claim_pack pack;
    const struct actor *second = rules_lab_enrol(lab.lab, ACTOR_DEVICE, lab.till->party, CLAIMS_PLACE);
    struct claims_event again = {.serial = "2", .step = "dispensing", .disposition = "partially_dispensed", .units = 5, .seconds = 60};
    claims_commission(&lab, "2");
    claims_say(&lab, &again);
    again.signer = second;
    claims_say(&lab, &again);
    assert_true(claims_look(&lab, "2", &arena, &pack));
    assert_int_equal(pack.dispensing_count, 1);
}

static void what_cannot_be_counted_is_not_settled(void **state) {
    (void)state;
    const char *unknown = "https://id.gs1.org/01/06922222222227/21/1";
    struct claim_line line = claims_line("L1", unknown);
    struct claims_event event = {.serial = unknown, .step = "commissioning", .signer = lab.maker};
    claims_say(&lab, &event);
    event = (struct claims_event){.serial = unknown, .step = "dispensing", .disposition = "dispensed", .seconds = 60};
    claims_say(&lab, &event);
    line.product = "06922222222227";
    expect(claims_one(&lab, 0, line), CLAIM_REFUSED, CLAIM_CONTENT_UNKNOWN, 0);
    expect_alert(0, 0);
    // A part of unknown size proves one unit.
    const struct claims_event part = {.serial = "1", .step = "dispensing", .disposition = "partially_dispensed", .seconds = 60};
    claims_commission(&lab, "1");
    claims_say(&lab, &part);
    line = claims_line("L2", "1");
    line.units = 2;
    expect(claims_one(&lab, 0, line), CLAIM_REFUSED, CLAIM_OVER_DISPENSED, 0);
    line.units = 1;
    expect(claims_one(&lab, 0, line), CLAIM_SETTLED, CLAIM_REASON_NONE, 1);
    // More than a whole pack, with nobody else's claim: units mistaken for something else.
    line = claims_line("L3", "1");
    line.units = 240;
    expect(claims_one(&lab, 0, line), CLAIM_REFUSED, CLAIM_OVER_CONTENT, 1);
}

static void the_dispensings_warnings_stay_with_it(void **state) {
    (void)state;
    const struct claims_event recall = {.serial = "1", .step = "holding", .disposition = "recalled", .seconds = 30};
    claims_commission(&lab, "1");
    claims_say(&lab, &recall);
    assert_int_equal(claims_dispense(&lab, "1", 60, 0), RESULT_ALERTED);
    const struct claim_line_answer answer = claims_one(&lab, 0, claims_line("L1", "1"));
    expect(answer, CLAIM_SETTLED, CLAIM_REASON_NONE, 24);
    if (rules_lab_alerted(lab.lab, ALERT_RECALLED) == 0) assert_int_equal(answer.flags & CLAIM_FLAG_RECALLED, CLAIM_FLAG_RECALLED);
}

static void parts_are_bounded(void **state) {
    (void)state;
    claims_commission(&lab, "1");
    for (int i = 0; i < (int)CLAIM_PARTS_MAX + 10; i++) claims_dispense(&lab, "1", 60 + i, 1);
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct claim_pack pack;
    assert_true(claims_look(&lab, "1", &arena, &pack));
    assert_int_equal(pack.dispensing_count, CLAIM_PARTS_MAX);
    uint64_t granted = 0;
    for (size_t i = 0; i < pack.dispensing_count; i++) granted += pack.dispensings[i].granted;
    assert_int_equal(granted, 24);  // what explains nothing any more made room; the real ones stayed
}

// The dearest batch: as many lines as fit, each held against as many dispensings as are kept. A wide margin: a busy
// machine, sanitizers.
static void the_largest_batch_stays_cheap(void **state) {
    (void)state;
    static struct claim_line lines[CLAIM_LINES_MAX];
    static struct claim_line_answer answers[CLAIM_LINES_MAX];
    static char ids[CLAIM_LINES_MAX][8];
    struct timespec from, to;
    claims_commission(&lab, "1");
    for (int i = 0; i < (int)CLAIM_PARTS_MAX; i++) claims_dispense(&lab, "1", 60 + i, 1);
    for (size_t i = 0; i < CLAIM_LINES_MAX; i++) {
        snprintf(ids[i], sizeof ids[i], "%zu", i);
        lines[i] = claims_line(ids[i], "1");
        lines[i].pack = lines[0].pack;
        lines[i].place = "urn:p";
        lines[i].units = 1;
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    assert_int_equal(claims_batch(&lab, 0, lines, CLAIM_LINES_MAX, answers), RESULT_ALERTED);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    expect(answers[CLAIM_LINES_MAX - 1], CLAIM_REFUSED, CLAIM_OTHER_PLACE, 0);
    const double millis = (double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6;
    print_message("# %.1f ms for %u lines against %u dispensings\n", millis, CLAIM_LINES_MAX, CLAIM_PARTS_MAX);
    assert_true(millis < 5000);
}

static void does_nothing_where_it_is_off(void **state) {
    (void)state;
    struct claims_lab eu = claims_lab_new("eu");
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct claim_pack pack;
    struct claim_line line = claims_line("L1", "1");
    struct claim_line_answer answer;
    claims_commission(&eu, "1");
    claims_dispense(&eu, "1", 60, 0);
    assert_false(claims_look(&eu, "1", &arena, &pack));
    assert_int_equal(claims_batch(&eu, 0, &line, 1, &answer), RESULT_NOT_ALLOWED);
    rules_lab_set(eu.lab, "claims.enabled", 1);
    claims_commission(&eu, "2");
    claims_dispense(&eu, "2", 60, 0);
    expect(claims_one(&eu, 0, claims_line("L2", "2")), CLAIM_SETTLED, CLAIM_REASON_NONE, 24);
    claims_lab_free(&eu);
}

// What is no dispensing costs claims nothing.
static void ordinary_events_leave_no_trace(void **state) {
    (void)state;
    static const char *const steps[] = {"receiving", "shipping", "holding", "cycle_counting", "void_shipping"};
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct claim_pack pack;
    claims_commission(&lab, "1");
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct claims_event event = {.serial = "1", .step = steps[i], .seconds = 60 * (int64_t)i};
        claims_say(&lab, &event);
        event.disposition = "returned";
        claims_say(&lab, &event);
    }
    assert_false(claims_look(&lab, "1", &arena, &pack));
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(settles_what_was_dispensed), CASE(one_batch_is_answered_line_by_line), CASE(only_insurers_claim), CASE(needs_a_dispensing),
        CASE(the_product_must_be_the_one), CASE(place_prescription_and_reference_must_fit), CASE(reversal_restores_once),
        CASE(what_is_taken_back_is_not_settled), CASE(what_comes_back_after_settling_is_told), CASE(late_news_count_by_their_own_time),
        CASE(a_copy_gives_nothing), CASE(what_cannot_be_counted_is_not_settled), CASE(the_dispensings_warnings_stay_with_it),
        CASE(parts_are_bounded), CASE(the_largest_batch_stays_cheap), CASE(does_nothing_where_it_is_off), CASE(ordinary_events_leave_no_trace),
    };
    return cmocka_run_group_tests_name("claims", tests, NULL, NULL);
}
