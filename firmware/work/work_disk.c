#include "firmware/work/work_disk.h"

#include <stdio.h>
#include <string.h>

enum { NAME_SIZE = 128 };

static const struct pt_disk *whole(void *ctx) { return ((struct work_disk *)ctx)->whole; }

static void whole_name(void *ctx, const char *name, char out[NAME_SIZE]) {
    snprintf(out, NAME_SIZE, "%s%s", ((struct work_disk *)ctx)->prefix, name);
}

static enum pt_code part_open(void *ctx, const char *path, bool create, struct pt_file **out, struct pt_error *err) {
    char name[NAME_SIZE];
    whole_name(ctx, path, name);
    return whole(ctx)->open(whole(ctx)->ctx, name, create, out, err);
}

static void part_close(void *ctx, struct pt_file *file) { whole(ctx)->close(whole(ctx)->ctx, file); }

static enum pt_code part_read_at(void *ctx, struct pt_file *file, uint64_t offset, uint8_t *out, size_t len, struct pt_error *err) {
    return whole(ctx)->read_at(whole(ctx)->ctx, file, offset, out, len, err);
}

static enum pt_code part_write_at(void *ctx, struct pt_file *file, uint64_t offset, struct pt_bytes bytes, struct pt_error *err) {
    return whole(ctx)->write_at(whole(ctx)->ctx, file, offset, bytes, err);
}

static enum pt_code part_size(void *ctx, struct pt_file *file, uint64_t *out, struct pt_error *err) {
    return whole(ctx)->size(whole(ctx)->ctx, file, out, err);
}

static enum pt_code part_truncate(void *ctx, struct pt_file *file, uint64_t size, struct pt_error *err) {
    return whole(ctx)->truncate(whole(ctx)->ctx, file, size, err);
}

static enum pt_code part_sync(void *ctx, struct pt_file *file, struct pt_error *err) { return whole(ctx)->sync(whole(ctx)->ctx, file, err); }

static enum pt_code part_sync_dir(void *ctx, struct pt_error *err) { return whole(ctx)->sync_dir(whole(ctx)->ctx, err); }

static enum pt_code part_remove(void *ctx, const char *path, struct pt_error *err) {
    char name[NAME_SIZE];
    whole_name(ctx, path, name);
    return whole(ctx)->remove(whole(ctx)->ctx, name, err);
}

static enum pt_code part_rename(void *ctx, const char *from, const char *to, struct pt_error *err) {
    char old_name[NAME_SIZE];
    char new_name[NAME_SIZE];
    whole_name(ctx, from, old_name);
    whole_name(ctx, to, new_name);
    return whole(ctx)->rename(whole(ctx)->ctx, old_name, new_name, err);
}

struct listing {
    const char *prefix;
    enum pt_code (*each)(void *arg, const char *name, struct pt_error *err);
    void *arg;
};

static enum pt_code list_own(void *arg, const char *name, struct pt_error *err) {
    const struct listing *listing = arg;
    const size_t len = strlen(listing->prefix);
    return strncmp(name, listing->prefix, len) == 0 ? listing->each(listing->arg, name + len, err) : PT_OK;
}

static enum pt_code part_list(void *ctx, enum pt_code (*each)(void *arg, const char *name, struct pt_error *err), void *arg,
                              struct pt_error *err) {
    struct listing listing = {((struct work_disk *)ctx)->prefix, each, arg};
    return whole(ctx)->list(whole(ctx)->ctx, list_own, &listing, err);
}

static enum pt_code part_lock(void *ctx, const char *path, struct pt_file **out, struct pt_error *err) {
    char name[NAME_SIZE];
    whole_name(ctx, path, name);
    return whole(ctx)->lock(whole(ctx)->ctx, name, out, err);
}

void work_disk_init(struct work_disk *out, const struct pt_disk *disk, const char *prefix) {
    *out = (struct work_disk){
        .disk = {.open = part_open, .close = part_close, .read_at = part_read_at, .write_at = part_write_at, .size = part_size,
                 .truncate = part_truncate, .sync = part_sync, .sync_dir = part_sync_dir, .remove = part_remove,
                 .rename = part_rename, .list = part_list, .lock = disk->lock ? part_lock : NULL, .ctx = out},
        .whole = disk,
        .prefix = prefix,
    };
}
