#include "ledger/state/state_view.h"

#include <stdlib.h>
#include <string.h>

#include "ledger/state/pack_record.h"
#include "ledger/state/varint.h"

#define VALUE_MAX ((size_t)512 * 1024)
#define ROOMY 256u  // slots
#define NAME_TABLE_MODE (ACCESS_READ | ACCESS_WRITE)

// One key of the statement: what was declared about it, and what was written.
struct slot {
    struct pt_bytes key;  // no data: an empty slot
    uint64_t hash;
    unsigned table, mode;
    bool expected;                       // `read` is what the index said
    bool loaded, found;                  // `read` is what counts
    bool written, deleted;
    struct cached_record *record;        // that `read` is of; NULL: from the index at `height`
    uint64_t height;
    struct pt_bytes read, value;         // value: when written
};

struct state_view {
    struct state_view_source source;
    bool trial;
    struct pt_arena *arena;
    uint64_t height;
    struct slot *slots;  // open addressing; a power of two
    size_t slot_count, used;
    struct slot *last;   // looked up last: a contract asks for one key several times in a row
    const struct access_list *declared;  // for prefixes
    struct pt_buf buffer;
};

void access_declare(struct access_list *list, unsigned table, unsigned mode, struct pt_bytes key) {
    if (list->count == list->cap) {
        const size_t cap = list->cap ? list->cap * 2 : 16;
        struct access *grown = pt_arena_alloc(list->arena, cap, sizeof *grown);
        if (!grown) {
            list->failed = true;
            return;
        }
        if (list->count > 0) memcpy(grown, list->items, list->count * sizeof *grown);
        list->items = grown;
        list->cap = cap;
    }
    list->items[list->count++] = (struct access){table, mode, key};
}

enum pt_code state_view_new(const struct state_view_source *source, struct state_view **out, struct pt_error *err) {
    struct state_view *view = calloc(1, sizeof *view);
    *out = NULL;
    if (!view) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    if (source) view->source = *source;
    pt_buf_init(&view->buffer, VALUE_MAX);
    *out = view;
    return PT_OK;
}

void state_view_free(struct state_view *view) {
    if (!view) return;
    pt_buf_free(&view->buffer);
    free(view->slots);
    free(view);
}

static void start(struct state_view *view, uint64_t height, struct pt_arena *arena) {
    view->height = height;
    view->arena = arena;
    view->declared = NULL;
    if (view->used > 0) state_view_discard(view);
}

void state_view_begin(struct state_view *view, uint64_t height, struct pt_arena *arena) {
    view->trial = false;
    start(view, height, arena);
}

void state_view_try(struct state_view *view, const struct state_view_source *source, uint64_t height, struct pt_arena *arena) {
    view->trial = true;
    view->source = *source;
    start(view, height, arena);
}

void state_view_discard(struct state_view *view) {
    if (view->slot_count > ROOMY && view->used * 8 < view->slot_count) {
        free(view->slots);  // after one large event the many small ones would each clear its large table
        view->slots = NULL;
        view->slot_count = 0;
    }
    if (view->used > 0 && view->slots) memset(view->slots, 0, view->slot_count * sizeof *view->slots);
    view->used = 0;
    view->last = NULL;
}

static struct slot *probe(struct slot *slots, size_t slot_count, uint64_t hash, unsigned table, struct pt_bytes key) {
    for (size_t at = (size_t)hash & (slot_count - 1);; at = (at + 1) & (slot_count - 1)) {
        struct slot *slot = &slots[at];
        if (!slot->key.data) return slot;
        if (slot->hash == hash && slot->table == table && pt_bytes_equal(slot->key, key)) return slot;
    }
}

static bool grow(struct state_view *view) {
    const size_t wanted = view->slot_count ? view->slot_count * 2 : 64;
    struct slot *slots = calloc(wanted, sizeof *slots);
    if (!slots) return false;
    for (size_t i = 0; i < view->slot_count; i++) {
        const struct slot *old = &view->slots[i];
        if (old->key.data) *probe(slots, wanted, old->hash, old->table, old->key) = *old;
    }
    free(view->slots);
    view->slots = slots;
    view->slot_count = wanted;
    view->last = NULL;
    return true;
}

