#include "ledger/apply/rules_in_force.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/chain/rules_change.h"
#include "ledger/contracts/rules.h"
#include "ledger/state/varint.h"

static enum pt_code no_memory(struct pt_error *err) { return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory"); }

static bool begins(struct pt_bytes key, const char *with) {
    return key.len >= strlen(with) && memcmp(key.data, with, strlen(with)) == 0;
}

// Where a height stands or would stand.
static size_t place_of(const struct rules_in_force *rules, uint64_t height) {
    size_t at = 0;
    while (at < rules->pending_count && rules->pending[at] < height) at++;
    return at;
}

bool rules_pending_at(const struct rules_in_force *rules, uint64_t height) {
    const size_t at = place_of(rules, height);
    return at < rules->pending_count && rules->pending[at] == height;
}

static enum pt_code wait_for(struct rules_in_force *rules, uint64_t height, struct pt_error *err) {
    const size_t at = place_of(rules, height);
    if (rules_pending_at(rules, height)) return PT_OK;
    uint64_t *grown = realloc(rules->pending, (rules->pending_count + 1) * sizeof *grown);
    if (!grown) return no_memory(err);
    rules->pending = grown;
    memmove(&grown[at + 1], &grown[at], (rules->pending_count - at) * sizeof *grown);
    grown[at] = height;
    rules->pending_count++;
    return PT_OK;
}

static void wait_no_longer(struct rules_in_force *rules, uint64_t height) {
    const size_t at = place_of(rules, height);
    if (!rules_pending_at(rules, height)) return;
    rules->pending_count--;
    memmove(&rules->pending[at], &rules->pending[at + 1], (rules->pending_count - at) * sizeof *rules->pending);
}

static enum pt_code set(struct rules_in_force *rules, const char *name, int64_t value, struct pt_error *err) {
    struct rule_settings *settings = &rules->settings;
    size_t at = 0;
    while (at < settings->count && strcmp(settings->items[at].name, name) < 0) at++;
    if (at == settings->count || strcmp(settings->items[at].name, name) != 0) {
        struct rule_setting *grown = realloc(settings->items, (settings->count + 1) * sizeof *grown);
        if (!grown) return no_memory(err);
        settings->items = grown;
        memmove(&grown[at + 1], &grown[at], (settings->count - at) * sizeof *grown);
        settings->count++;
        snprintf(grown[at].name, sizeof grown[at].name, "%s", name);
    }
    settings->items[at].value = value;
    return PT_OK;
}

enum pt_code rules_take_over(struct rules_in_force *rules, const struct rules_change *change, struct pt_error *err) {
    enum pt_code code = PT_OK;
    for (size_t i = 0; code == PT_OK && i < change->setting_count; i++)
        code = set(rules, change->settings[i].name, change->settings[i].value, err);
    if (code == PT_OK && change->version > rules->version) rules->version = change->version;
    return code;
}

struct loading {
    struct rules_in_force *rules;
    struct pt_error *err;
};

static enum pt_code load_setting(const struct loading *loading, struct pt_bytes name, struct pt_bytes value) {
    char text[RULE_SETTING_NAME_MAX + 1] = {0};
    uint64_t folded;
    if (name.len == 0 || name.len > RULE_SETTING_NAME_MAX || !varint_get(&value, &folded))
        return pt_fail(loading->err, PT_UNVERIFIED, "state", "a setting of the rules is damaged");
    memcpy(text, name.data, name.len);
    return set(loading->rules, text, varint_unfold(folded), loading->err);
}

static enum pt_code load_one(void *arg, struct pt_bytes key, struct pt_bytes value) {
    const struct loading *loading = arg;
    const size_t prefix = sizeof RULES_SETTING - 1;
    if (begins(key, RULES_SETTING)) return load_setting(loading, pt_bytes_of(key.data + prefix, key.len - prefix), value);
    if (begins(key, RULES_PENDING) && key.len == RULES_PENDING_KEY)
        return wait_for(loading->rules, be64_get(key.data + sizeof RULES_PENDING - 1), loading->err);
    if (pt_bytes_equal(key, pt_bytes_str("version")) && !varint_get(&value, &loading->rules->version))
        return pt_fail(loading->err, PT_UNVERIFIED, "state", "the rule version is damaged");
    return PT_OK;
}

enum pt_code rules_in_force_load(struct index_reader *index, struct rules_in_force *out, struct pt_error *err) {
    struct loading loading = {out, err};
    *out = (struct rules_in_force){0};
    const enum pt_code code = index->range(index, STATE_RULES, (struct pt_bytes){0}, (struct pt_bytes){0}, false, load_one, &loading, err);
    if (code != PT_OK) return code;
    return out->version ? PT_OK : pt_fail(err, PT_UNVERIFIED, "index", "the rule version is missing");
}

void rules_in_force_free(struct rules_in_force *rules) {
    free(rules->settings.items);
    free(rules->pending);
    *rules = (struct rules_in_force){0};
}

enum pt_code rules_known(uint64_t version, uint64_t height, struct pt_error *err) {
    if (contracts_in_force(version)) return PT_OK;
    return pt_fail(err, PT_UNAVAILABLE, "chain",
                   "height %llu is decided under rule version %llu, and this program knows versions up to %u: install a newer one; "
                   "until then the ledger can be read but takes no blocks",
                   (unsigned long long)height, (unsigned long long)version, RULE_VERSION_NEWEST);
}

enum pt_code rules_follow(struct rules_in_force *rules, const struct state_change *changes, size_t count, struct pt_error *err) {
    enum pt_code code = PT_OK;
    for (size_t i = 0; code == PT_OK && i < count && changes[i].table <= STATE_RULES; i++) {
        const struct pt_bytes key = changes[i].key;
        if (changes[i].table != STATE_RULES || key.len != RULES_PENDING_KEY || !begins(key, RULES_PENDING)) continue;
        const uint64_t height = be64_get(key.data + sizeof RULES_PENDING - 1);
        if (changes[i].deleted) wait_no_longer(rules, height);
        else code = wait_for(rules, height, err);
    }
    return code;
}
