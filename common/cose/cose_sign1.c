#include "common/cose/cose_sign1.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/crypto/digest.h"

enum { TAG_COSE_SIGN1 = 18, LABELS_MAX = 64 };

// --- Header parameters ---

// A header label: an integer of either sign, or text.
struct label {
    enum cbor_type type;    // CBOR_UINT, CBOR_NEGINT or CBOR_TEXT
    uint64_t value;         // as in a cbor_item
    struct pt_bytes text;
};

// Of both headers together: no label may stand in both (RFC 9052 section 3).
struct headers {
    struct label labels[LABELS_MAX];
    size_t count;
    size_t protected_count;  // the first of them
    struct label critical[LABELS_MAX];
    size_t critical_count;
};

static bool same_label(const struct label *a, const struct label *b) {
    if (a->type != b->type) return false;
    return a->type == CBOR_TEXT ? pt_bytes_equal(a->text, b->text) : a->value == b->value;
}

static bool is_label(const struct label *label, int64_t number) {
    if (number >= 0) return label->type == CBOR_UINT && label->value == (uint64_t)number;
    return label->type == CBOR_NEGINT && label->value == (uint64_t) - (number + 1);
}

static bool read_label(struct cbor_reader *reader, struct label *out) {
    struct cbor_item item;
    if (!cbor_next(reader, &item)) return false;
    *out = (struct label){item.type, item.value, item.bytes};
    if (item.type == CBOR_UINT || item.type == CBOR_NEGINT || item.type == CBOR_TEXT) return true;
    cbor_fail(reader, "a header label is an integer or text");
    return false;
}

static void add_label(struct cbor_reader *reader, struct headers *headers, const struct label *label) {
    for (size_t i = 0; i < headers->count; i++)
        if (same_label(&headers->labels[i], label)) {
            cbor_fail(reader, "header label twice");
            return;
        }
    if (headers->count == LABELS_MAX) cbor_fail(reader, "more than %d header labels", LABELS_MAX);
    else headers->labels[headers->count++] = *label;
}

static void read_critical(struct cbor_reader *reader, struct headers *headers) {
    const uint64_t count = cbor_get_array(reader, LABELS_MAX);
    if (!cbor_failed(reader) && count == 0) cbor_fail(reader, "crit is empty");
    for (uint64_t i = 0; i < count && !cbor_failed(reader); i++)
        if (read_label(reader, &headers->critical[i])) headers->critical_count++;
}

static enum cose_algorithm read_algorithm(struct cbor_reader *reader) {
    struct cbor_item item;
    if (cbor_peek(reader, &item) && item.type == CBOR_TEXT) {
        cbor_skip(reader);
        return COSE_ALG_UNKNOWN;
    }
    const int64_t number = cbor_get_int(reader);
    return number == 0 || number < INT32_MIN || number > INT32_MAX ? COSE_ALG_UNKNOWN : (enum cose_algorithm)number;
}

static void read_content_type(struct cbor_reader *reader, struct cose_sign1 *out) {
    struct cbor_item item;
    if (cbor_peek(reader, &item) && item.type == CBOR_TEXT) out->content_type = cbor_get_text(reader);
    else cbor_get_uint(reader);
}

static void read_value(struct cbor_reader *reader, const struct label *label, bool is_protected, struct headers *headers,
                       struct cose_sign1 *out) {
    if (is_label(label, COSE_HEADER_ALG)) {
        const enum cose_algorithm algorithm = read_algorithm(reader);
        if (is_protected) out->algorithm = algorithm;
        else out->unprotected_algorithm = algorithm;
    } else if (is_label(label, COSE_HEADER_CRIT)) {
        if (is_protected) read_critical(reader, headers);
        else cbor_fail(reader, "crit must be protected");
    } else if (is_label(label, COSE_HEADER_CONTENT_TYPE)) {
        read_content_type(reader, out);
    } else if (is_label(label, COSE_HEADER_KID)) {
        out->kid = cbor_get_bytes(reader);
    } else {
        cbor_skip(reader);
    }
}

// One header map; gives the number of its labels.
static size_t read_header(struct cbor_reader *reader, bool is_protected, struct headers *headers, struct cose_sign1 *out) {
    struct cbor_item map;
    const size_t before = headers->count;
    if (!cbor_next(reader, &map)) return 0;
    if (map.type != CBOR_MAP) {
        cbor_fail(reader, "a header must be a map");
        return 0;
    }
    for (uint64_t i = 0; map.indefinite ? !cbor_break_if(reader) : i < map.value; i++) {
        struct label label;
        if (!read_label(reader, &label)) break;
        add_label(reader, headers, &label);
        read_value(reader, &label, is_protected, headers, out);
        if (cbor_failed(reader)) break;
    }
    return headers->count - before;
}

