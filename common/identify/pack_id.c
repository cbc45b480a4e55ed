#include "common/identify/pack_id.h"

#include <string.h>

#include "common/identify/cn_trace.h"

#define SSCC_PRODUCT_DIGITS 7u
#define SSCC_SERIAL_DIGITS 11u
#define CN_SERIAL_DIGITS (CN_TRACE_DIGITS - CN_DRUG_DIGITS)

// How the numeric kinds lie in a key: big-endian integers as narrow as their digits allow, so that byte order is the
// order of product and serial.
#define GTIN_BYTES 6u       // 10^14 < 2^48
#define SSCC_BYTES 8u       // 10^18 < 2^64, product and serial in one
#define CN_PRODUCT_BYTES 3u // 10^7 < 2^24
#define CN_SERIAL_BYTES 6u  // 10^13 < 2^48

static bool all_digits(const char *text, size_t len) {
    return strlen(text) == len && strspn(text, "0123456789") == len;
}

static bool printable(const char *text) {
    for (; *text; text++)
        if (*text <= 0x20 || *text >= 0x7f) return false;
    return true;
}

enum pt_code pack_id_check(const struct pack_id *id, struct pt_error *err) {
    bool good = memchr(id->product, 0, sizeof id->product) && memchr(id->serial, 0, sizeof id->serial) && id->serial[0];
    switch (good ? id->kind : PACK_NONE) {
    case PACK_SGTIN: good = all_digits(id->product, 14) && strlen(id->serial) <= 20 && printable(id->serial); break;
    case PACK_SSCC:
        good = all_digits(id->product, SSCC_PRODUCT_DIGITS) && all_digits(id->serial, SSCC_SERIAL_DIGITS);
        break;
    case PACK_CN_TRACE:
        good = all_digits(id->product, CN_DRUG_DIGITS) && all_digits(id->serial, CN_SERIAL_DIGITS);
        break;
    case PACK_CN_COMPANY: good = cn_scheme_name_valid(pt_bytes_str(id->product)) && printable(id->serial); break;
    case PACK_OTHER_EPC: good = id->product[0] == '\0' && printable(id->serial); break;
    case PACK_NONE:
    default: good = false;
    }
    return good ? PT_OK : pt_fail(err, PT_INVALID, NULL, "pack-id: kind, product and serial do not fit together");
}

static void append_number(struct pt_buf *out, const char *digits, size_t len, size_t width) {
    uint64_t value = 0;
    for (size_t i = 0; i < len; i++) value = value * 10 + (uint64_t)(digits[i] - '0');
    while (width-- > 0) pt_buf_byte(out, (uint8_t)(value >> (8 * width)));
}

static bool read_number(const uint8_t *bytes, size_t width, char *digits, size_t len) {
    uint64_t value = 0;
    for (size_t i = 0; i < width; i++) value = value << 8 | bytes[i];
    for (size_t i = len; i-- > 0; value /= 10) digits[i] = (char)('0' + value % 10);
    digits[len] = '\0';
    return value == 0;
}

enum pt_code pack_id_key(const struct pack_id *id, struct pt_buf *out, struct pt_error *err) {
    const enum pt_code code = pack_id_check(id, err);
    if (code != PT_OK) return code;
    pt_buf_byte(out, (uint8_t)id->kind);
    switch (id->kind) {
    case PACK_SGTIN:
        append_number(out, id->product, 14, GTIN_BYTES);
        pt_buf_str(out, id->serial);
        break;
    case PACK_SSCC: {
        char sscc[19];
        memcpy(sscc, id->product, SSCC_PRODUCT_DIGITS);
        memcpy(sscc + SSCC_PRODUCT_DIGITS, id->serial, sizeof sscc - SSCC_PRODUCT_DIGITS);
        append_number(out, sscc, 18, SSCC_BYTES);
        break;
    }
    case PACK_CN_TRACE:
        append_number(out, id->product, CN_DRUG_DIGITS, CN_PRODUCT_BYTES);
        append_number(out, id->serial, CN_TRACE_DIGITS - CN_DRUG_DIGITS, CN_SERIAL_BYTES);
        break;
    case PACK_CN_COMPANY: // the NUL ends the name below every character of a longer one
        pt_buf_append(out, id->product, strlen(id->product) + 1);
        pt_buf_str(out, id->serial);
        break;
    case PACK_OTHER_EPC:
    case PACK_NONE: pt_buf_str(out, id->serial); break;
    }
    return pt_buf_check(out, err);
}

