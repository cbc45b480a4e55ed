#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/net/https_internal.h"
#include "common/net/problem.h"

// A refusal while the body may still be on its way ends the connection: where the next request begins is unknown.
static void refuse(struct https_connection *connection, unsigned status, const char *detail, const char *fields) {
    struct https_request *request = &connection->request;
    if (connection->state == HTTPS_READ_BODY || request->head.content_length > 0 || request->head.chunked)
        connection->closing = connection->unread = true;
    https_answer_status(connection, status, detail, fields);
}

static void refuse_head(struct https_connection *connection, unsigned status, const char *detail) {
    memset(&connection->request.head, 0, sizeof connection->request.head);
    connection->closing = connection->unread = true;
    https_answer_status(connection, status, detail, NULL);
}

static void begin_request(struct https_request *request) {
    pt_arena_reset(&request->arena);
    request->path.count = 0;
    request->query.count = 0;
    request->params.count = 0;
    request->route = NULL;
    request->body = pt_bytes_of(NULL, 0);
    request->method = 0;
    request->answered = false;
    request->started_ns = https_now_ns();
}

static bool media_type_listed(const char *types, const char *value) {
    const size_t len = strcspn(value, "; \t");
    for (const char *at = types; *at;) {
        at += strspn(at, " ");
        const size_t word = strcspn(at, " ");
        if (word == len && word > 0 && strncasecmp(at, value, len) == 0) return true;
        at += word;
    }
    return false;
}

static void answer_options(struct https_connection *connection, unsigned allowed) {
    struct pt_buf fields = PT_BUF_INIT(256);
    pt_buf_str(&fields, "Allow: ");
    https_methods_append(&fields, allowed);
    pt_buf_str(&fields, "\r\n");
    https_answer(connection, 204, pt_buf_bytes(&fields), pt_bytes_of(NULL, 0));
    pt_buf_free(&fields);
}

static void refuse_method(struct https_connection *connection, unsigned allowed) {
    struct pt_buf fields = PT_BUF_INIT(256);
    pt_buf_str(&fields, "Allow: ");
    https_methods_append(&fields, allowed);
    pt_buf_str(&fields, "\r\n");
    refuse(connection, 405, "the path has other methods", pt_buf_cstr(&fields));
    pt_buf_free(&fields);
}

// Finds the route; false when the request has been answered.
static bool find_route(struct https_connection *connection) {
    struct https_request *request = &connection->request;
    const struct https_routes *routes = &connection->worker->server->routes;
    struct pt_error err;
    request->method = https_method_bit(request->head.method);
    if (request->method == 0) return refuse(connection, 501, "unknown method", NULL), false;
    if (strcmp(request->head.path, "*") == 0) return answer_options(connection, routes->all_methods), false;
    enum pt_code code = http_path_parse(&request->arena, pt_bytes_str(request->head.path), &request->path, &err);
    if (code == PT_OK)
        code = http_query_parse(&request->arena, pt_bytes_str(request->head.query), &request->query, &err);
    if (code != PT_OK) {
        request->query.count = 0;
        return refuse(connection, code == PT_LIMIT ? 414 : code == PT_NO_MEMORY ? 503 : 400, err.what, NULL), false;
    }
    unsigned allowed = 0;
    request->route = https_routes_find(routes, &request->path, request->method, &request->arena, &request->params, &allowed);
    if (request->route) return true;
    if (allowed == 0) refuse(connection, 404, NULL, NULL);
    else if (request->method == HTTPS_OPTIONS && request->head.content_length == 0 && !request->head.chunked)
        answer_options(connection, allowed);
    else refuse_method(connection, allowed);
    return false;
}

// Whose bucket the request takes from: the key that proves who it is, else the address (of IPv6 the network, since one host
// has many).
static struct pt_bytes client_of(const struct https_connection *connection) {
    if (connection->identity.present)
        return connection->identity.has_thumbprint ? pt_bytes_digest(&connection->identity.thumbprint) : connection->identity.spki;
    return pt_bytes_of(connection->address, connection->address_len);
}

