#include "tools/admin/x509.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

#include "common/base/cleanup.h"

static void free_bio(BIO **bio) {
    BIO_free_all(*bio);
}
static void free_key(EVP_PKEY **key) {
    EVP_PKEY_free(*key);
}
static void free_certificate(X509 **certificate) {
    X509_free(*certificate);
}
static void free_request(X509_REQ **request) {
    X509_REQ_free(*request);
}
static void free_store(X509_STORE **store) {
    X509_STORE_free(*store);
}
static void free_store_context(X509_STORE_CTX **context) {
    X509_STORE_CTX_free(*context);
}
static void free_names(GENERAL_NAMES **names) {
    GENERAL_NAMES_free(*names);
}
static void free_extensions(STACK_OF(X509_EXTENSION) * *extensions) {
    sk_X509_EXTENSION_pop_free(*extensions, X509_EXTENSION_free);
}

#define OWN_BIO PT_CLEANUP(free_bio) BIO
#define OWN_KEY PT_CLEANUP(free_key) EVP_PKEY
#define OWN_CERTIFICATE PT_CLEANUP(free_certificate) X509
#define OWN_REQUEST PT_CLEANUP(free_request) X509_REQ

static enum pt_code refuse(struct pt_error *err, enum pt_code code, const char *where, const char *what) {
    const unsigned long reason = ERR_peek_last_error();
    const char *why = reason ? ERR_reason_error_string(reason) : NULL;
    const enum pt_code failed = pt_fail(err, code, where, "%s%s%s", what, why ? ": " : "", why ? why : "");
    ERR_clear_error();
    return failed;
}

// --- PEM in and out ---

// An encrypted key must fail, not ask on the terminal.
static int no_password(char *buffer, int size, int writing, void *ctx) {
    (void)buffer;
    (void)size;
    (void)writing;
    (void)ctx;
    return -1;
}

static BIO *reading(struct pt_bytes pem) {
    return pem.len > 0 && pem.len <= X509_PEM_MAX ? BIO_new_mem_buf(pem.data, (int)pem.len) : NULL;
}

static EVP_PKEY *read_private(struct pt_bytes pem) {
    OWN_BIO *bio = reading(pem);
    return bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;
}

static EVP_PKEY *read_public(struct pt_bytes pem) {
    OWN_BIO *bio = reading(pem);
    return bio ? PEM_read_bio_PUBKEY(bio, NULL, no_password, NULL) : NULL;
}

static X509 *read_certificate(struct pt_bytes pem) {
    OWN_BIO *bio = reading(pem);
    return bio ? PEM_read_bio_X509(bio, NULL, no_password, NULL) : NULL;
}

static enum pt_code append_bio(BIO *bio, struct pt_buf *out, struct pt_error *err) {
    const char *data = NULL;
    const long len = BIO_get_mem_data(bio, &data);
    if (len <= 0) return refuse(err, PT_INTERNAL, NULL, "nothing was written");
    pt_buf_append(out, data, (size_t)len);
    return pt_buf_check(out, err);
}

static bool is_p256(EVP_PKEY *key) {
    char group[32] = "";
    size_t len = 0;
    return EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_group_name(key, group, sizeof group, &len) == 1 &&
           strcmp(group, SN_X9_62_prime256v1) == 0;
}

// --- Names and extensions ---

static enum pt_code check_subject(const struct x509_subject *subject, struct pt_error *err) {
    if (!subject->common_name[0] || strlen(subject->common_name) > 64)
        return pt_fail(err, PT_INVALID, "common name", "must have 1 to 64 bytes");
    if (!subject->organization[0] || strlen(subject->organization) > 64)
        return pt_fail(err, PT_INVALID, "organization", "must have 1 to 64 bytes");
    if (subject->host_count > X509_HOSTS_MAX)
        return pt_fail(err, PT_LIMIT, "host", "at most %u names and addresses", X509_HOSTS_MAX);
    return PT_OK;
}

static bool add_entry(X509_NAME *name, const char *field, const char *text) {
    return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, (const unsigned char *)text, -1, -1, 0) == 1;
}

static bool set_name(X509_NAME *name, const struct x509_subject *subject) {
    return name && add_entry(name, "O", subject->organization) && add_entry(name, "CN", subject->common_name);
}

static bool good_dns_name(const char *host) {
    const char *at = strncmp(host, "*.", 2) == 0 ? host + 2 : host;
    if (!*at || strlen(host) > 253 || *at == '-' || *at == '.') return false;
    for (; *at; at++) {
        if (!isalnum((unsigned char)*at) && *at != '-' && *at != '.') return false;
        if (*at == '.' && (!at[1] || at[1] == '.' || at[1] == '-' || at[-1] == '-')) return false;
    }
    return at[-1] != '-';
}

