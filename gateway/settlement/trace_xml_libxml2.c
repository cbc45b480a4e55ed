#include <libxml/parser.h>
#include <libxml/tree.h>
#include <limits.h>
#include <string.h>

#include "gateway/settlement/trace_xml.h"

static enum pt_code no_memory(struct pt_error *err) { return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory"); }

// Characters of XML 1.0 (section 2.2): of the control characters only tab and line ends, and not U+FFFE and U+FFFF.
static bool xml_can_bear(const char *text) {
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c < 0x20 && *c != '\t' && *c != '\n' && *c != '\r') return false;
        if (c[0] == 0xef && c[1] == 0xbf && (c[2] == 0xbe || c[2] == 0xbf)) return false;
    }
    return true;
}

static enum pt_code set_attributes(xmlNode *node, const json_t *attributes, struct pt_error *err) {
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)attributes, name, value) {
        const char *text = json_string_value(value);
        if (!text || !xml_can_bear(text) || strlen(text) != json_string_length(value))
            return pt_fail(err, PT_INVALID, name, "has a character that XML cannot bear");
        if (!xmlNewProp(node, (const xmlChar *)name, (const xmlChar *)text)) return no_memory(err);
    }
    return PT_OK;
}

static enum pt_code add_child(xmlNode *parent, const char *name, const json_t *attributes, xmlNode **out, struct pt_error *err) {
    *out = xmlNewChild(parent, NULL, (const xmlChar *)name, NULL);
    return *out ? set_attributes(*out, attributes, err) : no_memory(err);
}

static enum pt_code build(xmlDoc *doc, const json_t *document, const json_t *event, const json_t *data, struct pt_error *err) {
    xmlNode *root = xmlNewNode(NULL, (const xmlChar *)"Document"), *events, *event_node, *field, *unused;
    if (!root) return no_memory(err);
    xmlDocSetRootElement(doc, root);
    enum pt_code code = set_attributes(root, document, err);
    if (code == PT_OK) code = add_child(root, "Events", NULL, &events, err);
    if (code == PT_OK) code = add_child(events, "Event", event, &event_node, err);
    if (code == PT_OK) code = add_child(event_node, "DataField", NULL, &field, err);
    for (size_t i = 0; i < json_array_size(data) && code == PT_OK; i++)
        code = add_child(field, "Data", json_array_get(data, i), &unused, err);
    return code;
}

enum pt_code trace_xml_write(const json_t *document, const json_t *event, const json_t *data, struct pt_buf *out,
                             struct pt_error *err) {
    xmlDoc *doc = xmlNewDoc((const xmlChar *)"1.0");
    if (!doc) return no_memory(err);
    enum pt_code code = build(doc, document, event, data, err);
    xmlChar *text = NULL;
    int len = 0;
    if (code == PT_OK) {
        xmlDocDumpMemoryEnc(doc, &text, &len, "UTF-8");
        if (!text || len < 0) code = no_memory(err);
    }
    if (code == PT_OK) {
        pt_buf_append(out, text, (size_t)len);
        code = pt_buf_check(out, err);
    }
    xmlFree(text);
    xmlFreeDoc(doc);
    return code;
}

static enum pt_code fail(struct pt_error *err, const char *where, const char *what) {
    return pt_fail(err, PT_INVALID, where, "%s", what);
}

static enum pt_code get_attributes(const xmlNode *node, json_t **out, struct pt_error *err) {
    *out = json_object();
    if (!*out) return no_memory(err);
    if (node->nsDef) return fail(err, (const char *)node->name, "namespaces are not expected");
    for (const xmlAttr *attribute = node->properties; attribute; attribute = attribute->next) {
        xmlChar *value = xmlNodeListGetString(node->doc, attribute->children, 1);
        json_t *text = json_string(value ? (const char *)value : "");
        xmlFree(value);
        if (!text || json_object_set_new(*out, (const char *)attribute->name, text) != 0) return no_memory(err);
    }
    return PT_OK;
}

