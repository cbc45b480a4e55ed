// libcbor names a type like ours; only its streaming half is used, which shares no symbol with us.
#define cbor_type libcbor_type
#include <cbor/encoding.h>
#include <cbor/streaming.h>
#undef cbor_type

#include "common/cose/cbor.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"

// Additional information of the initial byte (RFC 8949 section 3).
enum { INFO_ONE_BYTE = 24, INFO_TWO_BYTES = 25, INFO_FOUR_BYTES = 26, INFO_EIGHT_BYTES = 27, INFO_INDEFINITE = 31 };
enum { MAJOR_BYTES = 2, MAJOR_TEXT = 3, MAJOR_TAG = 6 };
enum { BREAK = 0xff, SIMPLE_ONE_BYTE = 0xf8, CANONICAL_NAN = 0x7e00 };

// --- Writing ---

#define HEAD_MAX 9u  // initial byte and at most eight more

void cbor_put_uint(struct pt_buf *out, uint64_t value) {
    uint8_t head[HEAD_MAX];
    pt_buf_append(out, head, cbor_encode_uint(value, head, sizeof head));
}

void cbor_put_int(struct pt_buf *out, int64_t value) {
    if (value >= 0) {
        cbor_put_uint(out, (uint64_t)value);
        return;
    }
    uint8_t head[HEAD_MAX];
    pt_buf_append(out, head, cbor_encode_negint((uint64_t) - (value + 1), head, sizeof head));
}

void cbor_put_bytes_head(struct pt_buf *out, uint64_t len) {
    uint8_t head[HEAD_MAX];
    pt_buf_append(out, head, cbor_encode_bytestring_start(len, head, sizeof head));
}

void cbor_put_bytes(struct pt_buf *out, struct pt_bytes bytes) {
    cbor_put_bytes_head(out, bytes.len);
    pt_buf_append_bytes(out, bytes);
}

void cbor_put_text_bytes(struct pt_buf *out, struct pt_bytes text) {
    uint8_t head[HEAD_MAX];
    pt_buf_append(out, head, cbor_encode_string_start(text.len, head, sizeof head));
    pt_buf_append_bytes(out, text);
}

void cbor_put_text(struct pt_buf *out, const char *text) { cbor_put_text_bytes(out, pt_bytes_str(text)); }

void cbor_put_array(struct pt_buf *out, uint64_t count) {
    uint8_t head[HEAD_MAX];
    pt_buf_append(out, head, cbor_encode_array_start(count, head, sizeof head));
}

void cbor_put_map(struct pt_buf *out, uint64_t pairs) {
    uint8_t head[HEAD_MAX];
    pt_buf_append(out, head, cbor_encode_map_start(pairs, head, sizeof head));
}

void cbor_put_tag(struct pt_buf *out, uint64_t tag) {
    uint8_t head[HEAD_MAX];
    pt_buf_append(out, head, cbor_encode_tag(tag, head, sizeof head));
}

void cbor_put_bool(struct pt_buf *out, bool value) {
    uint8_t head[HEAD_MAX];
    pt_buf_append(out, head, cbor_encode_bool(value, head, sizeof head));
}

void cbor_put_null(struct pt_buf *out) {
    uint8_t head[HEAD_MAX];
    pt_buf_append(out, head, cbor_encode_null(head, sizeof head));
}

// The half-precision bits of a value, if half precision keeps it exactly. NaN always gives the canonical one.
// Done here and not by libcbor, which rounds.
static bool half_of_single(float value, uint16_t *out) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint32_t sign = bits >> 16 & 0x8000u;
    const int exponent = (int)(bits >> 23 & 0xffu) - 127;
    const uint32_t fraction = bits & 0x7fffffu;
    uint32_t half;
    if (isnan(value)) {
        *out = CANONICAL_NAN;
        return true;
    }
    if (isinf(value)) {
        half = 0x7c00u;
    } else if ((bits & 0x7fffffffu) == 0) {
        half = 0;
    } else if (exponent >= -14 && exponent <= 15) {
        if (fraction & 0x1fffu) return false;
        half = (uint32_t)(exponent + 15) << 10 | fraction >> 13;
    } else if (exponent >= -24 && exponent < -14) {  // subnormal: a multiple of 2^-24
        const unsigned shift = (unsigned)(-1 - exponent);
        const uint32_t significand = fraction | 0x800000u;
        if (significand & ((1u << shift) - 1)) return false;
        half = significand >> shift;
    } else {
        return false;
    }
    *out = (uint16_t)(sign | half);
    return true;
}

