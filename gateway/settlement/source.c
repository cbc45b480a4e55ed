#include "gateway/settlement/source.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct place {
    const struct facts *facts;
    const struct fact_line *line;
    const struct fact_pack *pack;
};

// Writes the value's text; false: not known.
typedef bool source_reader(const struct place *at, struct pt_buf *out);

static bool text(struct pt_buf *out, const char *value) {
    if (!value || !value[0]) return false;
    pt_buf_str(out, value);
    return true;
}

static bool number(struct pt_buf *out, uint64_t value) {
    pt_buf_printf(out, "%" PRIu64, value);
    return true;
}

static bool document_serial(const struct place *at, struct pt_buf *out) { return text(out, at->facts->serial); }
static bool document_original(const struct place *at, struct pt_buf *out) { return text(out, at->facts->original); }
static bool document_kind(const struct place *at, struct pt_buf *out) { return text(out, at->facts->kind); }
static bool document_number(const struct place *at, struct pt_buf *out) {
    return text(out, at->facts->document.number ? at->facts->document.number : at->facts->serial);
}

static void append_local(struct pt_buf *out, const struct epcis_event *event, bool with_time) {
    const int64_t local = event->event_time.seconds + (int64_t)event->event_time_zone_offset * 60;
    const int64_t days = local >= 0 ? local / 86400 : -((86399 - local) / 86400);
    const int64_t seconds = local - days * 86400;
    int64_t year;
    unsigned month, day;
    pt_civil_from_days(days, &year, &month, &day);
    pt_buf_printf(out, "%04" PRId64 "-%02u-%02u", year, month, day);
    if (with_time)
        pt_buf_printf(out, " %02d:%02d:%02d", (int)(seconds / 3600), (int)(seconds / 60 % 60), (int)(seconds % 60));
}

static bool event_time(const struct place *at, struct pt_buf *out) {
    append_local(out, at->facts->event, true);
    return true;
}
static bool event_date(const struct place *at, struct pt_buf *out) {
    append_local(out, at->facts->event, false);
    return true;
}
static bool event_place(const struct place *at, struct pt_buf *out) {
    const struct epcis_event *event = at->facts->event;
    return text(out, event->biz_location.id ? event->biz_location.id : event->read_point.id);
}
static bool event_statement(const struct place *at, struct pt_buf *out) { return text(out, at->facts->statement); }
static bool sale_token(const struct place *at, struct pt_buf *out) { return text(out, at->facts->sale_token); }

#define PRODUCT(name, expression)                                     \
    static bool product_##name(const struct place *at, struct pt_buf *out) { \
        const struct master_product *product = at->line->product;     \
        return product && text(out, expression);                      \
    }
PRODUCT(id, product->id)
PRODUCT(name, product->name.zh ? product->name.zh : product->name.en)
PRODUCT(name_en, product->name.en)
PRODUCT(insurance_code, product->insurance_code)
PRODUCT(approval_number, product->approval_number)
PRODUCT(form, product->form.zh ? product->form.zh : product->form.en)
PRODUCT(strength, product->strength)
PRODUCT(unit, product->smallest_unit.zh ? product->smallest_unit.zh : product->smallest_unit.en)
PRODUCT(prescription, product->prescription_only ? "1" : "0")
PRODUCT(split_exempt, product->split_exempt ? "1" : "0")

static bool product_identifier(const struct place *at, struct pt_buf *out) { return text(out, at->line->identifier); }

// Smallest units of one pack: what was handed out of it, or all that it holds.
static bool pack_quantity(const struct facts *facts, const struct fact_pack *pack, uint64_t *out) {
    if (!facts->units && !pack->level) return false;
    *out = facts->units ? facts->units : pack->level->units;
    return true;
}

static bool quantity_units(const struct place *at, struct pt_buf *out) {
    uint64_t sum = at->line->uncoded;
    for (size_t i = 0; i < at->line->count; i++) {
        uint64_t units;
        if (!pack_quantity(at->facts, &at->line->packs[i], &units) || __builtin_add_overflow(sum, units, &sum)) return false;
    }
    return number(out, sum);
}
static bool quantity_packs(const struct place *at, struct pt_buf *out) { return number(out, at->line->count); }
static bool quantity_split(const struct place *at, struct pt_buf *out) { return text(out, at->facts->units ? "1" : "0"); }
static bool quantity_line(const struct place *at, struct pt_buf *out) {
    return number(out, (uint64_t)(at->line - at->facts->lines) + 1);
}

