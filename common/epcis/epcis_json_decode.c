// Documents, query documents, single events and lists.
#include <string.h>

#include "common/epcis/epcis_json_event_id.h"
#include "common/epcis/epcis_json_reader.h"

struct document_reader {
    struct epcis_reader reader;
    struct jsonld_scope scope;
    struct epcis_document *out;
    const json_t *ignored;  // the value of a "…:ignoreFields" member
    const json_t *extended[4];  // the objects whose further members are the document's extensions
    size_t extended_count;
};

static enum pt_code missing(struct document_reader *d, const char *name) {
    return epcis_fail_at_name(d->reader.err, NULL, name, "is missing");
}

static enum pt_code require(struct document_reader *d, const json_t *object, const char *name) {
    return d->reader.strict && !json_object_get(object, name) ? missing(d, name) : PT_OK;
}

static bool is_one_of(const char *name, const char *const *names) {
    for (; *names; names++)
        if (strcmp(name, *names) == 0) return true;
    return false;
}

// A member that the standard does not name must be an extension.
static enum pt_code check_other(struct document_reader *d, const char *name, const json_t *value) {
    const enum pt_code code = epcis_read_check_name(&d->reader, name);
    const char *colon = strchr(name, ':');
    if (colon && strcmp(colon + 1, "ignoreFields") == 0) d->ignored = value;
    return code;
}

// The others of a part of the document; they are read when it is known how many there are in all.
static enum pt_code check_others(struct document_reader *d, const json_t *object, const char *const *known) {
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, name, value) {
        const enum pt_code code = is_one_of(name, known) ? PT_OK : check_other(d, name, value);
        if (code != PT_OK) return code;
    }
    d->extended[d->extended_count++] = object;
    return PT_OK;
}

static enum pt_code read_event_list(struct document_reader *d, const json_t *list, bool own_contexts) {
    if (!json_is_array(list)) return epcis_read_expected(&d->reader, "an array");
    const size_t count = json_array_size(list);
    d->out->events = pt_arena_alloc(d->reader.arena, count, sizeof *d->out->events);
    if (!d->out->events) return epcis_read_no_room(&d->reader);
    for (size_t i = 0; i < count; i++) {
        const json_t *event = json_array_get(list, i);
        enum pt_code code =
            epcis_read_event(&d->reader, event, &d->scope, &d->out->events[d->out->event_count++]);
        if (code == PT_OK && own_contexts) code = require(d, event, "@context");
        if (code != PT_OK) return pt_error_under(d->reader.err, "/%zu", i);
    }
    return PT_OK;
}

static enum pt_code check_uri_member(struct document_reader *d, const json_t *object, const char *name, bool required) {
    const json_t *value = json_object_get(object, name);
    if (!value) return required ? missing(d, name) : PT_OK;
    enum pt_code code = PT_OK;
    if (!json_is_string(value)) code = epcis_read_expected(&d->reader, "a string");
    else code = epcis_check_text(RULE_URI, json_string_value(value), d->reader.err);
    return code == PT_OK ? PT_OK : epcis_error_under_name(d->reader.err, name);
}

typedef enum pt_code item_check(struct document_reader *d, const json_t *item);

static enum pt_code check_each(struct document_reader *d, const json_t *object, const char *name, item_check *check) {
    const json_t *list = json_object_get(object, name);
    if (!list) return PT_OK;
    enum pt_code code = json_is_array(list) ? PT_OK : epcis_read_expected(&d->reader, "an array");
    for (size_t i = 0; code == PT_OK && i < json_array_size(list); i++) {
        code = check(d, json_array_get(list, i));
        if (code != PT_OK) pt_error_under(d->reader.err, "/%zu", i);
    }
    return code == PT_OK ? PT_OK : epcis_error_under_name(d->reader.err, name);
}

static enum pt_code check_attribute(struct document_reader *d, const json_t *attribute) {
    if (!json_is_object(attribute)) return epcis_read_expected(&d->reader, "an object");
    const json_t *value = json_object_get(attribute, "attribute");
    if (value && !json_is_number(value) && !json_is_string(value) && !json_is_object(value))
        return epcis_fail_at_name(d->reader.err, NULL, "attribute", "must be a string, a number or an object");
    return check_uri_member(d, attribute, "id", true);
}

static enum pt_code check_child(struct document_reader *d, const json_t *child) {
    if (!json_is_string(child)) return epcis_read_expected(&d->reader, "a string");
    return epcis_check_text(RULE_URI, json_string_value(child), d->reader.err);
}

static enum pt_code check_vocabulary_element(struct document_reader *d, const json_t *element) {
    if (!json_is_object(element)) return epcis_read_expected(&d->reader, "an object");
    enum pt_code code = check_uri_member(d, element, "id", true);
    if (code == PT_OK) code = check_each(d, element, "attributes", check_attribute);
    return code == PT_OK ? check_each(d, element, "children", check_child) : code;
}

