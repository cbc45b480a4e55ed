// The ledger's answer to GET /verify/scan, as the terminal reads it. Pure.
#ifndef PACKTRAIL_FIRMWARE_LOOKUP_LOOKUP_ANSWER_H
#define PACKTRAIL_FIRMWARE_LOOKUP_LOOKUP_ANSWER_H

#include "firmware/lookup/lookup.h"

// Appends the path and query that ask about a pack: what its label says goes with it, so that the ledger compares lot and expiry.
enum pt_code lookup_question(const struct pack_id *pack, const char *lot, const char *expiry, struct pt_buf *out, struct pt_error *err) PT_NODISCARD;

// Fills in everything but ticket and pack. PT_INVALID for anything that is not such an answer; nothing green is left in `out` then.
enum pt_code lookup_answer_read(struct pt_bytes json, struct lookup_answer *out, struct pt_error *err) PT_NODISCARD;

#endif
