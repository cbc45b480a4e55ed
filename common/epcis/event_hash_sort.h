// Sorting of many similar strings by bytes. Inside of event_hash.c.
#ifndef PACKTRAIL_COMMON_EPCIS_EVENT_HASH_SORT_H
#define PACKTRAIL_COMMON_EPCIS_EVENT_HASH_SORT_H

#include "common/base/arena.h"

// Sorts the views as memcmp orders them, a shorter prefix first. Working memory comes from `arena`; false without.
bool hash_sort(struct pt_bytes *items, size_t count, struct pt_arena *arena);

#endif
