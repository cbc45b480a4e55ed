#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gateway/settlement/store_sqlite_internal.h"

#define APPLICATION_ID 0x50545345  // "PTSE"
#define SCHEMA_VERSION 1
#define BUSY_MS 5000

static const char schema[] =
    "CREATE TABLE scans(scan INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL UNIQUE, arrived INTEGER NOT NULL,"
    " statement BLOB NOT NULL, sorted INTEGER NOT NULL DEFAULT 0);"
    "CREATE INDEX scans_unsorted ON scans(scan) WHERE sorted = 0;"
    "CREATE TABLE reports(number INTEGER PRIMARY KEY AUTOINCREMENT, scan INTEGER NOT NULL, statement BLOB NOT NULL,"
    " platform INTEGER NOT NULL, kind TEXT NOT NULL, undo INTEGER NOT NULL, reverses INTEGER NOT NULL, identity TEXT NOT NULL,"
    " state INTEGER NOT NULL, ready INTEGER NOT NULL, lacks TEXT NOT NULL, generation INTEGER NOT NULL,"
    " attempts INTEGER NOT NULL, failures INTEGER NOT NULL, created INTEGER NOT NULL, changed INTEGER NOT NULL,"
    " sent INTEGER NOT NULL, due INTEGER NOT NULL, level TEXT NOT NULL, code TEXT NOT NULL, reason TEXT NOT NULL,"
    " UNIQUE(scan, platform));"
    "CREATE INDEX reports_statement ON reports(statement, platform);"
    "CREATE INDEX reports_identity ON reports(identity, platform);"
    "CREATE INDEX reports_reverses ON reports(reverses) WHERE reverses > 0;"
    "CREATE INDEX reports_underived ON reports(number) WHERE state = 1 AND ready = 0 AND lacks = '';"
    "CREATE INDEX reports_open ON reports(platform, due) WHERE state IN (1, 2) AND ready = 1;"
    "CREATE INDEX reports_state ON reports(state, number);"
    "CREATE INDEX reports_changed ON reports(changed);"
    // Kept as they change: nobody waits while a year of reports is counted.
    "CREATE TABLE counts(platform INTEGER NOT NULL, state INTEGER NOT NULL, count INTEGER NOT NULL, PRIMARY KEY(platform, state)) WITHOUT ROWID;"
    "CREATE TRIGGER reports_added AFTER INSERT ON reports BEGIN"
    " INSERT INTO counts VALUES(new.platform, new.state, 1) ON CONFLICT DO UPDATE SET count = count + 1; END;"
    "CREATE TRIGGER reports_moved AFTER UPDATE OF state ON reports WHEN old.state <> new.state BEGIN"
    " UPDATE counts SET count = count - 1 WHERE platform = old.platform AND state = old.state;"
    " INSERT INTO counts VALUES(new.platform, new.state, 1) ON CONFLICT DO UPDATE SET count = count + 1; END;"
    "CREATE TABLE documents(number INTEGER PRIMARY KEY, document BLOB, answer BLOB);"
    "CREATE TABLE open_packs(pack BLOB NOT NULL, platform INTEGER NOT NULL, number INTEGER NOT NULL,"
    " PRIMARY KEY(pack, platform, number)) WITHOUT ROWID;"
    "CREATE TABLE waits(key TEXT NOT NULL, number INTEGER NOT NULL, PRIMARY KEY(key, number)) WITHOUT ROWID;"
    "CREATE INDEX waits_number ON waits(number);"
    "CREATE INDEX open_packs_number ON open_packs(number);"
    "CREATE TABLE sales(token TEXT PRIMARY KEY, record TEXT NOT NULL, changed INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE packs(uri TEXT PRIMARY KEY, lot TEXT NOT NULL, expiry TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE masters(key BLOB PRIMARY KEY, record BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;";

