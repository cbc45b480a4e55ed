#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "ledger/store/index_sqlite_internal.h"

#define READER_CACHE_BYTES ((uint64_t)16 * 1024 * 1024)

struct reader {
    sqlite3 *db;
    sqlite3_stmt *gets[SQLITE_INDEX_TABLES];
    sqlite3_stmt *begin, *end, *height;
};

static enum pt_code read_height(struct index_reader *self, uint64_t *out, struct pt_error *err) {
    struct reader *reader = self->ctx;
    const int result = sqlite3_step(reader->height);
    *out = result == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(reader->height, 0) : 0;
    const enum pt_code code =
        result == SQLITE_ROW || result == SQLITE_DONE ? PT_OK : index_sqlite_failed(reader->db, "read the height", err);
    sqlite3_reset(reader->height);
    return code;
}

static enum pt_code reader_begin(struct index_reader *self, struct pt_error *err) {
    struct reader *reader = self->ctx;
    uint64_t height;
    const int result = sqlite3_step(reader->begin);
    sqlite3_reset(reader->begin);
    if (result != SQLITE_DONE) return index_sqlite_failed(reader->db, "begin to read", err);
    return read_height(self, &height, err);  // the first read fixes what is seen
}

static void reader_end(struct index_reader *self) {
    struct reader *reader = self->ctx;
    if (sqlite3_get_autocommit(reader->db)) return;
    sqlite3_step(reader->end);
    sqlite3_reset(reader->end);
}

static enum pt_code get_statement(struct reader *reader, unsigned table, sqlite3_stmt **out, struct pt_error *err) {
    if (!index_sqlite_known(table)) return pt_fail(err, PT_INTERNAL, "index", "there is no table %u", table);
    if (!reader->gets[table]) {
        const enum pt_code code = index_sqlite_prepare(reader->db, &reader->gets[table], "SELECT v FROM t%u WHERE k=?1", table, err);
        if (code != PT_OK) return code;
    }
    *out = reader->gets[table];
    return PT_OK;
}

static struct pt_bytes column(sqlite3_stmt *statement, int at) {
    const void *data = sqlite3_column_blob(statement, at);
    return pt_bytes_of(data, (size_t)sqlite3_column_bytes(statement, at));
}

// *found and, while the statement is not reset, *value.
static enum pt_code look_up(struct reader *reader, sqlite3_stmt *statement, unsigned table, struct pt_bytes key, bool *found,
                            struct pt_bytes *value, struct pt_error *err) {
    *found = false;
    *value = (struct pt_bytes){0};
    const enum pt_code code = index_sqlite_bind_key(reader->db, statement, 1, table, key, err);
    if (code != PT_OK) return code;
    const int result = sqlite3_step(statement);
    if (result != SQLITE_ROW && result != SQLITE_DONE) return index_sqlite_failed(reader->db, "read", err);
    *found = result == SQLITE_ROW;
    if (*found) *value = column(statement, 0);
    return PT_OK;
}

static enum pt_code reader_get(struct index_reader *self, unsigned table, struct pt_bytes key, struct pt_buf *out,
                               struct pt_error *err) {
    struct reader *reader = self->ctx;
    sqlite3_stmt *statement;
    struct pt_bytes value;
    bool found;
    enum pt_code code = get_statement(reader, table, &statement, err);
    if (code != PT_OK) return code;
    code = look_up(reader, statement, table, key, &found, &value, err);
    if (code == PT_OK && found) {
        pt_buf_append_bytes(out, value);
        code = pt_buf_check(out, err);
    }
    sqlite3_reset(statement);
    if (code == PT_OK && !found) return pt_fail(err, PT_NOT_FOUND, NULL, "not in the index");
    return code;
}

static enum pt_code reader_get_many(struct index_reader *self, unsigned table, const struct pt_bytes *keys, size_t count,
                                    enum pt_code (*each)(void *arg, size_t index, bool found, struct pt_bytes value), void *arg,
                                    struct pt_error *err) {
    struct reader *reader = self->ctx;
    sqlite3_stmt *statement;
    enum pt_code code = get_statement(reader, table, &statement, err);
    for (size_t i = 0; code == PT_OK && i < count; i++) {
        struct pt_bytes value;
        bool found;
        code = look_up(reader, statement, table, keys[i], &found, &value, err);
        if (code == PT_OK) code = each(arg, i, found, value);
        sqlite3_reset(statement);
    }
    return code;
}

static enum pt_code walk(struct reader *reader, sqlite3_stmt *statement, unsigned table,
                         enum pt_code (*each)(void *arg, struct pt_bytes key, struct pt_bytes value), void *arg,
                         struct pt_error *err) {
    for (int result; (result = sqlite3_step(statement)) != SQLITE_DONE;) {
        uint8_t number[8];
        if (result != SQLITE_ROW) return index_sqlite_failed(reader->db, "read", err);
        struct pt_bytes key;
        if (index_sqlite_numbered(table)) {
            const uint64_t value = (uint64_t)sqlite3_column_int64(statement, 0);
            for (unsigned i = 0; i < 8; i++) number[i] = (uint8_t)(value >> (56 - 8 * i));
            key = pt_bytes_of(number, 8);
        } else {
            key = column(statement, 0);
        }
        const enum pt_code code = each(arg, key, column(statement, 1));
        if (code != PT_OK) return code == PT_NOT_FOUND ? PT_OK : code;
    }
    return PT_OK;
}

