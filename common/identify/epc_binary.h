// EPC memory of RFID tags (Tag Data Standard 2.x section 14): SGTIN-96, SGTIN-198, SSCC-96, in binary and as tag URI.
#ifndef PACKTRAIL_COMMON_IDENTIFY_EPC_BINARY_H
#define PACKTRAIL_COMMON_IDENTIFY_EPC_BINARY_H

#include "common/identify/gs1_element.h"

#define EPC_BINARY_MAX 26u // SGTIN-198 in 16-bit words

enum epc_binary_scheme {
    EPC_SGTIN_96 = 0x30,
    EPC_SSCC_96 = 0x31,
    EPC_SGTIN_198 = 0x36,
};

struct epc_tag {
    enum epc_binary_scheme scheme; // also the header byte
    uint8_t filter;                // 0 to 7
    unsigned prefix_length;        // digits of the company prefix, 6 to 12
    struct gs1_elements elements;  // (01) and (21), or (00)
};

// Whether header byte and length are those of a scheme that is read here.
bool epc_is_binary(struct pt_bytes memory);

// 12 bytes, or 25 or 26 for SGTIN-198; bits behind the EPC must be zero. PT_INVALID with the byte's offset.
enum pt_code epc_binary_decode(struct pt_bytes memory, struct epc_tag *out, struct pt_error *err) PT_NODISCARD;

// Appends 12 or 26 bytes. PT_INVALID when the serial number does not fit the scheme (SGTIN-96 takes numbers below 2^38
// without leading zeros).
enum pt_code epc_binary_encode(const struct epc_tag *tag, struct pt_buf *out, struct pt_error *err) PT_NODISCARD;

// urn:epc:tag:sgtin-96:3.0614141.812345.6789 and the like.
bool epc_is_tag_uri(struct pt_bytes text);
enum pt_code epc_tag_uri_parse(struct pt_bytes uri, struct epc_tag *out, struct pt_error *err) PT_NODISCARD;
enum pt_code epc_tag_uri_append(const struct epc_tag *tag, struct pt_buf *out, struct pt_error *err) PT_NODISCARD;

#endif
