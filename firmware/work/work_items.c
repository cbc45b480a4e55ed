#include <stdlib.h>
#include <string.h>

#include "firmware/work/work_internal.h"

static void *with_room(void *items, size_t count, size_t *cap, size_t size) {
    if (count < *cap) return items;
    const size_t larger = *cap ? *cap * 2 : 64;
    void *moved = realloc(items, larger * size);
    if (moved) *cap = larger;
    return moved;
}

static const char *keep(struct work *work, const char *text) { return text && text[0] ? pt_arena_strdup(&work->arena, pt_bytes_str(text)) : ""; }

static struct pt_bytes keep_key(struct work *work, struct pt_bytes key) {
    uint8_t *copy = key.len ? pt_arena_alloc(&work->arena, key.len, 1) : NULL;
    if (copy) memcpy(copy, key.data, key.len);
    return pt_bytes_of(copy, copy ? key.len : 0);
}

enum pt_code work_items_pack(const struct work_item *item, struct pack_id *out, struct pt_error *err) { return pack_id_from_key(item->key, out, err); }

enum pt_code work_items_add(struct work *work, const struct work_item *item, struct pt_error *err) {
    struct pack_id pack;
    const enum pt_code code = work_items_pack(item, &pack, err);
    if (code != PT_OK) return code;
    struct work_item *items = with_room(work->items, work->count, &work->cap, sizeof *items);
    if (!items) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    work->items = items;
    struct work_item *added = &items[work->count];
    *added = *item;
    added->key = keep_key(work, item->key);
    added->lot = keep(work, item->lot);
    added->expiry = keep(work, item->expiry);
    added->insisted = keep(work, item->insisted);
    added->tap = keep(work, item->tap);
    added->state = ITEM_OPEN;
    added->gone = false;
    if (!added->key.data || !added->lot || !added->expiry || !added->insisted || !added->tap) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    const enum pt_code put = work_table_put(&work->index, remembered_identity(&work->remembered, &pack), (uint32_t)work->count, err);
    if (put != PT_OK) return put;
    work->count++;
    work->counted++;
    work->matched += added->expected;
    work->unexpected += added->unexpected;
    return PT_OK;
}

bool work_items_find(const struct work *work, const struct pack_id *pack, uint32_t *at) {
    uint32_t found;
    if (!work_table_get(&work->index, remembered_identity(&work->remembered, pack), &found) || work->items[found].gone) return false;
    if (at) *at = found;
    return true;
}

void work_items_remove(struct work *work, uint32_t at) {
    struct work_item *item = &work->items[at];
    if (item->gone) return;
    item->gone = true;
    work->counted--;
    work->matched -= item->expected;
    work->unexpected -= item->unexpected;
}

bool work_items_newest(const struct work *work, uint32_t *at) {
    for (size_t i = work->count; i > 0; i--) {
        if (work->items[i - 1].gone) continue;
        *at = (uint32_t)(i - 1);
        return true;
    }
    return false;
}

enum pt_code work_items_except(struct work *work, const struct work_exception_item *item, struct pt_error *err) {
    struct work_exception_item *items = with_room(work->exceptions, work->exception_count, &work->exception_cap, sizeof *items);
    if (!items) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    work->exceptions = items;
    struct work_exception_item *added = &items[work->exception_count];
    *added = *item;
    added->key = keep_key(work, item->key);
    added->note = keep(work, item->note);
    added->state = ITEM_OPEN;
    if (!added->note || (item->key.len && !added->key.data)) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    work->exception_count++;
    return PT_OK;
}

void work_items_clear(struct work *work) {
    free(work->items);
    free(work->exceptions);
    free(work->plan.items);
    pt_buf_free(&work->plan.payload);
    work_table_free(&work->index);
    work_table_free(&work->expected);
    pt_arena_free(&work->arena);
    work->items = NULL;
    work->exceptions = NULL;
    work->count = work->cap = work->counted = work->matched = work->unexpected = 0;
    work->settled = work->exception_count = work->exception_cap = 0;
    work->has_parent = false;
    work->parent_at = 0;
    work->open_ended = work->begun = false;
    work->plan = (struct work_plan){.payload = PT_BUF_INIT(STATEMENT_MAX)};
    work->signed_so_far = (struct work_signed){0};
    work->start = (struct work_start){0};
    work->notice = (struct shipping_notice){0};
}
