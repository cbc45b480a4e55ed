#include "ledger/contracts/event_packs.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/identify/pack_id.h"

struct collector {
    struct pt_arena *arena;
    struct event_pack *packs;
    size_t count;
    struct pt_buf key;
};

static enum pt_code collect(struct collector *to, const char *uri, enum pack_role role, struct pt_error *err) {
    struct pack_id id;
    enum pt_code code = pack_id_from_uri(pt_bytes_str(uri), &id, err);
    pt_buf_clear(&to->key);
    if (code == PT_OK) code = pack_id_key(&id, &to->key, err);
    if (code != PT_OK) return code;
    uint8_t *copy = pt_arena_alloc(to->arena, 1, to->key.len);
    if (!copy) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    memcpy(copy, to->key.data, to->key.len);
    to->packs[to->count++] = (struct event_pack){pt_bytes_of(copy, to->key.len), role};
    return PT_OK;
}

static enum pt_code collect_all(struct collector *to, const struct epcis_texts *uris, enum pack_role role, const char *field,
                                struct pt_error *err) {
    for (size_t i = 0; i < uris->count; i++) {
        const enum pt_code code = collect(to, uris->items[i], role, err);
        if (code == PT_NO_MEMORY) return code;
        if (code != PT_OK) return pt_error_under(err, "/%s/%zu", field, i);
    }
    return PT_OK;
}

static int by_key_then_place(const void *a, const void *b) {
    const struct event_pack *x = *(struct event_pack *const *)a, *y = *(struct event_pack *const *)b;
    const int order = pt_bytes_compare(x->key, y->key);
    return order ? order : (x > y) - (x < y);
}

static bool ascending(const struct collector *packs) {
    for (size_t i = 1; i < packs->count; i++)
        if (pt_bytes_compare(packs->packs[i - 1].key, packs->packs[i].key) >= 0) return false;
    return true;
}

static enum pt_code drop_repeated(struct collector *packs, struct pt_error *err) {
    if (ascending(packs)) return PT_OK;
    PT_FREE struct event_pack **sorted = malloc(packs->count * sizeof(struct event_pack *));
    if (!sorted) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    for (size_t i = 0; i < packs->count; i++) sorted[i] = &packs->packs[i];
    qsort(sorted, packs->count, sizeof(struct event_pack *), by_key_then_place);
    struct pt_bytes last = {0};
    for (size_t i = 0; i < packs->count; i++) {
        const bool again = i > 0 && pt_bytes_equal(last, sorted[i]->key);
        last = sorted[i]->key;
        if (again) sorted[i]->role = 0;
    }
    size_t kept = 0;
    for (size_t i = 0; i < packs->count; i++)
        if (packs->packs[i].role) packs->packs[kept++] = packs->packs[i];
    packs->count = kept;
    return PT_OK;
}

enum pt_code event_packs_of(const struct epcis_event *event, struct pt_arena *arena, struct event_pack **out, size_t *count,
                            struct pt_error *err) {
    const bool nested = event->type == EPCIS_AGGREGATION || event->type == EPCIS_ASSOCIATION;
    const size_t most = 1 + event->epcs.count + event->input_epcs.count + event->output_epcs.count;
    PT_CLEANUP(pt_buf_free) struct pt_buf key = PT_BUF_INIT(PACK_KEY_MAX);
    struct collector to = {.arena = arena, .packs = pt_arena_alloc(arena, most, sizeof(struct event_pack))};
    *out = NULL;
    *count = 0;
    if (!to.packs) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    to.key = key;
    enum pt_code code = PT_OK;
    if (event->parent_id) {
        code = collect(&to, event->parent_id, PACK_ROLE_PARENT, err);
        if (code != PT_OK && code != PT_NO_MEMORY) code = pt_error_under(err, "/parentID");
    }
    if (code == PT_OK)
        code = collect_all(&to, &event->epcs, nested ? PACK_ROLE_CHILD : PACK_ROLE_OBJECT, nested ? "childEPCs" : "epcList", err);
    if (code == PT_OK) code = collect_all(&to, &event->input_epcs, PACK_ROLE_INPUT, "inputEPCList", err);
    if (code == PT_OK) code = collect_all(&to, &event->output_epcs, PACK_ROLE_OUTPUT, "outputEPCList", err);
    key = to.key;  // the collector's buffer grew: it is this one that is freed
    if (code == PT_OK) code = drop_repeated(&to, err);
    if (code != PT_OK) return code;
    *out = to.packs;
    *count = to.count;
    return PT_OK;
}