static enum pt_code reader_range(struct index_reader *self, unsigned table, struct pt_bytes from, struct pt_bytes to,
                                 bool descending, enum pt_code (*each)(void *arg, struct pt_bytes key, struct pt_bytes value),
                                 void *arg, struct pt_error *err) {
    struct reader *reader = self->ctx;
    static const uint8_t zero[8];
    static const uint8_t most[8] = {0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    sqlite3_stmt *statement = NULL;
    if (!index_sqlite_known(table)) return pt_fail(err, PT_INTERNAL, "index", "there is no table %u", table);
    if (index_sqlite_numbered(table) && from.len == 0) from = pt_bytes_of(zero, 8);
    if (index_sqlite_numbered(table) && to.len == 0) to = pt_bytes_of(most, 8);
    static const char *const forms[2][2] = {
        {"SELECT k, v FROM t%u WHERE k>=?1 ORDER BY k", "SELECT k, v FROM t%u WHERE k>=?1 ORDER BY k DESC"},
        {"SELECT k, v FROM t%u WHERE k>=?1 AND k<?2 ORDER BY k", "SELECT k, v FROM t%u WHERE k>=?1 AND k<?2 ORDER BY k DESC"}};
    enum pt_code code = index_sqlite_prepare(reader->db, &statement, forms[to.len > 0][descending], table, err);
    if (code == PT_OK) code = index_sqlite_bind_key(reader->db, statement, 1, table, from, err);
    if (code == PT_OK && to.len > 0) code = index_sqlite_bind_key(reader->db, statement, 2, table, to, err);
    if (code == PT_OK) code = walk(reader, statement, table, each, arg, err);
    sqlite3_finalize(statement);
    return code;
}

static void reader_close(struct index_reader *self) {
    struct reader *reader = self->ctx;
    if (!reader) return;
    reader_end(self);
    for (unsigned i = 0; i < SQLITE_INDEX_TABLES; i++) sqlite3_finalize(reader->gets[i]);
    sqlite3_finalize(reader->begin);
    sqlite3_finalize(reader->end);
    sqlite3_finalize(reader->height);
    sqlite3_close(reader->db);
    free(reader);
    self->ctx = NULL;
}

// A reader over a connection that it owns from here on.
static enum pt_code reader_over(sqlite3 *db, struct index_reader *out, struct pt_error *err) {
    struct reader *reader = calloc(1, sizeof *reader);
    if (!reader) {
        sqlite3_close(db);
        return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    }
    reader->db = db;
    *out = (struct index_reader){.begin = reader_begin, .end = reader_end, .height = read_height, .get = reader_get,
                                 .get_many = reader_get_many, .range = reader_range, .close = reader_close, .ctx = reader};
    enum pt_code code = index_sqlite_prepare(reader->db, &reader->begin, "BEGIN", 0, err);
    if (code == PT_OK) code = index_sqlite_prepare(reader->db, &reader->end, "COMMIT", 0, err);
    if (code == PT_OK) code = index_sqlite_prepare(reader->db, &reader->height, "SELECT height FROM applied", 0, err);
    if (code != PT_OK) reader_close(out);
    return code;
}

enum pt_code index_sqlite_reader_open(const char *uri, struct index_reader *out, struct pt_error *err) {
    sqlite3 *db;
    *out = (struct index_reader){0};
    const enum pt_code code = index_sqlite_connect(uri, false, READER_CACHE_BYTES, &db, err);
    return code == PT_OK ? reader_over(db, out, err) : code;
}

enum pt_code index_sqlite_look(const char *path, struct index_reader *out, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf name = PT_BUF_INIT(16384);
    PT_FREE char *uri = index_sqlite_uri(path);
    sqlite3 *db = NULL;
    *out = (struct index_reader){0};
    if (!uri) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    if (access(path, F_OK) != 0) return pt_fail(err, PT_NOT_FOUND, path, "there is no index; the node builds it when it starts");
    pt_buf_printf(&name, "%s-wal", path);
    // Without a log beside it nobody has the file open: taken as it stands, SQLite then makes no files of its own.
    const bool in_use = access(pt_buf_cstr(&name), F_OK) == 0;
    pt_buf_clear(&name);
    pt_buf_printf(&name, "%s?%s", uri, in_use ? "mode=ro" : "immutable=1");
    if (sqlite3_open_v2(pt_buf_cstr(&name), &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK ||
        sqlite3_exec(db, "PRAGMA busy_timeout=10000; PRAGMA query_only=1", NULL, NULL, NULL) != SQLITE_OK) {
        const enum pt_code code = index_sqlite_failed(db, "open", err);
        sqlite3_close(db);
        return code;
    }
    const enum pt_code code = index_sqlite_check(db, err);
    if (code == PT_OK) return reader_over(db, out, err);
    sqlite3_close(db);
    return code;
}
