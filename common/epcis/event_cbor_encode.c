#include "common/epcis/event_cbor.h"

#include <math.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/epcis/event_cbor_epcs.h"
#include "common/epcis/event_cbor_fields.h"
#include "common/epcis/event_cbor_words.h"

static const int64_t least_second = -62167219200;  // 0000-01-01T00:00:00Z
static const int64_t most_second = 253402300799;   // 9999-12-31T23:59:59Z

struct encoder {
    struct event_writer writer;
    int16_t zone;  // the event's time zone offset: instants written in it say no offset
    struct namespace_name {
        const char *ns, *prefix;
    } namespaces[EVENT_NAMESPACES_MAX];
    uint64_t namespace_count;
};

static void put_map(struct encoder *e, const struct event_map *map, const void *base);

static const void *member_of(const void *base, size_t at) { return (const char *)base + at; }

static bool flag_of(const void *base, size_t at) { return *(const bool *)member_of(base, at); }

static void fail(struct encoder *e, enum pt_code code, const char *what) { event_writer_fail(&e->writer, code, what); }

// --- Leaves ---

static void put_instant(struct encoder *e, const struct pt_instant *t) {
    struct pt_buf *out = e->writer.out;
    if (t->seconds < least_second || t->seconds > most_second || t->nanos > 999999999 || t->offset_minutes < -840 ||
        t->offset_minutes > 840) {
        fail(e, PT_INVALID, "a time before the year 0 or after 9999, or with an offset beyond 14:00");
        return;
    }
    if (t->nanos % 1000000 != 0) {
        cbor_put_array(out, 3);
        cbor_put_int(out, t->seconds);
        cbor_put_uint(out, t->nanos);
        cbor_put_int(out, t->offset_minutes);
        return;
    }
    if (t->offset_minutes != e->zone) cbor_put_array(out, 2);
    cbor_put_int(out, t->seconds * 1000 + t->nanos / 1000000);
    if (t->offset_minutes != e->zone) cbor_put_int(out, t->offset_minutes);
}

static void put_offset(struct encoder *e, int16_t minutes) {
    if (minutes < -840 || minutes > 840) fail(e, PT_INVALID, "a time zone offset beyond 14:00");
    e->zone = minutes;
    cbor_put_int(e->writer.out, minutes);
}

static void put_number(struct encoder *e, const struct epcis_number *number) {
    if (number->is_integer) cbor_put_int(e->writer.out, number->integer);
    else if (isfinite(number->real)) cbor_put_double(e->writer.out, number->real);
    else fail(e, PT_INVALID, "a number that is not finite");
}

// --- Extensions ---

static bool same_text(const char *a, const char *b) { return a == b || (a && b && strcmp(a, b) == 0); }

static void put_namespace_of(struct encoder *e, const struct epcis_member *m) {
    uint64_t i = 0;
    if (m->ns || m->prefix) {
        while (i < e->namespace_count &&
               !(same_text(e->namespaces[i].ns, m->ns) && same_text(e->namespaces[i].prefix, m->prefix)))
            i++;
        if (i == EVENT_NAMESPACES_MAX) {
            fail(e, PT_LIMIT, "more than 256 namespaces");
            return;
        }
        if (i == e->namespace_count) e->namespaces[e->namespace_count++] = (struct namespace_name){m->ns, m->prefix};
        i++;
    }
    cbor_put_uint(e->writer.out, i);
}

static void put_members(struct encoder *e, const struct epcis_members *members, unsigned depth);

static void put_value(struct encoder *e, const struct epcis_value *v, unsigned depth) {
    struct pt_buf *out = e->writer.out;
    switch (v->kind) {
    case EPCIS_TEXT: event_put_text(&e->writer, v->text); return;
    case EPCIS_NUMBER: put_number(e, &v->number); return;
    case EPCIS_BOOLEAN: cbor_put_bool(out, v->boolean); return;
    case EPCIS_NULL: cbor_put_null(out); return;
    case EPCIS_OBJECT_VALUE:
        cbor_put_map(out, 1);
        cbor_put_uint(out, 0);
        put_members(e, &v->members, depth + 1);
        return;
    case EPCIS_LIST: break;
    }
    if (depth >= EVENT_DEPTH_MAX || v->count > EVENT_LIST_MAX) {
        fail(e, PT_LIMIT, "extensions nested deeper than 32 levels, or more than 10000 in a list");
        return;
    }
    cbor_put_array(out, v->count);
    for (size_t i = 0; i < v->count && e->writer.code == PT_OK; i++) put_value(e, &v->items[i], depth + 1);
}

static void put_members(struct encoder *e, const struct epcis_members *members, unsigned depth) {
    if (depth > EVENT_DEPTH_MAX || members->count > EVENT_LIST_MAX) {
        fail(e, PT_LIMIT, "extensions nested deeper than 32 levels, or more than 10000 in a list");
        return;
    }
    cbor_put_array(e->writer.out, 3 * members->count);
    for (size_t i = 0; i < members->count && e->writer.code == PT_OK; i++) {
        put_namespace_of(e, &members->items[i]);
        event_put_text(&e->writer, members->items[i].local);
        put_value(e, &members->items[i].value, depth);
    }
}

