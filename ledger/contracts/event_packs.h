// The packs, cases and pallets that an event names one by one.
#ifndef PACKTRAIL_LEDGER_CONTRACTS_EVENT_PACKS_H
#define PACKTRAIL_LEDGER_CONTRACTS_EVENT_PACKS_H

#include "ledger/contracts/contract.h"

// In the order parent, epcs, inputs, outputs; a key that occurs again is left out (its first role counts). Classes and
// quantities name no single pack and are not among them. PT_INVALID with the JSON Pointer of an identifier that is none.
// The order is what the links of histories count by: it never changes.
enum pt_code event_packs_of(const struct epcis_event *event, struct pt_arena *arena, struct event_pack **out, size_t *count,
                            struct pt_error *err) PT_NODISCARD;

#endif
