// Keyed hashes of packs with a number each: small, and quick to ask. Two packs of one hash in 64 bits do not happen in practice;
// whoever cannot live with that compares what the number stands for.
#ifndef PACKTRAIL_FIRMWARE_WORK_WORK_TABLE_H
#define PACKTRAIL_FIRMWARE_WORK_WORK_TABLE_H

#include "common/identify/pack_id.h"

struct work_table {
    struct work_slot *slots;  // a power of two of them
    size_t cap, count;
};

struct work_slot {
    uint64_t hash;  // 0: empty
    uint32_t value;
};

// Of a pack's key behind `word` (a task's name, or ""); never 0.
uint64_t work_hash(const char *word, const struct pack_id *pack);

bool work_table_get(const struct work_table *table, uint64_t hash, uint32_t *value);  // value may be NULL
enum pt_code work_table_put(struct work_table *table, uint64_t hash, uint32_t value, struct pt_error *err) PT_NODISCARD;
void work_table_free(struct work_table *table);  // can be used again

#endif
