#include "firmware/work/work_rules.h"

#include <string.h>

// What a cell says:
enum cell {
    GOOD,   // taken, nothing is said: for this task it is no fault
    TELL,   // taken, and staff are told
    ALARM,  // taken, with the stop tone: the goods are there, set them aside
    AGAIN,  // not taken, no harm done: scan the right thing
    STAFF,  // not taken; whoever works may insist
    SUPER,  // not taken; a supervisor may insist
    NEVER,  // not taken; nobody may insist
};

// Goods that are to be looked at, set aside, sent back or destroyed are taken whatever is wrong with them: that is why it
// is done. Goods that came in are taken, too: they are in the house, and an event must say so. What leaves for others or
// is put back to stock is stopped. What goes to a patient is stopped for good where no word of a supervisor makes it right:
//   recalled, expired: both profiles forbid the sale (Drug Administration Law art. 98 and GSP; 2016/161 art. 20 and 30).
//   used up: the box has no more, so another pack is meant.
static const uint8_t table[WORK_FINDINGS][WORK_CLASSES] = {
    //                          MAKE   FILL   EMPTY  SHIP   RECEIVE DISPENSE BACK   SENDBK LOOK   ASIDE  RELEASE END
    [FINDING_UNREADABLE]      = {NEVER, NEVER, NEVER, NEVER, NEVER,  NEVER,   NEVER, NEVER, NEVER, NEVER, NEVER,  NEVER},
    [FINDING_PRODUCT_CODE]    = {AGAIN, AGAIN, AGAIN, AGAIN, AGAIN,  AGAIN,   AGAIN, AGAIN, AGAIN, AGAIN, AGAIN,  AGAIN},
    [FINDING_DUPLICATE]       = {AGAIN, AGAIN, AGAIN, AGAIN, AGAIN,  AGAIN,   AGAIN, AGAIN, AGAIN, AGAIN, AGAIN,  AGAIN},
    [FINDING_FAKE_TAG]        = {NEVER, NEVER, SUPER, NEVER, ALARM,  NEVER,   ALARM, ALARM, ALARM, ALARM, NEVER,  ALARM},
    [FINDING_RED]             = {TELL,  TELL,  TELL,  ALARM, ALARM,  NEVER,   TELL,  TELL,  TELL,  GOOD,  ALARM,  GOOD},
    [FINDING_RECALLED]        = {SUPER, SUPER, TELL,  SUPER, ALARM,  NEVER,   TELL,  GOOD,  TELL,  GOOD,  NEVER,  GOOD},
    [FINDING_USED_UP]         = {GOOD,  GOOD,  GOOD,  GOOD,  GOOD,   NEVER,   GOOD,  GOOD,  GOOD,  GOOD,  GOOD,   GOOD},
    [FINDING_EXPIRED]         = {SUPER, SUPER, TELL,  SUPER, ALARM,  NEVER,   GOOD,  GOOD,  GOOD,  GOOD,  NEVER,  GOOD},
    [FINDING_MAYBE_RECALLED]  = {TELL,  TELL,  TELL,  STAFF, TELL,   STAFF,   TELL,  GOOD,  TELL,  GOOD,  STAFF,  GOOD},
    [FINDING_WRONG_PRODUCT]   = {STAFF, STAFF, STAFF, STAFF, TELL,   STAFF,   STAFF, STAFF, TELL,  STAFF, STAFF,  STAFF},
    [FINDING_UNVERIFIED]      = {GOOD,  GOOD,  GOOD,  GOOD,  GOOD,   NEVER,   GOOD,  GOOD,  GOOD,  GOOD,  GOOD,   GOOD},
    [FINDING_DONE_BEFORE]     = {SUPER, TELL,  TELL,  STAFF, STAFF,  SUPER,   STAFF, STAFF, GOOD,  TELL,  TELL,   STAFF},
    [FINDING_UNEXPECTED]      = {TELL,  TELL,  TELL,  STAFF, TELL,   TELL,    TELL,  TELL,  TELL,  TELL,  TELL,   TELL},
    [FINDING_DOUBTFUL_CHIP]   = {TELL,  TELL,  TELL,  STAFF, TELL,   SUPER,   TELL,  TELL,  TELL,  GOOD,  STAFF,  GOOD},
    [FINDING_AMBER]           = {GOOD,  TELL,  GOOD,  TELL,  TELL,   TELL,    TELL,  TELL,  TELL,  GOOD,  TELL,   GOOD},
    [FINDING_NOT_ASKED]       = {GOOD,  GOOD,  GOOD,  GOOD,  GOOD,   TELL,    GOOD,  GOOD,  GOOD,  GOOD,  GOOD,   GOOD},
    [FINDING_OTHER_BOX]       = {GOOD,  GOOD,  GOOD,  GOOD,  GOOD,   TELL,    GOOD,  GOOD,  GOOD,  GOOD,  GOOD,   GOOD},
    [FINDING_UNKNOWN_PRODUCT] = {TELL,  TELL,  TELL,  TELL,  TELL,   TELL,    TELL,  TELL,  TELL,  TELL,  TELL,   TELL},
};

