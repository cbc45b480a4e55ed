// Reading. The schema of EPCIS 2.0 XML (section 9 of the standard) and its JSON binding say the same in other shapes; the tables
// below tell which element is of which shape.
#include <errno.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/epcis_xml/epcis_xml.h"
#include "common/epcis_xml/epcis_xml_shapes.h"

enum { DEPTH_MOST = 60, PREFIXES_MOST = 64 };

#define CONTEXT_ADDRESS "https://ref.gs1.org/standards/epcis/epcis-context.jsonld"

struct prefix {
    char *name;
    const char *ns;  // belongs to the XML tree
};

struct reader {
    struct prefix prefixes[PREFIXES_MOST];
    size_t prefix_count;
    struct pt_error *err;
};

static enum pt_code read_event(struct reader *reader, const xmlNode *node, unsigned depth, json_t *event);

// --- Elements and their texts ---

static const char *name_of(const xmlNode *node) { return (const char *)node->name; }
static bool is_named(const xmlNode *node, const char *name) { return strcmp(name_of(node), name) == 0; }

static enum pt_code fail_at(struct reader *reader, const xmlNode *node, enum pt_code code, const char *what) {
    char where[64];
    snprintf(where, sizeof where, "line %ld", xmlGetLineNo(node));
    return pt_fail(reader->err, code, where, "<%.60s> %s", name_of(node), what);
}

static enum pt_code no_memory(struct reader *reader) { return pt_fail(reader->err, PT_NO_MEMORY, NULL, "out of memory"); }

static const xmlNode *next_element(const xmlNode *node) {
    while (node && node->type != XML_ELEMENT_NODE) node = node->next;
    return node;
}
#define EACH_ELEMENT(child, parent) const xmlNode *child = next_element((parent)->children); child; child = next_element((child)->next)

static const xmlNode *child_named(const xmlNode *node, const char *name) {
    for (EACH_ELEMENT(child, node))
        if (is_named(child, name)) return child;
    return NULL;
}

// A new JSON string without the blanks around it; NULL without memory.
static json_t *trimmed(const char *text) {
    size_t len = strlen(text);
    while (len && strchr(" \t\r\n", *text)) text++, len--;
    while (len && strchr(" \t\r\n", text[len - 1])) len--;
    return json_stringn(text, len);
}

static json_t *text_of(const xmlNode *node) {
    xmlChar *content = xmlNodeGetContent(node);
    json_t *text = content ? trimmed((const char *)content) : NULL;
    xmlFree(content);
    return text;
}

// A number stays text where it is none: the decoder of the JSON form then says what is wrong.
static json_t *number_of(json_t *take) {
    PT_JSON json_t *owned = take;
    const char *text = json_string_value(owned);
    if (!text || !*text) return json_incref(owned);
    char *end;
    errno = 0;
    const long long integer = strtoll(text, &end, 10);
    if (!*end && errno == 0) return json_integer(integer);
    if (strspn(text, "+-.0123456789eE") != strlen(text)) return json_incref(owned);
    const double real = strtod(text, &end);
    json_t *number = *end ? NULL : json_real(real);  // NULL for what is not finite
    return number ? number : json_incref(owned);
}

// The bare word, where the text is one of the vocabulary in any spelling.
static json_t *word_of(json_t *take, int vocabulary) {
    if (vocabulary == EPCIS_XML_NO_VOCABULARY || !take) return take;
    // GS1's own XML examples have this spelling of the Web Vocabulary's address.
    static const char old_address[] = "https://ref.gs1.org/voc/";
    const char *text = json_string_value(take);
    if (strncmp(text, old_address, strlen(old_address)) == 0) text += strlen(old_address);
    const char *word = cbv_word((enum cbv_vocabulary)vocabulary, text);
    if (!word) return take;
    json_decref(take);
    return json_string(word);
}

