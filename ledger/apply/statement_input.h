// From a statement's signed payload to what contracts take.
#ifndef PACKTRAIL_LEDGER_APPLY_STATEMENT_INPUT_H
#define PACKTRAIL_LEDGER_APPLY_STATEMENT_INPUT_H

#include "common/cose/statement.h"
#include "ledger/contracts/contract.h"

// A decoded payload and what it owns beside the arena. Not to be moved: `input` points into it.
struct statement_input {
    struct contract_input input;
    struct actor actor;
    struct revocation revocation;
};

// PT_INVALID: the payload breaks a rule (the statement is recorded as malformed). `out` is freed by
// statement_input_free also after a failure.
enum pt_code statement_input_decode(const struct statement *statement, struct pt_arena *arena, struct statement_input *out,
                                    struct pt_error *err) PT_NODISCARD;
void statement_input_free(struct statement_input *input);

#endif
