// One thread for answers that take longer than an event loop may wait. Jobs run one after another, in order.
#ifndef PACKTRAIL_LEDGER_API_BACKGROUND_H
#define PACKTRAIL_LEDGER_API_BACKGROUND_H

#include "common/base/bytes.h"

struct background;

// stopping: the server goes down; the job only answers that and frees what it holds.
typedef void background_job(void *arg, bool stopping);

// most_waiting: jobs that may wait.
enum pt_code background_start(size_t most_waiting, struct background **out, struct pt_error *err) PT_NODISCARD;
// PT_UNAVAILABLE if too many wait; the job is not run then.
enum pt_code background_run(struct background *background, background_job *job, void *arg, struct pt_error *err) PT_NODISCARD;
// Finishes the job under way, gives up the others. NULL is allowed.
void background_stop(struct background *background);

#endif
