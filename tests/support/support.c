#include "tests/support/support.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/cleanup.h"

const char *test_data(const char *relative) {
    static char path[4096];
    const char *root = getenv("PACKTRAIL_DATA");
    struct stat found;
    if (!root || stat(root, &found) != 0) {
        print_message("skipped: the folder of public vectors is not there (PACKTRAIL_DATA=%s)\n", root ? root : "");
        skip();
    }
    snprintf(path, sizeof path, "%s/%s", root, relative);
    return path;
}

struct pt_buf test_read_file(const char *path) {
    struct pt_buf content = PT_BUF_INIT((size_t)256 * 1024 * 1024);
    PT_FCLOSE FILE *file = fopen(path, "rb");
    if (!file) fail_msg("cannot open %s: %s", path, strerror(errno));
    uint8_t chunk[65536];
    size_t got;
    while ((got = fread(chunk, 1, sizeof chunk, file)) > 0) pt_buf_append(&content, chunk, got);
    assert_false(content.failed);
    return content;
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

struct test_names test_list(const char *dir, const char *suffix) {
    struct test_names list = {NULL, 0};
    DIR *open_dir = opendir(dir);
    if (!open_dir) fail_msg("cannot open %s: %s", dir, strerror(errno));
    for (struct dirent *entry; (entry = readdir(open_dir));) {
        const size_t len = strlen(entry->d_name);
        if (entry->d_name[0] == '.' || len < strlen(suffix) || strcmp(entry->d_name + len - strlen(suffix), suffix) != 0)
            continue;
        list.names = realloc(list.names, (list.count + 1) * sizeof *list.names);
        assert_non_null(list.names);
        list.names[list.count++] = strdup(entry->d_name);
    }
    closedir(open_dir);
    if (list.count == 0) fail_msg("%s holds no file that ends in %s", dir, suffix);
    qsort(list.names, list.count, sizeof *list.names, by_name);
    return list;
}

void test_names_free(struct test_names *names) {
    for (size_t i = 0; i < names->count; i++) free(names->names[i]);
    free(names->names);
    *names = (struct test_names){NULL, 0};
}

void test_scratch(char path[256]) {
    const char *base = getenv("TMPDIR");
    snprintf(path, 256, "%s/packtrail-test-XXXXXX", base ? base : "/tmp");
    assert_non_null(mkdtemp(path));
}

static int remove_one(const char *path, const struct stat *info, int flag, struct FTW *walk) {
    (void)info;
    (void)flag;
    (void)walk;
    return remove(path);
}

void test_scratch_remove(const char *path) { nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS); }

void test_assert_ok(enum pt_code code, const struct pt_error *err, const char *call, const char *file, int line) {
    if (code == PT_OK) return;
    print_error("%s\n  gave %s: %s (%s)\n", call, pt_code_name(code), err ? err->what : "", err ? err->where : "");
    _fail(file, line);
}
