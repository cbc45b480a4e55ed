#include "common/identify/cn_trace.h"

#include <string.h>

#include "common/identify/gs1_check.h"

static bool is_digit(uint8_t c) {
    return c >= '0' && c <= '9';
}

enum pt_code cn_trace_parse(struct pt_bytes code, struct pack_id *out, struct pt_error *err) {
    *out = (struct pack_id){0};
    for (size_t i = 0; i < code.len; i++)
        if (!is_digit(code.data[i]))
            return pt_fail_at(err, PT_INVALID, (long)i, NULL, "cn-trace: a trace code has digits only");
    if (code.len != CN_TRACE_DIGITS)
        return pt_fail_at(err, PT_INVALID, (long)(code.len < CN_TRACE_DIGITS ? code.len : CN_TRACE_DIGITS), NULL,
                          "cn-trace: a trace code has 20 digits, not %zu", code.len);
    if (code.data[0] != '8') return pt_fail_at(err, PT_INVALID, 0, NULL, "cn-trace: a trace code starts with 8");
    out->kind = PACK_CN_TRACE;
    memcpy(out->product, code.data, CN_DRUG_DIGITS);
    memcpy(out->serial, code.data + CN_DRUG_DIGITS, CN_TRACE_DIGITS - CN_DRUG_DIGITS);
    return PT_OK;
}

bool cn_scheme_name_valid(struct pt_bytes name) {
    for (size_t i = 0; i < name.len; i++) {
        const uint8_t c = name.data[i];
        if (!is_digit(c) && !(c >= 'a' && c <= 'z') && c != '-') return false;
    }
    return name.len > 0 && name.len <= PACK_PRODUCT_MAX;
}

static bool in_set(enum cn_charset set, uint8_t c) {
    const bool upper = c >= 'A' && c <= 'Z';
    const bool lower = c >= 'a' && c <= 'z';
    switch (set) {
    case CN_SET_DIGITS: return is_digit(c);
    case CN_SET_UPPER: return is_digit(c) || upper;
    case CN_SET_ALNUM: return is_digit(c) || upper || lower;
    case CN_SET_GB_1988: return c > 0x20 && c < 0x7f;
    }
    return false;
}

static bool mod_10_right(struct pt_bytes code) {
    for (size_t i = 0; i < code.len; i++)
        if (!is_digit(code.data[i])) return false;
    return code.len > 1 && (char)code.data[code.len - 1] == gs1_check_digit(pt_bytes_of(code.data, code.len - 1));
}

// ISO/IEC 7064 pure system MOD 37-2: the sum over all characters, each doubled on, must leave 1.
static bool mod_37_2_right(struct pt_bytes code) {
    unsigned sum = 0;
    for (size_t i = 0; i < code.len; i++) {
        const uint8_t c = code.data[i];
        unsigned value;
        if (is_digit(c)) value = (unsigned)(c - '0');
        else if (c >= 'A' && c <= 'Z') value = (unsigned)(c - 'A') + 10;
        else if (c == '*' && i + 1 == code.len) value = 36;
        else return false;
        sum = (sum * 2 + value) % 37;
    }
    return code.len > 1 && sum == 1;
}

enum pt_code cn_company_parse(const struct cn_scheme *scheme, struct pt_bytes code, struct pack_id *out,
                              struct pt_error *err) {
    *out = (struct pack_id){0};
    const char *name = scheme->name;
    if (!cn_scheme_name_valid(pt_bytes_str(name)))
        return pt_fail(err, PT_INVALID, NULL, "cn-company: the scheme's name is not valid");
    if (code.len < scheme->min || code.len > scheme->max || code.len == 0 || code.len > PACK_SERIAL_MAX)
        return pt_fail_at(err, PT_INVALID, 0, NULL, "cn-company: scheme %s has codes of %u to %u characters, not %zu",
                          name, scheme->min, scheme->max, code.len);
    const size_t prefix = strlen(scheme->prefix);
    if (code.len < prefix || memcmp(code.data, scheme->prefix, prefix) != 0)
        return pt_fail_at(err, PT_INVALID, 0, NULL, "cn-company: scheme %s has codes that start with %s", name,
                          scheme->prefix);
    const bool starred = scheme->check == CN_CHECK_MOD_37 && code.data[code.len - 1] == '*';
    for (size_t i = 0; i < code.len - (starred ? 1 : 0); i++)
        if (!in_set(scheme->charset, code.data[i]))
            return pt_fail_at(err, PT_INVALID, (long)i, NULL, "cn-company: scheme %s does not have byte 0x%02x", name,
                              code.data[i]);
    if ((scheme->check == CN_CHECK_MOD_10 && !mod_10_right(code)) ||
        (scheme->check == CN_CHECK_MOD_37 && !mod_37_2_right(code)))
        return pt_fail_at(err, PT_INVALID, (long)code.len - 1, NULL, "cn-company: wrong check character for scheme %s",
                          name);
    out->kind = PACK_CN_COMPANY;
    memcpy(out->product, scheme->name, sizeof out->product);
    memcpy(out->serial, code.data, code.len);
    return PT_OK;
}

bool cn_is_product_code(struct pt_bytes code) {
    return code.len == 13 && code.data[0] == '6' && code.data[1] == '9' && mod_10_right(code);
}
