#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "common/base/cleanup.h"
#include "common/base/disk.h"

struct pt_file {
    int fd;
    char name[NAME_MAX + 1];  // for messages
};

struct posix_disk {
    int dir;
};

static int dir_of(void *ctx) { return ((struct posix_disk *)ctx)->dir; }

static enum pt_code posix_open(void *ctx, const char *path, bool create, struct pt_file **out, struct pt_error *err) {
    *out = NULL;
    PT_FREE struct pt_file *file = calloc(1, sizeof *file);
    if (!file) return pt_fail(err, PT_NO_MEMORY, path, "out of memory");
    snprintf(file->name, sizeof file->name, "%s", path);
    file->fd = openat(dir_of(ctx), path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | (create ? O_CREAT : 0), 0600);
    if (file->fd < 0) return pt_fail_errno(err, path, "cannot open");
    *out = file;
    file = NULL;
    return PT_OK;
}

static void posix_close(void *ctx, struct pt_file *file) {
    (void)ctx;
    if (!file) return;
    close(file->fd);
    free(file);
}

static enum pt_code posix_read_at(void *ctx, struct pt_file *file, uint64_t offset, uint8_t *out, size_t len,
                                  struct pt_error *err) {
    (void)ctx;
    for (size_t done = 0; done < len;) {
        const ssize_t got = pread(file->fd, out + done, len - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return pt_fail_errno(err, file->name, "cannot read %zu bytes at %llu", len, (unsigned long long)offset);
        if (got == 0)
            return pt_fail(err, PT_NOT_FOUND, file->name, "ends before %llu", (unsigned long long)(offset + len));
        done += (size_t)got;
    }
    return PT_OK;
}

static enum pt_code posix_write_at(void *ctx, struct pt_file *file, uint64_t offset, struct pt_bytes bytes,
                                   struct pt_error *err) {
    (void)ctx;
    for (size_t done = 0; done < bytes.len;) {
        const ssize_t put = pwrite(file->fd, bytes.data + done, bytes.len - done, (off_t)(offset + done));
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0)
            return pt_fail_errno(err, file->name, "cannot write %zu bytes at %llu", bytes.len, (unsigned long long)offset);
        done += (size_t)put;
    }
    return PT_OK;
}

static enum pt_code posix_size(void *ctx, struct pt_file *file, uint64_t *out, struct pt_error *err) {
    (void)ctx;
    struct stat found;
    if (fstat(file->fd, &found) != 0) return pt_fail_errno(err, file->name, "cannot ask for the size");
    *out = (uint64_t)found.st_size;
    return PT_OK;
}

static enum pt_code posix_truncate(void *ctx, struct pt_file *file, uint64_t size, struct pt_error *err) {
    (void)ctx;
    while (ftruncate(file->fd, (off_t)size) != 0)
        if (errno != EINTR) return pt_fail_errno(err, file->name, "cannot cut to %llu bytes", (unsigned long long)size);
    return PT_OK;
}

static enum pt_code posix_sync(void *ctx, struct pt_file *file, struct pt_error *err) {
    (void)ctx;
    if (fdatasync(file->fd) != 0) return pt_fail_errno(err, file->name, "cannot sync");
    return PT_OK;
}

static enum pt_code posix_sync_dir(void *ctx, struct pt_error *err) {
    if (fsync(dir_of(ctx)) != 0) return pt_fail_errno(err, NULL, "cannot sync the directory");
    return PT_OK;
}

static enum pt_code posix_remove(void *ctx, const char *path, struct pt_error *err) {
    if (unlinkat(dir_of(ctx), path, 0) != 0) return pt_fail_errno(err, path, "cannot remove");
    return PT_OK;
}

static enum pt_code posix_rename(void *ctx, const char *from, const char *to, struct pt_error *err) {
    if (renameat(dir_of(ctx), from, dir_of(ctx), to) != 0) return pt_fail_errno(err, from, "cannot rename to %s", to);
    return PT_OK;
}

static void close_dir(DIR **dir) {
    if (*dir) closedir(*dir);
}

static enum pt_code posix_list(void *ctx, enum pt_code (*each)(void *arg, const char *name, struct pt_error *err),
                               void *arg, struct pt_error *err) {
    const int fd = openat(dir_of(ctx), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    PT_CLEANUP(close_dir) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        if (fd >= 0) close(fd);
        return pt_fail_errno(err, NULL, "cannot list the directory");
    }
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (!entry) break;
        struct stat found;
        if (fstatat(fd, entry->d_name, &found, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(found.st_mode)) continue;
        const enum pt_code code = each(arg, entry->d_name, err);
        if (code != PT_OK) return code;
    }
    return errno == 0 ? PT_OK : pt_fail_errno(err, NULL, "cannot list the directory");
}

