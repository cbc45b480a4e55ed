// The recall contract: a notice begins, extends or ends a recall.
#include "ledger/contracts/recall.h"

#include <string.h>

#include "common/base/cleanup.h"
#include "ledger/contracts/master_facts.h"
#include "ledger/contracts/recall_internal.h"

#define FEED_RECALL 4u  // enum wire_feed_kind

static void declare_key(struct access_list *out, char kind, const char *text, unsigned mode) {
    struct pt_bytes key;
    if (recall_key(out->arena, kind, text, &key, NULL) == PT_OK) access_declare(out, STATE_RECALL, mode, key);
    else out->failed = true;
}

static void declare(const struct contract_input *input, const struct contract_context *context, struct access_list *out) {
    const struct recall_notice *notice = input->recall;
    declare_key(out, 'i', notice->id, ACCESS_READ | ACCESS_WRITE);
    for (size_t i = 0; i < notice->product_count; i++) {
        declare_key(out, 'p', notice->products[i], ACCESS_READ | ACCESS_WRITE);
        master_facts_declare(MASTER_PRODUCT, notice->products[i], out);
    }
    master_facts_declare(MASTER_PARTY, context->signer->party, out);
}

// --- Who may ---

// A regulator is whom a party record calls so; only operators can sign such a record (master_records.c).
static enum pt_code is_authority(struct state_view *view, const struct contract_context *context, bool *out, struct pt_error *err) {
    struct party_facts party;
    bool found;
    *out = context->signer->role == ACTOR_OPERATOR;
    if (*out || context->signer->role != ACTOR_COMPANY) return PT_OK;
    const enum pt_code code =
        master_facts_party(view, context->arena, context->signer->party, context->chain_time, &party, &found, err);
    *out = code == PT_OK && found && (party.roles & 1u << MASTER_REGULATOR) != 0;
    return code;
}

// A company recalls what it answers for: it must be holder or manufacturer of every product. One that nobody has described
// is no company's.
static enum pt_code answers_for_all(struct state_view *view, const struct contract_context *context,
                                    const struct recall_notice *notice, bool *out, struct pt_error *err) {
    const char *party = context->signer->party;
    *out = context->signer->role == ACTOR_COMPANY;
    for (size_t i = 0; *out && i < notice->product_count; i++) {
        struct product_facts facts;
        bool found;
        const enum pt_code code =
            master_facts_product(view, context->arena, notice->products[i], MASTER_FACTS_NEWEST, &facts, &found, err);
        if (code != PT_OK) return code;
        *out = found && (strcmp(facts.holder, party) == 0 || strcmp(facts.manufacturer, party) == 0);
    }
    return PT_OK;
}

// --- What may follow what ---

static bool same_products(const struct recall_notice *a, const struct recall_notice *b) {
    if (a->product_count != b->product_count) return false;
    for (size_t i = 0; i < a->product_count; i++)
        if (strcmp(a->products[i], b->products[i]) != 0) return false;
    return true;
}

static bool may_follow(const struct recall_notice *notice, const struct recall_record *present) {
    if (!present) return notice->action == RECALL_BEGIN;
    if (present->ended || notice->action == RECALL_BEGIN || notice->version <= present->newest.version) return false;
    if (notice->action == RECALL_END) return same_products(notice, &present->scope);
    return recall_notice_includes(notice, &present->scope);
}

// --- Writing ---

// Of one recall at most two scopes stay: the first with its time, and the newest, which includes it. What came in between
// counts from the newest on.
static enum pt_code write_product(struct state_view *view, const struct contract_context *context,
                                  const struct recall_notice *notice, const char *product, bool *full, struct pt_error *err) {
    struct pt_bytes key;
    struct pt_bytes value;
    bool found;
    struct recall_list list = {0};
    PT_CLEANUP(pt_buf_free) struct pt_buf out = PT_BUF_INIT(RECALL_STATE_MAX);
    enum pt_code code = recall_key(context->arena, 'p', product, &key, err);
    if (code == PT_OK) code = state_get(view, STATE_RECALL, key, &value, &found, err);
    if (code == PT_OK && found) code = recall_list_decode(value, product, context->arena, &list, err);
    if (code != PT_OK) return code;
    struct recall_in_force *items = pt_arena_alloc(context->arena, list.count + 1, sizeof *items);
    if (!items) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    size_t count = 0, own = 0;
    for (size_t i = 0; i < list.count; i++) {
        const bool same = strcmp(list.items[i].id, notice->id) == 0;
        if (same && (notice->action == RECALL_END || own++ > 0)) continue;
        items[count++] = list.items[i];
    }
    if (notice->action != RECALL_END)
        items[count++] = (struct recall_in_force){.id = notice->id, .version = notice->version, .level = notice->level,
                                                  .depth = notice->depth, .since = context->chain_time, .scope = notice->scope};
    if (count == 0) return found ? state_delete(view, STATE_RECALL, key, err) : PT_OK;
    recall_list_put(items, count, &out);
    *full = count > RECALLS_IN_FORCE_MAX || (out.failed && !out.no_memory);
    if (*full) return PT_OK;
    code = pt_buf_check(&out, err);
    return code == PT_OK ? state_put(view, STATE_RECALL, key, pt_buf_bytes(&out), err) : code;
}

