// Keys that sign what stands in a feed, for the tests of those who read it.
#ifndef PACKTRAIL_TESTS_UNIT_FIRMWARE_FEED_LAB_H
#define PACKTRAIL_TESTS_UNIT_FIRMWARE_FEED_LAB_H

#include "common/chain/actor.h"
#include "common/cose/statement.h"

struct feed_key {
    struct signer signer;
    struct actor actor;
    uint64_t next;
    struct pt_digest previous;
};

void feed_key_make(struct feed_key *key, enum actor_role role);
void feed_key_free(struct feed_key *key);
void feed_sign(struct feed_key *key, const char *content_type, struct pt_bytes payload, const struct pt_digest *ledger, struct pt_buf *out);

#endif
