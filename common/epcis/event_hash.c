#include "common/epcis/event_hash.h"

#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/crypto/digest.h"
#include "common/epcis/event_fields.h"
#include "common/epcis/event_hash_sort.h"
#include "common/epcis/event_hash_value.h"

// The pre-hash string is built in one buffer: standard fields in their fixed order, then the remaining elements, each a
// piece of its own, sorted. The order is that of the reference vectors, which differs from the prose of the standard for
// parentID, certificationInfo and the typed references.

enum { PREHASH_CEILING = 256 * 1024 * 1024 };

// A part of `out` that is sorted among its siblings.
struct piece {
    size_t at;
    size_t len;
};

struct hasher {
    struct pt_buf *out;
    const struct epcis_texts *ignored;
    const struct epcis_prefixes *prefixes;
    struct pt_arena arena;  // converted values and working memory of sorts
    struct pt_buf pieces;   // stack of struct piece
    struct pt_buf spare;    // a region of `out` while it is put in order
    bool failed;
};

static void hasher_free(struct hasher *h) {
    pt_arena_free(&h->arena);
    pt_buf_free(&h->pieces);
    pt_buf_free(&h->spare);
}

// --- Pieces ---

static size_t piece_count(const struct hasher *h) { return h->pieces.len / sizeof(struct piece); }

// Declares out[at …] a piece; an empty one is none.
static void end_piece(struct hasher *h, size_t at) {
    if (h->out->len == at) return;
    const struct piece piece = {at, h->out->len - at};
    pt_buf_append(&h->pieces, &piece, sizeof piece);
}

// Puts the pieces from number `first` on, which lie side by side at the end of `out`, in order, and forgets them.
static void sort_pieces(struct hasher *h, size_t first) {
    const size_t count = piece_count(h) - first;
    if (h->out->failed || h->pieces.failed) return;
    if (count >= 2) {
        const struct piece *pieces = (const struct piece *)(const void *)h->pieces.data + first;
        const size_t start = pieces[0].at;
        const size_t len = h->out->len - start;
        pt_buf_clear(&h->spare);
        pt_buf_append(&h->spare, h->out->data + start, len);
        struct pt_bytes *views = pt_arena_alloc(&h->arena, count, sizeof *views);
        if (!views || h->spare.failed) {
            h->failed = true;
            return;
        }
        for (size_t i = 0; i < count; i++) views[i] = pt_bytes_of(h->spare.data + (pieces[i].at - start), pieces[i].len);
        if (!hash_sort(views, count, &h->arena)) h->failed = true;
        h->out->len = start;
        for (size_t i = 0; i < count; i++) pt_buf_append_bytes(h->out, views[i]);
    }
    h->pieces.len = first * sizeof(struct piece);
}

// --- Single fields ---

static void key(struct hasher *h, const char *name) { pt_buf_str(h->out, name); }

static void text_field(struct hasher *h, const char *name, const char *text) {
    const struct pt_bytes trimmed = hash_trimmed(text);
    if (trimmed.len == 0) return;
    key(h, name);
    pt_buf_byte(h->out, '=');
    hash_append_text(h->out, h->prefixes, trimmed);
}

static void word_field(struct hasher *h, const char *name, enum cbv_vocabulary vocabulary, const char *text) {
    const struct pt_bytes trimmed = hash_trimmed(text);
    if (trimmed.len == 0) return;
    key(h, name);
    pt_buf_byte(h->out, '=');
    hash_append_word(h->out, h->prefixes, vocabulary, trimmed);
}

static void time_field(struct hasher *h, const char *name, bool present, const struct pt_instant *instant) {
    if (!present) return;
    key(h, name);
    pt_buf_byte(h->out, '=');
    pt_instant_append_utc_ms(h->out, instant);
}

static void number_field(struct hasher *h, const char *name, const struct epcis_number *number) {
    if (!number->present) return;
    key(h, name);
    pt_buf_byte(h->out, '=');
    hash_append_number(h->out, number);
}

// --- Extensions (rules 19 to 21) ---

static void members(struct hasher *h, const struct epcis_members *list);

