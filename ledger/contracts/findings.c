#include "ledger/contracts/findings.h"

#include <string.h>

#include "common/alert/finding.h"
#include "common/base/cleanup.h"
#include "ledger/contracts/master_facts.h"
#include "ledger/state/finding_record.h"

#define GRAVE 50u  // confidence from which on only others close an alert

static void declare(const struct contract_input *input, const struct contract_context *context, struct access_list *out) {
    static const uint8_t products[1] = {MASTER_PRODUCT};
    uint8_t *key = pt_arena_alloc(context->arena, 1, 8);
    if (!key) {
        out->failed = true;
        return;
    }
    alert_record_key(input->finding->alert, key);
    access_declare(out, STATE_ALERT, ACCESS_READ, pt_bytes_of(key, 8));
    access_declare(out, STATE_FINDING, ACCESS_READ | ACCESS_WRITE, pt_bytes_of(key, 8));
    master_facts_declare(MASTER_PARTY, context->signer->party, out);
    // Whose pack and whose statement it was is known only once the alert is read.
    access_declare(out, STATE_FACTS, ACCESS_READ | ACCESS_PREFIX, pt_bytes_of(products, 1));
    access_declare(out, STATE_ACTOR, ACCESS_READ | ACCESS_PREFIX, (struct pt_bytes){0});
}

// --- Who ---

enum standing { STANDING_NONE, STANDING_CONCERNED, STANDING_MAKER, STANDING_AUTHORITY };

static enum pt_code is_regulator(struct state_view *view, const struct contract_context *context, bool *out, struct pt_error *err) {
    struct party_facts party;
    bool found;
    *out = false;
    if (context->signer->role != ACTOR_COMPANY) return PT_OK;
    const enum pt_code code = master_facts_party(view, context->arena, context->signer->party, context->chain_time, &party, &found, err);
    *out = code == PT_OK && found && (party.roles & 1u << MASTER_REGULATOR) != 0;
    return code;
}

static enum pt_code is_maker(struct state_view *view, const struct contract_context *context, struct pt_bytes pack, bool *out,
                             struct pt_error *err) {
    struct pack_id id;
    struct product_facts facts;
    bool found;
    *out = false;
    if (context->signer->role != ACTOR_COMPANY || pack.len == 0) return PT_OK;
    enum pt_code code = pack_id_from_key(pack, &id, err);
    if (code != PT_OK || !master_facts_product_of(&id)) return code;
    code = master_facts_product(view, context->arena, id.product, MASTER_FACTS_NEWEST, &facts, &found, err);
    const char *party = context->signer->party;
    *out = code == PT_OK && found && (strcmp(facts.holder, party) == 0 || strcmp(facts.manufacturer, party) == 0);
    return code;
}

static enum pt_code is_concerned(struct state_view *view, const struct contract_context *context, const struct pt_digest *kid, bool *out,
                                 struct pt_error *err) {
    PT_CLEANUP(actor_free) struct actor actor = {0};
    struct pt_bytes value;
    bool found;
    *out = pt_digest_equal(kid, &context->signer->kid);
    if (*out || (context->signer->role != ACTOR_COMPANY && context->signer->role != ACTOR_DEVICE)) return PT_OK;
    enum pt_code code = state_get(view, STATE_ACTOR, pt_bytes_digest(kid), &value, &found, err);
    if (code == PT_OK && found) code = actor_decode(value, &actor, err);
    *out = code == PT_OK && found && strcmp(actor.party, context->signer->party) == 0;
    return code;
}

static enum pt_code standing_of(struct state_view *view, const struct contract_context *context, const struct alert_record *alert,
                                enum standing *out, struct pt_error *err) {
    bool yes = false;
    *out = context->signer->role == ACTOR_OPERATOR ? STANDING_AUTHORITY : STANDING_NONE;
    if (*out == STANDING_AUTHORITY) return PT_OK;
    enum pt_code code = is_regulator(view, context, &yes, err);
    if (yes) *out = STANDING_AUTHORITY;
    if (code != PT_OK || yes) return code;
    code = is_maker(view, context, alert->pack, &yes, err);
    if (yes) *out = STANDING_MAKER;
    if (code != PT_OK || yes) return code;
    code = is_concerned(view, context, &alert->signer, &yes, err);
    if (yes) *out = STANDING_CONCERNED;
    return code;
}

