// Bytes: a borrowed view, and an owned buffer that grows up to a ceiling.
#ifndef PACKTRAIL_COMMON_BASE_BYTES_H
#define PACKTRAIL_COMMON_BASE_BYTES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

// Borrowed: whoever made the bytes keeps them alive. data may be NULL only when len is 0.
struct pt_bytes {
    const uint8_t *data;
    size_t len;
};

// Owned. Appending past `ceiling`, or without memory, sets `failed` and leaves the content as it was;
// later appends do nothing. So a writer appends freely and checks once at the end (pt_buf_check).
struct pt_buf {
    uint8_t *data;
    size_t len;
    size_t cap;
    size_t ceiling;
    bool failed;
    bool no_memory;  // why it failed: memory, not the ceiling
};

#define PT_DIGEST_SIZE 32u

// A SHA-256 value; a struct so that it is passed, copied and compared whole.
struct pt_digest {
    uint8_t bytes[PT_DIGEST_SIZE];
};

struct pt_bytes pt_bytes_of(const void *data, size_t len);
struct pt_bytes pt_bytes_str(const char *text);  // without the terminating NUL; NULL gives no bytes
struct pt_bytes pt_bytes_digest(const struct pt_digest *digest);
bool pt_bytes_equal(struct pt_bytes a, struct pt_bytes b);
int pt_bytes_compare(struct pt_bytes a, struct pt_bytes b);  // memcmp order, a shorter prefix first
bool pt_digest_equal(const struct pt_digest *a, const struct pt_digest *b);

// Equal-time comparison, for secrets.
bool pt_bytes_equal_secret(struct pt_bytes a, struct pt_bytes b);

#define PT_BUF_INIT(limit) ((struct pt_buf){.ceiling = (limit)})

// Over an array of the caller's: never allocates, never freed; its ceiling leaves room for pt_buf_cstr's NUL.
#define PT_BUF_OVER(array) ((struct pt_buf){.data = (array), .cap = sizeof(array), .ceiling = sizeof(array) - 1})

void pt_buf_init(struct pt_buf *buf, size_t ceiling);
void pt_buf_free(struct pt_buf *buf);   // the memory is released; the buffer can be used again
void pt_buf_clear(struct pt_buf *buf);  // keeps the memory, forgets content and failure
void pt_buf_append(struct pt_buf *buf, const void *data, size_t len);
void pt_buf_append_bytes(struct pt_buf *buf, struct pt_bytes bytes);
void pt_buf_byte(struct pt_buf *buf, uint8_t byte);
void pt_buf_str(struct pt_buf *buf, const char *text);
void pt_buf_printf(struct pt_buf *buf, const char *fmt, ...) PT_PRINTF(2, 3);

// Room for `len` more bytes at the end, counted as content; NULL (and failed) if there is none.
uint8_t *pt_buf_extend(struct pt_buf *buf, size_t len);

struct pt_bytes pt_buf_bytes(const struct pt_buf *buf);

// The content as a C string (a NUL is kept behind it, not counted); "" when nothing was written or it failed.
const char *pt_buf_cstr(struct pt_buf *buf);

// PT_OK, or PT_LIMIT / PT_NO_MEMORY if an append failed since the last clear.
enum pt_code pt_buf_check(const struct pt_buf *buf, struct pt_error *err) PT_NODISCARD;

#endif
