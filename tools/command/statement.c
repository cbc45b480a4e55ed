// packtrail statement verify: what a COSE_Sign1 says, if its signature holds.
#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/cose/statement.h"
#include "tools/command/command.h"
#include "tools/command/proof_output.h"

#define INPUT_MAX ((size_t)1024 * 1024)

struct run {
    const char *key_path;
    const char *message_path;
    const char *payload_path;  // of a detached payload; NULL if none
    const char *genesis_hex;
    struct pt_buf aad;
    bool any_cose;             // profile cose
};

static void print_help(FILE *out) {
    fputs("usage: packtrail statement verify --key KEY [OPTION…] FILE\n\n"
          "Verifies a signed statement and prints what it says as one JSON object. FILE is the binary message, - for\n"
          "standard input. KEY is a file with a public key or certificate: PEM, DER, JWK or COSE_Key.\n\n"
          "  --profile packtrail  (default) only the one strict form of a Packtrail statement\n"
          "  --profile cose       any COSE_Sign1, tagged 18 or untagged, with ES256 or EdDSA\n"
          "  --genesis HEX        the ledger's genesis hash that the statement must name (profile packtrail)\n"
          "  --aad HEX            external additional data that is signed too (profile cose)\n"
          "  --payload FILE       the payload, where it is detached (profile cose)\n\n"
          "Answers {\"verified\":true,…}, or {\"verified\":false,\"error\",…} with exit status 1.\n",
          out);
}

// Reads "--name VALUE" into *value; false if argv[*i] is another word.
static bool option(int argc, char **argv, int *i, const char *name, const char **value) {
    if (strcmp(argv[*i], name) != 0 || *i + 1 >= argc) return false;
    *value = argv[++*i];
    return true;
}

static enum pt_code read_arguments(int argc, char **argv, struct run *run, struct pt_error *err) {
    const char *profile = "packtrail";
    const char *aad = NULL;
    for (int i = 2; i < argc; i++) {
        if (option(argc, argv, &i, "--key", &run->key_path) || option(argc, argv, &i, "--profile", &profile) ||
            option(argc, argv, &i, "--aad", &aad) || option(argc, argv, &i, "--payload", &run->payload_path) ||
            option(argc, argv, &i, "--genesis", &run->genesis_hex))
            continue;
        if (argv[i][0] == '-' && argv[i][1]) return pt_fail(err, PT_USAGE, argv[i], "unknown option, or its value is missing");
        if (run->message_path) return pt_fail(err, PT_USAGE, argv[i], "one FILE at a time");
        run->message_path = argv[i];
    }
    run->any_cose = strcmp(profile, "cose") == 0;
    if (!run->any_cose && strcmp(profile, "packtrail") != 0) return pt_fail(err, PT_USAGE, profile, "unknown profile");
    if (!run->key_path || !run->message_path) return pt_fail(err, PT_USAGE, NULL, "--key and FILE are needed");
    if (!run->any_cose && (aad || run->payload_path))
        return pt_fail(err, PT_USAGE, NULL, "--aad and --payload need --profile cose");
    if (run->any_cose && run->genesis_hex) return pt_fail(err, PT_USAGE, NULL, "--genesis needs --profile packtrail");
    if (aad && pt_hex_decode(pt_bytes_str(aad), &run->aad, err) != PT_OK)
        return pt_fail(err, PT_USAGE, "--aad", "not hexadecimal");
    return PT_OK;
}

static void answer_payload(json_t *answer, struct pt_bytes payload) {
    answer_number(answer, "payload_size", payload.len);
    answer_hex(answer, "payload", payload);
}

// --- Profile packtrail ---

static enum pt_code expected_genesis(const struct run *run, struct pt_digest *genesis, struct pt_error *err) {
    if (!run->genesis_hex) return PT_OK;  // the one that the statement names
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = PT_BUF_INIT(64);
    if (pt_hex_decode(pt_bytes_str(run->genesis_hex), &bytes, err) != PT_OK || bytes.len != PT_DIGEST_SIZE)
        return pt_fail(err, PT_USAGE, "--genesis", "not a hash of 64 hexadecimal digits");
    memcpy(genesis->bytes, bytes.data, PT_DIGEST_SIZE);
    return PT_OK;
}

static enum pt_code verify_statement(const struct run *run, struct pt_bytes bytes, const struct verify_key *key,
                                     json_t *answer, struct pt_error *err) {
    struct statement statement;
    enum pt_code code = statement_decode(bytes, &statement, err);
    struct pt_digest genesis = statement.genesis;
    if (code == PT_OK) code = expected_genesis(run, &genesis, err);
    if (code == PT_OK) code = statement_verify(&statement, key, &genesis, err);
    if (code != PT_OK) return code;
    const struct pt_digest id = statement_id(bytes);
    answer_text(answer, "profile", pt_bytes_str("packtrail"));
    answer_text(answer, "algorithm", pt_bytes_str(cose_algorithm_name(statement.envelope.algorithm)));
    answer_digest(answer, "kid", &statement.kid);
    answer_digest(answer, "id", &id);
    answer_text(answer, "content_type", statement.content_type);
    answer_text(answer, "issuer", statement.issuer);
    answer_text(answer, "subject", statement.subject);
    answer_digest(answer, "genesis", &statement.genesis);
    answer_number(answer, "sequence", statement.sequence);
    answer_digest(answer, "previous", &statement.previous);
    answer_payload(answer, statement.payload);
    return PT_OK;
}

