// The genesis file, from the actors made so far.
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/disk.h"
#include "ledger/contracts/contract.h"
#include "tools/admin/admin.h"
#include "tools/admin/arguments.h"

static int by_kid(const void *a, const void *b) {
    return memcmp(((const struct actor *)a)->kid.bytes, ((const struct actor *)b)->kid.bytes, PT_DIGEST_SIZE);
}

static enum pt_code need_role(const struct genesis *genesis, enum actor_role role, const char *why,
                              struct pt_error *err) {
    for (size_t i = 0; i < genesis->actor_count; i++)
        if (genesis->actors[i].role == role) return PT_OK;
    return pt_fail(err, PT_USAGE, role_name(role), "none is there yet: %s; `packtrail admin actor` makes one", why);
}

static enum pt_code collect(const struct consortium *consortium, struct genesis *genesis, struct pt_error *err) {
    PT_CLEANUP(actor_names_free) struct actor_names names = {0};
    enum pt_code code = actor_names_list(consortium, &names, err);
    if (code != PT_OK) return code;
    genesis->actors = calloc(names.count + 1, sizeof *genesis->actors);
    if (!genesis->actors) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    for (size_t i = 0; code == PT_OK && i < names.count; i++) {
        code = actor_load(consortium, names.names[i], &genesis->actors[i], err);
        if (code == PT_OK) genesis->actor_count++;
    }
    if (code != PT_OK) return code;
    qsort(genesis->actors, genesis->actor_count, sizeof *genesis->actors, by_kid);
    code = need_role(genesis, ACTOR_EXECUTOR, "nobody would run the ledger", err);
    return code == PT_OK ? need_role(genesis, ACTOR_OPERATOR, "nobody could ever enrol a device", err) : code;
}

static enum pt_code make(struct consortium *consortium, uint64_t rule_version, struct pt_error *err) {
    const struct pt_env *env = pt_env_system();
    char path[PATH_MAX];
    PT_CLEANUP(genesis_free) struct genesis genesis = {.rule_version = rule_version, .time = env->now(env->ctx)};
    PT_CLEANUP(genesis_free) struct genesis check = {0};
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = PT_BUF_INIT(CONSORTIUM_FILE_MAX);
    strcpy(genesis.name, consortium->name);
    strcpy(genesis.profile, consortium->profile);
    enum pt_code code = env->random(env->ctx, genesis.salt, sizeof genesis.salt, err);
    if (code == PT_OK) code = collect(consortium, &genesis, err);
    if (code == PT_OK) code = genesis_encode(&genesis, &bytes, err);
    // Read as every node will read it, before it stands for ever.
    if (code == PT_OK) code = genesis_decode(pt_buf_bytes(&bytes), &check, err);
    if (code == PT_OK) code = consortium_path(consortium, "genesis.cbor", path, err);
    if (code == PT_OK) code = pt_file_replace(path, pt_buf_bytes(&bytes), 0644, err);
    consortium->has_genesis = code == PT_OK;
    consortium->genesis = check.hash;
    return code;
}

enum pt_code admin_genesis(int argc, char **argv, struct pt_error *err) {
    const char *directory = NULL;
    const char *rules = NULL;
    uint64_t rule_version = RULE_VERSION_NEWEST;
    const struct argument_word words[] = {{"DIR", &directory}, {0}};
    const struct argument arguments[] = {{"--rule-version", &rules, NULL, NULL}, {0}};
    struct consortium consortium;
    PT_CLEANUP(genesis_free) struct genesis genesis = {0};
    enum pt_code code = arguments_parse(argc, argv, words, arguments, err);
    if (code == PT_OK && rules) code = argument_number("--rule-version", rules, 1, RULE_VERSION_NEWEST, &rule_version, err);
    if (code == PT_OK) code = consortium_open(directory, &consortium, err);
    if (code == PT_OK) code = admin_lock(&consortium, err);
    if (code == PT_OK) code = consortium_open(directory, &consortium, err); // as it is under the lock
    if (code != PT_OK) return code;
    const bool made = !consortium.has_genesis;
    if (made) code = make(&consortium, rule_version, err);
    if (code == PT_OK) code = consortium_genesis(&consortium, &genesis, err);
    if (code != PT_OK) return code;
    PT_JSON json_t *report = json_pack("{s:o, s:b, s:s, s:s, s:o, s:I, s:I}", "genesis", admin_digest(&genesis.hash), "made",
                                       made, "name", genesis.name, "profile", genesis.profile, "time",
                                       admin_time(genesis.time), "actors", (json_int_t)genesis.actor_count, "rule_version", (json_int_t)genesis.rule_version);
    return admin_print(report, err);
}
