#include "gateway/gateway.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/cleanup.h"
#include "common/base/log.h"
#include "common/wire/wire.h"
#include "gateway/forward/forward.h"
#include "gateway/intake/intake.h"
#include "gateway/relay/relay.h"
#include "gateway/roster/roster_sync.h"
#include "gateway/settlement/settlement.h"

enum { MOST_KEY_FILE = 65536, MOST_GENESIS = 16 * 1024 * 1024, STOP_DEADLINE_MS = 5000 };

struct gateway {
    const struct gateway_options *options;
    const struct pt_env *env;
    void (*failed)(void *arg);
    void *arg;
    struct genesis genesis;
    struct signer signer;
    struct pt_disk disk;
    struct spool *spool;
    struct roster *roster;
    struct roster_sync *sync;
    struct forward *forward;
    struct relay *relay;
    struct intake *intake;
    struct settlement *settlement;  // NULL: not configured
    struct metrics *metrics;
    struct https_server *server;
    struct https_route routes[24];
};

static void block_sealed(void *arg) { forward_wake(((struct gateway *)arg)->forward); }
static void signer_unknown(void *arg) { roster_sync_wake(((struct gateway *)arg)->sync); }

static void disk_failed(void *arg) {
    const struct gateway *gateway = arg;
    gateway->failed(gateway->arg);
}

// Who may speak to a gateway: any actor whose TLS key is enrolled and whose certificate is in force.
static bool admit(struct gateway *gateway, struct https_request *request) {
    const struct https_identity *identity = https_request_identity(request);
    struct pt_error err = {0};
    if (!identity->present || !identity->has_thumbprint)
        pt_fail(&err, PT_FORBIDDEN, NULL, "a client certificate with a P-256 key is needed");
    else if (identity->expired)
        pt_fail(&err, PT_FORBIDDEN, NULL, "the client certificate is outside its validity; renew it");
    else if (!roster_by_tls(gateway->roster, &identity->thumbprint)) {
        roster_sync_wake(gateway->sync);
        pt_fail(&err, PT_FORBIDDEN, NULL, "the client is not enrolled, as far as this gateway knows");
    } else return true;
    https_reply_problem(request, &err);
    return false;
}

static void post_statements(void *arg, struct https_request *request) {
    struct gateway *gateway = arg;
    if (admit(gateway, request)) intake_post_statements(gateway->intake, request);
}

static void relay_request(void *arg, struct https_request *request) {
    struct gateway *gateway = arg;
    if (admit(gateway, request)) relay_handle(gateway->relay, request);
}

// What is meant for a party (shipping notices) goes to its own terminals, whoever runs the gateway.
static void get_feed(void *arg, struct https_request *request) {
    struct gateway *gateway = arg;
    if (!admit(gateway, request)) return;
    const struct roster_actor *asks = roster_by_tls(gateway->roster, &https_request_identity(request)->thumbprint);
    relay_handle_for(gateway->relay, request, asks ? asks->actor.party : "");
}

// Reports and sales are the pharmacy's own: for its office (a company's, operator's or client's certificate) of the party
// that the gateway itself belongs to, not for terminals and other gateways.
static bool admit_office(struct gateway *gateway, struct https_request *request) {
    if (!admit(gateway, request)) return false;
    struct pt_error err = {0};
    const struct roster_actor *asks = roster_by_tls(gateway->roster, &https_request_identity(request)->thumbprint);
    const struct pt_digest kid = verify_key_thumbprint(gateway->signer.key);
    const struct roster_actor *own = roster_by_kid(gateway->roster, &kid);
    const enum actor_role role = asks ? asks->actor.role : ACTOR_DEVICE;
    if (!gateway->settlement) pt_fail(&err, PT_NOT_FOUND, NULL, "settlement is not configured on this gateway");
    else if (!asks || asks->actor.revoked || (role != ACTOR_COMPANY && role != ACTOR_OPERATOR && role != ACTOR_CLIENT))
        pt_fail(&err, PT_FORBIDDEN, NULL, "settlement is for the pharmacy's office");
    else if (!own || strcmp(own->actor.party, asks->actor.party) != 0)
        pt_fail(&err, PT_FORBIDDEN, NULL, "settlement is for the party that this gateway belongs to");
    else return true;
    https_reply_problem(request, &err);
    return false;
}

