#include "tests/rules/rules_lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/chain/rules_change.h"
#include "common/crypto/digest.h"
#include "common/identify/pack_id.h"
#include "ledger/contracts/event_packs.h"
#include "ledger/contracts/rules.h"
#include "ledger/state/varint.h"

#define CACHE_RECORDS_LEAST ((size_t)512)
#define ALERT_BYTES_MAX ((size_t)1024)
#define STATEMENT_ROOM ((size_t)512 * 1024 * 1024)

struct signer_entry {
    struct signer_entry *next;
    struct actor actor;
};

// Nothing is ever swept from the cache, so that it is the whole state; the index behind it is empty.
struct rules_lab_inside {
    struct state_cache *cache;
    struct state_view *view;
    struct index_reader index;
    size_t records;
    struct pt_arena arena;  // of the statement
    struct signer_entry *signers;
    uint64_t signer_count;
    struct rule_settings settings;
};

struct rules_lab_snapshot {
    struct rules_lab lab;  // for times and counters
    struct pt_arena arena;
    struct state_change *records;
    size_t count;
    struct rule_settings settings;
};

static void must(enum pt_code code, const struct pt_error *err, const char *what) {
    if (code == PT_OK) return;
    fprintf(stderr, "rules lab: %s: %s: %s\n", what, err->where, err->what);
    abort();
}

static void *must_have(void *memory) {
    if (memory) return memory;
    fprintf(stderr, "rules lab: out of memory\n");
    abort();
}

// --- The empty index, and an environment that is the same in every run ---

static enum pt_code empty_get(struct index_reader *reader, unsigned table, struct pt_bytes key, struct pt_buf *out, struct pt_error *err) {
    (void)reader;
    (void)table;
    (void)key;
    (void)out;
    (void)err;
    return PT_NOT_FOUND;
}

static uint64_t committed(void *ctx) {
    (void)ctx;
    return 0;
}

static enum pt_code same_random(void *ctx, uint8_t *out, size_t len, struct pt_error *err) {
    (void)ctx;
    (void)err;
    memset(out, 0x5a, len);
    return PT_OK;
}

// --- The lab ---

static void open_state(struct rules_lab_inside *inside) {
    struct pt_error err;
    const struct pt_env env = {.random = same_random};
    must(state_cache_new(inside->records, &env, &inside->cache, &err), &err, "state");
    const struct state_view_source source = {.cache = inside->cache, .index = &inside->index, .committed = committed};
    must(state_view_new(&source, &inside->view, &err), &err, "view");
}

static void close_state(struct rules_lab_inside *inside) {
    state_view_free(inside->view);
    state_cache_free(inside->cache);
}

struct rules_lab *rules_lab_new(const char *profile, uint64_t rule_version, size_t records) {
    struct rules_lab *lab = must_have(calloc(1, sizeof *lab));
    struct rules_lab_inside *inside = lab->inside = must_have(calloc(1, sizeof *inside));
    lab->chain_time = RULES_LAB_START;
    lab->height = 1;
    lab->rule_version = rule_version;
    lab->profile = profile;
    inside->records = records > CACHE_RECORDS_LEAST ? records : CACHE_RECORDS_LEAST;
    inside->index = (struct index_reader){.get = empty_get};
    inside->arena.ceiling = STATEMENT_ROOM;
    inside->settings.items = must_have(calloc(RULE_SETTINGS_MAX, sizeof(struct rule_setting)));
    open_state(inside);
    return lab;
}

void rules_lab_free(struct rules_lab *lab) {
    if (!lab) return;
    struct rules_lab_inside *inside = lab->inside;
    for (struct signer_entry *next, *entry = inside->signers; entry; entry = next) {
        next = entry->next;
        free(entry);
    }
    close_state(inside);
    pt_arena_free(&inside->arena);
    free(inside->settings.items);
    free(inside);
    free(lab);
}

