#include "common/epcis/event_hash_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/identify/gs1_uri.h"

// --- White space ---

// Length in bytes of the white space character that the text begins with, 0 if none. Beyond ASCII: U+0085, U+00A0,
// U+1680, U+2000 to 200A, 2028, 2029, 202F, 205F, 3000 (a Chinese input method's full-width space).
static size_t space_at(const uint8_t *c, size_t len) {
    if (len == 0) return 0;
    if (c[0] <= ' ') return (c[0] >= 0x09 && c[0] <= 0x0d) || c[0] >= 0x1c ? 1 : 0;
    if (c[0] < 0xc2) return 0;
    if (c[0] == 0xc2) return len >= 2 && (c[1] == 0x85 || c[1] == 0xa0) ? 2 : 0;
    if (len < 3) return 0;
    if (c[0] == 0xe1) return c[1] == 0x9a && c[2] == 0x80 ? 3 : 0;
    if (c[0] == 0xe3) return c[1] == 0x80 && c[2] == 0x80 ? 3 : 0;
    if (c[0] != 0xe2) return 0;
    if (c[1] == 0x81) return c[2] == 0x9f ? 3 : 0;
    if (c[1] != 0x80) return 0;
    return c[2] <= 0x8a || c[2] == 0xa8 || c[2] == 0xa9 || c[2] == 0xaf ? 3 : 0;
}

static size_t space_before(const uint8_t *end, size_t len) {
    for (size_t size = 1; size <= 3 && size <= len; size++)
        if (space_at(end - size, size) == size) return size;
    return 0;
}

struct pt_bytes hash_trimmed(const char *text) {
    struct pt_bytes left = pt_bytes_str(text);
    for (size_t size; (size = space_at(left.data, left.len)) > 0;) {
        left.data += size;
        left.len -= size;
    }
    for (size_t size; left.len > 0 && (size = space_before(left.data + left.len, left.len)) > 0;) left.len -= size;
    return left;
}

// --- Numbers ---

enum { MOST_PLACES = 400 };  // no double needs more; a longer text is no quantity

// A decimal number: digits[0] before the point when `point` is 1, and so on; point may lie outside of the digits.
struct decimal {
    bool negative;
    const char *digits;
    long count;
    long point;
};

static void append_decimal(struct pt_buf *out, struct decimal d) {
    while (d.count > 0 && d.digits[0] == '0') {
        d.digits++;
        d.count--;
        d.point--;
    }
    while (d.count > 0 && d.digits[d.count - 1] == '0') d.count--;
    if (d.count == 0) {
        pt_buf_byte(out, '0');
        return;
    }
    if (d.negative) pt_buf_byte(out, '-');
    if (d.point <= 0) {
        pt_buf_str(out, "0.");
        for (long i = d.point; i < 0; i++) pt_buf_byte(out, '0');
        pt_buf_append(out, d.digits, (size_t)d.count);
        return;
    }
    const long whole = d.count < d.point ? d.count : d.point;
    pt_buf_append(out, d.digits, (size_t)whole);
    for (long i = whole; i < d.point; i++) pt_buf_byte(out, '0');
    if (d.count <= d.point) return;
    pt_buf_byte(out, '.');
    pt_buf_append(out, d.digits + d.point, (size_t)(d.count - d.point));
}

static bool is_digit(uint8_t c) { return c >= '0' && c <= '9'; }

// Reads [+-] digits [. digits] [e [+-] digits]; `room` (MOST_PLACES bytes) receives the digits. False for anything
// else and for what would not be written in MOST_PLACES characters.
static bool parse_decimal(struct pt_bytes text, char *room, struct decimal *out) {
    size_t at = 0;
    *out = (struct decimal){.digits = room};
    if (text.len == 0 || text.len > MOST_PLACES) return false;
    if (text.data[0] == '+' || text.data[0] == '-') out->negative = text.data[at++] == '-';
    bool point_seen = false;
    for (; at < text.len && (is_digit(text.data[at]) || (text.data[at] == '.' && !point_seen)); at++) {
        if (text.data[at] == '.') {
            point_seen = true;
            continue;
        }
        room[out->count++] = (char)text.data[at];
        if (!point_seen) out->point++;
    }
    if (out->count == 0) return false;
    if (at < text.len && (text.data[at] == 'e' || text.data[at] == 'E')) {
        at++;
        const bool down = at < text.len && text.data[at] == '-';
        if (at < text.len && (text.data[at] == '+' || down)) at++;
        if (at == text.len) return false;
        long exponent = 0;
        for (; at < text.len && is_digit(text.data[at]) && exponent < 10000; at++)
            exponent = exponent * 10 + (text.data[at] - '0');
        out->point += down ? -exponent : exponent;
    }
    return at == text.len && out->point <= MOST_PLACES && out->point >= -MOST_PLACES;
}

void hash_append_number(struct pt_buf *out, const struct epcis_number *number) {
    if (number->is_integer) {
        pt_buf_printf(out, "%lld", (long long)number->integer);
        return;
    }
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, number->real);
        if (strtod(text, NULL) == number->real) break;
    }
    char room[MOST_PLACES];
    struct decimal decimal;
    if (parse_decimal(pt_bytes_str(text), room, &decimal)) append_decimal(out, decimal);
    else pt_buf_str(out, text);
}

