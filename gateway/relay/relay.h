// Passes what terminals ask of the ledger on to it (receipts, feed, verification) and the answers back: terminals
// know only their gateway. Requests wait in a short queue; a few threads with a connection each work it off.
#ifndef PACKTRAIL_GATEWAY_RELAY_RELAY_H
#define PACKTRAIL_GATEWAY_RELAY_RELAY_H

#include "common/net/https_client.h"
#include "common/net/https_server.h"

struct relay;

struct relay_options {
    const char *ledger_url;
    struct https_client_options client;
    unsigned threads;  // 1 to 16
    size_t most_waiting;
};

enum pt_code relay_start(const struct relay_options *options, struct relay **out, struct pt_error *err) PT_NODISCARD;
void relay_handle(void *arg, struct https_request *request);  // a route's handler; arg is the relay
// The same, naming the party that asks to the ledger (?party=URI): the ledger sees only this gateway's certificate. A request that names
// one itself is refused.
void relay_handle_for(struct relay *relay, struct https_request *request, const char *party);
void relay_stop(struct relay *relay);  // answers what waits with 503; call after the server has stopped; NULL is allowed

#endif
