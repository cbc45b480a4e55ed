// Reading HTTP/1.1 requests (RFC 9112), strictly: whatever two readers could take for different messages is refused.
#ifndef PACKTRAIL_COMMON_NET_HTTP_MESSAGE_H
#define PACKTRAIL_COMMON_NET_HTTP_MESSAGE_H

#include "common/base/bytes.h"

#define HTTP_MAX_HEADERS 64u

struct http_field {
    const char *name;
    const char *value;
};

// Text points into the bytes that were parsed, in which NULs have been set.
struct http_head {
    const char *method;
    const char *path;   // begins with '/', or "*"
    const char *query;  // "" if none
    unsigned minor;     // HTTP/1.minor
    struct http_field fields[HTTP_MAX_HEADERS];
    size_t field_count;
    uint64_t content_length;  // 0 if none
    bool has_length;
    bool chunked;
    bool close;            // the connection ends after this message
    bool expect_continue;
};

// Where the head ends: the offset behind its empty line, or 0 if it is not all there. *scanned (0 at first) keeps how
// far was looked, so that a head that drips in costs no repeated search.
size_t http_head_end(struct pt_bytes bytes, size_t *scanned);

// Parses a whole head of `len` bytes, in place. Returns 0, or the status to answer: 400, 414, 417, 431, 501, 505.
// *why says more (static).
unsigned http_head_parse(char *bytes, size_t len, struct http_head *out, const char **why);

const char *http_head_field(const struct http_head *head, const char *name);  // first value, any case; NULL

// The chunked transfer coding, a state machine over bytes as they come.
struct http_chunks {
    unsigned state;
    unsigned line;   // bytes of the current size line or trailer so far
    uint64_t left;   // bytes of the current chunk to come
    unsigned extra;  // bytes of all size lines and trailers, against a stream of nothing else
    bool done;
};

// Takes bytes from the front of `in` and appends content to `body` (whose ceiling bounds it). Returns 0, or the
// status to answer: 400, 413. *taken bytes were used; chunks->done says whether the message has ended.
unsigned http_chunks_take(struct http_chunks *chunks, struct pt_bytes in, struct pt_buf *body, size_t *taken);

#endif
