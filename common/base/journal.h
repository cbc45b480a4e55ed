// An append-only log of records in numbered segment files: the terminal's outbox, the gateway's spool and the
// ledger's chain are each one journal.
//
// Each record's frame carries its length, its number and keyed checks (journal_format.h). What a power cut leaves
// behind the last synced record - torn, missing or out of order - is cut off at open; damage to what had been synced
// is never skipped: open fails with PT_UNVERIFIED and names file and offset.
#ifndef PACKTRAIL_COMMON_BASE_JOURNAL_H
#define PACKTRAIL_COMMON_BASE_JOURNAL_H

#include "common/base/disk.h"

#define PT_JOURNAL_MAX_RECORD ((size_t)4 * 1024 * 1024)

struct pt_journal;

// Where a record lies; kept by callers that want to read it again without a search.
struct pt_journal_position {
    uint64_t number;   // 0 for the first record ever written, then without gaps
    uint64_t offset;   // of the frame within its segment file
    uint32_t segment;  // number of the segment file
};

struct pt_journal_options {
    uint64_t segment_bytes;  // a new segment is begun when the current one is at least this long; at most 1 GiB,
                             // 0: 64 MiB
};

// Called at open for every record in order; the bytes live only during the call. An error stops the opening.
// When open returns PT_OK, all that was visited is durable.
typedef enum pt_code pt_journal_visit(void *arg, const struct pt_journal_position *position, struct pt_bytes record,
                                      struct pt_error *err);

// Opens or creates; `visit` may be NULL (frames are still checked in the last segment only then).
// `disk` must outlive the journal. One process at a time (lock file); a second one gets PT_UNAVAILABLE.
enum pt_code pt_journal_open(const struct pt_disk *disk, const struct pt_journal_options *options,
                             pt_journal_visit *visit, void *arg, struct pt_journal **out,
                             struct pt_error *err) PT_NODISCARD;
void pt_journal_close(struct pt_journal *journal);

// Appends one record made of `count` parts; durable only after pt_journal_sync. After a failed append or sync
// the journal refuses further appends (PT_UNAVAILABLE) until it is reopened, and can still be read: what reached the
// disk is unknown. A record past PT_JOURNAL_MAX_RECORD is PT_LIMIT and changes nothing.
enum pt_code pt_journal_append(struct pt_journal *journal, const struct pt_bytes *parts, size_t count,
                               struct pt_journal_position *out, struct pt_error *err) PT_NODISCARD;
// Makes durable what was appended before the call; may run in another thread while appending goes on.
enum pt_code pt_journal_sync(struct pt_journal *journal, struct pt_error *err) PT_NODISCARD;

// Reads and checks one record and appends its content to `out`. Safe from any thread. PT_NOT_FOUND: dropped or cut.
enum pt_code pt_journal_read(struct pt_journal *journal, const struct pt_journal_position *position,
                             struct pt_buf *out, struct pt_error *err) PT_NODISCARD;

// Where the record behind `position` lies (NULL: the oldest one kept), so that a reader can go on from a place that it
// knows without reading what lies before. PT_NOT_FOUND: `position` is the last. Safe from any thread.
enum pt_code pt_journal_following(struct pt_journal *journal, const struct pt_journal_position *position,
                                  struct pt_journal_position *out, struct pt_error *err) PT_NODISCARD;

// Deletes whole segments all of whose records have numbers below `number`. The last segment stays.
enum pt_code pt_journal_drop_before(struct pt_journal *journal, uint64_t number, struct pt_error *err) PT_NODISCARD;

// Cuts the journal so that `number` is the next to be written (roll-back of what is not final).
enum pt_code pt_journal_truncate(struct pt_journal *journal, const struct pt_journal_position *first_gone,
                                 struct pt_error *err) PT_NODISCARD;

uint64_t pt_journal_next(const struct pt_journal *journal);   // number that the next append gets
uint64_t pt_journal_bytes(const struct pt_journal *journal);  // size of all segments

#endif
