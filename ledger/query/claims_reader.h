// Reading claims from one view of the index. For the query files alone.
#ifndef PACKTRAIL_LEDGER_QUERY_CLAIMS_READER_H
#define PACKTRAIL_LEDGER_QUERY_CLAIMS_READER_H

#include "ledger/query/claims.h"
#include "ledger/query/pack_reader.h"

// A record of STATE_CLAIM, in the reader's arena.
enum pt_code claims_get(struct pack_reader *reader, struct pt_bytes key, struct pt_bytes *out, bool *found, struct pt_error *err) PT_NODISCARD;
// PT_NOT_FOUND: the statement is no claim.
enum pt_code claims_batch_of(struct pack_reader *reader, const struct stored_statement *stored, const struct claim_batch **out,
                             struct pt_error *err) PT_NODISCARD;
// What was decided of the batch at this leaf, of `count` lines; *decided false: nothing.
enum pt_code claims_answers_of(struct pack_reader *reader, uint64_t leaf, size_t count, struct claim_line_answer **out, bool *decided,
                               struct pt_error *err) PT_NODISCARD;

#endif
