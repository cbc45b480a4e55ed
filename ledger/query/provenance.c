// A pack's way: the statements that name it, and those that happened to a container while it lay inside.
#include <stdlib.h>
#include <string.h>

#include "common/epcis/event_hash.h"
#include "ledger/contracts/lifecycle.h"
#include "ledger/query/pack_reader.h"

#define STATEMENTS_A_CHAIN 512u
#define STEPS_MOST 4096u

struct way {
    struct pack_reader reader;
    struct ledger_step *steps;
    size_t count;
    bool more;
};

// While the thing lay in `container`: statements of the container with leaves between the two are its own as well.
struct stay {
    struct pt_bytes container;
    uint64_t from, to;  // exclusive
};

static enum pt_code add_step(struct way *way, const struct history_item *item, const struct pack_id *via, struct pt_error *err) {
    for (size_t i = 0; i < way->count; i++)
        if (way->steps[i].leaf_index == item->stored.leaf) return PT_OK;  // it named both; what it did directly came first
    if (way->count == STEPS_MOST) {
        way->more = true;
        return PT_OK;
    }
    (void)err;
    way->steps[way->count++] = (struct ledger_step){.leaf_index = item->stored.leaf,
                                                    .height = item->stored.height,
                                                    .time = item->stored.time,
                                                    .id = item->stored.id,
                                                    .signer = item->signer,
                                                    .result = item->stored.result,
                                                    .via = via,
                                                    .statement = item->stored.bytes,
                                                    .event = item->event};
    return PT_OK;
}

static bool names(const struct history_item *item, struct pt_bytes key) {
    for (size_t i = 0; i < item->pack_count; i++)
        if (pt_bytes_equal(item->packs[i].key, key)) return true;
    return false;
}

static bool empties(const struct history_item *item) {
    return item->role == PACK_ROLE_PARENT && item->event->action == EPCIS_DELETE && item->event->epcs.count == 0;
}

// Whether the statement takes the thing out of `container`, or puts it into another.
static bool leaves(const struct history_item *item, struct pt_bytes container) {
    const enum lifecycle_operation operation = lifecycle_operation_of(item->event, item->role);
    if (operation == OPERATION_PACK) return !pt_bytes_equal(item->packs[0].key, container);
    return operation == OPERATION_UNPACK || (lifecycle_operation_parts(operation) && !names(item, container));
}

static enum pt_code collect(struct way *way, struct pt_bytes key, uint64_t from, uint64_t to, bool contained, unsigned depth,
                            struct pt_error *err);

static enum pt_code collect_stay(struct way *way, const struct stay *stay, uint64_t from, uint64_t to, unsigned depth,
                                 struct pt_error *err) {
    const uint64_t low = stay->from > from ? stay->from : from, high = stay->to < to ? stay->to : to;
    return low < high ? collect(way, stay->container, low, high, true, depth + 1, err) : PT_OK;
}

// Steps of `key` between the two leaves (exclusive unless it is the pack itself), and of whatever it lay in.
static enum pt_code collect(struct way *way, struct pt_bytes key, uint64_t from, uint64_t to, bool contained, unsigned depth,
                            struct pt_error *err) {
    struct history_item *history;
    size_t count;
    bool more;
    struct pack_id *via = NULL;
    struct stay stay = {0};
    if (depth > HIERARCHY_MAX) return PT_OK;
    enum pt_code code = pack_reader_history(&way->reader, key, STATEMENTS_A_CHAIN, &history, &count, &more, err);
    if (code != PT_OK) return code;
    way->more = way->more || more;
    if (contained) {
        via = pt_arena_alloc(way->reader.arena, 1, sizeof *via);
        if (!via) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
        code = pack_id_from_key(key, via, err);
    }
    for (size_t i = 0; code == PT_OK && i < count; i++) {
        const struct history_item *item = &history[i];
        const uint64_t leaf = item->stored.leaf;
        const bool inside = !contained || (leaf > from && leaf < to);
        if (inside) code = add_step(way, item, via, err);
        if (code == PT_OK && stay.container.len > 0 && leaves(item, stay.container)) {
            stay.to = leaf;
            code = collect_stay(way, &stay, from, to, depth, err);
            stay = (struct stay){0};
        }
        if (lifecycle_operation_of(item->event, item->role) == OPERATION_PACK && item->packs[0].role == PACK_ROLE_PARENT &&
            stay.container.len == 0)
            stay = (struct stay){item->packs[0].key, leaf, UINT64_MAX};
        if (contained && inside && empties(item)) {
            to = leaf;  // nothing that was inside goes on with it
            break;
        }
    }
    if (code == PT_OK && stay.container.len > 0) code = collect_stay(way, &stay, from, to, depth, err);
    return code;
}

// Whether the declaration repeats the event: by its ID, else word for word.
static bool declares(const struct epcis_event *declaration, const struct epcis_event *event) {
    struct pt_digest a, b;
    if (!declaration->error_declaration.present || event->error_declaration.present) return false;
    if (declaration->event_id || event->event_id)
        return declaration->event_id && event->event_id && strcmp(declaration->event_id, event->event_id) == 0;
    return epcis_event_digest(declaration, NULL, &a, NULL) == PT_OK && epcis_event_digest(event, NULL, &b, NULL) == PT_OK && pt_digest_equal(&a, &b);
}

static void mark_declared(struct way *way) {
    for (size_t i = 0; i < way->count; i++) {
        if (!way->steps[i].event->error_declaration.present) continue;
        for (size_t k = 0; k < way->count; k++)
            way->steps[k].declared_in_error = way->steps[k].declared_in_error || declares(way->steps[i].event, way->steps[k].event);
    }
}

static int by_leaf(const void *a, const void *b) {
    const struct ledger_step *x = a, *y = b;
    return (x->leaf_index > y->leaf_index) - (x->leaf_index < y->leaf_index);
}

enum pt_code ledger_provenance(struct ledger *ledger, const struct pack_id *id, size_t most, struct pt_arena *arena,
                               struct ledger_step **out, size_t *count, bool *more, struct pt_error *err) {
    struct idle_reader *view;
    struct pt_bytes key;
    struct way way = {.steps = pt_arena_alloc(arena, STEPS_MOST, sizeof(struct ledger_step))};
    *out = NULL;
    *count = 0;
    if (!way.steps) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    enum pt_code code = ledger_view_begin(ledger, &view, err);
    if (code != PT_OK) return code;
    way.reader = (struct pack_reader){&view->reader, ledger->files.statements, arena};
    code = pack_reader_key(&way.reader, id, &key, err);
    if (code == PT_OK) code = collect(&way, key, 0, UINT64_MAX, false, 0, err);
    ledger_view_end(ledger, view);
    if (code != PT_OK) return code;
    mark_declared(&way);
    if (way.count > 0) qsort(way.steps, way.count, sizeof *way.steps, by_leaf);
    const size_t kept = way.count < most ? way.count : most;
    *out = way.steps + (way.count - kept);
    *count = kept;
    *more = way.more || kept < way.count;
    return PT_OK;
}
