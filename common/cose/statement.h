// A statement: one signed fact from one key, chained to the key's previous one (statement.cddl).
//
// Protected header, in this order: alg (ES256), content type, kid, CWT claims {iss, sub}, genesis hash, device
// chain. The unprotected header is empty. The bytes are kept and passed on exactly as signed.
#ifndef PACKTRAIL_COMMON_COSE_STATEMENT_H
#define PACKTRAIL_COMMON_COSE_STATEMENT_H

#include "common/cose/cose_sign1.h"

#define STATEMENT_MAX ((size_t)256 * 1024)
#define STATEMENT_CONTENT_TYPE_MAX ((size_t)127)  // bytes
#define STATEMENT_TEXT_MAX ((size_t)1024)         // bytes of issuer and of subject, each at least 1
#define STATEMENT_SEQUENCE_MAX ((uint64_t)INT64_MAX)  // so that every sequence fits a database's integer, and one can be added

// The message types; each is the content type of what is signed, so that no statement can pass for another kind.
#define STATEMENT_EVENT_CBOR "application/vnd.packtrail.event+cbor"
#define STATEMENT_EVENT_JSON "application/vnd.packtrail.event+json"
#define STATEMENT_MASTER "application/vnd.packtrail.master+cbor"
#define STATEMENT_ENROLMENT "application/vnd.packtrail.enrolment+cbor"
#define STATEMENT_REVOCATION "application/vnd.packtrail.revocation+cbor"
#define STATEMENT_RULES "application/vnd.packtrail.rules+cbor"      // a rule version or settings from a height on
#define STATEMENT_RECALL "application/vnd.packtrail.recall+cbor"    // a recall begins, changes or ends
#define STATEMENT_CLAIM "application/vnd.packtrail.claim+cbor"      // an insurer's batch of claim lines
#define STATEMENT_FINDING "application/vnd.packtrail.finding+cbor"  // what became of an alert

// A decoded statement; views into its bytes.
struct statement {
    struct pt_bytes bytes;           // whole, tagged, as signed
    struct cose_sign1 envelope;
    struct pt_bytes content_type;
    struct pt_digest kid;            // RFC 9679 thumbprint of the signer's key
    struct pt_bytes issuer, subject; // CWT claims 1 and 2, text
    struct pt_digest genesis;
    uint64_t sequence;               // 0 for a key's first statement, then without gaps
    struct pt_digest previous;       // statement id of the one before; all zero for the first or after a lost device ("unknown")
    struct pt_bytes payload;
};

// Decodes strictly: tagged, at most STATEMENT_MAX bytes, deterministic protected header with exactly the labels
// above, 64 byte signature, empty unprotected header. Does not verify.
enum pt_code statement_decode(struct pt_bytes bytes, struct statement *out, struct pt_error *err) PT_NODISCARD;

// The signature by `key`, whose thumbprint must be the kid, and the genesis hash. Starts as failed.
enum pt_code statement_verify(const struct statement *statement, const struct verify_key *key,
                              const struct pt_digest *genesis, struct pt_error *err) PT_NODISCARD;

// Identity: SHA-256 of the tagged bytes as signed; the log's entry (the leaf is SHA-256(0x00 || id)).
struct pt_digest statement_id(struct pt_bytes bytes);

// What the signature covers (Sig_structure without the signature), hashed: equal for two statements exactly when
// they say the same, however they are signed. Same kid and sequence with another digest is equivocation.
struct pt_digest statement_signed_digest(const struct statement *statement);

struct statement_draft {
    const char *content_type;
    const char *issuer;   // URI of the party or device that speaks
    const char *subject;  // what it is about: event ID, product or place URI
    struct pt_digest genesis;
    uint64_t sequence;
    struct pt_digest previous;
    struct pt_bytes payload;
};

// Signs; appends the tagged bytes to `out`. PT_LIMIT over STATEMENT_MAX.
enum pt_code statement_sign(const struct statement_draft *draft, const struct signer *signer, struct pt_buf *out,
                            struct pt_error *err) PT_NODISCARD;

#endif
