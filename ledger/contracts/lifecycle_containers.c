// Packs in cases on pallets: who leaves, who stays, what is opened.
#include <stdlib.h>
#include <string.h>

#include "ledger/contracts/lifecycle_internal.h"

#define FEW_PACKS 8u  // are looked through one by one

static int by_key(const void *a, const void *b) {
    return pt_bytes_compare((*(const struct event_pack *const *)a)->key, (*(const struct event_pack *const *)b)->key);
}

static int key_to(const void *key, const void *item) {
    return pt_bytes_compare(*(const struct pt_bytes *)key, (*(const struct event_pack *const *)item)->key);
}

// An event may name a hundred thousand packs from as many cases: they are sorted once.
static bool is_named(struct work *work, struct pt_bytes key) {
    const struct contract_input *input = work->input;
    if (input->pack_count > FEW_PACKS && !work->by_key) {
        work->by_key = pt_arena_alloc(work->context->arena, input->pack_count, sizeof *work->by_key);
        for (size_t i = 0; work->by_key && i < input->pack_count; i++) work->by_key[i] = &input->packs[i];
        if (work->by_key) qsort(work->by_key, input->pack_count, sizeof *work->by_key, by_key);
    }
    if (work->by_key) return bsearch(&key, work->by_key, input->pack_count, sizeof *work->by_key, key_to) != NULL;
    for (size_t i = 0; i < input->pack_count; i++)
        if (pt_bytes_equal(input->packs[i].key, key)) return true;
    return false;
}

// Whether the container that the pack lies in is a subject of the same event: then the pack does not leave it.
static bool container_is_named(struct work *work, const struct item *item) {
    if (work->asked_container == item->record.parent) return work->container_is_named;
    work->asked_container = item->record.parent;
    work->container_is_named = is_named(work, item->around.levels[1].key);
    return work->container_is_named;
}

static enum pt_code mark_opened(struct work *work, struct hierarchy_level *container, struct pt_error *err) {
    if (container->record.flags & PACK_FLAG_OPENED) return PT_OK;
    container->record.flags |= PACK_FLAG_OPENED;
    return packs_write(work->view, container->key, &container->record, err);
}

// The pack leaves its container: from here on its own record says what it had through the container.
static void leave(struct item *item) {
    item->record.state = item->effective.state;
    item->record.place = item->effective.place;
    item->record.party = item->effective.party;
    item->record.event_seconds = item->effective.event_seconds;
    item->record.parent = 0;
    item->record.parent_filling = 0;
}

enum pt_code lifecycle_settle_hierarchy(struct work *work, struct item *item, bool *inside, struct pt_error *err) {
    const bool was_inside = item->around.count > 1;
    const bool same_parent = was_inside && item->record.parent == work->parent_name;
    *inside = false;
    if (!was_inside) {
        item->record.parent = item->record.parent_filling = 0;
        return PT_OK;
    }
    if (item->operation == OPERATION_PACK) {
        *inside = same_parent;
        if (same_parent) return PT_OK;
    } else if (!lifecycle_operation_parts(item->operation) || (item->operation != OPERATION_UNPACK && container_is_named(work, item))) {
        *inside = true;
        return PT_OK;
    }
    enum pt_code code = PT_OK;
    const bool elsewhere = item->operation == OPERATION_RECEIVE && item->effective.state == LIFECYCLE_IN_STOCK &&
                           item->effective.place && work->place && item->effective.place != work->place;
    if (item->operation == OPERATION_PACK || (item->operation == OPERATION_UNPACK && !same_parent) || elsewhere)
        code = lifecycle_raise_kind(work, item, ALERT_BROKEN_HIERARCHY, ALERT_SHADOW, 30, NULL, err);
    if (code == PT_OK && !(item->operation == OPERATION_UNPACK && same_parent)) code = mark_opened(work, &item->around.levels[1], err);
    leave(item);
    return code;
}

// Packing a thing into what lies in it would make a circle; one level too many could not be read back.
static bool may_lie_in_parent(const struct work *work, const struct item *item) {
    if (work->parent.count == 0 || work->parent.count >= HIERARCHY_MAX) return false;
    for (size_t i = 0; i < work->parent.count; i++)
        if (pt_bytes_equal(work->parent.levels[i].key, item->key)) return false;
    return true;
}

enum pt_code lifecycle_pack_into_parent(struct work *work, struct item *item, struct pt_error *err) {
    if (!may_lie_in_parent(work, item)) return lifecycle_raise_kind(work, item, ALERT_BROKEN_HIERARCHY, ALERT_ENFORCE, 50, NULL, err);
    item->record.parent = work->parent_name;
    item->record.parent_filling = work->parent.levels[0].record.filling;
    return PT_OK;
}

static bool moves(enum lifecycle_operation operation) {
    return operation == OPERATION_SHIP || operation == OPERATION_RECEIVE || operation == OPERATION_SEND_BACK ||
           operation == OPERATION_TAKE_BACK || operation == OPERATION_EXPORT;
}

void lifecycle_container_flags(const struct work *work, struct item *item) {
    unsigned *flags = &item->record.flags;
    if (item->operation == OPERATION_FILL) *flags |= PACK_FLAG_CONTAINER;
    if (item->operation == OPERATION_EMPTY && work->input->event->epcs.count == 0) {
        item->record.filling++;
        *flags &= ~(unsigned)(PACK_FLAG_OPENED | PACK_FLAG_UNCONFIRMED);
    }
    if (!(*flags & PACK_FLAG_CONTAINER)) return;
    if (work->facts.container_open) *flags |= PACK_FLAG_OPENED;
    if (work->facts.contents_verified) *flags &= ~(unsigned)(PACK_FLAG_OPENED | PACK_FLAG_UNCONFIRMED);
    if (moves(item->operation) && (*flags & PACK_FLAG_OPENED)) *flags |= PACK_FLAG_UNCONFIRMED;
}
