#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "common/net/https_internal.h"
#include "common/net/problem.h"

#define FIELDS_CEILING ((size_t)64 * 1024)
#define PROBLEM_CEILING ((size_t)4096)

// IMF-fixdate, whatever the locale; kept for a second.
static const char *date_now(struct https_worker *worker) {
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const time_t now = time(NULL);
    if (now == (time_t)worker->date_second) return worker->date;
    struct tm utc;
    gmtime_r(&now, &utc);
    snprintf(worker->date, sizeof worker->date, "%s, %02u %s %04u %02u:%02u:%02u GMT", days[utc.tm_wday % 7],
             (unsigned)utc.tm_mday % 100u, months[utc.tm_mon % 12], (unsigned)(utc.tm_year + 1900) % 10000u,
             (unsigned)utc.tm_hour % 100u, (unsigned)utc.tm_min % 100u, (unsigned)utc.tm_sec % 100u);
    worker->date_second = (int64_t)now;
    return worker->date;
}

static struct metric *status_metric(struct https_server *server, struct https_compiled *route, unsigned status) {
    struct metric *metric = atomic_load(&route->by_status[status]);
    if (metric) return metric;
    struct pt_buf labels = PT_BUF_INIT(1024);
    char number[16];
    snprintf(number, sizeof number, "%u", status);
    metrics_label(&labels, "route", pt_bytes_str(route->route.pattern));
    metrics_label(&labels, "status", pt_bytes_str(number));
    metric = metrics_counter(server->options.metrics, "packtrail_https_requests_total", pt_buf_cstr(&labels),
                             "Requests answered, by route and status.");
    pt_buf_free(&labels);
    atomic_store(&route->by_status[status], metric);
    return metric;
}

static struct metric *seconds_metric(struct https_server *server, struct https_compiled *route) {
    struct metric *metric = atomic_load(&route->seconds);
    if (metric) return metric;
    struct pt_buf labels = PT_BUF_INIT(1024);
    metrics_label(&labels, "route", pt_bytes_str(route->route.pattern));
    metric = metrics_histogram(server->options.metrics, "packtrail_https_request_seconds", pt_buf_cstr(&labels),
                               "From a request's first byte to its answer.");
    pt_buf_free(&labels);
    atomic_store(&route->seconds, metric);
    return metric;
}

static void count(struct https_connection *connection, unsigned status) {
    struct https_server *server = connection->worker->server;
    if (!server->options.metrics) return;
    struct https_request *request = &connection->request;
    struct https_compiled *route = request->route ? request->route : &server->unrouted;
    metric_add(status_metric(server, route, status), 1);
    metric_observe(seconds_metric(server, route), (double)(https_now_ns() - request->started_ns) / 1e9);
}

static void stop_waiting(struct https_connection *connection) {
    struct https_server *server = connection->worker->server;
    connection->deferred->connection = NULL;
    connection->deferred = NULL;
    atomic_fetch_sub(&server->in_flight, 1);
    if (server->counters.in_flight) metric_change(server->counters.in_flight, -1);
}

// Makes the connection ready for its next request.
static void end_request(struct https_connection *connection) {
    const struct https_server_options *options = &connection->worker->server->options;
    connection->state = HTTPS_READ_HEAD;
    connection->scanned = 0;
    connection->deadline = https_now_ms() + options->idle_timeout_ms;
    if (connection->chunked_body.cap > FIELDS_CEILING) pt_buf_free(&connection->chunked_body);
}

void https_answer(struct https_connection *connection, unsigned status, struct pt_bytes fields, struct pt_bytes body) {
    struct https_server *server = connection->worker->server;
    struct https_request *request = &connection->request;
    if (status < 100 || status >= HTTPS_STATUS_LIMIT) status = 500;
    if (connection->deferred) stop_waiting(connection);
    connection->requests++;
    if (request->head.close || connection->requests >= server->options.max_requests || atomic_load(&server->stopping))
        connection->closing = true;
    const bool bodiless = status == 204 || status == 304;
    struct pt_buf *out = &connection->out;
    pt_buf_printf(out, "HTTP/1.1 %u %s\r\nDate: %s\r\nX-Content-Type-Options: nosniff\r\n", status, problem_phrase(status),
                  date_now(connection->worker));
    if (!bodiless) pt_buf_printf(out, "Content-Length: %zu\r\n", body.len);
    if (connection->closing) pt_buf_str(out, "Connection: close\r\n");
    else if (request->head.minor == 0) pt_buf_str(out, "Connection: keep-alive\r\n");
    pt_buf_append_bytes(out, fields);
    pt_buf_str(out, "\r\n");
    if (!bodiless && request->method != HTTPS_HEAD) pt_buf_append_bytes(out, body);
    if (out->failed) connection->dead = true;  // half an answer must not go out
    count(connection, status);
    request->answered = true;
    end_request(connection);
}

