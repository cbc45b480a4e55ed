#include "common/identify/epc_urn.h"

#include <string.h>
#include <strings.h>

#include "common/identify/epc_scheme.h"
#include "common/identify/gs1_check.h"
#include "common/identify/percent.h"

#define FIELDS_MAX 5u

struct urn {
    struct pt_bytes text;
    const struct epc_scheme *scheme;
    bool pattern; // idpat: the serial is '*'
    struct pt_bytes fields[FIELDS_MAX];
    size_t count;
};

bool epc_is_urn(struct pt_bytes text) {
    return text.len >= 8 && strncasecmp((const char *)text.data, "urn:epc:", 8) == 0;
}

static bool starts(struct pt_bytes text, const char *prefix) {
    return text.len >= strlen(prefix) && memcmp(text.data, prefix, strlen(prefix)) == 0;
}

static bool all_digits(struct pt_bytes text) {
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] < '0' || text.data[i] > '9') return false;
    return true;
}

static enum pt_code bad(const struct urn *urn, struct pt_bytes where, const char *why, struct pt_error *err) {
    return pt_fail_at(err, PT_INVALID, (long)(where.data - urn->text.data), NULL, "epc-urn: %s %s", urn->scheme->name,
                      why);
}

// How many fields a URN of the scheme has. A serial may itself contain dots, so the last field takes the rest; the
// reference of a CPI cannot, its serial being digits after the last dot is the same split.
static size_t field_count(const struct epc_scheme *scheme) {
    return 2u + (scheme->pieces ? 2u : 0u) + (scheme->serial != EPC_NO_SERIAL ? 1u : 0u);
}

static void split_fields(struct urn *urn, size_t at) {
    const size_t wanted = field_count(urn->scheme);
    while (urn->count < wanted) {
        const uint8_t *from = urn->text.data + at;
        const size_t left = urn->text.len - at;
        const uint8_t *dot = urn->count + 1 < wanted ? memchr(from, '.', left) : NULL;
        const size_t len = dot ? (size_t)(dot - from) : left;
        urn->fields[urn->count++] = pt_bytes_of(from, len);
        at += len + 1;
        if (!dot) break;
    }
}

static enum pt_code read_head(struct urn *urn, struct pt_error *err) {
    const struct pt_bytes rest = pt_bytes_of(urn->text.data + 8, urn->text.len - 8);
    const bool id = starts(rest, "id:");
    const bool class = starts(rest, "class:");
    urn->pattern = starts(rest, "idpat:");
    if (!id && !class && !urn->pattern)
        return pt_fail_at(err, PT_INVALID, 8, NULL, "epc-urn: neither id, class nor idpat");
    const size_t at = 8 + (id ? 3u : 6u);
    const uint8_t *colon = memchr(urn->text.data + at, ':', urn->text.len - at);
    if (!colon) return pt_fail_at(err, PT_INVALID, (long)at, NULL, "epc-urn: there is no scheme");
    urn->scheme = epc_scheme_named(pt_bytes_of(urn->text.data + at, (size_t)(colon - urn->text.data) - at));
    const bool lot = urn->scheme && strcmp(urn->scheme->name, "lgtin") == 0;
    if (!urn->scheme || lot != class)
        return pt_fail_at(err, urn->scheme ? PT_INVALID : PT_NOT_FOUND, (long)at, NULL,
                          "epc-urn: '%.*s' is no scheme of a GS1 key here",
                          (int)(colon - urn->text.data - (long)at > 12 ? 12 : colon - urn->text.data - (long)at),
                          (const char *)urn->text.data + at);
    split_fields(urn, (size_t)(colon - urn->text.data) + 1);
    const size_t wanted = field_count(urn->scheme);
    if (urn->count != wanted)
        return pt_fail_at(err, PT_INVALID, (long)urn->text.len, NULL, "epc-urn: %s has %zu fields, not %zu",
                          urn->scheme->name, wanted, urn->count);
    return PT_OK;
}

// TDS section 6.4: the characters that a URN may not bear as they are.
static bool must_be_escaped(uint8_t c) {
    return strchr("\"&/<>?#", c) != NULL;
}

static enum pt_code decode_text(const struct urn *urn, struct pt_bytes field, char *out, size_t size, size_t *len,
                                struct pt_error *err) {
    for (size_t i = 0; i < field.len; i++)
        if (field.data[i] && must_be_escaped(field.data[i]))
            return bad(urn, pt_bytes_of(field.data + i, 1), "has a character that must be percent-encoded", err);
    const enum pt_code code = percent_decode(field, out, size, len, err);
    if (code != PT_OK && err) err->position += (long)(field.data - urn->text.data);
    return code;
}

