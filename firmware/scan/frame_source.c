#include "firmware/scan/frame_source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "common/base/cleanup.h"
#include "common/base/disk.h"
#include "firmware/scan/decoder.h"
#include "firmware/scan/image.h"

#define STREAM_CEILING ((size_t)SCAN_FRAME_MAX_PIXELS * 3 + 4096)
#define LOOK_AGAIN_MS 50        // between looks at a followed directory
#define STILL_WRITTEN_SECONDS 2  // a picture that fails and is younger may not be finished

enum kind { ONE_FILE, DIRECTORY, STREAM };

struct entry {
    char *name;
    bool done;
};

struct scan_source {
    enum kind kind;
    bool follow;
    bool ended;
    char *path;
    uint64_t sequence;
    // A directory's files, sorted by name.
    struct entry *entries;
    size_t entry_count;
    // A stream's bytes that are not yet a whole picture.
    int fd;
    struct pt_buf waiting;
};

enum pt_code scan_source_open(const char *path, const struct scan_source_options *options, struct scan_source **out,
                              struct pt_error *err) {
    struct stat status = {.st_mode = S_IFIFO};
    bool standard_input = strcmp(path, "-") == 0;
    *out = NULL;
    if (!standard_input && stat(path, &status) != 0) return pt_fail_errno(err, path, "cannot open");
    struct scan_source *source = calloc(1, sizeof *source);
    char *copy = strdup(path);
    if (!source || !copy) {
        free(source);
        free(copy);
        return pt_fail(err, PT_NO_MEMORY, NULL, "no memory for a frame source");
    }
    *source = (struct scan_source){.path = copy, .follow = options->follow, .fd = -1, .waiting = PT_BUF_INIT(STREAM_CEILING)};
    source->kind = S_ISDIR(status.st_mode) ? DIRECTORY : S_ISREG(status.st_mode) ? ONE_FILE : STREAM;
    if (source->kind == STREAM) source->fd = standard_input ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (source->kind == STREAM && source->fd < 0) {
        enum pt_code code = pt_fail_errno(err, path, "cannot open");
        scan_source_close(source);
        return code;
    }
    *out = source;
    return PT_OK;
}

static void free_entries(struct entry *entries, size_t count) {
    for (size_t i = 0; i < count; i++) free(entries[i].name);
    free(entries);
}

void scan_source_close(struct scan_source *source) {
    if (!source) return;
    free_entries(source->entries, source->entry_count);
    if (source->fd >= 0) close(source->fd);
    pt_buf_free(&source->waiting);
    free(source->path);
    free(source);
}

static void name_frame(struct scan_source *source, const char *path, struct scan_frame *frame) {
    frame->sequence = ++source->sequence;
    snprintf(frame->name, sizeof frame->name, "%s", path);
}

static enum pt_code read_file(struct scan_source *source, const char *path, struct scan_frame *out, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf file = PT_BUF_INIT(SCAN_IMAGE_MAX_BYTES);
    struct pt_error inner = {0};
    enum pt_code code = pt_file_read(path, &file, &inner);
    if (code == PT_OK) code = scan_image_read(pt_buf_bytes(&file), out, &inner);
    if (code == PT_OK) {
        name_frame(source, path, out);
        return PT_OK;
    }
    if (code == PT_NOT_FOUND || code == PT_UNAVAILABLE) code = PT_IO;  // these two mean other things to our caller
    return pt_fail(err, code, path, "%s", inner.what);
}

// ---- directories

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static bool ends_in(const char *name, const char *end) {
    size_t len = strlen(name), tail = strlen(end);
    return len >= tail && strcmp(name + len - tail, end) == 0;
}

static bool was_done(const struct scan_source *source, const char *name) {
    const struct entry key = {.name = (char *)(uintptr_t)name};
    const struct entry *found = source->entry_count
        ? bsearch(&key, source->entries, source->entry_count, sizeof key, by_name) : NULL;
    return found && found->done;
}

// Lists the directory anew; what was read stays marked, what is gone is forgotten.
static enum pt_code list(struct scan_source *source, struct pt_error *err) {
    DIR *dir = opendir(source->path);
    if (!dir) return pt_fail(err, PT_IO, source->path, "cannot list: %s", strerror(errno));
    struct entry *entries = NULL;
    size_t count = 0, room = 0;
    enum pt_code code = PT_OK;
    for (struct dirent *d; code == PT_OK && (d = readdir(dir));) {
        if (d->d_name[0] == '.' || ends_in(d->d_name, ".part") || ends_in(d->d_name, ".tmp")) continue;
        if (count == room) {
            room = room ? room * 2 : 64;
            struct entry *more = realloc(entries, room * sizeof *entries);
            if (more) entries = more;
            else code = pt_fail(err, PT_NO_MEMORY, NULL, "no memory to list a directory");
        }
        char *name = code == PT_OK ? strdup(d->d_name) : NULL;
        if (name) entries[count++] = (struct entry){.name = name, .done = was_done(source, name)};
    }
    closedir(dir);
    if (code != PT_OK) {
        free_entries(entries, count);
        return code;
    }
    if (count) qsort(entries, count, sizeof *entries, by_name);
    free_entries(source->entries, source->entry_count);
    source->entries = entries;
    source->entry_count = count;
    return PT_OK;
}

static bool still_written(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && time(NULL) - status.st_mtime < STILL_WRITTEN_SECONDS;
}

