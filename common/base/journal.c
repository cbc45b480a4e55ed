#include "common/base/journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/journal_format.h"
#include "common/base/time.h"

#define DEFAULT_SEGMENT_BYTES ((uint64_t)64 * 1024 * 1024)
#define MAX_SEGMENT_BYTES ((uint64_t)1024 * 1024 * 1024)  // `unsynced` must fit into 32 bits
#define MAX_OPEN_FILES 32u                                // older segments, opened for reading
#define LOCK_NAME "lock"

static struct journal_segment *last_segment(const struct pt_journal *journal) {
    return journal->segments[journal->count - 1];
}

static void close_file(struct pt_journal *journal, struct journal_segment *segment) {
    if (!segment->file) return;
    journal->disk->close(journal->disk->ctx, segment->file);
    segment->file = NULL;
    journal->open_files--;
}

static void release(struct pt_journal *journal, struct journal_segment *segment) {
    if (segment->users > 0 || !segment->gone) return;
    close_file(journal, segment);
    free(segment);
}

enum pt_code pt_journal_open(const struct pt_disk *disk, const struct pt_journal_options *options,
                             pt_journal_visit *visit, void *arg, struct pt_journal **out, struct pt_error *err) {
    *out = NULL;
    const uint64_t wanted = options ? options->segment_bytes : 0;
    if (wanted > MAX_SEGMENT_BYTES) return pt_fail(err, PT_USAGE, NULL, "a segment has at most 1 GiB");
    struct pt_journal *journal = calloc(1, sizeof *journal);
    if (!journal) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    journal->disk = disk;
    journal->segment_bytes = wanted ? wanted : DEFAULT_SEGMENT_BYTES;
    pt_buf_init(&journal->frame, JOURNAL_FRAME_HEADER + PT_JOURNAL_MAX_RECORD);
    pthread_mutex_init(&journal->mutex, NULL);
    enum pt_code code = disk->lock ? disk->lock(disk->ctx, LOCK_NAME, &journal->lock, err) : PT_OK;
    if (code == PT_OK) code = journal_recover(journal, visit, arg, err);
    if (code != PT_OK) {
        pt_journal_close(journal);
        return code;
    }
    *out = journal;
    return PT_OK;
}

void pt_journal_close(struct pt_journal *journal) {
    if (!journal) return;
    for (size_t i = 0; i < journal->count; i++) {
        journal->segments[i]->gone = true;
        release(journal, journal->segments[i]);
    }
    free(journal->segments);
    if (journal->lock) journal->disk->close(journal->disk->ctx, journal->lock);
    pthread_mutex_destroy(&journal->mutex);
    pt_buf_free(&journal->frame);
    free(journal);
}

enum pt_code journal_push(struct pt_journal *journal, struct journal_segment *segment, struct pt_error *err) {
    struct journal_segment **grown = realloc(journal->segments, (journal->count + 1) * sizeof(struct journal_segment *));
    if (!grown) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    journal->segments = grown;
    journal->segments[journal->count++] = segment;
    return PT_OK;
}

static enum pt_code write_segment_header(struct pt_journal *journal, struct journal_segment *segment,
                                         struct pt_error *err) {
    const struct pt_env *env = pt_env_system();
    uint8_t header[JOURNAL_SEGMENT_HEADER] = {0};
    memcpy(header, JOURNAL_MAGIC, 8);
    journal_put(header + 8, segment->number, 4);
    journal_put(header + 16, segment->first, 8);
    enum pt_code code = env->random(env->ctx, header + 24, 16, err);
    if (code != PT_OK) return code;
    segment->key = (struct pt_siphash_key){journal_get(header + 24, 8), journal_get(header + 32, 8)};
    journal_put(header + 40, pt_siphash(segment->key, pt_bytes_of(header, 40)), 8);
    const struct pt_disk *disk = journal->disk;
    code = disk->truncate(disk->ctx, segment->file, 0, err);
    if (code == PT_OK) code = disk->write_at(disk->ctx, segment->file, 0, pt_bytes_of(header, sizeof header), err);
    // Header and name are durable before the first record is: a file longer than its header always has a good one.
    if (code == PT_OK) code = disk->sync(disk->ctx, segment->file, err);
    if (code == PT_OK) code = disk->sync_dir(disk->ctx, err);
    return code;
}

