#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/net/https_internal.h"

#define READ_STEP ((size_t)16 * 1024)
#define OUT_HIGH_WATER ((size_t)256 * 1024)  // no further request is taken up before this much has been sent
#define OUT_CEILING ((size_t)1 << 30)
#define KEPT_BUFFER ((size_t)64 * 1024)      // larger ones are given back between requests
#define LINGER_MS 2000
#define LINGER_BYTES ((size_t)64 * 1024 * 1024)
#define ROUNDS 64  // steps for one connection before the others have their turn

int64_t https_now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t https_now_ms(void) { return https_now_ns() / 1000000; }

static void want_read(struct https_connection *connection, bool wanted) {
    if (connection->read_wanted == wanted) return;
    connection->read_wanted = wanted;
    if (wanted) event_add(&connection->read_event, NULL);
    else event_del(&connection->read_event);
}

static void want_write(struct https_connection *connection, bool wanted) {
    if (connection->write_wanted == wanted) return;
    connection->write_wanted = wanted;
    if (wanted) event_add(&connection->write_event, NULL);
    else event_del(&connection->write_event);
}

static void on_event(evutil_socket_t fd, short what, void *arg) {
    struct https_connection *connection = arg;
    (void)fd;
    if (what & EV_READ) connection->drained = false;
    https_connection_run(connection);
}

static void set_address(struct https_connection *connection, const void *address, size_t len) {
    memcpy(connection->address, address, len);
    connection->address_len = len;
}

static void set_peer(struct https_connection *connection, const struct sockaddr *from) {
    if (from->sa_family == AF_INET) {
        const struct in_addr *address = &((const struct sockaddr_in *)(const void *)from)->sin_addr;
        inet_ntop(AF_INET, address, connection->peer, sizeof connection->peer);
        set_address(connection, address, sizeof *address);
    } else if (from->sa_family == AF_INET6) {
        const struct in6_addr *address = &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr;
        const bool mapped = IN6_IS_ADDR_V4MAPPED(address);
        set_address(connection, mapped ? address->s6_addr + 12 : address->s6_addr, mapped ? 4 : sizeof connection->address);
        if (mapped) inet_ntop(AF_INET, address->s6_addr + 12, connection->peer, sizeof connection->peer);
        else inet_ntop(AF_INET6, address, connection->peer, sizeof connection->peer);
    }
}

static void link_in(struct https_connection *connection) {
    struct https_worker *worker = connection->worker;
    connection->next = worker->connections;
    if (connection->next) connection->next->previous = connection;
    worker->connections = connection;
}

void https_connection_open(struct https_worker *worker, int fd, const struct sockaddr *from) {
    struct https_server *server = worker->server;
    struct https_connection *connection = calloc(1, sizeof *connection);
    if (!connection) {
        close(fd);
        return;
    }
    atomic_fetch_add(&server->connections, 1);
    if (server->counters.connections) metric_change(server->counters.connections, 1);
    connection->worker = worker;
    connection->fd = fd;
    connection->request.connection = connection;
    connection->request.arena.ceiling = 256 * 1024;
    pt_buf_init(&connection->in, server->options.max_header_bytes + server->largest_body + 4 * READ_STEP);
    pt_buf_init(&connection->head_text, server->options.max_header_bytes + READ_STEP);
    pt_buf_init(&connection->out, OUT_CEILING);
    set_peer(connection, from);
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    event_assign(&connection->read_event, worker->base, fd, EV_READ | EV_PERSIST, on_event, connection);
    event_assign(&connection->write_event, worker->base, fd, EV_WRITE | EV_PERSIST, on_event, connection);
    link_in(connection);
    const bool plain = server->options.plain;
    connection->state = plain ? HTTPS_READ_HEAD : HTTPS_HANDSHAKE;
    connection->deadline =
        https_now_ms() + (plain ? server->options.idle_timeout_ms : server->options.handshake_timeout_ms);
    if (!plain) {
        pthread_mutex_lock(&server->tls_mutex);
        connection->session = https_tls_accept(server->tls, fd);
        pthread_mutex_unlock(&server->tls_mutex);
        if (!connection->session) {
            https_connection_free(connection);
            return;
        }
    }
    want_read(connection, true);
}

void https_connection_free(struct https_connection *connection) {
    struct https_worker *worker = connection->worker;
    struct https_server *server = worker->server;
    if (connection->deferred) {
        connection->deferred->connection = NULL;
        atomic_fetch_sub(&server->in_flight, 1);
        if (server->counters.in_flight) metric_change(server->counters.in_flight, -1);
    }
    want_read(connection, false);
    want_write(connection, false);
    if (connection->previous) connection->previous->next = connection->next;
    else worker->connections = connection->next;
    if (connection->next) connection->next->previous = connection->previous;
    https_tls_session_free(connection->session);
    close(connection->fd);
    pt_buf_free(&connection->in);
    pt_buf_free(&connection->head_text);
    pt_buf_free(&connection->chunked_body);
    pt_buf_free(&connection->out);
    pt_arena_free(&connection->request.arena);
    free(connection);
    atomic_fetch_sub(&server->connections, 1);
    if (server->counters.connections) metric_change(server->counters.connections, -1);
}

