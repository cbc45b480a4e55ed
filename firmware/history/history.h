// What this terminal has signed of late: shown to its user, and the source of what is undone. Beside the outbox, which
// forgets a statement as soon as the ledger holds it.
#ifndef PACKTRAIL_FIRMWARE_HISTORY_HISTORY_H
#define PACKTRAIL_FIRMWARE_HISTORY_HISTORY_H

#include "common/base/journal.h"

struct history;

// most_bytes: about as much is kept, the newest of it. A damaged history is begun anew. `disk` must outlive the history.
enum pt_code history_open(const struct pt_disk *disk, uint64_t most_bytes, struct history **out, struct pt_error *err) PT_NODISCARD;
void history_close(struct history *history);

struct history_item {
    struct pt_digest id;  // of the statement
    uint64_t sequence;
    struct pt_buf payload;  // the event as signed; freed by the caller
};

// Durable when it returns. The statement itself is safe in the outbox before this is called.
enum pt_code history_note(struct history *history, const struct pt_digest *id, uint64_t sequence, struct pt_bytes payload,
                          struct pt_error *err) PT_NODISCARD;

size_t history_count(const struct history *history);
// Number 0 is the newest. PT_NOT_FOUND beyond the oldest that is kept.
enum pt_code history_read(struct history *history, size_t number, struct history_item *out, struct pt_error *err) PT_NODISCARD;
// By statement id. PT_NOT_FOUND: not signed here, or too long ago.
enum pt_code history_find(struct history *history, const struct pt_digest *id, struct history_item *out, struct pt_error *err) PT_NODISCARD;

#endif
