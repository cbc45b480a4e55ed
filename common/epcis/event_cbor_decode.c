#include <math.h>
#include <string.h>

#include "common/epcis/event_cbor.h"
#include "common/epcis/event_cbor_epcs.h"
#include "common/epcis/event_cbor_fields.h"
#include "common/epcis/event_cbor_words.h"

static const int64_t least_second = -62167219200;  // 0000-01-01T00:00:00Z
static const int64_t most_second = 253402300799;   // 9999-12-31T23:59:59Z

struct decoder {
    struct cbor_reader reader;
    struct pt_arena *arena;
    int16_t zone;
    struct epcis_member *namespaces;  // ns and prefix of each; the rest unused
    uint64_t namespace_count;
    uint64_t namespaces_used;  // they must be used in their order
};

static void get_map(struct decoder *d, const struct event_map *map, void *base);

static void *member_of(void *base, size_t at) { return (char *)base + at; }

static void refuse(struct decoder *d, const char *what) { cbor_fail(&d->reader, "%s", what); }

static bool failed(const struct decoder *d) { return cbor_failed(&d->reader); }

static enum cbor_type next_type(struct decoder *d) {
    struct cbor_item item;
    return cbor_peek(&d->reader, &item) ? item.type : CBOR_UNDEFINED;
}

// --- Leaves ---

static int64_t get_between(struct decoder *d, int64_t least, int64_t most, const char *what) {
    const int64_t value = cbor_get_int(&d->reader);
    if (!failed(d) && (value < least || value > most)) refuse(d, what);
    return value;
}

static int16_t get_offset(struct decoder *d) {
    return (int16_t)get_between(d, -840, 840, "time zone offset beyond 14:00");
}

static void get_instant(struct decoder *d, struct pt_instant *out) {
    static const char range[] = "time before the year 0 or after 9999";
    out->offset_minutes = d->zone;
    uint64_t parts = 1;
    if (next_type(d) == CBOR_ARRAY) {
        parts = cbor_get_array(&d->reader, 3);
        if (!failed(d) && parts < 2) refuse(d, "time of fewer than two parts");
    }
    if (parts == 3) {
        out->seconds = get_between(d, least_second, most_second, range);
        out->nanos = (uint32_t)get_between(d, 1, 999999999, "nanoseconds out of range");
        out->offset_minutes = get_offset(d);
        if (!failed(d) && out->nanos % 1000000 == 0) refuse(d, "time of whole milliseconds in three parts");
        return;
    }
    struct pt_instant whole =
        pt_instant_from_millis(get_between(d, least_second * 1000, most_second * 1000 + 999, range));
    out->seconds = whole.seconds;
    out->nanos = whole.nanos;
    if (parts == 1) return;
    out->offset_minutes = get_offset(d);
    if (!failed(d) && out->offset_minutes == d->zone) refuse(d, "time with the offset of the event");
}

static void get_number(struct decoder *d, struct epcis_number *out) {
    struct cbor_item item;
    if (!cbor_peek(&d->reader, &item) || item.type != CBOR_FLOAT) {
        const int64_t integer = cbor_get_int(&d->reader);
        *out = (struct epcis_number){.present = true, .is_integer = true, .integer = integer, .real = (double)integer};
        return;
    }
    (void)cbor_next(&d->reader, &item);
    *out = (struct epcis_number){.present = true, .real = item.real};
    if (!isfinite(item.real)) refuse(d, "number that is not finite");
}

// --- Extensions ---

static void get_members(struct decoder *d, struct epcis_members *out, unsigned depth);

static void get_namespace_of(struct decoder *d, struct epcis_member *m) {
    const uint64_t number = cbor_get_uint(&d->reader);
    if (failed(d) || number == 0) return;
    if (number > d->namespace_count || number > d->namespaces_used + 1) {
        refuse(d, "namespaces not in the order of their use");
        return;
    }
    if (number > d->namespaces_used) d->namespaces_used = number;
    m->ns = d->namespaces[number - 1].ns;
    m->prefix = d->namespaces[number - 1].prefix;
}

static void get_object(struct decoder *d, struct epcis_value *v, unsigned depth) {
    v->kind = EPCIS_OBJECT_VALUE;
    if (cbor_get_map(&d->reader, 1) != 1 || cbor_get_uint(&d->reader) != 0) refuse(d, "object of another form");
    get_members(d, &v->members, depth + 1);
}

static void get_value(struct decoder *d, struct epcis_value *v, unsigned depth) {
    switch (next_type(d)) {
    case CBOR_TEXT:
        v->kind = EPCIS_TEXT;
        v->text = event_get_text(&d->reader, d->arena);
        return;
    case CBOR_FALSE:
    case CBOR_TRUE:
        v->kind = EPCIS_BOOLEAN;
        v->boolean = cbor_get_bool(&d->reader);
        return;
    case CBOR_NULL: v->kind = EPCIS_NULL; (void)cbor_get_null_if(&d->reader); return;
    case CBOR_MAP: get_object(d, v, depth); return;
    case CBOR_ARRAY: break;
    default:
        v->kind = EPCIS_NUMBER;
        get_number(d, &v->number);
        return;
    }
    v->kind = EPCIS_LIST;
    if (depth >= EVENT_DEPTH_MAX) refuse(d, "extensions nested deeper than 32 levels");
    const uint64_t count = cbor_get_array(&d->reader, EVENT_LIST_MAX);
    v->items = event_alloc(&d->reader, d->arena, count, sizeof *v->items);
    v->count = failed(d) ? 0 : count;
    for (size_t i = 0; i < v->count && !failed(d); i++) get_value(d, &v->items[i], depth + 1);
}

