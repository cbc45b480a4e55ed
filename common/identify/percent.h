// Percent-encoding (RFC 3986) of the parts of our URIs.
#ifndef PACKTRAIL_COMMON_IDENTIFY_PERCENT_H
#define PACKTRAIL_COMMON_IDENTIFY_PERCENT_H

#include "common/base/bytes.h"

// Appends `text`, every byte but letters, digits, '-', '.', '_' and '~' as %XX: one spelling for one value.
void percent_encode(struct pt_buf *out, struct pt_bytes text);

// Decodes into `out` (room for `size` bytes and a NUL); *len is what was written. PT_INVALID with the offset in `text`
// of a bad escape, of a control character or of text that does not fit.
enum pt_code percent_decode(struct pt_bytes text, char *out, size_t size, size_t *len,
                            struct pt_error *err) PT_NODISCARD;

// The offset in the encoded `text` of the byte that decodes to number `decoded`.
size_t percent_offset(struct pt_bytes text, size_t decoded);

#endif
