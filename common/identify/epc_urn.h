// EPC URNs (Tag Data Standard 2.x sections 6 and 7): pure identities, LGTIN classes and identity patterns of all GS1
// keys, to element strings and back.
#ifndef PACKTRAIL_COMMON_IDENTIFY_EPC_URN_H
#define PACKTRAIL_COMMON_IDENTIFY_EPC_URN_H

#include "common/identify/gs1_element.h"

#define EPC_PREFIX_MIN 6u // digits of a GS1 Company Prefix in an EPC
#define EPC_PREFIX_MAX 12u

enum epc_level {
    EPC_INSTANCE, // urn:epc:id:…
    EPC_CLASS,    // urn:epc:class:… and urn:epc:idpat:…
};

// Whether the text starts with urn:epc: in any case.
bool epc_is_urn(struct pt_bytes text);

// Parses into elements (check digits computed); *level may be NULL, *prefix_length (digits of the company prefix)
// too. PT_INVALID with the offset; PT_NOT_FOUND for schemes that are no GS1 keys (gid, usdod, adi, bic, imovn, …).
enum pt_code epc_urn_parse(struct pt_bytes urn, enum gs1_depth depth, struct gs1_elements *out, enum epc_level *level,
                           unsigned *prefix_length, struct pt_error *err) PT_NODISCARD;

// Appends the URN of the first GS1 key among the elements: urn:epc:id:… when it names one thing, else
// urn:epc:class:lgtin:… (GTIN with lot) or urn:epc:idpat:….*. prefix_length: 6 to 12, which no code tells by itself.
enum pt_code epc_urn_compose(const struct gs1_elements *elements, unsigned prefix_length, struct pt_buf *out,
                             struct pt_error *err) PT_NODISCARD;

#endif
