// The trace platform's document: Document / Events / Event / DataField / Data, everything in attributes.
#ifndef PACKTRAIL_GATEWAY_SETTLEMENT_TRACE_XML_H
#define PACKTRAIL_GATEWAY_SETTLEMENT_TRACE_XML_H

#include "common/base/json.h"

#define TRACE_XML_MAX ((size_t)4 * 1024 * 1024)

// `document`: the attributes of Document; `event`: those of Event ("Name", "MainAction"); `data`: a list with the
// attributes of each Data. Objects of texts; attributes stand in the order of the members. Appends UTF-8 with an XML
// declaration. PT_INVALID: a text with a character that XML cannot bear.
enum pt_code trace_xml_write(const json_t *document, const json_t *event, const json_t *data, struct pt_buf *out,
                             struct pt_error *err) PT_NODISCARD;

// Reads such a document: {"document":{…},"event":{…},"data":[{…}]}; *out is a new reference. Strict: no document type, no
// entities of its own, no namespaces, no text, no other elements.
enum pt_code trace_xml_read(struct pt_bytes text, json_t **out, struct pt_error *err) PT_NODISCARD;

#endif
