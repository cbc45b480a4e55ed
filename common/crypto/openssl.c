#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/crypto/digest.h"
#include "common/crypto/verify_key.h"

static void cleanup_bio(BIO **bio) { BIO_free(*bio); }
static void cleanup_pkey(EVP_PKEY **pkey) { EVP_PKEY_free(*pkey); }
static void cleanup_context(EVP_PKEY_CTX **context) { EVP_PKEY_CTX_free(*context); }

#define OWNED_BIO PT_CLEANUP(cleanup_bio) BIO
#define OWNED_PKEY PT_CLEANUP(cleanup_pkey) EVP_PKEY
#define OWNED_CONTEXT PT_CLEANUP(cleanup_context) EVP_PKEY_CTX

// OpenSSL's queue of errors is a thread's; what we do not say is dropped, or the TLS code would report it as its own.
static enum pt_code refuse(struct pt_error *err, enum pt_code code, const char *what) {
    ERR_clear_error();
    return pt_fail(err, code, NULL, "%s", what);
}

// An encrypted PEM must fail, not ask on the terminal.
static int no_password(char *buffer, int size, int writing, void *ctx) {
    (void)buffer;
    (void)size;
    (void)writing;
    (void)ctx;
    return -1;
}

static BIO *reading_bio(struct pt_bytes bytes) {
    return bytes.len <= INT32_MAX ? BIO_new_mem_buf(bytes.data, (int)bytes.len) : NULL;
}

// --- Public keys ---

static bool read_coordinate(const EVP_PKEY *pkey, const char *name, uint8_t out[P256_COORDINATE_SIZE]) {
    BIGNUM *number = NULL;
    const bool good = EVP_PKEY_get_bn_param(pkey, name, &number) == 1 &&
                      BN_bn2binpad(number, out, (int)P256_COORDINATE_SIZE) == (int)P256_COORDINATE_SIZE;
    BN_free(number);
    return good;
}

// A named P-256 and a point on it that is not infinity: curves spelled out by parameters have been used to forge.
static enum pt_code read_p256(EVP_PKEY *pkey, struct verify_key *key, struct pt_error *err) {
    char group[64] = "";
    int explicit_curve = 0;
    if (EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group, NULL) != 1 ||
        strcmp(group, SN_X9_62_prime256v1) != 0)
        return refuse(err, PT_INVALID, strcmp(group, "SM2") == 0 ? "SM2 keys are not supported" : "the key is not on P-256");
    if (EVP_PKEY_get_int_param(pkey, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &explicit_curve) != 1 ||
        explicit_curve)
        return refuse(err, PT_INVALID, "the key's curve must be named");
    OWNED_CONTEXT *context = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    if (!context || EVP_PKEY_public_check(context) != 1) return refuse(err, PT_INVALID, "the key is not a point on P-256");
    if (!read_coordinate(pkey, OSSL_PKEY_PARAM_EC_PUB_X, key->public_bytes) ||
        !read_coordinate(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, key->public_bytes + P256_COORDINATE_SIZE))
        return refuse(err, PT_INVALID, "the key has no public point");
    key->algorithm = COSE_ES256;
    return PT_OK;
}

static enum pt_code read_ed25519(const EVP_PKEY *pkey, struct verify_key *key, struct pt_error *err) {
    size_t len = ED25519_KEY_SIZE;
    if (EVP_PKEY_get_raw_public_key(pkey, key->public_bytes, &len) != 1 || len != ED25519_KEY_SIZE)
        return refuse(err, PT_INVALID, "the key has no Ed25519 public part");
    key->algorithm = COSE_EDDSA;
    return PT_OK;
}

// Takes a reference of its own on pkey.
static enum pt_code keep(EVP_PKEY *pkey, struct verify_key **out, struct pt_error *err) {
    static atomic_uint_fast64_t numbers;
    struct verify_key *key = calloc(1, sizeof *key);
    if (!key) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    enum pt_code code;
    if (EVP_PKEY_is_a(pkey, "EC")) {
        code = read_p256(pkey, key, err);
    } else if (EVP_PKEY_is_a(pkey, "ED25519")) {
        code = read_ed25519(pkey, key, err);
    } else if (EVP_PKEY_is_a(pkey, "SM2")) {
        code = refuse(err, PT_INVALID, "SM2 keys are not supported");
    } else {
        code = refuse(err, PT_INVALID, "only P-256 and Ed25519 keys are supported");
    }
    if (code != PT_OK) {
        free(key);
        return code;
    }
    key->number = atomic_fetch_add(&numbers, 1) + 1;
    EVP_PKEY_up_ref(pkey);
    key->handle = pkey;
    verify_key_set_thumbprint(key);
    *out = key;
    return PT_OK;
}

void openssl_key_free(struct verify_key *key) {
    EVP_PKEY_free(key->handle);
    free(key);
}