enum pt_code store_failed(struct store *store, const char *doing, struct pt_error *err) {
    const int code = sqlite3_errcode(store->db);
    enum pt_code class = PT_IO;
    if (code == SQLITE_BUSY || code == SQLITE_LOCKED || code == SQLITE_FULL) class = PT_UNAVAILABLE;
    if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) class = PT_UNVERIFIED;
    if (code == SQLITE_NOMEM) class = PT_NO_MEMORY;
    return pt_fail(err, class, "settlement store", "%.60s: %s", doing, sqlite3_errmsg(store->db));
}

static enum pt_code bind(struct store *store, sqlite3_stmt *statement, const char *kinds, va_list args, struct pt_error *err) {
    for (int i = 0; kinds[i]; i++) {
        int code = SQLITE_MISUSE;
        if (kinds[i] == 'i') code = sqlite3_bind_int64(statement, i + 1, va_arg(args, int64_t));
        else if (kinds[i] == 't') code = sqlite3_bind_text(statement, i + 1, va_arg(args, const char *), -1, SQLITE_STATIC);
        else if (kinds[i] == 'b') {
            const struct pt_bytes bytes = va_arg(args, struct pt_bytes);
            code = sqlite3_bind_blob64(statement, i + 1, bytes.len ? (const void *)bytes.data : "", bytes.len, SQLITE_STATIC);
        }
        if (code != SQLITE_OK) return store_failed(store, "bind", err);
    }
    return PT_OK;
}

static enum pt_code query_list(struct store *store, sqlite3_stmt **out, struct pt_error *err, const char *sql, const char *kinds,
                               va_list args) {
    *out = NULL;
    if (sqlite3_prepare_v2(store->db, sql, -1, out, NULL) != SQLITE_OK) return store_failed(store, sql, err);
    return bind(store, *out, kinds, args, err);
}

enum pt_code store_query(struct store *store, struct sqlite3_stmt **out, struct pt_error *err, const char *sql, const char *kinds, ...) {
    va_list args;
    va_start(args, kinds);
    const enum pt_code code = query_list(store, out, err, sql, kinds, args);
    va_end(args);
    return code;
}

enum pt_code store_step(struct store *store, struct sqlite3_stmt *statement, struct pt_error *err) {
    switch (sqlite3_step(statement)) {
    case SQLITE_ROW: return PT_OK;
    case SQLITE_DONE: return pt_fail(err, PT_NOT_FOUND, "settlement store", "there is none");
    default: return store_failed(store, "step", err);
    }
}

enum pt_code store_run(struct store *store, struct pt_error *err, const char *sql, const char *kinds, ...) {
    sqlite3_stmt *statement;
    va_list args;
    va_start(args, kinds);
    pthread_mutex_lock(&store->lock);
    enum pt_code code = query_list(store, &statement, err, sql, kinds, args);
    if (code == PT_OK && sqlite3_step(statement) != SQLITE_DONE) code = store_failed(store, sql, err);
    sqlite3_finalize(statement);
    pthread_mutex_unlock(&store->lock);
    va_end(args);
    return code;
}

enum pt_code store_get_blob(struct store *store, struct pt_buf *out, struct pt_error *err, const char *sql, const char *kinds, ...) {
    sqlite3_stmt *statement;
    va_list args;
    va_start(args, kinds);
    pthread_mutex_lock(&store->lock);
    enum pt_code code = query_list(store, &statement, err, sql, kinds, args);
    if (code == PT_OK) code = store_step(store, statement, err);
    if (code == PT_OK && sqlite3_column_type(statement, 0) == SQLITE_NULL)
        code = pt_fail(err, PT_NOT_FOUND, "settlement store", "there is none");
    if (code == PT_OK) {
        const void *data = sqlite3_column_blob(statement, 0);
        pt_buf_append(out, data, (size_t)sqlite3_column_bytes(statement, 0));
        code = pt_buf_check(out, err);
    }
    sqlite3_finalize(statement);
    pthread_mutex_unlock(&store->lock);
    va_end(args);
    return code;
}

enum pt_code store_get_number(struct store *store, int64_t *out, struct pt_error *err, const char *sql, const char *kinds, ...) {
    sqlite3_stmt *statement;
    va_list args;
    va_start(args, kinds);
    pthread_mutex_lock(&store->lock);
    enum pt_code code = query_list(store, &statement, err, sql, kinds, args);
    if (code == PT_OK) code = store_step(store, statement, err);
    if (code == PT_OK) *out = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    pthread_mutex_unlock(&store->lock);
    va_end(args);
    return code;
}

