// What the outbox knows of its statements without reading them: those on their way, by sequence and without gaps, and the refused ones
// apart, so that one refusal does not hold a week of work in memory and on the disk. Pure; one thread at a time.
#ifndef PACKTRAIL_FIRMWARE_OUTBOX_OUTBOX_QUEUE_H
#define PACKTRAIL_FIRMWARE_OUTBOX_OUTBOX_QUEUE_H

#include "firmware/outbox/outbox.h"

struct outbox_entry {
    struct pt_journal_position position;
    struct pt_digest id;
    pt_millis sent_at;
    uint32_t size;
    bool sent, gone;  // gone: received; leaves the queue when all before it are gone
};

struct outbox_refusal {
    uint64_t sequence;
    struct outbox_entry entry;
};

// Zeroed: empty.
struct outbox_queue {
    struct outbox_entry *entries;
    size_t start, count, cap;
    uint64_t first;  // sequence of entries[start]
    size_t sent, gone;
    struct outbox_refusal *refusals;  // sorted by sequence
    size_t refusal_count, refusal_cap;
};

void outbox_queue_free(struct outbox_queue *queue);  // leaves it empty

// PT_IO: not the sequence behind the last one.
enum pt_code outbox_queue_push(struct outbox_queue *queue, uint64_t sequence, const struct outbox_entry *entry, struct pt_error *err) PT_NODISCARD;

// On its way, or NULL. Valid until the queue changes.
struct outbox_entry *outbox_queue_find(struct outbox_queue *queue, uint64_t sequence);
struct outbox_refusal *outbox_queue_find_refusal(struct outbox_queue *queue, uint64_t sequence);

void outbox_queue_set_sent(struct outbox_queue *queue, struct outbox_entry *entry, bool sent);
void outbox_queue_take(struct outbox_queue *queue, uint64_t sequence);  // received: forgotten

// Among the refused, with what is known of it; one that is there already is replaced.
enum pt_code outbox_queue_add_refusal(struct outbox_queue *queue, uint64_t sequence, const struct outbox_entry *entry, struct pt_error *err) PT_NODISCARD;

// The oldest statement on its way; NULL if there is none.
const struct outbox_entry *outbox_queue_oldest(const struct outbox_queue *queue);

size_t outbox_queue_list(const struct outbox_queue *queue, enum outbox_state state, uint64_t from, struct outbox_item *items, size_t most);

#endif
