// The configuration file of packtrail-ledger (`packtrail-ledger --print-config` explains each key).
#ifndef PACKTRAIL_LEDGER_NODE_OPTIONS_H
#define PACKTRAIL_LEDGER_NODE_OPTIONS_H

#include "common/base/config.h"

struct node_options {
    char *data_dir, *sign_key_file;
    char *address;
    int64_t port, local_port, threads;
    char *certificate_file, *key_file, *ca_file;
    int64_t most_connections, idle_timeout, request_timeout;
    int64_t client_rate, anonymous_rate;
    char *anonymous;
    int64_t stale_after;
    char *responder_gln;
    int64_t workers, waiting_blocks, index_cache;
    int64_t log_level;
};

// Reads the file (NULL: defaults; required keys are then missing). Freed by node_options_free.
enum pt_code node_options_load(const char *path, struct node_options *out, struct pt_error *err) PT_NODISCARD;
void node_options_free(struct node_options *options);
void node_options_describe(struct pt_buf *out);

#endif