enum pt_code journal_add_segment(struct pt_journal *journal, uint32_t number, uint64_t first, struct pt_error *err) {
    char name[JOURNAL_NAME_SIZE];
    journal_segment_name(number, name);
    struct journal_segment *segment = calloc(1, sizeof *segment);
    if (!segment) return pt_fail(err, PT_NO_MEMORY, name, "out of memory");
    *segment = (struct journal_segment){.number = number, .first = first, .bytes = JOURNAL_SEGMENT_HEADER};
    enum pt_code code = journal->disk->open(journal->disk->ctx, name, true, &segment->file, err);
    if (code == PT_OK) {
        journal->open_files++;
        code = write_segment_header(journal, segment, err);
    }
    if (code == PT_OK) code = journal_push(journal, segment, err);
    if (code != PT_OK) {
        close_file(journal, segment);
        free(segment);
        return code;
    }
    journal->synced = JOURNAL_SEGMENT_HEADER;
    atomic_fetch_add(&journal->bytes, JOURNAL_SEGMENT_HEADER);
    return PT_OK;
}

// A mark that does not get onto the disk is no loss: it only sharpens the verdict on later damage.
void journal_write_mark(struct pt_journal *journal) {
    struct journal_segment *segment = last_segment(journal);
    const struct journal_frame mark = {.length = JOURNAL_MARK, .number = atomic_load(&journal->next)};
    uint8_t bytes[JOURNAL_FRAME_HEADER];
    journal_frame_encode(segment, segment->bytes, &mark, bytes);
    (void)journal->disk->write_at(journal->disk->ctx, segment->file, segment->bytes, pt_bytes_of(bytes, sizeof bytes), NULL);
}

static enum pt_code refused(struct pt_error *err) {
    return pt_fail(err, PT_UNAVAILABLE, NULL, "the journal takes nothing after a failed write until it is opened again");
}

static enum pt_code roll(struct pt_journal *journal, struct pt_error *err) {
    struct journal_segment *full = last_segment(journal);
    // No mark behind the last frame: it could be torn, and an older segment has nothing torn in it.
    const enum pt_code code = journal->disk->sync(journal->disk->ctx, full->file, err);
    if (code != PT_OK) return code;
    return journal_add_segment(journal, full->number + 1, atomic_load(&journal->next), err);
}

static enum pt_code append_locked(struct pt_journal *journal, const struct pt_bytes *parts, size_t count,
                                  struct pt_journal_position *out, struct pt_error *err) {
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        if (parts[i].len > PT_JOURNAL_MAX_RECORD || (total += parts[i].len) > PT_JOURNAL_MAX_RECORD)
            return pt_fail(err, PT_LIMIT, NULL, "a record has at most %zu bytes", PT_JOURNAL_MAX_RECORD);
    pt_buf_clear(&journal->frame);
    uint8_t *header = pt_buf_extend(&journal->frame, JOURNAL_FRAME_HEADER);
    for (size_t i = 0; i < count; i++) pt_buf_append_bytes(&journal->frame, parts[i]);
    if (!header || journal->frame.failed) return pt_buf_check(&journal->frame, err);  // nothing was written
    enum pt_code code = PT_OK;
    if (last_segment(journal)->bytes >= journal->segment_bytes) code = roll(journal, err);
    struct journal_segment *segment = last_segment(journal);
    const struct pt_bytes content = pt_bytes_of(journal->frame.data + JOURNAL_FRAME_HEADER,
                                                journal->frame.len - JOURNAL_FRAME_HEADER);
    const uint64_t number = atomic_load(&journal->next);
    const struct journal_frame frame = {.length = (uint32_t)content.len,
                                        .unsynced = (uint32_t)(segment->bytes - journal->synced),
                                        .number = number,
                                        .content_check = journal_content_check(segment, number, content)};
    journal_frame_encode(segment, segment->bytes, &frame, journal->frame.data);
    if (code == PT_OK)
        code = journal->disk->write_at(journal->disk->ctx, segment->file, segment->bytes, pt_buf_bytes(&journal->frame), err);
    if (code != PT_OK) {
        journal->failed = true;
        return code;
    }
    if (out) *out = (struct pt_journal_position){number, segment->bytes, segment->number};
    segment->bytes += journal->frame.len;
    atomic_fetch_add(&journal->bytes, journal->frame.len);
    atomic_store(&journal->next, number + 1);
    return PT_OK;
}

