// The route table of the HTTPS server: patterns compiled, sorted and matched.
#ifndef PACKTRAIL_COMMON_NET_HTTPS_ROUTES_H
#define PACKTRAIL_COMMON_NET_HTTPS_ROUTES_H

#include <stdatomic.h>

#include "common/net/http_target.h"
#include "common/net/https_server.h"

#define HTTPS_STATUS_LIMIT 600u

enum https_segment_kind { HTTPS_SEGMENT_LITERAL, HTTPS_SEGMENT_PARAM, HTTPS_SEGMENT_REST };

struct https_segment {
    enum https_segment_kind kind;
    char *text;  // the literal, or the parameter's name
};

struct https_compiled {
    struct https_route route;
    struct https_segment segments[HTTP_MAX_SEGMENTS];
    size_t segment_count;
    // Found once, so that counting a request takes no lock.
    _Atomic(struct metric *) by_status[HTTPS_STATUS_LIMIT];
    _Atomic(struct metric *) seconds;
};

struct https_routes {
    struct https_compiled **list;  // the most special first
    size_t count;
    unsigned all_methods;
};

// PT_USAGE: a pattern that is none, or two routes of the same pattern with a method in common.
enum pt_code https_routes_compile(const struct https_route *routes, size_t count, struct https_routes *out,
                                  struct pt_error *err) PT_NODISCARD;
void https_routes_free(struct https_routes *routes);

struct https_params {
    size_t count;
    struct http_parameter list[HTTP_MAX_SEGMENTS];
};

// The route for path and method, its parameters in *params. NULL: none; then *allowed is the mask of the methods that
// the path has (0: there is no such path).
struct https_compiled *https_routes_find(const struct https_routes *routes, const struct http_path *path, unsigned method,
                                         struct pt_arena *arena, struct https_params *params, unsigned *allowed);

unsigned https_method_bit(const char *name);  // 0: unknown
void https_methods_append(struct pt_buf *out, unsigned mask);  // "GET, HEAD, POST"

#endif