static void get_members(struct decoder *d, struct epcis_members *out, unsigned depth) {
    if (!failed(d) && depth > EVENT_DEPTH_MAX) refuse(d, "extensions nested deeper than 32 levels");
    const uint64_t items = cbor_get_array(&d->reader, 3 * EVENT_LIST_MAX);
    if (!failed(d) && items % 3 != 0) refuse(d, "members not of three parts each");
    out->items = event_alloc(&d->reader, d->arena, items / 3, sizeof *out->items);
    out->count = failed(d) ? 0 : items / 3;
    for (size_t i = 0; i < out->count && !failed(d); i++) {
        get_namespace_of(d, &out->items[i]);
        out->items[i].local = event_get_text(&d->reader, d->arena);
        get_value(d, &out->items[i].value, depth);
    }
}

// --- Lists ---

static void *get_maps(struct decoder *d, const struct event_map *map, size_t size, size_t *count_out) {
    const uint64_t count = cbor_get_array(&d->reader, EVENT_LIST_MAX);
    char *items = event_alloc(&d->reader, d->arena, count, size);
    for (uint64_t i = 0; items && i < count && !failed(d); i++) get_map(d, map, items + i * size);
    *count_out = failed(d) ? 0 : count;
    return items;
}

static void get_texts(struct decoder *d, const struct event_field *field, struct epcis_texts *out) {
    const uint64_t count = cbor_get_array(&d->reader, EVENT_LIST_MAX);
    const char **items = event_alloc(&d->reader, d->arena, count, sizeof *items);
    for (uint64_t i = 0; items && i < count && !failed(d); i++)
        items[i] = field->kind == CBOR_FIELD_WORDS ? event_get_word(&d->reader, field->vocabulary, d->arena)
                                              : event_get_uri(&d->reader, d->arena);
    *out = (struct epcis_texts){items, failed(d) ? 0 : count};
}

static void get_prefixes(struct decoder *d, struct epcis_prefixes *out) {
    const uint64_t count = cbor_get_array(&d->reader, EVENT_LIST_MAX);
    if (!failed(d) && count == 0) refuse(d, "empty list of prefixes");
    out->items = event_alloc(&d->reader, d->arena, count, sizeof *out->items);
    out->count = failed(d) ? 0 : count;
    for (size_t i = 0; i < out->count && !failed(d); i++) {
        if (cbor_get_array(&d->reader, 2) != 2) refuse(d, "prefix not of two parts");
        out->items[i].prefix = event_get_text(&d->reader, d->arena);
        out->items[i].ns = event_get_text(&d->reader, d->arena);
    }
}

static void get_place(struct decoder *d, struct epcis_place *out) {
    if (next_type(d) == CBOR_MAP) get_map(d, &event_map_place, out);
    else out->id = event_get_uri(&d->reader, d->arena);
}

// --- Maps ---

static void get_lists(struct decoder *d, const struct event_field *f, void *base) {
    void *member = member_of(base, f->at);
    size_t *count = member_of(base, f->flag);
    struct epcis_quantities *quantities = member;
    struct epcis_references *references = member;
    switch (f->kind) {
    case CBOR_FIELD_QUANTITIES:
        quantities->items = get_maps(d, &event_map_quantity, sizeof *quantities->items, &quantities->count);
        return;
    case CBOR_FIELD_REFERENCES:
        references->items =
            get_maps(d, f->vocabulary == CBV_SOURCE_DEST_TYPE ? &event_map_source_dest : &event_map_biz_transaction,
                     sizeof *references->items, &references->count);
        return;
    case CBOR_FIELD_SENSORS:
        *(struct epcis_sensor_element **)member =
            get_maps(d, &event_map_sensor_element, sizeof(struct epcis_sensor_element), count);
        return;
    case CBOR_FIELD_REPORTS:
        *(struct epcis_sensor_report **)member =
            get_maps(d, &event_map_sensor_report, sizeof(struct epcis_sensor_report), count);
        return;
    case CBOR_FIELD_PREFIXES: get_prefixes(d, member); return;
    default: get_texts(d, f, member); return;
    }
}

static void get_member_field(struct decoder *d, const struct event_field *f, struct epcis_members *out) {
    get_members(d, out, 1);
    if (!failed(d) && out->count == 0 && f->flag == 0) refuse(d, "empty extensions");
}