#define SETTLEMENT_HANDLER(name)                                                     \
    static void name(void *arg, struct https_request *request) {                     \
        struct gateway *gateway = arg;                                               \
        if (admit_office(gateway, request)) settlement_##name(gateway->settlement, request); \
    }
SETTLEMENT_HANDLER(get_reports)
SETTLEMENT_HANDLER(get_report)
SETTLEMENT_HANDLER(get_document)
SETTLEMENT_HANDLER(post_retry)
SETTLEMENT_HANDLER(put_sale)

static enum pt_code statement_taken(void *arg, const struct pt_digest *id, struct pt_bytes statement, pt_millis now, struct pt_error *err) {
    return settlement_take(((struct gateway *)arg)->settlement, id, statement, now, err);
}
static enum pt_code all_taken(void *arg, struct pt_error *err) { return settlement_taken(((struct gateway *)arg)->settlement, err); }

static void get_healthz(void *arg, struct https_request *request) {
    const struct gateway *gateway = arg;
    struct spool_status status;
    spool_status(gateway->spool, &status);
    const pt_millis now = gateway->env->now(gateway->env->ctx);
    const pt_millis answered = forward_last_answer(gateway->forward);
    PT_CLEANUP(pt_buf_free) struct pt_buf body = PT_BUF_INIT(1024);
    pt_buf_printf(&body,
                  "{\"status\":\"ok\",\"next_block\":%llu,\"waiting\":%zu,\"unfinished\":%zu,\"spool_bytes\":%llu,"
                  "\"oldest_age_ms\":%lld,\"ledger_answered_ms_ago\":%lld}",
                  (unsigned long long)status.next_sequence, status.waiting, status.unfinished,
                  (unsigned long long)status.bytes, status.oldest ? (long long)(now - status.oldest) : 0LL,
                  answered ? (long long)(now - answered) : -1LL);
    https_reply_text(request, 200, WIRE_TYPE_JSON, pt_buf_bytes(&body));
}

static void get_metrics(void *arg, struct https_request *request) {
    const struct gateway *gateway = arg;
    PT_CLEANUP(pt_buf_free) struct pt_buf body = PT_BUF_INIT((size_t)4 * 1024 * 1024);
    if (gateway->settlement) settlement_measure(gateway->settlement);
    metrics_write(gateway->metrics, &body);
    https_reply_text(request, 200, METRICS_CONTENT_TYPE, pt_buf_bytes(&body));
}

static enum pt_code load_genesis(struct gateway *gateway, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf file = PT_BUF_INIT(MOST_GENESIS);
    enum pt_code code = pt_file_read(gateway->options->genesis_file, &file, err);
    if (code == PT_OK) code = genesis_decode(pt_buf_bytes(&file), &gateway->genesis, err);
    return code;
}

static enum pt_code load_signer(struct gateway *gateway, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf file = PT_BUF_INIT(MOST_KEY_FILE);
    enum pt_code code = pt_file_read(gateway->options->sign_key_file, &file, err);
    if (code == PT_OK) code = signer_openssl_from_pem(pt_buf_bytes(&file), &gateway->signer, err);
    if (file.data) explicit_bzero(file.data, file.cap);
    return code;
}

static struct https_client_options client_options(const struct gateway *gateway) {
    return (struct https_client_options){
        .ca_file = gateway->options->ca_file,
        .certificate_file = gateway->options->certificate_file,
        .key_file = gateway->options->key_file,
    };
}

