// What the parts of AI values must satisfy: check digits, dates, code lists and the like.
#ifndef PACKTRAIL_COMMON_IDENTIFY_GS1_CHECK_H
#define PACKTRAIL_COMMON_IDENTIFY_GS1_CHECK_H

#include "common/identify/gs1_ai.h"

// The rule's name in the GS1 Syntax Dictionary ("csum", "yymmd0", …).
const char *gs1_check_name(enum gs1_check check);

// NULL when `text` (already in its character set) satisfies the rule; otherwise the reason, to follow "AI (nn) ", and
// in *wrong_at the offset of the offending part.
const char *gs1_check_content(enum gs1_check check, struct pt_bytes text, size_t *wrong_at);

// The GS1 check digit ('0' to '9') for digits that lack it: weights 3, 1, 3, … from the right.
char gs1_check_digit(struct pt_bytes digits);

// Membership in the code lists that the standards refer to (gs1_code_lists.c). Numeric codes have three digits.
bool gs1_is_country(unsigned number);
bool gs1_is_country_alpha(const uint8_t letters[2]);
bool gs1_is_currency(unsigned number);
bool gs1_is_package_type(struct pt_bytes code);

// The structure of North American coupons (gs1_coupon.c); answers as gs1_check_content.
const char *gs1_check_coupon(struct pt_bytes text, size_t *wrong_at);
const char *gs1_check_coupon_offer(struct pt_bytes text, size_t *wrong_at);

#endif
