// Opening and closing, and changes of names: recorded, then made, under one lock.
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "tests/faults/layer/preload.h"

// Before an existing file is emptied by O_TRUNC.
static void record_emptying(const struct layer_place *place, const struct stat *info) {
    if (!S_ISREG(info->st_mode) || info->st_size == 0) return;
    const int fd = raw_open(place->path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) return; // then the caller may not write it either
    log_content(info->st_ino, POWERCUT_TRUNCATE, fd, 0, (uint64_t)info->st_size, (uint64_t)info->st_size);
    layer_freed((uint64_t)info->st_size);
    raw_close(fd);
}

static int open_recorded(int directory, const char *path, int flags, mode_t mode, const struct layer_place *place) {
    struct stat info;
    layer_lock();
    const bool exists = raw_stat(AT_FDCWD, place->path, &info, 0) == 0;
    if (exists && (flags & O_TRUNC) && (flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL))
        record_emptying(place, &info);
    if (!exists && (flags & O_CREAT)) log_name(place->directory_inode, POWERCUT_CREATE, place, NULL, 0, 0);
    const int fd = (int)syscall(SYS_openat, directory, path, flags, mode);
    if (fd >= 0 && !exists && raw_stat(fd, "", &info, AT_EMPTY_PATH) == 0) log_forget_content(info.st_ino);
    layer_unlock();
    return fd;
}

static int do_open(int directory, const char *path, int flags, mode_t mode) {
    struct layer_place place;
    const bool changes = (flags & (O_CREAT | O_TRUNC)) && (flags & O_TMPFILE) != O_TMPFILE;
    const int fd = layer_active() && changes && layer_locate(directory, path, &place)
                       ? open_recorded(directory, path, flags, mode, &place)
                       : (int)syscall(SYS_openat, directory, path, flags, mode);
    layer_fd_forget(fd);
    return fd;
}

static mode_t mode_of(int flags, va_list args) {
    return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(args, mode_t) : 0;
}

#define OPEN_VARIANT(name)                                                                                             \
    LAYER_EXPORT int name(const char *path, int flags, ...) {                                                          \
        va_list args;                                                                                                  \
        va_start(args, flags);                                                                                         \
        const mode_t mode = mode_of(flags, args);                                                                      \
        va_end(args);                                                                                                  \
        return do_open(AT_FDCWD, path, flags, mode);                                                                   \
    }
#define OPENAT_VARIANT(name)                                                                                           \
    LAYER_EXPORT int name(int directory, const char *path, int flags, ...) {                                           \
        va_list args;                                                                                                  \
        va_start(args, flags);                                                                                         \
        const mode_t mode = mode_of(flags, args);                                                                      \
        va_end(args);                                                                                                  \
        return do_open(directory, path, flags, mode);                                                                  \
    }
OPEN_VARIANT(open)
OPEN_VARIANT(open64)
OPENAT_VARIANT(openat)
OPENAT_VARIANT(openat64)

// What open becomes under _FORTIFY_SOURCE.
LAYER_EXPORT int __open_2(const char *path, int flags);
LAYER_EXPORT int __open64_2(const char *path, int flags);
LAYER_EXPORT int __openat_2(int directory, const char *path, int flags);
LAYER_EXPORT int __openat64_2(int directory, const char *path, int flags);
int __open_2(const char *path, int flags) {
    return do_open(AT_FDCWD, path, flags, 0);
}
int __open64_2(const char *path, int flags) {
    return do_open(AT_FDCWD, path, flags, 0);
}
int __openat_2(int directory, const char *path, int flags) {
    return do_open(directory, path, flags, 0);
}
int __openat64_2(int directory, const char *path, int flags) {
    return do_open(directory, path, flags, 0);
}