static bool is_comment(const struct epcis_member *m) {
    if (strcmp(m->local, "comment") != 0) return false;
    if (!m->prefix) return true;
    return strcmp(m->prefix, "rdfs") == 0 || (m->ns && strcmp(m->ns, "http://www.w3.org/2000/01/rdf-schema#") == 0);
}

static bool is_ignored(const struct hasher *h, const struct epcis_member *m) {
    for (size_t i = 0; h->ignored && i < h->ignored->count; i++) {
        const char *name = h->ignored->items[i];
        const size_t ns_len = m->ns ? strlen(m->ns) : 0;
        if (m->ns && name[0] == '{' && strncmp(name + 1, m->ns, ns_len) == 0 && name[1 + ns_len] == '}' &&
            strcmp(name + ns_len + 2, m->local) == 0)
            return true;
        if (!m->ns && !m->prefix && strcmp(name, m->local) == 0) return true;
    }
    return false;
}

static void member_name(struct hasher *h, const struct epcis_member *m) {
    if (m->ns) {
        pt_buf_byte(h->out, '{');
        key(h, m->ns);
        pt_buf_byte(h->out, '}');
    } else if (m->prefix) {
        key(h, m->prefix);
        pt_buf_byte(h->out, ':');
    }
    key(h, m->local);
}

static void value(struct hasher *h, const struct epcis_value *v) {
    switch (v->kind) {
    case EPCIS_TEXT: text_field(h, "", v->text); return;
    case EPCIS_NUMBER: number_field(h, "", &v->number); return;
    case EPCIS_BOOLEAN: key(h, v->boolean ? "=true" : "=false"); return;
    case EPCIS_NULL: return;
    case EPCIS_OBJECT_VALUE: members(h, &v->members); return;
    case EPCIS_LIST: break;
    }
    const size_t first = piece_count(h);
    for (size_t i = 0; i < v->count; i++) {
        const size_t at = h->out->len;
        value(h, &v->items[i]);
        end_piece(h, at);
    }
    sort_pieces(h, first);
}

// One piece for a member, or one for each item when it is a list. A null is an absent member.
static void member_pieces(struct hasher *h, const struct epcis_member *m) {
    if (is_comment(m) || is_ignored(h, m) || m->value.kind == EPCIS_NULL) return;
    const bool is_list = m->value.kind == EPCIS_LIST;
    const size_t count = is_list ? m->value.count : 1;
    for (size_t i = 0; i < count; i++) {
        const size_t at = h->out->len;
        member_name(h, m);
        value(h, is_list ? &m->value.items[i] : &m->value);
        end_piece(h, at);
    }
}

static void members(struct hasher *h, const struct epcis_members *list) {
    const size_t first = piece_count(h);
    for (size_t i = 0; i < list->count; i++) member_pieces(h, &list->items[i]);
    sort_pieces(h, first);
}

// --- Lists of texts ---

enum { PLAIN_TEXT = -1 };

// The canonical form: a view of the event's own text where that is canonical already.
static struct pt_bytes canonical(struct hasher *h, int vocabulary, const char *text) {
    const struct pt_bytes trimmed = hash_trimmed(text);
    if (trimmed.len == 0 || (vocabulary == PLAIN_TEXT && hash_is_canonical_uri(trimmed))) return trimmed;
    pt_buf_clear(&h->spare);
    if (vocabulary == PLAIN_TEXT) hash_append_text(&h->spare, h->prefixes, trimmed);
    else hash_append_word(&h->spare, h->prefixes, (enum cbv_vocabulary)vocabulary, trimmed);
    const char *copy = pt_arena_strdup(&h->arena, pt_buf_bytes(&h->spare));
    if (!copy || h->spare.failed) h->failed = true;
    return copy ? pt_bytes_of(copy, h->spare.len) : trimmed;
}

