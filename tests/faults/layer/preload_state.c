#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>

#include "tests/faults/layer/preload.h"

#define FD_TABLE 65536
#define FAILURES_MAX 8
#define KILLED -1

static struct {
    bool on;
    char directory[PATH_MAX];
    size_t directory_len;
    char log[PATH_MAX];
    struct powercut_state *state;
    struct {
        enum layer_call call;
        uint64_t number; // counted from 1
        bool onwards;
        int error;
    } failures[FAILURES_MAX];
    size_t failure_count;
} layer;

static _Atomic unsigned char fd_table[FD_TABLE];

void layer_die(const char *what, const char *where) {
    char line[512];
    const int len = snprintf(line, sizeof line, "powercut: %s: %s: %s\n", what, where, strerror(errno));
    syscall(SYS_write, 2, line, (size_t)len);
    abort();
}

int raw_stat(int directory, const char *path, struct stat *out, int flags) {
    return (int)syscall(SYS_newfstatat, directory, path, out, flags);
}

bool layer_active(void) {
    return layer.on;
}
void layer_sandboxed(void) {
    layer.on = false;
}
const char *layer_log_directory(void) {
    return layer.log;
}
uint64_t layer_next_sequence(void) {
    return ++layer.state->sequence;
}

void layer_lock(void) {
    const int saved = errno;
    const int got = pthread_mutex_lock(&layer.state->lock);
    if (got == EOWNERDEAD) pthread_mutex_consistent(&layer.state->lock);
    else if (got != 0) {
        errno = got;
        layer_die("cannot lock", layer.log);
    }
    errno = saved;
}

void layer_unlock(void) {
    pthread_mutex_unlock(&layer.state->lock);
}

bool layer_below(const char *path) {
    return strncmp(path, layer.directory, layer.directory_len) == 0 &&
           (path[layer.directory_len] == '/' || path[layer.directory_len] == '\0');
}

// SQLite's -shm is shared memory that it rebuilds after a power cut: its content needs no durability.
static bool rebuilt(const char *path) {
    const size_t len = strlen(path);
    return len > 4 && strcmp(path + len - 4, "-shm") == 0;
}

static bool fd_path(int fd, char out[PATH_MAX]) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const long len = syscall(SYS_readlinkat, AT_FDCWD, link, out, PATH_MAX - 1);
    out[len < 0 ? 0 : len] = '\0';
    return len > 0;
}

static unsigned fd_classify(int fd) {
    char path[PATH_MAX];
    struct stat info;
    if (!fd_path(fd, path) || !layer_below(path) || rebuilt(path)) return FD_FOREIGN;
    if (raw_stat(fd, "", &info, AT_EMPTY_PATH) != 0) return FD_FOREIGN;
    if (S_ISDIR(info.st_mode)) return FD_DIRECTORY;
    if (!S_ISREG(info.st_mode)) return FD_FOREIGN;
    const long flags = syscall(SYS_fcntl, fd, F_GETFL);
    return FD_FILE | (flags & O_APPEND ? FD_APPEND : 0u) | (flags & O_DSYNC ? FD_SYNCED : 0u);
}

unsigned layer_fd(int fd) {
    if (fd < 0) return FD_FOREIGN;
    unsigned known = fd < FD_TABLE ? atomic_load_explicit(&fd_table[fd], memory_order_relaxed) : FD_UNKNOWN;
    if (known != FD_UNKNOWN) return known;
    const int saved = errno;
    known = fd_classify(fd);
    errno = saved;
    if (fd < FD_TABLE) atomic_store_explicit(&fd_table[fd], (unsigned char)known, memory_order_relaxed);
    return known;
}

void layer_fd_forget(int fd) {
    if (fd >= 0 && fd < FD_TABLE) atomic_store_explicit(&fd_table[fd], FD_UNKNOWN, memory_order_relaxed);
}