static bool pack_code(const struct place *at, struct pt_buf *out) { return text(out, at->pack->code); }
static bool pack_uri(const struct place *at, struct pt_buf *out) { return text(out, at->pack->uri); }
static bool pack_lot(const struct place *at, struct pt_buf *out) { return text(out, at->pack->lot); }
static bool pack_expiry(const struct place *at, struct pt_buf *out) { return text(out, at->pack->expiry); }
static bool pack_level(const struct place *at, struct pt_buf *out) { return at->pack->level && number(out, at->pack->level->level); }
static bool pack_units(const struct place *at, struct pt_buf *out) {
    uint64_t units;
    return pack_quantity(at->facts, at->pack, &units) && number(out, units);
}

// A line's lot is that of its packs where they share one.
static bool line_of_packs(const struct place *at, struct pt_buf *out, bool expiry) {
    const char *shared = NULL;
    for (size_t i = 0; i < at->line->count; i++) {
        const char *own = expiry ? at->line->packs[i].expiry : at->line->packs[i].lot;
        if (!own || (shared && strcmp(shared, own) != 0)) return false;
        shared = own;
    }
    return text(out, shared);
}
static bool packs_lot(const struct place *at, struct pt_buf *out) { return line_of_packs(at, out, false); }
static bool packs_expiry(const struct place *at, struct pt_buf *out) { return line_of_packs(at, out, true); }

// Who could still tell a value that is not known.
enum origin { ORIGIN_EVENT, ORIGIN_PRODUCT, ORIGIN_PACK };

static const struct source {
    const char *name;
    enum scope scope;
    enum origin origin;
    source_reader *read;
} sources[] = {
    {"document.serial", SCOPE_DOCUMENT, ORIGIN_EVENT, document_serial},
    {"document.original", SCOPE_DOCUMENT, ORIGIN_EVENT, document_original},
    {"document.kind", SCOPE_DOCUMENT, ORIGIN_EVENT, document_kind},
    {"document.number", SCOPE_DOCUMENT, ORIGIN_EVENT, document_number},
    {"event.time", SCOPE_DOCUMENT, ORIGIN_EVENT, event_time},
    {"event.date", SCOPE_DOCUMENT, ORIGIN_EVENT, event_date},
    {"event.place", SCOPE_DOCUMENT, ORIGIN_EVENT, event_place},
    {"event.statement", SCOPE_DOCUMENT, ORIGIN_EVENT, event_statement},
    {"event.sale", SCOPE_DOCUMENT, ORIGIN_EVENT, sale_token},
    {"product.id", SCOPE_LINE, ORIGIN_PRODUCT, product_id},
    {"product.identifier", SCOPE_LINE, ORIGIN_EVENT, product_identifier},
    {"product.name", SCOPE_LINE, ORIGIN_PRODUCT, product_name},
    {"product.name_en", SCOPE_LINE, ORIGIN_PRODUCT, product_name_en},
    {"product.insurance_code", SCOPE_LINE, ORIGIN_PRODUCT, product_insurance_code},
    {"product.approval_number", SCOPE_LINE, ORIGIN_PRODUCT, product_approval_number},
    {"product.form", SCOPE_LINE, ORIGIN_PRODUCT, product_form},
    {"product.strength", SCOPE_LINE, ORIGIN_PRODUCT, product_strength},
    {"product.unit", SCOPE_LINE, ORIGIN_PRODUCT, product_unit},
    {"product.prescription", SCOPE_LINE, ORIGIN_PRODUCT, product_prescription},
    {"product.split_exempt", SCOPE_LINE, ORIGIN_PRODUCT, product_split_exempt},
    {"quantity.units", SCOPE_LINE, ORIGIN_PRODUCT, quantity_units},
    {"quantity.packs", SCOPE_LINE, ORIGIN_EVENT, quantity_packs},
    {"quantity.split", SCOPE_LINE, ORIGIN_EVENT, quantity_split},
    {"quantity.line", SCOPE_LINE, ORIGIN_EVENT, quantity_line},
    {"packs.lot", SCOPE_LINE, ORIGIN_PACK, packs_lot},
    {"packs.expiry", SCOPE_LINE, ORIGIN_PACK, packs_expiry},
    {"pack.code", SCOPE_PACK, ORIGIN_EVENT, pack_code},
    {"pack.uri", SCOPE_PACK, ORIGIN_EVENT, pack_uri},
    {"pack.lot", SCOPE_PACK, ORIGIN_PACK, pack_lot},
    {"pack.expiry", SCOPE_PACK, ORIGIN_PACK, pack_expiry},
    {"pack.level", SCOPE_PACK, ORIGIN_PRODUCT, pack_level},
    {"pack.units", SCOPE_PACK, ORIGIN_PRODUCT, pack_units},
};

