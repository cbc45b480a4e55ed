#include "firmware/scan/checkdigit.h"

#include <string.h>

bool scan_check_digit_good(struct pt_bytes digits) {
    unsigned sum = 0;
    if (digits.len < 2) return false;
    for (size_t i = 0; i < digits.len; i++) {
        uint8_t c = digits.data[digits.len - 1 - i];
        if (c < '0' || c > '9') return false;
        sum += (unsigned)(c - '0') * (i % 2 ? 3 : 1);
    }
    return sum % 10 == 0;
}

// GS1 General Specifications, "Decoding of UPC-E": the last of the six digits says where zeros were left out.
bool scan_upce_expand(struct pt_bytes upce, char out[13]) {
    if (upce.len != 8 || (upce.data[0] != '0' && upce.data[0] != '1')) return false;
    const char *d = (const char *)upce.data;
    char rule = d[6];
    memset(out, '0', 12);
    out[12] = 0;
    out[0] = d[0];
    out[1] = d[1];
    out[2] = d[2];
    if (rule >= '0' && rule <= '2') {
        out[3] = rule;
        memcpy(out + 8, d + 3, 3);
    } else if (rule == '3') {
        out[3] = d[3];
        memcpy(out + 9, d + 4, 2);
    } else if (rule == '4') {
        memcpy(out + 3, d + 3, 2);
        out[10] = d[5];
    } else {
        memcpy(out + 3, d + 3, 3);
        out[10] = rule;
    }
    out[11] = d[7];
    return scan_check_digit_good(pt_bytes_str(out));
}