static bool fits_single(double value) {
    return isnan(value) || isinf(value) || (fabs(value) <= 3.4028234663852886e38 && (double)(float)value == value);
}

void cbor_put_double(struct pt_buf *out, double value) {
    uint8_t head[HEAD_MAX];
    uint16_t half;
    if (!fits_single(value)) {
        pt_buf_append(out, head, cbor_encode_double(value, head, sizeof head));
    } else if (half_of_single((float)value, &half)) {
        const uint8_t bytes[3] = {0xf9, (uint8_t)(half >> 8), (uint8_t)half};
        pt_buf_append(out, bytes, sizeof bytes);
    } else {
        pt_buf_append(out, head, cbor_encode_single((float)value, head, sizeof head));
    }
}

// --- Reading: what libcbor reports about one head lands in a cbor_item ---

static void set_value(struct cbor_item *item, enum cbor_type type, uint64_t value) {
    item->type = type;
    item->value = value;
}

static void on_uint8(void *item, uint8_t value) { set_value(item, CBOR_UINT, value); }
static void on_uint16(void *item, uint16_t value) { set_value(item, CBOR_UINT, value); }
static void on_uint32(void *item, uint32_t value) { set_value(item, CBOR_UINT, value); }
static void on_uint64(void *item, uint64_t value) { set_value(item, CBOR_UINT, value); }
static void on_negint8(void *item, uint8_t value) { set_value(item, CBOR_NEGINT, value); }
static void on_negint16(void *item, uint16_t value) { set_value(item, CBOR_NEGINT, value); }
static void on_negint32(void *item, uint32_t value) { set_value(item, CBOR_NEGINT, value); }
static void on_negint64(void *item, uint64_t value) { set_value(item, CBOR_NEGINT, value); }
static void on_array(void *item, size_t count) { set_value(item, CBOR_ARRAY, count); }
static void on_map(void *item, size_t pairs) { set_value(item, CBOR_MAP, pairs); }
static void on_tag(void *item, uint64_t tag) { set_value(item, CBOR_TAG, tag); }
static void on_null(void *item) { set_value(item, CBOR_NULL, 0); }
static void on_undefined(void *item) { set_value(item, CBOR_UNDEFINED, 0); }
static void on_bool(void *item, bool value) { set_value(item, value ? CBOR_TRUE : CBOR_FALSE, 0); }

static void on_bytes(void *ctx, cbor_data data, size_t len) {
    struct cbor_item *item = ctx;
    item->type = CBOR_BYTES;
    item->bytes = pt_bytes_of(data, len);
}

static void on_text(void *ctx, cbor_data data, size_t len) {
    struct cbor_item *item = ctx;
    item->type = CBOR_TEXT;
    item->bytes = pt_bytes_of(data, len);
}

static void on_indefinite_array(void *ctx) {
    struct cbor_item *item = ctx;
    item->type = CBOR_ARRAY;
    item->indefinite = true;
}

static void on_indefinite_map(void *ctx) {
    struct cbor_item *item = ctx;
    item->type = CBOR_MAP;
    item->indefinite = true;
}

static void on_double(void *ctx, double value) {
    struct cbor_item *item = ctx;
    item->type = CBOR_FLOAT;
    item->real = value;
}

static void on_float(void *ctx, float value) { on_double(ctx, (double)value); }

