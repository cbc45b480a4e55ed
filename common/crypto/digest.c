// The low-level interface needs no allocation and no look-up: half as fast again as EVP on a Merkle node's 65 bytes.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include "common/crypto/digest.h"

_Static_assert(sizeof(struct sha256_stream) >= sizeof(SHA256_CTX), "the stream must hold OpenSSL's state");

struct sha256_stream sha256_begin(void) {
    struct sha256_stream stream = {{0}};
    SHA256_Init((SHA256_CTX *)(void *)&stream);
    return stream;
}

void sha256_add(struct sha256_stream *stream, struct pt_bytes bytes) {
    if (bytes.len > 0) SHA256_Update((SHA256_CTX *)(void *)stream, bytes.data, bytes.len);
}

struct pt_digest sha256_end(struct sha256_stream *stream) {
    struct pt_digest digest;
    SHA256_Final(digest.bytes, (SHA256_CTX *)(void *)stream);
    return digest;
}

struct pt_digest sha256_parts(const struct pt_bytes *parts, size_t count) {
    struct sha256_stream stream = sha256_begin();
    for (size_t i = 0; i < count; i++) sha256_add(&stream, parts[i]);
    return sha256_end(&stream);
}

struct pt_digest sha256(struct pt_bytes bytes) { return sha256_parts(&bytes, 1); }
