#include "firmware/outbox/outbox.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/log.h"
#include "firmware/outbox/outbox_queue.h"

// First member of each record, a CBOR array. Never renumbered.
enum record_kind {
    RECORD_STATEMENT = 1,  // [1, sequence, id, statement]
    RECORD_REFUSED = 2,    // [2, sequence, why]
    RECORD_RECEIVED = 3,   // [3, sequence, receipt]: empty where room was short
    RECORD_HEAD = 4,       // [4, next sequence, head]: written before old segments go
    RECORD_KEPT = 5,       // [5, sequence, id, statement]: a refused statement, written again before its segment goes
};

enum {
    MOST_SEGMENT = 4 * 1024 * 1024,
    LEAST_SEGMENT = 4096,
    SEGMENTS = 16,             // at least so many in a full outbox: the last one never goes
    RECORD_OVERHEAD = 512,
    RECORD_BYTES = 48,         // about what a frame and a note of a receipt add to a statement
    USUAL_STATEMENT = 512,     // of one pack, until this outbox knows better
    WORTH_MOVING = 4,          // segments that only refused statements hold
    MOST_WHY = 255,
};

struct outbox {
    pthread_mutex_t lock;
    struct outbox_options options;
    char *issuer;
    const struct pt_disk *disk;
    struct pt_journal *journal;  // NULL: it failed and could not be opened again yet
    bool disk_was_full;          // the journal takes nothing until it is opened again
    uint64_t segment_bytes;
    struct outbox_queue queue;
    uint64_t next_sequence;
    struct pt_digest head;
    uint64_t statements, statement_bytes;  // written or read since the opening, for the usual size of one
    bool stopped;
    char why_stopped[MOST_WHY + 1];
};

// --- Opening ---

static void remember_size(struct outbox *outbox, size_t size) {
    outbox->statements++;
    outbox->statement_bytes += size;
}

static enum pt_code replay_refusal(struct outbox *outbox, uint64_t sequence, struct pt_error *err) {
    const struct outbox_entry *entry = outbox_queue_find(&outbox->queue, sequence);
    if (!entry) return PT_OK;  // kept elsewhere already
    const struct outbox_entry refused = *entry;
    outbox_queue_take(&outbox->queue, sequence);
    return outbox_queue_add_refusal(&outbox->queue, sequence, &refused, err);
}

static enum pt_code replay_statement(struct outbox *outbox, bool kept, uint64_t sequence, const struct outbox_entry *entry, struct pt_error *err) {
    if (kept) {
        outbox_queue_take(&outbox->queue, sequence);
        return outbox_queue_add_refusal(&outbox->queue, sequence, entry, err);
    }
    const enum pt_code code = outbox_queue_push(&outbox->queue, sequence, entry, err);
    if (code != PT_OK) return code;
    remember_size(outbox, entry->size);
    outbox->next_sequence = sequence + 1;
    outbox->head = entry->id;
    return PT_OK;
}

static enum pt_code replay(void *arg, const struct pt_journal_position *position, struct pt_bytes record, struct pt_error *err) {
    struct outbox *outbox = arg;
    struct outbox_entry entry = {.position = *position};
    struct cbor_reader reader = cbor_reader_of(record, true, err);
    cbor_get_array(&reader, 4);
    const uint64_t kind = cbor_get_uint(&reader), sequence = cbor_get_uint(&reader);
    if (cbor_failed(&reader)) return reader.code;
    switch (kind) {
    case RECORD_STATEMENT:
    case RECORD_KEPT:
        cbor_get_digest(&reader, &entry.id);
        entry.size = (uint32_t)cbor_get_bytes(&reader).len;
        if (cbor_finish(&reader) != PT_OK) return reader.code;
        return replay_statement(outbox, kind == RECORD_KEPT, sequence, &entry, err);
    case RECORD_REFUSED: return replay_refusal(outbox, sequence, err);
    case RECORD_RECEIVED: outbox_queue_take(&outbox->queue, sequence); return PT_OK;
    case RECORD_HEAD:
        outbox->next_sequence = sequence;
        cbor_get_digest(&reader, &outbox->head);
        return cbor_finish(&reader);
    default: return pt_fail(err, PT_IO, "outbox", "a record is of an unknown kind; a newer version wrote it?");
    }
}