// Built piece by piece, never through OpenSSL's configuration text, in which a comma would add a name.
static GENERAL_NAME *host_name(const char *host) {
    uint8_t address[16];
    const int len = inet_pton(AF_INET, host, address) == 1 ? 4 : inet_pton(AF_INET6, host, address) == 1 ? 16 : 0;
    GENERAL_NAME *name = len || good_dns_name(host) ? GENERAL_NAME_new() : NULL;
    ASN1_STRING *value = name ? ASN1_STRING_type_new(len ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING) : NULL;
    if (!value || ASN1_STRING_set(value, len ? (const void *)address : host, len ? len : -1) != 1) {
        ASN1_STRING_free(value);
        GENERAL_NAME_free(name);
        return NULL;
    }
    GENERAL_NAME_set0_value(name, len ? GEN_IPADD : GEN_DNS, value);
    return name;
}

static enum pt_code make_hosts(const struct x509_subject *subject, GENERAL_NAMES **out, struct pt_error *err) {
    *out = sk_GENERAL_NAME_new_null();
    if (!*out) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    for (size_t i = 0; i < subject->host_count; i++) {
        GENERAL_NAME *name = host_name(subject->hosts[i]);
        if (!name) return pt_fail(err, PT_INVALID, subject->hosts[i], "is neither a host name nor an IP address");
        if (sk_GENERAL_NAME_push(*out, name) <= 0) {
            GENERAL_NAME_free(name);
            return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
        }
    }
    return PT_OK;
}

// `value` is one of our own constants.
static bool add_extension(X509 *certificate, X509 *issuer, int nid, const char *value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    const bool added = extension && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return added;
}

// --- Certificates ---

static bool set_serial(X509 *certificate) {
    uint8_t random[16];
    if (RAND_bytes(random, sizeof random) != 1) return false;
    random[0] = (uint8_t)((random[0] & 0x7f) | 0x40); // positive, and always 16 bytes
    BIGNUM *number = BN_bin2bn(random, sizeof random, NULL);
    const bool set = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
    BN_free(number);
    return set;
}

// Begins an hour early: a terminal's clock may be behind.
static bool set_validity(X509 *certificate, const struct x509_subject *subject, X509 *issuer) {
    time_t now = (time_t)(subject->now / 1000);
    if (!X509_time_adj_ex(X509_getm_notBefore(certificate), 0, -3600, &now) ||
        !X509_time_adj_ex(X509_getm_notAfter(certificate), (int)subject->days, 0, &now))
        return false;
    if (issuer != certificate && ASN1_TIME_compare(X509_get0_notAfter(certificate), X509_get0_notAfter(issuer)) > 0)
        return X509_set1_notAfter(certificate, X509_get0_notAfter(issuer)) == 1;
    return true;
}

static X509 *begin_certificate(const struct x509_subject *subject, EVP_PKEY *key) {
    X509 *certificate = X509_new();
    if (certificate && X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
        set_name(X509_get_subject_name(certificate), subject) && X509_set_pubkey(certificate, key) == 1)
        return certificate;
    X509_free(certificate);
    return NULL;
}

static enum pt_code finish_certificate(X509 *certificate, EVP_PKEY *issuer_key, struct pt_buf *out,
                                       struct pt_error *err) {
    OWN_BIO *bio = BIO_new(BIO_s_mem());
    if (!bio || X509_sign(certificate, issuer_key, EVP_sha256()) <= 0 || PEM_write_bio_X509(bio, certificate) != 1)
        return refuse(err, PT_INTERNAL, NULL, "cannot sign the certificate");
    return append_bio(bio, out, err);
}

