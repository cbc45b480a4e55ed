// Certificates: what they say, what is refused, and what OpenSSL's own tool thinks of them.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/disk.h"
#include "common/crypto/signature.h"
#include "tests/support/support.h"
#include "tools/admin/x509.h"

static const pt_millis NOW = 1767225600000; // 2026-01-01
#define DAY ((pt_millis)86400 * 1000)

struct pair {
    struct pt_buf key, public_key;
};

static struct pair make_pair(void) {
    struct pt_error err;
    struct signer signer;
    struct pair pair = {PT_BUF_INIT(4096), PT_BUF_INIT(4096)};
    assert_ok(signer_openssl_generate(&pair.key, &err), &err);
    assert_ok(signer_openssl_from_pem(pt_buf_bytes(&pair.key), &signer, &err), &err);
    assert_ok(verify_key_to_pem(signer.key, &pair.public_key, &err), &err);
    signer_openssl_free(&signer);
    return pair;
}

static void pair_free(struct pair *pair) {
    pt_buf_free(&pair->key);
    pt_buf_free(&pair->public_key);
}

static struct x509_subject subject_of(const char *name, const char *const *hosts, size_t count) {
    return (struct x509_subject){.common_name = name,
                                 .organization = "西湖 Consortium, Ltd/O=x",
                                 .hosts = hosts,
                                 .host_count = count,
                                 .now = NOW,
                                 .days = 365};
}

static struct pt_buf make_authority(const struct pair *pair, unsigned days) {
    struct pt_error err;
    struct pt_buf out = PT_BUF_INIT(X509_PEM_MAX);
    struct x509_subject subject = subject_of("TLS authority", NULL, 0);
    subject.days = days;
    assert_ok(x509_make_authority(&subject, pt_buf_bytes(&pair->key), &out, &err), &err);
    return out;
}

struct world {
    struct pair authority_pair, pair;
    struct pt_buf authority;
};

static struct world make_world(void) {
    struct world world = {make_pair(), make_pair(), {0}};
    world.authority = make_authority(&world.authority_pair, 3650);
    return world;
}

static void world_free(struct world *world) {
    pair_free(&world->authority_pair);
    pair_free(&world->pair);
    pt_buf_free(&world->authority);
}

static enum pt_code issue(const struct world *world, const struct x509_subject *subject, struct pt_buf *out,
                          struct pt_error *err) {
    *out = PT_BUF_INIT(X509_PEM_MAX);
    return x509_issue(pt_buf_bytes(&world->authority), pt_buf_bytes(&world->authority_pair.key), subject,
                      pt_buf_bytes(&world->pair.public_key), out, err);
}

static void certificate_says_what_was_asked(void **state) {
    static const char *const hosts[] = {"gateway-1.example", "*.example.org", "10.1.2.3", "2001:db8::7"};
    (void)state;
    struct pt_error err;
    struct x509_info info;
    PT_CLEANUP(world_free) struct world world = make_world();
    PT_CLEANUP(pt_buf_free) struct pt_buf certificate = {0};
    const struct x509_subject subject = subject_of("gateway-1", hosts, 4);
    assert_ok(issue(&world, &subject, &certificate, &err), &err);
    assert_ok(x509_read(pt_buf_bytes(&certificate), &info, &err), &err);
    assert_string_equal(info.common_name, "gateway-1");
    assert_string_equal(info.organization, "西湖 Consortium, Ltd/O=x");
    assert_int_equal(info.host_count, 4);
    for (size_t i = 0; i < 4; i++) assert_string_equal(info.hosts[i], hosts[i]);
    assert_int_equal(info.not_before, NOW - 3600 * 1000);
    assert_int_equal(info.not_after, NOW + 365 * DAY);
    assert_ok(x509_check(pt_buf_bytes(&world.authority), pt_buf_bytes(&certificate),
                         pt_buf_bytes(&world.pair.public_key), NOW, &err),
              &err);
}

static void certificate_never_outlives_the_authority(void **state) {
    (void)state;
    struct pt_error err;
    struct x509_info info;
    PT_CLEANUP(world_free) struct world world = make_world();
    PT_CLEANUP(pt_buf_free) struct pt_buf certificate = {0};
    struct x509_subject subject = subject_of("a", NULL, 0);
    subject.days = 9000;
    assert_ok(issue(&world, &subject, &certificate, &err), &err);
    assert_ok(x509_read(pt_buf_bytes(&certificate), &info, &err), &err);
    assert_int_equal(info.not_after, NOW + 3650 * DAY);
}

