#include "common/identify/epc_binary.h"

#include <string.h>

#include "common/base/cleanup.h"
#include "common/identify/epc_urn.h"
#include "common/identify/gs1_check.h"

#define SERIAL_96_BITS 38u
#define SERIAL_198_CHARS 20u
#define RESERVED_BITS 24u // behind the reference of an SSCC-96

// TDS tables 14-2 and 14-5: partition value 0 is a prefix of 12 digits, 6 one of 6.
static const unsigned prefix_bits[7] = {40, 37, 34, 30, 27, 24, 20};

struct layout {
    enum epc_binary_scheme scheme;
    const char *name;
    unsigned digits;    // prefix and reference together
    unsigned body_bits; // prefix and reference together
    size_t bytes;       // fewest that hold the EPC
};

static const struct layout layouts[] = {
    {EPC_SGTIN_96, "sgtin-96", 13, 44, 12},
    {EPC_SGTIN_198, "sgtin-198", 13, 44, 25},
    {EPC_SSCC_96, "sscc-96", 17, 58, 12},
};

static const struct layout *layout_of(unsigned header) {
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++)
        if ((unsigned)layouts[i].scheme == header) return &layouts[i];
    return NULL;
}

bool epc_is_binary(struct pt_bytes memory) {
    const struct layout *layout = memory.len > 0 ? layout_of(memory.data[0]) : NULL;
    return layout && (memory.len == layout->bytes || (layout->scheme == EPC_SGTIN_198 && memory.len == EPC_BINARY_MAX));
}

struct bits {
    struct pt_bytes memory;
    size_t at;
};

static uint64_t take(struct bits *bits, unsigned count) {
    uint64_t value = 0;
    for (unsigned i = 0; i < count; i++, bits->at++)
        value = value << 1 | ((unsigned)bits->memory.data[bits->at / 8] >> (7 - bits->at % 8) & 1u);
    return value;
}

static uint64_t power_of_ten(unsigned exponent) {
    uint64_t value = 1;
    while (exponent-- > 0) value *= 10;
    return value;
}

static void write_digits(char *out, uint64_t value, unsigned len) {
    for (unsigned i = len; i-- > 0; value /= 10) out[i] = (char)('0' + value % 10);
}

static enum pt_code bad_at(const struct bits *bits, const char *why, struct pt_error *err) {
    return pt_fail_at(err, PT_INVALID, (long)(bits->at / 8), NULL, "epc-binary: %s", why);
}

// The key from indicator (or extension) digit, prefix and rest of the reference, with its check digit.
static enum pt_code add_key(struct epc_tag *tag, const struct layout *layout, uint64_t prefix, uint64_t reference,
                            struct pt_error *err) {
    const unsigned reference_digits = layout->digits - tag->prefix_length;
    char parts[18] = "";
    char key[19];
    write_digits(parts, reference, reference_digits);
    key[0] = parts[0];
    write_digits(key + 1, prefix, tag->prefix_length);
    memcpy(key + 1 + tag->prefix_length, parts + 1, reference_digits - 1);
    key[layout->digits] = gs1_check_digit(pt_bytes_of(key, layout->digits));
    return gs1_elements_add(&tag->elements, pt_bytes_str(layout->scheme == EPC_SSCC_96 ? "00" : "01"),
                            pt_bytes_of(key, layout->digits + 1), 1, GS1_CONTENT, err);
}

static enum pt_code take_serial(struct bits *bits, struct epc_tag *tag, struct pt_error *err) {
    char serial[SERIAL_198_CHARS + 1] = "";
    size_t len = 0;
    const size_t from = bits->at;
    if (tag->scheme == EPC_SGTIN_96) {
        uint64_t value = take(bits, SERIAL_96_BITS);
        while (value >= power_of_ten((unsigned)len + 1)) len++;
        write_digits(serial, value, (unsigned)++len);
    } else {
        bool ended = false;
        for (unsigned i = 0; i < SERIAL_198_CHARS; i++) {
            const char c = (char)take(bits, 7);
            if (ended && c) return bad_at(bits, "the serial number goes on behind its end", err);
            if (c) serial[len++] = c;
            ended = !c;
        }
        if (len == 0) return bad_at(bits, "the serial number is empty", err);
    }
    const enum pt_code code =
        gs1_elements_add(&tag->elements, pt_bytes_str("21"), pt_bytes_of(serial, len), 0, GS1_CONTENT, err);
    if (code != PT_OK && err && err->position >= 0) err->position = ((long)from + 7 * err->position) / 8;
    return code;
}

