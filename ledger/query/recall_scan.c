#include "ledger/query/recall_scan.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/identify/cn_trace.h"
#include "ledger/contracts/lifecycle.h"
#include "ledger/contracts/master_facts.h"

#define CONTAINERS_MOST ((size_t)1 << 20)  // kept; then forgotten and read again

// A container's own way outwards, read once for all that lies in it.
struct known_container {
    uint64_t name;  // 0: free
    bool found, cut, emptied;
    uint64_t filling;
    size_t count;
    struct pack_record *records;  // from the container outwards
};

struct recall_scan {
    struct pack_reader *reader;
    const struct recall_record *recall;
    uint64_t *lots;      // names of the notice's lots, sorted
    size_t lot_count;
    struct known_container *containers;
    size_t container_count, container_cap;
    struct scan_place **places;
    size_t place_count, place_cap;
    size_t *place_index;  // hash: 1 + index
    size_t place_index_cap;
    struct hierarchy around;
    uint64_t records;
    // of the run under way
    const struct recall_range *range;  // NULL: every serial, judged by the whole scope
    bool any_serial, stopped;
    enum pt_code (*each)(void *arg, const struct scanned_pack *pack);
    void *arg;
    struct pt_error *err;
};

static enum pt_code no_memory(struct pt_error *err) { return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory"); }

static uint64_t mix(uint64_t value) {
    value *= 0x9e3779b97f4a7c15u;
    return value ^ value >> 29;
}

// --- Lots: names of the texts ---

static int by_number(const void *a, const void *b) {
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static enum pt_code read_lots(struct recall_scan *scan, struct pt_error *err) {
    const struct recall_scope *scope = &scan->recall->scope.scope;
    scan->lots = calloc(scope->lot_count + 1, sizeof *scan->lots);
    if (!scan->lots) return no_memory(err);
    for (size_t i = 0; i < scope->lot_count; i++) {
        uint64_t name;
        const enum pt_code code = pack_reader_number(scan->reader, NAME_LOT, pt_bytes_str(scope->lots[i]), &name, err);
        if (code != PT_OK) return code;
        if (name) scan->lots[scan->lot_count++] = name;  // a lot that nobody ever announced has no name
    }
    qsort(scan->lots, scan->lot_count, sizeof *scan->lots, by_number);
    return PT_OK;
}

static bool lot_agrees(const struct recall_scan *scan, uint64_t lot, bool *unsure) {
    if (scan->recall->scope.scope.lot_count == 0) return true;
    if (lot == 0) return *unsure = true;
    return bsearch(&lot, scan->lots, scan->lot_count, sizeof lot, by_number) != NULL;
}

// --- Places ---

static void take_territory(struct scan_place *place, const char *territory) {
    if (territory && strlen(territory) < sizeof place->territory) memcpy(place->territory, territory, strlen(territory) + 1);
}

static enum pt_code describe_place(struct recall_scan *scan, struct scan_place *place, struct pt_error *err) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct pack_reader masters = *scan->reader;
    struct pt_bytes text;
    struct master_record record;
    bool found;
    masters.arena = &arena;
    enum pt_code code = pack_reader_name(scan->reader, place->place, &text, err);
    place->place_uri = (const char *)text.data;
    if (code == PT_OK) code = pack_reader_name(scan->reader, place->party, &text, err);
    place->party_uri = (const char *)text.data;
    if (code == PT_OK && place->party_uri) {
        code = pack_reader_master(&masters, MASTER_PARTY, place->party_uri, INT64_MAX, &record, &found, err);
        if (code == PT_OK && found) {
            const uint32_t retail = 1u << MASTER_PHARMACY | 1u << MASTER_HOSPITAL;
            const uint32_t above = 1u << MASTER_DISTRIBUTOR | 1u << MASTER_MANUFACTURER | 1u << MASTER_HOLDER;
            place->retail = (record.party.roles & retail) && !(record.party.roles & above);
            take_territory(place, record.party.territory);
        }
    }
    if (code == PT_OK && place->place_uri) {
        code = pack_reader_master(&masters, MASTER_PLACE, place->place_uri, INT64_MAX, &record, &found, err);
        if (code == PT_OK && found) take_territory(place, record.place.territory);
    }
    return code;
}

static size_t place_slot(const struct recall_scan *scan, uint64_t place, uint64_t party) {
    size_t at = mix(place * 31 + party) & (scan->place_index_cap - 1);
    while (scan->place_index[at]) {
        const struct scan_place *known = scan->places[scan->place_index[at] - 1];
        if (known->place == place && known->party == party) return at;
        at = (at + 1) & (scan->place_index_cap - 1);
    }
    return at;
}

static enum pt_code grow_places(struct recall_scan *scan, struct pt_error *err) {
    const size_t cap = scan->place_cap ? scan->place_cap * 2 : 256;
    struct scan_place **places = realloc(scan->places, cap * sizeof(struct scan_place *));
    if (!places) return no_memory(err);
    scan->places = places;
    scan->place_cap = cap;
    free(scan->place_index);
    scan->place_index_cap = cap * 4;
    scan->place_index = calloc(scan->place_index_cap, sizeof *scan->place_index);
    if (!scan->place_index) return no_memory(err);
    for (size_t i = 0; i < scan->place_count; i++) scan->place_index[place_slot(scan, places[i]->place, places[i]->party)] = i + 1;
    return PT_OK;
}

static enum pt_code place_of(struct recall_scan *scan, uint64_t place, uint64_t party, struct scan_place **out, struct pt_error *err) {
    enum pt_code code = scan->place_count == scan->place_cap ? grow_places(scan, err) : PT_OK;
    if (code != PT_OK) return code;
    const size_t slot = place_slot(scan, place, party);
    if (!scan->place_index[slot]) {
        struct scan_place *added = pt_arena_alloc(scan->reader->arena, 1, sizeof *added);
        if (!added) return no_memory(err);
        added->place = place;
        added->party = party;
        code = describe_place(scan, added, err);
        if (code != PT_OK) return code;
        scan->places[scan->place_count++] = added;
        scan->place_index[slot] = scan->place_count;
    }
    *out = scan->places[scan->place_index[slot] - 1];
    return PT_OK;
}

// --- Containers ---

static void forget_containers(struct recall_scan *scan) {
    for (size_t i = 0; i < scan->container_cap; i++) free(scan->containers[i].records);
    free(scan->containers);
    scan->containers = NULL;
    scan->container_count = scan->container_cap = 0;
}

static struct known_container *container_slot(const struct recall_scan *scan, uint64_t name) {
    size_t at = mix(name) & (scan->container_cap - 1);
    while (scan->containers[at].name && scan->containers[at].name != name) at = (at + 1) & (scan->container_cap - 1);
    return &scan->containers[at];
}

static enum pt_code grow_containers(struct recall_scan *scan, struct pt_error *err) {
    if (scan->container_cap > 0 && scan->container_count * 2 < scan->container_cap) return PT_OK;
    if (scan->container_count >= CONTAINERS_MOST) forget_containers(scan);
    struct recall_scan grown = {.container_cap = scan->container_cap ? scan->container_cap * 2 : 1024};
    grown.containers = calloc(grown.container_cap, sizeof *grown.containers);
    if (!grown.containers) return no_memory(err);
    for (size_t i = 0; i < scan->container_cap; i++)
        if (scan->containers[i].name) *container_slot(&grown, scan->containers[i].name) = scan->containers[i];
    free(scan->containers);
    scan->containers = grown.containers;
    scan->container_cap = grown.container_cap;
    return PT_OK;
}

static enum pt_code read_container(struct recall_scan *scan, uint64_t name, struct known_container *out, struct pt_error *err) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct pack_reader reader = *scan->reader;
    struct hierarchy *outer = malloc(sizeof *outer);
    struct pt_bytes key;
    reader.arena = &arena;
    if (!outer) return no_memory(err);
    enum pt_code code = pack_reader_name(&reader, name, &key, err);
    if (code == PT_OK) code = pack_reader_around(&reader, key, outer, err);
    if (code == PT_OK) {
        *out = (struct known_container){.name = name, .found = outer->count > 0, .cut = outer->cut, .emptied = outer->emptied,
                                        .filling = outer->levels[0].record.filling, .count = outer->count};
        out->records = malloc((outer->count + 1) * sizeof *out->records);
        if (!out->records) code = no_memory(err);
        for (size_t i = 0; out->records && i < outer->count; i++) out->records[i] = outer->levels[i].record;
        if (code != PT_OK) *out = (struct known_container){0};
    }
    free(outer);
    return code;
}

