// How far the terminal's clock can be trusted: measured against the gateway at each contact, guarded against being set back.
// Statements carry the measured error (PACKTRAIL_TERM_CLOCK_ERROR). Thread-safe.
#ifndef PACKTRAIL_FIRMWARE_CLOCK_CLOCK_H
#define PACKTRAIL_FIRMWARE_CLOCK_CLOCK_H

#include "common/base/time.h"

struct clock_guard;

enum clock_state {
    CLOCK_UNMEASURED = 0,  // no contact yet since the guard knows of this clock
    CLOCK_GOOD = 1,
    CLOCK_DRIFTED = 2,     // off by more than the limit: said to staff, work goes on
    CLOCK_SET_BACK = 3,    // earlier than something that was signed here before: said to staff, measured anew at the next contact
};

struct clock_status {
    enum clock_state state;
    int64_t offset_ms;    // true time less this clock, at the last measurement
    int64_t error_s;      // bound for what is signed now, in whole seconds; -1 not measured
    pt_millis measured;   // by this clock; 0: never
};

// `file` keeps the newest time and the last measurement. limit_ms: above it the clock counts as drifted.
enum pt_code clock_guard_open(const char *file, const struct pt_env *env, int64_t limit_ms, struct clock_guard **out,
                              struct pt_error *err) PT_NODISCARD;
void clock_guard_close(struct clock_guard *guard);

// A contact: the server said `theirs` (whole seconds, as an HTTP Date says it) in answer to a request sent at `sent` and answered at
// `received`, both by this clock.
// The caller does not pass on an absurd time (before the genesis).
void clock_guard_measured(struct clock_guard *guard, pt_millis sent, pt_millis theirs, pt_millis received);

// The time to sign with: this clock's, never moved by us. Notes it, so that a clock set back is noticed also after a restart.
pt_millis clock_guard_now(struct clock_guard *guard);
void clock_guard_status(struct clock_guard *guard, struct clock_status *out);

#endif
