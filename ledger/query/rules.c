// The rules in force, and the changes that wait for their height.
#include <string.h>

#include "common/base/cleanup.h"
#include "ledger/apply/rules_in_force.h"
#include "ledger/contracts/rules.h"
#include "ledger/ledger_internal.h"

static enum pt_code read_pending(struct index_reader *index, uint64_t height, struct pt_arena *arena, struct rules_change *out,
                                 struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf value = PT_BUF_INIT(RULES_CHANGE_MAX);
    uint8_t key[RULES_PENDING_KEY];
    rules_pending_key(height, key);
    const enum pt_code code = index->get(index, STATE_RULES, pt_bytes_of(key, sizeof key), &value, err);
    return code == PT_OK ? rules_change_decode(pt_buf_bytes(&value), arena, out, err) : code;
}

static enum pt_code copy_settings(const struct rule_settings *settings, struct pt_arena *arena, struct ledger_rules *out,
                                  struct pt_error *err) {
    out->settings = pt_arena_alloc(arena, settings->count + 1, sizeof *out->settings);
    if (!out->settings) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    for (; out->setting_count < settings->count; out->setting_count++) {
        const struct rule_setting *item = &settings->items[out->setting_count];
        const char *name = pt_arena_strdup(arena, pt_bytes_str(item->name));
        if (!name) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
        out->settings[out->setting_count] = (struct rules_setting){name, item->value};
    }
    return PT_OK;
}

static enum pt_code read_rules(struct index_reader *index, struct pt_arena *arena, struct ledger_rules *out, struct pt_error *err) {
    PT_CLEANUP(rules_in_force_free) struct rules_in_force rules = {0};
    enum pt_code code = rules_in_force_load(index, &rules, err);
    if (code == PT_OK) code = index->height(index, &out->height, err);
    if (code == PT_OK) code = copy_settings(&rules.settings, arena, out, err);
    if (code != PT_OK) return code;
    out->version = rules.version;
    out->pending = pt_arena_alloc(arena, rules.pending_count + 1, sizeof *out->pending);
    if (!out->pending) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    for (; code == PT_OK && out->pending_count < rules.pending_count; out->pending_count++)
        code = read_pending(index, rules.pending[out->pending_count], arena, &out->pending[out->pending_count], err);
    return code;
}

enum pt_code ledger_rules(struct ledger *ledger, struct pt_arena *arena, struct ledger_rules *out, struct pt_error *err) {
    struct idle_reader *view;
    *out = (struct ledger_rules){0};
    enum pt_code code = ledger_view_begin(ledger, &view, err);
    if (code != PT_OK) return code;
    code = read_rules(&view->reader, arena, out, err);
    ledger_view_end(ledger, view);
    return code;
}
