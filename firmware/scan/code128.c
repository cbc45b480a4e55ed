#include "firmware/scan/code128.h"

#include <math.h>
#include <string.h>

#define GS 0x1d

const uint8_t scan_code128_patterns[107][6] = {
    {2, 1, 2, 2, 2, 2}, {2, 2, 2, 1, 2, 2}, {2, 2, 2, 2, 2, 1}, {1, 2, 1, 2, 2, 3}, {1, 2, 1, 3, 2, 2},
    {1, 3, 1, 2, 2, 2}, {1, 2, 2, 2, 1, 3}, {1, 2, 2, 3, 1, 2}, {1, 3, 2, 2, 1, 2}, {2, 2, 1, 2, 1, 3},
    {2, 2, 1, 3, 1, 2}, {2, 3, 1, 2, 1, 2}, {1, 1, 2, 2, 3, 2}, {1, 2, 2, 1, 3, 2}, {1, 2, 2, 2, 3, 1},
    {1, 1, 3, 2, 2, 2}, {1, 2, 3, 1, 2, 2}, {1, 2, 3, 2, 2, 1}, {2, 2, 3, 2, 1, 1}, {2, 2, 1, 1, 3, 2},
    {2, 2, 1, 2, 3, 1}, {2, 1, 3, 2, 1, 2}, {2, 2, 3, 1, 1, 2}, {3, 1, 2, 1, 3, 1}, {3, 1, 1, 2, 2, 2},
    {3, 2, 1, 1, 2, 2}, {3, 2, 1, 2, 2, 1}, {3, 1, 2, 2, 1, 2}, {3, 2, 2, 1, 1, 2}, {3, 2, 2, 2, 1, 1},
    {2, 1, 2, 1, 2, 3}, {2, 1, 2, 3, 2, 1}, {2, 3, 2, 1, 2, 1}, {1, 1, 1, 3, 2, 3}, {1, 3, 1, 1, 2, 3},
    {1, 3, 1, 3, 2, 1}, {1, 1, 2, 3, 1, 3}, {1, 3, 2, 1, 1, 3}, {1, 3, 2, 3, 1, 1}, {2, 1, 1, 3, 1, 3},
    {2, 3, 1, 1, 1, 3}, {2, 3, 1, 3, 1, 1}, {1, 1, 2, 1, 3, 3}, {1, 1, 2, 3, 3, 1}, {1, 3, 2, 1, 3, 1},
    {1, 1, 3, 1, 2, 3}, {1, 1, 3, 3, 2, 1}, {1, 3, 3, 1, 2, 1}, {3, 1, 3, 1, 2, 1}, {2, 1, 1, 3, 3, 1},
    {2, 3, 1, 1, 3, 1}, {2, 1, 3, 1, 1, 3}, {2, 1, 3, 3, 1, 1}, {2, 1, 3, 1, 3, 1}, {3, 1, 1, 1, 2, 3},
    {3, 1, 1, 3, 2, 1}, {3, 3, 1, 1, 2, 1}, {3, 1, 2, 1, 1, 3}, {3, 1, 2, 3, 1, 1}, {3, 3, 2, 1, 1, 1},
    {3, 1, 4, 1, 1, 1}, {2, 2, 1, 4, 1, 1}, {4, 3, 1, 1, 1, 1}, {1, 1, 1, 2, 2, 4}, {1, 1, 1, 4, 2, 2},
    {1, 2, 1, 1, 2, 4}, {1, 2, 1, 4, 2, 1}, {1, 4, 1, 1, 2, 2}, {1, 4, 1, 2, 2, 1}, {1, 1, 2, 2, 1, 4},
    {1, 1, 2, 4, 1, 2}, {1, 2, 2, 1, 1, 4}, {1, 2, 2, 4, 1, 1}, {1, 4, 2, 1, 1, 2}, {1, 4, 2, 2, 1, 1},
    {2, 4, 1, 2, 1, 1}, {2, 2, 1, 1, 1, 4}, {4, 1, 3, 1, 1, 1}, {2, 4, 1, 1, 1, 2}, {1, 3, 4, 1, 1, 1},
    {1, 1, 1, 2, 4, 2}, {1, 2, 1, 1, 4, 2}, {1, 2, 1, 2, 4, 1}, {1, 1, 4, 2, 1, 2}, {1, 2, 4, 1, 1, 2},
    {1, 2, 4, 2, 1, 1}, {4, 1, 1, 2, 1, 2}, {4, 2, 1, 1, 1, 2}, {4, 2, 1, 2, 1, 1}, {2, 1, 2, 1, 4, 1},
    {2, 1, 4, 1, 2, 1}, {4, 1, 2, 1, 2, 1}, {1, 1, 1, 1, 4, 3}, {1, 1, 1, 3, 4, 1}, {1, 3, 1, 1, 4, 1},
    {1, 1, 4, 1, 1, 3}, {1, 1, 4, 3, 1, 1}, {4, 1, 1, 1, 1, 3}, {4, 1, 1, 3, 1, 1}, {1, 1, 3, 1, 4, 1},
    {1, 1, 4, 1, 3, 1}, {3, 1, 1, 1, 4, 1}, {4, 1, 1, 1, 3, 1}, {2, 1, 1, 4, 1, 2}, {2, 1, 1, 2, 1, 4},
    {2, 1, 1, 2, 3, 2}, {2, 3, 3, 1, 1, 1},
};

