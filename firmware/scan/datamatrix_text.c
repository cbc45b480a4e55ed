// Data Matrix codewords to bytes and text (ISO/IEC 16022 section 5.2, annexes A to C).
#include <string.h>

#include "common/base/text.h"
#include "firmware/scan/charset.h"
#include "firmware/scan/datamatrix.h"

#define GS 0x1d
#define RS 0x1e
#define EOT 0x04
#define MAX_SEGMENTS 32

enum { UNLATCH = 254, PAD = 129, LATCH_C40 = 230, LATCH_BASE256, FNC1, APPEND, PROGRAM, UPPER, MACRO_05, MACRO_06,
       LATCH_X12, LATCH_TEXT, LATCH_EDIFACT, ECI };

struct reader {
    const uint8_t *words;
    size_t count;
    size_t at;
    struct pt_buf *out;
    bool upper;  // the next character is shifted by 128
    bool macro;
    bool bad;
    const char *aim;
    size_t data_begins;  // the word where FNC1 in first position would stand
    struct { size_t from; long eci; } segments[MAX_SEGMENTS];
    size_t segment_count;
};

static void put(struct reader *r, unsigned value) {
    pt_buf_byte(r->out, (uint8_t)(value + (r->upper ? 128 : 0)));
    r->upper = false;
}

static void begin_segment(struct reader *r, long eci) {
    if (r->segment_count == MAX_SEGMENTS) {
        r->bad = true;
        return;
    }
    r->segments[r->segment_count].from = r->out->len;
    r->segments[r->segment_count++].eci = eci;
}

// ECI numbers take one to three words (5.2.4.8).
static void read_eci(struct reader *r) {
    long word[3] = {0};
    size_t left = r->count - r->at;
    if (left < 1) {
        r->bad = true;
        return;
    }
    word[0] = r->words[r->at];
    size_t need = word[0] <= 127 ? 1 : word[0] <= 191 ? 2 : 3;
    for (size_t i = 1; i < need && i < left; i++) word[i] = r->words[r->at + i];
    if (left < need || word[0] == 0 || (need > 1 && word[1] == 0) || (need > 2 && (word[2] == 0 || word[0] > 207))) {
        r->bad = true;
        return;
    }
    r->at += need;
    long eci = need == 1 ? word[0] - 1
             : need == 2 ? (word[0] - 128) * 254 + word[1] - 1 + 127
                         : (word[0] - 192) * 64516 + (word[1] - 1) * 254 + word[2] - 1 + 16383;
    begin_segment(r, eci);
}

// In the second position (behind one letter or one pair of digits) FNC1 announces an AIM application.
static void read_fnc1(struct reader *r) {
    size_t word = r->at - 1;
    if (word == r->data_begins) {
        r->aim = "]d2";
        return;
    }
    if (word == r->data_begins + 1) {
        uint8_t first = r->words[r->data_begins];
        bool letter = (first >= 'A' + 1 && first <= 'Z' + 1) || (first >= 'a' + 1 && first <= 'z' + 1);
        if (letter || (first >= 130 && first <= 229)) {
            r->aim = "]d3";
            return;
        }
    }
    put(r, GS);
}

static void put_c40(struct reader *r, unsigned value, unsigned *shift, bool text) {
    static const char shift2[] = "!\"#$%&'()*+,-./:;<=>?@[\\]^_";
    unsigned set = *shift;
    *shift = 0;
    if (set == 0) {
        if (value < 3) *shift = value + 1;
        else if (value == 3) put(r, ' ');
        else if (value < 14) put(r, '0' + value - 4);
        else put(r, (text ? 'a' : 'A') + value - 14);
    } else if (set == 1) {
        if (value < 32) put(r, value);
        else r->bad = true;
    } else if (set == 2) {
        if (value < 27) put(r, (uint8_t)shift2[value]);
        else if (value == 27) put(r, GS);
        else if (value == 30) r->upper = true;
        else r->bad = true;
    } else if (!text) {
        if (value < 32) put(r, value + 96);
        else r->bad = true;
    } else {
        if (value == 0) put(r, '`');
        else if (value < 27) put(r, 'A' + value - 1);
        else if (value < 32) put(r, '{' + value - 27);
        else r->bad = true;
    }
}

static void put_x12(struct reader *r, unsigned value) {
    if (value < 4) put(r, (uint8_t)"\r*> "[value]);
    else if (value < 14) put(r, '0' + value - 4);
    else put(r, 'A' + value - 14);
}

// C40, Text and X12: three values of base 40 in two words. A single last word is ASCII.
static void read_triples(struct reader *r, unsigned latch) {
    unsigned shift = 0;
    while (r->count - r->at >= 2 && !r->bad) {
        if (r->words[r->at] == UNLATCH) {
            r->at++;
            return;
        }
        unsigned packed = r->words[r->at] * 256u + r->words[r->at + 1];
        r->at += 2;
        if (packed == 0 || packed > 64000) {
            r->bad = true;
            return;
        }
        unsigned value[3] = {(packed - 1) / 1600, (packed - 1) / 40 % 40, (packed - 1) % 40};
        for (int i = 0; i < 3; i++) {
            if (latch == LATCH_X12) put_x12(r, value[i]);
            else put_c40(r, value[i], &shift, latch == LATCH_TEXT);
        }
    }
    if (r->at < r->count && r->words[r->at] == UNLATCH) r->at++;
}

