// The gateway as a whole: spool, roster, intake, forwarding and relay behind one HTTPS server.
#ifndef PACKTRAIL_GATEWAY_GATEWAY_H
#define PACKTRAIL_GATEWAY_GATEWAY_H

#include "common/base/config.h"
#include "common/base/time.h"

// The configuration file's values (`packtrail-gateway --print-config` explains each).
struct gateway_options {
    char *data_dir, *genesis_file, *sign_key_file;
    char *address;
    int64_t port, threads;
    char *certificate_file, *key_file, *ca_file;
    char *ledger_url;
    int64_t feed_interval, least_retry, most_retry;
    int64_t block_statements, block_bytes, block_age, spool_bytes;
    int64_t client_rate;
    int64_t most_body, most_connections, most_waiting_bytes, relay_threads, relay_waiting;
    int64_t idle_timeout, request_timeout;
    char *mapping_file, *trace_url, *insurer_url, *platform_ca, *platform_certificate, *platform_key;
    int64_t platform_timeout, platform_least_retry, platform_most_retry, platform_processing;
    int64_t log_level;
};

// Reads the file (NULL: defaults; required keys are then missing). Freed by gateway_options_free.
enum pt_code gateway_options_load(const char *path, struct gateway_options *out, struct pt_error *err) PT_NODISCARD;
void gateway_options_free(struct gateway_options *options);
void gateway_options_describe(struct pt_buf *out);

struct gateway;

// Starts everything; `options` and `env` must outlive the gateway. failed(arg) is called from any thread when the
// disk failed and the process must end.
enum pt_code gateway_start(const struct gateway_options *options, const struct pt_env *env, void (*failed)(void *arg),
                           void *arg, struct gateway **out, struct pt_error *err) PT_NODISCARD;
uint16_t gateway_port(const struct gateway *gateway);

// Stops accepting, acknowledges what it has taken, seals it, and ends; what is not final waits in the spool.
void gateway_stop(struct gateway *gateway);

#endif
