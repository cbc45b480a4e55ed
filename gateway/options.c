#include "common/chain/block.h"
#include "common/wire/wire.h"
#include "gateway/gateway.h"

enum { KEY_COUNT = 36 };

static void declare(struct gateway_options *o, struct pt_config_key keys[KEY_COUNT]) {
    const int64_t gigabyte = 1024 * 1024 * 1024;
    const struct pt_config_key declared[KEY_COUNT] = {
        {"gateway", "data", PT_CONFIG_PATH, NULL, 0, 0, "directory of the spool and the roster", &o->data_dir, NULL, NULL},
        {"gateway", "genesis", PT_CONFIG_PATH, NULL, 0, 0, "genesis file of the ledger", &o->genesis_file, NULL, NULL},
        {"gateway", "sign_key", PT_CONFIG_PATH, NULL, 0, 0, "key that signs blocks (PEM)", &o->sign_key_file, NULL, NULL},
        {"server", "address", PT_CONFIG_TEXT, "127.0.0.1", 0, 0, "numeric address to listen on", &o->address, NULL, NULL},
        {"server", "port", PT_CONFIG_NUMBER, "8443", 0, 65535, "0 takes any free port", NULL, &o->port, NULL},
        {"server", "threads", PT_CONFIG_NUMBER, "2", 1, 64, "each verifies signatures", NULL, &o->threads, NULL},
        {"server", "certificate", PT_CONFIG_PATH, NULL, 0, 0, "TLS certificate (PEM)", &o->certificate_file, NULL, NULL},
        {"server", "key", PT_CONFIG_PATH, NULL, 0, 0, "TLS key (PEM)", &o->key_file, NULL, NULL},
        {"server", "ca", PT_CONFIG_PATH, NULL, 0, 0, "the consortium's TLS CA (PEM)", &o->ca_file, NULL, NULL},
        {"server", "most_body", PT_CONFIG_BYTES, "2m", 4096, WIRE_MAX_BODY, "of one request", NULL, &o->most_body, NULL},
        {"server", "most_connections", PT_CONFIG_NUMBER, "1024", 1, 100000, "at once", NULL, &o->most_connections, NULL},
        {"server", "most_waiting", PT_CONFIG_BYTES, "64m", 65536, gigabyte, "bytes of requests that wait for the disk; above it 503", NULL, &o->most_waiting_bytes, NULL},
        {"server", "idle_timeout", PT_CONFIG_MILLIS, "60s", 100, 3600000, "between requests", NULL, &o->idle_timeout, NULL},
        {"server", "request_timeout", PT_CONFIG_MILLIS, "15s", 100, 600000, "from a request's first byte to its last", NULL, &o->request_timeout, NULL},
        {"server", "client_rate", PT_CONFIG_NUMBER, "1000", 0, 1000000, "requests a second of one terminal, twice as many at once; beyond it 429; 0: no limit", NULL, &o->client_rate, NULL},
        {"ledger", "url", PT_CONFIG_TEXT, NULL, 0, 0, "https://host:port of the ledger node", &o->ledger_url, NULL, NULL},
        {"ledger", "feed_interval", PT_CONFIG_MILLIS, "10s", 10, 3600000, "how often enrolments and revocations are read", NULL, &o->feed_interval, NULL},
        {"ledger", "least_retry", PT_CONFIG_MILLIS, "100ms", 1, 60000, "first pause after a failed request", NULL, &o->least_retry, NULL},
        {"ledger", "most_retry", PT_CONFIG_MILLIS, "15s", 1, 3600000, "longest pause after failed requests", NULL, &o->most_retry, NULL},
        {"block", "statements", PT_CONFIG_NUMBER, "1024", 1, BLOCK_MAX_STATEMENTS, "a block is sealed when it has so many", NULL, &o->block_statements, NULL},
        {"block", "bytes", PT_CONFIG_BYTES, "768k", 1024, BLOCK_MAX - 64 * 1024, "… or so many bytes", NULL, &o->block_bytes, NULL},
        {"block", "age", PT_CONFIG_MILLIS, "200ms", 1, 3600000, "… or its oldest statement has waited so long", NULL, &o->block_age, NULL},
        {"spool", "most_bytes", PT_CONFIG_BYTES, "4g", 1048576, 1024 * gigabyte, "above it statements are answered `later`", NULL, &o->spool_bytes, NULL},
        {"relay", "threads", PT_CONFIG_NUMBER, "2", 1, 16, "connections to the ledger for terminals' questions", NULL, &o->relay_threads, NULL},
        {"relay", "waiting", PT_CONFIG_NUMBER, "256", 1, 10000, "questions that may wait", NULL, &o->relay_waiting, NULL},
        {"settlement", "mapping", PT_CONFIG_PATH, "", 0, 0, "what the platforms call things (gateway/settlement/mapping.example.json); empty: no settlement", &o->mapping_file, NULL, NULL},
        {"settlement", "trace_url", PT_CONFIG_TEXT, "", 0, 400, "https://host of the trace platform (http only on this machine); empty: no reports to it", &o->trace_url, NULL, NULL},
        {"settlement", "insurer_url", PT_CONFIG_TEXT, "", 0, 400, "likewise of the insurer's platform", &o->insurer_url, NULL, NULL},
        {"settlement", "ca", PT_CONFIG_PATH, "", 0, 0, "PEM bundle that the platforms are checked against; empty: the system's", &o->platform_ca, NULL, NULL},
        {"settlement", "certificate", PT_CONFIG_PATH, "", 0, 0, "own certificate towards the platforms (PEM); empty: none", &o->platform_certificate, NULL, NULL},
        {"settlement", "key", PT_CONFIG_PATH, "", 0, 0, "its key (PEM)", &o->platform_key, NULL, NULL},
        {"settlement", "timeout", PT_CONFIG_MILLIS, "10s", 100, 300000, "for a platform's answer; then the outcome is unknown and the platform is asked", NULL, &o->platform_timeout, NULL},
        {"settlement", "least_retry", PT_CONFIG_MILLIS, "1s", 1, 60000, "first pause before a platform is asked, or sent to, again", NULL, &o->platform_least_retry, NULL},
        {"settlement", "most_retry", PT_CONFIG_MILLIS, "10min", 1, 86400000, "it doubles up to this", NULL, &o->platform_most_retry, NULL},
        {"settlement", "processing", PT_CONFIG_MILLIS, "2min", 0, 86400000, "how long a platform may take to show what it got; \"not here\" is believed only after it", NULL, &o->platform_processing, NULL},
        {"log", "level", PT_CONFIG_NUMBER, "1", 0, 3, "0 debug, 1 info, 2 warning, 3 error", NULL, &o->log_level, NULL},
    };
    for (int i = 0; i < KEY_COUNT; i++) keys[i] = declared[i];
}

enum pt_code gateway_options_load(const char *path, struct gateway_options *out, struct pt_error *err) {
    struct pt_config_key keys[KEY_COUNT];
    *out = (struct gateway_options){0};
    declare(out, keys);
    return pt_config_load(path, keys, KEY_COUNT, err);
}

void gateway_options_free(struct gateway_options *options) {
    struct pt_config_key keys[KEY_COUNT];
    declare(options, keys);
    pt_config_free(keys, KEY_COUNT);
}

void gateway_options_describe(struct pt_buf *out) {
    struct gateway_options unused;
    struct pt_config_key keys[KEY_COUNT];
    declare(&unused, keys);
    pt_config_describe(keys, KEY_COUNT, out);
}
