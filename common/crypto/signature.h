// Signature algorithms as a table from COSE algorithm to verifier; parsed public keys that are kept; signers.
#ifndef PACKTRAIL_COMMON_CRYPTO_SIGNATURE_H
#define PACKTRAIL_COMMON_CRYPTO_SIGNATURE_H

#include "common/base/bytes.h"

// COSE algorithm identifiers (IANA). ES256 is what statements use; EdDSA is verified in foreign receipts; SM2 with
// SM3 is reserved and answered "not supported".
enum cose_algorithm { COSE_ALG_NONE = 0, COSE_ES256 = -7, COSE_EDDSA = -8, COSE_SM2_SM3_RESERVED = -65800, COSE_ALG_UNKNOWN = INT32_MAX };

// "ES256", "EdDSA", …; NULL for one that we have no name for. Static.
const char *cose_algorithm_name(enum cose_algorithm algorithm);

#define SIGNATURE_SIZE 64u  // ES256: r || s, 32 bytes each; EdDSA: R || S

// A public key, parsed once and kept. Immutable after creation; may be used by many threads at once.
struct verify_key;

// From PEM (SubjectPublicKeyInfo or certificate), DER SubjectPublicKeyInfo, or an encoded COSE_Key (RFC 9052 section 7,
// EC2 P-256 or OKP Ed25519). The point must lie on the curve. Freed by verify_key_free (NULL allowed).
enum pt_code verify_key_from_pem(struct pt_bytes pem, struct verify_key **out, struct pt_error *err) PT_NODISCARD;
enum pt_code verify_key_from_der(struct pt_bytes spki, struct verify_key **out, struct pt_error *err) PT_NODISCARD;
enum pt_code verify_key_from_cose(struct pt_bytes cose_key, struct verify_key **out, struct pt_error *err) PT_NODISCARD;
void verify_key_free(struct verify_key *key);
void verify_key_cleanup(struct verify_key **key);

enum cose_algorithm verify_key_algorithm(const struct verify_key *key);

// RFC 9679 COSE Key thumbprint with SHA-256: the key id (kid) of everything we sign.
struct pt_digest verify_key_thumbprint(const struct verify_key *key);

// The key as deterministic COSE_Key and as PEM.
void verify_key_to_cose(const struct verify_key *key, struct pt_buf *out);
enum pt_code verify_key_to_pem(const struct verify_key *key, struct pt_buf *out, struct pt_error *err) PT_NODISCARD;

// PT_OK only if the signature holds. A wrong length is PT_INVALID, a signature that does not hold PT_UNVERIFIED.
// ES256: r and s must be in 1 … n-1; low and high s are both taken (malleability is harmless here: a duplicate is
// recognised by key, sequence and signed bytes, never by the signature).
enum pt_code signature_verify(const struct verify_key *key, enum cose_algorithm algorithm, struct pt_bytes message,
                              struct pt_bytes signature, struct pt_error *err) PT_NODISCARD;

// Whoever can sign: a key file by Mbed TLS on the terminal, by OpenSSL on servers, later a token. ES256.
struct signer {
    enum pt_code (*sign)(void *ctx, struct pt_bytes message, uint8_t signature[SIGNATURE_SIZE], struct pt_error *err);
    void *ctx;
    struct verify_key *key;  // its public half; owned by the signer
};

// Servers and tools, OpenSSL. The PEM is PKCS#8 or SEC1, P-256, unencrypted.
enum pt_code signer_openssl_from_pem(struct pt_bytes pem, struct signer *out, struct pt_error *err) PT_NODISCARD;
// A fresh P-256 key; its PKCS#8 PEM is appended to `pem`.
enum pt_code signer_openssl_generate(struct pt_buf *pem, struct pt_error *err) PT_NODISCARD;
void signer_openssl_free(struct signer *signer);

// The terminal, Mbed TLS. `generate` makes a key on the device and appends its PEM; `csr` appends a PKCS#10 request
// (PEM) with the given X.500 name ("CN=…,O=…").
enum pt_code signer_mbedtls_from_pem(struct pt_bytes pem, struct signer *out, struct pt_error *err) PT_NODISCARD;
enum pt_code signer_mbedtls_generate(struct pt_buf *pem, struct pt_error *err) PT_NODISCARD;
enum pt_code signer_mbedtls_csr(struct pt_bytes key_pem, const char *subject, struct pt_buf *pem,
                                struct pt_error *err) PT_NODISCARD;
void signer_mbedtls_free(struct signer *signer);

// A key on a PKCS #11 token, by URI (RFC 7512): "pkcs11:token=…;object=…?module-path=/usr/lib/…/module.so&pin-source=file:…".
// The private key never leaves the token. PT_NOT_FOUND: the token has no such key; PT_UNAVAILABLE: no such token or library;
// PT_FORBIDDEN: the PIN. A token that was pulled and put back goes on; while it is out, signing is PT_UNAVAILABLE.
enum pt_code signer_pkcs11_open(const char *uri, struct signer *out, struct pt_error *err) PT_NODISCARD;
// Makes the P-256 key there, not extractable. PT_CONFLICT if it is there already.
enum pt_code signer_pkcs11_generate(const char *uri, struct pt_error *err) PT_NODISCARD;
void signer_pkcs11_free(struct signer *signer);

#endif
