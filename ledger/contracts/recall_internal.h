// The values of STATE_RECALL as the contract writes them. Inside of ledger/contracts/recall*.
#ifndef PACKTRAIL_LEDGER_CONTRACTS_RECALL_INTERNAL_H
#define PACKTRAIL_LEDGER_CONTRACTS_RECALL_INTERNAL_H

#include "ledger/contracts/recall.h"

enum pt_code recall_key(struct pt_arena *arena, char kind, const char *text, struct pt_bytes *out, struct pt_error *err) PT_NODISCARD;

void recall_list_put(const struct recall_in_force *items, size_t count, struct pt_buf *out);

// struct recall_record with its notices as signed.
struct recall_saved {
    bool by_authority;
    pt_millis since, ended;
    struct recall_step *steps;  // room for one more
    size_t step_count;
    struct pt_bytes scope;   // the last notice that was no end
    struct pt_bytes newest;  // the end; no bytes while it is in force
};
void recall_record_put(const struct recall_saved *saved, struct pt_buf *out);
// Views into `value`.
enum pt_code recall_saved_decode(struct pt_bytes value, struct pt_arena *arena, struct recall_saved *out, struct pt_error *err) PT_NODISCARD;

#endif
