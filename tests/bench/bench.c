#include "tests/bench/bench.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static double seconds_of(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

double bench_wall_seconds(void) { return seconds_of(CLOCK_MONOTONIC); }
double bench_cpu_seconds(void) { return seconds_of(CLOCK_PROCESS_CPUTIME_ID); }
double bench_thread_seconds(void) { return seconds_of(CLOCK_THREAD_CPUTIME_ID); }
pt_millis bench_now_ms(void) { return pt_env_system()->now(NULL); }

_Noreturn void bench_stop(const char *why) {
    fprintf(stderr, "benchmark stopped: %s\n", why);
    exit(3);
}

void bench_ok(enum pt_code code, const struct pt_error *err) {
    if (code == PT_OK) return;
    fprintf(stderr, "%s: %s (%s)\n", pt_code_name(code), err->what, err->where);
    bench_stop("a call failed");
}

void bench_scratch(char dir[256]) {
    const char *base = getenv("TMPDIR");
    snprintf(dir, 256, "%s/packtrail-bench-XXXXXX", base ? base : "/var/tmp");
    if (!mkdtemp(dir)) bench_stop("cannot make a scratch directory");
}

static int remove_one(const char *path, const struct stat *info, int flag, struct FTW *walk) {
    (void)info;
    (void)flag;
    (void)walk;
    return remove(path);
}

void bench_scratch_remove(const char *dir) { nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS); }

static uint64_t total_bytes;

static int add_one(const char *path, const struct stat *info, int flag, struct FTW *walk) {
    (void)path;
    (void)walk;
    if (flag == FTW_F) total_bytes += (uint64_t)info->st_blocks * 512;
    return 0;
}

uint64_t bench_disk_bytes(const char *dir) {
    total_bytes = 0;
    nftw(dir, add_one, 16, FTW_PHYS);
    return total_bytes;
}

static int by_bytes(const void *a, const void *b) {
    return pt_bytes_compare(pt_buf_bytes((const struct pt_buf *)a), pt_buf_bytes((const struct pt_buf *)b));
}

void bench_sort_buffers(struct pt_buf *buffers, size_t count) { qsort(buffers, count, sizeof *buffers, by_bytes); }
