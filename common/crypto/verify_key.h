// What a verify_key is inside; only for the files of this folder.
#ifndef PACKTRAIL_COMMON_CRYPTO_VERIFY_KEY_H
#define PACKTRAIL_COMMON_CRYPTO_VERIFY_KEY_H

#include "common/crypto/signature.h"

#define P256_COORDINATE_SIZE 32u
#define ED25519_KEY_SIZE 32u

struct verify_key {
    enum cose_algorithm algorithm;
    uint8_t public_bytes[2 * P256_COORDINATE_SIZE];  // x || y, or the 32 bytes of an Ed25519 key
    struct pt_digest thumbprint;
    uint64_t number;  // never given twice in a process, so that a context kept for a freed key is never found again
    void *handle;     // the library's parsed key
};

// Makes the kept key from its public bytes: P-256 as an encoded point (SEC 1, compressed or not), Ed25519 as it is.
enum pt_code openssl_key_from_public_bytes(enum cose_algorithm algorithm, struct pt_bytes public_bytes,
                                           struct verify_key **out, struct pt_error *err) PT_NODISCARD;
void openssl_key_free(struct verify_key *key);

// The bare checks, without the rules that signature_verify adds. True only if the signature holds.
bool openssl_verify_es256(const struct verify_key *key, struct pt_bytes message, const uint8_t signature[SIGNATURE_SIZE]);
bool openssl_verify_eddsa(const struct verify_key *key, struct pt_bytes message, const uint8_t signature[SIGNATURE_SIZE]);

// Sets the thumbprint; called once, by whoever fills a key.
void verify_key_set_thumbprint(struct verify_key *key);

#endif
