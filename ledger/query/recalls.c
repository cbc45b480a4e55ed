// Recall notices, and which of them covers a pack.
#include "ledger/query/recalls.h"

#include <string.h>

#include "common/base/cleanup.h"
#include "ledger/contracts/master_facts.h"
#include "ledger/query/recall_of_pack.h"

#define RECALLS_MOST 1000u

static enum pt_code no_memory(struct pt_error *err) { return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory"); }

static enum pt_code decode_record(struct pt_bytes value, struct pt_arena *arena, struct recall_record *out, struct pt_error *err) {
    uint8_t *copy = pt_arena_alloc(arena, 1, value.len + 1);
    if (!copy) return no_memory(err);
    memcpy(copy, value.data, value.len);
    return recall_record_decode(pt_bytes_of(copy, value.len), arena, out, err);
}

enum pt_code recall_read(struct ledger *ledger, struct index_reader *index, const char *id, struct pt_arena *arena,
                         struct ledger_recall *out, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf key = PT_BUF_INIT(RECALL_ID_MAX + 1);
    PT_CLEANUP(pt_buf_free) struct pt_buf value = PT_BUF_INIT(RECALL_STATE_MAX);
    struct side_height place = {.time = ledger->files.genesis.time};
    *out = (struct ledger_recall){0};
    recall_id_key(id, &key);
    enum pt_code code = key.failed ? PT_NOT_FOUND : index->get(index, STATE_RECALL, pt_buf_bytes(&key), &value, err);
    if (code == PT_NOT_FOUND) return pt_fail(err, PT_NOT_FOUND, NULL, "there is no recall of this id");
    if (code == PT_OK) code = decode_record(pt_buf_bytes(&value), arena, &out->record, err);
    if (code == PT_OK) code = index->height(index, &out->height, err);
    if (code == PT_OK && out->height > 0) code = statement_store_height(index, out->height, &place, err);
    out->time = place.time;
    return code;
}

enum pt_code ledger_recall(struct ledger *ledger, const char *id, struct pt_arena *arena, struct ledger_recall *out,
                           struct pt_error *err) {
    struct idle_reader *view;
    enum pt_code code = ledger_view_begin(ledger, &view, err);
    if (code != PT_OK) return code;
    code = recall_read(ledger, &view->reader, id, arena, out, err);
    ledger_view_end(ledger, view);
    return code;
}

struct listing {
    struct pt_arena *arena;
    struct ledger_recall *items;
    size_t count, most;
    bool in_force, more;
    struct pt_error *err;
};

static enum pt_code list_one(void *arg, struct pt_bytes key, struct pt_bytes value) {
    struct listing *list = arg;
    (void)key;
    if (list->count == list->most) {
        list->more = true;
        return PT_NOT_FOUND;
    }
    struct recall_record *record = &list->items[list->count].record;
    const enum pt_code code = decode_record(value, list->arena, record, list->err);
    if (code == PT_OK && !(list->in_force && record->ended)) list->count++;
    return code;
}

enum pt_code ledger_recalls(struct ledger *ledger, const char *after, bool in_force, size_t most, struct pt_arena *arena,
                            struct ledger_recall **out, size_t *count, bool *more, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf from = PT_BUF_INIT(1024);
    struct idle_reader *view;
    if (most == 0 || most > RECALLS_MOST) most = RECALLS_MOST;
    struct listing list = {.arena = arena, .most = most, .in_force = in_force, .err = err};
    *count = 0;
    *more = false;
    list.items = pt_arena_alloc(arena, most + 1, sizeof *list.items);
    if (!list.items) return no_memory(err);
    pt_buf_byte(&from, 'i');
    if (after) {
        pt_buf_str(&from, after);
        pt_buf_byte(&from, 0);
    }
    enum pt_code code = pt_buf_check(&from, err);
    if (code == PT_OK) code = ledger_view_begin(ledger, &view, err);
    if (code != PT_OK) return code;
    code = view->reader.range(&view->reader, STATE_RECALL, pt_buf_bytes(&from), pt_bytes_str("j"), false, list_one, &list, err);
    ledger_view_end(ledger, view);
    *out = list.items;
    *count = list.count;
    *more = list.more;
    return code;
}

// --- One pack ---

static enum pt_code territory_of(struct pack_reader *reader, const char *place, const char *party, pt_millis at, const char **out,
                                 struct pt_error *err) {
    struct master_record record;
    bool found = false;
    enum pt_code code = PT_OK;
    *out = NULL;
    if (place) code = pack_reader_master(reader, MASTER_PLACE, place, at, &record, &found, err);
    if (code == PT_OK && found) *out = record.place.territory;
    if (code != PT_OK || *out || !party) return code;
    code = pack_reader_master(reader, MASTER_PARTY, party, at, &record, &found, err);
    if (code == PT_OK && found) *out = record.party.territory;
    return code;
}

static bool asks_territory(const struct recall_list *list) {
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].scope.territory_count > 0) return true;
    return false;
}

