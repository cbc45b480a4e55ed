// Code 128 from exact bar widths: the character sets, the function characters, and what must be refused.
#include <string.h>

#include "common/base/cleanup.h"
#include "firmware/scan/code128.h"
#include "tests/support/support.h"

enum { SHIFT = 98, C = 99, B = 100, A = 101, FNC1 = 102, START_A = 103, START_B = 104, START_C = 105, STOP = 106 };

// Quiet zone, the values with their check character, stop, quiet zone; `module` wide, ink spread by `spread`.
static size_t draw(const uint8_t *values, size_t count, float module, float spread, float *widths) {
    size_t n = 0;
    unsigned sum = values[0];
    widths[n++] = 10 * module;
    for (size_t i = 1; i < count; i++) sum += (unsigned)i * values[i];
    for (size_t i = 0; i < count + 2; i++) {
        unsigned value = i < count ? values[i] : i == count ? sum % 103 : STOP;
        for (int k = 0; k < 6; k++)
            widths[n++] = (float)scan_code128_patterns[value][k] * module + (k % 2 ? -spread : spread);
    }
    widths[n++] = 2 * module + spread;
    widths[n++] = 10 * module;
    return n;
}

static void assert_reads(const uint8_t *values, size_t count, const char *aim, const char *bytes, size_t len) {
    float widths[512];
    for (int spread = -1; spread <= 1; spread++) {
        uint8_t got[SCAN_CODE128_MAX_VALUES];
        size_t got_count = 0, n = draw(values, count, 3, (float)spread * 0.7F, widths);
        assert_int_equal(scan_code128_match(widths, n, 1, got, &got_count), n - 2);
        assert_int_equal(got_count, count);
        assert_memory_equal(got, values, count);
        PT_CLEANUP(scan_symbols_free) struct scan_symbols list = {0};
        struct scan_symbol *symbol;
        assert_int_equal(scan_symbols_add(&list, SCAN_CODE_128, "]C0", &symbol, NULL), PT_OK);
        struct pt_error err = {0};
        assert_ok(scan_code128_text(got, got_count, symbol, &err), &err);
        assert_string_equal(symbol->aim, aim);
        assert_true(pt_bytes_equal(pt_buf_bytes(&symbol->bytes), pt_bytes_of(bytes, len)));
    }
}

#define READS(aim, text, ...)                                            \
    do {                                                                 \
        const uint8_t values_[] = {__VA_ARGS__};                         \
        assert_reads(values_, sizeof values_, aim, text, sizeof text - 1); \
    } while (0)

static void patterns_are_eleven_modules_and_distinct(void **state) {
    (void)state;
    for (int i = 0; i < 107; i++) {
        int sum = 0;
        for (int k = 0; k < 6; k++) sum += scan_code128_patterns[i][k];
        assert_int_equal(sum, 11);
        for (int j = 0; j < i; j++) assert_memory_not_equal(scan_code128_patterns[i], scan_code128_patterns[j], 6);
        int bars = scan_code128_patterns[i][0] + scan_code128_patterns[i][2] + scan_code128_patterns[i][4];
        assert_int_equal(bars % 2, 0);
    }
}

static void character_sets_and_functions(void **state) {
    (void)state;
    READS("]C0", "Ab", START_B, 'A' - 32, 'b' - 32);
    READS("]C0", "A\x01", START_A, 'A' - 32, 65);
    READS("]C0", "1234AB", START_C, 12, 34, B, 'A' - 32, 'B' - 32);
    READS("]C0", "A\x02" "B", START_B, 'A' - 32, SHIFT, 66, 'B' - 32);
    READS("]C0", "01A99", START_C, 1, A, 'A' - 32, C, 99);
    READS("]C1", "0109501101530003", START_C, FNC1, 1, 9, 50, 11, 1, 53, 0, 3);
    READS("]C1", "10A\x1d" "17", START_B, FNC1, '1' - 32, '0' - 32, 'A' - 32, FNC1, C, 17);
    READS("]C2", "ABC", START_B, 'A' - 32, FNC1, 'B' - 32, 'C' - 32);
    READS("]C0", "AB\x1d", START_B, 'A' - 32, 'B' - 32, FNC1);
    READS("]C0", "\xf3" "s", START_B, B, 's' - 32, 's' - 32);                  // one FNC4
    READS("]C0", "\xf3\xf3s\xf3", START_B, B, B, 's' - 32, 's' - 32, B, 's' - 32, 's' - 32);  // latched, one let out
    READS("]C0", "\xf3s", START_B, B, B, 's' - 32, B, B, 's' - 32);            // latched and released
}

static void what_is_no_code_128_is_refused(void **state) {
    (void)state;
    const uint8_t values[] = {START_B, 'A' - 32, 'b' - 32, 'c' - 32};
    float widths[512];
    uint8_t got[SCAN_CODE128_MAX_VALUES];
    size_t count, n = draw(values, sizeof values, 3, 0, widths);
    assert_int_equal(scan_code128_match(widths, n, 1, got, &count), n - 2);
    for (size_t len = 0; len + 1 < n; len++) assert_int_equal(scan_code128_match(widths, len, 1, got, &count), 0);
    float quiet = widths[0];
    widths[0] = 6;  // no quiet zone
    assert_int_equal(scan_code128_match(widths, n, 1, got, &count), 0);
    widths[0] = quiet;
    for (size_t at = 7; at + 13 < n; at += 6) {  // another character: the check character tells
        float saved[6];
        memcpy(saved, widths + at, sizeof saved);
        for (int k = 0; k < 6; k++) widths[at + (size_t)k] = (float)scan_code128_patterns[70][k] * 3;
        assert_int_equal(scan_code128_match(widths, n, 1, got, &count), 0);
        memcpy(widths + at, saved, sizeof saved);
    }
    PT_CLEANUP(scan_symbols_free) struct scan_symbols list = {0};
    struct scan_symbol *symbol;
    assert_int_equal(scan_symbols_add(&list, SCAN_CODE_128, "]C0", &symbol, NULL), PT_OK);
    assert_int_equal(scan_code128_text((const uint8_t[]){START_B, 96, 33}, 3, symbol, NULL), PT_INVALID);  // FNC3
    assert_int_equal(scan_code128_text((const uint8_t[]){START_B, FNC1}, 2, symbol, NULL), PT_INVALID);
    assert_int_equal(scan_code128_text((const uint8_t[]){33, 34}, 2, symbol, NULL), PT_INVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_are_eleven_modules_and_distinct),
        cmocka_unit_test(character_sets_and_functions),
        cmocka_unit_test(what_is_no_code_128_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
