// Enrolment and revocation: what an operator signs, and what becomes of it when things go wrong.
#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/disk.h"
#include "common/base/text.h"
#include "common/chain/enrolment_request.h"
#include "common/cose/cbor.h"
#include "common/cose/statement.h"
#include "common/crypto/digest.h"
#include "common/master/master.h"
#include "tests/unit/tools/admin_cases.h"
#include "tools/admin/x509.h"

struct place {
    char scratch[256], directory[300];
    struct pt_digest genesis;
    struct verify_key *operator_key;
};

static struct place make_place(void) {
    struct place place;
    struct pt_error err;
    test_scratch(place.scratch);
    snprintf(place.directory, sizeof place.directory, "%s/consortium", place.scratch);
    admin_found(place.directory);
    json_decref(admin_good("genesis|%s", place.directory));
    PT_CLEANUP(pt_buf_free)
    struct pt_buf genesis = admin_file(place.directory, "genesis.cbor"),
                  key = admin_file(place.directory, "actors/op/sign.pub");
    place.genesis = sha256(pt_buf_bytes(&genesis));
    assert_ok(verify_key_from_pem(pt_buf_bytes(&key), &place.operator_key, &err), &err);
    return place;
}

static void place_free(struct place *place) {
    verify_key_free(place->operator_key);
    test_scratch_remove(place->scratch);
}

static void add_device(const struct place *place, const char *name) {
    json_decref(admin_good("actor|%s|%s|--role|device|--label|Terminal|--party|urn:packtrail:party:p|"
                           "--place|urn:packtrail:place:p",
                           place->directory, name));
}

// Decodes and verifies as the operator's; gives its id.
static struct pt_digest check_statement(const struct place *place, const struct pt_buf *bytes, uint64_t sequence,
                                        const char *content_type, struct statement *out) {
    struct pt_error err;
    assert_ok(statement_decode(pt_buf_bytes(bytes), out, &err), &err);
    assert_ok(statement_verify(out, place->operator_key, &place->genesis, &err), &err);
    assert_int_equal(out->sequence, sequence);
    assert_true(pt_bytes_equal(out->content_type, pt_bytes_str(content_type)));
    assert_true(pt_bytes_equal(out->issuer, pt_bytes_str("urn:packtrail:party:a")));
    return statement_id(pt_buf_bytes(bytes));
}

static void enrolled_and_revoked(void **state) {
    (void)state;
    struct pt_error err;
    struct statement statement;
    char kid[65];
    PT_CLEANUP(place_free) struct place place = make_place();
    const char *dir = place.directory, *scratch = place.scratch;
    add_device(&place, "term-1");
    PT_CLEANUP(actor_free) struct actor record = admin_actor_record(dir, "term-1");
    PT_CLEANUP(actor_free) struct actor enrolled = {0};
    pt_digest_hex(&record.kid, kid);

    PT_JSON json_t *answer = admin_good("enrol|%s|--operator|op|--actor|term-1|--out|%s/enrol.cose", dir, scratch);
    assert_string_equal(admin_text(answer, "kid"), kid);
    assert_int_equal(json_integer_value(json_object_get(answer, "waiting")), 0);
    PT_CLEANUP(pt_buf_free) struct pt_buf first = admin_file(scratch, "enrol.cose");
    const struct pt_digest id = check_statement(&place, &first, 0, STATEMENT_ENROLMENT, &statement);
    assert_ok(actor_decode(statement.payload, &enrolled, &err), &err);
    assert_true(pt_digest_equal(&enrolled.kid, &record.kid));
    assert_true(pt_digest_equal(&enrolled.tls, &record.tls));
    assert_int_equal(enrolled.role, ACTOR_DEVICE);
    assert_string_equal(enrolled.place, "urn:packtrail:place:p");

    // Enrolling the same again is the same statement.
    json_decref(admin_good("enrol|%s|--operator|op|--actor|term-1|--out|%s/again.cose", dir, scratch));
    PT_CLEANUP(pt_buf_free) struct pt_buf again = admin_file(scratch, "again.cose");
    assert_true(pt_bytes_equal(pt_buf_bytes(&first), pt_buf_bytes(&again)));

    struct revocation revocation;
    json_decref(admin_good("revoke|%s|--operator|op|--kid|%s|--last-trusted|17|--reason|stolen|--out|%s/revoke.cose",
                           dir, kid, scratch));
    PT_CLEANUP(pt_buf_free) struct pt_buf second = admin_file(scratch, "revoke.cose");
    check_statement(&place, &second, 1, STATEMENT_REVOCATION, &statement);
    assert_true(pt_digest_equal(&statement.previous, &id));
    assert_ok(revocation_decode(statement.payload, &revocation, &err), &err);
    assert_true(pt_digest_equal(&revocation.kid, &record.kid));
    assert_int_equal(revocation.last_trusted, 17);
    assert_string_equal(revocation.reason, "stolen");
}

