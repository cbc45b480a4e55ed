#include "common/net/https_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/net/https_internal.h"

#define SWEEP_MS 50
#define ACCEPT_AT_ONCE 64
#define BACKLOG 1024

static void use_default(unsigned *value, unsigned initial) {
    if (*value == 0) *value = initial;
}

static void fill_options(struct https_server_options *options) {
    if (!options->address) options->address = "127.0.0.1";
    if (options->max_header_bytes == 0) options->max_header_bytes = 16384;
    use_default(&options->threads, 1);
    use_default(&options->max_connections, 1024);
    use_default(&options->max_in_flight, 256);
    use_default(&options->handshake_timeout_ms, 10000);
    use_default(&options->idle_timeout_ms, 60000);
    use_default(&options->request_timeout_ms, 15000);
    use_default(&options->reply_timeout_ms, 30000);
    use_default(&options->deferred_timeout_ms, 60000);
    use_default(&options->max_requests, 100000);
    use_default(&options->client_burst, 2 * options->client_rate);
    use_default(&options->anonymous_burst, 2 * options->anonymous_rate);
}

static void make_counters(struct https_server *server) {
    struct metrics *metrics = server->options.metrics;
    if (!metrics) return;
    struct https_counters *c = &server->counters;
    c->bytes_in = metrics_counter(metrics, "packtrail_https_received_bytes_total", NULL, "Bytes of requests, without TLS.");
    c->bytes_out = metrics_counter(metrics, "packtrail_https_sent_bytes_total", NULL, "Bytes of answers, without TLS.");
    c->connections = metrics_gauge(metrics, "packtrail_https_connections", NULL, "Connections open now.");
    c->accepted = metrics_counter(metrics, "packtrail_https_connections_total", NULL, "Connections accepted.");
    c->refused = metrics_counter(metrics, "packtrail_https_connections_refused_total", NULL, "Connections over the limit.");
    c->tls_failures = metrics_counter(metrics, "packtrail_https_tls_failures_total", NULL, "TLS handshakes that failed.");
    c->in_flight = metrics_gauge(metrics, "packtrail_https_in_flight", NULL, "Requests that handlers have not answered yet.");
    c->timeouts = metrics_counter(metrics, "packtrail_https_timeouts_total", NULL, "Connections or requests that ran out of time.");
    c->rate_limited = metrics_counter(metrics, "packtrail_https_rate_limited_total", NULL, "Requests beyond their client's rate.");
}

struct address {
    struct sockaddr_storage storage;
    socklen_t len;
};

