// What the store's files share: one connection, one lock, and statements with their values in one call.
#ifndef PACKTRAIL_GATEWAY_SETTLEMENT_STORE_SQLITE_INTERNAL_H
#define PACKTRAIL_GATEWAY_SETTLEMENT_STORE_SQLITE_INTERNAL_H

#include <pthread.h>

#include "gateway/settlement/store.h"

struct sqlite3;
struct sqlite3_stmt;

struct store {
    pthread_mutex_t lock;  // recursive: a transaction holds it from begin to end
    struct sqlite3 *db;
};

enum pt_code store_failed(struct store *store, const char *doing, struct pt_error *err);

// Prepares `sql` and binds the values that `kinds` names, in order: 'i' int64_t, 't' const char * (NULL: null),
// 'b' struct pt_bytes. The values must live until the statement ends.
enum pt_code store_query(struct store *store, struct sqlite3_stmt **out, struct pt_error *err, const char *sql, const char *kinds, ...);
// Steps: PT_OK with a row, PT_NOT_FOUND without; the statement is to be finished by sqlite3_finalize in both cases.
enum pt_code store_step(struct store *store, struct sqlite3_stmt *statement, struct pt_error *err);
// Runs a statement that gives no rows. The lock is taken.
enum pt_code store_run(struct store *store, struct pt_error *err, const char *sql, const char *kinds, ...);
// The first column of the first row, appended to `out`; PT_NOT_FOUND: no row, or null. The lock is taken.
enum pt_code store_get_blob(struct store *store, struct pt_buf *out, struct pt_error *err, const char *sql, const char *kinds, ...);
enum pt_code store_get_number(struct store *store, int64_t *out, struct pt_error *err, const char *sql, const char *kinds, ...);

#endif
