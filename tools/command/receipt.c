// packtrail receipt verify: whether a log's receipt proves that a statement is in the log; offline.
#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/cose/receipt.h"
#include "tools/command/command.h"
#include "tools/command/proof_output.h"

#define STATEMENT_FILE_MAX ((size_t)16 * 1024 * 1024)

struct run {
    const char *trust_path;
    const char *statement_path;
    const char *entry_hex;
    const char *issuer_path;
    const char *receipt_path;
};

static void print_help(FILE *out) {
    fputs("usage: packtrail receipt verify --trust LOG.pub --statement FILE [--key ISSUER.pub] RECEIPT\n"
          "       packtrail receipt verify --trust LOG.pub --entry HEX RECEIPT\n\n"
          "Verifies a COSE Receipt (RFC 9942, RFC9162_SHA256) without any network: the log's signature must cover the root\n"
          "that the inclusion path gives for the statement. RECEIPT is a binary file, - for standard input.\n\n"
          "  --trust FILE      the log's public keys: PEM (several may stand in it), DER, JWK, JWK set or COSE_Key\n"
          "  --statement FILE  the statement, as it was registered; receipts that were added to it since are set aside\n"
          "  --entry HEX       instead of it: the SHA-256 of the statement\n"
          "  --key FILE        the public key of whoever signed the statement: its own signature is verified too.\n"
          "                    A receipt proves that the log holds the statement, not that the statement is genuine.\n\n"
          "Without --statement and --entry only the form is checked, nothing is proved, and the exit status is 1.\n"
          "Answers {\"verified\":true,…}, or {\"verified\":false,\"error\",…} with exit status 1.\n",
          out);
}

static bool option(int argc, char **argv, int *i, const char *name, const char **value) {
    if (strcmp(argv[*i], name) != 0 || *i + 1 >= argc) return false;
    *value = argv[++*i];
    return true;
}

static enum pt_code read_arguments(int argc, char **argv, struct run *run, struct pt_error *err) {
    for (int i = 2; i < argc; i++) {
        if (option(argc, argv, &i, "--trust", &run->trust_path) || option(argc, argv, &i, "--statement", &run->statement_path) ||
            option(argc, argv, &i, "--entry", &run->entry_hex) || option(argc, argv, &i, "--key", &run->issuer_path))
            continue;
        if (argv[i][0] == '-' && argv[i][1]) return pt_fail(err, PT_USAGE, argv[i], "unknown option, or its value is missing");
        if (run->receipt_path) return pt_fail(err, PT_USAGE, argv[i], "one RECEIPT at a time");
        run->receipt_path = argv[i];
    }
    if (!run->trust_path || !run->receipt_path) return pt_fail(err, PT_USAGE, NULL, "--trust and RECEIPT are needed");
    if (run->statement_path && run->entry_hex) return pt_fail(err, PT_USAGE, NULL, "--statement or --entry, not both");
    if (run->issuer_path && !run->statement_path) return pt_fail(err, PT_USAGE, NULL, "--key needs --statement");
    return PT_OK;
}

// --- The statement ---

struct registered {
    struct pt_buf bytes;       // as in the file
    struct pt_buf stripped;    // without receipts in its unprotected header; empty if there are none
    struct cose_sign1 message; // views into bytes
    struct pt_digest id;
    bool has_genesis;
    struct pt_digest genesis;
};

static void registered_free(struct registered *statement) {
    pt_buf_free(&statement->bytes);
    pt_buf_free(&statement->stripped);
}