static const struct source *find(struct pt_bytes name) {
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
        if (pt_bytes_equal(name, pt_bytes_str(sources[i].name))) return &sources[i];
    return NULL;
}

// Names of the pharmacy's own records: any, below one of three roots.
enum free_root { FREE_NONE, FREE_SITE, FREE_SALE, FREE_LINE };

static enum free_root free_root_of(struct pt_bytes name, struct pt_bytes *rest) {
    static const struct {
        const char *stem;
        enum free_root root;
    } stems[] = {{"site.", FREE_SITE}, {"sale.", FREE_SALE}, {"line.", FREE_LINE}};
    for (size_t i = 0; i < 3; i++) {
        const size_t len = strlen(stems[i].stem);
        if (name.len <= len || memcmp(name.data, stems[i].stem, len) != 0) continue;
        *rest = pt_bytes_of(name.data + len, name.len - len);
        return stems[i].root;
    }
    return FREE_NONE;
}

// A specification, taken apart.
struct spec {
    struct pt_bytes names;  // separated by '|'
    bool optional, numeric;
};

static struct spec split(const char *spec) {
    struct spec out = {.names = pt_bytes_str(spec)};
    while (out.names.len > 0) {
        const uint8_t last = out.names.data[out.names.len - 1];
        if (last == '?') out.optional = true;
        else if (last == '#') out.numeric = true;
        else break;
        out.names.len--;
    }
    return out;
}

static bool next_name(struct pt_bytes *names, struct pt_bytes *out) {
    if (!names->data) return false;
    const uint8_t *bar = names->len ? memchr(names->data, '|', names->len) : NULL;
    out->data = names->data;
    out->len = bar ? (size_t)(bar - names->data) : names->len;
    *names = bar ? pt_bytes_of(bar + 1, names->len - out->len - 1) : (struct pt_bytes){0};
    return true;
}

enum pt_code source_check(const char *spec, enum scope scope, struct pt_error *err) {
    if (spec[0] == '=') return PT_OK;
    if (strlen(spec) >= SOURCE_MAX) return pt_fail(err, PT_INVALID, NULL, "a source of more than %u bytes", SOURCE_MAX - 1);
    struct spec parts = split(spec);
    struct pt_bytes name, rest;
    if (parts.names.len == 0) return pt_fail(err, PT_INVALID, NULL, "names no source (a constant is written \"=text\")");
    while (next_name(&parts.names, &name)) {
        const enum free_root root = free_root_of(name, &rest);
        const struct source *source = find(name);
        if (root == FREE_NONE && !source)
            return pt_fail(err, PT_INVALID, NULL, "there is no source \"%.*s\" (a constant is written \"=text\")", (int)name.len,
                           (const char *)name.data);
        const enum scope least = source ? source->scope : root == FREE_LINE ? SCOPE_LINE : SCOPE_DOCUMENT;
        if (least > scope)
            return pt_fail(err, PT_INVALID, NULL, "\"%.*s\" belongs to one %s: it stands in a list whose item has \"*\": \"%s\"",
                           (int)name.len, (const char *)name.data, least == SCOPE_PACK ? "pack" : "line",
                           least == SCOPE_PACK ? "pack" : "line");
    }
    return PT_OK;
}

// A member of the pharmacy's records: a text, or a number as it would be written.
static bool free_text(const json_t *object, struct pt_bytes name, struct pt_buf *out) {
    char key[SOURCE_MAX];
    snprintf(key, sizeof key, "%.*s", (int)name.len, (const char *)name.data);
    const json_t *value = json_object_get(object, key);
    if (json_is_string(value)) return text(out, json_string_value(value));
    if (json_is_boolean(value)) return text(out, json_is_true(value) ? "1" : "0");
    return json_is_number(value) && pt_json_append(out, value, NULL) == PT_OK;
}

static bool read_free(const struct place *at, enum free_root root, struct pt_bytes name, struct pt_buf *out) {
    if (root == FREE_SITE) return free_text(at->facts->site, name, out);
    if (root == FREE_SALE) return free_text(json_object_get(at->facts->sale, "fields"), name, out);
    return (at->pack && free_text(at->pack->record, name, out)) || (at->line && free_text(at->line->record, name, out));
}

