// Two insurers and a pharmacy on one pack of 24 units: dispensing in parts, undoing, returning, settling and reversing in
// every order, within one block and over several. Never more than 24 settled, never more than was out when it was settled,
// and everything else by chain order.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "tests/rules/claims_lab.h"
#include "tests/support/support.h"

#define CONTENT 24
#define STEPS_MAX 7u

enum kind { DISPENSE, UNDO, RETURN, SETTLE, REVERSE };

struct step {
    enum kind kind;
    int64_t seconds;   // of the event; an undo names the dispensing of the same time
    uint64_t units;    // 0: whole
    unsigned insurer;
    char line;         // of the insurer; settled and reversed by it
};

static const struct set {
    const char *name;
    struct step steps[STEPS_MAX];
    size_t count;
} sets[] = {
    {"two whole claims and their reversals",
     {{DISPENSE, 60, 0, 0, 0}, {SETTLE, 0, 24, 0, 'a'}, {SETTLE, 0, 24, 1, 'b'}, {REVERSE, 0, 0, 0, 'a'}, {REVERSE, 0, 0, 1, 'b'},
      {SETTLE, 0, 24, 1, 'c'}}, 6},
    {"split between two insurers, one reverses, some comes back",
     {{DISPENSE, 60, 10, 0, 0}, {DISPENSE, 120, 14, 0, 0}, {SETTLE, 0, 10, 0, 'a'}, {SETTLE, 0, 14, 1, 'b'}, {SETTLE, 0, 24, 1, 'c'},
      {REVERSE, 0, 0, 0, 'a'}, {RETURN, 180, 4, 0, 0}}, 7},
    {"an undone part is dispensed again",
     {{DISPENSE, 60, 10, 0, 0}, {UNDO, 60, 10, 0, 0}, {DISPENSE, 120, 24, 0, 0}, {SETTLE, 0, 10, 0, 'a'}, {SETTLE, 0, 24, 1, 'b'},
      {REVERSE, 0, 0, 1, 'b'}, {SETTLE, 0, 4, 0, 'c'}}, 7},
    {"a copy of the pack",
     {{DISPENSE, 60, 0, 0, 0}, {DISPENSE, 90, 0, 0, 0}, {SETTLE, 0, 24, 0, 'a'}, {SETTLE, 0, 24, 1, 'b'}, {UNDO, 60, 0, 0, 0},
      {REVERSE, 0, 0, 0, 'a'}, {SETTLE, 0, 12, 1, 'c'}}, 7},
    {"returned whole, and a line told twice",
     {{DISPENSE, 60, 0, 0, 0}, {RETURN, 180, 0, 0, 0}, {SETTLE, 0, 20, 0, 'a'}, {SETTLE, 0, 20, 0, 'a'}, {SETTLE, 0, 4, 1, 'b'},
      {REVERSE, 0, 0, 0, 'a'}, {DISPENSE, 240, 0, 0, 0}}, 7},
};

// What a bookkeeper who only reads the answers knows.
struct books {
    uint64_t settled;
    struct {
        bool live, used, reversed;
        uint64_t units;
    } lines[2][26];
};

static struct claims_lab lab;
static unsigned long runs, statements, settled_lines, refused_lines;

static void pharmacy(const struct step *step, const char *serial) {
    struct claims_event event = {.serial = serial, .seconds = step->seconds, .units = (int64_t)step->units, .step = "dispensing",
                                 .disposition = step->units ? "partially_dispensed" : "dispensed", .undo = step->kind == UNDO};
    if (step->kind == RETURN) {
        event.step = "receiving";
        event.disposition = "returned";
    }
    claims_say(&lab, &event);
}

