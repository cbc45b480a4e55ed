// COSE Receipts (RFC 9942) of the verifiable data structure RFC9162_SHA256 (vds 1): proof that a statement
// is in the log whose root was signed.
#ifndef PACKTRAIL_COMMON_COSE_RECEIPT_H
#define PACKTRAIL_COMMON_COSE_RECEIPT_H

#include "common/cose/statement.h"
#include "common/merkle/merkle.h"

#define RECEIPT_MAX ((size_t)8192)
#define RECEIPT_MAX_PROOFS 16u

struct receipt {
    struct cose_sign1 envelope;
    struct pt_digest kid;          // of the log's key; all zero if the receipt names none
    bool has_genesis;
    struct pt_digest genesis;
    struct pt_bytes proofs;        // encoded array of all inclusion proofs; ours hold one
    size_t proof_count;
    // Of one of them: the first, until receipt_choose.
    uint64_t tree_size, leaf_index;
    struct merkle_path path;
};

// Appends a receipt: protected {alg, kid, vds 1, genesis}, unprotected {396: {-1: [bstr [size, index, [path]]]}},
// payload nil, signed over `root`.
enum pt_code receipt_sign(const struct signer *log, const struct pt_digest *genesis, uint64_t tree_size,
                          uint64_t leaf_index, const struct merkle_path *path, const struct pt_digest *root,
                          struct pt_buf *out, struct pt_error *err) PT_NODISCARD;

// Decodes: 1 to RECEIPT_MAX_PROOFS inclusion proofs, all well-formed; vds must be 1 in the protected header.
enum pt_code receipt_decode(struct pt_bytes bytes, struct receipt *out, struct pt_error *err) PT_NODISCARD;

// Takes up another proof, 0 to proof_count - 1: a foreign receipt may hold one for each of several statements.
enum pt_code receipt_choose(struct receipt *receipt, size_t number, struct pt_error *err) PT_NODISCARD;

// Starts as failed. PT_OK only if `log`'s signature covers the root that the chosen path gives for the statement's leaf.
enum pt_code receipt_verify(const struct receipt *receipt, const struct verify_key *log,
                            const struct pt_digest *statement_id, struct pt_error *err) PT_NODISCARD;

#endif
