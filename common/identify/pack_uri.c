#include <string.h>
#include <strings.h>

#include "common/base/cleanup.h"
#include "common/identify/cn_trace.h"
#include "common/identify/epc_urn.h"
#include "common/identify/gs1_digital_link.h"
#include "common/identify/gs1_pack.h"
#include "common/identify/pack_id.h"
#include "common/identify/percent.h"

#define TRACE_STEM "urn:packtrail:cn:trace:"
#define COMPANY_STEM "urn:packtrail:cn:company:"

enum pt_code pack_id_uri(const struct pack_id *id, struct pt_buf *out, struct pt_error *err) {
    const enum pt_code code = pack_id_check(id, err);
    if (code != PT_OK) return code;
    switch (id->kind) {
    case PACK_SGTIN:
        pt_buf_printf(out, GS1_CANONICAL_STEM "/01/%s/21/", id->product);
        percent_encode(out, pt_bytes_str(id->serial));
        break;
    case PACK_SSCC: pt_buf_printf(out, GS1_CANONICAL_STEM "/00/%s%s", id->product, id->serial); break;
    case PACK_CN_TRACE: pt_buf_printf(out, TRACE_STEM "%s%s", id->product, id->serial); break;
    case PACK_CN_COMPANY:
        pt_buf_printf(out, COMPANY_STEM "%s:", id->product);
        percent_encode(out, pt_bytes_str(id->serial));
        break;
    case PACK_OTHER_EPC:
    case PACK_NONE: pt_buf_str(out, id->serial); break;
    }
    return pt_buf_check(out, err);
}

// "urn" and the namespace have no case (RFC 8141), what follows has.
static bool starts(struct pt_bytes text, const char *stem) {
    const size_t folded = strlen("urn:packtrail:");
    return text.len >= strlen(stem) && strncasecmp((const char *)text.data, stem, folded) == 0 &&
           memcmp(text.data + folded, stem + folded, strlen(stem) - folded) == 0;
}

static struct pt_bytes after(struct pt_bytes text, size_t count) {
    return pt_bytes_of(text.data + count, text.len - count);
}

static enum pt_code moved(enum pt_code code, size_t by, struct pt_error *err) {
    if (code != PT_OK && err && err->position >= 0) err->position += (long)by;
    return code;
}

// urn:packtrail:cn:company:{scheme}:{code}. Whether the scheme exists and the code fits it is the ledger's to say.
static enum pt_code company_from_uri(struct pt_bytes uri, struct pack_id *out, struct pt_error *err) {
    const size_t stem = strlen(COMPANY_STEM);
    const struct pt_bytes rest = after(uri, stem);
    const uint8_t *colon = memchr(rest.data, ':', rest.len);
    const size_t name = colon ? (size_t)(colon - rest.data) : 0;
    if (!colon || !cn_scheme_name_valid(pt_bytes_of(rest.data, name)))
        return pt_fail_at(err, PT_INVALID, (long)stem, NULL, "uri: a scheme's name and a code must follow");
    size_t len = 0;
    const enum pt_code code = percent_decode(after(rest, name + 1), out->serial, PACK_SERIAL_MAX, &len, err);
    if (code != PT_OK) return moved(code, stem + name + 1, err);
    out->kind = PACK_CN_COMPANY;
    memcpy(out->product, rest.data, name);
    return pack_id_check(out, err);
}

// RFC 3986: a scheme, a colon, something, all of it URI characters. Scheme, host and the namespace of a URN have no
// case, so they are put into lower case; nothing else is touched.
static enum pt_code other_from_uri(struct pt_bytes uri, struct pack_id *out, struct pt_error *err) {
    size_t scheme = 0;
    while (scheme < uri.len && uri.data[scheme] != ':') scheme++;
    if (scheme == 0 || scheme + 1 >= uri.len) return pt_fail_at(err, PT_INVALID, 0, NULL, "uri: not an absolute URI");
    if (uri.len > PACK_SERIAL_MAX)
        return pt_fail_at(err, PT_LIMIT, PACK_SERIAL_MAX, NULL, "uri: longer than %u characters", PACK_SERIAL_MAX);
    for (size_t i = 0; i < uri.len; i++) {
        const uint8_t c = uri.data[i];
        const bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        const bool scheme_char = letter || (i > 0 && ((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.'));
        if (i < scheme ? !scheme_char : (c <= 0x20 || c >= 0x7f || strchr("\"<>\\^`{|}", c)))
            return pt_fail_at(err, PT_INVALID, (long)i, NULL, "uri: byte 0x%02x may not stand here", c);
    }
    out->kind = PACK_OTHER_EPC;
    memcpy(out->serial, uri.data, uri.len);
    size_t folded = scheme;
    if (scheme == 3 && strncasecmp(out->serial, "urn", 3) == 0) folded = 4 + strcspn(out->serial + 4, ":");
    if (uri.len > scheme + 3 && memcmp(uri.data + scheme, "://", 3) == 0)
        folded = scheme + 3 + strcspn(out->serial + scheme + 3, "/?#");
    for (size_t i = 0; i < folded; i++)
        if (out->serial[i] >= 'A' && out->serial[i] <= 'Z') out->serial[i] = (char)(out->serial[i] - 'A' + 'a');
    return PT_OK;
}

static enum pt_code gs1_from_uri(struct pt_bytes uri, struct pack_id *out, struct pt_error *err) {
    struct gs1_elements elements;
    enum epc_level level = EPC_INSTANCE;
    enum pt_code code = epc_is_urn(uri) ? epc_urn_parse(uri, GS1_CONTENT, &elements, &level, NULL, err)
                                        : gs1_digital_link_parse(uri, GS1_CONTENT, &elements, NULL, err);
    if (code == PT_NOT_FOUND) return other_from_uri(uri, out, err);
    if (code != PT_OK) return code;
    if (level == EPC_CLASS || !gs1_names_instance(&elements))
        return pt_fail_at(err, PT_INVALID, 0, NULL, "pack-id: names a class of things, not one of them");
    return pack_id_from_elements(&elements, out, err);
}

enum pt_code pack_id_from_uri(struct pt_bytes uri, struct pack_id *out, struct pt_error *err) {
    *out = (struct pack_id){0};
    enum pt_code code;
    if (uri.len > PACK_URI_MAX)
        code = pt_fail_at(err, PT_LIMIT, PACK_URI_MAX, NULL, "uri: longer than %u characters", PACK_URI_MAX);
    else if (starts(uri, TRACE_STEM))
        code = moved(cn_trace_parse(after(uri, strlen(TRACE_STEM)), out, err), strlen(TRACE_STEM), err);
    else if (starts(uri, COMPANY_STEM)) code = company_from_uri(uri, out, err);
    else if (epc_is_urn(uri) || gs1_is_web_uri(uri)) code = gs1_from_uri(uri, out, err);
    else code = other_from_uri(uri, out, err);
    if (code != PT_OK) *out = (struct pack_id){0};
    return code;
}
