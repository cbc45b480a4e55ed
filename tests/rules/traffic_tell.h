// From what is told to the event, and what the contracts say of it.
#ifndef PACKTRAIL_TESTS_RULES_TRAFFIC_TELL_H
#define PACKTRAIL_TESTS_RULES_TRAFFIC_TELL_H

#include "tests/rules/traffic_lot.h"

enum statement_result traffic_apply(struct world *world, const struct happening *happening);

#endif
