#include "firmware/outbox/outbox.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"

// First member of each record, a CBOR array. Never renumbered.
enum record_kind {
    RECORD_STATEMENT = 1,  // [1, sequence, id, statement]
    RECORD_REFUSED = 2,    // [2, sequence, why]
    RECORD_RECEIVED = 3,   // [3, sequence, receipt]
    RECORD_HEAD = 4,       // [4, next sequence, head]: written before old segments go
};

enum { SEGMENT_BYTES = 4 * 1024 * 1024, RECORD_OVERHEAD = 512 };

struct item {
    struct pt_journal_position position;
    struct outbox_item public;
    bool gone;  // received; leaves the queue when all before it are gone
};

struct outbox {
    pthread_mutex_t lock;
    struct outbox_options options;
    char *issuer;
    struct pt_journal *journal;
    struct item *items;  // by sequence, without gaps
    size_t count, cap;
    uint64_t first;  // sequence of items[0]
    uint64_t next_sequence;
    struct pt_digest head;
};

static struct item *find(struct outbox *outbox, uint64_t sequence) {
    if (sequence < outbox->first || sequence - outbox->first >= outbox->count) return NULL;
    struct item *item = &outbox->items[sequence - outbox->first];
    return item->gone ? NULL : item;
}

static enum pt_code push(struct outbox *outbox, const struct item *item, struct pt_error *err) {
    if (outbox->count == 0) outbox->first = item->public.sequence;
    if (item->public.sequence != outbox->first + outbox->count)
        return pt_fail(err, PT_IO, "outbox", "statement %llu is missing", (unsigned long long)(outbox->first + outbox->count));
    if (outbox->count == outbox->cap) {
        const size_t cap = outbox->cap ? outbox->cap * 2 : 256;
        struct item *items = realloc(outbox->items, cap * sizeof *items);
        if (!items) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
        outbox->items = items;
        outbox->cap = cap;
    }
    outbox->items[outbox->count++] = *item;
    outbox->next_sequence = item->public.sequence + 1;
    outbox->head = item->public.id;
    return PT_OK;
}

static void drop_gone(struct outbox *outbox) {
    size_t gone = 0;
    while (gone < outbox->count && outbox->items[gone].gone) gone++;
    if (gone == 0) return;
    outbox->count -= gone;
    outbox->first += gone;
    memmove(outbox->items, outbox->items + gone, outbox->count * sizeof *outbox->items);
}

static enum pt_code replay(void *arg, const struct pt_journal_position *position, struct pt_bytes record,
                           struct pt_error *err) {
    struct outbox *outbox = arg;
    struct cbor_reader reader = cbor_reader_of(record, true, err);
    cbor_get_array(&reader, 4);
    const uint64_t kind = cbor_get_uint(&reader);
    struct item item = {.position = *position, .public = {.state = OUTBOX_NEW}};
    item.public.sequence = cbor_get_uint(&reader);
    if (cbor_failed(&reader)) return reader.code;
    struct item *known = find(outbox, item.public.sequence);
    switch (kind) {
    case RECORD_STATEMENT:
        cbor_get_digest(&reader, &item.public.id);
        item.public.size = cbor_get_bytes(&reader).len;
        if (cbor_finish(&reader) != PT_OK) return reader.code;
        return push(outbox, &item, err);
    case RECORD_REFUSED:
        if (known) known->public.state = OUTBOX_REFUSED;
        return PT_OK;
    case RECORD_RECEIVED:
        if (known) known->gone = true;
        drop_gone(outbox);
        return PT_OK;
    case RECORD_HEAD:
        outbox->next_sequence = item.public.sequence;
        cbor_get_digest(&reader, &outbox->head);
        return cbor_finish(&reader);
    default: return pt_fail(err, PT_IO, "outbox", "a record is of an unknown kind; a newer version wrote it?");
    }
}

enum pt_code outbox_open(const struct pt_disk *disk, const struct outbox_options *options, struct outbox **out,
                         struct pt_error *err) {
    struct outbox *outbox = calloc(1, sizeof *outbox);
    if (!outbox) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    pthread_mutex_init(&outbox->lock, NULL);
    outbox->options = *options;
    outbox->issuer = strdup(options->issuer);
    const struct pt_journal_options journal = {.segment_bytes = SEGMENT_BYTES};
    enum pt_code code = outbox->issuer ? PT_OK : pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    if (code == PT_OK) code = pt_journal_open(disk, &journal, replay, outbox, &outbox->journal, err);
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
    free(outbox->items);
    free(outbox->issuer);
    pthread_mutex_destroy(&outbox->lock);
    free(outbox);
}

