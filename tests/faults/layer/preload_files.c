// Changes of files' content: recorded, then made, under one lock.
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "tests/faults/layer/preload.h"

static bool tracked_file(int fd) {
    return layer_active() && (layer_fd(fd) & FD_FILE);
}

// A file without a name cannot come back after a power cut: its changes need no record.
static bool stat_named(int fd, struct stat *info) {
    return raw_stat(fd, "", info, AT_EMPTY_PATH) == 0 && S_ISREG(info->st_mode) && info->st_nlink > 0;
}

static size_t iov_length(const struct iovec *parts, int count) {
    size_t total = 0;
    for (int i = 0; i < count; i++) total += parts[i].iov_len;
    return total;
}

// Cuts the parts to `total` bytes in `out`; gives the number of parts left.
static int iov_cut(const struct iovec *parts, int count, size_t total, struct iovec *out) {
    int used = 0;
    for (int i = 0; i < count && total > 0; i++) {
        out[used] = parts[i];
        if (out[used].iov_len > total) out[used].iov_len = total;
        total -= out[used++].iov_len;
    }
    return used;
}

static ssize_t write_raw(int fd, const struct iovec *parts, int count, off_t offset, bool positioned) {
    if (positioned) return syscall(SYS_pwritev, fd, parts, count, offset, 0);
    return syscall(SYS_writev, fd, parts, count);
}

static ssize_t write_recorded(int fd, const struct iovec *parts, int count, off_t offset, bool positioned) {
    struct stat info;
    const unsigned kind = layer_fd(fd);
    const size_t wanted = iov_length(parts, count);
    if (wanted == 0 || count > IOV_MAX) return write_raw(fd, parts, count, offset, positioned);
    ssize_t written = -1;
    layer_lock();
    const int injected = layer_injected(LAYER_WRITE);
    if (injected) {
        errno = injected;
    } else if (!stat_named(fd, &info)) {
        written = write_raw(fd, parts, count, offset, positioned);
    } else {
        const uint64_t size = (uint64_t)info.st_size;
        const uint64_t at = kind & FD_APPEND ? size
                            : positioned     ? (uint64_t)offset
                                             : (uint64_t)syscall(SYS_lseek, fd, 0L, SEEK_CUR);
        const size_t allowed = layer_room(size, at, wanted);
        struct iovec cut[IOV_MAX];
        if (allowed == 0) {
            errno = ENOSPC;
        } else {
            const int left = iov_cut(parts, count, allowed, cut);
            log_content(info.st_ino, POWERCUT_WRITE, fd, at, allowed, size);
            written = write_raw(fd, cut, left, offset, positioned);
            if (kind & FD_SYNCED) log_forget_content(info.st_ino);
        }
    }
    layer_unlock();
    return written;
}

LAYER_EXPORT ssize_t write(int fd, const void *data, size_t len) {
    if (!tracked_file(fd)) return syscall(SYS_write, fd, data, len);
    return write_recorded(fd, &(struct iovec){(void *)(uintptr_t)data, len}, 1, 0, false);
}

LAYER_EXPORT ssize_t pwrite(int fd, const void *data, size_t len, off_t offset) {
    if (!tracked_file(fd)) return syscall(SYS_pwrite64, fd, data, len, offset);
    return write_recorded(fd, &(struct iovec){(void *)(uintptr_t)data, len}, 1, offset, true);
}

LAYER_EXPORT ssize_t writev(int fd, const struct iovec *parts, int count) {
    if (!tracked_file(fd)) return syscall(SYS_writev, fd, parts, count);
    return write_recorded(fd, parts, count, 0, false);
}

LAYER_EXPORT ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
    if (!tracked_file(fd)) return syscall(SYS_pwritev, fd, parts, count, offset, 0);
    return write_recorded(fd, parts, count, offset, true);
}

LAYER_EXPORT ssize_t pwrite64(int, const void *, size_t, off_t) __attribute__((alias("pwrite")));
LAYER_EXPORT ssize_t pwritev64(int, const struct iovec *, int, off_t) __attribute__((alias("pwritev")));

// --- sizes ---

LAYER_EXPORT int ftruncate(int fd, off_t length) {
    struct stat info;
    if (!tracked_file(fd)) return (int)syscall(SYS_ftruncate, fd, length);
    int done = -1;
    layer_lock();
    if (stat_named(fd, &info) && length >= 0) {
        const uint64_t size = (uint64_t)info.st_size, wanted = (uint64_t)length;
        if (wanted < size) log_content(info.st_ino, POWERCUT_TRUNCATE, fd, wanted, size - wanted, size);
        if (wanted > size) log_content(info.st_ino, POWERCUT_GROW, fd, size, 0, size);
        if (wanted < size) layer_freed(size - wanted);
    }
    done = (int)syscall(SYS_ftruncate, fd, length);
    layer_unlock();
    return done;
}

LAYER_EXPORT int ftruncate64(int, off_t) __attribute__((alias("ftruncate")));

LAYER_EXPORT int truncate(const char *path, off_t length) {
    if (!layer_active()) return (int)syscall(SYS_truncate, path, length);
    const int fd = raw_open(path, O_WRONLY | O_CLOEXEC, 0);
    if (fd < 0) return -1;
    layer_fd_forget(fd);
    const int done = ftruncate(fd, length);
    const int saved = errno;
    layer_fd_forget(fd);
    raw_close(fd);
    errno = saved;
    return done;
}

LAYER_EXPORT int truncate64(const char *, off_t) __attribute__((alias("truncate")));