// --- Requests from devices that keep their keys ---

static struct signer device_key(struct pt_buf *pem) {
    struct pt_error err;
    struct signer signer;
    assert_ok(signer_mbedtls_generate(pem, &err), &err);
    assert_ok(signer_mbedtls_from_pem(pt_buf_bytes(pem), &signer, &err), &err);
    return signer;
}

static struct pt_digest write_request(const struct place *place, const char *file, enum actor_role role,
                                      struct pt_buf *tls_pem) {
    struct pt_error err;
    char path[512];
    PT_CLEANUP(pt_buf_free) struct pt_buf pem = PT_BUF_INIT(4096), bytes = PT_BUF_INIT(ENROLMENT_REQUEST_MAX);
    PT_CLEANUP(signer_mbedtls_free) struct signer signer = device_key(&pem);
    assert_ok(signer_mbedtls_generate(tls_pem, &err), &err);
    PT_CLEANUP(enrolment_request_free)
    struct enrolment_request request = {.role = role,
                                        .name = "Terminal 7",
                                        .party = "urn:packtrail:party:p",
                                        .csr = PT_BUF_INIT(ENROLMENT_REQUEST_CSR_MAX)};
    assert_ok(signer_mbedtls_csr(pt_buf_bytes(tls_pem), "CN=whoever,O=wherever", &request.csr, &err), &err);
    assert_ok(enrolment_request_sign(&request, &signer, &bytes, &err), &err);
    snprintf(path, sizeof path, "%s/%s", place->scratch, file);
    assert_ok(pt_file_replace(path, pt_buf_bytes(&bytes), 0644, &err), &err);
    return verify_key_thumbprint(signer.key);
}

static void requests_are_answered(void **state) {
    (void)state;
    struct pt_error err;
    struct x509_info info;
    struct statement statement;
    char kid[65];
    PT_CLEANUP(place_free) struct place place = make_place();
    const char *dir = place.directory, *scratch = place.scratch;
    PT_CLEANUP(pt_buf_free) struct pt_buf tls_pem = PT_BUF_INIT(4096), tls_public = PT_BUF_INIT(4096);
    const struct pt_digest thumbprint = write_request(&place, "request", ACTOR_DEVICE, &tls_pem);
    pt_digest_hex(&thumbprint, kid);
    PT_JSON json_t *inspected = admin_good("inspect|%s/request", scratch);
    assert_string_equal(admin_text(inspected, "kid"), kid);
    assert_string_equal(admin_text(inspected, "label"), "Terminal 7");
    json_decref(admin_good("enrol|%s|--operator|op|--request|%s/request|--kid|%s|--as|term-7|--out|%s/out", dir,
                           scratch, kid, scratch));

    // The certificate is for the key asked for, but the name is ours, not the request's.
    const struct pt_env *env = pt_env_system();
    PT_CLEANUP(signer_openssl_free) struct signer tls = {0};
    PT_CLEANUP(pt_buf_free)
    struct pt_buf authority = admin_file(dir, "ca.crt"),
                  certificate = admin_file(dir, "actors/term-7/tls.crt");
    assert_ok(signer_openssl_from_pem(pt_buf_bytes(&tls_pem), &tls, &err), &err);
    assert_ok(verify_key_to_pem(tls.key, &tls_public, &err), &err);
    assert_ok(x509_check(pt_buf_bytes(&authority), pt_buf_bytes(&certificate), pt_buf_bytes(&tls_public),
                         env->now(env->ctx), &err),
              &err);
    assert_ok(x509_read(pt_buf_bytes(&certificate), &info, &err), &err);
    assert_string_equal(info.common_name, "term-7");
    assert_string_equal(info.organization, "Test consortium");

    PT_CLEANUP(actor_free) struct actor enrolled = {0};
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = admin_file(scratch, "out");
    const struct pt_digest tls_thumbprint = verify_key_thumbprint(tls.key);
    check_statement(&place, &bytes, 0, STATEMENT_ENROLMENT, &statement);
    assert_ok(actor_decode(statement.payload, &enrolled, &err), &err);
    assert_true(pt_digest_equal(&enrolled.kid, &thumbprint));
    assert_true(pt_digest_equal(&enrolled.tls, &tls_thumbprint));
    assert_string_equal(enrolled.name, "Terminal 7");
    assert_false(admin_file_is_there(dir, "actors/term-7/tls.key"));
}

