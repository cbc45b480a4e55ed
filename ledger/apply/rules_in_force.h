// The rules that decide a height: version and settings as the state has them, and the changes that wait for theirs.
#ifndef PACKTRAIL_LEDGER_APPLY_RULES_IN_FORCE_H
#define PACKTRAIL_LEDGER_APPLY_RULES_IN_FORCE_H

#include "common/chain/state_change.h"
#include "ledger/state/rule_settings.h"
#include "ledger/store/index_store.h"

struct rules_change;

struct rules_in_force {
    uint64_t version;
    struct rule_settings settings;
    uint64_t *pending;  // heights that a change waits for, ascending
    size_t pending_count;
};

// From an index at one height. Freed by rules_in_force_free, also after a failure. PT_UNVERIFIED: the index is damaged.
enum pt_code rules_in_force_load(struct index_reader *index, struct rules_in_force *out, struct pt_error *err) PT_NODISCARD;
void rules_in_force_free(struct rules_in_force *rules);

// PT_UNAVAILABLE if this program has no contracts of that rule version; the word for whoever runs it.
enum pt_code rules_known(uint64_t version, uint64_t height, struct pt_error *err) PT_NODISCARD;

// Whether a change waits for this height.
bool rules_pending_at(const struct rules_in_force *rules, uint64_t height);

// Takes a change's version and settings over. A version never falls.
enum pt_code rules_take_over(struct rules_in_force *rules, const struct rules_change *change, struct pt_error *err) PT_NODISCARD;

// Learns from a height's changes which changes of the rules wait, or wait no longer.
enum pt_code rules_follow(struct rules_in_force *rules, const struct state_change *changes, size_t count, struct pt_error *err) PT_NODISCARD;

// "set.NAME", the key of a setting in STATE_RULES.
#define RULES_SETTING "set."

#endif
