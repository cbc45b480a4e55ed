#include "ledger/state/hierarchy.h"

enum pt_code hierarchy_read(const struct hierarchy_source *source, struct pt_bytes key, struct hierarchy *out,
                            struct pt_error *err) {
    bool found;
    out->count = 0;  // levels beyond are left as they are: clearing seventeen for each pack would be most of the work
    out->cut = out->emptied = false;
    out->levels[0].key = key;
    enum pt_code code = source->record(source->ctx, key, &out->levels[0].record, &found, err);
    if (code != PT_OK || !found) return code;
    out->count = 1;
    for (;;) {
        struct hierarchy_level *inner = &out->levels[out->count - 1];
        if (inner->record.parent == 0) return PT_OK;
        if (out->count > HIERARCHY_MAX) {
            out->cut = true;  // packing refuses this; a bound against a damaged index
            return PT_OK;
        }
        struct hierarchy_level *outer = inner + 1;
        code = source->container(source->ctx, inner, &outer->key, err);
        if (code == PT_OK) code = source->record(source->ctx, outer->key, &outer->record, &found, err);
        if (code != PT_OK) return code;
        // Emptied as a whole since: the pack was not written then, so its record still names the container.
        if (!found || outer->record.filling != inner->record.parent_filling) {
            out->emptied = true;
            return PT_OK;
        }
        out->count++;
    }
}

// A container that was itself shipped or received carries its contents with it; one that only was packed does not
// say anything that its contents do not say themselves.
static bool moved(enum lifecycle_state state) { return state == LIFECYCLE_IN_STOCK || state == LIFECYCLE_IN_TRANSIT; }

static bool goods(enum lifecycle_state state) { return moved(state) || state == LIFECYCLE_COMMISSIONED; }

// What happens to a container happens to all that lies in it.
static bool overrides(enum lifecycle_state state) {
    return state == LIFECYCLE_QUARANTINED || state == LIFECYCLE_RECALLED || state == LIFECYCLE_DESTROYED ||
           state == LIFECYCLE_EXPORTED || state == LIFECYCLE_STOLEN || state == LIFECYCLE_CHECKED_OUT ||
           state == LIFECYCLE_LOCKED || state == LIFECYCLE_WITHDRAWN;
}

struct effective hierarchy_effective(const struct hierarchy *hierarchy) {
    const struct pack_record *own = &hierarchy->levels[0].record;
    struct effective out = {.state = LIFECYCLE_UNKNOWN};
    if (hierarchy->count == 0) return out;
    out = (struct effective){.state = own->state, .place = own->place, .party = own->party, .event_seconds = own->event_seconds,
                             .unconfirmed = hierarchy->cut || hierarchy->emptied};
    for (size_t i = 1; i < hierarchy->count; i++) {
        const struct pack_record *outer = &hierarchy->levels[i].record;
        out.inferred = true;
        if (outer->flags & PACK_FLAG_UNCONFIRMED) out.unconfirmed = true;
        if (overrides(outer->state) && goods(out.state)) out.state = outer->state;
        if (!moved(outer->state)) continue;
        if (outer->event_seconds > out.event_seconds) out.event_seconds = outer->event_seconds;
        if (goods(out.state)) out.state = outer->state;
        if (outer->place) out.place = outer->place;
        if (outer->party) out.party = outer->party;
    }
    return out;
}
