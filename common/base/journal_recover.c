#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/journal_format.h"

#define WINDOW_BYTES ((size_t)1024 * 1024)

void journal_segment_name(uint32_t number, char out[JOURNAL_NAME_SIZE]) {
    snprintf(out, JOURNAL_NAME_SIZE, "segment-%010u", number);
}

static uint64_t header_check(const struct journal_segment *segment, uint64_t offset, const uint8_t *header) {
    uint8_t checked[24];
    memcpy(checked, header, 16);
    journal_put(checked + 16, offset, 8);
    return pt_siphash(segment->key, pt_bytes_of(checked, sizeof checked));
}

bool journal_frame_decode(const struct journal_segment *segment, uint64_t offset, const uint8_t *header,
                          struct journal_frame *out) {
    out->length = (uint32_t)journal_get(header, 4);
    out->unsynced = (uint32_t)journal_get(header + 4, 4);
    out->number = journal_get(header + 8, 8);
    out->content_check = journal_get(header + 24, 8);
    return journal_get(header + 16, 8) == header_check(segment, offset, header);
}

void journal_frame_encode(const struct journal_segment *segment, uint64_t offset, const struct journal_frame *frame,
                          uint8_t out[JOURNAL_FRAME_HEADER]) {
    journal_put(out, frame->length, 4);
    journal_put(out + 4, frame->unsynced, 4);
    journal_put(out + 8, frame->number, 8);
    journal_put(out + 16, header_check(segment, offset, out), 8);
    journal_put(out + 24, frame->content_check, 8);
}

uint64_t journal_content_check(const struct journal_segment *segment, uint64_t number, struct pt_bytes content) {
    const struct pt_siphash_key key = {segment->key.low ^ number, segment->key.high};
    return pt_siphash(key, content);
}

// A part of one segment file in memory.
struct window {
    const struct pt_disk *disk;
    struct pt_file *file;
    uint64_t size;   // of the file
    uint64_t start;  // offset of data[0]
    struct pt_buf data;
};

// *out = `len` bytes at `offset`, which the file must have.
static enum pt_code look(struct window *window, uint64_t offset, size_t len, const uint8_t **out, struct pt_error *err) {
    if (offset < window->start || offset + len > window->start + window->data.len) {
        const uint64_t left = window->size - offset;
        size_t want = len > WINDOW_BYTES ? len : WINDOW_BYTES;
        if (want > left) want = (size_t)left;
        pt_buf_clear(&window->data);
        window->start = offset;
        uint8_t *room = pt_buf_extend(&window->data, want);
        if (!room) return pt_buf_check(&window->data, err);
        const enum pt_code code = window->disk->read_at(window->disk->ctx, window->file, offset, room, want, err);
        if (code != PT_OK) {
            pt_buf_clear(&window->data);
            return code;
        }
    }
    *out = window->data.data + (offset - window->start);
    return PT_OK;
}

struct scan {
    struct pt_journal *journal;
    struct journal_segment *segment;
    struct window window;
    pt_journal_visit *visit;
    void *arg;
    uint64_t next;    // record number expected at segment->bytes
    uint64_t synced;  // what frames and marks say about the end of what is durable
};

enum verdict { SCAN_RECORD, SCAN_END, SCAN_BAD };

