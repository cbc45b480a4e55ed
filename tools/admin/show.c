// What a consortium's directory holds, and new certificates for keys that stay.
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/disk.h"
#include "common/crypto/signature.h"
#include "tools/admin/admin.h"
#include "tools/admin/arguments.h"
#include "tools/admin/x509.h"

static bool has_file(const struct consortium *consortium, const char *name, const char *file) {
    char path[PATH_MAX];
    return actor_path(consortium, name, file, path, NULL) == PT_OK && file_exists(path);
}

static json_t *describe_certificate(struct pt_bytes pem) {
    struct x509_info info;
    if (x509_read(pem, &info, NULL) != PT_OK) return json_string("unreadable");
    json_t *hosts = json_array();
    for (size_t i = 0; i < info.host_count; i++) json_array_append_new(hosts, json_string(info.hosts[i]));
    return json_pack("{s:s, s:s, s:o, s:o, s:o}", "common_name", info.common_name, "organization", info.organization,
                     "not_before", admin_time(info.not_before), "not_after", admin_time(info.not_after), "hosts",
                     hosts);
}

static bool is_founder(const struct genesis *genesis, const struct actor *actor) {
    for (size_t i = 0; i < genesis->actor_count; i++)
        if (pt_digest_equal(&genesis->actors[i].kid, &actor->kid)) return true;
    return false;
}

static enum pt_code describe_actor(const struct consortium *consortium, const struct genesis *genesis, const char *name,
                                   json_t *list, struct pt_error *err) {
    PT_CLEANUP(actor_free) struct actor actor = {0};
    PT_CLEANUP(pt_buf_free) struct pt_buf certificate = {0};
    const enum pt_code code = actor_load(consortium, name, &actor, err);
    if (code != PT_OK) return code;
    const char *member = is_founder(genesis, &actor)                    ? "genesis"
                         : has_file(consortium, name, "enrolment.cose") ? "enrolment signed"
                                                                        : "no";
    json_t *shown =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:s, s:b}", "name", name, "role", role_name(actor.role), "label",
                  actor.name, "party", actor.party, "place", actor.place, "kid", admin_digest(&actor.kid), "tls",
                  admin_digest(&actor.tls), "member", member, "keys_here", has_file(consortium, name, "tls.key"));
    const bool certified = actor_read(consortium, name, "tls.crt", &certificate, NULL) == PT_OK;
    json_object_set_new(shown, "certificate",
                        certified ? describe_certificate(pt_buf_bytes(&certificate)) : json_null());
    json_array_append_new(list, shown);
    return PT_OK;
}

enum pt_code admin_show(int argc, char **argv, struct pt_error *err) {
    const char *directory = NULL;
    struct consortium consortium;
    const struct argument_word words[] = {{"DIR", &directory}, {0}};
    const struct argument arguments[] = {{0}};
    PT_CLEANUP(genesis_free) struct genesis genesis = {0};
    PT_CLEANUP(actor_names_free) struct actor_names names = {0};
    PT_CLEANUP(pt_buf_free) struct pt_buf authority = {0};
    PT_JSON json_t *actors = json_array(), *report = json_object(), *made = NULL;
    enum pt_code code = arguments_parse(argc, argv, words, arguments, err);
    if (code == PT_OK) code = consortium_open(directory, &consortium, err);
    if (code == PT_OK && consortium.has_genesis) code = consortium_genesis(&consortium, &genesis, err);
    if (code == PT_OK) code = actor_names_list(&consortium, &names, err);
    for (size_t i = 0; code == PT_OK && i < names.count; i++)
        code = describe_actor(&consortium, &genesis, names.names[i], actors, err);
    if (code == PT_OK) code = consortium_read(&consortium, "ca.crt", &authority, err);
    if (code != PT_OK) return code;
    if (consortium.has_genesis)
        made = json_pack("{s:o, s:o, s:I, s:I}", "hash", admin_digest(&genesis.hash), "time", admin_time(genesis.time),
                         "rule_version", (json_int_t)genesis.rule_version, "actors", (json_int_t)genesis.actor_count);
    json_object_set_new(report, "name", json_string(consortium.name));
    json_object_set_new(report, "profile", json_string(consortium.profile));
    json_object_set_new(report, "authority", describe_certificate(pt_buf_bytes(&authority)));
    json_object_set(report, "genesis", made ? made : json_null());
    json_object_set(report, "actors", actors);
    return admin_print(report, err);
}

// --- renew ---

static enum pt_code present_key(const struct consortium *consortium, const char *name, const struct actor *actor,
                                struct pt_buf *public_key, struct pt_error *err) {
    // From the certificate in use, or, before there is one, from the request or the key.
    PT_CLEANUP(secret_free) struct pt_buf pem = {0};
    PT_CLEANUP(signer_openssl_free) struct signer signer = {0};
    PT_CLEANUP(verify_key_cleanup) struct verify_key *key = NULL;
    enum pt_code code = actor_read(consortium, name, "tls.crt", &pem, err);
    if (code == PT_OK) {
        code = verify_key_from_pem(pt_buf_bytes(&pem), &key, err);
        if (code == PT_OK) code = verify_key_to_pem(key, public_key, err);
    } else if (actor_read(consortium, name, "tls.csr", &pem, err) == PT_OK) {
        code = x509_request_key(pt_buf_bytes(&pem), public_key, err);
        if (code == PT_OK) code = verify_key_from_pem(pt_buf_bytes(public_key), &key, err);
    } else {
        code = actor_read(consortium, name, "tls.key", &pem, err);
        if (code == PT_OK) code = signer_openssl_from_pem(pt_buf_bytes(&pem), &signer, err);
        if (code == PT_OK) code = verify_key_to_pem(signer.key, public_key, err);
    }
    if (code != PT_OK) return code;
    const struct pt_digest thumbprint = verify_key_thumbprint(key ? key : signer.key);
    return pt_digest_equal(&thumbprint, &actor->tls)
               ? PT_OK
               : pt_fail(err, PT_CONFLICT, name, "its TLS key is not the one of its record");
}

