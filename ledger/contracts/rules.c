#include "ledger/contracts/rules.h"

#include <string.h>

#include "common/chain/rules_change.h"
#include "ledger/state/varint.h"

void rules_pending_key(uint64_t height, uint8_t out[RULES_PENDING_KEY]) {
    memcpy(out, RULES_PENDING, sizeof RULES_PENDING - 1);
    be64_put(height, out + sizeof RULES_PENDING - 1);
}

static void declare(const struct contract_input *input, const struct contract_context *context, struct access_list *out) {
    uint8_t *key = pt_arena_alloc(context->arena, 1, RULES_PENDING_KEY);
    if (!key) {
        out->failed = true;
        return;
    }
    rules_pending_key(input->rules->from_height, key);
    access_declare(out, STATE_RULES, ACCESS_READ | ACCESS_WRITE, pt_bytes_of(key, RULES_PENDING_KEY));
}

static enum pt_code apply(struct state_view *view, const struct contract_input *input, const struct contract_context *context,
                          struct contract_output *output, struct pt_error *err) {
    const struct rules_change *change = input->rules;
    uint8_t key[RULES_PENDING_KEY];
    struct pt_bytes present;
    bool found;
    rules_pending_key(change->from_height, key);
    const struct pt_bytes pending = pt_bytes_of(key, sizeof key);
    const enum pt_code code = state_get(view, STATE_RULES, pending, &present, &found, err);
    if (code != PT_OK) return code;
    // A version never goes back: what was decided under a newer one could not be understood under the older.
    const bool allowed = context->signer->role == ACTOR_OPERATOR && change->from_height > context->height &&
                         (change->version == 0 || change->version > context->rule_version) &&
                         (!found || pt_bytes_equal(present, input->payload));
    if (allowed) return state_put(view, STATE_RULES, pending, input->payload, err);
    output->result = RESULT_NOT_ALLOWED;
    return PT_OK;
}

const struct contract rules_contract = {.name = "rules", .version = 1, .kinds = KIND_RULES, .declare = declare, .apply = apply};
