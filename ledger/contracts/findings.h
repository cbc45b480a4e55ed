// The findings contract: the life of an alert, new -> investigating -> closed with its outcome, and open again. Who may:
//
//   operator, regulator          everything
//   the product's holder or      everything, but reopening what another party closed
//   manufacturer
//   the party whose statement    investigating; closed as mistake, late data or test where the alert is a note or its
//   raised it                    confidence is below 50: nobody clears himself of a grave suspicion
//
// What is closed is opened again before it is closed otherwise. An alert itself never changes.
#ifndef PACKTRAIL_LEDGER_CONTRACTS_FINDINGS_H
#define PACKTRAIL_LEDGER_CONTRACTS_FINDINGS_H

#include "ledger/contracts/contract.h"

extern const struct contract findings_contract;

#endif
