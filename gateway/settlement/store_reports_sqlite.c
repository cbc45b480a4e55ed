#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "gateway/settlement/store_sqlite_internal.h"

#define COLUMNS \
    "number, scan, statement, platform, kind, undo, reverses, state, ready, lacks, generation, attempts, failures, created, changed," \
    " sent, due, level, code, reason"
#define OPEN "state IN (1, 2)"  // enum report_state: waiting, unknown

static void copy(char *out, size_t size, sqlite3_stmt *row, int column) {
    const char *text = (const char *)sqlite3_column_text(row, column);
    snprintf(out, size, "%s", text ? text : "");
}

static void read_report(sqlite3_stmt *row, struct report *out) {
    *out = (struct report){
        .number = sqlite3_column_int64(row, 0),
        .scan = sqlite3_column_int64(row, 1),
        .platform = sqlite3_column_int(row, 3) == PLATFORM_TRACE ? PLATFORM_TRACE : PLATFORM_INSURER,
        .undo = sqlite3_column_int(row, 5),
        .reverses = sqlite3_column_int64(row, 6),
        .state = (enum report_state)sqlite3_column_int(row, 7),
        .ready = sqlite3_column_int(row, 8),
        .generation = (uint32_t)sqlite3_column_int64(row, 10),
        .attempts = (uint32_t)sqlite3_column_int64(row, 11),
        .failures = (uint32_t)sqlite3_column_int64(row, 12),
        .created = sqlite3_column_int64(row, 13),
        .changed = sqlite3_column_int64(row, 14),
        .sent = sqlite3_column_int64(row, 15),
        .due = sqlite3_column_int64(row, 16),
    };
    const void *statement = sqlite3_column_blob(row, 2);
    if (statement && sqlite3_column_bytes(row, 2) == PT_DIGEST_SIZE) memcpy(out->statement.bytes, statement, PT_DIGEST_SIZE);
    copy(out->kind, sizeof out->kind, row, 4);
    copy(out->lacks.keys, sizeof out->lacks.keys, row, 9);
    copy(out->level, sizeof out->level, row, 17);
    copy(out->code, sizeof out->code, row, 18);
    copy(out->reason, sizeof out->reason, row, 19);
}

// The first row of a query for COLUMNS; finishes the statement.
static enum pt_code first_report(struct store *store, sqlite3_stmt *statement, enum pt_code code, struct report *out, struct pt_error *err) {
    if (code == PT_OK) code = store_step(store, statement, err);
    if (code == PT_OK) read_report(statement, out);
    sqlite3_finalize(statement);
    pthread_mutex_unlock(&store->lock);
    return code;
}

// One row for each key that an open report waits for.
static enum pt_code save_waits(struct store *store, const struct report *report, struct pt_error *err) {
    char key[LACK_MAX];
    enum pt_code code = store_run(store, err, "DELETE FROM waits WHERE number=?", "i", report->number);
    for (size_t at = 0; code == PT_OK && report->state == REPORT_WAITING && lacks_next(&report->lacks, &at, key);)
        code = store_run(store, err, "INSERT INTO waits(key, number) VALUES(?,?) ON CONFLICT DO NOTHING", "ti", key, report->number);
    return code;
}

enum pt_code store_add_report(struct store *store, struct report *report, const char *identity, struct pt_error *err) {
    const struct report *r = report;
    pthread_mutex_lock(&store->lock);
    enum pt_code code =
        store_run(store, err,
                  "INSERT INTO reports(scan, statement, platform, kind, undo, reverses, identity, state, ready, lacks, generation,"
                  " attempts, failures, created, changed, sent, due, level, code, reason)"
                  " VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT(scan, platform) DO NOTHING",
                  "ibitiitiitiiiiiiittt", r->scan, pt_bytes_digest(&r->statement), (int64_t)r->platform, r->kind, (int64_t)r->undo,
                  r->reverses, identity, (int64_t)r->state, (int64_t)r->ready, r->lacks.keys, (int64_t)r->generation,
                  (int64_t)r->attempts, (int64_t)r->failures, (int64_t)r->created, (int64_t)r->changed, (int64_t)r->sent,
                  (int64_t)r->due, r->level, r->code, r->reason);
    if (code == PT_OK && sqlite3_changes(store->db) == 0)
        code = pt_fail(err, PT_CONFLICT, "settlement store", "the scan has a report for this platform");
    if (code == PT_OK) {
        report->number = sqlite3_last_insert_rowid(store->db);
        code = save_waits(store, report, err);
    }
    pthread_mutex_unlock(&store->lock);
    return code;
}