// --- What ---

static bool may_clear(const struct alert_record *alert) { return alert->mode == ALERT_SHADOW || alert->confidence < GRAVE; }

static bool may_say(enum standing standing, const struct alert_record *alert, const struct finding_record *record, bool by_another,
                    const struct alert_finding *finding) {
    if (standing == STANDING_NONE || record->step_count == FINDING_STEPS_MAX) return false;
    if (record->status == FINDING_CLOSED) {
        if (finding->status == FINDING_CLOSED || standing == STANDING_CONCERNED) return false;
        return standing == STANDING_AUTHORITY || !by_another;
    }
    if (standing != STANDING_CONCERNED || finding->status == FINDING_INVESTIGATING) return true;
    return finding_clears(finding->outcome) && may_clear(alert);
}

// Whether somebody else said the last: his closing is not the signer's to open again, unless he is an authority.
static enum pt_code last_by_another(struct state_view *view, const struct contract_context *context, const struct finding_record *record,
                                      bool *out, struct pt_error *err) {
    PT_CLEANUP(actor_free) struct actor actor = {0};
    struct pt_bytes value;
    bool found;
    *out = false;
    if (record->step_count == 0) return PT_OK;
    enum pt_code code = state_get(view, STATE_ACTOR, pt_bytes_digest(&record->steps[record->step_count - 1].signer), &value, &found, err);
    if (code == PT_OK && found) code = actor_decode(value, &actor, err);
    if (code != PT_OK || !found) return code;
    *out = actor.role == ACTOR_OPERATOR || strcmp(actor.party, context->signer->party) != 0;
    return PT_OK;
}

static enum pt_code write_step(struct state_view *view, const struct contract_input *input, const struct contract_context *context,
                               struct pt_bytes key, struct finding_record *record, struct pt_error *err) {
    const struct alert_finding *finding = input->finding;
    PT_CLEANUP(pt_buf_free) struct pt_buf value = PT_BUF_INIT(FINDING_RECORD_MAX);
    record->status = finding->status;
    record->outcome = finding->outcome;
    record->steps[record->step_count++] = (struct finding_step){.leaf = context->leaf_index, .status = finding->status, .outcome = finding->outcome,
                                                                .signer = context->signer->kid, .time = context->chain_time};
    const enum pt_code code = finding_record_encode(record, &value, err);
    return code == PT_OK ? state_put(view, STATE_FINDING, key, pt_buf_bytes(&value), err) : code;
}

static enum pt_code apply(struct state_view *view, const struct contract_input *input, const struct contract_context *context,
                          struct contract_output *output, struct pt_error *err) {
    uint8_t memory[8];
    struct pt_bytes value;
    struct alert_record alert;
    struct finding_record record = {.status = FINDING_NEW};
    enum standing standing = STANDING_NONE;
    bool known, found = false, by_another = false;
    alert_record_key(input->finding->alert, memory);
    const struct pt_bytes key = pt_bytes_of(memory, sizeof memory);
    enum pt_code code = state_get(view, STATE_ALERT, key, &value, &known, err);
    if (code == PT_OK && known) code = alert_record_decode(key, value, &alert, err);
    if (code == PT_OK && known) code = standing_of(view, context, &alert, &standing, err);
    if (code == PT_OK && known) code = state_get(view, STATE_FINDING, key, &value, &found, err);
    if (code == PT_OK && found) code = finding_record_decode(value, &record, err);
    if (code == PT_OK && found) code = last_by_another(view, context, &record, &by_another, err);
    if (code != PT_OK) return code;
    if (!known || !may_say(standing, &alert, &record, by_another, input->finding)) {
        output->result = RESULT_NOT_ALLOWED;
        return PT_OK;
    }
    return write_step(view, input, context, key, &record, err);
}

const struct contract findings_contract = {.name = "findings", .version = 1, .kinds = KIND_FINDING, .declare = declare, .apply = apply};
