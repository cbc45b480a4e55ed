// A thread that does one piece of work again and again: at once when woken, else after the pause that it asked for.
#ifndef PACKTRAIL_GATEWAY_WORKER_WORKER_H
#define PACKTRAIL_GATEWAY_WORKER_WORKER_H

#include "common/base/time.h"

struct worker;

// `work` returns the pause in milliseconds until its next turn; a negative one waits for worker_wake alone.
typedef pt_millis worker_function(void *arg);

enum pt_code worker_start(worker_function *work, void *arg, struct worker **out, struct pt_error *err) PT_NODISCARD;
void worker_wake(struct worker *worker);
bool worker_stopping(const struct worker *worker);  // long work asks, and ends early
void worker_stop(struct worker *worker);            // waits for the turn under way; NULL is allowed

#endif
