#include "firmware/scan/charset.h"

#include "common/base/text.h"

void scan_utf8_append(struct pt_buf *out, uint32_t c) {
    if (c < 0x80) {
        pt_buf_byte(out, (uint8_t)c);
        return;
    }
    if (c < 0x800) {
        pt_buf_byte(out, (uint8_t)(0xc0 | c >> 6));
    } else {
        if (c < 0x10000) {
            pt_buf_byte(out, (uint8_t)(0xe0 | c >> 12));
        } else {
            pt_buf_byte(out, (uint8_t)(0xf0 | c >> 18));
            pt_buf_byte(out, (uint8_t)(0x80 | (c >> 12 & 63)));
        }
        pt_buf_byte(out, (uint8_t)(0x80 | (c >> 6 & 63)));
    }
    pt_buf_byte(out, (uint8_t)(0x80 | (c & 63)));
}

static uint32_t cyrillic(uint8_t b) {
    if (b <= 0xa0 || b == 0xad) return b;
    if (b == 0xf0) return 0x2116;
    if (b == 0xfd) return 0xa7;
    return 0x360u + b;
}

static uint32_t turkish(uint8_t b) {
    switch (b) {
        case 0xd0: return 0x11e;
        case 0xdd: return 0x130;
        case 0xde: return 0x15e;
        case 0xf0: return 0x11f;
        case 0xfd: return 0x131;
        case 0xfe: return 0x15f;
        default: return b;
    }
}

static uint32_t latin9(uint8_t b) {
    switch (b) {
        case 0xa4: return 0x20ac;
        case 0xa6: return 0x160;
        case 0xa8: return 0x161;
        case 0xb4: return 0x17d;
        case 0xb8: return 0x17e;
        case 0xbc: return 0x152;
        case 0xbd: return 0x153;
        case 0xbe: return 0x178;
        default: return b;
    }
}

static bool append_utf16(struct pt_buf *out, struct pt_bytes bytes) {
    if (bytes.len % 2) return false;
    for (size_t i = 0; i < bytes.len; i += 2) {
        uint32_t c = (uint32_t)bytes.data[i] << 8 | bytes.data[i + 1];
        if (c >= 0xdc00 && c < 0xe000) return false;
        if (c >= 0xd800 && c < 0xdc00) {
            if (bytes.len - i < 4) return false;
            uint32_t low = (uint32_t)bytes.data[i + 2] << 8 | bytes.data[i + 3];
            if (low < 0xdc00 || low >= 0xe000) return false;
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
            i += 2;
        }
        scan_utf8_append(out, c);
    }
    return true;
}

bool scan_charset_append(struct pt_buf *out, long eci, struct pt_bytes bytes) {
    if (eci == 25) return append_utf16(out, bytes);
    if (eci == 26) {
        if (!pt_utf8_valid(bytes)) return false;
        pt_buf_append_bytes(out, bytes);
        return true;
    }
    for (size_t i = 0; i < bytes.len; i++) {
        uint8_t b = bytes.data[i];
        switch (eci) {
            case 1:
            case 3: scan_utf8_append(out, b); break;
            case 7: scan_utf8_append(out, cyrillic(b)); break;
            case 11: scan_utf8_append(out, turkish(b)); break;
            case 17: scan_utf8_append(out, latin9(b)); break;
            case 27:
            case 170:
                if (b >= 0x80) return false;
                pt_buf_byte(out, b);
                break;
            default: return false;
        }
    }
    return true;
}
