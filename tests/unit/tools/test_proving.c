// packtrail statement, receipt and merkle as a user runs them: exit status and the one line of answer.
#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "common/base/disk.h"
#include "common/base/text.h"
#include "common/cose/receipt.h"
#include "common/crypto/digest.h"
#include "tests/support/support.h"

static char scratch[256];

// Runs the tool in the scratch folder; *answer receives its line as JSON, or NULL if there is none.
static int run(json_t **answer, const char *fmt, ...) {
    char arguments[4096];
    char command[8192];
    char line[65536];
    va_list args;
    va_start(args, fmt);
    vsnprintf(arguments, sizeof arguments, fmt, args);
    va_end(args);
    const char *tool = getenv("PACKTRAIL_TOOL");
    assert_non_null(tool);
    snprintf(command, sizeof command, "cd '%s' && '%s' %s 2>errors", scratch, tool, arguments);
    FILE *output = popen(command, "r");
    assert_non_null(output);
    const size_t len = fread(line, 1, sizeof line - 1, output);
    line[len] = 0;
    const int status = pclose(output);
    assert_true(WIFEXITED(status));
    if (answer) *answer = json_loads(line, 0, NULL);
    return WEXITSTATUS(status);
}

// The answer must agree with the exit status.
static void check(int expected, const char *error, const char *arguments) {
    json_t *answer;
    const int status = run(&answer, "%s", arguments);
    if (status != expected) fail_msg("%s: exit %d", arguments, status);
    if (expected <= 1) {
        assert_non_null(answer);
        assert_true(json_is_boolean(json_object_get(answer, "verified")));
        assert_int_equal(json_is_true(json_object_get(answer, "verified")), expected == 0);
    } else {
        assert_null(answer);
    }
    if (error) assert_string_equal(json_string_value(json_object_get(answer, "error")), error);
    json_decref(answer);
}

static void write_file(const char *name, struct pt_bytes content) {
    char path[512];
    struct pt_error err;
    snprintf(path, sizeof path, "%s/%s", scratch, name);
    assert_ok(pt_file_replace(path, content, 0600, &err), &err);
}

static void write_text(const char *name, const char *text) { write_file(name, pt_bytes_str(text)); }

// --- merkle ---

static void check_folder(const char *kind, const char *dir, size_t *seen) {
    DIR *folder = opendir(dir);
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        char path[8192];
        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
        const size_t len = strlen(path);
        if (len < 5 || strcmp(path + len - 5, ".json") != 0) {
            check_folder(kind, path, seen);
            continue;
        }
        struct pt_buf text = test_read_file(path);
        const bool bad = strstr(pt_buf_cstr(&text), "\"wantErr\": true") != NULL;
        const int status = run(NULL, "merkle %s '%s'", kind, path);
        if (status != bad) fail_msg("%s: exit %d", path, status);
        pt_buf_free(&text);
        (*seen)++;
    }
    closedir(folder);
}

static void the_transparency_vectors_are_answered_right(void **state) {
    (void)state;
    char dir[4096];
    size_t seen = 0;
    snprintf(dir, sizeof dir, "%s", test_data("transparency-dev-merkle/inclusion"));
    check_folder("inclusion", dir, &seen);
    snprintf(dir, sizeof dir, "%s", test_data("transparency-dev-merkle/consistency"));
    check_folder("consistency", dir, &seen);
    assert_true(seen >= 90);
}

#define ROOT "bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0="

