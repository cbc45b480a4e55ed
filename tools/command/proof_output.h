// What the proving commands (statement, receipt, merkle) share: reading files and keys, and their one line of answer.
#ifndef PACKTRAIL_TOOLS_COMMAND_PROOF_OUTPUT_H
#define PACKTRAIL_TOOLS_COMMAND_PROOF_OUTPUT_H

#include "common/base/json.h"
#include "common/crypto/signature.h"

#define TRUSTED_KEYS_MAX 64u

// Public keys from one file. Freed by key_set_free.
struct key_set {
    struct verify_key *keys[TRUSTED_KEYS_MAX];
    size_t count;
};

// Reads a whole file, or standard input for "-"; at most out->ceiling bytes.
enum pt_code read_input(const char *path, struct pt_buf *out, struct pt_error *err) PT_NODISCARD;

// Reads keys: PEM (one or more public keys or certificates), a JWK or JWK set, a DER SubjectPublicKeyInfo or a COSE_Key.
// At least one; the first that cannot be used is an error.
enum pt_code key_set_read(const char *path, struct key_set *out, struct pt_error *err) PT_NODISCARD;
void key_set_free(struct key_set *keys);

// Sets members of a JSON object. Text that is not UTF-8 is left out.
void answer_text(json_t *answer, const char *name, struct pt_bytes text);
void answer_hex(json_t *answer, const char *name, struct pt_bytes bytes);
void answer_digest(json_t *answer, const char *name, const struct pt_digest *digest);
void answer_number(json_t *answer, const char *name, uint64_t value);  // exact: past 2^63 - 1 as a text of digits

// Prints {"verified":true, …answer} or {"verified":false,"error",…} as one line; gives the exit status. `answer` is
// released.
int answer_print(const char *command, json_t *answer, enum pt_code code, const struct pt_error *err);

#endif
