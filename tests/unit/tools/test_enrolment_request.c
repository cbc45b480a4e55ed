#include <string.h>

#include "common/base/cleanup.h"
#include "common/chain/enrolment_request.h"
#include "tests/support/support.h"

static struct signer fresh_signer(void) {
    struct pt_error err;
    struct signer signer;
    PT_CLEANUP(pt_buf_free) struct pt_buf pem = PT_BUF_INIT(4096);
    assert_ok(signer_mbedtls_generate(&pem, &err), &err);
    assert_ok(signer_mbedtls_from_pem(pt_buf_bytes(&pem), &signer, &err), &err);
    return signer;
}

static struct enrolment_request sample(void) {
    struct enrolment_request request = {.role = ACTOR_DEVICE,
                                        .name = "3号终端, pharmacy 1",
                                        .party = "urn:packtrail:party:pharmacy-1",
                                        .place = "https://id.gs1.org/414/9521321000010",
                                        .csr = PT_BUF_INIT(ENROLMENT_REQUEST_CSR_MAX)};
    pt_buf_str(&request.csr, "-----BEGIN CERTIFICATE REQUEST-----\n");
    return request;
}

static struct pt_buf signed_sample(struct signer *signer) {
    struct pt_error err;
    struct pt_buf out = PT_BUF_INIT(ENROLMENT_REQUEST_MAX);
    PT_CLEANUP(enrolment_request_free) struct enrolment_request request = sample();
    assert_ok(enrolment_request_sign(&request, signer, &out, &err), &err);
    return out;
}

static void comes_back_as_sent(void **state) {
    (void)state;
    struct pt_error err;
    PT_CLEANUP(signer_mbedtls_free) struct signer signer = fresh_signer();
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = signed_sample(&signer);
    PT_CLEANUP(enrolment_request_free) struct enrolment_request wanted = sample();
    PT_CLEANUP(enrolment_request_free) struct enrolment_request got = {0};
    assert_ok(enrolment_request_open(pt_buf_bytes(&bytes), &got, &err), &err);
    const struct pt_digest kid = verify_key_thumbprint(signer.key);
    assert_true(pt_digest_equal(&kid, &got.kid));
    assert_int_equal(got.role, wanted.role);
    assert_string_equal(got.name, wanted.name);
    assert_string_equal(got.party, wanted.party);
    assert_string_equal(got.place, wanted.place);
    assert_true(pt_bytes_equal(pt_buf_bytes(&got.csr), pt_buf_bytes(&wanted.csr)));
}

static void every_changed_byte_is_noticed(void **state) {
    (void)state;
    PT_CLEANUP(signer_mbedtls_free) struct signer signer = fresh_signer();
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = signed_sample(&signer);
    for (size_t i = 0; i < bytes.len; i++) {
        struct enrolment_request got;
        bytes.data[i] ^= 1;
        if (enrolment_request_open(pt_buf_bytes(&bytes), &got, NULL) == PT_OK) fail_msg("byte %zu may change", i);
        bytes.data[i] ^= 1;
    }
    for (size_t len = 0; len < bytes.len; len++) {
        struct enrolment_request got;
        assert_int_not_equal(enrolment_request_open(pt_bytes_of(bytes.data, len), &got, NULL), PT_OK);
    }
}

static void another_keys_signature_is_refused(void **state) {
    (void)state;
    struct pt_error err;
    struct enrolment_request got;
    PT_CLEANUP(signer_mbedtls_free) struct signer signer = fresh_signer();
    PT_CLEANUP(signer_mbedtls_free) struct signer other = fresh_signer();
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = signed_sample(&signer), foreign = signed_sample(&other);
    // Both are equally long: the signature is the last 64 bytes.
    memcpy(bytes.data + bytes.len - SIGNATURE_SIZE, foreign.data + foreign.len - SIGNATURE_SIZE, SIGNATURE_SIZE);
    assert_int_equal(enrolment_request_open(pt_buf_bytes(&bytes), &got, &err), PT_UNVERIFIED);
}

static void bad_fields_are_named(void **state) {
    (void)state;
    struct pt_error err;
    PT_CLEANUP(signer_mbedtls_free) struct signer signer = fresh_signer();
    PT_CLEANUP(pt_buf_free) struct pt_buf out = PT_BUF_INIT(ENROLMENT_REQUEST_MAX);
    PT_CLEANUP(enrolment_request_free) struct enrolment_request request = sample();
    strcpy(request.name, "line\nbreak");
    assert_int_equal(enrolment_request_sign(&request, &signer, &out, &err), PT_INVALID);
    assert_string_equal(err.where, "name");
    strcpy(request.name, "a");
    request.party[0] = '\0';
    assert_int_equal(enrolment_request_sign(&request, &signer, &out, &err), PT_INVALID);
    assert_string_equal(err.where, "party");
    strcpy(request.party, "a:b");
    strcpy(request.place, "\xff");
    assert_int_equal(enrolment_request_sign(&request, &signer, &out, &err), PT_INVALID);
    assert_string_equal(err.where, "place");
    request.place[0] = '\0';
    request.role = (enum actor_role)7;
    assert_int_equal(enrolment_request_sign(&request, &signer, &out, &err), PT_INVALID);
    assert_string_equal(err.where, "role");
    request.role = ACTOR_COMPANY;
    pt_buf_clear(&request.csr);
    assert_int_equal(enrolment_request_sign(&request, &signer, &out, &err), PT_INVALID);
    assert_string_equal(err.where, "certificate request");
    assert_int_equal(out.len, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_back_as_sent),
        cmocka_unit_test(every_changed_byte_is_noticed),
        cmocka_unit_test(another_keys_signature_is_refused),
        cmocka_unit_test(bad_fields_are_named),
    };
    return cmocka_run_group_tests_name("enrolment request", tests, NULL, NULL);
}
