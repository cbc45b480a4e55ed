#include <mbedtls/ctr_drbg.h>
#include <mbedtls/ecdsa.h>
#include <mbedtls/entropy.h>
#include <mbedtls/pk.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/x509_csr.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/crypto/digest.h"
#include "common/crypto/verify_key.h"

#define PEM_MAX 4096u

// A key with the random source that it needs. Mbed TLS objects are not shared between threads without a lock.
struct device_key {
    mbedtls_pk_context pk;
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context random;
    pthread_mutex_t lock;
};

static void device_key_free(struct device_key *key) {
    if (!key) return;
    mbedtls_pk_free(&key->pk);
    mbedtls_ctr_drbg_free(&key->random);
    mbedtls_entropy_free(&key->entropy);
    pthread_mutex_destroy(&key->lock);
    free(key);
}

static void device_key_cleanup(struct device_key **key) { device_key_free(*key); }
#define OWNED_KEY PT_CLEANUP(device_key_cleanup) struct device_key

// An empty key with a seeded random source; NULL and err on failure.
static struct device_key *device_key_new(struct pt_error *err) {
    static const char purpose[] = "packtrail device key";
    struct device_key *key = calloc(1, sizeof *key);
    if (!key) {
        pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
        return NULL;
    }
    mbedtls_pk_init(&key->pk);
    mbedtls_entropy_init(&key->entropy);
    mbedtls_ctr_drbg_init(&key->random);
    pthread_mutex_init(&key->lock, NULL);
    const int problem = mbedtls_ctr_drbg_seed(&key->random, mbedtls_entropy_func, &key->entropy,
                                              (const unsigned char *)purpose, sizeof purpose - 1);
    if (problem == 0) return key;
    device_key_free(key);
    pt_fail(err, PT_UNAVAILABLE, NULL, "no entropy for the random source (Mbed TLS -0x%04x)", (unsigned)-problem);
    return NULL;
}

static enum pt_code parse(struct device_key *key, struct pt_bytes pem, struct pt_error *err) {
    if (pem.len >= PEM_MAX) return pt_fail(err, PT_LIMIT, NULL, "a key file has at most %u bytes", PEM_MAX);
    unsigned char text[PEM_MAX] = {0};  // the parser wants the NUL counted
    if (pem.len > 0) memcpy(text, pem.data, pem.len);
    const int problem = mbedtls_pk_parse_key(&key->pk, text, pem.len + 1, NULL, 0);
    mbedtls_platform_zeroize(text, sizeof text);
    if (problem != 0)
        return pt_fail(err, PT_INVALID, NULL, "not an unencrypted PEM private key (Mbed TLS -0x%04x)", (unsigned)-problem);
    if (mbedtls_pk_get_type(&key->pk) != MBEDTLS_PK_ECKEY || mbedtls_pk_ec(key->pk)->grp.id != MBEDTLS_ECP_DP_SECP256R1)
        return pt_fail(err, PT_INVALID, NULL, "a signing key must be on P-256");
    if (mbedtls_pk_check_pair(&key->pk, &key->pk) != 0)
        return pt_fail(err, PT_INVALID, NULL, "the private and the public part do not belong together");
    return PT_OK;
}

// Deterministic ECDSA (RFC 6979): a terminal with poor randomness must not leak its key through a repeated nonce.
// The random source only blinds the arithmetic.
static int sign_digest(struct device_key *key, const struct pt_digest *digest, uint8_t signature[SIGNATURE_SIZE]) {
    mbedtls_ecp_keypair *pair = mbedtls_pk_ec(key->pk);
    mbedtls_mpi r;
    mbedtls_mpi s;
    mbedtls_mpi_init(&r);
    mbedtls_mpi_init(&s);
    int problem = mbedtls_ecdsa_sign_det_ext(&pair->grp, &r, &s, &pair->d, digest->bytes, sizeof digest->bytes,
                                             MBEDTLS_MD_SHA256, mbedtls_ctr_drbg_random, &key->random);
    if (problem == 0) problem = mbedtls_mpi_write_binary(&r, signature, P256_COORDINATE_SIZE);
    if (problem == 0) problem = mbedtls_mpi_write_binary(&s, signature + P256_COORDINATE_SIZE, P256_COORDINATE_SIZE);
    mbedtls_mpi_free(&r);
    mbedtls_mpi_free(&s);
    return problem;
}

