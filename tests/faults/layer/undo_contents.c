#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/faults/layer/undo.h"

#define SECTOR 512u

// Where each inode can be opened: below the directory, or kept in the log.
static struct {
    uint64_t inode;
    char *path;
} * known;
static size_t known_count;

static int note_inode(const char *path, const struct stat *info, int flag, struct FTW *walk) {
    (void)walk;
    if (flag != FTW_F) return 0;
    known = realloc(known, (known_count + 1) * sizeof *known);
    known[known_count].inode = info->st_ino;
    known[known_count++].path = strdup(path);
    return 0;
}

static const char *inode_path(uint64_t inode) {
    for (size_t i = 0; i < known_count; i++)
        if (known[i].inode == inode) return known[i].path;
    return NULL;
}

// Puts bytes [from, to) of the record's range back.
static void restore(int fd, const struct powercut_record *record, const uint8_t *payload, uint64_t from, uint64_t to) {
    static const uint8_t zeros[65536];
    while (from < to) {
        const bool existed = from < record->payload;
        uint64_t step = (existed && record->payload < to ? record->payload : to) - from;
        if (!existed && step > sizeof zeros) step = sizeof zeros;
        const uint8_t *data = existed ? payload + from : zeros;
        if (pwrite(fd, data, step, (off_t)(record->offset + from)) != (ssize_t)step) undo_die("cannot undo", "write");
        from += step;
    }
}

static uint64_t cut_point(struct undo_plan *plan, const struct powercut_record *record) {
    uint64_t cut = undo_random(plan, record->length + 1);
    if (!plan->sectors && undo_random(plan, 2)) return cut;
    const uint64_t end = (record->offset + cut) / SECTOR * SECTOR; // sectors lie at multiples in the file
    return end > record->offset ? end - record->offset : 0;
}

static void tear(struct undo_plan *plan, int fd, const struct powercut_record *record, const uint8_t *payload) {
    const uint64_t cut = cut_point(plan, record);
    switch (undo_random(plan, 3)) {
    case 0: restore(fd, record, payload, cut, record->length); return;
    case 1: restore(fd, record, payload, 0, cut); return;
    default:
        for (uint64_t at = 0; at < record->length;) {
            uint64_t next = ((record->offset + at) / SECTOR + 1) * SECTOR - record->offset;
            if (next > record->length) next = record->length;
            if (undo_random(plan, 2)) restore(fd, record, payload, at, next);
            at = next;
        }
    }
}

// The size reaches the disk apart from the content: any size since the last sync can be found, and what was not
// written reads as zeros. `steps` is how many of the file's changes of size stand.
static size_t choose_size(struct undo_plan *plan, const struct undo_log *log) {
    if (plan->mode == UNDO_DROP) return 0;
    return plan->mode == UNDO_RANDOM ? (size_t)undo_random(plan, log->count + 1) : log->count;
}

struct outcome {
    size_t undone, torn;
    uint64_t size;
};

// The last write ends at its cut: either the file ends there, or zeros follow.
static void tear_last(struct undo_plan *plan, int fd, const struct powercut_record *record, const uint8_t *payload,
                      struct outcome *outcome) {
    const uint64_t cut = cut_point(plan, record);
    restore(fd, record, payload, cut, record->length);
    const uint64_t end = record->offset + cut;
    if (record->offset + record->length == outcome->size && end >= record->old_size && undo_random(plan, 2))
        outcome->size = end;
    outcome->torn++;
}

// `stands`: the size after this change was chosen, or a later one.
static void undo_one(struct undo_plan *plan, int fd, const struct powercut_record *record, const uint8_t *payload,
                     bool stands, struct outcome *outcome) {
    const uint64_t dice = undo_random(plan, 10);
    const bool cut_off = record->kind == POWERCUT_TRUNCATE;
    if (plan->mode == UNDO_RANDOM && !cut_off && dice < 3) {
        tear(plan, fd, record, payload);
        outcome->torn++;
    } else if (plan->mode == UNDO_DROP || (plan->mode == UNDO_RANDOM && (cut_off ? !stands : dice < 6))) {
        restore(fd, record, payload, 0, record->length);
        outcome->undone++;
    }
}

static void undo_file(struct undo_plan *plan, const char *name, const char *path, uint64_t last, json_t *report) {
    struct undo_log log = undo_log_read(plan->log, name);
    struct stat info;
    if (log.count > 0) {
        const int fd = open(path, O_RDWR | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &info) != 0) undo_die("cannot open", path);
        const size_t steps = choose_size(plan, &log);
        struct outcome outcome = {.size = steps == log.count ? (uint64_t)info.st_size : log.records[steps].old_size};
        for (size_t i = log.count; i-- > 0;) {
            if (plan->mode == UNDO_TORN && log.records[i].sequence == last)
                tear_last(plan, fd, &log.records[i], log.payloads[i], &outcome);
            else undo_one(plan, fd, &log.records[i], log.payloads[i], i < steps, &outcome);
        }
        if (ftruncate(fd, (off_t)outcome.size) != 0) undo_die("cannot set the size", path);
        close(fd);
        json_array_append_new(report, json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "path", path, "unsynced",
                                                (json_int_t)log.count, "undone", (json_int_t)outcome.undone, "torn",
                                                (json_int_t)outcome.torn, "size_synced",
                                                (json_int_t)log.records[0].old_size, "size_before",
                                                (json_int_t)info.st_size, "size_after", (json_int_t)outcome.size));
    }
    undo_log_free(&log);
}

static uint64_t last_write(struct undo_plan *plan, char **names, size_t count) {
    uint64_t last = 0;
    for (size_t i = 0; i < count; i++) {
        struct undo_log log = undo_log_read(plan->log, names[i]);
        for (size_t k = 0; k < log.count; k++)
            if (log.records[k].kind == POWERCUT_WRITE && log.records[k].sequence > last) last = log.records[k].sequence;
        undo_log_free(&log);
    }
    return last;
}

static int content_log(const struct dirent *entry) {
    return strncmp(entry->d_name, "f-", 2) == 0;
}

void undo_contents(struct undo_plan *plan, json_t *report) {
    struct dirent **entries = NULL;
    const int count = scandir(plan->log, &entries, content_log, alphasort);
    if (count < 0) undo_die("cannot list", plan->log);
    nftw(plan->directory, note_inode, 32, FTW_PHYS);
    nftw(plan->log, note_inode, 32, FTW_PHYS);
    char **names = calloc((size_t)count + 1, sizeof *names);
    for (int i = 0; i < count; i++) names[i] = entries[i]->d_name;
    const uint64_t last = plan->mode == UNDO_TORN ? last_write(plan, names, (size_t)count) : 0;
    for (int i = 0; i < count; i++) {
        const char *path = inode_path(strtoull(names[i] + 2, NULL, 16));
        if (path) undo_file(plan, names[i], path, last, report);
        free(entries[i]);
    }
    for (size_t i = 0; i < known_count; i++) free(known[i].path);
    free(known);
    free(names);
    free(entries);
}
