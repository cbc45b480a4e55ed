// Letting actors in after the genesis, and shutting them out: what an operator signs.
#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/disk.h"
#include "common/base/text.h"
#include "common/chain/enrolment_request.h"
#include "common/cose/statement.h"
#include "tools/admin/admin.h"
#include "tools/admin/arguments.h"
#include "tools/admin/x509.h"

// --- Requests ---

struct incoming {
    struct enrolment_request request;
    struct pt_buf tls_public; // PEM
    struct pt_digest tls;
};

static void incoming_free(struct incoming *incoming) {
    enrolment_request_free(&incoming->request);
    pt_buf_free(&incoming->tls_public);
}

static enum pt_code read_incoming(const char *file, struct incoming *out, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = PT_BUF_INIT(ENROLMENT_REQUEST_MAX);
    PT_CLEANUP(verify_key_cleanup) struct verify_key *key = NULL;
    out->tls_public = PT_BUF_INIT(X509_PEM_MAX);
    enum pt_code code = pt_file_read(file, &bytes, err);
    if (code != PT_OK) return code;
    code = enrolment_request_open(pt_buf_bytes(&bytes), &out->request, err);
    if (code == PT_OK) code = x509_request_key(pt_buf_bytes(&out->request.csr), &out->tls_public, err);
    if (code == PT_OK) code = verify_key_from_pem(pt_buf_bytes(&out->tls_public), &key, err);
    if (code != PT_OK) return pt_error_under(err, "%s ", file);
    out->tls = verify_key_thumbprint(key);
    return PT_OK;
}

enum pt_code admin_inspect(int argc, char **argv, struct pt_error *err) {
    const char *file = NULL;
    const struct argument_word words[] = {{"FILE", &file}, {0}};
    const struct argument arguments[] = {{0}};
    PT_CLEANUP(incoming_free) struct incoming incoming = {0};
    enum pt_code code = arguments_parse(argc, argv, words, arguments, err);
    if (code == PT_OK) code = read_incoming(file, &incoming, err);
    if (code != PT_OK) return code;
    const struct enrolment_request *request = &incoming.request;
    PT_JSON json_t *report = json_pack("{s:s, s:s, s:s, s:s, s:o, s:o}", "label", request->name, "role",
                                       role_name(request->role), "party", request->party, "place", request->place,
                                       "kid", admin_digest(&request->kid), "tls", admin_digest(&incoming.tls));
    return admin_print(report, err);
}

// --- enrol ---

struct enrol_words {
    const char *directory, *operator_name, *url, *out, *request, *actor, *as, *kid, *role, *days, *replaces;
    struct argument_list hosts;
};

static enum pt_code read_kid(const char *option, const char *text, struct pt_digest *out, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf digest = PT_BUF_INIT(PT_DIGEST_SIZE);
    if (pt_hex_decode(pt_bytes_str(text), &digest, NULL) != PT_OK || digest.len != PT_DIGEST_SIZE)
        return pt_fail(err, PT_USAGE, option, "must be a kid of 64 hex digits");
    memcpy(out->bytes, digest.data, PT_DIGEST_SIZE);
    return PT_OK;
}

// The request is only as trustworthy as its way here: the operator can compare the kid with the device's screen, and
// must say so for any role that is more than a device's.
static enum pt_code check_incoming(const struct enrol_words *words, const struct incoming *incoming,
                                   struct pt_error *err) {
    struct pt_digest kid;
    enum actor_role role = ACTOR_DEVICE;
    enum pt_code code = words->role ? role_parse(words->role, &role, err) : PT_OK;
    if (code != PT_OK) return code;
    if (role != incoming->request.role)
        return pt_fail(err, PT_USAGE, "--role", "the request asks to be %s; repeat that with --role if it is meant",
                       role_name(incoming->request.role));
    if (!words->kid) return PT_OK;
    code = read_kid("--kid", words->kid, &kid, err);
    if (code == PT_OK && !pt_digest_equal(&kid, &incoming->request.kid))
        return pt_fail(err, PT_UNVERIFIED, "--kid", "the request comes from another key");
    return code;
}

static enum pt_code write_actor_file(const struct consortium *consortium, const char *name, const char *file,
                                     struct pt_bytes content, struct pt_error *err) {
    char path[PATH_MAX];
    const enum pt_code code = actor_path(consortium, name, file, path, err);
    return code == PT_OK ? pt_file_replace(path, content, 0644, err) : code;
}