enum pt_code openssl_key_from_public_bytes(enum cose_algorithm algorithm, struct pt_bytes public_bytes,
                                           struct verify_key **out, struct pt_error *err) {
    OWNED_PKEY *pkey = NULL;
    if (algorithm == COSE_EDDSA) {
        pkey = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, public_bytes.data, public_bytes.len);
    } else {
        char group[] = SN_X9_62_prime256v1;
        uint8_t point[1 + 2 * P256_COORDINATE_SIZE];
        if (public_bytes.len > sizeof point) return refuse(err, PT_INVALID, "the key is not a point on P-256");
        memcpy(point, public_bytes.data, public_bytes.len);
        OSSL_PARAM params[] = {
            OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
            OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, public_bytes.len),
            OSSL_PARAM_construct_end(),
        };
        OWNED_CONTEXT *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
        if (!context || EVP_PKEY_fromdata_init(context) != 1 ||
            EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
            return refuse(err, PT_INVALID, "the key is not a point on P-256");
    }
    if (!pkey) return refuse(err, PT_INVALID, "the key cannot be used");
    return keep(pkey, out, err);
}

enum pt_code verify_key_from_pem(struct pt_bytes pem, struct verify_key **out, struct pt_error *err) {
    *out = NULL;
    OWNED_BIO *bio = reading_bio(pem);
    OWNED_PKEY *pkey = NULL;
    if (bio && pem.len > 0 && memmem(pem.data, pem.len, "-----BEGIN CERTIFICATE-----", 27)) {
        X509 *certificate = PEM_read_bio_X509(bio, NULL, no_password, NULL);
        pkey = certificate ? X509_get_pubkey(certificate) : NULL;
        X509_free(certificate);
    } else if (bio) {
        pkey = PEM_read_bio_PUBKEY(bio, NULL, no_password, NULL);
    }
    if (!pkey) return refuse(err, PT_INVALID, "not a PEM public key or certificate");
    return keep(pkey, out, err);
}

enum pt_code verify_key_from_der(struct pt_bytes spki, struct verify_key **out, struct pt_error *err) {
    *out = NULL;
    const uint8_t *at = spki.data;
    OWNED_PKEY *pkey = spki.len > 0 && spki.len <= INT32_MAX ? d2i_PUBKEY(NULL, &at, (long)spki.len) : NULL;
    if (!pkey || at != spki.data + spki.len) return refuse(err, PT_INVALID, "not a DER SubjectPublicKeyInfo");
    return keep(pkey, out, err);
}

static enum pt_code append_bio(BIO *bio, struct pt_buf *out, struct pt_error *err) {
    char *text = NULL;
    const long len = BIO_get_mem_data(bio, &text);
    if (len > 0) pt_buf_append(out, text, (size_t)len);
    return pt_buf_check(out, err);
}

enum pt_code verify_key_to_pem(const struct verify_key *key, struct pt_buf *out, struct pt_error *err) {
    OWNED_BIO *bio = BIO_new(BIO_s_mem());
    if (!bio || PEM_write_bio_PUBKEY(bio, key->handle) != 1) return refuse(err, PT_INTERNAL, "the key cannot be written");
    return append_bio(bio, out, err);
}

// --- Verification: each thread keeps a few ready contexts, so that a busy key costs no set-up and no lock ---

#define KEPT_CONTEXTS 64u

struct kept_context {
    uint64_t key_number;  // 0: empty
    EVP_PKEY_CTX *context;
};

static pthread_key_t kept_contexts;
static pthread_once_t kept_contexts_once = PTHREAD_ONCE_INIT;
static bool kept_contexts_usable;

static void free_kept_contexts(void *slots) {
    struct kept_context *kept = slots;
    for (size_t i = 0; i < KEPT_CONTEXTS; i++) EVP_PKEY_CTX_free(kept[i].context);
    free(kept);
}

static void make_kept_contexts(void) { kept_contexts_usable = pthread_key_create(&kept_contexts, free_kept_contexts) == 0; }

static struct kept_context *slot_of(const struct verify_key *key) {
    static _Thread_local struct kept_context *slots;
    if (!slots) {
        pthread_once(&kept_contexts_once, make_kept_contexts);
        if (!kept_contexts_usable) return NULL;
        slots = calloc(KEPT_CONTEXTS, sizeof *slots);
        if (!slots || pthread_setspecific(kept_contexts, slots) != 0) {
            free(slots);
            slots = NULL;
            return NULL;
        }
    }
    return &slots[key->number % KEPT_CONTEXTS];
}

static EVP_PKEY_CTX *verifying_context(const struct verify_key *key) {
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key->handle, NULL);
    if (context && EVP_PKEY_verify_init(context) == 1) return context;
    EVP_PKEY_CTX_free(context);
    return NULL;
}

