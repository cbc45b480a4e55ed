#include "gateway/roster/roster_sync.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "gateway/worker/worker.h"

struct roster_sync {
    struct roster_sync_options options;
    struct worker *worker;
    struct https_client *client;
    struct https_client_response response;
    pt_millis last;
    bool reachable;
};

// Reads one answer; true if there is more to read at once.
static bool read_once(struct roster_sync *sync) {
    struct pt_error err = {0};
    char url[512];
    snprintf(url, sizeof url, "%s" WIRE_PATH_FEED "?since=%llu", sync->options.ledger_url,
             (unsigned long long)roster_cursor(sync->options.roster));
    const struct https_client_request request = {.method = "GET", .url = url};
    enum pt_code code = https_client_send(sync->client, &request, &sync->response, &err);
    if (code == PT_OK && sync->response.status != 200)
        code = pt_fail(&err, PT_UNAVAILABLE, WIRE_PATH_FEED, "the ledger answered %u", sync->response.status);
    struct wire_feed feed = {0};
    if (code == PT_OK) code = wire_feed_decode(pt_buf_bytes(&sync->response.body), &feed, &err);
    size_t refused = 0;
    if (code == PT_OK) code = roster_apply_feed(sync->options.roster, &feed, &refused, &err);
    const bool more = code == PT_OK && feed.more;
    free(feed.items);
    if (refused) pt_log(PT_LOG_WARNING, "feed-items-refused", "count=%zu", refused);
    // Said once for each change, not at every turn while the line is down.
    if (code != PT_OK && sync->reachable) pt_log_error("feed-not-read", &err);
    sync->reachable = code == PT_OK;
    return more;
}

static pt_millis sync_turn(void *arg) {
    struct roster_sync *sync = arg;
    const pt_millis now = sync->options.env->now(sync->options.env->ctx);
    const pt_millis pause = sync->last + sync->options.interval / 10 - now;
    // A flood of unknown signers must not become a flood of requests.
    if (sync->last && pause > 0 && pause <= sync->options.interval) return pause;
    sync->last = now;
    while (read_once(sync) && !worker_stopping(sync->worker)) {}
    return sync->options.interval;
}

enum pt_code roster_sync_start(const struct roster_sync_options *options, struct roster_sync **out,
                               struct pt_error *err) {
    struct roster_sync *sync = calloc(1, sizeof *sync);
    if (!sync) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    sync->options = *options;
    sync->reachable = true;
    enum pt_code code = https_client_new(&options->client, &sync->client, err);
    if (code == PT_OK) code = worker_start(sync_turn, sync, &sync->worker, err);
    if (code != PT_OK) {
        roster_sync_stop(sync);
        return code;
    }
    *out = sync;
    return PT_OK;
}

void roster_sync_wake(struct roster_sync *sync) { worker_wake(sync->worker); }

void roster_sync_stop(struct roster_sync *sync) {
    if (!sync) return;
    worker_stop(sync->worker);
    https_client_response_free(&sync->response);
    https_client_free(sync->client);
    free(sync);
}
