#include "gateway/spool/spool.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "gateway/spool/id_set.h"

// First member of each record, a CBOR array. Never renumbered: spools outlive upgrades.
enum record_kind {
    RECORD_STATEMENT = 1,  // [1, arrival ms, id, statement]
    RECORD_SEALED = 2,     // [2, sequence, last statement's record number, count, digest, signed header]
    RECORD_FINISHED = 3,   // [3, sequence finished, next sequence, head]: all that a start needs of forgotten blocks
};

enum { SEGMENT_BYTES = 16 * 1024 * 1024, RECORD_OVERHEAD = 256 };

// A statement that is not final: its body stays in the journal.
struct held {
    struct pt_journal_position position;
    struct pt_digest id;
    size_t size;
    pt_millis arrival;
};

struct sealed_block {
    uint64_t sequence;
    uint64_t last_record;
    size_t count;
    struct pt_digest digest;
    struct pt_buf header;
};

struct spool {
    pthread_mutex_t lock;
    struct spool_options options;
    struct pt_journal *journal;
    struct held *held;  // queue in arrival order: those of sealed blocks first, then the waiting ones
    size_t held_first, held_count, held_cap;
    struct sealed_block *blocks;  // queue, oldest first
    size_t block_first, block_count, block_cap;
    size_t in_blocks;  // how many of `held` belong to `blocks`
    size_t waiting_bytes;
    struct id_set ids;
    uint64_t next_sequence;
    struct pt_digest head;
};

// Makes room for one more item behind a queue kept in [first, first + count); returns the array.
static void *queue_room(void *items, size_t *first, size_t count, size_t *cap, size_t size) {
    if (*first + count < *cap) return items;
    if (*first > *cap / 2) {
        memmove(items, (char *)items + *first * size, count * size);
        *first = 0;
        return items;
    }
    const size_t larger = *cap ? *cap * 2 : 256;
    void *moved = realloc(items, larger * size);
    if (moved) *cap = larger;
    return moved;
}

static struct held *held_at(struct spool *spool, size_t index) { return &spool->held[spool->held_first + index]; }
static struct sealed_block *block_at(struct spool *spool, size_t index) { return &spool->blocks[spool->block_first + index]; }

static enum pt_code push_held(struct spool *spool, const struct held *held, struct pt_error *err) {
    struct held *items = queue_room(spool->held, &spool->held_first, spool->held_count, &spool->held_cap, sizeof *items);
    if (!items) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    spool->held = items;
    const enum pt_code code = id_set_add(&spool->ids, &held->id, err);
    if (code != PT_OK) return code;
    *held_at(spool, spool->held_count++) = *held;
    spool->waiting_bytes += held->size;
    return PT_OK;
}

static enum pt_code push_block(struct spool *spool, struct sealed_block *block, struct pt_error *err) {
    struct sealed_block *items =
        queue_room(spool->blocks, &spool->block_first, spool->block_count, &spool->block_cap, sizeof *items);
    if (!items) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    spool->blocks = items;
    *block_at(spool, spool->block_count++) = *block;
    for (size_t i = 0; i < block->count; i++) spool->waiting_bytes -= held_at(spool, spool->in_blocks + i)->size;
    spool->in_blocks += block->count;
    spool->next_sequence = block->sequence + 1;
    spool->head = block->digest;
    return PT_OK;
}

static void forget_oldest_block(struct spool *spool) {
    struct sealed_block *block = block_at(spool, 0);
    for (size_t i = 0; i < block->count; i++) id_set_remove(&spool->ids, &held_at(spool, i)->id);
    spool->held_first += block->count;
    spool->held_count -= block->count;
    spool->in_blocks -= block->count;
    pt_buf_free(&block->header);
    spool->block_first++;
    spool->block_count--;
}