static enum pt_code open_journal(struct outbox *outbox, struct pt_error *err) {
    const struct pt_journal_options journal = {.segment_bytes = outbox->segment_bytes};
    outbox_queue_free(&outbox->queue);
    outbox->statements = outbox->statement_bytes = 0;
    const enum pt_code code = pt_journal_open(outbox->disk, &journal, replay, outbox, &outbox->journal, err);
    outbox->disk_was_full = code != PT_OK;
    return code;
}

enum pt_code outbox_open(const struct pt_disk *disk, const struct outbox_options *options, struct outbox **out,
                         struct pt_error *err) {
    struct outbox *outbox = calloc(1, sizeof *outbox);
    if (!outbox) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    pthread_mutex_init(&outbox->lock, NULL);
    outbox->options = *options;
    outbox->disk = disk;
    outbox->segment_bytes = options->most_bytes / SEGMENTS;
    if (outbox->segment_bytes > MOST_SEGMENT) outbox->segment_bytes = MOST_SEGMENT;
    if (outbox->segment_bytes < LEAST_SEGMENT) outbox->segment_bytes = LEAST_SEGMENT;
    outbox->issuer = strdup(options->issuer);
    enum pt_code code = outbox->issuer ? PT_OK : pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    if (code == PT_OK) code = open_journal(outbox, err);
    if (code != PT_OK) {
        outbox_close(outbox);
        return code;
    }
    *out = outbox;
    return PT_OK;
}

void outbox_close(struct outbox *outbox) {
    if (!outbox) return;
    if (outbox->journal) pt_journal_close(outbox->journal);
    outbox_queue_free(&outbox->queue);
    free(outbox->issuer);
    pthread_mutex_destroy(&outbox->lock);
    free(outbox);
}

// --- Room ---

static uint64_t used_bytes(const struct outbox *outbox) { return outbox->journal ? pt_journal_bytes(outbox->journal) : 0; }

static uint64_t bytes_left(const struct outbox *outbox, uint64_t used) {
    const uint64_t own = used < outbox->options.most_bytes ? outbox->options.most_bytes - used : 0;
    if (!outbox->options.free_bytes) return own;
    const uint64_t on_disk = outbox->options.free_bytes(outbox->options.free_arg);
    const uint64_t usable = on_disk > OUTBOX_RESERVE ? on_disk - OUTBOX_RESERVE : 0;
    return usable < own ? usable : own;
}

static struct outbox_room room_of(const struct outbox *outbox) {
    const uint64_t used = used_bytes(outbox), left = bytes_left(outbox, used);
    const uint64_t usual = (outbox->statements ? outbox->statement_bytes / outbox->statements : USUAL_STATEMENT) + RECORD_BYTES;
    struct outbox_room room = {.bytes = left, .packs = left / usual};
    room.percent = used + left ? (unsigned)(used * 100 / (used + left)) : 100;
    room.fill = left < usual + RECORD_OVERHEAD ? OUTBOX_FULL : room.percent >= 95 ? OUTBOX_NEARLY_FULL : room.percent >= 80 ? OUTBOX_FILLING : OUTBOX_ROOMY;
    // A disk that others filled leaves little although this outbox holds little.
    if (room.fill < OUTBOX_NEARLY_FULL && room.packs < 200) room.fill = OUTBOX_NEARLY_FULL;
    if (room.fill < OUTBOX_FILLING && room.packs < 2000) room.fill = OUTBOX_FILLING;
    return room;
}

// --- Writing ---

// A write that found no room leaves a journal that refuses more. Opening it again cuts off what the write left; nothing that was
// told is in that. Only after that failure: what a failed sync left on the disk is unknown until the process starts anew.
static enum pt_code recover(struct outbox *outbox, struct pt_error *err) {
    if (!outbox->disk_was_full) return PT_OK;
    if (outbox->journal) pt_journal_close(outbox->journal);
    outbox->journal = NULL;
    const enum pt_code code = open_journal(outbox, err);
    if (code == PT_OK) pt_log(PT_LOG_INFO, "outbox-opened-again", "next_sequence=%llu", (unsigned long long)outbox->next_sequence);
    return code;
}

static enum pt_code append_record(struct outbox *outbox, const struct pt_buf *head, struct pt_bytes body,
                                  struct pt_journal_position *position, struct pt_error *err) {
    struct pt_error why = {0};
    enum pt_code code = pt_buf_check(head, err);
    if (code == PT_OK && !outbox->journal) code = pt_fail(err, PT_UNAVAILABLE, "outbox", "the disk is full");
    if (code != PT_OK) return code;
    const struct pt_bytes parts[] = {pt_buf_bytes(head), body};
    code = pt_journal_append(outbox->journal, parts, 2, position, &why);
    if (code != PT_OK && (why.sys_errno == ENOSPC || why.sys_errno == EDQUOT)) outbox->disk_was_full = true;
    if (code != PT_OK && err) *err = why;
    return code;
}

