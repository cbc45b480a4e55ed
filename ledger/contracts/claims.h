// The claims contract: what insurers settle, held against what was dispensed (claims.md).
#ifndef PACKTRAIL_LEDGER_CONTRACTS_CLAIMS_H
#define PACKTRAIL_LEDGER_CONTRACTS_CLAIMS_H

#include "common/identify/pack_id.h"
#include "ledger/contracts/contract.h"

extern const struct contract claims_contract;

// Whether claims are kept here: the setting "claims.enabled", without it where the profile is China's.
bool claims_enabled(const struct contract_context *context);

// The pack that a line's code names: a 20-digit trace code or an EPC URI.
enum pt_code claim_pack_id(const char *code, struct pack_id *out, struct pt_error *err) PT_NODISCARD;

// Whether two URIs name one place: the same text, or the same GS1 key in two forms.
bool claim_same_place(struct pt_bytes a, struct pt_bytes b);

#endif