// Indefinite strings and breaks are answered before libcbor sees them.
static const struct cbor_callbacks callbacks = {
    .uint8 = on_uint8,
    .uint16 = on_uint16,
    .uint32 = on_uint32,
    .uint64 = on_uint64,
    .negint8 = on_negint8,
    .negint16 = on_negint16,
    .negint32 = on_negint32,
    .negint64 = on_negint64,
    .byte_string_start = cbor_null_byte_string_start_callback,
    .byte_string = on_bytes,
    .string = on_text,
    .string_start = cbor_null_string_start_callback,
    .indef_array_start = on_indefinite_array,
    .array_start = on_array,
    .indef_map_start = on_indefinite_map,
    .map_start = on_map,
    .tag = on_tag,
    .float2 = on_float,
    .float4 = on_float,
    .float8 = on_double,
    .undefined = on_undefined,
    .null = on_null,
    .boolean = on_bool,
    .indef_break = cbor_null_indef_break_callback,
};

struct cbor_reader cbor_reader_of(struct pt_bytes buffer, bool deterministic, struct pt_error *err) {
    return (struct cbor_reader){.buffer = buffer, .deterministic = deterministic, .err = err};
}

bool cbor_failed(const struct cbor_reader *reader) { return reader->code != PT_OK; }

static void fail_with(struct cbor_reader *reader, enum pt_code code, const char *what) {
    if (reader->code == PT_OK) reader->code = pt_fail_at(reader->err, code, (long)reader->at, NULL, "CBOR: %s", what);
}

enum pt_code cbor_fail(struct cbor_reader *reader, const char *fmt, ...) {
    char what[256];
    va_list args;
    va_start(args, fmt);
    vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    fail_with(reader, PT_INVALID, what);
    return reader->code;
}

static bool shortest_argument(unsigned info, uint64_t value) {
    switch (info) {
    case INFO_ONE_BYTE: return value >= INFO_ONE_BYTE;
    case INFO_TWO_BYTES: return value > UINT8_MAX;
    case INFO_FOUR_BYTES: return value > UINT16_MAX;
    case INFO_EIGHT_BYTES: return value > UINT32_MAX;
    default: return true;
    }
}

static bool shortest_float(struct pt_bytes encoded, double value) {
    uint16_t half;
    if (encoded.len == 9) return !fits_single(value);
    if (encoded.len == 5) return !half_of_single((float)value, &half);
    return !isnan(value) || (encoded.data[1] == CANONICAL_NAN >> 8 && encoded.data[2] == (uint8_t)CANONICAL_NAN);
}

static const char *not_deterministic(const struct cbor_item *item, struct pt_bytes encoded) {
    if (item->indefinite) return "indefinite length where a definite one is required";
    if (item->type == CBOR_FLOAT) return shortest_float(encoded, item->real) ? NULL : "float not in its shortest form";
    const bool string = item->type == CBOR_BYTES || item->type == CBOR_TEXT;
    if (item->type > CBOR_TAG) return NULL;
    return shortest_argument(encoded.data[0] & 31u, string ? item->bytes.len : item->value)
               ? NULL
               : "number or length not in its shortest form";
}

// Simple values other than the four named ones: libcbor knows none of them.
static size_t decode_simple(struct pt_bytes rest, struct cbor_item *out, const char **problem) {
    const uint8_t first = rest.data[0];
    if (first == SIMPLE_ONE_BYTE) {
        if (rest.len < 2) {
            *problem = "ends inside an item";
            return 0;
        }
        if (rest.data[1] < 32) {
            *problem = "simple value below 32 in two bytes";
            return 0;
        }
        set_value(out, CBOR_SIMPLE, rest.data[1]);
        return 2;
    }
    set_value(out, CBOR_SIMPLE, first & 31u);
    return 1;
}