bool layer_locate(int directory, const char *path, struct layer_place *out) {
    char parent[PATH_MAX];
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/') len--;
    size_t start = len;
    while (start > 0 && path[start - 1] != '/') start--;
    if (len == start || len - start > NAME_MAX || start >= PATH_MAX) return false;
    memcpy(out->name, path + start, len - start);
    out->name[len - start] = '\0';
    memcpy(parent, start ? path : ".", start ? start : 1);
    parent[start ? start : 1] = '\0';

    const int saved = errno;
    const int fd = (int)syscall(SYS_openat, directory, parent, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    struct stat info;
    bool found = fd >= 0 && fd_path(fd, out->directory) && layer_below(out->directory) && !rebuilt(out->name) &&
                 raw_stat(fd, "", &info, AT_EMPTY_PATH) == 0;
    if (fd >= 0) raw_close(fd);
    errno = saved;
    if (!found) return false;
    out->directory_inode = info.st_ino;
    snprintf(out->path, sizeof out->path, "%s/%s", out->directory, out->name);
    return true;
}

// The power goes right here: what was written before stands or not as `powercut apply` decides.
static int layer_end(void) {
    syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
    return EIO;
}

int layer_injected(enum layer_call call) {
    uint64_t *count = call == LAYER_WRITE ? &layer.state->writes : &layer.state->syncs;
    ++*count;
    for (size_t i = 0; i < layer.failure_count; i++)
        if (layer.failures[i].call == call &&
            (*count == layer.failures[i].number || (layer.failures[i].onwards && *count > layer.failures[i].number)))
            return layer.failures[i].error == KILLED ? layer_end() : layer.failures[i].error;
    return 0;
}

size_t layer_room(uint64_t size, uint64_t offset, size_t wanted) {
    struct powercut_state *state = layer.state;
    const uint64_t end = offset + wanted;
    if (end <= size) return wanted;
    const int64_t growth = (int64_t)(end - size);
    if (state->limit < 0 || state->used + growth <= state->limit) {
        state->used += growth;
        return wanted;
    }
    const int64_t left = state->limit > state->used ? state->limit - state->used : 0;
    const uint64_t fits = size + (uint64_t)left;
    if (fits <= offset) return 0;
    state->used += left;
    return (size_t)(fits - offset);
}

void layer_freed(uint64_t bytes) {
    layer.state->used -= (int64_t)bytes;
}

// "write:12:ENOSPC,fsync:3+:EIO": the 12th write fails, every sync from the third on fails. "write:12:KILL": the process ends there.
static void read_failures(const char *text) {
    while (text && *text) {
        char call[16], name[16];
        unsigned long long number = 0;
        int used = 0;
        if (sscanf(text, "%15[a-z]:%llu%n", call, &number, &used) != 2 || layer.failure_count == FAILURES_MAX)
            layer_die("POWERCUT_FAIL is not understood", text);
        text += used;
        const bool onwards = *text == '+';
        text += onwards;
        if (sscanf(text, ":%15[A-Z]%n", name, &used) != 1) layer_die("POWERCUT_FAIL is not understood", text);
        text += used;
        if (*text == ',') text++;
        const int error = strcmp(name, "ENOSPC") == 0 ? ENOSPC : strcmp(name, "EIO") == 0 ? EIO : strcmp(name, "KILL") == 0 ? KILLED : 0;
        if (!error || (strcmp(call, "write") != 0 && strcmp(call, "fsync") != 0))
            layer_die("POWERCUT_FAIL knows write and fsync, ENOSPC, EIO and KILL", call);
        layer.failures[layer.failure_count].call = call[0] == 'w' ? LAYER_WRITE : LAYER_SYNC;
        layer.failures[layer.failure_count].number = number;
        layer.failures[layer.failure_count].onwards = onwards;
        layer.failures[layer.failure_count++].error = error;
    }
}

static void prepare_state(struct powercut_state *state) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&state->lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
    state->limit = -1;
    state->ready = 1;
}

static void map_state(void) {
    char path[PATH_MAX + 8];
    snprintf(path, sizeof path, "%s/state", layer.log);
    const int fd = raw_open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || flock(fd, LOCK_EX) != 0 || syscall(SYS_ftruncate, fd, sizeof *layer.state) != 0)
        layer_die("cannot open", path);
    void *memory = mmap(NULL, sizeof *layer.state, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) layer_die("cannot map", path);
    layer.state = memory;
    if (!layer.state->ready) prepare_state(layer.state);
    const char *limit = getenv("POWERCUT_ENOSPC_AFTER");
    if (limit) layer.state->limit = atoll(limit);
    raw_close(fd);
}

static void read_directory(const char *variable, char out[PATH_MAX]) {
    const char *path = getenv(variable);
    if (!path) layer_die("not set", variable);
    syscall(SYS_mkdirat, AT_FDCWD, path, 0700);
    if (!realpath(path, out)) layer_die("no such directory", path);
}

__attribute__((constructor)) static void layer_start(void) {
    if (!getenv("POWERCUT_DIR")) return;
    read_directory("POWERCUT_DIR", layer.directory);
    read_directory("POWERCUT_LOG", layer.log);
    layer.directory_len = strlen(layer.directory);
    struct stat watched, log;
    if (layer_below(layer.log)) layer_die("POWERCUT_LOG lies inside POWERCUT_DIR", layer.log);
    if (raw_stat(AT_FDCWD, layer.directory, &watched, 0) != 0 || raw_stat(AT_FDCWD, layer.log, &log, 0) != 0 ||
        watched.st_dev != log.st_dev)
        layer_die("POWERCUT_LOG must be on the same file system as POWERCUT_DIR", layer.log);
    read_failures(getenv("POWERCUT_FAIL"));
    map_state();
    layer.on = true;
}