// `item`: what stands before each value, its "=" included. `list` may be "" (a repeated field without parent).
static void texts(struct hasher *h, const char *list, const char *item, int vocabulary, const struct epcis_texts *values) {
    if (values->count == 0) return;
    struct pt_bytes *views = pt_arena_alloc(&h->arena, values->count, sizeof *views);
    if (!views) {
        h->failed = true;
        return;
    }
    const size_t item_len = strlen(item);
    size_t count = 0;
    size_t total = 0;
    for (size_t i = 0; i < values->count; i++) {
        views[count] = canonical(h, vocabulary, values->items[i]);
        if (views[count].len == 0) continue;
        total += item_len + views[count++].len;
    }
    if (count == 0) return;
    if (!hash_sort(views, count, &h->arena)) h->failed = true;
    key(h, list);
    uint8_t *to = pt_buf_extend(h->out, total);
    for (size_t i = 0; to && i < count; i++) {
        memcpy(to, item, item_len);
        memcpy(to + item_len, views[i].data, views[i].len);
        to += item_len + views[i].len;
    }
}

static void epcs(struct hasher *h, const char *list, const struct epcis_texts *values) {
    texts(h, list, "epc=", PLAIN_TEXT, values);
}

// --- Lists of structures ---

static void quantities(struct hasher *h, const char *list, const struct epcis_quantities *values) {
    const size_t before = h->out->len;
    key(h, list);
    const size_t start = h->out->len;
    const size_t first = piece_count(h);
    for (size_t i = 0; i < values->count; i++) {
        const size_t at = h->out->len;
        key(h, "quantityElement");
        const size_t inner = h->out->len;
        text_field(h, "epcClass", values->items[i].epc_class);
        number_field(h, "quantity", &values->items[i].quantity);
        text_field(h, "uom", values->items[i].uom);
        if (h->out->len == inner) h->out->len = at;
        end_piece(h, at);
    }
    sort_pieces(h, first);
    if (h->out->len == start) h->out->len = before;
}

// A piece of its own among the remaining elements.
static void references(struct hasher *h, const char *list, const char *item, enum cbv_vocabulary types,
                       const struct epcis_references *values) {
    const size_t before = h->out->len;
    key(h, list);
    const size_t start = h->out->len;
    const size_t first = piece_count(h);
    for (size_t i = 0; i < values->count; i++) {
        const size_t at = h->out->len;
        word_field(h, "type", types, values->items[i].type);
        text_field(h, item, values->items[i].id);
        end_piece(h, at);
    }
    sort_pieces(h, first);
    if (h->out->len == start) h->out->len = before;
    else end_piece(h, before);
}

static void place(struct hasher *h, const char *name, const struct epcis_place *p) {
    const size_t before = h->out->len;
    key(h, name);
    const size_t start = h->out->len;
    text_field(h, "id", p->id);
    members(h, &p->extensions);
    if (h->out->len == start) h->out->len = before;
}

static void persistent_disposition(struct hasher *h, const struct epcis_event *e) {
    const size_t before = h->out->len;
    key(h, "persistentDisposition");
    const size_t start = h->out->len;
    texts(h, "", "set=", CBV_DISPOSITION, &e->disposition_set);
    texts(h, "", "unset=", CBV_DISPOSITION, &e->disposition_unset);
    if (h->out->len == start) h->out->len = before;
}

// --- Sensors ---

static void sensor_metadata(struct hasher *h, const struct epcis_sensor_metadata *m) {
    if (!m->present) return;
    const size_t before = h->out->len;
    key(h, "sensorMetadata");
    const size_t start = h->out->len;
    time_field(h, "time", m->has_time, &m->time);
    time_field(h, "startTime", m->has_start_time, &m->start_time);
    time_field(h, "endTime", m->has_end_time, &m->end_time);
    text_field(h, "deviceID", m->device_id);
    text_field(h, "deviceMetadata", m->device_metadata);
    text_field(h, "rawData", m->raw_data);
    text_field(h, "dataProcessingMethod", m->data_processing_method);
    text_field(h, "bizRules", m->biz_rules);
    members(h, &m->extensions);
    if (h->out->len == start) h->out->len = before;
}

