// NDEF as tags hold it: NFC Forum NDEF 1.0, URI and Smart Poster record types, Type 2 and Type 4 tag memory. Strict and
// pure: bytes in, message or URI out.
#ifndef PACKTRAIL_FIRMWARE_SCAN_NDEF_H
#define PACKTRAIL_FIRMWARE_SCAN_NDEF_H

#include "common/base/bytes.h"

#define NDEF_MAX_MESSAGE 8192u
#define NDEF_MAX_URI 2048u
#define NDEF_MAX_RECORDS 64u

enum ndef_tnf { NDEF_EMPTY, NDEF_WELL_KNOWN, NDEF_MEDIA, NDEF_ABSOLUTE_URI, NDEF_EXTERNAL, NDEF_UNKNOWN };

// Borrowed from the message.
struct ndef_record {
    enum ndef_tnf tnf;
    struct pt_bytes type;
    struct pt_bytes id;
    struct pt_bytes payload;
};

// Reads the record at *at and moves *at behind it. PT_NOT_FOUND at the message's end. Begin and end flags must stand
// where they belong; chunked records and reserved type formats are PT_INVALID, with the offset.
enum pt_code ndef_record_next(struct pt_bytes message, size_t *at, struct ndef_record *out,
                              struct pt_error *err) PT_NODISCARD;

// The URI of a whole message: of its first URI record, absolute-URI record or Smart Poster. The message must be
// well-formed to its end. PT_NOT_FOUND when it has none; PT_INVALID also for a URI that is empty, not UTF-8 or holds
// control characters or spaces.
enum pt_code ndef_uri(struct pt_bytes message, struct pt_buf *uri, struct pt_error *err) PT_NODISCARD;

// The NDEF message in a Type 2 tag's memory, given from page 0 on, maybe not yet all of it. *more: the answer needs
// memory behind `memory` (then the code is PT_NOT_FOUND). PT_NOT_FOUND also for a tag without a message. Lock and
// memory control blocks are obeyed: bytes that they reserve are no data.
enum pt_code ndef_type2_message(struct pt_bytes memory, struct pt_buf *message, bool *more,
                                struct pt_error *err) PT_NODISCARD;

// A Type 4 tag's capability container.
struct ndef_type4 {
    uint16_t file_id;
    uint32_t file_size;  // with the length field
    uint16_t read_len;   // most bytes a READ BINARY may ask for
};
enum pt_code ndef_type4_container(struct pt_bytes container, struct ndef_type4 *out, struct pt_error *err) PT_NODISCARD;

// A message of one URI record, with the longest prefix of the standard's table abbreviated; for writing tags.
enum pt_code ndef_uri_message(struct pt_bytes uri, struct pt_buf *message, struct pt_error *err) PT_NODISCARD;

#endif
