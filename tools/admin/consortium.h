// A consortium's directory, as made by `packtrail admin` and read by whoever sets up nodes and terminals:
//
//   consortium.json               {"name", "profile"}
//   ca.crt, ca.key                the TLS authority; ca.key is missing when the authority is elsewhere
//   genesis.cbor                  the genesis file, once made
//   actors/NAME/sign.key, sign.pub  signs statements, blocks or entries; a client has none
//   actors/NAME/tls.key, tls.crt    for HTTPS; tls.csr while an authority elsewhere has not answered
//   actors/NAME/actor.cbor        the encoded actor record
//   actors/NAME/chain.json        an operator's or a company's own statements: next sequence, previous
//   actors/NAME/outbox/N.cose     its statements that no ledger has taken yet
//
// Keys have mode 0600 and are never overwritten.
#ifndef PACKTRAIL_TOOLS_ADMIN_CONSORTIUM_H
#define PACKTRAIL_TOOLS_ADMIN_CONSORTIUM_H

#include <limits.h>

#include "common/chain/actor.h"

#define CONSORTIUM_NAME_MAX 64u // bytes; X.509 allows no more in an organization's name
#define CONSORTIUM_FILE_MAX ((size_t)4 * 1024 * 1024)

struct consortium {
    const char *directory; // the caller's
    char name[CONSORTIUM_NAME_MAX + 1];
    char profile[16];
    bool has_genesis;
    struct pt_digest genesis; // hash, when has_genesis
};

enum pt_code consortium_open(const char *directory, struct consortium *out, struct pt_error *err) PT_NODISCARD;

// A file's path within the directory, actors' files as ("name", "tls.key").
enum pt_code consortium_path(const struct consortium *consortium, const char *file, char out[PATH_MAX],
                             struct pt_error *err) PT_NODISCARD;
enum pt_code actor_path(const struct consortium *consortium, const char *actor, const char *file, char out[PATH_MAX],
                        struct pt_error *err) PT_NODISCARD;

// Whole files; `out` is emptied first and has a ceiling of its own.
enum pt_code consortium_read(const struct consortium *consortium, const char *file, struct pt_buf *out,
                             struct pt_error *err) PT_NODISCARD;
enum pt_code actor_read(const struct consortium *consortium, const char *actor, const char *file, struct pt_buf *out,
                        struct pt_error *err) PT_NODISCARD;

void secret_free(struct pt_buf *secret); // overwrites before it frees: for private keys
bool file_exists(const char *path);
enum pt_code make_directory(const char *path, struct pt_error *err) PT_NODISCARD; // 0700, made durable; may exist

// Lower-case letters, digits, '-', '_' and '.', at most 64, beginning with a letter or digit: a name is a folder's
// name and a certificate's common name.
enum pt_code check_actor_name(const char *name, struct pt_error *err) PT_NODISCARD;
// Text that people read: UTF-8 of 1 to `most` bytes without control characters.
enum pt_code check_label(const char *option, const char *text, size_t most, struct pt_error *err) PT_NODISCARD;
enum pt_code check_uri(const char *option, const char *text, struct pt_error *err) PT_NODISCARD;

const char *role_name(enum actor_role role);
enum pt_code role_parse(const char *text, enum actor_role *out, struct pt_error *err) PT_NODISCARD;

// Names of all actors with a record, sorted. Freed by actor_names_free.
struct actor_names {
    char **names;
    size_t count;
};
enum pt_code actor_names_list(const struct consortium *consortium, struct actor_names *out,
                              struct pt_error *err) PT_NODISCARD;
void actor_names_free(struct actor_names *names);

// The record; PT_NOT_FOUND says how to make one. Freed by actor_free.
enum pt_code actor_load(const struct consortium *consortium, const char *name, struct actor *out,
                        struct pt_error *err) PT_NODISCARD;
enum pt_code actor_save(const struct consortium *consortium, const char *name, const struct actor *actor,
                        struct pt_error *err) PT_NODISCARD;
enum pt_code actor_signer(const struct consortium *consortium, const char *name, struct signer *out,
                          struct pt_error *err) PT_NODISCARD; // freed by signer_openssl_free

// The genesis file decoded; PT_NOT_FOUND if there is none. Freed by genesis_free.
enum pt_code consortium_genesis(const struct consortium *consortium, struct genesis *out,
                                struct pt_error *err) PT_NODISCARD;

#endif
