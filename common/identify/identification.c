#include "common/identify/identification.h"

#include <string.h>

#include "common/identify/epc_binary.h"
#include "common/identify/gs1_check.h"
#include "common/identify/gs1_digital_link.h"
#include "common/identify/gs1_element_string.h"
#include "common/identify/reading.h"
#include "common/identify/wedge_repair.h"

static struct pt_bytes text_bytes(const struct scanned_text *text) {
    return pt_bytes_of(text->bytes, text->len);
}

static void forget(struct identification *out) {
    *out = (struct identification){0};
}

static bool all_digits(struct pt_bytes text) {
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] < '0' || text.data[i] > '9') return false;
    return text.len > 0;
}

static bool product_length(size_t len) {
    return len == 8 || len == 12 || len == 13 || len == 14;
}

// EAN-8, UPC-A, EAN-13 and ITF-14: the same on every pack of a product.
static enum pt_code read_product_code(const struct scanned_text *text, struct identification *out,
                                      struct pt_error *err) {
    const struct pt_bytes digits = text_bytes(text);
    if (!all_digits(digits) || !product_length(digits.len))
        return pt_fail_at(err, PT_INVALID, text->from[0], NULL, "product-code: not 8, 12, 13 or 14 digits");
    if ((char)digits.data[digits.len - 1] != gs1_check_digit(pt_bytes_of(digits.data, digits.len - 1)))
        return pt_fail_at(err, PT_INVALID, text->from[digits.len - 1], NULL,
                          "csum: the product code has a wrong check digit");
    out->scheme = IDENTIFY_PRODUCT_CODE;
    memset(out->gtin, '0', 14);
    memcpy(out->gtin + 14 - digits.len, digits.data, digits.len);
    if (cn_is_product_code(digits))
        identify_warn(&out->warnings, "product-code",
                      "product code, not a trace code (商品条码，不是追溯码); scan the pack's own code");
    else identify_warn(&out->warnings, "product-code", "product code: it names the product, not this pack");
    return PT_OK;
}

static enum pt_code read_trace_code(const struct scanned_text *text, struct identification *out, struct pt_error *err) {
    const enum pt_code code = cn_trace_parse(text_bytes(text), &out->pack, err);
    if (code != PT_OK) {
        if (err && err->position >= 0) err->position = text->from[err->position];
        return code;
    }
    out->scheme = IDENTIFY_CN_TRACE;
    return reading_finish_pack(out, err);
}

static enum pt_code ambiguous(const struct scanned_text *text, const char *one, const char *other,
                              struct pt_error *err) {
    return pt_fail_at(err, PT_INVALID, text->from[0], NULL,
                      "ambiguous: can be read as %s and as %s; tell the symbology, or scan with FNC1", one, other);
}

// Codes of company schemes: one scheme must fit, and only one.
static enum pt_code read_company_code(const struct scanned_text *text, const struct identify_options *options,
                                      struct identification *out, struct pt_error *err) {
    const struct cn_scheme *fits = NULL;
    for (size_t i = 0; i < options->scheme_count; i++) {
        struct pack_id pack;
        if (cn_company_parse(&options->schemes[i], text_bytes(text), &pack, NULL) != PT_OK) continue;
        if (fits) return ambiguous(text, fits->name, options->schemes[i].name, err);
        fits = &options->schemes[i];
        out->pack = pack;
    }
    if (!fits)
        return pt_fail_at(err, PT_NOT_FOUND, text->from[0], NULL, "cn-company: no registered scheme has this code");
    out->scheme = IDENTIFY_CN_COMPANY;
    return reading_finish_pack(out, err);
}

static bool has_separator(const struct scanned_text *text) {
    return memchr(text->bytes, FNC1, text->len) != NULL;
}

// ISO/IEC 15434 messages carry identifiers of ISO/IEC 15459 by the data identifiers of ASC MH10, which are not GS1's.
static bool is_iso_15434(struct pt_bytes text) {
    return text.len >= 3 && memcmp(text.data, "[)>", 3) == 0;
}

// Without a word on the symbology every reading is tried; two that hold are refused.
static enum pt_code read_unlabelled(const struct scanned_text *text, const struct identify_options *options,
                                    struct identification *out, struct pt_error *err) {
    const struct pt_bytes bytes = text_bytes(text);
    const bool gs1_allowed = text->kind != SYMBOL_PLAIN;
    if (is_iso_15434(bytes))
        return pt_fail_at(
            err, PT_INVALID, text->from[0], NULL,
            "iso15434: an ISO/IEC 15434 message (identifiers of ISO/IEC 15459), not GS1 and no trace code");
    struct identification gs1 = {.warnings = out->warnings};
    struct identification company = {0};
    struct pt_error gs1_error = {0};
    const bool gs1_fits = gs1_allowed && reading_element_string(text, options, &gs1, &gs1_error) == PT_OK;
    if (gs1_allowed && (has_separator(text) || gs1_is_bracketed(bytes))) {
        if (gs1_fits) *out = gs1;
        else if (err) *err = gs1_error;
        return gs1_fits ? PT_OK : gs1_error.code;
    }
    const enum pt_code company_code = read_company_code(text, options, &company, err);
    if (company_code != PT_OK && company_code != PT_NOT_FOUND) return company_code;
    const bool company_fits = company_code == PT_OK;
    if (all_digits(bytes) && bytes.len == CN_TRACE_DIGITS && bytes.data[0] == '8') {
        // Trace codes in use start with 81 to 84, where no AI makes an element string of drug labels; at 80 some do.
        if (gs1_fits && bytes.data[1] == '0')
            return ambiguous(text, "a Chinese trace code", "GS1 element strings", err);
        if (company_fits) return ambiguous(text, "a Chinese trace code", company.pack.product, err);
        return read_trace_code(text, out, err);
    }
    if (gs1_fits && company_fits) return ambiguous(text, "GS1 element strings", company.pack.product, err);
    if (gs1_fits || company_fits) {
        *out = gs1_fits ? gs1 : company;
        return PT_OK;
    }
    if (all_digits(bytes) && product_length(bytes.len)) return read_product_code(text, out, err);
    if (all_digits(bytes) && bytes.len + 1 >= CN_TRACE_DIGITS && bytes.len <= CN_TRACE_DIGITS + 1 &&
        bytes.data[0] == '8')
        return read_trace_code(text, out, err);
    if (!gs1_allowed)
        return pt_fail_at(err, PT_INVALID, text->from[0], NULL,
                          "symbology: %s carries no GS1 element strings, and this is neither a URI nor a trace code",
                          text->symbology);
    if (err) *err = gs1_error;
    return gs1_error.code;
}

