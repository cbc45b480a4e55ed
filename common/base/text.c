#include "common/base/text.h"

#include <string.h>

static const char hex_digits[] = "0123456789abcdef";
static const char base64_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char base64url_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void pt_hex_append(struct pt_buf *out, struct pt_bytes bytes) {
    uint8_t *room = pt_buf_extend(out, bytes.len * 2);
    if (!room) return;
    for (size_t i = 0; i < bytes.len; i++) {
        room[2 * i] = (uint8_t)hex_digits[bytes.data[i] >> 4];
        room[2 * i + 1] = (uint8_t)hex_digits[bytes.data[i] & 15];
    }
}

static int hex_value(uint8_t c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

enum pt_code pt_hex_decode(struct pt_bytes text, struct pt_buf *out, struct pt_error *err) {
    if (text.len % 2 != 0) return pt_fail_at(err, PT_INVALID, (long)text.len, NULL, "hex needs an even number of digits");
    for (size_t i = 0; i < text.len; i += 2) {
        const int high = hex_value(text.data[i]);
        const int low = hex_value(text.data[i + 1]);
        if (high < 0 || low < 0)
            return pt_fail_at(err, PT_INVALID, (long)(high < 0 ? i : i + 1), NULL, "not a hex digit");
        pt_buf_byte(out, (uint8_t)(high << 4 | low));
    }
    return pt_buf_check(out, err);
}

void pt_digest_hex(const struct pt_digest *digest, char out[65]) {
    for (size_t i = 0; i < sizeof digest->bytes; i++) {
        out[2 * i] = hex_digits[digest->bytes[i] >> 4];
        out[2 * i + 1] = hex_digits[digest->bytes[i] & 15];
    }
    out[64] = 0;
}

static void encode64(struct pt_buf *out, struct pt_bytes bytes, const char *alphabet, bool pad) {
    for (size_t i = 0; i < bytes.len; i += 3) {
        const size_t left = bytes.len - i;
        const uint32_t group = (uint32_t)bytes.data[i] << 16 | (left > 1 ? (uint32_t)bytes.data[i + 1] << 8 : 0) |
                               (left > 2 ? bytes.data[i + 2] : 0);
        const size_t digits = left > 2 ? 4 : left + 1;
        for (size_t d = 0; d < digits; d++) pt_buf_byte(out, (uint8_t)alphabet[group >> (18 - 6 * d) & 63]);
        for (size_t d = digits; pad && d < 4; d++) pt_buf_byte(out, '=');
    }
}

void pt_base64_append(struct pt_buf *out, struct pt_bytes bytes) { encode64(out, bytes, base64_alphabet, true); }

void pt_base64url_append(struct pt_buf *out, struct pt_bytes bytes) {
    encode64(out, bytes, base64url_alphabet, false);
}

static enum pt_code decode64(struct pt_bytes text, const char *alphabet, struct pt_buf *out, struct pt_error *err) {
    uint32_t group = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < text.len; i++) {
        const char *found = text.data[i] ? strchr(alphabet, text.data[i]) : NULL;
        if (!found) return pt_fail_at(err, PT_INVALID, (long)i, NULL, "not a base64 digit");
        group = group << 6 | (uint32_t)(found - alphabet);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            pt_buf_byte(out, (uint8_t)(group >> bits));
            group &= (1u << bits) - 1;
        }
    }
    // Left-over bits would let two texts stand for the same bytes.
    if (bits >= 6 || group != 0) return pt_fail_at(err, PT_INVALID, (long)text.len, NULL, "base64 ends in the middle");
    return pt_buf_check(out, err);
}

enum pt_code pt_base64_decode(struct pt_bytes text, struct pt_buf *out, struct pt_error *err) {
    if (text.len % 4 != 0) return pt_fail_at(err, PT_INVALID, (long)text.len, NULL, "base64 padding is wrong");
    size_t len = text.len;
    for (int pad = 0; pad < 2 && len > 0 && text.data[len - 1] == '='; pad++) len--;
    return decode64(pt_bytes_of(text.data, len), base64_alphabet, out, err);
}

enum pt_code pt_base64url_decode(struct pt_bytes text, struct pt_buf *out, struct pt_error *err) {
    return decode64(text, base64url_alphabet, out, err);
}

// Length of the well-formed sequence at p (Unicode table 3-7), or 0.
static size_t utf8_sequence(const uint8_t *p, size_t left) {
    const uint8_t c = p[0];
    if (c < 0x80) return 1;
    size_t len;
    uint8_t low = 0x80;
    uint8_t high = 0xbf;
    if (c >= 0xc2 && c <= 0xdf) len = 2;
    else if (c >= 0xe0 && c <= 0xef) len = 3;
    else if (c >= 0xf0 && c <= 0xf4) len = 4;
    else return 0;
    if (c == 0xe0) low = 0xa0;
    if (c == 0xed) high = 0x9f;
    if (c == 0xf0) low = 0x90;
    if (c == 0xf4) high = 0x8f;
    if (left < len || p[1] < low || p[1] > high) return 0;
    for (size_t i = 2; i < len; i++)
        if (p[i] < 0x80 || p[i] > 0xbf) return 0;
    return len;
}

bool pt_utf8_valid(struct pt_bytes text) {
    for (size_t i = 0; i < text.len;) {
        const size_t len = utf8_sequence(text.data + i, text.len - i);
        if (len == 0) return false;
        i += len;
    }
    return true;
}
