// Founding a consortium: what lies in the directory afterwards, and that it stays.
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/cleanup.h"
#include "common/base/disk.h"
#include "common/base/text.h"
#include "common/crypto/digest.h"
#include "tests/unit/tools/admin_cases.h"
#include "tools/admin/x509.h"

static const char *const founders[] = {"gate-1", "maker", "node-1", "op", "phone"};
#define FOUNDERS (sizeof founders / sizeof *founders)

struct place {
    char scratch[256], directory[300];
};

static struct place make_place(void) {
    struct place place;
    test_scratch(place.scratch);
    snprintf(place.directory, sizeof place.directory, "%s/consortium", place.scratch);
    return place;
}

static void place_free(struct place *place) {
    test_scratch_remove(place->scratch);
}

static unsigned mode_of(const char *directory, const char *file) {
    char path[1024];
    struct stat info;
    snprintf(path, sizeof path, "%s/%s", directory, file);
    if (stat(path, &info) != 0) fail_msg("%s is missing", path);
    return info.st_mode & 0777u;
}

static void check_actor_files(const char *directory, const char *name) {
    char file[128];
    struct pt_error err;
    PT_CLEANUP(pt_buf_free) struct pt_buf authority = admin_file(directory, "ca.crt"), tls_public = PT_BUF_INIT(4096);
    PT_CLEANUP(signer_openssl_free) struct signer tls = {0};
    PT_CLEANUP(actor_free) struct actor actor = admin_actor_record(directory, name);
    struct x509_info info;
    const struct pt_env *env = pt_env_system();
    snprintf(file, sizeof file, "actors/%s/tls.key", name);
    assert_int_equal(mode_of(directory, file), 0600);
    PT_CLEANUP(pt_buf_free) struct pt_buf key = admin_file(directory, file);
    assert_non_null(strstr(pt_buf_cstr(&key), "BEGIN PRIVATE KEY"));
    snprintf(file, sizeof file, "actors/%s/tls.crt", name);
    PT_CLEANUP(pt_buf_free) struct pt_buf certificate = admin_file(directory, file);
    assert_ok(signer_openssl_from_pem(pt_buf_bytes(&key), &tls, &err), &err);
    assert_ok(verify_key_to_pem(tls.key, &tls_public, &err), &err);
    assert_ok(x509_check(pt_buf_bytes(&authority), pt_buf_bytes(&certificate), pt_buf_bytes(&tls_public),
                         env->now(env->ctx), &err),
              &err);
    assert_ok(x509_read(pt_buf_bytes(&certificate), &info, &err), &err);
    assert_string_equal(info.common_name, name);
    assert_string_equal(info.organization, "Test consortium");
    const struct pt_digest thumbprint = verify_key_thumbprint(tls.key);
    assert_true(pt_digest_equal(&thumbprint, &actor.tls));
    snprintf(file, sizeof file, "actors/%s/sign.key", name);
    if (actor.role == ACTOR_CLIENT) {
        assert_false(admin_file_is_there(directory, file));
        assert_true(pt_digest_equal(&actor.kid, &actor.tls));
        return;
    }
    assert_int_equal(mode_of(directory, file), 0600);
    assert_false(pt_digest_equal(&actor.kid, &actor.tls));
    snprintf(file, sizeof file, "actors/%s/sign.pub", name);
    PT_CLEANUP(pt_buf_free) struct pt_buf sign_public = admin_file(directory, file);
    PT_CLEANUP(verify_key_cleanup) struct verify_key *sign = NULL;
    assert_ok(verify_key_from_pem(pt_buf_bytes(&sign_public), &sign, &err), &err);
    const struct pt_digest kid = verify_key_thumbprint(sign);
    assert_true(pt_digest_equal(&kid, &actor.kid));
}

static void founded(void **state) {
    (void)state;
    struct pt_error err;
    char hash[65];
    PT_CLEANUP(place_free) struct place place = make_place();
    admin_found(place.directory);
    assert_int_equal(mode_of(place.directory, "."), 0700);
    assert_int_equal(mode_of(place.directory, "ca.key"), 0600);
    for (size_t i = 0; i < FOUNDERS; i++) check_actor_files(place.directory, founders[i]);

    PT_JSON json_t *answer = admin_good("genesis|%s", place.directory);
    assert_true(json_is_true(json_object_get(answer, "made")));
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = admin_file(place.directory, "genesis.cbor");
    PT_CLEANUP(genesis_free) struct genesis genesis = {0};
    assert_ok(genesis_decode(pt_buf_bytes(&bytes), &genesis, &err), &err);
    pt_digest_hex(&genesis.hash, hash);
    assert_string_equal(admin_text(answer, "genesis"), hash);
    assert_string_equal(genesis.name, "Test consortium");
    assert_string_equal(genesis.profile, "cn");
    assert_int_equal(genesis.actor_count, FOUNDERS);
    unsigned found = 0;
    for (size_t i = 0; i < FOUNDERS; i++) {
        PT_CLEANUP(actor_free) struct actor actor = admin_actor_record(place.directory, founders[i]);
        for (size_t k = 0; k < genesis.actor_count; k++)
            found += pt_digest_equal(&genesis.actors[k].kid, &actor.kid) && genesis.actors[k].role == actor.role &&
                     strcmp(genesis.actors[k].name, actor.name) == 0;
    }
    assert_int_equal(found, FOUNDERS);
}

