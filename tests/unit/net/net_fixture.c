#include "tests/unit/net/net_fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/text.h"

static void hello(void *arg, struct https_request *request) {
    (void)arg;
    https_reply_text(request, 200, "text/plain", pt_bytes_str("hello"));
}

static void verify(void *arg, struct https_request *request) {
    (void)arg;
    struct pt_buf body = PT_BUF_INIT(4096);
    pt_buf_printf(&body, "gtin=%s lot=%s serial=%s exp=%s", https_request_param(request, "gtin"),
                  https_request_param(request, "lot"), https_request_param(request, "serial"),
                  https_request_query(request, "exp", 0) ? https_request_query(request, "exp", 0) : "-");
    pt_buf_printf(&body, " n=%zu", https_request_query_count(request, "exp"));
    if (https_request_param(request, "none") || https_request_query(request, "exp", 9)) pt_buf_str(&body, " WRONG");
    https_reply_text(request, 200, "text/plain", pt_buf_bytes(&body));
    pt_buf_free(&body);
}

static void rest(void *arg, struct https_request *request) {
    (void)arg;
    https_reply_text(request, 200, "text/plain", pt_bytes_str(https_request_param(request, "rest")));
}

static void echo(void *arg, struct https_request *request) {
    (void)arg;
    const struct https_header headers[] = {{"X-Method", https_request_method(request) == HTTPS_POST ? "POST" : "PUT"},
                                           {"X-Bad", "a\r\nInjected: yes"},
                                           {"Bad\nName", "x"},
                                           {"Content-Length", "7"},
                                           {"Cache-Control", "max-age=60"}};
    const struct https_response response = {201, "application/octet-stream", headers, 5, https_request_body(request)};
    https_reply(request, &response);
    https_reply_text(request, 200, "text/plain", pt_bytes_str("a second answer goes nowhere"));
}

static _Atomic unsigned deferred_open;

struct later {
    struct https_deferred *deferred;
    int ms;
};

static void *answer_later(void *arg) {
    struct later *later = arg;
    usleep((useconds_t)later->ms * 1000);
    const struct https_response response = {.status = 200, .content_type = "text/plain", .body = pt_bytes_str("late")};
    https_reply_later(later->deferred, &response);
    free(later);
    atomic_fetch_sub(&deferred_open, 1);
    return NULL;
}

static void later(void *arg, struct https_request *request) {
    (void)arg;
    const char *ms = https_request_query(request, "ms", 0);
    struct later *job = malloc(sizeof *job);
    if (!job) abort();
    job->ms = ms ? atoi(ms) : 0;
    job->deferred = https_request_defer(request);
    atomic_fetch_add(&deferred_open, 1);
    pthread_t thread;
    if (pthread_create(&thread, NULL, answer_later, job) != 0) abort();
    pthread_detach(thread);
}

unsigned fixture_deferred_open(void) { return atomic_load(&deferred_open); }

void fixture_deferred_wait(void) {
    for (int i = 0; atomic_load(&deferred_open) > 0; i++) {
        if (i > 1000) fail_msg("deferred requests stay open");
        usleep(10000);
    }
}

static void whoami(void *arg, struct https_request *request) {
    (void)arg;
    const struct https_identity *identity = https_request_identity(request);
    struct pt_buf body = PT_BUF_INIT(4096);
    char thumbprint[65] = "";
    if (identity->has_thumbprint) pt_digest_hex(&identity->thumbprint, thumbprint);
    pt_buf_printf(&body, "present=%d expired=%d cn=%s o=%s thumbprint=%s spki=", identity->present, identity->expired,
                  identity->common_name, identity->organisation, thumbprint);
    pt_base64_append(&body, identity->spki);
    pt_buf_printf(&body, " peer=%s", https_request_peer(request));
    https_reply_text(request, 200, "text/plain", pt_buf_bytes(&body));
    pt_buf_free(&body);
}