enum pt_code pt_journal_append(struct pt_journal *journal, const struct pt_bytes *parts, size_t count,
                               struct pt_journal_position *out, struct pt_error *err) {
    pthread_mutex_lock(&journal->mutex);
    const enum pt_code code = journal->failed ? refused(err) : append_locked(journal, parts, count, out, err);
    pthread_mutex_unlock(&journal->mutex);
    return code;
}

// The sync itself runs unlocked, so that appending goes on beside it.
enum pt_code pt_journal_sync(struct pt_journal *journal, struct pt_error *err) {
    pthread_mutex_lock(&journal->mutex);
    if (journal->failed) {
        pthread_mutex_unlock(&journal->mutex);
        return refused(err);
    }
    struct journal_segment *segment = last_segment(journal);
    const uint64_t end = segment->bytes;
    if (journal->synced == end) {
        pthread_mutex_unlock(&journal->mutex);
        return PT_OK;
    }
    segment->users++;
    pthread_mutex_unlock(&journal->mutex);
    const enum pt_code code = journal->disk->sync(journal->disk->ctx, segment->file, err);
    pthread_mutex_lock(&journal->mutex);
    segment->users--;
    if (code != PT_OK) journal->failed = true;
    if (code == PT_OK && !segment->gone && segment == last_segment(journal) && end > journal->synced) {
        journal->synced = end;
        if (segment->bytes == end) journal_write_mark(journal);
    }
    release(journal, segment);
    pthread_mutex_unlock(&journal->mutex);
    return code;
}

static void close_one_idle(struct pt_journal *journal) {
    for (size_t i = 0; i + 1 < journal->count; i++) {
        if (!journal->segments[i]->file || journal->segments[i]->users > 0) continue;
        close_file(journal, journal->segments[i]);
        return;
    }
}

// Finds the position's segment and holds its file open for the caller.
static enum pt_code acquire(struct pt_journal *journal, const struct pt_journal_position *position,
                            struct journal_segment **out, struct pt_error *err) {
    char name[JOURNAL_NAME_SIZE];
    journal_segment_name(position->segment, name);
    const uint32_t first = journal->segments[0]->number;
    if (position->segment < first || position->segment - first >= journal->count)
        return pt_fail(err, PT_NOT_FOUND, name, "record %llu is not in the journal", (unsigned long long)position->number);
    struct journal_segment *segment = journal->segments[position->segment - first];
    if (position->offset < JOURNAL_SEGMENT_HEADER || position->offset >= segment->bytes)
        return pt_fail(err, PT_NOT_FOUND, name, "record %llu is not in the journal", (unsigned long long)position->number);
    if (!segment->file) {
        if (journal->open_files >= MAX_OPEN_FILES) close_one_idle(journal);
        const enum pt_code code = journal->disk->open(journal->disk->ctx, name, false, &segment->file, err);
        if (code != PT_OK) return code;
        journal->open_files++;
    }
    segment->users++;
    *out = segment;
    return PT_OK;
}

