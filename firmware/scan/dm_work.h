// A ceiling for the work spent on one picture, in steps that do not depend on how fast the machine is or how busy, so
// that the same picture always gives the same symbols.
#ifndef PACKTRAIL_FIRMWARE_SCAN_DM_WORK_H
#define PACKTRAIL_FIRMWARE_SCAN_DM_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// About one look at a pixel a step: 100,000 steps are about a millisecond on x86-64.
struct dm_work {
    int64_t left;
};

// Takes the steps; false when they are used up.
static inline bool dm_work_take(struct dm_work *work, size_t steps) {
    work->left -= (int64_t)steps;
    return work->left > 0;
}

#endif
