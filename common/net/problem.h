// Problem details (RFC 9457): how an error is told over HTTP.
#ifndef PACKTRAIL_COMMON_NET_PROBLEM_H
#define PACKTRAIL_COMMON_NET_PROBLEM_H

#include "common/base/bytes.h"

#define PROBLEM_CONTENT_TYPE "application/problem+json"
#define PROBLEM_RETRY_AFTER_SECONDS 2  // sent as Retry-After with 503

// invalid and usage 400 (422 where a JSON Pointer names a field of a well-formed document), unverified 422,
// forbidden 403, limit 413, not-found 404, conflict 409, unavailable 503, the rest 500.
unsigned problem_status(const struct pt_error *err);

// Appends {"type","title","status","detail","pointer","position"}: type is "urn:packtrail:problem:" and the class;
// pointer is err->where when it is a JSON Pointer; of failures of our own (500) no detail is told.
void problem_append(struct pt_buf *out, const struct pt_error *err);

// For answers that no pt_error stands behind (404, 405, …): type is "about:blank", the title the status' phrase.
void problem_append_status(struct pt_buf *out, unsigned status, const char *detail);

// The reason phrase of RFC 9110 ("Not Found"), "Unknown" where there is none.
const char *problem_phrase(unsigned status);

#endif