static enum pt_code scan_one(struct scan *scan, enum verdict *verdict, struct pt_error *err) {
    struct journal_segment *segment = scan->segment;
    const uint64_t offset = segment->bytes;
    const uint64_t left = scan->window.size - offset;
    const uint8_t *at = NULL;
    struct journal_frame frame;
    *verdict = left == 0 ? SCAN_END : SCAN_BAD;
    if (left < JOURNAL_FRAME_HEADER) return PT_OK;
    enum pt_code code = look(&scan->window, offset, JOURNAL_FRAME_HEADER, &at, err);
    if (code != PT_OK) return code;
    if (!journal_frame_decode(segment, offset, at, &frame) || frame.number != scan->next ||
        frame.unsynced > offset - JOURNAL_SEGMENT_HEADER)
        return PT_OK;
    if (offset - frame.unsynced > scan->synced) scan->synced = offset - frame.unsynced;
    if (frame.length == JOURNAL_MARK) {
        if (left == JOURNAL_FRAME_HEADER) *verdict = SCAN_END;
        return PT_OK;
    }
    if (frame.length > PT_JOURNAL_MAX_RECORD || frame.length > left - JOURNAL_FRAME_HEADER) return PT_OK;
    code = look(&scan->window, offset, JOURNAL_FRAME_HEADER + frame.length, &at, err);
    if (code != PT_OK) return code;
    const struct pt_bytes content = pt_bytes_of(at + JOURNAL_FRAME_HEADER, frame.length);
    if (journal_content_check(segment, frame.number, content) != frame.content_check) return PT_OK;
    const struct pt_journal_position position = {frame.number, offset, segment->number};
    if (scan->visit) code = scan->visit(scan->arg, &position, content, err);
    if (code != PT_OK) return code;
    *verdict = SCAN_RECORD;
    segment->bytes += JOURNAL_FRAME_HEADER + frame.length;
    scan->next++;
    return PT_OK;
}

// Whether something behind the damage proves that the damaged place had been synced: an intact header there that
// was written after a sync beyond it. Lengths cannot be trusted any more, so every offset is tried.
static enum pt_code search_proof(struct scan *scan, bool *found, struct pt_error *err) {
    const uint64_t bad = scan->segment->bytes;
    *found = scan->synced > bad;
    for (uint64_t at = bad + 1; !*found && at + JOURNAL_FRAME_HEADER <= scan->window.size; at++) {
        const uint8_t *header = NULL;
        const enum pt_code code = look(&scan->window, at, JOURNAL_FRAME_HEADER, &header, err);
        if (code != PT_OK) return code;
        const uint64_t number = journal_get(header + 8, 8);
        if (number <= scan->next || number - scan->next > at - bad || journal_get(header + 4, 4) >= at - bad) continue;
        struct journal_frame frame;
        *found = journal_frame_decode(scan->segment, at, header, &frame);
    }
    return PT_OK;
}

static enum pt_code damage(const struct scan *scan, struct pt_error *err) {
    char name[JOURNAL_NAME_SIZE];
    journal_segment_name(scan->segment->number, name);
    return pt_fail_at(err, PT_UNVERIFIED, (long)scan->segment->bytes, name, "%s is damaged at offset %llu (record %llu)", name,
                      (unsigned long long)scan->segment->bytes, (unsigned long long)scan->next);
}

// What was read may so far be only in memory: after a failed sync the system can take pages for clean that never
// reached the disk. So everything not known to be synced is written once more.
static enum pt_code make_durable(struct scan *scan, struct pt_error *err) {
    const struct pt_disk *disk = scan->journal->disk;
    struct journal_segment *segment = scan->segment;
    enum pt_code code = PT_OK;
    if (scan->window.size > segment->bytes) code = disk->truncate(disk->ctx, segment->file, segment->bytes, err);
    uint64_t at = scan->synced < segment->bytes ? scan->synced : segment->bytes;
    while (code == PT_OK && at < segment->bytes) {
        const size_t len = segment->bytes - at < WINDOW_BYTES ? (size_t)(segment->bytes - at) : WINDOW_BYTES;
        pt_buf_clear(&scan->window.data);
        scan->window.start = at;
        uint8_t *room = pt_buf_extend(&scan->window.data, len);
        if (!room) return pt_buf_check(&scan->window.data, err);
        code = disk->read_at(disk->ctx, segment->file, at, room, len, err);
        if (code == PT_OK) code = disk->write_at(disk->ctx, segment->file, at, pt_bytes_of(room, len), err);
        at += len;
    }
    if (code == PT_OK) code = disk->sync(disk->ctx, segment->file, err);
    if (code == PT_OK) code = disk->sync_dir(disk->ctx, err);  // the segment's name, too, may be only in memory
    return code;
}