static enum pt_code damaged(const struct pt_journal_position *position, struct pt_error *err) {
    char name[JOURNAL_NAME_SIZE];
    journal_segment_name(position->segment, name);
    return pt_fail_at(err, PT_UNVERIFIED, (long)position->offset, name, "record %llu at offset %llu of %s is damaged",
                      (unsigned long long)position->number, (unsigned long long)position->offset, name);
}

static enum pt_code read_frame(struct pt_journal *journal, struct journal_segment *segment,
                               const struct pt_journal_position *position, struct pt_buf *out, struct pt_error *err) {
    uint8_t header[JOURNAL_FRAME_HEADER];
    struct journal_frame frame;
    const struct pt_disk *disk = journal->disk;
    enum pt_code code = disk->read_at(disk->ctx, segment->file, position->offset, header, sizeof header, err);
    if (code != PT_OK) return code;
    if (!journal_frame_decode(segment, position->offset, header, &frame) || frame.number != position->number ||
        frame.length > PT_JOURNAL_MAX_RECORD)
        return damaged(position, err);
    const size_t before = out->len;
    uint8_t *room = pt_buf_extend(out, frame.length);
    if (!room) return pt_buf_check(out, err);
    if (frame.length > 0)
        code = disk->read_at(disk->ctx, segment->file, position->offset + JOURNAL_FRAME_HEADER, room, frame.length, err);
    if (code == PT_OK &&
        journal_content_check(segment, frame.number, pt_bytes_of(room, frame.length)) != frame.content_check)
        code = damaged(position, err);
    if (code != PT_OK) out->len = before;
    return code;
}

enum pt_code pt_journal_read(struct pt_journal *journal, const struct pt_journal_position *position, struct pt_buf *out,
                             struct pt_error *err) {
    struct journal_segment *segment = NULL;
    pthread_mutex_lock(&journal->mutex);
    enum pt_code code = acquire(journal, position, &segment, err);
    pthread_mutex_unlock(&journal->mutex);
    if (code != PT_OK) return code;
    code = read_frame(journal, segment, position, out, err);
    pthread_mutex_lock(&journal->mutex);
    segment->users--;
    release(journal, segment);
    pthread_mutex_unlock(&journal->mutex);
    return code;
}

// The end of the frame at `position`, and the number behind it.
static enum pt_code frame_end(struct pt_journal *journal, const struct pt_journal_position *position, uint64_t *end,
                              struct pt_error *err) {
    struct journal_segment *segment = NULL;
    uint8_t header[JOURNAL_FRAME_HEADER];
    struct journal_frame frame;
    enum pt_code code = acquire(journal, position, &segment, err);
    if (code != PT_OK) return code;
    segment->users--;
    code = journal->disk->read_at(journal->disk->ctx, segment->file, position->offset, header, sizeof header, err);
    if (code != PT_OK) return code;
    if (!journal_frame_decode(segment, position->offset, header, &frame) || frame.number != position->number ||
        frame.length > PT_JOURNAL_MAX_RECORD)
        return damaged(position, err);
    *end = position->offset + JOURNAL_FRAME_HEADER + frame.length;
    return PT_OK;
}

static enum pt_code following_locked(struct pt_journal *journal, const struct pt_journal_position *position,
                                     struct pt_journal_position *out, struct pt_error *err) {
    size_t index = 0;
    uint64_t end = JOURNAL_SEGMENT_HEADER;
    *out = (struct pt_journal_position){.number = journal->segments[0]->first};
    if (position) {
        const enum pt_code code = frame_end(journal, position, &end, err);
        if (code != PT_OK) return code;
        index = position->segment - journal->segments[0]->number;
        out->number = position->number + 1;
    }
    while (index < journal->count && end >= journal->segments[index]->bytes) {
        index++;
        end = JOURNAL_SEGMENT_HEADER;
    }
    if (index >= journal->count) return pt_fail(err, PT_NOT_FOUND, NULL, "the journal ends here");
    out->offset = end;
    out->segment = journal->segments[index]->number;
    return PT_OK;
}