enum pt_code epc_binary_decode(struct pt_bytes memory, struct epc_tag *out, struct pt_error *err) {
    *out = (struct epc_tag){0};
    if (!epc_is_binary(memory))
        return pt_fail_at(err, PT_INVALID, 0, NULL,
                          "epc-binary: neither SGTIN-96, SGTIN-198 nor SSCC-96 by header and length");
    struct bits bits = {.memory = memory};
    const struct layout *layout = layout_of((unsigned)take(&bits, 8));
    out->scheme = layout->scheme;
    out->filter = (uint8_t)take(&bits, 3);
    const uint64_t partition = take(&bits, 3);
    if (partition > 6) return bad_at(&bits, "there is no partition 7", err);
    out->prefix_length = EPC_PREFIX_MAX - (unsigned)partition;
    const uint64_t prefix = take(&bits, prefix_bits[partition]);
    if (prefix >= power_of_ten(out->prefix_length)) return bad_at(&bits, "the company prefix has too many digits", err);
    const uint64_t reference = take(&bits, layout->body_bits - prefix_bits[partition]);
    if (reference >= power_of_ten(layout->digits - out->prefix_length))
        return bad_at(&bits, "the reference has too many digits", err);
    enum pt_code code = add_key(out, layout, prefix, reference, err);
    if (code == PT_OK && layout->scheme != EPC_SSCC_96) code = take_serial(&bits, out, err);
    while (code == PT_OK && bits.at < memory.len * 8)
        if (take(&bits, 1)) code = bad_at(&bits, "bits behind the EPC are not zero", err);
    return code;
}

static void put(uint8_t *bytes, size_t *at, uint64_t value, unsigned count) {
    for (unsigned i = count; i-- > 0; (*at)++)
        if (value >> i & 1u) bytes[*at / 8] = (uint8_t)(bytes[*at / 8] | 0x80u >> *at % 8);
}

static uint64_t number(const char *digits, size_t len) {
    uint64_t value = 0;
    for (size_t i = 0; i < len; i++) value = value * 10 + (uint64_t)(digits[i] - '0');
    return value;
}

static enum pt_code put_serial(const struct epc_tag *tag, uint8_t *bytes, size_t *at, struct pt_error *err) {
    const char *serial = gs1_elements_value(&tag->elements, "21");
    if (!serial) return pt_fail(err, PT_INVALID, "(21)", "epc-binary: there is no serial number");
    const size_t len = strlen(serial);
    if (tag->scheme == EPC_SGTIN_198) {
        for (size_t i = 0; i < SERIAL_198_CHARS; i++) put(bytes, at, i < len ? (uint64_t)serial[i] : 0, 7);
        return PT_OK;
    }
    const bool numeric = strspn(serial, "0123456789") == len && len <= 12 && (len == 1 || serial[0] != '0');
    if (!numeric || number(serial, len) >> SERIAL_96_BITS)
        return pt_fail(err, PT_INVALID, "(21)",
                       "epc-binary: SGTIN-96 takes numbers below 2^38 without leading zeros only");
    put(bytes, at, number(serial, len), SERIAL_96_BITS);
    return PT_OK;
}

enum pt_code epc_binary_encode(const struct epc_tag *tag, struct pt_buf *out, struct pt_error *err) {
    const struct layout *layout = layout_of((unsigned)tag->scheme);
    const char *key = layout ? gs1_elements_value(&tag->elements, layout->scheme == EPC_SSCC_96 ? "00" : "01") : NULL;
    if (!key || tag->filter > 7 || tag->prefix_length < EPC_PREFIX_MIN || tag->prefix_length > EPC_PREFIX_MAX)
        return pt_fail(err, PT_INVALID, NULL, "epc-binary: scheme, key, filter and prefix length do not fit together");
    uint8_t bytes[EPC_BINARY_MAX] = {0};
    size_t at = 0;
    const unsigned partition = EPC_PREFIX_MAX - tag->prefix_length;
    const unsigned rest = layout->digits - tag->prefix_length - 1; // of the reference, behind its first digit
    put(bytes, &at, (uint64_t)layout->scheme, 8);
    put(bytes, &at, tag->filter, 3);
    put(bytes, &at, partition, 3);
    put(bytes, &at, number(key + 1, tag->prefix_length), prefix_bits[partition]);
    const uint64_t reference = number(key, 1) * power_of_ten(rest) + number(key + 1 + tag->prefix_length, rest);
    put(bytes, &at, reference, layout->body_bits - prefix_bits[partition]);
    const enum pt_code code = layout->scheme == EPC_SSCC_96 ? PT_OK : put_serial(tag, bytes, &at, err);
    if (code != PT_OK) return code;
    pt_buf_append(out, bytes, layout->scheme == EPC_SGTIN_198 ? EPC_BINARY_MAX : layout->bytes);
    return pt_buf_check(out, err);
}

