#include "common/epcis/epcis_check.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#include "common/base/cleanup.h"
#include "common/epcis/cbv.h"

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_hex(char c) { return is_digit(c) || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f'); }
static bool is_alpha(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

// Skips characters of RFC 3986's pchar and those in `more`.
static const char *skip_uri_characters(const char *p, const char *more) {
    for (; *p; p++) {
        if (*p == '%') {
            if (!is_hex(p[1]) || !is_hex(p[2])) return p;
            p += 2;
        } else if (!is_alpha(*p) && !is_digit(*p) && !strchr("-._~!$&'()*+,;=", *p) && !strchr(more, *p)) {
            return p;
        }
    }
    return p;
}

// An authority behind "//"; NULL if it is malformed. Sets whether there is a host.
static const char *skip_authority(const char *p, bool *has_host) {
    const char *end = p + strcspn(p, "/?#");
    const char *at = memchr(p, '@', (size_t)(end - p));
    if (at) {
        if (skip_uri_characters(p, ":") != at) return NULL;
        p = at + 1;
    }
    const char *host = p;
    if (*p == '[') {
        for (p++; is_hex(*p) || *p == ':' || *p == '.'; p++) {}
        if (*p != ']') return NULL;
        p++;
    } else {
        p = skip_uri_characters(p, "");
    }
    *has_host = p > host;
    if (*p == ':')
        for (p++; is_digit(*p); p++) {}
    return p == end ? p : NULL;
}

static bool is_urn_body(const char *p) {
    const char *colon = strchr(p, ':');
    if (!colon || colon == p || colon[1] == 0 || !(is_alpha(*p) || is_digit(*p))) return false;
    for (; p < colon; p++)
        if (!is_alpha(*p) && !is_digit(*p) && *p != '-') return false;
    return true;
}

bool epcis_is_uri(const char *text) {
    if (!is_alpha(text[0])) return false;
    const char *p = text + 1;
    while (is_alpha(*p) || is_digit(*p) || *p == '+' || *p == '-' || *p == '.') p++;
    if (*p != ':') return false;
    const size_t scheme = (size_t)(p - text);
    p++;
    const bool web = (scheme == 4 && strncasecmp(text, "http", 4) == 0) || (scheme == 5 && strncasecmp(text, "https", 5) == 0);
    if (scheme == 3 && strncasecmp(text, "urn", 3) == 0 && !is_urn_body(p)) return false;
    bool has_host = false;
    if (p[0] == '/' && p[1] == '/') {
        p = skip_authority(p + 2, &has_host);
        if (!p) return false;
    }
    if (web && !has_host) return false;
    p = skip_uri_characters(p, ":@/");
    if (*p == '?') p = skip_uri_characters(p + 1, ":@/?");
    if (*p == '#') p = skip_uri_characters(p + 1, ":@/?");
    return *p == 0;
}

static bool starts_with(const char *text, const char *prefix) { return strncasecmp(text, prefix, strlen(prefix)) == 0; }

// The bare word is the only spelling of a standard word; other URIs are the users' own. The schema lets compact IRIs
// ("cbv:BizStep-…") pass, since they look like URIs.
static enum pt_code check_word(enum cbv_vocabulary vocabulary, const char *what, const char *text, struct pt_error *err) {
    if (cbv_is_word(vocabulary, text)) return PT_OK;
    const bool web_vocabulary = vocabulary == CBV_MEASUREMENT || vocabulary == CBV_SENSOR_ALERT;
    const bool reserved =
        web_vocabulary ? starts_with(text, "https://gs1.org/voc/") || starts_with(text, "http://gs1.org/voc/") ||
                             starts_with(text, "https://www.gs1.org/voc/") || starts_with(text, "http://www.gs1.org/voc/")
                       : starts_with(text, "urn:epcglobal:cbv") || starts_with(text, "https://ns.gs1.org/cbv/") ||
                             starts_with(text, "http://ns.gs1.org/cbv/");
    if (reserved)
        return pt_fail(err, PT_INVALID, NULL, "a standard %s is written as a bare word in JSON, not '%s'", what, text);
    if (!epcis_is_uri(text))
        return pt_fail(err, PT_INVALID, NULL, "'%s' is neither a standard %s nor a URI", text, what);
    return PT_OK;
}

static bool is_uom(const char *text) {
    const size_t len = strlen(text);
    for (size_t i = 0; i < len; i++)
        if (!is_digit(text[i]) && !(text[i] >= 'A' && text[i] <= 'Z')) return false;
    return len == 2 || len == 3;
}

static bool is_hex_text(const char *text) {
    size_t len = 0;
    while (is_hex(text[len])) len++;
    return len > 0 && text[len] == 0;
}

enum pt_code epcis_check_text(enum epcis_rule rule, const char *text, struct pt_error *err) {
    switch (rule) {
    case RULE_ANY:
    case RULE_NOT_NEGATIVE: return PT_OK;
    case RULE_URI:
        return epcis_is_uri(text) ? PT_OK : pt_fail(err, PT_INVALID, NULL, "'%s' is not a URI", text);
    case RULE_UOM:
        return is_uom(text) ? PT_OK
                            : pt_fail(err, PT_INVALID, NULL, "'%s' is not a unit of UN/CEFACT Recommendation 20", text);
    case RULE_HEX:
        return is_hex_text(text) ? PT_OK : pt_fail(err, PT_INVALID, NULL, "'%s' is not hexadecimal", text);
    case RULE_BIZ_STEP: return check_word(CBV_BIZ_STEP, "business step", text, err);
    case RULE_DISPOSITION: return check_word(CBV_DISPOSITION, "disposition", text, err);
    case RULE_BIZ_TRANSACTION_TYPE: return check_word(CBV_BIZ_TRANSACTION_TYPE, "business transaction type", text, err);
    case RULE_SOURCE_DEST_TYPE: return check_word(CBV_SOURCE_DEST_TYPE, "source or destination type", text, err);
    case RULE_ERROR_REASON: return check_word(CBV_ERROR_REASON, "error reason", text, err);
    case RULE_MEASUREMENT: return check_word(CBV_MEASUREMENT, "measurement type", text, err);
    case RULE_SENSOR_ALERT: return check_word(CBV_SENSOR_ALERT, "sensor alert type", text, err);
    case RULE_COMPONENT: return check_word(CBV_COMPONENT, "component", text, err);
    }
    return pt_fail(err, PT_INTERNAL, NULL, "no such rule");
}

enum pt_code epcis_check_number(enum epcis_rule rule, const struct epcis_number *number, struct pt_error *err) {
    if (!number->is_integer && !isfinite(number->real)) return pt_fail(err, PT_INVALID, NULL, "not a finite number");
    const bool negative = number->is_integer ? number->integer < 0 : number->real < 0;
    if (rule == RULE_NOT_NEGATIVE && negative) return pt_fail(err, PT_INVALID, NULL, "must not be negative");
    return PT_OK;
}

struct keyed_text {
    uint64_t hash;
    const char *text;
    size_t index;
};

static uint64_t hash_text(const char *text) {
    uint64_t hash = 14695981039346656037u;  // FNV-1a
    for (; *text; text++) hash = (hash ^ (uint8_t)*text) * 1099511628211u;
    return hash;
}

static int by_text(const void *left, const void *right) {
    const struct keyed_text *a = left;
    const struct keyed_text *b = right;
    if (a->hash != b->hash) return a->hash < b->hash ? -1 : 1;
    const int order = strcmp(a->text, b->text);
    if (order != 0) return order;
    return a->index < b->index ? -1 : 1;
}

// The first item that occurs before itself; count if there is none. Sorted, not hashed into a table: texts chosen to
// collide must not make 100,000 EPCs quadratic.
static enum pt_code find_repeated(const struct epcis_texts *texts, size_t *index, struct pt_error *err) {
    *index = texts->count;
    if (texts->count < 2) return PT_OK;
    PT_FREE struct keyed_text *keyed = calloc(texts->count, sizeof *keyed);
    if (!keyed) return pt_fail(err, PT_NO_MEMORY, NULL, "no memory to compare %zu items", texts->count);
    for (size_t i = 0; i < texts->count; i++)
        keyed[i] = (struct keyed_text){hash_text(texts->items[i]), texts->items[i], i};
    qsort(keyed, texts->count, sizeof *keyed, by_text);
    for (size_t i = 1; i < texts->count; i++)
        if (keyed[i].hash == keyed[i - 1].hash && strcmp(keyed[i].text, keyed[i - 1].text) == 0 && keyed[i].index < *index)
            *index = keyed[i].index;
    return PT_OK;
}

enum pt_code epcis_check_texts(const struct epcis_field *field, const struct epcis_texts *texts, struct pt_error *err) {
    if (field->filled && texts->count == 0) return pt_fail(err, PT_INVALID, NULL, "must have at least one item");
    for (size_t i = 0; i < texts->count; i++) {
        const enum pt_code code = epcis_check_text(field->rule, texts->items[i], err);
        if (code != PT_OK) {
            pt_error_under(err, "/%zu", i);
            return code;
        }
    }
    if (!field->unique) return PT_OK;
    size_t repeated;
    const enum pt_code code = find_repeated(texts, &repeated, err);
    if (code != PT_OK || repeated == texts->count) return code;
    pt_fail(err, PT_INVALID, NULL, "'%s' occurs twice", texts->items[repeated]);
    pt_error_under(err, "/%zu", repeated);
    return PT_INVALID;
}

static void append_token(struct pt_buf *out, const char *text) {
    for (; *text; text++) {
        if (*text == '~') pt_buf_str(out, "~0");
        else if (*text == '/') pt_buf_str(out, "~1");
        else pt_buf_byte(out, (uint8_t)*text);
    }
}

enum pt_code epcis_fail_at_name(struct pt_error *err, const char *prefix, const char *name, const char *what) {
    PT_CLEANUP(pt_buf_free) struct pt_buf token = PT_BUF_INIT(4096);
    pt_buf_byte(&token, '/');
    if (prefix) {
        append_token(&token, prefix);
        pt_buf_byte(&token, ':');
    }
    append_token(&token, name);
    return pt_fail(err, PT_INVALID, pt_buf_cstr(&token), "%s", what);
}

enum pt_code epcis_error_under_name(struct pt_error *err, const char *name) {
    PT_CLEANUP(pt_buf_free) struct pt_buf token = PT_BUF_INIT(4096);
    append_token(&token, name);
    return pt_error_under(err, "/%s", pt_buf_cstr(&token));
}
