// Names and extension content.
#include <string.h>

#include "common/epcis/epcis_json_reader.h"

enum pt_code epcis_read_expected(const struct epcis_reader *reader, const char *what) {
    return pt_fail(reader->err, PT_INVALID, NULL, "must be %s", what);
}

enum pt_code epcis_read_no_room(const struct epcis_reader *reader) {
    return pt_fail(reader->err, PT_LIMIT, NULL, "the decoded document takes too much memory");
}

enum pt_code epcis_read_string(struct epcis_reader *reader, const json_t *value, const char **out) {
    if (!json_is_string(value)) return epcis_read_expected(reader, "a string");
    *out = pt_arena_strdup(reader->arena, pt_bytes_of(json_string_value(value), json_string_length(value)));
    return *out ? PT_OK : epcis_read_no_room(reader);
}

enum pt_code epcis_read_time(struct epcis_reader *reader, const json_t *value, struct pt_instant *out) {
    if (!json_is_string(value)) return epcis_read_expected(reader, "a string");
    return pt_instant_parse(pt_bytes_of(json_string_value(value), json_string_length(value)), out, reader->err);
}

// Few prefixes and namespaces name many members; one copy serves them.
static enum pt_code copy_name(struct epcis_reader *reader, struct pt_bytes text, const char **out) {
    for (size_t i = 0; i < EPCIS_READER_CACHE; i++) {
        const char *known = reader->cache[i];
        if (known && strlen(known) == text.len && memcmp(known, text.data, text.len) == 0) {
            *out = known;
            return PT_OK;
        }
    }
    *out = pt_arena_strdup(reader->arena, text);
    if (!*out) return epcis_read_no_room(reader);
    reader->cache[reader->cache_next++ % EPCIS_READER_CACHE] = *out;
    return PT_OK;
}

enum pt_code epcis_read_check_name(struct epcis_reader *reader, const char *name) {
    if (!reader->strict) return PT_OK;
    const char *colon = strchr(name, ':');
    if (!colon) return epcis_fail_at_name(reader->err, NULL, name, "there is no such field; extensions have a namespace");
    if (colon[1] && epcis_is_uri(name)) return PT_OK;
    return epcis_fail_at_name(reader->err, NULL, name, "the name of an extension must look like a URI");
}

static enum pt_code split_iri(struct epcis_reader *reader, const char *iri, struct epcis_member *out) {
    size_t cut = strlen(iri) - 1;  // a slash at the very end belongs to the name, which is never empty
    while (cut > 0 && iri[cut - 1] != '/' && iri[cut - 1] != '#') cut--;
    out->local = pt_arena_strdup(reader->arena, pt_bytes_str(iri + cut));
    if (!out->local) return epcis_read_no_room(reader);
    return copy_name(reader, pt_bytes_of(iri, cut), &out->ns);
}

enum pt_code epcis_read_name(struct epcis_reader *reader, const char *name, const struct jsonld_scope *scope,
                             struct epcis_member *out) {
    const char *colon = strchr(name, ':');
    // Behind a colon "//" begins an authority: the name is a whole IRI, not a compact one (JSON-LD 1.1, 5.2).
    if (colon && colon[1] == '/' && colon[2] == '/' && epcis_is_uri(name)) return split_iri(reader, name, out);
    const char *local = colon ? colon + 1 : name;
    bool known = false;
    if (colon) known = jsonld_prefix(scope, name, (size_t)(colon - name), &reader->scratch);
    else if (!reader->plain_names && name[0] != '@') known = jsonld_bare_name(scope, name, &reader->scratch);
    enum pt_code code = known ? copy_name(reader, pt_buf_bytes(&reader->scratch), &out->ns) : PT_OK;
    if (code == PT_OK && colon) code = copy_name(reader, pt_bytes_of(name, (size_t)(colon - name)), &out->prefix);
    if (code != PT_OK) return code;
    out->local = pt_arena_strdup(reader->arena, pt_bytes_str(local));
    return out->local ? PT_OK : epcis_read_no_room(reader);
}

static enum pt_code read_object(struct epcis_reader *reader, const json_t *object, const struct jsonld_scope *outer,
                                struct epcis_value *out) {
    const struct jsonld_scope *scope = outer;
    struct jsonld_scope own;
    const json_t *context = json_object_get(object, "@context");
    if (context) {
        const enum pt_code code = jsonld_open(&own, outer, context, false, reader->err);
        if (code != PT_OK) return epcis_error_under_name(reader->err, "@context");
        scope = &own;
    }
    out->kind = EPCIS_OBJECT_VALUE;
    out->members.items = pt_arena_alloc(reader->arena, json_object_size(object), sizeof *out->members.items);
    if (!out->members.items) return epcis_read_no_room(reader);
    const char *name;
    json_t *content;
    json_object_foreach((json_t *)(uintptr_t)object, name, content) {
        if (content == context) continue;
        struct epcis_member *member = &out->members.items[out->members.count++];
        enum pt_code code = epcis_read_name(reader, name, scope, member);
        if (code == PT_OK) code = epcis_read_value(reader, content, scope, &member->value);
        if (code != PT_OK) return epcis_error_under_name(reader->err, name);
    }
    return PT_OK;
}

static enum pt_code read_list(struct epcis_reader *reader, const json_t *list, const struct jsonld_scope *scope,
                              struct epcis_value *out) {
    out->kind = EPCIS_LIST;
    out->items = pt_arena_alloc(reader->arena, json_array_size(list), sizeof *out->items);
    if (!out->items) return epcis_read_no_room(reader);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const enum pt_code code = epcis_read_value(reader, json_array_get(list, i), scope, &out->items[out->count++]);
        if (code != PT_OK) return pt_error_under(reader->err, "/%zu", i);
    }
    return PT_OK;
}

enum pt_code epcis_read_value(struct epcis_reader *reader, const json_t *value, const struct jsonld_scope *scope,
                              struct epcis_value *out) {
    switch (json_typeof(value)) {
    case JSON_OBJECT: return read_object(reader, value, scope, out);
    case JSON_ARRAY: return read_list(reader, value, scope, out);
    case JSON_STRING: out->kind = EPCIS_TEXT; return epcis_read_string(reader, value, &out->text);
    case JSON_INTEGER:
        out->kind = EPCIS_NUMBER;
        out->number = (struct epcis_number){true, true, json_integer_value(value), (double)json_integer_value(value)};
        return PT_OK;
    case JSON_REAL:
        out->kind = EPCIS_NUMBER;
        out->number = (struct epcis_number){.present = true, .real = json_real_value(value)};
        return PT_OK;
    case JSON_TRUE:
    case JSON_FALSE:
        out->kind = EPCIS_BOOLEAN;
        out->boolean = json_is_true(value);
        return PT_OK;
    case JSON_NULL: out->kind = EPCIS_NULL; return PT_OK;
    }
    return epcis_read_expected(reader, "a JSON value");
}
