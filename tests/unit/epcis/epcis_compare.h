// Whether two decoded events or documents say the same, member by member.
#ifndef PACKTRAIL_TESTS_UNIT_EPCIS_EPCIS_COMPARE_H
#define PACKTRAIL_TESTS_UNIT_EPCIS_EPCIS_COMPARE_H

#include "common/epcis/event.h"

// On a difference, *where (which may be NULL) names the field.
bool epcis_same_event(const struct epcis_event *a, const struct epcis_event *b, const char **where);
bool epcis_same_document(const struct epcis_document *a, const struct epcis_document *b, const char **where);

#endif
