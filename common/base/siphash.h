// SipHash-2-4 (Aumasson, Bernstein 2012): a short keyed check that nobody who does not know the key can aim at.
#ifndef PACKTRAIL_COMMON_BASE_SIPHASH_H
#define PACKTRAIL_COMMON_BASE_SIPHASH_H

#include "common/base/bytes.h"

struct pt_siphash_key {
    uint64_t low;   // key bytes 0 to 7, little-endian
    uint64_t high;  // key bytes 8 to 15
};

uint64_t pt_siphash(struct pt_siphash_key key, struct pt_bytes bytes);

#endif