static void checks_refuse(void **state) {
    (void)state;
    struct pt_error err;
    PT_CLEANUP(world_free) struct world world = make_world();
    PT_CLEANUP(world_free) struct world other = make_world();
    PT_CLEANUP(pt_buf_free) struct pt_buf certificate = {0};
    const struct x509_subject subject = subject_of("a", NULL, 0);
    assert_ok(issue(&world, &subject, &certificate, &err), &err);
    const struct pt_bytes authority = pt_buf_bytes(&world.authority), own = pt_buf_bytes(&certificate),
                          key = pt_buf_bytes(&world.pair.public_key);
    assert_int_equal(x509_check(pt_buf_bytes(&other.authority), own, key, NOW, &err), PT_UNVERIFIED);
    assert_int_equal(x509_check(authority, own, pt_buf_bytes(&other.pair.public_key), NOW, &err), PT_INVALID);
    assert_non_null(strstr(err.what, "another key"));
    assert_int_equal(x509_check(authority, own, key, NOW + 366 * DAY, &err), PT_UNVERIFIED);
    assert_non_null(strstr(err.what, "expired"));
    assert_int_equal(x509_check(authority, own, key, NOW - DAY, &err), PT_UNVERIFIED);
    // A certificate is no authority, an authority is no end's certificate.
    assert_int_equal(x509_check_authority(own, &err), PT_INVALID);
    assert_ok(x509_check_authority(authority, &err), &err);
    assert_int_equal(x509_check(authority, authority, pt_buf_bytes(&world.authority_pair.public_key), NOW, &err),
                     PT_UNVERIFIED);
    assert_int_equal(x509_check(own, authority, key, NOW, &err), PT_INVALID);
    assert_int_equal(x509_check_authority(pt_bytes_str("nonsense"), &err), PT_INVALID);
}

static void hosts_are_checked(void **state) {
    static const char *const bad[] = {
        "",   "a b",   "a,DNS:evil.example", "-a.example", "a..b",       "a.-b", "a-.b", "a.", ".a", "*",
        "*.", "a.*.b", "10.1.2.3/24",        "é.example",  "a_b.example"};
    (void)state;
    struct pt_error err;
    PT_CLEANUP(world_free) struct world world = make_world();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        PT_CLEANUP(pt_buf_free) struct pt_buf certificate = {0};
        const struct x509_subject subject = subject_of("a", &bad[i], 1);
        if (issue(&world, &subject, &certificate, &err) != PT_INVALID) fail_msg("'%s' was taken as a host", bad[i]);
        assert_string_equal(err.where, bad[i]);
    }
}

static void subjects_are_checked(void **state) {
    (void)state;
    struct pt_error err;
    char longer[66];
    memset(longer, 'a', 65);
    longer[65] = '\0';
    PT_CLEANUP(world_free) struct world world = make_world();
    PT_CLEANUP(pt_buf_free) struct pt_buf certificate = {0};
    struct x509_subject subject = subject_of(longer, NULL, 0);
    assert_int_equal(issue(&world, &subject, &certificate, &err), PT_INVALID);
    pt_buf_free(&certificate);
    subject = subject_of("a", NULL, 0);
    subject.organization = "";
    assert_int_equal(issue(&world, &subject, &certificate, &err), PT_INVALID);
}

static void authority_must_have_its_own_key(void **state) {
    (void)state;
    struct pt_error err;
    PT_CLEANUP(world_free) struct world world = make_world();
    PT_CLEANUP(pt_buf_free) struct pt_buf certificate = PT_BUF_INIT(X509_PEM_MAX);
    const struct x509_subject subject = subject_of("a", NULL, 0);
    assert_int_equal(x509_issue(pt_buf_bytes(&world.authority), pt_buf_bytes(&world.pair.key), &subject,
                                pt_buf_bytes(&world.pair.public_key), &certificate, &err),
                     PT_INVALID);
    assert_int_equal(certificate.len, 0);
}