static void hosts_are_in_the_certificate(void **state) {
    (void)state;
    struct pt_error err;
    struct x509_info info;
    PT_CLEANUP(place_free) struct place place = make_place();
    admin_found(place.directory);
    PT_CLEANUP(pt_buf_free) struct pt_buf certificate = admin_file(place.directory, "actors/node-1/tls.crt");
    assert_ok(x509_read(pt_buf_bytes(&certificate), &info, &err), &err);
    assert_int_equal(info.host_count, 2);
    assert_string_equal(info.hosts[0], "localhost");
    assert_string_equal(info.hosts[1], "127.0.0.1");
}

static struct pt_digest digest_of_everything(const char *directory) {
    static const char *const files[] = {"ca.key", "ca.crt", "consortium.json", "genesis.cbor"};
    static const char *const actor_files[] = {"sign.key", "sign.pub", "tls.key", "tls.crt", "actor.cbor"};
    PT_CLEANUP(pt_buf_free) struct pt_buf all = PT_BUF_INIT(1 << 20);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        PT_CLEANUP(pt_buf_free) struct pt_buf content = admin_file(directory, files[i]);
        pt_buf_append_bytes(&all, pt_buf_bytes(&content));
    }
    for (size_t i = 0; i < FOUNDERS; i++)
        for (size_t k = 0; k < sizeof actor_files / sizeof *actor_files; k++) {
            char file[128];
            snprintf(file, sizeof file, "actors/%s/%s", founders[i], actor_files[k]);
            if (!admin_file_is_there(directory, file)) continue;
            PT_CLEANUP(pt_buf_free) struct pt_buf content = admin_file(directory, file);
            pt_buf_append_bytes(&all, pt_buf_bytes(&content));
        }
    assert_int_equal(pt_buf_check(&all, NULL), PT_OK);
    return sha256(pt_buf_bytes(&all));
}

static void doing_it_again_changes_nothing(void **state) {
    (void)state;
    PT_CLEANUP(place_free) struct place place = make_place();
    admin_found(place.directory);
    json_decref(admin_good("genesis|%s", place.directory));
    const struct pt_digest before = digest_of_everything(place.directory);
    admin_found(place.directory);
    PT_JSON json_t *answer = admin_good("genesis|%s", place.directory);
    assert_true(json_is_false(json_object_get(answer, "made")));
    const struct pt_digest after = digest_of_everything(place.directory);
    assert_true(pt_digest_equal(&before, &after));
}

// A crash may have left any first part of an actor's files.
static void half_made_actors_are_completed(void **state) {
    (void)state;
    PT_CLEANUP(place_free) struct place place = make_place();
    admin_found(place.directory);
    PT_CLEANUP(actor_free) struct actor before = admin_actor_record(place.directory, "node-1");
    static const char *const files[] = {"tls.crt", "actor.cbor", "sign.pub"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[1024];
        for (size_t k = 0; k <= i; k++) {
            snprintf(path, sizeof path, "%s/actors/node-1/%s", place.directory, files[k]);
            assert_int_equal(remove(path), 0);
        }
        admin_found(place.directory);
        check_actor_files(place.directory, "node-1");
        PT_CLEANUP(actor_free) struct actor after = admin_actor_record(place.directory, "node-1");
        assert_true(pt_digest_equal(&before.kid, &after.kid));
    }
}