static bool clean(const char *text) {
    for (; *text; text++)
        if (((uint8_t)*text < 0x20 && *text != '\t') || *text == 0x7f) return false;
    return true;
}

static bool ours(const char *name) {
    static const char *const names[] = {"Content-Length", "Connection",   "Date", "Transfer-Encoding", "Keep-Alive",
                                        "Upgrade",        "Content-Type", "X-Content-Type-Options"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(names[i], name) == 0) return true;
    return false;
}

static void append_field(struct pt_buf *out, const char *name, const char *value) {
    if (name[0] && clean(name) && !strpbrk(name, " \t:") && clean(value)) pt_buf_printf(out, "%s: %s\r\n", name, value);
}

static void append_fields(struct pt_buf *out, const struct https_response *response) {
    bool cached = false;
    if (response->content_type) append_field(out, "Content-Type", response->content_type);
    for (size_t i = 0; i < response->header_count; i++) {
        const struct https_header *header = &response->headers[i];
        if (ours(header->name)) continue;
        if (strcasecmp(header->name, "Cache-Control") == 0) cached = true;
        append_field(out, header->name, header->value);
    }
    if (!cached) pt_buf_str(out, "Cache-Control: no-store\r\n");
}

void https_answer_status(struct https_connection *connection, unsigned status, const char *detail, const char *fields) {
    struct pt_buf head = PT_BUF_INIT(FIELDS_CEILING);
    struct pt_buf body = PT_BUF_INIT(PROBLEM_CEILING);
    problem_append_status(&body, status, detail);
    pt_buf_printf(&head, "Content-Type: %s\r\nCache-Control: no-store\r\n%s", PROBLEM_CONTENT_TYPE, fields ? fields : "");
    https_answer(connection, status, pt_buf_bytes(&head), pt_buf_bytes(&body));
    pt_buf_free(&head);
    pt_buf_free(&body);
}

void https_reply(struct https_request *request, const struct https_response *response) {
    if (request->answered) return;
    struct pt_buf fields = PT_BUF_INIT(FIELDS_CEILING);
    append_fields(&fields, response);
    if (fields.failed) https_answer_status(request->connection, 500, NULL, NULL);
    else https_answer(request->connection, response->status, pt_buf_bytes(&fields), response->body);
    pt_buf_free(&fields);
}

void https_reply_text(struct https_request *request, unsigned status, const char *content_type, struct pt_bytes body) {
    const struct https_response response = {.status = status, .content_type = content_type, .body = body};
    https_reply(request, &response);
}

static const struct https_header retry_after = {"Retry-After", "2"};
_Static_assert(PROBLEM_RETRY_AFTER_SECONDS == 2, "the header above says it");

static struct https_response problem_response(const struct pt_error *err, struct pt_buf *body) {
    problem_append(body, err);
    const unsigned status = problem_status(err);
    return (struct https_response){.status = status,
                                   .content_type = PROBLEM_CONTENT_TYPE,
                                   .headers = &retry_after,
                                   .header_count = status == 503 ? 1 : 0,
                                   .body = pt_buf_bytes(body)};
}

void https_reply_problem(struct https_request *request, const struct pt_error *err) {
    struct pt_buf body = PT_BUF_INIT(PROBLEM_CEILING);
    const struct https_response response = problem_response(err, &body);
    https_reply(request, &response);
    pt_buf_free(&body);
}

struct https_mailbox *https_mailbox_new(void) {
    struct https_mailbox *mailbox = calloc(1, sizeof *mailbox);
    if (!mailbox) return NULL;
    mailbox->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (mailbox->wake < 0) {
        free(mailbox);
        return NULL;
    }
    pthread_mutex_init(&mailbox->mutex, NULL);
    atomic_store(&mailbox->refs, 1);
    return mailbox;
}

