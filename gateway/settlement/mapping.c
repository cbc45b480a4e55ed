#include "gateway/settlement/mapping.h"

#include <stdio.h>
#include <string.h>

#include "gateway/settlement/template.h"

const char *platform_name(enum platform platform) { return platform == PLATFORM_TRACE ? "trace" : "insurer"; }

bool platform_named(const char *name, enum platform *out) {
    for (unsigned i = 0; i < PLATFORMS; i++) {
        if (strcmp(name, platform_name((enum platform)i)) != 0) continue;
        *out = (enum platform)i;
        return true;
    }
    return false;
}

static enum pt_code fail_at(struct pt_error *err, const char *name, const char *what) {
    pt_fail(err, PT_INVALID, NULL, "%s", what);
    return pt_error_under(err, "/%.80s", name);
}

// A member of this type; *out NULL where an optional one is missing.
static enum pt_code member(const json_t *object, const char *name, json_type type, bool required, const json_t **out,
                           struct pt_error *err) {
    static const char *const wanted[] = {"must be an object", "must be a list", "must be a text"};
    *out = json_object_get(object, name);
    if (!*out) return required ? fail_at(err, name, "is missing") : PT_OK;
    if (json_typeof(*out) == type) return PT_OK;
    return fail_at(err, name, wanted[type]);
}

static enum pt_code text_member(const json_t *object, const char *name, bool required, const char **out, struct pt_error *err) {
    const json_t *value;
    const enum pt_code code = member(object, name, JSON_STRING, required, &value, err);
    *out = json_string_value(value);
    return code;
}

static enum pt_code texts_member(const json_t *object, const char *name, bool required, const json_t **out, struct pt_error *err) {
    const enum pt_code code = member(object, name, JSON_ARRAY, required, out, err);
    for (size_t i = 0; code == PT_OK && *out && i < json_array_size(*out); i++)
        if (!json_is_string(json_array_get(*out, i))) {
            pt_fail(err, PT_INVALID, NULL, "must be a text");
            return pt_error_under(err, "/%s/%zu", name, i);
        }
    return code;
}

// Members that nobody reads are mistakes: a misspelt name would silently do nothing.
static enum pt_code only(const json_t *object, const char *const *names, struct pt_error *err) {
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)object, name, value) {
        bool known = strcmp(name, "comment") == 0;
        for (size_t i = 0; !known && names[i]; i++) known = strcmp(name, names[i]) == 0;
        if (!known) return fail_at(err, name, "there is no such member here");
    }
    return PT_OK;
}

#define ONLY(object, ...) only((object), (const char *const[]){__VA_ARGS__, NULL}, err)

// --- How answers are read ---

static enum pt_code pointer_member(const json_t *object, const char *name, bool required, const char **out, struct pt_error *err) {
    const enum pt_code code = text_member(object, name, required, out, err);
    if (code == PT_OK && *out && (*out)[0] != '/') return fail_at(err, name, "must be a JSON Pointer, such as \"/infcode\"");
    return code;
}

static enum pt_code read_transport(const json_t *object, struct answer_rules *out, struct pt_error *err) {
    enum pt_code code = ONLY(object, "at", "good", "again", "code", "text");
    if (code == PT_OK) code = pointer_member(object, "at", true, &out->transport_at, err);
    if (code == PT_OK) code = texts_member(object, "good", true, &out->good, err);
    if (code == PT_OK) code = texts_member(object, "again", false, &out->again, err);
    if (code == PT_OK) code = pointer_member(object, "code", false, &out->transport_code, err);
    if (code == PT_OK) code = pointer_member(object, "text", false, &out->transport_text, err);
    return code;
}

static enum pt_code read_business(const json_t *object, bool asked, struct answer_rules *out, struct pt_error *err) {
    enum pt_code code = ONLY(object, "at", "accepted", "refused", "pending", "absent", "code", "text");
    if (code == PT_OK) code = pointer_member(object, "at", true, &out->business_at, err);
    if (code == PT_OK) code = texts_member(object, "accepted", true, &out->accepted, err);
    if (code == PT_OK) code = texts_member(object, "refused", true, &out->refused, err);
    if (code == PT_OK) code = texts_member(object, "pending", false, &out->pending, err);
    if (code == PT_OK) code = texts_member(object, "absent", asked, &out->absent, err);
    if (code == PT_OK && out->absent && !asked) code = fail_at(err, "absent", "only the answer to a question can say this");
    if (code == PT_OK) code = pointer_member(object, "code", false, &out->business_code, err);
    if (code == PT_OK) code = pointer_member(object, "text", false, &out->business_text, err);
    return code;
}

