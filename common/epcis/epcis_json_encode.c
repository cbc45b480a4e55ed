// EPCIS JSON-LD out.
#include <string.h>

#include "common/base/cleanup.h"
#include "common/epcis/epcis_json.h"
#include "common/epcis/event_fields.h"
#include "common/epcis/jsonld_context.h"

#define PREFIX_SIZE 32
#define CONTEXT_ADDRESS "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"

// prefixes: an object from prefix to namespace, what the names written here mean; it grows while names are written.
// meaningless: the prefixes of names without a namespace; none of them may be made one that means something.
struct writer {
    json_t *prefixes, *meaningless;
    bool grown;  // prefixes holds more than came with the event
    struct pt_error *err;
};

static enum pt_code write_fields(struct writer *w, const struct epcis_fields *fields, enum epcis_event_type type,
                                 const void *base, json_t *out);
static enum pt_code write_value(struct writer *w, const struct epcis_value *value, json_t **out);

static enum pt_code no_memory(const struct writer *w) { return pt_fail(w->err, PT_NO_MEMORY, NULL, "no memory for JSON"); }

// Takes over `value`, which may be NULL.
static enum pt_code set(const struct writer *w, json_t *object, const char *name, json_t *value) {
    if (value && json_object_set_new(object, name, value) == 0) return PT_OK;
    return pt_fail(w->err, value ? PT_NO_MEMORY : PT_INVALID, NULL, "'%s' has no JSON form", name);
}

static const char *meaning(const struct writer *w, const char *prefix) {
    const char *ns = json_string_value(json_object_get(w->prefixes, prefix));
    return ns ? ns : jsonld_standard_prefix(prefix, strlen(prefix));
}

static bool means(const struct writer *w, const char *prefix, const char *ns) {
    const char *known = meaning(w, prefix);
    return known && strcmp(known, ns) == 0;
}

static enum pt_code define_prefix(struct writer *w, const char *prefix, const char *ns) {
    return set(w, w->prefixes, prefix, json_string(ns));
}

// A prefix that no one uses yet.
static enum pt_code make_prefix(struct writer *w, const char *ns, char made[PREFIX_SIZE]) {
    w->grown = true;
    for (size_t i = 1;; i++) {
        snprintf(made, PREFIX_SIZE, "ns%zu", i);
        if (!json_object_get(w->prefixes, made) && !json_object_get(w->meaningless, made))
            return define_prefix(w, made, ns);
    }
}

// A prefix for the namespace: the member's own if it is free, else one that stands for it, else a new one.
static enum pt_code choose_prefix(struct writer *w, const struct epcis_member *member, char made[PREFIX_SIZE],
                                  const char **out) {
    *out = member->prefix;
    if (member->prefix && !member->ns) return set(w, w->meaningless, member->prefix, json_true());
    if (!member->ns || (member->prefix && means(w, member->prefix, member->ns))) return PT_OK;
    w->grown = true;
    if (member->prefix && !meaning(w, member->prefix) && !json_object_get(w->meaningless, member->prefix))
        return define_prefix(w, member->prefix, member->ns);
    const char *prefix;
    json_t *ns;
    json_object_foreach(w->prefixes, prefix, ns) {
        if (strcmp(json_string_value(ns), member->ns) != 0) continue;
        *out = prefix;
        return PT_OK;
    }
    *out = made;
    return make_prefix(w, member->ns, made);
}

static enum pt_code write_name(struct writer *w, const struct epcis_member *member, const json_t *siblings,
                               struct pt_buf *name) {
    char made[PREFIX_SIZE];
    const char *prefix;
    enum pt_code code = choose_prefix(w, member, made, &prefix);
    if (code != PT_OK) return code;
    if (prefix) pt_buf_printf(name, "%s:", prefix);
    pt_buf_str(name, member->local);
    if (json_object_get(siblings, pt_buf_cstr(name))) {
        // Two spellings of one name, which JSON-LD takes for two values, must not become one. A meaningless name that
        // meets a made prefix is written again (settled).
        if (!member->ns && prefix && json_object_get(w->prefixes, prefix)) return pt_buf_check(name, w->err);
        if (!member->ns) return pt_fail(w->err, PT_INVALID, NULL, "'%s' occurs twice", pt_buf_cstr(name));
        code = make_prefix(w, member->ns, made);
        pt_buf_clear(name);
        pt_buf_printf(name, "%s:%s", made, member->local);
    }
    return code == PT_OK ? pt_buf_check(name, w->err) : code;
}

