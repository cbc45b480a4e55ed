// Keeps the roster up to date from the ledger's feed: every `interval`, and at once when an unknown signer shows up.
#ifndef PACKTRAIL_GATEWAY_ROSTER_ROSTER_SYNC_H
#define PACKTRAIL_GATEWAY_ROSTER_ROSTER_SYNC_H

#include "common/net/https_client.h"
#include "gateway/roster/roster.h"

struct roster_sync;

struct roster_sync_options {
    struct roster *roster;
    const char *ledger_url;
    struct https_client_options client;
    const struct pt_env *env;
    pt_millis interval;  // also the least time between two readings asked for by roster_sync_wake, divided by ten
};

enum pt_code roster_sync_start(const struct roster_sync_options *options, struct roster_sync **out,
                               struct pt_error *err) PT_NODISCARD;
void roster_sync_wake(struct roster_sync *sync);
void roster_sync_stop(struct roster_sync *sync);  // NULL is allowed

#endif
