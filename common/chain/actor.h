// Who may say what: actors (devices, gateways, executors, operators) and the genesis that names the first ones (chain.cddl).
#ifndef PACKTRAIL_COMMON_CHAIN_ACTOR_H
#define PACKTRAIL_COMMON_CHAIN_ACTOR_H

#include "common/base/time.h"
#include "common/crypto/signature.h"

enum actor_role {
    ACTOR_DEVICE = 1,    // signs events
    ACTOR_GATEWAY = 2,   // seals blocks
    ACTOR_EXECUTOR = 3,  // a ledger node; signs entries, receipts, checkpoints
    ACTOR_OPERATOR = 4,  // enrols and revokes
    ACTOR_COMPANY = 5,   // a company's IT: signs events and master records of its own products
    ACTOR_CLIENT = 6,    // reads only (a pharmacy's browser, a monitor); its key is a TLS key
};

#define ACTOR_TEXT_MAX 200u

// An enrolment: payload of a STATEMENT_ENROLMENT, an item of the genesis, and the value of STATE_ACTOR.
struct actor {
    enum actor_role role;
    char name[ACTOR_TEXT_MAX + 1];      // for people: "Terminal 3, Beijing No. 1 pharmacy"
    char party[ACTOR_TEXT_MAX + 1];     // URI of the party it belongs to
    char place[ACTOR_TEXT_MAX + 1];     // URI of its place; empty if it has none
    struct pt_digest kid;               // thumbprint of `key`
    struct pt_buf key;                  // COSE_Key of its signing key
    struct pt_digest tls;               // thumbprint of its TLS key (may equal kid)
    struct pt_digest replaces;          // kid of a lost device that this one takes the place of; zero if none
    bool revoked;
    uint64_t last_trusted;              // when revoked: statements up to this sequence stay good
};

void actor_free(struct actor *actor);
enum pt_code actor_encode(const struct actor *actor, struct pt_buf *out, struct pt_error *err) PT_NODISCARD;
enum pt_code actor_decode(struct pt_bytes bytes, struct actor *out, struct pt_error *err) PT_NODISCARD;  // actor_free

// A revocation: payload of STATEMENT_REVOCATION {1: kid, 2: last trusted sequence, 3: reason}.
struct revocation {
    struct pt_digest kid;
    uint64_t last_trusted;
    char reason[ACTOR_TEXT_MAX + 1];
};
enum pt_code revocation_encode(const struct revocation *revocation, struct pt_buf *out, struct pt_error *err) PT_NODISCARD;
enum pt_code revocation_decode(struct pt_bytes bytes, struct revocation *out, struct pt_error *err) PT_NODISCARD;

// The genesis file: deterministic CBOR {1: version, 2: ledger's name, 3: time, 4: profile, 5: rule version, 6: [+ actor],
// 7: random salt}. Its SHA-256 is the genesis hash that every signature covers.
#define GENESIS_MAX ((size_t)1024 * 1024)
#define GENESIS_ACTORS_MAX 2048u
struct genesis {
    char name[ACTOR_TEXT_MAX + 1];
    pt_millis time;
    char profile[ACTOR_TEXT_MAX + 1];  // "cn", "eu"
    uint64_t rule_version;
    uint8_t salt[16];
    struct actor *actors;
    size_t actor_count;
    struct pt_digest hash;  // set by decode
};
enum pt_code genesis_encode(const struct genesis *genesis, struct pt_buf *out, struct pt_error *err) PT_NODISCARD;
enum pt_code genesis_decode(struct pt_bytes bytes, struct genesis *out, struct pt_error *err) PT_NODISCARD;
void genesis_free(struct genesis *genesis);

#endif
