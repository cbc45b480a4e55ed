// What a code turned out to be, and what then holds for it in each kind of task: the one table of work_rules.c.
#ifndef PACKTRAIL_FIRMWARE_WORK_WORK_RULES_H
#define PACKTRAIL_FIRMWARE_WORK_WORK_RULES_H

#include "firmware/work/work.h"

// Tasks that treat packs alike.
enum work_class {
    WORK_MAKE = 0,   // commission
    WORK_FILL,       // pack
    WORK_EMPTY,      // unpack
    WORK_SHIP,
    WORK_RECEIVE,
    WORK_DISPENSE,
    WORK_TAKE_BACK,  // return
    WORK_SEND_BACK,
    WORK_LOOK,       // count, inspect
    WORK_SET_ASIDE,  // quarantine, sample
    WORK_RELEASE,    // found good: back to stock
    WORK_END,        // destroy, decommission, stolen
    WORK_CLASSES
};

// The graver one first: of several that are equally restrictive the first is told.
enum work_finding {
    FINDING_UNREADABLE = 0,
    FINDING_PRODUCT_CODE,
    FINDING_DUPLICATE,
    FINDING_FAKE_TAG,
    FINDING_RED,            // the ledger says: not good for use
    FINDING_RECALLED,
    FINDING_USED_UP,        // fewer units are left than are wanted
    FINDING_EXPIRED,
    FINDING_MAYBE_RECALLED,
    FINDING_WRONG_PRODUCT,
    FINDING_UNVERIFIED,     // the ledger has not answered and the profile asks for its answer
    FINDING_DONE_BEFORE,
    FINDING_UNEXPECTED,
    FINDING_DOUBTFUL_CHIP,  // the tag's originality signature does not hold
    FINDING_AMBER,          // the ledger says: look
    FINDING_NOT_ASKED,      // the ledger has not answered and the profile goes on without
    FINDING_OTHER_BOX,      // another box of this product is open: take that one first
    FINDING_UNKNOWN_PRODUCT,
    WORK_FINDINGS
};

enum work_profile { WORK_CN = 0, WORK_EU = 1, WORK_PROFILES };

struct work_rule {
    bool taken;
    bool may_insist, supervisor;
    enum work_tone tone;
};

enum work_class work_class_of(const struct task *task);
enum work_profile work_profile_of(const char *name);  // what is unknown counts as "eu": it is stricter
struct work_rule work_rule_of(enum work_profile profile, enum work_class class, enum work_finding finding);

enum work_verdict work_verdict_of(enum work_finding finding);
// How PACKTRAIL_TERM_INSISTED names what staff insisted on; NULL: nothing that can be insisted on.
const char *work_finding_word(enum work_finding finding);

#endif
