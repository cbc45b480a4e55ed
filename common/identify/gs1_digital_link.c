#include "common/identify/gs1_digital_link.h"

#include <string.h>
#include <strings.h>

#include "common/identify/gs1_path.h"
#include "common/identify/percent.h"

#define SEGMENTS_MAX 64u

struct uri_parts {
    struct pt_bytes authority;
    struct pt_bytes path;
    struct pt_bytes query;
};

// The words that earlier editions of the standard allowed in place of AIs.
static const struct {
    const char *word;
    const char *code;
} words[] = {
    {"gtin", "01"},    {"itip", "8006"},  {"cpid", "8010"}, {"gln", "414"},    {"party", "417"}, {"payTo", "415"},
    {"gsrnp", "8017"}, {"gsrn", "8018"},  {"gcn", "255"},   {"sscc", "00"},    {"gdti", "253"},  {"ginc", "401"},
    {"gsin", "402"},   {"grai", "8003"},  {"giai", "8004"}, {"gmn", "8013"},   {"cpv", "22"},    {"lot", "10"},
    {"ser", "21"},     {"tpx", "235"},    {"glnx", "254"},  {"refno", "8020"}, {"srin", "8019"}, {"cpsn", "8011"},
    {"exp", "17"},     {"expdt", "7003"},
};

static struct pt_bytes slice(struct pt_bytes text, size_t from, size_t to) {
    return pt_bytes_of(text.data + from, to - from);
}

static size_t find_any(struct pt_bytes text, size_t from, const char *stops) {
    while (from < text.len && !(text.data[from] && strchr(stops, text.data[from]))) from++;
    return from;
}

bool gs1_is_web_uri(struct pt_bytes text) {
    return (text.len > 7 && strncasecmp((const char *)text.data, "http://", 7) == 0) ||
           (text.len > 8 && strncasecmp((const char *)text.data, "https://", 8) == 0);
}

static enum pt_code split_uri(struct pt_bytes uri, struct uri_parts *parts, struct pt_error *err) {
    if (!gs1_is_web_uri(uri))
        return pt_fail_at(err, PT_INVALID, 0, NULL, "uri: starts neither with http:// nor https://");
    for (size_t i = 0; i < uri.len; i++)
        if (uri.data[i] <= 0x20 || uri.data[i] >= 0x7f)
            return pt_fail_at(err, PT_INVALID, (long)i, NULL, "uri: byte 0x%02x must be percent-encoded", uri.data[i]);
    const size_t host = find_any(uri, 0, "/") + 2;
    const size_t path = find_any(uri, host, "/?#");
    const size_t query = find_any(uri, path, "?#");
    const size_t end = find_any(uri, query, "#");
    if (path == host) return pt_fail_at(err, PT_INVALID, (long)host, NULL, "uri: the host is empty");
    parts->authority = slice(uri, host, path);
    parts->path = slice(uri, path, query);
    parts->query = query < end ? slice(uri, query + 1, end) : slice(uri, end, end);
    return PT_OK;
}

// The AI that a path segment or a query key names: digits, or one of the old words. NULL when it names none.
static const struct gs1_ai *named_ai(struct pt_bytes name, struct pt_bytes *code, bool *word) {
    *word = false;
    *code = name;
    const bool digits = name.len > 0 && name.data[0] >= '0' && name.data[0] <= '9';
    for (size_t i = 0; !digits && i < sizeof words / sizeof *words; i++)
        if (pt_bytes_equal(name, pt_bytes_str(words[i].word))) {
            *code = pt_bytes_str(words[i].code);
            *word = true;
        }
    return gs1_ai_find(*code);
}

// Decodes, pads a short GTIN, checks and appends one element; error positions are offsets in the whole URI.
static enum pt_code add_element(struct pt_bytes uri, struct pt_bytes code, struct pt_bytes encoded,
                                enum gs1_depth depth, struct gs1_elements *out, struct identify_warnings *warnings,
                                struct pt_error *err) {
    char value[GS1_VALUE_MAX + 1];
    size_t len;
    const size_t position = (size_t)(encoded.data - uri.data);
    enum pt_code result = percent_decode(encoded, value, GS1_VALUE_MAX, &len, err);
    if (result != PT_OK) {
        if (err) err->position += (long)position;
        return result;
    }
    size_t padding = 0;
    if (pt_bytes_equal(code, pt_bytes_str("01")) && (len == 8 || len == 12 || len == 13)) {
        padding = 14 - len;
        memmove(value + padding, value, len + 1);
        memset(value, '0', padding);
        identify_warn(warnings, "gtin-padded", "a GTIN-%zu was padded to 14 digits", len);
        len = 14;
    }
    result = gs1_elements_add(out, code, pt_bytes_of(value, len), position, depth, err);
    if (result != PT_OK && err && err->position >= 0) {
        const size_t within = (size_t)err->position - position;
        err->position = (long)(position + percent_offset(encoded, within > padding ? within - padding : 0));
    }
    return result;
}

