#include "ledger/check/simulator.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/disk.h"
#include "common/base/text.h"
#include "common/chain/rules_change.h"
#include "ledger/apply/rules_in_force.h"
#include "ledger/contracts/lifecycle.h"
#include "ledger/contracts/rules.h"
#include "ledger/ledger_internal.h"
#include "ledger/state/varint.h"

enum { CACHE_RECORDS = 4096, VALUE_MAX = 1024 * 1024 };

struct simulator {
    struct genesis genesis;
    struct index_reader index;
    bool viewing;
    struct state_cache *cache;
    struct state_view *view;
    struct rules_in_force rules;
    struct simulator_standing standing;
    struct pt_buf buffer;
};

static uint64_t committed(void *ctx) {
    (void)ctx;
    return 0;
}

static enum pt_code no_memory(struct pt_error *err) { return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory"); }

// --- Opening ---

static enum pt_code read_genesis(struct simulator *simulator, const char *dir, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf path = PT_BUF_INIT(4096);
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = PT_BUF_INIT(GENESIS_MAX);
    pt_buf_printf(&path, "%s/%s", dir, LEDGER_GENESIS_FILE);
    enum pt_code code = pt_buf_check(&path, err);
    if (code == PT_OK) code = pt_file_read(pt_buf_cstr(&path), &bytes, err);
    return code == PT_OK ? genesis_decode(pt_buf_bytes(&bytes), &simulator->genesis, err) : code;
}

// The change that takes force at the next height, if there is one.
static enum pt_code take_rules(struct simulator *simulator, struct pt_error *err) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct rules_change change;
    uint8_t key[RULES_PENDING_KEY];
    if (!rules_pending_at(&simulator->rules, simulator->standing.height)) return PT_OK;
    rules_pending_key(simulator->standing.height, key);
    pt_buf_clear(&simulator->buffer);
    enum pt_code code = simulator->index.get(&simulator->index, STATE_RULES, pt_bytes_of(key, sizeof key), &simulator->buffer, err);
    if (code == PT_OK) code = rules_change_decode(pt_buf_bytes(&simulator->buffer), &arena, &change, err);
    return code == PT_OK ? rules_take_over(&simulator->rules, &change, err) : code;
}

static enum pt_code find_standing(struct simulator *simulator, const struct simulator_options *options, struct pt_error *err) {
    struct simulator_standing *standing = &simulator->standing;
    struct side_height place = {.time = simulator->genesis.time};
    uint64_t height;
    enum pt_code code = simulator->index.height(&simulator->index, &height, err);
    if (code == PT_OK && height > 0) code = statement_store_height(&simulator->index, height, &place, err);
    if (code == PT_OK) code = rules_in_force_load(&simulator->index, &simulator->rules, err);
    standing->height = height + 1;
    if (code == PT_OK) code = take_rules(simulator, err);
    if (code != PT_OK) return code;
    if (options->rule_version) simulator->rules.version = options->rule_version;
    if (!contracts_in_force(simulator->rules.version))
        return pt_fail(err, PT_INVALID, "--rule-version", "this program knows the rule versions 1 to %u", RULE_VERSION_NEWEST);
    standing->leaf = place.first_leaf + place.leaf_count;
    standing->time = options->time > place.time ? options->time : place.time;
    standing->rule_version = simulator->rules.version;
    standing->profile = simulator->genesis.profile;
    standing->genesis = simulator->genesis.hash;
    return PT_OK;
}