static enum pt_code write_member(struct writer *w, const struct epcis_member *member, json_t *out) {
    PT_CLEANUP(pt_buf_free) struct pt_buf name = PT_BUF_INIT(1 << 20);
    enum pt_code code = write_name(w, member, out, &name);
    json_t *value = NULL;
    if (code == PT_OK) code = write_value(w, &member->value, &value);
    return code == PT_OK ? set(w, out, pt_buf_cstr(&name), value) : code;
}

static enum pt_code write_members(struct writer *w, const struct epcis_members *members, json_t *out) {
    enum pt_code code = PT_OK;
    for (size_t i = 0; code == PT_OK && i < members->count; i++) code = write_member(w, &members->items[i], out);
    return code;
}

static json_t *number_json(const struct epcis_number *number) {
    return number->is_integer ? json_integer(number->integer) : json_real(number->real);
}

static enum pt_code write_list(struct writer *w, const struct epcis_value *list, json_t **out) {
    PT_JSON json_t *array = json_array();
    if (!array) return no_memory(w);
    for (size_t i = 0; i < list->count; i++) {
        json_t *item = NULL;
        const enum pt_code code = write_value(w, &list->items[i], &item);
        if (code != PT_OK) return code;
        if (json_array_append_new(array, item) != 0) return no_memory(w);
    }
    *out = json_incref(array);
    return PT_OK;
}

static enum pt_code write_object(struct writer *w, const struct epcis_members *members, json_t **out) {
    PT_JSON json_t *object = json_object();
    if (!object) return no_memory(w);
    const enum pt_code code = write_members(w, members, object);
    if (code == PT_OK) *out = json_incref(object);
    return code;
}

static enum pt_code write_value(struct writer *w, const struct epcis_value *value, json_t **out) {
    switch (value->kind) {
    case EPCIS_OBJECT_VALUE: return write_object(w, &value->members, out);
    case EPCIS_LIST: return write_list(w, value, out);
    case EPCIS_TEXT: *out = json_string(value->text); break;
    case EPCIS_NUMBER: *out = number_json(&value->number); break;
    case EPCIS_BOOLEAN: *out = json_boolean(value->boolean); break;
    case EPCIS_NULL: *out = json_null(); break;
    }
    return *out ? PT_OK : pt_fail(w->err, PT_INVALID, NULL, "a value has no JSON form (text that is not UTF-8?)");
}

static json_t *time_json(const struct pt_instant *time) {
    PT_CLEANUP(pt_buf_free) struct pt_buf text = PT_BUF_INIT(64);
    pt_instant_append(&text, time);
    return json_string(pt_buf_cstr(&text));
}

static json_t *offset_json(int16_t minutes) {
    PT_CLEANUP(pt_buf_free) struct pt_buf text = PT_BUF_INIT(16);
    pt_offset_append(&text, minutes);
    return json_string(pt_buf_cstr(&text));
}

static json_t *texts_json(const struct epcis_field *field, const struct epcis_texts *texts) {
    if (field->kind == FIELD_STRING_OR_ARRAY && texts->count == 1) return json_string(texts->items[0]);
    json_t *array = json_array();
    for (size_t i = 0; array && i < texts->count; i++) {
        if (json_array_append_new(array, json_string(texts->items[i])) == 0) continue;
        json_decref(array);
        return NULL;
    }
    return array;
}

static enum pt_code write_struct(struct writer *w, const struct epcis_fields *fields, enum epcis_event_type type,
                                 const void *base, json_t **out) {
    PT_JSON json_t *object = json_object();
    if (!object) return no_memory(w);
    const enum pt_code code = write_fields(w, fields, type, base, object);
    if (code == PT_OK) *out = json_incref(object);
    return code;
}

