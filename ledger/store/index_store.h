// What hides the database: the ledger's state and side tables, at the state after one whole height. It holds nothing
// that the chain does not say: it can be dropped and rebuilt.
//
// Keys and values are bytes; keys sort bytewise. Writing is one thread's; each reading thread takes a reader of its own.
#ifndef PACKTRAIL_LEDGER_STORE_INDEX_STORE_H
#define PACKTRAIL_LEDGER_STORE_INDEX_STORE_H

#include "common/chain/state_change.h"

// Tables below 64 are state (enum state_table) and part of the hash of changes; those from 64 on are side tables that
// only help to find things. `state_change.table` carries both kinds.
enum index_table {
    INDEX_STATEMENT = 64,  // start of a statement id, leaf index -> nothing (side_tables.h)
    INDEX_SEQUENCE = 65,   // start of a kid, sequence -> leaf indices
    INDEX_LINKS = 66,      // leaf index -> for each pack that the statement touched, the position before
    INDEX_HEIGHT = 67,     // height -> where its record lies, its first leaf, time
    INDEX_BLOCK = 68,      // gateway kid, sequence -> height
    INDEX_FEED = 69,       // audience, leaf index, kind -> nothing
    INDEX_PACK_ALERT = 70, // pack key, alert number -> nothing
    INDEX_TLS = 71,        // thumbprint of a TLS key -> kid
    INDEX_LEAF = 72,       // first leaf of a height -> height
    INDEX_META = 73,       // name -> value: what the node keeps about its own files
};
#define INDEX_FIRST_SIDE_TABLE 64u

// A read view. Between `begin` and `end` every answer is from one height; outside, each call is on its own.
struct index_reader {
    enum pt_code (*begin)(struct index_reader *reader, struct pt_error *err);
    void (*end)(struct index_reader *reader);
    enum pt_code (*height)(struct index_reader *reader, uint64_t *out, struct pt_error *err);
    // PT_NOT_FOUND if there is no such key. The value is appended to `out`.
    enum pt_code (*get)(struct index_reader *reader, unsigned table, struct pt_bytes key, struct pt_buf *out,
                        struct pt_error *err);
    // Calls `each` once for every key in the order given (best sorted); found false: value is empty. An error stops.
    enum pt_code (*get_many)(struct index_reader *reader, unsigned table, const struct pt_bytes *keys, size_t count,
                             enum pt_code (*each)(void *arg, size_t index, bool found, struct pt_bytes value), void *arg,
                             struct pt_error *err);
    // Calls `each` for keys in [from, to) (to of no bytes: to the end), ascending or descending, until it says stop by
    // any code other than PT_OK: PT_NOT_FOUND stops without an error, others are given back.
    enum pt_code (*range)(struct index_reader *reader, unsigned table, struct pt_bytes from, struct pt_bytes to,
                          bool descending, enum pt_code (*each)(void *arg, struct pt_bytes key, struct pt_bytes value),
                          void *arg, struct pt_error *err);
    void (*close)(struct index_reader *reader);
    void *ctx;
};

struct index_store {
    // One transaction: begin, any number of puts, commit. `commit` records `height` as applied. `rollback` forgets.
    enum pt_code (*begin)(struct index_store *store, struct pt_error *err);
    // Sorted by table and key: a sorted batch is several times faster.
    enum pt_code (*put)(struct index_store *store, const struct state_change *changes, size_t count, struct pt_error *err);
    enum pt_code (*commit)(struct index_store *store, uint64_t height, struct pt_error *err);
    void (*rollback)(struct index_store *store);
    enum pt_code (*reader)(struct index_store *store, struct index_reader *out, struct pt_error *err);
    // Whether anything was applied at all (a fresh store holds not even the genesis), and the height.
    enum pt_code (*applied)(struct index_store *store, bool *any, uint64_t *height, struct pt_error *err);
    uint64_t (*bytes)(struct index_store *store);  // on disk
    void (*close)(struct index_store *store);
    void *ctx;
};

// SQLite on the file `path` (":memory:" for one that lives as long as it is open, shared by its readers).
// cache_bytes: of the writer. PT_UNVERIFIED: the file is damaged or another version's; drop it and rebuild.
enum pt_code index_sqlite_open(const char *path, uint64_t cache_bytes, struct index_store *out, struct pt_error *err) PT_NODISCARD;
// A reader of an index file that another process may have open; writes nothing beside it that was not there. PT_NOT_FOUND:
// there is none. PT_UNVERIFIED: it is another version's.
enum pt_code index_sqlite_look(const char *path, struct index_reader *out, struct pt_error *err) PT_NODISCARD;
// Removes the files of an index that is not open.
enum pt_code index_sqlite_drop(const char *path, struct pt_error *err) PT_NODISCARD;

#endif
