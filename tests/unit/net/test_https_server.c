#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/json.h"
#include "tests/unit/net/net_fixture.h"

static void assert_starts(const char *text, const char *with) {
    if (strncmp(text, with, strlen(with)) != 0) fail_msg("got: %.300s\nwanted: %s", text, with);
}

static void assert_has(const char *text, const char *part) {
    assert_non_null(text);
    if (!strstr(text, part)) fail_msg("got: %.600s\nwanted: %s", text, part);
}

static size_t occurrences(const char *text, const char *part) {
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, part)); at += strlen(part)) count++;
    return count;
}

// The status of one raw request that the server answers and then closes for.
static void assert_status(uint16_t port, const char *request, unsigned status) {
    char expected[32];
    snprintf(expected, sizeof expected, "HTTP/1.1 %u ", status);
    char *reply = fixture_exchange(port, request);
    if (strncmp(reply, expected, strlen(expected)) != 0) fail_msg("request: %.200s\ngot: %.300s\nwanted: %u", request, reply, status);
    if (status >= 400) {
        assert_has(reply, "Content-Type: application/problem+json\r\n");
        const char *body = strstr(reply, "\r\n\r\n");
        assert_non_null(body);
        PT_JSON json_t *problem = NULL;
        struct pt_error err = {0};
        if (body[4]) {
            assert_ok(pt_json_parse(pt_bytes_str(body + 4), 1 << 16, &problem, &err), &err);
            assert_int_equal(json_integer_value(json_object_get(problem, "status")), status);
            assert_non_null(json_object_get(problem, "title"));
        }
    }
    free(reply);
}

#define CLOSE "Host: x\r\nConnection: close\r\n\r\n"

