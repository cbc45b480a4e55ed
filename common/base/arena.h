// Memory that is released together: a decoded document's strings and nodes live in one arena, so that
// owning the document is owning one thing.
#ifndef PACKTRAIL_COMMON_BASE_ARENA_H
#define PACKTRAIL_COMMON_BASE_ARENA_H

#include <stddef.h>

#include "common/base/bytes.h"

struct pt_arena_block;

// Zero-initialised is ready to use, with a ceiling of PT_ARENA_DEFAULT_CEILING bytes.
struct pt_arena {
    struct pt_arena_block *blocks;
    size_t used;     // bytes handed out, for the ceiling
    size_t ceiling;  // 0 means PT_ARENA_DEFAULT_CEILING
    bool full;       // a NULL was the ceiling's doing, not want of memory: the same on every machine
};

#define PT_ARENA_DEFAULT_CEILING ((size_t)64 * 1024 * 1024)

// Zeroed, aligned for any object; NULL without memory, past the ceiling or when count * size overflows.
void *pt_arena_alloc(struct pt_arena *arena, size_t count, size_t size);
// A NUL-terminated copy; NULL as above. The bytes may contain anything.
char *pt_arena_strdup(struct pt_arena *arena, struct pt_bytes text);
char *pt_arena_printf(struct pt_arena *arena, const char *fmt, ...) PT_PRINTF(2, 3);
void pt_arena_free(struct pt_arena *arena);   // everything; the arena can be used again
void pt_arena_reset(struct pt_arena *arena);  // as free, but keeps one block for the next document

#endif
