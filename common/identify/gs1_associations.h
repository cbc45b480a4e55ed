// Which AIs must, may not and need to agree with each other on one item (GS1 General Specifications section 4.13).
#ifndef PACKTRAIL_COMMON_IDENTIFY_GS1_ASSOCIATIONS_H
#define PACKTRAIL_COMMON_IDENTIFY_GS1_ASSOCIATIONS_H

#include "common/identify/gs1_element.h"

// PT_OK, or PT_CONFLICT for a repeated AI with another value or AIs that exclude each other, PT_NOT_FOUND for a missing
// companion: the standard asks for companions over all symbols of an item, so whoever saw only one of them may go on.
// err->where is the AI, err->position its value.
enum pt_code gs1_associations_check(const struct gs1_elements *elements, struct pt_error *err) PT_NODISCARD;

#endif
