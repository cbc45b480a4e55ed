// What a scanner or keyboard delivered, cleaned of how it delivered it: AIM symbology identifier, line ends, the many
// spellings of FNC1. Every byte remembers where it came from, so that errors point into the input.
#ifndef PACKTRAIL_COMMON_IDENTIFY_SCANNED_TEXT_H
#define PACKTRAIL_COMMON_IDENTIFY_SCANNED_TEXT_H

#include "common/base/bytes.h"
#include "common/identify/warnings.h"

// More than the largest 2D symbol holds (QR code version 40: 7,089 digits).
#define SCANNED_TEXT_MAX 7200u
#define FNC1 0x1d

// What an AIM symbology identifier (ISO/IEC 15424) says about the data.
enum symbol_kind {
    SYMBOL_UNKNOWN, // no identifier
    SYMBOL_GS1,     // GS1 element strings: ]C1 ]e0 ]e1 ]e2 ]d2 ]Q3 ]J1
    SYMBOL_EAN,     // EAN/UPC: ]E0 to ]E4
    SYMBOL_PLAIN,   // any other symbology: not GS1 element strings, though a URI may be in it
};

struct scanned_text {
    enum symbol_kind kind;
    char symbology[4]; // "]d2", or empty
    size_t len;
    uint8_t bytes[SCANNED_TEXT_MAX + 1]; // NUL behind the last
    uint16_t from[SCANNED_TEXT_MAX + 1]; // offset in the input; also for the end
};

// SYMBOL_UNKNOWN for what is no identifier.
enum symbol_kind symbol_kind_of(struct pt_bytes identifier);

// symbology: told by the reader beside the text, or NULL; it must not contradict an identifier in the text.
// 0x1D, '^', {GS} {FNC1} [GS] [FNC1] and U+241D become FNC1; <GS> and <FNC1> too, with a warning, because their
// characters are also lawful in values. CR, LF and TAB at the end are dropped. PT_LIMIT when too long.
enum pt_code scanned_text_read(struct pt_bytes input, const char *symbology, struct scanned_text *out,
                               struct identify_warnings *warnings, struct pt_error *err) PT_NODISCARD;

#endif
