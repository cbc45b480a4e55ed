// GS1 element strings as symbols carry them (concatenated, FNC1 behind what has no predefined length) and as people
// read them (AIs in brackets).
#ifndef PACKTRAIL_COMMON_IDENTIFY_GS1_ELEMENT_STRING_H
#define PACKTRAIL_COMMON_IDENTIFY_GS1_ELEMENT_STRING_H

#include "common/identify/gs1_element.h"
#include "common/identify/warnings.h"

// Whether the text starts with an AI in brackets.
bool gs1_is_bracketed(struct pt_bytes text);

// (01)…(21)…: a bracket starts an AI when two to four digits and a closing bracket follow; "\(" is a bracket of the
// value. Blanks around values are dropped with a warning. Positions are offsets in `text`.
enum pt_code gs1_bracketed_parse(struct pt_bytes text, struct gs1_elements *out, struct identify_warnings *warnings,
                                 struct pt_error *err) PT_NODISCARD;

// Concatenated element strings; FNC1 is 0x1D, a leading one may be there. Positions are offsets in `text`.
// Associations are not looked at.
enum pt_code gs1_element_string_parse(struct pt_bytes text, struct gs1_elements *out,
                                      struct identify_warnings *warnings, struct pt_error *err) PT_NODISCARD;

// Appends the elements with FNC1 (0x1D) where one is needed.
void gs1_element_string_append(struct pt_buf *out, const struct gs1_elements *elements);

#endif
