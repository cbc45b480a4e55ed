// The request target of HTTP (RFC 9112 section 3.2): path segments and query parameters, percent-decoded.
#ifndef PACKTRAIL_COMMON_NET_HTTP_TARGET_H
#define PACKTRAIL_COMMON_NET_HTTP_TARGET_H

#include "common/base/arena.h"

// Decodes %XX (and, in queries, '+' as a space) into a C string in the arena. PT_INVALID: a '%' without two hex
// digits, bytes that are not UTF-8, a NUL; PT_NO_MEMORY.
enum pt_code http_percent_decode(struct pt_arena *arena, struct pt_bytes text, bool plus_is_space, char **out,
                                 struct pt_error *err) PT_NODISCARD;

#define HTTP_MAX_SEGMENTS 32u
#define HTTP_MAX_PARAMETERS 64u

struct http_path {
    size_t count;
    struct pt_bytes raw[HTTP_MAX_SEGMENTS];  // as sent; of the path "/a%2Fb/c": "a%2Fb", "c"
    char *decoded[HTTP_MAX_SEGMENTS];        // "a/b", "c"
};

// Splits at '/' first and decodes then, so that an encoded slash stays inside its segment. "/" has one empty
// segment. Segments "." and ".." are refused however they are encoded (PT_INVALID); over 32: PT_LIMIT.
enum pt_code http_path_parse(struct pt_arena *arena, struct pt_bytes path, struct http_path *out,
                             struct pt_error *err) PT_NODISCARD;

struct http_parameter {
    char *name;
    char *value;  // "" where there is no '='
};

struct http_query {
    size_t count;
    struct http_parameter *list;
};

// Parameters in the order sent, duplicates kept; over 64: PT_LIMIT.
enum pt_code http_query_parse(struct pt_arena *arena, struct pt_bytes query, struct http_query *out,
                              struct pt_error *err) PT_NODISCARD;

#endif
