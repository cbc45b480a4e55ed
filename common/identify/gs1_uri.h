// Any URI that names something by a GS1 key, in its one canonical form.
#ifndef PACKTRAIL_COMMON_IDENTIFY_GS1_URI_H
#define PACKTRAIL_COMMON_IDENTIFY_GS1_URI_H

#include "common/base/bytes.h"

// Appends https://id.gs1.org/… at the finest level, without query: for a Digital Link of any domain, an EPC pure
// identity, an LGTIN class or an identity pattern. This is the form in which the CBV 2.0 event hash has identifiers,
// so only the shape is checked, never a check digit: equal events must hash alike even where a number is wrong.
// PT_NOT_FOUND when the text is no URI of a GS1 key (other URIs are hashed as they stand); PT_INVALID when it looks
// like one but is malformed, with the offset. Nothing is appended on failure.
enum pt_code gs1_uri_canonical(struct pt_bytes uri, struct pt_buf *out, struct pt_error *err) PT_NODISCARD;

#endif
