// Syncing while staff scan: a thread that takes a turn whenever there may be something to do.
#ifndef PACKTRAIL_FIRMWARE_TERMINAL_SYNC_THREAD_H
#define PACKTRAIL_FIRMWARE_TERMINAL_SYNC_THREAD_H

#include "firmware/terminal/command.h"

struct sync_thread;

enum pt_code sync_thread_start(struct terminal *terminal, struct sync_thread **out, struct pt_error *err) PT_NODISCARD;

// What staff are told of the line, at any time.
struct sync_status {
    bool reachable;          // in the last turn
    bool forbidden;          // this terminal is not enrolled, or no longer
    pt_millis contact;       // of the last good answer; 0: none since the start
    size_t left, refused;    // statements without receipt; those that the gateway will never take
    struct pt_error trouble; // of the last turn; PT_OK if nothing was wrong
};
void sync_thread_status(struct sync_thread *thread, struct sync_status *out);

// Something was signed: do not wait for the next turn.
void sync_thread_nudge(struct sync_thread *thread);

// Takes turns until nothing is left or the gateway has been away for some seconds, then ends. NULL is allowed.
void sync_thread_stop(struct sync_thread *thread);

#endif
