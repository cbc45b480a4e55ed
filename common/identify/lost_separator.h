// The commonest mistake of keyboard wedges: FNC1 is not typed, and a value of variable length swallows what follows.
#ifndef PACKTRAIL_COMMON_IDENTIFY_LOST_SEPARATOR_H
#define PACKTRAIL_COMMON_IDENTIFY_LOST_SEPARATOR_H

#include "common/identify/gs1_element.h"

// Reads `text` (concatenated, FNC1 as 0x1D) as if separators were missing before AIs that drug labels bear (10, 11, 17,
// 21, 710 to 717), none of them twice. Returns how many such readings satisfy every rule, associations included: 0, 1,
// or 2 for "more than one"; *out is the first of them. The reading as it stands is not counted.
size_t lost_separator_readings(struct pt_bytes text, struct gs1_elements *out);

#endif