enum pt_code pt_journal_following(struct pt_journal *journal, const struct pt_journal_position *position,
                                  struct pt_journal_position *out, struct pt_error *err) {
    pthread_mutex_lock(&journal->mutex);
    const enum pt_code code = following_locked(journal, position, out, err);
    pthread_mutex_unlock(&journal->mutex);
    return code;
}

// Takes the segment's file away; whoever reads it goes on until he is done.
static enum pt_code remove_segment(struct pt_journal *journal, size_t index, struct pt_error *err) {
    struct journal_segment *segment = journal->segments[index];
    char name[JOURNAL_NAME_SIZE];
    journal_segment_name(segment->number, name);
    const enum pt_code code = journal->disk->remove(journal->disk->ctx, name, err);
    if (code != PT_OK) return code;
    atomic_fetch_sub(&journal->bytes, segment->bytes);
    journal->count--;
    memmove(&journal->segments[index], &journal->segments[index + 1],
            (journal->count - index) * sizeof(struct journal_segment *));
    segment->gone = true;
    release(journal, segment);
    return PT_OK;
}

enum pt_code pt_journal_drop_before(struct pt_journal *journal, uint64_t number, struct pt_error *err) {
    enum pt_code code = PT_OK;
    bool any = false;
    pthread_mutex_lock(&journal->mutex);
    while (code == PT_OK && journal->count > 1 && journal->segments[1]->first <= number) {
        code = remove_segment(journal, 0, err);  // oldest first: what is left has no gap
        any = true;
    }
    if (code == PT_OK && any) code = journal->disk->sync_dir(journal->disk->ctx, err);
    pthread_mutex_unlock(&journal->mutex);
    return code;
}

static enum pt_code truncate_locked(struct pt_journal *journal, const struct pt_journal_position *first_gone,
                                    struct pt_error *err) {
    if (first_gone->number == atomic_load(&journal->next)) return PT_OK;
    struct journal_segment *segment = NULL;
    enum pt_code code = acquire(journal, first_gone, &segment, err);
    if (code != PT_OK) return code;
    segment->users--;
    uint8_t header[JOURNAL_FRAME_HEADER];
    struct journal_frame frame;
    const struct pt_disk *disk = journal->disk;
    code = disk->read_at(disk->ctx, segment->file, first_gone->offset, header, sizeof header, err);
    if (code != PT_OK) return code;
    if (!journal_frame_decode(segment, first_gone->offset, header, &frame) || frame.number != first_gone->number)
        return damaged(first_gone, err);
    journal->failed = true;  // until all of it is done
    while (code == PT_OK && last_segment(journal) != segment)
        code = remove_segment(journal, journal->count - 1, err);  // newest first: what is left has no gap
    if (code == PT_OK) code = disk->sync_dir(disk->ctx, err);
    if (code == PT_OK) code = disk->truncate(disk->ctx, segment->file, first_gone->offset, err);
    if (code == PT_OK) code = disk->sync(disk->ctx, segment->file, err);
    if (code != PT_OK) return code;
    atomic_fetch_sub(&journal->bytes, segment->bytes - first_gone->offset);
    segment->bytes = journal->synced = first_gone->offset;
    atomic_store(&journal->next, first_gone->number);
    journal->failed = false;
    journal_write_mark(journal);
    return PT_OK;
}

enum pt_code pt_journal_truncate(struct pt_journal *journal, const struct pt_journal_position *first_gone,
                                 struct pt_error *err) {
    pthread_mutex_lock(&journal->mutex);
    const enum pt_code code = journal->failed ? refused(err) : truncate_locked(journal, first_gone, err);
    pthread_mutex_unlock(&journal->mutex);
    return code;
}

uint64_t pt_journal_next(const struct pt_journal *journal) { return atomic_load(&journal->next); }

uint64_t pt_journal_bytes(const struct pt_journal *journal) { return atomic_load(&journal->bytes); }
