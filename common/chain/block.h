// A gateway block: statements in the order of their arrival, under a header that the gateway signs (chain.cddl).
//
//   block  = [header: bstr (COSE_Sign1, content type BLOCK_CONTENT_TYPE), statements: [+ bstr]]
//   header payload = {1: gateway kid, 2: sequence, 3: previous header's digest, 4: count, 5: Merkle root, 6: time}
#ifndef PACKTRAIL_COMMON_CHAIN_BLOCK_H
#define PACKTRAIL_COMMON_CHAIN_BLOCK_H

#include "common/base/time.h"
#include "common/cose/statement.h"

#define BLOCK_CONTENT_TYPE "application/vnd.packtrail.block+cbor"
#define BLOCK_MAX ((size_t)1024 * 1024)
#define BLOCK_MAX_STATEMENTS 8192u

struct block_header {
    struct pt_digest gateway;   // kid
    uint64_t sequence;          // 0 for a gateway's first block, then without gaps
    struct pt_digest previous;  // digest of its block before; all zero for the first
    uint64_t count;
    struct pt_digest root;      // RFC 9162 root over the statements' leaves
    pt_millis time;
};

struct block {
    struct pt_bytes bytes;
    struct pt_digest digest;         // SHA-256 of the signed header: names the block, and through the root its content
    struct cose_sign1 envelope;
    struct block_header header;
    struct pt_digest genesis;
    struct pt_bytes *statements;     // header.count views into bytes; freed by block_free
    struct pt_digest *statement_ids; // their ids, computed for the root
};

// Decodes strictly and checks count and Merkle root; not the signature. Memory to be freed by block_free (also
// safe on a zeroed struct).
enum pt_code block_decode(struct pt_bytes bytes, struct block *out, struct pt_error *err) PT_NODISCARD;
void block_free(struct block *block);

// The gateway's signature and the genesis hash. Starts as failed.
enum pt_code block_verify(const struct block *block, const struct verify_key *gateway, const struct pt_digest *genesis,
                          struct pt_error *err) PT_NODISCARD;

// Seals statements into a block; header->count and ->root are computed here. PT_LIMIT above BLOCK_MAX or
// BLOCK_MAX_STATEMENTS. *digest receives the block's digest.
enum pt_code block_seal(struct block_header *header, const struct pt_digest *genesis, const struct pt_bytes *statements,
                        size_t count, const struct signer *gateway, struct pt_buf *out, struct pt_digest *digest,
                        struct pt_error *err) PT_NODISCARD;

// The two halves of block_seal, for a gateway that keeps the signed header and the statements apart: the signed header
// is appended to `out`; header and statements are put together (the caller vouches that they belong together).
enum pt_code block_header_seal(struct block_header *header, const struct pt_digest *genesis,
                               const struct pt_bytes *statements, size_t count, const struct signer *gateway,
                               struct pt_buf *out, struct pt_digest *digest, struct pt_error *err) PT_NODISCARD;
enum pt_code block_assemble(struct pt_bytes signed_header, const struct pt_bytes *statements, size_t count,
                            struct pt_buf *out, struct pt_error *err) PT_NODISCARD;

#endif