enum pt_code store_save_report(struct store *store, const struct report *r, struct pt_error *err) {
    pthread_mutex_lock(&store->lock);
    enum pt_code code = store_run(store, err,
                                  "UPDATE reports SET kind=?, reverses=?, state=?, ready=?, lacks=?, generation=?, attempts=?, failures=?,"
                                  " changed=?, sent=?, due=?, level=?, code=?, reason=? WHERE number=?",
                                  "tiiitiiiiiittti", r->kind, r->reverses, (int64_t)r->state, (int64_t)r->ready, r->lacks.keys,
                                  (int64_t)r->generation, (int64_t)r->attempts, (int64_t)r->failures, (int64_t)r->changed,
                                  (int64_t)r->sent, (int64_t)r->due, r->level, r->code, r->reason, r->number);
    if (code == PT_OK) code = save_waits(store, r, err);
    if (code == PT_OK && !report_is_open(r)) code = store_run(store, err, "DELETE FROM open_packs WHERE number=?", "i", r->number);
    pthread_mutex_unlock(&store->lock);
    return code;
}

enum pt_code store_report(struct store *store, int64_t number, struct report *out, struct pt_error *err) {
    sqlite3_stmt *statement;
    pthread_mutex_lock(&store->lock);
    const enum pt_code code = store_query(store, &statement, err, "SELECT " COLUMNS " FROM reports WHERE number=?", "i", number);
    return first_report(store, statement, code, out, err);
}

enum pt_code store_report_of(struct store *store, const struct pt_digest *id, enum platform platform, struct report *out,
                             struct pt_error *err) {
    sqlite3_stmt *statement;
    pthread_mutex_lock(&store->lock);
    const enum pt_code code = store_query(store, &statement, err, "SELECT " COLUMNS " FROM reports WHERE statement=? AND platform=?", "bi",
                                          pt_bytes_digest(id), (int64_t)platform);
    return first_report(store, statement, code, out, err);
}

enum pt_code store_report_by_identity(struct store *store, enum platform platform, const char *identity, bool undo,
                                      struct report *out, struct pt_error *err) {
    sqlite3_stmt *statement;
    pthread_mutex_lock(&store->lock);
    const enum pt_code code = store_query(store, &statement, err,
                                          "SELECT " COLUMNS " FROM reports WHERE identity=? AND platform=? AND undo=?"
                                          " ORDER BY state=6, number DESC LIMIT 1",
                                          "tii", identity, (int64_t)platform, (int64_t)undo);
    return first_report(store, statement, code, out, err);
}

enum pt_code store_reversal_of(struct store *store, int64_t number, struct report *out, struct pt_error *err) {
    sqlite3_stmt *statement;
    pthread_mutex_lock(&store->lock);
    const enum pt_code code = store_query(store, &statement, err, "SELECT " COLUMNS " FROM reports WHERE reverses=? AND reverses>0 LIMIT 1", "i", number);
    return first_report(store, statement, code, out, err);
}

enum pt_code store_set_packs(struct store *store, const struct report *report, const struct pt_bytes *keys, size_t count,
                             struct pt_error *err) {
    enum pt_code code = PT_OK;
    for (size_t i = 0; i < count && code == PT_OK; i++)
        code = store_run(store, err, "INSERT INTO open_packs(pack, platform, number) VALUES(?,?,?) ON CONFLICT DO NOTHING", "bii", keys[i],
                         (int64_t)report->platform, report->number);
    return code;
}

enum pt_code store_set_document(struct store *store, int64_t number, struct pt_bytes document, struct pt_error *err) {
    return store_run(store, err,
                     "INSERT INTO documents(number, document) VALUES(?,?) ON CONFLICT(number) DO UPDATE SET document=excluded.document, answer=NULL",
                     "ib", number, document);
}

enum pt_code store_document(struct store *store, int64_t number, struct pt_buf *out, struct pt_error *err) {
    return store_get_blob(store, out, err, "SELECT document FROM documents WHERE number=?", "i", number);
}

enum pt_code store_set_answer(struct store *store, int64_t number, struct pt_bytes answer, struct pt_error *err) {
    return store_run(store, err, "UPDATE documents SET answer=? WHERE number=?", "bi", answer, number);
}

enum pt_code store_answer(struct store *store, int64_t number, struct pt_buf *out, struct pt_error *err) {
    return store_get_blob(store, out, err, "SELECT answer FROM documents WHERE number=?", "i", number);
}

enum pt_code store_underived_report(struct store *store, struct report *out, struct pt_error *err) {
    sqlite3_stmt *statement;
    pthread_mutex_lock(&store->lock);
    const enum pt_code code = store_query(store, &statement, err,
                                          "SELECT " COLUMNS " FROM reports WHERE state=1 AND ready=0 AND lacks='' ORDER BY number LIMIT 1", "");
    return first_report(store, statement, code, out, err);
}

