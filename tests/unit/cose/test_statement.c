#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/disk.h"
#include "common/cose/statement.h"
#include "common/crypto/digest.h"
#include "tests/unit/cose/cose_cases.h"

static struct statement_draft a_draft(void) {
    return (struct statement_draft){
        .content_type = STATEMENT_EVENT_CBOR,
        .issuer = "https://id.gs1.org/414/4012345000115",
        .subject = "ni:///sha-256;00?ver=CBV2.0",
        .genesis = sha256(pt_bytes_str("genesis")),
        .sequence = 7,
        .previous = sha256(pt_bytes_str("before")),
        .payload = pt_bytes_str("an event"),
    };
}

static struct pt_buf signed_draft(const struct statement_draft *draft, const struct signer *signer) {
    struct pt_error err;
    struct pt_buf bytes = PT_BUF_INIT(STATEMENT_MAX);
    assert_ok(statement_sign(draft, signer, &bytes, &err), &err);
    return bytes;
}

static void a_statement_comes_back_as_signed(void **state) {
    (void)state;
    struct pt_error err;
    struct signer signer = fresh_signer();
    const struct statement_draft draft = a_draft();
    struct pt_buf bytes = signed_draft(&draft, &signer);
    struct statement statement;
    assert_ok(statement_decode(pt_buf_bytes(&bytes), &statement, &err), &err);
    const struct pt_digest kid = verify_key_thumbprint(signer.key);
    assert_true(pt_bytes_equal(statement.content_type, pt_bytes_str(draft.content_type)));
    assert_true(pt_bytes_equal(statement.issuer, pt_bytes_str(draft.issuer)));
    assert_true(pt_bytes_equal(statement.subject, pt_bytes_str(draft.subject)));
    assert_true(pt_bytes_equal(statement.payload, draft.payload));
    assert_true(pt_digest_equal(&statement.genesis, &draft.genesis));
    assert_true(pt_digest_equal(&statement.previous, &draft.previous));
    assert_true(pt_digest_equal(&statement.kid, &kid));
    assert_int_equal(statement.sequence, 7);
    assert_ok(statement_verify(&statement, signer.key, &draft.genesis, &err), &err);
    // The general decoder agrees with the strict one.
    struct cose_sign1 general;
    assert_ok(cose_sign1_decode(pt_buf_bytes(&bytes), NULL, 0, &general, &err), &err);
    assert_true(pt_bytes_equal(general.kid, statement.envelope.kid));
    assert_true(pt_bytes_equal(general.protected_bytes, statement.envelope.protected_bytes));
    assert_int_equal(general.algorithm, statement.envelope.algorithm);
    const struct pt_digest id = statement_id(pt_buf_bytes(&bytes));
    const struct pt_digest direct = sha256(pt_buf_bytes(&bytes));
    assert_true(pt_digest_equal(&id, &direct));
    pt_buf_free(&bytes);
    signer_openssl_free(&signer);
}

static void another_key_ledger_or_byte_does_not_verify(void **state) {
    (void)state;
    struct signer signer = fresh_signer();
    struct signer other = fresh_signer();
    const struct statement_draft draft = a_draft();
    struct pt_buf bytes = signed_draft(&draft, &signer);
    struct statement statement;
    assert_int_equal(statement_decode(pt_buf_bytes(&bytes), &statement, NULL), PT_OK);
    assert_int_equal(statement_verify(&statement, other.key, &draft.genesis, NULL), PT_UNVERIFIED);
    const struct pt_digest elsewhere = sha256(pt_bytes_str("another ledger"));
    assert_int_equal(statement_verify(&statement, signer.key, &elsewhere, NULL), PT_UNVERIFIED);
    // The other key's kid over this key's signature.
    statement.kid = verify_key_thumbprint(other.key);
    assert_int_equal(statement_verify(&statement, other.key, &draft.genesis, NULL), PT_UNVERIFIED);
    // No single byte can be changed unnoticed.
    for (size_t i = 0; i < bytes.len; i++) {
        bytes.data[i] ^= 0x01;
        if (statement_decode(pt_buf_bytes(&bytes), &statement, NULL) == PT_OK)
            assert_int_not_equal(statement_verify(&statement, signer.key, &draft.genesis, NULL), PT_OK);
        bytes.data[i] ^= 0x01;
    }
    for (size_t len = 0; len < bytes.len; len++)
        assert_int_equal(statement_decode(pt_bytes_of(bytes.data, len), &statement, NULL), PT_INVALID);
    pt_buf_byte(&bytes, 0);
    assert_int_equal(statement_decode(pt_buf_bytes(&bytes), &statement, NULL), PT_INVALID);
    pt_buf_free(&bytes);
    signer_openssl_free(&signer);
    signer_openssl_free(&other);
}

