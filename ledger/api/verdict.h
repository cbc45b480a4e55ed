// What a pharmacist is told about a pack: one colour, one reason, what to do. A pure function of what the ledger knows
// and what the label says, so that the page, the API and the tests judge alike.
#ifndef PACKTRAIL_LEDGER_API_VERDICT_H
#define PACKTRAIL_LEDGER_API_VERDICT_H

#include "ledger/ledger.h"

enum verdict_colour { VERDICT_RED = 1, VERDICT_AMBER = 2, VERDICT_GREEN = 3 };

// What the label said beside the identity; zero and NULL where it said nothing.
struct verdict_label {
    const char *lot;
    bool has_expiry;
    int32_t expiry_day;  // days since 1970-01-01
};

struct verdict {
    enum verdict_colour colour;
    const char *code;          // "genuine", "unknown", "already_dispensed" …; static, stable, for programs
    const char *en, *zh;       // one sentence: why
    const char *do_en, *do_zh; // one sentence: what to do
    // For the GS1 verification message: NULL when verified.
    const char *failure_reason;
    bool by_recall;               // the recall in force is why: its id, class and reason belong to the answer
    const char *additional_info;  // "Expired", "Recalled", "Suspect" or NULL
};

// `stale`: the node's knowledge is older than the configured age; then never green.
struct verdict verdict_of(const struct ledger_pack *pack, const struct verdict_label *label, bool stale);

const char *verdict_colour_name(enum verdict_colour colour);  // "green", "amber", "red"

#endif