static enum pt_code write_structs(struct writer *w, const struct epcis_field *field, enum epcis_event_type type,
                                  const void *base, json_t **out) {
    const char *items = *(const char *const *)(const void *)((const char *)base + field->offset);
    const size_t count = *(const size_t *)(const void *)((const char *)base + field->flag);
    PT_JSON json_t *array = json_array();
    if (!array) return no_memory(w);
    for (size_t i = 0; i < count; i++) {
        json_t *item = NULL;
        const enum pt_code code = write_struct(w, field->inner, type, items + i * field->item_size, &item);
        if (code != PT_OK) return code;
        if (json_array_append_new(array, item) != 0) return no_memory(w);
    }
    *out = json_incref(array);
    return PT_OK;
}

static enum pt_code write_field(struct writer *w, const struct epcis_field *field, enum epcis_event_type type,
                                const void *base, json_t **out) {
    const void *at = (const char *)base + field->offset;
    switch (field->kind) {
    case FIELD_STRING: *out = json_string(*(const char *const *)at); return PT_OK;
    case FIELD_TIME: *out = time_json(at); return PT_OK;
    case FIELD_OFFSET: *out = offset_json(*(const int16_t *)at); return PT_OK;
    case FIELD_ACTION: *out = json_string(epcis_action_name(*(const enum epcis_action *)at)); return PT_OK;
    case FIELD_NUMBER: *out = number_json(at); return PT_OK;
    case FIELD_BOOLEAN: *out = json_boolean(*(const bool *)at); return PT_OK;
    case FIELD_STRINGS:
    case FIELD_STRING_OR_ARRAY: *out = texts_json(field, at); return PT_OK;
    case FIELD_GROUP: return write_struct(w, field->inner, type, base, out);
    case FIELD_PLACE:
    case FIELD_OBJECT: return write_struct(w, field->inner, type, at, out);
    case FIELD_OBJECTS: return write_structs(w, field, type, base, out);
    case FIELD_EXTENSIONS: return write_object(w, at, out);
    }
    return pt_fail(w->err, PT_INTERNAL, NULL, "no such kind of field");
}

static enum pt_code write_fields(struct writer *w, const struct epcis_fields *fields, enum epcis_event_type type,
                                 const void *base, json_t *out) {
    for (size_t i = 0; i < fields->count; i++) {
        const struct epcis_field *field = &fields->items[i];
        if (field->types != 0 && !(field->types & EPCIS_TYPE_BIT(type))) continue;
        if (!epcis_field_present(field, base)) continue;
        json_t *value = NULL;
        enum pt_code code = write_field(w, field, type, base, &value);
        if (code == PT_OK) code = set(w, out, field->name, value);
        if (code != PT_OK) return code;
    }
    if (fields->extensions == EPCIS_NOWHERE) return PT_OK;
    return write_members(w, (const void *)((const char *)base + fields->extensions), out);
}

static enum pt_code define_prefixes(struct writer *w, const struct epcis_prefixes *prefixes) {
    enum pt_code code = PT_OK;
    for (size_t i = 0; code == PT_OK && i < prefixes->count; i++)
        code = define_prefix(w, prefixes->items[i].prefix, prefixes->items[i].ns);
    return code;
}

static enum pt_code write_event_once(struct writer *w, const struct epcis_event *event, json_t *out) {
    enum pt_code code = define_prefixes(w, &event->prefixes);
    const char *type = epcis_event_type_name(event->type);
    if (code == PT_OK) code = type ? set(w, out, "type", json_string(type)) : pt_fail(w->err, PT_INVALID, "/type", "is missing");
    return code == PT_OK ? write_fields(w, &epcis_event_fields, event->type, event, out) : code;
}

