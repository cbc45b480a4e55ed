// What a device or a company asks of the consortium's operator: to be enrolled under its keys (enrolment_request.cddl).
//
// A COSE_Sign1 by the signing key that asks, so that it proves to hold it; the certificate request inside proves the
// same of the TLS key. Payload: deterministic CBOR {1: version 1, 2: name, 3: COSE_Key, 4: certificate request
// (PKCS#10, PEM text), 5: party URI, 6: place URI or "", 7: role}.
#ifndef PACKTRAIL_COMMON_CHAIN_ENROLMENT_REQUEST_H
#define PACKTRAIL_COMMON_CHAIN_ENROLMENT_REQUEST_H

#include "common/chain/actor.h"

#define ENROLMENT_REQUEST_CONTENT_TYPE "application/vnd.packtrail.enrolment-request+cbor"
#define ENROLMENT_REQUEST_MAX ((size_t)16 * 1024)
#define ENROLMENT_REQUEST_CSR_MAX ((size_t)8 * 1024)

struct enrolment_request {
    enum actor_role role;
    char name[ACTOR_TEXT_MAX + 1];
    char party[ACTOR_TEXT_MAX + 1];
    char place[ACTOR_TEXT_MAX + 1]; // empty if none
    struct pt_buf key;              // COSE_Key of the signing key
    struct pt_digest kid;           // its thumbprint; what people compare on both screens
    struct pt_buf csr;              // PEM
};

void enrolment_request_free(struct enrolment_request *request); // also safe on a zeroed struct

// Signs; key and kid are taken from the signer. Appends the tagged message. PT_INVALID names the field that is
// too long, empty or not UTF-8.
enum pt_code enrolment_request_sign(const struct enrolment_request *request, const struct signer *signer,
                                    struct pt_buf *out, struct pt_error *err) PT_NODISCARD;

// Decodes strictly and checks the signature by the key inside. The certificate request is not looked into. On
// PT_OK to be freed by enrolment_request_free; on failure nothing needs freeing.
enum pt_code enrolment_request_open(struct pt_bytes bytes, struct enrolment_request *out,
                                    struct pt_error *err) PT_NODISCARD;

#endif