const struct actor *rules_lab_enrol(struct rules_lab *lab, enum actor_role role, const char *party, const char *place) {
    struct signer_entry *entry = must_have(calloc(1, sizeof *entry));
    struct actor *actor = &entry->actor;
    uint8_t number[8];
    be64_put(++lab->inside->signer_count, number);
    actor->role = role;
    actor->kid = actor->tls = sha256(pt_bytes_of(number, sizeof number));
    snprintf(actor->name, sizeof actor->name, "signer %llu", (unsigned long long)lab->inside->signer_count);
    snprintf(actor->party, sizeof actor->party, "%s", party);
    snprintf(actor->place, sizeof actor->place, "%s", place ? place : "");
    entry->next = lab->inside->signers;
    lab->inside->signers = entry;
    return actor;
}

void rules_lab_set(struct rules_lab *lab, const char *name, int64_t value) {
    struct rule_settings *settings = &lab->inside->settings;
    size_t at = 0;
    while (at < settings->count && strcmp(settings->items[at].name, name) < 0) at++;
    if (at == settings->count || strcmp(settings->items[at].name, name) != 0) {
        if (settings->count == RULE_SETTINGS_MAX) must_have(NULL);
        memmove(&settings->items[at + 1], &settings->items[at], (settings->count - at) * sizeof settings->items[0]);
        settings->count++;
        snprintf(settings->items[at].name, sizeof settings->items[at].name, "%s", name);
    }
    settings->items[at].value = value;
}

// --- Reading and writing beside the contracts ---

static struct cached_record *find(struct rules_lab *lab, unsigned table, struct pt_bytes key) {
    struct state_cache *cache = lab->inside->cache;
    return state_cache_find(cache, state_cache_hash(cache, table, key), table, key);
}

static void put(struct rules_lab *lab, unsigned table, struct pt_bytes key, bool deleted, struct pt_bytes value) {
    struct state_cache *cache = lab->inside->cache;
    if (!state_cache_write(cache, state_cache_hash(cache, table, key), table, key, deleted, value, lab->height)) must_have(NULL);
}

bool rules_lab_get(struct rules_lab *lab, unsigned table, struct pt_bytes key, struct pt_bytes *value) {
    const struct cached_record *record = find(lab, table, key);
    *value = (struct pt_bytes){0};
    if (!record || !record->found) return false;
    *value = pt_bytes_of(record->value, record->value_len);
    return true;
}

bool rules_lab_pack_by_key(struct rules_lab *lab, struct pt_bytes key, struct pack_record *out) {
    struct pt_bytes value;
    struct pt_error err;
    *out = (struct pack_record){0};
    if (!rules_lab_get(lab, STATE_PACK, key, &value)) return false;
    must(pack_record_decode(value, out, &err), &err, "pack record");
    return true;
}

static struct pt_bytes key_of(const char *uri, uint8_t memory[PACK_KEY_MAX + 1]) {
    struct pack_id id;
    struct pt_error err;
    struct pt_buf key = {.data = memory, .cap = PACK_KEY_MAX + 1, .ceiling = PACK_KEY_MAX};
    must(pack_id_from_uri(pt_bytes_str(uri), &id, &err), &err, uri);
    must(pack_id_key(&id, &key, &err), &err, uri);
    return pt_buf_bytes(&key);
}

bool rules_lab_pack(struct rules_lab *lab, const char *uri, struct pack_record *out) {
    uint8_t memory[PACK_KEY_MAX + 1];
    return rules_lab_pack_by_key(lab, key_of(uri, memory), out);
}

void rules_lab_plant(struct rules_lab *lab, const char *uri, const struct pack_record *record) {
    uint8_t memory[PACK_KEY_MAX + 1], bytes[PACK_RECORD_MAX];
    struct pt_error err;
    struct pt_buf value = PT_BUF_OVER(bytes);
    pack_record_encode(record, &value);
    must(pt_buf_check(&value, &err), &err, "pack record");
    put(lab, STATE_PACK, key_of(uri, memory), false, pt_buf_bytes(&value));
}

struct pt_bytes rules_lab_text(struct rules_lab *lab, uint64_t name) {
    uint8_t key[9] = {0};
    struct pt_bytes text;
    be64_put(name, key + 1);
    if (!rules_lab_get(lab, STATE_NAME, pt_bytes_of(key, sizeof key), &text) || text.len < 1) return (struct pt_bytes){0};
    return pt_bytes_of(text.data + 1, text.len - 1);
}

