// What is known of a pack now.
#include <stdlib.h>
#include <string.h>

#include "ledger/contracts/lifecycle.h"
#include "ledger/query/alerts.h"
#include "ledger/query/pack_reader.h"
#include "ledger/query/recall_of_pack.h"

#define EPOCH_2000 10957
#define CONTENTS_STATEMENTS 256u  // of the container that are looked through

static enum pt_code text_of(struct pack_reader *reader, uint64_t name, const char **out, struct pt_error *err) {
    struct pt_bytes text;
    const enum pt_code code = pack_reader_name(reader, name, &text, err);
    *out = text.data ? (const char *)text.data : NULL;  // a NUL stands behind it
    return code;
}

static unsigned reasons_of(const struct hierarchy *around, const struct effective *effective, pt_millis at) {
    const struct pack_record *own = &around->levels[0].record;
    unsigned reasons = 0;
    if (effective->inferred) reasons |= PACK_REASON_INFERRED;
    if (effective->unconfirmed) reasons |= PACK_REASON_UNCONFIRMED;
    if (lifecycle_expired(own->expiry, at / 1000)) reasons |= PACK_REASON_EXPIRED;
    if (effective->state == LIFECYCLE_RECALLED) reasons |= PACK_REASON_RECALLED;
    if (own->flags & PACK_FLAG_NO_DATA) reasons |= PACK_REASON_NO_DATA;
    if (own->flags & PACK_FLAG_CORRECTED) reasons |= PACK_REASON_CORRECTED;
    if (own->alerts > 0) reasons |= PACK_REASON_ALERT;
    if (!lifecycle_state_dispensable(effective->state)) reasons |= PACK_REASON_NOT_DISPENSABLE;
    if (effective->state == LIFECYCLE_PART_DISPENSED) reasons |= PACK_REASON_PART_USED;
    return reasons;
}

static enum pt_code describe(struct pack_reader *reader, const struct hierarchy *around, pt_millis at, struct ledger_pack *out,
                             struct pt_error *err) {
    const struct pack_record *own = &around->levels[0].record;
    const struct effective effective = hierarchy_effective(around);
    out->found = true;
    out->state = effective.state;
    out->own_state = own->state;
    out->reasons = reasons_of(around, &effective, at);
    out->expiry_day = own->expiry ? (int32_t)own->expiry - 1 + EPOCH_2000 : INT32_MIN;
    out->content = own->content;
    out->quantity_left = effective.state == LIFECYCLE_DISPENSED ? 0 : pack_record_left(own);
    out->quantity_returned = own->returned;
    out->is_container = (own->flags & PACK_FLAG_CONTAINER) != 0;
    out->last_leaf = own->last ? own->last - 1 : 0;
    out->alert_count = own->alerts;
    enum pt_code code = text_of(reader, effective.place, &out->place, err);
    if (code == PT_OK) code = text_of(reader, effective.party, &out->party, err);
    if (code == PT_OK) code = text_of(reader, own->lot, &out->lot, err);
    out->containers = pt_arena_alloc(reader->arena, around->count, sizeof *out->containers);
    if (code == PT_OK && !out->containers) code = pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    for (size_t i = 1; code == PT_OK && i < around->count; i++)
        code = pack_id_from_key(around->levels[i].key, &out->containers[out->container_count++], err);
    return code;
}

static enum pt_code add_recall(struct pack_reader *reader, const struct pack_id *id, const char *label_lot, pt_millis at,
                               struct ledger_pack *out, struct pt_error *err) {
    const enum pt_code code = recall_of_pack(reader, id, out, label_lot, at, &out->recall, err);
    if (code == PT_OK && out->recall) out->reasons |= out->recall->certain ? PACK_REASON_RECALLED : PACK_REASON_MAYBE_RECALLED;
    return code;
}

// Notes, and alerts that a finding has cleared, warn nobody any more.
static enum pt_code mind_findings(struct pack_reader *reader, struct pt_bytes key, const struct pack_record *own, struct ledger_pack *out,
                                  struct pt_error *err) {
    const bool announced = (own->flags & PACK_FLAG_ANNOUNCED) != 0;
    bool stands;
    const enum pt_code code = alerts_stand_against(reader->index, key, out->alert_count, announced, &stands, err);
    if (code == PT_OK && !stands) out->reasons &= ~(unsigned)PACK_REASON_ALERT;
    return code;
}

enum pt_code ledger_pack(struct ledger *ledger, const struct pack_id *id, pt_millis at, struct pt_arena *arena,
                         struct ledger_pack *out, struct pt_error *err) {
    return ledger_pack_labelled(ledger, id, NULL, at, arena, out, err);
}