// Reads all records of one segment. `ends_at`: the number that the next segment begins with, or NULL for the last.
static enum pt_code scan_segment(struct scan *scan, const uint64_t *ends_at, struct pt_error *err) {
    scan->segment->bytes = JOURNAL_SEGMENT_HEADER;
    scan->synced = JOURNAL_SEGMENT_HEADER;
    scan->next = scan->segment->first;
    enum verdict verdict = SCAN_RECORD;
    enum pt_code code = PT_OK;
    while (code == PT_OK && verdict == SCAN_RECORD) code = scan_one(scan, &verdict, err);
    if (code != PT_OK) return code;
    if (ends_at) return verdict == SCAN_END && scan->next == *ends_at ? PT_OK : damage(scan, err);
    if (verdict == SCAN_BAD) {
        bool proof = false;
        code = search_proof(scan, &proof, err);
        if (code != PT_OK) return code;
        if (proof) return damage(scan, err);
    }
    return make_durable(scan, err);
}

struct names {
    uint32_t *numbers;
    size_t count;
};

static enum pt_code collect(void *arg, const char *name, struct pt_error *err) {
    struct names *names = arg;
    char expected[JOURNAL_NAME_SIZE];
    unsigned number;
    if (sscanf(name, "segment-%10u", &number) != 1) return PT_OK;
    journal_segment_name(number, expected);
    if (strcmp(name, expected) != 0) return PT_OK;
    uint32_t *grown = realloc(names->numbers, (names->count + 1) * sizeof *grown);
    if (!grown) return pt_fail(err, PT_NO_MEMORY, name, "out of memory");
    names->numbers = grown;
    names->numbers[names->count++] = number;
    return PT_OK;
}

