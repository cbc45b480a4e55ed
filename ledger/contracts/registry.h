// The registry contract: enrolments and revocations by an operator.
#ifndef PACKTRAIL_LEDGER_CONTRACTS_REGISTRY_H
#define PACKTRAIL_LEDGER_CONTRACTS_REGISTRY_H

#include "ledger/contracts/contract.h"

extern const struct contract registry_contract;

#endif
