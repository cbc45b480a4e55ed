#include "common/net/http_message.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#define MAX_SIZE_LINE 256u       // of a chunk, with extensions
#define MAX_CHUNK_EXTRA 1048576u

static bool is_token(uint8_t c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("!#$%&'*+-.^_`|~", c));
}

size_t http_head_end(struct pt_bytes bytes, size_t *scanned) {
    size_t at = *scanned > 3 ? *scanned - 3 : 0;
    while (at + 4 <= bytes.len) {
        const uint8_t *found = memchr(bytes.data + at, '\r', bytes.len - at - 3);
        if (!found) break;
        if (memcmp(found, "\r\n\r\n", 4) == 0) return (size_t)(found - bytes.data) + 4;
        at = (size_t)(found - bytes.data) + 1;
    }
    *scanned = bytes.len;
    return 0;
}

// The absolute form is what proxies send; the authority in it is as good as a Host field.
static char *skip_authority(char *target) {
    const size_t scheme = strncasecmp(target, "http://", 7) == 0 ? 7 : strncasecmp(target, "https://", 8) == 0 ? 8 : 0;
    if (scheme == 0) return target;
    char *slash = strchr(target + scheme, '/');
    return slash && slash != target + scheme ? slash : NULL;
}

static unsigned parse_target(char *target, struct http_head *out, const char **why) {
    for (const char *at = target; *at; at++)
        if (*at <= 0x20 || *at == 0x7f || *at == '#') return *why = "a character that does not belong in a request target", 400;
    if (strcmp(target, "*") == 0 && strcmp(out->method, "OPTIONS") == 0) {
        out->path = target;
        out->query = "";
        return 0;
    }
    char *path = skip_authority(target);
    if (!path || *path != '/') return *why = "the request target is not a path", 400;
    char *mark = strchr(path, '?');
    if (mark) *mark = 0;
    out->path = path;
    out->query = mark ? mark + 1 : "";
    return 0;
}

static unsigned parse_request_line(char *line, struct http_head *out, const char **why) {
    char *at = line;
    while (is_token((uint8_t)*at)) at++;
    if (at == line || *at != ' ') return *why = "the request line has no method", 400;
    *at++ = 0;
    out->method = line;
    char *target = at;
    char *space = strchr(target, ' ');
    if (!space) return *why = "the request line has no version", 400;
    *space = 0;
    const char *version = space + 1;
    if (strncmp(version, "HTTP/", 5) != 0 || strlen(version) != 8 || version[6] != '.' || version[5] < '0' ||
        version[5] > '9' || version[7] < '0' || version[7] > '9')
        return *why = "the request line has no version", 400;
    if (version[5] != '1') return *why = "only HTTP/1.0 and HTTP/1.1 are spoken here", 505;
    out->minor = version[7] == '0' ? 0 : 1;
    return parse_target(target, out, why);
}

