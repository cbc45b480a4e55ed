#include "common/identify/gs1_pack.h"

#include <string.h>

#include "common/base/cleanup.h"
#include "common/identify/gs1_digital_link.h"

#define SSCC_PRODUCT_DIGITS 7u

// Keys that are instances when something makes them so: an AI beside them, or more than the class's characters.
static const struct {
    const char *key;
    const char *serial_ai; // NULL: always, or by length
    size_t class_length;   // a longer value has a serial in it
} instances[] = {
    {"01", "21", 0},   {"01", "235", 0},  {"8006", "21", 0}, {"8010", "8011", 0}, {"8003", NULL, 14}, {"253", NULL, 13},
    {"255", NULL, 13}, {"00", NULL, 0},   {"414", NULL, 0},  {"415", NULL, 0},    {"417", NULL, 0},   {"401", NULL, 0},
    {"402", NULL, 0},  {"8004", NULL, 0}, {"8017", NULL, 0}, {"8018", NULL, 0},
};

bool gs1_names_instance(const struct gs1_elements *elements) {
    for (size_t i = 0; i < sizeof instances / sizeof *instances; i++) {
        const char *value = gs1_elements_value(elements, instances[i].key);
        if (!value) continue;
        const char *serial_ai = instances[i].serial_ai;
        if (serial_ai ? gs1_elements_find(elements, serial_ai) != NULL : strlen(value) > instances[i].class_length)
            return true;
    }
    return false;
}

// Values of checked elements are shorter than `max`, and so is what the ceiling of a buffer let through.
static void put(char *to, const char *from, size_t max) {
    const size_t len = strnlen(from, max);
    memcpy(to, from, len);
    to[len] = '\0';
}

enum pt_code pack_id_from_elements(const struct gs1_elements *elements, struct pack_id *out, struct pt_error *err) {
    *out = (struct pack_id){0};
    const char *gtin = gs1_elements_value(elements, "01");
    const char *serial = gs1_elements_value(elements, "21");
    const char *sscc = gs1_elements_value(elements, "00");
    if (gtin && serial) {
        out->kind = PACK_SGTIN;
        put(out->product, gtin, PACK_PRODUCT_MAX);
        put(out->serial, serial, PACK_SERIAL_MAX);
        return PT_OK;
    }
    if (sscc) {
        out->kind = PACK_SSCC;
        memcpy(out->product, sscc, SSCC_PRODUCT_DIGITS);
        put(out->serial, sscc + SSCC_PRODUCT_DIGITS, PACK_SERIAL_MAX);
        return PT_OK;
    }
    if (!gs1_names_instance(elements))
        return pt_fail(err, PT_NOT_FOUND, NULL, "pack-id: this names a class of things, not one of them");
    PT_CLEANUP(pt_buf_free) struct pt_buf uri = PT_BUF_INIT(PACK_SERIAL_MAX);
    const enum pt_code code = gs1_digital_link_finest(elements, &uri, err);
    if (code != PT_OK) return code;
    out->kind = PACK_OTHER_EPC;
    put(out->serial, pt_buf_cstr(&uri), PACK_SERIAL_MAX);
    return PT_OK;
}
