// The load generator: many devices with keys of their own, enrolled by an operator, whose statements are signed ahead
// and sent to a gateway as terminals send them; receipts are fetched and verified.
#ifndef PACKTRAIL_TOOLS_LOAD_LOAD_H
#define PACKTRAIL_TOOLS_LOAD_LOAD_H

#include "tools/load/generator.h"

#define LOAD_SAMPLE_ALL UINT64_MAX

struct load_options {
    const char *consortium, *operator_name;  // whose certificate is shown and who enrols
    const char *ledger_url, *gateway_url;
    const char *task;          // firmware/task
    bool json_events;
    unsigned devices, threads;
    unsigned packs;            // a statement
    unsigned batch;            // statements a request
    uint64_t statements;
    uint64_t first;            // number of the first pack (load_pack)
    double rate;               // statements a second, 0: as fast as they are taken
    uint64_t sample;           // of how many statements the receipts are waited for
    unsigned patience_s;       // without any progress, before giving up
};

struct load_report {
    uint64_t statements, packs;       // acknowledged
    uint64_t refused;
    uint64_t retried;                 // statements sent again, after `later`, 503 or a lost connection
    uint64_t receipts, receipts_wrong;
    double seconds;                   // from the first request to the last acknowledgement
    double seconds_to_receipts;       // … to the last receipt; 0 when none was waited for
    double ack_ms[5], receipt_ms[5];  // p50, p90, p99, p99.9, greatest
};

// Enrols, sends, waits; shows progress on standard error. PT_UNAVAILABLE: nobody answered, or nothing moved any more.
enum pt_code load_run(const struct load_options *options, struct load_report *out, struct pt_error *err) PT_NODISCARD;

#endif
