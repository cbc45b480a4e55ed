// How a journal lies on the disk, and its parts in memory. For journal*.c alone.
#ifndef PACKTRAIL_COMMON_BASE_JOURNAL_FORMAT_H
#define PACKTRAIL_COMMON_BASE_JOURNAL_FORMAT_H

#include <pthread.h>
#include <stdatomic.h>

#include "common/base/journal.h"
#include "common/base/siphash.h"

// A segment file "segment-0000000003" (all integers little-endian):
//    0  magic "PTJRNL1\n"
//    8  segment number, 4 bytes; then 4 zero bytes
//   16  number of its first record, 8 bytes
//   24  salt, 16 random bytes: the key of all checks in this file
//   40  check of bytes 0 to 39
//   48  frames
//
// A frame:
//    0  length of the content, 4 bytes; JOURNAL_MARK for a mark
//    4  unsynced, 4 bytes: how many bytes before this frame were not known to be synced when it was written
//    8  record number, 8 bytes (of a mark: the number that comes next)
//   16  check of bytes 0 to 15 and the frame's offset
//   24  check of the content, under the key changed by the record number; 0 for a mark
//   32  content
//
// A mark is written behind the last frame after a sync and overwritten by the next frame. `unsynced` and marks tell
// a damaged record that had been synced (open must fail) from one that was still on its way (cut off). The salt
// keeps whoever writes a record from putting a look-alike frame into its content.
#define JOURNAL_MAGIC "PTJRNL1\n"
#define JOURNAL_SEGMENT_HEADER 48u
#define JOURNAL_FRAME_HEADER 32u
#define JOURNAL_MARK UINT32_MAX

struct journal_segment {
    uint32_t number;
    uint64_t first;  // record number
    uint64_t bytes;  // end of the last frame
    struct pt_siphash_key key;
    struct pt_file *file;  // NULL while closed
    unsigned users;        // readers that hold `file`
    bool gone;             // dropped; freed by the last user
};

struct pt_journal {
    const struct pt_disk *disk;
    uint64_t segment_bytes;
    struct pt_file *lock;
    pthread_mutex_t mutex;  // guards all below
    struct journal_segment **segments;
    size_t count;
    size_t open_files;
    uint64_t synced;  // end of what is durable in the last segment
    bool failed;      // no appends any more
    struct pt_buf frame;
    _Atomic uint64_t next;
    _Atomic uint64_t bytes;
};

struct journal_frame {
    uint32_t length;
    uint32_t unsynced;
    uint64_t number;
    uint64_t content_check;
};

#define JOURNAL_NAME_SIZE 32
void journal_segment_name(uint32_t number, char out[JOURNAL_NAME_SIZE]);

static inline uint64_t journal_get(const uint8_t *at, unsigned bytes) {
    uint64_t value = 0;
    for (unsigned i = bytes; i-- > 0;) value = value << 8 | at[i];
    return value;
}

static inline void journal_put(uint8_t *at, uint64_t value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; i++) at[i] = (uint8_t)(value >> (8 * i));
}

// Whether the 32 bytes are an intact frame header (its content not looked at) for this offset.
bool journal_frame_decode(const struct journal_segment *segment, uint64_t offset, const uint8_t *header,
                          struct journal_frame *out);
void journal_frame_encode(const struct journal_segment *segment, uint64_t offset, const struct journal_frame *frame,
                          uint8_t out[JOURNAL_FRAME_HEADER]);
uint64_t journal_content_check(const struct journal_segment *segment, uint64_t number, struct pt_bytes content);

// Adds a new, empty, durable segment at the end.
enum pt_code journal_add_segment(struct pt_journal *journal, uint32_t number, uint64_t first, struct pt_error *err);
enum pt_code journal_push(struct pt_journal *journal, struct journal_segment *segment, struct pt_error *err);
void journal_write_mark(struct pt_journal *journal);

// Finds, checks and replays what is on the disk; leaves a journal that can be appended to.
enum pt_code journal_recover(struct pt_journal *journal, pt_journal_visit *visit, void *arg, struct pt_error *err);

#endif