static enum pt_code read_answer(const json_t *platform, bool asked, struct answer_rules *out, struct pt_error *err) {
    const json_t *answer, *part;
    enum pt_code code = member(platform, "answer", JSON_OBJECT, true, &answer, err);
    if (code != PT_OK) return code;
    code = ONLY(answer, "transport", "business");
    if (code == PT_OK) code = member(answer, "transport", JSON_OBJECT, true, &part, err);
    if (code == PT_OK && read_transport(part, out, err) != PT_OK) code = pt_error_under(err, "/transport");
    if (code == PT_OK) code = member(answer, "business", JSON_OBJECT, true, &part, err);
    if (code == PT_OK && read_business(part, asked, out, err) != PT_OK) code = pt_error_under(err, "/business");
    return code == PT_OK ? code : pt_error_under(err, "/answer");
}

static enum pt_code read_codes(const json_t *platform, unsigned *out, struct pt_error *err) {
    static const char *const names[] = {"cn-trace", "cn-company", "gs1"};
    const json_t *codes;
    const enum pt_code code = texts_member(platform, "codes", true, &codes, err);
    for (size_t i = 0; code == PT_OK && i < json_array_size(codes); i++) {
        unsigned bit = 0;
        for (unsigned n = 0; n < 3; n++)
            if (strcmp(json_string_value(json_array_get(codes, i)), names[n]) == 0) bit = 1u << n;
        if (!bit) return fail_at(err, "codes", "kinds of codes are cn-trace, cn-company and gs1");
        *out |= bit;
    }
    return code;
}

static enum pt_code path_member(const json_t *object, const char **out, struct pt_error *err) {
    const enum pt_code code = text_member(object, "path", true, out, err);
    return code != PT_OK || (*out)[0] == '/' ? code : fail_at(err, "path", "must begin with a slash");
}

static enum pt_code read_send(const json_t *send, struct mapping_platform *out, struct pt_error *err) {
    enum pt_code code = ONLY(send, "path", "answer");
    if (code == PT_OK) code = path_member(send, &out->send_path, err);
    return code == PT_OK ? read_answer(send, false, &out->sent, err) : code;
}

static enum pt_code read_ask(const json_t *ask, struct mapping_platform *out, struct pt_error *err) {
    enum pt_code code = ONLY(ask, "path", "body", "answer");
    if (code == PT_OK) code = path_member(ask, &out->ask_path, err);
    if (code == PT_OK) code = member(ask, "body", JSON_OBJECT, true, &out->ask_body, err);
    if (code == PT_OK && template_check(out->ask_body, false, err) != PT_OK) code = pt_error_under(err, "/body");
    return code == PT_OK ? read_answer(ask, true, &out->asked, err) : code;
}

// What both platforms have.
static enum pt_code read_platform(const json_t *platform, struct mapping_platform *out, struct pt_error *err) {
    const json_t *part;
    enum pt_code code = read_codes(platform, &out->codes, err);
    if (code == PT_OK) code = member(platform, "send", JSON_OBJECT, true, &part, err);
    if (code == PT_OK && read_send(part, out, err) != PT_OK) code = pt_error_under(err, "/send");
    if (code == PT_OK) code = member(platform, "ask", JSON_OBJECT, true, &part, err);
    if (code == PT_OK && read_ask(part, out, err) != PT_OK) code = pt_error_under(err, "/ask");
    return code;
}

// --- The trace platform's document ---

