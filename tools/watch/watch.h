// Following a ledger from outside: whether each new checkpoint continues the one before. Pure; files and network are the
// command's.
#ifndef PACKTRAIL_TOOLS_WATCH_WATCH_H
#define PACKTRAIL_TOOLS_WATCH_WATCH_H

#include "common/chain/entry.h"
#include "common/merkle/merkle.h"

enum watch_state {
    WATCH_OK,
    WATCH_STALLED,      // no new height for too long, or nobody answers
    WATCH_FORKED,       // two signed histories that do not continue each other
    WATCH_ROLLED_BACK,  // a signed checkpoint lies before one that was signed earlier
};
const char *watch_state_name(enum watch_state state);  // "ok", "stalled", "forked", "rolled-back"; static

// The newest checkpoint that was seen and found good.
struct watch_memory {
    bool known;
    struct checkpoint last;
    pt_millis advanced;  // by the watcher's clock, when the height last grew
};

// A consistency proof as the ledger gives it.
struct watch_proof {
    uint64_t size1, size2;
    struct merkle_path path;
};

// Whether a proof from the known tree is needed to judge `next`.
bool watch_needs_proof(const struct watch_memory *memory, const struct checkpoint *next);

// Judges a checkpoint whose signature has been verified, and remembers it when it continues the known one. proof: NULL if none
// is needed or none was given (then a grown log is not believed). why: for people, at least 160 bytes; "" when all is well.
enum watch_state watch_judge(struct watch_memory *memory, const struct checkpoint *next, const struct watch_proof *proof, pt_millis now,
                             pt_millis stale_after, char *why);

// Whether two nodes' checkpoints belong to one history; proof: from the smaller log to the larger one, NULL if they are of one
// size. The same `why`.
bool watch_agree(const struct checkpoint *smaller, const struct checkpoint *larger, const struct watch_proof *proof, char *why);

// The answer while nobody answers.
enum watch_state watch_silence(const struct watch_memory *memory, pt_millis now, pt_millis stale_after);

#endif