// The unprotected header without the receipts: what the log saw when the statement was registered.
static enum pt_code strip_receipts(struct registered *statement, struct pt_error *err) {
    const struct cose_sign1 *message = &statement->message;
    struct pt_buf *out = &statement->stripped;
    struct pt_bytes receipts;
    if (!cose_header_find(message->unprotected_bytes, COSE_HEADER_RECEIPTS, &receipts)) return PT_OK;
    struct cbor_reader reader = cbor_reader_of(message->unprotected_bytes, false, err);
    const uint64_t pairs = cbor_get_map(&reader, UINT32_MAX);
    if (cbor_failed(&reader)) return reader.code;
    if (message->tagged) cbor_put_tag(out, 18);
    cbor_put_array(out, 4);
    cbor_put_bytes(out, message->protected_bytes);
    cbor_put_map(out, pairs - 1);
    for (uint64_t i = 0; i < pairs && !cbor_failed(&reader); i++) {
        const struct pt_bytes label = cbor_skip(&reader);
        const struct pt_bytes value = cbor_skip(&reader);
        if (cbor_failed(&reader) || value.data == receipts.data) continue;
        pt_buf_append_bytes(out, label);
        pt_buf_append_bytes(out, value);
    }
    if (message->detached) cbor_put_null(out);
    else cbor_put_bytes(out, message->payload);
    cbor_put_bytes(out, message->signature);
    const enum pt_code code = cbor_finish(&reader);
    return code == PT_OK ? pt_buf_check(out, err) : code;
}

static enum pt_code read_statement(const char *path, struct registered *out, struct pt_error *err) {
    static const int64_t understood[] = {COSE_HEADER_ALG, COSE_HEADER_CONTENT_TYPE, COSE_HEADER_KID, COSE_HEADER_CWT_CLAIMS,
                                         COSE_HEADER_GENESIS, COSE_HEADER_DEVICE_CHAIN};
    struct pt_bytes value;
    enum pt_code code = read_input(path, &out->bytes, err);
    if (code != PT_OK) return code;
    code = cose_sign1_decode(pt_buf_bytes(&out->bytes), understood, sizeof understood / sizeof *understood, &out->message, err);
    if (code == PT_OK) code = strip_receipts(out, err);
    if (code != PT_OK) {
        pt_error_under(err, "statement ");
        return code;
    }
    out->id = statement_id(pt_buf_bytes(out->stripped.len > 0 ? &out->stripped : &out->bytes));
    if (!cose_header_find(out->message.protected_bytes, COSE_HEADER_GENESIS, &value)) return PT_OK;
    struct cbor_reader reader = cbor_reader_of(value, false, NULL);
    cbor_get_digest(&reader, &out->genesis);
    out->has_genesis = !cbor_failed(&reader);
    return PT_OK;
}

static enum pt_code verify_issuer(const char *path, const struct registered *statement, struct pt_error *err) {
    PT_CLEANUP(key_set_free) struct key_set keys = {.count = 0};
    enum pt_code code = key_set_read(path, &keys, err);
    if (code != PT_OK) return code;
    code = pt_fail(err, PT_UNVERIFIED, NULL, "no key");
    for (size_t i = 0; i < keys.count && code != PT_OK; i++)
        code = cose_sign1_verify(&statement->message, keys.keys[i], (struct pt_bytes){NULL, 0}, (struct pt_bytes){NULL, 0}, err);
    if (code != PT_OK) pt_error_under(err, "statement ");
    return code;
}

// --- The receipt ---

static enum pt_code verify_receipt(struct receipt *receipt, const struct key_set *trust, const struct pt_digest *id,
                                   const struct verify_key **log, struct pt_error *err) {
    enum pt_code code = pt_fail(err, PT_UNVERIFIED, NULL, "none of the trusted keys is for this receipt's algorithm");
    for (size_t i = 0; i < trust->count; i++) {
        if (verify_key_algorithm(trust->keys[i]) != receipt->envelope.algorithm) continue;
        for (size_t number = 0; number < receipt->proof_count; number++) {
            code = receipt_choose(receipt, number, err);
            if (code == PT_OK) code = receipt_verify(receipt, trust->keys[i], id, err);
            *log = trust->keys[i];
            if (code == PT_OK) return PT_OK;
        }
    }
    return code;
}

