#include "common/net/https_tls.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/crypto/digest.h"

struct https_tls {
    SSL_CTX *context;
};

struct https_tls_session {
    SSL *ssl;
    bool expired;
    unsigned char *spki;
    unsigned char *certificate;
};

static int session_index = -1;  // where an SSL keeps its session, for the verify callback
static pthread_once_t session_index_once = PTHREAD_ONCE_INIT;

static void make_session_index(void) { session_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL); }

// A certificate past its end still says whose key it is. It is let through, marked, so that it can be renewed;
// every other fault stands.
static int on_verify(int good, X509_STORE_CTX *store) {
    if (good || X509_STORE_CTX_get_error(store) != X509_V_ERR_CERT_HAS_EXPIRED) return good;
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct https_tls_session *session = SSL_get_ex_data(ssl, session_index);
    if (!session) return 0;
    session->expired = true;
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
}

static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in, unsigned in_len,
                   void *arg) {
    static const unsigned char ours[] = "\x08http/1.1";
    (void)ssl;
    (void)arg;
    unsigned char *chosen;
    if (SSL_select_next_proto(&chosen, out_len, ours, sizeof ours - 1, in, in_len) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static enum pt_code fail_ssl(struct pt_error *err, const char *file, const char *what) {
    char text[200];
    ERR_error_string_n(ERR_peek_error(), text, sizeof text);
    ERR_clear_error();
    return pt_fail(err, PT_USAGE, file, "%s: %s", what, text);
}

static enum pt_code load_client_ca(SSL_CTX *context, const struct https_server_options *options, struct pt_error *err) {
    if (options->client_auth == HTTPS_CLIENT_NONE) return PT_OK;
    const char *file = options->client_ca_file;
    if (!file) return pt_fail(err, PT_USAGE, NULL, "client certificates need a CA file");
    if (SSL_CTX_load_verify_file(context, file) != 1) return fail_ssl(err, file, "cannot load the client CA");
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(file);
    if (!names) return fail_ssl(err, file, "cannot load the client CA");
    SSL_CTX_set_client_CA_list(context, names);
    // A consortium may list an intermediate CA, or a single member's certificate, without the root above it.
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
    const int mode = SSL_VERIFY_PEER | (options->client_auth == HTTPS_CLIENT_REQUIRED ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0);
    SSL_CTX_set_verify(context, mode, on_verify);
    return PT_OK;
}

static enum pt_code configure(SSL_CTX *context, const struct https_server_options *options, struct pt_error *err) {
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    // No resumption: it would skip the check of the client's certificate against the CA file of now.
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_alpn_select_cb(context, on_alpn, NULL);
    if (SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") != 1) return fail_ssl(err, NULL, "cipher list");
    if (!options->certificate_file || !options->key_file)
        return pt_fail(err, PT_USAGE, NULL, "a certificate file and a key file are needed");
    if (SSL_CTX_use_certificate_chain_file(context, options->certificate_file) != 1)
        return fail_ssl(err, options->certificate_file, "cannot load the certificate");
    if (SSL_CTX_use_PrivateKey_file(context, options->key_file, SSL_FILETYPE_PEM) != 1)
        return fail_ssl(err, options->key_file, "cannot load the key");
    if (SSL_CTX_check_private_key(context) != 1) return fail_ssl(err, options->key_file, "the key is not the certificate's");
    return load_client_ca(context, options, err);
}

enum pt_code https_tls_load(const struct https_server_options *options, struct https_tls **out, struct pt_error *err) {
    *out = NULL;
    pthread_once(&session_index_once, make_session_index);
    ERR_clear_error();
    struct https_tls *tls = calloc(1, sizeof *tls);
    if (!tls) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    tls->context = SSL_CTX_new(TLS_server_method());
    const enum pt_code code = tls->context && session_index >= 0 ? configure(tls->context, options, err)
                                                                 : pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    if (code != PT_OK) {
        https_tls_free(tls);
        return code;
    }
    *out = tls;
    return PT_OK;
}

void https_tls_free(struct https_tls *tls) {
    if (!tls) return;
    SSL_CTX_free(tls->context);
    free(tls);
}

struct https_tls_session *https_tls_accept(struct https_tls *tls, int fd) {
    struct https_tls_session *session = calloc(1, sizeof *session);
    if (!session) return NULL;
    session->ssl = SSL_new(tls->context);
    if (!session->ssl || SSL_set_fd(session->ssl, fd) != 1 || SSL_set_ex_data(session->ssl, session_index, session) != 1) {
        https_tls_session_free(session);
        return NULL;
    }
    SSL_set_accept_state(session->ssl);
    return session;
}

void https_tls_session_free(struct https_tls_session *session) {
    if (!session) return;
    SSL_free(session->ssl);
    OPENSSL_free(session->spki);
    OPENSSL_free(session->certificate);
    free(session);
    ERR_clear_error();
}

static enum https_io outcome(struct https_tls_session *session, int result) {
    if (result > 0) return HTTPS_IO_DONE;
    const int error = SSL_get_error(session->ssl, result);
    if (error == SSL_ERROR_WANT_READ) return HTTPS_IO_WANT_READ;
    if (error == SSL_ERROR_WANT_WRITE) return HTTPS_IO_WANT_WRITE;
    if (error == SSL_ERROR_ZERO_RETURN) return HTTPS_IO_END;
    ERR_clear_error();
    return HTTPS_IO_FAILED;
}

enum https_io https_tls_handshake(struct https_tls_session *session) {
    ERR_clear_error();
    return outcome(session, SSL_do_handshake(session->ssl));
}

enum https_io https_tls_read(struct https_tls_session *session, void *out, size_t size, size_t *got) {
    ERR_clear_error();
    return outcome(session, SSL_read_ex(session->ssl, out, size, got));
}

enum https_io https_tls_write(struct https_tls_session *session, const void *data, size_t len, size_t *put) {
    ERR_clear_error();
    return outcome(session, SSL_write_ex(session->ssl, data, len, put));
}

bool https_tls_has_pending(const struct https_tls_session *session) { return SSL_has_pending(session->ssl) == 1; }

void https_tls_close_notify(struct https_tls_session *session) {
    ERR_clear_error();
    SSL_shutdown(session->ssl);
    ERR_clear_error();
}

// A name with a NUL in it, or one that does not fit, is no name: cut, it could be another's.
static void take_name(const X509_NAME *subject, int nid, char *out, size_t size) {
    out[0] = 0;
    const int index = X509_NAME_get_index_by_NID(subject, nid, -1);
    if (index < 0) return;
    const ASN1_STRING *value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index));
    unsigned char *text = NULL;
    const int len = ASN1_STRING_to_UTF8(&text, value);
    if (len < 0) return;
    if ((size_t)len < size && !memchr(text, 0, (size_t)len) && pt_utf8_valid(pt_bytes_of(text, (size_t)len))) {
        memcpy(out, text, (size_t)len);
        out[len] = 0;
    }
    OPENSSL_free(text);
}

static bool coordinate(const EVP_PKEY *key, const char *which, uint8_t out[32]) {
    BIGNUM *number = NULL;
    const bool good = EVP_PKEY_get_bn_param(key, which, &number) == 1 && BN_bn2binpad(number, out, 32) == 32;
    BN_free(number);
    return good;
}

// RFC 9679 section 4: SHA-256 over the deterministic COSE_Key {1: 2, -1: 1, -2: x, -3: y}.
static bool thumbprint(const EVP_PKEY *key, struct pt_digest *out) {
    static const uint8_t before_x[] = {0xA4, 0x01, 0x02, 0x20, 0x01, 0x21, 0x58, 0x20};
    static const uint8_t before_y[] = {0x22, 0x58, 0x20};
    char group[32] = "";
    uint8_t x[32];
    uint8_t y[32];
    if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC || EVP_PKEY_get_group_name(key, group, sizeof group, NULL) != 1) return false;
    if (strcmp(group, "prime256v1") != 0 && strcmp(group, "P-256") != 0) return false;
    if (!coordinate(key, OSSL_PKEY_PARAM_EC_PUB_X, x) || !coordinate(key, OSSL_PKEY_PARAM_EC_PUB_Y, y)) return false;
    const struct pt_bytes parts[] = {{before_x, sizeof before_x}, {x, sizeof x}, {before_y, sizeof before_y}, {y, sizeof y}};
    *out = sha256_parts(parts, 4);
    return true;
}

void https_tls_identity(struct https_tls_session *session, struct https_identity *out) {
    *out = (struct https_identity){0};
    X509 *certificate = SSL_get0_peer_certificate(session->ssl);
    if (!certificate || SSL_get_verify_result(session->ssl) != X509_V_OK) return;
    const int spki_len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &session->spki);
    const int certificate_len = i2d_X509(certificate, &session->certificate);
    if (spki_len <= 0 || certificate_len <= 0) return;
    out->present = true;
    out->expired = session->expired;
    const X509_NAME *subject = X509_get_subject_name(certificate);
    take_name(subject, NID_commonName, out->common_name, sizeof out->common_name);
    take_name(subject, NID_organizationName, out->organisation, sizeof out->organisation);
    out->spki = pt_bytes_of(session->spki, (size_t)spki_len);
    out->certificate = pt_bytes_of(session->certificate, (size_t)certificate_len);
    const EVP_PKEY *key = X509_get0_pubkey(certificate);
    out->has_thumbprint = key && thumbprint(key, &out->thumbprint);
    ERR_clear_error();
}
