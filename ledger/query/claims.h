// Claims as the HTTP layer sees them: what was decided of a batch and how it stands now, an insurer's line, a pack's
// settled lines, lines to reverse, and the evidence. Answers are from the state after one whole height.
#ifndef PACKTRAIL_LEDGER_QUERY_CLAIMS_H
#define PACKTRAIL_LEDGER_QUERY_CLAIMS_H

#include "common/claim/claim.h"
#include "ledger/ledger.h"
#include "ledger/state/claim_record.h"

// How a line stands now.
enum ledger_claim_standing { LEDGER_CLAIM_OPEN = 0, LEDGER_CLAIM_SETTLED = 1, LEDGER_CLAIM_REVERSED = 2, LEDGER_CLAIM_REFUSED = 3 };

struct ledger_claim_line {
    const struct claim_line *line;       // as signed
    const char *insurer;                 // URI
    uint64_t batch, number;              // leaf of the batch that it stands in, and its place there
    struct pt_digest statement;          // of that batch
    struct claim_line_answer answer;     // what was decided there
    struct pt_digest dispensing, other;  // statement ids of the answer's leaves; zero where it names none
    enum ledger_claim_standing standing; // of the insurer's line of this id
    uint64_t reversed_by;                // 1 + leaf; 0: none
    bool reversal_due;
};

struct ledger_claims {
    struct ledger_statement statement;
    const struct claim_batch *batch;
    bool decided;                     // false: the statement was refused, or waits for one before it; no lines then
    struct ledger_claim_line *lines;  // from `first` on
    size_t first, line_count;
    uint64_t height;                  // that the answer is from
    pt_millis time;
};

// At most `most` lines from `first` on. PT_NOT_FOUND: no such statement, or it is no claim.
enum pt_code ledger_claims_of_batch(struct ledger *ledger, const struct pt_digest *id, size_t first, size_t most, struct pt_arena *arena,
                                    struct ledger_claims *out, struct pt_error *err) PT_NODISCARD;

// The insurer's line as it was decided last. PT_NOT_FOUND if it never claimed it.
enum pt_code ledger_claim_line(struct ledger *ledger, const char *insurer, const char *line, struct pt_arena *arena,
                               struct ledger_claim_line *out, struct pt_error *err) PT_NODISCARD;

// Settled lines of the insurer whose dispensing was undone or taken back since, at most `most`.
enum pt_code ledger_claims_due(struct ledger *ledger, const char *insurer, size_t most, struct pt_arena *arena,
                               struct ledger_claim_line **out, size_t *count, bool *more, struct pt_error *err) PT_NODISCARD;

struct ledger_pack_claims {
    struct claim_pack pack;            // dispensings; granted as far as the content is known
    const char **places, **parties;    // of the dispensings; URIs or NULL
    struct pt_digest *statements;      // of the dispensings
    struct ledger_claim_line *lines;   // settled and not reversed
    size_t line_count;
    uint64_t settled;
};
// All zero if nothing of it was ever dispensed.
enum pt_code ledger_claims_of_pack(struct ledger *ledger, const struct pack_id *id, struct pt_arena *arena, struct ledger_pack_claims *out,
                                   struct pt_error *err) PT_NODISCARD;

// Appends an evidence bundle (claim.cddl) for lines [first, first + most): the batch, and of each line's pack what its maker,
// the pharmacy and other claims said, with receipts. PT_LIMIT: ask for fewer lines. PT_NOT_FOUND as above, PT_CONFLICT
// while the batch is not decided.
enum pt_code ledger_claim_evidence(struct ledger *ledger, const struct pt_digest *id, size_t first, size_t most, struct pt_buf *out,
                                   struct pt_error *err) PT_NODISCARD;

#endif