static enum pt_code check_attributes(const json_t *object, const char *name, enum scope scope, struct pt_error *err) {
    const char *attribute;
    json_t *spec;
    json_object_foreach((json_t *)object, attribute, spec) {
        enum pt_code code = PT_OK;
        const size_t letters = strspn(attribute, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
        if (!attribute[0] || attribute[letters] || (attribute[0] >= '0' && attribute[0] <= '9'))
            code = pt_fail(err, PT_INVALID, NULL, "is no name of an attribute");
        else if (!json_is_string(spec)) code = pt_fail(err, PT_INVALID, NULL, "must be a source (a text)");
        else code = source_check(json_string_value(spec), scope, err);
        if (code != PT_OK) return pt_error_under(err, "/%s/%.60s", name, attribute);
    }
    return PT_OK;
}

static enum pt_code check_documents(const json_t *documents, struct pt_error *err) {
    const char *number;
    json_t *document;
    json_object_foreach((json_t *)documents, number, document) {
        const char *unused;
        unsigned kind = 0;
        enum pt_code code = PT_OK;
        if (strlen(number) != 3 || sscanf(number, "%3u", &kind) != 1 || !cn_document_by_kind(kind))
            code = pt_fail(err, PT_INVALID, NULL, "there is no such kind of document");
        if (code == PT_OK && !json_is_object(document)) code = pt_fail(err, PT_INVALID, NULL, "must be an object");
        if (code == PT_OK) code = ONLY(document, "Name", "MainAction");
        if (code == PT_OK) code = text_member(document, "Name", true, &unused, err);
        if (code == PT_OK) code = text_member(document, "MainAction", true, &unused, err);
        if (code != PT_OK) return pt_error_under(err, "/documents/%.8s", number);
    }
    return PT_OK;
}

static enum pt_code read_trace(const json_t *trace, struct mapping *out, struct pt_error *err) {
    enum pt_code code = ONLY(trace, "codes", "send", "ask", "document", "data", "documents");
    if (code == PT_OK) code = read_platform(trace, &out->platforms[PLATFORM_TRACE], err);
    if (code == PT_OK) code = member(trace, "document", JSON_OBJECT, true, &out->xml_document, err);
    if (code == PT_OK) code = check_attributes(out->xml_document, "document", SCOPE_DOCUMENT, err);
    if (code == PT_OK) code = member(trace, "data", JSON_OBJECT, true, &out->xml_data, err);
    if (code == PT_OK) code = check_attributes(out->xml_data, "data", SCOPE_PACK, err);
    if (code == PT_OK) code = member(trace, "documents", JSON_OBJECT, true, &out->documents, err);
    return code == PT_OK ? check_documents(out->documents, err) : code;
}

// --- The insurer's interfaces ---

static enum pt_code read_insurer(const json_t *insurer, struct mapping *out, struct pt_error *err) {
    const char *number;
    json_t *template;
    enum pt_code code = ONLY(insurer, "codes", "send", "ask", "envelope", "interfaces");
    if (code == PT_OK) code = read_platform(insurer, &out->platforms[PLATFORM_INSURER], err);
    if (code == PT_OK) code = member(insurer, "envelope", JSON_OBJECT, true, &out->envelope, err);
    if (code == PT_OK && template_check(out->envelope, true, err) != PT_OK) code = pt_error_under(err, "/envelope");
    if (code == PT_OK) code = member(insurer, "interfaces", JSON_OBJECT, true, &out->interfaces, err);
    if (code != PT_OK) return code;
    json_object_foreach((json_t *)out->interfaces, number, template)
        if (template_check(template, false, err) != PT_OK) return pt_error_under(err, "/interfaces/%.20s", number);
    return PT_OK;
}

// --- Which event leads to what ---

static enum pt_code read_output(const struct mapping *mapping, const json_t *kind, enum platform platform, struct mapping_output *out,
                                struct pt_error *err) {
    const json_t *object;
    enum pt_code code = member(kind, platform_name(platform), JSON_OBJECT, false, &object, err);
    if (code != PT_OK || !object) return code;
    code = ONLY(object, "as", "undo");
    if (code == PT_OK) code = text_member(object, "as", true, &out->as, err);
    if (code == PT_OK) code = text_member(object, "undo", false, &out->undo, err);
    const json_t *known = platform == PLATFORM_TRACE ? mapping->documents : mapping->interfaces;
    const char *where = platform == PLATFORM_TRACE ? "is not among /trace/documents" : "is not among /insurer/interfaces";
    if (code == PT_OK && !json_object_get(known, out->as)) code = fail_at(err, "as", where);
    if (code == PT_OK && out->undo && !json_object_get(known, out->undo)) code = fail_at(err, "undo", where);
    return code == PT_OK ? code : pt_error_under(err, "/%s", platform_name(platform));
}

static enum pt_code read_kinds(struct mapping *out, struct pt_error *err) {
    const json_t *kinds;
    const char *number;
    json_t *object;
    enum pt_code code = member(out->root, "kinds", JSON_OBJECT, true, &kinds, err);
    if (code != PT_OK) return code;
    json_object_foreach((json_t *)kinds, number, object) {
        struct mapping_kind *kind = &out->kinds[out->kind_count];
        if (strlen(number) != 3 || sscanf(number, "%3u", &kind->kind) != 1 || !cn_document_by_kind(kind->kind))
            code = pt_fail(err, PT_INVALID, NULL, "there is no such kind of document");
        if (code == PT_OK && !json_is_object(object)) code = pt_fail(err, PT_INVALID, NULL, "must be an object");
        if (code == PT_OK) code = ONLY(object, "trace", "insurer");
        for (unsigned p = 0; p < PLATFORMS && code == PT_OK; p++) code = read_output(out, object, (enum platform)p, &kind->outputs[p], err);
        if (code != PT_OK) return pt_error_under(err, "/kinds/%.8s", number);
        out->kind_count++;
    }
    return PT_OK;
}

static enum pt_code read_site(struct mapping *out, struct pt_error *err) {
    const char *name;
    json_t *value;
    const enum pt_code code = member(out->root, "site", JSON_OBJECT, true, &out->site, err);
    if (code != PT_OK) return code;
    json_object_foreach((json_t *)out->site, name, value) if (!json_is_string(value)) {
        fail_at(err, name, "must be a text");
        return pt_error_under(err, "/site");
    }
    return PT_OK;
}

static enum pt_code read_all(struct mapping *out, struct pt_error *err) {
    const json_t *part;
    if (!json_is_object(out->root)) return pt_fail(err, PT_INVALID, NULL, "must be an object");
    enum pt_code code = only(out->root, (const char *const[]){"site", "places", "uncoded", "kinds", "trace", "insurer", NULL}, err);
    if (code == PT_OK) code = read_site(out, err);
    if (code == PT_OK) code = texts_member(out->root, "places", false, &out->places, err);
    if (code == PT_OK) code = texts_member(out->root, "uncoded", false, &out->uncoded, err);
    if (code == PT_OK) code = member(out->root, "trace", JSON_OBJECT, true, &part, err);
    if (code == PT_OK && read_trace(part, out, err) != PT_OK) code = pt_error_under(err, "/trace");
    if (code == PT_OK) code = member(out->root, "insurer", JSON_OBJECT, true, &part, err);
    if (code == PT_OK && read_insurer(part, out, err) != PT_OK) code = pt_error_under(err, "/insurer");
    return code == PT_OK ? read_kinds(out, err) : code;
}

// A source "site.x" that the site does not have would make every report fail: said at the start.
static enum pt_code check_site_names(const json_t *node, const json_t *site, struct pt_error *err) {
    const char *name;
    json_t *value;
    if (json_is_string(node) && strncmp(json_string_value(node), "site.", 5) == 0) {
        const char *wanted = json_string_value(node) + 5;
        const size_t len = strcspn(wanted, "|?#");
        char key[128];
        if (wanted[len] || len >= sizeof key) return PT_OK;
        snprintf(key, sizeof key, "%s", wanted);
        if (json_object_get(site, key)) return PT_OK;
        return pt_fail(err, PT_INVALID, NULL, "/site has no member \"%s\"", key);
    }
    json_object_foreach((json_t *)node, name, value)
        if (check_site_names(value, site, err) != PT_OK) return pt_error_under(err, "/%.60s", name);
    for (size_t i = 0; i < json_array_size(node); i++)
        if (check_site_names(json_array_get(node, i), site, err) != PT_OK) return pt_error_under(err, "/%zu", i);
    return PT_OK;
}

enum pt_code mapping_parse(struct pt_bytes text, struct mapping *out, struct pt_error *err) {
    *out = (struct mapping){0};
    enum pt_code code = pt_json_parse(text, MAPPING_MAX, &out->root, err);
    if (code == PT_OK) code = read_all(out, err);
    if (code == PT_OK) code = check_site_names(out->root, out->site, err);
    if (code != PT_OK) mapping_free(out);
    return code;
}

void mapping_free(struct mapping *mapping) {
    json_decref(mapping->root);
    *mapping = (struct mapping){0};
}

const struct mapping_kind *mapping_kind_of(const struct mapping *mapping, unsigned kind) {
    for (size_t i = 0; i < mapping->kind_count; i++)
        if (mapping->kinds[i].kind == kind) return &mapping->kinds[i];
    return NULL;
}

bool mapping_has_place(const struct mapping *mapping, const char *place) {
    if (!mapping->places) return true;
    for (size_t i = 0; place && i < json_array_size(mapping->places); i++)
        if (strcmp(json_string_value(json_array_get(mapping->places, i)), place) == 0) return true;
    return false;
}
