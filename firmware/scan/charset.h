// Character sets by their ECI number (AIM ITS/04-023), without the system's conversion tables, which a sandboxed
// decoder cannot open.
#ifndef PACKTRAIL_FIRMWARE_SCAN_CHARSET_H
#define PACKTRAIL_FIRMWARE_SCAN_CHARSET_H

#include "common/base/bytes.h"

// Appends the bytes as UTF-8. Knows Latin-1 (1, 3), Cyrillic (7, ISO 8859-5), Turkish (11, ISO 8859-9), Latin-9 (17),
// UTF-16BE (25), UTF-8 (26) and ASCII (27, 170). False, and nothing certain appended, for other numbers and for
// bytes that the set does not have.
bool scan_charset_append(struct pt_buf *out, long eci, struct pt_bytes bytes);

// Appends one Unicode character as UTF-8; surrogates and values above U+10FFFF are the caller's to refuse.
void scan_utf8_append(struct pt_buf *out, uint32_t character);

#endif