// What hierarchy_read would say of the pack, with its containers from memory.
static enum pt_code lay_around(struct recall_scan *scan, const struct pack_record *own, struct pt_error *err) {
    struct hierarchy *around = &scan->around;
    around->levels[0].record = *own;
    around->count = 1;
    around->cut = around->emptied = false;
    if (own->parent == 0) return PT_OK;
    enum pt_code code = grow_containers(scan, err);
    if (code != PT_OK) return code;
    struct known_container *known = container_slot(scan, own->parent);
    if (!known->name) {
        code = read_container(scan, own->parent, known, err);
        if (code != PT_OK) return code;
        scan->container_count++;
    }
    if (!known->found || known->filling != own->parent_filling) {
        around->emptied = true;
        return PT_OK;
    }
    const size_t room = HIERARCHY_MAX;
    around->cut = known->cut || known->count > room;
    around->emptied = known->emptied;
    for (size_t i = 0; i < known->count && i < room; i++) around->levels[around->count++].record = known->records[i];
    return PT_OK;
}

// --- Judging a pack ---

static enum recall_class class_of(const struct effective *effective, const struct pack_record *own) {
    switch (effective->state) {
    case LIFECYCLE_COMMISSIONED:
    case LIFECYCLE_IN_STOCK: return RECALL_IN_STOCK;
    case LIFECYCLE_IN_TRANSIT: return RECALL_IN_TRANSIT;
    case LIFECYCLE_PART_DISPENSED: return RECALL_PART_DISPENSED;
    case LIFECYCLE_DISPENSED: return RECALL_DISPENSED;
    case LIFECYCLE_RETURNED: return RECALL_RETURNED;
    case LIFECYCLE_QUARANTINED: return own->flags & PACK_FLAG_NO_DATA ? RECALL_UNKNOWN : RECALL_QUARANTINED;
    case LIFECYCLE_UNKNOWN: return RECALL_UNKNOWN;
    case LIFECYCLE_DECOMMISSIONED:
    case LIFECYCLE_DESTROYED: return RECALL_DESTROYED;
    case LIFECYCLE_EXPORTED:
    case LIFECYCLE_STOLEN:
    case LIFECYCLE_CHECKED_OUT:
    case LIFECYCLE_FREE_SAMPLE:
    case LIFECYCLE_SAMPLE: return RECALL_ELSEWHERE;
    case LIFECYCLE_RECALLED:
    case LIFECYCLE_LOCKED:
    case LIFECYCLE_WITHDRAWN: break;
    }
    return RECALL_QUARANTINED;  // kept out of trade
}

