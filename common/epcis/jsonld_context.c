#include "common/epcis/jsonld_context.h"

#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/epcis/epcis_check.h"

#define MAX_DEFINITION_STEPS 8  // a prefix defined by a prefix, and so on

static const struct {
    const char *prefix, *ns;
} standard_prefixes[] = {
    {"epcis", "https://ref.gs1.org/epcis/"},
    {"cbv", "https://ref.gs1.org/cbv/"},
    {"cbvmda", "urn:epcglobal:cbv:mda:"},
    {"gs1", "https://gs1.org/voc/"},
    {"rdfs", "http://www.w3.org/2000/01/rdf-schema#"},
    {"owl", "http://www.w3.org/2002/07/owl#"},
    {"xsd", "http://www.w3.org/2001/XMLSchema#"},
    {"dcterms", "http://purl.org/dc/terms/"},
};

const char *jsonld_standard_prefix(const char *prefix, size_t len) {
    for (size_t i = 0; i < sizeof standard_prefixes / sizeof *standard_prefixes; i++)
        if (strlen(standard_prefixes[i].prefix) == len && memcmp(standard_prefixes[i].prefix, prefix, len) == 0)
            return standard_prefixes[i].ns;
    return NULL;
}

static enum pt_code check_entry(const json_t *entry, bool strict, struct pt_error *err) {
    if (json_is_object(entry) || (!strict && json_is_null(entry))) return PT_OK;
    if (!json_is_string(entry)) return pt_fail(err, PT_INVALID, NULL, "a context is a URI or an object");
    if (strict) return epcis_check_text(RULE_URI, json_string_value(entry), err);
    return PT_OK;
}

static enum pt_code check_entries(const json_t *context, bool strict, struct pt_error *err) {
    const size_t count = json_array_size(context);
    if (count > JSONLD_MAX_CONTEXTS)
        return pt_fail(err, PT_LIMIT, NULL, "%zu contexts in one place, at most %u are taken", count, JSONLD_MAX_CONTEXTS);
    for (size_t i = 0; i < count; i++) {
        enum pt_code code = check_entry(json_array_get(context, i), strict, err);
        for (size_t j = 0; strict && code == PT_OK && j < i; j++)
            if (json_equal(json_array_get(context, i), json_array_get(context, j)))
                code = pt_fail(err, PT_INVALID, NULL, "the same context occurs twice");
        if (code != PT_OK) {
            pt_error_under(err, "/%zu", i);
            return code;
        }
    }
    return PT_OK;
}

enum pt_code jsonld_open(struct jsonld_scope *scope, const struct jsonld_scope *outer, const json_t *context, bool strict,
                         struct pt_error *err) {
    *scope = (struct jsonld_scope){outer, context, outer ? outer->depth + 1 : 0};
    if (scope->depth > JSONLD_MAX_CONTEXTS)
        return pt_fail(err, PT_LIMIT, NULL, "more than %u contexts within one another", JSONLD_MAX_CONTEXTS);
    if (!context) return PT_OK;
    return json_is_array(context) ? check_entries(context, strict, err) : check_entry(context, strict, err);
}

// The definition of a term in force; *undefined if a context takes it, or all of them, away.
static const json_t *find_term(const struct jsonld_scope *scope, const char *term, size_t len, bool *undefined) {
    *undefined = false;
    for (; scope; scope = scope->outer) {
        const bool many = json_is_array(scope->context);
        for (size_t i = many ? json_array_size(scope->context) : 1; i-- > 0;) {
            const json_t *entry = many ? json_array_get(scope->context, i) : scope->context;
            const json_t *found = json_object_getn(entry, term, len);
            *undefined = json_is_null(entry) || json_is_null(found);
            if (*undefined) return NULL;
            if (found) return found;
        }
    }
    return NULL;
}

static const char *definition_text(const json_t *definition) {
    if (json_is_object(definition)) definition = json_object_get(definition, "@id");
    const char *text = json_string_value(definition);
    return text && text[0] != '@' ? text : NULL;
}

static bool resolve(const struct jsonld_scope *scope, const char *prefix, size_t len, int steps, struct pt_buf *out) {
    bool undefined;
    const json_t *definition = find_term(scope, prefix, len, &undefined);
    if (!definition) {
        const char *standard = jsonld_standard_prefix(prefix, len);
        if (standard) pt_buf_str(out, standard);
        return standard != NULL;
    }
    const char *text = definition_text(definition);
    if (!text) return false;
    // A definition may itself be a compact IRI; a prefix that is not defined is a URI's scheme.
    const char *colon = strchr(text, ':');
    if (colon && strncmp(colon, "://", 3) != 0 && steps < MAX_DEFINITION_STEPS &&
        !(len == (size_t)(colon - text) && memcmp(prefix, text, len) == 0) &&
        resolve(scope, text, (size_t)(colon - text), steps + 1, out)) {
        pt_buf_str(out, colon + 1);
        return true;
    }
    pt_buf_str(out, text);
    return true;
}

