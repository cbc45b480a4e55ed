#include "common/identify/percent.h"

static bool unreserved(uint8_t c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

void percent_encode(struct pt_buf *out, struct pt_bytes text) {
    for (size_t i = 0; i < text.len; i++) {
        if (unreserved(text.data[i])) pt_buf_byte(out, text.data[i]);
        else pt_buf_printf(out, "%%%02X", text.data[i]);
    }
}

static int hex_value(uint8_t c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

enum pt_code percent_decode(struct pt_bytes text, char *out, size_t size, size_t *len, struct pt_error *err) {
    *len = 0;
    for (size_t i = 0; i < text.len; i++) {
        const size_t from = i;
        int c = text.data[i];
        if (c == '%') {
            const int high = i + 1 < text.len ? hex_value(text.data[i + 1]) : -1;
            const int low = i + 2 < text.len ? hex_value(text.data[i + 2]) : -1;
            if (high < 0 || low < 0)
                return pt_fail_at(err, PT_INVALID, (long)from, NULL, "percent-encoding: %% without two hex digits");
            c = high * 16 + low;
            i += 2;
        }
        if (c < 0x20 || c == 0x7f)
            return pt_fail_at(err, PT_INVALID, (long)from, NULL, "percent-encoding: control character 0x%02x",
                              (unsigned)c);
        if (*len == size)
            return pt_fail_at(err, PT_INVALID, (long)from, NULL, "length: more than %zu characters", size);
        out[(*len)++] = (char)c;
    }
    out[*len] = '\0';
    return PT_OK;
}

size_t percent_offset(struct pt_bytes text, size_t decoded) {
    size_t at = 0;
    for (size_t i = 0; i < decoded && at < text.len; i++) at += text.data[at] == '%' ? 3 : 1;
    return at < text.len ? at : text.len;
}