// Records keep whole seconds: what happened within the second of the beginning counts as after it.
static bool is_since(const struct recall_scan *scan, const struct scanned_pack *pack) {
    return pack->event_seconds >= scan->recall->since / 1000;
}

static void set_progress(const struct recall_scan *scan, struct scanned_pack *pack) {
    const enum recall_depth depth = scan->recall->scope.depth;
    const bool since = is_since(scan, pack);
    switch (pack->class) {
    case RECALL_SENT_BACK:
    case RECALL_RETURNED:
    case RECALL_QUARANTINED:
    case RECALL_DESTROYED: pack->progress = since ? SCAN_DONE : SCAN_BEFORE; return;
    case RECALL_ELSEWHERE: pack->progress = SCAN_LOST; return;
    case RECALL_DISPENSED: pack->progress = depth == RECALL_CONSUMER ? SCAN_OPEN : SCAN_BEYOND; return;
    default: pack->progress = depth == RECALL_WHOLESALE && pack->place->retail ? SCAN_BEYOND : SCAN_OPEN; return;
    }
}

// Where it is and what became of it, through its containers.
static enum pt_code place_pack(struct recall_scan *scan, const struct pack_record *own, struct scanned_pack *pack, struct pt_error *err) {
    unsigned operation = own->operation;
    enum pt_code code = lay_around(scan, own, err);
    if (code != PT_OK) return code;
    const struct effective effective = hierarchy_effective(&scan->around);
    pack->inferred = effective.inferred;
    pack->event_seconds = own->event_seconds;
    pack->class = class_of(&effective, own);
    for (size_t i = 1; i < scan->around.count; i++) {
        const struct pack_record *outer = &scan->around.levels[i].record;
        if (outer->event_seconds <= pack->event_seconds) continue;
        pack->event_seconds = outer->event_seconds;
        operation = outer->operation;
    }
    code = place_of(scan, effective.place, effective.party, &pack->place, err);
    const bool moved = pack->class == RECALL_IN_TRANSIT || pack->class == RECALL_IN_STOCK;
    const bool back = operation == OPERATION_SEND_BACK || operation == OPERATION_TAKE_BACK;
    if (moved && back && is_since(scan, pack)) pack->class = RECALL_SENT_BACK;
    return code;
}

