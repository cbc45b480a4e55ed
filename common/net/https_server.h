// The HTTPS server that every component uses: HTTP/1.1 over TLS 1.2 or later, optionally with client certificates.
//
// Each worker thread has its own event loop and its own listening socket on the same port; a connection stays with
// its worker, and handlers run there. A handler answers at once, or defers and lets any thread answer later.
// Whatever breaks a limit or the protocol gets problem details (RFC 9457) and never reaches a handler.
#ifndef PACKTRAIL_COMMON_NET_HTTPS_SERVER_H
#define PACKTRAIL_COMMON_NET_HTTPS_SERVER_H

#include "common/base/bytes.h"
#include "common/net/metrics.h"

struct https_server;
struct https_request;
struct https_deferred;

// Methods as a mask, for routes.
enum https_method {
    HTTPS_GET = 1,  // HEAD is served from it, without the body
    HTTPS_HEAD = 2,
    HTTPS_POST = 4,
    HTTPS_PUT = 8,
    HTTPS_DELETE = 16,
    HTTPS_PATCH = 32,
    HTTPS_OPTIONS = 64,  // answered by the server itself where no route takes it
};

enum https_client_auth {
    HTTPS_CLIENT_NONE,      // no certificate is asked for
    HTTPS_CLIENT_OPTIONAL,  // asked for; one that is given must verify
    HTTPS_CLIENT_REQUIRED,  // the handshake fails without one that verifies
};

// Who the peer is by its certificate, whose chain up to the client CA has verified.
struct https_identity {
    bool present;
    bool expired;              // past its end: let through so that it can be renewed, and for nothing else
    char common_name[128];     // subject CN, "" if none
    char organisation[128];    // subject O, "" if none
    bool has_thumbprint;       // the key is EC P-256
    struct pt_digest thumbprint;  // RFC 9679 (SHA-256) of the key
    struct pt_bytes spki;      // DER SubjectPublicKeyInfo
    struct pt_bytes certificate;  // DER
};

typedef void https_handler(void *arg, struct https_request *request);

// `pattern` is a path whose segments are literal or {name}, e.g. "/verify/gtin/{gtin}/lot/{lot}"; a last segment
// {name*} takes the rest of the path, slashes included. Literal segments go before {name}, {name} before {name*}.
struct https_route {
    unsigned methods;  // mask of enum https_method
    const char *pattern;
    size_t max_body;           // bytes; 0: the methods take no body
    const char *content_types; // accepted request types, separated by spaces ("application/cbor application/json");
                               // NULL: any
    https_handler *handler;
    void *arg;
};

#define HTTPS_SLOWEST_BODY 4096  // bytes a second that a slow line must manage

// Zero means the default that is named. Strings and routes must outlive the server.
struct https_server_options {
    const char *address;      // numeric address to listen on; default "127.0.0.1"
    uint16_t port;            // 0: any free one, see https_server_port
    unsigned threads;         // workers; default 1
    const char *certificate_file;  // PEM chain, own certificate first
    const char *key_file;          // PEM
    bool plain;                    // HTTP without TLS; only on a loopback address
    enum https_client_auth client_auth;
    const char *client_ca_file;    // PEM bundle
    size_t max_header_bytes;       // request line and header fields; default 16 KiB, else 431 (414 for the line)
    unsigned max_connections;      // at once, all workers; default 1,024; further ones are closed
    unsigned max_in_flight;        // requests handed to handlers and not yet answered; default 256, else 503
    unsigned handshake_timeout_ms; // TLS handshake; default 10,000
    unsigned idle_timeout_ms;      // between requests; default 60,000
    unsigned request_timeout_ms;   // from a request's first byte to its last, however slowly they drip, and as
                                   // much longer as the body takes at HTTPS_SLOWEST_BODY; default 15,000, else 408
    unsigned reply_timeout_ms;     // without a byte of the reply taken by the client; default 30,000
    unsigned deferred_timeout_ms;  // a deferred request unanswered for so long gets 503; default 60,000
    unsigned client_rate;          // requests a second of one client that has a certificate, as long as it keeps on …
    unsigned client_burst;         // … and at once; default 2 × client_rate; beyond it 429. Rate 0: no limit
    unsigned anonymous_rate;       // the same of one address (IPv6: /64) without a certificate
    unsigned anonymous_burst;
    unsigned max_requests;         // a connection is closed after so many; default 100,000
    struct metrics *metrics;       // counted into if given; must outlive the server
};

// Starts the workers; the server answers when this returns PT_OK.
enum pt_code https_server_start(const struct https_server_options *options, const struct https_route *routes,
                                size_t route_count, struct https_server **out, struct pt_error *err) PT_NODISCARD;
uint16_t https_server_port(const struct https_server *server);

// Reads certificate, key and client CA again; new connections use them. On an error the old ones stay.
enum pt_code https_server_reload(struct https_server *server, struct pt_error *err) PT_NODISCARD;

// Stops accepting, lets requests under way finish within `deadline_ms`, then closes everything and frees the
// server. Deferred handles stay valid and must still be answered (the answers go nowhere). NULL is allowed.
void https_server_stop(struct https_server *server, unsigned deadline_ms);

// What a handler may ask. Everything lives until the handler returns, not longer.
enum https_method https_request_method(const struct https_request *request);
const char *https_request_path(const struct https_request *request);    // as sent, without the query
const char *https_request_query_text(const struct https_request *request);  // as sent, "" if none
struct pt_bytes https_request_body(const struct https_request *request);
const char *https_request_header(const struct https_request *request, const char *name);  // NULL if absent
const char *https_request_peer(const struct https_request *request);    // numeric address
const struct https_identity *https_request_identity(const struct https_request *request);

// A path parameter by its name in the pattern, percent-decoded (UTF-8 without NUL); NULL if the pattern has none.
const char *https_request_param(const struct https_request *request, const char *name);
// The index-th value of a query parameter, percent-decoded; NULL if there are fewer.
const char *https_request_query(const struct https_request *request, const char *name, size_t index);
size_t https_request_query_count(const struct https_request *request, const char *name);
// The index-th query parameter of all, in the order sent; false if there are fewer.
bool https_request_query_at(const struct https_request *request, size_t index, const char **name, const char **value);

struct https_header {
    const char *name;
    const char *value;
};

// What is answered; everything is copied. Content-Length, Date, X-Content-Type-Options and, unless a header here
// sets it, Cache-Control: no-store are added. A header name or value with a control character is left out.
struct https_response {
    unsigned status;
    const char *content_type;  // NULL: none
    const struct https_header *headers;
    size_t header_count;
    struct pt_bytes body;
};

// A handler calls exactly one of these, once; a handler that calls none answers 500.
void https_reply(struct https_request *request, const struct https_response *response);
void https_reply_text(struct https_request *request, unsigned status, const char *content_type, struct pt_bytes body);
void https_reply_problem(struct https_request *request, const struct pt_error *err);  // common/net/problem.h
// NULL (and the request is answered with 503) without memory.
struct https_deferred *https_request_defer(struct https_request *request);

// Answers a deferred request, from any thread, exactly once; frees the handle. Also right when the client has gone,
// the time has run out or the server has stopped.
void https_reply_later(struct https_deferred *deferred, const struct https_response *response);
void https_reply_later_problem(struct https_deferred *deferred, const struct pt_error *err);

#endif