static enum pt_code append_record(struct outbox *outbox, const struct pt_buf *head, struct pt_bytes body,
                                  struct pt_journal_position *position, struct pt_error *err) {
    const enum pt_code code = pt_buf_check(head, err);
    const struct pt_bytes parts[] = {pt_buf_bytes(head), body};
    return code == PT_OK ? pt_journal_append(outbox->journal, parts, 2, position, err) : code;
}

static enum pt_code write_record(struct outbox *outbox, const struct pt_buf *head, struct pt_bytes body,
                                 struct pt_journal_position *position, struct pt_error *err) {
    const enum pt_code code = append_record(outbox, head, body, position, err);
    return code == PT_OK ? pt_journal_sync(outbox->journal, err) : code;
}

static enum pt_code sign_locked(struct outbox *outbox, const struct statement_draft *draft, struct item *item,
                                struct pt_error *err) {
    if (pt_journal_bytes(outbox->journal) + draft->payload.len + RECORD_OVERHEAD > outbox->options.most_bytes)
        return pt_fail(err, PT_UNAVAILABLE, "outbox", "the terminal is full; connect it to its gateway first");
    PT_CLEANUP(pt_buf_free) struct pt_buf statement = PT_BUF_INIT(STATEMENT_MAX);
    enum pt_code code = statement_sign(draft, outbox->options.device, &statement, err);
    if (code != PT_OK) return code;
    item->public = (struct outbox_item){.sequence = draft->sequence, .state = OUTBOX_NEW, .size = statement.len,
                                        .id = statement_id(pt_buf_bytes(&statement))};
    PT_CLEANUP(pt_buf_free) struct pt_buf head = PT_BUF_INIT(RECORD_OVERHEAD);
    cbor_put_array(&head, 4);
    cbor_put_uint(&head, RECORD_STATEMENT);
    cbor_put_uint(&head, draft->sequence);
    cbor_put_bytes(&head, pt_bytes_digest(&item->public.id));
    cbor_put_bytes_head(&head, statement.len);
    code = write_record(outbox, &head, pt_buf_bytes(&statement), &item->position, err);
    return code == PT_OK ? push(outbox, item, err) : code;
}

enum pt_code outbox_sign(struct outbox *outbox, const char *content_type, const char *subject, struct pt_bytes payload,
                         struct pt_digest *id, uint64_t *sequence, struct pt_error *err) {
    pthread_mutex_lock(&outbox->lock);
    const struct statement_draft draft = {
        .content_type = content_type,
        .issuer = outbox->issuer,
        .subject = subject,
        .genesis = outbox->options.genesis,
        .sequence = outbox->next_sequence,
        .previous = outbox->head,
        .payload = payload,
    };
    struct item item = {0};
    const enum pt_code code = sign_locked(outbox, &draft, &item, err);
    pthread_mutex_unlock(&outbox->lock);
    if (code == PT_OK && id) *id = item.public.id;
    if (code == PT_OK && sequence) *sequence = item.public.sequence;
    return code;
}

size_t outbox_list(struct outbox *outbox, enum outbox_state state, uint64_t from, struct outbox_item *items, size_t most) {
    size_t found = 0;
    pthread_mutex_lock(&outbox->lock);
    const size_t skip = from > outbox->first ? (size_t)(from - outbox->first) : 0;
    for (size_t i = skip; i < outbox->count && found < most; i++)
        if (!outbox->items[i].gone && outbox->items[i].public.state == state) items[found++] = outbox->items[i].public;
    pthread_mutex_unlock(&outbox->lock);
    return found;
}

enum pt_code outbox_read(struct outbox *outbox, uint64_t sequence, struct pt_buf *out, struct pt_error *err) {
    pthread_mutex_lock(&outbox->lock);
    const struct item *item = find(outbox, sequence);
    const struct pt_journal_position position = item ? item->position : (struct pt_journal_position){0};
    pthread_mutex_unlock(&outbox->lock);
    if (!item) return pt_fail(err, PT_NOT_FOUND, "outbox", "no statement %llu", (unsigned long long)sequence);
    PT_CLEANUP(pt_buf_free) struct pt_buf record = PT_BUF_INIT(PT_JOURNAL_MAX_RECORD);
    const enum pt_code code = pt_journal_read(outbox->journal, &position, &record, err);
    if (code != PT_OK) return code;
    struct cbor_reader reader = cbor_reader_of(pt_buf_bytes(&record), true, err);
    struct pt_digest id;
    cbor_get_array(&reader, 4);
    cbor_get_uint(&reader);
    cbor_get_uint(&reader);
    cbor_get_digest(&reader, &id);
    const struct pt_bytes statement = cbor_get_bytes(&reader);
    if (cbor_finish(&reader) != PT_OK) return reader.code;
    pt_buf_append_bytes(out, statement);
    return pt_buf_check(out, err);
}

