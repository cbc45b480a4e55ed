// Threads that do what is queued, in order; each has a context of its own (its reader of the index).
#ifndef PACKTRAIL_LEDGER_APPLY_WORKER_POOL_H
#define PACKTRAIL_LEDGER_APPLY_WORKER_POOL_H

#include "common/base/error.h"

struct worker_pool;

typedef void worker_task(void *worker_context, void *task, unsigned part);

// contexts[i] is given to each task that thread i runs.
enum pt_code worker_pool_start(unsigned count, void **contexts, struct worker_pool **out, struct pt_error *err) PT_NODISCARD;
// Does what is queued, then stops. NULL is allowed.
void worker_pool_stop(struct worker_pool *pool);

// Queues run(context, task, 0 … parts - 1). PT_NO_MEMORY queues nothing. A task may queue further ones.
enum pt_code worker_pool_queue(struct worker_pool *pool, worker_task *run, void *task, unsigned parts, struct pt_error *err) PT_NODISCARD;

// As worker_pool_queue, before all that waits already: for whoever waits for it.
enum pt_code worker_pool_queue_first(struct worker_pool *pool, worker_task *run, void *task, unsigned parts, struct pt_error *err) PT_NODISCARD;
// Threads that have nothing to do at this moment.
unsigned worker_pool_idle(struct worker_pool *pool);

#endif
