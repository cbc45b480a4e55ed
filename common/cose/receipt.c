#include "common/cose/receipt.h"

#include <string.h>

#include "common/base/cleanup.h"

enum { VDS_RFC9162_SHA256 = 1, VDP_INCLUSION = -1, VDP_LABELS_MAX = 8 };

// --- Signing ---

static void put_proof(uint64_t tree_size, uint64_t leaf_index, const struct merkle_path *path, struct pt_buf *out) {
    cbor_put_array(out, 3);
    cbor_put_uint(out, tree_size);
    cbor_put_uint(out, leaf_index);
    cbor_put_array(out, path->count);
    for (size_t i = 0; i < path->count; i++) cbor_put_bytes(out, pt_bytes_digest(&path->nodes[i]));
}

enum pt_code receipt_sign(const struct signer *log, const struct pt_digest *genesis, uint64_t tree_size,
                          uint64_t leaf_index, const struct merkle_path *path, const struct pt_digest *root,
                          struct pt_buf *out, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf protected_map = PT_BUF_INIT(RECEIPT_MAX);
    PT_CLEANUP(pt_buf_free) struct pt_buf proof = PT_BUF_INIT(RECEIPT_MAX);
    PT_CLEANUP(pt_buf_free) struct pt_buf unprotected_map = PT_BUF_INIT(RECEIPT_MAX);
    const struct pt_digest kid = verify_key_thumbprint(log->key);
    cbor_put_map(&protected_map, 4);
    cbor_put_int(&protected_map, COSE_HEADER_ALG);
    cbor_put_int(&protected_map, COSE_ES256);
    cbor_put_int(&protected_map, COSE_HEADER_KID);
    cbor_put_bytes(&protected_map, pt_bytes_digest(&kid));
    cbor_put_int(&protected_map, COSE_HEADER_VDS);
    cbor_put_int(&protected_map, VDS_RFC9162_SHA256);
    cbor_put_int(&protected_map, COSE_HEADER_GENESIS);
    cbor_put_bytes(&protected_map, pt_bytes_digest(genesis));
    put_proof(tree_size, leaf_index, path, &proof);
    cbor_put_map(&unprotected_map, 1);
    cbor_put_int(&unprotected_map, COSE_HEADER_VDP);
    cbor_put_map(&unprotected_map, 1);
    cbor_put_int(&unprotected_map, VDP_INCLUSION);
    cbor_put_array(&unprotected_map, 1);
    cbor_put_bytes(&unprotected_map, pt_buf_bytes(&proof));
    enum pt_code code = pt_buf_check(&protected_map, err);
    if (code == PT_OK) code = pt_buf_check(&proof, err);
    if (code == PT_OK) code = pt_buf_check(&unprotected_map, err);
    if (code != PT_OK) return code;
    return cose_sign1_sign(log, pt_buf_bytes(&protected_map), pt_buf_bytes(&unprotected_map), (struct pt_bytes){NULL, 0},
                           pt_bytes_digest(root), true, out, err);
}

// --- Decoding: receipts of foreign logs are read too, so nothing beyond the RFCs is asked ---

// The verifiable data structure counts only where it is signed.
static enum pt_code read_protected(struct receipt *out, struct pt_error *err) {
    struct pt_bytes value;
    if (!cose_header_find(out->envelope.protected_bytes, COSE_HEADER_VDS, &value))
        return pt_fail(err, PT_INVALID, "vds", "the protected header names no verifiable data structure");
    struct cbor_reader reader = cbor_reader_of(value, false, err);
    const int64_t vds = cbor_get_int(&reader);
    enum pt_code code = cbor_finish(&reader);
    if (code == PT_OK && vds != VDS_RFC9162_SHA256)
        code = pt_fail(err, PT_INVALID, "vds", "verifiable data structure %lld is not supported", (long long)vds);
    if (code != PT_OK) return code;
    if (out->envelope.kid.len == PT_DIGEST_SIZE) memcpy(out->kid.bytes, out->envelope.kid.data, PT_DIGEST_SIZE);
    if (!cose_header_find(out->envelope.protected_bytes, COSE_HEADER_GENESIS, &value)) return PT_OK;
    reader = cbor_reader_of(value, false, err);
    cbor_get_digest(&reader, &out->genesis);
    out->has_genesis = true;
    return cbor_finish(&reader);
}

static enum pt_code read_proof(struct pt_bytes bytes, struct receipt *out, struct pt_error *err) {
    struct cbor_reader reader = cbor_reader_of(bytes, false, err);
    cbor_expect_array(&reader, 3);
    out->tree_size = cbor_get_uint(&reader);
    out->leaf_index = cbor_get_uint(&reader);
    const uint64_t count = cbor_get_array(&reader, MERKLE_MAX_PATH);
    for (uint64_t i = 0; i < count && !cbor_failed(&reader); i++) cbor_get_digest(&reader, &out->path.nodes[i]);
    out->path.count = (size_t)count;
    const enum pt_code code = cbor_finish(&reader);
    if (code == PT_OK && out->leaf_index >= out->tree_size)
        return pt_fail(err, PT_INVALID, "inclusion proof", "the leaf is not in the tree");
    return code;
}

