// One way to read an input, as a part of identification: nothing outside this folder needs it.
#ifndef PACKTRAIL_COMMON_IDENTIFY_READING_H
#define PACKTRAIL_COMMON_IDENTIFY_READING_H

#include "common/identify/identification.h"
#include "common/identify/scanned_text.h"

// Reads GS1 element strings from scanned text, with lost separators repaired or named, and fills `out`.
// Positions are offsets in the input.
enum pt_code reading_element_string(const struct scanned_text *text, const struct identify_options *options,
                                    struct identification *out, struct pt_error *err) PT_NODISCARD;

// Reads a URI: Digital Link, EPC URN, EPC tag URI or one of our own.
bool reading_is_uri(struct pt_bytes text);
enum pt_code reading_uri(struct pt_bytes uri, const struct identify_options *options, struct identification *out,
                         struct pt_error *err) PT_NODISCARD;

// Checks what out->elements say together and fills the other fields from them. prefix_length: 0 when unknown.
enum pt_code reading_finish_gs1(const struct identify_options *options, unsigned prefix_length,
                                struct identification *out, struct pt_error *err) PT_NODISCARD;

// Sets out->pack's URI.
enum pt_code reading_finish_pack(struct identification *out, struct pt_error *err) PT_NODISCARD;

#endif
