#include "tests/rules/expectations.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/support.h"

#define WORDS (LIFECYCLE_STATES + 2)

struct reading {
    struct expectations *out;
    char shorts[LIFECYCLE_STATES][8];
    enum lifecycle_state states[LIFECYCLE_STATES];  // in the order of the columns
    size_t state_count;
    enum alert_kind letters[128];
    unsigned line;
};

static enum lifecycle_operation operation_named(const struct reading *reading, const char *name) {
    for (unsigned i = 0; i < LIFECYCLE_OPERATIONS; i++)
        if (strcmp(lifecycle_operation_name((enum lifecycle_operation)i), name) == 0) return (enum lifecycle_operation)i;
    fail_msg("expectations.txt:%u: no operation is called %s", reading->line, name);
    return OPERATION_OBSERVE;
}

static void read_state(struct reading *reading, char *const *words) {
    for (unsigned i = 0; i < LIFECYCLE_STATES; i++) {
        if (strcmp(lifecycle_state_name((enum lifecycle_state)i), words[2]) != 0) continue;
        snprintf(reading->shorts[reading->state_count], sizeof reading->shorts[0], "%s", words[1]);
        reading->states[reading->state_count++] = (enum lifecycle_state)i;
        return;
    }
    fail_msg("expectations.txt:%u: no state is called %s", reading->line, words[2]);
}

static void read_alert(struct reading *reading, char *const *words) {
    for (unsigned i = 1; i < ALERT_KINDS; i++) {
        if (strcmp(alert_kind_name((enum alert_kind)i), words[2]) != 0) continue;
        reading->letters[(unsigned char)words[1][0] & 127] = (enum alert_kind)i;
        reading->out->kinds |= 1u << i;
        return;
    }
    fail_msg("expectations.txt:%u: no alert is called %s", reading->line, words[2]);
}

static uint32_t alerts_of(const struct reading *reading, const char *letters) {
    uint32_t set = 0;
    for (; *letters; letters++) {
        const enum alert_kind kind = reading->letters[(unsigned char)*letters & 127];
        if (!kind) fail_msg("expectations.txt:%u: no alert has the letter %c", reading->line, *letters);
        set |= 1u << kind;
    }
    return set;
}

// "tra|sto~O": states, then the alerts that must (!) or may (~) be raised.
static void read_cell(const struct reading *reading, char *cell, struct expected_pair *out) {
    char *alerts = strpbrk(cell, "!~"), *rest = NULL;
    if (alerts) {
        const uint32_t set = alerts_of(reading, alerts + 1);
        *(*alerts == '!' ? &out->must_alert : &out->may_alert) = set;
        *alerts = 0;
    }
    out->given = true;
    for (char *word = strtok_r(cell, "|", &rest); word; word = strtok_r(NULL, "|", &rest)) {
        size_t i = 0;
        while (i < reading->state_count && strcmp(reading->shorts[i], word) != 0) i++;
        if (i == reading->state_count) fail_msg("expectations.txt:%u: no state is called %s", reading->line, word);
        else out->to |= 1u << reading->states[i];
    }
}

static unsigned index_of(const struct reading *reading, const char *const *words, unsigned count, const char *word) {
    for (unsigned i = 1; i < count; i++)
        if (words[i] && strcmp(words[i], word) == 0) return i;
    fail_msg("expectations.txt:%u: what is %s?", reading->line, word);
    return 0;
}

static void read_form(struct reading *reading, char *const *words) {
    static const char *const roles[] = {NULL, "object", "parent", "child", "input", "output"};
    static const char *const types[] = {NULL, "object", "aggregation", "transaction", "transformation"};
    static const char *const actions[] = {NULL, "add", "observe", "delete"};
    assert_true(reading->out->form_count < EXPECTED_FORMS);
    struct expected_form *form = &reading->out->forms[reading->out->form_count++];
    form->operation = operation_named(reading, words[1]);
    form->role = (enum pack_role)index_of(reading, roles, 6, words[2]);
    form->type = (enum epcis_event_type)index_of(reading, types, 5, words[3]);
    form->action = words[4][0] == '-' ? EPCIS_ACTION_NONE : (enum epcis_action)index_of(reading, actions, 4, words[4]);
    if (words[5][0] != '-') snprintf(form->step, sizeof form->step, "%s", words[5]);
    if (words[6][0] != '-') snprintf(form->disposition, sizeof form->disposition, "%s", words[6]);
}

static void read_line(struct reading *reading, char *line) {
    char *words[WORDS + 1] = {0}, *rest = NULL;
    size_t count = 0;
    if (line[0] == '#') return;
    for (char *word = strtok_r(line, " \n", &rest); word && count <= WORDS; word = strtok_r(NULL, " \n", &rest)) words[count++] = word;
    if (count == 0) return;
    if (strcmp(words[0], "state") == 0 && count == 3) read_state(reading, words);
    else if (strcmp(words[0], "alert") == 0 && count == 3) read_alert(reading, words);
    else if (strcmp(words[0], "form") == 0 && count == 7) read_form(reading, words);
    else if (strcmp(words[0], "pair") == 0 && count == WORDS && reading->state_count == LIFECYCLE_STATES) {
        const enum lifecycle_operation operation = operation_named(reading, words[1]);
        for (size_t i = 0; i < LIFECYCLE_STATES; i++)
            read_cell(reading, words[i + 2], &reading->out->pairs[operation][reading->states[i]]);
    } else {
        fail_msg("expectations.txt:%u: %s with %zu words", reading->line, words[0], count);
    }
}

void expectations_read(struct expectations *out) {
    char line[1024];
    struct reading reading = {.out = out};
    FILE *file = fopen(RULES_FOLDER "/expectations.txt", "r");
    assert_non_null(file);
    *out = (struct expectations){0};
    while (fgets(line, sizeof line, file)) {
        reading.line++;
        read_line(&reading, line);
    }
    fclose(file);
    for (unsigned operation = 0; operation < LIFECYCLE_OPERATIONS; operation++)
        for (unsigned state = 0; state < LIFECYCLE_STATES; state++)
            if (!out->pairs[operation][state].given)
                fail_msg("expectations.txt says nothing of %s of a pack that is %s",
                         lifecycle_operation_name((enum lifecycle_operation)operation), lifecycle_state_name((enum lifecycle_state)state));
}
