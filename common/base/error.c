#include "common/base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void set_text(struct pt_error *err, enum pt_code code, const char *where, const char *fmt, va_list args) {
    err->code = code;
    err->sys_errno = 0;
    err->position = -1;
    snprintf(err->where, sizeof err->where, "%s", where ? where : "");
    vsnprintf(err->what, sizeof err->what, fmt, args);
}

enum pt_code pt_fail(struct pt_error *err, enum pt_code code, const char *where, const char *fmt, ...) {
    if (!err) return code;
    va_list args;
    va_start(args, fmt);
    set_text(err, code, where, fmt, args);
    va_end(args);
    return code;
}

enum pt_code pt_fail_at(struct pt_error *err, enum pt_code code, long position, const char *where,
                        const char *fmt, ...) {
    if (!err) return code;
    va_list args;
    va_start(args, fmt);
    set_text(err, code, where, fmt, args);
    va_end(args);
    err->position = position;
    return code;
}

enum pt_code pt_fail_errno(struct pt_error *err, const char *where, const char *fmt, ...) {
    const int saved = errno;
    enum pt_code code = PT_IO;
    if (saved == ENOSPC || saved == EDQUOT) code = PT_UNAVAILABLE;
    if (saved == ENOENT) code = PT_NOT_FOUND;
    if (!err) return code;
    va_list args;
    va_start(args, fmt);
    set_text(err, code, where, fmt, args);
    va_end(args);
    err->sys_errno = saved;
    const size_t used = strlen(err->what);
    snprintf(err->what + used, sizeof err->what - used, ": %s", strerror(saved));
    return code;
}

enum pt_code pt_error_under(struct pt_error *err, const char *fmt, ...) {
    if (!err) return PT_INTERNAL;
    char joined[sizeof err->where];
    va_list args;
    va_start(args, fmt);
    vsnprintf(joined, sizeof joined, fmt, args);
    va_end(args);
    const size_t used = strlen(joined);
    snprintf(joined + used, sizeof joined - used, "%s", err->where);
    memcpy(err->where, joined, sizeof joined);
    return err->code;
}

const char *pt_code_name(enum pt_code code) {
    switch (code) {
    case PT_OK: return "ok";
    case PT_INVALID: return "invalid";
    case PT_UNVERIFIED: return "unverified";
    case PT_FORBIDDEN: return "forbidden";
    case PT_LIMIT: return "limit";
    case PT_NOT_FOUND: return "not-found";
    case PT_CONFLICT: return "conflict";
    case PT_UNAVAILABLE: return "unavailable";
    case PT_IO: return "io";
    case PT_NO_MEMORY: return "no-memory";
    case PT_USAGE: return "usage";
    case PT_INTERNAL: return "internal";
    }
    return "unknown";
}

int pt_exit_status(enum pt_code code) {
    switch (code) {
    case PT_OK: return 0;
    case PT_INVALID:
    case PT_UNVERIFIED:
    case PT_FORBIDDEN:
    case PT_LIMIT:
    case PT_NOT_FOUND:
    case PT_CONFLICT: return 1;
    case PT_USAGE: return 2;
    default: return 3;
    }
}
