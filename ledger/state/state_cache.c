#include "ledger/state/state_cache.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/siphash.h"

#define GROWTH 16u      // room for a value to grow in
#define ROOM_LEAST 48u  // a pack's record mostly, also where none is yet

struct state_cache {
    struct cached_record **buckets;
    size_t bucket_count;  // a power of two
    size_t count, most, sweep_at;
    uint64_t moment;
    struct pt_siphash_key secret;
    struct cached_record **changed;
    size_t changed_count, changed_cap;
};

enum pt_code state_cache_new(size_t most, const struct pt_env *env, struct state_cache **out, struct pt_error *err) {
    struct state_cache *cache = calloc(1, sizeof *cache);
    *out = NULL;
    if (!cache) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    cache->most = cache->sweep_at = most;
    cache->bucket_count = 1024;
    while (cache->bucket_count < most) cache->bucket_count *= 2;
    cache->buckets = calloc(cache->bucket_count, sizeof(struct cached_record *));
    enum pt_code code = cache->buckets ? PT_OK : pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    if (code == PT_OK) code = env->random(env->ctx, (uint8_t *)&cache->secret, sizeof cache->secret, err);
    if (code != PT_OK) {
        state_cache_free(cache);
        return code;
    }
    *out = cache;
    return PT_OK;
}

// A record is one piece of memory, with room for its first value behind the key; a value that outgrows it moves out.
static uint8_t *room_of(struct cached_record *record) { return record->key + record->key_len; }

static void release(struct cached_record *record) {
    if (record->value != room_of(record)) free(record->value);
    free(record);
}

void state_cache_free(struct state_cache *cache) {
    if (!cache) return;
    for (size_t i = 0; cache->buckets && i < cache->bucket_count; i++)
        for (struct cached_record *next, *record = cache->buckets[i]; record; record = next) {
            next = record->next;
            release(record);
        }
    free(cache->buckets);
    free(cache->changed);
    free(cache);
}

uint64_t state_cache_hash(const struct state_cache *cache, unsigned table, struct pt_bytes key) {
    return pt_siphash((struct pt_siphash_key){cache->secret.low ^ table, cache->secret.high}, key);
}

static struct cached_record **bucket(struct state_cache *cache, uint64_t hash) {
    return &cache->buckets[hash & (cache->bucket_count - 1)];
}

static bool is(const struct cached_record *record, uint64_t hash, unsigned table, struct pt_bytes key) {
    return record->hash == hash && record->table == table && record->key_len == key.len && memcmp(record->key, key.data, key.len) == 0;
}

struct cached_record *state_cache_find(struct state_cache *cache, uint64_t hash, unsigned table, struct pt_bytes key) {
    struct cached_record *record = *bucket(cache, hash);
    while (record && !is(record, hash, table, key)) record = record->next;
    if (record) record->used = true;
    return record;
}

struct cached_record *state_cache_peek(const struct state_cache *cache, uint64_t hash, unsigned table, struct pt_bytes key) {
    struct cached_record *record = cache->buckets[hash & (cache->bucket_count - 1)];
    while (record && !is(record, hash, table, key)) record = record->next;
    return record;
}

uint64_t state_cache_moment(struct state_cache *cache) { return ++cache->moment; }

static bool set_value(struct cached_record *record, struct pt_bytes value) {
    if (value.len > record->value_cap) {
        const size_t cap = value.len + GROWTH;
        uint8_t *grown = realloc(record->value == room_of(record) ? NULL : record->value, cap);
        if (!grown) return false;
        record->value = grown;
        record->value_cap = cap;
    }
    if (value.len > 0) memcpy(record->value, value.data, value.len);
    record->value_len = value.len;
    return true;
}

static struct cached_record *add(struct state_cache *cache, uint64_t hash, unsigned table, struct pt_bytes key, size_t value_len) {
    const size_t room = value_len < ROOM_LEAST ? ROOM_LEAST : value_len + GROWTH;
    struct cached_record *record = malloc(sizeof *record + key.len + room);
    if (!record) return NULL;
    *record = (struct cached_record){.value = record->key + key.len, .value_cap = room};
    record->hash = hash;
    record->table = table;
    record->key_len = key.len;
    record->used = true;
    if (key.len > 0) memcpy(record->key, key.data, key.len);
    struct cached_record **at = bucket(cache, hash);
    record->next = *at;
    *at = record;
    cache->count++;
    return record;
}