static size_t decode_head(struct pt_bytes rest, struct cbor_item *out, const char **problem) {
    const uint8_t first = rest.data[0];
    if (first == BREAK) {
        *problem = "break outside an indefinite length item";
        return 0;
    }
    if (first == (MAJOR_BYTES << 5 | INFO_INDEFINITE) || first == (MAJOR_TEXT << 5 | INFO_INDEFINITE)) {
        *problem = "strings of indefinite length are not taken";
        return 0;
    }
    if (first >> 5 == MAJOR_TAG && (first & 31u) < INFO_ONE_BYTE) {  // libcbor 0.8 refuses those that had no meaning in 2013
        set_value(out, CBOR_TAG, first & 31u);
        return 1;
    }
    if (first == SIMPLE_ONE_BYTE || (first >= 0xe0 && first < 0xf4)) return decode_simple(rest, out, problem);
    const struct cbor_decoder_result result = cbor_stream_decode(rest.data, rest.len, &callbacks, out);
    if (result.status == CBOR_DECODER_FINISHED) return result.read;
    *problem = result.status == CBOR_DECODER_NEDATA ? "ends inside an item" : "malformed item";
    return 0;
}

// Decodes the item at the cursor without moving; gives its encoded size (head, and content of strings), 0 on failure.
static size_t decode_item(struct cbor_reader *reader, struct cbor_item *out) {
    *out = (struct cbor_item){.type = CBOR_UNDEFINED};
    const struct pt_bytes rest = {reader->buffer.data + reader->at, reader->buffer.len - reader->at};
    const char *problem = NULL;
    const size_t size = decode_head(rest, out, &problem);
    // Every item takes at least a byte: a count beyond what is left is refused before anybody allocates for it.
    const uint64_t left = rest.len - size;
    if (!problem && ((out->type == CBOR_ARRAY && out->value > left) || (out->type == CBOR_MAP && out->value > left / 2)))
        problem = "more items announced than bytes are left";
    if (!problem && out->type == CBOR_TEXT && !pt_utf8_valid(out->bytes)) problem = "text is not UTF-8";
    if (!problem && reader->deterministic) problem = not_deterministic(out, pt_bytes_of(rest.data, size));
    if (!problem) return size;
    fail_with(reader, PT_INVALID, problem);
    *out = (struct cbor_item){.type = CBOR_UNDEFINED};
    return 0;
}

bool cbor_peek(struct cbor_reader *reader, struct cbor_item *out) {
    *out = (struct cbor_item){.type = CBOR_UNDEFINED};
    if (cbor_failed(reader) || reader->at >= reader->buffer.len) return false;
    return decode_item(reader, out) > 0;
}

bool cbor_next(struct cbor_reader *reader, struct cbor_item *out) {
    *out = (struct cbor_item){.type = CBOR_UNDEFINED};
    if (cbor_failed(reader)) return false;
    if (reader->at >= reader->buffer.len) {
        fail_with(reader, PT_INVALID, "ends where an item is expected");
        return false;
    }
    const size_t size = decode_item(reader, out);
    reader->at += size;
    return size > 0;
}

bool cbor_break_if(struct cbor_reader *reader) {
    if (cbor_failed(reader) || reader->at >= reader->buffer.len || reader->buffer.data[reader->at] != BREAK) return false;
    reader->at++;
    return true;
}

// Reads one item of a wanted type; a failure stands at the item's first byte.
static bool next_of(struct cbor_reader *reader, enum cbor_type type, const char *wanted, struct cbor_item *out) {
    if (cbor_failed(reader)) return false;
    const size_t before = reader->at;
    if (!cbor_next(reader, out)) return false;
    if (out->type == type) return true;
    reader->at = before;
    cbor_fail(reader, "expected %s", wanted);
    return false;
}

uint64_t cbor_get_uint(struct cbor_reader *reader) {
    struct cbor_item item;
    return next_of(reader, CBOR_UINT, "an unsigned integer", &item) ? item.value : 0;
}

int64_t cbor_get_int(struct cbor_reader *reader) {
    struct cbor_item item;
    const size_t before = reader->at;
    if (!cbor_next(reader, &item)) return 0;
    if ((item.type == CBOR_UINT || item.type == CBOR_NEGINT) && item.value <= INT64_MAX)
        return item.type == CBOR_UINT ? (int64_t)item.value : -1 - (int64_t)item.value;
    reader->at = before;
    cbor_fail(reader, "expected an integer of 64 bits with sign");
    return 0;
}

