#include "ledger/state/varint.h"

void varint_put(struct pt_buf *out, uint64_t value) {
    uint8_t bytes[10];
    size_t len = 0;
    while (value >= 0x80) {
        bytes[len++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    bytes[len++] = (uint8_t)value;
    pt_buf_append(out, bytes, len);
}

bool varint_get(struct pt_bytes *bytes, uint64_t *out) {
    *out = 0;
    for (unsigned shift = 0; shift < 64 && bytes->len > 0; shift += 7) {
        const uint8_t byte = bytes->data[0];
        bytes->data++;
        bytes->len--;
        if (shift == 63 && byte > 1) return false;
        *out |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) return true;
    }
    return false;
}

void be64_put(uint64_t value, uint8_t out[8]) {
    for (unsigned i = 0; i < 8; i++) out[i] = (uint8_t)(value >> (56 - 8 * i));
}

uint64_t be64_get(const uint8_t in[8]) {
    uint64_t value = 0;
    for (unsigned i = 0; i < 8; i++) value = value << 8 | in[i];
    return value;
}