static void wrong_words_are_refused(void **state) {
    (void)state;
    PT_CLEANUP(place_free) struct place place = make_place();
    const char *dir = place.directory;
    admin_bad(2, "there is no command", "found|%s", dir);
    admin_bad(2, "admin init", "actor|%s|a|--role|device|--label|a|--party|a:b", dir);
    admin_bad(2, "--name", "init|%s|--profile|cn", dir);
    admin_bad(2, "must be cn or eu", "init|%s|--name|a|--profile|us", dir);
    admin_bad(2, "1 to 64 bytes", "init|%s|--name|%065d|--profile|cn", dir, 0);
    assert_false(admin_file_is_there(dir, "."));
    admin_bad(2, "DIR", "genesis");
    admin_found(dir);
    admin_bad(1, "already", "init|%s|--name|Other|--profile|cn", dir);
    admin_bad(1, "already", "init|%s|--name|Test consortium|--profile|eu", dir);
    admin_bad(2, "no such option", "init|%s|--nam|x|--profile|cn", dir);
    admin_bad(2, "given twice", "init|%s|--name|x|--name|y|--profile|cn", dir);
    admin_bad(2, "a value must follow", "init|%s|--name", dir);
    admin_bad(2, "too many", "genesis|%s|again", dir);
    admin_bad(2, "--role", "actor|%s|x|--role|chief|--label|a|--party|a:b", dir);
    admin_bad(2, "is not a URI", "actor|%s|x|--role|device|--label|a|--party|nowhere", dir);
    admin_bad(2, "--place", "actor|%s|x|--role|device|--label|a|--party|a:b|--place|a b", dir);
    admin_bad(2, "control characters", "actor|%s|x|--role|device|--label|a\nb|--party|a:b", dir);
    admin_bad(2, "--host", "actor|%s|x|--role|gateway|--label|a|--party|a:b", dir);
    admin_bad(2, "--days", "actor|%s|x|--role|device|--label|a|--party|a:b|--days|0", dir);
    admin_bad(2, "--days", "actor|%s|x|--role|device|--label|a|--party|a:b|--days|12x", dir);
    admin_bad(2, "a name has", "actor|%s|../x|--role|device|--label|a|--party|a:b", dir);
    admin_bad(2, "a name has", "actor|%s|X|--role|device|--label|a|--party|a:b", dir);
    admin_bad(2, "a name has", "actor|%s|.x|--role|device|--label|a|--party|a:b", dir);
    assert_false(admin_file_is_there(dir, "actors/x"));
    admin_bad(1, "neither a host name", "actor|%s|x|--role|gateway|--label|a|--party|a:b|--host|a,b", dir);
    admin_bad(1, "choose another name", "actor|%s|op|--role|operator|--label|Other|--party|urn:packtrail:party:a", dir);
    admin_bad(1, "choose another name", "actor|%s|op|--role|device|--label|Operator|--party|urn:packtrail:party:a",
              dir);
    assert_true(admin_file_is_there(dir, "actors/op/sign.key"));
}

static void genesis_needs_its_roles(void **state) {
    (void)state;
    PT_CLEANUP(place_free) struct place place = make_place();
    const char *dir = place.directory;
    json_decref(admin_good("init|%s|--name|a|--profile|eu", dir));
    admin_bad(2, "executor", "genesis|%s", dir);
    json_decref(admin_good("actor|%s|n|--role|executor|--label|a|--party|a:b|--host|::1", dir));
    admin_bad(2, "operator", "genesis|%s", dir);
    assert_false(admin_file_is_there(dir, "genesis.cbor"));
    json_decref(admin_good("actor|%s|o|--role|operator|--label|a|--party|a:b", dir));
    json_decref(admin_good("genesis|%s", dir));
}

