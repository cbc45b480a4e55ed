// Statements by their place, and what proves that they are in the log.
#include <string.h>

#include "ledger/ledger_internal.h"

static void hand_over(const struct stored_statement *stored, struct ledger_statement *out) {
    *out = (struct ledger_statement){.id = stored->id, .leaf_index = stored->leaf, .height = stored->height,
                                     .time = stored->time, .result = stored->result, .bytes = stored->bytes};
}

enum pt_code ledger_statement_by_id(struct ledger *ledger, const struct pt_digest *id, struct pt_arena *arena,
                                    struct ledger_statement *out, struct pt_error *err) {
    struct idle_reader *view;
    struct stored_statement stored;
    enum pt_code code = ledger_view_begin(ledger, &view, err);
    if (code != PT_OK) return code;
    code = statement_store_by_id(ledger->files.statements, &view->reader, id, arena, &stored, err);
    ledger_view_end(ledger, view);
    if (code == PT_OK) hand_over(&stored, out);
    return code;
}

enum pt_code ledger_statement_by_leaf(struct ledger *ledger, uint64_t leaf_index, struct pt_arena *arena,
                                      struct ledger_statement *out, struct pt_error *err) {
    struct idle_reader *view;
    struct stored_statement stored;
    enum pt_code code = ledger_view_begin(ledger, &view, err);
    if (code != PT_OK) return code;
    code = statement_store_by_leaf(ledger->files.statements, &view->reader, leaf_index, arena, &stored, err);
    ledger_view_end(ledger, view);
    if (code == PT_OK) hand_over(&stored, out);
    return code;
}

enum pt_code ledger_receipt(struct ledger *ledger, const struct pt_digest *id, struct pt_buf *out, struct pt_error *err) {
    struct pt_arena arena = {0};
    struct ledger_statement statement;
    struct ledger_status status;
    struct merkle_path path;
    ledger_status(ledger, &status);
    enum pt_code code = ledger_statement_by_id(ledger, id, &arena, &statement, err);
    pt_arena_free(&arena);
    if (code != PT_OK) return code;
    if (statement.leaf_index >= status.tree_size) return pt_fail(err, PT_NOT_FOUND, NULL, "the statement is not on the ledger yet");
    code = merkle_inclusion_path(tree_store_read, ledger->files.tree, statement.leaf_index, status.tree_size, &path, err);
    if (code != PT_OK) return code;
    // A damaged hash in the tree's files must not leave the node as a receipt that nobody can verify.
    const struct pt_digest leaf = merkle_leaf_hash(pt_bytes_digest(&statement.id));
    code = merkle_verify_inclusion(&leaf, statement.leaf_index, status.tree_size, path.nodes, path.count, &status.tree_root, err);
    if (code != PT_OK) return pt_fail(err, PT_UNVERIFIED, "tree", "the tree's files are damaged: rebuild them");
    return receipt_sign(ledger->signer, &ledger->files.genesis.hash, status.tree_size, statement.leaf_index, &path,
                        &status.tree_root, out, err);
}

enum pt_code ledger_checkpoint(struct ledger *ledger, struct pt_buf *out, struct pt_error *err) {
    enum pt_code code = PT_OK;
    pthread_mutex_lock(&ledger->mutex);
    const struct ledger_status *status = &ledger->status;
    if (ledger->checkpoint.len == 0 || ledger->checkpoint_height != status->height) {
        const struct checkpoint checkpoint = {.height = status->height, .tree_size = status->tree_size, .entry = status->entry,
                                              .tree_root = status->tree_root, .time = status->time};
        pt_buf_clear(&ledger->checkpoint);
        code = checkpoint_sign(ledger->signer, &ledger->files.genesis.hash, &checkpoint, &ledger->checkpoint, err);
        if (code != PT_OK) pt_buf_clear(&ledger->checkpoint);
        ledger->checkpoint_height = status->height;
    }
    if (code == PT_OK) pt_buf_append_bytes(out, pt_buf_bytes(&ledger->checkpoint));
    pthread_mutex_unlock(&ledger->mutex);
    return code == PT_OK ? pt_buf_check(out, err) : code;
}

static enum pt_code settle_size(struct ledger *ledger, uint64_t *size, struct pt_error *err) {
    struct ledger_status status;
    ledger_status(ledger, &status);
    if (*size == 0) *size = status.tree_size;
    if (*size > status.tree_size)
        return pt_fail(err, PT_INVALID, "size", "the log has %llu leaves", (unsigned long long)status.tree_size);
    return PT_OK;
}

enum pt_code ledger_inclusion(struct ledger *ledger, uint64_t index, uint64_t *size, struct merkle_path *out, struct pt_error *err) {
    const enum pt_code code = settle_size(ledger, size, err);
    return code == PT_OK ? merkle_inclusion_path(tree_store_read, ledger->files.tree, index, *size, out, err) : code;
}

enum pt_code ledger_consistency(struct ledger *ledger, uint64_t size1, uint64_t *size2, struct merkle_path *out,
                                struct pt_error *err) {
    const enum pt_code code = settle_size(ledger, size2, err);
    return code == PT_OK ? merkle_consistency_path(tree_store_read, ledger->files.tree, size1, *size2, out, err) : code;
}

enum pt_code ledger_entry(struct ledger *ledger, uint64_t height, struct pt_buf *entry, struct pt_buf *co_signature,
                          struct pt_error *err) {
    struct idle_reader *view;
    struct side_height place;
    struct chain_height record = {0};
    enum pt_code code = ledger_view_begin(ledger, &view, err);
    if (code != PT_OK) return code;
    code = statement_store_height(&view->reader, height, &place, err);
    ledger_view_end(ledger, view);
    if (code == PT_OK) code = chain_store_read(ledger->files.chain, &place.position, &record, err);
    if (code != PT_OK) return code;
    if (entry) pt_buf_append_bytes(entry, record.entry);
    if (co_signature) pt_buf_append_bytes(co_signature, record.co_signature);
    chain_height_free(&record);
    if (entry) code = pt_buf_check(entry, err);
    return code == PT_OK && co_signature ? pt_buf_check(co_signature, err) : code;
}