static void equivocation_is_told_from_a_duplicate(void **state) {
    (void)state;
    struct signer signer = fresh_signer();
    struct statement_draft draft = a_draft();
    struct statement first;
    struct statement again;
    struct statement different;
    struct pt_buf first_bytes = signed_draft(&draft, &signer);
    struct pt_buf again_bytes = signed_draft(&draft, &signer);  // another nonce, another signature
    draft.payload = pt_bytes_str("another event");
    struct pt_buf different_bytes = signed_draft(&draft, &signer);
    assert_int_equal(statement_decode(pt_buf_bytes(&first_bytes), &first, NULL), PT_OK);
    assert_int_equal(statement_decode(pt_buf_bytes(&again_bytes), &again, NULL), PT_OK);
    assert_int_equal(statement_decode(pt_buf_bytes(&different_bytes), &different, NULL), PT_OK);
    const struct pt_digest a = statement_signed_digest(&first);
    const struct pt_digest b = statement_signed_digest(&again);
    const struct pt_digest c = statement_signed_digest(&different);
    const struct pt_digest id_a = statement_id(first.bytes);
    const struct pt_digest id_b = statement_id(again.bytes);
    assert_true(pt_digest_equal(&a, &b));
    assert_false(pt_digest_equal(&a, &c));
    assert_false(pt_digest_equal(&id_a, &id_b));
    pt_buf_free(&first_bytes);
    pt_buf_free(&again_bytes);
    pt_buf_free(&different_bytes);
    signer_openssl_free(&signer);
}

// A statement put together freely: `alter` names what deviates.
enum deviation { NONE, UNTAGGED, UNPROTECTED, DETACHED, EXTRA_LABEL, MISSING_LABEL, OTHER_ORDER, OTHER_ALGORITHM, SHORT_KID,
                 EMPTY_ISSUER, LONG_SUBJECT, TYPE_NUMBER, CHAIN_OF_THREE, NEGATIVE_SEQUENCE, HUGE_SEQUENCE, LONG_HEADS,
                 SHORT_SIGNATURE, CLAIMS_ORDER, TRAILING_IN_HEADER, DEVIATIONS };

static void put_claims(struct pt_buf *out, enum deviation d) {
    char long_text[STATEMENT_TEXT_MAX + 2];
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = 0;
    cbor_put_int(out, 15);
    cbor_put_map(out, 2);
    cbor_put_int(out, d == CLAIMS_ORDER ? 2 : 1);
    cbor_put_text(out, d == EMPTY_ISSUER ? "" : "urn:issuer");
    cbor_put_int(out, d == CLAIMS_ORDER ? 1 : 2);
    cbor_put_text(out, d == LONG_SUBJECT ? long_text : "urn:subject");
}

static void put_chain(struct pt_buf *out, enum deviation d) {
    const struct pt_digest zero = {{0}};
    cbor_put_int(out, COSE_HEADER_DEVICE_CHAIN);
    cbor_put_array(out, d == CHAIN_OF_THREE ? 3 : 2);
    if (d == NEGATIVE_SEQUENCE) cbor_put_int(out, -1);
    else if (d == HUGE_SEQUENCE) cbor_put_uint(out, (uint64_t)INT64_MAX + 1);
    else if (d == LONG_HEADS) pt_buf_append(out, "\x18\x07", 2);
    else cbor_put_uint(out, 7);
    cbor_put_bytes(out, pt_bytes_digest(&zero));
    if (d == CHAIN_OF_THREE) cbor_put_uint(out, 0);
}

static void put_header(struct pt_buf *out, enum deviation d) {
    const struct pt_digest digest = {{1}};
    cbor_put_map(out, d == EXTRA_LABEL ? 7 : d == MISSING_LABEL ? 5 : 6);
    cbor_put_int(out, 1);
    cbor_put_int(out, d == OTHER_ALGORITHM ? COSE_EDDSA : COSE_ES256);
    if (d == OTHER_ORDER) {
        cbor_put_int(out, 4);
        cbor_put_bytes(out, pt_bytes_digest(&digest));
    }
    cbor_put_int(out, 3);
    if (d == TYPE_NUMBER) cbor_put_uint(out, 60);
    else cbor_put_text(out, STATEMENT_MASTER);
    if (d != OTHER_ORDER) {
        cbor_put_int(out, 4);
        cbor_put_bytes(out, pt_bytes_of(digest.bytes, d == SHORT_KID ? 31 : 32));
    }
    put_claims(out, d);
    cbor_put_int(out, COSE_HEADER_GENESIS);
    cbor_put_bytes(out, pt_bytes_digest(&digest));
    if (d != MISSING_LABEL) put_chain(out, d);
    if (d == EXTRA_LABEL) {
        cbor_put_int(out, -65703);
        cbor_put_null(out);
    }
    if (d == TRAILING_IN_HEADER) cbor_put_null(out);
}

