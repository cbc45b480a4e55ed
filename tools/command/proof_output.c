#include "tools/command/proof_output.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/disk.h"
#include "common/base/text.h"
#include "common/cose/cbor.h"
#include "tools/command/command.h"

#define KEY_FILE_MAX ((size_t)256 * 1024)
#define ANSWER_MAX ((size_t)4 * 1024 * 1024)

enum pt_code read_input(const char *path, struct pt_buf *out, struct pt_error *err) {
    return pt_file_read(strcmp(path, "-") == 0 ? "/dev/stdin" : path, out, err);
}

// --- Keys ---

void key_set_free(struct key_set *keys) {
    for (size_t i = 0; i < keys->count; i++) verify_key_free(keys->keys[i]);
    keys->count = 0;
}

static enum pt_code add_key(struct key_set *keys, enum pt_code code, struct verify_key *key, struct pt_error *err) {
    if (code != PT_OK) return code;
    if (keys->count == TRUSTED_KEYS_MAX) {
        verify_key_free(key);
        return pt_fail(err, PT_LIMIT, NULL, "more than %u keys", TRUSTED_KEYS_MAX);
    }
    keys->keys[keys->count++] = key;
    return PT_OK;
}

static enum pt_code read_pem_keys(struct pt_bytes text, struct key_set *out, struct pt_error *err) {
    static const char begin[] = "-----BEGIN ";
    const uint8_t *at = memmem(text.data, text.len, begin, sizeof begin - 1);
    const uint8_t *end = text.data + text.len;
    while (at) {
        const uint8_t *next = memmem(at + 1, (size_t)(end - at) - 1, begin, sizeof begin - 1);
        struct verify_key *key = NULL;
        const enum pt_code code = verify_key_from_pem(pt_bytes_of(at, (size_t)((next ? next : end) - at)), &key, err);
        if (add_key(out, code, key, err) != PT_OK) return err->code;
        at = next;
    }
    return PT_OK;
}

static enum pt_code put_coordinate(const json_t *jwk, const char *name, int64_t label, struct pt_buf *cose, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf value = PT_BUF_INIT(256);
    const json_t *text = json_object_get(jwk, name);
    if (!json_is_string(text)) return pt_fail(err, PT_INVALID, name, "a JWK needs this member");
    const enum pt_code code = pt_base64url_decode(pt_bytes_of(json_string_value(text), json_string_length(text)), &value, err);
    if (code != PT_OK) return code;
    cbor_put_int(cose, label);
    cbor_put_bytes(cose, pt_buf_bytes(&value));
    return PT_OK;
}

static bool is_text(const json_t *object, const char *name, const char *expected) {
    const char *text = json_string_value(json_object_get(object, name));
    return text && strcmp(text, expected) == 0;
}

// RFC 7518 section 6.2 and RFC 8037, as a COSE_Key, so that there is one place that judges points.
static enum pt_code read_jwk(const json_t *jwk, struct key_set *out, struct pt_error *err) {
    uint8_t room[1024];
    struct pt_buf cose = PT_BUF_OVER(room);
    const bool ec = is_text(jwk, "kty", "EC") && is_text(jwk, "crv", "P-256");
    if (!ec && !(is_text(jwk, "kty", "OKP") && is_text(jwk, "crv", "Ed25519")))
        return pt_fail(err, PT_INVALID, "kty", "only EC keys on P-256 and OKP keys on Ed25519 are supported");
    cbor_put_map(&cose, ec ? 4 : 3);
    cbor_put_int(&cose, 1);
    cbor_put_int(&cose, ec ? 2 : 1);
    cbor_put_int(&cose, -1);
    cbor_put_int(&cose, ec ? 1 : 6);
    enum pt_code code = put_coordinate(jwk, "x", -2, &cose, err);
    if (code == PT_OK && ec) code = put_coordinate(jwk, "y", -3, &cose, err);
    struct verify_key *key = NULL;
    if (code == PT_OK) code = verify_key_from_cose(pt_buf_bytes(&cose), &key, err);
    return add_key(out, code, key, err);
}