// Where a profile differs from the table.
static const struct {
    enum work_profile profile;
    enum work_finding finding;
    enum work_class class;
    enum cell cell;
} differences[] = {
    // 串换: a product other than the prescribed one against insurance money is what is looked for; no single member of staff
    // decides it. In the EU a pharmacist may substitute.
    {WORK_CN, FINDING_WRONG_PRODUCT, WORK_DISPENSE, SUPER},
    // In the EU the two-dimensional code always tells the lot, so a doubt means that another code was scanned: the pharmacist
    // in charge looks. A Chinese trace code never tells it: whoever works compares the print on the box.
    {WORK_EU, FINDING_MAYBE_RECALLED, WORK_DISPENSE, SUPER},
};

static const struct {
    const char *task;
    enum work_class class;
} classes[] = {
    {"commission", WORK_MAKE},  {"pack", WORK_FILL},         {"unpack", WORK_EMPTY},       {"ship", WORK_SHIP},
    {"receive", WORK_RECEIVE},  {"dispense", WORK_DISPENSE}, {"return", WORK_TAKE_BACK},   {"send-back", WORK_SEND_BACK},
    {"inspect", WORK_LOOK},     {"count", WORK_LOOK},        {"quarantine", WORK_SET_ASIDE}, {"sample", WORK_SET_ASIDE},
    {"release", WORK_RELEASE},  {"stolen", WORK_END},        {"decommission", WORK_END},   {"destroy", WORK_END},
};

enum work_class work_class_of(const struct task *task) {
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
        if (strcmp(classes[i].task, task->name) == 0) return classes[i].class;
    return WORK_SHIP;  // a task that the table does not know is held to the strictest rules for goods in trade
}

enum work_profile work_profile_of(const char *name) { return name && strcmp(name, "cn") == 0 ? WORK_CN : WORK_EU; }

struct work_rule work_rule_of(enum work_profile profile, enum work_class class, enum work_finding finding) {
    enum cell cell = (enum cell)table[finding][class];
    for (size_t i = 0; i < sizeof differences / sizeof differences[0]; i++)
        if (differences[i].profile == profile && differences[i].finding == finding && differences[i].class == class)
            cell = differences[i].cell;
    switch (cell) {
    case GOOD: return (struct work_rule){.taken = true, .tone = WORK_GOOD};
    case TELL: return (struct work_rule){.taken = true, .tone = WORK_ATTENTION};
    case ALARM: return (struct work_rule){.taken = true, .tone = WORK_STOP};
    case AGAIN: return (struct work_rule){.tone = WORK_ATTENTION};
    case STAFF: return (struct work_rule){.may_insist = true, .tone = WORK_STOP};
    case SUPER: return (struct work_rule){.may_insist = true, .supervisor = true, .tone = WORK_STOP};
    case NEVER: break;
    }
    return (struct work_rule){.tone = WORK_STOP};
}

static const struct {
    enum work_verdict verdict;
    const char *word;
} findings[WORK_FINDINGS] = {
    [FINDING_UNREADABLE] = {WORK_UNREADABLE, NULL},
    [FINDING_PRODUCT_CODE] = {WORK_PRODUCT_CODE, NULL},
    [FINDING_DUPLICATE] = {WORK_DUPLICATE, NULL},
    [FINDING_FAKE_TAG] = {WORK_FAKE_TAG, "fake_tag"},
    [FINDING_RED] = {WORK_NOT_DISPENSABLE, NULL},
    [FINDING_RECALLED] = {WORK_RECALLED, "recalled"},
    [FINDING_USED_UP] = {WORK_NOT_DISPENSABLE, NULL},
    [FINDING_EXPIRED] = {WORK_EXPIRED, "expired"},
    [FINDING_MAYBE_RECALLED] = {WORK_MAYBE_RECALLED, "maybe_recalled"},
    [FINDING_WRONG_PRODUCT] = {WORK_WRONG_PRODUCT, "wrong_product"},
    [FINDING_UNVERIFIED] = {WORK_NOT_DISPENSABLE, "not_verified"},
    [FINDING_DONE_BEFORE] = {WORK_DONE_BEFORE, "duplicate_work"},
    [FINDING_UNEXPECTED] = {WORK_UNEXPECTED, "unexpected"},
    [FINDING_DOUBTFUL_CHIP] = {WORK_FAKE_TAG, "doubtful_chip"},
    [FINDING_AMBER] = {WORK_ADDED, NULL},
    [FINDING_NOT_ASKED] = {WORK_ADDED, "not_verified"},
    [FINDING_OTHER_BOX] = {WORK_ADDED, NULL},
    [FINDING_UNKNOWN_PRODUCT] = {WORK_UNKNOWN_PRODUCT, NULL},
};

enum work_verdict work_verdict_of(enum work_finding finding) { return findings[finding].verdict; }

const char *work_finding_word(enum work_finding finding) { return findings[finding].word; }
