// Statements by their id with receipts, the signed checkpoint, proofs between tree sizes, chain entries by height.
#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/wire/wire.h"
#include "ledger/api/handlers.h"

#define TYPE_COSE "application/cose"

static bool ask_id(struct api *api, struct https_request *request, struct pt_digest *id) {
    if (!api_may(api, request, API_NEED_READ)) return false;
    if (api_parse_digest(https_request_param(request, "id"), id)) return true;
    struct pt_error err = {0};
    pt_fail(&err, PT_INVALID, NULL, "a statement id is 64 hex digits");
    https_reply_problem(request, &err);
    return false;
}

static json_t *path_json(const struct merkle_path *path) {
    json_t *nodes = json_array();
    for (size_t i = 0; i < path->count; i++) {
        PT_CLEANUP(pt_buf_free) struct pt_buf text = PT_BUF_INIT(64);
        pt_base64_append(&text, pt_bytes_digest(&path->nodes[i]));
        json_array_append_new(nodes, json_stringn((const char *)text.data, text.len));
    }
    return nodes;
}

static json_t *base64_digest(const struct pt_digest *digest) {
    PT_CLEANUP(pt_buf_free) struct pt_buf text = PT_BUF_INIT(64);
    pt_base64_append(&text, pt_bytes_digest(digest));
    return json_stringn((const char *)text.data, text.len);
}

void api_get_entry(void *arg, struct https_request *request) {
    struct api *api = arg;
    struct pt_digest id;
    if (!ask_id(api, request, &id)) return;
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct pt_error err = {0};
    struct ledger_statement found;
    if (ledger_statement_by_id(api->options.ledger, &id, &arena, &found, &err) != PT_OK) {
        https_reply_problem(request, &err);
        return;
    }
    json_t *answer = json_object();
    json_object_set_new(answer, "id", api_digest(&found.id));
    json_object_set_new(answer, "leaf_index", json_integer((json_int_t)found.leaf_index));
    json_object_set_new(answer, "result", json_string(statement_result_name(found.result)));
    struct statement statement;
    if (statement_decode(found.bytes, &statement, &err) == PT_OK) {
        json_object_set_new(answer, "content_type", json_stringn((const char *)statement.content_type.data, statement.content_type.len));
        json_object_set_new(answer, "signer", api_digest(&statement.kid));
        json_object_set_new(answer, "issuer", json_stringn((const char *)statement.issuer.data, statement.issuer.len));
        json_object_set_new(answer, "subject", json_stringn((const char *)statement.subject.data, statement.subject.len));
        json_object_set_new(answer, "sequence", json_integer((json_int_t)statement.sequence));
    }
    api_add_standing(api, answer, found.height, found.time);
    api_reply_json(request, 200, answer);
}

void api_get_entry_statement(void *arg, struct https_request *request) {
    struct api *api = arg;
    struct pt_digest id;
    if (!ask_id(api, request, &id)) return;
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct pt_error err = {0};
    struct ledger_statement found;
    if (ledger_statement_by_id(api->options.ledger, &id, &arena, &found, &err) != PT_OK) https_reply_problem(request, &err);
    else https_reply_text(request, 200, TYPE_COSE, found.bytes);
}

void api_get_entry_receipt(void *arg, struct https_request *request) {
    struct api *api = arg;
    struct pt_digest id;
    if (!ask_id(api, request, &id)) return;
    PT_CLEANUP(pt_buf_free) struct pt_buf receipt = PT_BUF_INIT(RECEIPT_MAX);
    struct pt_error err = {0};
    if (ledger_receipt(api->options.ledger, &id, &receipt, &err) != PT_OK) https_reply_problem(request, &err);
    else https_reply_text(request, 200, TYPE_COSE, pt_buf_bytes(&receipt));
}

void api_get_checkpoint(void *arg, struct https_request *request) {
    struct api *api = arg;
    if (!api_may(api, request, API_NEED_VERIFY)) return;
    PT_CLEANUP(pt_buf_free) struct pt_buf checkpoint = PT_BUF_INIT(RECEIPT_MAX);
    struct pt_error err = {0};
    if (ledger_checkpoint(api->options.ledger, &checkpoint, &err) != PT_OK) https_reply_problem(request, &err);
    else https_reply_text(request, 200, TYPE_COSE, pt_buf_bytes(&checkpoint));
}

// A number from the query; false (and answered) if it is there but no number. Absent: *out stays.
static bool query_number(struct https_request *request, const char *name, bool required, uint64_t *out) {
    const char *text = https_request_query(request, name, 0);
    if (!text && !required) return true;
    if (api_parse_number(text, out)) return true;
    struct pt_error err = {0};
    pt_fail(&err, PT_INVALID, NULL, "query parameter '%s' must be a whole number", name);
    https_reply_problem(request, &err);
    return false;
}

// The root of the log when it had `size` entries: where the path of its last entry leads.
static enum pt_code root_at(struct api *api, uint64_t index, uint64_t size, struct merkle_path *path,
                            struct pt_digest *leaf_hash, struct pt_digest *root, struct pt_error *err) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct ledger_statement leaf;
    enum pt_code code = ledger_inclusion(api->options.ledger, index, &size, path, err);
    if (code == PT_OK) code = ledger_statement_by_leaf(api->options.ledger, index, &arena, &leaf, err);
    if (code != PT_OK) return code;
    *leaf_hash = merkle_leaf_hash(pt_bytes_digest(&leaf.id));
    return merkle_inclusion_root(leaf_hash, index, size, path->nodes, path->count, root, err);
}

