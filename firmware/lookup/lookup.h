// Asks the ledger, through the gateway, about a pack while staff look at it: in a thread, with a short deadline, so that
// work never waits for the line. What comes back is the ledger's word at a height, with its age.
#ifndef PACKTRAIL_FIRMWARE_LOOKUP_LOOKUP_H
#define PACKTRAIL_FIRMWARE_LOOKUP_LOOKUP_H

#include "common/base/time.h"
#include "common/identify/pack_id.h"
#include "common/net/https_client.h"

enum lookup_colour { LOOKUP_NONE = 0, LOOKUP_GREEN, LOOKUP_AMBER, LOOKUP_RED };

// NONE: the ledger was not reached, `why` tells; what the terminal says then is "not verified".
struct lookup_answer {
    unsigned ticket;
    struct pack_id pack;
    enum lookup_colour colour;
    bool known;                // the ledger has a record of the pack
    char state[40];            // lifecycle word ("in_stock", "part_dispensed", …)
    int64_t units, units_left; // smallest units: content and what is left; -1 not known
    char reason_zh[400], reason_en[400];
    char advice_zh[400], advice_en[400];
    pt_millis chain_time;      // of the height answered at
    uint64_t height;
    bool final;
    struct pack_id holds_as;   // the code that the asked one is linked to; PACK_NONE if it is its own
    struct pt_error why;
};

struct lookup;
struct lookup_options {
    const char *gateway_url;
    struct https_client_options client;
    int64_t deadline_ms;
    void (*ready)(void *arg);  // an answer waits; called from the lookup's thread
    void *ready_arg;
};
enum pt_code lookup_start(const struct lookup_options *options, struct lookup **out, struct pt_error *err) PT_NODISCARD;
void lookup_stop(struct lookup *lookup);  // NULL is allowed

// Asks; answers come in any order. lot, expiry (YYYY-MM-DD): of the label, "" if not known. More than 16 waiting: the oldest is dropped. Returns the ticket.
unsigned lookup_ask(struct lookup *lookup, const struct pack_id *pack, const char *lot, const char *expiry);
bool lookup_take(struct lookup *lookup, struct lookup_answer *out);

#endif
