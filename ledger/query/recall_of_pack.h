// Which recall covers one pack, and one recall from an open view. Inside of ledger/query.
#ifndef PACKTRAIL_LEDGER_QUERY_RECALL_OF_PACK_H
#define PACKTRAIL_LEDGER_QUERY_RECALL_OF_PACK_H

#include "ledger/query/pack_reader.h"
#include "ledger/query/recalls.h"

enum pt_code recall_read(struct ledger *ledger, struct index_reader *index, const char *id, struct pt_arena *arena,
                         struct ledger_recall *out, struct pt_error *err) PT_NODISCARD;

// The recall that counts for the pack as described (lot, place and party filled in); *out NULL: none. label_lot: as the
// pack's label says it, NULL if that is not known. In the reader's arena.
enum pt_code recall_of_pack(struct pack_reader *reader, const struct pack_id *id, const struct ledger_pack *pack,
                            const char *label_lot, pt_millis at, const struct ledger_pack_recall **out, struct pt_error *err) PT_NODISCARD;

#endif
