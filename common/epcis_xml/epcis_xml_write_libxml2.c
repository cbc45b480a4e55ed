// Writing. The event's JSON form has every field under its name; it is walked in the order that the schema wants.
#include <libxml/tree.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/epcis/event_fields.h"
#include "common/epcis_xml/epcis_xml.h"
#include "common/epcis_xml/epcis_xml_shapes.h"

struct writer {
    const struct epcis_prefixes *prefixes;  // of the event under way
    xmlNode *scope;                         // where its namespaces are declared
    struct pt_error *err;
};

static enum pt_code no_memory(struct writer *writer) { return pt_fail(writer->err, PT_NO_MEMORY, NULL, "out of memory"); }

static enum pt_code write_object(struct writer *writer, xmlNode *node, const char *const *order, const json_t *object);
static enum pt_code write_member(struct writer *writer, xmlNode *parent, const char *name, const json_t *value);

// --- Texts and words ---

// The text of a string, number or truth value; false for anything else.
static bool append_scalar(struct pt_buf *out, const json_t *value) {
    if (json_is_string(value)) pt_buf_str(out, json_string_value(value));
    else if (json_is_boolean(value)) pt_buf_str(out, json_is_true(value) ? "true" : "false");
    else if (json_is_number(value)) return pt_json_append(out, value, NULL) == PT_OK;
    else return false;
    return true;
}

// Characters of XML 1.0 (section 2.2). What JSON can say and XML cannot is refused, not changed: the event is signed.
static bool can_bear(const char *text) {
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c < 0x20 && *c != '\t' && *c != '\n' && *c != '\r') return false;
        if (c[0] == 0xef && c[1] == 0xbf && c[2] >= 0xbe) return false;
    }
    return true;
}

static enum pt_code text_of(struct writer *writer, const json_t *value, int vocabulary, struct pt_buf *out) {
    pt_buf_clear(out);
    if (vocabulary != EPCIS_XML_NO_VOCABULARY && json_is_string(value)) cbv_append_uri(out, (enum cbv_vocabulary)vocabulary, json_string_value(value));
    else if (!append_scalar(out, value)) return pt_fail(writer->err, PT_INVALID, NULL, "a value that XML has no text for");
    const enum pt_code code = pt_buf_check(out, writer->err);
    if (code == PT_OK && !can_bear(pt_buf_cstr(out))) return pt_fail(writer->err, PT_INVALID, NULL, "a character that XML cannot bear");
    return code;
}

static enum pt_code add_text(struct writer *writer, xmlNode *parent, xmlNs *ns, const char *name, const json_t *value, int vocabulary, xmlNode **out) {
    PT_CLEANUP(pt_buf_free) struct pt_buf text = PT_BUF_INIT((size_t)16 * 1024 * 1024);
    const enum pt_code code = text_of(writer, value, vocabulary, &text);
    if (code != PT_OK) return pt_error_under(writer->err, "/%s", name);
    xmlNode *node = xmlNewTextChild(parent, ns, (const xmlChar *)name, (const xmlChar *)pt_buf_cstr(&text));
    if (!node) return no_memory(writer);
    if (!ns) xmlSetNs(node, NULL);  // a child would take its parent's namespace
    if (out) *out = node;
    return PT_OK;
}

static enum pt_code add_node(struct writer *writer, xmlNode *parent, xmlNs *ns, const char *name, xmlNode **out) {
    *out = xmlNewChild(parent, ns, (const xmlChar *)name, NULL);
    if (!*out) return no_memory(writer);
    if (!ns) xmlSetNs(*out, NULL);
    return PT_OK;
}

// --- Extensions ---

static const char *known_namespace(const struct epcis_prefix *prefixes, size_t count, const char *prefix, size_t len) {
    for (size_t i = count; i-- > 0;)
        if (strlen(prefixes[i].prefix) == len && memcmp(prefixes[i].prefix, prefix, len) == 0) return prefixes[i].ns;
    return NULL;
}

// In XML the vocabulary for master data has no colon at its namespace's end.
static const char *xml_namespace(const char *ns) { return ns && strcmp(ns, "urn:epcglobal:cbv:mda:") == 0 ? "urn:epcglobal:cbv:mda" : ns; }

static const char *namespace_of(const struct writer *writer, const char *prefix, size_t len) {
    static const struct epcis_prefix standard[] = {{"cbvmda", "urn:epcglobal:cbv:mda"}, {"gs1", "https://gs1.org/voc/"}, {"cbv", "https://ref.gs1.org/cbv/"},
                                                   {"rdfs", "http://www.w3.org/2000/01/rdf-schema#"}, {"owl", "http://www.w3.org/2002/07/owl#"},
                                                   {"xsd", "http://www.w3.org/2001/XMLSchema#"}, {"dcterms", "http://purl.org/dc/terms/"}};
    const char *own = known_namespace(writer->prefixes->items, writer->prefixes->count, prefix, len);
    return xml_namespace(own ? own : known_namespace(standard, sizeof standard / sizeof *standard, prefix, len));
}

