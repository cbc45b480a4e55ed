#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/net/net_fixture.h"

static char dir[256];
static char ca[300];
static char server_pem[300];
static char server_key[300];

static int make(void **state) {
    (void)state;
    test_scratch(dir);
    fixture_certificates(dir);
    snprintf(ca, sizeof ca, "%s/ca.pem", dir);
    snprintf(server_pem, sizeof server_pem, "%s/server.pem", dir);
    snprintf(server_key, sizeof server_key, "%s/server.key", dir);
    return 0;
}

static int unmake(void **state) {
    (void)state;
    test_scratch_remove(dir);
    return 0;
}

static struct https_server *start(enum https_client_auth auth, struct metrics *metrics) {
    return fixture_start((struct https_server_options){.certificate_file = server_pem, .key_file = server_key, .client_auth = auth,
                                                       .client_ca_file = ca, .handshake_timeout_ms = 500, .metrics = metrics});
}

// curl's answer to /whoami with the named client certificate (NULL: none).
static char *whoami(uint16_t port, const char *who, const char *more, int *status) {
    char certificate[600] = "";
    if (who) snprintf(certificate, sizeof certificate, "--cert '%s/%s.pem' --key '%s/%s.key'", dir, who, dir, who);
    return fixture_shell(status, "curl -sS %s --cacert '%s' %s https://127.0.0.1:%u/whoami 2>&1", more, ca, certificate, port);
}

static void assert_has(const char *text, const char *part) {
    assert_non_null(text);
    if (!strstr(text, part)) fail_msg("got: %.900s\nwanted: %s", text, part);
}

// The RFC 9679 thumbprint as the openssl command and sha256sum compute it.
static void expected_thumbprint(const char *who, char out[65]) {
    int status;
    char *found = fixture_shell(&status,
                                "cd '%s'; openssl pkey -in %s.key -pubout -outform DER 2>/dev/null | tail -c 64 > point; "
                                "{ printf '\\244\\001\\002\\040\\001\\041\\130\\040'; head -c 32 point; printf '\\042\\130\\040'; tail -c 32 point; } "
                                "| sha256sum", dir, who);
    assert_true(strlen(found) >= 64);
    memcpy(out, found, 64);
    out[64] = 0;
    free(found);
}

static void the_handler_sees_who_asks(void **state) {
    (void)state;
    struct https_server *server = start(HTTPS_CLIENT_REQUIRED, NULL);
    const uint16_t port = https_server_port(server);
    int status;
    char thumbprint[65];
    expected_thumbprint("client", thumbprint);
    for (int v = 0; v < 2; v++) {
        char *reply = whoami(port, "client", v ? "--tls-max 1.2" : "--tlsv1.3", &status);
        assert_int_equal(status, 0);
        assert_has(reply, "present=1 expired=0 cn=gateway-1 o=Apotheke thumbprint=");
        assert_has(reply, thumbprint);
        assert_has(reply, " peer=127.0.0.1");
        char *spki = fixture_shell(&status, "openssl pkey -in '%s/client.key' -pubout -outform DER 2>/dev/null | base64 -w0", dir);
        assert_has(reply, spki);
        free(spki);
        free(reply);
    }
    char *reply = whoami(port, "rsa", "", &status);
    assert_has(reply, "present=1 expired=0 cn=rsa o= thumbprint= spki=MIIB");
    free(reply);
    reply = whoami(port, "chained", "", &status);
    assert_has(reply, "cn=chained");
    free(reply);
    https_server_stop(server, 1000);
}

static void an_expired_certificate_is_let_through_marked(void **state) {
    (void)state;
    struct https_server *server = start(HTTPS_CLIENT_REQUIRED, NULL);
    int status;
    char thumbprint[65];
    expected_thumbprint("expired", thumbprint);
    char *reply = whoami(https_server_port(server), "expired", "", &status);
    assert_has(reply, "present=1 expired=1 cn=expired-1");
    assert_has(reply, thumbprint);
    free(reply);
    reply = whoami(https_server_port(server), "client", "", &status);  // the mark is the connection's own
    assert_has(reply, "present=1 expired=0");
    free(reply);
    https_server_stop(server, 1000);
}

static void whoever_does_not_verify_is_refused(void **state) {
    (void)state;
    struct metrics *metrics = metrics_new();
    int status;
    for (int optional = 0; optional < 2; optional++) {
        struct https_server *server = start(optional ? HTTPS_CLIENT_OPTIONAL : HTTPS_CLIENT_REQUIRED, metrics);
        const uint16_t port = https_server_port(server);
        static const char *const bad[] = {"stranger", "future", "wrong-use"};
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
            char *reply = whoami(port, bad[i], "", &status);
            if (status == 0) fail_msg("%s was let in: %s", bad[i], reply);
            free(reply);
        }
        char *reply = whoami(port, NULL, "", &status);
        if (optional) assert_has(reply, "present=0 expired=0 cn= o= thumbprint= spki= ");
        else assert_int_not_equal(status, 0);
        free(reply);
        https_server_stop(server, 1000);
    }
    assert_int_equal(metric_value(metrics_counter(metrics, "packtrail_https_tls_failures_total", NULL, "")), 7);
    metrics_free(metrics);
    struct https_server *server = start(HTTPS_CLIENT_NONE, NULL);
    char *reply = whoami(https_server_port(server), "client", "", &status);
    assert_has(reply, "present=0");  // not asked for, so not looked at
    free(reply);
    https_server_stop(server, 1000);
}

