// The inside of the claims contract, shared by its files alone.
#ifndef PACKTRAIL_LEDGER_CONTRACTS_CLAIMS_INTERNAL_H
#define PACKTRAIL_LEDGER_CONTRACTS_CLAIMS_INTERNAL_H

#include "common/claim/claim.h"
#include "ledger/contracts/claims.h"
#include "ledger/state/claim_record.h"
#include "ledger/state/pack_record.h"

// What is known of one pack when a line or an event comes to it.
struct claim_subject {
    struct pt_bytes key;       // of the pack
    struct pack_id id;
    bool known;                // the chain has a record of it
    struct pack_record record;
    uint64_t content;          // units; 0: not known
    struct claim_pack claims;
    bool has_claims;           // in the state before
    bool changed;              // `claims` is to be written
};

// Declares what claim_subject_read reads.
void claim_subject_declare(struct pt_bytes key, bool write, struct access_list *out);
// Reads it; `arena` holds the record of claims. The grants are up to date where the content is known.
enum pt_code claim_subject_read(struct state_view *view, const struct contract_context *context, struct pt_bytes key,
                                struct pt_arena *arena, struct claim_subject *out, struct pt_error *err) PT_NODISCARD;
enum pt_code claim_subject_write(struct state_view *view, const struct claim_subject *subject, struct pt_error *err) PT_NODISCARD;

// --- claims_event.c: dispensings, and what takes them back ---
void claims_declare_event(const struct contract_input *input, const struct contract_context *context, struct access_list *out);
enum pt_code claims_apply_event(struct state_view *view, const struct contract_input *input, const struct contract_context *context,
                                struct contract_output *output, struct pt_error *err) PT_NODISCARD;

// --- claims_decide.c: one settlement against one pack ---
struct claim_decision {
    enum claim_reason reason;             // none: it may be settled
    struct claim_dispensing *dispensing;  // that it rests on, or that comes nearest; NULL
    const struct claim_settled *other;    // line in the way; NULL
    enum alert_kind alert;                // 0: none
    enum alert_mode mode;
    unsigned confidence;
};
// `subject` has been read.
enum pt_code claims_decide(struct state_view *view, const struct contract_context *context, const struct claim_line *line,
                           const uint8_t insurer[CLAIM_MARK], struct claim_subject *subject, struct claim_decision *out,
                           struct pt_error *err) PT_NODISCARD;
// Declares what it reads beside the subject.
void claims_declare_decision(const struct claim_line *line, struct access_list *out);

#endif
