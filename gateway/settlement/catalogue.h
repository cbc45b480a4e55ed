// What settlement learns from the ledger: products' master records from the feed, and lot and expiry of packs that reports
// wait for.
#ifndef PACKTRAIL_GATEWAY_SETTLEMENT_CATALOGUE_H
#define PACKTRAIL_GATEWAY_SETTLEMENT_CATALOGUE_H

#include "common/net/https_client.h"
#include "gateway/roster/roster.h"
#include "gateway/settlement/store.h"

struct catalogue {
    struct store *store;
    struct roster *roster;
    struct pt_digest genesis;
    const char *ledger_url;
    struct https_client *client;
    struct https_client_response response;
    bool unreachable;       // said once for each change
    char asked[LACK_MAX];   // the last pack asked about: with many, the next step goes on behind it
};

// Takes in one answer of the feed: checks each master record's signature and its signer's right, stores it, and wakes the
// reports that wait for it. *more: ask again at once. Records that do not verify are skipped and counted in *refused.
enum pt_code catalogue_apply_feed(struct catalogue *catalogue, const struct wire_feed *feed, size_t *refused, struct pt_error *err) PT_NODISCARD;

// Asks the ledger for what is new. True: something arrived that reports waited for.
bool catalogue_step(struct catalogue *catalogue);

// Lot and expiry in the ledger's answer about a pack; texts in the arena, NULL where it does not say. PT_INVALID: no such answer.
enum pt_code catalogue_read_pack(struct pt_bytes json, struct pt_arena *arena, const char **lot, const char **expiry,
                                 struct pt_error *err) PT_NODISCARD;

#endif