static enum pt_code judge(struct recall_scan *scan, struct pt_bytes key, const struct pack_record *own) {
    const struct recall_scope *scope = &scan->recall->scope.scope;
    struct scanned_pack pack = {.key = key, .record = own};
    enum pt_code code = place_pack(scan, own, &pack, scan->err);
    if (code != PT_OK) return code;
    if (scope->territory_count > 0) {
        const struct recall_scope territories = {.territories = scope->territories, .territory_count = scope->territory_count};
        const struct recall_question question = {.serial = "", .territory = pack.place->territory};
        unsigned doubt;
        if (!recall_scope_covers(&territories, &question, &doubt)) return PT_OK;
        pack.unsure = doubt != 0;
    }
    bool unsure_lot = false;
    lot_agrees(scan, own->lot, &unsure_lot);
    pack.unsure = pack.unsure || unsure_lot;
    set_progress(scan, &pack);
    code = scan->each(scan->arg, &pack);
    if (code == PT_NOT_FOUND) scan->stopped = true;
    return code;
}

static enum pt_code look_at(void *arg, struct pt_bytes key, struct pt_bytes value) {
    struct recall_scan *scan = arg;
    struct pack_record own;
    bool unsure = false;
    scan->records++;
    enum pt_code code = pack_record_decode(value, &own, scan->err);
    if (code != PT_OK) return code;
    if (!lot_agrees(scan, own.lot, &unsure)) return PT_OK;
    if (scan->range || !scan->any_serial) {
        struct pack_id id;
        code = pack_id_from_key(key, &id, scan->err);
        if (code != PT_OK) return code;
        struct recall_range range = scan->range ? *scan->range : (struct recall_range){0};
        const struct recall_scope one = {.ranges = &range, .range_count = 1};
        if (!recall_serial_in(scan->range ? &one : &scan->recall->scope.scope, id.serial)) return PT_OK;
    }
    return judge(scan, key, &own);
}

// --- Ranges of keys ---

static struct pack_id pack_of(const char *product, const char *serial) {
    struct pack_id id = {.kind = strlen(product) == CN_DRUG_DIGITS ? PACK_CN_TRACE : PACK_SGTIN};
    memcpy(id.product, product, strlen(product) + 1);
    if (strlen(serial) <= PACK_SERIAL_MAX) memcpy(id.serial, serial, strlen(serial) + 1);
    return id;
}

// The keys of all packs of a product.
static enum pt_code product_bounds(const char *product, struct pt_buf *from, struct pt_buf *to, struct pt_error *err) {
    const bool trace = strlen(product) == CN_DRUG_DIGITS;
    const struct pack_id id = pack_of(product, trace ? "0000000000000" : "0");
    const enum pt_code code = pack_id_key(&id, from, err);
    if (code != PT_OK) return code;
    if (!trace) from->len--;
    pt_buf_append_bytes(to, pt_buf_bytes(from));
    if (trace) to->len -= 6;
    pt_buf_byte(to, 0xff);
    return pt_buf_check(to, err);
}

// Serial numbers of one length lie together, in their order.
static bool range_bounds(const char *product, const struct recall_range *range, struct pt_buf *from, struct pt_buf *to) {
    if (strlen(range->from) != strlen(range->to)) return false;
    const struct pack_id first = pack_of(product, range->from), last = pack_of(product, range->to);
    if (pack_id_key(&first, from, NULL) != PT_OK || pack_id_key(&last, to, NULL) != PT_OK) return false;
    pt_buf_byte(to, 0);
    return !to->failed;
}