static void insurer(const struct step *step, const char *serial, unsigned long run, struct books *books) {
    char id[32];
    struct claim_line line;
    snprintf(id, sizeof id, "%lu%c", run, step->line);
    line = step->kind == SETTLE ? claims_line(id, serial) : claims_reversal(id, serial);
    if (step->kind == SETTLE) line.units = step->units;
    const struct claim_line_answer answer = claims_one(&lab, step->insurer, line);
    const unsigned number = (unsigned)(step->line - 'a');
    if (answer.outcome == CLAIM_SETTLED) {
        assert_int_equal(step->kind, SETTLE);
        assert_false(books->lines[step->insurer][number].used);  // once
        books->lines[step->insurer][number].used = books->lines[step->insurer][number].live = true;
        books->lines[step->insurer][number].units = step->units;
        books->settled += step->units;
        settled_lines++;
    } else if (answer.outcome == CLAIM_REVERSED) {
        assert_int_equal(step->kind, REVERSE);
        assert_true(books->lines[step->insurer][number].live);
        books->lines[step->insurer][number].live = false;
        books->lines[step->insurer][number].reversed = true;
        books->settled -= books->lines[step->insurer][number].units;
    } else if (answer.outcome == CLAIM_DUPLICATE) {
        assert_true(books->lines[step->insurer][number].used);
    } else {
        assert_true(answer.reason != CLAIM_REASON_NONE);
        refused_lines++;
    }
    assert_int_equal(answer.settled, books->settled);
}

// What must hold after every step.
static void check(const char *serial, const struct books *books, uint64_t settled_before, uint64_t open_before) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct claim_pack pack;
    uint64_t out = 0;
    if (!claims_look(&lab, serial, &arena, &pack)) {
        assert_int_equal(books->settled, 0);
        return;
    }
    assert_int_equal(claim_pack_settled(&pack), books->settled);
    assert_true(books->settled <= CONTENT);
    for (size_t i = 0; i < pack.dispensing_count; i++) {
        const struct claim_dispensing *dispensing = &pack.dispensings[i];
        uint64_t on_it = 0;
        for (size_t line = 0; line < pack.line_count; line++)
            if (pack.lines[line].dispensing == dispensing->leaf) on_it += pack.lines[line].units;
        assert_int_equal(on_it, dispensing->settled);
        assert_true(dispensing->settled <= dispensing->granted);
        assert_true(dispensing->granted <= dispensing->asked);
        out += claim_dispensing_net(dispensing);
    }
    assert_true(out <= CONTENT);
    // Only what was open before could be settled now.
    if (books->settled > settled_before) assert_true(books->settled - settled_before <= open_before);
}

static uint64_t open_units(const char *serial) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct claim_pack pack;
    uint64_t open = 0;
    if (!claims_look(&lab, serial, &arena, &pack)) return 0;
    for (size_t i = 0; i < pack.dispensing_count; i++) open += claim_dispensing_open(&pack.dispensings[i]);
    return open;
}

// The units that are out in the end, by what is known of the set alone: -1 where the order decides.
static int64_t out_in_the_end(const struct set *set, const unsigned *order) {
    int64_t dispensed = 0, back = 0;
    bool any = false;
    for (size_t i = 0; i < set->count; i++) {
        const struct step *step = &set->steps[order[i]];
        if (step->kind == RETURN && (!any || step->units == 0)) return -1;  // nobody knew of a dispensing yet
        if (step->kind == DISPENSE && step->units == 0) return -1;          // whole: what was left just then
        if (step->kind == UNDO) return -1;
        if (step->kind == DISPENSE) any = true, dispensed += (int64_t)step->units;
        if (step->kind == RETURN) back += (int64_t)step->units;
    }
    return dispensed > CONTENT ? -1 : dispensed - back;
}