// The hosts of the certificate in use, unless others are given.
static void keep_hosts(const struct consortium *consortium, const char *name, struct x509_info *present,
                       struct argument_list *hosts) {
    PT_CLEANUP(pt_buf_free) struct pt_buf pem = {0};
    if (hosts->count > 0 || actor_read(consortium, name, "tls.crt", &pem, NULL) != PT_OK ||
        x509_read(pt_buf_bytes(&pem), present, NULL) != PT_OK)
        return;
    for (; hosts->count < present->host_count; hosts->count++)
        hosts->values[hosts->count] = present->hosts[hosts->count];
}

static enum pt_code make_certificate(const struct consortium *consortium, const char *name, struct argument_list *hosts,
                                     unsigned days, struct pt_bytes public_key, struct pt_buf *out,
                                     struct pt_error *err) {
    const struct pt_env *env = pt_env_system();
    struct x509_info present;
    PT_CLEANUP(pt_buf_free) struct pt_buf authority = {0};
    PT_CLEANUP(secret_free) struct pt_buf key = {0};
    keep_hosts(consortium, name, &present, hosts);
    enum pt_code code = consortium_read(consortium, "ca.crt", &authority, err);
    if (code == PT_OK) code = consortium_read(consortium, "ca.key", &key, err);
    if (code == PT_NOT_FOUND)
        return pt_fail(err, PT_USAGE, "--cert",
                       "an option is missing: the authority's key is not here, so its answer must be given");
    if (code != PT_OK) return code;
    const struct x509_subject subject = {.common_name = name,
                                         .organization = consortium->name,
                                         .hosts = hosts->values,
                                         .host_count = hosts->count,
                                         .now = env->now(env->ctx),
                                         .days = days};
    return x509_issue(pt_buf_bytes(&authority), pt_buf_bytes(&key), &subject, public_key, out, err);
}

static enum pt_code install(const struct consortium *consortium, const char *name, struct pt_bytes public_key,
                            struct pt_bytes certificate, struct pt_error *err) {
    const struct pt_env *env = pt_env_system();
    char path[PATH_MAX];
    PT_CLEANUP(pt_buf_free) struct pt_buf authority = {0};
    enum pt_code code = consortium_read(consortium, "ca.crt", &authority, err);
    if (code == PT_OK) code = x509_check(pt_buf_bytes(&authority), certificate, public_key, env->now(env->ctx), err);
    if (code == PT_OK) code = actor_path(consortium, name, "tls.crt", path, err);
    return code == PT_OK ? pt_file_replace(path, certificate, 0644, err) : code;
}

enum pt_code admin_renew(int argc, char **argv, struct pt_error *err) {
    const char *directory = NULL, *name = NULL, *file = NULL, *days_text = NULL;
    struct argument_list hosts = {0};
    struct consortium consortium;
    uint64_t days = 730;
    const struct argument_word words[] = {{"DIR", &directory}, {"NAME", &name}, {0}};
    const struct argument arguments[] = {
        {"--cert", &file, NULL, NULL}, {"--days", &days_text, NULL, NULL}, {"--host", NULL, &hosts, NULL}, {0}};
    PT_CLEANUP(actor_free) struct actor actor = {0};
    PT_CLEANUP(pt_buf_free) struct pt_buf public_key = PT_BUF_INIT(4096), certificate = PT_BUF_INIT(X509_PEM_MAX);
    enum pt_code code = arguments_parse(argc, argv, words, arguments, err);
    if (code == PT_OK && days_text) code = argument_number("--days", days_text, 1, 36500, &days, err);
    if (code == PT_OK) code = consortium_open(directory, &consortium, err);
    if (code == PT_OK) code = admin_lock(&consortium, err);
    if (code == PT_OK) code = actor_load(&consortium, name, &actor, err);
    if (code == PT_OK) code = present_key(&consortium, name, &actor, &public_key, err);
    if (code == PT_OK)
        code = file ? pt_file_read(file, &certificate, err)
                    : make_certificate(&consortium, name, &hosts, (unsigned)days, pt_buf_bytes(&public_key),
                                       &certificate, err);
    if (code == PT_OK) code = install(&consortium, name, pt_buf_bytes(&public_key), pt_buf_bytes(&certificate), err);
    if (code != PT_OK) return code;
    PT_JSON json_t *report =
        json_pack("{s:s, s:o}", "name", name, "certificate", describe_certificate(pt_buf_bytes(&certificate)));
    return admin_print(report, err);
}
