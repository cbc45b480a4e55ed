// COSE_Sign1 (RFC 9052 section 4.2): the envelope of everything that is signed here.
#ifndef PACKTRAIL_COMMON_COSE_COSE_SIGN1_H
#define PACKTRAIL_COMMON_COSE_COSE_SIGN1_H

#include "common/cose/cbor.h"
#include "common/crypto/signature.h"

// Header labels (IANA, RFC 9597, RFC 9942) and ours from the private-use range.
enum {
    COSE_HEADER_ALG = 1,
    COSE_HEADER_CRIT = 2,
    COSE_HEADER_CONTENT_TYPE = 3,
    COSE_HEADER_KID = 4,
    COSE_HEADER_CWT_CLAIMS = 15,
    COSE_HEADER_RECEIPTS = 394,
    COSE_HEADER_VDS = 395,
    COSE_HEADER_VDP = 396,
    COSE_HEADER_GENESIS = -65701,       // bstr .size 32: genesis hash of the ledger that this is meant for
    COSE_HEADER_DEVICE_CHAIN = -65702,  // [sequence: uint, previous: bstr .size 32]
};

// The parts of a decoded message; views into its bytes.
struct cose_sign1 {
    struct pt_bytes protected_bytes;    // content of the protected bstr (an encoded map, or empty)
    struct pt_bytes unprotected_bytes;  // the encoded map
    struct pt_bytes payload;
    bool detached;                      // payload is nil
    struct pt_bytes signature;
    bool tagged;                        // tag 18 stood before it
    // From the protected header:
    enum cose_algorithm algorithm;      // COSE_ALG_NONE if absent, COSE_ALG_UNKNOWN if text or out of range
    struct pt_bytes content_type;       // text; none if absent or a number
    struct pt_bytes kid;                // protected, else unprotected (RFC 9052 allows both)
    bool unprotected_empty;
    enum cose_algorithm unprotected_algorithm;  // as `algorithm`, from the unprotected header; never used to verify
};

// Decodes an untagged or 18-tagged COSE_Sign1; any other tag, a duplicate label in either header or in both together,
// a label in `crit` that is not among `understood` (or is not present, or crit unprotected) and trailing bytes are PT_INVALID.
enum pt_code cose_sign1_decode(struct pt_bytes message, const int64_t *understood, size_t understood_count,
                               struct cose_sign1 *out, struct pt_error *err) PT_NODISCARD;

// Decodes the one form that ours have: tag 18, deterministic, an empty unprotected header, the payload within, a
// signature of 64 bytes. Leaves what stands in the protected header (algorithm, content_type, kid) to the caller.
enum pt_code cose_sign1_decode_strict(struct pt_bytes message, struct cose_sign1 *out, struct pt_error *err) PT_NODISCARD;

// The encoded value of a label in a header map that was decoded before; false if the label is not there.
bool cose_header_find(struct pt_bytes map, int64_t label, struct pt_bytes *value);

// Appends the Sig_structure (RFC 9052 section 4.4): what a signature covers. A protected header that is an empty map
// counts as no bytes.
void cose_sig_structure(struct pt_bytes protected_bytes, struct pt_bytes external_aad, struct pt_bytes payload,
                        struct pt_buf *out);
struct pt_digest cose_sig_digest(struct pt_bytes protected_bytes, struct pt_bytes external_aad, struct pt_bytes payload);

// Verifies over Sig_structure ["Signature1", protected, external_aad, payload]. payload: the message's, or the
// detached one given. The algorithm must stand in the protected header and fit the key.
enum pt_code cose_sign1_verify(const struct cose_sign1 *message, const struct verify_key *key,
                               struct pt_bytes external_aad, struct pt_bytes detached_payload,
                               struct pt_error *err) PT_NODISCARD;

// Appends tag 18 and the message. protected_map: the encoded map; unprotected_map: encoded, or no bytes for {};
// detached: the payload is signed but nil is written.
enum pt_code cose_sign1_sign(const struct signer *signer, struct pt_bytes protected_map, struct pt_bytes unprotected_map,
                             struct pt_bytes external_aad, struct pt_bytes payload, bool detached, struct pt_buf *out,
                             struct pt_error *err) PT_NODISCARD;

#endif
