#include "tests/faults/layer/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/support.h"

static const char *required(const char *variable) {
    const char *value = getenv(variable);
    if (!value) fail_msg("%s is not set: run by meson test", variable);
    return value;
}

static struct powercut_run start(const char *const *argv, const char *const *settings) {
    int pipe_fds[2];
    assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(pipe_fds[1], STDOUT_FILENO);
        for (; *settings; settings++) putenv((char *)(uintptr_t)*settings);
        execv(argv[0], (char *const *)(uintptr_t)argv);
        fprintf(stderr, "cannot run %s: %s\n", argv[0], strerror(errno));
        _exit(127);
    }
    close(pipe_fds[1]);
    return (struct powercut_run){pid, pipe_fds[0]};
}

struct powercut_run powercut_start(const char *const *argv, const char *directory, const char *log, const char *extra) {
    char preload[4096], watched[4096], kept[4096];
    snprintf(preload, sizeof preload, "LD_PRELOAD=%s", required("POWERCUT_LIB"));
    snprintf(watched, sizeof watched, "POWERCUT_DIR=%s", directory);
    snprintf(kept, sizeof kept, "POWERCUT_LOG=%s", log);
    // The layer stands before the sanitizer's own library, which otherwise insists on being first.
    const char *asan = "ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0:abort_on_error=1";
    const char *const settings[] = {preload, watched, kept, asan, extra, NULL};
    return start(argv, settings);
}

void powercut_let_run(const struct powercut_run *run, unsigned micros) {
    struct pollfd heard = {.fd = run->out, .events = POLLIN};
    poll(&heard, 1, 20000);
    usleep(micros);
}

int powercut_wait(struct powercut_run *run, struct pt_buf *said) {
    char chunk[4096];
    ssize_t got;
    int status = 0;
    while ((got = read(run->out, chunk, sizeof chunk)) > 0)
        if (said) pt_buf_append(said, chunk, (size_t)got);
    close(run->out);
    assert_int_equal(waitpid(run->pid, &status, 0), run->pid);
    return status;
}

int powercut_kill(struct powercut_run *run, struct pt_buf *said) {
    kill(run->pid, SIGKILL);
    return powercut_wait(run, said);
}

static void run_tool(const char *const *argv, struct pt_buf *said) {
    const char *const settings[] = {NULL};
    struct powercut_run run = start(argv, settings);
    const int status = powercut_wait(&run, said);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) fail_msg("powercut %s ended with %d", argv[1], status);
}

void powercut_apply(const char *mode, uint64_t seed, const char *directory, const char *log, struct pt_buf *report) {
    char number[32];
    snprintf(number, sizeof number, "%llu", (unsigned long long)seed);
    const char *const argv[] = {
        required("POWERCUT_TOOL"), "apply", "--seed", number, "--mode", mode, directory, log, NULL};
    run_tool(argv, report);
}

void powercut_limit(const char *log, const char *bytes) {
    const char *const argv[] = {required("POWERCUT_TOOL"), "limit", log, bytes, NULL};
    run_tool(argv, NULL);
}
