#include "common/crypto/signature.h"

#include <string.h>

#include "common/cose/cbor.h"
#include "common/crypto/digest.h"
#include "common/crypto/verify_key.h"

// --- COSE_Key (RFC 9052 section 7, RFC 9053 section 7) ---

enum { KEY_TYPE = 1, KEY_ID = 2, KEY_ALGORITHM = 3, KEY_OPERATIONS = 4, KEY_CURVE = -1, KEY_X = -2, KEY_Y = -3, KEY_D = -4 };
enum { TYPE_OKP = 1, TYPE_EC2 = 2, CURVE_P256 = 1, CURVE_ED25519 = 6, CURVE_SM2_RESERVED = -65800 };
enum { OPERATION_VERIFY = 2, COSE_KEY_LABELS_MAX = 16 };

// Only the required members, in deterministic order: also what RFC 9679 hashes.
void verify_key_to_cose(const struct verify_key *key, struct pt_buf *out) {
    const bool ec2 = key->algorithm == COSE_ES256;
    cbor_put_map(out, ec2 ? 4 : 3);
    cbor_put_int(out, KEY_TYPE);
    cbor_put_int(out, ec2 ? TYPE_EC2 : TYPE_OKP);
    cbor_put_int(out, KEY_CURVE);
    cbor_put_int(out, ec2 ? CURVE_P256 : CURVE_ED25519);
    cbor_put_int(out, KEY_X);
    cbor_put_bytes(out, pt_bytes_of(key->public_bytes, P256_COORDINATE_SIZE));
    if (!ec2) return;
    cbor_put_int(out, KEY_Y);
    cbor_put_bytes(out, pt_bytes_of(key->public_bytes + P256_COORDINATE_SIZE, P256_COORDINATE_SIZE));
}

void verify_key_set_thumbprint(struct verify_key *key) {
    uint8_t room[128];
    struct pt_buf encoded = PT_BUF_OVER(room);
    verify_key_to_cose(key, &encoded);
    key->thumbprint = sha256(pt_buf_bytes(&encoded));
}

struct cose_key {
    bool has_type, has_curve, has_x, has_y, y_is_sign, y_odd;
    int64_t type, curve;
    bool has_algorithm;
    int64_t algorithm;
    struct pt_bytes x, y;
};

static void read_operations(struct cbor_reader *reader) {
    bool verify = false;
    const uint64_t count = cbor_get_array(reader, COSE_KEY_LABELS_MAX);
    for (uint64_t i = 0; i < count && !cbor_failed(reader); i++) verify |= cbor_get_int(reader) == OPERATION_VERIFY;
    if (!verify) cbor_fail(reader, "this key is not for verifying");
}

static void read_y(struct cbor_reader *reader, struct cose_key *key) {
    struct cbor_item item;
    key->has_y = true;
    if (cbor_peek(reader, &item) && (item.type == CBOR_TRUE || item.type == CBOR_FALSE)) {
        key->y_is_sign = true;
        key->y_odd = cbor_get_bool(reader);
    } else {
        key->y = cbor_get_bytes(reader);
    }
}

static void read_member(struct cbor_reader *reader, int64_t label, struct cose_key *key) {
    switch (label) {
    case KEY_TYPE:
        key->has_type = true;
        key->type = cbor_get_int(reader);
        break;
    case KEY_ALGORITHM:
        key->has_algorithm = true;
        key->algorithm = cbor_get_int(reader);
        break;
    case KEY_OPERATIONS: read_operations(reader); break;
    case KEY_CURVE:
        key->has_curve = true;
        key->curve = cbor_get_int(reader);
        break;
    case KEY_X:
        key->has_x = true;
        key->x = cbor_get_bytes(reader);
        break;
    case KEY_Y: read_y(reader, key); break;
    case KEY_D: cbor_fail(reader, "a private key stands where a public one is expected"); break;
    default: cbor_skip(reader);
    }
}

static enum pt_code read_cose_key(struct pt_bytes bytes, struct cose_key *key, struct pt_error *err) {
    int64_t seen[COSE_KEY_LABELS_MAX];
    struct cbor_reader reader = cbor_reader_of(bytes, false, err);
    const uint64_t count = cbor_get_map(&reader, COSE_KEY_LABELS_MAX);
    for (uint64_t i = 0; i < count && !cbor_failed(&reader); i++) {
        seen[i] = cbor_get_int(&reader);
        for (uint64_t j = 0; j < i; j++)
            if (seen[j] == seen[i]) cbor_fail(&reader, "label %lld twice in a COSE_Key", (long long)seen[i]);
        if (!cbor_failed(&reader)) read_member(&reader, seen[i], key);
    }
    return cbor_finish(&reader);
}

