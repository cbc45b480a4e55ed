#include "common/base/log.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/base/time.h"

#define LINE_CEILING ((size_t)16 * 1024)
#define VALUE_CEILING 2048  // longer values are cut, so that a line always ends well

// Set once at start, read by every thread.
static const char *_Atomic log_component = "packtrail";
static _Atomic int log_least = PT_LOG_INFO;

void pt_log_open(const char *component, enum pt_log_level least) {
    atomic_store(&log_component, component);
    atomic_store(&log_least, (int)least);
}

static const char *level_name(enum pt_log_level level) {
    switch (level) {
    case PT_LOG_DEBUG: return "debug";
    case PT_LOG_INFO: return "info";
    case PT_LOG_WARNING: return "warning";
    case PT_LOG_ERROR: return "error";
    }
    return "error";
}

// A va_list in a struct can be handed on and advanced on every machine.
struct arguments {
    va_list list;
};

struct conversion {
    char text[32];  // "%-5.3ld", stars replaced by their values
    char length;    // 'H' hh, 'h', 'l', 'L' ll, 'z', 'j', 't', or 0
    char kind;      // 'd', 's', …
};

// Reads one conversion from *at (behind its '%').
static bool read_conversion(const char **at, struct arguments *arguments, struct conversion *out) {
    size_t len = 0;
    out->text[len++] = '%';
    out->length = 0;
    for (; **at && strchr("-+ #0123456789.*", **at); (*at)++) {
        if (len > sizeof out->text - 16) return false;
        if (**at == '*') len += (size_t)snprintf(out->text + len, 12, "%d", va_arg(arguments->list, int));
        else out->text[len++] = **at;
    }
    for (; **at && strchr("hlzjt", **at); (*at)++) {
        out->length = out->length == 'h' ? 'H' : out->length == 'l' ? 'L' : **at;
        out->text[len++] = **at;
        if (len > sizeof out->text - 4) return false;
    }
    if (!**at) return false;
    out->kind = **at;
    out->text[len++] = *(*at)++;
    out->text[len] = 0;
    return true;
}

static int print_integer(char *room, size_t size, const struct conversion *c, struct arguments *a) {
    switch (c->length) {
    case 'l': return snprintf(room, size, c->text, va_arg(a->list, long));
    case 'L': return snprintf(room, size, c->text, va_arg(a->list, long long));
    case 'z': return snprintf(room, size, c->text, va_arg(a->list, size_t));
    case 'j': return snprintf(room, size, c->text, va_arg(a->list, intmax_t));
    case 't': return snprintf(room, size, c->text, va_arg(a->list, ptrdiff_t));
    default: return snprintf(room, size, c->text, va_arg(a->list, int));
    }
}

static bool print_value(char *room, size_t size, const struct conversion *c, struct arguments *a) {
    room[0] = 0;
    if (strchr("diuxXoc", c->kind)) return print_integer(room, size, c, a) >= 0;
    if (strchr("aAeEfFgG", c->kind)) return snprintf(room, size, c->text, va_arg(a->list, double)) >= 0;
    if (c->kind == 'p') return snprintf(room, size, c->text, va_arg(a->list, void *)) >= 0;
    if (c->kind != 's') return c->kind == '%' && snprintf(room, size, "%%") == 1;
    const char *text = va_arg(a->list, const char *);
    return snprintf(room, size, c->text, text ? text : "") >= 0;
}

// Appends the value of one pair (up to the next space of the format) as a JSON string.
static bool append_value(struct pt_buf *line, const char **at, struct arguments *arguments) {
    char value[VALUE_CEILING + 1];
    size_t len = 0;
    while (**at && **at != ' ') {
        if (**at != '%') {
            if (len < VALUE_CEILING) value[len++] = **at;
            (*at)++;
            continue;
        }
        (*at)++;
        struct conversion conversion;
        if (!read_conversion(at, arguments, &conversion)) return false;
        if (!print_value(value + len, sizeof value - len, &conversion, arguments)) return false;
        len += strlen(value + len);
    }
    pt_json_append_string(line, pt_bytes_of(value, len));
    return true;
}

static void append_fields(struct pt_buf *line, const char *fields, struct arguments *arguments) {
    const char *at = fields;
    while (*at) {
        const size_t key = strcspn(at, "= ");
        if (at[key] != '=') return;
        pt_buf_byte(line, ',');
        pt_json_append_string(line, pt_bytes_of(at, key));
        pt_buf_byte(line, ':');
        at += key + 1;
        if (!append_value(line, &at, arguments)) {
            pt_buf_str(line, "null");
            return;
        }
        while (*at == ' ') at++;
    }
}

static void begin_line(struct pt_buf *line, enum pt_log_level level, const char *event) {
    const struct pt_env *env = pt_env_system();
    const struct pt_instant now = pt_instant_from_millis(env->now(env->ctx));
    pt_buf_str(line, "{\"time\":\"");
    pt_instant_append_utc_ms(line, &now);
    pt_buf_printf(line, "\",\"level\":\"%s\",\"component\":", level_name(level));
    pt_json_append_string(line, pt_bytes_str(atomic_load(&log_component)));
    pt_buf_str(line, ",\"event\":");
    pt_json_append_string(line, pt_bytes_str(event));
}

static void write_line(struct pt_buf *line) {
    pt_buf_str(line, "}\n");
    if (line->failed) {  // too long even with cut values: say at least that something happened
        static const char lost[] = "{\"level\":\"error\",\"event\":\"log-line-lost\"}\n";
        pt_buf_clear(line);
        pt_buf_str(line, lost);
    }
    // Nothing can be done about a log that cannot be written; the work goes on.
    while (write(STDERR_FILENO, line->data, line->len) < 0 && errno == EINTR) {}
}

void pt_log(enum pt_log_level level, const char *event, const char *fields, ...) {
    if ((int)level < atomic_load(&log_least)) return;
    PT_CLEANUP(pt_buf_free) struct pt_buf line = PT_BUF_INIT(LINE_CEILING);
    begin_line(&line, level, event);
    struct arguments arguments;
    va_start(arguments.list, fields);
    append_fields(&line, fields ? fields : "", &arguments);
    va_end(arguments.list);
    write_line(&line);
}

void pt_log_error(const char *event, const struct pt_error *err) {
    if (err->position >= 0)
        pt_log(PT_LOG_ERROR, event, "code=%s where=%s what=%s position=%ld", pt_code_name(err->code), err->where, err->what,
               err->position);
    else pt_log(PT_LOG_ERROR, event, "code=%s where=%s what=%s", pt_code_name(err->code), err->where, err->what);
}