static uint64_t play(const struct set *set, const unsigned *order, bool one_block) {
    char serial[32];
    struct books books = {0};
    const unsigned long run = runs++;
    snprintf(serial, sizeof serial, "%lu", run + 1);
    claims_commission(&lab, serial);
    for (size_t i = 0; i < set->count; i++) {
        const struct step *step = &set->steps[order[i]];
        const uint64_t settled_before = books.settled, open_before = open_units(serial);
        if (step->kind == SETTLE || step->kind == REVERSE) insurer(step, serial, run, &books);
        else pharmacy(step, serial);
        check(serial, &books, settled_before, open_before);
        statements++;
        if (!one_block) rules_lab_next_block(lab.lab);
    }
    const int64_t expected = out_in_the_end(set, order);
    if (expected >= 0) {
        PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
        struct claim_pack pack;
        int64_t out = 0;
        assert_true(claims_look(&lab, serial, &arena, &pack));
        for (size_t i = 0; i < pack.dispensing_count; i++) out += (int64_t)claim_dispensing_net(&pack.dispensings[i]);
        assert_int_equal(out, expected);
    }
    return books.settled;
}

static void permute(const struct set *set, unsigned *order, size_t from) {
    if (from == set->count) {
        const uint64_t together = play(set, order, true), apart = play(set, order, false);
        assert_int_equal(together, apart);  // blocks make no difference
        return;
    }
    for (size_t i = from; i < set->count; i++) {
        unsigned swapped = order[from];
        order[from] = order[i];
        order[i] = swapped;
        permute(set, order, from + 1);
        swapped = order[from];
        order[from] = order[i];
        order[i] = swapped;
    }
}

static void in_every_order(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        unsigned order[STEPS_MAX] = {0, 1, 2, 3, 4, 5, 6};
        const unsigned long before = runs;
        lab = claims_lab_new("cn");
        lab.lab->forget_alerts = true;
        permute(&sets[i], order, 0);
        print_message("# %s: %lu runs\n", sets[i].name, runs - before);
        claims_lab_free(&lab);
    }
    print_message("# %lu runs, %lu steps, %lu lines settled, %lu refused\n", runs, statements, settled_lines, refused_lines);
    assert_true(settled_lines > 1000 && refused_lines > 1000);
}

// Longer ways, of random steps, with many lines.
static void at_random(void **state) {
    (void)state;
    const char *given = getenv("PACKTRAIL_TEST_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : 20260101;
    print_message("# seed %llu\n", (unsigned long long)seed);
    lab = claims_lab_new("cn");
    lab.lab->forget_alerts = true;
    for (unsigned run = 0; run < 2000; run++) {
        char serial[32];
        struct books books = {0};
        snprintf(serial, sizeof serial, "R%u", run);
        claims_commission(&lab, serial);
        for (unsigned i = 0; i < 40; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            const uint64_t r = seed >> 33;
            const struct step step = {.kind = (enum kind)(r % 8 < 2 ? DISPENSE : r % 8 < 3 ? UNDO : r % 8 < 4 ? RETURN : r % 8 < 6 ? SETTLE : REVERSE),
                                      .seconds = (int64_t)(60 * (1 + r / 8 % 6)), .units = r / 64 % 13, .insurer = (unsigned)(r / 1024 % 2),
                                      .line = (char)('a' + r / 2048 % 26)};
            struct step chosen = step;
            const uint64_t settled_before = books.settled, open_before = open_units(serial);
            if (chosen.kind == SETTLE && chosen.units == 0) chosen.units = CONTENT;
            if (chosen.kind == SETTLE && books.lines[chosen.insurer][chosen.line - 'a'].used) chosen.kind = REVERSE;
            if (chosen.kind == SETTLE || chosen.kind == REVERSE) insurer(&chosen, serial, 1000000 + run, &books);
            else pharmacy(&chosen, serial);
            check(serial, &books, settled_before, open_before);
            if (r & 1u << 20) rules_lab_next_block(lab.lab);
        }
    }
    claims_lab_free(&lab);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(in_every_order), cmocka_unit_test(at_random)};
    return cmocka_run_group_tests_name("claims in every order", tests, NULL, NULL);
}
