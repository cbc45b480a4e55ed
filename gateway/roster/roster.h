// Who may sign and who may connect, as far as this gateway knows: the genesis, and the enrolments and revocations
// that the ledger's feed brought since. Each of those is checked against an operator's key here, so a false feed
// enrols nobody. Kept in a cache file, so that a gateway starts and works while the ledger is away.
//
// Thread-safe: many readers, one who applies the feed.
#ifndef PACKTRAIL_GATEWAY_ROSTER_ROSTER_H
#define PACKTRAIL_GATEWAY_ROSTER_ROSTER_H

#include "common/chain/actor.h"
#include "common/wire/wire.h"

struct roster;

// An actor with its parsed key. Stays valid until roster_close, also when a later enrolment replaces it.
struct roster_actor {
    struct actor actor;
    struct verify_key *key;
};

// genesis must outlive the roster. A damaged cache file is an error that names it: deleting it is safe, the feed is
// then read from its beginning.
enum pt_code roster_open(const struct genesis *genesis, const char *cache_path, struct roster **out,
                         struct pt_error *err) PT_NODISCARD;
void roster_close(struct roster *roster);

// By the thumbprint of the signing or of the TLS key; NULL if nobody is enrolled with it. Revoked actors are found.
const struct roster_actor *roster_by_kid(struct roster *roster, const struct pt_digest *kid);
const struct roster_actor *roster_by_tls(struct roster *roster, const struct pt_digest *thumbprint);

// Takes in one answer of the feed and saves the cache. Items that do not verify are skipped and counted in
// *refused; those that are not about actors are passed over.
enum pt_code roster_apply_feed(struct roster *roster, const struct wire_feed *feed, size_t *refused,
                               struct pt_error *err) PT_NODISCARD;

uint64_t roster_cursor(struct roster *roster);  // what to ask the feed for

#endif
