// How far a recall has come, and its packs one by one.
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "ledger/query/recall_of_pack.h"
#include "ledger/query/recall_scan.h"

#define LIST_MOST 10000u

const char *recall_class_name(enum recall_class class) {
    static const char *const names[RECALL_CLASSES] = {"in_stock", "in_transit", "part_dispensed", "dispensed", "sent_back", "returned",
                                                      "quarantined", "destroyed", "elsewhere", "unknown"};
    return (unsigned)class < RECALL_CLASSES ? names[class] : "unknown";
}

static enum pt_code count_pack(void *arg, const struct scanned_pack *pack) {
    (void)arg;
    struct recall_counts *counts = &pack->place->counts;
    if (pack->unsure) {
        counts->unsure++;
        return PT_OK;
    }
    counts->classes[pack->class]++;
    switch (pack->progress) {
    case SCAN_DONE: counts->done++; break;
    case SCAN_BEFORE: counts->before++; break;
    case SCAN_BEYOND: counts->beyond++; break;
    case SCAN_LOST: counts->lost++; break;
    case SCAN_OPEN: counts->open++; break;
    }
    return PT_OK;
}

static void add(struct recall_counts *to, const struct recall_counts *counts) {
    for (unsigned i = 0; i < RECALL_CLASSES; i++) to->classes[i] += counts->classes[i];
    to->done += counts->done;
    to->before += counts->before;
    to->open += counts->open;
    to->beyond += counts->beyond;
    to->lost += counts->lost;
    to->unsure += counts->unsure;
}

static int text_order(const char *a, const char *b) { return a && b ? strcmp(a, b) : (a != NULL) - (b != NULL); }

static int most_open_first(const void *a, const void *b) {
    const struct recall_place *x = a, *y = b;
    const uint64_t open_x = x->counts.open + x->counts.unsure, open_y = y->counts.open + y->counts.unsure;
    if (open_x != open_y) return open_x > open_y ? -1 : 1;
    const int place = text_order(x->place, y->place);
    return place ? place : text_order(x->party, y->party);
}

static enum pt_code gather_places(struct recall_scan *scan, struct pt_arena *arena, struct ledger_reach *out, struct pt_error *err) {
    static const struct recall_counts none;
    const size_t count = recall_scan_places(scan);
    out->places = pt_arena_alloc(arena, count + 1, sizeof *out->places);
    if (!out->places) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    for (size_t i = 0; i < count; i++) {
        const struct scan_place *place = recall_scan_place(scan, i);
        if (memcmp(&place->counts, &none, sizeof none) == 0) continue;
        add(&out->total, &place->counts);
        out->places[out->place_count++] = (struct recall_place){place->place_uri, place->party_uri, place->counts};
    }
    qsort(out->places, out->place_count, sizeof *out->places, most_open_first);
    return PT_OK;
}

enum pt_code ledger_recall_reach(struct ledger *ledger, const char *id, struct pt_arena *arena, struct ledger_reach *out,
                                 struct pt_error *err) {
    const pt_millis begun = ledger->env->now(ledger->env->ctx);
    struct recall_scan *scan = NULL;
    struct idle_reader *view;
    *out = (struct ledger_reach){0};
    enum pt_code code = ledger_view_begin(ledger, &view, err);
    if (code != PT_OK) return code;
    struct pack_reader reader = {&view->reader, ledger->files.statements, arena};
    code = recall_read(ledger, &view->reader, id, arena, &out->recall, err);
    if (code == PT_OK) code = recall_scan_new(&reader, &out->recall.record, &scan, err);
    if (code == PT_OK) code = recall_scan_run(scan, (struct pt_bytes){0}, count_pack, NULL, err);
    ledger_view_end(ledger, view);
    if (code == PT_OK) code = gather_places(scan, arena, out, err);
    if (code == PT_OK) out->scanned = recall_scan_records(scan);
    recall_scan_free(scan);
    out->seconds = (double)(ledger->env->now(ledger->env->ctx) - begun) / 1000;
    return code;
}

// --- The list ---

struct listing {
    struct pack_reader *reader;
    const struct recall_filter *filter;
    struct recall_list_page *page;
    size_t most;
    struct pt_error *err;
};

static bool wanted(const struct recall_filter *filter, const struct scanned_pack *pack) {
    if (pack->unsure != filter->unsure) return false;
    if (filter->class >= 0 && (int)pack->class != filter->class) return false;
    if (filter->open && pack->progress != SCAN_OPEN && !filter->unsure) return false;
    return !filter->place || (pack->place->place_uri && strcmp(pack->place->place_uri, filter->place) == 0);
}

static enum pt_code list_pack(void *arg, const struct scanned_pack *pack) {
    struct listing *list = arg;
    struct recall_list_page *page = list->page;
    if (!wanted(list->filter, pack)) return PT_OK;
    if (page->count == list->most) {
        page->more = true;
        return PT_NOT_FOUND;
    }
    struct recall_listed *item = &page->items[page->count];
    struct pt_bytes lot;
    uint8_t *key = pt_arena_alloc(list->reader->arena, 1, pack->key.len);
    if (!key) return pt_fail(list->err, PT_NO_MEMORY, NULL, "out of memory");
    memcpy(key, pack->key.data, pack->key.len);
    enum pt_code code = pack_id_from_key(pack->key, &item->id, list->err);
    if (code == PT_OK) code = pack_reader_name(list->reader, pack->record->lot, &lot, list->err);
    if (code != PT_OK) return code;
    item->key = page->next = pt_bytes_of(key, pack->key.len);
    item->class = pack->class;
    item->place = pack->place->place_uri;
    item->party = pack->place->party_uri;
    item->lot = (const char *)lot.data;
    item->event_seconds = pack->event_seconds;
    item->done = pack->progress == SCAN_DONE;
    item->inferred = pack->inferred;
    page->count++;
    return PT_OK;
}

enum pt_code ledger_recall_packs(struct ledger *ledger, const char *id, const struct recall_filter *filter, struct pt_arena *arena,
                                 struct recall_list_page *out, struct pt_error *err) {
    struct recall_scan *scan = NULL;
    struct idle_reader *view;
    struct pack_reader reader = {NULL, ledger->files.statements, arena};
    struct listing list = {.reader = &reader, .filter = filter, .page = out, .err = err};
    list.most = filter->most == 0 || filter->most > LIST_MOST ? LIST_MOST : filter->most;
    *out = (struct recall_list_page){0};
    out->items = pt_arena_alloc(arena, list.most, sizeof *out->items);
    if (!out->items) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    enum pt_code code = ledger_view_begin(ledger, &view, err);
    if (code != PT_OK) return code;
    reader.index = &view->reader;
    code = recall_read(ledger, &view->reader, id, arena, &out->recall, err);
    if (code == PT_OK) code = recall_scan_new(&reader, &out->recall.record, &scan, err);
    if (code == PT_OK) code = recall_scan_run(scan, filter->after, list_pack, &list, err);
    recall_scan_free(scan);
    ledger_view_end(ledger, view);
    return code;
}
