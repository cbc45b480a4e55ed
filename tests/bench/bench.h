// What the benchmarks share: clocks, a scratch directory, and stopping with a word when something fails.
#ifndef PACKTRAIL_TESTS_BENCH_BENCH_H
#define PACKTRAIL_TESTS_BENCH_BENCH_H

#include "common/base/bytes.h"
#include "common/base/time.h"

double bench_wall_seconds(void);
double bench_cpu_seconds(void);     // of this process, all threads
double bench_thread_seconds(void);  // of processor time of this thread
pt_millis bench_now_ms(void);

_Noreturn void bench_stop(const char *why);
void bench_ok(enum pt_code code, const struct pt_error *err);

// Below $TMPDIR or /var/tmp (on a disk, not in memory).
void bench_scratch(char dir[256]);
void bench_scratch_remove(const char *dir);
uint64_t bench_disk_bytes(const char *dir);  // allocated, all files below

void bench_sort_buffers(struct pt_buf *buffers, size_t count);

#endif
