#include "tests/faults/layer/preload.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

// Used under the lock only; malloc is not called from inside write(2).
static uint8_t buffer[POWERCUT_PAYLOAD_MAX];
static char names[4 * PATH_MAX];

static void log_path(char out[PATH_MAX + 32], char kind, uint64_t number) {
    snprintf(out, PATH_MAX + 32, "%s/%c-%llx", layer_log_directory(), kind, (unsigned long long)number);
}

static void append(char kind, uint64_t inode, struct powercut_record *record, void *payload) {
    char path[PATH_MAX + 32];
    log_path(path, kind, inode);
    record->magic = POWERCUT_MAGIC;
    record->check = powercut_check(*record, payload);
    const struct iovec parts[] = {{record, sizeof *record}, {payload, record->payload}};
    const int fd = raw_open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 || syscall(SYS_writev, fd, parts, 2) != (long)(sizeof *record + record->payload))
        layer_die("cannot write the undo log", path);
    raw_close(fd);
}

// The file may be open for writing only: then its content is read through a descriptor of our own.
static size_t read_before(int file, uint64_t offset, size_t wanted) {
    long got = syscall(SYS_pread64, file, buffer, wanted, offset);
    if (got < 0 && errno == EBADF) {
        char link[64];
        snprintf(link, sizeof link, "/proc/self/fd/%d", file);
        const int own = raw_open(link, O_RDONLY | O_CLOEXEC, 0);
        if (own < 0) layer_die("cannot read what is about to be overwritten", link);
        got = syscall(SYS_pread64, own, buffer, wanted, offset);
        raw_close(own);
    }
    if (got < 0) layer_die("cannot read what is about to be overwritten", "file");
    return (size_t)got;
}

void log_content(uint64_t inode, enum powercut_kind kind, int file, uint64_t offset, uint64_t length,
                 uint64_t old_size) {
    do {
        const uint64_t step = length > sizeof buffer ? sizeof buffer : length;
        const uint64_t existing = offset >= old_size ? 0 : old_size - offset < step ? old_size - offset : step;
        struct powercut_record record = {.kind = kind,
                                         .sequence = layer_next_sequence(),
                                         .offset = offset,
                                         .length = step,
                                         .old_size = old_size,
                                         .inode = inode};
        record.payload = existing ? (uint32_t)read_before(file, offset, existing) : 0;
        append('f', inode, &record, buffer);
        offset += step;
        length -= step;
    } while (length > 0);
}

static size_t put_place(size_t at, const struct layer_place *place) {
    const size_t directory = strlen(place->directory) + 1, name = strlen(place->name) + 1;
    memcpy(names + at, place->directory, directory);
    memcpy(names + at + directory, place->name, name);
    return at + directory + name;
}

static uint64_t kept_sequence;

void log_name(uint64_t directory_inode, enum powercut_kind kind, const struct layer_place *place,
              const struct layer_place *old, uint64_t inode, uint64_t length) {
    size_t len = put_place(0, place);
    if (old) len = put_place(len, old);
    struct powercut_record record = {.kind = kind,
                                     .sequence = kept_sequence ? kept_sequence : layer_next_sequence(),
                                     .length = length,
                                     .inode = inode,
                                     .payload = (uint32_t)len};
    kept_sequence = 0;
    append('n', directory_inode, &record, names);
}

uint64_t log_keep(const struct layer_place *place) {
    char path[PATH_MAX + 32];
    kept_sequence = layer_next_sequence();
    log_path(path, 't', kept_sequence);
    if (syscall(SYS_linkat, AT_FDCWD, place->path, AT_FDCWD, path, 0) != 0)
        layer_die("cannot keep a removed file", place->path);
    return kept_sequence;
}

void log_forget_content(uint64_t inode) {
    char path[PATH_MAX + 32];
    log_path(path, 'f', inode);
    const int saved = errno;
    if (syscall(SYS_truncate, path, 0) != 0 && errno != ENOENT) layer_die("cannot empty", path);
    errno = saved;
}

// A file that now has no name is gone for good; its records must not meet the next owner of the inode.
static void drop_kept(uint64_t sequence) {
    char path[PATH_MAX + 32];
    struct stat info;
    log_path(path, 't', sequence);
    if (raw_stat(AT_FDCWD, path, &info, AT_SYMLINK_NOFOLLOW) != 0) return;
    if (info.st_nlink == 1) log_forget_content(info.st_ino);
    syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

void log_forget_names(uint64_t directory_inode) {
    char path[PATH_MAX + 32], leaving[PATH_MAX + 32];
    struct powercut_record record;
    const int saved = errno;
    log_path(path, 'n', directory_inode);
    log_path(leaving, 'd', directory_inode);
    // Forgotten in one step; a kill after it leaves nameless kept files, not records that miss theirs.
    const int fd = syscall(SYS_renameat2, AT_FDCWD, path, AT_FDCWD, leaving, 0) == 0
                       ? raw_open(leaving, O_RDONLY | O_CLOEXEC, 0)
                       : -1;
    if (fd < 0 && errno != ENOENT) layer_die("cannot forget", path);
    while (fd >= 0 && syscall(SYS_read, fd, &record, sizeof record) == (long)sizeof record) {
        syscall(SYS_lseek, fd, (long)record.payload, SEEK_CUR);
        if (record.kind == POWERCUT_UNLINK || (record.kind == POWERCUT_RENAME && record.length))
            drop_kept(record.sequence);
    }
    if (fd >= 0) raw_close(fd);
    syscall(SYS_unlinkat, AT_FDCWD, leaving, 0);
    errno = saved;
}

void log_forget_all(void) {
    DIR *log = opendir(layer_log_directory());
    if (!log) layer_die("cannot list", layer_log_directory());
    for (struct dirent *entry; (entry = readdir(log));) {
        unsigned long long number = 0;
        if (sscanf(entry->d_name, "f-%llx", &number) == 1) log_forget_content(number);
        if (sscanf(entry->d_name, "n-%llx", &number) == 1) log_forget_names(number);
    }
    closedir(log);
}