static void only_the_one_form_is_taken(void **state) {
    (void)state;
    for (enum deviation d = NONE; d < DEVIATIONS; d++) {
        struct pt_buf header = PT_BUF_INIT(8192);
        struct pt_buf message = PT_BUF_INIT(8192);
        const uint8_t signature[SIGNATURE_SIZE] = {0};
        put_header(&header, d);
        if (d != UNTAGGED) cbor_put_tag(&message, 18);
        cbor_put_array(&message, 4);
        cbor_put_bytes(&message, pt_buf_bytes(&header));
        cbor_put_map(&message, d == UNPROTECTED);
        if (d == UNPROTECTED) {
            cbor_put_int(&message, 99);
            cbor_put_null(&message);
        }
        if (d == DETACHED) cbor_put_null(&message);
        else cbor_put_bytes(&message, pt_bytes_str("x"));
        cbor_put_bytes(&message, pt_bytes_of(signature, d == SHORT_SIGNATURE ? 63 : 64));
        struct statement statement;
        if (statement_decode(pt_buf_bytes(&message), &statement, NULL) != (d == NONE ? PT_OK : PT_INVALID))
            fail_msg("deviation %d", d);
        pt_buf_free(&header);
        pt_buf_free(&message);
    }
}

static void size_and_text_have_ceilings(void **state) {
    (void)state;
    struct signer signer = fresh_signer();
    struct statement_draft draft = a_draft();
    struct pt_buf out = PT_BUF_INIT(STATEMENT_MAX * 2);
    struct pt_buf big = PT_BUF_INIT(STATEMENT_MAX * 2);
    assert_non_null(pt_buf_extend(&big, STATEMENT_MAX));
    memset(big.data, 'x', big.len);
    draft.payload = pt_buf_bytes(&big);
    assert_int_equal(statement_sign(&draft, &signer, &out, NULL), PT_LIMIT);
    assert_int_equal(out.len, 0);
    draft.payload.len = STATEMENT_MAX - 600;
    assert_int_equal(statement_sign(&draft, &signer, &out, NULL), PT_OK);
    struct statement statement;
    assert_int_equal(statement_decode(pt_buf_bytes(&big), &statement, NULL), PT_INVALID);
    pt_buf_byte(&big, 0);
    assert_int_equal(statement_decode(pt_buf_bytes(&big), &statement, NULL), PT_LIMIT);
    draft = a_draft();
    draft.issuer = "";
    assert_int_equal(statement_sign(&draft, &signer, &out, NULL), PT_INVALID);
    draft = a_draft();
    draft.subject = "\xff";
    assert_int_equal(statement_sign(&draft, &signer, &out, NULL), PT_INVALID);
    draft = a_draft();
    draft.sequence = UINT64_MAX;
    assert_int_equal(statement_sign(&draft, &signer, &out, NULL), PT_INVALID);
    pt_buf_free(&out);
    pt_buf_free(&big);
    signer_openssl_free(&signer);
}

// --- The openssl command as a third party ---

static void write_file(const char *dir, const char *name, struct pt_bytes content) {
    char path[512];
    struct pt_error err;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    assert_ok(pt_file_replace(path, content, 0600, &err), &err);
}

static int openssl(const char *dir, const char *arguments) {
    char command[1024];
    snprintf(command, sizeof command, "cd '%s' && openssl %s >output 2>&1", dir, arguments);
    return system(command);
}

static void put_integer(struct pt_buf *out, const uint8_t *scalar) {
    pt_buf_byte(out, 0x02);
    size_t zeros = 0;
    while (zeros < 31 && scalar[zeros] == 0) zeros++;
    pt_buf_byte(out, (uint8_t)(32 - zeros + (scalar[zeros] >> 7)));
    if (scalar[zeros] >> 7) pt_buf_byte(out, 0);
    pt_buf_append(out, scalar + zeros, 32 - zeros);
}

static const uint8_t *read_integer(const uint8_t *der, uint8_t *scalar) {
    const size_t len = der[1];
    assert_int_equal(der[0], 0x02);
    memset(scalar, 0, 32);
    if (len > 32) memcpy(scalar, der + 2 + (len - 32), 32);
    else memcpy(scalar + 32 - len, der + 2, len);
    return der + 2 + len;
}

