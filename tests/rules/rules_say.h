// Events in few words, told to the lab.
#ifndef PACKTRAIL_TESTS_RULES_RULES_SAY_H
#define PACKTRAIL_TESTS_RULES_RULES_SAY_H

#include "tests/rules/rules_lab.h"

#define SAY_EPCS 32u

// What is left out is not said; an object event with action OBSERVE. Texts live until rules_say returns.
struct say {
    enum epcis_event_type type;
    enum epcis_action action;
    const char *step, *disposition;  // any spelling
    const char *parent;              // EPCIS URI
    const char *epcs[SAY_EPCS];      // up to the first NULL; the inputs of a transformation
    const char *outputs[SAY_EPCS];   // of a transformation
    int64_t seconds;                 // since RULES_LAB_START
    const char *place;               // bizLocation
    const char *lot, *expiry;        // ilmd
    int64_t content;                 // ilmd, smallest units
    int64_t units;                   // smallest units dispensed or given back
    const char *destination;         // party
    const char *event_id;
    bool error;                      // an error declaration
    const char *corrective;          // its corrective event's ID
};

// The event in EPCIS's form. It points into `memory` and into what *say points to.
struct say_memory {
    struct epcis_member ilmd[3], extensions[1];
    struct epcis_reference destination;
};
struct epcis_event rules_event_of(const struct say *say, struct say_memory *memory);

enum statement_result rules_say(struct rules_lab *lab, const struct actor *signer, const struct say *say);

#endif
