// EPCIS as XML (1.2 and 2.0), in and out. XML comes in as the JSON-LD document that says the same, so that one decoder, one set of
// rules and one form of signed bytes serve both; it goes out from that form.
#ifndef PACKTRAIL_COMMON_EPCIS_XML_EPCIS_XML_H
#define PACKTRAIL_COMMON_EPCIS_XML_EPCIS_XML_H

#include "common/base/json.h"
#include "common/epcis/epcis_json.h"

// An EPCISDocument, EPCISQueryDocument or single event of at most `max` bytes as JSON-LD (EPCIS 2.0). CBV words become bare words,
// namespaces prefixes of the @context; what EPCIS 1.2 wraps in `extension` and `baseExtension` is unwrapped. Nothing is
// fetched; a document type declaration that declares anything is refused. PT_INVALID with the line in err->where for XML that is broken or
// that JSON cannot say; whether it is good EPCIS is for epcis_json_decode to tell. *out is a new reference.
enum pt_code epcis_xml_read(struct pt_bytes xml, size_t max, json_t **out, struct pt_error *err) PT_NODISCARD;

// Reads and decodes: `json` (appended) is the document as JSON-LD, *out what it says, in `arena`. err->where is the line, or the JSON
// Pointer of the field in that document.
enum pt_code epcis_xml_decode(struct pt_bytes xml, size_t max, enum epcis_strictness strictness, struct pt_arena *arena,
                              struct pt_buf *json, struct epcis_document *out, struct pt_error *err) PT_NODISCARD;

// Appends the document as EPCIS 2.0 XML; CBV words as URIs. It is valid by the standard's schema if the document has a creation date and its
// events are fit for capture. PT_INVALID for what XML cannot bear (control characters). Which fields are ignored when hashing XML cannot say.
enum pt_code epcis_xml_encode(const struct epcis_document *document, struct pt_buf *out, struct pt_error *err) PT_NODISCARD;

#endif