static enum pt_code ec2_key(const struct cose_key *key, struct verify_key **out, struct pt_error *err) {
    uint8_t point[1 + 2 * P256_COORDINATE_SIZE];
    if (key->curve == CURVE_SM2_RESERVED) return pt_fail(err, PT_INVALID, NULL, "SM2 keys are not supported");
    if (key->curve != CURVE_P256) return pt_fail(err, PT_INVALID, NULL, "only the curve P-256 is supported for ECDSA");
    if (!key->has_x || key->x.len != P256_COORDINATE_SIZE || !key->has_y ||
        (!key->y_is_sign && key->y.len != P256_COORDINATE_SIZE))
        return pt_fail(err, PT_INVALID, NULL, "a P-256 key needs x and y of 32 bytes");
    memcpy(point + 1, key->x.data, P256_COORDINATE_SIZE);
    if (key->y_is_sign) {
        point[0] = key->y_odd ? 3 : 2;
    } else {
        point[0] = 4;
        memcpy(point + 1 + P256_COORDINATE_SIZE, key->y.data, P256_COORDINATE_SIZE);
    }
    const size_t len = key->y_is_sign ? 1 + P256_COORDINATE_SIZE : sizeof point;
    return openssl_key_from_public_bytes(COSE_ES256, pt_bytes_of(point, len), out, err);
}

enum pt_code verify_key_from_cose(struct pt_bytes cose_key, struct verify_key **out, struct pt_error *err) {
    *out = NULL;
    struct cose_key key = {0};
    const enum pt_code code = read_cose_key(cose_key, &key, err);
    if (code != PT_OK) return code;
    const bool ec2 = key.has_type && key.type == TYPE_EC2;
    if ((!ec2 && !(key.has_type && key.type == TYPE_OKP)) || !key.has_curve)
        return pt_fail(err, PT_INVALID, NULL, "only EC2 and OKP keys with a curve are supported");
    if (key.has_algorithm && key.algorithm != (ec2 ? COSE_ES256 : COSE_EDDSA))
        return pt_fail(err, PT_INVALID, NULL, "the key's algorithm does not fit its type");
    if (ec2) return ec2_key(&key, out, err);
    if (key.curve != CURVE_ED25519 || !key.has_x || key.x.len != ED25519_KEY_SIZE || key.has_y)
        return pt_fail(err, PT_INVALID, NULL, "an OKP key must be Ed25519 with x of 32 bytes");
    return openssl_key_from_public_bytes(COSE_EDDSA, key.x, out, err);
}

void verify_key_free(struct verify_key *key) {
    if (key) openssl_key_free(key);
}

void verify_key_cleanup(struct verify_key **key) {
    verify_key_free(*key);
    *key = NULL;
}

enum cose_algorithm verify_key_algorithm(const struct verify_key *key) { return key->algorithm; }

struct pt_digest verify_key_thumbprint(const struct verify_key *key) { return key->thumbprint; }

// --- Verification ---

// The order n of P-256's base point (SEC 2 section 2.4.2).
static const uint8_t p256_order[P256_COORDINATE_SIZE] = {
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};

static bool in_group_range(const uint8_t scalar[P256_COORDINATE_SIZE]) {
    static const uint8_t zero[P256_COORDINATE_SIZE];
    return memcmp(scalar, zero, P256_COORDINATE_SIZE) != 0 && memcmp(scalar, p256_order, P256_COORDINATE_SIZE) < 0;
}

// Checked before any library sees it: r = 0 made whole products accept anything (CVE-2022-21449).
static bool verify_es256(const struct verify_key *key, struct pt_bytes message, const uint8_t signature[SIGNATURE_SIZE]) {
    return in_group_range(signature) && in_group_range(signature + P256_COORDINATE_SIZE) &&
           openssl_verify_es256(key, message, signature);
}

static const struct {
    enum cose_algorithm algorithm;
    const char *name;
    bool (*verify)(const struct verify_key *key, struct pt_bytes message, const uint8_t signature[SIGNATURE_SIZE]);
} algorithms[] = {
    {COSE_ES256, "ES256", verify_es256},
    {COSE_EDDSA, "EdDSA", openssl_verify_eddsa},
    {COSE_SM2_SM3_RESERVED, "SM2 with SM3", NULL},
};

const char *cose_algorithm_name(enum cose_algorithm algorithm) {
    for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++)
        if (algorithms[i].algorithm == algorithm) return algorithms[i].name;
    return NULL;
}

enum pt_code signature_verify(const struct verify_key *key, enum cose_algorithm algorithm, struct pt_bytes message,
                              struct pt_bytes signature, struct pt_error *err) {
    for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++) {
        if (algorithms[i].algorithm != algorithm) continue;
        if (!algorithms[i].verify) break;
        if (key->algorithm != algorithm)
            return pt_fail(err, PT_INVALID, NULL, "the signature says %s, the key is for %s", algorithms[i].name,
                           cose_algorithm_name(key->algorithm));
        if (signature.len != SIGNATURE_SIZE)
            return pt_fail(err, PT_INVALID, NULL, "a signature has %u bytes, not %zu", SIGNATURE_SIZE, signature.len);
        if (algorithms[i].verify(key, message, signature.data)) return PT_OK;
        return pt_fail(err, PT_UNVERIFIED, NULL, "the signature does not hold");
    }
    const char *name = cose_algorithm_name(algorithm);
    if (name) return pt_fail(err, PT_INVALID, NULL, "%s is not supported", name);
    return pt_fail(err, PT_INVALID, NULL, "signature algorithm %d is not supported", (int)algorithm);
}
