#include "tools/admin/own_chain.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#include "common/base/cleanup.h"
#include "common/base/disk.h"
#include "common/base/json.h"
#include "common/base/text.h"
#include "common/cose/statement.h"
#include "common/net/https_client.h"
#include "common/wire/wire.h"

// Of one request, below what a server takes (WIRE_MAX_STATEMENTS, WIRE_MAX_BODY, a block's size).
#define SEND_AT_ONCE ((size_t)128)
#define SEND_BYTES ((size_t)256 * 1024)
#define ANSWER_MAX ((size_t)64 * 1024 * 1024)  // evidence is the largest

// --- The chain's state ---

static enum pt_code save_state(const struct own_chain *chain, struct pt_error *err) {
    char path[PATH_MAX], previous[65], text[160];
    pt_digest_hex(&chain->previous, previous);
    snprintf(text, sizeof text, "{\"sequence\":%llu,\"previous\":\"%s\"}\n", (unsigned long long)chain->sequence,
             previous);
    const enum pt_code code = actor_path(chain->consortium, chain->actor, "chain.json", path, err);
    return code == PT_OK ? pt_file_replace(path, pt_bytes_str(text), 0600, err) : code;
}

static enum pt_code load_state(struct own_chain *chain, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf text = {0};
    enum pt_code code = actor_read(chain->consortium, chain->actor, "chain.json", &text, err);
    if (code == PT_NOT_FOUND) return PT_OK; // nothing said so far
    if (code != PT_OK) return code;
    PT_JSON json_t *state = NULL;
    code = pt_json_parse(pt_buf_bytes(&text), CONSORTIUM_FILE_MAX, &state, err);
    if (code != PT_OK) return pt_error_under(err, "actors/%s/chain.json", chain->actor);
    const json_t *sequence = json_object_get(state, "sequence");
    const char *previous = json_string_value(json_object_get(state, "previous"));
    PT_CLEANUP(pt_buf_free) struct pt_buf digest = PT_BUF_INIT(PT_DIGEST_SIZE);
    if (!json_is_integer(sequence) || json_integer_value(sequence) < 0 || !previous ||
        pt_hex_decode(pt_bytes_str(previous), &digest, NULL) != PT_OK || digest.len != PT_DIGEST_SIZE)
        return pt_fail(err, PT_INVALID, chain->actor, "its chain.json is damaged");
    chain->sequence = (uint64_t)json_integer_value(sequence);
    memcpy(chain->previous.bytes, digest.data, PT_DIGEST_SIZE);
    return PT_OK;
}

// --- The outbox ---

static enum pt_code box_path(const struct own_chain *chain, const char *box, uint64_t sequence, char out[PATH_MAX],
                             struct pt_error *err) {
    char file[64];
    snprintf(file, sizeof file, "%s/%llu.cose", box, (unsigned long long)sequence);
    return actor_path(chain->consortium, chain->actor, file, out, err);
}