// Puts prefix, reference and check digit together as the GS1 key has them.
static enum pt_code build_key(const struct urn *urn, char key[GS1_VALUE_MAX + 1], size_t *len, struct pt_error *err) {
    const struct epc_scheme *scheme = urn->scheme;
    const struct pt_bytes prefix = urn->fields[0];
    const struct pt_bytes reference = urn->fields[1];
    if (prefix.len < EPC_PREFIX_MIN || prefix.len > EPC_PREFIX_MAX || !all_digits(prefix))
        return bad(urn, prefix, "has a company prefix that is not 6 to 12 digits", err);
    *len = strlen(scheme->key_lead);
    memcpy(key, scheme->key_lead, *len);
    if (scheme->form == EPC_TEXT) {
        memcpy(key + *len, prefix.data, prefix.len);
        *len += prefix.len;
        size_t more = 0;
        if (reference.len == 0) return bad(urn, reference, "has an empty reference", err);
        const enum pt_code code = decode_text(urn, reference, key + *len, scheme->digits - prefix.len, &more, err);
        *len += more;
        return code;
    }
    if (prefix.len + reference.len != scheme->digits || !all_digits(reference))
        return bad(urn, reference, "has a reference that does not fill up the company prefix with digits", err);
    const size_t lead = scheme->form == EPC_INDICATOR_DIGITS ? 1 : 0;
    const size_t from = *len;
    memcpy(key + *len, reference.data, lead);
    *len += lead;
    memcpy(key + *len, prefix.data, prefix.len);
    *len += prefix.len;
    memcpy(key + *len, reference.data + lead, reference.len - lead);
    *len += reference.len - lead;
    key[*len] = gs1_check_digit(pt_bytes_of(key + from, *len - from));
    key[++*len] = '\0';
    return PT_OK;
}

static enum pt_code add_pieces(const struct urn *urn, char *key, size_t *len, struct pt_error *err) {
    if (!urn->scheme->pieces) return PT_OK;
    for (size_t i = 2; i < 4; i++) {
        if (urn->fields[i].len != 2 || !all_digits(urn->fields[i]))
            return bad(urn, urn->fields[i], "has a piece or total that is not two digits", err);
        memcpy(key + *len, urn->fields[i].data, 2);
        *len += 2;
    }
    return PT_OK;
}

// The serial, decoded; *absent when the pattern or the scheme says that there is none.
static enum pt_code read_serial(const struct urn *urn, char *serial, size_t size, size_t *len, bool *absent,
                                struct pt_error *err) {
    *len = 0;
    *absent = true;
    serial[0] = '\0';
    if (urn->scheme->serial == EPC_NO_SERIAL)
        return urn->pattern ? bad(urn, urn->fields[0], "has no serial to be a pattern of", err) : PT_OK;
    const struct pt_bytes field = urn->fields[urn->count - 1];
    if (urn->pattern)
        return pt_bytes_equal(field, pt_bytes_str("*")) ? PT_OK
                                                        : bad(urn, field, "is a pattern whose serial is not '*'", err);
    if (field.len == 0) return bad(urn, field, "has an empty serial", err);
    const enum pt_code code = decode_text(urn, field, serial, size, len, err);
    const char *none = urn->scheme->serial_none;
    *absent = code != PT_OK || (none && strcmp(serial, none) == 0);
    return code;
}

static enum pt_code add_elements(const struct urn *urn, char *key, size_t len, enum gs1_depth depth,
                                 struct gs1_elements *out, struct pt_error *err) {
    const struct epc_scheme *scheme = urn->scheme;
    char serial[GS1_VALUE_MAX + 1];
    size_t serial_len;
    bool absent;
    enum pt_code code = read_serial(urn, serial, GS1_VALUE_MAX - len, &serial_len, &absent, err);
    if (code != PT_OK) return code;
    const size_t serial_at = (size_t)(urn->fields[urn->count - 1].data - urn->text.data);
    if (scheme->serial == EPC_SERIAL_IN_KEY) {
        memcpy(key + len, serial, serial_len);
        len += serial_len;
    }
    code = gs1_elements_add(out, pt_bytes_str(scheme->ai), pt_bytes_of(key, len), 0, depth, err);
    if (code != PT_OK) { // the key was put together here: its own offsets mean nothing in the URN
        if (err)
            err->position =
                (long)(scheme->serial == EPC_SERIAL_IN_KEY ? serial_at
                                                           : (size_t)(urn->fields[0].data - urn->text.data));
        return code;
    }
    if (scheme->serial != EPC_SERIAL_AI || absent) return PT_OK;
    return gs1_elements_add(out, pt_bytes_str(scheme->serial_ai), pt_bytes_of(serial, serial_len), serial_at, depth,
                            err);
}