static enum pt_code parse_address(const struct https_server_options *options, struct address *out, struct pt_error *err) {
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)&out->storage;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)&out->storage;
    memset(out, 0, sizeof *out);
    bool loopback = false;
    if (inet_pton(AF_INET, options->address, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(options->port);
        out->len = sizeof *v4;
        loopback = (ntohl(v4->sin_addr.s_addr) >> 24) == 127;
    } else if (inet_pton(AF_INET6, options->address, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(options->port);
        out->len = sizeof *v6;
        loopback = IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
    } else {
        return pt_fail(err, PT_USAGE, options->address, "not a numeric address");
    }
    if (options->plain && !loopback) return pt_fail(err, PT_USAGE, options->address, "without TLS only a loopback address");
    return PT_OK;
}

static int bound_socket(const struct address *address, bool shared) {
    const int fd = socket(address->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (shared) setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (bind(fd, (const struct sockaddr *)&address->storage, address->len) == 0) return fd;
    const int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

// With SO_REUSEPORT a second server on the same port would silently take half of the connections: so a socket without
// it asks first whether the port is free.
static enum pt_code probe(const struct address *address, struct pt_error *err) {
    const int fd = bound_socket(address, false);
    const bool good = fd >= 0 && listen(fd, 1) == 0;
    if (!good) pt_fail_errno(err, NULL, "cannot listen");
    if (fd >= 0) close(fd);
    return good ? PT_OK : PT_IO;
}

static enum pt_code listen_all(struct https_server *server, struct pt_error *err) {
    struct address address;
    enum pt_code code = parse_address(&server->options, &address, err);
    if (code == PT_OK && server->options.port != 0) code = probe(&address, err);
    if (code != PT_OK) return code;
    for (unsigned i = 0; i < server->options.threads; i++) {
        const int fd = bound_socket(&address, true);
        if (fd < 0 || listen(fd, BACKLOG) != 0) {
            pt_fail_errno(err, server->options.address, "cannot listen");
            if (fd >= 0) close(fd);
            return PT_IO;
        }
        server->workers[i].listener = fd;
        socklen_t len = sizeof address.storage;
        if (getsockname(fd, (struct sockaddr *)&address.storage, &len) != 0) return pt_fail_errno(err, NULL, "getsockname");
        const bool v4 = address.storage.ss_family == AF_INET;
        server->port = ntohs(v4 ? ((struct sockaddr_in *)(void *)&address.storage)->sin_port
                                : ((struct sockaddr_in6 *)(void *)&address.storage)->sin6_port);
    }
    return PT_OK;
}

static void stop_listening(struct https_worker *worker) {
    if (worker->listening) event_del(&worker->accept_event);
    worker->listening = false;
    if (worker->listener >= 0) close(worker->listener);
    worker->listener = -1;
}

static void on_accept(evutil_socket_t listener, short what, void *arg) {
    struct https_worker *worker = arg;
    struct https_server *server = worker->server;
    (void)what;
    for (int i = 0; i < ACCEPT_AT_ONCE; i++) {
        struct sockaddr_storage from;
        socklen_t len = sizeof from;
        const int fd = accept4(listener, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)) return;
        if (fd < 0) {  // no descriptors or memory: asking again at once would spin; the sweep begins anew
            event_del(&worker->accept_event);
            worker->listening = false;
            return;
        }
        if (atomic_load(&server->connections) >= server->options.max_connections) {
            if (server->counters.refused) metric_add(server->counters.refused, 1);
            close(fd);
            continue;
        }
        if (server->counters.accepted) metric_add(server->counters.accepted, 1);
        https_connection_open(worker, fd, (const struct sockaddr *)&from);
    }
}

static void check_stop(struct https_worker *worker) {
    if (!atomic_load(&worker->server->stopping)) return;
    stop_listening(worker);
    if (!worker->connections || https_now_ms() >= atomic_load(&worker->server->stop_at)) event_base_loopbreak(worker->base);
}

static void on_wake(evutil_socket_t fd, short what, void *arg) {
    (void)fd;
    (void)what;
    https_mailbox_deliver(arg);
    check_stop(arg);
}

static void on_sweep(evutil_socket_t fd, short what, void *arg) {
    struct https_worker *worker = arg;
    (void)fd;
    (void)what;
    const int64_t now = https_now_ms();
    for (struct https_connection *at = worker->connections, *next; at; at = next) {
        next = at->next;
        https_connection_sweep(at, now);
    }
    if (!worker->listening && worker->listener >= 0 && event_add(&worker->accept_event, NULL) == 0) worker->listening = true;
    check_stop(worker);
}

static void *work(void *arg) {
    struct https_worker *worker = arg;
    event_base_loop(worker->base, EVLOOP_NO_EXIT_ON_EMPTY);
    while (worker->connections) https_connection_free(worker->connections);
    stop_listening(worker);
    return NULL;
}

static enum pt_code start_worker(struct https_worker *worker, struct pt_error *err) {
    struct event_config *config = event_config_new();
    if (!config) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);  // one thread a base; others wake it by its eventfd
    worker->base = event_base_new_with_config(config);
    event_config_free(config);
    worker->mailbox = https_mailbox_new();
    if (!worker->base || !worker->mailbox) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    const struct timeval period = {0, SWEEP_MS * 1000};
    event_assign(&worker->accept_event, worker->base, worker->listener, EV_READ | EV_PERSIST, on_accept, worker);
    event_assign(&worker->wake_event, worker->base, worker->mailbox->wake, EV_READ | EV_PERSIST, on_wake, worker);
    event_assign(&worker->sweep_event, worker->base, -1, EV_PERSIST, on_sweep, worker);
    if (event_add(&worker->accept_event, NULL) != 0 || event_add(&worker->wake_event, NULL) != 0 ||
        event_add(&worker->sweep_event, &period) != 0)
        return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    worker->listening = true;
    const int failed = pthread_create(&worker->thread, NULL, work, worker);
    if (failed != 0) {
        errno = failed;
        return pt_fail_errno(err, NULL, "cannot start a thread");
    }
    worker->running = true;
    return PT_OK;
}

static enum pt_code make_limits(struct https_server *server, struct pt_error *err) {
    const struct https_server_options *o = &server->options;
    const struct rate_limit_options client = {.per_second = o->client_rate, .burst = o->client_burst};
    const struct rate_limit_options anonymous = {.per_second = o->anonymous_rate, .burst = o->anonymous_burst};
    enum pt_code code = PT_OK;
    if (o->client_rate) code = rate_limit_new(&client, pt_env_system(), &server->client_limit, err);
    if (code == PT_OK && o->anonymous_rate) code = rate_limit_new(&anonymous, pt_env_system(), &server->anonymous_limit, err);
    return code;
}

enum pt_code https_server_start(const struct https_server_options *options, const struct https_route *routes,
                                size_t route_count, struct https_server **out, struct pt_error *err) {
    *out = NULL;
    signal(SIGPIPE, SIG_IGN);  // a client that goes away is no reason to die
    struct https_server *server = calloc(1, sizeof *server);
    if (!server) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    server->options = *options;
    fill_options(&server->options);
    pthread_mutex_init(&server->tls_mutex, NULL);
    server->unrouted.route.pattern = "";
    server->workers = calloc(server->options.threads, sizeof *server->workers);
    enum pt_code code = server->workers ? PT_OK : pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    for (unsigned i = 0; code == PT_OK && i < server->options.threads; i++) {
        server->workers[i].server = server;
        server->workers[i].listener = -1;
        server->started++;
    }
    for (size_t i = 0; i < route_count; i++)
        if (routes[i].max_body > server->largest_body) server->largest_body = routes[i].max_body;
    make_counters(server);
    if (code == PT_OK) code = make_limits(server, err);
    if (code == PT_OK) code = https_routes_compile(routes, route_count, &server->routes, err);
    if (code == PT_OK && !server->options.plain) code = https_tls_load(&server->options, &server->tls, err);
    if (code == PT_OK) code = listen_all(server, err);
    for (unsigned i = 0; code == PT_OK && i < server->options.threads; i++) code = start_worker(&server->workers[i], err);
    if (code != PT_OK) {
        https_server_stop(server, 0);
        return code;
    }
    *out = server;
    return PT_OK;
}

uint16_t https_server_port(const struct https_server *server) { return server->port; }

enum pt_code https_server_reload(struct https_server *server, struct pt_error *err) {
    if (server->options.plain) return PT_OK;
    struct https_tls *fresh;
    const enum pt_code code = https_tls_load(&server->options, &fresh, err);
    if (code != PT_OK) return code;
    pthread_mutex_lock(&server->tls_mutex);
    struct https_tls *old = server->tls;
    server->tls = fresh;
    pthread_mutex_unlock(&server->tls_mutex);
    https_tls_free(old);
    return PT_OK;
}

static void free_worker(struct https_worker *worker) {
    if (worker->listener >= 0) close(worker->listener);
    // First the loop, which watches the mailbox's descriptor: the last deferred handle may close that at any time.
    if (worker->base) event_base_free(worker->base);
    if (worker->mailbox) https_mailbox_close(worker->mailbox);
}

void https_server_stop(struct https_server *server, unsigned deadline_ms) {
    if (!server) return;
    atomic_store(&server->stop_at, https_now_ms() + deadline_ms);
    atomic_store(&server->stopping, true);
    const uint64_t one = 1;
    for (unsigned i = 0; i < server->started; i++)
        if (server->workers[i].running)
            while (write(server->workers[i].mailbox->wake, &one, sizeof one) < 0 && errno == EINTR) {}
    for (unsigned i = 0; i < server->started; i++)
        if (server->workers[i].running) pthread_join(server->workers[i].thread, NULL);
    for (unsigned i = 0; i < server->started; i++) free_worker(&server->workers[i]);
    free(server->workers);
    https_routes_free(&server->routes);
    rate_limit_free(server->client_limit);
    rate_limit_free(server->anonymous_limit);
    https_tls_free(server->tls);
    pthread_mutex_destroy(&server->tls_mutex);
    free(server);
}