static enum pt_code put(struct reader *reader, const xmlNode *node, json_t *object, const char *name, json_t *take) {
    if (!take) return no_memory(reader);
    if (json_object_get(object, name)) {
        json_decref(take);
        return fail_at(reader, node, PT_INVALID, "occurs twice");
    }
    return json_object_set_new(object, name, take) == 0 ? PT_OK : no_memory(reader);
}

// --- Names with a namespace ---

static bool is_standard(const xmlNs *ns) {
    return !ns || strncmp((const char *)ns->href, "urn:epcglobal:epcis", strlen("urn:epcglobal:epcis")) == 0;
}

static bool is_taken(const struct reader *reader, const char *name) {
    static const char *const reserved[] = {"epcis", "cbv", "cbvmda", "gs1", "rdfs", "owl", "xsd", "dcterms"};
    for (size_t i = 0; i < reader->prefix_count; i++)
        if (strcmp(reader->prefixes[i].name, name) == 0) return true;
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        if (strcmp(reserved[i], name) == 0) return true;
    return false;
}

static const char *known_prefix(const struct reader *reader, const char *ns) {
    for (size_t i = 0; i < reader->prefix_count; i++)
        if (strcmp(reader->prefixes[i].ns, ns) == 0) return reader->prefixes[i].name;
    return NULL;
}

// One prefix a namespace in the whole document, that of its first use where no other namespace has it.
static const char *prefix_of(struct reader *reader, const char *wanted, const char *ns) {
    char made[16];
    const char *known = known_prefix(reader, ns);
    if (known || reader->prefix_count == PREFIXES_MOST) return known;
    for (unsigned number = 1; !wanted || is_taken(reader, wanted); number++) {
        snprintf(made, sizeof made, "ns%u", number);
        wanted = made;
    }
    struct prefix *prefix = &reader->prefixes[reader->prefix_count];
    *prefix = (struct prefix){strdup(wanted), ns};
    if (!prefix->name) return NULL;
    reader->prefix_count++;
    return prefix->name;
}

static enum pt_code full_name(struct reader *reader, const xmlNode *at, const xmlNs *ns, const char *local, char out[256]) {
    const char *href = (const char *)ns->href;
    // The vocabulary for master data has its own prefix, and in XML no colon at its namespace's end.
    const bool master = strcmp(href, "urn:epcglobal:cbv:mda") == 0 || strcmp(href, "urn:epcglobal:cbv:mda:") == 0;
    const char *prefix = master ? "cbvmda" : prefix_of(reader, (const char *)ns->prefix, href);
    if (!prefix) return fail_at(reader, at, PT_LIMIT, "brings more namespaces than are taken");
    if (snprintf(out, 256, "%s:%s", prefix, local) >= 256) return fail_at(reader, at, PT_LIMIT, "has a name that is too long");
    return PT_OK;
}

// Prefixes are also used in values ("ext:step"): what is declared on an element counts as used.
static enum pt_code note_declarations(struct reader *reader, const xmlNode *node) {
    for (const xmlNs *ns = node->nsDef; ns; ns = ns->next) {
        const char *href = (const char *)ns->href;
        const bool ours = is_standard(ns) || !ns->prefix || strncmp(href, "http://www.w3.org/2001/XMLSchema", 32) == 0 || strstr(href, "StandardBusinessDocumentHeader");
        if (!ours && strncmp(href, "urn:epcglobal:cbv:mda", 21) != 0 && !is_taken(reader, (const char *)ns->prefix) && !known_prefix(reader, href) &&
            !prefix_of(reader, (const char *)ns->prefix, href))
            return fail_at(reader, node, PT_LIMIT, "brings more namespaces than are taken");
    }
    return PT_OK;
}

// --- Extensions: JSON objects of their children, text otherwise ---

