#include "common/base/config.h"

#include <errno.h>
#include <ini.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/disk.h"
#include "common/base/text.h"

#define FILE_CEILING ((size_t)1024 * 1024)
#define LINE_CEILING 8192

struct reading {
    const char *path;
    const struct pt_config_key *keys;
    size_t count;
    bool *seen;  // one a key
    struct pt_bytes rest;
    unsigned line;
    enum pt_code code;  // the first error, which the parser's own must not hide
    struct pt_error *err;
};

static enum pt_code fail_line(struct reading *reading, const char *fmt, ...) PT_PRINTF(2, 3);

static enum pt_code fail_line(struct reading *reading, const char *fmt, ...) {
    char what[256];
    char where[256];
    va_list args;
    va_start(args, fmt);
    vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    if (reading->line > 0) snprintf(where, sizeof where, "%.240s:%u", reading->path, reading->line);
    else snprintf(where, sizeof where, "%.240s", reading->path ? reading->path : "default");
    reading->code = pt_fail(reading->err, PT_USAGE, where, "%s", what);
    return reading->code;
}

struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit byte_units[] = {{"", 1}, {"k", 1024}, {"m", 1024 * 1024}, {"g", 1024 * 1024 * 1024}, {NULL, 0}};
static const struct unit time_units[] = {{"ms", 1},       {"s", 1000},     {"min", 60000},
                                         {"h", 3600000}, {"d", 86400000}, {NULL, 0}};
static const struct unit no_units[] = {{"", 1}, {NULL, 0}};

// Digits, then a unit of the table; a lone 0 needs none.
static bool parse_number(const char *text, const struct unit *units, int64_t *out) {
    const char *digits = text + (*text == '-');
    const size_t len = strspn(digits, "0123456789");
    if (len == 0) return false;
    errno = 0;
    const long long value = strtoll(text, NULL, 10);
    if (errno != 0) return false;
    if (value == 0 && digits[len] == 0) return *out = 0, true;
    for (; units->name; units++)
        if (strcmp(digits + len, units->name) == 0) return !__builtin_mul_overflow(value, units->factor, out);
    return false;
}

static enum pt_code set_number(struct reading *reading, const struct pt_config_key *key, const char *value) {
    const struct unit *units = key->type == PT_CONFIG_BYTES    ? byte_units
                               : key->type == PT_CONFIG_MILLIS ? time_units
                                                               : no_units;
    int64_t number;
    if (!parse_number(value, units, &number))
        return fail_line(reading, "%s: '%.80s' is not a %s", key->name, value,
                         key->type == PT_CONFIG_BYTES    ? "size (such as 64k, 1m, 2g)"
                         : key->type == PT_CONFIG_MILLIS ? "time (such as 500ms, 10s, 5min, 2h)"
                                                         : "whole number");
    const bool bounded = key->least != 0 || key->most != 0;
    if (bounded && (number < key->least || number > key->most))
        return fail_line(reading, "%s: %.80s is outside %lld to %lld%s", key->name, value, (long long)key->least,
                         (long long)key->most, key->type == PT_CONFIG_MILLIS ? " milliseconds" : "");
    *key->number = number;
    return PT_OK;
}

static enum pt_code set_text(struct reading *reading, const struct pt_config_key *key, const char *value) {
    const size_t len = strlen(value);
    if (key->most != 0 && (len < (size_t)key->least || len > (size_t)key->most))
        return fail_line(reading, "%s: needs %lld to %lld bytes", key->name, (long long)key->least, (long long)key->most);
    if (!pt_utf8_valid(pt_bytes_str(value))) return fail_line(reading, "%s: not UTF-8", key->name);
    const char *slash = reading->path ? strrchr(reading->path, '/') : NULL;
    const bool relative = key->type == PT_CONFIG_PATH && value[0] != '/' && value[0] != 0 && slash;
    char *text = NULL;
    if (relative) {
        if (asprintf(&text, "%.*s/%s", (int)(slash - reading->path), reading->path, value) < 0) text = NULL;
    } else {
        text = strdup(value);
    }
    if (!text) return reading->code = pt_fail(reading->err, PT_NO_MEMORY, key->name, "out of memory");
    free(*key->text);
    *key->text = text;
    return PT_OK;
}

static enum pt_code set_flag(struct reading *reading, const struct pt_config_key *key, const char *value) {
    if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
        return fail_line(reading, "%s: '%.80s' is neither yes nor no", key->name, value);
    *key->flag = strcmp(value, "yes") == 0;
    return PT_OK;
}

static enum pt_code set_value(struct reading *reading, const struct pt_config_key *key, const char *value) {
    switch (key->type) {
    case PT_CONFIG_TEXT:
    case PT_CONFIG_PATH: return set_text(reading, key, value);
    case PT_CONFIG_BOOL: return set_flag(reading, key, value);
    case PT_CONFIG_NUMBER:
    case PT_CONFIG_BYTES:
    case PT_CONFIG_MILLIS: return set_number(reading, key, value);
    }
    return fail_line(reading, "%s: unknown type", key->name);
}