static enum pt_code write_record(struct state_view *view, const struct contract_input *input, const struct contract_context *context,
                                 struct pt_bytes key, struct recall_saved *saved, struct pt_error *err) {
    const struct recall_notice *notice = input->recall;
    PT_CLEANUP(pt_buf_free) struct pt_buf out = PT_BUF_INIT(RECALL_STATE_MAX);
    if (saved->step_count == 0) saved->since = context->chain_time;
    saved->steps[saved->step_count++] = (struct recall_step){.version = notice->version, .action = notice->action,
                                                             .leaf_index = context->leaf_index, .time = context->chain_time,
                                                             .signer = context->signer->kid};
    if (notice->action == RECALL_END) {
        saved->ended = context->chain_time;
        saved->newest = input->payload;
    } else {
        saved->scope = input->payload;
    }
    recall_record_put(saved, &out);
    const enum pt_code code = pt_buf_check(&out, err);
    return code == PT_OK ? state_put(view, STATE_RECALL, key, pt_buf_bytes(&out), err) : code;
}

static enum pt_code read_present(struct state_view *view, const struct contract_context *context, struct pt_bytes key, bool *found,
                                 struct recall_saved *saved, struct recall_record *record, struct pt_error *err) {
    struct pt_bytes value;
    *saved = (struct recall_saved){.steps = pt_arena_alloc(context->arena, 1, sizeof(struct recall_step))};
    if (!saved->steps) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    enum pt_code code = state_get(view, STATE_RECALL, key, &value, found, err);
    if (code != PT_OK || !*found) return code;
    code = recall_saved_decode(value, context->arena, saved, err);
    return code == PT_OK ? recall_record_decode(value, context->arena, record, err) : code;
}

static enum pt_code apply(struct state_view *view, const struct contract_input *input, const struct contract_context *context,
                          struct contract_output *output, struct pt_error *err) {
    const struct recall_notice *notice = input->recall;
    struct recall_saved saved;
    struct recall_record present;
    struct pt_bytes key;
    bool found = false, authority = false, answers = false, full = false;
    enum pt_code code = is_authority(view, context, &authority, err);
    if (code == PT_OK && !authority) code = answers_for_all(view, context, notice, &answers, err);
    if (code == PT_OK) code = recall_key(context->arena, 'i', notice->id, &key, err);
    if (code == PT_OK) code = read_present(view, context, key, &found, &saved, &present, err);
    if (code != PT_OK) return code;
    const bool may = authority || (answers && !(found && saved.by_authority));
    if (may && found && pt_bytes_equal(input->payload, saved.newest.len > 0 ? saved.newest : saved.scope)) return PT_OK;  // said before
    if (!may || !may_follow(notice, found ? &present : NULL)) {
        output->result = RESULT_NOT_ALLOWED;
        return PT_OK;
    }
    saved.by_authority = authority;
    for (size_t i = 0; code == PT_OK && !full && i < notice->product_count; i++)
        code = write_product(view, context, notice, notice->products[i], &full, err);
    if (code == PT_OK && full) output->result = RESULT_NOT_ALLOWED;
    if (code != PT_OK || full) return code;
    output->feed_kind = FEED_RECALL;
    return write_record(view, input, context, key, &saved, err);
}

const struct contract recall_contract = {.name = "recall", .version = 1, .kinds = KIND_RECALL, .declare = declare, .apply = apply};