// Marks in `used` the prefixes that a text of the tree, or also a name, may begin with.
static void find_used(const json_t *value, bool names, json_t *used) {
    const char *text = json_string_value(value);
    const char *colon = text ? strchr(text, ':') : NULL;
    if (colon) json_object_setn_new(used, text, (size_t)(colon - text), json_true());
    for (size_t i = 0; i < json_array_size(value); i++) find_used(json_array_get(value, i), names, used);
    if (!json_is_object(value)) return;
    const char *name;
    json_t *content;
    json_object_foreach((json_t *)(uintptr_t)value, name, content) {
        colon = names ? strchr(name, ':') : NULL;
        if (colon) json_object_setn_new(used, name, (size_t)(colon - name), json_true());
        find_used(content, names, used);
    }
}

// False if a prefix was defined before a meaningless one of the same name was seen. Now that all of these are known, what
// was written is forgotten, to be written once more.
static bool settled(struct writer *w, const struct epcis_prefixes *given, json_t *written) {
    if (!w->grown) return true;
    find_used(written, false, w->meaningless);
    // Texts may well begin with the prefixes that came with the event.
    for (size_t i = 0; i < given->count; i++) json_object_del(w->meaningless, given->items[i].prefix);
    const char *prefix;
    json_t *mark;
    json_object_foreach(w->meaningless, prefix, mark) {
        if (!json_object_get(w->prefixes, prefix)) continue;
        json_object_clear(written);
        json_object_clear(w->prefixes);
        return false;
    }
    return true;
}

static enum pt_code write_event(struct writer *w, const struct epcis_event *event, json_t *out) {
    const enum pt_code code = write_event_once(w, event, out);
    return code == PT_OK && !settled(w, &event->prefixes, out) ? write_event_once(w, event, out) : code;
}

static json_t *standard_meaning(const char *prefix) {
    const char *ns = jsonld_standard_prefix(prefix, strlen(prefix));
    return ns ? json_string(ns) : json_null();
}

// Moves the prefixes that the tree uses into `context`, unless they stand there already; what they mean otherwise goes
// into `own`, with null for what means nothing in the tree but something in the context.
static enum pt_code share_prefixes(struct writer *w, const json_t *tree, json_t *context, json_t *own) {
    PT_JSON json_t *used = json_object();
    if (!used) return no_memory(w);
    find_used(tree, true, used);
    enum pt_code code = PT_OK;
    const char *prefix;
    json_t *mark;
    json_object_foreach(used, prefix, mark) {
        json_t *here = json_object_get(w->prefixes, prefix);
        json_t *there = json_object_get(context, prefix);
        if (code != PT_OK || (here && there && json_equal(here, there)) || (!here && !there)) continue;
        if (!there && own == context) code = set(w, context, prefix, json_incref(here));
        else code = set(w, own, prefix, here ? json_incref(here) : standard_meaning(prefix));
    }
    return code;
}

static json_t *context_json(json_t *prefixes) {
    json_t *context = json_pack("[s]", CONTEXT_ADDRESS);
    if (context && json_object_size(prefixes) > 0 && json_array_append(context, prefixes) != 0) {
        json_decref(context);
        return NULL;
    }
    return context;
}

enum pt_code epcis_json_from_event(const struct epcis_event *event, json_t **out, struct pt_error *err) {
    *out = NULL;
    PT_JSON json_t *prefixes = json_object();
    PT_JSON json_t *meaningless = json_object();
    PT_JSON json_t *object = json_object();
    struct writer w = {prefixes, meaningless, false, err};
    if (!prefixes || !meaningless || !object) return no_memory(&w);
    const enum pt_code code = write_event(&w, event, object);
    if (code == PT_OK) *out = json_incref(object);
    return code;
}

enum pt_code epcis_json_encode_event(const struct epcis_event *event, struct pt_buf *out, struct pt_error *err) {
    PT_JSON json_t *prefixes = json_object();
    PT_JSON json_t *shared = json_object();
    PT_JSON json_t *content = json_object();
    PT_JSON json_t *meaningless = json_object();
    PT_JSON json_t *whole = json_object();
    struct writer w = {prefixes, meaningless, false, err};
    if (!prefixes || !meaningless || !shared || !content || !whole) return no_memory(&w);
    enum pt_code code = write_event(&w, event, content);
    if (code == PT_OK) code = share_prefixes(&w, content, shared, shared);
    if (code == PT_OK) code = set(&w, whole, "@context", context_json(shared));
    if (code == PT_OK && json_object_update(whole, content) != 0) code = no_memory(&w);
    return code == PT_OK ? pt_json_append(out, whole, err) : code;
}