static enum pt_code read_record(void *ctx, struct pt_bytes key, struct pack_record *out, bool *found, struct pt_error *err) {
    (void)err;
    *found = rules_lab_pack_by_key(ctx, key, out);
    return PT_OK;
}

static enum pt_code read_container(void *ctx, const struct hierarchy_level *inner, struct pt_bytes *key, struct pt_error *err) {
    *key = rules_lab_text(ctx, inner->record.parent);
    return key->len > 0 ? PT_OK : pt_fail(err, PT_NOT_FOUND, NULL, "a container has no name");
}

struct effective rules_lab_effective_by_key(struct rules_lab *lab, struct pt_bytes key, struct hierarchy *out) {
    struct hierarchy here;
    struct pt_error err;
    const struct hierarchy_source source = {read_record, read_container, lab};
    if (!out) out = &here;
    const struct cached_record *record = find(lab, STATE_PACK, key);
    must(hierarchy_read(&source, record ? pt_bytes_of(record->key, record->key_len) : key, out, &err), &err, "hierarchy");
    if (!record) out->levels[0].key = (struct pt_bytes){0};
    return hierarchy_effective(out);
}

struct effective rules_lab_effective(struct rules_lab *lab, const char *uri, struct hierarchy *out) {
    uint8_t memory[PACK_KEY_MAX + 1];
    return rules_lab_effective_by_key(lab, key_of(uri, memory), out);
}

// --- Statements ---

static void keep_alert(struct rules_lab *lab, struct alert_record *alert) {
    uint8_t key[8], count[10];
    struct pt_error err;
    struct pt_buf number = PT_BUF_OVER(count);
    PT_CLEANUP(pt_buf_free) struct pt_buf value = PT_BUF_INIT(ALERT_BYTES_MAX);
    alert->number = ++lab->alerts;
    if (lab->forget_alerts) return;
    varint_put(&number, alert->number);
    put(lab, STATE_RULES, pt_bytes_str("alerts"), false, pt_buf_bytes(&number));
    alert_record_key(alert->number, key);
    must(alert_record_encode(alert, &value, &err), &err, "alert");
    put(lab, STATE_ALERT, pt_bytes_of(key, sizeof key), false, pt_buf_bytes(&value));
}

static enum statement_result run(struct rules_lab *lab, const struct actor *signer, const struct contract_input *given) {
    struct rules_lab_inside *inside = lab->inside;
    struct contract_input input = *given;
    struct pt_error err;
    const struct contract_context context = {.signer = signer, .leaf_index = lab->statements, .height = lab->height,
                                             .chain_time = lab->chain_time, .profile = lab->profile, .settings = &inside->settings,
                                             .rule_version = lab->rule_version, .arena = &inside->arena};
    be64_put(lab->statements, input.id.bytes);  // each statement's own
    lab->output = (struct contract_output){.result = RESULT_APPLIED};
    state_view_begin(inside->view, lab->height, &inside->arena);
    must(contracts_run(inside->view, &input, &context, &lab->output, &err), &err, "contract");
    lab->statements++;
    if (lab->output.result != RESULT_APPLIED && lab->output.result != RESULT_ALERTED) {
        state_view_discard(inside->view);
        return lab->output.result;
    }
    must(state_view_commit(inside->view, &err), &err, "commit");
    for (size_t i = 0; i < lab->output.alert_count; i++) keep_alert(lab, &lab->output.alerts[i]);
    return lab->output.result;
}

enum statement_result rules_lab_apply(struct rules_lab *lab, const struct actor *signer, const struct contract_input *input) {
    pt_arena_reset(&lab->inside->arena);
    return run(lab, signer, input);
}

enum statement_result rules_lab_event(struct rules_lab *lab, const struct actor *signer, const struct epcis_event *event) {
    struct contract_input input = {.kind = KIND_EVENT, .event = event};
    struct event_pack *packs;
    struct pt_error err;
    pt_arena_reset(&lab->inside->arena);
    const enum pt_code code = event_packs_of(event, &lab->inside->arena, &packs, &input.pack_count, &err);
    if (code == PT_NO_MEMORY) must_have(NULL);
    if (code != PT_OK) {
        lab->output = (struct contract_output){.result = RESULT_MALFORMED};
        lab->statements++;
        return RESULT_MALFORMED;
    }
    input.packs = packs;
    return run(lab, signer, &input);
}

