// Sends sealed blocks to the ledger, in order, until each is final there. What the outcome of a request was is never
// guessed: after a failure the same bytes go again, and the ledger's answer (applied or duplicate) settles it.
#ifndef PACKTRAIL_GATEWAY_FORWARD_FORWARD_H
#define PACKTRAIL_GATEWAY_FORWARD_FORWARD_H

#include "common/net/https_client.h"
#include "common/net/metrics.h"
#include "gateway/spool/spool.h"

struct forward;

struct forward_options {
    struct spool *spool;
    const char *ledger_url;       // https://host:port
    struct https_client_options client;
    const char *evidence_dir;     // where blocks that the ledger refused for good are kept
    const struct pt_env *env;
    struct metrics *metrics;
    pt_millis least_pause, most_pause;  // between attempts
};

enum pt_code forward_start(const struct forward_options *options, struct forward **out, struct pt_error *err) PT_NODISCARD;
void forward_wake(struct forward *forward);  // a block was sealed
void forward_stop(struct forward *forward);  // NULL is allowed

// For /healthz: when the ledger last took or confirmed a block or answered at all; 0 never.
pt_millis forward_last_answer(const struct forward *forward);

#endif