static unsigned parse_field(char *line, struct http_head *out, const char **why) {
    char *colon = line;
    while (is_token((uint8_t)*colon)) colon++;
    if (colon == line || *colon != ':') return *why = "a header field without a proper name", 400;
    *colon = 0;
    char *value = colon + 1;
    value += strspn(value, " \t");
    size_t len = strlen(value);
    while (len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t')) value[--len] = 0;
    for (size_t i = 0; i < len; i++)
        if (((uint8_t)value[i] < 0x20 && value[i] != '\t') || value[i] == 0x7f)
            return *why = "a control character in a header field", 400;
    if (out->field_count == HTTP_MAX_HEADERS) return *why = "too many header fields", 431;
    out->fields[out->field_count++] = (struct http_field){line, value};
    return 0;
}

static unsigned take_length(struct http_head *out, const char *value, const char **why) {
    const size_t len = strlen(value);
    if (out->has_length) return *why = "more than one Content-Length", 400;
    if (len == 0 || len > 18 || strspn(value, "0123456789") != len) return *why = "Content-Length is not a number", 400;
    for (size_t i = 0; i < len; i++) out->content_length = out->content_length * 10 + (uint64_t)(value[i] - '0');
    out->has_length = true;
    return 0;
}

// Whether a comma-separated list has the token.
static bool list_has(const char *list, const char *token) {
    const size_t want = strlen(token);
    for (const char *at = list; *at;) {
        at += strspn(at, " \t,");
        const size_t len = strcspn(at, ",");
        size_t bare = len;
        while (bare > 0 && (at[bare - 1] == ' ' || at[bare - 1] == '\t')) bare--;
        if (bare == want && strncasecmp(at, token, want) == 0) return true;
        at += len;
    }
    return false;
}

static unsigned interpret(struct http_head *out, const char **why) {
    size_t hosts = 0;
    bool keep_alive = false;
    for (size_t i = 0; i < out->field_count; i++) {
        const char *name = out->fields[i].name;
        const char *value = out->fields[i].value;
        unsigned status = 0;
        if (strcasecmp(name, "Host") == 0) {
            hosts++;
        } else if (strcasecmp(name, "Content-Length") == 0) {
            status = take_length(out, value, why);
        } else if (strcasecmp(name, "Transfer-Encoding") == 0) {
            if (out->chunked || strcasecmp(value, "chunked") != 0) status = 501, *why = "only the chunked transfer coding is known";
            out->chunked = true;
        } else if (strcasecmp(name, "Connection") == 0) {
            if (list_has(value, "close")) out->close = true;
            if (list_has(value, "keep-alive")) keep_alive = true;
        } else if (strcasecmp(name, "Expect") == 0) {
            if (strcasecmp(value, "100-continue") != 0) status = 417, *why = "only 100-continue can be expected";
            out->expect_continue = out->minor > 0;
        }
        if (status != 0) return status;
    }
    if (hosts > 1 || (hosts == 0 && out->minor > 0)) return *why = "exactly one Host field is needed", 400;
    if (out->chunked && (out->has_length || out->minor == 0)) return *why = "Transfer-Encoding where it may not stand", 400;
    if (out->minor == 0 && !keep_alive) out->close = true;
    return 0;
}

unsigned http_head_parse(char *bytes, size_t len, struct http_head *out, const char **why) {
    memset(out, 0, offsetof(struct http_head, fields));
    memset((char *)out + offsetof(struct http_head, field_count), 0, sizeof *out - offsetof(struct http_head, field_count));
    *why = "";
    size_t at = 0;
    if (len >= 2 && memcmp(bytes, "\r\n", 2) == 0) at = 2;  // RFC 9112 section 2.2: an empty line before is let pass
    for (bool first = true;; first = false) {
        const char *end = memchr(bytes + at, '\r', len - at);
        if (!end || end + 1 >= bytes + len || end[1] != '\n') return *why = "a bare CR", 400;
        char *line = bytes + at;
        const size_t line_len = (size_t)(end - line);
        at += line_len + 2;
        if (line_len == 0 && !first) break;
        if (memchr(line, '\n', line_len) || memchr(line, 0, line_len)) return *why = "a bare LF or a NUL in the head", 400;
        line[line_len] = 0;
        const unsigned status = first ? parse_request_line(line, out, why) : parse_field(line, out, why);
        if (status != 0) return status;
    }
    if (at != len) return *why = "the head does not end with its empty line", 400;
    return interpret(out, why);
}

const char *http_head_field(const struct http_head *head, const char *name) {
    for (size_t i = 0; i < head->field_count; i++)
        if (strcasecmp(head->fields[i].name, name) == 0) return head->fields[i].value;
    return NULL;
}

enum { CHUNK_SIZE, CHUNK_EXTENSION, CHUNK_SIZE_LF, CHUNK_DATA, CHUNK_DATA_CR, CHUNK_DATA_LF, TRAILER, TRAILER_LF };

static int hex_value(uint8_t c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// One byte outside of chunk data; false: malformed.
static bool take_frame_byte(struct http_chunks *chunks, uint8_t c) {
    switch (chunks->state) {
    case CHUNK_SIZE: {
        const int digit = hex_value(c);
        if (digit >= 0) {
            chunks->left = chunks->left << 4 | (uint64_t)digit;
            return ++chunks->line <= 15;
        }
        if (chunks->line == 0 || (c != '\r' && c != ';')) return false;
        chunks->state = c == '\r' ? CHUNK_SIZE_LF : CHUNK_EXTENSION;
        return true;
    }
    case CHUNK_EXTENSION:
        if (c == '\r') chunks->state = CHUNK_SIZE_LF;
        else if ((c < 0x20 && c != '\t') || c == 0x7f) return false;
        return ++chunks->line <= MAX_SIZE_LINE;
    case CHUNK_SIZE_LF:
        chunks->state = chunks->left > 0 ? CHUNK_DATA : TRAILER;
        chunks->line = 0;
        return c == '\n';
    case CHUNK_DATA_CR: chunks->state = CHUNK_DATA_LF; return c == '\r';
    case CHUNK_DATA_LF: chunks->state = CHUNK_SIZE; return c == '\n';
    case TRAILER:  // trailer fields are dropped, as RFC 9110 section 6.5 allows
        if (c == '\r') chunks->state = TRAILER_LF;
        else if ((c < 0x20 && c != '\t') || c == 0x7f || ++chunks->line > MAX_SIZE_LINE) return false;
        return true;
    case TRAILER_LF:
        chunks->done = chunks->line == 0;
        chunks->line = 0;
        chunks->state = TRAILER;
        return c == '\n';
    default: return false;
    }
}

unsigned http_chunks_take(struct http_chunks *chunks, struct pt_bytes in, struct pt_buf *body, size_t *taken) {
    size_t at = 0;
    unsigned status = 0;
    while (at < in.len && !chunks->done && status == 0) {
        if (chunks->state == CHUNK_DATA) {
            const size_t len = chunks->left < in.len - at ? (size_t)chunks->left : in.len - at;
            pt_buf_append(body, in.data + at, len);
            if (body->failed) status = 413;
            at += len;
            chunks->left -= len;
            if (chunks->left == 0) chunks->state = CHUNK_DATA_CR;
            continue;
        }
        if (!take_frame_byte(chunks, in.data[at++])) status = 400;
        else if (++chunks->extra > MAX_CHUNK_EXTRA) status = 413;
    }
    *taken = at;
    return status;
}
