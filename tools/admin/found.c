// Founding a consortium: its directory and TLS authority, its first actors, its genesis.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/disk.h"
#include "common/base/text.h"
#include "tools/admin/admin.h"
#include "tools/admin/arguments.h"
#include "tools/admin/x509.h"

#define AUTHORITY_DAYS 7305u // 20 years: devices outlive servers, and the chain, not the date, decides who may speak
#define CERTIFICATE_DAYS 730u

// A key that is there stays; otherwise one is made. The PEM comes out.
static enum pt_code ensure_key(const char *path, struct pt_buf *pem, struct pt_error *err) {
    enum pt_code code = PT_OK;
    if (file_exists(path)) {
        pt_buf_init(pem, X509_PEM_MAX);
        return pt_file_read(path, pem, err);
    }
    pt_buf_init(pem, X509_PEM_MAX);
    code = signer_openssl_generate(pem, err);
    return code == PT_OK ? pt_file_replace(path, pt_buf_bytes(pem), 0600, err) : code;
}

// --- init ---

static enum pt_code write_settings(const struct consortium *consortium, struct pt_error *err) {
    char path[PATH_MAX];
    PT_CLEANUP(pt_buf_free) struct pt_buf text = PT_BUF_INIT(4096);
    PT_JSON json_t *settings = json_pack("{s:s, s:s}", "name", consortium->name, "profile", consortium->profile);
    enum pt_code code = consortium_path(consortium, "consortium.json", path, err);
    if (code == PT_OK) code = pt_json_append(&text, settings, err);
    pt_buf_byte(&text, '\n');
    return code == PT_OK ? pt_file_replace(path, pt_buf_bytes(&text), 0644, err) : code;
}

static enum pt_code make_authority(const struct consortium *consortium, struct pt_error *err) {
    char key_path[PATH_MAX], path[PATH_MAX];
    PT_CLEANUP(secret_free) struct pt_buf key = {0};
    PT_CLEANUP(pt_buf_free) struct pt_buf certificate = PT_BUF_INIT(X509_PEM_MAX);
    enum pt_code code = consortium_path(consortium, "ca.key", key_path, err);
    if (code == PT_OK) code = consortium_path(consortium, "ca.crt", path, err);
    if (code != PT_OK || file_exists(path)) return code;
    code = ensure_key(key_path, &key, err);
    if (code != PT_OK) return code;
    const struct pt_env *env = pt_env_system();
    const struct x509_subject subject = {.common_name = "TLS authority",
                                         .organization = consortium->name,
                                         .now = env->now(env->ctx),
                                         .days = AUTHORITY_DAYS};
    code = x509_make_authority(&subject, pt_buf_bytes(&key), &certificate, err);
    return code == PT_OK ? pt_file_replace(path, pt_buf_bytes(&certificate), 0644, err) : code;
}

// An authority elsewhere: only its certificate is here.
static enum pt_code take_authority(const struct consortium *consortium, const char *file, struct pt_error *err) {
    char path[PATH_MAX];
    PT_CLEANUP(pt_buf_free) struct pt_buf certificate = PT_BUF_INIT(X509_PEM_MAX), present = {0};
    enum pt_code code = pt_file_read(file, &certificate, err);
    if (code == PT_OK) code = x509_check_authority(pt_buf_bytes(&certificate), err);
    if (code == PT_OK) code = consortium_path(consortium, "ca.crt", path, err);
    if (code != PT_OK) return code;
    if (file_exists(path)) {
        code = consortium_read(consortium, "ca.crt", &present, err);
        if (code == PT_OK && !pt_bytes_equal(pt_buf_bytes(&present), pt_buf_bytes(&certificate)))
            code = pt_fail(err, PT_CONFLICT, path, "another authority's certificate is there already");
        return code;
    }
    return pt_file_replace(path, pt_buf_bytes(&certificate), 0644, err);
}

static enum pt_code check_same(const char *directory, const char *name, const char *profile, struct pt_error *err) {
    struct consortium present;
    const enum pt_code code = consortium_open(directory, &present, err);
    if (code != PT_OK) return code;
    if (strcmp(present.name, name) != 0 || strcmp(present.profile, profile) != 0)
        return pt_fail(err, PT_CONFLICT, directory, "holds the consortium '%s' with profile %s already", present.name,
                       present.profile);
    return PT_OK;
}

static enum pt_code check_init(const char *name, const char *profile, struct pt_error *err) {
    const enum pt_code code = check_label("--name", name, CONSORTIUM_NAME_MAX, err);
    if (code != PT_OK) return code;
    if (strcmp(profile, "cn") != 0 && strcmp(profile, "eu") != 0)
        return pt_fail(err, PT_USAGE, "--profile", "must be cn or eu, not '%s'", profile);
    return PT_OK;
}