enum { FNC3 = 96, FNC2 = 97, SHIFT = 98, CODE_C = 99, CODE_B = 100, CODE_A = 101, FNC1 = 102, START_A = 103, START_C = 105,
       STOP = 106 };

// The quiet zone is ten modules; half of it tells a symbol's edge from its inside.
#define QUIET_MODULES 5.0F
// Sum of deviations, in modules, up to which six elements are taken for a pattern.
#define MOST_DEVIATION 2.4F

// Sums of a bar and its neighbour do not change when ink spreads, so they weigh most.
static float deviation(const float *w, float module, const uint8_t *pattern) {
    float sum = 0;
    for (int i = 0; i < 5; i++) sum += fabsf((w[i] + w[i + 1]) / module - (float)(pattern[i] + pattern[i + 1]));
    for (int i = 0; i < 6; i++) sum += 0.3F * fabsf(w[i] / module - (float)pattern[i]);
    return sum;
}

static int value_of(const float *w, int from, int to) {
    float total = 0, best = MOST_DEVIATION;
    int value = -1;
    for (int i = 0; i < 6; i++) total += w[i];
    for (int v = from; v <= to; v++) {
        float d = deviation(w, total / 11, scan_code128_patterns[v]);
        if (d < best) {
            best = d;
            value = v;
        }
    }
    return value;
}

static bool check_good(const uint8_t *values, size_t count) {
    unsigned sum = values[0];
    for (size_t i = 1; i + 1 < count; i++) sum += (unsigned)i * values[i];
    return sum % 103 == values[count - 1];
}

size_t scan_code128_match(const float *widths, size_t count, size_t first, uint8_t *values, size_t *value_count) {
    if (first + 6 * 3 + 1 >= count) return 0;
    int start = value_of(widths + first, START_A, START_C);
    if (start < 0) return 0;
    float module = 0;
    for (int i = 0; i < 6; i++) module += widths[first + (size_t)i] / 11;
    if (first > 0 && widths[first - 1] < QUIET_MODULES * module) return 0;
    values[0] = (uint8_t)start;
    size_t n = 1, at = first + 6;
    for (; at + 6 < count; at += 6) {
        float total = 0;
        for (size_t i = 0; i < 6; i++) total += widths[at + i];
        // Characters of one line differ little in width from one to the next.
        if (total < module * 11 * 0.7F || total > module * 11 * 1.4F) return 0;
        module = total / 11;
        int value = value_of(widths + at, 0, STOP);
        if (value < 0 || (value >= START_A && value <= START_C)) return 0;
        if (value == STOP) break;
        if (n == SCAN_CODE128_MAX_VALUES) return 0;
        values[n++] = (uint8_t)value;
    }
    if (at + 6 >= count || n < 3 || !check_good(values, n)) return 0;
    float last_bar = widths[at + 6];
    if (last_bar < module || last_bar > 3 * module) return 0;
    if (at + 7 < count && widths[at + 7] < QUIET_MODULES * module) return 0;
    *value_count = n - 1;
    return at + 7 - first;
}