static int by_number(const void *a, const void *b) {
    const uint32_t x = *(const uint32_t *)a;
    const uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

// Opens a segment file and reads its header; *size is the file's.
static enum pt_code open_segment(struct pt_journal *journal, struct journal_segment *segment, uint64_t *size,
                                 bool *good, struct pt_error *err) {
    const struct pt_disk *disk = journal->disk;
    char name[JOURNAL_NAME_SIZE];
    uint8_t header[JOURNAL_SEGMENT_HEADER];
    journal_segment_name(segment->number, name);
    enum pt_code code = disk->open(disk->ctx, name, false, &segment->file, err);
    if (code != PT_OK) return code;
    journal->open_files++;
    code = disk->size(disk->ctx, segment->file, size, err);
    *good = false;
    if (code != PT_OK || *size < sizeof header) return code;
    code = disk->read_at(disk->ctx, segment->file, 0, header, sizeof header, err);
    if (code != PT_OK) return code;
    segment->first = journal_get(header + 16, 8);
    segment->bytes = *size;
    segment->key = (struct pt_siphash_key){journal_get(header + 24, 8), journal_get(header + 32, 8)};
    *good = memcmp(header, JOURNAL_MAGIC, 8) == 0 && journal_get(header + 8, 4) == segment->number &&
            journal_get(header + 12, 4) == 0 &&
            journal_get(header + 40, 8) == pt_siphash(segment->key, pt_bytes_of(header, 40));
    return PT_OK;
}

static void close_segment(struct pt_journal *journal, struct journal_segment *segment) {
    if (segment->file) {
        journal->disk->close(journal->disk->ctx, segment->file);
        journal->open_files--;
    }
    segment->file = NULL;
}

// A last segment whose making was cut short holds no record yet; it goes away.
static enum pt_code remove_unborn(struct pt_journal *journal, uint32_t number, struct pt_error *err) {
    char name[JOURNAL_NAME_SIZE];
    journal_segment_name(number, name);
    const enum pt_code code = journal->disk->remove(journal->disk->ctx, name, err);
    return code == PT_OK ? journal->disk->sync_dir(journal->disk->ctx, err) : code;
}

static enum pt_code open_all(struct pt_journal *journal, const struct names *names, struct pt_error *err) {
    for (size_t i = 0; i < names->count; i++) {
        char name[JOURNAL_NAME_SIZE];
        journal_segment_name(names->numbers[i], name);
        if (i > 0 && names->numbers[i] != names->numbers[i - 1] + 1)
            return pt_fail(err, PT_UNVERIFIED, name, "the segment before %s is missing", name);
        PT_FREE struct journal_segment *segment = calloc(1, sizeof *segment);
        if (!segment) return pt_fail(err, PT_NO_MEMORY, name, "out of memory");
        segment->number = names->numbers[i];
        bool good = false;
        uint64_t size = 0;
        enum pt_code code = open_segment(journal, segment, &size, &good, err);
        const bool last = i + 1 == names->count;
        if (code != PT_OK || !good || !last) close_segment(journal, segment);
        if (code != PT_OK) return code;
        if (!good && last && size <= JOURNAL_SEGMENT_HEADER && (i > 0 || segment->number == 0))
            return remove_unborn(journal, segment->number, err);
        if (!good) return pt_fail_at(err, PT_UNVERIFIED, 0, name, "the header of %s is damaged (offset 0)", name);
        if (journal->count > 0 && segment->first < journal->segments[journal->count - 1]->first)
            return pt_fail_at(err, PT_UNVERIFIED, 0, name, "%s begins before the segment before it (offset 0)", name);
        code = journal_push(journal, segment, err);
        if (code != PT_OK) {
            close_segment(journal, segment);
            return code;
        }
        segment = NULL;
    }
    return PT_OK;
}

static enum pt_code scan_at(struct scan *scan, size_t index, struct pt_error *err) {
    struct pt_journal *journal = scan->journal;
    scan->segment = journal->segments[index];
    const bool last = index + 1 == journal->count;
    bool good = true;
    uint64_t size = 0;
    enum pt_code code = PT_OK;
    if (!scan->segment->file) code = open_segment(journal, scan->segment, &size, &good, err);
    else code = journal->disk->size(journal->disk->ctx, scan->segment->file, &size, err);
    if (code != PT_OK) return code;
    scan->window.disk = journal->disk;
    scan->window.file = scan->segment->file;
    scan->window.size = size;
    scan->window.start = 0;
    pt_buf_clear(&scan->window.data);
    code = scan_segment(scan, last ? NULL : &journal->segments[index + 1]->first, err);
    if (!last) close_segment(journal, scan->segment);
    return code;
}

enum pt_code journal_recover(struct pt_journal *journal, pt_journal_visit *visit, void *arg, struct pt_error *err) {
    struct names names = {NULL, 0};
    enum pt_code code = journal->disk->list(journal->disk->ctx, collect, &names, err);
    if (code == PT_OK && names.count > 0) {
        qsort(names.numbers, names.count, sizeof *names.numbers, by_number);
        code = open_all(journal, &names, err);
    }
    free(names.numbers);
    if (code != PT_OK) return code;
    if (journal->count == 0) return journal_add_segment(journal, 0, 0, err);
    struct scan scan = {.journal = journal, .visit = visit, .arg = arg};
    pt_buf_init(&scan.window.data, JOURNAL_FRAME_HEADER + PT_JOURNAL_MAX_RECORD);
    for (size_t i = visit ? 0 : journal->count - 1; code == PT_OK && i < journal->count; i++) code = scan_at(&scan, i, err);
    pt_buf_free(&scan.window.data);
    if (code != PT_OK) return code;
    uint64_t total = 0;
    for (size_t i = 0; i < journal->count; i++) total += journal->segments[i]->bytes;
    atomic_store(&journal->bytes, total);
    atomic_store(&journal->next, scan.next);
    journal->synced = journal->segments[journal->count - 1]->bytes;
    journal_write_mark(journal);
    return PT_OK;
}