// False when the client has had its share and the request has been answered.
static bool within_rate(struct https_connection *connection) {
    const struct https_server *server = connection->worker->server;
    struct rate_limit *limit = connection->identity.present ? server->client_limit : server->anonymous_limit;
    int64_t wait_ms = 0;
    char retry[64];
    if (!limit || rate_limit_take(limit, client_of(connection), https_now_ms(), &wait_ms)) return true;
    if (server->counters.rate_limited) metric_add(server->counters.rate_limited, 1);
    snprintf(retry, sizeof retry, "Retry-After: %lld\r\n", (long long)((wait_ms + 999) / 1000));
    refuse(connection, 429, "too many requests; slow down", retry);
    return false;
}

// Checks what the head says of the body; false when the request has been answered.
static bool admit_body(struct https_connection *connection) {
    struct https_request *request = &connection->request;
    const struct https_route *route = &request->route->route;
    const bool has_body = request->head.content_length > 0 || request->head.chunked;
    if (has_body && (route->max_body == 0 || request->head.content_length > route->max_body)) {
        char detail[80];
        snprintf(detail, sizeof detail, "at most %zu bytes are taken", route->max_body);
        return refuse(connection, 413, detail, NULL), false;
    }
    if (has_body && route->content_types) {
        const char *type = http_head_field(&request->head, "Content-Type");
        if (!type || !media_type_listed(route->content_types, type)) {
            char detail[256];
            snprintf(detail, sizeof detail, "taken are: %.200s", route->content_types);
            return refuse(connection, 415, detail, NULL), false;
        }
    }
    return true;
}

static void start_body(struct https_connection *connection) {
    struct https_request *request = &connection->request;
    connection->state = HTTPS_READ_BODY;
    if (request->head.chunked) {
        connection->chunks = (struct http_chunks){0};
        pt_buf_free(&connection->chunked_body);
        pt_buf_init(&connection->chunked_body, request->route->route.max_body);
    }
    const bool has_body = request->head.content_length > 0 || request->head.chunked;
    if (request->head.expect_continue && has_body && connection->in.len == connection->in_at)
        pt_buf_str(&connection->out, "HTTP/1.1 100 Continue\r\n\r\n");
}

// What was received and not yet taken. Before the first byte there is no buffer to point into.
static struct pt_bytes unread(const struct https_connection *connection) {
    const struct pt_buf *in = &connection->in;
    return in->data ? pt_bytes_of(in->data + connection->in_at, in->len - connection->in_at) : pt_bytes_of(NULL, 0);
}

static bool step_head(struct https_connection *connection) {
    struct https_server *server = connection->worker->server;
    struct https_request *request = &connection->request;
    const struct pt_bytes there = unread(connection);
    if (there.len == 0) return false;
    if (connection->scanned == 0) {
        begin_request(request);
        connection->deadline = https_now_ms() + server->options.request_timeout_ms;
    }
    const size_t end = http_head_end(there, &connection->scanned);
    const size_t limit = server->options.max_header_bytes;
    if (end > limit || (end == 0 && there.len > limit)) {
        const bool line = !memchr(there.data, '\n', there.len < limit ? there.len : limit);
        refuse_head(connection, line ? 414 : 431, NULL);
        return true;
    }
    if (end == 0) return false;
    // A copy of its own: the buffer may move while the body is read.
    pt_buf_clear(&connection->head_text);
    pt_buf_append(&connection->head_text, there.data, end);
    connection->in_at += end;
    const char *why = "";
    if (connection->head_text.failed) return refuse_head(connection, 503, "out of memory"), true;
    const unsigned status = http_head_parse((char *)connection->head_text.data, end, &request->head, &why);
    if (status != 0) return refuse_head(connection, status, why), true;
    if (!find_route(connection) || !within_rate(connection) || !admit_body(connection)) return true;
    start_body(connection);
    return true;
}