static enum https_io plain_outcome(ssize_t result, size_t *count) {
    if (result < 0) {
        if (errno == EAGAIN || errno == EWOULDBLOCK) return HTTPS_IO_WANT_READ;
        return errno == EINTR ? HTTPS_IO_WANT_READ : HTTPS_IO_FAILED;
    }
    *count = (size_t)result;
    return HTTPS_IO_DONE;
}

static enum https_io receive(struct https_connection *connection, void *room, size_t size, size_t *got) {
    if (connection->session) return https_tls_read(connection->session, room, size, got);
    const enum https_io io = plain_outcome(recv(connection->fd, room, size, 0), got);
    return io == HTTPS_IO_DONE && *got == 0 ? HTTPS_IO_END : io;
}

static enum https_io transmit(struct https_connection *connection, const void *data, size_t len, size_t *put) {
    if (connection->session) return https_tls_write(connection->session, data, len, put);
    const enum https_io io = plain_outcome(send(connection->fd, data, len, MSG_NOSIGNAL), put);
    return io == HTTPS_IO_WANT_READ ? HTTPS_IO_WANT_WRITE : io;
}

enum flushed { FLUSHED_ALL, FLUSHED_SOME, FLUSH_FAILED };

static enum flushed flush(struct https_connection *connection) {
    struct https_server *server = connection->worker->server;
    while (connection->out_at < connection->out.len) {
        size_t put = 0;
        const enum https_io io =
            transmit(connection, connection->out.data + connection->out_at, connection->out.len - connection->out_at, &put);
        if (io == HTTPS_IO_WANT_WRITE || io == HTTPS_IO_WANT_READ) {
            if (connection->write_deadline == 0)
                connection->write_deadline = https_now_ms() + server->options.reply_timeout_ms;
            want_write(connection, io == HTTPS_IO_WANT_WRITE);
            return FLUSHED_SOME;
        }
        if (io != HTTPS_IO_DONE) return FLUSH_FAILED;
        connection->out_at += put;
        connection->write_deadline = 0;
        if (server->counters.bytes_out) metric_add(server->counters.bytes_out, put);
    }
    connection->write_deadline = 0;
    want_write(connection, false);
    connection->out_at = 0;
    if (connection->out.cap > KEPT_BUFFER) pt_buf_free(&connection->out);
    else pt_buf_clear(&connection->out);
    return FLUSHED_ALL;
}

// Makes room at the end of `in` and reads into it. DONE: bytes came.
static enum https_io fill(struct https_connection *connection) {
    struct pt_buf *in = &connection->in;
    if (connection->in_at > 0) {
        in->len -= connection->in_at;
        memmove(in->data, in->data + connection->in_at, in->len);
        connection->in_at = 0;
        if (in->len == 0 && in->cap > KEPT_BUFFER) pt_buf_free(in);
    }
    const size_t before = in->len;
    uint8_t *room = pt_buf_extend(in, READ_STEP);
    if (!room) return HTTPS_IO_FAILED;
    size_t got = 0;
    const enum https_io io = receive(connection, room, READ_STEP, &got);
    in->len = before + (io == HTTPS_IO_DONE ? got : 0);
    if (io != HTTPS_IO_DONE) return io;
    connection->drained = got < READ_STEP && !(connection->session && https_tls_has_pending(connection->session));
    struct metric *bytes_in = connection->worker->server->counters.bytes_in;
    if (bytes_in) metric_add(bytes_in, got);
    if (connection->state == HTTPS_READ_BODY) connection->deadline += (int64_t)(got * 1000 / HTTPS_SLOWEST_BODY);
    return HTTPS_IO_DONE;
}

static void begin_close(struct https_connection *connection) {
    if (connection->session && connection->state != HTTPS_HANDSHAKE) https_tls_close_notify(connection->session);
    if (!connection->unread || connection->ended) {
        connection->dead = true;
        return;
    }
    shutdown(connection->fd, SHUT_WR);
    connection->state = HTTPS_LINGER;
    connection->deadline = https_now_ms() + LINGER_MS;
    want_write(connection, false);
    want_read(connection, true);
}

