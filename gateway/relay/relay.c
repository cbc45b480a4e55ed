#include "gateway/relay/relay.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/identify/percent.h"
#include "common/wire/wire.h"

enum { MOST_THREADS = 16, MOST_URL = 65536 };

struct job {
    struct job *next;
    struct https_deferred *deferred;
    char *url;
    char *content_type;
    bool post;
    struct pt_buf body;
};

struct relay {
    struct relay_options options;
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct job *first, **last;
    size_t waiting;
    bool stopping;
    unsigned started;
    pthread_t threads[MOST_THREADS];
    struct https_client *clients[MOST_THREADS];
};

struct thread_arg {
    struct relay *relay;
    struct https_client *client;
};

static void free_job(struct job *job) {
    if (!job) return;
    free(job->url);
    free(job->content_type);
    pt_buf_free(&job->body);
    free(job);
}

static void answer(struct job *job, struct https_client *client, struct https_client_response *response) {
    struct pt_error err = {0};
    const struct https_client_request request = {
        .method = job->post ? "POST" : "GET", .url = job->url, .content_type = job->content_type, .body = pt_buf_bytes(&job->body)};
    if (https_client_send(client, &request, response, &err) != PT_OK) {
        pt_fail(&err, PT_UNAVAILABLE, NULL, "the ledger cannot be reached from this gateway");
        https_reply_later_problem(job->deferred, &err);
        return;
    }
    char type[128] = "";
    struct pt_bytes found;
    if (https_client_response_header(response, "Content-Type", &found) && found.len < sizeof type) {
        memcpy(type, found.data, found.len);
        type[found.len] = 0;
    }
    const struct https_response reply = {
        .status = response->status, .content_type = type[0] ? type : NULL, .body = pt_buf_bytes(&response->body)};
    https_reply_later(job->deferred, &reply);
}

static void *run(void *arg) {
    struct thread_arg *self = arg;
    struct relay *relay = self->relay;
    struct https_client_response response = {0};
    for (;;) {
        pthread_mutex_lock(&relay->lock);
        while (!relay->first && !relay->stopping) pthread_cond_wait(&relay->work, &relay->lock);
        struct job *job = relay->stopping ? NULL : relay->first;
        if (job) {
            relay->first = job->next;
            if (!relay->first) relay->last = &relay->first;
            relay->waiting--;
        }
        pthread_mutex_unlock(&relay->lock);
        if (!job) break;
        answer(job, self->client, &response);
        free_job(job);
    }
    https_client_response_free(&response);
    free(self);
    return NULL;
}

static char *url_of(const struct relay *relay, const struct https_request *request, const char *party) {
    PT_CLEANUP(pt_buf_free) struct pt_buf url = PT_BUF_INIT(MOST_URL);
    const char *query = https_request_query_text(request);
    pt_buf_printf(&url, "%s%s%s%s", relay->options.ledger_url, https_request_path(request), query[0] || party ? "?" : "", query);
    if (party) {
        pt_buf_str(&url, query[0] ? "&party=" : "party=");
        percent_encode(&url, pt_bytes_str(party));
    }
    return url.failed ? NULL : strdup(pt_buf_cstr(&url));
}

static struct job *new_job(const struct relay *relay, const struct https_request *request, const char *party) {
    struct job *job = calloc(1, sizeof *job);
    if (!job) return NULL;
    job->post = https_request_method(request) == HTTPS_POST;
    job->body = PT_BUF_INIT(WIRE_MAX_BODY);
    pt_buf_append_bytes(&job->body, https_request_body(request));
    const char *type = https_request_header(request, "Content-Type");
    job->content_type = type ? strdup(type) : NULL;
    job->url = url_of(relay, request, party);
    if (!job->url || job->body.failed) {
        free_job(job);
        return NULL;
    }
    return job;
}

static void hand_over(struct relay *relay, struct https_request *request, const char *party) {
    struct job *job = new_job(relay, request, party);
    if (job) {
        pthread_mutex_lock(&relay->lock);
        if (relay->waiting < relay->options.most_waiting && !relay->stopping &&
            (job->deferred = https_request_defer(request)) != NULL) {
            *relay->last = job;
            relay->last = &job->next;
            relay->waiting++;
            pthread_cond_signal(&relay->work);
            job = NULL;
        }
        pthread_mutex_unlock(&relay->lock);
        if (!job) return;
        free_job(job);
    }
    struct pt_error err = {0};
    pt_fail(&err, PT_UNAVAILABLE, NULL, "too many requests wait for the ledger");
    https_reply_problem(request, &err);
}

void relay_handle(void *arg, struct https_request *request) { hand_over(arg, request, NULL); }

void relay_handle_for(struct relay *relay, struct https_request *request, const char *party) {
    struct pt_error err = {0};
    if (https_request_query_count(request, "party") == 0) {
        hand_over(relay, request, party);
        return;
    }
    pt_fail(&err, PT_INVALID, NULL, "the party is the one of the caller's certificate");
    https_reply_problem(request, &err);
}

static enum pt_code start_thread(struct relay *relay, unsigned index, struct pt_error *err) {
    enum pt_code code = https_client_new(&relay->options.client, &relay->clients[index], err);
    if (code != PT_OK) return code;
    struct thread_arg *arg = malloc(sizeof *arg);
    if (!arg) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    *arg = (struct thread_arg){relay, relay->clients[index]};
    if (pthread_create(&relay->threads[index], NULL, run, arg) != 0) {
        free(arg);
        return pt_fail(err, PT_IO, NULL, "cannot start a thread");
    }
    relay->started++;
    return PT_OK;
}

enum pt_code relay_start(const struct relay_options *options, struct relay **out, struct pt_error *err) {
    struct relay *relay = calloc(1, sizeof *relay);
    if (!relay) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    relay->options = *options;
    relay->last = &relay->first;
    pthread_mutex_init(&relay->lock, NULL);
    pthread_cond_init(&relay->work, NULL);
    enum pt_code code = PT_OK;
    for (unsigned i = 0; i < options->threads && i < MOST_THREADS && code == PT_OK; i++) code = start_thread(relay, i, err);
    if (code != PT_OK) {
        relay_stop(relay);
        return code;
    }
    *out = relay;
    return PT_OK;
}

void relay_stop(struct relay *relay) {
    if (!relay) return;
    pthread_mutex_lock(&relay->lock);
    relay->stopping = true;
    pthread_cond_broadcast(&relay->work);
    pthread_mutex_unlock(&relay->lock);
    for (unsigned i = 0; i < relay->started; i++) pthread_join(relay->threads[i], NULL);
    struct pt_error err = {0};
    pt_fail(&err, PT_UNAVAILABLE, NULL, "the gateway is stopping");
    while (relay->first) {
        struct job *job = relay->first;
        relay->first = job->next;
        https_reply_later_problem(job->deferred, &err);
        free_job(job);
    }
    for (unsigned i = 0; i < MOST_THREADS; i++)
        if (relay->clients[i]) https_client_free(relay->clients[i]);
    pthread_cond_destroy(&relay->work);
    pthread_mutex_destroy(&relay->lock);
    free(relay);
}