static enum pt_code describe(struct pack_reader *reader, const struct recall_cover *cover, const struct ledger_pack_recall **out,
                             struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf key = PT_BUF_INIT(RECALL_ID_MAX + 1);
    PT_CLEANUP(pt_buf_free) struct pt_buf value = PT_BUF_INIT(RECALL_STATE_MAX);
    struct ledger_pack_recall *recall = pt_arena_alloc(reader->arena, 1, sizeof *recall);
    struct recall_record record;
    if (!recall) return no_memory(err);
    recall_id_key(cover->recall->id, &key);
    enum pt_code code = reader->index->get(reader->index, STATE_RECALL, pt_buf_bytes(&key), &value, err);
    if (code == PT_OK) code = decode_record(pt_buf_bytes(&value), reader->arena, &record, err);
    if (code != PT_OK) return code;
    *recall = (struct ledger_pack_recall){.id = cover->recall->id, .version = record.scope.version, .level = record.scope.level,
                                          .depth = record.scope.depth, .certain = cover->doubt == 0, .since = record.since,
                                          .reason = record.scope.reason, .instructions = record.scope.instructions,
                                          .lots = record.scope.scope.lots, .lot_count = record.scope.scope.lot_count};
    *out = recall;
    return PT_OK;
}

enum pt_code recall_of_pack(struct pack_reader *reader, const struct pack_id *id, const struct ledger_pack *pack,
                            const char *label_lot, pt_millis at, const struct ledger_pack_recall **out, struct pt_error *err) {
    const char *product = master_facts_product_of(id);
    PT_CLEANUP(pt_buf_free) struct pt_buf key = PT_BUF_INIT(PACK_PRODUCT_MAX + 1);
    PT_CLEANUP(pt_buf_free) struct pt_buf value = PT_BUF_INIT(RECALL_STATE_MAX);
    struct recall_list list;
    struct recall_cover cover;
    *out = NULL;
    if (!product) return PT_OK;
    recall_product_key(product, &key);
    enum pt_code code = reader->index->get(reader->index, STATE_RECALL, pt_buf_bytes(&key), &value, err);
    if (code == PT_NOT_FOUND) return PT_OK;
    if (code == PT_OK) code = recall_list_decode(pt_buf_bytes(&value), product, reader->arena, &list, err);
    const struct recall_lists lists = {.items = &list, .count = 1};
    struct recall_pack asked = {.id = id, .lot = pack->lot ? pack->lot : label_lot, .event_time = INT64_MAX};
    if (code == PT_OK && asks_territory(&list)) code = territory_of(reader, pack->place, pack->party, at, &asked.territory, err);
    if (code != PT_OK) return code;
    recall_covers(&lists, &asked, &cover);
    // A label that names another lot than the maker did is wrong already; that lot may be the recalled one.
    if (!cover.covered && pack->lot && label_lot && label_lot[0]) {
        asked.lot = label_lot;
        recall_covers(&lists, &asked, &cover);
    }
    return cover.covered ? describe(reader, &cover, out, err) : PT_OK;
}