LAYER_EXPORT int creat(const char *path, mode_t mode) {
    return do_open(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}
LAYER_EXPORT int creat64(const char *, mode_t) __attribute__((alias("creat")));

// The C library's own opens files past this layer.
LAYER_EXPORT int mkostemps(char *template, int suffix, int flags) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    const size_t len = strlen(template);
    if (suffix < 0 || len < (size_t)suffix + 6) {
        errno = EINVAL;
        return -1;
    }
    char *six = template + len - (size_t)suffix - 6;
    for (int attempt = 0; attempt < 100; attempt++) {
        uint8_t random[6];
        if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) return -1;
        for (int i = 0; i < 6; i++) six[i] = letters[random[i] % (sizeof letters - 1)];
        const int fd = do_open(AT_FDCWD, template, flags | O_RDWR | O_CREAT | O_EXCL, 0600);
        if (fd >= 0 || errno != EEXIST) return fd;
    }
    return -1;
}
LAYER_EXPORT int mkostemp(char *template, int flags) {
    return mkostemps(template, 0, flags);
}
LAYER_EXPORT int mkstemps(char *template, int suffix) {
    return mkostemps(template, suffix, 0);
}
LAYER_EXPORT int mkstemp(char *template) {
    return mkostemps(template, 0, 0);
}
LAYER_EXPORT int mkostemps64(char *, int, int) __attribute__((alias("mkostemps")));
LAYER_EXPORT int mkostemp64(char *, int) __attribute__((alias("mkostemp")));
LAYER_EXPORT int mkstemps64(char *, int) __attribute__((alias("mkstemps")));
LAYER_EXPORT int mkstemp64(char *) __attribute__((alias("mkstemp")));

// --- descriptors ---

LAYER_EXPORT int close(int fd) {
    layer_fd_forget(fd);
    return raw_close(fd);
}

LAYER_EXPORT int dup(int fd) {
    const int copy = (int)syscall(SYS_dup, fd);
    layer_fd_forget(copy);
    return copy;
}

LAYER_EXPORT int dup3(int fd, int copy, int flags) {
    const int got = (int)syscall(SYS_dup3, fd, copy, flags);
    layer_fd_forget(copy);
    return got;
}

LAYER_EXPORT int dup2(int fd, int copy) {
    if (fd == copy) return syscall(SYS_fcntl, fd, F_GETFD) < 0 ? -1 : fd;
    return dup3(fd, copy, 0);
}

static int do_fcntl(int fd, int command, void *argument) {
    const int got = (int)syscall(SYS_fcntl, fd, command, argument);
    if (command == F_DUPFD || command == F_DUPFD_CLOEXEC) layer_fd_forget(got);
    if (command == F_SETFL) layer_fd_forget(fd);
    return got;
}

#define FCNTL_VARIANT(name)                                                                                            \
    LAYER_EXPORT int name(int fd, int command, ...) {                                                                  \
        va_list args;                                                                                                  \
        va_start(args, command);                                                                                       \
        void *argument = va_arg(args, void *);                                                                         \
        va_end(args);                                                                                                  \
        return do_fcntl(fd, command, argument);                                                                        \
    }
FCNTL_VARIANT(fcntl)
FCNTL_VARIANT(fcntl64)

// --- names ---

LAYER_EXPORT int unlinkat(int directory, const char *path, int flags) {
    struct layer_place place;
    struct stat info;
    if (!layer_active() || !layer_locate(directory, path, &place))
        return (int)syscall(SYS_unlinkat, directory, path, flags);
    layer_lock();
    if (raw_stat(AT_FDCWD, place.path, &info, AT_SYMLINK_NOFOLLOW) == 0) {
        if (flags & AT_REMOVEDIR) {
            log_name(place.directory_inode, POWERCUT_RMDIR, &place, NULL, info.st_ino, info.st_mode & 07777);
        } else if (!S_ISDIR(info.st_mode)) {
            if (info.st_nlink == 1) layer_freed((uint64_t)info.st_size);
            log_keep(&place);
            log_name(place.directory_inode, POWERCUT_UNLINK, &place, NULL, info.st_ino, 0);
        }
    }
    const int done = (int)syscall(SYS_unlinkat, directory, path, flags);
    layer_unlock();
    return done;
}

