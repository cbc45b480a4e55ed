#include "gateway/settlement/derive.h"

#include <stdio.h>
#include <string.h>

#include "common/epcis/packtrail_terms.h"
#include "common/identify/percent.h"
#include "gateway/settlement/template.h"
#include "gateway/settlement/trace_xml.h"

#define CLASS_STEM "https://id.gs1.org/01/"
enum { SALE_TOKEN_MAX = 128, GTIN_DIGITS = 14 };

struct gathering {
    const struct mapping *mapping;
    const struct epcis_event *event;
    const struct fact_lookup *lookup;
    unsigned codes;  // kinds that the platform takes
    struct pt_arena *arena;
    struct facts *facts;
    struct pt_error *err;
};

static enum pt_code no_memory(struct gathering *g) { return pt_fail(g->err, PT_NO_MEMORY, NULL, "out of memory"); }

const char *derive_sale_token(const struct epcis_event *event, struct pt_arena *arena) {
    const size_t stem = strlen(PACKTRAIL_SALE_URI);
    for (size_t i = 0; i < event->biz_transactions.count; i++) {
        const struct epcis_reference *item = &event->biz_transactions.items[i];
        char token[SALE_TOKEN_MAX + 1];
        size_t len;
        if (!item->type || strcmp(item->type, PACKTRAIL_TRANSACTION_SALE) != 0) continue;
        if (strncmp(item->id, PACKTRAIL_SALE_URI, stem) != 0) return NULL;
        if (percent_decode(pt_bytes_str(item->id + stem), token, SALE_TOKEN_MAX, &len, NULL) != PT_OK || len == 0) return NULL;
        return pt_arena_strdup(arena, pt_bytes_of(token, len));
    }
    return NULL;
}

static enum pt_code read_units(struct gathering *g) {
    for (size_t i = 0; i < g->event->extensions.count; i++) {
        const struct epcis_member *item = &g->event->extensions.items[i];
        if (!item->ns || strcmp(item->ns, PACKTRAIL_TERMS_NAMESPACE) != 0 || strcmp(item->local, PACKTRAIL_TERM_UNITS) != 0) continue;
        if (item->value.kind != EPCIS_NUMBER || !item->value.number.is_integer || item->value.number.integer <= 0)
            return pt_fail(g->err, PT_INVALID, "/packtrail:units", "must be a positive whole number");
        g->facts->units = (uint64_t)item->value.number.integer;
    }
    return PT_OK;
}

// The kind of code, and its text as a platform writes it; 0: none that a platform could take (a pallet, an asset).
static unsigned code_of(const struct pack_id *id, struct pt_arena *arena, const char **out) {
    switch (id->kind) {
    case PACK_CN_TRACE: *out = pt_arena_printf(arena, "%s%s", id->product, id->serial); return CODES_CN_TRACE;
    case PACK_CN_COMPANY: *out = id->serial; return CODES_CN_COMPANY;
    case PACK_SGTIN: *out = pt_arena_printf(arena, "01%s21%s", id->product, id->serial); return CODES_GS1;
    default: return 0;
    }
}

static bool names_product(const struct pack_id *id) { return id->kind == PACK_SGTIN || id->kind == PACK_CN_TRACE; }

static struct fact_line *find_line(struct facts *facts, const struct master_product *product, const char *identifier) {
    for (size_t i = 0; i < facts->count; i++) {
        struct fact_line *line = &facts->lines[i];
        // Small and middle packs of one product bear different identifiers.
        if (product && line->product && strcmp(product->id, line->product->id) == 0) return line;
        if (!product && !line->product && identifier && line->identifier && strcmp(identifier, line->identifier) == 0) return line;
        if (!product && !line->product && !identifier && !line->identifier) return line;
    }
    return NULL;
}

// The line of the sale's record for a code or, where no line names the code, for the product.
static const json_t *record_for(const json_t *sale, const char *code, const char *identifier, const struct master_product *product) {
    const json_t *lines = json_object_get(sale, "lines"), *by_product = NULL;
    for (size_t i = 0; i < json_array_size(lines); i++) {
        const json_t *line = json_array_get(lines, i), *codes = json_object_get(line, "codes");
        for (size_t n = 0; code && n < json_array_size(codes); n++) {
            const char *named = json_string_value(json_array_get(codes, n));
            if (named && strcmp(named, code) == 0) return line;
        }
        const char *named = json_string_value(json_object_get(line, "product"));
        if (named && !by_product && ((identifier && strcmp(named, identifier) == 0) || (product && strcmp(named, product->id) == 0)))
            by_product = line;
    }
    return by_product;
}

