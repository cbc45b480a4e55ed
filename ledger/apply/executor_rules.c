// A change of the rules takes force at its height: before that height's first statement, whatever block it is.
#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/chain/rules_change.h"
#include "ledger/apply/executor_internal.h"
#include "ledger/contracts/rules.h"
#include "ledger/state/varint.h"

// The change that waits for a height; there is one.
static enum pt_code waiting(struct executor *executor, uint64_t height, struct pt_arena *arena, struct rules_change *out,
                            struct pt_error *err) {
    uint8_t key[RULES_PENDING_KEY];
    struct pt_bytes value;
    bool found;
    rules_pending_key(height, key);
    const enum pt_code code = executor_get(executor, STATE_RULES, pt_bytes_of(key, sizeof key), &value, &found, err);
    if (code != PT_OK) return code;
    if (!found) return pt_fail(err, PT_UNVERIFIED, "state", "a change of the rules is missing");
    return rules_change_decode(value, arena, out, err);
}

enum pt_code executor_ready(struct executor *executor, struct pt_error *err) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct rules_change change;
    const uint64_t height = executor->height + 1;
    uint64_t version = executor->rules.version;
    if (rules_pending_at(&executor->rules, height)) {
        const enum pt_code code = waiting(executor, height, &arena, &change, err);
        if (code != PT_OK) return code;
        if (change.version > version) version = change.version;
    }
    return rules_known(version, height, err);
}

static enum pt_code put_number(struct executor *executor, const char *key, uint64_t number, struct pt_error *err) {
    pt_buf_clear(&executor->buffer);
    varint_put(&executor->buffer, number);
    return executor_put(executor, STATE_RULES, pt_bytes_str(key), pt_buf_bytes(&executor->buffer), err);
}

enum pt_code executor_take_rules(struct executor *executor, struct pt_error *err) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct rules_change change;
    uint8_t key[RULES_PENDING_KEY];
    const uint64_t height = executor->sealed->height;
    if (!rules_pending_at(&executor->rules, height)) return PT_OK;
    enum pt_code code = waiting(executor, height, &arena, &change, err);
    if (code == PT_OK) code = rules_take_over(&executor->rules, &change, err);
    if (code == PT_OK) code = put_number(executor, "version", executor->rules.version, err);
    for (size_t i = 0; code == PT_OK && i < change.setting_count; i++) {
        char name[sizeof RULES_SETTING + RULE_SETTING_NAME_MAX];
        snprintf(name, sizeof name, "%s%s", RULES_SETTING, change.settings[i].name);
        code = put_number(executor, name, varint_fold(change.settings[i].value), err);
    }
    rules_pending_key(height, key);
    return code == PT_OK ? executor_delete(executor, STATE_RULES, pt_bytes_of(key, sizeof key), err) : code;
}
