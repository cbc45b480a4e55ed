// For operators and programs that watch: health and metrics.
#include <string.h>

#include "common/base/cleanup.h"
#include "common/wire/wire.h"
#include "ledger/api/handlers.h"

enum { MOST_METRICS = 4 * 1024 * 1024 };

void api_get_health(void *arg, struct https_request *request) {
    struct api *api = arg;
    struct ledger_status status;
    ledger_status(api->options.ledger, &status);
    json_t *answer = json_object();
    json_object_set_new(answer, "status", json_string(status.failed ? "failed" : "ok"));
    json_object_set_new(answer, "genesis", api_digest(&status.genesis));
    json_object_set_new(answer, "entry", api_digest(&status.entry));
    json_object_set_new(answer, "final_height", json_integer((json_int_t)status.final_height));
    json_object_set_new(answer, "tree_size", json_integer((json_int_t)status.tree_size));
    json_object_set_new(answer, "tree_root", api_digest(&status.tree_root));
    api_add_standing(api, answer, status.height, status.time);
    api_reply_json(request, status.failed ? 503 : 200, answer);
}

static void counter(struct pt_buf *out, const char *name, const char *labels, uint64_t value) {
    pt_buf_printf(out, "%s%s %llu\n", name, labels, (unsigned long long)value);
}

static void kind(struct pt_buf *out, const char *name, const char *type, const char *help) {
    pt_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void write_counters(struct api *api, struct pt_buf *out) {
    static const char *const results[] = {"applied", "duplicate", "bad_signature", "unknown_signer", "malformed",
                                          "not_allowed", "equivocation", "untrusted", "held", "alerted"};
    struct ledger_status status;
    struct ledger_counters counters;
    ledger_status(api->options.ledger, &status);
    ledger_counters(api->options.ledger, &counters);
    kind(out, "packtrail_ledger_height", "gauge", "Height applied and indexed.");
    counter(out, "packtrail_ledger_height", "", status.height);
    kind(out, "packtrail_ledger_tree_size", "gauge", "Statements in the log.");
    counter(out, "packtrail_ledger_tree_size", "", status.tree_size);
    kind(out, "packtrail_ledger_failed", "gauge", "1 after a write failed: nothing is taken until the node is started again.");
    counter(out, "packtrail_ledger_failed", "", status.failed);
    kind(out, "packtrail_ledger_blocks_total", "counter", "Blocks received, by outcome.");
    counter(out, "packtrail_ledger_blocks_total", "{outcome=\"applied\"}", counters.blocks_applied);
    counter(out, "packtrail_ledger_blocks_total", "{outcome=\"duplicate\"}", counters.blocks_duplicate);
    counter(out, "packtrail_ledger_blocks_total", "{outcome=\"refused\"}", counters.blocks_refused);
    counter(out, "packtrail_ledger_blocks_total", "{outcome=\"ignored\"}", counters.blocks_ignored);
    kind(out, "packtrail_ledger_statements_total", "counter", "Statements of applied blocks, by result.");
    for (size_t i = 0; i < sizeof results / sizeof *results; i++) {
        char labels[64];
        snprintf(labels, sizeof labels, "{result=\"%s\"}", results[i]);
        counter(out, "packtrail_ledger_statements_total", labels, counters.statements[i]);
    }
    kind(out, "packtrail_ledger_alerts_total", "counter", "Alerts raised.");
    counter(out, "packtrail_ledger_alerts_total", "", counters.alerts);
    kind(out, "packtrail_ledger_blocks_waiting", "gauge", "Blocks taken and not yet applied.");
    counter(out, "packtrail_ledger_blocks_waiting", "", counters.blocks_waiting);
    kind(out, "packtrail_ledger_chain_bytes", "gauge", "Size of the chain's files.");
    counter(out, "packtrail_ledger_chain_bytes", "", counters.chain_bytes);
    kind(out, "packtrail_ledger_index_bytes", "gauge", "Size of the index.");
    counter(out, "packtrail_ledger_index_bytes", "", counters.index_bytes);
}

void api_get_metrics(void *arg, struct https_request *request) {
    struct api *api = arg;
    PT_CLEANUP(pt_buf_free) struct pt_buf body = PT_BUF_INIT(MOST_METRICS);
    write_counters(api, &body);
    metrics_write(api->options.metrics, &body);
    https_reply_text(request, 200, METRICS_CONTENT_TYPE, pt_buf_bytes(&body));
}
