// Bytes as text and back: hex, base64 and base64url, UTF-8.
#ifndef PACKTRAIL_COMMON_BASE_TEXT_H
#define PACKTRAIL_COMMON_BASE_TEXT_H

#include "common/base/bytes.h"

// Lower-case hex without separators.
void pt_hex_append(struct pt_buf *out, struct pt_bytes bytes);

// Either case; an odd length or a foreign character is PT_INVALID with its position.
enum pt_code pt_hex_decode(struct pt_bytes text, struct pt_buf *out, struct pt_error *err) PT_NODISCARD;

// A digest written as 64 hex digits into `out` (65 bytes, NUL included).
void pt_digest_hex(const struct pt_digest *digest, char out[65]);

// RFC 4648 section 4, with padding.
void pt_base64_append(struct pt_buf *out, struct pt_bytes bytes);
// RFC 4648 section 5, without padding.
void pt_base64url_append(struct pt_buf *out, struct pt_bytes bytes);

// Strict: right alphabet, right padding (none for base64url), unused bits zero. The empty text gives no bytes.
enum pt_code pt_base64_decode(struct pt_bytes text, struct pt_buf *out, struct pt_error *err) PT_NODISCARD;
enum pt_code pt_base64url_decode(struct pt_bytes text, struct pt_buf *out, struct pt_error *err) PT_NODISCARD;

// Whether the bytes are UTF-8 as Unicode defines it: shortest form, no surrogates, at most U+10FFFF.
bool pt_utf8_valid(struct pt_bytes text);

#endif