static enum pt_code open_stores(struct gateway *gateway, struct pt_error *err) {
    const struct gateway_options *o = gateway->options;
    char spool_dir[1024];
    char evidence_dir[1024];
    char cache[1024];
    snprintf(spool_dir, sizeof spool_dir, "%s/spool", o->data_dir);
    snprintf(evidence_dir, sizeof evidence_dir, "%s/evidence", o->data_dir);
    snprintf(cache, sizeof cache, "%s/roster.cbor", o->data_dir);
    const char *dirs[] = {o->data_dir, evidence_dir};
    for (size_t i = 0; i < 2; i++)
        if (mkdir(dirs[i], 0700) != 0 && errno != EEXIST) return pt_fail_errno(err, dirs[i], "cannot make the directory");
    enum pt_code code = pt_disk_posix_open(spool_dir, &gateway->disk, err);
    if (code != PT_OK) return code;
    const struct spool_options spool = {
        .limits = {.block_statements = (uint32_t)o->block_statements,
                   .block_bytes = (size_t)o->block_bytes,
                   .block_age = o->block_age,
                   .most_bytes = (uint64_t)o->spool_bytes},
        .genesis = gateway->genesis.hash,
        .gateway = &gateway->signer,
    };
    code = spool_open(&gateway->disk, &spool, &gateway->spool, err);
    if (code != PT_OK) return pt_error_under(err, "%s ", spool_dir);
    return roster_open(&gateway->genesis, cache, &gateway->roster, err);
}

static enum pt_code start_settlement(struct gateway *gateway, struct pt_error *err) {
    const struct gateway_options *o = gateway->options;
    char directory[1024];
    snprintf(directory, sizeof directory, "%s/settlement", o->data_dir);
    const struct settlement_options settlement = {
        .directory = directory,
        .mapping_file = o->mapping_file,
        .urls = {[PLATFORM_TRACE] = o->trace_url, [PLATFORM_INSURER] = o->insurer_url},
        .platform_client = {.ca_file = o->platform_ca[0] ? o->platform_ca : NULL,
                            .certificate_file = o->platform_certificate[0] ? o->platform_certificate : NULL,
                            .key_file = o->platform_key[0] ? o->platform_key : NULL,
                            .total_timeout_ms = (unsigned)o->platform_timeout,
                            .max_body = ANSWER_MAX,
                            .allow_plain_loopback = true},
        .ledger_url = o->ledger_url,
        .ledger_client = client_options(gateway),
        .feed_interval = o->feed_interval,
        .pauses = {o->platform_least_retry, o->platform_most_retry, o->platform_processing},
        .roster = gateway->roster,
        .genesis = gateway->genesis.hash,
        .env = gateway->env,
        .metrics = gateway->metrics,
    };
    if (!o->mapping_file[0]) return PT_OK;
    const enum pt_code code = settlement_start(&settlement, &gateway->settlement, err);
    return code == PT_OK ? settlement_recover(gateway->settlement, gateway->spool, err) : code;
}

static enum pt_code start_workers(struct gateway *gateway, struct pt_error *err) {
    const struct gateway_options *o = gateway->options;
    char evidence_dir[1024];
    snprintf(evidence_dir, sizeof evidence_dir, "%s/evidence", o->data_dir);
    const struct roster_sync_options sync = {gateway->roster, o->ledger_url, client_options(gateway), gateway->env, o->feed_interval};
    const struct forward_options forward = {gateway->spool, o->ledger_url, client_options(gateway), evidence_dir,
                                            gateway->env, gateway->metrics, o->least_retry, o->most_retry};
    const struct relay_options relay = {o->ledger_url, client_options(gateway), (unsigned)o->relay_threads, (size_t)o->relay_waiting};
    const struct intake_options intake = {
        .spool = gateway->spool,
        .roster = gateway->roster,
        .genesis = gateway->genesis.hash,
        .env = gateway->env,
        .metrics = gateway->metrics,
        .most_waiting_bytes = (size_t)o->most_waiting_bytes,
        .block_sealed = block_sealed,
        .signer_unknown = signer_unknown,
        .disk_failed = disk_failed,
        .taken = gateway->settlement ? statement_taken : NULL,
        .all_taken = all_taken,
        .arg = gateway,
    };
    enum pt_code code = roster_sync_start(&sync, &gateway->sync, err);
    if (code == PT_OK) code = forward_start(&forward, &gateway->forward, err);
    if (code == PT_OK) code = relay_start(&relay, &gateway->relay, err);
    if (code == PT_OK) code = intake_start(&intake, &gateway->intake, err);
    return code;
}

