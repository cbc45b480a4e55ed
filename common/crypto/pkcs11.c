#include <p11-kit/p11-kit.h>
#include <p11-kit/pkcs11.h>
#include <p11-kit/uri.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/disk.h"
#include "common/crypto/digest.h"
#include "common/crypto/verify_key.h"

#define SLOTS_MOST 64u
#define PIN_MAX 256u

// A key on a token. One session, one thread at a time; a token that was pulled and put back is opened anew.
struct token_key {
    char *uri;
    P11KitUri *parsed;
    CK_FUNCTION_LIST *module;
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE private_key;
    bool open;
    pthread_mutex_t lock;
};

static enum pt_code failed(const char *doing, CK_RV result, struct pt_error *err) {
    const char *why = p11_kit_strerror(result);
    enum pt_code code = PT_UNAVAILABLE;
    if (result == CKR_PIN_INCORRECT || result == CKR_PIN_LOCKED || result == CKR_USER_NOT_LOGGED_IN) code = PT_FORBIDDEN;
    return pt_fail(err, code, "token", "%s: %s", doing, why ? why : "unknown error");
}

// --- Opening ---

static enum pt_code read_pin(const struct token_key *key, char pin[PIN_MAX], size_t *len, struct pt_error *err) {
    const char *value = p11_kit_uri_get_pin_value(key->parsed), *source = p11_kit_uri_get_pin_source(key->parsed);
    PT_CLEANUP(pt_buf_free) struct pt_buf file = PT_BUF_INIT(PIN_MAX);
    *len = 0;
    if (!value && !source) return PT_OK;
    if (!value) {
        if (strncmp(source, "file:", 5) == 0) source += 5;
        const enum pt_code code = pt_file_read(source, &file, err);
        if (code != PT_OK) return code;
        value = pt_buf_cstr(&file);
    }
    *len = strcspn(value, "\r\n");
    if (*len >= PIN_MAX) return pt_fail(err, PT_LIMIT, "token", "the PIN is too long");
    memcpy(pin, value, *len);
    if (file.data) explicit_bzero(file.data, file.cap);
    return PT_OK;
}

static enum pt_code log_in(struct token_key *key, struct pt_error *err) {
    char pin[PIN_MAX];
    size_t len;
    const enum pt_code code = read_pin(key, pin, &len, err);
    if (code != PT_OK || len == 0) return code;
    const CK_RV result = key->module->C_Login(key->session, CKU_USER, (CK_UTF8CHAR_PTR)pin, len);
    explicit_bzero(pin, sizeof pin);
    return result == CKR_OK || result == CKR_USER_ALREADY_LOGGED_IN ? PT_OK : failed("log in", result, err);
}

static enum pt_code find_slot(const struct token_key *key, CK_SLOT_ID *out, struct pt_error *err) {
    CK_SLOT_ID slots[SLOTS_MOST];
    CK_ULONG count = SLOTS_MOST;
    const CK_RV result = key->module->C_GetSlotList(CK_TRUE, slots, &count);
    if (result != CKR_OK) return failed("list tokens", result, err);
    for (CK_ULONG i = 0; i < count; i++) {
        CK_TOKEN_INFO info;
        if (key->module->C_GetTokenInfo(slots[i], &info) != CKR_OK || !p11_kit_uri_match_token_info(key->parsed, &info)) continue;
        *out = slots[i];
        return PT_OK;
    }
    return pt_fail(err, PT_UNAVAILABLE, "token", "no token as the key's URI describes it is there");
}

// The template of the URI's object of a class: its label and id, as far as the URI names them.
static CK_ULONG object_template(const struct token_key *key, CK_OBJECT_CLASS *class, CK_ATTRIBUTE out[3]) {
    static const CK_ATTRIBUTE_TYPE named[] = {CKA_LABEL, CKA_ID};
    CK_ULONG count = 0;
    out[count++] = (CK_ATTRIBUTE){CKA_CLASS, class, sizeof *class};
    for (size_t i = 0; i < 2; i++) {
        const CK_ATTRIBUTE *attribute = p11_kit_uri_get_attribute(key->parsed, named[i]);
        if (attribute) out[count++] = *attribute;
    }
    return count;
}