static enum pt_code exec(struct store *store, const char *sql, struct pt_error *err) {
    return sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK ? PT_OK : store_failed(store, sql, err);
}

static enum pt_code prepare_file(struct store *store, struct pt_error *err) {
    int64_t version = 0;
    char sql[128];
    sqlite3_busy_timeout(store->db, BUSY_MS);
    enum pt_code code = exec(store, "PRAGMA journal_mode=WAL", err);
    if (code == PT_OK) code = exec(store, "PRAGMA synchronous=FULL", err);
    if (code == PT_OK) code = store_get_number(store, &version, err, "PRAGMA user_version", "");
    if (code != PT_OK || version == SCHEMA_VERSION) return code;
    if (version != 0) return pt_fail(err, PT_USAGE, "settlement store", "is of version %lld, this program knows %d", (long long)version, SCHEMA_VERSION);
    code = exec(store, "BEGIN IMMEDIATE", err);
    if (code == PT_OK) code = exec(store, schema, err);
    snprintf(sql, sizeof sql, "PRAGMA application_id=%d; PRAGMA user_version=%d", APPLICATION_ID, SCHEMA_VERSION);
    if (code == PT_OK) code = exec(store, sql, err);
    return code == PT_OK ? exec(store, "COMMIT", err) : code;
}

enum pt_code store_open(const char *path, struct store **out, struct pt_error *err) {
    struct store *store = calloc(1, sizeof *store);
    if (!store) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&store->lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    enum pt_code code = PT_OK;
    // Encounters and prices lie in it: for the gateway's user alone, its side files, too.
    const mode_t before = umask(0077);
    if (sqlite3_open_v2(path, &store->db, flags, NULL) != SQLITE_OK) code = store_failed(store, "open", err);
    if (code == PT_OK) code = prepare_file(store, err);
    umask(before);
    if (code != PT_OK) {
        store_close(store);
        return pt_error_under(err, "%.150s: ", path);
    }
    *out = store;
    return PT_OK;
}

void store_close(struct store *store) {
    if (!store) return;
    sqlite3_close(store->db);
    pthread_mutex_destroy(&store->lock);
    free(store);
}

enum pt_code store_begin(struct store *store, struct pt_error *err) {
    pthread_mutex_lock(&store->lock);
    const enum pt_code code = exec(store, "BEGIN IMMEDIATE", err);
    if (code != PT_OK) pthread_mutex_unlock(&store->lock);
    return code;
}

enum pt_code store_commit(struct store *store, struct pt_error *err) {
    const enum pt_code code = exec(store, "COMMIT", err);
    if (code != PT_OK) sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    pthread_mutex_unlock(&store->lock);
    return code;
}

void store_rollback(struct store *store) {
    sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    pthread_mutex_unlock(&store->lock);
}

// --- Scans ---

enum pt_code store_add_scan(struct store *store, const struct pt_digest *id, struct pt_bytes statement, pt_millis now,
                            struct pt_error *err) {
    return store_run(store, err, "INSERT INTO scans(id, arrived, statement) VALUES(?,?,?) ON CONFLICT(id) DO NOTHING", "bib",
                     pt_bytes_digest(id), (int64_t)now, statement);
}

enum pt_code store_unsorted_scan(struct store *store, int64_t *scan, struct pt_buf *statement, struct pt_error *err) {
    enum pt_code code = store_get_number(store, scan, err, "SELECT scan FROM scans WHERE sorted = 0 ORDER BY scan LIMIT 1", "");
    return code == PT_OK ? store_scan(store, *scan, statement, err) : code;
}

enum pt_code store_scan_sorted(struct store *store, int64_t scan, struct pt_error *err) {
    return store_run(store, err, "UPDATE scans SET sorted = 1 WHERE scan = ?", "i", scan);
}

