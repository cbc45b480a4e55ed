// The disk as the stores see it: a few calls, so that a test can fail, tear or forget writes.
// Paths are relative to the directory that the disk was opened on.
#ifndef PACKTRAIL_COMMON_BASE_DISK_H
#define PACKTRAIL_COMMON_BASE_DISK_H

#include "common/base/bytes.h"

struct pt_file;  // belongs to the disk that opened it

struct pt_disk {
    // Opens for reading and writing; `create` makes a missing file, and its name is durable after sync_dir.
    enum pt_code (*open)(void *ctx, const char *path, bool create, struct pt_file **out, struct pt_error *err);
    void (*close)(void *ctx, struct pt_file *file);
    // Exactly len bytes or an error (PT_NOT_FOUND: the file ends before offset + len).
    enum pt_code (*read_at)(void *ctx, struct pt_file *file, uint64_t offset, uint8_t *out, size_t len,
                            struct pt_error *err);
    enum pt_code (*write_at)(void *ctx, struct pt_file *file, uint64_t offset, struct pt_bytes bytes,
                             struct pt_error *err);
    enum pt_code (*size)(void *ctx, struct pt_file *file, uint64_t *out, struct pt_error *err);
    enum pt_code (*truncate)(void *ctx, struct pt_file *file, uint64_t size, struct pt_error *err);
    enum pt_code (*sync)(void *ctx, struct pt_file *file, struct pt_error *err);  // returns after fdatasync
    enum pt_code (*sync_dir)(void *ctx, struct pt_error *err);
    enum pt_code (*remove)(void *ctx, const char *path, struct pt_error *err);
    enum pt_code (*rename)(void *ctx, const char *from, const char *to, struct pt_error *err);
    // Calls `each` with every file name, in no order; stops at the first error.
    enum pt_code (*list)(void *ctx, enum pt_code (*each)(void *arg, const char *name, struct pt_error *err), void *arg,
                         struct pt_error *err);
    // Opens (and makes) a file and holds it against every other holder until it is closed; PT_UNAVAILABLE if
    // somebody has it. NULL: nobody else can reach this disk.
    enum pt_code (*lock)(void *ctx, const char *path, struct pt_file **out, struct pt_error *err);
    void *ctx;
};

// The real disk, on an existing or new directory `dir` (made with mode 0700). Freed by pt_disk_posix_close.
enum pt_code pt_disk_posix_open(const char *dir, struct pt_disk *out, struct pt_error *err) PT_NODISCARD;
void pt_disk_posix_close(struct pt_disk *disk);

// Reads a whole file of at most out->ceiling bytes (any path, outside the disk interface).
enum pt_code pt_file_read(const char *path, struct pt_buf *out, struct pt_error *err) PT_NODISCARD;

// Replaces a file's content so that after a power cut the old or the new content stands: temporary name,
// fsync, rename, fsync of the directory. mode as for open(2).
enum pt_code pt_file_replace(const char *path, struct pt_bytes content, unsigned mode, struct pt_error *err) PT_NODISCARD;

#endif
