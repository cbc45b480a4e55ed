// Waiting on a condition for some milliseconds, by the clock that nobody sets.
#ifndef PACKTRAIL_COMMON_BASE_WAIT_H
#define PACKTRAIL_COMMON_BASE_WAIT_H

#include <pthread.h>

#include "common/base/time.h"

// A condition that pt_wait can wait on. Destroyed by pthread_cond_destroy.
void pt_wait_init(pthread_cond_t *condition);

// Waits with the mutex held; a negative time: until signalled. False: the time has run out.
bool pt_wait(pthread_cond_t *condition, pthread_mutex_t *mutex, pt_millis most);

#endif
