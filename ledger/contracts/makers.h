// The makers contract: once a product's master record names its holder or manufacturer, only they commission its packs.
// Without it any enrolled device could announce serial numbers of any product, and a fake would be genuine.
#ifndef PACKTRAIL_LEDGER_CONTRACTS_MAKERS_H
#define PACKTRAIL_LEDGER_CONTRACTS_MAKERS_H

#include "ledger/contracts/contract.h"

extern const struct contract makers_contract;

#endif
