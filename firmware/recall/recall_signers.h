// Whom the terminal believes a recall: the operators and companies of the genesis, and those whom an operator enrolled since.
#ifndef PACKTRAIL_FIRMWARE_RECALL_RECALL_SIGNERS_H
#define PACKTRAIL_FIRMWARE_RECALL_RECALL_SIGNERS_H

#include "common/chain/actor.h"
#include "common/cose/statement.h"

struct recall_signers;

enum pt_code recall_signers_new(const struct genesis *genesis, struct recall_signers **out, struct pt_error *err) PT_NODISCARD;
void recall_signers_free(struct recall_signers *signers);

// Whether the statement is signed for this ledger by one of them in good standing; enrolments and revocations by an operator.
// known: it was taken before; a key that was revoked since leaves it good, as it does on the ledger.
enum pt_code recall_signers_verify(const struct recall_signers *signers, const struct statement *statement, bool known,
                                   struct pt_error *err) PT_NODISCARD;

// Takes a verified enrolment or revocation in. *kept: it is about somebody who may sign recalls, and must be kept.
enum pt_code recall_signers_learn(struct recall_signers *signers, const struct statement *statement, bool *kept,
                                  struct pt_error *err) PT_NODISCARD;

#endif