static enum pt_code check_vocabulary(struct document_reader *d, const json_t *vocabulary) {
    if (!json_is_object(vocabulary)) return epcis_read_expected(&d->reader, "an object");
    const enum pt_code code = check_uri_member(d, vocabulary, "type", true);
    return code == PT_OK ? check_each(d, vocabulary, "vocabularyElementList", check_vocabulary_element) : code;
}

static enum pt_code check_header(struct document_reader *d, const json_t *header) {
    if (!json_is_object(header)) return epcis_read_expected(&d->reader, "an object");
    static const char *const known[] = {"epcisMasterData", "@context", NULL};
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)header, name, value) {
        const enum pt_code code = is_one_of(name, known) ? PT_OK : epcis_read_check_name(&d->reader, name);
        if (code != PT_OK) return code;
    }
    const json_t *master = json_object_get(header, "epcisMasterData");
    if (!master) return PT_OK;
    enum pt_code code = PT_OK;
    if (!json_is_object(master)) code = epcis_read_expected(&d->reader, "an object");
    else code = check_each(d, master, "vocabularyList", check_vocabulary);
    return code == PT_OK ? PT_OK : epcis_error_under_name(d->reader.err, "epcisMasterData");
}

// Master data are kept as a tree; its plain names are the standard's, whatever @vocab says.
static enum pt_code read_header(struct document_reader *d, const json_t *header) {
    enum pt_code code = d->reader.strict ? check_header(d, header) : PT_OK;
    if (code != PT_OK) return code;
    d->out->header = pt_arena_alloc(d->reader.arena, 1, sizeof *d->out->header);
    if (!d->out->header) return epcis_read_no_room(&d->reader);
    d->reader.plain_names = true;
    code = epcis_read_value(&d->reader, header, &d->scope, d->out->header);
    d->reader.plain_names = false;
    return code;
}

// The vocabularyList of query results becomes the master data of a header, so that there is one place to look.
static enum pt_code read_vocabulary_list(struct document_reader *d, const json_t *results) {
    json_t *list = json_object_get(results, "vocabularyList");
    if (!list) return PT_OK;
    if (d->reader.strict) {
        const enum pt_code code = check_each(d, results, "vocabularyList", check_vocabulary);
        if (code != PT_OK) return code;
    }
    PT_JSON json_t *header = json_pack("{s:{s:O}}", "epcisMasterData", "vocabularyList", list);
    return header ? read_header(d, header) : epcis_read_no_room(&d->reader);
}

static enum pt_code read_text(struct document_reader *d, const json_t *object, const char *name, const char **out) {
    const json_t *value = json_object_get(object, name);
    if (!value || (!d->reader.strict && json_is_null(value))) return PT_OK;
    const enum pt_code code = epcis_read_string(&d->reader, value, out);
    return code == PT_OK ? PT_OK : epcis_error_under_name(d->reader.err, name);
}

static enum pt_code read_results_body(struct document_reader *d, const json_t *body) {
    static const char *const known[] = {"eventList", "vocabularyList", NULL};
    if (!json_is_object(body)) return epcis_read_expected(&d->reader, "an object");
    enum pt_code code = check_others(d, body, known);
    if (code == PT_OK) code = read_vocabulary_list(d, body);
    const json_t *list = json_object_get(body, "eventList");
    if (code == PT_OK && list) {
        code = read_event_list(d, list, false);
        if (code != PT_OK) return epcis_error_under_name(d->reader.err, "eventList");
    }
    return code == PT_OK ? require(d, body, "eventList") : code;
}

static enum pt_code read_query_results(struct document_reader *d, const json_t *results) {
    static const char *const known[] = {"queryName", "subscriptionID", "resultsBody", NULL};
    if (!json_is_object(results)) return epcis_read_expected(&d->reader, "an object");
    enum pt_code code = check_others(d, results, known);
    if (code == PT_OK) code = read_text(d, results, "queryName", &d->out->query_name);
    if (code == PT_OK) code = read_text(d, results, "subscriptionID", &d->out->subscription_id);
    const json_t *body = json_object_get(results, "resultsBody");
    if (code == PT_OK && body) {
        code = read_results_body(d, body);
        if (code != PT_OK) return epcis_error_under_name(d->reader.err, "resultsBody");
    }
    if (code == PT_OK) code = require(d, results, "queryName");
    return code == PT_OK ? require(d, results, "resultsBody") : code;
}

