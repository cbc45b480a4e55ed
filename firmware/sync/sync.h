// Brings the outbox to the gateway, the receipts and the news of recalls back. One turn does what can be done now; the caller decides
// when the next one comes. Nothing is believed: a receipt counts only if its proof leads to a root that an executor
// of our genesis signed.
#ifndef PACKTRAIL_FIRMWARE_SYNC_SYNC_H
#define PACKTRAIL_FIRMWARE_SYNC_SYNC_H

#include "common/chain/actor.h"
#include "common/net/https_client.h"
#include "firmware/clock/clock.h"
#include "firmware/outbox/outbox.h"
#include "firmware/recall/recall_list.h"
#include "firmware/reference/reference.h"
#include "firmware/sync/line_record.h"

struct sync;

struct sync_options {
    struct outbox *outbox;
    const struct genesis *genesis;  // its executors' keys check the receipts; must outlive the sync
    const char *gateway_url;
    struct https_client_options client;
    const struct pt_env *env;
    size_t batch;             // statements a request, at most WIRE_MAX_STATEMENTS
    pt_millis resend_after;   // an acknowledged statement without receipt is sent again
    struct recall_list *recalls;  // NULL: recalls are not read from the feed
    struct reference *reference;  // NULL: products, parties, places and notices are not read from it
    struct clock_guard *clock;    // NULL: the clock is not measured
    pt_millis feed_interval;  // between two readings of the feed
    struct pt_digest kid;     // of the outbox's device; its revocation, if `reference` knows of one, stops the signing
    const char *line_file;    // keeps what is known of the line over a restart; NULL: not kept. Copied
};

enum pt_code sync_new(const struct sync_options *options, struct sync **out, struct pt_error *err) PT_NODISCARD;
void sync_free(struct sync *sync);

struct sync_result {
    size_t uploaded, refused, received;  // in this turn
    size_t left;                         // statements that still lack a receipt, refused ones apart
    bool reachable;                      // the gateway answered
    bool feed_read;                      // the feed was read to its end in this turn
    bool forbidden;                      // the gateway answered that this terminal is not enrolled, or no longer
    bool revoked;                        // an operator revoked this device: its later statements count for nothing
    struct pt_error trouble;             // why it was not reached, or what it answered; PT_OK if nothing was wrong
};

// Whether the feed said that an operator revoked this device. why: for staff, "" if not.
enum { SYNC_WHY_MAX = ACTOR_TEXT_MAX + 64 };
bool sync_revoked(struct reference *reference, const struct pt_digest *kid, char why[SYNC_WHY_MAX + 1]);

// What is known of the line, over restarts, too.
void sync_line(const struct sync *sync, struct line_record *out);

// Uploads what is new, then asks for the receipts of what was sent. PT_OK also if the gateway is away (result->reachable
// tells); an error is a disk that fails or a gateway that cannot be trusted (a receipt that does not verify).
enum pt_code sync_turn(struct sync *sync, struct sync_result *result, struct pt_error *err) PT_NODISCARD;

#endif
