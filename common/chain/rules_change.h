// A change of the rules: a rule version, settings, or both, from a height on (chain.cddl). Payload of a STATEMENT_RULES.
#ifndef PACKTRAIL_COMMON_CHAIN_RULES_CHANGE_H
#define PACKTRAIL_COMMON_CHAIN_RULES_CHANGE_H

#include "common/base/arena.h"

#define RULES_CHANGE_MAX ((size_t)32 * 1024)
#define RULES_CHANGE_SETTINGS_MAX 256u
#define RULES_CHANGE_NAME_MAX 63u

struct rules_setting {
    const char *name;  // [a-z0-9_.]
    int64_t value;
};

struct rules_change {
    uint64_t version;      // rule version; 0: stays as it is
    uint64_t from_height;  // the first height under it; above that of the block that carries the change
    struct rules_setting *settings;
    size_t setting_count;  // 0 only with a version
    const char *reason;    // for people
};

// Appends; PT_INVALID for what decoding would refuse.
enum pt_code rules_change_encode(const struct rules_change *change, struct pt_buf *out, struct pt_error *err) PT_NODISCARD;
// Strict: deterministic, names sorted and each once. Texts are in the arena.
enum pt_code rules_change_decode(struct pt_bytes bytes, struct pt_arena *arena, struct rules_change *out,
                                 struct pt_error *err) PT_NODISCARD;

#endif