static enum pt_code posix_lock(void *ctx, const char *path, struct pt_file **out, struct pt_error *err) {
    struct pt_file *file;
    const enum pt_code code = posix_open(ctx, path, true, &file, err);
    if (code != PT_OK) return code;
    while (flock(file->fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EINTR) continue;
        const enum pt_code failed = errno == EWOULDBLOCK
                                        ? pt_fail(err, PT_UNAVAILABLE, path, "another process has it locked")
                                        : pt_fail_errno(err, path, "cannot lock");
        posix_close(ctx, file);
        return failed;
    }
    *out = file;
    return PT_OK;
}

// The name of a new directory or file is durable only once its parent is synced.
static enum pt_code sync_parent(const char *path, struct pt_error *err) {
    char parent[PATH_MAX];
    if (snprintf(parent, sizeof parent, "%s", path) >= (int)sizeof parent)
        return pt_fail(err, PT_USAGE, path, "path too long");
    size_t len = strlen(parent);
    while (len > 1 && parent[len - 1] == '/') parent[--len] = 0;
    char *slash = strrchr(parent, '/');
    if (slash) slash[slash == parent ? 1 : 0] = 0;
    PT_CLOSE const int fd = open(slash ? parent : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0) return pt_fail_errno(err, path, "cannot sync the directory around it");
    return PT_OK;
}

enum pt_code pt_disk_posix_open(const char *dir, struct pt_disk *out, struct pt_error *err) {
    *out = (struct pt_disk){0};
    const bool made = mkdir(dir, 0700) == 0;
    if (!made && errno != EEXIST) return pt_fail_errno(err, dir, "cannot make the directory");
    if (made && sync_parent(dir, err) != PT_OK) return PT_IO;
    PT_FREE struct posix_disk *disk = calloc(1, sizeof *disk);
    if (!disk) return pt_fail(err, PT_NO_MEMORY, dir, "out of memory");
    disk->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (disk->dir < 0) return pt_fail_errno(err, dir, "cannot open the directory");
    *out = (struct pt_disk){.open = posix_open, .close = posix_close, .read_at = posix_read_at,
                            .write_at = posix_write_at, .size = posix_size, .truncate = posix_truncate,
                            .sync = posix_sync, .sync_dir = posix_sync_dir, .remove = posix_remove,
                            .rename = posix_rename, .list = posix_list, .lock = posix_lock, .ctx = disk};
    disk = NULL;
    return PT_OK;
}

void pt_disk_posix_close(struct pt_disk *disk) {
    if (disk->ctx) {
        close(dir_of(disk->ctx));
        free(disk->ctx);
    }
    *disk = (struct pt_disk){0};
}

enum pt_code pt_file_read(const char *path, struct pt_buf *out, struct pt_error *err) {
    PT_CLOSE const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return pt_fail_errno(err, path, "cannot open");
    uint8_t chunk[65536];
    for (;;) {
        const ssize_t got = read(fd, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return pt_fail_errno(err, path, "cannot read");
        if (got == 0) return PT_OK;
        pt_buf_append(out, chunk, (size_t)got);
        const enum pt_code code = pt_buf_check(out, err);
        if (code == PT_LIMIT) return pt_fail(err, PT_LIMIT, path, "the file has more than %zu bytes", out->ceiling);
        if (code != PT_OK) return code;
    }
}

static enum pt_code write_all(int fd, struct pt_bytes content, const char *path, struct pt_error *err) {
    for (size_t done = 0; done < content.len;) {
        const ssize_t put = write(fd, content.data + done, content.len - done);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return pt_fail_errno(err, path, "cannot write");
        done += (size_t)put;
    }
    if (fsync(fd) != 0) return pt_fail_errno(err, path, "cannot sync");
    return PT_OK;
}

enum pt_code pt_file_replace(const char *path, struct pt_bytes content, unsigned mode, struct pt_error *err) {
    char temporary[PATH_MAX];
    if (snprintf(temporary, sizeof temporary, "%s.XXXXXX", path) >= (int)sizeof temporary)
        return pt_fail(err, PT_USAGE, path, "path too long");
    PT_CLOSE const int fd = mkostemp(temporary, O_CLOEXEC);  // made with mode 0600: a key is never readable half-way
    if (fd < 0) return pt_fail_errno(err, path, "cannot make a temporary file beside it");
    enum pt_code code = fchmod(fd, (mode_t)mode) == 0 ? PT_OK : pt_fail_errno(err, path, "cannot set the mode");
    if (code == PT_OK) code = write_all(fd, content, path, err);
    if (code == PT_OK && rename(temporary, path) != 0) code = pt_fail_errno(err, path, "cannot replace");
    if (code != PT_OK) {
        unlink(temporary);
        return code;
    }
    return sync_parent(path, err);
}