static enum pt_code replay_statement(struct spool *spool, struct cbor_reader *reader,
                                     const struct pt_journal_position *position, struct pt_error *err) {
    struct held held = {.position = *position};
    held.arrival = cbor_get_int(reader);
    cbor_get_digest(reader, &held.id);
    held.size = cbor_get_bytes(reader).len;
    const enum pt_code code = cbor_finish(reader);
    return code == PT_OK ? push_held(spool, &held, err) : code;
}

static enum pt_code replay_sealed(struct spool *spool, struct cbor_reader *reader, struct pt_error *err) {
    struct sealed_block block = {.header = PT_BUF_INIT(RECORD_OVERHEAD * 16)};
    block.sequence = cbor_get_uint(reader);
    block.last_record = cbor_get_uint(reader);
    const uint64_t count = cbor_get_uint(reader);
    cbor_get_digest(reader, &block.digest);
    const struct pt_bytes header = cbor_get_bytes(reader);
    enum pt_code code = cbor_finish(reader);
    if (code != PT_OK) return code;
    // Statements of a finished block may be gone with their segment; the record that finished it follows.
    while (spool->in_blocks + block.count < spool->held_count &&
           held_at(spool, spool->in_blocks + block.count)->position.number <= block.last_record)
        block.count++;
    if (block.count > count) return pt_fail(err, PT_IO, "spool", "block %llu covers too much", (unsigned long long)block.sequence);
    pt_buf_append_bytes(&block.header, header);
    code = pt_buf_check(&block.header, err);
    if (code == PT_OK) code = push_block(spool, &block, err);
    if (code != PT_OK) pt_buf_free(&block.header);
    return code;
}

static enum pt_code replay_finished(struct spool *spool, struct cbor_reader *reader) {
    const uint64_t sequence = cbor_get_uint(reader);
    const uint64_t next_sequence = cbor_get_uint(reader);
    struct pt_digest head;
    cbor_get_digest(reader, &head);
    const enum pt_code code = cbor_finish(reader);
    if (code != PT_OK) return code;
    while (spool->block_count > 0 && block_at(spool, 0)->sequence <= sequence) forget_oldest_block(spool);
    spool->next_sequence = next_sequence;
    spool->head = head;
    return PT_OK;
}

static enum pt_code replay(void *arg, const struct pt_journal_position *position, struct pt_bytes record,
                           struct pt_error *err) {
    struct spool *spool = arg;
    struct cbor_reader reader = cbor_reader_of(record, true, err);
    cbor_get_array(&reader, 6);
    const uint64_t kind = cbor_get_uint(&reader);
    if (cbor_failed(&reader)) return reader.code;
    switch (kind) {
    case RECORD_STATEMENT: return replay_statement(spool, &reader, position, err);
    case RECORD_SEALED: return replay_sealed(spool, &reader, err);
    case RECORD_FINISHED: return replay_finished(spool, &reader);
    default: return pt_fail(err, PT_IO, "spool", "record %llu is of an unknown kind; a newer version wrote it?",
                            (unsigned long long)position->number);
    }
}

enum pt_code spool_open(const struct pt_disk *disk, const struct spool_options *options, struct spool **out,
                        struct pt_error *err) {
    struct spool *spool = calloc(1, sizeof *spool);
    if (!spool) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    pthread_mutex_init(&spool->lock, NULL);
    spool->options = *options;
    const struct pt_journal_options journal_options = {.segment_bytes = SEGMENT_BYTES};
    enum pt_code code = pt_journal_open(disk, &journal_options, replay, spool, &spool->journal, err);
    if (code != PT_OK) {
        spool_close(spool);
        return code;
    }
    *out = spool;
    return PT_OK;
}

void spool_close(struct spool *spool) {
    if (!spool) return;
    if (spool->journal) pt_journal_close(spool->journal);
    while (spool->block_count > 0) forget_oldest_block(spool);
    free(spool->held);
    free(spool->blocks);
    id_set_free(&spool->ids);
    pthread_mutex_destroy(&spool->lock);
    free(spool);
}

