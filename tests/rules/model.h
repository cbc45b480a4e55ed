// The rules once more, in other words: slow, with nothing stored that it could work out, and written from DESIGN.md section 9.
//
// What holds after every event, whatever it was (I1 to I12; also in ledger/contracts/README.md):
//   I1  What is over stays over: decommissioned, destroyed or stolen never becomes anything alive.
//   I2  What a patient brought back is never goods again.
//   I3  What was recalled or withdrawn is never goods again by an event; what nobody announced never is.
//   I4  What is left of a pack is never more than it holds, nor less than nothing; it is what was not supplied.
//   I5  More than it holds is never supplied without an alert.
//   I6  A broached pack never passes for a whole one.
//   I7  Nothing lies in itself; what lies deeper than HIERARCHY_MAX is said to be unconfirmed.
//   I8  What counts for a thing (effective) is what its containers, read from outside in, make of it.
//   I9  Every alert names its statement first among its evidence, and nothing later.
//   I10 A thing that an event neither names nor takes something out of does not change in one byte.
//   I11 A move that comes late changes neither state nor quantity, and accuses nobody.
//   I12 The state after is one that expectations.txt allows after that operation, with the alerts that it asks for.
// A statement that is refused changes nothing at all.
#ifndef PACKTRAIL_TESTS_RULES_MODEL_H
#define PACKTRAIL_TESTS_RULES_MODEL_H

#include "tests/rules/walk.h"

// What the model itself remembers of a thing.
struct model_thing {
    int64_t supplied;   // units that went to the public, less those taken back
    bool broached;      // a part of it did
    bool commissioned;  // by its maker
    bool announced;     // so, or as a container that something was packed into
    bool came_back;     // from a patient
    bool called_back;   // recalled or withdrawn
};

struct model {
    struct model_thing things[WALK_THINGS];
};

// walk->before, walk->after and lab->output are of the event.
void model_check(struct model *model, struct walk *walk, const struct walk_event *event, enum statement_result result);

#endif
