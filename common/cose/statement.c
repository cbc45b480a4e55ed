#include "common/cose/statement.h"

#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/crypto/digest.h"

enum { PROTECTED_LABELS = 6, CLAIM_ISSUER = 1, CLAIM_SUBJECT = 2 };

static void read_claims(struct cbor_reader *reader, struct statement *out) {
    cbor_expect_map(reader, 2);
    cbor_expect_int(reader, CLAIM_ISSUER);
    out->issuer = cbor_expect_text(reader, 1, STATEMENT_TEXT_MAX);
    cbor_expect_int(reader, CLAIM_SUBJECT);
    out->subject = cbor_expect_text(reader, 1, STATEMENT_TEXT_MAX);
}

static void read_device_chain(struct cbor_reader *reader, struct statement *out) {
    cbor_expect_array(reader, 2);
    out->sequence = cbor_get_count(reader);
    cbor_get_digest(reader, &out->previous);
}

// The labels in their only order: deterministic, and each exactly once.
static enum pt_code read_protected(struct statement *out, struct pt_error *err) {
    struct cbor_reader reader = cbor_reader_of(out->envelope.protected_bytes, true, err);
    cbor_expect_map(&reader, PROTECTED_LABELS);
    cbor_expect_int(&reader, COSE_HEADER_ALG);
    cbor_expect_int(&reader, COSE_ES256);
    cbor_expect_int(&reader, COSE_HEADER_CONTENT_TYPE);
    out->content_type = cbor_expect_text(&reader, 1, STATEMENT_CONTENT_TYPE_MAX);
    cbor_expect_int(&reader, COSE_HEADER_KID);
    out->envelope.kid = cbor_get_bytes(&reader);
    if (out->envelope.kid.len == PT_DIGEST_SIZE) memcpy(out->kid.bytes, out->envelope.kid.data, PT_DIGEST_SIZE);
    else cbor_fail(&reader, "a kid is a digest");
    cbor_expect_int(&reader, COSE_HEADER_CWT_CLAIMS);
    read_claims(&reader, out);
    cbor_expect_int(&reader, COSE_HEADER_GENESIS);
    cbor_get_digest(&reader, &out->genesis);
    cbor_expect_int(&reader, COSE_HEADER_DEVICE_CHAIN);
    read_device_chain(&reader, out);
    const enum pt_code code = cbor_finish(&reader);
    if (code != PT_OK) pt_error_under(err, "protected header");
    out->envelope.algorithm = COSE_ES256;
    out->envelope.content_type = out->content_type;
    return code;
}

enum pt_code statement_decode(struct pt_bytes bytes, struct statement *out, struct pt_error *err) {
    *out = (struct statement){.bytes = bytes};
    if (bytes.len > STATEMENT_MAX) return pt_fail(err, PT_LIMIT, NULL, "a statement has at most %zu bytes", STATEMENT_MAX);
    const enum pt_code code = cose_sign1_decode_strict(bytes, &out->envelope, err);
    if (code != PT_OK) return code;
    out->payload = out->envelope.payload;
    return read_protected(out, err);
}

enum pt_code statement_verify(const struct statement *statement, const struct verify_key *key,
                              const struct pt_digest *genesis, struct pt_error *err) {
    const struct pt_digest thumbprint = verify_key_thumbprint(key);
    if (!pt_digest_equal(&statement->genesis, genesis))
        return pt_fail(err, PT_UNVERIFIED, "genesis", "signed for another ledger");
    if (!pt_digest_equal(&statement->kid, &thumbprint))
        return pt_fail(err, PT_UNVERIFIED, "kid", "the statement names another key");
    return cose_sign1_verify(&statement->envelope, key, (struct pt_bytes){NULL, 0}, (struct pt_bytes){NULL, 0}, err);
}

struct pt_digest statement_id(struct pt_bytes bytes) { return sha256(bytes); }

struct pt_digest statement_signed_digest(const struct statement *statement) {
    return cose_sig_digest(statement->envelope.protected_bytes, (struct pt_bytes){NULL, 0}, statement->payload);
}

static enum pt_code check_text(const char *text, const char *name, size_t most, struct pt_error *err) {
    const struct pt_bytes bytes = pt_bytes_str(text);
    if (bytes.len == 0 || bytes.len > most || !pt_utf8_valid(bytes))
        return pt_fail(err, PT_INVALID, name, "must be UTF-8 of 1 to %zu bytes", most);
    return PT_OK;
}

static void put_protected(const struct statement_draft *draft, const struct pt_digest *kid, struct pt_buf *out) {
    cbor_put_map(out, PROTECTED_LABELS);
    cbor_put_int(out, COSE_HEADER_ALG);
    cbor_put_int(out, COSE_ES256);
    cbor_put_int(out, COSE_HEADER_CONTENT_TYPE);
    cbor_put_text(out, draft->content_type);
    cbor_put_int(out, COSE_HEADER_KID);
    cbor_put_bytes(out, pt_bytes_digest(kid));
    cbor_put_int(out, COSE_HEADER_CWT_CLAIMS);
    cbor_put_map(out, 2);
    cbor_put_int(out, CLAIM_ISSUER);
    cbor_put_text(out, draft->issuer);
    cbor_put_int(out, CLAIM_SUBJECT);
    cbor_put_text(out, draft->subject);
    cbor_put_int(out, COSE_HEADER_GENESIS);
    cbor_put_bytes(out, pt_bytes_digest(&draft->genesis));
    cbor_put_int(out, COSE_HEADER_DEVICE_CHAIN);
    cbor_put_array(out, 2);
    cbor_put_uint(out, draft->sequence);
    cbor_put_bytes(out, pt_bytes_digest(&draft->previous));
}

enum pt_code statement_sign(const struct statement_draft *draft, const struct signer *signer, struct pt_buf *out,
                            struct pt_error *err) {
    enum pt_code code = check_text(draft->content_type, "content type", STATEMENT_CONTENT_TYPE_MAX, err);
    if (code == PT_OK) code = check_text(draft->issuer, "issuer", STATEMENT_TEXT_MAX, err);
    if (code == PT_OK) code = check_text(draft->subject, "subject", STATEMENT_TEXT_MAX, err);
    if (code != PT_OK) return code;
    if (draft->sequence > STATEMENT_SEQUENCE_MAX) return pt_fail(err, PT_INVALID, "sequence", "too large");
    PT_CLEANUP(pt_buf_free) struct pt_buf protected_map = PT_BUF_INIT(8192);
    PT_CLEANUP(pt_buf_free) struct pt_buf message = PT_BUF_INIT(STATEMENT_MAX);
    const struct pt_digest kid = verify_key_thumbprint(signer->key);
    put_protected(draft, &kid, &protected_map);
    code = pt_buf_check(&protected_map, err);
    if (code != PT_OK) return code;
    // The message is put together apart, so that its ceiling holds and `out` never keeps half of one.
    code = cose_sign1_sign(signer, pt_buf_bytes(&protected_map), (struct pt_bytes){NULL, 0}, (struct pt_bytes){NULL, 0},
                           draft->payload, false, &message, err);
    if (code != PT_OK) return code;
    pt_buf_append_bytes(out, pt_buf_bytes(&message));
    return pt_buf_check(out, err);
}
