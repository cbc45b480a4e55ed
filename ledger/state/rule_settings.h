// The consortium's settings: named numbers that stand on the chain (STATE_RULES "set.NAME", a folded varint), such as
// "alert.too_fast.kmh". A statement of rules changes them; what nobody has set has the value that its reader gives.
#ifndef PACKTRAIL_LEDGER_STATE_RULE_SETTINGS_H
#define PACKTRAIL_LEDGER_STATE_RULE_SETTINGS_H

#include "common/base/bytes.h"

#define RULE_SETTING_NAME_MAX 63u
#define RULE_SETTINGS_MAX 256u

struct rule_settings {
    struct rule_setting {
        char name[RULE_SETTING_NAME_MAX + 1];
        int64_t value;
    } *items;  // sorted by name, each once
    size_t count;
};

// NULL has no settings.
int64_t rule_setting(const struct rule_settings *settings, const char *name, int64_t otherwise);

#endif