enum pt_code simulator_open(const char *dir, const struct simulator_options *options, const struct pt_env *env,
                            struct simulator **out, struct pt_error *err) {
    struct simulator *simulator = calloc(1, sizeof *simulator);
    PT_CLEANUP(pt_buf_free) struct pt_buf path = PT_BUF_INIT(4096);
    *out = NULL;
    if (!simulator) return no_memory(err);
    pt_buf_init(&simulator->buffer, VALUE_MAX);
    pt_buf_printf(&path, "%s/%s", dir, LEDGER_INDEX_FILE);
    enum pt_code code = pt_buf_check(&path, err);
    if (code == PT_OK) code = read_genesis(simulator, dir, err);
    if (code == PT_OK) code = index_sqlite_look(pt_buf_cstr(&path), &simulator->index, err);
    // One view for all: the node may go on meanwhile.
    if (code == PT_OK) code = simulator->index.begin(&simulator->index, err);
    simulator->viewing = code == PT_OK;
    if (code == PT_OK) code = state_cache_new(CACHE_RECORDS, env, &simulator->cache, err);
    const struct state_view_source source = {simulator->cache, &simulator->index, committed, NULL};
    if (code == PT_OK) code = state_view_new(&source, &simulator->view, err);
    if (code == PT_OK) code = find_standing(simulator, options, err);
    if (code != PT_OK) {
        simulator_close(simulator);
        return code;
    }
    *out = simulator;
    return PT_OK;
}

void simulator_close(struct simulator *simulator) {
    if (!simulator) return;
    state_view_free(simulator->view);
    state_cache_free(simulator->cache);
    if (simulator->viewing) simulator->index.end(&simulator->index);
    if (simulator->index.close) simulator->index.close(&simulator->index);
    rules_in_force_free(&simulator->rules);
    genesis_free(&simulator->genesis);
    pt_buf_free(&simulator->buffer);
    free(simulator);
}

struct simulator_standing simulator_standing(const struct simulator *simulator) { return simulator->standing; }

// --- Who speaks ---

enum pt_code simulator_actor_by_kid(struct simulator *simulator, const struct pt_digest *kid, struct actor *out,
                                    struct pt_error *err) {
    pt_buf_clear(&simulator->buffer);
    *out = (struct actor){0};
    const enum pt_code code = simulator->index.get(&simulator->index, STATE_ACTOR, pt_bytes_digest(kid), &simulator->buffer, err);
    if (code == PT_NOT_FOUND) return pt_fail(err, PT_NOT_FOUND, NULL, "nobody is enrolled with this key");
    return code == PT_OK ? actor_decode(pt_buf_bytes(&simulator->buffer), out, err) : code;
}

struct search {
    const char *as;
    struct actor *out;
    size_t found;
    struct pt_error *err;
};

static enum pt_code look_at(void *arg, struct pt_bytes key, struct pt_bytes value) {
    struct search *search = arg;
    PT_CLEANUP(actor_free) struct actor actor = {0};
    (void)key;
    const enum pt_code code = actor_decode(value, &actor, search->err);
    if (code != PT_OK) return code;
    // Gateways and nodes sign blocks and entries, clients nothing: a party does not speak through them.
    const bool speaks = actor.role == ACTOR_DEVICE || actor.role == ACTOR_COMPANY || actor.role == ACTOR_OPERATOR;
    if (strcmp(actor.name, search->as) != 0 && !(speaks && strcmp(actor.party, search->as) == 0)) return PT_OK;
    if (search->found++ == 0) {
        *search->out = actor;
        actor = (struct actor){0};
    }
    return PT_OK;
}

enum pt_code simulator_actor(struct simulator *simulator, const char *as, struct actor *out, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf hex = PT_BUF_INIT(PT_DIGEST_SIZE);
    struct search search = {.as = as, .out = out, .err = err};
    struct pt_digest kid;
    *out = (struct actor){0};
    if (strlen(as) == 2 * (size_t)PT_DIGEST_SIZE && pt_hex_decode(pt_bytes_str(as), &hex, NULL) == PT_OK) {
        memcpy(kid.bytes, hex.data, PT_DIGEST_SIZE);
        return simulator_actor_by_kid(simulator, &kid, out, err);
    }
    const enum pt_code code =
        simulator->index.range(&simulator->index, STATE_ACTOR, (struct pt_bytes){0}, (struct pt_bytes){0}, false, look_at, &search, err);
    if (code != PT_OK || search.found == 1) return code;
    if (search.found > 1) actor_free(out);
    return search.found ? pt_fail(err, PT_CONFLICT, as, "%zu are enrolled so: name one by its kid", search.found)
                        : pt_fail(err, PT_NOT_FOUND, as, "nobody is enrolled with this kid, name or party");
}