static enum pt_code add_member(struct reader *reader, json_t *object, const char *name, json_t *take) {
    json_t *first = json_object_get(object, name);
    int failed;
    if (!take) return no_memory(reader);
    if (!first) failed = json_object_set_new(object, name, take);
    else if (json_is_array(first)) failed = json_array_append_new(first, take);
    else {
        json_t *list = json_pack("[O, o]", first, take);
        failed = !list || json_object_set_new(object, name, list);
    }
    return failed ? no_memory(reader) : PT_OK;
}

static enum pt_code read_extension(struct reader *reader, const xmlNode *node, unsigned depth, json_t *object);

static enum pt_code read_children(struct reader *reader, const xmlNode *node, unsigned depth, json_t *object) {
    enum pt_code code = PT_OK;
    for (EACH_ELEMENT(child, node))
        if (code == PT_OK) code = read_extension(reader, child, depth + 1, object);
    return code;
}

static bool is_instance(const xmlNs *ns) { return ns && strcmp((const char *)ns->href, "http://www.w3.org/2001/XMLSchema-instance") == 0; }

static enum pt_code read_extension_attributes(struct reader *reader, const xmlNode *node, json_t *object) {
    enum pt_code code = PT_OK;
    for (const xmlAttr *attribute = node->properties; code == PT_OK && attribute; attribute = attribute->next) {
        char name[256];
        if (is_instance(attribute->ns)) continue;
        const xmlNs *ns = attribute->ns ? attribute->ns : node->ns;
        if (ns) code = full_name(reader, node, ns, (const char *)attribute->name, name);
        else snprintf(name, sizeof name, "%.250s", (const char *)attribute->name);
        xmlChar *text = xmlNodeListGetString(node->doc, attribute->children, 1);
        if (code == PT_OK) code = add_member(reader, object, name, trimmed(text ? (const char *)text : ""));
        xmlFree(text);
    }
    return code;
}

// An element without content says nothing and is left out.
static enum pt_code read_extension(struct reader *reader, const xmlNode *node, unsigned depth, json_t *object) {
    char name[256];
    if (depth > DEPTH_MOST) return fail_at(reader, node, PT_LIMIT, "lies too deep");
    enum pt_code code = note_declarations(reader, node);
    if (code != PT_OK) return code;
    // Within an extension names need no namespace.
    if (node->ns) code = full_name(reader, node, node->ns, name_of(node), name);
    else if (snprintf(name, sizeof name, "%s", name_of(node)) >= (int)sizeof name) code = fail_at(reader, node, PT_LIMIT, "has a name that is too long");
    if (code != PT_OK) return code;
    PT_JSON json_t *members = json_object(), *text = next_element(node->children) ? NULL : text_of(node);
    if (!members) return no_memory(reader);
    code = read_extension_attributes(reader, node, members);
    if (code == PT_OK) code = read_children(reader, node, depth, members);
    if (code != PT_OK) return code;
    const bool says = text && json_string_length(text);
    if (says && !json_object_size(members)) return add_member(reader, object, name, json_incref(text));
    if (says) {
        const char *prefix = prefix_of(reader, "rdf", EPCIS_XML_RDF);
        char member[32];
        if (!prefix) return fail_at(reader, node, PT_LIMIT, "brings more namespaces than are taken");
        snprintf(member, sizeof member, "%.20s:value", prefix);
        code = add_member(reader, members, member, json_incref(text));
        if (code != PT_OK) return code;
    }
    return json_object_size(members) ? add_member(reader, object, name, json_incref(members)) : PT_OK;
}

// --- The standard's own shapes ---

static enum pt_code expect_item(struct reader *reader, const xmlNode *node, const char *item) {
    return is_named(node, item) ? PT_OK : fail_at(reader, node, PT_INVALID, "does not belong here");
}

static enum pt_code read_texts(struct reader *reader, const xmlNode *node, const char *item, json_t *list) {
    enum pt_code code = PT_OK;
    for (EACH_ELEMENT(child, node)) {
        if (code == PT_OK) code = expect_item(reader, child, item);
        if (code == PT_OK && json_array_append_new(list, text_of(child)) != 0) code = no_memory(reader);
    }
    return code;
}

