// Reed-Solomon decoding for Data Matrix: syndromes, Berlekamp-Massey, Chien search, Forney.
#include <string.h>

#include "firmware/scan/datamatrix.h"

#define MAX_CHECK 68

static uint8_t exps[512];
static uint8_t logs[256];

// Built before main, so that decoding itself changes no global.
__attribute__((constructor)) static void build_tables(void) {
    unsigned value = 1;
    for (unsigned i = 0; i < 255; i++) {
        exps[i] = exps[i + 255] = (uint8_t)value;
        logs[value] = (uint8_t)i;
        value <<= 1;
        if (value & 0x100) value ^= 0x12d;
    }
}

static uint8_t times(uint8_t a, uint8_t b) { return a && b ? exps[logs[a] + logs[b]] : 0; }
static uint8_t over(uint8_t a, uint8_t b) { return a ? exps[logs[a] + 255 - logs[b]] : 0; }

// p(x) with p[0] the constant term.
static uint8_t value_at(const uint8_t *p, unsigned degree, uint8_t x) {
    uint8_t sum = p[degree];
    for (unsigned i = degree; i-- > 0;) sum = times(sum, x) ^ p[i];
    return sum;
}

static bool syndromes(const uint8_t *words, unsigned count, unsigned check, uint8_t *out) {
    bool any = false;
    for (unsigned i = 0; i < check; i++) {
        uint8_t sum = 0;
        for (unsigned j = 0; j < count; j++) sum = times(sum, exps[i + 1]) ^ words[j];
        out[i] = sum;
        any |= sum != 0;
    }
    return any;
}

// The error locator; gives its degree.
static unsigned locator(const uint8_t *syndrome, unsigned check, uint8_t *lambda) {
    uint8_t previous[MAX_CHECK + 1] = {1}, saved[MAX_CHECK + 1];
    uint8_t last = 1;
    unsigned degree = 0, gap = 1;
    memset(lambda, 0, MAX_CHECK + 1);
    lambda[0] = 1;
    for (unsigned n = 0; n < check; n++, gap++) {
        uint8_t delta = syndrome[n];
        for (unsigned i = 1; i <= degree; i++) delta ^= times(lambda[i], syndrome[n - i]);
        if (delta == 0) continue;
        memcpy(saved, lambda, sizeof saved);
        uint8_t factor = over(delta, last);
        for (unsigned i = 0; i + gap <= check; i++) lambda[i + gap] ^= times(factor, previous[i]);
        if (2 * degree > n) continue;
        degree = n + 1 - degree;
        memcpy(previous, saved, sizeof previous);
        last = delta;
        gap = 0;
    }
    return degree;
}

int scan_dm_correct(uint8_t *words, unsigned count, unsigned check) {
    uint8_t syndrome[MAX_CHECK], lambda[MAX_CHECK + 1], omega[MAX_CHECK] = {0}, again[MAX_CHECK];
    if (check > MAX_CHECK || count <= check || count > 255) return -1;
    if (!syndromes(words, count, check, syndrome)) return 0;
    unsigned errors = locator(syndrome, check, lambda);
    if (errors == 0 || errors > check / 2) return -1;
    for (unsigned i = 0; i < check; i++)
        for (unsigned j = 0; j <= i && j <= errors; j++) omega[i] ^= times(syndrome[i - j], lambda[j]);
    unsigned found = 0;
    for (unsigned position = 0; position < count; position++) {
        uint8_t inverse = exps[(255 - position) % 255];
        if (value_at(lambda, errors, inverse) != 0) continue;
        uint8_t derivative = 0;
        for (unsigned i = 1; i <= errors; i += 2) derivative ^= times(lambda[i], exps[(logs[inverse] * (i - 1)) % 255]);
        if (derivative == 0) return -1;
        // The first root is alpha^1, so the factor X^(1-1) of Forney's formula is one.
        words[count - 1 - position] ^= over(value_at(omega, check - 1, inverse), derivative);
        found++;
    }
    if (found != errors || syndromes(words, count, check, again)) return -1;
    return (int)errors;
}