static enum pt_code read_text(struct pt_bytes input, const struct identify_options *options, struct identification *out,
                              struct pt_error *err) {
    struct scanned_text text;
    forget(out);
    enum pt_code code = scanned_text_read(input, options->symbology, &text, &out->warnings, err);
    if (code != PT_OK) return code;
    const size_t start = text.from[0];
    const struct pt_bytes raw = pt_bytes_of(input.data + start, text.from[text.len] - start);
    if (text.kind == SYMBOL_EAN) return read_product_code(&text, out, err);
    if (text.kind == SYMBOL_GS1) return reading_element_string(&text, options, out, err);
    if (!reading_is_uri(raw)) return read_unlabelled(&text, options, out, err);
    out->warnings.count = 0; // a URI has no separators that could have been spelled oddly
    code = reading_uri(raw, options, out, err);
    if (code != PT_OK && err && err->position >= 0) err->position += (long)start;
    return code;
}

struct repair {
    enum wedge_layout layout;
    size_t count; // layouts under which the input makes sense
};

// Reads the input under every layout that it gives evidence of.
static struct repair try_layouts(struct pt_bytes input, const struct identify_options *options,
                                 struct identification *out) {
    struct repair repair = {WEDGE_LAYOUTS, 0};
    for (int i = 0; i < WEDGE_LAYOUTS; i++) {
        uint8_t text[SCANNED_TEXT_MAX + 1];
        uint16_t from[SCANNED_TEXT_MAX + 1];
        size_t len;
        struct identification reading;
        if (!wedge_undo((enum wedge_layout)i, input, text, from, &len)) continue;
        if (read_text(pt_bytes_of(text, len), options, &reading, NULL) != PT_OK) continue;
        for (size_t k = 0; k < reading.elements.count; k++) {
            size_t *position = &reading.elements.items[k].position;
            if (*position <= len) *position = from[*position];
        }
        repair.layout = (enum wedge_layout)i;
        if (repair.count++ == 0) *out = reading;
    }
    return repair;
}

enum pt_code identify(struct pt_bytes input, const struct identify_options *options, struct identification *out,
                      struct pt_error *err) {
    if (options->year < 1) return pt_fail(err, PT_USAGE, "year", "the current year must be given");
    enum pt_code code = read_text(input, options, out, err);
    // A reader that tells the symbology apart is no keyboard, so nothing was mistyped. And what reads well as it stands
    // is only doubted where caps lock would leave it readable with other letters.
    const bool keyboard = !options->symbology || !options->symbology[0];
    if (!keyboard || (code == PT_OK && !gs1_is_web_uri(input))) {
        if (code != PT_OK) forget(out);
        return code;
    }
    struct identification repaired;
    const struct repair repair = try_layouts(input, options, &repaired);
    if (repair.count == 1) {
        const char *name = wedge_layout_name(repair.layout);
        identify_warn(&repaired.warnings, repair.layout == WEDGE_CAPS_LOCK ? "caps-lock" : "keyboard-layout",
                      "typed with %s; read as the scanner meant it", name);
        *out = repaired;
        return PT_OK;
    }
    if (repair.count > 1) {
        forget(out);
        return pt_fail_at(err, PT_INVALID, 0, NULL,
                          "keyboard-layout: mistyped, and more than one keyboard layout explains it");
    }
    if (code != PT_OK) forget(out);
    return code;
}

enum pt_code identify_bytes(struct pt_bytes raw, const struct identify_options *options, struct identification *out,
                            struct pt_error *err) {
    struct epc_tag tag;
    const bool symbol = options->symbology && options->symbology[0];
    if (symbol || !epc_is_binary(raw)) return identify(raw, options, out, err);
    struct identification text;
    struct pt_error tag_error = {0};
    const enum pt_code as_tag = epc_binary_decode(raw, &tag, &tag_error);
    const enum pt_code as_text = identify(raw, options, &text, NULL);
    forget(out);
    if (as_tag == PT_OK && as_text == PT_OK)
        return pt_fail_at(err, PT_INVALID, 0, NULL,
                          "ambiguous: these bytes are EPC memory and the text of a symbol alike");
    if (as_text == PT_OK) {
        *out = text;
        return PT_OK;
    }
    if (as_tag != PT_OK) {
        if (err) *err = tag_error;
        return as_tag;
    }
    out->elements = tag.elements;
    return reading_finish_gs1(options, tag.prefix_length, out, err);
}
