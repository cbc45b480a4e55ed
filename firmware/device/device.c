#include "firmware/device/device.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/disk.h"

enum { MOST_KEY_FILE = 65536, MOST_GENESIS = 16 * 1024 * 1024 };

static void set_path(char out[512], const char *dir, const char *name) { snprintf(out, 512, "%s/%s", dir, name); }

static void forget(struct pt_buf *secret) {
    if (secret->data) explicit_bzero(secret->data, secret->cap);
    pt_buf_free(secret);
}

// Reads a key, or makes it on first use. An existing file is never replaced: its statements depend on it.
static enum pt_code key_of(const char *path, struct pt_buf *pem, struct pt_error *err) {
    enum pt_code code = pt_file_read(path, pem, err);
    if (code != PT_NOT_FOUND) return code;
    pt_buf_clear(pem);
    code = signer_mbedtls_generate(pem, err);
    return code == PT_OK ? pt_file_replace(path, pt_buf_bytes(pem), 0600, err) : code;
}

static bool is_token(const char *token) { return token && token[0]; }

static void close_signer(struct signer *signer, bool on_token) {
    if (on_token) signer_pkcs11_free(signer);
    else signer_mbedtls_free(signer);
}

static enum pt_code make_signer(const char *data_dir, const char *token, struct signer *out, struct pt_error *err) {
    char path[512];
    PT_CLEANUP(forget) struct pt_buf pem = PT_BUF_INIT(MOST_KEY_FILE);
    enum pt_code code;
    if (is_token(token)) {
        code = signer_pkcs11_open(token, out, err);
        if (code != PT_NOT_FOUND) return code;
        code = signer_pkcs11_generate(token, err);
        return code == PT_OK ? signer_pkcs11_open(token, out, err) : code;
    }
    set_path(path, data_dir, "sign.key");
    code = key_of(path, &pem, err);
    return code == PT_OK ? signer_mbedtls_from_pem(pt_buf_bytes(&pem), out, err) : code;
}

enum pt_code device_prepare(const char *data_dir, const char *token, struct enrolment_request *request, char request_file[512],
                            struct pt_error *err) {
    char path[512];
    struct signer signer = {0};
    PT_CLEANUP(forget) struct pt_buf tls_pem = PT_BUF_INIT(MOST_KEY_FILE);
    PT_CLEANUP(pt_buf_free) struct pt_buf signed_request = PT_BUF_INIT(ENROLMENT_REQUEST_MAX);
    if (mkdir(data_dir, 0700) != 0 && errno != EEXIST) return pt_fail_errno(err, data_dir, "cannot make the directory");
    set_path(path, data_dir, "tls.key");
    enum pt_code code = key_of(path, &tls_pem, err);
    if (code == PT_OK) code = make_signer(data_dir, token, &signer, err);
    if (code != PT_OK) return code;
    request->csr = PT_BUF_INIT(ENROLMENT_REQUEST_CSR_MAX);
    request->kid = verify_key_thumbprint(signer.key);
    char subject[80];
    snprintf(subject, sizeof subject, "CN=device-%02x%02x%02x%02x%02x%02x", request->kid.bytes[0], request->kid.bytes[1],
             request->kid.bytes[2], request->kid.bytes[3], request->kid.bytes[4], request->kid.bytes[5]);
    code = signer_mbedtls_csr(pt_buf_bytes(&tls_pem), subject, &request->csr, err);
    if (code == PT_OK) code = enrolment_request_sign(request, &signer, &signed_request, err);
    set_path(request_file, data_dir, "enrolment.request");
    if (code == PT_OK) code = pt_file_replace(request_file, pt_buf_bytes(&signed_request), 0644, err);
    close_signer(&signer, is_token(token));
    return code;
}

static enum pt_code load_genesis(const char *path, struct genesis *out, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf file = PT_BUF_INIT(MOST_GENESIS);
    const enum pt_code code = pt_file_read(path, &file, err);
    return code == PT_OK ? genesis_decode(pt_buf_bytes(&file), out, err) : code;
}

static enum pt_code open_signer(const char *token, const char *key_file, struct signer *out, struct pt_error *err) {
    PT_CLEANUP(forget) struct pt_buf pem = PT_BUF_INIT(MOST_KEY_FILE);
    enum pt_code code = is_token(token) ? signer_pkcs11_open(token, out, err) : pt_file_read(key_file, &pem, err);
    if (code == PT_NOT_FOUND)
        return pt_fail(err, PT_NOT_FOUND, is_token(token) ? "token" : key_file,
                       "this terminal has no key yet; run `packtrail-scanner request` first");
    return code != PT_OK || is_token(token) ? code : signer_mbedtls_from_pem(pt_buf_bytes(&pem), out, err);
}

enum pt_code device_open(const char *data_dir, const char *token, const char *genesis_file, struct device *out, struct pt_error *err) {
    *out = (struct device){.on_token = is_token(token)};
    set_path(out->sign_key_file, data_dir, "sign.key");
    set_path(out->tls_key_file, data_dir, "tls.key");
    set_path(out->certificate_file, data_dir, "tls.crt");
    set_path(out->outbox_dir, data_dir, "outbox");
    set_path(out->history_dir, data_dir, "history");
    set_path(out->recalls_file, data_dir, "recalls.cbor");
    set_path(out->reference_file, data_dir, "reference.db");
    set_path(out->clock_file, data_dir, "clock.cbor");
    set_path(out->line_file, data_dir, "line.cbor");
    enum pt_code code = open_signer(token, out->sign_key_file, &out->signer, err);
    if (code == PT_OK) code = load_genesis(genesis_file, &out->genesis, err);
    if (code != PT_OK) device_close(out);
    return code;
}

void device_close(struct device *device) {
    close_signer(&device->signer, device->on_token);
    genesis_free(&device->genesis);
    *device = (struct device){0};
}
