// powercut-writer DIR WORKERS threads|processes synced|careless: works in DIR/0, DIR/1 … by the pattern and says
// "WORKER ROUND" after each round. Ends with 5 and the errno on standard output when a call fails.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "tests/faults/layer/writer_pattern.h"

struct worker {
    unsigned number;
    char directory[2048];
    bool synced;
};

static void need(bool held) {
    if (held) return;
    dprintf(STDOUT_FILENO, "failed %d\n", errno);
    _exit(5);
}

static void sync_fd(const struct worker *worker, int fd) {
    need(!worker->synced || fdatasync(fd) == 0);
}

// `at`: where, or -1 for the file's own position.
static void put_all(int fd, const unsigned char *data, size_t len, off_t at) {
    while (len > 0) {
        const ssize_t put = at < 0 ? write(fd, data, len) : pwrite(fd, data, len, at);
        need(put > 0);
        data += put;
        if (at >= 0) at += put;
        len -= (size_t)put;
    }
}

static void put_file(const struct worker *worker, int directory, const char *name, unsigned round) {
    unsigned char content[PATTERN_FILE_SIZE];
    memset(content, pattern_byte(round), sizeof content);
    PT_CLOSE const int fd = openat(directory, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    need(fd >= 0);
    put_all(fd, content, sizeof content, -1);
    sync_fd(worker, fd);
}

static void write_slots(int slots, unsigned round) {
    unsigned char content[PATTERN_SLOT_SIZE];
    memset(content, pattern_byte(round), sizeof content);
    for (unsigned i = 0; i < PATTERN_SLOTS_A_ROUND; i++)
        put_all(slots, content, sizeof content, (off_t)pattern_slot(round, i) * (off_t)PATTERN_SLOT_SIZE);
}

static void append_record(int log, unsigned round) {
    unsigned char content[PATTERN_RECORD_SIZE];
    memset(content, pattern_byte(round), sizeof content);
    struct iovec parts[2] = {{content, 60}, {content + 60, sizeof content - 60}};
    const ssize_t put = writev(log, parts, 2);
    need(put > 0);
    if (put < (ssize_t)sizeof content) put_all(log, content + put, sizeof content - (size_t)put, -1);
}

static void do_round(const struct worker *worker, int directory, int slots, int log, unsigned round) {
    char name[32];
    write_slots(slots, round);
    append_record(log, round);
    snprintf(name, sizeof name, "r-%u", round);
    put_file(worker, directory, name, round);
    if (round > PATTERN_KEPT_FILES) {
        snprintf(name, sizeof name, "r-%u", round - PATTERN_KEPT_FILES);
        need(unlinkat(directory, name, 0) == 0);
    }
    put_file(worker, directory, "current.tmp", round);
    need(renameat(directory, "current.tmp", directory, "current") == 0);
    sync_fd(worker, slots);
    sync_fd(worker, log);
    need(!worker->synced || fsync(directory) == 0);
    dprintf(STDOUT_FILENO, "%u %u\n", worker->number, round);
}

static void *work(void *arg) {
    const struct worker *worker = arg;
    const int directory = open(worker->directory, O_RDONLY | O_DIRECTORY);
    const int slots = openat(directory, "slots", O_WRONLY | O_CREAT, 0600);
    const int log = openat(directory, "log", O_WRONLY | O_CREAT | O_APPEND, 0600);
    need(directory >= 0 && slots >= 0 && log >= 0);
    for (unsigned round = 1; round < 100000; round++) do_round(worker, directory, slots, log, round);
    return NULL;
}

int main(int argc, char **argv) {
    if (argc != 5) return 2;
    const unsigned count = (unsigned)atoi(argv[2]);
    struct worker *workers = calloc(count, sizeof *workers);
    pthread_t *threads = calloc(count, sizeof *threads);
    PT_CLOSE const int parent = open(argv[1], O_RDONLY | O_DIRECTORY);
    need(workers && threads && parent >= 0);
    for (unsigned i = 0; i < count; i++) {
        workers[i].number = i;
        workers[i].synced = strcmp(argv[4], "synced") == 0;
        snprintf(workers[i].directory, sizeof workers[i].directory, "%s/%u", argv[1], i);
        need(mkdir(workers[i].directory, 0700) == 0);
    }
    need(fsync(parent) == 0);
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(argv[3], "threads") == 0) {
            need(pthread_create(&threads[i], NULL, work, &workers[i]) == 0);
        } else if (fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            work(&workers[i]);
            _exit(0);
        }
    }
    for (unsigned i = 0; i < count; i++) {
        int status = 0;
        if (strcmp(argv[3], "threads") == 0) pthread_join(threads[i], NULL);
        else if (wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status)) _exit(WEXITSTATUS(status));
    }
    free(threads);
    free(workers);
    return 0;
}