enum pt_code admin_init(int argc, char **argv, struct pt_error *err) {
    const char *directory = NULL, *name = NULL, *profile = NULL, *authority = NULL;
    const struct argument_word words[] = {{"DIR", &directory}, {0}};
    const struct argument arguments[] = {{"--name", &name, NULL, "the consortium's name"},
                                         {"--profile", &profile, NULL, "the rules it follows, cn or eu"},
                                         {"--ca-cert", &authority, NULL, NULL},
                                         {0}};
    enum pt_code code = arguments_parse(argc, argv, words, arguments, err);
    if (code == PT_OK) code = check_init(name, profile, err);
    if (code == PT_OK) code = make_directory(directory, err);
    if (code != PT_OK) return code;
    struct consortium consortium = {.directory = directory};
    char path[PATH_MAX];
    strcpy(consortium.name, name);
    strcpy(consortium.profile, profile);
    code = admin_lock(&consortium, err);
    if (code == PT_OK) code = consortium_path(&consortium, "consortium.json", path, err);
    if (code == PT_OK)
        code = file_exists(path) ? check_same(directory, name, profile, err) : write_settings(&consortium, err);
    if (code == PT_OK)
        code = authority ? take_authority(&consortium, authority, err) : make_authority(&consortium, err);
    if (code == PT_OK) code = consortium_path(&consortium, "actors", path, err);
    if (code == PT_OK) code = make_directory(path, err);
    if (code != PT_OK) return code;
    PT_JSON json_t *report = json_pack("{s:s, s:s, s:s}", "directory", directory, "name", name, "profile", profile);
    return admin_print(report, err);
}

// --- actor ---

struct actor_words {
    const char *directory, *name, *role, *label, *party, *place, *days, *replaces;
    struct argument_list hosts;
};

static enum pt_code public_half(struct pt_bytes key_pem, struct actor *actor, bool signs, struct pt_buf *pem,
                                struct pt_error *err) {
    PT_CLEANUP(signer_openssl_free) struct signer signer = {0};
    enum pt_code code = signer_openssl_from_pem(key_pem, &signer, err);
    if (code != PT_OK) return code;
    const struct pt_digest thumbprint = verify_key_thumbprint(signer.key);
    if (signs) {
        actor->kid = thumbprint;
        actor->key = PT_BUF_INIT(1024);
        verify_key_to_cose(signer.key, &actor->key);
        code = pt_buf_check(&actor->key, err);
    } else {
        actor->tls = thumbprint;
    }
    return code == PT_OK ? verify_key_to_pem(signer.key, pem, err) : code;
}

// Fills in the keys' part of the record; tls_public is the TLS key's public half.
static enum pt_code make_keys(const struct consortium *consortium, const char *name, struct actor *actor,
                              struct pt_buf *tls_public, struct pt_error *err) {
    char path[PATH_MAX];
    PT_CLEANUP(secret_free) struct pt_buf sign = {0}, tls = {0};
    PT_CLEANUP(pt_buf_free) struct pt_buf sign_public = PT_BUF_INIT(4096), again = PT_BUF_INIT(4096);
    enum pt_code code = actor_path(consortium, name, "tls.key", path, err);
    if (code == PT_OK) code = ensure_key(path, &tls, err);
    if (code == PT_OK) code = public_half(pt_buf_bytes(&tls), actor, false, tls_public, err);
    if (code != PT_OK) return code;
    // Who only reads signs nothing: its TLS key is its only one.
    if (actor->role == ACTOR_CLIENT) return public_half(pt_buf_bytes(&tls), actor, true, &again, err);
    code = actor_path(consortium, name, "sign.key", path, err);
    if (code == PT_OK) code = ensure_key(path, &sign, err);
    if (code == PT_OK) code = public_half(pt_buf_bytes(&sign), actor, true, &sign_public, err);
    if (code == PT_OK) code = actor_path(consortium, name, "sign.pub", path, err);
    return code == PT_OK ? pt_file_replace(path, pt_buf_bytes(&sign_public), 0644, err) : code;
}

static enum pt_code fill_record(const struct actor_words *words, struct actor *actor, struct pt_error *err) {
    enum pt_code code = check_actor_name(words->name, err);
    if (code == PT_OK) code = role_parse(words->role, &actor->role, err);
    if (code == PT_OK) code = check_uri("--party", words->party, err);
    if (code == PT_OK && words->place) code = check_uri("--place", words->place, err);
    if (code == PT_OK) code = check_label("--label", words->label, ACTOR_TEXT_MAX, err);
    if (code != PT_OK) return code;
    if ((actor->role == ACTOR_GATEWAY || actor->role == ACTOR_EXECUTOR) && words->hosts.count == 0)
        return pt_fail(err, PT_USAGE, "--host",
                       "an option is missing: a %s is a server, and others check its name or address",
                       role_name(actor->role));
    strcpy(actor->name, words->label);
    strcpy(actor->party, words->party);
    strcpy(actor->place, words->place ? words->place : "");
    if (!words->replaces) return PT_OK;
    PT_CLEANUP(pt_buf_free) struct pt_buf digest = PT_BUF_INIT(PT_DIGEST_SIZE);
    if (pt_hex_decode(pt_bytes_str(words->replaces), &digest, NULL) != PT_OK || digest.len != PT_DIGEST_SIZE)
        return pt_fail(err, PT_USAGE, "--replaces", "must be a kid of 64 hex digits");
    memcpy(actor->replaces.bytes, digest.data, PT_DIGEST_SIZE);
    return PT_OK;
}

