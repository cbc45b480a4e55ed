#include "tools/admin/consortium.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/cleanup.h"
#include "common/base/disk.h"
#include "common/base/json.h"
#include "common/base/text.h"
#include "common/crypto/digest.h"

// --- Paths and files ---

enum pt_code consortium_path(const struct consortium *consortium, const char *file, char out[PATH_MAX],
                             struct pt_error *err) {
    if (snprintf(out, PATH_MAX, "%s/%s", consortium->directory, file) >= PATH_MAX)
        return pt_fail(err, PT_USAGE, consortium->directory, "path too long");
    return PT_OK;
}

enum pt_code actor_path(const struct consortium *consortium, const char *actor, const char *file, char out[PATH_MAX],
                        struct pt_error *err) {
    const char *slash = file[0] ? "/" : "";
    if (snprintf(out, PATH_MAX, "%s/actors/%s%s%s", consortium->directory, actor, slash, file) >= PATH_MAX)
        return pt_fail(err, PT_USAGE, consortium->directory, "path too long");
    return PT_OK;
}

static enum pt_code read_path(const char *path, struct pt_buf *out, struct pt_error *err) {
    pt_buf_free(out);
    pt_buf_init(out, CONSORTIUM_FILE_MAX);
    return pt_file_read(path, out, err);
}

enum pt_code consortium_read(const struct consortium *consortium, const char *file, struct pt_buf *out,
                             struct pt_error *err) {
    char path[PATH_MAX];
    const enum pt_code code = consortium_path(consortium, file, path, err);
    return code == PT_OK ? read_path(path, out, err) : code;
}

enum pt_code actor_read(const struct consortium *consortium, const char *actor, const char *file, struct pt_buf *out,
                        struct pt_error *err) {
    char path[PATH_MAX];
    const enum pt_code code = actor_path(consortium, actor, file, path, err);
    return code == PT_OK ? read_path(path, out, err) : code;
}

void secret_free(struct pt_buf *secret) {
    if (secret->data) explicit_bzero(secret->data, secret->cap);
    pt_buf_free(secret);
}

bool file_exists(const char *path) {
    struct stat info;
    return lstat(path, &info) == 0;
}

enum pt_code make_directory(const char *path, struct pt_error *err) {
    if (mkdir(path, 0700) != 0 && errno != EEXIST) return pt_fail_errno(err, path, "cannot make the directory");
    struct stat info;
    if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode)) return pt_fail(err, PT_USAGE, path, "is not a directory");
    char parent[PATH_MAX];
    if (snprintf(parent, sizeof parent, "%s/..", path) >= PATH_MAX)
        return pt_fail(err, PT_USAGE, path, "path too long");
    PT_CLOSE const int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0) return pt_fail_errno(err, path, "cannot sync the directory around it");
    return PT_OK;
}

// --- Words ---

