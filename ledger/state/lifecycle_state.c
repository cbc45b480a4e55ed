#include "ledger/state/lifecycle_state.h"

static const char *const names[LIFECYCLE_STATES] = {
    [LIFECYCLE_UNKNOWN] = "unknown",
    [LIFECYCLE_COMMISSIONED] = "commissioned",
    [LIFECYCLE_IN_STOCK] = "in_stock",
    [LIFECYCLE_IN_TRANSIT] = "in_transit",
    [LIFECYCLE_PART_DISPENSED] = "part_dispensed",
    [LIFECYCLE_DISPENSED] = "dispensed",
    [LIFECYCLE_RETURNED] = "returned",
    [LIFECYCLE_QUARANTINED] = "quarantined",
    [LIFECYCLE_RECALLED] = "recalled",
    [LIFECYCLE_DECOMMISSIONED] = "decommissioned",
    [LIFECYCLE_DESTROYED] = "destroyed",
    [LIFECYCLE_EXPORTED] = "exported",
    [LIFECYCLE_STOLEN] = "stolen",
    [LIFECYCLE_SAMPLE] = "sample",
    [LIFECYCLE_CHECKED_OUT] = "checked_out",
    [LIFECYCLE_FREE_SAMPLE] = "free_sample",
    [LIFECYCLE_LOCKED] = "locked",
    [LIFECYCLE_WITHDRAWN] = "withdrawn",
};

const char *lifecycle_state_name(enum lifecycle_state state) {
    return (unsigned)state < LIFECYCLE_STATES ? names[state] : "unknown";
}

bool lifecycle_state_dispensable(enum lifecycle_state state) {
    return state == LIFECYCLE_COMMISSIONED || state == LIFECYCLE_IN_STOCK || state == LIFECYCLE_IN_TRANSIT ||
           state == LIFECYCLE_PART_DISPENSED;
}
