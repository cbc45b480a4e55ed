// SQLite under the layer: committed rows survive a power cut with synchronous=FULL, and do not with OFF.
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "tests/faults/layer/inserter.h"
#include "tests/faults/layer/run.h"
#include "tests/support/support.h"

#define CUTS_A_DATABASE 3

static long long last_said(struct pt_buf *said) {
    long long last = 0, id = 0;
    for (const char *line = pt_buf_cstr(said); line && sscanf(line, "%lld", &id) == 1; line++) {
        last = id;
        line = strchr(line, '\n');
        if (!line) break;
    }
    return last;
}

static int whole(void *good, int columns, char **values, char **names) {
    (void)columns;
    (void)names;
    *(bool *)good = strcmp(values[0], "ok") == 0;
    return 0;
}

// Whether the database is whole and holds rows 1 … last with their content.
static bool database_good(const char *path, long long last) {
    sqlite3 *db = NULL;
    sqlite3_stmt *rows = NULL;
    bool good = false;
    long long found = 0;
    if (sqlite3_open(path, &db) == SQLITE_OK &&
        sqlite3_exec(db, "PRAGMA integrity_check", whole, &good, NULL) == SQLITE_OK && good &&
        sqlite3_prepare_v2(db, "SELECT id, content FROM t ORDER BY id", -1, &rows, NULL) == SQLITE_OK)
        for (; sqlite3_step(rows) == SQLITE_ROW; found++) {
            unsigned char wanted[INSERTER_MAX];
            const int len = inserter_content(found + 1, wanted);
            if (sqlite3_column_int64(rows, 0) != found + 1 || sqlite3_column_bytes(rows, 1) != len ||
                memcmp(sqlite3_column_blob(rows, 1), wanted, (size_t)len) != 0)
                good = false;
        }
    sqlite3_finalize(rows);
    sqlite3_close(db);
    return good && found >= last;
}

// Inserts, is killed, the power is cut; CUTS_A_DATABASE times in a row. Gives whether the database was always good.
static bool survive(const char *synchronous, const char *mode, uint64_t seed, long long *rows) {
    char scratch[256], directory[300], log[300], path[320];
    bool good = true;
    long long last = 0;
    test_scratch(scratch);
    snprintf(directory, sizeof directory, "%s/data", scratch);
    snprintf(log, sizeof log, "%s/log", scratch);
    snprintf(path, sizeof path, "%s/rows.db", directory);
    const char *const argv[] = {getenv("POWERCUT_INSERTER"), path, synchronous, NULL};
    for (unsigned cut = 0; good && cut < CUTS_A_DATABASE; cut++) {
        PT_CLEANUP(pt_buf_free) struct pt_buf said = PT_BUF_INIT(16u << 20);
        struct powercut_run run = powercut_start(argv, directory, log, NULL);
        powercut_let_run(&run, (unsigned)((seed * 7919 + cut * 104729) % 40000));
        powercut_kill(&run, &said);
        powercut_apply(mode, seed * 10 + cut, directory, log, NULL);
        if (last_said(&said) > 0) last = last_said(&said);
        good = last == 0 || database_good(path, last);
    }
    *rows += last;
    test_scratch_remove(scratch);
    return good;
}

static void commits_survive(void **state) {
    static const char *const modes[] = {"random", "drop", "random", "torn"};
    long long rows = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= 30; seed++)
        if (!survive("FULL", modes[seed % 4], seed, &rows)) fail_msg("seed %u lost a row", (unsigned)seed);
    print_message("# %lld rows committed\n", rows);
    assert_true(rows >= 90);
}

// The control: without syncs kill -9 alone loses nothing, a power cut does.
static void without_syncs_rows_are_lost(void **state) {
    long long rows = 0;
    unsigned lost = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        assert_true(survive("OFF", "keep", seed, &rows));
        lost += !survive("OFF", seed % 2 ? "drop" : "random", seed, &rows);
    }
    assert_true(lost > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commits_survive),
        cmocka_unit_test(without_syncs_rows_are_lost),
    };
    return cmocka_run_group_tests_name("power-cut layer: SQLite", tests, NULL, NULL);
}