// A DER INTEGER of a non-zero scalar; gives its size (at most 35).
static size_t put_der_integer(uint8_t *out, const uint8_t scalar[P256_COORDINATE_SIZE]) {
    size_t zeros = 0;
    while (zeros < P256_COORDINATE_SIZE - 1 && scalar[zeros] == 0) zeros++;
    const size_t sign = scalar[zeros] >> 7;  // a leading zero keeps it positive
    const size_t len = P256_COORDINATE_SIZE - zeros;
    out[0] = 0x02;
    out[1] = (uint8_t)(len + sign);
    out[2] = 0;
    memcpy(out + 2 + sign, scalar + zeros, len);
    return 2 + sign + len;
}

bool openssl_verify_es256(const struct verify_key *key, struct pt_bytes message, const uint8_t signature[SIGNATURE_SIZE]) {
    uint8_t der[2 + 2 * 35];
    const size_t r = put_der_integer(der + 2, signature);
    const size_t s = put_der_integer(der + 2 + r, signature + P256_COORDINATE_SIZE);
    der[0] = 0x30;
    der[1] = (uint8_t)(r + s);
    const struct pt_digest digest = sha256(message);

    struct kept_context *slot = slot_of(key);
    EVP_PKEY_CTX *context = slot && slot->key_number == key->number ? slot->context : verifying_context(key);
    const bool good =
        context && EVP_PKEY_verify(context, der, 2 + r + s, digest.bytes, sizeof digest.bytes) == 1;
    if (!good) ERR_clear_error();
    if (!slot) {
        EVP_PKEY_CTX_free(context);
    } else if (slot->context != context) {
        EVP_PKEY_CTX_free(slot->context);
        *slot = (struct kept_context){context ? key->number : 0, context};
    }
    return good;
}

bool openssl_verify_eddsa(const struct verify_key *key, struct pt_bytes message, const uint8_t signature[SIGNATURE_SIZE]) {
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    const bool good = context && EVP_DigestVerifyInit_ex(context, NULL, NULL, NULL, NULL, key->handle, NULL) == 1 &&
                      EVP_DigestVerify(context, signature, SIGNATURE_SIZE, message.data, message.len) == 1;
    if (!good) ERR_clear_error();
    EVP_MD_CTX_free(context);
    return good;
}

// --- Signing ---

static bool raw_signature(const uint8_t *der, size_t len, uint8_t out[SIGNATURE_SIZE]) {
    const uint8_t *at = der;
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &at, (long)len);
    const bool good = signature && BN_bn2binpad(ECDSA_SIG_get0_r(signature), out, 32) == 32 &&
                      BN_bn2binpad(ECDSA_SIG_get0_s(signature), out + 32, 32) == 32;
    ECDSA_SIG_free(signature);
    return good;
}

static enum pt_code sign(void *ctx, struct pt_bytes message, uint8_t signature[SIGNATURE_SIZE], struct pt_error *err) {
    uint8_t der[128];
    size_t len = sizeof der;
    const struct pt_digest digest = sha256(message);
    OWNED_CONTEXT *context = EVP_PKEY_CTX_new_from_pkey(NULL, ctx, NULL);
    if (!context || EVP_PKEY_sign_init(context) != 1 ||
        EVP_PKEY_sign(context, der, &len, digest.bytes, sizeof digest.bytes) != 1 || !raw_signature(der, len, signature))
        return refuse(err, PT_INTERNAL, "signing failed");
    return PT_OK;
}

enum pt_code signer_openssl_from_pem(struct pt_bytes pem, struct signer *out, struct pt_error *err) {
    *out = (struct signer){0};
    OWNED_BIO *bio = reading_bio(pem);
    OWNED_PKEY *pkey = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;
    if (!pkey) return refuse(err, PT_INVALID, "not an unencrypted PEM private key");
    struct verify_key *key = NULL;
    const enum pt_code code = keep(pkey, &key, err);
    if (code != PT_OK) return code;
    if (key->algorithm != COSE_ES256) {
        verify_key_free(key);
        return refuse(err, PT_INVALID, "a signing key must be on P-256");
    }
    OWNED_CONTEXT *context = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    if (!context || EVP_PKEY_pairwise_check(context) != 1) {
        verify_key_free(key);
        return refuse(err, PT_INVALID, "the private and the public part do not belong together");
    }
    EVP_PKEY_up_ref(pkey);
    *out = (struct signer){.sign = sign, .ctx = pkey, .key = key};
    return PT_OK;
}

enum pt_code signer_openssl_generate(struct pt_buf *pem, struct pt_error *err) {
    OWNED_PKEY *pkey = EVP_EC_gen(SN_X9_62_prime256v1);
    OWNED_BIO *bio = BIO_new(BIO_s_secmem());
    if (!pkey || !bio || PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL) != 1)
        return refuse(err, PT_INTERNAL, "no key could be made");
    return append_bio(bio, pem, err);
}

void signer_openssl_free(struct signer *signer) {
    EVP_PKEY_free(signer->ctx);
    verify_key_free(signer->key);
    *signer = (struct signer){0};
}
