// The state in memory between blocks: what was changed and is not in the index yet, and what was read of late. One
// thread's alone. Reading order that is always right: first here, then in the index.
#ifndef PACKTRAIL_LEDGER_STATE_STATE_CACHE_H
#define PACKTRAIL_LEDGER_STATE_STATE_CACHE_H

#include "common/base/arena.h"
#include "common/base/time.h"
#include "common/chain/state_change.h"

struct state_cache;

struct cached_record {
    struct cached_record *next;
    uint64_t hash;
    uint64_t height;        // that the value is from, or an upper bound
    uint64_t moment;        // of its last change (state_cache_moment); 0: none
    uint8_t *value;
    size_t value_len, value_cap;
    size_t key_len;
    unsigned table;
    bool found;             // false: known to be absent
    bool changed;           // in the height under way
    bool used;              // since the last sweep
    uint8_t key[];
};

// most: records kept when they could also be read again. env gives the hash's secret: keys are chosen by strangers.
enum pt_code state_cache_new(size_t most, const struct pt_env *env, struct state_cache **out, struct pt_error *err) PT_NODISCARD;
void state_cache_free(struct state_cache *cache);

uint64_t state_cache_hash(const struct state_cache *cache, unsigned table, struct pt_bytes key);

// NULL: not known here, ask the index.
struct cached_record *state_cache_find(struct state_cache *cache, uint64_t hash, unsigned table, struct pt_bytes key);

// As state_cache_find, but leaves no trace: while nobody changes the cache, any number of threads may look so.
struct cached_record *state_cache_peek(const struct state_cache *cache, uint64_t hash, unsigned table, struct pt_bytes key);

// A moment: records changed from now on bear it or a later one.
uint64_t state_cache_moment(struct state_cache *cache);

// Keeps what the index said at `height`. No effect if the key is known already. NULL without memory.
struct cached_record *state_cache_learn(struct state_cache *cache, uint64_t hash, unsigned table, struct pt_bytes key,
                                        bool found, struct pt_bytes value, uint64_t height);

// A change of the height under way. false without memory.
bool state_cache_write(struct state_cache *cache, uint64_t hash, unsigned table, struct pt_bytes key, bool deleted,
                       struct pt_bytes value, uint64_t height);

// As state_cache_write for whoever has just looked: `record` is what is there, NULL if nothing is.
bool state_cache_change(struct state_cache *cache, struct cached_record *record, uint64_t hash, unsigned table, struct pt_bytes key,
                        bool deleted, struct pt_bytes value, uint64_t height);

// The changes since the last call, sorted by table and key, copied into `arena`; NULL with *count 0 if there are none;
// *failed without memory.
struct state_change *state_cache_take_changes(struct state_cache *cache, struct pt_arena *arena, size_t *count, bool *failed);

// Forgets records above the ceiling whose value is from `height` or before: no reader under way may have looked earlier.
void state_cache_sweep(struct state_cache *cache, uint64_t height);

#endif
