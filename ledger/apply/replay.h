// Applies heights that stand on the chain already, to bring an index up to it: at start after a crash, and from nothing.
#ifndef PACKTRAIL_LEDGER_APPLY_REPLAY_H
#define PACKTRAIL_LEDGER_APPLY_REPLAY_H

#include "ledger/apply/committer.h"

struct replay_parts {
    const struct genesis *genesis;
    const struct pt_env *env;
    struct committer *committer;
    struct statement_store *statements;
    struct key_ring *keys;
    size_t cache_records;
    bool check_signatures;  // false: they were checked when the blocks were first applied
    // Not NULL: heights from one on whose rule version this program lacks are left alone, and *too_new says why (its code
    // is PT_OK if there are none). NULL: PT_UNAVAILABLE.
    struct pt_error *too_new;
};

// From the index' height to the chain's. Every entry must come out as it stands (PT_UNVERIFIED otherwise). An empty
// index gets the genesis first. each: called after each height, may be NULL.
enum pt_code replay_index(const struct replay_parts *parts,
                          enum pt_code (*each)(void *arg, uint64_t height, const struct chain_height *record,
                                               const struct sealed_height *sealed, struct pt_error *err),
                          void *arg, struct pt_error *err) PT_NODISCARD;

// Appends to the tree's files the leaves of heights up to the index' that they do not hold yet.
enum pt_code replay_tree(const struct replay_parts *parts, struct pt_error *err) PT_NODISCARD;

#endif
