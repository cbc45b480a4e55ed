// The power cut itself: after the processes were killed, takes back what no sync had made durable.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/faults/layer/undo.h"

static const char usage[] =
    "usage: powercut apply [--seed N] [--mode random|drop|keep|torn] [--unit bytes|sectors] DIR LOG\n"
    "       powercut limit LOG BYTES|none\n\n"
    "apply  after the processes under libpowercut.so were killed: undoes unsynced changes below DIR,\n"
    "       prints what it did as JSON and empties LOG. Modes: random (each change kept, undone or\n"
    "       torn), drop (all undone), keep (none), torn (only the last write, cut in its middle).\n"
    "limit  the disk has room for BYTES more of growth, for running processes too.\n\n"
    "Run a program under the layer by\n"
    "  LD_PRELOAD=libpowercut.so POWERCUT_DIR=DIR POWERCUT_LOG=LOG program…\n"
    "LOG is on DIR's file system, outside DIR. Further: POWERCUT_ENOSPC_AFTER=BYTES, and\n"
    "POWERCUT_FAIL=write:12:ENOSPC,fsync:3+:EIO (the 12th write; every sync from the third on; KILL ends the process there).\n";

void undo_die(const char *what, const char *where) {
    fprintf(stderr, "powercut: %s: %s: %s\n", what, where, strerror(errno));
    exit(3);
}

uint64_t undo_random(struct undo_plan *plan, uint64_t below) {
    uint64_t x = plan->random += 0x9e3779b97f4a7c15u; // splitmix64
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return (x ^ (x >> 31)) % below;
}

static uint8_t *read_whole(const char *path, size_t *len) {
    struct stat info;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &info) != 0) undo_die("cannot read", path);
    uint8_t *bytes = malloc((size_t)info.st_size + 1);
    *len = 0;
    for (ssize_t got; bytes && (got = read(fd, bytes + *len, (size_t)info.st_size - *len)) > 0;) *len += (size_t)got;
    close(fd);
    if (!bytes || *len != (size_t)info.st_size) undo_die("cannot read", path);
    return bytes;
}

struct undo_log undo_log_read(const char *log, const char *name) {
    char path[PATH_MAX];
    struct undo_log out = {0};
    size_t len = 0, at = 0;
    snprintf(path, sizeof path, "%s/%s", log, name);
    out.bytes = read_whole(path, &len);
    while (len - at >= sizeof(struct powercut_record)) {
        struct powercut_record record;
        memcpy(&record, out.bytes + at, sizeof record);
        at += sizeof record;
        if (record.magic != POWERCUT_MAGIC || record.payload > len - at ||
            powercut_check(record, out.bytes + at) != record.check)
            break;
        out.records = realloc(out.records, (out.count + 1) * sizeof *out.records);
        out.payloads = realloc(out.payloads, (out.count + 1) * sizeof *out.payloads);
        if (!out.records || !out.payloads) undo_die("no memory", path);
        out.records[out.count] = record;
        out.payloads[out.count++] = out.bytes + at;
        at += record.payload;
    }
    return out;
}

void undo_log_free(struct undo_log *log) {
    free(log->records);
    free(log->payloads);
    free(log->bytes);
}

static void empty_log(const char *log) {
    DIR *dir = opendir(log);
    if (!dir) undo_die("cannot list", log);
    for (struct dirent *entry; (entry = readdir(dir));)
        if (strcmp(entry->d_name, "state") == 0 || (entry->d_name[0] && entry->d_name[1] == '-'))
            unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
}

static bool read_mode(const char *text, enum undo_mode *out) {
    static const char *const names[] = {"random", "drop", "keep", "torn"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(text, names[i]) == 0) {
            *out = (enum undo_mode)i;
            return true;
        }
    return false;
}

static int apply(int argc, char **argv) {
    struct undo_plan plan = {.mode = UNDO_RANDOM};
    char directory[PATH_MAX], log[PATH_MAX];
    const char *seed = "1", *mode = "random", *unit = "bytes";
    int i = 0;
    for (; i + 1 < argc && strncmp(argv[i], "--", 2) == 0; i += 2) {
        const char **option = strcmp(argv[i], "--seed") == 0   ? &seed
                              : strcmp(argv[i], "--mode") == 0 ? &mode
                              : strcmp(argv[i], "--unit") == 0 ? &unit
                                                               : NULL;
        if (!option) return fputs(usage, stderr), 2;
        *option = argv[i + 1];
    }
    plan.random = strtoull(seed, NULL, 10);
    plan.sectors = strcmp(unit, "sectors") == 0;
    if (argc - i != 2 || !read_mode(mode, &plan.mode)) return fputs(usage, stderr), 2;
    if (!realpath(argv[i], directory)) undo_die("no such directory", argv[i]);
    if (!realpath(argv[i + 1], log)) undo_die("no such directory", argv[i + 1]);
    plan.directory = directory;
    plan.log = log;

    json_t *files = json_array(), *names = json_array();
    undo_contents(&plan, files);
    undo_names(&plan, names);
    empty_log(log);
    json_t *report = json_pack("{s:s, s:s, s:o, s:o}", "mode", mode, "seed", seed, "files", files, "names", names);
    json_dumpf(report, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(report);
    return 0;
}

static int limit(int argc, char **argv) {
    char path[PATH_MAX];
    if (argc != 2) return fputs(usage, stderr), 2;
    snprintf(path, sizeof path, "%s/state", argv[0]);
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    struct powercut_state *state =
        fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *state, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (state == MAP_FAILED) undo_die("no process has run under this log", path);
    if (pthread_mutex_lock(&state->lock) == EOWNERDEAD) pthread_mutex_consistent(&state->lock);
    state->limit = strcmp(argv[1], "none") == 0 ? -1 : state->used + atoll(argv[1]);
    pthread_mutex_unlock(&state->lock);
    close(fd);
    return 0;
}

int main(int argc, char **argv) {
    if (argc >= 2 && strcmp(argv[1], "--help") == 0) return fputs(usage, stdout), 0;
    if (argc >= 2 && strcmp(argv[1], "apply") == 0) return apply(argc - 2, argv + 2);
    if (argc >= 2 && strcmp(argv[1], "limit") == 0) return limit(argc - 2, argv + 2);
    return fputs(usage, stderr), 2;
}
