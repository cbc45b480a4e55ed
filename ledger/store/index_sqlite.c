#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "ledger/store/index_sqlite_internal.h"

#define APPLICATION_ID 0x50544958  // "PTIX"
#define SCHEMA_VERSION 2
#define DEFAULT_CACHE_BYTES ((uint64_t)256 * 1024 * 1024)

static const unsigned tables[] = {
    STATE_PACK, STATE_ACTOR, STATE_CHAIN, STATE_MASTER, STATE_RULES, STATE_ALERT, STATE_HELD, STATE_NAME,
    STATE_FACTS, STATE_EVENT, STATE_RECALL, STATE_CLAIM, STATE_FINDING,
    INDEX_STATEMENT, INDEX_SEQUENCE, INDEX_LINKS, INDEX_HEIGHT, INDEX_BLOCK, INDEX_FEED, INDEX_PACK_ALERT, INDEX_TLS, INDEX_LEAF, INDEX_META,
};
#define TABLES (sizeof tables / sizeof tables[0])

struct writer {
    sqlite3 *db;
    char *uri;
    char *path;  // NULL for memory
    sqlite3_stmt *puts[SQLITE_INDEX_TABLES], *deletes[SQLITE_INDEX_TABLES];
    sqlite3_stmt *begin, *commit, *rollback, *applied, *get_applied;
};

bool index_sqlite_numbered(unsigned table) { return table == INDEX_LINKS || table == INDEX_HEIGHT || table == INDEX_LEAF; }

bool index_sqlite_known(unsigned table) {
    for (size_t i = 0; i < TABLES; i++)
        if (tables[i] == table) return true;
    return false;
}

enum pt_code index_sqlite_failed(sqlite3 *db, const char *doing, struct pt_error *err) {
    const int code = db ? sqlite3_errcode(db) : SQLITE_NOMEM;
    enum pt_code class = PT_IO;
    if (code == SQLITE_BUSY || code == SQLITE_LOCKED || code == SQLITE_FULL) class = PT_UNAVAILABLE;
    if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB || code == SQLITE_SCHEMA) class = PT_UNVERIFIED;
    if (code == SQLITE_NOMEM) class = PT_NO_MEMORY;
    return pt_fail(err, class, "index", "%s: %s", doing, db ? sqlite3_errmsg(db) : "out of memory");
}

enum pt_code index_sqlite_prepare(sqlite3 *db, sqlite3_stmt **statement, const char *format, unsigned table,
                                  struct pt_error *err) {
    char sql[256];
    snprintf(sql, sizeof sql, format, table);
    if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL) != SQLITE_OK)
        return index_sqlite_failed(db, "prepare", err);
    return PT_OK;
}

enum pt_code index_sqlite_bind_key(sqlite3 *db, sqlite3_stmt *statement, int at, unsigned table, struct pt_bytes key,
                                   struct pt_error *err) {
    int code;
    if (index_sqlite_numbered(table)) {
        uint64_t number = 0;
        if (key.len != 8) return pt_fail(err, PT_INTERNAL, "index", "a numbered table's key has 8 bytes");
        for (size_t i = 0; i < 8; i++) number = number << 8 | key.data[i];
        code = sqlite3_bind_int64(statement, at, (sqlite3_int64)(number & INT64_MAX));
    } else {
        code = sqlite3_bind_blob(statement, at, key.data ? (const void *)key.data : "", (int)key.len, SQLITE_STATIC);
    }
    return code == SQLITE_OK ? PT_OK : index_sqlite_failed(db, "bind", err);
}

static enum pt_code run(sqlite3 *db, const char *sql, struct pt_error *err) {
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? PT_OK : index_sqlite_failed(db, sql, err);
}

enum pt_code index_sqlite_connect(const char *uri, bool writer, uint64_t cache_bytes, sqlite3 **out, struct pt_error *err) {
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | (writer ? SQLITE_OPEN_CREATE : 0);
    char sql[256];
    if (sqlite3_open_v2(uri, out, flags, NULL) != SQLITE_OK) {
        const enum pt_code code = index_sqlite_failed(*out, "open", err);
        sqlite3_close(*out);
        *out = NULL;
        return code;
    }
    // NORMAL: a power cut may take back the last transactions, never tear one; the chain replays them. mmap serves
    // readers, whose own page cache every commit empties.
    snprintf(sql, sizeof sql,
             "PRAGMA busy_timeout=10000; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-%llu;"
             "PRAGMA mmap_size=%llu; PRAGMA wal_autocheckpoint=16000; PRAGMA temp_store=MEMORY;",
             (unsigned long long)(cache_bytes / 1024), (unsigned long long)1 << 40);
    const enum pt_code code = run(*out, sql, err);
    if (code != PT_OK) {
        sqlite3_close(*out);
        *out = NULL;
    }
    return code;
}

