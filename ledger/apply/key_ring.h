// Parsed public keys by kid, for all threads. A kid is the key's own thumbprint, so an entry never becomes wrong.
#ifndef PACKTRAIL_LEDGER_APPLY_KEY_RING_H
#define PACKTRAIL_LEDGER_APPLY_KEY_RING_H

#include "common/chain/actor.h"

struct key_ring;

enum pt_code key_ring_new(const struct pt_env *env, struct key_ring **out, struct pt_error *err) PT_NODISCARD;
void key_ring_free(struct key_ring *ring);

// NULL: not known here. Lives as long as the ring.
const struct verify_key *key_ring_find(struct key_ring *ring, const struct pt_digest *kid);

// Parses and keeps an actor's key; PT_UNVERIFIED if it is not the one that the kid names.
enum pt_code key_ring_add(struct key_ring *ring, const struct actor *actor, const struct verify_key **out,
                          struct pt_error *err) PT_NODISCARD;

#endif