static enum pt_code declare(struct writer *writer, const char *prefix, const char *href, xmlNs **out) {
    for (xmlNs *ns = writer->scope->nsDef; ns; ns = ns->next)
        if (strcmp((const char *)ns->href, href) == 0) return *out = ns, PT_OK;
    *out = xmlNewNs(writer->scope, (const xmlChar *)href, (const xmlChar *)prefix);
    return *out ? PT_OK : pt_fail(writer->err, PT_INVALID, NULL, "the prefix %.60s stands for two namespaces", prefix);
}

// "ext:name" by its prefix, a whole IRI cut behind its last '/', '#' or ':'; *local points into `name`.
static enum pt_code resolve(struct writer *writer, const char *name, xmlNs **ns, const char **local) {
    const char *colon = strchr(name, ':');
    char prefix[128], href[1024];
    *ns = NULL;
    *local = name;
    if (!colon) return PT_OK;
    const size_t len = (size_t)(colon - name);
    const char *known = len < sizeof prefix ? namespace_of(writer, name, len) : NULL;
    if (known) {
        *local = colon + 1;
        memcpy(prefix, name, len);
        prefix[len] = 0;
        return declare(writer, prefix, known, ns);
    }
    size_t cut = strlen(name);
    while (cut > 0 && !strchr("/#:", name[cut - 1])) cut--;
    if (cut >= sizeof href) return pt_fail(writer->err, PT_LIMIT, NULL, "a name of more than %zu bytes", sizeof href);
    memcpy(href, name, cut);
    href[cut] = 0;
    *local = name + cut;
    unsigned number = 1;
    do snprintf(prefix, sizeof prefix, "n%u", number++);
    while (xmlSearchNs(writer->scope->doc, writer->scope, (const xmlChar *)prefix));
    return declare(writer, prefix, href, ns);
}

static bool is_text_member(const struct writer *writer, const char *name) {
    const char *colon = strchr(name, ':');
    const char *href = colon && strcmp(colon, ":value") == 0 ? namespace_of(writer, name, (size_t)(colon - name)) : NULL;
    return href && strcmp(href, EPCIS_XML_RDF) == 0;
}

// Beside a text the other members were attributes.
static enum pt_code write_attributes(struct writer *writer, xmlNode *node, const json_t *object) {
    PT_CLEANUP(pt_buf_free) struct pt_buf text = PT_BUF_INIT((size_t)1024 * 1024);
    const char *name;
    json_t *value;
    enum pt_code code = PT_OK;
    json_object_foreach((json_t *)(uintptr_t)object, name, value) {
        xmlNs *ns;
        const char *local;
        if (code == PT_OK) code = text_of(writer, value, EPCIS_XML_NO_VOCABULARY, &text);
        if (code == PT_OK && is_text_member(writer, name)) {
            xmlNode *content = xmlNewText((const xmlChar *)pt_buf_cstr(&text));
            if (!content || !xmlAddChild(node, content)) code = no_memory(writer);
            continue;
        }
        if (code == PT_OK) code = resolve(writer, name, &ns, &local);
        if (code == PT_OK && !xmlNewNsProp(node, ns, (const xmlChar *)local, (const xmlChar *)pt_buf_cstr(&text))) code = no_memory(writer);
    }
    return code;
}

static enum pt_code write_members(struct writer *writer, xmlNode *node, const json_t *object) {
    const char *name;
    json_t *value;
    enum pt_code code = PT_OK;
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
        if (is_text_member(writer, name)) return write_attributes(writer, node, object);
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
        if (code == PT_OK) code = write_member(writer, node, name, value);
    return code;
}

static enum pt_code write_member(struct writer *writer, xmlNode *parent, const char *name, const json_t *value) {
    xmlNs *ns;
    xmlNode *node;
    const char *local;
    enum pt_code code = PT_OK;
    if (json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value) && code == PT_OK; i++) code = write_member(writer, parent, name, json_array_get(value, i));
        return code;
    }
    code = resolve(writer, name, &ns, &local);
    if (code != PT_OK || json_is_null(value)) return code;
    if (!json_is_object(value)) return add_text(writer, parent, ns, local, value, EPCIS_XML_NO_VOCABULARY, NULL);
    code = add_node(writer, parent, ns, local, &node);
    return code == PT_OK ? write_members(writer, node, value) : code;
}

// --- The standard's own shapes ---

