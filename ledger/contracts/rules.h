// The rules contract: a rule version or settings from a height on, by an operator. What waits for its height stands in
// STATE_RULES "pending:" and the height (8 bytes, big-endian) -> the change as signed; the executor takes it into force.
#ifndef PACKTRAIL_LEDGER_CONTRACTS_RULES_H
#define PACKTRAIL_LEDGER_CONTRACTS_RULES_H

#include "ledger/contracts/contract.h"

#define RULES_PENDING "pending:"
#define RULES_PENDING_KEY 16u
void rules_pending_key(uint64_t height, uint8_t out[RULES_PENDING_KEY]);

extern const struct contract rules_contract;

#endif