static void routes_parameters_and_queries_are_decoded(void **state) {
    (void)state;
    struct https_server *server = fixture_start((struct https_server_options){0});
    const uint16_t port = https_server_port(server);
    static const char *const cases[][2] = {
        {"/hello", "hello"},
        {"/", "hello"},
        {"/?x", "hello"},
        {"/verify/gtin/09506000134352/lot/A%2FB%20c/ser/%E8%8D%AF?exp=2026-01-01", "gtin=09506000134352 lot=A/B c serial=\xE8\x8D\xAF exp=2026-01-01 n=1"},
        {"/verify/gtin/1/lot/+/ser/a+b?exp=a+b%2B&exp=&&x", "gtin=1 lot=+ serial=a+b exp=a b+ n=2"},
        {"/files/a/b%2Fc/d", "a/b/c/d"},
        {"/files/fixed", "hello"},
        {"/files/fixed/x", "fixed/x"},
        {"/%68ello", "hello"},
        {"http://elsewhere/hello", "hello"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char request[400];
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\n" CLOSE, cases[i][0]);
        char *reply = fixture_exchange(port, request);
        assert_starts(reply, "HTTP/1.1 200 OK\r\n");
        assert_string_equal(strstr(reply, "\r\n\r\n") + 4, cases[i][1]);
        assert_has(reply, "X-Content-Type-Options: nosniff\r\n");
        assert_has(reply, "Cache-Control: no-store\r\n");
        assert_has(reply, " GMT\r\n");
        free(reply);
    }
    https_server_stop(server, 1000);
}

static void what_breaks_the_protocol_gets_its_status(void **state) {
    (void)state;
    struct https_server *server = fixture_start((struct https_server_options){.max_header_bytes = 2000});
    const uint16_t port = https_server_port(server);
    static const struct {
        const char *request;
        unsigned status;
    } cases[] = {
        {"GET /nowhere HTTP/1.1\r\n" CLOSE, 404},
        {"GET /hello/ HTTP/1.1\r\n" CLOSE, 404},
        {"GET /verify/gtin//lot/1/ser/2 HTTP/1.1\r\n" CLOSE, 404},
        {"DELETE /hello HTTP/1.1\r\n" CLOSE, 405},
        {"BREW /hello HTTP/1.1\r\n" CLOSE, 501},
        {"GET /hello HTTP/2.0\r\n" CLOSE, 505},
        {"GET /hello\r\n" CLOSE, 400},
        {"GET  /hello HTTP/1.1\r\n" CLOSE, 400},
        {"GET hello HTTP/1.1\r\n" CLOSE, 400},
        {" GET /hello HTTP/1.1\r\n" CLOSE, 400},
        {"GET /hello HTTP/1.1 \r\n" CLOSE, 400},
        {"GET /a%2 HTTP/1.1\r\n" CLOSE, 400},
        {"GET /a%zz HTTP/1.1\r\n" CLOSE, 400},
        {"GET /a%00b HTTP/1.1\r\n" CLOSE, 400},
        {"GET /a%ff HTTP/1.1\r\n" CLOSE, 400},
        {"GET /hello?a=%f HTTP/1.1\r\n" CLOSE, 400},
        {"GET /files/../hello HTTP/1.1\r\n" CLOSE, 400},
        {"GET /files/%2e%2e/hello HTTP/1.1\r\n" CLOSE, 400},
        {"GET /files/a%2f..%2fb HTTP/1.1\r\n" CLOSE, 400},
        {"GET /hel\x01lo HTTP/1.1\r\n" CLOSE, 400},
        {"GET /hello#x HTTP/1.1\r\n" CLOSE, 400},
        {"GET /hello HTTP/1.1\r\nConnection: close\r\n\r\n", 400},
        {"GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
        {"GET /hello HTTP/1.1\r\nHost : a\r\n\r\n", 400},
        {"GET /hello HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", 400},
        {"GET /hello HTTP/1.1\r\nHost: a\r\nX: a\x01\r\n\r\n", 400},
        {"GET /hello HTTP/1.1\r\nHost: a\r\nX: a\nY: b\r\n\r\n", 400},
        {"GET /hello HTTP/1.1\r\nHost: a\r\nX: a\rY: b\r\n\r\n", 400},
        {"GET /hello HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", 400},
        {"GET /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde", 413},
        {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nabcde", 400},
        {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\nabcde", 400},
        {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nabcde", 400},
        {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\nabcde", 400},
        {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n", 400},
        {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        {"POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        {"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
        {"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501},
        {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
        {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n", 400},
        {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\r\n", 400},
        {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", 400},
        {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 1001\r\n\r\n", 413},
        {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc", 415},
        {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: text/html\r\nContent-Length: 3\r\n\r\nabc", 415},
        {"POST /echo HTTP/1.1\r\nHost: a\r\nExpect: a pony\r\nContent-Length: 3\r\n\r\nabc", 417},
        {"GET /silent HTTP/1.1\r\n" CLOSE, 500},
        {"GET /broken/busy HTTP/1.1\r\n" CLOSE, 503},
        {"GET /broken/pointer HTTP/1.1\r\n" CLOSE, 422},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) assert_status(port, cases[i].request, cases[i].status);
    struct pt_buf long_one = PT_BUF_INIT(1 << 20);
    pt_buf_str(&long_one, "GET /");
    for (int i = 0; i < 3000; i++) pt_buf_byte(&long_one, 'a');
    assert_status(port, pt_buf_cstr(&long_one), 414);
    pt_buf_clear(&long_one);
    pt_buf_str(&long_one, "GET /hello HTTP/1.1\r\nHost: a\r\nX: ");
    for (int i = 0; i < 300000; i++) pt_buf_byte(&long_one, 'a');
    assert_status(port, pt_buf_cstr(&long_one), 431);
    pt_buf_clear(&long_one);
    pt_buf_str(&long_one, "GET /hello HTTP/1.1\r\n");
    for (int i = 0; i < 70; i++) pt_buf_printf(&long_one, "X%d: 1\r\n", i);
    pt_buf_str(&long_one, CLOSE);
    assert_status(port, pt_buf_cstr(&long_one), 431);
    pt_buf_clear(&long_one);
    pt_buf_str(&long_one, "GET /hello?");
    for (int i = 0; i < 70; i++) pt_buf_str(&long_one, "a&");
    pt_buf_str(&long_one, " HTTP/1.1\r\n" CLOSE);
    assert_status(port, pt_buf_cstr(&long_one), 414);
    pt_buf_free(&long_one);
    https_server_stop(server, 1000);
}

static void methods_head_and_options_are_answered(void **state) {
    (void)state;
    struct https_server *server = fixture_start((struct https_server_options){0});
    const uint16_t port = https_server_port(server);
    char *reply = fixture_exchange(port, "HEAD /hello HTTP/1.1\r\n" CLOSE);
    assert_starts(reply, "HTTP/1.1 200 OK\r\n");
    assert_has(reply, "Content-Length: 5\r\n");
    assert_string_equal(strstr(reply, "\r\n\r\n"), "\r\n\r\n");
    free(reply);
    reply = fixture_exchange(port, "DELETE /echo HTTP/1.1\r\n" CLOSE);
    assert_has(reply, "Allow: POST, PUT, OPTIONS\r\n");
    free(reply);
    reply = fixture_exchange(port, "OPTIONS /hello HTTP/1.1\r\n" CLOSE);
    assert_starts(reply, "HTTP/1.1 204 No Content\r\n");
    assert_has(reply, "Allow: GET, HEAD, OPTIONS\r\n");
    assert_null(strstr(reply, "Content-Length"));
    free(reply);
    reply = fixture_exchange(port, "OPTIONS * HTTP/1.1\r\n" CLOSE);
    assert_has(reply, "Allow: GET, HEAD, POST, PUT, OPTIONS\r\n");
    free(reply);
    reply = fixture_exchange(port, "GET /hello HTTP/1.0\r\n\r\n");
    assert_has(reply, "Connection: close\r\n");
    free(reply);
    reply = fixture_exchange(port, "GET /broken/pointer HTTP/1.1\r\n" CLOSE);
    assert_has(reply, "\"pointer\":\"/eventList/0/action\",\"position\":12");
    free(reply);
    reply = fixture_exchange(port, "GET /broken/internal HTTP/1.1\r\n" CLOSE);
    assert_starts(reply, "HTTP/1.1 500 ");
    assert_null(strstr(reply, "password"));
    assert_null(strstr(reply, "secret"));
    free(reply);
    reply = fixture_exchange(port, "GET /broken/busy HTTP/1.1\r\n" CLOSE);
    assert_has(reply, "Retry-After: 2\r\n");
    free(reply);
    https_server_stop(server, 1000);
}

static void a_handler_cannot_break_the_answer(void **state) {
    (void)state;
    struct https_server *server = fixture_start((struct https_server_options){0});
    char *reply = fixture_exchange(https_server_port(server),
                                   "POST /echo HTTP/1.1\r\nContent-Type: Text/Plain; charset=utf-8\r\nContent-Length: 3\r\n" CLOSE "abc");
    assert_starts(reply, "HTTP/1.1 201 Created\r\n");
    assert_has(reply, "X-Method: POST\r\n");
    assert_has(reply, "Cache-Control: max-age=60\r\n");
    assert_int_equal(occurrences(reply, "Content-Length"), 1);
    assert_int_equal(occurrences(reply, "HTTP/1.1"), 1);
    assert_null(strstr(reply, "Injected"));
    assert_null(strstr(reply, "Bad"));
    assert_null(strstr(reply, "no-store"));
    assert_string_equal(strstr(reply, "\r\n\r\n") + 4, "abc");
    free(reply);
    https_server_stop(server, 1000);
}

static void bodies_come_whole_in_any_pieces(void **state) {
    (void)state;
    struct https_server *server = fixture_start((struct https_server_options){0});
    const uint16_t port = https_server_port(server);
    static const char chunked[] = "PUT /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
                                  "3;ext=\"1\"\r\nabc\r\n00a\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n";
    for (size_t step = 1; step < 40; step += 3) {
        const int fd = fixture_connect(port);
        for (size_t at = 0; at < sizeof chunked - 1; at += step) {
            const size_t left = sizeof chunked - 1 - at;
            fixture_send(fd, chunked + at, left < step ? left : step);
            if (step < 8) usleep(300);
        }
        char *reply = fixture_read(fd, 2000);
        close(fd);
        assert_starts(reply, "HTTP/1.1 201 ");
        assert_string_equal(strstr(reply, "\r\n\r\n") + 4, "abc0123456789");
        free(reply);
    }
    // Large, so that the server's buffers move while it arrives.
    struct pt_buf large = PT_BUF_INIT((size_t)8 << 20);
    pt_buf_printf(&large, "PUT /echo HTTP/1.1\r\nContent-Length: %d\r\n" CLOSE, 2000000);
    for (int i = 0; i < 2000000; i++) pt_buf_byte(&large, (uint8_t)('a' + i % 23));
    char *reply = fixture_exchange(port, pt_buf_cstr(&large));
    const char *sent = strstr(pt_buf_cstr(&large), "\r\n\r\n") + 4;
    assert_starts(reply, "HTTP/1.1 201 ");
    assert_true(strcmp(strstr(reply, "\r\n\r\n") + 4, sent) == 0);
    free(reply);
    pt_buf_free(&large);
    // A chunked body past the route's ceiling.
    struct pt_buf over = PT_BUF_INIT(1 << 20);
    pt_buf_str(&over, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 11; i++) {
        pt_buf_str(&over, "64\r\n");
        for (int j = 0; j < 100; j++) pt_buf_byte(&over, 'x');
        pt_buf_str(&over, "\r\n");
    }
    assert_status(port, pt_buf_cstr(&over), 413);
    pt_buf_free(&over);
    https_server_stop(server, 1000);
}

static void a_body_too_large_is_told_even_while_it_is_sent(void **state) {
    (void)state;
    struct https_server *server = fixture_start((struct https_server_options){0});
    const uint16_t port = https_server_port(server);
    const size_t size = (size_t)20 << 20;
    char *text = malloc(size + 200);
    assert_non_null(text);
    const int head = snprintf(text, 200, "PUT /echo HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", size);
    memset(text + head, 'x', size);
    const int fd = fixture_connect(port);
    fixture_send(fd, text, (size_t)head + size);
    char *reply = fixture_read(fd, 3000);
    assert_starts(reply, "HTTP/1.1 413 ");
    free(reply);
    free(text);
    close(fd);
    https_server_stop(server, 1000);
}

static void expect_100_continue_is_answered_before_the_body(void **state) {
    (void)state;
    struct https_server *server = fixture_start((struct https_server_options){0});
    const uint16_t port = https_server_port(server);
    const int fd = fixture_connect(port);
    static const char head[] = "PUT /echo HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n" CLOSE;
    fixture_send(fd, head, sizeof head - 1);
    char *reply = fixture_read(fd, 300);
    assert_string_equal(reply, "HTTP/1.1 100 Continue\r\n\r\n");
    free(reply);
    fixture_send(fd, "abc", 3);
    reply = fixture_read(fd, 2000);
    assert_starts(reply, "HTTP/1.1 201 ");
    free(reply);
    close(fd);
    assert_status(port, "POST /echo HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3000\r\n" CLOSE, 413);
    https_server_stop(server, 1000);
}

static void pipelined_requests_are_answered_in_order(void **state) {
    (void)state;
    struct https_server *server = fixture_start((struct https_server_options){0});
    const uint16_t port = https_server_port(server);
    struct pt_buf all = PT_BUF_INIT(1 << 20);
    for (int i = 0; i < 200; i++) {
        if (i % 7 == 3) pt_buf_printf(&all, "GET /later?ms=%d HTTP/1.1\r\nHost: x\r\n\r\n", i % 3);
        else if (i % 5 == 1) pt_buf_printf(&all, "PUT /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nN%04d", i);
        else pt_buf_printf(&all, "GET /files/N%04d HTTP/1.1\r\nHost: x\r\n\r\n", i);
    }
    pt_buf_str(&all, "GET /hello HTTP/1.1\r\n" CLOSE);
    char *reply = fixture_exchange(port, pt_buf_cstr(&all));
    const char *at = reply;
    for (int i = 0; i < 200; i++) {
        char expected[16];
        if (i % 7 == 3) snprintf(expected, sizeof expected, "\r\n\r\nlate");
        else snprintf(expected, sizeof expected, "\r\n\r\nN%04d", i);
        at = strstr(at, "\r\n\r\n");
        assert_non_null(at);
        assert_starts(at, expected);
        at += 4;
    }
    assert_int_equal(occurrences(reply, "HTTP/1.1 "), 201);
    free(reply);
    pt_buf_free(&all);
    https_server_stop(server, 1000);
}

static void a_half_closed_client_still_gets_its_answer(void **state) {
    (void)state;
    struct https_server *server = fixture_start((struct https_server_options){0});
    for (int i = 0; i < 2; i++) {
        const int fd = fixture_connect(https_server_port(server));
        const char *request = i ? "GET /later?ms=200 HTTP/1.1\r\nHost: x\r\n\r\n" : "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";
        fixture_send(fd, request, strlen(request));
        shutdown(fd, SHUT_WR);
        char *reply = fixture_read(fd, 2000);
        assert_starts(reply, "HTTP/1.1 200 ");
        assert_has(reply, i ? "\r\n\r\nlate" : "\r\n\r\nhello");
        free(reply);
        close(fd);
    }
    https_server_stop(server, 1000);
}

static void slow_requests_run_out_of_time(void **state) {
    (void)state;
    struct https_server *server =
        fixture_start((struct https_server_options){.request_timeout_ms = 400, .idle_timeout_ms = 300});
    const uint16_t port = https_server_port(server);
    const int idle = fixture_connect(port);
    const int drip = fixture_connect(port);
    const int half = fixture_connect(port);
    fixture_send(half, "PUT /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab", 53);
    for (int i = 0; i < 12; i++) {
        fixture_send(drip, &"GET /hello HTTP/1.1"[i], 1);
        usleep(50000);
    }
    char *reply = fixture_read(drip, 1000);
    assert_starts(reply, "HTTP/1.1 408 ");
    free(reply);
    reply = fixture_read(half, 1000);
    assert_starts(reply, "HTTP/1.1 408 ");
    free(reply);
    reply = fixture_read(idle, 1000);
    assert_string_equal(reply, "");
    char byte;
    assert_int_equal(recv(idle, &byte, 1, MSG_DONTWAIT), 0);  // closed, not merely quiet
    free(reply);
    close(idle);
    close(drip);
    close(half);
    https_server_stop(server, 1000);
}

static void a_client_that_takes_nothing_is_dropped(void **state) {
    (void)state;
    struct https_server *server = fixture_start((struct https_server_options){.reply_timeout_ms = 300});
    const int fd = fixture_connect(https_server_port(server));
    const char *request = "GET /big HTTP/1.1\r\nHost: x\r\n\r\n";
    for (int i = 0; i < 4; i++) fixture_send(fd, request, strlen(request));
    usleep(800000);
    char *reply = fixture_read(fd, 500);
    assert_starts(reply, "HTTP/1.1 200 ");
    assert_true(strlen(reply) < (size_t)4 * 8 * 1024 * 1024);
    free(reply);
    close(fd);
    https_server_stop(server, 100);
}

static void deferred_answers_survive_whatever_happens_to_the_client(void **state) {
    (void)state;
    struct https_server *server = fixture_start((struct https_server_options){.threads = 2, .deferred_timeout_ms = 300});
    const uint16_t port = https_server_port(server);
    const char *request = "GET /later?ms=150 HTTP/1.1\r\nHost: x\r\n\r\n";
    for (int i = 0; i < 20; i++) {
        const int fd = fixture_connect(port);
        fixture_send(fd, request, strlen(request));
        if (i % 2) {
            const struct linger reset = {1, 0};
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        }
        close(fd);
    }
    char *reply = fixture_exchange(port, "GET /later?ms=100 HTTP/1.1\r\n" CLOSE);
    assert_has(reply, "\r\n\r\nlate");
    free(reply);
    reply = fixture_exchange(port, "GET /later?ms=600 HTTP/1.1\r\n" CLOSE);
    assert_starts(reply, "HTTP/1.1 503 ");
    assert_has(reply, "Retry-After");
    free(reply);
    const int fd = fixture_connect(port);
    fixture_send(fd, "GET /later?ms=200 HTTP/1.1\r\nHost: x\r\n\r\n", 40);
    usleep(50000);
    https_server_stop(server, 0);  // the handle is still to be answered
    close(fd);
    fixture_deferred_wait();
}

static void stopping_finishes_what_is_under_way(void **state) {
    (void)state;
    struct https_server *server = fixture_start((struct https_server_options){.threads = 2});
    const uint16_t port = https_server_port(server);
    const int idle = fixture_connect(port);
    const int busy = fixture_connect(port);
    fixture_send(busy, "GET /later?ms=300 HTTP/1.1\r\nHost: x\r\n\r\n", 40);
    usleep(100000);
    https_server_stop(server, 3000);
    char *reply = fixture_read(busy, 1000);
    assert_starts(reply, "HTTP/1.1 200 ");
    assert_has(reply, "Connection: close\r\n");
    free(reply);
    reply = fixture_read(idle, 1000);
    assert_string_equal(reply, "");
    free(reply);
    close(idle);
    close(busy);
    fixture_deferred_wait();
}

static void limits_on_connections_and_requests_hold(void **state) {
    (void)state;
    struct metrics *metrics = metrics_new();
    struct https_server *server = fixture_start(
        (struct https_server_options){.max_connections = 4, .max_in_flight = 2, .max_requests = 3, .metrics = metrics});
    const uint16_t port = https_server_port(server);
    int fds[6];
    for (int i = 0; i < 6; i++) fds[i] = fixture_connect(port);
    usleep(100000);
    const char *later = "GET /later?ms=400 HTTP/1.1\r\nHost: x\r\n\r\n";
    for (int i = 0; i < 3; i++) fixture_send(fds[i], later, strlen(later));
    char *reply = fixture_read(fds[2], 200);
    assert_starts(reply, "HTTP/1.1 503 ");
    free(reply);
    reply = fixture_read(fds[0], 800);
    assert_starts(reply, "HTTP/1.1 200 ");
    free(reply);
    reply = fixture_read(fds[5], 500);
    assert_string_equal(reply, "");
    free(reply);
    for (int i = 0; i < 4; i++) fixture_send(fds[0], "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n", 32);
    reply = fixture_read(fds[0], 300);
    assert_int_equal(occurrences(reply, "HTTP/1.1 200 "), 2);  // the third of the connection is its last
    free(reply);
    for (int i = 0; i < 6; i++) close(fds[i]);
    struct pt_buf text = PT_BUF_INIT(1 << 20);
    metrics_write(metrics, &text);
    assert_has(pt_buf_cstr(&text), "packtrail_https_connections_refused_total 2\n");
    assert_has(pt_buf_cstr(&text), "packtrail_https_requests_total{route=\"/later\",status=\"503\"} 1\n");
    assert_has(pt_buf_cstr(&text), "packtrail_https_request_seconds_count{route=\"/hello\"} 2\n");
    pt_buf_free(&text);
    https_server_stop(server, 1000);
    fixture_deferred_wait();
    metrics_free(metrics);
}

static void *ask_often(void *arg) {
    const uint16_t port = *(const uint16_t *)arg;
    for (int i = 0; i < 60; i++) {
        const char *request = i % 3 ? "GET /hello HTTP/1.1\r\n" CLOSE : "GET /later?ms=1 HTTP/1.1\r\n" CLOSE;
        char *reply = fixture_exchange(port, request);
        if (strncmp(reply, "HTTP/1.1 200 ", 13) != 0) abort();
        free(reply);
    }
    return NULL;
}

static void many_clients_at_once_are_served(void **state) {
    (void)state;
    struct metrics *metrics = metrics_new();
    struct https_server *server = fixture_start((struct https_server_options){.threads = 2, .metrics = metrics});
    uint16_t port = https_server_port(server);
    pthread_t threads[8];
    for (size_t i = 0; i < 8; i++) assert_int_equal(pthread_create(&threads[i], NULL, ask_often, &port), 0);
    for (size_t i = 0; i < 8; i++) pthread_join(threads[i], NULL);
    https_server_stop(server, 1000);
    fixture_deferred_wait();
    struct pt_buf text = PT_BUF_INIT(1 << 20);
    metrics_write(metrics, &text);
    assert_has(pt_buf_cstr(&text), "packtrail_https_requests_total{route=\"/hello\",status=\"200\"} 320\n");
    assert_has(pt_buf_cstr(&text), "packtrail_https_in_flight 0\n");
    assert_has(pt_buf_cstr(&text), "packtrail_https_connections 0\n");
    pt_buf_free(&text);
    metrics_free(metrics);
}

static void a_greedy_client_is_slowed_down(void **state) {
    (void)state;
    struct metrics *metrics = metrics_new();
    struct https_server *server = fixture_start((struct https_server_options){.anonymous_rate = 1, .anonymous_burst = 3, .metrics = metrics});
    const uint16_t port = https_server_port(server);
    for (int i = 0; i < 5; i++) {
        char *reply = fixture_exchange(port, "GET /hello HTTP/1.1\r\n" CLOSE);
        assert_has(reply, i < 3 ? "HTTP/1.1 200 " : "HTTP/1.1 429 Too Many Requests\r\n");
        if (i >= 3) assert_has(reply, "Retry-After: 1\r\n");
        if (i >= 3) assert_has(reply, "application/problem+json");
        free(reply);
    }
    struct pt_buf text = PT_BUF_INIT(1 << 20);
    metrics_write(metrics, &text);
    assert_has(pt_buf_cstr(&text), "packtrail_https_rate_limited_total 2\n");
    pt_buf_free(&text);
    https_server_stop(server, 1000);
    metrics_free(metrics);
}

static void what_cannot_be_served_is_refused_at_start(void **state) {
    (void)state;
    struct pt_error err = {0};
    struct https_server *server = fixture_start((struct https_server_options){0});
    struct https_server *second = NULL;
    const struct https_route route = {HTTPS_GET, "/x", 0, NULL, (https_handler *)abort, NULL};
    const struct https_server_options taken = {.plain = true, .port = https_server_port(server)};
    assert_int_equal(https_server_start(&taken, &route, 1, &second, &err), PT_IO);
    const struct https_server_options outside = {.plain = true, .address = "0.0.0.0"};
    assert_int_equal(https_server_start(&outside, &route, 1, &second, &err), PT_USAGE);
    const struct https_server_options keyless = {0};
    assert_int_equal(https_server_start(&keyless, &route, 1, &second, &err), PT_USAGE);
    const struct https_server_options named = {.plain = true, .address = "localhost"};
    assert_int_equal(https_server_start(&named, &route, 1, &second, &err), PT_USAGE);
    static const char *const patterns[] = {"x", "/{a*}/b", "/a{b}", "/{*}", "/x", NULL};
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        const struct https_route two[] = {route, {HTTPS_GET, patterns[i], 0, NULL, route.handler, NULL}};
        const struct https_server_options plain = {.plain = true};
        if (https_server_start(&plain, two, 2, &second, &err) != PT_USAGE) fail_msg("accepted: %s", patterns[i]);
        assert_null(second);
    }
    https_server_stop(server, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(routes_parameters_and_queries_are_decoded),
        cmocka_unit_test(what_breaks_the_protocol_gets_its_status),
        cmocka_unit_test(methods_head_and_options_are_answered),
        cmocka_unit_test(a_handler_cannot_break_the_answer),
        cmocka_unit_test(bodies_come_whole_in_any_pieces),
        cmocka_unit_test(a_body_too_large_is_told_even_while_it_is_sent),
        cmocka_unit_test(expect_100_continue_is_answered_before_the_body),
        cmocka_unit_test(pipelined_requests_are_answered_in_order),
        cmocka_unit_test(a_half_closed_client_still_gets_its_answer),
        cmocka_unit_test(slow_requests_run_out_of_time),
        cmocka_unit_test(a_client_that_takes_nothing_is_dropped),
        cmocka_unit_test(deferred_answers_survive_whatever_happens_to_the_client),
        cmocka_unit_test(stopping_finishes_what_is_under_way),
        cmocka_unit_test(limits_on_connections_and_requests_hold),
        cmocka_unit_test(many_clients_at_once_are_served),
        cmocka_unit_test(a_greedy_client_is_slowed_down),
        cmocka_unit_test(what_cannot_be_served_is_refused_at_start),
    };
    return cmocka_run_group_tests_name("net https server", tests, NULL, NULL);
}
