// Data Matrix below the picture: Reed-Solomon, sizes, decodation, and what must be refused.
#include <string.h>

#include "common/base/cleanup.h"
#include "firmware/scan/datamatrix.h"
#include "tests/support/support.h"

static enum pt_code decode(const uint8_t *words, size_t count, struct scan_symbols *list) {
    struct scan_symbol *symbol;
    scan_symbols_free(list);
    assert_int_equal(scan_symbols_add(list, SCAN_DATAMATRIX, "]d1", &symbol, NULL), PT_OK);
    return scan_dm_decodation(words, count, symbol, NULL);
}

static void assert_says(const char *aim, const char *bytes, size_t len, const char *text, const uint8_t *words, size_t count) {
    PT_CLEANUP(scan_symbols_free) struct scan_symbols list = {0};
    assert_int_equal(decode(words, count, &list), PT_OK);
    const struct scan_symbol *symbol = &list.items[0];
    assert_string_equal(symbol->aim, aim);
    assert_true(pt_bytes_equal(pt_buf_bytes(&symbol->bytes), pt_bytes_of(bytes, len)));
    assert_int_equal(symbol->has_text, text != NULL);
    if (text) assert_true(pt_bytes_equal(pt_buf_bytes(&symbol->text), pt_bytes_str(text)));
}

#define SAYS(aim, bytes, text, ...)                                                  \
    do {                                                                             \
        const uint8_t words_[] = {__VA_ARGS__};                                      \
        assert_says(aim, bytes, sizeof bytes - 1, text, words_, sizeof words_);      \
    } while (0)

static void decodation(void **state) {
    (void)state;
    SAYS("]d1", "123456", "123456", 142, 164, 186);  // ISO/IEC 16022 annex O
    SAYS("]d1", "A", "A", 'A' + 1, 129, 70, 11);
    SAYS("]d2", "0112", "0112", 232, 131, 142);
    SAYS("]d2", "10A\x1d" "17", "10A\x1d" "17", 232, 140, 'A' + 1, 232, 147);
    SAYS("]d3", "A12", "A12", 'A' + 1, 232, 142);
    SAYS("]d3", "1212", "1212", 142, 232, 142);
    SAYS("]d1", "AB\x1d", "AB\x1d", 'A' + 1, 'B' + 1, 232);
    SAYS("]d1", "AIMAIM", "AIMAIM", 230, 91, 11, 91, 11, 254);  // annex P
    SAYS("]d1", "\xe9", "é", 235, 0x69 + 1);
    SAYS("]d1", "\xb6\xb6", "¶Ж", 241, 4, 235, 0x36 + 1, 241, 8, 235, 0x36 + 1);
    SAYS("]d1", "\x83", NULL, 235, 3 + 1);  // C1 control: no character set that we can name
    SAYS("]d1", "\xc3\xa9", "é", 241, 27, 235, 0x43 + 1, 235, 0x29 + 1);
    SAYS("]d1", "[)>\x1e" "05\x1d" "A\x1e\x04", "[)>\x1e" "05\x1d" "A\x1e\x04", 236, 'A' + 1);
    SAYS("]d1", "[)>\x1e" "06\x1d" "A\x1e\x04", "[)>\x1e" "06\x1d" "A\x1e\x04", 237, 'A' + 1, 129);
    SAYS("]d1", "$I", "$I", 234, '$' + 1, 'I' + 1);
    // EDIFACT "DATA" in three words, unlatch, then ASCII.
    SAYS("]d1", "DATAx", "DATAx", 240, 0x10, 0x15, 0x01, 0x7c, 'x' + 1, 129);
    SAYS("]d1", "A>B", "A>B", 238, (14 * 1600 + 2 * 40 + 15 + 1) >> 8, (14 * 1600 + 2 * 40 + 15 + 1) & 255, 254);
    // Base 256, one byte 0xFF; places 2 and 3 of the symbol carry the masked length and byte.
    SAYS("]d1", "\xff", "ÿ", 231, (1 + (149 * 2) % 255 + 1) & 255, (255 + (149 * 3) % 255 + 1) & 255);
}