// --- Profile cose ---

static void answer_claims(json_t *answer, struct pt_bytes protected_map) {
    static const char *names[] = {"issuer", "subject"};
    struct pt_bytes claims;
    if (!cose_header_find(protected_map, COSE_HEADER_CWT_CLAIMS, &claims)) return;
    for (int64_t label = 1; label <= 2; label++) {
        struct pt_bytes value;
        if (!cose_header_find(claims, label, &value)) continue;
        struct cbor_reader reader = cbor_reader_of(value, false, NULL);
        const struct pt_bytes text = cbor_get_text(&reader);
        if (!cbor_failed(&reader)) answer_text(answer, names[label - 1], text);
    }
}

static enum pt_code read_detached(const struct run *run, const struct cose_sign1 *message, struct pt_buf *out, struct pt_error *err) {
    if (message->detached != (run->payload_path != NULL))
        return pt_fail(err, message->detached ? PT_INVALID : PT_USAGE, "--payload",
                       message->detached ? "the payload is detached and must be given" : "the message holds its payload");
    return message->detached ? read_input(run->payload_path, out, err) : PT_OK;
}

static enum pt_code verify_cose(const struct run *run, struct pt_bytes bytes, const struct verify_key *key, json_t *answer,
                                struct pt_error *err) {
    static const int64_t understood[] = {COSE_HEADER_ALG, COSE_HEADER_CONTENT_TYPE, COSE_HEADER_KID, COSE_HEADER_CWT_CLAIMS};
    PT_CLEANUP(pt_buf_free) struct pt_buf payload = PT_BUF_INIT(INPUT_MAX);
    struct cose_sign1 message;
    enum pt_code code = cose_sign1_decode(bytes, understood, sizeof understood / sizeof *understood, &message, err);
    if (code == PT_OK) code = read_detached(run, &message, &payload, err);
    if (code != PT_OK) return code;
    // The key given fixes the algorithm, so one that is only named outside the signature can mislead nobody here.
    const bool unprotected = message.algorithm == COSE_ALG_NONE && message.unprotected_algorithm != COSE_ALG_NONE;
    if (unprotected) message.algorithm = message.unprotected_algorithm;
    code = cose_sign1_verify(&message, key, pt_buf_bytes(&run->aad), pt_buf_bytes(&payload), err);
    if (code != PT_OK) return code;
    answer_text(answer, "profile", pt_bytes_str("cose"));
    answer_text(answer, "algorithm", pt_bytes_str(cose_algorithm_name(message.algorithm)));
    json_object_set_new(answer, "tagged", json_boolean(message.tagged));
    if (message.kid.data) answer_hex(answer, "kid", message.kid);
    if (message.content_type.data) answer_text(answer, "content_type", message.content_type);
    answer_claims(answer, message.protected_bytes);
    json_object_set_new(answer, "detached", json_boolean(message.detached));
    answer_payload(answer, message.detached ? pt_buf_bytes(&payload) : message.payload);
    json_t *warnings = json_array();
    if (unprotected) json_array_append_new(warnings, json_string("the algorithm is not in the protected header"));
    json_object_set_new(answer, "warnings", warnings);
    return PT_OK;
}

static int verify(const struct run *run) {
    PT_CLEANUP(key_set_free) struct key_set keys = {.count = 0};
    PT_CLEANUP(pt_buf_free) struct pt_buf message = PT_BUF_INIT(INPUT_MAX);
    struct pt_error err = {.position = -1};
    enum pt_code code = key_set_read(run->key_path, &keys, &err);
    if (code == PT_OK && keys.count != 1) code = pt_fail(&err, PT_INVALID, run->key_path, "one key is needed, not %zu", keys.count);
    if (code == PT_OK) code = read_input(run->message_path, &message, &err);
    if (code != PT_OK) return command_failed("statement", &err);
    json_t *answer = json_object();
    const struct pt_bytes bytes = pt_buf_bytes(&message);
    code = run->any_cose ? verify_cose(run, bytes, keys.keys[0], answer, &err)
                         : verify_statement(run, bytes, keys.keys[0], answer, &err);
    if (pt_exit_status(code) <= 1) return answer_print("statement", answer, code, &err);
    json_decref(answer);
    return command_failed("statement", &err);
}

int command_statement(int argc, char **argv) {
    if (argc >= 2 && strcmp(argv[1], "--help") == 0) {
        print_help(stdout);
        return 0;
    }
    struct pt_error err = {.position = -1};
    PT_CLEANUP(pt_buf_free) struct pt_buf aad = PT_BUF_INIT(INPUT_MAX);
    struct run run = {.aad = aad};
    if (argc < 2 || strcmp(argv[1], "verify") != 0) {
        print_help(stderr);
        return 2;
    }
    for (int i = 2; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0) {
            print_help(stdout);
            return 0;
        }
    const enum pt_code code = read_arguments(argc, argv, &run, &err);
    aad = run.aad;
    return code == PT_OK ? verify(&run) : command_failed("statement", &err);
}