static enum pt_code read_typed(struct reader *reader, const xmlNode *node, const char *item, int vocabulary, json_t *list) {
    enum pt_code code = PT_OK;
    for (EACH_ELEMENT(child, node)) {
        if (code == PT_OK) code = expect_item(reader, child, item);
        PT_JSON json_t *object = json_object();
        xmlChar *type = xmlGetNoNsProp(child, (const xmlChar *)"type");
        if (code == PT_OK && type) code = put(reader, child, object, "type", word_of(trimmed((const char *)type), vocabulary));
        xmlFree(type);
        if (code == PT_OK) code = put(reader, child, object, item, text_of(child));
        if (code == PT_OK && json_array_append(list, object) != 0) code = no_memory(reader);
    }
    return code;
}

static enum pt_code read_objects(struct reader *reader, const xmlNode *node, const char *item, unsigned depth, json_t *list) {
    enum pt_code code = PT_OK;
    for (EACH_ELEMENT(child, node)) {
        if (code == PT_OK) code = expect_item(reader, child, item);
        PT_JSON json_t *object = json_object();
        if (code == PT_OK) code = read_event(reader, child, depth + 1, object);
        if (code == PT_OK && json_array_append(list, object) != 0) code = no_memory(reader);
    }
    return code;
}

// Several are a list, one stands alone; `set` and `unset` are lists always.
static enum pt_code read_repeated(struct reader *reader, const xmlNode *node, int vocabulary, json_t *object) {
    json_t *text = word_of(text_of(node), vocabulary);
    if (text && vocabulary != EPCIS_XML_NO_VOCABULARY && !json_object_get(object, name_of(node))) {
        json_t *list = json_pack("[o]", text);
        return put(reader, node, object, name_of(node), list);
    }
    return add_member(reader, object, name_of(node), text);
}

// --- Sensors: what they say stands in attributes ---

static json_t *attribute_value(const char *name, const char *text) {
    static const char *const numbers[] = {"value", "minValue", "maxValue", "meanValue", "sDev", "percRank", "percValue"};
    json_t *value = trimmed(text);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (strcmp(name, numbers[i]) == 0) return number_of(value);
    if (strcmp(name, "booleanValue") != 0) return word_of(value, epcis_xml_sensor_vocabulary(name));
    const char *word = json_string_value(value);
    const bool yes = word && (strcmp(word, "true") == 0 || strcmp(word, "1") == 0), no = word && (strcmp(word, "false") == 0 || strcmp(word, "0") == 0);
    if (!yes && !no) return value;
    json_decref(value);
    return json_boolean(yes);
}

static enum pt_code read_attributes(struct reader *reader, const xmlNode *node, json_t *object) {
    enum pt_code code = note_declarations(reader, node);
    for (const xmlAttr *attribute = node->properties; code == PT_OK && attribute; attribute = attribute->next) {
        char name[256];
        if (attribute->ns) code = full_name(reader, node, attribute->ns, (const char *)attribute->name, name);
        else snprintf(name, sizeof name, "%.250s", (const char *)attribute->name);
        xmlChar *text = xmlNodeListGetString(node->doc, attribute->children, 1);
        if (code == PT_OK) code = put(reader, node, object, name, attribute_value(name, text ? (const char *)text : ""));
        xmlFree(text);
    }
    return code;
}