#define TAG_STEM "urn:epc:tag:"
#define URN_MAX 128u

bool epc_is_tag_uri(struct pt_bytes text) {
    return text.len > strlen(TAG_STEM) && memcmp(text.data, TAG_STEM, strlen(TAG_STEM)) == 0;
}

static const char *pure_stem(const struct layout *layout) {
    return layout->scheme == EPC_SSCC_96 ? "urn:epc:id:sscc:" : "urn:epc:id:sgtin:";
}

// A tag URI is a pure identity with the filter value before it: urn:epc:tag:sgtin-96:3.… and urn:epc:id:sgtin:….
enum pt_code epc_tag_uri_parse(struct pt_bytes uri, struct epc_tag *out, struct pt_error *err) {
    *out = (struct epc_tag){0};
    const size_t stem = strlen(TAG_STEM);
    const struct layout *layout = NULL;
    size_t at = 0;
    for (size_t i = 0; epc_is_tag_uri(uri) && !layout && i < sizeof layouts / sizeof *layouts; i++) {
        const size_t name = strlen(layouts[i].name);
        if (uri.len <= stem + name || memcmp(uri.data + stem, layouts[i].name, name) != 0 ||
            uri.data[stem + name] != ':')
            continue;
        layout = &layouts[i];
        at = stem + name + 1;
    }
    if (!layout)
        return pt_fail_at(err, PT_INVALID, (long)(uri.len < stem ? 0 : stem), NULL,
                          "epc-tag: no scheme that is read here");
    if (uri.len < at + 2 || uri.data[at] < '0' || uri.data[at] > '7' || uri.data[at + 1] != '.')
        return pt_fail_at(err, PT_INVALID, (long)at, NULL, "epc-tag: a filter value of 0 to 7 must stand here");
    out->scheme = layout->scheme;
    out->filter = (uint8_t)(uri.data[at] - '0');
    at += 2;
    PT_CLEANUP(pt_buf_free) struct pt_buf urn = PT_BUF_INIT(URN_MAX);
    pt_buf_str(&urn, pure_stem(layout));
    const size_t head = urn.len;
    pt_buf_append(&urn, uri.data + at, uri.len - at);
    enum pt_code code = pt_buf_check(&urn, err);
    if (code != PT_OK) return code;
    code = epc_urn_parse(pt_buf_bytes(&urn), GS1_CONTENT, &out->elements, NULL, &out->prefix_length, err);
    if (code != PT_OK) {
        if (err && err->position >= (long)head) err->position += (long)at - (long)head;
        return code;
    }
    // Written and read once as binary, so that a serial number too large for the tag is refused here.
    PT_CLEANUP(pt_buf_free) struct pt_buf binary = PT_BUF_INIT(EPC_BINARY_MAX);
    return epc_binary_encode(out, &binary, err);
}

enum pt_code epc_tag_uri_append(const struct epc_tag *tag, struct pt_buf *out, struct pt_error *err) {
    const struct layout *layout = layout_of((unsigned)tag->scheme);
    PT_CLEANUP(pt_buf_free) struct pt_buf urn = PT_BUF_INIT(URN_MAX);
    if (!layout) return pt_fail(err, PT_INVALID, NULL, "epc-tag: no scheme that is written here");
    const enum pt_code code = epc_urn_compose(&tag->elements, tag->prefix_length, &urn, err);
    if (code != PT_OK) return code;
    const char *stem = pure_stem(layout);
    if (strncmp(pt_buf_cstr(&urn), stem, strlen(stem)) != 0)
        return pt_fail(err, PT_INVALID, NULL, "epc-tag: the elements are not those of %s", layout->name);
    pt_buf_printf(out, TAG_STEM "%s:%u.%s", layout->name, tag->filter, pt_buf_cstr(&urn) + strlen(stem));
    return pt_buf_check(out, err);
}