static void proofs_on_the_command_line_are_exact_and_strict(void **state) {
    (void)state;
    static const struct { const char *kind; const char *json; int status; const char *error; } cases[] = {
        {"inclusion", "{\"leafIdx\":0,\"treeSize\":1,\"root\":\"" ROOT "\",\"leafHash\":\"" ROOT "\",\"proof\":[]}", 0, NULL},
        {"inclusion", "{\"leafIdx\":0,\"treeSize\":1,\"root\":\"" ROOT "\",\"leafHash\":\"" ROOT "\",\"proof\":null}", 0, NULL},
        {"inclusion", "{\"leafIdx\":18446744073709551615,\"treeSize\":1,\"root\":\"" ROOT "\",\"leafHash\":\"" ROOT "\",\"proof\":[]}", 1,
         "leaf 18446744073709551615 is not in a tree of 1"},
        {"inclusion", "{\"leafIdx\":18446744073709551616,\"treeSize\":1,\"root\":\"" ROOT "\",\"leafHash\":\"" ROOT "\",\"proof\":[]}", 1,
         "must be a whole number of 0 to 2^64 - 1"},
        {"inclusion", "{\"leafIdx\":-1,\"treeSize\":1,\"root\":\"" ROOT "\",\"leafHash\":\"" ROOT "\",\"proof\":[]}", 1,
         "must be a whole number of 0 to 2^64 - 1"},
        {"inclusion", "{\"leafIdx\":0.0,\"treeSize\":1,\"root\":\"" ROOT "\",\"leafHash\":\"" ROOT "\",\"proof\":[]}", 1,
         "must be a whole number of 0 to 2^64 - 1"},
        {"inclusion", "{\"leafIdx\":0,\"treeSize\":1,\"root\":\"" ROOT "\",\"leafHash\":\"" ROOT "\"}", 1,
         "must be an array of hashes, or null"},
        {"inclusion", "{\"leafIdx\":0,\"treeSize\":1,\"root\":\"" ROOT "\",\"leafHash\":\"\",\"proof\":[]}", 1, "a hash has 32 bytes, not 0"},
        {"inclusion", "{\"leafIdx\":0,\"treeSize\":1,\"root\":\"" ROOT "\",\"leafHash\":\"AA==\",\"proof\":[]}", 1, "a hash has 32 bytes, not 1"},
        {"inclusion", "{\"leafIdx\":0,\"treeSize\":2,\"root\":\"" ROOT "\",\"leafHash\":\"" ROOT "\",\"proof\":[\"AA==\"]}", 1,
         "a hash has 32 bytes, not 1"},
        {"inclusion", "{\"leafIdx\":0,\"leafIdx\":0,\"treeSize\":1,\"root\":\"" ROOT "\",\"leafHash\":\"" ROOT "\",\"proof\":[]}", 1, NULL},
        {"inclusion", "{\"desc\":\"1 \\\" -2\",\"leafIdx\":0,\"treeSize\":1,\"root\":\"" ROOT "\",\"leafHash\":\"" ROOT "\",\"proof\":[]}", 0, NULL},
        {"inclusion", "[]", 1, "a proof is a JSON object"},
        {"inclusion", "", 1, NULL},
        {"inclusion", "{", 1, NULL},
        {"consistency", "{\"size1\":0,\"size2\":1,\"root1\":\"" ROOT "\",\"root2\":\"" ROOT "\",\"proof\":[]}", 1,
         "no consistency is defined from a tree of 0 to one of 1"},
        {"consistency", "{\"size1\":18446744073709551615,\"size2\":18446744073709551615,\"root1\":\"" ROOT "\",\"root2\":\"" ROOT "\",\"proof\":null}",
         0, NULL},
        {"consistency", "{\"size1\":2,\"size2\":1,\"root1\":\"" ROOT "\",\"root2\":\"" ROOT "\",\"proof\":[]}", 1, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char arguments[128];
        write_text("proof.json", cases[i].json);
        snprintf(arguments, sizeof arguments, "merkle %s proof.json", cases[i].kind);
        check(cases[i].status, cases[i].error, arguments);
    }
    check(1, NULL, "merkle inclusion - </dev/null");
    check(2, NULL, "merkle");
    check(2, NULL, "merkle sideways proof.json");
    check(2, NULL, "merkle inclusion");
    assert_int_equal(run(NULL, "merkle --help"), 0);
}

// --- statement ---

static void the_working_groups_messages_are_answered_right(void **state) {
    (void)state;
    char dir[4096];
    char path[8192];
    snprintf(dir, sizeof dir, "%s", test_data("cose-wg-Examples/sign1-tests"));
    struct test_names names = test_list(dir, ".json");
    for (size_t i = 0; i < names.count; i++) {
        char arguments[4096];
        snprintf(path, sizeof path, "%s/%s", dir, names.names[i]);
        json_t *example = json_load_file(path, 0, NULL);
        const json_t *sign0 = json_object_get(json_object_get(example, "input"), "sign0");
        const char *external = json_string_value(json_object_get(sign0, "external"));
        char *jwk = json_dumps(json_object_get(sign0, "key"), 0);
        struct pt_buf message = PT_BUF_INIT(65536);
        const char *hex = json_string_value(json_object_get(json_object_get(example, "output"), "cbor"));
        assert_int_equal(pt_hex_decode(pt_bytes_str(hex), &message, NULL), PT_OK);
        write_text("key.jwk", jwk);
        write_file("message.cose", pt_buf_bytes(&message));
        snprintf(arguments, sizeof arguments, "statement verify --key key.jwk --profile cose --aad '%s' message.cose", external ? external : "");
        check(strstr(names.names[i], "fail") != NULL, NULL, arguments);
        check(1, NULL, "statement verify --key key.jwk message.cose");  // none of them is a statement of ours
        free(jwk);
        json_decref(example);
        pt_buf_free(&message);
    }
    test_names_free(&names);
}

static struct signer log_signer;
static struct signer device_signer;
static struct pt_digest genesis_hash;

static void make_statement(struct pt_buf *out) {
    struct pt_error err;
    const struct statement_draft draft = {.content_type = STATEMENT_EVENT_JSON, .issuer = "urn:issuer", .subject = "urn:subject",
                                          .genesis = genesis_hash, .sequence = 9223372036854775807u, .payload = pt_bytes_str("{}")};
    assert_ok(statement_sign(&draft, &device_signer, out, &err), &err);
}

static void a_statement_is_shown_only_when_it_verifies(void **state) {
    (void)state;
    struct pt_buf bytes = PT_BUF_INIT(STATEMENT_MAX);
    char arguments[512];
    char hex[65];
    json_t *answer;
    make_statement(&bytes);
    write_file("s.cose", pt_buf_bytes(&bytes));
    assert_int_equal(run(&answer, "statement verify --key device.pem s.cose"), 0);
    assert_string_equal(json_string_value(json_object_get(answer, "issuer")), "urn:issuer");
    assert_string_equal(json_string_value(json_object_get(answer, "payload")), "7b7d");
    assert_true(json_integer_value(json_object_get(answer, "sequence")) == INT64_MAX);
    const struct pt_digest id = statement_id(pt_buf_bytes(&bytes));
    pt_digest_hex(&id, hex);
    assert_string_equal(json_string_value(json_object_get(answer, "id")), hex);
    json_decref(answer);
    check(0, NULL, "statement verify --key device.pem - <s.cose");
    check(0, NULL, "statement verify --key device.pem --profile cose s.cose");
    pt_digest_hex(&genesis_hash, hex);
    snprintf(arguments, sizeof arguments, "statement verify --key device.pem --genesis %s s.cose", hex);
    check(0, NULL, arguments);
    check(1, "signed for another ledger",
          "statement verify --key device.pem --genesis 0000000000000000000000000000000000000000000000000000000000000000 s.cose");
    check(1, "the statement names another key", "statement verify --key log.pem s.cose");
    check(1, "the signature does not hold", "statement verify --key log.pem --profile cose s.cose");
    check(1, "the signature does not hold", "statement verify --key device.pem --profile cose --aad 00 s.cose");
    bytes.data[bytes.len - 1] ^= 1;
    write_file("bad.cose", pt_buf_bytes(&bytes));
    check(1, "the signature does not hold", "statement verify --key device.pem bad.cose");
    check(2, NULL, "statement verify s.cose");
    check(2, NULL, "statement verify --key device.pem");
    check(2, NULL, "statement verify --key device.pem --aad 0 --profile cose s.cose");
    check(2, NULL, "statement verify --key device.pem --profile other s.cose");
    check(2, NULL, "statement verify --key device.pem --key");
    check(2, NULL, "statement");
    assert_int_equal(run(NULL, "statement verify --key missing.pem s.cose"), 1);
    assert_int_equal(run(NULL, "statement verify --help"), 0);
    pt_buf_free(&bytes);
}

// As sign1-tests/sign-pass-01 has it: nothing protected, the algorithm beside it. And a detached payload.
static void other_cose_forms_verify_under_a_given_key(void **state) {
    (void)state;
    struct pt_error err;
    json_t *answer;
    struct pt_buf bytes = PT_BUF_INIT(4096);
    const struct pt_bytes none = {NULL, 0};
    assert_ok(cose_sign1_sign(&device_signer, pt_bytes_of("\xa0", 1), pt_bytes_of("\xa1\x01\x26", 3), none, pt_bytes_str("p"), false, &bytes, &err), &err);
    write_file("u.cose", pt_buf_bytes(&bytes));
    assert_int_equal(run(&answer, "statement verify --key device.pem --profile cose u.cose"), 0);
    assert_int_equal(json_array_size(json_object_get(answer, "warnings")), 1);
    json_decref(answer);
    pt_buf_clear(&bytes);
    assert_ok(cose_sign1_sign(&device_signer, pt_bytes_of("\xa1\x01\x26", 3), none, none, pt_bytes_str("p"), true, &bytes, &err), &err);
    write_file("d.cose", pt_buf_bytes(&bytes));
    write_text("payload", "p");
    write_text("other", "q");
    check(1, "the payload is detached and must be given", "statement verify --key device.pem --profile cose d.cose");
    check(0, NULL, "statement verify --key device.pem --profile cose --payload payload d.cose");
    check(1, "the signature does not hold", "statement verify --key device.pem --profile cose --payload other d.cose");
    pt_buf_free(&bytes);
}

// --- receipt ---

static void the_scitt_vectors_are_answered_right(void **state) {
    (void)state;
    static const struct { const char *name; int receipt; int statement; } vectors[] = {
        {"valid-es256", 0, 0}, {"valid-eddsa", 0, 0}, {"fail-tampered-path", 1, 0}, {"fail-unsupported-vds", 1, 0},
        {"fail-bad-statement-sig", 1, 1}};
    size_t seen = 0;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        char arguments[8192];
        char dir[1024];
        char name[128];
        snprintf(name, sizeof name, "scitt-cose/v1/%s", vectors[i].name);
        snprintf(dir, sizeof dir, "%s", test_data(name));
        DIR *folder = opendir(dir);
        if (!folder) continue;  // some of the public vectors are not in every copy
        closedir(folder);
        seen++;
        snprintf(arguments, sizeof arguments, "receipt verify --trust %s/log-key.pub --statement %s/statement.cose --key %s/issuer-key.pub %s/receipt.cose",
                 dir, dir, dir, dir);
        check(vectors[i].receipt, NULL, arguments);
        snprintf(arguments, sizeof arguments, "statement verify --key %s/issuer-key.pub --profile cose %s/statement.cose", dir, dir);
        check(vectors[i].statement, NULL, arguments);
        snprintf(arguments, sizeof arguments, "receipt verify --trust %s/log-key.pub %s/receipt.cose", dir, dir);
        check(1, NULL, arguments);
    }
    assert_true(seen >= 2);
}