static enum pt_code create_tables(sqlite3 *db, struct pt_error *err) {
    char sql[256];
    enum pt_code code = run(db, "BEGIN IMMEDIATE; CREATE TABLE applied(only INTEGER PRIMARY KEY CHECK(only=0), height INTEGER)", err);
    for (size_t i = 0; code == PT_OK && i < TABLES; i++) {
        const char *form = index_sqlite_numbered(tables[i]) ? "CREATE TABLE t%u(k INTEGER PRIMARY KEY, v BLOB NOT NULL)"
                                                            : "CREATE TABLE t%u(k BLOB PRIMARY KEY, v BLOB NOT NULL) WITHOUT ROWID";
        snprintf(sql, sizeof sql, form, tables[i]);
        code = run(db, sql, err);
    }
    snprintf(sql, sizeof sql, "PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT", APPLICATION_ID, SCHEMA_VERSION);
    return code == PT_OK ? run(db, sql, err) : code;
}

static int pragma_number(sqlite3 *db, const char *sql) {
    sqlite3_stmt *statement = NULL;
    int value = -1;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW)
        value = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    return value;
}

enum pt_code index_sqlite_check(sqlite3 *db, struct pt_error *err) {
    if (pragma_number(db, "PRAGMA application_id") != APPLICATION_ID ||
        pragma_number(db, "PRAGMA user_version") != SCHEMA_VERSION)
        return pt_fail(err, PT_UNVERIFIED, "index", "the index is of another version: rebuild it");
    return PT_OK;
}

static enum pt_code check_schema(sqlite3 *db, struct pt_error *err) {
    const int objects = pragma_number(db, "SELECT count(*) FROM sqlite_schema");
    if (objects == 0) return create_tables(db, err);
    return objects < 0 ? index_sqlite_failed(db, "open", err) : index_sqlite_check(db, err);
}

static enum pt_code prepare_all(struct writer *writer, struct pt_error *err) {
    sqlite3 *db = writer->db;
    enum pt_code code = index_sqlite_prepare(db, &writer->begin, "BEGIN IMMEDIATE", 0, err);
    if (code == PT_OK) code = index_sqlite_prepare(db, &writer->commit, "COMMIT", 0, err);
    if (code == PT_OK) code = index_sqlite_prepare(db, &writer->rollback, "ROLLBACK", 0, err);
    if (code == PT_OK) code = index_sqlite_prepare(db, &writer->applied, "INSERT OR REPLACE INTO applied VALUES(0, ?1)", 0, err);
    if (code == PT_OK) code = index_sqlite_prepare(db, &writer->get_applied, "SELECT height FROM applied", 0, err);
    for (size_t i = 0; code == PT_OK && i < TABLES; i++) {
        code = index_sqlite_prepare(db, &writer->puts[tables[i]],
                                    "INSERT INTO t%u(k, v) VALUES(?1, ?2) ON CONFLICT(k) DO UPDATE SET v=excluded.v",
                                    tables[i], err);
        if (code == PT_OK)
            code = index_sqlite_prepare(db, &writer->deletes[tables[i]], "DELETE FROM t%u WHERE k=?1", tables[i], err);
    }
    return code;
}

static enum pt_code step(struct writer *writer, sqlite3_stmt *statement, const char *doing, struct pt_error *err) {
    const int result = sqlite3_step(statement);
    enum pt_code code = result == SQLITE_DONE || result == SQLITE_ROW ? PT_OK : index_sqlite_failed(writer->db, doing, err);
    sqlite3_reset(statement);
    return code;
}

static enum pt_code writer_begin(struct index_store *store, struct pt_error *err) {
    struct writer *writer = store->ctx;
    return step(writer, writer->begin, "begin", err);
}

static enum pt_code put_one(struct writer *writer, const struct state_change *change, struct pt_error *err) {
    const unsigned table = (unsigned)change->table;
    if (!index_sqlite_known(table)) return pt_fail(err, PT_INTERNAL, "index", "there is no table %u", table);
    sqlite3_stmt *statement = change->deleted ? writer->deletes[table] : writer->puts[table];
    enum pt_code code = index_sqlite_bind_key(writer->db, statement, 1, table, change->key, err);
    if (code == PT_OK && !change->deleted &&
        sqlite3_bind_blob(statement, 2, change->value.len ? (const void *)change->value.data : "", (int)change->value.len,
                          SQLITE_STATIC) != SQLITE_OK)
        code = index_sqlite_failed(writer->db, "bind", err);
    return code == PT_OK ? step(writer, statement, "write", err) : code;
}