static enum pt_code entry_of(const struct run *run, struct registered *statement, struct pt_digest *id, struct pt_error *err) {
    if (run->statement_path) {
        const enum pt_code code = read_statement(run->statement_path, statement, err);
        *id = statement->id;
        return code;
    }
    if (!run->entry_hex)
        return pt_fail(err, PT_UNVERIFIED, NULL, "well-formed, but nothing is proved without --statement or --entry");
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = PT_BUF_INIT(64);
    if (pt_hex_decode(pt_bytes_str(run->entry_hex), &bytes, err) != PT_OK || bytes.len != PT_DIGEST_SIZE)
        return pt_fail(err, PT_USAGE, "--entry", "not a hash of 64 hexadecimal digits");
    memcpy(id->bytes, bytes.data, PT_DIGEST_SIZE);
    return PT_OK;
}

static void answer_receipt(json_t *answer, const struct receipt *receipt, const struct verify_key *log,
                           const struct pt_digest *id, const char *signature) {
    const struct pt_digest kid = verify_key_thumbprint(log);
    const struct pt_digest leaf = merkle_leaf_hash(pt_bytes_digest(id));
    struct pt_digest root;
    answer_text(answer, "algorithm", pt_bytes_str(cose_algorithm_name(receipt->envelope.algorithm)));
    answer_digest(answer, "log_kid", &kid);
    answer_digest(answer, "entry", id);
    answer_number(answer, "leaf_index", receipt->leaf_index);
    answer_number(answer, "tree_size", receipt->tree_size);
    if (merkle_inclusion_root(&leaf, receipt->leaf_index, receipt->tree_size, receipt->path.nodes, receipt->path.count, &root,
                              NULL) == PT_OK)
        answer_digest(answer, "root", &root);
    if (receipt->has_genesis) answer_digest(answer, "genesis", &receipt->genesis);
    answer_text(answer, "statement_signature", pt_bytes_str(signature));
}

static enum pt_code check(const struct run *run, struct pt_bytes bytes, const struct key_set *trust, json_t *answer,
                          struct pt_error *err) {
    PT_CLEANUP(registered_free) struct registered statement = {.bytes = PT_BUF_INIT(STATEMENT_FILE_MAX),
                                                               .stripped = PT_BUF_INIT(STATEMENT_FILE_MAX)};
    struct receipt receipt;
    struct pt_digest id = {{0}};
    const struct verify_key *log = NULL;
    enum pt_code code = receipt_decode(bytes, &receipt, err);
    if (code == PT_OK) code = entry_of(run, &statement, &id, err);
    if (code == PT_OK) code = verify_receipt(&receipt, trust, &id, &log, err);
    if (code == PT_OK && statement.has_genesis && receipt.has_genesis && !pt_digest_equal(&statement.genesis, &receipt.genesis))
        code = pt_fail(err, PT_UNVERIFIED, "genesis", "statement and receipt name different ledgers");
    if (code == PT_OK && run->issuer_path) code = verify_issuer(run->issuer_path, &statement, err);
    if (code == PT_OK) answer_receipt(answer, &receipt, log, &id, run->issuer_path ? "verified" : "not checked");
    return code;
}

static int verify(const struct run *run) {
    PT_CLEANUP(key_set_free) struct key_set trust = {.count = 0};
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = PT_BUF_INIT(RECEIPT_MAX + 1);  // one more, so that its decoder says it is too long
    struct pt_error err = {.position = -1};
    enum pt_code code = key_set_read(run->trust_path, &trust, &err);
    if (code == PT_OK) code = read_input(run->receipt_path, &bytes, &err);
    if (code != PT_OK) return command_failed("receipt", &err);
    json_t *answer = json_object();
    code = check(run, pt_buf_bytes(&bytes), &trust, answer, &err);
    if (pt_exit_status(code) <= 1) return answer_print("receipt", answer, code, &err);
    json_decref(answer);
    return command_failed("receipt", &err);
}

int command_receipt(int argc, char **argv) {
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0) {
            print_help(stdout);
            return 0;
        }
    if (argc < 2 || strcmp(argv[1], "verify") != 0) {
        print_help(stderr);
        return 2;
    }
    struct pt_error err = {.position = -1};
    struct run run = {NULL};
    return read_arguments(argc, argv, &run, &err) == PT_OK ? verify(&run) : command_failed("receipt", &err);
}