struct text {
    struct scan_symbol *out;
    char set;         // 'A', 'B' or 'C'
    char shifted;     // the set of the next character alone, or 0
    bool high_latch;  // two FNC4
    bool high_next;   // one FNC4
    size_t position;  // data characters so far, a pair of digits being one
};

static void put(struct text *t, uint8_t character) {
    bool high = t->high_latch != t->high_next;
    pt_buf_byte(&t->out->bytes, (uint8_t)(character + (high ? 128 : 0)));
    t->high_next = false;
    t->position++;
}

static void put_fnc1(struct text *t) {
    const struct pt_buf *bytes = &t->out->bytes;
    uint8_t lower = bytes->len ? bytes->data[0] | 0x20 : 0;
    bool announces = bytes->len == 2 || (lower >= 'a' && lower <= 'z');  // a pair of digits or a letter
    if (t->position == 0) {
        memcpy(t->out->aim, "]C1", 4);
    } else if (t->position == 1 && t->out->aim[2] == '0' && announces) {
        memcpy(t->out->aim, "]C2", 4);
    } else {
        pt_buf_byte(&t->out->bytes, GS);
    }
    t->position++;
}

static void put_fnc4(struct text *t) {
    if (t->high_next) t->high_latch = !t->high_latch;
    t->high_next = !t->high_next;
}

static bool put_value(struct text *t, uint8_t value) {
    char set = t->shifted ? t->shifted : t->set;
    t->shifted = 0;
    if (value == FNC1) {
        put_fnc1(t);
        return true;
    }
    if (set == 'C') {
        if (value < 100) {
            pt_buf_byte(&t->out->bytes, (uint8_t)('0' + value / 10));
            pt_buf_byte(&t->out->bytes, (uint8_t)('0' + value % 10));
            t->position++;
        } else {
            t->set = value == CODE_B ? 'B' : 'A';
        }
        return true;
    }
    if (value < 96) {
        put(t, (uint8_t)(set == 'A' && value >= 64 ? value - 64 : value + 32));
        return true;
    }
    switch (value) {
        case FNC3:
        case FNC2: return false;  // reader programming and appended symbols are no trace codes
        case SHIFT: t->shifted = set == 'A' ? 'B' : 'A'; return true;
        case CODE_C: t->set = 'C'; return true;
        case CODE_B:
            if (set == 'B') put_fnc4(t);
            else t->set = 'B';
            return true;
        case CODE_A:
            if (set == 'A') put_fnc4(t);
            else t->set = 'A';
            return true;
        default: return false;
    }
}

enum pt_code scan_code128_text(const uint8_t *values, size_t count, struct scan_symbol *out, struct pt_error *err) {
    if (count < 2 || values[0] < START_A || values[0] > START_C)
        return pt_fail(err, PT_INVALID, NULL, "not a Code 128 symbol");
    struct text text = {.out = out, .set = (char)('A' + values[0] - START_A)};
    pt_buf_clear(&out->bytes);
    pt_buf_clear(&out->text);
    memcpy(out->aim, "]C0", 4);
    for (size_t i = 1; i < count; i++)
        if (!put_value(&text, values[i]))
            return pt_fail_at(err, PT_INVALID, (long)i, NULL, "a Code 128 character that is not read");
    if (out->bytes.len == 0) return pt_fail(err, PT_INVALID, NULL, "a Code 128 symbol without data");
    scan_latin1_append(&out->text, pt_buf_bytes(&out->bytes));
    out->has_text = true;
    return pt_buf_check(&out->bytes, err);
}
