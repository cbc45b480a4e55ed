// Syncing while staff scan: a thread that takes a turn whenever there may be something to do.
#ifndef PACKTRAIL_FIRMWARE_TERMINAL_SYNC_THREAD_H
#define PACKTRAIL_FIRMWARE_TERMINAL_SYNC_THREAD_H

#include "firmware/terminal/command.h"

struct sync_thread;

enum pt_code sync_thread_start(struct terminal *terminal, struct sync_thread **out, struct pt_error *err) PT_NODISCARD;

// Takes turns until nothing is left or the gateway has been away for some seconds, then ends. NULL is allowed.
void sync_thread_stop(struct sync_thread *thread);

#endif
