#include "ledger/contracts/master_records.h"

#include <string.h>

#include "common/base/cleanup.h"
#include "ledger/contracts/master_facts.h"

#define FEED_MASTER 3u  // enum wire_feed_kind
#define KEY_MAX ((size_t)2048)
#define NOT_BY_ONESELF (1u << MASTER_REGULATOR | 1u << MASTER_INSURER)  // roles that nobody gives himself: rules ask for them

// A record stands in STATE_MASTER under each of its identifiers (a product's GTINs and drug identifiers, too), with the
// time from which it counts: what was in force at a time stays answerable.
struct keys {
    const struct contract_input *input;
    struct pt_arena *arena;
    struct access_list *declared;  // while declaring
    struct state_view *view;       // while writing
    struct contract_output *output;
};

static enum pt_code key_of(const struct keys *keys, const char *identifier, struct pt_bytes *out, struct pt_error *err) {
    const struct master_record *record = keys->input->master;
    PT_CLEANUP(pt_buf_free) struct pt_buf key = PT_BUF_INIT(KEY_MAX);
    master_key(record->kind, identifier, record->valid_from, record->version, &key);
    uint8_t *copy = key.failed ? NULL : pt_arena_alloc(keys->arena, 1, key.len);
    if (!copy) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    memcpy(copy, key.data, key.len);
    *out = pt_bytes_of(copy, key.len);
    return PT_OK;
}

static enum pt_code declare_key(void *arg, const char *identifier, struct pt_error *err) {
    const struct keys *keys = arg;
    struct pt_bytes key;
    const enum pt_code code = key_of(keys, identifier, &key, err);
    if (code == PT_OK) access_declare(keys->declared, STATE_MASTER, ACCESS_READ | ACCESS_WRITE, key);
    else keys->declared->failed = true;
    return code;
}

static void declare(const struct contract_input *input, const struct contract_context *context, struct access_list *out) {
    struct keys keys = {.input = input, .arena = context->arena, .declared = out};
    if (master_each_identifier(input->master, declare_key, &keys, NULL) != PT_OK) out->failed = true;
    master_facts_declare_record(input->master, out);
}

static bool is_own(const struct actor *signer, const char *party) { return party && strcmp(signer->party, party) == 0; }

#define ROLES_GRANTED_FROM 2u  // rule version; before, no role gave a right

// An operator may say everything; a company what it answers for: its products, itself, its places. Nobody makes himself a
// regulator.
static bool may_say(const struct contract_context *context, const struct master_record *record) {
    const struct actor *signer = context->signer;
    const uint32_t granted = context->rule_version >= ROLES_GRANTED_FROM ? NOT_BY_ONESELF : 0;
    if (signer->role == ACTOR_OPERATOR) return true;
    if (signer->role != ACTOR_COMPANY) return false;
    switch (record->kind) {
    case MASTER_PRODUCT: return is_own(signer, record->product.holder) || is_own(signer, record->product.manufacturer);
    case MASTER_PARTY: return is_own(signer, record->party.id) && !(record->party.roles & granted);
    case MASTER_PLACE: return is_own(signer, record->place.party);
    default: return false;
    }
}

static enum pt_code write_key(void *arg, const char *identifier, struct pt_error *err) {
    const struct keys *keys = arg;
    struct pt_bytes key;
    struct pt_bytes present;
    bool found;
    enum pt_code code = key_of(keys, identifier, &key, err);
    if (code == PT_OK) code = state_get(keys->view, STATE_MASTER, key, &present, &found, err);
    if (code != PT_OK) return code;
    // A version once said stands: who corrects it says a higher one.
    if (found && !pt_bytes_equal(present, keys->input->payload)) {
        keys->output->result = RESULT_NOT_ALLOWED;
        return PT_OK;
    }
    return found ? PT_OK : state_put(keys->view, STATE_MASTER, key, keys->input->payload, err);
}

static enum pt_code apply(struct state_view *view, const struct contract_input *input, const struct contract_context *context,
                          struct contract_output *output, struct pt_error *err) {
    struct keys keys = {.input = input, .arena = context->arena, .view = view, .output = output};
    if (!may_say(context, input->master)) {
        output->result = RESULT_NOT_ALLOWED;
        return PT_OK;
    }
    output->feed_kind = FEED_MASTER;
    const enum pt_code code = master_each_identifier(input->master, write_key, &keys, err);
    if (code != PT_OK || output->result == RESULT_NOT_ALLOWED) return code;
    return master_facts_write(view, context->arena, input->master, err);
}

const struct contract master_records_contract = {
    .name = "master-records", .version = 1, .kinds = KIND_MASTER, .declare = declare, .apply = apply};
