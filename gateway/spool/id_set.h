// A set of statement ids (SHA-256 values): tells in one look whether a statement lies in the spool already.
#ifndef PACKTRAIL_GATEWAY_SPOOL_ID_SET_H
#define PACKTRAIL_GATEWAY_SPOOL_ID_SET_H

#include "common/base/bytes.h"

// Zero-initialised is an empty set.
struct id_set {
    struct pt_digest *slots;
    uint8_t *used;
    size_t capacity;  // a power of two, or 0
    size_t count;
};

bool id_set_contains(const struct id_set *set, const struct pt_digest *id);
enum pt_code id_set_add(struct id_set *set, const struct pt_digest *id, struct pt_error *err) PT_NODISCARD;
void id_set_remove(struct id_set *set, const struct pt_digest *id);
void id_set_free(struct id_set *set);

#endif
