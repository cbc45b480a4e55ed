#include "common/base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pt_arena_block {
    struct pt_arena_block *next;
    size_t cap;
    size_t used;
    alignas(max_align_t) unsigned char data[];
};

enum { FIRST_BLOCK = 4096 - sizeof(struct pt_arena_block), MOST_BLOCK = 1 << 18 };

static struct pt_arena_block *block_with_room(struct pt_arena *arena, size_t len) {
    struct pt_arena_block *head = arena->blocks;
    if (head && head->cap - head->used >= len) return head;
    size_t cap = head ? head->cap * 2 : FIRST_BLOCK;
    if (cap > MOST_BLOCK) cap = MOST_BLOCK;
    if (cap < len) cap = len;
    struct pt_arena_block *block = malloc(sizeof *block + cap);
    if (!block) return NULL;
    *block = (struct pt_arena_block){.next = head, .cap = cap};
    arena->blocks = block;
    return block;
}

void *pt_arena_alloc(struct pt_arena *arena, size_t count, size_t size) {
    size_t len;
    if (__builtin_mul_overflow(count, size, &len)) return NULL;
    const size_t align = alignof(max_align_t);
    if (len > PTRDIFF_MAX - align) return NULL;
    len = (len + align - 1) / align * align;
    if (len == 0) len = align;
    const size_t ceiling = arena->ceiling ? arena->ceiling : PT_ARENA_DEFAULT_CEILING;
    if (len > ceiling || arena->used > ceiling - len) {
        arena->full = true;
        return NULL;
    }
    struct pt_arena_block *block = block_with_room(arena, len);
    if (!block) return NULL;
    void *room = block->data + block->used;
    block->used += len;
    arena->used += len;
    return memset(room, 0, len);
}

char *pt_arena_strdup(struct pt_arena *arena, struct pt_bytes text) {
    if (text.len == SIZE_MAX) return NULL;
    char *copy = pt_arena_alloc(arena, text.len + 1, 1);
    if (copy && text.len) memcpy(copy, text.data, text.len);
    return copy;
}

char *pt_arena_printf(struct pt_arena *arena, const char *fmt, ...) {
    va_list args;
    va_list again;
    va_start(args, fmt);
    va_copy(again, args);
    const int needed = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    char *text = needed < 0 ? NULL : pt_arena_alloc(arena, (size_t)needed + 1, 1);
    if (text) vsnprintf(text, (size_t)needed + 1, fmt, again);
    va_end(again);
    return text;
}

void pt_arena_free(struct pt_arena *arena) {
    for (struct pt_arena_block *block = arena->blocks; block;) {
        struct pt_arena_block *next = block->next;
        free(block);
        block = next;
    }
    arena->blocks = NULL;
    arena->used = 0;
    arena->full = false;
}

void pt_arena_reset(struct pt_arena *arena) {
    struct pt_arena_block *kept = arena->blocks;
    if (kept) {
        arena->blocks = kept->next;
        pt_arena_free(arena);
        kept->next = NULL;
        kept->used = 0;
    }
    arena->blocks = kept;
    arena->used = 0;
}
