#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/cleanup.h"
#include "firmware/reference/reference_store.h"

#define STORE_VERSION 1

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS mark (only INTEGER PRIMARY KEY CHECK (only = 1), genesis BLOB, cursor INTEGER, height INTEGER, chain_time INTEGER, read INTEGER);"
    "CREATE TABLE IF NOT EXISTS actor (kid BLOB PRIMARY KEY, encoded BLOB NOT NULL, reason TEXT) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS record (key BLOB PRIMARY KEY, kind INTEGER NOT NULL, payload BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS notice (id BLOB PRIMARY KEY, sent INTEGER NOT NULL, done INTEGER NOT NULL, statement BLOB NOT NULL);"
    "CREATE INDEX IF NOT EXISTS notice_open ON notice (done, sent);"
    "CREATE TABLE IF NOT EXISTS notice_pack (pack BLOB, notice BLOB, PRIMARY KEY (pack, notice)) WITHOUT ROWID;";

enum query {
    BEGIN, COMMIT, ROLLBACK, GET_MARK, SET_MARK, PUT_ACTOR, GET_ACTOR, PUT_REASON, GET_REASON, PUT_RECORD, GET_RECORD, PUT_NOTICE, PUT_PACK, OPEN_NOTICES,
    NOTICES_OF_PACK, NOTICE_DONE, FORGET_PACKS, FORGET_NOTICES, COUNT_RECORDS, COUNT_NOTICES, QUERY_COUNT
};

static const char *const queries[QUERY_COUNT] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
    [GET_MARK] = "SELECT genesis, cursor, height, chain_time, read FROM mark",
    [SET_MARK] = "INSERT OR REPLACE INTO mark VALUES (1, ?1, ?2, ?3, ?4, ?5)",
    [PUT_ACTOR] = "INSERT INTO actor (kid, encoded) VALUES (?1, ?2) ON CONFLICT (kid) DO UPDATE SET encoded = ?2",
    [GET_ACTOR] = "SELECT encoded FROM actor WHERE kid = ?1",
    [PUT_REASON] = "UPDATE actor SET reason = ?2 WHERE kid = ?1",
    [GET_REASON] = "SELECT reason FROM actor WHERE kid = ?1 AND reason IS NOT NULL",
    [PUT_RECORD] = "INSERT OR IGNORE INTO record VALUES (?1, ?2, ?3)",
    [GET_RECORD] = "SELECT payload FROM record WHERE key BETWEEN ?1 AND ?2 ORDER BY key DESC LIMIT 1",
    [PUT_NOTICE] = "INSERT OR IGNORE INTO notice VALUES (?1, ?2, 0, ?3)",
    [PUT_PACK] = "INSERT OR IGNORE INTO notice_pack VALUES (?1, ?2)",
    [OPEN_NOTICES] = "SELECT id, statement FROM notice WHERE done = 0 AND sent >= ?1 ORDER BY sent DESC, id LIMIT ?2",
    [NOTICES_OF_PACK] = "SELECT n.id, n.statement FROM notice_pack p JOIN notice n ON n.id = p.notice WHERE p.pack = ?3 AND n.done = 0 AND n.sent >= ?1 ORDER BY n.sent DESC, n.id LIMIT ?2",
    [NOTICE_DONE] = "UPDATE notice SET done = 1 WHERE id = ?1",
    [FORGET_PACKS] = "DELETE FROM notice_pack WHERE notice IN (SELECT id FROM notice WHERE sent < ?1)",
    [FORGET_NOTICES] = "DELETE FROM notice WHERE sent < ?1",
    [COUNT_RECORDS] = "SELECT kind, count(DISTINCT payload) FROM record GROUP BY kind",
    [COUNT_NOTICES] = "SELECT count(*) FROM notice WHERE done = 0 AND sent >= ?1",
};

struct reference_store {
    sqlite3 *db;
    sqlite3_stmt *statements[QUERY_COUNT];
};

static enum pt_code fail(struct reference_store *store, int result, struct pt_error *err) {
    const char *what = sqlite3_errmsg(store->db);
    switch (result & 0xff) {
    case SQLITE_CORRUPT: case SQLITE_NOTADB: case SQLITE_ERROR: case SQLITE_SCHEMA: return pt_fail(err, PT_INVALID, "reference", "%s", what);
    case SQLITE_FULL: case SQLITE_BUSY: return pt_fail(err, PT_UNAVAILABLE, "reference", "%s", what);
    case SQLITE_NOMEM: return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    default: return pt_fail(err, PT_IO, "reference", "%s", what);
    }
}