// Before any key is made: a name stands for the same actor for ever.
static enum pt_code check_present(const struct consortium *consortium, const char *name, const struct actor *actor,
                                  struct pt_error *err) {
    PT_CLEANUP(actor_free) struct actor present = {0};
    const enum pt_code code = actor_load(consortium, name, &present, err);
    if (code == PT_NOT_FOUND) return PT_OK;
    if (code == PT_OK && (present.role != actor->role || strcmp(present.name, actor->name) != 0 ||
                          strcmp(present.party, actor->party) != 0 || strcmp(present.place, actor->place) != 0 ||
                          !pt_digest_equal(&present.replaces, &actor->replaces)))
        return pt_fail(err, PT_CONFLICT, name, "is there already as %s '%s' of %s; choose another name",
                       role_name(present.role), present.name, present.party);
    return code;
}

static enum pt_code save_record(const struct consortium *consortium, const char *name, const struct actor *actor,
                                struct pt_error *err) {
    PT_CLEANUP(actor_free) struct actor present = {0};
    const enum pt_code code = actor_load(consortium, name, &present, err);
    if (code == PT_NOT_FOUND) return actor_save(consortium, name, actor, err);
    if (code == PT_OK && (!pt_digest_equal(&present.kid, &actor->kid) || !pt_digest_equal(&present.tls, &actor->tls)))
        return pt_fail(err, PT_CONFLICT, name, "its keys are not those of its record");
    return code;
}

static enum pt_code report_actor(const struct consortium *consortium, const struct actor_words *words,
                                 const struct actor *actor, bool pending, struct pt_error *err) {
    char path[PATH_MAX];
    const enum pt_code code = actor_path(consortium, words->name, "", path, err);
    if (code != PT_OK) return code;
    PT_JSON json_t *report =
        json_pack("{s:s, s:s, s:s, s:o, s:o, s:s, s:s}", "name", words->name, "role", role_name(actor->role),
                  "directory", path, "kid", admin_digest(&actor->kid), "tls", admin_digest(&actor->tls), "certificate",
                  pending ? "pending" : "issued", "next",
                  pending                   ? "certificate"
                  : consortium->has_genesis ? "enrol"
                                            : "genesis");
    return admin_print(report, err);
}

static enum pt_code make_actor(const struct actor_words *words, struct pt_error *err) {
    struct consortium consortium;
    char path[PATH_MAX];
    uint64_t days = CERTIFICATE_DAYS;
    bool pending = false;
    PT_CLEANUP(actor_free) struct actor actor = {0};
    PT_CLEANUP(pt_buf_free) struct pt_buf tls_public = PT_BUF_INIT(4096);
    enum pt_code code = consortium_open(words->directory, &consortium, err);
    if (code == PT_OK && words->days) code = argument_number("--days", words->days, 1, 36500, &days, err);
    if (code == PT_OK) code = fill_record(words, &actor, err);
    if (code == PT_OK) code = admin_lock(&consortium, err);
    if (code == PT_OK) code = check_present(&consortium, words->name, &actor, err);
    if (code == PT_OK) code = actor_path(&consortium, words->name, "", path, err);
    if (code == PT_OK) code = make_directory(path, err);
    if (code == PT_OK) code = make_keys(&consortium, words->name, &actor, &tls_public, err);
    if (code == PT_OK) code = save_record(&consortium, words->name, &actor, err);
    if (code == PT_OK)
        code = admin_certify(&consortium, words->name, words->hosts.values, words->hosts.count, (unsigned)days,
                             pt_buf_bytes(&tls_public), (struct pt_bytes){NULL, 0}, &pending, err);
    return code == PT_OK ? report_actor(&consortium, words, &actor, pending, err) : code;
}

enum pt_code admin_actor(int argc, char **argv, struct pt_error *err) {
    struct actor_words given = {0};
    const struct argument_word words[] = {{"DIR", &given.directory}, {"NAME", &given.name}, {0}};
    const struct argument arguments[] = {
        {"--role", &given.role, NULL, "executor, gateway, device, operator, company or client"},
        {"--label", &given.label, NULL, "what people read, as \"Gateway, Shanghai cold store\""},
        {"--party", &given.party, NULL, "the URI of the party it belongs to"},
        {"--place", &given.place, NULL, NULL},
        {"--days", &given.days, NULL, NULL},
        {"--replaces", &given.replaces, NULL, NULL},
        {"--host", NULL, &given.hosts, NULL},
        {0}};
    const enum pt_code code = arguments_parse(argc, argv, words, arguments, err);
    return code == PT_OK ? make_actor(&given, err) : code;
}