static enum pt_code find_object(const struct token_key *key, CK_OBJECT_CLASS class, CK_OBJECT_HANDLE *out, struct pt_error *err) {
    CK_ATTRIBUTE wanted[3];
    CK_OBJECT_HANDLE found[2];
    CK_ULONG count = 0;
    CK_RV result = key->module->C_FindObjectsInit(key->session, wanted, object_template(key, &class, wanted));
    if (result != CKR_OK) return failed("look for the key", result, err);
    result = key->module->C_FindObjects(key->session, found, 2, &count);
    (void)key->module->C_FindObjectsFinal(key->session);
    if (result != CKR_OK) return failed("look for the key", result, err);
    if (count == 0) return pt_fail(err, PT_NOT_FOUND, "token", "the token has no such key");
    if (count > 1) return pt_fail(err, PT_INVALID, "token", "the URI names more than one key: give its label and id");
    *out = found[0];
    return PT_OK;
}

static void close_session(struct token_key *key) {
    if (key->open) (void)key->module->C_CloseSession(key->session);
    key->open = false;
}

static enum pt_code open_session(struct token_key *key, bool writable, struct pt_error *err) {
    CK_SLOT_ID slot;
    close_session(key);
    enum pt_code code = find_slot(key, &slot, err);
    if (code != PT_OK) return code;
    const CK_FLAGS flags = CKF_SERIAL_SESSION | (writable ? (CK_FLAGS)CKF_RW_SESSION : 0);
    const CK_RV result = key->module->C_OpenSession(slot, flags, NULL, NULL, &key->session);
    if (result != CKR_OK) return failed("open the token", result, err);
    key->open = true;
    return log_in(key, err);
}

static void token_key_free(struct token_key *key) {
    if (!key) return;
    close_session(key);
    if (key->module) {
        (void)p11_kit_module_finalize(key->module);
        p11_kit_module_release(key->module);
    }
    if (key->parsed) p11_kit_uri_free(key->parsed);
    pthread_mutex_destroy(&key->lock);
    free(key->uri);
    free(key);
}

static void token_key_cleanup(struct token_key **key) { token_key_free(*key); }

static enum pt_code load_module(struct token_key *key, struct pt_error *err) {
    const char *path = p11_kit_uri_get_module_path(key->parsed);
    if (!path) return pt_fail(err, PT_INVALID, "key", "the URI must name its library: …?module-path=/usr/lib/…");
    CK_FUNCTION_LIST *module = p11_kit_module_load(path, P11_KIT_MODULE_CRITICAL);
    if (!module) return pt_fail(err, PT_UNAVAILABLE, path, "cannot load the token's library");
    const CK_RV result = p11_kit_module_initialize(module);
    if (result != CKR_OK) {
        p11_kit_module_release(module);
        return failed("start the token's library", result, err);
    }
    key->module = module;
    return PT_OK;
}

static enum pt_code token_key_new(const char *uri, bool writable, struct token_key **out, struct pt_error *err) {
    PT_CLEANUP(token_key_cleanup) struct token_key *key = calloc(1, sizeof *key);
    *out = NULL;
    if (!key) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    pthread_mutex_init(&key->lock, NULL);
    key->uri = strdup(uri);
    key->parsed = p11_kit_uri_new();
    if (!key->uri || !key->parsed) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    const int wrong = p11_kit_uri_parse(uri, P11_KIT_URI_FOR_ANY, key->parsed);
    if (wrong != P11_KIT_URI_OK) return pt_fail(err, PT_INVALID, "key", "not a PKCS #11 URI (RFC 7512): %s", p11_kit_uri_message(wrong));
    if (!p11_kit_uri_get_attribute(key->parsed, CKA_LABEL) && !p11_kit_uri_get_attribute(key->parsed, CKA_ID))
        return pt_fail(err, PT_INVALID, "key", "the URI must name the key by object= or id=");
    enum pt_code code = load_module(key, err);
    if (code == PT_OK) code = open_session(key, writable, err);
    if (code != PT_OK) return code;
    *out = key;
    key = NULL;
    return PT_OK;
}

// --- Signing ---

static bool session_is_gone(CK_RV result) {
    return result == CKR_SESSION_HANDLE_INVALID || result == CKR_SESSION_CLOSED || result == CKR_DEVICE_REMOVED ||
           result == CKR_TOKEN_NOT_PRESENT || result == CKR_OBJECT_HANDLE_INVALID || result == CKR_USER_NOT_LOGGED_IN;
}

static CK_RV sign_digest(struct token_key *key, struct pt_digest *digest, uint8_t signature[SIGNATURE_SIZE]) {
    CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};
    CK_ULONG len = SIGNATURE_SIZE;
    CK_RV result = key->module->C_SignInit(key->session, &mechanism, key->private_key);
    if (result == CKR_OK) result = key->module->C_Sign(key->session, digest->bytes, sizeof digest->bytes, signature, &len);
    return result == CKR_OK && len != SIGNATURE_SIZE ? CKR_SIGNATURE_LEN_RANGE : result;
}

