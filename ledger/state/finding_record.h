// How far the investigation of an alert is: STATE_FINDING's value; the key is the alert's (alert_record_key). CBOR [status,
// outcome, [* [leaf, status, outcome, signer, chain time]]], the oldest step first; what was noted stands in the statements.
#ifndef PACKTRAIL_LEDGER_STATE_FINDING_RECORD_H
#define PACKTRAIL_LEDGER_STATE_FINDING_RECORD_H

#include "common/alert/finding.h"
#include "common/base/time.h"

#define FINDING_STEPS_MAX 64u  // an investigation that was told more of is told nothing more
#define FINDING_RECORD_MAX ((size_t)8 * 1024)

struct finding_step {
    uint64_t leaf;
    enum finding_status status;
    enum finding_outcome outcome;
    struct pt_digest signer;  // kid
    pt_millis time;
};

struct finding_record {
    enum finding_status status;    // FINDING_NEW while nothing was said
    enum finding_outcome outcome;
    size_t step_count;
    struct finding_step steps[FINDING_STEPS_MAX];
};

enum pt_code finding_record_encode(const struct finding_record *record, struct pt_buf *out, struct pt_error *err) PT_NODISCARD;
enum pt_code finding_record_decode(struct pt_bytes bytes, struct finding_record *out, struct pt_error *err) PT_NODISCARD;

#endif
