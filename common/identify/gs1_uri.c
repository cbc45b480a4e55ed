#include "common/identify/gs1_uri.h"

#include "common/identify/epc_urn.h"
#include "common/identify/gs1_digital_link.h"

enum pt_code gs1_uri_canonical(struct pt_bytes uri, struct pt_buf *out, struct pt_error *err) {
    struct gs1_elements elements;
    enum pt_code code;
    if (epc_is_urn(uri)) code = epc_urn_parse(uri, GS1_SHAPE, &elements, NULL, NULL, err);
    else if (gs1_is_web_uri(uri)) code = gs1_digital_link_parse(uri, GS1_SHAPE, &elements, NULL, err);
    else return pt_fail_at(err, PT_NOT_FOUND, 0, NULL, "uri: neither a Digital Link nor an EPC URN");
    return code == PT_OK ? gs1_digital_link_finest(&elements, out, err) : code;
}