// Four 6-bit values in three words; 31 unlatches and the rest of its word is unused. One or two last words are ASCII.
static void read_edifact(struct reader *r) {
    while (r->count - r->at >= 3) {
        const uint8_t *w = r->words + r->at;
        unsigned packed = (unsigned)w[0] << 16 | (unsigned)w[1] << 8 | w[2];
        for (unsigned i = 0; i < 4; i++) {
            unsigned value = packed >> (18 - 6 * i) & 63;
            if (value == 31) {
                r->at += i < 3 ? i + 1 : 3;
                return;
            }
            put(r, value < 32 ? value + 64 : value);
        }
        r->at += 3;
    }
}

// Annex B.2: each byte is masked by its place in the symbol.
static unsigned unmasked(struct reader *r) {
    unsigned mask = (149u * (unsigned)(r->at + 1)) % 255u + 1u;
    return (r->words[r->at++] + 256u - mask) % 256u;
}

static void read_base256(struct reader *r) {
    if (r->at >= r->count) {
        r->bad = true;
        return;
    }
    size_t len = unmasked(r);
    if (len == 0) len = r->count - r->at;
    else if (len >= 250) {
        if (r->at >= r->count) {
            r->bad = true;
            return;
        }
        len = 250 * (len - 249) + unmasked(r);
    }
    if (len > r->count - r->at) {
        r->bad = true;
        return;
    }
    while (len-- > 0) put(r, unmasked(r));
}

// Structured append and reader programming stand first; macros too (5.2.4.7, 5.6).
static void read_header(struct reader *r) {
    if (r->count == 0) return;
    if (r->words[0] == APPEND && r->count >= 4) r->at = 4;
    else if (r->words[0] == PROGRAM) r->at = 1;
    else if (r->words[0] == MACRO_05 || r->words[0] == MACRO_06) {
        pt_buf_str(r->out, r->words[0] == MACRO_05 ? "[)>\x1e" "05\x1d" : "[)>\x1e" "06\x1d");
        r->macro = true;
        r->at = 1;
    }
    r->data_begins = r->at;
}

static void read_all(struct reader *r) {
    read_header(r);
    while (r->at < r->count && !r->bad) {
        unsigned word = r->words[r->at++];
        if (word >= 1 && word <= 128) put(r, word - 1);
        else if (word == PAD) break;
        else if (word >= 130 && word <= 229) {
            put(r, '0' + (word - 130) / 10);
            put(r, '0' + (word - 130) % 10);
        } else if (word == LATCH_C40 || word == LATCH_TEXT || word == LATCH_X12) read_triples(r, word);
        else if (word == LATCH_EDIFACT) read_edifact(r);
        else if (word == LATCH_BASE256) read_base256(r);
        else if (word == FNC1) read_fnc1(r);
        else if (word == UPPER) r->upper = true;
        else if (word == ECI) read_eci(r);
        else if (word == UNLATCH && r->at == r->count) break;
        else r->bad = true;
    }
    if (r->macro) {
        pt_buf_byte(r->out, RS);
        pt_buf_byte(r->out, EOT);
    }
}

// Without any ECI the text is guessed; with them each stretch has its character set, Latin-1 before the first.
static void make_text(struct reader *r, struct scan_symbol *out) {
    if (r->segment_count == 0) {
        scan_symbol_guess_text(out);
        return;
    }
    pt_buf_clear(&out->text);
    out->has_text = true;
    struct pt_bytes all = pt_buf_bytes(&out->bytes);
    size_t from = 0;
    long eci = 3;
    for (size_t i = 0; i <= r->segment_count && out->has_text; i++) {
        size_t to = i < r->segment_count ? r->segments[i].from : all.len;
        if (to > from) out->has_text = scan_charset_append(&out->text, eci, pt_bytes_of(all.data + from, to - from));
        if (i < r->segment_count) eci = r->segments[i].eci;
        from = to;
    }
    if (!out->has_text) pt_buf_clear(&out->text);
}

enum pt_code scan_dm_decodation(const uint8_t *words, size_t count, struct scan_symbol *out, struct pt_error *err) {
    pt_buf_clear(&out->bytes);
    struct reader reader = {.words = words, .count = count, .out = &out->bytes, .aim = "]d1"};
    read_all(&reader);
    if (reader.bad || out->bytes.len == 0)
        return pt_fail(err, PT_INVALID, NULL, "a Data Matrix symbol's words make no text");
    memcpy(out->aim, reader.aim, sizeof out->aim);
    make_text(&reader, out);
    return pt_buf_check(&out->bytes, err);
}
