#include "ledger/contracts/master_facts.h"

#include <string.h>

#include "common/base/cleanup.h"
#include "common/cose/cbor.h"

#define VERSIONS_MOST 16u  // of one thing; the oldest goes
#define VALUE_MAX ((size_t)256 * 1024)
#define TERRITORIES_MOST 300u

// Every version begins so; what follows depends on the kind.
struct version_head {
    pt_millis valid_from;
    uint64_t version;
    bool withdrawn;
};

static enum pt_code no_memory(struct pt_error *err) { return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory"); }

static enum pt_code facts_key(struct pt_arena *arena, enum master_kind kind, const char *identifier, struct pt_bytes *out,
                              struct pt_error *err) {
    const size_t len = strlen(identifier);
    uint8_t *key = pt_arena_alloc(arena, 1, len + 1);
    if (!key) return no_memory(err);
    key[0] = (uint8_t)kind;
    memcpy(key + 1, identifier, len);
    *out = pt_bytes_of(key, len + 1);
    return PT_OK;
}

const char *master_facts_product_of(const struct pack_id *id) {
    return id->kind == PACK_SGTIN || id->kind == PACK_CN_TRACE ? id->product : NULL;
}

static void declare(struct access_list *out, enum master_kind kind, const char *identifier, unsigned mode) {
    struct pt_bytes key;
    if (facts_key(out->arena, kind, identifier, &key, NULL) == PT_OK) access_declare(out, STATE_FACTS, mode, key);
    else out->failed = true;
}

void master_facts_declare(enum master_kind kind, const char *identifier, struct access_list *out) {
    declare(out, kind, identifier, ACCESS_READ);
}

// --- Reading ---

static struct version_head read_head(struct cbor_reader *reader) {
    struct version_head head;
    head.valid_from = cbor_get_int(reader);
    head.version = cbor_get_uint(reader);
    head.withdrawn = cbor_get_bool(reader);
    return head;
}

// A reader at the fields behind the head of the version in force; *found false if there is none.
static enum pt_code in_force(struct state_view *view, struct pt_arena *arena, enum master_kind kind, const char *identifier,
                             pt_millis at, struct cbor_reader *out, bool *found, bool *withdrawn, struct pt_error *err) {
    struct pt_bytes key;
    struct pt_bytes value;
    enum pt_code code = facts_key(arena, kind, identifier, &key, err);
    if (code == PT_OK) code = state_get(view, STATE_FACTS, key, &value, found, err);
    if (code != PT_OK || !*found) return code;
    struct cbor_reader reader = cbor_reader_of(value, true, err);
    const uint64_t count = cbor_get_array(&reader, VERSIONS_MOST);
    *found = false;
    for (uint64_t i = 0; i < count && !cbor_failed(&reader); i++) {
        struct cbor_reader version = cbor_reader_of(cbor_skip(&reader), true, err);
        cbor_get_array(&version, 64);
        const struct version_head head = read_head(&version);
        if (cbor_failed(&version)) return version.code;
        if (i > 0 && head.valid_from > at) break;
        *found = true;
        *withdrawn = head.withdrawn;
        *out = version;
    }
    return reader.code;
}

static const char *read_text(struct cbor_reader *reader, struct pt_arena *arena) {
    const struct pt_bytes text = cbor_get_text(reader);
    char *copy = pt_arena_alloc(arena, 1, text.len + 1);
    if (!copy) {
        if (reader->code == PT_OK) reader->code = no_memory(reader->err);
        return "";
    }
    if (text.len > 0) memcpy(copy, text.data, text.len);
    return copy;
}

static int64_t read_optional(struct cbor_reader *reader, bool *present) {
    *present = !cbor_get_null_if(reader);
    return *present ? cbor_get_int(reader) : 0;
}

enum pt_code master_facts_product(struct state_view *view, struct pt_arena *arena, const char *identifier, pt_millis at,
                                  struct product_facts *out, bool *found, struct pt_error *err) {
    struct cbor_reader reader;
    *out = (struct product_facts){.id = "", .insurance_code = "", .holder = "", .manufacturer = ""};
    const enum pt_code code = in_force(view, arena, MASTER_PRODUCT, identifier, at, &reader, found, &out->withdrawn, err);
    if (code != PT_OK || !*found) return code;
    out->id = read_text(&reader, arena);
    out->insurance_code = read_text(&reader, arena);
    out->holder = read_text(&reader, arena);
    out->manufacturer = read_text(&reader, arena);
    out->level = cbor_get_uint(&reader);
    out->units = cbor_get_uint(&reader);
    out->temperature_min = read_optional(&reader, &out->has_temperature_min);
    out->temperature_max = read_optional(&reader, &out->has_temperature_max);
    out->split_exempt = cbor_get_bool(&reader);
    out->prescription_only = cbor_get_bool(&reader);
    out->territory_count = (size_t)cbor_get_array(&reader, TERRITORIES_MOST);
    if (cbor_failed(&reader) || out->territory_count == 0) return cbor_finish(&reader);
    out->territories = pt_arena_alloc(arena, out->territory_count, sizeof(char *));
    if (!out->territories) return no_memory(err);
    for (size_t i = 0; i < out->territory_count; i++) out->territories[i] = read_text(&reader, arena);
    return cbor_finish(&reader);
}

enum pt_code master_facts_place(struct state_view *view, struct pt_arena *arena, const char *id, pt_millis at,
                                struct place_facts *out, bool *found, struct pt_error *err) {
    struct cbor_reader reader;
    bool has_longitude, withdrawn = false;
    *out = (struct place_facts){.party = "", .territory = "", .profile = ""};
    const enum pt_code code = in_force(view, arena, MASTER_PLACE, id, at, &reader, found, &withdrawn, err);
    *found = *found && !withdrawn;
    if (code != PT_OK || !*found) return code;
    out->party = read_text(&reader, arena);
    out->territory = read_text(&reader, arena);
    out->profile = read_text(&reader, arena);
    out->latitude = read_optional(&reader, &out->located);
    out->longitude = read_optional(&reader, &has_longitude);
    return cbor_finish(&reader);
}

enum pt_code master_facts_party(struct state_view *view, struct pt_arena *arena, const char *id, pt_millis at,
                                struct party_facts *out, bool *found, struct pt_error *err) {
    struct cbor_reader reader;
    bool withdrawn = false;
    *out = (struct party_facts){.territory = ""};
    const enum pt_code code = in_force(view, arena, MASTER_PARTY, id, at, &reader, found, &withdrawn, err);
    *found = *found && !withdrawn;
    if (code != PT_OK || !*found) return code;
    out->roles = (uint32_t)cbor_get_uint(&reader);
    out->territory = read_text(&reader, arena);
    return cbor_finish(&reader);
}

// --- Writing ---

static const char *or_empty(const char *text) { return text ? text : ""; }

static void put_optional(struct pt_buf *out, const struct master_integer *number) {
    if (number->present) cbor_put_int(out, number->value);
    else cbor_put_null(out);
}

static void put_product(const struct master_product *product, const char *identifier, struct pt_buf *out) {
    const struct master_level *level = master_level_of(product, identifier);
    cbor_put_text(out, or_empty(product->id));
    cbor_put_text(out, or_empty(product->insurance_code));
    cbor_put_text(out, or_empty(product->holder));
    cbor_put_text(out, or_empty(product->manufacturer));
    cbor_put_uint(out, level ? level->level : 0);
    cbor_put_uint(out, level ? level->units : 0);
    put_optional(out, &product->temperature_min);
    put_optional(out, &product->temperature_max);
    cbor_put_bool(out, product->split_exempt);
    cbor_put_bool(out, product->prescription_only);
    cbor_put_array(out, product->territories.count);
    for (size_t i = 0; i < product->territories.count; i++) cbor_put_text(out, product->territories.items[i]);
}

static void put_version(const struct master_record *record, const char *identifier, struct pt_buf *out) {
    static const uint64_t fields[] = {[MASTER_PRODUCT] = 11, [MASTER_PARTY] = 2, [MASTER_PLACE] = 5};
    cbor_put_array(out, 3 + fields[record->kind]);
    cbor_put_int(out, record->valid_from);
    cbor_put_uint(out, record->version);
    cbor_put_bool(out, record->withdrawn);
    if (record->kind == MASTER_PRODUCT) {
        put_product(&record->product, identifier, out);
    } else if (record->kind == MASTER_PARTY) {
        cbor_put_uint(out, record->party.roles);
        cbor_put_text(out, or_empty(record->party.territory));
    } else {
        cbor_put_text(out, or_empty(record->place.party));
        cbor_put_text(out, or_empty(record->place.territory));
        cbor_put_text(out, or_empty(record->place.profile));
        put_optional(out, &record->place.latitude);
        put_optional(out, &record->place.longitude);
    }
}

static bool before(const struct version_head *a, const struct master_record *b) {
    return a->valid_from < b->valid_from || (a->valid_from == b->valid_from && a->version <= b->version);
}

// The versions with the record's own at its place; of one valid-from only the greatest version stays.
static enum pt_code merge(struct pt_bytes present, const struct master_record *record, const char *identifier, struct pt_buf *out,
                          struct pt_error *err) {
    struct pt_bytes kept[VERSIONS_MOST + 1];
    size_t count = 0, place = 0;
    PT_CLEANUP(pt_buf_free) struct pt_buf own = PT_BUF_INIT(VALUE_MAX);
    put_version(record, identifier, &own);
    struct cbor_reader reader = cbor_reader_of(present, true, err);
    const uint64_t versions = present.len > 0 ? cbor_get_array(&reader, VERSIONS_MOST) : 0;
    for (uint64_t i = 0; i < versions; i++) {
        const struct pt_bytes bytes = cbor_skip(&reader);
        struct cbor_reader version = cbor_reader_of(bytes, true, err);
        cbor_get_array(&version, 64);
        const struct version_head head = read_head(&version);
        if (cbor_failed(&version)) return version.code;
        if (head.valid_from == record->valid_from && head.version > record->version) return pt_buf_append_bytes(out, present), PT_OK;
        if (head.valid_from == record->valid_from) continue;
        kept[count++] = bytes;
        if (before(&head, record)) place = count;
    }
    if (cbor_failed(&reader)) return reader.code;
    memmove(&kept[place + 1], &kept[place], (count - place) * sizeof kept[0]);
    kept[place] = pt_buf_bytes(&own);
    count++;
    const size_t first = count > VERSIONS_MOST ? count - VERSIONS_MOST : 0;
    cbor_put_array(out, count - first);
    for (size_t i = first; i < count; i++) pt_buf_append_bytes(out, kept[i]);
    const enum pt_code code = pt_buf_check(&own, err);
    return code == PT_OK ? pt_buf_check(out, err) : code;
}

struct writing {
    const struct master_record *record;
    struct access_list *declared;
    struct state_view *view;
    struct pt_arena *arena;
};

static enum pt_code declare_one(void *arg, const char *identifier, struct pt_error *err) {
    const struct writing *writing = arg;
    (void)err;
    declare(writing->declared, writing->record->kind, identifier, ACCESS_READ | ACCESS_WRITE);
    return PT_OK;
}

void master_facts_declare_record(const struct master_record *record, struct access_list *out) {
    struct writing writing = {.record = record, .declared = out};
    if (master_each_identifier(record, declare_one, &writing, NULL) != PT_OK) out->failed = true;
}

static enum pt_code write_one(void *arg, const char *identifier, struct pt_error *err) {
    const struct writing *writing = arg;
    PT_CLEANUP(pt_buf_free) struct pt_buf value = PT_BUF_INIT(VALUE_MAX);
    struct pt_bytes key;
    struct pt_bytes present;
    bool found;
    enum pt_code code = facts_key(writing->arena, writing->record->kind, identifier, &key, err);
    if (code == PT_OK) code = state_get(writing->view, STATE_FACTS, key, &present, &found, err);
    if (code == PT_OK) code = merge(present, writing->record, identifier, &value, err);
    return code == PT_OK ? state_put(writing->view, STATE_FACTS, key, pt_buf_bytes(&value), err) : code;
}

enum pt_code master_facts_write(struct state_view *view, struct pt_arena *arena, const struct master_record *record,
                                struct pt_error *err) {
    struct writing writing = {.record = record, .view = view, .arena = arena};
    return master_each_identifier(record, write_one, &writing, err);
}
