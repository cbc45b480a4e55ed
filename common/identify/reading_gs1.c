#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/base/cleanup.h"
#include "common/identify/epc_binary.h"
#include "common/identify/epc_urn.h"
#include "common/identify/gs1_associations.h"
#include "common/identify/gs1_digital_link.h"
#include "common/identify/gs1_element_string.h"
#include "common/identify/gs1_pack.h"
#include "common/identify/lost_separator.h"
#include "common/identify/reading.h"

static struct pt_bytes text_bytes(const struct scanned_text *text) {
    return pt_bytes_of(text->bytes, text->len);
}

static void to_input(const struct scanned_text *text, struct pt_error *err) {
    if (err && err->position >= 0 && (size_t)err->position <= text->len) err->position = text->from[err->position];
}

static enum pt_code check_associations(const struct identify_options *options, struct identification *out,
                                       struct pt_error *err) {
    struct pt_error missing;
    const enum pt_code code = gs1_associations_check(&out->elements, &missing);
    if (code == PT_OK) return PT_OK;
    if (code == PT_NOT_FOUND && options->partial) {
        identify_warn(&out->warnings, "companion", "%s; it may be in another symbol on the item", missing.what);
        return PT_OK;
    }
    return pt_fail_at(err, PT_INVALID, missing.position, missing.where, "%s", missing.what);
}

static enum pt_code read_expiry(const struct identify_options *options, struct identification *out,
                                struct pt_error *err) {
    const struct gs1_element *element = gs1_elements_find(&out->elements, "17");
    if (!element) element = gs1_elements_find(&out->elements, "7003");
    if (!element) return PT_OK;
    const enum pt_code code = gs1_date_parse(element->value, options->year, &out->expiry, err);
    if (code != PT_OK && err) err->position += (long)element->position;
    return code;
}

static void copy(char *to, const char *from, size_t size) {
    if (from && strlen(from) < size) memcpy(to, from, strlen(from) + 1);
}

enum pt_code reading_finish_pack(struct identification *out, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf uri = PT_BUF_INIT(PACK_URI_MAX);
    const enum pt_code code = pack_id_uri(&out->pack, &uri, err);
    if (code == PT_OK) copy(out->epc, pt_buf_cstr(&uri), sizeof out->epc);
    return code;
}

enum pt_code reading_finish_gs1(const struct identify_options *options, unsigned prefix_length,
                                struct identification *out, struct pt_error *err) {
    out->scheme = IDENTIFY_GS1;
    enum pt_code code = check_associations(options, out, err);
    if (code == PT_OK) code = read_expiry(options, out, err);
    if (code != PT_OK) return code;
    const char *gtin = gs1_elements_value(&out->elements, "01");
    if (!gtin) gtin = gs1_elements_value(&out->elements, "02");
    copy(out->gtin, gtin, sizeof out->gtin);
    if (pack_id_from_elements(&out->elements, &out->pack, NULL) == PT_OK) code = reading_finish_pack(out, err);
    PT_CLEANUP(pt_buf_free) struct pt_buf link = PT_BUF_INIT(IDENTIFY_LINK_MAX - 1);
    if (gs1_digital_link_compose(&out->elements, &link, NULL) == PT_OK)
        copy(out->digital_link, pt_buf_cstr(&link), sizeof out->digital_link);
    PT_CLEANUP(pt_buf_free) struct pt_buf urn = PT_BUF_INIT(IDENTIFY_URN_MAX - 1);
    if (prefix_length && epc_urn_compose(&out->elements, prefix_length, &urn, NULL) == PT_OK)
        copy(out->epc_urn, pt_buf_cstr(&urn), sizeof out->epc_urn);
    return code;
}

static bool separated(const struct scanned_text *text) {
    return text->len > 1 && memchr(text->bytes + 1, FNC1, text->len - 1);
}

// "(01)09506000134352(21)ABC", for people.
static void spell(const struct gs1_elements *elements, char *out, size_t size) {
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < elements->count && used < size; i++) {
        const int len = snprintf(out + used, size - used, "(%s)%s", elements->items[i].code, elements->items[i].value);
        used += len > 0 ? (size_t)len : 0;
    }
}