static void sensor_report(struct hasher *h, const struct epcis_sensor_report *r) {
    const size_t before = h->out->len;
    key(h, "sensorReport");
    const size_t start = h->out->len;
    word_field(h, "type", CBV_MEASUREMENT, r->type);
    word_field(h, "exception", CBV_SENSOR_ALERT, r->exception);
    text_field(h, "deviceID", r->device_id);
    text_field(h, "deviceMetadata", r->device_metadata);
    text_field(h, "rawData", r->raw_data);
    text_field(h, "dataProcessingMethod", r->data_processing_method);
    time_field(h, "time", r->has_time, &r->time);
    text_field(h, "microorganism", r->microorganism);
    text_field(h, "chemicalSubstance", r->chemical_substance);
    number_field(h, "value", &r->value);
    word_field(h, "component", CBV_COMPONENT, r->component);
    text_field(h, "stringValue", r->string_value);
    if (r->has_boolean_value) key(h, r->boolean_value ? "booleanValue=true" : "booleanValue=false");
    text_field(h, "hexBinaryValue", r->hex_binary_value);
    text_field(h, "uriValue", r->uri_value);
    number_field(h, "minValue", &r->min_value);
    number_field(h, "maxValue", &r->max_value);
    number_field(h, "meanValue", &r->mean_value);
    number_field(h, "sDev", &r->s_dev);
    number_field(h, "percRank", &r->perc_rank);
    number_field(h, "percValue", &r->perc_value);
    text_field(h, "uom", r->uom);
    text_field(h, "coordinateReferenceSystem", r->coordinate_reference_system);
    members(h, &r->extensions);
    if (h->out->len == start) h->out->len = before;
}

static void sensor_element(struct hasher *h, const struct epcis_sensor_element *s) {
    const size_t before = h->out->len;
    key(h, "sensorElement");
    const size_t start = h->out->len;
    sensor_metadata(h, &s->metadata);
    const size_t first = piece_count(h);
    for (size_t i = 0; i < s->report_count; i++) {
        const size_t at = h->out->len;
        sensor_report(h, &s->reports[i]);
        end_piece(h, at);
    }
    sort_pieces(h, first);
    members(h, &s->extensions);
    if (h->out->len == start) h->out->len = before;
}

static void sensor_elements(struct hasher *h, const struct epcis_event *e) {
    const size_t before = h->out->len;
    key(h, "sensorElementList");
    const size_t start = h->out->len;
    const size_t first = piece_count(h);
    for (size_t i = 0; i < e->sensor_element_count; i++) {
        const size_t at = h->out->len;
        sensor_element(h, &e->sensor_elements[i]);
        end_piece(h, at);
    }
    sort_pieces(h, first);
    if (h->out->len == start) h->out->len = before;
}

// The order has no place for a report's business rules; the reference hashes what it does not know among the remaining
// elements, below its parents' names.
static void sensor_biz_rules(struct hasher *h, const struct epcis_event *e) {
    const size_t before = h->out->len;
    key(h, "sensorElementList");
    const size_t start = h->out->len;
    const size_t outer = piece_count(h);
    for (size_t i = 0; i < e->sensor_element_count; i++) {
        const struct epcis_sensor_element *s = &e->sensor_elements[i];
        const size_t at = h->out->len;
        key(h, "sensorElement");
        const size_t inner_at = h->out->len;
        const size_t inner = piece_count(h);
        for (size_t r = 0; r < s->report_count; r++) {
            const size_t report_at = h->out->len;
            if (hash_trimmed(s->reports[r].biz_rules).len > 0) key(h, "sensorReport");
            text_field(h, "bizRules", s->reports[r].biz_rules);
            end_piece(h, report_at);
        }
        sort_pieces(h, inner);
        if (h->out->len == inner_at) h->out->len = at;
        end_piece(h, at);
    }
    sort_pieces(h, outer);
    if (h->out->len == start) h->out->len = before;
    else end_piece(h, before);
}

// --- The event ---