static void linger(struct https_connection *connection) {
    uint8_t away[16384];
    for (int i = 0; i < 16; i++) {
        const ssize_t got = recv(connection->fd, away, sizeof away, 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (got > 0) connection->lingered += (size_t)got;
        if (got <= 0 || connection->lingered > LINGER_BYTES) {
            connection->dead = true;
            return;
        }
    }
}

static bool handshake(struct https_connection *connection) {
    struct https_server *server = connection->worker->server;
    const enum https_io io = https_tls_handshake(connection->session);
    want_write(connection, io == HTTPS_IO_WANT_WRITE);
    if (io == HTTPS_IO_WANT_READ || io == HTTPS_IO_WANT_WRITE) return false;
    if (io != HTTPS_IO_DONE) {
        if (server->counters.tls_failures) metric_add(server->counters.tls_failures, 1);
        // The alert that tells why must not be swallowed by a reset.
        connection->unread = true;
        begin_close(connection);
        return false;
    }
    https_tls_identity(connection->session, &connection->identity);
    connection->state = HTTPS_READ_HEAD;
    connection->deadline = https_now_ms() + server->options.idle_timeout_ms;
    return true;
}

// Nothing can be done with what is there: sends what is to be sent, then reads. False: wait for an event.
static bool go_on(struct https_connection *connection) {
    enum https_io io = HTTPS_IO_WANT_READ;
    if (!connection->closing && !connection->ended && !connection->drained && connection->state != HTTPS_WAITING) {
        io = fill(connection);
        if (io == HTTPS_IO_DONE) return true;
        if (io == HTTPS_IO_FAILED) return connection->dead = true, false;
        if (io == HTTPS_IO_END) connection->ended = true;
        if (io == HTTPS_IO_WANT_READ) connection->drained = true;
    }
    const enum flushed flushed = flush(connection);
    if (flushed == FLUSH_FAILED) return connection->dead = true, false;
    if (flushed == FLUSHED_ALL) {
        if (connection->closing || (connection->ended && connection->state != HTTPS_WAITING)) {
            begin_close(connection);
            return false;
        }
        if (atomic_load(&connection->worker->server->stopping) && connection->state == HTTPS_READ_HEAD &&
            connection->in.len == connection->in_at) {
            begin_close(connection);
            return false;
        }
    }
    // Not read while an answer is awaited or not taken: whoever sends on and on waits in his own buffers. In the first
    // case only once something has come, which spares two system calls a request.
    const bool idle = !connection->ended && !connection->closing &&
                      connection->out.len - connection->out_at < OUT_HIGH_WATER;
    want_read(connection, connection->state == HTTPS_WAITING ? connection->drained : idle);
    if (io == HTTPS_IO_WANT_WRITE) want_write(connection, true);
    return false;
}

static void run(struct https_connection *connection) {
    if (connection->state == HTTPS_LINGER) {
        linger(connection);
        return;
    }
    if (connection->state == HTTPS_HANDSHAKE && !handshake(connection)) return;
    for (int round = 0; round < ROUNDS; round++) {
        if (connection->out.len - connection->out_at >= OUT_HIGH_WATER) {
            const enum flushed flushed = flush(connection);
            if (flushed == FLUSH_FAILED) connection->dead = true;
            if (flushed == FLUSHED_SOME) want_read(connection, false);
            if (flushed != FLUSHED_ALL) return;
        }
        if (connection->dead) return;
        if (!connection->closing && https_request_step(connection)) continue;
        if (connection->dead || !go_on(connection)) return;
    }
    if (flush(connection) == FLUSH_FAILED) connection->dead = true;
    want_read(connection, true);
    event_active(&connection->read_event, EV_READ, 0);
}

void https_connection_run(struct https_connection *connection) {
    connection->in_run = true;
    run(connection);
    connection->in_run = false;
    if (connection->dead) https_connection_free(connection);
}

// Called every so often; may free the connection.
void https_connection_sweep(struct https_connection *connection, int64_t now) {
    struct https_server *server = connection->worker->server;
    const bool stuck = connection->write_deadline != 0 && now >= connection->write_deadline;
    const bool late = now >= connection->deadline;
    if (stuck || (late && (connection->state == HTTPS_HANDSHAKE || connection->state == HTTPS_LINGER))) {
        if (server->counters.timeouts && connection->state != HTTPS_LINGER) metric_add(server->counters.timeouts, 1);
        https_connection_free(connection);
        return;
    }
    const bool idle = connection->state == HTTPS_READ_HEAD && connection->in.len == connection->in_at &&
                      connection->out.len == connection->out_at;
    if (idle && (late || atomic_load(&server->stopping))) {
        begin_close(connection);
        if (connection->dead) https_connection_free(connection);
        return;
    }
    if (!late || connection->closing || connection->write_deadline != 0) return;
    if (server->counters.timeouts) metric_add(server->counters.timeouts, 1);
    https_request_timeout(connection);
    https_connection_run(connection);
}
