// X.509 for the consortium's TLS: an authority of its own, certificates, requests. Everything is PEM, keys are P-256.
#ifndef PACKTRAIL_TOOLS_ADMIN_X509_H
#define PACKTRAIL_TOOLS_ADMIN_X509_H

#include "common/base/time.h"

#define X509_HOSTS_MAX 16u
#define X509_PEM_MAX ((size_t)64 * 1024)

struct x509_subject {
    const char *common_name; // at most 64 characters, RFC 5280's bound; likewise:
    const char *organization;
    const char *const *hosts; // DNS names (a leading "*." is allowed) and IP addresses
    size_t host_count;        // at most X509_HOSTS_MAX
    pt_millis now;
    unsigned days;
};

// A self-signed authority that may sign end certificates only (path length 0).
enum pt_code x509_make_authority(const struct x509_subject *subject, struct pt_bytes key, struct pt_buf *out,
                                 struct pt_error *err) PT_NODISCARD;

// A certificate for both ends of TLS. public_key: SubjectPublicKeyInfo. It never outlives the authority's.
enum pt_code x509_issue(struct pt_bytes authority, struct pt_bytes authority_key, const struct x509_subject *subject,
                        struct pt_bytes public_key, struct pt_buf *out, struct pt_error *err) PT_NODISCARD;

// A PKCS#10 request, for an authority elsewhere. now and days are not used.
enum pt_code x509_request_make(const struct x509_subject *subject, struct pt_bytes key, struct pt_buf *out,
                               struct pt_error *err) PT_NODISCARD;

// Checks a request's own signature (who sent it holds the key) and gives its public key, SubjectPublicKeyInfo.
// Nothing else that a request asks for is believed.
enum pt_code x509_request_key(struct pt_bytes request, struct pt_buf *public_key, struct pt_error *err) PT_NODISCARD;

// Whether `certificate` is signed by `authority`, in force at `now`, for both ends of TLS, and for `public_key`.
enum pt_code x509_check(struct pt_bytes authority, struct pt_bytes certificate, struct pt_bytes public_key,
                        pt_millis now, struct pt_error *err) PT_NODISCARD;

// Whether it is a certificate of an authority.
enum pt_code x509_check_authority(struct pt_bytes certificate, struct pt_error *err) PT_NODISCARD;

struct x509_info {
    pt_millis not_before, not_after;
    char common_name[65], organization[65];
    char hosts[X509_HOSTS_MAX][254];
    size_t host_count;
};
enum pt_code x509_read(struct pt_bytes certificate, struct x509_info *out, struct pt_error *err) PT_NODISCARD;

#endif