LAYER_EXPORT int fallocate(int fd, int mode, off_t offset, off_t length) {
    struct stat info;
    if (!tracked_file(fd)) return (int)syscall(SYS_fallocate, fd, mode, offset, length);
    if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) {
        errno = EOPNOTSUPP;
        return -1;
    }
    int done = -1;
    layer_lock();
    if (stat_named(fd, &info) && offset >= 0 && length > 0) {
        const uint64_t size = (uint64_t)info.st_size, at = (uint64_t)offset, end = at + (uint64_t)length;
        if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE) && at < size)
            log_content(info.st_ino, POWERCUT_WRITE, fd, at, (end < size ? end : size) - at, size);
        if (!(mode & FALLOC_FL_KEEP_SIZE) && end > size) {
            if (layer_room(size, at, (size_t)length) < (size_t)length) {
                layer_unlock();
                errno = ENOSPC;
                return -1;
            }
            log_content(info.st_ino, POWERCUT_GROW, fd, size, 0, size);
        }
    }
    done = (int)syscall(SYS_fallocate, fd, mode, offset, length);
    layer_unlock();
    return done;
}

LAYER_EXPORT int fallocate64(int, int, off_t, off_t) __attribute__((alias("fallocate")));

LAYER_EXPORT int posix_fallocate(int fd, off_t offset, off_t length) {
    return fallocate(fd, 0, offset, length) == 0 ? 0 : errno;
}

LAYER_EXPORT int posix_fallocate64(int, off_t, off_t) __attribute__((alias("posix_fallocate")));

// --- syncs. The real one is left out: the page cache survives a killed process, and the log knows what is durable. ---

static int sync_recorded(int fd) {
    struct stat info;
    layer_lock();
    const int injected = layer_injected(LAYER_SYNC);
    const bool known = !injected && raw_stat(fd, "", &info, AT_EMPTY_PATH) == 0;
    if (known && S_ISREG(info.st_mode) && info.st_nlink > 0) log_forget_content(info.st_ino);
    if (known && S_ISDIR(info.st_mode)) log_forget_names(info.st_ino);
    layer_unlock();
    if (injected) errno = injected;
    return known ? 0 : -1;
}

static bool tracked(int fd) {
    return layer_active() && (layer_fd(fd) & (FD_FILE | FD_DIRECTORY));
}

LAYER_EXPORT int fsync(int fd) {
    return tracked(fd) ? sync_recorded(fd) : (int)syscall(SYS_fsync, fd);
}
LAYER_EXPORT int fdatasync(int fd) {
    return tracked(fd) ? sync_recorded(fd) : (int)syscall(SYS_fdatasync, fd);
}

LAYER_EXPORT void sync(void) {
    if (!layer_active()) {
        syscall(SYS_sync);
        return;
    }
    layer_lock();
    log_forget_all();
    layer_unlock();
}

LAYER_EXPORT int syncfs(int fd) {
    if (!tracked(fd)) return (int)syscall(SYS_syncfs, fd);
    sync();
    return 0;
}

// Promises no durability (sync_file_range(2)), so it forgets nothing.
LAYER_EXPORT int sync_file_range(int fd, off_t offset, off_t length, unsigned flags) {
    return tracked_file(fd) ? 0 : (int)syscall(SYS_sync_file_range, fd, offset, length, flags);
}

// --- ways around the layer, closed ---

// What is written through a shared mapping is not seen here and would count as durable.
static void *map(void *address, size_t length, int protection, int flags, int fd, off_t offset) {
    const bool shared = (flags & MAP_TYPE) == MAP_SHARED || (flags & MAP_TYPE) == MAP_SHARED_VALIDATE;
    if (layer_active() && fd >= 0 && shared && (protection & PROT_WRITE) && (layer_fd(fd) & FD_FILE)) {
        errno = ENODEV;
        layer_die("a writable shared mapping is not covered", "mmap");
    }
    return (void *)syscall(SYS_mmap, address, length, protection, flags, fd, offset);
}

LAYER_EXPORT void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset) {
    return map(address, length, protection, flags, fd, offset);
}

LAYER_EXPORT void *mmap64(void *address, size_t length, int protection, int flags, int fd, off_t offset) {
    return map(address, length, protection, flags, fd, offset);
}

LAYER_EXPORT ssize_t copy_file_range(int in, off_t *in_offset, int out, off_t *out_offset, size_t len, unsigned flags) {
    if (!tracked_file(out)) return syscall(SYS_copy_file_range, in, in_offset, out, out_offset, len, flags);
    errno = EXDEV; // callers copy by read and write then
    return -1;
}

LAYER_EXPORT ssize_t sendfile(int out, int in, off_t *offset, size_t count) {
    if (!tracked_file(out)) return syscall(SYS_sendfile, out, in, offset, count);
    errno = EINVAL;
    return -1;
}

LAYER_EXPORT ssize_t sendfile64(int, int, off_t *, size_t) __attribute__((alias("sendfile")));

// A process that is about to be sandboxed is killed for a system call that its filter does not foresee; such
// processes write to pipes only.
LAYER_EXPORT int prctl(int option, ...) {
    va_list args;
    va_start(args, option);
    unsigned long value[4];
    for (int i = 0; i < 4; i++) value[i] = va_arg(args, unsigned long);
    va_end(args);
    if (option == PR_SET_SECCOMP || option == PR_SET_NO_NEW_PRIVS) layer_sandboxed();
    return (int)syscall(SYS_prctl, option, value[0], value[1], value[2], value[3]);
}