// RFC 9052 section 3.1: whoever does not understand a critical label must refuse the message.
static enum pt_code check_critical(const struct headers *headers, const int64_t *understood, size_t understood_count,
                                   struct pt_error *err) {
    for (size_t i = 0; i < headers->critical_count; i++) {
        bool known = false;
        bool present = false;
        for (size_t j = 0; j < understood_count; j++) known |= is_label(&headers->critical[i], understood[j]);
        for (size_t j = 0; j < headers->protected_count; j++)
            present |= same_label(&headers->critical[i], &headers->labels[j]);
        if (!known) return pt_fail(err, PT_INVALID, "crit", "a critical header is not understood");
        if (!present) return pt_fail(err, PT_INVALID, "crit", "a critical header is not in the protected header");
    }
    return PT_OK;
}

// --- The message ---

static void read_message(struct cbor_reader *reader, struct headers *headers, struct cose_sign1 *out) {
    struct cbor_item item;
    if (!cbor_next(reader, &item)) return;
    if (item.type == CBOR_TAG) {
        out->tagged = true;
        if (item.value != TAG_COSE_SIGN1) {
            cbor_fail(reader, "tag %llu is not that of a COSE_Sign1", (unsigned long long)item.value);
            return;
        }
        if (!cbor_next(reader, &item)) return;
    }
    if (item.type != CBOR_ARRAY || (!item.indefinite && item.value != 4)) {
        cbor_fail(reader, "a COSE_Sign1 is an array of four");
        return;
    }
    out->protected_bytes = cbor_get_bytes(reader);
    if (cbor_failed(reader)) return;
    // Protected labels come first in `headers`; an empty header may be left out (RFC 9052 section 3).
    if (out->protected_bytes.len > 0) {
        struct cbor_reader inner = cbor_reader_of(out->protected_bytes, false, reader->err);
        headers->protected_count = read_header(&inner, true, headers, out);
        reader->code = cbor_finish(&inner);
        if (cbor_failed(reader)) {
            pt_error_under(reader->err, "protected header");
            return;
        }
    }
    const struct pt_bytes protected_type = out->content_type;
    const size_t start = reader->at;
    out->unprotected_empty = read_header(reader, false, headers, out) == 0;
    out->unprotected_bytes = pt_bytes_of(reader->buffer.data + start, reader->at - start);
    out->content_type = protected_type;  // an unprotected one is nobody's word
    out->detached = cbor_get_null_if(reader);
    if (!out->detached) out->payload = cbor_get_bytes(reader);
    out->signature = cbor_get_bytes(reader);
    if (item.indefinite && !cbor_break_if(reader)) cbor_fail(reader, "a COSE_Sign1 is an array of four");
}

enum pt_code cose_sign1_decode(struct pt_bytes message, const int64_t *understood, size_t understood_count,
                               struct cose_sign1 *out, struct pt_error *err) {
    *out = (struct cose_sign1){.algorithm = COSE_ALG_NONE, .unprotected_algorithm = COSE_ALG_NONE};
    struct headers headers;
    headers.count = headers.protected_count = headers.critical_count = 0;
    struct cbor_reader reader = cbor_reader_of(message, false, err);
    read_message(&reader, &headers, out);
    const enum pt_code code = cbor_finish(&reader);
    if (code != PT_OK) return code;
    return check_critical(&headers, understood, understood_count, err);
}

enum pt_code cose_sign1_decode_strict(struct pt_bytes message, struct cose_sign1 *out, struct pt_error *err) {
    *out = (struct cose_sign1){.algorithm = COSE_ALG_NONE, .unprotected_algorithm = COSE_ALG_NONE};
    struct cbor_reader reader = cbor_reader_of(message, true, err);
    struct cbor_item tag;
    if (cbor_next(&reader, &tag) && (tag.type != CBOR_TAG || tag.value != TAG_COSE_SIGN1))
        cbor_fail(&reader, "not a tagged COSE_Sign1");
    cbor_expect_array(&reader, 4);
    out->protected_bytes = cbor_get_bytes(&reader);
    const size_t start = reader.at;
    cbor_expect_map(&reader, 0);
    out->unprotected_bytes = pt_bytes_of(message.data ? message.data + start : NULL, reader.at - start);
    out->payload = cbor_get_bytes(&reader);
    out->signature = cbor_get_bytes(&reader);
    if (!cbor_failed(&reader) && out->signature.len != SIGNATURE_SIZE)
        cbor_fail(&reader, "a signature has %u bytes, not %zu", SIGNATURE_SIZE, out->signature.len);
    out->tagged = out->unprotected_empty = true;
    return cbor_finish(&reader);
}

