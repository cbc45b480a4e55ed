#include "common/base/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pt_bytes pt_bytes_of(const void *data, size_t len) { return (struct pt_bytes){data, len}; }

struct pt_bytes pt_bytes_str(const char *text) {
    return (struct pt_bytes){(const uint8_t *)text, text ? strlen(text) : 0};
}

struct pt_bytes pt_bytes_digest(const struct pt_digest *digest) {
    return (struct pt_bytes){digest->bytes, sizeof digest->bytes};
}

bool pt_bytes_equal(struct pt_bytes a, struct pt_bytes b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

int pt_bytes_compare(struct pt_bytes a, struct pt_bytes b) {
    const size_t shared = a.len < b.len ? a.len : b.len;
    const int order = shared ? memcmp(a.data, b.data, shared) : 0;
    if (order != 0) return order;
    return (a.len > b.len) - (a.len < b.len);
}

bool pt_digest_equal(const struct pt_digest *a, const struct pt_digest *b) {
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

bool pt_bytes_equal_secret(struct pt_bytes a, struct pt_bytes b) {
    if (a.len != b.len) return false;
    uint8_t difference = 0;
    for (size_t i = 0; i < a.len; i++) difference |= (uint8_t)(a.data[i] ^ b.data[i]);
    return difference == 0;
}

void pt_buf_init(struct pt_buf *buf, size_t ceiling) { *buf = PT_BUF_INIT(ceiling); }

void pt_buf_free(struct pt_buf *buf) {
    const size_t ceiling = buf->ceiling;
    free(buf->data);
    *buf = PT_BUF_INIT(ceiling);
}

void pt_buf_clear(struct pt_buf *buf) {
    buf->len = 0;
    buf->failed = false;
    buf->no_memory = false;
}

uint8_t *pt_buf_extend(struct pt_buf *buf, size_t len) {
    if (buf->failed) return NULL;
    if (len > buf->ceiling || buf->len > buf->ceiling - len) {
        buf->failed = true;
        return NULL;
    }
    const size_t needed = buf->len + len + 1;  // one more for the NUL of pt_buf_cstr
    if (needed > buf->cap) {
        size_t cap = buf->cap ? buf->cap : 64;
        while (cap < needed) cap *= 2;
        if (cap > buf->ceiling + 1) cap = buf->ceiling + 1;
        uint8_t *data = realloc(buf->data, cap);
        if (!data) {
            buf->failed = buf->no_memory = true;
            return NULL;
        }
        buf->data = data;
        buf->cap = cap;
    }
    uint8_t *room = buf->data + buf->len;
    buf->len += len;
    return room;
}

void pt_buf_append(struct pt_buf *buf, const void *data, size_t len) {
    if (len == 0) return;
    uint8_t *room = pt_buf_extend(buf, len);
    if (room) memcpy(room, data, len);
}

void pt_buf_append_bytes(struct pt_buf *buf, struct pt_bytes bytes) { pt_buf_append(buf, bytes.data, bytes.len); }

void pt_buf_byte(struct pt_buf *buf, uint8_t byte) { pt_buf_append(buf, &byte, 1); }

void pt_buf_str(struct pt_buf *buf, const char *text) { pt_buf_append(buf, text, strlen(text)); }

void pt_buf_printf(struct pt_buf *buf, const char *fmt, ...) {
    va_list args;
    va_list again;
    va_start(args, fmt);
    va_copy(again, args);
    const int needed = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (needed < 0) buf->failed = true;
    uint8_t *room = needed > 0 ? pt_buf_extend(buf, (size_t)needed) : NULL;
    if (room) vsnprintf((char *)room, (size_t)needed + 1, fmt, again);
    va_end(again);
}

struct pt_bytes pt_buf_bytes(const struct pt_buf *buf) { return (struct pt_bytes){buf->data, buf->len}; }

const char *pt_buf_cstr(struct pt_buf *buf) {
    if (buf->failed || buf->len == 0) return "";
    buf->data[buf->len] = 0;
    return (const char *)buf->data;
}

enum pt_code pt_buf_check(const struct pt_buf *buf, struct pt_error *err) {
    if (!buf->failed) return PT_OK;
    if (buf->no_memory) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    return pt_fail(err, PT_LIMIT, NULL, "more than %zu bytes", buf->ceiling);
}