LAYER_EXPORT int unlink(const char *path) {
    return unlinkat(AT_FDCWD, path, 0);
}
LAYER_EXPORT int rmdir(const char *path) {
    return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

LAYER_EXPORT int remove(const char *path) {
    const int done = unlink(path);
    return done != 0 && (errno == EISDIR || errno == EPERM) ? rmdir(path) : done;
}

static int rename_raw(int from_directory, const char *from, int to_directory, const char *to, unsigned flags) {
    return (int)syscall(SYS_renameat2, from_directory, from, to_directory, to, flags);
}

LAYER_EXPORT int renameat2(int from_directory, const char *from, int to_directory, const char *to, unsigned flags) {
    struct layer_place old, new;
    struct stat moved, replaced;
    if (!layer_active()) return rename_raw(from_directory, from, to_directory, to, flags);
    const bool leaves = layer_locate(from_directory, from, &old);
    const bool arrives = layer_locate(to_directory, to, &new);
    if (!leaves && !arrives) return rename_raw(from_directory, from, to_directory, to, flags);
    if (leaves != arrives || (flags & ~(unsigned)RENAME_NOREPLACE)) {
        errno = EXDEV; // into or out of the watched directory, exchange: not covered
        return -1;
    }
    layer_lock();
    const bool exists = raw_stat(AT_FDCWD, new.path, &replaced, AT_SYMLINK_NOFOLLOW) == 0;
    if (raw_stat(AT_FDCWD, old.path, &moved, AT_SYMLINK_NOFOLLOW) == 0 &&
        !(exists && (moved.st_ino == replaced.st_ino || flags))) {
        const bool keep = exists && !S_ISDIR(replaced.st_mode);
        if (keep && replaced.st_nlink == 1) layer_freed((uint64_t)replaced.st_size);
        if (keep) log_keep(&new);
        log_name(new.directory_inode, POWERCUT_RENAME, &new, &old, moved.st_ino, keep);
    }
    const int done = rename_raw(from_directory, from, to_directory, to, flags);
    layer_unlock();
    return done;
}

LAYER_EXPORT int rename(const char *from, const char *to) {
    return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

LAYER_EXPORT int renameat(int from_directory, const char *from, int to_directory, const char *to) {
    return renameat2(from_directory, from, to_directory, to, 0);
}

static bool record_new_name(int directory, const char *path, enum powercut_kind kind) {
    struct layer_place place;
    struct stat info;
    if (!layer_active() || !layer_locate(directory, path, &place)) return false;
    layer_lock();
    if (raw_stat(AT_FDCWD, place.path, &info, AT_SYMLINK_NOFOLLOW) != 0)
        log_name(place.directory_inode, kind, &place, NULL, 0, 0);
    return true;
}

LAYER_EXPORT int linkat(int from_directory, const char *from, int to_directory, const char *to, int flags) {
    const bool recorded = record_new_name(to_directory, to, POWERCUT_CREATE);
    const int done = (int)syscall(SYS_linkat, from_directory, from, to_directory, to, flags);
    if (recorded) layer_unlock();
    return done;
}

LAYER_EXPORT int link(const char *from, const char *to) {
    return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

LAYER_EXPORT int symlinkat(const char *target, int directory, const char *path) {
    const bool recorded = record_new_name(directory, path, POWERCUT_CREATE);
    const int done = (int)syscall(SYS_symlinkat, target, directory, path);
    if (recorded) layer_unlock();
    return done;
}

LAYER_EXPORT int symlink(const char *target, const char *path) {
    return symlinkat(target, AT_FDCWD, path);
}

LAYER_EXPORT int mkdirat(int directory, const char *path, mode_t mode) {
    const bool recorded = record_new_name(directory, path, POWERCUT_MKDIR);
    const int done = (int)syscall(SYS_mkdirat, directory, path, mode);
    if (recorded) layer_unlock();
    return done;
}

LAYER_EXPORT int mkdir(const char *path, mode_t mode) {
    return mkdirat(AT_FDCWD, path, mode);
}

// --- stdio writes past this layer: refused aloud below the watched directory rather than silently not covered ---

static void refuse_writing_stream(const char *path, const char *mode) {
    struct layer_place place;
    if (!layer_active() || (mode[0] == 'r' && !strchr(mode, '+'))) return;
    if (!layer_locate(AT_FDCWD, path, &place)) return;
    errno = ENOTSUP;
    layer_die("a stdio stream that writes is not covered", path);
}

static FILE *reopen(const char *path, const char *mode) {
    refuse_writing_stream(path, mode);
    int flags = mode[0] == 'r'   ? O_RDONLY
                : mode[0] == 'w' ? O_WRONLY | O_CREAT | O_TRUNC
                                 : O_WRONLY | O_CREAT | O_APPEND;
    if (strchr(mode, '+')) flags = (flags & ~O_ACCMODE) | O_RDWR;
    if (strchr(mode, 'x')) flags |= O_EXCL;
    if (strchr(mode, 'e')) flags |= O_CLOEXEC;
    const int fd = do_open(AT_FDCWD, path, flags, 0666);
    FILE *file = fd < 0 ? NULL : fdopen(fd, mode);
    if (fd >= 0 && !file) close(fd);
    return file;
}

LAYER_EXPORT FILE *fopen(const char *path, const char *mode) {
    return reopen(path, mode);
}
LAYER_EXPORT FILE *fopen64(const char *path, const char *mode) {
    return reopen(path, mode);
}