static void doubtful_requests_are_refused(void **state) {
    (void)state;
    char path[512];
    PT_CLEANUP(place_free) struct place place = make_place();
    const char *dir = place.directory, *scratch = place.scratch;
    PT_CLEANUP(pt_buf_free) struct pt_buf tls_pem = PT_BUF_INIT(4096), other_pem = PT_BUF_INIT(4096);
    write_request(&place, "request", ACTOR_DEVICE, &tls_pem);
    write_request(&place, "chief", ACTOR_OPERATOR, &other_pem);
    admin_bad(1, "another key", "enrol|%s|--operator|op|--request|%s/request|--kid|%064d|--as|t", dir, scratch, 0);
    admin_bad(2, "--role", "enrol|%s|--operator|op|--request|%s/chief|--as|t", dir, scratch);
    admin_bad(2, "exactly one", "enrol|%s|--operator|op", dir);
    admin_bad(2, "exactly one", "enrol|%s|--operator|op|--request|%s/request|--actor|gate-1", dir, scratch);
    admin_bad(2, "either", "enrol|%s|--operator|op|--request|%s/request|--url|https://a|--out|b", dir, scratch);
    admin_bad(1, "already", "enrol|%s|--operator|op|--request|%s/request|--as|gate-1", dir, scratch);
    admin_bad(2, "not operator", "enrol|%s|--operator|maker|--request|%s/request|--as|t", dir, scratch);
    admin_bad(1, "no such actor", "enrol|%s|--operator|nobody|--request|%s/request|--as|t", dir, scratch);
    admin_bad(1, "nothing to enrol", "enrol|%s|--operator|op|--actor|gate-1", dir);
    assert_false(admin_file_is_there(dir, "actors/t"));
    assert_false(admin_file_is_there(dir, "actors/op/outbox"));

    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = admin_file(scratch, "request");
    bytes.data[bytes.len - 1] ^= 1;
    snprintf(path, sizeof path, "%s/changed", scratch);
    assert_int_equal(pt_file_replace(path, pt_buf_bytes(&bytes), 0644, NULL), PT_OK);
    admin_bad(1, "changed", "enrol|%s|--operator|op|--request|%s|--as|t", dir, path);
    admin_bad(1, "changed", "inspect|%s", path);
}

static void before_the_genesis_nobody_signs(void **state) {
    (void)state;
    char scratch[256];
    test_scratch(scratch);
    admin_found(scratch);
    admin_bad(2, "genesis", "enrol|%s|--operator|op|--actor|gate-1", scratch);
    admin_bad(2, "genesis", "revoke|%s|--operator|op|--kid|%064d|--last-trusted|1|--reason|a", scratch, 0);
    test_scratch_remove(scratch);
}

static void revocation_words_are_checked(void **state) {
    (void)state;
    PT_CLEANUP(place_free) struct place place = make_place();
    const char *dir = place.directory;
    admin_bad(2, "--kid", "revoke|%s|--operator|op|--kid|abc|--last-trusted|1|--reason|a", dir);
    admin_bad(2, "--last-trusted", "revoke|%s|--operator|op|--kid|%064d|--last-trusted|-1|--reason|a", dir, 0);
    admin_bad(2, "--last-trusted", "revoke|%s|--operator|op|--kid|%064d|--last-trusted|9223372036854775808|--reason|a",
              dir, 0);
    admin_bad(2, "--reason", "revoke|%s|--operator|op|--kid|%064d|--last-trusted|1", dir, 0);
}

