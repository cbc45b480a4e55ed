// What a batch of claims rests on, put together so that it can be checked without the ledger.
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/cose/statement.h"
#include "ledger/contracts/claims.h"
#include "ledger/contracts/lifecycle.h"
#include "ledger/query/claims_reader.h"

#define HISTORY_MOST 256u  // statements of a pack that are looked through for its maker's and the pharmacy's
#define ANSWER_BYTES ((size_t)512 * 1024)
#define BUNDLE_ARENA ((size_t)192 * 1024 * 1024)

struct bundle {
    struct ledger *ledger;
    struct pack_reader reader;
    struct claim_answer answer;
    const struct claim_batch *batch;
    uint64_t *leaves;  // of statements; sorted and each once before they are read
    size_t leaf_count, leaf_room;
};

static enum pt_code no_memory(struct pt_error *err) { return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory"); }

static enum pt_code add_leaf(struct bundle *bundle, uint64_t leaf, struct pt_error *err) {
    if (bundle->leaf_count == bundle->leaf_room) {
        const size_t room = bundle->leaf_room ? bundle->leaf_room * 2 : 64;
        uint64_t *grown = pt_arena_alloc(bundle->reader.arena, room, sizeof *grown);
        if (!grown) return no_memory(err);
        if (bundle->leaf_count > 0) memcpy(grown, bundle->leaves, bundle->leaf_count * sizeof *grown);
        bundle->leaves = grown;
        bundle->leaf_room = room;
    }
    bundle->leaves[bundle->leaf_count++] = leaf;
    return PT_OK;
}

// What was said of the pack that a claim depends on: by its maker, and at the counter.
static bool matters(const struct history_item *item) {
    const enum lifecycle_operation operation = lifecycle_operation_of(item->event, item->role);
    return operation == OPERATION_COMMISSION || operation == OPERATION_DISPENSE || operation == OPERATION_UNDO ||
           operation == OPERATION_TAKE_BACK;
}

static enum pt_code add_history(struct bundle *bundle, const struct claim_line *line, struct pt_error *err) {
    struct pt_arena *kept = bundle->reader.arena;
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {.ceiling = BUNDLE_ARENA};
    struct pack_reader reader = bundle->reader;
    struct history_item *items;
    struct pack_id id;
    struct pt_bytes key;
    size_t count;
    bool more;
    reader.arena = &arena;
    if (claim_pack_id(line->pack, &id, NULL) != PT_OK) return PT_OK;
    enum pt_code code = pack_reader_key(&reader, &id, &key, err);
    if (code == PT_OK) code = pack_reader_history(&reader, key, HISTORY_MOST, &items, &count, &more, err);
    bundle->reader.arena = kept;
    for (size_t i = 0; code == PT_OK && i < count; i++)
        if (matters(&items[i])) code = add_leaf(bundle, items[i].stored.leaf, err);
    return code;
}

static enum pt_code add_line(struct bundle *bundle, size_t number, struct pt_error *err) {
    const struct claim_line_answer *answer = &bundle->answer.lines[number];
    enum pt_code code = add_history(bundle, &bundle->batch->lines[number], err);
    if (code == PT_OK && answer->dispensing) code = add_leaf(bundle, answer->dispensing - 1, err);
    if (code == PT_OK && answer->other) code = add_leaf(bundle, answer->other - 1, err);
    return code;
}

static int by_number(const void *a, const void *b) {
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

// The batch's own leaf goes first and is no more among the others.
static void order_leaves(struct bundle *bundle) {
    size_t kept = 0;
    if (bundle->leaf_count > 0) qsort(bundle->leaves, bundle->leaf_count, sizeof *bundle->leaves, by_number);
    for (size_t i = 0; i < bundle->leaf_count; i++) {
        const bool again = kept > 0 && bundle->leaves[kept - 1] == bundle->leaves[i];
        if (!again && bundle->leaves[i] != bundle->answer.leaf_index) bundle->leaves[kept++] = bundle->leaves[i];
    }
    bundle->leaf_count = kept;
}

static enum pt_code collect(struct bundle *bundle, const struct pt_digest *id, size_t first, size_t most, struct pt_error *err) {
    struct stored_statement stored;
    bool decided = false;
    enum pt_code code = statement_store_by_id(bundle->reader.statements, bundle->reader.index, id, bundle->reader.arena, &stored, err);
    if (code == PT_OK) code = claims_batch_of(&bundle->reader, &stored, &bundle->batch, err);
    if (code != PT_OK) return code;
    bundle->answer = (struct claim_answer){.statement = stored.id, .leaf_index = stored.leaf, .height = stored.height, .time = stored.time,
                                           .line_count = bundle->batch->line_count};
    code = claims_answers_of(&bundle->reader, stored.leaf, bundle->batch->line_count, &bundle->answer.lines, &decided, err);
    if (code == PT_OK && !decided) code = pt_fail(err, PT_CONFLICT, NULL, "nothing was decided of this batch");
    if (code == PT_OK && first >= bundle->batch->line_count) code = pt_fail(err, PT_INVALID, "first", "the batch has fewer lines");
    for (size_t i = first; code == PT_OK && i < bundle->batch->line_count && i - first < most; i++) code = add_line(bundle, i, err);
    order_leaves(bundle);
    return code;
}

// --- Writing ---

static struct pt_bytes kept(struct pt_arena *arena, const struct pt_buf *bytes) {
    uint8_t *copy = pt_arena_alloc(arena, 1, bytes->len + 1);
    if (copy && bytes->len > 0) memcpy(copy, bytes->data, bytes->len);
    return pt_bytes_of(copy, copy ? bytes->len : 0);
}

struct signer_keys {
    struct pt_digest kids[CLAIM_EVIDENCE_KEYS];
    size_t count;
};

static enum pt_code add_key(struct bundle *bundle, struct pt_bytes statement_bytes, struct signer_keys *seen, struct claim_evidence *out,
                            struct pt_error *err) {
    struct statement statement;
    PT_CLEANUP(actor_free) struct actor actor = {0};
    enum pt_code code = statement_decode(statement_bytes, &statement, err);
    if (code != PT_OK) return code;
    for (size_t i = 0; i < seen->count; i++)
        if (pt_digest_equal(&seen->kids[i], &statement.kid)) return PT_OK;
    if (seen->count == CLAIM_EVIDENCE_KEYS) return pt_fail(err, PT_LIMIT, NULL, "too many signers for one bundle: ask for fewer lines");
    code = ledger_actor(bundle->ledger, &statement.kid, &actor, err);
    if (code != PT_OK) return code;
    seen->kids[seen->count++] = statement.kid;
    out->keys[out->key_count] = kept(bundle->reader.arena, &actor.key);
    return out->keys[out->key_count++].data ? PT_OK : no_memory(err);
}

static enum pt_code add_item(struct bundle *bundle, const struct stored_statement *stored, struct claim_evidence *out, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf receipt = PT_BUF_INIT(RECEIPT_MAX);
    const enum pt_code code = ledger_receipt(bundle->ledger, &stored->id, &receipt, err);
    if (code != PT_OK) return code;
    struct claim_evidence_item *item = &out->items[out->item_count++];
    *item = (struct claim_evidence_item){stored->bytes, kept(bundle->reader.arena, &receipt)};
    return item->receipt.data ? PT_OK : no_memory(err);
}

static enum pt_code add_items(struct bundle *bundle, struct claim_evidence *out, struct pt_error *err) {
    PT_FREE struct signer_keys *seen = calloc(1, sizeof *seen);
    struct pt_arena *arena = bundle->reader.arena;
    if (bundle->leaf_count + 1 > CLAIM_EVIDENCE_ITEMS) return pt_fail(err, PT_LIMIT, NULL, "too many statements for one bundle: ask for fewer lines");
    out->items = pt_arena_alloc(arena, bundle->leaf_count + 1, sizeof *out->items);
    out->keys = pt_arena_alloc(arena, CLAIM_EVIDENCE_KEYS, sizeof *out->keys);
    if (!seen || !out->items || !out->keys) return no_memory(err);
    enum pt_code code = PT_OK;
    size_t bytes = 0;
    for (size_t i = 0; code == PT_OK && i <= bundle->leaf_count; i++) {
        struct stored_statement stored;
        const uint64_t leaf = i == 0 ? bundle->answer.leaf_index : bundle->leaves[i - 1];
        code = statement_store_by_leaf(bundle->reader.statements, bundle->reader.index, leaf, arena, &stored, err);
        if (code == PT_OK) code = add_item(bundle, &stored, out, err);
        if (code == PT_OK) code = add_key(bundle, stored.bytes, seen, out, err);
        bytes += code == PT_OK ? stored.bytes.len : 0;
        if (bytes > CLAIM_EVIDENCE_MAX / 2) code = pt_fail(err, PT_LIMIT, NULL, "too much for one bundle: ask for fewer lines");
    }
    return code;
}

static enum pt_code write_bundle(struct bundle *bundle, struct pt_buf *out, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf payload = PT_BUF_INIT(CLAIM_ANSWER_MAX);
    PT_CLEANUP(pt_buf_free) struct pt_buf sealed = PT_BUF_INIT(ANSWER_BYTES);
    PT_CLEANUP(pt_buf_free) struct pt_buf checkpoint = PT_BUF_INIT(RECEIPT_MAX);
    struct claim_evidence evidence = {0};
    enum pt_code code = claim_answer_encode(&bundle->answer, &payload, err);
    if (code == PT_OK)
        code = sealed_sign(ledger_signer(bundle->ledger), CLAIM_ANSWER_CONTENT_TYPE, &ledger_genesis(bundle->ledger)->hash,
                           pt_buf_bytes(&payload), &sealed, err);
    if (code == PT_OK) code = add_items(bundle, &evidence, err);
    if (code == PT_OK) code = ledger_checkpoint(bundle->ledger, &checkpoint, err);
    if (code != PT_OK) return code;
    evidence.answer = pt_buf_bytes(&sealed);
    evidence.checkpoint = pt_buf_bytes(&checkpoint);
    return claim_evidence_encode(&evidence, out, err);
}

enum pt_code ledger_claim_evidence(struct ledger *ledger, const struct pt_digest *id, size_t first, size_t most, struct pt_buf *out,
                                   struct pt_error *err) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {.ceiling = BUNDLE_ARENA};
    struct idle_reader *view;
    enum pt_code code = ledger_view_begin(ledger, &view, err);
    if (code != PT_OK) return code;
    struct bundle bundle = {.ledger = ledger, .reader = {&view->reader, ledger->files.statements, &arena}};
    code = collect(&bundle, id, first, most, err);
    if (code == PT_OK) code = write_bundle(&bundle, out, err);
    ledger_view_end(ledger, view);
    return code;
}