enum pt_code epc_urn_parse(struct pt_bytes text, enum gs1_depth depth, struct gs1_elements *out, enum epc_level *level,
                           unsigned *prefix_length, struct pt_error *err) {
    struct urn urn = {.text = text};
    *out = (struct gs1_elements){0};
    if (!epc_is_urn(text)) return pt_fail_at(err, PT_INVALID, 0, NULL, "epc-urn: does not start with urn:epc:");
    enum pt_code code = read_head(&urn, err);
    char key[GS1_VALUE_MAX + 1];
    size_t len = 0;
    if (code == PT_OK) code = build_key(&urn, key, &len, err);
    if (code == PT_OK) code = add_pieces(&urn, key, &len, err);
    if (code == PT_OK) code = add_elements(&urn, key, len, depth, out, err);
    if (code != PT_OK) return code;
    if (level) *level = urn.pattern || strcmp(urn.scheme->name, "lgtin") == 0 ? EPC_CLASS : EPC_INSTANCE;
    if (prefix_length) *prefix_length = (unsigned)urn.fields[0].len;
    return PT_OK;
}

static void append_escaped(struct pt_buf *out, const char *text) {
    for (; *text; text++) {
        if (*text == '%' || must_be_escaped((uint8_t)*text)) pt_buf_printf(out, "%%%02X", (unsigned char)*text);
        else pt_buf_byte(out, (uint8_t)*text);
    }
}

// The scheme that fits best: the first on a key whose own serial is there, else the first on that key.
static const struct epc_scheme *choose_scheme(const struct gs1_elements *elements, const char **key,
                                              const char **serial) {
    for (size_t e = 0; e < elements->count; e++) {
        const struct epc_scheme *fallback = NULL;
        for (size_t i = 0; i < epc_scheme_count(); i++) {
            const struct epc_scheme *scheme = epc_scheme_at(i);
            if (strcmp(scheme->ai, elements->items[e].code) != 0) continue;
            *key = elements->items[e].value;
            *serial = scheme->serial == EPC_SERIAL_AI ? gs1_elements_value(elements, scheme->serial_ai) : NULL;
            if (*serial || scheme->serial != EPC_SERIAL_AI) return scheme;
            if (!fallback) fallback = scheme;
        }
        if (fallback) return fallback;
    }
    return NULL;
}

static enum pt_code append_body(const struct epc_scheme *scheme, const char *key, unsigned prefix_length,
                                struct pt_buf *out, struct pt_error *err) {
    const char *digits = key + strlen(scheme->key_lead);
    const int prefix = (int)prefix_length;
    if (scheme->form == EPC_TEXT) {
        if (strlen(key) <= prefix_length || strspn(key, "0123456789") < prefix_length)
            return pt_fail(err, PT_INVALID, NULL, "epc-urn: %s is too short for a company prefix of %u digits",
                           scheme->name, prefix_length);
        pt_buf_printf(out, "%.*s.", prefix, key);
        append_escaped(out, key + prefix_length);
        return PT_OK;
    }
    const int lead = scheme->form == EPC_INDICATOR_DIGITS ? 1 : 0;
    const int rest = (int)scheme->digits - lead - prefix;
    pt_buf_printf(out, "%.*s.%.*s%.*s", prefix, digits + lead, lead, digits, rest, digits + lead + prefix);
    if (scheme->pieces) pt_buf_printf(out, ".%.2s.%.2s", key + 14, key + 16);
    return PT_OK;
}

enum pt_code epc_urn_compose(const struct gs1_elements *elements, unsigned prefix_length, struct pt_buf *out,
                             struct pt_error *err) {
    const char *key = NULL;
    const char *serial = NULL;
    if (prefix_length < EPC_PREFIX_MIN || prefix_length > EPC_PREFIX_MAX)
        return pt_fail(err, PT_INVALID, NULL, "epc-urn: a company prefix has 6 to 12 digits, not %u", prefix_length);
    const struct epc_scheme *scheme = choose_scheme(elements, &key, &serial);
    if (!scheme) return pt_fail(err, PT_NOT_FOUND, NULL, "epc-urn: no element is a key with an EPC scheme");
    if (scheme->serial == EPC_SERIAL_IN_KEY && strlen(key) > strlen(scheme->key_lead) + scheme->digits + 1)
        serial = key + strlen(scheme->key_lead) + scheme->digits + 1;
    if (scheme->serial_none && !serial) serial = scheme->serial_none;
    const bool class = strcmp(scheme->name, "lgtin") == 0;
    const bool pattern = scheme->serial != EPC_NO_SERIAL && !serial;
    pt_buf_printf(out, "urn:epc:%s:%s:", class ? "class" : pattern ? "idpat" : "id", scheme->name);
    const enum pt_code code = append_body(scheme, key, prefix_length, out, err);
    if (code != PT_OK) return code;
    if (pattern) pt_buf_str(out, ".*");
    else if (serial) {
        pt_buf_byte(out, '.');
        append_escaped(out, serial);
    }
    return pt_buf_check(out, err);
}
