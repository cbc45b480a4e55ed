// GS1 Digital Link URIs (URI Syntax standard 1.4): from any domain to elements, and the canonical form back.
#ifndef PACKTRAIL_COMMON_IDENTIFY_GS1_DIGITAL_LINK_H
#define PACKTRAIL_COMMON_IDENTIFY_GS1_DIGITAL_LINK_H

#include "common/identify/gs1_element.h"
#include "common/identify/warnings.h"

#define GS1_CANONICAL_STEM "https://id.gs1.org"

// Whether the text starts like a web URI (http:// or https://, in any case).
bool gs1_is_web_uri(struct pt_bytes text);

// Parses into `out`: the primary key, its qualifiers in order, then (with GS1_CONTENT only) the AI attributes of the
// query. Words for AIs ("gtin", "lot", "ser") and GTINs shorter than 14 digits are accepted with a warning.
// PT_INVALID with the offset in `uri`; PT_NOT_FOUND when it is a web URI but has no GS1 primary key in its path.
// `warnings` may be NULL.
enum pt_code gs1_digital_link_parse(struct pt_bytes uri, enum gs1_depth depth, struct gs1_elements *out,
                                    struct identify_warnings *warnings, struct pt_error *err) PT_NODISCARD;

// Appends https://id.gs1.org/{key}/{value}/{qualifier}/{value}…?{AI}={value}&… for elements in any order: the first
// primary key with those of its qualifiers that do not mix, and every other attribute in AI order.
// PT_INVALID when there is no primary key or an element has no place in a Digital Link.
enum pt_code gs1_digital_link_compose(const struct gs1_elements *elements, struct pt_buf *out,
                                      struct pt_error *err) PT_NODISCARD;

// Appends the finest identifier alone: the key and the last of its qualifiers (never the consumer product variant),
// without query. This is the form in which EPCIS events name things and in which they are hashed.
enum pt_code gs1_digital_link_finest(const struct gs1_elements *elements, struct pt_buf *out,
                                     struct pt_error *err) PT_NODISCARD;

#endif