static void ordered_fields(struct hasher *h, const struct epcis_event *e) {
    const bool has_children = e->type == EPCIS_AGGREGATION || e->type == EPCIS_ASSOCIATION;
    static const struct epcis_texts no_texts;
    static const struct epcis_quantities no_quantities;
    time_field(h, "eventTime", e->has_event_time, &e->event_time);
    if (e->has_event_time_zone_offset) {
        key(h, "eventTimeZoneOffset=");
        pt_offset_append(h->out, e->event_time_zone_offset);
    }
    texts(h, "", "certificationInfo=", PLAIN_TEXT, &e->certification_info);
    text_field(h, "parentID", e->parent_id);
    epcs(h, "epcList", has_children ? &no_texts : &e->epcs);
    epcs(h, "inputEPCList", &e->input_epcs);
    epcs(h, "childEPCs", has_children ? &e->epcs : &no_texts);
    quantities(h, "quantityList", has_children ? &no_quantities : &e->quantities);
    quantities(h, "childQuantityList", has_children ? &e->quantities : &no_quantities);
    quantities(h, "inputQuantityList", &e->input_quantities);
    epcs(h, "outputEPCList", &e->output_epcs);
    quantities(h, "outputQuantityList", &e->output_quantities);
    text_field(h, "action", epcis_action_name(e->action));
    text_field(h, "transformationID", e->transformation_id);
    word_field(h, "bizStep", CBV_BIZ_STEP, e->biz_step);
    word_field(h, "disposition", CBV_DISPOSITION, e->disposition);
    persistent_disposition(h, e);
    place(h, "readPoint", &e->read_point);
    place(h, "bizLocation", &e->biz_location);
    sensor_elements(h, e);
}

static void remaining_elements(struct hasher *h, const struct epcis_event *e) {
    const size_t first = piece_count(h);
    references(h, "bizTransactionList", "bizTransaction", CBV_BIZ_TRANSACTION_TYPE, &e->biz_transactions);
    references(h, "destinationList", "destination", CBV_SOURCE_DEST_TYPE, &e->destinations);
    const size_t before = h->out->len;
    key(h, "ilmd");
    const size_t start = h->out->len;
    members(h, &e->ilmd);
    if (h->out->len == start) h->out->len = before;
    else end_piece(h, before);
    sensor_biz_rules(h, e);
    references(h, "sourceList", "source", CBV_SOURCE_DEST_TYPE, &e->sources);
    for (size_t i = 0; i < e->extensions.count; i++) member_pieces(h, &e->extensions.items[i]);
    sort_pieces(h, first);
}

enum pt_code epcis_event_prehash(const struct epcis_event *event, const struct epcis_texts *ignored,
                                 struct pt_buf *out, struct pt_error *err) {
    const char *type = epcis_event_type_name(event->type);
    if (!type) return pt_fail(err, PT_INVALID, "/type", "not an event type of EPCIS 2.0");
    PT_CLEANUP(hasher_free) struct hasher h = {.out = out,
                                               .ignored = ignored,
                                               .prefixes = &event->prefixes,
                                               .pieces = PT_BUF_INIT(PREHASH_CEILING),
                                               .spare = PT_BUF_INIT(PREHASH_CEILING)};
    key(&h, "eventType=");
    key(&h, type);
    ordered_fields(&h, event);
    remaining_elements(&h, event);
    if (h.failed || h.pieces.failed) return pt_fail(err, PT_NO_MEMORY, NULL, "no memory for the event's hash");
    return pt_buf_check(out, err);
}

enum pt_code epcis_event_digest(const struct epcis_event *event, const struct epcis_texts *ignored,
                                struct pt_digest *out, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf prehash = PT_BUF_INIT(PREHASH_CEILING);
    const enum pt_code code = epcis_event_prehash(event, ignored, &prehash, err);
    if (code == PT_OK) *out = sha256(pt_buf_bytes(&prehash));
    return code;
}

enum pt_code epcis_event_hash(const struct epcis_event *event, const struct epcis_texts *ignored,
                              char out[EPCIS_EVENT_HASH_SIZE], struct pt_error *err) {
    static const char head[] = "ni:///sha-256;";
    static const char tail[] = "?ver=CBV2.0";
    struct pt_digest digest;
    const enum pt_code code = epcis_event_digest(event, ignored, &digest, err);
    if (code != PT_OK) return code;
    memcpy(out, head, sizeof head - 1);
    pt_digest_hex(&digest, out + sizeof head - 1);
    memcpy(out + sizeof head - 1 + 64, tail, sizeof tail);
    return PT_OK;
}
