// SHA-256 (FIPS 180-4), by OpenSSL.
#ifndef PACKTRAIL_COMMON_CRYPTO_DIGEST_H
#define PACKTRAIL_COMMON_CRYPTO_DIGEST_H

#include "common/base/bytes.h"

// One-shot; cannot fail. Thread-safe.
struct pt_digest sha256(struct pt_bytes bytes);
struct pt_digest sha256_parts(const struct pt_bytes *parts, size_t count);  // over the parts one after another

// In pieces. A value type: copying it forks the hash.
struct sha256_stream {
    uint64_t state[16];
};
struct sha256_stream sha256_begin(void);
void sha256_add(struct sha256_stream *stream, struct pt_bytes bytes);
struct pt_digest sha256_end(struct sha256_stream *stream);

#endif
