// The configuration file of packtrail-scanner (`packtrail-scanner --print-config` explains each key).
#ifndef PACKTRAIL_FIRMWARE_TERMINAL_OPTIONS_H
#define PACKTRAIL_FIRMWARE_TERMINAL_OPTIONS_H

#include "common/base/config.h"

struct terminal_options {
    char *data_dir, *genesis_file, *key;
    char *name, *party, *place;
    char *gateway_url, *ca_file;
    char *nfc;
    int64_t zone_minutes, clock_limit;
    int64_t frame_budget;
    int64_t batch, resend_after, feed_interval, connect_timeout, request_timeout;
    int64_t outbox_bytes, history_bytes, most_packs;
    int64_t log_level;
};

enum pt_code terminal_options_load(const char *path, struct terminal_options *out, struct pt_error *err) PT_NODISCARD;
void terminal_options_free(struct terminal_options *options);
void terminal_options_describe(struct pt_buf *out);

#endif
