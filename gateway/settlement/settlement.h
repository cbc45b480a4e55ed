// The settlement side of a pharmacy: one scan, three outputs. The event that a terminal signed goes to the ledger by the
// gateway's own way; here it becomes the trace platform's document and the insurer's lines, which wait on disk until the
// platforms have decided about them. See README.md beside this file.
#ifndef PACKTRAIL_GATEWAY_SETTLEMENT_SETTLEMENT_H
#define PACKTRAIL_GATEWAY_SETTLEMENT_SETTLEMENT_H

#include "common/net/https_client.h"
#include "common/net/https_server.h"
#include "gateway/roster/roster.h"
#include "gateway/settlement/report.h"
#include "gateway/spool/spool.h"

struct settlement;

struct settlement_options {
    const char *directory;     // of its store; made if missing
    const char *mapping_file;
    const char *urls[PLATFORMS];  // "" or NULL: that platform gets nothing
    struct https_client_options platform_client;
    const char *ledger_url;
    struct https_client_options ledger_client;
    pt_millis feed_interval;
    struct report_pauses pauses;
    struct roster *roster;
    struct pt_digest genesis;
    const struct pt_env *env;
    struct metrics *metrics;
};

// All pointers must outlive it. PT_USAGE: the mapping file is wrong; the error says where.
enum pt_code settlement_start(const struct settlement_options *options, struct settlement **out, struct pt_error *err) PT_NODISCARD;
void settlement_stop(struct settlement *settlement);  // after the server and the intake; NULL is allowed

// Takes statements that are about to be acknowledged: they are durable here when settlement_taken has returned PT_OK, and
// only then may the terminal be told so. Statements that are no events, and such as were taken before, change nothing.
// One thread at a time.
enum pt_code settlement_take(struct settlement *settlement, const struct pt_digest *id, struct pt_bytes statement, pt_millis now,
                             struct pt_error *err) PT_NODISCARD;
enum pt_code settlement_taken(struct settlement *settlement, struct pt_error *err) PT_NODISCARD;

// At start, before anything new is taken: what lies in the spool and was not taken when the gateway ended.
enum pt_code settlement_recover(struct settlement *settlement, struct spool *spool, struct pt_error *err) PT_NODISCARD;

// Sets the gauges to what the store says, for GET /metrics.
void settlement_measure(struct settlement *settlement);

// Handlers of the routes; arg of each is the settlement. The caller has checked who asks.
void settlement_get_reports(struct settlement *settlement, struct https_request *request);   // GET /settlement/reports
void settlement_get_report(struct settlement *settlement, struct https_request *request);    // GET /settlement/reports/{id}
void settlement_get_document(struct settlement *settlement, struct https_request *request);  // GET /settlement/reports/{id}/document
void settlement_post_retry(struct settlement *settlement, struct https_request *request);    // POST /settlement/reports/{id}/retry
void settlement_put_sale(struct settlement *settlement, struct https_request *request);      // PUT /settlement/sales/{token}

#define SETTLEMENT_SALE_MAX ((size_t)256 * 1024)

#endif