static enum pt_code read_sensor_element(struct reader *reader, const xmlNode *node, unsigned depth, json_t *element) {
    enum pt_code code = note_declarations(reader, node);
    PT_JSON json_t *reports = json_array();
    for (EACH_ELEMENT(child, node)) {
        const bool metadata = is_standard(child->ns) && is_named(child, "sensorMetadata"), report = is_standard(child->ns) && is_named(child, "sensorReport");
        if (code != PT_OK) break;
        if (is_standard(child->ns) && is_named(child, "extension")) code = read_children(reader, child, depth + 1, element);
        else if (is_standard(child->ns) && !metadata && !report) code = fail_at(reader, child, PT_INVALID, "is no field of EPCIS");
        else if (!metadata && !report) code = read_extension(reader, child, depth + 1, element);
        else {
            PT_JSON json_t *object = json_object();
            code = read_attributes(reader, child, object);
            if (code == PT_OK && metadata) code = put(reader, child, element, "sensorMetadata", json_incref(object));
            if (code == PT_OK && report && json_array_append(reports, object) != 0) code = no_memory(reader);
        }
    }
    return code == PT_OK && json_array_size(reports) ? put(reader, node, element, "sensorReport", json_incref(reports)) : code;
}

static enum pt_code read_sensors(struct reader *reader, const xmlNode *node, unsigned depth, json_t *list) {
    enum pt_code code = PT_OK;
    for (EACH_ELEMENT(child, node)) {
        if (code == PT_OK) code = expect_item(reader, child, "sensorElement");
        PT_JSON json_t *element = json_object();
        if (code == PT_OK) code = read_sensor_element(reader, child, depth + 1, element);
        if (code == PT_OK && json_array_append(list, element) != 0) code = no_memory(reader);
    }
    return code;
}

// --- Events ---

static enum pt_code read_list(struct reader *reader, const xmlNode *node, const struct epcis_xml_field *field, unsigned depth, json_t *object) {
    PT_JSON json_t *list = json_array();
    enum pt_code code;
    if (field->shape == SHAPE_TEXTS) code = read_texts(reader, node, field->item, list);
    else if (field->shape == SHAPE_TYPED) code = read_typed(reader, node, field->item, field->vocabulary, list);
    else if (field->shape == SHAPE_SENSORS) code = read_sensors(reader, node, depth, list);
    else code = read_objects(reader, node, field->item, depth, list);
    return code == PT_OK ? put(reader, node, object, name_of(node), json_incref(list)) : code;
}

// xsi:nil, or nothing: the quantity is not known.
static enum pt_code read_number(struct reader *reader, const xmlNode *node, json_t *object) {
    json_t *text = text_of(node);
    if (!text || json_string_length(text)) return put(reader, node, object, name_of(node), text ? number_of(text) : NULL);
    json_decref(text);
    return PT_OK;
}

static enum pt_code read_group(struct reader *reader, const xmlNode *node, bool members, unsigned depth, json_t *object) {
    PT_JSON json_t *group = json_object();
    const enum pt_code code = members ? read_children(reader, node, depth, group) : read_event(reader, node, depth + 1, group);
    return code == PT_OK ? put(reader, node, object, name_of(node), json_incref(group)) : code;
}

static enum pt_code read_field(struct reader *reader, const xmlNode *node, unsigned depth, json_t *object) {
    if (!is_standard(node->ns)) return read_extension(reader, node, depth, object);
    const struct epcis_xml_field *field = epcis_xml_field_named(name_of(node));
    if (!field) return fail_at(reader, node, PT_INVALID, "is no field of EPCIS");
    switch (field->shape) {
    case SHAPE_TEXT: return put(reader, node, object, name_of(node), word_of(text_of(node), field->vocabulary));
    case SHAPE_NUMBER: return read_number(reader, node, object);
    case SHAPE_REPEATED: return read_repeated(reader, node, field->vocabulary, object);
    case SHAPE_GROUP: case SHAPE_MEMBERS: return read_group(reader, node, field->shape == SHAPE_MEMBERS, depth, object);
    case SHAPE_UNWRAP: return read_event(reader, node, depth + 1, object);
    default: return read_list(reader, node, field, depth, object);
    }
}

static enum pt_code read_event(struct reader *reader, const xmlNode *node, unsigned depth, json_t *event) {
    if (depth > DEPTH_MOST) return fail_at(reader, node, PT_LIMIT, "lies too deep");
    enum pt_code code = note_declarations(reader, node);
    for (EACH_ELEMENT(child, node))
        if (code == PT_OK) code = read_field(reader, child, depth, event);
    return code;
}