static enum pt_code writer_put(struct index_store *store, const struct state_change *changes, size_t count,
                               struct pt_error *err) {
    enum pt_code code = PT_OK;
    for (size_t i = 0; code == PT_OK && i < count; i++) code = put_one(store->ctx, &changes[i], err);
    return code;
}

static enum pt_code writer_commit(struct index_store *store, uint64_t height, struct pt_error *err) {
    struct writer *writer = store->ctx;
    sqlite3_bind_int64(writer->applied, 1, (sqlite3_int64)height);
    const enum pt_code code = step(writer, writer->applied, "write the height", err);
    return code == PT_OK ? step(writer, writer->commit, "commit", err) : code;
}

static void writer_rollback(struct index_store *store) {
    struct writer *writer = store->ctx;
    if (!sqlite3_get_autocommit(writer->db)) (void)step(writer, writer->rollback, "roll back", NULL);
}

static enum pt_code writer_reader(struct index_store *store, struct index_reader *out, struct pt_error *err) {
    const struct writer *writer = store->ctx;
    return index_sqlite_reader_open(writer->uri, out, err);
}

static enum pt_code writer_applied(struct index_store *store, bool *any, uint64_t *height, struct pt_error *err) {
    struct writer *writer = store->ctx;
    const int result = sqlite3_step(writer->get_applied);
    *any = result == SQLITE_ROW;
    *height = *any ? (uint64_t)sqlite3_column_int64(writer->get_applied, 0) : 0;
    const enum pt_code code =
        result == SQLITE_ROW || result == SQLITE_DONE ? PT_OK : index_sqlite_failed(writer->db, "read the height", err);
    sqlite3_reset(writer->get_applied);
    return code;
}

static uint64_t writer_bytes(struct index_store *store) {
    const struct writer *writer = store->ctx;
    struct stat info;
    if (!writer->path || stat(writer->path, &info) != 0) return 0;
    return (uint64_t)info.st_size;
}

static void writer_close(struct index_store *store) {
    struct writer *writer = store->ctx;
    if (!writer) return;
    for (unsigned i = 0; i < SQLITE_INDEX_TABLES; i++) {
        sqlite3_finalize(writer->puts[i]);
        sqlite3_finalize(writer->deletes[i]);
    }
    sqlite3_finalize(writer->begin);
    sqlite3_finalize(writer->commit);
    sqlite3_finalize(writer->rollback);
    sqlite3_finalize(writer->applied);
    sqlite3_finalize(writer->get_applied);
    sqlite3_close(writer->db);
    free(writer->uri);
    free(writer->path);
    free(writer);
    store->ctx = NULL;
}

char *index_sqlite_uri(const char *path) {
    static atomic_uint serial;
    PT_CLEANUP(pt_buf_free) struct pt_buf uri = PT_BUF_INIT(16384);
    if (strcmp(path, ":memory:") == 0) {
        pt_buf_printf(&uri, "file:/packtrail-index-%u?vfs=memdb", atomic_fetch_add(&serial, 1));
    } else {
        pt_buf_str(&uri, "file:");
        for (const char *at = path; *at; at++) {
            if (*at == '%' || *at == '?' || *at == '#') pt_buf_printf(&uri, "%%%02X", (unsigned)(unsigned char)*at);
            else pt_buf_byte(&uri, (uint8_t)*at);
        }
    }
    return strdup(pt_buf_cstr(&uri));
}

enum pt_code index_sqlite_open(const char *path, uint64_t cache_bytes, struct index_store *out, struct pt_error *err) {
    struct writer *writer = calloc(1, sizeof *writer);
    *out = (struct index_store){0};
    if (!writer) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    *out = (struct index_store){.begin = writer_begin, .put = writer_put, .commit = writer_commit,
                                .rollback = writer_rollback, .reader = writer_reader, .applied = writer_applied,
                                .bytes = writer_bytes, .close = writer_close, .ctx = writer};
    writer->uri = index_sqlite_uri(path);
    if (strcmp(path, ":memory:") != 0) writer->path = strdup(path);
    enum pt_code code = writer->uri ? PT_OK : pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    if (code == PT_OK)
        code = index_sqlite_connect(writer->uri, true, cache_bytes ? cache_bytes : DEFAULT_CACHE_BYTES, &writer->db, err);
    if (code == PT_OK) code = check_schema(writer->db, err);
    if (code == PT_OK) code = prepare_all(writer, err);
    if (code != PT_OK) writer_close(out);
    return code;
}

enum pt_code index_sqlite_drop(const char *path, struct pt_error *err) {
    static const char *const endings[] = {"", "-wal", "-shm", "-journal"};
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        char name[4096];
        snprintf(name, sizeof name, "%s%s", path, endings[i]);
        if (unlink(name) != 0 && access(name, F_OK) == 0) return pt_fail_errno(err, name, "cannot remove the index");
    }
    return PT_OK;
}
