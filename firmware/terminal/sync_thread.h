// Syncing while staff work: a thread that takes a turn whenever there may be something to do. While the line is down it tries again by
// itself, after pauses that grow to half a minute and are somewhat at random, so that terminals that lost the line together do not
// return together; at once when something was signed.
#ifndef PACKTRAIL_FIRMWARE_TERMINAL_SYNC_THREAD_H
#define PACKTRAIL_FIRMWARE_TERMINAL_SYNC_THREAD_H

#include "firmware/terminal/command.h"

struct sync_thread;

enum pt_code sync_thread_start(struct terminal *terminal, struct sync_thread **out, struct pt_error *err) PT_NODISCARD;

// What staff are told of the line, at any time.
struct sync_status {
    bool reachable;          // in the last turn
    bool forbidden;          // this terminal is not enrolled, or no longer
    bool revoked;            // an operator revoked this terminal: nothing more is signed, what was signed is still brought
    pt_millis contact;       // of the last good answer, in an earlier run, too; 0: never
    size_t left, refused;    // statements without receipt; those that the gateway will never take
    struct pt_error trouble; // of the last turn; PT_OK if nothing was wrong
    struct line_record line; // how the line is, since when, why
    struct outbox_room room; // how full the outbox is
};
void sync_thread_status(struct sync_thread *thread, struct sync_status *out);

// Something was signed: do not wait for the next turn.
void sync_thread_nudge(struct sync_thread *thread);

// Takes turns until nothing is left or the gateway has been away for some seconds, then ends. NULL is allowed.
void sync_thread_stop(struct sync_thread *thread);

#endif