static enum pt_code sign(void *ctx, struct pt_bytes message, uint8_t signature[SIGNATURE_SIZE], struct pt_error *err) {
    struct device_key *key = ctx;
    const struct pt_digest digest = sha256(message);
    pthread_mutex_lock(&key->lock);
    const int problem = sign_digest(key, &digest, signature);
    pthread_mutex_unlock(&key->lock);
    if (problem == 0) return PT_OK;
    return pt_fail(err, PT_INTERNAL, NULL, "signing failed (Mbed TLS -0x%04x)", (unsigned)-problem);
}

enum pt_code signer_mbedtls_from_pem(struct pt_bytes pem, struct signer *out, struct pt_error *err) {
    *out = (struct signer){0};
    OWNED_KEY *key = device_key_new(err);
    if (!key) return err ? err->code : PT_UNAVAILABLE;
    enum pt_code code = parse(key, pem, err);
    if (code != PT_OK) return code;
    uint8_t point[1 + 2 * P256_COORDINATE_SIZE];
    size_t len = 0;
    mbedtls_ecp_keypair *pair = mbedtls_pk_ec(key->pk);
    if (mbedtls_ecp_point_write_binary(&pair->grp, &pair->Q, MBEDTLS_ECP_PF_UNCOMPRESSED, &len, point, sizeof point) != 0)
        return pt_fail(err, PT_INVALID, NULL, "the key has no public point");
    code = openssl_key_from_public_bytes(COSE_ES256, pt_bytes_of(point, len), &out->key, err);
    if (code != PT_OK) return code;
    out->sign = sign;
    out->ctx = key;
    key = NULL;
    return PT_OK;
}

enum pt_code signer_mbedtls_generate(struct pt_buf *pem, struct pt_error *err) {
    OWNED_KEY *key = device_key_new(err);
    if (!key) return err ? err->code : PT_UNAVAILABLE;
    unsigned char text[PEM_MAX];
    int problem = mbedtls_pk_setup(&key->pk, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));
    if (problem == 0)
        problem = mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(key->pk), mbedtls_ctr_drbg_random, &key->random);
    if (problem == 0) problem = mbedtls_pk_write_key_pem(&key->pk, text, sizeof text);
    if (problem == 0) pt_buf_str(pem, (const char *)text);
    mbedtls_platform_zeroize(text, sizeof text);
    if (problem != 0) return pt_fail(err, PT_INTERNAL, NULL, "no key could be made (Mbed TLS -0x%04x)", (unsigned)-problem);
    return pt_buf_check(pem, err);
}

// Mbed TLS silently drops a part without '=' ("CN=Smith, John"); a comma inside a value is written "\\,".
static bool every_part_has_a_type(const char *subject) {
    bool has_type = false;
    for (const char *at = subject; *at; at++) {
        if (*at == '\\' && at[1]) {
            at++;
        } else if (*at == '=') {
            has_type = true;
        } else if (*at == ',') {
            if (!has_type) return false;
            has_type = false;
        }
    }
    return has_type;
}

enum pt_code signer_mbedtls_csr(struct pt_bytes key_pem, const char *subject, struct pt_buf *pem, struct pt_error *err) {
    OWNED_KEY *key = device_key_new(err);
    if (!key) return err ? err->code : PT_UNAVAILABLE;
    const enum pt_code code = parse(key, key_pem, err);
    if (code != PT_OK) return code;
    unsigned char text[PEM_MAX];
    mbedtls_x509write_csr request;
    mbedtls_x509write_csr_init(&request);
    mbedtls_x509write_csr_set_md_alg(&request, MBEDTLS_MD_SHA256);
    mbedtls_x509write_csr_set_key(&request, &key->pk);
    int problem = mbedtls_x509write_csr_set_key_usage(&request, MBEDTLS_X509_KU_DIGITAL_SIGNATURE);
    const bool bad_name = problem == 0 && (!every_part_has_a_type(subject) ||
                                           mbedtls_x509write_csr_set_subject_name(&request, subject) != 0);
    if (problem == 0 && !bad_name)
        problem = mbedtls_x509write_csr_pem(&request, text, sizeof text, mbedtls_ctr_drbg_random, &key->random);
    mbedtls_x509write_csr_free(&request);
    if (bad_name) return pt_fail(err, PT_INVALID, NULL, "not an X.500 name: %s", subject);
    if (problem != 0)
        return pt_fail(err, PT_INTERNAL, NULL, "no request could be made (Mbed TLS -0x%04x)", (unsigned)-problem);
    pt_buf_str(pem, (const char *)text);
    return pt_buf_check(pem, err);
}

void signer_mbedtls_free(struct signer *signer) {
    device_key_free(signer->ctx);
    verify_key_free(signer->key);
    *signer = (struct signer){0};
}