static enum pt_code read_jwks(struct pt_bytes text, struct key_set *out, struct pt_error *err) {
    PT_JSON json_t *root = NULL;
    enum pt_code code = pt_json_parse(text, KEY_FILE_MAX, &root, err);
    if (code != PT_OK) return code;
    const json_t *list = json_object_get(root, "keys");
    if (!list) return read_jwk(root, out, err);
    for (size_t i = 0; i < json_array_size(list) && code == PT_OK; i++) code = read_jwk(json_array_get(list, i), out, err);
    return code;
}

enum pt_code key_set_read(const char *path, struct key_set *out, struct pt_error *err) {
    out->count = 0;
    PT_CLEANUP(pt_buf_free) struct pt_buf content = PT_BUF_INIT(KEY_FILE_MAX);
    enum pt_code code = read_input(path, &content, err);
    if (code != PT_OK) return code;
    const struct pt_bytes bytes = pt_buf_bytes(&content);
    size_t start = 0;
    while (start < bytes.len && strchr(" \t\r\n", bytes.data[start]) && bytes.data[start]) start++;
    struct verify_key *key = NULL;
    if (bytes.data && bytes.len > 0 && memmem(bytes.data, bytes.len, "-----BEGIN ", 11)) {
        code = read_pem_keys(bytes, out, err);
    } else if (start < bytes.len && bytes.data[start] == '{') {
        code = read_jwks(bytes, out, err);
    } else if (bytes.len > 0 && bytes.data[0] == 0x30) {
        code = add_key(out, verify_key_from_der(bytes, &key, err), key, err);
    } else {
        code = add_key(out, verify_key_from_cose(bytes, &key, err), key, err);
    }
    if (code == PT_OK && out->count == 0) code = pt_fail(err, PT_INVALID, NULL, "no key");
    if (code == PT_OK) return PT_OK;
    key_set_free(out);
    pt_error_under(err, "%s ", path);
    return code;
}

// --- The answer ---

void answer_text(json_t *answer, const char *name, struct pt_bytes text) {
    json_t *value = json_stringn((const char *)text.data, text.len);
    if (value) json_object_set_new(answer, name, value);
}

void answer_hex(json_t *answer, const char *name, struct pt_bytes bytes) {
    PT_CLEANUP(pt_buf_free) struct pt_buf hex = PT_BUF_INIT(ANSWER_MAX);
    pt_hex_append(&hex, bytes);
    answer_text(answer, name, pt_bytes_str(pt_buf_cstr(&hex)));
}

void answer_digest(json_t *answer, const char *name, const struct pt_digest *digest) {
    answer_hex(answer, name, pt_bytes_digest(digest));
}

void answer_number(json_t *answer, const char *name, uint64_t value) {
    char digits[32];
    snprintf(digits, sizeof digits, "%" PRIu64, value);
    json_object_set_new(answer, name, value <= INT64_MAX ? json_integer((json_int_t)value) : json_string(digits));
}

int answer_print(const char *command, json_t *answer, enum pt_code code, const struct pt_error *err) {
    PT_JSON json_t *line = json_object();
    PT_JSON json_t *details = answer;
    PT_CLEANUP(pt_buf_free) struct pt_buf text = PT_BUF_INIT(ANSWER_MAX);
    json_object_set_new(line, "verified", json_boolean(code == PT_OK));
    if (code == PT_OK) {
        json_object_update(line, details);
    } else {
        answer_text(line, "error", pt_bytes_str(err->what));
        if (err->where[0]) answer_text(line, "where", pt_bytes_str(err->where));
        if (err->position >= 0) json_object_set_new(line, "position", json_integer(err->position));
    }
    struct pt_error problem;
    if (pt_json_append(&text, line, &problem) != PT_OK) return command_failed(command, &problem);
    pt_buf_byte(&text, '\n');
    if (fwrite(text.data, 1, text.len, stdout) != text.len || fflush(stdout) != 0) {
        pt_fail_errno(&problem, NULL, "cannot write the answer");
        return command_failed(command, &problem);
    }
    return pt_exit_status(code);
}
