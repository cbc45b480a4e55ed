// The inside of libpowercut.so. Every system call of its own is made by syscall(2): calling the C library's
// functions would come back here.
#ifndef PACKTRAIL_TESTS_FAULTS_LAYER_PRELOAD_H
#define PACKTRAIL_TESTS_FAULTS_LAYER_PRELOAD_H

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/faults/layer/record.h"

#define LAYER_EXPORT __attribute__((visibility("default")))

// What a file descriptor stands for. UNKNOWN is always safe: it is found out at the next use.
enum {
    FD_UNKNOWN = 0,
    FD_FOREIGN = 1,
    FD_FILE = 2,
    FD_DIRECTORY = 4,
    FD_APPEND = 8,
    FD_SYNCED = 16, // O_SYNC or O_DSYNC
};

// A name below the directory that is watched.
struct layer_place {
    uint64_t directory_inode;
    char directory[PATH_MAX]; // canonical
    char name[NAME_MAX + 1];
    char path[PATH_MAX + NAME_MAX + 2];
};

enum layer_call { LAYER_WRITE, LAYER_SYNC };

// --- preload_state.c ---
bool layer_active(void);
void layer_sandboxed(void); // this process may make no unforeseen system call from now on
void layer_lock(void);      // one lock for all processes; held from the record to the end of the change
void layer_unlock(void);
_Noreturn void layer_die(const char *what, const char *where);
unsigned layer_fd(int fd);
void layer_fd_forget(int fd);
bool layer_locate(int directory, const char *path, struct layer_place *out); // false: not below the directory
bool layer_below(const char *path);

// Under the lock: 0, or the errno of a failure that was asked for.
int layer_injected(enum layer_call call);
// Under the lock: how many of `wanted` bytes from `offset` the disk still has room for, and takes them.
size_t layer_room(uint64_t size, uint64_t offset, size_t wanted);
void layer_freed(uint64_t bytes);
uint64_t layer_next_sequence(void);
const char *layer_log_directory(void);

// --- preload_log.c: all under the lock ---
void log_content(uint64_t inode, enum powercut_kind kind, int file, uint64_t offset, uint64_t length,
                 uint64_t old_size);
void log_name(uint64_t directory_inode, enum powercut_kind kind, const struct layer_place *place,
              const struct layer_place *old, uint64_t inode, uint64_t length);
uint64_t log_keep(const struct layer_place *place); // makes t-<sequence>; gives the sequence for the next log_name
void log_forget_content(uint64_t inode);
void log_forget_names(uint64_t directory_inode);
void log_forget_all(void);

static inline int raw_open(const char *path, int flags, mode_t mode) {
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}
static inline int raw_close(int fd) {
    return (int)syscall(SYS_close, fd);
}
int raw_stat(int directory, const char *path, struct stat *out, int flags);

#endif