// size 0 in a question stands for the log as it is now.
static uint64_t present_size(struct api *api, uint64_t size) {
    struct ledger_status status;
    ledger_status(api->options.ledger, &status);
    return size ? size : status.tree_size;
}

void api_get_inclusion(void *arg, struct https_request *request) {
    struct api *api = arg;
    uint64_t index = 0;
    uint64_t size = 0;
    if (!api_may(api, request, API_NEED_READ) || !query_number(request, "index", true, &index) ||
        !query_number(request, "size", false, &size))
        return;
    struct pt_error err = {0};
    struct merkle_path path;
    struct pt_digest hash;
    struct pt_digest root;
    size = present_size(api, size);
    if (root_at(api, index, size, &path, &hash, &root, &err) != PT_OK) {
        https_reply_problem(request, &err);
        return;
    }
    json_t *answer = json_object();
    json_object_set_new(answer, "leafIdx", json_integer((json_int_t)index));
    json_object_set_new(answer, "treeSize", json_integer((json_int_t)size));
    json_object_set_new(answer, "root", base64_digest(&root));
    json_object_set_new(answer, "leafHash", base64_digest(&hash));
    json_object_set_new(answer, "proof", path_json(&path));
    api_reply_json(request, 200, answer);
}

void api_get_consistency(void *arg, struct https_request *request) {
    struct api *api = arg;
    uint64_t size1 = 0;
    uint64_t size2 = 0;
    if (!api_may(api, request, API_NEED_READ) || !query_number(request, "from", true, &size1) ||
        !query_number(request, "to", false, &size2))
        return;
    struct pt_error err = {0};
    struct merkle_path path;
    struct merkle_path unused;
    struct pt_digest leaf;
    struct pt_digest root1;
    struct pt_digest root2;
    size2 = present_size(api, size2);
    enum pt_code code = ledger_consistency(api->options.ledger, size1, &size2, &path, &err);
    if (code == PT_OK) code = root_at(api, size1 - 1, size1, &unused, &leaf, &root1, &err);
    if (code == PT_OK) code = root_at(api, size2 - 1, size2, &unused, &leaf, &root2, &err);
    if (code != PT_OK) {
        https_reply_problem(request, &err);
        return;
    }
    json_t *answer = json_object();
    json_object_set_new(answer, "size1", json_integer((json_int_t)size1));
    json_object_set_new(answer, "size2", json_integer((json_int_t)size2));
    json_object_set_new(answer, "root1", base64_digest(&root1));
    json_object_set_new(answer, "root2", base64_digest(&root2));
    json_object_set_new(answer, "proof", path_json(&path));
    api_reply_json(request, 200, answer);
}

void api_get_height(void *arg, struct https_request *request) {
    struct api *api = arg;
    uint64_t height = 0;
    struct pt_error err = {0};
    if (!api_may(api, request, API_NEED_READ)) return;
    if (!api_parse_number(https_request_param(request, "height"), &height)) {
        pt_fail(&err, PT_INVALID, NULL, "a height is a whole number");
        https_reply_problem(request, &err);
        return;
    }
    PT_CLEANUP(pt_buf_free) struct pt_buf entry = PT_BUF_INIT(ENTRY_MAX);
    PT_CLEANUP(pt_buf_free) struct pt_buf co_signature = PT_BUF_INIT(RECEIPT_MAX);
    struct chain_entry decoded;
    enum pt_code code = ledger_entry(api->options.ledger, height, &entry, &co_signature, &err);
    if (code == PT_OK) code = chain_entry_decode(pt_buf_bytes(&entry), &decoded, &err);
    if (code != PT_OK) {
        https_reply_problem(request, &err);
        return;
    }
    json_t *answer = json_object();
    const struct pt_digest digest = chain_entry_digest(pt_buf_bytes(&entry));
    json_object_set_new(answer, "entry", api_digest(&digest));
    json_object_set_new(answer, "previous", api_digest(&decoded.previous));
    json_object_set_new(answer, "block", api_digest(&decoded.block));
    json_object_set_new(answer, "tree_size", json_integer((json_int_t)decoded.tree_size));
    json_object_set_new(answer, "tree_root", api_digest(&decoded.tree_root));
    json_object_set_new(answer, "state_changes", api_digest(&decoded.state_changes));
    json_object_set_new(answer, "rule_version", json_integer((json_int_t)decoded.rule_version));
    json_object_set_new(answer, "statements", json_integer((json_int_t)decoded.results.len));
    PT_CLEANUP(pt_buf_free) struct pt_buf text = PT_BUF_INIT(ENTRY_MAX * 4);
    pt_base64_append(&text, pt_buf_bytes(&entry));
    json_object_set_new(answer, "entry_cbor", json_stringn((const char *)text.data, text.len));
    pt_buf_clear(&text);
    pt_base64_append(&text, pt_buf_bytes(&co_signature));
    json_object_set_new(answer, "co_signature", json_stringn((const char *)text.data, text.len));
    api_add_standing(api, answer, height, decoded.time);
    api_reply_json(request, 200, answer);
}
