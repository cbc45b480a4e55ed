#include "common/net/problem.h"

#include <stddef.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/text.h"

static bool is_json_pointer(const char *where) { return where[0] == '/'; }

unsigned problem_status(const struct pt_error *err) {
    switch (err->code) {
    case PT_INVALID:
    case PT_USAGE: return is_json_pointer(err->where) ? 422 : 400;
    case PT_UNVERIFIED: return 422;
    case PT_FORBIDDEN: return 403;
    case PT_LIMIT: return 413;
    case PT_NOT_FOUND: return 404;
    case PT_CONFLICT: return 409;
    case PT_UNAVAILABLE: return 503;
    case PT_OK:
    case PT_IO:
    case PT_NO_MEMORY:
    case PT_INTERNAL: return 500;
    }
    return 500;
}

static const struct {
    unsigned status;
    const char *phrase;
} phrases[] = {
    {100, "Continue"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {422, "Unprocessable Content"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {451, "Unavailable For Legal Reasons"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
};

const char *problem_phrase(unsigned status) {
    for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++)
        if (phrases[i].status == status) return phrases[i].phrase;
    return "Unknown";
}

static void append_member(struct pt_buf *out, const char *key, const char *value) {
    pt_buf_printf(out, ",\"%s\":", key);
    pt_json_append_string(out, pt_bytes_str(value));
}

void problem_append(struct pt_buf *out, const struct pt_error *err) {
    const unsigned status = problem_status(err);
    pt_buf_printf(out, "{\"type\":\"urn:packtrail:problem:%s\",\"title\":\"%s\",\"status\":%u",
                  pt_code_name(status == 500 ? PT_INTERNAL : err->code), problem_phrase(status), status);
    if (status != 500) {
        append_member(out, "detail", err->what);
        if (is_json_pointer(err->where)) append_member(out, "pointer", err->where);
        if (err->position >= 0) pt_buf_printf(out, ",\"position\":%ld", err->position);
    }
    pt_buf_byte(out, '}');
}

void problem_append_status(struct pt_buf *out, unsigned status, const char *detail) {
    pt_buf_printf(out, "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%u", problem_phrase(status), status);
    if (detail) append_member(out, "detail", detail);
    pt_buf_byte(out, '}');
}