static enum pt_code write_record(struct outbox *outbox, const struct pt_buf *head, struct pt_bytes body,
                                 struct pt_journal_position *position, struct pt_error *err) {
    const enum pt_code code = append_record(outbox, head, body, position, err);
    return code == PT_OK ? pt_journal_sync(outbox->journal, err) : code;
}

static void begin_statement(struct pt_buf *head, enum record_kind kind, uint64_t sequence, const struct pt_digest *id, size_t size) {
    cbor_put_array(head, 4);
    cbor_put_uint(head, kind);
    cbor_put_uint(head, sequence);
    cbor_put_bytes(head, pt_bytes_digest(id));
    cbor_put_bytes_head(head, size);
}

static enum pt_code may_sign(struct outbox *outbox, size_t payload, struct pt_error *err) {
    if (outbox->stopped) return pt_fail(err, PT_FORBIDDEN, "outbox", "%s", outbox->why_stopped);
    if (bytes_left(outbox, used_bytes(outbox)) < payload + RECORD_OVERHEAD)
        return pt_fail(err, PT_UNAVAILABLE, "outbox", "the terminal is full; connect it to its gateway first");
    return recover(outbox, err);
}

static enum pt_code sign_locked(struct outbox *outbox, struct statement_draft *draft, struct pt_digest *id, struct pt_error *err) {
    enum pt_code code = may_sign(outbox, draft->payload.len, err);
    if (code != PT_OK) return code;
    draft->sequence = outbox->next_sequence;
    draft->previous = outbox->head;
    PT_CLEANUP(pt_buf_free) struct pt_buf statement = PT_BUF_INIT(STATEMENT_MAX);
    code = statement_sign(draft, outbox->options.device, &statement, err);
    if (code != PT_OK) return code;
    struct outbox_entry entry = {.id = statement_id(pt_buf_bytes(&statement)), .size = (uint32_t)statement.len};
    PT_CLEANUP(pt_buf_free) struct pt_buf head = PT_BUF_INIT(RECORD_OVERHEAD);
    begin_statement(&head, RECORD_STATEMENT, draft->sequence, &entry.id, statement.len);
    code = write_record(outbox, &head, pt_buf_bytes(&statement), &entry.position, err);
    if (code == PT_OK) code = outbox_queue_push(&outbox->queue, draft->sequence, &entry, err);
    if (code != PT_OK) return code;
    remember_size(outbox, statement.len);
    outbox->next_sequence = draft->sequence + 1;
    outbox->head = *id = entry.id;
    return PT_OK;
}

enum pt_code outbox_sign(struct outbox *outbox, const char *content_type, const char *subject, struct pt_bytes payload,
                         struct pt_digest *id, uint64_t *sequence, struct pt_error *err) {
    struct statement_draft draft = {
        .content_type = content_type, .issuer = outbox->issuer, .subject = subject, .genesis = outbox->options.genesis, .payload = payload};
    struct pt_digest signed_id;
    pthread_mutex_lock(&outbox->lock);
    const enum pt_code code = sign_locked(outbox, &draft, &signed_id, err);
    pthread_mutex_unlock(&outbox->lock);
    if (code == PT_OK && id) *id = signed_id;
    if (code == PT_OK && sequence) *sequence = draft.sequence;
    return code;
}

void outbox_stop_signing(struct outbox *outbox, const char *why) {
    pthread_mutex_lock(&outbox->lock);
    outbox->stopped = why != NULL;
    snprintf(outbox->why_stopped, sizeof outbox->why_stopped, "%s", why ? why : "");
    pthread_mutex_unlock(&outbox->lock);
}

// --- Reading ---

size_t outbox_list(struct outbox *outbox, enum outbox_state state, uint64_t from, struct outbox_item *items, size_t most) {
    pthread_mutex_lock(&outbox->lock);
    const size_t found = outbox_queue_list(&outbox->queue, state, from, items, most);
    pthread_mutex_unlock(&outbox->lock);
    return found;
}