// --- The outbox ---

static void copy(const char *directory, const char *from, const char *to) {
    char path[1024];
    PT_CLEANUP(pt_buf_free) struct pt_buf content = admin_file(directory, from);
    snprintf(path, sizeof path, "%s/%s", directory, to);
    assert_int_equal(pt_file_replace(path, pt_buf_bytes(&content), 0600, NULL), PT_OK);
}

static void unsent_statements_wait(void **state) {
    (void)state;
    struct statement statement;
    PT_CLEANUP(place_free) struct place place = make_place();
    const char *dir = place.directory;
    add_device(&place, "term-1");
    PT_JSON json_t *answer = admin_good("enrol|%s|--operator|op|--actor|term-1", dir);
    assert_int_equal(json_integer_value(json_object_get(answer, "waiting")), 1);
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = admin_file(dir, "actors/op/outbox/0.cose");
    check_statement(&place, &bytes, 0, STATEMENT_ENROLMENT, &statement);
    // Nobody listens there: it stays.
    struct admin_run run = admin_run("send|%s|--operator|op|--url|https://127.0.0.1:1", dir);
    assert_int_equal(run.status, 3);
    admin_run_free(&run);
    assert_true(admin_file_is_there(dir, "actors/op/outbox/0.cose"));
}

// A crash between the outbox and the chain: the statement in the outbox counts, its sequence is not used again.
static void crash_repeats_nothing(void **state) {
    (void)state;
    struct statement statement;
    PT_CLEANUP(place_free) struct place place = make_place();
    const char *dir = place.directory;
    json_decref(admin_good("revoke|%s|--operator|op|--kid|%064d|--last-trusted|1|--reason|one", dir, 1));
    copy(dir, "actors/op/chain.json", "before");
    json_decref(admin_good("revoke|%s|--operator|op|--kid|%064d|--last-trusted|1|--reason|two", dir, 2));
    copy(dir, "before", "actors/op/chain.json");
    PT_CLEANUP(pt_buf_free) struct pt_buf second = admin_file(dir, "actors/op/outbox/1.cose");
    // The same command again takes what is there; another one follows it.
    json_decref(admin_good("revoke|%s|--operator|op|--kid|%064d|--last-trusted|1|--reason|two", dir, 2));
    json_decref(admin_good("revoke|%s|--operator|op|--kid|%064d|--last-trusted|1|--reason|three", dir, 3));
    PT_CLEANUP(pt_buf_free)
    struct pt_buf kept = admin_file(dir, "actors/op/outbox/1.cose"),
                  third = admin_file(dir, "actors/op/outbox/2.cose");
    assert_true(pt_bytes_equal(pt_buf_bytes(&second), pt_buf_bytes(&kept)));
    const struct pt_digest id = check_statement(&place, &kept, 1, STATEMENT_REVOCATION, &statement);
    check_statement(&place, &third, 2, STATEMENT_REVOCATION, &statement);
    assert_true(pt_digest_equal(&statement.previous, &id));
    assert_false(admin_file_is_there(dir, "actors/op/outbox/3.cose"));
}

static void restored_backup_is_noticed(void **state) {
    (void)state;
    PT_CLEANUP(place_free) struct place place = make_place();
    const char *dir = place.directory;
    json_decref(admin_good("revoke|%s|--operator|op|--kid|%064d|--last-trusted|1|--reason|one", dir, 1));
    json_decref(admin_good("revoke|%s|--operator|op|--kid|%064d|--last-trusted|1|--reason|two", dir, 2));
    // The chain says that nothing was ever said before 1.cose, which does not follow that.
    char path[1024];
    snprintf(path, sizeof path, "%s/actors/op/chain.json", dir);
    char text[128];
    snprintf(text, sizeof text, "{\"sequence\":1,\"previous\":\"%064d\"}", 0);
    assert_int_equal(pt_file_replace(path, pt_bytes_str(text), 0600, NULL), PT_OK);
    admin_bad(1, "backup", "revoke|%s|--operator|op|--kid|%064d|--last-trusted|1|--reason|three", dir, 3);
}