static enum pt_code add_locked(struct spool *spool, struct pt_bytes statement, const struct pt_digest *id, pt_millis now,
                               enum spool_added *added, struct pt_error *err) {
    *added = SPOOL_KNOWN;
    if (id_set_contains(&spool->ids, id)) return PT_OK;
    if (pt_journal_bytes(spool->journal) + statement.len + RECORD_OVERHEAD > spool->options.limits.most_bytes)
        return pt_fail(err, PT_UNAVAILABLE, "spool", "the spool is full until the ledger takes its blocks");
    PT_CLEANUP(pt_buf_free) struct pt_buf head = PT_BUF_INIT(RECORD_OVERHEAD);
    cbor_put_array(&head, 4);
    cbor_put_uint(&head, RECORD_STATEMENT);
    cbor_put_int(&head, now);
    cbor_put_bytes(&head, pt_bytes_digest(id));
    cbor_put_bytes_head(&head, statement.len);
    enum pt_code code = pt_buf_check(&head, err);
    if (code != PT_OK) return code;
    struct held held = {.id = *id, .size = statement.len, .arrival = now};
    const struct pt_bytes parts[] = {pt_buf_bytes(&head), statement};
    code = pt_journal_append(spool->journal, parts, 2, &held.position, err);
    if (code == PT_OK) code = push_held(spool, &held, err);
    if (code == PT_OK) *added = SPOOL_ADDED;
    return code;
}

enum pt_code spool_add(struct spool *spool, struct pt_bytes statement, const struct pt_digest *id, pt_millis now,
                       enum spool_added *added, struct pt_error *err) {
    pthread_mutex_lock(&spool->lock);
    const enum pt_code code = add_locked(spool, statement, id, now, added, err);
    pthread_mutex_unlock(&spool->lock);
    return code;
}

enum pt_code spool_sync(struct spool *spool, struct pt_error *err) { return pt_journal_sync(spool->journal, err); }

// The statement body of a record, as a view into `record`.
static enum pt_code read_statement(struct spool *spool, const struct held *held, struct pt_buf *record,
                                   struct pt_bytes *statement, struct pt_error *err) {
    pt_buf_clear(record);
    const enum pt_code code = pt_journal_read(spool->journal, &held->position, record, err);
    if (code != PT_OK) return code;
    struct cbor_reader reader = cbor_reader_of(pt_buf_bytes(record), true, err);
    cbor_get_array(&reader, 4);
    cbor_get_uint(&reader);
    cbor_get_int(&reader);
    struct pt_digest id;
    cbor_get_digest(&reader, &id);
    *statement = cbor_get_bytes(&reader);
    return cbor_finish(&reader);
}

enum pt_code spool_each(struct spool *spool,
                        enum pt_code (*each)(void *arg, const struct pt_digest *id, struct pt_bytes statement, struct pt_error *err),
                        void *arg, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf record = PT_BUF_INIT(PT_JOURNAL_MAX_RECORD);
    enum pt_code code = PT_OK;
    pthread_mutex_lock(&spool->lock);
    for (size_t i = 0; i < spool->held_count && code == PT_OK; i++) {
        struct pt_bytes statement;
        code = read_statement(spool, held_at(spool, i), &record, &statement, err);
        if (code == PT_OK) code = each(arg, &held_at(spool, i)->id, statement, err);
    }
    pthread_mutex_unlock(&spool->lock);
    return code;
}

// Collects the bodies of `count` held statements, copied into `bodies`, as views.
static enum pt_code collect(struct spool *spool, const struct held *first, size_t count, struct pt_buf *bodies,
                            struct pt_bytes *views, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf record = PT_BUF_INIT(PT_JOURNAL_MAX_RECORD);
    for (size_t i = 0; i < count; i++) {
        struct pt_bytes statement;
        const enum pt_code code = read_statement(spool, &first[i], &record, &statement, err);
        if (code != PT_OK) return code;
        views[i].len = statement.len;
        pt_buf_append_bytes(bodies, statement);
    }
    const enum pt_code code = pt_buf_check(bodies, err);
    // Views are set last: appending may have moved the buffer.
    for (size_t i = 0, at = 0; code == PT_OK && i < count; at += views[i++].len) views[i].data = bodies->data + at;
    return code;
}

