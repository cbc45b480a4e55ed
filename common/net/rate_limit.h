// How many requests a client may send: a token bucket each, in a table of fixed size.
#ifndef PACKTRAIL_COMMON_NET_RATE_LIMIT_H
#define PACKTRAIL_COMMON_NET_RATE_LIMIT_H

#include "common/base/time.h"

struct rate_limit;

struct rate_limit_options {
    uint32_t per_second;  // tokens that come back
    uint32_t burst;       // tokens that a bucket holds; at least 1
    uint32_t clients;     // remembered at once; 0: 4,096
};

// env gives the secret behind the table's order: clients choose their names.
enum pt_code rate_limit_new(const struct rate_limit_options *options, const struct pt_env *env, struct rate_limit **out,
                            struct pt_error *err) PT_NODISCARD;
void rate_limit_free(struct rate_limit *limit);  // NULL is allowed

// Takes a token of the client's bucket at a monotonic time. False when it is empty; *wait_ms then says how long until the next
// one. When more clients come than are remembered, the one whose bucket is fullest is forgotten: it loses nothing. Thread-safe.
bool rate_limit_take(struct rate_limit *limit, struct pt_bytes client, int64_t now_ms, int64_t *wait_ms);

#endif
