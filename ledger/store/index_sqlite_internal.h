// What the two halves of the SQLite index (writing; reading) share. Nobody else includes this.
#ifndef PACKTRAIL_LEDGER_STORE_INDEX_SQLITE_INTERNAL_H
#define PACKTRAIL_LEDGER_STORE_INDEX_SQLITE_INTERNAL_H

#include "ledger/store/index_store.h"

struct sqlite3;
struct sqlite3_stmt;

#define SQLITE_INDEX_TABLES 80u  // above every table number

// Tables whose keys are 8-byte big-endian numbers below 2^63 are kept by SQLite's own row number: a third smaller.
bool index_sqlite_numbered(unsigned table);
bool index_sqlite_known(unsigned table);

enum pt_code index_sqlite_failed(struct sqlite3 *db, const char *doing, struct pt_error *err);
enum pt_code index_sqlite_prepare(struct sqlite3 *db, struct sqlite3_stmt **statement, const char *format, unsigned table,
                                  struct pt_error *err);
enum pt_code index_sqlite_bind_key(struct sqlite3 *db, struct sqlite3_stmt *statement, int at, unsigned table,
                                   struct pt_bytes key, struct pt_error *err);
// Opens a connection with the settings that both halves need.
enum pt_code index_sqlite_connect(const char *uri, bool writer, uint64_t cache_bytes, struct sqlite3 **out, struct pt_error *err);

// A path as an SQLite URI, what has a meaning there percent-encoded; malloc.
char *index_sqlite_uri(const char *path);
// Whether the file is an index of ours; PT_UNVERIFIED if not.
enum pt_code index_sqlite_check(struct sqlite3 *db, struct pt_error *err);

enum pt_code index_sqlite_reader_open(const char *uri, struct index_reader *out, struct pt_error *err);

#endif
