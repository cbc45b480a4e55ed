// A pharmacy, its wholesaler, two insurers and packs of 24 units, on contracts in memory.
#ifndef PACKTRAIL_TESTS_RULES_CLAIMS_LAB_H
#define PACKTRAIL_TESTS_RULES_CLAIMS_LAB_H

#include "common/claim/claim.h"
#include "ledger/state/claim_record.h"
#include "tests/rules/rules_lab.h"

#define CLAIMS_GTIN "06901234567892"
#define CLAIMS_OTHER_GTIN "06912345678902"   // another product, with a record
#define CLAIMS_SAME_GTIN "16901234567899"    // the same product, another identifier
#define CLAIMS_PLACE "https://id.gs1.org/414/9506000000015"
#define CLAIMS_DAY ((int64_t)86400)

struct claims_lab {
    struct rules_lab *lab;
    const struct actor *operator, *maker, *till, *other_till, *insurers[2], *company;
};

struct claims_lab claims_lab_new(const char *profile);
void claims_lab_free(struct claims_lab *lab);

const char *claims_uri(const char *serial);  // of the product; static memory of the last 64

struct claims_event {
    const char *serial, *step, *disposition, *id, *place;
    const struct actor *signer;  // NULL: the till
    int64_t seconds, units;      // since the start; 0: whole
    bool undo;                   // with an error declaration
    const struct pt_digest *prescription;
};
enum statement_result claims_say(struct claims_lab *lab, const struct claims_event *event);
void claims_commission(struct claims_lab *lab, const char *serial);
enum statement_result claims_dispense(struct claims_lab *lab, const char *serial, int64_t seconds, int64_t units);

// A line for 24 units of the pack, at the pharmacy, of the right product.
struct claim_line claims_line(const char *id, const char *serial);
struct claim_line claims_reversal(const char *id, const char *serial);

// A batch of one insurer, through its encoding; the answers. The result is the statement's.
enum statement_result claims_batch(struct claims_lab *lab, unsigned insurer, const struct claim_line *lines, size_t count,
                                   struct claim_line_answer *answers);
struct claim_line_answer claims_one(struct claims_lab *lab, unsigned insurer, struct claim_line line);

// What is kept of the pack, with its grants; `arena` is the caller's. False: nothing.
bool claims_look(struct claims_lab *lab, const char *serial, struct pt_arena *arena, struct claim_pack *out);

#endif