static enum pt_code sign(void *ctx, struct pt_bytes message, uint8_t signature[SIGNATURE_SIZE], struct pt_error *err) {
    struct token_key *key = ctx;
    struct pt_digest digest = sha256(message);
    enum pt_code code = PT_OK;
    pthread_mutex_lock(&key->lock);
    CK_RV result = key->open ? sign_digest(key, &digest, signature) : CKR_SESSION_HANDLE_INVALID;
    if (session_is_gone(result)) {
        code = open_session(key, false, err);
        if (code == PT_OK) code = find_object(key, CKO_PRIVATE_KEY, &key->private_key, err);
        if (code == PT_OK) result = sign_digest(key, &digest, signature);
    }
    pthread_mutex_unlock(&key->lock);
    if (code != PT_OK) return code;
    return result == CKR_OK ? PT_OK : failed("sign", result, err);
}

// CKA_EC_POINT is the SEC 1 point inside a DER octet string; some tokens leave the wrapping out.
static enum pt_code read_public(const struct token_key *key, struct verify_key **out, struct pt_error *err) {
    uint8_t point[2 + 1 + 2 * P256_COORDINATE_SIZE];
    CK_ATTRIBUTE attribute = {CKA_EC_POINT, point, sizeof point};
    CK_OBJECT_HANDLE public_key;
    const enum pt_code code = find_object(key, CKO_PUBLIC_KEY, &public_key, err);
    if (code != PT_OK) return code;
    const CK_RV result = key->module->C_GetAttributeValue(key->session, public_key, &attribute, 1);
    if (result != CKR_OK) return failed("read the public key", result, err);
    struct pt_bytes bytes = pt_bytes_of(point, attribute.ulValueLen);
    if (bytes.len == sizeof point && point[0] == 0x04 && point[1] == 1 + 2 * P256_COORDINATE_SIZE) bytes = pt_bytes_of(point + 2, bytes.len - 2);
    return openssl_key_from_public_bytes(COSE_ES256, bytes, out, err);
}

enum pt_code signer_pkcs11_open(const char *uri, struct signer *out, struct pt_error *err) {
    PT_CLEANUP(token_key_cleanup) struct token_key *key = NULL;
    *out = (struct signer){0};
    enum pt_code code = token_key_new(uri, false, &key, err);
    if (code == PT_OK) code = find_object(key, CKO_PRIVATE_KEY, &key->private_key, err);
    if (code == PT_OK) code = read_public(key, &out->key, err);
    if (code != PT_OK) return code;
    out->sign = sign;
    out->ctx = key;
    key = NULL;
    return PT_OK;
}

enum pt_code signer_pkcs11_generate(const char *uri, struct pt_error *err) {
    static uint8_t p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};  // OID 1.2.840.10045.3.1.7, DER
    static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
    PT_CLEANUP(token_key_cleanup) struct token_key *key = NULL;
    CK_OBJECT_HANDLE public_key, private_key;
    enum pt_code code = token_key_new(uri, true, &key, err);
    if (code != PT_OK) return code;
    code = find_object(key, CKO_PRIVATE_KEY, &private_key, NULL);
    if (code == PT_OK) return pt_fail(err, PT_CONFLICT, "token", "the token has such a key already; it is never replaced");
    if (code != PT_NOT_FOUND) return pt_fail(err, code, "token", "the URI does not name one key");
    CK_ATTRIBUTE public_template[8] = {{CKA_EC_PARAMS, p256, sizeof p256}, {CKA_TOKEN, &yes, sizeof yes}, {CKA_VERIFY, &yes, sizeof yes}};
    CK_ATTRIBUTE private_template[8] = {{CKA_TOKEN, &yes, sizeof yes}, {CKA_PRIVATE, &yes, sizeof yes}, {CKA_SENSITIVE, &yes, sizeof yes},
                                        {CKA_EXTRACTABLE, &no, sizeof no}, {CKA_SIGN, &yes, sizeof yes}};
    CK_OBJECT_CLASS unused = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE names[3];
    const CK_ULONG count = object_template(key, &unused, names) - 1;  // without the class
    memcpy(public_template + 3, names + 1, count * sizeof *names);
    memcpy(private_template + 5, names + 1, count * sizeof *names);
    CK_MECHANISM mechanism = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
    const CK_RV result = key->module->C_GenerateKeyPair(key->session, &mechanism, public_template, 3 + count, private_template, 5 + count,
                                                        &public_key, &private_key);
    return result == CKR_OK ? PT_OK : failed("make a key", result, err);
}

void signer_pkcs11_free(struct signer *signer) {
    token_key_free(signer->ctx);
    verify_key_free(signer->key);
    *signer = (struct signer){0};
}