// --- URIs ---

static bool behind(struct pt_bytes text, const char *prefix, struct pt_bytes *rest) {
    const size_t len = strlen(prefix);
    if (text.len < len || memcmp(text.data, prefix, len) != 0) return false;
    *rest = (struct pt_bytes){text.data + len, text.len - len};
    return true;
}

static size_t leading_digits(struct pt_bytes text) {
    size_t count = 0;
    while (count < text.len && is_digit(text.data[count])) count++;
    return count;
}

// Characters of a serial number that a Digital Link writes without an escape.
static bool is_plain_serial(struct pt_bytes serial) {
    if (serial.len < 1 || serial.len > 20) return false;
    for (size_t i = 0; i < serial.len; i++) {
        const uint8_t c = serial.data[i];
        if (!is_digit(c) && !(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') && c != '-' && c != '_') return false;
    }
    return true;
}

bool hash_is_canonical_uri(struct pt_bytes text) {
    struct pt_bytes rest;
    if (behind(text, "urn:packtrail:", &rest)) return true;
    if (!behind(text, "https://id.gs1.org/", &rest)) return false;
    if (behind(rest, "01/", &rest)) {
        if (rest.len < 18 || leading_digits(rest) != 14) return false;
        rest = (struct pt_bytes){rest.data + 14, rest.len - 14};
        return behind(rest, "/21/", &rest) && is_plain_serial(rest);
    }
    if (behind(rest, "00/", &rest)) return rest.len == 18 && leading_digits(rest) == 18;
    return (behind(rest, "414/", &rest) || behind(rest, "417/", &rest)) && rest.len == 13 && leading_digits(rest) == 13;
}

// Prefixes that stand for another in every document: the URNs of EPCIS 1.x and of the XML binding, and the compact IRIs
// of the standard context.
static const char *const replaced[][2] = {
    {"urn:epcglobal:cbv:bizstep:", "https://ref.gs1.org/cbv/BizStep-"},
    {"urn:epcglobal:cbv:disp:", "https://ref.gs1.org/cbv/Disp-"},
    {"urn:epcglobal:cbv:btt:", "https://ref.gs1.org/cbv/BTT-"},
    {"urn:epcglobal:cbv:sdt:", "https://ref.gs1.org/cbv/SDT-"},
    {"urn:epcglobal:cbv:er:", "https://ref.gs1.org/cbv/ER-"},
    {"gs1:", "https://gs1.org/voc/"},
    {"cbv:", "https://ref.gs1.org/cbv/"},
    {"epcis:", "https://ref.gs1.org/epcis/"},
};

// What the text's prefix stands for and the rest behind it; NULL if it has none that is known.
static const char *expansion(const struct epcis_prefixes *prefixes, struct pt_bytes text, struct pt_bytes *rest) {
    for (size_t i = 0; i < prefixes->count; i++) {
        const struct epcis_prefix *p = &prefixes->items[i];
        if (behind(text, p->prefix, rest) && rest->len > 0 && rest->data[0] == ':') {
            *rest = (struct pt_bytes){rest->data + 1, rest->len - 1};
            return p->ns;
        }
    }
    for (size_t i = 0; i < sizeof replaced / sizeof *replaced; i++)
        if (behind(text, replaced[i][0], rest)) return replaced[i][1];
    return NULL;
}

static void append_uri(struct pt_buf *out, struct pt_bytes text) {
    const bool may_be_uri = text.len > 0 && memchr("uUhH", text.data[0], 4);
    if (!may_be_uri || gs1_uri_canonical(text, out, NULL) != PT_OK)
        pt_buf_append_bytes(out, text);
}

void hash_append_text(struct pt_buf *out, const struct epcis_prefixes *prefixes, struct pt_bytes text) {
    if (text.len == 0) return;
    if (hash_is_canonical_uri(text)) {
        pt_buf_append_bytes(out, text);
        return;
    }
    const uint8_t first = text.data[0];
    struct pt_bytes rest;
    const char *ns = expansion(prefixes, text, &rest);
    if (ns) {
        PT_CLEANUP(pt_buf_free) struct pt_buf whole = PT_BUF_INIT(out->ceiling);
        pt_buf_str(&whole, ns);
        pt_buf_append_bytes(&whole, rest);
        append_uri(out, pt_buf_bytes(&whole));
        if (whole.failed) out->failed = true;
    } else if (is_digit(first) || first == '+' || first == '-' || first == '.') {
        char room[MOST_PLACES];
        struct decimal decimal;
        if (parse_decimal(text, room, &decimal)) append_decimal(out, decimal);
        else pt_buf_append_bytes(out, text);
    } else {
        append_uri(out, text);
    }
}

void hash_append_word(struct pt_buf *out, const struct epcis_prefixes *prefixes, enum cbv_vocabulary vocabulary,
                      struct pt_bytes text) {
    char word[128];
    if (text.len >= sizeof word || memchr(text.data, ':', text.len) || text.len == 0) {
        hash_append_text(out, prefixes, text);
        return;
    }
    memcpy(word, text.data, text.len);
    word[text.len] = 0;
    cbv_append_uri(out, vocabulary, word);
}