static void bad_words_are_refused(void **state) {
    (void)state;
    PT_CLEANUP(scan_symbols_free) struct scan_symbols list = {0};
#define REFUSED(...)                                                                                   \
    do {                                                                                               \
        const uint8_t words_[] = {__VA_ARGS__};                                                        \
        assert_int_equal(decode(words_, sizeof words_, &list), PT_INVALID);                            \
    } while (0)
    REFUSED(129);
    REFUSED(0);
    REFUSED(242, 'A' + 1);
    REFUSED(230, 0, 0);
    REFUSED(230, 255, 255);
    REFUSED('A' + 1, 241);
    REFUSED('A' + 1, 241, 0);
    REFUSED('A' + 1, 241, 128);
    REFUSED('A' + 1, 241, 255, 1, 1);
    REFUSED(231);
    REFUSED(231, (40 + (149 * 2) % 255 + 1) & 255, 7);
    assert_int_equal(decode((const uint8_t[]){0}, 0, &list), PT_INVALID);
}

static void sizes_are_consistent(void **state) {
    (void)state;
    assert_int_equal(scan_dm_size_count, 24 + 6 + 18);
    for (size_t i = 0; i < scan_dm_size_count; i++) {
        const struct scan_dm_size *s = &scan_dm_sizes[i];
        assert_int_equal(s->rows % (s->region_rows + 2), 0);
        assert_int_equal(s->cols % (s->region_cols + 2), 0);
        unsigned bits = (unsigned)(s->rows / (s->region_rows + 2) * s->region_rows) *
                        (unsigned)(s->cols / (s->region_cols + 2) * s->region_cols);
        assert_int_equal(bits / 8, s->data_words + s->check_words);
        assert_int_equal(s->check_words % s->blocks, 0);
        assert_ptr_equal(scan_dm_size_of(s->rows, s->cols), s);
    }
    assert_null(scan_dm_size_of(10, 12));
}

static void errors_are_corrected_up_to_the_limit(void **state) {
    (void)state;
    // ISO/IEC 16022 annex O: "123456" in 10 x 10.
    const uint8_t good[8] = {142, 164, 186, 114, 25, 5, 88, 102};
    uint8_t words[8];
    memcpy(words, good, 8);
    assert_int_equal(scan_dm_correct(words, 8, 5), 0);
    for (unsigned a = 0; a < 8; a++)
        for (unsigned b = 0; b < 8; b++) {
            memcpy(words, good, 8);
            words[a] ^= 0x5a;
            if (b != a) words[b] ^= 0x81;
            assert_int_equal(scan_dm_correct(words, 8, 5), a == b ? 1 : 2);
            assert_memory_equal(words, good, 8);
        }
    assert_int_equal(scan_dm_correct(words, 5, 5), -1);
    assert_int_equal(scan_dm_correct(words, 8, 200), -1);
}

// A grid with a perfect finder and noise inside must not come out as a symbol.
static void noise_is_not_read(void **state) {
    (void)state;
    uint32_t seed = 7;
    PT_CLEANUP(scan_symbols_free) struct scan_symbols list = {0};
    unsigned invented = 0;
    for (size_t i = 1; i < scan_dm_size_count; i++) {
        const struct scan_dm_size *s = &scan_dm_sizes[i];
        if (s->check_words < 12) continue;  // smaller ones have too few check words to tell noise every time
        uint8_t modules[SCAN_DM_MAX_SIDE * SCAN_DM_MAX_SIDE];
        for (unsigned k = 0; k < (unsigned)s->rows * s->cols; k++) {
            seed = seed * 1664525u + 1013904223u;
            modules[k] = (uint8_t)(seed >> 31);
        }
        struct scan_symbol *symbol;
        scan_symbols_free(&list);
        assert_int_equal(scan_symbols_add(&list, SCAN_DATAMATRIX, "]d1", &symbol, NULL), PT_OK);
        assert_true(scan_dm_finder_match(s, modules) < 0.8);
        invented += scan_dm_read(s, modules, 1.0, symbol, NULL) == PT_OK;
    }
    assert_int_equal(invented, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodation),           cmocka_unit_test(bad_words_are_refused),
        cmocka_unit_test(sizes_are_consistent), cmocka_unit_test(errors_are_corrected_up_to_the_limit),
        cmocka_unit_test(noise_is_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
