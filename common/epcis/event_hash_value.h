// Values as the event hash writes them (CBV 2.0 section 8.9.2, rules 5 to 9 and 14 to 18). Inside of event_hash.c.
#ifndef PACKTRAIL_COMMON_EPCIS_EVENT_HASH_VALUE_H
#define PACKTRAIL_COMMON_EPCIS_EVENT_HASH_VALUE_H

#include "common/epcis/cbv.h"
#include "common/epcis/event.h"

// The text without white space (Unicode's) at its ends; no bytes for NULL.
struct pt_bytes hash_trimmed(const char *text);

// Whether a trimmed text is a URI that is written as it stands, by the looks of it: the common case of the hot path.
bool hash_is_canonical_uri(struct pt_bytes text);

// Appends a trimmed text: CBV URNs, compact IRIs (of `prefixes` and of GS1), numbers, EPC URNs and Digital Links in their
// canonical form, anything else unchanged.
void hash_append_text(struct pt_buf *out, const struct epcis_prefixes *prefixes, struct pt_bytes text);

// Appends a word of a vocabulary (any spelling) as its URI, anything else as hash_append_text.
void hash_append_word(struct pt_buf *out, const struct epcis_prefixes *prefixes, enum cbv_vocabulary vocabulary,
                      struct pt_bytes text);

// Without exponent, leading or trailing zeros; every digit that the double needs.
void hash_append_number(struct pt_buf *out, const struct epcis_number *number);

#endif
