#include <string.h>

#include "common/base/cleanup.h"
#include "ledger/apply/executor_internal.h"
#include "ledger/state/varint.h"

// What the workers could not check because the signer was enrolled only just now; and, on replay, what was checked when
// the block was first applied.
static enum pt_code settle_signature(struct executor *executor, struct job_statement *item, size_t index,
                                     const struct actor *signer, struct pt_error *err) {
    if (item->signature != SIGNATURE_UNCHECKED) return PT_OK;
    if (executor->job->trusted) {
        const struct pt_bytes results = executor->expected_results;
        item->signature = index < results.len && results.data[index] == RESULT_BAD_SIGNATURE ? SIGNATURE_BAD : SIGNATURE_GOOD;
        return PT_OK;
    }
    const struct verify_key *key;
    const enum pt_code code = key_ring_add(executor->parts.keys, signer, &key, err);
    if (code != PT_OK) return code;
    item->signature = statement_verify(&item->statement, key, &executor->parts.genesis->hash, NULL) == PT_OK ? SIGNATURE_GOOD
                                                                                                               : SIGNATURE_BAD;
    return PT_OK;
}

enum pt_code executor_logged(struct executor *executor, uint64_t leaf, struct pt_arena *arena, struct pt_bytes *bytes,
                             struct pt_digest *id, struct pt_error *err) {
    const struct sealed_height *sealed = executor->sealed;
    if (leaf >= sealed->first_leaf) {
        if (leaf - sealed->first_leaf >= sealed->leaf_count) return pt_fail(err, PT_INTERNAL, NULL, "a leaf that is not there yet");
        const size_t index = executor->leaf_items[leaf - sealed->first_leaf];
        *bytes = executor->job->block.statements[index];
        *id = executor->job->block.statement_ids[index];
        return PT_OK;
    }
    struct stored_statement stored;
    enum pt_code code = executor->parts.wait_committed(executor->parts.ctx, executor->height, err);
    if (code == PT_OK) code = statement_store_by_leaf(executor->parts.statements, executor->parts.index, leaf, arena, &stored, err);
    if (code != PT_OK) return code;
    *bytes = stored.bytes;
    *id = stored.id;
    return PT_OK;
}

// Stories told of one sequence number that are kept as evidence. A key that tells more of them proves nothing new: they
// are logged, but neither looked through again nor told again, or each one would cost more than the one before.
#define STORIES_MOST 8u

struct twin {
    size_t recorded;  // stories of this key and sequence that are kept
    bool same;      // and it says the same
    uint64_t leaf;
};

// Looks for what is recorded of the same key and sequence.
static enum pt_code find_twin(struct executor *executor, const struct statement *statement, struct twin *out, struct pt_error *err) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    uint8_t key[SIDE_SEQUENCE_KEY];
    uint64_t leaf;
    bool found;
    struct pt_bytes leaves;
    *out = (struct twin){0};
    side_sequence_key(&statement->kid, statement->sequence, key);
    enum pt_code code = executor_get(executor, INDEX_SEQUENCE, pt_bytes_of(key, sizeof key), &leaves, &found, err);
    if (code != PT_OK || !found) return code;
    const struct pt_digest wanted = statement_signed_digest(statement);
    while (!out->same && varint_get(&leaves, &leaf)) {
        struct statement other;
        struct pt_bytes bytes;
        struct pt_digest id;
        code = executor_logged(executor, leaf, &arena, &bytes, &id, err);
        if (code == PT_OK) code = statement_decode(bytes, &other, err);
        if (code != PT_OK) return code;
        if (!pt_digest_equal(&other.kid, &statement->kid) || other.sequence != statement->sequence) continue;
        const struct pt_digest digest = statement_signed_digest(&other);
        if (out->recorded++ == 0) out->leaf = leaf;
        out->same = pt_digest_equal(&digest, &wanted);
    }
    return PT_OK;
}

// Gives the statement its place in the log.
static enum pt_code log_statement(struct executor *executor, size_t index, size_t stories, uint64_t *leaf, struct pt_error *err) {
    struct sealed_height *sealed = executor->sealed;
    const struct job_statement *item = &executor->job->statements[index];
    const struct pt_digest *id = &executor->job->block.statement_ids[index];
    uint8_t id_key[SIDE_STATEMENT_KEY], sequence_key[SIDE_SEQUENCE_KEY];
    struct pt_bytes before = {0};
    bool found = false;
    *leaf = sealed->first_leaf + sealed->leaf_count;
    executor->leaf_items[sealed->leaf_count] = (uint32_t)index;
    sealed->leaves[sealed->leaf_count++] = item->leaf;
    side_statement_key(id, *leaf, id_key);
    enum pt_code code = executor_side(executor, INDEX_STATEMENT, pt_bytes_of(id_key, sizeof id_key), (struct pt_bytes){0}, err);
    if (code != PT_OK || stories >= STORIES_MOST) return code;
    side_sequence_key(&item->statement.kid, item->statement.sequence, sequence_key);
    const struct pt_bytes key = pt_bytes_of(sequence_key, sizeof sequence_key);
    PT_CLEANUP(pt_buf_free) struct pt_buf leaves = PT_BUF_INIT((size_t)64 * 1024);
    if (stories > 0) code = executor_get(executor, INDEX_SEQUENCE, key, &before, &found, err);
    if (code != PT_OK) return code;
    if (found) pt_buf_append_bytes(&leaves, before);
    varint_put(&leaves, *leaf);
    code = pt_buf_check(&leaves, err);
    return code == PT_OK ? executor_put(executor, INDEX_SEQUENCE, key, pt_buf_bytes(&leaves), err) : code;
}

