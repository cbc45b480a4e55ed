#include "firmware/outbox/outbox_queue.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ENTRIES = 256, FIRST_REFUSALS = 16 };

void outbox_queue_free(struct outbox_queue *queue) {
    free(queue->entries);
    free(queue->refusals);
    *queue = (struct outbox_queue){0};
}

// Room for one more at the end. What has left at the front is given back first, if that is worth the moving.
static enum pt_code make_room(struct outbox_queue *queue, struct pt_error *err) {
    if (queue->start + queue->count < queue->cap) return PT_OK;
    if (queue->start > queue->cap / 2) {
        memmove(queue->entries, queue->entries + queue->start, queue->count * sizeof *queue->entries);
        queue->start = 0;
        return PT_OK;
    }
    const size_t cap = queue->cap ? queue->cap + queue->cap / 2 : FIRST_ENTRIES;
    struct outbox_entry *entries = realloc(queue->entries, cap * sizeof *entries);
    if (!entries) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    queue->entries = entries;
    queue->cap = cap;
    return PT_OK;
}

enum pt_code outbox_queue_push(struct outbox_queue *queue, uint64_t sequence, const struct outbox_entry *entry, struct pt_error *err) {
    if (queue->count == 0) {
        queue->start = 0;
        queue->first = sequence;
    }
    if (sequence != queue->first + queue->count)
        return pt_fail(err, PT_IO, "outbox", "statement %llu is missing", (unsigned long long)(queue->first + queue->count));
    const enum pt_code code = make_room(queue, err);
    if (code != PT_OK) return code;
    queue->entries[queue->start + queue->count++] = *entry;
    return PT_OK;
}

struct outbox_entry *outbox_queue_find(struct outbox_queue *queue, uint64_t sequence) {
    if (sequence < queue->first || sequence - queue->first >= queue->count) return NULL;
    struct outbox_entry *entry = &queue->entries[queue->start + (sequence - queue->first)];
    return entry->gone ? NULL : entry;
}

// The first of the refused with at least this sequence.
static size_t place_of_refusal(const struct outbox_queue *queue, uint64_t sequence) {
    size_t low = 0, high = queue->refusal_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (queue->refusals[middle].sequence < sequence) low = middle + 1;
        else high = middle;
    }
    return low;
}

struct outbox_refusal *outbox_queue_find_refusal(struct outbox_queue *queue, uint64_t sequence) {
    const size_t at = place_of_refusal(queue, sequence);
    return at < queue->refusal_count && queue->refusals[at].sequence == sequence ? &queue->refusals[at] : NULL;
}

void outbox_queue_set_sent(struct outbox_queue *queue, struct outbox_entry *entry, bool sent) {
    if (sent && !entry->sent) queue->sent++;
    if (!sent && entry->sent) queue->sent--;
    entry->sent = sent;
}

static void drop_gone(struct outbox_queue *queue) {
    while (queue->count > 0 && queue->entries[queue->start].gone) {
        queue->start++;
        queue->count--;
        queue->first++;
        queue->gone--;
    }
}

void outbox_queue_take(struct outbox_queue *queue, uint64_t sequence) {
    struct outbox_entry *entry = outbox_queue_find(queue, sequence);
    if (!entry) return;
    outbox_queue_set_sent(queue, entry, false);
    entry->gone = true;
    queue->gone++;
    drop_gone(queue);
}

enum pt_code outbox_queue_add_refusal(struct outbox_queue *queue, uint64_t sequence, const struct outbox_entry *entry, struct pt_error *err) {
    const size_t at = place_of_refusal(queue, sequence);
    const struct outbox_refusal refusal = {sequence, *entry};
    if (at < queue->refusal_count && queue->refusals[at].sequence == sequence) {
        queue->refusals[at] = refusal;
        return PT_OK;
    }
    if (queue->refusal_count == queue->refusal_cap) {
        const size_t cap = queue->refusal_cap ? queue->refusal_cap * 2 : FIRST_REFUSALS;
        struct outbox_refusal *refusals = realloc(queue->refusals, cap * sizeof *refusals);
        if (!refusals) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
        queue->refusals = refusals;
        queue->refusal_cap = cap;
    }
    memmove(&queue->refusals[at + 1], &queue->refusals[at], (queue->refusal_count - at) * sizeof refusal);
    queue->refusals[at] = refusal;
    queue->refusal_count++;
    return PT_OK;
}

const struct outbox_entry *outbox_queue_oldest(const struct outbox_queue *queue) { return queue->count ? &queue->entries[queue->start] : NULL; }

static struct outbox_item item_of(uint64_t sequence, const struct outbox_entry *entry, enum outbox_state state) {
    return (struct outbox_item){.sequence = sequence, .id = entry->id, .state = state, .sent_at = entry->sent_at, .size = entry->size};
}

size_t outbox_queue_list(const struct outbox_queue *queue, enum outbox_state state, uint64_t from, struct outbox_item *items, size_t most) {
    size_t found = 0;
    if (state == OUTBOX_REFUSED) {
        for (size_t i = place_of_refusal(queue, from); i < queue->refusal_count && found < most; i++)
            items[found++] = item_of(queue->refusals[i].sequence, &queue->refusals[i].entry, state);
        return found;
    }
    for (size_t i = from > queue->first ? (size_t)(from - queue->first) : 0; i < queue->count && found < most; i++) {
        const struct outbox_entry *entry = &queue->entries[queue->start + i];
        if (!entry->gone && entry->sent == (state == OUTBOX_SENT)) items[found++] = item_of(queue->first + i, entry, state);
    }
    return found;
}