enum pt_code outbox_acknowledged(struct outbox *outbox, uint64_t sequence, pt_millis now, struct pt_error *err) {
    pthread_mutex_lock(&outbox->lock);
    struct item *item = find(outbox, sequence);
    if (item) {
        item->public.state = OUTBOX_SENT;
        item->public.sent_at = now;
    }
    pthread_mutex_unlock(&outbox->lock);
    return item ? PT_OK : pt_fail(err, PT_NOT_FOUND, "outbox", "no statement %llu", (unsigned long long)sequence);
}

void outbox_send_again(struct outbox *outbox, uint64_t sequence) {
    pthread_mutex_lock(&outbox->lock);
    struct item *item = find(outbox, sequence);
    if (item && item->public.state == OUTBOX_SENT) item->public.state = OUTBOX_NEW;
    pthread_mutex_unlock(&outbox->lock);
}

enum pt_code outbox_refused(struct outbox *outbox, uint64_t sequence, const char *why, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf record = PT_BUF_INIT(RECORD_OVERHEAD);
    cbor_put_array(&record, 3);
    cbor_put_uint(&record, RECORD_REFUSED);
    cbor_put_uint(&record, sequence);
    cbor_put_text_bytes(&record, pt_bytes_of(why, strnlen(why, 255)));
    pthread_mutex_lock(&outbox->lock);
    struct item *item = find(outbox, sequence);
    struct pt_journal_position position;
    enum pt_code code = item ? write_record(outbox, &record, pt_bytes_of(NULL, 0), &position, err)
                             : pt_fail(err, PT_NOT_FOUND, "outbox", "no statement %llu", (unsigned long long)sequence);
    if (code == PT_OK) item->public.state = OUTBOX_REFUSED;
    pthread_mutex_unlock(&outbox->lock);
    return code;
}

// Old segments go once nothing in them is needed; the head of the chain must not go with them.
static enum pt_code release(struct outbox *outbox, struct pt_error *err) {
    if (pt_journal_bytes(outbox->journal) < SEGMENT_BYTES) return PT_OK;
    PT_CLEANUP(pt_buf_free) struct pt_buf record = PT_BUF_INIT(RECORD_OVERHEAD);
    cbor_put_array(&record, 3);
    cbor_put_uint(&record, RECORD_HEAD);
    cbor_put_uint(&record, outbox->next_sequence);
    cbor_put_bytes(&record, pt_bytes_digest(&outbox->head));
    struct pt_journal_position position;
    const enum pt_code code = write_record(outbox, &record, pt_bytes_of(NULL, 0), &position, err);
    if (code != PT_OK) return code;
    const uint64_t keep = outbox->count > 0 ? outbox->items[0].position.number : position.number;
    return pt_journal_drop_before(outbox->journal, keep, err);
}

enum pt_code outbox_received(struct outbox *outbox, uint64_t sequence, struct pt_bytes receipt, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf record = PT_BUF_INIT(RECORD_OVERHEAD);
    cbor_put_array(&record, 3);
    cbor_put_uint(&record, RECORD_RECEIVED);
    cbor_put_uint(&record, sequence);
    cbor_put_bytes_head(&record, receipt.len);
    pthread_mutex_lock(&outbox->lock);
    struct item *item = find(outbox, sequence);
    struct pt_journal_position position;
    // Not synced: a receipt that a power cut takes away is asked for again.
    enum pt_code code = item ? append_record(outbox, &record, receipt, &position, err) : PT_OK;
    if (item && code == PT_OK) {
        item->gone = true;
        drop_gone(outbox);
        code = release(outbox, err);
    }
    pthread_mutex_unlock(&outbox->lock);
    return code;
}

void outbox_status(struct outbox *outbox, struct outbox_status *out) {
    pthread_mutex_lock(&outbox->lock);
    *out = (struct outbox_status){.next_sequence = outbox->next_sequence, .head = outbox->head,
                                  .bytes = pt_journal_bytes(outbox->journal)};
    for (size_t i = 0; i < outbox->count; i++) {
        const struct item *item = &outbox->items[i];
        if (item->gone) continue;
        if (item->public.state == OUTBOX_NEW) out->fresh++;
        else if (item->public.state == OUTBOX_SENT) out->sent++;
        else out->refused++;
    }
    pthread_mutex_unlock(&outbox->lock);
}
