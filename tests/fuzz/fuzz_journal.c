#include <stdlib.h>
#include <string.h>

#include "common/base/journal.h"
#include "tests/support/disk_fake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define RECORDS 6

static struct pt_bytes record_of(uint64_t number, uint8_t room[40]) {
    memset(room, (int)('a' + number), 40);
    return pt_bytes_of(room, 40 - number);
}

static enum pt_code see(void *arg, const struct pt_journal_position *position, struct pt_bytes record, struct pt_error *err) {
    uint8_t room[40];
    (void)err;
    if (position->number != *(uint64_t *)arg || !pt_bytes_equal(record, record_of(position->number, room))) abort();
    ++*(uint64_t *)arg;
    return PT_OK;
}

// Of a segment that somebody made whole, any records may come.
static enum pt_code count(void *arg, const struct pt_journal_position *position, struct pt_bytes record, struct pt_error *err) {
    (void)err;
    if (record.len > PT_JOURNAL_MAX_RECORD) abort();
    *(uint64_t *)arg = position->number + 1;
    return PT_OK;
}

// The input overwrites parts of a good journal (offset, length, bytes …) or is a segment of its own. Whatever the
// file says then, opening ends, and what is shown is what was once written.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    static const struct pt_journal_options options = {.segment_bytes = 200};
    struct disk_fake *fake = disk_fake_new();
    const struct pt_disk *disk = disk_fake_disk(fake);
    struct pt_journal *journal;
    struct pt_error err;
    uint8_t room[40];
    if (pt_journal_open(disk, &options, NULL, NULL, &journal, &err) != PT_OK) abort();
    for (uint64_t i = 0; i < RECORDS; i++) {
        const struct pt_bytes record = record_of(i, room);
        if (pt_journal_append(journal, &record, 1, NULL, &err) != PT_OK) abort();
        if (i % 2 && pt_journal_sync(journal, &err) != PT_OK) abort();
    }
    pt_journal_close(journal);
    struct pt_buf *segment = disk_fake_content(fake, len > 0 && data[0] & 1 ? "segment-0000000001" : "segment-0000000000");
    const bool own = len > 0 && data[0] & 2;
    if (own) {
        pt_buf_clear(segment);
        pt_buf_append(segment, data + 1, len - 1);
    }
    for (size_t at = 1; !own && at + 2 < len; at += 3) {
        const size_t where = data[at] * 2u + (data[at + 1] & 1);
        if (where < segment->len) segment->data[where] ^= data[at + 2];
        if (data[at + 1] == 0xff && where < segment->len) segment->len = where;
    }
    uint64_t next = 0;
    if (pt_journal_open(disk, &options, own ? count : see, &next, &journal, &err) == PT_OK) {
        if (!own && (pt_journal_next(journal) != next || next > RECORDS)) abort();
        pt_journal_close(journal);
    } else if (err.code != PT_UNVERIFIED || !err.where[0]) {
        abort();
    }
    disk_fake_free(fake);
    return 0;
}
