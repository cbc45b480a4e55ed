// Alerts, how far their investigations are, and whether any still stands against a pack.
#ifndef PACKTRAIL_LEDGER_QUERY_ALERTS_H
#define PACKTRAIL_LEDGER_QUERY_ALERTS_H

#include "ledger/ledger.h"
#include "ledger/state/finding_record.h"
#include "ledger/store/index_store.h"

struct ledger_alert {
    struct alert_record alert;
    enum finding_status status;
    enum finding_outcome outcome;
};

// As ledger_alerts, with how far each is; status NULL: all. *next: go on from here (`since`); 0: there is no more. Looks
// through a bounded number of alerts, so that fewer than `most` may come although *next is not 0.
enum pt_code ledger_alerts_of_status(struct ledger *ledger, const enum finding_status *status, uint64_t since, bool newest, size_t most,
                                     struct pt_arena *arena, struct ledger_alert **out, size_t *count, uint64_t *next,
                                     struct pt_error *err) PT_NODISCARD;

// One alert and its investigation. PT_NOT_FOUND.
enum pt_code ledger_alert(struct ledger *ledger, uint64_t number, struct pt_arena *arena, struct alert_record *alert,
                          struct finding_record *finding, struct pt_error *err) PT_NODISCARD;

// Whether an enforced alert names the pack (its key) that no finding has cleared. `counted`: the alerts of its record; of a
// statement that raised too many some are only counted, and those stand. `announced`: its maker has announced it, so that alerts
// about missing data stand no more.
enum pt_code alerts_stand_against(struct index_reader *index, struct pt_bytes pack, uint64_t counted, bool announced, bool *out,
                                  struct pt_error *err) PT_NODISCARD;

#endif