static void requests_prove_their_key(void **state) {
    static const char *const hosts[] = {"a.example"};
    (void)state;
    struct pt_error err;
    PT_CLEANUP(world_free) struct world world = make_world();
    PT_CLEANUP(pt_buf_free)
    struct pt_buf request = PT_BUF_INIT(X509_PEM_MAX),
                  key = PT_BUF_INIT(4096), device = PT_BUF_INIT(X509_PEM_MAX);
    const struct x509_subject subject = subject_of("a", hosts, 1);
    assert_ok(x509_request_make(&subject, pt_buf_bytes(&world.pair.key), &request, &err), &err);
    assert_ok(x509_request_key(pt_buf_bytes(&request), &key, &err), &err);
    assert_true(pt_bytes_equal(pt_buf_bytes(&key), pt_buf_bytes(&world.pair.public_key)));
    // A request from a terminal, which uses another library.
    assert_ok(signer_mbedtls_csr(pt_buf_bytes(&world.pair.key), "CN=a,O=b", &device, &err), &err);
    pt_buf_clear(&key);
    assert_ok(x509_request_key(pt_buf_bytes(&device), &key, &err), &err);
    assert_true(pt_bytes_equal(pt_buf_bytes(&key), pt_buf_bytes(&world.pair.public_key)));
    // One character of the signature, near the end of the base64, changed.
    uint8_t *at = request.data + request.len - 60;
    while (*at == '\n' || *at == '-' || *at == '=') at--;
    *at = *at == 'A' ? 'B' : 'A';
    assert_int_not_equal(x509_request_key(pt_buf_bytes(&request), &key, &err), PT_OK);
    assert_int_equal(x509_request_key(pt_buf_bytes(&world.authority), &key, &err), PT_INVALID);
    assert_int_equal(x509_request_key((struct pt_bytes){NULL, 0}, &key, &err), PT_INVALID);
}

static bool openssl_says(const char *command, const char *wanted) {
    char line[4096];
    bool found = false;
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    while (fgets(line, sizeof line, pipe)) found = found || strstr(line, wanted);
    return pclose(pipe) == 0 && found;
}

static void openssl_agrees(void **state) {
    static const char *const hosts[] = {"a.example", "127.0.0.1"};
    (void)state;
    struct pt_error err;
    char scratch[256], path[300], command[1024];
    if (system("openssl version >/dev/null 2>&1") != 0) skip();
    PT_CLEANUP(world_free) struct world world = make_world();
    PT_CLEANUP(pt_buf_free) struct pt_buf certificate = {0};
    const struct x509_subject subject = subject_of("a", hosts, 2);
    assert_ok(issue(&world, &subject, &certificate, &err), &err);
    test_scratch(scratch);
    snprintf(path, sizeof path, "%s/ca.crt", scratch);
    assert_ok(pt_file_replace(path, pt_buf_bytes(&world.authority), 0644, &err), &err);
    snprintf(path, sizeof path, "%s/tls.crt", scratch);
    assert_ok(pt_file_replace(path, pt_buf_bytes(&certificate), 0644, &err), &err);
    for (const char *const *purpose = (const char *const[]){"sslserver", "sslclient", NULL}; *purpose; purpose++) {
        snprintf(command, sizeof command,
                 "openssl verify -x509_strict -attime %lld -purpose %s -verify_hostname a.example -CAfile %s/ca.crt "
                 "%s/tls.crt 2>&1",
                 (long long)(NOW / 1000), *purpose, scratch, scratch);
        assert_true(openssl_says(command, ": OK"));
    }
    snprintf(command, sizeof command, "openssl x509 -in %s/tls.crt -noout -text -nameopt utf8,sep_comma_plus", scratch);
    assert_true(openssl_says(command, "TLS Web Server Authentication, TLS Web Client Authentication"));
    assert_true(openssl_says(command, "DNS:a.example, IP Address:127.0.0.1"));
    assert_true(openssl_says(command, "CA:FALSE"));
    assert_true(openssl_says(command, "X509v3 Key Usage: critical"));
    assert_true(openssl_says(command, "NIST CURVE: P-256"));
    snprintf(command, sizeof command, "openssl x509 -in %s/ca.crt -noout -text", scratch);
    assert_true(openssl_says(command, "CA:TRUE, pathlen:0"));
    assert_true(openssl_says(command, "Certificate Sign, CRL Sign"));
    test_scratch_remove(scratch);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificate_says_what_was_asked),
        cmocka_unit_test(certificate_never_outlives_the_authority),
        cmocka_unit_test(checks_refuse),
        cmocka_unit_test(hosts_are_checked),
        cmocka_unit_test(subjects_are_checked),
        cmocka_unit_test(authority_must_have_its_own_key),
        cmocka_unit_test(requests_prove_their_key),
        cmocka_unit_test(openssl_agrees),
    };
    return cmocka_run_group_tests_name("X.509", tests, NULL, NULL);
}