// The slot of a key, made if need be; the key must outlive the statement. NULL without memory.
static struct slot *slot_for(struct state_view *view, unsigned table, unsigned mode, struct pt_bytes key) {
    if ((view->used + 1) * 2 > view->slot_count && !grow(view)) return NULL;
    const uint64_t hash = state_cache_hash(view->source.cache, table, key);
    struct slot *slot = probe(view->slots, view->slot_count, hash, table, key);
    if (!slot->key.data) {
        *slot = (struct slot){.key = key, .hash = hash, .table = table};
        view->used++;
    }
    slot->mode |= mode;
    return slot;
}

static enum pt_code no_memory(struct pt_error *err) { return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory"); }

enum pt_code state_view_declare(struct state_view *view, const struct access_list *list, struct pt_error *err) {
    if (list->failed) return no_memory(err);
    for (size_t i = 0; i < view->slot_count; i++) view->slots[i].mode = 0;
    view->declared = list;
    for (size_t i = 0; i < list->count; i++) {
        const struct access *access = &list->items[i];
        if (access->mode & ACCESS_PREFIX) continue;
        if (!slot_for(view, access->table, access->mode, access->key)) return no_memory(err);
    }
    return PT_OK;
}

static unsigned prefix_mode(const struct state_view *view, unsigned table, struct pt_bytes key) {
    unsigned mode = 0;
    for (size_t i = 0; view->declared && i < view->declared->count; i++) {
        const struct access *access = &view->declared->items[i];
        if ((access->mode & ACCESS_PREFIX) && access->table == table && access->key.len <= key.len &&
            (access->key.len == 0 || memcmp(access->key.data, key.data, access->key.len) == 0))
            mode |= access->mode;
    }
    return mode;
}

static enum pt_code allowed(struct state_view *view, unsigned table, unsigned mode, struct pt_bytes key, struct slot **out,
                            struct pt_error *err) {
    struct slot *slot = view->last;
    // A slot's key outlives the statement, so the same bytes at the same place are the same key.
    if (!slot || slot->key.data != key.data || slot->key.len != key.len || slot->table != table) {
        const uint64_t hash = state_cache_hash(view->source.cache, table, key);
        slot = view->slot_count ? probe(view->slots, view->slot_count, hash, table, key) : NULL;
    }
    unsigned has = slot && slot->key.data ? slot->mode : 0;
    if (table == STATE_NAME) has |= NAME_TABLE_MODE;
    if (!(has & mode)) has |= prefix_mode(view, table, key);
    if (!(has & mode)) return pt_fail(err, PT_INTERNAL, NULL, "a contract touches table %u beyond what it declared", table);
    if (!slot || !slot->key.data) {
        uint8_t *copy = pt_arena_alloc(view->arena, 1, key.len + 1);
        if (!copy) return no_memory(err);
        if (key.len > 0) memcpy(copy, key.data, key.len);
        slot = slot_for(view, table, 0, pt_bytes_of(copy, key.len));
        if (!slot) return no_memory(err);
    }
    *out = view->last = slot;
    return PT_OK;
}

// What the index says, copied where it lives as long as the statement.
static enum pt_code ask_index(struct state_view *view, struct slot *slot, struct pt_error *err) {
    const struct state_view_source *source = &view->source;
    pt_buf_clear(&view->buffer);
    const enum pt_code code = source->index->get(source->index, slot->table, slot->key, &view->buffer, err);
    if (code != PT_OK && code != PT_NOT_FOUND) return code;
    // Asked after reading: what the index said is from this height or before.
    slot->height = source->committed(source->ctx);
    slot->found = code == PT_OK;
    slot->expected = true;
    if (!slot->found) return PT_OK;
    uint8_t *copy = pt_arena_alloc(view->arena, 1, view->buffer.len + 1);
    if (!copy) return no_memory(err);
    if (view->buffer.len > 0) memcpy(copy, view->buffer.data, view->buffer.len);
    slot->read = pt_bytes_of(copy, view->buffer.len);
    return PT_OK;
}

static void take_record(struct slot *slot, struct cached_record *record) {
    slot->record = record;
    slot->found = record->found;
    slot->read = record->found ? pt_bytes_of(record->value, record->value_len) : (struct pt_bytes){0};
}

static enum pt_code load(struct state_view *view, struct slot *slot, struct pt_error *err) {
    struct state_cache *cache = view->source.cache;
    if (slot->loaded) return PT_OK;
    struct cached_record *record = view->trial ? state_cache_peek(cache, slot->hash, slot->table, slot->key)
                                                     : state_cache_find(cache, slot->hash, slot->table, slot->key);
    if (!record && !slot->expected) {
        const enum pt_code code = ask_index(view, slot, err);
        if (code != PT_OK) return code;
    }
    if (!record && !view->trial) {
        record = state_cache_learn(cache, slot->hash, slot->table, slot->key, slot->found, slot->read, slot->height);
        if (!record) return no_memory(err);
    }
    if (record) take_record(slot, record);
    slot->loaded = true;
    return PT_OK;
}

enum pt_code state_view_expect(struct state_view *view, unsigned table, struct pt_bytes key, bool found, struct pt_bytes value,
                               uint64_t height, struct pt_error *err) {
    struct slot *slot = slot_for(view, table, 0, key);
    if (!slot) return no_memory(err);
    if (slot->loaded) return PT_OK;
    slot->expected = true;
    slot->found = found;
    slot->read = value;
    slot->height = height;
    return PT_OK;
}

enum pt_code state_get(struct state_view *view, unsigned table, struct pt_bytes key, struct pt_bytes *value, bool *found,
                       struct pt_error *err) {
    struct slot *slot;
    *found = false;
    *value = (struct pt_bytes){0};
    enum pt_code code = allowed(view, table, ACCESS_READ | ACCESS_WRITE, key, &slot, err);
    if (code == PT_OK && !slot->written) code = load(view, slot, err);
    if (code != PT_OK) return code;
    *found = slot->written ? !slot->deleted : slot->found;
    if (*found) *value = slot->written ? slot->value : slot->read;
    return PT_OK;
}

static enum pt_code write_slot(struct state_view *view, unsigned table, struct pt_bytes key, bool deleted,
                               struct pt_bytes value, struct pt_error *err) {
    struct slot *slot;
    const enum pt_code code = allowed(view, table, ACCESS_WRITE, key, &slot, err);
    if (code != PT_OK) return code;
    if (value.len > VALUE_MAX) return pt_fail(err, PT_INTERNAL, NULL, "a state record is too long");
    uint8_t *copy = pt_arena_alloc(view->arena, 1, value.len + 1);
    if (!copy) return no_memory(err);
    if (value.len > 0) memcpy(copy, value.data, value.len);
    slot->written = true;
    slot->deleted = deleted;
    slot->value = pt_bytes_of(copy, value.len);
    return PT_OK;
}

enum pt_code state_put(struct state_view *view, unsigned table, struct pt_bytes key, struct pt_bytes value,
                       struct pt_error *err) {
    return write_slot(view, table, key, false, value, err);
}

enum pt_code state_delete(struct state_view *view, unsigned table, struct pt_bytes key, struct pt_error *err) {
    return write_slot(view, table, key, true, (struct pt_bytes){0}, err);
}

enum pt_code state_view_commit(struct state_view *view, struct pt_error *err) {
    for (size_t i = 0; i < view->slot_count; i++) {
        const struct slot *slot = &view->slots[i];
        if (!slot->key.data || !slot->written) continue;
        struct cached_record *record = slot->record ? slot->record : state_cache_find(view->source.cache, slot->hash, slot->table, slot->key);
        if (!state_cache_change(view->source.cache, record, slot->hash, slot->table, slot->key, slot->deleted, slot->value, view->height))
            return no_memory(err);
    }
    state_view_discard(view);
    return PT_OK;
}

// --- Touches ---

enum pt_code state_view_touches(const struct state_view *view, struct pt_arena *arena, struct state_touch **out, size_t *count,
                                struct pt_error *err) {
    struct state_touch *touches = pt_arena_alloc(arena, view->used + 1, sizeof *touches);
    *count = 0;
    if (!touches) return no_memory(err);
    for (size_t i = 0; i < view->slot_count; i++) {
        const struct slot *slot = &view->slots[i];
        if (!slot->key.data || (!slot->loaded && !slot->written)) continue;
        touches[(*count)++] = (struct state_touch){.hash = slot->hash, .key = slot->key, .table = slot->table, .read = slot->loaded,
                                                   .found = slot->loaded && slot->found, .written = slot->written,
                                                   .deleted = slot->deleted, .record = slot->record, .height = slot->height,
                                                   .before = slot->loaded ? slot->read : (struct pt_bytes){0}, .after = slot->value};
    }
    *out = touches;
    return PT_OK;
}

bool state_touches_hold(const struct state_cache *cache, struct state_touch *touches, size_t count, uint64_t moment) {
    for (size_t i = 0; i < count; i++) {
        struct state_touch *touch = &touches[i];
        if (!touch->record) touch->record = state_cache_peek(cache, touch->hash, touch->table, touch->key);
        if (touch->read && touch->record && touch->record->moment >= moment) return false;
    }
    return true;
}

bool state_touches_commit(struct state_cache *cache, const struct state_touch *touches, size_t count, uint64_t height) {
    for (size_t i = 0; i < count; i++) {
        const struct state_touch *touch = &touches[i];
        if (touch->written) {
            if (!state_cache_change(cache, touch->record, touch->hash, touch->table, touch->key, touch->deleted, touch->after, height)) return false;
        } else if (touch->read && !touch->record) {
            if (!state_cache_learn(cache, touch->hash, touch->table, touch->key, touch->found, touch->before, touch->height)) return false;
        }
    }
    return true;
}

// STATE_NAME: kind, text -> number; 0, number -> kind, text; 255 -> the next number.
enum pt_code state_name_of(struct state_view *view, enum name_kind kind, struct pt_bytes text, uint64_t *number,
                           struct pt_error *err) {
    static const uint8_t counter[1] = {255};
    const struct pt_bytes counter_key = pt_bytes_of(counter, 1);
    struct pt_bytes value;
    bool found;
    uint8_t *key = pt_arena_alloc(view->arena, 1, text.len + 1);
    if (!key) return no_memory(err);
    key[0] = (uint8_t)kind;
    if (text.len > 0) memcpy(key + 1, text.data, text.len);
    const struct pt_bytes text_key = pt_bytes_of(key, text.len + 1);
    enum pt_code code = state_get(view, STATE_NAME, text_key, &value, &found, err);
    if (code != PT_OK) return code;
    if (found) return varint_get(&value, number) ? PT_OK : pt_fail(err, PT_UNVERIFIED, "state", "a name is damaged");
    if (view->trial) return pt_fail(err, PT_UNAVAILABLE, NULL, "a new name's number depends on the statements before");
    code = state_get(view, STATE_NAME, counter_key, &value, &found, err);
    if (code != PT_OK) return code;
    *number = 1;
    if (found && !varint_get(&value, number)) return pt_fail(err, PT_UNVERIFIED, "state", "the name counter is damaged");
    uint8_t number_key[9] = {0};
    be64_put(*number, number_key + 1);
    pt_buf_clear(&view->buffer);
    varint_put(&view->buffer, *number + 1);
    code = state_put(view, STATE_NAME, counter_key, pt_buf_bytes(&view->buffer), err);
    pt_buf_clear(&view->buffer);
    varint_put(&view->buffer, *number);
    if (code == PT_OK) code = state_put(view, STATE_NAME, text_key, pt_buf_bytes(&view->buffer), err);
    if (code == PT_OK) code = state_put(view, STATE_NAME, pt_bytes_of(number_key, sizeof number_key), text_key, err);
    return code;
}

enum pt_code state_name_text(struct state_view *view, uint64_t number, struct pt_bytes *text, struct pt_error *err) {
    uint8_t key[9] = {0};
    bool found;
    be64_put(number, key + 1);
    const enum pt_code code = state_get(view, STATE_NAME, pt_bytes_of(key, sizeof key), text, &found, err);
    if (code != PT_OK) return code;
    if (!found || text->len < 1) return pt_fail(err, PT_UNVERIFIED, "state", "a name is missing");
    *text = pt_bytes_of(text->data + 1, text->len - 1);
    return PT_OK;
}

enum pt_code state_container_of(struct state_view *view, struct pt_bytes pack, struct pt_bytes *container, bool *found,
                                struct pt_error *err) {
    struct pt_bytes value;
    struct pack_record record;
    struct slot *slot;
    enum pt_code code = allowed(view, STATE_PACK, ACCESS_ANCESTORS, pack, &slot, err);
    if (code != PT_OK) return code;
    const unsigned mode = slot->mode;
    code = state_get(view, STATE_PACK, pack, &value, found, err);
    if (code != PT_OK || !*found) return code;
    code = pack_record_decode(value, &record, err);
    *found = record.parent != 0;
    if (code != PT_OK || !*found) return code;
    code = state_name_text(view, record.parent, container, err);
    if (code == PT_OK && !slot_for(view, STATE_PACK, mode, *container)) return no_memory(err);
    return code;
}
