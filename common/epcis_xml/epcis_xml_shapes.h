// Which field of EPCIS has which shape in XML; reading and writing walk the same table.
#ifndef PACKTRAIL_COMMON_EPCIS_XML_EPCIS_XML_SHAPES_H
#define PACKTRAIL_COMMON_EPCIS_XML_EPCIS_XML_SHAPES_H

#include "common/epcis/cbv.h"
#include "common/epcis/event.h"

#define EPCIS_XML_NO_VOCABULARY (-1)
#define EPCIS_XML_RDF "http://www.w3.org/1999/02/22-rdf-syntax-ns#"  // rdf:value: the text of an element that has attributes, too

enum epcis_xml_shape {
    SHAPE_TEXT,      // <a>text</a>
    SHAPE_TEXTS,     // <a><item>text</item>…</a> as ["text"]
    SHAPE_REPEATED,  // <a>text</a><a>text</a> as "text" or ["text", "text"]
    SHAPE_NUMBER,
    SHAPE_GROUP,     // <a><b>…</b></a> as {"b": …}
    SHAPE_OBJECTS,   // <a><item>…</item>…</a> as [{…}]
    SHAPE_TYPED,     // <a><item type="t">text</item>…</a> as [{"type": t, item: text}]
    SHAPE_SENSORS,
    SHAPE_MEMBERS,   // extensions only
    SHAPE_UNWRAP,    // what EPCIS 1.2 puts its later additions into
};

struct epcis_xml_field {
    const char *name;
    enum epcis_xml_shape shape;
    int vocabulary;    // enum cbv_vocabulary of its text or its items' type, or EPCIS_XML_NO_VOCABULARY
    const char *item;  // name of the elements of a list
};

// NULL if there is no field of that name.
const struct epcis_xml_field *epcis_xml_field_named(const char *name);

// The fields of an event, of a group or of a list's item in the order of the standard's schema; ends with NULL.
const char *const *epcis_xml_event_order(enum epcis_event_type type);
const char *const *epcis_xml_group_order(const char *name);

// The vocabulary of a sensor report's attribute.
int epcis_xml_sensor_vocabulary(const char *attribute);

#endif