enum pt_code check_actor_name(const char *name, struct pt_error *err) {
    bool good = name[0] && strlen(name) <= 64 && isalnum((unsigned char)name[0]);
    for (const char *at = name; good && *at; at++)
        good = (*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9') || strchr("-_.", *at);
    if (!good)
        return pt_fail(
            err, PT_USAGE, name,
            "a name has 1 to 64 lower-case letters, digits, '-', '_' or '.', and begins with a letter or digit");
    return PT_OK;
}

enum pt_code check_label(const char *option, const char *text, size_t most, struct pt_error *err) {
    const size_t len = strlen(text);
    bool good = len > 0 && len <= most && pt_utf8_valid(pt_bytes_of(text, len));
    for (const char *at = text; good && *at; at++) good = (unsigned char)*at >= 0x20 && *at != 0x7f;
    if (!good)
        return pt_fail(err, PT_USAGE, option, "must be UTF-8 of 1 to %zu bytes without control characters", most);
    return PT_OK;
}

// RFC 3986: a scheme, a colon, something after it, only its characters. What the URI means is the caller's business.
enum pt_code check_uri(const char *option, const char *text, struct pt_error *err) {
    const char *at = text;
    if (!isalpha((unsigned char)*at)) return pt_fail(err, PT_USAGE, option, "'%s' is not a URI", text);
    while (isalnum((unsigned char)*at) || (*at && strchr("+-.", *at))) at++;
    bool good = at[0] == ':' && at[1] != '\0' && strlen(text) <= ACTOR_TEXT_MAX;
    for (; good && *at; at++) good = isalnum((unsigned char)*at) || strchr("-._~:/?#[]@!$&'()*+,;=%", *at);
    if (!good)
        return pt_fail(err, PT_USAGE, option, "'%s' is not a URI of at most %u characters", text, ACTOR_TEXT_MAX);
    return PT_OK;
}

static const char *const roles[] = {
    [ACTOR_DEVICE] = "device",     [ACTOR_GATEWAY] = "gateway", [ACTOR_EXECUTOR] = "executor",
    [ACTOR_OPERATOR] = "operator", [ACTOR_COMPANY] = "company", [ACTOR_CLIENT] = "client"};

const char *role_name(enum actor_role role) {
    return role >= ACTOR_DEVICE && role <= ACTOR_CLIENT ? roles[role] : "unknown";
}

enum pt_code role_parse(const char *text, enum actor_role *out, struct pt_error *err) {
    for (int role = ACTOR_DEVICE; role <= ACTOR_CLIENT; role++)
        if (strcmp(text, roles[role]) == 0) {
            *out = (enum actor_role)role;
            return PT_OK;
        }
    return pt_fail(err, PT_USAGE, "--role", "must be executor, gateway, device, operator, company or client, not '%s'",
                   text);
}

// --- The consortium ---

static enum pt_code read_settings(struct consortium *out, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf text = {0};
    enum pt_code code = consortium_read(out, "consortium.json", &text, err);
    if (code == PT_NOT_FOUND)
        return pt_fail(err, PT_USAGE, out->directory,
                       "is not a consortium's directory; `packtrail admin init` makes one");
    if (code != PT_OK) return code;
    PT_JSON json_t *settings = NULL;
    code = pt_json_parse(pt_buf_bytes(&text), CONSORTIUM_FILE_MAX, &settings, err);
    if (code != PT_OK) return pt_error_under(err, "%s/consortium.json", out->directory);
    const char *name = json_string_value(json_object_get(settings, "name"));
    const char *profile = json_string_value(json_object_get(settings, "profile"));
    if (!name || !profile || strlen(name) > CONSORTIUM_NAME_MAX || strlen(profile) >= sizeof out->profile)
        return pt_fail(err, PT_INVALID, out->directory, "consortium.json lacks a name or a profile");
    strcpy(out->name, name);
    strcpy(out->profile, profile);
    return PT_OK;
}

enum pt_code consortium_open(const char *directory, struct consortium *out, struct pt_error *err) {
    *out = (struct consortium){.directory = directory};
    PT_CLEANUP(pt_buf_free) struct pt_buf genesis = {0};
    enum pt_code code = read_settings(out, err);
    if (code != PT_OK) return code;
    code = consortium_read(out, "genesis.cbor", &genesis, err);
    if (code == PT_NOT_FOUND) return PT_OK;
    if (code != PT_OK) return code;
    out->has_genesis = true;
    out->genesis = sha256(pt_buf_bytes(&genesis));
    return PT_OK;
}

enum pt_code consortium_genesis(const struct consortium *consortium, struct genesis *out, struct pt_error *err) {
    *out = (struct genesis){0};
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = {0};
    enum pt_code code = consortium_read(consortium, "genesis.cbor", &bytes, err);
    if (code == PT_NOT_FOUND)
        return pt_fail(err, code, consortium->directory, "has no genesis yet; `packtrail admin genesis` makes it");
    if (code != PT_OK) return code;
    code = genesis_decode(pt_buf_bytes(&bytes), out, err);
    if (code != PT_OK) pt_error_under(err, "%s/genesis.cbor ", consortium->directory);
    return code;
}

// --- Actors ---

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void actor_names_free(struct actor_names *names) {
    for (size_t i = 0; i < names->count; i++) free(names->names[i]);
    free(names->names);
    *names = (struct actor_names){NULL, 0};
}

static void close_directory(DIR **directory) {
    if (*directory) closedir(*directory);
}

static enum pt_code add_name(struct actor_names *out, const char *name, struct pt_error *err) {
    char **names = realloc(out->names, (out->count + 1) * sizeof *names);
    if (names) out->names = names;
    char *copy = strdup(name);
    if (!names || !copy) {
        free(copy);
        return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    }
    out->names[out->count++] = copy;
    return PT_OK;
}

enum pt_code actor_names_list(const struct consortium *consortium, struct actor_names *out, struct pt_error *err) {
    *out = (struct actor_names){NULL, 0};
    char path[PATH_MAX];
    enum pt_code code = consortium_path(consortium, "actors", path, err);
    if (code != PT_OK || !file_exists(path)) return code;
    PT_CLEANUP(close_directory) DIR *directory = opendir(path);
    if (!directory) return pt_fail_errno(err, path, "cannot list");
    for (const struct dirent *entry; code == PT_OK && (entry = readdir(directory));) {
        if (check_actor_name(entry->d_name, NULL) != PT_OK) continue;
        code = actor_path(consortium, entry->d_name, "actor.cbor", path, err);
        if (code == PT_OK && file_exists(path)) code = add_name(out, entry->d_name, err);
    }
    if (code != PT_OK) actor_names_free(out);
    else if (out->count > 0) qsort(out->names, out->count, sizeof *out->names, by_name);
    return code;
}

enum pt_code actor_load(const struct consortium *consortium, const char *name, struct actor *out,
                        struct pt_error *err) {
    *out = (struct actor){0};
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = {0};
    enum pt_code code = check_actor_name(name, err);
    if (code == PT_OK) code = actor_read(consortium, name, "actor.cbor", &bytes, err);
    if (code == PT_NOT_FOUND)
        return pt_fail(err, code, name, "there is no such actor; `packtrail admin actor` makes one, `show` lists them");
    if (code != PT_OK) return code;
    code = actor_decode(pt_buf_bytes(&bytes), out, err);
    if (code != PT_OK) pt_error_under(err, "actors/%s/actor.cbor ", name);
    return code;
}

enum pt_code actor_save(const struct consortium *consortium, const char *name, const struct actor *actor,
                        struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = PT_BUF_INIT(CONSORTIUM_FILE_MAX);
    char path[PATH_MAX];
    enum pt_code code = actor_encode(actor, &bytes, err);
    if (code == PT_OK) code = actor_path(consortium, name, "actor.cbor", path, err);
    return code == PT_OK ? pt_file_replace(path, pt_buf_bytes(&bytes), 0644, err) : code;
}

enum pt_code actor_signer(const struct consortium *consortium, const char *name, struct signer *out,
                          struct pt_error *err) {
    PT_CLEANUP(secret_free) struct pt_buf pem = {0};
    enum pt_code code = actor_read(consortium, name, "sign.key", &pem, err);
    if (code == PT_NOT_FOUND)
        return pt_fail(err, code, name, "its sign.key is not here: whoever holds the key must sign");
    return code == PT_OK ? signer_openssl_from_pem(pt_buf_bytes(&pem), out, err) : code;
}
