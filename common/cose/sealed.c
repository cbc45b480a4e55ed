#include "common/cose/sealed.h"

#include <string.h>

enum { PROTECTED_LABELS = 4, PROTECTED_MAX = 256 };

enum pt_code sealed_sign(const struct signer *signer, const char *content_type, const struct pt_digest *genesis,
                         struct pt_bytes payload, struct pt_buf *out, struct pt_error *err) {
    uint8_t room[PROTECTED_MAX];
    struct pt_buf map = PT_BUF_OVER(room);
    const struct pt_digest kid = verify_key_thumbprint(signer->key);
    cbor_put_map(&map, PROTECTED_LABELS);
    cbor_put_int(&map, COSE_HEADER_ALG);
    cbor_put_int(&map, COSE_ES256);
    cbor_put_int(&map, COSE_HEADER_CONTENT_TYPE);
    cbor_put_text(&map, content_type);
    cbor_put_int(&map, COSE_HEADER_KID);
    cbor_put_bytes(&map, pt_bytes_digest(&kid));
    cbor_put_int(&map, COSE_HEADER_GENESIS);
    cbor_put_bytes(&map, pt_bytes_digest(genesis));
    const enum pt_code code = pt_buf_check(&map, err);
    if (code != PT_OK) return code;
    return cose_sign1_sign(signer, pt_buf_bytes(&map), (struct pt_bytes){NULL, 0}, (struct pt_bytes){NULL, 0}, payload,
                           false, out, err);
}

static enum pt_code read_protected(const char *content_type, struct sealed *out, struct pt_error *err) {
    struct cbor_reader reader = cbor_reader_of(out->envelope.protected_bytes, true, err);
    cbor_expect_map(&reader, PROTECTED_LABELS);
    cbor_expect_int(&reader, COSE_HEADER_ALG);
    cbor_expect_int(&reader, COSE_ES256);
    cbor_expect_int(&reader, COSE_HEADER_CONTENT_TYPE);
    out->envelope.content_type = cbor_get_text(&reader);
    if (!cbor_failed(&reader) && !pt_bytes_equal(out->envelope.content_type, pt_bytes_str(content_type)))
        cbor_fail(&reader, "expected the content type %s", content_type);
    cbor_expect_int(&reader, COSE_HEADER_KID);
    cbor_get_digest(&reader, &out->kid);
    cbor_expect_int(&reader, COSE_HEADER_GENESIS);
    cbor_get_digest(&reader, &out->genesis);
    const enum pt_code code = cbor_finish(&reader);
    if (code != PT_OK) pt_error_under(err, "protected header");
    out->envelope.algorithm = COSE_ES256;
    return code;
}

enum pt_code sealed_decode(struct pt_bytes bytes, const char *content_type, struct sealed *out, struct pt_error *err) {
    *out = (struct sealed){0};
    const enum pt_code code = cose_sign1_decode_strict(bytes, &out->envelope, err);
    if (code != PT_OK) return code;
    out->payload = out->envelope.payload;
    return read_protected(content_type, out, err);
}

enum pt_code sealed_verify(const struct sealed *sealed, const struct verify_key *key, const struct pt_digest *genesis,
                           struct pt_error *err) {
    const struct pt_digest thumbprint = verify_key_thumbprint(key);
    if (!pt_digest_equal(&sealed->genesis, genesis))
        return pt_fail(err, PT_UNVERIFIED, "genesis", "signed for another ledger");
    if (!pt_digest_equal(&sealed->kid, &thumbprint)) return pt_fail(err, PT_UNVERIFIED, "kid", "signed by another key");
    return cose_sign1_verify(&sealed->envelope, key, (struct pt_bytes){NULL, 0}, (struct pt_bytes){NULL, 0}, err);
}