static enum pt_code apply_now(struct executor *executor, size_t index, uint64_t leaf, const struct actor *signer,
                              const char *chain_alert, uint8_t *result, struct pt_error *err) {
    const struct job_statement *item = &executor->job->statements[index];
    const struct due_statement due = {.input = &item->input.input,
                                      .input_code = item->input_code,
                                      .before = item->before,
                                      .leaf = leaf,
                                      .signer = signer,
                                      .chain_alert = chain_alert,
                                      .snapshot = executor->job->snapshot,
                                      .result = result};
    return executor_apply(executor, &due, err);
}

// A statement that does not come at its turn: a duplicate, a second story, late after its gap was given up, or early.
static enum pt_code out_of_turn(struct executor *executor, size_t index, const struct actor *signer, const struct key_chain *chain,
                                bool trusted, uint8_t *result, struct pt_error *err) {
    const struct statement *statement = &executor->job->statements[index].statement;
    struct twin twin;
    uint64_t leaf;
    enum pt_code code = find_twin(executor, statement, &twin, err);
    if (code != PT_OK) return code;
    *result = RESULT_DUPLICATE;
    if (twin.same) return PT_OK;
    code = log_statement(executor, index, twin.recorded, &leaf, err);
    if (code != PT_OK) return code;
    if (twin.recorded) {
        const uint64_t evidence[2] = {leaf, twin.leaf};
        *result = RESULT_EQUIVOCATION;
        if (twin.recorded >= STORIES_MOST) return PT_OK;
        return executor_alert_key(executor, signer, ALERT_EQUIVOCATION, 95, evidence, 2, "one sequence number, two contents", err);
    }
    *result = RESULT_UNTRUSTED;
    if (!trusted) return PT_OK;
    if (statement->sequence < chain->next) return apply_now(executor, index, leaf, signer, NULL, result, err);
    *result = RESULT_HELD;
    return executor_hold(executor, &statement->kid, statement->sequence, leaf, err);
}

static enum pt_code in_turn(struct executor *executor, size_t index, const struct actor *signer, struct key_chain *chain,
                            bool trusted, uint8_t *result, struct pt_error *err) {
    static const struct pt_digest none;
    const struct statement *statement = &executor->job->statements[index].statement;
    const struct pt_digest kid = statement->kid;
    const char *chain_alert = NULL;
    uint64_t leaf;
    enum pt_code code = log_statement(executor, index, 0, &leaf, err);
    if (code != PT_OK) return code;
    if (statement->sequence > 0 && !pt_digest_equal(&chain->head, &none) && !pt_digest_equal(&chain->head, &statement->previous))
        chain_alert = "does not name the statement before it";
    chain->next = statement->sequence + 1;
    chain->head = executor->job->block.statement_ids[index];
    *result = RESULT_UNTRUSTED;
    if (trusted) code = apply_now(executor, index, leaf, signer, chain_alert, result, err);
    if (code == PT_OK && executor->held_count > 0) code = executor_release(executor, &kid, chain, err);
    return code == PT_OK ? executor_set_chain(executor, &kid, chain, err) : code;
}

enum pt_code executor_statement(struct executor *executor, size_t index, struct pt_error *err) {
    struct job_statement *item = &executor->job->statements[index];
    struct key_chain chain;
    const struct actor *signer;
    uint8_t *result = &executor->sealed->results[index];
    enum pt_code code = PT_OK;
    *result = RESULT_BAD_SIGNATURE;
    if (item->decoded) {
        code = executor_actor(executor, &item->statement.kid, &signer, err);
        if (code == PT_OK && !signer) *result = RESULT_UNKNOWN_SIGNER;
        if (code == PT_OK && signer) code = settle_signature(executor, item, index, signer, err);
        if (code == PT_OK && signer && item->signature == SIGNATURE_GOOD) {
            const bool trusted = !signer->revoked || item->statement.sequence <= signer->last_trusted;
            code = executor_chain(executor, &item->statement.kid, &chain, err);
            if (code == PT_OK && item->statement.sequence == chain.next)
                code = in_turn(executor, index, signer, &chain, trusted, result, err);
            else if (code == PT_OK)
                code = out_of_turn(executor, index, signer, &chain, trusted, result, err);
        }
    }
    return code;
}