struct document_writer {
    const struct epcis_document *document;
    json_t *context;    // prefixes for the whole document
    json_t *head_uses;  // prefixes that names and texts outside the events begin with, defined or not
    json_t *whole;
    struct writer w;
};

static enum pt_code write_head_once(struct document_writer *d) {
    const struct epcis_document *document = d->document;
    const struct {
        const char *name, *text;
    } texts[] = {{"id", document->id}, {"schemaVersion", document->schema_version}};
    const struct {
        const char *name, *text;
    } parties[] = {{"instanceIdentifier", document->instance_identifier},
                   {"sender", document->sender},
                   {"receiver", document->receiver}};
    const bool query = document->kind == EPCIS_QUERY_DOCUMENT;
    enum pt_code code = define_prefixes(&d->w, &document->prefixes);
    if (code == PT_OK)
        code = set(&d->w, d->whole, "type", json_string(query ? "EPCISQueryDocument" : "EPCISDocument"));
    for (size_t i = 0; code == PT_OK && i < 2; i++)
        if (texts[i].text) code = set(&d->w, d->whole, texts[i].name, json_string(texts[i].text));
    if (code == PT_OK && document->has_creation_date)
        code = set(&d->w, d->whole, "creationDate", time_json(&document->creation_date));
    for (size_t i = 0; code == PT_OK && i < 3; i++)
        if (parties[i].text) code = set(&d->w, d->whole, parties[i].name, json_string(parties[i].text));
    if (code == PT_OK) code = write_members(&d->w, &document->extensions, d->whole);
    json_t *header = NULL;
    if (code == PT_OK && document->header) code = write_value(&d->w, document->header, &header);
    return code == PT_OK && header ? set(&d->w, d->whole, "epcisHeader", header) : code;
}

static enum pt_code write_head(struct document_writer *d) {
    enum pt_code code = write_head_once(d);
    if (code == PT_OK && !settled(&d->w, &d->document->prefixes, d->whole)) code = write_head_once(d);
    find_used(d->whole, true, d->head_uses);
    return code == PT_OK ? share_prefixes(&d->w, d->whole, d->context, d->context) : code;
}

// An event in its document: prefixes that mean something else for the rest are defined in a context of its own.
static enum pt_code write_document_event(struct document_writer *d, const struct epcis_event *event, json_t *list) {
    PT_JSON json_t *prefixes = json_object();
    PT_JSON json_t *content = json_object();
    PT_JSON json_t *own = json_object();
    PT_JSON json_t *meaningless = json_object();
    PT_JSON json_t *whole = json_object();
    struct writer w = {prefixes, meaningless, false, d->w.err};
    if (!prefixes || !meaningless || !content || !own || !whole) return no_memory(&w);
    enum pt_code code = write_event(&w, event, content);
    if (code == PT_OK) code = share_prefixes(&w, content, d->context, own);
    // A list of events has no place for a context but the events.
    const bool alone = d->document->kind == EPCIS_EVENT_LIST;
    if (code == PT_OK && alone) code = set(&w, whole, "@context", context_json(own));
    else if (code == PT_OK && json_object_size(own) > 0) code = set(&w, whole, "@context", json_incref(own));
    if (code == PT_OK && json_object_update(whole, content) != 0) code = no_memory(&w);
    if (code == PT_OK && json_array_append(list, whole) != 0) code = no_memory(&w);
    return code;
}

