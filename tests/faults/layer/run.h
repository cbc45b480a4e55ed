// A program under the power-cut layer, for tests. Needs POWERCUT_LIB and POWERCUT_TOOL in the environment.
#ifndef PACKTRAIL_TESTS_FAULTS_LAYER_RUN_H
#define PACKTRAIL_TESTS_FAULTS_LAYER_RUN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/bytes.h"

struct powercut_run {
    pid_t pid;
    int out; // its standard output
};

// Starts argv (NULL-terminated) with the layer watching `directory` and its log in `log`, both of which may be new.
// `extra` may be NULL or one more environment entry ("POWERCUT_FAIL=…"). Fails the test if it cannot.
struct powercut_run powercut_start(const char *const *argv, const char *directory, const char *log, const char *extra);

// Waits until the program has said something (or ended), then for so many microseconds.
void powercut_let_run(const struct powercut_run *run, unsigned micros);

// Kills by SIGKILL (unless it has ended), reads what it still said and waits. Gives the wait status.
int powercut_kill(struct powercut_run *run, struct pt_buf *said);

// Reads what the program says until it ends. Gives the wait status.
int powercut_wait(struct powercut_run *run, struct pt_buf *said);

// Cuts the power: mode "random", "drop", "keep" or "torn". The report (JSON) is appended to `report`, may be NULL.
void powercut_apply(const char *mode, uint64_t seed, const char *directory, const char *log, struct pt_buf *report);

void powercut_limit(const char *log, const char *bytes); // "4096" or "none"

#endif