static int by_number(const void *a, const void *b) {
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void close_directory(DIR **directory) {
    if (*directory) closedir(*directory);
}

// The sequences in the outbox in order; freed by free.
static enum pt_code list_outbox(const struct own_chain *chain, uint64_t **out, size_t *count, struct pt_error *err) {
    char path[PATH_MAX];
    *out = NULL;
    *count = 0;
    enum pt_code code = actor_path(chain->consortium, chain->actor, "outbox", path, err);
    if (code != PT_OK || !file_exists(path)) return code;
    PT_CLEANUP(close_directory) DIR *directory = opendir(path);
    if (!directory) return pt_fail_errno(err, path, "cannot list");
    for (const struct dirent *entry; (entry = readdir(directory));) {
        unsigned long long number = 0;
        int used = 0;
        if (sscanf(entry->d_name, "%llu.cose%n", &number, &used) != 1 || entry->d_name[used] || used == 0) continue;
        uint64_t *more = realloc(*out, (*count + 1) * sizeof *more);
        if (!more) {
            free(*out);
            *out = NULL;
            return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
        }
        *out = more;
        (*out)[(*count)++] = number;
    }
    if (*count) qsort(*out, *count, sizeof **out, by_number);
    return PT_OK;
}

static enum pt_code read_box(const struct own_chain *chain, uint64_t sequence, struct pt_buf *out,
                             struct pt_error *err) {
    char path[PATH_MAX];
    pt_buf_free(out);
    pt_buf_init(out, STATEMENT_MAX);
    const enum pt_code code = box_path(chain, "outbox", sequence, path, err);
    return code == PT_OK ? pt_file_read(path, out, err) : code;
}

static enum pt_code move_on(struct own_chain *chain, struct pt_bytes statement, struct pt_error *err) {
    chain->previous = statement_id(statement);
    chain->sequence++;
    return save_state(chain, err);
}

// A crash after a statement was put into the outbox and before the chain moved on: it does now.
static enum pt_code adopt(struct own_chain *chain, struct pt_error *err) {
    char path[PATH_MAX];
    enum pt_code code = box_path(chain, "outbox", chain->sequence, path, err);
    if (code != PT_OK || !file_exists(path)) return code;
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = {0};
    struct statement statement;
    code = read_box(chain, chain->sequence, &bytes, err);
    if (code == PT_OK) code = statement_decode(pt_buf_bytes(&bytes), &statement, err);
    if (code == PT_OK) code = statement_verify(&statement, chain->signer.key, &chain->consortium->genesis, err);
    if (code == PT_OK &&
        (statement.sequence != chain->sequence || !pt_digest_equal(&statement.previous, &chain->previous)))
        code = pt_fail(err, PT_CONFLICT, path, "does not follow the chain in chain.json; was a backup put back?");
    return code == PT_OK ? move_on(chain, pt_buf_bytes(&bytes), err) : code;
}

enum pt_code own_chain_waiting(const struct own_chain *chain, size_t *out, struct pt_error *err) {
    PT_FREE uint64_t *sequences = NULL;
    return list_outbox(chain, &sequences, out, err);
}

// --- Opening ---

static enum pt_code take_lock(struct own_chain *chain, struct pt_error *err) {
    char path[PATH_MAX];
    const enum pt_code code = actor_path(chain->consortium, chain->actor, "chain.lock", path, err);
    if (code != PT_OK) return code;
    chain->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (chain->lock < 0) return pt_fail_errno(err, path, "cannot open");
    if (flock(chain->lock, LOCK_EX | LOCK_NB) == 0) return PT_OK;
    if (errno != EWOULDBLOCK) return pt_fail_errno(err, path, "cannot lock");
    return pt_fail(err, PT_UNAVAILABLE, chain->actor, "another command is signing with this key just now");
}

static enum pt_code check_actor(struct own_chain *chain, enum actor_role role, struct pt_error *err) {
    PT_CLEANUP(actor_free) struct actor actor = {0};
    enum pt_code code = actor_load(chain->consortium, chain->actor, &actor, err);
    if (code != PT_OK) return code;
    if (actor.role != role)
        return pt_fail(err, PT_USAGE, chain->actor, "is %s, not %s", role_name(actor.role), role_name(role));
    snprintf(chain->party, sizeof chain->party, "%s", actor.party);
    code = actor_signer(chain->consortium, chain->actor, &chain->signer, err);
    if (code != PT_OK) return code;
    const struct pt_digest kid = verify_key_thumbprint(chain->signer.key);
    if (!pt_digest_equal(&kid, &actor.kid))
        return pt_fail(err, PT_CONFLICT, chain->actor, "its sign.key is not the key of its record");
    return PT_OK;
}

enum pt_code own_chain_open(const struct consortium *consortium, const char *actor, enum actor_role role,
                            struct own_chain *out, struct pt_error *err) {
    *out = (struct own_chain){.consortium = consortium, .actor = actor, .lock = -1};
    if (!consortium->has_genesis)
        return pt_fail(err, PT_USAGE, consortium->directory, "has no genesis yet; `packtrail admin genesis` makes it");
    enum pt_code code = check_actor(out, role, err);
    if (code == PT_OK) code = take_lock(out, err);
    if (code == PT_OK) code = load_state(out, err);
    if (code == PT_OK) code = adopt(out, err);
    if (code != PT_OK) own_chain_close(out);
    return code;
}

void own_chain_close(struct own_chain *chain) {
    if (!chain->consortium) return;
    if (chain->lock >= 0) close(chain->lock);
    signer_openssl_free(&chain->signer);
    *chain = (struct own_chain){.lock = -1};
}

// --- Signing ---

// PT_NOT_FOUND if nothing in the outbox says the same.
static enum pt_code find_same(const struct own_chain *chain, const char *content_type, struct pt_bytes payload,
                              uint64_t *sequence, struct pt_buf *bytes, struct pt_error *err) {
    PT_FREE uint64_t *sequences = NULL;
    size_t count = 0;
    enum pt_code code = list_outbox(chain, &sequences, &count, err);
    for (size_t i = 0; code == PT_OK && i < count; i++) {
        struct statement statement;
        code = read_box(chain, sequences[i], bytes, err);
        if (code == PT_OK) code = statement_decode(pt_buf_bytes(bytes), &statement, err);
        if (code == PT_OK && pt_bytes_equal(statement.content_type, pt_bytes_str(content_type)) &&
            pt_bytes_equal(statement.payload, payload)) {
            *sequence = sequences[i];
            return PT_OK;
        }
    }
    return code == PT_OK ? PT_NOT_FOUND : code;
}

static enum pt_code put_into_outbox(const struct own_chain *chain, struct pt_bytes statement, struct pt_error *err) {
    char path[PATH_MAX];
    enum pt_code code = actor_path(chain->consortium, chain->actor, "outbox", path, err);
    if (code == PT_OK) code = make_directory(path, err);
    if (code == PT_OK) code = box_path(chain, "outbox", chain->sequence, path, err);
    return code == PT_OK ? pt_file_replace(path, statement, 0600, err) : code;
}

enum pt_code own_chain_sign(struct own_chain *chain, const char *content_type, const char *subject,
                            struct pt_bytes payload, uint64_t *sequence, struct pt_buf *out, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = {0};
    enum pt_code code = find_same(chain, content_type, payload, sequence, &bytes, err);
    if (code == PT_NOT_FOUND) {
        const struct statement_draft draft = {.content_type = content_type,
                                              .issuer = chain->party,
                                              .subject = subject,
                                              .genesis = chain->consortium->genesis,
                                              .sequence = chain->sequence,
                                              .previous = chain->previous,
                                              .payload = payload};
        pt_buf_free(&bytes);
        pt_buf_init(&bytes, STATEMENT_MAX);
        *sequence = chain->sequence;
        code = statement_sign(&draft, &chain->signer, &bytes, err);
        if (code == PT_OK) code = put_into_outbox(chain, pt_buf_bytes(&bytes), err);
        if (code == PT_OK) code = move_on(chain, pt_buf_bytes(&bytes), err);
    }
    if (code != PT_OK) return code;
    pt_buf_append_bytes(out, pt_buf_bytes(&bytes));
    return pt_buf_check(out, err);
}

enum pt_code own_chain_handed_out(struct own_chain *chain, uint64_t sequence, struct pt_error *err) {
    char path[PATH_MAX];
    const enum pt_code code = box_path(chain, "outbox", sequence, path, err);
    if (code != PT_OK) return code;
    if (unlink(path) != 0 && errno != ENOENT) return pt_fail_errno(err, path, "cannot remove");
    return PT_OK;
}

// --- Sending ---

static enum pt_code refuse(struct own_chain *chain, uint64_t sequence, const char *reason, struct pt_error *err) {
    char from[PATH_MAX], to[PATH_MAX];
    enum pt_code code = actor_path(chain->consortium, chain->actor, "refused", to, err);
    if (code == PT_OK) code = make_directory(to, err);
    if (code == PT_OK) code = box_path(chain, "outbox", sequence, from, err);
    if (code == PT_OK) code = box_path(chain, "refused", sequence, to, err);
    if (code != PT_OK) return code;
    if (rename(from, to) != 0) return pt_fail_errno(err, from, "cannot move");
    return pt_fail(err, PT_FORBIDDEN, to, "refused: %s", reason[0] ? reason : "no reason given");
}

static enum pt_code take_ack(struct own_chain *chain, uint64_t sequence, const struct wire_ack *ack, size_t *sent,
                             struct pt_error *err) {
    switch (ack->outcome) {
    case WIRE_ACCEPTED:
    case WIRE_DUPLICATE: ++*sent; return own_chain_handed_out(chain, sequence, err);
    case WIRE_REFUSED: return refuse(chain, sequence, ack->error, err);
    case WIRE_LATER: break;
    }
    return pt_fail(err, PT_UNAVAILABLE, NULL, "not taken now (%s); it stays in the outbox", ack->error);
}

static enum pt_code open_client(const struct own_chain *chain, struct https_client **out, struct pt_error *err) {
    char authority[PATH_MAX], certificate[PATH_MAX], key[PATH_MAX];
    enum pt_code code = consortium_path(chain->consortium, "ca.crt", authority, err);
    if (code == PT_OK) code = actor_path(chain->consortium, chain->actor, "tls.crt", certificate, err);
    if (code == PT_OK) code = actor_path(chain->consortium, chain->actor, "tls.key", key, err);
    if (code != PT_OK) return code;
    const struct https_client_options options = {
        .ca_file = authority, .certificate_file = certificate, .key_file = key, .max_body = ANSWER_MAX};
    return https_client_new(&options, out, err);
}

static enum pt_code post(struct https_client *client, const char *url, struct pt_bytes body, struct wire_ack *acks,
                         size_t count, struct pt_error *err) {
    char target[2048];
    const size_t len = strlen(url);
    const bool slash = len > 0 && url[len - 1] == '/';
    if (snprintf(target, sizeof target, "%.*s%s", (int)(len - slash), url, WIRE_PATH_STATEMENTS) >= (int)sizeof target)
        return pt_fail(err, PT_USAGE, "--url", "too long");
    const struct https_client_request request = {
        .method = "POST", .url = target, .content_type = WIRE_TYPE_STATEMENTS, .body = body};
    PT_CLEANUP(https_client_response_free) struct https_client_response response = {0};
    const enum pt_code code = https_client_send(client, &request, &response, err);
    if (code != PT_OK) return code;
    if (response.status == 200) return wire_acks_decode(pt_buf_bytes(&response.body), acks, count, err);
    return pt_fail(err, response.status >= 500 || response.status == 429 ? PT_UNAVAILABLE : PT_FORBIDDEN, target,
                   "answered %u: %.300s", response.status, pt_buf_cstr(&response.body));
}

static void free_client(struct https_client **client) {
    https_client_free(*client);
}

// Sends the first of `sequences` that fit one request, and gives their number. One that was refused does not hold up
// those behind it: each outcome is taken, and the first failure is what is said.
static enum pt_code send_some(struct own_chain *chain, struct https_client *client, const char *url,
                              const uint64_t *sequences, size_t most, size_t *taken, size_t *sent, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf body = PT_BUF_INIT(SEND_BYTES + STATEMENT_MAX);
    struct wire_ack acks[SEND_AT_ONCE] = {0};
    enum pt_code code = PT_OK;
    for (*taken = 0; code == PT_OK && *taken < most && *taken < SEND_AT_ONCE && body.len < SEND_BYTES; ++*taken) {
        PT_CLEANUP(pt_buf_free) struct pt_buf bytes = {0};
        code = read_box(chain, sequences[*taken], &bytes, err);
        acks[*taken].id = statement_id(pt_buf_bytes(&bytes));
        pt_buf_append_bytes(&body, pt_buf_bytes(&bytes));
    }
    if (code == PT_OK) code = pt_buf_check(&body, err);
    if (code == PT_OK) code = post(client, url, pt_buf_bytes(&body), acks, *taken, err);
    if (code != PT_OK) return code;
    for (size_t i = 0; i < *taken; i++) {
        struct pt_error later = {0};
        const enum pt_code outcome = take_ack(chain, sequences[i], &acks[i], sent, code == PT_OK ? err : &later);
        if (code == PT_OK) code = outcome;
    }
    return code;
}

enum pt_code own_chain_send(struct own_chain *chain, const char *url, size_t *sent, struct pt_error *err) {
    PT_FREE uint64_t *sequences = NULL;
    size_t count = 0;
    *sent = 0;
    enum pt_code code = list_outbox(chain, &sequences, &count, err);
    if (code != PT_OK || count == 0) return code;
    PT_CLEANUP(free_client) struct https_client *client = NULL;
    code = open_client(chain, &client, err);
    for (size_t at = 0, taken; code == PT_OK && at < count; at += taken)
        code = send_some(chain, client, url, &sequences[at], count - at, &taken, sent, err);
    return code;
}

enum pt_code own_chain_get(struct own_chain *chain, const char *url, const char *path, struct pt_buf *out, struct pt_error *err) {
    char target[2048];
    PT_CLEANUP(free_client) struct https_client *client = NULL;
    PT_CLEANUP(https_client_response_free) struct https_client_response response = {0};
    const size_t len = strlen(url);
    const bool slash = len > 0 && url[len - 1] == '/';
    if (snprintf(target, sizeof target, "%.*s%s", (int)(len - slash), url, path) >= (int)sizeof target)
        return pt_fail(err, PT_USAGE, "--url", "too long");
    const struct https_client_request request = {.method = "GET", .url = target};
    enum pt_code code = open_client(chain, &client, err);
    if (code == PT_OK) code = https_client_send(client, &request, &response, err);
    if (code != PT_OK) return code;
    if (response.status != 200)
        return pt_fail(err, response.status == 404 ? PT_NOT_FOUND : response.status >= 500 ? PT_UNAVAILABLE : PT_FORBIDDEN, target,
                       "answered %u: %.300s", response.status, pt_buf_cstr(&response.body));
    pt_buf_append_bytes(out, pt_buf_bytes(&response.body));
    return pt_buf_check(out, err);
}