static void silent(void *arg, struct https_request *request) {
    (void)arg;
    (void)request;
}

static void big(void *arg, struct https_request *request) {
    (void)arg;
    const size_t len = 8u << 20;
    uint8_t *body = malloc(len);
    if (!body) abort();
    for (size_t i = 0; i < len; i++) body[i] = (uint8_t)('a' + i % 26);
    https_reply_text(request, 200, "text/plain", pt_bytes_of(body, len));
    free(body);
}

static void broken(void *arg, struct https_request *request) {
    (void)arg;
    struct pt_error err;
    const char *kind = https_request_param(request, "kind");
    if (strcmp(kind, "pointer") == 0) pt_fail_at(&err, PT_INVALID, 12, "/eventList/0/action", "must be \"ADD\"");
    else if (strcmp(kind, "busy") == 0) pt_fail(&err, PT_UNAVAILABLE, "/srv/spool", "the disk is full");
    else pt_fail(&err, PT_INTERNAL, "/srv/secret", "password 123");
    https_reply_problem(request, &err);
}

static void redirect(void *arg, struct https_request *request) {
    (void)arg;
    const struct https_header headers[] = {{"Location", "/hello"}};
    const struct https_response response = {.status = 302, .headers = headers, .header_count = 1};
    https_reply(request, &response);
}

static const struct https_route routes[] = {
    {HTTPS_GET, "/hello", 0, NULL, hello, NULL},
    {HTTPS_GET, "/", 0, NULL, hello, NULL},
    {HTTPS_GET, "/verify/gtin/{gtin}/lot/{lot}/ser/{serial}", 0, NULL, verify, NULL},
    {HTTPS_GET, "/files/{rest*}", 0, NULL, rest, NULL},
    {HTTPS_GET, "/files/fixed", 0, NULL, hello, NULL},
    {HTTPS_POST, "/echo", 1000, "text/plain application/cbor", echo, NULL},
    {HTTPS_PUT, "/echo", 3000000, NULL, echo, NULL},
    {HTTPS_GET, "/later", 0, NULL, later, NULL},
    {HTTPS_POST, "/later", 1000, NULL, later, NULL},
    {HTTPS_GET, "/whoami", 0, NULL, whoami, NULL},
    {HTTPS_GET, "/silent", 0, NULL, silent, NULL},
    {HTTPS_GET, "/big", 0, NULL, big, NULL},
    {HTTPS_GET, "/broken/{kind}", 0, NULL, broken, NULL},
    {HTTPS_GET, "/redirect", 0, NULL, redirect, NULL},
};

struct https_server *fixture_start(struct https_server_options options) {
    struct pt_error err = {0};
    struct https_server *server;
    if (!options.certificate_file) options.plain = true;
    assert_ok(https_server_start(&options, routes, sizeof routes / sizeof *routes, &server, &err), &err);
    assert_true(https_server_port(server) > 0);
    return server;
}

int fixture_connect(uint16_t port) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    if (connect(fd, (const struct sockaddr *)(const void *)&address, sizeof address) != 0)
        fail_msg("cannot connect: %s", strerror(errno));
    return fd;
}

void fixture_send(int fd, const char *text, size_t len) {
    for (size_t done = 0; done < len;) {
        const ssize_t put = send(fd, text + done, len - done, MSG_NOSIGNAL);
        if (put <= 0) return;  // the server may well have had enough
        done += (size_t)put;
    }
}

char *fixture_read(int fd, int ms) {
    struct pt_buf all = PT_BUF_INIT((size_t)64 << 20);
    for (;;) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        uint8_t chunk[65536];
        if (poll(&wait, 1, ms) <= 0) break;
        const ssize_t got = recv(fd, chunk, sizeof chunk, 0);
        if (got <= 0) break;
        pt_buf_append(&all, chunk, (size_t)got);
    }
    char *text = strdup(pt_buf_cstr(&all));
    pt_buf_free(&all);
    return text;
}