static size_t split_path(struct pt_bytes path, struct pt_bytes *segments) {
    size_t count = 0;
    for (size_t at = 0; at < path.len; count++) {
        const size_t end = find_any(path, at + 1, "/");
        if (count == SEGMENTS_MAX) return SEGMENTS_MAX + 1;
        segments[count] = slice(path, at + 1, end);
        at = end;
    }
    return count;
}

// The path's end is read backwards in pairs of AI and value: whatever stands before the primary key is the domain
// owner's own prefix, and may look like anything.
static enum pt_code find_key(struct pt_bytes uri, const struct pt_bytes *segments, size_t count, size_t *key,
                             struct pt_error *err) {
    for (size_t at = count; at >= 2; at -= 2) {
        struct pt_bytes code;
        bool word;
        const struct gs1_ai *ai = named_ai(segments[at - 2], &code, &word);
        if (ai && (ai->flags & GS1_KEY)) {
            *key = at - 2;
            return PT_OK;
        }
        if (!ai || !(ai->flags & GS1_QUALIFIER)) break;
    }
    const long position = count ? (long)(segments[0].data - uri.data) : (long)uri.len;
    return pt_fail_at(err, PT_NOT_FOUND, position, NULL, "digital-link: the path ends in no GS1 primary key");
}

static enum pt_code parse_path(struct pt_bytes uri, struct pt_bytes path, enum gs1_depth depth,
                               struct gs1_elements *out, struct identify_warnings *warnings, struct pt_error *err) {
    struct pt_bytes segments[SEGMENTS_MAX] = {{NULL, 0}};
    size_t count = split_path(path, segments);
    if (count > SEGMENTS_MAX)
        return pt_fail_at(err, PT_LIMIT, (long)(path.data - uri.data), NULL, "uri: more than %u path segments",
                          SEGMENTS_MAX);
    if (count % 2 == 1 && segments[count - 1].len == 0) count--; // a trailing slash after whole pairs…
    size_t key = 0;
    enum pt_code result = find_key(uri, segments, count, &key, err);
    if (result != PT_OK && count > 0 && segments[count - 1].len == 0)
        result = find_key(uri, segments, --count, &key, err); // …or after pairs behind an odd prefix
    if (result != PT_OK) return result;
    struct gs1_path order = {0};
    for (size_t at = key; at + 1 < count; at += 2) {
        struct pt_bytes code;
        bool word;
        const struct gs1_ai *ai = named_ai(segments[at], &code, &word);
        const long position = (long)(segments[at].data - uri.data);
        if (word)
            identify_warn(warnings, "digital-link-word",
                          "'%.*s' stands for AI (%.*s); the standard has the number only", (int)segments[at].len,
                          (const char *)segments[at].data, (int)code.len, (const char *)code.data);
        if (at == key) order.key = ai;
        else if (!gs1_path_accepts(&order, code))
            return pt_fail_at(err, PT_INVALID, position, NULL, "digital-link: AI (%.*s) may not follow here",
                              (int)code.len, (const char *)code.data);
        result = add_element(uri, code, segments[at + 1], depth, out, warnings, err);
        if (result != PT_OK) return result;
    }
    return PT_OK;
}

static bool all_digits(struct pt_bytes text) {
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] < '0' || text.data[i] > '9') return false;
    return text.len > 0;
}