static void get_field(struct decoder *d, const struct event_field *f, void *base) {
    void *member = member_of(base, f->at);
    if (f->flag > 0 && f->kind != CBOR_FIELD_SENSORS && f->kind != CBOR_FIELD_REPORTS) *(bool *)member_of(base, f->flag) = true;
    switch (f->kind) {
    case CBOR_FIELD_EVENT_TYPE:
        *(enum epcis_event_type *)member =
            (enum epcis_event_type)get_between(d, EPCIS_OBJECT, EPCIS_ASSOCIATION, "unknown event type");
        return;
    case CBOR_FIELD_ACTION:
        *(enum epcis_action *)member = (enum epcis_action)get_between(d, EPCIS_ADD, EPCIS_DELETE, "unknown action");
        return;
    case CBOR_FIELD_OFFSET: *(int16_t *)member = d->zone = get_offset(d); return;
    case CBOR_FIELD_INSTANT: get_instant(d, member); return;
    case CBOR_FIELD_TEXT: *(const char **)member = event_get_text(&d->reader, d->arena); return;
    case CBOR_FIELD_URI: *(const char **)member = event_get_uri(&d->reader, d->arena); return;
    case CBOR_FIELD_WORD: *(const char **)member = event_get_word(&d->reader, f->vocabulary, d->arena); return;
    case CBOR_FIELD_NUMBER: get_number(d, member); return;
    case CBOR_FIELD_BOOL: *(bool *)member = cbor_get_bool(&d->reader); return;
    case CBOR_FIELD_EPCS: event_get_epcs(&d->reader, d->arena, member); return;
    case CBOR_FIELD_PLACE: get_place(d, member); return;
    case CBOR_FIELD_MEMBERS: get_member_field(d, f, member); return;
    case CBOR_FIELD_METADATA:
        ((struct epcis_sensor_metadata *)member)->present = true;
        get_map(d, &event_map_sensor_metadata, member);
        return;
    case CBOR_FIELD_ERROR:
        ((struct epcis_error_declaration *)member)->present = true;
        get_map(d, &event_map_error, member);
        return;
    default: get_lists(d, f, base); return;
    }
}

// Reads `pairs` pairs of which the keys ascend; unknown ones are refused, and so are maps without a required key.
static void get_fields(struct decoder *d, const struct event_map *map, void *base, uint64_t pairs) {
    size_t next = 0;
    for (uint64_t i = 0; i < pairs && !failed(d); i++) {
        const uint64_t key = cbor_get_uint(&d->reader);
        while (!failed(d) && next < map->count && map->fields[next].key < key && !map->fields[next].required) next++;
        if (!failed(d) && (next == map->count || map->fields[next].key != key))
            cbor_fail(&d->reader, "key %llu is unknown, out of order, or stands where another is required",
                      (unsigned long long)key);
        if (!failed(d)) get_field(d, &map->fields[next++], base);
    }
    while (!failed(d) && next < map->count)
        if (map->fields[next++].required) refuse(d, "a required key is missing");
}

static void get_map(struct decoder *d, const struct event_map *map, void *base) {
    get_fields(d, map, base, cbor_get_map(&d->reader, map->count));
}

static bool same_text(const char *a, const char *b) { return a == b || (a && b && strcmp(a, b) == 0); }

static void get_namespaces(struct decoder *d) {
    d->namespace_count = cbor_get_array(&d->reader, EVENT_NAMESPACES_MAX);
    if (!failed(d) && d->namespace_count == 0) refuse(d, "empty table of namespaces");
    d->namespaces = event_alloc(&d->reader, d->arena, d->namespace_count, sizeof *d->namespaces);
    for (uint64_t i = 0; i < d->namespace_count && !failed(d); i++) {
        struct epcis_member *m = &d->namespaces[i];
        if (cbor_get_array(&d->reader, 2) != 2) refuse(d, "namespace not of two parts");
        if (!cbor_get_null_if(&d->reader)) m->ns = event_get_text(&d->reader, d->arena);
        if (!cbor_get_null_if(&d->reader)) m->prefix = event_get_text(&d->reader, d->arena);
        if (!failed(d) && !m->ns && !m->prefix) refuse(d, "namespace without address and prefix");
        for (uint64_t j = 0; j < i && !failed(d); j++)
            if (same_text(m->ns, d->namespaces[j].ns) && same_text(m->prefix, d->namespaces[j].prefix))
                refuse(d, "namespace twice");
    }
}

enum pt_code epcis_cbor_decode(struct pt_bytes bytes, struct pt_arena *arena, struct epcis_event *out,
                               struct pt_error *err) {
    struct decoder d = {.reader = cbor_reader_of(bytes, true, err), .arena = arena};
    *out = (struct epcis_event){0};
    uint64_t pairs = cbor_get_map(&d.reader, event_map_event.count + 1);
    const size_t first_key = d.reader.at;
    if (pairs > 0 && cbor_get_uint(&d.reader) == 0) {
        get_namespaces(&d);
        pairs--;
    } else if (!failed(&d)) {
        d.reader.at = first_key;
    }
    get_fields(&d, &event_map_event, out, pairs);
    if (!failed(&d) && d.namespaces_used != d.namespace_count) refuse(&d, "a namespace is not in use");
    return cbor_finish(&d.reader);
}
