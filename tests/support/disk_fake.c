#include "tests/support/disk_fake.h"

#include <stdlib.h>
#include <string.h>

#define MAX_NAMES 64
#define MAX_CHANGES 1024
#define FILE_CEILING ((size_t)64 * 1024 * 1024)

struct change {
    bool truncate;
    uint64_t offset;  // or the new size
    struct pt_buf bytes;
};

struct content {
    struct pt_buf live;
    struct pt_buf durable;
    struct change *changes;  // since the last sync
    size_t change_count;
    unsigned names;  // in the live and the durable directory and the changes between
    unsigned opened;
};

struct pt_file {
    struct content *content;
    unsigned generation;
};

struct entry {
    char name[64];
    struct content *content;
};

struct directory {
    struct entry entries[MAX_NAMES];
    size_t count;
};

struct disk_fake {
    struct pt_disk disk;
    struct directory *states;  // [0] durable; each later one after one more change; the last is live
    size_t state_count;
    struct content *contents[MAX_CHANGES];
    size_t content_count;
    unsigned generation;
    long fail_in;
    enum pt_code fail_code;
    size_t torn;
};

uint64_t disk_fake_random(uint64_t *seed) {
    *seed += 0x9E3779B97F4A7C15u;
    uint64_t z = *seed;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static struct directory *live(struct disk_fake *fake) { return &fake->states[fake->state_count - 1]; }

static struct entry *find(struct directory *dir, const char *name) {
    for (size_t i = 0; i < dir->count; i++)
        if (strcmp(dir->entries[i].name, name) == 0) return &dir->entries[i];
    return NULL;
}

static enum pt_code may_change(struct disk_fake *fake, struct pt_error *err) {
    if (fake->fail_in < 0) return PT_OK;
    if (fake->fail_in > 0) {
        fake->fail_in--;
        return PT_OK;
    }
    return pt_fail(err, fake->fail_code, NULL, "the disk was told to fail");
}

static struct directory *change_directory(struct disk_fake *fake) {
    fake->states = realloc(fake->states, (fake->state_count + 1) * sizeof *fake->states);
    if (!fake->states) abort();
    fake->states[fake->state_count] = fake->states[fake->state_count - 1];
    fake->state_count++;
    return live(fake);
}

static void add_entry(struct directory *dir, const char *name, struct content *content) {
    if (dir->count == MAX_NAMES || strlen(name) >= sizeof dir->entries[0].name) abort();
    strcpy(dir->entries[dir->count].name, name);
    dir->entries[dir->count++].content = content;
}

static enum pt_code fake_open(void *ctx, const char *path, bool create, struct pt_file **out, struct pt_error *err) {
    struct disk_fake *fake = ctx;
    const struct entry *entry = find(live(fake), path);
    if (!entry && !create) return pt_fail(err, PT_NOT_FOUND, path, "no such file");
    struct content *content = entry ? entry->content : NULL;
    if (!content) {
        const enum pt_code code = may_change(fake, err);
        if (code != PT_OK) return code;
        content = calloc(1, sizeof *content);
        if (!content || fake->content_count == MAX_CHANGES) abort();
        content->live = content->durable = PT_BUF_INIT(FILE_CEILING);
        fake->contents[fake->content_count++] = content;
        add_entry(change_directory(fake), path, content);
    }
    struct pt_file *file = calloc(1, sizeof *file);
    if (!file) abort();
    *file = (struct pt_file){content, fake->generation};
    *out = file;
    return PT_OK;
}

static void fake_close(void *ctx, struct pt_file *file) {
    (void)ctx;
    free(file);
}

static void check_alive(const struct disk_fake *fake, const struct pt_file *file) {
    if (file->generation != fake->generation) abort();  // used after a power cut
}

static enum pt_code fake_read_at(void *ctx, struct pt_file *file, uint64_t offset, uint8_t *out, size_t len,
                                 struct pt_error *err) {
    check_alive(ctx, file);
    const struct pt_buf *content = &file->content->live;
    if (offset > content->len || len > content->len - offset) return pt_fail(err, PT_NOT_FOUND, NULL, "the file ends before");
    if (len > 0) memcpy(out, content->data + offset, len);
    return PT_OK;
}

static void put(struct pt_buf *content, uint64_t offset, struct pt_bytes bytes) {
    const size_t end = (size_t)offset + bytes.len;
    if (end > content->len) {
        const size_t old = content->len;
        uint8_t *room = pt_buf_extend(content, end - old);
        if (!room) abort();
        memset(room, 0, end - old);
    }
    if (bytes.len > 0) memcpy(content->data + offset, bytes.data, bytes.len);
}

static void cut(struct pt_buf *content, uint64_t size) {
    if (size < content->len) content->len = (size_t)size;
    else put(content, size, pt_bytes_of(NULL, 0));
}

static void remember(struct content *content, bool truncate, uint64_t offset, struct pt_bytes bytes) {
    content->changes = realloc(content->changes, (content->change_count + 1) * sizeof *content->changes);
    if (!content->changes) abort();
    struct change *change = &content->changes[content->change_count++];
    *change = (struct change){truncate, offset, PT_BUF_INIT(FILE_CEILING)};
    pt_buf_append_bytes(&change->bytes, bytes);
}

static void forget(struct content *content) {
    for (size_t i = 0; i < content->change_count; i++) pt_buf_free(&content->changes[i].bytes);
    content->change_count = 0;
}

static enum pt_code fake_write_at(void *ctx, struct pt_file *file, uint64_t offset, struct pt_bytes bytes,
                                  struct pt_error *err) {
    struct disk_fake *fake = ctx;
    check_alive(fake, file);
    const enum pt_code code = may_change(fake, err);
    if (code != PT_OK) bytes.len = fake->torn < bytes.len ? fake->torn : bytes.len;
    put(&file->content->live, offset, bytes);
    remember(file->content, false, offset, bytes);
    if (code != PT_OK) fake->torn = 0;
    return code;
}

static enum pt_code fake_size(void *ctx, struct pt_file *file, uint64_t *out, struct pt_error *err) {
    (void)err;
    check_alive(ctx, file);
    *out = file->content->live.len;
    return PT_OK;
}

static enum pt_code fake_truncate(void *ctx, struct pt_file *file, uint64_t size, struct pt_error *err) {
    check_alive(ctx, file);
    const enum pt_code code = may_change(ctx, err);
    if (code != PT_OK) return code;
    cut(&file->content->live, size);
    remember(file->content, true, size, pt_bytes_of(NULL, 0));
    return PT_OK;
}

static void copy(struct pt_buf *to, const struct pt_buf *from) {
    pt_buf_clear(to);
    pt_buf_append_bytes(to, pt_buf_bytes(from));
    if (to->failed) abort();
}

static enum pt_code fake_sync(void *ctx, struct pt_file *file, struct pt_error *err) {
    check_alive(ctx, file);
    const enum pt_code code = may_change(ctx, err);
    if (code != PT_OK) return code;
    copy(&file->content->durable, &file->content->live);
    forget(file->content);
    return PT_OK;
}

static enum pt_code fake_sync_dir(void *ctx, struct pt_error *err) {
    struct disk_fake *fake = ctx;
    const enum pt_code code = may_change(fake, err);
    if (code != PT_OK) return code;
    fake->states[0] = *live(fake);
    fake->state_count = 1;
    return PT_OK;
}

static enum pt_code fake_remove(void *ctx, const char *path, struct pt_error *err) {
    struct disk_fake *fake = ctx;
    if (!find(live(fake), path)) return pt_fail(err, PT_NOT_FOUND, path, "no such file");
    const enum pt_code code = may_change(fake, err);
    if (code != PT_OK) return code;
    struct directory *dir = change_directory(fake);
    *find(dir, path) = dir->entries[dir->count - 1];
    dir->count--;
    return PT_OK;
}

static enum pt_code fake_rename(void *ctx, const char *from, const char *to, struct pt_error *err) {
    struct disk_fake *fake = ctx;
    if (!find(live(fake), from)) return pt_fail(err, PT_NOT_FOUND, from, "no such file");
    const enum pt_code code = may_change(fake, err);
    if (code != PT_OK) return code;
    struct directory *dir = change_directory(fake);
    struct content *content = find(dir, from)->content;
    *find(dir, from) = dir->entries[--dir->count];
    struct entry *target = find(dir, to);
    if (target) target->content = content;
    else add_entry(dir, to, content);
    return PT_OK;
}

static enum pt_code fake_list(void *ctx, enum pt_code (*each)(void *arg, const char *name, struct pt_error *err), void *arg,
                              struct pt_error *err) {
    const struct directory *dir = live(ctx);
    for (size_t i = 0; i < dir->count; i++) {
        const enum pt_code code = each(arg, dir->entries[i].name, err);
        if (code != PT_OK) return code;
    }
    return PT_OK;
}

struct disk_fake *disk_fake_new(void) {
    struct disk_fake *fake = calloc(1, sizeof *fake);
    if (!fake) abort();
    fake->disk = (struct pt_disk){fake_open, fake_close, fake_read_at, fake_write_at, fake_size, fake_truncate, fake_sync,
                                  fake_sync_dir, fake_remove, fake_rename, fake_list, NULL, fake};
    fake->states = calloc(1, sizeof *fake->states);
    if (!fake->states) abort();
    fake->state_count = 1;
    fake->fail_in = -1;
    return fake;
}

void disk_fake_free(struct disk_fake *fake) {
    for (size_t i = 0; i < fake->content_count; i++) {
        forget(fake->contents[i]);
        pt_buf_free(&fake->contents[i]->live);
        pt_buf_free(&fake->contents[i]->durable);
        free(fake->contents[i]->changes);
        free(fake->contents[i]);
    }
    free(fake->states);
    free(fake);
}

const struct pt_disk *disk_fake_disk(struct disk_fake *fake) { return &fake->disk; }

void disk_fake_fail_at(struct disk_fake *fake, long n, enum pt_code code, size_t torn) {
    fake->fail_in = n;
    fake->fail_code = code;
    fake->torn = torn;
}

// Each sector of the write arrives or not; one sector may arrive in part.
static void apply_torn(struct pt_buf *content, const struct change *change, uint64_t *seed) {
    const struct pt_bytes all = pt_buf_bytes(&change->bytes);
    for (size_t at = 0; at < all.len;) {
        const size_t sector = 512 - (size_t)((change->offset + at) % 512);
        size_t len = sector < all.len - at ? sector : all.len - at;
        const size_t step = len;
        const uint64_t dice = disk_fake_random(seed) % 4;
        if (dice == 0) len = (size_t)(disk_fake_random(seed) % (len + 1));
        if (dice != 1) put(content, change->offset + at, pt_bytes_of(all.data + at, len));
        at += step;
    }
}

void disk_fake_crash(struct disk_fake *fake, uint64_t *seed) {
    const size_t kept = disk_fake_random(seed) % fake->state_count;
    fake->states[0] = fake->states[kept];
    fake->state_count = 1;
    for (size_t i = 0; i < fake->content_count; i++) {
        struct content *content = fake->contents[i];
        for (size_t c = 0; c < content->change_count; c++) {
            const struct change *change = &content->changes[c];
            const uint64_t dice = disk_fake_random(seed) % 3;
            if (dice == 0) continue;
            if (change->truncate) cut(&content->durable, change->offset);
            else if (dice == 1) put(&content->durable, change->offset, pt_buf_bytes(&change->bytes));
            else apply_torn(&content->durable, change, seed);
        }
        forget(content);
        copy(&content->live, &content->durable);
    }
    fake->generation++;
    fake->fail_in = -1;
}

struct pt_buf *disk_fake_content(struct disk_fake *fake, const char *name) {
    struct entry *entry = find(live(fake), name);
    return entry ? &entry->content->live : NULL;
}