bool jsonld_prefix(const struct jsonld_scope *scope, const char *prefix, size_t len, struct pt_buf *out) {
    pt_buf_clear(out);
    return resolve(scope, prefix, len, 0, out) && !out->failed;
}

bool jsonld_bare_name(const struct jsonld_scope *scope, const char *name, struct pt_buf *out) {
    pt_buf_clear(out);
    bool undefined;
    const size_t len = strlen(name);
    const json_t *definition = find_term(scope, name, len, &undefined);
    if (undefined) return false;
    if (definition_text(definition)) {
        // The namespace is what stands before the name; an IRI that does not end in the name has none for us.
        if (!resolve(scope, name, len, 0, out) || out->failed || out->len <= len) return false;
        if (memcmp(out->data + out->len - len, name, len) != 0) return false;
        out->len -= len;
        return true;
    }
    const char *vocabulary = json_string_value(find_term(scope, "@vocab", strlen("@vocab"), &undefined));
    if (!vocabulary || vocabulary[0] == 0) return false;
    pt_buf_str(out, vocabulary);
    return !out->failed;
}

struct collector {
    const struct jsonld_scope *scope;
    json_t *seen;  // from prefix to namespace; null for what has none of its own
    struct pt_buf ns;
    bool failed;
    size_t found;
};

static void collect_prefix(struct collector *c, const char *text) {
    const char *colon = strchr(text, ':');
    // Behind a colon "//" begins an authority: a whole IRI, not a compact one.
    if (!colon || colon == text || (colon[1] == '/' && colon[2] == '/')) return;
    const size_t len = (size_t)(colon - text);
    if (json_object_getn(c->seen, text, len)) return;
    json_t *meaning = json_null();
    if (jsonld_prefix(c->scope, text, len, &c->ns)) {
        const char *standard = jsonld_standard_prefix(text, len);
        if (!standard || strcmp(standard, pt_buf_cstr(&c->ns)) != 0) {
            meaning = json_string(pt_buf_cstr(&c->ns));
            c->found++;
        }
    }
    if (json_object_setn_new(c->seen, text, len, meaning) != 0) c->failed = true;
}

static void collect(struct collector *c, const json_t *value) {
    const char *text = json_string_value(value);
    if (text) collect_prefix(c, text);
    for (size_t i = 0; i < json_array_size(value); i++) collect(c, json_array_get(value, i));
    if (!json_is_object(value)) return;
    const char *name;
    json_t *content;
    json_object_foreach((json_t *)(uintptr_t)value, name, content) {
        if (strcmp(name, "@context") == 0 || strcmp(name, "eventList") == 0) continue;
        collect_prefix(c, name);
        collect(c, content);
    }
}

static enum pt_code copy_prefixes(const struct collector *c, struct pt_arena *arena, struct epcis_prefixes *out,
                                  struct pt_error *err) {
    out->items = pt_arena_alloc(arena, c->found, sizeof *out->items);
    if (!out->items) return pt_fail(err, PT_LIMIT, NULL, "the contexts take too much memory");
    const char *prefix;
    json_t *ns;
    json_object_foreach(c->seen, prefix, ns) {
        if (json_is_null(ns)) continue;
        const struct epcis_prefix copy = {pt_arena_strdup(arena, pt_bytes_str(prefix)),
                                          pt_arena_strdup(arena, pt_bytes_str(json_string_value(ns)))};
        if (!copy.prefix || !copy.ns) return pt_fail(err, PT_LIMIT, NULL, "the contexts take too much memory");
        out->items[out->count++] = copy;
    }
    return PT_OK;
}

static bool defines_anything(const struct jsonld_scope *scope) {
    for (; scope; scope = scope->outer) {
        if (json_object_size(scope->context) > 0) return true;
        for (size_t i = 0; i < json_array_size(scope->context); i++)
            if (json_is_object(json_array_get(scope->context, i))) return true;
    }
    return false;
}

enum pt_code jsonld_used_prefixes(const struct jsonld_scope *scope, const json_t *value, struct pt_arena *arena,
                                  struct epcis_prefixes *out, struct pt_error *err) {
    *out = (struct epcis_prefixes){0};
    if (!defines_anything(scope)) return PT_OK;
    PT_JSON json_t *seen = json_object();
    if (!seen) return pt_fail(err, PT_NO_MEMORY, NULL, "no memory for a context");
    struct collector c = {.scope = scope, .seen = seen, .ns = PT_BUF_INIT(65536)};
    collect(&c, value);
    pt_buf_free(&c.ns);
    if (c.failed) return pt_fail(err, PT_NO_MEMORY, NULL, "no memory for a context");
    return c.found > 0 ? copy_prefixes(&c, arena, out, err) : PT_OK;
}