// --- Lists ---

static bool begin_list(struct encoder *e, size_t count) {
    if (count > EVENT_LIST_MAX) fail(e, PT_LIMIT, "a list of more than 10000");
    else cbor_put_array(e->writer.out, count);
    return count <= EVENT_LIST_MAX;
}

static void put_maps(struct encoder *e, const struct event_map *map, const void *items, size_t count, size_t size) {
    if (!begin_list(e, count)) return;
    for (size_t i = 0; i < count && e->writer.code == PT_OK; i++) put_map(e, map, (const char *)items + i * size);
}

static void put_texts(struct encoder *e, const struct event_field *field, const struct epcis_texts *texts) {
    if (!begin_list(e, texts->count)) return;
    for (size_t i = 0; i < texts->count; i++) {
        if (field->kind == CBOR_FIELD_WORDS) event_put_word(&e->writer, field->vocabulary, texts->items[i]);
        else event_put_uri(&e->writer, texts->items[i]);
    }
}

static void put_prefixes(struct encoder *e, const struct epcis_prefixes *prefixes) {
    if (!begin_list(e, prefixes->count)) return;
    for (size_t i = 0; i < prefixes->count; i++) {
        cbor_put_array(e->writer.out, 2);
        event_put_text(&e->writer, prefixes->items[i].prefix);
        event_put_text(&e->writer, prefixes->items[i].ns);
    }
}

static void put_place(struct encoder *e, const struct epcis_place *place) {
    if (place->extensions.count > 0) put_map(e, &event_map_place, place);
    else event_put_uri(&e->writer, place->id);
}

// --- Maps ---

static bool is_present(const struct event_field *f, const void *base) {
    const void *member = member_of(base, f->at);
    switch (f->kind) {
    case CBOR_FIELD_EVENT_TYPE: return true;
    case CBOR_FIELD_ACTION: return *(const enum epcis_action *)member != EPCIS_ACTION_NONE;
    case CBOR_FIELD_OFFSET:
    case CBOR_FIELD_INSTANT:
    case CBOR_FIELD_BOOL: return f->flag == 0 || flag_of(base, f->flag);
    case CBOR_FIELD_TEXT:
    case CBOR_FIELD_URI:
    case CBOR_FIELD_WORD: return *(const char *const *)member != NULL;
    case CBOR_FIELD_NUMBER: return ((const struct epcis_number *)member)->present;
    case CBOR_FIELD_EPCS:
    case CBOR_FIELD_URIS:
    case CBOR_FIELD_WORDS: return ((const struct epcis_texts *)member)->items != NULL;
    case CBOR_FIELD_QUANTITIES: return ((const struct epcis_quantities *)member)->items != NULL;
    case CBOR_FIELD_REFERENCES: return ((const struct epcis_references *)member)->items != NULL;
    case CBOR_FIELD_PLACE: return ((const struct epcis_place *)member)->id || ((const struct epcis_place *)member)->extensions.count > 0;
    case CBOR_FIELD_MEMBERS:
        return ((const struct epcis_members *)member)->count > 0 || (f->flag > 0 && flag_of(base, f->flag));
    case CBOR_FIELD_SENSORS: return *(const struct epcis_sensor_element *const *)member != NULL;
    case CBOR_FIELD_REPORTS: return *(const struct epcis_sensor_report *const *)member != NULL;
    case CBOR_FIELD_METADATA: return ((const struct epcis_sensor_metadata *)member)->present;
    case CBOR_FIELD_ERROR: return ((const struct epcis_error_declaration *)member)->present;
    case CBOR_FIELD_PREFIXES: return ((const struct epcis_prefixes *)member)->count > 0;
    }
    return false;
}

static void put_small(struct encoder *e, int value, int least, int most, const char *what) {
    if (value < least || value > most) fail(e, PT_INVALID, what);
    else cbor_put_uint(e->writer.out, (uint64_t)value);
}

static void put_lists(struct encoder *e, const struct event_field *f, const void *base) {
    const void *member = member_of(base, f->at);
    const size_t count = f->flag > 0 ? *(const size_t *)member_of(base, f->flag) : 0;
    const struct epcis_quantities *quantities = member;
    const struct epcis_references *references = member;
    switch (f->kind) {
    case CBOR_FIELD_QUANTITIES:
        put_maps(e, &event_map_quantity, quantities->items, quantities->count, sizeof *quantities->items);
        return;
    case CBOR_FIELD_REFERENCES:
        put_maps(e, f->vocabulary == CBV_SOURCE_DEST_TYPE ? &event_map_source_dest : &event_map_biz_transaction,
                 references->items, references->count, sizeof *references->items);
        return;
    case CBOR_FIELD_SENSORS:
        put_maps(e, &event_map_sensor_element, *(const void *const *)member, count, sizeof(struct epcis_sensor_element));
        return;
    case CBOR_FIELD_REPORTS:
        put_maps(e, &event_map_sensor_report, *(const void *const *)member, count, sizeof(struct epcis_sensor_report));
        return;
    case CBOR_FIELD_PREFIXES: put_prefixes(e, member); return;
    default: put_texts(e, f, member); return;
    }
}