static enum pt_code write_typed(struct writer *writer, xmlNode *node, const struct epcis_xml_field *field, const json_t *item) {
    PT_CLEANUP(pt_buf_free) struct pt_buf type = PT_BUF_INIT(65536);
    xmlNode *child;
    const json_t *word = json_object_get(item, "type");
    enum pt_code code = add_text(writer, node, NULL, field->item, json_object_get(item, field->item), EPCIS_XML_NO_VOCABULARY, &child);
    if (code == PT_OK && word) code = text_of(writer, word, field->vocabulary, &type);
    if (code == PT_OK && word && !xmlNewProp(child, (const xmlChar *)"type", (const xmlChar *)pt_buf_cstr(&type))) code = no_memory(writer);
    return code;
}

static enum pt_code write_sensor_part(struct writer *writer, xmlNode *parent, const char *name, const json_t *part) {
    PT_CLEANUP(pt_buf_free) struct pt_buf text = PT_BUF_INIT((size_t)1024 * 1024);
    xmlNode *node;
    const char *attribute;
    json_t *value;
    enum pt_code code = add_node(writer, parent, NULL, name, &node);
    json_object_foreach((json_t *)(uintptr_t)part, attribute, value) {
        xmlNs *ns;
        const char *local;
        if (code == PT_OK) code = resolve(writer, attribute, &ns, &local);
        if (code == PT_OK) code = text_of(writer, value, ns ? EPCIS_XML_NO_VOCABULARY : epcis_xml_sensor_vocabulary(attribute), &text);
        if (code == PT_OK && !xmlNewNsProp(node, ns, (const xmlChar *)local, (const xmlChar *)pt_buf_cstr(&text))) code = no_memory(writer);
    }
    return code;
}

static enum pt_code write_sensor_element(struct writer *writer, xmlNode *node, const json_t *element) {
    const json_t *metadata = json_object_get(element, "sensorMetadata"), *reports = json_object_get(element, "sensorReport");
    enum pt_code code = metadata ? write_sensor_part(writer, node, "sensorMetadata", metadata) : PT_OK;
    for (size_t i = 0; i < json_array_size(reports) && code == PT_OK; i++) code = write_sensor_part(writer, node, "sensorReport", json_array_get(reports, i));
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)element, name, value)
        if (code == PT_OK && value != metadata && value != reports) code = write_member(writer, node, name, value);
    return code;
}

static enum pt_code write_list(struct writer *writer, xmlNode *parent, const struct epcis_xml_field *field, const json_t *list) {
    xmlNode *node, *child;
    enum pt_code code = add_node(writer, parent, NULL, field->name, &node);
    for (size_t i = 0; i < json_array_size(list) && code == PT_OK; i++) {
        const json_t *item = json_array_get(list, i);
        if (field->shape == SHAPE_TEXTS) code = add_text(writer, node, NULL, field->item, item, EPCIS_XML_NO_VOCABULARY, NULL);
        else if (field->shape == SHAPE_TYPED) code = write_typed(writer, node, field, item);
        else {
            code = add_node(writer, node, NULL, field->item, &child);
            if (code == PT_OK && field->shape == SHAPE_SENSORS) code = write_sensor_element(writer, child, item);
            else if (code == PT_OK) code = write_object(writer, child, epcis_xml_group_order(field->item), item);
        }
    }
    return code;
}

static enum pt_code write_field(struct writer *writer, xmlNode *parent, const struct epcis_xml_field *field, const json_t *value) {
    xmlNode *node;
    enum pt_code code = PT_OK;
    switch (field->shape) {
    case SHAPE_TEXT: case SHAPE_NUMBER: return add_text(writer, parent, NULL, field->name, value, field->vocabulary, NULL);
    case SHAPE_REPEATED:
        if (!json_is_array(value)) return add_text(writer, parent, NULL, field->name, value, field->vocabulary, NULL);
        for (size_t i = 0; i < json_array_size(value) && code == PT_OK; i++)
            code = add_text(writer, parent, NULL, field->name, json_array_get(value, i), field->vocabulary, NULL);
        return code;
    case SHAPE_GROUP: case SHAPE_MEMBERS:
        code = add_node(writer, parent, NULL, field->name, &node);
        if (code != PT_OK) return code;
        return field->shape == SHAPE_MEMBERS ? write_members(writer, node, value) : write_object(writer, node, epcis_xml_group_order(field->name), value);
    default: return write_list(writer, parent, field, value);
    }
}

static bool is_among(const char *const *names, const char *name) {
    while (*names && strcmp(*names, name) != 0) names++;
    return *names != NULL;
}