static enum pt_code fill_record(const struct enrol_words *words, const struct incoming *incoming, struct actor *actor,
                                struct pt_error *err) {
    const struct enrolment_request *request = &incoming->request;
    actor->role = request->role;
    strcpy(actor->name, request->name);
    strcpy(actor->party, request->party);
    strcpy(actor->place, request->place);
    actor->kid = request->kid;
    actor->tls = incoming->tls;
    actor->key = PT_BUF_INIT(1024);
    pt_buf_append_bytes(&actor->key, pt_buf_bytes(&request->key));
    const enum pt_code code = pt_buf_check(&actor->key, err);
    return code == PT_OK && words->replaces ? read_kid("--replaces", words->replaces, &actor->replaces, err) : code;
}

// Makes the folder of an actor whose keys are elsewhere.
static enum pt_code admit(const struct consortium *consortium, const struct enrol_words *words, const char *name,
                          struct actor *actor, bool *pending, struct pt_error *err) {
    char path[PATH_MAX];
    uint64_t days = 730;
    PT_CLEANUP(incoming_free) struct incoming incoming = {0};
    PT_CLEANUP(actor_free) struct actor present = {0};
    PT_CLEANUP(verify_key_cleanup) struct verify_key *key = NULL;
    PT_CLEANUP(pt_buf_free) struct pt_buf sign_public = PT_BUF_INIT(4096);
    enum pt_code code = words->days ? argument_number("--days", words->days, 1, 36500, &days, err) : PT_OK;
    if (code == PT_OK) code = read_incoming(words->request, &incoming, err);
    if (code == PT_OK) code = check_incoming(words, &incoming, err);
    if (code == PT_OK) code = fill_record(words, &incoming, actor, err);
    if (code != PT_OK) return code;
    code = actor_load(consortium, name, &present, err);
    if (code == PT_OK && !pt_digest_equal(&present.kid, &actor->kid))
        return pt_fail(err, PT_CONFLICT, name, "is there already with another key; choose another name by --as");
    if (code != PT_OK && code != PT_NOT_FOUND) return code;
    code = actor_path(consortium, name, "", path, err);
    if (code == PT_OK) code = make_directory(path, err);
    if (code == PT_OK) code = verify_key_from_cose(pt_buf_bytes(&actor->key), &key, err);
    if (code == PT_OK) code = verify_key_to_pem(key, &sign_public, err);
    if (code == PT_OK) code = write_actor_file(consortium, name, "sign.pub", pt_buf_bytes(&sign_public), err);
    if (code == PT_OK) code = actor_save(consortium, name, actor, err);
    if (code == PT_OK)
        code = admin_certify(consortium, name, words->hosts.values, words->hosts.count, (unsigned)days,
                             pt_buf_bytes(&incoming.tls_public), pt_buf_bytes(&incoming.request.csr), pending, err);
    return code;
}

// Files of a request get a name that the operator gives, or the beginning of the kid.
static enum pt_code choose_name(const struct enrol_words *words, char out[ACTOR_TEXT_MAX + 1], struct pt_error *err) {
    if (words->actor || words->as) {
        snprintf(out, ACTOR_TEXT_MAX + 1, "%s", words->actor ? words->actor : words->as);
        return check_actor_name(out, err);
    }
    PT_CLEANUP(incoming_free) struct incoming incoming = {0};
    const enum pt_code code = read_incoming(words->request, &incoming, err);
    if (code != PT_OK) return code;
    char hex[65];
    pt_digest_hex(&incoming.request.kid, hex);
    snprintf(out, ACTOR_TEXT_MAX + 1, "%.16s", hex);
    return PT_OK;
}

static enum pt_code refuse_founder(const struct consortium *consortium, const struct actor *actor,
                                   struct pt_error *err) {
    PT_CLEANUP(genesis_free) struct genesis genesis = {0};
    const enum pt_code code = consortium_genesis(consortium, &genesis, err);
    if (code != PT_OK) return code;
    for (size_t i = 0; i < genesis.actor_count; i++)
        if (pt_digest_equal(&genesis.actors[i].kid, &actor->kid))
            return pt_fail(err, PT_CONFLICT, actor->name, "is a member by the genesis; nothing to enrol");
    return PT_OK;
}

// A statement about this very record that was signed before is taken again.
static enum pt_code reuse(const struct consortium *consortium, const char *name, struct pt_bytes payload,
                          struct pt_buf *out, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = {0};
    struct statement statement;
    enum pt_code code = actor_read(consortium, name, "enrolment.cose", &bytes, err);
    if (code == PT_OK) code = statement_decode(pt_buf_bytes(&bytes), &statement, err);
    if (code != PT_OK) return code;
    if (!pt_bytes_equal(statement.payload, payload) || !pt_digest_equal(&statement.genesis, &consortium->genesis))
        return PT_NOT_FOUND;
    pt_buf_append_bytes(out, pt_buf_bytes(&bytes));
    return pt_buf_check(out, err);
}

