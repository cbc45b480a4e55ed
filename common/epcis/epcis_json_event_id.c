#include "common/epcis/epcis_json_event_id.h"

#include <string.h>

#include "common/base/cleanup.h"

static const char NAME[] = "\"eventID\"";
static const char HASH[] = "\"ni:///sha-256;";

struct range {
    size_t start, end;
};

static bool follows(struct pt_bytes text, size_t at, const char *word) {
    const size_t len = strlen(word);
    return at <= text.len && text.len - at >= len && memcmp(text.data + at, word, len) == 0;
}

static size_t skip_space(struct pt_bytes text, size_t at) {
    while (at < text.len && strchr(" \t\r\n", text.data[at]) && text.data[at]) at++;
    return at;
}

// The offset behind the string that begins at `at`.
static size_t skip_string(struct pt_bytes text, size_t at) {
    for (at++; at < text.len && text.data[at] != '"'; at++)
        if (text.data[at] == '\\') at++;
    return at < text.len ? at + 1 : text.len;
}

// At a member "eventID": the offset of its value, or 0 if this is no such member.
static size_t event_id_value(struct pt_bytes text, size_t at) {
    if (!follows(text, at, NAME)) return 0;
    at = skip_space(text, at + strlen(NAME));
    return at < text.len && text.data[at] == ':' ? skip_space(text, at + 1) : 0;
}

// Overwrites with spaces, so that offsets stay, each hash ID that another ID follows. true if there was one.
static bool blank_hash_ids(struct pt_bytes text, uint8_t *copy) {
    struct range hashes[PT_JSON_MAX_DEPTH + 1] = {0};  // that of the object under way, for each level
    size_t depth = 0;
    bool found = false;
    for (size_t at = 0; at < text.len;) {
        const uint8_t c = text.data[at];
        if (c == '{' || c == '[') {
            if (++depth > PT_JSON_MAX_DEPTH) return false;
            hashes[depth] = (struct range){0};
        } else if ((c == '}' || c == ']') && depth > 0) {
            depth--;
        }
        if (c != '"') {
            at++;
            continue;
        }
        const size_t value = event_id_value(text, at);
        const size_t end = skip_string(text, value ? value : at);
        if (value && follows(text, value, HASH)) {
            const size_t comma = skip_space(text, end);
            if (follows(text, comma, ",") && hashes[depth].end == 0) hashes[depth] = (struct range){at, comma + 1};
            else hashes[depth] = (struct range){0};
        } else if (value && hashes[depth].end > 0) {
            memset(copy + hashes[depth].start, ' ', hashes[depth].end - hashes[depth].start);
            hashes[depth] = (struct range){0};
            found = true;
        }
        at = value && text.data[value] != '"' ? value : end;
    }
    return found;
}

enum pt_code epcis_json_parse(struct pt_bytes text, size_t max, json_t **out, struct pt_error *err) {
    const enum pt_code code = pt_json_parse(text, max, out, err);
    if (code != PT_INVALID || err->position < (long)strlen(NAME)) return code;
    if (!follows(text, (size_t)err->position - strlen(NAME), NAME)) return code;
    PT_FREE uint8_t *copy = malloc(text.len);
    if (!copy) return pt_fail(err, PT_NO_MEMORY, NULL, "no memory for %zu bytes", text.len);
    memcpy(copy, text.data, text.len);
    if (!blank_hash_ids(text, copy)) return code;
    return pt_json_parse(pt_bytes_of(copy, text.len), max, out, err);
}
