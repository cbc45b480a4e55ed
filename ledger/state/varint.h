// Unsigned numbers in little-endian base 128, and signed ones folded onto them: for records that are small on disk.
#ifndef PACKTRAIL_LEDGER_STATE_VARINT_H
#define PACKTRAIL_LEDGER_STATE_VARINT_H

#include "common/base/bytes.h"

void varint_put(struct pt_buf *out, uint64_t value);
// Takes one number from the front of *bytes; false if there is none, or it does not fit 64 bits.
bool varint_get(struct pt_bytes *bytes, uint64_t *out);

static inline uint64_t varint_fold(int64_t value) { return ((uint64_t)value << 1) ^ (uint64_t)(value >> 63); }
static inline int64_t varint_unfold(uint64_t value) { return (int64_t)(value >> 1) ^ -(int64_t)(value & 1); }

// 8 bytes big-endian: numbers whose bytes sort as they do.
void be64_put(uint64_t value, uint8_t out[8]);
uint64_t be64_get(const uint8_t in[8]);

#endif
