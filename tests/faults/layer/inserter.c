// powercut-inserter DB FULL|OFF: opens the database in WAL mode and inserts rows for ever; says each id after its
// commit.
#include "tests/faults/layer/inserter.h"

#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

static int next_id(void *out, int columns, char **values, char **names) {
    (void)columns;
    (void)names;
    return values[0] ? sscanf(values[0], "%lld", (long long *)out) != 1 : 0;
}

static int fail(sqlite3 *db) {
    fprintf(stderr, "inserter: %s\n", sqlite3_errmsg(db));
    return 1;
}

int main(int argc, char **argv) {
    sqlite3 *db = NULL;
    sqlite3_stmt *insert = NULL;
    char setting[64];
    long long id = 0;
    if (argc != 3) return 2;
    snprintf(setting, sizeof setting, "PRAGMA synchronous=%s", argv[2]);
    // Frequent checkpoints: the database file itself is written, too.
    if (sqlite3_open(argv[1], &db) != SQLITE_OK || sqlite3_exec(db, "PRAGMA journal_mode=WAL", NULL, NULL, NULL) ||
        sqlite3_exec(db, setting, NULL, NULL, NULL) ||
        sqlite3_exec(db, "PRAGMA wal_autocheckpoint=20", NULL, NULL, NULL) ||
        sqlite3_exec(db, "CREATE TABLE IF NOT EXISTS t(id INTEGER PRIMARY KEY, content BLOB)", NULL, NULL, NULL) ||
        sqlite3_exec(db, "SELECT max(id) FROM t", next_id, &id, NULL) ||
        sqlite3_prepare_v2(db, "INSERT INTO t VALUES(?1, ?2)", -1, &insert, NULL))
        return fail(db);
    for (;;) {
        unsigned char content[INSERTER_MAX];
        id++;
        const int len = inserter_content(id, content);
        sqlite3_bind_int64(insert, 1, id);
        sqlite3_bind_blob(insert, 2, content, len, SQLITE_STATIC);
        if (sqlite3_step(insert) != SQLITE_DONE || sqlite3_reset(insert) != SQLITE_OK) return fail(db);
        dprintf(STDOUT_FILENO, "%lld\n", id);
    }
}
