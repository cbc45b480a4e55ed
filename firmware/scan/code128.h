// Code 128 (ISO/IEC 15417) from the widths of bars and spaces along a line. Pure.
#ifndef PACKTRAIL_FIRMWARE_SCAN_CODE128_H
#define PACKTRAIL_FIRMWARE_SCAN_CODE128_H

#include "firmware/scan/symbol.h"

#define SCAN_CODE128_MAX_VALUES 128u

// Bar and space patterns of the values 0 to 105 and of stop (106, without its last bar): six widths of 1 to 4 modules.
extern const uint8_t scan_code128_patterns[107][6];

// Looks for a whole symbol that begins with the bar widths[first]: start, characters, check character, stop. Gives the
// number of elements it spans, 0 if there is none. values gets start to the last data character (check left out).
size_t scan_code128_match(const float *widths, size_t count, size_t first, uint8_t *values, size_t *value_count);

// Values, the start first, to bytes: sets aim, bytes and text. FNC4 gives ISO 8859-1 above 127. PT_INVALID when
// nothing is left or a function character stands where it may not.
enum pt_code scan_code128_text(const uint8_t *values, size_t count, struct scan_symbol *out,
                               struct pt_error *err) PT_NODISCARD;

#endif