// The element children: `most` at most, all of this name, nothing but blanks between them.
static enum pt_code only_children(const xmlNode *parent, const char *name, size_t most, const xmlNode **first, struct pt_error *err) {
    size_t count = 0;
    *first = NULL;
    for (const xmlNode *child = parent->children; child; child = child->next) {
        if (child->type == XML_COMMENT_NODE) continue;
        if (child->type == XML_TEXT_NODE && xmlIsBlankNode((xmlNode *)child)) continue;
        if (child->type != XML_ELEMENT_NODE || child->ns || strcmp((const char *)child->name, name) != 0)
            return pt_fail(err, PT_INVALID, (const char *)parent->name, "may only hold %s", name);
        if (++count > most) return pt_fail(err, PT_INVALID, (const char *)parent->name, "holds more than one %s", name);
        if (!*first) *first = child;
    }
    return *first ? PT_OK : pt_fail(err, PT_INVALID, (const char *)parent->name, "holds no %s", name);
}

static enum pt_code get_data(const xmlNode *first, json_t *list, struct pt_error *err) {
    for (const xmlNode *node = first; node; node = node->next) {
        if (node->type != XML_ELEMENT_NODE) continue;
        json_t *attributes = NULL;
        const enum pt_code code = get_attributes(node, &attributes, err);
        if (code != PT_OK) {
            json_decref(attributes);
            return code;
        }
        if (node->children) {
            json_decref(attributes);
            return fail(err, "Data", "must be empty");
        }
        if (json_array_append_new(list, attributes) != 0) return no_memory(err);
    }
    return PT_OK;
}

static enum pt_code get_member(const xmlNode *node, json_t *object, const char *name, struct pt_error *err) {
    json_t *attributes = NULL;
    const enum pt_code code = get_attributes(node, &attributes, err);
    if (code != PT_OK) json_decref(attributes);
    else if (json_object_set_new(object, name, attributes) != 0) return no_memory(err);
    return code;
}

static enum pt_code get_document(const xmlNode *root, json_t *object, struct pt_error *err) {
    const xmlNode *events, *event, *field, *data;
    if (root->ns || strcmp((const char *)root->name, "Document") != 0) return fail(err, "", "the root must be Document");
    enum pt_code code = get_member(root, object, "document", err);
    if (code == PT_OK) code = only_children(root, "Events", 1, &events, err);
    if (code == PT_OK) code = only_children(events, "Event", 1, &event, err);
    if (code == PT_OK) code = get_member(event, object, "event", err);
    if (code == PT_OK) code = only_children(event, "DataField", 1, &field, err);
    if (code == PT_OK) code = only_children(field, "Data", SIZE_MAX, &data, err);
    json_t *list = code == PT_OK ? json_array() : NULL;
    if (code == PT_OK && json_object_set_new(object, "data", list) != 0) code = no_memory(err);
    return code == PT_OK ? get_data(data, list, err) : code;
}

enum pt_code trace_xml_read(struct pt_bytes text, json_t **out, struct pt_error *err) {
    *out = NULL;
    if (text.len > TRACE_XML_MAX || text.len > INT_MAX) return pt_fail(err, PT_LIMIT, NULL, "the document is too large");
    xmlDoc *doc = xmlReadMemory((const char *)text.data, (int)text.len, "document.xml", NULL,
                                XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA);
    if (!doc) return fail(err, "", "not well-formed XML");
    json_t *object = json_object();
    enum pt_code code = object ? PT_OK : no_memory(err);
    const xmlNode *root = xmlDocGetRootElement(doc);
    // Without a document type there are no entities to expand, and nothing to fetch.
    if (code == PT_OK && (doc->intSubset || doc->extSubset)) code = fail(err, "", "a document type is not expected");
    if (code == PT_OK) code = root ? get_document(root, object, err) : fail(err, "", "there is no element");
    if (code == PT_OK) *out = object;
    else json_decref(object);
    xmlFreeDoc(doc);
    return code;
}