static enum pt_code read_proofs(struct receipt *out, struct pt_error *err) {
    struct pt_bytes proofs;
    struct pt_bytes value;
    if (!cose_header_find(out->envelope.unprotected_bytes, COSE_HEADER_VDP, &proofs))
        return pt_fail(err, PT_INVALID, "vdp", "the receipt holds no proof");
    struct cbor_reader whole = cbor_reader_of(proofs, false, err);
    int64_t seen[VDP_LABELS_MAX];
    bool found = false;
    const uint64_t kinds = cbor_get_map(&whole, VDP_LABELS_MAX);
    for (uint64_t i = 0; i < kinds && !cbor_failed(&whole); i++) {
        seen[i] = cbor_get_int(&whole);
        for (uint64_t j = 0; j < i; j++)
            if (seen[j] == seen[i]) cbor_fail(&whole, "a kind of proof twice");
        const struct pt_bytes item = cbor_skip(&whole);
        if (cbor_failed(&whole) || seen[i] != VDP_INCLUSION) continue;
        found = true;
        value = item;
    }
    enum pt_code code = cbor_finish(&whole);
    if (code != PT_OK) return code;
    if (!found) return pt_fail(err, PT_INVALID, "vdp", "the receipt holds no inclusion proof");
    struct cbor_reader list = cbor_reader_of(value, false, err);
    out->proofs = value;
    out->proof_count = (size_t)cbor_get_array(&list, RECEIPT_MAX_PROOFS);
    if (cbor_failed(&list)) return list.code;
    if (out->proof_count == 0) return pt_fail(err, PT_INVALID, "vdp", "the receipt holds no inclusion proof");
    for (size_t number = out->proof_count; number > 0 && code == PT_OK; number--) code = receipt_choose(out, number - 1, err);
    return code;
}

enum pt_code receipt_choose(struct receipt *receipt, size_t number, struct pt_error *err) {
    struct cbor_reader list = cbor_reader_of(receipt->proofs, false, err);
    struct pt_bytes proof = {NULL, 0};
    const uint64_t count = cbor_get_array(&list, RECEIPT_MAX_PROOFS);
    for (size_t i = 0; i < count && !cbor_failed(&list); i++) {
        const struct pt_bytes item = cbor_get_bytes(&list);
        if (i == number) proof = item;
    }
    const enum pt_code code = cbor_finish(&list);
    if (code != PT_OK) return code;
    if (number >= count) return pt_fail(err, PT_INVALID, "vdp", "the receipt holds fewer proofs");
    return read_proof(proof, receipt, err);
}

enum pt_code receipt_decode(struct pt_bytes bytes, struct receipt *out, struct pt_error *err) {
    static const int64_t understood[] = {COSE_HEADER_ALG, COSE_HEADER_CONTENT_TYPE, COSE_HEADER_KID,
                                         COSE_HEADER_VDS, COSE_HEADER_GENESIS};
    memset(out, 0, sizeof *out);
    if (bytes.len > RECEIPT_MAX) return pt_fail(err, PT_LIMIT, NULL, "a receipt has at most %zu bytes", RECEIPT_MAX);
    enum pt_code code = cose_sign1_decode(bytes, understood, sizeof understood / sizeof *understood, &out->envelope, err);
    if (code == PT_OK) code = read_protected(out, err);
    return code == PT_OK ? read_proofs(out, err) : code;
}

enum pt_code receipt_verify(const struct receipt *receipt, const struct verify_key *log,
                            const struct pt_digest *statement_id, struct pt_error *err) {
    struct pt_digest root;
    const struct pt_digest leaf = merkle_leaf_hash(pt_bytes_digest(statement_id));
    const enum pt_code code = merkle_inclusion_root(&leaf, receipt->leaf_index, receipt->tree_size, receipt->path.nodes,
                                                    receipt->path.count, &root, err);
    if (code != PT_OK) return code;
    // A root that stands in the receipt must be the one that the path gives (RFC 9942 allows both forms).
    if (!receipt->envelope.detached && !pt_bytes_equal(receipt->envelope.payload, pt_bytes_digest(&root)))
        return pt_fail(err, PT_UNVERIFIED, NULL, "the path leads to another root than the signed one");
    return cose_sign1_verify(&receipt->envelope, log, (struct pt_bytes){NULL, 0}, pt_bytes_digest(&root), err);
}
