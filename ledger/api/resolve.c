#include "ledger/api/resolve.h"

#include <string.h>

static int year_of(const struct pt_env *env) {
    int64_t year;
    unsigned month;
    unsigned day;
    pt_civil_from_days(env->now(env->ctx) / 86400000, &year, &month, &day);
    return (int)year;
}

enum pt_code resolve_scan(const char *text, const struct pt_env *env, struct identification *out, struct verdict_label *label,
                          struct pt_error *err) {
    *label = (struct verdict_label){0};
    if (!text || !text[0]) return pt_fail(err, PT_INVALID, NULL, "no code was given");
    const struct identify_options options = {.year = year_of(env)};
    const enum pt_code code = identify(pt_bytes_str(text), &options, out, err);
    if (code != PT_OK) return code;
    if (out->scheme == IDENTIFY_PRODUCT_CODE)
        return pt_fail(err, PT_INVALID, NULL, "product code: it names the product, not this pack; scan the pack's own code");
    if (out->pack.kind == PACK_NONE)
        return pt_fail(err, PT_INVALID, NULL, "the code names no single pack (its serial number is missing)");
    label->lot = gs1_elements_value(&out->elements, "10");
    if (out->expiry.year) {
        label->has_expiry = true;
        label->expiry_day = (int32_t)pt_days_from_civil(out->expiry.year, out->expiry.month, out->expiry.day);
    }
    return PT_OK;
}

enum pt_code resolve_pack(const char *text, const struct pt_env *env, struct pack_id *out, struct pt_error *err) {
    // An EPCIS URI is taken as it is; everything else as a scanner would give it.
    if (text && pack_id_from_uri(pt_bytes_str(text), out, NULL) == PT_OK) return PT_OK;
    struct identification found;
    struct verdict_label label;
    const enum pt_code code = resolve_scan(text, env, &found, &label, err);
    if (code == PT_OK) *out = found.pack;
    return code;
}
