// Check digits that tell a misread linear code from a good one.
#ifndef PACKTRAIL_FIRMWARE_SCAN_CHECKDIGIT_H
#define PACKTRAIL_FIRMWARE_SCAN_CHECKDIGIT_H

#include "common/base/bytes.h"

// Whether the last digit is the GS1 mod 10 check digit of those before it; false unless all are digits.
bool scan_check_digit_good(struct pt_bytes digits);

// The 12 digits of UPC-A that an 8-digit UPC-E (number system, six digits, check digit) stands for.
// False when the number system is neither 0 nor 1 or the check digit is wrong.
bool scan_upce_expand(struct pt_bytes upce, char out[13]);

#endif
