#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>

#include "common/base/cleanup.h"
#include "common/base/disk.h"
#include "common/base/text.h"
#include "tools/admin/admin.h"
#include "tools/admin/x509.h"

enum pt_code admin_print(const json_t *value, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf line = PT_BUF_INIT(CONSORTIUM_FILE_MAX);
    const enum pt_code code = pt_json_append(&line, value, err);
    if (code != PT_OK) return code;
    if (puts(pt_buf_cstr(&line)) < 0 || fflush(stdout) != 0) return pt_fail_errno(err, NULL, "cannot write");
    return PT_OK;
}

json_t *admin_digest(const struct pt_digest *digest) {
    char hex[65];
    pt_digest_hex(digest, hex);
    return json_string(hex);
}

void admin_key_uri(const struct pt_digest *kid, char out[ADMIN_KEY_URI_MAX]) {
    PT_CLEANUP(pt_buf_free) struct pt_buf text = PT_BUF_INIT(64);
    pt_base64url_append(&text, pt_bytes_digest(kid));
    snprintf(out, ADMIN_KEY_URI_MAX, "urn:ietf:params:oauth:ckt:sha-256:%s", pt_buf_cstr(&text));
}

json_t *admin_time(pt_millis time) {
    PT_CLEANUP(pt_buf_free) struct pt_buf text = PT_BUF_INIT(64);
    const struct pt_instant instant = pt_instant_from_millis(time);
    pt_instant_append(&text, &instant);
    return json_string(pt_buf_cstr(&text));
}

enum pt_code admin_lock(const struct consortium *consortium, struct pt_error *err) {
    char path[PATH_MAX];
    const enum pt_code code = consortium_path(consortium, "admin.lock", path, err);
    if (code != PT_OK) return code;
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return pt_fail_errno(err, path, "cannot open");
    while (flock(fd, LOCK_EX) != 0)
        if (errno != EINTR) return pt_fail_errno(err, path, "cannot lock");
    return PT_OK; // kept open until the process ends
}

// --- Certificates ---

static enum pt_code write_request(const struct consortium *consortium, const char *name,
                                  const struct x509_subject *subject, struct pt_bytes given, struct pt_error *err) {
    char path[PATH_MAX];
    PT_CLEANUP(secret_free) struct pt_buf key = {0};
    PT_CLEANUP(pt_buf_free) struct pt_buf request = PT_BUF_INIT(X509_PEM_MAX);
    enum pt_code code = PT_OK;
    if (given.len > 0) {
        pt_buf_append_bytes(&request, given);
    } else {
        code = actor_read(consortium, name, "tls.key", &key, err);
        if (code == PT_OK) code = x509_request_make(subject, pt_buf_bytes(&key), &request, err);
    }
    if (code == PT_OK) code = actor_path(consortium, name, "tls.csr", path, err);
    return code == PT_OK ? pt_file_replace(path, pt_buf_bytes(&request), 0644, err) : code;
}

static enum pt_code issue(const struct consortium *consortium, const char *name, const struct x509_subject *subject,
                          struct pt_bytes public_key, struct pt_bytes authority_key, struct pt_error *err) {
    char path[PATH_MAX];
    PT_CLEANUP(pt_buf_free) struct pt_buf authority = {0};
    PT_CLEANUP(pt_buf_free) struct pt_buf certificate = PT_BUF_INIT(X509_PEM_MAX);
    enum pt_code code = consortium_read(consortium, "ca.crt", &authority, err);
    if (code == PT_OK)
        code = x509_issue(pt_buf_bytes(&authority), authority_key, subject, public_key, &certificate, err);
    if (code == PT_OK) code = actor_path(consortium, name, "tls.crt", path, err);
    return code == PT_OK ? pt_file_replace(path, pt_buf_bytes(&certificate), 0644, err) : code;
}

enum pt_code admin_certify(const struct consortium *consortium, const char *name, const char *const *hosts,
                           size_t host_count, unsigned days, struct pt_bytes public_key, struct pt_bytes request,
                           bool *pending, struct pt_error *err) {
    char path[PATH_MAX];
    *pending = false;
    enum pt_code code = actor_path(consortium, name, "tls.crt", path, err);
    if (code != PT_OK || file_exists(path)) return code;
    const struct pt_env *env = pt_env_system();
    const struct x509_subject subject = {.common_name = name,
                                         .organization = consortium->name,
                                         .hosts = hosts,
                                         .host_count = host_count,
                                         .now = env->now(env->ctx),
                                         .days = days};
    PT_CLEANUP(secret_free) struct pt_buf authority_key = {0};
    code = consortium_read(consortium, "ca.key", &authority_key, err);
    if (code == PT_OK) return issue(consortium, name, &subject, public_key, pt_buf_bytes(&authority_key), err);
    if (code != PT_NOT_FOUND) return code;
    *pending = true;
    return write_request(consortium, name, &subject, request, err);
}

// --- Delivery ---

enum pt_code admin_deliver(struct own_chain *chain, struct admin_delivery *delivery, json_t *report,
                           struct pt_error *err) {
    enum pt_code code = PT_OK;
    size_t sent = 0, waiting = 0;
    if (delivery->file) {
        code = pt_file_replace(delivery->file, pt_buf_bytes(&delivery->bytes), 0644, err);
        for (size_t i = 0; code == PT_OK && i < delivery->count; i++)
            code = own_chain_handed_out(chain, delivery->sequences[i], err);
        if (code == PT_OK) json_object_set_new(report, "file", json_string(delivery->file));
    } else if (delivery->url) {
        code = own_chain_send(chain, delivery->url, &sent, err);
        if (code == PT_OK) json_object_set_new(report, "sent", json_integer((json_int_t)sent));
    }
    if (code == PT_OK) code = own_chain_waiting(chain, &waiting, err);
    if (code == PT_OK) json_object_set_new(report, "waiting", json_integer((json_int_t)waiting));
    return code;
}