// A scanner that types no FNC1 lets a value of variable length run into what follows. Where the text cannot be read as
// it stands and exactly one reading with separators put back satisfies every rule, that one is meant.
static enum pt_code put_separators_back(const struct scanned_text *text, struct identification *out,
                                        struct pt_error *err) {
    struct gs1_elements repaired;
    const size_t readings = lost_separator_readings(text_bytes(text), &repaired);
    if (readings == 0) return err ? err->code : PT_INVALID;
    char spelled[160];
    spell(&repaired, spelled, sizeof spelled);
    if (readings > 1)
        return pt_fail_at(err, PT_INVALID, err ? err->position : -1, NULL,
                          "lost-separator: separators (FNC1) are missing and several readings are possible, one is %s",
                          spelled);
    out->elements = repaired;
    identify_warn(&out->warnings, "lost-separator", "a separator (FNC1) is missing; read as %s", spelled);
    return PT_OK;
}

static void suspect_lost_separator(const struct scanned_text *text, struct identification *out) {
    struct gs1_elements other;
    if (separated(text) || lost_separator_readings(text_bytes(text), &other) == 0) return;
    char spelled[120];
    spell(&other, spelled, sizeof spelled);
    identify_warn(&out->warnings, "lost-separator", "if the scanner drops separators (FNC1), this may be %s", spelled);
}

enum pt_code reading_element_string(const struct scanned_text *text, const struct identify_options *options,
                                    struct identification *out, struct pt_error *err) {
    struct pt_error own;
    if (!err) err = &own;
    const bool bracketed = gs1_is_bracketed(text_bytes(text));
    enum pt_code code = bracketed ? gs1_bracketed_parse(text_bytes(text), &out->elements, &out->warnings, err)
                                  : gs1_element_string_parse(text_bytes(text), &out->elements, &out->warnings, err);
    if (code == PT_OK) {
        const enum pt_code together =
            check_associations(options, &(struct identification){.elements = out->elements}, err);
        if (together != PT_OK && !bracketed) code = put_separators_back(text, out, err);
        else if (!bracketed) suspect_lost_separator(text, out);
    } else if (!bracketed) {
        code = put_separators_back(text, out, err);
    }
    for (size_t i = 0; i < out->elements.count; i++)
        if (out->elements.items[i].position <= text->len)
            out->elements.items[i].position = text->from[out->elements.items[i].position];
    if (code != PT_OK) {
        to_input(text, err);
        return code;
    }
    return reading_finish_gs1(options, options->prefix_length, out, err);
}

bool reading_is_uri(struct pt_bytes text) {
    return gs1_is_web_uri(text) || epc_is_urn(text) ||
           (text.len > 14 && strncasecmp((const char *)text.data, "urn:packtrail:", 14) == 0);
}

static enum pt_code read_own_uri(struct pt_bytes uri, struct identification *out, struct pt_error *err) {
    const enum pt_code code = pack_id_from_uri(uri, &out->pack, err);
    if (code != PT_OK) return code;
    switch (out->pack.kind) {
    case PACK_CN_TRACE: out->scheme = IDENTIFY_CN_TRACE; break;
    case PACK_CN_COMPANY: out->scheme = IDENTIFY_CN_COMPANY; break;
    default: out->scheme = epc_is_urn(uri) ? IDENTIFY_EPC : IDENTIFY_PACKTRAIL;
    }
    return reading_finish_pack(out, err);
}

enum pt_code reading_uri(struct pt_bytes uri, const struct identify_options *options, struct identification *out,
                         struct pt_error *err) {
    unsigned prefix_length = options->prefix_length;
    enum pt_code code;
    if (epc_is_tag_uri(uri)) {
        struct epc_tag tag;
        code = epc_tag_uri_parse(uri, &tag, err);
        out->elements = tag.elements;
        prefix_length = tag.prefix_length;
    } else if (epc_is_urn(uri)) {
        code = epc_urn_parse(uri, GS1_CONTENT, &out->elements, NULL, &prefix_length, err);
        if (code == PT_NOT_FOUND) return read_own_uri(uri, out, err);
    } else if (gs1_is_web_uri(uri)) {
        code = gs1_digital_link_parse(uri, GS1_CONTENT, &out->elements, &out->warnings, err);
        if (code == PT_NOT_FOUND)
            code = pt_fail_at(err, PT_INVALID, err ? err->position : -1, NULL,
                              "digital-link: a web address, but its path ends in no GS1 primary key");
    } else {
        return read_own_uri(uri, out, err);
    }
    return code == PT_OK ? reading_finish_gs1(options, prefix_length, out, err) : code;
}
