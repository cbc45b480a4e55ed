// Checks a ledger's directory while no node runs on it, believing nothing but the genesis file: the chain's hashes,
// signatures and tree; the contracts' results by applying everything anew; and whether index and tree files say the same.
#ifndef PACKTRAIL_LEDGER_CHECK_FSCK_H
#define PACKTRAIL_LEDGER_CHECK_FSCK_H

#include "common/base/time.h"

struct fsck_report {
    uint64_t height;       // heights that the chain holds and that could be read
    uint64_t statements;   // leaves of the log
    uint64_t index_height; // what the index had applied; behind the chain after a crash, which is no problem
    size_t problems;
};

// Called for each problem; where: "chain", "replay", "index", "tree"; height 0 if it belongs to none.
typedef void fsck_tell(void *arg, const char *where, uint64_t height, const char *what);

// Reads only, apart from scratch files below DIR/fsck that are removed again. PT_OK: the check ran to its end, and
// report->problems says whether anything is wrong. PT_UNAVAILABLE: a node has the directory open.
enum pt_code ledger_fsck(const char *dir, const struct pt_env *env, fsck_tell *tell, void *arg, struct fsck_report *report,
                         struct pt_error *err) PT_NODISCARD;

// Drops index and tree files and builds them anew from the chain. *height: that of the chain.
enum pt_code ledger_reindex(const char *dir, const struct pt_env *env, uint64_t *height, struct pt_error *err) PT_NODISCARD;

#endif