static void put_field(struct encoder *e, const struct event_field *f, const void *base) {
    const void *member = member_of(base, f->at);
    switch (f->kind) {
    case CBOR_FIELD_EVENT_TYPE:
        put_small(e, (int)*(const enum epcis_event_type *)member, EPCIS_OBJECT, EPCIS_ASSOCIATION, "an unknown event type");
        return;
    case CBOR_FIELD_ACTION:
        put_small(e, (int)*(const enum epcis_action *)member, EPCIS_ADD, EPCIS_DELETE, "an unknown action");
        return;
    case CBOR_FIELD_OFFSET: put_offset(e, *(const int16_t *)member); return;
    case CBOR_FIELD_INSTANT: put_instant(e, member); return;
    case CBOR_FIELD_TEXT: event_put_text(&e->writer, *(const char *const *)member); return;
    case CBOR_FIELD_URI: event_put_uri(&e->writer, *(const char *const *)member); return;
    case CBOR_FIELD_WORD: event_put_word(&e->writer, f->vocabulary, *(const char *const *)member); return;
    case CBOR_FIELD_NUMBER: put_number(e, member); return;
    case CBOR_FIELD_BOOL: cbor_put_bool(e->writer.out, *(const bool *)member); return;
    case CBOR_FIELD_EPCS: event_put_epcs(&e->writer, member); return;
    case CBOR_FIELD_PLACE: put_place(e, member); return;
    case CBOR_FIELD_MEMBERS: put_members(e, member, 1); return;
    case CBOR_FIELD_METADATA: put_map(e, &event_map_sensor_metadata, member); return;
    case CBOR_FIELD_ERROR: put_map(e, &event_map_error, member); return;
    default: put_lists(e, f, base); return;
    }
}

static uint64_t put_fields(struct encoder *e, const struct event_map *map, const void *base) {
    uint64_t written = 0;
    for (size_t i = 0; i < map->count && e->writer.code == PT_OK; i++) {
        const struct event_field *field = &map->fields[i];
        if (!is_present(field, base)) {
            if (field->required) fail(e, PT_INVALID, "an identifier or time that must be there is missing");
            continue;
        }
        cbor_put_uint(e->writer.out, field->key);
        put_field(e, field, base);
        written++;
    }
    return written;
}

static void put_map(struct encoder *e, const struct event_map *map, const void *base) {
    uint64_t present = 0;
    for (size_t i = 0; i < map->count; i++) present += is_present(&map->fields[i], base);
    cbor_put_map(e->writer.out, present);
    put_fields(e, map, base);
}

// The event's map head and namespace table, known only once its fields are written, go before them.
static void put_event_head(struct encoder *e, size_t start, uint64_t fields) {
    struct pt_buf *out = e->writer.out;
    PT_CLEANUP(pt_buf_free) struct pt_buf head = PT_BUF_INIT(out->ceiling);
    e->writer.out = &head;
    cbor_put_map(&head, fields + (e->namespace_count > 0));
    if (e->namespace_count > 0) {
        cbor_put_uint(&head, 0);
        cbor_put_array(&head, e->namespace_count);
    }
    for (uint64_t i = 0; i < e->namespace_count; i++) {
        cbor_put_array(&head, 2);
        if (e->namespaces[i].ns) event_put_text(&e->writer, e->namespaces[i].ns);
        else cbor_put_null(&head);
        if (e->namespaces[i].prefix) event_put_text(&e->writer, e->namespaces[i].prefix);
        else cbor_put_null(&head);
    }
    e->writer.out = out;
    const size_t fields_len = out->len - start;
    if (head.failed) event_writer_fail(&e->writer, PT_LIMIT, "namespaces too long");
    else if (pt_buf_extend(out, head.len)) {
        memmove(out->data + start + head.len, out->data + start, fields_len);
        memcpy(out->data + start, head.data, head.len);
    }
}

enum pt_code epcis_cbor_encode(const struct epcis_event *event, struct pt_buf *out, struct pt_error *err) {
    struct encoder e = {.writer = {.out = out, .err = err}};
    const size_t start = out->len;
    const uint64_t fields = put_fields(&e, &event_map_event, event);
    put_event_head(&e, start, fields);
    if (e.writer.code == PT_OK) e.writer.code = pt_buf_check(out, err);
    if (e.writer.code != PT_OK && out->len > start) out->len = start;
    return e.writer.code;
}
