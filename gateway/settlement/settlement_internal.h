// The settlement's parts in memory, shared by settlement.c and settlement_api.c.
#ifndef PACKTRAIL_GATEWAY_SETTLEMENT_SETTLEMENT_INTERNAL_H
#define PACKTRAIL_GATEWAY_SETTLEMENT_SETTLEMENT_INTERNAL_H

#include "gateway/settlement/catalogue.h"
#include "gateway/settlement/desk.h"
#include "gateway/settlement/reporter.h"
#include "gateway/settlement/settlement.h"
#include "gateway/worker/worker.h"

struct platform_line {
    struct settlement *settlement;
    char url[512];
    struct https_client *client;
    struct https_client_response response;
    struct reporter reporter;
    struct worker *worker;
    struct metric *answered, *unanswered, *not_sent;
    struct metric *states[REPORT_VOID + 1];
};

struct settlement {
    struct settlement_options options;
    struct mapping mapping;
    struct store *store;
    struct desk desk;
    struct worker *desk_worker;
    struct catalogue catalogue;
    struct worker *catalogue_worker;
    struct platform_line lines[PLATFORMS];
    struct metric *unsorted;
    bool taking;  // a transaction of the intake is open
};

void settlement_wake(struct settlement *settlement);  // there are scans to sort or documents to derive

// The pharmacy's record of a sale: {"fields": {name: scalar}, "lines": [{"codes": [text], "product": text, name: scalar}]}.
// PT_INVALID with the JSON Pointer of what is wrong.
enum pt_code sale_record_check(struct pt_bytes text, struct pt_error *err) PT_NODISCARD;

#endif