bool lacks_next(const struct lacks *lacks, size_t *at, char out[LACK_MAX]) {
    const size_t len = strcspn(lacks->keys + *at, "\n");
    if (len == 0 || len >= LACK_MAX) return false;
    memcpy(out, lacks->keys + *at, len);
    out[len] = 0;
    *at += len + (lacks->keys[*at + len] == '\n');
    return true;
}

void lacks_add(struct lacks *lacks, const char *kind, const char *which) {
    char key[LACK_MAX], known[LACK_MAX];
    snprintf(key, sizeof key, "%s/%.300s", kind, which);
    for (size_t at = 0; lacks_next(lacks, &at, known);)
        if (strcmp(known, key) == 0) return;
    // What does not fit is left out: the report is tried again when one of the others arrives.
    const size_t used = strlen(lacks->keys);
    if (used + strlen(key) + 2 > sizeof lacks->keys) return;
    snprintf(lacks->keys + used, sizeof lacks->keys - used, "%s%s", used ? "\n" : "", key);
}

// What has to arrive for the name to be known; false: nothing could tell it.
static bool note_lack(const struct place *at, struct pt_bytes name, struct lacks *lacks) {
    struct pt_bytes rest;
    const enum free_root root = free_root_of(name, &rest);
    if (root == FREE_SALE || root == FREE_LINE) {
        if (!at->facts->sale_token) return false;
        lacks_add(lacks, "sale", at->facts->sale_token);
        return true;
    }
    const struct source *source = find(name);
    if (!source || source->origin == ORIGIN_EVENT) return false;
    if (source->origin == ORIGIN_PRODUCT) {
        if (!at->line->identifier) return false;
        lacks_add(lacks, "product", at->line->identifier);
        return true;
    }
    const struct fact_pack *pack = at->pack ? at->pack : at->line->count ? &at->line->packs[0] : NULL;
    for (size_t i = 0; !at->pack && i < at->line->count; i++)
        if (!at->line->packs[i].lot || !at->line->packs[i].expiry) pack = &at->line->packs[i];
    if (!pack || (pack->lot && pack->expiry)) return false;
    lacks_add(lacks, "pack", pack->uri);
    return true;
}

static enum pt_code as_json(const struct pt_buf *value, bool numeric, const char *spec, json_t **out, struct pt_error *err) {
    if (numeric) {
        const enum pt_code code = pt_json_parse(pt_buf_bytes(value), SOURCE_MAX * 4, out, err);
        if (code == PT_OK && json_is_number(*out)) return PT_OK;
        if (code == PT_OK) json_decref(*out);
        *out = NULL;
        return pt_fail(err, PT_INVALID, NULL, "%s: \"%.60s\" is no number", spec, (const char *)value->data);
    }
    *out = json_stringn((const char *)value->data, value->len);
    return *out ? PT_OK : pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
}

enum pt_code source_value(const struct facts *facts, const struct fact_line *line, const struct fact_pack *pack, const char *spec,
                          json_t **out, struct lacks *lacks, struct pt_error *err) {
    *out = NULL;
    if (spec[0] == '=') {
        *out = json_string(spec + 1);
        return *out ? PT_OK : pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    }
    const struct place at = {facts, line, pack};
    const struct spec parts = split(spec);
    struct pt_bytes names = parts.names, name, rest;
    struct pt_buf value = PT_BUF_INIT((size_t)64 * 1024);
    bool known = false;
    while (!known && next_name(&names, &name)) {
        const enum free_root root = free_root_of(name, &rest);
        const struct source *source = find(name);
        pt_buf_clear(&value);
        known = root != FREE_NONE ? read_free(&at, root, rest, &value) : source && source->read(&at, &value);
    }
    enum pt_code code = PT_OK;
    if (known) {
        pt_buf_cstr(&value);
        code = pt_buf_check(&value, err);
        if (code == PT_OK) code = as_json(&value, parts.numeric, spec, out, err);
    } else if (!parts.optional) {
        bool may_come = false;
        for (names = parts.names; next_name(&names, &name);) may_come = note_lack(&at, name, lacks) || may_come;
        code = may_come ? pt_fail(err, PT_UNAVAILABLE, NULL, "%s is not known yet", spec)
                        : pt_fail(err, PT_INVALID, NULL, "%s is not known, and nothing will tell it", spec);
    }
    pt_buf_free(&value);
    return code;
}
