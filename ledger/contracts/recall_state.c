// What STATE_RECALL holds, and which packs it covers.
#include <string.h>

#include "common/base/cleanup.h"
#include "ledger/contracts/master_facts.h"
#include "ledger/contracts/recall_internal.h"

static enum pt_code no_memory(struct pt_error *err) { return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory"); }

// --- Keys ---

void recall_product_key(const char *product, struct pt_buf *out) {
    pt_buf_byte(out, 'p');
    pt_buf_str(out, product);
}

void recall_id_key(const char *id, struct pt_buf *out) {
    pt_buf_byte(out, 'i');
    pt_buf_str(out, id);
}

enum pt_code recall_key(struct pt_arena *arena, char kind, const char *text, struct pt_bytes *out, struct pt_error *err) {
    const size_t len = strlen(text);
    uint8_t *key = pt_arena_alloc(arena, 1, len + 1);
    if (!key) return no_memory(err);
    key[0] = (uint8_t)kind;
    memcpy(key + 1, text, len);
    *out = pt_bytes_of(key, len + 1);
    return PT_OK;
}

void recall_declare(const char *product, struct access_list *out) {
    struct pt_bytes key;
    if (recall_key(out->arena, 'p', product, &key, NULL) == PT_OK) access_declare(out, STATE_RECALL, ACCESS_READ, key);
    else out->failed = true;
}

// --- The products of an event ---

// Packs of one product usually stand together; a product that comes again is only read again.
struct last_product {
    struct pt_bytes key;  // what its packs' keys begin with
    struct pack_id id;
};

static const char *next_product(const struct contract_input *input, size_t *at, struct last_product *last) {
    while (*at < input->pack_count) {
        const struct pt_bytes key = input->packs[(*at)++].key, product = pack_id_key_product(key);
        if (product.len == 0 || pt_bytes_equal(product, last->key)) continue;
        last->key = product;
        if (pack_id_from_key(key, &last->id, NULL) == PT_OK && master_facts_product_of(&last->id)) return last->id.product;
    }
    return NULL;
}

void recall_declare_packs(const struct contract_input *input, struct access_list *out) {
    struct last_product last = {0};
    size_t at = 0;
    for (const char *product; (product = next_product(input, &at, &last)) != NULL;) recall_declare(product, out);
}

static const struct recall_list *list_of(const struct recall_lists *lists, const char *product) {
    for (size_t i = 0; i < lists->count; i++)
        if (strcmp(lists->items[i].product, product) == 0) return &lists->items[i];
    return NULL;
}

static enum pt_code add_list(struct recall_lists *lists, struct pt_bytes value, const char *product, struct pt_arena *arena,
                             struct pt_error *err) {
    if (list_of(lists, product)) return PT_OK;
    if ((lists->count & (lists->count - 1)) == 0) {  // full at every power of two
        struct recall_list *grown = pt_arena_alloc(arena, lists->count ? lists->count * 2 : 1, sizeof *grown);
        if (!grown) return no_memory(err);
        if (lists->count > 0) memcpy(grown, lists->items, lists->count * sizeof *grown);
        lists->items = grown;
    }
    const char *copy = pt_arena_strdup(arena, pt_bytes_str(product));
    if (!copy) return no_memory(err);
    const enum pt_code code = recall_list_decode(value, copy, arena, &lists->items[lists->count], err);
    if (code == PT_OK && lists->items[lists->count].count > 0) lists->count++;
    return code;
}

enum pt_code recall_lists_read(struct state_view *view, const struct contract_input *input, struct pt_arena *arena,
                               struct recall_lists *out, struct pt_error *err) {
    struct last_product last = {0};
    size_t at = 0;
    *out = (struct recall_lists){0};
    for (const char *product; (product = next_product(input, &at, &last)) != NULL;) {
        struct pt_bytes key;
        struct pt_bytes value;
        bool found = false;
        enum pt_code code = recall_key(arena, 'p', product, &key, err);
        if (code == PT_OK) code = state_get(view, STATE_RECALL, key, &value, &found, err);
        if (code == PT_OK && found) code = add_list(out, value, product, arena, err);
        if (code != PT_OK) return code;
    }
    return PT_OK;
}

void recall_covers(const struct recall_lists *lists, const struct recall_pack *pack, struct recall_cover *out) {
    *out = (struct recall_cover){0};
    const char *product = lists->count > 0 ? master_facts_product_of(pack->id) : NULL;
    const struct recall_list *list = product ? list_of(lists, product) : NULL;
    const struct recall_question question = {.serial = pack->id->serial, .lot = pack->lot, .territory = pack->territory};
    for (size_t i = 0; list && i < list->count; i++) {
        const struct recall_in_force *recall = &list->items[i];
        unsigned doubt;
        if (pack->event_time < recall->since || !recall_scope_covers(&recall->scope, &question, &doubt)) continue;
        const bool surer = out->covered && out->doubt && !doubt;
        const bool graver = out->covered && !out->doubt == !doubt && recall->level < out->recall->level;
        if (!out->covered || surer || graver) *out = (struct recall_cover){.covered = true, .doubt = doubt, .recall = recall};
    }
}

// --- A product's recalls: CBOR [* [id, version, level, depth, since, scope]] ---

#define LIST_FIELDS 6u

void recall_list_put(const struct recall_in_force *items, size_t count, struct pt_buf *out) {
    cbor_put_array(out, count);
    for (size_t i = 0; i < count; i++) {
        cbor_put_array(out, LIST_FIELDS);
        cbor_put_text(out, items[i].id);
        cbor_put_uint(out, items[i].version);
        cbor_put_uint(out, items[i].level);
        cbor_put_uint(out, items[i].depth);
        cbor_put_int(out, items[i].since);
        recall_scope_put(&items[i].scope, out);
    }
}

enum pt_code recall_list_decode(struct pt_bytes value, const char *product, struct pt_arena *arena, struct recall_list *out,
                                struct pt_error *err) {
    struct cbor_reader reader = cbor_reader_of(value, true, err);
    *out = (struct recall_list){.product = product};
    const uint64_t count = cbor_get_array(&reader, 2 * RECALLS_IN_FORCE_MAX);
    out->items = pt_arena_alloc(arena, count + 1, sizeof *out->items);
    if (!out->items) return no_memory(err);
    for (size_t i = 0; i < count && !cbor_failed(&reader); i++) {
        struct recall_in_force *item = &out->items[i];
        cbor_expect_array(&reader, LIST_FIELDS);
        item->id = pt_arena_strdup(arena, cbor_get_text(&reader));
        item->version = cbor_get_count(&reader);
        item->level = (unsigned)cbor_get_count(&reader);
        item->depth = (enum recall_depth)cbor_get_count(&reader);
        item->since = cbor_get_int(&reader);
        recall_scope_get(&reader, arena, &item->scope);
        if (!item->id) return no_memory(err);
    }
    const enum pt_code code = cbor_finish(&reader);
    if (code == PT_OK) out->count = count;
    return code;
}

// --- One recall: CBOR [by authority, since, ended, [* [version, action, leaf, time, signer]], scope notice, newest notice / null] ---

void recall_record_put(const struct recall_saved *saved, struct pt_buf *out) {
    cbor_put_array(out, 6);
    cbor_put_bool(out, saved->by_authority);
    cbor_put_int(out, saved->since);
    cbor_put_int(out, saved->ended);
    const size_t first = saved->step_count > RECALL_HISTORY_MAX ? saved->step_count - RECALL_HISTORY_MAX : 0;
    cbor_put_array(out, saved->step_count - first);
    for (size_t i = first; i < saved->step_count; i++) {
        const struct recall_step *step = &saved->steps[i];
        cbor_put_array(out, 5);
        cbor_put_uint(out, step->version);
        cbor_put_uint(out, step->action);
        cbor_put_uint(out, step->leaf_index);
        cbor_put_int(out, step->time);
        cbor_put_bytes(out, pt_bytes_digest(&step->signer));
    }
    cbor_put_bytes(out, saved->scope);
    if (saved->newest.len > 0) cbor_put_bytes(out, saved->newest);
    else cbor_put_null(out);
}

enum pt_code recall_saved_decode(struct pt_bytes value, struct pt_arena *arena, struct recall_saved *out, struct pt_error *err) {
    struct cbor_reader reader = cbor_reader_of(value, true, err);
    *out = (struct recall_saved){0};
    cbor_expect_array(&reader, 6);
    out->by_authority = cbor_get_bool(&reader);
    out->since = cbor_get_int(&reader);
    out->ended = cbor_get_int(&reader);
    const uint64_t count = cbor_get_array(&reader, RECALL_HISTORY_MAX);
    out->steps = pt_arena_alloc(arena, count + 1, sizeof *out->steps);  // room for one more
    if (!out->steps) return no_memory(err);
    for (size_t i = 0; i < count && !cbor_failed(&reader); i++) {
        struct recall_step *step = &out->steps[i];
        cbor_expect_array(&reader, 5);
        step->version = cbor_get_count(&reader);
        step->action = (enum recall_action)cbor_get_count(&reader);
        step->leaf_index = cbor_get_count(&reader);
        step->time = cbor_get_int(&reader);
        cbor_get_digest(&reader, &step->signer);
    }
    out->step_count = count;
    out->scope = cbor_get_bytes(&reader);
    if (!cbor_get_null_if(&reader)) out->newest = cbor_get_bytes(&reader);
    return cbor_finish(&reader);
}

enum pt_code recall_record_decode(struct pt_bytes value, struct pt_arena *arena, struct recall_record *out, struct pt_error *err) {
    struct recall_saved saved;
    *out = (struct recall_record){0};
    enum pt_code code = recall_saved_decode(value, arena, &saved, err);
    if (code == PT_OK) code = recall_notice_decode(saved.scope, arena, &out->scope, err);
    if (code == PT_OK) code = recall_notice_decode(saved.newest.len > 0 ? saved.newest : saved.scope, arena, &out->newest, err);
    out->by_authority = saved.by_authority;
    out->since = saved.since;
    out->ended = saved.ended;
    out->steps = saved.steps;
    out->step_count = saved.step_count;
    return code;
}
