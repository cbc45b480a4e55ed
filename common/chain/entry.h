// A chain entry: what the ledger decided about one gateway block (chain.cddl). Deterministic CBOR map with keys 1 … 14.
#ifndef PACKTRAIL_COMMON_CHAIN_ENTRY_H
#define PACKTRAIL_COMMON_CHAIN_ENTRY_H

#include "common/base/time.h"
#include "common/cose/cose_sign1.h"
#include "common/merkle/merkle.h"

#define ENTRY_MAX ((size_t)64 * 1024)
#define CO_SIGNATURE_CONTENT_TYPE "application/vnd.packtrail.co-signature+cbor"

// What became of one statement of a block. Part of the entry: values never change their meaning.
enum statement_result {
    RESULT_APPLIED = 0,
    RESULT_DUPLICATE = 1,        // same key, sequence and signed bytes as one recorded before; not added to the log
    RESULT_BAD_SIGNATURE = 2,    // not added to the log
    RESULT_UNKNOWN_SIGNER = 3,   // not added to the log
    RESULT_MALFORMED = 4,        // logged, changes nothing
    RESULT_NOT_ALLOWED = 5,      // logged: the signer may not say this
    RESULT_EQUIVOCATION = 6,     // logged as evidence: same key and sequence over other bytes
    RESULT_UNTRUSTED = 7,        // logged: after the last trusted sequence of a revoked key
    RESULT_HELD = 8,             // logged; applied in device order when the gap closes or times out
    RESULT_ALERTED = 9,          // applied, and an alert was raised
};

// "applied", …; static. "unknown" for a number that is none.
const char *statement_result_name(enum statement_result result);

struct chain_entry {
    struct pt_digest genesis;        // 1
    uint64_t epoch;                  // 2
    uint64_t height;                 // 3: 1 for the first block; the genesis is height 0
    struct pt_digest previous;       // 4: digest of the entry before; the genesis hash at height 1
    struct pt_digest block;          // 5: digest of the gateway block
    struct pt_bytes results;         // 6: one byte a statement (enum statement_result); view when decoded
    pt_millis time;                  // 7: chain time, never below the entry before
    uint64_t tree_size;              // 8: of the log after this block
    struct pt_digest tree_root;      // 9
    struct pt_digest member_set;     // 10
    uint64_t rule_version;           // 11
    struct pt_digest state_changes;  // 12: hash of the sorted changes (state_change.h)
    bool has_state_root;
    struct pt_digest state_root;     // 13: every N heights
    uint64_t block_result;           // 14: 0 applied; otherwise the reason why the whole block was refused
};

enum pt_code chain_entry_encode(const struct chain_entry *entry, struct pt_buf *out, struct pt_error *err) PT_NODISCARD;
enum pt_code chain_entry_decode(struct pt_bytes bytes, struct chain_entry *out, struct pt_error *err) PT_NODISCARD;
struct pt_digest chain_entry_digest(struct pt_bytes encoded);

// A member's co-signature of an entry: COSE_Sign1 with payload {1: epoch, 2: height, 3: entry digest}.
enum pt_code co_signature_sign(const struct signer *member, const struct pt_digest *genesis, uint64_t epoch,
                               uint64_t height, const struct pt_digest *entry, struct pt_buf *out,
                               struct pt_error *err) PT_NODISCARD;
enum pt_code co_signature_verify(struct pt_bytes bytes, const struct verify_key *member, const struct pt_digest *genesis,
                                 uint64_t epoch, uint64_t height, const struct pt_digest *entry,
                                 struct pt_error *err) PT_NODISCARD;

// A signed checkpoint of the log: COSE_Sign1, payload {1: height, 2: entry digest, 3: tree size, 4: tree root, 5: chain time}.
struct checkpoint {
    uint64_t height, tree_size;
    struct pt_digest entry, tree_root;
    pt_millis time;
};
#define CHECKPOINT_CONTENT_TYPE "application/vnd.packtrail.checkpoint+cbor"
enum pt_code checkpoint_sign(const struct signer *log, const struct pt_digest *genesis, const struct checkpoint *checkpoint,
                             struct pt_buf *out, struct pt_error *err) PT_NODISCARD;
enum pt_code checkpoint_verify(struct pt_bytes bytes, const struct verify_key *log, const struct pt_digest *genesis,
                               struct checkpoint *out, struct pt_error *err) PT_NODISCARD;

#endif
