// What a failing call says: a class that the caller can act on, and for people what, where and why.
#ifndef PACKTRAIL_COMMON_BASE_ERROR_H
#define PACKTRAIL_COMMON_BASE_ERROR_H

// Classes are few on purpose: each one is a different thing to do for the caller.
enum pt_code {
    PT_OK = 0,
    PT_INVALID,      // the input breaks a rule; retrying the same bytes cannot help
    PT_UNVERIFIED,   // a signature, proof or hash does not hold
    PT_FORBIDDEN,    // well-formed, but not allowed for whoever asks
    PT_LIMIT,        // a ceiling (size, depth, count) would be passed
    PT_NOT_FOUND,
    PT_CONFLICT,     // contradicts what is already recorded
    PT_UNAVAILABLE,  // try again later: busy, timed out, peer away, disk full
    PT_IO,           // the system failed; sys_errno says how
    PT_NO_MEMORY,
    PT_USAGE,        // the caller's words are wrong (command line, configuration)
    PT_INTERNAL,     // a broken invariant of our own
};

// `where` names the place in the input: a JSON Pointer, a file and offset, an AI; empty if none.
// `position` is a byte or character offset into the input, or -1.
struct pt_error {
    enum pt_code code;
    int sys_errno;
    long position;
    char where[256];
    char what[384];
};

#define PT_NODISCARD __attribute__((warn_unused_result))
#define PT_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

// Fills *err (which may be NULL when the caller needs only the code) and returns `code`, so that a
// failure is one statement: `return pt_fail(err, PT_INVALID, "/action", "must be ADD or DELETE");`
// where: may be NULL. Text that does not fit is cut.
enum pt_code pt_fail(struct pt_error *err, enum pt_code code, const char *where, const char *fmt, ...)
    PT_PRINTF(4, 5);

// As pt_fail, and also records a byte or character position in the input.
enum pt_code pt_fail_at(struct pt_error *err, enum pt_code code, long position, const char *where,
                        const char *fmt, ...) PT_PRINTF(5, 6);

// As pt_fail for a failed system call: code PT_IO (PT_UNAVAILABLE for ENOSPC and EDQUOT, PT_NOT_FOUND for
// ENOENT), with strerror of errno appended.
enum pt_code pt_fail_errno(struct pt_error *err, const char *where, const char *fmt, ...) PT_PRINTF(3, 4);

// Puts a parent's place before err->where ("/eventList/3" + "/action"); err may be NULL. Returns err's code.
enum pt_code pt_error_under(struct pt_error *err, const char *fmt, ...) PT_PRINTF(2, 3);

// A short lower-case word for a class, for logs and problem documents ("invalid", "unverified", …).
const char *pt_code_name(enum pt_code code);

// Exit status of the command-line tools: 0 good, 1 bad input or unverified, 2 usage, 3 system.
int pt_exit_status(enum pt_code code);

#endif