struct cached_record *state_cache_learn(struct state_cache *cache, uint64_t hash, unsigned table, struct pt_bytes key,
                                        bool found, struct pt_bytes value, uint64_t height) {
    struct cached_record *record = state_cache_find(cache, hash, table, key);
    if (record) return record;
    record = add(cache, hash, table, key, value.len);
    if (!record) return NULL;
    record->height = height;
    record->found = found && set_value(record, value);
    if (found && !record->found) {
        *bucket(cache, hash) = record->next;
        cache->count--;
        release(record);
        return NULL;
    }
    return record;
}

static bool mark_changed(struct state_cache *cache, struct cached_record *record) {
    if (record->changed) return true;
    if (cache->changed_count == cache->changed_cap) {
        const size_t cap = cache->changed_cap ? cache->changed_cap * 2 : 1024;
        struct cached_record **grown = realloc(cache->changed, cap * sizeof(struct cached_record *));
        if (!grown) return false;
        cache->changed = grown;
        cache->changed_cap = cap;
    }
    cache->changed[cache->changed_count++] = record;
    record->changed = true;
    return true;
}

bool state_cache_write(struct state_cache *cache, uint64_t hash, unsigned table, struct pt_bytes key, bool deleted,
                       struct pt_bytes value, uint64_t height) {
    return state_cache_change(cache, state_cache_find(cache, hash, table, key), hash, table, key, deleted, value, height);
}

bool state_cache_change(struct state_cache *cache, struct cached_record *record, uint64_t hash, unsigned table, struct pt_bytes key,
                        bool deleted, struct pt_bytes value, uint64_t height) {
    if (!record) record = add(cache, hash, table, key, value.len);
    if (!record || !mark_changed(cache, record) || !set_value(record, deleted ? (struct pt_bytes){0} : value)) return false;
    record->found = !deleted;
    record->height = height;
    record->moment = cache->moment;
    return true;
}

struct state_change *state_cache_take_changes(struct state_cache *cache, struct pt_arena *arena, size_t *count, bool *failed) {
    const size_t changed = cache->changed_count;
    struct state_change *changes = NULL;
    *failed = false;
    *count = 0;
    if (changed > 0) changes = pt_arena_alloc(arena, changed, sizeof *changes);
    if (changed > 0 && !changes) *failed = true;
    for (size_t i = 0; i < changed; i++) {
        struct cached_record *record = cache->changed[i];
        record->changed = false;
        if (*failed) continue;
        uint8_t *copy = pt_arena_alloc(arena, 1, record->key_len + record->value_len + 1);
        if (!copy) {
            *failed = true;
            continue;
        }
        memcpy(copy, record->key, record->key_len);
        if (record->value_len > 0) memcpy(copy + record->key_len, record->value, record->value_len);
        changes[(*count)++] = (struct state_change){.table = (enum state_table)record->table,
                                                    .key = pt_bytes_of(copy, record->key_len),
                                                    .deleted = !record->found,
                                                    .value = pt_bytes_of(copy + record->key_len, record->value_len)};
    }
    cache->changed_count = 0;
    if (*count > 0) state_changes_sort(changes, *count);
    return changes;
}

void state_cache_sweep(struct state_cache *cache, uint64_t height) {
    if (cache->count <= cache->sweep_at) return;
    for (size_t i = 0; i < cache->bucket_count; i++) {
        for (struct cached_record **at = &cache->buckets[i]; *at;) {
            struct cached_record *record = *at;
            if (record->changed || record->height > height || record->used) {
                record->used = false;
                at = &record->next;
                continue;
            }
            *at = record->next;
            cache->count--;
            release(record);
        }
    }
    // Not again before it has grown by a quarter: a sweep that finds everything in use would else run at every height.
    cache->sweep_at = (cache->count > cache->most ? cache->count : cache->most) + cache->most / 4;
}