enum pt_code x509_make_authority(const struct x509_subject *subject, struct pt_bytes key_pem, struct pt_buf *out,
                                 struct pt_error *err) {
    const enum pt_code code = check_subject(subject, err);
    if (code != PT_OK) return code;
    OWN_KEY *key = read_private(key_pem);
    if (!key || !is_p256(key)) return refuse(err, PT_INVALID, NULL, "the authority's key is not a P-256 key");
    OWN_CERTIFICATE *certificate = begin_certificate(subject, key);
    if (!certificate || !set_validity(certificate, subject, certificate) ||
        X509_set_issuer_name(certificate, X509_get_subject_name(certificate)) != 1 ||
        !add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
        !add_extension(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign") ||
        !add_extension(certificate, certificate, NID_subject_key_identifier, "hash") ||
        !add_extension(certificate, certificate, NID_authority_key_identifier, "keyid"))
        return refuse(err, PT_INTERNAL, NULL, "cannot make the authority's certificate");
    return finish_certificate(certificate, key, out, err);
}

enum pt_code x509_issue(struct pt_bytes authority_pem, struct pt_bytes authority_key_pem,
                        const struct x509_subject *subject, struct pt_bytes public_key_pem, struct pt_buf *out,
                        struct pt_error *err) {
    enum pt_code code = check_subject(subject, err);
    if (code != PT_OK) return code;
    OWN_CERTIFICATE *authority = read_certificate(authority_pem);
    OWN_KEY *authority_key = read_private(authority_key_pem);
    if (!authority || !authority_key)
        return refuse(err, PT_INVALID, NULL, "cannot read the authority's certificate or key");
    if (X509_check_private_key(authority, authority_key) != 1)
        return refuse(err, PT_INVALID, NULL, "the authority's key is not the one of its certificate");
    OWN_KEY *key = read_public(public_key_pem);
    if (!key || !is_p256(key)) return refuse(err, PT_INVALID, NULL, "the TLS key is not a P-256 key");
    PT_CLEANUP(free_names) GENERAL_NAMES *hosts = NULL;
    code = make_hosts(subject, &hosts, err);
    if (code != PT_OK) return code;
    OWN_CERTIFICATE *certificate = begin_certificate(subject, key);
    if (!certificate || !set_validity(certificate, subject, authority) ||
        X509_set_issuer_name(certificate, X509_get_subject_name(authority)) != 1 ||
        !add_extension(certificate, authority, NID_basic_constraints, "critical,CA:FALSE") ||
        !add_extension(certificate, authority, NID_key_usage, "critical,digitalSignature") ||
        !add_extension(certificate, authority, NID_ext_key_usage, "serverAuth,clientAuth") ||
        !add_extension(certificate, authority, NID_subject_key_identifier, "hash") ||
        !add_extension(certificate, authority, NID_authority_key_identifier, "keyid:always") ||
        (subject->host_count > 0 && X509_add1_ext_i2d(certificate, NID_subject_alt_name, hosts, 0, 0) != 1))
        return refuse(err, PT_INTERNAL, NULL, "cannot make the certificate");
    return finish_certificate(certificate, authority_key, out, err);
}

// --- Requests ---

enum pt_code x509_request_make(const struct x509_subject *subject, struct pt_bytes key_pem, struct pt_buf *out,
                               struct pt_error *err) {
    enum pt_code code = check_subject(subject, err);
    if (code != PT_OK) return code;
    OWN_KEY *key = read_private(key_pem);
    if (!key) return refuse(err, PT_INVALID, NULL, "cannot read the key");
    PT_CLEANUP(free_names) GENERAL_NAMES *hosts = NULL;
    code = make_hosts(subject, &hosts, err);
    if (code != PT_OK) return code;
    PT_CLEANUP(free_extensions) STACK_OF(X509_EXTENSION) *extensions = NULL;
    OWN_REQUEST *request = X509_REQ_new();
    OWN_BIO *bio = BIO_new(BIO_s_mem());
    if (!request || !bio || !set_name(X509_REQ_get_subject_name(request), subject) ||
        X509_REQ_set_pubkey(request, key) != 1 ||
        (subject->host_count > 0 &&
         (X509V3_add1_i2d(&extensions, NID_subject_alt_name, hosts, 0, X509V3_ADD_DEFAULT) != 1 ||
          X509_REQ_add_extensions(request, extensions) != 1)) ||
        X509_REQ_sign(request, key, EVP_sha256()) <= 0 || PEM_write_bio_X509_REQ(bio, request) != 1)
        return refuse(err, PT_INTERNAL, NULL, "cannot make the certificate request");
    return append_bio(bio, out, err);
}

enum pt_code x509_request_key(struct pt_bytes request_pem, struct pt_buf *public_key, struct pt_error *err) {
    OWN_BIO *in = reading(request_pem);
    OWN_REQUEST *request = in ? PEM_read_bio_X509_REQ(in, NULL, no_password, NULL) : NULL;
    if (!request) return refuse(err, PT_INVALID, NULL, "not a certificate request (PKCS#10, PEM)");
    EVP_PKEY *key = X509_REQ_get0_pubkey(request);
    if (!key || !is_p256(key)) return refuse(err, PT_INVALID, NULL, "the request's key is not a P-256 key");
    if (X509_REQ_verify(request, key) != 1)
        return refuse(err, PT_UNVERIFIED, NULL, "the certificate request is not signed by its own key");
    OWN_BIO *bio = BIO_new(BIO_s_mem());
    if (!bio || PEM_write_bio_PUBKEY(bio, key) != 1) return refuse(err, PT_INTERNAL, NULL, "cannot write the key");
    return append_bio(bio, public_key, err);
}

// --- Checks ---

static enum pt_code check_purpose(X509_STORE *store, X509 *certificate, pt_millis now, int purpose,
                                  struct pt_error *err) {
    PT_CLEANUP(free_store_context) X509_STORE_CTX *context = X509_STORE_CTX_new();
    if (!context || X509_STORE_CTX_init(context, store, certificate, NULL) != 1 ||
        X509_STORE_CTX_set_purpose(context, purpose) != 1)
        return refuse(err, PT_INTERNAL, NULL, "cannot check the certificate");
    X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(context), (time_t)(now / 1000));
    if (X509_verify_cert(context) == 1) return PT_OK;
    const char *why = X509_verify_cert_error_string(X509_STORE_CTX_get_error(context));
    ERR_clear_error();
    return pt_fail(err, PT_UNVERIFIED, NULL, "the certificate does not hold against the authority's: %s", why);
}