enum pt_code ledger_pack_labelled(struct ledger *ledger, const struct pack_id *id, const char *lot, pt_millis at,
                                  struct pt_arena *arena, struct ledger_pack *out, struct pt_error *err) {
    struct idle_reader *view;
    struct hierarchy around;
    struct pt_bytes key;
    struct side_height place = {.time = ledger->files.genesis.time};
    *out = (struct ledger_pack){.state = LIFECYCLE_UNKNOWN, .reasons = PACK_REASON_UNKNOWN | PACK_REASON_NOT_DISPENSABLE,
                                .expiry_day = INT32_MIN};
    enum pt_code code = ledger_view_begin(ledger, &view, err);
    if (code != PT_OK) return code;
    struct pack_reader reader = {&view->reader, ledger->files.statements, arena};
    code = pack_reader_key(&reader, id, &key, err);
    if (code == PT_OK) code = view->reader.height(&view->reader, &out->height, err);
    if (code == PT_OK && out->height > 0) code = statement_store_height(&view->reader, out->height, &place, err);
    out->time = place.time;
    if (code == PT_OK) code = pack_reader_around(&reader, key, &around, err);
    if (code == PT_OK && around.count > 0) code = describe(&reader, &around, at, out, err);
    if (code == PT_OK && (out->reasons & PACK_REASON_ALERT)) code = mind_findings(&reader, key, &around.levels[0].record, out, err);
    if (code == PT_OK && out->found) code = add_recall(&reader, id, lot, at, out, err);
    ledger_view_end(ledger, view);
    return code;
}

static int by_id(const void *a, const void *b) {
    const struct pack_id *x = a, *y = b;
    const int product = strcmp(x->product, y->product);
    if (x->kind != y->kind) return x->kind < y->kind ? -1 : 1;
    return product ? product : strcmp(x->serial, y->serial);
}

struct contents {
    struct pack_reader *reader;
    uint64_t container, filling;
    struct pack_id *items;
    size_t count, most;
};

static enum pt_code add_children(struct contents *contents, const struct history_item *item, struct pt_error *err) {
    for (size_t i = 0; i < item->pack_count && contents->count < contents->most; i++) {
        struct pack_record record;
        bool found;
        if (item->packs[i].role != PACK_ROLE_CHILD) continue;
        enum pt_code code = pack_reader_record(contents->reader, item->packs[i].key, &record, &found, err);
        if (code != PT_OK) return code;
        if (!found || record.parent != contents->container || record.parent_filling != contents->filling) continue;
        code = pack_id_from_key(item->packs[i].key, &contents->items[contents->count++], err);
        if (code != PT_OK) return code;
    }
    return PT_OK;
}

enum pt_code ledger_contents(struct ledger *ledger, const struct pack_id *id, size_t most, struct pt_arena *arena,
                             struct pack_id **out, size_t *count, struct pt_error *err) {
    struct idle_reader *view;
    struct history_item *history = NULL;
    struct pack_record record;
    struct pt_bytes key;
    size_t history_count = 0;
    bool more, found = false;
    *count = 0;
    *out = pt_arena_alloc(arena, most + 1, sizeof **out);
    if (!*out) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    enum pt_code code = ledger_view_begin(ledger, &view, err);
    if (code != PT_OK) return code;
    struct pack_reader reader = {&view->reader, ledger->files.statements, arena};
    struct contents contents = {.reader = &reader, .items = *out, .most = most};
    code = pack_reader_key(&reader, id, &key, err);
    if (code == PT_OK) code = pack_reader_record(&reader, key, &record, &found, err);
    if (code == PT_OK) code = pack_reader_container(&reader, key, &contents.container, err);
    contents.filling = record.filling;
    if (code == PT_OK && found && contents.container)
        code = pack_reader_history(&reader, key, CONTENTS_STATEMENTS, &history, &history_count, &more, err);
    for (size_t i = history_count; code == PT_OK && i-- > 0;)
        if (history[i].event->type == EPCIS_AGGREGATION && history[i].event->action == EPCIS_ADD && history[i].role == PACK_ROLE_PARENT)
            code = add_children(&contents, &history[i], err);
    ledger_view_end(ledger, view);
    if (contents.count > 0) qsort(*out, contents.count, sizeof **out, by_id);
    for (size_t i = 0; i < contents.count; i++)  // one that was packed twice stands there twice
        if (*count == 0 || !pack_id_equal(&(*out)[*count - 1], &(*out)[i])) (*out)[(*count)++] = (*out)[i];
    return code;
}
