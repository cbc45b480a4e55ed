// Where a pack really is: its own record, read through the unbroken chain of containers that it lies in. Moving a pallet
// writes the pallet; its packs follow by being read this way.
#ifndef PACKTRAIL_LEDGER_STATE_HIERARCHY_H
#define PACKTRAIL_LEDGER_STATE_HIERARCHY_H

#include "ledger/state/pack_record.h"

#define HIERARCHY_MAX 16u  // containers around one pack

// One record and its key, from the pack (0) outwards.
struct hierarchy_level {
    struct pt_bytes key;
    struct pack_record record;
};

// The pack and its containers as far as the chain is unbroken.
struct hierarchy {
    struct hierarchy_level levels[HIERARCHY_MAX + 1];
    size_t count;     // 0: the pack is not known
    bool cut;         // deeper than HIERARCHY_MAX, or a circle
    bool emptied;     // the outermost record names a container that has been emptied as a whole since
};

// Gives a pack's record (found false: none), and the key behind a container's name. The bytes must stay until the
// hierarchy is no longer used.
struct hierarchy_source {
    enum pt_code (*record)(void *ctx, struct pt_bytes key, struct pack_record *out, bool *found, struct pt_error *err);
    enum pt_code (*container)(void *ctx, const struct hierarchy_level *inner, struct pt_bytes *key, struct pt_error *err);
    void *ctx;
};
enum pt_code hierarchy_read(const struct hierarchy_source *source, struct pt_bytes key, struct hierarchy *out,
                            struct pt_error *err) PT_NODISCARD;

// What counts for the pack.
struct effective {
    enum lifecycle_state state;
    uint64_t place, party;  // names
    int64_t event_seconds;  // of the last event that changed it or moved it
    bool inferred;          // something of it comes from a container
    bool unconfirmed;       // a container was opened and moved since
};
struct effective hierarchy_effective(const struct hierarchy *hierarchy);

#endif
