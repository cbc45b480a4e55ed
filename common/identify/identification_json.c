#include <string.h>

#include "common/base/json.h"
#include "common/identify/identification.h"

const char *identify_scheme_name(enum identify_scheme scheme) {
    switch (scheme) {
    case IDENTIFY_GS1: return "gs1";
    case IDENTIFY_CN_TRACE: return "cn-trace";
    case IDENTIFY_CN_COMPANY: return "cn-company";
    case IDENTIFY_PRODUCT_CODE: return "product-code";
    case IDENTIFY_EPC: return "epc";
    case IDENTIFY_PACKTRAIL: return "packtrail";
    case IDENTIFY_NONE: break;
    }
    return "";
}

static void member(struct pt_buf *out, const char *name, const char *value) {
    if (!value || !value[0]) return;
    pt_buf_printf(out, ",\"%s\":", name);
    pt_json_append_string(out, pt_bytes_str(value));
}

static void chinese_members(struct pt_buf *out, const struct pack_id *pack) {
    if (pack->kind == PACK_CN_TRACE) {
        char code[CN_TRACE_DIGITS + 1] = "";
        memcpy(code, pack->product, CN_DRUG_DIGITS);
        memcpy(code + CN_DRUG_DIGITS, pack->serial, CN_TRACE_DIGITS - CN_DRUG_DIGITS);
        member(out, "code", code);
        member(out, "drug_id", pack->product);
    } else if (pack->kind == PACK_CN_COMPANY) {
        member(out, "code", pack->serial);
        member(out, "company_scheme", pack->product);
    }
}

void identification_json(struct pt_buf *out, const struct identification *found) {
    pt_buf_printf(out, "{\"scheme\":\"%s\"", identify_scheme_name(found->scheme));
    member(out, "gtin", found->gtin);
    member(out, "serial", gs1_elements_value(&found->elements, "21"));
    member(out, "lot", gs1_elements_value(&found->elements, "10"));
    if (found->expiry.year) {
        char date[11];
        gs1_date_format(&found->expiry, date);
        member(out, "expiry", date);
    }
    member(out, "sscc", gs1_elements_value(&found->elements, "00"));
    chinese_members(out, &found->pack);
    member(out, "epc", found->epc);
    member(out, "epc_urn", found->epc_urn);
    member(out, "digital_link", found->digital_link);
    pt_buf_str(out, ",\"elements\":[");
    for (size_t i = 0; i < found->elements.count; i++) {
        pt_buf_printf(out, "%s{\"ai\":\"%s\",\"value\":", i ? "," : "", found->elements.items[i].code);
        pt_json_append_string(out, pt_bytes_str(found->elements.items[i].value));
        pt_buf_byte(out, '}');
    }
    pt_buf_str(out, "],\"warnings\":[");
    for (size_t i = 0; i < found->warnings.count; i++) {
        if (i) pt_buf_byte(out, ',');
        pt_json_append_string(out, pt_bytes_str(found->warnings.text[i]));
    }
    pt_buf_str(out, "]}");
}