bool cose_header_find(struct pt_bytes map, int64_t label, struct pt_bytes *value) {
    struct cbor_reader reader = cbor_reader_of(map, false, NULL);
    struct cbor_item head;
    *value = (struct pt_bytes){NULL, 0};
    if (!cbor_next(&reader, &head) || head.type != CBOR_MAP) return false;
    for (uint64_t i = 0; head.indefinite ? !cbor_break_if(&reader) : i < head.value; i++) {
        struct label found;
        if (!read_label(&reader, &found)) return false;
        const struct pt_bytes item = cbor_skip(&reader);
        if (cbor_failed(&reader)) return false;
        if (!is_label(&found, label)) continue;
        *value = item;
        return true;
    }
    return false;
}

// --- What a signature covers ---

#define SIG_HEADS_MAX 64u

static struct pt_bytes covered_header(struct pt_bytes protected_bytes) {
    const bool empty_map = protected_bytes.len == 1 && protected_bytes.data[0] == 0xa0;
    return empty_map ? (struct pt_bytes){NULL, 0} : protected_bytes;
}

void cose_sig_structure(struct pt_bytes protected_bytes, struct pt_bytes external_aad, struct pt_bytes payload,
                        struct pt_buf *out) {
    cbor_put_array(out, 4);
    cbor_put_text(out, "Signature1");
    cbor_put_bytes(out, covered_header(protected_bytes));
    cbor_put_bytes(out, external_aad);
    cbor_put_bytes(out, payload);
}

struct pt_digest cose_sig_digest(struct pt_bytes protected_bytes, struct pt_bytes external_aad, struct pt_bytes payload) {
    const struct pt_bytes strings[] = {covered_header(protected_bytes), external_aad, payload};
    uint8_t room[SIG_HEADS_MAX];
    struct pt_buf head = PT_BUF_OVER(room);
    struct sha256_stream stream = sha256_begin();
    cbor_put_array(&head, 4);
    cbor_put_text(&head, "Signature1");
    for (size_t i = 0; i < 3; i++) {
        cbor_put_bytes_head(&head, strings[i].len);
        sha256_add(&stream, pt_buf_bytes(&head));
        sha256_add(&stream, strings[i]);
        pt_buf_clear(&head);
    }
    return sha256_end(&stream);
}

enum pt_code cose_sign1_verify(const struct cose_sign1 *message, const struct verify_key *key,
                               struct pt_bytes external_aad, struct pt_bytes detached_payload, struct pt_error *err) {
    if (message->algorithm == COSE_ALG_NONE)
        return pt_fail(err, PT_INVALID, "protected header", "no signature algorithm is named");
    PT_CLEANUP(pt_buf_free) struct pt_buf covered = PT_BUF_INIT(SIZE_MAX / 4);
    cose_sig_structure(message->protected_bytes, external_aad, message->detached ? detached_payload : message->payload,
                       &covered);
    const enum pt_code code = pt_buf_check(&covered, err);
    if (code != PT_OK) return code;
    return signature_verify(key, message->algorithm, pt_buf_bytes(&covered), message->signature, err);
}

enum pt_code cose_sign1_sign(const struct signer *signer, struct pt_bytes protected_map, struct pt_bytes unprotected_map,
                             struct pt_bytes external_aad, struct pt_bytes payload, bool detached, struct pt_buf *out,
                             struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf covered = PT_BUF_INIT(SIZE_MAX / 4);
    uint8_t signature[SIGNATURE_SIZE];
    cose_sig_structure(protected_map, external_aad, payload, &covered);
    enum pt_code code = pt_buf_check(&covered, err);
    if (code == PT_OK) code = signer->sign(signer->ctx, pt_buf_bytes(&covered), signature, err);
    if (code != PT_OK) return code;
    cbor_put_tag(out, TAG_COSE_SIGN1);
    cbor_put_array(out, 4);
    cbor_put_bytes(out, protected_map);
    if (unprotected_map.len > 0) pt_buf_append_bytes(out, unprotected_map);
    else cbor_put_map(out, 0);
    if (detached) cbor_put_null(out);
    else cbor_put_bytes(out, payload);
    cbor_put_bytes(out, pt_bytes_of(signature, sizeof signature));
    return pt_buf_check(out, err);
}