static enum pt_code read_statement(struct outbox *outbox, const struct pt_journal_position *position, struct pt_buf *out, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf record = PT_BUF_INIT(PT_JOURNAL_MAX_RECORD);
    struct pt_digest id;
    const enum pt_code code = pt_journal_read(outbox->journal, position, &record, err);
    if (code != PT_OK) return code;
    struct cbor_reader reader = cbor_reader_of(pt_buf_bytes(&record), true, err);
    cbor_get_array(&reader, 4);
    cbor_get_uint(&reader);
    cbor_get_uint(&reader);
    cbor_get_digest(&reader, &id);
    const struct pt_bytes statement = cbor_get_bytes(&reader);
    if (cbor_finish(&reader) != PT_OK) return reader.code;
    pt_buf_append_bytes(out, statement);
    return pt_buf_check(out, err);
}

enum pt_code outbox_read(struct outbox *outbox, uint64_t sequence, struct pt_buf *out, struct pt_error *err) {
    pthread_mutex_lock(&outbox->lock);
    const struct outbox_entry *entry = outbox_queue_find(&outbox->queue, sequence);
    const struct outbox_refusal *refusal = entry ? NULL : outbox_queue_find_refusal(&outbox->queue, sequence);
    if (refusal) entry = &refusal->entry;
    const enum pt_code code = entry ? read_statement(outbox, &entry->position, out, err)
                                    : pt_fail(err, PT_NOT_FOUND, "outbox", "no statement %llu", (unsigned long long)sequence);
    pthread_mutex_unlock(&outbox->lock);
    return code;
}

// --- What became of them ---

enum pt_code outbox_acknowledged(struct outbox *outbox, uint64_t sequence, pt_millis now, struct pt_error *err) {
    pthread_mutex_lock(&outbox->lock);
    struct outbox_entry *entry = outbox_queue_find(&outbox->queue, sequence);
    if (entry) {
        outbox_queue_set_sent(&outbox->queue, entry, true);
        entry->sent_at = now;
    }
    pthread_mutex_unlock(&outbox->lock);
    return entry ? PT_OK : pt_fail(err, PT_NOT_FOUND, "outbox", "no statement %llu", (unsigned long long)sequence);
}

void outbox_send_again(struct outbox *outbox, uint64_t sequence) {
    pthread_mutex_lock(&outbox->lock);
    struct outbox_entry *entry = outbox_queue_find(&outbox->queue, sequence);
    if (entry) outbox_queue_set_sent(&outbox->queue, entry, false);
    pthread_mutex_unlock(&outbox->lock);
}

static enum pt_code refuse_locked(struct outbox *outbox, uint64_t sequence, const char *why, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf record = PT_BUF_INIT(RECORD_OVERHEAD);
    struct pt_journal_position position;
    cbor_put_array(&record, 3);
    cbor_put_uint(&record, RECORD_REFUSED);
    cbor_put_uint(&record, sequence);
    cbor_put_text_bytes(&record, pt_bytes_of(why, strnlen(why, MOST_WHY)));
    const enum pt_code code = recover(outbox, err);
    if (code != PT_OK) return code;
    if (!outbox_queue_find(&outbox->queue, sequence)) return pt_fail(err, PT_NOT_FOUND, "outbox", "no statement %llu", (unsigned long long)sequence);
    const enum pt_code written = write_record(outbox, &record, pt_bytes_of(NULL, 0), &position, err);
    return written == PT_OK ? replay_refusal(outbox, sequence, err) : written;
}

enum pt_code outbox_refused(struct outbox *outbox, uint64_t sequence, const char *why, struct pt_error *err) {
    pthread_mutex_lock(&outbox->lock);
    const enum pt_code code = refuse_locked(outbox, sequence, why, err);
    pthread_mutex_unlock(&outbox->lock);
    return code;
}

// --- Old segments go once nothing in them is needed ---

// Writes the refused statements that lie in segments before `segment` again, so that these can go.
static enum pt_code move_refusals(struct outbox *outbox, uint32_t segment, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf statement = PT_BUF_INIT(STATEMENT_MAX), head = PT_BUF_INIT(RECORD_OVERHEAD);
    enum pt_code code = PT_OK;
    for (size_t i = 0; i < outbox->queue.refusal_count && code == PT_OK; i++) {
        struct outbox_refusal *refusal = &outbox->queue.refusals[i];
        if (refusal->entry.position.segment >= segment) continue;
        pt_buf_clear(&statement);
        pt_buf_clear(&head);
        code = read_statement(outbox, &refusal->entry.position, &statement, err);
        begin_statement(&head, RECORD_KEPT, refusal->sequence, &refusal->entry.id, statement.len);
        // The position is the new one only once that is durable; the caller syncs before anything goes.
        if (code == PT_OK) code = append_record(outbox, &head, pt_buf_bytes(&statement), &refusal->entry.position, err);
    }
    return code;
}