static enum pt_code sign_enrolment(struct own_chain *chain, const char *name, const struct actor *actor,
                                   struct admin_delivery *delivery, struct pt_error *err) {
    char subject[ADMIN_KEY_URI_MAX];
    PT_CLEANUP(pt_buf_free) struct pt_buf payload = PT_BUF_INIT(STATEMENT_MAX);
    enum pt_code code = actor_encode(actor, &payload, err);
    if (code != PT_OK) return code;
    code = reuse(chain->consortium, name, pt_buf_bytes(&payload), &delivery->bytes, err);
    if (code != PT_NOT_FOUND) return code;
    admin_key_uri(&actor->kid, subject);
    code = own_chain_sign(chain, STATEMENT_ENROLMENT, subject, pt_buf_bytes(&payload), &delivery->sequences[0],
                          &delivery->bytes, err);
    if (code != PT_OK) return code;
    delivery->count = 1;
    return write_actor_file(chain->consortium, name, "enrolment.cose", pt_buf_bytes(&delivery->bytes), err);
}

static void delivery_free(struct admin_delivery *delivery) {
    pt_buf_free(&delivery->bytes);
}

static enum pt_code enrol(const struct enrol_words *words, struct pt_error *err) {
    struct consortium consortium;
    char name[ACTOR_TEXT_MAX + 1], path[PATH_MAX];
    bool pending = false;
    PT_CLEANUP(own_chain_close) struct own_chain chain = {.lock = -1};
    PT_CLEANUP(actor_free) struct actor actor = {0};
    PT_CLEANUP(delivery_free)
    struct admin_delivery delivery = {.url = words->url, .file = words->out, .bytes = PT_BUF_INIT(STATEMENT_MAX)};
    enum pt_code code = consortium_open(words->directory, &consortium, err);
    if (code == PT_OK) code = admin_lock(&consortium, err);
    if (code == PT_OK) code = own_chain_open(&consortium, words->operator_name, ACTOR_OPERATOR, &chain, err);
    if (code == PT_OK) code = choose_name(words, name, err);
    if (code == PT_OK)
        code = words->request ? admit(&consortium, words, name, &actor, &pending, err)
                              : actor_load(&consortium, name, &actor, err);
    if (code == PT_OK) code = refuse_founder(&consortium, &actor, err);
    if (code == PT_OK) code = sign_enrolment(&chain, name, &actor, &delivery, err);
    if (code == PT_OK) code = actor_path(&consortium, name, "", path, err);
    if (code != PT_OK) return code;
    const struct pt_digest id = statement_id(pt_buf_bytes(&delivery.bytes));
    PT_JSON json_t *report = json_pack("{s:s, s:s, s:s, s:o, s:s, s:o}", "name", name, "role", role_name(actor.role),
                                       "directory", path, "kid", admin_digest(&actor.kid), "certificate",
                                       pending ? "pending" : "issued", "statement", admin_digest(&id));
    code = admin_deliver(&chain, &delivery, report, err);
    return code == PT_OK ? admin_print(report, err) : code;
}

static enum pt_code check_way(const char *url, const char *out, struct pt_error *err) {
    return url && out ? pt_fail(err, PT_USAGE, "--out", "either --url or --out") : PT_OK;
}

enum pt_code admin_enrol(int argc, char **argv, struct pt_error *err) {
    struct enrol_words given = {0};
    const struct argument_word words[] = {{"DIR", &given.directory}, {0}};
    const struct argument arguments[] = {{"--operator", &given.operator_name, NULL, "who enrols"},
                                         {"--url", &given.url, NULL, NULL},
                                         {"--out", &given.out, NULL, NULL},
                                         {"--request", &given.request, NULL, NULL},
                                         {"--actor", &given.actor, NULL, NULL},
                                         {"--as", &given.as, NULL, NULL},
                                         {"--kid", &given.kid, NULL, NULL},
                                         {"--role", &given.role, NULL, NULL},
                                         {"--days", &given.days, NULL, NULL},
                                         {"--replaces", &given.replaces, NULL, NULL},
                                         {"--host", NULL, &given.hosts, NULL},
                                         {0}};
    enum pt_code code = arguments_parse(argc, argv, words, arguments, err);
    if (code == PT_OK) code = check_way(given.url, given.out, err);
    if (code == PT_OK && !given.request == !given.actor)
        code = pt_fail(err, PT_USAGE, "--request", "exactly one of --request FILE and --actor NAME");
    if (code == PT_OK && given.actor &&
        (given.as || given.kid || given.role || given.days || given.replaces || given.hosts.count))
        code = pt_fail(err, PT_USAGE, "--actor", "goes without --as, --kid, --role, --days, --replaces and --host");
    return code == PT_OK ? enrol(&given, err) : code;
}