// How many of the waiting statements the next block takes; 0 if none is due.
static size_t due_count(struct spool *spool, pt_millis now, bool flush, size_t *bytes) {
    const struct spool_limits *limits = &spool->options.limits;
    const size_t waiting = spool->held_count - spool->in_blocks;
    *bytes = 0;
    if (waiting == 0) return 0;
    const bool aged = now - held_at(spool, spool->in_blocks)->arrival >= limits->block_age;
    const bool full = waiting >= limits->block_statements || spool->waiting_bytes >= limits->block_bytes;
    if (!aged && !full && !flush) return 0;
    size_t count = 0;
    while (count < waiting && count < limits->block_statements) {
        const size_t size = held_at(spool, spool->in_blocks + count)->size;
        if (count > 0 && *bytes + size > limits->block_bytes) break;
        *bytes += size;
        count++;
    }
    return count;
}

static enum pt_code record_sealed(struct spool *spool, const struct sealed_block *block, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf record = PT_BUF_INIT(RECORD_OVERHEAD * 16);
    cbor_put_array(&record, 6);
    cbor_put_uint(&record, RECORD_SEALED);
    cbor_put_uint(&record, block->sequence);
    cbor_put_uint(&record, block->last_record);
    cbor_put_uint(&record, block->count);
    cbor_put_bytes(&record, pt_bytes_digest(&block->digest));
    cbor_put_bytes(&record, pt_buf_bytes(&block->header));
    enum pt_code code = pt_buf_check(&record, err);
    const struct pt_bytes part = pt_buf_bytes(&record);
    struct pt_journal_position position;
    if (code == PT_OK) code = pt_journal_append(spool->journal, &part, 1, &position, err);
    // Durable before it can be sent: one sequence must never name two blocks.
    if (code == PT_OK) code = pt_journal_sync(spool->journal, err);
    return code;
}

static enum pt_code seal_one(struct spool *spool, size_t count, size_t bytes, pt_millis now, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf bodies = PT_BUF_INIT(bytes);
    PT_FREE struct pt_bytes *views = calloc(count, sizeof *views);
    if (!views) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    const struct held *first = held_at(spool, spool->in_blocks);
    enum pt_code code = collect(spool, first, count, &bodies, views, err);
    if (code != PT_OK) return code;
    struct block_header header = {
        .gateway = verify_key_thumbprint(spool->options.gateway->key),
        .sequence = spool->next_sequence,
        .previous = spool->head,
        .time = now,
    };
    struct sealed_block block = {
        .sequence = header.sequence,
        .last_record = first[count - 1].position.number,
        .count = count,
        .header = PT_BUF_INIT(RECORD_OVERHEAD * 16),
    };
    code = block_header_seal(&header, &spool->options.genesis, views, count, spool->options.gateway, &block.header,
                             &block.digest, err);
    if (code == PT_OK) code = record_sealed(spool, &block, err);
    if (code == PT_OK) code = push_block(spool, &block, err);
    if (code != PT_OK) pt_buf_free(&block.header);
    return code;
}

enum pt_code spool_seal_due(struct spool *spool, pt_millis now, bool flush, size_t *sealed, struct pt_error *err) {
    enum pt_code code = PT_OK;
    *sealed = 0;
    pthread_mutex_lock(&spool->lock);
    for (;;) {
        size_t bytes;
        const size_t count = due_count(spool, now, flush, &bytes);
        if (count == 0) break;
        code = seal_one(spool, count, bytes, now, err);
        if (code != PT_OK) break;
        ++*sealed;
    }
    pthread_mutex_unlock(&spool->lock);
    return code;
}