// The first meaning that an event gives to a prefix is defined once, for the document, unless the document's head uses
// the prefix and means something else.
static enum pt_code share_event_prefixes(struct document_writer *d) {
    if (d->document->kind == EPCIS_EVENT_LIST) return PT_OK;
    const struct epcis_prefixes *last = NULL;
    for (size_t i = 0; i < d->document->event_count; i++) {
        const struct epcis_prefixes *prefixes = &d->document->events[i].prefixes;
        if (last && last->items == prefixes->items && last->count == prefixes->count) continue;
        last = prefixes;
        for (size_t j = 0; j < prefixes->count; j++) {
            const char *prefix = prefixes->items[j].prefix;
            if (json_object_get(d->context, prefix) || json_object_get(d->head_uses, prefix)) continue;
            const enum pt_code code = set(&d->w, d->context, prefix, json_string(prefixes->items[j].ns));
            if (code != PT_OK) return code;
        }
    }
    return PT_OK;
}

static enum pt_code write_events(struct document_writer *d, json_t **out) {
    PT_JSON json_t *list = json_array();
    if (!list) return no_memory(&d->w);
    enum pt_code code = share_event_prefixes(d);
    for (size_t i = 0; code == PT_OK && i < d->document->event_count; i++) {
        code = write_document_event(d, &d->document->events[i], list);
        if (code != PT_OK) pt_error_under(d->w.err, "/%zu", i);
    }
    if (code == PT_OK) *out = json_incref(list);
    return code;
}

// Takes over `events`.
static enum pt_code write_body(struct document_writer *d, json_t *events) {
    const struct epcis_document *document = d->document;
    if (document->kind == EPCIS_DOCUMENT) return set(&d->w, d->whole, "epcisBody", json_pack("{s:o}", "eventList", events));
    PT_JSON json_t *results = json_object();
    PT_JSON json_t *body = json_pack("{s:o}", "eventList", events);
    if (!results || !body) return no_memory(&d->w);
    // Master data in query results have their place beside the events (EPCIS 2.0 JSON Schema, resultsBody).
    json_t *header = json_object_get(d->whole, "epcisHeader");
    json_t *vocabularies = json_object_get(json_object_get(header, "epcisMasterData"), "vocabularyList");
    enum pt_code code = vocabularies ? set(&d->w, body, "vocabularyList", json_incref(vocabularies)) : PT_OK;
    json_object_del(d->whole, "epcisHeader");
    if (code == PT_OK && document->subscription_id)
        code = set(&d->w, results, "subscriptionID", json_string(document->subscription_id));
    if (code == PT_OK && document->query_name) code = set(&d->w, results, "queryName", json_string(document->query_name));
    if (code == PT_OK) code = set(&d->w, results, "resultsBody", json_incref(body));
    if (code != PT_OK) return code;
    return set(&d->w, d->whole, "epcisBody", json_pack("{s:O}", "queryResults", results));
}

enum pt_code epcis_json_encode_document(const struct epcis_document *document, struct pt_buf *out, struct pt_error *err) {
    struct pt_error own;
    if (!err) err = &own;
    *err = (struct pt_error){0};
    if (document->kind == EPCIS_SINGLE_EVENT && document->event_count == 1)
        return epcis_json_encode_event(document->events, out, err);
    PT_JSON json_t *prefixes = json_object();
    PT_JSON json_t *context = json_object();
    PT_JSON json_t *head_uses = json_object();
    PT_JSON json_t *whole = json_object();
    PT_JSON json_t *meaningless = json_object();
    struct document_writer d = {document, context, head_uses, whole, {prefixes, meaningless, false, err}};
    if (!prefixes || !meaningless || !context || !head_uses || !whole) return no_memory(&d.w);
    const bool list = document->kind == EPCIS_EVENT_LIST;
    json_t *events = NULL;
    enum pt_code code = list ? PT_OK : write_head(&d);
    if (code == PT_OK) code = write_events(&d, &events);
    if (code != PT_OK) return code;
    if (list) {
        code = pt_json_append(out, events, err);
        json_decref(events);
        return code;
    }
    code = write_body(&d, events);
    PT_JSON json_t *framed = json_object();
    if (code == PT_OK && !framed) code = no_memory(&d.w);
    if (code == PT_OK) code = set(&d.w, framed, "@context", context_json(context));
    if (code == PT_OK && json_object_update(framed, whole) != 0) code = no_memory(&d.w);
    return code == PT_OK ? pt_json_append(out, framed, err) : code;
}
