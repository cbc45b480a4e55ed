// packtrail merkle: whether an RFC 9162 inclusion or consistency proof, given as JSON, holds.
#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/merkle/merkle.h"
#include "tools/command/command.h"
#include "tools/command/proof_output.h"

#define PROOF_FILE_MAX ((size_t)1024 * 1024)
#define PATH_NODES_MAX 256u  // longer than any tree of 64 bits needs

static void print_help(FILE *out) {
    fputs("usage: packtrail merkle inclusion FILE\n"
          "       packtrail merkle consistency FILE\n\n"
          "Checks an RFC 9162 proof with SHA-256. FILE (- for standard input) is a JSON object; hashes are base64, numbers\n"
          "are whole and of 64 bits, an empty proof may be null:\n\n"
          "  inclusion    leafIdx, treeSize, root, leafHash, proof\n"
          "  consistency  size1, size2, root1, root2, proof\n\n"
          "Answers {\"verified\":true,…}, or {\"verified\":false,\"error\",…} with exit status 1.\n",
          out);
}

// Turns every JSON number into a text of the same characters: the parser's integers end at 2^63 - 1.
static void quote_numbers(struct pt_bytes json, struct pt_buf *out) {
    bool in_string = false;
    for (size_t i = 0; i < json.len; i++) {
        const char c = (char)json.data[i];
        if (!in_string && (c == '-' || (c >= '0' && c <= '9'))) {
            size_t end = i;
            while (end < json.len && json.data[end] && strchr("+-.0123456789eE", json.data[end])) end++;
            pt_buf_byte(out, '"');
            pt_buf_append(out, json.data + i, end - i);
            pt_buf_byte(out, '"');
            i = end - 1;
            continue;
        }
        if (in_string && c == '\\' && i + 1 < json.len) pt_buf_byte(out, json.data[i++]);
        else if (c == '"') in_string = !in_string;
        pt_buf_byte(out, json.data[i]);
    }
}

static enum pt_code read_number(const json_t *object, const char *name, uint64_t *out, struct pt_error *err) {
    const char *digits = json_string_value(json_object_get(object, name));
    const size_t len = digits ? strlen(digits) : 0;
    *out = 0;
    bool good = len > 0 && !(len > 1 && digits[0] == '0');
    for (size_t i = 0; i < len && good; i++) {
        const uint64_t digit = (uint64_t)(digits[i] - '0');
        good = digits[i] >= '0' && digits[i] <= '9' && *out <= (UINT64_MAX - digit) / 10;
        *out = *out * 10 + digit;
    }
    return good ? PT_OK : pt_fail(err, PT_INVALID, name, "must be a whole number of 0 to 2^64 - 1");
}

static enum pt_code read_hash(const json_t *value, const char *name, struct pt_digest *out, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = PT_BUF_INIT(1024);
    if (!json_is_string(value)) return pt_fail(err, PT_INVALID, name, "must be a hash in base64");
    const struct pt_bytes text = pt_bytes_of(json_string_value(value), json_string_length(value));
    if (pt_base64_decode(text, &bytes, err) != PT_OK || pt_buf_check(&bytes, err) != PT_OK)
        return pt_fail(err, PT_INVALID, name, "must be a hash in base64");
    if (bytes.len != PT_DIGEST_SIZE) return pt_fail(err, PT_INVALID, name, "a hash has %u bytes, not %zu", PT_DIGEST_SIZE, bytes.len);
    memcpy(out->bytes, bytes.data, PT_DIGEST_SIZE);
    return PT_OK;
}

struct proof {
    struct pt_digest nodes[PATH_NODES_MAX];
    size_t count;
};

