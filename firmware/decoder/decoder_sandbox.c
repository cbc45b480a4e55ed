#include "firmware/decoder/decoder_sandbox.h"

#include <errno.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define MEMORY_MOST ((rlim_t)1024 * 1024 * 1024)

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

static const int allowed[] = {
    SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(brk), SCMP_SYS(munmap),
    SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(futex), SCMP_SYS(clock_gettime), SCMP_SYS(clock_gettime64),
    SCMP_SYS(gettimeofday), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigreturn), SCMP_SYS(rt_sigprocmask), SCMP_SYS(getrandom),
#ifdef SANITIZED  // what a sanitizer needs to say what it found
    SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(sigaltstack), SCMP_SYS(mprotect), SCMP_SYS(sched_yield), SCMP_SYS(open),
    SCMP_SYS(openat), SCMP_SYS(close), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(newfstatat), SCMP_SYS(fstat), SCMP_SYS(lseek),
#endif
};

// Memory, but none that can be executed.
static const int mapping[] = {SCMP_SYS(mmap), SCMP_SYS(mmap2)};

static enum pt_code limit(int what, rlim_t most, struct pt_error *err) {
    const struct rlimit bound = {most, most};
    return setrlimit((__rlimit_resource_t)what, &bound) == 0 ? PT_OK : pt_fail_errno(err, "decoder", "cannot set a limit");
}

static enum pt_code set_limits(struct pt_error *err) {
    enum pt_code code = limit(RLIMIT_CORE, 0, err);
    if (code == PT_OK) code = limit(RLIMIT_FSIZE, 0, err);
    if (code == PT_OK) code = limit(RLIMIT_NPROC, 0, err);
#ifndef SANITIZED  // a sanitizer's shadow is larger than any memory
    if (code == PT_OK) code = limit(RLIMIT_AS, MEMORY_MOST, err);
#endif
    return code;
}

enum pt_code decoder_sandbox_enter(struct pt_error *err) {
    enum pt_code code = set_limits(err);
    if (code != PT_OK) return code;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return pt_fail_errno(err, "decoder", "cannot give up its rights");
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EACCES));
    if (!filter) return pt_fail(err, PT_NO_MEMORY, "decoder", "out of memory");
    int result = 0;
    for (size_t i = 0; result == 0 && i < sizeof allowed / sizeof *allowed; i++) {
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
        if (result == -EDOM) result = 0;  // a call that this processor's Linux does not have
    }
    for (size_t i = 0; result == 0 && i < sizeof mapping / sizeof *mapping; i++) {
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, mapping[i], 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
        if (result == -EDOM) result = 0;
    }
    if (result == 0) result = seccomp_load(filter);
    seccomp_release(filter);
    return result == 0 ? PT_OK : pt_fail(err, PT_UNAVAILABLE, "decoder", "cannot shut itself in: %s", strerror(-result));
}