char *fixture_exchange(uint16_t port, const char *text) {
    const int fd = fixture_connect(port);
    fixture_send(fd, text, strlen(text));
    char *reply = fixture_read(fd, 3000);
    close(fd);
    return reply;
}

char *fixture_shell(int *status, const char *fmt, ...) {
    char command[4096];
    va_list args;
    va_start(args, fmt);
    const int len = vsnprintf(command, sizeof command, fmt, args);
    va_end(args);
    assert_true(len > 0 && (size_t)len < sizeof command);
    FILE *pipe = popen(command, "re");
    assert_non_null(pipe);
    struct pt_buf out = PT_BUF_INIT((size_t)32 << 20);
    char chunk[65536];
    size_t got;
    while ((got = fread(chunk, 1, sizeof chunk, pipe)) > 0) pt_buf_append(&out, chunk, got);
    const int ended = pclose(pipe);
    if (status) *status = WIFEXITED(ended) ? WEXITSTATUS(ended) : -1;
    char *text = strdup(pt_buf_cstr(&out));
    pt_buf_free(&out);
    return text;
}

void fixture_certificates(const char *dir) {
    static const char script[] =
        "set -e; cd '%s'; exec 2>err.log\n"
        "key() { openssl ecparam -name prime256v1 -genkey -noout -out $1.key; }\n"
        "ca() { key $1; openssl req -x509 -new -key $1.key -subj \"/O=Test $1\" -days 30 -out $1.pem; }\n"
        "printf 'subjectAltName=IP:127.0.0.1,DNS:localhost\\n' > server.ext\n"
        "printf 'basicConstraints=critical,CA:true\\n' > ca.ext\n"
        "printf '[v]\\nextendedKeyUsage=serverAuth\\n[ca]\\ndefault_ca=d\\n[d]\\ndatabase=index.txt\\nserial=serial\\nnew_certs_dir=.\\n"
        "default_md=sha256\\npolicy=p\\nunique_subject=no\\n[p]\\nO=optional\\nCN=optional\\n' > ca.cnf\n"
        "sign() { openssl req -new -key $1.key -subj \"$3\" -out $1.csr; openssl x509 -req -in $1.csr -CA $2.pem -CAkey $2.key "
        "-CAcreateserial -days 30 -out $1.pem $4 $5 $6 $7; }\n"
        "ca ca; ca other-ca\n"
        "key server; sign server ca /CN=localhost -extfile server.ext\n"
        "key client; sign client ca '/O=Apotheke/CN=gateway-1'\n"
        "key stranger; sign stranger other-ca '/CN=stranger'\n"
        "key wrong-use; sign wrong-use ca '/CN=wrong-use' -extfile ca.cnf -extensions v\n"
        "key middle; sign middle ca '/O=Middle' -extfile ca.ext\n"
        "key chained; sign chained middle '/CN=chained'; cat middle.pem >> chained.pem\n"
        "openssl genrsa -out rsa.key 2048; sign rsa ca '/CN=rsa'\n"
        ": > index.txt; echo 01 > serial\n"
        "key expired; openssl req -new -key expired.key -subj '/CN=expired-1' -out expired.csr\n"
        "openssl ca -batch -config ca.cnf -notext -in expired.csr -cert ca.pem -keyfile ca.key -out expired.pem "
        "-startdate 20200101000000Z -enddate 20200201000000Z\n"
        "key future; openssl req -new -key future.key -subj '/CN=future' -out future.csr\n"
        "openssl ca -batch -config ca.cnf -notext -in future.csr -cert ca.pem -keyfile ca.key -out future.pem "
        "-startdate 20900101000000Z -enddate 20910101000000Z\n";
    int status;
    free(fixture_shell(&status, script, dir));
    if (status != 0) {
        char path[512];
        snprintf(path, sizeof path, "%s/err.log", dir);
        struct pt_buf why = test_read_file(path);
        fail_msg("the certificates could not be made: %s", pt_buf_cstr(&why));
    }
}
