#include "ledger/api/handlers.h"

#include <stdlib.h>
#include <string.h>

#include "common/wire/wire.h"

// Every path of the ledger. What a path answers is in the file that its handler stands in.
static const struct https_route routes[] = {
    {HTTPS_POST, WIRE_PATH_BLOCKS, BLOCK_MAX, WIRE_TYPE_BLOCK, api_post_blocks, NULL},
    {HTTPS_POST, WIRE_PATH_STATEMENTS, WIRE_MAX_BODY, "application/cbor-seq application/cose", api_post_statements, NULL},
    {HTTPS_POST, WIRE_PATH_RECEIPTS, WIRE_MAX_BODY, WIRE_TYPE_CBOR, api_post_receipts, NULL},
    {HTTPS_GET, WIRE_PATH_FEED, 0, NULL, api_get_feed, NULL},
    {HTTPS_GET, "/verify/gtin/{gtin}/lot/{lot}/ser/{ser}", 0, NULL, api_get_verify_gtin, NULL},
    {HTTPS_GET, "/verify/code/{code}", 0, NULL, api_get_verify_code, NULL},
    {HTTPS_GET, "/verify/scan", 0, NULL, api_get_verify_scan, NULL},
    {HTTPS_GET, "/checkConnectivity", 0, NULL, api_get_connectivity, NULL},
    {HTTPS_GET, "/01/{rest*}", 0, NULL, api_get_digital_link, NULL},
    {HTTPS_GET, "/00/{rest*}", 0, NULL, api_get_digital_link, NULL},
    {HTTPS_GET, "/packs/{id}", 0, NULL, api_get_pack, NULL},
    {HTTPS_GET, "/packs/{id}/provenance", 0, NULL, api_get_provenance, NULL},
    {HTTPS_GET, "/entries/{id}", 0, NULL, api_get_entry, NULL},
    {HTTPS_GET, "/entries/{id}/statement", 0, NULL, api_get_entry_statement, NULL},
    {HTTPS_GET, "/entries/{id}/receipt", 0, NULL, api_get_entry_receipt, NULL},
    {HTTPS_GET, "/checkpoint", 0, NULL, api_get_checkpoint, NULL},
    {HTTPS_GET, "/proofs/inclusion", 0, NULL, api_get_inclusion, NULL},
    {HTTPS_GET, "/proofs/consistency", 0, NULL, api_get_consistency, NULL},
    {HTTPS_GET, "/heights/{height}", 0, NULL, api_get_height, NULL},
    {HTTPS_GET, "/alerts", 0, NULL, api_get_alerts, NULL},
    {HTTPS_GET, "/alerts/{number}", 0, NULL, api_get_alert, NULL},
    {HTTPS_POST, "/claims", STATEMENT_MAX, "application/cose application/cbor-seq", api_post_claims, NULL},
    {HTTPS_GET, "/claims", 0, NULL, api_get_claims, NULL},
    {HTTPS_GET, "/claims/{id}", 0, NULL, api_get_claim, NULL},
    {HTTPS_GET, "/claims/{id}/evidence", 0, NULL, api_get_claim_evidence, NULL},
    {HTTPS_GET, "/claims/{insurer}/{line}", 0, NULL, api_get_claim_line, NULL},
    {HTTPS_GET, "/recalls", 0, NULL, api_get_recalls, NULL},
    {HTTPS_GET, "/recalls/{id}", 0, NULL, api_get_recall, NULL},
    {HTTPS_GET, "/recalls/{id}/reach", 0, NULL, api_get_recall_reach, NULL},
    {HTTPS_GET, "/recalls/{id}/packs", 0, NULL, api_get_recall_packs, NULL},
    {HTTPS_GET, "/rules", 0, NULL, api_get_rules, NULL},
    {HTTPS_GET, "/healthz", 0, NULL, api_get_health, NULL},
    {HTTPS_GET, "/metrics", 0, NULL, api_get_metrics, NULL},
    {HTTPS_GET, "/openapi.json", 0, NULL, api_get_openapi, NULL},
    {HTTPS_GET, "/", 0, NULL, api_get_page, NULL},
    {HTTPS_GET, "/page/{name}", 0, NULL, api_get_page, NULL},
};

enum { ROUTE_COUNT = sizeof routes / sizeof *routes, MOST_LONG_QUESTIONS = 16 };

enum pt_code api_start(const struct api_options *options, struct api **out, struct pt_error *err) {
    struct api *api = calloc(1, sizeof *api);
    if (!api) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    api->options = *options;
    api->routes = malloc(sizeof routes);
    if (!api->routes) {
        free(api);
        return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    }
    memcpy(api->routes, routes, sizeof routes);
    for (size_t i = 0; i < ROUTE_COUNT; i++) api->routes[i].arg = api;
    enum pt_code code = background_start(MOST_LONG_QUESTIONS, &api->background, err);
    if (code == PT_OK) code = recall_reaches_new(&api->reaches, err);
    if (code == PT_OK) code = https_server_start(&api->options.server, api->routes, ROUTE_COUNT, &api->server, err);
    if (code != PT_OK) {
        api_stop(api, 0);
        return code;
    }
    *out = api;
    return PT_OK;
}

uint16_t api_port(const struct api *api) { return https_server_port(api->server); }

void api_stop(struct api *api, unsigned deadline_ms) {
    if (!api) return;
    https_server_stop(api->server, deadline_ms);
    background_stop(api->background);
    recall_reaches_free(api->reaches);
    free(api->routes);
    free(api);
}