enum statement_result rules_lab_master(struct rules_lab *lab, const struct actor *signer, const struct master_record *record) {
    PT_CLEANUP(pt_buf_free) struct pt_buf payload = PT_BUF_INIT(MASTER_RECORD_MAX);
    struct pt_error err;
    must(master_encode(record, &payload, &err), &err, "master record");
    const struct contract_input input = {.kind = KIND_MASTER, .master = record, .payload = pt_buf_bytes(&payload)};
    return rules_lab_apply(lab, signer, &input);
}

size_t rules_lab_alerted(const struct rules_lab *lab, enum alert_kind kind) {
    size_t count = 0;
    for (size_t i = 0; i < lab->output.alert_count; i++) count += lab->output.alerts[i].kind == kind;
    return count;
}

void rules_lab_next_block(struct rules_lab *lab) {
    uint8_t key[RULES_PENDING_KEY];
    struct pt_bytes value;
    struct rules_change change;
    struct pt_error err;
    rules_pending_key(++lab->height, key);
    if (!rules_lab_get(lab, STATE_RULES, pt_bytes_of(key, sizeof key), &value)) return;
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    must(rules_change_decode(value, &arena, &change, &err), &err, "change of the rules");
    if (change.version) lab->rule_version = change.version;
    for (size_t i = 0; i < change.setting_count; i++) rules_lab_set(lab, change.settings[i].name, change.settings[i].value);
    put(lab, STATE_RULES, pt_bytes_of(key, sizeof key), true, (struct pt_bytes){0});
}

// --- The whole state ---

// What was ever written is what changed since the beginning: taken, and marked as changed again for the next time.
static struct state_change *whole_state(struct rules_lab *lab, struct pt_arena *arena, size_t *count) {
    size_t all;
    bool failed;
    struct state_change *records = state_cache_take_changes(lab->inside->cache, arena, &all, &failed);
    if (failed) must_have(NULL);
    *count = 0;
    for (size_t i = 0; i < all; i++) {
        put(lab, records[i].table, records[i].key, records[i].deleted, records[i].value);
        if (!records[i].deleted) records[(*count)++] = records[i];
    }
    return records;
}

struct pt_digest rules_lab_digest(struct rules_lab *lab) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {.ceiling = SIZE_MAX};
    size_t count;
    const struct state_change *records = whole_state(lab, &arena, &count);
    return state_changes_digest(records, count);
}

static void copy_settings(struct rule_settings *to, const struct rule_settings *from) {
    memcpy(to->items, from->items, from->count * sizeof from->items[0]);
    to->count = from->count;
}

struct rules_lab_snapshot *rules_lab_save(struct rules_lab *lab) {
    struct rules_lab_snapshot *snapshot = must_have(calloc(1, sizeof *snapshot));
    snapshot->lab = *lab;
    snapshot->arena.ceiling = SIZE_MAX;
    snapshot->records = whole_state(lab, &snapshot->arena, &snapshot->count);
    snapshot->settings.items = must_have(calloc(RULE_SETTINGS_MAX, sizeof(struct rule_setting)));
    copy_settings(&snapshot->settings, &lab->inside->settings);
    return snapshot;
}

void rules_lab_restore(struct rules_lab *lab, const struct rules_lab_snapshot *snapshot) {
    struct rules_lab_inside *inside = lab->inside;
    close_state(inside);
    *lab = snapshot->lab;
    lab->inside = inside;
    lab->output = (struct contract_output){.result = RESULT_APPLIED};
    open_state(inside);
    copy_settings(&inside->settings, &snapshot->settings);
    for (size_t i = 0; i < snapshot->count; i++)
        put(lab, snapshot->records[i].table, snapshot->records[i].key, false, snapshot->records[i].value);
}

void rules_lab_snapshot_free(struct rules_lab_snapshot *snapshot) {
    if (!snapshot) return;
    pt_arena_free(&snapshot->arena);
    free(snapshot->settings.items);
    free(snapshot);
}
