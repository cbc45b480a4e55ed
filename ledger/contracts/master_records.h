// The master records contract: products, parties and places, by whoever answers for them.
#ifndef PACKTRAIL_LEDGER_CONTRACTS_MASTER_RECORDS_H
#define PACKTRAIL_LEDGER_CONTRACTS_MASTER_RECORDS_H

#include "ledger/contracts/contract.h"

extern const struct contract master_records_contract;

#endif
