#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "ledger/apply/executor_internal.h"
#include "ledger/state/varint.h"

#define ALERT_BYTES_MAX ((size_t)1024)

static enum pt_code no_memory(struct pt_error *err) { return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory"); }

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

static struct alert_record key_alert(const struct executor *executor, const struct actor *signer, enum alert_kind kind,
                                     unsigned confidence, const uint64_t *evidence, size_t evidence_count, const char *detail) {
    struct alert_record alert = {.kind = kind, .mode = ALERT_ENFORCE, .confidence = confidence, .chain_time = executor->now,
                                 .event_time = executor->now};
    if (signer) alert.signer = signer->kid;
    for (size_t i = 0; i < evidence_count && i < ALERT_EVIDENCE_MAX; i++) alert.evidence[alert.evidence_count++] = evidence[i];
    snprintf(alert.detail, sizeof alert.detail, "%s", detail ? detail : "");
    return alert;
}

enum pt_code executor_alert_key(struct executor *executor, const struct actor *signer, enum alert_kind kind, unsigned confidence,
                                const uint64_t *evidence, size_t evidence_count, const char *detail, struct pt_error *err) {
    struct alert_record alert = key_alert(executor, signer, kind, confidence, evidence, evidence_count, detail);
    const enum pt_code code = executor_settle(executor, err);  // alerts are numbered in the order of their statements
    return code == PT_OK ? write_alert(executor, &alert, err) : code;
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

// What is kept of a statement beside its changes of the state.
static enum pt_code keep(struct executor *executor, const struct due_statement *due, const struct contract_output *output,
                         struct pt_error *err) {
    enum pt_code code = PT_OK;
    if (output->previous && due->input->pack_count > 0) {
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

// Runs the contracts now; afterwards the statement's changes count if it was not refused.
static enum pt_code run_now(struct executor *executor, const struct due_statement *due, const struct contract_scene *scene,
                            struct contract_output *output, struct pt_error *err) {
    pt_arena_reset(&executor->scratch);
    state_view_begin(executor->view, scene->height, &executor->scratch);
    const enum pt_code code = due_statement_run(due, scene, executor->view, &executor->scratch, output, err);
    if (code == PT_OK && contract_output_counts(output)) return state_view_commit(executor->view, err);
    state_view_discard(executor->view);
    return code;
}

static bool take_trial(struct executor *executor, struct due_statement *due, uint64_t moment) {
    if (!due->trial.done) return false;
    const bool holds = state_touches_hold(executor->cache, due->trial.touches, due->trial.touch_count, moment);
    *(holds ? &executor->sealed->trials_stood : &executor->sealed->trials_repeated) += 1;
    return holds;
}

static enum pt_code settle_one(struct executor *executor, struct due_statement *due, const struct contract_scene *scene,
                               uint64_t moment, struct pt_error *err) {
    struct contract_output output = due->trial.output;
    enum pt_code code = PT_OK;
    if (due->chain_alert) {
        struct alert_record broken = key_alert(executor, due->signer, ALERT_BROKEN_DEVICE_CHAIN, 50, &due->leaf, 1, due->chain_alert);
        code = write_alert(executor, &broken, err);
    }
    if (code != PT_OK) return code;
    if (due->input_code == PT_NO_MEMORY) return no_memory(err);
    *due->result = RESULT_MALFORMED;
    if (due->input_code != PT_OK) return PT_OK;
    if (!take_trial(executor, due, moment)) code = run_now(executor, due, scene, &output, err);
    else if (contract_output_counts(&output) && !state_touches_commit(executor->cache, due->trial.touches, due->trial.touch_count, scene->height))
        code = no_memory(err);
    if (code == PT_OK && contract_output_counts(&output)) code = keep(executor, due, &output, err);
    *due->result = (uint8_t)(output.result == RESULT_APPLIED && due->chain_alert ? RESULT_ALERTED : output.result);
    return code;
}

enum pt_code executor_settle(struct executor *executor, struct pt_error *err) {
    if (executor->due_count == 0) return PT_OK;
    const struct sealed_height *sealed = executor->sealed;
    const struct contract_scene scene = {executor->parts.genesis->profile, &executor->rules, sealed->height, executor->now};
    const struct state_view_source source = {executor->cache, executor->parts.index, executor->parts.committed, executor->parts.ctx};
    const uint64_t stood = sealed->trials_stood, repeated = sealed->trials_repeated;
    const uint64_t moment = state_cache_moment(executor->cache);
    const size_t count = executor->due_count;
    enum pt_code code = PT_OK;
    if (executor->trials) trials_run(executor->trials, &scene, &source, executor->due, count);
    executor->due_count = 0;
    for (size_t i = 0; code == PT_OK && i < count; i++) code = settle_one(executor, &executor->due[i], &scene, moment, err);
    if (executor->trials) trials_clear(executor->trials, sealed->trials_stood - stood, sealed->trials_repeated - repeated);
    return code;
}

enum pt_code executor_apply(struct executor *executor, const struct due_statement *due, struct pt_error *err) {
    if (executor->due_count == executor->due_cap) {
        const size_t cap = executor->due_cap ? executor->due_cap * 2 : 64;
        struct due_statement *grown = realloc(executor->due, cap * sizeof *grown);
        if (!grown) return no_memory(err);
        executor->due = grown;
        executor->due_cap = cap;
    }
    executor->due[executor->due_count++] = *due;
    // Whoever is enrolled or revoked by it may have signed the next one.
    const bool is_actor = due->input_code == PT_OK && (due->input->kind == KIND_ENROLMENT || due->input->kind == KIND_REVOCATION);
    return is_actor ? executor_settle(executor, err) : PT_OK;
}
