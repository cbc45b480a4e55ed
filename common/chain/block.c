#include "common/chain/block.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/cose/sealed.h"
#include "common/crypto/digest.h"
#include "common/merkle/merkle.h"

// Keys of the header's payload.
enum { HEADER_GATEWAY = 1, HEADER_SEQUENCE, HEADER_PREVIOUS, HEADER_COUNT, HEADER_ROOT, HEADER_TIME, HEADER_KEYS = 6 };

#define HEADER_MAX ((size_t)1024)

// --- Sealing ---

static enum pt_code check_statements(const struct pt_bytes *statements, size_t count, struct pt_error *err) {
    if (count == 0) return pt_fail(err, PT_INVALID, "statements", "a block holds at least one statement");
    if (count > BLOCK_MAX_STATEMENTS)
        return pt_fail(err, PT_LIMIT, "statements", "a block holds at most %u statements", BLOCK_MAX_STATEMENTS);
    for (size_t i = 0; i < count; i++) {
        if (statements[i].len == 0) return pt_fail(err, PT_INVALID, "statements", "statement %zu is empty", i);
        if (statements[i].len > STATEMENT_MAX)
            return pt_fail(err, PT_LIMIT, "statements", "statement %zu has more than %zu bytes", i, STATEMENT_MAX);
    }
    return PT_OK;
}

static void put_header(const struct block_header *header, struct pt_buf *out) {
    cbor_put_map(out, HEADER_KEYS);
    cbor_put_int(out, HEADER_GATEWAY);
    cbor_put_bytes(out, pt_bytes_digest(&header->gateway));
    cbor_put_int(out, HEADER_SEQUENCE);
    cbor_put_uint(out, header->sequence);
    cbor_put_int(out, HEADER_PREVIOUS);
    cbor_put_bytes(out, pt_bytes_digest(&header->previous));
    cbor_put_int(out, HEADER_COUNT);
    cbor_put_uint(out, header->count);
    cbor_put_int(out, HEADER_ROOT);
    cbor_put_bytes(out, pt_bytes_digest(&header->root));
    cbor_put_int(out, HEADER_TIME);
    cbor_put_int(out, header->time);
}

enum pt_code block_header_seal(struct block_header *header, const struct pt_digest *genesis,
                               const struct pt_bytes *statements, size_t count, const struct signer *gateway,
                               struct pt_buf *out, struct pt_digest *digest, struct pt_error *err) {
    enum pt_code code = check_statements(statements, count, err);
    if (code != PT_OK) return code;
    if (header->time < 0 || header->sequence > INT64_MAX)
        return pt_fail(err, PT_INVALID, "header", "time and sequence are 0 to 2^63 - 1");
    struct merkle_frontier tree = {0};
    for (size_t i = 0; i < count; i++) {
        const struct pt_digest id = statement_id(statements[i]);
        const struct pt_digest leaf = merkle_leaf_hash(pt_bytes_digest(&id));
        merkle_append(&tree, &leaf);
    }
    header->gateway = verify_key_thumbprint(gateway->key);
    header->count = count;
    header->root = merkle_root(&tree);
    uint8_t room[HEADER_MAX];
    struct pt_buf payload = PT_BUF_OVER(room);
    PT_CLEANUP(pt_buf_free) struct pt_buf sealed = PT_BUF_INIT(HEADER_MAX);
    put_header(header, &payload);
    code = sealed_sign(gateway, BLOCK_CONTENT_TYPE, genesis, pt_buf_bytes(&payload), &sealed, err);
    if (code != PT_OK) return code;
    *digest = sha256(pt_buf_bytes(&sealed));
    pt_buf_append_bytes(out, pt_buf_bytes(&sealed));
    return pt_buf_check(out, err);
}

enum pt_code block_assemble(struct pt_bytes signed_header, const struct pt_bytes *statements, size_t count,
                            struct pt_buf *out, struct pt_error *err) {
    enum pt_code code = check_statements(statements, count, err);
    if (code != PT_OK) return code;
    uint8_t room[64];
    struct pt_buf heads = PT_BUF_OVER(room);
    size_t size = 0;
    cbor_put_array(&heads, 2);
    cbor_put_bytes_head(&heads, signed_header.len);
    cbor_put_array(&heads, count);
    size = heads.len + signed_header.len;
    for (size_t i = 0; i < count; i++) {
        pt_buf_clear(&heads);
        cbor_put_bytes_head(&heads, statements[i].len);
        size += heads.len + statements[i].len;
    }
    // Known before a byte is written, so that `out` never keeps half a block.
    if (size > BLOCK_MAX) return pt_fail(err, PT_LIMIT, NULL, "a block has at most %zu bytes, not %zu", BLOCK_MAX, size);
    cbor_put_array(out, 2);
    cbor_put_bytes(out, signed_header);
    cbor_put_array(out, count);
    for (size_t i = 0; i < count; i++) cbor_put_bytes(out, statements[i]);
    return pt_buf_check(out, err);
}

