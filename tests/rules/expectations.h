// expectations.txt, read: what is asked of the state machine by somebody who has not seen its table.
#ifndef PACKTRAIL_TESTS_RULES_EXPECTATIONS_H
#define PACKTRAIL_TESTS_RULES_EXPECTATIONS_H

#include "ledger/contracts/lifecycle_table.h"

#define EXPECTED_FORMS 128u

// What one operation may do to a pack in one state. Sets are bits, by number of state or kind of alert.
struct expected_pair {
    bool given;
    uint32_t to;
    uint32_t must_alert, may_alert;  // one of must_alert is raised, unless it is empty; none outside of both
};

struct expected_form {
    enum lifecycle_operation operation;
    enum pack_role role;
    enum epcis_event_type type;
    enum epcis_action action;
    char step[32], disposition[48];  // empty: not said
};

struct expectations {
    struct expected_pair pairs[LIFECYCLE_OPERATIONS][LIFECYCLE_STATES];
    uint32_t kinds;  // all kinds of alerts that pairs speak of
    struct expected_form forms[EXPECTED_FORMS];
    size_t form_count;
};

// Fails the running test with the line if the file is wrong, or leaves a pair out.
void expectations_read(struct expectations *out);

#endif
