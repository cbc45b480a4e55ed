// Recalls as the HTTP layer and the tools see them: the notices, how far each has come, and the packs it covers. Answers
// are from the state after one whole height.
#ifndef PACKTRAIL_LEDGER_QUERY_RECALLS_H
#define PACKTRAIL_LEDGER_QUERY_RECALLS_H

#include "ledger/contracts/recall.h"
#include "ledger/ledger.h"

struct ledger_recall {
    struct recall_record record;
    uint64_t height;
    pt_millis time;  // chain time of that height
};

// PT_NOT_FOUND if there is no recall of this id.
enum pt_code ledger_recall(struct ledger *ledger, const char *id, struct pt_arena *arena, struct ledger_recall *out,
                           struct pt_error *err) PT_NODISCARD;
// In the order of their ids, those after `after` (NULL: from the first); in_force: not those that have ended.
enum pt_code ledger_recalls(struct ledger *ledger, const char *after, bool in_force, size_t most, struct pt_arena *arena,
                            struct ledger_recall **out, size_t *count, bool *more, struct pt_error *err) PT_NODISCARD;

// --- Reach and progress ---

// Where a covered pack is. What was brought to safety, sent off or lost is told from what is still in trade.
enum recall_class {
    RECALL_IN_STOCK,        // also not yet moved by its maker
    RECALL_IN_TRANSIT,
    RECALL_PART_DISPENSED,
    RECALL_DISPENSED,
    RECALL_SENT_BACK,       // on its way back, or taken back by a supplier
    RECALL_RETURNED,        // brought back by a patient
    RECALL_QUARANTINED,     // set aside, also for the recall by an event of its own
    RECALL_DESTROYED,       // or taken out of use
    RECALL_ELSEWHERE,       // exported, stolen, taken as a sample
    RECALL_UNKNOWN,         // seen without its maker's data
};
#define RECALL_CLASSES 10u
const char *recall_class_name(enum recall_class class);  // "in_stock"; static

// Every covered pack counts in exactly one class and in exactly one of the five of progress.
struct recall_counts {
    uint64_t classes[RECALL_CLASSES];
    uint64_t done;      // sent back, returned, set aside or destroyed since the recall
    uint64_t before;    // out of trade already when the recall began
    uint64_t open;      // to be called back still
    uint64_t beyond;    // where the recall does not reach (its depth)
    uint64_t lost;      // exported, stolen, sampled: cannot be called back by the chain
    uint64_t unsure;    // not in any count above: may be covered; lot or territory is not known
};

struct recall_place {
    const char *place, *party;  // URIs; NULL if not known
    struct recall_counts counts;
};

struct ledger_reach {
    struct ledger_recall recall;
    struct recall_counts total;
    struct recall_place *places;  // the most open first
    size_t place_count;
    uint64_t scanned;             // pack records read
    double seconds;               // that took
};

// Reads every pack record of the recall's products in one view of the index (the writer is not held up). At about a
// million records a second: call it from a thread that may wait.
enum pt_code ledger_recall_reach(struct ledger *ledger, const char *id, struct pt_arena *arena, struct ledger_reach *out,
                                 struct pt_error *err) PT_NODISCARD;

// Which packs are listed.
struct recall_filter {
    int class;               // of enum recall_class; -1: every one
    const char *place;       // URI; NULL: everywhere
    bool open;               // only those still to be called back
    bool unsure;             // those that may be covered instead of those that are
    struct pt_bytes after;   // key of the pack to go on behind; no bytes: from the first
    size_t most;
};
struct recall_listed {
    struct pt_bytes key;     // of the pack
    struct pack_id id;
    enum recall_class class;
    const char *place, *party;
    const char *lot;         // NULL if not known
    int64_t event_seconds;   // of its last change: when it was dispensed, sent back …; 0: not known
    bool done, inferred;
};
struct recall_list_page {
    struct ledger_recall recall;
    struct recall_listed *items;  // in the order of their keys
    size_t count;
    bool more;
    struct pt_bytes next;    // give it as `after` for the next page
};
enum pt_code ledger_recall_packs(struct ledger *ledger, const char *id, const struct recall_filter *filter, struct pt_arena *arena,
                                 struct recall_list_page *out, struct pt_error *err) PT_NODISCARD;

#endif