static enum pt_code line_for(struct gathering *g, const char *identifier, struct fact_line **out) {
    const pt_millis at = pt_instant_millis(&g->event->event_time);
    const struct master_product *product = identifier ? g->lookup->product(g->lookup->ctx, identifier, at) : NULL;
    *out = find_line(g->facts, product, identifier);
    if (*out) return PT_OK;
    struct fact_line *line = &g->facts->lines[g->facts->count++];
    line->identifier = identifier ? pt_arena_strdup(g->arena, pt_bytes_str(identifier)) : NULL;
    line->product = product;
    line->packs = pt_arena_alloc(g->arena, g->event->epcs.count + 1, sizeof *line->packs);
    if (!line->packs || (identifier && !line->identifier)) return no_memory(g);
    *out = line;
    return PT_OK;
}

static enum pt_code add_pack(struct gathering *g, const char *uri) {
    struct pack_id *id = pt_arena_alloc(g->arena, 1, sizeof *id);
    if (!id) return no_memory(g);
    enum pt_code code = pack_id_from_uri(pt_bytes_str(uri), id, g->err);
    if (code != PT_OK) return code;
    const char *text = NULL;
    const unsigned kind = code_of(id, g->arena, &text);
    if (!(kind & g->codes)) return PT_OK;
    if (!text) return no_memory(g);
    struct fact_line *line;
    code = line_for(g, names_product(id) ? id->product : NULL, &line);
    if (code != PT_OK) return code;
    struct fact_pack *pack = &line->packs[line->count++];
    *pack = (struct fact_pack){.uri = uri, .id = *id, .code = text};
    if (line->product) pack->level = master_level_of(line->product, id->product);
    if (!g->lookup->pack(g->lookup->ctx, uri, &pack->lot, &pack->expiry)) pack->lot = pack->expiry = NULL;
    pack->record = record_for(g->facts->sale, text, line->identifier, line->product);
    if (!line->record) line->record = pack->record;
    return PT_OK;
}

static bool may_be_uncoded(const struct mapping *mapping, const struct master_product *product) {
    for (size_t i = 0; product && product->insurance_code && i < json_array_size(mapping->uncoded); i++)
        if (strcmp(json_string_value(json_array_get(mapping->uncoded, i)), product->insurance_code) == 0) return true;
    return false;
}

// A quantity without codes: lawful only for products on the list of those that bear none (no code, no settlement).
static enum pt_code add_uncoded(struct gathering *g, const struct epcis_quantity *quantity) {
    char gtin[GTIN_DIGITS + 1];
    const size_t stem = strlen(CLASS_STEM);
    if (strncmp(quantity->epc_class, CLASS_STEM, stem) != 0 || strspn(quantity->epc_class + stem, "0123456789") != GTIN_DIGITS)
        return pt_fail(g->err, PT_INVALID, "/quantityList", "%.100s is no product that could be settled without a code", quantity->epc_class);
    memcpy(gtin, quantity->epc_class + stem, GTIN_DIGITS);
    gtin[GTIN_DIGITS] = 0;
    struct fact_line *line;
    const enum pt_code code = line_for(g, gtin, &line);
    if (code != PT_OK) return code;
    // A product that is not known yet may turn out to be on the list: its record is waited for.
    if (!line->product) return PT_OK;
    if (!may_be_uncoded(g->mapping, line->product))
        return pt_fail(g->err, PT_INVALID, "/quantityList", "no code, no settlement: %s is not on the list of uncoded products", gtin);
    if (!quantity->quantity.present || !quantity->quantity.is_integer || quantity->quantity.integer <= 0)
        return pt_fail(g->err, PT_INVALID, "/quantityList", "a whole number of units is needed");
    line->uncoded += (uint64_t)quantity->quantity.integer;
    line->record = record_for(g->facts->sale, NULL, line->identifier, line->product);
    return PT_OK;
}

enum pt_code derive_facts(const struct mapping *mapping, const struct epcis_event *event, const struct derive_request *request,
                          const struct fact_lookup *lookup, struct pt_arena *arena, struct facts *out, struct pt_error *err) {
    *out = (struct facts){
        .event = event,
        .document = request->document,
        .kind = request->kind,
        .serial = request->serial,
        .original = request->original,
        .statement = request->statement,
        .undo = request->undo,
        .site = mapping->site,
        .sale_token = derive_sale_token(event, arena),
    };
    struct gathering g = {mapping, event, lookup, mapping->platforms[request->platform].codes, arena, out, err};
    const bool uncoded = request->platform == PLATFORM_INSURER;
    out->lines = pt_arena_alloc(arena, event->epcs.count + event->quantities.count + 1, sizeof *out->lines);
    if (!out->lines) return no_memory(&g);
    if (out->sale_token) out->sale = lookup->sale(lookup->ctx, out->sale_token);
    enum pt_code code = read_units(&g);
    for (size_t i = 0; i < event->epcs.count && code == PT_OK; i++) code = add_pack(&g, event->epcs.items[i]);
    for (size_t i = 0; uncoded && i < event->quantities.count && code == PT_OK; i++) code = add_uncoded(&g, &event->quantities.items[i]);
    if (code == PT_OK && out->count == 0)
        code = pt_fail(err, PT_NOT_FOUND, NULL, "no pack of the event bears a code that the %s platform takes", platform_name(request->platform));
    return code;
}

