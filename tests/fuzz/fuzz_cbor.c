#include <stdlib.h>

#include "common/cose/cbor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void copy(struct cbor_reader *reader, struct pt_buf *out, unsigned depth);

static void copy_many(struct cbor_reader *reader, uint64_t count, struct pt_buf *out, unsigned depth) {
    for (uint64_t i = 0; i < count && !cbor_failed(reader); i++) copy(reader, out, depth + 1);
}

static void copy(struct cbor_reader *reader, struct pt_buf *out, unsigned depth) {
    struct cbor_item item;
    if (depth > CBOR_MAX_DEPTH || !cbor_next(reader, &item)) return;
    switch (item.type) {
    case CBOR_UINT: cbor_put_uint(out, item.value); break;
    case CBOR_BYTES: cbor_put_bytes(out, item.bytes); break;
    case CBOR_TEXT: cbor_put_text_bytes(out, item.bytes); break;
    case CBOR_ARRAY:
        cbor_put_array(out, item.value);
        copy_many(reader, item.value, out, depth);
        break;
    case CBOR_MAP:
        cbor_put_map(out, item.value);
        copy_many(reader, 2 * item.value, out, depth);
        break;
    case CBOR_TAG:
        cbor_put_tag(out, item.value);
        copy_many(reader, 1, out, depth);
        break;
    case CBOR_FALSE:
    case CBOR_TRUE: cbor_put_bool(out, item.type == CBOR_TRUE); break;
    case CBOR_NULL: cbor_put_null(out); break;
    case CBOR_FLOAT: cbor_put_double(out, item.real); break;
    case CBOR_NEGINT:
        if (item.value <= INT64_MAX) {
            cbor_put_int(out, -1 - (int64_t)item.value);
            break;
        }
        // beyond int64_t, undefined and other simple values have no writer: not compared
        // fall through
    case CBOR_UNDEFINED:
    case CBOR_SIMPLE: cbor_fail(reader, "not written"); break;
    }
}

// What the deterministic reader takes must be what the writer writes, byte for byte, and the lenient reader must take it too.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct cbor_reader lenient = cbor_reader_of(pt_bytes_of(data, len), false, NULL);
    struct cbor_reader strict = cbor_reader_of(pt_bytes_of(data, len), true, NULL);
    cbor_skip(&lenient);
    cbor_skip(&strict);
    if (cbor_failed(&strict)) return 0;
    if (cbor_failed(&lenient) || lenient.at != strict.at) abort();
    struct pt_buf out = PT_BUF_INIT(1 << 24);
    struct cbor_reader again = cbor_reader_of(pt_bytes_of(data, strict.at), true, NULL);
    copy(&again, &out, 0);
    if (!cbor_failed(&again) && !pt_bytes_equal(pt_buf_bytes(&out), pt_bytes_of(data, strict.at))) abort();
    pt_buf_free(&out);
    return 0;
}
