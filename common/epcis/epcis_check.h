// Single values of events against the rules of EPCIS 2.0.
#ifndef PACKTRAIL_COMMON_EPCIS_EPCIS_CHECK_H
#define PACKTRAIL_COMMON_EPCIS_EPCIS_CHECK_H

#include "common/epcis/event_fields.h"

// Whether the text is an absolute URI (RFC 3986, with RFC 8141's shape for urn:, and a host for http and https).
bool epcis_is_uri(const char *text);

// PT_INVALID, without a place, if the text breaks the rule.
enum pt_code epcis_check_text(enum epcis_rule rule, const char *text, struct pt_error *err) PT_NODISCARD;
enum pt_code epcis_check_number(enum epcis_rule rule, const struct epcis_number *number, struct pt_error *err)
    PT_NODISCARD;

// Every item against the field's rule, and the field's rules on the array; the place is "/3".
enum pt_code epcis_check_texts(const struct epcis_field *field, const struct epcis_texts *texts, struct pt_error *err)
    PT_NODISCARD;

// What the type of an event asks of several fields together, and that its required fields are there.
enum pt_code epcis_check_event_rules(const struct epcis_event *event, struct pt_error *err) PT_NODISCARD;

// pt_fail with a JSON Pointer of one token, which is escaped (RFC 6901): "/" + prefix + ":" + name.
enum pt_code epcis_fail_at_name(struct pt_error *err, const char *prefix, const char *name, const char *what);

// Puts "/name", escaped, before the error's place.
enum pt_code epcis_error_under_name(struct pt_error *err, const char *name);

#endif