static void old_and_hostile_handshakes_end(void **state) {
    (void)state;
    struct https_server *server = start(HTTPS_CLIENT_NONE, NULL);
    const uint16_t port = https_server_port(server);
    int status;
    char *reply = whoami(port, NULL, "--tls-max 1.1 --ciphers DEFAULT@SECLEVEL=0", &status);
    assert_int_not_equal(status, 0);
    free(reply);
    const char *junk[] = {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\x16\x03\x01\xff\xff", "\x80\x2e\x01", "", "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00"};
    for (size_t i = 0; i < sizeof junk / sizeof *junk; i++) {
        const int fd = fixture_connect(port);
        fixture_send(fd, junk[i], i == 4 ? 10 : strlen(junk[i]));
        reply = fixture_read(fd, 4000);
        assert_null(strstr(reply, "HTTP/1.1 200"));
        free(reply);
        close(fd);
    }
    reply = fixture_shell(&status, "printf 'GET /hello HTTP/1.1\\r\\nHost: x\\r\\n\\r\\nGET /files/2 HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n' | "
                                   "timeout 5 openssl s_client -quiet -CAfile '%s' -connect 127.0.0.1:%u 2>/dev/null", ca, port);
    assert_has(reply, "hello");
    assert_has(reply, "\r\n\r\n2");
    free(reply);
    reply = fixture_shell(&status, "{ printf 'GET /'; printf '%%050000d' 0; } 2>/dev/null | "
                                   "timeout 5 openssl s_client -quiet -CAfile '%s' -connect 127.0.0.1:%u 2>/dev/null", ca, port);
    assert_has(reply, "HTTP/1.1 414 ");
    free(reply);
    reply = whoami(port, NULL, "", &status);
    assert_int_equal(status, 0);
    free(reply);
    https_server_stop(server, 1000);
}

static void large_bodies_go_both_ways(void **state) {
    (void)state;
    struct https_server *server = start(HTTPS_CLIENT_NONE, NULL);
    int status;
    char *reply = fixture_shell(&status,
                                "cd '%s'; head -c 2500000 /dev/urandom > up; for opt in '' '-H Transfer-Encoding:chunked' '-H Expect:'; do "
                                "curl -sS $opt --cacert ca.pem -T up https://127.0.0.1:%u/echo -o down && cmp up down || exit 1; done; "
                                "curl -sS --cacert ca.pem https://127.0.0.1:%u/big | wc -c; "
                                "curl -sS --cacert ca.pem --limit-rate 8M https://127.0.0.1:%u/big https://127.0.0.1:%u/big | md5sum; "
                                "curl -s -o /dev/null -w '%%{http_code}' --cacert ca.pem -T up https://127.0.0.1:%u/hello",
                                dir, https_server_port(server), https_server_port(server), https_server_port(server),
                                https_server_port(server), https_server_port(server));
    assert_int_equal(status, 0);
    assert_has(reply, "8388608\n");
    assert_has(reply, "405");
    free(reply);
    https_server_stop(server, 1000);
}

static void certificates_can_be_changed_while_serving(void **state) {
    (void)state;
    char fresh[300];
    snprintf(fresh, sizeof fresh, "%s/now.pem", dir);
    int status;
    free(fixture_shell(&status, "cd '%s'; cp server.pem now.pem; cp server.key now.key", dir));
    char key[300];
    snprintf(key, sizeof key, "%s/now.key", dir);
    struct https_server *server = fixture_start((struct https_server_options){.certificate_file = fresh, .key_file = key});
    const uint16_t port = https_server_port(server);
    struct pt_error err = {0};
    free(fixture_shell(&status, "cd '%s'; echo broken > now.pem", dir));
    assert_int_equal(https_server_reload(server, &err), PT_USAGE);
    char *reply = whoami(port, NULL, "", &status);
    assert_int_equal(status, 0);
    free(reply);
    free(fixture_shell(&status, "cd '%s'; cp stranger.pem now.pem", dir));
    assert_int_equal(https_server_reload(server, &err), PT_USAGE);  // not this key's
    free(fixture_shell(&status, "cd '%s'; cp stranger.key now.key", dir));
    assert_ok(https_server_reload(server, &err), &err);
    reply = whoami(port, NULL, "", &status);
    assert_int_equal(status, 60);
    free(reply);
    https_server_stop(server, 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_handler_sees_who_asks),
        cmocka_unit_test(an_expired_certificate_is_let_through_marked),
        cmocka_unit_test(whoever_does_not_verify_is_refused),
        cmocka_unit_test(old_and_hostile_handshakes_end),
        cmocka_unit_test(large_bodies_go_both_ways),
        cmocka_unit_test(certificates_can_be_changed_while_serving),
    };
    return cmocka_run_group_tests_name("net https tls", tests, make, unmake);
}
