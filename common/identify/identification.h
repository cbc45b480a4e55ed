// What a code says, whatever carried it: barcode text, typed text, URI, NDEF record, RFID memory.
#ifndef PACKTRAIL_COMMON_IDENTIFY_IDENTIFICATION_H
#define PACKTRAIL_COMMON_IDENTIFY_IDENTIFICATION_H

#include "common/identify/cn_trace.h"
#include "common/identify/gs1_date.h"
#include "common/identify/gs1_element.h"
#include "common/identify/pack_id.h"
#include "common/identify/warnings.h"

enum identify_scheme {
    IDENTIFY_NONE = 0,
    IDENTIFY_GS1,          // any GS1 key, from element strings, Digital Link, EPC URN or EPC memory
    IDENTIFY_CN_TRACE,     // 20-digit Chinese trace code
    IDENTIFY_CN_COMPANY,   // code of a registered company scheme
    IDENTIFY_PRODUCT_CODE, // EAN/UPC: names a product, not a pack
    IDENTIFY_EPC,          // an EPC that is no GS1 key (gid, usdod, adi, …)
    IDENTIFY_PACKTRAIL,    // urn:packtrail:…, as for NFC chips and places without a GLN
};

struct identify_options {
    const char *symbology;           // AIM symbology identifier that the reader tells beside the text; NULL none
    int year;                        // the current one, for two-digit years; must be set
    unsigned prefix_length;          // digits of the company prefix, for the EPC URN; 0 unknown
    bool partial;                    // one of several symbols on the item: companions may be on another
    const struct cn_scheme *schemes; // registered company schemes
    size_t scheme_count;
};

#define IDENTIFY_LINK_MAX 4096u
#define IDENTIFY_URN_MAX 256u

struct identification {
    enum identify_scheme scheme;
    struct pack_id pack;                  // kind PACK_NONE when no single thing is named
    struct gs1_elements elements;         // in the order of the input
    char gtin[15];                        // 14 digits, or empty
    struct gs1_date expiry;               // year 0 when there is none
    char epc[PACK_URI_MAX + 1];           // the pack's EPCIS URI, or empty
    char epc_urn[IDENTIFY_URN_MAX];       // pure identity or class URN where the prefix length is known, or empty
    char digital_link[IDENTIFY_LINK_MAX]; // with all attributes, or empty
    struct identify_warnings warnings;
};

// Identifies one code. One reading only: where two are possible it says so in a warning or refuses. PT_INVALID with
// the rule's name before the colon in err->what and the byte offset in `input` in err->position; *out is then empty.
enum pt_code identify(struct pt_bytes input, const struct identify_options *options, struct identification *out,
                      struct pt_error *err) PT_NODISCARD;

// The same for raw bytes: the text of a symbol when the symbology is told, else EPC memory by its header byte and
// length, else text. Bytes that could be both are refused.
enum pt_code identify_bytes(struct pt_bytes raw, const struct identify_options *options, struct identification *out,
                            struct pt_error *err) PT_NODISCARD;

// "gs1", "cn-trace", "cn-company", "product-code", "epc", "packtrail".
const char *identify_scheme_name(enum identify_scheme scheme);

// Appends one JSON object, the answer of `packtrail identify`.
void identification_json(struct pt_buf *out, const struct identification *found);

#endif