// PT_UNAVAILABLE when every file has been read.
static enum pt_code next_entry(struct scan_source *source, struct scan_frame *out, struct pt_error *err) {
    for (size_t i = 0; i < source->entry_count; i++) {
        struct entry *entry = &source->entries[i];
        char path[4096];
        struct stat status;
        if (entry->done) continue;
        int len = snprintf(path, sizeof path, "%s/%s", source->path, entry->name);
        if (len < 0 || (size_t)len >= sizeof path || stat(path, &status) != 0 || !S_ISREG(status.st_mode)) {
            entry->done = true;
            continue;
        }
        enum pt_code code = read_file(source, path, out, err);
        if (code != PT_OK && source->follow && still_written(path)) continue;
        entry->done = true;
        return code;
    }
    return PT_UNAVAILABLE;
}

static enum pt_code next_of_directory(struct scan_source *source, int timeout_ms, struct scan_frame *out, struct pt_error *err) {
    int64_t deadline = scan_clock_ms() + timeout_ms;
    if (!source->follow && source->entry_count == 0 && source->sequence == 0) {
        enum pt_code code = list(source, err);
        if (code != PT_OK) return code;
    }
    for (;;) {
        enum pt_code code = next_entry(source, out, err);
        if (code != PT_UNAVAILABLE) return code;
        if (!source->follow) {
            source->ended = true;
            return pt_fail(err, PT_NOT_FOUND, source->path, "no more pictures");
        }
        code = list(source, err);
        if (code == PT_OK) code = next_entry(source, out, err);
        if (code != PT_UNAVAILABLE) return code;
        int64_t left = deadline - scan_clock_ms();
        if (left <= 0) return pt_fail(err, PT_UNAVAILABLE, source->path, "no new picture");
        poll(NULL, 0, left < LOOK_AGAIN_MS ? (int)left : LOOK_AGAIN_MS);
    }
}

// ---- streams

static enum pt_code stream_failed(struct scan_source *source, enum pt_code code, const struct pt_error *why,
                                  struct pt_error *err) {
    source->ended = true;
    return pt_fail(err, code, source->path, "%s, behind picture %llu", why->what, (unsigned long long)source->sequence);
}

// Takes a whole picture off the front of what has come in; PT_UNAVAILABLE while there is none.
static enum pt_code take_picture(struct scan_source *source, struct scan_frame *out, struct pt_error *err) {
    struct scan_pnm_header header;
    struct pt_error why = {0};
    size_t blank = 0, used;
    while (blank < source->waiting.len && (source->waiting.data[blank] == '\n' || source->waiting.data[blank] == '\r')) blank++;
    struct pt_bytes bytes = pt_bytes_of(source->waiting.data + blank, source->waiting.len - blank);
    enum pt_code code = scan_pnm_header_read(bytes, &header, &why);
    if (code == PT_NOT_FOUND && bytes.len < 4096) return PT_UNAVAILABLE;
    if (code == PT_NOT_FOUND) code = PT_INVALID;
    if (code == PT_OK && header.pixel_len + header.header_len > STREAM_CEILING)
        code = pt_fail(&why, PT_LIMIT, NULL, "the picture has too many bytes");
    if (code != PT_OK) return stream_failed(source, code, &why, err);
    if (bytes.len < header.header_len + header.pixel_len) return PT_UNAVAILABLE;
    code = scan_image_read_pnm(bytes, out, &used, &why);
    if (code != PT_OK) return stream_failed(source, code, &why, err);
    used += blank;
    memmove(source->waiting.data, source->waiting.data + used, source->waiting.len - used);
    source->waiting.len -= used;
    name_frame(source, source->path, out);
    return PT_OK;
}

static enum pt_code at_end(struct scan_source *source, struct pt_error *err) {
    const struct pt_error why = {.what = "the stream ends in mid-picture"};
    bool rest = false;
    for (size_t i = 0; i < source->waiting.len; i++) rest |= source->waiting.data[i] != '\n' && source->waiting.data[i] != '\r';
    if (rest) return stream_failed(source, PT_INVALID, &why, err);
    source->ended = true;
    return pt_fail(err, PT_NOT_FOUND, source->path, "no more pictures");
}

static enum pt_code next_of_stream(struct scan_source *source, int timeout_ms, struct scan_frame *out, struct pt_error *err) {
    int64_t deadline = scan_clock_ms() + timeout_ms;
    for (;;) {
        enum pt_code code = take_picture(source, out, err);
        if (code != PT_UNAVAILABLE) return code;
        int64_t left = deadline - scan_clock_ms();
        struct pollfd end = {.fd = source->fd, .events = POLLIN};
        int ready = poll(&end, 1, left > 0 ? (int)left : 0);
        if (ready < 0 && errno != EINTR) return pt_fail(err, PT_IO, source->path, "cannot wait: %s", strerror(errno));
        if (ready <= 0) {
            if (left > 0) continue;
            return pt_fail(err, PT_UNAVAILABLE, source->path, "no new picture");
        }
        uint8_t piece[65536];
        ssize_t got = read(source->fd, piece, sizeof piece);
        if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (got < 0) {
            source->ended = true;
            return pt_fail(err, PT_IO, source->path, "cannot read: %s", strerror(errno));
        }
        if (got == 0) return at_end(source, err);
        pt_buf_append(&source->waiting, piece, (size_t)got);
        code = pt_buf_check(&source->waiting, err);
        if (code != PT_OK) {
            source->ended = true;
            return code;
        }
    }
}

enum pt_code scan_source_next(struct scan_source *source, int timeout_ms, struct scan_frame *out, struct pt_error *err) {
    *out = (struct scan_frame){0};
    if (source->ended) return pt_fail(err, PT_NOT_FOUND, source->path, "no more pictures");
    if (source->kind == DIRECTORY) return next_of_directory(source, timeout_ms, out, err);
    if (source->kind == STREAM) return next_of_stream(source, timeout_ms, out, err);
    source->ended = true;
    return read_file(source, source->path, out, err);
}