// --- Running ---

static enum pt_code run_contracts(struct simulator *simulator, const struct contract_context *context, struct simulation *out,
                                  struct pt_error *err) {
    const struct contract *const *contracts = contracts_in_force(context->rule_version);
    size_t most = 0;
    while (contracts[most]) most++;
    out->contracts = pt_arena_alloc(context->arena, most + 1, sizeof *out->contracts);
    if (!out->contracts) return no_memory(err);
    out->output.result = contracts_know(contracts, out->input.input.kind) ? RESULT_APPLIED : RESULT_MALFORMED;
    for (; *contracts && contract_output_counts(&out->output); contracts++) {
        if (!contract_hears(*contracts, &out->input.input, context)) continue;
        struct simulated_contract *heard = &out->contracts[out->contract_count++];
        *heard = (struct simulated_contract){.contract = *contracts, .declared = {.arena = context->arena},
                                             .alerts_from = out->output.alert_count};
        (*contracts)->declare(&out->input.input, context, &heard->declared);
        enum pt_code code = state_view_declare(simulator->view, &heard->declared, err);
        if (code == PT_OK) code = (*contracts)->apply(simulator->view, &out->input.input, context, &out->output, err);
        if (code != PT_OK) return code;
        heard->result = out->output.result;
        heard->alerts_to = out->output.alert_count;
    }
    return PT_OK;
}

// Which row of the table applies is found before anything changes, by looking at everything.
static enum pt_code find_transitions(struct simulator *simulator, const struct contract_context *context, struct simulation *out,
                                     struct pt_error *err) {
    const struct contract_input *input = &out->input.input;
    struct access_list all = {.arena = context->arena};
    struct lifecycle_facts facts;
    struct place_facts place;
    bool found = false;
    if (input->kind != KIND_EVENT || input->pack_count == 0) return PT_OK;
    out->packs = pt_arena_alloc(context->arena, input->pack_count, sizeof *out->packs);
    if (!out->packs) return no_memory(err);
    access_declare(&all, STATE_PACK, ACCESS_READ | ACCESS_ANCESTORS | ACCESS_PREFIX, (struct pt_bytes){0});
    access_declare(&all, STATE_FACTS, ACCESS_READ | ACCESS_PREFIX, (struct pt_bytes){0});
    state_view_begin(simulator->view, context->height, context->arena);
    enum pt_code code = state_view_declare(simulator->view, &all, err);
    lifecycle_facts_read(input, context, &facts);
    if (code == PT_OK && facts.place)
        code = master_facts_place(simulator->view, context->arena, facts.place, pt_instant_millis(&input->event->event_time), &place, &found, err);
    const enum lifecycle_profile profile = found ? lifecycle_profile_of(place.profile, facts.profile) : facts.profile;
    for (size_t i = 0; code == PT_OK && i < input->pack_count; i++) {
        struct simulated_pack *pack = &out->packs[out->pack_count++];
        struct hierarchy around;
        code = packs_around(simulator->view, input->packs[i].key, &around, err);
        *pack = (struct simulated_pack){.key = input->packs[i].key, .role = input->packs[i].role,
                                        .operation = lifecycle_operation_of(input->event, input->packs[i].role),
                                        .from = code == PT_OK ? hierarchy_effective(&around).state : LIFECYCLE_UNKNOWN};
        pack->transition = lifecycle_transition(profile, pack->operation, pack->from);
    }
    state_view_discard(simulator->view);
    return code;
}

static int by_place(const void *a, const void *b) {
    const struct state_touch *x = a, *y = b;
    return x->table != y->table ? (x->table > y->table) - (x->table < y->table) : pt_bytes_compare(x->key, y->key);
}

