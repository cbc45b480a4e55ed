#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "ledger/apply/executor_internal.h"
#include "ledger/state/varint.h"

#define ALERT_BYTES_MAX ((size_t)1024)

// Alerts are numbered over the whole chain.
static enum pt_code next_alert(struct executor *executor, uint64_t *number, struct pt_error *err) {
    const struct pt_bytes key = pt_bytes_str("alerts");
    struct pt_bytes value;
    bool found;
    uint64_t count = 0;
    const enum pt_code code = executor_get(executor, STATE_RULES, key, &value, &found, err);
    if (code != PT_OK) return code;
    if (found && !varint_get(&value, &count)) return pt_fail(err, PT_UNVERIFIED, "state", "the alert counter is damaged");
    *number = count + 1;
    pt_buf_clear(&executor->buffer);
    varint_put(&executor->buffer, *number);
    return executor_put(executor, STATE_RULES, key, pt_buf_bytes(&executor->buffer), err);
}

static enum pt_code write_alert(struct executor *executor, struct alert_record *alert, struct pt_error *err) {
    uint8_t key[8];
    enum pt_code code = next_alert(executor, &alert->number, err);
    if (code != PT_OK) return code;
    PT_CLEANUP(pt_buf_free) struct pt_buf value = PT_BUF_INIT(ALERT_BYTES_MAX);
    alert_record_key(alert->number, key);
    code = alert_record_encode(alert, &value, err);
    if (code == PT_OK) code = executor_put(executor, STATE_ALERT, pt_bytes_of(key, 8), pt_buf_bytes(&value), err);
    executor->sealed->alert_count++;
    if (code != PT_OK || alert->pack.len == 0) return code;
    pt_buf_clear(&value);
    pt_buf_append_bytes(&value, alert->pack);
    pt_buf_append(&value, key, 8);
    return executor_side(executor, INDEX_PACK_ALERT, pt_buf_bytes(&value), (struct pt_bytes){0}, err);
}

enum pt_code executor_alert_key(struct executor *executor, const struct actor *signer, enum alert_kind kind, unsigned confidence,
                                const uint64_t *evidence, size_t evidence_count, const char *detail, struct pt_error *err) {
    struct alert_record alert = {.kind = kind, .mode = ALERT_ENFORCE, .confidence = confidence, .chain_time = executor->now,
                                 .event_time = executor->now};
    if (signer) alert.signer = signer->kid;
    for (size_t i = 0; i < evidence_count && i < ALERT_EVIDENCE_MAX; i++) alert.evidence[alert.evidence_count++] = evidence[i];
    snprintf(alert.detail, sizeof alert.detail, "%s", detail);
    return write_alert(executor, &alert, err);
}

static enum pt_code learn_before(struct executor *executor, const struct due_statement *due, struct pt_error *err) {
    for (size_t i = 0; due->before && i < due->input->pack_count; i++) {
        const struct pt_bytes key = due->input->packs[i].key;
        const uint64_t hash = state_cache_hash(executor->cache, STATE_PACK, key);
        if (!state_cache_learn(executor->cache, hash, STATE_PACK, key, due->before[i].found, due->before[i].value, due->snapshot))
            return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    }
    return PT_OK;
}

// Runs the contracts in force; output->result says how it went, the view holds what is to be kept.
static enum pt_code run_contracts(struct executor *executor, const struct due_statement *due, struct contract_output *output,
                                  struct pt_error *err) {
    const struct contract_context context = {.signer = due->signer, .leaf_index = due->leaf, .height = executor->sealed->height, .chain_time = executor->now,
                                             .profile = executor->parts.genesis->profile,
                                             .rule_version = executor->rules.version, .settings = &executor->rules.settings,
                                             .arena = &executor->scratch};
    if (!contracts_in_force(context.rule_version)) return rules_known(context.rule_version, context.height, err);
    return contracts_run(executor->view, due->input, &context, output, err);
}

static enum pt_code write_feed(struct executor *executor, const struct contract_output *output, uint64_t leaf, struct pt_error *err) {
    uint8_t key[SIDE_FEED_KEY];
    enum pt_code code = PT_OK;
    if (output->feed_kind == 0) return PT_OK;
    if (output->feed_audience_count == 0) {
        side_feed_key(NULL, leaf, output->feed_kind, key);
        return executor_side(executor, INDEX_FEED, pt_bytes_of(key, sizeof key), (struct pt_bytes){0}, err);
    }
    for (size_t i = 0; code == PT_OK && i < output->feed_audience_count; i++) {
        side_feed_key(output->feed_audience[i], leaf, output->feed_kind, key);
        code = executor_side(executor, INDEX_FEED, pt_bytes_of(key, sizeof key), (struct pt_bytes){0}, err);
    }
    return code;
}

static enum pt_code keep(struct executor *executor, const struct due_statement *due, const struct contract_output *output,
                         struct pt_error *err) {
    enum pt_code code = state_view_commit(executor->view, err);
    if (code == PT_OK && output->previous && due->input->pack_count > 0) {
        uint8_t key[8];
        be64_put(due->leaf, key);
        pt_buf_clear(&executor->buffer);
        side_links_encode(output->previous, due->input->pack_count, &executor->buffer);
        code = pt_buf_check(&executor->buffer, err);
        if (code == PT_OK) code = executor_side(executor, INDEX_LINKS, pt_bytes_of(key, 8), pt_buf_bytes(&executor->buffer), err);
    }
    for (size_t i = 0; code == PT_OK && i < output->alert_count; i++) code = write_alert(executor, &output->alerts[i], err);
    if (code == PT_OK) code = write_feed(executor, output, due->leaf, err);
    if (due->input->kind == KIND_ENROLMENT) executor_forget_actor(executor, &due->input->actor->kid);
    if (due->input->kind == KIND_REVOCATION) executor_forget_actor(executor, &due->input->revocation->kid);
    return code;
}

enum pt_code executor_apply(struct executor *executor, const struct due_statement *due, enum statement_result *result,
                            struct pt_error *err) {
    struct contract_output output = {.result = RESULT_APPLIED};
    const uint64_t evidence[1] = {due->leaf};
    enum pt_code code = PT_OK;
    if (due->chain_alert)
        code = executor_alert_key(executor, due->signer, ALERT_BROKEN_DEVICE_CHAIN, 50, evidence, 1, due->chain_alert, err);
    if (code != PT_OK) return code;
    if (due->input_code == PT_NO_MEMORY) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    *result = RESULT_MALFORMED;
    if (due->input_code != PT_OK) return PT_OK;
    code = learn_before(executor, due, err);
    if (code != PT_OK) return code;
    pt_arena_reset(&executor->scratch);
    state_view_begin(executor->view, executor->sealed->height, &executor->scratch);
    code = run_contracts(executor, due, &output, err);
    if (code == PT_OK && (output.result == RESULT_APPLIED || output.result == RESULT_ALERTED))
        code = keep(executor, due, &output, err);
    else
        state_view_discard(executor->view);
    *result = output.result == RESULT_APPLIED && due->chain_alert ? RESULT_ALERTED : output.result;
    return code;
}
