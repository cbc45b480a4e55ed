// SHA-256 and HMAC-SHA-256 (FIPS 180-4, RFC 2104), by OpenSSL.
#ifndef PACKTRAIL_COMMON_CRYPTO_DIGEST_H
#define PACKTRAIL_COMMON_CRYPTO_DIGEST_H

#include "common/base/bytes.h"

// One-shot; cannot fail for want of input. Thread-safe; a context a thread is kept.
struct pt_digest sha256(struct pt_bytes bytes);
struct pt_digest sha256_parts(const struct pt_bytes *parts, size_t count);

#endif
