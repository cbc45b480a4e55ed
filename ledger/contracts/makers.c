#include "ledger/contracts/makers.h"

#include <string.h>

#include "common/identify/pack_id.h"
#include "ledger/contracts/lifecycle.h"
#include "ledger/contracts/master_facts.h"

// The next product that the event commissions, from pack *at on; false at the end. Neighbours of one product count once.
static bool next_product(const struct contract_input *input, size_t *at, struct pack_id *last) {
    for (; *at < input->pack_count; ++*at) {
        const struct event_pack *pack = &input->packs[*at];
        struct pack_id id;
        if (lifecycle_operation_of(input->event, pack->role) != OPERATION_COMMISSION) continue;
        if (pack_id_from_key(pack->key, &id, NULL) != PT_OK || !master_facts_product_of(&id)) continue;
        if (id.kind == last->kind && strcmp(id.product, last->product) == 0) continue;
        *last = id;
        ++*at;
        return true;
    }
    return false;
}

static void declare(const struct contract_input *input, const struct contract_context *context, struct access_list *out) {
    struct pack_id product = {.kind = PACK_NONE};
    (void)context;
    for (size_t at = 0; next_product(input, &at, &product);) master_facts_declare(MASTER_PRODUCT, product.product, out);
}

static bool is_maker(const struct product_facts *product, const char *party) {
    if (!product->holder[0] && !product->manufacturer[0]) return true;
    return strcmp(product->holder, party) == 0 || strcmp(product->manufacturer, party) == 0;
}

// The newest record counts from when it is on the chain, also one that is in force later only: who answers for a product
// is no secret of the future.
static enum pt_code apply(struct state_view *view, const struct contract_input *input, const struct contract_context *context,
                          struct contract_output *output, struct pt_error *err) {
    struct pack_id product = {.kind = PACK_NONE};
    for (size_t at = 0; next_product(input, &at, &product);) {
        struct product_facts facts;
        bool found;
        const enum pt_code code =
            master_facts_product(view, context->arena, product.product, MASTER_FACTS_NEWEST, &facts, &found, err);
        if (code != PT_OK) return code;
        if (found && !is_maker(&facts, context->signer->party)) {
            output->result = RESULT_NOT_ALLOWED;
            return PT_OK;
        }
    }
    return PT_OK;
}

const struct contract makers_contract = {.name = "makers", .version = 1, .kinds = KIND_EVENT, .declare = declare, .apply = apply};