enum pt_code store_scan(struct store *store, int64_t scan, struct pt_buf *statement, struct pt_error *err) {
    return store_get_blob(store, statement, err, "SELECT statement FROM scans WHERE scan = ?", "i", scan);
}

enum pt_code store_count_unsorted(struct store *store, int64_t *out, struct pt_error *err) {
    return store_get_number(store, out, err, "SELECT count(*) FROM scans WHERE sorted = 0", "");
}

// --- What reports are made from ---

enum pt_code store_put_sale(struct store *store, const char *token, struct pt_bytes record, pt_millis now, struct pt_error *err) {
    return store_run(store, err,
                     "INSERT INTO sales(token, record, changed) VALUES(?,?,?) ON CONFLICT(token) DO UPDATE SET record = excluded.record,"
                     " changed = excluded.changed",
                     "tbi", token, record, (int64_t)now);
}

enum pt_code store_sale(struct store *store, const char *token, struct pt_buf *out, struct pt_error *err) {
    return store_get_blob(store, out, err, "SELECT record FROM sales WHERE token = ?", "t", token);
}

enum pt_code store_put_pack(struct store *store, const char *uri, const char *lot, const char *expiry, struct pt_error *err) {
    return store_run(store, err,
                     "INSERT INTO packs(uri, lot, expiry) VALUES(?,?,?) ON CONFLICT(uri) DO UPDATE SET lot = excluded.lot,"
                     " expiry = excluded.expiry",
                     "ttt", uri, lot, expiry);
}

enum pt_code store_pack(struct store *store, const char *uri, struct pt_arena *arena, const char **lot, const char **expiry,
                        struct pt_error *err) {
    sqlite3_stmt *statement;
    pthread_mutex_lock(&store->lock);
    enum pt_code code = store_query(store, &statement, err, "SELECT lot, expiry FROM packs WHERE uri = ?", "t", uri);
    if (code == PT_OK) code = store_step(store, statement, err);
    const char **wanted[] = {lot, expiry};
    for (int i = 0; i < 2 && code == PT_OK; i++) {
        const char *text = (const char *)sqlite3_column_text(statement, i);
        *wanted[i] = text && text[0] ? pt_arena_strdup(arena, pt_bytes_str(text)) : NULL;
    }
    sqlite3_finalize(statement);
    pthread_mutex_unlock(&store->lock);
    return code;
}

enum pt_code store_put_master(struct store *store, struct pt_bytes key, struct pt_bytes record, struct pt_error *err) {
    return store_run(store, err, "INSERT INTO masters(key, record) VALUES(?,?) ON CONFLICT(key) DO NOTHING", "bb", key, record);
}

enum pt_code store_master(struct store *store, enum master_kind kind, const char *identifier, pt_millis at, struct pt_buf *out,
                          struct pt_error *err) {
    struct pt_buf least = PT_BUF_INIT(2048), most = PT_BUF_INIT(2048);
    master_key(kind, identifier, INT64_MIN, 0, &least);
    master_key(kind, identifier, at, UINT64_MAX, &most);
    enum pt_code code = pt_buf_check(&least, err);
    if (code == PT_OK) code = pt_buf_check(&most, err);
    if (code == PT_OK)
        code = store_get_blob(store, out, err, "SELECT record FROM masters WHERE key BETWEEN ? AND ? ORDER BY key DESC LIMIT 1", "bb",
                              pt_buf_bytes(&least), pt_buf_bytes(&most));
    pt_buf_free(&least);
    pt_buf_free(&most);
    return code;
}

enum pt_code store_cursor(struct store *store, uint64_t *out, struct pt_error *err) {
    int64_t value = 0;
    const enum pt_code code = store_get_number(store, &value, err, "SELECT value FROM meta WHERE name = 'cursor'", "");
    *out = (uint64_t)value;
    return code == PT_NOT_FOUND ? PT_OK : code;
}

enum pt_code store_set_cursor(struct store *store, uint64_t cursor, struct pt_error *err) {
    return store_run(store, err, "INSERT INTO meta(name, value) VALUES('cursor',?) ON CONFLICT(name) DO UPDATE SET value = excluded.value",
                     "i", (int64_t)cursor);
}
