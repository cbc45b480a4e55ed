// The server's parts in memory, shared by https_server.c, https_connection.c, https_request.c and https_reply.c.
#ifndef PACKTRAIL_COMMON_NET_HTTPS_INTERNAL_H
#define PACKTRAIL_COMMON_NET_HTTPS_INTERNAL_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>

#include "common/net/http_message.h"
#include "common/net/https_routes.h"
#include "common/net/https_tls.h"
#include "common/net/rate_limit.h"

struct https_counters {  // all set, or all NULL without a registry
    struct metric *bytes_in;
    struct metric *bytes_out;
    struct metric *connections;
    struct metric *accepted;
    struct metric *refused;
    struct metric *tls_failures;
    struct metric *in_flight;
    struct metric *timeouts;
    struct metric *rate_limited;
};

struct https_server {
    struct https_server_options options;  // with the defaults filled in
    struct https_routes routes;
    struct https_compiled unrouted;  // what is answered before a route is known is counted here
    struct https_counters counters;
    struct rate_limit *client_limit, *anonymous_limit;  // NULL: none
    size_t largest_body;
    pthread_mutex_t tls_mutex;
    struct https_tls *tls;  // NULL when plain
    struct https_worker *workers;
    unsigned started;
    uint16_t port;
    _Atomic unsigned connections;
    _Atomic unsigned in_flight;
    _Atomic bool stopping;
    _Atomic int64_t stop_at;  // monotonic ms
};

// A deferred answer on its way to the worker that owns the connection.
struct https_letter {
    struct https_letter *next;
    struct https_deferred *deferred;
    unsigned status;
    struct pt_buf fields;
    struct pt_buf body;
};

// Outlives its worker as long as deferred handles refer to it.
struct https_mailbox {
    pthread_mutex_t mutex;
    _Atomic unsigned refs;
    int wake;  // eventfd
    bool closed;
    struct https_letter *first;
    struct https_letter *last;
};

struct https_worker {
    struct https_server *server;
    pthread_t thread;
    bool running;
    struct event_base *base;
    int listener;
    bool listening;
    struct event accept_event;
    struct event wake_event;
    struct event sweep_event;
    struct https_mailbox *mailbox;
    struct https_connection *connections;  // doubly linked
    int64_t date_second;
    char date[32];
};

struct https_request {
    struct https_connection *connection;
    struct http_head head;
    struct http_path path;
    struct http_query query;
    struct https_params params;
    struct https_compiled *route;
    struct pt_arena arena;
    struct pt_bytes body;
    unsigned method;
    int64_t started_ns;
    bool answered;  // or deferred
};

enum https_state {
    HTTPS_HANDSHAKE,
    HTTPS_READ_HEAD,
    HTTPS_READ_BODY,
    HTTPS_WAITING,  // for a deferred answer
    HTTPS_LINGER,   // said all; takes what still comes, so that a reset does not swallow the answer
};

struct https_connection {
    struct https_connection *previous;
    struct https_connection *next;
    struct https_worker *worker;
    int fd;
    struct https_tls_session *session;  // NULL when plain
    struct https_identity identity;
    char peer[INET6_ADDRSTRLEN];
    uint8_t address[8];  // that is counted as one client: IPv4 whole, IPv6 the first half
    size_t address_len;
    struct event read_event;
    struct event write_event;
    bool read_wanted;
    bool write_wanted;
    enum https_state state;
    bool drained;    // the socket had no more when last read
    bool ended;      // the peer sends no more
    bool closing;    // after what is in `out`
    bool unread;     // closing although the peer may still be sending
    bool in_run;
    bool dead;       // to be freed by whoever runs it
    struct pt_buf in;
    size_t in_at;    // bytes before are used
    size_t scanned;
    struct pt_buf head_text;
    struct http_chunks chunks;
    struct pt_buf chunked_body;
    struct pt_buf out;
    size_t out_at;
    int64_t deadline;        // monotonic ms, of the state
    int64_t write_deadline;  // 0: nothing waits to be taken
    size_t lingered;
    unsigned requests;
    struct https_deferred *deferred;
    struct https_request request;
};

struct https_deferred {
    struct https_mailbox *mailbox;
    struct https_connection *connection;  // only touched by its worker; NULL once it is gone or was answered
};

int64_t https_now_ms(void);  // monotonic
int64_t https_now_ns(void);

// https_connection.c
void https_connection_open(struct https_worker *worker, int fd, const struct sockaddr *from);
void https_connection_free(struct https_connection *connection);
void https_connection_run(struct https_connection *connection);
void https_connection_sweep(struct https_connection *connection, int64_t now);

// https_request.c
// Takes the next step with what has been read; false when more bytes are needed.
bool https_request_step(struct https_connection *connection);
void https_request_timeout(struct https_connection *connection);

// https_reply.c
void https_answer(struct https_connection *connection, unsigned status, struct pt_bytes fields, struct pt_bytes body);
void https_answer_status(struct https_connection *connection, unsigned status, const char *detail, const char *fields);
void https_mailbox_deliver(struct https_worker *worker);
struct https_mailbox *https_mailbox_new(void);
void https_mailbox_close(struct https_mailbox *mailbox);  // drops the worker's reference

#endif