// Behind no earlier open report of one of its packs; a reversal not before what it takes back is accepted.
#define FREE \
    " AND NOT EXISTS (SELECT 1 FROM open_packs own JOIN open_packs other ON other.pack=own.pack AND other.platform=own.platform" \
    " WHERE own.number=r.number AND other.number<r.number)"

enum pt_code store_due_report(struct store *store, enum platform platform, pt_millis now, struct report *out, pt_millis *next,
                              struct pt_error *err) {
    sqlite3_stmt *statement;
    pthread_mutex_lock(&store->lock);
    const enum pt_code code = store_query(store, &statement, err,
                                          "SELECT " COLUMNS " FROM reports r WHERE platform=? AND " OPEN " AND ready=1 AND due<=?" FREE
                                          " ORDER BY number LIMIT 1",
                                          "ii", (int64_t)platform, (int64_t)now);
    const enum pt_code found = first_report(store, statement, code, out, err);
    *next = -1;
    int64_t due = 0;
    if (found != PT_NOT_FOUND) return found;
    // Those that stand behind another are woken with it.
    const enum pt_code later = store_get_number(store, &due, NULL,
                                                "SELECT due FROM reports r WHERE platform=? AND " OPEN " AND ready=1 AND due>?" FREE
                                                " ORDER BY due LIMIT 1",
                                                "ii", (int64_t)platform, (int64_t)now);
    if (later == PT_OK) *next = due;
    return found;
}

enum pt_code store_arrived(struct store *store, const char *key, struct pt_error *err) {
    pthread_mutex_lock(&store->lock);
    enum pt_code code = store_run(store, err, "UPDATE reports SET lacks='' WHERE number IN (SELECT number FROM waits WHERE key=?)", "t", key);
    if (code == PT_OK)
        code = store_run(store, err, "DELETE FROM waits WHERE number IN (SELECT number FROM waits WHERE key=?)", "t", key);
    pthread_mutex_unlock(&store->lock);
    return code;
}

enum pt_code store_next_lack(struct store *store, const char *prefix, const char *after, char out[LACK_MAX], struct pt_error *err) {
    sqlite3_stmt *statement;
    char most[LACK_MAX + 8];
    // Behind every text that begins with the prefix.
    snprintf(most, sizeof most, "%.300s\xf4\x8f\xbf\xbf", prefix);
    pthread_mutex_lock(&store->lock);
    enum pt_code code = store_query(store, &statement, err, "SELECT key FROM waits WHERE key>? AND key>=? AND key<? ORDER BY key LIMIT 1", "ttt",
                                    after, prefix, most);
    if (code == PT_OK) code = store_step(store, statement, err);
    if (code == PT_OK) copy(out, LACK_MAX, statement, 0);
    sqlite3_finalize(statement);
    pthread_mutex_unlock(&store->lock);
    return code;
}

// Each question has its index, so that a list never goes through everything while others wait.
static const char *list_query(enum report_state state, pt_millis since) {
    if (since > 0)
        return "SELECT " COLUMNS " FROM reports INDEXED BY reports_changed WHERE changed>=?3 AND number>=?1 AND (?2=0 OR state=?2)"
               " ORDER BY number LIMIT ?4";
    if (state) return "SELECT " COLUMNS " FROM reports INDEXED BY reports_state WHERE state=?2 AND number>=?1 AND changed>=?3 ORDER BY number LIMIT ?4";
    return "SELECT " COLUMNS " FROM reports WHERE number>=?1 AND ?2=0 AND changed>=?3 ORDER BY number LIMIT ?4";
}

enum pt_code store_list(struct store *store, enum report_state state, pt_millis since, int64_t from, size_t most, store_visit *visit,
                        void *arg, struct pt_error *err) {
    sqlite3_stmt *statement;
    pthread_mutex_lock(&store->lock);
    enum pt_code code = store_query(store, &statement, err, list_query(state, since), "iiii", from, (int64_t)state, (int64_t)since, (int64_t)most);
    while (code == PT_OK && (code = store_step(store, statement, err)) == PT_OK) {
        struct report report;
        read_report(statement, &report);
        code = visit(arg, &report, err);
    }
    sqlite3_finalize(statement);
    pthread_mutex_unlock(&store->lock);
    return code == PT_NOT_FOUND ? PT_OK : code;
}

enum pt_code store_count(struct store *store, enum platform platform, enum report_state state, int64_t *out, struct pt_error *err) {
    const enum pt_code code = store_get_number(store, out, err, "SELECT count FROM counts WHERE platform=? AND state=?", "ii", (int64_t)platform,
                                               (int64_t)state);
    if (code != PT_NOT_FOUND) return code;
    *out = 0;
    return PT_OK;
}