static enum pt_code parse_attribute(struct pt_bytes uri, struct pt_bytes pair, struct gs1_elements *out,
                                    struct identify_warnings *warnings, struct pt_error *err) {
    const size_t equals = find_any(pair, 0, "=");
    const struct pt_bytes name = slice(pair, 0, equals);
    struct pt_bytes code;
    bool word;
    const struct gs1_ai *ai = named_ai(name, &code, &word);
    const long position = (long)(pair.data - uri.data);
    if (!ai && !all_digits(name)) return PT_OK; // the domain owner's own parameter, such as linkType
    if (!ai)
        return pt_fail_at(err, PT_INVALID, position, NULL, "ai: there is no AI (%.*s)",
                          (int)(name.len > 8 ? 8 : name.len), (const char *)name.data);
    if (equals == pair.len)
        return pt_fail_at(err, PT_INVALID, position, NULL, "digital-link: attribute (%.*s) has no value", (int)code.len,
                          (const char *)code.data);
    if (!(ai->flags & GS1_ATTRIBUTE))
        return pt_fail_at(err, PT_INVALID, position, NULL,
                          "digital-link: AI (%.*s) belongs into the path, not the query", (int)code.len,
                          (const char *)code.data);
    if (word)
        identify_warn(warnings, "digital-link-word", "'%.*s' stands for AI (%.*s); the standard has the number only",
                      (int)name.len, (const char *)name.data, (int)code.len, (const char *)code.data);
    return add_element(uri, code, slice(pair, equals + 1, pair.len), GS1_CONTENT, out, warnings, err);
}

enum pt_code gs1_digital_link_parse(struct pt_bytes uri, enum gs1_depth depth, struct gs1_elements *out,
                                    struct identify_warnings *warnings, struct pt_error *err) {
    struct uri_parts parts;
    *out = (struct gs1_elements){0};
    enum pt_code result = split_uri(uri, &parts, err);
    if (result == PT_OK) result = parse_path(uri, parts.path, depth, out, warnings, err);
    for (size_t at = 0; result == PT_OK && depth == GS1_CONTENT && at < parts.query.len;) {
        const size_t end = find_any(parts.query, at, "&;");
        if (end > at) result = parse_attribute(uri, slice(parts.query, at, end), out, warnings, err);
        at = end + 1;
    }
    return result;
}

static void append_pair(struct pt_buf *out, const struct gs1_element *element) {
    pt_buf_printf(out, "/%s/", element->code);
    percent_encode(out, pt_bytes_str(element->value));
}

static const struct gs1_element *primary_key(const struct gs1_elements *elements) {
    for (size_t i = 0; i < elements->count; i++)
        if (elements->items[i].ai->flags & GS1_KEY) return &elements->items[i];
    return NULL;
}

static enum pt_code no_key(struct pt_error *err) {
    return pt_fail(err, PT_INVALID, NULL, "digital-link: no element is a GS1 primary key");
}

enum pt_code gs1_digital_link_compose(const struct gs1_elements *elements, struct pt_buf *out, struct pt_error *err) {
    const struct gs1_element *key = primary_key(elements);
    if (!key) return no_key(err);
    bool done[GS1_ELEMENTS_MAX] = {false};
    pt_buf_str(out, GS1_CANONICAL_STEM);
    append_pair(out, key);
    done[key - elements->items] = true;
    const struct gs1_element *qualifiers[GS1_QUALIFIERS_MAX];
    const size_t count = gs1_path_qualifiers(key->ai, elements, qualifiers);
    for (size_t i = 0; i < count; i++) {
        append_pair(out, qualifiers[i]);
        done[qualifiers[i] - elements->items] = true;
    }
    char mark = '?';
    for (;;) {
        const struct gs1_element *next = NULL;
        for (size_t i = 0; i < elements->count; i++)
            if (!done[i] && (!next || strcmp(elements->items[i].code, next->code) < 0)) next = &elements->items[i];
        if (!next) break;
        done[next - elements->items] = true;
        const bool repeated = gs1_elements_find(elements, next->code) != next;
        if (repeated) continue;
        if (!(next->ai->flags & GS1_ATTRIBUTE))
            return pt_fail(err, PT_INVALID, NULL, "digital-link: AI (%s) has no place beside AI (%s)", next->code,
                           key->code);
        pt_buf_printf(out, "%c%s=", mark, next->code);
        percent_encode(out, pt_bytes_str(next->value));
        mark = '&';
    }
    return pt_buf_check(out, err);
}

enum pt_code gs1_digital_link_finest(const struct gs1_elements *elements, struct pt_buf *out, struct pt_error *err) {
    const struct gs1_element *key = primary_key(elements);
    if (!key) return no_key(err);
    pt_buf_str(out, GS1_CANONICAL_STEM);
    append_pair(out, key);
    const struct gs1_element *qualifiers[GS1_QUALIFIERS_MAX];
    const size_t count = gs1_path_qualifiers(key->ai, elements, qualifiers);
    if (count > 0 && strcmp(qualifiers[count - 1]->code, "22") != 0) append_pair(out, qualifiers[count - 1]);
    return pt_buf_check(out, err);
}