static enum pt_code execute(struct reference_store *store, const char *sql, struct pt_error *err) {
    const int result = sqlite3_exec(store->db, sql, NULL, NULL, NULL);
    return result == SQLITE_OK ? PT_OK : fail(store, result, err);
}

static enum pt_code check_version(struct reference_store *store, struct pt_error *err) {
    sqlite3_stmt *statement = NULL;
    int version = -1;
    const int result = sqlite3_prepare_v2(store->db, "PRAGMA user_version", -1, &statement, NULL);
    if (result == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW) version = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    if (result != SQLITE_OK) return fail(store, result, err);
    if (version == 0) return execute(store, "PRAGMA user_version = 1", err);
    return version == STORE_VERSION ? PT_OK : pt_fail(err, PT_INVALID, "reference", "the file is of version %d", version);
}

enum pt_code reference_store_open(const char *file, struct reference_store **out, struct pt_error *err) {
    struct reference_store *store = calloc(1, sizeof *store);
    if (!store) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    int result = sqlite3_open_v2(file, &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX, NULL);
    enum pt_code code = result == SQLITE_OK ? PT_OK : fail(store, result, err);
    if (code == PT_OK) {
        chmod(file, 0600);
        sqlite3_busy_timeout(store->db, 5000);
        // A terminal's memory is small; what is read is a few rows. Nobody else opens the file: no shared index, which a full disk could not hold.
        code = execute(store, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -1024; PRAGMA trusted_schema = OFF", err);
    }
    if (code == PT_OK) code = check_version(store, err);
    if (code == PT_OK) code = execute(store, schema, err);
    for (int i = 0; code == PT_OK && i < QUERY_COUNT; i++) {
        result = sqlite3_prepare_v3(store->db, queries[i], -1, SQLITE_PREPARE_PERSISTENT, &store->statements[i], NULL);
        if (result != SQLITE_OK) code = fail(store, result, err);
    }
    if (code != PT_OK) {
        reference_store_close(store);
        return code;
    }
    *out = store;
    return PT_OK;
}

void reference_store_close(struct reference_store *store) {
    if (!store) return;
    for (int i = 0; i < QUERY_COUNT; i++) sqlite3_finalize(store->statements[i]);
    sqlite3_close(store->db);
    free(store);
}

// --- Running the prepared queries ---

static void put_bytes(sqlite3_stmt *statement, int at, struct pt_bytes bytes) {
    // An empty value is not NULL; SQLite tells them apart by the pointer.
    sqlite3_bind_blob(statement, at, bytes.len ? bytes.data : (const uint8_t *)"", (int)bytes.len, SQLITE_STATIC);
}

static void end(sqlite3_stmt *statement) {
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
}

static enum pt_code run(struct reference_store *store, enum query query, struct pt_error *err) {
    sqlite3_stmt *statement = store->statements[query];
    const int result = sqlite3_step(statement);
    const enum pt_code code = result == SQLITE_DONE || result == SQLITE_ROW ? PT_OK : fail(store, result, err);
    end(statement);
    return code;
}

// PT_OK with a row, to be ended by the caller; PT_NOT_FOUND without one.
static enum pt_code first_row(struct reference_store *store, enum query query, sqlite3_stmt **out, struct pt_error *err) {
    *out = store->statements[query];
    const int result = sqlite3_step(*out);
    if (result == SQLITE_ROW) return PT_OK;
    const enum pt_code code = result == SQLITE_DONE ? pt_fail(err, PT_NOT_FOUND, "reference", "nothing is known") : fail(store, result, err);
    end(*out);
    return code;
}

static struct pt_bytes column(sqlite3_stmt *statement, int at) {
    const void *data = sqlite3_column_blob(statement, at);
    return pt_bytes_of(data, data ? (size_t)sqlite3_column_bytes(statement, at) : 0);
}

static enum pt_code copy_column(sqlite3_stmt *statement, int at, struct pt_arena *arena, struct pt_bytes *out, struct pt_error *err) {
    const struct pt_bytes bytes = column(statement, at);
    uint8_t *copy = pt_arena_alloc(arena, bytes.len ? bytes.len : 1, 1);
    if (!copy) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    if (bytes.len) memcpy(copy, bytes.data, bytes.len);
    *out = pt_bytes_of(copy, bytes.len);
    return PT_OK;
}

static bool take_digest(struct pt_bytes bytes, struct pt_digest *out) {
    if (bytes.len != PT_DIGEST_SIZE) return false;
    memcpy(out->bytes, bytes.data, PT_DIGEST_SIZE);
    return true;
}

enum pt_code reference_store_begin(struct reference_store *store, struct pt_error *err) { return run(store, BEGIN, err); }
enum pt_code reference_store_commit(struct reference_store *store, struct pt_error *err) { return run(store, COMMIT, err); }

void reference_store_rollback(struct reference_store *store) {
    struct pt_error unused;
    if (run(store, ROLLBACK, &unused) != PT_OK) return;  // a full disk has rolled back already
}

// --- The tables ---

enum pt_code reference_store_mark(struct reference_store *store, struct reference_mark *out, struct pt_error *err) {
    sqlite3_stmt *statement;
    *out = (struct reference_mark){0};
    enum pt_code code = first_row(store, GET_MARK, &statement, err);
    if (code != PT_OK) return code == PT_NOT_FOUND ? PT_OK : code;
    if (!take_digest(column(statement, 0), &out->genesis)) code = pt_fail(err, PT_INVALID, "reference", "the mark is damaged");
    out->cursor = (uint64_t)sqlite3_column_int64(statement, 1);
    out->height = (uint64_t)sqlite3_column_int64(statement, 2);
    out->chain_time = sqlite3_column_int64(statement, 3);
    out->read = sqlite3_column_int64(statement, 4);
    end(statement);
    return code;
}

enum pt_code reference_store_set_mark(struct reference_store *store, const struct reference_mark *mark, struct pt_error *err) {
    sqlite3_stmt *statement = store->statements[SET_MARK];
    put_bytes(statement, 1, pt_bytes_digest(&mark->genesis));
    sqlite3_bind_int64(statement, 2, (sqlite3_int64)mark->cursor);
    sqlite3_bind_int64(statement, 3, (sqlite3_int64)mark->height);
    sqlite3_bind_int64(statement, 4, mark->chain_time);
    sqlite3_bind_int64(statement, 5, mark->read);
    return run(store, SET_MARK, err);
}

enum pt_code reference_store_put_actor(struct reference_store *store, const struct actor *actor, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf encoded = PT_BUF_INIT((size_t)16 * 1024);
    const enum pt_code code = actor_encode(actor, &encoded, err);
    if (code != PT_OK) return code;
    put_bytes(store->statements[PUT_ACTOR], 1, pt_bytes_digest(&actor->kid));
    put_bytes(store->statements[PUT_ACTOR], 2, pt_buf_bytes(&encoded));
    return run(store, PUT_ACTOR, err);
}

enum pt_code reference_store_actor(struct reference_store *store, const struct pt_digest *kid, struct actor *out, struct pt_error *err) {
    sqlite3_stmt *statement;
    put_bytes(store->statements[GET_ACTOR], 1, pt_bytes_digest(kid));
    enum pt_code code = first_row(store, GET_ACTOR, &statement, err);
    if (code != PT_OK) return code;
    code = actor_decode(column(statement, 0), out, err);
    end(statement);
    return code;
}

enum pt_code reference_store_put_reason(struct reference_store *store, const struct pt_digest *kid, const char *reason, struct pt_error *err) {
    put_bytes(store->statements[PUT_REASON], 1, pt_bytes_digest(kid));
    sqlite3_bind_text(store->statements[PUT_REASON], 2, reason, -1, SQLITE_STATIC);
    return run(store, PUT_REASON, err);
}

bool reference_store_reason(struct reference_store *store, const struct pt_digest *kid, char out[ACTOR_TEXT_MAX + 1]) {
    sqlite3_stmt *statement;
    put_bytes(store->statements[GET_REASON], 1, pt_bytes_digest(kid));
    if (first_row(store, GET_REASON, &statement, NULL) != PT_OK) return false;
    if (out) snprintf(out, ACTOR_TEXT_MAX + 1, "%s", (const char *)sqlite3_column_text(statement, 0));
    end(statement);
    return true;
}

enum pt_code reference_store_put_record(struct reference_store *store, unsigned kind, struct pt_bytes key, struct pt_bytes payload, struct pt_error *err) {
    put_bytes(store->statements[PUT_RECORD], 1, key);
    sqlite3_bind_int64(store->statements[PUT_RECORD], 2, kind);
    put_bytes(store->statements[PUT_RECORD], 3, payload);
    return run(store, PUT_RECORD, err);
}

enum pt_code reference_store_record(struct reference_store *store, struct pt_bytes from, struct pt_bytes to, struct pt_arena *arena,
                                    struct pt_bytes *payload, struct pt_error *err) {
    sqlite3_stmt *statement;
    put_bytes(store->statements[GET_RECORD], 1, from);
    put_bytes(store->statements[GET_RECORD], 2, to);
    enum pt_code code = first_row(store, GET_RECORD, &statement, err);
    if (code != PT_OK) return code;
    code = copy_column(statement, 0, arena, payload, err);
    end(statement);
    return code;
}

enum pt_code reference_store_put_notice(struct reference_store *store, const struct pt_digest *id, pt_millis sent, struct pt_bytes bytes, struct pt_error *err) {
    put_bytes(store->statements[PUT_NOTICE], 1, pt_bytes_digest(id));
    sqlite3_bind_int64(store->statements[PUT_NOTICE], 2, sent);
    put_bytes(store->statements[PUT_NOTICE], 3, bytes);
    return run(store, PUT_NOTICE, err);
}

enum pt_code reference_store_put_notice_pack(struct reference_store *store, struct pt_bytes pack, const struct pt_digest *id, struct pt_error *err) {
    put_bytes(store->statements[PUT_PACK], 1, pack);
    put_bytes(store->statements[PUT_PACK], 2, pt_bytes_digest(id));
    return run(store, PUT_PACK, err);
}

enum pt_code reference_store_notices(struct reference_store *store, pt_millis since, struct pt_bytes pack, size_t most, struct pt_arena *arena,
                                     struct reference_notice **out, size_t *count, struct pt_error *err) {
    sqlite3_stmt *statement = store->statements[pack.len ? NOTICES_OF_PACK : OPEN_NOTICES];
    enum pt_code code = PT_OK;
    int result = SQLITE_DONE;
    *count = 0;
    *out = pt_arena_alloc(arena, most ? most : 1, sizeof **out);
    if (!*out) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    sqlite3_bind_int64(statement, 1, since);
    sqlite3_bind_int64(statement, 2, (sqlite3_int64)most);
    if (pack.len) put_bytes(statement, 3, pack);
    while (code == PT_OK && *count < most && (result = sqlite3_step(statement)) == SQLITE_ROW) {
        struct reference_notice *notice = &(*out)[*count];
        if (!take_digest(column(statement, 0), &notice->id)) code = pt_fail(err, PT_INVALID, "reference", "a notice is damaged");
        else code = copy_column(statement, 1, arena, &notice->statement, err);
        if (code == PT_OK) ++*count;
    }
    if (code == PT_OK && result != SQLITE_DONE && result != SQLITE_ROW) code = fail(store, result, err);
    end(statement);
    return code;
}

enum pt_code reference_store_notice_done(struct reference_store *store, const struct pt_digest *id, struct pt_error *err) {
    put_bytes(store->statements[NOTICE_DONE], 1, pt_bytes_digest(id));
    return run(store, NOTICE_DONE, err);
}

enum pt_code reference_store_forget_notices(struct reference_store *store, pt_millis before, struct pt_error *err) {
    sqlite3_bind_int64(store->statements[FORGET_PACKS], 1, before);
    const enum pt_code code = run(store, FORGET_PACKS, err);
    if (code != PT_OK) return code;
    sqlite3_bind_int64(store->statements[FORGET_NOTICES], 1, before);
    return run(store, FORGET_NOTICES, err);
}

enum pt_code reference_store_counts(struct reference_store *store, pt_millis since, size_t records[4], size_t *notices, struct pt_error *err) {
    sqlite3_stmt *statement = store->statements[COUNT_RECORDS];
    int result;
    memset(records, 0, 4 * sizeof *records);
    while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
        const int kind = sqlite3_column_int(statement, 0);
        if (kind >= 0 && kind < 4) records[kind] = (size_t)sqlite3_column_int64(statement, 1);
    }
    enum pt_code code = result == SQLITE_DONE ? PT_OK : fail(store, result, err);
    end(statement);
    if (code != PT_OK) return code;
    sqlite3_bind_int64(store->statements[COUNT_NOTICES], 1, since);
    code = first_row(store, COUNT_NOTICES, &statement, err);
    if (code != PT_OK) return code;
    *notices = (size_t)sqlite3_column_int64(statement, 0);
    end(statement);
    return PT_OK;
}