static enum pt_code read_typed_event(struct reader *reader, const xmlNode *node, json_t **out) {
    *out = json_pack("{s:s}", "type", name_of(node));
    return *out ? read_event(reader, node, 1, *out) : no_memory(reader);
}

// EPCIS 1.2 wraps TransformationEvents in `extension`.
static enum pt_code read_events(struct reader *reader, const xmlNode *node, unsigned depth, json_t *list) {
    enum pt_code code = depth > 3 ? fail_at(reader, node, PT_LIMIT, "lies too deep") : note_declarations(reader, node);
    for (EACH_ELEMENT(child, node)) {
        if (code != PT_OK) break;
        if (is_named(child, "extension")) {
            code = read_events(reader, child, depth + 1, list);
            continue;
        }
        json_t *event = NULL;
        code = read_typed_event(reader, child, &event);
        if (json_array_append_new(list, event) != 0 && code == PT_OK) code = no_memory(reader);
    }
    return code;
}

// --- Master data in the header ---

static enum pt_code copy_attribute(struct reader *reader, const xmlNode *node, const char *name, json_t *object) {
    xmlChar *text = xmlGetNoNsProp(node, (const xmlChar *)name);
    const enum pt_code code = text ? put(reader, node, object, name, trimmed((const char *)text)) : PT_OK;
    xmlFree(text);
    return code;
}

static enum pt_code read_vocabulary_element(struct reader *reader, const xmlNode *node, json_t *element) {
    PT_JSON json_t *attributes = json_array(), *children = json_array();
    enum pt_code code = copy_attribute(reader, node, "id", element);
    for (EACH_ELEMENT(child, node)) {
        if (code != PT_OK) break;
        if (is_named(child, "children")) {
            code = read_texts(reader, child, "id", children);
            continue;
        }
        if (!is_named(child, "attribute")) continue;  // extensions of the master data are not ours to keep
        PT_JSON json_t *attribute = json_object(), *content = json_object();
        code = copy_attribute(reader, child, "id", attribute);
        if (code == PT_OK && next_element(child->children)) code = read_children(reader, child, 2, content);
        if (code == PT_OK) code = put(reader, child, attribute, "attribute", json_object_size(content) ? json_incref(content) : text_of(child));
        if (code == PT_OK && json_array_append(attributes, attribute) != 0) code = no_memory(reader);
    }
    if (code == PT_OK && json_array_size(attributes)) code = put(reader, node, element, "attributes", json_incref(attributes));
    if (code == PT_OK && json_array_size(children)) code = put(reader, node, element, "children", json_incref(children));
    return code;
}

static enum pt_code read_vocabulary(struct reader *reader, const xmlNode *node, json_t *vocabulary) {
    PT_JSON json_t *elements = json_array();
    const xmlNode *list = child_named(node, "VocabularyElementList");
    enum pt_code code = copy_attribute(reader, node, "type", vocabulary);
    if (!list) return code;
    for (EACH_ELEMENT(child, list)) {
        PT_JSON json_t *element = json_object();
        if (code == PT_OK) code = read_vocabulary_element(reader, child, element);
        if (code == PT_OK && json_array_append(elements, element) != 0) code = no_memory(reader);
    }
    return code == PT_OK ? put(reader, list, vocabulary, "vocabularyElementList", json_incref(elements)) : code;
}

static enum pt_code read_master_data(struct reader *reader, const xmlNode *node, json_t *document) {
    PT_JSON json_t *vocabularies = json_array();
    const xmlNode *list = child_named(node, "VocabularyList");
    enum pt_code code = PT_OK;
    if (!list) return PT_OK;
    for (EACH_ELEMENT(child, list)) {
        PT_JSON json_t *vocabulary = json_object();
        if (code == PT_OK) code = read_vocabulary(reader, child, vocabulary);
        if (code == PT_OK && json_array_append(vocabularies, vocabulary) != 0) code = no_memory(reader);
    }
    if (code != PT_OK) return code;
    return put(reader, node, document, "epcisHeader", json_pack("{s:{s:O}}", "epcisMasterData", "vocabularyList", vocabularies));
}

