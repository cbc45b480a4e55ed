// Brings one platform its reports, one after the other. Before anything is sent the report is `unknown` on disk; an unknown
// one is asked about before it is sent again (report.h).
#ifndef PACKTRAIL_GATEWAY_SETTLEMENT_REPORTER_H
#define PACKTRAIL_GATEWAY_SETTLEMENT_REPORTER_H

#include "common/net/https_client.h"
#include "gateway/settlement/store.h"

// The way to the platform: HTTPS in the gateway, a script in tests.
struct platform_client {
    enum https_outcome (*post)(void *ctx, const char *path, const char *content_type, struct pt_bytes body, unsigned *status,
                               struct pt_buf *answer, struct pt_error *err);
    void *ctx;
};

struct reporter {
    enum platform platform;
    const struct mapping *mapping;
    struct store *store;
    struct platform_client client;
    const struct pt_env *env;
    struct report_pauses pauses;
    unsigned failures;    // of the way to the platform, in a row
    pt_millis closed_until;
};

// Does one step. Returns the pause until the next one in milliseconds, -1 if nothing waits.
pt_millis reporter_step(struct reporter *reporter);

#endif