struct pt_bytes cbor_get_bytes(struct cbor_reader *reader) {
    struct cbor_item item;
    return next_of(reader, CBOR_BYTES, "a byte string", &item) ? item.bytes : (struct pt_bytes){NULL, 0};
}

struct pt_bytes cbor_get_text(struct cbor_reader *reader) {
    struct cbor_item item;
    return next_of(reader, CBOR_TEXT, "a text string", &item) ? item.bytes : (struct pt_bytes){NULL, 0};
}

bool cbor_get_bool(struct cbor_reader *reader) {
    struct cbor_item item;
    const size_t before = reader->at;
    if (!cbor_next(reader, &item)) return false;
    if (item.type == CBOR_TRUE || item.type == CBOR_FALSE) return item.type == CBOR_TRUE;
    reader->at = before;
    cbor_fail(reader, "expected true or false");
    return false;
}

static uint64_t get_count(struct cbor_reader *reader, enum cbor_type type, const char *wanted, uint64_t most) {
    struct cbor_item item;
    const size_t before = reader->at;
    if (!next_of(reader, type, wanted, &item)) return 0;
    if (!item.indefinite && item.value <= most) return item.value;
    reader->at = before;
    if (item.indefinite)
        cbor_fail(reader, "expected %s of definite length", wanted);
    else
        cbor_fail(reader, "%s of more than %llu", wanted, (unsigned long long)most);
    return 0;
}

uint64_t cbor_get_array(struct cbor_reader *reader, uint64_t most) { return get_count(reader, CBOR_ARRAY, "an array", most); }
uint64_t cbor_get_map(struct cbor_reader *reader, uint64_t most) { return get_count(reader, CBOR_MAP, "a map", most); }

bool cbor_get_null_if(struct cbor_reader *reader) {
    struct cbor_item item;
    if (!cbor_peek(reader, &item) || item.type != CBOR_NULL) return false;
    return cbor_next(reader, &item);
}

void cbor_get_digest(struct cbor_reader *reader, struct pt_digest *out) {
    *out = (struct pt_digest){{0}};
    const size_t before = reader->at;
    const struct pt_bytes bytes = cbor_get_bytes(reader);
    if (cbor_failed(reader)) return;
    if (bytes.len == PT_DIGEST_SIZE) {
        memcpy(out->bytes, bytes.data, PT_DIGEST_SIZE);
        return;
    }
    reader->at = before;
    cbor_fail(reader, "expected a byte string of %u, not %zu", PT_DIGEST_SIZE, bytes.len);
}

// --- Items of a fixed form ---

void cbor_expect_array(struct cbor_reader *reader, uint64_t count) {
    const size_t before = reader->at;
    if (cbor_get_array(reader, UINT64_MAX) == count || cbor_failed(reader)) return;
    reader->at = before;
    cbor_fail(reader, "expected an array of %llu", (unsigned long long)count);
}

void cbor_expect_map(struct cbor_reader *reader, uint64_t pairs) {
    const size_t before = reader->at;
    if (cbor_get_map(reader, UINT64_MAX) == pairs || cbor_failed(reader)) return;
    reader->at = before;
    cbor_fail(reader, "expected a map of %llu", (unsigned long long)pairs);
}

void cbor_expect_int(struct cbor_reader *reader, int64_t value) {
    const size_t before = reader->at;
    const int64_t found = cbor_get_int(reader);
    if (found == value || cbor_failed(reader)) return;
    reader->at = before;
    cbor_fail(reader, "expected %lld, not %lld", (long long)value, (long long)found);
}

struct pt_bytes cbor_expect_text(struct cbor_reader *reader, size_t least, size_t most) {
    const size_t before = reader->at;
    const struct pt_bytes text = cbor_get_text(reader);
    if (cbor_failed(reader) || (text.len >= least && text.len <= most)) return text;
    reader->at = before;
    cbor_fail(reader, "expected a text of %zu to %zu bytes, not %zu", least, most, text.len);
    return (struct pt_bytes){NULL, 0};
}