static enum pt_code read_business_header(struct reader *reader, const xmlNode *node, json_t *document) {
    const xmlNode *sender = child_named(node, "Sender"), *receiver = child_named(node, "Receiver"), *about = child_named(node, "DocumentIdentification");
    const struct {
        const char *name;
        const xmlNode *node;
    } members[] = {{"sender", sender ? child_named(sender, "Identifier") : NULL},
                   {"receiver", receiver ? child_named(receiver, "Identifier") : NULL},
                   {"instanceIdentifier", about ? child_named(about, "InstanceIdentifier") : NULL}};
    enum pt_code code = PT_OK;
    for (size_t i = 0; i < 3 && code == PT_OK; i++)
        if (members[i].node) code = put(reader, members[i].node, document, members[i].name, text_of(members[i].node));
    return code;
}

static enum pt_code read_header(struct reader *reader, const xmlNode *header, json_t *document) {
    enum pt_code code = PT_OK;
    for (EACH_ELEMENT(child, header)) {
        const xmlNode *master = is_named(child, "extension") ? child_named(child, "EPCISMasterData") : is_named(child, "EPCISMasterData") ? child : NULL;
        if (code != PT_OK) break;
        if (is_named(child, "StandardBusinessDocumentHeader")) code = read_business_header(reader, child, document);
        else if (master) code = read_master_data(reader, master, document);
    }
    return code;
}

// --- Documents ---

static enum pt_code read_results(struct reader *reader, const xmlNode *results, json_t *events, json_t *body) {
    const xmlNode *list = child_named(results, "resultsBody");
    list = list ? child_named(list, "EventList") : NULL;
    enum pt_code code = PT_OK;
    PT_JSON json_t *object = json_object();
    static const char *const texts[] = {"queryName", "subscriptionID"};
    for (size_t i = 0; i < 2 && code == PT_OK; i++) {
        const xmlNode *node = child_named(results, texts[i]);
        if (node) code = put(reader, node, object, texts[i], text_of(node));
    }
    if (code == PT_OK && list) code = read_events(reader, list, 1, events);
    if (code == PT_OK) code = put(reader, results, object, "resultsBody", json_pack("{s:O}", "eventList", events));
    return code == PT_OK ? put(reader, results, body, "queryResults", json_incref(object)) : code;
}

static enum pt_code read_body(struct reader *reader, const xmlNode *root, json_t *document) {
    const xmlNode *body = child_named(root, "EPCISBody");
    PT_JSON json_t *events = json_array(), *object = json_object();
    if (!body) return fail_at(reader, root, PT_INVALID, "has no EPCISBody");
    const xmlNode *list = child_named(body, "EventList"), *results = child_named(body, "QueryResults");
    enum pt_code code = PT_OK;
    if (results) code = read_results(reader, results, events, object);
    else {
        if (list) code = read_events(reader, list, 1, events);
        if (code == PT_OK) code = put(reader, body, object, "eventList", json_incref(events));
    }
    return code == PT_OK ? put(reader, body, document, "epcisBody", json_incref(object)) : code;
}

static enum pt_code read_document(struct reader *reader, const xmlNode *root, json_t *document) {
    const xmlNode *header = child_named(root, "EPCISHeader");
    enum pt_code code = note_declarations(reader, root);
    // What 1.2 says in its own version is said as 2.0 from here on.
    if (code == PT_OK) code = put(reader, root, document, "schemaVersion", json_string("2.0"));
    if (code == PT_OK) code = copy_attribute(reader, root, "creationDate", document);
    if (code == PT_OK && header) code = read_header(reader, header, document);
    if (code == PT_OK) code = read_body(reader, root, document);
    // Extensions of the document stand beside its body.
    for (EACH_ELEMENT(child, root))
        if (code == PT_OK && !is_standard(child->ns)) code = read_extension(reader, child, 1, document);
    return code;
}

