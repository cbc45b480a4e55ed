// What the ledger's own members sign besides statements (block headers, co-signatures, checkpoints): COSE_Sign1 in
// one strict form, protected header {alg: ES256, content type, kid, genesis hash} (sealed in chain.cddl).
#ifndef PACKTRAIL_COMMON_COSE_SEALED_H
#define PACKTRAIL_COMMON_COSE_SEALED_H

#include "common/cose/cose_sign1.h"

struct sealed {
    struct cose_sign1 envelope;
    struct pt_digest kid;
    struct pt_digest genesis;
    struct pt_bytes payload;
};

// Signs `payload` as `content_type`; appends the tagged bytes.
enum pt_code sealed_sign(const struct signer *signer, const char *content_type, const struct pt_digest *genesis,
                         struct pt_bytes payload, struct pt_buf *out, struct pt_error *err) PT_NODISCARD;

// Decodes; any other content type or form is PT_INVALID. Views into `bytes`. Does not verify.
enum pt_code sealed_decode(struct pt_bytes bytes, const char *content_type, struct sealed *out,
                           struct pt_error *err) PT_NODISCARD;

// Starts as failed: the genesis hash, the key's thumbprint and the signature must hold.
enum pt_code sealed_verify(const struct sealed *sealed, const struct verify_key *key, const struct pt_digest *genesis,
                           struct pt_error *err) PT_NODISCARD;

#endif
