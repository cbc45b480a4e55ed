#include "firmware/terminal/options.h"

#include "common/wire/wire.h"

enum { KEY_COUNT = 21 };

static void declare(struct terminal_options *o, struct pt_config_key keys[KEY_COUNT]) {
    const int64_t gigabyte = 1024 * 1024 * 1024;
    const struct pt_config_key declared[KEY_COUNT] = {
        {"device", "data", PT_CONFIG_PATH, NULL, 0, 0, "directory of keys and outbox", &o->data_dir, NULL, NULL},
        {"device", "genesis", PT_CONFIG_PATH, NULL, 0, 0, "genesis file of the ledger that this terminal signs for", &o->genesis_file, NULL, NULL},
        {"device", "key", PT_CONFIG_TEXT, "", 0, 0, "signing key: empty for a file in `data`, or pkcs11:token=…;object=…?module-path=…&pin-source=file:… for a chip", &o->key, NULL, NULL},
        {"device", "name", PT_CONFIG_TEXT, NULL, 0, 0, "for people: \"Terminal 3, receiving\"", &o->name, NULL, NULL},
        {"device", "party", PT_CONFIG_TEXT, NULL, 0, 0, "URI of the party that it belongs to", &o->party, NULL, NULL},
        {"device", "place", PT_CONFIG_TEXT, NULL, 0, 0, "URI of the place where it scans", &o->place, NULL, NULL},
        {"device", "zone_minutes", PT_CONFIG_NUMBER, "480", -840, 840, "local time's offset from UTC", NULL, &o->zone_minutes, NULL},
        {"device", "clock_limit", PT_CONFIG_MILLIS, "120s", 1000, 86400000, "staff are told of a clock that is off by more", NULL, &o->clock_limit, NULL},
        {"gateway", "url", PT_CONFIG_TEXT, NULL, 0, 0, "https://host:port", &o->gateway_url, NULL, NULL},
        {"gateway", "ca", PT_CONFIG_PATH, NULL, 0, 0, "the consortium's TLS CA (PEM)", &o->ca_file, NULL, NULL},
        {"gateway", "connect_timeout", PT_CONFIG_MILLIS, "5s", 10, 600000, "", NULL, &o->connect_timeout, NULL},
        {"gateway", "request_timeout", PT_CONFIG_MILLIS, "30s", 10, 600000, "", NULL, &o->request_timeout, NULL},
        {"gateway", "batch", PT_CONFIG_NUMBER, "200", 1, WIRE_MAX_STATEMENTS, "statements a request", NULL, &o->batch, NULL},
        {"gateway", "resend_after", PT_CONFIG_MILLIS, "60s", 10, 86400000, "an acknowledged statement without receipt is sent again", NULL, &o->resend_after, NULL},
        {"gateway", "feed_interval", PT_CONFIG_MILLIS, "5s", 100, 86400000, "how often recalls are looked for while the line is up", NULL, &o->feed_interval, NULL},
        {"scan", "nfc", PT_CONFIG_TEXT, "", 0, 0, "libnfc connection string, e.g. pn532_uart:/dev/ttyS1; empty: no NFC", &o->nfc, NULL, NULL},
        {"scan", "frame_budget", PT_CONFIG_MILLIS, "1s", 10, 60000, "time for one picture", NULL, &o->frame_budget, NULL},
        {"scan", "most_packs", PT_CONFIG_NUMBER, "500", 1, 2000, "packs in one event", NULL, &o->most_packs, NULL},
        {"outbox", "most_bytes", PT_CONFIG_BYTES, "1g", 65536, 64 * gigabyte, "above it nothing more is signed", NULL, &o->outbox_bytes, NULL},
        {"history", "most_bytes", PT_CONFIG_BYTES, "16m", 65536, gigabyte, "about so much of what was signed stays at hand for undoing", NULL, &o->history_bytes, NULL},
        {"log", "level", PT_CONFIG_NUMBER, "2", 0, 3, "0 debug, 1 info, 2 warning, 3 error", NULL, &o->log_level, NULL},
    };
    for (int i = 0; i < KEY_COUNT; i++) keys[i] = declared[i];
}

enum pt_code terminal_options_load(const char *path, struct terminal_options *out, struct pt_error *err) {
    struct pt_config_key keys[KEY_COUNT];
    *out = (struct terminal_options){0};
    declare(out, keys);
    return pt_config_load(path, keys, KEY_COUNT, err);
}

void terminal_options_free(struct terminal_options *options) {
    struct pt_config_key keys[KEY_COUNT];
    declare(options, keys);
    pt_config_free(keys, KEY_COUNT);
}

void terminal_options_describe(struct pt_buf *out) {
    struct terminal_options unused;
    struct pt_config_key keys[KEY_COUNT];
    declare(&unused, keys);
    pt_config_describe(keys, KEY_COUNT, out);
}
