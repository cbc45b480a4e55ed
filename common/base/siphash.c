#include "common/base/siphash.h"

#include <string.h>

struct state {
    uint64_t v[4];
};

static uint64_t rotate(uint64_t x, unsigned by) { return x << by | x >> (64 - by); }

static void round_once(struct state *s) {
    uint64_t *v = s->v;
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] = rotate(v[2], 32);
}

static void take_word(struct state *s, uint64_t word) {
    s->v[3] ^= word;
    round_once(s);
    round_once(s);
    s->v[0] ^= word;
}

static uint64_t load_word(const uint8_t *at) {
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? word : __builtin_bswap64(word);
}

uint64_t pt_siphash(struct pt_siphash_key key, struct pt_bytes bytes) {
    struct state s = {{key.low ^ 0x736f6d6570736575u, key.high ^ 0x646f72616e646f6du, key.low ^ 0x6c7967656e657261u,
                       key.high ^ 0x7465646279746573u}};
    size_t i = 0;
    for (; i + 8 <= bytes.len; i += 8) take_word(&s, load_word(bytes.data + i));
    uint64_t last = (uint64_t)bytes.len << 56;
    for (unsigned shift = 0; i < bytes.len; i++, shift += 8) last |= (uint64_t)bytes.data[i] << shift;
    take_word(&s, last);
    s.v[2] ^= 0xff;
    for (int i_round = 0; i_round < 4; i_round++) round_once(&s);
    return s.v[0] ^ s.v[1] ^ s.v[2] ^ s.v[3];
}