// A record as it is before the run, in the arena.
static enum pt_code read_now(struct simulator *simulator, unsigned table, struct pt_bytes key, struct pt_arena *arena,
                             struct pt_bytes *value, bool *found, struct pt_error *err) {
    const uint64_t hash = state_cache_hash(simulator->cache, table, key);
    const struct cached_record *record = state_cache_peek(simulator->cache, hash, table, key);
    struct pt_bytes bytes = {0};
    *found = record && record->found;
    if (record) {
        bytes = *found ? pt_bytes_of(record->value, record->value_len) : bytes;
    } else {
        pt_buf_clear(&simulator->buffer);
        const enum pt_code code = simulator->index.get(&simulator->index, table, key, &simulator->buffer, err);
        if (code != PT_OK && code != PT_NOT_FOUND) return code;
        *found = code == PT_OK;
        bytes = pt_buf_bytes(&simulator->buffer);
    }
    uint8_t *copy = pt_arena_alloc(arena, 1, bytes.len + 1);
    if (!copy) return no_memory(err);
    if (bytes.len > 0) memcpy(copy, bytes.data, bytes.len);
    *value = pt_bytes_of(copy, bytes.len);
    return PT_OK;
}

// Copies what the touches point to: the cache that it lies in is about to change.
static enum pt_code keep_touches(struct simulator *simulator, struct pt_arena *arena, struct simulation *out, struct pt_error *err) {
    enum pt_code code = state_view_touches(simulator->view, arena, &out->touches, &out->touch_count, err);
    for (size_t i = 0; code == PT_OK && i < out->touch_count; i++) {
        struct state_touch *touch = &out->touches[i];
        uint8_t *key = pt_arena_alloc(arena, 1, touch->key.len + 1);
        if (!key) return no_memory(err);
        if (touch->key.len > 0) memcpy(key, touch->key.data, touch->key.len);
        touch->key = pt_bytes_of(key, touch->key.len);
        code = read_now(simulator, touch->table, touch->key, arena, &touch->before, &touch->found, err);
    }
    if (code == PT_OK && out->touch_count > 0) qsort(out->touches, out->touch_count, sizeof *out->touches, by_place);
    return code;
}

enum pt_code simulator_run(struct simulator *simulator, const struct actor *as, struct pt_bytes content_type,
                           struct pt_bytes payload, struct pt_arena *arena, struct simulation *out, struct pt_error *err) {
    const struct simulator_standing *standing = &simulator->standing;
    const struct statement statement = {.content_type = content_type, .payload = payload};
    const struct contract_context context = {.signer = as, .leaf_index = standing->leaf, .height = standing->height,
                                             .chain_time = standing->time, .profile = standing->profile,
                                             .rule_version = standing->rule_version, .settings = &simulator->rules.settings,
                                             .arena = arena};
    *out = (struct simulation){.leaf = standing->leaf, .output = {.result = RESULT_MALFORMED}};
    out->input_code = statement_input_decode(&statement, arena, &out->input, &out->input_error);
    if (out->input_code == PT_NO_MEMORY) return no_memory(err);
    simulator->standing.leaf++;
    if (out->input_code != PT_OK) return PT_OK;
    enum pt_code code = find_transitions(simulator, &context, out, err);
    if (code != PT_OK) return code;
    state_view_begin(simulator->view, standing->height, arena);
    code = run_contracts(simulator, &context, out, err);
    if (code == PT_OK) code = keep_touches(simulator, arena, out, err);
    if (code == PT_OK && contract_output_counts(&out->output)) return state_view_commit(simulator->view, err);
    state_view_discard(simulator->view);
    return code;
}

void simulation_free(struct simulation *simulation) { statement_input_free(&simulation->input); }

struct pt_bytes simulator_name(struct simulator *simulator, uint64_t number, struct pt_arena *arena) {
    uint8_t key[9] = {0};
    struct pt_bytes text;
    bool found;
    be64_put(number, key + 1);
    if (number == 0 || read_now(simulator, STATE_NAME, pt_bytes_of(key, sizeof key), arena, &text, &found, NULL) != PT_OK || !found || text.len == 0)
        return (struct pt_bytes){0};
    return pt_bytes_of(text.data + 1, text.len - 1);
}
