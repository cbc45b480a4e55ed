#include "firmware/lookup/lookup.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "firmware/lookup/lookup_answer.h"

enum { WAITING_MOST = 16, ANSWERS_MOST = 32, LOT_MOST = 21, EXPIRY_MOST = 11 };

struct question {
    unsigned ticket;
    struct pack_id pack;
    char lot[LOT_MOST], expiry[EXPIRY_MOST];
};

struct lookup {
    char *gateway_url;
    unsigned deadline_ms;
    void (*ready)(void *arg);
    void *ready_arg;
    struct https_client *client;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t asked;
    struct question waiting[WAITING_MOST];  // a ring, as the answers
    size_t first_waiting, waiting_count;
    struct lookup_answer answers[ANSWERS_MOST];
    size_t first_answer, answer_count;
    unsigned next_ticket;
    bool stopping;
};

// An unreachable ledger is an answer, too: "not verified", with the reason.
static void ask(struct lookup *lookup, struct https_client_response *response, const struct question *question, struct lookup_answer *out) {
    PT_CLEANUP(pt_buf_free) struct pt_buf url = PT_BUF_INIT(8192);
    *out = (struct lookup_answer){.ticket = question->ticket, .pack = question->pack, .units = -1, .units_left = -1};
    pt_buf_str(&url, lookup->gateway_url);
    enum pt_code code = lookup_question(&question->pack, question->lot, question->expiry, &url, &out->why);
    const struct https_client_request request = {.method = "GET", .url = pt_buf_cstr(&url), .total_timeout_ms = lookup->deadline_ms};
    if (code == PT_OK) code = https_client_send(lookup->client, &request, response, &out->why);
    if (code == PT_OK && response->status != 200) code = pt_fail(&out->why, PT_UNAVAILABLE, "ledger", "answered %u", response->status);
    if (code == PT_OK) code = lookup_answer_read(pt_buf_bytes(&response->body), out, &out->why);
    if (code != PT_OK) out->colour = LOOKUP_NONE;
}

static void give(struct lookup *lookup, const struct lookup_answer *answer) {
    if (lookup->answer_count == ANSWERS_MOST) {
        lookup->first_answer = (lookup->first_answer + 1) % ANSWERS_MOST;
        lookup->answer_count--;
    }
    lookup->answers[(lookup->first_answer + lookup->answer_count++) % ANSWERS_MOST] = *answer;
}

static void *run(void *arg) {
    struct lookup *lookup = arg;
    struct https_client_response response = {0};
    pthread_mutex_lock(&lookup->lock);
    while (!lookup->stopping) {
        if (lookup->waiting_count == 0) {
            pthread_cond_wait(&lookup->asked, &lookup->lock);
            continue;
        }
        const struct question question = lookup->waiting[lookup->first_waiting];
        lookup->first_waiting = (lookup->first_waiting + 1) % WAITING_MOST;
        lookup->waiting_count--;
        pthread_mutex_unlock(&lookup->lock);
        struct lookup_answer answer;
        ask(lookup, &response, &question, &answer);
        pthread_mutex_lock(&lookup->lock);
        give(lookup, &answer);
        pthread_mutex_unlock(&lookup->lock);
        if (lookup->ready) lookup->ready(lookup->ready_arg);
        pthread_mutex_lock(&lookup->lock);
    }
    pthread_mutex_unlock(&lookup->lock);
    https_client_response_free(&response);
    return NULL;
}

enum pt_code lookup_start(const struct lookup_options *options, struct lookup **out, struct pt_error *err) {
    struct lookup *lookup = calloc(1, sizeof *lookup);
    if (lookup) lookup->gateway_url = strdup(options->gateway_url);
    if (!lookup || !lookup->gateway_url) {
        free(lookup);
        return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    }
    pthread_mutex_init(&lookup->lock, NULL);
    pthread_cond_init(&lookup->asked, NULL);
    lookup->deadline_ms = (unsigned)options->deadline_ms;
    lookup->ready = options->ready;
    lookup->ready_arg = options->ready_arg;
    enum pt_code code = https_client_new(&options->client, &lookup->client, err);
    if (code == PT_OK && pthread_create(&lookup->thread, NULL, run, lookup) != 0) code = pt_fail(err, PT_IO, NULL, "cannot start a thread");
    if (code == PT_OK) {
        *out = lookup;
        return PT_OK;
    }
    if (lookup->client) https_client_free(lookup->client);
    free(lookup->gateway_url);
    free(lookup);
    return code;
}

void lookup_stop(struct lookup *lookup) {
    if (!lookup) return;
    pthread_mutex_lock(&lookup->lock);
    lookup->stopping = true;
    pthread_cond_signal(&lookup->asked);
    pthread_mutex_unlock(&lookup->lock);
    pthread_join(lookup->thread, NULL);
    https_client_free(lookup->client);
    pthread_cond_destroy(&lookup->asked);
    pthread_mutex_destroy(&lookup->lock);
    free(lookup->gateway_url);
    free(lookup);
}

unsigned lookup_ask(struct lookup *lookup, const struct pack_id *pack, const char *lot, const char *expiry) {
    pthread_mutex_lock(&lookup->lock);
    if (lookup->waiting_count == WAITING_MOST) {  // what was asked last is what staff hold in their hands
        lookup->first_waiting = (lookup->first_waiting + 1) % WAITING_MOST;
        lookup->waiting_count--;
    }
    struct question *question = &lookup->waiting[(lookup->first_waiting + lookup->waiting_count++) % WAITING_MOST];
    *question = (struct question){.ticket = ++lookup->next_ticket, .pack = *pack};
    snprintf(question->lot, sizeof question->lot, "%s", lot);
    snprintf(question->expiry, sizeof question->expiry, "%s", expiry);
    const unsigned ticket = question->ticket;
    pthread_cond_signal(&lookup->asked);
    pthread_mutex_unlock(&lookup->lock);
    return ticket;
}

bool lookup_take(struct lookup *lookup, struct lookup_answer *out) {
    pthread_mutex_lock(&lookup->lock);
    const bool found = lookup->answer_count > 0;
    if (found) {
        *out = lookup->answers[lookup->first_answer];
        lookup->first_answer = (lookup->first_answer + 1) % ANSWERS_MOST;
        lookup->answer_count--;
    }
    pthread_mutex_unlock(&lookup->lock);
    return found;
}