uint64_t cbor_get_count(struct cbor_reader *reader) {
    const size_t before = reader->at;
    const uint64_t count = cbor_get_uint(reader);
    if (count <= INT64_MAX) return count;
    reader->at = before;
    cbor_fail(reader, "number too large");
    return 0;
}

// --- Whole items ---

// One open container on the way down. Tags are containers of one item.
struct level {
    uint64_t left;         // items still to come; not used when indefinite
    bool indefinite;
    bool map;
    bool at_key;           // in a map: the next item is a key
    size_t key_start;
    struct pt_bytes last;  // in a deterministic map: encoding of the key before
};

static bool close_key(struct cbor_reader *reader, struct level *level) {
    level->at_key = !level->at_key;
    if (level->at_key || !reader->deterministic) return true;
    const struct pt_bytes key = {reader->buffer.data + level->key_start, reader->at - level->key_start};
    return cbor_key_in_order(reader, key, &level->last);
}

// An item has ended: closes every container that ends with it. Gives the depth that stays open.
static size_t close_levels(struct cbor_reader *reader, struct level *levels, size_t depth) {
    while (depth > 0 && !cbor_failed(reader)) {
        struct level *level = &levels[depth - 1];
        if (level->map && !close_key(reader, level)) return depth;
        if (level->indefinite || --level->left > 0) return depth;
        depth--;
    }
    return depth;
}

// Opens the container that `item` begins; false if it holds nothing.
static bool open_level(struct level *levels, size_t *depth, const struct cbor_item *item) {
    struct level level = {.left = item->value, .indefinite = item->indefinite, .map = item->type == CBOR_MAP};
    if (item->type == CBOR_TAG) level.left = 1;
    if (level.map) {
        level.left *= 2;
        level.at_key = true;
    }
    if (level.left == 0 && !level.indefinite) return false;
    levels[(*depth)++] = level;
    return true;
}

static bool ends_indefinite(struct cbor_reader *reader, const struct level *levels, size_t depth) {
    if (depth == 0 || !levels[depth - 1].indefinite || !cbor_break_if(reader)) return false;
    if (levels[depth - 1].map && !levels[depth - 1].at_key) cbor_fail(reader, "map ends after a key");
    return true;
}

struct pt_bytes cbor_skip(struct cbor_reader *reader) {
    struct level levels[CBOR_MAX_DEPTH];
    size_t depth = 0;
    const size_t start = reader->at;
    do {
        struct cbor_item item;
        if (ends_indefinite(reader, levels, depth)) {
            depth = close_levels(reader, levels, depth - 1);
            continue;
        }
        if (depth > 0 && levels[depth - 1].at_key) levels[depth - 1].key_start = reader->at;
        if (!cbor_next(reader, &item)) break;
        const bool container = item.type == CBOR_ARRAY || item.type == CBOR_MAP || item.type == CBOR_TAG;
        if (container && depth == CBOR_MAX_DEPTH) {
            fail_with(reader, PT_LIMIT, "nested too deeply");
            break;
        }
        if (container && open_level(levels, &depth, &item)) continue;
        depth = close_levels(reader, levels, depth);
    } while (depth > 0 && !cbor_failed(reader));
    if (cbor_failed(reader)) return (struct pt_bytes){NULL, 0};
    return (struct pt_bytes){reader->buffer.data + start, reader->at - start};
}

bool cbor_key_in_order(struct cbor_reader *reader, struct pt_bytes key_encoding, struct pt_bytes *last) {
    if (cbor_failed(reader)) return false;
    const int order = last->len == 0 ? -1 : pt_bytes_compare(*last, key_encoding);
    *last = key_encoding;
    if (order < 0) return true;
    cbor_fail(reader, order == 0 ? "map key twice" : "map keys out of order");
    return false;
}

enum pt_code cbor_finish(struct cbor_reader *reader) {
    if (!cbor_failed(reader) && reader->at != reader->buffer.len) fail_with(reader, PT_INVALID, "bytes after the end");
    return reader->code;
}