// --- Documents ---

static enum pt_code fill_attributes(const json_t *template, const struct facts *facts, const struct fact_line *line,
                                    const struct fact_pack *pack, json_t **out, struct lacks *lacks, struct pt_error *err) {
    const char *name;
    json_t *spec;
    *out = json_object();
    enum pt_code code = *out ? PT_OK : pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    json_object_foreach((json_t *)template, name, spec) {
        json_t *value = NULL;
        if (code == PT_OK) code = source_value(facts, line, pack, json_string_value(spec), &value, lacks, err);
        if (value && json_object_set_new(*out, name, value) != 0) code = pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    }
    return code;
}

static enum pt_code fill_data(const struct mapping *mapping, const struct facts *facts, json_t *list, struct lacks *lacks,
                              struct pt_error *err) {
    for (size_t l = 0; l < facts->count; l++)
        for (size_t p = 0; p < facts->lines[l].count; p++) {
            json_t *attributes = NULL;
            const enum pt_code code =
                fill_attributes(mapping->xml_data, facts, &facts->lines[l], &facts->lines[l].packs[p], &attributes, lacks, err);
            if (code != PT_OK) {
                json_decref(attributes);
                return code;
            }
            if (json_array_append_new(list, attributes) != 0) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
        }
    return PT_OK;
}

static enum pt_code write_trace(const struct mapping *mapping, const struct facts *facts, struct pt_buf *out, struct lacks *lacks,
                                struct pt_error *err) {
    PT_JSON json_t *document = NULL;
    PT_JSON json_t *data = json_array();
    PT_JSON json_t *event = json_object();
    const json_t *names = json_object_get(mapping->documents, facts->kind);
    if (!data || !event) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    json_object_set_new(event, "Name", json_string(json_string_value(json_object_get(names, "Name"))));
    json_object_set_new(event, "MainAction", json_string(json_string_value(json_object_get(names, "MainAction"))));
    enum pt_code code = fill_attributes(mapping->xml_document, facts, NULL, NULL, &document, lacks, err);
    if (code == PT_OK) code = fill_data(mapping, facts, data, lacks, err);
    return code == PT_OK ? trace_xml_write(document, event, data, out, err) : code;
}

static enum pt_code write_lines(const struct mapping *mapping, const struct facts *facts, struct pt_buf *out, struct lacks *lacks,
                                struct pt_error *err) {
    PT_JSON json_t *body = NULL;
    // An uncoded product whose record is not here cannot be judged yet.
    for (size_t i = 0; i < facts->count; i++)
        if (facts->lines[i].count == 0 && !facts->lines[i].product) {
            lacks_add(lacks, "product", facts->lines[i].identifier);
            return pt_fail(err, PT_UNAVAILABLE, NULL, "waiting for the master record of %s", facts->lines[i].identifier);
        }
    const json_t *interface = json_object_get(mapping->interfaces, facts->kind);
    const enum pt_code code = template_fill(mapping->envelope, interface, facts, &body, lacks, err);
    return code == PT_OK ? pt_json_append(out, body, err) : code;
}

enum pt_code derive_document(const struct mapping *mapping, const struct derive_request *request, const struct facts *facts,
                             struct pt_buf *out, struct lacks *lacks, struct pt_error *err) {
    *lacks = (struct lacks){{0}};
    return request->platform == PLATFORM_TRACE ? write_trace(mapping, facts, out, lacks, err)
                                               : write_lines(mapping, facts, out, lacks, err);
}

enum pt_code derive_question(const struct mapping *mapping, enum platform platform, const char *serial, const char *kind,
                             struct pt_buf *out, struct pt_error *err) {
    PT_JSON json_t *body = NULL;
    static const struct epcis_event no_event;
    struct lacks lacks = {{0}};
    const struct facts facts = {.event = &no_event, .serial = serial, .kind = kind, .site = mapping->site};
    const enum pt_code code = template_fill(mapping->platforms[platform].ask_body, NULL, &facts, &body, &lacks, err);
    return code == PT_OK ? pt_json_append(out, body, err) : code;
}
