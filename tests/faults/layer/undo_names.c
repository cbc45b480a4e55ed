#include <dirent.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/faults/layer/undo.h"

struct change {
    struct powercut_record record;
    char path[PATH_MAX], old[PATH_MAX];
};

static struct change *changes;
static size_t change_count;

static int newest_first(const void *a, const void *b) {
    const uint64_t x = ((const struct change *)a)->record.sequence, y = ((const struct change *)b)->record.sequence;
    return x < y ? 1 : x > y ? -1 : 0;
}

static const char *take_path(const char *at, char out[PATH_MAX]) {
    const char *name = at + strlen(at) + 1;
    snprintf(out, PATH_MAX, "%s/%s", at, name);
    return name + strlen(name) + 1;
}

static void add_change(const struct powercut_record *record, const uint8_t *payload) {
    changes = realloc(changes, (change_count + 1) * sizeof *changes);
    struct change *change = &changes[change_count++];
    change->record = *record;
    const char *rest = take_path((const char *)payload, change->path);
    change->old[0] = '\0';
    if (record->kind == POWERCUT_RENAME) take_path(rest, change->old);
}

static bool is_inode(const char *path, uint64_t inode) {
    struct stat info;
    return lstat(path, &info) == 0 && info.st_ino == inode;
}

static bool is_there(const char *path) {
    struct stat info;
    return lstat(path, &info) == 0;
}

static int remove_one(const char *path, const struct stat *info, int flag, struct FTW *walk) {
    (void)info;
    (void)flag;
    (void)walk;
    return remove(path);
}

static void bring_back(const struct undo_plan *plan, const struct change *change) {
    char kept[PATH_MAX];
    snprintf(kept, sizeof kept, "%s/t-%llx", plan->log, (unsigned long long)change->record.sequence);
    if (!is_there(change->path) && is_there(kept) && link(kept, change->path) != 0)
        undo_die("cannot bring back", change->path);
}

static void undo_change(const struct undo_plan *plan, const struct change *change) {
    switch (change->record.kind) {
    case POWERCUT_CREATE: unlink(change->path); break;
    case POWERCUT_MKDIR: nftw(change->path, remove_one, 32, FTW_DEPTH | FTW_PHYS); break;
    case POWERCUT_RMDIR: mkdir(change->path, (mode_t)change->record.length); break;
    case POWERCUT_UNLINK: bring_back(plan, change); break;
    case POWERCUT_RENAME:
        // Not moved (killed before), or the old name is taken by what stays: nothing to undo.
        if (!is_inode(change->path, change->record.inode) || is_there(change->old)) break;
        if (rename(change->path, change->old) != 0) undo_die("cannot move back", change->path);
        if (change->record.length) bring_back(plan, change);
        break;
    default: undo_die("unknown record", change->path);
    }
}

// A file system writes the names of a directory in order: after a power cut some first changes stand, the rest do not.
static size_t choose_kept(struct undo_plan *plan, size_t count) {
    if (plan->mode == UNDO_DROP) return 0;
    if (plan->mode != UNDO_RANDOM) return count;
    return (size_t)undo_random(plan, count + 1);
}

static int name_log(const struct dirent *entry) {
    return strncmp(entry->d_name, "n-", 2) == 0;
}

void undo_names(struct undo_plan *plan, json_t *report) {
    struct dirent **entries = NULL;
    const int count = scandir(plan->log, &entries, name_log, alphasort);
    if (count < 0) undo_die("cannot list", plan->log);
    for (int i = 0; i < count; i++) {
        struct undo_log log = undo_log_read(plan->log, entries[i]->d_name);
        if (log.count > 0) {
            const size_t kept = choose_kept(plan, log.count);
            for (size_t k = kept; k < log.count; k++) add_change(&log.records[k], log.payloads[k]);
            json_array_append_new(report,
                                  json_pack("{s:s, s:I, s:I}", "directory", (const char *)log.payloads[0], "unsynced",
                                            (json_int_t)log.count, "undone", (json_int_t)(log.count - kept)));
        }
        undo_log_free(&log);
        free(entries[i]);
    }
    free(entries);
    if (change_count > 0) qsort(changes, change_count, sizeof *changes, newest_first);
    for (size_t i = 0; i < change_count; i++) undo_change(plan, &changes[i]);
    free(changes);
}
