#include <string.h>

#include "ledger/apply/executor_internal.h"

static enum pt_code no_memory(struct pt_error *err) { return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory"); }

enum pt_code executor_get(struct executor *executor, unsigned table, struct pt_bytes key, struct pt_bytes *value, bool *found,
                          struct pt_error *err) {
    const uint64_t hash = state_cache_hash(executor->cache, table, key);
    const struct cached_record *record = state_cache_find(executor->cache, hash, table, key);
    *found = false;
    *value = (struct pt_bytes){0};
    if (!record) {
        struct index_reader *index = executor->parts.index;
        pt_buf_clear(&executor->buffer);
        const enum pt_code code = index->get(index, table, key, &executor->buffer, err);
        if (code != PT_OK && code != PT_NOT_FOUND) return code;
        const uint64_t committed = executor->parts.committed(executor->parts.ctx);  // after reading: an upper bound
        record = state_cache_learn(executor->cache, hash, table, key, code == PT_OK, pt_buf_bytes(&executor->buffer), committed);
        if (!record) return no_memory(err);
    }
    *found = record->found;
    if (*found) *value = pt_bytes_of(record->value, record->value_len);
    return PT_OK;
}

enum pt_code executor_put(struct executor *executor, unsigned table, struct pt_bytes key, struct pt_bytes value,
                          struct pt_error *err) {
    const uint64_t hash = state_cache_hash(executor->cache, table, key);
    return state_cache_write(executor->cache, hash, table, key, false, value, executor->sealed->height) ? PT_OK : no_memory(err);
}

enum pt_code executor_delete(struct executor *executor, unsigned table, struct pt_bytes key, struct pt_error *err) {
    const uint64_t hash = state_cache_hash(executor->cache, table, key);
    return state_cache_write(executor->cache, hash, table, key, true, (struct pt_bytes){0}, executor->sealed->height) ? PT_OK
                                                                                                                       : no_memory(err);
}

enum pt_code executor_side(struct executor *executor, unsigned table, struct pt_bytes key, struct pt_bytes value,
                           struct pt_error *err) {
    struct sealed_height *sealed = executor->sealed;
    if (sealed->side_count == executor->side_cap) {
        const size_t cap = executor->side_cap ? executor->side_cap * 2 : 256;
        struct state_change *grown = pt_arena_alloc(&sealed->arena, cap, sizeof *grown);
        if (!grown) return no_memory(err);
        if (sealed->side_count > 0) memcpy(grown, sealed->side, sealed->side_count * sizeof *grown);
        sealed->side = grown;
        executor->side_cap = cap;
    }
    uint8_t *copy = pt_arena_alloc(&sealed->arena, 1, key.len + value.len + 1);
    if (!copy) return no_memory(err);
    memcpy(copy, key.data, key.len);
    if (value.len > 0) memcpy(copy + key.len, value.data, value.len);
    sealed->side[sealed->side_count++] = (struct state_change){.table = (enum state_table)table,
                                                               .key = pt_bytes_of(copy, key.len),
                                                               .value = pt_bytes_of(copy + key.len, value.len)};
    return PT_OK;
}

enum pt_code executor_chain(struct executor *executor, const struct pt_digest *kid, struct key_chain *out,
                            struct pt_error *err) {
    struct pt_bytes value;
    bool found;
    *out = (struct key_chain){0};
    const enum pt_code code = executor_get(executor, STATE_CHAIN, pt_bytes_digest(kid), &value, &found, err);
    return code == PT_OK && found ? key_chain_decode(value, out, err) : code;
}

enum pt_code executor_set_chain(struct executor *executor, const struct pt_digest *kid, const struct key_chain *record,
                                struct pt_error *err) {
    pt_buf_clear(&executor->buffer);
    key_chain_encode(record, &executor->buffer);
    return executor_put(executor, STATE_CHAIN, pt_bytes_digest(kid), pt_buf_bytes(&executor->buffer), err);
}