enum pt_code x509_check(struct pt_bytes authority_pem, struct pt_bytes certificate_pem, struct pt_bytes public_key_pem,
                        pt_millis now, struct pt_error *err) {
    OWN_CERTIFICATE *authority = read_certificate(authority_pem);
    OWN_CERTIFICATE *certificate = read_certificate(certificate_pem);
    OWN_KEY *key = read_public(public_key_pem);
    if (!authority || !certificate || !key)
        return refuse(err, PT_INVALID, NULL, "cannot read a certificate or the key");
    if (EVP_PKEY_eq(X509_get0_pubkey(certificate), key) != 1)
        return refuse(err, PT_INVALID, NULL, "the certificate is for another key");
    PT_CLEANUP(free_store) X509_STORE *store = X509_STORE_new();
    if (!store || X509_STORE_add_cert(store, authority) != 1)
        return refuse(err, PT_INTERNAL, NULL, "cannot check the certificate");
    const enum pt_code code = check_purpose(store, certificate, now, X509_PURPOSE_SSL_SERVER, err);
    return code == PT_OK ? check_purpose(store, certificate, now, X509_PURPOSE_SSL_CLIENT, err) : code;
}

enum pt_code x509_check_authority(struct pt_bytes certificate_pem, struct pt_error *err) {
    OWN_CERTIFICATE *certificate = read_certificate(certificate_pem);
    if (!certificate) return refuse(err, PT_INVALID, NULL, "not a certificate (PEM)");
    if (X509_check_ca(certificate) != 1) return refuse(err, PT_INVALID, NULL, "not the certificate of an authority");
    return PT_OK;
}

// --- Reading ---

static bool read_time(const ASN1_TIME *time, pt_millis *out) {
    struct tm utc;
    if (ASN1_TIME_to_tm(time, &utc) != 1) return false;
    *out = (pt_millis)timegm(&utc) * 1000;
    return true;
}

static void read_hosts(X509 *certificate, struct x509_info *out) {
    PT_CLEANUP(free_names) GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; names && i < sk_GENERAL_NAME_num(names) && out->host_count < X509_HOSTS_MAX; i++) {
        int type = 0;
        const ASN1_STRING *value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type);
        char *host = out->hosts[out->host_count];
        if (type == GEN_DNS && ASN1_STRING_length(value) < (int)sizeof out->hosts[0]) {
            memcpy(host, ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
            out->host_count++;
        } else if (type == GEN_IPADD) {
            const int family = ASN1_STRING_length(value) == 4 ? AF_INET : AF_INET6;
            if (inet_ntop(family, ASN1_STRING_get0_data(value), host, sizeof out->hosts[0])) out->host_count++;
        }
    }
}

enum pt_code x509_read(struct pt_bytes certificate_pem, struct x509_info *out, struct pt_error *err) {
    *out = (struct x509_info){0};
    OWN_CERTIFICATE *certificate = read_certificate(certificate_pem);
    if (!certificate || !read_time(X509_get0_notBefore(certificate), &out->not_before) ||
        !read_time(X509_get0_notAfter(certificate), &out->not_after))
        return refuse(err, PT_INVALID, NULL, "not a certificate (PEM)");
    const X509_NAME *name = X509_get_subject_name(certificate);
    X509_NAME_get_text_by_NID((X509_NAME *)(uintptr_t)name, NID_commonName, out->common_name, sizeof out->common_name);
    X509_NAME_get_text_by_NID((X509_NAME *)(uintptr_t)name, NID_organizationName, out->organization,
                              sizeof out->organization);
    read_hosts(certificate, out);
    return PT_OK;
}