// With the authority elsewhere only requests are made here, and its answers are checked.
static void authority_elsewhere(void **state) {
    (void)state;
    struct pt_error err;
    char path[512];
    PT_CLEANUP(place_free) struct place other = make_place();
    PT_CLEANUP(place_free) struct place place = make_place();
    const char *dir = place.directory;
    admin_found(other.directory);
    json_decref(admin_good("init|%s|--name|a|--profile|eu|--ca-cert|%s/ca.crt", dir, other.directory));
    admin_bad(1, "not the certificate of an authority", "init|%s|--name|a|--profile|eu|--ca-cert|%s/actors/op/tls.crt",
              dir, other.directory);
    assert_false(admin_file_is_there(dir, "ca.key"));
    PT_JSON json_t *answer = admin_good("actor|%s|n|--role|executor|--label|a|--party|a:b|--host|n.example", dir);
    assert_string_equal(admin_text(answer, "certificate"), "pending");
    assert_false(admin_file_is_there(dir, "actors/n/tls.crt"));
    admin_bad(2, "--cert", "renew|%s|n", dir);
    admin_bad(1, "another key", "renew|%s|n|--cert|%s/actors/op/tls.crt", dir, other.directory);

    static const char *const hosts[] = {"n.example"};
    const struct pt_env *env = pt_env_system();
    const struct x509_subject subject = {.common_name = "n",
                                         .organization = "a",
                                         .hosts = hosts,
                                         .host_count = 1,
                                         .now = env->now(env->ctx),
                                         .days = 30};
    PT_CLEANUP(pt_buf_free)
    struct pt_buf request = admin_file(dir, "actors/n/tls.csr"),
                  key = PT_BUF_INIT(4096), authority = admin_file(other.directory, "ca.crt"),
                  authority_key = admin_file(other.directory, "ca.key"), certificate = PT_BUF_INIT(X509_PEM_MAX);
    assert_ok(x509_request_key(pt_buf_bytes(&request), &key, &err), &err);
    assert_ok(x509_issue(pt_buf_bytes(&authority), pt_buf_bytes(&authority_key), &subject, pt_buf_bytes(&key),
                         &certificate, &err),
              &err);
    snprintf(path, sizeof path, "%s/answer.crt", place.scratch);
    assert_ok(pt_file_replace(path, pt_buf_bytes(&certificate), 0644, &err), &err);
    json_decref(admin_good("renew|%s|n|--cert|%s", dir, path));
    PT_CLEANUP(pt_buf_free) struct pt_buf installed = admin_file(dir, "actors/n/tls.crt");
    assert_true(pt_bytes_equal(pt_buf_bytes(&installed), pt_buf_bytes(&certificate)));
}

static void renewal_keeps_key_and_hosts(void **state) {
    (void)state;
    PT_CLEANUP(place_free) struct place place = make_place();
    admin_found(place.directory);
    PT_CLEANUP(pt_buf_free)
    struct pt_buf key = admin_file(place.directory, "actors/node-1/tls.key"),
                  old = admin_file(place.directory, "actors/node-1/tls.crt");
    PT_JSON json_t *answer = admin_good("renew|%s|node-1|--days|30", place.directory);
    const json_t *hosts = json_object_get(json_object_get(answer, "certificate"), "hosts");
    assert_int_equal(json_array_size(hosts), 2);
    PT_CLEANUP(pt_buf_free)
    struct pt_buf key_after = admin_file(place.directory, "actors/node-1/tls.key"),
                  after = admin_file(place.directory, "actors/node-1/tls.crt");
    assert_true(pt_bytes_equal(pt_buf_bytes(&key), pt_buf_bytes(&key_after)));
    assert_false(pt_bytes_equal(pt_buf_bytes(&old), pt_buf_bytes(&after)));
    check_actor_files(place.directory, "node-1");
    PT_JSON json_t *moved = admin_good("renew|%s|node-1|--host|other.example", place.directory);
    const json_t *new_hosts = json_object_get(json_object_get(moved, "certificate"), "hosts");
    assert_int_equal(json_array_size(new_hosts), 1);
    assert_string_equal(json_string_value(json_array_get(new_hosts, 0)), "other.example");
}

static void shown(void **state) {
    (void)state;
    PT_CLEANUP(place_free) struct place place = make_place();
    admin_found(place.directory);
    PT_JSON json_t *before = admin_good("show|%s", place.directory);
    assert_true(json_is_null(json_object_get(before, "genesis")));
    PT_JSON json_t *genesis = admin_good("genesis|%s", place.directory);
    PT_JSON json_t *answer = admin_good("show|%s", place.directory);
    assert_string_equal(admin_text(answer, "profile"), "cn");
    assert_string_equal(admin_text(json_object_get(answer, "genesis"), "hash"), admin_text(genesis, "genesis"));
    const json_t *actors = json_object_get(answer, "actors");
    assert_int_equal(json_array_size(actors), FOUNDERS);
    for (size_t i = 0; i < FOUNDERS; i++) {
        assert_string_equal(admin_text(json_array_get(actors, i), "name"), founders[i]);
        assert_string_equal(admin_text(json_array_get(actors, i), "member"), "genesis");
    }
    assert_string_equal(admin_text(json_array_get(actors, 1), "label"), "制药公司");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(founded),
        cmocka_unit_test(hosts_are_in_the_certificate),
        cmocka_unit_test(doing_it_again_changes_nothing),
        cmocka_unit_test(half_made_actors_are_completed),
        cmocka_unit_test(wrong_words_are_refused),
        cmocka_unit_test(genesis_needs_its_roles),
        cmocka_unit_test(authority_elsewhere),
        cmocka_unit_test(renewal_keeps_key_and_hosts),
        cmocka_unit_test(shown),
    };
    return cmocka_run_group_tests_name("admin: founding", tests, NULL, NULL);
}
