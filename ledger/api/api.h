// The ledger's HTTPS interface (DESIGN.md section 10): one file a subject, one table of routes in api.c.
#ifndef PACKTRAIL_LEDGER_API_API_H
#define PACKTRAIL_LEDGER_API_API_H

#include "common/net/https_server.h"
#include "common/net/metrics.h"
#include "ledger/ledger.h"

// What somebody without an enrolled client certificate may read. Whoever holds one of an enrolled actor reads all.
enum api_anonymous { API_ANONYMOUS_NONE, API_ANONYMOUS_VERIFY, API_ANONYMOUS_READ };

struct api_options {
    struct ledger *ledger;
    const struct pt_env *env;
    struct metrics *metrics;
    enum api_anonymous anonymous;
    pt_millis stale_after;      // /verify from older knowledge is amber
    const char *responder_gln;  // of the GS1 verification message; "" if there is none
    struct https_server_options server;  // strings must outlive the API
};

struct api;

enum pt_code api_start(const struct api_options *options, struct api **out, struct pt_error *err) PT_NODISCARD;
uint16_t api_port(const struct api *api);
void api_stop(struct api *api, unsigned deadline_ms);  // NULL is allowed

#endif