static void write_receipt(struct pt_bytes statement, const char *name, const struct pt_digest *genesis) {
    struct pt_error err;
    const struct pt_digest id = statement_id(statement);
    struct pt_digest root = merkle_leaf_hash(pt_bytes_digest(&id));
    struct merkle_path path = {.count = 1};
    path.nodes[0] = sha256(pt_bytes_str("sibling"));
    root = merkle_node_hash(&root, &path.nodes[0]);
    struct pt_buf receipt = PT_BUF_INIT(RECEIPT_MAX);
    assert_ok(receipt_sign(&log_signer, genesis, 2, 0, &path, &root, &receipt, &err), &err);
    write_file(name, pt_buf_bytes(&receipt));
    pt_buf_free(&receipt);
}

// The statement with a receipt put into its unprotected header, as a transparent statement carries it.
static void make_transparent(struct pt_bytes bytes, struct pt_buf *out) {
    struct statement statement;
    assert_int_equal(statement_decode(bytes, &statement, NULL), PT_OK);
    cbor_put_tag(out, 18);
    cbor_put_array(out, 4);
    cbor_put_bytes(out, statement.envelope.protected_bytes);
    cbor_put_map(out, 1);
    cbor_put_int(out, COSE_HEADER_RECEIPTS);
    cbor_put_array(out, 1);
    cbor_put_bytes(out, pt_bytes_str("a receipt"));
    cbor_put_bytes(out, statement.payload);
    cbor_put_bytes(out, statement.envelope.signature);
}

