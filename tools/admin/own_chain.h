// What an operator or a company signs itself: its chain of statements, and the outbox of those that no ledger has yet.
//
// A statement is in the outbox before the chain moves on, and leaves it only when it is accepted or handed out: a
// crash or a failed connection can repeat a statement, never lose one or use its sequence twice.
#ifndef PACKTRAIL_TOOLS_ADMIN_OWN_CHAIN_H
#define PACKTRAIL_TOOLS_ADMIN_OWN_CHAIN_H

#include "tools/admin/consortium.h"

struct own_chain {
    const struct consortium *consortium;
    const char *actor;
    char party[ACTOR_TEXT_MAX + 1];
    struct signer signer;
    int lock;          // one process at a time
    uint64_t sequence; // of the next statement
    struct pt_digest previous;
};

// `role`: what the actor must be. PT_UNAVAILABLE while another process has it open; PT_USAGE before the genesis.
enum pt_code own_chain_open(const struct consortium *consortium, const char *actor, enum actor_role role,
                            struct own_chain *out, struct pt_error *err) PT_NODISCARD;
void own_chain_close(struct own_chain *chain); // also safe on a zeroed struct

// Signs the next statement into the outbox. One in the outbox that says the same is taken instead. Gives its sequence
// and appends its bytes to `out`.
enum pt_code own_chain_sign(struct own_chain *chain, const char *content_type, const char *subject,
                            struct pt_bytes payload, uint64_t *sequence, struct pt_buf *out,
                            struct pt_error *err) PT_NODISCARD;

// Sends the whole outbox in order to URL/statements, many a request; *sent counts what was accepted. A refused one is moved to
// refused/ and gives PT_FORBIDDEN with the ledger's reason; PT_UNAVAILABLE: run it again.
enum pt_code own_chain_send(struct own_chain *chain, const char *url, size_t *sent, struct pt_error *err) PT_NODISCARD;

// GET URL/path with the actor's certificate; the body is appended. PT_NOT_FOUND for 404, PT_FORBIDDEN and PT_UNAVAILABLE
// with what was answered.
enum pt_code own_chain_get(struct own_chain *chain, const char *url, const char *path, struct pt_buf *out,
                           struct pt_error *err) PT_NODISCARD;

// Takes a statement out of the outbox: somebody carries it by hand.
enum pt_code own_chain_handed_out(struct own_chain *chain, uint64_t sequence, struct pt_error *err) PT_NODISCARD;

// How many statements wait in the outbox.
enum pt_code own_chain_waiting(const struct own_chain *chain, size_t *out, struct pt_error *err) PT_NODISCARD;

#endif