static enum pt_code add_context(struct reader *reader, json_t *document) {
    json_t *context = json_pack("[s]", CONTEXT_ADDRESS), *own = json_object();
    for (size_t i = 0; i < reader->prefix_count; i++) json_object_set_new(own, reader->prefixes[i].name, json_string(reader->prefixes[i].ns));
    const bool named = json_object_size(own) > 0;
    if (named) json_array_append_new(context, own);
    else json_decref(own);
    return json_object_set_new(document, "@context", context) == 0 ? PT_OK : no_memory(reader);
}

static enum pt_code read_root(struct reader *reader, const xmlNode *root, json_t **out) {
    const bool document = is_named(root, "EPCISDocument") || is_named(root, "EPCISQueryDocument");
    if (document && (!root->ns || !is_standard(root->ns))) return fail_at(reader, root, PT_INVALID, "is not in a namespace of EPCIS");
    *out = json_object();
    enum pt_code code = *out ? add_context(reader, *out) : no_memory(reader);  // first for the eye; filled in at the end
    if (code == PT_OK) code = put(reader, root, *out, "type", json_string(name_of(root)));
    if (code == PT_OK) code = document ? read_document(reader, root, *out) : read_event(reader, root, 1, *out);
    return code == PT_OK ? add_context(reader, *out) : code;
}

static void free_prefixes(struct reader *reader) {
    for (size_t i = 0; i < reader->prefix_count; i++) free(reader->prefixes[i].name);
}

enum pt_code epcis_xml_read(struct pt_bytes xml, size_t max, json_t **out, struct pt_error *err) {
    PT_CLEANUP(free_prefixes) struct reader reader = {.err = err};
    *out = NULL;
    if (xml.len > max || xml.len > INT32_MAX) return pt_fail(err, PT_LIMIT, NULL, "the document has more than %zu bytes", max);
    xmlDoc *doc = xmlReadMemory((const char *)xml.data, (int)xml.len, NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA);
    if (!doc) {
        const xmlError *why = xmlGetLastError();
        char where[64];
        snprintf(where, sizeof where, "line %d", why ? why->line : 0);
        return pt_fail(err, PT_INVALID, where, "no well-formed XML: %.*s", why && why->message ? (int)strcspn(why->message, "\n") : 0, why && why->message ? why->message : "");
    }
    const xmlNode *root = xmlDocGetRootElement(doc);
    // Entities are a way to make much of little, and files of names; EPCIS needs none. (Some of GS1's examples bear a bare DOCTYPE.)
    const xmlDtd *type = doc->intSubset;
    const bool declares = doc->extSubset || (type && (type->children || type->ExternalID || type->SystemID));
    enum pt_code code = declares ? pt_fail(err, PT_INVALID, "line 1", "a document type declaration is not taken") : PT_OK;
    if (code == PT_OK) code = root ? read_root(&reader, root, out) : pt_fail(err, PT_INVALID, NULL, "no element");
    xmlFreeDoc(doc);
    if (code != PT_OK) {
        json_decref(*out);
        *out = NULL;
    }
    return code;
}

enum pt_code epcis_xml_decode(struct pt_bytes xml, size_t max, enum epcis_strictness strictness, struct pt_arena *arena,
                              struct pt_buf *json, struct epcis_document *out, struct pt_error *err) {
    PT_JSON json_t *document = NULL;
    const size_t before = json->len;
    enum pt_code code = epcis_xml_read(xml, max, &document, err);
    if (code == PT_OK) code = pt_json_append(json, document, err);
    if (code != PT_OK) return code;
    return epcis_json_decode(pt_bytes_of(json->data + before, json->len - before), json->len, strictness, arena, out, err);
}