// --- revoke ---

static enum pt_code sign_revocation(struct own_chain *chain, const struct revocation *revocation,
                                    struct admin_delivery *delivery, struct pt_error *err) {
    char subject[ADMIN_KEY_URI_MAX];
    PT_CLEANUP(pt_buf_free) struct pt_buf payload = PT_BUF_INIT(STATEMENT_MAX);
    const enum pt_code code = revocation_encode(revocation, &payload, err);
    if (code != PT_OK) return code;
    admin_key_uri(&revocation->kid, subject);
    delivery->count = 1;
    return own_chain_sign(chain, STATEMENT_REVOCATION, subject, pt_buf_bytes(&payload), &delivery->sequences[0],
                          &delivery->bytes, err);
}

enum pt_code admin_revoke(int argc, char **argv, struct pt_error *err) {
    const char *directory = NULL, *operator_name = NULL, *kid = NULL, *last = NULL, *reason = NULL;
    struct consortium consortium;
    struct revocation revocation = {0};
    PT_CLEANUP(own_chain_close) struct own_chain chain = {.lock = -1};
    PT_CLEANUP(delivery_free) struct admin_delivery delivery = {.bytes = PT_BUF_INIT(STATEMENT_MAX)};
    const struct argument_word words[] = {{"DIR", &directory}, {0}};
    const struct argument arguments[] = {
        {"--operator", &operator_name, NULL, "who revokes"},
        {"--kid", &kid, NULL, "the key, 64 hex digits; `show` lists them"},
        {"--last-trusted", &last, NULL, "the sequence of the last statement that is believed"},
        {"--reason", &reason, NULL, "why, for everybody to read"},
        {"--url", &delivery.url, NULL, NULL},
        {"--out", &delivery.file, NULL, NULL},
        {0}};
    enum pt_code code = arguments_parse(argc, argv, words, arguments, err);
    if (code == PT_OK) code = check_way(delivery.url, delivery.file, err);
    if (code == PT_OK) code = read_kid("--kid", kid, &revocation.kid, err);
    if (code == PT_OK)
        code = argument_number("--last-trusted", last, 0, STATEMENT_SEQUENCE_MAX, &revocation.last_trusted, err);
    if (code == PT_OK) code = check_label("--reason", reason, ACTOR_TEXT_MAX, err);
    if (code != PT_OK) return code;
    strcpy(revocation.reason, reason);
    code = consortium_open(directory, &consortium, err);
    if (code == PT_OK) code = own_chain_open(&consortium, operator_name, ACTOR_OPERATOR, &chain, err);
    if (code == PT_OK) code = sign_revocation(&chain, &revocation, &delivery, err);
    if (code != PT_OK) return code;
    const struct pt_digest id = statement_id(pt_buf_bytes(&delivery.bytes));
    PT_JSON json_t *report = json_pack("{s:o, s:I, s:o}", "kid", admin_digest(&revocation.kid), "last_trusted",
                                       (json_int_t)revocation.last_trusted, "statement", admin_digest(&id));
    code = admin_deliver(&chain, &delivery, report, err);
    return code == PT_OK ? admin_print(report, err) : code;
}

// --- send ---

enum pt_code admin_send(int argc, char **argv, struct pt_error *err) {
    const char *directory = NULL, *operator_name = NULL, *company = NULL;
    struct consortium consortium;
    PT_CLEANUP(own_chain_close) struct own_chain chain = {.lock = -1};
    PT_CLEANUP(delivery_free) struct admin_delivery delivery = {0};
    const struct argument_word words[] = {{"DIR", &directory}, {0}};
    const struct argument arguments[] = {{"--operator", &operator_name, NULL, NULL},
                                         {"--company", &company, NULL, NULL},
                                         {"--url", &delivery.url, NULL, "the ledger's or a gateway's address"},
                                         {0}};
    enum pt_code code = arguments_parse(argc, argv, words, arguments, err);
    if (code == PT_OK && !operator_name == !company)
        code = pt_fail(err, PT_USAGE, "--operator", "exactly one of --operator NAME and --company NAME");
    if (code == PT_OK) code = consortium_open(directory, &consortium, err);
    if (code == PT_OK)
        code = own_chain_open(&consortium, company ? company : operator_name, company ? ACTOR_COMPANY : ACTOR_OPERATOR,
                              &chain, err);
    if (code != PT_OK) return code;
    PT_JSON json_t *report = json_object();
    code = admin_deliver(&chain, &delivery, report, err);
    return code == PT_OK ? admin_print(report, err) : code;
}