// The oldest segment that is needed, `last` being the one that is written to. Refused statements hold theirs until moving them gives
// back several times what it costs.
static enum pt_code choose_oldest(struct outbox *outbox, uint32_t first, uint32_t last, struct pt_journal_position *keep, struct pt_error *err) {
    const struct outbox_entry *oldest = outbox_queue_oldest(&outbox->queue);
    uint64_t held = 0;
    if (oldest) *keep = oldest->position;
    const uint32_t segment = oldest ? oldest->position.segment : last;
    struct pt_journal_position held_at = *keep;
    for (size_t i = 0; i < outbox->queue.refusal_count; i++) {
        const struct outbox_entry *entry = &outbox->queue.refusals[i].entry;
        if (entry->position.segment >= segment) continue;
        held += entry->size + RECORD_OVERHEAD;
        if (entry->position.number < held_at.number) held_at = entry->position;
    }
    if (held == 0) return PT_OK;
    const bool worth = segment - first >= WORTH_MOVING && held < (segment - first) * outbox->segment_bytes / 2;
    if (worth) return move_refusals(outbox, segment, err);
    *keep = held_at;
    return PT_OK;
}

// The head of the chain must not go with the segments.
static enum pt_code release(struct outbox *outbox, uint32_t last, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf record = PT_BUF_INIT(RECORD_OVERHEAD);
    struct pt_journal_position first, head, keep = {.number = pt_journal_next(outbox->journal), .segment = last};
    if (pt_journal_following(outbox->journal, NULL, &first, NULL) != PT_OK || first.segment == last) return PT_OK;
    const struct outbox_entry *oldest = outbox_queue_oldest(&outbox->queue);
    if (oldest && oldest->position.segment == first.segment) return PT_OK;
    enum pt_code code = choose_oldest(outbox, first.segment, last, &keep, err);
    if (code != PT_OK || keep.segment == first.segment) return code;
    cbor_put_array(&record, 3);
    cbor_put_uint(&record, RECORD_HEAD);
    cbor_put_uint(&record, outbox->next_sequence);
    cbor_put_bytes(&record, pt_bytes_digest(&outbox->head));
    code = write_record(outbox, &record, pt_bytes_of(NULL, 0), &head, err);
    return code == PT_OK ? pt_journal_drop_before(outbox->journal, keep.number, err) : code;
}

static enum pt_code receive_locked(struct outbox *outbox, uint64_t sequence, struct pt_bytes receipt, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf record = PT_BUF_INIT(RECORD_OVERHEAD);
    struct pt_journal_position position;
    cbor_put_array(&record, 3);
    cbor_put_uint(&record, RECORD_RECEIVED);
    cbor_put_uint(&record, sequence);
    if (room_of(outbox).fill != OUTBOX_ROOMY) receipt.len = 0;
    cbor_put_bytes_head(&record, receipt.len);
    enum pt_code code = recover(outbox, err);
    if (code != PT_OK || !outbox_queue_find(&outbox->queue, sequence)) return code;
    // Not synced: what a power cut takes away of this is asked for again.
    code = append_record(outbox, &record, receipt, &position, err);
    if (code != PT_OK) return code;
    outbox_queue_take(&outbox->queue, sequence);
    return release(outbox, position.segment, err);
}

enum pt_code outbox_received(struct outbox *outbox, uint64_t sequence, struct pt_bytes receipt, struct pt_error *err) {
    pthread_mutex_lock(&outbox->lock);
    const enum pt_code code = receive_locked(outbox, sequence, receipt, err);
    pthread_mutex_unlock(&outbox->lock);
    return code;
}

void outbox_status(struct outbox *outbox, struct outbox_status *out) {
    pthread_mutex_lock(&outbox->lock);
    const struct outbox_queue *queue = &outbox->queue;
    *out = (struct outbox_status){
        .next_sequence = outbox->next_sequence,
        .head = outbox->head,
        .fresh = queue->count - queue->gone - queue->sent,
        .sent = queue->sent,
        .refused = queue->refusal_count,
        .bytes = used_bytes(outbox),
        .room = room_of(outbox),
        .stopped = outbox->stopped,
    };
    pthread_mutex_unlock(&outbox->lock);
}
