#include "ledger/contracts/registry.h"

#include "common/base/cleanup.h"

#define FEED_ENROLMENT 1u  // enum wire_feed_kind
#define FEED_REVOCATION 2u
#define ACTOR_BYTES_MAX ((size_t)8192)

static void declare(const struct contract_input *input, const struct contract_context *context, struct access_list *out) {
    (void)context;
    const struct pt_digest *kid = input->kind == KIND_ENROLMENT ? &input->actor->kid : &input->revocation->kid;
    access_declare(out, STATE_ACTOR, ACCESS_READ | ACCESS_WRITE, pt_bytes_digest(kid));
}

static enum pt_code write_actor(struct state_view *view, const struct actor *actor, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = PT_BUF_INIT(ACTOR_BYTES_MAX);
    const enum pt_code code = actor_encode(actor, &bytes, err);
    return code == PT_OK ? state_put(view, STATE_ACTOR, pt_bytes_digest(&actor->kid), pt_buf_bytes(&bytes), err) : code;
}

// *out is freed with actor_free when *found.
static enum pt_code read_actor(struct state_view *view, const struct pt_digest *kid, struct actor *out, bool *found,
                               struct pt_error *err) {
    struct pt_bytes value;
    const enum pt_code code = state_get(view, STATE_ACTOR, pt_bytes_digest(kid), &value, found, err);
    return code == PT_OK && *found ? actor_decode(value, out, err) : code;
}

// The key must be the one that the kid names, or a statement signed by another would be taken for this actor's.
static bool key_fits(const struct actor *actor) {
    PT_CLEANUP(verify_key_cleanup) struct verify_key *key = NULL;
    if (verify_key_from_cose(pt_buf_bytes(&actor->key), &key, NULL) != PT_OK) return false;
    const struct pt_digest thumbprint = verify_key_thumbprint(key);
    return verify_key_algorithm(key) == COSE_ES256 && pt_digest_equal(&thumbprint, &actor->kid);
}

static enum pt_code enrol_actor(struct state_view *view, const struct actor *actor, struct contract_output *output, struct pt_error *err) {
    PT_CLEANUP(actor_free) struct actor present = {0};
    bool found;
    // Executors are the member set: that changes by vote, not by one operator.
    if (actor->role == ACTOR_EXECUTOR || actor->revoked) {
        output->result = RESULT_NOT_ALLOWED;
        return PT_OK;
    }
    if (!key_fits(actor)) {
        output->result = RESULT_MALFORMED;
        return PT_OK;
    }
    const enum pt_code code = read_actor(view, &actor->kid, &present, &found, err);
    if (code != PT_OK) return code;
    if (found && (present.revoked || present.role != actor->role)) {
        output->result = RESULT_NOT_ALLOWED;  // a revoked key never comes back; a key keeps its role
        return PT_OK;
    }
    output->feed_kind = FEED_ENROLMENT;
    return write_actor(view, actor, err);
}

static enum pt_code revoke_actor(struct state_view *view, const struct revocation *revocation, struct contract_output *output,
                           struct pt_error *err) {
    PT_CLEANUP(actor_free) struct actor present = {0};
    bool found;
    const enum pt_code code = read_actor(view, &revocation->kid, &present, &found, err);
    if (code != PT_OK) return code;
    if (!found || present.role == ACTOR_EXECUTOR) {
        output->result = RESULT_NOT_ALLOWED;
        return PT_OK;
    }
    // A second revocation can only take more trust away.
    if (!present.revoked || revocation->last_trusted < present.last_trusted) present.last_trusted = revocation->last_trusted;
    present.revoked = true;
    output->feed_kind = FEED_REVOCATION;
    return write_actor(view, &present, err);
}

static enum pt_code apply(struct state_view *view, const struct contract_input *input, const struct contract_context *context,
                          struct contract_output *output, struct pt_error *err) {
    if (context->signer->role != ACTOR_OPERATOR) {
        output->result = RESULT_NOT_ALLOWED;
        return PT_OK;
    }
    return input->kind == KIND_ENROLMENT ? enrol_actor(view, input->actor, output, err) : revoke_actor(view, input->revocation, output, err);
}

const struct contract registry_contract = {
    .name = "registry", .version = 1, .kinds = KIND_ENROLMENT | KIND_REVOCATION, .declare = declare, .apply = apply};