static enum pt_code read_body(struct document_reader *d, const json_t *body) {
    static const char *const known_lists[] = {"eventList", NULL};
    static const char *const known_results[] = {"queryResults", NULL};
    const bool query = d->out->kind == EPCIS_QUERY_DOCUMENT;
    if (!json_is_object(body)) return epcis_read_expected(&d->reader, "an object");
    enum pt_code code = check_others(d, body, query ? known_results : known_lists);
    const char *name = query ? "queryResults" : "eventList";
    const json_t *content = json_object_get(body, name);
    if (code == PT_OK && content) {
        code = query ? read_query_results(d, content) : read_event_list(d, content, false);
        if (code != PT_OK) return epcis_error_under_name(d->reader.err, name);
    }
    return code == PT_OK ? require(d, body, name) : code;
}

// schemaVersion: digits, grouped by dots.
static bool is_version(const char *text) {
    bool digit = false;
    for (; *text; text++) {
        if (*text >= '0' && *text <= '9') digit = true;
        else if (*text == '.' && digit) digit = false;
        else return false;
    }
    return digit;
}

static enum pt_code read_head_field(struct document_reader *d, const char *name, const json_t *value) {
    struct epcis_document *out = d->out;
    if (strcmp(name, "creationDate") == 0) {
        out->has_creation_date = true;
        return epcis_read_time(&d->reader, value, &out->creation_date);
    }
    if (strcmp(name, "epcisHeader") == 0) return read_header(d, value);
    if (strcmp(name, "epcisBody") == 0) return read_body(d, value);
    const char **text = strcmp(name, "id") == 0              ? &out->id
                        : strcmp(name, "schemaVersion") == 0 ? &out->schema_version
                        : strcmp(name, "sender") == 0        ? &out->sender
                        : strcmp(name, "receiver") == 0      ? &out->receiver
                                                             : &out->instance_identifier;
    const enum pt_code code = epcis_read_string(&d->reader, value, text);
    if (code != PT_OK || !d->reader.strict) return code;
    if (text == &out->id) return epcis_check_text(RULE_URI, out->id, d->reader.err);
    if (text == &out->schema_version && !is_version(out->schema_version))
        return pt_fail(d->reader.err, PT_INVALID, NULL, "'%s' is not a version", out->schema_version);
    return PT_OK;
}

static enum pt_code read_extensions(struct document_reader *d, const char *const *known) {
    size_t room = 0;
    for (size_t i = 0; i < d->extended_count; i++) room += json_object_size(d->extended[i]);
    d->out->extensions.items = pt_arena_alloc(d->reader.arena, room, sizeof *d->out->extensions.items);
    if (!d->out->extensions.items) return epcis_read_no_room(&d->reader);
    for (size_t i = 0; i < d->extended_count; i++) {
        const char *name;
        json_t *value;
        json_object_foreach((json_t *)(uintptr_t)d->extended[i], name, value) {
            if (is_one_of(name, known)) continue;
            struct epcis_member *member = &d->out->extensions.items[d->out->extensions.count++];
            enum pt_code code = epcis_read_name(&d->reader, name, &d->scope, member);
            if (code == PT_OK) code = epcis_read_value(&d->reader, value, &d->scope, &member->value);
            if (code != PT_OK) return epcis_error_under_name(d->reader.err, name);
        }
    }
    return PT_OK;
}

static enum pt_code read_ignored(struct document_reader *d) {
    struct epcis_texts *out = &d->out->ignored_fields;
    const size_t count = json_is_array(d->ignored) ? json_array_size(d->ignored) : d->ignored ? 1 : 0;
    out->items = count ? pt_arena_alloc(d->reader.arena, count, sizeof *out->items) : NULL;
    if (count && !out->items) return epcis_read_no_room(&d->reader);
    for (size_t i = 0; i < count; i++) {
        const char *name = json_string_value(json_is_array(d->ignored) ? json_array_get(d->ignored, i) : d->ignored);
        if (!name) continue;
        struct epcis_member member = {0};
        const enum pt_code code = epcis_read_name(&d->reader, name, &d->scope, &member);
        if (code != PT_OK) return code;
        out->items[out->count] = member.ns ? pt_arena_printf(d->reader.arena, "{%s}%s", member.ns, member.local)
                                           : pt_arena_strdup(d->reader.arena, pt_bytes_str(name));
        if (!out->items[out->count++]) return epcis_read_no_room(&d->reader);
    }
    return PT_OK;
}

static enum pt_code require_head(struct document_reader *d, const json_t *root) {
    enum pt_code code = require(d, root, "@context");
    if (code == PT_OK && d->out->kind == EPCIS_DOCUMENT) code = require(d, root, "schemaVersion");
    if (code == PT_OK && d->out->kind == EPCIS_DOCUMENT) code = require(d, root, "creationDate");
    return code == PT_OK ? require(d, root, "epcisBody") : code;
}

