#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/log.h"
#include "common/base/service.h"
#include "ledger/api/api.h"
#include "ledger/node/options.h"

#define NAME "packtrail-ledger"

enum { MOST_KEY_FILE = 65536, STOP_DEADLINE_MS = 5000 };

static enum pt_code anonymous_of(const char *word, enum api_anonymous *out, struct pt_error *err) {
    static const char *const words[] = {"none", "verify", "read"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(word, words[i]) != 0) continue;
        *out = (enum api_anonymous)i;
        return PT_OK;
    }
    return pt_fail(err, PT_USAGE, "access.anonymous", "must be none, verify or read, not '%s'", word);
}

static enum pt_code load_signer(const char *path, struct signer *out, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf file = PT_BUF_INIT(MOST_KEY_FILE);
    enum pt_code code = pt_file_read(path, &file, err);
    if (code == PT_OK) code = signer_openssl_from_pem(pt_buf_bytes(&file), out, err);
    if (file.data) explicit_bzero(file.data, file.cap);
    return code;
}

static int serve(const struct node_options *options, struct api_options *api_options) {
    struct pt_error err = {0};
    struct api *api = NULL;
    struct api *local = NULL;
    if (api_start(api_options, &api, &err) != PT_OK) return service_failed(NAME, &err);
    if (options->local_port) {
        struct api_options plain = *api_options;
        plain.server = (struct https_server_options){.address = "127.0.0.1", .port = (uint16_t)options->local_port, .plain = true};
        if (api_start(&plain, &local, &err) != PT_OK) {
            api_stop(api, STOP_DEADLINE_MS);
            return service_failed(NAME, &err);
        }
    }
    struct ledger_status status;
    ledger_status(api_options->ledger, &status);
    pt_log(PT_LOG_INFO, "listening", "address=%s port=%u height=%llu", options->address, api_port(api),
           (unsigned long long)status.height);
    service_wait();
    pt_log(PT_LOG_INFO, "stopping", "reason=signal");
    api_stop(local, STOP_DEADLINE_MS);
    api_stop(api, STOP_DEADLINE_MS);
    return 0;
}

static int open_and_serve(const struct node_options *options) {
    struct pt_error err = {0};
    struct signer signer;
    struct api_options api = {
        .env = pt_env_system(),
        .stale_after = options->stale_after,
        .responder_gln = options->responder_gln,
        .server = {.address = options->address,
                   .port = (uint16_t)options->port,
                   .threads = (unsigned)options->threads,
                   .certificate_file = options->certificate_file,
                   .key_file = options->key_file,
                   .client_auth = HTTPS_CLIENT_OPTIONAL,
                   .client_ca_file = options->ca_file,
                   .max_connections = (unsigned)options->most_connections,
                   .client_rate = (unsigned)options->client_rate,
                   .anonymous_rate = (unsigned)options->anonymous_rate,
                   .idle_timeout_ms = (unsigned)options->idle_timeout,
                   .request_timeout_ms = (unsigned)options->request_timeout},
    };
    if (anonymous_of(options->anonymous, &api.anonymous, &err) != PT_OK ||
        load_signer(options->sign_key_file, &signer, &err) != PT_OK)
        return service_failed(NAME, &err);
    const struct ledger_options ledger = {.workers = (unsigned)options->workers,
                                          .waiting_blocks = (unsigned)options->waiting_blocks,
                                          .index_cache_bytes = (uint64_t)options->index_cache};
    int status = 3;
    api.metrics = metrics_new();
    api.server.metrics = api.metrics;
    if (ledger_open(options->data_dir, &signer, &ledger, api.env, &api.ledger, &err) != PT_OK) service_failed(NAME, &err);
    else status = serve(options, &api);
    ledger_close(api.ledger);
    metrics_free(api.metrics);
    signer_openssl_free(&signer);
    return status;
}

static int run(const char *config) {
    struct node_options options;
    struct pt_error err = {0};
    if (node_options_load(config, &options, &err) != PT_OK) return service_failed(NAME, &err);
    pt_log_open("ledger", (enum pt_log_level)options.log_level);
    const int status = open_and_serve(&options);
    node_options_free(&options);
    return status;
}

int main(int argc, char **argv) {
    static const struct service service = {
        .name = NAME,
        .help = "One node of the ledger: checks and orders blocks, keeps the chain, answers. `packtrail ledger init` makes its\n"
                "directory.\n",
        .describe = node_options_describe,
        .run = run,
    };
    return service_main(&service, argc, argv);
}
