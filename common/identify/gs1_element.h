// Element strings: one AI with its value, and the list of them that a symbol or a URI carries.
#ifndef PACKTRAIL_COMMON_IDENTIFY_GS1_ELEMENT_H
#define PACKTRAIL_COMMON_IDENTIFY_GS1_ELEMENT_H

#include "common/identify/gs1_ai.h"

// More than any real symbol holds; a Digital Link or a 2D code with more is refused.
#define GS1_ELEMENTS_MAX 40u

struct gs1_element {
    const struct gs1_ai *ai;
    char code[GS1_AI_MAX + 1];
    char value[GS1_VALUE_MAX + 1];
    size_t position; // of the value in the input
};

struct gs1_elements {
    size_t count;
    struct gs1_element items[GS1_ELEMENTS_MAX];
};

// How far a value is looked at. Hashing needs identifiers of one spelling whatever their content, so it asks for the
// shape only; everything that identifies a pack asks for the content too.
enum gs1_depth {
    GS1_SHAPE,   // character sets and lengths
    GS1_CONTENT, // and check digits, dates, code lists
};

// Whether the value fits its AI. PT_INVALID; err->position counts from the value's start, err->where is "(AI)".
enum pt_code gs1_value_check(const struct gs1_ai *ai, const char *code, struct pt_bytes value, enum gs1_depth depth,
                             struct pt_error *err) PT_NODISCARD;

// Checks and appends. `position`: where the value stands in the input; the error's position is counted from there.
// code: the AI's digits, known to the table (else PT_INVALID).
enum pt_code gs1_elements_add(struct gs1_elements *list, struct pt_bytes code, struct pt_bytes value, size_t position,
                              enum gs1_depth depth, struct pt_error *err) PT_NODISCARD;

// The first element with this AI, or NULL.
const struct gs1_element *gs1_elements_find(const struct gs1_elements *list, const char *code);

// Its value, or NULL.
const char *gs1_elements_value(const struct gs1_elements *list, const char *code);

#endif
