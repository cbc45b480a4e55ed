// CBOR by libcbor's streaming codec, with the checks of deterministic encoding (RFC 8949 section 4.2.1).
#ifndef PACKTRAIL_COMMON_COSE_CBOR_H
#define PACKTRAIL_COMMON_COSE_CBOR_H

#include "common/base/bytes.h"

#define CBOR_MAX_DEPTH 64

// libcbor exports functions of the same names (its tree half, unused here): ours must not take their place.
#pragma GCC visibility push(hidden)

// --- Writing. The caller writes map keys in deterministic order (bytewise order of their encodings). ---
void cbor_put_uint(struct pt_buf *out, uint64_t value);
void cbor_put_int(struct pt_buf *out, int64_t value);
void cbor_put_bytes(struct pt_buf *out, struct pt_bytes bytes);
void cbor_put_bytes_head(struct pt_buf *out, uint64_t len);  // head only; `len` bytes follow
void cbor_put_text(struct pt_buf *out, const char *text);
void cbor_put_text_bytes(struct pt_buf *out, struct pt_bytes text);  // must be UTF-8
void cbor_put_array(struct pt_buf *out, uint64_t count);  // head only; `count` items follow
void cbor_put_map(struct pt_buf *out, uint64_t pairs);    // head only; `pairs` keys and values follow
void cbor_put_tag(struct pt_buf *out, uint64_t tag);
void cbor_put_bool(struct pt_buf *out, bool value);
void cbor_put_null(struct pt_buf *out);
void cbor_put_double(struct pt_buf *out, double value);   // the shortest of half, single, double that keeps it

// --- Reading: a cursor over one buffer. ---
enum cbor_type { CBOR_UINT, CBOR_NEGINT, CBOR_BYTES, CBOR_TEXT, CBOR_ARRAY, CBOR_MAP, CBOR_TAG, CBOR_FALSE, CBOR_TRUE,
                 CBOR_NULL, CBOR_UNDEFINED, CBOR_SIMPLE, CBOR_FLOAT };

// One data item's head (and content, for strings).
struct cbor_item {
    enum cbor_type type;
    bool indefinite;        // only without `deterministic`: strings are refused then, arrays and maps allowed
    uint64_t value;         // UINT: value; NEGINT: -1 - value; ARRAY, MAP: count; TAG: number; SIMPLE: number
    struct pt_bytes bytes;  // BYTES, TEXT: view into the buffer
    double real;            // FLOAT
};

// The first failure sticks: later reads give nothing and change nothing, so a decoder checks once
// (cbor_finish). Failures carry the byte offset in err->position.
struct cbor_reader {
    struct pt_bytes buffer;
    size_t at;
    bool deterministic;   // shortest heads, definite lengths, shortest floats
    struct pt_error *err; // may be NULL
    enum pt_code code;    // PT_OK while nothing failed
};

struct cbor_reader cbor_reader_of(struct pt_bytes buffer, bool deterministic, struct pt_error *err);
bool cbor_failed(const struct cbor_reader *reader);
enum pt_code cbor_fail(struct cbor_reader *reader, const char *fmt, ...) PT_PRINTF(2, 3);  // keeps the first failure

bool cbor_peek(struct cbor_reader *reader, struct cbor_item *out);  // false at the end or after a failure
bool cbor_next(struct cbor_reader *reader, struct cbor_item *out);  // as peek, and moves on; false is a failure

// Moves past the break that ends an indefinite array or map; false if something else is next.
bool cbor_break_if(struct cbor_reader *reader);

// Typed reads: anything else fails the reader and gives 0 / no bytes.
uint64_t cbor_get_uint(struct cbor_reader *reader);
int64_t cbor_get_int(struct cbor_reader *reader);
struct pt_bytes cbor_get_bytes(struct cbor_reader *reader);
struct pt_bytes cbor_get_text(struct cbor_reader *reader);  // checked to be UTF-8
bool cbor_get_bool(struct cbor_reader *reader);
uint64_t cbor_get_array(struct cbor_reader *reader, uint64_t most);  // count, at most `most`; definite length only
uint64_t cbor_get_map(struct cbor_reader *reader, uint64_t most);    // pairs
bool cbor_get_null_if(struct cbor_reader *reader);                   // moves past a null, false if something else is next
void cbor_get_digest(struct cbor_reader *reader, struct pt_digest *out);  // a byte string of 32

// For items of a fixed form: exactly this many items or pairs, exactly this integer (a map key), a text of `least` to
// `most` bytes; anything else fails the reader.
void cbor_expect_array(struct cbor_reader *reader, uint64_t count);
void cbor_expect_map(struct cbor_reader *reader, uint64_t pairs);
void cbor_expect_int(struct cbor_reader *reader, int64_t value);
struct pt_bytes cbor_expect_text(struct cbor_reader *reader, size_t least, size_t most);
uint64_t cbor_get_count(struct cbor_reader *reader);  // an unsigned integer of at most INT64_MAX: sequences, heights, sizes

// Moves past one whole item of any kind and gives its bytes; refuses more than CBOR_MAX_DEPTH levels. In a
// deterministic reader map keys inside must be unique and in order.
struct pt_bytes cbor_skip(struct cbor_reader *reader);

// For map readers: checks that keys come in strictly ascending bytewise order of their encodings (which also
// refuses duplicates). `last` begins as no bytes and is updated.
bool cbor_key_in_order(struct cbor_reader *reader, struct pt_bytes key_encoding, struct pt_bytes *last);

// PT_OK if nothing failed and the buffer is used up.
enum pt_code cbor_finish(struct cbor_reader *reader) PT_NODISCARD;

#pragma GCC visibility pop

#endif
