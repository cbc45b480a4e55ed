// From scans to reports: which reports an event leads to, which earlier ones it takes back, and their documents. Everything
// that is decided here is one transaction of the store, so that a crash repeats it or leaves it done.
#ifndef PACKTRAIL_GATEWAY_SETTLEMENT_DESK_H
#define PACKTRAIL_GATEWAY_SETTLEMENT_DESK_H

#include "gateway/settlement/derive.h"
#include "gateway/settlement/store.h"

struct desk {
    const struct mapping *mapping;
    struct store *store;
    const struct pt_env *env;
    // Whether a statement by this key and of this sequence counts: a revoked device's later ones do not. May be NULL.
    bool (*trusted)(void *arg, const struct pt_digest *kid, uint64_t sequence);
    void *arg;
};

// Makes the reports of the oldest new scan. PT_NOT_FOUND: there is none.
enum pt_code desk_sort_one(struct desk *desk, struct pt_error *err) PT_NODISCARD;

// Derives the document of the oldest report that has none and waits for nothing. PT_NOT_FOUND: there is none.
enum pt_code desk_derive_one(struct desk *desk, struct pt_error *err) PT_NODISCARD;

#endif