static void mailbox_unref(struct https_mailbox *mailbox) {
    if (atomic_fetch_sub(&mailbox->refs, 1) != 1) return;
    close(mailbox->wake);
    pthread_mutex_destroy(&mailbox->mutex);
    free(mailbox);
}

static void letter_free(struct https_letter *letter) {
    pt_buf_free(&letter->fields);
    pt_buf_free(&letter->body);
    if (letter->deferred) {
        mailbox_unref(letter->deferred->mailbox);
        free(letter->deferred);
    }
    free(letter);
}

static struct https_letter *take_all(struct https_mailbox *mailbox, bool closing) {
    pthread_mutex_lock(&mailbox->mutex);
    struct https_letter *first = mailbox->first;
    mailbox->first = mailbox->last = NULL;
    if (closing) mailbox->closed = true;
    pthread_mutex_unlock(&mailbox->mutex);
    return first;
}

void https_mailbox_close(struct https_mailbox *mailbox) {
    struct https_letter *letter = take_all(mailbox, true);
    while (letter) {
        struct https_letter *next = letter->next;
        letter_free(letter);
        letter = next;
    }
    mailbox_unref(mailbox);
}

struct https_deferred *https_request_defer(struct https_request *request) {
    struct https_connection *connection = request->connection;
    if (request->answered) return NULL;
    struct https_deferred *deferred = calloc(1, sizeof *deferred);
    if (!deferred) {
        https_answer_status(connection, 503, "out of memory", "Retry-After: 2\r\n");
        return NULL;
    }
    deferred->mailbox = connection->worker->mailbox;
    atomic_fetch_add(&deferred->mailbox->refs, 1);
    deferred->connection = connection;
    connection->deferred = deferred;
    connection->state = HTTPS_WAITING;
    connection->deadline = https_now_ms() + connection->worker->server->options.deferred_timeout_ms;
    request->answered = true;
    return deferred;
}

void https_reply_later(struct https_deferred *deferred, const struct https_response *response) {
    struct https_mailbox *mailbox = deferred->mailbox;
    struct https_letter *letter = calloc(1, sizeof *letter);
    if (!letter) abort();  // a handle that is never answered would hold its connection for good
    letter->deferred = deferred;
    letter->status = response->status;
    letter->fields = PT_BUF_INIT(FIELDS_CEILING);
    letter->body = PT_BUF_INIT(response->body.len);
    append_fields(&letter->fields, response);
    pt_buf_append_bytes(&letter->body, response->body);
    pthread_mutex_lock(&mailbox->mutex);
    const bool closed = mailbox->closed;
    const bool first = !mailbox->first;
    if (!closed) {
        if (first) mailbox->first = letter;
        else mailbox->last->next = letter;
        mailbox->last = letter;
        const uint64_t one = 1;  // under the lock: the descriptor lives as long as the mailbox is open
        if (first) while (write(mailbox->wake, &one, sizeof one) < 0 && errno == EINTR) {}
    }
    pthread_mutex_unlock(&mailbox->mutex);
    if (closed) letter_free(letter);
}

void https_reply_later_problem(struct https_deferred *deferred, const struct pt_error *err) {
    struct pt_buf body = PT_BUF_INIT(PROBLEM_CEILING);
    const struct https_response response = problem_response(err, &body);
    https_reply_later(deferred, &response);
    pt_buf_free(&body);
}

void https_mailbox_deliver(struct https_worker *worker) {
    uint64_t woken;
    while (read(worker->mailbox->wake, &woken, sizeof woken) < 0 && errno == EINTR) {}
    struct https_letter *letter = take_all(worker->mailbox, false);
    while (letter) {
        struct https_letter *next = letter->next;
        struct https_connection *connection = letter->deferred->connection;
        if (connection) {
            if (letter->fields.failed || letter->body.failed) https_answer_status(connection, 500, NULL, NULL);
            else https_answer(connection, letter->status, pt_buf_bytes(&letter->fields), pt_buf_bytes(&letter->body));
            https_connection_run(connection);
        }
        letter_free(letter);
        letter = next;
    }
}