pt_millis spool_next_due(struct spool *spool, pt_millis now) {
    pthread_mutex_lock(&spool->lock);
    pt_millis left = -1;
    if (spool->held_count > spool->in_blocks) {
        left = held_at(spool, spool->in_blocks)->arrival + spool->options.limits.block_age - now;
        if (left < 0) left = 0;
    }
    pthread_mutex_unlock(&spool->lock);
    return left;
}

static enum pt_code block_locked(struct spool *spool, uint64_t sequence, struct pt_buf *out, struct pt_digest *digest,
                                 struct pt_error *err) {
    size_t before = 0;
    for (size_t i = 0; i < spool->block_count; before += block_at(spool, i++)->count) {
        const struct sealed_block *block = block_at(spool, i);
        if (block->sequence != sequence) continue;
        PT_CLEANUP(pt_buf_free) struct pt_buf bodies = PT_BUF_INIT(BLOCK_MAX);
        PT_FREE struct pt_bytes *views = calloc(block->count ? block->count : 1, sizeof *views);
        if (!views) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
        const enum pt_code code = collect(spool, held_at(spool, before), block->count, &bodies, views, err);
        if (code != PT_OK) return code;
        *digest = block->digest;
        return block_assemble(pt_buf_bytes(&block->header), views, block->count, out, err);
    }
    return pt_fail(err, PT_NOT_FOUND, "spool", "no sealed block %llu", (unsigned long long)sequence);
}

enum pt_code spool_block(struct spool *spool, uint64_t sequence, struct pt_buf *out, struct pt_digest *digest,
                         struct pt_error *err) {
    pthread_mutex_lock(&spool->lock);
    const enum pt_code code = block_locked(spool, sequence, out, digest, err);
    pthread_mutex_unlock(&spool->lock);
    return code;
}

static enum pt_code finished_locked(struct spool *spool, uint64_t sequence, struct pt_error *err) {
    if (spool->block_count == 0 || block_at(spool, 0)->sequence > sequence) return PT_OK;
    PT_CLEANUP(pt_buf_free) struct pt_buf record = PT_BUF_INIT(RECORD_OVERHEAD);
    cbor_put_array(&record, 4);
    cbor_put_uint(&record, RECORD_FINISHED);
    cbor_put_uint(&record, sequence);
    cbor_put_uint(&record, spool->next_sequence);
    cbor_put_bytes(&record, pt_bytes_digest(&spool->head));
    enum pt_code code = pt_buf_check(&record, err);
    const struct pt_bytes part = pt_buf_bytes(&record);
    struct pt_journal_position position;
    if (code == PT_OK) code = pt_journal_append(spool->journal, &part, 1, &position, err);
    // Durable before the bodies go: a start must never find the statements of a block gone and not know why.
    if (code == PT_OK) code = pt_journal_sync(spool->journal, err);
    if (code != PT_OK) return code;
    while (spool->block_count > 0 && block_at(spool, 0)->sequence <= sequence) forget_oldest_block(spool);
    const uint64_t keep = spool->held_count > 0 ? held_at(spool, 0)->position.number : position.number;
    return pt_journal_drop_before(spool->journal, keep, err);
}

enum pt_code spool_finished(struct spool *spool, uint64_t sequence, struct pt_error *err) {
    pthread_mutex_lock(&spool->lock);
    const enum pt_code code = finished_locked(spool, sequence, err);
    pthread_mutex_unlock(&spool->lock);
    return code;
}

void spool_status(struct spool *spool, struct spool_status *out) {
    pthread_mutex_lock(&spool->lock);
    *out = (struct spool_status){
        .first_unfinished = spool->block_count > 0 ? block_at(spool, 0)->sequence : spool->next_sequence,
        .next_sequence = spool->next_sequence,
        .head = spool->head,
        .waiting = spool->held_count - spool->in_blocks,
        .unfinished = spool->in_blocks,
        .bytes = pt_journal_bytes(spool->journal),
        .oldest = spool->held_count > 0 ? held_at(spool, 0)->arrival : 0,
    };
    pthread_mutex_unlock(&spool->lock);
}