static enum pt_code read_proof(const json_t *object, struct proof *out, struct pt_error *err) {
    const json_t *list = json_object_get(object, "proof");
    out->count = 0;
    if (json_is_null(list)) return PT_OK;
    if (!json_is_array(list)) return pt_fail(err, PT_INVALID, "proof", "must be an array of hashes, or null");
    if (json_array_size(list) > PATH_NODES_MAX) return pt_fail(err, PT_INVALID, "proof", "more than %u hashes", PATH_NODES_MAX);
    for (; out->count < json_array_size(list); out->count++) {
        const enum pt_code code = read_hash(json_array_get(list, out->count), "proof", &out->nodes[out->count], err);
        if (code != PT_OK) return code;
    }
    return PT_OK;
}

static enum pt_code check_inclusion(const json_t *object, json_t *answer, struct pt_error *err) {
    uint64_t index;
    uint64_t size;
    struct pt_digest root;
    struct pt_digest leaf;
    struct proof proof;
    enum pt_code code = read_number(object, "leafIdx", &index, err);
    if (code == PT_OK) code = read_number(object, "treeSize", &size, err);
    if (code == PT_OK) code = read_hash(json_object_get(object, "root"), "root", &root, err);
    if (code == PT_OK) code = read_hash(json_object_get(object, "leafHash"), "leafHash", &leaf, err);
    if (code == PT_OK) code = read_proof(object, &proof, err);
    if (code == PT_OK) code = merkle_verify_inclusion(&leaf, index, size, proof.nodes, proof.count, &root, err);
    if (code != PT_OK) return code;
    answer_number(answer, "leafIdx", index);
    answer_number(answer, "treeSize", size);
    return PT_OK;
}

static enum pt_code check_consistency(const json_t *object, json_t *answer, struct pt_error *err) {
    uint64_t size1;
    uint64_t size2;
    struct pt_digest root1;
    struct pt_digest root2;
    struct proof proof;
    enum pt_code code = read_number(object, "size1", &size1, err);
    if (code == PT_OK) code = read_number(object, "size2", &size2, err);
    if (code == PT_OK) code = read_hash(json_object_get(object, "root1"), "root1", &root1, err);
    if (code == PT_OK) code = read_hash(json_object_get(object, "root2"), "root2", &root2, err);
    if (code == PT_OK) code = read_proof(object, &proof, err);
    if (code == PT_OK) code = merkle_verify_consistency(size1, &root1, size2, &root2, proof.nodes, proof.count, err);
    if (code != PT_OK) return code;
    answer_number(answer, "size1", size1);
    answer_number(answer, "size2", size2);
    return PT_OK;
}

static enum pt_code check(bool inclusion, struct pt_bytes text, json_t *answer, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf quoted = PT_BUF_INIT(3 * PROOF_FILE_MAX);
    PT_JSON json_t *object = NULL;
    quote_numbers(text, &quoted);
    enum pt_code code = pt_buf_check(&quoted, err);
    if (code == PT_OK) code = pt_json_parse(pt_buf_bytes(&quoted), quoted.ceiling, &object, err);
    if (code != PT_OK) return code;
    if (!json_is_object(object)) return pt_fail(err, PT_INVALID, NULL, "a proof is a JSON object");
    return inclusion ? check_inclusion(object, answer, err) : check_consistency(object, answer, err);
}

int command_merkle(int argc, char **argv) {
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0) {
            print_help(stdout);
            return 0;
        }
    const bool inclusion = argc == 3 && strcmp(argv[1], "inclusion") == 0;
    if (!inclusion && !(argc == 3 && strcmp(argv[1], "consistency") == 0)) {
        print_help(stderr);
        return 2;
    }
    PT_CLEANUP(pt_buf_free) struct pt_buf text = PT_BUF_INIT(PROOF_FILE_MAX);
    struct pt_error err = {.position = -1};
    enum pt_code code = read_input(argv[2], &text, &err);
    if (code != PT_OK) return command_failed("merkle", &err);
    json_t *answer = json_object();
    code = check(inclusion, pt_buf_bytes(&text), answer, &err);
    if (pt_exit_status(code) <= 1) return answer_print("merkle", answer, code, &err);
    json_decref(answer);
    return command_failed("merkle", &err);
}