enum pt_code block_seal(struct block_header *header, const struct pt_digest *genesis, const struct pt_bytes *statements,
                        size_t count, const struct signer *gateway, struct pt_buf *out, struct pt_digest *digest,
                        struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf signed_header = PT_BUF_INIT(HEADER_MAX);
    const enum pt_code code = block_header_seal(header, genesis, statements, count, gateway, &signed_header, digest, err);
    if (code != PT_OK) return code;
    return block_assemble(pt_buf_bytes(&signed_header), statements, count, out, err);
}

// --- Decoding ---

static enum pt_code read_header(struct pt_bytes bytes, struct block *out, struct pt_error *err) {
    struct sealed sealed;
    enum pt_code code = sealed_decode(bytes, BLOCK_CONTENT_TYPE, &sealed, err);
    if (code != PT_OK) return code;
    struct cbor_reader reader = cbor_reader_of(sealed.payload, true, err);
    struct block_header *header = &out->header;
    cbor_expect_map(&reader, HEADER_KEYS);
    cbor_expect_int(&reader, HEADER_GATEWAY);
    cbor_get_digest(&reader, &header->gateway);
    cbor_expect_int(&reader, HEADER_SEQUENCE);
    header->sequence = cbor_get_count(&reader);
    cbor_expect_int(&reader, HEADER_PREVIOUS);
    cbor_get_digest(&reader, &header->previous);
    cbor_expect_int(&reader, HEADER_COUNT);
    header->count = cbor_get_count(&reader);
    cbor_expect_int(&reader, HEADER_ROOT);
    cbor_get_digest(&reader, &header->root);
    cbor_expect_int(&reader, HEADER_TIME);
    header->time = (pt_millis)cbor_get_count(&reader);
    code = cbor_finish(&reader);
    if (code != PT_OK) return code;
    out->envelope = sealed.envelope;
    out->genesis = sealed.genesis;
    out->digest = sha256(bytes);
    if (pt_digest_equal(&sealed.kid, &header->gateway)) return PT_OK;
    return pt_fail(err, PT_INVALID, "kid", "the header is signed by another key than its gateway's");
}

// The count has been held against the bytes that are there before anything is allocated for it.
static enum pt_code read_statements(struct cbor_reader *reader, uint64_t count, struct block *out, struct pt_error *err) {
    out->statements = calloc((size_t)count, sizeof *out->statements);
    out->statement_ids = calloc((size_t)count, sizeof *out->statement_ids);
    if (!out->statements || !out->statement_ids) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    struct merkle_frontier tree = {0};
    for (size_t i = 0; i < count; i++) {
        out->statements[i] = cbor_get_bytes(reader);
        const size_t len = out->statements[i].len;
        if (!cbor_failed(reader) && (len == 0 || len > STATEMENT_MAX)) cbor_fail(reader, "a statement of %zu bytes", len);
        if (cbor_failed(reader)) return reader->code;
        out->statement_ids[i] = statement_id(out->statements[i]);
        const struct pt_digest leaf = merkle_leaf_hash(pt_bytes_digest(&out->statement_ids[i]));
        merkle_append(&tree, &leaf);
    }
    const enum pt_code code = cbor_finish(reader);
    if (code != PT_OK) return code;
    const struct pt_digest root = merkle_root(&tree);
    if (out->header.count != count) return pt_fail(err, PT_INVALID, "count", "the header counts other statements");
    if (!pt_digest_equal(&root, &out->header.root)) return pt_fail(err, PT_INVALID, "root", "the header's root is another");
    return PT_OK;
}

enum pt_code block_decode(struct pt_bytes bytes, struct block *out, struct pt_error *err) {
    *out = (struct block){.bytes = bytes};
    if (bytes.len > BLOCK_MAX) return pt_fail(err, PT_LIMIT, NULL, "a block has at most %zu bytes", BLOCK_MAX);
    struct cbor_reader reader = cbor_reader_of(bytes, true, err);
    cbor_expect_array(&reader, 2);
    const struct pt_bytes header = cbor_get_bytes(&reader);
    const uint64_t count = cbor_get_array(&reader, BLOCK_MAX_STATEMENTS);
    if (!cbor_failed(&reader) && count == 0) cbor_fail(&reader, "a block holds at least one statement");
    if (cbor_failed(&reader)) return reader.code;
    enum pt_code code = read_header(header, out, err);
    if (code != PT_OK) {
        pt_error_under(err, "header/");
        return code;
    }
    code = read_statements(&reader, count, out, err);
    if (code != PT_OK) block_free(out);
    return code;
}

void block_free(struct block *block) {
    free(block->statements);
    free(block->statement_ids);
    block->statements = NULL;
    block->statement_ids = NULL;
}

enum pt_code block_verify(const struct block *block, const struct verify_key *gateway, const struct pt_digest *genesis,
                          struct pt_error *err) {
    const struct sealed sealed = {
        .envelope = block->envelope, .kid = block->header.gateway, .genesis = block->genesis, .payload = block->envelope.payload};
    return sealed_verify(&sealed, gateway, genesis, err);
}
