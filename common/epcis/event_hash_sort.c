#include "common/epcis/event_hash_sort.h"

#include <string.h>

// The eight bytes behind the prefix that all items share decide nearly every comparison, so that a list of 500 serial
// numbers of one product is sorted without looking at the strings again.
struct keyed {
    uint64_t key;
    struct pt_bytes bytes;
};

static size_t shared_length(struct pt_bytes a, struct pt_bytes b, size_t most) {
    if (a.len < most) most = a.len;
    if (b.len < most) most = b.len;
    if (memcmp(a.data, b.data, most) == 0) return most;
    size_t len = 0;
    while (a.data[len] == b.data[len]) len++;
    return len;
}

static uint64_t key_behind(struct pt_bytes bytes, size_t prefix) {
    uint64_t key = 0;
    for (size_t i = prefix; i < prefix + 8; i++) key = key << 8 | (i < bytes.len ? bytes.data[i] : 0);
    return key;
}

static bool in_order(const struct keyed *a, const struct keyed *b) {
    if (a->key != b->key) return a->key < b->key;
    return pt_bytes_compare(a->bytes, b->bytes) <= 0;
}

static void merge(const struct keyed *from, struct keyed *to, size_t first, size_t middle, size_t end) {
    size_t left = first;
    size_t right = middle;
    for (size_t i = first; i < end; i++) {
        const bool take_left = left < middle && (right == end || in_order(&from[left], &from[right]));
        to[i] = take_left ? from[left++] : from[right++];
    }
}

static bool is_sorted(const struct keyed *items, size_t count) {
    for (size_t i = 1; i < count; i++)
        if (!in_order(&items[i - 1], &items[i])) return false;
    return true;
}

static struct keyed *merge_sort(struct keyed *items, struct keyed *spare, size_t count) {
    for (size_t width = 1; width < count; width *= 2) {
        for (size_t first = 0; first < count; first += 2 * width) {
            const size_t middle = count - first < width ? count : first + width;
            const size_t end = count - first < 2 * width ? count : first + 2 * width;
            merge(items, spare, first, middle, end);
        }
        struct keyed *sorted = spare;
        spare = items;
        items = sorted;
    }
    return items;
}

bool hash_sort(struct pt_bytes *items, size_t count, struct pt_arena *arena) {
    if (count < 2) return true;
    size_t prefix = items[0].len;
    for (size_t i = 1; i < count; i++) prefix = shared_length(items[0], items[i], prefix);
    struct keyed *keyed = pt_arena_alloc(arena, count, 2 * sizeof *keyed);
    if (!keyed) return false;
    for (size_t i = 0; i < count; i++) keyed[i] = (struct keyed){key_behind(items[i], prefix), items[i]};
    if (is_sorted(keyed, count)) return true;
    const struct keyed *sorted = merge_sort(keyed, keyed + count, count);
    for (size_t i = 0; i < count; i++) items[i] = sorted[i].bytes;
    return true;
}