static bool copy_text(struct pt_bytes from, char *to, size_t max) {
    if (from.len == 0 || from.len > max || memchr(from.data, 0, from.len)) return false;
    memcpy(to, from.data, from.len);
    to[from.len] = '\0';
    return true;
}

enum pt_code pack_id_from_key(struct pt_bytes key, struct pack_id *out, struct pt_error *err) {
    *out = (struct pack_id){0};
    bool good = key.len > 1;
    const uint8_t *body = good ? key.data + 1 : NULL;
    const size_t len = good ? key.len - 1 : 0;
    out->kind = good ? (enum pack_kind)key.data[0] : PACK_NONE;
    switch (out->kind) {
    case PACK_SGTIN:
        good = len > GTIN_BYTES && read_number(body, GTIN_BYTES, out->product, 14) &&
               copy_text(pt_bytes_of(body + GTIN_BYTES, len - GTIN_BYTES), out->serial, 20);
        break;
    case PACK_SSCC: {
        char sscc[19];
        good = len == SSCC_BYTES && read_number(body, SSCC_BYTES, sscc, 18);
        if (good) {
            memcpy(out->product, sscc, SSCC_PRODUCT_DIGITS);
            memcpy(out->serial, sscc + SSCC_PRODUCT_DIGITS, sizeof sscc - SSCC_PRODUCT_DIGITS);
        }
        break;
    }
    case PACK_CN_TRACE:
        good = len == CN_PRODUCT_BYTES + CN_SERIAL_BYTES &&
               read_number(body, CN_PRODUCT_BYTES, out->product, CN_DRUG_DIGITS) &&
               read_number(body + CN_PRODUCT_BYTES, CN_SERIAL_BYTES, out->serial, CN_SERIAL_DIGITS);
        break;
    case PACK_CN_COMPANY: {
        const uint8_t *end = memchr(body, 0, len);
        const size_t name = end ? (size_t)(end - body) : 0;
        good = end && copy_text(pt_bytes_of(body, name), out->product, PACK_PRODUCT_MAX) &&
               copy_text(pt_bytes_of(end + 1, len - name - 1), out->serial, PACK_SERIAL_MAX);
        break;
    }
    case PACK_OTHER_EPC: good = copy_text(pt_bytes_of(body, len), out->serial, PACK_SERIAL_MAX); break;
    default: good = false;
    }
    if (good && pack_id_check(out, NULL) == PT_OK) return PT_OK;
    *out = (struct pack_id){0};
    return pt_fail(err, PT_INVALID, NULL, "pack-id: not a key of a pack");
}

struct pt_bytes pack_id_key_product(struct pt_bytes key) {
    size_t len = 0;
    const uint8_t *end;
    switch (key.len > 0 ? (enum pack_kind)key.data[0] : PACK_NONE) {
    case PACK_SGTIN: len = 1 + GTIN_BYTES; break;
    case PACK_CN_TRACE: len = 1 + CN_PRODUCT_BYTES; break;
    case PACK_CN_COMPANY:
        end = memchr(key.data, 0, key.len);
        len = end ? (size_t)(end - key.data) + 1 : 0;
        break;
    default: break;
    }
    return len > 0 && len < key.len ? pt_bytes_of(key.data, len) : (struct pt_bytes){0};
}

bool pack_id_equal(const struct pack_id *a, const struct pack_id *b) {
    return a->kind == b->kind && strcmp(a->product, b->product) == 0 && strcmp(a->serial, b->serial) == 0;
}