static enum pt_code run_between(struct recall_scan *scan, struct pt_bytes from, struct pt_bytes to, struct pt_bytes after) {
    PT_CLEANUP(pt_buf_free) struct pt_buf begin = PT_BUF_INIT(PACK_KEY_MAX + 8);
    pt_buf_append_bytes(&begin, from);
    if (after.len > 0 && pt_bytes_compare(after, from) >= 0) {
        pt_buf_clear(&begin);
        pt_buf_append_bytes(&begin, after);
        pt_buf_byte(&begin, 0);
    }
    if (pt_bytes_compare(pt_buf_bytes(&begin), to) >= 0) return PT_OK;
    return scan->reader->index->range(scan->reader->index, STATE_PACK, pt_buf_bytes(&begin), to, false, look_at, scan, scan->err);
}

static bool by_ranges(const struct recall_scope *scope, const char *product) {
    PT_CLEANUP(pt_buf_free) struct pt_buf from = PT_BUF_INIT(PACK_KEY_MAX + 8);
    PT_CLEANUP(pt_buf_free) struct pt_buf to = PT_BUF_INIT(PACK_KEY_MAX + 8);
    for (size_t i = 0; i < scope->range_count; i++) {
        pt_buf_clear(&from);
        pt_buf_clear(&to);
        if (!range_bounds(product, &scope->ranges[i], &from, &to)) return false;
        // Ranges of different lengths may lie across each other in the index.
        if (i > 0 && strlen(scope->ranges[i].from) != strlen(scope->ranges[0].from)) return false;
    }
    return scope->range_count > 0;
}

static enum pt_code run_product(struct recall_scan *scan, const char *product, struct pt_bytes after) {
    const struct recall_scope *scope = &scan->recall->scope.scope;
    PT_CLEANUP(pt_buf_free) struct pt_buf from = PT_BUF_INIT(PACK_KEY_MAX + 8);
    PT_CLEANUP(pt_buf_free) struct pt_buf to = PT_BUF_INIT(PACK_KEY_MAX + 8);
    scan->range = NULL;
    scan->any_serial = scope->range_count == 0;
    if (!by_ranges(scope, product)) {
        const enum pt_code code = product_bounds(product, &from, &to, scan->err);
        return code == PT_OK ? run_between(scan, pt_buf_bytes(&from), pt_buf_bytes(&to), after) : code;
    }
    enum pt_code code = PT_OK;
    for (size_t i = 0; code == PT_OK && !scan->stopped && i < scope->range_count; i++) {
        pt_buf_clear(&from);
        pt_buf_clear(&to);
        scan->range = &scope->ranges[i];
        if (range_bounds(product, scan->range, &from, &to)) code = run_between(scan, pt_buf_bytes(&from), pt_buf_bytes(&to), after);
    }
    return code;
}

// Trace codes are of a later kind than GTINs, though their products' digits may sort before.
enum pt_code recall_scan_run(struct recall_scan *scan, struct pt_bytes after,
                             enum pt_code (*each)(void *arg, const struct scanned_pack *pack), void *arg, struct pt_error *err) {
    const struct recall_notice *notice = &scan->recall->scope;
    enum pt_code code = PT_OK;
    scan->each = each;
    scan->arg = arg;
    scan->err = err;
    scan->stopped = false;
    for (unsigned trace = 0; trace < 2; trace++)
        for (size_t i = 0; code == PT_OK && !scan->stopped && i < notice->product_count; i++)
            if ((strlen(notice->products[i]) == CN_DRUG_DIGITS) == trace) code = run_product(scan, notice->products[i], after);
    return code;
}

enum pt_code recall_scan_new(struct pack_reader *reader, const struct recall_record *recall, struct recall_scan **out,
                             struct pt_error *err) {
    struct recall_scan *scan = calloc(1, sizeof *scan);
    if (!scan) return no_memory(err);
    scan->reader = reader;
    scan->recall = recall;
    const enum pt_code code = read_lots(scan, err);
    if (code != PT_OK) {
        recall_scan_free(scan);
        return code;
    }
    *out = scan;
    return PT_OK;
}

void recall_scan_free(struct recall_scan *scan) {
    if (!scan) return;
    forget_containers(scan);
    free(scan->lots);
    free(scan->places);
    free(scan->place_index);
    free(scan);
}

uint64_t recall_scan_records(const struct recall_scan *scan) { return scan->records; }
size_t recall_scan_places(const struct recall_scan *scan) { return scan->place_count; }
struct scan_place *recall_scan_place(struct recall_scan *scan, size_t index) { return scan->places[index]; }