// What the standard names in a document or in its parts; "type" has been read, whatever its spelling.
static bool is_head_field(const struct document_reader *d, const char *name) {
    static const char *const both[] = {"id", "schemaVersion", "creationDate", "epcisBody", NULL};
    static const char *const documents[] = {"instanceIdentifier", "sender", "receiver", "epcisHeader", NULL};
    if (is_one_of(name, both)) return true;
    // The schema has no place for these in query documents.
    return (d->out->kind == EPCIS_DOCUMENT || !d->reader.strict) && is_one_of(name, documents);
}

static bool is_keyword(const struct document_reader *d, const char *name) {
    static const char *const spellings[] = {"@type", "isA", NULL};
    return strcmp(name, "@context") == 0 || strcmp(name, "type") == 0 || (!d->reader.strict && is_one_of(name, spellings));
}

static enum pt_code read_document(struct document_reader *d, const json_t *root) {
    static const char *const known[] = {"@context", "type", "@type", "isA", "id", "schemaVersion", "creationDate", "epcisBody",
                                        "instanceIdentifier", "sender", "receiver", "epcisHeader", "eventList",
                                        "queryResults", "queryName", "subscriptionID", "resultsBody", "vocabularyList", NULL};
    d->extended[d->extended_count++] = root;
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)root, name, value) {
        if (is_keyword(d, name) || (!d->reader.strict && json_is_null(value))) continue;
        enum pt_code code = PT_OK;
        if (is_head_field(d, name)) {
            code = read_head_field(d, name, value);
            if (code != PT_OK) return epcis_error_under_name(d->reader.err, name);
        } else {
            code = check_other(d, name, value);
            if (code != PT_OK) return code;
        }
    }
    enum pt_code code = require_head(d, root);
    if (code == PT_OK) code = read_extensions(d, known);
    return code == PT_OK ? read_ignored(d) : code;
}

static enum pt_code read_single(struct document_reader *d, const json_t *root) {
    d->out->kind = EPCIS_SINGLE_EVENT;
    d->out->events = pt_arena_alloc(d->reader.arena, 1, sizeof *d->out->events);
    if (!d->out->events) return epcis_read_no_room(&d->reader);
    d->out->event_count = 1;
    const enum pt_code code = epcis_read_event(&d->reader, root, NULL, d->out->events);
    return code == PT_OK ? require(d, root, "@context") : code;
}

static enum pt_code read_root(struct document_reader *d, const json_t *root) {
    if (json_is_array(root)) {
        d->out->kind = EPCIS_EVENT_LIST;
        return read_event_list(d, root, true);
    }
    if (!json_is_object(root)) return epcis_read_expected(&d->reader, "an EPCIS document, an event or an array of events");
    const char *type = json_string_value(epcis_read_type_of(&d->reader, root));
    if (type && !d->reader.strict) type = epcis_read_class(type);
    const json_t *body = json_object_get(root, "epcisBody");
    if (type && strcmp(type, "EPCISDocument") == 0) d->out->kind = EPCIS_DOCUMENT;
    else if (type && strcmp(type, "EPCISQueryDocument") == 0) d->out->kind = EPCIS_QUERY_DOCUMENT;
    else if (!type && !d->reader.strict && body)
        d->out->kind = json_object_get(body, "queryResults") ? EPCIS_QUERY_DOCUMENT : EPCIS_DOCUMENT;
    else return read_single(d, root);

    const json_t *context = json_object_get(root, "@context");
    enum pt_code code = jsonld_open(&d->scope, NULL, context, d->reader.strict, d->reader.err);
    if (code != PT_OK) return epcis_error_under_name(d->reader.err, "@context");
    code = jsonld_used_prefixes(&d->scope, root, d->reader.arena, &d->out->prefixes, d->reader.err);
    return code == PT_OK ? read_document(d, root) : code;
}

enum pt_code epcis_json_decode(struct pt_bytes text, size_t max, enum epcis_strictness strictness,
                               struct pt_arena *arena, struct epcis_document *out, struct pt_error *err) {
    struct pt_error own;
    if (!err) err = &own;
    *out = (struct epcis_document){0};
    PT_JSON json_t *root = NULL;
    enum pt_code code = epcis_json_parse(text, max, &root, err);
    if (code != PT_OK) return code;
    *err = (struct pt_error){0};
    struct document_reader d = {
        .reader = {.arena = arena, .err = err, .strict = strictness == EPCIS_FOR_CAPTURE, .scratch = PT_BUF_INIT(65536)},
        .out = out,
    };
    code = read_root(&d, root);
    pt_buf_free(&d.reader.scratch);
    if (code != PT_OK) {
        err->position = -1;  // places inside a value say nothing about the document
        *out = (struct epcis_document){0};
    }
    return code;
}
