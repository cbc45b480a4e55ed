#include "gateway/spool/id_set.h"

#include <stdlib.h>
#include <string.h>

// Linear probing. The ids are hash values already; a sender could grind its ids to collide in the low bits, but each
// costs it a signature, so the longest run stays short.
static size_t slot_of(const struct id_set *set, const struct pt_digest *id) {
    uint64_t hash;
    memcpy(&hash, id->bytes, sizeof hash);
    return (size_t)hash & (set->capacity - 1);
}

static size_t find(const struct id_set *set, const struct pt_digest *id) {
    size_t slot = slot_of(set, id);
    while (set->used[slot] && !pt_digest_equal(&set->slots[slot], id)) slot = (slot + 1) & (set->capacity - 1);
    return slot;
}

bool id_set_contains(const struct id_set *set, const struct pt_digest *id) {
    return set->capacity && set->used[find(set, id)];
}

static enum pt_code grow(struct id_set *set, struct pt_error *err) {
    const size_t capacity = set->capacity ? set->capacity * 2 : 1024;
    struct id_set larger = {calloc(capacity, sizeof *larger.slots), calloc(capacity, 1), capacity, set->count};
    if (!larger.slots || !larger.used) {
        id_set_free(&larger);
        return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    }
    for (size_t i = 0; i < set->capacity; i++) {
        if (!set->used[i]) continue;
        const size_t slot = find(&larger, &set->slots[i]);
        larger.slots[slot] = set->slots[i];
        larger.used[slot] = 1;
    }
    id_set_free(set);
    *set = larger;
    return PT_OK;
}

enum pt_code id_set_add(struct id_set *set, const struct pt_digest *id, struct pt_error *err) {
    if (set->count * 4 >= set->capacity * 3) {
        const enum pt_code code = grow(set, err);
        if (code != PT_OK) return code;
    }
    const size_t slot = find(set, id);
    if (!set->used[slot]) set->count++;
    set->used[slot] = 1;
    set->slots[slot] = *id;
    return PT_OK;
}

void id_set_remove(struct id_set *set, const struct pt_digest *id) {
    if (!set->capacity) return;
    size_t hole = find(set, id);
    if (!set->used[hole]) return;
    set->count--;
    set->used[hole] = 0;
    // Close the gap: whoever probed past the hole must still be found.
    for (size_t slot = (hole + 1) & (set->capacity - 1); set->used[slot]; slot = (slot + 1) & (set->capacity - 1)) {
        const size_t home = slot_of(set, &set->slots[slot]);
        const bool reachable = hole <= slot ? (home > hole && home <= slot) : (home > hole || home <= slot);
        if (reachable) continue;
        set->slots[hole] = set->slots[slot];
        set->used[hole] = 1;
        set->used[slot] = 0;
        hole = slot;
    }
}

void id_set_free(struct id_set *set) {
    free(set->slots);
    free(set->used);
    *set = (struct id_set){0};
}