static void a_receipt_verifies_offline_under_a_trusted_key(void **state) {
    (void)state;
    char hex[65];
    char arguments[512];
    struct pt_buf bytes = PT_BUF_INIT(STATEMENT_MAX);
    struct pt_buf transparent = PT_BUF_INIT(STATEMENT_MAX);
    make_statement(&bytes);
    make_transparent(pt_buf_bytes(&bytes), &transparent);
    write_file("s.cose", pt_buf_bytes(&bytes));
    write_file("t.cose", pt_buf_bytes(&transparent));
    write_receipt(pt_buf_bytes(&bytes), "r.cose", &genesis_hash);
    check(0, NULL, "receipt verify --trust log.pem --statement s.cose r.cose");
    check(0, NULL, "receipt verify --trust both.pem --statement s.cose --key device.pem r.cose");
    check(0, NULL, "receipt verify --trust log.pem --statement t.cose --key device.pem r.cose");
    check(1, "the signature does not hold", "receipt verify --trust device.pem --statement s.cose r.cose");
    check(1, "the signature does not hold", "receipt verify --trust log.pem --statement s.cose --key log.pem r.cose");
    check(1, "well-formed, but nothing is proved without --statement or --entry", "receipt verify --trust log.pem r.cose");
    const struct pt_digest id = statement_id(pt_buf_bytes(&bytes));
    pt_digest_hex(&id, hex);
    snprintf(arguments, sizeof arguments, "receipt verify --trust log.pem --entry %s r.cose", hex);
    check(0, NULL, arguments);
    hex[0] = hex[0] == '0' ? '1' : '0';
    snprintf(arguments, sizeof arguments, "receipt verify --trust log.pem --entry %s r.cose", hex);
    check(1, "the signature does not hold", arguments);
    // Another ledger's receipt over the same bytes.
    const struct pt_digest elsewhere = sha256(pt_bytes_str("elsewhere"));
    write_receipt(pt_buf_bytes(&bytes), "r.cose", &elsewhere);
    check(1, "statement and receipt name different ledgers", "receipt verify --trust log.pem --statement s.cose r.cose");
    // The receipt is over bytes whose own signature is bad.
    bytes.data[bytes.len - 1] ^= 1;
    write_file("s.cose", pt_buf_bytes(&bytes));
    write_receipt(pt_buf_bytes(&bytes), "r.cose", &genesis_hash);
    check(0, NULL, "receipt verify --trust log.pem --statement s.cose r.cose");
    check(1, "the signature does not hold", "receipt verify --trust log.pem --statement s.cose --key device.pem r.cose");
    check(2, NULL, "receipt verify --trust log.pem --entry zz r.cose");
    check(2, NULL, "receipt verify --statement s.cose r.cose");
    check(2, NULL, "receipt verify --trust log.pem --statement s.cose");
    check(2, NULL, "receipt verify --trust log.pem --key device.pem r.cose");
    check(2, NULL, "receipt show");
    write_text("empty", "");
    check(1, NULL, "receipt verify --trust log.pem --statement s.cose empty");
    check(1, NULL, "receipt verify --trust log.pem --statement empty r.cose");
    assert_int_equal(run(NULL, "receipt verify --trust empty --statement s.cose r.cose"), 1);
    pt_buf_free(&bytes);
    pt_buf_free(&transparent);
}

