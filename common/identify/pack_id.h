// The identity of one serialised thing, whatever carried it (barcode, Digital Link, EPC URN, RFID memory).
#ifndef PACKTRAIL_COMMON_IDENTIFY_PACK_ID_H
#define PACKTRAIL_COMMON_IDENTIFY_PACK_ID_H

#include "common/base/bytes.h"

enum pack_kind {
    PACK_NONE = 0,
    PACK_SGTIN = 1,      // GTIN-14 + serial number, AI (01) and (21)
    PACK_SSCC = 2,       // logistic unit, AI (00)
    PACK_CN_TRACE = 3,   // 20-digit trace code of the Chinese drug traceability platform
    PACK_CN_COMPANY = 4, // code of a scheme registered by vote: product = scheme name, serial = code
    PACK_OTHER_EPC = 5,  // any other GS1 key or absolute URI, compared in its canonical form: serial = the URI
};

#define PACK_PRODUCT_MAX 32u
#define PACK_SERIAL_MAX 256u
// kind byte + product length byte + product + serial
#define PACK_KEY_MAX (2u + PACK_PRODUCT_MAX + PACK_SERIAL_MAX)
#define PACK_URI_MAX 1024u

// product: GTIN-14, SSCC's first 7 digits, 7-digit drug identifier (药品标识码), scheme name, or empty; serial: the
// rest that makes it unique. NUL-terminated. Two packs are the same exactly when kind, product and serial are.
struct pack_id {
    enum pack_kind kind;
    char product[PACK_PRODUCT_MAX + 1];
    char serial[PACK_SERIAL_MAX + 1];
};

// Index key: sorts by kind, then product, then serial, so that a product's packs lie together.
// Numeric parts may be packed. At most PACK_KEY_MAX bytes; decoding gives back the same pack_id.
enum pt_code pack_id_key(const struct pack_id *id, struct pt_buf *out, struct pt_error *err) PT_NODISCARD;
enum pt_code pack_id_from_key(struct pt_bytes key, struct pack_id *out, struct pt_error *err) PT_NODISCARD;

// The one EPCIS URI of each kind (docs: common/identify/README.md):
//   SGTIN        https://id.gs1.org/01/{gtin14}/21/{serial, percent-encoded}
//   SSCC         https://id.gs1.org/00/{sscc18}
//   CN trace     urn:packtrail:cn:trace:{20 digits}
//   CN company   urn:packtrail:cn:company:{scheme}:{code, percent-encoded}
//   other        the URI itself in canonical form
enum pt_code pack_id_uri(const struct pack_id *id, struct pt_buf *out, struct pt_error *err) PT_NODISCARD;

// From any EPCIS URI: our forms, any domain's Digital Link, EPC pure identity URNs. PT_INVALID with position.
// Class-level identifiers (a GTIN without serial, an LGTIN) are PT_INVALID here: they name no single pack.
enum pt_code pack_id_from_uri(struct pt_bytes uri, struct pack_id *out, struct pt_error *err) PT_NODISCARD;

// Whether kind, product and serial fit together (lengths, digits); what leaves as key or URI has passed this.
enum pt_code pack_id_check(const struct pack_id *id, struct pt_error *err) PT_NODISCARD;

// The beginning of a key that all packs of one product share, and no other's: what is known of the product is looked up
// once for neighbours. No bytes if the kind names no product. A view into the key.
struct pt_bytes pack_id_key_product(struct pt_bytes key);

bool pack_id_equal(const struct pack_id *a, const struct pack_id *b);

#endif