static void openssl_verifies_what_the_terminal_signs(void **state) {
    (void)state;
    char dir[256];
    test_scratch(dir);
    struct pt_error err;
    struct signer signer;
    struct pt_buf pem = PT_BUF_INIT(4096);
    struct pt_buf public_pem = PT_BUF_INIT(4096);
    assert_ok(signer_mbedtls_generate(&pem, &err), &err);
    assert_ok(signer_mbedtls_from_pem(pt_buf_bytes(&pem), &signer, &err), &err);
    assert_ok(verify_key_to_pem(signer.key, &public_pem, &err), &err);
    const struct statement_draft draft = a_draft();
    struct pt_buf bytes = signed_draft(&draft, &signer);
    struct statement statement;
    assert_ok(statement_decode(pt_buf_bytes(&bytes), &statement, &err), &err);
    assert_ok(statement_verify(&statement, signer.key, &draft.genesis, &err), &err);
    struct pt_buf covered = PT_BUF_INIT(65536);
    struct pt_buf inner = PT_BUF_INIT(256);
    struct pt_buf der = PT_BUF_INIT(256);
    cose_sig_structure(statement.envelope.protected_bytes, NO_BYTES, statement.payload, &covered);
    put_integer(&inner, statement.envelope.signature.data);
    put_integer(&inner, statement.envelope.signature.data + 32);
    pt_buf_byte(&der, 0x30);
    pt_buf_byte(&der, (uint8_t)inner.len);
    pt_buf_append_bytes(&der, pt_buf_bytes(&inner));
    write_file(dir, "covered", pt_buf_bytes(&covered));
    write_file(dir, "signature", pt_buf_bytes(&der));
    write_file(dir, "public.pem", pt_buf_bytes(&public_pem));
    assert_int_equal(openssl(dir, "dgst -sha256 -verify public.pem -signature signature covered"), 0);
    covered.data[20] ^= 1;
    write_file(dir, "covered", pt_buf_bytes(&covered));
    assert_int_not_equal(openssl(dir, "dgst -sha256 -verify public.pem -signature signature covered"), 0);
    pt_buf_free(&covered);
    pt_buf_free(&inner);
    pt_buf_free(&der);
    pt_buf_free(&bytes);
    pt_buf_free(&pem);
    pt_buf_free(&public_pem);
    signer_mbedtls_free(&signer);
    test_scratch_remove(dir);
}

// Signs through the openssl command; ctx is a folder with key.pem.
static enum pt_code sign_by_command(void *ctx, struct pt_bytes message, uint8_t signature[SIGNATURE_SIZE], struct pt_error *err) {
    (void)err;
    char path[512];
    write_file(ctx, "message", message);
    assert_int_equal(openssl(ctx, "dgst -sha256 -sign key.pem -out der message"), 0);
    snprintf(path, sizeof path, "%s/der", (const char *)ctx);
    struct pt_buf der = test_read_file(path);
    read_integer(read_integer(der.data + 2, signature), signature + 32);
    pt_buf_free(&der);
    return PT_OK;
}

static void we_verify_what_openssl_signs(void **state) {
    (void)state;
    char dir[256];
    test_scratch(dir);
    struct pt_error err;
    struct pt_buf pem = PT_BUF_INIT(4096);
    struct signer terminal;
    assert_ok(signer_mbedtls_generate(&pem, &err), &err);
    assert_ok(signer_mbedtls_from_pem(pt_buf_bytes(&pem), &terminal, &err), &err);
    write_file(dir, "key.pem", pt_buf_bytes(&pem));
    const struct signer command = {.sign = sign_by_command, .ctx = dir, .key = terminal.key};
    const struct statement_draft draft = a_draft();
    struct pt_buf bytes = signed_draft(&draft, &command);
    struct statement statement;
    assert_ok(statement_decode(pt_buf_bytes(&bytes), &statement, &err), &err);
    assert_ok(statement_verify(&statement, terminal.key, &draft.genesis, &err), &err);
    pt_buf_free(&bytes);
    pt_buf_free(&pem);
    signer_mbedtls_free(&terminal);
    test_scratch_remove(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_statement_comes_back_as_signed),
        cmocka_unit_test(another_key_ledger_or_byte_does_not_verify),
        cmocka_unit_test(equivocation_is_told_from_a_duplicate),
        cmocka_unit_test(only_the_one_form_is_taken),
        cmocka_unit_test(size_and_text_have_ceilings),
        cmocka_unit_test(openssl_verifies_what_the_terminal_signs),
        cmocka_unit_test(we_verify_what_openssl_signs),
    };
    return cmocka_run_group_tests_name("cose statement", tests, NULL, NULL);
}