static struct signer make_signer(const char *name, struct pt_buf *all) {
    struct pt_error err;
    struct signer signer;
    struct pt_buf pem = PT_BUF_INIT(4096);
    struct pt_buf public_pem = PT_BUF_INIT(4096);
    assert_ok(signer_openssl_generate(&pem, &err), &err);
    assert_ok(signer_openssl_from_pem(pt_buf_bytes(&pem), &signer, &err), &err);
    assert_ok(verify_key_to_pem(signer.key, &public_pem, &err), &err);
    write_file(name, pt_buf_bytes(&public_pem));
    pt_buf_append_bytes(all, pt_buf_bytes(&public_pem));
    pt_buf_free(&pem);
    pt_buf_free(&public_pem);
    return signer;
}

static int set_up(void **state) {
    (void)state;
    struct pt_buf all = PT_BUF_INIT(8192);
    test_scratch(scratch);
    device_signer = make_signer("device.pem", &all);
    log_signer = make_signer("log.pem", &all);
    write_file("both.pem", pt_buf_bytes(&all));
    genesis_hash = sha256(pt_bytes_str("genesis"));
    pt_buf_free(&all);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    signer_openssl_free(&device_signer);
    signer_openssl_free(&log_signer);
    test_scratch_remove(scratch);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_transparency_vectors_are_answered_right),
        cmocka_unit_test(proofs_on_the_command_line_are_exact_and_strict),
        cmocka_unit_test(the_working_groups_messages_are_answered_right),
        cmocka_unit_test(a_statement_is_shown_only_when_it_verifies),
        cmocka_unit_test(other_cose_forms_verify_under_a_given_key),
        cmocka_unit_test(the_scitt_vectors_are_answered_right),
        cmocka_unit_test(a_receipt_verifies_offline_under_a_trusted_key),
    };
    return cmocka_run_group_tests_name("tools proving", tests, set_up, tear_down);
}
