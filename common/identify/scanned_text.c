#include "common/identify/scanned_text.h"

#include <string.h>

static const struct {
    const char *spelling;
    bool lawful; // could also be a value's own characters
} separators[] = {
    {"\x1d", false},         {"^", false},   {"{GS}", false},  {"{FNC1}", false}, {"[GS]", false}, {"[FNC1]", false},
    {"\xe2\x90\x9d", false}, {"<GS>", true}, {"<FNC1>", true},
};

enum symbol_kind symbol_kind_of(struct pt_bytes identifier) {
    if (identifier.len < 3 || identifier.data[0] != ']') return SYMBOL_UNKNOWN;
    static const char *const gs1[] = {"]C1", "]e0", "]e1", "]e2", "]d2", "]Q3", "]J1"};
    for (size_t i = 0; i < sizeof gs1 / sizeof *gs1; i++)
        if (memcmp(identifier.data, gs1[i], 3) == 0) return SYMBOL_GS1;
    const uint8_t letter = identifier.data[1];
    const uint8_t modifier = identifier.data[2];
    if (letter == 'E' && modifier >= '0' && modifier <= '4') return SYMBOL_EAN;
    const bool letter_good = (letter >= 'A' && letter <= 'Z') || (letter >= 'a' && letter <= 'z');
    const bool modifier_good = (modifier >= '0' && modifier <= '9') || (modifier >= 'a' && modifier <= 'z') ||
                               (modifier >= 'A' && modifier <= 'Z');
    return letter_good && modifier_good ? SYMBOL_PLAIN : SYMBOL_UNKNOWN;
}

static size_t separator_at(struct pt_bytes input, size_t at, bool *lawful) {
    for (size_t i = 0; i < sizeof separators / sizeof *separators; i++) {
        const size_t len = strlen(separators[i].spelling);
        if (input.len - at >= len && memcmp(input.data + at, separators[i].spelling, len) == 0) {
            *lawful = separators[i].lawful;
            return len;
        }
    }
    return 0;
}

static enum pt_code read_identifier(struct pt_bytes *input, size_t *start, const char *symbology,
                                    struct scanned_text *out, struct pt_error *err) {
    const struct pt_bytes told = pt_bytes_str(symbology);
    if (told.len > 0 && (told.len != 3 || symbol_kind_of(told) == SYMBOL_UNKNOWN))
        return pt_fail(err, PT_USAGE, "symbology", "symbology: '%s' is no AIM symbology identifier such as ]d2",
                       symbology);
    const enum symbol_kind kind = symbol_kind_of(*input);
    if (kind != SYMBOL_UNKNOWN) {
        if (told.len > 0 && memcmp(told.data, input->data, 3) != 0)
            return pt_fail_at(err, PT_INVALID, 0, NULL, "symbology: the text says %.3s, the reader %s",
                              (const char *)input->data, symbology);
        memcpy(out->symbology, input->data, 3);
        *start = 3;
    } else if (told.len > 0) {
        memcpy(out->symbology, told.data, 3);
    }
    out->kind = out->symbology[0] ? symbol_kind_of(pt_bytes_str(out->symbology)) : SYMBOL_UNKNOWN;
    return PT_OK;
}

enum pt_code scanned_text_read(struct pt_bytes input, const char *symbology, struct scanned_text *out,
                               struct identify_warnings *warnings, struct pt_error *err) {
    size_t at = 0;
    out->kind = SYMBOL_UNKNOWN;
    memset(out->symbology, 0, sizeof out->symbology);
    out->len = 0;
    while (input.len > 0 && strchr("\r\n\t", input.data[input.len - 1]) && input.data[input.len - 1]) input.len--;
    const enum pt_code code = read_identifier(&input, &at, symbology, out, err);
    if (code != PT_OK) return code;
    if (input.len > SCANNED_TEXT_MAX)
        return pt_fail_at(err, PT_LIMIT, SCANNED_TEXT_MAX, NULL, "length: more than %u bytes", SCANNED_TEXT_MAX);
    while (at < input.len) {
        bool lawful = false;
        const size_t separator = separator_at(input, at, &lawful);
        if (lawful)
            identify_warn(warnings, "separator-spelling", "%.*s at byte %zu was read as the separator FNC1",
                          (int)separator, (const char *)input.data + at, at);
        out->from[out->len] = (uint16_t)at;
        out->bytes[out->len++] = separator ? FNC1 : input.data[at];
        at += separator ? separator : 1;
    }
    out->from[out->len] = (uint16_t)input.len;
    out->bytes[out->len] = 0;
    if (out->len == 0) return pt_fail_at(err, PT_INVALID, (long)input.len, NULL, "empty: there is nothing to identify");
    return PT_OK;
}