// --- Master records ---

static void write_text(const struct place *place, const char *file, const char *text) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", place->scratch, file);
    assert_int_equal(pt_file_replace(path, pt_bytes_str(text), 0644, NULL), PT_OK);
}

#define PARTY                                                                                                          \
    "{\"kind\":\"party\",\"version\":1,\"validFrom\":\"2026-01-01T00:00:00Z\",\"id\":\"urn:packtrail:party:%s\","      \
    "\"name\":{\"zh\":\"药店\",\"en\":\"Pharmacy\"}}"

static void master_records_are_signed(void **state) {
    (void)state;
    char text[1024];
    struct pt_error err;
    PT_CLEANUP(place_free) struct place place = make_place();
    const char *dir = place.directory, *scratch = place.scratch;
    snprintf(text, sizeof text, "[" PARTY "," PARTY "]", "one", "two");
    write_text(&place, "records.json", text);
    PT_JSON json_t *answer =
        admin_good("master|%s|--company|maker|--json|%s/records.json|--out|%s/out", dir, scratch, scratch);
    assert_int_equal(json_integer_value(json_object_get(answer, "records")), 2);

    PT_CLEANUP(pt_buf_free)
    struct pt_buf sequence = admin_file(scratch, "out"),
                  pem = admin_file(dir, "actors/maker/sign.pub");
    PT_CLEANUP(verify_key_cleanup) struct verify_key *key = NULL;
    assert_ok(verify_key_from_pem(pt_buf_bytes(&pem), &key, &err), &err);
    struct cbor_reader reader = cbor_reader_of(pt_buf_bytes(&sequence), true, &err);
    static const char *const subjects[] = {"urn:packtrail:party:one", "urn:packtrail:party:two"};
    for (size_t i = 0; i < 2; i++) {
        struct statement statement;
        struct master_record record;
        PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
        assert_ok(statement_decode(cbor_skip(&reader), &statement, &err), &err);
        assert_ok(statement_verify(&statement, key, &place.genesis, &err), &err);
        assert_int_equal(statement.sequence, i);
        assert_true(pt_bytes_equal(statement.content_type, pt_bytes_str(STATEMENT_MASTER)));
        assert_true(pt_bytes_equal(statement.subject, pt_bytes_str(subjects[i])));
        assert_ok(master_decode(statement.payload, &arena, &record, &err), &err);
        assert_string_equal(record.party.name.zh, "药店");
    }
    assert_ok(cbor_finish(&reader), &err);
}

static void bad_records_are_not_signed(void **state) {
    (void)state;
    char text[1024];
    PT_CLEANUP(place_free) struct place place = make_place();
    const char *dir = place.directory, *scratch = place.scratch;
    snprintf(text, sizeof text, "[" PARTY ",{\"kind\":\"party\",\"version\":1}]", "one");
    write_text(&place, "records.json", text);
    admin_bad(1, "/1", "master|%s|--operator|op|--json|%s/records.json", dir, scratch);
    assert_false(admin_file_is_there(dir, "actors/op/outbox"));
    write_text(&place, "empty.json", "[]");
    admin_bad(1, "1 to", "master|%s|--operator|op|--json|%s/empty.json", dir, scratch);
    admin_bad(1, "records.json", "master|%s|--operator|op|--json|%s/records.jsonx", dir, scratch);
    admin_bad(2, "exactly one", "master|%s|--json|%s/records.json", dir, scratch);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(enrolled_and_revoked),          cmocka_unit_test(requests_are_answered),
        cmocka_unit_test(doubtful_requests_are_refused), cmocka_unit_test(before_the_genesis_nobody_signs),
        cmocka_unit_test(revocation_words_are_checked),  cmocka_unit_test(unsent_statements_wait),
        cmocka_unit_test(crash_repeats_nothing),         cmocka_unit_test(restored_backup_is_noticed),
        cmocka_unit_test(master_records_are_signed),     cmocka_unit_test(bad_records_are_not_signed),
    };
    return cmocka_run_group_tests_name("admin: enrolment", tests, NULL, NULL);
}