// The standard's fields in their order, then the extensions.
static enum pt_code write_object(struct writer *writer, xmlNode *node, const char *const *order, const json_t *object) {
    enum pt_code code = PT_OK;
    for (const char *const *name = order; *name && code == PT_OK; name++) {
        const json_t *value = json_object_get(object, *name);
        if (value) code = write_field(writer, node, epcis_xml_field_named(*name), value);
    }
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
        if (code == PT_OK && strchr(name, ':') && !is_among(order, name)) code = write_member(writer, node, name, value);
    return code;
}

static enum pt_code write_event(const struct epcis_event *event, xmlNode *list, struct pt_error *err) {
    struct writer writer = {.prefixes = &event->prefixes, .err = err};
    PT_JSON json_t *object = NULL;
    enum pt_code code = epcis_json_from_event(event, &object, err);
    if (code == PT_OK) code = add_node(&writer, list, NULL, epcis_event_type_name(event->type), &writer.scope);
    // Prefixes occur in values, too: all that the event knows are declared.
    for (size_t i = 0; i < event->prefixes.count && code == PT_OK; i++) {
        const struct epcis_prefix *prefix = &event->prefixes.items[i];
        xmlNs *ns;
        if (prefix->ns[0]) code = declare(&writer, prefix->prefix, xml_namespace(prefix->ns), &ns);
    }
    return code == PT_OK ? write_object(&writer, writer.scope, epcis_xml_event_order(event->type), object) : code;
}

// --- Documents ---

static enum pt_code set_attribute(struct writer *writer, xmlNode *node, const char *name, const char *value) {
    return xmlNewProp(node, (const xmlChar *)name, (const xmlChar *)value) ? PT_OK : no_memory(writer);
}

static enum pt_code open_document(struct writer *writer, xmlDoc *doc, const struct epcis_document *document, xmlNode **list) {
    PT_CLEANUP(pt_buf_free) struct pt_buf date = PT_BUF_INIT(64);
    const bool query = document->kind == EPCIS_QUERY_DOCUMENT;
    xmlNode *root = xmlNewNode(NULL, (const xmlChar *)(query ? "EPCISQueryDocument" : "EPCISDocument")), *body, *results;
    if (!root) return no_memory(writer);
    xmlDocSetRootElement(doc, root);
    xmlNs *ns = query ? xmlNewNs(root, (const xmlChar *)"urn:epcglobal:epcis-query:xsd:2", (const xmlChar *)"epcisq")
                      : xmlNewNs(root, (const xmlChar *)"urn:epcglobal:epcis:xsd:2", (const xmlChar *)"epcis");
    if (!ns) return no_memory(writer);
    xmlSetNs(root, ns);
    if (document->has_creation_date) pt_instant_append(&date, &document->creation_date);
    enum pt_code code = set_attribute(writer, root, "schemaVersion", "2.0");
    if (code == PT_OK && date.len) code = set_attribute(writer, root, "creationDate", pt_buf_cstr(&date));
    if (code == PT_OK) code = add_node(writer, root, NULL, "EPCISBody", &body);
    if (code != PT_OK || !query) return code == PT_OK ? add_node(writer, body, NULL, "EventList", list) : code;
    code = add_node(writer, body, ns, "QueryResults", &results);
    if (code == PT_OK && !xmlNewTextChild(results, NULL, (const xmlChar *)"queryName", (const xmlChar *)(document->query_name ? document->query_name : "SimpleEventQuery")))
        code = no_memory(writer);
    if (code == PT_OK && document->subscription_id && !xmlNewTextChild(results, NULL, (const xmlChar *)"subscriptionID", (const xmlChar *)document->subscription_id))
        code = no_memory(writer);
    for (xmlNode *child = code == PT_OK ? results->children : NULL; child; child = child->next) xmlSetNs(child, NULL);
    if (code == PT_OK) code = add_node(writer, results, NULL, "resultsBody", &results);
    return code == PT_OK ? add_node(writer, results, NULL, "EventList", list) : code;
}

enum pt_code epcis_xml_encode(const struct epcis_document *document, struct pt_buf *out, struct pt_error *err) {
    struct writer writer = {.err = err};
    xmlDoc *doc = xmlNewDoc((const xmlChar *)"1.0");
    xmlNode *list = NULL;
    if (!doc) return no_memory(&writer);
    enum pt_code code = open_document(&writer, doc, document, &list);
    for (size_t i = 0; i < document->event_count && code == PT_OK; i++) {
        code = write_event(&document->events[i], list, err);
        if (code != PT_OK) pt_error_under(err, "/eventList/%zu", i);
    }
    xmlChar *text = NULL;
    int len = 0;
    if (code == PT_OK) {
        xmlDocDumpMemoryEnc(doc, &text, &len, "UTF-8");
        if (text) pt_buf_append(out, text, (size_t)len);
        code = text ? pt_buf_check(out, err) : no_memory(&writer);
    }
    xmlFree(text);
    xmlFreeDoc(doc);
    return code;
}
