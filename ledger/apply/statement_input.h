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
// What one statement may take while it is decoded. Part of the rules: whether a statement is taken must not depend on
// what else is in its block, so the room is counted from where the arena stands.
#define STATEMENT_INPUT_ROOM ((size_t)48 * 1024 * 1024)

// PT_LIMIT: it needs more than that. PT_NO_MEMORY is the machine's own want and says nothing about the statement.
enum pt_code statement_input_decode(const struct statement *statement, struct pt_arena *arena, struct statement_input *out,
                                    struct pt_error *err) PT_NODISCARD;
void statement_input_free(struct statement_input *input);

#endif