static enum pt_code start_server(struct gateway *gateway, struct pt_error *err) {
    const struct gateway_options *o = gateway->options;
    const size_t body = (size_t)o->most_body;
    const struct https_route routes[] = {
        {HTTPS_POST, WIRE_PATH_STATEMENTS, body, "application/cbor-seq application/cose", post_statements, gateway},
        {HTTPS_POST, WIRE_PATH_RECEIPTS, body, WIRE_TYPE_CBOR, relay_request, gateway},
        {HTTPS_GET, WIRE_PATH_FEED, 0, NULL, get_feed, gateway},
        {HTTPS_GET, "/verify/{rest*}", 0, NULL, relay_request, gateway},
        {HTTPS_GET, "/packs/{rest*}", 0, NULL, relay_request, gateway},
        {HTTPS_GET, "/recalls", 0, NULL, relay_request, gateway},
        {HTTPS_GET, "/recalls/{id}", 0, NULL, relay_request, gateway},
        {HTTPS_GET, "/checkpoint", 0, NULL, relay_request, gateway},
        {HTTPS_GET, "/settlement/reports", 0, NULL, get_reports, gateway},
        {HTTPS_GET, "/settlement/reports/{id}", 0, NULL, get_report, gateway},
        {HTTPS_GET, "/settlement/reports/{id}/document", 0, NULL, get_document, gateway},
        {HTTPS_POST, "/settlement/reports/{id}/retry", 0, NULL, post_retry, gateway},
        {HTTPS_PUT, "/settlement/sales/{token}", SETTLEMENT_SALE_MAX, WIRE_TYPE_JSON, put_sale, gateway},
        {HTTPS_GET, "/healthz", 0, NULL, get_healthz, gateway},
        {HTTPS_GET, "/metrics", 0, NULL, get_metrics, gateway},
    };
    _Static_assert(sizeof routes <= sizeof gateway->routes, "room for every route");
    memcpy(gateway->routes, routes, sizeof routes);
    const struct https_server_options server = {
        .address = o->address,
        .port = (uint16_t)o->port,
        .threads = (unsigned)o->threads,
        .certificate_file = o->certificate_file,
        .key_file = o->key_file,
        .client_auth = HTTPS_CLIENT_REQUIRED,
        .client_ca_file = o->ca_file,
        .max_connections = (unsigned)o->most_connections,
        .client_rate = (unsigned)o->client_rate,
        .idle_timeout_ms = (unsigned)o->idle_timeout,
        .request_timeout_ms = (unsigned)o->request_timeout,
        .metrics = gateway->metrics,
    };
    return https_server_start(&server, gateway->routes, sizeof routes / sizeof *routes, &gateway->server, err);
}

enum pt_code gateway_start(const struct gateway_options *options, const struct pt_env *env, void (*failed)(void *arg),
                           void *arg, struct gateway **out, struct pt_error *err) {
    struct gateway *gateway = calloc(1, sizeof *gateway);
    if (!gateway) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    gateway->options = options;
    gateway->env = env;
    gateway->failed = failed;
    gateway->arg = arg;
    gateway->metrics = metrics_new();
    enum pt_code code = gateway->metrics ? PT_OK : pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    if (code == PT_OK) code = load_genesis(gateway, err);
    if (code == PT_OK) code = load_signer(gateway, err);
    if (code == PT_OK) code = open_stores(gateway, err);
    if (code == PT_OK) code = start_settlement(gateway, err);
    if (code == PT_OK) code = start_workers(gateway, err);
    if (code == PT_OK) code = start_server(gateway, err);
    if (code != PT_OK) {
        gateway_stop(gateway);
        return code;
    }
    *out = gateway;
    return PT_OK;
}

uint16_t gateway_port(const struct gateway *gateway) { return https_server_port(gateway->server); }

void gateway_stop(struct gateway *gateway) {
    if (!gateway) return;
    https_server_stop(gateway->server, STOP_DEADLINE_MS);
    intake_stop(gateway->intake);
    settlement_stop(gateway->settlement);
    relay_stop(gateway->relay);
    forward_stop(gateway->forward);
    roster_sync_stop(gateway->sync);
    spool_close(gateway->spool);
    if (gateway->disk.ctx) pt_disk_posix_close(&gateway->disk);
    roster_close(gateway->roster);
    signer_openssl_free(&gateway->signer);
    genesis_free(&gateway->genesis);
    metrics_free(gateway->metrics);
    free(gateway);
}
