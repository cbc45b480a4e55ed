// What became of an alert (finding.cddl). Payload of a STATEMENT_FINDING.
#ifndef PACKTRAIL_COMMON_ALERT_FINDING_H
#define PACKTRAIL_COMMON_ALERT_FINDING_H

#include "common/base/arena.h"

#define FINDING_MAX ((size_t)2048)
#define FINDING_NOTE_MAX 1000u
#define FINDING_RELATED_MAX 16u
#define FINDING_NUMBER_MAX (((uint64_t)1 << 56) - 1)

// Numbers are stored: never reused. FINDING_NEW stands on no statement: nobody has said anything yet.
enum finding_status { FINDING_NEW = 0, FINDING_INVESTIGATING = 1, FINDING_CLOSED = 2 };
enum finding_outcome {
    FINDING_NONE = 0,
    FINDING_CONFIRMED_FAKE = 1,
    FINDING_CONFIRMED_WRONG = 2,  // genuine, but handled against the law: diverted, sold again, expired …
    FINDING_MISTAKE = 3,
    FINDING_LATE_DATA = 4,
    FINDING_TEST = 5,
    FINDING_UNEXPLAINED = 6,
};

struct alert_finding {
    uint64_t alert;                // its number
    enum finding_status status;
    enum finding_outcome outcome;  // of a closed one
    const char *note;              // NULL: none
    uint64_t related[FINDING_RELATED_MAX];  // other alerts, ascending
    size_t related_count;
};

// Appends; PT_INVALID for what decoding would refuse.
enum pt_code finding_encode(const struct alert_finding *finding, struct pt_buf *out, struct pt_error *err) PT_NODISCARD;
// Strict. The note is in the arena.
enum pt_code finding_decode(struct pt_bytes bytes, struct pt_arena *arena, struct alert_finding *out, struct pt_error *err) PT_NODISCARD;

const char *finding_status_name(enum finding_status status);     // "new", "investigating", "closed"; static
const char *finding_outcome_name(enum finding_outcome outcome);  // "confirmed_fake", …; NULL for none
bool finding_status_of(const char *name, enum finding_status *out);
bool finding_outcome_of(const char *name, enum finding_outcome *out);

// Whether an outcome says that nothing was wrong with the pack.
bool finding_clears(enum finding_outcome outcome);

#endif