// inih's handler: non-zero is success.
static int on_pair(void *user, const char *section, const char *name, const char *value) {
    struct reading *reading = user;
    if (reading->code != PT_OK) return 0;
    for (size_t i = 0; i < reading->count; i++) {
        const struct pt_config_key *key = &reading->keys[i];
        if (strcmp(key->section, section) != 0 || strcmp(key->name, name) != 0) continue;
        if (reading->seen[i]) return fail_line(reading, "[%s] %s is there twice", section, name), 0;
        reading->seen[i] = true;
        return set_value(reading, key, value) == PT_OK;
    }
    return fail_line(reading, "there is no key '%.60s' in section [%.60s]", name, section), 0;
}

// inih's line source, in the manner of fgets: counts lines, and refuses one that would be cut in two.
static char *next_line(char *room, int size, void *stream) {
    struct reading *reading = stream;
    if (reading->rest.len == 0 || reading->code != PT_OK) return NULL;
    reading->line++;
    const uint8_t *end = memchr(reading->rest.data, '\n', reading->rest.len);
    const size_t len = end ? (size_t)(end - reading->rest.data) + 1 : reading->rest.len;
    if (len + 3 > (size_t)size || memchr(reading->rest.data, 0, len)) {
        fail_line(reading, len + 3 > (size_t)size ? "the line is too long" : "a NUL byte");
        return NULL;
    }
    memcpy(room, reading->rest.data, len);
    room[len] = 0;
    reading->rest = pt_bytes_of(reading->rest.data + len, reading->rest.len - len);
    return room;
}

static enum pt_code parse_text(struct reading *reading) {
    ini_use_stack = false;
    ini_max_line = ini_initial_alloc = LINE_CEILING;
    ini_allow_multiline = false;        // an indented key is a key
    ini_allow_inline_comments = false;  // a value may hold ';'
    ini_stop_on_first_error = true;
    const int bad_line = ini_parse_stream(next_line, reading, on_pair, reading);
    if (reading->code != PT_OK) return reading->code;
    if (bad_line < 0) return pt_fail(reading->err, PT_NO_MEMORY, reading->path, "out of memory");
    if (bad_line == 0) return PT_OK;
    reading->line = (unsigned)bad_line;
    return fail_line(reading, "neither [section] nor key = value");
}

static enum pt_code load(struct reading *reading) {
    for (size_t i = 0; i < reading->count; i++) {
        const struct pt_config_key *key = &reading->keys[i];
        if (key->initial && set_value(reading, key, key->initial) != PT_OK) return reading->code;
    }
    PT_CLEANUP(pt_buf_free) struct pt_buf content = PT_BUF_INIT(FILE_CEILING);
    if (reading->path) {
        enum pt_code code = pt_file_read(reading->path, &content, reading->err);
        if (code != PT_OK) return code;
        reading->rest = pt_buf_bytes(&content);
        code = parse_text(reading);
        if (code != PT_OK) return code;
    }
    reading->line = 0;
    for (size_t i = 0; i < reading->count; i++)
        if (!reading->keys[i].initial && !reading->seen[i])
            return fail_line(reading, "[%s] %s is required: %s", reading->keys[i].section, reading->keys[i].name,
                             reading->keys[i].help);
    return PT_OK;
}

enum pt_code pt_config_load(const char *path, const struct pt_config_key *keys, size_t count, struct pt_error *err) {
    PT_FREE bool *seen = calloc(count ? count : 1, sizeof *seen);
    if (!seen) return pt_fail(err, PT_NO_MEMORY, path, "out of memory");
    struct reading reading = {.path = path, .keys = keys, .count = count, .seen = seen, .code = PT_OK, .err = err};
    for (size_t i = 0; i < count; i++)
        if (keys[i].text) *keys[i].text = NULL;
    const enum pt_code code = load(&reading);
    if (code != PT_OK) pt_config_free(keys, count);
    return code;
}

void pt_config_free(const struct pt_config_key *keys, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (!keys[i].text) continue;
        free(*keys[i].text);
        *keys[i].text = NULL;
    }
}

void pt_config_describe(const struct pt_config_key *keys, size_t count, struct pt_buf *out) {
    const char *section = "";
    for (size_t i = 0; i < count; i++) {
        if (strcmp(section, keys[i].section) != 0) {
            section = keys[i].section;
            pt_buf_printf(out, "%s[%s]\n", i > 0 ? "\n" : "", section);
        }
        pt_buf_printf(out, "# %s%s\n", keys[i].help, keys[i].initial ? "" : " (required)");
        pt_buf_printf(out, "%s%s = %s\n", keys[i].initial ? "" : "#", keys[i].name, keys[i].initial ? keys[i].initial : "");
    }
}
