// What settlement keeps on disk: scans (events that the gateway acknowledged), reports, the pharmacy's records of its sales,
// and the master records it needs. One SQLite file; thread-safe; what a call changed is durable when it returns, or when the
// transaction around it is committed.
#ifndef PACKTRAIL_GATEWAY_SETTLEMENT_STORE_H
#define PACKTRAIL_GATEWAY_SETTLEMENT_STORE_H

#include "common/master/master.h"
#include "gateway/settlement/report.h"

struct store;

enum pt_code store_open(const char *path, struct store **out, struct pt_error *err) PT_NODISCARD;
void store_close(struct store *store);  // NULL is allowed

// A transaction; other threads wait for its end. May not be nested.
enum pt_code store_begin(struct store *store, struct pt_error *err) PT_NODISCARD;
enum pt_code store_commit(struct store *store, struct pt_error *err) PT_NODISCARD;
void store_rollback(struct store *store);

// --- Scans ---
// A statement that was seen before changes nothing.
enum pt_code store_add_scan(struct store *store, const struct pt_digest *id, struct pt_bytes statement, pt_millis now,
                            struct pt_error *err) PT_NODISCARD;
// The oldest scan that has no reports yet; PT_NOT_FOUND: none.
enum pt_code store_unsorted_scan(struct store *store, int64_t *scan, struct pt_buf *statement, struct pt_error *err) PT_NODISCARD;
enum pt_code store_scan_sorted(struct store *store, int64_t scan, struct pt_error *err) PT_NODISCARD;
enum pt_code store_scan(struct store *store, int64_t scan, struct pt_buf *statement, struct pt_error *err) PT_NODISCARD;

// --- Reports ---
// `identity` is the event's (its ID or hash). report->number is set. PT_CONFLICT: the scan has one for this platform.
enum pt_code store_add_report(struct store *store, struct report *report, const char *identity, struct pt_error *err) PT_NODISCARD;
// Everything but document and answer. A report that is no longer open lets the pack's next ones go.
enum pt_code store_save_report(struct store *store, const struct report *report, struct pt_error *err) PT_NODISCARD;
enum pt_code store_report(struct store *store, int64_t number, struct report *out, struct pt_error *err) PT_NODISCARD;
enum pt_code store_report_of(struct store *store, const struct pt_digest *statement, enum platform platform, struct report *out,
                             struct pt_error *err) PT_NODISCARD;
// The newest report of that event that is (`undo`) or is not a reversal and not void; PT_NOT_FOUND.
enum pt_code store_report_by_identity(struct store *store, enum platform platform, const char *identity, bool undo,
                                      struct report *out, struct pt_error *err) PT_NODISCARD;
enum pt_code store_reversal_of(struct store *store, int64_t number, struct report *out, struct pt_error *err) PT_NODISCARD;
enum pt_code store_set_packs(struct store *store, const struct report *report, const struct pt_bytes *keys, size_t count,
                             struct pt_error *err) PT_NODISCARD;
enum pt_code store_set_document(struct store *store, int64_t number, struct pt_bytes document, struct pt_error *err) PT_NODISCARD;
enum pt_code store_document(struct store *store, int64_t number, struct pt_buf *out, struct pt_error *err) PT_NODISCARD;
enum pt_code store_set_answer(struct store *store, int64_t number, struct pt_bytes answer, struct pt_error *err) PT_NODISCARD;
enum pt_code store_answer(struct store *store, int64_t number, struct pt_buf *out, struct pt_error *err) PT_NODISCARD;

// The oldest waiting report without a document that waits for nothing; PT_NOT_FOUND.
enum pt_code store_underived_report(struct store *store, struct report *out, struct pt_error *err) PT_NODISCARD;
// The oldest report that is due and that no earlier open report of one of its packs stands before. PT_NOT_FOUND: none; then
// *next is when the next one is due (-1: none is).
enum pt_code store_due_report(struct store *store, enum platform platform, pt_millis now, struct report *out, pt_millis *next,
                              struct pt_error *err) PT_NODISCARD;
// What reports waited for has arrived.
enum pt_code store_arrived(struct store *store, const char *key, struct pt_error *err) PT_NODISCARD;
// One of the keys with this prefix that reports wait for, behind `after` ("": from the first); PT_NOT_FOUND.
enum pt_code store_next_lack(struct store *store, const char *prefix, const char *after, char out[LACK_MAX],
                             struct pt_error *err) PT_NODISCARD;

typedef enum pt_code store_visit(void *arg, const struct report *report, struct pt_error *err);
// Reports in the order of their numbers from `from` on, of one state (0: all), changed at or after `since`; at most `most`.
enum pt_code store_list(struct store *store, enum report_state state, pt_millis since, int64_t from, size_t most, store_visit *visit,
                        void *arg, struct pt_error *err) PT_NODISCARD;
enum pt_code store_count(struct store *store, enum platform platform, enum report_state state, int64_t *out,
                         struct pt_error *err) PT_NODISCARD;
enum pt_code store_count_unsorted(struct store *store, int64_t *out, struct pt_error *err) PT_NODISCARD;

// --- What reports are made from ---
enum pt_code store_put_sale(struct store *store, const char *token, struct pt_bytes record, pt_millis now, struct pt_error *err) PT_NODISCARD;
enum pt_code store_sale(struct store *store, const char *token, struct pt_buf *out, struct pt_error *err) PT_NODISCARD;
enum pt_code store_put_pack(struct store *store, const char *uri, const char *lot, const char *expiry, struct pt_error *err) PT_NODISCARD;
enum pt_code store_pack(struct store *store, const char *uri, struct pt_arena *arena, const char **lot, const char **expiry,
                        struct pt_error *err) PT_NODISCARD;
// A record under one of its identifiers (master_key); a withdrawal is kept, too.
enum pt_code store_put_master(struct store *store, struct pt_bytes key, struct pt_bytes record, struct pt_error *err) PT_NODISCARD;
// The record in force at `at`, encoded.
enum pt_code store_master(struct store *store, enum master_kind kind, const char *identifier, pt_millis at, struct pt_buf *out,
                          struct pt_error *err) PT_NODISCARD;
enum pt_code store_cursor(struct store *store, uint64_t *out, struct pt_error *err) PT_NODISCARD;
enum pt_code store_set_cursor(struct store *store, uint64_t cursor, struct pt_error *err) PT_NODISCARD;

#endif