static void hand_over(struct https_connection *connection) {
    struct https_server *server = connection->worker->server;
    struct https_request *request = &connection->request;
    if (atomic_fetch_add(&server->in_flight, 1) >= server->options.max_in_flight) {
        atomic_fetch_sub(&server->in_flight, 1);
        https_answer_status(connection, 503, "too many requests are under way", "Retry-After: 1\r\n");
        return;
    }
    if (server->counters.in_flight) metric_change(server->counters.in_flight, 1);
    request->route->route.handler(request->route->route.arg, request);
    if (connection->state == HTTPS_WAITING) return;  // counted until it is answered
    atomic_fetch_sub(&server->in_flight, 1);
    if (server->counters.in_flight) metric_change(server->counters.in_flight, -1);
    if (!request->answered) https_answer_status(connection, 500, NULL, NULL);
}

static bool step_body(struct https_connection *connection) {
    struct https_request *request = &connection->request;
    const struct pt_bytes there = unread(connection);
    if (request->head.chunked) {
        size_t taken = 0;
        const unsigned status = http_chunks_take(&connection->chunks, there, &connection->chunked_body, &taken);
        connection->in_at += taken;
        if (status != 0) return refuse(connection, status, "the chunked body", NULL), true;
        if (!connection->chunks.done) return false;
        request->body = pt_buf_bytes(&connection->chunked_body);
    } else {
        const size_t length = (size_t)request->head.content_length;
        if (there.len < length) return false;
        request->body = pt_bytes_of(there.data, length);
        connection->in_at += length;
    }
    hand_over(connection);
    return true;
}

bool https_request_step(struct https_connection *connection) {
    switch (connection->state) {
    case HTTPS_READ_HEAD: return step_head(connection);
    case HTTPS_READ_BODY: return step_body(connection);
    case HTTPS_HANDSHAKE:
    case HTTPS_WAITING:
    case HTTPS_LINGER: return false;
    }
    return false;
}

void https_request_timeout(struct https_connection *connection) {
    if (connection->state == HTTPS_WAITING) {
        https_answer_status(connection, 503, "the answer takes too long", "Retry-After: 2\r\n");
        return;
    }
    if (connection->state == HTTPS_READ_HEAD) {
        refuse_head(connection, 408, "the request took too long to arrive");
        return;
    }
    refuse(connection, 408, "the request took too long to arrive", NULL);
}

enum https_method https_request_method(const struct https_request *request) {
    return request->method == HTTPS_HEAD && !(request->route->route.methods & HTTPS_HEAD) ? HTTPS_GET
                                                                                          : (enum https_method)request->method;
}

const char *https_request_path(const struct https_request *request) { return request->head.path; }

const char *https_request_query_text(const struct https_request *request) { return request->head.query; }

struct pt_bytes https_request_body(const struct https_request *request) { return request->body; }

const char *https_request_header(const struct https_request *request, const char *name) {
    return http_head_field(&request->head, name);
}

const char *https_request_peer(const struct https_request *request) { return request->connection->peer; }

const struct https_identity *https_request_identity(const struct https_request *request) {
    return &request->connection->identity;
}

const char *https_request_param(const struct https_request *request, const char *name) {
    for (size_t i = 0; i < request->params.count; i++)
        if (strcmp(request->params.list[i].name, name) == 0) return request->params.list[i].value;
    return NULL;
}

const char *https_request_query(const struct https_request *request, const char *name, size_t index) {
    for (size_t i = 0; i < request->query.count; i++)
        if (strcmp(request->query.list[i].name, name) == 0 && index-- == 0) return request->query.list[i].value;
    return NULL;
}

size_t https_request_query_count(const struct https_request *request, const char *name) {
    size_t count = 0;
    for (size_t i = 0; i < request->query.count; i++) count += strcmp(request->query.list[i].name, name) == 0;
    return count;
}

bool https_request_query_at(const struct https_request *request, size_t index, const char **name, const char **value) {
    if (index >= request->query.count) return false;
    *name = request->query.list[index].name;
    *value = request->query.list[index].value;
    return true;
}
