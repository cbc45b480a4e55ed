#include "ledger/node/options.h"

enum { KEY_COUNT = 21 };

static void declare(struct node_options *o, struct pt_config_key keys[KEY_COUNT]) {
    const int64_t gigabyte = 1024 * 1024 * 1024;
    const struct pt_config_key declared[KEY_COUNT] = {
        {"ledger", "data", PT_CONFIG_PATH, NULL, 0, 0, "directory made by `packtrail ledger init`", &o->data_dir, NULL, NULL},
        {"ledger", "sign_key", PT_CONFIG_PATH, NULL, 0, 0, "key of this executor (PEM)", &o->sign_key_file, NULL, NULL},
        {"ledger", "workers", PT_CONFIG_NUMBER, "0", 0, 256, "threads that check signatures; 0: one a core", NULL, &o->workers, NULL},
        {"ledger", "waiting_blocks", PT_CONFIG_NUMBER, "64", 1, 4096, "blocks taken and not yet applied; above it 503", NULL, &o->waiting_blocks, NULL},
        {"ledger", "index_cache", PT_CONFIG_BYTES, "256m", 1048576, 64 * gigabyte, "memory of the index writer", NULL, &o->index_cache, NULL},
        {"server", "address", PT_CONFIG_TEXT, "127.0.0.1", 0, 0, "numeric address to listen on", &o->address, NULL, NULL},
        {"server", "port", PT_CONFIG_NUMBER, "8444", 0, 65535, "0 takes any free port", NULL, &o->port, NULL},
        {"server", "local_port", PT_CONFIG_NUMBER, "0", 0, 65535, "plain HTTP on 127.0.0.1 for a browser on this machine, which then is anonymous; 0: off", NULL, &o->local_port, NULL},
        {"server", "threads", PT_CONFIG_NUMBER, "2", 1, 64, "", NULL, &o->threads, NULL},
        {"server", "certificate", PT_CONFIG_PATH, NULL, 0, 0, "TLS certificate (PEM)", &o->certificate_file, NULL, NULL},
        {"server", "key", PT_CONFIG_PATH, NULL, 0, 0, "TLS key (PEM)", &o->key_file, NULL, NULL},
        {"server", "ca", PT_CONFIG_PATH, NULL, 0, 0, "the consortium's TLS CA (PEM)", &o->ca_file, NULL, NULL},
        {"server", "most_connections", PT_CONFIG_NUMBER, "1024", 1, 100000, "at once", NULL, &o->most_connections, NULL},
        {"server", "idle_timeout", PT_CONFIG_MILLIS, "60s", 100, 3600000, "between requests", NULL, &o->idle_timeout, NULL},
        {"server", "request_timeout", PT_CONFIG_MILLIS, "15s", 100, 600000, "from a request's first byte to its last", NULL, &o->request_timeout, NULL},
        {"server", "client_rate", PT_CONFIG_NUMBER, "5000", 0, 1000000, "requests a second of one client with a certificate, twice as many at once; beyond it 429; 0: no limit", NULL, &o->client_rate, NULL},
        {"server", "anonymous_rate", PT_CONFIG_NUMBER, "100", 0, 1000000, "the same of one address without a certificate", NULL, &o->anonymous_rate, NULL},
        {"access", "anonymous", PT_CONFIG_TEXT, "none", 0, 0, "what needs no client certificate: none, verify (is this pack genuine?), read (provenance, too)", &o->anonymous, NULL, NULL},
        {"verify", "stale_after", PT_CONFIG_MILLIS, "10s", 1, 86400000, "older knowledge is answered amber, never green", NULL, &o->stale_after, NULL},
        {"verify", "responder_gln", PT_CONFIG_TEXT, "", 0, 0, "GLN that answers GS1 verification messages", &o->responder_gln, NULL, NULL},
        {"log", "level", PT_CONFIG_NUMBER, "1", 0, 3, "0 debug, 1 info, 2 warning, 3 error", NULL, &o->log_level, NULL},
    };
    for (int i = 0; i < KEY_COUNT; i++) keys[i] = declared[i];
}

enum pt_code node_options_load(const char *path, struct node_options *out, struct pt_error *err) {
    struct pt_config_key keys[KEY_COUNT];
    *out = (struct node_options){0};
    declare(out, keys);
    return pt_config_load(path, keys, KEY_COUNT, err);
}

void node_options_free(struct node_options *options) {
    struct pt_config_key keys[KEY_COUNT];
    declare(options, keys);
    pt_config_free(keys, KEY_COUNT);
}

void node_options_describe(struct pt_buf *out) {
    struct node_options unused;
    struct pt_config_key keys[KEY_COUNT];
    declare(&unused, keys);
    pt_config_describe(keys, KEY_COUNT, out);
}
