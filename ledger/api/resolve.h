// From whatever names a pack in a path or a query (an EPCIS URI, a scanned code as the scanner typed it) to its pack_id
// and what the label says beside it.
#ifndef PACKTRAIL_LEDGER_API_RESOLVE_H
#define PACKTRAIL_LEDGER_API_RESOLVE_H

#include "common/base/time.h"
#include "common/identify/identification.h"
#include "ledger/api/verdict.h"

// PT_INVALID with the rule that the code breaks. text may be NULL.
enum pt_code resolve_pack(const char *text, const struct pt_env *env, struct pack_id *out, struct pt_error *err) PT_NODISCARD;

// As resolve_pack, and keeps what identification found; the label points into it.
enum pt_code resolve_scan(const char *text, const struct pt_env *env, struct identification *out, struct verdict_label *label,
                          struct pt_error *err) PT_NODISCARD;

#endif
